// The server of the benchmark on http's own server, as its users write it, on one thread.
//
//   strata_server --port=N --tls-port=N --folder=FOLDER --certificate=FILE --key=FILE
//
// GET / and GET /json are answered from memory; GET /files/NAME is a file of the folder; POST /echo
// answers with the body while it comes.

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "bench/arguments.h"
#include "strata/crypto/tls_context.h"
#include "strata/http/file_tree.h"
#include "strata/http/server.h"
#include "strata/http/static_files.h"
#include "strata/http/tls.h"

namespace bench {
namespace {

namespace http = strata::http;
namespace crypto = strata::crypto;

// A client that does not read its answer is not read from: its connection sees to that.
class Echo final : public http::BodyReceiver {
 public:
  explicit Echo(http::BodyWriter writer) : writer_(std::move(writer)) {}

  void OnData(std::string_view bytes) override {
    if (writer_.Write(std::string(bytes)) != strata::net::Error::kOk) writer_.Abort();
  }
  void OnEnd(const http::FieldList&) override { writer_.Finish(); }

 private:
  http::BodyWriter writer_;
};

std::unique_ptr<http::BodyReceiver> StartEcho(http::Request& request, http::Responder responder,
                                              http::BodyControl) {
  http::ReplyHead head;
  head.Set(http::FieldId::kContentType, "application/octet-stream");
  return std::make_unique<Echo>(responder.Start(std::move(head), request.head().content_length));
}

http::Router MakeRouter(std::string json, std::shared_ptr<const http::FileTree> files) {
  http::Router router;
  router.Get("/", [](http::Request&, http::Response& response) {
    response.Set(http::FieldId::kContentType, "text/plain");
    response.Send("Hello, World!");
  });
  router.Get("/json", [json = std::move(json)](http::Request&, http::Response& response) {
    response.SendJson(json);
  });
  router.Get("/files/{path...}", http::StaticFiles(std::move(files)));
  router.HandleStream(http::Method::kPost, "/echo", StartEcho);
  return router;
}

absl::Status Serve(const Arguments& arguments) {
  auto identity =
      crypto::TlsIdentity::FromFiles(arguments.Text("--certificate"), arguments.Text("--key"));
  if (!identity.ok()) return identity.status();
  auto tls = crypto::TlsServerContext::Create(*identity, {.alpn = {"http/1.1"}});
  if (!tls.ok()) return tls.status();

  const std::string folder = arguments.Text("--folder");
  auto files = http::FileTree::Open(folder);
  if (!files.ok()) return files.status();

  http::ServerOptions options;
  options.address = "127.0.0.1:" + arguments.Text("--port");
  options.runtime.loops = 1;
  auto server = http::Server::Create(MakeRouter(Arguments::ReadFile(folder + "/1k.json"), *files),
                                     std::move(options));
  if (!server.ok()) return server.status();
  const absl::Status listening =
      (*server)->Listen("127.0.0.1:" + arguments.Text("--tls-port"), http::TlsLayer(*tls));
  if (!listening.ok()) return listening;
  return (*server)->RunUntilSignal(std::chrono::seconds(0));
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv,
                                   {"--port", "--tls-port", "--folder", "--certificate", "--key"});
  const absl::Status status = bench::Serve(arguments);
  if (!status.ok()) std::fprintf(stderr, "strata_server: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
