// A database file of a test, used by SQLite alone, as another program would.

#ifndef STRATA_ORM_TESTING_RAW_FILE_H_
#define STRATA_ORM_TESTING_RAW_FILE_H_

#include <filesystem>
#include <string>

#include "gtest/gtest.h"
#include "sqlite3.h"

namespace strata::orm::testing {

class RawFile {
 public:
  // There is no such file then. References are enforced.
  explicit RawFile(const std::string& name) : path_(::testing::TempDir() + "/" + name) { Remove(); }
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;
  ~RawFile() { Remove(); }

  const std::string& path() const { return path_; }

  // The error's text, or "".
  std::string Result(const std::string& sql) const {
    std::string values;
    return Exec(sql, &values);
  }

  void Run(const std::string& sql) const { EXPECT_EQ(Result(sql), "") << sql; }

  // All values of all rows, with '|' after each but the last.
  std::string Text(const std::string& sql) const {
    std::string values;
    EXPECT_EQ(Exec(sql, &values), "") << sql;
    if (!values.empty()) values.pop_back();
    return values;
  }

  // The schema, the version and the rows of all tables.
  std::string Dump() const {
    std::string dump =
        Text("PRAGMA user_version") + Text("SELECT sql FROM sqlite_schema ORDER BY type, name");
    std::string names = Text("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    while (!names.empty()) {
      const std::size_t end = names.find('|');
      dump += "\n" + Text("SELECT * FROM \"" + names.substr(0, end) + "\"");
      names.erase(0, end == std::string::npos ? end : end + 1);
    }
    return dump;
  }

 private:
  std::string Exec(const std::string& sql, std::string* values) const {
    sqlite3* database = nullptr;
    EXPECT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    sqlite3_busy_timeout(database, 10000);
    sqlite3_exec(database, "PRAGMA foreign_keys = ON; PRAGMA synchronous = OFF", nullptr, nullptr,
                 nullptr);
    const auto append = [](void* to, int count, char** texts, char**) {
      for (int i = 0; i < count; ++i) {
        static_cast<std::string*>(to)->append(texts[i] == nullptr ? "NULL" : texts[i]).append("|");
      }
      return 0;
    };
    std::string error;
    if (sqlite3_exec(database, sql.c_str(), append, values, nullptr) != SQLITE_OK) {
      error = sqlite3_errmsg(database);
    }
    sqlite3_close(database);
    return error;
  }

  void Remove() const {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      std::filesystem::remove(path_ + suffix);
    }
  }

  std::string path_;
};

}  // namespace strata::orm::testing

#endif  // STRATA_ORM_TESTING_RAW_FILE_H_
