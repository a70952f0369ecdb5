// The service of the demo: people in SQLite by REST, their changes live, and how it all does.
//
//   console [--address=127.0.0.1:8080] [--page=FOLDER] [--file=FILE] [--key-file=FILE] [--people=N]
//
//   --page       the folder of the page's files; tools/demo knows it
//   --file       the database; without, it is in memory and gone at the end
//   --key-file   32 bytes, by which the file is encrypted; made if there is none
//   --people     how many are made up if there are none: 10,000
//
// Prints where it listens; ends by SIGINT or SIGTERM.

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "strata/crypto/random.h"
#include "strata/http/gzip_coding.h"
#include "strata/http/heap_metrics.h"
#include "strata/http/middleware.h"
#include "strata/http/net_metrics.h"
#include "strata/http/server.h"
#include "strata/http/server_metrics.h"
#include "strata/http/static_files.h"
#include "strata/orm/database.h"
#include "strata/orm/encrypted.h"
#include "strata/orm/rest/rest.h"
#include "strata/orm/schema.h"
#include "tools/console/burst.h"
#include "tools/console/figures.h"
#include "tools/console/people.h"

namespace strata::console {
namespace {

struct Arguments {
  std::string address = "127.0.0.1:8080";
  std::string page;
  std::string file = ":memory:";
  std::string key_file;
  std::uint64_t people = 10'000;
};

int Fail(std::string_view what, const absl::Status& status) {
  std::fprintf(stderr, "console: %.*s: %s\n", static_cast<int>(what.size()), what.data(),
               std::string(status.message()).c_str());
  return 1;
}

bool Parse(std::string_view argument, Arguments* arguments) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view name = argument.substr(0, equals);
  const std::string_view value = argument.substr(equals + 1);
  if (value.empty()) return false;
  if (name == "--people") {
    const auto [end, error] = std::from_chars(value.begin(), value.end(), arguments->people);
    return error == std::errc() && end == value.end() && arguments->people > 0;
  }
  std::string* const text = name == "--address"    ? &arguments->address
                            : name == "--page"     ? &arguments->page
                            : name == "--file"     ? &arguments->file
                            : name == "--key-file" ? &arguments->key_file
                                                   : nullptr;
  if (text == nullptr) return false;
  *text = value;
  return true;
}

// The key in the file, which is made if it is not there.
absl::StatusOr<orm::EncryptionKey> ReadKey(const std::string& path) {
  std::array<std::uint8_t, 32> key;
  if (std::ifstream file(path, std::ios::binary); file) {
    file.read(reinterpret_cast<char*>(key.data()), key.size());
    if (!file || file.peek() != std::ifstream::traits_type::eof()) {
      return absl::InvalidArgumentError(path + " has to have 32 bytes");
    }
    return orm::EncryptionKey::FromKey(key);
  }
  crypto::SecureRandom::Fill(key);
  // For nobody else, from the beginning.
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return absl::ErrnoToStatus(errno, path);
  const bool written = ::write(file, key.data(), key.size()) == static_cast<ssize_t>(key.size());
  if (::close(file) != 0 || !written) return absl::UnavailableError(path + " cannot be written");
  return orm::EncryptionKey::FromKey(key);
}

absl::StatusOr<std::unique_ptr<orm::Database>> OpenDatabase(const Arguments& arguments) {
  orm::DatabaseOptions options;
  if (!arguments.key_file.empty()) {
    absl::StatusOr<orm::EncryptionKey> key = ReadKey(arguments.key_file);
    if (!key.ok()) return key.status();
    auto storage = orm::EncryptedStorage::Create(*std::move(key));
    if (!storage.ok()) return storage.status();
    options.storage = *std::move(storage);
  }
  return orm::Database::Open(arguments.file, orm::Schema::Of<Person>(), options);
}

int Run(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    if (!Parse(argv[i], &arguments)) {
      std::fprintf(stderr,
                   "console: %s? usage: console [--address=HOST:PORT] [--page=FOLDER] "
                   "[--file=FILE] [--key-file=FILE] [--people=N]\n",
                   argv[i]);
      return 2;
    }
  }
  if (!arguments.key_file.empty() && arguments.file == ":memory:") {
    std::fputs("console: --key-file is for a --file\n", stderr);
    return 2;
  }
  auto database = OpenDatabase(arguments);
  if (!database.ok()) return Fail(arguments.file, database.status());
  const auto people = Populate(**database, arguments.people);
  if (!people.ok()) return Fail(arguments.file, people.status());

  auto runtime = net::Runtime::Create({.loops = 2, .workers = {.threads = 4}});
  if (!runtime.ok()) return Fail("runtime", runtime.status());

  http::Router router;
  auto headers = http::SecurityHeaders::Create({
      .referrer_policy = "no-referrer",
      // All that the page uses is here; its styles of SVG are attributes.
      .content_security_policy = "default-src 'self'",
  });
  if (!headers.ok()) return Fail("security headers", headers.status());
  router.UseAlways(http::AddSecurityHeaders(*std::move(headers)));

  orm::rest::Service service(**database, (*runtime)->workers());
  absl::Status status = orm::rest::Mount<Person>(router, "/api/people", service);
  if (!status.ok()) return Fail("/api/people", status);

  // What these serve is made behind the server, which has to be there first.
  http::MetricsRegistry metrics;
  std::unique_ptr<Figures> figures;
  std::unique_ptr<Burst> burst;
  router.Get("/metrics", http::ServeMetrics(metrics));
  router.Get("/healthz", http::ServeHealth());
  router.Get("/console/figures", [&figures](http::Request& request, http::Response& response) {
    figures->Listen(request, response);
  });
  router.Post("/console/burst",
              [&burst](http::Request&, http::Response& response) { burst->Begin(response); });
  auto tree = http::FileTree::Open(arguments.page);
  if (!tree.ok()) return Fail(arguments.page, tree.status());
  router.Get("/{path...}", http::StaticFiles(*tree, {.cache_control = "no-cache"}));

  auto server = http::Server::Create(
      **runtime, std::move(router),
      {.address = arguments.address, .compression = {.codings = {http::NewGzipCoding().value()}}});
  if (!server.ok()) return Fail(arguments.address, server.status());
  const auto page = metrics.Register([&](http::MetricsPage& out) {
    http::ExportServer(out, **server);
    http::ExportRuntime(out, **runtime);
    http::ExportHeap(out);
  });
  const std::string url = "http://" + (*server)->address().ToString();
  figures = std::make_unique<Figures>(**server);
  auto created = Burst::Create(url + "/api/people", *people);
  if (!created.ok()) return Fail("burst", created.status());
  burst = *std::move(created);

  std::printf("%s\n", url.c_str());
  std::fflush(stdout);
  status = (*runtime)->RunUntilSignal();
  return status.ok() ? 0 : Fail("runtime", status);
}

}  // namespace
}  // namespace strata::console

int main(int argc, char** argv) { return strata::console::Run(argc, argv); }
