// Copies of A and B in the order the tiles read them, for operands whose own layout is too slow to read in place.
#pragma once

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/transpose.h"

namespace fd::FD_ISA {

// to[l * to_step + j] = from[j][l] for every lane j and l < length, at most as many as there are lanes.
template <class T>
FD_INLINE void transpose_square(const T* const* from, int64_t length, T* to, int64_t to_step) {
  constexpr int L = Vec<T>::kLanes;
  VecSquare<T> v;
  if (length == L) {
    FD_UNROLL for (int i = 0; i < L; i++) v[i] = Vec<T>::load(from[i]);
    transpose(v);
    FD_UNROLL for (int i = 0; i < L; i++) v[i].store(to + i * to_step);
    return;
  }
  FD_UNROLL for (int i = 0; i < L; i++) v[i] = Vec<T>::load(from[i], length);
  transpose(v);
  FD_UNROLL for (int i = 0; i < L; i++) {
    if (i < length) v[i].store(to + i * to_step);
  }
}

constexpr int64_t kTurnedRun = 64;  // elements of a column at a time, for the prefetcher to follow

// to[l * width + j] = from[j * from_step + l] for j < columns, l < k; the columns up to width (a whole number of
// vectors) repeat the last one, so that unused lanes never hold stale memory.
template <class T>
void transpose_panel(const T* from, int64_t from_step, int64_t columns, int64_t k, T* to, int64_t width) {
  constexpr int L = Vec<T>::kLanes;
  for (int64_t begin = 0; begin < k; begin += kTurnedRun) {
    const int64_t end = least(k, begin + kTurnedRun);
    for (int64_t j = 0; j < width; j += L) {
      const T* column[L];
      FD_UNROLL for (int i = 0; i < L; i++) column[i] = from + least(j + i, columns - 1) * from_step + begin;
      for (int64_t l = begin; l < end; l += L) {
        transpose_square(column, least<int64_t>(L, end - l), to + l * width + j, width);
        FD_UNROLL for (int i = 0; i < L; i++) column[i] += L;
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
