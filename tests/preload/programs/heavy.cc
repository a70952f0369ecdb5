// Something for a compiler to chew on: many instantiations of the standard library's templates, a
// recursive template and a table computed at compile time.

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <regex>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

template <int kTag>
struct Record {
  int id = kTag;
  std::string name;
  std::map<std::string, std::vector<int>> fields;
  std::optional<double> value;
  auto Key() const { return std::tie(id, name, value); }
  friend bool operator<(const Record& a, const Record& b) { return a.Key() < b.Key(); }
};

template <int kTag>
int Use() {
  std::vector<Record<kTag>> records(100);
  std::unordered_map<std::string, std::unique_ptr<Record<kTag>>> by_name;
  for (int i = 0; i < 100; ++i) {
    records[i].name = std::to_string(i * kTag);
    records[i].fields[records[i].name].push_back(i);
    by_name[records[i].name] = std::make_unique<Record<kTag>>(records[i]);
  }
  std::sort(records.begin(), records.end());
  std::stable_sort(records.rbegin(), records.rend());
  std::variant<int, std::string, Record<kTag>> choice = records.front();
  std::function<int(int)> add = [&](int x) { return x + static_cast<int>(by_name.size()); };
  return std::visit(
      [&](const auto& chosen) {
        if constexpr (std::is_same_v<std::decay_t<decltype(chosen)>, int>) {
          return add(chosen);
        } else {
          return add(static_cast<int>(sizeof chosen));
        }
      },
      choice);
}

template <int... kTags>
int UseAll(std::integer_sequence<int, kTags...>) {
  return (Use<kTags>() + ... + 0);
}

constexpr std::array<unsigned, 5000> Primes() {
  std::array<unsigned, 5000> primes{};
  std::size_t count = 0;
  for (unsigned n = 2; count < 200; ++n) {
    bool prime = true;
    for (std::size_t i = 0; i < count && prime; ++i) prime = n % primes[i] != 0;
    if (prime) primes[count++] = n;
  }
  return primes;
}

constexpr auto kPrimes = Primes();

}  // namespace

int main(int argc, char** argv) {
  const std::regex pattern("([a-z]+)-([0-9]+)");
  std::ostringstream out;
  for (int i = 0; i < argc; ++i) out << std::regex_replace(std::string(argv[i]), pattern, "$2");
  return UseAll(std::make_integer_sequence<int, 3>()) + static_cast<int>(out.str().size()) +
         static_cast<int>(std::accumulate(kPrimes.begin(), kPrimes.end(), 0u));
}
