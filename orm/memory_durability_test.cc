// What the engine in memory keeps on the disk: all that is committed, and nothing else, whatever
// becomes of the process, the files or the description.

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>
#include <tuple>

#include "gtest/gtest.h"
#include "strata/orm/change_log.h"
#include "strata/orm/memory.h"
#include "strata/orm/testing/sample.h"

namespace app {

struct Item {
  std::int64_t id = 0;
  std::string name;
  std::int64_t twin = 0;  // Of a pair that is written in one transaction.

  friend bool operator==(const Item&, const Item&) = default;
};
STRATA_TABLE((Item, Named("items"), LogChanges()), id, (name, Unique()), (twin, Indexed()));

// The same, without the log, and with a short one.
struct Unlogged {
  std::int64_t id = 0;
  std::string name;
  std::int64_t twin = 0;
};
STRATA_TABLE((Unlogged, Named("items")), id, (name, Unique()), (twin, Indexed()));
struct Short {
  std::int64_t id = 0;
  std::string name;
  std::int64_t twin = 0;
};
STRATA_TABLE((Short, Named("items"), LogChanges(10)), id, (name, Unique()), (twin, Indexed()));

struct Note {
  std::string key;
  std::string text;
};
STRATA_TABLE((Note, Named("notes")), (key, PrimaryKey()), text);

// Items as a later program may describe them.
struct Grown {
  std::int64_t id = 0;
  std::string name;
  std::int64_t twin = 0;
  std::optional<double> price;
  std::int32_t stock = 7;
  std::string unit = "piece";
  strata::orm::testing::Color color = strata::orm::testing::Color::kRed;
};
STRATA_TABLE((Grown, Named("items")), id, stock, name, twin, price, (unit, Default("kg")),
             (color, AsText(), Default("green")));

// Its twin is a row of the same table.
struct Paired {
  std::int64_t id = 0;
  std::string name;
  std::int64_t twin = 0;
};
STRATA_TABLE((Paired, Named("items")), id, name, (twin, References<Paired>(), OnDelete(kCascade)));

struct Shrunk {
  std::int64_t id = 0;
  std::string name;
};
STRATA_TABLE((Shrunk, Named("items")), id, name);

struct Narrow {
  std::uint16_t id = 0;
  std::string name;
  std::int8_t twin = 0;
};
STRATA_TABLE((Narrow, Named("items")), id, name, twin);

struct Retyped {
  std::int64_t id = 0;
  strata::orm::Blob name;
  std::int64_t twin = 0;
};
STRATA_TABLE((Retyped, Named("items")), id, name, twin);

struct Rekeyed {
  std::int64_t id = 0;
  std::string name;
  std::int64_t twin = 0;
};
STRATA_TABLE((Rekeyed, Named("items")), id, (name, PrimaryKey()), twin);

struct Stricter {
  std::int64_t id = 0;
  std::string name;
  std::int64_t twin = 0;
};
STRATA_TABLE((Stricter, Named("items")), id, name, (twin, Unique()));

struct Computed {
  std::int64_t id = 0;
  std::string name;
  std::int64_t twin = 0;
  std::int64_t now = 0;
};
STRATA_TABLE((Computed, Named("items")), id, name, twin, (now, DefaultSql("unixepoch()")));

}  // namespace app

namespace strata::orm {
namespace {

using absl::StatusCode;
using app::Item;
using app::Note;

// Changes of a byte.
constexpr char kMasks[] = {'\x01', '\x80', '\xff'};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteFile(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

class MemoryDurabilityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/strata_memory_XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    path_ = folder_ + "/store";
  }
  ~MemoryDurabilityTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  template <typename... T>
  absl::StatusOr<std::unique_ptr<MemoryDatabase>> Open(const MemoryOptions& options = {}) {
    return MemoryDatabase::Open<T...>(path_, options);
  }

  template <typename... T>
  StatusCode CodeOfOpen() {
    return Open<T...>().status().code();
  }

  std::unique_ptr<MemoryDatabase> Items(const MemoryOptions& options = {}) {
    auto db = Open<Item, Note>(options);
    EXPECT_TRUE(db.ok()) << db.status();
    return db.ok() ? *std::move(db) : nullptr;
  }

  static absl::Status Add(Records& records, std::string name, std::int64_t twin = 0) {
    Item item{.name = std::move(name), .twin = twin};
    return records.Insert(&item);
  }

  static std::map<std::int64_t, Item> All(MemoryDatabase& db) {
    std::map<std::int64_t, Item> items;
    const MemoryView view(&db);
    EXPECT_TRUE(view.ForEach<Item>([&](const Item& item) { items[item.id] = item; }).ok());
    EXPECT_EQ(AllOfLog(db), items);
    return items;
  }

  // The rows that all changes together have made.
  static std::map<std::int64_t, Item> AllOfLog(MemoryDatabase& db) {
    std::map<std::int64_t, Item> items;
    const auto changes = ChangesSince<Item>(db, 0, 1'000'000);
    EXPECT_TRUE(changes.ok()) << changes.status();
    if (!changes.ok()) return items;
    for (const Change<Item>& change : *changes) {
      EXPECT_EQ(items.contains(change.row.id), change.kind != ChangeKind::kInsert);
      if (change.kind == ChangeKind::kDelete) {
        EXPECT_EQ(items[change.row.id], change.row);
        items.erase(change.row.id);
      } else {
        items[change.row.id] = change.row;
      }
    }
    return items;
  }

  std::string folder_;
  std::string path_;
};

TEST_F(MemoryDurabilityTest, RowsOfEveryKindComeBack) {
  testing::Sample full;
  full.flag = true;
  full.i8 = -128;
  full.i16 = -32768;
  full.i32 = INT32_MIN;
  full.u8 = 255;
  full.u16 = 65535;
  full.u32 = UINT32_MAX;
  full.u64 = UINT64_MAX;
  full.single = 0.1f;
  full.real = -1e-300;
  full.text = std::string("a\0b", 3) + "é";
  full.blob = {std::byte{0}, std::byte{255}};
  full.amount = Currency::FromTenThousandths(INT64_MIN);
  full.uuid = Uuid::V4();
  full.day = std::chrono::sys_days(std::chrono::days(-1000000));
  full.moment_text = std::chrono::sys_time<std::chrono::microseconds>(std::chrono::seconds(7));
  full.span = std::chrono::seconds(-5);
  full.color = testing::Color::kGreen;
  full.color_text = testing::Color::kGreen;
  full.maybe = INT64_MAX;
  full.maybe_text = "";
  full.maybe_uuid = Uuid::V7();
  full.json.text = R"({"a":[1]})";
  full.point = {3, -4};
  full.points = {{1, 2}};
  full.numbers = {1, std::nullopt};
  full.tree = testing::Node{"root", {{"leaf", {}}}};
  testing::Sample plain;
  for (const bool checkpoint : {false, true}) {
    auto db = Open<testing::Sample>();
    ASSERT_TRUE(db.ok()) << db.status();
    full.id = plain.id = 0;
    ASSERT_TRUE((*db)->Insert(&full).ok());
    ASSERT_TRUE((*db)->Insert(&plain).ok());
    if (checkpoint) {
      ASSERT_TRUE((*db)->Checkpoint().ok());
    }
    db->reset();
    db = Open<testing::Sample>();
    ASSERT_TRUE(db.ok()) << db.status();
    EXPECT_EQ(*(*db)->Get<testing::Sample>(full.id), full);
    EXPECT_EQ(*(*db)->Get<testing::Sample>(plain.id), plain);
  }
}

TEST_F(MemoryDurabilityTest, ChangesComeBackAndRolledBackOnesDoNot) {
  std::map<std::int64_t, Item> expected;
  {
    auto db = Items();
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(Add(*db, std::to_string(i)).ok());
    ASSERT_TRUE(db->Delete<Item>(3).ok());
    Item changed = *db->Get<Item>(4);
    changed.name = "changed";
    ASSERT_TRUE(db->Update(&changed, {&Item::name}).ok());
    EXPECT_FALSE(db->Transact([](Transaction& transaction) -> absl::Status {
                     EXPECT_TRUE(transaction.Delete<Item>(5).ok());
                     EXPECT_TRUE(Add(transaction, "never").ok());
                     return absl::CancelledError("");
                   }).ok());
    ASSERT_TRUE(db->Transact([](Transaction& transaction) {
                    EXPECT_FALSE(transaction
                                     .Transact([](Transaction& part) -> absl::Status {
                                       EXPECT_TRUE(Add(part, "neither").ok());
                                       return absl::CancelledError("");
                                     })
                                     .ok());
                    return Add(transaction, "kept");
                  }).ok());
    Note note{"a", "b"};
    ASSERT_TRUE(db->Insert(&note).ok());
    ASSERT_TRUE(db->Delete<Item>(11).ok());
    expected = All(*db);
  }
  for (int i = 0; i < 3; ++i) {
    auto db = Items();
    ASSERT_EQ(All(*db), expected);
    EXPECT_EQ(db->Get<Note>("a")->text, "b");
    {
      const MemoryView view(db.get());
      EXPECT_EQ((*view.FindBy(&Item::name, "changed"))->id, 4);
      EXPECT_EQ(*view.FindBy(&Item::name, "3"), nullptr);
    }
    if (i == 1) {
      ASSERT_TRUE(db->Checkpoint().ok());
    }
  }
  auto db = Items();
  Item next{.name = "next"};
  ASSERT_TRUE(db->Insert(&next).ok());
  EXPECT_EQ(next.id, 12) << "the key of a deleted row is not given again, by snapshot or log";
}

TEST_F(MemoryDurabilityTest, ALargeTransactionIsOne) {
  {
    auto db = Items();
    std::vector<Item> items;
    for (int i = 0; i < 3000; ++i) {
      items.push_back({.name = std::to_string(i) + std::string(1000, 'x')});
    }
    ASSERT_TRUE(db->InsertAll(items).ok());
  }
  EXPECT_EQ(*Items()->Count<Item>(), 3000);
  // The last of its frames is missing.
  const std::string log = ReadFile(path_ + "-log");
  WriteFile(path_ + "-log", std::string_view(log).substr(0, log.size() - 100));
  EXPECT_EQ(*Items()->Count<Item>(), 0);
}

TEST_F(MemoryDurabilityTest, ALogThatIsCutOffHasWholeTransactions) {
  for (int i = 0; i < 5; ++i) {
    // Not closed, so that nothing tells how much there was.
    auto db = Items();
    ASSERT_TRUE(db->Transact([&](Transaction& transaction) -> absl::Status {
                    absl::Status status = Add(transaction, "a" + std::to_string(i));
                    return status.ok() ? Add(transaction, "b" + std::to_string(i)) : status;
                  }).ok());
  }
  const std::string log = ReadFile(path_ + "-log");
  std::int64_t most = 0;
  int whole = 0;
  for (std::size_t size = 0; size < log.size(); ++size) {
    WriteFile(path_ + "-log", std::string_view(log).substr(0, size));
    auto db = Open<Item, Note>();
    if (!db.ok()) {
      ASSERT_EQ(db.status().code(), StatusCode::kDataLoss) << db.status();
      ASSERT_EQ(most, 0) << "only without a header";
      continue;
    }
    // What is no whole transaction is cut off.
    if (std::filesystem::file_size(path_ + "-log") == size) ++whole;
    const std::int64_t count = *(*db)->Count<Item>();
    ASSERT_EQ(count % 2, 0);
    ASSERT_GE(count, most);
    most = count;
    // It can be written on.
    if (size % 16 == 0) {
      ASSERT_TRUE(Add(**db, "next").ok());
      db->reset();
      ASSERT_EQ(*Items()->Count<Item>(), count + 1);
    }
  }
  EXPECT_EQ(most, 10);
  EXPECT_EQ(whole, 10) << "behind the header, each transaction, and each closing but the last";
}

TEST_F(MemoryDurabilityTest, AChangedByteOfTheLogIsFoundOrOfNoConsequence) {
  std::map<std::int64_t, Item> expected;
  {
    auto db = Items();
    for (int i = 0; i < 8; ++i) ASSERT_TRUE(Add(*db, std::to_string(i)).ok());
    expected = All(*db);
  }
  const std::string log = ReadFile(path_ + "-log");
  std::size_t found = 0;
  for (std::size_t at = 0; at < log.size(); ++at) {
    std::string changed = log;
    changed[at] = static_cast<char>(changed[at] ^ kMasks[at % std::size(kMasks)]);
    WriteFile(path_ + "-log", changed);
    auto db = Open<Item, Note>();
    if (db.ok()) {
      ASSERT_EQ(All(**db), expected) << at;
    } else {
      ASSERT_EQ(db.status().code(), StatusCode::kDataLoss) << db.status();
      ++found;
    }
  }
  // All but those of the mark that the log was closed, which has no changes.
  EXPECT_GT(found, log.size() - 24);
}

TEST_F(MemoryDurabilityTest, AChangedByteOfTheSnapshotIsFound) {
  {
    auto db = Items();
    for (int i = 0; i < 8; ++i) ASSERT_TRUE(Add(*db, std::to_string(i)).ok());
    ASSERT_TRUE(db->Checkpoint().ok());
  }
  const std::string snapshot = ReadFile(path_);
  for (std::size_t at = 0; at < snapshot.size(); ++at) {
    std::string changed = snapshot;
    changed[at] = static_cast<char>(changed[at] ^ kMasks[at % std::size(kMasks)]);
    WriteFile(path_, changed);
    ASSERT_EQ((CodeOfOpen<Item, Note>()), StatusCode::kDataLoss) << at;
    WriteFile(path_, std::string_view(snapshot).substr(0, at));
    ASSERT_EQ((CodeOfOpen<Item, Note>()), StatusCode::kDataLoss) << at;
  }
  WriteFile(path_, snapshot + "x");
  EXPECT_EQ((CodeOfOpen<Item, Note>()), StatusCode::kDataLoss);
  WriteFile(path_, snapshot);
  EXPECT_EQ(*Items()->Count<Item>(), 8);
}

TEST_F(MemoryDurabilityTest, ACrashWhileASnapshotIsMadeLosesNothing) {
  std::map<std::int64_t, Item> expected;
  {
    auto db = Items();
    for (int i = 0; i < 8; ++i) ASSERT_TRUE(Add(*db, std::to_string(i)).ok());
    ASSERT_TRUE(db->Checkpoint().ok());
    // What cannot be done a second time.
    ASSERT_TRUE(db->Delete<Item>(2).ok());
    expected = All(*db);
  }
  const std::string old_snapshot = ReadFile(path_);
  const std::string old_log = ReadFile(path_ + "-log");
  ASSERT_TRUE(Items()->Checkpoint().ok());
  const std::string snapshot = ReadFile(path_);
  const std::string new_log = ReadFile(path_ + "-log");

  // Before the snapshot takes its place, with new files in any state.
  WriteFile(path_, old_snapshot);
  WriteFile(path_ + "-log", old_log);
  WriteFile(path_ + "-new", std::string_view(snapshot).substr(0, 50));
  WriteFile(path_ + "-log-new", new_log);
  EXPECT_EQ(All(*Items()), expected);
  EXPECT_FALSE(std::filesystem::exists(path_ + "-new"));
  EXPECT_FALSE(std::filesystem::exists(path_ + "-log-new"));

  // Between the two.
  WriteFile(path_, snapshot);
  WriteFile(path_ + "-log", old_log);
  WriteFile(path_ + "-log-new", new_log);
  EXPECT_EQ(All(*Items()), expected);
  {
    auto db = Items();
    ASSERT_TRUE(Add(*db, "more").ok());
  }
  EXPECT_EQ(*Items()->Count<Item>(), 8);

  // A snapshot alone is a copy of the store.
  WriteFile(path_, snapshot);
  std::filesystem::remove(path_ + "-log");
  EXPECT_EQ(All(*Items()), expected);

  // A log without its snapshot is not.
  WriteFile(path_ + "-log", new_log);
  std::filesystem::remove(path_);
  EXPECT_EQ(Open<Item>().status().code(), StatusCode::kDataLoss);
}

// Writes pairs of items until it is killed, and tells by a byte of each pair that is committed.
[[noreturn]] void WritePairs(const std::string& path, int done, std::int64_t first) {
  MemoryOptions options;
  options.checkpoint_bytes = 2000;
  auto db = MemoryDatabase::Open<Item, Note>(path, options);
  if (!db.ok()) _exit(1);
  for (std::int64_t i = first;; ++i) {
    const absl::Status status = (*db)->Transact([&](Transaction& transaction) -> absl::Status {
      for (const char* half : {"a", "b"}) {
        Item item{.name = half + std::to_string(i), .twin = i};
        if (absl::Status added = transaction.Insert(&item); !added.ok()) return added;
      }
      // Old pairs go, so that deletes are among the changes.
      if (i % 3 != 0) return absl::OkStatus();
      for (const char* half : {"a", "b"}) {
        const MemoryView view(db->get());
        const Item* old = *view.FindBy(&Item::name, half + std::to_string(i / 2));
        if (old == nullptr) continue;
        if (absl::Status gone = transaction.Delete<Item>(old->id); !gone.ok()) return gone;
      }
      return absl::OkStatus();
    });
    if (!status.ok()) _exit(2);
    const char byte = 1;
    if (write(done, &byte, 1) != 1) _exit(3);
  }
}

TEST_F(MemoryDurabilityTest, KilledAtAnyTimeItHasAllThatIsCommitted) {
  std::mt19937_64 random(20261130);
  std::int64_t next = 0;  // The pair that is written next.
  for (int round = 0; round < 12; ++round) {
    int done[2];
    ASSERT_EQ(pipe2(done, O_CLOEXEC), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) WritePairs(path_, done[1], next);
    close(done[1]);
    // After so many pairs, and some microseconds more.
    char byte;
    for (std::uint64_t pairs = 1 + random() % 60; pairs > 0; --pairs) {
      ASSERT_EQ(read(done[0], &byte, 1), 1);
      ++next;
    }
    usleep(static_cast<useconds_t>(random() % 2000));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    while (read(done[0], &byte, 1) == 1) ++next;
    close(done[0]);

    auto db = Items();
    ASSERT_NE(db, nullptr);
    std::int64_t last = -1;
    std::map<std::int64_t, int> halves;
    for (const auto& [id, item] : All(*db)) {
      ++halves[item.twin];
      last = std::max(last, item.twin);
    }
    for (const auto& [twin, count] : halves) ASSERT_EQ(count, 2) << twin;
    // The last one may have been committed, and not told.
    ASSERT_GE(last, next - 1);
    ASSERT_LE(last, next);
    next = last + 1;
    std::map<std::int64_t, int> expected;
    for (std::int64_t i = 0; i < next; ++i) {
      expected[i] = 2;
      if (i % 3 == 0) expected.erase(i / 2);
    }
    // The pair 0 deletes itself.
    ASSERT_EQ(halves, expected);
  }
}

TEST_F(MemoryDurabilityTest, AFullDiskIsAnErrorAndNothingIsChanged) {
  signal(SIGXFSZ, SIG_IGN);
  rlimit old;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  std::int64_t count = 0;
  std::string last;
  {
    auto db = Items();
    rlimit small = old;
    small.rlim_cur = 5000;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    absl::Status status;
    while (status.ok() && count < 1000) {
      last = std::to_string(count) + std::string(100, 'x');
      status = Add(*db, last);
      if (status.ok()) ++count;
    }
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status;
    EXPECT_EQ(*db->Count<Item>(), count);
    small.rlim_cur = 1000;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    EXPECT_EQ(db->Checkpoint().code(), StatusCode::kResourceExhausted);
    EXPECT_FALSE(std::filesystem::exists(path_ + "-new"));
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
    EXPECT_TRUE(Add(*db, last).ok()) << "there is room again";
  }
  signal(SIGXFSZ, SIG_DFL);
  EXPECT_EQ(*Items()->Count<Item>(), count + 1);
}

TEST_F(MemoryDurabilityTest, ThreadsShareSyncs) {
  constexpr int kThreads = 4;
  {
    MemoryOptions options;
    options.checkpoint_bytes = 1000;
    auto db = Items(options);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 25; ++i) {
          EXPECT_TRUE(Add(*db, std::to_string(t) + "." + std::to_string(i)).ok());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(*Items()->Count<Item>(), kThreads * 25);
}

TEST_F(MemoryDurabilityTest, OneProcessAtATime) {
  auto db = Items();
  EXPECT_EQ(Open<Item>().status().code(), StatusCode::kUnavailable);
  db.reset();
  EXPECT_NE(Items(), nullptr);
}

TEST_F(MemoryDurabilityTest, FilesThatAreNoneAreRefused) {
  WriteFile(path_, "SQLite format 3, or whatever");
  EXPECT_EQ(Open<Item>().status().message(), path_ + ": the file is of another kind");
  WriteFile(path_, "");
  EXPECT_EQ(Open<Item>().status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(MemoryDatabase::Open<Item>(folder_ + "/none/store").status().code(),
            StatusCode::kNotFound);
  if (geteuid() != 0) {
    ASSERT_EQ(chmod(folder_.c_str(), 0500), 0);
    EXPECT_EQ(MemoryDatabase::Open<Item>(folder_ + "/new").status().code(),
              StatusCode::kPermissionDenied);
  }
}

TEST_F(MemoryDurabilityTest, AddedColumnsGetTheirDefaults) {
  for (const bool checkpoint : {false, true}) {
    std::filesystem::remove(path_);
    std::filesystem::remove(path_ + "-log");
    {
      auto db = Items();
      ASSERT_TRUE(Add(*db, "a", 5).ok());
      if (checkpoint) {
        ASSERT_TRUE(db->Checkpoint().ok());
      }
      ASSERT_TRUE(Add(*db, "b").ok());
    }
    for (int i = 0; i < 2; ++i) {
      auto db = Open<app::Grown, Note>();
      ASSERT_TRUE(db.ok()) << db.status();
      const app::Grown a = *(*db)->Get<app::Grown>(1);
      EXPECT_EQ(a.name, "a");
      EXPECT_EQ(a.twin, 5);
      EXPECT_EQ(a.price, std::nullopt);
      EXPECT_EQ(a.stock, 7);
      EXPECT_EQ(a.unit, "kg");
      EXPECT_EQ(a.color, testing::Color::kGreen);
      EXPECT_EQ((*db)->Get<app::Grown>(2)->name, "b");
    }
  }
  EXPECT_EQ((CodeOfOpen<Item, Note>()), StatusCode::kFailedPrecondition)
      << "the file has more columns now";
}

TEST_F(MemoryDurabilityTest, WhatWouldLoseValuesIsRefused) {
  {
    auto db = Items();
    ASSERT_TRUE(Add(*db, "a", 1000).ok());
    ASSERT_TRUE(Add(*db, "b", 1000).ok());
    ASSERT_TRUE(db->Delete<Item>(2).ok());
    ASSERT_TRUE(Add(*db, "c", 1000).ok());
    Note note{"a", "b"};
    ASSERT_TRUE(db->Insert(&note).ok());
  }
  const auto refused = [](const auto& db) { return std::string(db.status().message()); };
  for (const std::string& file : {path_ + "-log", path_}) {
    if (file == path_) {
      ASSERT_TRUE(Items()->Checkpoint().ok());
    }
    const std::string snapshot = ReadFile(path_);
    const std::string log = ReadFile(path_ + "-log");
    EXPECT_EQ(refused(Open<app::Shrunk, Note>()),
              file +
                  ": items.twin: the file has this column, the description does not; "
                  "drop_undescribed would drop its values");
    EXPECT_EQ(refused(Open<Item>()),
              file +
                  ": notes: the file has this table, but it has not been named; "
                  "drop_undescribed would drop its rows");
    EXPECT_EQ(refused(Open<app::Retyped, Note>()),
              file + ": items.name: is of another type in the file");
    EXPECT_EQ(refused(Open<app::Rekeyed, Note>()),
              file + ": items: has another key in the file than in its description");
    EXPECT_EQ((CodeOfOpen<app::Narrow, Note>()), StatusCode::kDataLoss);
    EXPECT_EQ(refused(Open<app::Stricter, Note>()),
              path_ + ": items: UNIQUE constraint failed: items.twin");
    EXPECT_TRUE(refused(Open<app::Computed, Note>())
                    .ends_with(": items.now: is not in the file, and has a Default() that only SQL "
                               "can compute"));
    EXPECT_EQ(ReadFile(path_), snapshot) << "as it was";
    EXPECT_EQ(ReadFile(path_ + "-log"), log);
  }
  MemoryOptions drop;
  drop.drop_undescribed = true;
  {
    auto db = Open<app::Shrunk>(drop);
    ASSERT_TRUE(db.ok()) << db.status();
    EXPECT_EQ((*db)->Get<app::Shrunk>(3)->name, "c");
    EXPECT_EQ((*db)->Get<app::Shrunk>(2).status().code(), StatusCode::kNotFound);
  }
  EXPECT_TRUE(Open<app::Shrunk>().ok()) << "dropped for good";
}

TEST_F(MemoryDurabilityTest, ALogOfChangesComesBackAsItWas) {
  const auto changes = [](MemoryDatabase& db) {
    std::vector<std::tuple<std::int64_t, ChangeKind, std::int64_t, std::string>> all;
    const auto found = ChangesSince<Item>(db, 0, 1000);
    EXPECT_TRUE(found.ok()) << found.status();
    for (const Change<Item>& change : *found) {
      all.emplace_back(change.sequence, change.kind, change.time.time_since_epoch().count(),
                       change.row.name);
    }
    return all;
  };
  for (const bool checkpoint : {false, true}) {
    auto db = Items();
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(Add(*db, std::to_string(i) + (checkpoint ? "b" : "a")).ok());
      usleep(2000);  // Another millisecond.
    }
    Item item = *db->Get<Item>(1);
    item.twin = 7;
    // What is rolled back leaves the time for what is not.
    ASSERT_TRUE(db->Transact([&](Transaction& transaction) {
                    EXPECT_FALSE(transaction
                                     .Transact([&](Transaction& part) -> absl::Status {
                                       EXPECT_TRUE(part.Delete<Item>(1).ok());
                                       return absl::CancelledError("");
                                     })
                                     .ok());
                    return transaction.Update(&item);
                  }).ok());
    ASSERT_TRUE(db->Delete<Item>(checkpoint ? 5 : 2).ok());
    if (checkpoint) {
      ASSERT_TRUE(db->Checkpoint().ok());
    }
    const auto before = changes(*db);
    EXPECT_EQ(before.size(), checkpoint ? 10U : 5U);
    db.reset();
    db = Items();
    EXPECT_EQ(changes(*db), before);
    EXPECT_EQ(*LastChange<Item>(*db), checkpoint ? 10 : 5);
  }
}

TEST_F(MemoryDurabilityTest, WhatIsPrunedStaysAway) {
  const auto is_gap = [](MemoryDatabase& db, std::int64_t position) {
    return absl::IsOutOfRange(ChangesSince<Item>(db, position, 10).status());
  };
  auto db = Items();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Add(*db, std::to_string(i)).ok());
  EXPECT_EQ(*PruneChanges<Item>(*db, 3), 3);
  EXPECT_TRUE(is_gap(*db, 2));
  EXPECT_EQ(ChangesSince<Item>(*db, 3, 10)->size(), 2U);
  db.reset();
  db = Items();
  EXPECT_TRUE(is_gap(*db, 2));
  EXPECT_EQ(*PruneChanges<Item>(*db, 100), 1) << "the last one stays";
  ASSERT_TRUE(db->Checkpoint().ok());
  db.reset();
  db = Items();
  EXPECT_TRUE(is_gap(*db, 3));
  EXPECT_FALSE(is_gap(*db, 5));
  ASSERT_TRUE(Add(*db, "next").ok());
  EXPECT_EQ(*LastChange<Item>(*db), 6);
}

TEST_F(MemoryDurabilityTest, ALogThatWasNotKeptAllTheTimeBeginsAnew) {
  {
    auto db = Items();
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(Add(*db, std::to_string(i)).ok());
  }
  {
    // Kept on, and shorter.
    auto db = Open<app::Short, Note>();
    ASSERT_TRUE(db.ok()) << db.status();
    EXPECT_EQ(ChangesSince<app::Short>(**db, 0, 100)->size(), 5U);
    for (int i = 0; i < 100; ++i) {
      app::Short row{0, "short" + std::to_string(i), 0};
      ASSERT_TRUE((*db)->Insert(&row).ok());
    }
    EXPECT_TRUE(absl::IsOutOfRange(ChangesSince<app::Short>(**db, 5, 100).status()));
    EXPECT_GE(ChangesSince<app::Short>(**db, 64, 100)->size(), 10U);
  }
  {
    auto db = Open<app::Unlogged, Note>();
    ASSERT_TRUE(db.ok()) << db.status();
    ASSERT_TRUE((*db)->Delete<app::Unlogged>(1).ok());
  }
  auto db = Items();
  for (const std::int64_t position : {0, 64, 105}) {
    EXPECT_TRUE(absl::IsOutOfRange(ChangesSince<Item>(*db, position, 10).status())) << position;
  }
  EXPECT_EQ(*LastChange<Item>(*db), 107);
  EXPECT_TRUE(ChangesSince<Item>(*db, 107, 10)->empty());
  ASSERT_TRUE(Add(*db, "next").ok());
  db.reset();
  db = Items();
  EXPECT_EQ(ChangesSince<Item>(*db, 107, 10)->size(), 1U);
}

TEST_F(MemoryDurabilityTest, WhatReferencesTookAlongStaysAway) {
  using app::Paired;
  for (const bool checkpoint : {false, true}) {
    {
      auto db = Open<Paired>();
      ASSERT_TRUE(db.ok()) << db.status();
      const std::vector<Paired> pairs = {{1, "a", 2}, {2, "b", 1}, {3, "c", 3}};
      ASSERT_TRUE((*db)->InsertAll(pairs).ok());
      ASSERT_TRUE((*db)->Delete<Paired>(1).ok());
      if (checkpoint) {
        ASSERT_TRUE((*db)->Checkpoint().ok());
      }
    }
    auto db = Open<Paired>();
    ASSERT_TRUE(db.ok()) << db.status();
    EXPECT_EQ(*(*db)->Count<Paired>(), 1);
    EXPECT_EQ((*db)->Delete<Paired>(2).code(), StatusCode::kNotFound);
    ASSERT_TRUE((*db)->Delete<Paired>(3).ok());
  }
}

TEST_F(MemoryDurabilityTest, ABrokenReferenceOfAFileIsRefused) {
  for (const bool checkpoint : {false, true}) {
    {
      auto db = Items();
      ASSERT_TRUE(Add(*db, checkpoint ? "b" : "a", 1000).ok());
      if (checkpoint) {
        ASSERT_TRUE(db->Checkpoint().ok());
      }
    }
    const auto db = Open<app::Paired, Note>();
    EXPECT_EQ(db.status().code(), StatusCode::kFailedPrecondition);
    EXPECT_EQ(db.status().message(), path_ +
                                         ": items.twin: FOREIGN KEY constraint failed: no row "
                                         "of items has this key");
  }
}

TEST_F(MemoryDurabilityTest, TablesAreNamedAtTheBeginning) {
  auto db = Items();
  EXPECT_TRUE(db->Create<Item>().ok());
  EXPECT_EQ(db->Create<testing::Sample>().code(), StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace strata::orm
