// The process ends, or the power, at a write of a workload: what was committed is there, and of the
// transaction under way all or nothing.
//
// Each run tries some of the writes (FaultStride).

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "gtest/gtest.h"
#include "strata/orm/change_log.h"
#include "strata/orm/testing/storage_workload.h"

namespace app {

struct LoggedEntry {
  std::int64_t id = 0;
  std::string text;
};
STRATA_TABLE((LoggedEntry, LogChanges()), id, text);

}  // namespace app

namespace strata::orm::testing {
namespace {

using app::LoggedEntry;

constexpr int kTransactions = 9;

// A plain database on the VFS that fails.
class PlainStorage : public FileStorage {
 private:
  const char* vfs_name() const override { return kFaultVfs; }
  int reserved_bytes() const override { return 0; }
  absl::Status failure() const override { return absl::OkStatus(); }
};

// What the child tells its parent, however it ends.
struct Progress {
  int done = 0;  // Transactions that have returned.
};

struct Mode {
  bool encrypted;
  Journal journal;
  bool exclusive = false;
};

std::string NameOf(const ::testing::TestParamInfo<Mode>& info) {
  return absl::StrCat(info.param.encrypted ? "Encrypted" : "Plain",
                      info.param.journal == Journal::kWal ? "Wal" : "Delete",
                      info.param.exclusive ? "Exclusive" : "");
}

class StorageCrashTest : public ::testing::TestWithParam<Mode> {
 protected:
  StorageCrashTest()
      : progress_(static_cast<Progress*>(mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE,
                                              MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    RegisterFaultVfs();
    if (GetParam().encrypted) {
      storage_ = KeyedBy(0);
    } else {
      storage_ = std::make_shared<PlainStorage>();
    }
  }
  ~StorageCrashTest() override { munmap(progress_, sizeof(Progress)); }

  DatabaseOptions Options() const {
    DatabaseOptions options;
    options.journal = GetParam().journal;
    options.exclusive = GetParam().exclusive;
    options.cache_bytes = 8 << 10;  // So that pages are written before the end of a transaction.
    options.storage = storage_;
    return options;
  }

  std::string Path() const { return folder_.File("a.db"); }

  void RemoveFiles() const {
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) unlink((Path() + suffix).c_str());
  }

  // In a process of its own, with `fault`; true if that ended it.
  bool Crashes(const Fault& fault, const std::function<absl::Status()>& work) {
    progress_->done = -1;
    const pid_t child = fork();
    if (child == 0) {
      alarm(60);
      SetFault(fault);
      const absl::Status status = work();
      if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
      _exit(status.ok() ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_TRUE(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == kFaultExitCode) << status;
    return WEXITSTATUS(status) == kFaultExitCode;
  }

  absl::Status Work() const {
    auto db = Database::Open(Path(), Options());
    if (!db.ok()) return db.status();
    if (absl::Status status = (*db)->Create<Entry>(); !status.ok()) return status;
    for (int i = 0; i < kTransactions; ++i) {
      progress_->done = i;
      if (absl::Status status = RunTransaction(**db, i); !status.ok()) return status;
    }
    progress_->done = kTransactions;
    return absl::OkStatus();
  }

  // What is there after a crash.
  void ExpectWhole(const std::string& when) {
    SetFault({});
    {
      auto db = Database::Open(Path(), Options());
      ASSERT_TRUE(db.ok()) << db.status() << when;
      ASSERT_EQ((*db)->Create<Entry>(), absl::OkStatus()) << when;
      const absl::StatusOr<Rows> rows = ReadRows(**db);
      ASSERT_TRUE(rows.ok()) << rows.status() << when;
      const int done = std::max(progress_->done, 0);
      ASSERT_TRUE(*rows == RowsAfter(done) || *rows == RowsAfter(done + 1)) << when;
      ASSERT_EQ(RunTransaction(**db, kTransactions), absl::OkStatus()) << when;
    }
    if (GetParam().encrypted) {
      ASSERT_EQ(CheckDatabase(Path(), KeyedBy(0)), absl::OkStatus()) << when;
      ASSERT_FALSE(folder_.Contains("secret")) << when;
    }
  }

  void CrashAtEachWrite(Fault::What what) {
    bool crashed = true;
    for (std::int64_t write = FirstFault(); crashed && !HasFatalFailure(); write += FaultStride()) {
      RemoveFiles();
      const Fault fault = {what, write, write * 7 % 9, static_cast<std::uint64_t>(write)};
      crashed = Crashes(fault, [this] { return Work(); });
      ExpectWhole(absl::StrCat(" after write ", write));
      if (!crashed) {
        EXPECT_GT(write, 50);
      }
    }
  }

  const TempFolder folder_;
  std::shared_ptr<FileStorage> storage_;
  Progress* const progress_;
};

INSTANTIATE_TEST_SUITE_P(Modes, StorageCrashTest,
                         ::testing::Values(Mode{false, Journal::kWal},
                                           Mode{false, Journal::kDelete}, Mode{true, Journal::kWal},
                                           Mode{true, Journal::kDelete},
                                           Mode{true, Journal::kDelete, true}),
                         NameOf);

TEST_P(StorageCrashTest, OfTheProcess) { CrashAtEachWrite(Fault::What::kExit); }

TEST_P(StorageCrashTest, OfTheMachine) { CrashAtEachWrite(Fault::What::kPowerCut); }

// A table with a log of changes: after each crash, of a row and its entry there are both or
// neither.
class LogCrashTest : public StorageCrashTest {
 protected:
  static constexpr std::int64_t kWrites = 4;

  absl::Status WriteLogged() const {
    auto db = Database::Open(Path(), Options());
    if (!db.ok()) return db.status();
    if (absl::Status status = (*db)->Create<LoggedEntry>(); !status.ok()) return status;
    for (std::int64_t i = 0; i < kWrites; ++i) {
      LoggedEntry entry{1 + i % 2, std::string(100, static_cast<char>('a' + i))};
      if (absl::Status status = (*db)->Upsert(&entry); !status.ok()) return status;
    }
    return (*db)->Delete<LoggedEntry>(1);
  }

  void ExpectInStep(const std::string& when) const {
    SetFault({});
    auto db = Database::Open(Path(), Options());
    ASSERT_TRUE(db.ok()) << db.status() << when;
    ASSERT_EQ((*db)->Create<LoggedEntry>(), absl::OkStatus()) << when;
    Rows rows;
    Rows logged;
    ASSERT_EQ(Select<LoggedEntry>().ForEach(
                  **db, [&](const LoggedEntry& entry) { rows[entry.id] = entry.text; }),
              absl::OkStatus())
        << when;
    const auto changes = ChangesSince<LoggedEntry>(**db, 0, kWrites + 1);
    ASSERT_TRUE(changes.ok()) << changes.status() << when;
    for (const Change<LoggedEntry>& change : *changes) {
      logged[change.row.id] = change.row.text;
      if (change.kind == ChangeKind::kDelete) logged.erase(change.row.id);
    }
    ASSERT_TRUE(logged == rows) << when;
  }
};

INSTANTIATE_TEST_SUITE_P(Modes, LogCrashTest,
                         ::testing::Values(Mode{false, Journal::kWal},
                                           Mode{false, Journal::kDelete},
                                           Mode{true, Journal::kWal}),
                         NameOf);

TEST_P(LogCrashTest, RowsAndLogAreInStep) {
  bool crashed = true;
  for (std::int64_t write = FirstFault(); crashed && !HasFatalFailure(); write += FaultStride()) {
    RemoveFiles();
    const auto what = write % 2 == 0 ? Fault::What::kExit : Fault::What::kPowerCut;
    crashed = Crashes({what, write, write * 7 % 9, static_cast<std::uint64_t>(write)},
                      [this] { return WriteLogged(); });
    ExpectInStep(absl::StrCat(" after write ", write));
    if (!crashed) {
      EXPECT_GT(write, 20);
    }
  }
}

// Whatever the moment, one of the two keys opens the database, with all its rows, and the rest can
// be done again.
class RekeyCrashTest : public StorageCrashTest {
 protected:
  void ExpectRekeyed(const std::string& when) {
    SetFault({});
    const auto from = KeyedBy(0);
    const auto to = KeyedBy(1);
    const bool has_new_key = OpenWith(to).ok();
    ASSERT_EQ(OpenWith(has_new_key ? from : to).status().code(), absl::StatusCode::kUnauthenticated)
        << when;
    ExpectRows(has_new_key ? to : from, when);
    ASSERT_FALSE(folder_.Contains("secret")) << when;
    if (!has_new_key) {
      ASSERT_EQ(RekeyDatabase(Path(), from, to), absl::OkStatus()) << when;
    }
    ExpectRows(to, when);
    ASSERT_EQ(CheckDatabase(Path(), to), absl::OkStatus()) << when;
    ASSERT_EQ(OpenWith(from).status().code(), absl::StatusCode::kUnauthenticated) << when;
  }

  absl::StatusOr<std::unique_ptr<Database>> OpenWith(std::shared_ptr<FileStorage> storage) {
    DatabaseOptions options = Options();
    options.storage = std::move(storage);
    return Database::Open(Path(), options);
  }

  void ExpectRows(std::shared_ptr<FileStorage> storage, const std::string& when) {
    auto db = OpenWith(std::move(storage));
    ASSERT_TRUE(db.ok()) << db.status() << when;
    const absl::StatusOr<Rows> rows = ReadRows(**db);
    ASSERT_TRUE(rows.ok()) << rows.status() << when;
    ASSERT_TRUE(*rows == RowsAfter(kTransactions)) << when;
  }
};

INSTANTIATE_TEST_SUITE_P(Modes, RekeyCrashTest,
                         ::testing::Values(Mode{true, Journal::kWal}, Mode{true, Journal::kDelete}),
                         NameOf);

TEST_P(RekeyCrashTest, LosesNothing) {
  SetFault({});
  ASSERT_EQ(Work(), absl::OkStatus());
  const std::string original = TempFolder::Load(Path());
  bool crashed = true;
  for (std::int64_t write = FirstFault(); crashed && !HasFatalFailure(); write += FaultStride()) {
    RemoveFiles();
    TempFolder::Store(Path(), original);
    const auto what = write % 2 == 0 ? Fault::What::kExit : Fault::What::kPowerCut;
    crashed = Crashes({what, write, write * 7 % 9, static_cast<std::uint64_t>(write)},
                      [this] { return RekeyDatabase(Path(), KeyedBy(0), KeyedBy(1)); });
    ExpectRekeyed(absl::StrCat(" after write ", write));
    if (!crashed) {
      EXPECT_GT(write, 30);
    }
  }
}

}  // namespace
}  // namespace strata::orm::testing
