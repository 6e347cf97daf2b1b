// Vec over 128-bit registers: Advanced SIMD of AArch64. Included by simd.h only.
#pragma once

#include <arm_neon.h>

namespace fd::FD_ISA {

// All bits of a lane are set or none.
template <int Bytes>
struct LaneMask {
  uint8x16_t v;
};

template <int B>
FD_INLINE LaneMask<B> operator&(LaneMask<B> a, LaneMask<B> b) {
  return {vandq_u8(a.v, b.v)};
}
template <int B>
FD_INLINE LaneMask<B> operator|(LaneMask<B> a, LaneMask<B> b) {
  return {vorrq_u8(a.v, b.v)};
}
template <int B>
FD_INLINE LaneMask<B> operator^(LaneMask<B> a, LaneMask<B> b) {
  return {veorq_u8(a.v, b.v)};
}
template <int B>
FD_INLINE LaneMask<B> operator~(LaneMask<B> a) {
  return {vmvnq_u8(a.v)};
}
template <int B>
FD_INLINE bool any(LaneMask<B> m) {
  return vmaxvq_u8(m.v) != 0;
}
template <int B>
FD_INLINE bool all(LaneMask<B> m) {
  return vminvq_u8(m.v) == 0xFF;
}
template <int B>
FD_INLINE uint64_t mask_bits(LaneMask<B> m) {
  if constexpr (B == 8) {
    const uint64x2_t bit = {1, 2};
    return vaddvq_u64(vandq_u64(vreinterpretq_u64_u8(m.v), bit));
  } else if constexpr (B == 4) {
    const uint32x4_t bit = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(vreinterpretq_u32_u8(m.v), bit));
  } else {
    const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t set = vandq_u8(m.v, bit);
    return vaddv_u8(vget_low_u8(set)) | uint64_t(vaddv_u8(vget_high_u8(set))) << 8;
  }
}

template <class T>
FD_INLINE Mask<T> first_lanes(int64_t n) {
  static_assert(sizeof(T) >= 4);
  if constexpr (sizeof(T) == 4) {
    const int32x4_t lane = {0, 1, 2, 3};
    return {vreinterpretq_u8_u32(vcltq_s32(lane, vdupq_n_s32(int32_t(n))))};
  } else {
    const int64x2_t lane = {0, 1};
    return {vreinterpretq_u8_u64(vcltq_s64(lane, vdupq_n_s64(n)))};
  }
}

FD_INLINE void stream_fence() {}

// The first n bytes, 0 in the rest; n is a multiple of 4. Two tests instead of a call of memcpy.
FD_INLINE uint8x16_t load_words(const void* p, int64_t n) {
  if (n >= 16) return vld1q_u8(static_cast<const uint8_t*>(p));
  uint64_t lower = 0, last = 0;
  if (n & 8) copy_bytes(&lower, p, 8);
  if (n & 4) copy_bytes(&last, static_cast<const uint8_t*>(p) + (n & 8), 4);
  return uint8x16_t(n & 8 ? uint64x2_t{lower, last} : uint64x2_t{last, 0});
}
FD_INLINE void store_words(void* p, uint8x16_t v, int64_t n) {
  if (n >= 16) return vst1q_u8(static_cast<uint8_t*>(p), v);
  const uint64x2_t halves = uint64x2_t(v);
  const uint64_t lower = halves[0], last = n & 8 ? halves[1] : lower;
  if (n & 8) copy_bytes(p, &lower, 8);
  if (n & 4) copy_bytes(static_cast<uint8_t*>(p) + (n & 8), &last, 4);
}

// What is spelled alike for every element type: R is the register, S the suffix of the intrinsics, U the register of
// unsigned elements as wide. Casts between registers keep the bits.
#define FD_VEC_COMMON(T, R, S, U)                                                                            \
  R v;                                                                                                       \
  static constexpr int kLanes = 16 / int(sizeof(T));                                                         \
  Vec() = default;                                                                                           \
  FD_INLINE Vec(T x) : v(vdupq_n_##S(x)) {}                                                                  \
  FD_INLINE static Vec of(R r) {                                                                             \
    Vec x;                                                                                                   \
    x.v = r;                                                                                                 \
    return x;                                                                                                \
  }                                                                                                          \
  FD_INLINE static Vec load(const T* p) { return of(vld1q_##S(p)); }                                         \
  FD_INLINE void store(T* p) const { vst1q_##S(p, v); }                                                      \
  FD_INLINE void stream(T* p) const { store(p); }                                                            \
  FD_INLINE friend Vec operator+(Vec a, Vec b) { return of(vaddq_##S(a.v, b.v)); }                           \
  FD_INLINE friend Vec operator-(Vec a, Vec b) { return of(vsubq_##S(a.v, b.v)); }                           \
  FD_INLINE friend Vec operator&(Vec a, Vec b) { return of(R(vandq_u8(uint8x16_t(a.v), uint8x16_t(b.v)))); } \
  FD_INLINE friend Vec operator|(Vec a, Vec b) { return of(R(vorrq_u8(uint8x16_t(a.v), uint8x16_t(b.v)))); } \
  FD_INLINE friend Vec operator^(Vec a, Vec b) { return of(R(veorq_u8(uint8x16_t(a.v), uint8x16_t(b.v)))); } \
  FD_INLINE friend Vec operator~(Vec a) { return of(R(vmvnq_u8(uint8x16_t(a.v)))); }                         \
  FD_INLINE friend Mask<T> operator==(Vec a, Vec b) { return {uint8x16_t(vceqq_##S(a.v, b.v))}; }            \
  FD_INLINE friend Mask<T> operator!=(Vec a, Vec b) { return ~(a == b); }                                    \
  FD_INLINE friend Mask<T> operator<(Vec a, Vec b) { return {uint8x16_t(vcltq_##S(a.v, b.v))}; }             \
  FD_INLINE friend Mask<T> operator<=(Vec a, Vec b) { return {uint8x16_t(vcleq_##S(a.v, b.v))}; }            \
  FD_INLINE friend Mask<T> operator>(Vec a, Vec b) { return {uint8x16_t(vcgtq_##S(a.v, b.v))}; }             \
  FD_INLINE friend Mask<T> operator>=(Vec a, Vec b) { return {uint8x16_t(vcgeq_##S(a.v, b.v))}; }            \
  FD_INLINE friend Vec select(Mask<T> m, Vec a, Vec b) { return of(vbslq_##S(U(m.v), a.v, b.v)); }           \
  FD_INLINE friend Vec min(Vec a, Vec b) { return select(a < b, a, b); }                                     \
  FD_INLINE friend Vec max(Vec a, Vec b) { return select(a > b, a, b); }

#define FD_VEC_TAIL(T, R)                                                                                   \
  FD_INLINE static Vec load(const T* p, int64_t n) { return of(R(load_words(p, n * int64_t(sizeof(T))))); } \
  FD_INLINE void store(T* p, int64_t n) const { store_words(p, uint8x16_t(v), n * int64_t(sizeof(T))); }

#define FD_VEC_INT(T, R, S, U) \
  FD_VEC_COMMON(T, R, S, U)    \
  FD_INLINE friend Vec operator-(Vec a) { return Vec(T(0)) - a; }

#define FD_VEC_FLOAT(T, R, S, U)                                                          \
  FD_VEC_COMMON(T, R, S, U)                                                               \
  FD_VEC_TAIL(T, R)                                                                       \
  FD_INLINE friend Vec operator-(Vec a) { return of(vnegq_##S(a.v)); }                    \
  FD_INLINE friend Vec operator*(Vec a, Vec b) { return of(vmulq_##S(a.v, b.v)); }        \
  FD_INLINE friend Vec operator/(Vec a, Vec b) { return of(vdivq_##S(a.v, b.v)); }        \
  FD_INLINE friend Vec fma(Vec a, Vec b, Vec c) { return of(vfmaq_##S(c.v, a.v, b.v)); }  \
  FD_INLINE friend Vec fnma(Vec a, Vec b, Vec c) { return of(vfmsq_##S(c.v, a.v, b.v)); } \
  FD_INLINE friend Vec fms(Vec a, Vec b, Vec c) { return fma(a, b, -c); }                 \
  FD_INLINE friend Vec abs(Vec a) { return of(vabsq_##S(a.v)); }                          \
  FD_INLINE friend Vec sqrt(Vec a) { return of(vsqrtq_##S(a.v)); }                        \
  FD_INLINE friend Vec floor(Vec a) { return of(vrndmq_##S(a.v)); }                       \
  FD_INLINE friend Vec ceil(Vec a) { return of(vrndpq_##S(a.v)); }                        \
  FD_INLINE friend Vec trunc(Vec a) { return of(vrndq_##S(a.v)); }                        \
  FD_INLINE friend Vec round(Vec a) { return of(vrndnq_##S(a.v)); }

template <>
struct Vec<int32_t> {
  FD_VEC_INT(int32_t, int32x4_t, s32, uint32x4_t)
  FD_VEC_TAIL(int32_t, int32x4_t)
  FD_INLINE static Vec iota() { return of(int32x4_t{0, 1, 2, 3}); }
  FD_INLINE friend Vec operator*(Vec a, Vec b) { return of(vmulq_s32(a.v, b.v)); }
  FD_INLINE friend Vec abs(Vec a) { return of(vabsq_s32(a.v)); }
  FD_INLINE friend Vec shl(Vec a, Vec n) { return of(vshlq_s32(a.v, n.v)); }
  FD_INLINE friend Vec shr(Vec a, Vec n) { return of(vshlq_s32(a.v, vnegq_s32(n.v))); }
};

template <>
struct Vec<uint32_t> {
  FD_VEC_INT(uint32_t, uint32x4_t, u32, uint32x4_t)
  FD_VEC_TAIL(uint32_t, uint32x4_t)
  FD_INLINE static Vec iota() { return of(uint32x4_t{0, 1, 2, 3}); }
  FD_INLINE friend Vec operator*(Vec a, Vec b) { return of(vmulq_u32(a.v, b.v)); }
  FD_INLINE friend Vec shl(Vec a, Vec n) { return of(vshlq_u32(a.v, vreinterpretq_s32_u32(n.v))); }
  FD_INLINE friend Vec shr(Vec a, Vec n) { return of(vshlq_u32(a.v, vnegq_s32(vreinterpretq_s32_u32(n.v)))); }
  FD_INLINE friend Vec mul_wide(Vec a, Vec b, Vec& high) {
    const uint32x4_t first = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(a.v), vget_low_u32(b.v)));
    const uint32x4_t second = vreinterpretq_u32_u64(vmull_high_u32(a.v, b.v));
    high = of(vuzp2q_u32(first, second));
    return of(vuzp1q_u32(first, second));
  }
};

template <>
struct Vec<int64_t> {
  FD_VEC_INT(int64_t, int64x2_t, s64, uint64x2_t)
  FD_VEC_TAIL(int64_t, int64x2_t)
  FD_INLINE static Vec iota() { return of(int64x2_t{0, 1}); }
  FD_INLINE friend Vec operator*(Vec a, Vec b) {  // no 64-bit product
    const int64x2_t product = {int64_t(uint64_t(a.v[0]) * uint64_t(b.v[0])),
                               int64_t(uint64_t(a.v[1]) * uint64_t(b.v[1]))};
    return of(product);
  }
  FD_INLINE friend Vec abs(Vec a) { return of(vabsq_s64(a.v)); }
  FD_INLINE friend Vec shl(Vec a, Vec n) { return of(vshlq_s64(a.v, n.v)); }
  FD_INLINE friend Vec shr(Vec a, Vec n) { return of(vshlq_s64(a.v, vnegq_s64(n.v))); }
};

template <>
struct Vec<uint8_t> {
  FD_VEC_INT(uint8_t, uint8x16_t, u8, uint8x16_t)
  FD_INLINE static Vec load(const uint8_t* p, int64_t n) {
    uint8_t lanes[kLanes] = {};
    copy_bytes(lanes, p, size_t(n));
    return load(lanes);
  }
  FD_INLINE void store(uint8_t* p, int64_t n) const {
    uint8_t lanes[kLanes];
    store(lanes);
    copy_bytes(p, lanes, size_t(n));
  }
  FD_INLINE friend Vec operator*(Vec a, Vec b) { return of(vmulq_u8(a.v, b.v)); }
};

template <int K>
FD_INLINE Vec<int32_t> shl(Vec<int32_t> a) {
  return Vec<int32_t>::of(vshlq_n_s32(a.v, K));
}
template <int K>
FD_INLINE Vec<uint32_t> shl(Vec<uint32_t> a) {
  return Vec<uint32_t>::of(vshlq_n_u32(a.v, K));
}
template <int K>
FD_INLINE Vec<int64_t> shl(Vec<int64_t> a) {
  return Vec<int64_t>::of(vshlq_n_s64(a.v, K));
}
template <int K>
FD_INLINE Vec<int32_t> shr(Vec<int32_t> a) {
  return Vec<int32_t>::of(vshrq_n_s32(a.v, K));
}
template <int K>
FD_INLINE Vec<uint32_t> shr(Vec<uint32_t> a) {
  return Vec<uint32_t>::of(vshrq_n_u32(a.v, K));
}
template <int K>
FD_INLINE Vec<int64_t> shr(Vec<int64_t> a) {
  return Vec<int64_t>::of(vshrq_n_s64(a.v, K));
}

template <>
struct Vec<float> {
  FD_VEC_FLOAT(float, float32x4_t, f32, uint32x4_t)
  FD_INLINE static Vec iota() { return of(float32x4_t{0, 1, 2, 3}); }
  FD_INLINE static Vec load_u8(const uint8_t* p) {
    uint32_t four;
    copy_bytes(&four, p, 4);
    return of(vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four))))));
  }
  FD_INLINE static Vec load_u8(const uint8_t* p, int64_t n) {
    uint8_t lanes[4] = {};
    copy_bytes(lanes, p, size_t(n));
    return load_u8(lanes);
  }
  FD_INLINE static Vec load_i32(const int32_t* p) { return of(vcvtq_f32_s32(vld1q_s32(p))); }
  FD_INLINE static Vec load_i32(const int32_t* p, int64_t n) { return of(vcvtq_f32_s32(Vec<int32_t>::load(p, n).v)); }
  FD_INLINE static Vec load_f16(const uint16_t* p) { return of(vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)))); }
  FD_INLINE static Vec load_f16(const uint16_t* p, int64_t n) {
    return of(vcvt_f32_f16(vreinterpret_f16_u16(load_half(p, n))));
  }
  FD_INLINE static Vec load_bf16(const uint16_t* p) { return from_upper(vld1_u16(p)); }
  FD_INLINE static Vec load_bf16(const uint16_t* p, int64_t n) { return from_upper(load_half(p, n)); }
  FD_INLINE void store_f16(uint16_t* p) const { vst1_u16(p, to_f16()); }
  FD_INLINE void store_f16(uint16_t* p, int64_t n) const { store_half(p, to_f16(), n); }
  FD_INLINE void store_bf16(uint16_t* p) const { vst1_u16(p, to_bf16()); }
  FD_INLINE void store_bf16(uint16_t* p, int64_t n) const { store_half(p, to_bf16(), n); }

 private:
  FD_INLINE static uint16x4_t load_half(const uint16_t* p, int64_t n) {
    uint16_t lanes[4] = {};
    copy_bytes(lanes, p, size_t(n) * 2);
    return vld1_u16(lanes);
  }
  FD_INLINE static void store_half(uint16_t* p, uint16x4_t h, int64_t n) {
    uint16_t lanes[4];
    vst1_u16(lanes, h);
    copy_bytes(p, lanes, size_t(n) * 2);
  }
  FD_INLINE static Vec from_upper(uint16x4_t h) { return of(vreinterpretq_f32_u32(vshll_n_u16(h, 16))); }
  FD_INLINE uint16x4_t to_f16() const { return vreinterpret_u16_f16(vcvt_f16_f32(v)); }
  FD_INLINE uint16x4_t to_bf16() const {
    const uint32x4_t b = uint32x4_t(v), odd = vandq_u32(vshrq_n_u32(b, 16), vdupq_n_u32(1));
    const uint32x4_t rounded = vshrq_n_u32(vaddq_u32(b, vaddq_u32(odd, vdupq_n_u32(0x7FFF))), 16);
    const uint32x4_t quiet = vorrq_u32(vshrq_n_u32(b, 16), vdupq_n_u32(0x40));
    return vmovn_u32(vbslq_u32(vceqq_f32(v, v), rounded, quiet));
  }
};

template <>
struct Vec<double> {
  FD_VEC_FLOAT(double, float64x2_t, f64, uint64x2_t)
  FD_INLINE static Vec iota() { return of(float64x2_t{0, 1}); }
  FD_INLINE static Vec load_u8(const uint8_t* p) { return of(float64x2_t{double(p[0]), double(p[1])}); }
  FD_INLINE static Vec load_u8(const uint8_t* p, int64_t n) {
    uint8_t lanes[2] = {};
    copy_bytes(lanes, p, size_t(n));
    return load_u8(lanes);
  }
  FD_INLINE static Vec load_i32(const int32_t* p) { return of(vcvtq_f64_s64(vmovl_s32(vld1_s32(p)))); }
  FD_INLINE static Vec load_i32(const int32_t* p, int64_t n) {
    int32_t lanes[2] = {};
    copy_bytes(lanes, p, size_t(n) * 4);
    return load_i32(lanes);
  }
};

FD_INLINE Vec<int32_t> bits(Vec<float> a) { return Vec<int32_t>::of(vreinterpretq_s32_f32(a.v)); }
FD_INLINE Vec<int64_t> bits(Vec<double> a) { return Vec<int64_t>::of(vreinterpretq_s64_f64(a.v)); }
template <class T>
FD_INLINE Vec<T> from_bits(Vec<Int<T>> a) {
  if constexpr (sizeof(T) == 4)
    return Vec<T>::of(vreinterpretq_f32_s32(a.v));
  else
    return Vec<T>::of(vreinterpretq_f64_s64(a.v));
}
FD_INLINE Vec<int32_t> to_int(Vec<float> a) { return Vec<int32_t>::of(vcvtnq_s32_f32(a.v)); }
FD_INLINE Vec<int64_t> to_int(Vec<double> a) { return Vec<int64_t>::of(vcvtnq_s64_f64(a.v)); }
template <class T>
FD_INLINE Vec<T> to_float(Vec<Int<T>> a) {
  if constexpr (sizeof(T) == 4)
    return Vec<T>::of(vcvtq_f32_s32(a.v));
  else
    return Vec<T>::of(vcvtq_f64_s64(a.v));
}
// Sums of groups of lanes in 64 bits; only their total means something.
FD_INLINE Vec<int64_t> sum_wide(Vec<uint8_t> a) {
  return Vec<int64_t>::of(vreinterpretq_s64_u64(vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(a.v)))));
}
FD_INLINE Vec<int64_t> sum_wide(Vec<int32_t> a) { return Vec<int64_t>::of(vpaddlq_s32(a.v)); }
FD_INLINE Vec<int64_t> sum_wide(Vec<int64_t> a) { return a; }
FD_INLINE Vec<int32_t> as_signed(Vec<uint32_t> a) { return Vec<int32_t>::of(vreinterpretq_s32_u32(a.v)); }
FD_INLINE Vec<uint32_t> as_unsigned(Vec<int32_t> a) { return Vec<uint32_t>::of(vreinterpretq_u32_s32(a.v)); }

// Two factors of about 2^(n/2), so that neither leaves the normal range; the second product rounds, once.
FD_INLINE Vec<float> scale2(Vec<float> a, Vec<float> n) {
  const Vec<int32_t> k = to_int(n), half = shr<1>(k);
  const Vec<float> first = from_bits<float>(shl<23>(half + 127));
  return a * first * from_bits<float>(shl<23>(k - half + 127));
}
FD_INLINE Vec<double> scale2(Vec<double> a, Vec<double> n) {
  const Vec<int64_t> k = to_int(n), half = shr<1>(k);
  const Vec<double> first = from_bits<double>(shl<52>(half + 1023));
  return a * first * from_bits<double>(shl<52>(k - half + 1023));
}

FD_INLINE Vec<double> widen_lo(Vec<float> a) { return Vec<double>::of(vcvt_f64_f32(vget_low_f32(a.v))); }
FD_INLINE Vec<double> widen_hi(Vec<float> a) { return Vec<double>::of(vcvt_high_f64_f32(a.v)); }
FD_INLINE Vec<float> narrow(Vec<double> lo, Vec<double> hi) {
  return Vec<float>::of(vcvt_high_f32_f64(vcvt_f32_f64(lo.v), hi.v));
}

// Lanes i and i + half meet first, as on the other ISAs.
FD_INLINE float hsum(Vec<float> a) {
  const float32x2_t y = vadd_f32(vget_low_f32(a.v), vget_high_f32(a.v));
  return vget_lane_f32(y, 0) + vget_lane_f32(y, 1);
}
FD_INLINE double hsum(Vec<double> a) { return vgetq_lane_f64(a.v, 0) + vgetq_lane_f64(a.v, 1); }
FD_INLINE float hmax(Vec<float> a) { return vmaxvq_f32(a.v); }
FD_INLINE float hmin(Vec<float> a) { return vminvq_f32(a.v); }
FD_INLINE double hmax(Vec<double> a) { return vmaxvq_f64(a.v); }
FD_INLINE double hmin(Vec<double> a) { return vminvq_f64(a.v); }

FD_INLINE void store_bool(uint8_t* p, LaneMask<1> m) { vst1q_u8(p, vandq_u8(m.v, vdupq_n_u8(1))); }
FD_INLINE void store_bool(uint8_t* p, LaneMask<4> m) {
  const uint16x4_t words = vmovn_u32(uint32x4_t(m.v));
  const uint32x2_t bytes = uint32x2_t(vand_u8(vmovn_u16(vcombine_u16(words, words)), vdup_n_u8(1)));
  const uint32_t four = vget_lane_u32(bytes, 0);
  copy_bytes(p, &four, 4);
}
FD_INLINE void store_bool(uint8_t* p, LaneMask<8> m) {
  p[0] = m.v[0] & 1;
  p[1] = m.v[8] & 1;
}
template <int B>
FD_INLINE void store_bool(uint8_t* p, LaneMask<B> m, int64_t n) {
  uint8_t lanes[16 / B];
  store_bool(lanes, m);
  copy_bytes(p, lanes, size_t(n));
}
template <class T>
FD_INLINE Mask<T> load_bool(const uint8_t* p) {
  if constexpr (sizeof(T) == 1) {
    return Vec<uint8_t>::load(p) != Vec<uint8_t>(0);
  } else if constexpr (sizeof(T) == 4) {
    uint32_t four;
    copy_bytes(&four, p, 4);
    const uint32x4_t words = vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four))));
    return {uint8x16_t(vtstq_u32(words, words))};
  } else {
    const uint64x2_t words = {p[0], p[1]};
    return {uint8x16_t(vtstq_u64(words, words))};
  }
}
template <class T>
FD_INLINE Mask<T> load_bool(const uint8_t* p, int64_t n) {
  uint8_t lanes[16 / sizeof(T)] = {};
  copy_bytes(lanes, p, size_t(n));
  return load_bool<T>(lanes);
}

#undef FD_VEC_COMMON
#undef FD_VEC_FLOAT
#undef FD_VEC_INT
#undef FD_VEC_TAIL

}  // namespace fd::FD_ISA
