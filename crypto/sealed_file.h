// File: sealed_file.h
//
// Files of any size, encrypted so that they can neither be read nor changed without the key, in
// constant memory.
//
//   using namespace strata::crypto;
//   SealedFileKey key = SealedFileKey::FromPassword("correct horse");
//   absl::Status sealed = SealFile("notes.txt", "notes.txt.sealed", key);
//   absl::Status opened = OpenFile("notes.txt.sealed", "notes.txt", key, {.replace = true});
//
// The file is cut into chunks, each sealed by an AEAD under a nonce of its number and of whether it
// is the last: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizar: Online Authenticated-
// Encryption and its Nonce-Reuse Misuse-Resistance, CRYPTO 2015). So a chunk that was changed,
// moved, left out, doubled or taken from elsewhere does not open, nor does a file that was cut off
// or that goes on. Each file has keys of its own, from the key or the password and a random salt in
// its header. SEALED_FILE.md has the format byte for byte.
//
// What is not hidden: the size, and that it is a sealed file.
//
// Plaintext comes out chunk by chunk, each verified before. But that a file was cut off between two
// chunks is known at its end alone: what came out before belongs to the file, and is not all of it.
// Who must not act on a part waits for Finish(), as OpenFile() with a path does.
//
// Errors: InvalidArgument for what is no sealed file, and for keys and options that are no good;
// Unimplemented for a newer version of the format; ResourceExhausted for a header that asks for
// more work than SealedFileLimits; Unauthenticated, with one text, for all else: a wrong key or
// password, or damage.
//
// Functions are thread-safe; a writer or a reader is used by one thread at a time.

#ifndef STRATA_CRYPTO_SEALED_FILE_H_
#define STRATA_CRYPTO_SEALED_FILE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/crypto/aead.h"
#include "strata/crypto/kdf.h"
#include "strata/crypto/secret.h"

namespace strata::crypto {

// What a file is sealed with. One key or password may seal any number of files.
class SealedFileKey {
 public:
  enum class Source { kKey, kPassword };

  // Copies kBytes bytes, which nobody could guess, or a password of 1 to kMaxPasswordBytes
  // (password.h). Another size is InvalidArgument where the key is used.
  static constexpr std::size_t kBytes = 32;
  static SealedFileKey FromKey(std::span<const std::uint8_t> key);
  static SealedFileKey FromPassword(std::string_view password);

  SealedFileKey Clone() const { return SealedFileKey(source_, secret_.Clone()); }

  Source source() const { return source_; }
  const SecretBytes& secret() const { return secret_; }

 private:
  SealedFileKey(Source source, SecretBytes secret) : source_(source), secret_(std::move(secret)) {}

  Source source_;
  SecretBytes secret_;
};

// A file has at most so many chunks: 256 TiB with chunks of 64 KiB.
inline constexpr std::uint64_t kMaxSealedFileChunks = std::uint64_t{1} << 32;

struct SealedFileOptions {
  // kAes256Gcm or kChaCha20Poly1305.
  AeadAlgorithm algorithm = AeadAlgorithm::kAes256Gcm;

  // The size of a chunk is 2^chunk_log2 bytes, from 1 KiB to 1 MiB. A writer and a reader hold one
  // in memory, and each is longer by its tag (kAeadTagBytes).
  std::uint32_t chunk_log2 = 16;

  // For a password: by default 128 MiB of memory, once (OWASP, 2023), some 0.3 s. At least what
  // CheckPasswordCost() of password.h asks for, and at most the default SealedFileLimits.
  ScryptCost cost = {.log2_n = 17, .r = 8, .p = 1};
};

// What a reader spends on a password because a header, which anybody may have written, says so.
// ResourceExhausted before any work if it is more, or out of the bounds of ScryptCost.
struct SealedFileLimits {
  std::uint64_t max_scrypt_bytes = std::uint64_t{1} << 28;       // Of memory.
  std::uint64_t max_scrypt_work_bytes = std::uint64_t{1} << 30;  // Memory times p: some 3 s.
};

// Takes bytes that are valid during the call. An error that it returns ends the writer or reader.
using SealedFileSink = absl::FunctionRef<absl::Status(std::span<const std::uint8_t>)>;

// Seals what comes in pieces. After an error every call returns that error, after Finish()
// FailedPrecondition. A file is whole when Finish() has returned OK. Of what was moved from,
// nothing may be called but the destructor and assignment.
class SealedFileWriter {
 public:
  // InvalidArgument for a key or options out of bounds. With a password this is where the time is
  // spent.
  static absl::StatusOr<SealedFileWriter> Create(const SealedFileKey& key,
                                                 const SealedFileOptions& options = {});

  ~SealedFileWriter();
  SealedFileWriter(SealedFileWriter&&) noexcept;
  SealedFileWriter& operator=(SealedFileWriter&&) noexcept;

  // Seals `plaintext`, of any size; what is complete goes to `sink`. ResourceExhausted after
  // kMaxSealedFileChunks.
  absl::Status Update(std::span<const std::uint8_t> plaintext, SealedFileSink sink);
  absl::Status Finish(SealedFileSink sink);

 private:
  friend class SealedFileTestPeer;
  struct State;

  // With the salt in the caller's hands: the vectors of the test.
  static absl::StatusOr<SealedFileWriter> Create(const SealedFileKey& key,
                                                 const SealedFileOptions& options,
                                                 std::span<const std::uint8_t> salt);

  explicit SealedFileWriter(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

// Opens what comes in pieces. Errors as above. A file is whole and genuine when Finish() has
// returned OK.
class SealedFileReader {
 public:
  // Copies the key until the header has been read. InvalidArgument for a key out of bounds.
  static absl::StatusOr<SealedFileReader> Create(const SealedFileKey& key,
                                                 const SealedFileLimits& limits = {});

  ~SealedFileReader();
  SealedFileReader(SealedFileReader&&) noexcept;
  SealedFileReader& operator=(SealedFileReader&&) noexcept;

  // Takes the next bytes of the file, of any size; plaintext that has been verified goes to `sink`,
  // a chunk at a time, in memory that is wiped afterwards. With a password, the time is spent when
  // the header is complete.
  absl::Status Update(std::span<const std::uint8_t> sealed, SealedFileSink sink);

  // The file ends here. Opens the last chunk, or returns Unauthenticated if this is not it.
  absl::Status Finish(SealedFileSink sink);

 private:
  struct State;

  explicit SealedFileReader(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

// Where a file comes from or goes to: a path, or a descriptor, which stays open.
using FilePlace = std::variant<std::string, int>;

struct FileTransferOptions {
  // Whether an output file that exists is replaced. Otherwise that is AlreadyExists.
  bool replace = false;

  // Called after each piece, and when a signal interrupts the waiting for one: how much of the
  // input was read, and its size, if it has one. False ends the transfer: Cancelled.
  std::function<bool(std::uint64_t done_bytes, std::optional<std::uint64_t> total_bytes)> progress =
      nullptr;
};

// Seals the file `from` to `to`, or opens it.
//
// An output that is a path is written to a temporary file beside it, for its owner alone (0600),
// which takes the output's place when it is complete and on the disk: until then what stood there
// stands. On any error the temporary file is removed; where the file system has O_TMPFILE, it is
// also gone when the process is killed before that. In the end a sealed file has the permissions of
// its input, to read and to write; what was opened those of the owner alone; and 0600 if the input
// is no file.
//
// Errors of the system have the code of absl::ErrnoToStatus and name the file. FailedPrecondition
// for an output path where there is a folder, a device, a symbolic link; DataLoss if the input
// became shorter meanwhile.
absl::Status SealFile(const FilePlace& from, const FilePlace& to, const SealedFileKey& key,
                      const FileTransferOptions& transfer = {},
                      const SealedFileOptions& options = {});
absl::Status OpenFile(const FilePlace& from, const FilePlace& to, const SealedFileKey& key,
                      const FileTransferOptions& transfer = {},
                      const SealedFileLimits& limits = {});

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_SEALED_FILE_H_
