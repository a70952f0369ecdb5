#include "strata/orm/change_log.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "strata/orm/batch.h"
#include "strata/orm/testing/raw_file.h"
#include "strata/orm/testing/seed.h"

namespace logged {

struct Owner {
  std::int64_t id = 0;
};
STRATA_TABLE((Owner, Named("owners")), id);

struct Item {
  std::int64_t id = 0;
  std::string name;
  std::optional<double> weight;
  strata::orm::Blob data;
  std::optional<std::int64_t> owner;
  friend bool operator==(const Item&, const Item&) = default;
};
STRATA_TABLE((Item, Named("items"), LogChanges()), id, (name, Unique()), weight, data,
             (owner, References<Owner>(), OnDelete(kCascade)));

// The same table, as later programs describe it.
struct ItemOff {
  std::int64_t id = 0;
  std::string name;
  std::optional<double> weight;
  strata::orm::Blob data;
  std::optional<std::int64_t> owner;
};
STRATA_TABLE((ItemOff, Named("items")), id, (name, Unique()), weight, data,
             (owner, References<Owner>(), OnDelete(kCascade)));

struct ItemWider {
  std::int64_t id = 0;
  std::int32_t size = 0;
  std::string name;
  std::optional<double> weight;
  strata::orm::Blob data;
  std::optional<std::int64_t> owner;
  std::optional<std::string> note;
};
STRATA_TABLE((ItemWider, Named("items"), LogChanges(5)), id, (size, Default(7)), (name, Unique()),
             weight, data, (owner, References<Owner>(), OnDelete(kCascade)), note);

struct ItemNarrower {
  std::int64_t id = 0;
  std::string name;
};
STRATA_TABLE((ItemNarrower, Named("items"), LogChanges()), id, name);

struct ItemChecked {
  std::int64_t id = 0;
  std::string name;
  std::optional<double> weight;
  strata::orm::Blob data;
  std::optional<std::int64_t> owner;
};
STRATA_TABLE((ItemChecked, Named("items"), LogChanges(), Check("id < 1000")), id, (name, Unique()),
             weight, data, (owner, References<Owner>(), OnDelete(kCascade)));

struct Word {
  std::string text;
  std::int32_t part = 0;
  strata::orm::Uuid tag;
};
STRATA_TABLE((Word, Named("words"), LogChanges(100, std::chrono::seconds(60))),
             (text, PrimaryKey(), Collate("NOCASE")), (part, PrimaryKey()), (tag, AsText()));

}  // namespace logged

namespace strata::orm {
namespace {

using absl::StatusCode;
using logged::Item;
using logged::ItemChecked;
using logged::ItemNarrower;
using logged::ItemOff;
using logged::ItemWider;
using logged::Owner;
using logged::Word;
using testing::RawFile;

class ChangeLogTest : public ::testing::Test {
 protected:
  void SetUp() override { Open<Item>(); }

  template <typename T>
  void Open(std::vector<Migration> migrations = {}, const MigrateOptions& migrate = {}) {
    db_.reset();
    auto db = Database::Open(file_.path(), Schema::Of<Owner, T, Word>(std::move(migrations)),
                             {.synchronous = DatabaseOptions::Synchronous::kOff}, migrate);
    ASSERT_TRUE(db.ok()) << db.status();
    db_ = *std::move(db);
    const auto report = db_->Migrate(Schema::Of<Owner, T, Word>(), {.mode = kDryRun});
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_TRUE(report->sql.empty()) << report->sql.front();
  }

  // The changes after a position, like "1+3 2~3 4-3" for an insert, an update and a delete of 3.
  template <typename T>
  std::string Since(std::int64_t position, std::int64_t limit = 1000) {
    const auto changes = ChangesSince<T>(*db_, position, limit);
    if (absl::IsOutOfRange(changes.status())) return "gap";
    EXPECT_TRUE(changes.ok()) << changes.status();
    std::string text;
    for (const Change<T>& change : *changes) {
      if (!text.empty()) text += ' ';
      text += std::to_string(change.sequence) + " +~-"[static_cast<int>(change.kind)];
      if constexpr (std::is_same_v<T, Word>) {
        text += change.row.text;
      } else {
        text += std::to_string(change.row.id);
      }
    }
    return text;
  }

  absl::Status Insert(std::int64_t id) {
    Item item{id, std::to_string(id), {}, {}, {}};
    return db_->Insert(&item);
  }

  static constexpr auto kDryRun = MigrateOptions::Mode::kDryRun;
  RawFile file_{"change_log.db"};
  std::unique_ptr<Database> db_;
};

// What the log says of the table.
absl::Status Replay(Records& records, std::map<std::int64_t, Item>* rows) {
  std::int64_t position = 0;
  for (;;) {
    const auto changes = ChangesSince<Item>(records, position, 7);
    if (!changes.ok()) return changes.status();
    if (changes->empty()) return absl::OkStatus();
    for (const Change<Item>& change : *changes) {
      const bool is_there = rows->contains(change.row.id);
      if (is_there != (change.kind != ChangeKind::kInsert)) {
        return absl::InternalError("a change of no row, or an insert of one that is there");
      }
      if (change.kind == ChangeKind::kDelete) {
        if ((*rows)[change.row.id] != change.row) return absl::InternalError("another row");
        rows->erase(change.row.id);
      } else {
        (*rows)[change.row.id] = change.row;
      }
    }
    position = changes->back().sequence;
  }
}

std::map<std::int64_t, Item> RowsOf(Records& records) {
  std::map<std::int64_t, Item> rows;
  EXPECT_EQ(Select<Item>().ForEach(records, [&](Item& item) { rows[item.id] = item; }),
            absl::OkStatus());
  return rows;
}

TEST_F(ChangeLogTest, EachKindOfWriteIsLoggedInOrder) {
  EXPECT_EQ(*LastChange<Item>(*db_), 0);
  EXPECT_EQ(Since<Item>(0), "");
  Item item{0, "tea", 0.1 + 0.2, {std::byte{0}, std::byte{255}}, {}};
  const auto before = std::chrono::system_clock::now() - std::chrono::seconds(1);
  ASSERT_EQ(db_->Insert(&item), absl::OkStatus());
  EXPECT_EQ(item.id, 1);
  item.name = "green tea";
  ASSERT_EQ(db_->Update(&item, {&Item::name}), absl::OkStatus());
  ASSERT_EQ(db_->Upsert(&item), absl::OkStatus());
  ASSERT_EQ(db_->InsertAll(std::vector<Item>{{5, "5", {}, {}, {}}, {6, "6", {}, {}, {}}}),
            absl::OkStatus());
  Item heavy;
  heavy.weight = 2;
  ASSERT_EQ(*UpdateWhere<Item>(*db_, heavy, {&Item::weight}, Col(&Item::id) >= 5), 2);
  ASSERT_EQ(*DeleteWhere<Item>(*db_, Col(&Item::id) == 5), 1);
  ASSERT_EQ(db_->Delete<Item>(6), absl::OkStatus());
  EXPECT_EQ(Since<Item>(0), "1+1 2~1 3~1 4+5 5+6 6~5 7~6 8-5 9-6");
  EXPECT_EQ(Since<Item>(3, 2), "4+5 5+6");
  EXPECT_EQ(Since<Item>(9), "");
  EXPECT_EQ(*LastChange<Item>(*db_), 9);

  const auto changes = ChangesSince<Item>(*db_, 0, 1);
  ASSERT_TRUE(changes.ok()) << changes.status();
  Item first = item;
  first.name = "tea";
  EXPECT_EQ(changes->at(0).row, first);  // All its bits.
  EXPECT_GE(changes->at(0).time, before);
  EXPECT_LE(changes->at(0).time, std::chrono::system_clock::now() + std::chrono::seconds(1));
  EXPECT_EQ(ChangesSince<Item>(*db_, 0, 0).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(ChangeLogTest, OtherProgramsAndCascadesAreLogged) {
  file_.Run("INSERT INTO owners VALUES (1); INSERT INTO items VALUES (3, 'x', 1, x'', 1)");
  file_.Run("UPDATE items SET id = 4");
  ASSERT_EQ(db_->Execute("UPDATE items SET weight = weight + 1").status(), absl::OkStatus());
  ASSERT_EQ(Insert(9), absl::OkStatus());
  // The unique name is that of another row, which goes.
  ASSERT_EQ(*db_->Execute("INSERT OR REPLACE INTO items VALUES (7, '9', 1, x'', 1)"), 1);
  ASSERT_EQ(db_->Delete<Owner>(1), absl::OkStatus());
  EXPECT_EQ(Since<Item>(0), "1+3 2-3 3+4 4~4 5+9 6-9 7+7 8-4 9-7");
  std::map<std::int64_t, Item> replayed;
  EXPECT_EQ(Replay(*db_, &replayed), absl::OkStatus());
  EXPECT_EQ(replayed, RowsOf(*db_));
}

TEST_F(ChangeLogTest, WhatIsRolledBackIsNotInTheLogAndLeavesNoHole) {
  ASSERT_EQ(Insert(1), absl::OkStatus());
  EXPECT_EQ(db_->Transact([&](Transaction& t) -> absl::Status {
                 Item item{2, "2", {}, {}, {}};
                 if (absl::Status status = t.Insert(&item); !status.ok()) return status;
                 EXPECT_EQ(*LastChange<Item>(t), 2);
                 return absl::CancelledError("");
               })
                .code(),
            StatusCode::kCancelled);
  EXPECT_EQ(Insert(1).code(), StatusCode::kAlreadyExists);
  ASSERT_EQ(Insert(3), absl::OkStatus());
  EXPECT_EQ(Since<Item>(0), "1+1 2+3");
}

TEST_F(ChangeLogTest, KeysOfTextsAreComparedByteByByte) {
  Word word{.text = "tea", .part = 1, .tag = Uuid::V7()};
  ASSERT_EQ(db_->Insert(&word), absl::OkStatus());
  ASSERT_EQ(*db_->Execute("UPDATE words SET text = 'tea', part = 1"), 1);
  ASSERT_EQ(*db_->Execute("UPDATE words SET text = 'TEA'"), 1);
  EXPECT_EQ(Since<Word>(0), "1+tea 2~tea 3-tea 4+TEA");
  EXPECT_EQ(ChangesSince<Word>(*db_, 0, 1)->at(0).row.tag, word.tag);
}

TEST_F(ChangeLogTest, AReaderIsToldOfAGap) {
  for (int i = 1; i <= 5; ++i) ASSERT_EQ(Insert(i), absl::OkStatus());
  EXPECT_EQ(*PruneChanges<Item>(*db_, 3), 3);
  EXPECT_EQ(Since<Item>(2), "gap");
  EXPECT_EQ(Since<Item>(3), "4+4 5+5");
  EXPECT_EQ(Since<Item>(0), "gap");
  // The last one stays, so that a position is known.
  EXPECT_EQ(*PruneChanges<Item>(*db_, 100), 1);
  EXPECT_EQ(Since<Item>(4), "5+5");
  EXPECT_EQ(Since<Item>(5), "");
  EXPECT_EQ(Since<Item>(6), "gap");
  EXPECT_EQ(Since<Item>(-1), "gap");
  ASSERT_EQ(Insert(6), absl::OkStatus());
  EXPECT_EQ(Since<Item>(5), "6+6");
}

TEST_F(ChangeLogTest, TheLogIsBoundedByCountAndAge) {
  std::vector<Word> words;
  for (int i = 0; i < 1000; ++i) words.push_back({std::to_string(i), 0, {}});
  ASSERT_EQ(db_->InsertAll(words), absl::OkStatus());
  std::int64_t kept = *db_->Count<Change<Word>>();
  EXPECT_GE(kept, 100);
  EXPECT_LT(kept, 164);
  EXPECT_EQ(*LastChange<Word>(*db_), 1000);
  // Of those that are older than a minute, only such as have a younger one before them stay.
  file_.Run(
      "UPDATE \"words#log\" SET \"#time\" = \"#time\" - 61000 WHERE \"#sequence\" <> "
      "(SELECT \"#sequence\" FROM \"words#log\" ORDER BY 1 DESC LIMIT 1 OFFSET 9)");
  words.resize(24);
  for (Word& word : words) word.part = 1;
  ASSERT_EQ(db_->InsertAll(words), absl::OkStatus());  // The last of them is the 1024th.
  kept = *db_->Count<Change<Word>>();
  EXPECT_EQ(kept, 34);
  EXPECT_EQ(Since<Word>(1022), "1023+22 1024+23");
}

TEST_F(ChangeLogTest, AColumnThatIsAddedIsLoggedFromThenOn) {
  ASSERT_EQ(Insert(1), absl::OkStatus());
  Open<ItemWider>();
  ItemWider item{2, 3, "2", {}, {}, {}, "new"};
  ASSERT_EQ(db_->Insert(&item), absl::OkStatus());
  ASSERT_EQ(Since<ItemWider>(0), "1+1 2+2");
  const auto changes = ChangesSince<ItemWider>(*db_, 0, 10);
  EXPECT_EQ(changes->at(0).row.size, 7);
  EXPECT_EQ(changes->at(0).row.note, std::nullopt);
  EXPECT_EQ(changes->at(1).row.size, 3);
  EXPECT_EQ(changes->at(1).row.note, "new");
  // It also has another bound.
  for (item.id = 3; item.id < 130; ++item.id) {
    item.name = std::to_string(item.id);
    ASSERT_EQ(db_->Insert(&item), absl::OkStatus());
  }
  EXPECT_EQ(*db_->Count<Change<ItemWider>>(), 6);
}

TEST_F(ChangeLogTest, ALogThatDoesNotFitTheTableAnyMoreBeginsAnew) {
  for (int i = 1; i <= 3; ++i) ASSERT_EQ(Insert(i), absl::OkStatus());
  Open<ItemNarrower>(
      {}, {.allow = {"drop items.weight", "drop items.data", "drop items.owner"}, .rebuild = true});
  for (int position = 0; position < 4; ++position) EXPECT_EQ(Since<ItemNarrower>(position), "gap");
  const std::int64_t last = *LastChange<ItemNarrower>(*db_);
  EXPECT_EQ(Since<ItemNarrower>(last), "");
  ItemNarrower item{.id = 9, .name = "9"};
  ASSERT_EQ(db_->Insert(&item), absl::OkStatus());
  EXPECT_EQ(Since<ItemNarrower>(last), std::to_string(last + 1) + "+9");
  EXPECT_EQ(Since<ItemNarrower>(last - 1), "gap");
}

TEST_F(ChangeLogTest, ARebuiltTableKeepsItsLog) {
  ASSERT_EQ(Insert(1), absl::OkStatus());
  Open<ItemChecked>({}, {.rebuild = true});
  ItemChecked item{2, "2", {}, {}, {}};
  ASSERT_EQ(db_->Insert(&item), absl::OkStatus());
  EXPECT_EQ(Since<ItemChecked>(0), "1+1 2+2");
}

TEST_F(ChangeLogTest, ALogThatIsOffForAWhileHasAGap) {
  for (int i = 1; i <= 3; ++i) ASSERT_EQ(Insert(i), absl::OkStatus());
  Open<ItemOff>();
  EXPECT_EQ(file_.Text("SELECT count(*) FROM \"items#log\""), "1");
  EXPECT_EQ(file_.Text("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'items#log!_%' ESCAPE "
                       "'!'"),
            "0");
  ItemOff unseen{4, "4", {}, {}, {}};
  ASSERT_EQ(db_->Insert(&unseen), absl::OkStatus());
  Open<Item>();
  for (int position = 0; position < 4; ++position) EXPECT_EQ(Since<Item>(position), "gap");
  const std::int64_t last = *LastChange<Item>(*db_);
  ASSERT_EQ(Insert(5), absl::OkStatus());
  EXPECT_EQ(Since<Item>(last), std::to_string(last + 1) + "+5");
}

TEST_F(ChangeLogTest, ATableWithRowsGetsALogThatDoesNotBeginWithThem) {
  Open<ItemOff>();
  db_.reset();
  file_.Run("DROP TABLE \"items#log\"; INSERT INTO items VALUES (1, 'x', 1, x'', NULL)");
  Open<Item>();
  EXPECT_EQ(Since<Item>(0), "gap");
  EXPECT_EQ(Since<Item>(*LastChange<Item>(*db_)), "");
}

TEST_F(ChangeLogTest, AMigrationMayDropColumnsAndLeavesAGap) {
  ASSERT_EQ(Insert(1), absl::OkStatus());
  const std::vector<Migration> migrations = {
      {.version = 1,
       .name = "narrow",
       .up = "ALTER TABLE items DROP COLUMN weight; ALTER TABLE items DROP COLUMN owner; "
             "ALTER TABLE items DROP COLUMN data; UPDATE items SET name = name || '!'",
       .down = ""}};
  db_.reset();
  MigrateOptions options{.rebuild = true};
  Open<ItemNarrower>(migrations, options);
  EXPECT_EQ(Since<ItemNarrower>(1), "gap");
  EXPECT_EQ(db_->Get<ItemNarrower>(1)->name, "1!");
  const std::int64_t last = *LastChange<ItemNarrower>(*db_);
  ASSERT_EQ(db_->Delete<ItemNarrower>(1), absl::OkStatus());
  EXPECT_EQ(Since<ItemNarrower>(last), std::to_string(last + 1) + "-1");
}

TEST_F(ChangeLogTest, WatchesAreCalledAfterCommitsOfTheirTable) {
  std::atomic<int> items = 0;
  std::atomic<int> words = 0;
  std::atomic<std::int64_t> seen = -1;
  auto watch = ChangeWatch::Start<Item>(*db_, [&] { ++items; });
  ASSERT_TRUE(watch.ok()) << watch.status();
  auto other = ChangeWatch::Start<Word>(*db_, [&] {
    ++words;
    // Only another connection tells what has been committed.
    seen = std::stoll(file_.Text("SELECT count(*) FROM words"));
    // Its own would be for the next.
    EXPECT_EQ(LastChange<Word>(*db_).status().code(), StatusCode::kFailedPrecondition);
  });
  ASSERT_TRUE(other.ok()) << other.status();
  ASSERT_EQ(Insert(1), absl::OkStatus());
  EXPECT_EQ(items, 1);
  EXPECT_EQ(words, 0);
  EXPECT_EQ(Insert(1).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(db_->Transact([&](Transaction& t) {
                 EXPECT_EQ(t.Execute("DELETE FROM items").status(), absl::OkStatus());
                 EXPECT_EQ(ChangeWatch::Start<Item>(*db_, [] {}).status().code(),
                           StatusCode::kFailedPrecondition);
                 return absl::CancelledError("");
               })
                .code(),
            StatusCode::kCancelled);
  EXPECT_EQ(items, 1);
  ASSERT_EQ(db_->Transact([&](Transaction& t) {
    for (int i = 2; i < 5; ++i) {
      Item item{i, std::to_string(i), {}, {}, {}};
      EXPECT_EQ(t.Insert(&item), absl::OkStatus());
    }
    EXPECT_EQ(items, 1);
    Word word{.text = "x", .part = 0, .tag = {}};
    return t.Insert(&word);
  }),
            absl::OkStatus());
  EXPECT_EQ(items, 2);
  EXPECT_EQ(words, 1);
  EXPECT_EQ(seen, 1);
  watch->reset();
  ASSERT_EQ(db_->Delete<Item>(1), absl::OkStatus());
  EXPECT_EQ(items, 2);
}

// Each thread follows what it has been told of, and misses nothing.
TEST_F(ChangeLogTest, WritersOfSeveralThreadsWakeAReader) {
  constexpr int kThreads = 3;
  constexpr int kRows = 60;
  std::atomic<int> wakes = 0;
  auto watch = ChangeWatch::Start<Item>(*db_, [&] {
    ++wakes;
    wakes.notify_one();
  });
  ASSERT_TRUE(watch.ok()) << watch.status();
  std::vector<std::thread> writers;
  for (int thread = 0; thread < kThreads; ++thread) {
    writers.emplace_back([this, thread] {
      for (int i = 1; i <= kRows; ++i) EXPECT_EQ(Insert(thread * kRows + i), absl::OkStatus());
    });
  }
  std::int64_t position = 0;
  while (position < kThreads * kRows) {
    const int before = wakes;
    const auto changes = ChangesSince<Item>(*db_, position, 10);
    ASSERT_TRUE(changes.ok()) << changes.status();
    if (changes->empty()) {
      wakes.wait(before);
    } else {
      position = changes->back().sequence;
    }
  }
  for (std::thread& writer : writers) writer.join();
  std::map<std::int64_t, Item> replayed;
  EXPECT_EQ(Replay(*db_, &replayed), absl::OkStatus());
  EXPECT_EQ(replayed, RowsOf(*db_));
}

TEST_F(ChangeLogTest, AnyChangesAreReplayedToTheSameRows) {
  std::minstd_rand random(testing::Seed(std::random_device()()));
  const auto item = [&] {
    return Item{
        static_cast<std::int64_t>(1 + random() % 8), std::to_string(random() % 12), {}, {}, {}};
  };
  for (int i = 0; i < 300; ++i) {
    const bool is_kept = random() % 4 != 0;
    const absl::Status status = db_->Transact([&](Transaction& t) -> absl::Status {
      Item row = item();
      switch (random() % 6) {
        case 0:
          t.Insert(&row).IgnoreError();
          break;
        case 1:
          t.Update(&row).IgnoreError();
          break;
        case 2:
          t.Upsert(&row).IgnoreError();
          break;
        case 3:
          t.Delete<Item>(row.id).IgnoreError();
          break;
        case 4:
          t.Execute("INSERT OR REPLACE INTO items VALUES (?, ?, NULL, x'', NULL)", row.id, row.name)
              .IgnoreError();
          break;
        default:
          t.Execute("UPDATE OR IGNORE items SET id = id + 1 WHERE id > ?", row.id).IgnoreError();
      }
      return is_kept ? absl::OkStatus() : absl::CancelledError("");
    });
    ASSERT_EQ(status.ok(), is_kept) << status;
  }
  std::map<std::int64_t, Item> replayed;
  EXPECT_EQ(Replay(*db_, &replayed), absl::OkStatus());
  EXPECT_EQ(replayed, RowsOf(*db_));
}

// kill -9 in the middle of writes: the rows are what the log says.
TEST_F(ChangeLogTest, AKilledProcessLeavesRowsAndLogInStep) {
  std::minstd_rand random(testing::Seed(std::random_device()()));
  for (int run = 0; run < 5; ++run) {
    db_.reset();
    const pid_t child = fork();
    if (child == 0) {
      alarm(60);
      auto db = Database::Open(file_.path(), {.checkpoint_pages = 8});
      if (!db.ok()) _exit(1);
      for (std::int64_t i = 0;; ++i) {
        Item item{1 + i % 50, std::to_string(i % 50), {}, {}, {}};
        item.data.resize(static_cast<std::size_t>(i % 3000));
        if (i % 3 == 0) {
          (*db)->Delete<Item>(item.id).IgnoreError();
        } else {
          (*db)->Upsert(&item).IgnoreError();
        }
      }
    }
    usleep(20000 + random() % 30000);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    Open<Item>();
    std::map<std::int64_t, Item> replayed;
    ASSERT_EQ(Replay(*db_, &replayed), absl::OkStatus());
    ASSERT_EQ(replayed, RowsOf(*db_));
  }
}

}  // namespace
}  // namespace strata::orm
