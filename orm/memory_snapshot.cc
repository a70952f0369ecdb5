#include "absl/strings/str_cat.h"
#include "strata/orm/memory_log_internal.h"

namespace strata::orm::internal {
namespace {

constexpr std::uint64_t kVersion = 1;  // Of both formats.

// Rows are gathered up to this size, and so are frames read.
constexpr std::size_t kRowsBytes = std::size_t{256} << 10;

absl::Status Damaged(std::uint64_t offset, std::string_view why) {
  return absl::DataLossError(absl::StrCat("damaged at byte ", offset, ": ", why));
}

absl::Status TakeHeader(FrameReader& reader, FileHeader* header) {
  Frame frame;
  const std::uint64_t offset = reader.offset();
  const absl::StatusOr<FrameReader::Result> result = reader.Next(&frame);
  if (!result.ok()) return result.status();
  if (*result != FrameReader::Result::kFrame || frame.type != FrameType::kHeader) {
    return Damaged(offset, "no header");
  }
  ByteReader bytes(frame.content);
  const std::uint64_t version = bytes.Number();
  if (bytes.ok() && version != kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("is of format ", version, ", this program reads ", kVersion));
  }
  header->generation = bytes.Number();
  if (!ReadSchema(bytes, &header->schema) || !bytes.AtEnd()) {
    return Damaged(offset, "a header that is none");
  }
  return absl::OkStatus();
}

std::string HeaderOf(const MemorySession& session, std::uint64_t generation) {
  std::string content;
  AppendNumber(kVersion, &content);
  AppendNumber(generation, &content);
  AppendSchema(SchemaOf(session), &content);
  return content;
}

absl::Status WriteRows(const MemoryTable& table, FrameWriter& writer) {
  std::string rows;
  std::uint64_t count = 0;
  absl::Status status;
  const auto flush = [&] {
    std::string content;
    AppendNumber(table.position, &content);
    AppendNumber(count, &content);
    content += rows;
    status = writer.Append(FrameType::kRows, content);
    rows.clear();
    count = 0;
    return status.ok();
  };
  table.ForEach([&](const char* row) {
    AppendRow(table.info(), row, &rows);
    ++count;
    return rows.size() < kRowsBytes || flush();
  });
  if (status.ok() && count > 0) flush();
  return status;
}

absl::Status TakeEnd(ByteReader bytes, const RowReader& rows,
                     std::span<const std::uint64_t> counts) {
  for (std::size_t i = 0; i < rows.table_count(); ++i) {
    const std::uint64_t count = bytes.Number();
    const std::int64_t last_key = bytes.Signed();
    if (!bytes.ok() || count != counts[i]) return absl::DataLossError("another number of rows");
    if (rows.table(i) != nullptr && last_key > rows.table(i)->last_key) {
      rows.table(i)->last_key = last_key;
    }
  }
  return bytes.AtEnd() ? absl::OkStatus() : absl::DataLossError("an end that is none");
}

}  // namespace

absl::Status WriteSnapshot(const MemorySession& session, std::uint64_t generation,
                           FrameWriter& writer) {
  absl::Status status = writer.Append(FrameType::kHeader, HeaderOf(session, generation));
  std::string end;
  for (const auto& table : session.tables()) {
    if (status.ok()) status = WriteRows(*table, writer);
    AppendNumber(table->size(), &end);
    AppendSigned(table->last_key, &end);
  }
  if (status.ok()) status = writer.Append(FrameType::kEnd, end);
  return status;
}

absl::Status ReadSnapshot(const Source& source, MemorySession& session, bool drop_undescribed,
                          FileHeader* header) {
  absl::StatusOr<FrameReader> reader = FrameReader::Make(&source, kSnapshotMagic);
  if (!reader.ok()) return reader.status();
  if (absl::Status status = TakeHeader(*reader, header); !status.ok()) return status;
  absl::StatusOr<RowReader> rows = RowReader::Make(header->schema, session, drop_undescribed);
  if (!rows.ok()) return rows.status();
  std::vector<std::uint64_t> counts(rows->table_count());
  while (true) {
    Frame frame;
    const std::uint64_t offset = reader->offset();
    const absl::StatusOr<FrameReader::Result> result = reader->Next(&frame);
    if (!result.ok()) return result.status();
    if (*result == FrameReader::Result::kEnd) return Damaged(offset, "the end is missing");
    if (*result == FrameReader::Result::kDamaged) return Damaged(offset, "a wrong checksum");
    ByteReader bytes(frame.content);
    if (frame.type == FrameType::kEnd) {
      if (absl::Status status = TakeEnd(bytes, *rows, counts); !status.ok()) {
        return Damaged(offset, status.message());
      }
      return reader->offset() == source.size() ? absl::OkStatus()
                                               : Damaged(reader->offset(), "more than there is");
    }
    const std::uint64_t table = bytes.Number();
    const std::uint64_t count = bytes.Number();
    if (frame.type != FrameType::kRows || !bytes.ok() || table >= counts.size()) {
      return Damaged(offset, "a frame that does not belong there");
    }
    absl::Status status = rows->AddRows(table, count, bytes);
    if (!status.ok()) return status;
    counts[table] += count;
  }
}

absl::Status ReadLogHeader(const Source& source, FileHeader* header) {
  absl::StatusOr<FrameReader> reader = FrameReader::Make(&source, kLogMagic);
  if (!reader.ok()) return reader.status();
  return TakeHeader(*reader, header);
}

absl::Status WriteLogHeader(const MemorySession& session, std::uint64_t generation,
                            FrameWriter& writer) {
  return writer.Append(FrameType::kHeader, HeaderOf(session, generation));
}

absl::Status ReadLog(const Source& source, MemorySession& session, bool drop_undescribed,
                     LogEnd* end) {
  absl::StatusOr<FrameReader> reader = FrameReader::Make(&source, kLogMagic);
  if (!reader.ok()) return reader.status();
  FileHeader header;
  if (absl::Status status = TakeHeader(*reader, &header); !status.ok()) return status;
  absl::StatusOr<RowReader> rows = RowReader::Make(header.schema, session, drop_undescribed);
  if (!rows.ok()) return rows.status();
  end->head = reader->head();
  end->offset = reader->offset();
  std::string changes;  // Of a transaction in several frames.
  while (true) {
    Frame frame;
    const std::uint64_t offset = reader->offset();
    const absl::StatusOr<FrameReader::Result> result = reader->Next(&frame);
    if (!result.ok()) return result.status();
    if (*result == FrameReader::Result::kEnd) return absl::OkStatus();
    if (*result == FrameReader::Result::kDamaged) {
      // Whoever wrote a later frame knew how much had been synced before.
      const absl::StatusOr<bool> lost = reader->FindLater(offset, [&](const Frame& later) {
        ByteReader bytes(later.content);
        return (later.type == FrameType::kChanges || later.type == FrameType::kClosed) &&
               bytes.Number() > offset;
      });
      if (!lost.ok()) return lost.status();
      return *lost ? Damaged(offset, "a wrong checksum, and whole frames behind it")
                   : absl::OkStatus();
    }
    if (frame.type == FrameType::kClosed) {
      if (changes.empty()) end->offset = reader->offset();
      continue;
    }
    ByteReader bytes(frame.content);
    bytes.Number();  // How much had been synced.
    const std::uint8_t is_last = bytes.Byte();
    if (frame.type != FrameType::kChanges || !bytes.ok() || is_last > 1) {
      return Damaged(offset, "a frame that does not belong there");
    }
    changes += bytes.Fixed(bytes.size());
    if (is_last == 0) continue;
    absl::Status status = session.Transact([&] { return rows->Apply(changes); });
    if (!status.ok()) {
      return absl::Status(
          status.code(), absl::StrCat("transaction at byte ", end->offset, ": ", status.message()));
    }
    changes.clear();
    end->offset = reader->offset();
  }
}

}  // namespace strata::orm::internal
