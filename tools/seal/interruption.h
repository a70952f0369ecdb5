// Signals that end the program: they are noted, so that it can remove what is half done, and then
// end it as they would have.

#ifndef STRATA_TOOLS_SEAL_INTERRUPTION_H_
#define STRATA_TOOLS_SEAL_INTERRUPTION_H_

namespace strata::seal {

// From here on SIGHUP, SIGINT, SIGPIPE and SIGTERM are noted, unless they are ignored. Waiting
// calls return EINTR.
void CatchInterruptions();

// Whether one came.
bool IsInterrupted();

// Ends the process by the signal that came.
void EndByInterruption();

}  // namespace strata::seal

#endif  // STRATA_TOOLS_SEAL_INTERRUPTION_H_
