// What each elementwise operation computes from one vector of each operand, in the words of
// reference/elementwise_ops.h. kCost is the time per element against a copy from cache, as measured with AVX-512
// (docs/kernels/elementwise.md).
#pragma once

#include "kernels/cpu/math_special.h"

namespace fd::FD_ISA::op {

// The constants of an operation in the type of its elements; an integer type's ends stand for what lies beyond them.
template <class T>
struct Params {
  T p[3];
  explicit Params(const double* d) : p{convert(d[0]), convert(d[1]), convert(d[2])} {}

 private:
  static T convert(double d) {
    if constexpr (T(0.5) == T(0)) {
      constexpr bool is_signed = T(-1) < T(0);
      constexpr T lowest = is_signed ? T(T(1) << (8 * sizeof(T) - 1)) : T(0), highest = T(~lowest);
      if (!(d > double(lowest))) return lowest;
      if (d >= double(highest)) return highest;
    }
    return T(d);
  }
};

struct Cheap {
  static constexpr int kCost = 1;
};
struct Moderate {
  static constexpr int kCost = 4;
};
struct Heavy {
  static constexpr int kCost = 8;
};

#define FD_UNARY(name, cost, ...)                                               \
  struct name : cost {                                                          \
    template <class T>                                                          \
    FD_INLINE static Vec<T> of(Vec<T> x, [[maybe_unused]] const Params<T>& c) { \
      __VA_ARGS__                                                               \
    }                                                                           \
  };

// ---------------------------------------------------------------------------------------------------------- unary

FD_UNARY(Neg, Cheap, return -x;)
FD_UNARY(Abs, Cheap, if constexpr (T(-1) < T(0)) return abs(x); else return x;)
FD_UNARY(Sign, Cheap, {
  const Vec<T> zero = T(0), one = T(1);
  return select(x > zero, one, select(x < zero, zero - one, zero));
})
FD_UNARY(Square, Cheap, return x * x;)
FD_UNARY(Cube, Cheap, return x * x * x;)  // pow by 3
FD_UNARY(BitwiseNot, Cheap, return ~x;)
FD_UNARY(LogicalFlip, Cheap, return x ^ Vec<T>(T(1));)  // bitwise_not of bool
FD_UNARY(Reciprocal, Cheap, return Vec<T>(T(1)) / x;)
FD_UNARY(Sqrt, Cheap, return sqrt(x);)
// pow by 1/2 and -1/2: of -0 as of 0, of -inf as of inf
FD_UNARY(Root, Cheap, return select(x == -Vec<T>(kInfinity<T>), -x, sqrt(x + T(0)));)
FD_UNARY(InverseRoot, Cheap, return T(1) / select(x == -Vec<T>(kInfinity<T>), -x, sqrt(x + T(0)));)
FD_UNARY(Rsqrt, Moderate, return vrsqrt(x);)
FD_UNARY(Exp, Moderate, return vexp(x);)
FD_UNARY(Exp2, Moderate, return vexp2(x);)
FD_UNARY(Expm1, Moderate, return vexpm1(x);)
FD_UNARY(Log, Moderate, return vlog(x);)
FD_UNARY(Log2, Moderate, return vlog2(x);)
FD_UNARY(Log10, Heavy, return vlog10(x);)
FD_UNARY(Log1p, Moderate, return vlog1p(x);)
FD_UNARY(Sin, Heavy, return vsin(x);)
FD_UNARY(Cos, Heavy, return vcos(x);)
FD_UNARY(Tan, Heavy, return vtan(x);)
FD_UNARY(Asin, Heavy, return vasin(x);)
FD_UNARY(Acos, Heavy, return vacos(x);)
FD_UNARY(Atan, Heavy, return vatan(x);)
FD_UNARY(Sinh, Heavy, return vsinh(x);)
FD_UNARY(Cosh, Heavy, return vcosh(x);)
FD_UNARY(Tanh, Moderate, return vtanh(x);)
FD_UNARY(Asinh, Heavy, return vasinh(x);)
FD_UNARY(Acosh, Heavy, return vacosh(x);)
FD_UNARY(Atanh, Heavy, return vatanh(x);)
FD_UNARY(Erf, Heavy, return verf(x);)
FD_UNARY(Floor, Cheap, return floor(x);)
FD_UNARY(Ceil, Cheap, return ceil(x);)
FD_UNARY(Round, Cheap, return round(x);)
FD_UNARY(Trunc, Cheap, return trunc(x);)
FD_UNARY(Sigmoid, Moderate, return vsigmoid(x);)
FD_UNARY(Logsigmoid, Heavy, return vlogsigmoid(x);)
FD_UNARY(Softplus, Heavy, {
  const Vec<T> beta = c.p[0], bx = beta * x;
  return select(bx > Vec<T>(c.p[1]), x, vsoftplus(bx) / beta);
})
FD_UNARY(Relu, Cheap, return max(Vec<T>(T(0)), x);)  // max gives its second operand if one is NaN
FD_UNARY(LeakyRelu, Cheap, return select(x > Vec<T>(T(0)), x, x* Vec<T>(c.p[0]));)
FD_UNARY(Elu, Moderate, {
  const Vec<T> scale = c.p[1];
  return select(x > Vec<T>(T(0)), scale * x, scale * c.p[0] * vexpm1(x * c.p[2]));
})
FD_UNARY(Gelu, Heavy, return vgelu(x);)
// sqrt(2/pi) (x + 0.044715 x^3), twice: (1 + tanh u) / 2 is the logistic function of 2u.
template <class T>
FD_INLINE Vec<T> gelu_inner_twice(Vec<T> x) {
  return x * T(1.59576912160573071176) * fma(x * x, Vec<T>(T(0.044715)), Vec<T>(T(1)));
}
FD_UNARY(GeluTanh, Moderate, return x * vsigmoid(gelu_inner_twice(x));)
FD_UNARY(Silu, Moderate, return x * vsigmoid(x);)
// With e = e^x and n = e (e + 2): tanh(log(1 + e)) = n / (n + 2), which is 1 from here on.
template <class T>
inline constexpr T kMishEnd = sizeof(T) == 4 ? T(20) : T(40);
FD_UNARY(Mish, Moderate, {
  const Vec<T> e = vexp(min(Vec<T>(kMishEnd<T>), x)), n = e * (e + T(2));
  return x * (n / (n + T(2)));
})
FD_UNARY(Hardsigmoid, Cheap, return limit(x + T(3), T(0), T(6)) * T(1.0 / 6);)
FD_UNARY(Hardswish, Cheap, return x * (limit(x + T(3), T(0), T(6)) * T(1.0 / 6));)
FD_UNARY(Clamp, Cheap, return min(Vec<T>(c.p[1]), max(Vec<T>(c.p[0]), x));)
#undef FD_UNARY

// --------------------------------------------------------------------------------------------------------- binary

#define FD_BINARY(name, cost, ...)                                                        \
  struct name : cost {                                                                    \
    template <class T>                                                                    \
    FD_INLINE static Vec<T> of(Vec<T> a, Vec<T> b, [[maybe_unused]] const Params<T>& c) { \
      __VA_ARGS__                                                                         \
    }                                                                                     \
  };

FD_BINARY(Add, Cheap, return a + b;)
FD_BINARY(Sub, Cheap, return a - b;)
FD_BINARY(Mul, Cheap, return a * b;)
FD_BINARY(Div, Cheap, return a / b;)
FD_BINARY(Maximum, Cheap, if constexpr (T(0.5) == T(0)) return max(a, b); else return max_nan(a, b);)
FD_BINARY(Minimum, Cheap, if constexpr (T(0.5) == T(0)) return min(a, b); else return min_nan(a, b);)
FD_BINARY(Copysign, Cheap, return copysign(a, b);)
FD_BINARY(Atan2, Heavy, return vatan2(a, b);)
FD_BINARY(Hypot, Moderate, return vhypot(a, b);)

// The C remainder is exact. Where the quotient has few enough bits to be truncated right, so is a - quotient b in one
// fused operation; other lanes are left to libm.
FD_INLINE Vec<double> remainder_exact(Vec<double> a, Vec<double> b) {
  const Vec<double> x = abs(a), y = abs(b), quotient = x / y;
  const Mask<double> safe = (quotient < Vec<double>(0x1p50)) & (y > Vec<double>(0x1p-960));
  if (!all(safe)) return per_lane(a, b, [](double u, double v) { return ::fmod(u, v); });
  Vec<double> rest = fnma(trunc(quotient), y, x);  // off by one y if the quotient was rounded up
  rest = select(rest < Vec<double>(0.0), rest + y, rest);
  rest = select(y == Vec<double>(kInfinity<double>), x, rest);
  return copysign(rest, a);
}
FD_INLINE Vec<float> remainder_exact(Vec<float> a, Vec<float> b) {
  return by_double(a, b, [](Vec<double> u, Vec<double> v) { return remainder_exact(u, v); });
}
template <class T>
FD_INLINE Vec<T> floored_remainder(Vec<T> a, Vec<T> b) {
  const Vec<T> zero = T(0), rest = remainder_exact(a, b);
  return select((rest != zero) & ((rest < zero) ^ (b < zero)), rest + b, rest);
}
FD_BINARY(Fmod, Moderate, return remainder_exact(a, b);)
FD_BINARY(Remainder, Moderate, return floored_remainder(a, b);)
FD_BINARY(FloorDiv, Moderate, {
  const Vec<T> zero = T(0), quotient = (a - floored_remainder(a, b)) / b;  // whole but for rounding
  const Vec<T> y = select(quotient == zero, sign_bit(a) ^ sign_bit(b), round(quotient));
  return select(b == zero, a / b, y);
})

// Powers by a common constant are what a product rounds once or twice; double goes to libm, whose pow carries the
// logarithm in extra digits.
template <class T>
FD_INLINE Vec<T> general_pow(Vec<T> a, Vec<T> b) {
  if constexpr (sizeof(T) == 4)
    return vpow(a, b);
  else
    return per_lane(a, b, [](double u, double v) { return ::pow(u, v); });
}
FD_BINARY(Pow, Heavy, return general_pow(a, b);)

FD_BINARY(TanhGrad, Cheap, return a * ((T(1) - b) * (T(1) + b));)
FD_BINARY(SigmoidGrad, Cheap, return a * (b * (T(1) - b));)
FD_BINARY(ReluGrad, Cheap, return select(b <= Vec<T>(T(0)), Vec<T>(T(0)), a);)
FD_BINARY(LeakyReluGrad, Cheap, return select(b > Vec<T>(T(0)), a, a* c.p[0]);)
FD_BINARY(EluGrad, Moderate, {
  const Vec<T> scale = c.p[1];
  const Vec<T> slope = scale * c.p[0] * c.p[2] * vexp(b * c.p[2]);
  return a * select(b <= Vec<T>(T(0)), slope, scale);
})
FD_BINARY(SoftplusGrad, Moderate, {
  const Vec<T> bx = b * c.p[0];
  return select(bx > Vec<T>(c.p[1]), a, a * vsigmoid(bx));
})
FD_BINARY(LogsigmoidGrad, Moderate, return a * vsigmoid(-b);)
FD_BINARY(GeluGrad, Heavy, {
  const Normal<T> n = normal(b);
  return a * fma(b * T(0.39894228040143267794), n.bell, n.cdf);
})
FD_BINARY(GeluTanhGrad, Moderate, {
  const Vec<T> x = limit(b, T(-100), T(100));  // where the slope has long been 0 or 1, and x^3 cannot overflow
  const SigmoidPair<T> s = sigmoid_pair(gelu_inner_twice(x));
  const Vec<T> slope = T(1.59576912160573071176) * fma(x * x, Vec<T>(T(3 * 0.044715)), Vec<T>(T(1)));
  return a * (s.y * fma(x * slope, s.complement, Vec<T>(T(1))));
})
FD_BINARY(SiluGrad, Moderate, {
  const SigmoidPair<T> s = sigmoid_pair(b);
  return a * (s.y * fma(b, s.complement, Vec<T>(T(1))));
})
FD_BINARY(MishGrad, Moderate, {
  const Vec<T> x = limit(b, T(-1000), kMishEnd<T>), e = vexp(x), n = e * (e + T(2)), q = T(1) / (n + T(2));
  return a * (q * fma(x * T(4) * e, (e + T(1)) * q, n));
})
FD_BINARY(HardsigmoidGrad, Cheap, return select(abs(b) < Vec<T>(T(3)), a* T(1.0 / 6), Vec<T>(T(0)));)
FD_BINARY(HardswishGrad, Cheap, {
  const Vec<T> three = T(3), inner = a * fma(b, Vec<T>(T(1.0 / 3)), Vec<T>(T(0.5)));
  return select(b <= -three, Vec<T>(T(0)), select(b < three, inner, a));
})
FD_BINARY(ClampGrad, Cheap, { return select((Vec<T>(c.p[0]) <= b) & (b <= Vec<T>(c.p[1])), a, Vec<T>(T(0))); })
FD_BINARY(BitwiseAnd, Cheap, return a & b;)
FD_BINARY(BitwiseOr, Cheap, return a | b;)
FD_BINARY(BitwiseXor, Cheap, return a ^ b;)
#undef FD_BINARY

}  // namespace fd::FD_ISA::op
