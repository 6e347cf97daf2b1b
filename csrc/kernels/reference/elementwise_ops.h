// What each elementwise operation computes from one element of each operand. A function of doubles serves float32 too:
// its result is rounded once. Each op says which element types accept it.
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

// ---------------------------------------------------------------------------------------------------------- unary

struct neg : Numeric {
  template <class T>
  static T of(T x, Params) {
    if constexpr (is_integer<T>) return wrapping_sub(T(0), x);
    return -x;
  }
};
struct abs : Numeric {
  template <class T>
  static T of(T x, Params) {
    if constexpr (is_floating<T>) return std::fabs(x);
    return x < 0 ? wrapping_sub(T(0), x) : x;
  }
};
struct sign : Numeric {
  template <class T>
  static T of(T x, Params) {
    if (is_nan(x)) return x;
    return T((x > 0) - (x < 0));
  }
};
struct square : Numeric {
  template <class T>
  static T of(T x, Params) {
    return wrapping_mul(x, x);
  }
};
struct bitwise_not : Integral {
  template <class T>
  static T of(T x, Params) {
    if constexpr (is_bool<T>)
      return !x;
    else
      return static_cast<T>(~x);
  }
};
struct reciprocal : Floating {
  static double of(double x, Params) { return 1 / x; }
};
struct sqrt : Floating {
  static double of(double x, Params) { return std::sqrt(x); }
};
struct rsqrt : Floating {
  static double of(double x, Params) { return 1 / std::sqrt(x); }
};
struct exp : Floating {
  static double of(double x, Params) { return std::exp(x); }
};
struct exp2 : Floating {
  static double of(double x, Params) { return std::exp2(x); }
};
struct expm1 : Floating {
  static double of(double x, Params) { return std::expm1(x); }
};
struct log : Floating {
  static double of(double x, Params) { return std::log(x); }
};
struct log2 : Floating {
  static double of(double x, Params) { return std::log2(x); }
};
struct log10 : Floating {
  static double of(double x, Params) { return std::log10(x); }
};
struct log1p : Floating {
  static double of(double x, Params) { return std::log1p(x); }
};
struct sin : Floating {
  static double of(double x, Params) { return std::sin(x); }
};
struct cos : Floating {
  static double of(double x, Params) { return std::cos(x); }
};
struct tan : Floating {
  static double of(double x, Params) { return std::tan(x); }
};
struct asin : Floating {
  static double of(double x, Params) { return std::asin(x); }
};
struct acos : Floating {
  static double of(double x, Params) { return std::acos(x); }
};
struct atan : Floating {
  static double of(double x, Params) { return std::atan(x); }
};
struct sinh : Floating {
  static double of(double x, Params) { return std::sinh(x); }
};
struct cosh : Floating {
  static double of(double x, Params) { return std::cosh(x); }
};
struct tanh : Floating {
  static double of(double x, Params) { return std::tanh(x); }
};
struct asinh : Floating {
  static double of(double x, Params) { return std::asinh(x); }
};
struct acosh : Floating {
  static double of(double x, Params) { return std::acosh(x); }
};
struct atanh : Floating {
  static double of(double x, Params) { return std::atanh(x); }
};
struct erf : Floating {
  static double of(double x, Params) { return std::erf(x); }
};
struct floor : Floating {
  static double of(double x, Params) { return std::floor(x); }
};
struct ceil : Floating {
  static double of(double x, Params) { return std::ceil(x); }
};
struct round : Floating {
  static double of(double x, Params) { return std::nearbyint(x); }
};
struct trunc : Floating {
  static double of(double x, Params) { return std::trunc(x); }
};
struct sigmoid : Floating {
  static double of(double x, Params) { return logistic(x); }
};
// log(1 + e^x) without overflow of e^x.
inline double log_one_plus_exp(double x) { return (x > 0 ? x : 0) + std::log1p(std::exp(-std::fabs(x))); }
struct logsigmoid : Floating {
  static double of(double x, Params) { return -log_one_plus_exp(-x); }
};
struct softplus : Floating {
  static double of(double x, Params p) {
    const double beta = p[0], threshold = p[1];
    return beta * x > threshold ? x : std::log1p(std::exp(beta * x)) / beta;
  }
};
struct relu : Numeric {
  template <class T>
  static T of(T x, Params) {
    return x < 0 ? T(0) : x;
  }
};
struct leaky_relu : Floating {
  static double of(double x, Params p) { return x > 0 ? x : p[0] * x; }
};
struct elu : Floating {
  static double of(double x, Params p) {
    const double alpha = p[0], scale = p[1], input_scale = p[2];
    return x > 0 ? scale * x : scale * alpha * std::expm1(x * input_scale);
  }
};
// The standard normal distribution function; erfc keeps the lower tail exact.
inline double normal_cdf(double x) { return 0.5 * std::erfc(-x * 0.70710678118654752440); }
struct gelu : Floating {
  static double of(double x, Params) { return x * normal_cdf(x); }
};
// sqrt(2/pi) (x + 0.044715 x^3) and its derivative; (1 + tanh u) / 2 is the logistic function of 2u.
inline double gelu_inner(double x) { return 0.79788456080286535588 * (x + 0.044715 * x * x * x); }
inline double gelu_inner_slope(double x) { return 0.79788456080286535588 * (1 + 3 * 0.044715 * x * x); }
struct gelu_tanh : Floating {
  static double of(double x, Params) { return x * logistic(2 * gelu_inner(x)); }
};
struct silu : Floating {
  static double of(double x, Params) { return x * logistic(x); }
};
struct mish : Floating {
  static double of(double x, Params) { return x * std::tanh(log_one_plus_exp(x)); }
};
struct clamp : Numeric {
  template <class T>
  static T of(T x, Params p) {
    const T lo = bound<T>(p[0]), hi = bound<T>(p[1]);
    const T raised = x < lo ? lo : x;
    return raised > hi ? hi : raised;
  }
};

// --------------------------------------------------------------------------------------------------------- binary

struct add : NumericOrBool {
  template <class T>
  static T of(T a, T b, Params) {
    if constexpr (is_bool<T>)
      return a || b;
    else
      return wrapping_add(a, b);
  }
};
struct sub : Numeric {
  template <class T>
  static T of(T a, T b, Params) {
    return wrapping_sub(a, b);
  }
};
struct mul : NumericOrBool {
  template <class T>
  static T of(T a, T b, Params) {
    if constexpr (is_bool<T>)
      return a && b;
    else
      return wrapping_mul(a, b);
  }
};
struct div : Floating {
  template <class T>
  static T of(T a, T b, Params) {
    return a / b;
  }
};

// a = quotient b + rest, where rest has b's sign: fmod rounds the quotient towards zero, so it is one too large when
// the signs differ. Integer division by -1 is spelt out because the smallest integer has no negative.
template <class T>
T floored_rest(T a, T b) {
  if constexpr (is_floating<T>) {
    const T rest = std::fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  } else {
    if (b == T(-1)) return std::is_signed_v<T> ? T(0) : static_cast<T>(a % b);
    const T rest = static_cast<T>(a % b);
    return rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
  }
}
struct remainder : Numeric {
  template <class T>
  static T of(T a, T b, Params) {
    return floored_rest(a, b);
  }
};
struct floor_div : Numeric {
  template <class T>
  static T of(T a, T b, Params) {
    if constexpr (is_floating<T>) {
      if (b == 0) return a / b;
      const T quotient = (a - floored_rest(a, b)) / b;  // whole but for rounding
      return quotient == 0 ? std::copysign(T(0), a / b) : std::nearbyint(quotient);
    } else {
      if (std::is_signed_v<T> && b == T(-1)) return wrapping_sub(T(0), a);
      const T quotient = static_cast<T>(a / b);
      return a % b != 0 && (a < 0) != (b < 0) ? static_cast<T>(quotient - 1) : quotient;
    }
  }
};
struct fmod : Numeric {
  template <class T>
  static T of(T a, T b, Params) {
    if constexpr (is_floating<T>)
      return std::fmod(a, b);
    else
      return std::is_signed_v<T> && b == T(-1) ? T(0) : static_cast<T>(a % b);
  }
};
struct pow : Numeric {
  template <class T>
  static T of(T base, T exponent, Params) {
    if constexpr (is_floating<T>) {
      return static_cast<T>(std::pow(double(base), double(exponent)));
    } else {
      T power = 1;
      for (; exponent > 0; exponent = static_cast<T>(exponent >> 1)) {
        if (exponent & 1) power = wrapping_mul(power, base);
        base = wrapping_mul(base, base);
      }
      return power;
    }
  }
};
struct maximum : NumericOrBool {
  template <class T>
  static T of(T a, T b, Params) {
    return a > b || is_nan(a) ? a : b;
  }
};
struct minimum : NumericOrBool {
  template <class T>
  static T of(T a, T b, Params) {
    return a < b || is_nan(a) ? a : b;
  }
};
struct atan2 : Floating {
  static double of(double y, double x, Params) { return std::atan2(y, x); }
};
struct copysign : Floating {
  template <class T>
  static T of(T a, T b, Params) {
    return std::copysign(a, b);
  }
};
struct hypot : Floating {
  static double of(double a, double b, Params) { return std::hypot(a, b); }
};
struct tanh_grad : Floating {
  static double of(double g, double y, Params) { return g * ((1 - y) * (1 + y)); }
};
struct sigmoid_grad : Floating {
  static double of(double g, double y, Params) { return g * (y * (1 - y)); }
};
struct relu_grad : Floating {
  template <class T>
  static T of(T g, T y, Params) {
    return y > 0 ? g : T(0);
  }
};
struct leaky_relu_grad : Floating {
  static double of(double g, double x, Params p) { return x > 0 ? g : p[0] * g; }
};
struct elu_grad : Floating {
  static double of(double g, double x, Params p) {
    const double alpha = p[0], scale = p[1], input_scale = p[2];
    return x > 0 ? scale * g : g * (scale * alpha * input_scale * std::exp(x * input_scale));
  }
};
struct softplus_grad : Floating {
  static double of(double g, double x, Params p) {
    const double beta = p[0], threshold = p[1];
    return beta * x > threshold ? g : g * logistic(beta * x);
  }
};
struct logsigmoid_grad : Floating {
  static double of(double g, double x, Params) { return g * logistic(-x); }
};
struct gelu_grad : Floating {
  static double of(double g, double x, Params) {
    const double density = 0.39894228040143267794 * std::exp(-0.5 * x * x);
    return g * (normal_cdf(x) + x * density);
  }
};
struct gelu_tanh_grad : Floating {
  static double of(double g, double x, Params) {
    const double u = 2 * gelu_inner(x);
    return g * (logistic(u) * (1 + 2 * x * gelu_inner_slope(x) * logistic(-u)));
  }
};
struct silu_grad : Floating {
  static double of(double g, double x, Params) { return g * (logistic(x) * (1 + x * logistic(-x))); }
};
struct mish_grad : Floating {
  static double of(double g, double x, Params) {
    const double u = log_one_plus_exp(x), t = std::tanh(u), c = std::cosh(u);
    return g * (t + x / c / c * logistic(x));
  }
};
struct clamp_grad : Floating {
  template <class T>
  static T of(T g, T x, Params p) {
    return bound<T>(p[0]) <= x && x <= bound<T>(p[1]) ? g : T(0);
  }
};
struct bitwise_and : Integral {
  template <class T>
  static T of(T a, T b, Params) {
    return static_cast<T>(a & b);
  }
};
struct bitwise_or : Integral {
  template <class T>
  static T of(T a, T b, Params) {
    return static_cast<T>(a | b);
  }
};
struct bitwise_xor : Integral {
  template <class T>
  static T of(T a, T b, Params) {
    return static_cast<T>(a ^ b);
  }
};
// A shift by less than 0 or by all bits and more leaves nothing, or the sign.
template <class T>
bool shift_in_range(T by) {
  return by >= 0 && by < T(8 * sizeof(T));
}
struct shift_left : Integer {
  template <class T>
  static T of(T a, T b, Params) {
    return shift_in_range(b) ? static_cast<T>(static_cast<uint64_t>(a) << b) : T(0);
  }
};
struct shift_right : Integer {
  template <class T>
  static T of(T a, T b, Params) {
    return shift_in_range(b) ? static_cast<T>(a >> b) : static_cast<T>(a < 0 ? -1 : 0);
  }
};

// -------------------------------------------------------------------------------------------------------- compare

struct Pair : NumericOrBool {
  static constexpr bool one_operand = false;
};
struct Single : NumericOrBool {
  static constexpr bool one_operand = true;
};
struct eq : Pair {
  template <class T>
  static bool of(T a, T b) {
    return a == b;
  }
};
struct ne : Pair {
  template <class T>
  static bool of(T a, T b) {
    return a != b;
  }
};
struct lt : Pair {
  template <class T>
  static bool of(T a, T b) {
    return a < b;
  }
};
struct le : Pair {
  template <class T>
  static bool of(T a, T b) {
    return a <= b;
  }
};
struct gt : Pair {
  template <class T>
  static bool of(T a, T b) {
    return a > b;
  }
};
struct ge : Pair {
  template <class T>
  static bool of(T a, T b) {
    return a >= b;
  }
};
struct logical_and : Pair {
  template <class T>
  static bool of(T a, T b) {
    return a != 0 && b != 0;
  }
};
struct logical_or : Pair {
  template <class T>
  static bool of(T a, T b) {
    return a != 0 || b != 0;
  }
};
struct logical_xor : Pair {
  template <class T>
  static bool of(T a, T b) {
    return (a != 0) != (b != 0);
  }
};
struct logical_not : Single {
  template <class T>
  static bool of(T a) {
    return a == 0;
  }
};
struct isnan : Single {
  template <class T>
  static bool of(T a) {
    return is_nan(a);
  }
};
struct isinf : Single {
  template <class T>
  static bool of(T a) {
    if constexpr (is_floating<T>)
      return std::fabs(a) == std::numeric_limits<T>::infinity();
    else
      return false;
  }
};
struct isfinite : Single {
  template <class T>
  static bool of(T a) {
    if constexpr (is_floating<T>)
      return std::fabs(a) < std::numeric_limits<T>::infinity();
    else
      return true;
  }
};

}  // namespace fd::reference::op
