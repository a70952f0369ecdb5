// Rows by queries.

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "orm/rest/testing/people.h"
#include "strata/http/uri.h"
#include "strata/orm/json.h"
#include "strata/orm/testing/seed.h"

namespace strata::orm::rest {
namespace {

using testing::Person;
using testing::Rank;

class ListTest : public testing::RestTest {
 protected:
  void Add(Person person) { ASSERT_TRUE(database_->Insert(&person).ok()); }

  void AddThree() {
    Add({.name = "Ada",
         .email = "a@x",
         .age = 36,
         .rank = Rank::kHigh,
         .balance = *Currency::Parse("5")});
    Add({.name = "Bob, \"B\"", .age = 20});
    Add({.name = "Cyd_%*", .email = "", .age = 50, .extra = Json{R"({"a":1})"}});
  }

  std::string Ids(std::string_view query) {
    const auto response = Get(absl::StrCat("/api/people?select=id&", query));
    EXPECT_EQ(response.status, 200) << query << response.body;
    std::string ids;
    for (const char c : response.body) {
      if (c >= '0' && c <= '9') ids += c;
    }
    return ids;
  }

  int StatusOf(std::string_view query) {
    const auto response = Get(absl::StrCat("/api/people?", query));
    EXPECT_TRUE(CheckJson(response.body).ok()) << response.body;
    return response.status;
  }

  // "<?query>; rel="next"": the query.
  static std::string NextOf(const http::ClientResponse& response) {
    const std::string link = FieldOf(response, "Link");
    return link == "-" ? "" : link.substr(2, link.find('>') - 2);
  }
};

TEST_F(ListTest, FiltersAreByType) {
  Serve();
  AddThree();
  EXPECT_EQ(Ids(""), "123");
  EXPECT_EQ(Ids("age=gt.20"), "13");
  EXPECT_EQ(Ids("age=ge.20&age=lt.50"), "12");
  EXPECT_EQ(Ids("age=ne.20"), "13");
  EXPECT_EQ(Ids("age=le.36"), "12");
  EXPECT_EQ(Ids("age=in.20,50"), "23");
  EXPECT_EQ(Ids("name=eq.Ada"), "1");
  EXPECT_EQ(Ids("name=eq.Bob,+%22B%22"), "2");
  EXPECT_EQ(Ids("name=in.Ada,%22Bob,+%22%22B%22%22%22"), "12");
  EXPECT_EQ(Ids("name=like.a*"), "1");
  EXPECT_EQ(Ids("name=like.*b*"), "2");
  EXPECT_EQ(Ids("name=like.*_%25*"), "3");
  EXPECT_EQ(Ids("name=like.%25"), "");
  EXPECT_EQ(Ids("email=is.null"), "2");
  EXPECT_EQ(Ids("email=is.notnull"), "13");
  EXPECT_EQ(Ids("email=eq."), "3");
  EXPECT_EQ(Ids("rank=eq.high"), "1");
  EXPECT_EQ(Ids("balance=gt.4.5"), "1");
  EXPECT_EQ(Ids("created=gt.2020-01-01T00:00:00.000Z"), "123");
  EXPECT_EQ(Ids("created=lt.2020-01-01T00:00:00.000Z"), "");
  EXPECT_EQ(Ids("%61ge=eq.%320"), "2");
}

TEST_F(ListTest, OrderAndColumns) {
  Serve();
  AddThree();
  EXPECT_EQ(Ids("order=age"), "213");
  EXPECT_EQ(Ids("order=age.desc"), "312");
  EXPECT_EQ(Ids("order=email,age.desc"), "231");
  EXPECT_EQ(Get("/api/people?select=age,name&limit=1").body, R"([{"age":36,"name":"Ada"}])");
  const auto counted = Get("/api/people?select=id&count=exact&limit=1&age=gt.20");
  EXPECT_EQ(counted.body, R"([{"id":1}])");
  EXPECT_EQ(FieldOf(counted, "X-Total-Count"), "2");
}

TEST_F(ListTest, WhatIsNoQueryIsRefused) {
  Serve();
  AddThree();
  for (const char* query : {"agee=eq.1",
                            "age=1",
                            "age=eq",
                            "age=eq.x",
                            "age=eq.1.5",
                            "age=eq.",
                            "age=gt.1e400",
                            "age=eq.99999999999",
                            "age=like.1*",
                            "age=is.1",
                            "age=in.1,x",
                            "age=between.1",
                            "=eq.1",
                            "rank=eq.middle",
                            "created=gt.yesterday",
                            "balance=eq.x",
                            "extra=eq.1",
                            "name=eq.%FF",
                            "name=in.%22",
                            "name=in.%22a%22b",
                            "order=agee",
                            "order=",
                            "order=age,age",
                            "order=age.up",
                            "order=extra",
                            "order=age&order=id",
                            "order=1",
                            "order=age;DROP",
                            "order=(SELECT+1)",
                            "select=",
                            "select=agee",
                            "select=*",
                            "select=id,count(*)",
                            "limit=0",
                            "limit=-1",
                            "limit=1001",
                            "limit=1e3",
                            "limit=",
                            "limit=+1",
                            "count=all",
                            "after=x",
                            "after=%7B",
                            "after=%7B%22none%22:1%7D",
                            "order=age&after=1",
                            "1=1",
                            "age=eq.1+OR+1=1",
                            "name;=eq.1",
                            "id=eq.1)--",
                            "%23sequence=eq.1"}) {
    EXPECT_EQ(StatusOf(query), 400) << query;
  }
  const auto refused = Get("/api/people?age=eq.x");
  EXPECT_NE(refused.body.find(R"("parameter":"age")"), std::string::npos) << refused.body;
  // What the client does not send.
  for (const char* query : {"%zz=1", "name=eq.%zz", "after={"}) {
    const auto raw =
        Connect().Ask(absl::StrCat("GET /api/people?", query, " HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_EQ(raw.status, 400) << query;
  }
  std::string tests;
  for (int i = 0; i < 33; ++i) absl::StrAppend(&tests, "age=gt.1&");
  EXPECT_EQ(StatusOf(tests), 400);
  std::string values = "age=in.1";
  for (int i = 0; i < 100; ++i) values += ",1";
  EXPECT_EQ(StatusOf(values), 400);
  EXPECT_EQ(Get("/api/people", {{"Accept", "image/png"}}).status, 406);
}

TEST_F(ListTest, TextsFromOutsideAreValues) {
  Serve();
  AddThree();
  for (const char* text : {"' OR '1'='1", "'; DROP TABLE people; --", "\" OR 1=1 --", "?1", ":a",
                           "%' OR name LIKE '%", "\\", "Ada\\' OR 1=1"}) {
    const std::string encoded = http::PercentEncode(text, http::UriPart::kComponent);
    EXPECT_EQ(Ids("name=eq." + encoded), "") << text;
    EXPECT_EQ(Ids("name=like." + encoded), "") << text;
    Person stranger{.name = text};
    stranger.name.resize(std::min<std::size_t>(stranger.name.size(), 20));
    const std::string json = *ToJson(stranger.name);
    const auto added = Ask("POST", "/api/people", "{\"name\":" + json + "}");
    ASSERT_EQ(added.status, 201) << added.body;
    const std::string location = FieldOf(added, "Location");
    EXPECT_EQ(Ids("name=eq." + http::PercentEncode(stranger.name, http::UriPart::kComponent)),
              location.substr(location.rfind('/') + 1));
    EXPECT_EQ(Ask("DELETE", location).status, 204);
  }
  EXPECT_EQ(*database_->Count<Person>(), 3);
}

TEST_F(ListTest, FormatsAreNegotiated) {
  Serve();
  AddThree();
  const std::string query = "/api/people?select=name,email,age,extra";
  const auto csv = Get(query, {{"Accept", "text/csv"}});
  EXPECT_EQ(FieldOf(csv, "Content-Type"), "text/csv; charset=utf-8");
  EXPECT_EQ(csv.body,
            "name,email,age,extra\r\n\"Ada\",\"a@x\",36,null\r\n\"Bob, \"\"B\"\"\",,20,null\r\n"
            "\"Cyd_%*\",\"\",50,\"{\"\"a\"\":1}\"\r\n");
  const auto lines = Get("/api/people?select=id", {{"Accept", "application/x-ndjson"}});
  EXPECT_EQ(lines.body, "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
  EXPECT_EQ(FieldOf(lines, "Vary"), "Accept");
  EXPECT_EQ(FieldOf(Get(query, {{"Accept", "text/csv;q=0.5, application/json"}}), "Content-Type"),
            "application/json");
}

TEST_F(ListTest, PagesFollowEachOtherByLinks) {
  Serve({.default_limit = 7, .max_limit = 10});
  std::mt19937 random(orm::testing::Seed(1));
  for (int i = 0; i < 60; ++i) {
    Person person{.name = absl::StrCat("n", random() % 5), .age = static_cast<int>(random() % 4)};
    if (random() % 2 == 0) person.email = absl::StrCat("e\"&+é", i);
    Add(person);
  }
  for (const std::string order :
       {"", "order=age&", "order=name.desc,age&", "order=email&", "order=email.desc,name&"}) {
    const auto all =
        Get("/api/people?" + order + "limit=all", {{"Accept", "application/x-ndjson"}});
    EXPECT_EQ(std::count(all.body.begin(), all.body.end(), '\n'), 60);
    std::string paged;
    std::string query = order;
    int pages = 0;
    do {
      const auto page = Get("/api/people?" + query, {{"Accept", "application/x-ndjson"}});
      ASSERT_EQ(page.status, 200) << query << page.body;
      paged += page.body;
      query = NextOf(page);
      ++pages;
    } while (!query.empty() && pages < 20);
    EXPECT_EQ(pages, 9);
    EXPECT_EQ(paged, all.body) << order;
  }
  EXPECT_EQ(Ids("after=57"), "585960");
  EXPECT_EQ(NextOf(Get("/api/people?after=53")), "");
}

TEST_F(ListTest, APageHasABoundInBytes) {
  Serve();
  for (int i = 0; i < 5; ++i) {
    Add({.name = "x", .extra = Json{"\"" + std::string(400'000, 'y') + "\""}});
  }
  std::string ids;
  std::string query = "select=id,extra";
  int pages = 0;
  for (; !query.empty() && pages < 9; ++pages) {
    const auto page = Get("/api/people?" + query);
    EXPECT_LT(page.body.size(), 1'700'000u);
    query = NextOf(page);
  }
  EXPECT_EQ(pages, 2);
}

TEST_F(ListTest, AListOfAnyLengthIsStreamed) {
  Serve();
  std::vector<Person> people(20'000);
  for (std::size_t i = 0; i < people.size(); ++i) people[i].name = std::string(18, 'x');
  ASSERT_TRUE(database_->InsertAll(people).ok());
  const auto all = Get("/api/people?limit=all");
  EXPECT_EQ(all.status, 200);
  std::vector<Person> read;
  ASSERT_TRUE(FromJson(all.body, &read).ok());
  ASSERT_EQ(read.size(), people.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    ASSERT_EQ(read[i].id, static_cast<std::int64_t>(i + 1));
  }
  EXPECT_EQ(Ask("HEAD", "/api/people?limit=all").status, 200);
  EXPECT_EQ(Get("/api/people?limit=all&age=gt.5").body, "[]");
  EXPECT_EQ(Get("/api/people?limit=all&age=gt.x").status, 400);
}

TEST_F(ListTest, ASlowClientHoldsNoWorkerAndLittleMemory) {
  pool_ = std::make_unique<net::WorkerPool>(net::WorkerPool::Options{.threads = 1});
  Serve();
  std::vector<Person> people(400);
  for (Person& person : people) person.extra.text = "\"" + std::string(100'000, 'x') + "\"";
  ASSERT_TRUE(database_->InsertAll(people).ok());
  // One that reads nothing: the pieces end when its queue is full.
  http::testing::WireClient slow = Connect();
  slow.Send("GET /api/people?limit=all HTTP/1.1\r\nHost: a\r\n\r\n");
  // Meanwhile the only worker serves others, over and over.
  constexpr int kOthers = 500;
  for (int i = 0; i < kOthers; ++i) EXPECT_EQ(Get("/api/people/1").status, 200);
  // To read all would take a job for each row.
  EXPECT_LT(pool_->counts().done, kOthers + people.size() / 2);
  // It gets the rest when it reads.
  const http::testing::WireResponse all = slow.Read();
  EXPECT_EQ(all.status, 200);
  std::vector<Person> read;
  ASSERT_TRUE(FromJson(all.body, &read).ok());
  EXPECT_EQ(read.size(), people.size());
}

}  // namespace
}  // namespace strata::orm::rest
