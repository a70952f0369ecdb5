// Tables for tests of REST, and a server that has them.

#ifndef STRATA_ORM_REST_TESTING_PEOPLE_H_
#define STRATA_ORM_REST_TESTING_PEOPLE_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "strata/http/blocking_client.h"
#include "strata/http/server.h"
#include "strata/http/testing/wire.h"
#include "strata/net/worker_pool.h"
#include "strata/orm/database.h"
#include "strata/orm/rest/rest.h"
#include "strata/orm/table.h"

namespace strata::orm::rest::testing {

struct Team {
  std::string name;
  std::int32_t size = 0;
};
STRATA_TABLE((Team, Named("teams")), (name, PrimaryKey()), size);

enum class Rank { kLow, kHigh };
STRATA_ENUM(Rank, (kLow, "low"), (kHigh, "high"));

struct Person {
  std::int64_t id = 0;
  std::string name;
  std::optional<std::string> email = {};
  std::int32_t age = 0;
  Rank rank = Rank::kLow;
  std::optional<std::string> team = {};
  Currency balance = {};
  Json extra = {};
  std::int64_t version = 0;
  std::chrono::sys_time<std::chrono::milliseconds> created = {};
};
STRATA_TABLE((Person, Named("people")), id, (name, MaxLength(20)), (email, Unique()),
             (age, Validate([](std::int32_t age) { return age >= 0; }, "is negative")),
             (rank, AsText()), (team, References<Team>()), balance, extra, (version, Version()),
             (created, CreatedAt()));

struct Visit {
  Uuid id;
  std::int64_t person = 0;
  std::string note;
};
STRATA_TABLE((Visit, Named("visits")), id, person, note);

struct Seat {
  std::int32_t row = 0;
  std::string letter;
  std::string guest;
};
STRATA_TABLE((Seat, Named("seats")), (row, PrimaryKey()), (letter, PrimaryKey()), guest);

class RestTest : public ::testing::Test {
 protected:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  RestTest() {
    database_ = *Database::Open(":memory:", Schema::Of<Team, Person, Visit, Seat>());
    pool_ = std::make_unique<net::WorkerPool>(net::WorkerPool::Options{.threads = 3});
    client_ = std::make_unique<http::BlockingClient>();
  }
  ~RestTest() override { Stop(); }

  void Serve(Options options = {}) {
    service_ = std::make_unique<Service>(*database_, *pool_);
    ASSERT_TRUE(Mount<Person>(router_, "/api/people", *service_, std::move(options)).ok());
    ASSERT_TRUE(Mount<Team>(router_, "/api/teams", *service_).ok());
    ASSERT_TRUE(Mount<Visit>(router_, "/api/visits", *service_).ok());
    ASSERT_TRUE(Mount<Seat>(router_, "/api/seats", *service_).ok());
    Start();
  }

  void Start() {
    auto server = http::Server::Create(std::move(router_),
                                       {.address = "127.0.0.1:0", .runtime = {.loops = 2}});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    server_->Start();
  }

  // The server first: what it has begun on the pool, the pool ends, on the database.
  void Stop() {
    client_.reset();
    server_.reset();
    pool_.reset();
  }

  http::ClientResponse Ask(std::string method, std::string_view path, std::string body = {},
                           const Fields& fields = {}) {
    http::ClientRequest request;
    request.method = std::move(method);
    request.url = "http://" + server_->address().ToString() + std::string(path);
    request.body = std::move(body);
    if (!request.body.empty()) request.fields.Set("Content-Type", "application/json");
    for (const auto& [name, value] : fields) request.fields.Set(name, value);
    auto response = client_->Fetch(std::move(request));
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *std::move(response) : http::ClientResponse();
  }

  http::testing::WireClient Connect() { return http::testing::WireClient(server_->address()); }

  http::ClientResponse Get(std::string_view path, const Fields& fields = {}) {
    return Ask("GET", path, {}, fields);
  }

  static std::string FieldOf(const http::ClientResponse& response, std::string_view name) {
    return std::string(response.fields.Get(name).value_or("-"));
  }

  std::unique_ptr<Database> database_;
  std::unique_ptr<net::WorkerPool> pool_;
  std::unique_ptr<Service> service_;
  http::Router router_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::BlockingClient> client_;
};

}  // namespace strata::orm::rest::testing

#endif  // STRATA_ORM_REST_TESTING_PEOPLE_H_
