#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "strata/ws/topic_tree_internal.h"

namespace strata::ws {
namespace {

struct Flag {
  bool set = false;
  std::string name;
  bool empty() const { return !set; }
};
using Tree = TopicTree<Flag>;

void Add(Tree& tree, const std::string& name) {
  Flag& flag = tree.Make(name).value;
  flag.set = true;
  flag.name = name;
}

std::vector<std::string> FiltersOf(Tree& tree, std::string_view topic) {
  std::vector<std::string> names;
  tree.ForFiltersOf(topic, [&](Tree::Node& node) {
    if (node.value.set) names.push_back(node.value.name);
  });
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> TopicsOf(Tree& tree, std::string_view filter) {
  std::vector<std::string> names;
  tree.ForTopicsOf(filter, [&](Tree::Node& node) {
    if (node.value.set) names.push_back(node.value.name);
  });
  std::sort(names.begin(), names.end());
  return names;
}

// Level by level, as the rules say it.
bool Matches(std::string_view filter, std::string_view topic) {
  const std::vector<std::string> wanted = absl::StrSplit(filter, '/');
  const std::vector<std::string> levels = absl::StrSplit(topic, '/');
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "#") return true;
    if (i >= levels.size() || (wanted[i] != "+" && wanted[i] != levels[i])) return false;
  }
  return wanted.size() == levels.size();
}

std::string RandomName(std::mt19937& random, bool filter) {
  std::string name;
  const int levels = 1 + static_cast<int>(random() % 4);
  for (int i = 0; i < levels; ++i) {
    if (i > 0) name += '/';
    const unsigned kind = random() % 8;
    if (filter && kind == 0 && i + 1 == levels) {
      name += '#';
    } else if (filter && kind <= 2) {
      name += '+';
    } else if (kind > 3) {  // An empty level otherwise.
      name += static_cast<char>('a' + random() % 3);
    }
  }
  return name.empty() ? "a" : name;
}

TEST(TopicTreeTest, WhatIsATopicAndWhatIsAFilter) {
  for (const char* name : {"a", "a/b", "/", "//", "/a", "a/", "\xFF", "a b/$"}) {
    EXPECT_TRUE(IsValidTopic(name)) << name;
    EXPECT_TRUE(IsValidTopicFilter(name)) << name;
  }
  for (const char* name : {"+", "#", "+/#", "a/+", "a/+/b", "a/#", "/+", "+/"}) {
    EXPECT_FALSE(IsValidTopic(name)) << name;
    EXPECT_TRUE(IsValidTopicFilter(name)) << name;
  }
  for (const char* name :
       {"", "a+", "+a", "#a", "a#", "#/", "#/a", "a/#/b", "++", "+#", "a/b+/c"}) {
    EXPECT_FALSE(IsValidTopic(name)) << name;
    EXPECT_FALSE(IsValidTopicFilter(name)) << name;
  }
  EXPECT_TRUE(IsValidTopic(std::string(kMaxTopicBytes, 'x')));
  EXPECT_FALSE(IsValidTopic(std::string(kMaxTopicBytes + 1, 'x')));
  EXPECT_TRUE(IsValidTopicFilter(std::string(kMaxTopicLevels - 1, '/')));
  EXPECT_FALSE(IsValidTopicFilter(std::string(kMaxTopicLevels, '/')));
}

TEST(TopicTreeTest, TheRestMayBeEmpty) {
  Tree tree;
  Add(tree, "a/#");
  EXPECT_EQ(FiltersOf(tree, "a"), std::vector<std::string>{"a/#"});
  EXPECT_EQ(FiltersOf(tree, "a/b/c"), std::vector<std::string>{"a/#"});
  EXPECT_TRUE(FiltersOf(tree, "ab").empty());
}

TEST(TopicTreeTest, RandomTreesMatchAsASlowModelDoes) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 100; ++round) {
    Tree tree;
    std::set<std::string> names;
    for (int step = 0; step < 60; ++step) {
      const std::string name = RandomName(random, random() % 2 == 0);
      if (random() % 4 == 0) {
        if (Tree::Node* const node = tree.Find(name)) {
          node->value.set = false;
          tree.Prune(node);
        }
        names.erase(name);
      } else {
        const std::size_t missing = tree.Missing(name);
        const std::size_t size = tree.size();
        Add(tree, name);
        ASSERT_EQ(tree.size(), size + missing) << name;
        names.insert(name);
      }
      std::vector<std::string> expected;
      const std::string topic = RandomName(random, false);
      for (const std::string& filter : names) {
        if (Matches(filter, topic)) expected.push_back(filter);
      }
      ASSERT_EQ(FiltersOf(tree, topic), expected) << topic;

      expected.clear();
      const std::string filter = RandomName(random, true);
      for (const std::string& held : names) {
        if (IsValidTopic(held) && Matches(filter, held)) expected.push_back(held);
      }
      ASSERT_EQ(TopicsOf(tree, filter), expected) << filter;
    }
    for (const std::string& name : names) {
      Tree::Node* const node = tree.Find(name);
      ASSERT_NE(node, nullptr);
      node->value.set = false;
      tree.Prune(node);
    }
    EXPECT_EQ(tree.size(), 0u) << "nothing stays";
  }
}

}  // namespace
}  // namespace strata::ws
