#include "strata/orm/relation.h"

#include <algorithm>
#include <random>
#include <string>

#include "gtest/gtest.h"

namespace related {

struct Tag;

struct Book {
  std::int64_t id = 0;
  std::string title;
  std::optional<std::int32_t> author;  // Narrower than the key.
  std::optional<std::string> shelf;
  std::vector<Tag> tags;
};

struct Author {
  std::int64_t id = 0;
  std::string name;
  std::vector<Book> books;
};

struct Tag {
  strata::orm::Uuid id;
  std::string name;
  std::vector<Book> books;
};

// A key of a text that is compared without regard to case.
struct Shelf {
  std::string key;
  std::vector<Book> books;
};

STRATA_TABLE((Author, Named("authors")), id, name);
STRATA_TABLE((Shelf, Named("shelves")), (key, PrimaryKey(), Collate("NOCASE")));
STRATA_TABLE((Book, Named("books")), id, title, (author, References<Author>()),
             (shelf, References<Shelf>(), Collate("NOCASE")));
STRATA_TABLE((Tag, Named("tags")), (id, AsText()), name);

// Books with the row they refer to.
struct Loan {
  std::int64_t id = 0;
  std::int64_t book = 0;
  std::optional<std::int64_t> next;
  std::int64_t other = 0;
  std::optional<Book> row;
};
STRATA_TABLE(Loan, id, (book, References<Book>()), (next, References<Loan>()), other);

// Links of the program's own, of rows of one table with each other.
struct Person {
  strata::orm::Blob key;
  std::vector<Person> friends;
};
STRATA_TABLE((Person, Named("people")), (key, PrimaryKey()));
struct Friendship {
  std::int64_t id = 0;
  strata::orm::Blob who;
  strata::orm::Blob whom;
  std::int32_t since = 0;
};
STRATA_TABLE(Friendship, id, (who, References<Person>()), (whom, References<Person>()), since);

}  // namespace related

namespace strata::orm {
namespace {

using absl::StatusCode;
using related::Author;
using related::Book;
using related::Friendship;
using related::Loan;
using related::Person;
using related::Shelf;
using related::Tag;
using Tagged = Links<Book, Tag>;

std::string Titles(const std::vector<Book>& books) {
  std::string titles;
  for (const Book& book : books) titles += book.title;
  return titles;
}

class RelationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Schema schema = Schema::Of<Author, Shelf, Book, Tag, Tagged, Loan, Person, Friendship>();
    auto db = Database::Open(":memory:", schema);
    ASSERT_TRUE(db.ok()) << db.status();
    db_ = *std::move(db);
    const auto report = db_->Migrate(schema, {.mode = MigrateOptions::Mode::kDryRun});
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_TRUE(report->sql.empty());
    ASSERT_EQ(db_->InsertAll(std::vector<Author>{{1, "Ann", {}}, {2, "Bob", {}}, {3, "Cem", {}}}),
              absl::OkStatus());
    ASSERT_EQ(db_->InsertAll(std::vector<Shelf>{{"a", {}}, {"B", {}}}), absl::OkStatus());
    ASSERT_EQ(db_->InsertAll(std::vector<Book>{{1, "x", 1, "A", {}},
                                               {2, "y", 2, "b", {}},
                                               {3, "a", 1, {}, {}},
                                               {4, "z", {}, "a", {}}}),
              absl::OkStatus());
    for (std::size_t i = 0; i < 3; ++i) {
      tags_.push_back({Uuid::V7(), std::to_string(i), {}});
      ASSERT_EQ(db_->Insert(&tags_.back()), absl::OkStatus());
    }
  }

  std::unique_ptr<Database> db_;
  std::vector<Tag> tags_;
};

TEST_F(RelationTest, RowsGetThoseThatReferToThem) {
  auto authors = Select<Author>().OrderBy(&Author::id).All(*db_);
  ASSERT_TRUE(authors.ok()) << authors.status();
  authors->at(2).books.resize(3);  // What was there goes.
  ASSERT_EQ(LoadMany(*db_, &*authors, &Author::books, &Book::author,
                     Select<Book>().OrderBy(&Book::title)),
            absl::OkStatus());
  EXPECT_EQ(Titles(authors->at(0).books), "ax");
  EXPECT_EQ(Titles(authors->at(1).books), "y");
  EXPECT_EQ(Titles(authors->at(2).books), "");
  EXPECT_EQ(authors->at(1).books[0].shelf, "b");

  ASSERT_EQ(LoadMany(*db_, &authors->at(0), &Author::books, &Book::author,
                     Select<Book>().Where(Col(&Book::title) != "a")),
            absl::OkStatus());
  EXPECT_EQ(Titles(authors->at(0).books), "x");
  EXPECT_EQ(Titles(authors->at(1).books), "y");

  std::vector<Author> none;
  EXPECT_EQ(LoadMany(*db_, &none, &Author::books, &Book::author), absl::OkStatus());
}

TEST_F(RelationTest, TextsBelongTogetherAsTheDatabaseComparesThem) {
  auto shelves = Select<Shelf>().OrderBy(&Shelf::key).All(*db_);
  ASSERT_TRUE(shelves.ok()) << shelves.status();
  ASSERT_EQ(LoadMany(*db_, &*shelves, &Shelf::books, &Book::shelf,
                     Select<Book>().OrderBy(Desc(&Book::id))),
            absl::OkStatus());
  EXPECT_EQ(Titles(shelves->at(0).books), "zx");
  EXPECT_EQ(Titles(shelves->at(1).books), "y");
}

TEST_F(RelationTest, RowsGetTheOneThatTheyReferTo) {
  std::vector<Loan> loans{{1, 2, {}, 0, {}}, {2, 1, 1, 0, {}}, {3, 2, {}, 0, {}}};
  ASSERT_EQ(db_->InsertAll(loans), absl::OkStatus());
  loans.push_back({4, 99, {}, 0, Book{}});
  ASSERT_EQ(LoadOne(*db_, &loans, &Loan::row, &Loan::book), absl::OkStatus());
  EXPECT_EQ(loans[0].row->title, "y");
  EXPECT_EQ(loans[1].row->title, "x");
  EXPECT_EQ(loans[2].row->title, "y");
  EXPECT_FALSE(loans[3].row.has_value());
  EXPECT_EQ(LoadOne(*db_, &loans, &Loan::row, &Loan::other).code(), StatusCode::kInvalidArgument);
}

TEST_F(RelationTest, LinksAreOfBothSides) {
  const auto link = [&](std::int64_t book, std::size_t tag) {
    return Link<Book, Tag>(*db_, book, tags_[tag].id);
  };
  ASSERT_EQ(link(1, 0), absl::OkStatus());
  ASSERT_EQ(link(1, 1), absl::OkStatus());
  ASSERT_EQ(link(2, 1), absl::OkStatus());
  ASSERT_EQ(link(2, 1), absl::OkStatus());
  EXPECT_EQ(link(77, 1).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ((Link<Book, Tag>(*db_, 1, Uuid::V4())).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(*db_->Count<Tagged>(), 3);
  EXPECT_EQ(TableOf<Tagged>().name, "books_tags");

  auto books = Select<Book>().OrderBy(&Book::id).All(*db_);
  ASSERT_EQ(LoadThrough(*db_, &*books, &Book::tags, &Tagged::left, &Tagged::right,
                        Select<Tag>().OrderBy(Desc(&Tag::name))),
            absl::OkStatus());
  ASSERT_EQ(books->at(0).tags.size(), 2u);
  EXPECT_EQ(books->at(0).tags[0].id, tags_[1].id);
  EXPECT_EQ(books->at(0).tags[1].id, tags_[0].id);
  EXPECT_EQ(books->at(1).tags.size(), 1u);
  EXPECT_TRUE(books->at(2).tags.empty());

  ASSERT_EQ(LoadThrough(*db_, &tags_, &Tag::books, &Tagged::right, &Tagged::left,
                        Select<Book>().OrderBy(&Book::id)),
            absl::OkStatus());
  EXPECT_EQ(Titles(tags_[0].books), "x");
  EXPECT_EQ(Titles(tags_[1].books), "xy");
  EXPECT_EQ(Titles(tags_[2].books), "");

  EXPECT_EQ((Unlink<Book, Tag>(*db_, 1, tags_[1].id)), absl::OkStatus());
  EXPECT_EQ((Unlink<Book, Tag>(*db_, 1, tags_[1].id)).code(), StatusCode::kNotFound);
  // The link goes with the row.
  EXPECT_EQ(db_->Delete<Tag>(tags_[0].id), absl::OkStatus());
  EXPECT_EQ(*db_->Count<Tagged>(), 1);
}

TEST_F(RelationTest, ATableMayBeLinkedWithItself) {
  const auto key = [](int i) { return Blob{std::byte{0}, static_cast<std::byte>(i)}; };
  std::vector<Person> people;
  for (int i = 0; i < 3; ++i) people.push_back({key(i), {}});
  ASSERT_EQ(db_->InsertAll(people), absl::OkStatus());
  ASSERT_EQ(db_->InsertAll(std::vector<Friendship>{
                {1, key(0), key(1), 1999}, {2, key(0), key(2), 2005}, {3, key(1), key(0), 1999}}),
            absl::OkStatus());
  ASSERT_EQ(LoadThrough(*db_, &people, &Person::friends, &Friendship::who, &Friendship::whom,
                        Select<Person>().OrderBy(&Person::key)),
            absl::OkStatus());
  ASSERT_EQ(people[0].friends.size(), 2u);
  EXPECT_EQ(people[0].friends[1].key, key(2));
  EXPECT_EQ(people[1].friends.size(), 1u);
  EXPECT_TRUE(people[2].friends.empty());
  // The other way round, and by a column of the links.
  ASSERT_EQ(LoadThrough(*db_, &people, &Person::friends, &Friendship::whom, &Friendship::who,
                        Select<Person>().Where(Col(&Friendship::since) > 2000)),
            absl::OkStatus());
  EXPECT_TRUE(people[1].friends.empty());
  ASSERT_EQ(people[2].friends.size(), 1u);
  EXPECT_EQ(people[2].friends[0].key, key(0));
}

TEST_F(RelationTest, ThereIsAQueryForManyRowsAndNotForEach) {
  constexpr std::int64_t kMany = 1234;
  std::vector<Author> authors;
  std::vector<Book> books;
  for (std::int64_t i = 0; i < kMany; ++i) {
    authors.push_back({100 + i, "", {}});
    for (std::int64_t j = 0; j < i % 3; ++j) {
      books.push_back(
          {1000 + 10 * i + j, std::to_string(i), static_cast<std::int32_t>(100 + i), {}, {}});
    }
  }
  ASSERT_EQ(db_->InsertAll(authors), absl::OkStatus());
  ASSERT_EQ(db_->InsertAll(books), absl::OkStatus());
  std::shuffle(authors.begin(), authors.end(), std::minstd_rand());
  authors.push_back(authors.front());  // A row twice.
  ASSERT_EQ(LoadMany(*db_, &authors, &Author::books, &Book::author), absl::OkStatus());
  for (const Author& author : authors) {
    ASSERT_EQ(author.books.size(), static_cast<std::size_t>((author.id - 100) % 3));
    for (const Book& book : author.books) ASSERT_EQ(book.author, author.id);
  }
  // Two full ones, and the rest.
  const auto runs = db_->Query<std::int64_t>(
      "SELECT sum(run) FROM sqlite_stmt WHERE sql LIKE '%FROM \"books\"%IN (%' AND "
      "sql NOT LIKE '%sqlite_stmt%'");
  ASSERT_TRUE(runs.ok()) << runs.status();
  EXPECT_EQ(runs->at(0), 3);
}

TEST_F(RelationTest, AQueryWithALimitIsRefused) {
  auto authors = Select<Author>().All(*db_);
  for (const auto& query :
       {Select<Book>().Limit(3), Select<Book>().Offset(1), Select<Book>().Fields({&Book::title})}) {
    EXPECT_EQ(LoadMany(*db_, &*authors, &Author::books, &Book::author, query).code(),
              StatusCode::kInvalidArgument);
  }
}

TEST_F(RelationTest, ATransactionSeesItsOwnRows) {
  ASSERT_EQ(db_->Transact([](Transaction& transaction) {
    Book book{9, "new", 3, {}, {}};
    EXPECT_EQ(transaction.Insert(&book), absl::OkStatus());
    Author author{3, "", {}};
    EXPECT_EQ(LoadMany(transaction, &author, &Author::books, &Book::author), absl::OkStatus());
    EXPECT_EQ(Titles(author.books), "new");
    return absl::OkStatus();
  }),
            absl::OkStatus());
}

}  // namespace
}  // namespace strata::orm
