// Vector sin, cos, tan and their inverses. See math.h.
// Arguments beyond the range of the reductions (|x| > 2^20 for double, 2^18 for float) go to libm, lane by lane.
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

// y where x is small enough for the vector form, f of libm elsewhere: a lane never depends on its neighbours.
template <class T, class F>
FD_INLINE Vec<T> with_large(Vec<T> x, Vec<T> y, T largest, F f) {
  const Mask<T> fits = abs(x) <= Vec<T>(largest);
  if (!all(fits)) [[unlikely]]
    return select(fits, y, per_lane(x, f));
  return y;
}

// ----------------------------------------------------------------------------------------------------- sin, cos, tan

// Float: x = n pi + r with |r| <= pi/2 and a little, so that one polynomial serves. pi in three parts: fma forms the
// first difference exactly (Cody and Waite). All are positive, so that -0 stays.
inline constexpr float kLargestAngle = 0x1p18f;

FD_INLINE Vec<float> less_multiple(Vec<float> x, Vec<float> n, float unit) {
  const Vec<float> first = unit * 0x1.921fb4p0f, second = unit * 0x1.4442dp-24f, third = unit * 0x1.84698ap-48f;
  return fnma(n, third, fnma(n, second, fnma(n, first, x)));
}
// (-1)^n sin(r), n in the low bits of `whole`. sin(r) has r's sign, which the sum would lose where r is -0.
FD_INLINE Vec<float> signed_sine(Vec<float> r, Vec<float> whole) {
  // (sin(r) / r - 1) / r^2 in r^2
  constexpr float kPoly[] = {-0x1.55554ap-3f, 0x1.110e86p-7f, -0x1.9f6138p-13f, 0x1.5ce6ep-19f};
  const Vec<float> z = r * r, y = fma(polynomial(z, kPoly) * z, r, r) | sign_bit(r);
  return y ^ from_bits<float>(shl<31>(bits(whole)));
}
FD_INLINE Vec<float> vsin(Vec<float> x) {
  const Vec<float> magic = ExpConstants<float>::kMagic, whole = fma(x, Vec<float>(0x1.45f306p-2f), magic);
  const Vec<float> y = signed_sine(less_multiple(x, whole - magic, 2.f), whole);
  return with_large(x, y, kLargestAngle, [](float v) { return float(::sin(double(v))); });
}
// sin(x + pi/2)
FD_INLINE Vec<float> vcos(Vec<float> x) {
  const Vec<float> magic = ExpConstants<float>::kMagic;
  const Vec<float> whole = fma(x, Vec<float>(0x1.45f306p-2f), Vec<float>(0.5f)) + magic;
  const Vec<float> y = signed_sine(less_multiple(x, (whole - magic) - 0.5f, 2.f), whole);
  return with_large(x, y, kLargestAngle, [](float v) { return float(::cos(double(v))); });
}
// x = n pi/2 + r; tan(r), or -1 / tan(r) for odd n.
FD_INLINE Vec<float> vtan(Vec<float> x) {
  // (tan(r) / r - 1) / r^2 in r^2
  constexpr float kPoly[] = {0x1.555562p-2f, 0x1.110d0ep-3f,   0x1.baf42p-5f, 0x1.5ba8e4p-6f,
                             0x1.689958p-7f, -0x1.12e992p-13f, 0x1.261f46p-8f};
  const Vec<float> magic = ExpConstants<float>::kMagic, whole = fma(x, Vec<float>(0x1.45f306p-1f), magic);
  const Vec<float> r = less_multiple(x, whole - magic, 1.f), z = r * r;
  const Vec<float> t = fma(polynomial(z, kPoly) * z, r, r);
  const Mask<float> odd = (bits(whole) & Vec<int32_t>(1)) != Vec<int32_t>(0);
  const Vec<float> y = select(odd, Vec<float>(-1.f), t) / select(odd, t, Vec<float>(1.f));
  return with_large(x, y, kLargestAngle, [](float v) { return float(::tan(double(v))); });
}

// Double: x = n pi/2 + r, |r| <= pi/4. pi/2 in pieces of 33 bits, so that n times the first two is exact for n < 2^20.
inline constexpr double kLargestAngleDouble = 0x1p20;

struct TrigReduced {
  Vec<double> r;
  Vec<int64_t> n;
};
FD_INLINE TrigReduced reduce_trig(Vec<double> x) {
  constexpr double kFirst = 0x1.921fb544p0, kSecond = 0x1.0b4611a6p-34, kThird = 0x1.3198a2e037073p-69;
  const Vec<double> magic = ExpConstants<double>::kMagic, whole = fma(x, Vec<double>(0x1.45f306dc9c883p-1), magic);
  const Vec<double> n = whole - magic;
  const Vec<double> r = fnma(n, Vec<double>(kThird), fnma(n, Vec<double>(kSecond), fnma(n, Vec<double>(kFirst), x)));
  return {r, bits(whole)};
}

FD_INLINE Vec<double> sin_reduced(Vec<double> r) {
  // (sin(r) / r - 1) / r^2 in r^2
  constexpr double kPoly[] = {-0x1.5555555555548p-3, 0x1.111111110f7bp-7,    -0x1.a01a019bf9b67p-13,
                              0x1.71de356409028p-19, -0x1.ae5e578165a94p-26, 0x1.5d8ee7aa49abap-33};
  const Vec<double> z = r * r;
  return fma(polynomial(z, kPoly) * z, r, r);
}
FD_INLINE Vec<double> cos_reduced(Vec<double> r) {
  // (cos(r) - 1 + r^2/2) / r^4 in r^2
  constexpr double kPoly[] = {0x1.555555555554bp-5,   -0x1.6c16c16c14f6cp-10, 0x1.a01a019c80972p-16,
                              -0x1.27e4f7e802e05p-22, 0x1.1ee9d5c9523f3p-29,  -0x1.8fa3959f021abp-37};
  const Vec<double> z = r * r, one = 1.0, head = fnma(z, Vec<double>(0.5), one);
  const Vec<double> lost = fnma(z, Vec<double>(0.5), one - head);
  return head + fma(polynomial(z, kPoly), z * z, lost);
}

// sin(x + quarter pi/2)
FD_INLINE Vec<double> sine(Vec<double> x, int quarter) {
  const TrigReduced a = reduce_trig(x);
  const Vec<int64_t> n = a.n + Vec<int64_t>(quarter), one = 1;
  const Mask<double> cosine = (n & one) != Vec<int64_t>(0);
  const Vec<double> y = select(cosine, cos_reduced(a.r), sin_reduced(a.r));
  return y ^ from_bits<double>(shl<63>(shr<1>(n)));
}
FD_INLINE Vec<double> vsin(Vec<double> x) {
  const Vec<double> y = select(x == Vec<double>(0.0), x, sine(x, 0));
  return with_large(x, y, kLargestAngleDouble, [](double v) { return ::sin(v); });
}
FD_INLINE Vec<double> vcos(Vec<double> x) {
  return with_large(x, sine(x, 1), kLargestAngleDouble, [](double v) { return ::cos(v); });
}
FD_INLINE Vec<double> vtan(Vec<double> x) {
  const TrigReduced a = reduce_trig(x);
  const Vec<double> s = sin_reduced(a.r), c = cos_reduced(a.r);
  const Mask<double> odd = (a.n & Vec<int64_t>(1)) != Vec<int64_t>(0);
  const Vec<double> y = select(x == Vec<double>(0.0), x, select(odd, -c, s) / select(odd, s, c));
  return with_large(x, y, kLargestAngleDouble, [](double v) { return ::tan(v); });
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

// asin(x) - x for 0 <= x <= 1/2, z = x^2
FD_INLINE Vec<float> asin_rest(Vec<float> x, Vec<float> z) {
  // (asin(x) / x - 1) / x^2 in x^2
  constexpr float kPoly[] = {0x1.5555c8p-3f, 0x1.330204p-4f, 0x1.747bbap-5f, 0x1.8c3e3ep-6f, 0x1.595c74p-5f};
  return polynomial(z, kPoly) * z * x;
}
inline constexpr float kHalfPiFloat = 0x1.921fb6p0f, kHalfPiFloatLow = -0x1.777a5cp-25f;

FD_INLINE Vec<float> vasin(Vec<float> x) {
  const Vec<float> a = abs(x), half = 0.5f;
  const Mask<float> inner = a < half;
  const Vec<float> z = select(inner, a * a, fnma(a, half, half)), s = select(inner, a, sqrt(z));
  const Vec<float> rest = asin_rest(s, z), two = 2.f;
  const Vec<float> outer = fnma(s, two, Vec<float>(kHalfPiFloat)) + fnma(rest, two, Vec<float>(kHalfPiFloatLow));
  return select(inner, s + rest, outer) | sign_bit(x);
}
FD_INLINE Vec<float> vacos(Vec<float> x) {
  const Vec<float> a = abs(x), half = 0.5f;
  const Mask<float> inner = a < half;
  const Vec<float> z = select(inner, a * a, fnma(a, half, half)), s = select(inner, a, sqrt(z));
  const Vec<float> y = (s + asin_rest(s, z)) | sign_bit(x);
  const Vec<float> left = select(x < Vec<float>(0.f), Vec<float>(2 * kHalfPiFloat), Vec<float>(0.f));
  return select(inner, kHalfPiFloat - (y - kHalfPiFloatLow), fma(y, Vec<float>(2.f), left));
}

// atan(t) for |t| <= 1
FD_INLINE Vec<float> atan_reduced(Vec<float> t) {
  // (atan(t) / t - 1) / t^2 in t^2
  constexpr float kPoly[] = {-0x1.55553ep-2f, 0x1.9991e4p-3f, -0x1.242086p-3f, 0x1.c08c52p-4f,  -0x1.58093cp-4f,
                             0x1.da2b0cp-5f,  -0x1.fd81ep-6f, 0x1.642bcep-7f,  -0x1.d36dc4p-10f};
  const Vec<float> z = t * t;
  return fma(polynomial(z, kPoly) * z, t, t);
}
FD_INLINE Vec<float> vatan(Vec<float> x) {
  const Vec<float> a = abs(x), one = 1.f;
  const Mask<float> steep = a > one;
  const Vec<float> y = atan_reduced(select(steep, -one, a) / select(steep, a, one));
  return select(steep, y + kHalfPiFloat, y) | sign_bit(x);
}

FD_INLINE Vec<double> atan_ratio(Vec<double> t) { return vatan(t); }
FD_INLINE Vec<float> atan_ratio(Vec<float> t) { return atan_reduced(t); }

// From an angle in [0, pi/4] to the other octants of the upper half plane: pi/2 - angle, then pi - angle.
FD_INLINE Vec<double> other_octants(Vec<double> angle, Mask<double> steep, Mask<double> left) {
  angle = select(steep, kHalfPi - (angle - kHalfPiLow), angle);
  return select(left, 2 * kHalfPi - (angle - 2 * kHalfPiLow), angle);
}
FD_INLINE Vec<float> other_octants(Vec<float> angle, Mask<float> steep, Mask<float> left) {
  const Vec<float> zero = 0.f, turned = select(steep ^ left, -angle, angle);
  return turned + select(steep, Vec<float>(kHalfPiFloat), select(left, Vec<float>(2 * kHalfPiFloat), zero));
}

// The angle of (x, y) from that of the smaller of |x|, |y| over the larger, in [0, pi/4].
template <class T>
FD_INLINE Vec<T> vatan2(Vec<T> y, Vec<T> x) {
  const Vec<T> zero = T(0), one = T(1), inf = kInfinity<T>, ax = abs(x), ay = abs(y);
  const Mask<T> steep = ay > ax;
  const Vec<T> small = select(steep, ax, ay), large = select(steep, ay, ax);
  const Mask<T> both = (small == large) & (large == inf), none = (small == zero) & (large == zero);
  const Vec<T> ratio = select(both, one, small / select(none, one, large));
  const Mask<T> left = bits(x) < Vec<Int<T>>(Int<T>(0));
  return other_octants(atan_ratio(ratio), steep, left) | sign_bit(y);
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
