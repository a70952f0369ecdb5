// Rows to JSON and back, against simdjson's ondemand parser filling the same struct.

#include <simdjson.h>

#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "strata/orm/json.h"

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

std::vector<Person> People() {
  std::vector<Person> people;
  for (int i = 1; i <= 10'000; ++i) {
    people.push_back({i, "Namé " + std::to_string(i), std::to_string(i),
                      strata::orm::Currency::FromTenThousandths(i * 100), i, 135'000'000'000 + i,
                      135'000'000'000 + i});
  }
  return people;
}

void Write(benchmark::State& state) {
  const std::vector<Person> people = People();
  std::string text;
  for (auto _ : state) {
    text.clear();
    benchmark::DoNotOptimize(strata::orm::AppendJson(people, &text).ok());
  }
  state.SetItemsProcessed(state.iterations() * people.size());
}
BENCHMARK(Write);

void Read(benchmark::State& state) {
  const std::string text = *strata::orm::ToJson(People());
  for (auto _ : state) {
    std::vector<Person> people;
    if (!strata::orm::FromJson(text, &people).ok()) std::abort();
    benchmark::DoNotOptimize(people.data());
  }
  state.SetItemsProcessed(state.iterations() * 10'000);
}
BENCHMARK(Read);

// Keys in order, no check for other keys, money through double: less work than Read().
void ReadSimdjson(benchmark::State& state) {
  const std::string text = *strata::orm::ToJson(People());
  simdjson::ondemand::parser parser;
  for (auto _ : state) {
    std::vector<Person> people;
    // Its input has to be followed by readable bytes: a text from outside is copied.
    simdjson::padded_string padded(text);
    simdjson::ondemand::document document = parser.iterate(padded);
    for (simdjson::ondemand::object row : document.get_array()) {
      Person& person = people.emplace_back();
      person.id = row["id"].get_int64();
      person.first_name = std::string_view(row["first_name"].get_string());
      person.last_name = std::string_view(row["last_name"].get_string());
      person.amount = *strata::orm::Currency::FromDouble(row["amount"].get_double());
      person.birth_date = row["birth_date"].get_int64();
      person.last_change = row["last_change"].get_int64();
      person.created_at = row["created_at"].get_int64();
    }
    benchmark::DoNotOptimize(people.data());
  }
  state.SetItemsProcessed(state.iterations() * 10'000);
}
BENCHMARK(ReadSimdjson);

}  // namespace app
