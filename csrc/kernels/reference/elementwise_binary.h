// Operations of two operands, among them the gradients of activations.
#pragma once

#include "kernels/reference/elementwise_ops.h"

namespace fd::reference::op {

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
    return y <= 0 ? T(0) : g;
  }
};
struct leaky_relu_grad : Floating {
  static double of(double g, double x, Params p) { return x > 0 ? g : p[0] * g; }
};
struct elu_grad : Floating {
  static double of(double g, double x, Params p) {
    const double alpha = p[0], scale = p[1], input_scale = p[2];
    return x <= 0 ? g * (scale * alpha * input_scale * std::exp(x * input_scale)) : scale * g;
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
struct hardsigmoid_grad : Floating {
  static double of(double g, double x, Params) { return -3 < x && x < 3 ? g / 6 : 0; }
};
struct hardswish_grad : Floating {
  static double of(double g, double x, Params) {
    if (x <= -3) return 0;
    return x < 3 ? g * (x / 3 + 0.5) : g;
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

}  // namespace fd::reference::op
