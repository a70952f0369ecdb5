// File: field_view.h
//
// A header field that something wants to have in a response: what the decisions of cors.h and
// security_headers.h are made of. Who asked adds them to its response:
//
//   for (const FieldView& field : decision.fields()) response.Add(field.name, field.value);

#ifndef STRATA_HTTP_FIELD_VIEW_H_
#define STRATA_HTTP_FIELD_VIEW_H_

#include <string_view>

namespace strata::http {

// Of memory that is somebody else's.
struct FieldView {
  std::string_view name;
  std::string_view value;

  friend bool operator==(const FieldView&, const FieldView&) = default;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_FIELD_VIEW_H_
