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
absl::Status BindText(sqlite3_stmt* statement, int parameter, std::string_view text) {
  bool ascii = true;
  for (const char *at = text.data(), *end = at + text.size(); at != end && ascii;) {
    at = FindStringStop(at, end, &ascii);
    if (at != end) ++at;
  }
  if (!ascii && !IsUtf8(text)) return absl::InvalidArgumentError("the text is no UTF-8");
  return Bound(sqlite3_bind_text64(statement, parameter, text.data() == nullptr ? "" : text.data(),
                                   text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

// A short one, that SQLite copies.
absl::Status BindCopy(sqlite3_stmt* statement, int parameter, std::string_view text) {
  return Bound(sqlite3_bind_text64(statement, parameter, text.data(), text.size(), SQLITE_TRANSIENT,
                                   SQLITE_UTF8));
}

absl::Status BindBlob(sqlite3_stmt* statement, int parameter, const void* data, std::size_t size) {
  return Bound(
      sqlite3_bind_blob64(statement, parameter, size == 0 ? "" : data, size, SQLITE_STATIC));
}

absl::Status BindReal(sqlite3_stmt* statement, int parameter, double value) {
  if (std::isnan(value)) return absl::InvalidArgumentError("SQLite has no NaN");
  return Bound(sqlite3_bind_double(statement, parameter, value));
}

absl::Status BindInteger(sqlite3_stmt* statement, int parameter, const TypeInfo& type, bool as_text,
                         const void* value) {
  const std::int64_t integer = LoadInteger(type, value);
  if (type.kind == Kind::kUint64 && integer < 0) {
    return absl::OutOfRangeError("SQLite has no integer above 2^63 - 1");
  }
  if (!as_text) return Bound(sqlite3_bind_int64(statement, parameter, integer));
  if (type.kind == Kind::kTime) {
    char text[kMaxTimeText];
    const char* end = FormatTicks(integer, type.unit, text);
    if (end == nullptr) return absl::OutOfRangeError("a time outside the years 0 to 9999");
    return BindCopy(statement, parameter, {text, static_cast<std::size_t>(end - text)});
  }
  const std::string_view name = EnumNameOf(type, integer);
  if (name.empty()) return absl::InvalidArgumentError("the enum has no name for this value");
  return BindText(statement, parameter, name);
}

absl::Status BindJson(sqlite3_stmt* statement, int parameter, const TypeInfo& type,
                      const void* value) {
  std::string json;
  if (absl::Status status = AppendJson(type, value, &json); !status.ok()) return status;
  return BindCopy(statement, parameter, json);
}

absl::Status WrongClass() {
  return absl::DataLossError("the database has a value of another type");
}

absl::Status OfBadText(const absl::Status& why) {
  return absl::DataLossError(absl::StrCat("the database has a bad text: ", why.message()));
}

std::string_view TextOf(sqlite3_value* value) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return {text, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

absl::Status ReadTextual(sqlite3_value* from, const TypeInfo& type, void* value) {
  const std::string_view text = TextOf(from);
  if (text.data() == nullptr) return absl::ResourceExhaustedError("no memory for a text");
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

}  // namespace

absl::Status BindValue(sqlite3_stmt* statement, int parameter, const TypeInfo& type, bool as_text,
                       const void* value) {
  switch (type.kind) {
    case Kind::kBool:
      return Bound(sqlite3_bind_int(statement, parameter, Load<bool>(value) ? 1 : 0));
    case Kind::kFloat:
      return BindReal(statement, parameter, Load<float>(value));
    case Kind::kDouble:
      return BindReal(statement, parameter, Load<double>(value));
    case Kind::kString:
      return BindText(statement, parameter, *static_cast<const std::string*>(value));
    case Kind::kBlob: {
      const auto& blob = *static_cast<const Blob*>(value);
      return BindBlob(statement, parameter, blob.data(), blob.size());
    }
    case Kind::kUuid: {
      const auto& uuid = *static_cast<const Uuid*>(value);
      if (!as_text) return BindBlob(statement, parameter, uuid.bytes().data(), Uuid::kBytes);
      char text[Uuid::kTextBytes];
      uuid.Format(text);
      return BindCopy(statement, parameter, {text, sizeof(text)});
    }
    case Kind::kJson:
    case Kind::kList:
    case Kind::kStruct:
      return BindJson(statement, parameter, type, value);
    case Kind::kOptional: {
      const void* inner = type.optional->get(value);
      if (inner == nullptr) return Bound(sqlite3_bind_null(statement, parameter));
      return BindValue(statement, parameter, *type.element, as_text, inner);
    }
    case Kind::kNone:
      return absl::InternalError("a type without a column");
    default:
      return BindInteger(statement, parameter, type, as_text, value);
  }
}

absl::Status BindArgument(sqlite3_stmt* statement, int parameter, const Argument& argument,
                          bool as_text) {
  if (argument.type != nullptr) {
    return BindValue(statement, parameter, *argument.type, as_text, argument.value);
  }
  if (argument.text.data() != nullptr) return BindText(statement, parameter, argument.text);
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
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
      return ReadInteger(sqlite3_value_int64(value), *column.value, column.Emplace(row));
    case SQLITE_FLOAT:
      return ReadReal(sqlite3_value_double(value), *column.value, column.Emplace(row));
    case SQLITE_TEXT: {
      // Whether the column has AsText() does not matter: the result of an expression has none.
      const TypeInfo& type = *column.value;
      if (StorageOf(type, true) != Storage::kText || type.kind == Kind::kBool) return WrongClass();
      if (IsIntegerKind(type.kind) && type.names.empty()) return WrongClass();
      if (type.kind == Kind::kCurrency || type.kind == Kind::kDuration) return WrongClass();
      return ReadTextual(value, type, column.Emplace(row));
    }
    case SQLITE_BLOB:
      if (column.value->kind != Kind::kBlob && column.value->kind != Kind::kUuid) {
        return WrongClass();
      }
      return ReadBlob(value, *column.value, column.Emplace(row));
    default:
      if (column.SetNull(row)) return absl::OkStatus();
      return absl::DataLossError("NULL, but the field is no std::optional");
  }
}

}  // namespace strata::orm::internal
