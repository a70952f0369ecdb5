// File: media_type.h
//
// Media types, as in Content-Type, and the choice among several by Accept.
//
//   std::optional<MediaType> type = MediaType::Parse("text/html; charset=\"utf-8\"");
//   type->Is("text/html");       // true
//   type->Parameter("charset");  // utf-8
//
//   const std::string_view offers[] = {"application/json", "text/html"};
//   BestMediaType("text/*;q=0.9, */*;q=0.1", offers);  // 1
//
// Strict: what does not follow the grammar is no media type, and no preference. Nothing here
// allocates but MediaType::Parameter(). All functions are thread-safe.

#ifndef STRATA_HTTP_MEDIA_TYPE_H_
#define STRATA_HTTP_MEDIA_TYPE_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace strata::http {

// Of one media type, and of one element of Accept.
inline constexpr std::size_t kMaxMediaTypeParameters = 16;

// Elements of one Accept.
inline constexpr std::size_t kMaxAcceptElements = 64;

// Views into the text that was parsed, which must live as long.
class MediaType {
 public:
  // The value of a Content-Type field (RFC 9110 section 8.3.1), without blanks around it. Nothing
  // if it is none, names a parameter twice (RFC 6838 section 4.3), or has too many.
  static std::optional<MediaType> Parse(std::string_view text);

  // As sent; letters of any case mean the same.
  std::string_view type() const { return type_; }
  std::string_view subtype() const { return subtype_; }

  // Whether it is this one, as "text/html", parameters aside, in any case of letters.
  bool Is(std::string_view type_and_subtype) const;

  // A parameter's value, without quotes, and with what backslashes in them meant. The name in any
  // case of letters.
  std::optional<std::string> Parameter(std::string_view name) const;

 private:
  std::string_view type_;
  std::string_view subtype_;
  std::string_view parameters_;
};

// Which of `candidates`, media types with or without parameters, the value of an Accept field
// prefers (RFC 9110 section 12.5.1): the one of the highest weight, of equals the first. A
// candidate has the weight of the most specific range that it matches: type/subtype before type/*
// before */*, and one with more parameters, each of which the candidate must have, before one with
// fewer. Nothing if none is wanted: the server may then answer 406, or send what it has.
//
// An Accept that is empty, malformed, or longer than kMaxAcceptElements is as good as none: all are
// welcome. Several Accept fields are joined by ", " before. A candidate that is no media type is
// never the best.
std::optional<std::size_t> BestMediaType(std::string_view accept,
                                         std::span<const std::string_view> candidates);

}  // namespace strata::http

#endif  // STRATA_HTTP_MEDIA_TYPE_H_
