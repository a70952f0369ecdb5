// Rows out of CSV and JSON, one at a time, so that a file may be larger than memory.

#ifndef STRATA_TOOLS_ORM_ROW_READER_H_
#define STRATA_TOOLS_ORM_ROW_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/orm/streams.h"

namespace strata::orm_tool {

// Of the bytes of one row.
inline constexpr std::size_t kMaxRowBytes = std::size_t{64} << 20;

// As the format has it; kPlain is a text of CSV, of which nothing says whether it is a number.
struct Value {
  enum class Kind : std::uint8_t { kNull, kInteger, kReal, kText, kPlain };

  Kind kind = Kind::kNull;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
};

class RowReader {
 public:
  virtual ~RowReader() = default;

  // False at the end. Errors say what, and line() says where.
  virtual absl::StatusOr<bool> Next() = 0;

  const std::vector<std::string>& names() const { return names_; }  // May change with each row.
  const std::vector<Value>& values() const { return values_; }      // As many.
  std::uint64_t line() const { return line_; }  // Where the row began, or the error is.

 protected:
  explicit RowReader(Input* input) : input_(input) {}

  Input* const input_;
  std::vector<std::string> names_;
  std::vector<Value> values_;
  std::uint64_t line_ = 1;
};

// RFC 4180, with LF or CRLF. The first record has the names. An empty field is NULL, and "" is an
// empty text.
std::unique_ptr<RowReader> ReadCsv(Input* input);

// A list of objects, or objects one after another (JSON lines). Lists and objects within them are
// texts, true and false are 1 and 0. Integers have to fit into 64 bits.
std::unique_ptr<RowReader> ReadJson(Input* input);

}  // namespace strata::orm_tool

#endif  // STRATA_TOOLS_ORM_ROW_READER_H_
