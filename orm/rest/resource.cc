#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "strata/http/conditional.h"
#include "strata/http/media_type.h"
#include "strata/orm/json.h"
#include "strata/orm/rest/resource_internal.h"

namespace strata::orm::rest {

Service::Service(Records& records, net::WorkerPool& workers, const ServiceOptions& options)
    : state_(std::make_shared<internal::ServiceState>(records, workers, options)) {}

Service::~Service() { state_->pump.Stop(); }

namespace internal {
namespace {

// FNV-1a of 128 bits (draft-eastlake-fnv section 5): two versions of a row do not meet by chance.
std::string HashOf(std::string_view text) {
  constexpr auto kPrime = (static_cast<unsigned __int128>(1) << 88) + 0x13b;
  auto hash = (static_cast<unsigned __int128>(0x6c62272e07bb0142) << 64) + 0x62b821756295c58d;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  return absl::StrCat(absl::Hex(static_cast<std::uint64_t>(hash >> 64), absl::kZeroPad16),
                      absl::Hex(static_cast<std::uint64_t>(hash), absl::kZeroPad16));
}

// Compression makes tags weak; ours tell of the row, and not of the bytes, so that such a one is as
// good.
std::optional<std::string> TagsOf(const http::Request& request, http::FieldId id) {
  if (!request.fields().Has(id)) return std::nullopt;
  return absl::StrReplaceAll(request.fields().GetAll(id), {{"W/\"", "\""}});
}

}  // namespace

Problem Resource::Allow(const http::Request& request, Verb verb) const {
  if (options.allow == nullptr || options.allow(request, verb)) return {};
  return {403, "this is not allowed"};
}

std::vector<Term> Resource::RowsOf(const http::Request& request) const {
  if (options.rows == nullptr) return {};
  const std::optional<Condition> condition = options.rows(request);
  return condition ? std::vector<Term>{condition->term()} : std::vector<Term>();
}

absl::Status AppendEntityTag(const Row& row, std::string_view json, std::string* tag) {
  const TableInfo& table = row.table();
  if (table.version < 0) {
    absl::StrAppend(tag, "\"", HashOf(json), "\"");
    return absl::OkStatus();
  }
  const Column& column = table.columns[static_cast<std::size_t>(table.version)];
  std::string version;
  if (const void* value = column.Value(row.get()); value != nullptr) {
    absl::Status status = AppendText(*column.value, value, &version);
    if (!status.ok()) return status;
  }
  absl::StrAppend(tag, "\"", version, "\"");
  return absl::OkStatus();
}

absl::Status SetRow(const Resource& resource, const Row& row, http::Reply* reply) {
  std::string json;
  absl::Status status = orm::internal::AppendJson(resource.type, row.get(), &json);
  std::string tag;
  if (status.ok()) status = AppendEntityTag(row, json, &tag);
  if (!status.ok()) return status;
  reply->Set(http::FieldId::kEtag, tag);
  reply->Set(http::FieldId::kContentType, "application/json");
  reply->SetBody(std::move(json));
  return absl::OkStatus();
}

Problem CheckConditions(const Resource& resource, const http::Request& request, bool exists,
                        std::string_view tag, bool is_read) {
  const auto if_match = TagsOf(request, http::FieldId::kIfMatch);
  const auto if_none_match = TagsOf(request, http::FieldId::kIfNoneMatch);
  if (!is_read && exists && resource.options.require_if_match && !if_match) {
    return {428, "If-Match has to say which row is known"};
  }
  http::ConditionalFields fields;
  if (if_match) fields.if_match = *if_match;
  if (if_none_match) fields.if_none_match = *if_none_match;
  http::Validators current{.exists = exists};
  if (exists) current.etag = http::ParseEntityTag(tag);
  const auto method = is_read ? http::ConditionalMethod::kGet : http::ConditionalMethod::kOther;
  switch (http::EvaluatePreconditions(method, fields, current, {}).precondition) {
    case http::Precondition::kProceed:
      return {};
    case http::Precondition::kNotModified:
      return {304};
    case http::Precondition::kFailed:
      break;
  }
  return {412, "the row is not the one that is known"};
}

http::Reply BusyReply() { return ReplyOf({503, "too many requests wait"}); }

http::Reply Get(const Resource& resource, const http::KeptRequest& request) {
  if (Problem problem = resource.Allow(request, Verb::kGet); !problem.ok()) {
    return ReplyOf(problem);
  }
  constexpr std::string_view kOffers[] = {"application/json"};
  if (!http::BestMediaType(request.fields().GetAll(http::FieldId::kAccept), kOffers)) {
    return ReplyOf({406, "there is application/json"});
  }
  Row row(resource.table);
  if (!ReadKey(request.param("key"), &row).ok()) return ReplyOf({404, "there is no such row"});
  absl::Status status = Load(resource.service->store(), resource.RowsOf(request), &row);
  http::Reply reply;
  if (status.ok()) status = SetRow(resource, row, &reply);
  if (!status.ok()) return ReplyOf(ProblemOf(status, resource.table));
  const std::string tag(*reply.head().Get(http::FieldId::kEtag));
  const Problem condition = CheckConditions(resource, request, true, tag, true);
  if (condition.ok()) return reply;
  if (condition.status != 304) return ReplyOf(condition);
  http::Reply unchanged(304);
  unchanged.Set(http::FieldId::kEtag, tag);
  return unchanged;
}

absl::Status MountTable(http::Router& router, std::string_view path, const Service& service,
                        const TableInfo& table, const TypeInfo& type, const ChangeSource* changes,
                        Options options) {
  if (table.ops.construct == nullptr) {
    return absl::InvalidArgumentError("a struct of REST has a default constructor");
  }
  if (options.default_limit < 1 || options.max_limit < options.default_limit) {
    return absl::InvalidArgumentError("1 <= default_limit <= max_limit");
  }
  const http::RouteOptions bounded{.max_body_bytes = options.max_body_bytes};
  if (changes != nullptr) {
    absl::Status status = service.state()->pump.Watch(*changes);
    if (!status.ok()) return status;
  }
  auto made = std::make_shared<Resource>(service.state(), table, type, changes, std::move(options));
  for (const Column& column : table.columns) made->has_generated |= !column.generated.empty();
  const ResourcePtr resource = std::move(made);
  const auto write = [&](Verb verb) {
    return [resource, verb](http::Request& request, http::Response& response) {
      HandleWrite(resource, verb, request, response);
    };
  };
  const std::string row = absl::StrCat(path, "/{key}");
  net::WorkerPool& workers = service.state()->workers;
  // A query that asks for changes goes elsewhere.
  const auto or_changes = [&](http::Handler handler) -> http::Handler {
    return [rows = std::move(handler), changes = ChangesHandler(resource)](
               http::Request& request, http::Response& response) {
      (request.query().FirstRaw("changes") ? changes : rows)(request, response);
    };
  };
  router.Get(path, or_changes(ListHandler(resource)));
  router.Post(path, write(Verb::kCreate), bounded);
  router.Get(row, or_changes(http::OnWorkers(workers, [resource](const http::KeptRequest& request) {
               return Get(*resource, request);
             })));
  router.Put(row, write(Verb::kReplace), bounded);
  router.Patch(row, write(Verb::kPatch), bounded);
  router.Delete(row, write(Verb::kDelete));
  return absl::OkStatus();
}

}  // namespace internal
}  // namespace strata::orm::rest
