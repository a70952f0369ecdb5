#include "strata/orm/memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/orm/memory_store_internal.h"

namespace strata::orm {
namespace {

using internal::MemorySession;
using internal::MemoryTable;

// Of rows, gathered for one write to a file.
constexpr std::size_t kFlushBytes = std::size_t{1} << 20;

absl::Status OfRow(std::size_t position, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("row ", position, ": ", status.message()));
}

// What a list of rows is to the reader of JSON: each new element is a row of the table, which goes
// into it when the next one begins.
class JsonInserter {
 public:
  JsonInserter(MemorySession& session, MemoryTable& table) : session_(session), table_(table) {}
  ~JsonInserter() { Drop(); }
  JsonInserter(const JsonInserter&) = delete;
  JsonInserter& operator=(const JsonInserter&) = delete;

  absl::Status Finish() {
    if (row_ == nullptr || !status_.ok()) return status_;
    absl::Status status = session_.InsertInPlace(table_, row_);
    if (status.ok()) {
      row_ = nullptr;
      ++count_;
    } else {
      status_ = OfRow(count_, status);
    }
    return status_;
  }

  // A new row, in place of the last one.
  void* Add() {
    // After an error the rest of the text is read into a row that nobody gets.
    Finish().IgnoreError();
    Drop();
    row_ = table_.Allocate();
    table_.info().ops.construct(row_);
    return row_;
  }

 private:
  void Drop() {
    if (row_ == nullptr) return;
    table_.info().ops.destroy(row_);
    table_.Free(row_);
    row_ = nullptr;
  }

  MemorySession& session_;
  MemoryTable& table_;
  char* row_ = nullptr;
  std::size_t count_ = 0;
  absl::Status status_;
};

constexpr ListOps kInserterOps = {
    .size = [](const void*) { return std::size_t{0}; },
    .data = [](const void*) -> const void* { return nullptr; },
    .add = [](void* list) -> void* { return static_cast<JsonInserter*>(list)->Add(); },
    .clear = [](void*) {},
};

// Writes the rows as a list, and calls `flush` whenever there are some, and at the end.
template <typename Flush>
absl::Status WriteRows(const MemoryTable& table, const TypeInfo& type, std::string* out,
                       Flush flush) {
  absl::Status status;
  bool first = true;
  out->push_back('[');
  table.ForEach([&](const char* row) {
    if (!first) out->push_back(',');
    first = false;
    status = internal::AppendJson(type, row, out);
    if (status.ok() && out->size() >= kFlushBytes) status = flush();
    return status.ok();
  });
  out->push_back(']');
  return status.ok() ? flush() : status;
}

}  // namespace

MemoryDatabase::MemoryDatabase(std::unique_ptr<internal::MemoryStore> store)
    : Records(store.get()), store_(std::move(store)) {}

MemoryDatabase::~MemoryDatabase() = default;

absl::StatusOr<std::unique_ptr<MemoryDatabase>> MemoryDatabase::OpenTables(
    const std::string& path, const MemoryOptions& options,
    std::span<const TableInfo* const> tables) {
  auto store = internal::MemoryStore::Open(path, options, tables);
  if (!store.ok()) return store.status();
  return std::unique_ptr<MemoryDatabase>(new MemoryDatabase(*std::move(store)));
}

absl::Status MemoryDatabase::Checkpoint() { return store_->Checkpoint(); }

absl::Status MemoryDatabase::AppendRows(const TableInfo& info, const TypeInfo& type,
                                        std::string* out) {
  const internal::ReadScope scope(store_.get());
  const absl::StatusOr<MemoryTable*> table = store_->session().Need(info);
  if (!table.ok()) return table.status();
  return WriteRows(**table, type, out, [] { return absl::OkStatus(); });
}

absl::Status MemoryDatabase::InsertRows(const TableInfo& info, const TypeInfo& type,
                                        std::string_view text, const JsonReadOptions& options) {
  return store_->MakeChange([&](MemorySession& session) -> absl::Status {
    const absl::StatusOr<MemoryTable*> table = session.Need(info);
    if (!table.ok()) return table.status();
    TypeInfo list;
    list.kind = Kind::kList;
    list.element = &type;
    list.list = &kInserterOps;
    const MemorySession::Statement statement = session.BeginStatement();
    JsonInserter inserter(session, **table);
    absl::Status read = internal::ReadJson(text, options, list, &inserter);
    // The row before the mistake in the text is one that was read before.
    absl::Status inserted = inserter.Finish();
    if (!read.ok() || !inserted.ok()) return read.ok() ? inserted : read;
    std::size_t failed = 0;
    absl::Status status = session.CheckReferences(statement, &failed);
    return status.ok() ? status : OfRow(failed, status);
  });
}

absl::Status MemoryDatabase::SaveRows(const TableInfo& info, const TypeInfo& type,
                                      const std::string& path) {
  const std::string new_path = path + "-new";
  absl::StatusOr<internal::File> file =
      internal::File::Open(new_path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.ok()) return file.status();
  std::string text;
  std::uint64_t written = 0;
  const auto flush = [&] {
    absl::Status status = file->WriteAt(written, text);
    written += text.size();
    text.clear();
    return status;
  };
  absl::Status status;
  {
    const internal::ReadScope scope(store_.get());
    const absl::StatusOr<MemoryTable*> table = store_->session().Need(info);
    status = table.ok() ? WriteRows(**table, type, &text, flush) : table.status();
  }
  if (status.ok()) status = file->Sync();
  if (status.ok()) return internal::ReplaceFile(new_path, path);
  unlink(new_path.c_str());
  return status;
}

absl::Status MemoryDatabase::LoadRows(const TableInfo& info, const TypeInfo& type,
                                      const std::string& path, const JsonReadOptions& options) {
  const absl::StatusOr<internal::File> file = internal::File::Open(path, O_RDONLY);
  if (!file.ok()) return file.status();
  const absl::StatusOr<std::uint64_t> size = file->Size();
  if (!size.ok()) return size.status();
  if (*size > options.max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat(path, ": has ", *size, " bytes, more than ", options.max_bytes));
  }
  std::string text(*size, '\0');
  if (absl::Status status = file->ReadAt(0, text.size(), text.data()); !status.ok()) return status;
  absl::Status status = InsertRows(info, type, text, options);
  return status.ok() ? status
                     : absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

}  // namespace strata::orm
