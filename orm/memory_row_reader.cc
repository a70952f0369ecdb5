#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/orm/json.h"
#include "strata/orm/memory_codec_internal.h"
#include "strata/orm/rules_internal.h"
#include "strata/orm/scalar_internal.h"
#include "strata/orm/utf8_internal.h"

namespace strata::orm::internal {
namespace {

bool IsInteger(WireType type) { return type == WireType::kInteger || type == WireType::kUnsigned; }

// Whether values of the one may be read into a column that is written as the other.
bool CanBecome(const WireColumn& from, const WireColumn& to) {
  if (IsInteger(from.type) && IsInteger(to.type)) return true;
  return from.type == to.type && from.unit == to.unit;
}

bool SetUnsigned(const TypeInfo& type, void* value, std::uint64_t number) {
  if (type.kind == Kind::kUint64) {
    Store(value, number);
    return true;
  }
  return number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) &&
         StoreInteger(type, value, static_cast<std::int64_t>(number));
}

bool SetReal(const TypeInfo& type, void* value, double real) {
  if (std::isnan(real)) return false;
  if (type.kind == Kind::kDouble) {
    Store(value, real);
    return true;
  }
  if (std::isfinite(real) && std::fabs(real) > std::numeric_limits<float>::max()) return false;
  Store(value, static_cast<float>(real));
  return true;
}

// No bounds: what was written within those of its time is in the file, whose size is one. The depth
// has that of the reader itself.
constexpr std::size_t kUnbounded = std::numeric_limits<std::size_t>::max();
constexpr JsonReadOptions kJsonOptions = {
    .max_bytes = kUnbounded, .max_depth = kUnbounded, .max_elements = kUnbounded};

bool SetJson(const TypeInfo& type, void* value, std::string_view text) {
  if (type.kind == Kind::kJson) {
    if (!text.empty() && !CheckJson(text, kJsonOptions).ok()) return false;
    static_cast<Json*>(value)->text.assign(text);
    return true;
  }
  return ReadJson(text, kJsonOptions, type, value).ok();
}

// False if the value is not one, or one that the field does not hold.
bool ReadValue(WireType type, ByteReader& reader, const TypeInfo& to, void* value) {
  switch (type) {
    case WireType::kBool: {
      const std::uint8_t byte = reader.Byte();
      if (byte > 1) return false;
      Store(value, byte == 1);
      break;
    }
    case WireType::kReal: {
      const std::string_view bytes = reader.Fixed(sizeof(double));
      if (!reader.ok() || !SetReal(to, value, Load<double>(bytes.data()))) return false;
      break;
    }
    case WireType::kText: {
      const std::string_view text = reader.Bytes();
      if (!reader.ok() || !IsUtf8(text)) return false;
      static_cast<std::string*>(value)->assign(text);
      break;
    }
    case WireType::kBlob: {
      const std::string_view bytes = reader.Bytes();
      const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
      static_cast<Blob*>(value)->assign(data, data + bytes.size());
      break;
    }
    case WireType::kUuid: {
      const std::string_view bytes = reader.Fixed(Uuid::kBytes);
      if (reader.ok()) std::memcpy(value, bytes.data(), bytes.size());
      break;
    }
    case WireType::kJson: {
      const std::string_view text = reader.Bytes();
      if (!reader.ok() || !SetJson(to, value, text)) return false;
      break;
    }
    case WireType::kName: {
      const EnumName* name = FindEnumName(to, reader.Bytes());
      if (name == nullptr) return false;
      StoreInteger(to, value, name->value);
      break;
    }
    case WireType::kUnsigned:
      if (!SetUnsigned(to, value, reader.Number())) return false;
      break;
    default:
      if (!StoreInteger(to, value, reader.Signed())) return false;
  }
  return reader.ok();
}

// False if the bytes end before the value.
bool SkipValue(WireType type, ByteReader& reader) {
  switch (type) {
    case WireType::kBool:
      reader.Byte();
      break;
    case WireType::kReal:
      reader.Fixed(sizeof(double));
      break;
    case WireType::kUuid:
      reader.Fixed(Uuid::kBytes);
      break;
    case WireType::kText:
    case WireType::kBlob:
    case WireType::kJson:
    case WireType::kName:
      reader.Bytes();
      break;
    default:
      reader.Number();
  }
  return reader.ok();
}

absl::Status NotAsDescribed(std::string_view table, std::string_view column, std::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat(table, ".", column, ": ", why));
}

}  // namespace

bool SetDefault(const Column& column, void* row) {
  const DefaultValue& value = column.default_value;
  const TypeInfo& type = *column.value;
  switch (value.type) {
    case DefaultValue::Type::kNone:
      return true;  // As the struct has it.
    case DefaultValue::Type::kNull:
      return column.SetNull(row);
    case DefaultValue::Type::kInteger:
      if (type.kind == Kind::kBool) {
        Store(column.Emplace(row), value.integer != 0);
        return true;
      }
      if (type.kind == Kind::kFloat || type.kind == Kind::kDouble) {
        return SetReal(type, column.Emplace(row), static_cast<double>(value.integer));
      }
      return column.storage == Storage::kInteger && type.kind != Kind::kCurrency &&
             StoreInteger(type, column.Emplace(row), value.integer);
    case DefaultValue::Type::kReal:
      return column.storage == Storage::kReal && SetReal(type, column.Emplace(row), value.real);
    case DefaultValue::Type::kText:
      if (type.kind == Kind::kString) {
        static_cast<std::string*>(column.Emplace(row))->assign(value.text);
        return true;
      }
      if (type.is_enum && column.has(Column::kAsText)) {
        const EnumName* name = FindEnumName(type, value.text);
        return name != nullptr && StoreInteger(type, column.Emplace(row), name->value);
      }
      return SetJson(type, column.Emplace(row), value.text);
    case DefaultValue::Type::kSql:
      return false;
  }
  return false;
}

absl::Status RowReader::MakePlan(const WireTable& from, bool drop_undescribed, Plan* plan) {
  const TableInfo& info = plan->table->info();
  const WireTable described = DescribedTableOf(info);
  std::vector<bool> known(info.columns.size());
  for (const WireColumn& column : from.columns) {
    std::size_t position = 0;
    while (position < described.columns.size() && described.columns[position].name != column.name) {
      ++position;
    }
    if (position == described.columns.size()) {
      if (!drop_undescribed) {
        return NotAsDescribed(from.name, column.name,
                              "the file has this column, the description does not; "
                              "drop_undescribed would drop its values");
      }
      plan->steps.push_back({nullptr, column.type, column.nullable});
      continue;
    }
    if (known[position] || !CanBecome(column, described.columns[position])) {
      return NotAsDescribed(from.name, column.name, "is of another type in the file");
    }
    known[position] = true;
    plan->steps.push_back({&info.columns[position], column.type, column.nullable});
  }
  plan->key = from.key;
  bool same_key = from.key.size() == info.key_count;
  for (std::size_t i = 0; i < from.key.size() && same_key; ++i) {
    same_key = plan->steps[from.key[i]].column == &info.columns[info.key[i]];
  }
  if (!same_key) {
    return absl::FailedPreconditionError(
        absl::StrCat(from.name, ": has another key in the file than in its description"));
  }
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (!known[i]) plan->added.push_back(&info.columns[i]);
  }
  return absl::OkStatus();
}

absl::StatusOr<RowReader> RowReader::Make(const WireSchema& schema, MemorySession& session,
                                          bool drop_undescribed) {
  RowReader reader(&session);
  for (const WireTable& from : schema) {
    Plan& plan = reader.plans_.emplace_back();
    plan.name = from.name;
    for (const auto& table : session.tables()) {
      if (table->info().name == from.name) plan.table = table.get();
    }
    if (plan.table != nullptr) {
      if (absl::Status status = MakePlan(from, drop_undescribed, &plan); !status.ok()) {
        return status;
      }
      session.BeginHistory(*plan.table, from.is_logged);
      continue;
    }
    if (!drop_undescribed) {
      return absl::FailedPreconditionError(
          absl::StrCat(from.name,
                       ": the file has this table, but it has not been named; "
                       "drop_undescribed would drop its rows"));
    }
    for (const WireColumn& column : from.columns) {
      plan.steps.push_back({nullptr, column.type, column.nullable});
    }
    plan.key = from.key;
  }
  return reader;
}

absl::Status RowReader::SetDefaults(const Plan& plan, void* row) {
  for (const Column* column : plan.added) {
    if (!SetDefault(*column, row)) {
      return NotAsDescribed(plan.name, column->name,
                            "is not in the file, and has a Default() that only SQL can compute");
    }
    if (column->nullable() && column->has(Column::kNotNull) && column->Value(row) == nullptr) {
      return NotAsDescribed(plan.name, column->name,
                            "is not in the file, is NotNull() and has no Default()");
    }
  }
  return absl::OkStatus();
}

absl::Status RowReader::ReadRow(const Plan& plan, ByteReader& reader, void* row) {
  for (const Step& step : plan.steps) {
    const bool is_null = step.nullable && reader.Byte() == 0;
    bool done = reader.ok();
    if (step.column == nullptr) {
      done = done && (is_null || SkipValue(step.type, reader));
    } else if (is_null) {
      if (!step.column->SetNull(row) || step.column->has(Column::kNotNull)) {
        return NotAsDescribed(plan.name, step.column->name, "the file has a NULL");
      }
    } else {
      done = done && ReadValue(step.type, reader, *step.column->value, step.column->Emplace(row));
    }
    if (!done) {
      return absl::DataLossError(
          absl::StrCat(plan.name, ".", step.column == nullptr ? "" : step.column->name,
                       ": the file has a value that the column cannot have"));
    }
  }
  return absl::OkStatus();
}

absl::Status RowReader::ReadNew(const Plan& plan, ByteReader& reader, char** row) {
  if (plan.table == nullptr) return ReadRow(plan, reader, nullptr);
  const RowOps& ops = plan.table->info().ops;
  char* made = plan.table->Allocate();
  ops.construct(made);
  absl::Status status = SetDefaults(plan, made);
  if (status.ok()) status = ReadRow(plan, reader, made);
  if (status.ok()) {
    *row = made;
    return status;
  }
  ops.destroy(made);
  plan.table->Free(made);
  return status;
}

absl::Status RowReader::AddRows(std::size_t table, std::uint64_t count, ByteReader& reader) {
  const Plan& plan = plans_[table];
  for (; count > 0; --count) {
    char* row = nullptr;
    if (absl::Status status = ReadNew(plan, reader, &row); !status.ok()) return status;
    if (row == nullptr) continue;
    if (absl::Status status = plan.table->Link(row); !status.ok()) {
      plan.table->info().ops.destroy(row);
      plan.table->Free(row);
      return absl::DataLossError(status.message());
    }
    plan.table->NoteKey(row);
  }
  return absl::OkStatus();
}

absl::Status RowReader::AddEntry(const Plan& plan, ByteReader& reader) {
  MemoryHistory::Entry entry = {};
  entry.sequence = reader.Signed();
  const std::uint8_t kind = reader.Byte();
  entry.time = reader.Signed();
  if (!reader.ok() || kind > static_cast<std::uint8_t>(ChangeKind::kDelete)) {
    return absl::DataLossError(absl::StrCat(plan.name, ": an entry of its log that is none"));
  }
  entry.kind = static_cast<ChangeKind>(kind);
  if (entry.kind != ChangeKind::kRestart) {
    absl::Status status = ReadNew(plan, reader, &entry.row);
    if (!status.ok()) return status;
  }
  MemoryHistory* history = plan.table == nullptr ? nullptr : plan.table->history;
  const bool is_kept = history != nullptr && history->is_kept();
  const bool is_loaded = is_kept && history->Load(entry);
  if (is_loaded) return absl::OkStatus();
  if (entry.row != nullptr) {
    plan.table->info().ops.destroy(entry.row);
    plan.table->Free(entry.row);
  }
  if (!is_kept) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(plan.name, ": an entry of its log that cannot follow"));
}

absl::Status RowReader::AddEntries(std::size_t table, std::uint64_t count, ByteReader& reader) {
  for (; count > 0; --count) {
    if (absl::Status status = AddEntry(plans_[table], reader); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace strata::orm::internal
