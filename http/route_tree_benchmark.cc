// What a match costs in a table of 200 routes, over requests that never come in the same order
// twice: no branch and no cache line of the tree is known before.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "http/testing/routes.h"
#include "strata/http/route_tree.h"

namespace strata::http {
namespace {

using testing::kRoutes;

// A fixed seed: every run matches the same.
constexpr std::uint64_t kSeed = 1;
constexpr std::size_t kRequests = 1 << 14;

struct Request {
  std::string path;
  std::uint32_t method;
};

RouteTree Tree(const std::vector<std::string>& hosts) {
  RouteTreeBuilder builder;
  std::uint32_t value = 0;
  for (const std::string& host : hosts) {
    for (const testing::RouteLine& route : kRoutes) {
      if (!builder.Add(host, route.pattern, route.method, ++value).ok()) std::abort();
    }
  }
  return builder.Build();
}

// What stands for a capture: a number, a name, a hash or a UUID.
std::string Value(std::mt19937_64& random) {
  const auto digits = [&random](std::size_t count, std::string_view of) {
    std::string text;
    for (; count > 0; --count) text += of[random() % of.size()];
    return text;
  };
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kName = "abcdefghijklmnopqrstuvwxyz-";
  switch (random() % 8) {
    case 0:
    case 1:
    case 2:
      return digits(1 + random() % 8, "0123456789");
    case 3:
    case 4:
    case 5:
      return digits(3 + random() % 12, kName);
    case 6:
      return digits(40, kHex);
    default:
      return digits(8, kHex) + "-" + digits(4, kHex) + "-" + digits(4, kHex) + "-" +
             digits(4, kHex) + "-" + digits(12, kHex);
  }
}

// The pattern with values for its captures.
std::string Fill(std::string_view pattern, std::mt19937_64& random) {
  std::string path;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '{') {
      path += pattern[i];
      continue;
    }
    const std::size_t close = pattern.find('}', i);
    path += Value(random);
    if (pattern[close - 1] == '.') path += "/" + Value(random) + "/" + Value(random);
    i = close;
  }
  return path;
}

std::vector<Request> Requests() {
  std::mt19937_64 random(kSeed);
  std::vector<Request> requests(kRequests);
  for (Request& request : requests) {
    const testing::RouteLine& route = kRoutes[random() % std::size(kRoutes)];
    request = {Fill(route.pattern, random), route.method};
  }
  return requests;
}

void Run(benchmark::State& state, const RouteTree& tree, const std::vector<Request>& requests,
         std::string_view host, RouteMatch::Outcome expected) {
  // The paths stand one behind the other, so that each is in the cache when it is matched, as one
  // is that was just received.
  std::string bytes;
  std::vector<std::size_t> ends;
  for (const Request& request : requests) {
    bytes += request.path;
    ends.push_back(bytes.size());
    if (tree.Match(host, request.path, request.method).outcome() != expected) std::abort();
  }
  std::size_t i = 0;
  std::size_t begin = 0;
  for (auto _ : state) {
    const std::string_view path(bytes.data() + begin, ends[i] - begin);
    const RouteMatch match = tree.Match(host, path, requests[i].method);
    benchmark::DoNotOptimize(match.value());
    begin = ends[i];
    if (++i == kRequests) i = begin = 0;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
  state.counters["path_bytes"] = static_cast<double>(bytes.size()) / kRequests;
}

void BM_Match(benchmark::State& state) {
  Run(state, Tree({""}), Requests(), "", RouteMatch::Outcome::kFound);
}
BENCHMARK(BM_Match);

// The last character of each is encoded.
void BM_MatchEscaped(benchmark::State& state) {
  std::vector<Request> requests = Requests();
  for (Request& request : requests) {
    if (request.path.size() > 1) {
      constexpr std::string_view kHex = "0123456789ABCDEF";
      const char last = request.path.back();
      request.path.pop_back();
      request.path += {'%', kHex[last >> 4], kHex[last & 15]};
    }
  }
  Run(state, Tree({""}), requests, "", RouteMatch::Outcome::kFound);
}
BENCHMARK(BM_MatchEscaped);

// With "~" behind: what has to be looked for everywhere.
void BM_MatchNotFound(benchmark::State& state) {
  std::vector<Request> requests;
  const RouteTree tree = Tree({""});
  std::mt19937_64 random(kSeed);
  while (requests.size() < kRequests) {
    const testing::RouteLine& route = kRoutes[random() % std::size(kRoutes)];
    Request request = {Fill(route.pattern, random) + "/~", route.method};
    if (tree.Match("", request.path, 0).outcome() == RouteMatch::Outcome::kNotFound) {
      requests.push_back(request);
    }
  }
  Run(state, tree, requests, "", RouteMatch::Outcome::kNotFound);
}
BENCHMARK(BM_MatchNotFound);

void BM_MatchWithHosts(benchmark::State& state) {
  Run(state, Tree({"", "api.example.com", "*.example.com", "www.example.net"}), Requests(),
      "Api.Example.com:8080", RouteMatch::Outcome::kFound);
}
BENCHMARK(BM_MatchWithHosts);

}  // namespace
}  // namespace strata::http
