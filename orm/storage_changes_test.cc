// Somebody changes bytes of an encrypted database, its journal or its write-ahead log: no altered
// row is ever read.

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gtest/gtest.h"
#include "sqlite3.h"
#include "strata/orm/encrypted_format_internal.h"
#include "strata/orm/testing/storage_workload.h"

namespace strata::orm::testing {
namespace {

constexpr std::size_t kPageBytes = 512;  // So that there are few bytes, of many pages.

std::size_t First() { return static_cast<std::size_t>(FirstFault()); }
std::size_t Stride() { return static_cast<std::size_t>(FaultStride()); }

class StorageChangesTest : public ::testing::Test {
 protected:
  DatabaseOptions Options(Journal journal) const {
    DatabaseOptions options;
    options.create = false;
    options.journal = journal;
    options.storage = storage_;
    return options;
  }

  // An encrypted database with small pages, and the rows after `transactions`.
  void Make(int transactions) {
    const std::string plain = folder_.File("plain.db");
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(plain.c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, "PRAGMA page_size = 512; CREATE TABLE t (x); DROP TABLE t", nullptr,
                           nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(db);
    ASSERT_EQ(EncryptDatabase(plain, path_, storage_), absl::OkStatus());
    auto opened = Database::Open(path_, Options(Journal::kDelete));
    ASSERT_TRUE(opened.ok()) << opened.status();
    ASSERT_EQ((*opened)->Create<Entry>(), absl::OkStatus());
    for (int i = 0; i < transactions; ++i) {
      ASSERT_EQ(RunTransaction(**opened, i), absl::OkStatus());
    }
    unlink(plain.c_str());
  }

  absl::StatusOr<Rows> Read(Journal journal) const {
    const auto opened = Database::Open(path_, Options(journal));
    if (!opened.ok()) return opened.status();
    return ReadRows(**opened);
  }

  // The files as they are now, to be put back after each change.
  struct Files {
    std::string main;
    std::string other;
  };
  Files Save(const char* suffix) const {
    return {TempFolder::Load(path_), TempFolder::Load(path_ + suffix)};
  }
  void PutBack(const Files& files, const char* suffix) const {
    for (const char* end : {"-wal", "-shm", "-journal"}) unlink((path_ + end).c_str());
    TempFolder::Store(path_, files.main);
    TempFolder::Store(path_ + suffix, files.other);
  }

  const TempFolder folder_;
  const std::string path_ = folder_.File("a.db");
  const std::shared_ptr<EncryptedStorage> storage_ = KeyedBy(0);
};

TEST_F(StorageChangesTest, EachByteOfTheDatabaseIsLookedAt) {
  Make(3);
  const Rows rows = RowsAfter(3);
  const std::string original = TempFolder::Load(path_);
  ASSERT_EQ(CheckDatabase(path_, storage_), absl::OkStatus());
  ASSERT_EQ((original.size() - internal::kHeadBytes) % kPageBytes, 0u);
  const auto is_used = [](std::size_t at) {
    constexpr std::size_t kMarkerBytes = 60;
    return at >= internal::kHeadBytes || at < internal::kSlotBytes ||
           (at >= internal::kSlotAt[1] && at < internal::kSlotAt[1] + internal::kSlotBytes) ||
           (at >= internal::kMarkerAt && at < internal::kMarkerAt + kMarkerBytes);
  };
  for (std::size_t at = First(); at < original.size(); at += Stride()) {
    if (!is_used(at) && at % 31 != 0) continue;
    std::string changed = original;
    changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
    TempFolder::Store(path_, changed);
    const absl::Status status = CheckDatabase(path_, storage_);
    ASSERT_EQ(status.ok(), !is_used(at)) << at << " " << status;
    if (at % 7 != 0) continue;
    const absl::StatusOr<Rows> read = Read(Journal::kDelete);
    ASSERT_TRUE(!read.ok() || *read == rows) << at;
  }
}

TEST_F(StorageChangesTest, AChangedLogEndsOrIsAnError) {
  constexpr int kBefore = 2;
  constexpr int kAll = 7;
  Make(kBefore);
  Files files;
  {
    auto opened = Database::Open(path_, Options(Journal::kWal));
    ASSERT_TRUE(opened.ok()) << opened.status();
    for (int i = kBefore; i < kAll; ++i) ASSERT_EQ(RunTransaction(**opened, i), absl::OkStatus());
    files = Save("-wal");
  }
  PutBack(files, "-wal");
  ASSERT_EQ(*Read(Journal::kWal), RowsAfter(kAll));
  std::vector<Rows> states;
  for (int i = kBefore; i <= kAll; ++i) states.push_back(RowsAfter(i));

  // Of the frames that a later transaction proves to have been on the disk, each change is an
  // error; the last transaction may be lost.
  std::size_t lost_after = files.other.size();
  for (std::size_t at = First(); at < files.other.size(); at += 7 * Stride()) {
    Files changed = files;
    changed.other[at] = static_cast<char>(changed.other[at] ^ (1 << at % 8));
    PutBack(changed, "-wal");
    const absl::StatusOr<Rows> read = Read(Journal::kWal);
    if (!read.ok()) {
      ASSERT_EQ(read.status().code(), absl::StatusCode::kDataLoss) << read.status();
      ASSERT_LT(at, lost_after);
      continue;
    }
    ASSERT_NE(std::find(states.begin(), states.end(), *read), states.end()) << at;
    lost_after = std::min(lost_after, at);
    ASSERT_TRUE(*read == RowsAfter(kAll) || *read == RowsAfter(kAll - 1)) << at;
  }
  EXPECT_GT(lost_after, files.other.size() / 2);

  // Nothing tells that a log was longer.
  for (std::size_t size = 0; size < files.other.size(); size += 29 * Stride()) {
    PutBack({files.main, files.other.substr(0, size)}, "-wal");
    const absl::StatusOr<Rows> read = Read(Journal::kWal);
    ASSERT_TRUE(read.ok()) << read.status() << size;
    ASSERT_NE(std::find(states.begin(), states.end(), *read), states.end()) << size;
  }
}

TEST_F(StorageChangesTest, FramesAreNotExchanged) {
  Make(2);
  Files files;
  {
    auto opened = Database::Open(path_, Options(Journal::kWal));
    ASSERT_TRUE(opened.ok()) << opened.status();
    for (int i = 2; i < 7; ++i) ASSERT_EQ(RunTransaction(**opened, i), absl::OkStatus());
    files = Save("-wal");
  }
  constexpr std::size_t kHead = 64;
  constexpr std::size_t kFrame = kPageBytes + 60;
  ASSERT_EQ((files.other.size() - kHead) % kFrame, 0u);
  for (std::size_t frame = 0; frame + 2 < (files.other.size() - kHead) / kFrame; frame += 5) {
    Files changed = files;
    const std::size_t at = kHead + frame * kFrame;
    changed.other.replace(at, kFrame, files.other, at + kFrame, kFrame);
    changed.other.replace(at + kFrame, kFrame, files.other, at, kFrame);
    PutBack(changed, "-wal");
    const absl::StatusOr<Rows> read = Read(Journal::kWal);
    ASSERT_TRUE(!read.ok() || *read == RowsAfter(7) || *read == RowsAfter(6)) << frame;
  }
}

TEST_F(StorageChangesTest, AChangedJournalIsAnError) {
  constexpr int kBefore = 5;
  Make(kBefore);
  // Ends in the middle of a transaction, after some pages were written.
  const pid_t child = fork();
  if (child == 0) {
    DatabaseOptions options = Options(Journal::kDelete);
    options.cache_bytes = 1 << 10;
    auto opened = Database::Open(path_, options);
    absl::Status status = opened.status();
    if (status.ok()) {
      status = (*opened)->Transact([](Transaction& t) -> absl::Status {
        for (std::int64_t id = 1; id <= kMaxId; ++id) {
          Entry entry{id, std::string(300, 'n')};
          if (absl::Status changed = t.Upsert(&entry); !changed.ok()) return changed;
        }
        _exit(kFaultExitCode);
      });
    }
    _exit(1);
  }
  int ended = 0;
  waitpid(child, &ended, 0);
  ASSERT_EQ(WEXITSTATUS(ended), kFaultExitCode);
  const Files files = Save("-journal");
  ASSERT_GT(files.other.size(), 1000u);
  const Rows rows = RowsAfter(kBefore);
  ASSERT_EQ(*Read(Journal::kDelete), rows);

  std::size_t errors = 0;
  std::size_t tried = 0;
  for (std::size_t at = First(); at < files.other.size(); at += 7 * Stride()) {
    Files changed = files;
    changed.other[at] = static_cast<char>(changed.other[at] ^ (1 << at % 8));
    PutBack(changed, "-journal");
    const absl::StatusOr<Rows> read = Read(Journal::kDelete);
    ASSERT_TRUE(!read.ok() || *read == rows) << at;
    ++tried;
    if (!read.ok()) {
      ASSERT_EQ(read.status().code(), absl::StatusCode::kDataLoss) << read.status();
      ++errors;
    }
    if (at % 5 != 0) continue;
    PutBack({files.main, files.other.substr(0, at)}, "-journal");
    const absl::StatusOr<Rows> cut = Read(Journal::kDelete);
    ASSERT_TRUE(!cut.ok() || *cut == rows) << at;
  }
  // What was behind the last sync is not needed; all else is.
  EXPECT_GT(errors, tried / 2);

  PutBack(files, "-journal");
  unlink((path_ + "-journal").c_str());
  EXPECT_EQ(Read(Journal::kDelete).status(),
            absl::DataLossError(path_ + ": the journal of an unfinished transaction is not there"));
  PutBack(files, "-journal");
  EXPECT_EQ(*Read(Journal::kDelete), rows);
}

// Errors of the system.

TEST_F(StorageChangesTest, AFullDiskLosesNothing) {
  for (const Journal journal : {Journal::kWal, Journal::kDelete}) {
    for (const Fault::What what : {Fault::What::kFull, Fault::What::kFail}) {
      SCOPED_TRACE(absl::StrCat(journal == Journal::kWal, " ", what == Fault::What::kFull));
      int failed = 0;
      for (std::int64_t write = 0; write < 90; write += 3) {
        SetFault({});
        for (const char* end : {"", "-wal", "-shm", "-journal"}) unlink((path_ + end).c_str());
        DatabaseOptions options = Options(journal);
        options.create = true;
        options.cache_bytes = 8 << 10;
        auto opened = Database::Open(path_, options);
        ASSERT_TRUE(opened.ok());
        ASSERT_EQ((*opened)->Create<Entry>(), absl::OkStatus());
        SetFault({what, write, 1});
        int done = 0;
        absl::Status status;
        while (status.ok() && done < 8) {
          status = RunTransaction(**opened, done);
          if (status.ok()) ++done;
        }
        SetFault({});
        if (!status.ok()) {
          ++failed;
          ASSERT_EQ(status.code(), what == Fault::What::kFull ? absl::StatusCode::kResourceExhausted
                                                              : absl::StatusCode::kInternal)
              << status;
        }
        // With room again, the connection goes on.
        const absl::StatusOr<Rows> rows = ReadRows(**opened);
        ASSERT_TRUE(rows.ok()) << rows.status() << write;
        ASSERT_EQ(*rows, RowsAfter(done)) << write;
        ASSERT_EQ(RunTransaction(**opened, done), absl::OkStatus()) << write;
        opened->reset();
        ASSERT_EQ(*Read(journal), RowsAfter(done + 1)) << write;
      }
      EXPECT_GT(failed, 5);
    }
  }
}

TEST_F(StorageChangesTest, WhatMayNotBeReadIsPermissionDenied) {
  Make(1);
  ASSERT_EQ(chmod(path_.c_str(), 0), 0);
  const pid_t child = fork();
  if (child == 0) {
    // Nothing is forbidden to root, but for its capabilities.
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2] = {};
    if (syscall(SYS_capset, &header, none) != 0) _exit(2);
    _exit(absl::IsPermissionDenied(Read(Journal::kDelete).status()) ? 0 : 1);
  }
  int ended = 0;
  waitpid(child, &ended, 0);
  EXPECT_EQ(WEXITSTATUS(ended), 0);
}

}  // namespace
}  // namespace strata::orm::testing
