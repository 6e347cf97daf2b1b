// One vector type for every kernel of this folder. Vec<T> holds kLanes values of T in one register; Mask<T> is what
// comparing two of them gives. Kernels are written once over Vec and compiled once per ISA.
//
// Each simd_<isa>.h supplies, for T = float, double, int32_t, uint32_t, int64_t, uint8_t:
//   Vec<T>(x)              broadcast (implicit, so that x * 2.f reads as it should)
//   Vec<T>::load(p), load(p, n)     n in [0, kLanes]: the first n lanes, 0 in the rest; reads nothing beyond
//   v.store(p), v.store(p, n)       writes nothing beyond n
//   v.stream(p)            non-temporal, p aligned to sizeof(Vec<T>); call stream_fence() once after the last
//   Vec<T>::iota()         0, 1, 2, ...
//   + - * & | ^ ~  == != < <= > >=  -x    (float, double: also /; integers wrap; uint8_t and uint32_t compare unsigned)
//   min, max(a, b)         of two numbers; if either is NaN: b
//   select(m, a, b)        m ? a : b, lane by lane
//   abs(x)                 signed types
// for integers of 32 and 64 bits: shl<k>, shr<k>, logical for uint32_t, arithmetic for the others, and the same with
//   a count per lane: shl(x, n), shr(x, n), n in [0, bits)
// for float and double (Int<T> is the integer of the same width):
//   fma(a, b, c) = a b + c     fnma(a, b, c) = c - a b      fms(a, b, c) = a b - c
//   sqrt, floor, ceil, trunc, round (half to even)
//   bits(x), from_bits<T>(i)   reinterpretation from and to Int<T>
//   to_int(x)              rounded to Int<T>, |x| < 2^31 (float), 2^51 (double)
//   to_float<T>(i)         the way back, same range for double
//   scale2(x, n)           x 2^n for integral n in [-2200, 2200] (double), [-300, 300] (float); rounds once
//   scale2_where(m, x, n)  m ? x 2^n : 0, whatever x and n hold where m is not
//   split(x)               {m, e}: x = m 2^e with m in [3/4, 3/2) and integral e; {1, -inf} of 0, {1, inf} of infinity,
//                          m is NaN of NaN and below 0
//   rsqrt_estimate(x)      float, x86 only: 1 / sqrt(x) within 2^-11
//   hsum, hmin, hmax(x)    over lanes, in a fixed order
//   load_u8(p[, n]), load_i32(p[, n])   as static members: conversion while loading
//   Vec<double>: widen_lo(f), widen_hi(f), narrow(lo, hi)
//   Vec<float>: load_f16, load_bf16(p[, n]), store_f16, store_bf16(p[, n])   p is uint16_t*; rounds half to even
// for uint8_t, int32_t, int64_t: sum_wide(x) gives a Vec<int64_t> of the same total
// for uint32_t: mul_wide(a, b, hi) gives the low words of the products and sets hi to the high ones
// for masks: & | ^ ~, any(m), all(m), mask_bits(m) (bit i = lane i), first_lanes<T>(n), store_bool(p, m[, n]) as bytes
//   0 and 1, load_bool<T>(p[, n]).
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FD_INLINE inline __attribute__((always_inline))

namespace fd::FD_ISA {

template <class T>
struct Vec;

// A mask is known by the width of its lanes, so that a comparison of floats may select between integers.
template <int Bytes>
struct LaneMask;
template <class T>
using Mask = LaneMask<int(sizeof(T))>;

template <class T>
struct IntOf;
template <>
struct IntOf<float> {
  using type = int32_t;
};
template <>
struct IntOf<double> {
  using type = int64_t;
};
template <class T>
using Int = typename IntOf<T>::type;

FD_INLINE void copy_bytes(void* to, const void* from, size_t bytes) { __builtin_memcpy(to, from, bytes); }

FD_INLINE void prefetch(const void* p) { __builtin_prefetch(p); }

// Lanes of vectors of the compiler's own, counted through a and then b. Clang has one builtin for it, GCC 11 the other.
template <int... Lane, class V>
FD_INLINE V shuffled(const V& a, const V& b) {
#if defined(__clang__)
  return __builtin_shufflevector(a, b, Lane...);
#else
  using Index = decltype(a == b);
  return __builtin_shuffle(a, b, Index{Lane...});
#endif
}

}  // namespace fd::FD_ISA

#if defined(FD_ISA_AVX512)
#include "kernels/cpu/simd_avx512.h"
#elif defined(FD_ISA_AVX2)
#include "kernels/cpu/simd_avx2.h"
#elif defined(FD_ISA_NEON)
#include "kernels/cpu/simd_neon.h"
#else
#error "compile this folder with FD_ISA and FD_ISA_<NAME> defined"
#endif

namespace fd::FD_ISA {

template <class T>
struct Parts {
  Vec<T> m, e;
};

#if defined(FD_ISA_AVX512)
FD_INLINE Parts<float> split(Vec<float> x) {
  const __m512 m = _mm512_getmant_ps(x.v, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_nan);
  return {Vec<float>::of(_mm512_abs_ps(m)), Vec<float>::of(_mm512_sub_ps(_mm512_getexp_ps(x.v), _mm512_getexp_ps(m)))};
}
FD_INLINE Parts<double> split(Vec<double> x) {
  const __m512d m = _mm512_getmant_pd(x.v, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_nan);
  return {Vec<double>::of(_mm512_abs_pd(m)),
          Vec<double>::of(_mm512_sub_pd(_mm512_getexp_pd(x.v), _mm512_getexp_pd(m)))};
}
#else
template <class T>
struct FloatFormat;
template <>
struct FloatFormat<float> {
  static constexpr int kMantissa = 23;
  static constexpr float kSmallest = 0x1p-126f, kLift = 0x1p24f, kLiftBits = 24.f;
};
template <>
struct FloatFormat<double> {
  static constexpr int kMantissa = 52;
  static constexpr double kSmallest = 0x1p-1022, kLift = 0x1p54, kLiftBits = 54.0;
};

template <class T>
FD_INLINE Parts<T> split_normal(Vec<T> x) {
  constexpr int kMantissa = FloatFormat<T>::kMantissa;
  const Vec<Int<T> > k = shr<kMantissa>(bits(x) - bits(Vec<T>(T(0.75))));
  return {from_bits<T>(bits(x) - shl<kMantissa>(k)), to_float<T>(k)};
}
template <class T>
FD_INLINE Parts<T> split(Vec<T> x) {
  using F = FloatFormat<T>;
  const Vec<T> inf = T(__builtin_inf()), zero = T(0);
  const Mask<T> normal = (Vec<T>(F::kSmallest) <= x) & (x < inf);
  if (all(normal)) [[likely]]
    return split_normal(x);
  const Mask<T> tiny = (zero < x) & (x < Vec<T>(F::kSmallest));
  Parts<T> p = split_normal(select(tiny, x * F::kLift, x));
  p.e = select(tiny, p.e - F::kLiftBits, p.e);
  const Mask<T> end = (x == zero) | (x == inf);
  p.m = select(normal | tiny, p.m, select(end, Vec<T>(T(1)), Vec<T>(T(__builtin_nan("")))));
  p.e = select(end, select(x == zero, -inf, inf), p.e);
  return p;
}

template <class T>
FD_INLINE Vec<T> scale2_where(Mask<T> m, Vec<T> x, Vec<T> n) {
  const Vec<T> zero = T(0);
  return select(m, scale2(select(m, x, zero), select(m, n, zero)), zero);
}
#endif

// NaN in either operand gives NaN: what reductions, maximum, relu and clamp promise.
template <class T>
FD_INLINE Vec<T> max_nan(Vec<T> a, Vec<T> b) {
  return select(a == a, max(a, b), a);
}
template <class T>
FD_INLINE Vec<T> min_nan(Vec<T> a, Vec<T> b) {
  return select(a == a, min(a, b), a);
}

template <class T>
FD_INLINE Mask<T> is_nan(Vec<T> x) {
  return x != x;
}

template <class T>
FD_INLINE Vec<T> sign_bit(Vec<T> x) {
  return x & Vec<T>(T(-0.0));
}
template <class T>
FD_INLINE Vec<T> copysign(Vec<T> magnitude, Vec<T> sign) {
  return abs(magnitude) | sign_bit(sign);
}

// Rounds to the float whose last bit is 1 unless the double is exact: rounding that again, to a half, gives what
// rounding the double at once would have given.
FD_INLINE Vec<float> narrow_to_odd(Vec<double> lo, Vec<double> hi) {
  const Vec<float> f = narrow(lo, hi);
  const Vec<double> error_lo = abs(lo) - abs(widen_lo(f)), error_hi = abs(hi) - abs(widen_hi(f));
  const Vec<float> error = narrow(error_lo * 0x1p200, error_hi * 0x1p200);  // only the sign matters
  const Vec<int32_t> b = bits(f), even = Vec<int32_t>(1) - (b & Vec<int32_t>(1));
  const Vec<int32_t> up = select(error > Vec<float>(0.f), even, Vec<int32_t>(0));
  const Vec<int32_t> down = select(error < Vec<float>(0.f), even, Vec<int32_t>(0));
  return from_bits<float>(b + up - down);
}

}  // namespace fd::FD_ISA
