// File: segments.h
//
// In a file of its own, for the system has two headers of TCP that do not go together.

#ifndef BENCH_WS_SEGMENTS_H_
#define BENCH_WS_SEGMENTS_H_

#include <cstdint>

namespace bench {

// Segments with data that have come on a TCP socket up to now. On the loopback interface, where a
// segment holds 64 KB, a peer without Nagle's algorithm makes one by each small write.
std::uint32_t DataSegments(int socket);

}  // namespace bench

#endif  // BENCH_WS_SEGMENTS_H_
