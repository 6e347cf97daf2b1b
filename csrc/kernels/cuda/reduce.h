// States of reductions: what a thread knows of the elements it took. merge() joins two threads' states; wherever order
// could show (the first of equals), positions decide, so the result depends neither on who took what nor on who merges.
// float32 adds up in double, which costs no time here, as memory is what bounds a reduction.
#pragma once

#include "kernels/cuda/space.h"

namespace fd::gpu {

template <class T>
using TotalOf = std::conditional_t<is_floating<T>, T, int64_t>;
template <class T>
using WideOf = std::conditional_t<is_floating<T>, double, int64_t>;

// What a state may want to know of its line before it takes anything.
template <class T>
struct Line {
  T first;  // an element of it
  int64_t count;
  double param;
};

struct NoPreparation {
  template <class T>
  __device__ void prepare(const Line<T>&) {}
};

template <class T>
struct Total : NoPreparation {
  using Result = TotalOf<T>;
  WideOf<T> total;
  __device__ void clear() { total = 0; }
  __device__ void take(T x, int64_t) { total = plus<WideOf<T>>(total, static_cast<WideOf<T>>(x)); }
  __device__ void merge(const Total& o) { total = plus(total, o.total); }
  __device__ auto value(const Line<T>&) const { return total; }
};

template <class T>
struct Prod : NoPreparation {
  using Result = TotalOf<T>;
  WideOf<T> total;
  __device__ void clear() { total = 1; }
  __device__ void take(T x, int64_t) { total = times<WideOf<T>>(total, static_cast<WideOf<T>>(x)); }
  __device__ void merge(const Prod& o) { total = times(total, o.total); }
  __device__ auto value(const Line<T>&) const { return total; }
};

template <class T>
struct Mean : Total<T> {
  using Result = T;
  __device__ double value(const Line<T>& line) const { return this->total / double(line.count); }
};

// The largest element (smallest, if Smallest), the first of equals or, if Last, the last. A NaN beats everything else.
template <class T, bool Smallest, bool Last>
struct Extreme : NoPreparation {
  using Result = T;
  T best;
  int64_t where;  // -1: nothing taken
  __device__ void clear() {
    best = T(0);
    where = -1;
  }
  __device__ void take(T x, int64_t position) {
    if (where >= 0 && !beats(x, position)) return;
    best = x;
    where = position;
  }
  __device__ void merge(const Extreme& o) {
    if (o.where >= 0) take(o.best, o.where);
  }
  __device__ T value(const Line<T>&) const { return best; }

 private:
  __device__ bool beats(T x, int64_t position) const {
    const bool comes = Last ? position > where : position < where;
    if (is_nan(x)) return !is_nan(best) || comes;
    if (is_nan(best)) return false;
    if (x == best) return comes;
    return Smallest ? x < best : x > best;
  }
};

template <class T, bool Smallest>
struct ArgExtreme : Extreme<T, Smallest, false> {
  using Result = int64_t;
  using Second = T;
  __device__ int64_t value(const Line<T>&) const { return this->where; }
  __device__ T second(const Line<T>&) const { return this->best; }
};

// Whether a nonzero (All: no zero) was found.
template <class T, bool All>
struct Quantifier : NoPreparation {
  using Result = bool;
  bool found;
  __device__ void clear() { found = false; }
  __device__ void take(T x, int64_t) { found |= (x == T(0)) == All; }
  __device__ void merge(const Quantifier& o) { found |= o.found; }
  __device__ bool value(const Line<T>&) const { return found != All; }
};

template <class T>
struct CountNonzero : NoPreparation {
  using Result = int64_t;
  int64_t count;
  __device__ void clear() { count = 0; }
  __device__ void take(T x, int64_t) { count += x != T(0); }
  __device__ void merge(const CountNonzero& o) { count += o.count; }
  __device__ int64_t value(const Line<T>&) const { return count; }
};

// Sums of deviations from an element of the line instead of from the mean, which is not known yet: a large mean costs
// no digits.
template <class T>
struct Var {
  using Result = T;
  using Second = T;
  double pivot, total, deviations, squares;
  __device__ void clear() { total = deviations = squares = 0; }
  __device__ void prepare(const Line<T>& line) { pivot = line.first; }
  __device__ void take(T x, int64_t) {
    const double d = double(x) - pivot;
    total += x;
    deviations += d;
    squares += d * d;
  }
  __device__ void merge(const Var& o) {
    total += o.total;
    deviations += o.deviations;
    squares += o.squares;
  }
  __device__ double value(const Line<T>& line) const {
    const double n = double(line.count), divisor = n - line.param;
    const double sum = squares - deviations * deviations / n;
    return (sum < 0 ? 0 : sum) / (divisor > 0 ? divisor : 0);
  }
  __device__ double second(const Line<T>& line) const { return total / double(line.count); }
};

template <class T>
struct Norm2 : Total<T> {
  using Result = T;
  __device__ void take(T x, int64_t) { this->total += double(x) * double(x); }
  __device__ double value(const Line<T>&) const { return std::sqrt(this->total); }
};

template <class T>
struct Norm1 : Total<T> {
  using Result = T;
  __device__ void take(T x, int64_t) { this->total += std::fabs(double(x)); }
};

// log(sum e^x) = m + log(sum e^(x - m)) with m the largest so far; equals are told apart because inf - inf is NaN.
template <class T>
struct LogSumExp : NoPreparation {
  using Result = T;
  T largest;
  double sum;
  __device__ void clear() {
    largest = -T(INFINITY);
    sum = 0;
  }
  __device__ void take(T x, int64_t) { add(x, 1); }
  __device__ void merge(const LogSumExp& o) { add(o.largest, o.sum); }
  __device__ T value(const Line<T>&) const { return largest + T(std::log(sum)); }

 private:
  __device__ void add(T x, double many) {
    if (x == largest) {
      sum += many;
    } else if (x > largest) {
      sum = sum * double(std::exp(largest - x)) + many;
      largest = x;
    } else {
      sum += double(std::exp(x - largest)) * many;
    }
  }
};

}  // namespace fd::gpu
