// File: access_log.h
//
// An access log that never makes a request wait: loops leave lines in buffers of their own, and a
// thread writes them to the file in big pieces.
//
//   auto log = AccessLog::Open({.path = "/var/log/site/access.log"});
//   std::unique_ptr<AccessLog::Producer> producer = (*log)->NewProducer();  // One for each loop.
//   producer->Append(record);
//   loop.OnSignal(SIGHUP, [&] { (*log)->Reopen(); });  // After the file was renamed away.
//
// Append() formats the record (access_record.h) into the loop's buffer, without a lock and without
// a system call but to wake the thread now and then. When the buffer is full the record is dropped,
// and counted: a disk that is slow or full costs lines of the log and nothing else. What could not
// be written is tried again until it can; lines are never torn, but by the end of a disk at the end
// of a file.
//
// Linux alone.

#ifndef STRATA_HTTP_ACCESS_LOG_H_
#define STRATA_HTTP_ACCESS_LOG_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/http/access_record.h"

namespace strata::http {

class AccessLog {
 public:
  struct Options {
    // A file to append to, made if it is not there (mode 0640); or a pipe or a device. "-" is the
    // standard output, which Reopen() leaves alone.
    std::string path = {};

    AccessLogFormat format = AccessLogFormat::kCombined;

    // Of each producer, from kMinBufferBytes to kMaxBufferBytes: at 250,000 short lines a second,
    // 40 ms.
    std::size_t buffer_bytes = 1 << 20;

    // A line is in the file after so long at most, if that can be written. At least 1 ms.
    std::chrono::milliseconds flush_interval{500};

    // Called by the log's thread when lines cannot be written, the file not be opened again, or
    // records were dropped: at most once a second, and once more at the end. By default a line on
    // the standard error.
    absl::AnyInvocable<void(const absl::Status&)> on_error = nullptr;
  };

  // Room for the longest record.
  static constexpr std::size_t kMinBufferBytes = 1 << 18;
  static constexpr std::size_t kMaxBufferBytes = std::size_t{1} << 30;

  // Opens the file and starts the thread. InvalidArgument for options out of bounds; the system's
  // error, with the path, if the file cannot be opened.
  static absl::StatusOr<std::unique_ptr<AccessLog>> Open(Options options);

  // Writes what is left, once more if it could not be written before: what cannot be then is
  // dropped. A pipe that nobody reads is not waited for. Producers may outlive the log; what they
  // append then is dropped.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  class Producer {
   public:
    // What it appended is written all the same.
    ~Producer();
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;

    // By one thread at a time. False if there was no room.
    bool Append(const AccessRecord& record);

   private:
    friend class AccessLog;
    struct Impl;
    explicit Producer(std::unique_ptr<Impl> impl);
    const std::unique_ptr<Impl> impl_;
  };

  // From any thread.
  std::unique_ptr<Producer> NewProducer();

  // From any thread, and soon done by the log's: opens the path anew, and writes there. If that
  // fails the old file is kept, and the error reported.
  void Reopen();

  // Waits until all that was appended before is written, or has failed to be. Not for loops.
  void Flush();

  struct Counts {
    std::uint64_t bytes;    // Written.
    std::uint64_t dropped;  // Records.
    std::uint64_t errors;   // Of writing and opening.
    std::uint64_t reopened;
  };
  Counts counts() const;

 private:
  class Writer;
  explicit AccessLog(std::unique_ptr<Writer> writer);
  const std::unique_ptr<Writer> writer_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_ACCESS_LOG_H_
