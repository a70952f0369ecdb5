// The command line of orm, and the lines of its shell.

#ifndef STRATA_TOOLS_ORM_ARGUMENTS_H_
#define STRATA_TOOLS_ORM_ARGUMENTS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace strata::orm_tool {

// Where a key comes from; at most one of them.
struct KeySource {
  std::string key_file;
  std::string password_file;
  std::string password_env;  // The name of a variable.
  bool ask = false;          // At the terminal.

  bool given() const {
    return ask || !key_file.empty() || !password_file.empty() || !password_env.empty();
  }
};

struct Arguments {
  bool help = false;
  std::string file;     // The database; of a line of the shell, empty.
  std::string command;  // Empty: the shell.
  std::vector<std::string> operands;

  KeySource key;
  KeySource to_key;  // Of what encrypt and rekey make.
  std::string format;
  bool create = false;
  bool read_only = false;
  bool create_table = false;
  bool force = false;
  bool dry_run = false;
  bool quiet = false;
};

extern const std::string_view kHelp;

bool IsCommand(std::string_view word);

// InvalidArgument says what is wrong, by the name that the user gave.
absl::StatusOr<Arguments> ParseArguments(const std::vector<std::string>& words);

// A line of the shell: a command, which is about the database that is open.
absl::StatusOr<Arguments> ParseLine(std::string_view line);

}  // namespace strata::orm_tool

#endif  // STRATA_TOOLS_ORM_ARGUMENTS_H_
