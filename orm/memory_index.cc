#include <utility>

#include "strata/orm/memory_table_internal.h"

namespace strata::orm::internal {
namespace {

bool SameValues(std::span<const IndexedColumn> columns, const void* a, const void* b) {
  for (const IndexedColumn& each : columns) {
    if (Compare(ValueIn(*each.column, a), ValueIn(*each.column, b), each.collation) != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace

HashIndex::HashIndex(std::vector<IndexedColumn> columns)
    : columns_(std::move(columns)), rows_(0, Hash{}, Equal{this}) {}

bool HashIndex::Equal::operator()(const Entry& a, const Entry& b) const {
  return a.hash == b.hash && SameValues(index->columns_, a.row, b.row);
}

bool HashIndex::Equal::operator()(const Entry& a, const Probe& b) const {
  if (a.hash != b.hash) return false;
  for (std::size_t i = 0; i < index->columns_.size(); ++i) {
    const IndexedColumn& column = index->columns_[i];
    if (Compare(ValueIn(*column.column, a.row), b.values[i], column.collation) != 0) return false;
  }
  return true;
}

bool HashIndex::Read(const void* row, IndexedValues* values, std::size_t* hash) const {
  *hash = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    (*values)[i] = ValueIn(*columns_[i].column, row);
    if ((*values)[i].what == Value::Class::kNull) return false;
    *hash = HashOf((*values)[i], columns_[i].collation, *hash);
  }
  return true;
}

bool HashIndex::Insert(char* row) {
  IndexedValues values;
  std::size_t hash = 0;
  if (!Read(row, &values, &hash)) return true;
  return rows_.insert(Entry{hash, row}).second;
}

void HashIndex::Erase(char* row) {
  IndexedValues values;
  std::size_t hash = 0;
  if (Read(row, &values, &hash)) rows_.erase(Entry{hash, row});
}

bool HashIndex::IsTaken(const void* image, const char* row) const {
  IndexedValues values;
  std::size_t hash = 0;
  if (!Read(image, &values, &hash)) return false;
  const auto found = rows_.find(Probe{hash, std::span(values).first(columns_.size())});
  return found != rows_.end() && found->row != row;
}

char* HashIndex::Find(std::span<const Value> values) const {
  std::size_t hash = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (values[i].what == Value::Class::kNull) return nullptr;
    hash = HashOf(values[i], columns_[i].collation, hash);
  }
  const auto found = rows_.find(Probe{hash, values});
  return found == rows_.end() ? nullptr : found->row;
}

bool HashIndex::SameIn(const void* a, const void* b) const { return SameValues(columns_, a, b); }

OrderedIndex::OrderedIndex(std::vector<IndexedColumn> columns)
    : columns_(std::move(columns)), rows_(Less{this}) {}

OrderedIndex::Entry OrderedIndex::EntryOf(char* row) const {
  return {PrefixOf(ValueIn(*columns_[0].column, row), columns_[0].collation), row};
}

bool OrderedIndex::Less::operator()(const Entry& a, const Entry& b) const {
  if (a.prefix != b.prefix) return a.prefix < b.prefix;
  for (const IndexedColumn& each : index->columns_) {
    const int order =
        Compare(ValueIn(*each.column, a.row), ValueIn(*each.column, b.row), each.collation);
    if (order != 0) return order < 0;
  }
  return std::less<>()(a.row, b.row);
}

int OrderedIndex::CompareFirst(const Entry& entry, const Bound& bound) const {
  if (entry.prefix != bound.prefix) return entry.prefix < bound.prefix ? -1 : 1;
  return Compare(ValueIn(*columns_[0].column, entry.row), *bound.value, columns_[0].collation);
}

bool OrderedIndex::Less::operator()(const Entry& a, const Bound& b) const {
  return index->CompareFirst(a, b) < 0;
}

bool OrderedIndex::Less::operator()(const Bound& a, const Entry& b) const {
  return index->CompareFirst(b, a) > 0;
}

void OrderedIndex::Insert(char* row) { rows_.insert(EntryOf(row)); }

void OrderedIndex::Erase(char* row) { rows_.erase(EntryOf(row)); }

bool OrderedIndex::SameIn(const void* a, const void* b) const { return SameValues(columns_, a, b); }

void OrderedIndex::Scan(const Value* low, const Value* high,
                        absl::FunctionRef<bool(const char* row)> each) const {
  const Collation collation = columns_[0].collation;
  auto at =
      low == nullptr ? rows_.begin() : rows_.lower_bound(Bound{PrefixOf(*low, collation), low});
  const Bound end{high == nullptr ? 0 : PrefixOf(*high, collation), high};
  for (; at != rows_.end(); ++at) {
    if (high != nullptr && CompareFirst(*at, end) > 0) return;
    if (!each(at->row)) return;
  }
}

}  // namespace strata::orm::internal
