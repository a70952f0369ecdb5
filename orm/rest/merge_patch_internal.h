// JSON merge patches (RFC 7396).

#ifndef STRATA_ORM_REST_MERGE_PATCH_INTERNAL_H_
#define STRATA_ORM_REST_MERGE_PATCH_INTERNAL_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace strata::orm::rest::internal {

// What `patch` makes of `target`, both JSON: numbers and texts that stay are as they stand there.
// InvalidArgument for what is no JSON, is nested more than 64 deep, or has a key twice.
absl::StatusOr<std::string> MergePatch(std::string_view target, std::string_view patch);

}  // namespace strata::orm::rest::internal

#endif  // STRATA_ORM_REST_MERGE_PATCH_INTERNAL_H_
