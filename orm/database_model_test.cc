// Random operations and queries on a table, of SQLite and of the engine in memory, and on a
// std::map that is the model of it: results, errors and contents have to be the same.

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <random>

#include "gtest/gtest.h"
#include "strata/orm/batch.h"
#include "strata/orm/database.h"
#include "strata/orm/memory.h"
#include "strata/orm/select.h"
#include "strata/orm/testing/seed.h"

namespace app {

struct Row {
  std::int64_t id = 0;
  std::string name;
  std::optional<double> real;
  std::int64_t version = 0;

  friend bool operator==(const Row&, const Row&) = default;
};
STRATA_TABLE(Row, (id, Autoincrement()), (name, Unique()), (real, Indexed()), (version, Version()));

}  // namespace app

namespace strata::orm {
namespace {

using absl::StatusCode;
using app::Row;

class Model {
 public:
  StatusCode Insert(Row* row) {
    if (row->id != 0 && rows.contains(row->id)) return StatusCode::kAlreadyExists;
    if (HasName(row->name, row->id)) return StatusCode::kAlreadyExists;
    if (row->id == 0) row->id = last_key + 1;
    last_key = std::max(last_key, row->id);
    row->version = 1;
    rows[row->id] = *row;
    return StatusCode::kOk;
  }

  StatusCode Update(Row* row, bool name_alone) {
    const auto found = rows.find(row->id);
    if (found == rows.end()) return StatusCode::kNotFound;
    if (found->second.version != row->version) return StatusCode::kAborted;
    if (HasName(row->name, row->id)) return StatusCode::kAlreadyExists;
    ++row->version;
    found->second.name = row->name;
    found->second.version = row->version;
    if (!name_alone) found->second = *row;
    return StatusCode::kOk;
  }

  StatusCode Upsert(Row* row) {
    const auto found = rows.find(row->id);
    if (found == rows.end()) return Insert(row);
    if (HasName(row->name, row->id)) return StatusCode::kAlreadyExists;
    row->version = found->second.version + 1;
    found->second = *row;
    return StatusCode::kOk;
  }

  StatusCode Delete(std::int64_t id) {
    return rows.erase(id) == 1 ? StatusCode::kOk : StatusCode::kNotFound;
  }

  std::map<std::int64_t, Row> rows;
  std::int64_t last_key = 0;

 private:
  bool HasName(const std::string& name, std::int64_t but) const {
    for (const auto& [id, row] : rows) {
      if (row.name == name && id != but) return true;
    }
    return false;
  }
};

// A condition, and what it is for a row of the model: true, false, or neither, as with NULL.
struct Twin {
  Condition condition;
  std::function<std::optional<bool>(const Row& row)> model;
};

std::optional<bool> Negated(std::optional<bool> value) {
  return value ? std::optional<bool>(!*value) : std::nullopt;
}

// Of two; `decides` is the value that one of them is enough for.
std::optional<bool> Combined(std::optional<bool> a, std::optional<bool> b, bool decides) {
  if (a == decides || b == decides) return decides;
  return a && b ? std::optional<bool>(!decides) : std::nullopt;
}

// `bound` is the value as the condition has it.
template <typename V>
Twin Compared(const auto& column, int op, const V& value, const auto& bound,
              std::function<std::optional<V>(const Row& row)> get) {
  const auto with = [&](Condition condition, bool (*holds)(const V& a, const V& b)) -> Twin {
    return {std::move(condition), [=](const Row& row) -> std::optional<bool> {
              const std::optional<V> of_row = get(row);
              return of_row ? std::optional<bool>(holds(*of_row, value)) : std::nullopt;
            }};
  };
  switch (op) {
    case 0:
      return with(column == bound, [](const V& a, const V& b) { return a == b; });
    case 1:
      return with(column != bound, [](const V& a, const V& b) { return a != b; });
    case 2:
      return with(column < bound, [](const V& a, const V& b) { return a < b; });
    case 3:
      return with(column <= bound, [](const V& a, const V& b) { return a <= b; });
    case 4:
      return with(column > bound, [](const V& a, const V& b) { return a > b; });
    default:
      return with(column >= bound, [](const V& a, const V& b) { return a >= b; });
  }
}

enum class Engine { kSqlite, kMemory };

class ModelTest : public ::testing::TestWithParam<Engine> {
 protected:
  static constexpr int kOperations = 4000;
  // A row that is never deleted: after negative keys alone SQLite counts on from these, up to 0.
  static constexpr std::int64_t kStaying = 1;

  void SetUp() override {
    const unsigned seed = testing::Seed(20261125);
    RecordProperty("seed", static_cast<int>(seed));
    random_.seed(seed);
    if (GetParam() == Engine::kSqlite) {
      absl::StatusOr<std::unique_ptr<Database>> db = Database::Open(":memory:");
      ASSERT_TRUE(db.ok()) << db.status();
      sqlite_ = *std::move(db);
      db_ = sqlite_.get();
    } else {
      absl::StatusOr<std::unique_ptr<MemoryDatabase>> db = MemoryDatabase::Open<>(":memory:");
      ASSERT_TRUE(db.ok()) << db.status();
      memory_ = *std::move(db);
      db_ = memory_.get();
    }
    ASSERT_EQ(db_->Create<Row>(), absl::OkStatus());
    Row row{kStaying, "stays", {}, 0};
    ASSERT_EQ(db_->Insert(&row), absl::OkStatus());
    model_.rows[kStaying] = row;
    model_.last_key = kStaying;
  }

  std::int64_t Below(std::int64_t n) {
    return std::uniform_int_distribution<std::int64_t>(0, n - 1)(random_);
  }

  // Few keys and names, so that they meet.
  Row RandomRow() {
    Row row;
    row.id = Below(3) == 0 ? 0 : Below(40) - 5;
    if (row.id == kStaying) row.id = 0;
    row.name = std::to_string(Below(60));
    if (Below(2) == 0) row.real = static_cast<double>(Below(100)) / 7;
    const auto found = model_.rows.find(row.id);
    if (found != model_.rows.end() && Below(4) != 0) row.version = found->second.version;
    return row;
  }

  void Step(Records& records, Model& model) {
    Row row = RandomRow();
    Row expected = row;
    switch (Below(5)) {
      case 0:
        ASSERT_EQ(model.Insert(&expected), records.Insert(&row).code());
        break;
      case 1:
        ASSERT_EQ(model.Update(&expected, false), records.Update(&row).code());
        break;
      case 2:
        ASSERT_EQ(model.Update(&expected, true), records.Update(&row, {&Row::name}).code());
        break;
      case 3:
        ASSERT_EQ(model.Upsert(&expected), records.Upsert(&row).code());
        break;
      default:
        ASSERT_EQ(model.Delete(row.id), records.Delete<Row>(row.id).code());
    }
    ASSERT_EQ(row, expected);
  }

  double RandomReal() { return static_cast<double>(Below(100)) / 7; }

  Twin RandomComparison() {
    const int op = static_cast<int>(Below(6));
    switch (Below(8)) {
      case 0: {
        const std::int64_t id = Below(40) - 5;
        return Compared<std::int64_t>(Col(&Row::id), op, id, id,
                                      [](const Row& row) { return row.id; });
      }
      case 1: {
        const std::string name = std::to_string(Below(60));
        return Compared<std::string>(Col(&Row::name), op, name, name,
                                     [](const Row& row) { return row.name; });
      }
      case 2: {
        const double real = RandomReal();
        return Compared<double>(Col(&Row::real), op, real, real,
                                [](const Row& row) { return row.real; });
      }
      case 7: {
        const std::int64_t whole = Below(15);
        return Compared<double>(Col(&Row::real), op, static_cast<double>(whole), whole,
                                [](const Row& row) { return row.real; });
      }
      case 3:
        return {Col(&Row::real).IsNull(), [](const Row& row) { return !row.real; }};
      case 4: {
        std::vector<std::int64_t> ids(static_cast<std::size_t>(Below(9)));
        for (std::int64_t& id : ids) id = Below(40) - 5;
        return {Col(&Row::id).In(ids), [ids](const Row& row) {
                  return std::find(ids.begin(), ids.end(), row.id) != ids.end();
                }};
      }
      case 5: {
        const double low = RandomReal();
        const double high = low + RandomReal() - 2;
        return {Col(&Row::real).Between(low, high), [=](const Row& row) {
                  if (!row.real) return std::optional<bool>();
                  return std::optional<bool>(*row.real >= low && *row.real <= high);
                }};
      }
      default: {
        const std::string digit = std::to_string(Below(10));
        return {Col(&Row::name).Like("%" + digit),
                [digit](const Row& row) { return row.name.ends_with(digit); }};
      }
    }
  }

  Twin RandomCondition(int depth) {
    const std::int64_t what = depth == 0 ? 3 : Below(4);
    if (what == 3) return RandomComparison();
    const Twin a = RandomCondition(depth - 1);
    if (what == 2) {
      return {Not(a.condition), [=](const Row& row) { return Negated(a.model(row)); }};
    }
    const Twin b = RandomCondition(depth - 1);
    const bool is_or = what == 1;
    return {is_or ? Or(a.condition, b.condition) : And(a.condition, b.condition),
            [=](const Row& row) { return Combined(a.model(row), b.model(row), is_or); }};
  }

  // The rows of the model for which it is true, by `real` and then by the key, up or down.
  std::vector<Row> Found(const Twin& twin, bool descending) {
    std::vector<Row> rows;
    for (const auto& [id, row] : model_.rows) {
      if (twin.model(row) == true) rows.push_back(row);
    }
    const auto before = [&](const Row& a, const Row& b) {
      return std::tie(a.real, a.id) < std::tie(b.real, b.id);
    };
    std::sort(rows.begin(), rows.end(), before);
    if (descending) std::reverse(rows.begin(), rows.end());
    return rows;
  }

  void CompareQuery() {
    const Twin twin = RandomCondition(3);
    const bool descending = Below(2) == 0;
    const std::vector<Row> expected = Found(twin, descending);
    const auto query =
        Select<Row>().Where(twin.condition).OrderBy(OrderKey(&Row::real, descending));
    const absl::StatusOr<std::vector<Row>> all = query.All(*db_);
    ASSERT_TRUE(all.ok()) << all.status();
    ASSERT_EQ(*all, expected);
    ASSERT_EQ(*query.Count(*db_), static_cast<std::int64_t>(expected.size()));
    ASSERT_EQ(*query.Exists(*db_), !expected.empty());
    // The same by pages.
    Select<Row> page = query;
    std::vector<Row> paged;
    for (page.Limit(1 + Below(5)); paged.size() < expected.size();) {
      const absl::StatusOr<std::vector<Row>> rows = page.All(*db_);
      ASSERT_TRUE(rows.ok()) << rows.status();
      ASSERT_FALSE(rows->empty());
      paged.insert(paged.end(), rows->begin(), rows->end());
      page.After(paged.back());
    }
    ASSERT_EQ(paged, expected);
    CompareChange(twin, static_cast<std::int64_t>(expected.size()));
  }

  void CompareChange(const Twin& twin, std::int64_t matching) {
    if (Below(20) == 0) {
      const std::size_t erased = std::erase_if(model_.rows, [&](const auto& each) {
        return each.first != kStaying && twin.model(each.second) == true;
      });
      ASSERT_EQ(*DeleteWhere<Row>(*db_, And(twin.condition, Col(&Row::id) != kStaying)),
                static_cast<std::int64_t>(erased));
    } else if (Below(3) == 0) {
      Row values;
      values.real = RandomReal();
      for (auto& [id, row] : model_.rows) {
        if (twin.model(row) != true) continue;
        row.real = values.real;
        ++row.version;
      }
      ASSERT_EQ(*UpdateWhere(*db_, values, {&Row::real}, twin.condition), matching);
    }
  }

  void Compare(Records& records, const Model& model) {
    ASSERT_EQ(*records.Count<Row>(), static_cast<std::int64_t>(model.rows.size()));
    for (const auto& [id, row] : model.rows) {
      const absl::StatusOr<Row> read = records.Get<Row>(id);
      ASSERT_TRUE(read.ok()) << read.status();
      ASSERT_EQ(*read, row);
    }
  }

  std::mt19937_64 random_;
  std::unique_ptr<Database> sqlite_;
  std::unique_ptr<MemoryDatabase> memory_;
  Records* db_ = nullptr;  // One of the two.
  Model model_;
};

TEST_P(ModelTest, OperationsDoAsTheModelDoes) {
  for (int i = 0; i < kOperations && !HasFatalFailure(); ++i) {
    Step(*db_, model_);
    if (i % 50 == 0) Compare(*db_, model_);
  }
  Compare(*db_, model_);
}

TEST_P(ModelTest, QueriesFindWhatTheModelFinds) {
  for (int i = 0; i < kOperations && !HasFatalFailure(); ++i) {
    Step(*db_, model_);
    if (i % 8 == 0) CompareQuery();
    if (i % 50 == 0) Compare(*db_, model_);
  }
}

TEST_P(ModelTest, TransactionsKeepAllOrNothing) {
  for (int i = 0; i < kOperations / 20 && !HasFatalFailure(); ++i) {
    Model before = model_;
    const bool keep = Below(2) == 0;
    const absl::Status status = db_->Transact([&](Transaction& transaction) -> absl::Status {
      for (std::int64_t n = Below(20); n > 0 && !HasFatalFailure(); --n) Step(transaction, model_);
      return keep ? absl::OkStatus() : absl::CancelledError("");
    });
    ASSERT_EQ(status.ok(), keep);
    if (!keep) model_ = before;
    Compare(*db_, model_);
  }
}

TEST_P(ModelTest, ABatchFailsWhereItsFirstWrongOperationIs) {
  for (int i = 0; i < kOperations / 20 && !HasFatalFailure(); ++i) {
    Model after = model_;
    Batch batch(db_);
    StatusCode expected = StatusCode::kOk;
    for (std::int64_t n = Below(8); n > 0; --n) {
      Row row = RandomRow();
      const std::int64_t what = Below(4);
      StatusCode code = StatusCode::kOk;
      if (what == 0) {
        ASSERT_EQ(batch.Insert(row), absl::OkStatus());
        code = after.Insert(&row);
      } else if (what == 1) {
        ASSERT_EQ(batch.Update(row), absl::OkStatus());
        code = after.Update(&row, false);
      } else if (what == 2) {
        ASSERT_EQ(batch.Upsert(row), absl::OkStatus());
        code = after.Upsert(&row);
      } else {
        ASSERT_EQ(batch.Delete<Row>(row.id), absl::OkStatus());
        code = after.Delete(row.id);
      }
      if (expected == StatusCode::kOk) expected = code;
    }
    ASSERT_EQ(batch.Flush().code(), expected);
    if (expected == StatusCode::kOk) model_ = after;
    Compare(*db_, model_);
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, ModelTest, ::testing::Values(Engine::kSqlite, Engine::kMemory),
                         [](const auto& info) {
                           return info.param == Engine::kSqlite ? "Sqlite" : "Memory";
                         });

}  // namespace
}  // namespace strata::orm
