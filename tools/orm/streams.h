// Bytes in and out of files and pipes, by blocks.

#ifndef STRATA_TOOLS_ORM_STREAMS_H_
#define STRATA_TOOLS_ORM_STREAMS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/crypto/output_file_internal.h"

namespace strata::orm_tool {

// A file, or "-" for the standard input. After an error there are no more bytes.
class Input {
 public:
  static absl::StatusOr<std::unique_ptr<Input>> Open(const std::string& path);

  // The next byte, or -1 at the end; Peek() does not take it.
  int Peek() { return at_ < size_ || Fill() ? static_cast<unsigned char>(block_[at_]) : -1; }
  int Get() {
    const int byte = Peek();
    if (byte < 0) return -1;
    ++at_;
    if (byte == '\n') ++line_;
    return byte;
  }

  const std::string& name() const { return name_; }  // For messages.
  std::uint64_t line() const { return line_; }       // Of the next byte, from 1 on.
  const absl::Status& status() const { return status_; }

 private:
  Input(std::string name, int descriptor, bool owned);
  bool Fill();

  const std::string name_;
  const int descriptor_;
  const crypto::OwnedDescriptor owned_;
  std::string block_;
  std::size_t at_ = 0;
  std::size_t size_ = 0;
  std::uint64_t line_ = 1;
  absl::Status status_;
};

// Puts a question mark for each control character but newlines and tabs. What is in a database does
// not get to talk to the terminal.
std::string Harmless(std::string_view text);

// The standard output, harmless if that is a terminal; or a file that is there when Finish() has
// returned OK, and not before.
class Output {
 public:
  static absl::StatusOr<std::unique_ptr<Output>> Open(const std::string& path, bool replace);

  // An error stays, and is that of Finish().
  void Write(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= kBlock) Flush().IgnoreError();
  }
  const absl::Status& status() const { return status_; }

  absl::Status Flush();
  absl::Status Finish();

 private:
  static constexpr std::size_t kBlock = 1 << 16;

  explicit Output(std::optional<crypto::OutputFile> file);

  std::optional<crypto::OutputFile> file_;
  const bool is_terminal_;
  std::string buffer_;
  absl::Status status_;
};

// A line on the terminal that says how many rows or pages are done; without a terminal, nothing.
class Progress {
 public:
  Progress(bool quiet, std::string_view what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Cancelled if a signal is there to end the program.
  absl::Status Show(std::uint64_t done, std::optional<std::uint64_t> of = std::nullopt);

 private:
  const bool shown_;
  const std::string what_;
  std::int64_t next_ms_;
  bool drawn_ = false;
};

}  // namespace strata::orm_tool

#endif  // STRATA_TOOLS_ORM_STREAMS_H_
