// SOCI on its SQLite backend: prepared statements over variables; for all inserts at once, over
// vectors of a column each.

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <optional>
#include <utility>
#include <vector>

#include "bench/orm/contender.h"

namespace {

using bench::kRowsPerBatch;
using bench::People;
using bench::Person;
using bench::Tally;

constexpr const char* kInsert =
    "INSERT INTO Person (first_name, last_name, amount, birth_date, last_change, created_at) "
    "VALUES (:first_name, :last_name, :amount, :birth_date, :last_change, :created_at)";

// The columns, as types that it knows.
struct Row {
  long long id = 0;
  std::string first_name;
  std::string last_name;
  long long amount = 0;
  long long birth_date = 0;
  long long last_change = 0;
  long long created_at = 0;

  void Set(const Person& person) {
    first_name = person.first_name;
    last_name = person.last_name;
    amount = person.amount.ten_thousandths();
    birth_date = person.birth_date;
    last_change = person.last_change;
    created_at = person.created_at;
  }

  void Give(Person& person) const {
    person.id = id;
    person.first_name = first_name;
    person.last_name = last_name;
    person.amount = strata::orm::Currency::FromTenThousandths(amount);
    person.birth_date = birth_date;
    person.last_change = last_change;
    person.created_at = created_at;
  }
};

struct Columns {
  std::vector<std::string> first_name, last_name;
  std::vector<long long> amount, birth_date, last_change, created_at;

  void Set(People people) {
    const auto gather = [&](auto& column, auto value) {
      column.clear();
      for (const Person& person : people) column.push_back(value(person));
    };
    gather(first_name, [](const Person& person) { return person.first_name; });
    gather(last_name, [](const Person& person) { return person.last_name; });
    gather(amount, [](const Person& person) { return person.amount.ten_thousandths(); });
    gather(birth_date, [](const Person& person) { return person.birth_date; });
    gather(last_change, [](const Person& person) { return person.last_change; });
    gather(created_at, [](const Person& person) { return person.created_at; });
  }
};

class Soci final : public bench::Contender {
 public:
  explicit Soci(const bench::Place& place) : session_(soci::sqlite3, "dbname=" + place.path) {
    // One statement a call.
    const std::string settings = bench::SettingsSql(place);
    for (std::size_t at = 0; at + 1 < settings.size();) {
      const std::size_t end = settings.find(';', at);
      session_.once << settings.substr(at, end - at);
      at = end + 1;
    }
    session_.once << bench::kTableSql;
    using soci::into;
    using soci::use;
    insert_.emplace((session_.prepare << kInsert, use(row_.first_name), use(row_.last_name),
                     use(row_.amount), use(row_.birth_date), use(row_.last_change),
                     use(row_.created_at)));
    // Vectors have to have a size when they are bound.
    Person nobody;
    columns_.Set(People(&nobody, 1));
    insert_columns_.emplace((session_.prepare << kInsert, use(columns_.first_name),
                             use(columns_.last_name), use(columns_.amount),
                             use(columns_.birth_date), use(columns_.last_change),
                             use(columns_.created_at)));
    get_.emplace((session_.prepare << "SELECT * FROM Person WHERE id = :id", use(id_),
                  into(row_.id), into(row_.first_name), into(row_.last_name), into(row_.amount),
                  into(row_.birth_date), into(row_.last_change), into(row_.created_at)));
    all_.emplace((session_.prepare << "SELECT * FROM Person", into(row_.id), into(row_.first_name),
                  into(row_.last_name), into(row_.amount), into(row_.birth_date),
                  into(row_.last_change), into(row_.created_at)));
  }

  void InsertEach(People people) override {
    for (Person& person : people) {
      row_.Set(person);
      insert_->execute(true);
      long long id = 0;
      session_.get_last_insert_id("Person", id);
      person.id = id;
    }
  }

  void InsertAll(People people) override {
    while (!people.empty()) {
      const std::size_t count = std::min(kRowsPerBatch, people.size());
      columns_.Set(people.first(count));
      insert_columns_->execute(true);
      people = people.subspan(count);
    }
  }

  void ReadEach(std::span<const std::int64_t> ids, Tally& tally) override {
    for (const std::int64_t id : ids) {
      id_ = id;
      if (!get_->execute(true)) bench::Fail("no such row");
      Person person;
      row_.Give(person);
      tally.Add(person);
    }
  }

  void ReadAll(Tally& tally) override {
    std::vector<Person> people;
    all_->execute();
    while (all_->fetch()) row_.Give(people.emplace_back());
    for (const Person& person : people) tally.Add(person);
  }

  void Transact(const std::function<void()>& body) override {
    soci::transaction transaction(session_);
    body();
    transaction.commit();
  }

  std::string Ask(const std::string& sql) override {
    std::string text;
    session_.once << sql, soci::into(text);
    return text;
  }

 private:
  soci::session session_;
  Row row_;
  Columns columns_;
  long long id_ = 0;
  std::optional<soci::statement> insert_;
  std::optional<soci::statement> insert_columns_;
  std::optional<soci::statement> get_;
  std::optional<soci::statement> all_;
};

}  // namespace

int main(int argc, char** argv) {
  return bench::Run(
      argc, argv,
      [](const bench::Place& place, const bench::Arguments&) -> std::unique_ptr<bench::Contender> {
        return std::make_unique<Soci>(place);
      });
}
