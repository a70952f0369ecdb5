// Requests and responses of clients.

#include "strata/http/client_message.h"

#include "strata/http/text.h"

namespace strata::http {

OwnedFields::OwnedFields(const FieldList& fields) {
  items_.reserve(fields.size());
  for (const Field& field : fields) Add(field.name, field.value);
}

void OwnedFields::Add(std::string_view name, std::string_view value) {
  items_.push_back({std::string(name), std::string(value)});
}

void OwnedFields::Set(std::string_view name, std::string_view value) {
  Item item{std::string(name), std::string(value)};
  Remove(item.name);
  items_.push_back(std::move(item));
}

void OwnedFields::Remove(std::string_view name) {
  const std::string kept(name);  // It may be one of the fields' own.
  std::erase_if(items_, [&](const Item& item) { return EqualsIgnoreCase(item.name, kept); });
}

std::optional<std::string_view> OwnedFields::Get(std::string_view name) const {
  for (const Item& item : items_) {
    if (EqualsIgnoreCase(item.name, name)) return item.value;
  }
  return std::nullopt;
}

void ResponseReceiver::OnHead(const ClientResponse&, Fetching&) {}

}  // namespace strata::http
