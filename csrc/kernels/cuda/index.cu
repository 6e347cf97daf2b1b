// Reading by index. An index out of range is reported and read as if it were 0, never followed.
//
// Bound by memory: neighbouring threads write neighbouring elements, so reads are as scattered as the indices are.
#include "kernels/cuda/index.h"

#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

template <class T>
__global__ void __launch_bounds__(kThreads) take_kernel(const __grid_constant__ fd_take t) {
  const int64_t at = global_thread();
  if (at >= t.n * t.inner) return;
  const int64_t i = at / t.inner, j = at - i * t.inner;
  static_cast<T*>(t.out)[at] = static_cast<const T*>(t.in)[t.offsets[i] + j];
}

template <class T>
fd_status take(fd_context* context, const fd_take* t) {
  return start(context, take_kernel<T>, blocks_for(t->n * t->inner), dim3(kThreads), 0, *t);
}

__global__ void __launch_bounds__(kThreads) offsets_kernel(const __grid_constant__ fd_offsets o, FaultReport report) {
  const int64_t i = global_thread();
  if (i >= o.n) return;
  int64_t index = o.index[i];
  if (index < -o.size || index >= o.size) {
    report(i, index);
    index = 0;
  }
  if (index < 0) index += o.size;
  o.out[i] = (o.first ? 0 : o.out[i]) + index * o.stride;
}

fd_status offsets(fd_context* context, const fd_offsets* o) {
  return start(context, offsets_kernel, blocks_for(o->n), dim3(kThreads), 0, *o, fault_report(context));
}

template <class T>
__global__ void __launch_bounds__(kThreads) gather_kernel(const __grid_constant__ fd_gather g, FaultReport report) {
  const int64_t at = global_thread();
  if (at >= g.outer * g.size * g.inner) return;
  const int64_t index = checked_index(g, at, report);
  const int64_t outer = at / (g.size * g.inner), inner = at % g.inner;
  if (index >= 0)
    static_cast<T*>(g.out)[at] = static_cast<const T*>(g.in)[(outer * g.extent + index) * g.inner + inner];
}

template <class T>
fd_status gather(fd_context* context, const fd_gather* g) {
  const dim3 blocks = blocks_for(g->outer * g->size * g->inner);
  return start(context, gather_kernel<T>, blocks, dim3(kThreads), 0, *g, fault_report(context));
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    minibatch_kernel(const __grid_constant__ fd_minibatch b, FaultReport report) {
  const int64_t at = global_thread();
  if (at >= b.n * b.inner) return;
  const int64_t i = at / b.inner, j = at - i * b.inner;
  const int64_t row = b.rows[i];
  const bool good = row >= 0 && row < b.examples;
  if (!good && j == 0) report(i, row);
  if (good) static_cast<T*>(b.out)[at] = T(T(b.in[row * b.inner + j]) * T(b.scale) + T(b.shift));
}

template <class T>
fd_status minibatch(fd_context* context, const fd_minibatch* b) {
  const dim3 blocks = blocks_for(b->n * b->inner);
  return start(context, minibatch_kernel<T>, blocks, dim3(kThreads), 0, *b, fault_report(context));
}

// ----------------------------------------------------------------------------------------------------- nonzero

constexpr int kNonzeroEach = 8;  // neighbours a thread looks at
constexpr int64_t kNonzeroBlock = kThreads * kNonzeroEach;

template <class T>
__device__ int count_mine(const fd_nonzero& z, int64_t first) {
  int found = 0;
  for (int k = 0; k < kNonzeroEach; k++) found += first + k < z.n && static_cast<const T*>(z.in)[first + k] != T(0);
  return found;
}

// How many threads before this one of the block found, and all of them together.
template <class Count>
struct Rank {
  Count before, all;
};
template <class Count>
__device__ Rank<Count> rank_in_block(Count found) {
  FD_SHARED(Count, counts, [kThreads]);
  const int me = int(threadIdx.x);
  __syncthreads();
  counts[me] = found;
  for (int reach = 1; reach < kThreads; reach *= 2) {
    __syncthreads();
    const Count other = me >= reach ? counts[me - reach] : 0;
    __syncthreads();
    counts[me] += other;
  }
  __syncthreads();
  return {counts[me] - found, counts[kThreads - 1]};
}

template <class T>
__global__ void __launch_bounds__(kThreads) count_kernel(const __grid_constant__ fd_nonzero z, int64_t* found) {
  const auto r = rank_in_block(count_mine<T>(z, (int64_t(blockIdx.x) * kThreads + threadIdx.x) * kNonzeroEach));
  if (threadIdx.x == 0) found[blockIdx.x] = r.all;
}

// found[b] becomes how many blocks before b found. One block, whose threads take neighbouring stretches.
__global__ void __launch_bounds__(kThreads) starts_kernel(int64_t* found, int64_t blocks, int64_t* total) {
  const int64_t each = (blocks + kThreads - 1) / kThreads, begin = threadIdx.x * each;
  const int64_t end = begin + each < blocks ? begin + each : blocks;
  int64_t mine = 0;
  for (int64_t b = begin; b < end; b++) mine += found[b];
  const Rank<int64_t> r = rank_in_block(mine);
  int64_t before = r.before;
  for (int64_t b = begin; b < end; b++) {
    const int64_t here = found[b];
    found[b] = before;
    before += here;
  }
  if (threadIdx.x == 0) *total = r.all;
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    positions_kernel(const __grid_constant__ fd_nonzero z, const int64_t* starts) {
  const int64_t first = (int64_t(blockIdx.x) * kThreads + threadIdx.x) * kNonzeroEach;
  const auto r = rank_in_block(count_mine<T>(z, first));
  int64_t at = starts[blockIdx.x] + r.before;
  for (int k = 0; k < kNonzeroEach; k++)
    if (first + k < z.n && static_cast<const T*>(z.in)[first + k] != T(0)) z.out[at++] = first + k;
}

template <class T>
fd_status nonzero(fd_context* context, const fd_nonzero* z) {
  const dim3 blocks = blocks_for(z->n, kNonzeroBlock);
  int64_t* const found = workspace<int64_t>(context, int64_t(blocks.x) + 1);
  if (!found) return FD_NO_MEMORY;
  if (const fd_status bad = start(context, count_kernel<T>, blocks, dim3(kThreads), 0, *z, found)) return bad;
  const auto starts = start(context, starts_kernel, dim3(1), dim3(kThreads), 0, found, int64_t(blocks.x), z->count);
  if (starts != FD_OK || !z->out) return starts;
  return start(context, positions_kernel<T>, blocks, dim3(kThreads), 0, *z, found);
}

}  // namespace

void fill_index(fd_kernels* table) {
  fd_index_kernels& k = table->index;
  k.offsets = offsets;
  for_each_dtype([&k]<class T>(fd_dtype dtype) {
    k.take[dtype] = take<T>;
    k.gather[dtype] = gather<T>;
    if constexpr (!is_half<T>) k.nonzero[dtype] = nonzero<T>;
    if constexpr (is_floating<T>) k.minibatch[dtype] = minibatch<T>;
  });
}

}  // namespace fd::gpu
