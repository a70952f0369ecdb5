// File: uri.h
//
// What stands in a request's target, and how it is read without being fooled: percent-encoding
// (RFC 3986 section 2.1), paths that cannot leave the folder they are looked up in, and the pairs
// of a query.
//
//   char storage[256];
//   DecodePath("/caf%C3%A9/menu.txt", {}, storage).text;        // "/café/menu.txt"
//   DecodePath("/a/%2e%2e/etc/passwd", {}, storage).error;      // UriError::kDotSegment
//   QueryView("q=a+b&page=2").First("q", storage).text;         // "a b"
//   PercentEncode("a b/c", UriPart::kSegment);                  // "a%20b%2Fc"
//
// Bytes are bytes: whether what was decoded is UTF-8 is not looked at. Nothing here allocates but
// what returns a std::string; what is decoded goes to the caller's storage, and not even there if
// there was nothing to decode. All functions are thread-safe.

#ifndef STRATA_HTTP_URI_H_
#define STRATA_HTTP_URI_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace strata::http {

// Why a text was not decoded.
enum class UriError : std::uint8_t {
  kOk,
  kBadPercent,    // A "%" without two hexadecimal digits.
  kNul,           // A NUL, encoded or not.
  kSlash,         // A "/" in a segment: encoded, or as it is in what was given as one segment.
  kBackslash,     // A "\", encoded or not.
  kDotSegment,    // A segment "." or "..", encoded or not.
  kEmptySegment,  // "//", or "" given as one segment.
  kNotAbsolute,   // A path that does not begin with "/".
  kNoRoom,        // The storage is too small. As large as the encoded text is always enough.
  kNotFound,      // No such name in the query.
};

// "malformed percent-encoding" and the like: lower case, no period.
std::string_view UriErrorName(UriError error);

// A decoded text, or the reason why there is none.
struct Decoded {
  UriError error = UriError::kOk;

  // A view of the given text if nothing had to be decoded, of the storage otherwise. Empty if there
  // is an error.
  std::string_view text;

  bool ok() const { return error == UriError::kOk; }
};

// Each of the functions that decode may be given the text's own memory as storage, from its
// beginning on: they write no byte before they have read what stood there.

// Decodes %XX and nothing else. kBadPercent, kNoRoom.
Decoded PercentDecode(std::string_view text, std::span<char> storage);

// The same for application/x-www-form-urlencoded, where a "+" is a space.
Decoded DecodeForm(std::string_view text, std::span<char> storage);

// How a path is read. By default all that is ambiguous is refused; a server answers 400.
struct PathPolicy {
  // A "/" or "\" that is encoded is part of its segment, and no file has it in its name.
  enum class Slashes : std::uint8_t {
    kRefuse,
    // "%2F" and "%5C" stay as they are, and so does "%25", so that the result is not ambiguous:
    // PercentDecode() of a segment then has its bytes. What comes of that is no longer safe as a
    // name of a file.
    kKeepEncoded,
  };
  Slashes encoded_slashes = Slashes::kRefuse;

  // "." and "..", also encoded. DecodeSegment() refuses them always.
  enum class Dots : std::uint8_t {
    kRefuse,
    kRemove,  // RFC 3986 section 5.2.4: "/a/b/../c" is "/a/c", "/.." is "/".
  };
  Dots dot_segments = Dots::kRefuse;

  // "//". A "/" at the end of a path is no empty segment. DecodeSegment() refuses "" always.
  enum class Empties : std::uint8_t {
    kRefuse,
    kMerge,  // "/a//b" is "/a/b".
  };
  Empties empty_segments = Empties::kRefuse;
};

// Decodes one segment, such as what `{name}` of a route has captured. What comes out is no empty
// text, not "." or "..", and has no NUL, "/" or "\".
Decoded DecodeSegment(std::string_view segment, const PathPolicy& policy, std::span<char> storage);

// Decodes a whole path, without query. What comes out begins with "/", each of its segments is as
// those of DecodeSegment(), and it ends with "/" where the path names a folder. So, put behind the
// name of a folder, it names something inside: on POSIX systems. Windows knows more names that mean
// something else ("C:", "NUL", a dot at the end).
Decoded DecodePath(std::string_view path, const PathPolicy& policy, std::span<char> storage);

// Where a text will stand, which decides what of it is encoded. ASCII letters, digits and "-._~"
// never are (RFC 3986 section 2.3), and all that is not visible ASCII is.
enum class UriPart : std::uint8_t {
  kComponent,  // All but these: safe anywhere.
  kSegment,    // Keeps "!$&'()*+,;=:@".
  kPath,       // Keeps "/" too.
  kQuery,      // Keeps "/" and "?" too. For a whole query: "&", "=" and "+" stay.
  kForm,  // A name or a value of a query or form: a space becomes "+", "~" is encoded, "*" not.
};

// The size of what PercentEncode() makes of it.
std::size_t PercentEncodedSize(std::string_view text, UriPart part);

// Encodes into `storage`; none if that is too small. Hexadecimal digits are upper case.
std::optional<std::string_view> PercentEncode(std::string_view text, UriPart part,
                                              std::span<char> storage);

std::string PercentEncode(std::string_view text, UriPart part);

// The pairs of a query or of a form, application/x-www-form-urlencoded, found as they are asked
// for:
//
//   for (const QueryView::Pair& pair : QueryView("a=1&b=2")) use(pair.name, pair.value);
//
// Pairs stand between "&"; those that are empty are left out. Lives as long as the text. A search
// takes time as the text is long.
class QueryView {
 public:
  // More pairs than these are not looked at, unless another bound is given.
  static constexpr std::size_t kMaxPairs = 1000;

  // As they stand in the text, encoded.
  struct Pair {
    std::string_view name;
    std::string_view value;  // What follows the first "="; empty if there is none.
  };

  class Iterator {
   public:
    using value_type = Pair;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;

    const Pair& operator*() const { return pair_; }
    const Pair* operator->() const { return &pair_; }
    Iterator& operator++() {
      Advance();
      return *this;
    }
    void operator++(int) { Advance(); }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) { return it.at_end_; }

   private:
    friend class QueryView;

    Iterator(std::string_view text, std::size_t pairs) : rest_(text), pairs_(pairs) { Advance(); }

    void Advance();

    Pair pair_;
    std::string_view rest_;
    std::size_t pairs_ = 0;
    bool at_end_ = true;
  };

  // `query` without its "?".
  explicit QueryView(std::string_view query, std::size_t max_pairs = kMaxPairs)
      : query_(query), max_pairs_(max_pairs) {}

  Iterator begin() const { return Iterator(query_, max_pairs_); }
  std::default_sentinel_t end() const { return {}; }

  // Whether there are more pairs than are looked at. A caller that must know all refuses the query.
  bool Truncated() const;

  // The value, encoded, of the first pair whose name, decoded, is this one. A name that cannot be
  // decoded is none.
  std::optional<std::string_view> FirstRaw(std::string_view name) const;

  // The same, decoded. kNotFound, kBadPercent, kNoRoom.
  Decoded First(std::string_view name, std::span<char> storage) const;

 private:
  std::string_view query_;
  std::size_t max_pairs_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_URI_H_
