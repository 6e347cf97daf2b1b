// Vector hyperbolic functions and their inverses. See math.h.
#pragma once

#include "kernels/cpu/math.h"

namespace fd::FD_ISA {

// e^r and e^-r are c + s and c - s, with c = cosh(r) and s = sinh(r), for r of the reduction of exp. Then
//   sinh(x) = s (2^n + 2^-n) / 2 + c (2^n - 2^-n) / 2,   cosh(x) = c (2^n + 2^-n) / 2 + s (2^n - 2^-n) / 2,
// and with n = 0 both are what they should be for a small x: no case apart, no division.
template <class T>
struct HyperbolicConstants;  // (sinh(r) / r - 1) / r^2 and (cosh(r) - 1) / r^2 in r^2, |r| <= ln(2)/2
template <>
struct HyperbolicConstants<float> {
  static constexpr float kSinh[] = {0x1.555556p-3f, 0x1.110fbep-7f, 0x1.a2e33ep-13f};
  static constexpr float kCosh[] = {0x1p-1f, 0x1.5554e6p-5f, 0x1.6d4f1p-10f};
};
template <>
struct HyperbolicConstants<double> {
  static constexpr double kSinh[] = {0x1.5555555555559p-3, 0x1.111111110f62ap-7, 0x1.a01a01b02053bp-13,
                                     0x1.71ddf7afbf313p-19, 0x1.af5ff3d18ccfp-26};
  static constexpr double kCosh[] = {0x1.000000000000cp-1, 0x1.555555554fd67p-5, 0x1.6c16c1863e163p-10,
                                     0x1.a01994ffdb6c2p-16, 0x1.28b1bd95f93abp-22};
};
template <class T>
struct HyperbolicParts {
  Vec<T> sinh, cosh_less_1, even, odd;  // even, odd: (2^n +- 2^-n) / 4, as 2^n itself may overflow
};
template <class T>
FD_INLINE HyperbolicParts<T> hyperbolic_parts(Vec<T> a) {
  using C = ExpConstants<T>;
  using H = HyperbolicConstants<T>;
  constexpr int kMantissa = LogConstants<T>::kMantissa;
  const Vec<T> x = min(Vec<T>(C::kHighest + T(0.5)), a), n = fma(x, Vec<T>(C::kLog2e), Vec<T>(C::kMagic));
  const Vec<T> whole = n - C::kMagic;
  const Vec<T> r = fnma(whole, Vec<T>(C::kLn2Low), fnma(whole, Vec<T>(C::kLn2High), x)), z = r * r;
  const Vec<Int<T>> k = shl<kMantissa>(bits(n)), quarter = bits(Vec<T>(T(0.25))), zero = Int<T>(0);
  const Vec<T> up = from_bits<T>(quarter + k), down = from_bits<T>(max(zero, quarter - k));
  return {fma(polynomial(z, H::kSinh) * z, r, r), polynomial(z, H::kCosh) * z, up + down, up - down};
}
template <class T>
FD_INLINE Vec<T> vsinh(Vec<T> x) {
  const HyperbolicParts<T> p = hyperbolic_parts(abs(x));
  const Vec<T> y = p.odd + fma(p.sinh, p.even, p.cosh_less_1 * p.odd);
  return (y + y) | sign_bit(x);
}
template <class T>
FD_INLINE Vec<T> vcosh(Vec<T> x) {
  const HyperbolicParts<T> p = hyperbolic_parts(abs(x));
  const Vec<T> y = p.even + fma(p.sinh, p.odd, p.cosh_less_1 * p.even);
  return y + y;
}

// Float: m / (m + 2) with m = e^2x - 1, which keeps the digits of a small x. From 10 on m + 2 is m.
FD_INLINE Vec<float> vtanh(Vec<float> x) {
  using C = ExpConstants<float>;
  const Vec<float> a = abs(x), twice = min(Vec<float>(20.f), a + a);
  const Vec<float> n = fma(twice, Vec<float>(C::kLog2e), Vec<float>(C::kMagic));
  const Vec<float> p = expm1_reduced(fnma(n - C::kMagic, Vec<float>(C::kLn2), twice));
  const Vec<float> scale = from_bits<float>(shl<23>(bits(n)) + bits(Vec<float>(1.f))), m = fma(p, scale, scale - 1.f);
  return m / (m + 2.f) | sign_bit(x);
}
// Double: below 0.625 by (tanh(x) / x - 1) / x^2 in x^2, else 1 - 2 / (e^2x + 1).
FD_INLINE Vec<double> vtanh(Vec<double> x) {
  constexpr double kPoly[] = {-0x1.55555555554ffp-2,  0x1.111111110accdp-3,  -0x1.ba1ba1b50646cp-5,
                              0x1.664f477ada1fp-6,    -0x1.226e162be871cp-7, 0x1.d6cf280d13a3p-9,
                              -0x1.7d68a31fc3ac3p-10, 0x1.336612834ffccp-11, -0x1.df5576d5d2206p-13,
                              0x1.43911b49780bbp-14,  -0x1.0da71cb6de973p-16};
  const Vec<double> a = abs(x), z = x * x;
  const Vec<double> small = fma(polynomial(z, kPoly) * z, x, x);
  const Vec<double> large = 1.0 - 2.0 / (vexp(a + a) + 1.0);
  return copysign(select(a < Vec<double>(0.625), small, large), x);
}

// ------------------------------------------------------------------------------------------------------- inverses

// From here on x^2 + 1 is x^2, and log(x + x) stands for both asinh and acosh.
template <class T>
inline constexpr T kHugeHyperbolic = T(0x1p60);

template <class T>
FD_INLINE Vec<T> vasinh(Vec<T> x) {
  const Vec<T> a = abs(x), one = T(1), zero = T(0), square = fma(a, a, one);
  const Mask<T> huge = a > Vec<T>(kHugeHyperbolic<T>);
  const Vec<T> u = fma(a, a / (sqrt(square) + one), a);
  const Vec<T> y = log1p_finite(select(huge, a, u), select(huge, one, zero));
  return select(a < Vec<T>(kInfinity<T>), y, a) | sign_bit(x);
}
template <class T>
FD_INLINE Vec<T> vacosh(Vec<T> x) {
  const Vec<T> one = T(1), zero = T(0), t = x - one;
  const Mask<T> huge = x > Vec<T>(kHugeHyperbolic<T>);
  const Vec<T> u = t + sqrt(fma(t, t, t + t));
  const Vec<T> y = log1p_finite(select(huge, t, u), select(huge, one, zero));
  const Vec<T> special = select(x >= one, x, Vec<T>(kNaN<T>));
  return select((x >= one) & (x < Vec<T>(kInfinity<T>)), y, special);
}
template <class T>
FD_INLINE Vec<T> vatanh(Vec<T> x) {
  const Vec<T> a = abs(x), one = T(1), zero = T(0);
  const Vec<T> y = log1p_finite((a + a) / (one - a), zero) * T(0.5);
  const Vec<T> special = select(a == one, Vec<T>(kInfinity<T>), Vec<T>(kNaN<T>));
  return select(a < one, y, special) | sign_bit(x);
}

}  // namespace fd::FD_ISA
