// What softmax and cross-entropy do with one row of logits: e^(x - base) and its sum, from one reading of memory.
//
// A short row stays in registers. A long one is taken in blocks that stay in L1, each relative to its own maximum, so
// that no second reading of the row is needed to learn the row's. One loop then makes a block's exponentials, fetches
// the block after it and writes the row before: memory is read and written while arithmetic goes on. The largest is at
// least the lowest finite number: a row of -inf gives 0 / 0 = NaN without a special case, and an element of -inf gives
// 0.
#pragma once

#include <cmath>

#include "kernels/cpu/lanes.h"
#include "kernels/cpu/math.h"
#include "kernels/cpu/tasks.h"

namespace fd::FD_ISA {

constexpr int64_t kRowBlock = 2048;     // 8 kB of float32: a block and its exponentials fill a third of L1
constexpr int64_t kRowGrain = 1 << 15;  // elements of a task: some 10 us of exponentials
constexpr int kShortRow = 4;            // vectors of a row that stays in registers

// e^x for x = logit - largest, at most 0 or NaN. Cheaper than vexp: no overflow, and one constant for ln 2, as the
// difference carries a larger rounding error than the second would correct. What underflows to 0 is not computed, for
// products that underflow cost 30 times others.
template <class T>
FD_INLINE Vec<T> exp_below(Vec<T> x) {
  using C = ExpConstants<T>;
  const Vec<T> one(T(1)), n = fma(x, Vec<T>(C::kLog2e), Vec<T>(C::kMagic)) - C::kMagic;
  const Vec<T> r = fnma(n, Vec<T>(C::kLn2), x);
  const Vec<T> e = fma(fma(polynomial(r, C::kPoly), r, one), r, one);
  return scale2_where(~(x < Vec<T>(C::kLowest)), e, n);
}

// Lanes beyond n hold -inf, which neither a maximum nor a sum of exponentials sees.
template <class T>
FD_INLINE Vec<T> load_or_lowest(const T* p, int64_t n) {
  return select(first_lanes<T>(n), Vec<T>::load(p, n), -Vec<T>(kInfinity<T>));
}

// ------------------------------------------------------------------------------------------------------ short rows

// One row of at most V vectors, the last of `tail` lanes.
template <class T, int V>
struct ShortRow {
  Vec<T> e[V];
  T largest, sum;

  FD_INLINE ShortRow(const T* x, int64_t tail) {
    constexpr int L = Vec<T>::kLanes;
#pragma GCC unroll 4
    for (int k = 0; k < V - 1; k++) e[k] = Vec<T>::load(x + k * L);
    e[V - 1] = load_or_lowest(x + (V - 1) * L, tail);
    Vec<T> top = max(e[0], Vec<T>(-kLargest<T>));
#pragma GCC unroll 4
    for (int k = 1; k < V; k++) top = max(e[k], top);
    largest = hmax(top);
#pragma GCC unroll 4
    for (int k = 0; k < V; k++) e[k] = exp_below(e[k] - Vec<T>(largest));
    Vec<T> total = e[0];
#pragma GCC unroll 4
    for (int k = 1; k < V; k++) total = total + e[k];
    sum = hsum(total);
  }
};

// run.operator()<V>() for a row of V <= kShortRow vectors; false if the row is longer.
template <class T, class Run>
FD_INLINE bool if_short_row(int64_t n, const Run& run) {
  switch (ceil_div(n, Vec<T>::kLanes)) {
    case 1:
      return run.template operator()<1>(), true;
    case 2:
      return run.template operator()<2>(), true;
    case 3:
      return run.template operator()<3>(), true;
    case 4:
      return run.template operator()<4>(), true;
    default:
      return false;
  }
}

// ------------------------------------------------------------------------------------------------------- long rows

template <class T>
T block_max(const T* x, int64_t n) {
  constexpr int L = Vec<T>::kLanes;
  Vec<T> top[4];
  for (auto& t : top) t = Vec<T>(-kLargest<T>);
  int64_t i = 0;
  for (; i + 4 * L <= n; i += 4 * L)
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) top[k] = max(Vec<T>::load(x + i + k * L), top[k]);
  for (; i < n; i += L) top[0] = max(load_or_lowest(x + i, least<int64_t>(n - i, L)), top[0]);
  return hmax(max(max(top[0], top[1]), max(top[2], top[3])));
}

// The sum of e^(x - base) over a block; kKeep: the exponentials go to e. What follows the block in memory is fetched,
// and `written` writes a vector of the row before for every vector made here. It is local, because whatever is reached
// through a pointer would be loaded again after every vector stored.
template <bool kKeep, class T, class Written>
FD_INLINE T block_exp(const T* x, int64_t n, T base, T* e, Written written) {
  constexpr int L = Vec<T>::kLanes;
  const Vec<T> shift(base);
  Vec<T> sum0(T(0)), sum1(T(0));
  int64_t i = 0;
  written.begin();
  for (; i + 2 * L <= n; i += 2 * L) {
    prefetch(x + n + i);
    if constexpr (L * sizeof(T) == 64) prefetch(x + n + i + L);
    const Vec<T> a = exp_below(Vec<T>::load(x + i) - shift), b = exp_below(Vec<T>::load(x + i + L) - shift);
    if constexpr (kKeep) a.store(e + i), b.store(e + i + L);
    sum0 = sum0 + a;
    sum1 = sum1 + b;
    written.step(), written.step();
  }
  for (; i < n; i += L) {
    const int64_t lanes = least<int64_t>(n - i, L);
    const Vec<T> a = exp_below(load_or_lowest(x + i, lanes) - shift);
    if constexpr (kKeep) a.store(e + i, lanes);
    sum0 = sum0 + a;
  }
  written.end();
  return hsum(sum0 + sum1);
}

// The exponentials of a row, and per block its base, later the factor that makes it relative to the row's largest.
template <class T>
struct RowScratch {
  T* e = nullptr;
  T* base = nullptr;

  // Two rows: one being made while the other is written. False if there is no memory.
  static bool pair(fd_context* context, int64_t n, RowScratch (&rows)[2]) {
    const int64_t row = ceil_div(n, 64) * 64, blocks = ceil_div(n, kRowBlock * 16) * 16;
    T* memory = static_cast<T*>(context->workspace(context, 1, size_t(2 * (row + blocks)) * sizeof(T)));
    rows[0] = {memory, memory + 2 * row};
    rows[1] = {memory + row, memory + 2 * row + blocks};
    return memory != nullptr;
  }
};

template <class T>
struct RowSum {
  T largest;
  double sum;
};

template <class T>
void add_block(RowSum<T>* row, T base, double sum) {
  if (base > row->largest) {
    row->sum = row->sum == 0 ? 0 : row->sum * std::exp(double(row->largest) - double(base));
    row->largest = base;
  }
  row->sum += base == row->largest ? sum : sum * std::exp(double(base) - double(row->largest));
}

// kKeep: scratch.e[j] scratch.base[j / kRowBlock] = e^(x[j] - largest). Meanwhile `writer` writes the row before.
template <bool kKeep, class T, class Writer>
RowSum<T> exp_row(const T* x, int64_t n, const RowScratch<T>& scratch, const Writer& writer) {
  RowSum<T> row{-kLargest<T>, 0};
  const int64_t blocks = ceil_div(n, kRowBlock);
  for (int64_t b = 0, from = 0; b < blocks; b++, from += kRowBlock) {
    const int64_t count = least(n - from, kRowBlock);
    const T base = scratch.base[b] = block_max(x + from, count);
    add_block(&row, base, double(block_exp<kKeep>(x + from, count, base, scratch.e + from, writer.block(b))));
  }
  for (int64_t b = 0; kKeep && b < blocks; b++) {
    T& base = scratch.base[b];
    base = base == row.largest ? T(1) : T(std::exp(double(base) - double(row.largest)));
  }
  return row;
}

// ---------------------------------------------------------------------------------------------------- writing a row

// One block of a row: out[j] = value(from[j], factor, j, lanes), a vector per step. Empty if end is at.
template <class T, class Value>
struct BlockWriter {
  T* out;
  const T* from;
  int64_t at, end_at;
  bool past;
  Vec<T> factor;
  Value value;

  FD_INLINE void begin() {
    if (past) part(least(to_aligned(out + at), end_at - at));
  }
  FD_INLINE void step() {
    if (at + Vec<T>::kLanes > end_at) return;
    const Vec<T> y = value(Vec<T>::load(from + at), factor, at, Whole{});
    past ? y.stream(out + at) : y.store(out + at);
    at += Vec<T>::kLanes;
  }
  FD_INLINE void end() {
    while (at + Vec<T>::kLanes <= end_at) step();
    part(end_at - at);
  }
  FD_INLINE void part(int64_t lanes) {
    if (lanes <= 0) return;
    store(value(load(from + at, lanes), factor, at, lanes), out + at, lanes);
    at += lanes;
  }
};

// Writes the row it was given last.
template <class T, class Value>
class RowWriter {
 public:
  RowWriter(int64_t n, bool past) : n_(n), past_(past) {}

  // A block's factor is k base[block], or k if base is null.
  void set(T* out, const T* from, const T* base, double k, const Value& value) {
    out_ = out, from_ = from, base_ = base, k_ = k, value_ = value;
  }
  BlockWriter<T, Value> block(int64_t b) const {
    const int64_t at = b * kRowBlock, end = out_ ? least(n_, at + kRowBlock) : at;
    const T factor = out_ && base_ ? T(k_ * double(base_[b])) : T(k_);
    return {out_, from_, at, end, past_, Vec<T>(factor), value_};
  }
  // The last row has no row after it to be written beside.
  void finish() {
    for (int64_t b = 0; out_ && b < ceil_div(n_, kRowBlock); b++) {
      BlockWriter<T, Value> last = block(b);
      last.begin();
      last.end();
    }
    out_ = nullptr;
  }

 private:
  int64_t n_;
  bool past_;
  T* out_ = nullptr;
  const T *from_ = nullptr, *base_ = nullptr;
  double k_ = 0;
  Value value_{};
};

// Where only the sum is wanted.
struct NoWriter {
  struct Block {
    void begin() {}
    void step() {}
    void end() {}
  };
  Block block(int64_t) const { return {}; }
};

}  // namespace fd::FD_ISA
