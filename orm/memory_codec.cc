#include <bit>
#include <cstring>

#include "strata/orm/json.h"
#include "strata/orm/memory_codec_internal.h"
#include "strata/orm/scalar_internal.h"

namespace strata::orm::internal {
namespace {

// Kinds of changes. The numbers are in files.
constexpr char kPut = 1;
constexpr char kRemove = 2;
constexpr char kTime = 3;
constexpr char kPrune = 4;

static_assert(static_cast<int>(TimeUnit::kNanoseconds) == 0 &&
              static_cast<int>(TimeUnit::kDays) == 6 && static_cast<int>(TimeUnit::kNone) == 7);

// More than any description has.
constexpr std::size_t kMaxTables = 10'000;

WireType TypeOf(const Column& column) {
  const TypeInfo& type = *column.value;
  if (type.is_enum && column.has(Column::kAsText)) return WireType::kName;
  switch (type.kind) {
    case Kind::kBool:
      return WireType::kBool;
    case Kind::kUint64:
      return WireType::kUnsigned;
    case Kind::kFloat:
    case Kind::kDouble:
      return WireType::kReal;
    case Kind::kString:
      return WireType::kText;
    case Kind::kBlob:
      return WireType::kBlob;
    case Kind::kCurrency:
      return WireType::kCurrency;
    case Kind::kUuid:
      return WireType::kUuid;
    case Kind::kTime:
      return WireType::kTime;
    case Kind::kDuration:
      return WireType::kDuration;
    case Kind::kJson:
    case Kind::kList:
    case Kind::kStruct:
      return WireType::kJson;
    default:
      return WireType::kInteger;
  }
}

void AppendValue(const Column& column, const void* value, std::string* out) {
  const TypeInfo& type = *column.value;
  switch (TypeOf(column)) {
    case WireType::kBool:
      out->push_back(Load<bool>(value) ? 1 : 0);
      break;
    case WireType::kReal: {
      const double real = type.kind == Kind::kFloat ? Load<float>(value) : Load<double>(value);
      char bytes[sizeof(real)];
      std::memcpy(bytes, &real, sizeof(real));
      out->append(bytes, sizeof(bytes));
      break;
    }
    case WireType::kText:
      AppendBytes(*static_cast<const std::string*>(value), out);
      break;
    case WireType::kBlob: {
      const auto& blob = *static_cast<const Blob*>(value);
      AppendBytes({reinterpret_cast<const char*>(blob.data()), blob.size()}, out);
      break;
    }
    case WireType::kUuid:
      out->append(static_cast<const char*>(value), Uuid::kBytes);
      break;
    case WireType::kJson: {
      if (type.kind == Kind::kJson) {
        AppendBytes(static_cast<const Json*>(value)->text, out);
        break;
      }
      // It has been looked at before (CheckValue()), and so has JSON.
      std::string json;
      AppendJson(type, value, &json).IgnoreError();
      AppendBytes(json, out);
      break;
    }
    case WireType::kName:
      AppendBytes(EnumNameOf(type, LoadInteger(type, value)), out);
      break;
    case WireType::kUnsigned:
      AppendNumber(Load<std::uint64_t>(value), out);
      break;
    default:
      AppendSigned(LoadInteger(type, value), out);
  }
}

void AppendColumn(const Column& column, const void* row, std::string* out) {
  const void* value = column.Value(row);
  if (column.nullable()) out->push_back(value == nullptr ? 0 : 1);
  if (value != nullptr) AppendValue(column, value, out);
}

}  // namespace

void AppendNumber(std::uint64_t number, std::string* out) {
  char bytes[10];
  std::size_t size = 0;
  for (; number >= 0x80; number >>= 7) bytes[size++] = static_cast<char>(number | 0x80);
  bytes[size++] = static_cast<char>(number);
  out->append(bytes, size);
}

void AppendSigned(std::int64_t number, std::string* out) {
  const auto bits = static_cast<std::uint64_t>(number);
  AppendNumber(bits << 1 ^ (number < 0 ? ~std::uint64_t{0} : 0), out);
}

void AppendBytes(std::string_view bytes, std::string* out) {
  AppendNumber(bytes.size(), out);
  out->append(bytes);
}

std::uint8_t ByteReader::Byte() {
  if (bytes_.empty()) return Fail<std::uint8_t>();
  const auto byte = static_cast<std::uint8_t>(bytes_[0]);
  bytes_.remove_prefix(1);
  return byte;
}

std::uint64_t ByteReader::Number() {
  std::uint64_t number = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = Byte();
    if (shift == 63 && byte > 1) return Fail<std::uint64_t>();
    number |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return ok_ ? number : 0;
  }
  return Fail<std::uint64_t>();
}

std::int64_t ByteReader::Signed() {
  const std::uint64_t number = Number();
  return static_cast<std::int64_t>(number >> 1 ^ (~(number & 1) + 1));
}

std::string_view ByteReader::Fixed(std::size_t size) {
  if (size > bytes_.size()) return Fail<std::string_view>();
  const std::string_view taken = bytes_.substr(0, size);
  bytes_.remove_prefix(size);
  return taken;
}

WireTable DescribedTableOf(const TableInfo& info) {
  WireTable table;
  table.name = info.name;
  for (const Column& column : info.columns) {
    table.columns.push_back({std::string(column.name), TypeOf(column),
                             static_cast<std::uint8_t>(column.value->unit), column.nullable()});
  }
  table.key.assign(info.key.begin(), info.key.begin() + info.key_count);
  table.is_logged = info.log.max_entries != 0;
  return table;
}

WireSchema SchemaOf(const MemorySession& session) {
  WireSchema schema;
  for (const auto& table : session.tables()) schema.push_back(DescribedTableOf(table->info()));
  return schema;
}

void AppendSchema(const WireSchema& schema, std::string* out) {
  AppendNumber(schema.size(), out);
  for (const WireTable& table : schema) {
    AppendBytes(table.name, out);
    AppendNumber(table.columns.size(), out);
    for (const WireColumn& column : table.columns) {
      AppendBytes(column.name, out);
      out->push_back(static_cast<char>(column.type));
      out->push_back(static_cast<char>(column.unit));
      out->push_back(column.nullable ? 1 : 0);
    }
    AppendNumber(table.key.size(), out);
    for (const std::size_t position : table.key) AppendNumber(position, out);
    out->push_back(table.is_logged ? 1 : 0);
  }
}

bool ReadSchema(ByteReader& reader, std::uint64_t format, WireSchema* schema) {
  const std::uint64_t tables = reader.Number();
  if (tables > kMaxTables) return false;
  for (std::uint64_t i = 0; i < tables && reader.ok(); ++i) {
    WireTable& table = schema->emplace_back();
    table.name = reader.Bytes();
    const std::uint64_t columns = reader.Number();
    if (columns > kMaxColumns) return false;
    for (std::uint64_t j = 0; j < columns && reader.ok(); ++j) {
      WireColumn& column = table.columns.emplace_back();
      column.name = reader.Bytes();
      column.type = static_cast<WireType>(reader.Byte());
      column.unit = reader.Byte();
      column.nullable = reader.Byte() != 0;
      if (column.type < WireType::kInteger || column.type > WireType::kName) return false;
    }
    const std::uint64_t key = reader.Number();
    if (key < 1 || key > kMaxKeyColumns) return false;
    for (std::uint64_t j = 0; j < key; ++j) {
      const std::uint64_t position = reader.Number();
      if (position >= table.columns.size()) return false;
      table.key.push_back(position);
    }
    table.is_logged = format > 1 && reader.Byte() != 0;
  }
  return reader.ok();
}

void AppendRow(const TableInfo& info, const void* row, std::string* out) {
  for (const Column& column : info.columns) AppendColumn(column, row, out);
}

void AppendPut(const MemoryTable& table, const void* row, std::string* out) {
  out->push_back(kPut);
  AppendNumber(table.position, out);
  AppendRow(table.info(), row, out);
}

void AppendRemove(const MemoryTable& table, const void* row, std::string* out) {
  out->push_back(kRemove);
  AppendNumber(table.position, out);
  const TableInfo& info = table.info();
  for (std::size_t i = 0; i < info.key_count; ++i) {
    AppendColumn(info.columns[info.key[i]], row, out);
  }
}

void AppendTime(std::int64_t time, std::string* out) {
  out->push_back(kTime);
  AppendSigned(time, out);
}

void AppendPrune(const MemoryTable& table, std::int64_t sequence, std::string* out) {
  out->push_back(kPrune);
  AppendNumber(table.position, out);
  AppendSigned(sequence, out);
}

void AppendEntry(const TableInfo& info, const MemoryHistory::Entry& entry, std::string* out) {
  AppendSigned(entry.sequence, out);
  out->push_back(static_cast<char>(entry.kind));
  AppendSigned(entry.time, out);
  if (entry.row != nullptr) AppendRow(info, entry.row, out);
}

absl::Status RowReader::Put(const Plan& plan, ByteReader& reader) {
  char* row = nullptr;
  absl::Status status = ReadNew(plan, reader, &row);
  return status.ok() && row != nullptr ? session_->Put(*plan.table, row) : status;
}

absl::Status RowReader::Remove(const Plan& plan, ByteReader& reader) {
  Plan key = {plan.table, plan.name, {}, {}, {}};
  for (const std::size_t each : plan.key) key.steps.push_back(plan.steps[each]);
  char* row = nullptr;
  absl::Status status = ReadNew(key, reader, &row);
  if (!status.ok() || row == nullptr) return status;
  status = session_->Remove(*plan.table, row);
  plan.table->info().ops.destroy(row);
  plan.table->Free(row);
  return status.ok() ? status : absl::DataLossError(status.message());
}

absl::Status RowReader::Apply(std::string_view changes) {
  ByteReader reader(changes);
  absl::Status status;
  session_->SetTime(0);  // Of changes of a file that does not tell it.
  while (status.ok() && !reader.AtEnd()) {
    const std::uint8_t what = reader.Byte();
    if (what == kTime) {
      const std::int64_t time = reader.Signed();
      if (time < -kMaxHistoryNumber || time > kMaxHistoryNumber) break;
      session_->SetTime(time);
      continue;
    }
    const std::uint64_t position = reader.Number();
    if (position >= plans_.size() || what < kPut || what > kPrune) break;
    const Plan& plan = plans_[position];
    if (what == kPut) {
      status = Put(plan, reader);
    } else if (what == kRemove) {
      status = Remove(plan, reader);
    } else {
      const std::int64_t sequence = reader.Signed();
      if (plan.table != nullptr && plan.table->history != nullptr) {
        session_->PruneHistory(*plan.table->history, sequence);
      }
    }
  }
  session_->SetTime(std::nullopt);
  if (!status.ok()) return status;
  // A break has left something behind.
  return reader.ok() && reader.AtEnd() ? absl::OkStatus()
                                       : absl::DataLossError("a change that is none");
}

}  // namespace strata::orm::internal
