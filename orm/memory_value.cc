#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "absl/hash/hash.h"
#include "absl/strings/match.h"
#include "strata/orm/json.h"
#include "strata/orm/memory_value_internal.h"
#include "strata/orm/rules_internal.h"
#include "strata/orm/scalar_internal.h"
#include "strata/orm/utf8_internal.h"

namespace strata::orm::internal {
namespace {

unsigned char Lower(char c) {
  return static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

std::string_view WithoutTrailingBlanks(std::string_view text) {
  const std::size_t last = text.find_last_not_of(' ');
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

int CompareNoCase(std::string_view a, std::string_view b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const int difference = Lower(a[i]) - Lower(b[i]);
    if (difference != 0) return difference;
  }
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

int CompareBytes(std::string_view a, std::string_view b, Collation collation) {
  switch (collation) {
    case Collation::kNoCase:
      return CompareNoCase(a, b);
    case Collation::kRightTrim:
      return WithoutTrailingBlanks(a).compare(WithoutTrailingBlanks(b));
    case Collation::kBinary:
      break;
  }
  return a.compare(b);
}

Value OfInteger(std::int64_t integer, bool is_unsigned) {
  Value value;
  value.what = is_unsigned && integer < 0 ? Value::Class::kLargeInteger : Value::Class::kInteger;
  value.integer = integer;
  return value;
}

Value OfReal(double real) {
  Value value;
  value.what = Value::Class::kReal;
  value.real = real == 0 ? 0 : real;  // Not -0: it is equal, and has to hash so.
  return value;
}

Value OfBytes(std::string_view bytes) {
  Value value;
  value.what = Value::Class::kBytes;
  value.bytes = bytes;
  return value;
}

Value OfType(const TypeInfo& type, bool as_text, const void* value) {
  switch (type.kind) {
    case Kind::kBool:
      return OfInteger(Load<bool>(value) ? 1 : 0, false);
    case Kind::kFloat:
      return OfReal(Load<float>(value));
    case Kind::kDouble:
      return OfReal(Load<double>(value));
    case Kind::kString:
      return OfBytes(*static_cast<const std::string*>(value));
    case Kind::kBlob: {
      const auto& blob = *static_cast<const Blob*>(value);
      return OfBytes({reinterpret_cast<const char*>(blob.data()), blob.size()});
    }
    case Kind::kUuid:
      return OfBytes({static_cast<const char*>(value), Uuid::kBytes});
    case Kind::kJson:
      return OfBytes(static_cast<const Json*>(value)->text);
    default: {
      const std::int64_t integer = LoadInteger(type, value);
      if (as_text && type.is_enum) {
        const std::string_view name = EnumNameOf(type, integer);
        if (!name.empty()) return OfBytes(name);
      }
      return OfInteger(integer, type.kind == Kind::kUint64);
    }
  }
}

bool IsInteger(const Value& value) {
  return value.what == Value::Class::kInteger || value.what == Value::Class::kLargeInteger;
}

// Exactly, as most integers of 64 bits are no doubles.
int CompareWithReal(const Value& integer, double real) {
  constexpr double kEnd = 9223372036854775808.0;  // 2^63
  if (integer.what == Value::Class::kLargeInteger) {
    const auto large = static_cast<double>(static_cast<std::uint64_t>(integer.integer));
    return large < real ? -1 : 1;
  }
  if (real >= kEnd) return -1;
  if (real < -kEnd) return 1;
  const auto whole = static_cast<std::int64_t>(real);
  if (integer.integer != whole) return integer.integer < whole ? -1 : 1;
  const double fraction = real - static_cast<double>(whole);
  return fraction > 0 ? -1 : fraction < 0 ? 1 : 0;
}

// Of the first one of a text that is not empty, in bytes.
std::size_t CharacterSize(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) ++size;
  return size;
}

// Takes the next part of a pattern, which is no %, and what it stands for off the front of both.
bool TakeLike(std::string_view* pattern, std::string_view* text) {
  if (text->empty()) return false;
  if (pattern->front() == '_') {
    pattern->remove_prefix(1);
    text->remove_prefix(CharacterSize(*text));
    return true;
  }
  if (pattern->front() == '\\') {
    if (pattern->size() == 1) return false;
    pattern->remove_prefix(1);
  }
  if (Lower(pattern->front()) != Lower(text->front())) return false;
  pattern->remove_prefix(1);
  text->remove_prefix(1);
  return true;
}

absl::Status CheckText(std::string_view text) {
  if (IsAscii(text) || IsUtf8(text)) return absl::OkStatus();
  return absl::InvalidArgumentError("the text is no UTF-8");
}

absl::Status CheckOfType(const TypeInfo& type, bool as_text, const void* value) {
  switch (type.kind) {
    case Kind::kFloat:
      if (std::isnan(Load<float>(value))) return absl::InvalidArgumentError("is not a number");
      return absl::OkStatus();
    case Kind::kDouble:
      if (std::isnan(Load<double>(value))) return absl::InvalidArgumentError("is not a number");
      return absl::OkStatus();
    case Kind::kString:
      return CheckText(*static_cast<const std::string*>(value));
    case Kind::kJson:
    case Kind::kList:
    case Kind::kStruct: {
      std::string json;
      return AppendJson(type, value, &json);
    }
    case Kind::kTime: {
      char text[kMaxTimeText];
      if (!as_text || FormatTicks(LoadInteger(type, value), type.unit, text) != nullptr) {
        return absl::OkStatus();
      }
      return absl::OutOfRangeError("a time outside the years 0 to 9999");
    }
    default:
      if (!as_text || !type.is_enum || !EnumNameOf(type, LoadInteger(type, value)).empty()) {
        return absl::OkStatus();
      }
      return absl::InvalidArgumentError("the enum has no name for this value");
  }
}

}  // namespace

bool FindCollation(std::string_view name, Collation* collation) {
  if (name.empty() || absl::EqualsIgnoreCase(name, "BINARY")) {
    *collation = Collation::kBinary;
  } else if (absl::EqualsIgnoreCase(name, "NOCASE")) {
    *collation = Collation::kNoCase;
  } else if (absl::EqualsIgnoreCase(name, "RTRIM")) {
    *collation = Collation::kRightTrim;
  } else {
    return false;
  }
  return true;
}

Value ValueOfColumn(const Column& column, const void* value) {
  if (value == nullptr) return {};
  return OfType(*column.value, column.has(Column::kAsText), value);
}

Value ValueOfArgument(const Argument& argument) {
  if (argument.type == nullptr) {
    return argument.text.data() == nullptr ? Value{} : OfBytes(argument.text);
  }
  const TypeInfo& type = *argument.type;
  if (type.kind != Kind::kOptional) return OfType(type, argument.as_text, argument.value);
  const void* inner = type.optional->get(argument.value);
  return inner == nullptr ? Value{} : OfType(*type.element, argument.as_text, inner);
}

Value ValueOfArgument(const Column& column, const Argument& argument) {
  Argument as_column = argument;
  as_column.as_text = column.has(Column::kAsText);
  return ValueOfArgument(as_column);
}

int Compare(const Value& a, const Value& b, Collation collation) {
  if (a.what != b.what) return a.what < b.what ? -1 : 1;
  switch (a.what) {
    case Value::Class::kNull:
      return 0;
    case Value::Class::kInteger:
    case Value::Class::kLargeInteger:  // Their bits are in the same order.
      return a.integer == b.integer ? 0 : a.integer < b.integer ? -1 : 1;
    case Value::Class::kReal:
      return a.real == b.real ? 0 : a.real < b.real ? -1 : 1;
    case Value::Class::kBytes:
      break;
  }
  return CompareBytes(a.bytes, b.bytes, collation);
}

int CompareAny(const Value& a, const Value& b, Collation collation) {
  if (a.what == Value::Class::kReal && IsInteger(b)) return -CompareWithReal(b, a.real);
  if (b.what == Value::Class::kReal && IsInteger(a)) return CompareWithReal(a, b.real);
  return Compare(a, b, collation);
}

bool IsLike(std::string_view text, std::string_view pattern) {
  // Where the last % has been met, and the rest of the text that was tried behind it.
  std::string_view after_any, rest;
  bool has_any = false;
  for (;;) {
    if (!pattern.empty() && pattern[0] == '%') {
      pattern.remove_prefix(1);
      has_any = true;
      after_any = pattern;
      rest = text;
      continue;
    }
    if (pattern.empty() ? text.empty() : TakeLike(&pattern, &text)) {
      if (pattern.empty() && text.empty()) return true;
      continue;
    }
    // One character more for the last %.
    if (!has_any || rest.empty()) return false;
    rest.remove_prefix(CharacterSize(rest));
    text = rest;
    pattern = after_any;
  }
}

std::size_t HashOf(const Value& value, Collation collation, std::size_t seed) {
  switch (value.what) {
    case Value::Class::kNull:
      return absl::HashOf(seed);
    case Value::Class::kInteger:
    case Value::Class::kLargeInteger:
      return absl::HashOf(seed, value.integer);
    case Value::Class::kReal:
      return absl::HashOf(seed, value.real);
    case Value::Class::kBytes:
      break;
  }
  if (collation == Collation::kBinary) return absl::HashOf(seed, value.bytes);
  if (collation == Collation::kRightTrim) {
    return absl::HashOf(seed, WithoutTrailingBlanks(value.bytes));
  }
  std::string lower(value.bytes);
  for (char& c : lower) c = static_cast<char>(Lower(c));
  return absl::HashOf(seed, lower);
}

std::uint64_t PrefixOf(const Value& value, Collation collation) {
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  switch (value.what) {
    case Value::Class::kNull:
      return 0;
    case Value::Class::kInteger:
      return static_cast<std::uint64_t>(value.integer) ^ kSign;
    case Value::Class::kLargeInteger:
      return ~std::uint64_t{0};
    case Value::Class::kReal: {
      const auto bits = std::bit_cast<std::uint64_t>(value.real);
      return (bits & kSign) != 0 ? ~bits : bits | kSign;
    }
    case Value::Class::kBytes:
      break;
  }
  // The first eight bytes, the first of them the most significant. With RTRIM a blank may be as
  // good as the end of the text, and so less than any byte: there is no prefix.
  if (collation == Collation::kRightTrim) return 0;
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < sizeof(prefix); ++i) {
    unsigned char byte = 0;
    if (i < value.bytes.size()) {
      const char c = value.bytes[i];
      byte = collation == Collation::kNoCase ? Lower(c) : static_cast<unsigned char>(c);
    }
    prefix = prefix << 8 | byte;
  }
  return prefix;
}

bool NeedsCheck(const Column& column) {
  switch (column.value->kind) {
    case Kind::kFloat:
    case Kind::kDouble:
    case Kind::kString:
    case Kind::kJson:
    case Kind::kList:
    case Kind::kStruct:
      return true;
    default:
      return column.has(Column::kAsText);
  }
}

absl::Status CheckValue(const TableInfo& table, const Column& column, const void* row) {
  const void* value = column.Value(row);
  if (value == nullptr) return absl::OkStatus();
  absl::Status status = CheckOfType(*column.value, column.has(Column::kAsText), value);
  if (status.ok()) return status;
  return ColumnError(status.code(), table, column, status.message());
}

void CopyValue(const TypeInfo& type, void* to, const void* from) {
  switch (type.kind) {
    case Kind::kString:
      *static_cast<std::string*>(to) = *static_cast<const std::string*>(from);
      break;
    case Kind::kBlob:
      *static_cast<Blob*>(to) = *static_cast<const Blob*>(from);
      break;
    case Kind::kJson:
      *static_cast<Json*>(to) = *static_cast<const Json*>(from);
      break;
    case Kind::kOptional: {
      const void* inner = type.optional->get(from);
      if (inner == nullptr) {
        type.optional->reset(to);
      } else {
        CopyValue(*type.element, type.optional->emplace(to), inner);
      }
      break;
    }
    case Kind::kList: {
      type.list->clear(to);
      const char* element = static_cast<const char*>(type.list->data(from));
      for (std::size_t i = type.list->size(from); i > 0; --i, element += type.element->size) {
        CopyValue(*type.element, type.list->add(to), element);
      }
      break;
    }
    case Kind::kStruct:
      for (const Column& column : type.table().columns) CopyField(column, to, from);
      break;
    default:
      std::memcpy(to, from, type.size);
  }
}

void CopyField(const Column& column, void* to_row, const void* from_row) {
  CopyValue(*column.type, static_cast<char*>(to_row) + column.offset,
            static_cast<const char*>(from_row) + column.offset);
}

}  // namespace strata::orm::internal
