#include "strata/orm/schema.h"

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "sqlite3.h"
#include "strata/orm/database.h"
#include "strata/orm/sql_tokens_internal.h"
#include "strata/orm/testing/raw_file.h"

namespace app {

struct Team {
  std::int64_t id = 0;
  std::string name;
};
STRATA_TABLE((Team, Named("teams")), id, name);

struct Person {
  std::int64_t id = 0;
  std::string name;
  std::optional<std::string> email;
  std::int32_t age = 0;
  std::optional<std::int64_t> team;
  std::string shout;
};
STRATA_TABLE((Person, Named("people"), Index("name", "age").Where("age > 0")),
             (id, Autoincrement()), (name, Collate("NOCASE")), (email, Unique()),
             (age, Default(7), Check("age >= 0"), Indexed()), (team, References<Team>()),
             (shout, Generated("upper(name)")));

struct Stamp {
  std::int64_t id = 0;
  std::chrono::sys_time<std::chrono::seconds> at;
};
STRATA_TABLE((Stamp, Named("stamps")), id, (at, AsText()));

struct Word {
  std::string word;
  std::int64_t count = 0;
};
STRATA_TABLE((Word, Named("words")), (word, PrimaryKey()), count);

}  // namespace app

namespace strata::orm {
namespace {

using app::Person;
using app::Stamp;
using app::Team;
using app::Word;
using testing::RawFile;

using Mode = MigrateOptions::Mode;

constexpr char kTeams[] =
    R"(CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT)";

class SchemaTest : public ::testing::Test {
 protected:
  // Opens the file with the schema, and closes it.
  template <typename... T>
  absl::Status Open(const MigrateOptions& options = {}, std::vector<Migration> migrations = {}) {
    return Database::Open(file_.path(), Schema::Of<T...>(std::move(migrations)),
                          {.synchronous = DatabaseOptions::Synchronous::kOff}, options)
        .status();
  }

  // Expects the refusal with these words, and that the file stays.
  template <typename... T>
  void ExpectRefused(const std::string& words, const MigrateOptions& options = {},
                     std::vector<Migration> migrations = {}) {
    const std::string before = file_.Dump();
    const absl::Status status = Open<T...>(options, std::move(migrations));
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_NE(status.message().find(words), std::string::npos) << status;
    EXPECT_EQ(file_.Dump(), before);
  }

  // Expects success, and that the file then fits.
  template <typename... T>
  void ExpectMigrated(const MigrateOptions& options = {}, std::vector<Migration> migrations = {}) {
    EXPECT_EQ(Open<T...>(options, migrations), absl::OkStatus());
    MigrateOptions check = options;
    check.mode = Mode::kCheck;
    EXPECT_EQ(Open<T...>(check, migrations), absl::OkStatus());
    EXPECT_EQ(file_.Text("PRAGMA integrity_check"), "ok");
  }

  RawFile file_{"schema.db"};
};

TEST_F(SchemaTest, AFreshFileIsMadeAsDescribed) {
  EXPECT_EQ((Open<Person, Team>({.mode = Mode::kCheck}).code()),
            absl::StatusCode::kFailedPrecondition);
  ExpectMigrated<Person, Team>();
  EXPECT_EQ(file_.Text("SELECT group_concat(name) FROM sqlite_schema WHERE sql IS NOT NULL"),
            "people,sqlite_sequence,people_age,people_name_age,teams");
}

TEST_F(SchemaTest, WhatIsMissingIsAdded) {
  file_.Run(R"(CREATE TABLE people (id INTEGER PRIMARY KEY AUTOINCREMENT,
                                    name TEXT NOT NULL COLLATE NOCASE) STRICT;
               INSERT INTO people (name) VALUES ('Ada'), ('Bob');)");
  ExpectMigrated<Person, Team>();
  EXPECT_EQ(file_.Text("SELECT group_concat(id || name || age || shout) FROM people"),
            "1Ada7ADA,2Bob7BOB");
  EXPECT_EQ(file_.Result("UPDATE people SET email = 'x'"),
            "UNIQUE constraint failed: people.email");
  EXPECT_EQ(file_.Result("UPDATE people SET age = -1"), "CHECK constraint failed: people.age");
  EXPECT_EQ(file_.Result("UPDATE people SET team = 5"), "FOREIGN KEY constraint failed");
}

TEST_F(SchemaTest, AnotherIndexOfTheNameIsReplaced) {
  file_.Run(std::string(kTeams) + "; INSERT INTO teams VALUES (1, 'red')");
  ExpectMigrated<Person, Team>();
  file_.Run("DROP INDEX people_age; CREATE INDEX people_age ON people (name)");
  file_.Run("CREATE INDEX mine ON people (team)");
  ExpectMigrated<Person, Team>();
  EXPECT_EQ(file_.Text("SELECT name FROM pragma_index_info('people_age')"), "age");
  EXPECT_EQ(file_.Text("SELECT name FROM pragma_index_info('mine')"), "team");
}

TEST_F(SchemaTest, SpellingIsNoDifference) {
  file_.Run(R"(create table [TEAMS](ID integer primary key, -- the key
               /* CHECK (1) */ "NAME" text not null)strict)");
  EXPECT_EQ(Open<Team>({.mode = Mode::kCheck}), absl::OkStatus());
}

TEST_F(SchemaTest, AColumnWithoutAValueForRowsIsRefused) {
  file_.Run("CREATE TABLE teams (id INTEGER PRIMARY KEY) STRICT");
  ExpectMigrated<Team>();
  file_.Run("ALTER TABLE teams DROP COLUMN name; INSERT INTO teams VALUES (1)");
  ExpectRefused<Team>("\nteams.name: is new, and there are rows without it: give it a Default()");
}

TEST_F(SchemaTest, UndescribedColumnsAreDroppedOrKeptOnlyIfAllowed) {
  file_.Run(R"(CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT NOT NULL, motto TEXT,
                                   rank INTEGER NOT NULL DEFAULT 3) STRICT;
               INSERT INTO teams VALUES (1, 'red', 'go', 4), (2, 'blue', NULL, 5);)");
  ExpectRefused<Team>(
      "\nteams.motto: is not described, and has values in 1 row (to allow: \"drop teams.motto\" or "
      "\"keep teams.motto\")\nteams.rank: is not described, and has values in 2 rows");
  ExpectRefused<Team>("\nteams.rank: is not described", {.allow = {"keep teams.motto"}});
  ExpectMigrated<Team>({.allow = {"keep teams.motto", "keep teams.rank"}});
  EXPECT_EQ(file_.Text("SELECT group_concat(quote(motto) || rank) FROM teams"), "'go'4,NULL5");
  ExpectMigrated<Team>({.allow = {"drop teams.motto", "drop teams.rank"}});
  EXPECT_EQ(file_.Text("SELECT group_concat(name) FROM pragma_table_info('teams')"), "id,name");
  EXPECT_EQ(file_.Text("SELECT group_concat(id || name) FROM teams"), "1red,2blue");
}

TEST_F(SchemaTest, AKeptColumnNeedsNoValue) {
  file_.Run(R"(CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT NOT NULL,
                                   rank INTEGER NOT NULL) STRICT)");
  ExpectRefused<Team>("teams.rank: is not described (to allow: \"drop teams.rank\")",
                      {.allow = {"keep teams.rank"}});
}

TEST_F(SchemaTest, KeptColumnsAndARebuildExclude) {
  file_.Run(R"(CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT, motto TEXT) STRICT)");
  ExpectRefused<Team>("teams: cannot be rebuilt and keep columns that are not described",
                      {.allow = {"keep teams.motto"}, .rebuild = true});
}

TEST_F(SchemaTest, WhatSqliteCannotChangeInPlaceTakesARebuild) {
  file_.Run(std::string(kTeams) + R"(;
      INSERT INTO teams VALUES (1, 'red');
      CREATE TABLE people (
        id INTEGER PRIMARY KEY, name TEXT, email TEXT, age INTEGER NOT NULL DEFAULT 8
        CHECK (age > -2), team INTEGER, shout TEXT GENERATED ALWAYS AS (lower(name)) VIRTUAL,
        UNIQUE (age));
      INSERT INTO people (name, age, team) VALUES ('Ada', 1, 1), ('Bob', 2, NULL);)");
  const std::string allow = " (to allow: \"rebuild people\")";
  for (const char* reason :
       {"people: is not STRICT in the file", "people: is not AUTOINCREMENT in the file",
        "people.name: may be NULL in the file", "people.name: is COLLATE BINARY in the file",
        "people.age: has another default in the file", "people.shout: is computed in another way",
        "people: has no CHECK (age >= 0) in the file",
        "people: has a CHECK (age > - 2) in the file", "people: is UNIQUE by (age) in the file",
        "people.team: does not refer to teams on delete NO ACTION on update NO ACTION team to id "
        "in "
        "the file"}) {
    ExpectRefused<Person, Team>("\n" + std::string(reason) + allow);
  }
  ExpectRefused<Person, Team>("rebuild people", {.allow = {"rebuild teams"}});
  ExpectMigrated<Person, Team>({.allow = {"rebuild people"}});
  EXPECT_EQ(
      file_.Text("SELECT group_concat(id || name || age || quote(team) || shout) FROM people"),
      "1Ada11ADA,2Bob2NULLBOB");
}

TEST_F(SchemaTest, RowsAgainstNewRulesAreCounted) {
  file_.Run(std::string(kTeams) + R"(;
      CREATE TABLE people (
        id INTEGER PRIMARY KEY, name TEXT, email TEXT, age INTEGER NOT NULL, team INTEGER) STRICT;
      INSERT INTO people (name, email, age, team)
        VALUES (NULL, 'x', -1, 1), ('Bob', 'y', -2, 2), ('Cy', 'x', 0, 1), ('Di', 'y', 0, 1);)");
  const MigrateOptions allow{.rebuild = true};
  ExpectRefused<Person, Team>("\npeople.name: is NOT NULL, and is NULL in 1 row\n", allow);
  ExpectRefused<Person, Team>("\npeople: has CHECK (age >= 0), against which are 2 rows\n", allow);
  ExpectRefused<Person, Team>(
      "\npeople: is UNIQUE by (email), and has 2 values there more than once", allow);
  file_.Run("UPDATE people SET name = 'x', email = id, age = 1");
  ExpectRefused<Person, Team>("people: would refer to rows of teams that are not there", allow);
  file_.Run("INSERT INTO teams VALUES (1, 'red'), (2, 'blue')");
  ExpectMigrated<Person, Team>(allow);
}

TEST_F(SchemaTest, ARetypedValueComesBackTheSameOrIsRefused) {
  const MigrateOptions allow{.allow = {"retype words.count"}};
  file_.Run(R"(CREATE TABLE words (word TEXT NOT NULL, count TEXT NOT NULL, PRIMARY KEY (word))
                 STRICT, WITHOUT ROWID;
               INSERT INTO words VALUES ('a', '12'), ('b', '-3');)");
  ExpectRefused<Word>("words.count: is TEXT in the file, not INTEGER (to allow: \"retype words.c");
  file_.Run("INSERT INTO words VALUES ('c', '012'), ('d', 'x')");
  ExpectRefused<Word>("words.count: would not be the same as INTEGER in 2 rows", allow);
  file_.Run("DELETE FROM words WHERE word > 'b'");
  ExpectMigrated<Word>(allow);
  EXPECT_EQ(file_.Text("SELECT group_concat(word || count || typeof(count)) FROM words"),
            "a12integer,b-3integer");
}

TEST_F(SchemaTest, ARetypedValueCanBeRead) {
  file_.Run(R"(CREATE TABLE stamps (id INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;
               INSERT INTO stamps VALUES (1, 1700000000);)");
  ExpectRefused<Stamp>("stamps.at: cannot be retyped: ", {.allow = {"retype stamps.at"}});
  const std::vector<Migration> migrations = {
      {.version = 1,
       .name = "times as texts",
       .up = "CREATE TABLE s (id INTEGER PRIMARY KEY, at TEXT NOT NULL) STRICT;"
             "INSERT INTO s SELECT id, strftime('%Y-%m-%dT%H:%M:%SZ', at, 'unixepoch') FROM stamps;"
             "DROP TABLE stamps; ALTER TABLE s RENAME TO stamps; -- The end."}};
  ExpectMigrated<Stamp>({}, migrations);
  auto db = Database::Open(file_.path(), Schema::Of<Stamp>(migrations));
  ASSERT_TRUE(db.ok()) << db.status();
  EXPECT_EQ((*db)->Get<Stamp>(1)->at.time_since_epoch().count(), 1700000000);
}

TEST_F(SchemaTest, AnotherKeyTakesUniqueValues) {
  const MigrateOptions allow{.allow = {"rekey words"}};
  file_.Run(R"(CREATE TABLE words (word TEXT, count INTEGER NOT NULL);
               INSERT INTO words VALUES ('a', 1), ('a', 2), (NULL, 3);)");
  ExpectRefused<Word>(
      "words: has the key () in the file, and not (word) (to allow: \"rekey words\")");
  ExpectRefused<Word>("words: is UNIQUE by (word), and has 1 value there more than once", allow);
  ExpectRefused<Word>("words.word: is NOT NULL, and is NULL in 1 row", allow);
  file_.Run("UPDATE words SET word = count");
  ExpectMigrated<Word>(allow);
  EXPECT_EQ(file_.Text("SELECT group_concat(word || count) FROM words"), "11,22,33");
}

TEST_F(SchemaTest, ANewKeyOfNumbersGivesThem) {
  file_.Run(R"(CREATE TABLE teams (name TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
               INSERT INTO teams VALUES ('b'), ('a');)");
  ExpectMigrated<Team>({.allow = {"rekey teams"}});
  EXPECT_EQ(file_.Text("SELECT group_concat(id || name) FROM teams"), "1a,2b");
}

TEST_F(SchemaTest, ARebuildKeepsWhatBelongsToTheTable) {
  file_.Run(R"(
      CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT NOT NULL, x TEXT) STRICT;
      CREATE TABLE member (
        team INTEGER REFERENCES teams (id) ON DELETE CASCADE, boss INTEGER);
      INSERT INTO teams VALUES (1, 'red', NULL);
      INSERT INTO member VALUES (1, NULL);
      CREATE INDEX mine ON teams (name);
      CREATE INDEX of_x ON teams (x);
      CREATE VIEW names AS SELECT name FROM teams;
      CREATE TRIGGER hello AFTER INSERT ON teams BEGIN
        INSERT INTO member VALUES (new.id, NULL); END;
      CREATE TRIGGER bye AFTER DELETE ON member BEGIN
        DELETE FROM teams WHERE id = old.team; END;)");
  ExpectMigrated<Team>({.allow = {"drop teams.x"}});
  EXPECT_EQ(file_.Text("SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema "
                       "WHERE sql IS NOT NULL ORDER BY name)"),
            "bye,hello,member,mine,names,teams");
  EXPECT_EQ(file_.Text("SELECT count(*) FROM member"), "1");
  EXPECT_EQ(file_.Result("INSERT INTO member VALUES (7, NULL)"), "FOREIGN KEY constraint failed");
  file_.Run("INSERT INTO teams VALUES (2, 'blue')");
  EXPECT_EQ(file_.Text("SELECT count(*) FROM member"), "2");
  EXPECT_EQ(file_.Text("SELECT group_concat(name) FROM names"), "red,blue");
}

TEST_F(SchemaTest, AViewOrTriggerIsNotBroken) {
  file_.Run(R"(CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT NOT NULL, x TEXT) STRICT;
               CREATE VIEW broken AS SELECT missing FROM teams;
               CREATE VIEW names AS SELECT x FROM teams;)");
  ExpectRefused<Team>("could not be used any more: the view names: no such column: x",
                      {.allow = {"drop teams.x"}});
  file_.Run(R"(DROP VIEW names; CREATE TABLE log (x);
               CREATE TRIGGER t AFTER UPDATE ON teams BEGIN INSERT INTO log VALUES (new.x); END)");
  ExpectRefused<Team>("could not be used any more: a trigger of teams: no such column: new.x",
                      {.allow = {"drop teams.x"}});
}

TEST_F(SchemaTest, NumbersThatWereGivenAreNotGivenAgain) {
  ExpectMigrated<Person, Team>();
  file_.Run(R"(INSERT INTO people (id, name) VALUES (41, 'Ada'), (42, 'Bob');
               DELETE FROM people; ALTER TABLE people ADD COLUMN x TEXT)");
  ExpectMigrated<Person, Team>({.allow = {"drop people.x"}});
  file_.Run("INSERT INTO people (name) VALUES ('Cy')");
  EXPECT_EQ(file_.Text("SELECT id FROM people"), "43");
}

TEST_F(SchemaTest, AUniqueIndexGoesIfAllowed) {
  file_.Run(std::string(kTeams) + "; CREATE UNIQUE INDEX one ON teams (name)");
  ExpectRefused<Team>("teams: has the unique index one in the file (to allow: \"drop index one\")");
  ExpectMigrated<Team>({.allow = {"drop index one"}});
}

TEST_F(SchemaTest, AViewOfTheNameIsRefused) {
  file_.Run("CREATE VIEW teams AS SELECT 1");
  ExpectRefused<Team>("teams: is a view");
}

TEST_F(SchemaTest, ADryRunTellsAndDoesNothing) {
  file_.Run("CREATE TABLE teams (id INTEGER PRIMARY KEY) STRICT");
  const std::string before = file_.Dump();
  auto db = Database::Open(file_.path());
  ASSERT_TRUE(db.ok()) << db.status();
  absl::StatusOr<SchemaReport> report = (*db)->Migrate(Schema::Of<Team>(), {.mode = Mode::kDryRun});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->sql,
            std::vector<std::string>{R"(ALTER TABLE "teams" ADD COLUMN "name" TEXT NOT NULL)"});
  EXPECT_EQ(file_.Dump(), before);
  report = (*db)->Migrate(Schema::Of<Team>());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->sql.size(), 1u);
  file_.Run("ALTER TABLE teams ADD COLUMN x TEXT");
  report = (*db)->Migrate(Schema::Of<Team>(), {.mode = Mode::kDryRun});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->sql.empty());
  ASSERT_EQ(report->refused.size(), 1u);
  EXPECT_EQ(report->refused[0].where, "teams.x");
  EXPECT_EQ(report->refused[0].allow, (std::vector<std::string>{"drop teams.x", "keep teams.x"}));
  report = (*db)->Migrate(Schema::Of<Team>(), {.mode = Mode::kDryRun, .allow = {"drop teams.x"}});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->sql.size(), 4u);
}

TEST_F(SchemaTest, ReadingOnlyChecks) {
  file_.Run("CREATE TABLE teams (id INTEGER PRIMARY KEY) STRICT");
  const Schema schema = Schema::Of<Team>();
  EXPECT_EQ(Database::Open(file_.path(), schema, {.read_only = true}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  ExpectMigrated<Team>();
  EXPECT_TRUE(Database::Open(file_.path(), schema, {.read_only = true}).ok());
}

std::vector<Migration> Migrations() {
  return {{.version = 1,
           .name = "title",
           .up = "ALTER TABLE teams RENAME COLUMN title TO name",
           .down = "ALTER TABLE teams RENAME COLUMN name TO title"},
          {.version = 4,
           .name = "shout",
           .up = "UPDATE teams SET name = upper(name); INSERT INTO teams (name) VALUES ('new')",
           .down = "DELETE FROM teams WHERE name = 'new'"},
          {.version = 5, .name = "nothing", .up = "", .down = "-- Nothing."}};
}

constexpr char kTitles[] = R"(
    CREATE TABLE teams (id INTEGER PRIMARY KEY, title TEXT NOT NULL) STRICT;
    INSERT INTO teams VALUES (1, 'red');)";

TEST_F(SchemaTest, AfterMigrationsTransactionsAreStillThoseOfTransact) {
  file_.Run(kTeams);
  auto db = Database::Open(file_.path());
  ASSERT_TRUE(db.ok()) << db.status();
  const auto report = (*db)->Migrate(
      Schema::Of<Team>({{.version = 1, .name = "", .up = "DELETE FROM teams", .down = ""}}));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ((*db)->Execute("BEGIN").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SchemaTest, MigrationsRunOnceAndInOrder) {
  file_.Run(kTitles);
  for (int i = 0; i < 2; ++i) {
    ExpectMigrated<Team>({}, Migrations());
    EXPECT_EQ(file_.Text("SELECT group_concat(name) FROM teams"), "RED,new");
    EXPECT_EQ(file_.Text("PRAGMA user_version"), "5");
  }
}

TEST_F(SchemaTest, MigrationsGoBack) {
  file_.Run(kTitles);
  ExpectMigrated<Team>({}, Migrations());
  ASSERT_EQ(Open<Team>({.version = 1}, Migrations()), absl::OkStatus());
  EXPECT_EQ(file_.Text("SELECT group_concat(name) FROM teams"), "RED");
  EXPECT_EQ(file_.Text("PRAGMA user_version"), "1");
  ASSERT_EQ(Open<Team>({.version = 0}, Migrations()), absl::OkStatus());
  EXPECT_EQ(file_.Text("SELECT group_concat(title) FROM teams"), "RED");
  ASSERT_EQ(Open<Team>({.version = 4}, Migrations()), absl::OkStatus());
  EXPECT_EQ(file_.Text("PRAGMA user_version"), "4");
  EXPECT_EQ(Open<Team>({.version = 3}, Migrations()).code(), absl::StatusCode::kInvalidArgument);
  std::vector<Migration> one_way = Migrations();
  one_way[0].down = {};
  ExpectRefused<Team>("there is no way back from version 1", {.version = 0}, one_way);
}

TEST_F(SchemaTest, ANewFileHasHadAllMigrations) {
  ExpectMigrated<Team>({}, Migrations());
  EXPECT_EQ(file_.Text("PRAGMA user_version"), "5");
  EXPECT_EQ(file_.Text("SELECT count(*) FROM teams"), "0");
}

TEST_F(SchemaTest, AMigrationThatFailsDoesNothing) {
  file_.Run(kTitles);
  std::vector<Migration> migrations = Migrations();
  migrations[1].up = "UPDATE teams SET name = 'x'; INSERT INTO teams VALUES (1, 'y')";
  const absl::Status status = Open<Team>({}, migrations);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_NE(status.message().find("migration from version 1 to 4: UNIQUE constraint failed: "
                                  "teams.id, in:  INSERT INTO teams VALUES (1, 'y')"),
            std::string::npos)
      << status;
  EXPECT_EQ(file_.Text("SELECT name FROM teams"), "red");
  EXPECT_EQ(file_.Text("PRAGMA user_version"), "1");
}

TEST_F(SchemaTest, AMigrationEndsNoTransactionAndLeavesNoBrokenReference) {
  file_.Run(kTitles);
  for (const char* sql : {"DELETE FROM teams; COMMIT", "ROLLBACK", "SAVEPOINT a", "BEGIN"}) {
    ExpectRefused<Team>("a migration begins and ends no transaction", {},
                        {{.version = 1, .name = "", .up = sql}});
  }
  ExpectRefused<Team>("child: would refer to rows of teams that are not there", {},
                      {{.version = 1,
                        .name = "",
                        .up = "CREATE TABLE child (id INTEGER PRIMARY KEY REFERENCES teams (id));"
                              "INSERT INTO child VALUES (9)"}});
}

TEST_F(SchemaTest, AFileOfANewerProgramIsRefused) {
  ExpectMigrated<Team>({}, Migrations());
  std::vector<Migration> older = Migrations();
  older.pop_back();
  ExpectRefused<Team>("the file has version 5, and the last that is known here is 4", {}, older);
}

TEST_F(SchemaTest, MigrationsHaveRisingNumbers) {
  for (const std::int32_t version : {-1, 0, 4}) {
    std::vector<Migration> migrations = Migrations();
    migrations[2].version = version;
    EXPECT_EQ(Open<Team>({}, migrations).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(SchemaTest, ADryRunOfMigrationsListsThem) {
  file_.Run(kTitles);
  auto db = Database::Open(file_.path());
  ASSERT_TRUE(db.ok()) << db.status();
  const auto report = (*db)->Migrate(Schema::Of<Team>(Migrations()), {.mode = Mode::kDryRun});
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->sql.size(), 6u);
  EXPECT_EQ(report->sql[0], Migrations()[0].up);
  EXPECT_EQ(report->sql[5], "PRAGMA user_version = 5");
  EXPECT_EQ(file_.Text("PRAGMA user_version"), "0");
}

TEST_F(SchemaTest, OfSeveralThatOpenAFileOneChangesIt) {
  file_.Run(kTitles);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back(
        [&] { EXPECT_EQ((Open<Team, Person>({}, Migrations())), absl::OkStatus()); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(file_.Text("SELECT group_concat(name) FROM teams"), "RED,new");
}

TEST(SqlTokensTest, SpellingIsTakenAway) {
  EXPECT_EQ(internal::NormalSql("A  /* x */ >=-- y\n \"b\"+[c] || 'It''s (X)' `D E` x'0A' 1.5e-3"),
            "a > = b + c | | 'It''s (X)' `d e` x'0a' 1.5e-3");
  EXPECT_EQ(internal::NormalSql("'open"), "'open");
  EXPECT_EQ(internal::NormalSql("/* open"), "");
}

TEST(SqlTokensTest, ChecksAndExpressionsAreFoundWhereverTheyStand) {
  const internal::CreateTableTexts texts = internal::ReadCreateTable(
      "CREATE TABLE \"a(b\" (x INT CHECK (x IN (1, ')')) DEFAULT (1), \"check\" (20), "
      "y AS (x + 1) STORED, z TEXT GENERATED ALWAYS AS (upper(y)), CONSTRAINT c CHECK (x > 0) "
      "CHECK (x < 9)) STRICT");
  EXPECT_EQ(texts.checks, (std::vector<std::string>{"x in ( 1 , ')' )", "x > 0", "x < 9"}));
  ASSERT_EQ(texts.generated.size(), 2u);
  EXPECT_EQ(texts.generated[0].column, "y");
  EXPECT_EQ(texts.generated[0].expression, "x + 1");
  EXPECT_EQ(texts.generated[1].column, "z");
}

}  // namespace
}  // namespace strata::orm
