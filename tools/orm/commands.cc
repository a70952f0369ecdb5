// Each command is a few calls of the library.

#include "tools/orm/commands.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "strata/orm/database.h"
#include "strata/orm/sqlite_maintenance_internal.h"
#include "tools/orm/import.h"
#include "tools/orm/migrations.h"
#include "tools/orm/row_reader.h"
#include "tools/orm/row_writer.h"
#include "tools/orm/streams.h"
#include "tools/seal/interruption.h"

namespace strata::orm_tool {
namespace {

using orm::internal::Connection;
using orm::internal::Statement;

absl::Status Say(const std::string& text) {
  auto output = Output::Open("-", false);
  if (!output.ok()) return output.status();
  (*output)->Write(text);
  return (*output)->Finish();
}

// One statement, with these values, to the standard output.
absl::Status WriteResult(Connection& connection, sqlite3_stmt* statement,
                         const WriteOptions& options, bool quiet) {
  auto output = Output::Open("-", false);
  if (!output.ok()) return output.status();
  Progress progress(quiet, "rows");
  absl::Status status = WriteRows(connection, statement, options, **output, progress);
  // What there was before an error is shown.
  absl::Status written = (*output)->Finish();
  return status.ok() ? written : status;
}

absl::Status RunStatements(Connection& connection, const std::string& sql,
                           const std::vector<std::string>& values, const WriteOptions& options,
                           bool quiet) {
  bool has_run = false;
  for (const char* at = sql.c_str(); *at != '\0';) {
    sqlite3_stmt* prepared = nullptr;
    const char* rest = nullptr;
    if (sqlite3_prepare_v2(connection.get(), at, -1, &prepared, &rest) != SQLITE_OK) {
      return connection.Error();
    }
    const Statement statement(prepared);
    at = rest;
    if (statement == nullptr) continue;  // Blanks or a comment.
    if (has_run && !values.empty()) {
      return absl::InvalidArgumentError("values are for a single statement");
    }
    has_run = true;
    const auto wanted = static_cast<std::size_t>(sqlite3_bind_parameter_count(prepared));
    if (wanted != values.size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the statement has ", wanted, " parameters, and there are ", values.size(), " values"));
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      sqlite3_bind_text64(prepared, static_cast<int>(i) + 1, values[i].data(), values[i].size(),
                          SQLITE_STATIC, SQLITE_UTF8);
    }
    absl::Status status = WriteResult(connection, prepared, options, quiet);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Tables(Session& session) {
  const absl::StatusOr<Connection*> connection = session.Open();
  if (!connection.ok()) return connection.status();
  absl::StatusOr<Statement> statement = (*connection)
                                            ->Prepare(
                                                "SELECT name, type, ncol AS columns, CASE WHEN "
                                                "strict THEN 'yes' ELSE 'no' END AS strict "
                                                "FROM pragma_table_list WHERE schema = 'main' AND "
                                                "name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
                                                "ORDER BY name",
                                                false);
  if (!statement.ok()) return statement.status();
  return WriteResult(**connection, statement->get(), {}, true);
}

absl::Status SchemaOf(Session& session, const Arguments& arguments) {
  const absl::StatusOr<Connection*> connection = session.Open();
  if (!connection.ok()) return connection.status();
  const std::string table = arguments.operands.empty() ? "" : arguments.operands[0];
  const auto sql = Texts(**connection,
                         "SELECT sql || ';' FROM sqlite_schema WHERE sql IS NOT NULL AND (?1 = '' "
                         "OR lower(tbl_name) = lower(?1)) ORDER BY tbl_name, type <> 'table', name",
                         table);
  if (!sql.ok()) return sql.status();
  if (sql->empty() && !table.empty()) {
    return absl::NotFoundError(absl::StrCat("there is no table ", table));
  }
  std::string text;
  for (const std::string& each : *sql) absl::StrAppend(&text, each, "\n");
  return Say(text);
}

absl::Status Query(Session& session, const Arguments& arguments) {
  const absl::StatusOr<Connection*> connection = session.Open();
  if (!connection.ok()) return connection.status();
  WriteOptions options;
  if (arguments.format == "csv") options.format = Format::kCsv;
  if (arguments.format == "json") options.format = Format::kJson;
  const std::vector<std::string> values(arguments.operands.begin() + 1, arguments.operands.end());
  absl::Status status =
      RunStatements(**connection, arguments.operands[0], values, options, arguments.quiet);
  if (status.ok() && session.IsInTransaction() && !arguments.file.empty()) {
    return absl::FailedPreconditionError("a transaction was begun and not ended: nothing is done");
  }
  return status;
}

// By --format, or by the name of the file.
absl::StatusOr<Format> FormatOf(const Arguments& arguments, const std::string& path) {
  if (arguments.format == "csv") return Format::kCsv;
  if (arguments.format == "json") return Format::kJson;
  if (absl::EndsWithIgnoreCase(path, ".csv")) return Format::kCsv;
  for (const char* end : {".json", ".jsonl", ".ndjson"}) {
    if (absl::EndsWithIgnoreCase(path, end)) return Format::kJson;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("which format has ", path, "? --format=csv or --format=json says it"));
}

std::string PathOf(const Arguments& arguments) {
  return arguments.operands.size() > 1 ? arguments.operands[1] : "-";
}

absl::Status Import(Session& session, const Arguments& arguments) {
  const std::string path = PathOf(arguments);
  if (path == "-" && arguments.file.empty()) {
    return absl::InvalidArgumentError("the shell reads the standard input itself: name a file");
  }
  const absl::StatusOr<Format> format = FormatOf(arguments, path);
  if (!format.ok()) return format.status();
  const absl::StatusOr<std::unique_ptr<Input>> input = Input::Open(path);
  if (!input.ok()) return input.status();
  const absl::StatusOr<Connection*> connection = session.Open();
  if (!connection.ok()) return connection.status();
  const std::unique_ptr<RowReader> reader =
      *format == Format::kCsv ? ReadCsv(input->get()) : ReadJson(input->get());
  absl::StatusOr<std::uint64_t> rows;
  {
    Progress progress(arguments.quiet, "rows");
    const auto import = arguments.create_table ? &ImportNewTable : &ImportRows;
    rows = import(**connection, arguments.operands[0], *reader, (*input)->name(), progress);
  }
  if (!rows.ok()) return rows.status();
  if (!arguments.quiet) std::fprintf(stderr, "%llu rows\n", static_cast<unsigned long long>(*rows));
  return absl::OkStatus();
}

absl::Status Export(Session& session, const Arguments& arguments) {
  const std::string path = PathOf(arguments);
  const absl::StatusOr<Format> format = FormatOf(arguments, path);
  if (!format.ok()) return format.status();
  const absl::StatusOr<Connection*> connection = session.Open();
  if (!connection.ok()) return connection.status();
  absl::StatusOr<Statement> statement =
      (*connection)->Prepare(absl::StrCat("SELECT * FROM ", Quoted(arguments.operands[0])), false);
  if (!statement.ok()) return statement.status();
  const absl::StatusOr<std::unique_ptr<Output>> output = Output::Open(path, arguments.force);
  if (!output.ok()) return output.status();
  Progress progress(arguments.quiet, "rows");
  absl::Status status = WriteRows(**connection, statement->get(),
                                  {.format = *format, .exact = true}, **output, progress);
  return status.ok() ? (*output)->Finish() : status;
}

absl::Status Encrypt(Session& session, const Arguments& arguments) {
  if (session.storage() != nullptr) {
    return absl::InvalidArgumentError("the database is encrypted already; rekey changes its key");
  }
  // For a file that is not there, or is no database.
  if (absl::Status status = session.Open().status(); !status.ok()) return status;
  if (absl::Status status = session.Close(); !status.ok()) return status;
  const auto storage = StorageOf(arguments.to_key, true);
  if (!storage.ok()) return storage.status();
  return orm::EncryptDatabase(session.file(), arguments.operands[0], *storage);
}

absl::Status NeedsKey(const Session& session) {
  if (session.storage() != nullptr) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the database has to be opened with its key: --key-file, --password-file, --password-env or "
      "--ask");
}

absl::Status Decrypt(Session& session, const Arguments& arguments) {
  if (absl::Status status = NeedsKey(session); !status.ok()) return status;
  if (absl::Status status = session.Close(); !status.ok()) return status;
  return orm::DecryptDatabase(session.file(), session.storage(), arguments.operands[0]);
}

absl::Status Rekey(Session& session, const Arguments& arguments) {
  if (absl::Status status = NeedsKey(session); !status.ok()) return status;
  if (absl::Status status = session.Open().status(); !status.ok()) return status;
  if (absl::Status status = session.Close(); !status.ok()) return status;
  auto storage = StorageOf(arguments.to_key, true);
  if (!storage.ok()) return storage.status();
  absl::Status status = orm::RekeyDatabase(session.file(), session.storage(), *storage);
  if (status.ok()) session.set_storage(*std::move(storage));
  return status;
}

absl::Status Backup(Session& session, const Arguments& arguments) {
  const absl::StatusOr<Connection*> connection = session.Open();
  if (!connection.ok()) return connection.status();
  const absl::StatusOr<orm::DatabaseOptions> options = session.Options();
  if (!options.ok()) return options.status();
  auto task = orm::internal::BackupTask::Start(**connection, arguments.operands[0], *options);
  if (!task.ok()) return task.status();
  Progress line(arguments.quiet, "pages");
  orm::BackupProgress progress;
  for (;;) {
    constexpr std::int32_t kPages = 256;
    const absl::StatusOr<bool> is_last = (*task)->Step(kPages, &progress);
    if (!is_last.ok()) return is_last.status();
    if (*is_last) return (*task)->Finish();
    absl::Status status =
        line.Show(static_cast<std::uint64_t>(progress.pages - progress.pages_left),
                  static_cast<std::uint64_t>(progress.pages));
    if (!status.ok()) return status;
  }
}

absl::Status Check(Session& session) {
  const absl::StatusOr<Connection*> connection = session.Open();
  if (!connection.ok()) return connection.status();
  if (session.storage() != nullptr) {
    absl::Status status = orm::CheckDatabase(session.file(), session.storage());
    if (!status.ok()) return status;
  }
  absl::Status status = orm::internal::CheckIntegrity(**connection);
  return status.ok() ? Say("ok\n") : status;
}

absl::Status Migrate(Session& session, const Arguments& arguments) {
  absl::StatusOr<Migrations> migrations = ReadMigrations(arguments.operands[0]);
  if (!migrations.ok()) return migrations.status();
  std::int32_t version = migrations->list.back().version;
  if (arguments.operands.size() > 1 && !absl::SimpleAtoi(arguments.operands[1], &version)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", arguments.operands[1], "' is no version of a migration"));
  }
  if (absl::Status status = session.Close(); !status.ok()) return status;
  const absl::StatusOr<orm::DatabaseOptions> options = session.Options();
  if (!options.ok()) return options.status();
  const auto db = orm::Database::Open(session.file(), *options);
  if (!db.ok()) return db.status();
  orm::MigrateOptions migrate;
  migrate.version = version;
  if (arguments.dry_run) migrate.mode = orm::MigrateOptions::Mode::kDryRun;
  const auto report = (*db)->Migrate(orm::Schema({}, migrations->list), migrate);
  if (!report.ok()) return report.status();
  std::string text;
  for (const std::string& sql : report->sql) {
    absl::StrAppend(&text, sql, absl::EndsWith(sql, "\n") || absl::EndsWith(sql, ";") ? "" : ";",
                    absl::EndsWith(sql, "\n") ? "" : "\n");
  }
  return Say(text);
}

}  // namespace

absl::Status RunCommand(Session& session, const Arguments& arguments) {
  const std::string& command = arguments.command;
  if (command == "tables") return Tables(session);
  if (command == "schema") return SchemaOf(session, arguments);
  if (command == "query") return Query(session, arguments);
  if (command == "import") return Import(session, arguments);
  if (command == "export") return Export(session, arguments);
  if (command == "encrypt") return Encrypt(session, arguments);
  if (command == "decrypt") return Decrypt(session, arguments);
  if (command == "rekey") return Rekey(session, arguments);
  if (command == "backup") return Backup(session, arguments);
  if (command == "check") return Check(session);
  return Migrate(session, arguments);
}

absl::Status RunSql(Session& session, const std::string& sql) {
  const absl::StatusOr<Connection*> connection = session.Open();
  if (!connection.ok()) return connection.status();
  return RunStatements(**connection, sql, {}, {}, true);
}

}  // namespace strata::orm_tool
