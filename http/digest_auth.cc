#include "strata/http/digest_auth.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "strata/crypto/hash.h"
#include "strata/crypto/hmac.h"
#include "strata/crypto/random.h"
#include "strata/crypto/secret.h"
#include "strata/http/auth_internal.h"
#include "strata/http/text.h"

namespace strata::http {
namespace {

using Clock = std::chrono::steady_clock;

std::string Sha256Hex(std::string_view text) {
  return crypto::Hash(crypto::HashAlgorithm::kSha256, text).ToHex();
}

crypto::Hmac FreshHmac() {
  const crypto::SecretBytes key = crypto::SecureRandom::Secret(32);
  return *crypto::Hmac::Create(crypto::HashAlgorithm::kSha256, key.bytes());
}

// What a nonce says, in clear, in front of its MAC.
struct NonceText {
  std::int64_t made_ns;  // Of the steady clock.
  std::uint64_t id;      // At random.
};

std::string_view BytesOf(const NonceText& text) {
  return {reinterpret_cast<const char*>(&text), sizeof text};
}

constexpr std::size_t kMacBytes = 32;
constexpr std::size_t kNonceChars = (sizeof(NonceText) + kMacBytes) / 3 * 4;

// "00000001" (section 3.4): eight digits, of which some are not 0.
std::optional<std::uint32_t> ParseCount(std::string_view text) {
  std::uint32_t count = 0;
  const char* const end = text.data() + text.size();
  if (text.size() != 8 || std::from_chars(text.data(), end, count, 16).ptr != end || count == 0) {
    return std::nullopt;
  }
  return count;
}

}  // namespace

std::string DigestSecret(std::string_view user, std::string_view realm, std::string_view password) {
  return Sha256Hex(absl::StrCat(user, ":", realm, ":", password));
}

std::string DigestResponse(std::string_view secret, std::string_view nonce, std::string_view nc,
                           std::string_view cnonce, std::string_view method, std::string_view uri) {
  const std::string a2 = Sha256Hex(absl::StrCat(method, ":", uri));
  return Sha256Hex(absl::StrCat(secret, ":", nonce, ":", nc, ":", cnonce, ":auth:", a2));
}

struct DigestAuth::State {
  // A nonce that is in use, with the counts that were seen: the highest, and which of those below
  // it, for requests of several connections overtake each other.
  struct Slot {
    NonceText nonce = {};
    std::uint32_t highest = 0;  // 0: free.
    std::uint64_t seen = 0;     // Bit n: highest - n.
    // Nonces made up to then may have been here and given up, so their counts are not known.
    std::int64_t given_up_ns = -1;
  };

  State(DigestOptions options, FindSecret find)
      : options(std::move(options)), find(std::move(find)), slots(this->options.max_nonces) {}

  std::int64_t NowNs() const {
    const Clock::time_point now = options.now ? options.now() : Clock::now();
    return std::chrono::nanoseconds(now.time_since_epoch()).count();
  }

  std::string MakeNonce() const {
    const NonceText text = {NowNs(), crypto::SecureRandom::Uint64()};
    const crypto::Digest mac = hmac.Compute(BytesOf(text));
    return absl::Base64Escape(absl::StrCat(BytesOf(text), std::string_view(mac)));
  }

  // None if it was not made here.
  std::optional<NonceText> ReadNonce(std::string_view nonce) const {
    std::string bytes;
    if (nonce.size() != kNonceChars || !absl::Base64Unescape(nonce, &bytes) ||
        bytes.size() != sizeof(NonceText) + kMacBytes) {
      return std::nullopt;
    }
    const std::string_view mac = std::string_view(bytes).substr(sizeof(NonceText));
    NonceText text;
    std::memcpy(&text, bytes.data(), sizeof text);
    if (!hmac.Verify(BytesOf(text), {reinterpret_cast<const std::uint8_t*>(mac.data()), kMacBytes}))
      return std::nullopt;
    return text;
  }

  // Whether a nonce may be used with this count, now; it is used then.
  Verdict Use(const NonceText& nonce, std::uint32_t count) {
    const std::int64_t now = NowNs();
    if (now - nonce.made_ns >= std::chrono::nanoseconds(options.nonce_lifetime).count()) {
      return Verdict::kStale;
    }
    const std::lock_guard lock(mutex);
    Slot& slot = slots[nonce.id % slots.size()];
    if (slot.highest == 0 || slot.nonce.id != nonce.id || slot.nonce.made_ns != nonce.made_ns) {
      // Of two for one place, the one that was made first gives way.
      const std::int64_t barrier =
          slot.highest == 0 ? slot.given_up_ns : std::max(slot.given_up_ns, slot.nonce.made_ns);
      if (nonce.made_ns <= barrier) return Verdict::kStale;
      slot.given_up_ns = barrier;
      slot.nonce = nonce;
      slot.highest = count;
      slot.seen = 1;
      return Verdict::kGood;
    }
    if (count > slot.highest) {
      const std::uint32_t ahead = count - slot.highest;
      slot.seen = ahead < 64 ? slot.seen << ahead | 1 : 1;
      slot.highest = count;
      return Verdict::kGood;
    }
    const std::uint32_t behind = slot.highest - count;
    if (behind >= 64 || (slot.seen >> behind & 1) != 0) return Verdict::kReplayed;
    slot.seen |= std::uint64_t{1} << behind;
    return Verdict::kGood;
  }

  const DigestOptions options;
  const FindSecret find;
  const crypto::Hmac hmac = FreshHmac();
  std::mutex mutex;
  std::vector<Slot> slots;
};

DigestAuth::DigestAuth(std::unique_ptr<State> state) : state_(std::move(state)) {}
DigestAuth::~DigestAuth() = default;

absl::StatusOr<std::shared_ptr<DigestAuth>> DigestAuth::Create(DigestOptions options,
                                                               FindSecret find) {
  if (options.max_nonces == 0) return absl::InvalidArgumentError("no nonces at all");
  for (const char c : options.realm) {
    if (c < ' ' || c > '~') return absl::InvalidArgumentError("a realm of other than ASCII");
  }
  return std::shared_ptr<DigestAuth>(
      new DigestAuth(std::make_unique<State>(std::move(options), std::move(find))));
}

DigestAuth::Verdict DigestAuth::Check(std::string_view authorization, std::string_view method,
                                      std::string_view target, User& user) {
  const absl::StatusOr<Authorization> sent = Authorization::Parse(authorization);
  if (!sent.ok()) return Verdict::kMalformed;
  if (!sent->Is("Digest")) return Verdict::kNone;
  const auto get = [&sent](std::string_view name) { return sent->param(name).value_or(""); };
  const std::string_view name = get("username");
  const std::string_view nonce = get("nonce");
  const std::string_view nc = get("nc");
  const std::string_view cnonce = get("cnonce");
  const std::optional<std::uint32_t> count = ParseCount(nc);
  // Section 3.4.6: the digest is for this resource and no other.
  if (!count || cnonce.empty() || get("uri") != target || get("qop") != "auth") {
    return Verdict::kMalformed;
  }
  if (get("realm") != state_->options.realm || !EqualsIgnoreCase(get("algorithm"), "SHA-256") ||
      EqualsIgnoreCase(get("userhash"), "true")) {
    return Verdict::kNone;
  }
  const std::optional<NonceText> made = state_->ReadNonce(nonce);
  // A user that does not exist takes as long, and has a secret that nobody knows.
  const std::optional<std::string> stored = state_->find(name);
  const std::string decoy = state_->hmac.Compute(name).ToHex();
  const std::string expected =
      DigestResponse(stored ? *stored : decoy, nonce, nc, cnonce, method, target);
  const bool same = crypto::ConstantTimeEquals(expected, get("response"));
  if (!same || !stored) return Verdict::kNone;
  // Of a server before a restart, or of another of the same users: good but for its nonce.
  if (!made) return Verdict::kStale;
  const Verdict verdict = state_->Use(*made, *count);
  if (verdict == Verdict::kGood) {
    user.name = name;
    // Section 3.5: the same digest, but of no method.
    user.info =
        absl::StrCat("qop=auth, rspauth=\"", DigestResponse(*stored, nonce, nc, cnonce, "", target),
                     "\", cnonce=", QuotedString(cnonce), ", nc=", nc);
  }
  return verdict;
}

std::string DigestAuth::Challenge(bool stale) const {
  return absl::StrCat("Digest realm=", QuotedString(state_->options.realm),
                      ", qop=\"auth\", algorithm=SHA-256, nonce=\"", state_->MakeNonce(),
                      "\", charset=UTF-8", stale ? ", stale=true" : "");
}

Middleware RequireDigest(std::shared_ptr<DigestAuth> digest) {
  return [digest = std::move(digest)](Request& request, Response& response) {
    bool malformed = false;
    auto verdict = DigestAuth::Verdict::kNone;
    DigestAuth::User user;
    if (FindAuthorization(request, "Digest", malformed)) {
      verdict = digest->Check(*request.field(FieldId::kAuthorization), request.method_text(),
                              request.target(), user);
    }
    if (malformed || verdict == DigestAuth::Verdict::kMalformed) return response.SendError(400);
    if (verdict == DigestAuth::Verdict::kGood) {
      response.Add("Authentication-Info", user.info);
      return AttachUser(request, {.name = std::move(user.name), .scheme = "Digest", .claims = {}});
    }
    Challenge(response, digest->Challenge(verdict == DigestAuth::Verdict::kStale));
  };
}

}  // namespace strata::http
