// What softmax and cross-entropy do with one row of logits: e^(x - base) and its sum, from one reading of memory.
//
// A long row is taken in blocks that stay in L1 while their maximum is found and their exponentials are written to
// scratch; each block is relative to its own maximum, so no second reading of the row is needed to learn the row's. A
// short row stays in registers. The largest is at least the lowest finite number: a row of -inf gives 0 / 0 = NaN
// without a special case, and an element of -inf gives 0.
#pragma once

#include <cmath>
#include <limits>

#include "kernels/cpu/lanes.h"
#include "kernels/cpu/math.h"
#include "kernels/cpu/tasks.h"

namespace fd::FD_ISA {

constexpr int64_t kRowBlock = 2048;    // 8 kB of float32: a block and its exponentials fill a third of L1
constexpr int64_t kRowGrain = 1 << 15;  // elements of a task: some 10 us of exponentials
constexpr int kShortRow = 4;           // vectors of a row that stays in registers

template <class T>
constexpr T kLowest = std::numeric_limits<T>::lowest();

// Lanes beyond n hold -inf, which neither a maximum nor a sum of exponentials sees.
template <class T>
FD_INLINE Vec<T> load_or_lowest(const T* p, int64_t n) {
  return select(first_lanes<T>(n), Vec<T>::load(p, n), Vec<T>(-std::numeric_limits<T>::infinity()));
}

// ------------------------------------------------------------------------------------------------------ short rows

// One row of at most V vectors, the last of `tail` lanes.
template <class T, int V>
struct ShortRow {
  Vec<T> e[V];
  T largest, sum;

  FD_INLINE ShortRow(const T* x, int64_t tail) {
    constexpr int L = Vec<T>::kLanes;
    for (int k = 0; k < V - 1; k++) e[k] = Vec<T>::load(x + k * L);
    e[V - 1] = load_or_lowest(x + (V - 1) * L, tail);
    Vec<T> top = max(e[0], Vec<T>(kLowest<T>));
    for (int k = 1; k < V; k++) top = max(e[k], top);
    largest = hmax(top);
    for (int k = 0; k < V; k++) e[k] = vexp(e[k] - Vec<T>(largest));
    Vec<T> total = e[0];
    for (int k = 1; k < V; k++) total = total + e[k];
    sum = hsum(total);
  }
};

// run.operator()<V>() for a row of V <= kShortRow vectors; false if the row is longer.
template <class T, class Run>
FD_INLINE bool if_short_row(int64_t n, const Run& run) {
  switch (ceil_div(n, Vec<T>::kLanes)) {
    case 1: return run.template operator()<1>(), true;
    case 2: return run.template operator()<2>(), true;
    case 3: return run.template operator()<3>(), true;
    case 4: return run.template operator()<4>(), true;
    default: return false;
  }
}

// ------------------------------------------------------------------------------------------------------- long rows

template <class T>
T block_max(const T* x, int64_t n) {
  constexpr int L = Vec<T>::kLanes;
  Vec<T> top[4];
  for (auto& t : top) t = Vec<T>(kLowest<T>);
  int64_t i = 0;
  for (; i + 4 * L <= n; i += 4 * L)
    for (int k = 0; k < 4; k++) top[k] = max(Vec<T>::load(x + i + k * L), top[k]);
  for (; i < n; i += L) top[0] = max(load_or_lowest(x + i, std::min<int64_t>(n - i, L)), top[0]);
  return hmax(max(max(top[0], top[1]), max(top[2], top[3])));
}

// The sum of e^(x - base) over a block; kKeep: the exponentials go to e.
template <bool kKeep, class T>
T block_exp(const T* x, int64_t n, T base, T* e) {
  constexpr int L = Vec<T>::kLanes;
  const Vec<T> shift(base);
  Vec<T> sum0(T(0)), sum1(T(0));
  int64_t i = 0;
  for (; i + 2 * L <= n; i += 2 * L) {
    const Vec<T> a = vexp(Vec<T>::load(x + i) - shift), b = vexp(Vec<T>::load(x + i + L) - shift);
    if constexpr (kKeep) a.store(e + i), b.store(e + i + L);
    sum0 = sum0 + a;
    sum1 = sum1 + b;
  }
  for (; i < n; i += L) {
    const int64_t lanes = std::min<int64_t>(n - i, L);
    const Vec<T> a = vexp(load_or_lowest(x + i, lanes) - shift);
    if constexpr (kKeep) a.store(e + i, lanes);
    sum0 = sum0 + a;
  }
  return hsum(sum0 + sum1);
}

// Scratch of one task: exponentials of a row, and per block its base, later the factor that makes it relative to the
// row's largest.
template <class T>
struct RowScratch {
  T* e = nullptr;
  T* base = nullptr;
  RowScratch(fd_context* context, int64_t n) {
    const int64_t padded = ceil_div(n, 64) * 64;
    e = static_cast<T*>(context->workspace(context, 1, size_t(padded + ceil_div(n, kRowBlock)) * sizeof(T)));
    base = e + padded;
  }
};

template <class T>
struct RowSum {
  T largest;
  double sum;
};

// kKeep: scratch.e[j] scratch.base[j / kRowBlock] = e^(x[j] - largest).
template <bool kKeep, class T>
RowSum<T> exp_row(const T* x, int64_t n, const RowScratch<T>& scratch) {
  RowSum<T> row{kLowest<T>, 0};
  for (int64_t from = 0, b = 0; from < n; from += kRowBlock, b++) {
    const int64_t count = std::min(n - from, kRowBlock);
    const T base = block_max(x + from, count);
    const double sum = block_exp<kKeep>(x + from, count, base, scratch.e + from);
    scratch.base[b] = base;
    if (base > row.largest) {
      row.sum = row.sum == 0 ? 0 : row.sum * std::exp(double(row.largest) - double(base));
      row.largest = base;
    }
    row.sum += base == row.largest ? sum : sum * std::exp(double(base) - double(row.largest));
  }
  if (!kKeep) return row;
  for (int64_t b = 0; b < ceil_div(n, kRowBlock); b++)
    scratch.base[b] = scratch.base[b] == row.largest ? T(1) : T(std::exp(double(scratch.base[b]) - double(row.largest)));
  return row;
}

}  // namespace fd::FD_ISA
