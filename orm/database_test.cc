#include "strata/orm/database.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "gtest/gtest.h"
#include "sqlite3.h"
#include "strata/orm/testing/sample.h"

namespace app {

enum class TeamId : std::int64_t {};

struct Team {
  TeamId id{};
  std::string name;
};
STRATA_TABLE((Team, Named("teams")), id, (name, Unique()));

struct Person {
  std::int64_t id = 0;
  std::string name;
  std::optional<std::string> email;
  std::optional<TeamId> team;
  std::int32_t age = 0;
  std::chrono::sys_time<std::chrono::microseconds> created;
  std::chrono::sys_time<std::chrono::microseconds> modified;
  std::uint8_t version = 0;
  std::string shout;
};
STRATA_TABLE((Person, Named("people"), Index("name", "age").Where("age > 0"),
              Check("length(name) <> 5")),
             id,
             (name, MaxLength(8), Collate("NOCASE"), Indexed(),
              Validate([](const std::string& text) { return text != "root"; }, "is reserved"),
              Filter([](std::string& text) { text.erase(0, text.find_first_not_of(' ')); })),
             (email, Unique()), (team, References<Team>(), OnDelete(kRestrict)),
             (age, Default(7), Check("age >= 0")), (created, CreatedAt()), (modified, ModifiedAt()),
             (version, Version()), (shout, Generated("upper(name)")));

struct Pair {
  std::string left;
  strata::orm::Uuid right;
  std::int64_t value = 0;
};
STRATA_TABLE(Pair, (left, PrimaryKey()), (right, PrimaryKey()), value);

struct Tiny {
  std::uint8_t id = 0;
  std::optional<std::string> text;
};
STRATA_TABLE(Tiny, (id, Autoincrement()), (text, NotNull()));

struct Note {
  std::string text;
  std::int64_t id = 0;
  std::int64_t more = 0;
};
STRATA_TABLE(Note, text, id, more);

struct Counter {
  std::int64_t id = 0;
};
STRATA_TABLE(Counter, id);

// No row gets a key by itself, as 0 is against the rule of the key.
struct Chosen {
  std::int64_t id = 0;
  std::string text;
};
STRATA_TABLE(Chosen,
             (id, Validate([](const std::int64_t& id) { return id > 0; }, "is to be chosen")),
             text);

struct Only {
  std::string key;
};
STRATA_TABLE(Only, (key, PrimaryKey()));

// A team as another program had it.
struct OtherTeam {
  std::int64_t id = 0;
  std::int64_t name = 0;
};
STRATA_TABLE((OtherTeam, Named("teams")), id, name);

struct WiderTeam {
  std::int64_t id = 0;
  std::string name;
  std::string motto;
};
STRATA_TABLE((WiderTeam, Named("teams")), id, (name, Unique()), (motto, Default("none")));

}  // namespace app

namespace strata::orm {
namespace {

using app::Person;
using app::Team;
using app::TeamId;

std::unique_ptr<Database> OpenMemory() {
  absl::StatusOr<std::unique_ptr<Database>> db = Database::Open(":memory:");
  EXPECT_TRUE(db.ok()) << db.status();
  return *std::move(db);
}

std::string FreshPath(const char* name) {
  const std::string path = ::testing::TempDir() + "/" + name;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    std::filesystem::remove(path + suffix);
  }
  return path;
}

class DatabaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(db_->Create<Team>(), absl::OkStatus());
    ASSERT_EQ(db_->Create<Person>(), absl::OkStatus());
  }

  Person Ada() {
    Person ada;
    ada.name = "Ada";
    EXPECT_EQ(db_->Insert(&ada), absl::OkStatus());
    return ada;
  }

  std::unique_ptr<Database> db_ = OpenMemory();
};

testing::Sample MakeSample() {
  testing::Sample sample;
  sample.flag = true;
  sample.i8 = -128;
  sample.i16 = -32768;
  sample.i32 = std::numeric_limits<std::int32_t>::min();
  sample.u8 = 255;
  sample.u16 = 65535;
  sample.u32 = std::numeric_limits<std::uint32_t>::max();
  sample.u64 = std::numeric_limits<std::int64_t>::max();
  sample.single = 1.5F;
  sample.real = -0.1;
  sample.text = std::string("N\xC3\xA9\0 '\"x", 8);
  sample.blob = {std::byte{0}, std::byte{255}};
  sample.amount = Currency::FromTenThousandths(-12345);
  sample.uuid = Uuid::V7();
  sample.day = std::chrono::sys_days(std::chrono::days(20000));
  sample.moment = std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(-7));
  sample.moment_text =
      std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(1234567));
  sample.span = std::chrono::seconds(9);
  sample.color = testing::Color::kGreen;
  sample.color_text = testing::Color::kGreen;
  sample.maybe = -1;
  sample.maybe_text = "";
  sample.maybe_uuid = Uuid::V4();
  sample.json.text = R"({"a":[1,2]})";
  sample.point = {1, 2};
  sample.points = {{3, 4}, {5, 6}};
  sample.numbers = {1, std::nullopt};
  sample.tree = testing::Node{"root", {{"leaf", {}}}};
  return sample;
}

TEST_F(DatabaseTest, ARowOfEveryKindComesBackTheSame) {
  ASSERT_EQ(db_->Create<testing::Sample>(), absl::OkStatus());
  testing::Sample full = MakeSample();
  testing::Sample empty;
  ASSERT_EQ(db_->Insert(&full), absl::OkStatus());
  ASSERT_EQ(db_->Insert(&empty), absl::OkStatus());
  EXPECT_EQ(full.id, 1);
  EXPECT_EQ(empty.id, 2);
  EXPECT_EQ(*db_->Get<testing::Sample>(1), full);
  EXPECT_EQ(*db_->Get<testing::Sample>(2), empty);
}

TEST_F(DatabaseTest, ARealThatIsInfiniteIsKept) {
  ASSERT_EQ(db_->Create<testing::Sample>(), absl::OkStatus());
  testing::Sample sample;
  sample.real = std::numeric_limits<double>::infinity();
  sample.single = -std::numeric_limits<float>::infinity();
  ASSERT_EQ(db_->Insert(&sample), absl::OkStatus());
  EXPECT_EQ(*db_->Get<testing::Sample>(1), sample);
}

TEST_F(DatabaseTest, RefusesWhatSqliteWouldChange) {
  ASSERT_EQ(db_->Create<testing::Sample>(), absl::OkStatus());
  testing::Sample sample;
  sample.real = std::nan("");
  EXPECT_EQ(db_->Insert(&sample), absl::InvalidArgumentError("Sample.real: SQLite has no NaN"));
  sample = {};
  sample.text = "\xC3";
  EXPECT_EQ(db_->Insert(&sample), absl::InvalidArgumentError("Sample.text: the text is no UTF-8"));
  sample = {};
  sample.u64 = std::uint64_t{1} << 63;
  EXPECT_EQ(db_->Insert(&sample).code(), absl::StatusCode::kOutOfRange);
  sample = {};
  sample.color_text = static_cast<testing::Color>(3);
  EXPECT_EQ(db_->Insert(&sample).code(), absl::StatusCode::kInvalidArgument);
  sample = {};
  sample.json.text = "{";
  EXPECT_EQ(db_->Insert(&sample).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(sample.id, 0);
  EXPECT_EQ(*db_->Count<testing::Sample>(), 0);
}

TEST_F(DatabaseTest, AnInsertFillsTheRow) {
  const Person ada = Ada();
  EXPECT_EQ(ada.id, 1);
  EXPECT_EQ(ada.version, 1);
  EXPECT_NE(ada.created.time_since_epoch().count(), 0);
  EXPECT_NE(ada.modified.time_since_epoch().count(), 0);
  const absl::StatusOr<Person> read = db_->Get<Person>(1);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->created, ada.created);
  EXPECT_EQ(read->modified, ada.modified);
  EXPECT_EQ(read->version, 1);
  EXPECT_EQ(read->shout, "ADA");
}

TEST_F(DatabaseTest, AKeyThatIsGivenIsKept) {
  Person person;
  person.id = -5;
  ASSERT_EQ(db_->Insert(&person), absl::OkStatus());
  EXPECT_EQ(person.id, -5);
  EXPECT_TRUE(db_->Get<Person>(-5).ok());
  person.name = "second";
  EXPECT_EQ(db_->Insert(&person).code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(DatabaseTest, AnUpdateWritesAllFieldsButTheTimeOfTheInsert) {
  Person ada = Ada();
  const Person before = ada;
  ada.name = "Adah";
  ada.age = 36;
  ada.created = {};
  ASSERT_EQ(db_->Update(&ada), absl::OkStatus());
  EXPECT_EQ(ada.version, 2);
  EXPECT_GE(ada.modified, before.modified);
  const Person read = *db_->Get<Person>(1);
  EXPECT_EQ(read.name, "Adah");
  EXPECT_EQ(read.age, 36);
  EXPECT_EQ(read.created, before.created);
  EXPECT_EQ(read.version, 2);
  EXPECT_EQ(read.modified, ada.modified);
}

TEST_F(DatabaseTest, AnUpdateOfNamedFieldsWritesNoOthers) {
  Person ada = Ada();
  ada.name = "Other";
  ada.age = 36;
  ada.email = "a@b";
  ASSERT_EQ(db_->Update(&ada, {&Person::email, &Person::age}), absl::OkStatus());
  const Person read = *db_->Get<Person>(1);
  EXPECT_EQ(read.name, "Ada");
  EXPECT_EQ(read.age, 36);
  EXPECT_EQ(read.email, "a@b");
  EXPECT_EQ(read.version, 2);
}

TEST_F(DatabaseTest, AnUpdateDoesNotSetWhatTheDatabaseSets) {
  Person ada = Ada();
  EXPECT_EQ(db_->Update(&ada, {&Person::id}),
            absl::InvalidArgumentError("people.id: an update does not set it"));
  EXPECT_EQ(db_->Update(&ada, {&Person::created}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(db_->Update(&ada, {&Person::version}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(db_->Update(&ada, {&Person::shout}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(db_->Update(&ada, {}).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(DatabaseTest, OfTwoUpdatesOfOneVersionTheSecondIsAborted) {
  Person first = Ada();
  Person second = *db_->Get<Person>(1);
  ASSERT_EQ(db_->Update(&first), absl::OkStatus());
  second.age = 9;
  EXPECT_EQ(db_->Update(&second).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(db_->Update(&second, {&Person::age}).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(second.version, 1);
  EXPECT_EQ(db_->Get<Person>(1)->age, 0);
}

TEST_F(DatabaseTest, VersionsEndWithTheirType) {
  Person ada = Ada();
  for (int i = 0; i < 254; ++i) ASSERT_EQ(db_->Update(&ada), absl::OkStatus());
  EXPECT_EQ(ada.version, 255);
  EXPECT_EQ(db_->Update(&ada), absl::OutOfRangeError("people.version: no version is left"));
}

TEST_F(DatabaseTest, WhatIsNotThereIsNotFound) {
  Person person;
  EXPECT_EQ(db_->Get<Person>(1).status(), absl::NotFoundError("people: no row has this key"));
  EXPECT_EQ(db_->Update(&person).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(db_->Delete<Person>(1).code(), absl::StatusCode::kNotFound);
}

TEST_F(DatabaseTest, AnUpsertInsertsOrUpdates) {
  Person person;
  person.name = "Bob";
  ASSERT_EQ(db_->Upsert(&person), absl::OkStatus());
  EXPECT_EQ(person.id, 1);
  EXPECT_EQ(person.version, 1);
  Person other;
  other.id = 1;
  other.name = "Bobby";
  other.version = 77;
  other.name += "!";
  ASSERT_EQ(db_->Upsert(&other), absl::OkStatus());
  EXPECT_EQ(other.version, 2);
  EXPECT_EQ(other.created, person.created);
  const Person read = *db_->Get<Person>(1);
  EXPECT_EQ(read.name, "Bobby!");
  EXPECT_EQ(read.version, 2);
  EXPECT_EQ(read.created, person.created);
  EXPECT_EQ(*db_->Count<Person>(), 1);
}

TEST_F(DatabaseTest, AnUpsertOfAnotherRowsUniqueValueIsRefused) {
  Person ada = Ada();
  ada.email = "a@b";
  ASSERT_EQ(db_->Update(&ada), absl::OkStatus());
  Person other;
  other.email = "a@b";
  EXPECT_EQ(db_->Upsert(&other).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(other.id, 0);
}

TEST_F(DatabaseTest, ATableCanBeAKeyAlone) {
  ASSERT_EQ(db_->Create<app::Only>(), absl::OkStatus());
  app::Only only{"x"};
  EXPECT_EQ(db_->Upsert(&only), absl::OkStatus());
  EXPECT_EQ(db_->Upsert(&only), absl::OkStatus());
  EXPECT_EQ(db_->Update(&only).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(*db_->Count<app::Only>(), 1);
}

TEST_F(DatabaseTest, AKeyCanHaveSeveralColumns) {
  ASSERT_EQ(db_->Create<app::Pair>(), absl::OkStatus());
  const Uuid uuid = Uuid::V7();
  app::Pair pair{"l", uuid, 5};
  ASSERT_EQ(db_->Insert(&pair), absl::OkStatus());
  EXPECT_EQ(db_->Insert(&pair).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(db_->Get<app::Pair>("l", uuid)->value, 5);
  pair.value = 6;
  ASSERT_EQ(db_->Update(&pair), absl::OkStatus());
  EXPECT_EQ(db_->Get<app::Pair>(std::string("l"), uuid)->value, 6);
  EXPECT_EQ(db_->Get<app::Pair>("l", Uuid()).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(db_->Delete<app::Pair>(std::string_view("l"), uuid), absl::OkStatus());
  EXPECT_EQ(*db_->Count<app::Pair>(), 0);
}

TEST_F(DatabaseTest, KeysAreTyped) {
  static_assert(internal::FitsKey<Person, int>());
  static_assert(!internal::FitsKey<Person, TeamId>());
  static_assert(!internal::FitsKey<Person, std::string>());
  static_assert(!internal::FitsKey<Person>());
  static_assert(internal::FitsKey<Team, TeamId>());
  static_assert(!internal::FitsKey<Team, int>());
  static_assert(internal::FitsKey<app::Pair, const char*, Uuid>());
  static_assert(!internal::FitsKey<app::Pair, Uuid, const char*>());
}

TEST_F(DatabaseTest, FiltersComeBeforeRules) {
  Person person;
  person.name = "      12345678";
  ASSERT_EQ(db_->Insert(&person), absl::OkStatus());
  EXPECT_EQ(person.name, "12345678");
  EXPECT_EQ(person.id, 1);
  EXPECT_EQ(person.version, 1);
  EXPECT_EQ(db_->Get<Person>(1)->name, "12345678");
}

TEST_F(DatabaseTest, AWriteThatFailsLeavesTheStruct) {
  Person person;
  person.name = "  root";
  EXPECT_EQ(db_->Insert(&person), absl::InvalidArgumentError("people.name: is reserved"));
  EXPECT_EQ(person.name, "  root");
  EXPECT_EQ(person.version, 0);
  EXPECT_EQ(person.id, 0);
}

TEST_F(DatabaseTest, LengthsCountCharacters) {
  Person person;
  person.name = "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9";
  EXPECT_EQ(db_->Insert(&person), absl::OkStatus());
  person = {};
  person.name = "123456789";
  EXPECT_EQ(db_->Insert(&person), absl::InvalidArgumentError("people.name: longer than 8"));
}

TEST_F(DatabaseTest, ErrorsNameConstraintTableAndColumn) {
  Person ada = Ada();
  ada.email = "a@b";
  ASSERT_EQ(db_->Update(&ada), absl::OkStatus());
  Person bob;
  bob.email = "a@b";
  EXPECT_EQ(db_->Insert(&bob),
            absl::AlreadyExistsError("people: UNIQUE constraint failed: people.email"));
  bob = {};
  bob.age = -1;
  EXPECT_EQ(db_->Insert(&bob),
            absl::InvalidArgumentError("people: CHECK constraint failed: people.age"));
  bob = {};
  bob.name = "12345";
  EXPECT_EQ(db_->Insert(&bob),
            absl::InvalidArgumentError("people: CHECK constraint failed: people"));
  ASSERT_EQ(db_->Create<app::Tiny>(), absl::OkStatus());
  app::Tiny tiny;
  EXPECT_EQ(db_->Insert(&tiny), absl::InvalidArgumentError("Tiny.text: NOT NULL: is empty"));
}

TEST_F(DatabaseTest, AReferenceToNothingIsNamed) {
  Person ada = Ada();
  ada.team = TeamId{4};
  EXPECT_EQ(db_->Update(&ada),
            absl::FailedPreconditionError("people.team: FOREIGN KEY constraint failed: no row of "
                                          "teams has this key"));
  Person bob;
  bob.team = TeamId{4};
  EXPECT_EQ(db_->Insert(&bob).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(DatabaseTest, ARowThatIsReferredToStays) {
  Team team{{}, "red"};
  ASSERT_EQ(db_->Insert(&team), absl::OkStatus());
  Person person;
  person.team = team.id;
  ASSERT_EQ(db_->Insert(&person), absl::OkStatus());
  EXPECT_EQ(db_->Delete<Team>(team.id),
            absl::FailedPreconditionError("teams: FOREIGN KEY constraint failed: people.team "
                                          "refers to the row"));
  ASSERT_EQ(db_->Delete<Person>(person.id), absl::OkStatus());
  EXPECT_EQ(db_->Delete<Team>(team.id), absl::OkStatus());
}

TEST_F(DatabaseTest, AKeyOfFewBitsEndsThere) {
  ASSERT_EQ(db_->Create<app::Tiny>(), absl::OkStatus());
  app::Tiny tiny{254, "x"};
  ASSERT_EQ(db_->Insert(&tiny), absl::OkStatus());
  tiny.id = 0;
  ASSERT_EQ(db_->Insert(&tiny), absl::OkStatus());
  EXPECT_EQ(tiny.id, 255);
  tiny.id = 0;
  EXPECT_EQ(db_->Insert(&tiny),
            absl::InvalidArgumentError("Tiny: CHECK constraint failed: Tiny.id"));
  EXPECT_EQ(tiny.id, 0);
  EXPECT_EQ(*db_->Count<app::Tiny>(), 2);
}

TEST_F(DatabaseTest, CreateTwiceIsOnce) {
  Ada();
  EXPECT_EQ(db_->Create<Person>(), absl::OkStatus());
  EXPECT_EQ(*db_->Count<Person>(), 1);
}

TEST_F(DatabaseTest, CreateRefusesAnotherTableOfTheName) {
  const absl::Status status = db_->Create<app::OtherTeam>();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("\nteams.name: is TEXT in the file, not INTEGER"),
            std::string::npos)
      << status;
}

TEST_F(DatabaseTest, CreateAddsWhatATableLacks) {
  Team team{{}, "red"};
  ASSERT_EQ(db_->Insert(&team), absl::OkStatus());
  ASSERT_EQ(db_->Transact([](Transaction& t) { return t.Create<app::WiderTeam>(); }),
            absl::OkStatus());
  EXPECT_EQ(db_->Get<app::WiderTeam>(1)->motto, "none");
}

TEST_F(DatabaseTest, ManyRowsAreInsertedAtOnce) {
  ASSERT_EQ(db_->Create<testing::Sample>(), absl::OkStatus());
  std::vector<testing::Sample> samples(2500, MakeSample());
  for (std::size_t i = 0; i < samples.size(); i += 2) samples[i] = {};
  ASSERT_EQ(db_->InsertAll(samples), absl::OkStatus());
  EXPECT_EQ(*db_->Count<testing::Sample>(), 2500);
  for (const std::size_t i : {0, 1, 999, 1000, 2499}) {
    testing::Sample expected = samples[i];
    expected.id = static_cast<std::int64_t>(i) + 1;
    EXPECT_EQ(*db_->Get<testing::Sample>(i + 1), expected) << i;
  }
  EXPECT_EQ(db_->InsertAll(std::vector<testing::Sample>()), absl::OkStatus());
}

TEST_F(DatabaseTest, OfManyRowsAWrongOneIsNamedAndNoneInserted) {
  ASSERT_EQ(db_->Create<app::Pair>(), absl::OkStatus());
  std::vector<app::Pair> pairs(2000);
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i].left = std::to_string(i);
  pairs[1700].left = "5";
  EXPECT_EQ(
      db_->InsertAll(pairs),
      absl::AlreadyExistsError("row 1700: Pair: UNIQUE constraint failed: Pair.left, Pair.right"));
  EXPECT_EQ(*db_->Count<app::Pair>(), 0);
  pairs[1700].left = "\xFF";
  EXPECT_EQ(db_->InsertAll(pairs),
            absl::InvalidArgumentError("row 1700: Pair.left: the text is no UTF-8"));
  pairs[1700].left = "x";
  EXPECT_EQ(db_->InsertAll(pairs), absl::OkStatus());
  EXPECT_EQ(*db_->Count<app::Pair>(), 2000);
}

TEST_F(DatabaseTest, KeysAreMadeWhereTheyAreNotGiven) {
  ASSERT_EQ(db_->Create<app::Note>(), absl::OkStatus());
  app::Note note{"a", 0, 1};
  ASSERT_EQ(db_->Insert(&note), absl::OkStatus());
  EXPECT_EQ(note.id, 1);
  note = {"b", 7, 2};
  ASSERT_EQ(db_->Insert(&note), absl::OkStatus());
  EXPECT_EQ(db_->Insert(&note).code(), absl::StatusCode::kAlreadyExists);
  note = {"c", 0, 3};
  ASSERT_EQ(db_->Upsert(&note), absl::OkStatus());
  EXPECT_EQ(note.id, 8);
  const std::vector<app::Note> made = {{"d", 0, 4}, {"e", 0, 5}};
  const std::vector<app::Note> mixed = {{"f", 0, 6}, {"g", 20, 7}, {"h", 0, 8}};
  ASSERT_EQ(db_->InsertAll(made), absl::OkStatus());
  ASSERT_EQ(db_->InsertAll(mixed), absl::OkStatus());
  const auto rows = db_->Query<std::tuple<std::int64_t, std::string, std::int64_t>>(
      "SELECT id, text, more FROM Note ORDER BY id");
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(*rows,
            (std::vector<std::tuple<std::int64_t, std::string, std::int64_t>>{{1, "a", 1},
                                                                              {7, "b", 2},
                                                                              {8, "c", 3},
                                                                              {9, "d", 4},
                                                                              {10, "e", 5},
                                                                              {11, "f", 6},
                                                                              {20, "g", 7},
                                                                              {21, "h", 8}}));
  // A table may have nothing but its key, and a key may have rules.
  ASSERT_EQ(db_->Create<app::Counter>(), absl::OkStatus());
  app::Counter counter;
  ASSERT_EQ(db_->Insert(&counter), absl::OkStatus());
  ASSERT_EQ(db_->InsertAll(std::vector<app::Counter>(2)), absl::OkStatus());
  EXPECT_EQ(*db_->Count<app::Counter>(), 3);
  ASSERT_EQ(db_->Create<app::Chosen>(), absl::OkStatus());
  app::Chosen chosen;
  const absl::Status refused = absl::InvalidArgumentError("Chosen.id: is to be chosen");
  EXPECT_EQ(db_->Insert(&chosen), refused);
  EXPECT_EQ(db_->InsertAll(std::vector<app::Chosen>(1)).message(),
            "row 0: Chosen.id: is to be chosen");
}

// What inserts use to get at rows is of no use to SQL of the caller.
TEST_F(DatabaseTest, SqlDoesNotSeeRowsThatAreBeingInserted) {
  ASSERT_EQ(db_->Create<app::Note>(), absl::OkStatus());
  ASSERT_EQ(db_->InsertAll(std::vector<app::Note>{{"a", 0, 1}}), absl::OkStatus());
  app::Note note{"b", 0, 2};
  ASSERT_EQ(db_->Insert(&note), absl::OkStatus());
  EXPECT_EQ(*db_->Query<std::optional<std::string>>("SELECT strata_field_Note_0()"),
            std::vector<std::optional<std::string>>{std::nullopt});
  EXPECT_EQ(*db_->Query<std::int64_t>("SELECT count(*) FROM strata_rows_Note"),
            std::vector<std::int64_t>{0});
  ASSERT_EQ(db_->Execute("CREATE TRIGGER spy AFTER INSERT ON Note BEGIN UPDATE Note SET more = "
                         "strata_field_Note_0(); END")
                .status(),
            absl::OkStatus());
  EXPECT_NE(db_->Insert(&note), absl::OkStatus());
}

TEST_F(DatabaseTest, ManyRowsFollowTheRulesToo) {
  ASSERT_EQ(db_->Create<app::Tiny>(), absl::OkStatus());
  std::vector<app::Tiny> tinies(3, app::Tiny{0, "x"});
  tinies[2].text.reset();
  EXPECT_EQ(db_->InsertAll(tinies),
            absl::InvalidArgumentError("row 2: Tiny.text: NOT NULL: is empty"));
  std::vector<Person> people(2);
  people[0].name = "   Ada";
  people[1].team = TeamId{3};
  EXPECT_EQ(db_->InsertAll(people).code(), absl::StatusCode::kFailedPrecondition);
  people[1].team.reset();
  ASSERT_EQ(db_->InsertAll(people), absl::OkStatus());
  EXPECT_EQ(people[0].name, "   Ada");
  const Person ada = *db_->Get<Person>(1);
  EXPECT_EQ(ada.name, "Ada");
  EXPECT_EQ(ada.version, 1);
  EXPECT_NE(ada.created.time_since_epoch().count(), 0);
}

TEST_F(DatabaseTest, TextsAreNeverSql) {
  Person person;
  person.email = "x'); DROP TABLE people; --";
  ASSERT_EQ(db_->Insert(&person), absl::OkStatus());
  EXPECT_EQ(db_->Get<Person>(1)->email, person.email);
  EXPECT_EQ(*db_->Count<Person>(), 1);
}

TEST_F(DatabaseTest, ThreadsTakeTurns) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        Person person;
        ASSERT_EQ(db_->Insert(&person), absl::OkStatus());
        ASSERT_EQ(db_->Get<Person>(person.id)->id, person.id);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*db_->Count<Person>(), 200);
}

TEST(DatabaseFileTest, WritesAreThereAfterOpeningAgain) {
  const std::string path = FreshPath("again.db");
  {
    auto db = Database::Open(path);
    ASSERT_TRUE(db.ok()) << db.status();
    ASSERT_EQ((*db)->Create<Team>(), absl::OkStatus());
    Team team{{}, "red"};
    ASSERT_EQ((*db)->Insert(&team), absl::OkStatus());
    EXPECT_TRUE(std::filesystem::exists(path + "-wal"));
  }
  DatabaseOptions options;
  options.read_only = true;
  auto db = Database::Open(path, options);
  ASSERT_TRUE(db.ok()) << db.status();
  EXPECT_EQ((*db)->Get<Team>(TeamId{1})->name, "red");
  Team team{{}, "blue"};
  EXPECT_EQ((*db)->Insert(&team).code(), absl::StatusCode::kPermissionDenied);
}

TEST(DatabaseFileTest, EachJournalWorks) {
  for (const auto journal : {DatabaseOptions::Journal::kWal, DatabaseOptions::Journal::kDelete,
                             DatabaseOptions::Journal::kMemory}) {
    const std::string path = FreshPath("journal.db");
    DatabaseOptions options;
    options.journal = journal;
    options.exclusive = true;
    auto db = Database::Open(path, options);
    ASSERT_TRUE(db.ok()) << db.status();
    ASSERT_EQ((*db)->Create<Team>(), absl::OkStatus());
    Team team{{}, "red"};
    EXPECT_EQ((*db)->Insert(&team), absl::OkStatus());
  }
}

TEST(DatabaseFileTest, OpeningSaysWhatIsWrong) {
  EXPECT_EQ(Database::Open("").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Database::Open("/no/such/folder/x.db").status().code(), absl::StatusCode::kNotFound);
  DatabaseOptions options;
  options.create = false;
  EXPECT_EQ(Database::Open(FreshPath("none.db"), options).status().code(),
            absl::StatusCode::kNotFound);
  const std::string path = FreshPath("text.db");
  std::ofstream(path) << std::string(8192, 'x');
  EXPECT_EQ(Database::Open(path).status().code(), absl::StatusCode::kDataLoss);
}

TEST(DatabaseFileTest, ALockThatStaysIsUnavailable) {
  const std::string path = FreshPath("locked.db");
  DatabaseOptions options;
  options.busy_timeout = std::chrono::milliseconds(1);
  auto db = Database::Open(path, options);
  ASSERT_TRUE(db.ok()) << db.status();
  ASSERT_EQ((*db)->Create<Team>(), absl::OkStatus());
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  Team team{{}, "red"};
  EXPECT_EQ((*db)->Insert(&team).code(), absl::StatusCode::kUnavailable);
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ((*db)->Insert(&team), absl::OkStatus());
  sqlite3_close(other);
}

TEST(DatabaseFileTest, ValuesOfOtherProgramsAreChecked) {
  const std::string path = FreshPath("foreign.db");
  auto db = Database::Open(path);
  ASSERT_TRUE(db.ok()) << db.status();
  ASSERT_EQ((*db)->Create<testing::Sample>(), absl::OkStatus());
  testing::Sample sample;
  ASSERT_EQ((*db)->Insert(&sample), absl::OkStatus());
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
  const struct {
    const char* set;
    absl::StatusCode code;
  } cases[] = {
      {"i8 = 128", absl::StatusCode::kOutOfRange},
      {"i8 = 1, u64 = -1", absl::StatusCode::kOutOfRange},
      {"u64 = 1, flag = 2", absl::StatusCode::kOutOfRange},
      {"flag = 1, color_text = 'blue'", absl::StatusCode::kDataLoss},
      {"color_text = 'red', uuid = 'x'", absl::StatusCode::kDataLoss},
      {"uuid = '00000000-0000-0000-0000-000000000000', point = '{'", absl::StatusCode::kDataLoss},
      {"point = '{}', maybe_uuid = x'00'", absl::StatusCode::kDataLoss},
      {"maybe_uuid = NULL, single = 1e300", absl::StatusCode::kOutOfRange},
      {"single = 1", absl::StatusCode::kOk}};
  for (const auto& c : cases) {
    const std::string sql = std::string("UPDATE Sample SET ") + c.set;
    ASSERT_EQ(sqlite3_exec(other, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sql;
    EXPECT_EQ((*db)->Get<testing::Sample>(1).status().code(), c.code) << c.set;
  }
  sqlite3_close(other);
}

}  // namespace
}  // namespace strata::orm
