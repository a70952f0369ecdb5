#include "strata/orm/select.h"

#include <string>
#include <tuple>

#include "gtest/gtest.h"
#include "strata/orm/sqlite_sql_writer_internal.h"
#include "strata/orm/testing/sample.h"

namespace app {

enum class Rank : std::int64_t { kLow = 1, kHigh = 2 };
STRATA_ENUM(Rank, (kLow, "low"), (kHigh, "high"));

struct Author {
  std::int64_t id = 0;
  std::string name;
  std::optional<std::int32_t> born;
  Rank rank = Rank::kLow;
  std::uint8_t version = 0;
};
STRATA_TABLE((Author, Named("authors")), id, (name, MaxLength(40), Filter([](std::string& name) {
                                                if (name == "trim ") name = "trim";
                                              })),
             born, (rank, AsText()), (version, Version()));

struct Genre {
  std::string key;
  std::string title;
};
STRATA_TABLE(Genre, (key, PrimaryKey()), title);

struct Price {
  std::string place;
  double amount = 0;
};
STRATA_STRUCT(Price, place, amount);

struct Book {
  std::int64_t id = 0;
  std::string title;
  std::int64_t author = 0;
  std::optional<std::int64_t> translator;
  std::optional<std::string> genre;
  strata::orm::Currency price;
  std::vector<Price> prices;
  std::chrono::sys_time<std::chrono::seconds> changed;
  std::int32_t not_a_column = 0;
};
STRATA_TABLE(Book, id, title, (author, References<Author>(), OnDelete(kRestrict)),
             (translator, References<Author>()), (genre, References<Genre>()), price, prices,
             (changed, ModifiedAt()));

// Texts that the database compares without regard to case.
struct Word {
  std::string text;
  std::int32_t part = 0;
  std::optional<double> weight;
};
STRATA_TABLE(Word, (text, PrimaryKey(), Collate("NOCASE")), (part, PrimaryKey()), weight);

}  // namespace app

namespace strata::orm {
namespace {

using absl::StatusCode;
using app::Author;
using app::Book;
using app::Genre;
using app::Rank;
using app::Word;

class SelectTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Database>> db = Database::Open(":memory:");
    ASSERT_TRUE(db.ok()) << db.status();
    db_ = *std::move(db);
    ASSERT_EQ(db_->Create<Author>(), absl::OkStatus());
    ASSERT_EQ(db_->Create<Genre>(), absl::OkStatus());
    ASSERT_EQ(db_->Create<Book>(), absl::OkStatus());
    ASSERT_EQ(db_->InsertAll(std::vector<Author>{{1, "Ann", 1900, Rank::kHigh},
                                                 {2, "Bob", 1950, Rank::kLow},
                                                 {3, "Cem", {}, Rank::kLow},
                                                 {4, "50%_\\", 1950, Rank::kHigh}}),
              absl::OkStatus());
    ASSERT_EQ(db_->InsertAll(std::vector<Genre>{{"f", "Fiction"}, {"s", "Science"}}),
              absl::OkStatus());
    const auto price = [](int whole) { return Currency::FromTenThousandths(whole * 10000); };
    ASSERT_EQ(db_->InsertAll(std::vector<Book>{
                  {1, "Tea", 1, {}, "f", price(10), {{"Rome", 9.5}, {"Oslo", 12}}, {}},
                  {2, "Sea", 1, 2, "s", price(20), {}, {}},
                  {3, "Pea", 2, {}, {}, price(5), {{"Lima", 4}}, {}}}),
              absl::OkStatus());
  }

  // The keys of the authors for which it is true, in their order.
  std::string Ids(const Condition& condition) {
    const auto ids = Select<Author>().Where(condition).OrderBy(&Author::id).Columns(&Author::id);
    std::string text;
    const absl::Status status = ids.ForEach(
        *db_, [&](std::int64_t id) { text += (text.empty() ? "" : " ") + std::to_string(id); });
    return status.ok() ? text : std::string(status.message());
  }

  std::unique_ptr<Database> db_;
};

TEST_F(SelectTest, DistinctRowsComeOnce) {
  // Ann has two books.
  const auto written = Select<Author>().Join<Book>(&Book::author);
  EXPECT_EQ(*written.Count(*db_), 3);
  const auto authors = Select<Author>(written).Distinct().OrderBy(Desc(&Author::name));
  EXPECT_EQ(*authors.Count(*db_), 2);
  EXPECT_TRUE(*authors.Exists(*db_));
  const auto rows = authors.All(*db_);
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ(rows->at(0).name, "Bob");
  const auto years = Select<Author>().Distinct().OrderBy(&Author::born).Columns(&Author::born);
  EXPECT_EQ(*years.All(*db_), (std::vector<std::optional<std::int32_t>>{std::nullopt, 1900, 1950}));
  EXPECT_EQ(*years.Count(*db_), 3);
  EXPECT_EQ(Select<Author>(authors).After(rows->at(0)).All(*db_).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(SelectTest, RowsComeByConditionOrderAndLimit) {
  const auto authors =
      Select<Author>().Where(Col(&Author::id) < 4).OrderBy(Desc(&Author::name)).Limit(2).All(*db_);
  ASSERT_TRUE(authors.ok()) << authors.status();
  ASSERT_EQ(authors->size(), 2u);
  EXPECT_EQ(authors->at(0).name, "Cem");
  EXPECT_EQ(authors->at(0).born, std::nullopt);
  EXPECT_EQ(authors->at(1).name, "Bob");
  EXPECT_EQ(authors->at(1).born, 1950);
  EXPECT_EQ(authors->at(1).rank, Rank::kLow);
  EXPECT_EQ(authors->at(1).version, 1);
  const auto rest =
      Select<Author>().OrderBy(&Author::name).Offset(1).Columns(&Author::name).All(*db_);
  EXPECT_EQ(rest.value(), (std::vector<std::string>{"Ann", "Bob", "Cem"}));
  EXPECT_TRUE(Select<Author>().Limit(0).All(*db_)->empty());
  EXPECT_EQ(Select<Author>().Limit(-1).All(*db_).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Select<Author>().Offset(-1).All(*db_).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(SelectTest, EachComparisonIsTheSame) {
  const auto id = Col(&Author::id);
  EXPECT_EQ(Ids(id == 2), "2");
  EXPECT_EQ(Ids(id != 2), "1 3 4");
  EXPECT_EQ(Ids(id < 2), "1");
  EXPECT_EQ(Ids(id <= std::uint8_t{2}), "1 2");
  EXPECT_EQ(Ids(id > 2), "3 4");
  EXPECT_EQ(Ids(id >= std::int64_t{2}), "2 3 4");
  EXPECT_EQ(Ids(id.Between(2, 3)), "2 3");
  EXPECT_EQ(Ids(id.In({4, 1, 9})), "1 4");
  EXPECT_EQ(Ids(id.In(std::vector<std::int64_t>{})), "");
  EXPECT_EQ(Ids(Not(id.In(std::vector<std::int64_t>{}))), "1 2 3 4");
  EXPECT_EQ(Ids(Col(&Author::name) == "Bob"), "2");
  EXPECT_EQ(Ids(Col(&Author::name) == std::string("Bob")), "2");
  EXPECT_EQ(Ids(Col(&Author::name).In({"Bob", "Ann"})), "1 2");
  EXPECT_EQ(Ids(Col(&Author::rank) == Rank::kHigh), "1 4");
  EXPECT_EQ(Ids(Col(&Author::rank).In({Rank::kLow})), "2 3");
  EXPECT_EQ(Ids(Col(&Author::born) == Col(&Author::born)), "1 2 4");
  EXPECT_EQ(Ids(Col(&Author::id) < Col(&Author::born)), "1 2 4");
}

TEST_F(SelectTest, NullIsNeitherTrueNorFalse) {
  EXPECT_EQ(Ids(Col(&Author::born) == 1950), "2 4");
  EXPECT_EQ(Ids(Col(&Author::born) != 1950), "1");
  EXPECT_EQ(Ids(Not(Col(&Author::born) == 1950)), "1");
  EXPECT_EQ(Ids(Not(Col(&Author::born).In({1950, 1951}))), "1");
  EXPECT_EQ(Ids(Col(&Author::born).IsNull()), "3");
  EXPECT_EQ(Ids(Not(Col(&Author::born).IsNull())), "1 2 4");
}

TEST_F(SelectTest, ConditionsNest) {
  const auto id = Col(&Author::id);
  EXPECT_EQ(Ids(And()), "1 2 3 4");
  EXPECT_EQ(Ids(Or()), "");
  EXPECT_EQ(Ids(Or(id == 1, id == 3)), "1 3");
  EXPECT_EQ(Ids(And(id > 1, id < 4, id != 2)), "3");
  EXPECT_EQ(Ids(And(Or(id == 1, id == 3), id > 1)), "3");
  EXPECT_EQ(Ids(Not(Or(id == 1, id == 3))), "2 4");
  EXPECT_EQ(Ids(Not(And(Not(id == 1), Not(id == 3)))), "1 3");
  EXPECT_EQ(*Select<Author>().Where(id > 1).Where(Or(id == 1, id == 3)).Count(*db_), 1);
}

TEST_F(SelectTest, LikeTakesAPatternOrAText) {
  const auto name = Col(&Author::name);
  EXPECT_EQ(Ids(name.Like("%")), "1 2 3 4");
  EXPECT_EQ(Ids(name.Like("a%")), "1");
  EXPECT_EQ(Ids(name.Like("_o_")), "2");
  EXPECT_EQ(Ids(name.Like("%\\%%")), "4");
  EXPECT_EQ(Ids(name.Like(EscapeLike("%") + "%")), "");
  EXPECT_EQ(Ids(name.Like(EscapeLike("50%_\\"))), "4");
  EXPECT_EQ(EscapeLike("50%_\\"), "50\\%\\_\\\\");
}

TEST_F(SelectTest, WhatCannotBeIsRefused) {
  EXPECT_EQ(Select<Book>().Where(Col(&Book::not_a_column) == 1).All(*db_).status(),
            absl::InvalidArgumentError("a field is no column"));
  EXPECT_EQ(Ids(Col(&Book::id) == 1), "Book is not in the query");
  EXPECT_EQ(Ids(Col(&Author::id).In(std::vector<int>(1000, 1))), "1");
  EXPECT_EQ(Ids(Col(&Author::id).In(std::vector<int>(1001, 1))), "more than 1000 values for In()");
  Condition condition = Col(&Author::id) == 1;
  for (int i = 0; i < 23; ++i) condition = i % 2 == 0 ? Or(Or(), condition) : And(And(), condition);
  EXPECT_EQ(Ids(condition), "1");
  EXPECT_EQ(*Select<Author>().Where(condition).Limit(9).Count(*db_), 1);
  EXPECT_EQ(Ids(Not(condition)), "conditions are nested too deeply");
  for (int i = 0; i < 1000; ++i) condition = Not(condition);
  EXPECT_EQ(Ids(condition), "conditions are nested too deeply");
  EXPECT_EQ(Ids(Col(&Author::name) == "\xFF"), "the text is no UTF-8");
  EXPECT_EQ(Ids(Col(&Author::id) == ~std::uint64_t{0}), "SQLite has no integer above 2^63 - 1");
  EXPECT_EQ(Select<Author>().Fields({}).All(*db_).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(DeleteWhere<Author>(*db_, Col(&Book::id) == 1).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Select<Author>().Where(Count() > 1).All(*db_).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(SelectTest, ValuesHaveTheTypeOfTheColumn) {
  static_assert(internal::FitsType<int>(kTypeInfo<std::int64_t>));
  static_assert(internal::FitsType<int>(kTypeInfo<double>));
  static_assert(internal::FitsType<float>(kTypeInfo<double>));
  static_assert(internal::FitsType<const char*>(kTypeInfo<std::string>));
  static_assert(internal::FitsType<Rank>(kTypeInfo<Rank>));
  static_assert(!internal::FitsType<double>(kTypeInfo<int>));
  static_assert(!internal::FitsType<bool>(kTypeInfo<int>));
  static_assert(!internal::FitsType<int>(kTypeInfo<Rank>));
  static_assert(!internal::FitsType<const char*>(kTypeInfo<Uuid>));
  static_assert(!internal::FitsType<std::nullptr_t>(kTypeInfo<std::string>));
  static_assert(!internal::FitsType<std::optional<int>>(kTypeInfo<int>));
  static_assert(!internal::FitsType<std::chrono::sys_seconds>(
      kTypeInfo<std::chrono::sys_time<std::chrono::milliseconds>>));
}

TEST_F(SelectTest, ColumnsOfEveryKindAreCompared) {
  using testing::Sample;
  ASSERT_EQ(db_->Create<Sample>(), absl::OkStatus());
  Sample sample;
  sample.uuid = Uuid::V4();
  sample.blob = {std::byte{7}};
  sample.maybe_uuid = Uuid::V4();
  sample.single = 0.1F;
  ASSERT_EQ(db_->Insert(&sample), absl::OkStatus());
  const auto found =
      Select<Sample>()
          .Where(And(Col(&Sample::uuid) == sample.uuid, Col(&Sample::blob) == sample.blob,
                     Col(&Sample::maybe_uuid) == *sample.maybe_uuid,
                     Col(&Sample::moment_text) <= sample.moment_text,
                     Col(&Sample::moment_text).Between(sample.moment_text, sample.moment_text),
                     Col(&Sample::color_text).In({testing::Color::kRed}),
                     Col(&Sample::color) == testing::Color::kRed, Col(&Sample::flag) == false,
                     Col(&Sample::amount) == sample.amount, Col(&Sample::span) == sample.span,
                     Col(&Sample::single) == 0.1F, Col(&Sample::real) < 1))
          .All(*db_);
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->at(0), sample);
  EXPECT_EQ(Select<Sample>().Where(Col(&Sample::color) == Col(&Sample::color_text)).Count(*db_),
            absl::StatusOr<std::int64_t>(
                absl::InvalidArgumentError("a column with AsText() is compared with one without")));
}

TEST_F(SelectTest, FirstIsOneOrNone) {
  EXPECT_EQ(Select<Author>().OrderBy(&Author::name).First(*db_)->name, "50%_\\");
  EXPECT_EQ(Select<Author>().Where(Col(&Author::id) > 9).First(*db_).status().code(),
            StatusCode::kNotFound);
  EXPECT_EQ(Select<Author>().Limit(0).First(*db_).status().code(), StatusCode::kNotFound);
}

TEST_F(SelectTest, CountAndExistsTellWhatAllWouldGive) {
  auto query = Select<Author>().Where(Col(&Author::id) > 1);
  EXPECT_EQ(*query.Count(*db_), 3);
  EXPECT_TRUE(*query.Exists(*db_));
  query.OrderBy(&Author::name).Limit(2);
  EXPECT_EQ(*query.Count(*db_), 2);
  query.Offset(2);
  EXPECT_EQ(*query.Count(*db_), 1);
  query.Offset(3);
  EXPECT_EQ(*query.Count(*db_), 0);
  EXPECT_FALSE(*query.Exists(*db_));
  EXPECT_FALSE(*Select<Author>().Where(Or()).Exists(*db_));
  const auto groups = Select<Author>().GroupBy(&Author::rank).Columns(&Author::rank, Count());
  EXPECT_EQ(*groups.Count(*db_), 2);
  EXPECT_EQ(*Select<Author>().Columns(Count()).Count(*db_), 1);
}

TEST_F(SelectTest, FieldsAreReadAlone) {
  const auto author = Select<Author>()
                          .Fields({&Author::born, &Author::name})
                          .Where(Col(&Author::id) == 1)
                          .First(*db_);
  ASSERT_TRUE(author.ok()) << author.status();
  EXPECT_EQ(author->name, "Ann");
  EXPECT_EQ(author->born, 1900);
  EXPECT_EQ(author->id, 0);
  EXPECT_EQ(author->version, 0);
}

TEST_F(SelectTest, ColumnsAreTuplesOrValues) {
  const auto rows = Select<Author>()
                        .OrderBy(&Author::id)
                        .Limit(2)
                        .Columns(&Author::born, &Author::name)
                        .All(*db_);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->at(1), std::make_tuple(std::optional<std::int32_t>(1950), std::string("Bob")));
  EXPECT_EQ(Select<Author>().Columns(&Author::rank).First(*db_).value(), Rank::kHigh);
}

TEST_F(SelectTest, AggregatesAreOfAllRows) {
  const auto row = Select<Author>()
                       .Columns(Count(), Count(&Author::born), Sum(&Author::born),
                                Min(&Author::name), Max(&Author::born), Avg(&Author::id))
                       .First(*db_);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(*row,
            std::make_tuple(std::int64_t{4}, std::int64_t{3}, std::optional<std::int64_t>(5800),
                            std::optional<std::string>("50%_\\"), std::optional<std::int32_t>(1950),
                            std::optional<double>(2.5)));
  const auto none = Select<Author>().Where(Or()).Columns(Count(), Sum(&Author::born)).First(*db_);
  EXPECT_EQ(none.value(), std::make_tuple(std::int64_t{0}, std::optional<std::int64_t>()));
  EXPECT_EQ(Select<Book>().Columns(Sum(&Book::price)).First(*db_).value(),
            Currency::FromTenThousandths(350000));
}

TEST_F(SelectTest, GroupsHaveConditionsAndOrder) {
  const auto groups = Select<Author>()
                          .Columns(&Author::rank, Count(), Max(&Author::id))
                          .GroupBy(&Author::rank)
                          .Having(Count() > 1)
                          .Having(Max(&Author::rank) != Rank::kHigh)
                          .OrderBy(Desc(Count()), &Author::rank)
                          .All(*db_);
  ASSERT_TRUE(groups.ok()) << groups.status();
  ASSERT_EQ(groups->size(), 1u);
  EXPECT_EQ(groups->at(0),
            std::make_tuple(Rank::kLow, std::int64_t{2}, std::optional<std::int64_t>(3)));
}

TEST_F(SelectTest, JoinsFollowTheReference) {
  const auto books = Select<Book>()
                         .Join<Genre>()
                         .Join<Author>(&Book::author)
                         .Where(And(Col(&Author::name) == "Ann", Col(&Genre::title) == "Science"))
                         .All(*db_);
  ASSERT_TRUE(books.ok()) << books.status();
  ASSERT_EQ(books->size(), 1u);
  EXPECT_EQ(books->at(0).title, "Sea");
  const auto titles = Select<Author>()
                          .Join<Book>(&Book::author)
                          .LeftJoin<Genre>()
                          .OrderBy(&Book::title)
                          .Columns(&Author::name, &Book::title, Optional(&Genre::title))
                          .All(*db_);
  ASSERT_TRUE(titles.ok()) << titles.status();
  using Row = std::tuple<std::string, std::string, std::optional<std::string>>;
  EXPECT_EQ(*titles, (std::vector<Row>{{"Bob", "Pea", std::nullopt},
                                       {"Ann", "Sea", "Science"},
                                       {"Ann", "Tea", "Fiction"}}));
  const auto counts = Select<Author>()
                          .LeftJoin<Book>(&Book::author)
                          .GroupBy(&Author::id)
                          .OrderBy(&Author::id)
                          .Columns(Count(&Book::id))
                          .All(*db_);
  EXPECT_EQ(counts.value(), (std::vector<std::int64_t>{2, 1, 0, 0}));
  EXPECT_EQ(*Select<Book>().Join<Author>(&Book::translator).Count(*db_), 1);
}

TEST_F(SelectTest, JoinsThatAreNotClearAreRefused) {
  EXPECT_EQ(
      Select<Book>().Join<Author>().All(*db_).status(),
      absl::InvalidArgumentError("there are several references between authors and the tables "
                                 "before: Join() has to name the field"));
  EXPECT_EQ(Select<Author>().Join<Genre>().All(*db_).status(),
            absl::InvalidArgumentError("no such reference between Genre and the tables before"));
  EXPECT_EQ(Select<Book>().Join<Genre>(&Book::author).All(*db_).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Select<Book>().Join<Genre>().Join<Genre>().All(*db_).status(),
            absl::InvalidArgumentError("Genre is in the query twice"));
  EXPECT_EQ(Select<Book>().Join<Book>().All(*db_).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(SelectTest, PathsLeadIntoJson) {
  const auto place = JsonValue<std::string>(&Book::prices, "$[0].place");
  const auto books = Select<Book>().Where(place == "Lima").All(*db_);
  ASSERT_TRUE(books.ok()) << books.status();
  ASSERT_EQ(books->size(), 1u);
  EXPECT_EQ(books->at(0).prices.at(0).amount, 4);
  EXPECT_EQ(*Select<Book>().Where(place.IsNull()).Count(*db_), 1);
  EXPECT_EQ(Select<Book>().OrderBy(Desc(place)).Columns(place).All(*db_).value(),
            (std::vector<std::optional<std::string>>{"Rome", "Lima", std::nullopt}));
  EXPECT_EQ(*Select<Book>()
                 .Where(JsonValue<double>(&Book::prices, "$[1].amount") >= 12)
                 .Columns(&Book::title)
                 .First(*db_),
            "Tea");
  EXPECT_EQ(Select<Book>().Columns(JsonValue<int>(&Book::prices, "bad")).All(*db_).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(SelectTest, PagesGoOnAfterTheLastRow) {
  ASSERT_EQ(db_->Create<Word>(), absl::OkStatus());
  std::vector<Word> words;
  for (int i = 0; i < 60; ++i) {
    Word word{std::string(1, static_cast<char>((i % 2 == 0 ? 'a' : 'A') + i % 5)), i, {}};
    if (i % 3 != 0) word.weight = i % 4;
    words.push_back(word);
  }
  ASSERT_EQ(db_->InsertAll(words), absl::OkStatus());
  const Select<Word> queries[] = {
      Select<Word>(),
      Select<Word>().OrderBy(&Word::text),
      Select<Word>().OrderBy(Desc(&Word::text)),
      Select<Word>().OrderBy(&Word::weight),
      Select<Word>().OrderBy(Desc(&Word::weight)),
      Select<Word>().OrderBy(Desc(&Word::weight), &Word::text),
      Select<Word>().OrderBy(&Word::text, Desc(&Word::part)),
      Select<Word>().OrderBy(&Word::part, &Word::weight).Where(Col(&Word::part) != 7),
  };
  for (const Select<Word>& query : queries) {
    std::vector<int> paged;
    Select<Word> next = query;
    next.Limit(7);
    for (int page = 0; page < 20; ++page) {
      const auto rows = next.All(*db_);
      ASSERT_TRUE(rows.ok()) << rows.status();
      for (const Word& word : *rows) paged.push_back(word.part);
      if (rows->empty()) break;
      next.After(rows->back());
    }
    std::vector<int> all;
    Select<Word> whole = query;
    whole.OrderBy(&Word::text, &Word::part);
    const auto rows = (&query == &queries[0] ? whole : query).All(*db_);
    ASSERT_TRUE(rows.ok()) << rows.status();
    for (const Word& word : *rows) all.push_back(word.part);
    EXPECT_EQ(paged, all) << &query - queries;
  }
}

TEST_F(SelectTest, PagesAreOfRowsOfOneTable) {
  const Book book = *db_->Get<Book>(1);
  const Author author = *db_->Get<Author>(1);
  EXPECT_EQ(Select<Book>().Join<Genre>().After(book).All(*db_)->at(0).title, "Sea");
  for (const absl::Status& status :
       {Select<Book>().Join<Genre>().OrderBy(&Genre::title).After(book).All(*db_).status(),
        Select<Book>().OrderBy(JsonValue<int>(&Book::prices, "$")).After(book).All(*db_).status(),
        Select<Book>().GroupBy(&Book::id).After(book).All(*db_).status(),
        Select<Author>().Join<Book>(&Book::author).After(author).All(*db_).status()}) {
    EXPECT_EQ(status, absl::InvalidArgumentError(
                          "After() is for rows of one table, in the order of its columns"));
  }
}

TEST_F(SelectTest, RowsAreDeletedByCondition) {
  EXPECT_EQ(*DeleteWhere<Book>(*db_, Col(&Book::title).Like("%ea")), 3);
  EXPECT_EQ(*DeleteWhere<Author>(*db_, Col(&Author::born) == 1950), 2);
  EXPECT_EQ(*DeleteWhere<Author>(*db_, Or()), 0);
  EXPECT_EQ(*DeleteWhere<Author>(*db_, And()), 2);
}

TEST_F(SelectTest, AChangeByConditionIsWholeOrNone) {
  EXPECT_EQ(DeleteWhere<Author>(*db_, And()).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(*db_->Count<Author>(), 4);
  EXPECT_EQ(db_->Transact([](Transaction& t) {
    EXPECT_EQ(*DeleteWhere<Book>(t, And()), 3);
    EXPECT_EQ(*DeleteWhere<Author>(t, And()), 4);
    EXPECT_FALSE(*Select<Author>().Exists(t));
    return absl::CancelledError("");
  }),
            absl::CancelledError(""));
  EXPECT_EQ(*db_->Count<Author>(), 4);
}

TEST_F(SelectTest, NamedFieldsAreUpdatedByCondition) {
  Author values;
  values.name = "trim ";
  values.born = 2000;
  EXPECT_EQ(*UpdateWhere(*db_, values, {&Author::name, &Author::born}, Col(&Author::id) > 2), 2);
  const Author changed = *db_->Get<Author>(3);
  EXPECT_EQ(changed.name, "trim");
  EXPECT_EQ(changed.born, 2000);
  EXPECT_EQ(changed.rank, Rank::kLow);
  EXPECT_EQ(changed.version, 2);
  EXPECT_EQ(db_->Get<Author>(2)->version, 1);
  EXPECT_EQ(values.name, "trim ");
  Book book;
  book.title = "Same";
  EXPECT_EQ(*UpdateWhere(*db_, book, {&Book::title}, And()), 3);
  EXPECT_NE(db_->Get<Book>(1)->changed.time_since_epoch().count(), 0);
  EXPECT_EQ(db_->Get<Book>(1)->author, 1);
}

TEST_F(SelectTest, AnUpdateByConditionFollowsTheRules) {
  Author values;
  values.name = std::string(41, 'x');
  const auto update = [&](std::initializer_list<Field<Author>> fields) {
    return UpdateWhere(*db_, values, fields, And()).status();
  };
  EXPECT_EQ(update({&Author::name}), absl::InvalidArgumentError("authors.name: longer than 40"));
  EXPECT_EQ(update({&Author::id}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(update({&Author::version}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(update({}).code(), StatusCode::kInvalidArgument);
  Book book;
  book.author = 77;
  EXPECT_EQ(UpdateWhere(*db_, book, {&Book::author}, And()).status().code(),
            StatusCode::kFailedPrecondition);
}

TEST_F(SelectTest, VersionsEndWithTheirType) {
  ASSERT_TRUE(db_->Execute("UPDATE authors SET version = 255 WHERE id = 2").ok());
  EXPECT_EQ(UpdateWhere(*db_, Author{}, {&Author::born}, And()).status(),
            absl::InvalidArgumentError("authors: NOT NULL constraint failed: authors.version"));
  EXPECT_EQ(db_->Get<Author>(1)->version, 1);
  Author author = *db_->Get<Author>(2);
  EXPECT_EQ(db_->Upsert(&author).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(db_->Get<Author>(2)->version, 255);
}

TEST_F(SelectTest, TextsAreNeverSql) {
  for (const std::string text :
       {"x'); DROP TABLE authors; --", "' OR '1'='1", "\" OR \"\"=\"", "x' ESCAPE '%' --", "?1",
        ":name", "\\' OR 1=1 --", "name", "NULL"}) {
    const auto name = Col(&Author::name);
    EXPECT_EQ(Ids(name == text), "") << text;
    EXPECT_EQ(Ids(name.In({text, text, text})), "") << text;
    EXPECT_EQ(Ids(name.Like(text)), "") << text;
    EXPECT_EQ(Ids(name.Like(EscapeLike(text))), "") << text;
    EXPECT_EQ(Ids(name.Between(text, text)), "") << text;
    EXPECT_EQ(*DeleteWhere<Author>(*db_, name == text), 0);
    Author last = *db_->Get<Author>(4);
    last.name = text + "\x7F";
    EXPECT_TRUE(Select<Author>().OrderBy(&Author::name).After(last).All(*db_).ok()) << text;
    EXPECT_EQ(Select<Book>().Columns(JsonValue<int>(&Book::prices, text)).All(*db_).status().code(),
              StatusCode::kInvalidArgument)
        << text;
    Genre genre{text, text};
    ASSERT_EQ(db_->Insert(&genre), absl::OkStatus());
    EXPECT_EQ(*UpdateWhere(*db_, Genre{"", text + "!"}, {&Genre::title}, Col(&Genre::key) == text),
              1);
    EXPECT_EQ(Select<Genre>().Where(Col(&Genre::title) == text + "!").First(*db_)->key, text);
  }
  EXPECT_EQ(*db_->Count<Author>(), 4);
}

TEST_F(SelectTest, TheSameQueryHasTheSameSql) {
  const auto sql = [](std::int64_t id, const std::vector<std::int64_t>& ids, std::int64_t limit) {
    internal::SelectOperation operation;
    operation.table = &TableOf<Author>();
    operation.where = {And(Col(&Author::id) > id, Col(&Author::id).In(ids)).term()};
    operation.order = {Desc(&Author::name).term()};
    operation.limit = limit;
    internal::SqlWriter writer;
    EXPECT_EQ(writer.Select(operation), absl::OkStatus());
    return writer.sql();
  };
  EXPECT_EQ(sql(1, {1, 2, 3}, 5),
            "SELECT \"authors\".\"id\", \"authors\".\"name\", \"authors\".\"born\", "
            "\"authors\".\"rank\", \"authors\".\"version\" FROM \"authors\" WHERE "
            "(\"authors\".\"id\" > ? AND \"authors\".\"id\" IN (?, ?, ?, ?)) ORDER BY "
            "\"authors\".\"name\" DESC, \"authors\".\"id\" DESC LIMIT ? OFFSET ?");
  EXPECT_EQ(sql(1, {1, 2, 3}, 5), sql(7, {4, 5, 6, 7}, 9));
}

}  // namespace
}  // namespace strata::orm
