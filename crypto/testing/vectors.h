// Published test vectors, read from data files.
//
// A file holds cases, apart by empty lines; a case holds lines "name = value"; a line that begins
// with '#' is a comment, and the first ones name the file's source.

#ifndef STRATA_CRYPTO_TESTING_VECTORS_H_
#define STRATA_CRYPTO_TESTING_VECTORS_H_

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace strata::crypto::testing {

using Bytes = std::vector<std::uint8_t>;

class VectorCase {
 public:
  // Each ends the process with a message if the case has no such name, or no such value.
  std::string Text(const std::string& name) const;
  Bytes Hex(const std::string& name) const;
  std::uint64_t Number(const std::string& name) const;

  bool Has(const std::string& name) const { return values_.count(name) != 0; }

  // Where the case stands, for a failure's message.
  friend std::ostream& operator<<(std::ostream& out, const VectorCase& vector) {
    return out << vector.file_ << ":" << vector.line_;
  }

 private:
  friend std::vector<VectorCase> ReadVectors(const std::string& file);

  std::map<std::string, std::string> values_;
  std::string file_;
  int line_ = 0;
};

// The cases of crypto/testdata/`file`; ends the process if there are none.
std::vector<VectorCase> ReadVectors(const std::string& file);

// The whole of crypto/testdata/`file`; ends the process if it cannot be read.
std::string ReadTestFile(const std::string& file);

// The bytes of a hexadecimal string; ends the process if it is none.
Bytes FromHex(std::string_view hex);
std::string ToHex(const Bytes& bytes);

// The characters of bytes.
std::string_view AsText(const Bytes& bytes);

}  // namespace strata::crypto::testing

#endif  // STRATA_CRYPTO_TESTING_VECTORS_H_
