// Echo on net, as its users write it: strata_echo [LOOPS]

#include <cstdio>
#include <cstdlib>

#include "bench/sockets.h"
#include "strata/net/runtime.h"
#include "strata/net/tcp_listener.h"

namespace {

class Echo final : public strata::net::StreamHandler {
  void OnReceive(strata::net::Stream& stream, std::string_view bytes) override {
    stream.Write(bytes);
  }
};

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  bench::RaiseDescriptorLimit();
  strata::net::Runtime::Options options;
  options.loops = argc > 1 ? static_cast<std::size_t>(std::atoi(argv[1])) : 1;
  auto runtime = strata::net::Runtime::Create(std::move(options));
  if (!runtime.ok()) return Fail(runtime.status());
  strata::net::ListenOptions listen;
  listen.backlog = 4096;
  auto listener = strata::net::TcpListener::Listen(
      **runtime, "127.0.0.1:0", [] { return std::make_unique<Echo>(); }, listen);
  if (!listener.ok()) return Fail(listener.status());
  bench::PrintPort((*listener)->address().port());
  const absl::Status status = (*runtime)->RunUntilSignal(std::chrono::seconds(0));
  return status.ok() ? 0 : Fail(status);
}
