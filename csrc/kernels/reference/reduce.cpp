// Reductions over any dimensions and scans along one. An operation is a small state that takes one element at a time:
//   take(x, position)   position counts the elements taken before x
//   start_again()       only of those that want to see everything twice: a second pass begins
//   value()             the result so far, rounded by whoever stores it
// Floating sums run in double (sum.h).
#include "kernels/reference/iterate.h"
#include "kernels/reference/sum.h"
#include "kernels/reference/table.h"

namespace fd::reference {
namespace {

// float32 and float64 add up in double, everything else in int64, which wraps around.
template <class T>
using TotalOf = std::conditional_t<is_floating<T>, T, int64_t>;

template <class T>
struct Total {
  using Result = TotalOf<T>;
  std::conditional_t<is_floating<T>, Sum, int64_t> total{};
  void take(T x, int64_t) {
    if constexpr (is_floating<T>)
      total += x;
    else
      total = wrapping_add<int64_t>(total, x);
  }
  auto value() const { return total; }
};

template <class T>
struct Prod {
  using Result = TotalOf<T>;
  std::conditional_t<is_floating<T>, double, int64_t> total = 1;
  void take(T x, int64_t) { total = wrapping_mul<decltype(total)>(total, x); }
  auto value() const { return total; }
};

template <class T>
struct Mean {
  using Result = T;
  Sum total;
  int64_t count = 0;
  void take(T x, int64_t) {
    total += x;
    count++;
  }
  double value() const { return total / double(count); }
};

// The largest element (smallest, if Smallest), the first of equals or, if Last, the last. A NaN beats everything else.
template <class T, bool Smallest, bool Last>
struct Extreme {
  using Result = T;
  T best = T(0);
  int64_t where = 0;
  void take(T x, int64_t position) {
    if (position > 0 && !beats(x)) return;
    best = x;
    where = position;
  }
  T value() const { return best; }

 private:
  bool beats(T x) const {
    if (is_nan(x)) return Last || !is_nan(best);
    if (Last && x == best) return true;
    return Smallest ? x < best : x > best;
  }
};
template <class T>
using Max = Extreme<T, false, false>;
template <class T>
using Min = Extreme<T, true, false>;

template <class T, bool Smallest>
struct ArgExtreme : Extreme<T, Smallest, false> {
  using Result = int64_t;
  using Second = T;
  int64_t value() const { return this->where; }
  T second() const { return this->best; }
};
template <class T>
using Argmax = ArgExtreme<T, false>;
template <class T>
using Argmin = ArgExtreme<T, true>;

template <class T>
struct Any {
  using Result = bool;
  bool found = false;
  void take(T x, int64_t) { found |= x != 0; }
  bool value() const { return found; }
};

template <class T>
struct All {
  using Result = bool;
  bool missing = false;
  void take(T x, int64_t) { missing |= x == 0; }
  bool value() const { return !missing; }
};

template <class T>
struct CountNonzero {
  using Result = int64_t;
  int64_t count = 0;
  void take(T x, int64_t) { count += x != 0; }
  int64_t value() const { return count; }
};

// Two passes, so that the squares of deviations are never formed from a large mean.
template <class T>
struct Var {
  using Result = T;
  using Second = T;
  Sum total, squares;
  double mean = 0, correction = 0;
  int64_t count = 0;
  bool again = false;
  void take(T x, int64_t) {
    if (again) {
      squares += (x - mean) * (x - mean);
    } else {
      total += x;
      count++;
    }
  }
  void start_again() {
    mean = total / double(count);
    again = true;
  }
  double value() const {
    const double divisor = double(count) - correction;
    return squares / (divisor > 0 ? divisor : 0);
  }
  double second() const { return mean; }
};

template <class T>
struct Norm2 {
  using Result = T;
  Sum squares;
  void take(T x, int64_t) { squares += double(x) * double(x); }
  double value() const { return std::sqrt(squares); }
};

template <class T>
struct Norm1 {
  using Result = T;
  Sum total;
  void take(T x, int64_t) { total += std::fabs(double(x)); }
  double value() const { return total; }
};

// log(sum e^x) = m + log(sum e^(x - m)) with m the largest so far; x == m is told apart because inf - inf is NaN.
template <class T>
struct LogSumExp {
  using Result = T;
  double largest = -std::numeric_limits<double>::infinity();
  Sum sum;
  void take(T x, int64_t) {
    if (x == largest) {
      sum += 1;
    } else if (x > largest) {
      sum *= std::exp(largest - x);
      sum += 1;
      largest = x;
    } else {
      sum += std::exp(x - largest);
    }
  }
  double value() const { return largest + std::log(sum); }
};

// ---------------------------------------------------------------------------------------------------------- reduce

template <class State>
constexpr bool has_second = requires { typename State::Second; };

template <class State>
void store(const fd_reduce& r, int64_t at, const State& state) {
  static_cast<typename State::Result*>(r.out)[at] = static_cast<typename State::Result>(state.value());
  if constexpr (has_second<State>)
    if (r.second)
      static_cast<typename State::Second*>(r.second)[at] = static_cast<typename State::Second>(state.second());
}

// Neighbours along the innermost kept dimension are reduced together, kTile at a time, where they lie closer in memory
// than neighbours along the innermost reduced one.
template <class State, class T>
fd_status reduce(fd_context*, const fd_reduce* r) {
  constexpr int64_t kTile = 16;
  const int outer = r->kept_ndim - 1, inner = r->reduced_ndim - 1;
  const int64_t kept = r->kept_ndim ? r->kept_size[outer] : 1, kept_step = r->kept_ndim ? r->kept_stride[outer] : 0;
  const int64_t reduced_step = r->reduced_ndim ? r->reduced_stride[inner] : 0;
  const int64_t tile = std::abs(kept_step) < std::abs(reduced_step) ? kTile : 1;
  int64_t at = 0;
  for_each_offset<1>(outer, r->kept_size, {r->kept_stride}, [&](const int64_t (&row)[1]) {
    for (int64_t first = 0; first < kept; first += tile) {
      const int64_t width = first + tile < kept ? tile : kept - first;
      const T* const in = static_cast<const T*>(r->in) + row[0] + first * kept_step;
      State state[kTile];
      if constexpr (requires { state[0].correction; })
        for (State& s : state) s.correction = r->param;
      const auto pass = [&] {
        int64_t position = 0;
        for_each_offset<1>(r->reduced_ndim, r->reduced_size, {r->reduced_stride}, [&](const int64_t (&offset)[1]) {
          for (int64_t j = 0; j < width; j++) state[j].take(in[offset[0] + j * kept_step], position);
          position++;
        });
      };
      pass();
      if constexpr (requires { state[0].start_again(); }) {
        for (State& s : state) s.start_again();
        pass();
      }
      for (int64_t j = 0; j < width; j++) store(*r, at++, state[j]);
    }
  });
  return FD_OK;
}

// ------------------------------------------------------------------------------------------------------------ scan

template <class State, class T>
fd_status scan(fd_context*, const fd_scan* s) {
  constexpr int64_t kTile = 16;
  for (int64_t o = 0; o < s->outer; o++) {
    for (int64_t first = 0; first < s->inner; first += kTile) {
      const int64_t width = first + kTile < s->inner ? kTile : s->inner - first;
      State state[kTile];
      for (int64_t k = 0; k < s->size; k++) {
        for (int64_t j = 0; j < width; j++) {
          const int64_t at = (o * s->size + k) * s->inner + first + j;
          state[j].take(static_cast<const T*>(s->in)[at], k);
          static_cast<T*>(s->out)[at] = static_cast<T>(state[j].value());
          if constexpr (requires { state[j].where; })
            if (s->indices) s->indices[at] = state[j].where;
        }
      }
    }
  }
  return FD_OK;
}

template <class T>
using Cummax = Extreme<T, false, true>;
template <class T>
using Cummin = Extreme<T, true, true>;

// ------------------------------------------------------------------------------------------------------------ fill

template <template <class> class State>
void fill_any_but_half(fd_reduce_fn** slots) {
  for_each_dtype([=]<class T>(fd_dtype dtype) {
    if constexpr (!is_half<T>) slots[dtype] = reduce<State<T>, T>;
  });
}

template <template <class> class State>
void fill_floating(fd_reduce_fn** slots) {
  for_each_floating([=]<class T>(fd_dtype dtype) { slots[dtype] = reduce<State<T>, T>; });
}

}  // namespace

void fill_reduce(fd_kernels* table) {
  auto& r = table->reduce.reduce;
  fill_any_but_half<Total>(r[FD_REDUCE_SUM]);
  fill_any_but_half<Prod>(r[FD_REDUCE_PROD]);
  fill_any_but_half<Max>(r[FD_REDUCE_MAX]);
  fill_any_but_half<Min>(r[FD_REDUCE_MIN]);
  fill_any_but_half<Argmax>(r[FD_REDUCE_ARGMAX]);
  fill_any_but_half<Argmin>(r[FD_REDUCE_ARGMIN]);
  fill_any_but_half<Any>(r[FD_REDUCE_ANY]);
  fill_any_but_half<All>(r[FD_REDUCE_ALL]);
  fill_any_but_half<CountNonzero>(r[FD_REDUCE_COUNT_NONZERO]);
  fill_floating<Mean>(r[FD_REDUCE_MEAN]);
  fill_floating<Var>(r[FD_REDUCE_VAR]);
  fill_floating<Norm2>(r[FD_REDUCE_NORM2]);
  fill_floating<Norm1>(r[FD_REDUCE_NORM1]);
  fill_floating<LogSumExp>(r[FD_REDUCE_LOGSUMEXP]);

  auto& s = table->reduce.scan;
  for_each_dtype([&s]<class T>(fd_dtype dtype) {
    if constexpr (is_floating<T> || std::is_same_v<T, int64_t>) {
      s[FD_SCAN_CUMSUM][dtype] = scan<Total<T>, T>;
      s[FD_SCAN_CUMPROD][dtype] = scan<Prod<T>, T>;
    }
    if constexpr (!is_half<T>) {
      s[FD_SCAN_CUMMAX][dtype] = scan<Cummax<T>, T>;
      s[FD_SCAN_CUMMIN][dtype] = scan<Cummin<T>, T>;
    }
    if constexpr (is_floating<T>) s[FD_SCAN_LOGCUMSUMEXP][dtype] = scan<LogSumExp<T>, T>;
  });
}

}  // namespace fd::reference
