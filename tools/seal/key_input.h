// Keys and passwords from files and from the terminal.

#ifndef STRATA_TOOLS_SEAL_KEY_INPUT_H_
#define STRATA_TOOLS_SEAL_KEY_INPUT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/crypto/sealed_file.h"

namespace strata::seal {

// A key file is a line of 64 hexadecimal digits.
absl::StatusOr<crypto::SealedFileKey> ReadKeyFile(const std::string& path);

// A new one, for its owner alone; AlreadyExists if there is a file.
absl::Status WriteKeyFile(const std::string& path);

// The password is the first line of the file.
absl::StatusOr<crypto::SealedFileKey> ReadPasswordFile(const std::string& path);

// Asks for a password at the terminal, without showing it; `twice`, and compares.
absl::StatusOr<crypto::SealedFileKey> AskForPassword(bool twice);

}  // namespace strata::seal

#endif  // STRATA_TOOLS_SEAL_KEY_INPUT_H_
