#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "strata/http/media_type.h"
#include "strata/orm/json.h"
#include "strata/orm/rest/row_format_internal.h"

namespace strata::orm::rest::internal {
namespace {

constexpr std::array<std::string_view, 3> kContentTypes = {
    "application/json", "application/x-ndjson", "text/csv; charset=utf-8"};

absl::Status AppendJsonRow(std::span<const Column* const> columns, const Row& row,
                           std::string* out) {
  *out += '{';
  for (const Column* column : columns) {
    absl::StrAppend(out, column == columns.front() ? "" : ",", "\"", column->name, "\":");
    const void* field = static_cast<const char*>(row.get()) + column->offset;
    absl::Status status = orm::internal::AppendJson(*column->type, field, out);
    if (!status.ok()) return status;
  }
  *out += '}';
  return absl::OkStatus();
}

absl::Status AppendCsvRow(std::span<const Column* const> columns, const Row& row,
                          std::string* out) {
  for (const Column* column : columns) {
    if (column != columns.front()) *out += ',';
    const void* value = column->Value(row.get());
    if (value == nullptr) continue;
    std::string text;
    if (absl::Status status = AppendText(*column->value, value, &text); !status.ok()) {
      return status;
    }
    if (column->value->kind == Kind::kString || text.find_first_of("\",\r\n") != text.npos) {
      absl::StrAppend(out, "\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
    } else {
      *out += text;
    }
  }
  *out += "\r\n";
  return absl::OkStatus();
}

}  // namespace

std::optional<Format> ChooseFormat(std::string_view accept) {
  const auto best = http::BestMediaType(accept, kContentTypes);
  if (!best) return std::nullopt;
  return static_cast<Format>(*best);
}

std::string_view ContentTypeOf(Format format) {
  return kContentTypes[static_cast<std::size_t>(format)];
}

void AppendHead(Format format, std::span<const Column* const> columns, std::string* out) {
  if (format == Format::kJson) *out += '[';
  if (format != Format::kCsv) return;
  for (const Column* column : columns) {
    absl::StrAppend(out, column == columns.front() ? "" : ",", column->name);
  }
  *out += "\r\n";
}

absl::Status AppendRow(Format format, std::span<const Column* const> columns, const Row& row,
                       bool is_first, std::string* out) {
  if (format == Format::kCsv) return AppendCsvRow(columns, row, out);
  if (format == Format::kJson && !is_first) *out += ',';
  absl::Status status = AppendJsonRow(columns, row, out);
  if (format == Format::kNdjson) *out += '\n';
  return status;
}

void AppendTail(Format format, std::string* out) {
  if (format == Format::kJson) *out += ']';
}

}  // namespace strata::orm::rest::internal
