#include "base/memory.h"

#include <cstdlib>

#include "base/error.h"

namespace fd {

void* allocate(size_t bytes) {
  void* p = std::aligned_alloc(64, (bytes + 127) & ~size_t(63));
  check<MemoryError>(p != nullptr, "cannot allocate ", bytes, " bytes");
  return p;
}
void deallocate(void* data, size_t) { std::free(data); }

void* workspace(int slot, size_t bytes) {
  static thread_local struct {
    void* data = nullptr;
    size_t bytes = 0;
  } slots[2];
  auto& s = slots[slot];
  if (s.bytes < bytes) {
    std::free(s.data);
    s.data = std::aligned_alloc(64, (bytes + 63) & ~size_t(63));
    s.bytes = s.data ? bytes : 0;
  }
  return s.data;
}

MemoryStats memory_stats() { return {}; }
void empty_cache() {}

}  // namespace fd
