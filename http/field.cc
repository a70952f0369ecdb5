// Names by number, and what is found in a section.

#include "strata/http/field.h"

#include <array>
#include <cstring>

#include "strata/http/text.h"

namespace strata::http {
namespace {

constexpr std::array<std::string_view, kFieldIdCount> kNames = {
    "",
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Accept-Ranges",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Method",
    "Age",
    "Allow",
    "Authorization",
    "Cache-Control",
    "Connection",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Location",
    "Content-Range",
    "Content-Type",
    "Cookie",
    "Date",
    "ETag",
    "Expect",
    "Expires",
    "Forwarded",
    "Host",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Last-Event-ID",
    "Last-Modified",
    "Location",
    "Max-Forwards",
    "Origin",
    "Pragma",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Range",
    "Referer",
    "Retry-After",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Version",
    "Server",
    "Set-Cookie",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "Vary",
    "Via",
    "WWW-Authenticate",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "X-Request-ID",
};

// Names are found by a perfect hash of their size, their first byte and their last but one, which
// no two of them have in common, then compared with the one name that it can be. The factor was
// found by trying; that no two names meet is checked below.
constexpr std::size_t kMinNameBytes = 2;
constexpr std::size_t Hash(std::string_view name) {
  const auto lower = [](char c) { return static_cast<std::uint32_t>(c | 0x20) & 0xff; };
  const std::uint32_t key = static_cast<std::uint32_t>(name.size()) << 16 |
                            lower(name[name.size() - 2]) << 8 | lower(name[0]);
  return key * 0x118d101b >> 24;
}

// A name in lower case, for words of 8 bytes to be compared at once.
struct LowerName {
  std::uint8_t size = 0;
  FieldId id = FieldId::kOther;
  std::array<char, 30> text = {};
};

constexpr std::array<LowerName, kFieldIdCount> MakeLowerNames() {
  std::array<LowerName, kFieldIdCount> all = {};
  for (std::size_t i = 1; i < kFieldIdCount; ++i) {
    all[i].size = static_cast<std::uint8_t>(kNames[i].size());
    all[i].id = static_cast<FieldId>(i);
    for (std::size_t k = 0; k < kNames[i].size(); ++k) {
      const char c = kNames[i][k];
      all[i].text[k] = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    }
  }
  return all;
}

constexpr auto kLowerNames = MakeLowerNames();
static_assert(sizeof(kLowerNames) == 32 * kFieldIdCount);

constexpr std::array<std::uint8_t, 256> MakeTable() {
  std::array<std::uint8_t, 256> table = {};
  for (std::size_t i = 1; i < kFieldIdCount; ++i) {
    table[Hash(kNames[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}

constexpr auto kTable = MakeTable();

constexpr bool IsPerfect() {
  for (std::size_t i = 1; i < kFieldIdCount; ++i) {
    if (kTable[Hash(kNames[i])] != i) return false;
  }
  return true;
}
static_assert(IsPerfect());

// Whether bytes at `text` are those at `lower` but for the case of letters. `lower` has small
// letters, digits and "-", of which letters alone have the bit 0x40: where that is, the bit of the
// case is not looked at.
template <typename Word>
bool WordsAreEqual(const char* text, const char* lower) {
  Word a;
  Word b;
  std::memcpy(&a, text, sizeof(a));
  std::memcpy(&b, lower, sizeof(b));
  constexpr Word kLetters = static_cast<Word>(0x4040404040404040);
  return static_cast<Word>(a | ((b & kLetters) >> 1)) == b;
}

// Words may overlap, so that none reaches over the end.
bool NamesAreEqual(const char* text, const char* lower, std::size_t size) {
  if (size >= 8) {
    for (std::size_t i = 0; i + 8 < size; i += 8) {
      if (!WordsAreEqual<std::uint64_t>(text + i, lower + i)) return false;
    }
    return WordsAreEqual<std::uint64_t>(text + size - 8, lower + size - 8);
  }
  if (size >= 4) {
    return WordsAreEqual<std::uint32_t>(text, lower) &&
           WordsAreEqual<std::uint32_t>(text + size - 4, lower + size - 4);
  }
  return WordsAreEqual<std::uint16_t>(text, lower) &&
         WordsAreEqual<std::uint16_t>(text + size - 2, lower + size - 2);
}

}  // namespace

std::string_view FieldName(FieldId id) { return kNames[static_cast<std::size_t>(id)]; }

FieldId FieldIdOf(std::string_view name) {
  if (name.size() < kMinNameBytes) return FieldId::kOther;
  const LowerName& candidate = kLowerNames[kTable[Hash(name)]];
  // Places of the table that no name has lead to kOther, whose size is 0.
  if (candidate.size != name.size()) return FieldId::kOther;
  return NamesAreEqual(name.data(), candidate.text.data(), name.size()) ? candidate.id
                                                                        : FieldId::kOther;
}

FieldList::FieldList(std::span<const Field> fields) : fields_(fields) {
  for (const Field& field : fields) present_ |= SetOf(field.id);
}

std::optional<std::string_view> FieldList::Get(FieldId id) const {
  if (id == FieldId::kOther || !Has(id)) return std::nullopt;
  for (const Field& field : fields_) {
    if (field.id == id) return field.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> FieldList::Get(std::string_view name) const {
  const FieldId id = FieldIdOf(name);
  if (id != FieldId::kOther) return Get(id);
  for (const Field& field : fields_) {
    if (field.id == id && EqualsIgnoreCase(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t FieldList::Count(FieldId id) const {
  std::size_t count = 0;
  if (id == FieldId::kOther || !Has(id)) return count;
  for (const Field& field : fields_) count += field.id == id;
  return count;
}

std::optional<std::string_view> FieldList::GetAll(FieldId id, std::string& storage) const {
  if (Count(id) <= 1) return Get(id);
  storage.clear();
  for (const Field& field : fields_) {
    if (field.id != id) continue;
    if (!storage.empty()) storage.append(", ");
    storage.append(field.value);
  }
  return storage;
}

std::string FieldList::GetAll(FieldId id) const {
  std::string storage;
  const std::optional<std::string_view> all = GetAll(id, storage);
  return all ? std::string(*all) : storage;
}

std::size_t FieldList::Count(std::string_view name) const {
  const FieldId id = FieldIdOf(name);
  if (id != FieldId::kOther) return Count(id);
  std::size_t count = 0;
  for (const Field& field : fields_) {
    count += field.id == id && EqualsIgnoreCase(field.name, name);
  }
  return count;
}

bool FieldList::HasToken(FieldId id, std::string_view token) const {
  if (!Has(id)) return false;
  ListReader reader(*this, id);
  while (const std::optional<std::string_view> element = reader.Next()) {
    if (EqualsIgnoreCase(*element, token)) return true;
  }
  return false;
}

ListReader::ListReader(const FieldList& fields, FieldId id) : fields_(fields), id_(id) {
  if (id == FieldId::kOther || !fields.Has(id)) fields_ = FieldList();
}

std::optional<std::string_view> ListReader::Next() {
  for (;;) {
    while (rest_.empty()) {
      while (next_field_ < fields_.size() && fields_[next_field_].id != id_) ++next_field_;
      if (next_field_ == fields_.size()) return std::nullopt;
      rest_ = fields_[next_field_++].value;
    }
    std::size_t end = 0;
    for (bool quoted = false; end < rest_.size(); ++end) {
      const char c = rest_[end];
      if (c == '"') {
        quoted = !quoted;
      } else if (quoted && c == '\\') {
        if (++end == rest_.size()) break;
      } else if (c == ',' && !quoted) {
        break;
      }
    }
    const std::string_view element = TrimWhitespace(rest_.substr(0, end));
    rest_.remove_prefix(end == rest_.size() ? end : end + 1);
    if (!element.empty()) return element;
  }
}

}  // namespace strata::http
