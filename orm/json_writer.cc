// Values to JSON.

#include <charconv>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "strata/orm/base64_internal.h"
#include "strata/orm/json.h"
#include "strata/orm/scalar_internal.h"
#include "strata/orm/utf8_internal.h"

namespace strata::orm::internal {
namespace {

constexpr char kHex[] = "0123456789abcdef";

// A described struct nests as deep as its lists do.
constexpr int kMaxDepth = 64;

// Short ones without a call.
void CopyBytes(char* to, const char* from, std::size_t size) {
  const auto copy = [&]<typename Word>(Word word, std::size_t at) {
    std::memcpy(&word, from + at, sizeof(word));
    std::memcpy(to + at, &word, sizeof(word));
  };
  if (size > 16) {
    std::memcpy(to, from, size);
  } else if (size >= 8) {
    copy(std::uint64_t{}, 0);
    copy(std::uint64_t{}, size - 8);
  } else if (size >= 4) {
    copy(std::uint32_t{}, 0);
    copy(std::uint32_t{}, size - 4);
  } else {
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  }
}

// Collects in a chunk of its own, as a std::string that grows fills with zeros before it is
// written, and looks at its capacity each time.
class Writer {
 public:
  explicit Writer(std::string* out) : out_(out) {}

  absl::Status Value(const TypeInfo& type, const void* value, int depth);
  absl::Status List(const TypeInfo& element, const void* data, std::size_t count, int depth);

  void Flush() {
    out_->append(chunk_, at_);
    at_ = chunk_;
  }

 private:
  // Of any scalar but texts.
  static constexpr std::size_t kMaxScalar = 64;

  void Need(std::size_t bytes) {
    if (static_cast<std::size_t>(chunk_ + sizeof(chunk_) - at_) < bytes) Flush();
  }
  void Put(char c) {
    Need(1);
    *at_++ = c;
  }
  void Put(std::string_view text) {
    if (text.size() > sizeof(chunk_) / 4) {
      Flush();
      out_->append(text);
      return;
    }
    Need(text.size());
    CopyBytes(at_, text.data(), text.size());
    at_ += text.size();
  }

  template <typename T>
  void Number(T value) {
    Need(kMaxScalar);
    at_ = std::to_chars(at_, at_ + kMaxScalar, value).ptr;
  }

  template <typename T>
  absl::Status Real(T value) {
    if (!std::isfinite(value)) return absl::InvalidArgumentError("JSON has no number for it");
    Number(value);
    return absl::OkStatus();
  }

  void Escape(char c);
  absl::Status String(std::string_view text);
  void Name(std::string_view name);
  void Time(const TypeInfo& type, const void* value);
  void Bytes(const Blob& bytes);
  absl::Status Raw(std::string_view json);
  absl::Status Struct(const TableInfo& table, const void* row, int depth);

  std::string* out_;
  char* at_ = chunk_;
  char chunk_[4096];
};

void Writer::Escape(char c) {
  Need(6);
  *at_++ = '\\';
  switch (c) {
    case '"':
    case '\\':
      *at_++ = c;
      return;
    case '\b':
      *at_++ = 'b';
      return;
    case '\f':
      *at_++ = 'f';
      return;
    case '\n':
      *at_++ = 'n';
      return;
    case '\r':
      *at_++ = 'r';
      return;
    case '\t':
      *at_++ = 't';
      return;
    default:
      std::memcpy(at_, "u00", 3);
      at_[3] = kHex[c >> 4];
      at_[4] = kHex[c & 15];
      at_ += 5;
  }
}

absl::Status Writer::String(std::string_view text) {
  bool ascii = true;
  const char* at = text.data();
  const char* end = at + text.size();
  Put('"');
  while (true) {
    const char* stop = FindStringStop(at, end, &ascii);
    Put(std::string_view(at, static_cast<std::size_t>(stop - at)));
    if (stop == end) break;
    Escape(*stop);
    at = stop + 1;
  }
  Put('"');
  if (!ascii && !IsUtf8(text)) return absl::InvalidArgumentError("the text is no UTF-8");
  return absl::OkStatus();
}

// A column's name, which has nothing to escape.
void Writer::Name(std::string_view name) {
  Need(name.size() + 3);
  *at_++ = '"';
  CopyBytes(at_, name.data(), name.size());
  at_ += name.size();
  *at_++ = '"';
  *at_++ = ':';
}

void Writer::Time(const TypeInfo& type, const void* value) {
  const std::int64_t ticks = LoadInteger(type, value);
  Need(kMaxScalar);
  char* end = FormatTicks(ticks, type.unit, at_ + 1);
  if (end == nullptr) {  // No year of four digits.
    Number(ticks);
    return;
  }
  *at_ = '"';
  *end = '"';
  at_ = end + 1;
}

void Writer::Bytes(const Blob& bytes) {
  // A multiple of 3 has no padding.
  constexpr std::size_t kPiece = 1536;
  static_assert(Base64Size(kPiece) < sizeof(chunk_));
  Put('"');
  for (std::span<const std::byte> rest = bytes; !rest.empty();) {
    const auto piece = rest.first(rest.size() < kPiece ? rest.size() : kPiece);
    Need(Base64Size(piece.size()));
    at_ = EncodeBase64(piece, at_);
    rest = rest.subspan(piece.size());
  }
  Put('"');
}

absl::Status Writer::Raw(std::string_view json) {
  if (json.empty()) {
    Put("null");
    return absl::OkStatus();
  }
  absl::Status status = CheckJson(json);
  if (status.ok()) Put(json);
  return status;
}

absl::Status Writer::Struct(const TableInfo& table, const void* row, int depth) {
  Put('{');
  bool first = true;
  for (const Column& column : table.columns) {
    if (!first) Put(',');
    first = false;
    Name(column.name);
    const void* value = column.Value(row);
    if (value == nullptr) {
      Put("null");
      continue;
    }
    if (absl::Status status = Value(*column.value, value, depth); !status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat(table.name, ".", column.name, ": ", status.message()));
    }
  }
  Put('}');
  return absl::OkStatus();
}

absl::Status Writer::List(const TypeInfo& element, const void* data, std::size_t count, int depth) {
  Put('[');
  const char* at = static_cast<const char*>(data);
  for (std::size_t i = 0; i < count; ++i, at += element.size) {
    if (i != 0) Put(',');
    if (absl::Status status = Value(element, at, depth); !status.ok()) return status;
  }
  Put(']');
  return absl::OkStatus();
}

absl::Status Writer::Value(const TypeInfo& type, const void* value, int depth) {
  switch (type.kind) {
    case Kind::kBool:
      Put(Load<bool>(value) ? std::string_view("true") : std::string_view("false"));
      return absl::OkStatus();
    case Kind::kUint64:
      if (type.names.empty()) {
        Number(Load<std::uint64_t>(value));
        return absl::OkStatus();
      }
      [[fallthrough]];
    case Kind::kInt8:
    case Kind::kInt16:
    case Kind::kInt32:
    case Kind::kInt64:
    case Kind::kUint8:
    case Kind::kUint16:
    case Kind::kUint32: {
      const std::int64_t integer = LoadInteger(type, value);
      const std::string_view name = EnumNameOf(type, integer);
      if (!name.empty()) return String(name);
      Number(integer);
      return absl::OkStatus();
    }
    case Kind::kFloat:
      return Real(Load<float>(value));
    case Kind::kDouble:
      return Real(Load<double>(value));
    case Kind::kString:
      return String(*static_cast<const std::string*>(value));
    case Kind::kBlob:
      Bytes(*static_cast<const Blob*>(value));
      return absl::OkStatus();
    case Kind::kCurrency:
      Need(kMaxScalar);
      at_ = static_cast<const Currency*>(value)->Format(at_);
      return absl::OkStatus();
    case Kind::kUuid:
      Need(kMaxScalar);
      *at_ = '"';
      at_ = static_cast<const Uuid*>(value)->Format(at_ + 1);
      *at_++ = '"';
      return absl::OkStatus();
    case Kind::kTime:
      Time(type, value);
      return absl::OkStatus();
    case Kind::kDuration:
      Number(LoadInteger(type, value));
      return absl::OkStatus();
    case Kind::kJson:
      return Raw(static_cast<const Json*>(value)->text);
    case Kind::kOptional: {
      const void* inner = type.optional->get(value);
      if (inner != nullptr) return Value(*type.element, inner, depth);
      Put("null");
      return absl::OkStatus();
    }
    case Kind::kList:
    case Kind::kStruct:
      if (depth == kMaxDepth) return absl::ResourceExhaustedError("nested more than 64 deep");
      if (type.kind == Kind::kStruct) return Struct(type.table(), value, depth + 1);
      return List(*type.element, type.list->data(value), type.list->size(value), depth + 1);
    case Kind::kNone:
      break;
  }
  return absl::InternalError("a type without JSON");
}

}  // namespace

absl::Status AppendJson(const TypeInfo& type, const void* value, std::string* out) {
  Writer writer(out);
  absl::Status status = writer.Value(type, value, 0);
  writer.Flush();
  return status;
}

absl::Status AppendJsonList(const TypeInfo& type, const void* values, std::size_t count,
                            std::string* out) {
  Writer writer(out);
  absl::Status status = writer.List(type, values, count, 1);
  writer.Flush();
  return status;
}

}  // namespace strata::orm::internal
