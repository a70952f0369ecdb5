#include "strata/orm/batch.h"

#include <cstring>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/orm/scalar_internal.h"

namespace strata::orm {

void* Batch::Reserve(internal::WriteOperation::What what, const TableInfo& table) {
  if (runs_.empty() || runs_.back().what != what || runs_.back().table != &table) {
    runs_.push_back({what, &table});
    if (spare_.table == &table) {
      runs_.back().rows = std::exchange(spare_.rows, nullptr);
      runs_.back().capacity = std::exchange(spare_.capacity, 0);
    }
  }
  Run& run = runs_.back();
  if (run.count == run.capacity) Grow(run);
  return run.rows + run.count * table.row_size;
}

void Batch::Grow(Run& run) {
  constexpr std::size_t kFirst = 4;
  const TableInfo& table = *run.table;
  const std::align_val_t align{table.row_align};
  const std::size_t capacity = run.capacity == 0 ? kFirst : run.capacity * 2;
  char* rows = static_cast<char*>(::operator new(capacity* table.row_size, align));
  for (std::size_t i = 0; i < run.count; ++i) {
    table.ops.move(rows + i * table.row_size, run.rows + i * table.row_size);
    table.ops.destroy(run.rows + i * table.row_size);
  }
  Release(run);
  run.rows = rows;
  run.capacity = capacity;
}

void Batch::Release(Run& run) {
  if (run.rows != nullptr) ::operator delete (run.rows, std::align_val_t{run.table->row_align});
  run.rows = nullptr;
  run.capacity = 0;
}

void Batch::Clear() {
  for (Run& run : runs_) {
    for (std::size_t i = 0; i < run.count; ++i) {
      run.table->ops.destroy(run.rows + i * run.table->row_size);
    }
    if (run.capacity >= spare_.capacity) std::swap(run, spare_);
    Release(run);
  }
  runs_.clear();
  pending_ = 0;
}

bool Batch::SetKey(const Column& column, const internal::Argument& key, void* row) {
  void* field = column.Emplace(row);
  if (key.type == nullptr) {
    static_cast<std::string*>(field)->assign(key.text);
    return true;
  }
  switch (key.type->kind) {
    case Kind::kString:
      *static_cast<std::string*>(field) = *static_cast<const std::string*>(key.value);
      return true;
    case Kind::kBlob:
      *static_cast<Blob*>(field) = *static_cast<const Blob*>(key.value);
      return true;
    case Kind::kUuid:
    case Kind::kTime:
    case Kind::kCurrency:
      std::memcpy(field, key.value, key.type->size);
      return true;
    default: {
      const std::int64_t integer = internal::LoadInteger(*key.type, key.value);
      if (key.type->kind == Kind::kUint64 && integer < 0) return false;
      return internal::StoreInteger(*column.value, field, integer);
    }
  }
}

absl::Status Batch::WriteRun(internal::RowStore& store, const Run& run, std::size_t* failed) {
  if (run.what == internal::WriteOperation::What::kInsert) {
    return store.InsertAll(*run.table, run.rows, run.count, failed);
  }
  internal::WriteOperation operation;
  operation.what = run.what;
  operation.table = run.table;
  for (std::size_t i = 0; i < run.count; ++i) {
    operation.row = run.rows + i * run.table->row_size;
    if (absl::Status status = store.Write(operation); !status.ok()) {
      *failed = i;
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status Batch::Flush() {
  if (pending_ == 0) return absl::OkStatus();
  std::size_t before = 0;
  absl::Status status = store_->Transact([&](internal::RowStore& store) -> absl::Status {
    for (const Run& run : runs_) {
      std::size_t failed = 0;
      if (absl::Status error = WriteRun(store, run, &failed); !error.ok()) {
        return absl::Status(error.code(), absl::StrCat("row ", before + failed,
                                                       " of the batch: ", error.message()));
      }
      before += run.count;
    }
    return absl::OkStatus();
  });
  if (status.ok()) written_ += pending_;
  Clear();
  return status;
}

}  // namespace strata::orm
