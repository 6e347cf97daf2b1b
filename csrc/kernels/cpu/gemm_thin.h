// Shapes that do not fill a register tile: a few short sums, many short sums (bound by writing C), a few rows of C
// (bound by reading B), and products of few rows or columns whose operands lie along k, where vectors run along k and
// no operand is rearranged (bound by reading the larger operand, or by arithmetic when it is in cache).
#pragma once

#include <utility>

#include "kernels/cpu/gemm_finish.h"
#include "kernels/cpu/gemm_pack.h"

namespace fd::FD_ISA {

template <class T>
Finish<T> finish_of(const Gemm<T>& g, int64_t row, int64_t col) {
  return {g.bias ? g.bias + col * g.bias_step : nullptr,    g.bias_step, g.activation,
          g.gate ? g.gate + row * g.ldgate + col : nullptr, g.ldgate,    g.gate_activation};
}

// ----------------------------------------------------------------------------- a few terms of a few sums, B row-major

// Small enough that the call costs more than the arithmetic. Every product is rounded before it is added, and they are
// added in order: the bits are those of a reader's own loop over elementwise products, as book 7.4 compares them.
constexpr int64_t kFewTerms = 4;
constexpr int64_t kFewSums = 64;

template <class T>
void multiply_few_terms(const Gemm<T>& g, const Piece& piece) {
  const int64_t a_row = g.trans_a ? 1 : g.lda, a_step = g.trans_a ? g.lda : 1;
  for (int64_t i = piece.row_begin; i < piece.row_end; i++) {
    const T* const a = g.a + i * a_row;
    T* const c = g.c + i * g.ldc;
    for_vectors<T>(piece.col_begin, piece.col_end, [&](int64_t j, auto lanes) {
      Vec<T> sum = Vec<T>(a[0]) * load(g.b + j, lanes);
      if (g.accumulate) sum = load(c + j, lanes) + sum;
      for (int64_t l = 1; l < g.k; l++) sum = sum + Vec<T>(a[l * a_step]) * load(g.b + l * g.ldb + j, lanes);
      store(sum, c + j, lanes);
    });
  }
  finish(finish_of(g, piece.row_begin, piece.col_begin), g.c + piece.row_begin * g.ldc + piece.col_begin, g.ldc,
         piece.row_end - piece.row_begin, piece.col_end - piece.col_begin);
}

// ------------------------------------------------------------------- a few terms of many sums, B row-major

// Bound by writing C: each of its rows is written once, from end to end; past the caches, if it would not stay there.
constexpr int64_t kShortTerms = 4;
constexpr int64_t kRowCols = 2048;  // columns at a time: their part of B stays in L1

template <class T, int K>
void short_sums(const Gemm<T>& g, const Piece& piece, bool past) {
  const int64_t a_row = g.trans_a ? 1 : g.lda, a_step = g.trans_a ? g.lda : 1;
  for (int64_t j = piece.col_begin; j < piece.col_end; j += kRowCols) {
    const int64_t cols = least(kRowCols, piece.col_end - j);
    const T* const b = g.b + j;
    for (int64_t i = piece.row_begin; i < piece.row_end; i++) {
      T* const c = g.c + i * g.ldc + j;
      Vec<T> x[K];
      FD_UNROLL for (int u = 0; u < K; u++) x[u] = g.a[i * a_row + u * a_step];
      write_row(c, cols, past, b, [&](int64_t at, auto lanes) {
        Vec<T> sum = x[0] * load(b + at, lanes);
        FD_UNROLL for (int u = 1; u < K; u++) sum = fma(x[u], load(b + u * g.ldb + at, lanes), sum);
        return g.accumulate ? sum + load(c + at, lanes) : sum;
      });
      finish(finish_of(g, i, j), c, g.ldc, 1, cols);
    }
  }
  if (past) stream_fence();
}

template <class T>
void multiply_short_sums(const fd_context* context, const Gemm<T>& g, const Piece& piece) {
  const bool past =
      !g.accumulate && finish_of(g, 0, 0).nothing() && past_cache(context, g.m * g.n * int64_t(sizeof(T)));
  if (g.k == 1) return short_sums<T, 1>(g, piece, past);
  if (g.k == 2) return short_sums<T, 2>(g, piece, past);
  if (g.k == 3) return short_sums<T, 3>(g, piece, past);
  short_sums<T, 4>(g, piece, past);
}

// --------------------------------------------------------------------------------------- a few rows, B row-major

constexpr int kFewRows = 3;
constexpr int64_t kFewRowsCols = 2048;  // columns of C at a time: they stay in L1 while B streams by
#if defined(FD_ISA_AVX2)
constexpr int kStreams = 4;  // rows of B read at once: as many as their multipliers fit in registers
#else
constexpr int kStreams = 8;
#endif

// C's rows += A(:, l..l+U) B(l..l+U, :) for `cols` columns.
template <class T, int R, int U>
FD_INLINE void add_rows(const T* a, int64_t a_row, int64_t a_step, const T* b, int64_t ldb, T* c, int64_t ldc,
                        int64_t cols) {
  Vec<T> x[R][U];
  FD_UNROLL for (int i = 0; i < R; i++) { FD_UNROLL for (int u = 0; u < U; u++) x[i][u] = a[i * a_row + u * a_step]; }
  for_vectors<T>(0, cols, [&](int64_t j, auto lanes) {
    Vec<T> sum[R];
    FD_UNROLL for (int i = 0; i < R; i++) sum[i] = load(c + i * ldc + j, lanes);
    FD_UNROLL for (int u = 0; u < U; u++) {
      const Vec<T> row = load(b + u * ldb + j, lanes);
      FD_UNROLL for (int i = 0; i < R; i++) sum[i] = fma(x[i][u], row, sum[i]);
    }
    FD_UNROLL for (int i = 0; i < R; i++) store(sum[i], c + i * ldc + j, lanes);
  });
}

template <class T, int R>
void few_rows(const Gemm<T>& g, int64_t begin, int64_t end) {
  const int64_t a_row = g.trans_a ? 1 : g.lda, a_step = g.trans_a ? g.lda : 1;
  for (int64_t j = begin; j < end; j += kFewRowsCols) {
    const int64_t cols = least(kFewRowsCols, end - j);
    T* const c = g.c + j;
    if (!g.accumulate)
      for (int i = 0; i < R; i++) fill(c + i * g.ldc, cols, T(0));
    int64_t l = 0;
    for (; l + kStreams <= g.k; l += kStreams)
      add_rows<T, R, kStreams>(g.a + l * a_step, a_row, a_step, g.b + l * g.ldb + j, g.ldb, c, g.ldc, cols);
    for (; l < g.k; l++) add_rows<T, R, 1>(g.a + l * a_step, a_row, a_step, g.b + l * g.ldb + j, g.ldb, c, g.ldc, cols);
    finish(finish_of(g, 0, j), c, g.ldc, R, cols);
  }
}

#if defined(FD_ISA_AVX2)
constexpr int kStripVecs = 12;
#else
constexpr int kStripVecs = 16;
#endif

// One row of C so short that it stays in registers: B is read once, row after row. lanes: of the last vector.
template <class T, int NV>
void strip(const Gemm<T>& g, int64_t begin, int64_t lanes) {
  constexpr int L = Vec<T>::kLanes;
  const auto each = [&](const auto& body) {
    FD_UNROLL for (int v = 0; v < NV - 1; v++) body(v, Whole{});
    body(NV - 1, lanes);
  };
  const int64_t a_step = g.trans_a ? g.lda : 1;
  const T *a = g.a, *b = g.b + begin;
  T* const c = g.c + begin;
  Vec<T> sum[NV];
  each([&](int v, auto n) { sum[v] = g.accumulate ? load(c + v * L, n) : Vec<T>(T(0)); });
  for (int64_t l = 0; l < g.k; l++, a += a_step, b += g.ldb) {
    const Vec<T> x = *a;
    each([&](int v, auto n) { sum[v] = fma(x, load(b + v * L, n), sum[v]); });
  }
  each([&](int v, auto n) { store(sum[v], c + v * L, n); });
  finish(finish_of(g, 0, begin), c, g.ldc, 1, (NV - 1) * L + lanes);
}

template <class T, int... I>
void multiply_strip(const Gemm<T>& g, int64_t begin, int64_t end, std::integer_sequence<int, I...>) {
  using Strip = void (*)(const Gemm<T>&, int64_t begin, int64_t lanes);
  static constexpr Strip strips[] = {strip<T, I + 1>...};
  const int64_t before = (end - begin - 1) / Vec<T>::kLanes;
  strips[before](g, begin, end - begin - before * Vec<T>::kLanes);
}

template <class T>
void multiply_few_rows(const Gemm<T>& g, int64_t begin, int64_t end) {
  if (g.m == 1 && end - begin <= kStripVecs * Vec<T>::kLanes)
    return multiply_strip(g, begin, end, std::make_integer_sequence<int, kStripVecs>());
  if (g.m == 1) return few_rows<T, 1>(g, begin, end);
  if (g.m == 2) return few_rows<T, 2>(g, begin, end);
  few_rows<T, 3>(g, begin, end);
}

// ------------------------------------------------------------------------------------ both operands along k

#if defined(FD_ISA_AVX2)
constexpr int kDotRows = 3, kDotCols = 4;
#else
constexpr int kDotRows = 4, kDotCols = 6;
#endif

// Operands of a product whose rows of A and columns of B are contiguous.
template <class T>
struct Dots {
  int64_t k;
  const T* a;
  int64_t a_row;
  const T* b;
  int64_t b_col;
  T* c;
  int64_t ldc;
  bool accumulate;
};

// sums[i] = hsum(v[i]), as many at once as a vector holds.
template <class T, int Count>
FD_INLINE void sum_lanes(const Vec<T> (&v)[Count], T (&sums)[Count]) {
  constexpr int L = Vec<T>::kLanes, kRest = Count % L, kWhole = Count - kRest;
  FD_UNROLL for (int i = 0; i < kWhole; i += L) {
    VecSquare<T> part;
    FD_UNROLL for (int j = 0; j < L; j++) part[j] = v[i + j];
    hsums(part).store(sums + i);
  }
  if constexpr (kRest * 4 >= L) {
    VecSquare<T> part;
    FD_UNROLL for (int j = 0; j < L; j++) part[j] = j < kRest ? v[kWhole + j] : Vec<T>(T(0));
    hsums(part).store(sums + kWhole, kRest);
  } else {
    FD_UNROLL for (int i = kWhole; i < Count; i++) sums[i] = hsum(v[i]);
  }
}

template <class T, int R, int N>
void dot_tile(const Dots<T>& d, int64_t row, int64_t col) {
  using V = Vec<T>;
  const T* const a = d.a + row * d.a_row;
  const T* const b = d.b + col * d.b_col;
  V acc[R * N];
  FD_UNROLL for (int i = 0; i < R * N; i++) acc[i] = V(T(0));
  for_vectors<T>(0, d.k, [&](int64_t l, auto lanes) {
    V x[R];
    FD_UNROLL for (int i = 0; i < R; i++) x[i] = load(a + i * d.a_row + l, lanes);
    FD_UNROLL for (int j = 0; j < N; j++) {
      const V y = load(b + j * d.b_col + l, lanes);
      FD_UNROLL for (int i = 0; i < R; i++) acc[i * N + j] = fma(x[i], y, acc[i * N + j]);
    }
  });
  T sums[R * N];
  sum_lanes(acc, sums);
  FD_UNROLL for (int i = 0; i < R; i++) {
    T* const c = d.c + (row + i) * d.ldc + col;
    if (d.accumulate) {
      FD_UNROLL for (int j = 0; j < N; j++) c[j] += sums[i * N + j];
    } else {
      copy_bytes(c, sums + i * N, N * sizeof(T));
    }
  }
}

template <class T>
using DotTile = void (*)(const Dots<T>&, int64_t row, int64_t col);

template <class T, int... I>
DotTile<T> pick_dot_tile(int rows, int cols, std::integer_sequence<int, I...>) {
  static constexpr DotTile<T> tiles[] = {dot_tile<T, I / kDotCols + 1, I % kDotCols + 1>...};
  return tiles[(rows - 1) * kDotCols + cols - 1];
}

template <class T>
void multiply_dots(const Dots<T>& d, const Piece& piece) {
  constexpr auto all = std::make_integer_sequence<int, kDotRows * kDotCols>();
  const int64_t rows = piece.row_end - piece.row_begin, cols = piece.col_end - piece.col_begin;
  const int64_t row_groups = ceil_div(rows, kDotRows), col_groups = ceil_div(cols, kDotCols);
  const auto tile = [&](int64_t r, int64_t c) {
    const int64_t i = rows * r / row_groups, j = cols * c / col_groups;
    const int64_t height = rows * (r + 1) / row_groups - i, width = cols * (c + 1) / col_groups - j;
    pick_dot_tile<T>(int(height), int(width), all)(d, piece.row_begin + i, piece.col_begin + j);
  };
  // The smaller operand is read again and again, the larger one once.
  if (rows >= cols) {
    for (int64_t r = 0; r < row_groups; r++)
      for (int64_t c = 0; c < col_groups; c++) tile(r, c);
  } else {
    for (int64_t c = 0; c < col_groups; c++)
      for (int64_t r = 0; r < row_groups; r++) tile(r, c);
  }
}

}  // namespace fd::FD_ISA
