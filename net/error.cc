// Errors and their names.

#include "strata/net/error.h"

#include "absl/strings/str_cat.h"

namespace strata::net {
namespace {

struct Meaning {
  std::string_view name;
  absl::StatusCode code;
};

Meaning MeaningOf(Error error) {
  using Code = absl::StatusCode;
  switch (error) {
    case Error::kOk:
      return {"no error", Code::kOk};
    case Error::kReset:
      return {"connection reset", Code::kUnavailable};
    case Error::kRefused:
      return {"connection refused", Code::kUnavailable};
    case Error::kUnreachable:
      return {"host or network unreachable", Code::kUnavailable};
    case Error::kTimedOut:
      return {"timed out", Code::kDeadlineExceeded};
    case Error::kTooSlow:
      return {"the peer sends too slowly", Code::kDeadlineExceeded};
    case Error::kBadProxyHeader:
      return {"no valid PROXY header", Code::kInvalidArgument};
    case Error::kTls:
      return {"TLS failure", Code::kUnavailable};
    case Error::kTlsTruncated:
      return {"ended without a TLS close_notify", Code::kDataLoss};
    case Error::kNotFound:
      return {"not found", Code::kNotFound};
    case Error::kAddressInUse:
      return {"address in use", Code::kAlreadyExists};
    case Error::kAddressNotAvailable:
      return {"not an address of this machine", Code::kInvalidArgument};
    case Error::kInvalidArgument:
      return {"invalid argument", Code::kInvalidArgument};
    case Error::kUnsupported:
      return {"not supported by this system", Code::kUnimplemented};
    case Error::kAccessDenied:
      return {"access denied", Code::kPermissionDenied};
    case Error::kTooManyFiles:
      return {"no descriptor left", Code::kResourceExhausted};
    case Error::kNoMemory:
      return {"no memory left", Code::kResourceExhausted};
    case Error::kMessageTooLong:
      return {"message too long", Code::kInvalidArgument};
    case Error::kEndOfFile:
      return {"the file is too short", Code::kOutOfRange};
    case Error::kClosed:
      return {"closed", Code::kFailedPrecondition};
    case Error::kCancelled:
      return {"cancelled", Code::kCancelled};
    case Error::kWrongThread:
      return {"called by another thread than the loop's", Code::kFailedPrecondition};
    case Error::kQueueFull:
      return {"queue full", Code::kResourceExhausted};
    case Error::kWouldBlock:
      return {"would block", Code::kUnavailable};
    case Error::kOther:
      break;
  }
  return {"system error", Code::kUnknown};
}

}  // namespace

std::string_view ErrorName(Error error) { return MeaningOf(error).name; }

absl::Status ToStatus(Error error, std::string_view what) {
  const Meaning meaning = MeaningOf(error);
  if (error == Error::kOk) return absl::OkStatus();
  return absl::Status(meaning.code, absl::StrCat(what, ": ", meaning.name));
}

}  // namespace strata::net
