// Random pairs of schemas: a file with rows of the one is migrated to the other with all that it
// had, or is refused and stays; and so when that is interrupted, or the process killed.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <filesystem>
#include <optional>
#include <random>

#include "gtest/gtest.h"
#include "sqlite3.h"
#include "strata/orm/database.h"
#include "strata/orm/schema_sql_internal.h"
#include "strata/orm/testing/raw_file.h"
#include "strata/orm/testing/seed.h"

namespace strata::orm {
namespace {

using testing::RawFile;

using Mode = MigrateOptions::Mode;

constexpr std::string_view kNames[] = {"a", "b", "c", "d", "e"};

template <typename T>
void SetType(Column* column, bool nullable) {
  column->type = nullable ? &kTypeInfo<std::optional<T>> : &kTypeInfo<T>;
  column->value = &kTypeInfo<T>;
  if (!nullable) column->flags |= Column::kNotNull;
  column->storage = internal::StorageOf(*column->value, false);
}

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}

  int Below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(engine_); }
  bool OneIn(int n) { return Below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

// A description made at run time. It stays where it is, and uses texts of the one before it.
class RandomTable {
 public:
  explicit RandomTable(Random& random, const RandomTable* before = nullptr) {
    const bool same_key = before != nullptr && !random.OneIn(6);
    columns_.push_back(same_key ? before->columns_[0] : Key(random, !random.OneIn(4)));
    for (const std::string_view name : kNames) {
      const Column* same =
          before == nullptr || random.OneIn(4) ? nullptr : before->info_.Find(name);
      if (same != nullptr) {
        columns_.push_back(*same);
      } else if (!random.OneIn(3)) {
        columns_.push_back(RandomColumn(random, name));
      }
    }
    info_.name = "t";
    info_.columns = columns_;
    info_.key_count = 1;
    if (random.OneIn(3)) checks_.push_back("id IS NOT 3");
    info_.checks = checks_;
    if (columns_.size() > 2 && random.OneIn(2)) {
      IndexInfo index;
      index.columns = {columns_[1].name, columns_[2].name};
      index.column_count = 2;
      index.unique = random.OneIn(3);
      if (random.OneIn(3)) index.where = "id IS NOT 5";
      indexes_.push_back(index);
    }
    info_.indexes = indexes_;
  }
  RandomTable(const RandomTable&) = delete;
  RandomTable& operator=(const RandomTable&) = delete;

  const TableInfo& info() const { return info_; }

  std::string InsertSql(Random& random, int id) const {
    std::string names;
    std::string values;
    for (const Column& column : columns_) {
      if (!column.generated.empty()) continue;
      names += (names.empty() ? "" : ", ") + std::string(column.name);
      const std::string value = RandomValue(random, column);
      const bool is_key = &column == &columns_.front();
      values += (values.empty() ? "" : ", ") +
                (is_key && info_.has_rowid_key() ? std::to_string(id) : value);
    }
    return "INSERT OR IGNORE INTO t (" + names + ") VALUES (" + values + ");";
  }

 private:
  static Column Key(Random& random, bool has_number) {
    Column column;
    column.name = "id";
    if (!has_number) {
      SetType<std::string>(&column, false);
    } else if (random.OneIn(3)) {
      SetType<std::int8_t>(&column, false);
    } else {
      SetType<std::int64_t>(&column, false);
      if (random.OneIn(4)) column.flags |= Column::kAutoincrement;
    }
    return column;
  }

  Column RandomColumn(Random& random, std::string_view name) {
    Column column;
    column.name = name;
    const bool nullable = !random.OneIn(3);
    const int type = random.Below(4);
    if (type == 0) SetType<std::int64_t>(&column, nullable);
    if (type == 1) SetType<double>(&column, nullable);
    if (type == 2) SetType<std::string>(&column, nullable);
    if (type == 3) SetType<Blob>(&column, nullable);
    if (random.OneIn(5)) column.flags |= Column::kUnique;
    if (random.OneIn(4)) column.flags |= Column::kIndexed;
    if (type == 2 && random.OneIn(3)) column.collation = "NOCASE";
    if (random.OneIn(4)) column.check = Keep(std::string(name) + " IS NOT 2");
    if (type == 0 && random.OneIn(5)) {
      column.generated = random.OneIn(2) ? "length(id)" : "id IS NULL";
      if (random.OneIn(2)) column.flags |= Column::kStored;
    } else if (type < 3 && random.OneIn(2)) {
      column.default_value = type == 0   ? DefaultValue{DefaultValue::Type::kInteger, 4}
                             : type == 1 ? DefaultValue{DefaultValue::Type::kReal, 0, 0.5}
                             : random.OneIn(2)
                                 ? DefaultValue{DefaultValue::Type::kText, 0, 0, "it's"}
                                 : DefaultValue{DefaultValue::Type::kSql, 0, 0, "'x' || 'y'"};
    }
    return column;
  }

  static std::string RandomValue(Random& random, const Column& column) {
    if (column.nullable() && random.OneIn(4)) return "NULL";
    const std::string number = std::to_string(random.Below(9));
    switch (column.storage) {
      case Storage::kInteger:
        return number;
      case Storage::kReal:
        return number + (random.OneIn(2) ? ".0" : ".25");
      case Storage::kText:
        return "'" + std::string(random.OneIn(5) ? "x" : "") + number + "'";
      case Storage::kBlob:
        return "x'3" + number + "'";
    }
    return "NULL";
  }

  std::string_view Keep(std::string text) { return texts_.emplace_back(std::move(text)); }

  std::vector<Column> columns_;
  std::vector<std::string_view> checks_;
  std::vector<IndexInfo> indexes_;
  std::deque<std::string> texts_;
  TableInfo info_;
};

class SchemaRandomTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const unsigned seed = testing::Seed(20261130);
    random_.emplace(seed);
  }

  // A file with the table and some rows.
  void Fill(const RawFile& file, const RandomTable& table) {
    std::string sql = "DROP TABLE IF EXISTS t;" + internal::CreateTableSql(table.info(), "t") + ";";
    for (const std::string& index : internal::CreateIndexSql(table.info())) sql += index + ";";
    for (int n = random_->Below(8); n > 0; --n) sql += table.InsertSql(*random_, n);
    file.Run(sql);
  }

  static absl::StatusOr<SchemaReport> Migrate(const RawFile& file, const RandomTable& table,
                                              const MigrateOptions& options) {
    auto db = Database::Open(file.path(), {.synchronous = DatabaseOptions::Synchronous::kOff});
    if (!db.ok()) return db.status();
    return (*db)->Migrate(Schema({&table.info()}, {}), options);
  }

  static bool Allows(const MigrateOptions& options, const std::string& text) {
    return std::find(options.allow.begin(), options.allow.end(), text) != options.allow.end();
  }

  // Of the columns of `from` those that are in the file, cast to what they were, by row.
  void ExpectKept(const RawFile& before, const RawFile& after, const TableInfo& from,
                  const TableInfo& to, const MigrateOptions& options) {
    std::string were = "''";
    std::string are = "''";
    for (const Column& column : from.columns) {
      if (!column.generated.empty()) continue;
      const std::string name(column.name);
      const Column* described = to.Find(column.name);
      if (described == nullptr
              ? Allows(options, "drop t." + name) && !Allows(options, "keep t." + name)
              : !described->generated.empty()) {
        EXPECT_TRUE(Allows(options, "drop t." + name)) << name;
        continue;
      }
      if (described == nullptr) {
        EXPECT_TRUE(Allows(options, "keep t." + name)) << name;
      } else if (described->storage != column.storage) {
        EXPECT_TRUE(Allows(options, "retype t." + name)) << name;
      }
      were += " || ',' || quote(" + name + ")";
      are += " || ',' || quote(CAST(" + name + " AS " +
             std::string(internal::StorageName(column.storage)) + "))";
    }
    EXPECT_EQ(after.Text("SELECT " + are + " FROM t ORDER BY 1"),
              before.Text("SELECT " + were + " FROM t ORDER BY 1"));
    for (const Column& column : to.columns) {
      if (from.Find(column.name) != nullptr || !column.generated.empty()) continue;
      if (&column == &to.columns.front()) continue;
      EXPECT_EQ(after.Text("SELECT count(*) FROM t WHERE " + std::string(column.name) + " IS NOT " +
                           internal::DefaultSql(column.default_value)),
                "0");
    }
  }

  std::optional<Random> random_;
};

TEST_F(SchemaRandomTest, AllIsKeptOrRefused) {
  const RawFile file("random.db");
  const RawFile copy("random_copy.db");
  int migrated = 0;
  int refused = 0;
  for (int pair = 0; pair < 100 && !HasFailure(); ++pair) {
    SCOPED_TRACE(pair);
    const RandomTable from(*random_);
    const RandomTable to(*random_, &from);
    Fill(file, from);
    std::filesystem::copy_file(file.path(), copy.path(),
                               std::filesystem::copy_options::overwrite_existing);
    MigrateOptions options{.mode = Mode::kDryRun};
    const auto dry = Migrate(file, to, options);
    ASSERT_TRUE(dry.ok()) << dry.status();
    for (const SchemaReport::Refusal& refusal : dry->refused) {
      if (refusal.allow.empty() || random_->OneIn(12)) continue;
      options.allow.push_back(refusal.allow[static_cast<std::size_t>(
          random_->Below(static_cast<int>(refusal.allow.size())))]);
    }
    options.mode = Mode::kApply;
    const auto report = Migrate(file, to, options);
    if (!report.ok()) {
      ++refused;
      EXPECT_EQ(report.status().code(), absl::StatusCode::kFailedPrecondition) << report.status();
      EXPECT_EQ(file.Dump(), copy.Dump());
      continue;
    }
    ++migrated;
    ExpectKept(copy, file, from.info(), to.info(), options);
    EXPECT_EQ(file.Text("PRAGMA integrity_check"), "ok");
    options.mode = Mode::kCheck;
    EXPECT_EQ(Migrate(file, to, options).status(), absl::OkStatus());
  }
  std::printf("%d migrated, %d refused\n", migrated, refused);
  EXPECT_GT(migrated, 20);
  EXPECT_GT(refused, 20);
}

// Instructions of SQLite's machine, in all connections that are opened meanwhile, until it happens.
std::int64_t instructions_left = 0;
bool kills = false;

int CountInstruction(void*) {
  if (--instructions_left != 0) return 0;
  if (kills) raise(SIGKILL);
  return 1;
}

int CountInstructions(sqlite3* database, char**, const struct sqlite3_api_routines*) {
  sqlite3_progress_handler(database, 1, &CountInstruction, nullptr);
  return SQLITE_OK;
}

class SchemaCrashTest : public SchemaRandomTest {
 protected:
  // A migration, then a rebuild of a table that another one refers to.
  absl::Status Migrate() {
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(&CountInstructions));
    const absl::Status status =
        Database::Open(file_.path(),
                       Schema({&table_}, {{.version = 1,
                                           .name = "more",
                                           .up = "INSERT INTO t (a) VALUES (77);"
                                                 "INSERT INTO child VALUES (77, 1)"}}),
                       {.synchronous = DatabaseOptions::Synchronous::kOff}, {.rebuild = true})
            .status();
    sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&CountInstructions));
    return status;
  }

  void Reset() {
    file_.Run(R"(DROP TABLE IF EXISTS t; DROP TABLE IF EXISTS child; PRAGMA user_version = 0;
        CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER DEFAULT 5) STRICT;
        CREATE TABLE child (id INTEGER PRIMARY KEY, t REFERENCES t (id) ON DELETE CASCADE);
        INSERT INTO t VALUES (1, 1), (2, 2), (3, 3);
        INSERT INTO child VALUES (1, 1), (2, 3);)");
  }

  // As it was, or after the migration, or after all.
  void SetUp() override {
    SchemaRandomTest::SetUp();
    Reset();
    states_.push_back(file_.Dump());
    file_.Run(
        "INSERT INTO t (a) VALUES (77); INSERT INTO child VALUES (77, 1);"
        "PRAGMA user_version = 1");
    states_.push_back(file_.Dump());
    Reset();
    instructions_left = std::int64_t{1} << 40;
    ASSERT_EQ(Migrate(), absl::OkStatus());
    total_ = (std::int64_t{1} << 40) - instructions_left;
    states_.push_back(file_.Dump());
  }

  void ExpectWhole() {
    const std::string dump = file_.Dump();
    EXPECT_EQ(std::count(states_.begin(), states_.end(), dump), 1) << dump;
    EXPECT_EQ(file_.Text("PRAGMA integrity_check"), "ok");
  }

  // Calls `run` for moments all over the migration.
  template <typename Run>
  void ForMoments(int count, Run run) {
    for (int i = 0; i < count && !HasFailure(); ++i) {
      instructions_left =
          1 + total_ * i / count +
          random_->Below(static_cast<int>(std::max<std::int64_t>(total_ / count, 1)));
      SCOPED_TRACE(instructions_left);
      Reset();
      run();
      ExpectWhole();
    }
  }

  static TableInfo Described() {
    static const std::vector<Column>* const columns = [] {
      auto* made = new std::vector<Column>(3);
      (*made)[0].name = "id";
      SetType<std::int64_t>(&(*made)[0], false);
      (*made)[1].name = "a";
      SetType<std::int64_t>(&(*made)[1], true);
      (*made)[1].check = "a > 0";
      (*made)[2].name = "b";
      SetType<std::string>(&(*made)[2], false);
      (*made)[2].default_value = {DefaultValue::Type::kText, 0, 0, "new"};
      return made;
    }();
    TableInfo info;
    info.name = "t";
    info.columns = *columns;
    info.key_count = 1;
    return info;
  }

  RawFile file_{"crash.db"};
  TableInfo table_ = Described();
  std::vector<std::string> states_;
  std::int64_t total_ = 0;
};

TEST_F(SchemaCrashTest, AnErrorLeavesOldOrNew) {
  kills = false;
  ForMoments(100, [&] { EXPECT_NE(Migrate(), absl::OkStatus()); });
}

TEST_F(SchemaCrashTest, AKilledProcessLeavesOldOrNew) {
  kills = true;
  ForMoments(40, [&] {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) _exit(Migrate().ok() ? 0 : 1);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  });
}

}  // namespace
}  // namespace strata::orm
