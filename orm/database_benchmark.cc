// Inserts, by this library and by the ways that SQLite's own interface has, into one schema in
// memory.

#include <memory>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "sqlite3.h"
#include "strata/orm/database.h"

namespace app {

struct Person {
  std::int64_t id = 0;
  std::string first_name;
  std::string last_name;
  double amount = 0;
  std::int64_t birth = 0;
  std::int64_t changed = 0;
  std::int64_t created = 0;
};
STRATA_TABLE(Person, id, first_name, last_name, amount, birth, changed, created);

}  // namespace app

namespace {

using app::Person;

constexpr int kRows = 50'000;
constexpr int kRowsPerStatement = 100;

const std::vector<Person>& People() {
  static const auto* people = [] {
    auto* made = new std::vector<Person>(kRows);
    for (int i = 0; i < kRows; ++i) {
      (*made)[static_cast<std::size_t>(i)] = {
          0, "Nam\xC3\xA9 " + std::to_string(i), std::to_string(i), i * 0.01, i, i + 1, i + 2};
    }
    return made;
  }();
  return *people;
}

std::unique_ptr<strata::orm::Database> NewDatabase() {
  auto db = strata::orm::Database::Open(":memory:");
  if (!db.ok() || !(*db)->Create<Person>().ok()) std::abort();
  return *std::move(db);
}

sqlite3* NewRaw() {
  sqlite3* db = nullptr;
  sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                  nullptr);
  sqlite3_exec(db,
               "CREATE TABLE Person (id INTEGER PRIMARY KEY, first_name TEXT NOT NULL, last_name "
               "TEXT NOT NULL, amount REAL NOT NULL, birth INTEGER NOT NULL, changed INTEGER NOT "
               "NULL, created INTEGER NOT NULL) STRICT",
               nullptr, nullptr, nullptr);
  return db;
}

void Bind(sqlite3_stmt* statement, int at, const Person& person) {
  sqlite3_bind_null(statement, at + 1);
  sqlite3_bind_text(statement, at + 2, person.first_name.data(),
                    static_cast<int>(person.first_name.size()), SQLITE_STATIC);
  sqlite3_bind_text(statement, at + 3, person.last_name.data(),
                    static_cast<int>(person.last_name.size()), SQLITE_STATIC);
  sqlite3_bind_double(statement, at + 4, person.amount);
  sqlite3_bind_int64(statement, at + 5, person.birth);
  sqlite3_bind_int64(statement, at + 6, person.changed);
  sqlite3_bind_int64(statement, at + 7, person.created);
}

// `rows` of them by each statement.
void RawInsert(benchmark::State& state) {
  const int rows = static_cast<int>(state.range(0));
  std::string sql = "INSERT INTO Person VALUES ";
  for (int i = 0; i < rows; ++i) sql += i == 0 ? "(?,?,?,?,?,?,?)" : ",(?,?,?,?,?,?,?)";
  for (auto _ : state) {
    sqlite3* db = NewRaw();
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr);
    sqlite3_exec(db, "BEGIN", nullptr, nullptr, nullptr);
    for (int i = 0; i < kRows; i += rows) {
      for (int j = 0; j < rows; ++j) {
        Bind(statement, j * 7, People()[static_cast<std::size_t>(i + j)]);
      }
      if (sqlite3_step(statement) != SQLITE_DONE) std::abort();
      sqlite3_reset(statement);
    }
    sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
    sqlite3_finalize(statement);
    sqlite3_close(db);
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(RawInsert)->Arg(1)->Arg(kRowsPerStatement);

void InsertAll(benchmark::State& state) {
  for (auto _ : state) {
    const auto db = NewDatabase();
    if (!db->InsertAll(People()).ok()) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(InsertAll);

void Insert(benchmark::State& state) {
  std::vector<Person> people = People();
  for (auto _ : state) {
    const auto db = NewDatabase();
    const absl::Status status = db->Transact([&](strata::orm::Transaction& t) -> absl::Status {
      for (Person& person : people) {
        person.id = 0;
        if (absl::Status inserted = t.Insert(&person); !inserted.ok()) return inserted;
      }
      return absl::OkStatus();
    });
    if (!status.ok()) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(Insert);

}  // namespace
