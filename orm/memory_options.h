// File: memory_options.h
//
// How a store in memory (memory.h) is opened, and what of it is on the disk when:
//
//   MemoryOptions options;
//   options.synchronous = MemoryOptions::Synchronous::kOff;
//   auto db = MemoryDatabase::Open<Person>("people.mem", options);

#ifndef STRATA_ORM_MEMORY_OPTIONS_H_
#define STRATA_ORM_MEMORY_OPTIONS_H_

#include <cstdint>

namespace strata::orm {

struct MemoryOptions {
  // What is on the disk when a write, or the transaction that it is in, returns OK. kFull: it
  // survives a loss of power; writes of several threads share one fdatasync(2). kOff: it survives
  // the end of the process in any way, as the system has it; after a loss of power the last writes
  // may be missing, and are then missing from some moment on.
  enum class Synchronous : std::uint8_t { kFull, kOff };

  Synchronous synchronous = Synchronous::kFull;

  // When the log has become larger than this, in bytes, and than the snapshot, the write that made
  // it so makes a new snapshot, and waits for that. 0: only Checkpoint() does.
  std::uint64_t checkpoint_bytes = std::uint64_t{64} << 20;

  // Opens a file that has tables or columns without a description, and drops what they have at
  // once. Without it, that is FailedPrecondition.
  bool drop_undescribed = false;
};

}  // namespace strata::orm

#endif  // STRATA_ORM_MEMORY_OPTIONS_H_
