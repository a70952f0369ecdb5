#include "strata/http/request.h"

namespace strata::http {

// One allocation holds the text of the head, the captures and the body; the views are moved to it.
struct KeptRequest::Storage {
  std::string text;
  RequestHead head;
  std::vector<Field> fields;
  std::vector<Field> trailers;
  std::vector<Param> params;
};

std::string_view Request::param(std::string_view name) const {
  for (const Param& param : params_) {
    if (param.name == name) return param.value;
  }
  return {};
}

std::shared_ptr<const void> Request::Find(const void* key) const {
  for (auto it = attached_.rbegin(); it != attached_.rend(); ++it) {
    if (it->first == key) return it->second;
  }
  return nullptr;
}

KeptRequest Request::Keep() const { return KeptRequest(*this); }

KeptRequest::KeptRequest(KeptRequest&&) noexcept = default;
KeptRequest::~KeptRequest() = default;

KeptRequest::KeptRequest(const Request& request) : storage_(std::make_unique<Storage>()) {
  Storage& own = *storage_;
  const FieldList& trailers = request.trailers();
  std::size_t size = request.bytes_.size() + request.body().size();
  for (const Param& param : request.params()) size += param.value.size();
  for (const Field& field : trailers) size += field.name.size() + field.value.size();
  own.text.reserve(size);

  const auto append = [&own](std::string_view text) {
    const std::size_t at = own.text.size();
    own.text.append(text);
    return std::string_view(own.text).substr(at, text.size());
  };
  const std::string_view from = request.bytes_;
  const std::string_view to = append(from);
  // What is not in the head's bytes is static.
  const auto moved = [from, to](std::string_view view) {
    const bool inside = view.data() >= from.data() && view.data() + view.size() <= from.end();
    return inside ? to.substr(static_cast<std::size_t>(view.data() - from.data()), view.size())
                  : view;
  };

  own.head = request.head();
  for (std::string_view* view :
       {&own.head.method_text, &own.head.target, &own.head.scheme, &own.head.authority,
        &own.head.host, &own.head.path, &own.head.query}) {
    *view = moved(*view);
  }
  own.fields.reserve(request.fields().size());
  for (const Field& field : request.fields()) {
    own.fields.push_back({moved(field.name), moved(field.value), field.id});
  }
  own.head.fields = FieldList(own.fields);
  // Names of captures are the route's, which live as long as the server.
  for (const Param& param : request.params())
    own.params.push_back({param.name, append(param.value)});
  for (const Field& field : trailers) {
    const std::string_view name = append(field.name);
    own.trailers.push_back({name, append(field.value), field.id});
  }

  head_ = &own.head;
  bytes_ = to;
  params_ = own.params;
  body_ = append(request.body());
  trailers_ = FieldList(own.trailers);
  client_ = request.client();
  secure_ = request.secure();
  attached_ = request.attached_;
}

}  // namespace strata::http
