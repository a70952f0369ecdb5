// The store of a MemoryDatabase: its session, and who may use it when.

#ifndef STRATA_ORM_MEMORY_STORE_INTERNAL_H_
#define STRATA_ORM_MEMORY_STORE_INTERNAL_H_

#include <pthread.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include "absl/functional/function_ref.h"
#include "strata/orm/log_listeners_internal.h"
#include "strata/orm/memory.h"
#include "strata/orm/memory_log_internal.h"
#include "strata/orm/memory_session_internal.h"

namespace strata::orm::internal {

// A lock of readers and writers in which a writer that waits holds off new readers: those of
// std::shared_mutex may starve it. (absl::Mutex is fair too, but gives false races under tsan.)
class RowsLock {
 public:
  RowsLock() {
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&lock_, &attributes);
    pthread_rwlockattr_destroy(&attributes);
  }
  ~RowsLock() { pthread_rwlock_destroy(&lock_); }
  RowsLock(const RowsLock&) = delete;
  RowsLock& operator=(const RowsLock&) = delete;

  void lock() { pthread_rwlock_wrlock(&lock_); }
  void lock_shared() { pthread_rwlock_rdlock(&lock_); }
  void unlock() { pthread_rwlock_unlock(&lock_); }

 private:
  pthread_rwlock_t lock_;
};

// SQL, of which there is nothing.
class StoreWithoutSql : public RowStore {
 public:
  absl::StatusOr<std::int64_t> Execute(const SqlOperation&) override { return Refusal(); }
  absl::Status Query(const SqlOperation&, const RowShape&, RowSink&) override { return Refusal(); }

 private:
  static absl::Status Refusal() {
    return absl::UnimplementedError(
        "the engine in memory has no SQL; its rows are read by a Select or a MemoryView");
  }
};

class MemoryStore : public StoreWithoutSql, public ChangeSource {
 public:
  static absl::StatusOr<std::unique_ptr<MemoryStore>> Open(
      const std::string& path, const MemoryOptions& options,
      std::span<const TableInfo* const> tables);

  absl::Status Transact(absl::AnyInvocable<absl::Status(RowStore& store)> body) override;
  absl::Status Create(const TableInfo& table) override;
  absl::Status Write(const WriteOperation& operation) override;
  absl::Status InsertAll(const TableInfo& table, const void* rows, std::size_t count,
                         std::size_t* failed) override;
  absl::Status Get(const TableInfo& table, std::span<const Argument> key, void* row) override;
  absl::StatusOr<std::int64_t> Count(const TableInfo& table) override;
  absl::Status Select(const SelectOperation& operation, std::span<const ResultField> fields,
                      RowSink& sink) override;
  absl::StatusOr<std::int64_t> Change(const ChangeOperation& operation) override;

  ChangeSource* change_source() override { return this; }
  absl::Status AddListener(LogListener* listener) override;
  void RemoveListener(LogListener* listener) override { listeners_.Remove(listener); }

  absl::Status Checkpoint();

  // Runs `body` in a transaction of the session.
  absl::Status MakeChange(absl::FunctionRef<absl::Status(MemorySession& session)> body);

  // For a thread that has a ReadScope.
  const MemorySession& session() const { return session_; }

 private:
  friend class ReadScope;

  // FailedPrecondition if the thread would wait for itself.
  absl::Status CanWrite() const;
  absl::Status Commit(absl::FunctionRef<absl::Status(MemorySession& session)> body,
                      std::vector<std::string>* logs);
  bool IsWriter() const {
    return writer_thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

  // Held by who writes or makes a snapshot, and before `rows_`.
  std::mutex writer_;
  // Held for reading by views, for writing by who changes rows. Who waits for writing holds off new
  // readers, so that writers are not starved.
  RowsLock rows_;
  std::atomic<std::thread::id> writer_thread_{};
  MemorySession session_;
  LogListeners listeners_;
  std::unique_ptr<MemoryLog> log_;  // Null in ":memory:". Refers to the session.
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_MEMORY_STORE_INTERNAL_H_
