// Connections by client.

#include "strata/http/connection_limits.h"

#include <array>
#include <cassert>
#include <mutex>

#include "absl/container/flat_hash_map.h"
#include "strata/http/client_key_internal.h"
#include "strata/http/siphash_internal.h"

namespace strata::http {
namespace {

// Of who is exempt, and not in the table.
constexpr std::uint64_t kExempt = 0;

}  // namespace

struct ConnectionLimits::Table {
  // A key is a hash already, under a secret.
  struct Identity {
    std::size_t operator()(std::uint64_t key) const { return key; }
  };

  struct alignas(64) Shard {
    std::mutex mutex;
    absl::flat_hash_map<std::uint64_t, std::size_t, Identity> open;
  };

  // By bits that the maps make least of.
  Shard& ShardOf(std::uint64_t key) { return shards[key >> 60]; }

  const SipKey secret = SipKey::Random();
  std::array<Shard, 16> shards;
};

ConnectionLimits::ConnectionLimits(Options options)
    : options_(std::move(options)), table_(std::make_unique<Table>()) {}

ConnectionLimits::~ConnectionLimits() { assert(open_.load() == 0); }

std::uint64_t ConnectionLimits::KeyOf(const net::Address& client) const {
  const std::uint64_t hash = ClientKey::Of(client).Hash(table_->secret);
  return hash == kExempt ? 1 : hash;
}

ConnectionLimits::Token ConnectionLimits::Admit(const net::Address& client) {
  const auto refused = [](std::atomic<std::uint64_t>& counter, Refusal why) {
    counter.fetch_add(1, std::memory_order_relaxed);
    return Token(nullptr, static_cast<std::uint64_t>(why));
  };
  // Counted first, so that never more get through; who is refused may for a moment stand in the way
  // of another.
  if (open_.fetch_add(1, std::memory_order_relaxed) >= options_.max_connections) {
    open_.fetch_sub(1, std::memory_order_relaxed);
    return refused(refused_in_all_, Refusal::kTooMany);
  }
  if (options_.exempt.Contains(client)) return Token(this, kExempt);
  const std::uint64_t key = KeyOf(client);
  Table::Shard& shard = table_->ShardOf(key);
  {
    std::lock_guard<std::mutex> lock(shard.mutex);
    const auto found = shard.open.find(key);
    const std::size_t open = found == shard.open.end() ? 0 : found->second;
    if (open < options_.max_per_client) {
      if (open == 0) {
        shard.open.emplace(key, 1);
      } else {
        ++found->second;
      }
      return Token(this, key);
    }
  }
  open_.fetch_sub(1, std::memory_order_relaxed);
  return refused(refused_of_client_, Refusal::kTooManyOfClient);
}

void ConnectionLimits::Leave(std::uint64_t key) {
  if (key != kExempt) {
    Table::Shard& shard = table_->ShardOf(key);
    std::lock_guard<std::mutex> lock(shard.mutex);
    const auto found = shard.open.find(key);
    if (--found->second == 0) shard.open.erase(found);
  }
  open_.fetch_sub(1, std::memory_order_relaxed);
}

std::size_t ConnectionLimits::Of(const net::Address& client) const {
  const std::uint64_t key = KeyOf(client);
  Table::Shard& shard = table_->ShardOf(key);
  std::lock_guard<std::mutex> lock(shard.mutex);
  const auto found = shard.open.find(key);
  return found == shard.open.end() ? 0 : found->second;
}

ConnectionLimits::Counts ConnectionLimits::counts() const {
  return {open_.load(std::memory_order_relaxed), refused_in_all_.load(std::memory_order_relaxed),
          refused_of_client_.load(std::memory_order_relaxed)};
}

std::size_t ConnectionLimits::client_count() const {
  std::size_t count = 0;
  for (Table::Shard& shard : table_->shards) {
    std::lock_guard<std::mutex> lock(shard.mutex);
    count += shard.open.size();
  }
  return count;
}

}  // namespace strata::http
