// What the elementwise operations share. Each op is a struct whose `of` computes one element of the result from one of
// each operand, and which says the element types it accepts. An `of` of doubles serves float32 too: its result is
// rounded once.
#pragma once

#include <cmath>

#include "kernels/reference/element.h"

namespace fd::reference::op {

struct Floating {
  template <class T>
  static constexpr bool accepts = is_floating<T>;
};
struct Numeric {  // all but bool and half
  template <class T>
  static constexpr bool accepts = is_floating<T> || is_integer<T>;
};
struct NumericOrBool {  // all but half
  template <class T>
  static constexpr bool accepts = !is_half<T>;
};
struct Integral {  // bool and integers
  template <class T>
  static constexpr bool accepts = std::is_integral_v<T>;
};
struct Integer {
  template <class T>
  static constexpr bool accepts = is_integer<T>;
};

using Params = const double*;

// A bound given as a double, in the type of the elements; an integer type's ends stand for what lies beyond them.
template <class T>
T bound(double limit) {
  if constexpr (is_integer<T>) {
    if (limit <= double(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
    if (limit >= double(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  }
  return static_cast<T>(limit);
}

// log(1 + e^x) without overflow of e^x.
inline double log_one_plus_exp(double x) { return (x > 0 ? x : 0) + std::log1p(std::exp(-std::fabs(x))); }

// min(max(x + 3, 0), 6), which keeps NaN.
inline double hard_step(double x) { return x < -3 ? 0 : x > 3 ? 6 : x + 3; }

// The standard normal distribution function; erfc keeps the lower tail exact.
inline double normal_cdf(double x) { return 0.5 * std::erfc(-x * 0.70710678118654752440); }

// sqrt(2/pi) (x + 0.044715 x^3) and its derivative; (1 + tanh u) / 2 is the logistic function of 2u.
inline double gelu_inner(double x) { return 0.79788456080286535588 * (x + 0.044715 * x * x * x); }
inline double gelu_inner_slope(double x) { return 0.79788456080286535588 * (1 + 3 * 0.044715 * x * x); }

}  // namespace fd::reference::op
