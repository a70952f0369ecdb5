// application/x-www-form-urlencoded.

#include "strata/http/form.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "strata/http/uri.h"
#include "strata/http/uri_internal.h"
#include "strata/http/utf8_internal.h"

namespace strata::http {
namespace {

// Decodes names and values into memory that is as large as what they are decoded from.
class FormDecoder {
 public:
  FormDecoder(char* out, FormDecoding decoding) : out_(out), decoding_(decoding) {}

  absl::Status Decode(std::string_view text, std::size_t max_bytes, std::string_view* decoded) {
    const char* const begin = out_;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (const int byte = internal::EscapeAt(text, i); byte >= 0) {
        *out_++ = static_cast<char>(byte);
        i += 2;
      } else if (text[i] == '%' && decoding_ == FormDecoding::kStrict) {
        return absl::InvalidArgumentError("form: % without two hexadecimal digits");
      } else {
        *out_++ = text[i] == '+' ? ' ' : text[i];
      }
    }
    *decoded = std::string_view(begin, static_cast<std::size_t>(out_ - begin));
    if (decoded->size() > max_bytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("form: a name or value of more than ", max_bytes, " bytes"));
    }
    if (decoding_ == FormDecoding::kStrict && !IsUtf8(*decoded)) {
      return absl::InvalidArgumentError("form: a name or value that is not UTF-8");
    }
    return absl::OkStatus();
  }

 private:
  char* out_;
  FormDecoding decoding_;
};

}  // namespace

absl::StatusOr<Form> Form::Parse(std::string_view body, const FormOptions& options) {
  Form form;
  form.bytes_ = std::make_unique_for_overwrite<char[]>(body.size());
  FormDecoder decoder(form.bytes_.get(), options.decoding);
  const QueryView pairs(body, options.max_fields);
  if (pairs.Truncated()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("form: more than ", options.max_fields, " fields"));
  }
  for (const QueryView::Pair& pair : pairs) {
    FormField field;
    absl::Status status = decoder.Decode(pair.name, options.max_name_bytes, &field.name);
    if (status.ok()) status = decoder.Decode(pair.value, options.max_value_bytes, &field.value);
    if (!status.ok()) return status;
    form.fields_.push_back(field);
  }
  return form;
}

std::optional<std::string_view> Form::Get(std::string_view name) const {
  for (const FormField& field : fields_) {
    if (field.name == name) return field.value;
  }
  return std::nullopt;
}

void AppendFormField(std::string_view name, std::string_view value, std::string* form) {
  if (!form->empty()) *form += '&';
  *form += PercentEncode(name, UriPart::kForm);
  *form += '=';
  *form += PercentEncode(value, UriPart::kForm);
}

}  // namespace strata::http
