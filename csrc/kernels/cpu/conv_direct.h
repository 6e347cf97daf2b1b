// Few output channels (kDirectRows at most, as in a first layer or a depthwise one): nothing packed would be used
// again, so every tap's vectors are read where they are and stay in registers for all of the outputs.
#pragma once

#include <utility>

#include "kernels/cpu/conv.h"

namespace fd::FD_ISA {

constexpr int kDirectRows = 6;

// Some lines of outputs, `cols` columns of each, of R channels.
template <class T>
struct DirectLines {
  int64_t inputs, taps;
  const int64_t* tap;
  const T* x;
  int64_t channel, x_line;  // elements from one channel, one line of windows to the next
  const T* weight;          // [R, inputs, taps]
  const T* bias;
  T* y;
  int64_t y_channel, y_line;
  int64_t cols;
};

template <class T, int R, int LINES, int NV>
void direct_lines(const DirectLines<T>& d) {
  using V = Vec<T>;
  constexpr int L = V::kLanes;
  const int64_t lanes = d.cols - (NV - 1) * L, depth = d.inputs * d.taps, x_line = d.x_line;
  V acc[R][LINES][NV];
  FD_UNROLL for (int i = 0; i < R; i++) {
    const V start = d.bias ? d.bias[i] : T(0);
    FD_UNROLL for (int m = 0; m < LINES; m++) { FD_UNROLL for (int v = 0; v < NV; v++) acc[i][m][v] = start; }
  }
  const T* weight = d.weight;
  for (int64_t c = 0; c < d.inputs; c++) {
    const T* const plane = d.x + c * d.channel;
    for (int64_t t = 0; t < d.taps; t++, weight++) {
      const T* const x = plane + d.tap[t];
      V row[LINES][NV];
      FD_UNROLL for (int m = 0; m < LINES; m++) {
        const T* const line = x + m * x_line;
        FD_UNROLL for (int v = 0; v < NV - 1; v++) row[m][v] = V::load(line + v * L);
        row[m][NV - 1] = V::load(line + (NV - 1) * L, lanes);
        if (R > 1) {
          FD_UNROLL for (int v = 0; v < NV; v++) keep(row[m][v]);
        }
      }
      FD_UNROLL for (int i = 0; i < R; i++) {
        const V w = weight[i * depth];
        FD_UNROLL for (int m = 0; m < LINES; m++) {
          FD_UNROLL for (int v = 0; v < NV; v++) acc[i][m][v] = fma(w, row[m][v], acc[i][m][v]);
        }
      }
    }
  }
  FD_UNROLL for (int i = 0; i < R; i++) {
    FD_UNROLL for (int m = 0; m < LINES; m++) {
      FD_UNROLL for (int v = 0; v < NV; v++) {
        T* const y = d.y + i * d.y_channel + m * d.y_line + v * L;
        if (v == NV - 1)
          acc[i][m][v].store(y, lanes);
        else
          acc[i][m][v].store(y);
      }
    }
  }
}

template <class T>
using DirectKernel = void (*)(const DirectLines<T>&);

// How many lines a kernel of R channels takes at once: enough sums in flight to hide the latency of a fused
// multiply-add.
constexpr int lines_at_once(int rows) { return rows == 1 ? 4 : rows == 2 ? 2 : 1; }

template <class T, int... I>
DirectKernel<T> direct_kernel(int rows, bool one_line, int vecs, std::integer_sequence<int, I...>) {
  static constexpr DirectKernel<T> several[] = {direct_lines<T, I / 2 + 1, lines_at_once(I / 2 + 1), I % 2 + 1>...};
  static constexpr DirectKernel<T> one[] = {direct_lines<T, I / 2 + 1, 1, I % 2 + 1>...};
  return (one_line ? one : several)[(rows - 1) * 2 + vecs - 1];
}

// All lines of a band; d.x is where its first window begins, d.y its first output.
template <class T>
void direct_band(const Layout<T>& layout, const Band& b, int rows, DirectLines<T> d) {
  constexpr int64_t L = Vec<T>::kLanes;
  constexpr auto all = std::make_integer_sequence<int, 2 * kDirectRows>();
  const T* const x = d.x;
  T* const y = d.y;
  const int64_t width = b.size[2], group = lines_at_once(rows);
  d.x_line = layout.step[1];
  d.y_line = width;
  for (int64_t plane = 0; plane < b.size[0]; plane++)
    for (int64_t h = 0; h < b.size[1];) {
      const bool one_line = h + group > b.size[1];
      for (int64_t w = 0; w < width; w += 2 * L) {
        d.cols = least(width - w, 2 * L);
        d.x = x + plane * layout.step[0] + h * layout.step[1] + w;
        d.y = y + (plane * b.size[1] + h) * width + w;
        direct_kernel<T>(rows, one_line, d.cols > L ? 2 : 1, all)(d);
      }
      h += one_line ? 1 : group;
    }
}

}  // namespace fd::FD_ISA
