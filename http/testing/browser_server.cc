// A site for a browser:
//
//   browser_server FOLDER LOG CERTIFICATE KEY
//
// GET /NAME is a file of the folder. POST /form answers with what the form has; GET /events is
// three events, and three more for who comes again; GET /client says from which port it was asked,
// and so by which connection. POST /told prints the body. Prints where it listens, by HTTP and by
// HTTPS; ends by SIGTERM. The log is one of JSON.

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "strata/crypto/tls_context.h"
#include "strata/http/access_observer.h"
#include "strata/http/file_tree.h"
#include "strata/http/form_handler.h"
#include "strata/http/gzip_coding.h"
#include "strata/http/server.h"
#include "strata/http/sse.h"
#include "strata/http/static_files.h"
#include "strata/http/tls.h"

namespace strata::http {
namespace {

void SendForm(const KeptRequest&, MultipartForm form, Responder responder) {
  std::string all;
  for (const FormPart& part : form.parts()) {
    absl::StrAppend(&all, part.name, " ", part.filename.value_or("-"), " ", part.content_type, " ",
                    part.size_bytes, "\n");
  }
  responder.Send(Reply(200, "text/plain", all));
}

// The second time is the last.
void SendEvents(Request& request, Response& response) {
  int last = 0;
  (void)absl::SimpleAtoi(LastEventId(request), &last);
  if (last >= 6) return response.SendNothing();
  EventStream events(request, response, {.retry = std::chrono::milliseconds(10)});
  for (int id = last + 1; id <= last + 3; ++id) {
    const std::string name = absl::StrCat(id);
    (void)events.Send({.type = "count", .data = absl::StrCat("line\n", name), .id = name});
  }
}

Router MakeRouter(std::shared_ptr<const FileTree> files) {
  Router router;
  router.HandleStream(Method::kPost, "/form", OnForm(SendForm));
  router.Get("/events", SendEvents);
  router.Get("/client", [](Request& request, Response& response) {
    response.SendText(request.client().ToString());
  });
  router.Post("/told", [](Request& request, Response& response) {
    std::printf("%s\n", std::string(request.body()).c_str());
    std::fflush(stdout);
    response.SendNothing();
  });
  router.Get("/{path...}", StaticFiles(std::move(files)));
  return router;
}

absl::Status Serve(char** arguments) {
  auto files = FileTree::Open(arguments[1]);
  if (!files.ok()) return files.status();
  absl::StatusOr<std::shared_ptr<AccessLog>> log =
      AccessLog::Open({.path = arguments[2], .format = AccessLogFormat::kJson});
  if (!log.ok()) return log.status();
  auto identity = crypto::TlsIdentity::FromFiles(arguments[3], arguments[4]);
  if (!identity.ok()) return identity.status();
  auto tls = crypto::TlsServerContext::Create(*identity, {.alpn = {"http/1.1"}});
  if (!tls.ok()) return tls.status();

  ServerOptions options;
  options.address = "127.0.0.1:0";
  options.compression.codings = {NewGzipCoding().value()};
  options.observer = ObserveByLog(*log);
  auto server = Server::Create(MakeRouter(*files), std::move(options));
  if (!server.ok()) return server.status();
  if (absl::Status status = (*server)->Listen("127.0.0.1:0", TlsLayer(*tls)); !status.ok()) {
    return status;
  }
  std::printf("http://%s\nhttps://%s\n", (*server)->address(0).ToString().c_str(),
              (*server)->address(1).ToString().c_str());
  std::fflush(stdout);
  return (*server)->RunUntilSignal();
}

}  // namespace
}  // namespace strata::http

int main(int argc, char** argv) {
  if (argc != 5) return std::puts("browser_server FOLDER LOG CERTIFICATE KEY"), 2;
  const absl::Status status = strata::http::Serve(argv);
  if (!status.ok()) std::fprintf(stderr, "browser_server: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
