// Rows as texts: a JSON array, JSON lines (NDJSON), or CSV (RFC 4180).

#ifndef STRATA_ORM_REST_ROW_FORMAT_INTERNAL_H_
#define STRATA_ORM_REST_ROW_FORMAT_INTERNAL_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "strata/orm/rest/row_internal.h"

namespace strata::orm::rest::internal {

enum class Format : std::uint8_t { kJson, kNdjson, kCsv };

// What the value of Accept prefers; nothing if it is none of these.
std::optional<Format> ChooseFormat(std::string_view accept);

std::string_view ContentTypeOf(Format format);

// Before the rows, each row, and after them. A text of CSV is always in quotes, and NULL never is:
// so the two differ when it is empty.
void AppendHead(Format format, std::span<const Column* const> columns, std::string* out);
absl::Status AppendRow(Format format, std::span<const Column* const> columns, const Row& row,
                       bool is_first, std::string* out);
void AppendTail(Format format, std::string* out);

}  // namespace strata::orm::rest::internal

#endif  // STRATA_ORM_REST_ROW_FORMAT_INTERNAL_H_
