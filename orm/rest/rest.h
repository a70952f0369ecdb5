// File: rest.h
//
// A described table (orm/table.h) as a resource of HTTP:
//
//   rest::Service service(*database, workers);
//   absl::Status status = rest::Mount<Person>(router, "/api/people", service);
//
// That adds these routes, in JSON as orm/json.h has it; README.md tells what they take.
//
//   GET    /api/people        rows: filters, order, pages; as JSON, NDJSON or CSV
//   POST   /api/people        adds a row, or the rows of an array: all of them or none
//   GET    /api/people/7      a row
//   PUT    /api/people/7      replaces it, or adds it with that key
//   PATCH  /api/people/7      changes what a merge patch names (RFC 7396)
//   DELETE /api/people/7
//
// and, of a table with LogChanges() (orm/change_log.h), what becomes of its rows, as it happens:
//
//   GET    /api/people?changes, /api/people/7?changes    by WebSocket, or as server-sent events
//
// Errors are problem details (RFC 9457). A row has an entity tag, of its Version() where it has
// one, by which If-Match keeps a client from writing over what it has not seen.
//
// All work on the database is the worker pool's, whose queue is the bound: beyond that, 503 with
// Retry-After. Writes that wait for each other are committed together.

#ifndef STRATA_ORM_REST_REST_H_
#define STRATA_ORM_REST_REST_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/http/router.h"
#include "strata/net/worker_pool.h"
#include "strata/orm/change_log.h"
#include "strata/orm/database.h"
#include "strata/orm/expression.h"
#include "strata/orm/table.h"

namespace strata::orm::rest {

namespace internal {

struct ServiceState;

}  // namespace internal

struct ServiceOptions {
  // Writes that wait to be committed; beyond that, 503.
  std::size_t max_queued_writes = 1024;

  // Connections that follow changes, of all tables together; beyond that, 503.
  std::size_t max_watchers = 10'000;
};

// The tables of one database. The database and the pool outlive it, and the database the pool: what
// is queued there when the server ends still uses it. The routes keep what else they need of it.
class Service {
 public:
  // A Database, or a MemoryDatabase.
  Service(Records& records, net::WorkerPool& workers, const ServiceOptions& options = {});

  // Nobody is told of changes any more.
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  const std::shared_ptr<internal::ServiceState>& state() const { return state_; }

 private:
  std::shared_ptr<internal::ServiceState> state_;
};

// What a request is about to do.
enum class Verb : std::uint8_t { kList, kGet, kCreate, kReplace, kPatch, kDelete, kWatch };

// Callbacks are called by workers, and for kWatch by loops, several at a time. `request` has what
// middlewares in front have attached to it: who the user is.
struct Options {
  // Of a body; beyond that, 413.
  std::uint64_t max_body_bytes = std::uint64_t{1} << 20;

  // Rows of a page where the query has no `limit`, and the greatest that it may have.
  std::int64_t default_limit = 100;
  std::int64_t max_limit = 1000;

  // What changes or deletes a row has to say by If-Match which one it knows; else 428.
  bool require_if_match = false;

  // Whether this may be done at all; else 403. Not set: everything.
  absl::AnyInvocable<bool(const http::Request& request, Verb verb) const> allow = nullptr;

  // Which rows exist for this request: others are not seen, changed nor made, and none of those
  // that are seen can be changed into one of them. Nothing: all. Who may not see all rows cannot
  // follow changes: 403.
  absl::AnyInvocable<std::optional<Condition>(const http::Request& request) const> rows = nullptr;
};

namespace internal {

struct LoggedChange {
  std::int64_t sequence;
  std::string_view kind;
  std::chrono::sys_time<std::chrono::milliseconds> time;
  const void* row;
};

// The log of a table, whatever its type; the functions of change_log.h.
struct ChangeSource {
  absl::StatusOr<std::int64_t> (*last)(Records& records);
  absl::Status (*since)(Records& records, std::int64_t position, std::int64_t limit,
                        absl::FunctionRef<void(const LoggedChange&)> each);
  absl::StatusOr<std::unique_ptr<ChangeWatch>> (*watch)(Records& records,
                                                        absl::AnyInvocable<void()> wake);
};

template <typename T>
absl::Status ForEachChange(Records& records, std::int64_t position, std::int64_t limit,
                           absl::FunctionRef<void(const LoggedChange&)> each) {
  const absl::StatusOr<std::vector<Change<T>>> changes = ChangesSince<T>(records, position, limit);
  if (!changes.ok()) return changes.status();
  constexpr std::string_view kKinds[] = {"", "insert", "update", "delete"};
  for (const Change<T>& change : *changes) {
    each(
        {change.sequence, kKinds[static_cast<std::size_t>(change.kind)], change.time, &change.row});
  }
  return absl::OkStatus();
}

// Null for a table without a log.
template <typename T>
const ChangeSource* ChangesOf() {
  if constexpr (TableOf<T>().log.max_entries != 0) {
    static constexpr ChangeSource kSource = {&LastChange<T>, &ForEachChange<T>,
                                             &ChangeWatch::Start<T>};
    return &kSource;
  } else {
    return nullptr;
  }
}

absl::Status MountTable(http::Router& router, std::string_view path, const Service& service,
                        const TableInfo& table, const TypeInfo& type, const ChangeSource* changes,
                        Options options);

}  // namespace internal

// Adds the routes of T's table below `path`, which is as in Router::Get() and has no captures.
// InvalidArgument for options that cannot be. Not within a transaction of this thread.
template <typename T>
absl::Status Mount(http::Router& router, std::string_view path, const Service& service,
                   Options options = {}) {
  static_assert(TableOf<T>().key_count > 0, "a STRATA_STRUCT has no table; use STRATA_TABLE");
  return internal::MountTable(router, path, service, TableOf<T>(), kTypeInfo<T>,
                              internal::ChangesOf<T>(), std::move(options));
}

}  // namespace strata::orm::rest

#endif  // STRATA_ORM_REST_REST_H_
