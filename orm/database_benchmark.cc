// Inserts and reads, by this library and by the ways that SQLite's own interface has, of one schema
// in memory. To compare, run them interleaved:
//
//   bazel run -c opt //orm:database_benchmark -- --benchmark_enable_random_interleaving=true
//       --benchmark_repetitions=9 --benchmark_report_aggregates_only=true

#include <memory>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "sqlite3.h"
#include "strata/orm/database.h"
#include "strata/orm/select.h"

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
  // As the library opens a database.
  sqlite3_exec(db,
               "PRAGMA foreign_keys = ON; PRAGMA cache_size = -8193; PRAGMA temp_store = MEMORY; "
               "PRAGMA cell_size_check = ON",
               nullptr, nullptr, nullptr);
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
  static std::vector<Person> people = People();
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

// A database with all the people, to read from.
strata::orm::Database& FilledDatabase() {
  static strata::orm::Database* filled = [] {
    auto db = NewDatabase();
    if (!db->InsertAll(People()).ok()) std::abort();
    return db.release();
  }();
  return *filled;
}

sqlite3* FilledRaw() {
  static sqlite3* filled = [] {
    sqlite3* db = NewRaw();
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(db, "INSERT INTO Person VALUES (?,?,?,?,?,?,?)", -1, &statement, nullptr);
    sqlite3_exec(db, "BEGIN", nullptr, nullptr, nullptr);
    for (const Person& person : People()) {
      Bind(statement, 0, person);
      if (sqlite3_step(statement) != SQLITE_DONE) std::abort();
      sqlite3_reset(statement);
    }
    sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
    sqlite3_finalize(statement);
    return db;
  }();
  return filled;
}

void Read(sqlite3_stmt* statement, Person* person) {
  const auto text = [&](int column, std::string* to) {
    const auto* from = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
    to->assign(from, static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
  };
  person->id = sqlite3_column_int64(statement, 0);
  text(1, &person->first_name);
  text(2, &person->last_name);
  person->amount = sqlite3_column_double(statement, 3);
  person->birth = sqlite3_column_int64(statement, 4);
  person->changed = sqlite3_column_int64(statement, 5);
  person->created = sqlite3_column_int64(statement, 6);
}

// Keys all over the table, each of them once.
std::int64_t KeyOf(int i) { return std::int64_t{i} * 7919 % kRows + 1; }

void RawGet(benchmark::State& state) {
  sqlite3* db = FilledRaw();
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(db, "SELECT * FROM Person WHERE id = ?", -1, &statement, nullptr);
  for (auto _ : state) {
    sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    for (int i = 0; i < kRows; ++i) {
      Person person;
      sqlite3_bind_int64(statement, 1, KeyOf(i));
      if (sqlite3_step(statement) != SQLITE_ROW) std::abort();
      Read(statement, &person);
      sqlite3_reset(statement);
      benchmark::DoNotOptimize(person);
    }
    sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
  }
  sqlite3_finalize(statement);
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(RawGet);

void Get(benchmark::State& state) {
  strata::orm::Database& db = FilledDatabase();
  for (auto _ : state) {
    const absl::Status status = db.Transact([](strata::orm::Transaction& t) {
      for (int i = 0; i < kRows; ++i) {
        const absl::StatusOr<Person> person = t.Get<Person>(KeyOf(i));
        if (!person.ok()) return person.status();
        benchmark::DoNotOptimize(*person);
      }
      return absl::OkStatus();
    });
    if (!status.ok()) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(Get);

void RawReadAll(benchmark::State& state) {
  sqlite3* db = FilledRaw();
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(db, "SELECT * FROM Person", -1, &statement, nullptr);
  for (auto _ : state) {
    std::vector<Person> people;
    while (sqlite3_step(statement) == SQLITE_ROW) Read(statement, &people.emplace_back());
    sqlite3_reset(statement);
    if (people.size() != kRows) std::abort();
  }
  sqlite3_finalize(statement);
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(RawReadAll);

void QueryAll(benchmark::State& state) {
  strata::orm::Database& db = FilledDatabase();
  for (auto _ : state) {
    const auto people = db.Query<Person>("SELECT * FROM Person");
    if (!people.ok() || people->size() != kRows) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(QueryAll);

void SelectAll(benchmark::State& state) {
  strata::orm::Database& db = FilledDatabase();
  for (auto _ : state) {
    const auto people = strata::orm::Select<Person>().All(db);
    if (!people.ok() || people->size() != kRows) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(SelectAll);

}  // namespace
