// Random operations on a table, and on a std::map that is the model of it: results, errors and
// contents have to be the same.

#include <cstdlib>
#include <map>
#include <optional>
#include <random>

#include "gtest/gtest.h"
#include "strata/orm/batch.h"
#include "strata/orm/database.h"

namespace app {

struct Row {
  std::int64_t id = 0;
  std::string name;
  std::optional<double> real;
  std::int64_t version = 0;

  friend bool operator==(const Row&, const Row&) = default;
};
STRATA_TABLE(Row, id, (name, Unique()), real, (version, Version()));

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
    if (row->id == 0)
      row->id = rows.empty() ? 1 : std::max<std::int64_t>(rows.rbegin()->first, 0) + 1;
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

 private:
  bool HasName(const std::string& name, std::int64_t but) const {
    for (const auto& [id, row] : rows) {
      if (row.name == name && id != but) return true;
    }
    return false;
  }
};

class ModelTest : public ::testing::Test {
 protected:
  static constexpr int kOperations = 4000;

  void SetUp() override {
    const char* given = std::getenv("STRATA_SEED");
    const unsigned seed = given != nullptr ? static_cast<unsigned>(std::atoll(given)) : 20261125u;
    RecordProperty("seed", static_cast<int>(seed));
    std::printf("STRATA_SEED=%u\n", seed);
    random_.seed(seed);
    absl::StatusOr<std::unique_ptr<Database>> db = Database::Open(":memory:");
    ASSERT_TRUE(db.ok()) << db.status();
    db_ = *std::move(db);
    ASSERT_EQ(db_->Create<Row>(), absl::OkStatus());
  }

  std::int64_t Below(std::int64_t n) {
    return std::uniform_int_distribution<std::int64_t>(0, n - 1)(random_);
  }

  // Few keys and names, so that they meet.
  Row RandomRow() {
    Row row;
    row.id = Below(3) == 0 ? 0 : Below(40) - 5;
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

  void Compare(Records& records, const Model& model) {
    ASSERT_EQ(*records.Count<Row>(), static_cast<std::int64_t>(model.rows.size()));
    for (const auto& [id, row] : model.rows) {
      const absl::StatusOr<Row> read = records.Get<Row>(id);
      ASSERT_TRUE(read.ok()) << read.status();
      ASSERT_EQ(*read, row);
    }
  }

  std::mt19937_64 random_;
  std::unique_ptr<Database> db_;
  Model model_;
};

TEST_F(ModelTest, OperationsDoAsTheModelDoes) {
  for (int i = 0; i < kOperations && !HasFatalFailure(); ++i) {
    Step(*db_, model_);
    if (i % 50 == 0) Compare(*db_, model_);
  }
  Compare(*db_, model_);
}

TEST_F(ModelTest, TransactionsKeepAllOrNothing) {
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

TEST_F(ModelTest, ABatchFailsWhereItsFirstWrongOperationIs) {
  for (int i = 0; i < kOperations / 20 && !HasFatalFailure(); ++i) {
    Model after = model_;
    Batch batch(db_.get());
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

}  // namespace
}  // namespace strata::orm
