// The calls of Records, for any engine.

#include "absl/strings/str_cat.h"
#include "strata/orm/database.h"

namespace strata::orm {

absl::Status Records::Transact(absl::AnyInvocable<absl::Status(Transaction& transaction)> body) {
  return store_->Transact([&](internal::RowStore& store) {
    Transaction transaction(&store);
    return body(transaction);
  });
}

absl::Status Records::InsertAllRows(const TableInfo& table, const void* rows, std::size_t count) {
  std::size_t failed = 0;
  absl::Status status = store_->InsertAll(table, rows, count, &failed);
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat("row ", failed, ": ", status.message()));
}

}  // namespace strata::orm
