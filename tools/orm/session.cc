// Keys, and how a file that is there is opened without changing what it is.

#include "tools/orm/session.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/crypto/password.h"
#include "tools/seal/interruption.h"
#include "tools/seal/key_input.h"

namespace strata::orm_tool {
namespace {

using orm::DatabaseOptions;
using orm::EncryptionKey;
using orm::internal::Connection;

// While a statement runs: whether a signal is there to end the program.
constexpr int kInstructionsBetweenLooks = 10'000;
int IsInterrupted(void*) { return seal::IsInterrupted() ? 1 : 0; }

absl::StatusOr<EncryptionKey> PasswordOfVariable(const std::string& name) {
  const char* password = std::getenv(name.c_str());
  if (password == nullptr || *password == '\0') {
    return absl::InvalidArgumentError(absl::StrCat("the variable ", name, " has no password"));
  }
  if (std::string_view(password).size() > crypto::kMaxPasswordBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the variable ", name, " has more than 4096 bytes"));
  }
  return EncryptionKey::FromPassword(password);
}

absl::StatusOr<EncryptionKey> KeyOf(const KeySource& source, bool twice) {
  if (!source.key_file.empty()) return seal::ReadKeyFile(source.key_file);
  if (!source.password_file.empty()) return seal::ReadPasswordFile(source.password_file);
  if (!source.password_env.empty()) return PasswordOfVariable(source.password_env);
  return seal::AskForPassword(twice);
}

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

}  // namespace

absl::StatusOr<std::shared_ptr<orm::EncryptedStorage>> StorageOf(const KeySource& source,
                                                                 bool twice) {
  if (!source.given()) return nullptr;
  absl::StatusOr<EncryptionKey> key = KeyOf(source, twice);
  if (!key.ok()) return key.status();
  return orm::EncryptedStorage::Create(*std::move(key));
}

absl::StatusOr<std::unique_ptr<Session>> Session::Start(const Arguments& arguments) {
  std::unique_ptr<Session> session(new Session());
  session->file_ = arguments.file;
  session->create_ = arguments.create;
  session->read_only_ = arguments.read_only;
  const bool is_new = arguments.create && !Exists(arguments.file);
  auto storage = StorageOf(arguments.key, is_new);
  if (!storage.ok()) return storage.status();
  session->storage_ = *std::move(storage);
  return session;
}

absl::StatusOr<DatabaseOptions> Session::Options() const {
  DatabaseOptions options;
  options.storage = storage_;
  options.create = create_;
  options.read_only = true;
  if (file_ == ":memory:") {
    options.read_only = read_only_;
    return options;
  }
  if (!Exists(file_)) {
    if (!create_) {
      return absl::NotFoundError(
          absl::StrCat(file_, ": there is no such file; --create makes one"));
    }
  } else {
    auto connection = Connection::Open(file_, options);
    if (absl::IsDataLoss(connection.status()) && storage_ == nullptr) {
      return absl::DataLossError(absl::StrCat(connection.status().message(),
                                              " (if it is encrypted, give its key: --key-file, "
                                              "--password-file, --password-env, --ask)"));
    }
    if (!connection.ok()) return connection.status();
    const auto journal = Texts(**connection, "PRAGMA journal_mode");
    if (!journal.ok()) return journal.status();
    if (journal->at(0) != "wal") options.journal = DatabaseOptions::Journal::kDelete;
  }
  options.read_only = read_only_;
  return options;
}

absl::StatusOr<Connection*> Session::Open() {
  if (connection_ != nullptr) return connection_.get();
  const absl::StatusOr<DatabaseOptions> options = Options();
  if (!options.ok()) return options.status();
  auto connection = Connection::Open(file_, *options);
  if (!connection.ok()) return connection.status();
  connection_ = *std::move(connection);
  sqlite3_progress_handler(connection_->get(), kInstructionsBetweenLooks, &IsInterrupted, nullptr);
  return connection_.get();
}

absl::Status Session::Close() {
  if (IsInTransaction()) {
    return absl::FailedPreconditionError("a transaction is open: COMMIT or ROLLBACK it first");
  }
  if (file_ == ":memory:") {
    return absl::FailedPreconditionError("a database in memory has no file for that");
  }
  connection_.reset();
  return absl::OkStatus();
}

bool Session::IsInTransaction() const {
  return connection_ != nullptr && sqlite3_get_autocommit(connection_->get()) == 0;
}

std::string Quoted(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

absl::StatusOr<std::vector<std::string>> Texts(Connection& connection, std::string_view sql,
                                               std::string_view value) {
  absl::StatusOr<orm::internal::Statement> statement = connection.Prepare(sql, false);
  if (!statement.ok()) return statement.status();
  // There may be no parameter, which is no matter.
  sqlite3_bind_text(statement->get(), 1, value.data(), static_cast<int>(value.size()),
                    SQLITE_STATIC);
  std::vector<std::string> texts;
  int result = SQLITE_ROW;
  while ((result = sqlite3_step(statement->get())) == SQLITE_ROW) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement->get(), 0));
    texts.emplace_back(text == nullptr ? "" : text);
  }
  if (result != SQLITE_DONE) return connection.Error();
  return texts;
}

}  // namespace strata::orm_tool
