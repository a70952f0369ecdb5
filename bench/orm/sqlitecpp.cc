// SQLiteCpp, as its users would write it: a class over each statement of SQLite's.

#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>
#include <utility>
#include <vector>

#include "bench/orm/contender.h"
#include "sqlite3.h"

namespace {

using bench::People;
using bench::Person;
using bench::Tally;

constexpr std::size_t kRowsPerStatement = 100;
constexpr int kColumnCount = 6;

std::string InsertSql(std::size_t rows) {
  std::string sql =
      "INSERT INTO Person (first_name, last_name, amount, birth_date, last_change, created_at) "
      "VALUES (?, ?, ?, ?, ?, ?)";
  for (std::size_t i = 1; i < rows; ++i) sql += ", (?, ?, ?, ?, ?, ?)";
  return sql;
}

class SqliteCpp final : public bench::Contender {
 public:
  explicit SqliteCpp(const bench::Place& place)
      : db_(place.path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX) {
    db_.exec(bench::SettingsSql(place));
    db_.exec(bench::kTableSql);
    insert_.emplace(db_, InsertSql(1));
    insert_values_.emplace(db_, InsertSql(kRowsPerStatement));
    get_.emplace(db_, "SELECT * FROM Person WHERE id = ?");
    all_.emplace(db_, "SELECT * FROM Person");
  }

  void InsertEach(People people) override {
    for (Person& person : people) {
      Bind(*insert_, 0, person);
      insert_->exec();
      insert_->reset();
      person.id = db_.getLastInsertRowid();
    }
  }

  void InsertAll(People people) override {
    for (; people.size() >= kRowsPerStatement; people = people.subspan(kRowsPerStatement)) {
      for (std::size_t i = 0; i < kRowsPerStatement; ++i) {
        Bind(*insert_values_, static_cast<int>(i) * kColumnCount, people[i]);
      }
      insert_values_->exec();
      insert_values_->reset();
    }
    InsertEach(people);
  }

  void ReadEach(std::span<const std::int64_t> ids, Tally& tally) override {
    for (const std::int64_t id : ids) {
      get_->bind(1, id);
      if (!get_->executeStep()) bench::Fail("no such row");
      Person person;
      Read(*get_, person);
      get_->reset();
      tally.Add(person);
    }
  }

  void ReadAll(Tally& tally) override {
    std::vector<Person> people;
    while (all_->executeStep()) Read(*all_, people.emplace_back());
    all_->reset();
    for (const Person& person : people) tally.Add(person);
  }

  void Transact(const std::function<void()>& body) override {
    SQLite::Transaction transaction(db_, SQLite::TransactionBehavior::IMMEDIATE);
    body();
    transaction.commit();
  }

  std::string Ask(const std::string& sql) override {
    SQLite::Statement statement(db_, sql);
    return statement.executeStep() ? statement.getColumn(0).getString() : "";
  }

 private:
  static void Bind(SQLite::Statement& statement, int at, const Person& person) {
    statement.bindNoCopy(at + 1, person.first_name);
    statement.bindNoCopy(at + 2, person.last_name);
    statement.bind(at + 3, person.amount.ten_thousandths());
    statement.bind(at + 4, person.birth_date);
    statement.bind(at + 5, person.last_change);
    statement.bind(at + 6, person.created_at);
  }

  static void Read(SQLite::Statement& statement, Person& person) {
    person.id = statement.getColumn(0).getInt64();
    person.first_name = statement.getColumn(1).getString();
    person.last_name = statement.getColumn(2).getString();
    person.amount = strata::orm::Currency::FromTenThousandths(statement.getColumn(3).getInt64());
    person.birth_date = statement.getColumn(4).getInt64();
    person.last_change = statement.getColumn(5).getInt64();
    person.created_at = statement.getColumn(6).getInt64();
  }

  SQLite::Database db_;
  std::optional<SQLite::Statement> insert_;
  std::optional<SQLite::Statement> insert_values_;
  std::optional<SQLite::Statement> get_;
  std::optional<SQLite::Statement> all_;
};

}  // namespace

int main(int argc, char** argv) {
  return bench::Run(
      argc, argv,
      [](const bench::Place& place, const bench::Arguments&) -> std::unique_ptr<bench::Contender> {
        return std::make_unique<SqliteCpp>(place);
      });
}
