// The body of a request on its way, in pieces and framed.

#ifndef STRATA_HTTP_CLIENT_UPLOAD_INTERNAL_H_
#define STRATA_HTTP_CLIENT_UPLOAD_INTERNAL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "strata/http/reply.h"

namespace strata::http {

class ClientUpload {
 public:
  // No body.
  ClientUpload() = default;

  // The text must outlive this.
  explicit ClientUpload(std::string_view text) : text_(text), left_(text.size()) {}

  // Of `length` bytes, or in chunks.
  ClientUpload(std::optional<std::uint64_t> length, BodyProducer producer)
      : producer_(std::move(producer)), chunked_(!length), left_(length.value_or(0)), more_(true) {}

  bool done() const { return !more_ && text_.empty(); }

  // Appends a piece to `out`, framed. False if the body cannot be made as it was announced.
  bool Next(std::string& out);

 private:
  bool AppendProduced(std::string& out);

  std::string_view text_;
  BodyProducer producer_;
  bool chunked_ = false;
  std::uint64_t left_ = 0;  // Of what was announced.
  bool more_ = false;       // Of the producer.
};

}  // namespace strata::http

#endif  // STRATA_HTTP_CLIENT_UPLOAD_INTERNAL_H_
