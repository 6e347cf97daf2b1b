// Vector exp and log. Written once over Vec<T>, so each ISA and both precisions share one algorithm.
// Coefficients are minimax fits (Remez exchange in 60 digits) of the functions named beside them.
#pragma once

#include "kernels/cpu/simd.h"

namespace fd::FD_ISA {

// c[0] + c[1] x + ... by Horner's rule.
template <class T, int N>
FD_INLINE Vec<T> polynomial(Vec<T> x, const T (&c)[N]) {
  Vec<T> p = c[N - 1];
  for (int i = N - 2; i >= 0; i--) p = fma(p, x, Vec<T>(c[i]));
  return p;
}

template <class T>
struct ExpConstants;
template <>
struct ExpConstants<float> {
  static constexpr float kLog2e = 0x1.715476p0f, kLn2High = 0x1.62e4p-1f, kLn2Low = 0x1.7f7d1cp-20f;
  static constexpr float kMagic = 0x1.8p23f;
  static constexpr float kLowest = -104.f, kHighest = 89.f;  // beyond: 0 and inf
  // (e^r - 1 - r) / r^2 on |r| <= ln(2)/2
  static constexpr float kPoly[] = {0x1.fffffcp-2f, 0x1.555492p-3f, 0x1.5558f2p-5f, 0x1.1239e2p-7f, 0x1.6a2434p-10f};
};
template <>
struct ExpConstants<double> {
  static constexpr double kLog2e = 0x1.71547652b82fep0, kLn2High = 0x1.62e42fefap-1, kLn2Low = 0x1.cf79abc9e3b3ap-40;
  static constexpr double kMagic = 0x1.8p52;
  static constexpr double kLowest = -746.0, kHighest = 710.0;
  static constexpr double kPoly[] = {0x1.000000000000ap-1,  0x1.55555555554fap-3,  0x1.555555555087cp-5,
                                     0x1.1111111127be6p-7,  0x1.6c16c1842a198p-10, 0x1.a01a012a57713p-13,
                                     0x1.a0199a0c53efap-16, 0x1.71df2552a3075p-19, 0x1.28ad72dd1dd64p-22,
                                     0x1.ad7f6e8eaa133p-26};
};

// e^x = 2^n e^r with n = round(x / ln 2), so |r| <= ln(2)/2.
template <class T>
FD_INLINE Vec<T> vexp(Vec<T> x) {
  using C = ExpConstants<T>;
  x = max(Vec<T>(C::kLowest), min(Vec<T>(C::kHighest), x));  // in this order both keep NaN
  const Vec<T> n = fma(x, Vec<T>(C::kLog2e), Vec<T>(C::kMagic)) - C::kMagic;
  const Vec<T> r = fnma(n, Vec<T>(C::kLn2Low), fnma(n, Vec<T>(C::kLn2High), x));
  const Vec<T> p = fma(polynomial(r, C::kPoly), r * r, r) + T(1);
  return scale2(p, n);
}

template <class T>
struct LogConstants;
template <>
struct LogConstants<float> {
  static constexpr float kLn2High = 0x1.62e4p-1f, kLn2Low = 0x1.7f7d1cp-20f;
  static constexpr float kSmallest = 0x1p-126f, kLift = 0x1p24f, kLiftBits = 24.f;
  static constexpr int kMantissa = 23, kBias = 127;
  static constexpr int32_t kRoot = 0x3F3504F3;  // sqrt(1/2)
};
template <>
struct LogConstants<double> {
  static constexpr double kLn2High = 0x1.62e42fefap-1, kLn2Low = 0x1.cf79abc9e3b3ap-40;
  static constexpr double kSmallest = 0x1p-1022, kLift = 0x1p54, kLiftBits = 54.0;
  static constexpr int kMantissa = 52, kBias = 1023;
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

// x = 2^e (1 + f), log x = e ln 2 + log(1 + f).
template <class T>
FD_INLINE Vec<T> vlog(Vec<T> x) {
  using C = LogConstants<T>;
  const Vec<T> inf = T(__builtin_inf()), nan = T(__builtin_nan(""));
  const Mask<T> tiny = x < Vec<T>(C::kSmallest);
  const Vec<Int<T>> i = bits(select(tiny, x * C::kLift, x)) - Vec<Int<T>>(C::kRoot);
  const Vec<Int<T>> k = shr<C::kMantissa>(i);
  const Vec<T> e = to_float<T>(k) - select(tiny, Vec<T>(C::kLiftBits), Vec<T>(T(0)));
  const Vec<Int<T>> mantissa = i - shl<C::kMantissa>(k) + Vec<Int<T>>(C::kRoot);
  const Vec<T> f = from_bits<T>(mantissa) - T(1);
  const Vec<T> y = fma(e, Vec<T>(C::kLn2High), f + fma(e, Vec<T>(C::kLn2Low), log1p_rest(f)));
  const Vec<T> special = select(x == Vec<T>(T(0)), -inf, select(x < Vec<T>(T(0)), nan, x));  // NaN and inf stay
  return select((x > Vec<T>(T(0))) & (x < inf), y, special);
}

}  // namespace fd::FD_ISA
