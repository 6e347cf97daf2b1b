// Sums: sum, mean, norm1, norm2, prod, count_nonzero. Bound by memory: 16.8 M float32 3.8 ms on one core, 1000 x 1000
// 0.14 ms over either axis (AVX-512, Intel(R) Xeon(R) Processor @ 2.10GHz; docs/kernels/reduce.md).
//
// Squares and products are formed in double, so that float32 neither overflows nor rounds on the way; reduce_sum.h says
// how sums are.
#include "kernels/cpu/reduce_sum.h"

#include "kernels/cpu/reduce.h"

namespace fd::FD_ISA {
namespace {

template <class T>
struct Stored {
  FD_INLINE static void sum(const fd_reduce* r, int64_t at, double total, int64_t) {
    static_cast<T*>(r->out)[at] = T(total);
  }
  FD_INLINE static void mean(const fd_reduce* r, int64_t at, double total, int64_t count) {
    static_cast<T*>(r->out)[at] = T(total / double(count));
  }
  FD_INLINE static void root(const fd_reduce* r, int64_t at, double total, int64_t) {
    static_cast<T*>(r->out)[at] = T(__builtin_sqrt(total));
  }
  FD_INLINE static void count(const fd_reduce* r, int64_t at, double total, int64_t) {
    static_cast<int64_t*>(r->out)[at] = int64_t(total);
  }
};

template <class T, class Map, void (*Store)(const fd_reduce*, int64_t, double, int64_t)>
struct Sum {
  using Element = T;
  using Partial = double;
  static constexpr bool kFolds = true;
  static constexpr int64_t kStrip = kWide;
  FD_INLINE static Partial start() { return 0; }
  FD_INLINE static void merge(Partial& a, const Partial& later) { a += later; }
  static void merge_rows(Partial* a, const Partial* later, int64_t n) {
    constexpr int64_t D = Vec<double>::kLanes;
    int64_t i = 0;
    for (; i + D <= n; i += D) (Vec<double>::load(a + i) + Vec<double>::load(later + i)).store(a + i);
    for (; i < n; i++) a[i] += later[i];
  }
  FD_INLINE static void absorb(Partial& p, const T* x, int64_t n, int64_t) { p += sum_contiguous<Map>(x, n); }
  FD_INLINE static void store(const fd_reduce* r, int64_t at, const Partial& p, int64_t count) {
    Store(r, at, p, count);
  }
  struct Columns {
    alignas(64) double acc[kStrip];
    void start(int64_t width) { fill(acc, width, double(0)); }
    void absorb(const T* x, int64_t rows, int64_t stride, int64_t width, int64_t) {
      sum_columns<Map>(acc, x, rows, stride, width);
    }
    Partial at(int64_t i) const { return acc[i]; }
  };
};

// ------------------------------------------------------------------------------------------------------------- prod

FD_INLINE void multiply(Vec<double>& lo, Vec<double>& hi, Vec<float> x) {
  lo = lo * widen_lo(x);
  hi = hi * widen_hi(x);
}
FD_INLINE void multiply(Vec<double>& lo, Vec<double>&, Vec<double> x) { lo = lo * x; }

template <class T>
struct Prod {
  using Element = T;
  using Partial = double;
  static constexpr bool kFolds = true;
  static constexpr int64_t kStrip = kWide;
  static constexpr int64_t L = Vec<T>::kLanes;
  static constexpr int kChains = 4;  // of products, as one alone waits for its own latency
  FD_INLINE static Partial start() { return 1; }
  FD_INLINE static void merge(Partial& a, const Partial& later) { a *= later; }
  FD_INLINE static void store(const fd_reduce* r, int64_t at, const Partial& p, int64_t) {
    static_cast<T*>(r->out)[at] = T(p);
  }
  static void absorb(Partial& p, const T* x, int64_t n, int64_t) {
    Vec<double> lo[kChains], hi[kChains];
    for (int k = 0; k < kChains; k++) lo[k] = hi[k] = 1.0;
    int64_t i = 0;
    for (; i + kChains * L <= n; i += kChains * L)
#pragma GCC unroll 4
      for (int k = 0; k < kChains; k++) multiply(lo[k], hi[k], Vec<T>::load(x + i + k * L));
    for (; i + L <= n; i += L) multiply(lo[0], hi[0], Vec<T>::load(x + i));
    for (int k = 1; k < kChains; k++) lo[0] = lo[0] * lo[k], hi[0] = hi[0] * hi[k];
    double lanes[Vec<double>::kLanes];
    (lo[0] * hi[0]).store(lanes);
    for (double v : lanes) p *= v;
    for (; i < n; i++) p *= double(x[i]);
  }
  struct Columns {
    alignas(64) double acc[kStrip];
    void start(int64_t width) { fill(acc, width, 1.0); }
    void absorb(const T* x, int64_t rows, int64_t stride, int64_t width, int64_t) {
      for (int64_t r = 0; r < rows; r++, x += stride)
        for (int64_t c = 0; c < width; c++) acc[c] *= double(x[c]);
    }
    Partial at(int64_t i) const { return acc[i]; }
  };
};

// --------------------------------------------------------------------------------------------------------- integers

// Sums are unsigned, which wrap around by definition; their bits are those of the signed sum.
template <class T>
uint64_t sum_integers(const T* x, int64_t n) {
  Vec<int64_t> sum = int64_t(0);
  int64_t i = 0;
  for (; i + Vec<T>::kLanes <= n; i += Vec<T>::kLanes) sum = sum + sum_wide(Vec<T>::load(x + i));
  if (i < n) sum = sum + sum_wide(Vec<T>::load(x + i, n - i));
  int64_t lanes[Vec<int64_t>::kLanes];
  sum.store(lanes);
  uint64_t total = 0;
  for (int64_t v : lanes) total += uint64_t(v);
  return total;
}
template <class T>
uint64_t count_integers(const T* x, int64_t n) {
  uint64_t total = 0;
  int64_t i = 0;
  const Vec<T> zero = T(0);
  for (; i + Vec<T>::kLanes <= n; i += Vec<T>::kLanes)
    total += uint64_t(__builtin_popcountll(mask_bits(Vec<T>::load(x + i) != zero)));
  if (i < n) total += uint64_t(__builtin_popcountll(mask_bits(Vec<T>::load(x + i, n - i) != zero)));
  return total;
}

template <class T, bool Counts>
struct IntegerSum {
  using Element = T;
  using Partial = uint64_t;
  static constexpr bool kFolds = true;
  static constexpr int64_t kStrip = kWide;
  FD_INLINE static Partial start() { return 0; }
  FD_INLINE static void merge(Partial& a, const Partial& later) { a += later; }
  FD_INLINE static void absorb(Partial& p, const T* x, int64_t n, int64_t) {
    p += Counts ? count_integers(x, n) : sum_integers(x, n);
  }
  FD_INLINE static void store(const fd_reduce* r, int64_t at, const Partial& p, int64_t) {
    static_cast<int64_t*>(r->out)[at] = int64_t(p);
  }
  struct Columns {
    uint64_t acc[kStrip];
    void start(int64_t width) { fill(acc, width, uint64_t(0)); }
    void absorb(const T* x, int64_t rows, int64_t stride, int64_t width, int64_t) {
      for (int64_t r = 0; r < rows; r++, x += stride)
        for (int64_t c = 0; c < width; c++) acc[c] += Counts ? x[c] != 0 : uint64_t(int64_t(x[c]));
    }
    Partial at(int64_t i) const { return acc[i]; }
  };
};

template <class T, fd_dtype D>
void fill_floating(fd_reduce_kernels& k) {
  k.reduce[FD_REDUCE_SUM][D] = reduce<Sum<T, Plain, Stored<T>::sum>>;
  k.reduce[FD_REDUCE_MEAN][D] = reduce<Sum<T, Plain, Stored<T>::mean>>;
  k.reduce[FD_REDUCE_NORM1][D] = reduce<Sum<T, Absolute, Stored<T>::sum>>;
  k.reduce[FD_REDUCE_NORM2][D] = reduce<Sum<T, Squared, Stored<T>::root>>;
  k.reduce[FD_REDUCE_COUNT_NONZERO][D] = reduce<Sum<T, Nonzero, Stored<T>::count>>;
  k.reduce[FD_REDUCE_PROD][D] = reduce<Prod<T>>;
}

template <class T, fd_dtype D>
void fill_integer(fd_reduce_kernels& k) {
  k.reduce[FD_REDUCE_SUM][D] = reduce<IntegerSum<T, false>>;
  k.reduce[FD_REDUCE_COUNT_NONZERO][D] = reduce<IntegerSum<T, true>>;
}

}  // namespace

void fill_reduce_sum(fd_kernels* table) {
  fill_floating<float, FD_F32>(table->reduce);
  fill_floating<double, FD_F64>(table->reduce);
  fill_integer<uint8_t, FD_BOOL>(table->reduce);
  fill_integer<uint8_t, FD_U8>(table->reduce);
  fill_integer<int32_t, FD_I32>(table->reduce);
  fill_integer<int64_t, FD_I64>(table->reduce);
}

}  // namespace fd::FD_ISA
