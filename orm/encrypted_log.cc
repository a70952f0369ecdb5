#include <algorithm>

#include "absl/strings/str_cat.h"
#include "strata/orm/encrypted_log_internal.h"

namespace strata::orm::internal {
namespace {

using Bytes = std::span<const std::uint8_t>;

// Where the salts, 8 bytes, are in SQLite's headers.
constexpr std::size_t kSaltsAtInHeader = 16;
constexpr std::size_t kSaltsAtInFrame = 8;

constexpr FileCipher::Position kHeaderPosition = {0, 0, 0};

int Damaged(std::string_view what) {
  return Fail(SQLITE_IOERR_DATA,
              absl::DataLossError(absl::StrCat("the write-ahead log is damaged in ", what)));
}

}  // namespace

LogFile::LogFile(sqlite3_vfs* vfs, MainFile& main)
    : VfsFile(vfs),
      main_(main),
      text_(frame_bytes() + kSyncedBytes),
      sealed_(sealed_frame_bytes()) {}

int LogFile::Close() {
  const int flushed = Flush();
  const int closed = VfsFile::Close();
  return flushed == SQLITE_OK ? closed : flushed;
}

LogFile::Header LogFile::LoadHeader() {
  header_.reset();
  written_ = 0;
  synced_ = 0;
  std::array<std::uint8_t, kHeadBytes> head = {};
  const int result = ReadBelow(head, 0);
  if (result == SQLITE_IOERR_SHORT_READ) return Header::kMissing;
  if (result != SQLITE_OK) return Header::kDamaged;
  generation_ = LoadNumber<std::uint32_t>(head, kHeadBytes - sizeof(generation_));
  std::array<std::uint8_t, kHeaderBytes> header = {};
  if (!main_.cipher().OpenMessage(Purpose::kLog, generation_, kHeaderPosition,
                                  std::span(head).first(kHeadBytes - sizeof(generation_)),
                                  header)) {
    return Header::kDamaged;
  }
  header_ = header;
  return Header::kGood;
}

int LogFile::WriteHeader(Bytes from) {
  if (from.size() != kHeaderBytes) return SQLITE_IOERR_WRITE;
  FileCipher& cipher = main_.cipher();
  header_.emplace();
  std::copy(from.begin(), from.end(), header_->begin());
  generation_ = cipher.generation();
  written_ = 0;
  synced_ = 0;
  std::array<std::uint8_t, kHeadBytes> head = {};
  absl::Status status = cipher.SealMessage(Purpose::kLog, kHeaderPosition, from,
                                           std::span(head).first(kHeadBytes - sizeof(generation_)));
  if (!status.ok()) return Fail(SQLITE_IOERR_DATA, std::move(status));
  StoreNumber(generation_, head, kHeadBytes - sizeof(generation_));
  return WriteBelow(head, 0);
}

int LogFile::ReadHeader(std::span<std::uint8_t> to, std::size_t within) {
  if (within + to.size() > kHeaderBytes) return SQLITE_IOERR_READ;
  const Header header = LoadHeader();
  if (header == Header::kGood) {
    std::copy_n(header_->begin() + within, to.size(), to.begin());
    return SQLITE_OK;
  }
  std::fill(to.begin(), to.end(), std::uint8_t{0});
  if (header == Header::kMissing) return SQLITE_IOERR_SHORT_READ;
  std::uint64_t frames = 0;
  const int result = FrameCount(&frames);
  return result == SQLITE_OK && frames > 0 ? Damaged("its header") : result;
}

int LogFile::FrameCount(std::uint64_t* frames) {
  std::uint64_t size = 0;
  const int result = SizeBelow(&size);
  *frames = size < kHeadBytes ? 0 : (size - kHeadBytes) / sealed_frame_bytes();
  return result;
}

std::uint64_t LogFile::Salts() const {
  return LoadNumber<std::uint64_t>(*header_, kSaltsAtInHeader);
}

FileCipher::Position LogFile::PositionOf(std::uint64_t frame) const { return {1, frame, Salts()}; }

int LogFile::OpenFrame(std::uint64_t frame) {
  const int result = ReadBelow(sealed_, PlaceBelow(frame));
  if (result != SQLITE_OK) return result;
  const bool opened =
      main_.cipher().OpenMessage(Purpose::kLog, generation_, PositionOf(frame), sealed_, text_);
  return opened ? SQLITE_OK : SQLITE_IOERR_DATA;
}

bool LogFile::WasOnDisk(std::uint64_t frame) {
  std::uint64_t frames = 0;
  if (FrameCount(&frames) != SQLITE_OK) return false;
  for (std::uint64_t later = frame + 1; later < frames; ++later) {
    if (OpenFrame(later) == SQLITE_OK && LoadNumber<std::uint64_t>(text_, frame_bytes()) > frame)
      return true;
  }
  return false;
}

int LogFile::Read(std::span<std::uint8_t> to, std::int64_t offset) {
  if (const int result = Flush(); result != SQLITE_OK) return result;
  if (static_cast<std::uint64_t>(offset) < kHeaderBytes) {
    return ReadHeader(to, static_cast<std::size_t>(offset));
  }
  const Place place = PlaceOf(static_cast<std::uint64_t>(offset));
  if (place.within + to.size() > frame_bytes()) return SQLITE_IOERR_READ;
  if (!header_.has_value() && LoadHeader() != Header::kGood) return Damaged("its header");
  int result = OpenFrame(place.frame);
  // Another connection may have begun the log anew since its header was read.
  if (result == SQLITE_IOERR_DATA && LoadHeader() == Header::kGood) result = OpenFrame(place.frame);
  if (result == SQLITE_OK) {
    std::copy_n(text_.begin() + static_cast<std::ptrdiff_t>(place.within), to.size(), to.begin());
    return SQLITE_OK;
  }
  std::fill(to.begin(), to.end(), std::uint8_t{0});
  if (result != SQLITE_IOERR_DATA) return result;
  if (!header_.has_value()) return Damaged("its header");
  // With the header of the frame SQLite looks for the end of the log, and zeros are the end. The
  // page alone it reads if it knows that it is there.
  const bool looks_for_end = place.within < kFrameHeaderBytes && !WasOnDisk(place.frame);
  return looks_for_end ? SQLITE_OK : Damaged(absl::StrCat("frame ", place.frame + 1));
}

int LogFile::SealFrame(std::uint64_t frame) {
  FileCipher& cipher = main_.cipher();
  if (generation_ != cipher.generation()) return Damaged("its header");
  // What a transaction that was rolled back had written here before does not count.
  synced_ = std::min(synced_, frame);
  StoreNumber(synced_, text_, frame_bytes());
  absl::Status status = cipher.SealMessage(Purpose::kLog, PositionOf(frame), text_, sealed_);
  if (!status.ok()) return Fail(SQLITE_IOERR_DATA, std::move(status));
  const int result = WriteBelow(sealed_, PlaceBelow(frame));
  if (result == SQLITE_OK) written_ = std::max(written_, frame + 1);
  return result;
}

// Changes a part of a frame that has been written.
int LogFile::PatchFrame(Bytes from, Place place) {
  const int result = OpenFrame(place.frame);
  if (result == SQLITE_IOERR_DATA || result == SQLITE_IOERR_SHORT_READ) {
    std::fill(text_.begin(), text_.end(), std::uint8_t{0});
  } else if (result != SQLITE_OK) {
    return result;
  }
  std::copy(from.begin(), from.end(), text_.begin() + static_cast<std::ptrdiff_t>(place.within));
  return SealFrame(place.frame);
}

int LogFile::Flush() {
  if (gathered_ == 0) return SQLITE_OK;
  const std::vector<std::uint8_t> part(text_.begin(),
                                       text_.begin() + static_cast<std::ptrdiff_t>(gathered_));
  gathered_ = 0;
  return PatchFrame(part, {frame_, 0});
}

int LogFile::WriteFramePart(Bytes from, Place place) {
  const bool goes_on = gathered_ > 0 && place.frame == frame_ && place.within == gathered_;
  if (!goes_on) {
    if (const int result = Flush(); result != SQLITE_OK) return result;
    // Another connection may have begun the log anew. Frames whose checksum SQLite will make later
    // have no salts, but are never the first ones of a transaction.
    const bool has_salts = place.within == 0 && from.size() == kFrameHeaderBytes;
    const auto salts = has_salts ? LoadNumber<std::uint64_t>(from, kSaltsAtInFrame) : 0;
    const bool is_known = header_.has_value() && (salts == 0 || salts == Salts());
    if (!is_known && LoadHeader() != Header::kGood) return Damaged("its header");
    // A new frame is written as a whole; one of this log is changed.
    if (place.within > 0 || place.frame < written_) return PatchFrame(from, place);
    frame_ = place.frame;
  }
  std::copy(from.begin(), from.end(), text_.begin() + static_cast<std::ptrdiff_t>(place.within));
  gathered_ = place.within + from.size();
  if (gathered_ < frame_bytes()) return SQLITE_OK;
  gathered_ = 0;
  return SealFrame(frame_);
}

int LogFile::Write(Bytes from, std::int64_t offset) {
  auto at = static_cast<std::uint64_t>(offset);
  if (at == 0) {
    gathered_ = 0;
    return WriteHeader(from);
  }
  if (at < kHeaderBytes) return SQLITE_IOERR_WRITE;
  while (!from.empty()) {
    const Place place = PlaceOf(at);
    const std::size_t size = std::min(from.size(), frame_bytes() - place.within);
    if (const int result = WriteFramePart(from.first(size), place); result != SQLITE_OK) {
      return result;
    }
    from = from.subspan(size);
    at += size;
  }
  return SQLITE_OK;
}

int LogFile::Truncate(std::int64_t size) {
  gathered_ = 0;
  if (static_cast<std::uint64_t>(size) <= kHeaderBytes) {
    header_.reset();
    return TruncateBelow(0);
  }
  const Place end = PlaceOf(static_cast<std::uint64_t>(size) + frame_bytes() - 1);
  return TruncateBelow(PlaceBelow(end.frame));
}

int LogFile::Sync(int flags) {
  int result = Flush();
  if (result == SQLITE_OK) result = VfsFile::Sync(flags);
  if (result == SQLITE_OK) synced_ = written_;
  return result;
}

int LogFile::FileSize(std::int64_t* size) {
  if (const int result = Flush(); result != SQLITE_OK) return result;
  std::uint64_t below = 0;
  const int result = SizeBelow(&below);
  const std::uint64_t frames = below < kHeadBytes ? 0 : (below - kHeadBytes) / sealed_frame_bytes();
  *size = static_cast<std::int64_t>(below < kHeadBytes ? 0 : kHeaderBytes + frames * frame_bytes());
  return result;
}

}  // namespace strata::orm::internal
