// File: topic_tree_internal.h
//
// Topics and filters of topics by their levels, each with a value: which filters match a topic, and
// which topics a filter matches. hub.h has the rules of both.
//
//   TopicTree<Room> tree;
//   tree.Make("chat/+").value.Join(...);
//   tree.ForFiltersOf("chat/42", [](TopicTree<Room>::Node& node) { ... });
//
// Filters and topics are nodes of one tree, for a wildcard is a level that no topic has.

#ifndef STRATA_WS_TOPIC_TREE_INTERNAL_H_
#define STRATA_WS_TOPIC_TREE_INTERNAL_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace strata::ws {

// The bound of a walk down the tree.
inline constexpr std::size_t kMaxTopicLevels = 32;
inline constexpr std::size_t kMaxTopicBytes = 1024;

// Whether it is one: see hub.h.
bool IsValidTopic(std::string_view topic);
bool IsValidTopicFilter(std::string_view filter);

// `Value` has empty(), and is made without arguments.
template <typename Value>
class TopicTree {
 public:
  struct Node {
    Value value;
    Node* parent = nullptr;
    std::string level;
    // The keys are the levels of the nodes.
    absl::flat_hash_map<std::string_view, std::unique_ptr<Node>> children;
  };

  // Nodes, of which there are as many as all topics and filters have different beginnings.
  std::size_t size() const { return size_; }

  // How many nodes Make() would add.
  std::size_t Missing(std::string_view name) const {
    const Node* node = root_.get();
    for (Levels levels(name); !levels.done();) {
      const std::string_view level = levels.Next();
      node = node ? Child(*node, level) : nullptr;
      if (!node) return levels.left() + 1;
    }
    return 0;
  }

  // Null if there is none.
  Node* Find(std::string_view name) {
    Node* node = root_.get();
    for (Levels levels(name); node && !levels.done();) node = Child(*node, levels.Next());
    return node;
  }

  // Finds it, or makes it.
  Node& Make(std::string_view name) {
    Node* node = root_.get();
    for (Levels levels(name); !levels.done();) {
      const std::string_view level = levels.Next();
      Node* child = Child(*node, level);
      if (!child) {
        auto made = std::make_unique<Node>();
        made->parent = node;
        made->level = level;
        child = made.get();
        node->children.emplace(child->level, std::move(made));
        ++size_;
      }
      node = child;
    }
    return *node;
  }

  // Removes the node, and those above it, if they have no value and no child. Their values are
  // empty, so that nothing runs by this.
  void Prune(Node* node) {
    while (node != root_.get() && node->value.empty() && node->children.empty()) {
      Node* const parent = node->parent;
      parent->children.erase(std::string_view(node->level));
      --size_;
      node = parent;
    }
  }

  // Calls visit(node) for each filter that matches the topic, the topic itself among them, if they
  // are in the tree.
  template <typename Visit>
  void ForFiltersOf(std::string_view topic, Visit visit) {
    Match(*root_, Levels(topic), visit);
  }

  // Calls visit(node) for each topic in the tree that the filter matches.
  template <typename Visit>
  void ForTopicsOf(std::string_view filter, Visit visit) {
    Expand(*root_, Levels(filter), visit);
  }

 private:
  class Levels {
   public:
    explicit Levels(std::string_view name) : rest_(name) {}
    bool done() const { return done_; }
    std::string_view Next() {
      const std::size_t end = rest_.find('/');
      const std::string_view level = rest_.substr(0, end);
      done_ = end == std::string_view::npos;
      if (!done_) rest_.remove_prefix(end + 1);
      return level;
    }
    std::size_t left() const {
      std::size_t count = 0;
      for (Levels levels = *this; !levels.done(); levels.Next()) ++count;
      return count;
    }

   private:
    std::string_view rest_;
    bool done_ = false;
  };

  static Node* Child(const Node& node, std::string_view level) {
    if (node.children.empty()) return nullptr;
    const auto found = node.children.find(level);
    return found == node.children.end() ? nullptr : found->second.get();
  }

  template <typename Visit>
  static void Match(Node& node, Levels levels, Visit& visit) {
    // The rest may be no level at all.
    if (Node* const rest = Child(node, "#")) visit(*rest);
    if (levels.done()) {
      if (node.parent) visit(node);
      return;
    }
    const std::string_view level = levels.Next();
    if (Node* const child = Child(node, level)) Match(*child, levels, visit);
    if (Node* const any = Child(node, "+")) Match(*any, levels, visit);
  }

  template <typename Visit>
  static void Expand(Node& node, Levels levels, Visit& visit) {
    if (levels.done()) return visit(node);
    const std::string_view level = levels.Next();
    if (level == "#") return ExpandAll(node, visit);
    if (level != "+") {
      if (Node* const child = Child(node, level)) Expand(*child, levels, visit);
      return;
    }
    for (const auto& [name, child] : node.children) {
      if (name != "+" && name != "#") Expand(*child, levels, visit);
    }
  }

  // The node and all topics below it.
  template <typename Visit>
  static void ExpandAll(Node& node, Visit& visit) {
    if (node.parent) visit(node);
    for (const auto& [name, child] : node.children) {
      if (name != "+" && name != "#") ExpandAll(*child, visit);
    }
  }

  const std::unique_ptr<Node> root_ = std::make_unique<Node>();
  std::size_t size_ = 0;
};

}  // namespace strata::ws

#endif  // STRATA_WS_TOPIC_TREE_INTERNAL_H_
