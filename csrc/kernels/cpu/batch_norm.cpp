// Batch normalisation, forward and backward, of x [n, c, s].
//
// Bound by memory: forward must read x twice (statistics, then y), backward x and gy twice. What fits in L2 is finished
// by one task, so that the second reading comes from cache; larger data goes through in three steps (partial sums,
// their combination, the result), the last in reverse, so that it begins with what was read last.
//
// Forward and backward on one core: 256 x 256 37 us, 8192 x 1024 8.3 ms, 1.6 times a non-temporal copy of the five
// arrays, each step at the rate of memory (AVX-512, Intel(R) Xeon(R) Processor @ 2.10GHz; docs/kernels/batch_norm.md).
//
// This file: short planes (s < kPlane), where a row is c s columns: vectors run across the columns and rows are met in
// blocks of kBlockRows. Long planes are in batch_norm_planes.cpp.
//
// Variance: groups of eight rows around their own mean, joined by the update of Chan, Golub and LeVeque (1983), all
// relative to the mean of a block's first group; blocks are combined in double. Nothing large is ever squared.
#include "kernels/cpu/batch_norm.h"

#include "kernels/cpu/table.h"

namespace fd::FD_ISA {
namespace {

constexpr int64_t kBlockRows = 256;
constexpr int kGroup = 8;
constexpr int64_t kStripRows = 512;  // up to here one task takes all rows of its columns
constexpr int64_t kSmallTask = 1 << 14, kLargeTask = 1 << 16, kLargeTotal = 1 << 20;  // elements

template <class T>
struct Columns {
  const fd_batch_norm& a;
  int64_t count = a.c * a.s;
  int64_t blocks = ceil_div(a.n, kBlockRows);
  // Per block and column. Forward: a base, the sum relative to it, the squares around the block's mean. Backward: the
  // sum of gy, of gy (x - mean).
  T* base = nullptr;
  T* first = nullptr;
  T* second = nullptr;
  T* coefficient[4] = {};  // per column: the members of Affine or GradientAffine

  Columns(fd_context* context, const fd_batch_norm& args) : a(args) {
    const int64_t arrays = 3 * blocks + 4;
    base = static_cast<T*>(context->workspace(context, 0, size_t(most<int64_t>(arrays * count, 1)) * sizeof(T)));
    first = base + blocks * count;
    second = first + blocks * count;
    for (int k = 0; k < 4; k++) coefficient[k] = base + (3 * blocks + k) * count;
  }

  const T* x(int64_t row) const { return static_cast<const T*>(a.x) + row * count; }
  const T* gy(int64_t row) const { return static_cast<const T*>(a.gy) + row * count; }
  int64_t rows_of(int64_t block) const { return least(a.n - block * kBlockRows, kBlockRows); }

  template <class Coefficients>
  void spread(int64_t c, const Coefficients& values) {
    const T* value = reinterpret_cast<const T*>(&values);
    for (size_t k = 0; k < sizeof(values) / sizeof(T); k++) fill(coefficient[k] + c * a.s, a.s, value[k]);
  }
};

// ---------------------------------------------------------------------------------------------------------- forward

template <class T, size_t N>
FD_INLINE Vec<T> total(const Vec<T> (&x)[N]) {
  Vec<T> sum = x[0];
#pragma GCC unroll 8
  for (size_t i = 1; i < N; i++) sum = sum + x[i];
  return sum;
}

// R rows from x join the `before` rows whose sum and squares around their mean, relative to base, are in `sum` and
// `squares`. The first rows choose base, so that no sum grows much beyond the spread of the data.
template <int R, class T>
void join_rows(const Columns<T>& q, const T* x, int64_t before, int64_t block, int64_t begin, int64_t end) {
  T *base = q.base + block * q.count, *sum = q.first + block * q.count, *squares = q.second + block * q.count;
  const Vec<T> each{T(1.0 / R)}, zero{T(0)}, each_before{T(before ? 1.0 / double(before) : 0)};
  const Vec<T> spread{T(double(before) * R / double(before + R))};
  for_vectors<T>(begin, end, [&](int64_t j, auto lanes) {
    Vec<T> d[R], own = zero, around = zero;
#pragma GCC unroll 8
    for (int i = 0; i < R; i++) d[i] = load(x + i * q.count + j, lanes);
    Vec<T> centre, old_sum = zero, old_squares = zero;
    if (before == 0) {
      centre = total(d) * each;
      store(centre, base + j, lanes);
    } else {
      centre = load(base + j, lanes);
      old_sum = load(sum + j, lanes);
      old_squares = load(squares + j, lanes);
    }
#pragma GCC unroll 8
    for (auto& v : d) v = v - centre;
    const Vec<T> rows_sum = total(d);
    own = rows_sum * each;
#pragma GCC unroll 8
    for (const auto& v : d) around = fma(v - own, v - own, around);
    const Vec<T> apart = fnma(old_sum, each_before, own);
    store(old_sum + rows_sum, sum + j, lanes);
    store(old_squares + fma(apart * apart, spread, around), squares + j, lanes);
  });
}

template <class T>
void block_moments(const Columns<T>& q, int64_t block, int64_t begin, int64_t end) {
  const T* x = q.x(block * kBlockRows);
  const int64_t rows = q.rows_of(block);
  int64_t i = 0;
  for (; i + kGroup <= rows; i += kGroup) join_rows<kGroup>(q, x + i * q.count, i, block, begin, end);
  for (; i < rows; i++) join_rows<1>(q, x + i * q.count, i, block, begin, end);
}

template <class T>
Moments combine_moments(const Columns<T>& q, int64_t c) {
  const double all = double(q.a.n) * double(q.a.s);
  const int64_t begin = c * q.a.s, end = begin + q.a.s;
  double sum = 0, squares = 0;
  for (int64_t b = 0; b < q.blocks; b++)
    for (int64_t at = b * q.count + begin; at < b * q.count + end; at++)
      sum += double(q.rows_of(b)) * double(q.base[at]) + double(q.first[at]);
  const double mean = sum / all;
  for (int64_t b = 0; b < q.blocks; b++)
    for (int64_t at = b * q.count + begin; at < b * q.count + end; at++) {
      const double rows = double(q.rows_of(b)), off = double(q.base[at]) + double(q.first[at]) / rows - mean;
      squares += double(q.second[at]) + rows * off * off;
    }
  return {mean, squares / all};
}

template <class T>
void finish_forward(Columns<T>& q, int64_t begin, int64_t end) {
  for (int64_t c = begin; c < end; c++)
    q.spread(c, finish_channel<T>(q.a, c, q.a.training ? combine_moments(q, c) : Moments{}));
}

template <class T>
void apply_forward(const Columns<T>& q, int64_t from, int64_t to, int64_t begin, int64_t end, bool past) {
  for (int64_t row = from; row < to; row++) {
    const T* x = q.x(row) + begin;
    T* y = static_cast<T*>(q.a.y) + row * q.count + begin;
    write_row(y, end - begin, past, x + q.count, [&](int64_t j, auto lanes) {
      const Vec<T> centre = load(q.coefficient[0] + begin + j, lanes);
      const Vec<T> slope = load(q.coefficient[1] + begin + j, lanes), shift = load(q.coefficient[2] + begin + j, lanes);
      return fma(load(x + j, lanes) - centre, slope, shift);
    });
  }
  if (past) stream_fence();
}

// --------------------------------------------------------------------------------------------------------- backward

template <int R, class T>
void add_rows(const Columns<T>& q, int64_t row, T* sums, T* products, int64_t begin, int64_t end) {
  const T *x = q.x(row), *gy = q.gy(row);
  for_vectors<T>(begin, end, [&](int64_t j, auto lanes) {
    const Vec<T> centre = load(q.coefficient[0] + j, lanes);
    Vec<T> sum(T(0)), product(T(0));
#pragma GCC unroll 8
    for (int i = 0; i < R; i++) {
      const Vec<T> g = load(gy + i * q.count + j, lanes);
      sum = sum + g;
      product = fma(g, load(x + i * q.count + j, lanes) - centre, product);
    }
    store(load(sums + j, lanes) + sum, sums + j, lanes);
    store(load(products + j, lanes) + product, products + j, lanes);
  });
}

template <class T>
void block_sums(const Columns<T>& q, int64_t block, int64_t begin, int64_t end) {
  T* sums = q.first + block * q.count;
  T* products = q.second + block * q.count;
  fill(sums + begin, end - begin, T(0));
  fill(products + begin, end - begin, T(0));
  const int64_t rows = q.rows_of(block), start = block * kBlockRows;
  int64_t i = 0;
  for (; i + kGroup / 2 <= rows; i += kGroup / 2) add_rows<kGroup / 2>(q, start + i, sums, products, begin, end);
  for (; i < rows; i++) add_rows<1>(q, start + i, sums, products, begin, end);
}

template <class T>
void finish_backward(Columns<T>& q, int64_t begin, int64_t end) {
  const int64_t blocks = wants_sums(q.a) ? q.blocks : 0;
  for (int64_t c = begin; c < end; c++) {
    double sum = 0, product = 0;
    for (int64_t b = 0; b < blocks; b++)
      for (int64_t j = c * q.a.s; j < (c + 1) * q.a.s; j++) {
        sum += double(q.first[b * q.count + j]);
        product += double(q.second[b * q.count + j]);
      }
    q.spread(c, finish_gradient<T>(q.a, c, sum, product));
  }
}

template <class T>
void apply_backward(const Columns<T>& q, int64_t from, int64_t to, int64_t begin, int64_t end, bool past) {
  for (int64_t row = from; row < to; row++) {
    const T *x = q.x(row) + begin, *gy = q.gy(row) + begin;
    T* gx = static_cast<T*>(q.a.gx) + row * q.count + begin;
    const auto coefficient = [&](int k, int64_t j, auto lanes) { return load(q.coefficient[k] + begin + j, lanes); };
    if (!q.a.training) {
      write_row(gx, end - begin, past, gy + q.count,
                [&](int64_t j, auto lanes) { return load(gy + j, lanes) * coefficient(1, j, lanes); });
      continue;
    }
    write_row(gx, end - begin, past, gy + q.count, [&](int64_t j, auto lanes) {
      const Vec<T> off = load(x + j, lanes) - coefficient(0, j, lanes);
      const Vec<T> direct = fms(load(gy + j, lanes), coefficient(1, j, lanes), coefficient(2, j, lanes));
      return fnma(off, coefficient(3, j, lanes), direct);
    });
  }
  if (past) stream_fence();
}

// ------------------------------------------------------------------------------------------------------ the division

// sums(block, columns), finish(channels), apply(rows, columns): by strips of columns that stay in cache, or in three
// steps over all columns.
template <class T, class Sums, class Finish, class Apply>
void run_columns(fd_context* context, const Columns<T>& q, const Sums& sums, const Finish& finish, const Apply& apply) {
  const int64_t n = q.a.n, s = q.a.s;
  if (n <= kStripRows) {
    const int64_t task = n * q.count < kLargeTotal ? kSmallTask : kLargeTask;
    const int64_t channels = ceil_div(most<int64_t>(task / most<int64_t>(n, 1), 64), s);
    for_chunks(context, q.a.c, channels, [&](int64_t begin, int64_t end) {
      for (int64_t b = 0; b < q.blocks; b++) sums(b, begin * s, end * s);
      finish(begin, end);
      apply(0, n, begin * s, end * s);
    });
    return;
  }
  const int64_t grain = most<int64_t>(kLargeTask / (kBlockRows * most<int64_t>(q.count, 1)), 1),
                tasks = ceil_div(q.blocks, grain);
  for_chunks(context, q.blocks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; b++) sums(b, 0, q.count);
  });
  for_chunks(context, q.a.c, most<int64_t>(kSmallTask / (q.blocks * s), 1), finish);
  for_tasks(context, tasks, [&](int64_t i) {
    const int64_t begin = (tasks - 1 - i) * grain, end = least(begin + grain, q.blocks);
    apply(begin * kBlockRows, least(end * kBlockRows, n), 0, q.count);
  });
}

template <class T>
fd_status columns_forward(fd_context* context, const fd_batch_norm& a) {
  Columns<T> q(context, a);
  if (!q.base) return FD_NO_MEMORY;
  const bool past = output_past_cache<T>(context, a, a.x, a.y);
  run_columns(
      context, q,
      [&](int64_t block, int64_t begin, int64_t end) {
        if (a.training) block_moments(q, block, begin, end);
      },
      [&](int64_t begin, int64_t end) { finish_forward(q, begin, end); },
      [&](int64_t from, int64_t to, int64_t begin, int64_t end) { apply_forward(q, from, to, begin, end, past); });
  return FD_OK;
}

template <class T>
fd_status columns_backward(fd_context* context, const fd_batch_norm& a) {
  Columns<T> q(context, a);
  if (!q.base) return FD_NO_MEMORY;
  const bool past = output_past_cache<T>(context, a, a.gy, a.gx), sums = wants_sums(a);
  const T* mean = static_cast<const T*>(a.save_mean);
  for (int64_t c = 0; c < a.c; c++) fill(q.coefficient[0] + c * a.s, a.s, mean[c]);
  run_columns(
      context, q,
      [&](int64_t block, int64_t begin, int64_t end) {
        if (sums) block_sums(q, block, begin, end);
      },
      [&](int64_t begin, int64_t end) { finish_backward(q, begin, end); },
      [&](int64_t from, int64_t to, int64_t begin, int64_t end) {
        if (a.gx) apply_backward(q, from, to, begin, end, past);
      });
  return FD_OK;
}

// Empty planes are no rows of one column: the division of the work needs s > 0.
fd_batch_norm without_empty_planes(const fd_batch_norm& a) {
  fd_batch_norm b = a;
  if (b.s == 0) b.n = 0, b.s = 1;
  return b;
}

template <class T>
fd_status forward(fd_context* context, const fd_batch_norm* args) {
  const fd_batch_norm a = without_empty_planes(*args);
  return a.s < kPlane ? columns_forward<T>(context, a) : planes_forward<T>(context, a);
}

template <class T>
fd_status backward(fd_context* context, const fd_batch_norm* args) {
  const fd_batch_norm a = without_empty_planes(*args);
  return a.s < kPlane ? columns_backward<T>(context, a) : planes_backward<T>(context, a);
}

}  // namespace

void fill_batch_norm(fd_kernels* table) {
  table->batch_norm.forward[FD_F32] = forward<float>;
  table->batch_norm.forward[FD_F64] = forward<double>;
  table->batch_norm.backward[FD_F32] = backward<float>;
  table->batch_norm.backward[FD_F64] = backward<double>;
}

}  // namespace fd::FD_ISA
