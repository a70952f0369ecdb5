// HMAC by OpenSSL's MAC of that name, whose contexts keep the key's two half-done hashes.

#include "strata/crypto/hmac.h"

#include <openssl/core_names.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "strata/crypto/context_pool_internal.h"
#include "strata/crypto/hash_internal.h"
#include "strata/crypto/openssl_internal.h"
#include "strata/crypto/provider_internal.h"
#include "strata/crypto/secret.h"

namespace strata::crypto {
namespace {

std::span<const std::uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

const MacFunctions* Functions() {
  static const MacFunctions* const functions = FindMac("HMAC");
  return functions;
}

// With a key set, only a lack of memory makes OpenSSL's HMAC fail.
void Check(bool done) {
  if (done) return;
  std::fputs("strata/crypto: OpenSSL does not compute an HMAC\n", stderr);
  std::abort();
}

}  // namespace

// A context with the key set, ready for a message.
struct Hmac::Context {
  MacContext mac;

  void Begin() { Check(mac->init(mac.get(), nullptr, 0, nullptr) == 1); }

  void Add(std::span<const std::uint8_t> bytes) {
    if (!bytes.empty()) Check(mac->update(mac.get(), bytes.data(), bytes.size()) == 1);
  }

  std::size_t End(std::span<std::uint8_t, kMaxHashBytes> out) {
    std::size_t written = 0;
    Check(mac->final(mac.get(), out.data(), &written, out.size()) == 1);
    return written;
  }
};

struct Hmac::Key {
  Key(HashAlgorithm of, std::span<const std::uint8_t> bytes)
      : algorithm(of), key(SecretBytes::Copy(bytes)) {}

  // Null if OpenSSL takes neither the algorithm nor the key.
  std::unique_ptr<Context> NewContext() const {
    MacContext mac(Functions());
    const std::string_view name = OpenSslNameOf(algorithm);
    const OSSL_PARAM params[] = {
        {OSSL_MAC_PARAM_DIGEST, OSSL_PARAM_UTF8_STRING, const_cast<char*>(name.data()), name.size(),
         OSSL_PARAM_UNMODIFIED},
        kEndOfParams,
    };
    if (mac.get() == nullptr || mac->init(mac.get(), key.bytes().data(), key.size(), params) != 1) {
      return nullptr;
    }
    return std::unique_ptr<Context>(new Context{std::move(mac)});
  }

  std::unique_ptr<Context> Take() {
    std::unique_ptr<Context> context = pool.Take();
    if (context == nullptr) context = NewContext();
    Check(context != nullptr);
    return context;
  }

  const HashAlgorithm algorithm;
  const SecretBytes key;
  ContextPool<Context> pool;
};

Hmac::Hmac(std::shared_ptr<Key> key) : key_(std::move(key)) {}
Hmac::~Hmac() = default;
Hmac::Hmac(Hmac&&) noexcept = default;
Hmac& Hmac::operator=(Hmac&&) noexcept = default;

absl::StatusOr<Hmac> Hmac::Create(HashAlgorithm algorithm, std::span<const std::uint8_t> key) {
  if (key.empty()) return absl::InvalidArgumentError("the key of an HMAC is empty");
  if (Functions() == nullptr || !HashIsAvailable(algorithm)) {
    return absl::UnimplementedError("this OpenSSL does not have the HMAC");
  }
  auto state = std::make_shared<Key>(algorithm, key);
  std::unique_ptr<Context> context = state->NewContext();
  if (context == nullptr) {
    return OpenSslFailure(absl::StatusCode::kInternal, "OpenSSL does not take the key of an HMAC");
  }
  state->pool.Give(std::move(context));
  return Hmac(std::move(state));
}

Digest Hmac::Compute(std::span<const std::uint8_t> message) const {
  std::unique_ptr<Context> context = key_->Take();
  std::array<std::uint8_t, kMaxHashBytes> mac;
  context->Begin();
  context->Add(message);
  const std::size_t size = context->End(mac);
  key_->pool.Give(std::move(context));
  return Digest(std::span(mac).first(size));
}

Digest Hmac::Compute(std::string_view message) const { return Compute(AsBytes(message)); }

bool Hmac::Verify(std::span<const std::uint8_t> message, std::span<const std::uint8_t> mac) const {
  return ConstantTimeEquals(Compute(message).bytes(), mac);
}

bool Hmac::Verify(std::string_view message, std::span<const std::uint8_t> mac) const {
  return Verify(AsBytes(message), mac);
}

HmacStream Hmac::Begin() const { return HmacStream(key_); }

HmacStream::HmacStream(std::shared_ptr<Hmac::Key> key)
    : key_(std::move(key)), context_(key_->Take()) {
  context_->Begin();
}

HmacStream::~HmacStream() {
  if (context_ != nullptr) key_->pool.Give(std::move(context_));
}

HmacStream::HmacStream(HmacStream&&) noexcept = default;

HmacStream& HmacStream::operator=(HmacStream&& other) noexcept {
  // What this one had goes back to its own pool with `other`.
  std::swap(key_, other.key_);
  std::swap(context_, other.context_);
  return *this;
}

void HmacStream::Update(std::span<const std::uint8_t> bytes) { context_->Add(bytes); }

void HmacStream::Update(std::string_view bytes) { context_->Add(AsBytes(bytes)); }

Digest HmacStream::Finish() {
  std::array<std::uint8_t, kMaxHashBytes> mac;
  const std::size_t size = context_->End(mac);
  context_->Begin();
  return Digest(std::span(mac).first(size));
}

bool HmacStream::Verify(std::span<const std::uint8_t> mac) {
  return ConstantTimeEquals(Finish().bytes(), mac);
}

}  // namespace strata::crypto
