// File: connection_limits.h
//
// How many connections may be open, in all and from one address, over all loops of a server.
//
//   ConnectionLimits limits({.max_connections = 10'000, .max_per_client = 100});
//   ConnectionLimits::Token token = limits.Admit(peer);
//   if (!token) return Close(token.refusal());
//   connection->token = std::move(token);  // Its end makes room for another.
//
// A client of IPv6 is its /64, as in rate_limit.h; all Unix sockets are one client. There is an
// entry for each client that has a connection, so there are never more than max_connections.
//
// Any thread, at any time.

#ifndef STRATA_HTTP_CONNECTION_LIMITS_H_
#define STRATA_HTTP_CONNECTION_LIMITS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "strata/http/network.h"
#include "strata/net/address.h"

namespace strata::http {

class ConnectionLimits {
 public:
  struct Options {
    std::size_t max_connections = 100'000;
    std::size_t max_per_client = 1'000;

    // Who may have as many as there are in all: one's own proxies, Unix sockets.
    NetworkSet exempt = {};
  };

  enum class Refusal : std::uint8_t { kNone, kTooMany, kTooManyOfClient };

  // One connection that was admitted, or a refusal. Moved from, it is empty. 16 bytes.
  class Token {
   public:
    Token() = default;
    Token(Token&& other) noexcept
        : limits_(std::exchange(other.limits_, nullptr)), key_(std::exchange(other.key_, 0)) {}
    Token& operator=(Token&& other) noexcept {
      if (this != &other) {
        Release();
        limits_ = std::exchange(other.limits_, nullptr);
        key_ = std::exchange(other.key_, 0);
      }
      return *this;
    }
    ~Token() { Release(); }

    // Whether it stands for a connection.
    explicit operator bool() const { return limits_ != nullptr; }

    // Why it does not. kNone if it does, or was never asked for.
    Refusal refusal() const { return limits_ ? Refusal::kNone : static_cast<Refusal>(key_); }

    // Ends it before its time.
    void Release() {
      if (limits_) std::exchange(limits_, nullptr)->Leave(std::exchange(key_, 0));
    }

   private:
    friend class ConnectionLimits;
    Token(ConnectionLimits* limits, std::uint64_t key) : limits_(limits), key_(key) {}

    ConnectionLimits* limits_ = nullptr;
    std::uint64_t key_ = 0;  // The client's, or the refusal.
  };

  explicit ConnectionLimits(Options options);

  // Not before the last of its tokens.
  ~ConnectionLimits();
  ConnectionLimits(const ConnectionLimits&) = delete;
  ConnectionLimits& operator=(const ConnectionLimits&) = delete;

  [[nodiscard]] Token Admit(const net::Address& client);

  // Connections of a client now.
  std::size_t Of(const net::Address& client) const;

  struct Counts {
    std::size_t open;  // Now.
    std::uint64_t refused_in_all;
    std::uint64_t refused_of_client;
  };
  Counts counts() const;

  // Clients that have connections now. Looks at all of the table.
  std::size_t client_count() const;

 private:
  struct Table;

  std::uint64_t KeyOf(const net::Address& client) const;
  void Leave(std::uint64_t key);

  const Options options_;
  alignas(64) std::atomic<std::size_t> open_{0};
  std::atomic<std::uint64_t> refused_in_all_{0};
  std::atomic<std::uint64_t> refused_of_client_{0};
  const std::unique_ptr<Table> table_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_CONNECTION_LIMITS_H_
