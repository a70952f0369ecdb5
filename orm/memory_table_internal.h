// The rows of one table in memory, and its indexes. Nothing here locks, or knows of transactions.

#ifndef STRATA_ORM_MEMORY_TABLE_INTERNAL_H_
#define STRATA_ORM_MEMORY_TABLE_INTERNAL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/orm/memory_value_internal.h"
#include "strata/orm/table.h"

namespace strata::orm::internal {

// The values that a row has in an index.
using IndexedValues = std::array<Value, kMaxIndexColumns>;

// Columns whose values, together, no two rows have: found by hash. A row with a NULL in one of them
// is not in it, as NULLs are not equal.
class HashIndex {
 public:
  explicit HashIndex(std::vector<IndexedColumn> columns);

  std::span<const IndexedColumn> columns() const { return columns_; }

  // False if another row has the values; the row is not in the index then.
  bool Insert(char* row);
  void Erase(char* row);
  // Whether a row but `row` has the values of `image`.
  bool IsTaken(const void* image, const char* row) const;
  char* Find(std::span<const Value> values) const;  // Null if there is none.
  bool SameIn(const void* a, const void* b) const;
  void Reserve(std::size_t rows) { rows_.reserve(rows); }

 private:
  struct Entry {
    std::size_t hash;
    char* row;
  };
  struct Probe {
    std::size_t hash;
    std::span<const Value> values;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Entry& entry) const { return entry.hash; }
    std::size_t operator()(const Probe& probe) const { return probe.hash; }
  };
  struct Equal {
    using is_transparent = void;
    const HashIndex* index;
    bool operator()(const Entry& a, const Entry& b) const;
    bool operator()(const Entry& a, const Probe& b) const;
    bool operator()(const Probe& a, const Entry& b) const { return (*this)(b, a); }
  };

  // The columns' values in the row; false if one is NULL.
  bool Read(const void* row, IndexedValues* values, std::size_t* hash) const;

  std::vector<IndexedColumn> columns_;
  absl::flat_hash_set<Entry, Hash, Equal> rows_;
};

// Columns by which rows are in order; those with equal values are in the order of their addresses.
class OrderedIndex {
 public:
  explicit OrderedIndex(std::vector<IndexedColumn> columns);

  std::span<const IndexedColumn> columns() const { return columns_; }

  void Insert(char* row);
  void Erase(char* row);
  bool SameIn(const void* a, const void* b) const;

  // Calls `each` for the rows whose first column is from `low` to `high`, both included, in order,
  // until it returns false. A null pointer is no bound. NULLs are below all values.
  void Scan(const Value* low, const Value* high,
            absl::FunctionRef<bool(const char* row)> each) const;

 private:
  struct Entry {
    std::uint64_t prefix;  // Of the first column: decides nearly always, without the row.
    char* row;
  };
  struct Bound {
    std::uint64_t prefix;
    const Value* value;
  };
  struct Less {
    using is_transparent = void;
    const OrderedIndex* index;
    bool operator()(const Entry& a, const Entry& b) const;
    bool operator()(const Entry& a, const Bound& b) const;
    bool operator()(const Bound& a, const Entry& b) const;
  };

  Entry EntryOf(char* row) const;
  int CompareFirst(const Entry& entry, const Bound& bound) const;

  std::vector<IndexedColumn> columns_;
  absl::btree_set<Entry, Less> rows_;
};

class MemoryHistory;
class MemoryTable;

// A column that refers to the key of a table's rows.
struct Reference {
  const Column* column = nullptr;
  const TableInfo* to = nullptr;
  MemoryTable* parent = nullptr;        // Null until that table has been made.
  const OrderedIndex* index = nullptr;  // Begins with the column, by the collation of the key.
};

// Rows of another table, or of the same, that refer to those of this one.
struct Referrer {
  MemoryTable* table = nullptr;
  const Reference* reference = nullptr;
};

// Rows never move. Used by one thread at a time, or by many that only read.
class MemoryTable {
 public:
  // FailedPrecondition if the description asks for what only SQL can do.
  static absl::StatusOr<std::unique_ptr<MemoryTable>> Make(const TableInfo& info);
  ~MemoryTable();
  MemoryTable(const MemoryTable&) = delete;
  MemoryTable& operator=(const MemoryTable&) = delete;

  const TableInfo& info() const { return info_; }
  std::size_t size() const { return size_; }
  bool has_integer_key() const { return by_key_ == nullptr; }

  // Memory for a row, without a row in it; and with none in it any more.
  char* Allocate();
  void Free(char* row);

  // Puts a row that is in memory of Allocate() into the indexes. On an error, which is that another
  // row has its key or a unique value, it is in none of them.
  absl::Status Link(char* row);
  void Unlink(char* row);
  bool IsLinked(const char* row) const { return State(row) == kLinked; }

  // Makes a row that is linked equal to `image`, which has the same key. On an error it is as it
  // was.
  absl::Status Replace(char* row, const void* image);

  char* FindKey(std::span<const Argument> key) const;  // Null if there is no such row.
  char* FindKeyOf(const void* row) const;              // One with the key that `row` has.
  char* FindInteger(std::int64_t key) const {
    const auto found = by_integer_.find(key);
    return found == by_integer_.end() ? nullptr : found->second;
  }

  // One whose key, of one column, is equal to a value of a reference.
  char* FindReferred(const Value& value) const;

  // References of this table, and to it.
  std::span<Reference> references() { return references_; }
  std::span<const Referrer> referrers() const { return referrers_; }
  void AddReferrer(const Referrer& referrer) { referrers_.push_back(referrer); }

  // Null if there is none: over exactly this column; over this one first.
  const HashIndex* UniqueOf(const Column& column) const;
  const OrderedIndex* OrderedOf(const Column& column) const;

  // All linked rows, in no order that is told, until `each` returns false.
  void ForEach(absl::FunctionRef<bool(const char* row)> each) const;

  // Room in what has the keys for so many more rows.
  void Reserve(std::size_t rows);

  // Rules and values of a row that is to be written, or of one of its columns.
  absl::Status CheckAll(const void* row) const;
  absl::Status Check(const Column& column, const void* row) const;

  // While many rows are loaded, Link() cares for keys alone; FinishLoading() for the rest. Its
  // error is that two rows have the same unique values.
  void BeginLoading() { loading_ = true; }
  absl::Status FinishLoading();

  // Columns that an update of all fields writes.
  std::span<const Column* const> updated() const { return updated_; }

  // Counts on from the integer key of a row that is linked.
  void NoteKey(const char* row);

  // The largest integer key that has ever been used; keys are given from there on.
  std::int64_t last_key = 0;

  std::size_t position = 0;  // Among the tables of its session.

  // What counts its changes, or null; the session's.
  MemoryHistory* history = nullptr;

 private:
  // Rows are side by side in these, each behind a word that tells whether it is linked.
  struct Chunk {
    char* memory;
    std::size_t rows;
  };

  // States of a row; of a free one, the address of the next.
  static constexpr std::uint64_t kHeld = 1;  // Has been given out, and is in no index.
  static constexpr std::uint64_t kLinked = 3;

  explicit MemoryTable(const TableInfo& info);

  void MakeReferences();
  const OrderedIndex* FindOrdered(const IndexedColumn& first) const;
  absl::Status LinkUnique(char* row);
  void UnlinkUnique(char* row, std::size_t count);
  absl::Status Taken(std::span<const IndexedColumn> columns) const;
  absl::Status InsertKey(char* row);
  void EraseKey(char* row);
  std::uint64_t& State(char* row) const {
    return *reinterpret_cast<std::uint64_t*>(row - sizeof(std::uint64_t));
  }
  std::uint64_t State(const char* row) const {
    return *reinterpret_cast<const std::uint64_t*>(row - sizeof(std::uint64_t));
  }

  const TableInfo& info_;
  std::vector<const Column*> ruled_;    // Columns with rules.
  std::vector<const Column*> checked_;  // Columns whose values have to be looked at.
  std::vector<const Column*> updated_;
  std::size_t head_ = 0;    // From the beginning of a slot to its row, in bytes.
  std::size_t stride_ = 0;  // From a slot to the next.
  std::vector<Chunk> chunks_;
  std::size_t used_ = 0;  // Slots of the last chunk that have been given out.
  char* free_ = nullptr;  // A list through the free rows' states.
  std::size_t size_ = 0;
  bool loading_ = false;

  absl::flat_hash_map<std::int64_t, char*> by_integer_;  // If the key is one integer,
  std::unique_ptr<HashIndex> by_key_;                    // or else this.
  std::vector<std::unique_ptr<HashIndex>> unique_;
  std::vector<std::unique_ptr<OrderedIndex>> ordered_;
  std::vector<Reference> references_;
  std::vector<Referrer> referrers_;
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_MEMORY_TABLE_INTERNAL_H_
