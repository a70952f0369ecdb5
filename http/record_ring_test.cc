// Records come out as they went in, whole and in order, wherever the buffer ends.

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "strata/http/record_ring_internal.h"

namespace strata::http {
namespace {

// Each RecordRing of these tests is on the heap: on the stack that GCC's AddressSanitizer makes for
// the use after return, what wants 64 bytes may get 32.

bool Append(RecordRing& ring, std::string_view record, std::size_t reserve) {
  char* at = ring.Reserve(reserve);
  if (!at) return false;
  std::memset(at, '?', reserve);  // What was reserved may be written, what is committed counts.
  std::memcpy(at, record.data(), record.size());
  ring.Commit(record.size());
  return true;
}

TEST(RecordRingTest, IsEmptyAtFirst) {
  const auto owner = std::make_unique<RecordRing>(10);
  RecordRing& ring = *owner;
  EXPECT_EQ(ring.Readable(), 0u);
  EXPECT_TRUE(ring.Peek().empty());
}

TEST(RecordRingTest, TakesNoMoreThanItsSize) {
  const auto owner = std::make_unique<RecordRing>(10);
  RecordRing& ring = *owner;
  EXPECT_EQ(ring.Reserve(11), nullptr);
  EXPECT_TRUE(Append(ring, "0123456789", 10));
  EXPECT_EQ(ring.Reserve(1), nullptr);
  EXPECT_EQ(ring.Peek(), "0123456789");
  ring.Consume(4);
  EXPECT_EQ(ring.Readable(), 6u);
  EXPECT_EQ(ring.Reserve(4), nullptr);  // It would be empty then.
  EXPECT_TRUE(Append(ring, "abc", 3));
  EXPECT_EQ(ring.Readable(), 9u);
  EXPECT_EQ(ring.Peek(), "456789");
  ring.Consume(6);
  EXPECT_EQ(ring.Peek(), "abc");
  ring.Consume(3);
  EXPECT_EQ(ring.Readable(), 0u);
}

TEST(RecordRingTest, ARecordThatDoesNotFitAtTheEndGoesToTheBeginning) {
  const auto owner = std::make_unique<RecordRing>(10);
  RecordRing& ring = *owner;
  EXPECT_TRUE(Append(ring, "0123456", 7));
  ring.Consume(5);
  EXPECT_TRUE(Append(ring, "abcd", 4));
  EXPECT_EQ(ring.Readable(), 6u);
  EXPECT_EQ(ring.Peek(), "56");
  ring.Consume(2);
  EXPECT_EQ(ring.Peek(), "abcd");
}

TEST(RecordRingTest, AnEmptyOneHasRoomWhereverItStands) {
  const auto owner = std::make_unique<RecordRing>(10);
  RecordRing& ring = *owner;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(Append(ring, "abcd", 4)) << i;
    ASSERT_EQ(ring.Peek(), "abcd");
    ring.Consume(4);
  }
}

TEST(RecordRingTest, IsWhatAQueueIs) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const auto owner = std::make_unique<RecordRing>(64);
  RecordRing& ring = *owner;
  std::string queue;
  char next = 'a';
  std::size_t appended = 0;
  for (int i = 0; i < 200'000; ++i) {
    if (random() % 2) {
      const std::string record(1 + random() % 20, next);
      if (Append(ring, record, record.size() + random() % 10)) {
        queue += record;
        ++appended;
        next = next == 'z' ? 'a' : static_cast<char>(next + 1);
      }
    } else {
      const std::string_view bytes = ring.Peek();
      ASSERT_EQ(bytes.empty(), queue.empty());
      const std::size_t size = bytes.empty() ? 0 : 1 + random() % bytes.size();
      ASSERT_EQ(bytes, queue.substr(0, bytes.size()));
      ring.Consume(size);
      queue.erase(0, size);
    }
    ASSERT_EQ(ring.Readable(), queue.size());
  }
  EXPECT_GT(appended, 10'000u);
}

TEST(RecordRingTest, OneThreadWritesAndAnotherReads) {
  constexpr std::uint32_t kRecords = 200'000;
  const auto owner = std::make_unique<RecordRing>(1000);
  RecordRing& ring = *owner;
  std::thread writer([&ring] {
    for (std::uint32_t i = 0; i < kRecords; ++i) {
      const std::string record = std::to_string(i) + "\n";
      while (!Append(ring, record, record.size() + i % 50)) std::this_thread::yield();
    }
  });
  std::uint32_t expected = 0;
  while (expected < kRecords) {
    std::string_view bytes = ring.Peek();
    if (bytes.empty()) std::this_thread::yield();
    const std::size_t size = bytes.size();
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      ASSERT_NE(end, std::string_view::npos);
      ASSERT_EQ(bytes.substr(0, end), std::to_string(expected));
      ++expected;
      bytes.remove_prefix(end + 1);
    }
    ring.Consume(size);
  }
  writer.join();
}

}  // namespace
}  // namespace strata::http
