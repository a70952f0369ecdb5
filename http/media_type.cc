// Media types and Accept.

#include "strata/http/media_type.h"

#include <array>

#include "strata/http/field_syntax_internal.h"
#include "strata/http/text.h"

namespace strata::http {
namespace {

constexpr int kFullWeight = 1000;

// A media type, or an element of Accept.
struct Range {
  std::string_view type;
  std::string_view subtype;
  std::string_view parameters;  // With the weight among them.
  int weight = kFullWeight;
};

bool IsWeight(const FieldParameter& parameter) { return parameter.Named("q"); }

std::optional<FieldParameter> FindParameter(std::string_view parameters, std::string_view name) {
  FieldReader reader(parameters);
  FieldParameter parameter;
  while (reader.Parameter(&parameter) == FieldReader::Next::kFound) {
    if (parameter.Named(name)) return parameter;
  }
  return std::nullopt;
}

// Reads them all. False if they are malformed, too many, or one is there twice.
bool ReadParameters(FieldReader& reader) {
  std::array<FieldParameter, kMaxMediaTypeParameters> seen;
  std::size_t count = 0;
  for (;;) {
    FieldParameter parameter;
    const FieldReader::Next next = reader.Parameter(&parameter);
    if (next != FieldReader::Next::kFound) return next == FieldReader::Next::kNone;
    if (count == seen.size()) return false;
    for (std::size_t i = 0; i < count; ++i) {
      if (parameter.Named(seen[i].name)) return false;
    }
    seen[count++] = parameter;
  }
}

// type "/" subtype parameters. "*" is a token like others.
bool ReadRange(FieldReader& reader, Range* range) {
  range->type = reader.Token();
  if (range->type.empty() || !reader.Skip('/')) return false;
  range->subtype = reader.Token();
  if (range->subtype.empty()) return false;
  range->parameters = reader.rest();
  if (!ReadParameters(reader)) return false;
  range->parameters.remove_suffix(reader.rest().size());
  return true;
}

// Recipients take any parameter named "q" for the weight, wherever it stands (section 12.5.1).
bool ReadAcceptElement(FieldReader& reader, Range* range) {
  if (!ReadRange(reader, range)) return false;
  if (range->type == "*" && range->subtype != "*") return false;
  const std::optional<FieldParameter> q = FindParameter(range->parameters, "q");
  if (!q) return true;
  const std::optional<int> weight = q->quoted ? std::nullopt : ParseWeight(q->value);
  range->weight = weight.value_or(0);
  return weight.has_value();
}

// How specific a range is that the candidate matches; 0 if it does not.
std::size_t Match(const Range& range, const Range& candidate) {
  std::size_t specific = 3;
  if (range.type == "*") {
    specific = 1;
  } else if (!EqualsIgnoreCase(range.type, candidate.type)) {
    return 0;
  } else if (range.subtype == "*") {
    specific = 2;
  } else if (!EqualsIgnoreCase(range.subtype, candidate.subtype)) {
    return 0;
  }
  FieldReader reader(range.parameters);
  FieldParameter parameter;
  while (reader.Parameter(&parameter) == FieldReader::Next::kFound) {
    if (IsWeight(parameter)) continue;
    const auto same = FindParameter(candidate.parameters, parameter.name);
    if (!same || !SameFieldValue(parameter.value, same->value)) return 0;
    specific += 3;  // Before any range with fewer.
  }
  return specific;
}

// The elements of an Accept.
class Preferences {
 public:
  // Whether it is well-formed, and not empty.
  bool Read(std::string_view accept) {
    FieldReader reader(accept);
    for (;;) {
      const FieldReader::Next next = reader.Element();
      if (next != FieldReader::Next::kFound) {
        return next == FieldReader::Next::kNone && count_ > 0;
      }
      if (count_ == ranges_.size() || !ReadAcceptElement(reader, &ranges_[count_])) return false;
      ++count_;
    }
  }

  int WeightOf(const Range& candidate) const {
    std::size_t most_specific = 0;
    int weight = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const std::size_t specific = Match(ranges_[i], candidate);
      if (specific > most_specific) {
        most_specific = specific;
        weight = ranges_[i].weight;
      }
    }
    return weight;
  }

 private:
  std::array<Range, kMaxAcceptElements> ranges_;
  std::size_t count_ = 0;
};

}  // namespace

std::optional<MediaType> MediaType::Parse(std::string_view text) {
  FieldReader reader(text);
  Range range;
  if (!ReadRange(reader, &range) || !reader.AtEnd()) return std::nullopt;
  MediaType type;
  type.type_ = range.type;
  type.subtype_ = range.subtype;
  type.parameters_ = range.parameters;
  return type;
}

bool MediaType::Is(std::string_view type_and_subtype) const {
  return type_and_subtype.size() == type_.size() + 1 + subtype_.size() &&
         type_and_subtype[type_.size()] == '/' &&
         EqualsIgnoreCase(type_and_subtype.substr(0, type_.size()), type_) &&
         EqualsIgnoreCase(type_and_subtype.substr(type_.size() + 1), subtype_);
}

std::optional<std::string> MediaType::Parameter(std::string_view name) const {
  const std::optional<FieldParameter> found = FindParameter(parameters_, name);
  if (!found) return std::nullopt;
  return UnquoteFieldValue(found->value);
}

std::optional<std::size_t> BestMediaType(std::string_view accept,
                                         std::span<const std::string_view> candidates) {
  Preferences preferences;
  const bool any = !preferences.Read(accept);
  std::optional<std::size_t> best;
  int best_weight = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    FieldReader reader(candidates[i]);
    Range candidate;
    if (!ReadRange(reader, &candidate) || !reader.AtEnd()) continue;
    const int weight = any ? kFullWeight : preferences.WeightOf(candidate);
    if (weight > best_weight) {
      best_weight = weight;
      best = i;
    }
  }
  return best;
}

}  // namespace strata::http
