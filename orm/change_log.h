// File: change_log.h
//
// What has become of the rows of a table, in the order of the changes, for those who follow them
// (caches, feeds, replicas):
//
//   STRATA_TABLE((Order, Named("orders"), LogChanges(100'000, std::chrono::hours(24))), id, state);
//
//   std::int64_t position = *LastChange<Order>(*db);  // First this, then the table.
//   std::vector<Order> orders = *Select<Order>().All(*db);
//   for (;;) {
//     absl::StatusOr<std::vector<Change<Order>>> changes =
//         ChangesSince<Order>(*db, position, 1000);
//     if (absl::IsOutOfRange(changes.status())) ...  // A gap: begin anew.
//     for (const Change<Order>& change : *changes) Apply(change);
//     if (changes->empty()) { ...; continue; }  // Until a ChangeWatch calls.
//     position = changes->back().sequence;
//   }
//
// An entry is written by a trigger of the file, in the transaction of the change: there are both or
// neither, after a crash too. So the log has what any program does to the table, by any call or
// SQL; but a program that does not set PRAGMA recursive_triggers, as this library does, logs no
// delete of a row that INSERT OR REPLACE puts another one in the place of.
//
// In a MemoryDatabase the engine itself writes the entries, once for each change that commits, and
// they are in its files as the rows are. There they are read in the order of sequences alone, and
// what PruneChanges() drops is gone when its transaction ends.
//
// A file gets the log as it gets an index: by Create() or Migrate(), which empty the log where it
// was not kept all the time. The log, too, holds the contents of rows, deleted ones included.

#ifndef STRATA_ORM_CHANGE_LOG_H_
#define STRATA_ORM_CHANGE_LOG_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/orm/database.h"
#include "strata/orm/select.h"
#include "strata/orm/table.h"

namespace strata::orm {

enum class ChangeKind : std::uint8_t {
  kRestart = 0,  // In the log's table alone: what was before is not known.
  kInsert = 1,
  kUpdate = 2,
  kDelete = 3,
};
STRATA_ENUM(ChangeKind, (kRestart, "restart"), (kInsert, "insert"), (kUpdate, "update"),
            (kDelete, "delete"));

// One change of one row. A row that gets another key is a delete and an insert.
//
// It is described, as a row of the log's table ("orders#log"): Select<Change<Order>>() is what else
// may be asked, with kRestart left out.
template <typename T>
struct Change {
  std::int64_t sequence = 0;  // From 1 on, one more for each change of the table.
  ChangeKind kind = ChangeKind::kInsert;
  // When it was made, by the clock of that machine; commits may be later.
  std::chrono::sys_time<std::chrono::milliseconds> time;
  T row;  // As it was written, or, of a delete, as it was before.
};

namespace internal {

// The description of Change<T>. Its names are not those of any column that a program describes.
template <typename T>
struct ChangeDescription {
  static constexpr std::size_t kTableColumns = Tables<T>::kColumns.size();
  static_assert(kTableColumns + 3 <= kMaxColumns, "too many columns for a log");

  static constexpr std::string_view kSuffix = "#log";
  static constexpr auto kNameText = [] {
    std::array<char, TableOf<T>().name.size() + kSuffix.size()> text{};
    std::size_t next = 0;
    for (const char c : TableOf<T>().name) text[next++] = c;
    for (const char c : kSuffix) text[next++] = c;
    return text;
  }();
  static constexpr std::string_view kName{kNameText.data(), kNameText.size()};
  static constexpr bool kNeedsKey = true;

  static constexpr auto Options() { return OptionArray(); }

  static constexpr auto Columns() {
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Winvalid-offsetof\"");
    using Row = Change<T>;
    std::array<Column, kTableColumns + 3> columns{};
    columns[0] = MakeColumn<decltype(Row::sequence)>("#sequence", offsetof(Row, sequence),
                                                     {options::PrimaryKey()});
    columns[1] = MakeColumn<ChangeKind>("#change", offsetof(Row, kind), {});
    columns[2] = MakeColumn<decltype(Row::time)>("#time", offsetof(Row, time), {});
    for (std::size_t i = 0; i < kTableColumns; ++i) {
      const Column& of_table = Tables<T>::kColumns[i];
      Column& column = columns[i + 3];
      column.name = of_table.name;
      column.type = of_table.type;
      column.value = of_table.value;
      column.offset = static_cast<std::uint32_t>(offsetof(Row, row)) + of_table.offset;
      column.flags = of_table.flags & (Column::kNotNull | Column::kAsText);
      column.storage = of_table.storage;
    }
    _Pragma("GCC diagnostic pop");
    return columns;
  }
};

template <typename T>
constexpr void CheckLogged() {
  static_assert(TableOf<T>().log.max_entries != 0, "the table is described without LogChanges()");
}

absl::Status GapError(const TableInfo& log, std::int64_t sequence);
absl::Status CheckLimit(std::int64_t limit);

}  // namespace internal

template <typename T>
internal::ChangeDescription<T> StrataOrmDescribe(const Change<T>*);

// The position of the last change: 0 before the first one.
template <typename T>
absl::StatusOr<std::int64_t> LastChange(Records& records) {
  internal::CheckLogged<T>();
  const auto last = Select<Change<T>>()
                        .OrderBy(Desc(&Change<T>::sequence))
                        .Limit(1)
                        .Columns(&Change<T>::sequence)
                        .All(records);
  if (!last.ok()) return last.status();
  return last->empty() ? 0 : last->front();
}

// The first changes after the position, at most `limit` of them (1 or more), in their order.
// OutOfRange if some of them are not there any more, or the position is none of this log: a gap, by
// which the reader has to read the table again. A position is never of another change later, but
// for a file that an older one has been put in the place of.
template <typename T>
absl::StatusOr<std::vector<Change<T>>> ChangesSince(Records& records, std::int64_t position,
                                                    std::int64_t limit) {
  internal::CheckLogged<T>();
  using Row = Change<T>;
  if (absl::Status status = internal::CheckLimit(limit); !status.ok()) return status;
  const absl::Status gap = internal::GapError(TableOf<Row>(), position);
  absl::StatusOr<std::vector<Row>> changes(std::in_place);
  // Sequences have no holes.
  std::int64_t before = position;
  absl::Status status = Select<Row>()
                            .Where(Col(&Row::sequence) > position)
                            .Where(Col(&Row::kind) != ChangeKind::kRestart)
                            .OrderBy(&Row::sequence)
                            .Limit(limit)
                            .ForEach(records, [&](Row& change) {
                              if (change.sequence != before + 1) return gap;
                              before = change.sequence;
                              changes->push_back(std::move(change));
                              return absl::OkStatus();
                            });
  if (!status.ok()) return status;
  if (!changes->empty()) return changes;
  // The last change always stays: there is nothing after it, or nothing of this position.
  const auto first = Select<Row>()
                         .Where(Col(&Row::sequence) >= position)
                         .OrderBy(&Row::sequence)
                         .Limit(1)
                         .Columns(&Row::sequence)
                         .All(records);
  if (!first.ok()) return first.status();
  // One that has come meanwhile is for the next call.
  const bool is_known = first->empty() ? position == 0 : first->front() <= position + 1;
  if (!is_known) return gap;
  return changes;
}

// Drops the changes up to the position, but for the last one of all, besides what LogChanges() lets
// go of. Returns how many.
template <typename T>
absl::StatusOr<std::int64_t> PruneChanges(Records& records, std::int64_t position) {
  internal::CheckLogged<T>();
  std::int64_t pruned = 0;
  absl::Status status = records.Transact([&](Transaction& transaction) -> absl::Status {
    const absl::StatusOr<std::int64_t> last = LastChange<T>(transaction);
    if (!last.ok()) return last.status();
    const auto sequence = Col(&Change<T>::sequence);
    const absl::StatusOr<std::int64_t> count =
        DeleteWhere<Change<T>>(transaction, And(sequence <= position, sequence < *last));
    if (!count.ok()) return count.status();
    pruned = *count;
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return pruned;
}

// Calls `wake` after each commit by this database that has written to the log of a table, and now
// and then once more.
//
// That is on the thread that has committed, which may be any that uses the database, and one at a
// time for all watches; writers wait for it. So it tells a thread or a loop to read, and does no
// more: it uses neither the database (calls of a Database are FailedPrecondition there) nor the
// watch. What
// another process commits wakes nobody: a reader that is to see it too also looks now and then.
class ChangeWatch {
 public:
  // Of a Database or a MemoryDatabase, which outlives it. FailedPrecondition within a transaction
  // of this thread.
  template <typename T>
  static absl::StatusOr<std::unique_ptr<ChangeWatch>> Start(Records& database,
                                                            absl::AnyInvocable<void()> wake) {
    internal::CheckLogged<T>();
    return StartFor(database, TableOf<Change<T>>(), std::move(wake));
  }
  ChangeWatch(const ChangeWatch&) = delete;
  ChangeWatch& operator=(const ChangeWatch&) = delete;

  // Waits for a call of `wake` that is under way; there is none afterwards.
  ~ChangeWatch();

 private:
  explicit ChangeWatch(internal::ChangeSource* source) : source_(source) {}

  static absl::StatusOr<std::unique_ptr<ChangeWatch>> StartFor(Records& database,
                                                               const TableInfo& log,
                                                               absl::AnyInvocable<void()> wake);

  internal::ChangeSource* source_;
  internal::LogListener listener_;
};

}  // namespace strata::orm

#endif  // STRATA_ORM_CHANGE_LOG_H_
