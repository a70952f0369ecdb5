// The tokens of a JSON text, one at a time, each checked to the letter of RFC 8259.

#ifndef STRATA_ORM_JSON_SCANNER_INTERNAL_H_
#define STRATA_ORM_JSON_SCANNER_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace strata::orm::internal {

// Whether they are the same. Short ones, without a call.
inline bool SameBytes(const char* a, const char* b, std::size_t size) {
  const auto same = [&]<typename Word>(Word, std::size_t at) {
    return std::memcmp(a + at, b + at, sizeof(Word)) == 0;
  };
  if (size > 16) return std::memcmp(a, b, size) == 0;
  if (size >= 8) return same(std::uint64_t{}, 0) && same(std::uint64_t{}, size - 8);
  if (size >= 4) return same(std::uint32_t{}, 0) && same(std::uint32_t{}, size - 4);
  for (std::size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

// Functions that return bool return false on an error, which stays: its reason and place are the
// first one's.
class JsonScanner {
 public:
  JsonScanner(std::string_view text, std::size_t max_depth)
      : begin_(text.data()),
        at_(text.data()),
        end_(text.data() + text.size()),
        max_depth_(max_depth) {}

  const char* reason() const { return reason_; }  // Null while all is well.
  std::size_t error_byte() const { return static_cast<std::size_t>(error_at_ - begin_); }
  bool out_of_bounds() const { return out_of_bounds_; }

  // A static text. False, for brevity.
  bool Fail(const char* reason) {
    if (reason_ == nullptr) {
      reason_ = reason;
      error_at_ = at_;
    }
    return false;
  }
  bool FailBounds(const char* reason) {
    out_of_bounds_ = out_of_bounds_ || reason_ == nullptr;
    return Fail(reason);
  }

  // The next byte that is no blank, not taken; 0 at the end.
  char Peek() {
    if (at_<end_&& * at_> ' ') [[likely]]
      return *at_;
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
    return at_ < end_ ? *at_ : '\0';
  }

  // Takes the byte if it comes next.
  bool Take(char c) {
    if (Peek() != c || at_ == end_) return false;
    ++at_;
    return true;
  }

  bool Expect(char c, const char* reason) { return Take(c) || Fail(reason); }

  // After a value: nothing may follow.
  bool AtEnd() { return (Peek() == '\0' && at_ == end_) || Fail("something follows the value"); }

  // An array or object begins, or has ended.
  bool Enter() { return depth_++ < max_depth_ || FailBounds("nested too deeply"); }
  void Leave() { --depth_; }

  // After '[' or '{' of an array or object: whether there is one more element, whose comma is
  // taken; the closing byte too, if there is none. `first` begins as true.
  bool Next(char close, bool* first) {
    if (Take(close)) return false;
    if (!*first && !Take(',')) return Fail(close == ']' ? "no , or ]" : "no , or }");
    if (!*first && Peek() == close) return Fail("a , before the end");
    *first = false;
    return true;
  }

  // A string, the quotes included. `*text` is in the input, or where it has escapes in `*scratch`.
  bool String(std::string_view* text, std::string* scratch);

  // Takes `"name":` if just that comes next, without blanks or escapes.
  bool TakeKey(std::string_view name) {
    if (static_cast<std::size_t>(end_ - at_) < name.size() + 3 || at_[0] != '"' ||
        !SameBytes(at_ + 1, name.data(), name.size()) || at_[name.size() + 1] != '"' ||
        at_[name.size() + 2] != ':') {
      return false;
    }
    at_ += name.size() + 3;
    return true;
  }

  // Takes a number of up to 18 digits, without fraction and exponent, if that comes next.
  bool TakeShortInteger(std::int64_t* value) {
    const char* at = at_;
    const bool negative = at < end_ && *at == '-';
    if (negative) ++at;
    const char* first = at;
    std::uint64_t result = 0;
    for (; at < end_ && *at >= '0' && *at <= '9'; ++at) {
      result = result * 10 + static_cast<std::uint64_t>(*at - '0');
    }
    // What is longer may have overflowed, and is not used.
    const std::ptrdiff_t digits = at - first;
    if (digits == 0 || digits > 18 || (*first == '0' && digits > 1)) return false;
    if (at < end_ && (*at == '.' || *at == 'e' || *at == 'E')) return false;
    *value = negative ? -static_cast<std::int64_t>(result) : static_cast<std::int64_t>(result);
    at_ = at;
    return true;
  }

  // A number, as it stands there. `*integer` if it has neither fraction nor exponent.
  bool Number(std::string_view* text, bool* integer);

  // true, false or null, from the first letter on.
  bool Literal(std::string_view word);

  // Any value, checked; `*text` is all of it.
  bool Skip(std::string_view* text);

 private:
  bool SkipMembers(bool is_object);
  bool SkipValue();
  bool Unescape(std::string* out);
  bool HexDigits(unsigned* value);
  bool UnicodeEscape(std::string* out);

  const char* begin_;
  const char* at_;
  const char* end_;
  const char* error_at_ = nullptr;
  const char* reason_ = nullptr;
  std::size_t depth_ = 0;
  std::size_t max_depth_;
  bool out_of_bounds_ = false;
  std::string scratch_;  // For strings that are skipped.
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_JSON_SCANNER_INTERNAL_H_
