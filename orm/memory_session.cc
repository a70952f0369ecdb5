#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/orm/memory_codec_internal.h"
#include "strata/orm/memory_query_internal.h"
#include "strata/orm/memory_session_internal.h"
#include "strata/orm/rules_internal.h"
#include "strata/orm/scalar_internal.h"

namespace strata::orm::internal {
namespace {

absl::Status NoSuchRow(const TableInfo& info) {
  return absl::NotFoundError(absl::StrCat(info.name, ": no row has this key"));
}

const Column* ColumnAt(const TableInfo& info, int position) {
  return position < 0 ? nullptr : &info.columns[static_cast<std::size_t>(position)];
}

void StoreAt(const TableInfo& info, int position, std::int64_t number, void* row) {
  const Column* column = ColumnAt(info, position);
  if (column != nullptr) StoreInteger(*column->value, column->Emplace(row), number);
}

void CopyAt(const TableInfo& info, int position, void* to, const void* from) {
  const Column* column = ColumnAt(info, position);
  if (column != nullptr) CopyField(*column, to, from);
}

std::int64_t NowAt(const TableInfo& info, int position) {
  const Column* column = ColumnAt(info, position);
  return column == nullptr ? 0 : NowTicks(column->value->unit);
}

// What a write sets, and what it keeps, in the image that is to replace a row.
absl::Status FinishImage(const TableInfo& info, const void* stored, void* image) {
  // As it was written: with NOCASE, an equal key need not be the same.
  for (std::size_t i = 0; i < info.key_count; ++i) CopyAt(info, info.key[i], image, stored);
  StoreAt(info, info.modified_at, NowAt(info, info.modified_at), image);
  CopyAt(info, info.created_at, image, stored);
  const Column* column = ColumnAt(info, info.version);
  if (column == nullptr) return absl::OkStatus();
  const std::int64_t version = LoadInteger(*column->value, column->Value(stored));
  if (version != std::numeric_limits<std::int64_t>::max() &&
      StoreInteger(*column->value, column->Emplace(image), version + 1)) {
    return absl::OkStatus();
  }
  return ColumnError(absl::StatusCode::kOutOfRange, info, *column, "no version is left");
}

// What a write has set by itself.
void CopyStamps(const TableInfo& info, bool is_update, const char* stored, void* result) {
  if (!is_update) {
    if (info.has_rowid_key()) CopyField(info.key_column(), result, stored);
    CopyAt(info, info.created_at, result, stored);
  }
  if (!is_update || info.modified_at != info.created_at) {
    CopyAt(info, info.modified_at, result, stored);
  }
  CopyAt(info, info.version, result, stored);
}

// The columns of an update, whose values in `row` are as the rules ask for; all without offsets.
absl::StatusOr<std::span<const Column* const>> ColumnsToWrite(
    const MemoryTable& table, std::span<const std::uint32_t> offsets, const void* row,
    std::vector<const Column*>* room) {
  const TableInfo& info = table.info();
  for (const std::uint32_t offset : offsets) {
    const auto found = std::ranges::find(info.columns, offset, &Column::offset);
    if (found == info.columns.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat(info.name, ": a field of the update is no column"));
    }
    if (std::ranges::find(table.updated(), &*found) == table.updated().end()) {
      return ColumnError(absl::StatusCode::kInvalidArgument, info, *found,
                         "an update does not set it");
    }
    room->push_back(&*found);
  }
  const std::span<const Column* const> columns = offsets.empty() ? table.updated() : *room;
  for (const Column* column : columns) {
    if (absl::Status status = table.Check(*column, row); !status.ok()) return status;
  }
  return columns;
}

}  // namespace

MemoryTable* MemorySession::Find(const TableInfo& info) const {
  const auto found = by_info_.find(&info);
  return found == by_info_.end() ? nullptr : found->second;
}

absl::StatusOr<MemoryTable*> MemorySession::Need(const TableInfo& info) const {
  MemoryTable* table = Find(info);
  if (table != nullptr) return table;
  return absl::FailedPreconditionError(absl::StrCat(info.name, ": there is no such table"));
}

absl::Status MemorySession::Select(const SelectOperation& operation,
                                   std::span<const ResultField> fields, RowSink& sink) const {
  const MemoryTable* table = Find(*operation.table);
  if (table != nullptr) return SelectRows(*table, operation, fields, sink);
  const MemoryHistory* history = FindHistory(*operation.table);
  if (history != nullptr) return history->Select(operation, fields, sink);
  return Need(*operation.table).status();
}

absl::Status MemorySession::Create(const TableInfo& info) {
  if (Find(info) != nullptr) return absl::OkStatus();
  for (const auto& table : tables_) {
    if (!SameName(table->info().name, info.name)) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(info.name, ": another struct has a table of this name"));
  }
  absl::StatusOr<std::unique_ptr<MemoryTable>> table = MemoryTable::Make(info);
  if (!table.ok()) return table.status();
  (*table)->position = tables_.size();
  by_info_[&info] = table->get();
  histories_.push_back(std::make_unique<MemoryHistory>(table->get()));
  if (histories_.back()->is_kept()) (*table)->history = histories_.back().get();
  tables_.push_back(*std::move(table));
  ConnectReferences(*tables_.back());
  return absl::OkStatus();
}

absl::Status MemorySession::End(absl::Status status, const Mark& mark) {
  --depth_;
  if (status.ok() && depth_ == 0 && log_ != nullptr && !changes_.empty()) {
    status = log_->Append(changes_);
  }
  if (!status.ok()) RollBack(mark);
  if (depth_ == 0) Forget();
  return status;
}

void MemorySession::RollBack(const Mark& mark) {
  // Backwards, each step meets the table as it was after the change. So none of them can fail.
  while (undo_.size() > mark.undo) {
    const Undo undo = undo_.back();
    undo_.pop_back();
    MemoryTable& table = *undo.table;
    // Each change has one entry.
    if (table.history != nullptr) table.history->RemoveLast();
    switch (undo.what) {
      case Undo::What::kInserted:
        table.Unlink(undo.row);
        table.info().ops.destroy(undo.row);
        table.Free(undo.row);
        table.last_key = undo.last_key;
        break;
      case Undo::What::kUpdated:
        table.Replace(undo.row, undo.before).IgnoreError();
        table.info().ops.destroy(undo.before);
        table.Free(undo.before);
        break;
      case Undo::What::kDeleted:
        table.Link(undo.row).IgnoreError();
        break;
    }
  }
  changes_.resize(mark.changes);
  noted_time_.reset();
  prunes_.resize(mark.prunes);
}

void MemorySession::Forget() {
  for (const PendingPrune& prune : prunes_) prune.history->Prune(prune.sequence);
  prunes_.clear();
  noted_time_.reset();
  for (const Undo& undo : undo_) {
    if (undo.table->history != nullptr) undo.table->history->PruneByRule();
    if (undo.what == Undo::What::kInserted) continue;
    char* gone = undo.what == Undo::What::kDeleted ? undo.row : undo.before;
    undo.table->info().ops.destroy(gone);
    undo.table->Free(gone);
  }
  undo_.clear();
  changes_.clear();
  // What a large transaction needed is not kept for small ones.
  constexpr std::size_t kKept = 4096;
  if (undo_.capacity() > kKept) undo_ = {};
  if (changes_.capacity() > kKept * 16) changes_ = {};
}

absl::Status MemorySession::Write(const WriteOperation& operation) {
  const absl::StatusOr<MemoryTable*> table = Need(*operation.table);
  if (!table.ok()) return table.status();
  if (operation.what == WriteOperation::What::kDelete) return Delete(**table, operation);
  FilteredRow filtered;
  if (absl::Status status = filtered.Apply(*operation.table, operation.row); !status.ok()) {
    return status;
  }
  const Mark mark = Here();
  char* stored = nullptr;
  absl::Status status;
  switch (operation.what) {
    case WriteOperation::What::kInsert:
      status = Insert(**table, filtered.row(), &stored);
      break;
    case WriteOperation::What::kUpsert:
      status = Upsert(**table, filtered.row(), &stored);
      break;
    default:
      status = Update(**table, operation.offsets, filtered.row(), &stored);
  }
  if (!status.ok()) return status;
  if (status = CheckReferences(mark.undo); !status.ok()) {
    RollBack(mark);
    return status;
  }
  if (operation.result == nullptr) return status;
  filtered.Return(operation.result);
  CopyStamps((*table)->info(), operation.what == WriteOperation::What::kUpdate, stored,
             operation.result);
  return status;
}

absl::Status MemorySession::InsertAll(const TableInfo& info, const void* rows, std::size_t count,
                                      std::size_t* failed) {
  const absl::StatusOr<MemoryTable*> table = Need(info);
  if (!table.ok()) return table.status();
  (*table)->Reserve(count);
  undo_.reserve(std::max(undo_.size() + count, undo_.capacity()));
  const Statement statement = BeginStatement();
  const char* at = static_cast<const char*>(rows);
  char* stored = nullptr;
  for (std::size_t i = 0; i < count; ++i, at += info.row_size) {
    FilteredRow filtered;
    absl::Status status = filtered.Apply(info, at);
    if (status.ok()) status = Insert(**table, filtered.row(), &stored);
    if (status.ok()) continue;
    *failed = i;
    return status;
  }
  return CheckReferences(statement, failed);
}

absl::Status MemorySession::GiveKey(MemoryTable& table, char* row) {
  const TableInfo& info = table.info();
  if (!table.has_integer_key()) return absl::OkStatus();
  const Column& column = info.key_column();
  const std::int64_t key = LoadInteger(*column.value, row + column.offset);
  if (key < 0 && column.value->kind == Kind::kUint64) {
    return ColumnError(absl::StatusCode::kOutOfRange, info, column, "keys end at 2^63 - 1");
  }
  if (key != 0) {
    table.last_key = std::max(table.last_key, key);
    return absl::OkStatus();
  }
  if (table.last_key == std::numeric_limits<std::int64_t>::max() ||
      !StoreInteger(*column.value, row + column.offset, table.last_key + 1)) {
    return ColumnError(absl::StatusCode::kResourceExhausted, info, column, "no key is left");
  }
  ++table.last_key;
  return absl::OkStatus();
}

absl::Status MemorySession::LinkNew(MemoryTable& table, char* row) {
  const std::int64_t last_key = table.last_key;
  absl::Status status = GiveKey(table, row);
  if (status.ok()) status = table.Link(row);
  if (!status.ok()) {
    table.last_key = last_key;
    return status;
  }
  undo_.push_back({Undo::What::kInserted, &table, row, {.last_key = last_key}});
  Note(table, ChangeKind::kInsert, row);
  if (log_ != nullptr) AppendPut(table, row, &changes_);
  return status;
}

absl::Status MemorySession::Insert(MemoryTable& table, const void* row, char** stored) {
  const TableInfo& info = table.info();
  if (absl::Status status = table.CheckAll(row); !status.ok()) return status;
  NewRow added(table, row);
  if (info.has_stamps()) {
    StoreAt(info, info.modified_at, NowAt(info, info.modified_at), added.get());
    StoreAt(info, info.created_at, NowAt(info, info.created_at), added.get());
    StoreAt(info, info.version, 1, added.get());
  }
  if (absl::Status status = LinkNew(table, added.get()); !status.ok()) return status;
  *stored = added.Release();
  return absl::OkStatus();
}

absl::Status MemorySession::InsertInPlace(MemoryTable& table, char* row) {
  for (const Column& column : table.info().columns) {
    if (!column.has(Column::kFiltered)) continue;
    if (const void* value = column.Value(row); value != nullptr) {
      column.filter.apply(const_cast<void*>(value));
    }
  }
  if (absl::Status status = table.CheckAll(row); !status.ok()) return status;
  return LinkNew(table, row);
}

absl::Status MemorySession::Replace(MemoryTable& table, char* row, const void* image) {
  NewRow before(table, row);
  if (absl::Status status = table.Replace(row, image); !status.ok()) return status;
  undo_.push_back({Undo::What::kUpdated, &table, row, {.before = before.Release()}});
  Note(table, ChangeKind::kUpdate, row);
  if (log_ != nullptr) AppendPut(table, row, &changes_);
  return absl::OkStatus();
}

absl::Status MemorySession::Update(MemoryTable& table, std::span<const std::uint32_t> offsets,
                                   const void* row, char** stored) {
  const TableInfo& info = table.info();
  if (table.updated().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(info.name, ": has no column besides its key"));
  }
  std::vector<const Column*> room;
  const auto written = ColumnsToWrite(table, offsets, row, &room);
  if (!written.ok()) return written.status();
  *stored = table.FindKeyOf(row);
  if (*stored == nullptr) return NoSuchRow(info);
  if (const Column* version = ColumnAt(info, info.version); version != nullptr) {
    if (LoadInteger(*version->value, version->Value(row)) !=
        LoadInteger(*version->value, version->Value(*stored))) {
      return ColumnError(absl::StatusCode::kAborted, info, *version,
                         "another version of the row has been written meanwhile");
    }
  }
  NewRow image(table, offsets.empty() ? row : *stored);
  if (!offsets.empty()) {
    for (const Column* column : *written) CopyField(*column, image.get(), row);
  }
  if (absl::Status status = FinishImage(info, *stored, image.get()); !status.ok()) return status;
  return Replace(table, *stored, image.get());
}

absl::Status MemorySession::Upsert(MemoryTable& table, const void* row, char** stored) {
  const TableInfo& info = table.info();
  *stored = table.FindKeyOf(row);
  if (*stored == nullptr) return Insert(table, row, stored);
  if (absl::Status status = table.CheckAll(row); !status.ok()) return status;
  NewRow image(table, row);
  if (absl::Status status = FinishImage(info, *stored, image.get()); !status.ok()) return status;
  return Replace(table, *stored, image.get());
}

void MemorySession::DeleteRow(MemoryTable& table, char* row) {
  Note(table, ChangeKind::kDelete, row);
  if (log_ != nullptr) AppendRemove(table, row, &changes_);
  table.Unlink(row);
  undo_.push_back({Undo::What::kDeleted, &table, row, {.before = nullptr}});
}

absl::Status MemorySession::Delete(MemoryTable& table, const WriteOperation& operation) {
  char* row = operation.key.empty() ? table.FindKeyOf(operation.row) : table.FindKey(operation.key);
  if (row == nullptr) return NoSuchRow(table.info());
  if (!has_references_) {
    DeleteRow(table, row);
    return absl::OkStatus();
  }
  const Mark mark = Here();
  absl::Status status = DeleteWithReferrers(table, row);
  if (status.ok()) status = CheckReferences(mark.undo);
  if (!status.ok()) RollBack(mark);
  return status;
}

absl::Status MemorySession::UpdateRow(MemoryTable& table, std::span<const Column* const> columns,
                                      const void* values, char* row) {
  NewRow image(table, row);
  for (const Column* column : columns) CopyField(*column, image.get(), values);
  absl::Status status = FinishImage(table.info(), row, image.get());
  return status.ok() ? Replace(table, row, image.get()) : status;
}

absl::StatusOr<std::int64_t> MemorySession::Change(const ChangeOperation& operation) {
  MemoryHistory* history = FindHistory(*operation.table);
  if (history != nullptr) return ChangeHistory(*history, operation);
  const absl::StatusOr<MemoryTable*> table = Need(*operation.table);
  if (!table.ok()) return table.status();
  FilteredRow filtered;
  std::vector<const Column*> room;
  absl::StatusOr<std::span<const Column* const>> columns;
  if (operation.row != nullptr) {
    if (operation.offsets.empty()) return absl::InvalidArgumentError("no fields to update");
    absl::Status status = filtered.Apply(*operation.table, operation.row);
    if (!status.ok()) return status;
    columns = ColumnsToWrite(**table, operation.offsets, filtered.row(), &room);
    if (!columns.ok()) return columns.status();
  }
  const absl::StatusOr<std::vector<char*>> rows = FindRows(**table, {operation.where, 1});
  if (!rows.ok()) return rows.status();
  const Mark mark = Here();
  std::int64_t count = 0;
  absl::Status status;
  for (char* row : *rows) {
    if (!(*table)->IsLinked(row)) continue;  // It has gone with one before.
    status = operation.row == nullptr ? DeleteWithReferrers(**table, row)
                                      : UpdateRow(**table, *columns, filtered.row(), row);
    if (!status.ok()) break;
    ++count;
  }
  if (status.ok()) status = CheckReferences(mark.undo);
  if (status.ok()) return count;
  RollBack(mark);
  return status;
}

absl::Status MemorySession::Put(MemoryTable& table, char* row) {
  char* stored = table.FindKeyOf(row);
  if (stored == nullptr) {
    absl::Status status = LinkNew(table, row);
    if (!status.ok()) {
      table.info().ops.destroy(row);
      table.Free(row);
    }
    return status;
  }
  absl::Status status = Replace(table, stored, row);
  table.info().ops.destroy(row);
  table.Free(row);
  return status;
}

absl::Status MemorySession::Remove(MemoryTable& table, const void* with_key) {
  char* row = table.FindKeyOf(with_key);
  if (row == nullptr) return NoSuchRow(table.info());
  DeleteRow(table, row);
  return absl::OkStatus();
}

}  // namespace strata::orm::internal
