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

// e^(-x^2/2) = p 2^n, and the distribution function at -|x|, which is t 2^n.
struct NormalParts {
  Vec<float> p, t, n;
  Mask<float> seen;  // elsewhere both are 0 and the parts hold anything
};
FD_INLINE NormalParts normal_parts(Vec<float> x) {
  // e^(a^2/2) Phi(-a) for 0 <= a <= 14.5
  constexpr float kTop[] = {0x1p-1f, 0x1.c0d0c4p-2f, 0x1.774494p-3f, 0x1.4cded2p-5f, 0x1.0dc53ap-8f};
  constexpr float kBottom[] = {0x1p0f, 0x1.acaa92p0f, 0x1.33d78ap0f, 0x1.e0bdacp-2f, 0x1.a137bcp-4f, 0x1.521a64p-7f};
  using C = ExpConstants<float>;
  const Vec<float> a = abs(x), half = a * -0.5f, w = a * half, lost = fms(a, half, w);
  const Vec<float> n = fma(w, Vec<float>(C::kLog2e), Vec<float>(C::kMagic)) - C::kMagic;
  const Vec<float> r = fnma(n, Vec<float>(C::kLn2High), w) + fnma(n, Vec<float>(C::kLn2Low), lost);
  const Vec<float> p = expm1_reduced(r) + 1.f;
  return {p, p * polynomial(a, kTop) / polynomial(a, kBottom), n, a < Vec<float>(14.5f)};
}
FD_INLINE Normal<float> normal(Vec<float> x) {
  const NormalParts a = normal_parts(x);
  const Vec<float> tail = scale2_where(a.seen, a.t, a.n), cdf = select(x > Vec<float>(0.f), 1.f - tail, tail);
  return {scale2_where(a.seen, a.p, a.n), select(is_nan(x), x, cdf)};
}
FD_INLINE Normal<double> normal(Vec<double> x) {
  const Vec<double> cdf = per_lane(x, [](double v) { return 0.5 * ::erfc(v * -0x1.6a09e667f3bcdp-1); });
  return {vexp(x * x * -0.5), cdf};
}

// x Phi(x), as x for a positive x less what the tail takes.
FD_INLINE Vec<float> vgelu(Vec<float> x) {
  const NormalParts a = normal_parts(x);
  return max(Vec<float>(0.f), x) - scale2_where(a.seen, a.t * abs(x), a.n);
}
FD_INLINE Vec<double> vgelu(Vec<double> x) { return x * normal(x).cdf; }

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
FD_INLINE Vec<double> verf(Vec<double> x) {
  return per_lane(x, [](double v) { return ::erf(v); });
}

}  // namespace fd::FD_ISA
