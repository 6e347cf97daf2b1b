// Device memory kept for reuse: blocks by size class, small ones cut from slabs, because asking the driver costs
// milliseconds and stops the device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/memory.h"

namespace fd::cuda {

class Cache {
 public:
  // FREEDIVE_CUDA_CACHE=0 makes every block the device's own, of exactly its size, for checkers of memory.
  // hold: even then nothing goes back to the device before leave_to().
  void open(int32_t (*allocate)(size_t, void**), int32_t (*release)(void*), bool hold);
  void* take(size_t bytes);  // nullptr: memory is out, even after giving back what was kept
  void give(void* data, size_t bytes) noexcept;
  void clear();                // gives kept blocks back, except those cut from slabs
  void leave_to(Cache& heir);  // everything kept, and the count of what is in use
  MemoryStats stats();

 private:
  void* from_device(size_t bytes);
  void* cut(int index, size_t bytes);
  void release_kept();

  std::mutex mutex_;
  int32_t (*allocate_)(size_t, void**) = nullptr;
  int32_t (*release_)(void*) = nullptr;
  bool reuse_ = true, hold_ = false;
  std::vector<void*> held_;
  std::vector<std::vector<void*>> kept_;
  MemoryStats stats_ = {};
};

}  // namespace fd::cuda
