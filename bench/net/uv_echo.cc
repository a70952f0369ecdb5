// Echo on libuv: a write request of its own for each message, after libuv's guide, but first tried
// without one, as its documentation advises (uv_try_write).

#include <uv.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "bench/sockets.h"

namespace {

char buffer[128 * 1024];

struct Write {
  uv_write_t request;
  std::unique_ptr<char[]> bytes;
};

void OnClose(uv_handle_t* handle) { delete reinterpret_cast<uv_tcp_t*>(handle); }

void OnRead(uv_stream_t* stream, ssize_t size, const uv_buf_t*) {
  if (size < 0) {
    uv_close(reinterpret_cast<uv_handle_t*>(stream), OnClose);
    return;
  }
  uv_buf_t all = uv_buf_init(buffer, static_cast<unsigned>(size));
  const int sent = std::max(uv_try_write(stream, &all, 1), 0);
  if (sent == size) return;
  auto* write = new Write;
  const auto left = static_cast<std::size_t>(size - sent);
  write->bytes.reset(new char[left]);
  std::memcpy(write->bytes.get(), buffer + sent, left);
  write->request.data = write;
  uv_buf_t rest = uv_buf_init(write->bytes.get(), static_cast<unsigned>(left));
  uv_write(&write->request, stream, &rest, 1,
           [](uv_write_t* done, int) { delete static_cast<Write*>(done->data); });
}

void OnConnection(uv_stream_t* listener, int status) {
  if (status < 0) return;
  auto* client = new uv_tcp_t;
  uv_tcp_init(listener->loop, client);
  uv_accept(listener, reinterpret_cast<uv_stream_t*>(client));
  uv_tcp_nodelay(client, 1);
  uv_read_start(
      reinterpret_cast<uv_stream_t*>(client),
      [](uv_handle_t*, size_t, uv_buf_t* lent) { *lent = uv_buf_init(buffer, sizeof(buffer)); },
      OnRead);
}

}  // namespace

int main() {
  bench::RaiseDescriptorLimit();
  uv_loop_t* loop = uv_default_loop();
  uv_tcp_t listener;
  uv_tcp_init(loop, &listener);
  sockaddr_in address;
  uv_ip4_addr("127.0.0.1", 0, &address);
  uv_tcp_bind(&listener, reinterpret_cast<sockaddr*>(&address), 0);
  if (uv_listen(reinterpret_cast<uv_stream_t*>(&listener), 4096, OnConnection) != 0) return 1;
  int size = sizeof(address);
  uv_tcp_getsockname(&listener, reinterpret_cast<sockaddr*>(&address), &size);
  bench::PrintPort(ntohs(address.sin_port));
  return uv_run(loop, UV_RUN_DEFAULT);
}
