// A server to measure from outside:
//
//   hello_server [--port=N] [--threads=N]
//
// GET / is "Hello, World!"; any method on /echo, and POST anywhere, answers with the request's
// body. Port 0, the default, takes a free one. Prints where it listens; ends by SIGINT or SIGTERM,
// and gives way to another run of itself, without a gap, by SIGUSR2.

#include <charconv>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "strata/http/server.h"
#include "strata/net/successor.h"

namespace strata::http {
namespace {

// The number of "--name=NUMBER".
bool Parse(std::string_view argument, std::string_view name, unsigned max, unsigned* number) {
  if (!argument.starts_with(name)) return false;
  argument.remove_prefix(name.size());
  const auto [end, error] = std::from_chars(argument.begin(), argument.end(), *number);
  return error == std::errc() && end == argument.end() && !argument.empty() && *number <= max;
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "hello_server: %s\n", std::string(status.message()).c_str());
  return 1;
}

void Echo(Request& request, Response& response) {
  if (const auto type = request.field(FieldId::kContentType)) {
    response.Set(FieldId::kContentType, *type);
  }
  response.Send(request.body());
}

int Run(int argc, char** argv) {
  const net::Inheritance inherited = net::TakeInheritance();
  unsigned port = 0;
  unsigned threads = 1;
  for (int i = 1; i < argc; ++i) {
    if (!Parse(argv[i], "--port=", 65535, &port) && !Parse(argv[i], "--threads=", 1024, &threads)) {
      std::fprintf(stderr, "hello_server: %s? usage: hello_server [--port=N] [--threads=N]\n",
                   argv[i]);
      return 2;
    }
  }
  Router router;
  router.Get("/", [](Request&, Response& response) {
    response.Set(FieldId::kContentType, "text/plain");
    response.Send("Hello, World!");
  });
  router.Handle(Method::kOther, "/echo", Echo);
  router.Handle(Method::kPost, "/{path...}", Echo);

  ServerOptions options;
  if (inherited.addresses.empty()) options.address = "[::]:" + std::to_string(port);
  options.runtime.loops = threads;
  options.limits.max_body_bytes = 64 << 20;
  auto created = Server::Create(std::move(router), std::move(options));
  if (!created.ok()) return Fail(created.status());
  Server& server = **created;
  for (const std::string& address : inherited.addresses) {
    if (absl::Status status = server.Listen(address); !status.ok()) return Fail(status);
  }

  net::Loop& loop = server.runtime().loop(0);
  const std::vector<std::string> arguments(argv, argv + argc);
  absl::Status status = loop.OnSignal(SIGUSR2, [&server, &arguments] {
    const auto started = net::StartSuccessor("/proc/self/exe", arguments, server.listeners());
    if (!started.ok()) Fail(started.status());
  });
  if (!status.ok()) return Fail(status);
  (void)loop.Post([&inherited] { net::EndPredecessor(inherited); });
  std::printf("listening on %s\n", server.address().ToString().c_str());
  std::fflush(stdout);
  status = server.RunUntilSignal();
  return status.ok() ? 0 : Fail(status);
}

}  // namespace
}  // namespace strata::http

int main(int argc, char** argv) { return strata::http::Run(argc, argv); }
