#include <algorithm>

#include "absl/strings/str_cat.h"
#include "strata/orm/memory_log_internal.h"

namespace strata::orm::internal {
namespace {

// Of both files. Format 1 had no logs of changes, and is read too.
constexpr std::uint64_t kFormat = 2;

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
  header->format = bytes.Number();
  if (bytes.ok() && (header->format < 1 || header->format > kFormat)) {
    return absl::FailedPreconditionError(
        absl::StrCat("is of format ", header->format, ", this program reads 1 to ", kFormat));
  }
  header->generation = bytes.Number();
  if (!ReadSchema(bytes, header->format, &header->schema) || !bytes.AtEnd()) {
    return Damaged(offset, "a header that is none");
  }
  return absl::OkStatus();
}

std::string HeaderOf(const MemorySession& session, std::uint64_t generation) {
  std::string content;
  AppendNumber(kFormat, &content);
  AppendNumber(generation, &content);
  AppendSchema(SchemaOf(session), &content);
  return content;
}

// Writes rows or entries of one table into frames of some size.
class PartWriter {
 public:
  PartWriter(FrameType type, std::size_t table, FrameWriter& writer)
      : type_(type), table_(table), writer_(writer) {}

  // Has got one more.
  std::string* part() { return &part_; }
  absl::Status Added() {
    ++count_;
    return part_.size() < kRowsBytes ? absl::OkStatus() : Flush();
  }

  absl::Status Flush() {
    if (count_ == 0) return absl::OkStatus();
    std::string content;
    AppendNumber(table_, &content);
    AppendNumber(count_, &content);
    content += part_;
    part_.clear();
    count_ = 0;
    return writer_.Append(type_, content);
  }

 private:
  const FrameType type_;
  const std::size_t table_;
  FrameWriter& writer_;
  std::string part_;
  std::uint64_t count_ = 0;
};

absl::Status WriteRows(const MemoryTable& table, FrameWriter& writer) {
  PartWriter part(FrameType::kRows, table.position, writer);
  absl::Status status;
  table.ForEach([&](const char* row) {
    AppendRow(table.info(), row, part.part());
    status = part.Added();
    return status.ok();
  });
  return status.ok() ? part.Flush() : status;
}

absl::Status WriteEntries(const MemoryHistory& history, FrameWriter& writer) {
  PartWriter part(FrameType::kEntries, history.table().position, writer);
  for (const MemoryHistory::Entry& entry : history.entries()) {
    AppendEntry(history.table().info(), entry, part.part());
    if (absl::Status status = part.Added(); !status.ok()) return status;
  }
  return part.Flush();
}

absl::Status TakeEnd(ByteReader bytes, std::uint64_t format, const RowReader& rows,
                     const MemorySession& session, std::span<const std::uint64_t> counts) {
  for (std::size_t i = 0; i < rows.table_count(); ++i) {
    const std::uint64_t count = bytes.Number();
    const std::int64_t last_key = bytes.Signed();
    const std::int64_t last_change = format > 1 ? bytes.Signed() : 0;
    if (!bytes.ok() || count != counts[i]) return absl::DataLossError("another number of rows");
    if (last_change < 0 || last_change > kMaxHistoryNumber) {
      return absl::DataLossError("a number of changes that cannot be");
    }
    MemoryTable* table = rows.table(i);
    if (table == nullptr) continue;
    table->last_key = std::max(table->last_key, last_key);
    session.histories()[table->position]->CountTo(last_change);
  }
  return bytes.AtEnd() ? absl::OkStatus() : absl::DataLossError("an end that is none");
}

}  // namespace

absl::Status WriteSnapshot(const MemorySession& session, std::uint64_t generation,
                           FrameWriter& writer) {
  absl::Status status = writer.Append(FrameType::kHeader, HeaderOf(session, generation));
  std::string end;
  for (const auto& table : session.tables()) {
    const MemoryHistory& history = *session.histories()[table->position];
    if (status.ok()) status = WriteRows(*table, writer);
    if (status.ok()) status = WriteEntries(history, writer);
    AppendNumber(table->size(), &end);
    AppendSigned(table->last_key, &end);
    AppendSigned(history.last(), &end);
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
      if (absl::Status status = TakeEnd(bytes, header->format, *rows, session, counts);
          !status.ok()) {
        return Damaged(offset, status.message());
      }
      return reader->offset() == source.size() ? absl::OkStatus()
                                               : Damaged(reader->offset(), "more than there is");
    }
    const std::uint64_t table = bytes.Number();
    const std::uint64_t count = bytes.Number();
    const bool is_of_rows = frame.type == FrameType::kRows;
    if ((!is_of_rows && frame.type != FrameType::kEntries) || !bytes.ok() ||
        table >= counts.size()) {
      return Damaged(offset, "a frame that does not belong there");
    }
    absl::Status status =
        is_of_rows ? rows->AddRows(table, count, bytes) : rows->AddEntries(table, count, bytes);
    if (!status.ok()) return status;
    if (is_of_rows) counts[table] += count;
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
