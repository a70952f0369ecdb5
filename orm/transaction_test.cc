#include <filesystem>
#include <thread>

#include "gtest/gtest.h"
#include "strata/orm/batch.h"
#include "strata/orm/database.h"

namespace app {

struct Item {
  std::int64_t id = 0;
  std::string name;
};
STRATA_TABLE(Item, id, (name, Unique()));

struct Tag {
  std::string key;
  std::uint8_t part = 0;
  std::int64_t value = 0;
};
STRATA_TABLE(Tag, (key, PrimaryKey()), (part, PrimaryKey()), value);

}  // namespace app

namespace strata::orm {
namespace {

using app::Item;
using app::Tag;

class TransactionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Database>> db = Database::Open(":memory:");
    ASSERT_TRUE(db.ok()) << db.status();
    db_ = *std::move(db);
    ASSERT_EQ(db_->Create<Item>(), absl::OkStatus());
    ASSERT_EQ(db_->Create<Tag>(), absl::OkStatus());
  }

  std::unique_ptr<Database> db_;
};

absl::Status Add(Records& records, const char* name) {
  Item item{0, name};
  return records.Insert(&item);
}

TEST_F(TransactionTest, AllChangesAreMadeOrNone) {
  EXPECT_EQ(db_->Transact([](Transaction& t) { return Add(t, "a"); }), absl::OkStatus());
  EXPECT_EQ(*db_->Count<Item>(), 1);
  const absl::Status status = db_->Transact([](Transaction& t) {
    EXPECT_EQ(Add(t, "b"), absl::OkStatus());
    EXPECT_EQ(*t.Count<Item>(), 2);
    return Add(t, "a");
  });
  EXPECT_EQ(status, absl::AlreadyExistsError("Item: UNIQUE constraint failed: Item.name"));
  EXPECT_EQ(*db_->Count<Item>(), 1);
}

TEST_F(TransactionTest, AnErrorThatIsHandledDoesNotEndIt) {
  EXPECT_EQ(db_->Transact([](Transaction& t) {
    EXPECT_EQ(Add(t, "a"), absl::OkStatus());
    EXPECT_EQ(Add(t, "a").code(), absl::StatusCode::kAlreadyExists);
    return Add(t, "b");
  }),
            absl::OkStatus());
  EXPECT_EQ(*db_->Count<Item>(), 2);
}

TEST_F(TransactionTest, APartCanFailAlone) {
  EXPECT_EQ(db_->Transact([](Transaction& t) -> absl::Status {
    EXPECT_EQ(Add(t, "a"), absl::OkStatus());
    EXPECT_EQ(t.Transact([](Transaction& part) -> absl::Status {
      EXPECT_EQ(Add(part, "b"), absl::OkStatus());
      EXPECT_EQ(part.Transact([](Transaction& inner) { return Add(inner, "c"); }),
                absl::OkStatus());
      return absl::CancelledError("no");
    }),
              absl::CancelledError("no"));
    EXPECT_EQ(*t.Count<Item>(), 1);
    return t.Transact([](Transaction& part) { return Add(part, "d"); });
  }),
            absl::OkStatus());
  EXPECT_EQ(*db_->Count<Item>(), 2);
  EXPECT_EQ(db_->Get<Item>(2)->name, "d");
}

absl::Status Nest(Transaction& transaction, int depth) {
  if (depth == 0) return absl::OkStatus();
  return transaction.Transact([&](Transaction& inner) { return Nest(inner, depth - 1); });
}

TEST_F(TransactionTest, NestingIsBounded) {
  EXPECT_EQ(db_->Transact([](Transaction& t) { return Nest(t, 63); }), absl::OkStatus());
  EXPECT_EQ(db_->Transact([](Transaction& t) { return Nest(t, 64); }).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Add(*db_, "a"), absl::OkStatus());
}

TEST_F(TransactionTest, TheDatabaseItselfDoesNotWaitForItself) {
  EXPECT_EQ(db_->Transact([&](Transaction&) { return Add(*db_, "a"); }).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(*db_->Count<Item>(), 0);
}

TEST_F(TransactionTest, ThreadsDoNotSeeEachOthersHalves) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const std::string name = std::to_string(t * 100 + i);
        ASSERT_EQ(db_->Transact([&](Transaction& transaction) -> absl::Status {
          const std::int64_t before = *transaction.Count<Item>();
          EXPECT_EQ(before % 2, 0);
          if (absl::Status s = Add(transaction, (name + "a").c_str()); !s.ok()) return s;
          return Add(transaction, (name + "b").c_str());
        }),
                  absl::OkStatus());
        ASSERT_EQ(*db_->Count<Item>() % 2, 0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*db_->Count<Item>(), 200);
}

TEST(TransactionFileTest, WaitsForAnotherProcess) {
  const std::string path = ::testing::TempDir() + "/wait.db";
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  auto first = Database::Open(path);
  auto second = Database::Open(path);
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_EQ((*first)->Create<Item>(), absl::OkStatus());
  std::vector<std::thread> threads;
  for (Database* db : {first->get(), second->get()}) {
    threads.emplace_back([db, &first] {
      for (int i = 0; i < 20; ++i) {
        ASSERT_EQ(db->Transact([&](Transaction& t) -> absl::Status {
          const absl::StatusOr<std::int64_t> count = t.Count<Item>();
          if (!count.ok()) return count.status();
          Item item{*count + 1, std::to_string(*count) + (db == first->get() ? "a" : "b")};
          return t.Insert(&item);
        }),
                  absl::OkStatus());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*(*first)->Count<Item>(), 40);
}

TEST_F(TransactionTest, ABatchMixesOperationsAndTables) {
  Batch batch(db_.get());
  for (int i = 1; i <= 10; ++i) {
    ASSERT_EQ(batch.Insert(Item{i, std::to_string(i)}), absl::OkStatus());
  }
  const Item renamed{3, "three"};
  ASSERT_EQ(batch.Update(renamed), absl::OkStatus());
  ASSERT_EQ(batch.Insert(Tag{"t", 1, 1}), absl::OkStatus());
  ASSERT_EQ(batch.Upsert(Tag{"t", 1, 2}), absl::OkStatus());
  ASSERT_EQ(batch.Insert(Tag{"u", 1, 3}), absl::OkStatus());
  ASSERT_EQ((batch.Delete<Tag>("u", 1)), absl::OkStatus());
  ASSERT_EQ(batch.Delete<Item>(10), absl::OkStatus());
  EXPECT_EQ(batch.pending(), 16u);
  EXPECT_EQ(*db_->Count<Item>(), 0);
  ASSERT_EQ(batch.Flush(), absl::OkStatus());
  EXPECT_EQ(batch.pending(), 0u);
  EXPECT_EQ(batch.written(), 16u);
  EXPECT_EQ(*db_->Count<Item>(), 9);
  EXPECT_EQ(db_->Get<Item>(3)->name, "three");
  EXPECT_EQ((db_->Get<Tag>("t", 1)->value), 2);
  EXPECT_EQ(*db_->Count<Tag>(), 1);
}

TEST_F(TransactionTest, ABatchWritesSomeAtATime) {
  Batch batch(db_.get(), {.rows = 7});
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(batch.Insert(Item{0, std::to_string(i)}), absl::OkStatus());
    ASSERT_LT(batch.pending(), 7u);
  }
  EXPECT_EQ(*db_->Count<Item>(), 14);
  EXPECT_EQ(batch.Flush(), absl::OkStatus());
  EXPECT_EQ(*db_->Count<Item>(), 20);
}

TEST_F(TransactionTest, AFailureOfABatchNamesTheRowAndWritesNoneOfItsTransaction) {
  Batch batch(db_.get(), {.rows = 2});
  ASSERT_EQ(batch.Insert(Item{0, "a"}), absl::OkStatus());
  ASSERT_EQ(batch.Insert(Item{0, "b"}), absl::OkStatus());
  ASSERT_EQ(batch.Insert(Item{0, "c"}), absl::OkStatus());
  EXPECT_EQ(
      batch.Insert(Item{0, "a"}),
      absl::AlreadyExistsError("row 1 of the batch: Item: UNIQUE constraint failed: Item.name"));
  EXPECT_EQ(batch.written(), 2u);
  EXPECT_EQ(*db_->Count<Item>(), 2);
  EXPECT_EQ(batch.Delete<Item>(77), absl::OkStatus());
  EXPECT_EQ(batch.Flush().code(), absl::StatusCode::kNotFound);
}

TEST_F(TransactionTest, ABatchWithinATransactionIsAllOrNothing) {
  const absl::Status status = db_->Transact([](Transaction& t) -> absl::Status {
    Batch batch(&t, {.rows = 2});
    for (int i = 0; i < 9; ++i) {
      absl::Status added = batch.Insert(Item{0, std::to_string(i % 8)});
      if (!added.ok()) return added;
    }
    return batch.Flush();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(*db_->Count<Item>(), 0);
}

TEST_F(TransactionTest, ABatchRefusesKeysThatNoRowHas) {
  Batch batch(db_.get());
  EXPECT_EQ((batch.Delete<Tag>("t", 256)).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(batch.Delete<Item>(~std::uint64_t{0}).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(batch.pending(), 0u);
}

TEST_F(TransactionTest, WhatABatchHasNotFlushedIsDropped) {
  {
    Batch batch(db_.get());
    ASSERT_EQ(batch.Insert(Item{0, "a"}), absl::OkStatus());
  }
  EXPECT_EQ(*db_->Count<Item>(), 0);
}

}  // namespace
}  // namespace strata::orm
