// CRC-32C and random bytes, whose rivals are not EVP.

#include <immintrin.h>
#include <openssl/rand.h>
#include <sodium.h>

#include <cstring>

#include "bench/crypto/operations.h"
#include "strata/crypto/crc32c.h"
#include "strata/crypto/random.h"

namespace strata::bench {
namespace {

// Where results go, so that none is computed for nothing.
volatile std::uint32_t sink;

[[gnu::target("sse4.2")]] std::uint32_t OneStream(const std::uint8_t* at, std::size_t size) {
  std::uint64_t crc = 0xffffffff;
  for (; size >= 8; size -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    crc = _mm_crc32_u64(crc, word);
  }
  return ~static_cast<std::uint32_t>(crc);
}

Contender OneStreamCrc(const std::string& name) {
  return {name, [](std::size_t size, std::size_t times) {
            const std::uint8_t* in = ThreadBuffers().in.data();
            for (; times > 0; --times) sink = OneStream(in, size);
          }};
}

Operation Crc() {
  Contender strata = {"strata", [](std::size_t size, std::size_t times) {
                        const auto in =
                            std::span<const std::uint8_t>(ThreadBuffers().in).first(size);
                        for (; times > 0; --times) sink = crypto::Crc32c(in);
                      }};
  return {"CRC-32C", {std::move(strata), OneStreamCrc("floor"), OneStreamCrc("again")}};
}

Contender OpenSslRandom(const std::string& name) {
  return {name, [](std::size_t size, std::size_t times) {
            std::uint8_t* out = ThreadBuffers().out.data();
            for (; times > 0; --times) Require(RAND_bytes(out, static_cast<int>(size)) == 1);
          }};
}

Operation Random() {
  Contender strata = {"strata", [](std::size_t size, std::size_t times) {
                        const auto out = std::span(ThreadBuffers().out).first(size);
                        for (; times > 0; --times) crypto::SecureRandom::Fill(out);
                      }};
  Contender sodium = {"sodium", [](std::size_t size, std::size_t times) {
                        std::uint8_t* out = ThreadBuffers().out.data();
                        for (; times > 0; --times) randombytes_buf(out, size);
                      }};
  return {"random bytes",
          {std::move(strata), OpenSslRandom("floor"), OpenSslRandom("again"), std::move(sodium)}};
}

}  // namespace

std::vector<Operation> OtherOperations() { return {Crc(), Random()}; }

}  // namespace strata::bench
