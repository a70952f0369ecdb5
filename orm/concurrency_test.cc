// Several threads use one database.

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "sqlite3.h"
#include "strata/orm/database.h"
#include "strata/orm/select.h"
#include "strata/orm/testing/raw_file.h"
#include "strata/orm/testing/seed.h"
#include "strata/orm/write_queue_internal.h"

namespace app {

struct Entry {
  std::int64_t id = 0;
  std::string name;
  std::int32_t version = 0;
  std::optional<std::chrono::sys_seconds> created = {};
};
STRATA_TABLE((Entry, Named("entries")), id, (name, Unique(), MaxLength(10)), (version, Version()),
             (created, CreatedAt()));

}  // namespace app

namespace strata::orm {
namespace {

using app::Entry;
using testing::RawFile;

// The queue alone, with operations that wait for each other when the test wants it.
class WriteQueueTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto connection = internal::Connection::Open(":memory:", {});
    ASSERT_TRUE(connection.ok()) << connection.status();
    session_ = std::make_unique<internal::SqliteSession>(*std::move(connection));
    queue_ = std::make_unique<internal::WriteQueue>(*session_);
    ASSERT_EQ(session_->Create(TableOf<Entry>()), absl::OkStatus());
    sqlite3_commit_hook(
        session_->connection().get(),
        [](void* test) {
          auto* self = static_cast<WriteQueueTest*>(test);
          return ++self->commits_ == self->failing_commit_ ? 1 : 0;
        },
        this);
  }

  absl::Status Write(Entry* entry) {
    internal::WriteOperation operation;
    operation.what = what_;
    operation.table = &TableOf<Entry>();
    operation.row = entry;
    operation.result = entry;
    return queue_->Write(operation);
  }

  // Writes all of them, by a thread for each, while all wait for their turn.
  std::vector<absl::Status> WriteTogether(std::vector<Entry>& entries) {
    std::vector<absl::Status> statuses(entries.size());
    std::vector<std::thread> threads;
    const absl::Status status = queue_->Alone([&]() -> absl::Status {
      for (std::size_t i = 0; i < entries.size(); ++i) {
        threads.emplace_back([&, i] { statuses[i] = Write(&entries[i]); });
        while (queue_->size() < i + 2) std::this_thread::yield();
      }
      return absl::OkStatus();
    });
    EXPECT_EQ(status, absl::OkStatus());
    for (std::thread& thread : threads) thread.join();
    return statuses;
  }

  std::unique_ptr<internal::SqliteSession> session_;
  std::unique_ptr<internal::WriteQueue> queue_;
  internal::WriteOperation::What what_ = internal::WriteOperation::What::kInsert;
  int commits_ = 0;
  int failing_commit_ = 0;
};

TEST_F(WriteQueueTest, WritesThatWaitAreOneCommit) {
  std::vector<Entry> entries(8);
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].name = std::to_string(i);
  for (const absl::Status& status : WriteTogether(entries)) EXPECT_EQ(status, absl::OkStatus());
  EXPECT_EQ(commits_, 1);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].id, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(entries[i].version, 1);
  }
}

TEST_F(WriteQueueTest, OnesFailureIsNotTheOthers) {
  std::vector<Entry> entries(4);
  entries[0].name = entries[2].name = "same";
  entries[1].name = "longer than it may be";
  const std::vector<absl::Status> statuses = WriteTogether(entries);
  EXPECT_EQ(statuses[0], absl::OkStatus());
  EXPECT_EQ(statuses[1], absl::InvalidArgumentError("entries.name: longer than 10"));
  EXPECT_EQ(statuses[2],
            absl::AlreadyExistsError("entries: UNIQUE constraint failed: entries.name"));
  EXPECT_EQ(statuses[3], absl::OkStatus());
  EXPECT_EQ(entries[2].id, 0);
  EXPECT_EQ(entries[3].id, 2);
  EXPECT_EQ(*session_->Count(TableOf<Entry>()), 2);
}

TEST_F(WriteQueueTest, ACommitThatFailsIsMadeAgainOneByOne) {
  for (const int failing : {1, 3}) {
    failing_commit_ = failing;
    commits_ = 0;
    std::vector<Entry> entries(4);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i].name = std::to_string(failing) + "." + std::to_string(i);
    }
    const std::vector<absl::Status> statuses = WriteTogether(entries);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      EXPECT_EQ(statuses[i], absl::OkStatus());
      EXPECT_EQ(entries[i].version, 1);
    }
    EXPECT_EQ(commits_, failing == 1 ? 5 : 1);
  }
  EXPECT_EQ(*session_->Count(TableOf<Entry>()), 8);
}

TEST_F(WriteQueueTest, AFailureLeavesTheStruct) {
  failing_commit_ = 1;
  std::vector<Entry> entries(2);
  entries[0].name = entries[1].name = "same";
  const std::vector<absl::Status> statuses = WriteTogether(entries);
  EXPECT_EQ(statuses[0], absl::OkStatus());
  EXPECT_EQ(statuses[1].code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(entries[1].id, 0);
  EXPECT_EQ(entries[1].version, 0);
  EXPECT_FALSE(entries[1].created.has_value());
}

TEST_F(WriteQueueTest, AnUpdateThatIsMadeAgainHasItsVersion) {
  std::vector<Entry> entries(3);
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].name = std::to_string(i);
  WriteTogether(entries);
  what_ = internal::WriteOperation::What::kUpdate;
  failing_commit_ = 2;
  for (const absl::Status& status : WriteTogether(entries)) EXPECT_EQ(status, absl::OkStatus());
  for (const Entry& entry : entries) EXPECT_EQ(entry.version, 2);
}

TEST_F(WriteQueueTest, GroupsAreBounded) {
  std::vector<Entry> entries(internal::kMaxGroup + 3);
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].name = std::to_string(i);
  for (const absl::Status& status : WriteTogether(entries)) EXPECT_EQ(status, absl::OkStatus());
  EXPECT_EQ(commits_, 2);
}

class ConcurrencyTest : public ::testing::Test {
 protected:
  std::unique_ptr<Database> Open(const std::string& path, DatabaseOptions options = {}) {
    options.synchronous = DatabaseOptions::Synchronous::kOff;
    auto db = Database::Open(path, Schema::Of<Entry>(), options);
    EXPECT_TRUE(db.ok()) << db.status();
    return *std::move(db);
  }

  RawFile file_{"concurrent.db"};
};

TEST_F(ConcurrencyTest, ReadersDoNotWaitForAWriter) {
  const std::unique_ptr<Database> db = Open(file_.path(), {.readers = 2});
  Entry entry{.name = "first"};
  ASSERT_EQ(db->Insert(&entry), absl::OkStatus());
  ASSERT_EQ(db->Transact([&](Transaction& transaction) -> absl::Status {
    Entry second{.name = "second"};
    if (absl::Status status = transaction.Insert(&second); !status.ok()) return status;
    std::vector<std::thread> threads;
    for (int i = 0; i < 5; ++i) {
      threads.emplace_back([&] {
        EXPECT_EQ(*db->Count<Entry>(), 1);
        EXPECT_EQ(db->Get<Entry>(1)->name, "first");
        EXPECT_EQ(Select<Entry>()
                      .ForEach(*db,
                               [&](Entry& each) -> absl::Status {
                                 EXPECT_EQ(each.name, "first");
                                 return db->Count<Entry>().status();
                               })
                      .code(),
                  absl::StatusCode::kFailedPrecondition);
        EXPECT_EQ(db->Get<Entry>(2).status().code(), absl::StatusCode::kNotFound);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(db->Count<Entry>().status().code(), absl::StatusCode::kFailedPrecondition);
    return absl::OkStatus();
  }),
            absl::OkStatus());
  EXPECT_EQ(*db->Count<Entry>(), 2);
}

// Each thread changes names of its own and reads all, and knows what it has written.
void Work(Database& db, int thread, unsigned seed) {
  std::mt19937 random(seed + static_cast<unsigned>(thread));
  std::map<std::int64_t, Entry> mine;
  for (int i = 0; i < 200; ++i) {
    Entry entry{.name = std::to_string(thread) + "." + std::to_string(random() % 20)};
    const bool is_taken = std::any_of(
        mine.begin(), mine.end(), [&](const auto& each) { return each.second.name == entry.name; });
    if (random() % 3 != 0 || mine.empty()) {
      ASSERT_EQ(db.Insert(&entry).code(),
                is_taken ? absl::StatusCode::kAlreadyExists : absl::StatusCode::kOk);
      ASSERT_EQ(entry.id == 0, is_taken);
      if (!is_taken) mine[entry.id] = entry;
    } else if (const auto any = mine.begin(); random() % 2 == 0) {
      ASSERT_EQ(db.Update(&any->second), absl::OkStatus());
    } else {
      ASSERT_EQ(db.Delete<Entry>(any->first), absl::OkStatus());
      // Another thread may have been given the number.
      const absl::StatusOr<Entry> read = db.Get<Entry>(any->first);
      ASSERT_TRUE(absl::IsNotFound(read.status()) || (read.ok() && read->name != any->second.name))
          << read.status();
      mine.erase(any);
    }
    for (const auto& [id, row] : mine) {
      const absl::StatusOr<Entry> read = db.Get<Entry>(id);
      ASSERT_TRUE(read.ok()) << read.status();
      ASSERT_EQ(read->name, row.name);
      ASSERT_EQ(read->version, row.version);
    }
    ASSERT_GE(*db.Count<Entry>(), static_cast<std::int64_t>(mine.size()));
  }
}

TEST_F(ConcurrencyTest, EachThreadFindsWhatItHasWritten) {
  const unsigned seed = testing::Seed(20261130);
  for (const std::string& path : {file_.path(), std::string(":memory:")}) {
    const std::unique_ptr<Database> db = Open(path, {.checkpoint_pages = 20, .readers = 2});
    std::vector<std::thread> threads;
    for (int i = 0; i < 6; ++i) threads.emplace_back([&, i] { Work(*db, i, seed); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(db->CheckIntegrity(), absl::OkStatus());
  }
}

TEST_F(ConcurrencyTest, SchemasChangeUnderReaders) {
  const std::unique_ptr<Database> db = Open(file_.path());
  Entry entry{.name = "a"};
  ASSERT_EQ(db->Insert(&entry), absl::OkStatus());
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) ASSERT_EQ(db->Get<Entry>(1)->name, "a");
    });
  }
  for (int i = 0; i < 20; ++i) {
    file_.Run("ALTER TABLE entries ADD COLUMN x TEXT");
    EXPECT_TRUE(db->Migrate(Schema::Of<Entry>(), {.allow = {"drop entries.x"}}).ok());
    EXPECT_EQ(db->Vacuum(), absl::OkStatus());
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
}

// A thread that has the turn of writers would wait for the other for ever, if that waited for it.
TEST(ReadsBesideWritesTest, SqlThatOnlyReadsDoesNotWaitForATransaction) {
  const RawFile file("reads.db");
  auto db = Database::Open(file.path(), Schema::Of<Entry>());
  ASSERT_TRUE(db.ok()) << db.status();
  Entry entry{.id = 1, .name = "committed"};
  ASSERT_EQ((*db)->Insert(&entry), absl::OkStatus());
  ASSERT_EQ((*db)->Transact([&](Transaction& transaction) {
    Entry other{.id = 2, .name = "not yet"};
    EXPECT_EQ(transaction.Insert(&other), absl::OkStatus());
    EXPECT_EQ(transaction.Query<std::int64_t>("SELECT id FROM entries")->size(), 2u);
    std::thread([&] {
      EXPECT_EQ(*(*db)->Query<std::string>(" select name FROM entries WHERE id < ?", 10),
                std::vector<std::string>{"committed"});
      EXPECT_EQ(*(*db)->Query<std::int64_t>("WITH ids AS (SELECT id FROM entries) SELECT max(id) "
                                            "FROM ids"),
                std::vector<std::int64_t>{1});
      EXPECT_EQ((*db)->ForEach<Entry>("SELECT * FROM entries", {},
                                      [](Entry& each) { EXPECT_EQ(each.id, 1); }),
                absl::OkStatus());
      EXPECT_EQ((*db)->Query<int>("SELECT 1, 2").status().code(),
                absl::StatusCode::kInvalidArgument);
    }).join();
    EXPECT_EQ((*db)->Query<int>("SELECT 1").status().code(), absl::StatusCode::kFailedPrecondition);
    return absl::OkStatus();
  }),
            absl::OkStatus());
  EXPECT_EQ((*db)->Query<std::int64_t>("SELECT id FROM entries")->size(), 2u);
}

TEST(ReadsBesideWritesTest, SqlOfItsConnectionIsOfTheOneThatWrites) {
  const RawFile file("reads.db");
  auto opened = Database::Open(file.path(), Schema::Of<Entry>());
  ASSERT_TRUE(opened.ok()) << opened.status();
  Database& db = **opened;
  const auto number = [&](const char* sql) {
    const auto numbers = db.Query<std::int64_t>(sql);
    return numbers.ok() && numbers->size() == 1 ? numbers->at(0) : -1;
  };
  for (std::int64_t id = 5; id < 8; ++id) {
    Entry entry{.id = id, .name = std::to_string(id)};
    ASSERT_EQ(db.Insert(&entry), absl::OkStatus());
  }
  EXPECT_EQ(number("SELECT last_insert_rowid()"), 7);
  ASSERT_EQ(*db.Execute("UPDATE entries SET version = version + 1"), 3);
  EXPECT_EQ(number("SELECT Changes()"), 3);
  EXPECT_EQ(number("SELECT (SELECT total_changes()) >= 6"), 1);
  EXPECT_EQ(number("WITH x AS (SELECT 5 AS id) DELETE FROM entries WHERE id IN x RETURNING id"), 5);
  EXPECT_EQ(number("SELECT count(*) FROM entries"), 2);
  EXPECT_EQ(number("SELECT name LIKE 'X' FROM (SELECT 'x' AS name)"), 1);
  ASSERT_EQ(db.Execute("PRAGMA case_sensitive_like = ON").status(), absl::OkStatus());
  EXPECT_EQ(number("SELECT name LIKE 'X' FROM (SELECT 'x' AS name)"), 0);
}

TEST(ReadsBesideWritesTest, TemporaryTablesAreSeen) {
  const RawFile file("reads.db");
  auto db = Database::Open(file.path(), Schema::Of<Entry>());
  ASSERT_TRUE(db.ok()) << db.status();
  EXPECT_TRUE((*db)->Query<std::int64_t>("SELECT id FROM entries")->empty());
  ASSERT_EQ((*db)->Execute("CREATE TEMP TABLE entries AS SELECT 7 AS id").status(),
            absl::OkStatus());
  EXPECT_EQ(*(*db)->Query<std::int64_t>("SELECT id FROM entries"), std::vector<std::int64_t>{7});
}

}  // namespace
}  // namespace strata::orm
