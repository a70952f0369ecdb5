// File: type_info.h
//
// What the library knows of the type of a field: constants without a template in sight, by which
// engines and JSON read and write fields of structs that they have never seen. A user meets them
// only when walking through a table's columns.
//
// A column can be:
//
//   bool, integers of 8 to 64 bits, float, double, enums
//   std::string                        UTF-8
//   Blob                               std::vector<std::byte>; base64 in JSON
//   Currency, Uuid
//   std::chrono::sys_time, duration    of days to nanoseconds (time_text.h)
//   std::optional of these             NULL where it is empty
//   Json                               any JSON value, as its text
//   std::vector, described structs     nested, as JSON

#ifndef STRATA_ORM_TYPE_INFO_H_
#define STRATA_ORM_TYPE_INFO_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "strata/orm/currency.h"
#include "strata/orm/time_text.h"
#include "strata/orm/uuid.h"

namespace strata::orm {

using Blob = std::vector<std::byte>;

// A JSON value (RFC 8259) as its text, for what has no structure in C++. Written as it is, after
// a check that it is one; an empty text is null.
struct Json {
  std::string text;
  friend bool operator==(const Json&, const Json&) = default;
};

enum class Kind : std::uint8_t {
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,  // SQLite has no such integers: more than 2^63 - 1 is OutOfRange there.
  kFloat,
  kDouble,
  kString,
  kBlob,
  kCurrency,
  kUuid,
  kTime,
  kDuration,
  kJson,
  kOptional,
  kList,
  kStruct,
  kNone,
};

struct TableInfo;

// A value of an enum and its name in JSON, or in a column that has AsText().
struct EnumName {
  std::string_view name;
  std::int64_t value;
};

struct OptionalOps {
  const void* (*get)(const void* optional);  // Null if it is empty.
  void* (*emplace)(void* optional);          // A new value in it.
  void (*reset)(void* optional);
};

struct ListOps {
  std::size_t (*size)(const void* list);
  const void* (*data)(const void* list);
  void* (*add)(void* list);  // A new last element.
  void (*clear)(void* list);
};

struct TypeInfo {
  Kind kind = Kind::kNone;
  std::uint32_t size = 0;                // In bytes, of the C++ object.
  TimeUnit unit = TimeUnit::kNone;       // Of kTime and kDuration, whose counts have `size` bytes.
  bool is_enum = false;                  // `kind` is that of the underlying integer.
  std::uint64_t enum_id = 0;             // Another one for each enum.
  std::span<const EnumName> names = {};  // Of an enum with STRATA_ENUM.
  const TypeInfo* element = nullptr;     // Of kOptional and kList.
  const OptionalOps* optional = nullptr;
  const ListOps* list = nullptr;
  const TableInfo& (*table)() = nullptr;  // Of kStruct.
};

namespace internal {

// Found by argument-dependent lookup where STRATA_TABLE, STRATA_STRUCT or STRATA_ENUM has declared
// it, beside the type.
template <typename T>
concept Described = requires {
  StrataOrmDescribe(static_cast<const T*>(nullptr));
};

template <typename T>
using DescriptionOf = decltype(StrataOrmDescribe(static_cast<const T*>(nullptr)));

template <typename T>
const TableInfo& DescribedTable();

template <typename T>
constexpr TypeInfo PlainTypeInfo(Kind kind) {
  TypeInfo info;
  info.kind = kind;
  info.size = sizeof(T);
  return info;
}

template <typename T>
constexpr Kind IntegerKind() {
  constexpr int kLog2 = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
  constexpr Kind kFirst = std::is_signed_v<T> ? Kind::kInt8 : Kind::kUint8;
  return static_cast<Kind>(static_cast<int>(kFirst) + kLog2);
}

template <typename T>
constexpr bool IsCharacter() {
  return std::is_same_v<T, char> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> ||
         std::is_same_v<T, char16_t> || std::is_same_v<T, char32_t>;
}

// By the name of T (FNV-1a): addresses of different objects cannot be compared at compile time, by
// GCC with its sanitizer of undefined behaviour.
template <typename T>
constexpr std::uint64_t TypeId() {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : std::string_view(__PRETTY_FUNCTION__)) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

template <typename T>
struct TypeInfoOf {
  static constexpr TypeInfo Get() {
    if constexpr (std::is_same_v<T, bool>) {
      return PlainTypeInfo<T>(Kind::kBool);
    } else if constexpr (std::is_integral_v<T> && !IsCharacter<T>() && sizeof(T) <= 8) {
      return PlainTypeInfo<T>(IntegerKind<T>());
    } else if constexpr (std::is_enum_v<T>) {
      // Through TypeInfoOf, as char and bool may underlie an enum, which then has no column.
      TypeInfo info = TypeInfoOf<std::underlying_type_t<T>>::Get();
      info.is_enum = true;
      info.enum_id = TypeId<T>();
      if constexpr (Described<T>) info.names = DescriptionOf<T>::kNames;
      return info;
    } else if constexpr (std::is_class_v<T> && Described<T>) {
      TypeInfo info = PlainTypeInfo<T>(Kind::kStruct);
      info.table = &DescribedTable<T>;
      return info;
    } else {
      return PlainTypeInfo<T>(Kind::kNone);
    }
  }
};

#define STRATA_ORM_INTERNAL_KIND(type, kind)                                    \
  template <>                                                                   \
  struct TypeInfoOf<type> {                                                     \
    static constexpr TypeInfo Get() { return PlainTypeInfo<type>(Kind::kind); } \
  };
STRATA_ORM_INTERNAL_KIND(float, kFloat)
STRATA_ORM_INTERNAL_KIND(double, kDouble)
STRATA_ORM_INTERNAL_KIND(std::string, kString)
STRATA_ORM_INTERNAL_KIND(Blob, kBlob)
STRATA_ORM_INTERNAL_KIND(Currency, kCurrency)
STRATA_ORM_INTERNAL_KIND(Uuid, kUuid)
STRATA_ORM_INTERNAL_KIND(Json, kJson)
#undef STRATA_ORM_INTERNAL_KIND

template <typename Duration>
constexpr TypeInfo TicksInfo(Kind kind) {
  using Rep = typename Duration::rep;
  constexpr TimeUnit kUnit = kTimeUnitOf<typename Duration::period>;
  if constexpr (std::is_integral_v<Rep> && std::is_signed_v<Rep> && sizeof(Rep) >= 4 &&
                kUnit != TimeUnit::kNone) {
    TypeInfo info = PlainTypeInfo<Duration>(kind);
    info.unit = kUnit;
    return info;
  }
  return {};
}

template <typename Rep, typename Period>
struct TypeInfoOf<std::chrono::duration<Rep, Period>> {
  static constexpr TypeInfo Get() {
    return TicksInfo<std::chrono::duration<Rep, Period>>(Kind::kDuration);
  }
};

template <typename Duration>
struct TypeInfoOf<std::chrono::time_point<std::chrono::system_clock, Duration>> {
  static constexpr TypeInfo Get() { return TicksInfo<Duration>(Kind::kTime); }
};

}  // namespace internal

// The TypeInfo of T; its kind is kNone for a type that cannot be a column.
template <typename T>
inline constexpr TypeInfo kTypeInfo = internal::TypeInfoOf<T>::Get();

namespace internal {

template <typename T>
inline constexpr OptionalOps kOptionalOps = {
    .get = [](const void* optional) -> const void* {
      const auto& value = *static_cast<const std::optional<T>*>(optional);
      return value ? &*value : nullptr;
    },
    .emplace = [](void* optional) -> void* {
      return &static_cast<std::optional<T>*>(optional)->emplace();
    },
    .reset = [](void* optional) { static_cast<std::optional<T>*>(optional)->reset(); },
};

template <typename T>
inline constexpr ListOps kListOps = {
    .size = [](const void* list) { return static_cast<const std::vector<T>*>(list)->size(); },
    .data = [](const void* list) -> const void* {
      return static_cast<const std::vector<T>*>(list)->data();
    },
    .add = [](void* list) -> void* { return &static_cast<std::vector<T>*>(list)->emplace_back(); },
    .clear = [](void* list) { static_cast<std::vector<T>*>(list)->clear(); },
};

template <typename T>
struct TypeInfoOf<std::optional<T>> {
  static constexpr TypeInfo Get() {
    constexpr Kind kElement = kTypeInfo<T>.kind;
    if constexpr (kElement == Kind::kNone || kElement == Kind::kOptional) {
      return {};
    } else {
      TypeInfo info = PlainTypeInfo<std::optional<T>>(Kind::kOptional);
      info.element = &kTypeInfo<T>;
      info.optional = &kOptionalOps<T>;
      return info;
    }
  }
};

template <typename T>
struct TypeInfoOf<std::vector<T>> {
  static constexpr TypeInfo Get() {
    // A vector<bool> has no elements in memory to point to.
    if constexpr (std::is_same_v<T, bool>) {
      return {};
    } else if constexpr (kTypeInfo<T>.kind == Kind::kNone) {
      return {};
    } else {
      TypeInfo info = PlainTypeInfo<std::vector<T>>(Kind::kList);
      info.element = &kTypeInfo<T>;
      info.list = &kListOps<T>;
      return info;
    }
  }
};

// What points to memory that it does not own, or that SQLite and JSON cannot.
template <typename T>
inline constexpr bool kIsView =
    std::is_pointer_v<T> || std::is_reference_v<T> || std::is_array_v<T>;
template <typename T>
inline constexpr bool kIsView<std::basic_string_view<T>> = true;
template <typename T, std::size_t n>
inline constexpr bool kIsView<std::span<T, n>> = true;
template <typename T>
inline constexpr bool kIsView<std::optional<T>> = kIsView<T>;

}  // namespace internal

}  // namespace strata::orm

#endif  // STRATA_ORM_TYPE_INFO_H_
