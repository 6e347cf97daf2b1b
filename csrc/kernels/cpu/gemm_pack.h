// Copies of A and B in the order the tiles read them, for operands whose own layout is too slow to read in place.
#pragma once

#include <utility>

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/transpose.h"

namespace fd::FD_ISA {

// How many elements beyond k a copied row of A is given: whole lines, and an odd number of them, so that the rows of a
// tile do not share a cache set.
template <class T>
constexpr int64_t padded_row(int64_t k) {
  constexpr int64_t kLine = 64 / int64_t(sizeof(T));
  return (ceil_div(k, kLine) | 1) * kLine;
}

// Short rows without gaps, turned: their vectors are read as they lie, N of them to a vector of each column, which
// picks its elements out of one after the other. From half a vector on, and where a shuffle cannot pick from all of two
// vectors at once, turning squares costs less.
#if defined(FD_ISA_AVX512)
template <class T>
constexpr int kPickedCols = Vec<T>::kLanes / 2;
#else
template <class T>
constexpr int kPickedCols = 1;
#endif

// The column's elements that vector V of the N holds, put in their places.
template <int N, int Column, int V, class T, int... Lane>
FD_INLINE Vec<T> pick(Vec<T> so_far, const Vec<T>& v, std::integer_sequence<int, Lane...>) {
  constexpr int L = Vec<T>::kLanes;
  constexpr auto from = [](int lane) {
    const int at = lane * N + Column;
    return at / L == V ? L + at % L : V == 1 && at < L ? at : lane;
  };
  return Vec<T>::of(shuffled<from(Lane)...>(so_far.v, v.v));
}

template <int N, int Column, class T, int... V>
FD_INLINE Vec<T> picked_column(const Vec<T> (&v)[N], std::integer_sequence<int, V...>) {
  Vec<T> column = v[0];
  ((column = pick<N, Column, V + 1>(column, v[V + 1], std::make_integer_sequence<int, Vec<T>::kLanes>())), ...);
  return column;
}

template <class T, int N, int... Column>
void turn_short_rows(const T* from, int64_t rows, T* to, int64_t to_step, std::integer_sequence<int, Column...>) {
  constexpr int L = Vec<T>::kLanes;
  for (int64_t l = 0; l < rows; l += L, from += L * N) {
    const int64_t here = least<int64_t>(L, rows - l);
    Vec<T> v[N];
    FD_UNROLL for (int i = 0; i < N; i++) v[i] =
        Vec<T>::load(from + i * L, most<int64_t>(0, least<int64_t>(L, here * N - i * L)));
    (picked_column<N, Column>(v, std::make_integer_sequence<int, N - 1>()).store(to + Column * to_step + l, here), ...);
  }
}

template <class T, int... N>
auto pick_turn(int64_t cols, std::integer_sequence<int, N...>) {
  using Turn = void (*)(const T*, int64_t, T*, int64_t);
  static constexpr Turn turns[] = {[](const T* from, int64_t rows, T* to, int64_t to_step) {
    turn_short_rows<T, N + 2>(from, rows, to, to_step, std::make_integer_sequence<int, N + 2>());
  }...};
  return turns[cols - 2];
}

// B(0..rows, 0..cols) with its columns along k: column j at turned + j * length, where length is rows in whole vectors.
template <class T>
void turn_columns(const T* b, int64_t ldb, int64_t rows, int64_t cols, T* turned, int64_t length) {
  if constexpr (kPickedCols<T> > 1) {
    if (ldb == cols && cols > 1 && cols <= kPickedCols<T>)
      return pick_turn<T>(cols, std::make_integer_sequence<int, kPickedCols<T> - 1>())(b, rows, turned, length);
  }
  transpose_panel(b, ldb, rows, cols, turned, length);
}

}  // namespace fd::FD_ISA
