// File: faults.h
//
// Makes the system calls of net's sockets fail as they may: interrupted, not ready after all, done
// in part only; and, when asked for, with errors that end a connection. Linking this library is
// enough: the linker puts it between net and the C library (--wrap). Only sockets that net has
// opened are meant, those that do not block; a test's own peers are left alone.
//
// What happens is decided by a seed, printed at the start and taken from STRATA_NET_FAULT_SEED if
// that is set. Threads take turns by themselves, so a seed repeats the faults of each thread, not
// their meeting.

#ifndef STRATA_NET_TESTING_FAULTS_H_
#define STRATA_NET_TESTING_FAULTS_H_

#include <cstdint>

namespace strata::net::testing {

// One of so many calls ends its connection with ECONNRESET, ETIMEDOUT or the like; 0, as at the
// start, none.
void SetFatalFaults(std::uint32_t one_in);

// Faults of all kinds so far.
std::uint64_t FaultCount();

}  // namespace strata::net::testing

#endif  // STRATA_NET_TESTING_FAULTS_H_
