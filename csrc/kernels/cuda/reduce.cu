// Reductions over any dimensions.
//
// Bound by memory. A block is 256 threads, of which some share a line and the others take neighbouring lines, whichever
// way neighbouring threads read neighbouring elements. Each keeps four loads in flight. Where there are too few lines
// to fill a device, several blocks share one and a second launch combines their states. How work is cut depends on the
// shape alone, so the same input gives the same bits.
#include "kernels/cuda/reduce.h"

#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

constexpr int64_t kBlocksWanted = 512;        // some four for every multiprocessor of a large device
constexpr int64_t kElementsWorthASplit = 32;  // a thread
constexpr int kAhead = 4;

struct ReducePlan {
  const void* in;
  void* out;
  void* second;
  void* partial;  // states [splits, lines] where a line is shared by blocks
  double param;
  Space<1> kept, reduced;
  int64_t chunk;  // elements of a line for one block
  int32_t splits;
  int32_t line_lanes;   // threads that share a line; a power of two
  int32_t lines_first;  // neighbouring threads take neighbouring lines
};

template <class State>
constexpr bool has_second = requires { typename State::Second; };

template <class State, class T>
__device__ void store(const ReducePlan& p, int64_t line, const State& state, const Line<T>& of) {
  static_cast<typename State::Result*>(p.out)[line] = static_cast<typename State::Result>(state.value(of));
  if constexpr (has_second<State>)
    if (p.second)
      static_cast<typename State::Second*>(p.second)[line] = static_cast<typename State::Second>(state.second(of));
}

template <class T>
__device__ Line<T> line_at(const ReducePlan& p, int64_t line) {
  const bool any = p.reduced.count > 0;
  return {any ? static_cast<const T*>(p.in)[p.kept.locate(line)] : T(0), p.reduced.count, p.param};
}

template <class State, class T>
__device__ void take_range(State& state, const ReducePlan& p, const T* in, int64_t begin, int64_t end) {
  const int64_t step = p.line_lanes;
  int64_t i = begin;
  for (; i + (kAhead - 1) * step < end; i += kAhead * step) {
    T x[kAhead];
#pragma unroll
    for (int k = 0; k < kAhead; k++) x[k] = in[p.reduced.locate(i + k * step)];
#pragma unroll
    for (int k = 0; k < kAhead; k++) state.take(x[k], i + k * step);
  }
  for (; i < end; i += step) state.take(in[p.reduced.locate(i)], i);
}

// shared[lane * stride + ...] holds the states of the threads that share a line; the sum ends at lane 0.
template <class State>
__device__ void merge_lanes(State* shared, int at, int lane, int lanes, int stride) {
  for (int half = lanes / 2; half > 0; half /= 2) {
    __syncthreads();
    if (lane < half) shared[at].merge(shared[at + half * stride]);
  }
  __syncthreads();
}

template <class State, class T>
__global__ void __launch_bounds__(kThreads) reduce_kernel(const __grid_constant__ ReducePlan p) {
  FD_SHARED(State, shared, [kThreads]);
  const int lanes = p.line_lanes, lines = kThreads / lanes, thread = int(threadIdx.x);
  const int lane = p.lines_first ? thread / lines : thread % lanes;
  const int line_in_block = p.lines_first ? thread % lines : thread / lanes;
  const int64_t line = int64_t(blockIdx.x) * lines + line_in_block;
  const bool real = line < p.kept.count;

  State state;
  state.clear();
  Line<T> of = {};
  if (real) {
    of = line_at<T>(p, line);
    state.prepare(of);
    const int64_t begin = int64_t(blockIdx.y) * p.chunk;
    const int64_t end = begin + p.chunk < p.reduced.count ? begin + p.chunk : p.reduced.count;
    take_range(state, p, static_cast<const T*>(p.in) + p.kept.locate(line), begin + lane, end);
  }
  shared[thread] = state;
  merge_lanes(shared, thread, lane, lanes, p.lines_first ? lines : 1);
  if (!real || lane != 0) return;
  if (p.partial)
    static_cast<State*>(p.partial)[blockIdx.y * p.kept.count + line] = shared[thread];
  else
    store(p, line, shared[thread], of);
}

// One block a line: the states its blocks left.
template <class State, class T>
__global__ void __launch_bounds__(kThreads) combine_kernel(const __grid_constant__ ReducePlan p) {
  FD_SHARED(State, shared, [kThreads]);
  const int64_t line = blockIdx.x;
  const Line<T> of = line_at<T>(p, line);
  const State* const partial = static_cast<const State*>(p.partial) + line;
  State state;
  state.clear();
  state.prepare(of);
  for (int s = int(threadIdx.x); s < p.splits; s += kThreads) state.merge(partial[s * p.kept.count]);
  shared[threadIdx.x] = state;
  merge_lanes(shared, int(threadIdx.x), int(threadIdx.x), kThreads, 1);
  if (threadIdx.x == 0) store(p, line, shared[0], of);
}

int32_t power_of_two(int64_t at_least, int64_t at_most) {
  int64_t p = 1;
  while (p < at_least && p < at_most) p *= 2;
  return int32_t(p);
}

ReducePlan plan_for(const fd_reduce& r) {
  ReducePlan p = {};
  p.in = r.in;
  p.out = r.out;
  p.second = r.second;
  p.param = r.param;
  p.kept.set(r.kept_ndim, r.kept_size, {r.kept_stride});
  p.reduced.set(r.reduced_ndim, r.reduced_size, {r.reduced_stride});
  const int64_t along_line = r.reduced_ndim ? std::llabs(r.reduced_stride[r.reduced_ndim - 1]) : 1;
  const int64_t across = r.kept_ndim ? std::llabs(r.kept_stride[r.kept_ndim - 1]) : along_line;
  p.lines_first = across < along_line && p.kept.count > 1;
  p.line_lanes = p.lines_first ? kThreads / power_of_two(p.kept.count, 32) : power_of_two(p.reduced.count, kThreads);
  const int64_t blocks = ceil_div(p.kept.count, kThreads / p.line_lanes);
  const int64_t most = ceil_div(p.reduced.count, p.line_lanes * kElementsWorthASplit);
  int64_t splits = blocks ? ceil_div(kBlocksWanted, blocks) : 1;
  splits = splits < most ? splits : most;
  p.splits = splits > 1 ? int32_t(splits) : 1;
  p.chunk = ceil_div(p.reduced.count, p.splits);
  return p;
}

template <class State, class T>
fd_status reduce(fd_context* context, const fd_reduce* r) {
  ReducePlan p = plan_for(*r);
  const dim3 blocks(unsigned(ceil_div(p.kept.count, kThreads / p.line_lanes)), unsigned(p.splits));
  if (p.splits > 1) {
    p.partial = workspace<State>(context, p.splits * p.kept.count);
    if (!p.partial) return FD_NO_MEMORY;
  }
  const fd_status status = start(context, reduce_kernel<State, T>, blocks, dim3(kThreads), 0, p);
  if (status != FD_OK || p.splits == 1) return status;
  return start(context, combine_kernel<State, T>, dim3(unsigned(p.kept.count)), dim3(kThreads), 0, p);
}

template <template <class> class State>
void fill_any_but_half(fd_reduce_fn** slots) {
  for_each_dtype([=]<class T>(fd_dtype dtype) {
    if constexpr (!is_half<T>) slots[dtype] = reduce<State<T>, T>;
  });
}

template <template <class> class State>
void fill_floating(fd_reduce_fn** slots) {
  for_each_floating([=]<class T>(fd_dtype dtype) { slots[dtype] = reduce<State<T>, T>; });
}

template <class T>
using Max = Extreme<T, false, false>;
template <class T>
using Min = Extreme<T, true, false>;
template <class T>
using Argmax = ArgExtreme<T, false>;
template <class T>
using Argmin = ArgExtreme<T, true>;
template <class T>
using Any = Quantifier<T, false>;
template <class T>
using All = Quantifier<T, true>;

}  // namespace

void fill_reduce(fd_kernels* table) {
  auto& r = table->reduce.reduce;
  fill_any_but_half<Total>(r[FD_REDUCE_SUM]);
  fill_any_but_half<Prod>(r[FD_REDUCE_PROD]);
  fill_any_but_half<Max>(r[FD_REDUCE_MAX]);
  fill_any_but_half<Min>(r[FD_REDUCE_MIN]);
  fill_any_but_half<Argmax>(r[FD_REDUCE_ARGMAX]);
  fill_any_but_half<Argmin>(r[FD_REDUCE_ARGMIN]);
  fill_any_but_half<Any>(r[FD_REDUCE_ANY]);
  fill_any_but_half<All>(r[FD_REDUCE_ALL]);
  fill_any_but_half<CountNonzero>(r[FD_REDUCE_COUNT_NONZERO]);
  fill_floating<Mean>(r[FD_REDUCE_MEAN]);
  fill_floating<Var>(r[FD_REDUCE_VAR]);
  fill_floating<Norm2>(r[FD_REDUCE_NORM2]);
  fill_floating<Norm1>(r[FD_REDUCE_NORM1]);
  fill_floating<LogSumExp>(r[FD_REDUCE_LOGSUMEXP]);
}

}  // namespace fd::gpu
