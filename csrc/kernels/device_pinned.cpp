// Page-locked host memory. Locking pages costs the driver a millisecond, so freed blocks are kept by size, each until
// every GPU has passed the point where it was freed: a copy that was asked for may still touch it.
#include <bit>
#include <mutex>

#include "kernels/device_state.h"

namespace fd::cuda {

namespace {

constexpr size_t kSmallest = 4096;

struct Block {
  void* data;
  size_t bytes;
  std::vector<std::unique_ptr<Event>> marks;  // one a GPU in use; empty if nothing can still touch it

  bool idle() const {
    for (const auto& mark : marks)
      if (!mark->done()) return false;
    return true;
  }
};

struct Blocks {
  std::mutex mutex;
  std::unordered_map<void*, size_t> used;
  std::vector<Block> kept;
};

Blocks& blocks() {
  static Blocks* const instance = new Blocks;  // never destroyed: tensors may be freed while static objects are
  return *instance;
}

void* take_kept(Blocks& b, size_t bytes) {
  for (size_t i = 0; i < b.kept.size(); i++) {
    if (b.kept[i].bytes != bytes || !b.kept[i].idle()) continue;
    void* const data = b.kept[i].data;
    b.kept[i] = std::move(b.kept.back());
    b.kept.pop_back();
    return data;
  }
  return nullptr;
}

}  // namespace

void* allocate_pinned(size_t wanted) {
  gpu_of({DeviceKind::cuda, 0});  // DeviceError if there is none
  const size_t bytes = std::bit_ceil(wanted > kSmallest ? wanted : kSmallest);
  Blocks& b = blocks();
  const std::lock_guard lock(b.mutex);
  void* data = take_kept(b, bytes);
  if (!data && state().plugin->host_allocate(bytes, &data) != 0)
    fail<MemoryError>("cannot allocate ", bytes, " bytes of page-locked host memory");
  b.used[data] = bytes;
  return data;
}

void free_pinned(void* data) noexcept {
  Blocks& b = blocks();
  const std::lock_guard lock(b.mutex);
  Block block = {data, b.used[data], {}};
  b.used.erase(data);
  try {
    for (Gpu* gpu : state().gpus) {
      if (!gpu) continue;
      if (gpu->capturing) return;  // no mark can be made amid a capture; lost, as below
      block.marks.push_back(std::make_unique<Event>(gpu->device));
      block.marks.back()->record();
    }
    b.kept.push_back(std::move(block));
  } catch (const std::exception&) {
    // A GPU that answers no more, or a forked child: the block is lost rather than handed out too early.
  }
}

bool is_pinned(const void* data) { return ordinal_of(data) == FD_PAGE_LOCKED; }

}  // namespace fd::cuda
