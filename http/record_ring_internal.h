// Bytes from one thread to another: records of any size, each in one piece, in a buffer of fixed
// size, without locks or waiting on either side. (A "bip buffer" of Simon Cooke, 2003, by two
// threads.)
//
// Where a record does not fit between the last one and the buffer's end it goes to the beginning,
// and the place where the last one ended is kept.

#ifndef STRATA_HTTP_RECORD_RING_INTERNAL_H_
#define STRATA_HTTP_RECORD_RING_INTERNAL_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>

namespace strata::http {

class RecordRing {
 public:
  explicit RecordRing(std::size_t size)
      : size_(size), bytes_(std::make_unique_for_overwrite<char[]>(size)) {}

  // Room for `size` bytes in one piece, or null. By the writing thread.
  char* Reserve(std::size_t size) {
    if (char* at = TryReserve(size)) return at;
    known_read_ = read_.load(std::memory_order_acquire);
    return TryReserve(size);
  }

  // Hands over the first `size` bytes of what was reserved last.
  void Commit(std::size_t size) {
    if (reserved_ == 0 && own_write_ != 0) end_.store(own_write_, std::memory_order_relaxed);
    own_write_ = reserved_ + size;
    write_.store(own_write_, std::memory_order_release);
  }

  // How many bytes there are. By the reading thread.
  std::size_t Readable() const {
    const std::size_t write = write_.load(std::memory_order_acquire);
    const std::size_t read = read_.load(std::memory_order_relaxed);
    if (write >= read) return write - read;
    return end_.load(std::memory_order_relaxed) - read + write;
  }

  // The next of them in one piece; none if there are none.
  std::string_view Peek() {
    const std::size_t write = write_.load(std::memory_order_acquire);
    std::size_t read = read_.load(std::memory_order_relaxed);
    if (write < read) {
      const std::size_t end = end_.load(std::memory_order_relaxed);
      if (read < end) return {bytes_.get() + read, end - read};
      read = 0;
      read_.store(0, std::memory_order_release);
    }
    return {bytes_.get() + read, write - read};
  }

  // Gives back the room of the first `size` bytes of these.
  void Consume(std::size_t size) {
    read_.store(read_.load(std::memory_order_relaxed) + size, std::memory_order_release);
  }

 private:
  // With what is known of the reader, which may have come further.
  char* TryReserve(std::size_t size) {
    reserved_ = own_write_;
    if (own_write_ >= known_read_) {
      if (size <= size_ - own_write_) return bytes_.get() + reserved_;
      reserved_ = 0;
    }
    // Not up to the reader: equal means empty.
    return size < known_read_ - reserved_ ? bytes_.get() + reserved_ : nullptr;
  }

  const std::size_t size_;
  const std::unique_ptr<char[]> bytes_;

  // Of the writing thread.
  alignas(64) std::size_t own_write_ = 0;
  std::size_t reserved_ = 0;
  std::size_t known_read_ = 0;
  std::atomic<std::size_t> write_{0};
  std::atomic<std::size_t> end_{0};  // Of what is before the beginning, when write_ < read_.

  // Of the reading thread.
  alignas(64) std::atomic<std::size_t> read_{0};
};

}  // namespace strata::http

#endif  // STRATA_HTTP_RECORD_RING_INTERNAL_H_
