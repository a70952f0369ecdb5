// The rows of the demo.

#ifndef STRATA_TOOLS_CONSOLE_PEOPLE_H_
#define STRATA_TOOLS_CONSOLE_PEOPLE_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "strata/orm/currency.h"
#include "strata/orm/database.h"
#include "strata/orm/table.h"

namespace strata::console {

struct Person {
  std::int64_t id = 0;
  std::string name;
  std::optional<std::string> email = {};
  std::string city;
  std::int32_t age = 0;
  orm::Currency balance;
  std::chrono::sys_time<std::chrono::milliseconds> modified;
  std::int64_t version = 0;
};

STRATA_TABLE((Person, Named("people"), LogChanges(100'000, std::chrono::hours(24))), id,
             (name, MaxLength(80), Indexed(),
              Validate([](const std::string& name) { return !name.empty(); }, "must not be empty")),
             (email, Unique(), MaxLength(120)), (city, MaxLength(80)),
             (age, Validate([](std::int32_t age) { return age >= 0 && age <= 150; },
                            "must be from 0 to 150")),
             balance, (modified, ModifiedAt()), (version, Version()));

// Makes so many people up, always the same, if there are none. Returns how many there are.
absl::StatusOr<std::uint64_t> Populate(orm::Database& database, std::uint64_t people);

}  // namespace strata::console

#endif  // STRATA_TOOLS_CONSOLE_PEOPLE_H_
