// What reading and writing by index share.
#pragma once

#include "kernels/cuda/launch.h"

namespace fd::gpu {

// The index at a linear position, or -1 and a report if it is out of range.
__device__ inline int64_t checked_index(const fd_gather& g, int64_t at, const FaultReport& report) {
  const int64_t index = g.index[at];
  if (index >= 0 && index < g.extent) return index;
  report(at, index);
  return -1;
}

}  // namespace fd::gpu
