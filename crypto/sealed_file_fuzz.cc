// Feeds files to the reader of sealed files, whole and in pieces: both end the same way, and what
// comes out is what was sealed. The corpus is made by testdata/sealed_file.py: its key and password
// are those below, and all its texts begin alike.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <span>
#include <vector>

#include "strata/crypto/sealed_file.h"

namespace {

using strata::crypto::SealedFileKey;

using Bytes = std::vector<std::uint8_t>;

struct Opened {
  absl::Status status;
  Bytes text;
};

const SealedFileKey& KeyFor(std::span<const std::uint8_t> file) {
  static const SealedFileKey& key = *[] {
    Bytes bytes(SealedFileKey::kBytes);
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
    return new SealedFileKey(SealedFileKey::FromKey(bytes));
  }();
  static const SealedFileKey& password =
      *new SealedFileKey(SealedFileKey::FromPassword("correct horse"));
  constexpr std::size_t kSourceAt = 11;
  return file.size() > kSourceAt && file[kSourceAt] == 2 ? password : key;
}

Opened Open(std::span<const std::uint8_t> file, std::size_t piece) {
  // So that many files pass in a second.
  const strata::crypto::SealedFileLimits limits = {.max_scrypt_bytes = 1 << 16,
                                                   .max_scrypt_work_bytes = 1 << 17};
  auto reader = strata::crypto::SealedFileReader::Create(KeyFor(file), limits);
  Opened opened;
  const auto sink = [&opened](std::span<const std::uint8_t> bytes) {
    opened.text.insert(opened.text.end(), bytes.begin(), bytes.end());
    return absl::OkStatus();
  };
  while (!file.empty() && opened.status.ok()) {
    const std::size_t size = std::min(piece, file.size());
    opened.status = reader->Update(file.first(size), sink);
    file = file.subspan(size);
  }
  if (opened.status.ok()) opened.status = reader->Finish(sink);
  return opened;
}

bool IsTextOfTheCorpus(const Bytes& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != static_cast<std::uint8_t>(i * 31 + (i >> 8))) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> file(data, size);
  const Opened whole = Open(file, size);
  const Opened pieces = Open(file, size % 97 + 1);
  if (whole.status != pieces.status || whole.text != pieces.text) std::abort();
  if (!IsTextOfTheCorpus(whole.text)) std::abort();
  return 0;
}
