// Random operations on a table in memory, on one in SQLite, and on a std::map that is the model of
// both: results, errors and contents have to be the same.

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "gtest/gtest.h"
#include "strata/orm/change_log.h"
#include "strata/orm/database.h"
#include "strata/orm/memory.h"
#include "strata/orm/schema.h"
#include "strata/orm/select.h"
#include "strata/orm/testing/seed.h"

namespace model {

struct Row {
  std::int64_t id = 0;
  std::string name;
  std::optional<std::string> code;
  std::optional<double> real;
  std::int32_t group = 0;
  std::int64_t version = 0;

  friend bool operator==(const Row&, const Row&) = default;
};
STRATA_TABLE((Row, UniqueIndex("group", "real"), Index("real", "name")), (id, Autoincrement()),
             (name, Unique(), Collate("NOCASE")), (code, Unique(), MaxLength(3)), real,
             (group, Indexed()), (version, Version()));

// Rows that refer to each other in every way.
struct Tag {
  std::string name;
};
STRATA_TABLE(Tag, (name, PrimaryKey(), Collate("NOCASE")));

struct Node {
  std::int64_t id = 0;
  std::optional<std::int64_t> above;
  std::optional<std::int64_t> peer;

  friend bool operator==(const Node&, const Node&) = default;
};
STRATA_TABLE((Node, LogChanges()), (id, Autoincrement()),
             (above, References<Node>(), OnDelete(kCascade)), (peer, References<Node>()));

struct Leaf {
  std::int64_t id = 0;
  std::optional<std::int32_t> node;
  std::optional<std::int64_t> held;
  std::optional<std::int64_t> spare;
  std::optional<std::string> tag;

  friend bool operator==(const Leaf&, const Leaf&) = default;
};
STRATA_TABLE((Leaf, LogChanges()), (id, Autoincrement()),
             (node, References<Node>(), OnDelete(kSetNull), Unique()),
             (held, References<Node>(), OnDelete(kRestrict), Indexed()),
             (spare, References<Node>(), OnDelete(kSetDefault), Default(1)),
             (tag, References<Tag>(), OnDelete(kCascade), OnUpdate(kCascade)));

}  // namespace model

namespace strata::orm {
namespace {

using absl::StatusCode;
using model::Row;

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

class Model {
 public:
  StatusCode Insert(Row* row) {
    if (IsWrong(*row)) return StatusCode::kInvalidArgument;
    if (row->id != 0 && rows.contains(row->id)) return StatusCode::kAlreadyExists;
    if (IsTaken(*row)) return StatusCode::kAlreadyExists;
    if (row->id == 0) row->id = last_key + 1;
    last_key = std::max(last_key, row->id);
    row->version = 1;
    rows[row->id] = *row;
    return StatusCode::kOk;
  }

  StatusCode Update(Row* row, bool all) {
    if (IsWrong(*row)) return StatusCode::kInvalidArgument;
    const auto found = rows.find(row->id);
    if (found == rows.end()) return StatusCode::kNotFound;
    if (found->second.version != row->version) return StatusCode::kAborted;
    Row next = all ? *row : found->second;
    next.name = row->name;
    next.code = row->code;
    if (IsTaken(next)) return StatusCode::kAlreadyExists;
    row->version = next.version = row->version + 1;
    found->second = next;
    return StatusCode::kOk;
  }

  StatusCode Upsert(Row* row) {
    const auto found = rows.find(row->id);
    if (found == rows.end()) return Insert(row);
    if (IsWrong(*row)) return StatusCode::kInvalidArgument;
    if (IsTaken(*row)) return StatusCode::kAlreadyExists;
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
  static bool IsWrong(const Row& row) { return row.code.has_value() && row.code->size() > 3; }

  bool IsTaken(const Row& row) const {
    for (const auto& [id, each] : rows) {
      if (id == row.id) continue;
      if (Lower(each.name) == Lower(row.name)) return true;
      if (row.code.has_value() && each.code == row.code) return true;
      if (row.real.has_value() && each.real == row.real && each.group == row.group) return true;
    }
    return false;
  }
};

class MemoryModelTest : public ::testing::Test {
 protected:
  static constexpr int kOperations = 4000;

  void SetUp() override {
    const unsigned seed = testing::Seed(20261130);
    RecordProperty("seed", static_cast<int>(seed));
    random_.seed(seed);
    auto memory = MemoryDatabase::Open<Row>(":memory:");
    ASSERT_TRUE(memory.ok()) << memory.status();
    memory_ = *std::move(memory);
    auto sqlite = Database::Open(":memory:");
    ASSERT_TRUE(sqlite.ok()) << sqlite.status();
    sqlite_ = *std::move(sqlite);
    ASSERT_EQ(sqlite_->Create<Row>(), absl::OkStatus());
  }

  std::int64_t Below(std::int64_t n) {
    return std::uniform_int_distribution<std::int64_t>(0, n - 1)(random_);
  }

  // Few keys and values, so that they meet.
  Row RandomRow() {
    Row row;
    row.id = Below(3) == 0 ? 0 : Below(40) - 5;
    row.name = std::string(1, static_cast<char>((Below(2) == 0 ? 'a' : 'A') + Below(26))) +
               std::to_string(Below(3));
    if (Below(2) == 0) row.code = std::to_string(Below(20) == 0 ? 1000 : Below(100));
    if (Below(2) == 0) row.real = static_cast<double>(Below(30) - 15) / 4;
    row.group = static_cast<std::int32_t>(Below(5) - 2);
    const auto found = model_.rows.find(row.id);
    if (found != model_.rows.end() && Below(4) != 0) row.version = found->second.version;
    return row;
  }

  void Step(Records& memory, Records& sqlite) {
    const Row row = RandomRow();
    Row in_model = row, in_memory = row, in_sqlite = row;
    const std::int64_t what = Below(5);
    const auto apply = [&](Records& records, Row* to) {
      switch (what) {
        case 0:
          return records.Insert(to).code();
        case 1:
          return records.Update(to).code();
        case 2:
          return records.Update(to, {&Row::name, &Row::code}).code();
        case 3:
          return records.Upsert(to).code();
        default:
          return records.Delete<Row>(to->id).code();
      }
    };
    const StatusCode expected = what == 0   ? model_.Insert(&in_model)
                                : what == 1 ? model_.Update(&in_model, true)
                                : what == 2 ? model_.Update(&in_model, false)
                                : what == 3 ? model_.Upsert(&in_model)
                                            : model_.Delete(row.id);
    ASSERT_EQ(apply(memory, &in_memory), expected) << what;
    ASSERT_EQ(in_memory, in_model) << what;
    ASSERT_EQ(apply(sqlite, &in_sqlite), expected) << what;
    ASSERT_EQ(in_sqlite, in_model) << what;
  }

  void Compare() {
    ASSERT_EQ(*memory_->Count<Row>(), static_cast<std::int64_t>(model_.rows.size()));
    ASSERT_EQ(*sqlite_->Count<Row>(), static_cast<std::int64_t>(model_.rows.size()));
    std::vector<const Row*> by_group, by_real, expected;
    const MemoryView view(memory_.get());
    for (const auto& [id, row] : model_.rows) {
      const Row* found = view.Find<Row>(id);
      ASSERT_NE(found, nullptr);
      ASSERT_EQ(*found, row);
      ASSERT_EQ(*sqlite_->Get<Row>(id), row);
      ASSERT_EQ(*view.FindBy(&Row::name, row.name), found);
      if (row.code.has_value()) {
        ASSERT_EQ(*view.FindBy(&Row::code, row.code), found);
      }
      expected.push_back(found);
    }
    const auto all = view.InOrder(&Row::real, [&](const Row& row) { by_real.push_back(&row); });
    ASSERT_TRUE(all.ok());
    std::ranges::sort(expected, {},
                      [](const Row* row) { return std::pair(row->real, Lower(row->name)); });
    ASSERT_EQ(by_real, expected);
    ASSERT_TRUE(
        view.Between(&Row::group, -1, 1, [&](const Row& row) { by_group.push_back(&row); }).ok());
    ASSERT_TRUE(std::ranges::is_sorted(by_group, {}, &Row::group));
    ASSERT_EQ(static_cast<std::ptrdiff_t>(by_group.size()),
              std::ranges::count_if(
                  expected, [](const Row* row) { return row->group >= -1 && row->group <= 1; }));
  }

  std::mt19937_64 random_;
  std::unique_ptr<MemoryDatabase> memory_;
  std::unique_ptr<Database> sqlite_;
  Model model_;
};

TEST_F(MemoryModelTest, OperationsDoAsSqliteAndTheModel) {
  for (int i = 0; i < kOperations && !HasFatalFailure(); ++i) {
    Step(*memory_, *sqlite_);
    if (i % 50 == 0) Compare();
  }
  Compare();
}

TEST_F(MemoryModelTest, TransactionsKeepAllOrNothing) {
  for (int i = 0; i < kOperations / 20 && !HasFatalFailure(); ++i) {
    const Model before = model_;
    const bool keep = Below(2) == 0;
    const absl::Status end = keep ? absl::OkStatus() : absl::CancelledError("");
    const absl::Status status = memory_->Transact([&](Transaction& memory) {
      return sqlite_->Transact([&](Transaction& sqlite) {
        for (std::int64_t n = Below(20); n > 0 && !HasFatalFailure(); --n) Step(memory, sqlite);
        // A part of it, that may be taken back.
        const Model outer = model_;
        const bool keep_part = Below(2) == 0;
        const absl::Status of_part = keep_part ? absl::OkStatus() : absl::CancelledError("");
        const absl::Status part = memory.Transact([&](Transaction& in_memory) {
          return sqlite.Transact([&](Transaction& in_sqlite) {
            for (std::int64_t n = Below(5); n > 0 && !HasFatalFailure(); --n) {
              Step(in_memory, in_sqlite);
            }
            return of_part;
          });
        });
        EXPECT_EQ(part, of_part);
        if (!keep_part) model_ = outer;
        return end;
      });
    });
    ASSERT_EQ(status, end);
    if (!keep) model_ = before;
    Compare();
  }
}

// References, with SQLite as the model.
class ReferenceModelTest : public ::testing::Test {
 protected:
  static constexpr int kOperations = 4000;

  void SetUp() override {
    const unsigned seed = testing::Seed(20261201);
    RecordProperty("seed", static_cast<int>(seed));
    random_.seed(seed);
    auto memory = MemoryDatabase::Open<model::Leaf, Node, model::Tag>(":memory:");
    ASSERT_TRUE(memory.ok()) << memory.status();
    memory_ = *std::move(memory);
    auto sqlite = Database::Open(":memory:", Schema::Of<model::Tag, Node, Leaf>());
    ASSERT_TRUE(sqlite.ok()) << sqlite.status();
    sqlite_ = *std::move(sqlite);
  }

  using Node = model::Node;
  using Leaf = model::Leaf;

  std::int64_t Below(std::int64_t n) {
    return std::uniform_int_distribution<std::int64_t>(0, n - 1)(random_);
  }
  std::optional<std::int64_t> Key() {
    return Below(2) == 0 ? std::nullopt : std::optional(Below(30));
  }
  std::string Text() { return std::string(1, "abcdeABCDE"[Below(10)]); }

  Node RandomNode() { return {Below(3) == 0 ? 0 : 1 + Below(30), Key(), Key()}; }

  Leaf RandomLeaf() {
    Leaf leaf{Below(3) == 0 ? 0 : 1 + Below(30), {}, Key(), Key(), {}};
    if (const auto key = Key(); key.has_value()) leaf.node = static_cast<std::int32_t>(*key);
    // Nodes would hardly go otherwise.
    if (Below(4) != 0) leaf.held.reset();
    if (Below(2) == 0) leaf.tag = Text();
    return leaf;
  }

  // On both: the same results, and rows.
  template <typename T>
  void Apply(Records& memory, Records& sqlite, T row, int what) {
    T in_sqlite = row;
    const auto apply = [what](Records& records, T* to) {
      if (what == 0) return records.Insert(to);
      return what == 1 ? records.Update(to) : records.Upsert(to);
    };
    const absl::Status expected = apply(sqlite, &in_sqlite);
    const absl::Status status = apply(memory, &row);
    ASSERT_EQ(status.code(), expected.code()) << status << expected;
    ASSERT_EQ(row, in_sqlite);
    ++codes_[status.code()];
  }

  template <typename T, typename Key>
  void Delete(Records& memory, Records& sqlite, const Key& key) {
    const absl::Status expected = sqlite.Delete<T>(key);
    const absl::Status status = memory.Delete<T>(key);
    ASSERT_EQ(status.code(), expected.code()) << status << expected;
    ++codes_[status.code()];
  }

  void InsertNodes(Records& memory, Records& sqlite) {
    std::vector<Node> nodes;
    for (std::int64_t n = 1 + Below(3); n > 0; --n) nodes.push_back(RandomNode());
    const absl::Status expected = sqlite.InsertAll(nodes);
    const absl::Status status = memory.InsertAll(nodes);
    // Of several reasons SQLite may give another one.
    ASSERT_EQ(status.ok(), expected.ok()) << status << expected;
  }

  void Step(Records& memory, Records& sqlite) {
    const auto what = static_cast<int>(Below(3));
    switch (Below(8)) {
      case 0:
      case 1:
        return Apply(memory, sqlite, RandomNode(), what);
      case 2:
      case 3:
        return Apply(memory, sqlite, RandomLeaf(), what);
      case 4: {
        model::Tag tag{Text()}, in_sqlite = tag;
        ASSERT_EQ(memory.Insert(&tag).code(), sqlite.Insert(&in_sqlite).code());
        return;
      }
      case 5:
        return Delete<Node>(memory, sqlite, 1 + Below(30));
      case 6:
        return InsertNodes(memory, sqlite);
      default:
        return Below(2) == 0 ? Delete<model::Tag>(memory, sqlite, Text())
                             : Delete<Leaf>(memory, sqlite, 1 + Below(30));
    }
  }

  template <typename T>
  void CompareTable() {
    const auto expected = Select<T>().All(*sqlite_);
    ASSERT_TRUE(expected.ok()) << expected.status();
    ASSERT_EQ(*memory_->Count<T>(), static_cast<std::int64_t>(expected->size()));
    for (const T& row : *expected) {
      const absl::StatusOr<T> found = memory_->Get<T>(row.id);
      ASSERT_TRUE(found.ok()) << found.status();
      ASSERT_EQ(*found, row);
    }
  }
  // The same changes since the last time, but that SQLite deletes and updates the rows that refer
  // to one in another order; together, they make of the rows before what there is now.
  template <typename T>
  void CompareChanges(std::map<std::int64_t, T>* replica, std::int64_t* position) {
    const auto expected = ChangesSince<T>(*sqlite_, *position, kOperations);
    const auto changes = ChangesSince<T>(*memory_, *position, kOperations);
    ASSERT_TRUE(expected.ok() && changes.ok()) << expected.status() << changes.status();
    const auto kinds = [](const std::vector<Change<T>>& all) {
      std::multiset<std::pair<ChangeKind, std::int64_t>> kinds;
      for (const Change<T>& change : all) kinds.emplace(change.kind, change.row.id);
      return kinds;
    };
    ASSERT_EQ(kinds(*changes), kinds(*expected));
    for (const Change<T>& change : *changes) {
      ASSERT_EQ(change.sequence, ++*position);
      if (change.kind == ChangeKind::kDelete) {
        replica->erase(change.row.id);
      } else {
        (*replica)[change.row.id] = change.row;
      }
    }
    ASSERT_EQ(*LastChange<T>(*memory_), *position);
    const auto rows = Select<T>().OrderBy(&T::id).All(*memory_);
    ASSERT_TRUE(rows.ok()) << rows.status();
    ASSERT_EQ(rows->size(), replica->size());
    for (const T& row : *rows) ASSERT_EQ((*replica)[row.id], row);
  }

  void Compare() {
    CompareChanges(&nodes_, &last_node_);
    CompareChanges(&leaves_, &last_leaf_);
    CompareTable<Node>();
    CompareTable<Leaf>();
    ASSERT_EQ(*memory_->Count<model::Tag>(), *sqlite_->Count<model::Tag>());
  }

  std::mt19937_64 random_;
  std::unique_ptr<MemoryDatabase> memory_;
  std::unique_ptr<Database> sqlite_;
  std::map<StatusCode, int> codes_;
  std::map<std::int64_t, Node> nodes_;
  std::map<std::int64_t, Leaf> leaves_;
  std::int64_t last_node_ = 0;
  std::int64_t last_leaf_ = 0;
};

TEST_F(ReferenceModelTest, OperationsDoAsSqlite) {
  for (int i = 0; i < kOperations && !HasFatalFailure(); ++i) {
    Step(*memory_, *sqlite_);
    if (i % 20 == 0) Compare();
  }
  Compare();
  EXPECT_GT(codes_[StatusCode::kOk], kOperations / 10);
  EXPECT_GT(codes_[StatusCode::kFailedPrecondition], kOperations / 20);
}

TEST_F(ReferenceModelTest, TransactionsKeepAllOrNothing) {
  for (int i = 0; i < kOperations / 20 && !HasFatalFailure(); ++i) {
    const absl::Status end = Below(2) == 0 ? absl::OkStatus() : absl::CancelledError("");
    const absl::Status status = memory_->Transact([&](Transaction& memory) {
      return sqlite_->Transact([&](Transaction& sqlite) {
        for (std::int64_t n = Below(20); n > 0 && !HasFatalFailure(); --n) Step(memory, sqlite);
        return end;
      });
    });
    ASSERT_EQ(status, end);
    Compare();
  }
}

}  // namespace
}  // namespace strata::orm
