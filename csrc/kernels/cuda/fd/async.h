// Copies from global to shared memory that run beside the threads (cp.async, sm_80 and later; PTX ISA, "Data movement
// and conversion instructions"). What a copy writes may be read by the thread that asked for it after copy_wait, by the
// others of the block after a barrier that follows it. The emulator lets nothing land before the wait.
#pragma once

#include "kernels/cuda/fd/cuda.h"

#if defined(__CUDACC__)

namespace fd {

__device__ __forceinline__ uint32_t shared_address(const void* p) { return uint32_t(__cvta_generic_to_shared(p)); }

// Begins to copy Bytes (4, 8 or 16), of which both addresses are multiples.
template <int Bytes>
__device__ __forceinline__ void copy_async(void* to, const void* from) {
  if constexpr (Bytes == 16)
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16;\n" ::"r"(shared_address(to)), "l"(from)
                 : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2;\n" ::"r"(shared_address(to)), "l"(from), "n"(Bytes)
                 : "memory");
}

// Reads only the first `valid` of them and writes zeros for the rest.
template <int Bytes>
__device__ __forceinline__ void copy_async(void* to, const void* from, int valid) {
  if constexpr (Bytes == 16)
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;\n" ::"r"(shared_address(to)), "l"(from),
                 "r"(valid)
                 : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;\n" ::"r"(shared_address(to)), "l"(from), "n"(Bytes),
                 "r"(valid)
                 : "memory");
}

// Closes the calling thread's group of copies.
__device__ __forceinline__ void copy_commit() { asm volatile("cp.async.commit_group;\n" ::: "memory"); }

// Waits until all but the calling thread's last Left groups have landed.
template <int Left>
__device__ __forceinline__ void copy_wait() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(Left) : "memory");
}

}  // namespace fd
#else
#include "copies.h"
#endif
