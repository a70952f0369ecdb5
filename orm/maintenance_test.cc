#include "strata/orm/maintenance.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "strata/orm/database.h"
#include "strata/orm/testing/raw_file.h"

namespace app {

struct Note {
  std::int64_t id = 0;
  std::string text;
};
STRATA_TABLE((Note, Named("notes")), id, text);

}  // namespace app

namespace strata::orm {
namespace {

using app::Note;
using testing::RawFile;

constexpr int kNotes = 400;

class MaintenanceTest : public ::testing::Test {
 protected:
  void SetUp() override { db_ = Open(file_.path()); }

  static std::unique_ptr<Database> Open(const std::string& path) {
    auto db = Database::Open(path, Schema::Of<Note>(),
                             {.synchronous = DatabaseOptions::Synchronous::kOff});
    EXPECT_TRUE(db.ok()) << db.status();
    const std::vector<Note> notes(kNotes, Note{0, std::string(1000, 'x')});
    EXPECT_EQ((*db)->InsertAll(notes), absl::OkStatus());
    return *std::move(db);
  }

  // Many steps, with `each` between.
  template <typename Each>
  absl::Status Backup(Database& db, Each each) {
    int steps = 0;
    absl::Status status =
        db.Backup(copy_.path(), {.pages_per_step = 4, .progress = [&](auto& now) {
                                   EXPECT_LE(now.pages_left, now.pages);
                                   EXPECT_FALSE(std::filesystem::exists(copy_.path()));
                                   return each(++steps);
                                 }});
    EXPECT_GT(steps, 3);
    return status;
  }

  RawFile file_{"maintained.db"};
  RawFile copy_{"backup.db"};
  std::unique_ptr<Database> db_;
};

TEST_F(MaintenanceTest, ABackupIsTheDatabase) {
  ASSERT_EQ(db_->Backup(copy_.path()), absl::OkStatus());
  EXPECT_EQ(copy_.Dump(), file_.Dump());
  EXPECT_EQ(copy_.Text("PRAGMA integrity_check"), "ok");
}

TEST_F(MaintenanceTest, ABackupHasWhatIsWrittenMeanwhile) {
  ASSERT_EQ(Backup(*db_,
                   [&](int step) {
                     Note note{0, "step " + std::to_string(step)};
                     EXPECT_EQ(db_->Insert(&note), absl::OkStatus());
                     EXPECT_EQ(db_->Delete<Note>(step), absl::OkStatus());
                     return true;
                   }),
            absl::OkStatus());
  EXPECT_EQ(copy_.Dump(), file_.Dump());
  EXPECT_EQ(copy_.Text("PRAGMA integrity_check"), "ok");
}

TEST_F(MaintenanceTest, ABackupEndsThoughAnotherProcessWrites) {
  int steps = 0;
  ASSERT_EQ(Backup(*db_,
                   [&](int step) {
                     file_.Run("INSERT INTO notes (text) VALUES ('other')");
                     steps = step;
                     return step < 1000;
                   }),
            absl::OkStatus());
  EXPECT_LT(steps, 200);
  EXPECT_EQ(copy_.Dump(), file_.Dump());
}

TEST_F(MaintenanceTest, ADatabaseInMemoryHasBackups) {
  ASSERT_EQ(Backup(*Open(":memory:"), [](int) { return true; }), absl::OkStatus());
  EXPECT_EQ(copy_.Text("SELECT count(*) FROM notes"), std::to_string(kNotes));
}

TEST_F(MaintenanceTest, ABackupThatIsCancelledLeavesNothing) {
  EXPECT_EQ(Backup(*db_, [](int step) { return step < 5; }).code(), absl::StatusCode::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(copy_.path()));
  EXPECT_FALSE(std::filesystem::exists(copy_.path() + ".partial"));
}

TEST_F(MaintenanceTest, ABackupReplacesNothing) {
  for (const char* suffix : {"", "-wal", "-journal"}) {
    std::ofstream(copy_.path() + suffix) << "mine";
    EXPECT_EQ(db_->Backup(copy_.path()).code(), absl::StatusCode::kAlreadyExists) << suffix;
    EXPECT_EQ(std::filesystem::file_size(copy_.path() + suffix), 4u);
    std::filesystem::remove(copy_.path() + suffix);
  }
  EXPECT_EQ(db_->Backup(copy_.path(), {.pages_per_step = 4,
                                       .progress =
                                           [&](auto&) {
                                             std::ofstream(copy_.path()) << "mine";
                                             return true;
                                           }})
                .code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(std::filesystem::file_size(copy_.path()), 4u);
  EXPECT_EQ(db_->Backup(":memory:").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(db_->Backup("/no/such/folder/x.db").code(), absl::StatusCode::kNotFound);
}

TEST_F(MaintenanceTest, WhatAnEarlierProcessLeftIsNoHindrance) {
  std::ofstream(copy_.path() + ".partial") << std::string(5000, 'x');
  EXPECT_EQ(db_->Backup(copy_.path()), absl::OkStatus());
  EXPECT_EQ(copy_.Dump(), file_.Dump());
}

TEST_F(MaintenanceTest, DamageIsFound) {
  EXPECT_EQ(db_->CheckIntegrity(), absl::OkStatus());
  ASSERT_TRUE(db_->Checkpoint(CheckpointMode::kTruncate).ok());
  db_.reset();
  {
    std::fstream file(file_.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(20 * 4096 + 3);
    file.write("\xFF\xFF", 2);
  }
  auto db = Database::Open(file_.path());
  ASSERT_TRUE(db.ok()) << db.status();
  EXPECT_EQ((*db)->CheckIntegrity().code(), absl::StatusCode::kDataLoss);
}

TEST_F(MaintenanceTest, BrokenReferencesAreFound) {
  file_.Run(R"(PRAGMA foreign_keys = OFF;
               CREATE TABLE tag (note INTEGER REFERENCES notes (id));
               INSERT INTO tag VALUES (-1), (-2), (1);)");
  EXPECT_EQ(db_->CheckIntegrity(),
            absl::FailedPreconditionError("tag: 2 references to rows of notes that are not there"));
}

TEST_F(MaintenanceTest, VacuumGivesSpaceBack) {
  ASSERT_EQ(db_->Transact([](Transaction& transaction) -> absl::Status {
    for (int id = 1; id <= kNotes; ++id) {
      if (absl::Status status = transaction.Delete<Note>(id); !status.ok()) return status;
    }
    return absl::OkStatus();
  }),
            absl::OkStatus());
  ASSERT_TRUE(db_->Checkpoint(CheckpointMode::kTruncate).ok());
  const auto before = std::filesystem::file_size(file_.path());
  ASSERT_EQ(db_->Vacuum(), absl::OkStatus());
  ASSERT_TRUE(db_->Checkpoint(CheckpointMode::kTruncate).ok());
  EXPECT_LT(std::filesystem::file_size(file_.path()), before / 10);
  EXPECT_EQ(db_->Transact([&](Transaction&) { return db_->Vacuum(); }).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(MaintenanceTest, ACheckpointEmptiesTheLog) {
  absl::StatusOr<CheckpointResult> result = db_->Checkpoint();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_GT(result->log_pages, 10);
  EXPECT_EQ(result->copied_pages, result->log_pages);
  EXPECT_GT(std::filesystem::file_size(file_.path() + "-wal"), 0u);
  result = db_->Checkpoint(CheckpointMode::kTruncate);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->log_pages, 0);
  EXPECT_EQ(std::filesystem::file_size(file_.path() + "-wal"), 0u);
  EXPECT_EQ(Open(":memory:")->Checkpoint().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(MaintenanceTest, ACheckpointByItselfIsAsWanted) {
  const auto log_after_writes = [](std::int32_t pages) {
    const RawFile file("checkpoints.db");
    auto db = Database::Open(
        file.path(), Schema::Of<Note>(),
        {.synchronous = DatabaseOptions::Synchronous::kOff, .checkpoint_pages = pages});
    EXPECT_TRUE(db.ok()) << db.status();
    for (int i = 0; i < 30; ++i) {
      Note note{0, std::string(20000, 'x')};
      EXPECT_EQ((*db)->Insert(&note), absl::OkStatus());
    }
    return std::filesystem::file_size(file.path() + "-wal");
  };
  EXPECT_LT(log_after_writes(5) * 3, log_after_writes(0));
}

}  // namespace
}  // namespace strata::orm
