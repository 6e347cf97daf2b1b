// Vec over 512-bit registers: AVX-512 F, BW, DQ and VL. Included by simd.h only.
#pragma once

// GCC 12 warns about its own _mm512_undefined_* wherever they are inlined.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

namespace fd::FD_ISA {

template <>
struct LaneMask<1> {
  using Bits = __mmask64;
  Bits v;
};
template <>
struct LaneMask<4> {
  using Bits = __mmask16;
  Bits v;
};
template <>
struct LaneMask<8> {
  using Bits = __mmask8;
  Bits v;
};

template <int B>
FD_INLINE LaneMask<B> operator&(LaneMask<B> a, LaneMask<B> b) {
  return {typename LaneMask<B>::Bits(a.v & b.v)};
}
template <int B>
FD_INLINE LaneMask<B> operator|(LaneMask<B> a, LaneMask<B> b) {
  return {typename LaneMask<B>::Bits(a.v | b.v)};
}
template <int B>
FD_INLINE LaneMask<B> operator^(LaneMask<B> a, LaneMask<B> b) {
  return {typename LaneMask<B>::Bits(a.v ^ b.v)};
}
template <int B>
FD_INLINE LaneMask<B> operator~(LaneMask<B> a) {
  return {typename LaneMask<B>::Bits(~a.v)};
}
template <int B>
FD_INLINE bool any(LaneMask<B> m) {
  return m.v != 0;
}
template <int B>
FD_INLINE bool all(LaneMask<B> m) {
  return typename LaneMask<B>::Bits(~m.v) == 0;
}
template <int B>
FD_INLINE uint64_t mask_bits(LaneMask<B> m) {
  return m.v;
}
template <class T>
FD_INLINE Mask<T> first_lanes(int64_t n) {
  if constexpr (sizeof(T) == 1)
    return {n >= 64 ? ~0ull : (1ull << n) - 1};
  else
    return {typename Mask<T>::Bits((1u << n) - 1)};
}

FD_INLINE void stream_fence() { _mm_sfence(); }

// What is spelled alike for every element type: S is the suffix of the intrinsics, R the register, M the mask type.
#define FD_VEC_COMMON(T, R, S, SET)                                                                               \
  R v;                                                                                                            \
  static constexpr int kLanes = 64 / int(sizeof(T));                                                              \
  Vec() = default;                                                                                                \
  FD_INLINE Vec(T x) : v(SET(x)) {}                                                                               \
  FD_INLINE static Vec of(R r) {                                                                                  \
    Vec x;                                                                                                        \
    x.v = r;                                                                                                      \
    return x;                                                                                                     \
  }                                                                                                               \
  FD_INLINE static Vec load(const T* p) { return of(_mm512_loadu_##S(p)); }                                       \
  FD_INLINE static Vec load(const T* p, int64_t n) { return of(_mm512_maskz_loadu_##S(first_lanes<T>(n).v, p)); } \
  FD_INLINE void store(T* p) const { _mm512_storeu_##S(p, v); }                                                   \
  FD_INLINE void store(T* p, int64_t n) const { _mm512_mask_storeu_##S(p, first_lanes<T>(n).v, v); }              \
  FD_INLINE friend Vec operator+(Vec a, Vec b) { return of(_mm512_add_##S(a.v, b.v)); }                           \
  FD_INLINE friend Vec operator-(Vec a, Vec b) { return of(_mm512_sub_##S(a.v, b.v)); }

#define FD_VEC_FLOAT(T, R, S, I)                                                                               \
  FD_INLINE void stream(T* p) const { _mm512_stream_##S(p, v); }                                               \
  FD_INLINE friend Vec operator*(Vec a, Vec b) { return of(_mm512_mul_##S(a.v, b.v)); }                        \
  FD_INLINE friend Vec operator/(Vec a, Vec b) { return of(_mm512_div_##S(a.v, b.v)); }                        \
  FD_INLINE friend Vec operator&(Vec a, Vec b) { return of(_mm512_and_##S(a.v, b.v)); }                        \
  FD_INLINE friend Vec operator|(Vec a, Vec b) { return of(_mm512_or_##S(a.v, b.v)); }                         \
  FD_INLINE friend Vec operator^(Vec a, Vec b) { return of(_mm512_xor_##S(a.v, b.v)); }                        \
  FD_INLINE friend Vec operator~(Vec a) { return a ^ of(_mm512_castsi512_##S(_mm512_set1_epi32(-1))); }        \
  FD_INLINE friend Vec operator-(Vec a) { return a ^ Vec(T(-0.0)); }                                           \
  FD_INLINE friend Mask<T> operator==(Vec a, Vec b) { return {_mm512_cmp_##S##_mask(a.v, b.v, _CMP_EQ_OQ)}; }  \
  FD_INLINE friend Mask<T> operator!=(Vec a, Vec b) { return {_mm512_cmp_##S##_mask(a.v, b.v, _CMP_NEQ_UQ)}; } \
  FD_INLINE friend Mask<T> operator<(Vec a, Vec b) { return {_mm512_cmp_##S##_mask(a.v, b.v, _CMP_LT_OQ)}; }   \
  FD_INLINE friend Mask<T> operator<=(Vec a, Vec b) { return {_mm512_cmp_##S##_mask(a.v, b.v, _CMP_LE_OQ)}; }  \
  FD_INLINE friend Mask<T> operator>(Vec a, Vec b) { return {_mm512_cmp_##S##_mask(a.v, b.v, _CMP_GT_OQ)}; }   \
  FD_INLINE friend Mask<T> operator>=(Vec a, Vec b) { return {_mm512_cmp_##S##_mask(a.v, b.v, _CMP_GE_OQ)}; }  \
  FD_INLINE friend Vec select(Mask<T> m, Vec a, Vec b) { return of(_mm512_mask_blend_##S(m.v, b.v, a.v)); }    \
  FD_INLINE friend Vec min(Vec a, Vec b) { return of(_mm512_min_##S(a.v, b.v)); }                              \
  FD_INLINE friend Vec max(Vec a, Vec b) { return of(_mm512_max_##S(a.v, b.v)); }                              \
  FD_INLINE friend Vec fma(Vec a, Vec b, Vec c) { return of(_mm512_fmadd_##S(a.v, b.v, c.v)); }                \
  FD_INLINE friend Vec fnma(Vec a, Vec b, Vec c) { return of(_mm512_fnmadd_##S(a.v, b.v, c.v)); }              \
  FD_INLINE friend Vec fms(Vec a, Vec b, Vec c) { return of(_mm512_fmsub_##S(a.v, b.v, c.v)); }                \
  FD_INLINE friend Vec abs(Vec a) { return of(_mm512_andnot_##S(_mm512_set1_##S(T(-0.0)), a.v)); }             \
  FD_INLINE friend Vec sqrt(Vec a) { return of(_mm512_sqrt_##S(a.v)); }                                        \
  FD_INLINE friend Vec floor(Vec a) { return of(_mm512_roundscale_##S(a.v, 9)); }                              \
  FD_INLINE friend Vec ceil(Vec a) { return of(_mm512_roundscale_##S(a.v, 10)); }                              \
  FD_INLINE friend Vec trunc(Vec a) { return of(_mm512_roundscale_##S(a.v, 11)); }                             \
  FD_INLINE friend Vec round(Vec a) { return of(_mm512_roundscale_##S(a.v, 8)); }                              \
  FD_INLINE friend Vec scale2(Vec a, Vec n) { return of(_mm512_scalef_##S(a.v, n.v)); }

#define FD_VEC_INT(T, S, CMP)                                                                               \
  FD_INLINE void stream(T* p) const { _mm512_stream_si512(reinterpret_cast<__m512i*>(p), v); }              \
  FD_INLINE friend Vec operator&(Vec a, Vec b) { return of(_mm512_and_si512(a.v, b.v)); }                   \
  FD_INLINE friend Vec operator|(Vec a, Vec b) { return of(_mm512_or_si512(a.v, b.v)); }                    \
  FD_INLINE friend Vec operator^(Vec a, Vec b) { return of(_mm512_xor_si512(a.v, b.v)); }                   \
  FD_INLINE friend Vec operator~(Vec a) { return of(_mm512_xor_si512(a.v, _mm512_set1_epi32(-1))); }        \
  FD_INLINE friend Vec operator-(Vec a) { return of(_mm512_sub_##S(_mm512_setzero_si512(), a.v)); }         \
  FD_INLINE friend Mask<T> operator==(Vec a, Vec b) { return {_mm512_cmpeq_##CMP##_mask(a.v, b.v)}; }       \
  FD_INLINE friend Mask<T> operator!=(Vec a, Vec b) { return {_mm512_cmpneq_##CMP##_mask(a.v, b.v)}; }      \
  FD_INLINE friend Mask<T> operator<(Vec a, Vec b) { return {_mm512_cmplt_##CMP##_mask(a.v, b.v)}; }        \
  FD_INLINE friend Mask<T> operator<=(Vec a, Vec b) { return {_mm512_cmple_##CMP##_mask(a.v, b.v)}; }       \
  FD_INLINE friend Mask<T> operator>(Vec a, Vec b) { return {_mm512_cmpgt_##CMP##_mask(a.v, b.v)}; }        \
  FD_INLINE friend Mask<T> operator>=(Vec a, Vec b) { return {_mm512_cmpge_##CMP##_mask(a.v, b.v)}; }       \
  FD_INLINE friend Vec select(Mask<T> m, Vec a, Vec b) { return of(_mm512_mask_blend_##S(m.v, b.v, a.v)); } \
  FD_INLINE friend Vec min(Vec a, Vec b) { return of(_mm512_min_##CMP(a.v, b.v)); }                         \
  FD_INLINE friend Vec max(Vec a, Vec b) { return of(_mm512_max_##CMP(a.v, b.v)); }

template <>
struct Vec<int32_t> {
  FD_VEC_COMMON(int32_t, __m512i, epi32, _mm512_set1_epi32)
  FD_VEC_INT(int32_t, epi32, epi32)
  FD_INLINE static Vec iota() { return of(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)); }
  FD_INLINE friend Vec operator*(Vec a, Vec b) { return of(_mm512_mullo_epi32(a.v, b.v)); }
  FD_INLINE friend Vec abs(Vec a) { return of(_mm512_abs_epi32(a.v)); }
  FD_INLINE friend Vec shl(Vec a, Vec n) { return of(_mm512_sllv_epi32(a.v, n.v)); }
  FD_INLINE friend Vec shr(Vec a, Vec n) { return of(_mm512_srav_epi32(a.v, n.v)); }
};

template <>
struct Vec<uint32_t> {
  FD_VEC_COMMON(uint32_t, __m512i, epi32, _mm512_set1_epi32)
  FD_VEC_INT(uint32_t, epi32, epu32)
  FD_INLINE static Vec iota() { return of(Vec<int32_t>::iota().v); }
  FD_INLINE friend Vec operator*(Vec a, Vec b) { return of(_mm512_mullo_epi32(a.v, b.v)); }
  FD_INLINE friend Vec shl(Vec a, Vec n) { return of(_mm512_sllv_epi32(a.v, n.v)); }
  FD_INLINE friend Vec shr(Vec a, Vec n) { return of(_mm512_srlv_epi32(a.v, n.v)); }
  FD_INLINE friend Vec mul_wide(Vec a, Vec b, Vec& high) {
    const __m512i even = _mm512_mul_epu32(a.v, b.v);
    const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a.v, 32), _mm512_srli_epi64(b.v, 32));
    high = of(_mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 32), odd));
    return of(_mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32)));
  }
};

template <>
struct Vec<int64_t> {
  FD_VEC_COMMON(int64_t, __m512i, epi64, _mm512_set1_epi64)
  FD_VEC_INT(int64_t, epi64, epi64)
  FD_INLINE static Vec iota() { return of(_mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7)); }
  FD_INLINE friend Vec operator*(Vec a, Vec b) { return of(_mm512_mullo_epi64(a.v, b.v)); }
  FD_INLINE friend Vec abs(Vec a) { return of(_mm512_abs_epi64(a.v)); }
  FD_INLINE friend Vec shl(Vec a, Vec n) { return of(_mm512_sllv_epi64(a.v, n.v)); }
  FD_INLINE friend Vec shr(Vec a, Vec n) { return of(_mm512_srav_epi64(a.v, n.v)); }
};

template <>
struct Vec<uint8_t> {
  FD_VEC_COMMON(uint8_t, __m512i, epi8, _mm512_set1_epi8)
  FD_VEC_INT(uint8_t, epi8, epu8)
  FD_INLINE friend Vec operator*(Vec a, Vec b) {  // no byte product: even and odd bytes as 16-bit words
    const __m512i even = _mm512_mullo_epi16(a.v, b.v);
    const __m512i odd = _mm512_mullo_epi16(_mm512_srli_epi16(a.v, 8), _mm512_srli_epi16(b.v, 8));
    return of(_mm512_mask_blend_epi8(0xAAAAAAAAAAAAAAAAull, even, _mm512_slli_epi16(odd, 8)));
  }
};

template <int K, class T>
FD_INLINE Vec<T> shl(Vec<T> a) {
  if constexpr (sizeof(T) == 4)
    return Vec<T>::of(_mm512_slli_epi32(a.v, K));
  else
    return Vec<T>::of(_mm512_slli_epi64(a.v, K));
}
template <int K>
FD_INLINE Vec<int32_t> shr(Vec<int32_t> a) {
  return Vec<int32_t>::of(_mm512_srai_epi32(a.v, K));
}
template <int K>
FD_INLINE Vec<uint32_t> shr(Vec<uint32_t> a) {
  return Vec<uint32_t>::of(_mm512_srli_epi32(a.v, K));
}
template <int K>
FD_INLINE Vec<int64_t> shr(Vec<int64_t> a) {
  return Vec<int64_t>::of(_mm512_srai_epi64(a.v, K));
}

template <>
struct Vec<float> {
  FD_VEC_COMMON(float, __m512, ps, _mm512_set1_ps)
  FD_VEC_FLOAT(float, __m512, ps, int32_t)
  FD_INLINE static Vec iota() { return of(_mm512_cvtepi32_ps(Vec<int32_t>::iota().v)); }
  FD_INLINE static Vec load_u8(const uint8_t* p) {
    return of(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))));
  }
  FD_INLINE static Vec load_u8(const uint8_t* p, int64_t n) {
    return of(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(first_lanes<float>(n).v, p))));
  }
  FD_INLINE static Vec load_i32(const int32_t* p) { return of(_mm512_cvtepi32_ps(_mm512_loadu_epi32(p))); }
  FD_INLINE static Vec load_i32(const int32_t* p, int64_t n) {
    return of(_mm512_cvtepi32_ps(Vec<int32_t>::load(p, n).v));
  }
  FD_INLINE static Vec load_f16(const uint16_t* p) {
    return of(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
  }
  FD_INLINE static Vec load_f16(const uint16_t* p, int64_t n) {
    return of(_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_lanes<float>(n).v, p)));
  }
  FD_INLINE static Vec load_bf16(const uint16_t* p) {
    return from_upper(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  FD_INLINE static Vec load_bf16(const uint16_t* p, int64_t n) {
    return from_upper(_mm256_maskz_loadu_epi16(first_lanes<float>(n).v, p));
  }
  FD_INLINE void store_f16(uint16_t* p) const { _mm256_storeu_epi16(p, to_f16()); }
  FD_INLINE void store_f16(uint16_t* p, int64_t n) const {
    _mm256_mask_storeu_epi16(p, first_lanes<float>(n).v, to_f16());
  }
  FD_INLINE void store_bf16(uint16_t* p) const { _mm256_storeu_epi16(p, to_bf16()); }
  FD_INLINE void store_bf16(uint16_t* p, int64_t n) const {
    _mm256_mask_storeu_epi16(p, first_lanes<float>(n).v, to_bf16());
  }

 private:
  FD_INLINE static Vec from_upper(__m256i h) {
    return of(_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16)));
  }
  FD_INLINE __m256i to_f16() const { return _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  FD_INLINE __m256i to_bf16() const {
    const __m512i b = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(b, 16), _mm512_set1_epi32(1));
    const __m512i rounded =
        _mm512_srli_epi32(_mm512_add_epi32(b, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF))), 16);
    const __m512i quiet = _mm512_or_si512(_mm512_srli_epi32(b, 16), _mm512_set1_epi32(0x40));
    const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    return _mm512_cvtepi32_epi16(_mm512_mask_blend_epi32(nan, rounded, quiet));
  }
};

template <>
struct Vec<double> {
  FD_VEC_COMMON(double, __m512d, pd, _mm512_set1_pd)
  FD_VEC_FLOAT(double, __m512d, pd, int64_t)
  FD_INLINE static Vec iota() { return of(_mm512_cvtepi64_pd(Vec<int64_t>::iota().v)); }
  FD_INLINE static Vec load_u8(const uint8_t* p) {
    return of(_mm512_cvtepi64_pd(_mm512_cvtepu8_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))));
  }
  FD_INLINE static Vec load_u8(const uint8_t* p, int64_t n) {
    return of(_mm512_cvtepi64_pd(_mm512_cvtepu8_epi64(_mm_maskz_loadu_epi8(first_lanes<double>(n).v, p))));
  }
  FD_INLINE static Vec load_i32(const int32_t* p) {
    return of(_mm512_cvtepi32_pd(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
  }
  FD_INLINE static Vec load_i32(const int32_t* p, int64_t n) {
    return of(_mm512_cvtepi32_pd(_mm256_maskz_loadu_epi32(first_lanes<double>(n).v, p)));
  }
};

FD_INLINE Vec<float> scale2_where(Mask<float> m, Vec<float> x, Vec<float> n) {
  return Vec<float>::of(_mm512_maskz_scalef_ps(m.v, x.v, n.v));
}
FD_INLINE Vec<double> scale2_where(Mask<double> m, Vec<double> x, Vec<double> n) {
  return Vec<double>::of(_mm512_maskz_scalef_pd(m.v, x.v, n.v));
}
FD_INLINE Vec<float> rsqrt_estimate(Vec<float> x) { return Vec<float>::of(_mm512_rsqrt14_ps(x.v)); }

FD_INLINE Vec<int32_t> bits(Vec<float> a) { return Vec<int32_t>::of(_mm512_castps_si512(a.v)); }
FD_INLINE Vec<int64_t> bits(Vec<double> a) { return Vec<int64_t>::of(_mm512_castpd_si512(a.v)); }
template <class T>
FD_INLINE Vec<T> from_bits(Vec<Int<T>> a) {
  if constexpr (sizeof(T) == 4)
    return Vec<T>::of(_mm512_castsi512_ps(a.v));
  else
    return Vec<T>::of(_mm512_castsi512_pd(a.v));
}
FD_INLINE Vec<int32_t> to_int(Vec<float> a) { return Vec<int32_t>::of(_mm512_cvtps_epi32(a.v)); }
FD_INLINE Vec<int64_t> to_int(Vec<double> a) { return Vec<int64_t>::of(_mm512_cvtpd_epi64(a.v)); }
template <class T>
FD_INLINE Vec<T> to_float(Vec<Int<T>> a) {
  if constexpr (sizeof(T) == 4)
    return Vec<T>::of(_mm512_cvtepi32_ps(a.v));
  else
    return Vec<T>::of(_mm512_cvtepi64_pd(a.v));
}
// Sums of groups of lanes in 64 bits; only their total means something.
FD_INLINE Vec<int64_t> sum_wide(Vec<uint8_t> a) {
  return Vec<int64_t>::of(_mm512_sad_epu8(a.v, _mm512_setzero_si512()));
}
FD_INLINE Vec<int64_t> sum_wide(Vec<int32_t> a) {
  return Vec<int64_t>::of(_mm512_add_epi64(_mm512_cvtepi32_epi64(_mm512_castsi512_si256(a.v)),
                                           _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(a.v, 1))));
}
FD_INLINE Vec<int64_t> sum_wide(Vec<int64_t> a) { return a; }
FD_INLINE Vec<int32_t> as_signed(Vec<uint32_t> a) { return Vec<int32_t>::of(a.v); }
FD_INLINE Vec<uint32_t> as_unsigned(Vec<int32_t> a) { return Vec<uint32_t>::of(a.v); }

FD_INLINE Vec<double> widen_lo(Vec<float> a) { return Vec<double>::of(_mm512_cvtps_pd(_mm512_castps512_ps256(a.v))); }
FD_INLINE Vec<double> widen_hi(Vec<float> a) {
  return Vec<double>::of(_mm512_cvtps_pd(_mm512_extractf32x8_ps(a.v, 1)));
}
FD_INLINE Vec<float> narrow(Vec<double> lo, Vec<double> hi) {
  return Vec<float>::of(_mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(lo.v)), _mm512_cvtpd_ps(hi.v), 1));
}

// Lanes i and i + half meet first, so that the order is that of the narrower ISAs' last steps.
FD_INLINE float hsum(Vec<float> a) {
  const __m256 x = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  __m128 y = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  y = _mm_add_ps(y, _mm_movehl_ps(y, y));
  return _mm_cvtss_f32(_mm_add_ss(y, _mm_movehdup_ps(y)));
}
FD_INLINE double hsum(Vec<double> a) {
  const __m256d x = _mm256_add_pd(_mm512_castpd512_pd256(a.v), _mm512_extractf64x4_pd(a.v, 1));
  const __m128d y = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd(x, 1));
  return _mm_cvtsd_f64(_mm_add_sd(y, _mm_unpackhi_pd(y, y)));
}
FD_INLINE float hmax(Vec<float> a) { return _mm512_reduce_max_ps(a.v); }
FD_INLINE float hmin(Vec<float> a) { return _mm512_reduce_min_ps(a.v); }
FD_INLINE double hmax(Vec<double> a) { return _mm512_reduce_max_pd(a.v); }
FD_INLINE double hmin(Vec<double> a) { return _mm512_reduce_min_pd(a.v); }

FD_INLINE void store_bool(uint8_t* p, LaneMask<4> m) { _mm_storeu_epi8(p, _mm_maskz_set1_epi8(m.v, 1)); }
FD_INLINE void store_bool(uint8_t* p, LaneMask<8> m) {
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_maskz_set1_epi8(m.v, 1));
}
FD_INLINE void store_bool(uint8_t* p, LaneMask<1> m) { _mm512_storeu_epi8(p, _mm512_maskz_set1_epi8(m.v, 1)); }
FD_INLINE void store_bool(uint8_t* p, LaneMask<1> m, int64_t n) {
  _mm512_mask_storeu_epi8(p, first_lanes<uint8_t>(n).v, _mm512_maskz_set1_epi8(m.v, 1));
}
template <int B>
FD_INLINE void store_bool(uint8_t* p, LaneMask<B> m, int64_t n) {
  _mm_mask_storeu_epi8(p, __mmask16((1u << n) - 1), _mm_maskz_set1_epi8(m.v, 1));
}
template <class T>
FD_INLINE Mask<T> load_bool(const uint8_t* p) {
  if constexpr (sizeof(T) == 1)
    return {_mm512_test_epi8_mask(_mm512_loadu_epi8(p), _mm512_set1_epi8(-1))};
  else if constexpr (sizeof(T) == 4)
    return {_mm_test_epi8_mask(_mm_loadu_epi8(p), _mm_set1_epi8(-1))};
  else
    return {__mmask8(_mm_test_epi8_mask(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)), _mm_set1_epi8(-1)))};
}
template <class T>
FD_INLINE Mask<T> load_bool(const uint8_t* p, int64_t n) {
  if constexpr (sizeof(T) == 1) {
    return Vec<uint8_t>::load(p, n) != Vec<uint8_t>(0);
  } else {
    const __m128i x = _mm_maskz_loadu_epi8(__mmask16((1u << n) - 1), p);
    return {typename Mask<T>::Bits(_mm_test_epi8_mask(x, _mm_set1_epi8(-1)))};
  }
}

#undef FD_VEC_COMMON
#undef FD_VEC_FLOAT
#undef FD_VEC_INT

}  // namespace fd::FD_ISA
