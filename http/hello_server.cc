// A server to measure from outside:
//
//   hello_server [--port=N] [--threads=N]
//
// GET / is "Hello, World!"; any method on /echo, and POST anywhere, answers with the request's
// body. Port 0, the default, takes a free one. Prints where it listens; ends by SIGINT or SIGTERM.

#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>

#include "strata/http/server.h"

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
  options.address = "[::]:" + std::to_string(port);
  options.runtime.loops = threads;
  options.limits.max_body_bytes = 64 << 20;
  auto server = Server::Create(std::move(router), std::move(options));
  if (!server.ok()) return Fail(server.status());
  std::printf("listening on %s\n", (*server)->address().ToString().c_str());
  std::fflush(stdout);
  const absl::Status status = (*server)->RunUntilSignal();
  return status.ok() ? 0 : Fail(status);
}

}  // namespace
}  // namespace strata::http

int main(int argc, char** argv) { return strata::http::Run(argc, argv); }
