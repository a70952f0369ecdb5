// File: schema.h
//
// Keeps the tables of a file as the program describes them:
//
//   const Schema schema = Schema::Of<Customer, Order>();
//   absl::StatusOr<std::unique_ptr<Database>> db = Database::Open("shop.db", schema);
//
// What is missing in the file is made: tables, indexes, columns that may be NULL or have a
// Default(). Whatever would lose data, or give it another meaning, is refused with a report that
// says what, where, and what to allow:
//
//   the schema of the file does not fit:
//   people.motto: is not described, and has values in 17 rows (to allow: "drop people.motto" or
//   "keep people.motto")
//
//   db = Database::Open("shop.db", schema, options, {.allow = {"drop people.motto"}});
//
// That is for this column alone: a list of such texts in a program does not let the next mistake
// through. They are
//
//   rebuild T    all rows of T are copied into a new table, for what SQLite cannot change in place:
//   a
//                check, NOT NULL, a default, a reference, a collation. Rows that are against the
//                new rules are counted first, and then nothing is done. MigrateOptions::rebuild is
//                that for all tables.
//   drop T.c     the column goes, and what it holds
//   keep T.c     the column stays in the file, and is not written
//   retype T.c   values become those of another type (SQLite's CAST); refused if any would not come
//                back the same, or cannot be read into the field
//   rekey T      T gets another primary key
//   drop index I a unique index that is not described goes
//
// Tables, indexes that are not unique, triggers and views that are not described stay as they are.
//
// What this cannot find out (that a column has another name now, or how values become others) is
// for migrations, which are SQL of the program with numbers:
//
//   const Schema schema = Schema::Of<Customer, Order>({
//       {.version = 1, .name = "one name",
//        .up = "ALTER TABLE customers RENAME COLUMN first_name TO name",
//        .down = "ALTER TABLE customers RENAME COLUMN name TO first_name"}});
//
// The file knows the number of the last one that it has had (PRAGMA user_version). Those that
// follow run in their order, before the tables are compared. A file without any table is made as
// described, and has had them all.
//
// A migration, or all changes of the comparison, are one transaction: a crash leaves the file as it
// was before or as it is after, and of several processes that open the file one makes the changes.
// Within it references are not enforced (nothing cascades) but checked at the end.

#ifndef STRATA_ORM_SCHEMA_H_
#define STRATA_ORM_SCHEMA_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "strata/orm/table.h"

namespace strata::orm {

// From the version before to `version`, and back. Texts are literals, or live as long as the
// Schema; each is any number of SQL statements, with semicolons between, that begin or end no
// transaction.
struct Migration {
  std::int32_t version = 0;  // Above 0, and above that of the one before it in the list.
  std::string_view name = {};
  std::string_view up = {};
  std::string_view down = {};  // Empty: there is no way back.
};

// The tables that a program describes, and the way to them.
class Schema {
 public:
  template <typename... T>
  static Schema Of(std::vector<Migration> migrations = {}) {
    static_assert(((TableOf<T>().key_count > 0) && ...),
                  "a STRATA_STRUCT has no table; use STRATA_TABLE");
    return Schema({&TableOf<T>()...}, std::move(migrations));
  }

  explicit Schema(std::vector<const TableInfo*> tables, std::vector<Migration> migrations)
      : tables_(std::move(tables)), migrations_(std::move(migrations)) {}

  const std::vector<const TableInfo*>& tables() const { return tables_; }
  const std::vector<Migration>& migrations() const { return migrations_; }

 private:
  std::vector<const TableInfo*> tables_;
  std::vector<Migration> migrations_;
};

struct MigrateOptions {
  // kApply: makes the changes, all of them or, where one is refused, none. kCheck: makes none;
  // FailedPrecondition if there are any to make. kDryRun: makes none, and tells which.
  enum class Mode : std::uint8_t { kApply, kCheck, kDryRun };
  Mode mode = Mode::kApply;

  std::vector<std::string> allow = {};
  bool rebuild = false;

  // The migrations up or down to this version alone, without the comparison. 0 is the state before
  // the first. FailedPrecondition if one on the way back has no `down`.
  std::optional<std::int32_t> version = std::nullopt;
};

struct SchemaReport {
  struct Refusal {
    std::string where;               // "people" or "people.motto".
    std::string what;                // "is not described, and has values in 17 rows"
    std::vector<std::string> allow;  // Any of them; empty if the description has to change.
  };

  // In their order. With kDryRun, what would be run; if there are migrations to run, only those, as
  // the comparison would be with what they leave.
  std::vector<std::string> sql;
  // With kDryRun; for others these are an error.
  std::vector<Refusal> refused;
};

}  // namespace strata::orm

#endif  // STRATA_ORM_SCHEMA_H_
