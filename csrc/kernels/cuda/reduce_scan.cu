// Running sums, products and extremes along the middle of [outer, size, inner].
//
// Lines that lie side by side (inner > 1) or are short go to one thread each, which keeps neighbouring threads on
// neighbouring elements. A long line goes to a block: every thread walks four elements, the block combines the threads'
// states in a fixed order, and the line's state so far is carried from one such stretch to the next.
// Few very long lines are cut into chunks: their totals first, then what lies before each, then every chunk as if it
// were a line that began there.
#include "kernels/cuda/reduce.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

constexpr int kEach = 4;
constexpr int64_t kShort = 64;
constexpr int64_t kStretch = kThreads * kEach;
constexpr int64_t kChunk = 4 * kStretch;
constexpr int64_t kFewLines = 256;

struct Plan {
  fd_scan s;
  int64_t chunks;  // of a line
  void* before;    // states [outer, chunks]: of a chunk, then of all before it; null: lines are not cut
};

template <class State, class T>
__device__ void store(const fd_scan& s, int64_t at, const State& state) {
  static_cast<T*>(s.out)[at] = static_cast<T>(state.value(Line<T>{}));
  if constexpr (requires { state.where; })
    if (s.indices) s.indices[at] = state.where;
}

template <class State, class T>
__global__ void __launch_bounds__(kThreads) lines_kernel(const __grid_constant__ fd_scan s) {
  const int64_t line = global_thread();
  if (line >= s.outer * s.inner) return;
  int64_t at = line / s.inner * s.size * s.inner + line % s.inner;
  State state;
  state.clear();
  for (int64_t k = 0; k < s.size; k++, at += s.inner) {
    state.take(static_cast<const T*>(s.in)[at], k);
    store<State, T>(s, at, state);
  }
}

// state[i] becomes the merge of state[0..i]; threads write only between barriers.
template <class State>
__device__ void scan_threads(State* state) {
  const int i = int(threadIdx.x);
  for (int reach = 1; reach < kThreads; reach *= 2) {
    __syncthreads();
    State before;
    const bool has = i >= reach;
    if (has) before = state[i - reach];
    __syncthreads();
    if (has) {
      before.merge(state[i]);
      state[i] = before;
    }
  }
  __syncthreads();
}

// The part of a line that a block has.
struct Part {
  int64_t line, begin, end;
  __device__ explicit Part(const Plan& p)
      : line(blockIdx.x / p.chunks), begin(int64_t(blockIdx.x) % p.chunks * kChunk), end(p.s.size) {
    if (p.before && begin + kChunk < end) end = begin + kChunk;
  }
};

template <class State, class T>
__global__ void __launch_bounds__(kThreads) totals_kernel(const __grid_constant__ Plan p) {
  FD_SHARED(State, threads, [kThreads]);
  const Part part(p);
  const T* const in = static_cast<const T*>(p.s.in) + part.line * p.s.size;
  State own;
  own.clear();
#pragma unroll 4
  for (int64_t i = part.begin + threadIdx.x; i < part.end; i += kThreads) own.take(in[i], i);
  threads[threadIdx.x] = own;
  scan_threads(threads);
  if (threadIdx.x == 0) static_cast<State*>(p.before)[blockIdx.x] = threads[kThreads - 1];
}

// Of every chunk, the state of all before it in its line: one block a line.
template <class State>
__global__ void __launch_bounds__(kThreads) before_kernel(const __grid_constant__ Plan p) {
  FD_SHARED(State, threads, [kThreads]);
  State* const states = static_cast<State*>(p.before) + int64_t(blockIdx.x) * p.chunks;
  const int thread = int(threadIdx.x);
  State carried;
  carried.clear();
  for (int64_t first = 0; first < p.chunks; first += kThreads) {
    const bool mine = first + thread < p.chunks;
    State own;
    own.clear();
    if (mine) own = states[first + thread];
    threads[thread] = own;
    scan_threads(threads);
    State before = carried;
    if (thread > 0) before.merge(threads[thread - 1]);
    if (mine) states[first + thread] = before;
    carried.merge(threads[kThreads - 1]);
    __syncthreads();
  }
}

template <class State, class T>
__global__ void __launch_bounds__(kThreads) line_kernel(const __grid_constant__ Plan p) {
  FD_SHARED(State, threads, [kThreads]);
  FD_SHARED(State, carried, [1]);
  const fd_scan& s = p.s;
  const Part part(p);
  const T* const in = static_cast<const T*>(s.in) + part.line * s.size;
  const int thread = int(threadIdx.x);
  if (thread == 0) {
    carried[0].clear();
    if (p.before) carried[0] = static_cast<const State*>(p.before)[blockIdx.x];
  }
  for (int64_t first = part.begin; first < part.end; first += kStretch) {
    const int64_t mine = first + thread * kEach;
    T x[kEach];
    State own;
    own.clear();
    for (int k = 0; k < kEach; k++)
      if (mine + k < part.end) own.take(x[k] = in[mine + k], mine + k);
    threads[thread] = own;
    scan_threads(threads);
    State state = carried[0];
    if (thread > 0) state.merge(threads[thread - 1]);
    for (int k = 0; k < kEach; k++) {
      if (mine + k >= part.end) break;
      state.take(x[k], mine + k);
      store<State, T>(s, part.line * s.size + mine + k, state);
    }
    __syncthreads();
    if (thread == kThreads - 1) carried[0].merge(threads[thread]);
    __syncthreads();
  }
}

template <class State, class T>
fd_status scan(fd_context* context, const fd_scan* s) {
  if (s->size == 0) return FD_OK;
  if (s->inner > 1 || s->size <= kShort)
    return start(context, lines_kernel<State, T>, blocks_for(s->outer * s->inner), dim3(kThreads), 0, *s);
  Plan p = {*s, 1, nullptr};
  if (s->outer < kFewLines && s->size > kChunk) {
    p.chunks = ceil_div(s->size, kChunk);
    p.before = workspace<State>(context, s->outer * p.chunks);
    if (!p.before) return FD_NO_MEMORY;
  }
  const dim3 lines(unsigned(s->outer)), parts(unsigned(s -> outer * p.chunks));
  if (p.before) {
    if (const fd_status bad = start(context, totals_kernel<State, T>, parts, dim3(kThreads), 0, p)) return bad;
    if (const fd_status bad = start(context, before_kernel<State>, lines, dim3(kThreads), 0, p)) return bad;
  }
  return start(context, line_kernel<State, T>, parts, dim3(kThreads), 0, p);
}

}  // namespace

void fill_scan(fd_kernels* table) {
  auto& s = table->reduce.scan;
  for_each_dtype([&s]<class T>(fd_dtype dtype) {
    if constexpr (is_floating<T> || std::is_same_v<T, int64_t>) {
      s[FD_SCAN_CUMSUM][dtype] = scan<Total<T>, T>;
      s[FD_SCAN_CUMPROD][dtype] = scan<Prod<T>, T>;
    }
    if constexpr (!is_half<T>) {
      s[FD_SCAN_CUMMAX][dtype] = scan<Extreme<T, false, true>, T>;
      s[FD_SCAN_CUMMIN][dtype] = scan<Extreme<T, true, true>, T>;
    }
    if constexpr (is_floating<T>) s[FD_SCAN_LOGCUMSUMEXP][dtype] = scan<LogSumExp<T>, T>;
  });
}

}  // namespace fd::gpu
