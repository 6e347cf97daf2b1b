// Host memory: a caching allocator for tensors and scratch space for kernels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fd {

// 64-byte aligned; MemoryError with the size asked for. Freed blocks are kept by size class and handed out again, so
// a training loop in its steady state makes no system call. deallocate() wants the size that was asked for and may be
// called on any thread.
void* allocate(size_t bytes);
void deallocate(void* data, size_t bytes);

// Scratch of the calling thread (see fd_context::workspace); nullptr when memory is out.
void* workspace(int slot, size_t bytes);

// Bytes handed out (rounded up to their size class), bytes kept for reuse, and the most ever handed out at once (to
// within 64 KiB per thread).
struct MemoryStats {
  int64_t used, cached, peak;
};
MemoryStats memory_stats();

// Gives the blocks kept for reuse back to the system, except those in other threads' own lists.
void empty_cache();

}  // namespace fd
