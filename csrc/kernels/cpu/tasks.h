// Work cut by size alone, so that results never depend on the number of threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "kernels/kernels.h"

namespace fd::FD_ISA {

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
  for_tasks(context, ceil_div(n, grain), [&](int64_t i) { body(i * grain, std::min(n, (i + 1) * grain)); });
}

// The first bad index or label of an array that several tasks check at once.
class FirstFault {
 public:
  void report(int64_t position) {
    int64_t seen = position_.load(std::memory_order_relaxed);
    while (position < seen && !position_.compare_exchange_weak(seen, position, std::memory_order_relaxed)) {
    }
  }
  bool found() const { return position_.load(std::memory_order_relaxed) != INT64_MAX; }
  fd_status status(fd_context* context, const int64_t* values) const {
    const int64_t position = position_.load(std::memory_order_relaxed);
    if (position == INT64_MAX) return FD_OK;
    if (context->fault) *context->fault = {FD_OUT_OF_RANGE, 0, position, values[position]};
    return FD_OUT_OF_RANGE;
  }

 private:
  std::atomic<int64_t> position_{INT64_MAX};
};

}  // namespace fd::FD_ISA
