// Accurate sums of contiguous elements and of columns.
//
// float32 is added up in float over 64 vectors at most (16 additions one after the other in each of four registers),
// then in double: closer than pairwise summation in float, for one conversion per 64 vectors. Along columns a tree of 4
// rows is added in float, then in double. float64 takes the same way without the conversion.
#pragma once

#include "kernels/cpu/simd.h"

namespace fd::FD_ISA {

// What is added up for an element. kWide: in double from the start, by one fused operation.
struct Plain {
  static constexpr bool kWide = false;
  template <class T>
  FD_INLINE static Vec<T> of(Vec<T> x) {
    return x;
  }
};
struct Absolute {
  static constexpr bool kWide = false;
  template <class T>
  FD_INLINE static Vec<T> of(Vec<T> x) {
    return abs(x);
  }
};
struct Squared {
  static constexpr bool kWide = true;
  FD_INLINE static Vec<double> add(Vec<double> sum, Vec<double> x) { return fma(x, x, sum); }
};
struct Nonzero {
  static constexpr bool kWide = false;
  template <class T>
  FD_INLINE static Vec<T> of(Vec<T> x) {
    return select(x != Vec<T>(T(0)), Vec<T>(T(1)), Vec<T>(T(0)));
  }
};

// A vector of double per vector of T, or two.
struct WideSum {
  Vec<double> lo = 0.0, hi = 0.0;
  FD_INLINE void add(Vec<float> x) {
    lo = lo + widen_lo(x);
    hi = hi + widen_hi(x);
  }
  FD_INLINE void add(Vec<double> x) { lo = lo + x; }
  FD_INLINE double total() const { return hsum(lo + hi); }
};

template <class Map, class T>
FD_INLINE void add_mapped(WideSum& sum, Vec<T> x) {
  if constexpr (Map::kWide && sizeof(T) == 4) {
    sum.lo = Map::add(sum.lo, widen_lo(x));
    sum.hi = Map::add(sum.hi, widen_hi(x));
  } else if constexpr (Map::kWide) {
    sum.lo = Map::add(sum.lo, x);
  } else {
    sum.add(Map::of(x));
  }
}

// The sum of 4 * turns vectors, formed in T.
template <class Map, class T>
FD_INLINE Vec<T> block_sum(const T* x, int64_t turns) {
  constexpr int L = Vec<T>::kLanes;
  Vec<T> a = T(0), b = T(0), c = T(0), d = T(0);
  for (int64_t i = 0; i < turns; i++, x += 4 * L) {
    a = a + Map::of(Vec<T>::load(x));
    b = b + Map::of(Vec<T>::load(x + L));
    c = c + Map::of(Vec<T>::load(x + 2 * L));
    d = d + Map::of(Vec<T>::load(x + 3 * L));
  }
  return (a + b) + (c + d);
}

template <class Map, class T>
double sum_contiguous(const T* x, int64_t n) {
  constexpr int64_t L = Vec<T>::kLanes;
  WideSum sum;
  int64_t i = 0;
  if constexpr (Map::kWide) {
    WideSum b, c, d;
    for (; i + 4 * L <= n; i += 4 * L) {
      add_mapped<Map>(sum, Vec<T>::load(x + i));
      add_mapped<Map>(b, Vec<T>::load(x + i + L));
      add_mapped<Map>(c, Vec<T>::load(x + i + 2 * L));
      add_mapped<Map>(d, Vec<T>::load(x + i + 3 * L));
    }
    sum.lo = (sum.lo + b.lo) + (c.lo + d.lo);
    sum.hi = (sum.hi + b.hi) + (c.hi + d.hi);
  } else {
    while (n - i >= 4 * L) {
      const int64_t turns = (n - i) / (4 * L) < 16 ? (n - i) / (4 * L) : 16;
      sum.add(block_sum<Map>(x + i, turns));
      i += turns * 4 * L;
    }
  }
  for (; i + L <= n; i += L) add_mapped<Map>(sum, Vec<T>::load(x + i));
  if (i < n) add_mapped<Map>(sum, Vec<T>::load(x + i, n - i));
  return sum.total();
}

// acc[c] += the sum of Rows vectors at column c, the first at x and `stride` apart, of which n lanes count.
template <class Map, int Rows, class T, class... N>
FD_INLINE void add_to_columns(double* acc, const T* x, int64_t stride, N... n) {
  WideSum sum;
  sum.lo = Vec<double>::load(acc);
  if constexpr (sizeof(T) == 4) sum.hi = Vec<double>::load(acc + Vec<double>::kLanes);
  if constexpr (Rows == 4 && !Map::kWide) {
    const auto row = [&](int64_t r) { return Map::of(Vec<T>::load(x + r * stride, n...)); };
    sum.add((row(0) + row(1)) + (row(2) + row(3)));
  } else {
    for (int64_t r = 0; r < Rows; r++) add_mapped<Map>(sum, Vec<T>::load(x + r * stride, n...));
  }
  sum.lo.store(acc);
  if constexpr (sizeof(T) == 4) sum.hi.store(acc + Vec<double>::kLanes);
}

template <class Map, int Rows, class T>
FD_INLINE void sum_rows(double* acc, const T* x, int64_t stride, int64_t width) {
  constexpr int64_t L = Vec<T>::kLanes;
  int64_t c = 0;
  for (; c + L <= width; c += L) add_to_columns<Map, Rows>(acc + c, x + c, stride);
  if (c < width) add_to_columns<Map, Rows>(acc + c, x + c, stride, width - c);
}

// acc[c] += the sum over rows of column c; acc is whole vectors.
template <class Map, class T>
void sum_columns(double* acc, const T* x, int64_t rows, int64_t stride, int64_t width) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) sum_rows<Map, 4>(acc, x + r * stride, stride, width);
  for (; r < rows; r++) sum_rows<Map, 1>(acc, x + r * stride, stride, width);
}

}  // namespace fd::FD_ISA
