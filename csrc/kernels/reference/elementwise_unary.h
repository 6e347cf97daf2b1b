// Operations of one operand.
#pragma once

#include "kernels/reference/elementwise_ops.h"

namespace fd::reference::op {

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
struct gelu : Floating {
  static double of(double x, Params) { return x * normal_cdf(x); }
};
struct gelu_tanh : Floating {
  static double of(double x, Params) { return x * logistic(2 * gelu_inner(x)); }
};
struct silu : Floating {
  static double of(double x, Params) { return x * logistic(x); }
};
struct mish : Floating {
  static double of(double x, Params) { return x * std::tanh(log_one_plus_exp(x)); }
};
struct hardsigmoid : Floating {
  static double of(double x, Params) { return hard_step(x) / 6; }
};
struct hardswish : Floating {
  static double of(double x, Params) { return x * (hard_step(x) / 6); }
};
struct clamp : Numeric {
  template <class T>
  static T of(T x, Params p) {
    const T lo = bound<T>(p[0]), hi = bound<T>(p[1]);
    const T raised = x < lo ? lo : x;
    return raised > hi ? hi : raised;
  }
};

}  // namespace fd::reference::op
