// seal: seals and opens files. README.md tells how it is used.

#include <unistd.h>

#include <cstdio>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/crypto/sealed_file.h"
#include "tools/seal/arguments.h"
#include "tools/seal/interruption.h"
#include "tools/seal/key_input.h"
#include "tools/seal/progress.h"

namespace strata::seal {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kNotAuthentic = 3;

void Complain(std::string_view message) {
  std::fprintf(stderr, "seal: %.*s\n", static_cast<int>(message.size()), message.data());
}

int ComplainOfUsage(std::string_view message) {
  Complain(message);
  std::fputs("Try: seal --help\n", stderr);
  return kUsage;
}

crypto::FilePlace PlaceOf(const std::string& name, int standard) {
  if (name == "-") return standard;
  return name;
}

absl::StatusOr<crypto::SealedFileKey> GetKey(const Arguments& arguments) {
  if (!arguments.key_file.empty()) return ReadKeyFile(arguments.key_file);
  if (!arguments.password_file.empty()) return ReadPasswordFile(arguments.password_file);
  return AskForPassword(arguments.command == Command::kEncrypt);
}

absl::Status Transfer(const Arguments& arguments) {
  // Said before a password is asked for; what counts is looked at when the file is put in place.
  if (!arguments.force && arguments.output != "-" && access(arguments.output.c_str(), F_OK) == 0) {
    return absl::AlreadyExistsError(arguments.output + " exists; --force replaces it");
  }
  absl::StatusOr<crypto::SealedFileKey> key = GetKey(arguments);
  if (!key.ok()) return key.status();
  ProgressLine line(!arguments.quiet && isatty(STDERR_FILENO) == 1);
  const crypto::FileTransferOptions options = {
      .replace = arguments.force,
      .progress =
          [&line](std::uint64_t done_bytes, std::optional<std::uint64_t> total_bytes) {
            line.Show(done_bytes, total_bytes);
            return !IsInterrupted();
          },
  };
  const crypto::FilePlace from = PlaceOf(arguments.input, STDIN_FILENO);
  const crypto::FilePlace to = PlaceOf(arguments.output, STDOUT_FILENO);
  if (arguments.command == Command::kEncrypt) return crypto::SealFile(from, to, *key, options);
  return crypto::OpenFile(from, to, *key, options);
}

int Run(const Arguments& arguments) {
  if (arguments.command == Command::kHelp) {
    return std::fwrite(kHelp.data(), 1, kHelp.size(), stdout) == kHelp.size() &&
                   std::fflush(stdout) == 0
               ? kDone
               : kFailed;
  }
  if (arguments.command == Command::kEncrypt && arguments.output == "-" && isatty(STDOUT_FILENO)) {
    return ComplainOfUsage("a terminal cannot show what is sealed: say --output=FILE");
  }
  CatchInterruptions();
  const absl::Status status =
      arguments.command == Command::kKeygen ? WriteKeyFile(arguments.output) : Transfer(arguments);
  if (status.ok()) return kDone;
  if (IsInterrupted()) EndByInterruption();
  Complain(status.message());
  if (status.code() != absl::StatusCode::kUnauthenticated) return kFailed;
  if (arguments.output == "-") Complain("what was written, if anything, is not all of the file");
  return kNotAuthentic;
}

}  // namespace
}  // namespace strata::seal

int main(int argc, char** argv) {
  const auto arguments = strata::seal::ParseArguments(std::span(argv, argc).subspan(1));
  if (!arguments.ok()) return strata::seal::ComplainOfUsage(arguments.status().message());
  return strata::seal::Run(*arguments);
}
