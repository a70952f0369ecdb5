// Changes as they happen.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "orm/rest/testing/people.h"
#include "strata/orm/json.h"
#include "strata/orm/testing/seed.h"
#include "strata/orm/testing/temp_folder.h"
#include "strata/ws/blocking_client.h"

namespace strata::orm::rest {
namespace testing {

struct Note {
  std::int64_t id = 0;
  std::string text;
};
STRATA_TABLE((Note, Named("notes"), LogChanges(50)), id, text);

struct Plain {
  std::int64_t id = 0;
};
STRATA_TABLE(Plain, id);

struct Message {
  std::int64_t sequence = 0;
  std::string change;
  std::optional<std::string> time = {};
  std::optional<Note> row = {};
};
STRATA_STRUCT(Message, sequence, change, time, row);

}  // namespace testing

namespace {

using testing::Message;
using testing::Note;
using testing::Plain;

class ChangesTest : public testing::RestTest {
 protected:
  ~ChangesTest() override { End(); }

  void Open() {
    database_ = *Database::Open(folder_.File("notes.db"), Schema::Of<Note, Plain>());
    pool_ = std::make_unique<net::WorkerPool>(net::WorkerPool::Options{.threads = 2});
    client_ = std::make_unique<http::BlockingClient>();
    service_ = std::make_unique<Service>(*database_, *pool_);
    ASSERT_TRUE(Mount<Note>(router_, "/notes", *service_, {.rows = std::move(rows_)}).ok());
    ASSERT_TRUE(Mount<Plain>(router_, "/plain", *service_).ok());
    Start();
  }

  void End() {
    service_.reset();
    Stop();
    database_.reset();
    router_ = http::Router();
  }

  std::unique_ptr<ws::BlockingWebSocket> Follow(std::string_view path,
                                                std::size_t max_received_bytes = 1 << 20) {
    auto socket =
        ws::BlockingWebSocket::Connect("ws://" + server_->address().ToString() + std::string(path),
                                       {.max_received_bytes = max_received_bytes});
    EXPECT_TRUE(socket.ok()) << socket.status();
    return socket.ok() ? *std::move(socket) : nullptr;
  }

  static Message Next(ws::BlockingWebSocket& socket) {
    auto received = socket.Receive(std::chrono::seconds(20));
    EXPECT_TRUE(received.ok()) << received.status();
    Message message;
    if (received.ok()) {
      EXPECT_TRUE(FromJson(received->payload, &message).ok()) << received->payload;
    }
    return message;
  }

  static std::string Text(const Message& message) {
    return absl::StrCat(message.sequence, " ", message.change,
                        message.row ? absl::StrCat(" ", message.row->id, message.row->text) : "");
  }

  void Add(std::string text) {
    Note note{.text = std::move(text)};
    ASSERT_TRUE(database_->Insert(&note).ok());
  }

  orm::testing::TempFolder folder_;
  decltype(Options::rows) rows_;
};

TEST_F(ChangesTest, ArriveInTheOrderOfTheirCommits) {
  Open();
  const auto socket = Follow("/notes?changes");
  EXPECT_EQ(Text(Next(*socket)), "0 start");
  EXPECT_EQ(Ask("POST", "/notes", R"({"text":"a"})").status, 201);
  EXPECT_EQ(Ask("PUT", "/notes/1", R"({"text":"b"})").status, 200);
  EXPECT_EQ(Ask("POST", "/notes", R"([{"id":7,"text":"c"},{"id":7}])").status, 409);
  EXPECT_EQ(Ask("DELETE", "/notes/1").status, 204);
  Add("d");  // By somebody else in the process.
  EXPECT_EQ(Text(Next(*socket)), "1 insert 1a");
  EXPECT_EQ(Text(Next(*socket)), "2 update 1b");
  EXPECT_EQ(Text(Next(*socket)), "3 delete 1b");
  const Message last = Next(*socket);
  EXPECT_EQ(last.sequence, 4);
  EXPECT_EQ(last.row->text, "d");
  EXPECT_EQ(last.time->size(), std::string("2026-01-01T00:00:00.000Z").size());
}

TEST_F(ChangesTest, OfOneRow) {
  Open();
  const auto socket = Follow("/notes/2?changes");
  EXPECT_EQ(Text(Next(*socket)), "0 start");
  for (const char* text : {"a", "b", "c"}) Add(text);
  EXPECT_EQ(Ask("PUT", "/notes/1", R"({"text":"x"})").status, 200);
  EXPECT_EQ(Ask("PUT", "/notes/2", R"({"text":"y"})").status, 200);
  EXPECT_EQ(Text(Next(*socket)), "2 insert 2b");
  EXPECT_EQ(Text(Next(*socket)), "5 update 2y");
}

TEST_F(ChangesTest, AreResumedAfterARestart) {
  Open();
  for (const char* text : {"a", "b", "c"}) Add(text);
  End();
  Open();
  const auto socket = Follow("/notes?changes&since=1");
  EXPECT_EQ(Text(Next(*socket)), "1 start");
  EXPECT_EQ(Text(Next(*socket)), "2 insert 2b");
  EXPECT_EQ(Text(Next(*socket)), "3 insert 3c");
  Add("d");
  EXPECT_EQ(Text(Next(*socket)), "4 insert 4d");
}

TEST_F(ChangesTest, AGapIsTold) {
  Open();
  // The log keeps 50 or some more.
  for (int i = 0; i < 300; ++i) Add("x");
  for (const char* since : {"1", "301", "9000000000000000000"}) {
    const auto socket = Follow(absl::StrCat("/notes?changes&since=", since));
    EXPECT_EQ(Text(Next(*socket)), "300 gap") << since;
  }
  const auto socket = Follow("/notes?changes&since=1");
  Next(*socket);
  Add("y");
  EXPECT_EQ(Next(*socket).sequence, 301);
}

TEST_F(ChangesTest, AsServerSentEvents) {
  Open();
  Add("a");
  Add("b");
  http::testing::WireClient events = Connect();
  events.Send("GET /notes?changes&since=0 HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 1\r\n\r\n");
  // Of a body without an end, up to the second event.
  std::string all;
  while (!absl::StrContains(all, "\"b\"}}\n") || !absl::StrContains(all, "id: 2\n")) {
    const std::string more = events.peer().Receive(1);
    ASSERT_FALSE(more.empty()) << all;
    all += more;
  }
  EXPECT_TRUE(absl::StrContains(all, "text/event-stream")) << all;
  EXPECT_TRUE(absl::StrContains(all, R"(data: {"sequence":1,"change":"start"})")) << all;
  EXPECT_TRUE(absl::StrContains(all, R"("row":{"id":2,"text":"b"}})")) << all;
  EXPECT_TRUE(absl::StrContains(all, "id: 2\n")) << all;
}

TEST_F(ChangesTest, WhoMayNotIsRefused) {
  rows_ = [](const http::Request& request) -> std::optional<Condition> {
    if (request.field("X-User")) return std::nullopt;
    return Col(&Note::id) == 1;
  };
  Open();
  const auto status = [&](std::string_view target, std::string_view fields) {
    return Connect()
        .Ask(absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: a\r\n", fields, "\r\n"))
        .status;
  };
  constexpr std::string_view kUpgrade =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  EXPECT_EQ(status("/notes?changes", ""), 403);
  EXPECT_EQ(status("/notes?changes", kUpgrade), 403);
  EXPECT_EQ(status("/notes?changes", absl::StrCat(kUpgrade, "X-User: root\r\n")), 101);
  EXPECT_EQ(status("/plain?changes", ""), 404);
  for (const char* since : {"x", "-1", "1x", "99999999999999999999", "1%20OR%201=1"}) {
    EXPECT_EQ(status(absl::StrCat("/notes?changes&since=", since), "X-User: root\r\n"), 400);
  }
  EXPECT_EQ(status("/notes/x?changes", "X-User: root\r\n"), 404);
}

// A client that stops reading for a while gets everything, from the log.
TEST_F(ChangesTest, ASlowClientMissesNothing) {
  Open();
  const auto slow = Follow("/notes?changes", 1000);
  EXPECT_EQ(Text(Next(*slow)), "0 start");
  const std::string large(300'000, 'x');
  // More than the socket's buffers, and the queue before it, hold.
  for (int i = 0; i < 40; ++i) Add(large);
  for (int i = 1; i <= 40; ++i) {
    const Message message = Next(*slow);
    ASSERT_EQ(message.sequence, i);
    ASSERT_EQ(message.row->text.size(), large.size());
  }
}

// Whoever applies the changes to what they had has the table.
TEST_F(ChangesTest, MakeTheTableOutOfNothing) {
  Open();
  std::mt19937 random(orm::testing::Seed(7));
  const auto socket = Follow("/notes?changes&since=0");
  EXPECT_EQ(Text(Next(*socket)), "0 start");
  std::map<std::int64_t, std::string> copy;
  std::int64_t sequence = 0;
  for (int i = 0; i < 30; ++i) {
    for (std::uint32_t n = random() % 4; n > 0; --n) {
      const std::string id = absl::StrCat("/notes/", random() % 6 + 1);
      const std::string body = absl::StrCat("{\"text\":\"", random() % 100, "\"}");
      random() % 3 == 0 ? Ask("DELETE", id) : Ask("PUT", id, body);
    }
    const std::int64_t last = *LastChange<Note>(*database_);
    while (sequence < last) {
      const Message message = Next(*socket);
      ASSERT_EQ(message.sequence, sequence + 1);
      sequence = message.sequence;
      if (message.change == "delete") {
        copy.erase(message.row->id);
      } else {
        copy[message.row->id] = message.row->text;
      }
    }
    std::map<std::int64_t, std::string> table;
    const absl::StatusOr<std::vector<Note>> notes = Select<Note>().All(*database_);
    for (const Note& note : *notes) table[note.id] = note.text;
    ASSERT_EQ(copy, table);
  }
}

}  // namespace
}  // namespace strata::orm::rest
