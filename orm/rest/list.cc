// Rows by a query: a page as one answer, or all of them as they are read.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "strata/net/timer.h"
#include "strata/orm/rest/list_query_internal.h"
#include "strata/orm/rest/resource_internal.h"
#include "strata/orm/rest/row_format_internal.h"

namespace strata::orm::rest::internal {
namespace {

using orm::internal::ResultField;
using orm::internal::SelectOperation;

// A page ends when it has so many bytes: what is read at once is bounded, whatever rows have.
constexpr std::size_t kMaxPageBytes = std::size_t{1} << 20;

// The pieces of a stream.
constexpr std::int64_t kStreamRows = 512;
constexpr std::size_t kStreamBytes = std::size_t{64} << 10;

// Between attempts to go on while the pool has no room.
constexpr std::chrono::milliseconds kRetryDelay{50};

struct Listing {
  ListQuery query;
  Format format = Format::kJson;
};

// Makes texts of rows, up to a number of them and of bytes.
class PageSink final : public orm::internal::RowSink {
 public:
  PageSink(const Listing& listing, bool is_first, std::int64_t max_rows, std::size_t max_bytes,
           std::string* out)
      : listing_(listing),
        row_(std::make_shared<Row>(*listing.query.select.table)),
        last_(std::make_shared<Row>(*listing.query.select.table)),
        is_first_(is_first),
        max_rows_(max_rows),
        max_bytes_(max_bytes),
        out_(*out) {}

  void* Next() override {
    row_->Reset();
    return row_->get();
  }

  absl::Status Take(bool* more) override {
    has_more_ = rows_ == max_rows_ || (rows_ > 0 && out_.size() >= max_bytes_);
    *more = !has_more_;
    if (has_more_) return absl::OkStatus();
    absl::Status status =
        AppendRow(listing_.format, listing_.query.columns, *row_, is_first_ && rows_ == 0, &out_);
    ++rows_;
    std::swap(row_, last_);
    return status;
  }

  // There are rows after the last one that was taken.
  bool has_more() const { return has_more_; }
  const std::shared_ptr<Row>& last() const { return last_; }

 private:
  const Listing& listing_;
  std::shared_ptr<Row> row_;
  std::shared_ptr<Row> last_;
  const bool is_first_;
  const std::int64_t max_rows_;
  const std::size_t max_bytes_;
  std::string& out_;
  std::int64_t rows_ = 0;
  bool has_more_ = false;
};

absl::Status ReadRows(RowStore& store, const Listing& listing, std::int64_t max_rows,
                      PageSink& sink) {
  SelectOperation select = listing.query.select;
  select.limit = max_rows + 1;
  std::vector<ResultField> fields;
  for (const Column* column : listing.query.read) fields.push_back({column->type, column->offset});
  return store.Select(select, fields, sink);
}

Problem ReadListing(const Resource& resource, const http::Request& request, Listing* listing) {
  if (Problem problem = resource.Allow(request, Verb::kList); !problem.ok()) return problem;
  const auto format = ChooseFormat(request.fields().GetAll(http::FieldId::kAccept));
  if (!format) return {406, "there are application/json, application/x-ndjson and text/csv"};
  listing->format = *format;
  Problem problem = ReadListQuery(request.head().query, resource.table, resource.type,
                                  resource.options, &listing->query);
  if (!problem.ok()) return problem;
  for (Term& term : resource.RowsOf(request)) {
    listing->query.select.where.push_back(std::move(term));
  }
  return {};
}

// What a list's answer says, but for the next page.
Problem MakeHead(RowStore& store, const Resource& resource, const Listing& listing,
                 http::ReplyHead* head) {
  head->Set(http::FieldId::kContentType, ContentTypeOf(listing.format));
  head->Vary("Accept");
  if (!listing.query.count) return {};
  // Of all pages.
  struct Counted final : public orm::internal::RowSink {
    void* Next() override { return &number; }
    absl::Status Take(bool*) override { return absl::OkStatus(); }
    std::int64_t number = 0;
  } counted;
  SelectOperation select;
  select.table = listing.query.select.table;
  select.where = listing.query.select.where;
  select.what = SelectOperation::What::kCount;
  const ResultField field{&kTypeInfo<std::int64_t>, 0};
  const absl::Status status = store.Select(select, {&field, 1}, counted);
  if (!status.ok()) return ProblemOf(status, resource.table);
  head->Add("X-Total-Count", absl::StrCat(counted.number));
  return {};
}

http::Reply ListPage(const Resource& resource, const http::KeptRequest& request) {
  Listing listing;
  Problem problem = ReadListing(resource, request, &listing);
  if (!problem.ok()) return ReplyOf(problem);
  RowStore& store = resource.service->store();
  http::Reply reply;
  problem = MakeHead(store, resource, listing, &reply.head());
  if (!problem.ok()) return ReplyOf(problem);
  std::string text;
  AppendHead(listing.format, listing.query.columns, &text);
  PageSink sink(listing, true, listing.query.limit, kMaxPageBytes, &text);
  absl::Status status = ReadRows(store, listing, listing.query.limit, sink);
  if (status.ok() && sink.has_more()) {
    const auto next = QueryAfter(request.head().query, listing.query, *sink.last());
    status = next.status();
    if (next.ok()) reply.Add("Link", absl::StrCat("<?", *next, ">; rel=\"next\""));
  }
  if (!status.ok()) return ReplyOf(ProblemOf(status, resource.table));
  AppendTail(listing.format, &text);
  reply.SetBody(std::move(text));
  return reply;
}

// All rows, in pieces, each of which is read by a worker when the client has taken those before: a
// slow client holds a piece or some, and no worker. Each piece is the table as it is by then.
// Except for ReadPiece(), on the loop.
class ListStream : public std::enable_shared_from_this<ListStream> {
 public:
  ListStream(ResourcePtr resource, http::Request& request, http::Response& response)
      : resource_(std::move(resource)),
        request_(request.Keep()),
        loop_(response.loop()),
        max_queued_bytes_(response.stream().options().high_watermark_bytes),
        responder_(std::make_unique<http::Responder>(response.Defer())) {}

  void Fetch() {
    const auto self = shared_from_this();
    const net::Error error = resource_->service->workers.Submit(
        loop_, [self] { return self->ReadPiece(); },
        [self](Piece piece) { self->Send(std::move(piece)); });
    if (error == net::Error::kOk) return;
    if (responder_ != nullptr) return responder_->Send(BusyReply());
    if (retry_ == nullptr) {
      retry_ = std::make_unique<net::Timer>(loop_, [weak = weak_from_this()] {
        if (const auto held = weak.lock()) held->Fetch();
      });
    }
    retry_->Arm(kRetryDelay);
  }

 private:
  struct Piece {
    Problem problem;
    http::ReplyHead head;
    std::string text;
    bool is_last = false;
  };

  Piece ReadPiece() {
    Piece piece;
    RowStore& store = resource_->service->store();
    const bool is_first = !is_read_;
    if (is_first) {
      piece.problem = ReadListing(*resource_, request_, &listing_);
      if (piece.problem.ok()) {
        piece.problem = MakeHead(store, *resource_, listing_, &piece.head);
      }
      if (!piece.problem.ok()) return piece;
      AppendHead(listing_.format, listing_.query.columns, &piece.text);
      is_read_ = true;
    }
    PageSink sink(listing_, is_first, kStreamRows, kStreamBytes, &piece.text);
    const absl::Status status = ReadRows(store, listing_, kStreamRows, sink);
    piece.problem = ProblemOf(status, resource_->table);
    piece.is_last = !sink.has_more();
    if (piece.is_last) {
      AppendTail(listing_.format, &piece.text);
    } else {
      listing_.query.select.after = {sink.last(), sink.last()->get()};
    }
    return piece;
  }

  void Send(Piece piece) {
    if (responder_ != nullptr) {
      const auto responder = std::move(responder_);
      if (!piece.problem.ok()) return responder->Send(ReplyOf(piece.problem));
      body_ = responder->Start(std::move(piece.head));
      // Which keeps this alive until the answer is over.
      body_->OnWritable([self = shared_from_this()] { self->GoOn(); });
    }
    // The client has to see that something is missing.
    if (!piece.problem.ok()) return body_->Abort();
    const bool is_last = piece.is_last;
    // What is over the mark when it is written is told of when it is not any more.
    const bool waits = body_->queued_bytes() + piece.text.size() > max_queued_bytes_;
    is_waiting_ = waits && !is_last;
    if (body_->Write(std::move(piece.text)) != net::Error::kOk) return body_->Abort();
    if (is_last) return body_->Finish();
    if (!waits) Fetch();
  }

  void GoOn() {
    if (body_->aborted() || !std::exchange(is_waiting_, false)) return;
    Fetch();
  }

  const ResourcePtr resource_;
  const http::KeptRequest request_;
  net::Loop& loop_;
  const std::size_t max_queued_bytes_;  // While a client has so much to take, no more is read.
  std::unique_ptr<http::Responder> responder_;  // Until the answer begins.
  std::optional<http::BodyWriter> body_;
  std::unique_ptr<net::Timer> retry_;
  bool is_waiting_ = false;  // For the client.
  // By the worker, of which there is one at a time.
  Listing listing_;
  bool is_read_ = false;
};

}  // namespace

http::Handler ListHandler(const ResourcePtr& resource) {
  auto page = std::make_shared<const http::Handler>(http::OnWorkers(
      resource->service->workers,
      [resource](const http::KeptRequest& request) { return ListPage(*resource, request); }));
  return [resource, page](http::Request& request, http::Response& response) {
    if (request.query().FirstRaw("limit") != "all") return (*page)(request, response);
    std::make_shared<ListStream>(resource, request, response)->Fetch();
  };
}

}  // namespace strata::orm::rest::internal
