#include "kernels/device_cache.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>

namespace fd::cuda {

namespace {

constexpr size_t kUnit = 512;                    // what the driver aligns to, and more than any vector load
constexpr size_t kSlab = size_t(2) << 20;        // the driver's own granularity
constexpr size_t kCutBelow = size_t(256) << 10;  // blocks up to here share slabs
constexpr int kClasses = 160;

// Four sizes per power of two, in units.
struct SizeClass {
  int index;
  size_t bytes;
};

SizeClass class_of(size_t bytes) {
  const size_t units = (std::max(bytes, size_t(1)) + kUnit - 1) / kUnit;
  if (units <= 4) return {int(units) - 1, units * kUnit};
  const int shift = std::bit_width(units - 1) - 3;
  const size_t steps = ((units - 1) >> shift) + 1;
  return {shift * 4 + int(steps) - 1, (steps << shift) * kUnit};
}

size_t bytes_of(int index) {
  if (index < 4) return size_t(index + 1) * kUnit;
  return (size_t(index % 4 + 5) << (index / 4 - 1)) * kUnit;
}

}  // namespace

void Cache::open(int32_t (*allocate)(size_t, void**), int32_t (*release)(void*), bool hold) {
  hold_ = hold;
  allocate_ = allocate;
  release_ = release;
  const char* wanted = std::getenv("FREEDIVE_CUDA_CACHE");
  reuse_ = !(wanted && std::strcmp(wanted, "0") == 0);
  kept_.resize(kClasses);
}

void* Cache::from_device(size_t bytes) {
  void* p = nullptr;
  if (allocate_(bytes, &p) == 0) return p;
  release_kept();
  return allocate_(bytes, &p) == 0 ? p : nullptr;
}

// One block of a new slab; its other blocks are kept.
void* Cache::cut(int index, size_t bytes) {
  char* const slab = static_cast<char*>(from_device(kSlab));
  if (!slab) return nullptr;
  for (size_t at = bytes; at + bytes <= kSlab; at += bytes) {
    kept_[size_t(index)].push_back(slab + at);
    stats_.cached += int64_t(bytes);
  }
  return slab;
}

void* Cache::take(size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes > size_t(1) << 46) return nullptr;
  const SizeClass size = class_of(bytes);
  void* p = nullptr;
  if (!reuse_) {
    p = from_device(std::max(bytes, size_t(1)));
  } else if (auto& list = kept_[size_t(size.index)]; !list.empty()) {
    p = list.back();
    list.pop_back();
    stats_.cached -= int64_t(size.bytes);
  } else {
    p = size.bytes <= kCutBelow ? cut(size.index, size.bytes) : from_device(size.bytes);
  }
  if (p) {
    stats_.used += int64_t(size.bytes);
    stats_.peak = std::max(stats_.peak, stats_.used);
  }
  return p;
}

void Cache::give(void* data, size_t bytes) noexcept {
  if (!data) return;
  const std::lock_guard lock(mutex_);
  const SizeClass size = class_of(bytes);
  stats_.used -= int64_t(size.bytes);
  if (!reuse_) {
    if (hold_)
      held_.push_back(data);
    else
      release_(data);
    return;
  }
  kept_[size_t(size.index)].push_back(data);
  stats_.cached += int64_t(size.bytes);
}

void Cache::release_kept() {
  for (int i = 0; i < kClasses; i++) {
    if (bytes_of(i) <= kCutBelow) continue;
    for (void* p : kept_[size_t(i)]) {
      release_(p);
      stats_.cached -= int64_t(bytes_of(i));
    }
    kept_[size_t(i)].clear();
  }
}

void Cache::clear() {
  const std::lock_guard lock(mutex_);
  release_kept();
}

void Cache::leave_to(Cache& heir) {
  const std::scoped_lock lock(mutex_, heir.mutex_);
  for (void* p : held_) release_(p);
  held_.clear();
  for (int i = 0; i < kClasses; i++) {
    auto& mine = kept_[size_t(i)];
    auto& theirs = heir.kept_[size_t(i)];
    theirs.insert(theirs.end(), mine.begin(), mine.end());
    mine.clear();
  }
  heir.stats_.cached += stats_.cached;
  heir.stats_.used += stats_.used;
  stats_ = {};
}

MemoryStats Cache::stats() {
  const std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace fd::cuda
