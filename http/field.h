// File: field.h
//
// Fields of a header or trailer section (RFC 9110 section 5): their names, the names that are
// looked up by number, and a view of a whole section.
//
//   const FieldList& fields = parser.head().fields;
//   std::optional<std::string_view> type = fields.Get(FieldId::kContentType);
//   std::optional<std::string_view> own = fields.Get("X-Own");
//   if (fields.HasToken(FieldId::kAcceptEncoding, "gzip")) ...
//   for (const Field& field : fields) Log(field.name, field.value);
//
// Nothing here owns text: a field is valid as long as the bytes it was parsed from.

#ifndef STRATA_HTTP_FIELD_H_
#define STRATA_HTTP_FIELD_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace strata::http {

// The names that servers and clients look up. Fewer than 64, so that a set of them is a word.
enum class FieldId : std::uint8_t {
  kOther,  // Any name that is not below.
  kAccept,
  kAcceptEncoding,
  kAcceptLanguage,
  kAcceptRanges,
  kAccessControlRequestHeaders,
  kAccessControlRequestMethod,
  kAge,
  kAllow,
  kAuthorization,
  kCacheControl,
  kConnection,
  kContentDisposition,
  kContentEncoding,
  kContentLanguage,
  kContentLength,
  kContentLocation,
  kContentRange,
  kContentType,
  kCookie,
  kDate,
  kEtag,
  kExpect,
  kExpires,
  kForwarded,
  kHost,
  kIfMatch,
  kIfModifiedSince,
  kIfNoneMatch,
  kIfRange,
  kIfUnmodifiedSince,
  kKeepAlive,
  kLastEventId,
  kLastModified,
  kLocation,
  kMaxForwards,
  kOrigin,
  kPragma,
  kProxyAuthenticate,
  kProxyAuthorization,
  kProxyConnection,
  kRange,
  kReferer,
  kRetryAfter,
  kSecWebSocketAccept,
  kSecWebSocketExtensions,
  kSecWebSocketKey,
  kSecWebSocketProtocol,
  kSecWebSocketVersion,
  kServer,
  kSetCookie,
  kTe,
  kTrailer,
  kTransferEncoding,
  kUpgrade,
  kUserAgent,
  kVary,
  kVia,
  kWwwAuthenticate,
  kXForwardedFor,
  kXForwardedHost,
  kXForwardedProto,
  kXRealIp,
  kXRequestId,
};

inline constexpr std::size_t kFieldIdCount = 64;
static_assert(static_cast<std::size_t>(FieldId::kXRequestId) + 1 == kFieldIdCount);

// As it is usually written: "Content-Length", "ETag". Empty for kOther.
std::string_view FieldName(FieldId id);

// Without regard to case (RFC 9110 section 5.1).
FieldId FieldIdOf(std::string_view name);

// A set of ids: one bit each.
using FieldIdSet = std::uint64_t;
constexpr FieldIdSet SetOf(FieldId id) { return FieldIdSet{1} << static_cast<unsigned>(id); }

struct Field {
  std::string_view name;   // As it was sent.
  std::string_view value;  // Without the whitespace around it.
  FieldId id = FieldId::kOther;
};

// A view of a section's fields, in the order they were sent. Copied like a pointer.
class FieldList {
 public:
  FieldList() = default;
  explicit FieldList(std::span<const Field> fields);

  // For who has counted already: `present` is the set of the fields' ids.
  FieldList(std::span<const Field> fields, FieldIdSet present)
      : fields_(fields), present_(present) {}

  const Field* begin() const { return fields_.data(); }
  const Field* end() const { return fields_.data() + fields_.size(); }
  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  const Field& operator[](std::size_t i) const { return fields_[i]; }

  // One instruction or two. Not for kOther.
  bool Has(FieldId id) const { return (present_ & SetOf(id)) != 0; }

  // The value of the first such field. kOther finds nothing. By an id that is absent it costs what
  // Has() does; else the time is linear in the number of fields.
  std::optional<std::string_view> Get(FieldId id) const;
  std::optional<std::string_view> Get(std::string_view name) const;

  // The values of all such fields as one list, joined by ", " (RFC 9110 section 5.3): a view of the
  // only one, or of `storage`, which is written to if there are several.
  std::optional<std::string_view> GetAll(FieldId id, std::string& storage) const;

  // The same in memory of its own; empty if there is none.
  std::string GetAll(FieldId id) const;

  std::size_t Count(FieldId id) const;
  std::size_t Count(std::string_view name) const;

  // Whether an element of the comma lists in all such fields is `token`, without regard to case,
  // and nothing more: "gzip;q=0" is not "gzip".
  bool HasToken(FieldId id, std::string_view token) const;

 private:
  std::span<const Field> fields_;
  FieldIdSet present_ = 0;
};

// Walks the elements of comma lists (RFC 9110 section 5.6.1): those of one value, or of all fields
// of a name in their order, as if they were one value. Empty elements are left out, whitespace
// around an element is taken off, and a comma in a quoted string separates nothing.
//
//   ListReader reader(fields, FieldId::kIfNoneMatch);
//   while (std::optional<std::string_view> element = reader.Next()) ...
class ListReader {
 public:
  explicit ListReader(std::string_view value) : rest_(value) {}
  ListReader(const FieldList& fields, FieldId id);

  // The next element; nothing at the end. A quoted string that does not end goes to the end of its
  // value.
  std::optional<std::string_view> Next();

 private:
  std::string_view rest_;
  FieldList fields_;
  std::size_t next_field_ = 0;
  FieldId id_ = FieldId::kOther;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_FIELD_H_
