// File: system_calls_internal.h
//
// The system calls that each message costs, without the C library's part in them: in a program with
// threads each of its calls that may block is a point where a thread can be cancelled, and entering
// and leaving that takes two locked instructions. No thread of ours is ever cancelled.
//
// As the C library's, they answer -1 and set errno. Functions of C names, so that tests can put
// faults in front of them.

#ifndef STRATA_NET_SYSTEM_CALLS_INTERNAL_H_
#define STRATA_NET_SYSTEM_CALLS_INTERNAL_H_

#include <sys/types.h>

#include <cstddef>

struct epoll_event;

extern "C" {

// recv(2) and send(2) without flags, but that send() raises no SIGPIPE.
ssize_t strata_net_recv(int socket, void* buffer, std::size_t size);
ssize_t strata_net_send(int socket, const void* bytes, std::size_t size);

// epoll_wait(2).
int strata_net_epoll_wait(int epoll, epoll_event* events, int count, int timeout_ms);

}  // extern "C"

#endif  // STRATA_NET_SYSTEM_CALLS_INTERNAL_H_
