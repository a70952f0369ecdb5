// orm: looks into databases and takes care of them. README.md tells how it is used.

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sqlite3.h"
#include "tools/orm/arguments.h"
#include "tools/orm/commands.h"
#include "tools/orm/session.h"
#include "tools/orm/streams.h"
#include "tools/seal/interruption.h"

namespace strata::orm_tool {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kWrongKey = 3;

constexpr std::size_t kMaxStatementBytes = std::size_t{1} << 20;

void Complain(std::string_view message) {
  std::fprintf(stderr, "orm: %s\n", Harmless(message).c_str());
}

int Fail(const absl::Status& status) {
  if (seal::IsInterrupted()) seal::EndByInterruption();
  Complain(status.message());
  return absl::IsUnauthenticated(status) ? kWrongKey : kFailed;
}

int Usage(std::string_view message) {
  Complain(message);
  std::fputs("Try: orm --help\n", stderr);
  return kUsage;
}

int Help() {
  return std::fwrite(kHelp.data(), 1, kHelp.size(), stdout) == kHelp.size() &&
                 std::fflush(stdout) == 0
             ? kDone
             : kFailed;
}

// A line that is a command, or statements of SQL that end with a semicolon, on any number of lines.
// At a terminal an error is told and the next line is read; in a pipe it ends the program.
class Shell {
 public:
  Shell(Session& session, Input& input)
      : session_(session), input_(input), is_terminal_(isatty(STDIN_FILENO) == 1) {}

  int Run() {
    if (const auto opened = session_.Open(); !opened.ok()) return Fail(opened.status());
    std::string line;
    for (;;) {
      Prompt();
      if (sql_.empty()) line_ = input_.line();
      if (!ReadLine(line)) break;
      const absl::Status status = Take(line);
      if (quit_) break;
      if (status.ok()) continue;
      if (seal::IsInterrupted()) return Fail(status);
      sql_.clear();
      if (!is_terminal_) {
        return Fail(
            absl::Status(status.code(), absl::StrCat("line ", line_, ": ", status.message())));
      }
      Complain(status.message());
    }
    if (!input_.status().ok()) return Fail(input_.status());
    if (is_terminal_) std::fputs("\n", stderr);
    return End();
  }

 private:
  void Prompt() const {
    if (is_terminal_) std::fputs(sql_.empty() ? "orm> " : "...> ", stderr);
  }

  // False at the end, and when a line is longer than a statement may be.
  bool ReadLine(std::string& line) {
    line.clear();
    for (int byte = input_.Get(); byte != '\n'; byte = input_.Get()) {
      if (byte < 0) return !line.empty();
      if (line.size() < kMaxStatementBytes) line += static_cast<char>(byte);
    }
    return true;
  }

  absl::Status Take(const std::string& line) {
    if (line.size() + sql_.size() >= kMaxStatementBytes) {
      return absl::InvalidArgumentError("a statement above 1 MiB");
    }
    const std::string_view stripped = absl::StripAsciiWhitespace(line);
    if (sql_.empty() && stripped.empty()) return absl::OkStatus();
    const std::string_view word = stripped.substr(0, stripped.find_first_of(" \t;"));
    if (sql_.empty() && (word == "quit" || word == "exit")) {
      quit_ = true;
      return absl::OkStatus();
    }
    if (sql_.empty() && IsCommand(word)) return TakeCommand(stripped);
    absl::StrAppend(&sql_, line, "\n");
    if (sqlite3_complete(sql_.c_str()) == 0) return absl::OkStatus();
    const std::string sql = std::move(sql_);
    sql_.clear();
    return RunSql(session_, sql);
  }

  absl::Status TakeCommand(std::string_view line) {
    const absl::StatusOr<Arguments> arguments = ParseLine(line);
    if (!arguments.ok()) return arguments.status();
    if (arguments->help) {
      Help();
      return absl::OkStatus();
    }
    return RunCommand(session_, *arguments);
  }

  int End() {
    if (!absl::StripAsciiWhitespace(sql_).empty()) {
      return Fail(absl::InvalidArgumentError(
          absl::StrCat("line ", line_, ": a statement without its ;, which has not been run")));
    }
    if (!session_.IsInTransaction()) return kDone;
    return Fail(
        absl::FailedPreconditionError("a transaction was begun and not ended: it is rolled back"));
  }

  Session& session_;
  Input& input_;
  const bool is_terminal_;
  std::string sql_;         // What has no semicolon yet.
  std::uint64_t line_ = 0;  // Where that, or the command, began.
  bool quit_ = false;
};

int Run(const Arguments& arguments) {
  if (arguments.help) return Help();
  seal::CatchInterruptions();
  const auto session = Session::Start(arguments);
  if (!session.ok()) return Fail(session.status());
  if (arguments.command.empty()) {
    const auto input = Input::Open("-");
    return Shell(**session, **input).Run();
  }
  const absl::Status status = RunCommand(**session, arguments);
  return status.ok() ? kDone : Fail(status);
}

}  // namespace
}  // namespace strata::orm_tool

int main(int argc, char** argv) {
  const auto arguments =
      strata::orm_tool::ParseArguments(std::vector<std::string>(argv + 1, argv + argc));
  if (!arguments.ok()) return strata::orm_tool::Usage(arguments.status().message());
  return strata::orm_tool::Run(*arguments);
}
