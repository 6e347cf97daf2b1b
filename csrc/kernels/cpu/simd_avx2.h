// Vec over 256-bit registers: AVX2, FMA and F16C. Included by simd.h only.
#pragma once

#include <immintrin.h>

namespace fd::FD_ISA {

// All bits of a lane are set or none.
template <int Bytes>
struct LaneMask {
  __m256i v;
};

template <int B>
FD_INLINE LaneMask<B> operator&(LaneMask<B> a, LaneMask<B> b) {
  return {_mm256_and_si256(a.v, b.v)};
}
template <int B>
FD_INLINE LaneMask<B> operator|(LaneMask<B> a, LaneMask<B> b) {
  return {_mm256_or_si256(a.v, b.v)};
}
template <int B>
FD_INLINE LaneMask<B> operator^(LaneMask<B> a, LaneMask<B> b) {
  return {_mm256_xor_si256(a.v, b.v)};
}
template <int B>
FD_INLINE LaneMask<B> operator~(LaneMask<B> a) {
  return {_mm256_xor_si256(a.v, _mm256_set1_epi32(-1))};
}
template <int B>
FD_INLINE bool any(LaneMask<B> m) {
  return !_mm256_testz_si256(m.v, m.v);
}
template <int B>
FD_INLINE bool all(LaneMask<B> m) {
  return _mm256_testc_si256(m.v, _mm256_set1_epi32(-1));
}
template <int B>
FD_INLINE uint64_t mask_bits(LaneMask<B> m) {
  if constexpr (B == 1)
    return uint32_t(_mm256_movemask_epi8(m.v));
  else if constexpr (B == 4)
    return uint32_t(_mm256_movemask_ps(_mm256_castsi256_ps(m.v)));
  else
    return uint32_t(_mm256_movemask_pd(_mm256_castsi256_pd(m.v)));
}

// A window into these words, n from the middle, has its first n set.
inline constexpr int32_t kTailWords[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

template <class T>
FD_INLINE Mask<T> first_lanes(int64_t n) {
  static_assert(sizeof(T) >= 4);
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(kTailWords + 8 - n * int64_t(sizeof(T) / 4)))};
}

FD_INLINE void stream_fence() { _mm_sfence(); }

#define FD_VEC_COMMON(T, R)                          \
  R v;                                               \
  static constexpr int kLanes = 32 / int(sizeof(T)); \
  Vec() = default;                                   \
  FD_INLINE static Vec of(R r) {                     \
    Vec x;                                           \
    x.v = r;                                         \
    return x;                                        \
  }

#define FD_VEC_FLOAT(T, R, S)                                                                                  \
  FD_VEC_COMMON(T, R)                                                                                          \
  FD_INLINE Vec(T x) : v(_mm256_set1_##S(x)) {}                                                                \
  FD_INLINE static Vec load(const T* p) { return of(_mm256_loadu_##S(p)); }                                    \
  FD_INLINE static Vec load(const T* p, int64_t n) { return of(_mm256_maskload_##S(p, first_lanes<T>(n).v)); } \
  FD_INLINE void store(T* p) const { _mm256_storeu_##S(p, v); }                                                \
  FD_INLINE void store(T* p, int64_t n) const { _mm256_maskstore_##S(p, first_lanes<T>(n).v, v); }             \
  FD_INLINE void stream(T* p) const { _mm256_stream_##S(p, v); }                                               \
  FD_INLINE static Mask<T> mask(R m) { return {_mm256_cast##S##_si256(m)}; }                                   \
  FD_INLINE friend Vec operator+(Vec a, Vec b) { return of(_mm256_add_##S(a.v, b.v)); }                        \
  FD_INLINE friend Vec operator-(Vec a, Vec b) { return of(_mm256_sub_##S(a.v, b.v)); }                        \
  FD_INLINE friend Vec operator*(Vec a, Vec b) { return of(_mm256_mul_##S(a.v, b.v)); }                        \
  FD_INLINE friend Vec operator/(Vec a, Vec b) { return of(_mm256_div_##S(a.v, b.v)); }                        \
  FD_INLINE friend Vec operator&(Vec a, Vec b) { return of(_mm256_and_##S(a.v, b.v)); }                        \
  FD_INLINE friend Vec operator|(Vec a, Vec b) { return of(_mm256_or_##S(a.v, b.v)); }                         \
  FD_INLINE friend Vec operator^(Vec a, Vec b) { return of(_mm256_xor_##S(a.v, b.v)); }                        \
  FD_INLINE friend Vec operator~(Vec a) { return a ^ of(_mm256_castsi256_##S(_mm256_set1_epi32(-1))); }        \
  FD_INLINE friend Vec operator-(Vec a) { return a ^ Vec(T(-0.0)); }                                           \
  FD_INLINE friend Mask<T> operator==(Vec a, Vec b) { return mask(_mm256_cmp_##S(a.v, b.v, _CMP_EQ_OQ)); }     \
  FD_INLINE friend Mask<T> operator!=(Vec a, Vec b) { return mask(_mm256_cmp_##S(a.v, b.v, _CMP_NEQ_UQ)); }    \
  FD_INLINE friend Mask<T> operator<(Vec a, Vec b) { return mask(_mm256_cmp_##S(a.v, b.v, _CMP_LT_OQ)); }      \
  FD_INLINE friend Mask<T> operator<=(Vec a, Vec b) { return mask(_mm256_cmp_##S(a.v, b.v, _CMP_LE_OQ)); }     \
  FD_INLINE friend Mask<T> operator>(Vec a, Vec b) { return mask(_mm256_cmp_##S(a.v, b.v, _CMP_GT_OQ)); }      \
  FD_INLINE friend Mask<T> operator>=(Vec a, Vec b) { return mask(_mm256_cmp_##S(a.v, b.v, _CMP_GE_OQ)); }     \
  FD_INLINE friend Vec select(Mask<T> m, Vec a, Vec b) {                                                       \
    return of(_mm256_blendv_##S(b.v, a.v, _mm256_castsi256_##S(m.v)));                                         \
  }                                                                                                            \
  FD_INLINE friend Vec min(Vec a, Vec b) { return of(_mm256_min_##S(a.v, b.v)); }                              \
  FD_INLINE friend Vec max(Vec a, Vec b) { return of(_mm256_max_##S(a.v, b.v)); }                              \
  FD_INLINE friend Vec fma(Vec a, Vec b, Vec c) { return of(_mm256_fmadd_##S(a.v, b.v, c.v)); }                \
  FD_INLINE friend Vec fnma(Vec a, Vec b, Vec c) { return of(_mm256_fnmadd_##S(a.v, b.v, c.v)); }              \
  FD_INLINE friend Vec fms(Vec a, Vec b, Vec c) { return of(_mm256_fmsub_##S(a.v, b.v, c.v)); }                \
  FD_INLINE friend Vec abs(Vec a) { return of(_mm256_andnot_##S(_mm256_set1_##S(T(-0.0)), a.v)); }             \
  FD_INLINE friend Vec sqrt(Vec a) { return of(_mm256_sqrt_##S(a.v)); }                                        \
  FD_INLINE friend Vec floor(Vec a) { return of(_mm256_round_##S(a.v, 9)); }                                   \
  FD_INLINE friend Vec ceil(Vec a) { return of(_mm256_round_##S(a.v, 10)); }                                   \
  FD_INLINE friend Vec trunc(Vec a) { return of(_mm256_round_##S(a.v, 11)); }                                  \
  FD_INLINE friend Vec round(Vec a) { return of(_mm256_round_##S(a.v, 8)); }

#define FD_VEC_INT(T, S)                                                                                        \
  FD_VEC_COMMON(T, __m256i)                                                                                     \
  FD_INLINE static Vec load(const T* p) { return of(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); } \
  FD_INLINE void store(T* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }                   \
  FD_INLINE void stream(T* p) const { _mm256_stream_si256(reinterpret_cast<__m256i*>(p), v); }                  \
  FD_INLINE friend Vec operator+(Vec a, Vec b) { return of(_mm256_add_##S(a.v, b.v)); }                         \
  FD_INLINE friend Vec operator-(Vec a, Vec b) { return of(_mm256_sub_##S(a.v, b.v)); }                         \
  FD_INLINE friend Vec operator&(Vec a, Vec b) { return of(_mm256_and_si256(a.v, b.v)); }                       \
  FD_INLINE friend Vec operator|(Vec a, Vec b) { return of(_mm256_or_si256(a.v, b.v)); }                        \
  FD_INLINE friend Vec operator^(Vec a, Vec b) { return of(_mm256_xor_si256(a.v, b.v)); }                       \
  FD_INLINE friend Vec operator~(Vec a) { return of(_mm256_xor_si256(a.v, _mm256_set1_epi32(-1))); }            \
  FD_INLINE friend Vec operator-(Vec a) { return of(_mm256_sub_##S(_mm256_setzero_si256(), a.v)); }             \
  FD_INLINE friend Mask<T> operator==(Vec a, Vec b) { return {_mm256_cmpeq_##S(a.v, b.v)}; }                    \
  FD_INLINE friend Mask<T> operator!=(Vec a, Vec b) { return ~(a == b); }                                       \
  FD_INLINE friend Mask<T> operator<(Vec a, Vec b) { return b > a; }                                            \
  FD_INLINE friend Mask<T> operator<=(Vec a, Vec b) { return ~(a > b); }                                        \
  FD_INLINE friend Mask<T> operator>=(Vec a, Vec b) { return ~(b > a); }                                        \
  FD_INLINE friend Vec select(Mask<T> m, Vec a, Vec b) { return of(_mm256_blendv_epi8(b.v, a.v, m.v)); }

#define FD_VEC_INT_TAIL(T, S, P)                                                        \
  FD_INLINE static Vec load(const T* p, int64_t n) {                                    \
    return of(_mm256_maskload_##S(reinterpret_cast<const P*>(p), first_lanes<T>(n).v)); \
  }                                                                                     \
  FD_INLINE void store(T* p, int64_t n) const { _mm256_maskstore_##S(reinterpret_cast<P*>(p), first_lanes<T>(n).v, v); }

template <>
struct Vec<int32_t> {
  FD_VEC_INT(int32_t, epi32)
  FD_VEC_INT_TAIL(int32_t, epi32, int)
  FD_INLINE Vec(int32_t x) : v(_mm256_set1_epi32(x)) {}
  FD_INLINE static Vec iota() { return of(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)); }
  FD_INLINE friend Mask<int32_t> operator>(Vec a, Vec b) { return {_mm256_cmpgt_epi32(a.v, b.v)}; }
  FD_INLINE friend Vec operator*(Vec a, Vec b) { return of(_mm256_mullo_epi32(a.v, b.v)); }
  FD_INLINE friend Vec min(Vec a, Vec b) { return of(_mm256_min_epi32(a.v, b.v)); }
  FD_INLINE friend Vec max(Vec a, Vec b) { return of(_mm256_max_epi32(a.v, b.v)); }
  FD_INLINE friend Vec abs(Vec a) { return of(_mm256_abs_epi32(a.v)); }
  FD_INLINE friend Vec shl(Vec a, Vec n) { return of(_mm256_sllv_epi32(a.v, n.v)); }
  FD_INLINE friend Vec shr(Vec a, Vec n) { return of(_mm256_srav_epi32(a.v, n.v)); }
};

template <>
struct Vec<uint32_t> {
  FD_VEC_INT(uint32_t, epi32)
  FD_VEC_INT_TAIL(uint32_t, epi32, int)
  FD_INLINE Vec(uint32_t x) : v(_mm256_set1_epi32(int32_t(x))) {}
  FD_INLINE static Vec iota() { return of(Vec<int32_t>::iota().v); }
  FD_INLINE friend Mask<uint32_t> operator>(Vec a, Vec b) {  // flipping the top bit turns the order into the signed one
    const __m256i top = _mm256_set1_epi32(INT32_MIN);
    return {_mm256_cmpgt_epi32(_mm256_xor_si256(a.v, top), _mm256_xor_si256(b.v, top))};
  }
  FD_INLINE friend Vec operator*(Vec a, Vec b) { return of(_mm256_mullo_epi32(a.v, b.v)); }
  FD_INLINE friend Vec min(Vec a, Vec b) { return of(_mm256_min_epu32(a.v, b.v)); }
  FD_INLINE friend Vec max(Vec a, Vec b) { return of(_mm256_max_epu32(a.v, b.v)); }
  FD_INLINE friend Vec shl(Vec a, Vec n) { return of(_mm256_sllv_epi32(a.v, n.v)); }
  FD_INLINE friend Vec shr(Vec a, Vec n) { return of(_mm256_srlv_epi32(a.v, n.v)); }
  FD_INLINE friend Vec mul_wide(Vec a, Vec b, Vec& high) {
    const __m256i even = _mm256_mul_epu32(a.v, b.v);
    const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a.v, 32), _mm256_srli_epi64(b.v, 32));
    high = of(_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA));
    return of(_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA));
  }
};

template <>
struct Vec<int64_t> {
  FD_VEC_INT(int64_t, epi64)
  FD_VEC_INT_TAIL(int64_t, epi64, long long)
  FD_INLINE Vec(int64_t x) : v(_mm256_set1_epi64x(x)) {}
  FD_INLINE static Vec iota() { return of(_mm256_setr_epi64x(0, 1, 2, 3)); }
  FD_INLINE friend Mask<int64_t> operator>(Vec a, Vec b) { return {_mm256_cmpgt_epi64(a.v, b.v)}; }
  FD_INLINE friend Vec operator*(Vec a, Vec b) {  // no 64-bit product: low x low + (cross terms << 32)
    const __m256i swapped = _mm256_mullo_epi32(a.v, _mm256_shuffle_epi32(b.v, 0xB1));
    const __m256i cross = _mm256_add_epi32(swapped, _mm256_srli_epi64(swapped, 32));
    return of(_mm256_add_epi64(_mm256_mul_epu32(a.v, b.v), _mm256_slli_epi64(cross, 32)));
  }
  FD_INLINE friend Vec min(Vec a, Vec b) { return select(a > b, b, a); }
  FD_INLINE friend Vec max(Vec a, Vec b) { return select(a > b, a, b); }
  FD_INLINE friend Vec abs(Vec a) { return select(a > Vec(-1), a, -a); }
  FD_INLINE friend Vec shl(Vec a, Vec n) { return of(_mm256_sllv_epi64(a.v, n.v)); }
  FD_INLINE friend Vec shr(Vec a, Vec n) {  // no arithmetic shift: complement negatives around the logical one
    const __m256i sign = (Vec(0) > a).v;
    return of(_mm256_xor_si256(_mm256_srlv_epi64(_mm256_xor_si256(a.v, sign), n.v), sign));
  }
};

template <>
struct Vec<uint8_t> {
  FD_VEC_INT(uint8_t, epi8)
  FD_INLINE Vec(uint8_t x) : v(_mm256_set1_epi8(int8_t(x))) {}
  FD_INLINE static Vec load(const uint8_t* p, int64_t n) {
    alignas(32) uint8_t lanes[32] = {};
    copy_bytes(lanes, p, size_t(n));
    return load(lanes);
  }
  FD_INLINE void store(uint8_t* p, int64_t n) const {
    alignas(32) uint8_t lanes[32];
    store(lanes);
    copy_bytes(p, lanes, size_t(n));
  }
  FD_INLINE friend Mask<uint8_t> operator>(Vec a, Vec b) { return ~(max(a, b) == b); }
  FD_INLINE friend Vec operator*(Vec a, Vec b) {  // no byte product: even and odd bytes as 16-bit words
    const __m256i even = _mm256_mullo_epi16(a.v, b.v);
    const __m256i odd = _mm256_mullo_epi16(_mm256_srli_epi16(a.v, 8), _mm256_srli_epi16(b.v, 8));
    const __m256i low = _mm256_set1_epi16(0xFF);
    return of(_mm256_or_si256(_mm256_and_si256(even, low), _mm256_slli_epi16(odd, 8)));
  }
  FD_INLINE friend Vec min(Vec a, Vec b) { return of(_mm256_min_epu8(a.v, b.v)); }
  FD_INLINE friend Vec max(Vec a, Vec b) { return of(_mm256_max_epu8(a.v, b.v)); }
};

template <int K, class T>
FD_INLINE Vec<T> shl(Vec<T> a) {
  if constexpr (sizeof(T) == 4)
    return Vec<T>::of(_mm256_slli_epi32(a.v, K));
  else
    return Vec<T>::of(_mm256_slli_epi64(a.v, K));
}
template <int K>
FD_INLINE Vec<int32_t> shr(Vec<int32_t> a) {
  return Vec<int32_t>::of(_mm256_srai_epi32(a.v, K));
}
template <int K>
FD_INLINE Vec<uint32_t> shr(Vec<uint32_t> a) {
  return Vec<uint32_t>::of(_mm256_srli_epi32(a.v, K));
}
template <int K>
FD_INLINE Vec<int64_t> shr(Vec<int64_t> a) {
  return shr(a, Vec<int64_t>(K));
}

template <>
struct Vec<float> {
  FD_VEC_FLOAT(float, __m256, ps)
  FD_INLINE static Vec iota() { return of(_mm256_cvtepi32_ps(Vec<int32_t>::iota().v)); }
  FD_INLINE static Vec load_u8(const uint8_t* p) {
    return of(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))));
  }
  FD_INLINE static Vec load_u8(const uint8_t* p, int64_t n) {
    uint8_t lanes[8] = {};
    copy_bytes(lanes, p, size_t(n));
    return load_u8(lanes);
  }
  FD_INLINE static Vec load_i32(const int32_t* p) { return of(_mm256_cvtepi32_ps(Vec<int32_t>::load(p).v)); }
  FD_INLINE static Vec load_i32(const int32_t* p, int64_t n) {
    return of(_mm256_cvtepi32_ps(Vec<int32_t>::load(p, n).v));
  }
  FD_INLINE static Vec load_f16(const uint16_t* p) { return of(_mm256_cvtph_ps(load_half(p))); }
  FD_INLINE static Vec load_f16(const uint16_t* p, int64_t n) { return of(_mm256_cvtph_ps(load_half(p, n))); }
  FD_INLINE static Vec load_bf16(const uint16_t* p) { return from_upper(load_half(p)); }
  FD_INLINE static Vec load_bf16(const uint16_t* p, int64_t n) { return from_upper(load_half(p, n)); }
  FD_INLINE void store_f16(uint16_t* p) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), to_f16()); }
  FD_INLINE void store_f16(uint16_t* p, int64_t n) const { store_half(p, to_f16(), n); }
  FD_INLINE void store_bf16(uint16_t* p) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), to_bf16()); }
  FD_INLINE void store_bf16(uint16_t* p, int64_t n) const { store_half(p, to_bf16(), n); }

 private:
  FD_INLINE static __m128i load_half(const uint16_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
  FD_INLINE static __m128i load_half(const uint16_t* p, int64_t n) {
    uint16_t lanes[8] = {};
    copy_bytes(lanes, p, size_t(n) * 2);
    return load_half(lanes);
  }
  FD_INLINE static void store_half(uint16_t* p, __m128i h, int64_t n) {
    uint16_t lanes[8];
    _mm_storeu_si128(reinterpret_cast<__m128i*>(lanes), h);
    copy_bytes(p, lanes, size_t(n) * 2);
  }
  FD_INLINE static Vec from_upper(__m128i h) {
    return of(_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16)));
  }
  FD_INLINE __m128i to_f16() const { return _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  FD_INLINE __m128i to_bf16() const {
    const __m256i b = _mm256_castps_si256(v);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(b, 16), _mm256_set1_epi32(1));
    const __m256i rounded =
        _mm256_srli_epi32(_mm256_add_epi32(b, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF))), 16);
    const __m256i quiet = _mm256_or_si256(_mm256_srli_epi32(b, 16), _mm256_set1_epi32(0x40));
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    const __m256i words = _mm256_blendv_epi8(rounded, quiet, nan);
    return _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  }
};

template <>
struct Vec<double> {
  FD_VEC_FLOAT(double, __m256d, pd)
  FD_INLINE static Vec iota() { return of(_mm256_setr_pd(0, 1, 2, 3)); }
  FD_INLINE static Vec load_u8(const uint8_t* p) {
    int32_t four;
    copy_bytes(&four, p, 4);
    return of(_mm256_cvtepi32_pd(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(four))));
  }
  FD_INLINE static Vec load_u8(const uint8_t* p, int64_t n) {
    uint8_t lanes[4] = {};
    copy_bytes(lanes, p, size_t(n));
    return load_u8(lanes);
  }
  FD_INLINE static Vec load_i32(const int32_t* p) {
    return of(_mm256_cvtepi32_pd(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  FD_INLINE static Vec load_i32(const int32_t* p, int64_t n) {
    return of(_mm256_cvtepi32_pd(_mm256_castsi256_si128(Vec<int32_t>::load(p, n).v)));
  }
};

FD_INLINE Vec<float> rsqrt_estimate(Vec<float> x) { return Vec<float>::of(_mm256_rsqrt_ps(x.v)); }

FD_INLINE Vec<int32_t> bits(Vec<float> a) { return Vec<int32_t>::of(_mm256_castps_si256(a.v)); }
FD_INLINE Vec<int64_t> bits(Vec<double> a) { return Vec<int64_t>::of(_mm256_castpd_si256(a.v)); }
template <class T>
FD_INLINE Vec<T> from_bits(Vec<Int<T>> a) {
  if constexpr (sizeof(T) == 4)
    return Vec<T>::of(_mm256_castsi256_ps(a.v));
  else
    return Vec<T>::of(_mm256_castsi256_pd(a.v));
}
// Adding 1.5 * 2^52 leaves the integer in the low bits of a double: AVX2 has no conversion.
inline constexpr double kIntMagic = 0x1.8p52;
FD_INLINE Vec<int32_t> to_int(Vec<float> a) { return Vec<int32_t>::of(_mm256_cvtps_epi32(a.v)); }
FD_INLINE Vec<int64_t> to_int(Vec<double> a) { return bits(a + kIntMagic) - bits(Vec<double>(kIntMagic)); }
template <class T>
FD_INLINE Vec<T> to_float(Vec<Int<T>> a) {
  if constexpr (sizeof(T) == 4)
    return Vec<T>::of(_mm256_cvtepi32_ps(a.v));
  else
    return from_bits<T>(a + bits(Vec<T>(kIntMagic))) - kIntMagic;
}
// Sums of groups of lanes in 64 bits; only their total means something.
FD_INLINE Vec<int64_t> sum_wide(Vec<uint8_t> a) {
  return Vec<int64_t>::of(_mm256_sad_epu8(a.v, _mm256_setzero_si256()));
}
FD_INLINE Vec<int64_t> sum_wide(Vec<int32_t> a) {
  return Vec<int64_t>::of(_mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(a.v)),
                                           _mm256_cvtepi32_epi64(_mm256_extracti128_si256(a.v, 1))));
}
FD_INLINE Vec<int64_t> sum_wide(Vec<int64_t> a) { return a; }
FD_INLINE Vec<int32_t> as_signed(Vec<uint32_t> a) { return Vec<int32_t>::of(a.v); }
FD_INLINE Vec<uint32_t> as_unsigned(Vec<int32_t> a) { return Vec<uint32_t>::of(a.v); }

// Two factors of about 2^(n/2), so that neither leaves the normal range; the second product rounds, once.
FD_INLINE Vec<float> scale2(Vec<float> a, Vec<float> n) {
  const Vec<int32_t> k = to_int(n), half = shr<1>(k);
  const Vec<float> first = from_bits<float>(shl<23>(half + 127));
  return a * first * from_bits<float>(shl<23>(k - half + 127));
}
FD_INLINE Vec<double> scale2(Vec<double> a, Vec<double> n) {
  const Vec<double> half = floor(n * 0.5);
  const Vec<double> first = from_bits<double>(shl<52>(bits(half + (kIntMagic + 1023.0))));
  return a * first * from_bits<double>(shl<52>(bits(n - half + (kIntMagic + 1023.0))));
}

FD_INLINE Vec<double> widen_lo(Vec<float> a) { return Vec<double>::of(_mm256_cvtps_pd(_mm256_castps256_ps128(a.v))); }
FD_INLINE Vec<double> widen_hi(Vec<float> a) { return Vec<double>::of(_mm256_cvtps_pd(_mm256_extractf128_ps(a.v, 1))); }
FD_INLINE Vec<float> narrow(Vec<double> lo, Vec<double> hi) {
  return Vec<float>::of(_mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(lo.v)), _mm256_cvtpd_ps(hi.v), 1));
}

#define FD_FOLD(OP)                                                                              \
  FD_INLINE float h##OP(Vec<float> a) {                                                          \
    __m128 y = _mm_##OP##_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));        \
    y = _mm_##OP##_ps(y, _mm_movehl_ps(y, y));                                                   \
    return _mm_cvtss_f32(_mm_##OP##_ss(y, _mm_movehdup_ps(y)));                                  \
  }                                                                                              \
  FD_INLINE double h##OP(Vec<double> a) {                                                        \
    const __m128d y = _mm_##OP##_pd(_mm256_castpd256_pd128(a.v), _mm256_extractf128_pd(a.v, 1)); \
    return _mm_cvtsd_f64(_mm_##OP##_sd(y, _mm_unpackhi_pd(y, y)));                               \
  }
FD_FOLD(max)
FD_FOLD(min)
FD_FOLD(add)
#undef FD_FOLD
FD_INLINE float hsum(Vec<float> a) { return hadd(a); }
FD_INLINE double hsum(Vec<double> a) { return hadd(a); }

// A multiplication spreads the bits of movemask over bytes.
FD_INLINE void store_bool(uint8_t* p, LaneMask<8> m) {
  const uint32_t bytes = uint32_t(mask_bits(m)) * 0x00204081u & 0x01010101u;
  copy_bytes(p, &bytes, 4);
}
FD_INLINE void store_bool(uint8_t* p, LaneMask<4> m) {
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(m.v), _mm256_extracti128_si256(m.v, 1));
  const __m128i bytes = _mm_and_si128(_mm_packs_epi16(words, words), _mm_set1_epi8(1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), bytes);
}
FD_INLINE void store_bool(uint8_t* p, LaneMask<1> m) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_and_si256(m.v, _mm256_set1_epi8(1)));
}
template <int B>
FD_INLINE void store_bool(uint8_t* p, LaneMask<B> m, int64_t n) {
  uint8_t lanes[32 / B];
  store_bool(lanes, m);
  copy_bytes(p, lanes, size_t(n));
}
template <class T>
FD_INLINE Mask<T> load_bool(const uint8_t* p) {
  const __m256i zero = _mm256_setzero_si256();
  if constexpr (sizeof(T) == 1) {
    return Vec<uint8_t>::load(p) != Vec<uint8_t>(0);
  } else if constexpr (sizeof(T) == 4) {
    return {_mm256_cmpgt_epi32(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))), zero)};
  } else {
    int32_t four;
    copy_bytes(&four, p, 4);
    return {_mm256_cmpgt_epi64(_mm256_cvtepu8_epi64(_mm_cvtsi32_si128(four)), zero)};
  }
}
template <class T>
FD_INLINE Mask<T> load_bool(const uint8_t* p, int64_t n) {
  uint8_t lanes[32 / sizeof(T)] = {};
  copy_bytes(lanes, p, size_t(n));
  return load_bool<T>(lanes);
}

#undef FD_VEC_COMMON
#undef FD_VEC_FLOAT
#undef FD_VEC_INT
#undef FD_VEC_INT_TAIL

}  // namespace fd::FD_ISA
