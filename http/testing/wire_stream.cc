// The connection of the tests.

#include "strata/http/testing/wire_stream.h"

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "strata/http/body_decoder.h"
#include "strata/http/field.h"
#include "strata/http/message.h"
#include "strata/http/request_parser.h"
#include "strata/http/response_parser.h"
#include "strata/http/testing/wire_text.h"

namespace strata::http::testing {
namespace {

void Check(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "the codec breaks its contract: %s\n", what);
  std::abort();
}

// A piece in a block of its own size.
class Block {
 public:
  Block(std::string_view first, std::string_view second)
      : size_(first.size() + second.size()), bytes_(new char[size_]) {
    std::copy(first.begin(), first.end(), bytes_.get());
    std::copy(second.begin(), second.end(), bytes_.get() + first.size());
  }
  std::string_view view() const { return std::string_view(bytes_.get(), size_); }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

void AddQuoted(std::string& trace, std::string_view text) { trace += "\"" + Escape(text) + "\""; }

void AddFields(std::string& trace, const char* word, const FieldList& fields) {
  for (const Field& field : fields) {
    Check(field.id == FieldIdOf(field.name), "a field's id is that of its name");
    Check(fields.Get(field.name).has_value(), "a field is found by its name");
    trace += std::string(word) + " " + Escape(field.name) + ":";
    if (!field.value.empty()) trace += " " + Escape(field.value);
    trace += "\n";
  }
}

void AddFraming(std::string& trace, Framing framing, std::uint64_t length) {
  if (framing == Framing::kLength) trace += " length=" + std::to_string(length);
  if (framing == Framing::kChunked) trace += " chunked";
  if (framing == Framing::kUntilClose) trace += " until-close";
}

// What a stream does with heads of one kind.
class RequestHeads {
 public:
  explicit RequestHeads(const WireOptions& options) : options_(options), parser_(options.limits) {}

  RequestParser& parser() { return parser_; }
  void Reset() { parser_.Reset(); }

  bool MayGoOn() const { return parser_.head().keep_alive && !IsTunnel(); }
  bool IsTunnel() const {
    return parser_.head().upgrade || parser_.head().method == Method::kConnect;
  }

  void Add(std::string& trace) const {
    const RequestHead& head = parser_.head();
    Check(head.method == ParseMethod(head.method_text), "the method is that of its text");
    trace += "request " + Escape(head.method_text) + " " + Escape(head.target) + " 1." +
             std::to_string(head.minor_version);
    constexpr std::string_view kForms[] = {"", " absolute", " authority", " asterisk"};
    trace += kForms[static_cast<std::size_t>(head.form)];
    const auto add = [&trace](const char* name, std::string_view value) {
      if (!value.empty()) trace += std::string(" ") + name + "=" + Escape(value);
    };
    add("scheme", head.scheme);
    add("host", head.host);
    if (head.port) trace += " port=" + std::to_string(*head.port);
    if (head.path != head.target) add("path", head.path);
    add("query", head.query);
    AddFraming(trace, head.framing, head.content_length);
    if (head.keep_alive) trace += " keep-alive";
    if (head.close) trace += " close";
    if (head.expect_continue) trace += " continue";
    if (head.upgrade) trace += " upgrade";
    trace += "\n";
    if (options_.fields) AddFields(trace, "field", head.fields);
  }

 private:
  const WireOptions& options_;
  RequestParser parser_;
};

class ResponseHeads {
 public:
  explicit ResponseHeads(const WireOptions& options) : options_(options), parser_(options.limits) {
    Reset();
  }

  ResponseParser& parser() { return parser_; }
  void Reset() { parser_.Reset(options_.request_method); }

  bool MayGoOn() const { return parser_.head().interim || parser_.head().keep_alive; }
  bool IsTunnel() const { return parser_.head().tunnel; }

  void Add(std::string& trace) const {
    const ResponseHead& head = parser_.head();
    trace += "response " + std::to_string(head.status) + " 1." + std::to_string(head.minor_version);
    if (!head.reason.empty()) {
      trace += " ";
      AddQuoted(trace, head.reason);
    }
    AddFraming(trace, head.framing, head.content_length);
    if (head.keep_alive) trace += " keep-alive";
    if (head.interim) trace += " interim";
    if (head.tunnel) trace += " tunnel";
    trace += "\n";
    if (options_.fields) AddFields(trace, "field", head.fields);
  }

 private:
  const WireOptions& options_;
  ResponseParser parser_;
};

// A body under way.
class Body {
 public:
  explicit Body(const WireOptions& options) : options_(options) {}

  void Start(Framing framing, std::uint64_t length) {
    decoder_.Start(framing, length, options_.limits);
    data_.clear();
    consumed_ = 0;
    framing_ = framing;
  }

  // Takes what it can off the front of `bytes`. True at the end of the body.
  BodyDecoder::State Feed(std::string_view& bytes) {
    for (;;) {
      const BodyDecoder::Step step = decoder_.Next(bytes);
      Check(step.consumed <= bytes.size(), "no more is consumed than there was");
      Check(step.data.empty() == (step.state != BodyDecoder::State::kData), "data comes as kData");
      Check(
          step.data.empty() || step.data.data() + step.data.size() == bytes.data() + step.consumed,
          "what is consumed ends with the data");
      data_ += step.data;
      Check(data_.size() == decoder_.body_bytes(), "body_bytes() counts the data");
      consumed_ += step.consumed;
      bytes.remove_prefix(step.consumed);
      if (step.state == BodyDecoder::State::kNeedMore) {
        Check(bytes.empty(), "kNeedMore consumes all");
      }
      if (step.state != BodyDecoder::State::kData) return step.state;
    }
  }

  void AddData(std::string& trace) const {
    if (framing_ == Framing::kNone) return;
    trace += "body ";
    AddQuoted(trace, data_);
    trace += "\n";
  }
  void AddTrailers(std::string& trace) const { AddFields(trace, "trailer", decoder_.trailers()); }
  void AddError(std::string& trace) const {
    trace += "error " + std::string(NameOf(decoder_.error())) + " at " + std::to_string(consumed_) +
             "\n";
  }
  bool IsCompleteAtClose() const { return decoder_.IsCompleteAtClose(); }

 private:
  const WireOptions& options_;
  BodyDecoder decoder_;
  std::string data_;
  std::size_t consumed_ = 0;
  Framing framing_ = Framing::kNone;
};

template <typename Heads>
class Stream {
 public:
  explicit Stream(const WireOptions& options) : heads_(options), body_(options) {}

  void Feed(std::string_view piece) {
    switch (stage_) {
      case Stage::kHead: {
        Block block(head_ ? head_->view() : std::string_view(), piece);
        std::string_view bytes = block.view();
        OnBytes(bytes);
        // The parser may look at the last block until it has the next.
        if (stage_ == Stage::kHead) head_.emplace(bytes, std::string_view());
        break;
      }
      case Stage::kBody: {
        Block block(piece, std::string_view());
        std::string_view bytes = block.view();
        OnBytes(bytes);
        if (stage_ == Stage::kHead) head_.emplace(bytes, std::string_view());
        break;
      }
      case Stage::kEnd:
        rest_ += piece;
        break;
      case Stage::kFailed:
        break;
    }
  }

  std::string Finish() {
    const bool any = head_ && !head_->view().empty();
    if (stage_ == Stage::kHead && any) trace_ += "incomplete\n";
    if (stage_ == Stage::kBody) {
      body_.AddData(trace_);
      if (!body_.IsCompleteAtClose()) trace_ += "incomplete\n";
    }
    if (!rest_.empty()) {
      trace_ += "rest ";
      AddQuoted(trace_, rest_);
      trace_ += "\n";
    }
    return trace_;
  }

 private:
  enum class Stage { kHead, kBody, kEnd, kFailed };

  // Takes messages off the front of `bytes`, as far as they are there.
  void OnBytes(std::string_view& bytes) {
    for (;;) {
      if (stage_ == Stage::kHead && !OnHead(bytes)) return;
      if (stage_ == Stage::kBody && !OnBody(bytes)) return;
      if (stage_ == Stage::kEnd) {
        rest_ += bytes;
        return;
      }
    }
  }

  // False if no body follows yet.
  bool OnHead(std::string_view& bytes) {
    auto& parser = heads_.parser();
    const ParseResult result = parser.Parse(bytes);
    Check(parser.Parse(bytes) == result, "Parse() says the same again");
    if (result == ParseResult::kIncomplete) return false;
    if (result == ParseResult::kError) {
      Check(parser.error() != ParseError::kNone, "kError has an error");
      Check(parser.error_offset() <= bytes.size(), "an error is where the bytes are");
      trace_ += "error " + std::string(NameOf(parser.error())) + " at " +
                std::to_string(parser.error_offset()) + "\n";
      stage_ = Stage::kFailed;
      return false;
    }
    Check(parser.head_bytes() <= bytes.size(), "the head is where the bytes are");
    heads_.Add(trace_);
    body_.Start(parser.head().framing, parser.head().content_length);
    bytes.remove_prefix(parser.head_bytes());
    head_.reset();
    may_go_on_ = heads_.MayGoOn();
    is_tunnel_ = heads_.IsTunnel();
    heads_.Reset();
    stage_ = is_tunnel_ ? Stage::kEnd : Stage::kBody;
    return true;
  }

  // False if no head follows yet.
  bool OnBody(std::string_view& bytes) {
    switch (body_.Feed(bytes)) {
      case BodyDecoder::State::kEnd:
        body_.AddData(trace_);
        body_.AddTrailers(trace_);
        stage_ = may_go_on_ ? Stage::kHead : Stage::kEnd;
        return true;
      case BodyDecoder::State::kError:
        body_.AddData(trace_);
        body_.AddError(trace_);
        stage_ = Stage::kFailed;
        return false;
      default:
        return false;
    }
  }

  Heads heads_;
  Body body_;
  Stage stage_ = Stage::kHead;
  std::optional<Block> head_;  // What came of an incomplete head.
  bool may_go_on_ = true;
  bool is_tunnel_ = false;
  std::string rest_;
  std::string trace_;
};

template <typename Heads>
std::string Trace(std::span<const std::string_view> pieces, const WireOptions& options) {
  Stream<Heads> stream(options);
  for (const std::string_view piece : pieces) stream.Feed(piece);
  return stream.Finish();
}

constexpr std::string_view kErrorNames[] = {
    "kNone",
    "kBareLf",
    "kBareCr",
    "kTooManyEmptyLines",
    "kBadMethod",
    "kBadRequestLine",
    "kBadTarget",
    "kFragmentInTarget",
    "kBadTargetForm",
    "kBadTargetAuthority",
    "kBadVersion",
    "kUnsupportedVersion",
    "kStartLineTooLong",
    "kBadStatusLine",
    "kBadStatusCode",
    "kSpaceBeforeFirstField",
    "kObsFold",
    "kEmptyFieldName",
    "kBadFieldName",
    "kSpaceBeforeColon",
    "kMissingColon",
    "kControlByteInField",
    "kFieldsTooLarge",
    "kTooManyFields",
    "kMissingHost",
    "kDuplicateHost",
    "kBadHost",
    "kBadContentLength",
    "kDuplicateContentLength",
    "kConflictingContentLength",
    "kContentLengthWithTransferEncoding",
    "kTransferEncodingInHttp10",
    "kBadTransferEncoding",
    "kChunkedNotLast",
    "kChunkedRepeated",
    "kUnknownTransferCoding",
    "kUpgradeWithBody",
    "kConnectWithBody",
    "kBodyTooLarge",
    "kUnsupportedExpectation",
    "kBadChunkSize",
    "kChunkSizeTooLarge",
    "kBadChunkExtension",
    "kChunkExtensionTooLong",
    "kBadChunkEnd",
    "kForbiddenTrailer",
    "kTrailersTooLarge",
    "kTooManyTrailers",
};
static_assert(std::size(kErrorNames) == kParseErrorCount);

}  // namespace

std::string TraceRequests(std::span<const std::string_view> pieces, const WireOptions& options) {
  return Trace<RequestHeads>(pieces, options);
}

std::string TraceResponses(std::span<const std::string_view> pieces, const WireOptions& options) {
  return Trace<ResponseHeads>(pieces, options);
}

std::string TraceChunked(std::span<const std::string_view> pieces, const WireOptions& options) {
  Body body(options);
  body.Start(Framing::kChunked, 0);
  BodyDecoder::State state = BodyDecoder::State::kNeedMore;
  std::string rest;
  for (const std::string_view piece : pieces) {
    const Block block(piece, std::string_view());
    std::string_view bytes = block.view();
    state = body.Feed(bytes);
    if (state == BodyDecoder::State::kEnd) rest += bytes;
  }
  std::string trace;
  body.AddData(trace);
  if (state == BodyDecoder::State::kEnd) body.AddTrailers(trace);
  if (state == BodyDecoder::State::kError) body.AddError(trace);
  if (state == BodyDecoder::State::kNeedMore) trace += "incomplete\n";
  if (!rest.empty()) {
    trace += "rest ";
    AddQuoted(trace, rest);
    trace += "\n";
  }
  return trace;
}

std::string_view NameOf(ParseError error) { return kErrorNames[static_cast<std::size_t>(error)]; }

}  // namespace strata::http::testing
