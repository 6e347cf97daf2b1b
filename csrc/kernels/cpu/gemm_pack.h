// Copies of A and B in the order the tiles read them, for operands whose own layout is too slow to read in place.
#pragma once

#include "kernels/cpu/gemm.h"

namespace fd::FD_ISA {

// Squares to transpose in registers: of 8 floats or 4 doubles, which AVX-512 does as well as AVX2; NEON's are half.
#if defined(FD_ISA_NEON)
constexpr int kSquareBytes = 16;
#else
constexpr int kSquareBytes = 32;
#endif
template <class T>
struct Square {
  static constexpr int kSide = kSquareBytes / int(sizeof(T));
  typedef T Row __attribute__((vector_size(kSquareBytes), aligned(sizeof(T)), may_alias));
};

#if defined(FD_ISA_NEON)

FD_INLINE void transpose_square(const float* const* from, float* to, int64_t to_step) {
  using Row = Square<float>::Row;
  Row r[4], s[4];
  FD_UNROLL for (int i = 0; i < 4; i++) r[i] = *reinterpret_cast<const Row*>(from[i]);
  FD_UNROLL for (int i = 0; i < 4; i += 2) {
    s[i] = shuffled<0, 4, 2, 6>(r[i], r[i + 1]);
    s[i + 1] = shuffled<1, 5, 3, 7>(r[i], r[i + 1]);
  }
  FD_UNROLL for (int i = 0; i < 2; i++) {
    *reinterpret_cast<Row*>(to + i * to_step) = shuffled<0, 1, 4, 5>(s[i], s[i + 2]);
    *reinterpret_cast<Row*>(to + (i + 2) * to_step) = shuffled<2, 3, 6, 7>(s[i], s[i + 2]);
  }
}

FD_INLINE void transpose_square(const double* const* from, double* to, int64_t to_step) {
  using Row = Square<double>::Row;
  const Row a = *reinterpret_cast<const Row*>(from[0]), b = *reinterpret_cast<const Row*>(from[1]);
  *reinterpret_cast<Row*>(to) = shuffled<0, 2>(a, b);
  *reinterpret_cast<Row*>(to + to_step) = shuffled<1, 3>(a, b);
}

#else

FD_INLINE void transpose_square(const float* const* from, float* to, int64_t to_step) {
  using Row = Square<float>::Row;
  Row r[8], s[8];
  FD_UNROLL for (int i = 0; i < 8; i++) r[i] = *reinterpret_cast<const Row*>(from[i]);
  FD_UNROLL for (int i = 0; i < 8; i += 2) {
    s[i] = shuffled<0, 8, 1, 9, 4, 12, 5, 13>(r[i], r[i + 1]);
    s[i + 1] = shuffled<2, 10, 3, 11, 6, 14, 7, 15>(r[i], r[i + 1]);
  }
  FD_UNROLL for (int i = 0; i < 8; i += 4) {
    r[i] = shuffled<0, 1, 8, 9, 4, 5, 12, 13>(s[i], s[i + 2]);
    r[i + 1] = shuffled<2, 3, 10, 11, 6, 7, 14, 15>(s[i], s[i + 2]);
    r[i + 2] = shuffled<0, 1, 8, 9, 4, 5, 12, 13>(s[i + 1], s[i + 3]);
    r[i + 3] = shuffled<2, 3, 10, 11, 6, 7, 14, 15>(s[i + 1], s[i + 3]);
  }
  FD_UNROLL for (int i = 0; i < 4; i++) {
    *reinterpret_cast<Row*>(to + i * to_step) = shuffled<0, 1, 2, 3, 8, 9, 10, 11>(r[i], r[i + 4]);
    *reinterpret_cast<Row*>(to + (i + 4) * to_step) = shuffled<4, 5, 6, 7, 12, 13, 14, 15>(r[i], r[i + 4]);
  }
}

FD_INLINE void transpose_square(const double* const* from, double* to, int64_t to_step) {
  using Row = Square<double>::Row;
  Row r[4], s[4];
  FD_UNROLL for (int i = 0; i < 4; i++) r[i] = *reinterpret_cast<const Row*>(from[i]);
  FD_UNROLL for (int i = 0; i < 4; i += 2) {
    s[i] = shuffled<0, 4, 2, 6>(r[i], r[i + 1]);
    s[i + 1] = shuffled<1, 5, 3, 7>(r[i], r[i + 1]);
  }
  FD_UNROLL for (int i = 0; i < 2; i++) {
    *reinterpret_cast<Row*>(to + i * to_step) = shuffled<0, 1, 4, 5>(s[i], s[i + 2]);
    *reinterpret_cast<Row*>(to + (i + 2) * to_step) = shuffled<2, 3, 6, 7>(s[i], s[i + 2]);
  }
}

#endif

// to[l * width + j] = from[j * from_step + l] for j < columns, l < k; the columns up to width (a whole number of
// squares) repeat the last one, so that unused lanes never hold stale memory.
template <class T>
void transpose_panel(const T* from, int64_t from_step, int64_t columns, int64_t k, T* to, int64_t width) {
  constexpr int S = Square<T>::kSide;
  constexpr int64_t kLine = 64 / int64_t(sizeof(T));
  for (int64_t begin = 0; begin < k; begin += kLine) {  // one cache line of every column at a time
    const int64_t end = least(k, begin + kLine);
    for (int64_t j = 0; j < width; j += S) {
      const T* column[S];
      FD_UNROLL for (int i = 0; i < S; i++) column[i] = from + least(j + i, columns - 1) * from_step + begin;
      int64_t l = begin;
      for (; l + S <= end; l += S) {
        transpose_square(column, to + l * width + j, width);
        FD_UNROLL for (int i = 0; i < S; i++) column[i] += S;
      }
      for (; l < end; l++) {
        FD_UNROLL for (int i = 0; i < S; i++) to[l * width + j + i] = *column[i]++;
      }
    }
  }
}

// How many elements beyond k a copied row of A is given: whole lines, and an odd number of them, so that the rows of a
// tile do not share a cache set.
template <class T>
constexpr int64_t padded_row(int64_t k) {
  constexpr int64_t kLine = 64 / int64_t(sizeof(T));
  return (ceil_div(k, kLine) | 1) * kLine;
}

}  // namespace fd::FD_ISA
