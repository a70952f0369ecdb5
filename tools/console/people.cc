#include "tools/console/people.h"

#include <algorithm>
#include <array>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "strata/orm/select.h"

namespace strata::console {
namespace {

constexpr std::array<std::string_view, 24> kFirst = {
    "Ada",     "Alan", "Barbara", "Claude", "Donald", "Edsger", "Frances", "Grace",
    "Hedy",    "Ivan", "Jean",    "John",   "Karen",  "Ken",    "Leslie",  "Margaret",
    "Niklaus", "Olga", "Peter",   "Radia",  "Sophie", "Tony",   "Vint",    "Yukihiro"};
constexpr std::array<std::string_view, 24> kLast = {
    "Allen",  "Bartik",  "Cerf",    "Dijkstra", "Engelbart", "Floyd",  "Goldberg", "Hamilton",
    "Hopper", "Iverson", "Jones",   "Knuth",    "Lamport",   "Liskov", "Lovelace", "McCarthy",
    "Naur",   "Perlman", "Ritchie", "Shannon",  "Thompson",  "Turing", "Wilson",   "Wirth"};
constexpr std::array<std::string_view, 12> kCities = {
    "Amsterdam", "Bergen", "Cambridge", "Dresden",  "Edinburgh", "Florence",
    "Graz",      "Kyoto",  "Lisbon",    "Pasadena", "Toronto",   "Zürich"};

// In one transaction and one call: it holds so many in memory.
constexpr std::uint64_t kMaxPeople = 1'000'000;

}  // namespace

absl::StatusOr<std::uint64_t> Populate(orm::Database& database, std::uint64_t people) {
  const auto count = orm::Select<Person>().Count(database);
  if (!count.ok()) return count.status();
  if (*count > 0) return static_cast<std::uint64_t>(*count);
  std::minstd_rand random(1);
  const auto one_of = [&random](const auto& texts) {
    return std::string(texts[random() % texts.size()]);
  };
  std::vector<Person> rows(std::min(people, kMaxPeople));
  std::uint64_t number = 0;
  for (Person& person : rows) {
    const std::string first = one_of(kFirst);
    const std::string last = one_of(kLast);
    person.name = first + " " + last;
    person.email = first + "." + last + std::to_string(++number) + "@example.com";
    person.city = one_of(kCities);
    person.age = static_cast<std::int32_t>(18 + random() % 70);
    person.balance =
        orm::Currency::FromTenThousandths(static_cast<std::int64_t>(random() % 1'000'000) * 100);
  }
  if (absl::Status status = database.InsertAll(rows); !status.ok()) return status;
  return rows.size();
}

}  // namespace strata::console
