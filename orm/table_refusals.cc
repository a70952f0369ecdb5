// What STRATA_TABLE refuses, and how it says so; see refusal_test.bzl.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "strata/orm/table.h"

namespace app {

struct Team {
  std::int64_t id;
  std::string name;
};
STRATA_TABLE(Team, id, (name, MaxLength(20)));

enum class Plain { kOne };

struct Base {
  std::string inherited;
};

struct Row : Base {
  std::int64_t id;
  std::optional<std::int64_t> maybe;
  std::string text;
  const char* pointer;
  std::string_view view;
  char array[8];
  std::map<int, int> map;
  std::vector<bool> bools;
  double number;
  Plain plain;
  std::int64_t team;
};

#if CASE == 1  // Row.pointer: a pointer, view or array cannot be a column
STRATA_TABLE(Row, id, pointer);
#endif
#if CASE == 2  // Row.view: a pointer, view or array cannot be a column
STRATA_TABLE(Row, id, view);
#endif
#if CASE == 3  // Row.array: a pointer, view or array cannot be a column
STRATA_TABLE(Row, id, array);
#endif
#if CASE == 4  // Row.map: this type cannot be a column
STRATA_TABLE(Row, id, map);
#endif
#if CASE == 5  // Row.bools: this type cannot be a column
STRATA_TABLE(Row, id, bools);
#endif
#if CASE == 6  // Row.inherited: the field of a base class cannot be a column
STRATA_TABLE(Row, id, inherited);
#endif
#if CASE == 7  // 'missing' is not a member of
STRATA_TABLE(Row, id, missing);
#endif
#if CASE == 8  // Row: a table has a column `id`, or one with PrimaryKey()
STRATA_TABLE(Row, text);
#endif
#if CASE == 9  // Row.maybe: a key cannot be a std::optional
STRATA_TABLE(Row, (maybe, PrimaryKey()));
#endif
#if CASE == 10  // Row.number: a key is an integer, text, Uuid, Blob, Currency or time
STRATA_TABLE(Row, (number, PrimaryKey()));
#endif
#if CASE == 11  // Row.number: MaxLength() is for std::string and Blob
STRATA_TABLE(Row, id, (number, MaxLength(3)));
#endif
#if CASE == 12  // Row.number: Collate() is for texts
STRATA_TABLE(Row, id, (number, Collate("NOCASE")));
#endif
#if CASE == 13  // Row.text: CreatedAt() and ModifiedAt() are for std::chrono::sys_time
STRATA_TABLE(Row, id, (text, CreatedAt()));
#endif
#if CASE == 14  // Row.maybe: Version() is for integers
STRATA_TABLE(Row, id, (maybe, Version()));
#endif
#if CASE == 15  // Row.plain: AsText() is for times, Uuid and enums with STRATA_ENUM
STRATA_TABLE(Row, id, (plain, AsText()));
#endif
#if CASE == 16  // Row.text: the lambda of Validate() takes another type than the field's
STRATA_TABLE(Row, id, (text, Validate([](int value) { return value > 0; }, "is not positive")));
#endif
#if CASE == 17  // Row.number: the lambda of Filter() takes another type than the field's
STRATA_TABLE(Row, id, (number, Filter([](float& value) { value = 0; })));
#endif
#if CASE == 18  // Row.team: OnDelete() and OnUpdate() need a References<>()
STRATA_TABLE(Row, id, (team, OnDelete(kCascade)));
#endif
#if CASE == 19  // Row.team: kSetNull needs a std::optional without NotNull()
STRATA_TABLE(Row, id, (team, References<Team>(), OnDelete(kSetNull)));
#endif
#if CASE == 20  // Row.text: Index(), FullText(), Boxes() and LogChanges() are of the table;
STRATA_TABLE(Row, id, (text, Index("text")));
#endif
#if CASE == 21  // Row.text: a name in SQL has letters, digits and _ alone
STRATA_TABLE(Row, id, (text, Named("a b")));
#endif
#if CASE == 22  // Row: two columns have the same name, but for the case of letters
STRATA_TABLE(Row, id, text, (number, Named("TEXT")));
#endif
#if CASE == 23  // Row: an Index() names a column that the table does not have
STRATA_TABLE((Row, Index("txt")), id, text);
#endif
#if CASE == 24  // Row: of the table are Named(), Index(), UniqueIndex(), Check(), FullText()
STRATA_TABLE((Row, Unique()), id, text);
#endif
#if CASE == 25  // Row: `id` is no key
STRATA_TABLE(Row, (number, Named("id")));
#endif
#if CASE == 26  // Row: Autoincrement() is for the key alone
STRATA_TABLE(Row, id, (team, Autoincrement()));
#endif
#if CASE == 27  // Row.text: Stored() needs a Generated()
STRATA_TABLE(Row, id, (text, Stored()));
#endif
#if CASE == 28  // this struct has no STRATA_TABLE or STRATA_STRUCT in its namespace
const auto& table = strata::orm::TableOf<Row>();
#endif
#if CASE == 29  // Row: two columns with CreatedAt(), ModifiedAt() or Version()
STRATA_TABLE(Row, id, (team, Version()), (number, Named("n")), (plain, Named("p"), Version()));
#endif
#if CASE == 30  // Row.text: Autoincrement() is for an integer key
STRATA_TABLE(Row, (text, PrimaryKey(), Autoincrement()));
#endif
#if CASE == 33  // Row: FullText() is for texts, not named rank or rowid
STRATA_TABLE((Row, FullText("text", "team")), id, text, team);
#endif
#if CASE == 34  // Row: Boxes() is for numbers, of a table with one integer as key
STRATA_TABLE((Row, Boxes("number", "team")), (text, PrimaryKey()), number, team);
#endif
#if CASE == 35  // Boxes() takes two columns for each dimension
STRATA_TABLE((Row, Boxes("number")), id, number);
#endif
#if CASE == 32  // Row: LogChanges() of no entries
STRATA_TABLE((Row, LogChanges(0)), id, text);
#endif
#if CASE == 31  // Validate() and Filter() take a lambda without captures
bool Check(const std::string& text);
STRATA_TABLE(Row, id, (text, Validate(&Check, "is wrong")));
#endif

}  // namespace app
