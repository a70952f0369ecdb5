#include <algorithm>

#include "strata/crypto/random.h"
#include "strata/orm/encrypted_journal_internal.h"

namespace strata::orm::internal {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kIdentityBytes = 16;
constexpr std::size_t kJournalHeadBytes = kIdentityBytes + sizeof(std::uint32_t);
constexpr std::size_t kSizeBytes = sizeof(std::uint32_t);
constexpr std::size_t kOffsetBytes = sizeof(std::uint64_t);
constexpr std::size_t kExtentOverheadBytes = kSizeBytes + kOffsetBytes + kMessageOverheadBytes;

// Of one extent's data: large enough for its overhead to vanish.
constexpr std::size_t kMaxExtentBytes = std::size_t{1} << 16;

// A header of SQLite's (https://sqlite.org/fileformat2.html, section 3): magic, then the number of
// records, or all ones where there are no syncs.
constexpr std::uint8_t kMagic[] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
constexpr std::size_t kHeaderBytes = 28;

bool IsZero(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool IsHeader(Bytes bytes) {
  return bytes.size() >= kHeaderBytes &&
         std::equal(std::begin(kMagic), std::end(kMagic), bytes.begin());
}

FileCipher::Position PositionOf(const std::array<std::uint8_t, kIdentityBytes>& identity,
                                std::size_t extent) {
  return {LoadNumber<std::uint64_t>(identity, 0), LoadNumber<std::uint64_t>(identity, 8), extent};
}

int Damaged() {
  return Fail(SQLITE_IOERR_DATA,
              absl::DataLossError("the journal of an unfinished transaction is damaged"));
}

}  // namespace

int JournalFile::Close() {
  const int flushed = Flush();
  main_.set_journal(nullptr);
  const int closed = VfsFile::Close();
  return flushed == SQLITE_OK ? closed : flushed;
}

std::uint64_t JournalFile::End() const {
  const std::uint64_t written = pieces_.empty() ? 0 : pieces_.rbegin()->second.end;
  return gathered_.empty() ? written : std::max(written, gathered_at_ + gathered_.size());
}

// What counts is in the last extent that has it.
void JournalFile::Add(const Extent& extent) {
  const std::uint64_t begin = extent.offset;
  const std::uint64_t end = begin + extent.size;
  auto piece = pieces_.lower_bound(begin);
  if (piece != pieces_.begin()) {
    const auto before = std::prev(piece);
    const Piece old = before->second;
    if (old.end > begin) before->second.end = begin;
    if (old.end > end) pieces_.emplace(end, old);
  }
  while (piece != pieces_.end() && piece->first < end) {
    const Piece old = piece->second;
    piece = pieces_.erase(piece);
    if (old.end > end) pieces_.emplace(end, old);
  }
  pieces_[begin] = {end, extents_.size()};
  extents_.push_back(extent);
}

// False if there is none that opens at `place`; else its text is opened.
bool JournalFile::ReadExtentAt(std::uint64_t place, std::uint64_t size_below, Extent* extent) {
  std::array<std::uint8_t, kSizeBytes> size_bytes = {};
  if (place + kExtentOverheadBytes > size_below || ReadBelow(size_bytes, place) != SQLITE_OK) {
    return false;
  }
  const auto size = LoadNumber<std::uint32_t>(size_bytes, 0);
  if (size == 0 || size > kMaxExtentBytes || place + kExtentOverheadBytes + size > size_below) {
    return false;
  }
  sealed_.resize(kOffsetBytes + size + kMessageOverheadBytes);
  text_.resize(kOffsetBytes + size);
  opened_ = SIZE_MAX;
  if (ReadBelow(sealed_, place + kSizeBytes) != SQLITE_OK ||
      !main_.cipher().OpenMessage(Purpose::kJournal, generation_,
                                  PositionOf(identity_, extents_.size()), sealed_, text_)) {
    return false;
  }
  *extent = {place, LoadNumber<std::uint64_t>(text_, 0), size};
  return true;
}

int JournalFile::Load() {
  started_ = true;
  const Marker marker = main_.ReadMarker();
  std::uint64_t size_below = 0;
  if (const int result = SizeBelow(&size_below); result != SQLITE_OK) return result;
  std::array<std::uint8_t, kJournalHeadBytes> head = {};
  const bool has_head = size_below >= kJournalHeadBytes && ReadBelow(head, 0) == SQLITE_OK;
  if (has_head) {
    std::copy_n(head.begin(), kIdentityBytes, identity_.begin());
    generation_ = LoadNumber<std::uint32_t>(head, kIdentityBytes);
    place_ = kJournalHeadBytes;
    Extent extent;
    while (ReadExtentAt(place_, size_below, &extent)) {
      Add(extent);
      place_ += kExtentOverheadBytes + extent.size;
    }
  }
  synced_extents_ = extents_.size();
  const bool is_whole = has_head && place_ == size_below;
  switch (marker.state) {
    case Marker::State::kClear:
      return SQLITE_OK;
    case Marker::State::kSet:
      return marker.journal == identity_ && extents_.size() >= marker.extents ? SQLITE_OK
                                                                              : Damaged();
    case Marker::State::kDamaged:
      // By a crash while it was written, or not: but no crash also damages the journal.
      return is_whole ? SQLITE_OK : Damaged();
  }
  return Damaged();
}

int JournalFile::Reset() {
  started_ = true;
  unsynced_ = false;
  identity_ = {};
  extents_.clear();
  pieces_.clear();
  place_ = 0;
  synced_extents_ = 0;
  gathered_.clear();
  opened_ = SIZE_MAX;
  return TruncateBelow(0);
}

int JournalFile::Write(Bytes from, std::int64_t offset) {
  const auto at = static_cast<std::uint64_t>(offset);
  // Zeros over the header are how SQLite ends a journal that it keeps. To empty the file does the
  // same, and does not let it grow from one transaction to the next.
  if (at == 0 && from.size() == kHeaderBytes && IsZero(from)) return Reset();
  if (!started_) {
    // What is there from before has been rolled back, or was no journal.
    const int result = at == 0 ? Reset() : Load();
    if (result != SQLITE_OK) return result;
  }
  if (at == 0 && IsHeader(from)) {
    constexpr std::uint32_t kUnsynced = 0xffffffff;
    unsynced_ = LoadNumber<std::uint32_t>(from, sizeof(kMagic)) == kUnsynced;
  }
  std::uint64_t next = at;
  while (!from.empty()) {
    if (!gathered_.empty() &&
        (next != gathered_at_ + gathered_.size() || gathered_.size() == kMaxExtentBytes)) {
      if (const int result = Flush(); result != SQLITE_OK) return result;
    }
    if (gathered_.empty()) gathered_at_ = next;
    const std::size_t size = std::min(from.size(), kMaxExtentBytes - gathered_.size());
    gathered_.insert(gathered_.end(), from.begin(),
                     from.begin() + static_cast<std::ptrdiff_t>(size));
    from = from.subspan(size);
    next += size;
  }
  return SQLITE_OK;
}

int JournalFile::Flush() {
  if (gathered_.empty()) return SQLITE_OK;
  FileCipher& cipher = main_.cipher();
  const std::size_t head_bytes = extents_.empty() ? kJournalHeadBytes : 0;
  if (extents_.empty()) {
    identity_ = crypto::SecureRandom::Bytes<kIdentityBytes>();
    generation_ = cipher.generation();
  } else if (generation_ != cipher.generation()) {
    return Damaged();  // The key was changed under a transaction, which locks forbid.
  }
  const auto size = static_cast<std::uint32_t>(gathered_.size());
  text_.resize(kOffsetBytes + size);
  opened_ = SIZE_MAX;
  StoreNumber(gathered_at_, text_, 0);
  std::copy(gathered_.begin(), gathered_.end(), text_.begin() + kOffsetBytes);

  sealed_.resize(head_bytes + kExtentOverheadBytes + size);
  const std::span<std::uint8_t> sealed(sealed_);
  if (head_bytes != 0) {
    std::copy(identity_.begin(), identity_.end(), sealed.begin());
    StoreNumber(generation_, sealed, kIdentityBytes);
  }
  StoreNumber(size, sealed, head_bytes);
  absl::Status status =
      cipher.SealMessage(Purpose::kJournal, PositionOf(identity_, extents_.size()), text_,
                         sealed.subspan(head_bytes + kSizeBytes));
  if (!status.ok()) return Fail(SQLITE_IOERR_DATA, std::move(status));
  const std::uint64_t place = extents_.empty() ? 0 : place_;
  if (const int result = WriteBelow(sealed, place); result != SQLITE_OK) return result;
  Add({place + head_bytes, gathered_at_, size});
  place_ = place + sealed.size();
  gathered_.clear();
  return SQLITE_OK;
}

int JournalFile::OpenExtent(std::size_t extent) {
  if (opened_ == extent) return SQLITE_OK;
  const Extent& of = extents_[extent];
  sealed_.resize(kOffsetBytes + of.size + kMessageOverheadBytes);
  text_.resize(kOffsetBytes + of.size);
  opened_ = SIZE_MAX;
  const int result = ReadBelow(sealed_, of.place + kSizeBytes);
  if (result == SQLITE_IOERR_SHORT_READ) return Damaged();
  if (result != SQLITE_OK) return result;
  if (!main_.cipher().OpenMessage(Purpose::kJournal, generation_, PositionOf(identity_, extent),
                                  sealed_, text_)) {
    return Damaged();
  }
  opened_ = extent;
  return SQLITE_OK;
}

int JournalFile::Read(std::span<std::uint8_t> to, std::int64_t offset) {
  if (!started_) {
    if (const int result = Load(); result != SQLITE_OK) return result;
  }
  const auto begin = static_cast<std::uint64_t>(offset);
  const std::uint64_t end = begin + to.size();
  std::fill(to.begin(), to.end(), std::uint8_t{0});
  const auto copy = [&](std::uint64_t from, Bytes bytes) {
    const std::uint64_t first = std::max(from, begin);
    const std::uint64_t last = std::min(from + bytes.size(), end);
    if (first >= last) return;
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(first - from), last - first,
                to.begin() + static_cast<std::ptrdiff_t>(first - begin));
  };
  auto piece = pieces_.upper_bound(begin);
  if (piece != pieces_.begin()) --piece;
  for (; piece != pieces_.end() && piece->first < end; ++piece) {
    const auto [piece_end, extent] = piece->second;
    if (piece_end <= begin) continue;
    if (const int result = OpenExtent(extent); result != SQLITE_OK) return result;
    const std::uint64_t skipped = piece->first - extents_[extent].offset;
    copy(piece->first, Bytes(text_).subspan(kOffsetBytes + skipped, piece_end - piece->first));
  }
  copy(gathered_at_, gathered_);
  return end > End() ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

int JournalFile::Truncate(std::int64_t size) {
  // Another size is a limit to what SQLite keeps of a journal that has ended: nothing, here.
  return size == 0 ? Reset() : SQLITE_OK;
}

int JournalFile::Sync(int flags) {
  int result = Flush();
  if (result == SQLITE_OK) result = VfsFile::Sync(flags);
  if (result == SQLITE_OK) synced_extents_ = extents_.size();
  return result;
}

int JournalFile::FileSize(std::int64_t* size) {
  if (!started_) {
    if (const int result = Load(); result != SQLITE_OK) return result;
  }
  *size = static_cast<std::int64_t>(End());
  return SQLITE_OK;
}

}  // namespace strata::orm::internal
