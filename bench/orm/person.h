// The rows of all programs here, after those of mORMot's own benchmark of databases.

#ifndef STRATA_BENCH_ORM_PERSON_H_
#define STRATA_BENCH_ORM_PERSON_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "strata/orm/table.h"

namespace bench {

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

// `count` of them, with ids from 1 on.
inline std::vector<Person> MakePeople(std::int64_t count) {
  std::vector<Person> people;
  people.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 1; i <= count; ++i) {
    people.push_back({i, i == 151 ? "" : "Nam\xC3\xA9 " + std::to_string(i), std::to_string(i),
                      strata::orm::Currency::FromTenThousandths(i * 100), i, 135'000'000'000 + i,
                      136'000'000'000 + i});
  }
  return people;
}

// What was read, in numbers that say whether it is what was written. It is part of what is timed,
// for all programs alike, as otherwise a compiler could leave the reading out.
struct Tally {
  std::uint64_t rows = 0;
  std::uint64_t sum = 0;

  template <typename Row>
  void Add(const Row& person) {
    ++rows;
    sum += Of(person.id, 3) + Of(person.amount.ten_thousandths(), 5) + Of(person.birth_date, 7) +
           Of(person.last_change, 11) + Of(person.created_at, 13) + Of(person.first_name, 17) +
           Of(person.last_name, 19);
  }

  friend bool operator==(const Tally&, const Tally&) = default;

 private:
  static std::uint64_t Of(std::int64_t value, std::uint64_t weight) {
    return static_cast<std::uint64_t>(value) * weight;
  }
  static std::uint64_t Of(std::string_view text, std::uint64_t weight) {
    return (text.size() * 256 + (text.empty() ? 0 : static_cast<unsigned char>(text.back()))) *
           weight;
  }
};

}  // namespace bench

#endif  // STRATA_BENCH_ORM_PERSON_H_
