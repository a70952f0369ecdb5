// Framing what a producer makes.

#include <algorithm>

#include "strata/http/client_upload_internal.h"
#include "strata/http/head_writer.h"

namespace strata::http {
namespace {

// Of a text: as much as is copied at once.
constexpr std::size_t kPieceBytes = 64 * 1024;

}  // namespace

bool ClientUpload::Next(std::string& out) {
  if (more_) return AppendProduced(out);
  const std::string_view piece = text_.substr(0, kPieceBytes);
  out += piece;
  text_.remove_prefix(piece.size());
  left_ -= piece.size();
  return true;
}

bool ClientUpload::AppendProduced(std::string& out) {
  std::string piece;
  const Produced produced = producer_(piece);
  if (produced == Produced::kFail || (produced == Produced::kMore && piece.empty())) return false;
  more_ = produced == Produced::kMore;
  if (!chunked_) {
    if (piece.size() > left_) return false;
    left_ -= piece.size();
    out += piece;
    return more_ || left_ == 0;
  }
  HeadWriter writer(out);
  if (!piece.empty()) {
    writer.ChunkSize(piece.size());
    writer.Raw(piece);
    writer.ChunkEnd();
  }
  if (!more_) {
    writer.LastChunk();
    writer.End();
  }
  return writer.ok();
}

}  // namespace strata::http
