// Vector sigmoid, softplus, erf, the normal distribution and what activations need of them. See math.h.
#pragma once

#include "kernels/cpu/math_hyperbolic.h"
#include "kernels/cpu/math_trig.h"

namespace fd::FD_ISA {

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
  return max(Vec<T>(T(0)), x) + log1p_unit(vexp(-abs(x)));
}
template <class T>
FD_INLINE Vec<T> vlogsigmoid(Vec<T> x) {
  return -vsoftplus(-x);
}

// The normal density without its factor, e^(-x^2/2), and the distribution function.
template <class T>
struct Normal {
  Vec<T> bell, cdf;
};

// e^(a b) = p 2^n, with what rounding a b loses.
template <class T>
struct ScaledExp {
  Vec<T> p, n;
};
template <class T>
FD_INLINE ScaledExp<T> exp_product(Vec<T> a, Vec<T> b) {
  using C = ExpConstants<T>;
  const Vec<T> w = a * b, lost = fms(a, b, w);
  const Vec<T> n = fma(w, Vec<T>(C::kLog2e), Vec<T>(C::kMagic)) - C::kMagic;
  const Vec<T> r = fnma(n, Vec<T>(C::kLn2High), w) + fnma(n, Vec<T>(C::kLn2Low), lost);
  return {expm1_reduced(r) + T(1), n};
}

// p e^(a^2/2) Phi(-a) for 0 <= a: up to 14.5 in float and 39 in double, where Phi(-a) has gone.
FD_INLINE Vec<float> times_tail(Vec<float> p, Vec<float> a) {
  constexpr float kTop[] = {0x1p-1f, 0x1.c0d0c4p-2f, 0x1.774494p-3f, 0x1.4cded2p-5f, 0x1.0dc53ap-8f};
  constexpr float kBottom[] = {0x1p0f, 0x1.acaa92p0f, 0x1.33d78ap0f, 0x1.e0bdacp-2f, 0x1.a137bcp-4f, 0x1.521a64p-7f};
  return p * polynomial(a, kTop) / polynomial(a, kBottom);
}
// p e^(z^2) erfc(z)
FD_INLINE Vec<double> times_erfcx(Vec<double> p, Vec<double> z) {
  constexpr double kTop[] = {0x1p0,
                             0x1.2bc3a825ccea4p1,
                             0x1.5c032e57403bp1,
                             0x1.02cdb170c8376p1,
                             0x1.0e83226737be5p0,
                             0x1.9d61021fabff5p-2,
                             0x1.d306b3768937cp-4,
                             0x1.81abf6a3cc818p-6,
                             0x1.bf4d7cf3e32e8p-9,
                             0x1.4b4c5cd08b544p-12,
                             0x1.e1e3ef50f9914p-17};
  constexpr double kBottom[] = {0x1p0,
                                0x1.bc3262a7e1c5bp1,
                                0x1.689e0feec4b35p2,
                                0x1.6a5c5770f3307p2,
                                0x1.f5ee1b20e3bccp1,
                                0x1.f89293491d991p0,
                                0x1.78e29cdd0c68dp-1,
                                0x1.a40f1d243babfp-3,
                                0x1.581622a59c294p-5,
                                0x1.8d3eec7650f76p-8,
                                0x1.259affd2bfab1p-11,
                                0x1.ab1070d01c79ap-16};
  return p * polynomial(z, kTop) / polynomial(z, kBottom);
}
FD_INLINE Vec<double> times_tail(Vec<double> p, Vec<double> a) {
  return times_erfcx(p * 0.5, a * 0.70710678118654752440);
}

// e^(-x^2/2) = p 2^n, and the distribution function at -|x|, which is t 2^n.
template <class T>
struct NormalParts {
  Vec<T> p, t, n;
  Mask<T> seen;  // elsewhere both are 0 and the parts hold anything
};
template <class T>
FD_INLINE NormalParts<T> normal_parts(Vec<T> x) {
  const Vec<T> a = abs(x);
  const ScaledExp<T> e = exp_product(a, a * T(-0.5));
  return {e.p, times_tail(e.p, a), e.n, a < Vec<T>(sizeof(T) == 4 ? T(14.5) : T(39))};
}
template <class T>
FD_INLINE Normal<T> normal(Vec<T> x) {
  const NormalParts<T> a = normal_parts(x);
  const Vec<T> tail = scale2_where(a.seen, a.t, a.n), cdf = select(x > Vec<T>(T(0)), T(1) - tail, tail);
  return {scale2_where(a.seen, a.p, a.n), select(is_nan(x), x, cdf)};
}

// x Phi(x), as x for a positive x less what the tail takes.
template <class T>
FD_INLINE Vec<T> vgelu(Vec<T> x) {
  const NormalParts<T> a = normal_parts(x);
  return max(Vec<T>(T(0)), x) - scale2_where(a.seen, a.t * abs(x), a.n);
}

// Float: below 0.9 by erf(x) / x in x^2, else 1 - 2^q with q = log2(erfc(|x|)), of which 1 takes up all from 4 on.
FD_INLINE Vec<float> verf(Vec<float> x) {
  constexpr float kSmall[] = {0x1.20dd74p0f,   -0x1.8126fap-2f, 0x1.ce1dd2p-4f,
                              -0x1.b6bee2p-6f, 0x1.4876c8p-8f,  -0x1.3f4f6cp-11f};
  constexpr float kLog2Erfc[] = {-0x1.a199d6p-13f, -0x1.a092bp0f,   -0x1.d65c42p-1f, -0x1.34245ap-3f,
                                 0x1.08bf92p-5f,   -0x1.23e1f4p-8f, 0x1.2f35fp-12f};
  constexpr float kExp2[] = {0x1p0f, 0x1.62e42ap-1f, 0x1.ebf9bcp-3f, 0x1.c6b752p-5f, 0x1.3cea86p-7f, 0x1.5bba1cp-10f};
  const Vec<float> a = abs(x), q = polynomial(min(Vec<float>(4.f), a), kLog2Erfc);
  const Vec<float> n = q + ExpConstants<float>::kMagic, p = polynomial(q - (n - ExpConstants<float>::kMagic), kExp2);
  const Vec<float> scale = from_bits<float>(shl<23>(bits(n)) + bits(Vec<float>(1.f)));
  return select(a < Vec<float>(0.9f), x * polynomial(x * x, kSmall), fnma(p, scale, Vec<float>(1.f)) | sign_bit(x));
}
// Double: below 0.9 by erf(x) / x in x^2, else 1 - erfc, of which nothing is left from 6 on.
FD_INLINE Vec<double> verf(Vec<double> x) {
  constexpr double kSmall[] = {0x1.20dd750429b6dp0,   -0x1.812746b03792ap-2,  0x1.ce2f21a038adap-4,
                               -0x1.b82ce30f6447fp-6, 0x1.565bcc8fe1953p-8,   -0x1.c02d9ceb8fe7fp-11,
                               0x1.f9a087ed91433p-14, -0x1.f4a152d2bd8eap-17, 0x1.b796267eede72p-20,
                               -0x1.4ddb6034ad94p-23, 0x1.6095705a831efp-27};
  const Vec<double> a = abs(x), z = min(Vec<double>(6.0), a);
  const ScaledExp<double> e = exp_product(z, -z);
  const Vec<double> large = 1.0 - times_erfcx(e.p, z) * scale2(Vec<double>(1.0), e.n);
  return select(a < Vec<double>(0.9), x * polynomial(x * x, kSmall), large | sign_bit(x));
}

}  // namespace fd::FD_ISA
