// Requests that change rows.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "strata/http/media_type.h"
#include "strata/http/uri.h"
#include "strata/orm/json.h"
#include "strata/orm/json_scanner_internal.h"
#include "strata/orm/rest/merge_patch_internal.h"
#include "strata/orm/rest/resource_internal.h"

namespace strata::orm::rest::internal {
namespace {

using orm::internal::WriteOperation;
using What = WriteOperation::What;

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kMergePatch = "application/merge-patch+json";

bool IsOfType(const http::Request& request, std::string_view type) {
  const auto field = request.field(http::FieldId::kContentType);
  const auto media_type = http::MediaType::Parse(field.value_or(""));
  return media_type && media_type->Is(type);
}

// A write of one request, which answers it.
class RequestWrite : public WriteJob {
 public:
  RequestWrite(ResourcePtr resource, Verb verb, http::KeptRequest request,
               http::Responder responder)
      : resource_(*resource),
        keeps_resource_(std::move(resource)),
        request_(std::move(request)),
        verb_(verb),
        responder_(std::move(responder)) {}

  void Answer(http::Reply reply) { responder_.Send(std::move(reply)); }

  bool Prepare() override {
    problem_ = resource_.Allow(request_, verb_);
    if (problem_.ok()) {
      rows_ = resource_.RowsOf(request_);
      problem_ = Read();
    }
    if (!problem_.ok()) Answer(ReplyOf(problem_));
    return problem_.ok();
  }

  absl::Status Apply(RowStore& store) override {
    // What the first time has set in the rows is not there the second time.
    if (std::exchange(was_applied_, true)) problem_ = Read();
    reply_ = http::Reply();
    if (problem_.ok()) problem_ = Change(store);
    return problem_.ok() ? absl::OkStatus() : absl::AbortedError("");
  }

  void Finish(const absl::Status& status) override {
    if (problem_.ok() && !status.ok()) problem_ = ProblemOf(status, resource_.table);
    Answer(problem_.ok() ? std::move(reply_) : ReplyOf(problem_));
  }

 protected:
  // The request's body, before the transaction.
  virtual Problem Read() = 0;

  // In the transaction: makes reply_ too.
  virtual Problem Change(RowStore& store) = 0;

  Problem Of(const absl::Status& status, std::string_view at = "#") const {
    return ProblemOf(status, resource_.table, at);
  }

  Problem ReadRow(std::string_view json, Row* row, std::string_view at = "#") const {
    const absl::Status status = orm::internal::ReadJson(json, {}, resource_.type, row->get());
    return status.ok() ? Problem() : JsonProblem(status, resource_.table, at);
  }

  // Of the request's path, into a row that has nothing else.
  Problem ReadPath(Row* row) const {
    if (!ReadKey(request_.param("key"), row).ok()) return {404, "there is no such row"};
    return {};
  }

  // Inserts or updates the row; then it is as the database has it, and one that the caller may see.
  Problem Write(RowStore& store, What what, Row* row, std::string_view at = "#") const {
    WriteOperation operation;
    operation.what = what;
    operation.table = &resource_.table;
    operation.row = row->get();
    operation.result = row->get();
    absl::Status status = store.Write(operation);
    if (!status.ok()) return Of(status, at);
    if (!resource_.has_generated && rows_.empty()) return {};
    status = Load(store, rows_, row);
    if (absl::IsNotFound(status)) return {403, "such a row is not allowed"};
    return Of(status, at);
  }

  const Resource& resource_;
  const ResourcePtr keeps_resource_;
  const http::KeptRequest request_;
  std::vector<Term> rows_;  // Those that the caller may see.
  http::Reply reply_;

 private:
  const Verb verb_;
  http::Responder responder_;
  Problem problem_;
  bool was_applied_ = false;
};

class CreateRows final : public RequestWrite {
 public:
  using RequestWrite::RequestWrite;

 private:
  Problem Read() override {
    if (!IsOfType(request_, kJson)) return {415, "a row is application/json"};
    rows_to_add_.clear();
    orm::internal::JsonScanner scanner(request_.body(), JsonReadOptions().max_depth);
    is_array_ = scanner.Take('[');
    if (!is_array_) return Add(request_.body());
    bool first = true;
    while (scanner.Next(']', &first)) {
      std::string_view text;
      if (!scanner.Skip(&text)) break;
      if (Problem problem = Add(text); !problem.ok()) return problem;
    }
    if (scanner.reason() != nullptr || !scanner.AtEnd()) {
      return {400, absl::StrCat("JSON at byte ", scanner.error_byte(), ": ", scanner.reason())};
    }
    return {};
  }

  Problem Add(std::string_view json) {
    rows_to_add_.push_back(std::make_unique<Row>(resource_.table));
    return ReadRow(json, rows_to_add_.back().get(), At(rows_to_add_.size() - 1));
  }

  std::string At(std::size_t i) const { return is_array_ ? absl::StrCat("#/", i) : "#"; }

  void GiveKey(Row* row) const {
    const Column& key = resource_.table.key_column();
    if (resource_.table.key_count > 1 || key.value->kind != Kind::kUuid) return;
    auto* uuid = static_cast<Uuid*>(key.Emplace(row->get()));
    if (*uuid == Uuid()) *uuid = Uuid::V7();
  }

  Problem Change(RowStore& store) override {
    reply_ = http::Reply(201);
    std::string json = "[";
    for (std::size_t i = 0; i < rows_to_add_.size(); ++i) {
      Row& row = *rows_to_add_[i];
      GiveKey(&row);
      Problem problem = Write(store, What::kInsert, &row, At(i));
      if (!problem.ok()) return problem;
      if (!is_array_) return AnswerOne(row);
      if (i > 0) json += ',';
      const absl::Status status = orm::internal::AppendJson(resource_.type, row.get(), &json);
      if (!status.ok()) return Of(status);
    }
    reply_.Set(http::FieldId::kContentType, kJson);
    reply_.SetBody(json + "]");
    return {};
  }

  Problem AnswerOne(const Row& row) {
    std::string key;
    absl::Status status = AppendKey(resource_.table, row.get(), &key);
    if (status.ok()) status = SetRow(resource_, row, &reply_);
    reply_.Set(
        http::FieldId::kLocation,
        absl::StrCat(request_.path(), "/", http::PercentEncode(key, http::UriPart::kComponent)));
    return Of(status);
  }

  bool is_array_ = false;
  std::vector<std::unique_ptr<Row>> rows_to_add_;
};

class ReplaceRow final : public RequestWrite {
 public:
  using RequestWrite::RequestWrite;

 private:
  Problem Read() override {
    if (!IsOfType(request_, kJson)) return {415, "a row is application/json"};
    row_ = std::make_unique<Row>(resource_.table);
    Row path(resource_.table);
    if (Problem problem = ReadPath(&path); !problem.ok()) return problem;
    if (Problem problem = ReadPath(row_.get()); !problem.ok()) return problem;
    if (Problem problem = ReadRow(request_.body(), row_.get()); !problem.ok()) return problem;
    if (!SameKey(path, *row_)) return {422, "the row's key is not that of the path"};
    return {};
  }

  Problem Change(RowStore& store) override {
    Row current(resource_.table);
    if (Problem problem = ReadPath(&current); !problem.ok()) return problem;
    // Whatever the caller may see: a key that is taken is not free for others.
    const absl::Status found = Load(store, {}, &current);
    if (!found.ok() && !absl::IsNotFound(found)) return Of(found);
    if (found.ok() && !rows_.empty()) {
      if (const absl::Status seen = Load(store, rows_, &current); !seen.ok()) return Of(seen);
    }
    http::Reply before;
    std::string tag;
    if (found.ok()) {
      if (const absl::Status status = SetRow(resource_, current, &before); !status.ok()) {
        return Of(status);
      }
      tag = *before.head().Get(http::FieldId::kEtag);
    }
    Problem problem = CheckConditions(resource_, request_, found.ok(), tag, false);
    if (!problem.ok()) return problem;
    if (found.ok()) {
      CopyStamps(current, row_.get());
    } else if (IsKeyToBeGiven()) {
      return {404, "there is no such row"};
    }
    problem = Write(store, found.ok() ? What::kUpdate : What::kInsert, row_.get());
    if (!problem.ok()) return problem;
    reply_ = http::Reply(found.ok() ? 200 : 201);
    return Of(SetRow(resource_, *row_, &reply_));
  }

  // A key of 0 would get another one.
  bool IsKeyToBeGiven() const {
    std::string key;
    return resource_.table.has_rowid_key() && AppendKey(resource_.table, row_->get(), &key).ok() &&
           key == "0";
  }

  std::unique_ptr<Row> row_;
};

// What needs the row that is there: PATCH and DELETE.
class ChangeRow : public RequestWrite {
 public:
  using RequestWrite::RequestWrite;

 private:
  virtual Problem ChangeFrom(RowStore& store, Row& current) = 0;

  Problem Change(RowStore& store) override {
    Row current(resource_.table);
    if (Problem problem = ReadPath(&current); !problem.ok()) return problem;
    absl::Status status = Load(store, rows_, &current);
    http::Reply before;
    if (status.ok()) status = SetRow(resource_, current, &before);
    if (!status.ok()) return Of(status);
    const auto tag = *before.head().Get(http::FieldId::kEtag);
    Problem problem = CheckConditions(resource_, request_, true, tag, false);
    return problem.ok() ? ChangeFrom(store, current) : problem;
  }
};

class PatchRow final : public ChangeRow {
 public:
  using ChangeRow::ChangeRow;

 private:
  Problem Read() override {
    if (IsOfType(request_, kMergePatch) || IsOfType(request_, kJson)) return {};
    return {415, absl::StrCat("a patch is ", kMergePatch)};
  }

  Problem ChangeFrom(RowStore& store, Row& current) override {
    std::string json;
    absl::Status status = orm::internal::AppendJson(resource_.type, current.get(), &json);
    if (!status.ok()) return Of(status);
    const absl::StatusOr<std::string> merged = MergePatch(json, request_.body());
    if (!merged.ok()) return {400, std::string(merged.status().message())};
    Row row(resource_.table);
    if (Problem problem = ReadRow(*merged, &row); !problem.ok()) return problem;
    if (!SameKey(current, row)) return {422, "the key of a row does not change"};
    CopyStamps(current, &row);
    if (Problem problem = Write(store, What::kUpdate, &row); !problem.ok()) return problem;
    return Of(SetRow(resource_, row, &reply_));
  }
};

class DeleteRow final : public ChangeRow {
 public:
  using ChangeRow::ChangeRow;

 private:
  Problem Read() override { return {}; }

  Problem ChangeFrom(RowStore& store, Row& current) override {
    std::vector<orm::internal::Argument> key;
    for (std::size_t i = 0; i < resource_.table.key_count; ++i) {
      const Column& column = resource_.table.columns[resource_.table.key[i]];
      key.push_back({column.value, column.Value(current.get()), {}});
    }
    WriteOperation operation;
    operation.what = What::kDelete;
    operation.table = &resource_.table;
    operation.key = key;
    reply_ = http::Reply(204);
    return Of(store.Write(operation));
  }
};

std::unique_ptr<RequestWrite> MakeWrite(const ResourcePtr& resource, Verb verb,
                                        http::KeptRequest request, http::Responder responder) {
  const auto make = [&]<typename Job>(std::type_identity<Job>) -> std::unique_ptr<RequestWrite> {
    return std::make_unique<Job>(resource, verb, std::move(request), std::move(responder));
  };
  switch (verb) {
    case Verb::kCreate:
      return make(std::type_identity<CreateRows>());
    case Verb::kReplace:
      return make(std::type_identity<ReplaceRow>());
    case Verb::kPatch:
      return make(std::type_identity<PatchRow>());
    default:
      return make(std::type_identity<DeleteRow>());
  }
}

}  // namespace

void HandleWrite(const ResourcePtr& resource, Verb verb, http::Request& request,
                 http::Response& response) {
  auto job = MakeWrite(resource, verb, request.Keep(), response.Defer());
  RequestWrite& write = *job;
  std::unique_ptr<WriteJob> submitted = std::move(job);
  if (resource->service->writer->Submit(submitted) != net::Error::kOk) write.Answer(BusyReply());
}

}  // namespace strata::orm::rest::internal
