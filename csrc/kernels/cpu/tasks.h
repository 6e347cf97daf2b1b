// Work cut by size alone, so that results never depend on the number of threads, and what of the standard library is
// wanted around it: its own templates, compiled for a wide ISA, could be picked by the linker for all of the program.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"

namespace fd::FD_ISA {

template <class T>
constexpr T least(T a, T b) {
  return b < a ? b : a;
}
template <class T>
constexpr T most(T a, T b) {
  return a < b ? b : a;
}
template <class T>
constexpr void exchange(T& a, T& b) {
  const T held = a;
  a = b;
  b = held;
}
template <class T>
inline void fill(T* p, int64_t n, T value) {
  for (int64_t i = 0; i < n; i++) p[i] = value;
}

// body(i) for every i in [0, tasks), in order on the calling thread when there is nothing to share.
template <class Body>
inline void for_tasks(fd_context* context, int64_t tasks, const Body& body) {
  if (tasks <= 1 || context->threads <= 1) {
    for (int64_t i = 0; i < tasks; i++) body(i);
    return;
  }
  const auto call = [](void* closure, int64_t i) { (*static_cast<const Body*>(closure))(i); };
  context->parallel(context, tasks, call, const_cast<Body*>(&body));
}

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// body(begin, end) over [0, n) in chunks of `grain`.
template <class Body>
inline void for_chunks(fd_context* context, int64_t n, int64_t grain, const Body& body) {
  for_tasks(context, ceil_div(n, grain), [&](int64_t i) { body(i * grain, least(n, (i + 1) * grain)); });
}

// The first bad index or label of an array that several tasks check at once.
class FirstFault {
 public:
  void report(int64_t position) {
    int64_t seen = first();
    while (position < seen &&
           !__atomic_compare_exchange_n(&position_, &seen, position, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
  }
  bool found() const { return first() != INT64_MAX; }
  fd_status status(fd_context* context, const int64_t* values) const {
    if (!found()) return FD_OK;
    if (context->fault) *context->fault = {FD_OUT_OF_RANGE, 0, first(), values[first()]};
    return FD_OUT_OF_RANGE;
  }

 private:
  int64_t first() const { return __atomic_load_n(&position_, __ATOMIC_RELAXED); }
  int64_t position_ = INT64_MAX;
};

}  // namespace fd::FD_ISA
