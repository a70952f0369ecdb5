// Files of the engine in memory from anybody: refused, or read into tables whose rows a snapshot
// then has as they are. The input is a byte that tells of what kind the file is, and the file, or
// with the lowest bit of that byte its frames without checksums (a type, a size in two bytes, the
// content), which get them here.

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "strata/orm/memory_log_internal.h"
#include "strata/orm/testing/sample.h"

namespace app {

struct Item {
  std::int64_t id = 0;
  std::string name;
  std::optional<double> price;
};
STRATA_TABLE((Item, Named("items")), id, (name, strata::orm::options::Unique()),
             (price, Indexed()));

struct Note {
  std::string key;
  std::uint32_t size = 0;
};
STRATA_TABLE((Note, Named("notes")), (key, PrimaryKey(), Collate("NOCASE")), size);

}  // namespace app

namespace {

using strata::orm::TableOf;
using strata::orm::internal::AppendFrame;
using strata::orm::internal::AppendRow;
using strata::orm::internal::FileHeader;
using strata::orm::internal::FrameType;
using strata::orm::internal::LogEnd;
using strata::orm::internal::MemorySession;
using strata::orm::internal::ReadLog;
using strata::orm::internal::ReadSnapshot;
using strata::orm::internal::Source;

class TextSource : public Source {
 public:
  explicit TextSource(std::string_view text) : text_(text) {}
  std::uint64_t size() const override { return text_.size(); }
  absl::Status ReadAt(std::uint64_t offset, std::size_t size, char* to) const override {
    if (offset > text_.size() || size > text_.size() - offset) std::abort();
    std::memcpy(to, text_.data() + offset, size);
    return absl::OkStatus();
  }

 private:
  std::string_view text_;
};

std::string FileOf(std::string_view frames, std::string_view magic) {
  std::string file = std::string(magic) + "12345678";
  while (frames.size() >= 3) {
    const auto type = static_cast<FrameType>(frames[0]);
    const std::size_t size = static_cast<unsigned char>(frames[1]) |
                             std::size_t{static_cast<unsigned char>(frames[2])} << 8;
    frames.remove_prefix(3);
    const std::string_view content = frames.substr(0, size);
    frames.remove_prefix(content.size());
    AppendFrame(std::string(file, 0, 16), file.size(), type, content, &file);
  }
  return file;
}

// The rows of a table, in an order of their own.
std::string RowsOf(const MemorySession& session) {
  std::vector<std::string> rows;
  for (const auto& table : session.tables()) {
    table->ForEach([&](const char* row) {
      rows.emplace_back(table->info().name);
      AppendRow(table->info(), row, &rows.back());
      return true;
    });
  }
  std::ranges::sort(rows);
  std::string all;
  for (const std::string& row : rows) all += row;
  return all;
}

absl::Status Read(std::string_view file, bool is_log, bool drop, MemorySession* session) {
  if (!session->Create(TableOf<app::Item>()).ok() || !session->Create(TableOf<app::Note>()).ok() ||
      !session->Create(TableOf<strata::orm::testing::Sample>()).ok()) {
    std::abort();
  }
  for (const auto& table : session->tables()) table->BeginLoading();
  const TextSource source(file);
  FileHeader header;
  LogEnd end;
  absl::Status status = is_log ? ReadLog(source, *session, drop, &end)
                               : ReadSnapshot(source, *session, drop, &header);
  for (const auto& table : session->tables()) {
    if (status.ok()) status = table->FinishLoading();
  }
  if (status.ok() && is_log && end.offset > file.size()) std::abort();
  return status;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool raw = (data[0] & 1) == 0;
  const bool is_log = (data[0] & 2) != 0;
  const bool drop = (data[0] & 4) != 0;
  const std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string file = raw ? std::string(rest)
                               : FileOf(rest, is_log ? strata::orm::internal::kLogMagic
                                                     : strata::orm::internal::kSnapshotMagic);
  MemorySession session;
  if (!Read(file, is_log, drop, &session).ok()) return 0;

  // As a snapshot, the rows are the same.
  static const int memory = memfd_create("snapshot", MFD_CLOEXEC);
  auto writer = strata::orm::internal::FrameWriter::Make("/proc/self/fd/" + std::to_string(memory),
                                                         strata::orm::internal::kSnapshotMagic);
  if (!writer.ok()) return 0;
  if (!WriteSnapshot(session, 1, *writer).ok()) std::abort();
  std::string snapshot(writer->offset(), '\0');
  if (!writer->file().ReadAt(0, snapshot.size(), snapshot.data()).ok()) std::abort();
  MemorySession again;
  if (!Read(snapshot, false, false, &again).ok()) std::abort();
  if (RowsOf(again) != RowsOf(session)) std::abort();
  return 0;
}
