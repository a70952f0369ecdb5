// Any bytes are a form, or none; what strict decoding takes, lenient decoding takes alike; and what
// was decoded can be encoded and is the same again.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "strata/http/form.h"

using namespace strata::http;

namespace {

bool Same(const Form& a, const Form& b) {
  if (a.fields().size() != b.fields().size()) return false;
  for (std::size_t i = 0; i < a.fields().size(); ++i) {
    if (a.fields()[i].name != b.fields()[i].name || a.fields()[i].value != b.fields()[i].value) {
      return false;
    }
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  FormOptions options = {.max_fields = 20, .max_name_bytes = 10, .max_value_bytes = 30};
  const absl::StatusOr<Form> strict = Form::Parse(body, options);
  options.decoding = FormDecoding::kLenient;
  const absl::StatusOr<Form> lenient = Form::Parse(body, options);
  if (strict.ok() && (!lenient.ok() || !Same(*strict, *lenient))) std::abort();
  if (!lenient.ok()) return 0;

  std::string encoded;
  for (const FormField& field : lenient->fields()) {
    if (field.name.size() > 10 || field.value.size() > 30) std::abort();
    AppendFormField(field.name, field.value, &encoded);
  }
  const absl::StatusOr<Form> again = Form::Parse(encoded, options);
  if (!again.ok() || !Same(*lenient, *again)) std::abort();
  return 0;
}
