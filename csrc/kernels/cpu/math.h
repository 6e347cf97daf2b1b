// Vector exponentials and logarithms: exp, exp2, expm1, log, log2, log10, log1p, pow. Written once over Vec, so that
// each ISA shares one algorithm; math_trig.h, math_hyperbolic.h and math_special.h hold the rest.
// Coefficients are minimax fits of the functions named beside them (scripts/minimax.py). Range reduction of
// exp and log follows Muller, "Elementary Functions" (3rd ed., 2016), chapters 11 and 12.
// Every function keeps NaN, is exact at 0 and infinity and neither reads nor writes denormals as 0.
// docs/kernels/elementwise.md lists the largest errors, over all 2^32 floats.
#pragma once

#include "kernels/cpu/simd.h"

namespace fd::FD_ISA {

// c[0] + c[1] x + ... by Horner's rule.
template <class T, int N>
FD_INLINE Vec<T> polynomial(Vec<T> x, const T (&c)[N]) {
  Vec<T> p = c[N - 1];
#pragma GCC unroll 16
  for (int i = N - 2; i >= 0; i--) p = fma(p, x, Vec<T>(c[i]));
  return p;
}

// A float function where a double one is at hand and speed matters little: rounded once.
template <class F>
FD_INLINE Vec<float> by_double(Vec<float> x, F f) {
  return narrow(f(widen_lo(x)), f(widen_hi(x)));
}
template <class F>
FD_INLINE Vec<float> by_double(Vec<float> a, Vec<float> b, F f) {
  return narrow(f(widen_lo(a), widen_lo(b)), f(widen_hi(a), widen_hi(b)));
}

// From the estimate r of 1 / sqrt(x), with 1 - x r^2 = e: r (1 + e/2 + 3 e^2 / 8), by which e^3 is left.
template <class T>
FD_INLINE Vec<T> vrsqrt(Vec<T> x) {
#if defined(FD_ISA_AVX512) || defined(FD_ISA_AVX2)
  if constexpr (sizeof(T) == 4) {
    const Vec<float> r = rsqrt_estimate(x), e = fnma(x * r, r, Vec<float>(1.f));
    const Vec<float> y = fma(r * e, fma(e, Vec<float>(0.375f), Vec<float>(0.5f)), r);
    const Mask<float> normal = (Vec<float>(0x1p-126f) <= x) & (x < Vec<float>(T(__builtin_inf())));
    if (all(normal)) [[likely]]
      return y;
    return select(normal, y, Vec<float>(1.f) / sqrt(x));
  }
#endif
  return Vec<T>(T(1)) / sqrt(x);
}

template <class T>
inline constexpr T kInfinity = T(__builtin_inf());
template <class T>
inline constexpr T kNaN = T(__builtin_nan(""));

// ------------------------------------------------------------------------------------------------------------- exp

template <class T>
struct ExpConstants;
template <>
struct ExpConstants<float> {
  static constexpr float kLog2e = 0x1.715476p0f, kLn2 = 0x1.62e43p-1f, kLn2High = 0x1.62e4p-1f,
                         kLn2Low = 0x1.7f7d1cp-20f;
  static constexpr float kMagic = 0x1.8p23f;                 // adding it rounds to an integer
  static constexpr float kLowest = -104.f, kHighest = 89.f;  // beyond: 0 and infinity
  static constexpr float kLowest2 = -151.f, kHighest2 = 129.f;
  static constexpr float kLowestM1 = -18.f;  // e^x - 1 is -1 below
  // (e^r - 1 - r) / r^2 on |r| <= ln(2)/2
  static constexpr float kPoly[] = {0x1.fffffcp-2f, 0x1.555492p-3f, 0x1.5558f2p-5f, 0x1.1239e2p-7f, 0x1.6a2434p-10f};
};
template <>
struct ExpConstants<double> {
  static constexpr double kLog2e = 0x1.71547652b82fep0, kLn2 = 0x1.62e42fefa39efp-1;
  static constexpr double kLn2High = 0x1.62e42fefap-1, kLn2Low = 0x1.cf79abc9e3b3ap-40;
  static constexpr double kMagic = 0x1.8p52;
  static constexpr double kLowest = -746.0, kHighest = 710.0;
  static constexpr double kLowest2 = -1076.0, kHighest2 = 1025.0;
  static constexpr double kLowestM1 = -38.0;
  static constexpr double kPoly[] = {0x1.000000000000ap-1,  0x1.55555555554fap-3,  0x1.555555555087cp-5,
                                     0x1.1111111127be6p-7,  0x1.6c16c1842a198p-10, 0x1.a01a012a57713p-13,
                                     0x1.a0199a0c53efap-16, 0x1.71df2552a3075p-19, 0x1.28ad72dd1dd64p-22,
                                     0x1.ad7f6e8eaa133p-26};
};

// In this order NaN stays.
template <class T>
FD_INLINE Vec<T> limit(Vec<T> x, T low, T high) {
  return max(Vec<T>(low), min(Vec<T>(high), x));
}

// x = n ln 2 + r with integral n and |r| <= ln(2)/2.
template <class T>
struct ExpReduced {
  Vec<T> n, r;
};
template <class T>
FD_INLINE ExpReduced<T> reduce_exp(Vec<T> x) {
  using C = ExpConstants<T>;
  const Vec<T> n = fma(x, Vec<T>(C::kLog2e), Vec<T>(C::kMagic)) - C::kMagic;
  return {n, fnma(n, Vec<T>(C::kLn2Low), fnma(n, Vec<T>(C::kLn2High), x))};
}
// e^r - 1
template <class T>
FD_INLINE Vec<T> expm1_reduced(Vec<T> r) {
  return fma(polynomial(r, ExpConstants<T>::kPoly), r * r, r);
}

// What underflows to 0 is chosen, not computed: a product that underflows costs 30 times one that does not (measured),
// and the -inf of a masked score is common.
template <class T>
FD_INLINE Vec<T> vexp(Vec<T> x) {
  using C = ExpConstants<T>;
  const Vec<T> zero = T(0);
  const Mask<T> gone = x < Vec<T>(C::kLowest);
  const ExpReduced<T> e = reduce_exp(select(gone, zero, min(Vec<T>(C::kHighest), x)));
  return select(gone, zero, scale2(expm1_reduced(e.r) + T(1), e.n));
}

template <class T>
FD_INLINE Vec<T> vexp2(Vec<T> x) {
  using C = ExpConstants<T>;
  const Vec<T> zero = T(0);
  const Mask<T> gone = x < Vec<T>(C::kLowest2);
  x = select(gone, zero, min(Vec<T>(C::kHighest2), x));
  const Vec<T> n = round(x);
  return select(gone, zero, scale2(expm1_reduced((x - n) * C::kLn2) + T(1), n));
}

// e^x - 1 = 2^n (e^r - 1) + (2^n - 1), with half of 2^n because 2^n itself may overflow where the result does not.
template <class T>
FD_INLINE Vec<T> vexpm1(Vec<T> x) {
  using C = ExpConstants<T>;
  const ExpReduced<T> e = reduce_exp(limit(x, C::kLowestM1, C::kHighest));
  const Vec<T> half = scale2(Vec<T>(T(0.5)), e.n);
  const Vec<T> y = fma(expm1_reduced(e.r), half, half - T(0.5));
  return select(x == Vec<T>(T(0)), x, y + y);
}

// ------------------------------------------------------------------------------------------------------------- log

template <class T>
struct LogConstants;
template <>
struct LogConstants<float> {
  static constexpr float kLn2High = 0x1.62e4p-1f, kLn2Low = 0x1.7f7d1cp-20f;
  static constexpr int kMantissa = 23;
};
template <>
struct LogConstants<double> {
  static constexpr double kLn2High = 0x1.62e42fefap-1, kLn2Low = 0x1.cf79abc9e3b3ap-40;
  static constexpr double kLog2e = 0x1.71547652b82fep0, kLog2eLow = 0x1.777d0ffda0d24p-56;
  static constexpr int kMantissa = 52;
};

// log(1 + f) - f for -1/4 <= f < 1/2.
FD_INLINE Vec<float> log1p_rest(Vec<float> f) {
  // (log(1 + f) - f) / f^2
  constexpr float kPoly[] = {-0x1p-1f,       0x1.5555acp-2f,  -0x1.000082p-2f, 0x1.99673ep-3f, -0x1.54d7ep-3f,
                             0x1.287498p-3f, -0x1.0e73fap-3f, 0x1.b16d66p-4f,  -0x1.788834p-5f};
  return f * f * polynomial(f, kPoly);
}
FD_INLINE Vec<double> log1p_rest(Vec<double> f) {
  // (log((1 + s) / (1 - s)) / s - 2) / s^2 in z = s^2
  constexpr double kPoly[] = {0x1.555555555578p-1,  0x1.99999998ee0edp-2, 0x1.249249b405c9cp-2, 0x1.c71c00309703bp-3,
                              0x1.747513de5abc1p-3, 0x1.384f019c3f645p-3, 0x1.3adbec86a7cdp-3};
  const Vec<double> s = f / (f + 2.0), z = s * s, half = f * f * 0.5;
  return fms(s, fma(polynomial(z, kPoly), z, half), half);
}

// e ln 2 + log(1 + f)
template <class T>
FD_INLINE Vec<T> join_log(Vec<T> e, Vec<T> f) {
  using C = LogConstants<T>;
  return fma(e, Vec<T>(C::kLn2High), f + fma(e, Vec<T>(C::kLn2Low), log1p_rest(f)));
}

// What split makes of 0, infinity and the rest passes through these sums as it should.
template <class T>
FD_INLINE Vec<T> vlog(Vec<T> x) {
  const Parts<T> a = split(x);
  return join_log(a.e, a.m - T(1));
}

FD_INLINE Vec<float> vlog2(Vec<float> x) {
  // log2(1 + f) / f
  constexpr float kPoly[] = {0x1.715476p0f,   -0x1.715476p-1f, 0x1.ec714p-2f,   -0x1.7154cp-2f, 0x1.274e26p-2f,
                             -0x1.ebd2d8p-3f, 0x1.ac3d24p-3f,  -0x1.85b08ap-3f, 0x1.349088p-3f, -0x1.078d52p-4f};
  const Parts<float> a = split(x);
  const Vec<float> f = a.m - 1.f;
  return fma(f, polynomial(f, kPoly), a.e);
}
FD_INLINE Vec<double> vlog2(Vec<double> x) {
  using C = LogConstants<double>;
  const Parts<double> a = split(x);
  const Vec<double> f = a.m - 1.0, rest = log1p_rest(f), y = f + rest, lost = (f - y) + rest;
  return fma(y, Vec<double>(C::kLog2e), fma(y, Vec<double>(C::kLog2eLow), lost * C::kLog2e)) + a.e;
}

FD_INLINE Vec<float> vlog10(Vec<float> x) {
  // log10(1 + f) / f, whose first coefficient has a second part
  constexpr float kPoly[] = {0x1.bcb7b2p-2f,  -0x1.bcb7b2p-3f, 0x1.287ad8p-3f,  -0x1.bcb80ap-4f, 0x1.63953ep-4f,
                             -0x1.281b7ap-4f, 0x1.01d352p-4f,  -0x1.d53ba8p-5f, 0x1.738c7cp-5f,  -0x1.3d592ap-6f};
  constexpr float kLow = -0x1.5b235ep-27f, kLog10of2 = 0x1.344134p-2f, kLog10of2Low = 0x1.09f7ap-26f;
  const Parts<float> a = split(x);
  const Vec<float> f = a.m - 1.f;
  const Vec<float> y = fma(f, polynomial(f, kPoly), fma(a.e, Vec<float>(kLog10of2Low), f * kLow));
  return fma(a.e, Vec<float>(kLog10of2), y);
}
FD_INLINE Vec<double> vlog10(Vec<double> x) {
  constexpr double kLog10e = 0x1.bcb7b1526e50ep-2, kLog10eLow = 0x1.95355baaafad3p-57;
  constexpr double kLog10of2 = 0x1.34413509f6p-2, kLog10of2Low = 0x1.9fef311f12b36p-42;
  const Parts<double> a = split(x);
  const Vec<double> f = a.m - 1.0, rest = log1p_rest(f), y = f + rest, lost = (f - y) + rest;
  const Vec<double> small = fma(y, Vec<double>(kLog10eLow), fma(a.e, Vec<double>(kLog10of2Low), lost * kLog10e));
  return fma(a.e, Vec<double>(kLog10of2), fma(y, Vec<double>(kLog10e), small));
}

// log(1 + u) 2^extra, for u >= -1 + epsilon and finite: with e the exponent of 1 + u in the sense of split,
// f = u 2^-e + (2^-e - 1) rounds once, so that what 1 + u rounds away is not missed. A quarter keeps 2^-e normal.
template <class T>
FD_INLINE Vec<T> log1p_finite(Vec<T> u, Vec<T> extra) {
  constexpr int kMantissa = LogConstants<T>::kMantissa;
  const Vec<Int<T>> k = shr<kMantissa>(bits(u + T(1)) - bits(Vec<T>(T(0.75))));
  const Vec<T> scale = from_bits<T>(bits(Vec<T>(T(4))) - shl<kMantissa>(k));
  const Vec<T> f = fma(u * scale, Vec<T>(T(0.25)), fms(scale, Vec<T>(T(0.25)), Vec<T>(T(1))));
  return join_log(to_float<T>(k) + extra, f);
}
// The same for 0 <= u <= 1: one of two exponents.
template <class T>
FD_INLINE Vec<T> log1p_unit(Vec<T> u) {
  using C = LogConstants<T>;
  const Mask<T> upper = u >= Vec<T>(T(0.5));
  const Vec<T> f = select(upper, fms(u, Vec<T>(T(0.5)), Vec<T>(T(0.5))), u), zero = T(0);
  const Vec<T> rest = log1p_rest(f) + select(upper, Vec<T>(C::kLn2Low), zero);
  return select(upper, Vec<T>(C::kLn2High), zero) + (f + rest);
}

template <class T>
FD_INLINE Vec<T> vlog1p(Vec<T> x) {
  const Vec<T> zero = T(0), minus_one = T(-1), inf = kInfinity<T>;
  const Vec<T> special = select(x == minus_one, -inf, select(x < minus_one, Vec<T>(kNaN<T>), x));
  return select((x > minus_one) & (x < inf) & (x != zero), log1p_finite(x, zero), special);
}

// ------------------------------------------------------------------------------------------------------------- pow

// log2(m 2^e) in double, to 2^-35 of itself: what y log2(x) needs where 2 to it is to be right in float.
FD_INLINE Vec<double> log2_for_pow(Vec<double> m, Vec<double> e) {
  // log2(1 + f) / f
  constexpr double kPoly[] = {0x1.71547652d0057p0,  -0x1.715476560b734p-1, 0x1.ec709ccd9c0c4p-2, -0x1.71546f289b2a4p-2,
                              0x1.277724560b7b2p-2, -0x1.ec75767da5ad4p-3, 0x1.a60123a434c78p-3, -0x1.70a5c107a97dep-3,
                              0x1.48b5d2071198p-3,  -0x1.3193fde02dcdfp-3, 0x1.1c3f995b9c4d7p-3, -0x1.a1f5ecc525abfp-4,
                              0x1.3736d8705df99p-5};
  const Vec<double> f = m - 1.0;
  return fma(f, polynomial(f, kPoly), e);
}

// 2^(y log2 |x|): the product in double, its whole part and the rest apart; the rest is small enough for float.
FD_INLINE Vec<float> pow_size(Vec<float> x, Vec<float> y) {
  const Parts<float> a = split(x);
  // Beyond these ends the result is 0 or infinity; a product with NaN is NaN, which limit keeps.
  const Vec<double> lo = limit(widen_lo(y) * log2_for_pow(widen_lo(a.m), widen_lo(a.e)), -200.0, 200.0);
  const Vec<double> hi = limit(widen_hi(y) * log2_for_pow(widen_hi(a.m), widen_hi(a.e)), -200.0, 200.0);
  const Vec<double> n_lo = round(lo), n_hi = round(hi);
  const Vec<float> r = narrow(lo - n_lo, hi - n_hi) * ExpConstants<float>::kLn2;
  return scale2(expm1_reduced(r) + 1.f, narrow(n_lo, n_hi));
}

FD_INLINE Vec<float> vpow(Vec<float> x, Vec<float> y) {
  const Vec<float> zero = 0.f, one = 1.f, inf = kInfinity<float>, a = abs(x);
  const Vec<float> size = pow_size(a, y), half = y * 0.5f;
  const Mask<float> whole = floor(y) == y;
  const Mask<float> odd = whole & (floor(half) != half) & (abs(y) < inf);
  Vec<float> p = select(odd, size | sign_bit(x), size);
  p = select((x < zero) & ~whole & (a < inf), Vec<float>(kNaN<float>), p);
  p = select((a == one) & (abs(y) == inf), one, p);  // 0 * inf in the exponent
  return select((x == one) | (y == zero), one, p);
}

}  // namespace fd::FD_ISA
