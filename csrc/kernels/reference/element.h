// Element types of the reference kernels: one C++ type per dtype, and the two halves as storage.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "kernels/kernels.h"

namespace fd::reference {

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
constexpr bool is_floating = std::is_floating_point_v<T>;  // those with arithmetic: float and double

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

inline float to_float(Float16 h) {
  const uint32_t sign = uint32_t(h.bits & 0x8000) << 16, exponent = h.bits >> 10 & 31, fraction = h.bits & 1023;
  if (exponent == 0) return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(float(fraction) * 0x1p-24f));
  const uint32_t wide = exponent == 31 ? 255 : exponent + (127 - 15);
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

inline float to_float(BFloat16 h) { return std::bit_cast<float>(uint32_t(h.bits) << 16); }

// Rounds to the float whose last bit is 1 unless x is exact: rounding that once more, to a shorter type, gives what
// rounding x directly would have given.
inline float round_to_odd(double x) {
  const float f = static_cast<float>(x);
  if (double(f) == x || x != x) return f;
  uint32_t bits = std::bit_cast<uint32_t>(f);
  if (!(bits & 1)) bits += std::fabs(double(f)) < std::fabs(x) ? 1 : -1;
  return std::bit_cast<float>(bits);
}

inline Float16 to_float16(double x) {
  const uint32_t all = std::bit_cast<uint32_t>(round_to_odd(x)), bits = all & 0x7fffffff;
  const uint16_t sign = uint16_t(all >> 16 & 0x8000);
  if (bits > 0x7f800000) return {uint16_t(sign | 0x7e00)};   // NaN
  if (bits >= 0x477ff000) return {uint16_t(sign | 0x7c00)};  // 65520 and more: infinity
  if (bits < 0x38800000) {                                   // below 2^-14: multiples of 2^-24, the last bit of 0.5f
    const float sum = std::bit_cast<float>(bits) + 0.5f;
    return {uint16_t(sign | (std::bit_cast<uint32_t>(sum) - std::bit_cast<uint32_t>(0.5f)))};
  }
  const uint32_t rebased = bits - ((127 - 15) << 23);
  return {uint16_t(sign | (rebased + 0xfff + (rebased >> 13 & 1)) >> 13)};
}

inline BFloat16 to_bfloat16(double x) {
  const uint32_t bits = std::bit_cast<uint32_t>(round_to_odd(x));
  if ((bits & 0x7fffffff) > 0x7f800000) return {uint16_t(bits >> 16 | 0x40)};
  return {uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

// One value from any element type to any other: float to integer truncates (outside int64 and for NaN: the smallest
// int64, of which a narrower integer keeps the low bits), anything to bool is x != 0, to half rounds to nearest even.
template <class To, class From>
To convert(From x) {
  if constexpr (is_half<From>) {
    if constexpr (std::is_same_v<From, To>)
      return x;
    else
      return convert<To>(to_float(x));
  } else if constexpr (std::is_same_v<To, Float16>) {
    return to_float16(static_cast<double>(x));
  } else if constexpr (std::is_same_v<To, BFloat16>) {
    return to_bfloat16(static_cast<double>(x));
  } else if constexpr (is_bool<To>) {
    return x != From(0);
  } else if constexpr (is_floating<From> && is_integer<To>) {
    const bool fits = x >= From(-0x1p63) && x < From(0x1p63);
    return static_cast<To>(fits ? static_cast<int64_t>(x) : std::numeric_limits<int64_t>::min());
  } else {
    return static_cast<To>(x);
  }
}

template <class T>
T from_scalar(fd_scalar s) {
  if constexpr (is_floating<T> || is_half<T>)
    return convert<T>(s.f);
  else
    return convert<T>(s.i);
}

// Integer arithmetic wraps around, as unsigned arithmetic does by definition.
template <class T>
T wrapping_add(T a, T b) {
  if constexpr (is_integer<T>)
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  else
    return a + b;
}
template <class T>
T wrapping_sub(T a, T b) {
  if constexpr (is_integer<T>)
    return static_cast<T>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
  else
    return a - b;
}
template <class T>
T wrapping_mul(T a, T b) {
  if constexpr (is_integer<T>)
    return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  else
    return a * b;
}

template <class T>
bool is_nan(T x) {
  if constexpr (is_floating<T>)
    return x != x;
  else
    return false;
}

// 1 / (1 + e^-x) without overflow of e^-x.
inline double logistic(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1 + e);
}

}  // namespace fd::reference
