// File: successor.h
//
// Restarting without a gap: a program's next run takes the listening sockets over from this one, so
// that no connection is refused or lost in between.
//
//   int main(int, char** argv) {
//     const Inheritance inherited = TakeInheritance();
//     ... make loops; listen on inherited.addresses, or if there are none where one always does ...
//     loop.OnSignal(SIGUSR2, [&] { auto pid = StartSuccessor(argv[0], arguments, {listener}); });
//     loop.Post([&] { EndPredecessor(inherited); });   // As soon as this one accepts.
//     ... run ...
//   }
//
// Both runs accept from the same sockets until the predecessor drains; a successor that does not
// come up leaves it as it was. The sockets come as systemd's socket activation passes them
// (sd_listen_fds(3)), from which TakeInheritance() takes them too: there systemd holds the sockets
// over a restart, and neither signal nor successor is needed.
//
// Linux. What a client sends on an idle connection while that is being closed is not answered, as
// with every end of such a one: a protocol in which clients begin keeps it for a while when the
// loop drains, as http's server does (ServerOptions::drain_grace).

#ifndef STRATA_NET_SUCCESSOR_H_
#define STRATA_NET_SUCCESSOR_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "strata/net/tcp_listener.h"

namespace strata::net {

struct Inheritance {
  // Sockets that listen, as TcpListener::Listen() takes them: "fd:3" and so on.
  std::vector<std::string> addresses;

  // The process to which this one is the successor; 0: none.
  int predecessor = 0;
};

// What this process was given by StartSuccessor(), or by systemd. Once, before there are threads,
// for it changes the environment, so that children do not take it for theirs.
Inheritance TakeInheritance();

// Asks the predecessor to drain and end, by SIGTERM, if it is there still.
void EndPredecessor(const Inheritance& inheritance);

// Starts `program`, a path, as a child with the sockets of these listeners and no other descriptor
// but the standard ones and those that are not closed on exec; `arguments` begins with its name.
// Returns its process id. An error if it cannot be started; what it does then is its own matter.
// From any thread; blocks for some milliseconds.
absl::StatusOr<int> StartSuccessor(const std::string& program,
                                   const std::vector<std::string>& arguments,
                                   const std::vector<const TcpListener*>& listeners);

}  // namespace strata::net

#endif  // STRATA_NET_SUCCESSOR_H_
