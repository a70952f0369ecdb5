#include <algorithm>

#include "strata/ws/topic_tree_internal.h"

namespace strata::ws {
namespace {

bool IsWithinBounds(std::string_view name) {
  return !name.empty() && name.size() <= kMaxTopicBytes &&
         static_cast<std::size_t>(std::count(name.begin(), name.end(), '/')) < kMaxTopicLevels;
}

}  // namespace

bool IsValidTopic(std::string_view topic) {
  return IsWithinBounds(topic) && topic.find_first_of("+#") == std::string_view::npos;
}

bool IsValidTopicFilter(std::string_view filter) {
  if (!IsWithinBounds(filter)) return false;
  for (std::size_t at = 0; (at = filter.find_first_of("+#", at)) != std::string_view::npos; ++at) {
    if (at > 0 && filter[at - 1] != '/') return false;
    const bool last = at + 1 == filter.size();
    if (filter[at] == '#' ? !last : !last && filter[at + 1] != '/') return false;
  }
  return true;
}

}  // namespace strata::ws
