// The names, and the texts, in the order of their numbers.

#include "tools/orm/migrations.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace strata::orm_tool {
namespace {

struct Files {
  std::string name;
  std::string up;
  std::string down;
};

absl::StatusOr<std::string> ReadText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
  if (!file.is_open() || file.bad() || text.bad()) {
    return absl::UnavailableError(absl::StrCat("cannot read ", path.string()));
  }
  return std::move(text).str();
}

absl::Status Wrong(const std::filesystem::path& path, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path.string(), ": ", what));
}

absl::Status Sort(const std::filesystem::path& path, std::map<std::int32_t, Files>& sorted) {
  std::string stem = path.filename().string();
  if (!absl::EndsWith(stem, ".sql")) return absl::OkStatus();
  const bool is_up = absl::EndsWith(stem, ".up.sql");
  const bool is_down = absl::EndsWith(stem, ".down.sql");
  const std::size_t dash = stem.find('-');
  std::int32_t number = 0;
  if ((!is_up && !is_down) || dash == stem.npos ||
      !absl::SimpleAtoi(stem.substr(0, dash), &number) || number <= 0) {
    return Wrong(path, "not called NUMBER-NAME.up.sql or NUMBER-NAME.down.sql");
  }
  stem.resize(stem.size() - std::string_view(is_up ? ".up.sql" : ".down.sql").size());
  Files& files = sorted[number];
  if (!files.name.empty() && files.name != stem) {
    return Wrong(path, absl::StrCat("has the number of ", files.name));
  }
  files.name = std::move(stem);
  (is_up ? files.up : files.down) = path.string();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Migrations> ReadMigrations(const std::string& folder) {
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  if (error) return absl::NotFoundError(absl::StrCat(folder, ": ", error.message()));
  std::map<std::int32_t, Files> sorted;
  for (const std::filesystem::directory_entry& entry : entries) {
    if (absl::Status status = Sort(entry.path(), sorted); !status.ok()) return status;
  }
  if (sorted.empty()) return absl::NotFoundError(absl::StrCat(folder, ": has no migrations"));
  Migrations migrations;
  for (const auto& [number, files] : sorted) {
    if (files.up.empty()) return Wrong(files.down, "has no .up.sql beside it");
    orm::Migration migration{.version = number};
    migrations.texts.push_back(files.name);
    migration.name = migrations.texts.back();
    for (const auto& [path, text] :
         {std::pair(&files.up, &migration.up), std::pair(&files.down, &migration.down)}) {
      if (path->empty()) continue;
      absl::StatusOr<std::string> read = ReadText(*path);
      if (!read.ok()) return read.status();
      migrations.texts.push_back(*std::move(read));
      *text = migrations.texts.back();
    }
    migrations.list.push_back(migration);
  }
  return migrations;
}

}  // namespace strata::orm_tool
