#include <algorithm>
#include <new>

#include "absl/strings/str_cat.h"
#include "strata/orm/memory_table_internal.h"
#include "strata/orm/rules_internal.h"
#include "strata/orm/scalar_internal.h"
#include "strata/orm/utf8_internal.h"

namespace strata::orm::internal {
namespace {

// The first chunk is small, as there are tables of a few rows; later ones are some pages large.
constexpr std::size_t kFirstChunkBytes = 4096;
constexpr std::size_t kMaxChunkBytes = std::size_t{1} << 20;

absl::Status CannotHave(const TableInfo& table, const Column& column, std::string_view what) {
  return ColumnError(absl::StatusCode::kFailedPrecondition, table, column,
                     absl::StrCat("the engine in memory has no ", what));
}

bool IsNested(const Column& column) {
  return column.value->kind == Kind::kList || column.value->kind == Kind::kStruct;
}

// Whether values of both are of one type, or are integers.
bool AreOfOneType(const Column& a, const Column& b) {
  const TypeInfo& of_a = *a.value;
  const TypeInfo& of_b = *b.value;
  if (a.has(Column::kAsText) != b.has(Column::kAsText)) return false;
  if (of_a.is_enum || of_b.is_enum) return of_a.enum_id == of_b.enum_id;
  if (IsIntegerKind(of_a.kind)) return IsIntegerKind(of_b.kind);
  return of_a.kind == of_b.kind && of_a.unit == of_b.unit;
}

absl::Status CheckReference(const TableInfo& table, const Column& column) {
  const TableInfo& parent = column.references();
  if (parent.key_count != 1 || !AreOfOneType(column, parent.key_column())) {
    return CannotHave(table, column, "References() to a key of another type");
  }
  if (column.on_delete != ForeignKeyAction::kSetDefault) return absl::OkStatus();
  if (column.default_value.type == DefaultValue::Type::kSql) {
    return CannotHave(table, column, "kSetDefault to a DefaultSql()");
  }
  if (column.has(Column::kPrimaryKey)) return CannotHave(table, column, "kSetDefault of a key");
  return absl::OkStatus();
}

// What only SQL could do is refused, as a table without it would not be the one described.
absl::Status CheckDescription(const TableInfo& table) {
  if (table.ops.construct == nullptr || table.ops.copy == nullptr || table.ops.assign == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        table.name, ": the engine in memory takes structs that can be made, copied and assigned"));
  }
  if (!table.checks.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(table.name, ": the engine in memory has no Check()"));
  }
  if (table.full_text.column_count != 0 || table.boxes.column_count != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(table.name, ": the engine in memory has no FullText() or Boxes()"));
  }
  for (const Column& column : table.columns) {
    Collation collation;
    if (!column.check.empty()) return CannotHave(table, column, "Check(); use Validate()");
    if (!column.generated.empty()) return CannotHave(table, column, "Generated()");
    if (column.references != nullptr) {
      if (absl::Status status = CheckReference(table, column); !status.ok()) return status;
    }
    if (!FindCollation(column.collation, &collation)) {
      return CannotHave(table, column, absl::StrCat("collation ", column.collation));
    }
    if (IsNested(column) && (column.has(Column::kUnique) || column.has(Column::kIndexed))) {
      return CannotHave(table, column, "index over what is nested");
    }
  }
  for (const IndexInfo& index : table.indexes) {
    for (std::size_t i = 0; i < index.column_count; ++i) {
      const Column& column = *table.Find(index.columns[i]);
      if (!index.where.empty()) return CannotHave(table, column, "Where() of an index");
      if (IsNested(column)) return CannotHave(table, column, "index over what is nested");
    }
  }
  return absl::OkStatus();
}

IndexedColumn Indexed(const Column& column) {
  IndexedColumn indexed{&column, Collation::kBinary};
  FindCollation(column.collation, &indexed.collation);
  return indexed;
}

bool IsKey(const TableInfo& table, const Column& column) {
  for (std::size_t i = 0; i < table.key_count; ++i) {
    if (&table.columns[table.key[i]] == &column) return true;
  }
  return false;
}

std::size_t RoundUp(std::size_t size, std::size_t align) {
  return (size + align - 1) / align * align;
}

}  // namespace

MemoryTable::MemoryTable(const TableInfo& info) : info_(info) {
  const std::size_t align = std::max<std::size_t>(info.row_align, alignof(std::uint64_t));
  head_ = align;
  stride_ = RoundUp(head_ + info.row_size, align);
  for (const Column& column : info.columns) {
    const bool has_rules = column.max_length != 0 || column.has(Column::kValidated) ||
                           (column.nullable() && column.has(Column::kNotNull));
    if (has_rules) ruled_.push_back(&column);
    if (NeedsCheck(column)) checked_.push_back(&column);
    if (!column.has(Column::kCreatedAt) && !IsKey(info, column)) updated_.push_back(&column);
  }
}

absl::StatusOr<std::unique_ptr<MemoryTable>> MemoryTable::Make(const TableInfo& info) {
  if (absl::Status status = CheckDescription(info); !status.ok()) return status;
  auto table = std::unique_ptr<MemoryTable>(new MemoryTable(info));
  if (!info.has_rowid_key()) {
    std::vector<IndexedColumn> key;
    for (std::size_t i = 0; i < info.key_count; ++i) {
      key.push_back(Indexed(info.columns[info.key[i]]));
    }
    table->by_key_ = std::make_unique<HashIndex>(std::move(key));
  }
  for (const Column& column : info.columns) {
    const std::vector<IndexedColumn> alone = {Indexed(column)};
    const bool is_key = info.key_count == 1 && &column == &info.key_column();
    if (column.has(Column::kUnique) && !is_key) {
      table->unique_.push_back(std::make_unique<HashIndex>(alone));
    }
    if (column.has(Column::kIndexed)) {
      table->ordered_.push_back(std::make_unique<OrderedIndex>(alone));
    }
  }
  for (const IndexInfo& index : info.indexes) {
    std::vector<IndexedColumn> columns;
    for (std::size_t i = 0; i < index.column_count; ++i) {
      columns.push_back(Indexed(*info.Find(index.columns[i])));
    }
    if (index.unique) {
      table->unique_.push_back(std::make_unique<HashIndex>(std::move(columns)));
    } else {
      table->ordered_.push_back(std::make_unique<OrderedIndex>(std::move(columns)));
    }
  }
  table->MakeReferences();
  return table;
}

void MemoryTable::MakeReferences() {
  for (const Column& column : info_.columns) {
    if (column.references == nullptr) continue;
    Reference reference{&column, &column.references(), nullptr, nullptr};
    const IndexedColumn first{&column, Indexed(reference.to->key_column()).collation};
    reference.index = FindOrdered(first);
    if (reference.index == nullptr) {
      ordered_.push_back(std::make_unique<OrderedIndex>(std::vector<IndexedColumn>{first}));
      reference.index = ordered_.back().get();
    }
    references_.push_back(reference);
  }
}

MemoryTable::~MemoryTable() {
  ForEach([this](const char* row) {
    info_.ops.destroy(const_cast<char*>(row));
    return true;
  });
  for (const Chunk& chunk : chunks_) ::operator delete (chunk.memory, std::align_val_t{head_});
}

char* MemoryTable::Allocate() {
  char* row = free_;
  if (row != nullptr) {
    free_ = reinterpret_cast<char*>(State(row));
  } else {
    if (chunks_.empty() || used_ == chunks_.back().rows) {
      const std::size_t last = chunks_.empty() ? 0 : chunks_.back().rows * stride_;
      const std::size_t bytes = std::clamp(last * 2, kFirstChunkBytes, kMaxChunkBytes);
      const std::size_t rows = std::max<std::size_t>(bytes / stride_, 1);
      chunks_.push_back(
          {static_cast<char*>(::operator new (rows* stride_, std::align_val_t{head_})), rows});
      used_ = 0;
    }
    row = chunks_.back().memory + used_++ * stride_ + head_;
  }
  State(row) = kHeld;
  return row;
}

void MemoryTable::Free(char* row) {
  State(row) = reinterpret_cast<std::uintptr_t>(free_);
  free_ = row;
}

absl::Status MemoryTable::Taken(std::span<const IndexedColumn> columns) const {
  std::string message = absl::StrCat(info_.name, ": UNIQUE constraint failed: ");
  for (const IndexedColumn& each : columns) {
    absl::StrAppend(&message, &each == columns.data() ? "" : ", ", info_.name, ".",
                    each.column->name);
  }
  return absl::AlreadyExistsError(message);
}

absl::Status MemoryTable::InsertKey(char* row) {
  if (by_key_ != nullptr) {
    return by_key_->Insert(row) ? absl::OkStatus() : Taken(by_key_->columns());
  }
  const Column& column = info_.key_column();
  const std::int64_t key = LoadInteger(*column.value, row + column.offset);
  if (by_integer_.try_emplace(key, row).second) return absl::OkStatus();
  const IndexedColumn indexed = Indexed(column);
  return Taken({&indexed, 1});
}

void MemoryTable::EraseKey(char* row) {
  if (by_key_ != nullptr) {
    by_key_->Erase(row);
  } else {
    const Column& column = info_.key_column();
    by_integer_.erase(LoadInteger(*column.value, row + column.offset));
  }
}

void MemoryTable::NoteKey(const char* row) {
  if (by_key_ != nullptr) return;
  const Column& column = info_.key_column();
  last_key = std::max(last_key, LoadInteger(*column.value, row + column.offset));
}

void MemoryTable::UnlinkUnique(char* row, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) unique_[i]->Erase(row);
}

absl::Status MemoryTable::LinkUnique(char* row) {
  for (std::size_t i = 0; i < unique_.size(); ++i) {
    if (unique_[i]->Insert(row)) continue;
    UnlinkUnique(row, i);
    return Taken(unique_[i]->columns());
  }
  return absl::OkStatus();
}

absl::Status MemoryTable::Link(char* row) {
  if (absl::Status status = InsertKey(row); !status.ok()) return status;
  if (!loading_) {
    if (absl::Status status = LinkUnique(row); !status.ok()) {
      EraseKey(row);
      return status;
    }
    for (const auto& index : ordered_) index->Insert(row);
  }
  State(row) = kLinked;
  ++size_;
  return absl::OkStatus();
}

void MemoryTable::Unlink(char* row) {
  EraseKey(row);
  if (!loading_) {
    UnlinkUnique(row, unique_.size());
    for (const auto& index : ordered_) index->Erase(row);
  }
  State(row) = kHeld;
  --size_;
}

absl::Status MemoryTable::Replace(char* row, const void* image) {
  if (loading_) {
    info_.ops.assign(row, image);
    return absl::OkStatus();
  }
  std::uint64_t changed_unique = 0;  // A bit for each index; those beyond 64 count as changed.
  std::uint64_t changed_ordered = 0;
  const auto is_set = [](std::uint64_t bits, std::size_t i) {
    return i >= 64 || (bits >> i & 1) != 0;
  };
  for (std::size_t i = 0; i < unique_.size(); ++i) {
    if (unique_[i]->SameIn(row, image)) continue;
    if (unique_[i]->IsTaken(image, row)) return Taken(unique_[i]->columns());
    if (i < 64) changed_unique |= std::uint64_t{1} << i;
  }
  for (std::size_t i = 0; i < ordered_.size() && i < 64; ++i) {
    if (!ordered_[i]->SameIn(row, image)) changed_ordered |= std::uint64_t{1} << i;
  }
  // The entries refer to the row, whose values have to be the old ones to find them. A key is equal
  // to the old one, as its index tells that, but need not be the same: NOCASE.
  for (std::size_t i = 0; i < unique_.size(); ++i) {
    if (is_set(changed_unique, i)) unique_[i]->Erase(row);
  }
  for (std::size_t i = 0; i < ordered_.size(); ++i) {
    if (is_set(changed_ordered, i)) ordered_[i]->Erase(row);
  }
  info_.ops.assign(row, image);
  for (std::size_t i = 0; i < unique_.size(); ++i) {
    if (is_set(changed_unique, i)) unique_[i]->Insert(row);
  }
  for (std::size_t i = 0; i < ordered_.size(); ++i) {
    if (is_set(changed_ordered, i)) ordered_[i]->Insert(row);
  }
  return absl::OkStatus();
}

char* MemoryTable::FindKey(std::span<const Argument> key) const {
  if (by_key_ == nullptr) {
    const Value value = ValueOfArgument(info_.key_column(), key[0]);
    // An argument may be of a wider type than the key, and then above all keys.
    return value.what == Value::Class::kInteger ? FindInteger(value.integer) : nullptr;
  }
  std::array<Value, kMaxKeyColumns> values;
  for (std::size_t i = 0; i < info_.key_count; ++i) {
    values[i] = ValueOfArgument(info_.columns[info_.key[i]], key[i]);
  }
  return by_key_->Find(std::span(values).first(info_.key_count));
}

char* MemoryTable::FindKeyOf(const void* row) const {
  if (by_key_ == nullptr) {
    const Column& column = info_.key_column();
    return FindInteger(LoadInteger(*column.value, column.Value(row)));
  }
  std::array<Value, kMaxKeyColumns> values;
  for (std::size_t i = 0; i < info_.key_count; ++i) {
    values[i] = ValueIn(info_.columns[info_.key[i]], row);
  }
  return by_key_->Find(std::span(values).first(info_.key_count));
}

char* MemoryTable::FindReferred(const Value& value) const {
  if (by_key_ != nullptr) return by_key_->Find({&value, 1});
  return value.what == Value::Class::kInteger ? FindInteger(value.integer) : nullptr;
}

const HashIndex* MemoryTable::UniqueOf(const Column& column) const {
  for (const auto& index : unique_) {
    if (index->columns().size() == 1 && index->columns()[0].column == &column) return index.get();
  }
  if (by_key_ != nullptr && info_.key_count == 1 && &info_.key_column() == &column) {
    return by_key_.get();
  }
  return nullptr;
}

const OrderedIndex* MemoryTable::OrderedOf(const Column& column) const {
  return FindOrdered(Indexed(column));
}

const OrderedIndex* MemoryTable::FindOrdered(const IndexedColumn& first) const {
  for (const auto& index : ordered_) {
    const IndexedColumn& other = index->columns()[0];
    if (other.column == first.column && other.collation == first.collation) return index.get();
  }
  return nullptr;
}

void MemoryTable::ForEach(absl::FunctionRef<bool(const char* row)> each) const {
  for (const Chunk& chunk : chunks_) {
    const std::size_t rows = &chunk == &chunks_.back() ? used_ : chunk.rows;
    char* row = chunk.memory + head_;
    for (std::size_t i = 0; i < rows; ++i, row += stride_) {
      if (State(row) == kLinked && !each(row)) return;
    }
  }
}

void MemoryTable::Reserve(std::size_t rows) {
  const std::size_t wanted = size_ + rows;
  // Doubling at least, or many small calls would each rehash.
  if (by_key_ != nullptr || wanted <= by_integer_.capacity() / 2) return;
  by_integer_.reserve(std::max(wanted, size_ * 2));
}

absl::Status MemoryTable::Check(const Column& column, const void* row) const {
  if (absl::Status status = CheckRules(info_, column, row); !status.ok()) return status;
  return CheckValue(info_, column, row);
}

absl::Status MemoryTable::CheckAll(const void* row) const {
  for (const Column* column : ruled_) {
    if (absl::Status status = CheckRules(info_, *column, row); !status.ok()) return status;
  }
  for (const Column* column : checked_) {
    if (column->shape == Column::Shape::kString) {
      const char* field = static_cast<const char*>(row) + column->offset;
      const auto& text = *reinterpret_cast<const std::string*>(field);
      if (IsAscii(text) || IsUtf8(text)) continue;
    }
    if (absl::Status status = CheckValue(info_, *column, row); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status MemoryTable::FinishLoading() {
  loading_ = false;
  absl::Status status;
  for (const auto& index : unique_) index->Reserve(size_);
  ForEach([&](const char* linked) {
    char* row = const_cast<char*>(linked);
    status = LinkUnique(row);
    if (!status.ok()) return false;
    for (const auto& index : ordered_) index->Insert(row);
    return true;
  });
  return status;
}

}  // namespace strata::orm::internal
