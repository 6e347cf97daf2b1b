// Rows in ascending or descending order, stable, NaN greater than everything.
//
// Merging, bottom up: in each pass runs of `width` become runs of twice that, and every element finds its own place:
// how far it is into its run, plus how many of the neighbouring run come before it, by binary search. No element waits
// for another, and equal elements keep their order: those of the left run come first. Bound by the memory that
// log2(size) passes move.
#include "kernels/cuda/sort.h"

#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

template <class T>
__device__ bool less(T a, T b) {
  if constexpr (is_floating<T>) return a < b || (b != b && a == a);
  return a < b;
}

// Whether a has to stand before b.
template <class T>
__device__ bool before(T a, T b, bool descending) {
  return descending ? less(b, a) : less(a, b);
}

template <class T>
__global__ void __launch_bounds__(kThreads) number_kernel(const __grid_constant__ fd_sort s, Item<T>* items) {
  const int64_t at = global_thread();
  if (at < s.rows * s.size) items[at] = {static_cast<const T*>(s.in)[at], at % s.size};
}

// How many of run[0..n) stand before x; equals too if they came first.
template <class T>
__device__ int64_t place_in(const Item<T>* run, int64_t n, T x, bool equals_first, bool descending) {
  int64_t low = 0;
  while (n > 0) {
    const int64_t half = n / 2;
    const T m = run[low + half].value;
    if (equals_first ? !before(x, m, descending) : before(m, x, descending)) {
      low += half + 1;
      n -= half + 1;
    } else {
      n = half;
    }
  }
  return low;
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    merge_kernel(const __grid_constant__ fd_sort s, const Item<T>* from, Item<T>* to, int64_t width) {
  const int64_t at = global_thread();
  if (at >= s.rows * s.size) return;
  const int64_t row = at / s.size * s.size, i = at - row;
  const int64_t run = i / width, pair = run / 2 * 2 * width;  // where both runs begin
  const bool right = run % 2;
  const int64_t sibling = right ? pair : pair + width;
  const int64_t left_over = s.size - sibling;
  const int64_t n = left_over < 0 ? 0 : left_over < width ? left_over : width;
  const Item<T> item = from[at];
  const int64_t others = place_in(from + row + (n ? sibling : 0), n, item.value, right, s.descending);
  to[row + pair + i % width + others] = item;
}

// Sorts rows of items; there is room for them twice.
template <class T>
fd_status merge(fd_context* context, const fd_sort& s, Item<T>* items, const Item<T>** sorted) {
  const int64_t n = s.rows * s.size;
  Item<T>*from = items, *to = items + n;
  for (int64_t width = 1; width < s.size; width *= 2) {
    const auto status = start(context, merge_kernel<T>, blocks_for(n), dim3(kThreads), 0, s, from, to, width);
    if (status != FD_OK) return status;
    Item<T>* const done = to;
    to = from;
    from = done;
  }
  *sorted = from;
  return FD_OK;
}

template <class T>
__global__ void __launch_bounds__(kThreads) keep_kernel(const __grid_constant__ fd_sort s, const Item<T>* items) {
  const int64_t at = global_thread();
  const int64_t written = s.only_last ? 1 : s.keep;
  if (at >= s.rows * written) return;
  const Item<T> item = items[at / written * s.size + (s.only_last ? s.keep - 1 : at % s.keep)];
  if (s.values) static_cast<T*>(s.values)[at] = item.value;
  if (s.indices) s.indices[at] = item.index;
}

template <class T>
fd_status sort(fd_context* context, const fd_sort* s) {
  const int64_t n = s->rows * s->size;
  if (n == 0) return FD_OK;
  Item<T>* const items = workspace<Item<T>>(context, 2 * n);
  if (!items) return FD_NO_MEMORY;
  if (const fd_status bad = start(context, number_kernel<T>, blocks_for(n), dim3(kThreads), 0, *s, items)) return bad;
  const Item<T>* sorted;
  if (const fd_status bad = merge(context, *s, items, &sorted)) return bad;
  const int64_t written = s->rows * (s->only_last ? 1 : s->keep);
  return start(context, keep_kernel<T>, blocks_for(written), dim3(kThreads), 0, *s, sorted);
}

}  // namespace

fd_status sort_items(fd_context* context, Item<int64_t>* items, int64_t n, const Item<int64_t>** sorted) {
  fd_sort s = {};
  s.rows = 1;
  s.size = n;
  return merge(context, s, items, sorted);
}

void fill_sort(fd_kernels* table) {
  for_each_dtype([table]<class T>(fd_dtype dtype) {
    if constexpr (!is_half<T>) table->sort.sort[dtype] = sort<T>;
  });
}

}  // namespace fd::gpu
