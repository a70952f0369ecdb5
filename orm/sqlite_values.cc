#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "strata/orm/json.h"
#include "strata/orm/scalar_internal.h"
#include "strata/orm/sqlite_internal.h"
#include "strata/orm/sqlite_values_internal.h"
#include "strata/orm/utf8_internal.h"

namespace strata::orm::internal {
namespace {

absl::Status Bound(int result) {
  if (result == SQLITE_OK) return absl::OkStatus();
  return StatusOfCode(result, sqlite3_errstr(result));
}

// A text that the caller keeps. A null pointer would be NULL.
template <typename Sink>
absl::Status PutText(Sink sink, std::string_view text) {
  if (!IsAscii(text) && !IsUtf8(text)) return absl::InvalidArgumentError("the text is no UTF-8");
  return Bound(sink.Text(text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_STATIC));
}

// A short one, that SQLite copies.
template <typename Sink>
absl::Status PutCopy(Sink sink, std::string_view text) {
  return Bound(sink.Text(text.data(), text.size(), SQLITE_TRANSIENT));
}

template <typename Sink>
absl::Status PutReal(Sink sink, double value) {
  if (std::isnan(value)) return absl::InvalidArgumentError("SQLite has no NaN");
  return Bound(sink.Real(value));
}

template <typename Sink>
absl::Status PutInteger(Sink sink, const TypeInfo& type, bool as_text, const void* value) {
  const std::int64_t integer = LoadInteger(type, value);
  if (type.kind == Kind::kUint64 && integer < 0) {
    return absl::OutOfRangeError("SQLite has no integer above 2^63 - 1");
  }
  if (!as_text) return Bound(sink.Integer(integer));
  if (type.kind == Kind::kTime) {
    char text[kMaxTimeText];
    const char* end = FormatTicks(integer, type.unit, text);
    if (end == nullptr) return absl::OutOfRangeError("a time outside the years 0 to 9999");
    return PutCopy(sink, {text, static_cast<std::size_t>(end - text)});
  }
  const std::string_view name = EnumNameOf(type, integer);
  if (name.empty()) return absl::InvalidArgumentError("the enum has no name for this value");
  return PutText(sink, name);
}

template <typename Sink>
absl::Status PutJson(Sink sink, const TypeInfo& type, const void* value) {
  std::string json;
  if (absl::Status status = AppendJson(type, value, &json); !status.ok()) return status;
  return PutCopy(sink, json);
}

template <typename Sink>
absl::Status PutValue(Sink sink, const TypeInfo& type, bool as_text, const void* value) {
  switch (type.kind) {
    case Kind::kBool:
      return Bound(sink.Integer(Load<bool>(value) ? 1 : 0));
    case Kind::kFloat:
      return PutReal(sink, Load<float>(value));
    case Kind::kDouble:
      return PutReal(sink, Load<double>(value));
    case Kind::kString:
      return PutText(sink, *static_cast<const std::string*>(value));
    case Kind::kBlob: {
      const auto& blob = *static_cast<const Blob*>(value);
      return Bound(
          sink.Bytes(blob.empty() ? static_cast<const void*>("") : blob.data(), blob.size()));
    }
    case Kind::kUuid: {
      const auto& uuid = *static_cast<const Uuid*>(value);
      if (!as_text) return Bound(sink.Bytes(uuid.bytes().data(), Uuid::kBytes));
      char text[Uuid::kTextBytes];
      uuid.Format(text);
      return PutCopy(sink, {text, sizeof(text)});
    }
    case Kind::kJson:
    case Kind::kList:
    case Kind::kStruct:
      return PutJson(sink, type, value);
    case Kind::kOptional: {
      const void* inner = type.optional->get(value);
      if (inner == nullptr) return Bound(sink.Null());
      return PutValue(sink, *type.element, as_text, inner);
    }
    case Kind::kNone:
      return absl::InternalError("a type without a column");
    default:
      return PutInteger(sink, type, as_text, value);
  }
}

absl::Status WrongClass() {
  return absl::DataLossError("the database has a value of another type");
}

absl::Status OfBadText(const absl::Status& why) {
  return absl::DataLossError(absl::StrCat("the database has a bad text: ", why.message()));
}

absl::Status NoMemory() { return absl::ResourceExhaustedError("no memory for a text"); }

std::string_view TextOf(sqlite3_value* value) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return {text, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

absl::Status ReadTextual(sqlite3_value* from, const TypeInfo& type, void* value) {
  const std::string_view text = TextOf(from);
  if (text.data() == nullptr) return NoMemory();
  switch (type.kind) {
    case Kind::kString:
      static_cast<std::string*>(value)->assign(text);
      return absl::OkStatus();
    case Kind::kUuid: {
      const absl::StatusOr<Uuid> uuid = Uuid::Parse(text);
      if (!uuid.ok()) return OfBadText(uuid.status());
      Store(value, *uuid);
      return absl::OkStatus();
    }
    case Kind::kTime: {
      const absl::StatusOr<std::int64_t> ticks = ParseTicks(text, type.unit);
      if (!ticks.ok()) return OfBadText(ticks.status());
      return StoreInteger(type, value, *ticks) ? absl::OkStatus()
                                               : absl::OutOfRangeError("too large for the field");
    }
    case Kind::kJson:
      if (text == "null") {
        static_cast<Json*>(value)->text.clear();
      } else {
        static_cast<Json*>(value)->text.assign(text);
      }
      return absl::OkStatus();
    case Kind::kList:
    case Kind::kStruct: {
      const absl::Status status = ReadJson(text, {}, type, value);
      return status.ok() ? status : OfBadText(status);
    }
    default: {
      const EnumName* name = FindEnumName(type, text);
      if (name == nullptr) return absl::DataLossError("the enum has no value of this name");
      StoreInteger(type, value, name->value);
      return absl::OkStatus();
    }
  }
}

absl::Status ReadBlob(sqlite3_value* from, const TypeInfo& type, void* value) {
  const auto* data = static_cast<const std::byte*>(sqlite3_value_blob(from));
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(from));
  if (type.kind == Kind::kUuid) {
    if (size != Uuid::kBytes) return absl::DataLossError("a UUID has 16 bytes");
    std::memcpy(value, data, size);
    return absl::OkStatus();
  }
  static_cast<Blob*>(value)->assign(data, data + size);
  return absl::OkStatus();
}

absl::Status ReadInteger(std::int64_t integer, const TypeInfo& type, void* value) {
  bool fits = true;
  switch (type.kind) {
    case Kind::kBool:
      fits = integer == 0 || integer == 1;
      if (fits) Store(value, integer == 1);
      break;
    case Kind::kFloat:
      Store(value, static_cast<float>(integer));
      break;
    case Kind::kDouble:
      Store(value, static_cast<double>(integer));
      break;
    case Kind::kString:
    case Kind::kBlob:
    case Kind::kUuid:
    case Kind::kJson:
    case Kind::kList:
    case Kind::kStruct:
      return WrongClass();
    default:
      fits = StoreInteger(type, value, integer);
  }
  return fits ? absl::OkStatus() : absl::OutOfRangeError("too large for the field");
}

absl::Status ReadReal(double real, const TypeInfo& type, void* value) {
  if (type.kind == Kind::kDouble) {
    Store(value, real);
    return absl::OkStatus();
  }
  if (type.kind != Kind::kFloat) return WrongClass();
  if (std::isfinite(real) && std::fabs(real) > std::numeric_limits<float>::max()) {
    return absl::OutOfRangeError("too large for the field");
  }
  Store(value, static_cast<float>(real));
  return absl::OkStatus();
}

absl::Status ReadValue(sqlite3_value* value, int value_class, const TypeInfo& type, void* field) {
  switch (value_class) {
    case SQLITE_INTEGER:
      return ReadInteger(sqlite3_value_int64(value), type, field);
    case SQLITE_FLOAT:
      return ReadReal(sqlite3_value_double(value), type, field);
    case SQLITE_TEXT:
      // Whether the column has AsText() does not matter: the result of an expression has none.
      if (StorageOf(type, true) != Storage::kText || type.kind == Kind::kBool) return WrongClass();
      if (IsIntegerKind(type.kind) && type.names.empty()) return WrongClass();
      if (type.kind == Kind::kCurrency || type.kind == Kind::kDuration) return WrongClass();
      return ReadTextual(value, type, field);
    case SQLITE_BLOB:
      if (type.kind != Kind::kBlob && type.kind != Kind::kUuid) return WrongClass();
      return ReadBlob(value, type, field);
    default:
      return absl::DataLossError("NULL, but the field is no std::optional");
  }
}

absl::Status ReadField(sqlite3_value* value, int value_class, const TypeInfo& type, void* field) {
  if (type.kind == Kind::kOptional) {
    if (value_class == SQLITE_NULL) {
      type.optional->reset(field);
      return absl::OkStatus();
    }
    return ReadValue(value, value_class, *type.element, type.optional->emplace(field));
  }
  return ReadValue(value, value_class, type, field);
}

}  // namespace

absl::Status BindValue(sqlite3_stmt* statement, int parameter, const TypeInfo& type, bool as_text,
                       const void* value) {
  return PutValue(Parameter(statement, parameter), type, as_text, value);
}

absl::Status ResultValue(sqlite3_context* context, const TypeInfo& type, bool as_text,
                         const void* value) {
  return PutValue(Result(context), type, as_text, value);
}

absl::Status BindArgument(sqlite3_stmt* statement, int parameter, const Argument& argument) {
  if (argument.type != nullptr) {
    return BindValue(statement, parameter, *argument.type, argument.as_text, argument.value);
  }
  if (argument.text.data() != nullptr) {
    return PutText(Parameter(statement, parameter), argument.text);
  }
  return Bound(sqlite3_bind_null(statement, parameter));
}

absl::Status BindColumn(sqlite3_stmt* statement, int parameter, const Column& column,
                        const void* row) {
  const void* value = column.Value(row);
  if (value == nullptr) return Bound(sqlite3_bind_null(statement, parameter));
  return BindValue(statement, parameter, *column.value, column.has(Column::kAsText), value);
}

absl::Status ReadColumn(sqlite3_stmt* statement, int position, const Column& column, void* row) {
  sqlite3_value* value = sqlite3_column_value(statement, position);
  return ReadField(value, sqlite3_value_type(value), *column.type,
                   static_cast<char*>(row) + column.offset);
}

absl::Status ReadFields(sqlite3_stmt* statement, std::span<const ResultField> fields, void* row,
                        int* position) {
  *position = 0;
  for (const ResultField& field : fields) {
    void* to = static_cast<char*>(row) + field.offset;
    sqlite3_value* value = sqlite3_column_value(statement, *position);
    const int value_class = sqlite3_value_type(value);
    const Kind kind = field.type->kind;
    // The kinds that most columns have.
    if (value_class == SQLITE_INTEGER && (kind == Kind::kInt64 || kind == Kind::kCurrency)) {
      Store<std::int64_t>(to, sqlite3_value_int64(value));
    } else if (value_class == SQLITE_FLOAT && kind == Kind::kDouble) {
      Store(to, sqlite3_value_double(value));
    } else if (value_class == SQLITE_TEXT && kind == Kind::kString) {
      const std::string_view text = TextOf(value);
      if (text.data() == nullptr) return NoMemory();
      static_cast<std::string*>(to)->assign(text);
    } else {
      absl::Status status = ReadField(value, value_class, *field.type, to);
      if (!status.ok()) return status;
    }
    ++*position;
  }
  return absl::OkStatus();
}

}  // namespace strata::orm::internal
