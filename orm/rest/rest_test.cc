// Rows by their keys: reading, adding, replacing, patching, deleting.

#include "strata/orm/rest/rest.h"

#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "orm/rest/testing/people.h"
#include "strata/orm/json.h"
#include "strata/orm/memory.h"
#include "strata/orm/rest/merge_patch_internal.h"
#include "strata/orm/select.h"

namespace strata::orm::rest {
namespace {

using testing::Person;
using testing::RestTest;
using testing::Seat;
using testing::Visit;

using Fields = std::vector<std::pair<std::string, std::string>>;

TEST_F(RestTest, ARowIsAddedAndRead) {
  Serve();
  const auto added = Ask("POST", "/api/people", R"({"name":"Ada","age":36,"balance":1.25})");
  EXPECT_EQ(added.status, 201) << added.body;
  EXPECT_EQ(FieldOf(added, "Location"), "/api/people/1");
  EXPECT_EQ(FieldOf(added, "ETag"), "\"1\"");
  EXPECT_EQ(FieldOf(added, "Content-Type"), "application/json");
  const auto read = Get("/api/people/1");
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(read.body, added.body);
  EXPECT_EQ(FieldOf(read, "ETag"), "\"1\"");
  const absl::StatusOr<Person> row = database_->Get<Person>(1);
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(read.body, *ToJson(*row));
  EXPECT_EQ(row->name, "Ada");
  EXPECT_EQ(row->balance, *Currency::Parse("1.25"));
  EXPECT_NE(row->created.time_since_epoch().count(), 0);

  const auto head = Ask("HEAD", "/api/people/1");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(FieldOf(head, "ETag"), "\"1\"");
  EXPECT_EQ(head.body, "");
}

TEST_F(RestTest, SeveralRowsAreAddedTogetherOrNotAtAll) {
  Serve();
  const auto added = Ask("POST", "/api/people", R"([{"name":"Ada"},{"name":"Bob"}])");
  EXPECT_EQ(added.status, 201) << added.body;
  std::vector<Person> rows;
  ASSERT_TRUE(FromJson(added.body, &rows).ok()) << added.body;
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].id, 2);
  EXPECT_EQ(Ask("POST", "/api/people", "[]").body, "[]");

  const auto refused =
      Ask("POST", "/api/people",
          R"([{"name":"Cyd","email":"c"},{"name":"Dan","email":"d"},{"name":"Eve","email":"c"}])");
  EXPECT_EQ(refused.status, 409) << refused.body;
  EXPECT_EQ(FieldOf(refused, "Content-Type"), "application/problem+json");
  EXPECT_NE(refused.body.find(R"("pointer":"#/2/email")"), std::string::npos) << refused.body;
  EXPECT_EQ(*database_->Count<Person>(), 2);
}

TEST_F(RestTest, WhatTheDatabaseSetsIsNotTheClients) {
  Serve();
  Ask("POST", "/api/people", R"({"name":"Ada","version":70,"created":"1999-01-01T00:00:00.000Z"})");
  absl::StatusOr<Person> row = database_->Get<Person>(1);
  EXPECT_EQ(row->version, 1);
  const auto created = row->created;
  EXPECT_GT(created, std::chrono::sys_days(std::chrono::year(2020) / 1 / 1));
  const auto replaced = Ask("PUT", "/api/people/1",
                            R"({"name":"A","version":70,"created":"1999-01-01T00:00:00.000Z"})");
  EXPECT_EQ(replaced.status, 200) << replaced.body;
  row = database_->Get<Person>(1);
  EXPECT_EQ(row->version, 2);
  EXPECT_EQ(row->created, created);
  EXPECT_EQ(replaced.body, *ToJson(*row));
  const auto patched = Ask("PATCH", "/api/people/1", R"({"version":9,"age":3,"created":null})");
  EXPECT_EQ(patched.status, 200) << patched.body;
  row = database_->Get<Person>(1);
  EXPECT_EQ(row->version, 3);
  EXPECT_EQ(row->created, created);
  EXPECT_EQ(patched.body, *ToJson(*row));
}

TEST_F(RestTest, PutReplacesARowOrAddsIt) {
  Serve();
  Ask("POST", "/api/people", R"({"name":"Ada","email":"a@b","age":36})");
  const auto replaced = Ask("PUT", "/api/people/1", R"({"name":"Bob"})");
  EXPECT_EQ(replaced.status, 200) << replaced.body;
  EXPECT_EQ(FieldOf(replaced, "ETag"), "\"2\"");
  const absl::StatusOr<Person> row = database_->Get<Person>(1);
  EXPECT_EQ(row->name, "Bob");
  EXPECT_EQ(row->email, std::nullopt);
  EXPECT_EQ(row->age, 0);
  const auto added = Ask("PUT", "/api/people/9", R"({"id":9,"name":"Cyd"})");
  EXPECT_EQ(added.status, 201) << added.body;
  EXPECT_EQ(database_->Get<Person>(9)->name, "Cyd");
  EXPECT_EQ(Ask("PUT", "/api/people/9", R"({"id":8,"name":"Cyd"})").status, 422);
  EXPECT_EQ(Ask("PUT", "/api/people/0", R"({"name":"Cyd"})").status, 404);
  EXPECT_EQ(*database_->Count<Person>(), 2);
}

TEST_F(RestTest, PatchMerges) {
  Serve();
  Ask("POST", "/api/people",
      R"({"name":"Ada","email":"a@b","age":36,"extra":{"a":{"b":1,"c":2.50},"d":[1]}})");
  const auto patched =
      Ask("PATCH", "/api/people/1", R"({"email":null,"extra":{"a":{"b":null,"e":{"f":null}}}})",
          {{"Content-Type", "application/merge-patch+json"}});
  EXPECT_EQ(patched.status, 200) << patched.body;
  const absl::StatusOr<Person> row = database_->Get<Person>(1);
  EXPECT_EQ(row->name, "Ada");
  EXPECT_EQ(row->age, 36);
  EXPECT_EQ(row->email, std::nullopt);
  EXPECT_EQ(row->extra.text, R"({"a":{"e":{},"c":2.50},"d":[1]})");
  EXPECT_EQ(patched.body, *ToJson(*row));
  EXPECT_EQ(Ask("PATCH", "/api/people/1", R"({"id":2})").status, 422);
  EXPECT_EQ(Ask("PATCH", "/api/people/1", R"({"age":1,"age":2})").status, 400);
  EXPECT_EQ(Ask("PATCH", "/api/people/1", R"({"agee":1})").status, 422);
  EXPECT_EQ(Ask("PATCH", "/api/people/1", R"([1])").status, 400);
  EXPECT_EQ(Ask("PATCH", "/api/people/2", R"({"age":1})").status, 404);
}

TEST(MergePatchTest, IsAsInTheStandard) {
  // RFC 7396 appendix A.
  constexpr const char* kCases[][3] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"b":"c","a":"b"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", "null", "null"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"({"e":null})", R"({"a":1})", R"({"a":1,"e":null})"},
      {"[1,2]", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
      // A key is the same with escapes, and numbers stay as they are.
      {R"({"a":1.50,"b":2})", R"({"\u0062":null})", R"({"a":1.50})"},
      {R"( {"n" : 12345678901234567890.5} )", " {} ", R"({"n":12345678901234567890.5})"},
  };
  for (const auto& [target, patch, merged] : kCases) {
    const absl::StatusOr<std::string> result = internal::MergePatch(target, patch);
    ASSERT_TRUE(result.ok()) << patch << result.status();
    EXPECT_EQ(*result, merged);
  }
  for (const char* patch : {"", "{", "{\"a\"}", "{\"a\":1,}", "{a:1}", "{} {}", "{\"a\":01}",
                            "{\"a\":1,\"\\u0061\":2}", "{\"a\":{\"b\":1,\"b\":1}}"}) {
    EXPECT_FALSE(internal::MergePatch("{}", patch).ok()) << patch;
  }
  EXPECT_FALSE(internal::MergePatch("{}", std::string(100, '[') + std::string(100, ']')).ok());
}

TEST_F(RestTest, DeleteDeletes) {
  Serve();
  Ask("POST", "/api/people", R"({"name":"Ada"})");
  const auto deleted = Ask("DELETE", "/api/people/1");
  EXPECT_EQ(deleted.status, 204);
  EXPECT_EQ(Ask("DELETE", "/api/people/1").status, 404);
  EXPECT_EQ(Get("/api/people/1").status, 404);
}

TEST_F(RestTest, ConditionsAreTested) {
  Serve();
  Ask("POST", "/api/people", R"({"name":"Ada"})");
  EXPECT_EQ(Get("/api/people/1", {{"If-None-Match", "\"1\""}}).status, 304);
  EXPECT_EQ(Get("/api/people/1", {{"If-None-Match", "\"2\""}}).status, 200);
  EXPECT_EQ(Get("/api/people/1", {{"If-Match", "\"2\""}}).status, 412);
  for (const char* method : {"PUT", "PATCH"}) {
    const std::string body = R"({"name":"Bob"})";
    EXPECT_EQ(Ask(method, "/api/people/1", body, {{"If-Match", "\"7\""}}).status, 412);
    EXPECT_EQ(Ask(method, "/api/people/1", body, {{"If-None-Match", "*"}}).status, 412);
    EXPECT_EQ(database_->Get<Person>(1)->name, "Ada");
  }
  EXPECT_EQ(Ask("DELETE", "/api/people/1", "", {{"If-Match", "\"7\""}}).status, 412);
  EXPECT_EQ(Ask("PUT", "/api/people/5", R"({"name":"Bob"})", {{"If-Match", "*"}}).status, 412);
  EXPECT_EQ(Ask("PUT", "/api/people/5", R"({"name":"B"})", {{"If-None-Match", "*"}}).status, 201);
  // One that compression has made weak.
  EXPECT_EQ(Ask("PATCH", "/api/people/1", R"({"age":1})", {{"If-Match", "W/\"1\""}}).status, 200);
  EXPECT_EQ(Ask("PATCH", "/api/people/1", R"({"age":2})", {{"If-Match", "\"1\""}}).status, 412);
  EXPECT_EQ(Ask("DELETE", "/api/people/1", "", {{"If-Match", "\"2\""}}).status, 204);
}

TEST_F(RestTest, ARowWithoutAVersionHasATagOfItsValues) {
  Serve();
  const std::string first = FieldOf(Ask("POST", "/api/teams", R"({"name":"a","size":1})"), "ETag");
  EXPECT_EQ(FieldOf(Get("/api/teams/a"), "ETag"), first);
  const std::string second = FieldOf(Ask("PATCH", "/api/teams/a", R"({"size":2})"), "ETag");
  EXPECT_NE(second, first);
  EXPECT_EQ(Ask("PATCH", "/api/teams/a", R"({"size":3})", {{"If-Match", first}}).status, 412);
  EXPECT_EQ(Ask("PATCH", "/api/teams/a", R"({"size":1})", {{"If-Match", second}}).status, 200);
  EXPECT_EQ(FieldOf(Get("/api/teams/a"), "ETag"), first);
}

TEST_F(RestTest, IfMatchIsAskedForByOption) {
  Serve({.require_if_match = true});
  Ask("POST", "/api/people", R"({"name":"Ada"})");
  EXPECT_EQ(Ask("PUT", "/api/people/1", R"({"name":"Bob"})").status, 428);
  EXPECT_EQ(Ask("PATCH", "/api/people/1", R"({"name":"Bob"})").status, 428);
  EXPECT_EQ(Ask("DELETE", "/api/people/1").status, 428);
  EXPECT_EQ(Ask("DELETE", "/api/people/1", "", {{"If-Match", "\"1\""}}).status, 204);
}

TEST_F(RestTest, ProblemsNameTheField) {
  Serve();
  Ask("POST", "/api/people", R"({"name":"Ada","email":"a@b"})");
  struct Case {
    const char* body;
    int status;
    const char* pointer;
  };
  const Case cases[] = {
      {R"({"name":"123456789012345678901"})", 422, "#/name"},
      {R"({"name":"B","age":-1})", 422, "#/age"},
      {R"({"name":"B","age":3000000000})", 422, "#/age"},
      {R"({"name":"B","age":"1"})", 422, "#/age"},
      {R"({"name":null})", 422, "#/name"},
      {R"({"name":"B","rank":"no"})", 422, "#/rank"},
      {R"({"name":"B","email":"a@b"})", 409, "#/email"},
      {R"({"name":"B","team":"none"})", 409, "#/team"},
      {R"({"id":1,"name":"B"})", 409, "#/id"},
      {R"({"name":"B","none":1})", 422, "#"},
      {R"({"name":"B")", 400, "#"},
      {"", 415, ""},
      {"\xff", 400, "#"},
      {"1", 400, "#"},
  };
  for (const Case& each : cases) {
    const auto refused = Ask("POST", "/api/people", each.body);
    EXPECT_EQ(refused.status, each.status) << each.body << refused.body;
    EXPECT_EQ(FieldOf(refused, "Content-Type"), "application/problem+json");
    EXPECT_TRUE(CheckJson(refused.body).ok()) << refused.body;
    EXPECT_EQ(
        refused.body.find(std::string("\"pointer\":\"") + each.pointer + "\"") != std::string::npos,
        *each.pointer != 0)
        << each.body << refused.body;
  }
  EXPECT_EQ(*database_->Count<Person>(), 1);
}

TEST_F(RestTest, AReferenceKeepsARow) {
  Serve();
  Ask("POST", "/api/teams", R"({"name":"blue"})");
  Ask("POST", "/api/people", R"({"name":"Ada","team":"blue"})");
  EXPECT_EQ(Ask("DELETE", "/api/teams/blue").status, 409);
  EXPECT_EQ(Get("/api/teams/blue").status, 200);
}

TEST_F(RestTest, WhatIsNotOfferedIsRefused) {
  Serve({.max_body_bytes = 100});
  Ask("POST", "/api/people", R"({"name":"Ada"})");
  EXPECT_EQ(Ask("POST", "/api/people", std::string(101, ' ')).status, 413);
  EXPECT_EQ(Ask("POST", "/api/people", "name=Ada", {{"Content-Type", "text/plain"}}).status, 415);
  EXPECT_EQ(Ask("PUT", "/api/people/1", "x", {{"Content-Type", "text/plain"}}).status, 415);
  EXPECT_EQ(Ask("PATCH", "/api/people/1", "x", {{"Content-Type", "text/plain"}}).status, 415);
  EXPECT_EQ(Get("/api/people/1", {{"Accept", "image/png"}}).status, 406);
  EXPECT_EQ(Get("/api/people/1", {{"Accept", "image/png, */*;q=0.1"}}).status, 200);
  const auto refused = Ask("DELETE", "/api/people");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(FieldOf(refused, "Allow"), "GET, HEAD, POST, OPTIONS");
  for (const char* key : {"x", "1x", "01", "9223372036854775808", "1%00", "1;DROP%20TABLE%20people",
                          "1%27%20OR%20%271%27=%271", "1,2", "-1", "1.0"}) {
    EXPECT_GE(Get(std::string("/api/people/") + key).status, 400) << key;
  }
}

TEST_F(RestTest, KeysOfOtherTypes) {
  Serve();
  const auto visit = Ask("POST", "/api/visits", R"({"person":1,"note":"hello"})");
  EXPECT_EQ(visit.status, 201);
  const std::string location = FieldOf(visit, "Location");
  EXPECT_EQ(location.size(), std::string("/api/visits/").size() + 36);
  EXPECT_EQ(Get(location).body, visit.body);
  EXPECT_EQ(Ask("POST", "/api/visits", visit.body).status, 409);
  EXPECT_EQ(Ask("DELETE", location).status, 204);

  const auto seat = Ask("POST", "/api/seats", R"({"row":12,"letter":"ä b","guest":"Ada"})");
  EXPECT_EQ(seat.status, 201);
  EXPECT_EQ(FieldOf(seat, "Location"), "/api/seats/12%2C%C3%A4%20b");
  EXPECT_EQ(Get(FieldOf(seat, "Location")).body, seat.body);
  EXPECT_EQ(Ask("PUT", "/api/seats/12,c", R"({"guest":"Bob"})").status, 201);
  EXPECT_EQ(database_->Get<Seat>(12, "c")->guest, "Bob");
  EXPECT_EQ(Get("/api/seats/12").status, 404);
}

TEST_F(RestTest, RowsAreBoundToTheCaller) {
  const auto name_of = [](const http::Request& request) {
    return std::string(request.field("X-User").value_or(""));
  };
  Serve({.allow =
             [name_of](const http::Request& request, Verb verb) {
               return name_of(request) != "guest" || verb == Verb::kGet || verb == Verb::kList;
             },
         .rows = [name_of](const http::Request& request) -> std::optional<Condition> {
           if (name_of(request) == "root") return std::nullopt;
           return Col(&Person::name) == name_of(request);
         }});
  const Fields ada = {{"X-User", "ada"}};
  const Fields bob = {{"X-User", "bob"}};
  const Fields root = {{"X-User", "root"}};
  EXPECT_EQ(Ask("POST", "/api/people", R"({"name":"guest"})", {{"X-User", "guest"}}).status, 403);
  EXPECT_EQ(Ask("POST", "/api/people", R"({"name":"bob"})", ada).status, 403);
  EXPECT_EQ(*database_->Count<Person>(), 0);
  EXPECT_EQ(Ask("POST", "/api/people", R"({"name":"ada"})", ada).status, 201);
  EXPECT_EQ(Ask("POST", "/api/people", R"({"name":"bob"})", root).status, 201);
  EXPECT_EQ(Get("/api/people/1", ada).status, 200);
  EXPECT_EQ(Get("/api/people/1", bob).status, 404);
  EXPECT_EQ(Get("/api/people/1", root).status, 200);
  EXPECT_EQ(Get("/api/people?select=id", ada).body, R"([{"id":1}])");
  EXPECT_EQ(Get("/api/people?select=id&name=eq.bob", ada).body, "[]");
  EXPECT_EQ(FieldOf(Get("/api/people?count=exact", bob), "X-Total-Count"), "1");
  EXPECT_EQ(Get("/api/people?select=id&limit=all", bob).body, R"([{"id":2}])");
  for (const char* method : {"PUT", "PATCH"}) {
    EXPECT_EQ(Ask(method, "/api/people/2", R"({"name":"ada"})", ada).status, 404);
    EXPECT_EQ(Ask(method, "/api/people/1", R"({"name":"bob"})", ada).status, 403);
    EXPECT_EQ(Ask(method, "/api/people/1", R"({"name":"ada","age":5})", ada).status, 200);
  }
  EXPECT_EQ(Ask("DELETE", "/api/people/2", "", ada).status, 404);
  EXPECT_EQ(database_->Get<Person>(1)->name, "ada");
  EXPECT_EQ(database_->Get<Person>(2)->name, "bob");
}

TEST_F(RestTest, TooMuchWorkIsRefused) {
  pool_ = std::make_unique<net::WorkerPool>(
      net::WorkerPool::Options{.threads = 1, .max_queued_jobs = 1});
  Serve();
  // The only worker, and the only place to wait.
  std::promise<void> go;
  std::promise<void> began;
  ASSERT_EQ(pool_->Submit([&] {
    began.set_value();
    go.get_future().wait();
  }),
            net::Error::kOk);
  began.get_future().wait();
  ASSERT_EQ(pool_->Submit([] {}), net::Error::kOk);
  for (const auto& [method, path] :
       {std::pair("GET", "/api/people"), std::pair("GET", "/api/people?limit=all"),
        std::pair("GET", "/api/people/1"), std::pair("DELETE", "/api/people/1")}) {
    const auto refused =
        Connect().Ask(std::string(method) + " " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(refused.status, 503) << method << path;
    EXPECT_EQ(refused.Field("Retry-After"), "1");
  }
  go.set_value();
  Stop();  // The worker has what is on this stack.
}

TEST_F(RestTest, ManyWritesAtOnceAreEachDone) {
  Serve();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      http::BlockingClient client;
      for (int i = 0; i < 20; ++i) {
        // Every fourth fails, alone.
        const std::string email = i % 4 == 0 ? "same" : std::to_string(t * 100 + i);
        auto response = client.Post("http://" + server_->address().ToString() + "/api/people",
                                    "application/json", R"({"name":"x","email":")" + email + "\"}");
        ASSERT_TRUE(response.ok()) << response.status();
        EXPECT_TRUE(response->status == 201 || (response->status == 409 && email == "same"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*database_->Count<Person>(), 8 * 15 + 1);
}

TEST_F(RestTest, AStoreInMemoryIsServedToo) {
  auto memory = *MemoryDatabase::Open<Visit>(":memory:");
  service_ = std::make_unique<Service>(*memory, *pool_);
  ASSERT_TRUE(Mount<Visit>(router_, "/visits", *service_).ok());
  Start();
  const auto added = Ask("POST", "/visits", R"({"person":1})");
  EXPECT_EQ(added.status, 201) << added.body;
  const std::string location = FieldOf(added, "Location");
  EXPECT_EQ(Get(location).body, added.body);
  EXPECT_EQ(Ask("PATCH", location, R"({"note":"new"})").status, 200);
  EXPECT_NE(Get(location).body.find("new"), std::string::npos);
  EXPECT_EQ(Get("/visits?select=note&person=eq.1").body, R"([{"note":"new"}])");
  EXPECT_EQ(Get("/visits?select=note&person=ne.1&limit=all").body, "[]");
  EXPECT_EQ(Ask("DELETE", location).status, 204);
  EXPECT_EQ(Get(location).status, 404);
  Stop();
}

TEST_F(RestTest, OptionsAreChecked) {
  service_ = std::make_unique<Service>(*database_, *pool_);
  EXPECT_FALSE(Mount<Person>(router_, "/p", *service_, {.default_limit = 0}).ok());
  EXPECT_FALSE(Mount<Person>(router_, "/p", *service_, {.default_limit = 5, .max_limit = 4}).ok());
}

}  // namespace
}  // namespace strata::orm::rest
