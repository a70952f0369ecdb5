#include "strata/http/static_files.h"

#include <array>
#include <chrono>
#include <random>
#include <span>
#include <string_view>
#include <utility>

#include "strata/http/conditional.h"
#include "strata/http/content_coding.h"
#include "strata/http/file_listing.h"
#include "strata/http/media_type.h"
#include "strata/http/per_loop.h"
#include "strata/http/range.h"

namespace strata::http {
namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kJson = "application/json";

// 24 letters and digits that no file knows beforehand.
std::string Boundary() {
  constexpr std::string_view kDigits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  thread_local std::mt19937_64 random{std::random_device()()};
  std::string boundary;
  for (int i = 0; i < 24; ++i) boundary.push_back(kDigits[random() % kDigits.size()]);
  return boundary;
}

class Files {
 public:
  Files(std::shared_ptr<const FileTree> tree, StaticFilesOptions options)
      : tree_(std::move(tree)), options_(std::move(options)) {}

  void Serve(Request& request, Response& response) {
    const Method method = request.method();
    if (method != Method::kGet && method != Method::kHead) {
      response.Set(FieldId::kAllow, "GET, HEAD");
      return response.SendError(405);
    }
    const std::string_view path = request.param(options_.param);
    FileCache& cache = caches_.Of(response.loop(), tree_, options_.cache);
    const FileLookup found = cache.Get(path, std::chrono::steady_clock::now());
    switch (found.outcome) {
      case FileOutcome::kFile:
        return SendFile(*found.file, request, response);
      case FileOutcome::kFolder:
        return SendListing(path, request, response);
      case FileOutcome::kAddSlash:
        return AddSlash(request, response);
      case FileOutcome::kNotFound:
        return response.SendError(404);
      case FileOutcome::kBadPath:
        return response.SendError(400);
      case FileOutcome::kForbidden:
        return response.SendError(403);
      case FileOutcome::kTooManyFiles:
        response.Set(FieldId::kRetryAfter, "1");
        return response.SendError(503);
      case FileOutcome::kFailed:
        return response.SendError(500);
    }
  }

 private:
  void SendFile(const ServedFile& file, Request& request, Response& response) const {
    const FileVariant& variant = SelectVariant(file, request, response);
    response.Set(FieldId::kEtag, variant.etag);
    response.Set(FieldId::kLastModified, variant.last_modified_text());
    if (!options_.cache_control.empty()) {
      response.Set(FieldId::kCacheControl, options_.cache_control);
    }

    const PreconditionResult result = Evaluate(variant, request);
    if (result.precondition == Precondition::kNotModified) {
      response.set_status(304);
      return response.Send(std::string_view());
    }
    if (result.precondition == Precondition::kFailed) return response.SendError(412);

    const std::string_view type = options_.types.Of(file.path);
    response.Set(FieldId::kAcceptRanges, "bytes");
    if (variant.coding != FileCoding::kIdentity) {
      response.Set(FieldId::kContentEncoding, FileCodingName(variant.coding));
    }
    const std::uint64_t size = variant.size_bytes();
    RangeSet ranges;
    if (const auto range = request.field(FieldId::kRange); range && result.honour_range) {
      ranges = ParseRange(*range, size);
    }
    if (ranges.outcome() == RangeOutcome::kUnsatisfiable) {
      response.Set(FieldId::kContentRange, UnsatisfiedRange(size).text());
      return response.SendError(416);
    }
    response.Set(FieldId::kContentType, type);
    if (ranges.outcome() == RangeOutcome::kWhole) {
      return response.Send(BodyOf(variant, {0, size}));
    }

    response.set_status(206);
    const std::span<const ByteRange> parts = ranges.ranges();
    if (parts.size() == 1) {
      response.Set(FieldId::kContentRange, ContentRange(parts[0], size).text());
      return response.Send(BodyOf(variant, parts[0]));
    }
    const std::string boundary = Boundary();
    const MultipartRanges framing(parts, size, type, boundary);
    response.Set(FieldId::kContentType, framing.ContentType());
    ReplyBody body;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      body.AddPart(framing.Head(i));
      body.AddPart(PartOf(variant, parts[i]));
    }
    body.AddPart(framing.Tail());
    response.Send(std::move(body));
  }

  const FileVariant& SelectVariant(const ServedFile& file, Request& request,
                                   Response& response) const {
    if (file.variants.size() == 1) return file.variants.front();
    response.head().Vary("Accept-Encoding");
    CodingSet available;
    for (const FileVariant& variant : file.variants) available.Add(CodingOf(variant.coding));
    std::string storage;
    const auto accepted = request.fields().GetAll(FieldId::kAcceptEncoding, storage);
    const ContentCoding chosen = NegotiateCoding(accepted.value_or(""), available);
    for (const FileVariant& variant : file.variants) {
      if (CodingOf(variant.coding) == chosen) return variant;
    }
    return file.variants.front();
  }

  static ContentCoding CodingOf(FileCoding coding) {
    switch (coding) {
      case FileCoding::kGzip:
        return ContentCoding::kGzip;
      case FileCoding::kBrotli:
        return ContentCoding::kBrotli;
      case FileCoding::kZstd:
        return ContentCoding::kZstd;
      case FileCoding::kIdentity:
        break;
    }
    return ContentCoding::kIdentity;
  }

  static PreconditionResult Evaluate(const FileVariant& variant, const Request& request) {
    const FieldList& fields = request.fields();
    std::array<std::string, 5> storage;
    const ConditionalFields conditions = {
        .if_match = fields.GetAll(FieldId::kIfMatch, storage[0]),
        .if_unmodified_since = fields.GetAll(FieldId::kIfUnmodifiedSince, storage[1]),
        .if_none_match = fields.GetAll(FieldId::kIfNoneMatch, storage[2]),
        .if_modified_since = fields.GetAll(FieldId::kIfModifiedSince, storage[3]),
        .if_range = fields.GetAll(FieldId::kIfRange, storage[4])};
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    return EvaluatePreconditions(
        request.method() == Method::kHead ? ConditionalMethod::kHead : ConditionalMethod::kGet,
        conditions, variant.validators(), now);
  }

  static ReplyBody::Part PartOf(const FileVariant& variant, const ByteRange& range) {
    if (variant.file) return FileRange{variant.file, range.offset, range.size};
    if (range.size == variant.content->size()) return variant.content;
    return variant.content->substr(static_cast<std::size_t>(range.offset),
                                   static_cast<std::size_t>(range.size));
  }

  static ReplyBody BodyOf(const FileVariant& variant, const ByteRange& range) {
    ReplyBody body;
    body.AddPart(PartOf(variant, range));
    return body;
  }

  void SendListing(std::string_view path, Request& request, Response& response) const {
    if (!options_.list_folders) return response.SendError(403);
    const FolderLookup found = tree_->List(path);
    if (found.outcome != FileOutcome::kFolder) return response.SendError(404);
    std::string shown = "/";
    shown.append(path);
    response.head().Vary("Accept");
    std::string storage;
    const auto accept = request.fields().GetAll(FieldId::kAccept, storage);
    constexpr std::array<std::string_view, 2> kTypes = {"text/html", "application/json"};
    if (accept && BestMediaType(*accept, kTypes) == 1u) {
      response.Set(FieldId::kContentType, kJson);
      return response.Send(FormatListingJson(found.listing, shown));
    }
    response.Set(FieldId::kContentType, kHtml);
    // The page has no script and wants none.
    response.Add("Content-Security-Policy", "default-src 'none'");
    response.Send(FormatListingHtml(found.listing, shown));
  }

  // To the same path, as it was sent, with a slash. A path that begins with two slashes would name
  // another host.
  static void AddSlash(Request& request, Response& response) {
    std::string location(request.path());
    const std::size_t first = location.find_first_not_of('/');
    location.erase(0, std::min(first, location.size()) - 1);
    location.push_back('/');
    if (!request.head().query.empty()) location.append("?").append(request.head().query);
    response.Redirect(301, location);
  }

  const std::shared_ptr<const FileTree> tree_;
  const StaticFilesOptions options_;
  PerLoop<FileCache> caches_;
};

}  // namespace

Handler StaticFiles(std::shared_ptr<const FileTree> tree, StaticFilesOptions options) {
  auto files = std::make_shared<Files>(std::move(tree), std::move(options));
  return [files](Request& request, Response& response) { files->Serve(request, response); };
}

}  // namespace strata::http
