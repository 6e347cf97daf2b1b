// Element types on the device: one C++ type per dtype, the halves as storage, and conversion between any two exactly as
// kernels/reference has it.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "kernels/cuda/fd/cuda.h"
#include "kernels/kernels.h"

namespace fd::gpu {

struct Float16 {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

template <class T>
constexpr bool is_half = std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>;
template <class T>
constexpr bool is_bool = std::is_same_v<T, bool>;
template <class T>
constexpr bool is_integer = std::is_integral_v<T> && !is_bool<T>;
template <class T>
constexpr bool is_floating = std::is_floating_point_v<T>;

// Calls f.operator()<T>(dtype) with the element type of every dtype.
template <class F>
void for_each_dtype(F f) {
  f.template operator()<bool>(FD_BOOL);
  f.template operator()<uint8_t>(FD_U8);
  f.template operator()<int32_t>(FD_I32);
  f.template operator()<int64_t>(FD_I64);
  f.template operator()<Float16>(FD_F16);
  f.template operator()<BFloat16>(FD_BF16);
  f.template operator()<float>(FD_F32);
  f.template operator()<double>(FD_F64);
}

template <class F>
void for_each_floating(F f) {
  f.template operator()<float>(FD_F32);
  f.template operator()<double>(FD_F64);
}

__host__ __device__ inline uint32_t bits_of(float x) {
  union {
    float f;
    uint32_t u;
  } v = {x};
  return v.u;
}
__host__ __device__ inline float float_of(uint32_t bits) {
  union {
    uint32_t u;
    float f;
  } v = {bits};
  return v.f;
}

__host__ __device__ inline float to_float(Float16 h) {
  const uint32_t sign = uint32_t(h.bits & 0x8000) << 16, exponent = h.bits >> 10 & 31, fraction = h.bits & 1023;
  if (exponent == 0) return float_of(sign | bits_of(float(fraction) * 0x1p-24f));
  return float_of(sign | (exponent == 31 ? 255 : exponent + (127 - 15)) << 23 | fraction << 13);
}
__host__ __device__ inline float to_float(BFloat16 h) { return float_of(uint32_t(h.bits) << 16); }

// The float whose last bit is 1 unless x is exact: rounding it once more, to a half, is rounding x once.
__host__ __device__ inline float round_to_odd(double x) {
  const float f = float(x);
  if (double(f) == x || x != x) return f;
  const uint32_t bits = bits_of(f);
  if (bits & 1) return f;
  const double magnitude = f < 0 ? -double(f) : double(f);
  return float_of(magnitude < (x < 0 ? -x : x) ? bits + 1 : bits - 1);
}

__host__ __device__ inline Float16 to_float16(float x) {
  const uint32_t all = bits_of(x), bits = all & 0x7fffffff;
  const uint32_t sign = all >> 16 & 0x8000;
  if (bits > 0x7f800000) return {uint16_t(sign | 0x7e00)};   // NaN
  if (bits >= 0x477ff000) return {uint16_t(sign | 0x7c00)};  // 65520 and more: infinity
  if (bits < 0x38800000)                                     // below 2^-14: multiples of the last bit of 0.5f
    return {uint16_t(sign | (bits_of(float_of(bits) + 0.5f) - bits_of(0.5f)))};
  const uint32_t rebased = bits - ((127 - 15) << 23);
  return {uint16_t(sign | (rebased + 0xfff + (rebased >> 13 & 1)) >> 13)};
}

__host__ __device__ inline BFloat16 to_bfloat16(float x) {
  const uint32_t bits = bits_of(x);
  if ((bits & 0x7fffffff) > 0x7f800000) return {uint16_t(bits >> 16 | 0x40)};
  return {uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

// A float on the way to a half.
template <class From>
__host__ __device__ float before_half(From x) {
  if constexpr (std::is_same_v<From, float>)
    return x;
  else
    return round_to_odd(static_cast<double>(x));
}

template <class To, class From>
__host__ __device__ To convert(From x) {
  if constexpr (std::is_same_v<From, To>) {
    return x;
  } else if constexpr (is_half<From>) {
    return convert<To>(to_float(x));
  } else if constexpr (std::is_same_v<To, Float16>) {
    return to_float16(before_half(x));
  } else if constexpr (std::is_same_v<To, BFloat16>) {
    return to_bfloat16(before_half(x));
  } else if constexpr (is_bool<To>) {
    return x != From(0);
  } else if constexpr (is_floating<From> && is_integer<To>) {
    const bool fits = x >= From(-0x1p63) && x < From(0x1p63);
    return static_cast<To>(fits ? static_cast<int64_t>(x) : INT64_MIN);
  } else {
    return static_cast<To>(x);
  }
}

template <class T>
__host__ __device__ T from_scalar(fd_scalar s) {
  if constexpr (is_floating<T> || is_half<T>)
    return convert<T>(s.f);
  else
    return convert<T>(s.i);
}

// Integer arithmetic wraps around.
template <class T>
__device__ T plus(T a, T b) {
  if constexpr (is_integer<T>)
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  else
    return a + b;
}
template <class T>
__device__ T minus(T a, T b) {
  if constexpr (is_integer<T>)
    return static_cast<T>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
  else
    return a - b;
}
template <class T>
__device__ T times(T a, T b) {
  if constexpr (is_integer<T>)
    return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  else
    return a * b;
}

template <class T>
__device__ bool is_negative([[maybe_unused]] T x) {
  if constexpr (std::is_signed_v<T>)
    return x < T(0);
  else
    return false;
}

template <class T>
__device__ bool is_nan(T x) {
  if constexpr (is_floating<T>)
    return x != x;
  else
    return false;
}

// 1 / (1 + e^-x) without overflow of e^-x.
template <class T>
__device__ T logistic(T x) {
  if (x >= 0) return T(1) / (T(1) + std::exp(-x));
  const T e = std::exp(x);
  return e / (T(1) + e);
}

// N neighbouring elements, moved as one.
template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
  T at[N];
};

inline bool aligned(const void* p, size_t to) { return reinterpret_cast<uintptr_t>(p) % to == 0; }

}  // namespace fd::gpu
