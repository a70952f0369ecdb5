// A store of random bytes for each thread, in a page that a child of fork() finds empty.

#include "strata/crypto/random.h"

#include <openssl/rand.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace strata::crypto {
namespace {

// What the kernel empties in a child are whole pages. To fill one takes OpenSSL less than twice the
// time of one draw of 16 bytes, and serves two hundred and fifty of them.
constexpr std::size_t kPageBytes = 4096;

struct Store {
  // The last bytes of the page are still to be handed out. All zero, as the kernel leaves the page
  // in a child, is an empty store.
  std::size_t left;
  std::uint8_t bytes[kPageBytes - sizeof(std::size_t)];
};
static_assert(sizeof(Store) == kPageBytes);

// Draws above this do not pass through the store.
constexpr std::size_t kMaxStored = 512;

void Check(int drawn) {
  if (drawn == 1) return;
  std::fputs("strata/crypto: OpenSSL has no random bytes to give\n", stderr);
  std::abort();
}

Store* MapStore() {
  void* page =
      mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return nullptr;
  if (madvise(page, kPageBytes, MADV_WIPEONFORK) != 0) {
    munmap(page, kPageBytes);
    return nullptr;
  }
  return static_cast<Store*>(page);
}

// This thread's store; null if it has none: not yet, never, or no more. A plain pointer, for it may
// be asked for by what runs at the end of the thread, after ~StoreOwner.
thread_local Store* store = nullptr;

struct StoreOwner {
  StoreOwner() { store = MapStore(); }
  ~StoreOwner() {
    if (store == nullptr) return;
    WipeBytes(store->bytes);
    munmap(store, kPageBytes);
    store = nullptr;
  }
};

// Moves bytes of the store to where they are wanted. The compiler cannot drop the zeros: the page
// outlives the call. Nonces, of a size that it knows, take a few instructions and no calls.
inline void HandOut(std::uint8_t* drawn, std::span<std::uint8_t> to) {
  constexpr std::size_t kNonce = 12;
  if (to.size() == kNonce) {
    std::memcpy(to.data(), drawn, kNonce);
    std::memset(drawn, 0, kNonce);
    return;
  }
  std::memcpy(to.data(), drawn, to.size());
  std::memset(drawn, 0, to.size());
}

Store* OpenStore() {
  static thread_local StoreOwner owner;
  return store;
}

}  // namespace

void SecureRandom::Fill(std::span<std::uint8_t> bytes) {
  if (bytes.empty()) return;
  Store* mine = store != nullptr ? store : OpenStore();
  if (mine == nullptr || bytes.size() > kMaxStored) {
    Check(RAND_bytes_ex(nullptr, bytes.data(), bytes.size(), 0));
    return;
  }
  if (mine->left < bytes.size()) {
    Check(RAND_bytes_ex(nullptr, mine->bytes, sizeof(mine->bytes), 0));
    mine->left = sizeof(mine->bytes);
  }
  std::uint8_t* drawn = mine->bytes + (sizeof(mine->bytes) - mine->left);
  mine->left -= bytes.size();
  HandOut(drawn, bytes);
}

SecretBytes SecureRandom::Secret(std::size_t size) {
  SecretBytes secret(size);
  if (size > 0) Check(RAND_priv_bytes_ex(nullptr, secret.mutable_bytes().data(), size, 0));
  return secret;
}

std::uint64_t SecureRandom::Uint64() {
  std::uint64_t bits;
  Fill({reinterpret_cast<std::uint8_t*>(&bits), sizeof(bits)});
  return bits;
}

std::uint64_t SecureRandom::Uniform(std::uint64_t bound) {
  if (bound == 0) return Uint64();
  // Draws below 2^64 mod bound would make small results likelier. At most every second is refused,
  // so a hundred in a row are not seen in this world.
  const std::uint64_t refused = (0 - bound) % bound;
  std::uint64_t bits = Uint64();
  while (bits < refused) bits = Uint64();
  return bits % bound;
}

}  // namespace strata::crypto
