// Work for the compiler: many headers of the standard library, and templates instantiated for many
// types. It is compiled, never run.

#include <algorithm>
#include <array>
#include <functional>
#include <future>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace heavy {

template <int kNumber>
struct Item {
  int id = kNumber;
  std::string name = std::to_string(kNumber);
  std::vector<double> weights{1.0 * kNumber, 2.0, 3.0};
  auto operator<=>(const Item&) const = default;
};

template <int kNumber>
std::string Describe(const std::vector<Item<kNumber>>& items) {
  std::map<std::string, std::vector<Item<kNumber>>> by_name;
  std::unordered_map<int, std::shared_ptr<Item<kNumber>>> by_id;
  for (const auto& item : items) {
    by_name[item.name].push_back(item);
    by_id.emplace(item.id, std::make_shared<Item<kNumber>>(item));
  }
  std::ostringstream out;
  for (const auto& [name, group] : by_name) {
    auto weights = group | std::views::transform([](const auto& item) {
                     return std::accumulate(item.weights.begin(), item.weights.end(), 0.0);
                   });
    for (const double weight : weights | std::views::filter([](double w) { return w > 1.0; })) {
      out << name << '=' << weight << ';';
    }
  }
  std::vector<Item<kNumber>> sorted = items;
  std::stable_sort(sorted.begin(), sorted.end());
  std::function<int(const Item<kNumber>&)> size = [](const auto& item) { return item.id; };
  out << std::transform_reduce(sorted.begin(), sorted.end(), 0, std::plus<>(), size)
      << by_id.size();
  return out.str();
}

template <int... kNumbers>
std::string DescribeAll(std::integer_sequence<int, kNumbers...>) {
  using Any = std::variant<std::monostate, Item<kNumbers>...>;
  std::vector<Any> all;
  (all.emplace_back(Item<kNumbers>{}), ...);
  std::string text;
  for (const Any& any : all) {
    std::visit(
        [&text](const auto& item) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(item)>, std::monostate>) {
            text += item.name;
          }
        },
        any);
  }
  ((text += Describe<kNumbers>({Item<kNumbers>{}, Item<kNumbers>{}})), ...);
  return text;
}

bool Matches(const std::string& text) {
  static const std::regex kPattern(R"(^(\w+)=([0-9.]+);(?:(\w+)=)?.*$)");
  std::smatch match;
  return std::regex_search(text, match, kPattern) && match.size() > 1;
}

}  // namespace heavy

int main() {
  auto text = std::async([] { return heavy::DescribeAll(std::make_integer_sequence<int, 1>()); });
  std::cout << heavy::Matches(text.get()) << '\n';
  return 0;
}
