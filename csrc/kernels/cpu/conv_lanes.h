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

// One step of a sum: where its element is from x on, which of b's rows of vectors.
struct LaneStep {
  int64_t x, row;
};

// The steps in which the first column of all, none and the last column have only zeros to add.
struct LaneSteps {
  const LaneStep* at[3];
  int64_t count[3];
};

// A tile of sums: of line m and column j the vectors at c + m * c_line + j * c_step, to which a step adds the element m
// * x_line + j further than its own times its vectors; `outer` times, each x_outer and b_outer further.
template <class T>
struct LaneSums {
  int64_t outer;
  LaneSteps steps;
  const T* x;
  int64_t x_outer, x_line;
  const T* b;
  int64_t b_outer;
  T* c;
  int64_t c_line, c_step;
  bool accumulate;  // to what c holds
  const T* start;   // else: added to every sum; nullptr: nothing
  const T* ahead;   // fetched into L2 meanwhile, a line a step, until end_ahead
  const T* end_ahead;
};

template <class T, int LINES, int COLS, int NV>
using LaneTile = Vec<T>[LINES][COLS][NV];

// The steps from p on to the columns [LO, HI).
template <class T, int LINES, int COLS, int NV, int LO, int HI>
FD_INLINE void add_steps(LaneTile<T, LINES, COLS, NV>& acc, const LaneStep* p, int64_t count, const T* x, const T* b,
                         int64_t x_line, const T*& ahead) {
  using V = Vec<T>;
  for (const LaneStep* const end = p + count; p < end; p++) {
    __builtin_prefetch(ahead, 0, 2);
    ahead += 64 / sizeof(T);
    const T* line = x + p->x;
    V row[NV];
    FD_UNROLL for (int v = 0; v < NV; v++) row[v] = V::load(b + p->row * (NV * V::kLanes) + v * V::kLanes);
    FD_UNROLL for (int m = 0; m < LINES; m++, line += x_line) {
      asm("" : "+r"(line));  // or the optimiser keeps an offset per column, more than there are registers
      FD_UNROLL for (int j = LO; j < HI; j++) {
        const V element = line[j];
        FD_UNROLL for (int v = 0; v < NV; v++) acc[m][j][v] = fma(element, row[v], acc[m][j][v]);
      }
    }
  }
}

// Which edges of all columns a tile has: those that leave out steps.
enum LaneEdges { kNoEdge = 0, kFirstColumn = 1, kLastColumn = 2 };

template <class T, int LINES, int COLS, int NV, int EDGES>
void lane_sums(const LaneSums<T>& s) {
  constexpr int L = Vec<T>::kLanes;
  LaneTile<T, LINES, COLS, NV> acc;
  FD_UNROLL for (int m = 0; m < LINES; m++) {
    FD_UNROLL for (int j = 0; j < COLS; j++) { FD_UNROLL for (int v = 0; v < NV; v++) acc[m][j][v] = Vec<T>(T(0)); }
  }
  const T* ahead = s.ahead;
  for (int64_t i = 0; i < s.outer; i++) {
    const LaneSteps& p = s.steps;
    const T* const x = s.x + i * s.x_outer;
    const T* const b = s.b + i * s.b_outer;
    if constexpr (EDGES == kNoEdge) {
      for (int e = 0; e < 3; e++)
        add_steps<T, LINES, COLS, NV, 0, COLS>(acc, p.at[e], p.count[e], x, b, s.x_line, ahead);
    } else {
      constexpr int kFirst = EDGES & kFirstColumn ? 1 : 0, kEnd = EDGES & kLastColumn ? COLS - 1 : COLS;
      add_steps<T, LINES, COLS, NV, kFirst, COLS>(acc, p.at[0], p.count[0], x, b, s.x_line, ahead);
      add_steps<T, LINES, COLS, NV, 0, COLS>(acc, p.at[1], p.count[1], x, b, s.x_line, ahead);
      add_steps<T, LINES, COLS, NV, 0, kEnd>(acc, p.at[2], p.count[2], x, b, s.x_line, ahead);
    }
  }
  const T* const before = s.accumulate ? s.c : s.start;
  if (before) {
    const int64_t line = s.accumulate ? s.c_line : 0, step = s.accumulate ? s.c_step : 0;
    FD_UNROLL for (int m = 0; m < LINES; m++) {
      FD_UNROLL for (int j = 0; j < COLS; j++) {
        FD_UNROLL for (int v = 0; v < NV; v++) acc[m][j][v] =
            acc[m][j][v] + Vec<T>::load(before + m * line + j * step + v * L);
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

// Tiles with edges are few: whole lines, or the ends of long ones.
constexpr bool leaves_out(int lines, int cols, int vecs, int edges) {
  if (vecs < kLaneVecs || cols < 2) return false;
  return edges == (kFirstColumn | kLastColumn) ? lines <= 3 : lines == 1 && 2 * cols >= kLaneCols;
}

template <class T, int LINES, int COLS, int NV, int EDGES>
constexpr LaneKernel<T> lane_kernel_if_fitting() {
  if constexpr (LINES * COLS * NV > kLaneSums)
    return nullptr;
  else if constexpr (leaves_out(LINES, COLS, NV, EDGES))
    return lane_sums<T, LINES, COLS, NV, EDGES>;
  else
    return lane_sums<T, LINES, COLS, NV, kNoEdge>;
}

template <class T, int NV, int EDGES, int... I>
LaneKernel<T> lane_kernel(int64_t lines, int64_t cols, std::integer_sequence<int, I...>) {
  static constexpr LaneKernel<T> kernels[] = {
      lane_kernel_if_fitting<T, I / kLaneCols + 1, I % kLaneCols + 1, NV, EDGES>()...};
  return kernels[(lines - 1) * kLaneCols + cols - 1];
}

template <class T>
LaneKernel<T> lane_kernel(int64_t lines, int64_t cols, int64_t vecs, int edges) {
  constexpr auto all = std::make_integer_sequence<int, kLaneLines * kLaneCols>();
  if (vecs == 1) return lane_kernel<T, 1, kNoEdge>(lines, cols, all);
  switch (edges) {
    case kNoEdge:
      return lane_kernel<T, 2, kNoEdge>(lines, cols, all);
    case kFirstColumn:
      return lane_kernel<T, 2, kFirstColumn>(lines, cols, all);
    case kLastColumn:
      return lane_kernel<T, 2, kLastColumn>(lines, cols, all);
    default:
      return lane_kernel<T, 2, kFirstColumn | kLastColumn>(lines, cols, all);
  }
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

// Sorts into memory the steps that for_each gives to visit(edge, step), which it does three times over.
template <class ForEach>
LaneSteps sorted_steps(LaneStep* memory, const ForEach& for_each) {
  LaneSteps s;
  for (int e = 0; e < 3; e++) {
    s.at[e] = memory;
    for_each([&](int edge, const LaneStep& step) {
      if (edge == e) *memory++ = step;
    });
    s.count[e] = memory - s.at[e];
  }
  return s;
}

// All tiles of `lines` lines by `cols` columns of sums, as equal as may be; s is that of the first sum. Returns what is
// to be fetched next.
template <class T>
const T* walk_lanes(LaneSums<T> s, int64_t lines, int64_t cols, int64_t vecs) {
  constexpr int64_t kLine = 64 / int64_t(sizeof(T));
  const int64_t fetched = s.outer * (s.steps.count[0] + s.steps.count[1] + s.steps.count[2]) * kLine;
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
      const int first = j == 0 && s.steps.count[0] > 0 ? kFirstColumn : kNoEdge;
      const int last = j + width == cols && s.steps.count[2] > 0 ? kLastColumn : kNoEdge;
      lane_kernel<T>(height, width, vecs, first | last)(s);
      s.ahead = s.end_ahead - s.ahead > fetched ? s.ahead + fetched : s.b;
    }
  }
  return s.ahead;
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
