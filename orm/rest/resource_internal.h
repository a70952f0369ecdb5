// A mounted table: what its handlers share.

#ifndef STRATA_ORM_REST_RESOURCE_INTERNAL_H_
#define STRATA_ORM_REST_RESOURCE_INTERNAL_H_

#include <memory>
#include <string>
#include <vector>

#include "strata/http/handler.h"
#include "strata/http/request.h"
#include "strata/http/response.h"
#include "strata/orm/rest/change_pump_internal.h"
#include "strata/orm/rest/problem_internal.h"
#include "strata/orm/rest/rest.h"
#include "strata/orm/rest/row_internal.h"
#include "strata/orm/rest/writer_internal.h"

namespace strata::orm::rest::internal {

struct ServiceState {
  ServiceState(Records& records_in, net::WorkerPool& workers_in, const ServiceOptions& options)
      : records(records_in),
        workers(workers_in),
        writer(std::make_shared<Writer>(records_in, workers_in, options.max_queued_writes)),
        pump(records_in, options.max_watchers) {}

  RowStore& store() const { return orm::internal::StoreOf(records); }

  Records& records;
  net::WorkerPool& workers;
  const std::shared_ptr<Writer> writer;
  ChangePump pump;
};

// Does not change once it is mounted; any thread.
struct Resource {
  // What may be done for the request, and to which rows: 403.
  Problem Allow(const http::Request& request, Verb verb) const;
  std::vector<Term> RowsOf(const http::Request& request) const;

  std::shared_ptr<ServiceState> service;
  const TableInfo& table;
  const TypeInfo& type;
  const ChangeSource* changes;  // Null if there is no log.
  Options options;
  bool has_generated = false;  // Columns that an insert does not tell.
};

using ResourcePtr = std::shared_ptr<const Resource>;

// The entity tag of a row, with its quotes: of its version, or of all its values.
absl::Status AppendEntityTag(const Row& row, std::string_view json, std::string* tag);

// A row and its entity tag, as an answer.
absl::Status SetRow(const Resource& resource, const Row& row, http::Reply* reply);

// Whether the fields If-Match and If-None-Match of a request let it go on, for a row that is there,
// with this entity tag, or not: 412, 428. 304 for `is_read`.
Problem CheckConditions(const Resource& resource, const http::Request& request, bool exists,
                        std::string_view tag, bool is_read);

// The answer for a job that the pool, or the writer, had no room for.
http::Reply BusyReply();

// Rows by a query.
http::Handler ListHandler(const ResourcePtr& resource);

// What becomes of the rows, or of the one in the request's path, as it happens.
http::Handler ChangesHandler(const ResourcePtr& resource);

// Answers later.
void HandleWrite(const ResourcePtr& resource, Verb verb, http::Request& request,
                 http::Response& response);

}  // namespace strata::orm::rest::internal

#endif  // STRATA_ORM_REST_RESOURCE_INTERNAL_H_
