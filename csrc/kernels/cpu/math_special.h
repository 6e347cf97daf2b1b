// Vector tanh, sigmoid, softplus, erf, the normal distribution and what activations need of them. See math.h.
#pragma once

#include "kernels/cpu/math_trig.h"

namespace fd::FD_ISA {

template <class T>
struct TanhConstants;
template <>
struct TanhConstants<float> {
  static constexpr float kPoly[] = {-0x1.555532p-2f, 0x1.110726p-3f, -0x1.b83c5ap-5f, 0x1.52269cp-6f, -0x1.75e1ccp-8f};
};
template <>
struct TanhConstants<double> {
  static constexpr double kPoly[] = {-0x1.55555555554ffp-2,  0x1.111111110accdp-3,  -0x1.ba1ba1b50646cp-5,
                                     0x1.664f477ada1fp-6,    -0x1.226e162be871cp-7, 0x1.d6cf280d13a3p-9,
                                     -0x1.7d68a31fc3ac3p-10, 0x1.336612834ffccp-11, -0x1.df5576d5d2206p-13,
                                     0x1.43911b49780bbp-14,  -0x1.0da71cb6de973p-16};
};

// Below 0.625 by (tanh(x) / x - 1) / x^2 in x^2, else 1 - 2 / (e^2x + 1).
template <class T>
FD_INLINE Vec<T> vtanh(Vec<T> x) {
  const Vec<T> a = abs(x), z = x * x;
  const Vec<T> small = fma(polynomial(z, TanhConstants<T>::kPoly) * z, x, x);
  const Vec<T> large = Vec<T>(T(1)) - Vec<T>(T(2)) / (vexp(a + a) + T(1));
  return copysign(select(a < Vec<T>(T(0.625)), small, large), x);
}

// 1 / (1 + e^-x) and its complement sigmoid(-x), neither losing digits.
template <class T>
struct SigmoidPair {
  Vec<T> y, complement;
};
template <class T>
FD_INLINE SigmoidPair<T> sigmoid_pair(Vec<T> x) {
  const Vec<T> one = T(1), e = vexp(-abs(x)), large = one / (e + one), small = e * large;
  const Mask<T> negative = x < Vec<T>(T(0));
  return {select(negative, small, large), select(negative, large, small)};
}
template <class T>
FD_INLINE Vec<T> vsigmoid(Vec<T> x) {
  const Vec<T> one = T(1), e = vexp(-abs(x));
  return select(x < Vec<T>(T(0)), e, one) / (e + one);
}

// log(1 + e^x)
template <class T>
FD_INLINE Vec<T> vsoftplus(Vec<T> x) {
  return max(Vec<T>(T(0)), x) + vlog1p(vexp(-abs(x)));
}
template <class T>
FD_INLINE Vec<T> vlogsigmoid(Vec<T> x) {
  return -vsoftplus(-x);
}

// e^(-x^2 / 2), with what rounding x^2 loses.
FD_INLINE Vec<float> exp_half_square(Vec<float> x) {
  const Vec<float> square = min(Vec<float>(300.f), x * x), lost = fms(x, x, square);
  const Vec<float> e = vexp(square * -0.5f);
  return select(square < Vec<float>(300.f), fnma(e * 0.5f, lost, e), e * 0.f);
}

// e^(z^2) erfc(z) = t p(t) with t = 1 / (1 + 0.4 z), on 0 <= z <= 10.2
inline constexpr float kErfcPoly[] = {0x1.ce3eb8p-3f, 0x1.ccc16cp-3f,  0x1.b7b4eap-3f, 0x1.0bac8p-3f,
                                      0x1.139264p-2f, -0x1.1d8e76p-2f, 0x1.14e622p-1f, -0x1.f9b3a8p-2f,
                                      0x1.9135a6p-3f, -0x1.de8228p-6f};

// The normal density without its factor, e^(-x^2/2), and the distribution function.
template <class T>
struct Normal {
  Vec<T> bell, cdf;
};
FD_INLINE Normal<float> normal(Vec<float> x) {
  const Vec<float> bell = exp_half_square(x);
  const Vec<float> t = 1.f / fma(abs(x), Vec<float>(0.4f * 0x1.6a09e6p-1f), Vec<float>(1.f));
  const Vec<float> tail = bell * 0.5f * t * polynomial(t, kErfcPoly);
  return {bell, select(x < Vec<float>(0.f), tail, 1.f - tail)};
}
FD_INLINE Normal<double> normal(Vec<double> x) {
  const Vec<double> cdf = per_lane(x, [](double v) { return 0.5 * ::erfc(v * -0x1.6a09e667f3bcdp-1); });
  return {vexp(x * x * -0.5), cdf};
}

// Below 0.9 by erf(x) / x in x^2, else 1 - erfc.
FD_INLINE Vec<float> verf(Vec<float> x) {
  constexpr float kPoly[] = {0x1.20dd74p0f,   -0x1.8126fap-2f, 0x1.ce1dd2p-4f,
                             -0x1.b6bee2p-6f, 0x1.4876c8p-8f,  -0x1.3f4f6cp-11f};
  const Vec<float> a = min(abs(x), Vec<float>(4.f)), z = x * x;
  const Vec<float> t = 1.f / fma(a, Vec<float>(0.4f), Vec<float>(1.f));
  const Vec<float> large = fnma(vexp(a * -a) * t, polynomial(t, kErfcPoly), Vec<float>(1.f));
  const Vec<float> y = select(a < Vec<float>(0.9f), x * polynomial(z, kPoly), copysign(large, x));
  return select(is_nan(x), x, y);
}
FD_INLINE Vec<double> verf(Vec<double> x) {
  return per_lane(x, [](double v) { return ::erf(v); });
}

}  // namespace fd::FD_ISA
