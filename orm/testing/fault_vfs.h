// A VFS for tests that fails, or ends the process, at a write that was chosen before.
//
// Writes are those of bytes, sizes and directory entries: xWrite, xTruncate, xDelete. At the chosen
// one the first `torn_sectors` sectors of what is written still reach the file.

#ifndef STRATA_ORM_TESTING_FAULT_VFS_H_
#define STRATA_ORM_TESTING_FAULT_VFS_H_

#include <cstdint>

namespace strata::orm::testing {

inline constexpr const char* kFaultVfs = "strata-fault";
inline constexpr int kFaultExitCode = 42;

struct Fault {
  enum class What : std::uint8_t {
    kNone,
    kExit,  // The process ends at once, with kFaultExitCode.
    // So does the machine: of what was not synced, any sectors are as they were before.
    kPowerCut,
    kFull,  // SQLITE_FULL for this write and all later ones that make a file longer.
    kFail,  // SQLITE_IOERR_WRITE for this write.
  };
  What what = What::kNone;
  std::int64_t at_write = 0;  // Counted from 0, from the call of SetFault() on.
  std::int64_t torn_sectors = 0;
  std::uint64_t seed = 0;  // Of kPowerCut.
};

// Registers the VFS above the default one, once. Not thread-safe, as are the others.
void RegisterFaultVfs();

void SetFault(const Fault& fault);

// The writes since SetFault().
std::int64_t CountWrites();

}  // namespace strata::orm::testing

#endif  // STRATA_ORM_TESTING_FAULT_VFS_H_
