// The C++ library as programs use it: maps from string to string with entries that come and go,
// vectors of strings that grow, and a hash table of lists.

#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bench/mm/workloads/workload.h"

namespace strata::bench {
namespace {

constexpr size_t kKeys = 20'000;
constexpr size_t kMapOperations = 2'400'000;
constexpr size_t kVectorRounds = 900;
constexpr size_t kVectorStrings = 4000;
constexpr size_t kTableOperations = 5'600'000;

std::string MakeKey(size_t number) { return "entry/" + std::to_string(number * 7919 % kKeys); }

uint64_t ChurnMap(const Options& options, Random* random) {
  std::map<std::string, std::string> map;
  uint64_t sum = 0;
  for (size_t i = 0; i < options.Scaled(kMapOperations); ++i) {
    const std::string key = MakeKey(random->Below(kKeys));
    const auto found = map.find(key);
    if (found == map.end()) {
      map.emplace(key, std::string(random->Between(4, 120), static_cast<char>('a' + i % 26)));
    } else if (i % 4 == 0) {
      found->second += key;
    } else {
      sum += found->second.size();
      map.erase(found);
    }
  }
  return sum * 31 + map.size();
}

uint64_t ChurnVectors(const Options& options, Random* random) {
  uint64_t sum = 0;
  for (size_t round = 0; round < options.Scaled(kVectorRounds); ++round) {
    std::vector<std::string> lines;
    std::string text;
    for (size_t i = 0; i < kVectorStrings; ++i) {
      lines.emplace_back(random->Between(1, 80), static_cast<char>('A' + i % 26));
      if (i % 3 == 0) text += lines.back();
    }
    std::vector<std::string> copy(lines.rbegin(), lines.rend());
    copy.erase(copy.begin(), copy.begin() + kVectorStrings / 2);
    lines.swap(copy);
    sum = sum * 31 + text.size() + lines.size() + lines.front().size();
  }
  return sum;
}

uint64_t ChurnTable(const Options& options, Random* random) {
  std::unordered_map<size_t, std::vector<size_t>> table;
  uint64_t sum = 0;
  for (size_t i = 0; i < options.Scaled(kTableOperations); ++i) {
    const size_t key = random->Below(kKeys);
    std::vector<size_t>& values = table[key];
    values.push_back(i);
    if (values.size() < 24) continue;
    for (const size_t value : values) sum += value;
    table.erase(key);
  }
  return sum * 31 + table.size();
}

}  // namespace

uint64_t RunWorkload(const Options& options) {
  Random random(6);
  uint64_t sum = ChurnMap(options, &random);
  sum = sum * 31 + ChurnVectors(options, &random);
  return sum * 31 + ChurnTable(options, &random);
}

}  // namespace strata::bench
