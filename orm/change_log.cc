#include "strata/orm/change_log.h"

#include "absl/strings/str_cat.h"

namespace strata::orm {
namespace internal {

absl::Status GapError(const TableInfo& log, std::int64_t sequence) {
  return absl::OutOfRangeError(
      absl::StrCat(log.name, ": what has followed ", sequence, " is not known any more"));
}

absl::Status CheckLimit(std::int64_t limit) {
  return limit > 0 ? absl::OkStatus() : absl::InvalidArgumentError("a limit below 1");
}

}  // namespace internal

absl::StatusOr<std::unique_ptr<ChangeWatch>> ChangeWatch::StartFor(
    Records& database, const TableInfo& log, absl::AnyInvocable<void()> wake) {
  internal::ChangeSource* source = internal::StoreOf(database).change_source();
  if (source == nullptr) {
    return absl::FailedPreconditionError("a transaction has no changes to watch");
  }
  std::unique_ptr<ChangeWatch> watch(new ChangeWatch(source));
  watch->listener_ = {log.name, std::move(wake)};
  if (absl::Status status = source->AddListener(&watch->listener_); !status.ok()) return status;
  return watch;
}

ChangeWatch::~ChangeWatch() { source_->RemoveListener(&listener_); }

}  // namespace strata::orm
