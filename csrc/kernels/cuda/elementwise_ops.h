// The operations of one and two elements, in the element's own type. Formulas as in kernels/reference, which names
// their conventions; what overflows or cancels is rearranged, because float has no wider type to lean on here.
#pragma once

#include "kernels/cuda/elementwise.h"

namespace fd::gpu::op {

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

// A bound given as a double, in the type of the elements.
template <class T>
__device__ T bound(double limit) {
  if constexpr (is_integer<T>) {
    if (limit <= double(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
    if (limit >= double(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  }
  return static_cast<T>(limit);
}

// log(1 + e^x) without overflow of e^x.
template <class T>
__device__ T log_one_plus_exp(T x) {
  return (x > 0 ? x : T(0)) + std::log1p(std::exp(-std::fabs(x)));
}

// The standard normal distribution function; erfc keeps the lower tail exact.
template <class T>
__device__ T normal_cdf(T x) {
  return T(0.5) * std::erfc(-x * T(0.70710678118654752440));
}

// sqrt(2/pi) (x + 0.044715 x^3) and its derivative.
template <class T>
__device__ T gelu_inner(T x) {
  return T(0.79788456080286535588) * (x + T(0.044715) * x * x * x);
}
template <class T>
__device__ T gelu_inner_slope(T x) {
  return T(0.79788456080286535588) * (T(1) + T(3 * 0.044715) * x * x);
}

// min(max(x + 3, 0), 6), which keeps NaN.
template <class T>
__device__ T hard_step(T x) {
  const T y = x + T(3);
  return y < T(0) ? T(0) : y > T(6) ? T(6) : y;
}

#define FD_OP1(NAME, KIND, ...)                                        \
  struct NAME : KIND {                                                 \
    template <class T>                                                 \
    __device__ static T apply(T x, [[maybe_unused]] const double* p) { \
      __VA_ARGS__                                                      \
    }                                                                  \
  };

FD_OP1(neg, Numeric, if constexpr (is_floating<T>) return -x; else return minus(T(0), x);)
FD_OP1(abs, Numeric, if constexpr (is_floating<T>) return std::fabs(x);
       else return is_negative(x) ? minus(T(0), x) : x;)
FD_OP1(sign, Numeric, return T((x > T(0)) - is_negative(x));)
FD_OP1(square, Numeric, return times(x, x);)
FD_OP1(bitwise_not, Integral, if constexpr (is_bool<T>) return !x; else return static_cast<T>(~x);)
FD_OP1(reciprocal, Floating, return T(1) / x;)
FD_OP1(sqrt, Floating, return std::sqrt(x);)
FD_OP1(rsqrt, Floating, return T(1) / std::sqrt(x);)
FD_OP1(exp, Floating, return std::exp(x);)
FD_OP1(exp2, Floating, return std::exp2(x);)
FD_OP1(expm1, Floating, return std::expm1(x);)
FD_OP1(log, Floating, return std::log(x);)
FD_OP1(log2, Floating, return std::log2(x);)
FD_OP1(log10, Floating, return std::log10(x);)
FD_OP1(log1p, Floating, return std::log1p(x);)
FD_OP1(sin, Floating, return std::sin(x);)
FD_OP1(cos, Floating, return std::cos(x);)
FD_OP1(tan, Floating, return std::tan(x);)
FD_OP1(asin, Floating, return std::asin(x);)
FD_OP1(acos, Floating, return std::acos(x);)
FD_OP1(atan, Floating, return std::atan(x);)
FD_OP1(sinh, Floating, return std::sinh(x);)
FD_OP1(cosh, Floating, return std::cosh(x);)
FD_OP1(tanh, Floating, return std::tanh(x);)
FD_OP1(asinh, Floating, return std::asinh(x);)
FD_OP1(acosh, Floating, return std::acosh(x);)
FD_OP1(atanh, Floating, return std::atanh(x);)
FD_OP1(erf, Floating, return std::erf(x);)
FD_OP1(floor, Floating, return std::floor(x);)
FD_OP1(ceil, Floating, return std::ceil(x);)
FD_OP1(round, Floating, return std::nearbyint(x);)
FD_OP1(trunc, Floating, return std::trunc(x);)
FD_OP1(sigmoid, Floating, return logistic(x);)
FD_OP1(logsigmoid, Floating, return -log_one_plus_exp(-x);)
FD_OP1(softplus, Floating, const T beta = T(p[0]), y = beta * x; return y > T(p[1]) ? x : log_one_plus_exp(y) / beta;)
FD_OP1(relu, Numeric, return is_negative(x) ? T(0) : x;)
FD_OP1(leaky_relu, Floating, return x > 0 ? x : T(p[0]) * x;)
FD_OP1(elu, Floating, return x > 0 ? T(p[1]) * x : T(p[1] * p[0]) * std::expm1(x * T(p[2]));)
FD_OP1(gelu, Floating, return x * normal_cdf(x);)
FD_OP1(gelu_tanh, Floating, return x * logistic(T(2) * gelu_inner(x));)
FD_OP1(silu, Floating, return x * logistic(x);)
FD_OP1(mish, Floating, return x * std::tanh(log_one_plus_exp(x));)
FD_OP1(hardsigmoid, Floating, return hard_step(x) * T(1.0 / 6);)
FD_OP1(hardswish, Floating, return x * (hard_step(x) * T(1.0 / 6));)
FD_OP1(clamp, Numeric, const T lo = bound<T>(p[0]), hi = bound<T>(p[1]); const T up = x < lo ? lo : x;
       return up > hi ? hi : up;)
#undef FD_OP1

#define FD_OP2(NAME, KIND, ...)                                             \
  struct NAME : KIND {                                                      \
    template <class T>                                                      \
    __device__ static T apply(T a, T b, [[maybe_unused]] const double* p) { \
      __VA_ARGS__                                                           \
    }                                                                       \
  };

// What is left of a / b rounded down; integer division by -1 is spelt out, as the smallest integer has no negative, and
// by 0, which is reported before, leaves 0.
template <class T>
__device__ bool divides_badly(T b) {
  return b == T(0) || (std::is_signed_v<T> && b == T(-1));
}
template <class T>
__device__ T floored_rest(T a, T b) {
  if constexpr (is_floating<T>) {
    const T rest = std::fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  } else {
    if (divides_badly(b)) return T(0);
    const T rest = static_cast<T>(a % b);
    return rest != 0 && is_negative(rest) != is_negative(b) ? static_cast<T>(rest + b) : rest;
  }
}
template <class T>
__device__ T floored_quotient(T a, T b) {
  if constexpr (is_floating<T>) {
    if (b == 0) return a / b;
    const T quotient = (a - floored_rest(a, b)) / b;  // whole but for rounding
    return quotient == 0 ? std::copysign(T(0), a / b) : std::nearbyint(quotient);
  } else {
    if (divides_badly(b)) return b == T(0) ? T(0) : minus(T(0), a);
    const T quotient = static_cast<T>(a / b);
    return a % b != 0 && is_negative(a) != is_negative(b) ? static_cast<T>(quotient - 1) : quotient;
  }
}
template <class T>
__device__ T truncated_rest(T a, T b) {
  if constexpr (is_floating<T>)
    return std::fmod(a, b);
  else
    return divides_badly(b) ? T(0) : static_cast<T>(a % b);
}
template <class T>
__device__ T power(T base, T exponent) {
  if constexpr (is_floating<T>) {
    return std::pow(base, exponent);
  } else {
    T result = 1;
    for (; exponent > 0; exponent = static_cast<T>(exponent >> 1)) {
      if (exponent & 1) result = times(result, base);
      base = times(base, base);
    }
    return result;
  }
}
// A shift by less than 0 or by all bits and more leaves nothing, or the sign.
template <class T>
__device__ bool shift_in_range(T by) {
  return !is_negative(by) && by < T(8 * sizeof(T));
}

FD_OP2(add, NumericOrBool, if constexpr (is_bool<T>) return a || b; else return plus(a, b);)
FD_OP2(sub, Numeric, return minus(a, b);)
FD_OP2(mul, NumericOrBool, if constexpr (is_bool<T>) return a && b; else return times(a, b);)
FD_OP2(div, Floating, return a / b;)
FD_OP2(floor_div, Numeric, return floored_quotient(a, b);)
FD_OP2(remainder, Numeric, return floored_rest(a, b);)
FD_OP2(fmod, Numeric, return truncated_rest(a, b);)
FD_OP2(pow, Numeric, return power(a, b);)
FD_OP2(maximum, NumericOrBool, return a > b || is_nan(a) ? a : b;)
FD_OP2(minimum, NumericOrBool, return a < b || is_nan(a) ? a : b;)
FD_OP2(atan2, Floating, return std::atan2(a, b);)
FD_OP2(copysign, Floating, return std::copysign(a, b);)
FD_OP2(hypot, Floating, return std::hypot(a, b);)
FD_OP2(tanh_grad, Floating, return a * ((T(1) - b) * (T(1) + b));)
FD_OP2(sigmoid_grad, Floating, return a * (b * (T(1) - b));)
FD_OP2(relu_grad, Floating, return b <= 0 ? T(0) : a;)
FD_OP2(leaky_relu_grad, Floating, return b > 0 ? a : T(p[0]) * a;)
FD_OP2(elu_grad, Floating, return b <= 0 ? a * (T(p[0] * p[1] * p[2]) * std::exp(b * T(p[2]))) : T(p[1]) * a;)
FD_OP2(softplus_grad, Floating, return T(p[0]) * b > T(p[1]) ? a : a * logistic(T(p[0]) * b);)
FD_OP2(logsigmoid_grad, Floating, return a * logistic(-b);)
FD_OP2(gelu_grad, Floating, const T density = T(0.39894228040143267794) * std::exp(T(-0.5) * b * b);
       return a * (normal_cdf(b) + b * density);)
FD_OP2(gelu_tanh_grad, Floating, const T u = T(2) * gelu_inner(b);
       return a * (logistic(u) * (T(1) + T(2) * b * gelu_inner_slope(b) * logistic(-u)));)
FD_OP2(silu_grad, Floating, return a * (logistic(b) * (T(1) + b * logistic(-b)));)
FD_OP2(mish_grad, Floating, const T t = std::tanh(log_one_plus_exp(b));
       return a * (t + b * ((T(1) - t) * (T(1) + t)) * logistic(b));)
FD_OP2(hardsigmoid_grad, Floating, return T(-3) < b && b < T(3) ? a * T(1.0 / 6) : T(0);)
FD_OP2(hardswish_grad, Floating, if (b <= T(-3)) return T(0); return b < T(3) ? a * (b * T(1.0 / 3) + T(0.5)) : a;)
FD_OP2(clamp_grad, Floating, return bound<T>(p[0]) <= b && b <= bound<T>(p[1]) ? a : T(0);)
FD_OP2(bitwise_and, Integral, return static_cast<T>(a & b);)
FD_OP2(bitwise_or, Integral, return static_cast<T>(a | b);)
FD_OP2(bitwise_xor, Integral, return static_cast<T>(a ^ b);)
FD_OP2(shift_left, Integer, return shift_in_range(b) ? static_cast<T>(static_cast<uint64_t>(a) << b) : T(0);)
FD_OP2(shift_right, Integer,
       return shift_in_range(b) ? static_cast<T>(a >> b) : static_cast<T>(is_negative(a) ? -1 : 0);)
#undef FD_OP2

}  // namespace fd::gpu::op
