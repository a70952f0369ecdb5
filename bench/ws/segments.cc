#include "bench/ws/segments.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>

namespace bench {

std::uint32_t DataSegments(int socket) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
    std::perror("TCP_INFO");
    std::exit(1);
  }
  return info.tcpi_data_segs_in;
}

}  // namespace bench
