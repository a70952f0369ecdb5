#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

#include "strata/orm/json.h"
#include "strata/orm/rest/row_internal.h"
#include "strata/orm/rows_internal.h"
#include "strata/orm/utf8_internal.h"

namespace strata::orm::rest::internal {
namespace {

using orm::internal::Argument;
using orm::internal::Op;
using orm::internal::ResultField;
using orm::internal::SelectOperation;

bool IsWrittenBare(const TypeInfo& type) {
  return type.kind == Kind::kBool || (type.kind <= Kind::kDouble && !type.is_enum) ||
         type.kind == Kind::kCurrency || type.kind == Kind::kDuration || type.kind >= Kind::kJson;
}

std::span<const std::uint16_t> KeyOf(const TableInfo& table) {
  return std::span(table.key).first(table.key_count);
}

class OneRow final : public orm::internal::FirstSink<Row> {
 public:
  explicit OneRow(Row* row) : FirstSink(row), row_(row) {}

  void* Next() override {
    row_->Reset();
    return row_->get();
  }

 private:
  Row* row_;
};

}  // namespace

Row::Row(const TableInfo& table)
    : table_(table), memory_(::operator new (table.row_size, std::align_val_t{table.row_align})) {
  table_.ops.construct(memory_);
}

Row::~Row() {
  table_.ops.destroy(memory_);
  ::operator delete (memory_, std::align_val_t{table_.row_align});
}

void Row::Reset() {
  table_.ops.destroy(memory_);
  table_.ops.construct(memory_);
}

absl::Status ReadText(const TypeInfo& type, std::string_view text, void* value) {
  if (type.kind == Kind::kString) {
    if (!orm::internal::IsUtf8(text)) return absl::InvalidArgumentError("no UTF-8");
    static_cast<std::string*>(value)->assign(text);
    return absl::OkStatus();
  }
  std::string json(text);
  if (!IsWrittenBare(type)) {
    json.clear();
    if (absl::Status status = AppendJson(std::string(text), &json); !status.ok()) return status;
  }
  absl::Status status = orm::internal::ReadJson(json, {}, type, value);
  // A number stands for a value of an enum that has no name.
  if (!status.ok() && type.is_enum && orm::internal::ReadJson(text, {}, type, value).ok()) {
    return absl::OkStatus();
  }
  return status;
}

absl::Status AppendText(const TypeInfo& type, const void* value, std::string* out) {
  if (type.kind == Kind::kString) {
    *out += *static_cast<const std::string*>(value);
    return absl::OkStatus();
  }
  std::string json;
  if (absl::Status status = orm::internal::AppendJson(type, value, &json); !status.ok()) {
    return status;
  }
  // Times, UUIDs and names of enums have no character that JSON escapes.
  const bool is_quoted = type.kind != Kind::kJson && json.size() >= 2 && json.front() == '"';
  out->append(is_quoted ? std::string_view(json).substr(1, json.size() - 2) : json);
  return absl::OkStatus();
}

absl::Status ReadKey(std::string_view text, Row* row) {
  const TableInfo& table = row->table();
  for (const std::uint16_t index : KeyOf(table)) {
    const Column& column = table.columns[index];
    const bool is_last = index == table.key[table.key_count - 1u];
    const std::size_t end = is_last ? text.size() : text.find(',');
    if (end == std::string_view::npos) return absl::InvalidArgumentError("a part is missing");
    absl::Status status = ReadText(*column.value, text.substr(0, end), column.Emplace(row->get()));
    if (!status.ok()) return status;
    text.remove_prefix(is_last ? end : end + 1);
  }
  return absl::OkStatus();
}

absl::Status AppendKey(const TableInfo& table, const void* row, std::string* out) {
  for (std::size_t i = 0; i < table.key_count; ++i) {
    const Column& column = table.columns[table.key[i]];
    if (i > 0) *out += ',';
    absl::Status status = AppendText(*column.value, column.Value(row), out);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

bool SameKey(const Row& a, const Row& b) {
  std::string key_of_a;
  std::string key_of_b;
  return AppendKey(a.table(), a.get(), &key_of_a).ok() &&
         AppendKey(b.table(), b.get(), &key_of_b).ok() && key_of_a == key_of_b;
}

void CopyStamps(const Row& from, Row* to) {
  const TableInfo& table = from.table();
  for (const int index : {table.created_at, table.modified_at, table.version}) {
    if (index < 0) continue;
    // Numbers and times, or optionals of them.
    const Column& column = table.columns[static_cast<std::size_t>(index)];
    std::memcpy(static_cast<char*>(to->get()) + column.offset,
                static_cast<const char*>(from.get()) + column.offset, column.type->size);
  }
}

Term ValueTerm(const TypeInfo& type, const void* value, std::shared_ptr<const void> owner) {
  Term term;
  term.op = Op::kValue;
  term.argument = {&type, value, {}};
  term.owner = std::move(owner);
  return term;
}

absl::Status Load(RowStore& store, std::span<const Term> where, Row* row) {
  const TableInfo& table = row->table();
  auto key = std::make_shared<Row>(table);
  std::string text;
  absl::Status status = AppendKey(table, row->get(), &text);
  if (status.ok()) status = ReadKey(text, key.get());
  if (!status.ok()) return status;

  SelectOperation select;
  std::array<Argument, kMaxKeyColumns> arguments;
  std::size_t count = 0;
  for (const std::uint16_t index : KeyOf(table)) {
    const Column& column = table.columns[index];
    const void* value = column.Value(key->get());
    arguments[count++] = {column.value, value, {}};
    select.where.push_back(orm::internal::MakeTerm(Op::kEqual,
                                                   orm::internal::ColumnTerm(table, column.offset),
                                                   ValueTerm(*column.value, value, key)));
  }
  if (where.empty()) return store.Get(table, std::span(arguments).first(count), row->get());

  select.table = &table;
  select.where.insert(select.where.end(), where.begin(), where.end());
  select.limit = 1;
  std::vector<ResultField> fields;
  for (const Column& column : table.columns) fields.push_back({column.type, column.offset});
  OneRow sink(row);
  status = store.Select(select, fields, sink);
  if (!status.ok()) return status;
  return sink.found() ? absl::OkStatus() : absl::NotFoundError("no such row");
}

}  // namespace strata::orm::rest::internal
