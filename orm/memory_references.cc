// References of tables in memory: what is looked at when a statement ends, and what becomes of rows
// whose parent is deleted. Keys never change, so there is nothing to do for OnUpdate().

#include <limits>

#include "absl/strings/str_cat.h"
#include "strata/orm/memory_codec_internal.h"
#include "strata/orm/memory_session_internal.h"
#include "strata/orm/rules_internal.h"

namespace strata::orm::internal {
namespace {

// The rows that refer to the key of `parent`, a row of the table, up to so many.
std::vector<char*> Referring(const Referrer& referrer, const MemoryTable& table, const char* parent,
                             std::size_t limit = std::numeric_limits<std::size_t>::max()) {
  const Value key = ValueIn(table.info().key_column(), parent);
  std::vector<char*> rows;
  referrer.reference->index->Scan(&key, &key, [&](const char* row) {
    rows.push_back(const_cast<char*>(row));
    return rows.size() < limit;
  });
  return rows;
}

bool IsReferred(const Referrer& referrer, const MemoryTable& table, const char* parent) {
  return !Referring(referrer, table, parent, 1).empty();
}

absl::Status StillReferred(const TableInfo& table, const Referrer& referrer) {
  return absl::FailedPreconditionError(
      absl::StrCat(table.name, ": FOREIGN KEY constraint failed: ", referrer.table->info().name,
                   ".", referrer.reference->column->name, " refers to the row"));
}

// Whether what the row refers to is there.
absl::Status CheckRow(MemoryTable& table, const char* row) {
  for (const Reference& reference : table.references()) {
    const Value value = ValueIn(*reference.column, row);
    if (value.what == Value::Class::kNull) continue;
    if (reference.parent != nullptr && reference.parent->FindReferred(value) != nullptr) continue;
    return ColumnError(absl::StatusCode::kFailedPrecondition, table.info(), *reference.column,
                       absl::StrCat("FOREIGN KEY constraint failed: no row of ", reference.to->name,
                                    " has this key"));
  }
  return absl::OkStatus();
}

// Of references whose rows stay when their parent goes.
absl::Status CheckGone(const MemoryTable& table, const char* gone) {
  for (const Referrer& referrer : table.referrers()) {
    if (referrer.reference->column->on_delete != ForeignKeyAction::kNoAction) continue;
    if (IsReferred(referrer, table, gone)) {
      return StillReferred(table.info(), referrer);
    }
  }
  return absl::OkStatus();
}

}  // namespace

void MemorySession::ConnectReferences(MemoryTable& table) {
  const auto connect = [&](MemoryTable& from, Reference& reference) {
    reference.parent = Find(*reference.to);
    if (reference.parent != nullptr) reference.parent->AddReferrer({&from, &reference});
  };
  for (Reference& reference : table.references()) connect(table, reference);
  has_references_ = has_references_ || !table.references().empty();
  for (const auto& other : tables_) {
    if (other.get() == &table) continue;
    for (Reference& reference : other->references()) {
      if (reference.to == &table.info()) connect(*other, reference);
    }
  }
}

absl::Status MemorySession::CheckReferences(Statement statement, std::size_t* failed) {
  if (!has_references_) return absl::OkStatus();
  std::size_t inserts = 0;
  for (std::size_t i = statement; i < undo_.size(); ++i) {
    const Undo& undo = undo_[i];
    absl::Status status;
    if (undo.what == Undo::What::kDeleted) {
      status = CheckGone(*undo.table, undo.row);
    } else if (undo.table->IsLinked(undo.row)) {
      status = CheckRow(*undo.table, undo.row);
    }
    if (!status.ok()) {
      if (failed != nullptr) *failed = inserts;
      return status;
    }
    if (undo.what == Undo::What::kInserted) ++inserts;
  }
  return absl::OkStatus();
}

absl::Status MemorySession::CheckAllReferences() {
  absl::Status status;
  for (const auto& table : tables_) {
    if (table->references().empty()) continue;
    table->ForEach([&](const char* row) {
      status = CheckRow(*table, row);
      return status.ok();
    });
    if (!status.ok()) break;
  }
  return status;
}

absl::Status MemorySession::SetReference(const Referrer& referrer, char* row) {
  const Column& column = *referrer.reference->column;
  MemoryTable& table = *referrer.table;
  NewRow image(table, row);
  const bool to_null = column.on_delete == ForeignKeyAction::kSetNull ||
                       column.default_value.type == DefaultValue::Type::kNone;
  const bool is_set = to_null ? column.SetNull(image.get()) : SetDefault(column, image.get());
  if (!is_set || (column.has(Column::kNotNull) && column.Value(image.get()) == nullptr)) {
    return ColumnError(absl::StatusCode::kInvalidArgument, table.info(), column,
                       "NOT NULL constraint failed");
  }
  return Replace(table, row, image.get());
}

absl::Status MemorySession::ActOnReferrers(const MemoryTable& parent, const char* gone) {
  for (const Referrer& referrer : parent.referrers()) {
    if (referrer.reference->column->on_delete == ForeignKeyAction::kRestrict &&
        IsReferred(referrer, parent, gone)) {
      return StillReferred(parent.info(), referrer);
    }
  }
  for (const Referrer& referrer : parent.referrers()) {
    const ForeignKeyAction action = referrer.reference->column->on_delete;
    if (action == ForeignKeyAction::kNoAction || action == ForeignKeyAction::kRestrict) continue;
    for (char* row : Referring(referrer, parent, gone)) {
      if (action == ForeignKeyAction::kCascade) {
        DeleteRow(*referrer.table, row);
      } else if (absl::Status status = SetReference(referrer, row); !status.ok()) {
        return status;
      }
    }
  }
  return absl::OkStatus();
}

absl::Status MemorySession::DeleteWithReferrers(MemoryTable& table, char* row) {
  // The rows that are deleted on the way are found in the list of what is to be undone: no
  // recursion, as references may be chains of any length.
  std::size_t next = undo_.size();
  DeleteRow(table, row);
  for (; next < undo_.size(); ++next) {
    const Undo undo = undo_[next];
    if (undo.what != Undo::What::kDeleted) continue;
    if (absl::Status status = ActOnReferrers(*undo.table, undo.row); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace strata::orm::internal
