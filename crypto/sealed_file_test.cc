// Sealed files in pieces: what is sealed opens, and nothing else does. The vectors are made by
// testdata/sealed_file.py, which shares no code with ours.

#include "strata/crypto/sealed_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "strata/crypto/hash.h"
#include "strata/crypto/sealed_file_internal.h"
#include "strata/crypto/testing/vectors.h"

namespace strata::crypto {

class SealedFileTestPeer {
 public:
  static absl::StatusOr<SealedFileWriter> Create(const SealedFileKey& key,
                                                 const SealedFileOptions& options,
                                                 std::span<const std::uint8_t> salt) {
    return SealedFileWriter::Create(key, options, salt);
  }
};

namespace {

using testing::AsText;
using testing::Bytes;
using testing::ReadVectors;
using testing::ToHex;
using testing::VectorCase;

constexpr std::size_t kChunk = 1024;
constexpr std::size_t kSealedChunk = kChunk + kAeadTagBytes;
constexpr SealedFileOptions kSmallChunks = {.chunk_log2 = 10};
constexpr ScryptCost kCheapest = {.log2_n = 14, .r = 8, .p = 1};

SealedFileKey Key(std::uint8_t of = 7) { return SealedFileKey::FromKey(Bytes(32, of)); }

// Byte i is the low byte of i * 31 + i / 256, as in the vectors.
Bytes Plaintext(std::size_t size) {
  Bytes text(size);
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<std::uint8_t>(i * 31 + (i >> 8));
  return text;
}

// How much to hand over at once: all.
std::size_t Everything() { return SIZE_MAX; }

// Puts `in` through a writer or a reader in pieces; what comes out is appended to `out`, also
// before an error.
template <typename Transform, typename NextSize>
absl::Status Put(Transform& transform, std::span<const std::uint8_t> in, Bytes& out,
                 NextSize next_size) {
  const auto sink = [&out](std::span<const std::uint8_t> bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
    return absl::OkStatus();
  };
  while (!in.empty()) {
    const std::size_t size = std::min(in.size(), next_size());
    if (absl::Status status = transform.Update(in.first(size), sink); !status.ok()) return status;
    in = in.subspan(size);
  }
  return transform.Finish(sink);
}

template <typename NextSize>
Bytes Seal(const SealedFileKey& key, const Bytes& text, const SealedFileOptions& options,
           NextSize next_size) {
  absl::StatusOr<SealedFileWriter> writer = SealedFileWriter::Create(key, options);
  Bytes sealed;
  const absl::Status status = Put(writer.value(), text, sealed, next_size);
  EXPECT_TRUE(status.ok()) << status;
  return sealed;
}

Bytes Seal(std::size_t size) { return Seal(Key(), Plaintext(size), kSmallChunks, Everything); }

// What came out, and how it ended.
struct Opened {
  absl::Status status;
  Bytes text;
};

template <typename NextSize>
Opened Open(const SealedFileKey& key, const Bytes& sealed, NextSize next_size) {
  absl::StatusOr<SealedFileReader> reader = SealedFileReader::Create(key);
  Opened opened;
  opened.status = Put(reader.value(), sealed, opened.text, next_size);
  return opened;
}

Opened Open(const Bytes& sealed) { return Open(Key(), sealed, Everything); }

bool IsBeginningOf(const Bytes& part, const Bytes& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

// Chunk `index` with its tag.
Bytes ChunkOf(const Bytes& sealed, std::size_t index) {
  const std::size_t at = kSealedFileHeaderBytes + index * kSealedChunk;
  const std::size_t size = std::min(kSealedChunk, sealed.size() - at);
  const auto begin = sealed.begin() + static_cast<std::ptrdiff_t>(at);
  return Bytes(begin, begin + static_cast<std::ptrdiff_t>(size));
}

Bytes HeaderOf(const Bytes& sealed) {
  return Bytes(sealed.begin(), sealed.begin() + kSealedFileHeaderBytes);
}

Bytes Join(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

void ExpectNotAuthentic(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << status;
  EXPECT_EQ(status.message(), "the key or password is wrong, or the file is damaged");
}

TEST(SealedFileTest, OpensWhatWasSealedInPiecesOfAnySize) {
  const std::uint64_t seed = std::random_device{}();
  std::mt19937_64 random(seed);
  for (const AeadAlgorithm algorithm :
       {AeadAlgorithm::kAes256Gcm, AeadAlgorithm::kChaCha20Poly1305}) {
    for (const std::uint32_t chunk_log2 : {10u, 16u}) {
      const std::size_t chunk = std::size_t{1} << chunk_log2;
      for (const std::size_t size : {std::size_t{0}, std::size_t{1}, chunk - 1, chunk, chunk + 1,
                                     2 * chunk - 1, 2 * chunk, 2 * chunk + 1, 5 * chunk + 77}) {
        SCOPED_TRACE(::testing::Message() << "seed " << seed << ", " << size << " bytes");
        const auto piece = [&] { return random() % (random() % 2 == 0 ? 40 : 2 * chunk); };
        const Bytes text = Plaintext(size);
        const Bytes sealed =
            Seal(Key(), text, {.algorithm = algorithm, .chunk_log2 = chunk_log2}, piece);
        const std::size_t chunks = std::max<std::size_t>(1, (size + chunk - 1) / chunk);
        EXPECT_EQ(sealed.size(), kSealedFileHeaderBytes + size + chunks * kAeadTagBytes);
        const Opened opened = Open(Key(), sealed, piece);
        EXPECT_TRUE(opened.status.ok()) << opened.status;
        EXPECT_TRUE(opened.text == text);
      }
    }
  }
}

SealedFileKey KeyOf(const VectorCase& vector) {
  if (vector.Has("key")) return SealedFileKey::FromKey(vector.Hex("key"));
  return SealedFileKey::FromPassword(vector.Text("password"));
}

SealedFileOptions OptionsOf(const VectorCase& vector) {
  SealedFileOptions options;
  if (vector.Number("algorithm") == 2) options.algorithm = AeadAlgorithm::kChaCha20Poly1305;
  options.chunk_log2 = static_cast<std::uint32_t>(vector.Number("chunk_log2"));
  if (vector.Has("password")) {
    options.cost.log2_n = static_cast<std::uint32_t>(vector.Number("log2_n"));
    options.cost.r = static_cast<std::uint32_t>(vector.Number("r"));
    options.cost.p = static_cast<std::uint32_t>(vector.Number("p"));
  }
  return options;
}

TEST(SealedFileTest, HasTheFormatThatIsSpecified) {
  for (const VectorCase& vector : ReadVectors("sealed_file.txt")) {
    if (!vector.Has("size")) continue;
    SCOPED_TRACE(vector);
    const Bytes text = Plaintext(vector.Number("size"));
    absl::StatusOr<SealedFileWriter> writer =
        SealedFileTestPeer::Create(KeyOf(vector), OptionsOf(vector), vector.Hex("salt"));
    Bytes sealed;
    EXPECT_TRUE(Put(writer.value(), text, sealed, Everything).ok());
    EXPECT_EQ(Hash(HashAlgorithm::kSha256, sealed).ToHex(), vector.Text("sha256"));
    if (vector.Has("sealed")) {
      EXPECT_EQ(ToHex(sealed), vector.Text("sealed"));
    }
    const Opened opened = Open(KeyOf(vector), sealed, Everything);
    EXPECT_TRUE(opened.status.ok()) << opened.status;
    EXPECT_TRUE(opened.text == text);
  }
}

TEST(SealedFileTest, HasOneFormForEachText) {
  int found = 0;
  for (const VectorCase& vector : ReadVectors("sealed_file.txt")) {
    if (vector.Has("size")) continue;
    SCOPED_TRACE(vector);
    ExpectNotAuthentic(Open(KeyOf(vector), vector.Hex("sealed"), Everything).status);
    ++found;
  }
  EXPECT_EQ(found, 1);
}

TEST(SealedFileTest, RefusesEveryBitThatIsChanged) {
  const Bytes text = Plaintext(kChunk + 76);
  Bytes sealed = Seal(text.size());
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      sealed[i] = static_cast<std::uint8_t>(sealed[i] ^ (1 << bit));
      const Opened opened = Open(sealed);
      EXPECT_FALSE(opened.status.ok()) << "bit " << bit << " of byte " << i;
      if (i >= 16) ExpectNotAuthentic(opened.status);
      // Of the chunk with the change nothing comes out.
      const std::size_t before = i < kSealedFileHeaderBytes + kSealedChunk ? 0 : kChunk;
      EXPECT_EQ(opened.text.size(), before);
      EXPECT_TRUE(IsBeginningOf(opened.text, text));
      sealed[i] = static_cast<std::uint8_t>(sealed[i] ^ (1 << bit));
    }
  }
  EXPECT_TRUE(Open(sealed).status.ok());
}

TEST(SealedFileTest, RefusesEveryTruncation) {
  for (const std::size_t size : {std::size_t{0}, 2 * kChunk, 2 * kChunk + 9}) {
    const Bytes text = Plaintext(size);
    const Bytes sealed = Seal(size);
    for (std::size_t left = 0; left < sealed.size(); ++left) {
      SCOPED_TRACE(::testing::Message() << left << " of " << sealed.size());
      const Opened opened =
          Open(Bytes(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(left)));
      if (left >= 8) {
        ExpectNotAuthentic(opened.status);
      } else {
        EXPECT_EQ(opened.status.code(), absl::StatusCode::kInvalidArgument);
      }
      EXPECT_TRUE(IsBeginningOf(opened.text, text));
    }
  }
}

TEST(SealedFileTest, RefusesChunksInAnotherPlace) {
  const Bytes sealed = Seal(4 * kChunk);
  const Bytes header = HeaderOf(sealed);
  const Bytes a = ChunkOf(sealed, 0), b = ChunkOf(sealed, 1), c = ChunkOf(sealed, 2),
              last = ChunkOf(sealed, 3);
  ASSERT_TRUE(Open(Join({header, a, b, c, last})).status.ok());
  const std::vector<std::vector<Bytes>> wrong = {
      {header, b, a, c, last},     // Swapped,
      {header, a, c, b, last},     //
      {header, a, b, last, c},     //
      {header, a, a, b, c, last},  // doubled,
      {header, a, b, c, c, last},  //
      {header, a, b, c, last, last},
      {header, a, a, c, last},  // put over another,
      {header, b, c, last},     // left out,
      {header, a, c, last},     //
      {header, a, b, last},     //
      {header, a, b, c},        //
      {header, last},           //
      {header},                 //
  };
  for (const std::vector<Bytes>& parts : wrong) ExpectNotAuthentic(Open(Join(parts)).status);
}

TEST(SealedFileTest, RefusesPartsOfAnotherFileOfTheSameKey) {
  const Bytes one = Seal(2 * kChunk);
  const Bytes other = Seal(2 * kChunk);
  EXPECT_NE(ToHex(one), ToHex(other));
  ExpectNotAuthentic(Open(Join({HeaderOf(one), ChunkOf(other, 0), ChunkOf(one, 1)})).status);
  ExpectNotAuthentic(Open(Join({HeaderOf(one), ChunkOf(one, 0), ChunkOf(other, 1)})).status);
  ExpectNotAuthentic(Open(Join({HeaderOf(other), ChunkOf(one, 0), ChunkOf(one, 1)})).status);
}

TEST(SealedFileTest, RefusesWhatGoesOn) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{9}, kChunk, 2 * kChunk}) {
    const Bytes sealed = Seal(size);
    ExpectNotAuthentic(Open(Join({sealed, Bytes(1)})).status);
    ExpectNotAuthentic(Open(Join({sealed, Bytes(kAeadTagBytes)})).status);
    ExpectNotAuthentic(Open(Join({sealed, sealed})).status);
    ExpectNotAuthentic(Open(Join({sealed, Bytes(kSealedChunk)})).status);
  }
}

TEST(SealedFileTest, RefusesAnotherKey) {
  const Opened opened = Open(Key(8), Seal(10), Everything);
  ExpectNotAuthentic(opened.status);
  EXPECT_TRUE(opened.text.empty());
}

TEST(SealedFileTest, SealsWithAPassword) {
  const SealedFileKey password = SealedFileKey::FromPassword("correct horse");
  const Bytes text = Plaintext(3000);
  Bytes sealed = Seal(password, text, {.chunk_log2 = 10, .cost = kCheapest}, Everything);
  const Opened opened = Open(password, sealed, Everything);
  EXPECT_TRUE(opened.status.ok()) << opened.status;
  EXPECT_TRUE(opened.text == text);

  // A wrong password and damage of any kind are told by one text.
  ExpectNotAuthentic(Open(SealedFileKey::FromPassword("correct horsf"), sealed, Everything).status);
  for (const std::size_t at : {13u, 14u, 15u, 16u, 47u, 48u, 79u, 80u, 2000u}) {
    sealed[at] ^= 2;
    ExpectNotAuthentic(Open(password, sealed, Everything).status);
    sealed[at] ^= 2;
  }
}

TEST(SealedFileTest, TellsAKeyFromAPassword) {
  const SealedFileKey password = SealedFileKey::FromPassword("correct horse");
  const Bytes with_password = Seal(password, {}, {.cost = kCheapest}, Everything);
  const absl::Status no_key = Open(Key(), with_password, Everything).status;
  EXPECT_EQ(no_key.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(no_key.message(), "the file is sealed with a password, not with a key");
  const absl::Status no_password = Open(password, Seal(0), Everything).status;
  EXPECT_EQ(no_password.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(no_password.message(), "the file is sealed with a key, not with a password");
}

// The error for a header that asks for this much.
absl::Status OpenWithCost(std::array<std::uint8_t, 3> cost, const SealedFileLimits& limits = {}) {
  Bytes sealed = Seal(0);
  sealed[11] = 2;
  std::copy(cost.begin(), cost.end(), sealed.begin() + 12);
  absl::StatusOr<SealedFileReader> reader =
      SealedFileReader::Create(SealedFileKey::FromPassword("correct horse"), limits);
  Bytes text;
  return Put(reader.value(), sealed, text, Everything);
}

TEST(SealedFileTest, RefusesAHeaderThatAsksForTooMuchWork) {
  const std::array<std::uint8_t, 3> out_of_bounds[] = {
      {0, 8, 1},  {25, 1, 1},  {255, 255, 255}, {14, 0, 1},  {14, 65, 1},
      {14, 8, 0}, {14, 8, 65}, {16, 1, 1},      {255, 1, 1},
  };
  for (const auto& cost : out_of_bounds) {
    const absl::Status status = OpenWithCost(cost);
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    EXPECT_NE(status.message().find("from 1 to 24"), std::string::npos) << status;
  }
  // Each of these the key derivation itself would do.
  absl::Status status = OpenWithCost({18, 16, 1});
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(),
            "scrypt would take 536870912 bytes, more than max_scrypt_bytes, 268435456");
  status = OpenWithCost({18, 8, 5});
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(),
            "scrypt would go over 1342177280 bytes, more than max_scrypt_work_bytes, 1073741824");
  EXPECT_EQ(OpenWithCost({24, 64, 64}).code(), absl::StatusCode::kResourceExhausted);
}

TEST(SealedFileTest, TakesLimitsOnWork) {
  const std::uint64_t bytes = 128 * 8 * 1024;
  const SealedFileLimits enough = {.max_scrypt_bytes = bytes, .max_scrypt_work_bytes = 3 * bytes};
  ExpectNotAuthentic(OpenWithCost({10, 8, 3}, enough));
  EXPECT_EQ(OpenWithCost({10, 9, 1}, enough).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(OpenWithCost({10, 8, 4}, enough).code(), absl::StatusCode::kResourceExhausted);
}

TEST(SealedFileTest, TellsWhatIsNoSealedFile) {
  for (const std::string_view text : {"", "\x89", "plain text", "\x89Sealed\r\n"}) {
    for (const std::size_t padding : {0, 1000}) {
      Bytes file(text.begin(), text.end());
      file.resize(file.size() + padding, 'x');
      const absl::Status status = Open(file).status;
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
      EXPECT_EQ(status.message(), "this is not a sealed file");
    }
  }
}

TEST(SealedFileTest, TellsANewerVersion) {
  Bytes sealed = Seal(100);
  sealed[8] = 2;
  EXPECT_EQ(Open(sealed).status.code(), absl::StatusCode::kUnimplemented);
  sealed.resize(9);
  EXPECT_EQ(Open(sealed).status.code(), absl::StatusCode::kUnimplemented);
}

TEST(SealedFileTest, TellsOfAHeaderBeforeMoreComes) {
  Bytes header = HeaderOf(Seal(100));
  header.back() ^= 1;
  absl::StatusOr<SealedFileReader> reader = SealedFileReader::Create(Key());
  ExpectNotAuthentic(reader->Update(header, [](auto) { return absl::OkStatus(); }));
}

TEST(SealedFileTest, RefusesKeysAndOptionsOutOfBounds) {
  const auto create = [](const SealedFileKey& key, const SealedFileOptions& options) {
    return SealedFileWriter::Create(key, options).status().code();
  };
  const SealedFileKey password = SealedFileKey::FromPassword("correct horse");
  const absl::StatusCode invalid = absl::StatusCode::kInvalidArgument;
  for (const std::size_t size : {0, 16, 31, 33}) {
    const SealedFileKey key = SealedFileKey::FromKey(Bytes(size));
    EXPECT_EQ(create(key, {}), invalid);
    EXPECT_EQ(SealedFileReader::Create(key).status().code(), invalid);
  }
  for (const std::size_t size : {0, 4097}) {
    const SealedFileKey key = SealedFileKey::FromPassword(std::string(size, 'p'));
    EXPECT_EQ(create(key, {.cost = kCheapest}), invalid);
    EXPECT_EQ(SealedFileReader::Create(key).status().code(), invalid);
  }
  EXPECT_EQ(create(Key(), {.chunk_log2 = 9}), invalid);
  EXPECT_EQ(create(Key(), {.chunk_log2 = 21}), invalid);
  EXPECT_EQ(create(Key(), {.algorithm = AeadAlgorithm::kAes128Gcm}), invalid);
  EXPECT_EQ(create(Key(), {.algorithm = AeadAlgorithm::kAes256GcmSiv}), invalid);
  EXPECT_EQ(create(password, {.cost = {.log2_n = 13, .r = 8, .p = 1}}), invalid);
  // What no reader would open by default.
  EXPECT_EQ(create(password, {.cost = {.log2_n = 19, .r = 8, .p = 1}}), invalid);
}

TEST(SealedFileTest, EndsOnce) {
  const auto sink = [](std::span<const std::uint8_t>) { return absl::OkStatus(); };
  absl::StatusOr<SealedFileWriter> writer = SealedFileWriter::Create(Key());
  EXPECT_TRUE(writer->Finish(sink).ok());
  EXPECT_EQ(writer->Finish(sink).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(writer->Update({}, sink).code(), absl::StatusCode::kFailedPrecondition);
  absl::StatusOr<SealedFileReader> reader = SealedFileReader::Create(Key());
  EXPECT_TRUE(reader->Update(Seal(0), sink).ok());
  EXPECT_TRUE(reader->Finish(sink).ok());
  EXPECT_EQ(reader->Finish(sink).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(reader->Update({}, sink).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(SealedFileTest, KeepsItsFirstError) {
  int calls = 0;
  const auto full = [&calls](std::span<const std::uint8_t>) {
    ++calls;
    return absl::ResourceExhaustedError("full");
  };
  const auto sink = [](std::span<const std::uint8_t>) { return absl::OkStatus(); };
  absl::StatusOr<SealedFileWriter> writer = SealedFileWriter::Create(Key(), kSmallChunks);
  EXPECT_EQ(writer->Update(Plaintext(2 * kChunk), full).message(), "full");
  EXPECT_EQ(writer->Update({}, sink).message(), "full");
  EXPECT_EQ(writer->Finish(sink).message(), "full");
  EXPECT_EQ(calls, 1);

  absl::StatusOr<SealedFileReader> reader = SealedFileReader::Create(Key());
  EXPECT_EQ(reader->Update(Seal(2 * kChunk), full).message(), "full");
  EXPECT_EQ(reader->Finish(sink).message(), "full");
  EXPECT_EQ(calls, 2);
}

TEST(SealedFileTest, EndsBeforeAChunkNumberComesTwice) {
  const SealedFileHead head = {.chunk_log2 = 10};
  const SealedFileHeadBytes bytes = EncodeSealedFileHead(head).value();
  const SealedFileSecrets secrets = SealedFileSecrets::Derive(Key(), head, bytes).value();
  const auto from = [&](AeadContext::Direction direction, std::uint64_t first) {
    return SealedFileChunks::Create(head.algorithm, direction, secrets, first).value();
  };
  Bytes first(100), last(100);
  EXPECT_TRUE(from(AeadContext::Direction::kSeal, 0).Seal(first, false).ok());
  SealedFileChunks sealer = from(AeadContext::Direction::kSeal, kMaxSealedFileChunks - 1);
  EXPECT_TRUE(sealer.Seal(last, false).ok());
  Bytes beyond(100);
  EXPECT_EQ(sealer.Seal(beyond, true).code(), absl::StatusCode::kResourceExhausted);

  SealedFileChunks opener = from(AeadContext::Direction::kOpen, kMaxSealedFileChunks - 1);
  EXPECT_TRUE(opener.Open(last, false).ok());
  ExpectNotAuthentic(opener.Open(first, false));
}

}  // namespace
}  // namespace strata::crypto
