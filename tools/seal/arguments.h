// The command line of seal.

#ifndef STRATA_TOOLS_SEAL_ARGUMENTS_H_
#define STRATA_TOOLS_SEAL_ARGUMENTS_H_

#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace strata::seal {

enum class Command { kHelp, kEncrypt, kDecrypt, kKeygen };

struct Arguments {
  Command command = Command::kHelp;

  // Empty if not given; at most one is.
  std::string key_file;
  std::string password_file;

  // A path, or "-" for the standard input and output.
  std::string input = "-";
  std::string output;

  bool force = false;
  bool quiet = false;
};

extern const std::string_view kHelp;

// InvalidArgument says what is wrong, by the name that the user gave.
absl::StatusOr<Arguments> ParseArguments(std::span<const char* const> arguments);

}  // namespace strata::seal

#endif  // STRATA_TOOLS_SEAL_ARGUMENTS_H_
