// File: conditional.h
//
// Conditional requests: entity tags (RFC 9110 section 8.8.3) and the preconditions of a request in
// the order in which they are to be tested (section 13.2.2). A handler that knows the validators of
// what it would send asks before it does anything:
//
//   ConditionalFields fields = {.if_none_match = "\"v6\", \"v7\""};  // Of the request.
//   Validators current = {.etag = ParseEntityTag("\"v7\"")};
//   PreconditionResult result =
//       EvaluatePreconditions(ConditionalMethod::kGet, fields, current, now);
//   switch (result.precondition) {
//     case Precondition::kNotModified:  // 304, with the ETag and without content: as here.
//     case Precondition::kFailed:       // 412, and nothing was done.
//     case Precondition::kProceed:      // As if there were no conditions.
//   }
//
// Preconditions count only where the answer without them would be 2xx or 412 (section 13.2.1): a
// request that is to be refused or redirected is not asked for them.
//
// Nothing here allocates; views into the arguments are as long-lived as these.

#ifndef STRATA_HTTP_CONDITIONAL_H_
#define STRATA_HTTP_CONDITIONAL_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace strata::http {

struct EntityTag {
  std::string_view opaque;  // What is between the quotes.
  bool weak = false;        // W/ before them.
};

// `"abc"` or `W/"abc"`: case-sensitive, no blank anywhere, in the quotes any characters but blanks,
// quotes and controls. None for anything else.
std::optional<EntityTag> ParseEntityTag(std::string_view text);

// RFC 9110 section 8.8.3.2. Strong comparison tells that two representations are the same byte for
// byte, weak comparison that one will do for the other.
constexpr bool StrongMatch(const EntityTag& a, const EntityTag& b) {
  return !a.weak && !b.weak && a.opaque == b.opaque;
}
constexpr bool WeakMatch(const EntityTag& a, const EntityTag& b) { return a.opaque == b.opaque; }

// Takes a list such as `"a", W/"b"` apart, tag by tag. Empty elements are passed over (RFC 9110
// section 5.6.1.2). "*" is no list.
//
//   EntityTagList list(field);
//   while (std::optional<EntityTag> tag = list.Next()) ...
//   if (list.malformed()) ...
class EntityTagList {
 public:
  explicit EntityTagList(std::string_view field) : rest_(field) {}

  // The next tag; none at the end, and at what is no tag.
  std::optional<EntityTag> Next();

  // Whether something in the part read so far is no tag. An empty list is not malformed.
  bool malformed() const { return malformed_; }

 private:
  std::string_view rest_;
  bool malformed_ = false;
};

// A request's fields, each value without blanks around it, none if the request has no such field.
// Several lines of one field are to be joined by ", " (RFC 9110 section 5.3): that makes one list
// of several lists of tags, and of several dates something that is no date.
struct ConditionalFields {
  std::optional<std::string_view> if_match = std::nullopt;
  std::optional<std::string_view> if_unmodified_since = std::nullopt;
  std::optional<std::string_view> if_none_match = std::nullopt;
  std::optional<std::string_view> if_modified_since = std::nullopt;
  std::optional<std::string_view> if_range = std::nullopt;
};

// What is known of the representation that would be sent, or that would be replaced or removed.
struct Validators {
  // False if there is none yet, as before a PUT that creates.
  bool exists = true;

  std::optional<EntityTag> etag = std::nullopt;

  // As in Last-Modified, whole seconds. That is no later than the Date of the response
  // (section 8.8.2.1), whatever a file says.
  std::optional<std::chrono::sys_seconds> last_modified = std::nullopt;

  // Whether it is certain that the representation did not change twice in that second
  // (section 8.8.2.2). Otherwise a date in If-Range, which asks for the very same bytes, never
  // holds. A client that was given an ETag may not send one there anyway.
  bool last_modified_is_strong = false;
};

enum class ConditionalMethod : std::uint8_t {
  kGet,
  kHead,
  kOther,  // Of any other method that selects or changes a representation.
};

enum class Precondition : std::uint8_t {
  kProceed,      // They hold, or there are none.
  kNotModified,  // 304: the client has it already.
  kFailed,       // 412: the method must not be performed.
};

struct PreconditionResult {
  Precondition precondition = Precondition::kProceed;

  // Whether a Range field, if the request has one, is to be looked at: with GET alone, and if
  // If-Range is absent or holds. Meaningful with kProceed.
  bool honour_range = false;
};

// Tests the preconditions in the order of RFC 9110 section 13.2.2. A field that is overruled by
// another, or that is to be ignored (a date that is none, a date where none is known) counts as
// absent. `now` gives years of two digits their century.
//
// RFC 9110 does not say what a list of tags means that is malformed. Here it matches nothing, and
// with a method that is not safe If-None-Match fails then: a guard that cannot be read still
// guards.
PreconditionResult EvaluatePreconditions(ConditionalMethod method, const ConditionalFields& fields,
                                         const Validators& current, std::chrono::sys_seconds now);

}  // namespace strata::http

#endif  // STRATA_HTTP_CONDITIONAL_H_
