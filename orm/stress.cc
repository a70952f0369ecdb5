// Stress: threads that change, read and look after one database at the same time, for a time, by a
// seed. Each knows what its own rows have to be, whatever the others do; what belongs to all of
// them keeps its sum, in whatever moment it is read. At the end the rows are compared once more,
// also after the file is opened anew, and nothing may be left: no memory, no descriptor.
//
//   bazel test //orm:stress --test_output=all --test_env=STRATA_STRESS_SECONDS=60
//
// STRATA_STRESS_SECONDS is the time of each storage, 1 by default; STRATA_STRESS_SEED, printed at
// the start, repeats what each thread does, not how they meet.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/orm/batch.h"
#include "strata/orm/database.h"
#include "strata/orm/encrypted.h"
#include "strata/orm/memory.h"
#include "strata/orm/select.h"
#include "strata/orm/testing/temp_folder.h"
#include "strata/tests/process.h"

namespace app {

// Changed by its owner alone.
struct Entry {
  std::int64_t id = 0;
  std::int32_t owner = 0;
  std::optional<std::string> tag = {};
  std::string text = {};
  friend bool operator==(const Entry&, const Entry&) = default;
};
STRATA_TABLE((Entry, Named("entries")), id, (owner, Indexed()), (tag, Unique()), text);

// Money goes from one to another.
struct Account {
  std::int64_t id = 0;
  std::int64_t balance = 0;
};
STRATA_TABLE((Account, Named("accounts")), id, balance);

// Counted up by whoever has read the newest one.
struct Counter {
  std::int64_t id = 0;
  std::int64_t value = 0;
  std::int64_t version = 0;
};
STRATA_TABLE((Counter, Named("counters")), id, value, (version, Version()));

}  // namespace app

namespace strata::orm {
namespace {

using absl::StatusCode;
using app::Account;
using app::Counter;
using app::Entry;
using Random = std::mt19937_64;
using Clock = std::chrono::steady_clock;
using Rows = std::map<std::int64_t, Entry>;

constexpr std::int32_t kOwners = 4;
constexpr std::int64_t kKeysOfOwner = 60;  // Few, so that most of them are there already.
constexpr std::int64_t kTagsOfOwner = 40;
constexpr std::int64_t kAccounts = 10;
constexpr std::int64_t kTotal = 1000 * kAccounts;
// Above it are the keys that the database gives.
constexpr std::int64_t kGivenKeys = 1'000'000;
constexpr std::size_t kMaxRows = 200;  // Of an owner.
constexpr std::size_t kMaxText = 3000;

// What is there in all the forms that a database has.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual Records& records() = 0;
  // The rows of an owner, by one query or view.
  virtual Rows Owned(std::int32_t owner) = 0;
  virtual std::int64_t Total() = 0;
  // What a file needs now and then, while others use it.
  virtual void LookAfter(Random& random) = 0;
  // Closes and opens it; false if nothing would be left of it.
  virtual bool Reopen() = 0;
  virtual void CheckWhole() = 0;
};

// ---- SQLite ------------------------------------------------------------------------------------

class SqliteSubject final : public Subject {
 public:
  SqliteSubject(std::string path, DatabaseOptions options)
      : path_(std::move(path)), options_(std::move(options)) {
    Open();
  }

  Records& records() override { return *db_; }

  Rows Owned(std::int32_t owner) override {
    Rows rows;
    const auto select = Select<Entry>().Where(Col(&Entry::owner) == owner).OrderBy(&Entry::id);
    const absl::Status status =
        select.ForEach(*db_, [&](Entry& entry) { rows.emplace(entry.id, std::move(entry)); });
    EXPECT_EQ(status, absl::OkStatus());
    return rows;
  }

  std::int64_t Total() override { return TotalOf(*db_); }

  void LookAfter(Random& random) override {
    switch (random() % 6) {
      case 0:
        return Backup(random);
      case 1: {
        const auto mode = static_cast<CheckpointMode>(random() % 4);
        // There may be no log; and a reader may be in the way for long.
        const absl::StatusCode code = db_->Checkpoint(mode).status().code();
        EXPECT_TRUE(code == StatusCode::kOk || code == StatusCode::kUnavailable ||
                    (!has_log() && code == StatusCode::kFailedPrecondition))
            << absl::StatusCodeToString(code);
        return;
      }
      case 2: {
        const absl::Status status = db_->Vacuum();
        EXPECT_TRUE(status.ok() || absl::IsUnavailable(status)) << status;
        return;
      }
      case 3:
        return CheckWhole();
      default:
        return ReadByAnother();
    }
  }

  bool Reopen() override {
    if (in_memory()) return false;
    db_.reset();
    Open();
    return true;
  }

  void CheckWhole() override { EXPECT_EQ(db_->CheckIntegrity(), absl::OkStatus()); }

 private:
  bool in_memory() const { return path_ == ":memory:"; }
  bool has_log() const {
    return !in_memory() && options_.journal == DatabaseOptions::Journal::kWal;
  }

  void Open() {
    auto db = Database::Open(path_, Schema::Of<Entry, Account, Counter>(), options_);
    ASSERT_TRUE(db.ok()) << db.status();
    db_ = *std::move(db);
  }

  static std::int64_t TotalOf(Database& db) {
    const auto total = db.Query<std::int64_t>("SELECT coalesce(sum(balance), 0) FROM accounts");
    EXPECT_TRUE(total.ok()) << total.status();
    return total.ok() ? total->at(0) : 0;
  }

  // Into another file, or given up on the way.
  void Backup(Random& random) {
    if (in_memory()) return;
    const std::string copy = path_ + "-copy";
    const bool give_up = random() % 4 == 0;
    BackupOptions options;
    options.pages_per_step = static_cast<std::int32_t>(1 + random() % 20);
    options.progress = [&](const BackupProgress& progress) {
      return !give_up || progress.pages_left < progress.pages / 2;
    };
    const absl::Status status = db_->Backup(copy, std::move(options));
    if (status.ok()) {
      auto db = Database::Open(copy, options_);
      ASSERT_TRUE(db.ok()) << db.status();
      EXPECT_EQ((*db)->CheckIntegrity(), absl::OkStatus());
      EXPECT_EQ(TotalOf(**db), kTotal);
    } else {
      EXPECT_TRUE(give_up && absl::IsCancelled(status)) << status;
    }
    for (const char* end : {"", "-wal", "-shm", "-journal"}) std::filesystem::remove(copy + end);
    EXPECT_FALSE(std::filesystem::exists(copy + ".partial"));
  }

  // As another process would.
  void ReadByAnother() {
    if (in_memory() || options_.exclusive) return;
    DatabaseOptions options = options_;
    options.read_only = true;
    const auto db = Database::Open(path_, options);
    ASSERT_TRUE(db.ok()) << db.status();
    EXPECT_EQ(TotalOf(**db), kTotal);
  }

  const std::string path_;
  const DatabaseOptions options_;
  std::unique_ptr<Database> db_;
};

// ---- The engine in memory ----------------------------------------------------------------------

class MemorySubject final : public Subject {
 public:
  explicit MemorySubject(std::string path) : path_(std::move(path)) { Open(); }

  Records& records() override { return *db_; }

  Rows Owned(std::int32_t owner) override {
    Rows rows;
    const absl::Status status = MemoryView(db_.get()).Between(
        &Entry::owner, owner, owner, [&](const Entry& entry) { rows.emplace(entry.id, entry); });
    EXPECT_EQ(status, absl::OkStatus());
    return rows;
  }

  std::int64_t Total() override {
    std::int64_t total = 0;
    const absl::Status status = MemoryView(db_.get()).ForEach<Account>(
        [&](const Account& account) { total += account.balance; });
    EXPECT_EQ(status, absl::OkStatus());
    return total;
  }

  void LookAfter(Random& random) override {
    if (random() % 2 == 0) {
      EXPECT_EQ(db_->Checkpoint(), absl::OkStatus());
      return;
    }
    std::string text;
    EXPECT_EQ(db_->AppendJson<Account>(&text), absl::OkStatus());
    std::vector<Account> accounts;
    EXPECT_EQ(FromJson(text, &accounts), absl::OkStatus());
    EXPECT_EQ(std::accumulate(
                  accounts.begin(), accounts.end(), std::int64_t{0},
                  [](std::int64_t sum, const Account& account) { return sum + account.balance; }),
              kTotal);
  }

  bool Reopen() override {
    if (path_ == ":memory:") return false;
    db_.reset();
    Open();
    return true;
  }

  void CheckWhole() override {}

 private:
  void Open() {
    MemoryOptions options;
    options.checkpoint_bytes = 1 << 20;  // So that it makes snapshots by itself.
    auto db = MemoryDatabase::Open<Entry, Account, Counter>(path_, options);
    ASSERT_TRUE(db.ok()) << db.status();
    db_ = *std::move(db);
  }

  const std::string path_;
  std::unique_ptr<MemoryDatabase> db_;
};

// ---- The threads -------------------------------------------------------------------------------

struct Seen {
  std::atomic<std::uint64_t> changes{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> commits{0};
  std::atomic<std::uint64_t> rollbacks{0};
  std::atomic<std::uint64_t> reads{0};
  std::atomic<std::uint64_t> counted{0};
  std::atomic<std::uint64_t> outrun{0};
  std::atomic<std::uint64_t> care{0};
};

// A thread's rows, and what they have to be.
class Owner {
 public:
  Owner(Subject& subject, std::int32_t number, std::uint64_t seed, Seen& seen)
      : subject_(subject), number_(number), random_(seed), seen_(seen) {}

  const Rows& rows() const { return rows_; }

  void Step() {
    Records& records = subject_.records();
    switch (random_() % 12) {
      case 0:
      case 1:
        return InTransaction(records, rows_, 0);
      case 2:
        return ByBatch(records, rows_);
      case 3:
        return InsertMany(records, rows_);
      case 4:
        return Transfer();
      case 5:
        return Count();
      case 6:
        return Compare();
      case 7:
        EXPECT_EQ(subject_.Total(), kTotal);
        ++seen_.reads;
        return;
      case 8:
      case 9:
        return ReadOne(records, rows_);
      default:
        return Change(records, rows_);
    }
  }

  // All its rows are as they have to be.
  void Compare() {
    ++seen_.reads;
    const Rows found = subject_.Owned(number_);
    EXPECT_EQ(found.size(), rows_.size());
    EXPECT_TRUE(found == rows_) << "rows of owner " << number_;
  }

 private:
  std::int64_t Roll(std::int64_t below) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(below));
  }

  std::int64_t Key() { return 1 + number_ + kOwners * Roll(kKeysOfOwner); }

  // One of its rows if there is any, or else a key that is free.
  std::int64_t KeyOf(const Rows& rows) {
    if (rows.empty() || Roll(4) == 0) return Key();
    const std::size_t skipped = random_() % rows.size();
    return std::next(rows.begin(), static_cast<std::ptrdiff_t>(skipped))->first;
  }

  Entry Made(std::int64_t id) {
    Entry entry{.id = id, .owner = number_};
    if (Roll(2) == 0) entry.tag = absl::StrCat(number_, ":", Roll(kTagsOfOwner));
    entry.text.assign(random_() % kMaxText >> random_() % 12,
                      static_cast<char>('a' + random_() % 26));
    return entry;
  }

  // Whether another row has its tag.
  static bool IsTaken(const Entry& entry, const Rows& rows) {
    if (!entry.tag.has_value()) return false;
    for (const auto& [id, row] : rows) {
      if (id != entry.id && row.tag == entry.tag) return true;
    }
    return false;
  }

  void Expect(const absl::Status& status, StatusCode code) {
    EXPECT_EQ(status.code(), code) << status;
    ++(code == StatusCode::kOk ? seen_.changes : seen_.refused);
  }

  // One change, in the database and in `rows`.
  void Change(Records& records, Rows& rows) {
    switch (Roll(5)) {
      case 0: {
        // The database gives a key, but for a row that is refused.
        Entry entry = Made(rows.size() < kMaxRows && Roll(3) == 0 ? 0 : Key());
        const bool refused = rows.contains(entry.id) || IsTaken(entry, rows);
        const std::int64_t before = entry.id;
        Expect(records.Insert(&entry), refused ? StatusCode::kAlreadyExists : StatusCode::kOk);
        if (refused) {
          EXPECT_EQ(entry.id, before);
        } else {
          EXPECT_TRUE(entry.id == before || (before == 0 && entry.id > kGivenKeys));
          rows[entry.id] = entry;
        }
        return;
      }
      case 1: {
        Entry entry = Made(KeyOf(rows));
        const StatusCode code = !rows.contains(entry.id) ? StatusCode::kNotFound
                                : IsTaken(entry, rows)   ? StatusCode::kAlreadyExists
                                                         : StatusCode::kOk;
        Expect(records.Update(&entry), code);
        if (code == StatusCode::kOk) rows[entry.id] = entry;
        return;
      }
      case 2: {
        Entry entry = Made(KeyOf(rows));
        const StatusCode code = rows.contains(entry.id) ? StatusCode::kOk : StatusCode::kNotFound;
        Expect(records.Update(&entry, {&Entry::text}), code);
        if (code == StatusCode::kOk) rows[entry.id].text = entry.text;
        return;
      }
      case 3: {
        Entry entry = Made(KeyOf(rows));
        const bool refused = IsTaken(entry, rows);
        Expect(records.Upsert(&entry), refused ? StatusCode::kAlreadyExists : StatusCode::kOk);
        if (!refused) rows[entry.id] = entry;
        return;
      }
      default: {
        const std::int64_t id = KeyOf(rows);
        const bool found = rows.erase(id) == 1;
        Expect(records.Delete<Entry>(id), found ? StatusCode::kOk : StatusCode::kNotFound);
      }
    }
  }

  // Several changes, of which parts are undone, or all.
  void InTransaction(Records& records, Rows& rows, int depth) {
    Rows inside = rows;
    const bool undone = Roll(3) == 0;
    const absl::Status status = records.Transact([&](Transaction& transaction) -> absl::Status {
      for (std::int64_t i = Roll(6); i >= 0; --i) {
        if (depth < 3 && Roll(4) == 0) {
          InTransaction(transaction, inside, depth + 1);
        } else if (Roll(6) == 0) {
          InsertMany(transaction, inside);
        } else if (Roll(6) == 0) {
          ByBatch(transaction, inside);
        } else {
          Change(transaction, inside);
        }
        ReadOne(transaction, inside);
      }
      return undone ? absl::CancelledError("undone") : absl::OkStatus();
    });
    EXPECT_EQ(status.code(), undone ? StatusCode::kCancelled : StatusCode::kOk) << status;
    if (!undone) rows = std::move(inside);
    ++(undone ? seen_.rollbacks : seen_.commits);
  }

  // Of all kinds at once. One that is refused undoes the others.
  void ByBatch(Records& records, Rows& rows) {
    Rows inside = rows;
    Batch batch(&records, {.rows = 1000});
    for (std::int64_t i = Roll(30); i >= 0; --i) {
      Entry entry = Made(KeyOf(inside));
      if (inside.contains(entry.id) && Roll(3) == 0) {
        EXPECT_EQ(batch.Delete<Entry>(entry.id), absl::OkStatus());
        inside.erase(entry.id);
        continue;
      }
      if (IsTaken(entry, inside)) entry.tag.reset();
      EXPECT_EQ(inside.contains(entry.id) ? batch.Update(entry) : batch.Insert(entry),
                absl::OkStatus());
      inside[entry.id] = entry;
    }
    const bool refused = !inside.empty() && Roll(3) == 0;
    if (refused) {
      EXPECT_EQ(batch.Insert(inside.begin()->second), absl::OkStatus());
    }
    Expect(batch.Flush(), refused ? StatusCode::kAlreadyExists : StatusCode::kOk);
    if (!refused) rows = std::move(inside);
  }

  // All of them or none.
  void InsertMany(Records& records, Rows& rows) {
    Rows inside = rows;
    std::vector<Entry> entries;
    bool refused = false;
    for (std::int64_t i = Roll(8); i >= 0; --i) {
      entries.push_back(Made(Key()));
      refused |= inside.contains(entries.back().id) || IsTaken(entries.back(), inside);
      inside[entries.back().id] = entries.back();
    }
    Expect(records.InsertAll(entries), refused ? StatusCode::kAlreadyExists : StatusCode::kOk);
    if (!refused) rows = std::move(inside);
  }

  void ReadOne(Records& records, const Rows& rows) {
    ++seen_.reads;
    const std::int64_t id = KeyOf(rows);
    const absl::StatusOr<Entry> entry = records.Get<Entry>(id);
    if (const auto row = rows.find(id); row != rows.end()) {
      ASSERT_TRUE(entry.ok()) << entry.status();
      EXPECT_TRUE(*entry == row->second) << "row " << id;
    } else {
      EXPECT_TRUE(absl::IsNotFound(entry.status())) << entry.status();
    }
  }

  // From one account to another, where anybody's money is.
  void Transfer() {
    const std::int64_t from = 1 + Roll(kAccounts);
    const std::int64_t to = 1 + Roll(kAccounts);
    const std::int64_t amount = Roll(100);
    const bool undone = Roll(4) == 0;
    const absl::Status status =
        subject_.records().Transact([&](Transaction& transaction) -> absl::Status {
          for (const auto& [id, change] : {std::pair(from, -amount), std::pair(to, amount)}) {
            absl::StatusOr<Account> account = transaction.Get<Account>(id);
            if (!account.ok()) return account.status();
            account->balance += change;
            if (absl::Status updated = transaction.Update(&*account); !updated.ok()) {
              return updated;
            }
          }
          return undone ? absl::CancelledError("undone") : absl::OkStatus();
        });
    EXPECT_EQ(status.code(), undone ? StatusCode::kCancelled : StatusCode::kOk) << status;
    ++(undone ? seen_.rollbacks : seen_.commits);
  }

  void Count() {
    absl::StatusOr<Counter> counter = subject_.records().Get<Counter>(1);
    ASSERT_TRUE(counter.ok()) << counter.status();
    ++counter->value;
    const absl::Status status = subject_.records().Update(&*counter);
    EXPECT_TRUE(status.ok() || absl::IsAborted(status)) << status;
    ++(status.ok() ? seen_.counted : seen_.outrun);
  }

  Subject& subject_;
  const std::int32_t number_;
  Random random_;
  Seen& seen_;
  Rows rows_;
};

// ---- The scenarios -----------------------------------------------------------------------------

class OrmStress : public ::testing::Test {
 protected:
  // A database with nobody's rows in it.
  static void Fill(Records& records) {
    Entry last{.id = kGivenKeys, .owner = -1};
    ASSERT_EQ(records.Insert(&last), absl::OkStatus());
    for (std::int64_t id = 1; id <= kAccounts; ++id) {
      Account account{.id = id, .balance = kTotal / kAccounts};
      ASSERT_EQ(records.Insert(&account), absl::OkStatus());
    }
    Counter counter{.id = 1};
    ASSERT_EQ(records.Insert(&counter), absl::OkStatus());
  }

  static void CheckAll(Subject& subject, std::vector<Owner>& owners, const Seen& seen) {
    std::size_t rows = 1;
    for (Owner& owner : owners) {
      owner.Compare();
      rows += owner.rows().size();
    }
    EXPECT_EQ(subject.records().Count<Entry>().value_or(-1), static_cast<std::int64_t>(rows));
    EXPECT_EQ(subject.Total(), kTotal);
    const absl::StatusOr<Counter> counter = subject.records().Get<Counter>(1);
    ASSERT_TRUE(counter.ok()) << counter.status();
    EXPECT_EQ(counter->value, static_cast<std::int64_t>(seen.counted.load()));
    subject.CheckWhole();
  }

  // A thread for each owner and one for the care, until the time is over.
  static void Load(Subject& subject, std::vector<Owner>& owners, std::chrono::milliseconds time,
                   std::uint64_t seed, Seen& seen) {
    const auto end = Clock::now() + time;
    const auto goes_on = [end] { return Clock::now() < end && !HasFailure(); };
    std::vector<std::thread> threads;
    for (Owner& owner : owners) {
      threads.emplace_back([&] {
        while (goes_on()) owner.Step();
      });
    }
    threads.emplace_back([&] {
      Random random(seed);
      while (goes_on()) {
        subject.LookAfter(random);
        ++seen.care;
        std::this_thread::sleep_for(std::chrono::milliseconds(random() % 20));
      }
    });
    for (std::thread& thread : threads) thread.join();
  }

  using Make = std::function<std::unique_ptr<Subject>(const std::string& path)>;

  static void Run(const Make& make) {
    const std::uint64_t seed = strata::testing::StressSeed();
    const std::chrono::milliseconds time =
        std::chrono::seconds(strata::testing::EnvironmentNumber("STRATA_STRESS_SECONDS", 1));
    const std::size_t descriptors = strata::testing::OpenDescriptors();
    Seen seen;
    {
      const testing::TempFolder folder;
      const std::unique_ptr<Subject> subject = make(folder.File("stress.db"));
      if (HasFatalFailure()) return;
      Fill(subject->records());
      std::vector<Owner> owners;
      for (std::int32_t i = 0; i < kOwners; ++i) {
        owners.emplace_back(*subject, i, seed + static_cast<std::uint64_t>(i), seen);
      }
      // Caches are full after the first half.
      Load(*subject, owners, time / 2, seed + 100, seen);
      const std::size_t before = strata::testing::MemoryInUse();
      Load(*subject, owners, time / 2, seed + 200, seen);
      const std::size_t after = strata::testing::MemoryInUse();
      EXPECT_LT(after, before + (4 << 20)) << "memory grows";
      std::printf("%zu bytes in use after half of the time, %zu at the end\n", before, after);
      CheckAll(*subject, owners, seen);
      if (subject->Reopen()) CheckAll(*subject, owners, seen);
    }
    EXPECT_EQ(strata::testing::OpenDescriptors(), descriptors);
    const auto count = [](const std::atomic<std::uint64_t>& counter) {
      return static_cast<unsigned long long>(counter.load());
    };
    std::printf(
        "%llu changes, %llu refused, %llu commits, %llu rollbacks, %llu reads, %llu counted, "
        "%llu outrun, care was taken %llu times\n",
        count(seen.changes), count(seen.refused), count(seen.commits), count(seen.rollbacks),
        count(seen.reads), count(seen.counted), count(seen.outrun), count(seen.care));
    EXPECT_GT(seen.commits, 0u);
    EXPECT_GT(seen.care, 0u);
  }
};

DatabaseOptions Unsynced() {
  DatabaseOptions options;
  options.synchronous = DatabaseOptions::Synchronous::kOff;
  options.cache_bytes = 1 << 17;  // Smaller than the file.
  options.checkpoint_pages = 100;
  return options;
}

TEST_F(OrmStress, AFile) {
  Run([](const std::string& path) { return std::make_unique<SqliteSubject>(path, Unsynced()); });
}

TEST_F(OrmStress, AnEncryptedFile) {
  DatabaseOptions options = Unsynced();
  std::vector<std::uint8_t> key(EncryptionKey::kBytes);
  std::iota(key.begin(), key.end(), std::uint8_t{1});
  options.storage = *EncryptedStorage::Create(EncryptionKey::FromKey(key));
  Run([&](const std::string& path) { return std::make_unique<SqliteSubject>(path, options); });
}

TEST_F(OrmStress, AFileWithARollbackJournal) {
  DatabaseOptions options = Unsynced();
  options.journal = DatabaseOptions::Journal::kDelete;
  Run([&](const std::string& path) { return std::make_unique<SqliteSubject>(path, options); });
}

TEST_F(OrmStress, SqliteInMemory) {
  Run([](const std::string&) { return std::make_unique<SqliteSubject>(":memory:", Unsynced()); });
}

TEST_F(OrmStress, TheEngineInMemory) {
  Run([](const std::string&) { return std::make_unique<MemorySubject>(":memory:"); });
}

TEST_F(OrmStress, TheEngineInMemoryWithItsLog) {
  Run([](const std::string& path) { return std::make_unique<MemorySubject>(path); });
}

}  // namespace
}  // namespace strata::orm
