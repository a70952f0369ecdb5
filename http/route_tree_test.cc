#include "strata/http/route_tree.h"

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

constexpr std::uint32_t kGet = 0;
constexpr std::uint32_t kPost = 1;

RouteTree Tree(std::initializer_list<std::string_view> patterns) {
  RouteTreeBuilder builder;
  std::uint32_t value = 0;
  for (std::string_view pattern : patterns) {
    const absl::Status added = builder.Add("", pattern, kGet, value++);
    EXPECT_TRUE(added.ok()) << added;
  }
  return builder.Build();
}

// The value, or -1 for none.
int Find(const RouteTree& tree, std::string_view path, std::uint32_t method = kGet,
         std::string_view host = {}) {
  const RouteMatch match = tree.Match(host, path, method);
  return match.found() ? static_cast<int>(match.value()) : -1;
}

TEST(RouteTreeTest, LiteralsAreTheWholePath) {
  const RouteTree tree = Tree({"/", "/users", "/users/", "/user/settings"});
  EXPECT_EQ(Find(tree, "/"), 0);
  EXPECT_EQ(Find(tree, "/users"), 1);
  EXPECT_EQ(Find(tree, "/users/"), 2);
  EXPECT_EQ(Find(tree, "/user/settings"), 3);
  for (const char* path :
       {"", "x", "/x", "/user", "/usersx", "/users/x", "/user/settingsx", "//"}) {
    EXPECT_EQ(Find(tree, path), -1) << path;
  }
}

TEST(RouteTreeTest, APathThatIsOneByteLongerIsAnother) {
  EXPECT_EQ(Find(Tree({"/"}), "/x"), -1);
  EXPECT_EQ(Find(Tree({"/a"}), "/ab"), -1);
}

TEST(RouteTreeTest, Captures) {
  const RouteTree tree = Tree({"/users/{id}", "/users/{id}/files/{path...}", "/v{n}/{file}.json"});
  RouteMatch match = tree.Match("", "/users/42/files/a/b.txt", kGet);
  EXPECT_EQ(match.value(), 1u);
  EXPECT_EQ(match.Find("id"), "42");
  EXPECT_EQ(match.Find("path"), "a/b.txt");
  EXPECT_EQ(match.Find("other"), std::nullopt);
  EXPECT_EQ(tree.Match("", "/users/42/files/", kGet).Find("path"), "");
  match = tree.Match("", "/v2/report.json", kGet);
  EXPECT_EQ(match.value(), 2u);
  EXPECT_EQ(match.Find("n"), "2");
  EXPECT_EQ(match.Find("file"), "report");
  for (const char* path : {"/users/", "/users", "/users/1/files", "/v/a.json", "/v2/.json"}) {
    EXPECT_EQ(Find(tree, path), -1) << path;
  }
}

TEST(RouteTreeTest, ALiteralComesBeforeACapture) {
  const RouteTree tree = Tree({"/a/{x...}", "/a/{x}", "/a/b", "/{y}/b", "/{y}/c"});
  EXPECT_EQ(Find(tree, "/a/b"), 2);
  EXPECT_EQ(Find(tree, "/a/c"), 1);
  EXPECT_EQ(Find(tree, "/a/c/d"), 0);
  EXPECT_EQ(Find(tree, "/z/b"), 3);
  EXPECT_EQ(Find(tree, "/z/c"), 4);
}

TEST(RouteTreeTest, UnreservedCharactersMayBeEncoded) {
  const RouteTree tree = Tree({"/abc", "/a%2Fb"});
  EXPECT_EQ(Find(tree, "/%61b%63"), 0);
  EXPECT_EQ(Find(tree, "/a%2fb"), 1);
  EXPECT_EQ(Find(tree, "/a/b"), -1);
}

TEST(RouteTreeTest, MethodsThatAreThereAreTold) {
  RouteTreeBuilder builder;
  ASSERT_TRUE(builder.Add("", "/a", kGet, 1).ok());
  ASSERT_TRUE(builder.Add("", "/a", kPost, 2).ok());
  ASSERT_TRUE(builder.Add("", "/b", kAnyMethod, 3).ok());
  const RouteTree tree = builder.Build();
  EXPECT_EQ(Find(tree, "/a", kPost), 2);
  const RouteMatch match = tree.Match("", "/a", 5);
  EXPECT_EQ(match.outcome(), RouteMatch::Outcome::kMethodNotAllowed);
  EXPECT_EQ(match.allowed_methods(), 3u);
  EXPECT_EQ(Find(tree, "/b", 5), 3);
  EXPECT_EQ(Find(tree, "/b", kAnyMethod), 3);
}

TEST(RouteTreeTest, HostsHaveTheirOwn) {
  RouteTreeBuilder builder;
  ASSERT_TRUE(builder.Add("", "/", kGet, 1).ok());
  ASSERT_TRUE(builder.Add("example.com", "/", kGet, 2).ok());
  ASSERT_TRUE(builder.Add("*.example.com", "/", kGet, 3).ok());
  ASSERT_TRUE(builder.Add("", "/all", kGet, 4).ok());
  const RouteTree tree = builder.Build();
  EXPECT_EQ(Find(tree, "/", kGet, "Example.COM:8080"), 2);
  EXPECT_EQ(Find(tree, "/", kGet, "a.b.example.com."), 3);
  EXPECT_EQ(Find(tree, "/", kGet, "example.org"), 1);
  EXPECT_EQ(Find(tree, "/", kGet, "xexample.com"), 1);
  EXPECT_EQ(Find(tree, "/all", kGet, "example.com"), 4);
}

TEST(RouteTreeTest, WhatIsNoPatternIsRefused) {
  RouteTreeBuilder builder;
  for (const char* pattern : {"", "a", "/{", "/{}", "/{a}/{a}", "/{a...}/b", "/{a}{b}", "/}"}) {
    EXPECT_EQ(builder.Add("", pattern, kGet, 0).code(), absl::StatusCode::kInvalidArgument)
        << pattern;
  }
  EXPECT_FALSE(builder.Add("", "/a", kMaxMethods + 1, 0).ok());
  EXPECT_FALSE(builder.Add("a b", "/a", kGet, 0).ok());
  ASSERT_TRUE(builder.Add("", "/{a}", kGet, 0).ok());
  EXPECT_EQ(builder.Add("", "/{b}", kGet, 0).code(), absl::StatusCode::kAlreadyExists);
}

// A slow matcher: a pattern as segments, compared one by one.
std::vector<std::string> Split(std::string_view path) {
  std::vector<std::string> segments(1);
  for (char c : path.substr(1)) {
    if (c == '/') {
      segments.emplace_back();
    } else {
      segments.back() += c;
    }
  }
  return segments;
}

bool Matches(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == "{r...}") return path.size() > i;
    if (i >= path.size()) return false;
    if (pattern[i].starts_with('{') ? path[i].empty() : pattern[i] != path[i]) return false;
  }
  return pattern.size() == path.size();
}

// Whether a comes before b: at the first difference a character before a capture, that before a
// rest.
bool Before(std::string_view a, std::string_view b) {
  const auto end = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  const auto rank = [](std::string_view text, std::size_t at) {
    // The difference may be inside the braces.
    const std::size_t open = text.substr(0, at + 1).rfind('{');
    if (open == std::string_view::npos || text.find('}', open) < at) return 0;
    return text.substr(open).starts_with("{r") ? 2 : 1;
  };
  const auto at = static_cast<std::size_t>(end.first - a.begin());
  return rank(a, at) < rank(b, at);
}

TEST(RouteTreeTest, FindsWhatASlowMatcherFinds) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const char* const literals[] = {"a", "b", "ab", "abc", "ba", ""};
  for (int round = 0; round < 300; ++round) {
    RouteTreeBuilder builder;
    std::vector<std::string> patterns;
    const std::size_t count = 1 + random() % 30;
    for (std::size_t i = 0; i < count; ++i) {
      std::string pattern;
      const std::size_t segments = 1 + random() % 4;
      for (std::size_t s = 0; s < segments; ++s) {
        const unsigned kind = random() % 10;
        if (kind == 0 && s + 1 == segments) {
          pattern += "/{r...}";
        } else if (kind < 4) {
          pattern += "/{c" + std::to_string(s) + "}";
        } else {
          pattern += std::string("/") + literals[random() % std::size(literals)];
        }
      }
      const auto value = static_cast<std::uint32_t>(patterns.size());
      if (builder.Add("", pattern, kGet, value).ok()) patterns.push_back(pattern);
    }
    const RouteTree tree = builder.Build();
    for (int i = 0; i < 100; ++i) {
      std::string path;
      const std::size_t segments = 1 + random() % 5;
      for (std::size_t s = 0; s < segments; ++s) {
        path += std::string("/") + literals[random() % std::size(literals)];
      }
      std::optional<std::size_t> best;
      for (std::size_t p = 0; p < patterns.size(); ++p) {
        if (!Matches(Split(patterns[p]), Split(path))) continue;
        if (!best || Before(patterns[p], patterns[*best])) best = p;
      }
      const int found = Find(tree, path);
      ASSERT_EQ(found, best ? static_cast<int>(*best) : -1)
          << path << ": " << (found < 0 ? "none" : patterns[static_cast<std::size_t>(found)])
          << " instead of " << (best ? patterns[*best] : "none");
    }
  }
}

}  // namespace
}  // namespace strata::http
