// The log's thread and its producers.

#include "strata/http/access_log.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "strata/http/record_ring_internal.h"

namespace strata::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view kStandardOutput = "-";

// What is written at once; room for the longest record.
constexpr std::size_t kPieceBytes = AccessLog::kMinBufferBytes;

constexpr std::chrono::seconds kReportInterval{1};

// A producer wakes the thread each time it has filled this part of its buffer.
constexpr std::size_t kWakePart = 4;

std::uint64_t CountLines(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

// Wakes the log's thread.
class Waker {
 public:
  Waker() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Waker() {
    if (fd_ >= 0) ::close(fd_);
  }
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  bool ok() const { return fd_ >= 0; }

  // Never waits: a counter that is full has woken already.
  void Wake() {
    const std::uint64_t one = 1;
    (void)!::write(fd_, &one, sizeof(one));
  }

  void Wait(milliseconds most) {
    pollfd wanted = {fd_, POLLIN, 0};
    ::poll(&wanted, 1, static_cast<int>(most.count()));
    std::uint64_t count;
    (void)!::read(fd_, &count, sizeof(count));
  }

 private:
  const int fd_;
};

// What a producer and the log share.
struct Channel {
  Channel(std::size_t buffer_bytes, std::shared_ptr<Waker> w)
      : ring(buffer_bytes), waker(std::move(w)) {}

  RecordRing ring;
  const std::shared_ptr<Waker> waker;
  std::atomic<bool> producer_gone{false};
  std::atomic<bool> log_gone{false};
  std::atomic<std::uint64_t> dropped{0};  // Counted by the producer alone.
};

struct Blocked {
  Blocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
  }
  ~Blocked() { pthread_sigmask(SIG_SETMASK, &before, nullptr); }
  sigset_t before;
};

}  // namespace

struct AccessLog::Producer::Impl {
  Impl(std::shared_ptr<Channel> c, AccessLogFormat format, std::size_t wake)
      : channel(std::move(c)), writer(format), wake_bytes(wake) {}

  const std::shared_ptr<Channel> channel;
  AccessRecordWriter writer;
  const std::size_t wake_bytes;
  std::size_t since_wake = 0;
};

AccessLog::Producer::Producer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

AccessLog::Producer::~Producer() {
  impl_->channel->producer_gone.store(true, std::memory_order_release);
}

bool AccessLog::Producer::Append(const AccessRecord& record) {
  Channel& channel = *impl_->channel;
  char* at = channel.ring.Reserve(AccessRecordWriter::MaxBytes(record));
  if (!at || channel.log_gone.load(std::memory_order_relaxed)) {
    channel.dropped.store(channel.dropped.load(std::memory_order_relaxed) + 1,
                          std::memory_order_relaxed);
    return false;
  }
  const auto size = static_cast<std::size_t>(impl_->writer.Write(record, at) - at);
  channel.ring.Commit(size);
  impl_->since_wake += size;
  if (impl_->since_wake >= impl_->wake_bytes) {
    impl_->since_wake = 0;
    channel.waker->Wake();
  }
  return true;
}

class AccessLog::Writer {
 public:
  Writer(Options options, int fd);
  ~Writer();

  // A descriptor, or -1 and errno.
  static int OpenFile(const std::string& path);

  bool ok() const { return waker_->ok(); }
  void Start();

  std::unique_ptr<Producer> NewProducer();
  void Reopen();
  void Flush();
  Counts counts() const;

 private:
  // A channel and what of its bytes this round takes: not more, so that it ends.
  struct Source {
    std::shared_ptr<Channel> channel;
    std::size_t left;
  };

  void Run();
  std::vector<Source> Sources();
  void WriteAll();
  void Gather(std::vector<Source>& sources);
  bool WritePiece();
  bool ReadyForMore();
  void ReopenNow();
  void DropTheRest();
  void Use(int fd);
  void Failed(int error, std::string_view what);
  void ReportDropped(bool at_once);
  bool TimeToReport();
  std::uint64_t DroppedLocked() const;

  Options options_;
  const std::shared_ptr<Waker> waker_ = std::make_shared<Waker>();
  std::thread thread_;

  // Of the thread.
  int fd_ = -1;
  bool regular_ = false;
  std::string piece_;        // Whole lines, of which
  std::size_t written_ = 0;  // so many bytes are in the file.
  std::uint64_t reported_dropped_ = 0;
  steady_clock::time_point last_report_ = steady_clock::time_point() - kReportInterval;

  mutable std::mutex mutex_;
  std::condition_variable flushed_;
  std::vector<std::shared_ptr<Channel>> channels_;
  std::uint64_t flush_asked_ = 0;
  std::uint64_t flush_done_ = 0;
  std::uint64_t dropped_ = 0;  // But for those that channels_ counts.
  bool reopen_ = false;
  bool stop_ = false;

  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> errors_{0};
  std::atomic<std::uint64_t> reopened_{0};
};

int AccessLog::Writer::OpenFile(const std::string& path) {
  // The standard output is shared with others, who may not expect it not to wait: there poll()
  // alone has to do.
  if (path == kStandardOutput) return ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  // Not to wait for a pipe's reader, here or later; for files it has no effect.
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                S_IRUSR | S_IWUSR | S_IRGRP);
}

AccessLog::Writer::Writer(Options options, int fd) : options_(std::move(options)) {
  Use(fd);
  if (!options_.on_error) {
    options_.on_error = [](const absl::Status& status) {
      std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
    };
  }
  piece_.reserve(kPieceBytes);
}

AccessLog::Writer::~Writer() {
  if (thread_.joinable()) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    waker_->Wake();
    thread_.join();
  }
  ::close(fd_);
}

void AccessLog::Writer::Start() {
  // Signals are for others: also SIGPIPE, for which EPIPE has to do.
  const Blocked blocked;
  thread_ = std::thread([this] { Run(); });
  ::pthread_setname_np(thread_.native_handle(), "access log");
}

std::unique_ptr<AccessLog::Producer> AccessLog::Writer::NewProducer() {
  auto channel = std::make_shared<Channel>(options_.buffer_bytes, waker_);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    channels_.push_back(channel);
  }
  return std::unique_ptr<Producer>(new Producer(std::make_unique<Producer::Impl>(
      std::move(channel), options_.format, options_.buffer_bytes / kWakePart)));
}

void AccessLog::Writer::Reopen() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    reopen_ = true;
  }
  waker_->Wake();
}

void AccessLog::Writer::Flush() {
  std::unique_lock<std::mutex> lock(mutex_);
  const std::uint64_t mine = ++flush_asked_;
  waker_->Wake();
  flushed_.wait(lock, [&] { return flush_done_ >= mine; });
}

std::uint64_t AccessLog::Writer::DroppedLocked() const {
  std::uint64_t dropped = dropped_;
  for (const std::shared_ptr<Channel>& channel : channels_) {
    dropped += channel->dropped.load(std::memory_order_relaxed);
  }
  return dropped;
}

AccessLog::Counts AccessLog::Writer::counts() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return {bytes_.load(std::memory_order_relaxed), DroppedLocked(),
          errors_.load(std::memory_order_relaxed), reopened_.load(std::memory_order_relaxed)};
}

void AccessLog::Writer::Use(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
  struct stat status;
  regular_ = ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
}

void AccessLog::Writer::Run() {
  for (bool stop = false; !stop;) {
    waker_->Wait(options_.flush_interval);
    std::uint64_t flush;
    bool reopen;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop = stop_;
      flush = flush_asked_;
      reopen = std::exchange(reopen_, false);
    }
    if (reopen) ReopenNow();
    WriteAll();
    if (stop) DropTheRest();
    ReportDropped(stop);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      flush_done_ = flush;
    }
    flushed_.notify_all();
  }
}

// All channels, without those that will never have anything again.
std::vector<AccessLog::Writer::Source> AccessLog::Writer::Sources() {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<Source> sources;
  std::erase_if(channels_, [&](const std::shared_ptr<Channel>& channel) {
    // First this, and then how much there is.
    const bool gone = channel->producer_gone.load(std::memory_order_acquire);
    const std::size_t readable = channel->ring.Readable();
    if (readable > 0) {
      sources.push_back({channel, readable});
    } else if (gone) {
      dropped_ += channel->dropped.load(std::memory_order_relaxed);
      return true;
    }
    return false;
  });
  return sources;
}

void AccessLog::Writer::WriteAll() {
  std::vector<Source> sources = Sources();
  for (;;) {
    if (piece_.empty()) Gather(sources);
    if (piece_.empty() || !WritePiece()) return;
  }
}

// Fills the piece with whole lines.
void AccessLog::Writer::Gather(std::vector<Source>& sources) {
  for (Source& source : sources) {
    RecordRing& ring = source.channel->ring;
    while (source.left > 0) {
      std::string_view lines = ring.Peek().substr(0, source.left);
      const std::size_t room = kPieceBytes - piece_.size();
      if (lines.size() > room) lines = lines.substr(0, lines.substr(0, room).rfind('\n') + 1);
      if (lines.empty()) return;  // Full.
      piece_ += lines;
      ring.Consume(lines.size());
      source.left -= lines.size();
    }
  }
}

// Whether a pipe or a device takes bytes now or soon.
bool AccessLog::Writer::ReadyForMore() {
  if (regular_) return true;
  pollfd wanted = {fd_, POLLOUT, 0};
  return ::poll(&wanted, 1, static_cast<int>(options_.flush_interval.count())) > 0;
}

// False if it could not be written now. What of it was written is not lost or written again.
bool AccessLog::Writer::WritePiece() {
  while (written_ < piece_.size()) {
    if (!ReadyForMore()) return false;
    std::size_t size = piece_.size() - written_;
    if (!regular_) size = std::min<std::size_t>(size, PIPE_BUF);
    const ssize_t done = ::write(fd_, piece_.data() + written_, size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0 && errno == EAGAIN) return false;
    if (done <= 0) {
      Failed(done < 0 ? errno : ENOSPC, "write");
      return false;
    }
    written_ += static_cast<std::size_t>(done);
    bytes_.fetch_add(static_cast<std::uint64_t>(done), std::memory_order_relaxed);
  }
  piece_.clear();
  written_ = 0;
  return true;
}

void AccessLog::Writer::ReopenNow() {
  if (options_.path == kStandardOutput) return;
  const int fd = OpenFile(options_.path);
  if (fd < 0) return Failed(errno, "open");
  Use(fd);
  reopened_.fetch_add(1, std::memory_order_relaxed);

  // A line that the old file got a part of has no place in the new one.
  if (written_ > 0 && piece_[written_ - 1] != '\n') {
    written_ = piece_.find('\n', written_) + 1;
    std::lock_guard<std::mutex> lock(mutex_);
    ++dropped_;
  }
}

void AccessLog::Writer::DropTheRest() {
  std::lock_guard<std::mutex> lock(mutex_);
  for (const std::shared_ptr<Channel>& channel : channels_) {
    channel->log_gone.store(true, std::memory_order_relaxed);
    while (channel->ring.Readable() > 0) {
      const std::string_view lines = channel->ring.Peek();
      dropped_ += CountLines(lines);
      channel->ring.Consume(lines.size());
    }
  }
  dropped_ += CountLines(std::string_view(piece_).substr(written_));
  piece_.clear();
}

bool AccessLog::Writer::TimeToReport() {
  const steady_clock::time_point now = steady_clock::now();
  if (now - last_report_ < kReportInterval) return false;
  last_report_ = now;
  return true;
}

void AccessLog::Writer::Failed(int error, std::string_view what) {
  const std::uint64_t errors = errors_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (!TimeToReport()) return;
  options_.on_error(absl::ErrnoToStatus(
      error,
      absl::StrCat("access log ", options_.path, ": ", what, " (", errors, " errors so far)")));
}

void AccessLog::Writer::ReportDropped(bool at_once) {
  std::uint64_t dropped;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    dropped = DroppedLocked();
  }
  if (dropped == reported_dropped_ || !(TimeToReport() || at_once)) return;
  reported_dropped_ = dropped;
  options_.on_error(absl::ResourceExhaustedError(
      absl::StrCat("access log ", options_.path, ": ", dropped, " records dropped so far")));
}

AccessLog::AccessLog(std::unique_ptr<Writer> writer) : writer_(std::move(writer)) {}

AccessLog::~AccessLog() = default;

absl::StatusOr<std::unique_ptr<AccessLog>> AccessLog::Open(Options options) {
  if (options.path.empty()) return absl::InvalidArgumentError("access log: no path");
  if (options.buffer_bytes < kMinBufferBytes || options.buffer_bytes > kMaxBufferBytes) {
    return absl::InvalidArgumentError(absl::StrCat("access log: buffer_bytes is ",
                                                   options.buffer_bytes, ", not from ",
                                                   kMinBufferBytes, " to ", kMaxBufferBytes));
  }
  constexpr std::chrono::hours kLongest{1};
  if (options.flush_interval < milliseconds(1) || options.flush_interval > kLongest) {
    return absl::InvalidArgumentError("access log: flush_interval is not from 1 ms to an hour");
  }
  const int fd = Writer::OpenFile(options.path);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("access log: open ", options.path));
  auto writer = std::make_unique<Writer>(std::move(options), fd);
  if (!writer->ok()) return absl::ErrnoToStatus(errno, "access log: eventfd");
  writer->Start();
  return std::unique_ptr<AccessLog>(new AccessLog(std::move(writer)));
}

std::unique_ptr<AccessLog::Producer> AccessLog::NewProducer() { return writer_->NewProducer(); }

void AccessLog::Reopen() { writer_->Reopen(); }

void AccessLog::Flush() { writer_->Flush(); }

AccessLog::Counts AccessLog::counts() const { return writer_->counts(); }

}  // namespace strata::http
