// Dropout with the mask the CPU draws, bit for bit: element i is kept where word i mod 4 of mask block i div 4
// reaches the threshold (base/philox.h).
//
// Bound by memory: a thread draws one Philox block for four neighbours, which costs less than moving them.
#include "base/philox.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

constexpr int kEach = 4;  // the words of a Philox block

struct Plan {
  fd_dropout d;
  fd_rng rng;
  uint64_t threshold;
  const uint64_t* draws;
  int32_t wide;
};

template <class T>
__global__ void __launch_bounds__(kThreads) dropout_kernel(const __grid_constant__ Plan p) {
  const int64_t first = global_thread() * kEach;
  if (first >= p.d.n) return;
  const uint64_t offset = p.rng.offset + (p.draws ? *p.draws : 0);
  const fd_philox4 words = fd_mask_philox(p.rng.seed, offset, uint64_t(first / kEach));
  const T scale = T(p.d.p < 1 ? 1 / (1 - p.d.p) : 0);
  const T* const x = static_cast<const T*>(p.d.x);
  T* const y = static_cast<T*>(p.d.y);
  const bool whole = p.wide && first + kEach <= p.d.n;
  const int64_t end = first + kEach < p.d.n ? first + kEach : p.d.n;
  Pack<T, kEach> v = {};
  Pack<bool, kEach> keep;
#pragma unroll
  for (int j = 0; j < kEach; j++) keep.at[j] = words.v[j] >= p.threshold;
  if (x) {
    if (whole)
      v = *reinterpret_cast<const Pack<T, kEach>*>(x + first);
    else
      for (int j = 0; j < kEach; j++)
        if (first + j < end) v.at[j] = x[first + j];
#pragma unroll
    for (int j = 0; j < kEach; j++) v.at[j] = keep.at[j] ? v.at[j] * scale : T(0);
  }
  if (whole) {
    if (x) *reinterpret_cast<Pack<T, kEach>*>(y + first) = v;
    if (p.d.mask) *reinterpret_cast<Pack<bool, kEach>*>(p.d.mask + first) = keep;
    return;
  }
  for (int j = 0; j < kEach; j++) {
    if (first + j >= end) break;
    if (x) y[first + j] = v.at[j];
    if (p.d.mask) p.d.mask[first + j] = keep.at[j];
  }
}

template <class T>
fd_status dropout(fd_context* context, const fd_dropout* d) {
  constexpr size_t pack = kEach * sizeof(T);
  const bool wide = aligned(d->x, pack) && aligned(d->y, pack) && aligned(d->mask, kEach);
  const Plan p = {*d, *d->rng, fd_drop_threshold(d->p), context->draws, wide};
  return start(context, dropout_kernel<T>, blocks_for(d->n, kThreads * kEach), dim3(kThreads), 0, p);
}

}  // namespace

void fill_dropout(fd_kernels* table) {
  table->dropout.dropout[FD_F32] = dropout<float>;
  table->dropout.dropout[FD_F64] = dropout<double>;
}

}  // namespace fd::gpu
