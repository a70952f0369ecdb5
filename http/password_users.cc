// Passwords of users, and those that were found good lately.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "strata/crypto/hmac.h"
#include "strata/crypto/password.h"
#include "strata/crypto/random.h"
#include "strata/crypto/secret.h"
#include "strata/http/auth.h"

namespace strata::http {
namespace {

using Clock = std::chrono::steady_clock;

absl::Status CheckUser(std::string_view user, std::string_view stored) {
  // RFC 7617 section 2: the colon ends the user's name.
  if (user.empty() || user.find(':') != std::string_view::npos) {
    return absl::InvalidArgumentError("a user's name is empty or has a colon");
  }
  if (!stored.starts_with('$')) {
    return absl::InvalidArgumentError(absl::StrCat("no PHC string is stored for ", user));
  }
  return absl::OkStatus();
}

crypto::Hmac FreshHmac() {
  const crypto::SecretBytes key = crypto::SecureRandom::Secret(32);
  return *crypto::Hmac::Create(crypto::HashAlgorithm::kSha256, key.bytes());
}

}  // namespace

struct PasswordUsers::State {
  explicit State(const Options& options) : options(options), slots(options.max_remembered) {}

  // A place for each hash of credentials: who comes later takes it over. So memory is fixed, and
  // nothing is searched.
  struct Slot {
    std::array<std::uint8_t, 32> mac = {};
    Clock::time_point until = {};
  };

  crypto::Digest Mac(std::string_view user, std::string_view password,
                     std::uint64_t of_generation) const {
    return hmac.Compute(absl::StrCat(of_generation, ":", user, ":", password));
  }

  std::size_t SlotOf(const crypto::Digest& mac) const {
    std::uint64_t bits = 0;
    std::memcpy(&bits, mac.bytes().data(), sizeof bits);
    return static_cast<std::size_t>(bits % slots.size());
  }

  const Options options;
  const crypto::Hmac hmac = FreshHmac();
  mutable std::mutex mutex;
  std::map<std::string, std::string, std::less<>> users;
  std::vector<Slot> slots;
  std::uint64_t generation = 0;  // Of the users: what is remembered is of one of them.
};

PasswordUsers::PasswordUsers(std::unique_ptr<State> state) : state_(std::move(state)) {}
PasswordUsers::~PasswordUsers() = default;

absl::StatusOr<std::shared_ptr<PasswordUsers>> PasswordUsers::Create(
    std::map<std::string, std::string> users) {
  return Create(std::move(users), Options());
}

absl::StatusOr<std::shared_ptr<PasswordUsers>> PasswordUsers::Create(
    std::map<std::string, std::string> users, const Options& options) {
  auto state = std::make_unique<State>(options);
  for (auto& [user, stored] : users) {
    if (absl::Status status = CheckUser(user, stored); !status.ok()) return status;
    state->users.emplace(user, std::move(stored));
  }
  return std::shared_ptr<PasswordUsers>(new PasswordUsers(std::move(state)));
}

absl::Status PasswordUsers::Set(std::string user, std::string stored) {
  if (absl::Status status = CheckUser(user, stored); !status.ok()) return status;
  const std::lock_guard lock(state_->mutex);
  state_->users.insert_or_assign(std::move(user), std::move(stored));
  ++state_->generation;
  return absl::OkStatus();
}

void PasswordUsers::Remove(std::string_view user) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->users.find(user);
  if (found != state_->users.end()) state_->users.erase(found);
  ++state_->generation;
}

bool PasswordUsers::IsRemembered(std::string_view user, std::string_view password) const {
  const std::lock_guard lock(state_->mutex);
  if (state_->slots.empty()) return false;
  const crypto::Digest mac = state_->Mac(user, password, state_->generation);
  const State::Slot& slot = state_->slots[state_->SlotOf(mac)];
  return crypto::ConstantTimeEquals(slot.mac, mac.bytes()) && Clock::now() < slot.until;
}

bool PasswordUsers::Verify(std::string_view user, std::string_view password) {
  std::string stored;
  std::uint64_t generation = 0;
  bool known = false;
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->users.find(user);
    known = found != state_->users.end();
    // Another user's password is tried for one that does not exist, so that both take as long.
    if (known) {
      stored = found->second;
    } else if (!state_->users.empty()) {
      stored = state_->users.begin()->second;
    }
    generation = state_->generation;
  }
  const bool good = crypto::VerifyPassword(password, stored).ok() && known;
  if (!good) return false;
  const std::lock_guard lock(state_->mutex);
  if (state_->slots.empty()) return true;
  // Of users that have changed meanwhile this is never looked up.
  const crypto::Digest mac = state_->Mac(user, password, generation);
  State::Slot& slot = state_->slots[state_->SlotOf(mac)];
  std::copy(mac.bytes().begin(), mac.bytes().end(), slot.mac.begin());
  slot.until = Clock::now() + state_->options.remembered_for;
  return true;
}

}  // namespace strata::http
