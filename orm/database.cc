#include "strata/orm/database.h"

#include <mutex>

#include "strata/orm/sqlite_session_internal.h"

namespace strata::orm {
namespace {

class SqliteStore : public internal::Store {
 public:
  explicit SqliteStore(std::unique_ptr<internal::Connection> connection)
      : session_(std::move(connection)) {}

  absl::Status Create(const TableInfo& table) override {
    const std::lock_guard lock(mutex_);
    return session_.Create(table);
  }
  absl::Status Write(const internal::WriteOperation& operation) override {
    const std::lock_guard lock(mutex_);
    return session_.Write(operation);
  }
  absl::Status Get(const TableInfo& table, std::span<const internal::Argument> key,
                   void* row) override {
    const std::lock_guard lock(mutex_);
    return session_.Get(table, key, row);
  }
  absl::StatusOr<std::int64_t> Count(const TableInfo& table) override {
    const std::lock_guard lock(mutex_);
    return session_.Count(table);
  }

 private:
  std::mutex mutex_;
  internal::SqliteSession session_;
};

}  // namespace

Database::Database(std::unique_ptr<internal::Store> store)
    : Records(store.get()), owned_(std::move(store)) {}

Database::~Database() = default;

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                         const DatabaseOptions& options) {
  auto connection = internal::Connection::Open(path, options);
  if (!connection.ok()) return connection.status();
  return std::unique_ptr<Database>(
      new Database(std::make_unique<SqliteStore>(*std::move(connection))));
}

}  // namespace strata::orm
