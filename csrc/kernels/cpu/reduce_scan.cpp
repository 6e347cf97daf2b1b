// Scans: cumsum, cumprod, cummax, cummin, logcumsumexp along the middle of [outer, size, inner]. Each output needs the
// one before it, so a single line is bound by the latency of one operation in double (4 cycles an element); lines side
// by side (inner > 1) run in vectors, bound by memory. Lines are shared among threads, a line never.
// cumsum of 1000 x 1000 float32 on one core: 0.7 ms along axis 1, 1.5 ms along axis 0 (AVX-512, Intel(R) Xeon(R)
// Processor @ 2.10GHz; docs/kernels/reduce.md).
#include "kernels/cpu/reduce.h"

namespace fd::FD_ISA {
namespace {

constexpr int64_t kLanesAtOnce = 64;  // neighbouring lines of a task

// A running sum: float32 in double, float64 with what rounding loses carried beside it (Knuth's two-sum), which costs
// nothing because the chain of dependent operations stays one addition long.
template <class T>
struct Added {
  double sum = 0;
  FD_INLINE void next(T x) { sum += double(x); }
  FD_INLINE T value() const { return T(sum); }
};
template <>
struct Added<double> {
  double sum = 0, lost = 0;
  FD_INLINE void next(double x) {
    const double all = sum + x, added = all - sum;
    lost += (sum - (all - added)) + (x - added);
    sum = all;
  }
  FD_INLINE double value() const { return lost - lost == 0 ? sum + lost : sum; }
};
template <>
struct Added<int64_t> {
  uint64_t sum = 0;  // wraps around
  FD_INLINE void next(int64_t x) { sum += uint64_t(x); }
  FD_INLINE int64_t value() const { return int64_t(sum); }
};

template <class T>
struct Multiplied {
  double product = 1;
  FD_INLINE void next(T x) { product *= double(x); }
  FD_INLINE T value() const { return T(product); }
};
template <>
struct Multiplied<int64_t> {
  uint64_t product = 1;
  FD_INLINE void next(int64_t x) { product *= uint64_t(x); }
  FD_INLINE int64_t value() const { return int64_t(product); }
};

// Lines [first, first + width) of one outer index.
template <class T, class State>
void scan_lines(const fd_scan* s, int64_t outer, int64_t first, int64_t width) {
  const int64_t base = outer * s->size * s->inner + first;
  const T* in = static_cast<const T*>(s->in) + base;
  T* out = static_cast<T*>(s->out) + base;
  if (s->inner == 1) {
    State state;
    for (int64_t k = 0; k < s->size; k++) {
      state.next(in[k]);
      out[k] = state.value();
    }
    return;
  }
  State state[kLanesAtOnce];
  for (int64_t k = 0; k < s->size; k++, in += s->inner, out += s->inner)
    for (int64_t j = 0; j < width; j++) {
      state[j].next(in[j]);
      out[j] = state[j].value();
    }
}

// The largest (smallest) so far, the last of equals; a NaN stays.
template <class T, bool Smallest>
void scan_extreme(const fd_scan* s, int64_t outer, int64_t first, int64_t width) {
  T best[kLanesAtOnce];
  int64_t where[kLanesAtOnce];
  const int64_t base = outer * s->size * s->inner + first;
  const T* in = static_cast<const T*>(s->in) + base;
  T* out = static_cast<T*>(s->out) + base;
  int64_t* indices = s->indices ? s->indices + base : nullptr;
  for (int64_t k = 0; k < s->size; k++) {
    for (int64_t j = 0; j < width; j++) {
      const T x = in[j];
      const bool better = k == 0 || (Smallest ? x <= best[j] : x >= best[j]) || x != x;
      best[j] = better ? x : best[j];
      where[j] = better ? k : where[j];
      out[j] = best[j];
    }
    if (indices) {
      for (int64_t j = 0; j < width; j++) indices[j] = where[j];
      indices += s->inner;
    }
    in += s->inner;
    out += s->inner;
  }
}

using LinesFn = void(const fd_scan* s, int64_t outer, int64_t first, int64_t width);

template <LinesFn* Lines>
fd_status scan(fd_context* context, const fd_scan* s) {
  const int64_t groups = ceil_div(s->inner, kLanesAtOnce), lines = s->outer * groups;
  const int64_t line = s->size * smaller_of(s->inner, kLanesAtOnce);
  if (lines == 0 || line == 0) return FD_OK;
  const int64_t share = ceil_div(kChunkElements, line * 4);
  for_tasks(context, ceil_div(lines, share), [&](int64_t task) {
    const int64_t end = smaller_of(lines, (task + 1) * share);
    for (int64_t i = task * share; i < end; i++) {
      const int64_t first = i % groups * kLanesAtOnce;
      Lines(s, i / groups, first, smaller_of(kLanesAtOnce, s->inner - first));
    }
  });
  return FD_OK;
}

template <class T, fd_dtype D>
void fill_sums(fd_reduce_kernels& k) {
  k.scan[FD_SCAN_CUMSUM][D] = scan<scan_lines<T, Added<T>>>;
  k.scan[FD_SCAN_CUMPROD][D] = scan<scan_lines<T, Multiplied<T>>>;
}
template <class T, fd_dtype D>
void fill_extremes(fd_reduce_kernels& k) {
  k.scan[FD_SCAN_CUMMAX][D] = scan<scan_extreme<T, false>>;
  k.scan[FD_SCAN_CUMMIN][D] = scan<scan_extreme<T, true>>;
}

}  // namespace

void fill_reduce_scan(fd_kernels* table) {
  fill_sums<float, FD_F32>(table->reduce);
  fill_sums<double, FD_F64>(table->reduce);
  fill_sums<int64_t, FD_I64>(table->reduce);
  fill_extremes<float, FD_F32>(table->reduce);
  fill_extremes<double, FD_F64>(table->reduce);
  fill_extremes<int32_t, FD_I32>(table->reduce);
  fill_extremes<int64_t, FD_I64>(table->reduce);
}

}  // namespace fd::FD_ISA
