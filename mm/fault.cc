// What happens when free or realloc is given a pointer that it must not have: one line on standard
// error, and the end of the process. A heap that goes on after that is how a bug becomes an
// exploit.

#include <link.h>

#include "strata/mm/heap_internal.h"

#pragma weak _r_debug

namespace strata::mm {
namespace {

constexpr int kSysSigAction = 13;
constexpr int kSysSigProcMask = 14;
constexpr int kSysGetTid = 186;
constexpr int kSysExitGroup = 231;
constexpr int kSysTgKill = 234;
constexpr int kSigAbort = 6;
constexpr int kSigUnblock = 1;
constexpr int kStandardError = 2;

// As abort(): SIGABRT, first to the program's own handler, then to the default action.
[[noreturn]] void Abort() {
  uint64_t mask = uint64_t{1} << (kSigAbort - 1);
  const uint64_t default_action[4] = {0, 0, 0, 0};  // struct kernel_sigaction
  int64_t pid = SystemCall(kSysGetPid);
  int64_t thread = SystemCall(kSysGetTid);
  SystemCall(kSysSigProcMask, kSigUnblock, reinterpret_cast<int64_t>(&mask), 0, sizeof(mask));
  SystemCall(kSysTgKill, pid, thread, kSigAbort);
  SystemCall(kSysSigAction, kSigAbort, reinterpret_cast<int64_t>(default_action), 0, sizeof(mask));
  SystemCall(kSysTgKill, pid, thread, kSigAbort);
  for (;;) SystemCall(kSysExitGroup, 128 + kSigAbort);
}

[[noreturn]] void Fault(const char* what, const void* block, const char* why) {
  Writer(kStandardError).Text("strata mm: ").Text(what).Text(" ").Address(block).Text(why);
  Abort();
}

bool CarriesKey(const Block* block) { return ((block->label ^ smm_heap.key) >> 8) == 0; }

uint32_t CodeOf(const void* pointer) {
  uint64_t index = smm_index_of(pointer);
  return index == ~uint64_t{0} ? 0 : smm_heap.page_map[index];
}

// Whether `block` is in `list`. Lists of other processors change meanwhile, so only what still
// looks like a free block of the class is followed, and only so far.
bool Contains(const Block* list, const Block* block, uint32_t code) {
  for (int i = 0; i < 256 && list != nullptr; ++i) {
    if (list == &smm_sentinels[code] || CodeOf(list) != code || !CarriesKey(list)) return false;
    if (list == block) return true;
    list = Next(list);
  }
  return false;
}

bool InArenas(const Block* block, uint32_t code) {
  for (uint32_t offset : smm_arenas.offset) {
    if (offset == 0) continue;
    auto* arena = reinterpret_cast<ArenaLists*>(reinterpret_cast<char*>(&smm_arenas) + offset);
    if (Contains(arena->head[code], block, code)) return true;
    if (Contains(arena->spare[code], block, code)) return true;
  }
  return false;
}

bool InShelves(const Block* block, uint32_t code) {
  for (auto& way : smm_shelves) {
    Shelf& shelf = way[code];
    smm_lock(&shelf.lock, &smm_heap.freeing);
    bool found = Contains(shelf.head, block, code) || Contains(shelf.bin, block, code);
    for (uint32_t i = 0; i < shelf.count && !found; ++i) {
      found = Contains(shelf.lists[i], block, code);
    }
    Unlock(&shelf.lock);
    if (found) return true;
  }
  return false;
}

bool InSpan(const Block* block, uint32_t code) {
  uint64_t first = smm_index_of(block) & ~uint64_t{kSpanPages - 1};
  auto* span = reinterpret_cast<Span*>(&smm_heap.page_info[first]);
  smm_lock(&smm_pools[code].lock, &smm_heap.freeing);
  bool found = false;
  const Block* free = span->free;
  for (uint32_t i = 0; i < span->free_count && !found; ++i) {
    found = free == block;
    free = free->next;
  }
  Unlock(&smm_pools[code].lock);
  return found;
}

// The next line of a file, without its end; false at the end of the file. Longer lines are cut.
class LineReader {
 public:
  explicit LineReader(const char* path)
      : fd_(SystemCall(kSysOpen, reinterpret_cast<int64_t>(path), 0)) {}
  ~LineReader() {
    if (fd_ >= 0) SystemCall(kSysClose, fd_);
  }

  bool Next(char* line, int capacity) {
    int n = 0;
    for (;;) {
      if (at_ == end_) {
        at_ = 0;
        end_ = fd_ < 0
                   ? 0
                   : SystemCall(kSysRead, fd_, reinterpret_cast<int64_t>(buffer_), sizeof(buffer_));
        if (end_ <= 0) return false;
      }
      char c = buffer_[at_++];
      if (c == '\n') break;
      if (n < capacity - 1) line[n++] = c;
    }
    line[n] = '\0';
    return true;
  }

 private:
  int64_t fd_;
  int64_t at_ = 0;
  int64_t end_ = 0;
  char buffer_[1024];
};

uintptr_t ParseHex(const char** text) {
  uintptr_t value = 0;
  for (;; ++*text) {
    char c = **text;
    if (c >= '0' && c <= '9') {
      value = value * 16 + static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value * 16 + static_cast<unsigned>(c - 'a') + 10;
    } else {
      return value;
    }
  }
}

// Whether the last part of the path at a line's end begins as the dynamic loader's file does.
bool NamesLoader(const char* line) {
  const char* name = line;
  for (const char* c = line; *c != '\0'; ++c) {
    if (*c == '/') name = c + 1;
  }
  return name != line && name[0] == 'l' && name[1] == 'd' && (name[2] == '-' || name[2] == '.');
}

// Whether `address` is in the dynamic loader's file mappings.
bool InLoadersFile(uintptr_t address) {
  LineReader maps("/proc/self/maps");
  char line[512];
  while (maps.Next(line, sizeof(line))) {
    const char* text = line;
    uintptr_t first = ParseHex(&text);
    ++text;
    uintptr_t end = ParseHex(&text);
    if (address >= first && address < end) return NamesLoader(line);
  }
  return false;
}

// Whether ld.so made the block at `address` with its own small allocator, before this library took
// over. That one hands out memory in address order, so its blocks stand beside the descriptions of
// the objects that the program started with.
bool IsLoaders(uintptr_t address) {
  constexpr int kObjectsMax = 4096;
  if (&_r_debug == nullptr) return false;  // A static program.
  const link_map* object = _r_debug.r_map;
  for (int i = 0; i < kObjectsMax && object != nullptr; ++i, object = object->l_next) {
    auto at = reinterpret_cast<uintptr_t>(object);
    if (address + kPageSize >= at && address <= at + kPageSize) return true;
  }
  return InLoadersFile(address);
}

}  // namespace

extern "C" {

void smm_report_block(const void* block) {
  Fault("free(): double free or invalid pointer", block, ": no block in use begins there\n");
}

void smm_report_size(const void* block) {
  Fault("realloc() or malloc_usable_size(): freed block or invalid pointer", block,
        ": no block in use begins there\n");
}

void smm_report_span(const void* block) {
  Fault("free(): heap corrupted at", block,
        ": more blocks came back than were given (a double free, or a write past a block)\n");
}

void smm_report_written(const void* block) {
  Fault("malloc(): heap corrupted at", block, ": a free block was written to\n");
}

void smm_report_canary(const void* block) {
  Fault("free(): heap corrupted at", block, ": a write past the end of the block\n");
}

void smm_report_foreign(const void* block) {
  if (IsLoaders(reinterpret_cast<uintptr_t>(block))) return;
  smm_report_block(block);
}

// Called for a block that carries the mark of a free one. A block in use may carry it by accident,
// where a program copied memory it never wrote; so it must also be found in a list. `resized` is 1
// if it was given to realloc, 0 if to free.
void smm_check_double(const Block* block, uint32_t code, uint32_t resized) {
  if (InArenas(block, code) || InShelves(block, code) || InSpan(block, code)) {
    Fault(resized != 0 ? "realloc(): freed block" : "free(): double free of", block,
          ": it was freed before and is not in use\n");
  }
}

}  // extern "C"
}  // namespace strata::mm
