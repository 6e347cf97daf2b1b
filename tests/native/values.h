// Test data: reproducible numbers of every dtype, with the special ones strewn in.
#pragma once

#include <algorithm>
#include <array>

#include "harness.h"

namespace fd::native {

// splitmix64 (Steele, Lea, Flood 2014)
class Random {
 public:
  explicit Random(uint64_t seed = 1) : state_(seed) {}
  uint64_t bits() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }
  double uniform(double low, double high) { return low + (high - low) * double(bits() >> 11) * 0x1p-53; }
  int64_t below(int64_t n) { return int64_t(bits() % uint64_t(n)); }

 private:
  uint64_t state_;
};

enum class Specials { none, finite, all };  // finite: everything but infinities

struct Range {
  double low = -8, high = 8;
  Specials specials = Specials::all;
};

template <class T>
T special_float(Random& random, Specials which) {
  using Limits = std::numeric_limits<T>;
  const T values[] = {T(0), T(-0.0), T(1), T(-1), T(0.5), T(-0.5), T(1.5), T(2.5), T(-2.5), Limits::quiet_NaN(),
                      Limits::denorm_min(), -Limits::denorm_min(), Limits::min(), -Limits::min(), Limits::epsilon(),
                      T(1e-20), T(-1e-20), T(1e5), T(-1e5), T(8388607.5), T(1e10), T(-1e10), T(30), T(-30), T(90),
                      T(-90), T(110), T(-110), T(1) - Limits::epsilon() / 2, T(3.14159265358979),
                      // the infinite ones and their neighbours last
                      Limits::max(), Limits::lowest(), Limits::infinity(), -Limits::infinity()};
  return values[random.below(int64_t(std::size(values)) - (which == Specials::all ? 0 : 4))];
}

template <class T>
T any_value(Random& random, const Range& range) {
  if constexpr (is_half<T>) {
    const uint16_t bits = uint16_t(random.bits());
    return random.below(4) ? reference::convert<T>(random.uniform(range.low, range.high)) : T{bits};
  } else if constexpr (is_bool<T>) {
    return random.below(3) > 0;
  } else if constexpr (is_integer<T>) {
    if (range.specials != Specials::none && random.below(8) == 0)
      return std::array{std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), T(0), T(1),
                        T(-1)}[random.below(5)];
    const double low = std::is_unsigned_v<T> ? std::max(range.low, 0.0) : range.low;
    return static_cast<T>(int64_t(std::floor(random.uniform(low, range.high + 1))));
  } else {
    if (range.specials != Specials::none && random.below(8) == 0) return special_float<T>(random, range.specials);
    return static_cast<T>(random.uniform(range.low, range.high));
  }
}

template <class T>
void fill(T* p, int64_t n, Random& random, const Range& range = {}) {
  for (int64_t i = 0; i < n; i++) p[i] = any_value<T>(random, range);
}

inline fd_scalar scalar_of(fd_dtype dtype, double x) {
  fd_scalar s;
  if (dtype >= FD_F16)
    s.f = x;
  else
    s.i = int64_t(x);
  return s;
}

// Sizes around vector widths (8 floats, 16 floats) and multiples of them.
inline constexpr int64_t kSizes[] = {0,  1,  2,  3,  4,  5,  7,  8,   9,   15,  16,
                                     17, 31, 32, 33, 63, 64, 65, 100, 127, 129, 1000};

}  // namespace fd::native
