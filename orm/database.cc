#include "strata/orm/database.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "strata/orm/reader_pool_internal.h"
#include "strata/orm/schema_migrate_internal.h"
#include "strata/orm/sqlite_maintenance_internal.h"
#include "strata/orm/sqlite_session_internal.h"
#include "strata/orm/within_internal.h"
#include "strata/orm/write_queue_internal.h"

namespace strata::orm {
namespace {

// A transaction that is under way.
class TransactionStore : public internal::RowStore {
 public:
  explicit TransactionStore(internal::SqliteSession& session) : session_(session) {}

  absl::Status Transact(absl::AnyInvocable<absl::Status(RowStore& store)> body) override {
    return session_.Transact([&] { return body(*this); });
  }
  absl::Status Create(const TableInfo& table) override {
    return session_.Transact([&] { return session_.Create(table); });
  }
  absl::Status Write(const internal::WriteOperation& operation) override {
    absl::Status status = session_.InTransaction();
    return status.ok() ? session_.Write(operation) : status;
  }
  absl::Status InsertAll(const TableInfo& table, const void* rows, std::size_t count,
                         std::size_t* failed) override {
    return session_.Transact([&] { return session_.InsertAll(table, rows, count, failed); });
  }
  absl::Status Get(const TableInfo& table, std::span<const internal::Argument> key,
                   void* row) override {
    absl::Status status = session_.InTransaction();
    return status.ok() ? session_.Get(table, key, row) : status;
  }
  absl::StatusOr<std::int64_t> Count(const TableInfo& table) override {
    absl::Status status = session_.InTransaction();
    if (!status.ok()) return status;
    return session_.Count(table);
  }
  absl::StatusOr<std::int64_t> Execute(const internal::SqlOperation& operation) override {
    absl::Status status = session_.InTransaction();
    if (!status.ok()) return status;
    return session_.Execute(operation);
  }
  absl::Status Query(const internal::SqlOperation& operation, const internal::RowShape& shape,
                     internal::RowSink& sink) override {
    absl::Status status = session_.InTransaction();
    return status.ok() ? session_.Query(operation, shape, sink) : status;
  }
  absl::Status Select(const internal::SelectOperation& operation,
                      std::span<const internal::ResultField> fields,
                      internal::RowSink& sink) override {
    absl::Status status = session_.InTransaction();
    return status.ok() ? session_.Select(operation, fields, sink) : status;
  }
  absl::StatusOr<std::int64_t> Change(const internal::ChangeOperation& operation) override {
    absl::Status status = session_.InTransaction();
    if (!status.ok()) return status;
    return session_.Change(operation);
  }

 private:
  internal::SqliteSession& session_;
};

// Whether it is worth asking a reader: a statement that it cannot run is prepared in vain there.
bool MayRead(std::string_view sql) {
  sql = absl::StripLeadingAsciiWhitespace(sql);
  return absl::StartsWithIgnoreCase(sql, "SELECT") || absl::StartsWithIgnoreCase(sql, "WITH");
}

class SqliteStore : public internal::DatabaseStore {
 public:
  SqliteStore(std::unique_ptr<internal::Connection> connection, const std::string& path,
              const DatabaseOptions& options)
      : options_(options),
        session_(std::move(connection)),
        queue_(session_),
        readers_(path, options) {}

  absl::Status Transact(absl::AnyInvocable<absl::Status(RowStore& store)> body) override {
    return Locked([&]() -> absl::Status {
      return session_.Transact([&] {
        TransactionStore transaction(session_);
        return body(transaction);
      });
    });
  }
  absl::Status Create(const TableInfo& table) override {
    return Locked([&]() -> absl::Status {
      return session_.Transact([&] { return session_.Create(table); });
    });
  }
  absl::Status Write(const internal::WriteOperation& operation) override {
    return queue_.Write(operation);
  }
  absl::Status InsertAll(const TableInfo& table, const void* rows, std::size_t count,
                         std::size_t* failed) override {
    return Locked([&]() -> absl::Status {
      return session_.Transact([&] { return session_.InsertAll(table, rows, count, failed); });
    });
  }
  absl::Status Get(const TableInfo& table, std::span<const internal::Argument> key,
                   void* row) override {
    return Reading([&](internal::SqliteSession& session) { return session.Get(table, key, row); });
  }
  absl::StatusOr<std::int64_t> Count(const TableInfo& table) override {
    return Reading([&](internal::SqliteSession& session) { return session.Count(table); });
  }
  absl::StatusOr<std::int64_t> Execute(const internal::SqlOperation& operation) override {
    return Locked([&] { return session_.Execute(operation); });
  }
  absl::Status Query(const internal::SqlOperation& operation, const internal::RowShape& shape,
                     internal::RowSink& sink) override {
    if (readers_.is_enabled() && !session_.has_own_state() && MayRead(operation.sql)) {
      bool is_read = false;
      absl::Status status = ReadingApart([&](internal::SqliteSession& session) {
        is_read = session.IsPlainRead(operation.sql);
        return is_read ? session.Query(operation, shape, sink) : absl::OkStatus();
      });
      if (is_read) return status;
    }
    return Locked([&] { return session_.Query(operation, shape, sink); });
  }
  absl::Status Select(const internal::SelectOperation& operation,
                      std::span<const internal::ResultField> fields,
                      internal::RowSink& sink) override {
    return ReadingApart(
        [&](internal::SqliteSession& session) { return session.Select(operation, fields, sink); });
  }
  absl::StatusOr<std::int64_t> Change(const internal::ChangeOperation& operation) override {
    return Locked([&] { return session_.Change(operation); });
  }
  absl::Status Migrate(const Schema& schema, const MigrateOptions& options,
                       SchemaReport* report) override {
    return Locked([&] { return internal::MigrateSchema(session_, schema, options, report); });
  }
  absl::Status Backup(const std::string& path, BackupOptions& options) override {
    if (options.pages_per_step < 1) return absl::InvalidArgumentError("a step of no pages");
    auto task =
        Locked([&] { return internal::BackupTask::Start(session_.connection(), path, options_); });
    if (!task.ok()) return task.status();
    absl::Status status = Copy(**task, options);
    // The end uses the connection too.
    return Locked([&] {
      if (status.ok()) status = (*task)->Finish();
      task->reset();
      return status;
    });
  }
  absl::Status CheckIntegrity() override {
    return Locked([&] { return internal::CheckIntegrity(session_.connection()); });
  }
  absl::Status Vacuum() override {
    return Locked([&] { return session_.connection().Execute("VACUUM"); });
  }
  absl::StatusOr<CheckpointResult> Checkpoint(CheckpointMode mode) override {
    return Locked([&] { return internal::Checkpoint(session_.connection(), mode); });
  }
  absl::Status AddListener(internal::LogListener* listener) override {
    return Locked([&] {
      queue_.signal().Connect(session_.connection().get());
      queue_.signal().listeners().Add(listener);
      return absl::OkStatus();
    });
  }
  void RemoveListener(internal::LogListener* listener) override {
    queue_.signal().listeners().Remove(listener);
  }

 private:
  absl::Status Copy(internal::BackupTask& task, BackupOptions& options) {
    for (;;) {
      BackupProgress progress;
      const absl::StatusOr<bool> is_last =
          Locked([&] { return task.Step(options.pages_per_step, &progress); });
      if (!is_last.ok()) return is_last.status();
      if (*is_last) return absl::OkStatus();
      if (options.progress && !options.progress(progress)) {
        return absl::CancelledError("the backup has been cancelled");
      }
    }
  }

  template <typename Call>
  auto Locked(const Call& call) -> decltype(call()) {
    return queue_.Alone(call);
  }

  // Something short: by the connection that writes if that is free, as its pages are the newest.
  template <typename Call>
  auto Reading(const Call& call) -> decltype(call(std::declval<internal::SqliteSession&>())) {
    if (readers_.is_enabled() && internal::Within::Not(&session_).ok()) {
      auto result = queue_.TryAlone([&] { return call(session_); });
      if (result.has_value()) return *std::move(result);
    }
    return ReadingApart(call);
  }

  // So that no reader waits for a writer, nor a writer for what takes long.
  template <typename Call>
  auto ReadingApart(const Call& call) -> decltype(call(std::declval<internal::SqliteSession&>())) {
    if (!readers_.is_enabled()) return queue_.Alone([&] { return call(session_); });
    if (absl::Status status = internal::Within::Not(&session_); !status.ok()) return status;
    const internal::Within within(&session_);
    return readers_.Read(call);
  }

  const DatabaseOptions options_;
  internal::SqliteSession session_;
  internal::WriteQueue queue_;
  internal::ReaderPool readers_;
};

}  // namespace

Database::Database(std::unique_ptr<internal::DatabaseStore> store)
    : Records(store.get()), owned_(std::move(store)) {}

Database::~Database() = default;

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                         const DatabaseOptions& options) {
  auto connection = internal::Connection::Open(path, options);
  if (!connection.ok()) return connection.status();
  return std::unique_ptr<Database>(
      new Database(std::make_unique<SqliteStore>(*std::move(connection), path, options)));
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                         const Schema& schema,
                                                         const DatabaseOptions& options,
                                                         const MigrateOptions& migrate) {
  absl::StatusOr<std::unique_ptr<Database>> database = Open(path, options);
  if (!database.ok()) return database;
  MigrateOptions how = migrate;
  if (options.read_only) how.mode = MigrateOptions::Mode::kCheck;
  const absl::StatusOr<SchemaReport> report = (*database)->Migrate(schema, how);
  if (report.ok()) return database;
  return absl::Status(report.status().code(), absl::StrCat(path, ": ", report.status().message()));
}

absl::Status Database::Backup(const std::string& path, BackupOptions options) {
  return owned_->Backup(path, options);
}

absl::Status Database::CheckIntegrity() { return owned_->CheckIntegrity(); }

absl::Status Database::Vacuum() { return owned_->Vacuum(); }

absl::StatusOr<CheckpointResult> Database::Checkpoint(CheckpointMode mode) {
  return owned_->Checkpoint(mode);
}

absl::StatusOr<SchemaReport> Database::Migrate(const Schema& schema,
                                               const MigrateOptions& options) {
  SchemaReport report;
  if (absl::Status status = owned_->Migrate(schema, options, &report); !status.ok()) return status;
  return report;
}

}  // namespace strata::orm
