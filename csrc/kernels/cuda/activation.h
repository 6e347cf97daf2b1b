// The activations that other kernels end with, and their slopes where they yielded y.
#pragma once

#include "kernels/cuda/element.h"

namespace fd::gpu {

template <class T>
__device__ T activate(int32_t activation, T x) {
  switch (activation) {
    case FD_ACT_RELU:
      return is_negative(x) ? T(0) : x;
    case FD_ACT_SIGMOID:
      return logistic(x);
    case FD_ACT_TANH:
      return std::tanh(x);
    default:
      return x;
  }
}

template <class T>
__device__ T activation_slope(int32_t activation, T y) {
  switch (activation) {
    case FD_ACT_RELU:
      return y <= 0 ? T(0) : T(1);
    case FD_ACT_SIGMOID:
      return y * (T(1) - y);
    case FD_ACT_TANH:
      return (T(1) - y) * (T(1) + y);
    default:
      return T(1);
  }
}

}  // namespace fd::gpu
