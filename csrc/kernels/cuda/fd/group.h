// L threads that work on one line together: a thread alone, a warp, or a block of kThreads. What they combine, they
// combine in a fixed order, and all of them get it.
#pragma once

#include "kernels/cuda/launch.h"

namespace fd::gpu {

template <int L>
struct Group {
  static_assert(L == 1 || L == 32 || L == kThreads);
  static constexpr int kLines = kThreads / L;  // of a block

  __device__ static int lane() { return int(threadIdx.x) % L; }
  __device__ static int64_t line() { return int64_t(blockIdx.x) * kLines + int(threadIdx.x) / L; }

  // join(a, b) is commutative. Every thread of the block calls it; memory written before is seen after by the group.
  template <class V, class Join>
  __device__ static V all(V v, Join join) {
    if constexpr (L >= 32) {
      for (int step = 16; step > 0; step /= 2) v = join(v, exchange(v, step));
      __syncwarp();
    }
    if constexpr (L > 32) {
      FD_SHARED(V, part, [L / 32]);
      __syncthreads();
      if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;
      __syncthreads();
      v = part[0];
      for (int w = 1; w < L / 32; w++) v = join(v, part[w]);
    }
    return v;
  }

  template <class V>
  __device__ static V sum(V v) {
    return all(v, [](V a, V b) { return a + b; });
  }

 private:
  // A shuffle moves up to 8 bytes; larger values go word by word.
  template <class V>
  __device__ static V exchange(const V& v, int step) {
    if constexpr (std::is_arithmetic_v<V>) {
      return __shfl_xor_sync(0xffffffffu, v, step);
    } else {
      static_assert(sizeof(V) % 4 == 0);
      union {
        V value;
        uint32_t word[sizeof(V) / 4];
      } u;
      u.value = v;
      for (uint32_t& w : u.word) w = __shfl_xor_sync(0xffffffffu, w, step);
      return u.value;
    }
  }
};

}  // namespace fd::gpu
