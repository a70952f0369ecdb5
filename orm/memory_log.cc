#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/orm/memory_log_internal.h"

namespace strata::orm::internal {
namespace {

// Of the content of a frame of the log; larger transactions have several.
constexpr std::size_t kChangesBytes = std::size_t{1} << 20;

absl::Status OfFile(const absl::Status& status, const std::string& path) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

// OK, and not open, if there is none.
absl::Status OpenIfThere(const std::string& path, int flags, File* file) {
  absl::StatusOr<File> opened = File::Open(path, flags);
  if (opened.ok()) {
    *file = *std::move(opened);
    return absl::OkStatus();
  }
  return absl::IsNotFound(opened.status()) ? absl::OkStatus() : opened.status();
}

}  // namespace

absl::StatusOr<std::unique_ptr<MemoryLog>> MemoryLog::Open(const std::string& path,
                                                           const MemoryOptions& options,
                                                           MemorySession& session) {
  auto log = std::unique_ptr<MemoryLog>(new MemoryLog(path, options, &session));
  absl::StatusOr<File> lock = File::Open(path + "-lock", O_RDWR | O_CREAT);
  if (!lock.ok()) return lock.status();
  if (absl::Status status = lock->Lock(); !status.ok()) return status;
  log->lock_ = *std::move(lock);
  if (absl::Status status = log->Recover(); !status.ok()) return status;
  return log;
}

absl::Status MemoryLog::ReadFiles(bool* wants_checkpoint) {
  const WireSchema described = SchemaOf(*session_);
  File snapshot;
  absl::Status status = OpenIfThere(path_, O_RDONLY, &snapshot);
  if (!status.ok()) return status;
  FileHeader header;
  if (snapshot.is_open()) {
    const absl::StatusOr<std::uint64_t> size = snapshot.Size();
    if (!size.ok()) return size.status();
    const FileSource source(&snapshot, *size);
    status = ReadSnapshot(source, *session_, options_.drop_undescribed, &header);
    if (!status.ok()) return OfFile(status, path_);
    generation_ = header.generation;
    snapshot_bytes_ = *size;
    *wants_checkpoint = header.schema != described;
  }

  const std::string log_path = path_ + "-log";
  File log;
  status = OpenIfThere(log_path, O_RDWR, &log);
  if (!status.ok() || !log.is_open()) return status;
  const absl::StatusOr<std::uint64_t> size = log.Size();
  if (!size.ok()) return size.status();
  const FileSource source(&log, *size);
  FileHeader log_header;
  status = ReadLogHeader(source, &log_header);
  if (!status.ok()) return OfFile(status, log_path);
  if (log_header.generation < generation_) return absl::OkStatus();  // In the snapshot already.
  if (log_header.generation > generation_) {
    return absl::DataLossError(absl::StrCat(log_path, ": goes on from snapshot ",
                                            log_header.generation, ", but ", path_, " is ",
                                            generation_));
  }
  LogEnd end;
  status = ReadLog(source, *session_, options_.drop_undescribed, &end);
  if (!status.ok()) return OfFile(status, log_path);
  *wants_checkpoint = *wants_checkpoint || log_header.schema != described;
  log_.emplace(std::move(log), end.head, end.offset);
  // What follows is no whole transaction, and what is appended must not make it one.
  status = log_->RollBack(end.offset);
  return status.ok() ? log_->file().Sync() : status;
}

absl::Status MemoryLog::Recover() {
  // Of a snapshot that was not finished.
  unlink((path_ + "-new").c_str());
  unlink((path_ + "-log-new").c_str());
  for (const auto& table : session_->tables()) table->BeginLoading();
  bool wants_checkpoint = false;
  if (absl::Status status = ReadFiles(&wants_checkpoint); !status.ok()) return status;
  for (const auto& table : session_->tables()) {
    absl::Status status = table->FinishLoading();
    if (!status.ok()) {
      return absl::FailedPreconditionError(absl::StrCat(path_, ": ", status.message()));
    }
  }
  session_->FinishHistories();
  if (absl::Status status = session_->CheckAllReferences(); !status.ok()) {
    return OfFile(status, path_);
  }
  if (!log_.has_value() && !wants_checkpoint) {
    absl::StatusOr<FrameWriter> made = MakeLog(path_ + "-log-new", generation_);
    if (!made.ok()) return made.status();
    absl::Status status = ReplaceFile(path_ + "-log-new", path_ + "-log");
    if (!status.ok()) return status;
    log_.emplace(*std::move(made));
  }
  if (log_.has_value()) position_ = appended_ = synced_ = log_->offset();
  if (wants_checkpoint) return Checkpoint();
  return absl::OkStatus();
}

MemoryLog::~MemoryLog() {
  // Of an Open() that failed, whose files stay as they are, or of a disk that did.
  if (!log_.has_value() || !broken_.ok()) return;
  if (!changed_since_close_) return;
  // Says that all before it has been synced. It does not matter if it does not come to be.
  if (!log_->file().Sync().ok()) return;
  std::string content;
  AppendNumber(log_->offset(), &content);
  if (log_->Append(FrameType::kClosed, content).ok()) log_->file().Sync().IgnoreError();
}

absl::StatusOr<FrameWriter> MemoryLog::MakeLog(const std::string& path, std::uint64_t generation) {
  absl::StatusOr<FrameWriter> made = FrameWriter::Make(path, kLogMagic);
  if (!made.ok()) return made.status();
  absl::Status status = WriteLogHeader(*session_, generation, *made);
  if (status.ok()) status = made->file().Sync();
  if (!status.ok()) return status;
  return made;
}

absl::Status MemoryLog::Broken(const absl::Status& why) {
  const std::lock_guard lock(mutex_);
  broken_ = absl::InternalError(
      absl::StrCat("nothing can be written until the store is opened anew: ", why.message()));
  changed_.notify_all();
  return broken_;
}

absl::Status MemoryLog::AppendFrames(std::string_view changes) {
  std::uint64_t synced;
  {
    const std::lock_guard lock(mutex_);
    synced = synced_ > base_ ? synced_ - base_ : 0;
  }
  std::string content;
  while (true) {
    const std::string_view part = changes.substr(0, kChangesBytes);
    changes.remove_prefix(part.size());
    content.clear();
    AppendNumber(synced, &content);
    content.push_back(changes.empty() ? 1 : 0);
    content += part;
    absl::Status status = log_->Append(FrameType::kChanges, content);
    if (!status.ok() || changes.empty()) return status;
  }
}

absl::Status MemoryLog::Append(std::string_view changes) {
  {
    const std::lock_guard lock(mutex_);
    if (!broken_.ok()) return broken_;
  }
  const std::uint64_t before = log_->offset();
  if (absl::Status status = AppendFrames(changes); !status.ok()) {
    if (absl::Status undone = log_->RollBack(before); !undone.ok()) return Broken(undone);
    return status;
  }
  changed_since_close_ = true;
  position_ = base_ + log_->offset();
  const std::lock_guard lock(mutex_);
  appended_ = position_;
  return absl::OkStatus();
}

absl::Status MemoryLog::Sync(std::uint64_t position) {
  if (options_.synchronous == MemoryOptions::Synchronous::kOff) return absl::OkStatus();
  std::unique_lock lock(mutex_);
  while (synced_ < position) {
    if (!broken_.ok()) return broken_;
    if (syncing_) {
      changed_.wait(lock);
      continue;
    }
    // One thread syncs for all that have appended by now.
    syncing_ = true;
    const std::uint64_t target = appended_;
    lock.unlock();
    absl::Status status = log_->file().Sync();
    if (!status.ok()) Broken(status).IgnoreError();
    lock.lock();
    syncing_ = false;
    if (status.ok()) synced_ = std::max(synced_, target);
    changed_.notify_all();
  }
  return absl::OkStatus();
}

bool MemoryLog::WantsCheckpoint() const {
  return options_.checkpoint_bytes != 0 && log_->offset() > options_.checkpoint_bytes &&
         log_->offset() > snapshot_bytes_ && log_->offset() > next_checkpoint_;
}

absl::StatusOr<FrameWriter> MemoryLog::MakeNewFiles(std::uint64_t* snapshot_bytes) {
  absl::StatusOr<FrameWriter> snapshot = FrameWriter::Make(path_ + "-new", kSnapshotMagic);
  if (!snapshot.ok()) return snapshot.status();
  absl::Status status = WriteSnapshot(*session_, generation_ + 1, *snapshot);
  if (status.ok()) status = snapshot->file().Sync();
  if (!status.ok()) return status;
  *snapshot_bytes = snapshot->offset();
  return MakeLog(path_ + "-log-new", generation_ + 1);
}

absl::Status MemoryLog::Checkpoint() {
  {
    const std::lock_guard lock(mutex_);
    if (!broken_.ok()) return broken_;
  }
  // After an error the log has to grow as much again before the next one is tried.
  next_checkpoint_ = (log_.has_value() ? log_->offset() : 0) + options_.checkpoint_bytes;
  std::uint64_t snapshot_bytes = 0;
  absl::StatusOr<FrameWriter> log = MakeNewFiles(&snapshot_bytes);
  absl::Status status = log.status();
  if (status.ok() && rename((path_ + "-new").c_str(), path_.c_str()) != 0) {
    status = SystemError("cannot be replaced", path_);
  }
  if (!status.ok()) {
    unlink((path_ + "-new").c_str());
    unlink((path_ + "-log-new").c_str());
    return status;
  }
  // From here on the old log counts for nothing.
  status = SyncFolder(path_);
  if (status.ok()) status = ReplaceFile(path_ + "-log-new", path_ + "-log");
  if (!status.ok()) return Broken(status);
  ++generation_;
  snapshot_bytes_ = snapshot_bytes;
  next_checkpoint_ = 0;
  changed_since_close_ = true;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !syncing_; });
  log_.emplace(*std::move(log));
  base_ = position_;
  position_ = appended_ = synced_ = base_ + log_->offset();
  changed_.notify_all();
  return absl::OkStatus();
}

}  // namespace strata::orm::internal
