// Connections that read a file while another one writes it.

#ifndef STRATA_ORM_READER_POOL_INTERNAL_H_
#define STRATA_ORM_READER_POOL_INTERNAL_H_

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "strata/orm/sqlite_session_internal.h"

namespace strata::orm::internal {

// Thread-safe. Connections are opened when they are needed, and stay.
class ReaderPool {
 public:
  // At most options.readers; none where they would get into the way of the one that writes.
  ReaderPool(std::string path, const DatabaseOptions& options);
  ReaderPool(const ReaderPool&) = delete;
  ReaderPool& operator=(const ReaderPool&) = delete;

  bool is_enabled() const { return max_ > 0; }

  // Runs `call` with a connection that no other thread uses, and waits for one if there is none.
  template <typename Call>
  auto Read(Call call) -> decltype(call(std::declval<SqliteSession&>())) {
    absl::StatusOr<std::unique_ptr<SqliteSession>> session = Take();
    if (!session.ok()) return session.status();
    auto result = call(**session);
    Return(*std::move(session));
    return result;
  }

 private:
  absl::StatusOr<std::unique_ptr<SqliteSession>> Take();
  void Return(std::unique_ptr<SqliteSession> session);

  const std::string path_;
  DatabaseOptions options_;
  std::size_t max_ = 0;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::size_t opened_ = 0;
  std::vector<std::unique_ptr<SqliteSession>> idle_;
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_READER_POOL_INTERNAL_H_
