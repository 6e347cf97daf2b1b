// The gradient of few channels' weights: sums over all windows of gy times x, vectors along the windows, straight from
// where x lies. A tile of sums stays in registers while the windows of an image pass.
#pragma once

#include <utility>

#include "kernels/cpu/conv.h"

namespace fd::FD_ISA {

#if defined(FD_ISA_AVX2)
constexpr int kSumTaps = 4;
#else
constexpr int kSumTaps = 8;
#endif
constexpr int kSumRows = 3;  // kSumRows * kSumTaps sums fit in registers beside their operands

template <class T>
struct WindowSums {
  const int64_t* tap;
  const T* x;  // the first window
  int64_t x_step[2];
  const T* gy;
  int64_t gy_channel;
  Band band;
  T* sums;  // [channels, taps] vectors
  int64_t taps;
};

// Adds to R rows of N sums.
template <class T, int R, int N>
void window_sums(const WindowSums<T>& s, int64_t row, int64_t tap) {
  using V = Vec<T>;
  constexpr int L = V::kLanes;
  T* const sums = s.sums + (row * s.taps + tap) * L;
  V acc[R][N];
  FD_UNROLL for (int i = 0; i < R; i++) {
    FD_UNROLL for (int j = 0; j < N; j++) acc[i][j] = V::load(sums + (i * s.taps + j) * L);
  }
  const T* gy = s.gy + row * s.gy_channel;
  const int64_t gy_channel = s.gy_channel, width = s.band.size[2];
  for (int64_t d = 0; d < s.band.size[0]; d++)
    for (int64_t h = 0; h < s.band.size[1]; h++, gy += width) {
      const T* const line = s.x + d * s.x_step[0] + h * s.x_step[1];
      const T* x[N];
      FD_UNROLL for (int j = 0; j < N; j++) x[j] = line + s.tap[tap + j];
      for_vectors<T>(0, width, [&](int64_t w, auto lanes) {
        V g[R];
        FD_UNROLL for (int i = 0; i < R; i++) g[i] = load(gy + i * gy_channel + w, lanes);
        FD_UNROLL for (int j = 0; j < N; j++) {
          V y = load(x[j] + w, lanes);
          keep(y);
          FD_UNROLL for (int i = 0; i < R; i++) acc[i][j] = fma(g[i], y, acc[i][j]);
        }
      });
    }
  FD_UNROLL for (int i = 0; i < R; i++) {
    FD_UNROLL for (int j = 0; j < N; j++) acc[i][j].store(sums + (i * s.taps + j) * L);
  }
}

template <class T, int... I>
auto window_kernel(int rows, int taps, std::integer_sequence<int, I...>) {
  using Kernel = void (*)(const WindowSums<T>&, int64_t, int64_t);
  static constexpr Kernel kernels[] = {window_sums<T, I / kSumTaps + 1, I % kSumTaps + 1>...};
  return kernels[(rows - 1) * kSumTaps + taps - 1];
}

// Adds the windows of one image to all sums of `rows` output channels with one input channel.
template <class T>
void add_windows(const WindowSums<T>& s, int64_t rows) {
  constexpr auto all = std::make_integer_sequence<int, kSumRows * kSumTaps>();
  const int64_t down = ceil_div(rows, kSumRows), across = ceil_div(s.taps, kSumTaps);
  for (int64_t r = 0; r < down; r++)
    for (int64_t t = 0; t < across; t++) {
      const int64_t row = rows * r / down, tap = s.taps * t / across;
      const int64_t height = rows * (r + 1) / down - row, width = s.taps * (t + 1) / across - tap;
      window_kernel<T>(int(height), int(width), all)(s, row, tap);
    }
}

}  // namespace fd::FD_ISA
