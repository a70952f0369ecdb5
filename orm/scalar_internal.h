// Values of fields whose type is known at run time alone.

#ifndef STRATA_ORM_SCALAR_INTERNAL_H_
#define STRATA_ORM_SCALAR_INTERNAL_H_

#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "strata/orm/type_info.h"

namespace strata::orm::internal {

template <typename T>
T Load(const void* value) {
  T result;
  std::memcpy(&result, value, sizeof(T));
  return result;
}

template <typename T>
void Store(void* value, T from) {
  std::memcpy(value, &from, sizeof(T));
}

// Of a kind from kInt8 to kUint32, of kInt64, or of ticks.
inline std::int64_t LoadInteger(const TypeInfo& type, const void* value) {
  switch (type.kind) {
    case Kind::kInt8:
      return Load<std::int8_t>(value);
    case Kind::kInt16:
      return Load<std::int16_t>(value);
    case Kind::kInt32:
      return Load<std::int32_t>(value);
    case Kind::kUint8:
      return Load<std::uint8_t>(value);
    case Kind::kUint16:
      return Load<std::uint16_t>(value);
    case Kind::kUint32:
      return Load<std::uint32_t>(value);
    case Kind::kTime:
    case Kind::kDuration:
      return type.size == 4 ? Load<std::int32_t>(value) : Load<std::int64_t>(value);
    default:
      return Load<std::int64_t>(value);
  }
}

template <typename T>
bool StoreIfFits(void* value, std::int64_t from) {
  if (from < static_cast<std::int64_t>(std::numeric_limits<T>::min()) ||
      from > static_cast<std::int64_t>(std::numeric_limits<T>::max())) {
    return false;
  }
  Store(value, static_cast<T>(from));
  return true;
}

// False, and the value untouched, if the field does not hold it. Of the same kinds, and of kUint64
// what is not negative.
inline bool StoreInteger(const TypeInfo& type, void* value, std::int64_t from) {
  switch (type.kind) {
    case Kind::kInt8:
      return StoreIfFits<std::int8_t>(value, from);
    case Kind::kInt16:
      return StoreIfFits<std::int16_t>(value, from);
    case Kind::kInt32:
      return StoreIfFits<std::int32_t>(value, from);
    case Kind::kUint8:
      return StoreIfFits<std::uint8_t>(value, from);
    case Kind::kUint16:
      return StoreIfFits<std::uint16_t>(value, from);
    case Kind::kUint32:
      return StoreIfFits<std::uint32_t>(value, from);
    case Kind::kUint64:
      if (from < 0) return false;
      Store(value, from);
      return true;
    case Kind::kTime:
    case Kind::kDuration:
      if (type.size == 4) return StoreIfFits<std::int32_t>(value, from);
      Store(value, from);
      return true;
    default:
      Store(value, from);
      return true;
  }
}

// The name of an enum's value, or empty.
inline std::string_view EnumNameOf(const TypeInfo& type, std::int64_t value) {
  for (const EnumName& name : type.names) {
    if (name.value == value) return name.name;
  }
  return {};
}

inline const EnumName* FindEnumName(const TypeInfo& type, std::string_view name) {
  for (const EnumName& each : type.names) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_SCALAR_INTERNAL_H_
