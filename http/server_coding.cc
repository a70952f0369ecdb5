// Content codings of a server: of the responses that it encodes, and the requests that it decodes.

#include <algorithm>
#include <utility>
#include <vector>

#include "strata/http/server_connection_internal.h"
#include "strata/http/status.h"

namespace strata::http {
namespace {

// How much is encoded in one go: some milliseconds' work. What is larger is encoded as it is sent.
constexpr std::size_t kEncodeAtOnceBytes = 256 * 1024;

// Read from a body that is here already, before its coding; and given to a receiver, behind it.
constexpr std::size_t kPieceBytes = 64 * 1024;

// Reads the parts of a body, one piece after the other.
class PartsReader {
 public:
  explicit PartsReader(std::vector<ReplyBody::Part> parts) : parts_(std::move(parts)) {}

  Produced operator()(std::string& out) {
    while (part_ < parts_.size()) {
      const std::size_t before = out.size();
      if (!ReadSome(parts_[part_], out)) return Produced::kFail;
      offset_ += out.size() - before;
      if (out.size() > before) return Produced::kMore;
      ++part_;
      offset_ = 0;
    }
    return Produced::kEnd;
  }

 private:
  // Nothing at the end of the part. False if there should be more.
  bool ReadSome(const ReplyBody::Part& part, std::string& out) const {
    if (const auto* bytes = std::get_if<std::string>(&part)) return Copy(*bytes, out);
    if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&part)) {
      return Copy(**shared, out);
    }
    const auto& range = std::get<FileRange>(part);
    const std::size_t size = out.size();
    const std::uint64_t left = range.bytes - offset_;
    if (left == 0) return true;
    out.resize(size + static_cast<std::size_t>(std::min<std::uint64_t>(left, kPieceBytes)));
    const auto read = range.file->ReadAt(range.offset + offset_, std::span(out).subspan(size));
    out.resize(size + read.value_or(0));
    return read.ok() && *read > 0;
  }

  bool Copy(std::string_view bytes, std::string& out) const {
    out.append(bytes.substr(static_cast<std::size_t>(offset_), kPieceBytes));
    return true;
  }

  std::vector<ReplyBody::Part> parts_;
  std::size_t part_ = 0;
  std::uint64_t offset_ = 0;  // In that part.
};

// All of it. False if it cannot be had.
bool EncodeAll(Encoder& encoder, BodyProducer producer, std::string* encoded) {
  std::string piece;
  for (;;) {
    piece.clear();
    const Produced produced = producer(piece);
    if (produced == Produced::kFail) return false;
    const bool end = produced == Produced::kEnd;
    const auto flush = end ? Encoder::Flush::kFinish : Encoder::Flush::kNone;
    if (encoder.Append(piece, flush, encoded) != CodingError::kOk) return false;
    if (end) return true;
  }
}

int StatusOf(CodingError error) {
  switch (error) {
    case CodingError::kTooLarge:
    case CodingError::kRatioTooHigh:
    case CodingError::kTooManyMembers:
      return 413;
    case CodingError::kNoMemory:
      return 503;
    default:
      return 400;
  }
}

}  // namespace

// ---- Responses ---------------------------------------------------------------------------------

// While the request's head is here, which it need not be when the answer comes.
void ServerConnection::NoteAcceptedCodings(Exchange& exchange) {
  const FieldList& fields = exchange.parser.head().fields;
  if (fields.Has(FieldId::kAcceptEncoding) && !exchange.http_1_0) {
    exchange.accepts =
        NegotiateCoding(fields.GetAll(FieldId::kAcceptEncoding), loop_->preferred_codings());
  }
  if (fields.Has(FieldId::kIfNoneMatch)) {
    exchange.has_weak_tag = fields.GetAll(FieldId::kIfNoneMatch).find("W/\"") != std::string::npos;
  }
}

// Null if the response goes as it is.
EncoderPtr ServerConnection::ChooseEncoder(Exchange& exchange, std::optional<std::uint64_t> bytes) {
  ReplyHead& reply = exchange.reply;
  if (loop_->preferred_codings().empty() || reply.error() != WriteError::kNone) return nullptr;
  const int status = reply.status();
  if (status == 304 && exchange.has_weak_tag) {
    // It is about what was encoded (RFC 9110 section 15.4.5).
    WeakenTag(reply);
    reply.Vary(FieldName(FieldId::kAcceptEncoding));
  }
  if (IsBodiless(status) || status == 206 || reply.Has(FieldId::kContentRange)) return nullptr;
  const bool pays =
      ShouldCompress({.content_type = reply.Get(FieldId::kContentType).value_or(""),
                      .content_encoding = reply.Get(FieldId::kContentEncoding).value_or(""),
                      .cache_control = reply.GetAll(FieldId::kCacheControl),
                      .size_bytes = bytes},
                     options().compression.policy);
  if (!pays || reply.Has(FieldId::kContentEncoding)) return nullptr;
  // Other clients may get something else, and so this has it too if nothing is encoded.
  reply.Vary(FieldName(FieldId::kAcceptEncoding));
  return loop_->codings().TakeEncoder(exchange.accepts);
}

void ServerConnection::WeakenTag(ReplyHead& reply) {
  const std::optional<std::string_view> tag = reply.Get(FieldId::kEtag);
  if (tag && !tag->starts_with("W/")) reply.Set(FieldId::kEtag, "W/" + std::string(*tag));
}

// The fields of a response that is encoded.
void ServerConnection::MarkEncoded(ReplyHead& reply, ContentCoding coding) {
  reply.Set(FieldId::kContentEncoding, ContentCodingName(coding));
  // The same bytes may not come again from another encoder, and parts of them are not to be had.
  WeakenTag(reply);
  if (reply.Has(FieldId::kAcceptRanges)) reply.Set(FieldId::kAcceptRanges, "none");
}

// Makes the body what is to be sent instead, or gives the exchange its encoder.
void ServerConnection::Encode(Exchange& exchange, EncoderPtr encoder, ReplyBody& body) {
  const ContentCoding coding = encoder.get_deleter().coding;
  const std::optional<std::uint64_t> bytes = body.length();
  if (body.producer() || *bytes > kEncodeAtOnceBytes) {
    if (!body.producer()) body = ReplyBody(bytes, PartsReader(std::move(body.parts())));
    exchange.encoder = std::move(encoder);
  } else {
    std::string encoded;
    if (!EncodeAll(*encoder, PartsReader(body.parts()), &encoded) || encoded.size() >= *bytes) {
      return;
    }
    body = ReplyBody(std::move(encoded));
  }
  MarkEncoded(exchange.reply, coding);
}

// ---- Requests ----------------------------------------------------------------------------------

// False if the body has a coding that cannot be undone, and the request was answered for that.
bool ServerConnection::BeginDecoding(Exchange& exchange, std::uint64_t max_bytes) {
  const FieldList& fields = exchange.parser.head().fields;
  if (!fields.Has(FieldId::kContentEncoding)) return true;
  const std::optional<ContentCoding> coding =
      ParseContentCoding(fields.GetAll(FieldId::kContentEncoding));
  if (coding == ContentCoding::kIdentity) return true;
  if (!coding || !loop_->codings().codings().Has(*coding)) {
    // RFC 7694 section 3.
    std::string known("identity");
    for (const ContentCoding one : loop_->preferred_codings()) {
      known.append(", ").append(ContentCodingName(one));
    }
    exchange.reply.Set(FieldId::kAcceptEncoding, known);
    Refuse(exchange, 415, "a content coding that is not known here");
    return false;
  }
  exchange.content_decoder = loop_->codings().TakeDecoder(*coding, {.max_bytes = max_bytes});
  if (exchange.content_decoder) return true;
  exchange.reply.Set(FieldId::kRetryAfter, "1");
  Refuse(exchange, 503, "too many bodies with a content coding");
  return false;
}

// Decodes a piece of the body. False if that is not to go on: the receiver has paused, and the rest
// is kept, or the request was refused.
bool ServerConnection::TakeCoded(Exchange& exchange, std::string_view coded) {
  std::string piece;
  CodingStep step;
  do {
    piece.clear();
    step = exchange.content_decoder->Append(coded, kPieceBytes, &piece);
    coded.remove_prefix(step.read);
    if (step.error != CodingError::kOk) {
      RefuseCoded(exchange, step.error);
      return false;
    }
    if (!piece.empty()) TakeData(exchange, piece);
    if (closing_) return false;
    if (exchange.paused && step.more) {
      exchange.coded.assign(coded);
      return false;
    }
  } while (step.more && !exchange.dropping);
  return true;
}

// The body is complete. False if its coding is not, and the request was refused for that.
bool ServerConnection::EndCoded(Exchange& exchange) {
  if (!exchange.content_decoder) return true;
  const CodingError error =
      exchange.dropping ? CodingError::kOk : exchange.content_decoder->Finish();
  exchange.content_decoder.reset();
  if (error == CodingError::kOk) return true;
  RefuseCoded(exchange, error);
  return false;
}

void ServerConnection::RefuseCoded(Exchange& exchange, CodingError error) {
  if (exchange.answered) return Close();
  Refuse(exchange, StatusOf(error), ToStatus(error).message());
}

}  // namespace strata::http
