// SQLite by its own interface, as well as it goes: the floor of the others.
//
//   --how=rows     all inserts at once are one INSERT ... SELECT from a virtual table over structs
//   --how=values   they are statements of 100 rows each

#include <new>
#include <utility>
#include <vector>

#include "bench/orm/contender.h"
#include "sqlite3.h"

namespace {

using bench::People;
using bench::Person;
using bench::Tally;

constexpr std::size_t kRowsPerStatement = 100;
constexpr const char* kColumns =
    "first_name, last_name, amount, birth_date, last_change, created_at";
constexpr int kColumnCount = 6;

// ---- The virtual table over structs ------------------------------------------------------------

struct Rows : sqlite3_vtab {
  const People* people;
};

struct Cursor : sqlite3_vtab_cursor {
  const Person* at;
  const Person* end;
};

int Connect(sqlite3* db, void* people, int, const char* const*, sqlite3_vtab** table, char**) {
  const int result = sqlite3_declare_vtab(db, "CREATE TABLE x (a, b, c, d, e, f)");
  if (result != SQLITE_OK) return result;
  auto* rows = new Rows();
  rows->people = static_cast<const People*>(people);
  *table = rows;
  return SQLITE_OK;
}

int Disconnect(sqlite3_vtab* table) {
  delete static_cast<Rows*>(table);
  return SQLITE_OK;
}

int BestIndex(sqlite3_vtab*, sqlite3_index_info*) { return SQLITE_OK; }

int OpenCursor(sqlite3_vtab*, sqlite3_vtab_cursor** cursor) {
  *cursor = new Cursor();
  return SQLITE_OK;
}

int CloseCursor(sqlite3_vtab_cursor* cursor) {
  delete static_cast<Cursor*>(cursor);
  return SQLITE_OK;
}

int Filter(sqlite3_vtab_cursor* base, int, const char*, int, sqlite3_value**) {
  auto* cursor = static_cast<Cursor*>(base);
  const People& people = *static_cast<Rows*>(base->pVtab)->people;
  cursor->at = people.data();
  cursor->end = people.data() + people.size();
  return SQLITE_OK;
}

int Next(sqlite3_vtab_cursor* cursor) {
  ++static_cast<Cursor*>(cursor)->at;
  return SQLITE_OK;
}

int Eof(sqlite3_vtab_cursor* cursor) {
  return static_cast<Cursor*>(cursor)->at == static_cast<Cursor*>(cursor)->end;
}

int Column(sqlite3_vtab_cursor* cursor, sqlite3_context* to, int column) {
  const Person& person = *static_cast<Cursor*>(cursor)->at;
  const auto text = [&](const std::string& from) {
    sqlite3_result_text(to, from.data(), static_cast<int>(from.size()), SQLITE_STATIC);
  };
  switch (column) {
    case 0:
      text(person.first_name);
      break;
    case 1:
      text(person.last_name);
      break;
    case 2:
      sqlite3_result_int64(to, person.amount.ten_thousandths());
      break;
    case 3:
      sqlite3_result_int64(to, person.birth_date);
      break;
    case 4:
      sqlite3_result_int64(to, person.last_change);
      break;
    default:
      sqlite3_result_int64(to, person.created_at);
  }
  return SQLITE_OK;
}

int Rowid(sqlite3_vtab_cursor*, sqlite3_int64* rowid) {
  *rowid = 0;  // Nobody asks.
  return SQLITE_OK;
}

constexpr sqlite3_module MakeModule() {
  sqlite3_module module{};
  module.xConnect = &Connect;
  module.xDisconnect = &Disconnect;
  module.xBestIndex = &BestIndex;
  module.xOpen = &OpenCursor;
  module.xClose = &CloseCursor;
  module.xFilter = &Filter;
  module.xNext = &Next;
  module.xEof = &Eof;
  module.xColumn = &Column;
  module.xRowid = &Rowid;
  return module;
}

constexpr sqlite3_module kModule = MakeModule();

// ---- The contender -----------------------------------------------------------------------------

class Sqlite final : public bench::Contender {
 public:
  Sqlite(const bench::Place& place, bool by_values) : by_values_(by_values) {
    Check(sqlite3_open_v2(place.path.c_str(), &db_,
                          SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                          nullptr));
    Execute(bench::SettingsSql(place).c_str());
    Execute(bench::kTableSql);
    Check(sqlite3_create_module(db_, "people", &kModule, &people_));
    const std::string insert = std::string("INSERT INTO Person (") + kColumns + ") ";
    insert_ = Prepare(insert + "VALUES (?, ?, ?, ?, ?, ?)");
    std::string values = insert + "VALUES (?, ?, ?, ?, ?, ?)";
    for (std::size_t i = 1; i < kRowsPerStatement; ++i) values += ", (?, ?, ?, ?, ?, ?)";
    insert_values_ = Prepare(values);
    insert_rows_ = Prepare(insert + "SELECT * FROM people");
    get_ = Prepare("SELECT * FROM Person WHERE id = ?");
    all_ = Prepare("SELECT * FROM Person");
    begin_ = Prepare("BEGIN IMMEDIATE");
    commit_ = Prepare("COMMIT");
  }

  ~Sqlite() override {
    for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
    Check(sqlite3_close(db_));
  }

  void InsertEach(People people) override {
    for (Person& person : people) {
      Bind(insert_, 0, person);
      Finish(insert_);
      person.id = sqlite3_last_insert_rowid(db_);
    }
  }

  void InsertAll(People people) override {
    if (!by_values_) {
      people_ = people;
      Finish(insert_rows_);
      return;
    }
    for (; people.size() >= kRowsPerStatement; people = people.subspan(kRowsPerStatement)) {
      for (std::size_t i = 0; i < kRowsPerStatement; ++i) {
        Bind(insert_values_, static_cast<int>(i) * kColumnCount, people[i]);
      }
      Finish(insert_values_);
    }
    InsertEach(people);
  }

  void ReadEach(std::span<const std::int64_t> ids, Tally& tally) override {
    for (const std::int64_t id : ids) {
      sqlite3_bind_int64(get_, 1, id);
      if (sqlite3_step(get_) != SQLITE_ROW) bench::Fail("no such row");
      Person person;
      Read(get_, person);
      sqlite3_reset(get_);
      tally.Add(person);
    }
  }

  void ReadAll(Tally& tally) override {
    std::vector<Person> people;
    int result = SQLITE_ROW;
    while ((result = sqlite3_step(all_)) == SQLITE_ROW) Read(all_, people.emplace_back());
    if (result != SQLITE_DONE) bench::Fail(sqlite3_errmsg(db_));
    sqlite3_reset(all_);
    for (const Person& person : people) tally.Add(person);
  }

  void Transact(const std::function<void()>& body) override {
    Finish(begin_);
    body();
    Finish(commit_);
  }

  std::string Ask(const std::string& sql) override {
    sqlite3_stmt* statement = Prepare(sql);
    if (sqlite3_step(statement) != SQLITE_ROW) return "";
    const std::string text(Text(statement, 0));
    sqlite3_reset(statement);
    return text;
  }

 private:
  void Check(int result) {
    if (result != SQLITE_OK) bench::Fail(sqlite3_errmsg(db_));
  }

  void Execute(const char* sql) { Check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }

  sqlite3_stmt* Prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    Check(sqlite3_prepare_v3(db_, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
    statements_.push_back(statement);
    return statement;
  }

  void Finish(sqlite3_stmt* statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) bench::Fail(sqlite3_errmsg(db_));
    sqlite3_reset(statement);
  }

  static void Bind(sqlite3_stmt* statement, int at, const Person& person) {
    const auto text = [&](int column, const std::string& from) {
      sqlite3_bind_text(statement, at + column, from.data(), static_cast<int>(from.size()),
                        SQLITE_STATIC);
    };
    text(1, person.first_name);
    text(2, person.last_name);
    sqlite3_bind_int64(statement, at + 3, person.amount.ten_thousandths());
    sqlite3_bind_int64(statement, at + 4, person.birth_date);
    sqlite3_bind_int64(statement, at + 5, person.last_change);
    sqlite3_bind_int64(statement, at + 6, person.created_at);
  }

  static std::string_view Text(sqlite3_stmt* statement, int column) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
    return text == nullptr
               ? std::string_view()
               : std::string_view(
                     text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
  }

  static void Read(sqlite3_stmt* statement, Person& person) {
    person.id = sqlite3_column_int64(statement, 0);
    person.first_name = Text(statement, 1);
    person.last_name = Text(statement, 2);
    person.amount = strata::orm::Currency::FromTenThousandths(sqlite3_column_int64(statement, 3));
    person.birth_date = sqlite3_column_int64(statement, 4);
    person.last_change = sqlite3_column_int64(statement, 5);
    person.created_at = sqlite3_column_int64(statement, 6);
  }

  const bool by_values_;
  People people_;  // What the virtual table shows.
  sqlite3* db_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
  sqlite3_stmt* insert_;
  sqlite3_stmt* insert_values_;
  sqlite3_stmt* insert_rows_;
  sqlite3_stmt* get_;
  sqlite3_stmt* all_;
  sqlite3_stmt* begin_;
  sqlite3_stmt* commit_;
};

}  // namespace

int main(int argc, char** argv) {
  return bench::Run(argc, argv,
                    [](const bench::Place& place,
                       const bench::Arguments& arguments) -> std::unique_ptr<bench::Contender> {
                      const std::string how = arguments.Text("--how", "rows");
                      if (how != "rows" && how != "values") bench::Fail("no way " + how);
                      return std::make_unique<Sqlite>(place, how == "values");
                    });
}
