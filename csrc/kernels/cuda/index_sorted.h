// Writing by index where indices are many: sorted by target, in the order they came among equals, a warp walks each run
// of equal targets. Work is n log n however the targets are spread.
#pragma once

#include "kernels/cuda/index.h"
#include "kernels/cuda/sort.h"

namespace fd::gpu {

constexpr int64_t kWorthSorting = 4096;

template <class T>
constexpr bool adds = !is_half<T> && !is_bool<T>;

// What a write in this mode (fd_scatter_mode) leaves.
template <class T>
__device__ T combine(int32_t mode, T old, T value) {
  if constexpr (adds<T>) {
    switch (mode) {
      case FD_SCATTER_ADD:
        return plus(old, value);
      case FD_SCATTER_MUL:
        return times(old, value);
      case FD_SCATTER_MAX:
        return old > value || is_nan(old) ? old : value;
      case FD_SCATTER_MIN:
        return old < value || is_nan(old) ? old : value;
      default:
        break;
    }
  }
  return value;
}

// Blocks of `inner` elements. Items hold a target offset, negative for none, and which block of `in` goes there.
struct SortedWrite {
  int64_t n, inner;
  const void* in;  // null: scalar
  void* out;
  fd_scalar scalar;
  int32_t mode;
};

// The last of equal targets stays: one thread an element.
template <class T>
__global__ void __launch_bounds__(kThreads)
    set_sorted_kernel(const __grid_constant__ SortedWrite w, const Item<int64_t>* items) {
  const int64_t at = global_thread(), i = at / w.inner, j = at - i * w.inner;
  if (i >= w.n) return;
  const Item<int64_t> item = items[i];
  if (item.value < 0 || (i + 1 < w.n && items[i + 1].value == item.value)) return;
  const T* const in = static_cast<const T*>(w.in);
  static_cast<T*>(w.out)[item.value + j] = in ? in[item.index * w.inner + j] : from_scalar<T>(w.scalar);
}

// Single elements: the warp fetches 32 at a time and every lane combines them in order.
template <class T>
__device__ void combine_run(const SortedWrite& w, const Item<int64_t>* items, int64_t first, int64_t target) {
  const int lane = int(threadIdx.x) % 32;
  const T* const in = static_cast<const T*>(w.in);
  const T scalar = in ? T{} : from_scalar<T>(w.scalar);
  T* const out = static_cast<T*>(w.out) + target;
  T x = lane == 0 ? *out : T{};
  for (int count = 32; count == 32; first += 32) {
    const bool mine = first + lane < w.n && items[first + lane].value == target;
    const T value = !mine ? T{} : in ? in[items[first + lane].index] : scalar;
    count = __popc(__ballot_sync(0xffffffffu, mine));
    for (int l = 0; l < count; l++) x = combine(w.mode, x, static_cast<T>(__shfl_sync(0xffffffffu, value, l)));
  }
  if (lane == 0) *out = x;
}

// Every lane has columns of its own.
template <class T>
__device__ void combine_columns(const SortedWrite& w, const Item<int64_t>* items, int64_t first, int64_t target) {
  const T* const in = static_cast<const T*>(w.in);
  const T scalar = in ? T{} : from_scalar<T>(w.scalar);
  T* const out = static_cast<T*>(w.out) + target;
  for (int64_t j = int(threadIdx.x) % 32; j < w.inner; j += 32) {
    T x = out[j];
#pragma unroll 4
    for (int64_t i = first; i < w.n && items[i].value == target; i++)
      x = combine(w.mode, x, in ? in[items[i].index * w.inner + j] : scalar);
    out[j] = x;
  }
}

// One warp an item; that of the first of equal targets has their work.
template <class T>
__global__ void __launch_bounds__(kThreads)
    combine_sorted_kernel(const __grid_constant__ SortedWrite w, const Item<int64_t>* items) {
  const int64_t first = global_thread() / 32;
  if (first >= w.n) return;
  const int64_t target = items[first].value;
  if (target < 0 || (first > 0 && items[first - 1].value == target)) return;
  if (w.inner == 1)
    combine_run<T>(w, items, first, target);
  else
    combine_columns<T>(w, items, first, target);
}

template <class T>
fd_status write_sorted(fd_context* context, const SortedWrite& w, Item<int64_t>* items) {
  const Item<int64_t>* sorted;
  if (const fd_status bad = sort_items(context, items, w.n, &sorted)) return bad;
  if constexpr (adds<T>) {
    if (w.mode != FD_SCATTER_SET)
      return start(context, combine_sorted_kernel<T>, blocks_for(w.n * 32), dim3(kThreads), 0, w, sorted);
  }
  return start(context, set_sorted_kernel<T>, blocks_for(w.n * w.inner), dim3(kThreads), 0, w, sorted);
}

}  // namespace fd::gpu
