// What every form of the matrix product shares: which block computes which part of C, how k is split, and the end,
// where sums become C. A form leaves the sums of its tile in shared memory, so that the end runs along rows of C, whole
// packs at a time, and its activations are in the code once.
#pragma once

#include <algorithm>

#include "kernels/cuda/activation.h"
#include "kernels/cuda/launch.h"

namespace fd::gpu {

constexpr int64_t kBusy = 64;  // tiles that keep a large device busy enough not to split k
constexpr int64_t kMostSplits = 32;
constexpr int64_t kMostBatch = 65535;  // of a grid's second dimension

// What C's elements are summed in.
template <class T>
using SumOf = std::conditional_t<std::is_same_v<T, double>, double, float>;

// Elements of C that are finished together: 16 bytes.
template <class T>
constexpr int kRun = 16 / int(sizeof(T));

struct GemmPlan {
  fd_gemm g;
  void* parts;          // sums [splits, batch, m, n] where k is split, else null
  int64_t split_depth;  // of k, for one block
  int32_t tiles_m, tiles_n, splits;
  int32_t wide_a, wide_b, wide_c;  // 16 bytes of neighbours may be moved as one
};

template <class T>
bool wide(const void* data, int64_t ld, int64_t batch_step) {
  return aligned(data, 16) && ld % kRun<T> == 0 && batch_step % kRun<T> == 0;
}

template <class T>
GemmPlan plan_gemm(const fd_gemm& g) {
  GemmPlan p = {};
  p.g = g;
  p.wide_a = wide<T>(g.a, g.lda, g.batch_a);
  p.wide_b = wide<T>(g.b, g.ldb, g.batch_b);
  p.wide_c = wide<T>(g.c, g.ldc, g.batch_c) && aligned(g.bias, 16) && (!g.gate || wide<T>(g.gate, g.ldgate, g.batch_c));
  return p;
}

inline int64_t tiles_of(const fd_gemm& g, int64_t rows, int64_t cols) {
  return ceil_div(g.m, rows) * ceil_div(g.n, cols) * g.batch;
}

// Cuts k into parts of multiples of `depth` where there are few tiles; by shape alone.
template <class Sum>
bool split_gemm(fd_context* context, GemmPlan& p, int64_t rows, int64_t cols, int64_t depth, int64_t least) {
  const fd_gemm& g = p.g;
  p.tiles_m = int32_t(ceil_div(g.m, rows));
  p.tiles_n = int32_t(ceil_div(g.n, cols));
  const int64_t tiles = tiles_of(g, rows, cols);
  const int64_t splits = tiles >= kBusy ? 1 : std::min({2 * kBusy / tiles, ceil_div(g.k, least), kMostSplits});
  p.split_depth = std::max(ceil_div(ceil_div(g.k, std::max<int64_t>(splits, 1)), depth), int64_t(1)) * depth;
  p.splits = int32_t(std::max<int64_t>(1, ceil_div(g.k, p.split_depth)));
  if (p.splits == 1) return true;
  p.parts = workspace<Sum>(context, p.splits * g.batch * g.m * g.n);
  return p.parts != nullptr;
}

// ------------------------------------------------------------------------------------------------ on the device

struct TilePlace {
  int32_t down, across;
};

// Tiles in groups of eight rows of tiles, column by column, so that those in flight together share what they read.
__device__ inline TilePlace tile_place(int32_t index, int32_t tiles_m, int32_t tiles_n) {
  constexpr int32_t kGroup = 8;
  const int32_t group = index / (kGroup * tiles_n), in_group = index % (kGroup * tiles_n);
  const int32_t left = tiles_m - group * kGroup, rows = left < kGroup ? left : kGroup;
  return {group * kGroup + in_group % rows, in_group / rows};
}

template <class To, class T, int N>
__device__ void read_run(To (&x)[N], const T* from, int valid, bool whole) {
  if (whole) {
    constexpr int kEach = N < 16 / int(sizeof(T)) ? N : 16 / int(sizeof(T));
#pragma unroll
    for (int i = 0; i < N; i += kEach) {
      const auto pack = *reinterpret_cast<const Pack<T, kEach>*>(from + i);
#pragma unroll
      for (int j = 0; j < kEach; j++) x[i + j] = convert<To>(pack.at[j]);
    }
  } else {
#pragma unroll
    for (int i = 0; i < N; i++) x[i] = i < valid ? convert<To>(from[i]) : To(0);
  }
}

template <class T, class From, int N>
__device__ void write_run(T* to, const From (&x)[N], int valid, bool whole) {
  if (whole) {
    constexpr int kEach = N < 16 / int(sizeof(T)) ? N : 16 / int(sizeof(T));
#pragma unroll
    for (int i = 0; i < N; i += kEach) {
      Pack<T, kEach> pack;
#pragma unroll
      for (int j = 0; j < kEach; j++) pack.at[j] = convert<T>(x[i + j]);
      *reinterpret_cast<Pack<T, kEach>*>(to + i) = pack;
    }
  } else {
#pragma unroll
    for (int i = 0; i < N; i++)
      if (i < valid) to[i] = convert<T>(x[i]);
  }
}

// A run of C from its sums.
template <class T>
__device__ void finish_run(const GemmPlan& p, int64_t problem, int64_t row, int64_t col, SumOf<T> (&x)[kRun<T>]) {
  using Sum = SumOf<T>;
  const fd_gemm& g = p.g;
  const int valid = g.n - col < kRun<T> ? int(g.n - col) : kRun<T>;
  const bool whole = p.wide_c && valid == kRun<T>;
  T* const c = static_cast<T*>(g.c) + problem * g.batch_c + row * g.ldc + col;
  Sum other[kRun<T>];
  if (g.accumulate) {
    read_run(other, c, valid, whole);
#pragma unroll
    for (int i = 0; i < kRun<T>; i++) x[i] += other[i];
  }
  if (g.bias) {
    read_run(other, static_cast<const T*>(g.bias) + col, valid, whole);
#pragma unroll
    for (int i = 0; i < kRun<T>; i++) x[i] += other[i];
  }
  if (g.activation != FD_ACT_NONE) {
#pragma unroll
    for (int i = 0; i < kRun<T>; i++) x[i] = activate(g.activation, x[i]);
  }
  if (g.gate) {
    read_run(other, static_cast<const T*>(g.gate) + problem * g.batch_c + row * g.ldgate + col, valid, whole);
#pragma unroll
    for (int i = 0; i < kRun<T>; i++) x[i] *= activation_slope(g.gate_activation, other[i]);
  }
  write_run(c, x, valid, whole);
}

// The same, or its place among the parts of C if k is split.
template <class T>
__device__ void leave_run(const GemmPlan& p, int64_t problem, int64_t row, int64_t col, SumOf<T> (&x)[kRun<T>]) {
  const fd_gemm& g = p.g;
  if (!p.parts) return finish_run<T>(p, problem, row, col, x);
  auto* const to = static_cast<SumOf<T>*>(p.parts) + ((blockIdx.z * g.batch + problem) * g.m + row) * g.n + col;
  const int valid = g.n - col < kRun<T> ? int(g.n - col) : kRun<T>;
  write_run(to, x, valid, valid == kRun<T> && g.n % kRun<T> == 0);
}

// Rows of a tile from their sums in shared memory, rows `Stride` apart, in Slices parts `Rows * Stride` apart, which
// are added in order. row_of(r) says which row of C the r-th is. Called by the whole block, between barriers.
template <class T, int Threads, int Rows, int Cols, int Stride, int Slices, class RowOf>
__device__ void finish_rows(const GemmPlan& p, int64_t problem, int64_t col0, const SumOf<T>* sums, RowOf row_of) {
  constexpr int kRuns = Cols / kRun<T>;
#pragma unroll 1
  for (int i = int(threadIdx.x); i < Rows * kRuns; i += Threads) {
    const int64_t row = row_of(i / kRuns), col = col0 + i % kRuns * kRun<T>;
    if (row >= p.g.m || col >= p.g.n) continue;
    const SumOf<T>* const from = sums + i / kRuns * Stride + i % kRuns * kRun<T>;
    SumOf<T> x[kRun<T>], part[kRun<T>];
    read_run(x, from, kRun<T>, true);
#pragma unroll
    for (int s = 1; s < Slices; s++) {
      read_run(part, from + s * Rows * Stride, kRun<T>, true);
#pragma unroll
      for (int j = 0; j < kRun<T>; j++) x[j] += part[j];
    }
    leave_run<T>(p, problem, row, col, x);
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads) add_parts_kernel(const __grid_constant__ GemmPlan p) {
  const fd_gemm& g = p.g;
  const int64_t runs = (g.n + kRun<T> - 1) / kRun<T>, at = global_thread();
  if (at >= g.batch * g.m * runs) return;
  const int64_t row = at / runs % g.m, problem = at / (runs * g.m), col = at % runs * kRun<T>;
  const int valid = g.n - col < kRun<T> ? int(g.n - col) : kRun<T>;
  const auto* from = static_cast<const SumOf<T>*>(p.parts) + (problem * g.m + row) * g.n + col;
  SumOf<T> x[kRun<T>] = {}, part[kRun<T>];
  for (int s = 0; s < p.splits; s++, from += g.batch * g.m * g.n) {
    read_run(part, from, valid, valid == kRun<T> && g.n % kRun<T> == 0);
#pragma unroll
    for (int j = 0; j < kRun<T>; j++) x[j] += part[j];
  }
  finish_run<T>(p, problem, row, col, x);
}

// Starts a kernel over all tiles, problems and parts of k, and what adds the parts.
template <class T>
fd_status start_gemm(fd_context* context, void (*kernel)(GemmPlan, int64_t), const GemmPlan& p, int threads,
                     size_t shared) {
  const fd_gemm& g = p.g;
  for (int64_t first = 0; first < g.batch; first += kMostBatch) {
    const dim3 grid(unsigned(p.tiles_m) * unsigned(p.tiles_n), unsigned(std::min(kMostBatch, g.batch - first)),
                    unsigned(p.splits));
    if (const fd_status bad = start(context, kernel, grid, dim3(unsigned(threads)), shared, p, first)) return bad;
  }
  if (p.splits == 1) return FD_OK;
  const int64_t runs = g.batch * g.m * ceil_div(g.n, kRun<T>);
  return start(context, add_parts_kernel<T>, blocks_for(runs), dim3(kThreads), 0, p);
}

}  // namespace fd::gpu
