// Vector exponentials and logarithms: exp, exp2, expm1, log, log2, log10, log1p, pow. Written once over Vec<T>, so
// each ISA and both precisions share one algorithm; math_trig.h and math_special.h hold the rest.
// Coefficients are minimax fits (Remez exchange in 60 digits) of the functions named beside them. Range reduction of
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
  static constexpr float kLog2e = 0x1.715476p0f, kLog2eLow = 0x1.4ae0cp-26f;
  static constexpr float kSmallest = 0x1p-126f, kLift = 0x1p24f, kLiftBits = 24.f;
  static constexpr int kMantissa = 23;
  static constexpr int32_t kRoot = 0x3F3504F3;  // sqrt(1/2)
};
template <>
struct LogConstants<double> {
  static constexpr double kLn2High = 0x1.62e42fefap-1, kLn2Low = 0x1.cf79abc9e3b3ap-40;
  static constexpr double kLog2e = 0x1.71547652b82fep0, kLog2eLow = 0x1.777d0ffda0d24p-56;
  static constexpr double kSmallest = 0x1p-1022, kLift = 0x1p54, kLiftBits = 54.0;
  static constexpr int kMantissa = 52;
  static constexpr int64_t kRoot = 0x3FE6A09E667F3BCD;
};

// log(1 + f) - f for sqrt(1/2) - 1 <= f <= sqrt(2) - 1.
FD_INLINE Vec<float> log1p_rest(Vec<float> f) {
  // (log(1 + f) - f + f^2/2) / f^3
  constexpr float kPoly[] = {0x1.555548p-2f,  -0x1.000006p-2f, 0x1.99a4b6p-3f,  -0x1.555c4ep-3f, 0x1.233768p-3f,
                             -0x1.fc2208p-4f, 0x1.e6f06ap-4f,  -0x1.de3c12p-4f, 0x1.1457a4p-4f};
  return f * f * fma(polynomial(f, kPoly), f, Vec<float>(-0.5f));
}
FD_INLINE Vec<double> log1p_rest(Vec<double> f) {
  // (log((1 + s) / (1 - s)) / s - 2) / s^2 in z = s^2
  constexpr double kPoly[] = {0x1.5555555555592p-1, 0x1.999999997fdb7p-2, 0x1.24924941f1251p-2, 0x1.c71c52095cb01p-3,
                              0x1.74663ee88c0cbp-3, 0x1.39a1bab3ca049p-3, 0x1.2f0563abf1063p-3};
  const Vec<double> s = f / (f + 2.0), z = s * s, half = f * f * 0.5;
  return fms(s, fma(polynomial(z, kPoly), z, half), half);
}

// x = 2^e (1 + f), for positive finite x.
template <class T>
struct LogReduced {
  Vec<T> e, f;
};
template <class T>
FD_INLINE LogReduced<T> reduce_log(Vec<T> x) {
  using C = LogConstants<T>;
  const Mask<T> tiny = x < Vec<T>(C::kSmallest);
  const Vec<Int<T>> i = bits(select(tiny, x * C::kLift, x)) - Vec<Int<T>>(C::kRoot);
  const Vec<Int<T>> k = shr<C::kMantissa>(i);
  const Vec<T> e = to_float<T>(k) - select(tiny, Vec<T>(C::kLiftBits), Vec<T>(T(0)));
  return {e, from_bits<T>(i - shl<C::kMantissa>(k) + Vec<Int<T>>(C::kRoot)) - T(1)};
}
template <class T>
FD_INLINE Vec<T> join_log(LogReduced<T> a) {
  using C = LogConstants<T>;
  return fma(a.e, Vec<T>(C::kLn2High), a.f + fma(a.e, Vec<T>(C::kLn2Low), log1p_rest(a.f)));
}

// The logarithm of what is not positive and finite: -inf at 0, NaN below, x itself for infinity and NaN.
template <class T>
FD_INLINE Vec<T> log_edges(Vec<T> x, Vec<T> y) {
  const Vec<T> zero = T(0), inf = kInfinity<T>;
  const Vec<T> special = select(x == zero, -inf, select(x < zero, Vec<T>(kNaN<T>), x));
  return select((x > zero) & (x < inf), y, special);
}

template <class T>
FD_INLINE Vec<T> vlog(Vec<T> x) {
  return log_edges(x, join_log(reduce_log(x)));
}

template <class T>
FD_INLINE Vec<T> vlog2(Vec<T> x) {
  using C = LogConstants<T>;
  const LogReduced<T> a = reduce_log(x);
  const Vec<T> rest = log1p_rest(a.f), y = a.f + rest, lost = (a.f - y) + rest;
  return log_edges(x, fma(y, Vec<T>(C::kLog2e), fma(y, Vec<T>(C::kLog2eLow), lost * C::kLog2e)) + a.e);
}

FD_INLINE Vec<double> vlog10(Vec<double> x) {
  constexpr double kLog10e = 0x1.bcb7b1526e50ep-2, kLog10eLow = 0x1.95355baaafad3p-57;
  constexpr double kLog10of2 = 0x1.34413509f6p-2, kLog10of2Low = 0x1.9fef311f12b36p-42;
  const LogReduced<double> a = reduce_log(x);
  const Vec<double> rest = log1p_rest(a.f), y = a.f + rest, lost = (a.f - y) + rest;
  const Vec<double> small = fma(y, Vec<double>(kLog10eLow), fma(a.e, Vec<double>(kLog10of2Low), lost * kLog10e));
  return log_edges(x, fma(a.e, Vec<double>(kLog10of2), fma(y, Vec<double>(kLog10e), small)));
}
FD_INLINE Vec<float> vlog10(Vec<float> x) {
  return by_double(x, [](Vec<double> v) { return vlog10(v); });
}

// log(1 + x): what 1 + x rounds away goes back into f, which is x itself where the exponent is 0.
template <class T>
FD_INLINE Vec<T> vlog1p(Vec<T> x) {
  const Vec<T> one = T(1), u = one + x;
  LogReduced<T> a = reduce_log(u);
  const Vec<T> lost = select(abs(x) < one, x - (u - one), one - (u - x));
  a.f = select(a.e == Vec<T>(T(0)), x, a.f + scale2(lost, -a.e));
  const Vec<T> y = select(x == Vec<T>(T(0)), x, join_log(a));
  return log_edges(u, y);
}

// ------------------------------------------------------------------------------------------------------------- pow

// x^y by e^(y log x) in double, where 2^-52 of the logarithm times at most 150 is far below half a float.
FD_INLINE Vec<float> vpow(Vec<float> x, Vec<float> y) {
  const Vec<float> zero = 0.f, one = 1.f, inf = kInfinity<float>, a = abs(x);
  const Vec<float> size = by_double(a, y, [](Vec<double> u, Vec<double> v) { return vexp2(v * vlog2(u)); });
  const Mask<float> whole = floor(y) == y;
  const Vec<float> half = y * 0.5f;
  const Mask<float> odd = whole & (floor(half) != half) & (abs(y) < inf);
  Vec<float> p = select(odd, size | sign_bit(x), size);
  p = select((x < zero) & ~whole & (a < inf), Vec<float>(kNaN<float>), p);
  p = select((a == one) & (abs(y) == inf), one, p);  // 0 * inf in the exponent
  return select((x == one) | (y == zero), one, p);
}

}  // namespace fd::FD_ISA
