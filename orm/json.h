// File: json.h
//
// Described structs, and lists of them, to JSON (RFC 8259) and back, without a tree in between:
//
//   absl::StatusOr<std::string> text = ToJson(person);  // {"id":1,"name":"Ada","balance":12.5}
//   Person read;
//   absl::Status status = FromJson(*text, &read);
//   std::vector<Person> people;
//   status = FromJson(R"([{"id":1,"name":"Ada"},{"id":2}])", &people);
//
// In JSON, money is a number of up to 4 decimals, times and UUIDs are texts, a Blob is base64 (RFC
// 4648 section 4), an enum the name of its value, or the number if that has none; an empty optional
// is null. Integers are exact, all 64 bits.
//
// Reading is strict: what RFC 8259 does not allow is refused, and so is invalid UTF-8, half of a
// surrogate pair, a key twice, a number that the field does not hold. Errors are InvalidArgument,
// or OutOfRange for such numbers, ResourceExhausted for the bounds, and say where: "JSON at byte
// 17, name: ...". The row, or the list, has then been written to in part.

#ifndef STRATA_ORM_JSON_H_
#define STRATA_ORM_JSON_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/orm/table.h"

namespace strata::orm {

struct JsonReadOptions {
  enum class Unknown : std::uint8_t { kRefuse, kIgnore };
  enum class Missing : std::uint8_t { kKeep, kRefuse };

  // A key that the struct does not have.
  Unknown unknown_keys = Unknown::kRefuse;

  // A column without a key: keeps the value that it had, or is an error. A column that is
  // Generated() may always be missing.
  Missing missing_keys = Missing::kKeep;

  std::size_t max_bytes = std::size_t{64} << 20;
  std::size_t max_depth = 64;  // Of arrays and objects in each other.

  // Of all lists together: an element of two bytes may make a struct of a thousand.
  std::size_t max_elements = std::size_t{4} << 20;
};

namespace internal {

absl::Status AppendJson(const TypeInfo& type, const void* value, std::string* out);
absl::Status AppendJsonList(const TypeInfo& type, const void* values, std::size_t count,
                            std::string* out);
absl::Status ReadJson(std::string_view text, const JsonReadOptions& options, const TypeInfo& type,
                      void* value);

}  // namespace internal

// Anything that can be a column: a described struct, a vector of them, a string. InvalidArgument
// for what JSON does not have: a double that is not finite, a string that is no UTF-8, a Json that
// is none. `out` has then got a part.
template <typename T>
absl::Status AppendJson(const T& value, std::string* out) {
  static_assert(kTypeInfo<T>.kind != Kind::kNone, "this type has no JSON: see type_info.h");
  return internal::AppendJson(kTypeInfo<T>, &value, out);
}

// A list.
template <typename T>
absl::Status AppendJson(std::span<const T> values, std::string* out) {
  static_assert(kTypeInfo<T>.kind != Kind::kNone, "this type has no JSON: see type_info.h");
  return internal::AppendJsonList(kTypeInfo<T>, values.data(), values.size(), out);
}

template <typename T>
absl::StatusOr<std::string> ToJson(const T& value) {
  std::string text;
  absl::Status status = AppendJson(value, &text);
  if (!status.ok()) return status;
  return text;
}

// Reads `text`, which has the value and nothing else but blanks around it. A list is emptied
// before.
template <typename T>
absl::Status FromJson(std::string_view text, T* value, const JsonReadOptions& options = {}) {
  static_assert(kTypeInfo<T>.kind != Kind::kNone, "this type has no JSON: see type_info.h");
  return internal::ReadJson(text, options, kTypeInfo<T>, value);
}

// OK if `text` is one JSON value, within the bounds.
absl::Status CheckJson(std::string_view text, const JsonReadOptions& options = {});

}  // namespace strata::orm

#endif  // STRATA_ORM_JSON_H_
