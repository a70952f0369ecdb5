#include "strata/http/access_observer.h"

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "strata/http/testing/folder.h"
#include "strata/http/testing/wire.h"

namespace strata::http {
namespace {

using AccessObserverTest = testing::WireTest;

TEST_F(AccessObserverTest, AServerWritesALineForEachRequest) {
  testing::TestFolder folder;
  std::shared_ptr<AccessLog> log = *AccessLog::Open({.path = folder.Path("access.log")});
  Router router;
  router.Get("/{name}", [](Request& request, Response& response) {
    response.SendText(request.param("name"));
  });
  ServerOptions options;
  options.observer = ObserveByLog(log);
  Serve(std::move(router), std::move(options));
  testing::WireClient client = Connect();
  for (int i = 0; i < 100; ++i) client.Ask(testing::Get("/name"));
  Stop();
  log->Flush();
  std::stringstream text;
  text << std::ifstream(folder.Path("access.log")).rdbuf();
  std::string line;
  int lines = 0;
  while (std::getline(text, line)) {
    ++lines;
    EXPECT_TRUE(line.starts_with("127.0.0.1 - - [")) << line;
    EXPECT_TRUE(line.ends_with("] \"GET /name HTTP/1.1\" 200 4 \"-\" \"-\"")) << line;
  }
  EXPECT_EQ(lines, 100);
}

}  // namespace
}  // namespace strata::http
