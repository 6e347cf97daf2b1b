// Page-locked host memory. Locking pages costs the driver a millisecond, so freed blocks are kept by size, each until
// every GPU has passed the point where it was freed: a copy that was asked for may still touch it.
#include <algorithm>
#include <bit>
#include <cstring>
#include <deque>
#include <mutex>

#include "base/host.h"
#include "kernels/device_state.h"

namespace fd::cuda {

namespace {

constexpr size_t kSmallest = 4096;
constexpr size_t kStage = size_t(4) << 20;      // of a copy that comes in pieces
constexpr size_t kAhead = size_t(64) << 20;     // bytes of one size that copies may be behind by, ...
constexpr size_t kBlocksAhead = kAhead / 4096;  // and no more blocks than these

struct Block {
  void* data = nullptr;
  std::vector<std::unique_ptr<Event>> marks;  // one for each GPU in use when it was last freed

  bool idle() const {
    return std::all_of(marks.begin(), marks.end(), [](const auto& mark) { return mark->done(); });
  }
};

struct Used {
  size_t bytes;
  std::vector<std::unique_ptr<Event>> marks;  // to be used again
};

struct Blocks {
  std::mutex mutex;
  std::unordered_map<void*, Used> used;
  std::unordered_map<size_t, std::deque<Block>>
      kept;  // by size, the first freed in front: it is idle before the others
};

Blocks& blocks() {
  static Blocks* const instance = new Blocks;  // never destroyed: tensors may be freed while static objects are
  return *instance;
}

// Empty if a new block is to be made. Where copies are far behind, waits for them.
Block take_kept(std::deque<Block>& kept, size_t bytes) {
  if (kept.empty()) return {};
  if (!kept.front().idle()) {
    if (kept.size() < std::min(kBlocksAhead, std::max<size_t>(kAhead / bytes, 2))) return {};
    // With the interpreter's lock, as whoever holds it may be at our mutex.
    for (const auto& mark : kept.front().marks) mark->wait_locked();
  }
  Block block = std::move(kept.front());
  kept.pop_front();
  return block;
}

}  // namespace

void* allocate_pinned(size_t wanted) {
  gpu_of({DeviceKind::cuda, 0});  // DeviceError if there is none
  const size_t bytes = std::bit_ceil(wanted > kSmallest ? wanted : kSmallest);
  Blocks& b = blocks();
  const std::lock_guard lock(b.mutex);
  Block block = take_kept(b.kept[bytes], bytes);
  if (!block.data && state().plugin->host_allocate(bytes, &block.data) != 0)
    fail<MemoryError>("cannot allocate ", bytes, " bytes of page-locked host memory");
  b.used[block.data] = {bytes, std::move(block.marks)};
  return block.data;
}

void free_pinned(void* data) noexcept {
  Blocks& b = blocks();
  const std::lock_guard lock(b.mutex);
  Used used = std::move(b.used[data]);
  b.used.erase(data);
  try {
    size_t mark = 0;
    for (Gpu* gpu : state().gpus) {
      if (!gpu) continue;
      if (gpu->capturing) return;  // no mark can be made amid a capture; lost, as below
      if (mark == used.marks.size()) used.marks.push_back(std::make_unique<Event>(gpu->device));
      if (!(used.marks[mark]->device() == gpu->device)) used.marks[mark] = std::make_unique<Event>(gpu->device);
      used.marks[mark++]->record();
    }
    b.kept[used.bytes].push_back({data, std::move(used.marks)});
  } catch (const std::exception&) {
    // A GPU that answers no more, or a forked child: the block is lost rather than handed out too early.
  }
}

int32_t copy_staged(Gpu& gpu, void* to, const void* from, size_t bytes) {
  for (size_t done = 0; done < bytes; done += kStage) {
    const size_t now = std::min(kStage, bytes - done);
    void* const stage = allocate_pinned(now);
    {
      const Unlocked unlocked(now == kStage);
      std::memcpy(stage, static_cast<const char*>(from) + done, now);
    }
    char* const target = static_cast<char*>(to) + done;
    const int32_t code = state().plugin->copy(target, stage, now, FD_HOST_TO_DEVICE, gpu.stream);
    free_pinned(stage);
    if (code != 0) return code;
  }
  return 0;
}

bool is_pinned(const void* data) { return ordinal_of(data) == FD_PAGE_LOCKED; }

}  // namespace fd::cuda
