// Which commands there are, and which options, and for which command.

#include "tools/orm/arguments.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace strata::orm_tool {
namespace {

struct Command {
  std::string_view name;
  std::string_view usage;  // After the name.
  std::size_t min_operands = 0;
  std::size_t max_operands = 0;
};

constexpr std::size_t kAny = SIZE_MAX;

constexpr Command kCommands[] = {
    {"tables", ""},
    {"schema", " [TABLE]", 0, 1},
    {"query", " SQL [VALUE...]", 1, kAny},
    {"import", " TABLE [INPUT]", 1, 2},
    {"export", " TABLE [OUTPUT]", 1, 2},
    {"encrypt", " OUTPUT", 1, 1},
    {"decrypt", " OUTPUT", 1, 1},
    {"rekey", ""},
    {"backup", " OUTPUT", 1, 1},
    {"check", ""},
    {"migrate", " FOLDER [VERSION]", 1, 2},
    {"help", ""},
};

// An option has a value, which goes to `value`, or sets `flag`. `commands` are those that know it,
// with blanks around; "" is for how the database is opened, which is for all, but not in the shell.
struct Option {
  std::string_view name;
  std::string_view commands;
  std::string* value = nullptr;
  bool* flag = nullptr;
};

std::vector<Option> OptionsOf(Arguments& parsed) {
  constexpr std::string_view kMakesKey = " encrypt rekey ";
  return {
      {"--key-file", "", &parsed.key.key_file},
      {"--password-file", "", &parsed.key.password_file},
      {"--password-env", "", &parsed.key.password_env},
      {"--ask", "", nullptr, &parsed.key.ask},
      {"--create", "", nullptr, &parsed.create},
      {"--read-only", "", nullptr, &parsed.read_only},
      {"--to-key-file", kMakesKey, &parsed.to_key.key_file},
      {"--to-password-file", kMakesKey, &parsed.to_key.password_file},
      {"--to-password-env", kMakesKey, &parsed.to_key.password_env},
      {"--to-ask", kMakesKey, nullptr, &parsed.to_key.ask},
      {"--format", " query import export ", &parsed.format},
      {"--create-table", " import ", nullptr, &parsed.create_table},
      {"--force", " export ", nullptr, &parsed.force},
      {"--dry-run", " migrate ", nullptr, &parsed.dry_run},
      {"--quiet", " query import export backup ", nullptr, &parsed.quiet},
  };
}

template <typename... Parts>
absl::Status Wrong(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

const Command* FindCommand(std::string_view name) {
  const auto* found = std::find_if(std::begin(kCommands), std::end(kCommands),
                                   [name](const Command& each) { return each.name == name; });
  return found == std::end(kCommands) ? nullptr : found;
}

absl::Status UnknownCommand(std::string_view name) {
  return Wrong("unknown command ", name, "; there are: ",
               absl::StrJoin(kCommands, ", ", [](std::string* out, const Command& each) {
                 absl::StrAppend(out, each.name);
               }));
}

absl::Status ParseOption(std::string_view word, Arguments& parsed, bool in_shell) {
  const std::size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  for (const Option& option : OptionsOf(parsed)) {
    if (option.name != name) continue;
    const bool opens = option.commands.empty();
    if (opens && in_shell) return Wrong(name, " is not for the shell, where the database is open");
    if (!opens &&
        option.commands.find(absl::StrCat(" ", parsed.command, " ")) == std::string_view::npos) {
      return Wrong(parsed.command.empty() ? "the shell" : parsed.command, " knows no ", name);
    }
    if (option.flag != nullptr) {
      if (equals != std::string_view::npos) return Wrong(name, " takes no value");
      *option.flag = true;
      return absl::OkStatus();
    }
    if (equals == std::string_view::npos || equals + 1 == word.size()) {
      return Wrong(name, " wants a value: ", name, "=VALUE");
    }
    *option.value = word.substr(equals + 1);
    return absl::OkStatus();
  }
  return Wrong("unknown option ", name);
}

// Whether it is an option of how the database is opened, whatever the command.
bool Opens(std::string_view word) {
  Arguments ignored;
  for (const Option& option : OptionsOf(ignored)) {
    if (option.name == word.substr(0, word.find('='))) return option.commands.empty();
  }
  return false;
}

absl::Status CheckSource(const KeySource& source, std::string_view prefix) {
  const int given = static_cast<int>(source.ask) + static_cast<int>(!source.key_file.empty()) +
                    static_cast<int>(!source.password_file.empty()) +
                    static_cast<int>(!source.password_env.empty());
  if (given <= 1) return absl::OkStatus();
  return Wrong(prefix, "key-file, ", prefix, "password-file, ", prefix, "password-env and ", prefix,
               "ask exclude each other");
}

absl::Status CheckTogether(const Arguments& parsed) {
  if (absl::Status status = CheckSource(parsed.key, "--"); !status.ok()) return status;
  if (absl::Status status = CheckSource(parsed.to_key, "--to-"); !status.ok()) return status;
  if (parsed.command.empty()) return absl::OkStatus();
  const Command* command = FindCommand(parsed.command);
  if (parsed.operands.size() < command->min_operands ||
      parsed.operands.size() > command->max_operands) {
    return Wrong("not so: it is ", command->name, command->usage);
  }
  if (!parsed.format.empty() && parsed.format != "csv" && parsed.format != "json" &&
      (parsed.format != "table" || parsed.command != "query")) {
    return Wrong(parsed.command, " knows no format ", parsed.format);
  }
  if ((parsed.command == "encrypt" || parsed.command == "rekey") && !parsed.to_key.given()) {
    return Wrong(parsed.command,
                 " wants a key to seal with: --to-key-file=FILE, "
                 "--to-password-file=FILE, --to-password-env=NAME or --to-ask");
  }
  return absl::OkStatus();
}

// Options may stand anywhere, but which of them there are depends on the command.
absl::StatusOr<Arguments> Parse(const std::vector<std::string>& words, bool in_shell) {
  Arguments parsed;
  std::vector<std::string> options;
  bool only_operands = false;
  bool has_file = in_shell;
  for (const std::string& word : words) {
    if (!only_operands && (word == "--help" || word == "-h")) {
      parsed.help = true;
      return parsed;
    }
    if (!only_operands && word == "--") {
      only_operands = true;
    } else if (!only_operands && word.size() > 1 && word[0] == '-') {
      // The others wait for the command.
      if (!Opens(word)) {
        options.push_back(word);
      } else if (absl::Status status = ParseOption(word, parsed, in_shell); !status.ok()) {
        return status;
      }
    } else if (!has_file) {
      has_file = true;
      if (word.empty()) return Wrong("a database without a name");
      parsed.file = word;
    } else if (parsed.command.empty()) {
      if (FindCommand(word) == nullptr) return UnknownCommand(word);
      parsed.command = word;
    } else {
      parsed.operands.push_back(word);
    }
  }
  for (const std::string& option : options) {
    if (absl::Status status = ParseOption(option, parsed, in_shell); !status.ok()) return status;
  }
  if (parsed.command == "help" || (!in_shell && parsed.file == "help" && parsed.command.empty())) {
    parsed.help = true;
    return parsed;
  }
  if (!has_file) return Wrong("no database");
  if (absl::Status status = CheckTogether(parsed); !status.ok()) return status;
  return parsed;
}

}  // namespace

const std::string_view kHelp =
    R"(Looks into SQLite databases, plain and encrypted, and takes care of them.

  orm [OPTION...] FILE                       a shell: commands, and SQL that ends with ;
  orm [OPTION...] FILE COMMAND [OPERAND...]

  tables                     which tables and views there are
  schema [TABLE]             the SQL that has made them
  query SQL [VALUE...]       runs statements; a value for each ? of a single one
  import TABLE [INPUT]       adds rows of CSV or JSON, all or none
  export TABLE [OUTPUT]      writes all rows as CSV or JSON
  encrypt OUTPUT             a copy that is encrypted, with a key of --to-...
  decrypt OUTPUT             a copy that is plain
  rekey                      gives the file another key, of --to-...
  backup OUTPUT              a copy, while others use the database
  check                      reads all of it, and looks for damage
  migrate FOLDER [VERSION]   runs NUMBER-NAME.up.sql, or the .down.sql back to VERSION
  help                       this text

How the database is opened:

  --key-file=FILE            it is encrypted with a key of `seal keygen`
  --password-file=FILE       or with the password in the first line of FILE
  --password-env=NAME        or with the password in this variable
  --ask                      or with a password, which the terminal is asked for
  --create                   make the file if there is none
  --read-only                change nothing

For commands:

  --to-key-file=FILE, --to-password-file=FILE, --to-password-env=NAME, --to-ask
                             the key that encrypt and rekey seal with
  --format=csv|json|table    of query, import and export; by the file's name if it is not given
  --create-table             import makes the table, whose columns the rows name
  --force                    export replaces a file that exists
  --dry-run                  migrate says what it would run
  --quiet                    no progress, which else a terminal shows

INPUT and OUTPUT of import and export are -, the standard input and output, if they are not given.
In CSV an empty field is NULL, and "" is an empty text. BLOBs are base64.

Exit status: 0 done; 1 failed; 2 wrong usage; 3 the key or password is wrong.

  orm shop.db query 'SELECT name FROM customers WHERE city = ?' Paris
  orm shop.db export customers --format=csv | orm other.db import customers --format=csv
  orm shop.db encrypt sealed.db --to-ask
)";

bool IsCommand(std::string_view word) { return FindCommand(word) != nullptr; }

absl::StatusOr<Arguments> ParseArguments(const std::vector<std::string>& words) {
  return Parse(words, false);
}

absl::StatusOr<Arguments> ParseLine(std::string_view line) {
  std::vector<std::string> words;
  for (std::size_t at = 0; (at = line.find_first_not_of(" \t\r\n", at)) != line.npos;) {
    std::string& word = words.emplace_back();
    while (at < line.size() && std::string_view(" \t\r\n").find(line[at]) == line.npos) {
      const char quote = line[at] == '"' || line[at] == '\'' ? line[at] : '\0';
      if (quote == '\0') {
        word += line[at++];
        continue;
      }
      const std::size_t end = line.find(quote, at + 1);
      if (end == line.npos) return Wrong("a quote without its end");
      word += line.substr(at + 1, end - at - 1);
      at = end + 1;
    }
  }
  return Parse(words, true);
}

}  // namespace strata::orm_tool
