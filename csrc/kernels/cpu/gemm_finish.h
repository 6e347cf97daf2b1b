// What happens to finished rows of C beyond bias and relu, while they are still in cache.
#pragma once

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/lanes.h"
#include "kernels/cpu/math_special.h"

namespace fd::FD_ISA {

template <class T>
FD_INLINE Vec<T> activate(int activation, Vec<T> x) {
  switch (activation) {
    case FD_ACT_RELU:
      return max(Vec<T>(T(0)), x);  // this order keeps NaN
    case FD_ACT_SIGMOID:
      return vsigmoid(x);
    case FD_ACT_TANH:
      return vtanh(x);
    default:
      return x;
  }
}

// An activation's derivative where it yielded y.
template <class T>
FD_INLINE Vec<T> activation_slope(int activation, Vec<T> y) {
  const Vec<T> one = T(1), zero = T(0);
  switch (activation) {
    case FD_ACT_RELU:
      return select(y <= zero, zero, one);
    case FD_ACT_SIGMOID:
      return y * (one - y);
    case FD_ACT_TANH:
      return fnma(y, y, one);
    default:
      return one;
  }
}

// What is left to do to rows of C.
template <class T>
struct Finish {
  const T* bias;  // of the first column; nullptr: none
  int64_t bias_step;
  int activation;
  const T* gate;  // of the first element; nullptr: none
  int64_t ldgate;
  int gate_activation;

  bool nothing() const { return !bias && activation == FD_ACT_NONE && !gate; }
};

template <class T>
FD_INLINE Vec<T> finished(const Finish<T>& f, Vec<T> x, const T* gate, int64_t j, auto lanes) {
  x = activate(f.activation, x);
  return gate ? x * activation_slope(f.gate_activation, load(gate + j, lanes)) : x;
}

// Narrow rows without gaps between them are one long row, over which the bias repeats.
template <class T>
void finish_narrow(const Finish<T>& f, T* c, int64_t rows, int64_t cols) {
  constexpr int L = Vec<T>::kLanes;
  T bias[L * L];
  const int64_t period = f.bias ? cols * L : 0;
  for (int64_t i = 0; i < period; i++) bias[i] = f.bias[i % cols * f.bias_step];
  int64_t at = 0;
  for_vectors<T>(0, rows * cols, [&](int64_t j, auto lanes) {
    Vec<T> x = load(c + j, lanes);
    if (f.bias) {
      x = x + Vec<T>::load(bias + at);
      at = at + L == period ? 0 : at + L;
    }
    store(finished(f, x, f.gate, j, lanes), c + j, lanes);
  });
}

template <class T>
void finish(const Finish<T>& f, T* c, int64_t ldc, int64_t rows, int64_t cols) {
  if (f.nothing()) return;
  if (cols < Vec<T>::kLanes && ldc == cols && (!f.gate || f.ldgate == cols)) return finish_narrow(f, c, rows, cols);
  for (int64_t i = 0; i < rows; i++, c += ldc) {
    const T* const gate = f.gate ? f.gate + i * f.ldgate : nullptr;
    for_vectors<T>(0, cols, [&](int64_t j, auto lanes) {
      Vec<T> x = load(c + j, lanes);
      if (f.bias) x = x + (f.bias_step ? load(f.bias + j, lanes) : Vec<T>(*f.bias));
      store(finished(f, x, gate, j, lanes), c + j, lanes);
    });
  }
}

// Whether the tile kernel itself can apply the activation or gate.
constexpr bool in_tile(int activation) { return activation == FD_ACT_NONE || activation == FD_ACT_RELU; }

}  // namespace fd::FD_ISA
