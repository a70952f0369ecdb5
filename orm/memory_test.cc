// The engine in memory: the calls of database.h on it, views, and its own errors. What it keeps on
// the disk is in memory_durability_test.cc.

#include "strata/orm/memory.h"

#include <atomic>
#include <cmath>
#include <limits>
#include <random>
#include <thread>

#include "gtest/gtest.h"
#include "strata/orm/batch.h"
#include "strata/orm/change_log.h"
#include "strata/orm/database.h"
#include "strata/orm/memory_value_internal.h"
#include "strata/orm/select.h"
#include "strata/orm/testing/sample.h"
#include "strata/orm/testing/seed.h"

namespace app {

enum class Level : std::int8_t { kLow = 1, kHigh = 2 };
STRATA_ENUM(Level, (kLow, "low"), (kHigh, "high"));

struct Person {
  std::int64_t id = 0;
  std::string name;
  std::optional<std::string> email;
  std::int32_t age = 0;
  std::optional<double> score;
  Level level = Level::kLow;
  std::chrono::sys_time<std::chrono::milliseconds> created;
  std::chrono::sys_time<std::chrono::milliseconds> modified;
  std::int64_t version = 0;

  friend bool operator==(const Person&, const Person&) = default;
};
STRATA_TABLE((Person, Named("people"), Index("score", "name"), UniqueIndex("name", "age")), id,
             (name, MaxLength(10), Indexed(), Collate("NOCASE")), (email, Unique()),
             (age, Indexed(), Validate([](std::int32_t age) { return age >= 0; }, "is negative")),
             score, (level, AsText()), (created, CreatedAt()), (modified, ModifiedAt()),
             (version, Version()));

struct Tag {
  std::string name;
  std::uint64_t weight = 0;
};
STRATA_TABLE(Tag, (name, PrimaryKey(), Collate("NOCASE"), Filter([](std::string& text) {
                     while (text.ends_with(' ')) text.pop_back();
                   })),
             (weight, Indexed()));

struct Membership {
  std::int64_t person = 0;
  strata::orm::Uuid group;
  std::string role;
};
STRATA_TABLE(Membership, (person, PrimaryKey()), (group, PrimaryKey()), role);

struct Small {
  std::uint8_t id = 0;
};
STRATA_TABLE(Small, id);

struct Checked {
  std::int64_t id = 0;
  int a = 0;
};
STRATA_TABLE(Checked, id, (a, Check("a > 0")));
struct CheckedTable {
  std::int64_t id = 0;
};
STRATA_TABLE((CheckedTable, Check("id > 0")), id);
struct Computed {
  std::int64_t id = 0;
  int a = 0;
};
STRATA_TABLE(Computed, id, (a, Generated("1")));
struct Referring {
  std::int64_t id = 0;
  std::string to;
};
STRATA_TABLE(Referring, id, (to, References<Checked>()));
struct Pet {
  std::int64_t id = 0;
  std::int64_t owner = 0;
  std::optional<std::int64_t> mother;
};
STRATA_TABLE(Pet, id, (owner, References<Person>(), OnDelete(kSetDefault), Default(1)),
             (mother, References<Pet>(), OnDelete(kCascade)));
struct Partial {
  std::int64_t id = 0;
  int a = 0;
};
STRATA_TABLE((Partial, Index("a").Where("a > 0")), id, a);
struct Collated {
  std::int64_t id = 0;
  std::string a;
};
STRATA_TABLE(Collated, id, (a, Collate("german")));
struct Nested {
  std::int64_t id = 0;
  std::vector<int> a;
};
STRATA_TABLE(Nested, id, (a, Unique()));
struct Followed {
  std::int64_t id = 0;
};
STRATA_TABLE((Followed, LogChanges()), id);
struct Rival {
  std::int64_t id = 0;
};
STRATA_TABLE((Rival, Named("PEOPLE")), id);

}  // namespace app

namespace strata::orm {
namespace {

using absl::StatusCode;
using app::Level;
using app::Membership;
using app::Person;
using app::Small;
using app::Tag;

class MemoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto db = MemoryDatabase::Open<Person, Tag, Membership, Small>(":memory:");
    ASSERT_TRUE(db.ok()) << db.status();
    db_ = *std::move(db);
  }

  static Person Named(std::string name, std::int32_t age = 0) {
    Person person;
    person.name = std::move(name);
    person.age = age;
    return person;
  }

  template <typename M>
  std::vector<std::string> NamesBetween(M Person::*column, const M& low, const M& high) {
    std::vector<std::string> names;
    const MemoryView view(db_.get());
    EXPECT_TRUE(
        view.Between(column, low, high, [&](const Person& each) { names.push_back(each.name); })
            .ok());
    return names;
  }

  std::unique_ptr<MemoryDatabase> db_;
};

TEST_F(MemoryTest, AnInsertSetsKeyTimesAndVersion) {
  Person ada = Named("Ada");
  ASSERT_TRUE(db_->Insert(&ada).ok());
  EXPECT_EQ(ada.id, 1);
  EXPECT_EQ(ada.version, 1);
  EXPECT_NE(ada.created.time_since_epoch().count(), 0);
  EXPECT_EQ(*db_->Get<Person>(1), ada);
  EXPECT_EQ(*db_->Count<Person>(), 1);
}

TEST_F(MemoryTest, AKeyIsNeverGivenOutTwice) {
  Person first = Named("a", 1), second = Named("a", 2);
  ASSERT_TRUE(db_->Insert(&first).ok());
  ASSERT_TRUE(db_->Delete<Person>(first.id).ok());
  ASSERT_TRUE(db_->Insert(&second).ok());
  EXPECT_EQ(second.id, first.id + 1);
  Person given = Named("a", 3), next = Named("a", 4);
  given.id = 100;
  ASSERT_TRUE(db_->Insert(&given).ok());
  ASSERT_TRUE(db_->Insert(&next).ok());
  EXPECT_EQ(next.id, 101);
}

TEST_F(MemoryTest, KeysEndWithTheField) {
  Small small{255};
  ASSERT_TRUE(db_->Insert(&small).ok());
  Small next;
  EXPECT_EQ(db_->Insert(&next).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(next.id, 0);
  EXPECT_EQ(db_->Get<Small>(std::uint64_t{1} << 40).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(db_->Get<Small>(~std::uint64_t{0}).status().code(), StatusCode::kNotFound);
}

TEST_F(MemoryTest, AnUpdateWritesAllFieldsOrThoseNamed) {
  Person ada = Named("Ada", 36);
  ASSERT_TRUE(db_->Insert(&ada).ok());
  Person changed = ada;
  changed.name = "Ada L.";
  changed.age = 37;
  changed.created = {};
  ASSERT_TRUE(db_->Update(&changed, {&Person::name}).ok());
  EXPECT_EQ(changed.version, 2);
  Person read = *db_->Get<Person>(ada.id);
  EXPECT_EQ(read.name, "Ada L.");
  EXPECT_EQ(read.age, 36);
  ASSERT_TRUE(db_->Update(&changed).ok());
  read = *db_->Get<Person>(ada.id);
  EXPECT_EQ(read.age, 37);
  EXPECT_EQ(read.created, ada.created);
  EXPECT_EQ(read.version, 3);
  EXPECT_EQ(db_->Update(&ada).code(), StatusCode::kAborted);
  EXPECT_EQ(db_->Update(&ada, {&Person::id}).code(), StatusCode::kInvalidArgument);
  ada.id = 17;
  EXPECT_EQ(db_->Update(&ada).code(), StatusCode::kNotFound);
}

TEST_F(MemoryTest, AnUpsertInsertsOrUpdates) {
  Person ada = Named("Ada", 36);
  ada.id = 5;
  ASSERT_TRUE(db_->Upsert(&ada).ok());
  EXPECT_EQ(ada.version, 1);
  Person again = Named("Ada", 40);
  again.id = 5;
  ASSERT_TRUE(db_->Upsert(&again).ok());
  EXPECT_EQ(again.version, 2);
  EXPECT_EQ(again.created, ada.created);
  EXPECT_EQ(*db_->Get<Person>(5), again);
  EXPECT_EQ(*db_->Count<Person>(), 1);
}

TEST_F(MemoryTest, UniqueValuesAreUnique) {
  Person a = Named("a"), b = Named("b"), c = Named("c");
  a.email = "x";
  b.email = "x";
  ASSERT_TRUE(db_->Insert(&a).ok());
  const absl::Status status = db_->Insert(&b);
  EXPECT_EQ(status.code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(status.message(), "people: UNIQUE constraint failed: people.email");
  EXPECT_EQ(b.id, 0);
  b.email.reset();
  ASSERT_TRUE(db_->Insert(&b).ok()) << "NULLs are not equal";
  ASSERT_TRUE(db_->Insert(&c).ok());
  c.name = "A";
  EXPECT_EQ(db_->Update(&c).message(), "people: UNIQUE constraint failed: people.name, people.age");
  c.name = "c";
  c.email = "x";
  EXPECT_EQ(db_->Update(&c).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(c.version, 1);
  ASSERT_TRUE(db_->Delete<Person>(a.id).ok());
  EXPECT_TRUE(db_->Update(&c).ok()) << "the value is free again";
  Person same = Named("same");
  same.id = c.id;
  EXPECT_EQ(db_->Insert(&same).message(), "people: UNIQUE constraint failed: people.id");
}

TEST_F(MemoryTest, RowsKeepToTheirRules) {
  Person person = Named("longer than ten");
  EXPECT_EQ(db_->Insert(&person).message(), "people.name: longer than 10");
  person = Named("a", -1);
  EXPECT_EQ(db_->Insert(&person).message(), "people.age: is negative");
  person = Named("\xff");
  EXPECT_EQ(db_->Insert(&person).message(), "people.name: the text is no UTF-8");
  person = Named("a");
  person.score = std::nan("");
  EXPECT_EQ(db_->Insert(&person).code(), StatusCode::kInvalidArgument);
  person.score = std::numeric_limits<double>::infinity();
  person.level = static_cast<Level>(9);
  EXPECT_EQ(db_->Insert(&person).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(*db_->Count<Person>(), 0);
  person.level = Level::kHigh;
  ASSERT_TRUE(db_->Insert(&person).ok());
  person.age = -1;
  EXPECT_EQ(db_->Update(&person).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(db_->Update(&person, {&Person::age}).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(db_->Update(&person, {&Person::name}).ok());
}

TEST_F(MemoryTest, KeysMayBeTextsOrSeveralColumns) {
  Tag tag{"Tea  ", 7};
  ASSERT_TRUE(db_->Insert(&tag).ok());
  EXPECT_EQ(tag.name, "Tea") << "filtered";
  EXPECT_EQ(db_->Get<Tag>("TEA")->weight, 7u);
  Tag same{"tEA", 8};
  EXPECT_EQ(db_->Insert(&same).code(), StatusCode::kAlreadyExists);
  ASSERT_TRUE(db_->Upsert(&same).ok());
  EXPECT_EQ(db_->Get<Tag>("tea")->name, "Tea") << "an equal key is the one that was there";
  EXPECT_EQ(db_->Get<Tag>("tea")->weight, 8u);
  ASSERT_TRUE(db_->Delete<Tag>(std::string("tea")).ok());

  Membership one{1, Uuid::V7(), "a"}, two{1, Uuid::V7(), "b"};
  ASSERT_TRUE(db_->Insert(&one).ok());
  ASSERT_TRUE(db_->Insert(&two).ok());
  EXPECT_EQ(db_->Get<Membership>(1, two.group)->role, "b");
  EXPECT_EQ(db_->Get<Membership>(2, two.group).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(db_->Delete<Membership>(2, one.group).code(), StatusCode::kNotFound);
  EXPECT_TRUE(db_->Delete<Membership>(1, one.group).ok());
}

TEST_F(MemoryTest, RowsStayWhereTheyAre) {
  std::vector<const Person*> places;
  for (int i = 0; i < 3000; ++i) {
    Person person = Named(std::to_string(i));
    ASSERT_TRUE(db_->Insert(&person).ok());
    const MemoryView view(db_.get());
    places.push_back(view.Find<Person>(person.id));
  }
  for (int i = 0; i < 3000; i += 3) ASSERT_TRUE(db_->Delete<Person>(i + 1).ok());
  for (int i = 0; i < 500; ++i) {
    Person person = Named("n" + std::to_string(i));
    ASSERT_TRUE(db_->Insert(&person).ok());
  }
  const MemoryView view(db_.get());
  for (int i = 0; i < 3000; ++i) {
    if (i % 3 == 0) continue;
    ASSERT_EQ(view.Find<Person>(i + 1), places[static_cast<std::size_t>(i)]);
    ASSERT_EQ(places[static_cast<std::size_t>(i)]->name, std::to_string(i));
  }
}

TEST_F(MemoryTest, AViewFindsByUniqueColumns) {
  Person ada = Named("Ada");
  ada.email = "ada@example.com";
  ASSERT_TRUE(db_->Insert(&ada).ok());
  Tag tag{"tea", 1};
  ASSERT_TRUE(db_->Insert(&tag).ok());
  const MemoryView view(db_.get());
  EXPECT_EQ((*view.FindBy(&Person::email, "ada@example.com"))->id, ada.id);
  EXPECT_EQ(*view.FindBy(&Person::email, "nobody"), nullptr);
  EXPECT_EQ(*view.FindBy(&Person::email, std::nullopt), nullptr);
  EXPECT_EQ((*view.FindBy(&Person::id, ada.id))->name, "Ada");
  EXPECT_EQ((*view.FindBy(&Tag::name, "TEA"))->weight, 1u);
  EXPECT_EQ(view.FindBy(&Person::age, 0).status().message(), "people.age: has no Unique()");
  EXPECT_EQ(view.Find<Person>(17), nullptr);
}

TEST_F(MemoryTest, IndexesAreInOrder) {
  const std::optional<double> scores[] = {2.5, -3.0, std::nullopt, 0.0, -0.5, 1e300, 2.5};
  for (int i = 0; i < 7; ++i) {
    Person person = Named(std::string(1, static_cast<char>('g' - i)), i % 2 == 0 ? i : 100 + i);
    person.score = scores[i];
    ASSERT_TRUE(db_->Insert(&person).ok());
  }
  std::vector<std::string> names;
  {
    const MemoryView view(db_.get());
    ASSERT_TRUE(
        view.InOrder(&Person::score, [&](const Person& p) { names.push_back(p.name); }).ok());
  }
  // NULL, -3, -0.5, 0, 2.5 (by name), 2.5, 1e300.
  EXPECT_EQ(names, (std::vector<std::string>{"e", "f", "c", "d", "a", "g", "b"}));
  EXPECT_EQ(NamesBetween<std::optional<double>>(&Person::score, -0.5, 2.5),
            (std::vector<std::string>{"c", "d", "a", "g"}));
  EXPECT_EQ(NamesBetween(&Person::age, 2, 4), (std::vector<std::string>{"e", "c"}));
  EXPECT_EQ(NamesBetween<std::string>(&Person::name, "B", "D"),
            (std::vector<std::string>{"b", "c", "d"}));

  Person moved = *db_->Get<Person>(1);
  moved.age = 3;
  ASSERT_TRUE(db_->Update(&moved).ok());
  EXPECT_EQ(NamesBetween(&Person::age, 2, 4), (std::vector<std::string>{"e", "g", "c"}));

  int seen = 0;
  const MemoryView view(db_.get());
  ASSERT_TRUE(view.InOrder(&Person::age, [&](const Person&) { return ++seen < 2; }).ok());
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(view.InOrder(&Person::email, [](const Person&) {}).code(),
            StatusCode::kFailedPrecondition);
}

TEST_F(MemoryTest, TextsWithTheSameBeginningAreInOrder) {
  for (const char* name : {"abcdefgh2", "abcdefgh", "abcdefgh1", "abcdefg", "abcdefgi"}) {
    Person person = Named(name);
    ASSERT_TRUE(db_->Insert(&person).ok());
  }
  EXPECT_EQ(NamesBetween<std::string>(&Person::name, "abcdefgh", "abcdefgh1"),
            (std::vector<std::string>{"abcdefgh", "abcdefgh1"}));
}

TEST_F(MemoryTest, LargeUnsignedNumbersComeLast) {
  for (const std::uint64_t weight : {~std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 63}) {
    Tag tag{std::to_string(weight), weight};
    ASSERT_TRUE(db_->Insert(&tag).ok());
  }
  std::vector<std::uint64_t> weights;
  const MemoryView view(db_.get());
  ASSERT_TRUE(view.InOrder(&Tag::weight, [&](const Tag& t) { weights.push_back(t.weight); }).ok());
  EXPECT_EQ(weights, (std::vector<std::uint64_t>{1, std::uint64_t{1} << 63, ~std::uint64_t{0}}));
}

TEST_F(MemoryTest, ATransactionIsAllOrNothing) {
  Person kept = Named("kept"), gone = Named("gone");
  gone.email = "gone";
  ASSERT_TRUE(db_->Insert(&kept).ok());
  ASSERT_TRUE(db_->Insert(&gone).ok());
  const MemoryView* never = nullptr;
  ASSERT_EQ(never, nullptr);
  const absl::Status status = db_->Transact([&](Transaction& transaction) -> absl::Status {
    Person changed = kept;
    changed.name = "changed";
    EXPECT_TRUE(transaction.Update(&changed).ok());
    EXPECT_TRUE(transaction.Delete<Person>(gone.id).ok());
    Person added = Named("added");
    added.email = "gone";
    EXPECT_TRUE(transaction.Insert(&added).ok());
    EXPECT_TRUE(transaction.Delete<Person>(added.id).ok());
    EXPECT_TRUE(transaction.Delete<Person>(kept.id).ok());
    EXPECT_EQ(*transaction.Count<Person>(), 0);
    return absl::CancelledError("");
  });
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(*db_->Get<Person>(kept.id), kept);
  EXPECT_EQ(*db_->Get<Person>(gone.id), gone);
  EXPECT_EQ(NamesBetween<std::string>(&Person::name, "a", "z"),
            (std::vector<std::string>{"gone", "kept"}));
  Person next = Named("next");
  ASSERT_TRUE(db_->Insert(&next).ok());
  EXPECT_EQ(next.id, 3) << "the key of the row that was rolled back";
}

TEST_F(MemoryTest, TransactionsNest) {
  const absl::Status status = db_->Transact([&](Transaction& outer) -> absl::Status {
    Person a = Named("a");
    EXPECT_TRUE(outer.Insert(&a).ok());
    const absl::Status inner = outer.Transact([&](Transaction& inner) -> absl::Status {
      EXPECT_TRUE(inner.Delete<Person>(a.id).ok());
      Person b = Named("b");
      EXPECT_TRUE(inner.Insert(&b).ok());
      return absl::CancelledError("");
    });
    EXPECT_EQ(inner.code(), StatusCode::kCancelled);
    EXPECT_TRUE(outer.Get<Person>(a.id).ok());
    return outer.Transact([&](Transaction& inner) {
      Person c = Named("c");
      return inner.Insert(&c);
    });
  });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(NamesBetween<std::string>(&Person::name, "a", "z"),
            (std::vector<std::string>{"a", "c"}));
}

TEST_F(MemoryTest, TransactionsNestToABound) {
  int depth = 0;
  std::function<absl::Status(Transaction&)> deeper = [&](Transaction& transaction) {
    ++depth;
    return transaction.Transact([&](Transaction& inner) { return deeper(inner); });
  };
  EXPECT_EQ(db_->Transact([&](Transaction& transaction) { return deeper(transaction); }).code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(depth, 64);
}

TEST_F(MemoryTest, InsertAllIsAllOrNothing) {
  std::vector<Person> people;
  for (int i = 0; i < 100; ++i) people.push_back(Named(std::to_string(i)));
  ASSERT_TRUE(db_->InsertAll(people).ok());
  people[50].age = -1;
  for (int i = 0; i < 50; ++i) people[static_cast<std::size_t>(i)].age = 1;
  EXPECT_EQ(db_->InsertAll(people).message(), "row 50: people.age: is negative");
  EXPECT_EQ(*db_->Count<Person>(), 100);
  std::vector<Tag> tags = {{"a ", 1}, {"b", 2}, {"A", 3}};
  EXPECT_EQ(db_->InsertAll(tags).message(), "row 2: Tag: UNIQUE constraint failed: Tag.name");
}

TEST_F(MemoryTest, BatchesWriteToIt) {
  Batch batch(db_.get(), {.rows = 10});
  for (int i = 0; i < 25; ++i) ASSERT_TRUE(batch.Insert(Named(std::to_string(i))).ok());
  ASSERT_TRUE(batch.Delete<Person>(1).ok());
  ASSERT_TRUE(batch.Flush().ok());
  EXPECT_EQ(*db_->Count<Person>(), 24);
}

TEST_F(MemoryTest, WhatOnlySqlCanDoIsRefused) {
  EXPECT_EQ(db_->Create<app::Checked>().message(),
            "Checked.a: the engine in memory has no Check(); use Validate()");
  EXPECT_EQ(db_->Create<app::CheckedTable>().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(db_->Create<app::Computed>().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(db_->Create<app::Referring>().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(db_->Create<app::Partial>().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(db_->Create<app::Collated>().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(db_->Create<app::Nested>().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(db_->Create<app::Rival>().message(), "PEOPLE: another struct has a table of this name");
  EXPECT_EQ(db_->Count<app::Rival>().status().message(), "PEOPLE: there is no such table");
  EXPECT_EQ(MemoryDatabase::Open<app::Checked>(":memory:").status().code(),
            StatusCode::kFailedPrecondition);
}

TEST_F(MemoryTest, ABrokenReferenceIsAnErrorWithItsColumn) {
  app::Pet rex{0, 7, {}};
  ASSERT_TRUE(db_->Create<app::Pet>().ok());
  EXPECT_EQ(db_->Insert(&rex),
            absl::FailedPreconditionError("Pet.owner: FOREIGN KEY constraint failed: no row of "
                                          "people has this key"));
  EXPECT_EQ(rex.id, 0);
  Person ada = Named("Ada"), bob = Named("Bob");
  ASSERT_TRUE(db_->Insert(&ada).ok() && db_->Insert(&bob).ok());
  rex.owner = bob.id;
  ASSERT_TRUE(db_->Insert(&rex).ok());
  ASSERT_TRUE(db_->Delete<Person>(bob.id).ok());
  EXPECT_EQ(db_->Get<app::Pet>(rex.id)->owner, ada.id);
  // What is set is no row either.
  EXPECT_EQ(db_->Delete<Person>(ada.id).code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(db_->Get<Person>(ada.id).ok());
}

TEST_F(MemoryTest, AListOfRowsMayReferToLaterOnes) {
  ASSERT_TRUE(db_->Create<app::Pet>().ok());
  Person ada = Named("Ada");
  ASSERT_TRUE(db_->Insert(&ada).ok());
  const std::vector<app::Pet> pets = {{1, ada.id, 2}, {2, ada.id, {}}};
  EXPECT_TRUE(db_->InsertAll(pets).ok());
  EXPECT_TRUE(db_->InsertJson<app::Pet>(
                     R"([{"id":3,"owner":1,"mother":4},{"id":4,"owner":1,"mother":null}])")
                  .ok());
  const absl::Status failed = db_->InsertJson<app::Pet>(
      R"([{"id":5,"owner":1,"mother":null},{"id":6,"owner":1,"mother":9}])");
  EXPECT_EQ(failed.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(failed.message().substr(0, 7), "row 1: ") << failed;
  EXPECT_EQ(*db_->Count<app::Pet>(), 4);
}

TEST_F(MemoryTest, AChainOfReferencesOfAnyLengthGoes) {
  ASSERT_TRUE(db_->Create<app::Pet>().ok());
  Person ada = Named("Ada");
  ASSERT_TRUE(db_->Insert(&ada).ok());
  std::vector<app::Pet> pets;
  for (std::int64_t i = 1; i <= 20'000; ++i) {
    pets.push_back({i, ada.id, i == 1 ? std::nullopt : std::optional(i - 1)});
  }
  ASSERT_TRUE(db_->InsertAll(pets).ok());
  ASSERT_TRUE(db_->Delete<app::Pet>(1).ok());
  EXPECT_EQ(*db_->Count<app::Pet>(), 0);
}

TEST_F(MemoryTest, ATableMayBeMadeBeforeTheOneThatItRefersTo) {
  auto db = MemoryDatabase::Open<>(":memory:");
  ASSERT_TRUE(db.ok() && (*db)->Create<app::Pet>().ok());
  app::Pet rex{0, 1, {}};
  EXPECT_EQ((*db)->Insert(&rex).code(), StatusCode::kFailedPrecondition);
  ASSERT_TRUE((*db)->Create<Person>().ok());
  Person ada = Named("Ada");
  ASSERT_TRUE((*db)->Insert(&ada).ok());
  EXPECT_TRUE((*db)->Insert(&rex).ok());
}

TEST_F(MemoryTest, ASelectFindsRowsByConditions) {
  Person ada = Named("Ada", 36), bob = Named("bob", 20), eve = Named("Eve", 20);
  bob.email = "b@x";
  eve.score = 2.5;
  for (Person* each : {&ada, &bob, &eve}) ASSERT_TRUE(db_->Insert(each).ok());
  const auto names = [&](const Condition& condition) {
    std::string all;
    const auto found = Select<Person>().Where(condition).OrderBy(&Person::name).All(*db_);
    EXPECT_TRUE(found.ok()) << found.status();
    for (const Person& person : *found) all += person.name + " ";
    return all;
  };
  EXPECT_EQ(names(Col(&Person::name) == "ADA"), "Ada ");
  EXPECT_EQ(names(Col(&Person::name).In({"EVE", "eve", "Bob"})), "bob Eve ");
  EXPECT_EQ(names(Col(&Person::age).In({20, 20})), "bob Eve ");
  EXPECT_EQ(names(Col(&Person::age).Between(21, 40)), "Ada ");
  EXPECT_EQ(names(Col(&Person::age) < 36), "bob Eve ");
  EXPECT_EQ(names(Col(&Person::score) > 2), "Eve ");
  EXPECT_EQ(names(Col(&Person::email).IsNull()), "Ada Eve ");
  EXPECT_EQ(names(Col(&Person::email) != "c"), "bob ");
  EXPECT_EQ(names(Col(&Person::name).Like("_o%")), "bob ");
  EXPECT_EQ(names(Col(&Person::level) == Level::kLow), "Ada bob Eve ");
  EXPECT_EQ(names(Col(&Person::created) >= ada.created), "Ada bob Eve ");
  EXPECT_EQ(names(And(Col(&Person::created) == eve.created, Col(&Person::name) == "Eve")), "Eve ");
  EXPECT_EQ(names(And()), "Ada bob Eve ");
  EXPECT_EQ(names(Or()), "");

  const auto columns = Select<Person>()
                           .OrderBy(Desc(&Person::age), &Person::name)
                           .Limit(2)
                           .Offset(1)
                           .Columns(&Person::name, &Person::email, Optional(&Person::age))
                           .All(*db_);
  ASSERT_TRUE(columns.ok()) << columns.status();
  using Columns = std::tuple<std::string, std::optional<std::string>, std::optional<std::int32_t>>;
  EXPECT_EQ(*columns, (std::vector<Columns>{{"bob", "b@x", 20}, {"Eve", std::nullopt, 20}}));
  EXPECT_EQ(*Select<Person>().Offset(2).Count(*db_), 1);
  EXPECT_EQ(*Select<Person>().Offset(3).Exists(*db_), false);
  EXPECT_EQ(Select<Person>().Columns(Count()).All(*db_).status().code(),
            StatusCode::kUnimplemented);
  EXPECT_EQ(Select<Person>().Limit(-1).All(*db_).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Select<Person>().Where(Col(&Tag::weight) > 1U).All(*db_).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(MemoryTest, AChangeByConditionIsAllOrNothing) {
  Person ada = Named("Ada", 36), bob = Named("bob", 20);
  ASSERT_TRUE(db_->Insert(&ada).ok() && db_->Insert(&bob).ok());
  Person values = Named("new", 1);
  EXPECT_EQ(*UpdateWhere(*db_, values, {&Person::age}, Col(&Person::age) > 30), 1);
  EXPECT_EQ(db_->Get<Person>(ada.id)->version, 2);
  EXPECT_EQ(db_->Get<Person>(ada.id)->age, 1);
  values.email = "same";
  const absl::Status kept = db_->Transact([&](Transaction& transaction) {
    EXPECT_EQ(UpdateWhere(transaction, values, {&Person::email}, And()).status().code(),
              StatusCode::kAlreadyExists);
    return absl::OkStatus();
  });
  EXPECT_TRUE(kept.ok());
  EXPECT_FALSE(db_->Get<Person>(ada.id)->email.has_value());
  values.age = -1;
  EXPECT_EQ(UpdateWhere(*db_, values, {&Person::age}, Or()).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(*DeleteWhere<Person>(*db_, Col(&Person::name) == "BOB"), 1);
  EXPECT_EQ(*db_->Count<Person>(), 1);
}

TEST_F(MemoryTest, ALoopOverRowsMayChangeThemInItsTransaction) {
  for (int i = 0; i < 5; ++i) {
    Person person = Named(std::to_string(i), i);
    ASSERT_TRUE(db_->Insert(&person).ok());
  }
  std::vector<std::int64_t> seen;
  const absl::Status status = db_->Transact([&](Transaction& transaction) {
    return Select<Person>().OrderBy(&Person::id).ForEach(transaction, [&](Person& person) {
      seen.push_back(person.id);
      return transaction.Delete<Person>(person.id == 1 ? 3 : person.id);
    });
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(seen, (std::vector<std::int64_t>{1, 2, 4, 5}));
  EXPECT_EQ(*db_->Count<Person>(), 1);
}

TEST_F(MemoryTest, AWatchIsCalledAfterCommitsThatWriteToTheLog) {
  ASSERT_TRUE(db_->Create<app::Followed>().ok());
  int calls = 0;
  std::int64_t last = 0;
  auto watch = ChangeWatch::Start<app::Followed>(*db_, [&] { ++calls; });
  ASSERT_TRUE(watch.ok()) << watch.status();
  app::Followed row;
  ASSERT_TRUE(db_->Insert(&row).ok());
  EXPECT_EQ(calls, 1);
  Person ada = Named("Ada");
  ASSERT_TRUE(db_->Insert(&ada).ok());
  EXPECT_EQ(db_->Insert(&row).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(calls, 1);
  const absl::Status failed = db_->Transact([&](Transaction& transaction) {
    EXPECT_EQ(ChangeWatch::Start<app::Followed>(transaction, [] {}).status().code(),
              StatusCode::kFailedPrecondition);
    row.id = 0;
    EXPECT_TRUE(transaction.Insert(&row).ok());
    last = *LastChange<app::Followed>(transaction);
    return absl::CancelledError("");
  });
  EXPECT_EQ(last, 2) << "within the transaction";
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(*LastChange<app::Followed>(*db_), 1);
  watch->reset();
  row.id = 0;
  ASSERT_TRUE(db_->Insert(&row).ok());
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(ChangesSince<app::Followed>(*db_, 0, 10)->size(), 2U);
  EXPECT_EQ(ChangesSince<app::Followed>(*db_, 1, 10)->size(), 1U);
  EXPECT_EQ(DeleteWhere<Change<app::Followed>>(*db_, And()).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(ChangesSince<app::Followed>(*db_, 3, 10).status().code(), StatusCode::kOutOfRange);
}

TEST(MemoryValueTest, LikeIsAsSqlitesIs) {
  const unsigned seed = testing::Seed(20261202);
  std::mt19937 random(seed);
  auto sqlite = Database::Open(":memory:");
  ASSERT_TRUE(sqlite.ok());
  const auto text = [&](std::string_view letters) {
    std::string made;
    for (std::size_t n = random() % 6; n > 0; --n) {
      const std::string_view letter = letters.substr(random() % letters.size(), 1);
      made += letter == "u" ? "\u00e4" : letter;
    }
    return made;
  };
  for (int i = 0; i < 3000; ++i) {
    const std::string subject = text("aAb%u_\\");
    const std::string pattern = text("aB%%_u\\");
    const auto like = (*sqlite)->Query<int>("SELECT ? LIKE ? ESCAPE '\\'", subject, pattern);
    ASSERT_TRUE(like.ok()) << like.status();
    ASSERT_EQ(internal::IsLike(subject, pattern), like->front() != 0) << subject << " " << pattern;
  }
}

TEST_F(MemoryTest, SqlIsRefused) {
  EXPECT_EQ(db_->Execute("DELETE FROM people").status().code(), StatusCode::kUnimplemented);
  EXPECT_EQ(db_->Query<Person>("SELECT * FROM people").status().code(), StatusCode::kUnimplemented);
}

TEST_F(MemoryTest, AThreadNeverWaitsForItself) {
  Person person = Named("a");
  {
    const MemoryView view(db_.get());
    EXPECT_EQ(db_->Insert(&person).code(), StatusCode::kFailedPrecondition);
    EXPECT_TRUE(db_->Count<Person>().ok());
    EXPECT_EQ(db_->Checkpoint().code(), StatusCode::kFailedPrecondition);
  }
  const absl::Status status = db_->Transact([&](Transaction& transaction) -> absl::Status {
    EXPECT_EQ(db_->Insert(&person).code(), StatusCode::kFailedPrecondition);
    EXPECT_EQ(db_->Count<Person>().status().code(), StatusCode::kFailedPrecondition);
    EXPECT_EQ(db_->Checkpoint().code(), StatusCode::kFailedPrecondition);
    if (absl::Status inserted = transaction.Insert(&person); !inserted.ok()) return inserted;
    const MemoryView view(db_.get());
    EXPECT_EQ(view.Find<Person>(person.id)->name, "a");
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(MemoryTest, AViewInAViewReadsOnWhileAWriterWaits) {
  Person person = Named("a");
  ASSERT_TRUE(db_->Insert(&person).ok());
  auto outer = std::make_unique<MemoryView>(db_.get());
  std::atomic<bool> started = false;
  std::thread writer([&] {
    started = true;
    Person other = Named("b");
    EXPECT_TRUE(db_->Insert(&other).ok());
  });
  while (!started) std::this_thread::yield();
  {
    const MemoryView inner(db_.get());
    EXPECT_EQ(inner.Find<Person>(2), nullptr);
    outer.reset();  // The inner one has the lock now.
    EXPECT_EQ(inner.Find<Person>(2), nullptr);
    EXPECT_EQ(inner.Find<Person>(1)->name, "a");
  }
  writer.join();
  EXPECT_EQ(*db_->Count<Person>(), 2);
}

TEST_F(MemoryTest, ManyReadWhileOneWrites) {
  constexpr int kRows = 64;
  for (int i = 0; i < kRows; ++i) {
    Person person = Named(std::to_string(i));
    ASSERT_TRUE(db_->Insert(&person).ok());
  }
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&] {
      while (!done) {
        const MemoryView view(db_.get());
        // Each transaction adds one to all ages.
        const std::int32_t age = view.Find<Person>(1)->age;
        int rows = 0;
        EXPECT_TRUE(view.Between(&Person::age, age, age, [&](const Person&) { ++rows; }).ok());
        EXPECT_EQ(rows, kRows);
      }
    });
  }
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(db_->Transact([&](Transaction& transaction) -> absl::Status {
                     for (int id = 1; id <= kRows; ++id) {
                       absl::StatusOr<Person> person = transaction.Get<Person>(id);
                       ++person->age;
                       absl::Status status = transaction.Update(&*person, {&Person::age});
                       if (!status.ok()) return status;
                     }
                     return absl::OkStatus();
                   })
                    .ok());
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
}

TEST_F(MemoryTest, JsonComesBackAsItWas) {
  auto db = MemoryDatabase::Open<testing::Sample>(":memory:");
  ASSERT_TRUE(db.ok());
  for (int i = 0; i < 3; ++i) {
    testing::Sample sample;
    sample.text = "t\"" + std::to_string(i);
    sample.points = {{1, 2}, {3, i}};
    sample.numbers = {std::nullopt, i};
    sample.tree = testing::Node{"root", {{"child", {}}}};
    sample.uuid = Uuid::V4();
    sample.json.text = "[1]";
    ASSERT_TRUE((*db)->Insert(&sample).ok());
  }
  std::string text;
  ASSERT_TRUE((*db)->AppendJson<testing::Sample>(&text).ok());
  std::vector<testing::Sample> list;
  ASSERT_TRUE(FromJson(text, &list).ok());
  auto other = MemoryDatabase::Open<testing::Sample>(":memory:");
  ASSERT_TRUE((*other)->InsertJson<testing::Sample>(text).ok());
  ASSERT_EQ(list.size(), 3u);
  for (const testing::Sample& sample : list) {
    EXPECT_EQ(*(*other)->Get<testing::Sample>(sample.id), sample);
  }
  const std::string path = ::testing::TempDir() + "/rows.json";
  ASSERT_TRUE((*db)->SaveJson<testing::Sample>(path).ok());
  EXPECT_EQ((*other)->LoadJson<testing::Sample>(path).code(), StatusCode::kAlreadyExists);
  auto third = MemoryDatabase::Open<testing::Sample>(":memory:");
  ASSERT_TRUE((*third)->LoadJson<testing::Sample>(path).ok());
  EXPECT_EQ(*(*third)->Count<testing::Sample>(), 3);
  EXPECT_EQ((*third)->LoadJson<testing::Sample>(path, {.max_bytes = 10}).code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ((*third)->LoadJson<testing::Sample>(path + "-none").code(), StatusCode::kNotFound);
}

TEST_F(MemoryTest, JsonIsInsertedAllOrNothing) {
  ASSERT_TRUE(db_->InsertJson<Person>("[]").ok());
  ASSERT_TRUE(db_->InsertJson<Person>(R"([{"name":"a","version":9},{"name":"b"}])").ok());
  EXPECT_EQ(db_->Get<Person>(1)->version, 9) << "as the text has it";
  EXPECT_EQ(
      db_->InsertJson<Person>(R"([{"name":"c"},{"name":"d","age":-1},{"name":"e"}])").message(),
      "row 1: people.age: is negative");
  EXPECT_EQ(db_->InsertJson<Person>(R"([{"name":"c"},{"name":"a"}])").message(),
            "row 1: people: UNIQUE constraint failed: people.name, people.age");
  EXPECT_EQ(db_->InsertJson<Person>(R"([{"name":"c"},{"name":"d"}] x)").code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(db_->InsertJson<Person>(R"([{"name":"c"},{"name":)").code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(db_->InsertJson<Person>("{}").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(*db_->Count<Person>(), 2);
  ASSERT_TRUE(db_->InsertJson<Tag>(R"([{"name":"tea  "}])").ok());
  EXPECT_TRUE(db_->Get<Tag>("tea").ok()) << "filtered";
}

}  // namespace
}  // namespace strata::orm
