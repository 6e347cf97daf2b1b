// Sorting for other kernels: by 64-bit keys, stable.
#pragma once

#include "kernels/cuda/launch.h"

namespace fd::gpu {

template <class T>
struct Item {
  T value;
  int64_t index;
};

// Sorts items[0..n) by value, ascending; equal ones stay in order. There is room for 2 n; *sorted is where they end up.
fd_status sort_items(fd_context* context, Item<int64_t>* items, int64_t n, const Item<int64_t>** sorted);

}  // namespace fd::gpu
