// How secrets get in: through buffers that are wiped, and not over the screen.

#include "tools/seal/key_input.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "strata/crypto/output_file_internal.h"
#include "strata/crypto/password.h"
#include "strata/crypto/random.h"
#include "strata/crypto/secret.h"
#include "tools/seal/interruption.h"

namespace strata::seal {
namespace {

using crypto::OwnedDescriptor;
using crypto::SealedFileKey;
using crypto::SecretBytes;

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::size_t kDigitsOfKey = 2 * SealedFileKey::kBytes;

// One more than a password may have, so that a longer one is seen.
constexpr std::size_t kMaxLineBytes = crypto::kMaxPasswordBytes + 1;

// Reads up to the first newline, the end, or kMaxLineBytes. The newline is not kept.
absl::StatusOr<SecretBytes> ReadLine(int descriptor, const std::string& name) {
  SecretBytes line(kMaxLineBytes);
  const std::span<std::uint8_t> bytes = line.mutable_bytes();
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = read(descriptor, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR && !IsInterrupted()) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", name));
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(size);
    const auto newline = std::find(begin, begin + got, '\n');
    size = static_cast<std::size_t>(newline - bytes.begin());
    if (got == 0 || newline != begin + got) break;
  }
  line.Truncate(size);
  return line;
}

absl::StatusOr<SecretBytes> ReadFirstLine(const std::string& path) {
  const OwnedDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  return ReadLine(file.get(), path);
}

absl::StatusOr<SealedFileKey> PasswordOf(const SecretBytes& line, std::string_view name) {
  if (line.empty()) return absl::InvalidArgumentError(absl::StrCat(name, " is empty"));
  if (line.size() > crypto::kMaxPasswordBytes) {
    return absl::InvalidArgumentError(absl::StrCat(name, " has more than 4096 bytes"));
  }
  return SealedFileKey::FromPassword(line.text());
}

// The terminal of the process, which does not show what is typed until this goes.
class SilentTerminal {
 public:
  SilentTerminal() : terminal_(open("/dev/tty", O_RDWR | O_CLOEXEC)) {
    if (terminal_.get() < 0 || tcgetattr(terminal_.get(), &before_) != 0) return;
    struct termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent_ = tcsetattr(terminal_.get(), TCSAFLUSH, &silent) == 0;
  }
  ~SilentTerminal() {
    if (silent_) tcsetattr(terminal_.get(), TCSAFLUSH, &before_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

  // Whether there is one.
  bool ok() const { return silent_; }

  absl::StatusOr<SecretBytes> Ask(std::string_view prompt) {
    Show(prompt);
    absl::StatusOr<SecretBytes> line = ReadLine(terminal_.get(), "the terminal");
    Show("\n");
    return line;
  }

 private:
  // If it cannot be shown, there is nobody to type either.
  void Show(std::string_view text) {
    static_cast<void>(!write(terminal_.get(), text.data(), text.size()));
  }

  OwnedDescriptor terminal_;
  struct termios before_ = {};
  bool silent_ = false;
};

}  // namespace

absl::StatusOr<SealedFileKey> ReadKeyFile(const std::string& path) {
  absl::StatusOr<SecretBytes> line = ReadFirstLine(path);
  if (!line.ok()) return line.status();
  SecretBytes key(SealedFileKey::kBytes);
  bool is_key = line->size() == kDigitsOfKey;
  for (std::size_t i = 0; is_key && i < kDigitsOfKey; ++i) {
    const std::size_t digit = kDigits.find(line->text()[i]);
    is_key = digit != std::string_view::npos;
    std::uint8_t& byte = key.mutable_bytes()[i / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | (digit & 15));
  }
  if (!is_key) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is not a key file: a line of 64 hexadecimal digits"));
  }
  return SealedFileKey::FromKey(key.bytes());
}

absl::Status WriteKeyFile(const std::string& path) {
  const SecretBytes key = crypto::SecureRandom::Secret(SealedFileKey::kBytes);
  SecretBytes line(kDigitsOfKey + 1);
  for (std::size_t i = 0; i < kDigitsOfKey; ++i) {
    const int shift = i % 2 == 0 ? 4 : 0;
    line.mutable_bytes()[i] = static_cast<std::uint8_t>(kDigits[key.bytes()[i / 2] >> shift & 15]);
  }
  line.mutable_bytes().back() = '\n';

  absl::StatusOr<crypto::OutputFile> file = crypto::OutputFile::Create(path, false);
  if (!file.ok()) return file.status();
  if (write(file->descriptor(), line.bytes().data(), line.size()) !=
      static_cast<ssize_t>(line.size())) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write to ", path));
  }
  return file->Commit(0600);
}

absl::StatusOr<SealedFileKey> ReadPasswordFile(const std::string& path) {
  absl::StatusOr<SecretBytes> line = ReadFirstLine(path);
  if (!line.ok()) return line.status();
  return PasswordOf(*line, absl::StrCat("the first line of ", path));
}

absl::StatusOr<SealedFileKey> AskForPassword(bool twice) {
  SilentTerminal terminal;
  if (!terminal.ok()) {
    return absl::FailedPreconditionError(
        "there is no terminal to ask for a password: use --password-file or --key-file");
  }
  absl::StatusOr<SecretBytes> line = terminal.Ask("Password: ");
  if (!line.ok()) return line.status();
  if (twice) {
    absl::StatusOr<SecretBytes> again = terminal.Ask("The same again: ");
    if (!again.ok()) return again.status();
    if (!crypto::ConstantTimeEquals(line->bytes(), again->bytes())) {
      return absl::InvalidArgumentError("the two passwords differ");
    }
  }
  return PasswordOf(*line, "the password");
}

}  // namespace strata::seal
