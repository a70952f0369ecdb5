#include "strata/orm/database.h"

#include <atomic>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "strata/orm/schema_migrate_internal.h"
#include "strata/orm/sqlite_session_internal.h"

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

class SqliteStore : public internal::RowStore {
 public:
  explicit SqliteStore(std::unique_ptr<internal::Connection> connection)
      : session_(std::move(connection)) {}

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
    return Locked([&] { return session_.Write(operation); });
  }
  absl::Status InsertAll(const TableInfo& table, const void* rows, std::size_t count,
                         std::size_t* failed) override {
    return Locked([&]() -> absl::Status {
      return session_.Transact([&] { return session_.InsertAll(table, rows, count, failed); });
    });
  }
  absl::Status Get(const TableInfo& table, std::span<const internal::Argument> key,
                   void* row) override {
    return Locked([&] { return session_.Get(table, key, row); });
  }
  absl::StatusOr<std::int64_t> Count(const TableInfo& table) override {
    return Locked([&] { return session_.Count(table); });
  }
  absl::StatusOr<std::int64_t> Execute(const internal::SqlOperation& operation) override {
    return Locked([&] { return session_.Execute(operation); });
  }
  absl::Status Query(const internal::SqlOperation& operation, const internal::RowShape& shape,
                     internal::RowSink& sink) override {
    return Locked([&] { return session_.Query(operation, shape, sink); });
  }
  absl::Status Select(const internal::SelectOperation& operation,
                      std::span<const internal::ResultField> fields,
                      internal::RowSink& sink) override {
    return Locked([&] { return session_.Select(operation, fields, sink); });
  }
  absl::StatusOr<std::int64_t> Change(const internal::ChangeOperation& operation) override {
    return Locked([&] { return session_.Change(operation); });
  }
  absl::Status Migrate(const Schema& schema, const MigrateOptions& options,
                       SchemaReport* report) override {
    return Locked([&] { return internal::MigrateSchema(session_, schema, options, report); });
  }

 private:
  // The thread that holds the lock would wait for itself.
  template <typename Call>
  auto Locked(Call call) -> decltype(call()) {
    if (owner_.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
      return absl::FailedPreconditionError(
          "within a transaction, use the Transaction; the rows of ForEach() come one after "
          "another");
    }
    const std::lock_guard lock(mutex_);
    owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    auto result = call();
    owner_.store(std::thread::id(), std::memory_order_relaxed);
    return result;
  }

  std::mutex mutex_;
  std::atomic<std::thread::id> owner_{};
  internal::SqliteSession session_;
};

}  // namespace

absl::Status Records::Transact(absl::AnyInvocable<absl::Status(Transaction& transaction)> body) {
  return store_->Transact([&](internal::RowStore& store) {
    Transaction transaction(&store);
    return body(transaction);
  });
}

absl::Status Records::InsertAllRows(const TableInfo& table, const void* rows, std::size_t count) {
  std::size_t failed = 0;
  absl::Status status = store_->InsertAll(table, rows, count, &failed);
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat("row ", failed, ": ", status.message()));
}

Database::Database(std::unique_ptr<internal::RowStore> store)
    : Records(store.get()), owned_(std::move(store)) {}

Database::~Database() = default;

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                         const DatabaseOptions& options) {
  auto connection = internal::Connection::Open(path, options);
  if (!connection.ok()) return connection.status();
  return std::unique_ptr<Database>(
      new Database(std::make_unique<SqliteStore>(*std::move(connection))));
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
  return absl::Status(report.status().code(),
                      absl::StrCat(path, ": ", report.status().message()));
}

absl::StatusOr<SchemaReport> Database::Migrate(const Schema& schema,
                                               const MigrateOptions& options) {
  SchemaReport report;
  if (absl::Status status = owned_->Migrate(schema, options, &report); !status.ok()) return status;
  return report;
}

}  // namespace strata::orm
