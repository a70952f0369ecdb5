#include "strata/orm/search.h"

#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "strata/orm/database.h"
#include "strata/orm/select.h"
#include "strata/orm/testing/raw_file.h"
#include "strata/orm/testing/seed.h"

namespace searched {

struct Post {
  std::int64_t id = 0;
  std::string title;
  std::optional<std::string> body;
  std::int64_t views = 0;
};
STRATA_TABLE((Post, Named("posts"), FullText("title", "body")), id, title, body, views);

// The same table, as other programs describe it.
struct PlainPost {
  std::int64_t id = 0;
  std::string title;
  std::optional<std::string> body;
  std::int64_t views = 0;
};
STRATA_TABLE((PlainPost, Named("posts")), id, title, body, views);
struct OtherPost {
  std::int64_t id = 0;
  std::string title;
  std::optional<std::string> body;
  std::int64_t views = 0;
};
STRATA_TABLE((OtherPost, Named("posts"), FullText("body").Tokenizer("porter unicode61"),
              Check("views >= 0")),
             id, title, body, views);
struct CheckedPost {
  std::int64_t id = 0;
  std::string title;
  std::optional<std::string> body;
  std::int64_t views = 0;
};
STRATA_TABLE((CheckedPost, Named("posts"), FullText("title", "body"), Check("views < 1000")), id,
             title, body, views);
struct ShortPost {
  std::int64_t id = 0;
  std::string title;
  std::int64_t views = 0;
};
STRATA_TABLE((ShortPost, Named("posts"), FullText("title")), id, title, views);

struct Place {
  std::int64_t id = 0;
  double west = 0;
  double east = 0;
  std::int64_t south = 0;
  std::optional<std::int64_t> north;
};
STRATA_TABLE((Place, Named("places"), Boxes("west", "east", "south", "north")), id, west, east,
             south, north);

}  // namespace searched

namespace strata::orm {
namespace {

using absl::StatusCode;
using searched::CheckedPost;
using searched::OtherPost;
using searched::Place;
using searched::PlainPost;
using searched::Post;
using searched::ShortPost;
using testing::RawFile;

class SearchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Open<Post>();
    ASSERT_EQ(db_->InsertAll(std::vector<Post>{
                  {1, "Tea", "The leaves of a plant, in hot water.", 5},
                  {2, "Coffee", "Roasted beans, and hot water. Tea is something else.", 7},
                  {3, "Tea and tea again", "Tea, tea and tea.", 0},
                  {4, "Caf\xc3\xa9s", {}, 3}}),
              absl::OkStatus());
  }

  template <typename T>
  void Open(std::vector<Migration> migrations = {}, const MigrateOptions& migrate = {}) {
    db_.reset();
    auto db = Database::Open(file_.path(), Schema::Of<T, Place>(std::move(migrations)),
                             {.synchronous = DatabaseOptions::Synchronous::kOff}, migrate);
    ASSERT_TRUE(db.ok()) << db.status();
    db_ = *std::move(db);
    const auto report =
        db_->Migrate(Schema::Of<T, Place>(), {.mode = MigrateOptions::Mode::kDryRun});
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_TRUE(report->sql.empty()) << report->sql.front();
  }

  // The keys of the rows, in their order, or the error.
  template <typename T = Post>
  std::string Ids(const Condition& condition) {
    std::string text;
    const absl::Status status =
        Select<T>().Where(condition).OrderBy(&T::id).Columns(&T::id).ForEach(
            *db_, [&](std::int64_t id) { text += (text.empty() ? "" : " ") + std::to_string(id); });
    return status.ok() ? text : std::string(status.message());
  }
  std::string Words(std::string_view text) { return Ids(Match<Post>(TextQuery::Words(text))); }

  // Nothing is in the index but what is in the table.
  void ExpectInStep() {
    EXPECT_EQ(file_.Result("INSERT INTO \"posts#text\"(\"posts#text\", rank) "
                           "VALUES ('integrity-check', 1)"),
              "");
  }

  RawFile file_{"search.db"};
  std::unique_ptr<Database> db_;
};

TEST_F(SearchTest, RowsAreFoundByTheirWords) {
  EXPECT_EQ(Words("tea"), "1 2 3");
  EXPECT_EQ(Words(" HOT\twater\n"), "1 2");
  EXPECT_EQ(Words("hot tea beans"), "2");
  EXPECT_EQ(Words("cafes"), "4");
  EXPECT_EQ(Words("wat"), "");
  EXPECT_EQ(Words(""), "");
  EXPECT_EQ(Words(" -- "), "");
  EXPECT_EQ(Words("-- beans"), "2");
  EXPECT_EQ(Ids(Match<Post>(TextQuery::AnyWord("beans caf\xc3\xa9s"))), "2 4");
  EXPECT_EQ(Ids(Match<Post>(TextQuery::Phrase("hot water"))), "1 2");
  EXPECT_EQ(Ids(Match<Post>(TextQuery::Phrase("water hot"))), "");
  EXPECT_EQ(Ids(Match<Post>(TextQuery::Typed("hot be"))), "2");
  EXPECT_EQ(Ids(Match<Post>(TextQuery::Syntax("tea NOT coffee"))), "1 3");
  EXPECT_EQ(Ids(Match(&Post::title, TextQuery::Words("tea"))), "1 3");
  EXPECT_EQ(Ids(Match(&Post::body, TextQuery::AnyWord("tea leaves"))), "1 2 3");
  EXPECT_EQ(Ids(Match(&Post::title, TextQuery::AnyWord("coffee leaves"))), "2");
}

TEST_F(SearchTest, TheBestComeFirstWithTheirWordsMarked) {
  const auto query = Select<Post>()
                         .Where(Match<Post>(TextQuery::Words("tea")))
                         .Where(Col(&Post::id) != 1)
                         .OrderBy(Rank<Post>());
  const auto posts = query.All(*db_);
  ASSERT_TRUE(posts.ok()) << posts.status();
  ASSERT_EQ(posts->size(), 2u);
  EXPECT_EQ(posts->at(0).id, 3);
  EXPECT_EQ(posts->at(1).id, 2);
  EXPECT_EQ(*query.Count(*db_), 2);
  EXPECT_TRUE(*query.Exists(*db_));

  const auto marked = query
                          .Columns(Rank<Post>(), Highlight(&Post::title, "<b>", "</b>"),
                                   Snippet(&Post::body, "[", "]", "...", 4))
                          .All(*db_);
  ASSERT_TRUE(marked.ok()) << marked.status();
  EXPECT_LT(std::get<0>(marked->at(0)), std::get<0>(marked->at(1)));
  EXPECT_EQ(std::get<1>(marked->at(0)), "<b>Tea</b> and <b>tea</b> again");
  EXPECT_EQ(std::get<2>(marked->at(1)), "...water. [Tea] is something...");
}

TEST_F(SearchTest, MatchesAreConditionsLikeOthers) {
  const Condition tea = Match<Post>(TextQuery::Words("tea"));
  const Condition hot = Match<Post>(TextQuery::Words("hot"));
  EXPECT_EQ(Ids(Not(tea)), "4");
  EXPECT_EQ(Ids(And(tea, Not(hot))), "3");
  EXPECT_EQ(Ids(Or(hot, Col(&Post::views) == 3)), "1 2 4");
  const auto both = Select<Post>().Where(tea).Where(hot).OrderBy(Rank<Post>()).All(*db_);
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_EQ(both->size(), 2u);
  Post viewed;
  viewed.views = 100;
  EXPECT_EQ(*UpdateWhere<Post>(*db_, viewed, {&Post::views}, tea), 3);
  EXPECT_EQ(*DeleteWhere<Post>(*db_, hot), 2);
  EXPECT_EQ(Words("tea"), "3");
  ExpectInStep();
}

TEST_F(SearchTest, WordsOfUsersAreNoSyntax) {
  const std::string nasty[] = {"title : beans",
                               "beans NOT hot",
                               "\"",
                               "\"\" OR \"tea",
                               "beans*",
                               "(",
                               "NEAR(a b)",
                               "^roasted",
                               "{title}: hot",
                               "beans OR tea",
                               "a\" OR \"tea",
                               "-title:x",
                               "+",
                               "\\",
                               "beans\"*",
                               "' OR 1 = 1 --",
                               "AND",
                               "NOT",
                               "OR OR",
                               "NEAR",
                               "; DROP"};
  for (const std::string& text : nasty) {
    SCOPED_TRACE(text);
    for (const TextQuery& query : {TextQuery::Words(text), TextQuery::AnyWord(text),
                                   TextQuery::Phrase(text), TextQuery::Typed(text)}) {
      const auto found = Select<Post>().Where(Match<Post>(query)).All(*db_);
      EXPECT_TRUE(found.ok()) << found.status();
      const auto in_title = Select<Post>().Where(Match(&Post::title, query)).All(*db_);
      EXPECT_TRUE(in_title.ok()) << in_title.status();
    }
  }
  EXPECT_EQ(Words("title : beans"), "");        // No row has the word title.
  EXPECT_EQ(Words("beans NOT something"), "");  // Nor not.
  EXPECT_EQ(Words("beans OR tea"), "");
  EXPECT_EQ(Words("bean*"), "");
  EXPECT_EQ(Words(std::string("hot\0beans\0", 10)), "2");
  EXPECT_EQ(Ids(Match<Post>(TextQuery::Words("\xff"))).find("UTF-8") == std::string::npos, false);
  std::string many;
  for (std::size_t i = 0; i < TextQuery::kMaxWords; ++i) many += "tea ";
  EXPECT_EQ(Words(many), "1 2 3");
  EXPECT_EQ(Words(many + "tea"), "more than 64 words to look for");
}

TEST_F(SearchTest, WhatCannotBeIsAnError) {
  const auto code = [&](const auto& query) { return query.All(*db_).status().code(); };
  EXPECT_EQ(code(Select<Post>().Where(Match<Post>(TextQuery::Syntax("\"")))),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(code(Select<Post>().OrderBy(Rank<Post>())), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(Select<Post>().Columns(Highlight(&Post::title, "", ""))),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(code(Select<Place>().Where(Match<Post>(TextQuery::Words("tea")))),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(code(Select<Place>().Where(Overlaps<Place>({{0, 1}}))), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(Select<Post>().Where(Within<Place>({{0, 1}, {0, 1}}))),
            StatusCode::kInvalidArgument);
}

TEST_F(SearchTest, TheIndexIsInStepWithEveryWrite) {
  Post post{0, "new words", "", 0};
  ASSERT_EQ(db_->Insert(&post), absl::OkStatus());
  EXPECT_EQ(post.id, 5);  // And not a number of the index.
  EXPECT_EQ(Words("new"), "5");
  post.title = "other words";
  ASSERT_EQ(db_->Update(&post, {&Post::title}), absl::OkStatus());
  EXPECT_EQ(Words("new") + Words("other"), "5");
  post.body = "upserted";
  ASSERT_EQ(db_->Upsert(&post), absl::OkStatus());
  EXPECT_EQ(Words("upserted"), "5");
  EXPECT_EQ(*db_->Execute("UPDATE posts SET id = 50 WHERE id = 5"), 1);
  EXPECT_EQ(Words("upserted"), "50");
  EXPECT_EQ(*db_->Execute("INSERT OR REPLACE INTO posts VALUES (50, 'replaced', NULL, 0)"), 1);
  EXPECT_EQ(Words("upserted") + Words("replaced"), "50");
  EXPECT_EQ(db_->Transact([&](Transaction& transaction) -> absl::Status {
                 EXPECT_EQ(transaction.Delete<Post>(50), absl::OkStatus());
                 return absl::CancelledError("");
               })
                .code(),
            StatusCode::kCancelled);
  EXPECT_EQ(Words("replaced"), "50");
  file_.Run("DELETE FROM posts WHERE id = 50; UPDATE posts SET body = 'elsewhere' WHERE id = 4");
  EXPECT_EQ(Words("replaced"), "");
  EXPECT_EQ(Words("elsewhere"), "4");
  ExpectInStep();
}

TEST_F(SearchTest, TheIndexFollowsTheDescription) {
  Open<PlainPost>();
  EXPECT_EQ(file_.Text("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'posts#%'"), "0");
  file_.Run("UPDATE posts SET body = 'changed beans' WHERE id = 4");
  Open<Post>();
  EXPECT_EQ(Words("beans"), "2 4");
  ExpectInStep();
  // The same index of a table that is rebuilt.
  Open<CheckedPost>({}, {.rebuild = true});
  CheckedPost post{5, "rebuilt", {}, 0};
  ASSERT_EQ(db_->Insert(&post), absl::OkStatus());
  EXPECT_EQ(Ids<CheckedPost>(Match<CheckedPost>(TextQuery::Words("rebuilt"))), "5");
  ASSERT_EQ(db_->Delete<CheckedPost>(5), absl::OkStatus());
  ExpectInStep();
  // Another index.
  Open<OtherPost>({}, {.rebuild = true});
  const auto stems = [&](std::string_view text) {
    return Ids<OtherPost>(Match<OtherPost>(TextQuery::Words(text)));
  };
  EXPECT_EQ(stems("bean"), "2 4");
  EXPECT_EQ(stems("coffee"), "");
  ExpectInStep();
  // A migration may drop what the triggers name.
  const std::vector<Migration> migrations = {{.version = 1,
                                              .name = "",
                                              .up = "ALTER TABLE posts DROP COLUMN body; "
                                                    "UPDATE posts SET title = 'beans' WHERE id = 1",
                                              .down = ""}};
  Open<ShortPost>(migrations, {.rebuild = true});
  EXPECT_EQ(Ids<ShortPost>(Match<ShortPost>(TextQuery::Words("beans"))), "1");
  ExpectInStep();
}

TEST_F(SearchTest, ATriggerThatWasMissingHasTheIndexMadeAnew) {
  db_.reset();
  file_.Run("DROP TRIGGER \"posts#text_insert\"; INSERT INTO posts VALUES (9, 'unseen', NULL, 0)");
  Open<Post>();
  EXPECT_EQ(Words("unseen"), "9");
  ExpectInStep();
}

TEST_F(SearchTest, AnyWritesLeaveTheIndexInStep) {
  std::minstd_rand random(testing::Seed(std::random_device()()));
  const std::string words[] = {"ash", "birch", "cedar", "date", "elm"};
  const auto text = [&] {
    std::string text;
    for (auto count = random() % 4; count > 0; --count) text += words[random() % 5] + " ";
    return text;
  };
  for (int i = 0; i < 150; ++i) {
    const bool is_kept = random() % 4 != 0;
    db_->Transact([&](Transaction& transaction) -> absl::Status {
         for (int j = 0; j < 3; ++j) {
           Post post{static_cast<std::int64_t>(1 + random() % 10), text(), {}, 0};
           if (random() % 2 == 0) post.body = text();
           if (random() % 3 == 0) {
             transaction.Delete<Post>(post.id).IgnoreError();
           } else {
             EXPECT_EQ(transaction.Upsert(&post), absl::OkStatus());
           }
         }
         return is_kept ? absl::OkStatus() : absl::CancelledError("");
       })
        .IgnoreError();
  }
  ExpectInStep();
  for (const std::string& word : words) {
    EXPECT_EQ(Words(word), Ids(Or(Col(&Post::title).Like("%" + word + "%"),
                                  Col(&Post::body).Like("%" + word + "%"))));
  }
}

TEST_F(SearchTest, BoxesAreThoseOfTheRowsThemselves) {
  std::minstd_rand random(testing::Seed(std::random_device()()));
  const auto number = [&]() -> double {
    switch (random() % 5) {
      case 0:
        return 16777216.0 + static_cast<double>(random() % 5);  // Where floats leave some out.
      case 1:
        return 1e300 * (static_cast<double>(random() % 5) - 2);
      case 2:
        return static_cast<double>(random() % 7) / 10;
      default:
        return static_cast<double>(random() % 20) - 10;
    }
  };
  const auto integer = [&] {
    return static_cast<std::int64_t>(random() % 5) + (random() % 2 == 0 ? 0 : 9007199254740992);
  };
  std::vector<Place> places;
  for (std::int64_t i = 0; i < 300; ++i) {
    Place place{i + 1, number(), number(), integer(), integer()};
    if (place.west > place.east) std::swap(place.west, place.east);
    if (place.south > *place.north) std::swap(place.south, *place.north);
    if (random() % 9 == 0) place.north = {};
    places.push_back(place);
  }
  ASSERT_EQ(db_->InsertAll(places), absl::OkStatus());
  for (Place& place : places) {
    if (random() % 3 != 0) continue;
    place.east = std::max(place.east, number());
    if (place.north) place.south = *place.north;
    ASSERT_EQ(db_->Update(&place), absl::OkStatus());
  }
  ASSERT_EQ(*db_->Execute("DELETE FROM places WHERE id % 7 = 0"), 42);
  const auto by_columns = [](const Range& x, const Range& y, bool is_within) {
    const auto west = Col(&Place::west);
    const auto east = Col(&Place::east);
    // As reals: what a comparison with an integer column in C++ would not be.
    const auto south = Expression<double>(Col(&Place::south).term());
    const auto north = Expression<double>(Col(&Place::north).term());
    return is_within ? And(west >= x.low, east <= x.high, south >= y.low, north <= y.high)
                     : And(east >= x.low, west <= x.high, north >= y.low, south <= y.high);
  };
  int found = 0;
  for (int i = 0; i < 300; ++i) {
    Range x{number(), number()};
    Range y{static_cast<double>(integer()), static_cast<double>(integer())};
    if (x.low > x.high) std::swap(x.low, x.high);
    if (y.low > y.high) std::swap(y.low, y.high);
    const std::string overlapping = Ids<Place>(Overlaps<Place>({x, y}));
    found += overlapping.empty() ? 0 : 1;
    ASSERT_EQ(overlapping, Ids<Place>(by_columns(x, y, false)));
    ASSERT_EQ(Ids<Place>(Within<Place>({x, y})), Ids<Place>(by_columns(x, y, true)));
  }
  EXPECT_GT(found, 50);
  EXPECT_EQ(file_.Text("SELECT rtreecheck('places#boxes')"), "ok");
  EXPECT_EQ(file_.Text("SELECT count(*) FROM \"places#boxes\""),
            file_.Text("SELECT count(north) FROM places"));
}

TEST_F(SearchTest, AnIndexThatIsNotOfTheRowsIsFound) {
  ASSERT_EQ(*db_->Execute("INSERT INTO places (west, east, south, north) VALUES (0, 1, 0, 1)"), 1);
  EXPECT_EQ(db_->CheckIntegrity(), absl::OkStatus());
  file_.Run("DELETE FROM \"places#boxes_rowid\"");
  absl::Status status = db_->CheckIntegrity();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_TRUE(status.message().starts_with("places#boxes: ")) << status;
  file_.Run("INSERT INTO \"places#boxes_rowid\" VALUES (1, 1)");
  EXPECT_EQ(db_->CheckIntegrity(), absl::OkStatus());
  file_.Run("INSERT INTO \"posts#text\" (\"posts#text\") VALUES ('delete-all')");
  status = db_->CheckIntegrity();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_TRUE(status.message().starts_with("posts#text: ")) << status;
  file_.Run("INSERT INTO \"posts#text\" (\"posts#text\") VALUES ('rebuild')");
  EXPECT_EQ(db_->CheckIntegrity(), absl::OkStatus());
}

TEST_F(SearchTest, ABoxThatIsNoneIsRefused) {
  Place place{0, 2, 1, 0, 1};
  EXPECT_EQ(db_->Insert(&place).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(*db_->Count<Place>(), 0);
  place.east = 2;
  EXPECT_EQ(db_->Insert(&place), absl::OkStatus());
  EXPECT_EQ(place.id, 1);
  EXPECT_EQ(Ids<Place>(Overlaps<Place>({{2, 2}, {-1, 0}})), "1");
  EXPECT_EQ(Ids<Place>(Within<Place>({{2, 2}, {0, 1}})), "1");
}

}  // namespace
}  // namespace strata::orm
