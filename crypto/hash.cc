// Hashes by OpenSSL's digests, on contexts that each thread keeps.

#include "strata/crypto/hash.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "strata/crypto/hash_internal.h"
#include "strata/crypto/provider_internal.h"

namespace strata::crypto {
namespace {

struct Algorithm {
  const char* name;  // OpenSSL's.
  std::size_t bytes;
};

// In the order of HashAlgorithm.
constexpr Algorithm kAlgorithms[] = {
    {"SHA2-256", 32}, {"SHA2-384", 48}, {"SHA2-512", 64},
    {"SHA3-256", 32}, {"SHA3-512", 64}, {"BLAKE2B-512", 64},
};
constexpr std::size_t kCount = std::size(kAlgorithms);

constexpr std::size_t IndexOf(HashAlgorithm algorithm) {
  return static_cast<std::size_t>(algorithm);
}

const std::array<const DigestFunctions*, kCount>& AllFunctions() {
  static const auto found = [] {
    std::array<const DigestFunctions*, kCount> functions;
    for (std::size_t i = 0; i < kCount; ++i) functions[i] = FindDigest(kAlgorithms[i].name);
    return functions;
  }();
  return found;
}

// No hash function of OpenSSL's fails but for want of memory or of the algorithm.
void Check(bool done, HashAlgorithm algorithm) {
  if (done) return;
  std::fprintf(stderr, "strata/crypto: OpenSSL does not compute %s\n",
               kAlgorithms[IndexOf(algorithm)].name);
  std::abort();
}

DigestContext NewContext(HashAlgorithm algorithm) {
  const DigestFunctions* functions = AllFunctions()[IndexOf(algorithm)];
  Check(functions != nullptr, algorithm);
  DigestContext context(functions);
  Check(context.get() != nullptr, algorithm);
  return context;
}

void Begin(const DigestContext& context, HashAlgorithm algorithm) {
  Check(context->init(context.get(), nullptr) == 1, algorithm);
}

void Add(const DigestContext& context, HashAlgorithm algorithm, const void* bytes,
         std::size_t size) {
  if (size == 0) return;
  Check(context->update(context.get(), static_cast<const unsigned char*>(bytes), size) == 1,
        algorithm);
}

void End(const DigestContext& context, HashAlgorithm algorithm, std::uint8_t* out) {
  std::size_t written = 0;
  Check(context->final(context.get(), out, &written, HashBytes(algorithm)) == 1, algorithm);
}

// This thread's context for one-shot hashes.
const DigestContext& ThreadContext(HashAlgorithm algorithm) {
  static thread_local std::array<DigestContext, kCount> contexts;
  DigestContext& context = contexts[IndexOf(algorithm)];
  if (context.get() == nullptr) context = NewContext(algorithm);
  return context;
}

absl::Status FileError(const std::string& path, const char* what) {
  const int error = errno;
  const std::string text = absl::StrCat(what, " ", path, ": ", std::strerror(error));
  if (error == ENOENT || error == ENOTDIR) return absl::NotFoundError(text);
  if (error == EACCES || error == EPERM) return absl::PermissionDeniedError(text);
  return absl::InternalError(text);
}

// Reads `descriptor` to its end into `hasher`; false with errno set if that fails.
bool AddFile(int descriptor, Hasher& hasher) {
  // Large enough that the system call is small against the hash of what it brings.
  std::array<std::uint8_t, 64 * 1024> buffer;
  for (;;) {
    const ssize_t got = read(descriptor, buffer.data(), buffer.size());
    if (got == 0) return true;
    if (got > 0) {
      hasher.Update(std::span(buffer).first(static_cast<std::size_t>(got)));
    } else if (errno != EINTR) {
      return false;
    }
  }
}

}  // namespace

std::size_t HashBytes(HashAlgorithm algorithm) { return kAlgorithms[IndexOf(algorithm)].bytes; }

const char* OpenSslNameOf(HashAlgorithm algorithm) { return kAlgorithms[IndexOf(algorithm)].name; }

bool HashIsAvailable(HashAlgorithm algorithm) {
  return AllFunctions()[IndexOf(algorithm)] != nullptr;
}

Digest::Digest(std::span<const std::uint8_t> bytes) : size_(std::min(bytes.size(), kMaxHashBytes)) {
  std::copy_n(bytes.begin(), size_, bytes_.begin());
}

std::string Digest::ToHex() const { return absl::BytesToHexString(std::string_view(*this)); }

struct Hasher::State {
  DigestContext context;
};

Hasher::Hasher(HashAlgorithm algorithm)
    : algorithm_(algorithm), state_(new State{NewContext(algorithm)}) {
  Begin(state_->context, algorithm_);
}

Hasher::Hasher(HashAlgorithm algorithm, std::unique_ptr<State> state)
    : algorithm_(algorithm), state_(std::move(state)) {}

Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

Hasher Hasher::Clone() const {
  const DigestContext& mine = state_->context;
  DigestContext copy(mine.functions(), mine->dupctx(mine.get()));
  Check(copy.get() != nullptr, algorithm_);
  return Hasher(algorithm_, std::unique_ptr<State>(new State{std::move(copy)}));
}

void Hasher::Update(std::span<const std::uint8_t> bytes) {
  Add(state_->context, algorithm_, bytes.data(), bytes.size());
}

void Hasher::Update(std::string_view bytes) {
  Add(state_->context, algorithm_, bytes.data(), bytes.size());
}

Digest Hasher::Finish() {
  Digest digest;
  digest.size_ = HashBytes(algorithm_);
  End(state_->context, algorithm_, digest.bytes_.data());
  Begin(state_->context, algorithm_);
  return digest;
}

Digest Hash(HashAlgorithm algorithm, std::span<const std::uint8_t> bytes) {
  const std::span<const std::uint8_t> pieces[] = {bytes};
  return HashPieces(algorithm, pieces);
}

Digest Hash(HashAlgorithm algorithm, std::string_view bytes) {
  return Hash(algorithm,
              std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

Digest HashPieces(HashAlgorithm algorithm, std::span<const std::span<const std::uint8_t>> pieces) {
  const DigestContext& context = ThreadContext(algorithm);
  Begin(context, algorithm);
  for (const std::span<const std::uint8_t> piece : pieces) {
    Add(context, algorithm, piece.data(), piece.size());
  }
  std::array<std::uint8_t, kMaxHashBytes> bytes;
  End(context, algorithm, bytes.data());
  return Digest(std::span(bytes).first(HashBytes(algorithm)));
}

absl::StatusOr<Digest> HashFile(HashAlgorithm algorithm, const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return FileError(path, "cannot open");
  Hasher hasher(algorithm);
  const bool done = AddFile(descriptor, hasher);
  const absl::Status status = done ? absl::OkStatus() : FileError(path, "cannot read");
  close(descriptor);
  if (!status.ok()) return status;
  return hasher.Finish();
}

}  // namespace strata::crypto
