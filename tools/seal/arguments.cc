// Which options there are, and for which command.

#include "tools/seal/arguments.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace strata::seal {
namespace {

constexpr std::string_view kSuffix = ".sealed";

// An option has a value, which goes to `value`, or sets `flag`.
struct Option {
  std::string_view name;
  std::string Arguments::*value = nullptr;
  bool Arguments::*flag = nullptr;
  bool for_keygen = false;
};

constexpr Option kOptions[] = {
    {.name = "--key-file", .value = &Arguments::key_file},
    {.name = "--password-file", .value = &Arguments::password_file},
    {.name = "--output", .value = &Arguments::output, .for_keygen = true},
    {.name = "--force", .flag = &Arguments::force},
    {.name = "--quiet", .flag = &Arguments::quiet},
};

template <typename... Parts>
absl::Status Wrong(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

bool IsHelp(std::string_view argument) { return argument == "--help" || argument == "-h"; }

absl::StatusOr<Command> ParseCommand(std::string_view name) {
  if (name == "encrypt") return Command::kEncrypt;
  if (name == "decrypt") return Command::kDecrypt;
  if (name == "keygen") return Command::kKeygen;
  return Wrong("unknown command ", name, ": there are encrypt, decrypt and keygen");
}

absl::Status ParseOption(std::string_view argument, Arguments& parsed) {
  const std::size_t equals = argument.find('=');
  const std::string_view name = argument.substr(0, equals);
  for (const Option& option : kOptions) {
    if (option.name != name || (parsed.command == Command::kKeygen && !option.for_keygen)) continue;
    if (option.flag != nullptr) {
      if (equals != std::string_view::npos) return Wrong(name, " takes no value");
      parsed.*option.flag = true;
      return absl::OkStatus();
    }
    if (equals == std::string_view::npos || equals + 1 == argument.size()) {
      return Wrong(name, " wants a value: ", name, "=FILE");
    }
    parsed.*option.value = argument.substr(equals + 1);
    return absl::OkStatus();
  }
  return Wrong("unknown option ", name);
}

// Where the output goes if the user does not say.
absl::Status ChooseOutput(Arguments& parsed) {
  if (!parsed.output.empty()) return absl::OkStatus();
  if (parsed.input == "-") {
    parsed.output = "-";
  } else if (parsed.command == Command::kEncrypt) {
    parsed.output = absl::StrCat(parsed.input, kSuffix);
  } else if (absl::EndsWith(parsed.input, kSuffix)) {
    parsed.output = parsed.input.substr(0, parsed.input.size() - kSuffix.size());
  } else {
    return Wrong(parsed.input, " does not end in ", kSuffix, ": say --output=FILE");
  }
  return absl::OkStatus();
}

absl::Status CheckTogether(Arguments& parsed, bool has_input) {
  if (parsed.command == Command::kKeygen) {
    if (has_input) return Wrong("keygen reads no file: ", parsed.input);
    if (parsed.output.empty() || parsed.output == "-") return Wrong("keygen wants --output=FILE");
    return absl::OkStatus();
  }
  if (!parsed.key_file.empty() && !parsed.password_file.empty()) {
    return Wrong("--key-file and --password-file exclude each other");
  }
  return ChooseOutput(parsed);
}

}  // namespace

const std::string_view kHelp =
    R"(Seals files, so that they can neither be read nor changed without the key or password.

  seal encrypt [OPTION...] [INPUT]   seals INPUT
  seal decrypt [OPTION...] [INPUT]   opens what encrypt has sealed
  seal keygen --output=FILE          makes a key

INPUT is a file, or - for the standard input, which is the default.

  --key-file=FILE        the key that keygen made
  --password-file=FILE   the password is the first line of FILE
                         with neither, the terminal is asked for a password
  --output=FILE          where to write, - for the standard output; by default INPUT.sealed, or for
                         decrypt INPUT without .sealed; - if INPUT is -
  --force                replace an output that exists
  --quiet                no progress
  --help                 this text

Exit status: 0 done; 1 failed; 2 wrong usage; 3 the key or password is wrong, or the file damaged.
An output file is there when it is complete, and not before. A pipe has each part once it was
verified: the exit status says whether that was all.

  seal encrypt notes.txt
  seal decrypt notes.txt.sealed
  seal keygen --output=backup.key
  tar c folder | seal encrypt --key-file=backup.key > folder.tar.sealed
  seal decrypt --key-file=backup.key --output=- folder.tar.sealed | tar x
)";

absl::StatusOr<Arguments> ParseArguments(std::span<const char* const> arguments) {
  if (arguments.empty()) return Wrong("no command: there are encrypt, decrypt and keygen");
  Arguments parsed;
  if (IsHelp(arguments[0])) return parsed;
  const absl::StatusOr<Command> command = ParseCommand(arguments[0]);
  if (!command.ok()) return command.status();
  parsed.command = *command;

  bool has_input = false;
  bool only_inputs = false;
  for (const std::string_view argument : arguments.subspan(1)) {
    if (!only_inputs && IsHelp(argument)) return Arguments();
    if (!only_inputs && argument == "--") {
      only_inputs = true;
    } else if (!only_inputs && argument.size() > 1 && argument[0] == '-') {
      if (absl::Status status = ParseOption(argument, parsed); !status.ok()) return status;
    } else if (has_input) {
      return Wrong("more than one input: ", parsed.input, " and ", argument);
    } else if (argument.empty()) {
      return Wrong("an input without a name");
    } else {
      has_input = true;
      parsed.input = argument;
    }
  }
  if (absl::Status status = CheckTogether(parsed, has_input); !status.ok()) return status;
  return parsed;
}

}  // namespace strata::seal
