// Blocks travel system -> shared cache -> a thread's own lists and back. A thread's lists need no lock, which keeps
// the common allocate/deallocate pair at a few nanoseconds; the shared cache holds what threads do not.
#include "base/memory.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "base/error.h"

#if defined(__SANITIZE_ADDRESS__)
#define FD_REUSE false  // every block is its own, of exactly its size, so that overruns and late uses are seen
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FD_REUSE false
#endif
#endif
#ifndef FD_REUSE
#define FD_REUSE true
#endif

namespace fd {

namespace {

constexpr size_t kAlign = 64;
constexpr size_t kHuge = size_t(2) << 20;  // a huge page; blocks from here on are mapped and start on one
constexpr int kLocalClasses = 44;          // classes up to 256 KiB live in a thread's own lists
constexpr int kClasses = 148;
constexpr size_t kMost = size_t(1) << 44;        // bytes of the last class
constexpr size_t kLocalBytes = size_t(1) << 20;  // per class and thread
constexpr int kLocalBlocks = 64;
constexpr int64_t kFlushBytes = 64 << 10;  // how far a thread's count may run ahead of the total
constexpr int64_t kCacheFloor = int64_t(256) << 20;

// Four sizes per power of two: 64, 128, 192, 256, 320, 384, 448, 512, 640, 768, ...
struct SizeClass {
  int index;
  size_t bytes;
};

SizeClass class_of(size_t bytes) {
  const size_t units = (std::max(bytes, size_t(1)) + kAlign - 1) / kAlign;
  if (units <= 4) return {int(units) - 1, units * kAlign};
  const int shift = std::bit_width(units - 1) - 3;
  const size_t steps = ((units - 1) >> shift) + 1;  // 5..8
  return {shift * 4 + int(steps) - 1, (steps << shift) * kAlign};
}

size_t bytes_of(int index) {
  if (index < 4) return size_t(index + 1) * kAlign;
  return size_t(index % 4 + 5) << (index / 4 - 1) << 6;
}

// Blocks of one size that a thread keeps to itself.
int local_limit(size_t bytes) { return bytes <= kLocalBytes / kLocalBlocks ? kLocalBlocks : int(kLocalBytes / bytes); }

struct Block {
  Block* next;
};

struct List {
  Block* head = nullptr;
  int count = 0;

  void push(void* p) {
    head = new (p) Block{head};
    count++;
  }
  void* pop() {
    Block* block = head;
    if (block) {
      head = block->next;
      count--;
    }
    return block;
  }
};

// ------------------------------------------------------------------------------------------------- the system

#ifdef __linux__
void* map_huge(size_t bytes) {
  const size_t padded = bytes + kHuge;
  char* const base =
      static_cast<char*>(mmap(nullptr, padded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (base == MAP_FAILED) return nullptr;
  const size_t head = -reinterpret_cast<uintptr_t>(base) % kHuge;
  if (head) munmap(base, head);
  munmap(base + head + bytes, kHuge - head);
  madvise(base + head, bytes, MADV_HUGEPAGE);
  return base + head;
}
#endif

void* from_system(size_t bytes) {
#ifdef __linux__
  if (FD_REUSE && bytes >= kHuge) return map_huge(bytes);
#endif
  void* p = nullptr;
  return posix_memalign(&p, kAlign, bytes) == 0 ? p : nullptr;
}

void to_system(void* p, [[maybe_unused]] size_t bytes) {
#ifdef __linux__
  if (FD_REUSE && bytes >= kHuge) {
    munmap(p, bytes);
    return;
  }
#endif
  std::free(p);
}

// ------------------------------------------------------------------------------------------------- shared state

// Single-writer counters, read by others for statistics.
struct Counter {
  std::atomic<int64_t> value{0};
  void add(int64_t n) { value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  int64_t get() const { return value.load(std::memory_order_relaxed); }
};

struct ThreadCache {
  List lists[kLocalClasses];
  Counter used;    // handed out less taken back by this thread since it last told the total
  Counter cached;  // bytes in lists
  ThreadCache* next = nullptr;
};

// Never destroyed: tensors may be freed while static objects are.
struct Shared {
  std::mutex mutex;
  List lists[kClasses];
  int64_t cached = 0;
  ThreadCache* threads = nullptr;
  std::atomic<int64_t> used{0}, peak{0};
};

void after_fork_in_child();

Shared& shared() {
  static Shared* const instance = [] {
    pthread_atfork([] { shared().mutex.lock(); }, [] { shared().mutex.unlock(); }, after_fork_in_child);
    return new Shared;
  }();
  return *instance;
}

void raise_peak(Shared& s, int64_t used) {
  int64_t peak = s.peak.load(std::memory_order_relaxed);
  while (used > peak && !s.peak.compare_exchange_weak(peak, used, std::memory_order_relaxed)) {
  }
}

void count_used(Shared& s, int64_t bytes) {
  const int64_t used = s.used.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  if (bytes > 0) raise_peak(s, used);
}

// Gives blocks back, largest first, sparing one class. With the mutex held.
void shrink(Shared& s, int64_t target, int spared) {
  for (int i = kClasses - 1; i >= 0 && s.cached > target; i--) {
    if (i == spared) continue;
    while (s.cached > target) {
      void* p = s.lists[i].pop();
      if (!p) break;
      to_system(p, bytes_of(i));
      s.cached -= int64_t(bytes_of(i));
    }
  }
}

// Keeping no more than was ever in use at once bounds the process to twice its own need.
void keep(Shared& s, int index, void* p) {
  s.lists[index].push(p);
  s.cached += int64_t(bytes_of(index));
  const int64_t most = std::max(kCacheFloor, s.peak.load(std::memory_order_relaxed));
  if (s.cached > most) {
    shrink(s, most, index);
    shrink(s, most, -1);
  }
}

void* take_or_map(Shared& s, int index) {
  const size_t bytes = bytes_of(index);
  {
    std::lock_guard lock(s.mutex);
    if (void* p = s.lists[index].pop()) {
      s.cached -= int64_t(bytes);
      return p;
    }
  }
  if (void* p = from_system(bytes)) return p;
  empty_cache();
  return from_system(bytes);
}

// ------------------------------------------------------------------------------------------------- a thread's lists

// A plain pointer is the cheapest thread-local there is. Not initial-exec, though that would spare a call: it takes
// room that glibc sets aside for few libraries, and a program that imported PyTorch first could not load this one.
thread_local ThreadCache* local = nullptr;
thread_local bool exiting = false;

// The threads a child of fork() does not have leave it their counts; the blocks in their lists are lost to it.
void after_fork_in_child() {
  Shared& s = shared();
  for (ThreadCache** link = &s.threads; *link;) {
    if (*link == local) {
      link = &(*link)->next;
      continue;
    }
    s.used.fetch_add((*link)->used.get(), std::memory_order_relaxed);
    *link = (*link)->next;
  }
  s.mutex.unlock();
}

void flush(Shared& s, ThreadCache& t, int index, int leave) {
  List& list = t.lists[index];
  std::lock_guard lock(s.mutex);
  while (list.count > leave) {
    t.cached.add(-int64_t(bytes_of(index)));
    keep(s, index, list.pop());
  }
}

struct LocalOwner {
  ~LocalOwner() {
    exiting = true;
    ThreadCache* const t = local;
    local = nullptr;
    if (!t) return;
    Shared& s = shared();
    for (int i = 0; i < kLocalClasses; i++) flush(s, *t, i, 0);
    count_used(s, t->used.get());
    std::lock_guard lock(s.mutex);
    for (ThreadCache** link = &s.threads; *link; link = &(*link)->next) {
      if (*link != t) continue;
      *link = t->next;
      break;
    }
    delete t;
  }
};

// nullptr while the thread is ending: then everything goes through the shared cache.
ThreadCache* make_local() {
  if (exiting) return nullptr;
  static thread_local LocalOwner owner;
  (void)owner;
  Shared& s = shared();
  auto* t = new ThreadCache;
  std::lock_guard lock(s.mutex);
  t->next = s.threads;
  s.threads = t;
  return local = t;
}

void count_local(ThreadCache& t, int64_t bytes) {
  t.used.add(bytes);
  const int64_t used = t.used.get();
  if (used < kFlushBytes && used > -kFlushBytes) [[likely]]
    return;
  t.used.add(-used);
  count_used(shared(), used);
}

[[gnu::noinline]] void* allocate_slowly(SizeClass size, size_t bytes) {
  Shared& s = shared();
  ThreadCache* const t = local ? local : make_local();
  void* const p = take_or_map(s, size.index);
  check<MemoryError>(p != nullptr, "cannot allocate ", bytes, " bytes");
  if (t)
    count_local(*t, int64_t(size.bytes));
  else
    count_used(s, int64_t(size.bytes));
  return p;
}

[[gnu::noinline]] void deallocate_slowly(SizeClass size, void* p) {
  Shared& s = shared();
  ThreadCache* const t = local ? local : make_local();
  if (t && size.index < kLocalClasses) {
    t->lists[size.index].push(p);
    t->cached.add(int64_t(size.bytes));
    const int most = local_limit(size.bytes);
    if (t->lists[size.index].count > most) flush(s, *t, size.index, most / 2);
  } else {
    std::lock_guard lock(s.mutex);
    keep(s, size.index, p);
  }
  if (t)
    count_local(*t, -int64_t(size.bytes));
  else
    count_used(s, -int64_t(size.bytes));
}

// Scratch of this thread, not counted as used: kernels own it for good.
struct Scratch {
  void* data;
  size_t bytes;
};
thread_local Scratch scratch[2] = {};

struct ScratchOwner {
  ~ScratchOwner() {
    for (Scratch& s : scratch) {
      if (s.data) to_system(s.data, s.bytes);
      s = {};
    }
  }
};

[[gnu::noinline]] void* grow_scratch(Scratch& s, size_t bytes) {
  static thread_local ScratchOwner owner;
  (void)owner;
  if (s.data) to_system(s.data, s.bytes);
  s = {};
  if (bytes > kMost) return nullptr;
  const size_t rounded = class_of(bytes).bytes;
  s.data = from_system(rounded);
  if (!s.data) {
    empty_cache();
    s.data = from_system(rounded);
  }
  s.bytes = s.data ? rounded : 0;
  return s.data;
}

}  // namespace

void* allocate(size_t bytes) {
  check<MemoryError>(bytes <= kMost, "cannot allocate ", bytes, " bytes");
  const SizeClass size = class_of(bytes);
  if constexpr (!FD_REUSE) {
    void* const p = from_system(std::max(bytes, size_t(1)));
    check<MemoryError>(p != nullptr, "cannot allocate ", bytes, " bytes");
    count_used(shared(), int64_t(size.bytes));
    return p;
  }
  ThreadCache* const t = local;
  if (t && size.index < kLocalClasses) [[likely]] {
    if (void* p = t->lists[size.index].pop()) [[likely]] {
      t->cached.add(-int64_t(size.bytes));
      count_local(*t, int64_t(size.bytes));
      return p;
    }
  }
  return allocate_slowly(size, bytes);
}

void deallocate(void* data, size_t bytes) {
  if (!data) return;
  const SizeClass size = class_of(bytes);
  if constexpr (!FD_REUSE) {
    to_system(data, bytes);
    count_used(shared(), -int64_t(size.bytes));
    return;
  }
  ThreadCache* const t = local;
  if (t && size.index < kLocalClasses && t->lists[size.index].count < local_limit(size.bytes)) [[likely]] {
    t->lists[size.index].push(data);
    t->cached.add(int64_t(size.bytes));
    count_local(*t, -int64_t(size.bytes));
    return;
  }
  deallocate_slowly(size, data);
}

void* workspace(int slot, size_t bytes) {
  Scratch& s = scratch[slot];
  if (s.bytes >= bytes && s.data) [[likely]]
    return s.data;
  return grow_scratch(s, bytes);
}

MemoryStats memory_stats() {
  Shared& s = shared();
  std::lock_guard lock(s.mutex);
  MemoryStats stats{s.used.load(std::memory_order_relaxed), s.cached, 0};
  for (const ThreadCache* t = s.threads; t; t = t->next) {
    stats.used += t->used.get();
    stats.cached += t->cached.get();
  }
  raise_peak(s, stats.used);
  stats.peak = s.peak.load(std::memory_order_relaxed);
  return stats;
}

void empty_cache() {
  Shared& s = shared();
  if (local)
    for (int i = 0; i < kLocalClasses; i++) flush(s, *local, i, 0);
  std::lock_guard lock(s.mutex);
  shrink(s, 0, -1);
}

}  // namespace fd
