#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/crypto/random.h"
#include "strata/orm/encrypted_journal_internal.h"
#include "strata/orm/encrypted_main_file_internal.h"

namespace strata::orm::internal {
namespace {

// The marker: text of state (4), extents (8), identity of the journal (16), sealed; generation (4).
constexpr std::size_t kMarkerTextBytes = 28;
constexpr std::size_t kMarkerSealedBytes = kMarkerTextBytes + kMessageOverheadBytes;
constexpr std::size_t kMarkerBytes = kMarkerSealedBytes + 4;
constexpr FileCipher::Position kMarkerPosition = {0, 0, 0};

// Reading the first bytes of the database without a lock, SQLite may meet a page that is just being
// written. It looks at page 1 again when it has the lock.
constexpr int kTornByRace = SQLITE_IOERR_SHORT_READ;

}  // namespace

MainFile::MainFile(sqlite3_vfs* vfs, std::shared_ptr<KeySource> keys)
    : VfsFile(vfs), vfs_(vfs), keys_(std::move(keys)) {}

MainFile::~MainFile() = default;

int MainFile::Close() { return VfsFile::Close(); }

int MainFile::ReadPage(std::uint64_t page, std::span<std::uint8_t> to) {
  const int result = ReadBelow(sealed_, PlaceOf(page));
  if (result == SQLITE_IOERR_SHORT_READ) {
    // Behind the end is nothing; but SQLite would go on with a part of a page, too.
    std::fill(to.begin(), to.end(), std::uint8_t{0});
    std::uint64_t size = 0;
    if (SizeBelow(&size) == SQLITE_OK && size <= PlaceOf(page)) return result;
    return Fail(SQLITE_IOERR_DATA, absl::DataLossError(absl::StrCat("page ", page, " is cut off")));
  }
  if (result != SQLITE_OK) return result;
  absl::Status status = cipher_->OpenPage(static_cast<std::uint32_t>(page), sealed_, to);
  if (status.ok()) return SQLITE_OK;
  return Fail(SQLITE_IOERR_DATA, std::move(status));
}

int MainFile::Read(std::span<std::uint8_t> to, std::int64_t offset) {
  const std::uint64_t page = static_cast<std::uint64_t>(offset) / page_bytes() + 1;
  const std::size_t within = static_cast<std::uint64_t>(offset) % page_bytes();
  if (within == 0 && to.size() == page_bytes()) return ReadPage(page, to);
  // A part of one page: SQLite reads that of page 1 alone.
  if (within + to.size() > page_bytes()) return SQLITE_IOERR_READ;
  const int result = ReadPage(page, page_);
  std::copy_n(page_.begin() + static_cast<std::ptrdiff_t>(within), to.size(), to.begin());
  return result == SQLITE_IOERR_DATA && lock_ == SQLITE_LOCK_NONE ? kTornByRace : result;
}

int MainFile::PageCount(std::uint64_t* pages) {
  std::uint64_t size = 0;
  const int result = SizeBelow(&size);
  *pages = size < kHeadBytes ? 0 : (size - kHeadBytes) / page_bytes();
  return result;
}

int MainFile::WritePage(std::uint64_t page, std::span<const std::uint8_t> from) {
  absl::Status status = cipher_->SealPage(static_cast<std::uint32_t>(page), from, sealed_);
  if (!status.ok()) return Fail(SQLITE_IOERR_DATA, std::move(status));
  return WriteBelow(sealed_, PlaceOf(page));
}

// SQLite leaves out pages that it does not need to write, and the file system would fill them with
// zeros, which do not open.
int MainFile::FillGapBefore(std::uint64_t page) {
  if (page <= known_pages_ + 1) return SQLITE_OK;
  int result = PageCount(&known_pages_);
  std::fill(page_.begin(), page_.end(), std::uint8_t{0});
  while (result == SQLITE_OK && known_pages_ + 1 < page) {
    result = WritePage(known_pages_ + 1, page_);
    if (result == SQLITE_OK) ++known_pages_;
  }
  return result;
}

int MainFile::Write(std::span<const std::uint8_t> from, std::int64_t offset) {
  if (from.size() != page_bytes() || static_cast<std::uint64_t>(offset) % page_bytes() != 0) {
    return Fail(SQLITE_IOERR_DATA, absl::InvalidArgumentError(absl::StrCat(
                                       "pages of the database have ", page_bytes(), " bytes")));
  }
  const std::uint64_t page = static_cast<std::uint64_t>(offset) / page_bytes() + 1;
  int result = MarkJournal();
  if (result == SQLITE_OK) result = FillGapBefore(page);
  if (result == SQLITE_OK) result = WritePage(page, from);
  if (result == SQLITE_OK) known_pages_ = std::max(known_pages_, page);
  return result;
}

int MainFile::Truncate(std::int64_t size) {
  known_pages_ = 0;
  return TruncateBelow(kHeadBytes + static_cast<std::uint64_t>(size));
}

int MainFile::FileSize(std::int64_t* size) {
  std::uint64_t below = 0;
  const int result = SizeBelow(&below);
  *size = static_cast<std::int64_t>(below < kHeadBytes ? 0 : below - kHeadBytes);
  return result;
}

int MainFile::Lock(int level) {
  const int result = VfsFile::Lock(level);
  if (result != SQLITE_OK) return result;
  const bool first = lock_ == SQLITE_LOCK_NONE;
  lock_ = level;
  if (!first) return SQLITE_OK;
  const int refreshed = RefreshHead();
  if (refreshed != SQLITE_OK) Unlock(SQLITE_LOCK_NONE);
  return refreshed;
}

int MainFile::Unlock(int level) {
  lock_ = std::min(lock_, level);
  known_pages_ = 0;  // Others may now make the file shorter.
  return VfsFile::Unlock(level);
}

int MainFile::FileControl(int operation, void* argument) {
  switch (operation) {
    case SQLITE_FCNTL_SIZE_HINT:
    case SQLITE_FCNTL_CHUNK_SIZE:
      return SQLITE_OK;  // They would append zeros.
    case SQLITE_FCNTL_MMAP_SIZE:
      *static_cast<sqlite3_int64*>(argument) = 0;
      return SQLITE_OK;
    case SQLITE_FCNTL_CKPT_START:
      known_pages_ = 0;  // Since the last checkpoint another process may have made one.
      break;
    case SQLITE_FCNTL_SYNC:  // All pages of the transaction are written; comes before xSync.
      if (marker_.state != Marker::State::kClear) {
        const int result = WriteMarker(Marker());
        if (result != SQLITE_OK) return result;
      }
      break;
    default:
      break;
  }
  return VfsFile::FileControl(operation, argument);
}

// Before a page is written: the marker says what of the journal is needed from now on.
int MainFile::MarkJournal() {
  if (journal_ == nullptr) return SQLITE_OK;
  if (const int result = journal_->Flush(); result != SQLITE_OK) return result;
  if (journal_->durable_extents() == 0) return SQLITE_OK;
  const Marker marker = {Marker::State::kSet, journal_->identity(), journal_->durable_extents()};
  return marker == marker_ ? SQLITE_OK : WriteMarker(marker);
}

int MainFile::WriteMarker(const Marker& marker) {
  std::array<std::uint8_t, kMarkerTextBytes> text = {};
  StoreNumber(static_cast<std::uint32_t>(marker.state), text, 0);
  StoreNumber(marker.extents, text, 4);
  std::copy(marker.journal.begin(), marker.journal.end(), text.begin() + 12);
  std::array<std::uint8_t, kMarkerBytes> bytes = {};
  absl::Status status = cipher_->SealMessage(Purpose::kMarker, kMarkerPosition, text,
                                             std::span(bytes).first(kMarkerSealedBytes));
  if (!status.ok()) return Fail(SQLITE_IOERR_DATA, std::move(status));
  StoreNumber(cipher_->generation(), bytes, kMarkerSealedBytes);
  const int result = WriteBelow(bytes, kMarkerAt);
  if (result == SQLITE_OK) marker_ = marker;
  return result;
}

Marker MainFile::ReadMarker() {
  std::array<std::uint8_t, kMarkerBytes> bytes = {};
  std::array<std::uint8_t, kMarkerTextBytes> text = {};
  marker_ = Marker();
  marker_.state = Marker::State::kDamaged;
  if (ReadBelow(bytes, kMarkerAt) != SQLITE_OK ||
      !cipher_->OpenMessage(Purpose::kMarker, LoadNumber<std::uint32_t>(bytes, kMarkerSealedBytes),
                            kMarkerPosition, std::span(bytes).first(kMarkerSealedBytes), text)) {
    return marker_;
  }
  marker_.state = static_cast<Marker::State>(LoadNumber<std::uint32_t>(text, 0));
  marker_.extents = LoadNumber<std::uint64_t>(text, 4);
  std::copy(text.begin() + 12, text.end(), marker_.journal.begin());
  return marker_;
}

}  // namespace strata::orm::internal
