// The allocator and the workspace: alignment, no block handed out twice, frees on other threads, exhaustion.
#include "base/memory.h"

#include <atomic>
#include <deque>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "families.h"
#include "values.h"

namespace fd::native {
namespace {

struct Block {
  unsigned char* data;
  size_t bytes;
  unsigned char mark;
};

Block make(size_t bytes, unsigned char mark) {
  Block b{static_cast<unsigned char*>(allocate(bytes)), bytes, mark};
  std::memset(b.data, mark, bytes);
  return b;
}

// The block still holds its owner's mark at both ends and in the middle.
bool intact(const Block& b) {
  return b.bytes == 0 || (b.data[0] == b.mark && b.data[b.bytes / 2] == b.mark && b.data[b.bytes - 1] == b.mark);
}

size_t any_size(Random& random) {
  const int64_t magnitude = int64_t(1) << random.below(21);
  return size_t(random.below(magnitude + 1));
}

// Each thread allocates, keeps some blocks, hands others to whoever comes next, and frees what it finds.
bool stress(int threads, int rounds) {
  std::mutex mutex;
  std::deque<Block> exchange;
  std::atomic<bool> ok{true};
  const auto work = [&](int id) {
    Random random(uint64_t(id) + 1);
    std::vector<Block> own;
    for (int r = 0; r < rounds; r++) {
      own.push_back(make(any_size(random), static_cast<unsigned char>(id * 50 + r % 50)));
      if (reinterpret_cast<uintptr_t>(own.back().data) % 64 != 0) ok = false;
      if (own.size() > 20) {
        std::swap(own[size_t(random.below(20))], own.back());
        std::lock_guard lock(mutex);
        exchange.push_back(own.back());
        own.pop_back();
      }
      Block found{};
      {
        std::lock_guard lock(mutex);
        if (exchange.size() > 10) found = exchange.front(), exchange.pop_front();
      }
      if (!found.data) continue;
      if (!intact(found)) ok = false;
      deallocate(found.data, found.bytes);
    }
    for (const Block& b : own) {
      if (!intact(b)) ok = false;
      deallocate(b.data, b.bytes);
    }
  };
  std::vector<std::thread> all;
  for (int id = 0; id < threads; id++) all.emplace_back(work, id);
  for (std::thread& t : all) t.join();
  for (const Block& b : exchange) deallocate(b.data, b.bytes);
  return ok;
}

bool refuses(size_t bytes) {
  try {
    deallocate(allocate(bytes), bytes);
  } catch (const MemoryError&) {
    return true;
  }
  return false;
}

bool workspace_works() {
  for (size_t bytes : {size_t(0), size_t(1), size_t(64), size_t(1000), size_t(1) << 20, size_t(10)}) {
    auto* const a = static_cast<unsigned char*>(workspace(0, bytes));
    auto* const b = static_cast<unsigned char*>(workspace(1, bytes));
    if (bytes == 0) continue;
    if (!a || !b || reinterpret_cast<uintptr_t>(a) % 64 || reinterpret_cast<uintptr_t>(b) % 64) return false;
    std::memset(a, 1, bytes);
    std::memset(b, 2, bytes);
    if (a[0] != 1 || a[bytes - 1] != 1 || b[0] != 2) return false;
  }
  return true;
}

}  // namespace

void test_memory() {
  for (size_t bytes = 0; bytes <= 5000; bytes += 13) {
    Block a = make(bytes, 1), b = make(bytes, 2);
    expect(intact(a) && intact(b) && a.data != b.data, "memory", text("two blocks of ", bytes, " bytes"));
    deallocate(a.data, bytes);
    Block c = make(bytes, 3);
    expect(intact(b) && intact(c), "memory", text("a block of ", bytes, " bytes used again"));
    deallocate(b.data, bytes);
    deallocate(c.data, bytes);
  }
  for (size_t bytes : {size_t(3) << 20, size_t(50) << 20}) {
    const Block b = make(bytes, 7);
    expect(intact(b), "memory", text(bytes, " bytes"));
    deallocate(b.data, bytes);
  }
  const int64_t used = memory_stats().used;
  void* const p = allocate(100000);
  expect(memory_stats().used >= used + 100000, "memory", "a block counts as used");
  expect(memory_stats().peak >= memory_stats().used, "memory", "the peak is no less than what is used");
  deallocate(p, 100000);
  expect(memory_stats().used == used, "memory", "a freed block does not count as used");
  expect(stress(4, 3000), "memory", "stress with frees on other threads");
  expect(stress(8, 500), "memory", "stress with more threads than CPUs");
  empty_cache();
  expect(stress(2, 300), "memory", "stress after the cache was emptied");
  expect(memory_stats().used == used, "memory", "nothing is left after the stress");
  expect(refuses(size_t(1) << 60) && refuses(~size_t(0)), "memory", "absurd sizes raise MemoryError");
  expect(!workspace(0, size_t(1) << 60), "memory", "an absurd workspace is refused");
  expect(workspace_works(), "memory", "workspace");
  bool elsewhere = false;
  std::thread([&] { elsewhere = workspace_works(); }).join();
  expect(elsewhere, "memory", "workspace of another thread");
}

}  // namespace fd::native
