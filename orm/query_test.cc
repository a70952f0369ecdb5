// SQL of the caller: Execute(), Query() and ForEach().

#include <string>
#include <tuple>

#include "gtest/gtest.h"
#include "sqlite3.h"
#include "strata/orm/database.h"
#include "strata/orm/testing/sample.h"

namespace app {

struct City {
  std::int64_t id = 0;
  std::string name;
  std::optional<double> area;
};
STRATA_TABLE((City, Named("cities")), id, (name, Unique()), area);

struct NameCount {
  std::string name;
  std::int64_t count = 0;
};
STRATA_STRUCT(NameCount, name, count);

}  // namespace app

namespace strata::orm {
namespace {

using absl::StatusCode;
using app::City;
using app::NameCount;

class QueryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    DatabaseOptions options;
    options.max_statements = 4;
    absl::StatusOr<std::unique_ptr<Database>> db = Database::Open(":memory:", options);
    ASSERT_TRUE(db.ok()) << db.status();
    db_ = *std::move(db);
    ASSERT_EQ(db_->Create<City>(), absl::OkStatus());
    for (const char* name : {"Rome", "Oslo", "Lima"}) {
      City city{0, name, {}};
      if (city.name == "Rome") city.area = 1285.5;
      ASSERT_EQ(db_->Insert(&city), absl::OkStatus());
    }
  }

  std::int64_t Count() { return *db_->Count<City>(); }

  std::unique_ptr<Database> db_;
};

TEST_F(QueryTest, ExecuteTellsHowManyRowsChanged) {
  EXPECT_EQ(*db_->Execute("UPDATE cities SET area = ? WHERE id > ?", 1.5, 1), 2);
  EXPECT_EQ(*db_->Execute("UPDATE cities SET area = ? WHERE id > ?", 1.5, 100), 0);
  EXPECT_EQ(*db_->Execute("INSERT INTO cities (name) VALUES (?), (?)", "Bern", std::string("Kyiv")),
            2);
  EXPECT_EQ(*db_->Execute("CREATE TABLE other (x)"), 0);
  EXPECT_EQ(*db_->Execute("SELECT * FROM cities"), 0);
  EXPECT_EQ(*db_->Execute("DELETE FROM cities"), 5);
}

TEST_F(QueryTest, StructsAreMatchedByName) {
  const auto cities = db_->Query<City>("SELECT area, ID, name FROM cities ORDER BY name");
  ASSERT_TRUE(cities.ok()) << cities.status();
  ASSERT_EQ(cities->size(), 3u);
  EXPECT_EQ((*cities)[2].id, 1);
  EXPECT_EQ((*cities)[2].name, "Rome");
  EXPECT_EQ((*cities)[2].area, 1285.5);
  EXPECT_FALSE((*cities)[0].area.has_value());
  const auto counts =
      db_->Query<NameCount>("SELECT 'x' AS name, count(*) AS count FROM cities WHERE id >= ?", 2);
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->at(0).count, 2);
}

TEST_F(QueryTest, ColumnsThatDoNotFitAreNamed) {
  EXPECT_EQ(db_->Query<City>("SELECT id, name FROM cities").status(),
            absl::InvalidArgumentError("the result has no column \"area\", which cities has"));
  EXPECT_EQ(db_->Query<City>("SELECT *, 1 AS b FROM cities").status(),
            absl::InvalidArgumentError("cities has no column for the result's \"b\""));
  EXPECT_EQ(db_->Query<City>("SELECT *, 1 AS Name FROM cities").status(),
            absl::InvalidArgumentError("the result has two columns \"Name\""));
  EXPECT_EQ((db_->Query<std::tuple<int, int>>("SELECT 1, 2, 3").status()),
            absl::InvalidArgumentError("the number of the result's columns is 3, not 2"));
  EXPECT_EQ(db_->Query<int>("SELECT * FROM cities").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(db_->Query<int>("DELETE FROM cities").status(),
            absl::InvalidArgumentError("the statement has no result: that is for Execute()"));
  EXPECT_EQ(Count(), 3);
}

TEST_F(QueryTest, TuplesAndValuesAreMatchedByPosition) {
  using Row = std::tuple<std::string, std::optional<double>, std::int8_t>;
  const auto rows = db_->Query<Row>("SELECT name, area, id FROM cities ORDER BY id");
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->at(0), Row("Rome", 1285.5, 1));
  EXPECT_EQ(rows->at(1), Row("Oslo", std::nullopt, 2));
  EXPECT_EQ(*db_->Query<std::string>("SELECT name FROM cities ORDER BY name"),
            (std::vector<std::string>{"Lima", "Oslo", "Rome"}));
  EXPECT_TRUE(db_->Query<std::string>("SELECT name FROM cities WHERE 0")->empty());
}

TEST_F(QueryTest, ValuesThatDoNotFitAreNamed) {
  EXPECT_EQ(db_->Query<double>("SELECT area FROM cities").status(),
            absl::DataLossError("area: NULL, but the field is no std::optional"));
  EXPECT_EQ(db_->Query<std::int8_t>("SELECT 128 AS n").status(),
            absl::OutOfRangeError("n: too large for the field"));
  EXPECT_EQ(db_->Query<int>("SELECT 'x' AS n").status().code(), StatusCode::kDataLoss);
}

TEST_F(QueryTest, ValuesOfEveryKindCanBeBound) {
  ASSERT_EQ(db_->Create<testing::Sample>(), absl::OkStatus());
  testing::Sample sample;
  sample.uuid = Uuid::V4();
  sample.blob = {std::byte{1}, std::byte{0}};
  sample.amount = Currency::FromTenThousandths(15000);
  sample.maybe_uuid = sample.uuid;
  sample.color_text = testing::Color::kGreen;
  ASSERT_EQ(db_->Insert(&sample), absl::OkStatus());
  const auto found = db_->Query<testing::Sample>(
      "SELECT * FROM Sample WHERE uuid = ? AND blob = ? AND amount = ? AND maybe_uuid = ? AND "
      "color_text = ? AND maybe IS ? AND maybe_text IS ? AND flag = ? AND real = ? AND moment_text "
      "= ?",
      AsText(sample.uuid), sample.blob, sample.amount, sample.maybe_uuid, AsText(sample.color_text),
      nullptr, std::nullopt, false, 0.0, AsText(sample.moment_text));
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->at(0), sample);
  EXPECT_EQ(db_->Query<Uuid>("SELECT uuid FROM Sample")->at(0), sample.uuid);
  EXPECT_EQ(db_->Query<testing::Color>("SELECT color_text FROM Sample")->at(0),
            testing::Color::kGreen);
}

TEST_F(QueryTest, EachParameterHasAValue) {
  EXPECT_EQ(db_->Execute("DELETE FROM cities WHERE id = ?").status(),
            absl::InvalidArgumentError("the number of parameters is 1, that of values 0"));
  EXPECT_EQ(db_->Execute("DELETE FROM cities WHERE id = ?", 1, 2).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(db_->Query<int>("SELECT 1", 1).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(db_->Query<int>("SELECT ?2 - ?1 + ?1 * 10", 3, 5)->at(0), 32);
  EXPECT_EQ(db_->Query<int>("SELECT :a - :b", 3, 5)->at(0), -2);
  EXPECT_EQ(db_->Execute("SELECT ?, ?", 1, "\xFF").status(),
            absl::InvalidArgumentError("parameter 2: the text is no UTF-8"));
  EXPECT_EQ(Count(), 3);
}

TEST_F(QueryTest, TextsAreUtf8ToTheLastByte) {
  for (std::size_t size = 0; size <= 26; ++size) {
    for (std::size_t at = 0; at <= size; ++at) {
      std::string text(size, 'x');
      text.insert(at, "\xC3\xA9");
      const auto same = db_->Query<std::string>("SELECT ?", text);
      ASSERT_TRUE(same.ok()) << same.status() << " " << text;
      ASSERT_EQ(same->at(0), text);
      text.erase(at, 1);
      ASSERT_EQ(db_->Execute("SELECT ?", text).status().code(), StatusCode::kInvalidArgument)
          << size << " " << at;
    }
  }
}

TEST_F(QueryTest, ACallIsOneStatement) {
  for (const char* sql : {"SELECT 1; DELETE FROM cities", "SELECT 1; x", "SELECT 1; /* */ SELECT 2",
                          "SELECT 1;;; -- \nDELETE FROM cities"}) {
    EXPECT_EQ(db_->Execute(sql).status(), absl::InvalidArgumentError("more than one statement"))
        << sql;
  }
  const std::string hidden("SELECT 1\0; DELETE FROM cities", 29);
  EXPECT_EQ(db_->Execute(hidden).status().code(), StatusCode::kInvalidArgument);
  for (const char* sql : {"", " ", ";", "-- nothing"}) {
    EXPECT_EQ(db_->Execute(sql).status(), absl::InvalidArgumentError("no SQL")) << sql;
  }
  for (const char* sql :
       {"SELECT 1;", "SELECT 1 ; \r\n\t", "SELECT 1 -- one", "SELECT 1; /* one */"}) {
    EXPECT_EQ(*db_->Execute(sql), 0) << sql;
  }
  EXPECT_EQ(db_->Execute("SELECT " + std::string(1 << 20, ' ') + "1").status(),
            absl::InvalidArgumentError("the SQL is too long"));
  EXPECT_EQ(Count(), 3);
}

TEST_F(QueryTest, SqlBeginsAndEndsNoTransaction) {
  for (const char* sql : {"BEGIN", "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", "SAVEPOINT strata",
                          "RELEASE strata", "ROLLBACK TO strata", "END"}) {
    EXPECT_EQ(db_->Transact([&](Transaction& t) -> absl::Status {
      return t.Transact([&](Transaction& inner) { return inner.Execute(sql).status(); });
    }),
              absl::InvalidArgumentError("transactions are begun and ended by Transact()"))
        << sql;
    EXPECT_EQ(db_->Execute(sql).status().code(), StatusCode::kInvalidArgument) << sql;
  }
  EXPECT_EQ(db_->Transact([](Transaction& t) { return t.Execute("DELETE FROM cities").status(); }),
            absl::OkStatus());
  EXPECT_EQ(Count(), 0);
}

// What an attacker would put into a text, wherever one can come from outside.
constexpr const char* kInjections[] = {"x'); DROP TABLE cities; --",
                                       "' OR '1'='1",
                                       "\" OR \"\"=\"",
                                       "x' UNION SELECT 1 --",
                                       "'; DELETE FROM cities; --",
                                       "?1",
                                       ":name",
                                       "\\' OR 1=1 --",
                                       "%",
                                       "_",
                                       "NULL",
                                       "name"};

TEST_F(QueryTest, TextsAreNeverSql) {
  for (const char* text : kInjections) {
    EXPECT_TRUE(db_->Query<City>("SELECT * FROM cities WHERE name = ?", text)->empty()) << text;
    EXPECT_EQ(*db_->Execute("UPDATE cities SET area = 0 WHERE name = ?", std::string(text)), 0);
    EXPECT_EQ(*db_->Execute("DELETE FROM cities WHERE name = ?", std::string_view(text)), 0);
    EXPECT_EQ(db_->ForEach<City>("SELECT * FROM cities WHERE name = ?", {text},
                                 [](City&) { ADD_FAILURE(); }),
              absl::OkStatus());
    EXPECT_EQ(db_->Query<std::string>("SELECT ?", text)->at(0), text);
  }
  EXPECT_EQ(Count(), 3);
  EXPECT_EQ(db_->Execute("DELETE FROM cities WHERE name = \"x\"").status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(QueryTest, EachRowComesAlone) {
  std::string names;
  const auto add = [&](City& city) { names += city.name + (city.area ? "!" : "") + " "; };
  EXPECT_EQ(db_->ForEach<City>("SELECT * FROM cities WHERE id >= ? ORDER BY id", {1}, add),
            absl::OkStatus());
  EXPECT_EQ(names, "Rome! Oslo Lima ");
}

TEST_F(QueryTest, ALoopCanBeEnded) {
  int seen = 0;
  EXPECT_EQ(db_->ForEach<int>("SELECT id FROM cities", {}, [&](int) { return ++seen < 2; }),
            absl::OkStatus());
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(db_->ForEach<int>(
                "SELECT id FROM cities", {},
                [&](int id) { return id == 2 ? absl::CancelledError("no") : absl::OkStatus(); }),
            absl::CancelledError("no"));
  EXPECT_EQ(Count(), 3);
}

TEST_F(QueryTest, ALoopIsOfTheDatabaseAlone) {
  absl::Status inner;
  EXPECT_EQ(db_->ForEach<City>("SELECT * FROM cities", {},
                               [&](City& city) {
                                 inner = db_->Update(&city);
                                 return false;
                               }),
            absl::OkStatus());
  EXPECT_EQ(inner.code(), StatusCode::kFailedPrecondition);
}

TEST_F(QueryTest, ALoopInATransactionCanUseIt) {
  const absl::Status status = db_->Transact([](Transaction& t) {
    return t.ForEach<City>("SELECT * FROM cities ORDER BY id", {}, [&](City& city) {
      // The same SQL, within itself; and more statements than are kept.
      const auto cities = t.Query<City>("SELECT * FROM cities ORDER BY id");
      if (!cities.ok() || cities->size() != 3) return absl::InternalError("another loop");
      for (int i = 0; i < 10; ++i) {
        const auto number = t.Query<int>("SELECT " + std::to_string(i));
        if (!number.ok() || number->at(0) != i) return absl::InternalError("another number");
      }
      city.area = static_cast<double>(city.id);
      return t.Update(&city);
    });
  });
  EXPECT_EQ(status, absl::OkStatus());
  EXPECT_EQ(db_->Query<double>("SELECT area FROM cities ORDER BY id").value(),
            (std::vector<double>{1, 2, 3}));
}

TEST_F(QueryTest, AChangeWithAResultIsWholeOrNone) {
  const char* const remove = "DELETE FROM cities WHERE id >= ? RETURNING area";
  EXPECT_EQ(db_->Query<double>(remove, 1).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(Count(), 3);
  EXPECT_EQ(db_->Transact([&](Transaction& t) {
    EXPECT_EQ(t.Query<double>(remove, 1).status().code(), StatusCode::kDataLoss);
    EXPECT_EQ(*t.Count<City>(), 3);
    return absl::OkStatus();
  }),
            absl::OkStatus());
  EXPECT_EQ(db_->ForEach<std::optional<double>>(remove, {1},
                                                [](auto&) { return absl::CancelledError(""); }),
            absl::CancelledError(""));
  EXPECT_EQ(Count(), 3);
  // Ended, but not by an error.
  EXPECT_EQ(db_->ForEach<std::optional<double>>(remove, {2},
                                                [](std::optional<double>&) { return false; }),
            absl::OkStatus());
  EXPECT_EQ(Count(), 1);
  EXPECT_EQ(db_->Query<City>("INSERT INTO cities (name) VALUES ('Bern') RETURNING *")->at(0).name,
            "Bern");
  EXPECT_EQ(Count(), 2);
}

TEST_F(QueryTest, ATableThatChangedIsLookedAtAgain) {
  const char* const all = "SELECT * FROM cities";
  EXPECT_EQ(db_->Query<City>(all)->size(), 3u);
  ASSERT_TRUE(db_->Execute("ALTER TABLE cities ADD COLUMN more TEXT").ok());
  EXPECT_EQ(db_->Query<City>(all).status().code(), StatusCode::kInvalidArgument);
  ASSERT_TRUE(db_->Execute("ALTER TABLE cities DROP COLUMN more").ok());
  EXPECT_EQ(db_->Query<City>(all)->size(), 3u);
  ASSERT_TRUE(db_->Execute("ALTER TABLE cities DROP COLUMN area").ok());
  EXPECT_EQ(db_->Query<City>(all).status().code(), StatusCode::kInvalidArgument);
  ASSERT_TRUE(db_->Execute("ALTER TABLE cities ADD COLUMN area REAL").ok());
  EXPECT_EQ(db_->Query<City>(all)->size(), 3u);
}

TEST_F(QueryTest, ErrorsOfSqlAreThoseOfSqlite) {
  EXPECT_EQ(db_->Query<City>("SELECT * FROM towns").status(),
            absl::InvalidArgumentError("no such table: towns"));
  EXPECT_EQ(db_->Execute("INSERT INTO cities (name) VALUES (?)", "Rome").status().code(),
            StatusCode::kAlreadyExists);
  EXPECT_EQ(db_->Execute("SELEC 1").status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace strata::orm
