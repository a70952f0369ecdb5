// The engine in memory against a floor written by hand for the struct: a std::deque of rows, found
// by a hash map from their keys.

#include <unistd.h>

#include <cstdio>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "benchmark/benchmark.h"
#include "strata/orm/json.h"
#include "strata/orm/memory.h"

namespace app {

struct Person {
  std::int64_t id = 0;
  std::string first_name;
  std::string last_name;
  strata::orm::Currency amount;
  std::int64_t birth_date = 0;
  std::int64_t last_change = 0;
  std::int64_t created_at = 0;
};
STRATA_TABLE(Person, id, first_name, last_name, amount, birth_date, last_change, created_at);

struct Unique {
  std::int64_t id = 0;
  std::string first_name;
  std::string last_name;
  strata::orm::Currency amount;
  std::int64_t birth_date = 0;
  std::int64_t last_change = 0;
  std::int64_t created_at = 0;
};
STRATA_TABLE(Unique, id, first_name, (last_name, strata::orm::options::Unique()), amount,
             (birth_date, Indexed()), last_change, created_at);

}  // namespace app

namespace {

using app::Person;
using strata::orm::MemoryDatabase;
using strata::orm::MemoryView;

constexpr int kRows = 200'000;

template <typename T>
const std::vector<T>& People() {
  static const auto* people = [] {
    auto* made = new std::vector<T>(kRows);
    for (int i = 0; i < kRows; ++i) {
      (*made)[static_cast<std::size_t>(i)] = {i + 1,
                                              "Nam\xC3\xA9 " + std::to_string(i),
                                              std::to_string(i),
                                              strata::orm::Currency::FromTenThousandths(i * 100),
                                              i,
                                              135'000'000'000 + i,
                                              135'000'000'000 + i};
    }
    return made;
  }();
  return *people;
}

const std::vector<std::int64_t>& RandomIds() {
  static const auto* ids = [] {
    auto* made = new std::vector<std::int64_t>(kRows);
    std::mt19937_64 random(1);
    for (std::int64_t& id : *made) id = 1 + static_cast<std::int64_t>(random() % kRows);
    return made;
  }();
  return *ids;
}

struct Floor {
  std::deque<Person> rows;
  absl::flat_hash_map<std::int64_t, const Person*> by_id;

  void Insert(const Person& person) {
    rows.push_back(person);
    by_id.emplace(person.id, &rows.back());
  }
};

template <typename T>
std::unique_ptr<MemoryDatabase> NewDatabase() {
  auto db = MemoryDatabase::Open<T>(":memory:");
  if (!db.ok()) std::abort();
  return *std::move(db);
}

void InsertFloor(benchmark::State& state) {
  for (auto _ : state) {
    Floor floor;
    for (const Person& person : People<Person>()) floor.Insert(person);
    benchmark::DoNotOptimize(floor.by_id.size());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(InsertFloor);

template <typename T>
void InsertAll(benchmark::State& state) {
  for (auto _ : state) {
    const auto db = NewDatabase<T>();
    if (!db->InsertAll(People<T>()).ok()) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(InsertAll<Person>);
BENCHMARK(InsertAll<app::Unique>);

// Each in a call of its own; and in one transaction.
void Insert(benchmark::State& state) {
  std::vector<Person> people = People<Person>();
  for (auto _ : state) {
    const auto db = NewDatabase<Person>();
    for (Person& person : people) {
      if (!db->Insert(&person).ok()) std::abort();
    }
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(Insert);

void InsertInTransaction(benchmark::State& state) {
  std::vector<Person> people = People<Person>();
  for (auto _ : state) {
    const auto db = NewDatabase<Person>();
    const absl::Status status = db->Transact([&](strata::orm::Transaction& t) -> absl::Status {
      for (Person& person : people) {
        if (absl::Status inserted = t.Insert(&person); !inserted.ok()) return inserted;
      }
      return absl::OkStatus();
    });
    if (!status.ok()) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(InsertInTransaction);

// To the disk, synced once.
void InsertAllDurable(benchmark::State& state) {
  const std::string path = "/tmp/strata_memory_benchmark." + std::to_string(getpid());
  for (auto _ : state) {
    auto db = MemoryDatabase::Open<Person>(path);
    if (!db.ok() || !(*db)->InsertAll(People<Person>()).ok()) std::abort();
    state.PauseTiming();
    db->reset();
    for (const char* end : {"", "-log", "-lock"}) std::remove((path + end).c_str());
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(InsertAllDurable);

void ReadFloor(benchmark::State& state) {
  Floor floor;
  for (const Person& person : People<Person>()) floor.Insert(person);
  for (auto _ : state) {
    std::int64_t sum = 0;
    for (const std::int64_t id : RandomIds()) sum += floor.by_id.find(id)->second->birth_date;
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(ReadFloor);

void Find(benchmark::State& state) {
  const auto db = NewDatabase<Person>();
  if (!db->InsertAll(People<Person>()).ok()) std::abort();
  for (auto _ : state) {
    const MemoryView view(db.get());
    std::int64_t sum = 0;
    for (const std::int64_t id : RandomIds()) sum += view.Find<Person>(id)->birth_date;
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(Find);

// With a copy of the row.
void Get(benchmark::State& state) {
  const auto db = NewDatabase<Person>();
  if (!db->InsertAll(People<Person>()).ok()) std::abort();
  for (auto _ : state) {
    std::int64_t sum = 0;
    for (const std::int64_t id : RandomIds()) sum += db->Get<Person>(id)->birth_date;
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(Get);

void FindByText(benchmark::State& state) {
  const auto db = NewDatabase<app::Unique>();
  if (!db->InsertAll(People<app::Unique>()).ok()) std::abort();
  std::vector<std::string> names;
  for (const std::int64_t id : RandomIds()) names.push_back(std::to_string(id - 1));
  for (auto _ : state) {
    const MemoryView view(db.get());
    std::int64_t sum = 0;
    for (const std::string& name : names) {
      sum += (*view.FindBy(&app::Unique::last_name, name))->birth_date;
    }
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(FindByText);

// A list that is already there, by the same writer.
void ToJsonFloor(benchmark::State& state) {
  std::string text;
  for (auto _ : state) {
    text.clear();
    if (!strata::orm::AppendJson(People<Person>(), &text).ok()) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(ToJsonFloor);

void ToJson(benchmark::State& state) {
  const auto db = NewDatabase<Person>();
  if (!db->InsertAll(People<Person>()).ok()) std::abort();
  std::string text;
  for (auto _ : state) {
    text.clear();
    if (!db->AppendJson<Person>(&text).ok()) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(ToJson);

// The same reader, then the floor of inserts.
void FromJsonFloor(benchmark::State& state) {
  const std::string text = *strata::orm::ToJson(People<Person>());
  for (auto _ : state) {
    std::vector<Person> people;
    if (!strata::orm::FromJson(text, &people).ok()) std::abort();
    Floor floor;
    for (const Person& person : people) floor.Insert(person);
    benchmark::DoNotOptimize(floor.by_id.size());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(FromJsonFloor);

void FromJson(benchmark::State& state) {
  const std::string text = *strata::orm::ToJson(People<Person>());
  for (auto _ : state) {
    const auto db = NewDatabase<Person>();
    if (!db->InsertJson<Person>(text).ok()) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(FromJson);

}  // namespace
