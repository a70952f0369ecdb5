// Routes, checked and made a tree.

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "strata/http/route_tree.h"
#include "strata/http/uri_internal.h"

namespace strata::http {
namespace {

using internal::EscapeAt;
using internal::IsIn;
using internal::kUpperHex;

// A key is a pattern in one form: the characters of its literals, and for a capture these bytes,
// which no literal has, with the suffix between the first two. Patterns that mean the same have the
// same key, and sorted keys are a walk through the tree.
constexpr char kCapture = '\x01';
constexpr char kCaptureEnd = '\x02';
constexpr char kRest = '\x03';

bool IsLiteral(char c) { return c > kRest; }

absl::Status Bad(std::string_view pattern, std::size_t at, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("route \"", absl::CHexEscape(pattern), "\", at ", at, ": ", why));
}

struct Pattern {
  std::string key;
  std::vector<std::string> names;
};

class PatternParser {
 public:
  explicit PatternParser(std::string_view pattern) : pattern_(pattern) {}

  absl::StatusOr<Pattern> Parse() {
    if (!pattern_.starts_with('/')) return Bad(pattern_, 0, "it does not begin with \"/\"");
    while (at_ < pattern_.size()) {
      const std::string_view wrong = Segment();
      if (!wrong.empty()) return Bad(pattern_, at_, wrong);
      if (result_.key.size() > kMaxPatternBytes) {
        return Bad(pattern_, at_, absl::StrCat("it is longer than ", kMaxPatternBytes, " bytes"));
      }
    }
    return std::move(result_);
  }

 private:
  // Each returns what is wrong at at_, or nothing.

  // "/" and what follows up to the next one.
  std::string_view Segment() {
    const std::size_t begin = at_;
    result_.key += pattern_[at_++];
    const std::size_t text = result_.key.size();
    if (const std::string_view wrong = Literal(); !wrong.empty()) return wrong;
    if (at_ == pattern_.size() || pattern_[at_] == '/') {
      const std::string_view segment = std::string_view(result_.key).substr(text);
      if (segment != "." && segment != "..") return "";
      at_ = begin;
      return "a segment \".\" or \"..\", which clients remove";
    }
    return Capture(/*alone=*/result_.key.size() == text);
  }

  // Characters up to the next "/", "{" or the end.
  std::string_view Literal() {
    for (; at_ < pattern_.size(); ++at_) {
      const char c = pattern_[at_];
      if (c == '/' || c == '{') break;
      if (c == '}') return "\"}\" without \"{\"";
      if (c == '?' || c == '#') return "a pattern is a path without query and fragment";
      if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) return "a control character";
      if (IsIn(c, internal::kSegmentChar)) {
        result_.key += c;
        continue;
      }
      int byte = static_cast<unsigned char>(c);
      if (c == '%') {
        byte = EscapeAt(pattern_, at_);
        if (byte < 0) return "\"%\" without two hexadecimal digits";
        at_ += 2;
      }
      if (IsIn(static_cast<char>(byte), internal::kUnreserved)) {
        result_.key += static_cast<char>(byte);
      } else {
        result_.key += {'%', kUpperHex[byte >> 4], kUpperHex[byte & 15]};
      }
    }
    return "";
  }

  // "{name}" and what follows in its segment, or "{name...}".
  std::string_view Capture(bool alone) {
    const std::size_t close = pattern_.find('}', at_);
    if (close == std::string_view::npos) return "\"{\" without \"}\"";
    std::string_view name = pattern_.substr(at_ + 1, close - at_ - 1);
    const bool rest = name.ends_with("...");
    if (rest) name.remove_suffix(3);
    if (name.empty() || !std::all_of(name.begin(), name.end(), [](char c) {
          return c == '_' || absl::ascii_isalnum(static_cast<unsigned char>(c));
        })) {
      return "a name has letters, digits and \"_\"";
    }
    if (std::find(result_.names.begin(), result_.names.end(), name) != result_.names.end()) {
      return "this name stands here for the second time";
    }
    if (result_.names.size() == kMaxCaptures) return "there are too many captures";
    if (rest && !alone) return "\"{name...}\" has to follow a \"/\"";
    result_.names.emplace_back(name);
    at_ = close + 1;
    if (rest) {
      result_.key += kRest;
      return at_ == pattern_.size() ? "" : "nothing may follow \"{name...}\"";
    }
    result_.key += kCapture;
    if (const std::string_view wrong = Literal(); !wrong.empty()) return wrong;
    result_.key += kCaptureEnd;
    if (at_ < pattern_.size() && pattern_[at_] == '{') return "a second capture in one segment";
    return "";
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  Pattern result_;
};

// Lower case, without the dot of the root.
absl::StatusOr<std::string> ParseHost(std::string_view text) {
  const auto bad = [text](std::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("host \"", absl::CHexEscape(text), "\" of a route: ", why));
  };
  std::string host = absl::AsciiStrToLower(text);
  if (host.ends_with('.')) host.pop_back();
  if (host.size() > kMaxRouteHostBytes) return bad("too long");
  std::string_view name = host;
  if (name.starts_with('[')) {
    const bool closed = name.ends_with(']') && name.size() > 2;
    if (!closed || name.find_first_not_of("0123456789abcdef:.", 1) != name.size() - 1) {
      return bad("no IPv6 address in brackets, without a port");
    }
    return host;
  }
  if (name.starts_with("*.")) name.remove_prefix(2);
  if (name.empty() && text.empty()) return host;
  if (!std::all_of(name.begin(), name.end(), [](char c) { return IsIn(c, internal::kHostChar); })) {
    return bad("a character that no host has; a port and a \"*\" but at the beginning are none");
  }
  if (name.empty() || name.starts_with('.') || name.find("..") != std::string_view::npos) {
    return bad("an empty label");
  }
  return host;
}

}  // namespace

absl::Status RouteTreeBuilder::Add(std::string_view host, std::string_view pattern,
                                   std::uint32_t method, std::uint32_t value) {
  if (method > kAnyMethod) return Bad(pattern, 0, absl::StrCat("no method has number ", method));
  if (routes_ == kMaxRoutes) {
    return absl::ResourceExhaustedError(absl::StrCat("more than ", kMaxRoutes, " routes"));
  }
  absl::StatusOr<std::string> host_key = ParseHost(host);
  if (!host_key.ok()) return host_key.status();
  absl::StatusOr<Pattern> parsed = PatternParser(pattern).Parse();
  if (!parsed.ok()) return parsed.status();

  Methods& methods = hosts_[*std::move(host_key)][std::move(parsed->key)];
  const auto [it, added] =
      methods.try_emplace(method, Added{std::string(pattern), std::move(parsed->names), value});
  if (!added) {
    return absl::AlreadyExistsError(absl::StrCat(
        "route \"", absl::CHexEscape(pattern), "\": there is \"",
        absl::CHexEscape(it->second.pattern), "\" for the same host, paths and method"));
  }
  ++routes_;
  return absl::OkStatus();
}

// Makes nodes of sorted keys.
class RouteTreeBuilder::Compiler {
 public:
  explicit Compiler(RouteTree& tree) : tree_(tree) {}

  // The root of a tree of its own for these patterns, at least one.
  std::uint32_t AddRoot(const Patterns& patterns) {
    keys_.clear();
    for (const auto& entry : patterns) keys_.push_back(&entry);
    const std::uint32_t root = AddNodes(1);
    Fill(root, {.begin = 0, .end = keys_.size()}, {.otherwise = RouteTree::kNone});
    return root;
  }

  std::uint32_t AddText(std::string_view text) {
    const std::size_t at = tree_.text_.size();
    tree_.text_.insert(tree_.text_.end(), text.begin(), text.end());
    return static_cast<std::uint32_t>(at);
  }

  // `key` as in hosts_, but not empty.
  void AddHost(std::string_view key, std::uint32_t root) {
    const bool wildcard = key.starts_with("*.");
    const std::string_view name = key.substr(wildcard ? 2 : 0);
    std::uint32_t hash = RouteTree::kHostHashSeed;
    for (std::size_t i = name.size(); i-- > 0;) hash = RouteTree::HashHostByte(hash, name[i]);
    tree_.hosts_.push_back({.hash = hash,
                            .name_at = AddText(name),
                            .name_size = static_cast<std::uint16_t>(name.size()),
                            .wildcard = wildcard,
                            .root = root,
                            .next = RouteTree::kNone});
  }

  void Finish() {
    // Names were put down as numbers, as text_ moves while it grows.
    for (const auto& [at, size] : names_) {
      tree_.names_.emplace_back(tree_.text_.data() + at, size);
    }
    if (tree_.hosts_.empty()) return;
    // At most half full.
    tree_.host_table_.assign(std::bit_ceil(2 * tree_.hosts_.size()), RouteTree::kNone);
    const std::size_t mask = tree_.host_table_.size() - 1;
    for (std::size_t i = 0; i < tree_.hosts_.size(); ++i) {
      std::size_t at = tree_.hosts_[i].hash & mask;
      while (tree_.host_table_[at] != RouteTree::kNone) at = (at + 1) & mask;
      tree_.host_table_[at] = static_cast<std::uint32_t>(i);
    }
    for (RouteTree::Host& host : tree_.hosts_) {
      std::uint32_t hash;
      host.next =
          tree_.FindDomain(std::string_view(&tree_.text_[host.name_at], host.name_size), &hash);
    }
  }

 private:
  using Node = RouteTree::Node;
  using Leaf = RouteTree::Leaf;

  // Keys that begin alike.
  struct Keys {
    std::size_t begin;
    std::size_t end;
  };

  // What a node has from its parent.
  struct Place {
    Node::Kind kind = Node::Kind::kLiteral;
    std::size_t key_at = 0;  // Where its own part begins in each of its keys, behind the label.
    std::uint32_t otherwise = 0;
    std::uint16_t offset = 0;
    std::uint8_t captures = 0;
  };

  static std::uint16_t MaskOf(std::size_t bytes) {
    return static_cast<std::uint16_t>((1u << std::min(bytes, RouteTree::kInlineBytes)) - 1);
  }

  const std::string& Key(std::size_t i) const { return keys_[i]->first; }

  std::uint32_t AddNodes(std::size_t count) {
    const std::size_t first = tree_.nodes_.size();
    tree_.nodes_.resize(first + count);
    return static_cast<std::uint32_t>(first);
  }

  // The text of a node: what its keys share of a literal, or the suffix of a capture. `at` moves
  // behind it.
  std::string_view TakeText(Keys keys, Node::Kind kind, std::size_t& at) const {
    const std::string_view first = Key(keys.begin);
    const std::size_t begin = kind == Node::Kind::kLiteral ? at : at + 1;
    std::size_t end = begin;
    switch (kind) {
      case Node::Kind::kLiteral: {
        // As they are sorted, what the first and the last share is shared by all.
        const std::string_view last = Key(keys.end - 1);
        while (end < first.size() && end < last.size() && first[end] == last[end] &&
               IsLiteral(first[end])) {
          ++end;
        }
        at = end;
        break;
      }
      case Node::Kind::kCapture:
        end = first.find(kCaptureEnd, begin);
        at = end + 1;
        break;
      case Node::Kind::kRest:
        at = end;
        break;
    }
    return first.substr(begin, end - begin);
  }

  // Those of `keys` that go on as the first of them does, as far as its next byte, or the end of
  // its capture.
  Keys TakeAlike(Keys& keys, std::size_t at) const {
    const std::string& first = Key(keys.begin);
    std::size_t size = 1;
    if (first[at] == kCapture) size = first.find(kCaptureEnd, at) + 1 - at;
    const std::string_view part = std::string_view(first).substr(at, size);
    Keys alike = {keys.begin, keys.begin};
    while (alike.end < keys.end && std::string_view(Key(alike.end)).substr(at, size) == part) {
      ++alike.end;
    }
    keys.begin = alike.end;
    return alike;
  }

  void Fill(std::uint32_t index, Keys keys, const Place& place) {
    std::size_t at = place.key_at;
    const std::string_view text = TakeText(keys, place.kind, at);
    Node node = {};
    node.kind = place.kind;
    node.captures = place.captures;
    node.offset = place.offset;
    node.otherwise = place.otherwise;
    node.text_size = static_cast<std::uint16_t>(text.size());
    node.text_at = AddText(text);
    node.text_mask = MaskOf(text.size());
    std::copy_n(text.begin(), std::min(text.size(), node.text.size()), node.text.begin());
    const Methods* methods = nullptr;
    if (Key(keys.begin).size() == at) methods = &keys_[keys.begin++]->second;

    std::vector<Keys> literals;
    std::vector<Keys> captures;
    std::vector<Keys> rests;
    while (keys.begin < keys.end) {
      const char next = Key(keys.begin)[at];
      (next == kCapture ? captures
       : next == kRest  ? rests
                        : literals)
          .push_back(TakeAlike(keys, at));
    }
    // Of two suffixes that both fit, one ends with the other: those of one size need no order.
    const auto suffix_end = [&](Keys of) { return Key(of.begin).find(kCaptureEnd, at); };
    std::sort(captures.begin(), captures.end(),
              [&](Keys a, Keys b) { return suffix_end(a) > suffix_end(b); });

    node.children = static_cast<std::uint16_t>(literals.size());
    node.label_mask = MaskOf(literals.size());
    node.first_child = AddNodes(literals.size());
    for (std::size_t i = 0; i < literals.size(); ++i) {
      const char label = Key(literals[i].begin)[at];
      if (i < node.labels.size()) node.labels[i] = label;
      tree_.text_.push_back(label);
    }
    const std::size_t alternatives = captures.size() + rests.size();
    const std::uint32_t alternative = AddNodes(alternatives);
    node.alternative = alternatives > 0 ? alternative : node.otherwise;
    node.leaf = methods ? AddLeaf(*methods) : RouteTree::kNone;
    tree_.nodes_[index] = node;

    Place below = {.key_at = at, .captures = node.captures};
    below.offset = static_cast<std::uint16_t>(node.offset + node.text_size);
    if (node.kind != Node::Kind::kLiteral) {
      ++below.captures;
      below.offset = node.text_size;
    }
    for (std::size_t i = 0; i < alternatives; ++i) {
      const bool last = i + 1 == alternatives;
      below.kind = i < captures.size() ? Node::Kind::kCapture : Node::Kind::kRest;
      below.otherwise = last ? node.otherwise : alternative + static_cast<std::uint32_t>(i) + 1;
      Fill(alternative + static_cast<std::uint32_t>(i),
           i < captures.size() ? captures[i] : rests[i - captures.size()], below);
    }
    below.kind = Node::Kind::kLiteral;
    below.otherwise = node.alternative;
    ++below.key_at;
    ++below.offset;
    for (std::size_t i = 0; i < literals.size(); ++i) {
      Fill(node.first_child + static_cast<std::uint32_t>(i), literals[i], below);
    }
  }

  std::uint32_t AddLeaf(const Methods& methods) {
    Leaf leaf = {};
    leaf.first_route = static_cast<std::uint32_t>(tree_.routes_.size());
    leaf.slots.fill(RouteTree::kNoSlot);
    std::uint8_t slot = 0;
    // Those of a number come first, and the one for all others last.
    for (const auto& [method, added] : methods) {
      if (method == kAnyMethod) {
        std::replace(leaf.slots.begin(), leaf.slots.end(), RouteTree::kNoSlot, slot);
      } else {
        leaf.methods |= std::uint32_t{1} << method;
        leaf.slots[method] = slot;
      }
      ++slot;
      tree_.routes_.push_back({added.value, static_cast<std::uint32_t>(names_.size())});
      for (const std::string& name : added.names) names_.push_back({AddText(name), name.size()});
    }
    tree_.leaves_.push_back(leaf);
    return static_cast<std::uint32_t>(tree_.leaves_.size() - 1);
  }

  RouteTree& tree_;
  std::vector<const Patterns::value_type*> keys_;
  std::vector<std::pair<std::uint32_t, std::size_t>> names_;
};

RouteTree RouteTreeBuilder::Build() const {
  RouteTree tree;
  Compiler compiler(tree);
  for (const auto& [key, patterns] : hosts_) {
    const std::uint32_t root = compiler.AddRoot(patterns);
    if (key.empty()) {
      tree.root_ = root;
    } else {
      compiler.AddHost(key, root);
    }
  }
  compiler.Finish();
  return tree;
}

}  // namespace strata::http
