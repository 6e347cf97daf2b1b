// Running sums, products and extremes along the middle of [outer, size, inner].
//
// Lines that lie side by side (inner > 1) or are short go to one thread each, which keeps neighbouring threads on
// neighbouring elements. A long line goes to a block: every thread walks four elements, the block combines the threads'
// states in a fixed order, and the line's state so far is carried from one such stretch to the next.
#include "kernels/cuda/reduce.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

constexpr int kEach = 4;
constexpr int64_t kShort = 64;

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

template <class State, class T>
__global__ void __launch_bounds__(kThreads) line_kernel(const __grid_constant__ fd_scan s) {
  FD_SHARED(State, threads, [kThreads]);
  FD_SHARED(State, carried, [1]);
  const T* const in = static_cast<const T*>(s.in) + int64_t(blockIdx.x) * s.size;
  const int thread = int(threadIdx.x);
  if (thread == 0) carried[0].clear();
  for (int64_t first = 0; first < s.size; first += kThreads * kEach) {
    const int64_t mine = first + thread * kEach;
    T x[kEach];
    State own;
    own.clear();
    for (int k = 0; k < kEach; k++)
      if (mine + k < s.size) own.take(x[k] = in[mine + k], mine + k);
    threads[thread] = own;
    scan_threads(threads);
    State state = carried[0];
    if (thread > 0) state.merge(threads[thread - 1]);
    for (int k = 0; k < kEach; k++) {
      if (mine + k >= s.size) break;
      state.take(x[k], mine + k);
      store<State, T>(s, int64_t(blockIdx.x) * s.size + mine + k, state);
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
  return start(context, line_kernel<State, T>, dim3(unsigned(s->outer)), dim3(kThreads), 0, *s);
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
