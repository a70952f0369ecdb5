// Arrays that grow by realloc from 1 KB to 64 MB, each new part written: by an eighth of their size
// at a time, as vectors do, and by 4 KB at a time, as buffers do. First one array alone, then
// several in turn, which cannot all grow in place.

#include <string.h>

#include "bench/mm/workloads/workload.h"

namespace strata::bench {
namespace {

constexpr size_t kFirst = 1024;
constexpr size_t kAlone = 64u << 20;
constexpr size_t kTogether = 8u << 20;
constexpr size_t kArrays = 8;
constexpr size_t kStep = 4096;
constexpr size_t kRepeats = 4;

struct Array {
  unsigned char* data;
  size_t size;
};

size_t ByAnEighth(size_t size) { return size + size / 8; }
size_t ByOneStep(size_t size) { return size + kStep; }

// Grows the arrays in turn up to `limit`, then frees them. Returns a sum of what they hold.
uint64_t Grow(size_t count, size_t limit, size_t (*next_size)(size_t)) {
  Array arrays[kArrays] = {};
  for (size_t i = 0; i < count; ++i) {
    arrays[i] = {AllocateArray<unsigned char>(kFirst), kFirst};
    memset(arrays[i].data, static_cast<int>(i), kFirst);
  }
  uint64_t sum = 0;
  while (arrays[0].size < limit) {
    for (size_t i = 0; i < count; ++i) {
      Array* array = &arrays[i];
      const size_t size = next_size(array->size);
      array->data = static_cast<unsigned char*>(Reallocate(array->data, size));
      memset(array->data + array->size, static_cast<int>(i + size), size - array->size);
      sum = sum * 31 + array->data[0] + array->data[size / 2] + array->data[array->size - 1];
      array->size = size;
    }
  }
  for (size_t i = 0; i < count; ++i) Release(arrays[i].data);
  return sum;
}

}  // namespace

uint64_t RunWorkload(const Options& options) {
  uint64_t sum = 0;
  for (size_t i = 0; i < options.Scaled(kRepeats); ++i) {
    sum += Grow(1, kAlone, ByAnEighth);
    sum += Grow(1, kAlone, ByOneStep);
    sum += Grow(kArrays, kTogether, ByAnEighth);
    sum += Grow(kArrays, kTogether, ByOneStep);
  }
  return sum;
}

}  // namespace strata::bench
