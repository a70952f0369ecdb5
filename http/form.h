// File: form.h
//
// Fields of a form, as application/x-www-form-urlencoded (WHATWG URL, section 5): the body of a
// POST, and the query of a URL.
//
//   absl::StatusOr<Form> form = Form::Parse("name=J%C3%B6rg&note=a+b");
//   form->Get("name");  // Jörg
//   form->Get("note");  // a b
//
//   std::string body;
//   AppendFormField("note", "a b", &body);  // note=a+b

#ifndef STRATA_HTTP_FORM_H_
#define STRATA_HTTP_FORM_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace strata::http {

struct FormField {
  std::string_view name;
  std::string_view value;
};

enum class FormDecoding {
  // A "%" without two hexadecimal digits behind it is an error, and so is a name or a value that
  // is not UTF-8.
  kStrict,

  // As browsers do: such a "%" stands for itself. Bytes may be any.
  kLenient,
};

struct FormOptions {
  FormDecoding decoding = FormDecoding::kStrict;

  // Of names and values in bytes, decoded.
  std::size_t max_fields = 1000;
  std::size_t max_name_bytes = 1024;
  std::size_t max_value_bytes = 1024 * 1024;
};

// Owns what it was made of, decoded: as many bytes as the body at most, and the fields.
class Form {
 public:
  // InvalidArgument for what kStrict refuses, ResourceExhausted for more than the options allow. A
  // field without "=" is a name with an empty value; an empty field is none. The size of the body
  // is bounded by whoever has collected it.
  static absl::StatusOr<Form> Parse(std::string_view body, const FormOptions& options = {});

  // In the order of the body, names as often as they are there.
  std::span<const FormField> fields() const { return fields_; }

  // The value of the first field of that name.
  std::optional<std::string_view> Get(std::string_view name) const;

 private:
  // Not a string, which would move its bytes when it is moved.
  std::unique_ptr<char[]> bytes_;
  std::vector<FormField> fields_;
};

// Appends "name=value", with "&" before it if there is something already. Letters, digits and
// "*-._" stay as they are, a blank becomes "+", all else is percent-encoded.
void AppendFormField(std::string_view name, std::string_view value, std::string* form);

}  // namespace strata::http

#endif  // STRATA_HTTP_FORM_H_
