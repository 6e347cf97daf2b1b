// Channels of the output in the lanes of vectors: sums of an element of x, broadcast, times a vector of weights or, for
// the gradient of weights, of gy. The im2col matrix is not made: neighbouring windows are neighbouring elements of x,
// which the tile reads where they are.
#pragma once

#include <utility>

#include "kernels/cpu/conv.h"
#include "kernels/cpu/gemm_pack.h"

namespace fd::FD_ISA {

// Sums in registers beside the vectors they are made of; how far a tile goes along the line of x, and how many lines.
#if defined(FD_ISA_AVX2)
constexpr int kLaneSums = 12;
#else
constexpr int kLaneSums = 28;
#endif
constexpr int kLaneCols = kLaneSums / 2, kLaneLines = 5, kLaneVecs = 2;
// Steps of a sum at a time: so many rows of weights stay in L1, and sums are as exact as those of blocks.
template <class T>
constexpr int64_t kLaneDepth = 1024 / int64_t(sizeof(T));

// A tile of sums: of line m and column j the vectors at c + m * c_line + j * c_step, in which step (i, t) adds element
// x[i * x_outer + offset[t] + m * x_line + j] times the t-th vectors from b + i * b_outer on.
template <class T>
struct LaneSums {
  int64_t outer, inner;
  const int64_t* offset;
  const T* x;
  int64_t x_outer, x_line;
  const T* b;
  int64_t b_outer;
  T* c;
  int64_t c_line, c_step;
  bool accumulate;  // to what c holds
  const T* start;   // else: added to every sum; nullptr: nothing
};

template <class T, int LINES, int COLS, int NV>
void lane_sums(const LaneSums<T>& s) {
  using V = Vec<T>;
  constexpr int L = V::kLanes;
  V acc[LINES][COLS][NV];
  FD_UNROLL for (int m = 0; m < LINES; m++) {
    FD_UNROLL for (int j = 0; j < COLS; j++) { FD_UNROLL for (int v = 0; v < NV; v++) acc[m][j][v] = V(T(0)); }
  }
  const int64_t x_line = s.x_line, inner = s.inner;
  const int64_t* const offset = s.offset;
  for (int64_t i = 0; i < s.outer; i++) {
    const T* const x = s.x + i * s.x_outer;
    const T* b = s.b + i * s.b_outer;
    for (int64_t t = 0; t < inner; t++, b += NV * L) {
      const T* const at = x + offset[t];
      V row[NV];
      FD_UNROLL for (int v = 0; v < NV; v++) row[v] = V::load(b + v * L);
      FD_UNROLL for (int m = 0; m < LINES; m++) {
        FD_UNROLL for (int j = 0; j < COLS; j++) {
          const V element = at[m * x_line + j];
          FD_UNROLL for (int v = 0; v < NV; v++) acc[m][j][v] = fma(element, row[v], acc[m][j][v]);
        }
      }
    }
  }
  const T* const before = s.accumulate ? s.c : s.start;
  if (before) {
    const int64_t line = s.accumulate ? s.c_line : 0, step = s.accumulate ? s.c_step : 0;
    FD_UNROLL for (int m = 0; m < LINES; m++) {
      FD_UNROLL for (int j = 0; j < COLS; j++) {
        FD_UNROLL for (int v = 0; v < NV; v++) acc[m][j][v] =
            acc[m][j][v] + V::load(before + m * line + j * step + v * L);
      }
    }
  }
  FD_UNROLL for (int m = 0; m < LINES; m++) {
    FD_UNROLL for (int j = 0; j < COLS; j++) {
      FD_UNROLL for (int v = 0; v < NV; v++) acc[m][j][v].store(s.c + m * s.c_line + j * s.c_step + v * L);
    }
  }
}

template <class T>
using LaneKernel = void (*)(const LaneSums<T>&);

template <class T, int LINES, int COLS, int NV>
constexpr LaneKernel<T> lane_kernel_if_fitting() {
  if constexpr (LINES * COLS * NV <= kLaneSums)
    return lane_sums<T, LINES, COLS, NV>;
  else
    return nullptr;
}

template <class T, int NV, int... I>
LaneKernel<T> lane_kernel(int64_t lines, int64_t cols, std::integer_sequence<int, I...>) {
  static constexpr LaneKernel<T> kernels[] = {lane_kernel_if_fitting<T, I / kLaneCols + 1, I % kLaneCols + 1, NV>()...};
  return kernels[(lines - 1) * kLaneCols + cols - 1];
}

template <class T>
LaneKernel<T> lane_kernel(int64_t lines, int64_t cols, int64_t vecs) {
  constexpr auto all = std::make_integer_sequence<int, kLaneLines * kLaneCols>();
  return vecs == 1 ? lane_kernel<T, 1>(lines, cols, all) : lane_kernel<T, 2>(lines, cols, all);
}

// Channels go by kLaneVecs vectors; what is left may be one.
template <class T>
constexpr int64_t lane_vecs(int64_t channels) {
  return channels > Vec<T>::kLanes ? kLaneVecs : 1;
}
template <class T>
constexpr int64_t lane_width(int64_t channels) {
  return round_up(channels, Vec<T>::kLanes);
}

// Whether so many channels fill the lanes well enough.
template <class T>
constexpr bool fills_lanes(int64_t channels) {
  return 5 * channels >= 4 * lane_width<T>(channels);
}

// All tiles of `lines` lines by `cols` columns of sums, as equal as may be; s is that of the first sum.
template <class T>
void walk_lanes(LaneSums<T> s, int64_t lines, int64_t cols, int64_t vecs) {
  const T* const x = s.x;
  T* const c = s.c;
  const int64_t most_cols = least<int64_t>(kLaneCols, kLaneSums / vecs), across = ceil_div(cols, most_cols);
  const int64_t most_lines = least<int64_t>(kLaneLines, kLaneSums / vecs / ceil_div(cols, across));
  const int64_t down = ceil_div(lines, most_lines);
  for (int64_t i = 0; i < down; i++) {
    const int64_t m = lines * i / down, height = lines * (i + 1) / down - m;
    for (int64_t k = 0; k < across; k++) {
      const int64_t j = cols * k / across, width = cols * (k + 1) / across - j;
      s.x = x + m * s.x_line + j;
      s.c = c + m * s.c_line + j * s.c_step;
      lane_kernel<T>(height, width, vecs)(s);
    }
  }
}

// to[j * to_step + i] = from[i * from_step + j] for i < rows, j < cols.
template <class T>
void turn(const T* from, int64_t from_step, int64_t rows, int64_t cols, T* to, int64_t to_step) {
  constexpr int64_t L = Vec<T>::kLanes;
  if (rows < L) {
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < cols; j++) to[j * to_step + i] = from[i * from_step + j];
    return;
  }
  for (int64_t row = 0; row < rows; row += L) {
    const int64_t i = least(row, rows - L);  // the last square overlaps the one before
    for (int64_t j = 0; j < cols; j += L) {
      const T* square[L];
      FD_UNROLL for (int k = 0; k < L; k++) square[k] = from + (i + k) * from_step + j;
      transpose_square(square, least(L, cols - j), to + j * to_step + i, to_step);
    }
  }
}

}  // namespace fd::FD_ISA
