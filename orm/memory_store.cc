#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/orm/memory_store_internal.h"
#include "strata/orm/rules_internal.h"

namespace strata::orm::internal {
namespace {

thread_local ReadScope* open_scopes = nullptr;

absl::Status GetRow(const MemorySession& session, const TableInfo& info,
                    std::span<const Argument> key, void* row) {
  const absl::StatusOr<MemoryTable*> table = session.Need(info);
  if (!table.ok()) return table.status();
  const char* found = (*table)->FindKey(key);
  if (found == nullptr) {
    return absl::NotFoundError(absl::StrCat(info.name, ": no row has this key"));
  }
  info.ops.assign(row, found);
  return absl::OkStatus();
}

absl::StatusOr<std::int64_t> CountRows(const MemorySession& session, const TableInfo& info) {
  const absl::StatusOr<MemoryTable*> table = session.Need(info);
  if (!table.ok()) return table.status();
  return static_cast<std::int64_t>((*table)->size());
}

absl::StatusOr<const Column*> ColumnOf(const TableInfo& info, std::uint32_t offset) {
  for (const Column& column : info.columns) {
    if (column.offset == offset) return &column;
  }
  return absl::InvalidArgumentError(absl::StrCat(info.name, ": the field is no column"));
}

absl::Status HasNoIndex(const TableInfo& info, const Column& column, std::string_view which) {
  return ColumnError(absl::StatusCode::kFailedPrecondition, info, column,
                     absl::StrCat("has no ", which));
}

// Of a field that is in no row.
Value ValueOfField(const Column& column, const void* field) {
  return ValueOfColumn(column, column.nullable() ? column.type->optional->get(field) : field);
}

// A transaction that is under way.
class MemoryTransaction : public StoreWithoutSql {
 public:
  explicit MemoryTransaction(MemorySession& session) : session_(session) {}

  absl::Status Transact(absl::AnyInvocable<absl::Status(RowStore& store)> body) override {
    return session_.Transact([&] { return body(*this); });
  }
  absl::Status Create(const TableInfo& table) override {
    if (session_.Find(table) != nullptr) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat(table.name, ": no table can be made within a transaction"));
  }
  absl::Status Write(const WriteOperation& operation) override { return session_.Write(operation); }
  absl::Status InsertAll(const TableInfo& table, const void* rows, std::size_t count,
                         std::size_t* failed) override {
    return session_.Transact([&] { return session_.InsertAll(table, rows, count, failed); });
  }
  absl::Status Get(const TableInfo& table, std::span<const Argument> key, void* row) override {
    return GetRow(session_, table, key, row);
  }
  absl::StatusOr<std::int64_t> Count(const TableInfo& table) override {
    return CountRows(session_, table);
  }
  absl::Status Select(const SelectOperation& operation, std::span<const ResultField> fields,
                      RowSink& sink) override {
    return session_.Select(operation, fields, sink);
  }
  absl::StatusOr<std::int64_t> Change(const ChangeOperation& operation) override {
    return session_.Change(operation);
  }

 private:
  MemorySession& session_;
};

}  // namespace

ReadScope::ReadScope(MemoryStore* store) : store_(store), next_(open_scopes) {
  // The thread that writes has the rows for itself. One that reads must not wait for a writer that
  // waits for it.
  if (!store->IsWriter() && !IsOpen(store)) {
    store->rows_.lock_shared();
    locked_ = true;
  }
  open_scopes = this;
}

ReadScope::~ReadScope() {
  ReadScope** at = &open_scopes;
  while (*at != this) at = &(*at)->next_;
  *at = next_;
  if (!locked_) return;
  for (ReadScope* other = open_scopes; other != nullptr; other = other->next_) {
    if (other->store_ != store_) continue;
    other->locked_ = true;  // It reads on.
    return;
  }
  store_->rows_.unlock();
}

bool ReadScope::IsOpen(const MemoryStore* store) {
  for (const ReadScope* scope = open_scopes; scope != nullptr; scope = scope->next_) {
    if (scope->store_ == store) return true;
  }
  return false;
}

const MemoryTable* ReadScope::FindTable(const TableInfo& info) const {
  const MemoryTable* table = store_->session_.Find(info);
  if (table != nullptr) {
    last_info_ = &info;
    last_table_ = table;
  }
  return table;
}

absl::StatusOr<std::unique_ptr<MemoryStore>> MemoryStore::Open(
    const std::string& path, const MemoryOptions& options,
    std::span<const TableInfo* const> tables) {
  auto store = std::make_unique<MemoryStore>();
  for (const TableInfo* table : tables) {
    if (absl::Status status = store->session_.Create(*table); !status.ok()) return status;
  }
  if (path == ":memory:") return store;
  auto log = MemoryLog::Open(path, options, store->session_);
  if (!log.ok()) return log.status();
  store->log_ = *std::move(log);
  store->session_.set_log(store->log_.get());
  return store;
}

absl::Status MemoryStore::CanWrite() const {
  if (IsWriter()) {
    return absl::FailedPreconditionError("within a transaction, use the Transaction");
  }
  if (ReadScope::IsOpen(this)) {
    return absl::FailedPreconditionError("the thread has a MemoryView, which holds off writers");
  }
  return absl::OkStatus();
}

absl::Status MemoryStore::AddListener(LogListener* listener) {
  if (absl::Status status = CanWrite(); !status.ok()) return status;
  listeners_.Add(listener);
  return absl::OkStatus();
}

absl::Status MemoryStore::MakeChange(absl::FunctionRef<absl::Status(MemorySession& session)> body) {
  std::vector<std::string> logs;
  absl::Status status = Commit(body, &logs);
  // Also if the disk has failed: others see the change.
  if (!logs.empty()) listeners_.Wake(logs);
  return status;
}

absl::Status MemoryStore::Commit(absl::FunctionRef<absl::Status(MemorySession& session)> body,
                                 std::vector<std::string>* logs) {
  if (absl::Status status = CanWrite(); !status.ok()) return status;
  std::uint64_t position = 0;
  {
    const std::lock_guard writer(writer_);
    absl::Status status;
    {
      const std::lock_guard rows(rows_);
      writer_thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
      status = session_.Transact([&] { return body(session_); });
      writer_thread_.store(std::thread::id(), std::memory_order_relaxed);
    }
    for (const MemoryHistory* history : session_.TakeWritten()) {
      if (status.ok()) logs->push_back(history->Name());
    }
    if (!status.ok() || log_ == nullptr) return status;
    position = log_->position();
    // That it fails is no failure of the write, which the log has. It is tried again later.
    if (log_->WantsCheckpoint()) log_->Checkpoint().IgnoreError();
  }
  return log_->Sync(position);
}

absl::Status MemoryStore::Transact(absl::AnyInvocable<absl::Status(RowStore& store)> body) {
  return MakeChange([&](MemorySession& session) {
    MemoryTransaction transaction(session);
    return body(transaction);
  });
}

absl::Status MemoryStore::Create(const TableInfo& table) {
  return MakeChange([&](MemorySession& session) -> absl::Status {
    if (log_ == nullptr || session.Find(table) != nullptr) return session.Create(table);
    return absl::FailedPreconditionError(
        absl::StrCat(table.name, ": has to be named when the file is opened"));
  });
}

absl::Status MemoryStore::Write(const WriteOperation& operation) {
  return MakeChange([&](MemorySession& session) { return session.Write(operation); });
}

absl::Status MemoryStore::InsertAll(const TableInfo& table, const void* rows, std::size_t count,
                                    std::size_t* failed) {
  return MakeChange(
      [&](MemorySession& session) { return session.InsertAll(table, rows, count, failed); });
}

absl::Status MemoryStore::Get(const TableInfo& table, std::span<const Argument> key, void* row) {
  if (IsWriter()) return CanWrite();
  const ReadScope scope(this);
  return GetRow(session_, table, key, row);
}

absl::StatusOr<std::int64_t> MemoryStore::Count(const TableInfo& table) {
  if (IsWriter()) return CanWrite();
  const ReadScope scope(this);
  return CountRows(session_, table);
}

absl::Status MemoryStore::Select(const SelectOperation& operation,
                                 std::span<const ResultField> fields, RowSink& sink) {
  if (IsWriter()) return CanWrite();
  const ReadScope scope(this);
  return session_.Select(operation, fields, sink);
}

absl::StatusOr<std::int64_t> MemoryStore::Change(const ChangeOperation& operation) {
  std::int64_t count = 0;
  absl::Status status = MakeChange([&](MemorySession& session) {
    const absl::StatusOr<std::int64_t> changed = session.Change(operation);
    count = changed.value_or(0);
    return changed.status();
  });
  if (!status.ok()) return status;
  return count;
}

absl::Status MemoryStore::Checkpoint() {
  // A writer may hold `writer_` and wait for the views of this thread.
  if (absl::Status status = CanWrite(); !status.ok()) return status;
  const std::lock_guard writer(writer_);
  return log_ == nullptr ? absl::OkStatus() : log_->Checkpoint();
}

const void* FindInteger(const MemoryTable* table, std::int64_t key) {
  return table == nullptr ? nullptr : table->FindInteger(key);
}

const void* FindRow(const MemoryTable* table, std::span<const Argument> key) {
  return table == nullptr ? nullptr : table->FindKey(key);
}

absl::Status FindUnique(const ReadScope& scope, const TableInfo& info, std::uint32_t offset,
                        const void* field, const void** row) {
  const MemoryTable* table = scope.Table(info);
  if (table == nullptr) return scope.store()->session().Need(info).status();
  const absl::StatusOr<const Column*> column = ColumnOf(info, offset);
  if (!column.ok()) return column.status();
  const Value value = ValueOfField(**column, field);
  if (info.has_rowid_key() && *column == &info.key_column()) {
    *row = value.what == Value::Class::kInteger ? table->FindInteger(value.integer) : nullptr;
    return absl::OkStatus();
  }
  const HashIndex* index = table->UniqueOf(**column);
  if (index == nullptr) return HasNoIndex(info, **column, "Unique()");
  *row = index->Find({&value, 1});
  return absl::OkStatus();
}

absl::Status ScanRows(const ReadScope& scope, const TableInfo& info, RowVisitor visitor) {
  const MemoryTable* table = scope.Table(info);
  if (table == nullptr) return scope.store()->session().Need(info).status();
  table->ForEach([&](const char* row) { return visitor.visit(visitor.context, row); });
  return absl::OkStatus();
}

absl::Status ScanOrdered(const ReadScope& scope, const TableInfo& info, std::uint32_t offset,
                         const void* low, const void* high, RowVisitor visitor) {
  const MemoryTable* table = scope.Table(info);
  if (table == nullptr) return scope.store()->session().Need(info).status();
  const absl::StatusOr<const Column*> column = ColumnOf(info, offset);
  if (!column.ok()) return column.status();
  const OrderedIndex* index = table->OrderedOf(**column);
  if (index == nullptr) return HasNoIndex(info, **column, "index that begins with it");
  const Value from = low == nullptr ? Value{} : ValueOfField(**column, low);
  const Value to = high == nullptr ? Value{} : ValueOfField(**column, high);
  index->Scan(low == nullptr ? nullptr : &from, high == nullptr ? nullptr : &to,
              [&](const char* row) { return visitor.visit(visitor.context, row); });
  return absl::OkStatus();
}

}  // namespace strata::orm::internal
