// Rows and changes of the engine in memory as bytes, for its snapshots and logs.
//
// Numbers are in base 128, the least significant 7 bits first, signed ones zigzag; reals have 8
// bytes, UUIDs 16; texts and blobs follow their size. What is nested is JSON. Optional columns have
// a byte more, 0 for NULL. Which columns there are tells a schema, once in each file.

#ifndef STRATA_ORM_MEMORY_CODEC_INTERNAL_H_
#define STRATA_ORM_MEMORY_CODEC_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/orm/memory_session_internal.h"
#include "strata/orm/memory_table_internal.h"

namespace strata::orm::internal {

void AppendNumber(std::uint64_t number, std::string* out);
void AppendSigned(std::int64_t number, std::string* out);
void AppendBytes(std::string_view bytes, std::string* out);

// Takes numbers and bytes off the front of a text. Once something is not there, all else fails too.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool AtEnd() const { return bytes_.empty(); }
  std::size_t size() const { return bytes_.size(); }

  std::uint8_t Byte();
  std::uint64_t Number();
  std::int64_t Signed();
  std::string_view Fixed(std::size_t size);
  std::string_view Bytes() { return Fixed(Number()); }

 private:
  template <typename T>
  T Fail() {
    ok_ = false;
    bytes_ = {};
    return T{};
  }

  std::string_view bytes_;
  bool ok_ = true;
};

// How a column is written. The numbers are in files.
enum class WireType : std::uint8_t {
  kInteger = 1,
  kUnsigned = 2,
  kBool = 3,
  kReal = 4,
  kText = 5,
  kBlob = 6,
  kCurrency = 7,
  kUuid = 8,
  kTime = 9,
  kDuration = 10,
  kJson = 11,
  kName = 12,  // Of the value of an enum.
};

struct WireColumn {
  std::string name;
  WireType type = WireType::kInteger;
  std::uint8_t unit = 0;  // A TimeUnit, whose numbers are in files too.
  bool nullable = false;
  friend bool operator==(const WireColumn&, const WireColumn&) = default;
};

struct WireTable {
  std::string name;
  std::vector<WireColumn> columns;
  std::vector<std::size_t> key;  // Positions in `columns`.
  bool is_logged = false;
  friend bool operator==(const WireTable&, const WireTable&) = default;
};

using WireSchema = std::vector<WireTable>;

WireTable DescribedTableOf(const TableInfo& info);
WireSchema SchemaOf(const MemorySession& session);
void AppendSchema(const WireSchema& schema, std::string* out);
// False if the bytes are none, or are against a bound. Files of format 1 do not tell of logs.
bool ReadSchema(ByteReader& reader, std::uint64_t format, WireSchema* schema);

void AppendRow(const TableInfo& info, const void* row, std::string* out);

// Puts what Default() says into the row, or leaves it as it is without one. False where that is no
// value that a field of the type can have without SQL.
bool SetDefault(const Column& column, void* row);

// Changes, one after the other: of a row that has been inserted or updated, and of a deleted one,
// of which only the key is written.
void AppendPut(const MemoryTable& table, const void* row, std::string* out);
void AppendRemove(const MemoryTable& table, const void* row, std::string* out);

// When the changes that follow were made, and up to which sequence a table's history was pruned.
void AppendTime(std::int64_t time, std::string* out);
void AppendPrune(const MemoryTable& table, std::int64_t sequence, std::string* out);

// An entry of a history, as a snapshot has it.
void AppendEntry(const TableInfo& info, const MemoryHistory::Entry& entry, std::string* out);

// Reads what was written with a schema into the tables of a session, which may have other columns:
// one that the file does not have gets its Default(), or what the struct has.
class RowReader {
 public:
  // FailedPrecondition if a table cannot be read so: its key is another one, or a column has a type
  // that cannot become the described one, or, unless `drop_undescribed`, if the file has a table or
  // a column that is not described.
  static absl::StatusOr<RowReader> Make(const WireSchema& schema, MemorySession& session,
                                        bool drop_undescribed);

  // Rows of the table at this position of the schema, which have to have keys of their own.
  // DataLoss for bytes that are no rows.
  absl::Status AddRows(std::size_t table, std::uint64_t count, ByteReader& reader);

  // The same for entries of the table's history.
  absl::Status AddEntries(std::size_t table, std::uint64_t count, ByteReader& reader);

  // Makes changes, within a transaction.
  absl::Status Apply(std::string_view changes);

  std::size_t table_count() const { return plans_.size(); }
  MemoryTable* table(std::size_t position) const { return plans_[position].table; }

 private:
  struct Step {
    const Column* column;  // Null if it is dropped.
    WireType type;
    bool nullable;
  };
  struct Plan {
    MemoryTable* table = nullptr;  // Null if it is dropped.
    std::string_view name;
    std::vector<Step> steps;
    std::vector<std::size_t> key;
    std::vector<const Column*> added;
  };

  explicit RowReader(MemorySession* session) : session_(session) {}

  static absl::Status MakePlan(const WireTable& from, bool drop_undescribed, Plan* plan);
  static absl::Status SetDefaults(const Plan& plan, void* row);
  static absl::Status ReadRow(const Plan& plan, ByteReader& reader, void* row);
  absl::Status ReadNew(const Plan& plan, ByteReader& reader, char** row);
  absl::Status AddEntry(const Plan& plan, ByteReader& reader);
  absl::Status Put(const Plan& plan, ByteReader& reader);
  absl::Status Remove(const Plan& plan, ByteReader& reader);

  MemorySession* session_;
  std::vector<Plan> plans_;
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_MEMORY_CODEC_INTERNAL_H_
