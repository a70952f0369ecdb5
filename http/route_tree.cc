// Searching the tree of routes.

#include "strata/http/route_tree.h"

#include <algorithm>
#include <bit>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "strata/http/uri_internal.h"

namespace strata::http {
using internal::EscapeAt;
using internal::IsIn;

#ifdef __SSE2__
#define STRATA_HTTP_SHORT_PATHS 1

// The bytes of 16 that are equal, as bits.
inline unsigned EqualBytes(__m128i a, __m128i b) {
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(a, b)));
}

inline __m128i Load(const char* bytes) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

inline void Store(char* bytes, __m128i value) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes), value);
}

// A path of ordinary length without "%": its bytes are compared as they are, 16 at a time. It is
// copied to where these may be read from any place of it.
class RouteTree::ShortPath {
 public:
  static constexpr std::size_t kMaxBytes = 240;

  // Whether the path is such a one.
  bool Set(std::string_view path) {
    size_ = path.size();
    if (size_ > kMaxBytes) return false;
    const char* from = path.data();
    unsigned percents = 0;
    if (size_ < kInlineBytes) {
      for (std::size_t i = 0; i < size_; ++i) {
        bytes_[i] = from[i];
        percents |= from[i] == '%';
      }
    } else {
      const __m128i percent = _mm_set1_epi8('%');
      const auto copy = [&](std::size_t at) {
        const __m128i bytes = Load(from + at);
        Store(bytes_ + at, bytes);
        percents |= EqualBytes(bytes, percent);
      };
      for (std::size_t at = 0; at + kInlineBytes < size_; at += kInlineBytes) copy(at);
      copy(size_ - kInlineBytes);
    }
    Store(bytes_ + size_, _mm_setzero_si128());
    bytes_[size_] = '/';  // Ends the last segment.
    return percents == 0;
  }

  std::size_t size() const { return size_; }

  char Take(std::size_t& at) const { return bytes_[at++]; }

  std::size_t Skip(std::size_t at, std::size_t count) const { return at + count; }

  // It may move behind the end.
  bool TakeText(const RouteTree& tree, const Node& node, std::size_t& at) const {
    const unsigned equal = EqualBytes(Load(bytes_ + at), Load(node.text.data()));
    if ((equal & node.text_mask) != node.text_mask) return false;
    if (node.text_size > kInlineBytes) {
      const std::string_view text = tree.TextOf(node);
      if (size_ - at < text.size()) return false;
      if (std::memcmp(bytes_ + at, text.data(), text.size()) != 0) return false;
    }
    at += node.text_size;
    return at <= size_;
  }

  std::size_t SegmentEnd(std::size_t at) const {
    const __m128i slash = _mm_set1_epi8('/');
    for (;; at += kInlineBytes) {
      const unsigned slashes = EqualBytes(Load(bytes_ + at), slash);
      if (slashes != 0) return at + static_cast<std::size_t>(std::countr_zero(slashes));
    }
  }

  std::size_t Count(std::size_t begin, std::size_t end) const { return end - begin; }

  bool CutsEscape(std::size_t, std::size_t) const { return false; }

 private:
  std::size_t size_;
  char bytes_[kMaxBytes + kInlineBytes];
};
#endif

// Any path, its characters as a pattern has them: what needs no encoding is not encoded, and the
// digits of all other escapes are upper case. These stay three characters each.
class RouteTree::AnyPath {
 public:
  explicit AnyPath(std::string_view path) : path_(path) {}

  std::size_t size() const { return path_.size(); }

  // The character at `at`, which moves behind it.
  char Take(std::size_t& at) const {
    const char c = path_[at];
    if (c == '%') {
      const int byte = EscapeAt(path_, at);
      if (byte >= 0 && IsIn(static_cast<char>(byte), internal::kUnreserved)) {
        at += 3;
        return static_cast<char>(byte);
      }
    }
    const bool is_digit = c >= 'a' && c <= 'f' && CutsEscape(0, at);
    ++at;
    return is_digit ? static_cast<char>(c & ~0x20) : c;
  }

  // Where `count` characters from `at` end.
  std::size_t Skip(std::size_t at, std::size_t count) const {
    for (; count > 0; --count) Take(at);
    return at;
  }

  // Whether a node's text is here; `at` moves behind it if it is.
  bool TakeText(const RouteTree& tree, const Node& node, std::size_t& at) const {
    for (const char c : tree.TextOf(node)) {
      if (at == path_.size() || Take(at) != c) return false;
    }
    return true;
  }

  // Where the segment ends that `at` is in.
  std::size_t SegmentEnd(std::size_t at) const { return std::min(path_.find('/', at), size()); }

  // Characters from `begin` to `end`.
  std::size_t Count(std::size_t begin, std::size_t end) const {
    std::size_t count = 0;
    for (; begin < end; ++count) Take(begin);
    return count;
  }

  // Whether `at` is inside of an escape of what begins at `begin`. No "%" that stands alone is
  // looked at more closely: nothing else matches it.
  bool CutsEscape(std::size_t begin, std::size_t at) const {
    return (at - begin >= 1 && path_[at - 1] == '%') || (at - begin >= 2 && path_[at - 2] == '%');
  }

 private:
  std::string_view path_;
};

inline std::uint32_t RouteTree::Child(const Node& node, char label) const {
#ifdef __SSE2__
  const unsigned equal =
      EqualBytes(Load(node.labels.data()), _mm_set1_epi8(label)) & node.label_mask;
  if (equal != 0) return node.first_child + static_cast<std::uint32_t>(std::countr_zero(equal));
  if (node.children <= kInlineBytes) return kNone;
#endif
  const std::size_t i = LabelsOf(node).find(label);
  return i == std::string_view::npos ? kNone : node.first_child + static_cast<std::uint32_t>(i);
}

template <typename Path>
inline bool RouteTree::Capture(const Path& path, const Node& node, std::size_t& at,
                               RouteMatch& match) const {
  std::size_t end = path.size();
  std::size_t behind = end;
  if (node.kind == Node::Kind::kCapture) {
    behind = end = path.SegmentEnd(at);
    if (node.text_size > 0) {
      const std::size_t count = path.Count(at, end);
      if (count <= node.text_size) return false;
      end = path.Skip(at, count - node.text_size);
      std::size_t suffix = end;
      if (path.CutsEscape(at, end) || !path.TakeText(*this, node, suffix)) return false;
    }
    if (end == at) return false;
  }
  match.captures_[node.captures + 1] = {static_cast<std::uint32_t>(at),
                                        static_cast<std::uint32_t>(end)};
  at = behind;
  return true;
}

inline bool RouteTree::Answer(const Node& node, std::uint32_t method, RouteMatch& match) const {
  const Leaf& leaf = leaves_[node.leaf];
  const std::uint8_t slot = leaf.slots[method];
  if (slot == kNoSlot) {
    match.allowed_ |= leaf.methods;
    return false;
  }
  const Route& route = routes_[leaf.first_route + slot];
  match.value_ = route.value;
  match.names_ = names_.data() + route.first_name;
  match.size_ = static_cast<std::uint8_t>(node.captures + (node.kind != Node::Kind::kLiteral));
  match.outcome_ = RouteMatch::Outcome::kFound;
  return true;
}

template <typename Path>
bool RouteTree::Walk(const Path& path, std::uint32_t root, std::uint32_t method,
                     RouteMatch& match) const {
  if (root == kNone) return false;
  const Node* node = &nodes_[root];
  std::size_t at = 0;
  bool here = path.TakeText(*this, *node, at);
  for (;;) {
    // Down, as long as there is a child with the next character.
    while (here && at < path.size()) {
      std::size_t behind = at;
      const std::uint32_t child = Child(*node, path.Take(behind));
      if (child == kNone) break;
      at = behind;
      node = &nodes_[child];
      here = path.TakeText(*this, *node, at);
    }
    if (here && at == path.size() && node->leaf != kNone && Answer(*node, method, match)) {
      return true;
    }
    // To the next that captures.
    std::uint32_t next = here ? node->alternative : node->otherwise;
    do {
      if (next == kNone) return false;
      node = &nodes_[next];
      next = node->otherwise;
      at = path.Skip(match.captures_[node->captures].end, node->offset);
      here = Capture(path, *node, at, match);
    } while (!here);
  }
}

template <typename Path>
void RouteTree::Search(const Path& path, std::string_view host, std::uint32_t method,
                       RouteMatch& match) const {
  std::uint32_t at = hosts_.empty() ? kNone : FindHost(host);
  for (; at != kNone; at = hosts_[at].next) {
    if (Walk(path, hosts_[at].root, method, match)) return;
  }
  Walk(path, root_, method, match);
}

RouteMatch RouteTree::Match(std::string_view host, std::string_view path,
                            std::uint32_t method) const {
  RouteMatch match(path.data());
  if (path.size() > kNone) return match;
  method = std::min(method, kAnyMethod);
#ifdef STRATA_HTTP_SHORT_PATHS
  ShortPath short_path;
  if (short_path.Set(path)) {
    Search(short_path, host, method, match);
  } else {
    Search(AnyPath(path), host, method, match);
  }
#else
  Search(AnyPath(path), host, method, match);
#endif
  if (match.found()) {
    match.allowed_ = 0;
  } else if (match.allowed_ != 0) {
    match.outcome_ = RouteMatch::Outcome::kMethodNotAllowed;
  }
  return match;
}

std::uint32_t RouteTree::FindHostName(std::string_view name, bool wildcard,
                                      std::uint32_t hash) const {
  const std::size_t mask = host_table_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    const std::uint32_t index = host_table_[i];
    if (index == kNone) return kNone;
    const Host& host = hosts_[index];
    if (host.hash == hash && host.wildcard == wildcard && host.name_size == name.size() &&
        std::memcmp(&text_[host.name_at], name.data(), name.size()) == 0) {
      return index;
    }
  }
}

std::uint32_t RouteTree::FindDomain(std::string_view name, std::uint32_t* hash) const {
  std::uint32_t longest = kNone;
  *hash = kHostHashSeed;
  for (std::size_t i = name.size(); i-- > 0;) {
    if (name[i] == '.' && i > 0) {
      const std::uint32_t found = FindHostName(name.substr(i + 1), /*wildcard=*/true, *hash);
      if (found != kNone) longest = found;
    }
    *hash = HashHostByte(*hash, name[i]);
  }
  return longest;
}

std::uint32_t RouteTree::FindHost(std::string_view field) const {
  // Without the port, which stands behind the brackets of an IPv6 address.
  std::size_t end = field.starts_with('[') ? field.find(']') : field.find(':');
  if (end < field.size() && field[end] == ']') ++end;
  field = field.substr(0, end);
  if (field.ends_with('.')) field.remove_suffix(1);
  if (field.empty() || field.size() > kMaxRouteHostBytes) return kNone;

  std::array<char, kMaxRouteHostBytes> lower;
  std::transform(field.begin(), field.end(), lower.begin(), internal::ToLower);
  const std::string_view name(lower.data(), field.size());
  std::uint32_t hash = 0;
  const std::uint32_t domain = FindDomain(name, &hash);
  const std::uint32_t exact = FindHostName(name, /*wildcard=*/false, hash);
  return exact != kNone ? exact : domain;
}

}  // namespace strata::http
