// What a library can do with people, and the program that times one work of it:
//
//   PROGRAM --work=WORK --storage=STORAGE --rows=N [--seconds=S] [--folder=PATH] [--how=WAY]
//
//   direct        inserts, each in a call and a transaction of its own
//   batch         inserts in transactions of 1,000 rows, in the fastest way
//   trans         inserts, each in a call of its own, in one transaction
//   batch-trans   inserts in one transaction, in the fastest way
//   one           reads by id at random, each in a call of its own
//   one-trans     the same in one transaction
//   all           a read of all rows
//   find          looks up rows by id at random, without a copy, and adds up a column, where it can
//   find-text     the same by last name
//   to-json       all rows as a list of JSON, where it can
//   from-json     inserts from such a list
//
// It is done again and again until it has taken that many seconds of processor time; then a line of
// JSON says how many rows that were, in how many nanoseconds of user and system time of all
// threads. A database is made anew for each time of inserting, which includes closing it, but not
// making it. What was written is read, and what was read is compared; a difference ends the
// program.

#ifndef STRATA_BENCH_ORM_CONTENDER_H_
#define STRATA_BENCH_ORM_CONTENDER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "bench/arguments.h"
#include "bench/orm/person.h"

namespace bench {

inline constexpr std::size_t kRowsPerBatch = 1000;

// The rows are not changed but for the id, which is 0, as many libraries put it there.
using People = std::span<Person>;

// Where the rows are: a file with synchronous=FULL or OFF, a write-ahead log, and other processes
// kept out or not; or memory.
struct Place {
  std::string path;   // ":memory:", or that of a file in a folder of the program's own.
  bool full = false;  // Not OFF, which is the same in memory.
  bool exclusive = false;
  bool rollback = false;  // A rollback journal, and no write-ahead log.
  std::size_t cache_bytes = std::size_t{8} << 20;

  bool in_memory() const { return path == ":memory:"; }
};

// An open database, with a table for people. A failure ends the program, with Fail().
class Contender {
 public:
  virtual ~Contender() = default;  // Closes it.

  virtual void InsertEach(People people) = 0;
  virtual void InsertAll(People people) = 0;
  virtual void InsertInBatches(People people);  // Transactions of InsertAll(), if not overridden.
  virtual void ReadEach(std::span<const std::int64_t> ids, Tally& tally) = 0;
  virtual void ReadAll(Tally& tally) = 0;
  virtual void Transact(const std::function<void()>& body) = 0;

  // The sum of birth dates.
  virtual std::int64_t Find(std::span<const std::int64_t> ids);
  virtual std::int64_t FindTexts(std::span<const std::string> last_names);

  virtual void AppendJson(std::string& text);
  virtual void InsertJson(const std::string& text);

  // What a query says that has one row and one column; empty if there is no SQL.
  virtual std::string Ask(const std::string& sql);
};

[[noreturn]] void Fail(const std::string& message);

// The SQL that makes these settings and the table as Strata has them.
std::string SettingsSql(const Place& place);
inline constexpr const char* kTableSql =
    "CREATE TABLE IF NOT EXISTS Person (id INTEGER PRIMARY KEY, first_name TEXT NOT NULL, "
    "last_name TEXT NOT NULL, amount INTEGER NOT NULL, birth_date INTEGER NOT NULL, last_change "
    "INTEGER NOT NULL, created_at INTEGER NOT NULL) STRICT";

// What a program does, with a function that opens a contender, which makes what is not there.
// `arguments` has what is of this program alone: `how` and `cipher`.
using Open = std::unique_ptr<Contender> (*)(const Place& place, const Arguments& arguments);
int Run(int argc, char** argv, Open open);

}  // namespace bench

#endif  // STRATA_BENCH_ORM_CONTENDER_H_
