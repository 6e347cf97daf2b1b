// Vector sin, cos, tan, their inverses, and the hyperbolic functions but tanh. See math.h.
// Arguments beyond the range of the reductions (|x| > 2^20 for double, 2^30 for float) go to libm, lane by lane.
#pragma once

#include <math.h>

#include "kernels/cpu/math.h"

namespace fd::FD_ISA {

// f of libm on every lane, for what is rare or not worth a vector form.
template <class T, class F>
FD_INLINE Vec<T> per_lane(Vec<T> x, F f) {
  T lanes[Vec<T>::kLanes];
  x.store(lanes);
  for (T& v : lanes) v = f(v);
  return Vec<T>::load(lanes);
}
template <class T, class F>
FD_INLINE Vec<T> per_lane(Vec<T> a, Vec<T> b, F f) {
  T x[Vec<T>::kLanes], y[Vec<T>::kLanes];
  a.store(x);
  b.store(y);
  for (int i = 0; i < Vec<T>::kLanes; i++) x[i] = f(x[i], y[i]);
  return Vec<T>::load(x);
}

// ----------------------------------------------------------------------------------------------------- sin, cos, tan

// x = n pi/2 + r, |r| <= pi/4.
template <class T>
struct TrigReduced {
  Vec<T> r;
  Vec<Int<T>> n;
};

FD_INLINE TrigReduced<double> reduce_trig(Vec<double> x) {
  // pi/2 in pieces of 33 bits, so that n times the first two is exact for n < 2^20 (Cody and Waite).
  constexpr double kFirst = 0x1.921fb544p0, kSecond = 0x1.0b4611a6p-34, kThird = 0x1.3198a2e037073p-69;
  const Vec<double> n = round(x * 0x1.45f306dc9c883p-1);
  const Vec<double> r = fnma(n, Vec<double>(kThird), fnma(n, Vec<double>(kSecond), fnma(n, Vec<double>(kFirst), x)));
  return {r, to_int(n)};
}
// In double: fma forms x - n pi/2 without rounding it away.
FD_INLINE Vec<double> float_remainder(Vec<double> x, Vec<double> n) {
  return fnma(n, Vec<double>(0x1.1a62633145c07p-54), fnma(n, Vec<double>(0x1.921fb54442d18p0), x));
}
FD_INLINE TrigReduced<float> reduce_trig(Vec<float> x) {
  const Vec<double> lo = widen_lo(x), hi = widen_hi(x);
  const Vec<double> n_lo = round(lo * 0x1.45f306dc9c883p-1), n_hi = round(hi * 0x1.45f306dc9c883p-1);
  // Only n mod 4 is wanted: taken in double, as n itself may have more bits than a float.
  const Vec<double> m_lo = fnma(floor(n_lo * 0.25), Vec<double>(4.0), n_lo);
  const Vec<double> m_hi = fnma(floor(n_hi * 0.25), Vec<double>(4.0), n_hi);
  return {narrow(float_remainder(lo, n_lo), float_remainder(hi, n_hi)), to_int(narrow(m_lo, m_hi))};
}

template <class T>
struct TrigConstants;
template <>
struct TrigConstants<float> {
  static constexpr float kLargest = 0x1p30f;
  static constexpr float kSin[] = {-0x1.555556p-3f, 0x1.111108p-7f, -0x1.a00f7ap-13f, 0x1.6cd0a8p-19f};
  static constexpr float kCos[] = {0x1.555556p-5f, -0x1.6c16b8p-10f, 0x1.a010dap-16f, -0x1.241da4p-22f};
};
template <>
struct TrigConstants<double> {
  static constexpr double kLargest = 0x1p20;
  static constexpr double kSin[] = {-0x1.5555555555548p-3, 0x1.111111110f7bp-7,    -0x1.a01a019bf9b67p-13,
                                    0x1.71de356409028p-19, -0x1.ae5e578165a94p-26, 0x1.5d8ee7aa49abap-33};
  static constexpr double kCos[] = {0x1.555555555554bp-5,   -0x1.6c16c16c14f6cp-10, 0x1.a01a019c80972p-16,
                                    -0x1.27e4f7e802e05p-22, 0x1.1ee9d5c9523f3p-29,  -0x1.8fa3959f021abp-37};
};

// (sin(r) / r - 1) / r^2 and (cos(r) - 1 + r^2/2) / r^4 in r^2
template <class T>
FD_INLINE Vec<T> sin_reduced(Vec<T> r) {
  const Vec<T> z = r * r;
  return fma(polynomial(z, TrigConstants<T>::kSin) * z, r, r);
}
template <class T>
FD_INLINE Vec<T> cos_reduced(Vec<T> r) {
  const Vec<T> z = r * r, one = T(1), head = fnma(z, Vec<T>(T(0.5)), one);
  const Vec<T> lost = fnma(z, Vec<T>(T(0.5)), one - head);
  return head + fma(polynomial(z, TrigConstants<T>::kCos), z * z, lost);
}

// sin for quarter = 0, cos for quarter = 1: sin(x + quarter pi/2).
template <class T>
FD_INLINE Vec<T> sine(Vec<T> x, int quarter) {
  const TrigReduced<T> a = reduce_trig(x);
  using I = Vec<Int<T>>;
  const I n = a.n + I(quarter);
  const Mask<T> cosine = (n & I(1)) != I(0), negative = (n & I(2)) != I(0);
  const Vec<T> y = select(cosine, cos_reduced(a.r), sin_reduced(a.r));
  return select(negative, -y, y);
}

template <class T>
FD_INLINE bool trig_in_range(Vec<T> x) {
  return all(abs(x) <= Vec<T>(TrigConstants<T>::kLargest));
}

template <class T>
FD_INLINE Vec<T> vsin(Vec<T> x) {
  if (!trig_in_range(x)) [[unlikely]]
    return per_lane(x, [](T v) { return T(::sin(double(v))); });
  return select(x == Vec<T>(T(0)), x, sine(x, 0));
}
template <class T>
FD_INLINE Vec<T> vcos(Vec<T> x) {
  if (!trig_in_range(x)) [[unlikely]]
    return per_lane(x, [](T v) { return T(::cos(double(v))); });
  return sine(x, 1);
}
FD_INLINE Vec<double> vtan(Vec<double> x) {
  if (!trig_in_range(x)) [[unlikely]]
    return per_lane(x, [](double v) { return ::tan(v); });
  const TrigReduced<double> a = reduce_trig(x);
  const Vec<double> s = sin_reduced(a.r), c = cos_reduced(a.r);
  const Mask<double> odd = (a.n & Vec<int64_t>(1)) != Vec<int64_t>(0);
  return select(x == Vec<double>(0.0), x, select(odd, -c, s) / select(odd, s, c));
}

// ------------------------------------------------------------------------------------------------- asin, acos, atan

inline constexpr double kHalfPi = 0x1.921fb54442d18p0, kHalfPiLow = 0x1.1a62633145c07p-54;

// asin(x) - x for |x| <= 1/2
FD_INLINE Vec<double> asin_rest(Vec<double> x) {
  // (asin(x) / x - 1) / x^2 in x^2
  constexpr double kPoly[] = {0x1.5555555555577p-3, 0x1.333333332e101p-4, 0x1.6db6db72142c9p-5, 0x1.f1c71a9464a44p-6,
                              0x1.6e8bdeeddcb4ep-6, 0x1.1c49ef8306c34p-6, 0x1.ca1f9ff0445e4p-7, 0x1.7584fe8f9e1f5p-7,
                              0x1.613f6022ac33ap-7, 0x1.e5cd9206b7fe7p-9, 0x1.63a7e3a5e19dcp-6, -0x1.580ccfa13d39dp-6,
                              0x1.0b4b4ba2e546fp-5};
  const Vec<double> z = x * x;
  return polynomial(z, kPoly) * z * x;
}

// Beyond 1/2, by asin(x) = pi/2 - 2 asin(sqrt((1 - x) / 2)); beyond 1 the root is NaN.
FD_INLINE Vec<double> vasin(Vec<double> x) {
  const Vec<double> a = abs(x), half = 0.5;
  const Mask<double> inner = a <= half;
  const Vec<double> s = select(inner, a, sqrt(fnma(a, half, half)));
  const Vec<double> y = s + asin_rest(s);
  return copysign(select(inner, y, fnma(y, Vec<double>(2.0), Vec<double>(kHalfPi))), x);
}
FD_INLINE Vec<double> vacos(Vec<double> x) {
  const Vec<double> a = abs(x), half = 0.5;
  const Mask<double> inner = a <= half, negative = x < Vec<double>(0.0);
  const Vec<double> s = select(inner, x, sqrt(fnma(a, half, half)));
  const Vec<double> rest = asin_rest(s), y = s + rest;
  const Vec<double> middle = kHalfPi - (s - (kHalfPiLow - rest));
  const Vec<double> left = fnma(y, Vec<double>(2.0), Vec<double>(2 * kHalfPi)), right = y + y;
  return select(inner, middle, select(negative, left, right));
}

// y + atan(n / d) for |n / d| <= tan(pi/8), y = 0, pi/4 or pi/2.
FD_INLINE Vec<double> vatan(Vec<double> x) {
  // (atan(t) / t - 1) / t^2 in t^2
  constexpr double kPoly[] = {-0x1.555555555553dp-2, 0x1.99999999957bep-3, -0x1.24924922a9e93p-3, 0x1.c71c70e4e504ep-4,
                              -0x1.745cf8bea3cf9p-4, 0x1.3b11173caa28bp-4, -0x1.10eba4bd730a9p-4, 0x1.df0e43d307536p-5,
                              -0x1.9cce68c799612p-5, 0x1.37cb4e79dd9c6p-5, -0x1.2554f4749ae49p-6};
  const Vec<double> a = abs(x), one = 1.0, zero = 0.0;
  const Mask<double> middle = a > Vec<double>(0x1.a827999fcef32p-2), large = a > Vec<double>(0x1.3504f333f9de6p1);
  const Vec<double> top = select(large, -one, select(middle, a - one, a));
  const Vec<double> bottom = select(large, a, select(middle, a + one, one));
  const Vec<double> base = select(large, Vec<double>(kHalfPi), select(middle, Vec<double>(kHalfPi / 2), zero));
  const Vec<double> low = select(large, Vec<double>(kHalfPiLow), select(middle, Vec<double>(kHalfPiLow / 2), zero));
  const Vec<double> t = top / bottom, z = t * t;
  return copysign(base + (fma(polynomial(z, kPoly) * z, t, low) + t), x);
}

FD_INLINE Vec<double> vatan2(Vec<double> y, Vec<double> x) {
  const Vec<double> zero = 0.0, one = 1.0, inf = kInfinity<double>, ax = abs(x), ay = abs(y);
  const Mask<double> swap = ay > ax, both = (ax == inf) & (ay == inf), none = (ax == zero) & (ay == zero);
  Vec<double> ratio = select(swap, ax, ay) / select(swap, ay, ax);
  ratio = select(both, one, select(none, zero, ratio));
  Vec<double> angle = vatan(ratio);
  angle = select(swap, kHalfPi - (angle - kHalfPiLow), angle);
  const Mask<double> left = (bits(x) < Vec<int64_t>(0));
  angle = select(left, 2 * kHalfPi - (angle - 2 * kHalfPiLow), angle);
  return select(is_nan(x) | is_nan(y), x + y, copysign(angle, y));
}

// ------------------------------------------------------------------------------------------------------- hyperbolic

// Above this, e^x / 2 is taken as the product of two roots because e^x overflows before it does.
inline constexpr double kLargeHyperbolic = 700.0;

FD_INLINE Vec<double> half_exp_large(Vec<double> a) {
  const Vec<double> root = vexp(a * 0.5);
  return root * 0.5 * root;
}
FD_INLINE Vec<double> vsinh(Vec<double> x) {
  const Vec<double> a = abs(x), e = vexpm1(a);
  const Vec<double> y = (e + e / (e + 1.0)) * 0.5;
  return copysign(select(a > Vec<double>(kLargeHyperbolic), half_exp_large(a), y), x);
}
FD_INLINE Vec<double> vcosh(Vec<double> x) {
  const Vec<double> a = abs(x), e = vexp(a) * 0.5;
  return select(a > Vec<double>(kLargeHyperbolic), half_exp_large(a), e + 0.25 / e);
}
// log(2a) = log(a) + ln 2 once 1 + a^2 cannot be told from a^2.
FD_INLINE Vec<double> log_twice(Vec<double> a) { return vlog(a) + ExpConstants<double>::kLn2; }

FD_INLINE Vec<double> vasinh(Vec<double> x) {
  const Vec<double> a = abs(x), square = a * a;
  const Vec<double> y = vlog1p(a + square / (sqrt(square + 1.0) + 1.0));
  return copysign(select(a > Vec<double>(0x1p28), log_twice(a), y), x);
}
FD_INLINE Vec<double> vacosh(Vec<double> x) {
  const Vec<double> t = x - 1.0;
  const Vec<double> y = select(x > Vec<double>(0x1p28), log_twice(x), vlog1p(t + sqrt(fma(t, t, t + t))));
  return select(t < Vec<double>(0.0), Vec<double>(kNaN<double>), y);
}
FD_INLINE Vec<double> vatanh(Vec<double> x) {
  const Vec<double> a = abs(x);
  return copysign(vlog1p((a + a) / (1.0 - a)) * 0.5, x);
}

#define FD_FLOAT_BY_DOUBLE(name)                                \
  FD_INLINE Vec<float> name(Vec<float> x) {                     \
    return by_double(x, [](Vec<double> v) { return name(v); }); \
  }
FD_FLOAT_BY_DOUBLE(vtan)
FD_FLOAT_BY_DOUBLE(vasin)
FD_FLOAT_BY_DOUBLE(vacos)
FD_FLOAT_BY_DOUBLE(vatan)
FD_FLOAT_BY_DOUBLE(vsinh)
FD_FLOAT_BY_DOUBLE(vcosh)
FD_FLOAT_BY_DOUBLE(vasinh)
FD_FLOAT_BY_DOUBLE(vacosh)
FD_FLOAT_BY_DOUBLE(vatanh)
#undef FD_FLOAT_BY_DOUBLE
FD_INLINE Vec<float> vatan2(Vec<float> y, Vec<float> x) {
  return by_double(y, x, [](Vec<double> a, Vec<double> b) { return vatan2(a, b); });
}

FD_INLINE Vec<float> vhypot(Vec<float> a, Vec<float> b) {
  const Vec<float> y = by_double(a, b, [](Vec<double> u, Vec<double> v) { return sqrt(fma(u, u, v * v)); });
  const Vec<float> inf = kInfinity<float>;
  return select((abs(a) == inf) | (abs(b) == inf), inf, y);
}
FD_INLINE Vec<double> vhypot(Vec<double> a, Vec<double> b) {
  return per_lane(a, b, [](double u, double v) { return ::hypot(u, v); });
}

}  // namespace fd::FD_ISA
