// File: route_tree.h
//
// A table of routes, and which of them a host, a path and a method lead to: the part of the Router
// that has no handlers.
//
//   constexpr std::uint32_t kGet = 0;
//   RouteTreeBuilder builder;
//   absl::Status added = builder.Add("", "/users/{id}/files/{path...}", kGet, /*value=*/7);
//   const RouteTree tree = builder.Build();
//
//   RouteMatch match = tree.Match("example.com", "/users/42/files/2024/may.txt", kGet);
//   match.found();        // true
//   match.value();        // 7
//   match.Find("id");     // "42"
//   match.Find("path");   // "2024/may.txt"
//
// A pattern is a path of these, from "/" to "/":
//
//   /users              itself.
//   /users/{id}         One whole segment, not empty, under a name.
//   /v{n}/{file}.json   One with something before or after it: what is captured is not empty.
//   /files/{path...}    All that follows, "/" included; it may be empty. Stands at the end.
//
// There is at most one capture in a segment. "/users" and "/users/" are two patterns.
//
// Which one it is. Of all patterns that match and have the method, the first one in this order:
// from the left, where two of them differ for the first time, a character before a capture, of two
// captures of a segment the one with the longer text behind it, and `{name}` before `{name...}`. So
// "/a/b" comes before "/a/{x}", that before "/a/{x...}", and "/a/{x}" before "/{y}/b". The order of
// adding has no part in it. If none has the method, the match tells all the methods that those
// which match have: what the field Allow of a 405 says.
//
// What is compared. A path as it was sent, not decoded, without query; "/" that are encoded do not
// separate. Characters that need no encoding (RFC 3986 section 2.3) may be encoded or not, and the
// digits of those that need it in both cases: "/%61%c3%a9" is "/a%C3%A9". Patterns are given
// encoded too; what may not stand in a path is encoded by Add(), so that "/é" is "/%C3%A9".
// Captures come as they were sent: DecodeSegment() and DecodePath() of uri.h decode and check them.
// A path with segments "." and ".." is a path like any other here.
//
// What it costs. Matching allocates nothing. Each node of the tree is looked at once at most, and
// each byte of the path a few times for each of these: no path takes time that grows faster than
// the table, however often its beginning matches.
//
// Hosts. A route is for one host ("example.com", "[::1]"), for all names below one
// ("*.example.com", any number of labels, not "example.com" itself), or for any (""). Case, a port
// and one dot at the end do not matter. The routes of the host itself come first, then those of the
// names above it, the longest first, then those for any.
//
// A builder is used by one thread at a time. A tree never changes, and any number of threads may
// match at once.

#ifndef STRATA_HTTP_ROUTE_TREE_H_
#define STRATA_HTTP_ROUTE_TREE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace strata::http {

// A method is a number below this: what it means is its caller's.
inline constexpr std::uint32_t kMaxMethods = 32;

// In Add(), a route for every method that has none of its own at this pattern. In Match(), a method
// without a number, which only such routes take.
inline constexpr std::uint32_t kAnyMethod = kMaxMethods;

// Bounds of a table.
inline constexpr std::size_t kMaxCaptures = 16;        // In a pattern.
inline constexpr std::size_t kMaxPatternBytes = 1024;  // Encoded.
inline constexpr std::size_t kMaxRoutes = 1'000'000;

// A host that is longer has no routes of its own (RFC 1035 section 2.3.4).
inline constexpr std::size_t kMaxRouteHostBytes = 255;

// What was found. Its captures live as long as the path, its names as long as the tree.
class RouteMatch {
 public:
  enum class Outcome : std::uint8_t { kNotFound, kMethodNotAllowed, kFound };

  Outcome outcome() const { return outcome_; }
  bool found() const { return outcome_ == Outcome::kFound; }

  // What the route was added with; 0 if there is none.
  std::uint32_t value() const { return value_; }

  // The bits, 1 << method, of what the path may be asked for; 0 unless kMethodNotAllowed.
  std::uint32_t allowed_methods() const { return allowed_; }

  // Captures, from left to right. `i` is below size(), which is 0 if nothing was found.
  std::size_t size() const { return size_; }
  std::string_view name(std::size_t i) const { return names_[i]; }
  std::string_view capture(std::size_t i) const {
    return std::string_view(path_ + captures_[i + 1].begin,
                            captures_[i + 1].end - captures_[i + 1].begin);
  }

  // The capture of this name.
  std::optional<std::string_view> Find(std::string_view name) const {
    for (std::size_t i = 0; i < size_; ++i) {
      if (names_[i] == name) return capture(i);
    }
    return std::nullopt;
  }

 private:
  friend class RouteTree;

  struct Range {
    std::uint32_t begin;
    std::uint32_t end;
  };

  explicit RouteMatch(const char* path) : path_(path) { captures_[0] = {0, 0}; }

  const char* path_;
  const std::string_view* names_ = nullptr;
  std::uint32_t value_ = 0;
  std::uint32_t allowed_ = 0;
  std::uint8_t size_ = 0;
  Outcome outcome_ = Outcome::kNotFound;
  // The first one ends where the path begins; the others are not set to anything before they are
  // captured.
  std::array<Range, kMaxCaptures + 1> captures_;
};

class RouteTree {
 public:
  // Without routes.
  RouteTree() = default;
  RouteTree(RouteTree&&) noexcept = default;
  RouteTree& operator=(RouteTree&&) noexcept = default;

  // `host` as in a request's Host field, or empty; `path` without query, shorter than 4 GiB;
  // `method` below kMaxMethods, or else kAnyMethod. What does not begin with "/", such as "*", is
  // not found.
  RouteMatch Match(std::string_view host, std::string_view path, std::uint32_t method) const;

 private:
  friend class RouteTreeBuilder;
  friend class RouteTreeTestPeer;

  // No node, no leaf.
  static constexpr std::uint32_t kNone = 0xffffffff;

  // What a node stores of its text in itself.
  static constexpr std::size_t kInlineBytes = 16;

  // A node stands for the beginning of patterns: its parents' with its own part behind. As a
  // capture takes a segment up to its suffix, that beginning matches a given path in one way alone,
  // and its place in the path is known from the captures before. So a search that has to go back
  // needs no stack: `otherwise` is where it goes on, and each node is reached once at most.
  struct alignas(64) Node {
    enum class Kind : std::uint8_t {
      kLiteral,  // `text`.
      kCapture,  // A segment that ends with `text`.
      kRest,     // All the rest.
    };

    // The first bytes of the text; all of it is in text_. A literal that is a child does not have
    // its first byte, the label, in it.
    std::array<char, kInlineBytes> text;
    // The first bytes of the children, in the children's order; all are in text_, behind the text.
    std::array<char, kInlineBytes> labels;
    // A bit for each byte that is used of these two.
    std::uint16_t text_mask;
    std::uint16_t label_mask;
    std::uint16_t text_size;
    std::uint16_t children;
    std::uint32_t text_at;
    std::uint32_t first_child;  // Of those that begin with a byte; the others follow it.
    // The first of the children that capture; without these, as `otherwise`.
    std::uint32_t alternative;
    // The next node to try where this one does not match: the next that captures at the same place,
    // or else at the nearest place before.
    std::uint32_t otherwise;
    std::uint32_t leaf;
    // Where it begins: so many bytes of literals after the end of the last capture before it.
    std::uint16_t offset;
    std::uint8_t captures;  // Before it.
    Kind kind;
  };
  static_assert(sizeof(Node) == 64);

  // The end of patterns. Routes by method, those for any method already in their places.
  struct Leaf {
    std::uint32_t methods;  // Bits of those with a route of their own, or all of them.
    std::uint32_t first_route;
    std::array<std::uint8_t, kMaxMethods + 1> slots;  // From first_route on; kNoSlot for none.
  };
  static constexpr std::uint8_t kNoSlot = 0xff;

  struct Route {
    std::uint32_t value;
    std::uint32_t first_name;
  };

  struct Host {
    std::uint32_t hash;
    std::uint32_t name_at;  // In text_; without "*.".
    std::uint16_t name_size;
    bool wildcard;
    std::uint32_t root;
    std::uint32_t next;  // The host whose routes come after, or kNone: those for any.
  };

  // The most specific host for a Host field, or kNone.
  std::uint32_t FindHost(std::string_view host) const;

  // The longest "*.NAME" whose names this name, in lower case, is one of, or kNone. `hash` is set
  // to that of the name.
  std::uint32_t FindDomain(std::string_view name, std::uint32_t* hash) const;

  std::uint32_t FindHostName(std::string_view name, bool wildcard, std::uint32_t hash) const;

  // Names are hashed from their end on.
  static constexpr std::uint32_t kHostHashSeed = 2166136261;
  static std::uint32_t HashHostByte(std::uint32_t hash, char byte) {
    return (hash ^ static_cast<unsigned char>(byte)) * 16777619;
  }

  // Searches the routes of each host that fits, with a path read as `Path` does.
  template <typename Path>
  void Search(const Path& path, std::string_view host, std::uint32_t method,
              RouteMatch& match) const;
  template <typename Path>
  bool Walk(const Path& path, std::uint32_t root, std::uint32_t method, RouteMatch& match) const;

  class ShortPath;
  class AnyPath;

  // Whether a node that captures matches what begins at `at`, which moves behind it.
  template <typename Path>
  bool Capture(const Path& path, const Node& node, std::size_t& at, RouteMatch& match) const;

  // Of the children of a node that begin with a byte, the one with this byte.
  std::uint32_t Child(const Node& node, char label) const;

  // Whether there is a route for the method where a path ends.
  bool Answer(const Node& node, std::uint32_t method, RouteMatch& match) const;

  // All of the text and the labels of a node.
  std::string_view TextOf(const Node& node) const {
    return std::string_view(text_.data() + node.text_at, node.text_size);
  }
  std::string_view LabelsOf(const Node& node) const {
    return std::string_view(text_.data() + node.text_at + node.text_size, node.children);
  }

  std::vector<Node> nodes_;
  std::vector<Leaf> leaves_;
  std::vector<Route> routes_;
  std::vector<std::string_view> names_;  // Views of text_.
  // Not a string, whose bytes may move with it.
  std::vector<char> text_;
  std::vector<Host> hosts_;
  std::vector<std::uint32_t> host_table_;  // Indices by hash, open addressing; kNone if empty.
  std::uint32_t root_ = kNone;             // Of the routes for any host.
};

// Gathers routes, and makes a tree of them.
class RouteTreeBuilder {
 public:
  RouteTreeBuilder() = default;
  RouteTreeBuilder(const RouteTreeBuilder&) = delete;
  RouteTreeBuilder& operator=(const RouteTreeBuilder&) = delete;

  // Adds a route. Of the texts nothing is kept but copies. After an error the builder is as it was:
  // InvalidArgument for what is no host, no pattern (with the byte where it goes wrong) or no
  // method; AlreadyExists if the host has a route for the method whose pattern is the same but for
  // names; ResourceExhausted beyond kMaxRoutes.
  absl::Status Add(std::string_view host, std::string_view pattern, std::uint32_t method,
                   std::uint32_t value);

  // A tree of the routes so far.
  RouteTree Build() const;

 private:
  struct Added {
    std::string pattern;  // As it was given.
    std::vector<std::string> names;
    std::uint32_t value;
  };

  // The routes of one pattern, by method.
  using Methods = std::map<std::uint32_t, Added>;

  // Of one host, by pattern in the form that route_tree.cc calls a key.
  using Patterns = std::map<std::string, Methods>;

  class Compiler;

  std::map<std::string, Patterns> hosts_;  // In lower case; "" for any.
  std::size_t routes_ = 0;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_ROUTE_TREE_H_
