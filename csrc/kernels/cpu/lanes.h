// Loops over arrays in vectors: one body for whole vectors and for the rest.
#pragma once

#include <limits>

#include "kernels/cpu/simd.h"
#include "kernels/cpu/tasks.h"

namespace fd::FD_ISA {

template <class T>
constexpr T kLargest = std::numeric_limits<T>::max();
template <class T>
constexpr T kSmallestNormal = std::numeric_limits<T>::min();

// How many lanes a body works on: all of them, known at compile time, or an int64_t.
struct Whole {};

template <class T>
FD_INLINE Vec<T> load(const T* p, Whole) {
  return Vec<T>::load(p);
}
template <class T>
FD_INLINE Vec<T> load(const T* p, int64_t lanes) {
  return Vec<T>::load(p, lanes);
}
template <class T>
FD_INLINE void store(Vec<T> x, T* p, Whole) {
  x.store(p);
}
template <class T>
FD_INLINE void store(Vec<T> x, T* p, int64_t lanes) {
  x.store(p, lanes);
}

// Lanes that hold no element hold 0.
template <class T>
FD_INLINE Vec<T> only(Vec<T> x, Whole) {
  return x;
}
template <class T>
FD_INLINE Vec<T> only(Vec<T> x, int64_t lanes) {
  return select(first_lanes<T>(lanes), x, Vec<T>(T(0)));
}

// body(i, lanes) for i from begin to end in steps of a vector.
template <class T, class Body>
FD_INLINE void for_vectors(int64_t begin, int64_t end, const Body& body) {
  constexpr int L = Vec<T>::kLanes;
  int64_t i = begin;
  for (; i + L <= end; i += L) body(i, Whole{});
  if (i < end) body(i, end - i);
}

// Elements from p to the next address a vector may be streamed to.
template <class T>
FD_INLINE int64_t to_aligned(const T* p) {
  constexpr uintptr_t L = Vec<T>::kLanes;
  return int64_t((L - reinterpret_cast<uintptr_t>(p) / sizeof(T) % L) % L);
}

// Whether an output is better written past the caches: it would not be found there by whoever reads it next.
inline bool past_cache(const fd_context* context, int64_t bytes) {
  return context->l2_bytes > 0 && bytes > 2 * context->l2_bytes * most(context->threads, 1);
}

// out[j] = value(j, lanes) for j in [0, n). `ahead` is fetched in step with the writing, so that memory is read while
// it is written: the next row's input.
template <class T, class Value>
FD_INLINE void write_row(T* out, int64_t n, bool past, const T* ahead, const Value& value) {
  constexpr int L = Vec<T>::kLanes;
  int64_t j = 0;
  if (past) {
    j = least(to_aligned(out), n);
    if (j > 0) store(value(int64_t(0), j), out, j);
    for (; j + L <= n; j += L) {
      prefetch(ahead + j);
      value(j, Whole{}).stream(out + j);
    }
  }
  for_vectors<T>(j, n, [&](int64_t i, auto lanes) { store(value(i, lanes), out + i, lanes); });
}

}  // namespace fd::FD_ISA
