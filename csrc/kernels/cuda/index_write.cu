// Writing by index, in the order of the indices: equal targets add up, or overwrite each other, the same way every
// time.
//
// No atomic addition, whose order is chance. put: every target belongs to one block, by its offset; each block walks
// the indices in order, a stretch at a time through shared memory, and writes those of its own. scatter: every line
// along the scattered dimension belongs to one thread, which walks it in order; where lines are few and long, threads
// divide a line's targets among them instead and each walks the whole line. All that walking is for few indices; many
// are sorted by their targets (index_sorted.h).
#include "kernels/cuda/index_sorted.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

constexpr int64_t kOwners = 256;  // blocks that share the targets of a put
constexpr int64_t kFewLines = 4 * kThreads;

__device__ inline int64_t owner_of(int64_t offset, int64_t owners) {
  const uint64_t mixed = uint64_t(offset) * 0x9E3779B97F4A7C15u;  // neighbours go to different blocks
  return int64_t((mixed >> 32) % uint64_t(owners));
}

template <class T>
__global__ void __launch_bounds__(kThreads) put_kernel(const __grid_constant__ fd_take t) {
  FD_SHARED(int64_t, offsets, [kThreads]);
  const T* const in = static_cast<const T*>(t.in);
  const T scalar = in ? T{} : from_scalar<T>(t.scalar);
  for (int64_t first = 0; first < t.n; first += kThreads) {
    __syncthreads();
    if (first + threadIdx.x < t.n) offsets[threadIdx.x] = t.offsets[first + threadIdx.x];
    __syncthreads();
    for (int64_t i = first; i < t.n && i < first + kThreads; i++) {
      const int64_t offset = offsets[i - first];
      if (owner_of(offset, gridDim.x) != int64_t(blockIdx.x)) continue;
      T* const out = static_cast<T*>(t.out) + offset;
      // One thread owns column j, so what it adds up stays in order.
      for (int64_t j = threadIdx.x; j < t.inner; j += kThreads) {
        const T value = in ? in[i * t.inner + j] : scalar;
        if constexpr (adds<T>)
          out[j] = t.accumulate ? plus(out[j], value) : value;
        else
          out[j] = value;
      }
    }
  }
}

// One element a target: every thread owns targets of its own.
template <class T>
__global__ void __launch_bounds__(kThreads) put_each_kernel(const __grid_constant__ fd_take t) {
  FD_SHARED(int64_t, offsets, [kThreads]);
  const T* const in = static_cast<const T*>(t.in);
  const T scalar = in ? T{} : from_scalar<T>(t.scalar);
  const int64_t owners = int64_t(gridDim.x) * kThreads, me = global_thread();
  for (int64_t first = 0; first < t.n; first += kThreads) {
    __syncthreads();
    if (first + threadIdx.x < t.n) offsets[threadIdx.x] = t.offsets[first + threadIdx.x];
    __syncthreads();
    for (int64_t i = first; i < t.n && i < first + kThreads; i++) {
      const int64_t offset = offsets[i - first];
      if (owner_of(offset, owners) != me) continue;
      T& out = static_cast<T*>(t.out)[offset];
      const T value = in ? in[i] : scalar;
      if constexpr (adds<T>)
        out = t.accumulate ? plus(out, value) : value;
      else
        out = value;
    }
  }
}

__global__ void __launch_bounds__(kThreads)
    put_targets_kernel(const __grid_constant__ fd_take t, Item<int64_t>* items) {
  const int64_t i = global_thread();
  if (i < t.n) items[i] = {t.offsets[i], i};
}

template <class T>
fd_status put(fd_context* context, const fd_take* t) {
  if (t->accumulate && !adds<T>) return FD_UNSUPPORTED;
  if (t->n == 0 || t->inner == 0) return FD_OK;
  if (t->n >= kWorthSorting) {
    Item<int64_t>* const items = workspace<Item<int64_t>>(context, 2 * t->n);
    if (!items) return FD_NO_MEMORY;
    const auto status = start(context, put_targets_kernel, blocks_for(t->n), dim3(kThreads), 0, *t, items);
    if (status != FD_OK) return status;
    const int32_t mode = t->accumulate ? FD_SCATTER_ADD : FD_SCATTER_SET;
    return write_sorted<T>(context, {t->n, t->inner, t->in, t->out, t->scalar, mode}, items);
  }
  const int64_t owners = t->inner == 1 ? ceil_div(t->n, kThreads) : t->n;
  const dim3 blocks(unsigned(owners < kOwners ? owners : kOwners));
  const auto kernel = t->inner == 1 ? put_each_kernel<T> : put_kernel<T>;
  return start(context, kernel, blocks, dim3(kThreads), 0, *t);
}

// blockIdx.y: the owner among those that share a line.
template <class T>
__global__ void __launch_bounds__(kThreads) scatter_kernel(const __grid_constant__ fd_gather g, FaultReport report) {
  const int64_t line = global_thread();
  if (line >= g.outer * g.inner) return;
  const int64_t outer = line / g.inner, inner = line % g.inner;
  const T* const in = static_cast<const T*>(g.in);
  T* const out = static_cast<T*>(g.out) + outer * g.extent * g.inner + inner;
  const T scalar = in ? T{} : from_scalar<T>(g.scalar);
  for (int64_t i = 0; i < g.size; i++) {
    const int64_t at = (outer * g.size + i) * g.inner + inner;
    const int64_t index = checked_index(g, at, report);
    if (index < 0 || (gridDim.y > 1 && owner_of(index, gridDim.y) != int64_t(blockIdx.y))) continue;
    T& target = out[index * g.inner];
    target = combine(g.mode, target, in ? in[at] : scalar);
  }
}

__global__ void __launch_bounds__(kThreads)
    scatter_targets_kernel(const __grid_constant__ fd_gather g, Item<int64_t>* items, FaultReport report) {
  const int64_t at = global_thread();
  if (at >= g.outer * g.size * g.inner) return;
  const int64_t index = checked_index(g, at, report), outer = at / (g.size * g.inner), inner = at % g.inner;
  items[at] = {index < 0 ? -1 : (outer * g.extent + index) * g.inner + inner, at};
}

template <class T>
fd_status scatter(fd_context* context, const fd_gather* g) {
  if (g->mode != FD_SCATTER_SET && !adds<T>) return FD_UNSUPPORTED;
  const int64_t lines = g->outer * g->inner, n = lines * g->size;
  if (lines < kFewLines && n >= kWorthSorting) {
    Item<int64_t>* const items = workspace<Item<int64_t>>(context, 2 * n);
    if (!items) return FD_NO_MEMORY;
    const FaultReport report = fault_report(context);
    const auto status = start(context, scatter_targets_kernel, blocks_for(n), dim3(kThreads), 0, *g, items, report);
    if (status != FD_OK) return status;
    return write_sorted<T>(context, {n, 1, g->in, g->out, g->scalar, g->mode}, items);
  }
  const int64_t wanted = lines > 0 && lines < kFewLines ? ceil_div(g->size, 16) : 1;
  dim3 blocks = blocks_for(lines);
  blocks.y = unsigned(wanted < 1 ? 1 : wanted < kFewLines ? wanted : kFewLines);
  return start(context, scatter_kernel<T>, blocks, dim3(kThreads), 0, *g, fault_report(context));
}

}  // namespace

void fill_index_write(fd_kernels* table) {
  for_each_dtype([table]<class T>(fd_dtype dtype) {
    table->index.put[dtype] = put<T>;
    table->index.scatter[dtype] = scatter<T>;
  });
}

}  // namespace fd::gpu
