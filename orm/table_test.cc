#include "strata/orm/table.h"

#include <string>

#include "gtest/gtest.h"

namespace app {

// Names that options have too are the user's own here.
struct Version {
  int major = 0;
  int minor = 0;
};
STRATA_STRUCT(Version, major, minor);

enum class Color : std::int16_t { kRed = 1, kGreen = 5 };
STRATA_ENUM(Color, (kRed, "red"), kGreen);

enum class TeamId : std::int64_t {};

struct Team {
  TeamId id{};
  std::string name;
};
STRATA_TABLE(Team, id, name);

struct Node {
  std::string name;
  std::vector<Node> children;
};
STRATA_STRUCT(Node, name, children);

struct Person {
  std::int64_t id = 0;
  std::string first_name;
  std::optional<std::string> last_name;
  std::optional<TeamId> team;
  Color color = Color::kRed;
  strata::orm::Currency amount;
  strata::orm::Uuid uuid;
  strata::orm::Blob photo;
  std::chrono::sys_days birth;
  std::chrono::sys_time<std::chrono::milliseconds> created;
  std::chrono::sys_time<std::chrono::seconds> modified;
  std::uint32_t version = 0;
  Node tree;
  std::vector<Version> versions;
  std::string full;
  std::string not_described;
};
STRATA_TABLE((Person, Named("people"), Index("last_name", "first").Where("amount > 0"),
              UniqueIndex("uuid").As("by_uuid"), Check("amount >= 0")),
             id,
             (first_name, MaxLength(40), Collate("NOCASE"), Named("first"),
              Validate([](const std::string& text) { return text.size() > 0; }, "is empty"),
              Filter([](std::string& text) { text.erase(0, text.find_first_not_of(' ')); })),
             (last_name, Indexed(), Default("a'b")),
             (team, References<Team>(), OnDelete(kSetNull), OnUpdate(kCascade)), (color, AsText()),
             (amount, Default(0)), uuid, photo, birth, (created, CreatedAt()),
             (modified, ModifiedAt(), AsText()), (version, Version()), tree, versions,
             (full, Generated("first || last_name"), Stored()));

struct Link {
  std::int64_t left = 0;
  strata::orm::Uuid right;
};
STRATA_TABLE(Link, (left, PrimaryKey()), (right, PrimaryKey()));

struct Selfish {
  std::int64_t id = 0;
  std::optional<std::int64_t> parent;
};
STRATA_TABLE(Selfish, id, (parent, References<Selfish>()));

}  // namespace app

namespace strata::orm {
namespace {

const TableInfo& kPeople = TableOf<app::Person>();

TEST(TableTest, FollowsTheStruct) {
  EXPECT_EQ(kPeople.name, "people");
  EXPECT_EQ(kPeople.columns.size(), 15u);
  EXPECT_EQ(kPeople.row_size, sizeof(app::Person));
  EXPECT_EQ(kPeople.key_count, 1);
  EXPECT_EQ(kPeople.key_column().name, "id");
  EXPECT_TRUE(kPeople.has_rowid_key());
  EXPECT_EQ(kPeople.Find("not_described"), nullptr);
  EXPECT_EQ(kPeople.Find("first")->offset, offsetof(app::Person, first_name));
  EXPECT_EQ(TableOf<app::Team>().name, "Team");
}

TEST(TableTest, IsAConstant) {
  static_assert(TableOf<app::Person>().columns[1].max_length == 40);
  static_assert(TableOf<app::Link>().key_count == 2);
}

TEST(TableTest, KnowsTypesAndStorage) {
  const struct {
    const char* name;
    Kind kind;
    Storage storage;
  } cases[] = {
      {"id", Kind::kInt64, Storage::kInteger},        {"first", Kind::kString, Storage::kText},
      {"team", Kind::kInt64, Storage::kInteger},      {"color", Kind::kInt16, Storage::kText},
      {"amount", Kind::kCurrency, Storage::kInteger}, {"uuid", Kind::kUuid, Storage::kBlob},
      {"photo", Kind::kBlob, Storage::kBlob},         {"birth", Kind::kTime, Storage::kInteger},
      {"modified", Kind::kTime, Storage::kText},      {"version", Kind::kUint32, Storage::kInteger},
      {"tree", Kind::kStruct, Storage::kText},        {"versions", Kind::kList, Storage::kText}};
  for (const auto& c : cases) {
    const Column* column = kPeople.Find(c.name);
    ASSERT_NE(column, nullptr) << c.name;
    EXPECT_EQ(column->value->kind, c.kind) << c.name;
    EXPECT_EQ(column->storage, c.storage) << c.name;
  }
  EXPECT_EQ(kPeople.Find("birth")->value->unit, TimeUnit::kDays);
  EXPECT_EQ(kPeople.Find("birth")->value->size, sizeof(std::chrono::days::rep));
  EXPECT_TRUE(kPeople.Find("last_name")->nullable());
  EXPECT_FALSE(kPeople.Find("last_name")->has(Column::kNotNull));
  EXPECT_TRUE(kPeople.Find("first")->has(Column::kNotNull));
}

TEST(TableTest, KnowsOptions) {
  EXPECT_EQ(kPeople.created_at, 9);
  EXPECT_EQ(kPeople.modified_at, 10);
  EXPECT_EQ(kPeople.version, 11);
  EXPECT_TRUE(kPeople.has_rules);
  EXPECT_TRUE(kPeople.has_filters);
  ASSERT_EQ(kPeople.indexes.size(), 2u);
  EXPECT_EQ(kPeople.indexes[0].column_count, 2u);
  EXPECT_EQ(kPeople.indexes[0].columns[1], "first");
  EXPECT_EQ(kPeople.indexes[0].where, "amount > 0");
  EXPECT_TRUE(kPeople.indexes[1].unique);
  EXPECT_EQ(kPeople.indexes[1].name, "by_uuid");
  ASSERT_EQ(kPeople.checks.size(), 1u);
  EXPECT_EQ(kPeople.checks[0], "amount >= 0");
  EXPECT_EQ(kPeople.Find("last_name")->default_value.text, "a'b");
  EXPECT_EQ(kPeople.Find("full")->generated, "first || last_name");
  const Column& team = *kPeople.Find("team");
  EXPECT_EQ(&team.references(), &TableOf<app::Team>());
  EXPECT_EQ(team.on_delete, ForeignKeyAction::kSetNull);
  EXPECT_EQ(team.on_update, ForeignKeyAction::kCascade);
  EXPECT_EQ(&TableOf<app::Selfish>().columns[1].references(), &TableOf<app::Selfish>());
}

TEST(TableTest, EnumsHaveNames) {
  const auto names = kTypeInfo<app::Color>.names;
  ASSERT_EQ(names.size(), 2u);
  EXPECT_EQ(names[0].name, "red");
  EXPECT_EQ(names[1].name, "kGreen");
  EXPECT_EQ(names[1].value, 5);
  EXPECT_TRUE(kTypeInfo<app::TeamId>.is_enum);
  EXPECT_TRUE(kTypeInfo<app::TeamId>.names.empty());
}

TEST(TableTest, AccessorsReachFields) {
  app::Person person;
  person.first_name = "Ada";
  EXPECT_EQ(kPeople.Find("first")->Value(&person), &person.first_name);
  const Column& last = *kPeople.Find("last_name");
  EXPECT_EQ(last.Value(&person), nullptr);
  *static_cast<std::string*>(last.Emplace(&person)) = "Lovelace";
  EXPECT_EQ(person.last_name, "Lovelace");
  EXPECT_EQ(last.Value(&person), &*person.last_name);
  EXPECT_TRUE(last.SetNull(&person));
  EXPECT_EQ(person.last_name, std::nullopt);
  EXPECT_FALSE(kPeople.Find("first")->SetNull(&person));

  const Validator& validator = kPeople.Find("first")->validator;
  EXPECT_TRUE(validator.valid(&person.first_name));
  person.first_name = "  ";
  kPeople.Find("first")->filter.apply(&person.first_name);
  EXPECT_EQ(person.first_name, "");
  person.first_name = "  Bob";
  kPeople.Find("first")->filter.apply(&person.first_name);
  EXPECT_EQ(person.first_name, "Bob");
}

TEST(TableTest, ListsAreReachedWithoutTheirType) {
  app::Person person;
  const Column& column = *kPeople.Find("versions");
  const ListOps& list = *column.type->list;
  void* field = column.Emplace(&person);
  static_cast<app::Version*>(list.add(field))->major = 7;
  EXPECT_EQ(list.size(field), 1u);
  EXPECT_EQ(list.data(field), person.versions.data());
  EXPECT_EQ(person.versions[0].major, 7);
  EXPECT_EQ(&column.type->element->table(), &TableOf<app::Version>());
  EXPECT_EQ(TableOf<app::Version>().key_count, 0);
  list.clear(field);
  EXPECT_TRUE(person.versions.empty());
}

TEST(TableTest, RowsAreMadeWithoutTheirType) {
  alignas(app::Team) char memory[sizeof(app::Team)];
  const RowOps& ops = TableOf<app::Team>().ops;
  const app::Team from{app::TeamId(3), std::string(100, 'x')};
  ops.copy(memory, &from);
  auto* team = reinterpret_cast<app::Team*>(memory);
  EXPECT_EQ(team->name, from.name);
  ops.destroy(memory);
  ops.construct(memory);
  ops.assign(memory, &from);
  EXPECT_EQ(team->id, app::TeamId(3));
  alignas(app::Team) char other[sizeof(app::Team)];
  ops.move(other, memory);
  EXPECT_EQ(reinterpret_cast<app::Team*>(other)->name, from.name);
  ops.destroy(memory);
  ops.destroy(other);
}

}  // namespace
}  // namespace strata::orm
