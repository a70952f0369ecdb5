// Blocks, and the line of progress, which is drawn over itself a few times a second.

#include "tools/orm/streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/seal/interruption.h"

namespace strata::orm_tool {
namespace {

constexpr std::size_t kInputBlock = 1 << 16;
constexpr std::int64_t kFirstMs = 500;  // Short work shows no line.
constexpr std::int64_t kEachMs = 200;

std::int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

absl::Status Interrupted() { return absl::CancelledError("interrupted"); }

}  // namespace

absl::StatusOr<std::unique_ptr<Input>> Input::Open(const std::string& path) {
  if (path == "-") {
    return std::unique_ptr<Input>(new Input("standard input", STDIN_FILENO, false));
  }
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  return std::unique_ptr<Input>(new Input(path, descriptor, true));
}

Input::Input(std::string name, int descriptor, bool owned)
    : name_(std::move(name)),
      descriptor_(descriptor),
      owned_(owned ? descriptor : -1),
      block_(kInputBlock, '\0') {}

bool Input::Fill() {
  if (!status_.ok()) return false;
  for (;;) {
    const ssize_t got = read(descriptor_, block_.data(), block_.size());
    if (got < 0 && errno == EINTR && !seal::IsInterrupted()) continue;
    if (got < 0) {
      status_ = errno == EINTR ? Interrupted()
                               : absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", name_));
    }
    at_ = 0;
    size_ = got > 0 ? static_cast<std::size_t>(got) : 0;
    return got > 0;
  }
}

std::string Harmless(std::string_view text) {
  std::string harmless;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F, in UTF-8.
    const bool is_second_set = byte == 0xC2 && i + 1 < text.size() &&
                               static_cast<unsigned char>(text[i + 1]) - 0x80u < 0x20;
    const bool is_blank = byte == '\n' || byte == '\r' || byte == '\t';
    const bool is_control = is_second_set || (byte < 0x20 && !is_blank) || byte == 0x7F;
    harmless += is_control ? '?' : text[i];
    if (is_second_set) ++i;
  }
  return harmless;
}

absl::StatusOr<std::unique_ptr<Output>> Output::Open(const std::string& path, bool replace) {
  if (path == "-") return std::unique_ptr<Output>(new Output(std::nullopt));
  absl::StatusOr<crypto::OutputFile> file = crypto::OutputFile::Create(path, replace);
  if (absl::IsAlreadyExists(file.status())) {
    return absl::AlreadyExistsError(absl::StrCat(path, " exists; --force replaces it"));
  }
  if (!file.ok()) return file.status();
  return std::unique_ptr<Output>(new Output(*std::move(file)));
}

Output::Output(std::optional<crypto::OutputFile> file)
    : file_(std::move(file)), is_terminal_(!file_.has_value() && isatty(STDOUT_FILENO) == 1) {}

absl::Status Output::Flush() {
  if (is_terminal_) buffer_ = Harmless(buffer_);
  const int descriptor = file_.has_value() ? file_->descriptor() : STDOUT_FILENO;
  for (std::size_t at = 0; status_.ok() && at < buffer_.size();) {
    const ssize_t written = write(descriptor, buffer_.data() + at, buffer_.size() - at);
    if (written >= 0) {
      at += static_cast<std::size_t>(written);
    } else if (errno != EINTR) {
      status_ = absl::ErrnoToStatus(errno, "cannot write the output");
    } else if (seal::IsInterrupted()) {
      status_ = Interrupted();
    }
  }
  buffer_.clear();
  return status_;
}

absl::Status Output::Finish() {
  if (absl::Status status = Flush(); !status.ok()) return status;
  // For its owner alone, as the database may be for nobody else.
  return file_.has_value() ? file_->Commit(0600) : absl::OkStatus();
}

Progress::Progress(bool quiet, std::string_view what)
    : shown_(!quiet && isatty(STDERR_FILENO) == 1), what_(what), next_ms_(NowMs() + kFirstMs) {}

Progress::~Progress() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

absl::Status Progress::Show(std::uint64_t done, std::optional<std::uint64_t> of) {
  if (seal::IsInterrupted()) return Interrupted();
  // The clock is looked at now and then.
  if (!shown_ || (done % 256 != 0 && !of.has_value())) return absl::OkStatus();
  const std::int64_t now = NowMs();
  if (now < next_ms_) return absl::OkStatus();
  next_ms_ = now + kEachMs;
  drawn_ = true;
  const std::string total = of.has_value() ? absl::StrCat(" of ", *of) : "";
  std::fprintf(stderr, "\r\033[K%llu%s %s", static_cast<unsigned long long>(done), total.c_str(),
               what_.c_str());
  return absl::OkStatus();
}

}  // namespace strata::orm_tool
