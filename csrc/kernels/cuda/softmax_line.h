// The largest of a line and the sum of e^(x - largest), from one pass.
#pragma once

#include "kernels/cuda/fd/group.h"

namespace fd::gpu {

template <class T>
struct Normaliser {
  T largest, sum;

  __device__ static Normaliser none() { return {-T(INFINITY), T(0)}; }
  __device__ void take(T x) {
    if (x > largest) {
      sum = sum * std::exp(largest - x) + T(1);
      largest = x;
    } else if (x == largest) {  // told apart, as -inf - -inf is NaN
      sum += T(1);
    } else {
      sum += std::exp(x - largest);
    }
  }
  __device__ static Normaliser join(const Normaliser& a, const Normaliser& b) {
    if (a.largest == b.largest) return {a.largest, a.sum + b.sum};
    const bool a_wins = a.largest > b.largest;
    const Normaliser &high = a_wins ? a : b, &low = a_wins ? b : a;
    return {high.largest, high.sum + low.sum * std::exp(low.largest - high.largest)};
  }
};

// Of x[0], x[step], ... by the L threads of a group, all of which get it.
template <class T, int L>
__device__ Normaliser<T> normaliser(const T* x, int64_t n, int64_t step, bool real) {
  Normaliser<T> z = Normaliser<T>::none();
  if (real)
    for (int64_t j = Group<L>::lane(); j < n; j += L) z.take(x[j * step]);
  z = Group<L>::all(z, Normaliser<T>::join);
  if (z.largest == T(INFINITY)) z.sum = T(NAN);
  return z;
}

// Calls with<L>() for the width that suits lines of n elements, neighbours or not.
template <class F>
auto with_width(int64_t n, bool neighbours, F with) {
  if (!neighbours) return with.template operator()<1>();
  return n <= 1024 ? with.template operator()<32>() : with.template operator()<kThreads>();
}

}  // namespace fd::gpu
