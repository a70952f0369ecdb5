// A server to measure and to test from outside:
//
//   echo_server [--port=N] [--threads=N] [--deflate]
//
// Echoes every message, on any path. Port 0, the default, takes a free one. Prints where it
// listens; ends by SIGINT or SIGTERM.

#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "strata/http/server.h"
#include "strata/ws/server.h"

namespace strata::ws {
namespace {

class Echo : public SocketHandler {
  void OnMessage(Socket& socket, bool text, std::string_view message) override {
    text ? socket.SendText(message) : socket.SendBinary(message);
  }
};

// The number of "--name=NUMBER".
bool Parse(std::string_view argument, std::string_view name, unsigned max, unsigned* number) {
  if (!argument.starts_with(name)) return false;
  argument.remove_prefix(name.size());
  const auto [end, error] = std::from_chars(argument.begin(), argument.end(), *number);
  return error == std::errc() && end == argument.end() && !argument.empty() && *number <= max;
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "echo_server: %s\n", std::string(status.message()).c_str());
  return 1;
}

int Run(int argc, char** argv) {
  unsigned port = 0;
  unsigned threads = 1;
  bool deflate = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--deflate") {
      deflate = true;
    } else if (!Parse(argument, "--port=", 65535, &port) &&
               !Parse(argument, "--threads=", 1024, &threads)) {
      std::fprintf(stderr,
                   "echo_server: %s? usage: echo_server [--port=N] [--threads=N] [--deflate]\n",
                   argv[i]);
      return 2;
    }
  }
  EndpointOptions endpoint;
  endpoint.origins = {"*"};
  endpoint.socket.decoder.max_message_bytes = 64 << 20;
  endpoint.socket.decoder.max_frame_bytes = 64 << 20;
  endpoint.socket.decoder.max_inflate_ratio = 0;  // Whoever tests may send zeros alone.
  endpoint.socket.max_backlog_bytes = 60 << 20;
  if (deflate) {
    // With takeover, for who offers that: conformance suites try all parameters.
    endpoint.deflate = DeflateParameters{};
  } else {
    endpoint.deflate.reset();
  }
  http::Router router;
  router.Get("/{path...}",
             WebSocketEndpoint([](http::Request&) { return std::make_unique<Echo>(); },
                               std::move(endpoint)));
  http::ServerOptions options;
  options.address = "[::]:" + std::to_string(port);
  options.runtime.loops = threads;
  auto server = http::Server::Create(std::move(router), std::move(options));
  if (!server.ok()) return Fail(server.status());
  std::printf("listening on %s\n", (*server)->address().ToString().c_str());
  std::fflush(stdout);
  const absl::Status status = (*server)->RunUntilSignal();
  return status.ok() ? 0 : Fail(status);
}

}  // namespace
}  // namespace strata::ws

int main(int argc, char** argv) { return strata::ws::Run(argc, argv); }
