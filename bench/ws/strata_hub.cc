// The server of the benchmark's fan-out on a hub: what a client sends goes to all of them.
//
//   strata_hub [--threads=N]
//
// Prints the free port that it takes.

#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

#include "bench/arguments.h"
#include "bench/sockets.h"
#include "strata/http/server.h"
#include "strata/ws/hub.h"
#include "strata/ws/server.h"

namespace bench {
namespace {

namespace http = strata::http;
namespace ws = strata::ws;

class Member final : public ws::SocketHandler {
 public:
  explicit Member(ws::Hub& hub) : hub_(hub) {}

  void OnOpen(ws::Socket& socket) override { hub_.Add(socket)->Subscribe("all"); }
  void OnMessage(ws::Socket&, bool text, std::string_view message) override {
    text ? hub_.PublishText("all", message) : hub_.PublishBinary("all", message);
  }

 private:
  ws::Hub& hub_;
};

absl::Status Serve(unsigned threads) {
  ws::Hub hub;
  ws::EndpointOptions endpoint;
  endpoint.deflate.reset();
  http::Router router;
  router.Get("/", ws::WebSocketEndpoint(
                      [&hub](http::Request&) { return std::make_unique<Member>(hub); }, endpoint));
  http::ServerOptions options;
  options.address = "127.0.0.1:0";
  options.runtime.loops = threads;
  auto server = http::Server::Create(std::move(router), std::move(options));
  if (!server.ok()) return server.status();
  PrintPort((*server)->address().port());
  return (*server)->RunUntilSignal(std::chrono::seconds(0));
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv, {"--threads"});
  bench::RaiseDescriptorLimit();
  const absl::Status status = bench::Serve(arguments.Number("--threads", 1));
  if (!status.ok()) std::fprintf(stderr, "strata_hub: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
