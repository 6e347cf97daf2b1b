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
  TapRange used;
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
  for (int64_t c = 0; c < d.inputs; c++) {
    const T* const plane = d.x + c * d.channel;
    const T* weight = d.weight + c * d.taps + d.used.begin;
    for (int64_t t = d.used.begin; t < d.used.end; t++, weight++) {
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

// How many lines a kernel of R channels takes at once: as many as hide the latency of a fused multiply-add, if their
// sums stay in registers beside a vector of each line.
#if defined(FD_ISA_AVX2)
constexpr int kDirectVectors = 14;
#else
constexpr int kDirectVectors = 30;
#endif
constexpr int kDirectLines = 4, kDirectSums = 12;
constexpr int most_lines(int rows, int vecs) {
  int lines = 1;
  while (lines < kDirectLines && rows * vecs * lines < kDirectSums &&
         (rows == 1 || (rows + 1) * vecs * (lines + 1) <= kDirectVectors))
    lines++;
  return lines;
}

template <class T, int R, int LINES, int NV>
constexpr DirectKernel<T> direct_kernel_if_fitting() {
  if constexpr (LINES <= most_lines(R, NV))
    return direct_lines<T, R, LINES, NV>;
  else
    return nullptr;
}

template <class T, int... I>
DirectKernel<T> direct_kernel(int rows, int lines, int vecs, std::integer_sequence<int, I...>) {
  static constexpr DirectKernel<T> kernels[] = {
      direct_kernel_if_fitting<T, I / 2 / kDirectLines + 1, I / 2 % kDirectLines + 1, I % 2 + 1>()...};
  return kernels[((rows - 1) * kDirectLines + lines - 1) * 2 + vecs - 1];
}

// All lines of a band; d.x is where its first window begins, d.y its first output. back: taps are in reverse order.
template <class T>
void direct_band(const ConvShape<T>& s, const Layout<T>& layout, const Band& b, bool back, DirectLines<T> d) {
  constexpr int64_t L = Vec<T>::kLanes;
  constexpr auto all = std::make_integer_sequence<int, 2 * kDirectLines * kDirectRows>();
  const T* const x = d.x;
  T* const y = d.y;
  const int rows = int(s.outputs);
  const int64_t width = b.size[2], down = ceil_div(b.size[1], int64_t(most_lines(rows, width > L ? 2 : 1)));
  d.x_line = layout.step[1];
  d.y_line = width;
  for (int64_t plane = 0; plane < b.size[0]; plane++)
    for (int64_t i = 0; i < down; i++) {
      const int64_t h = b.size[1] * i / down, end = b.size[1] * (i + 1) / down;
      d.used = taps_inside(s, back, b.begin[1] + h, b.begin[1] + end);
      for (int64_t w = 0; w < width; w += 2 * L) {
        d.cols = least(width - w, 2 * L);
        d.x = x + plane * layout.step[0] + h * layout.step[1] + w;
        d.y = y + (plane * b.size[1] + h) * width + w;
        direct_kernel<T>(rows, int(end - h), d.cols > L ? 2 : 1, all)(d);
      }
    }
}

}  // namespace fd::FD_ISA
