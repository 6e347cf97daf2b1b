// Pooling and its gradients, one thread an element of what is written.
//
// Bound by memory. Backward gathers: a place of x looks through the windows that may cover it, in order, so nothing is
// added atomically and the result is always the same.
#include "kernels/cuda/conv.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

// One spatial dimension; 32 bits, because division in 64 is a call.
struct Axis {
  int32_t in, out, kernel, stride, pad, dilation;
};

struct PoolPlan {
  fd_pool v;
  Axis axis[FD_SPATIAL];
  Grid3 in, out;
  int32_t may_be_empty;  // some window has nothing inside: its maximum counts as place 0
};

// What a window covers in one dimension: begin, begin + step, ... below end; with_border counts the border too.
struct Extent {
  int32_t begin, end, step, with_border;
};

__host__ __device__ inline Extent extent(const Axis& a, bool adaptive, int32_t p) {
  if (adaptive) {
    const int32_t begin = p * a.in / a.out, end = ((p + 1) * a.in + a.out - 1) / a.out;
    return {begin, end, 1, end - begin};
  }
  const int32_t step = a.dilation, first = p * a.stride - a.pad, last = first + a.kernel * step;
  const int32_t begin = first < 0 ? first + (-first + step - 1) / step * step : first;
  const int32_t border = a.in + a.pad;
  return {begin, last < a.in ? last : a.in, step, (last < border ? last : border) - first};
}

// The windows that may cover a place: first to last.
struct Windows {
  int32_t first, last;
};

__device__ inline Windows windows_over(const Axis& a, bool adaptive, int32_t q) {
  if (adaptive) return {q * a.out / a.in, ((q + 1) * a.out + a.in - 1) / a.in - 1};
  const int32_t reach = q + a.pad, back = reach - (a.kernel - 1) * a.dilation;
  const int32_t first = back <= 0 ? 0 : (back + a.stride - 1) / a.stride, last = reach / a.stride;
  return {first, last < a.out ? last : a.out - 1};
}

struct Window {
  Extent e[FD_SPATIAL];
  __device__ Window(const PoolPlan& p, int32_t number) {
    int32_t at[FD_SPATIAL];
    p.out.locate(number, at);
    for (int d = 0; d < FD_SPATIAL; d++) e[d] = extent(p.axis[d], p.v.adaptive, at[d]);
  }
  template <class Visit>
  __device__ void for_each(const PoolPlan& p, Visit visit) const {
    for (int32_t i = e[0].begin; i < e[0].end; i += e[0].step)
      for (int32_t j = e[1].begin; j < e[1].end; j += e[1].step)
        for (int32_t k = e[2].begin; k < e[2].end; k += e[2].step) visit((i * p.axis[1].in + j) * p.axis[2].in + k);
  }
  __device__ double divisor(const fd_pool& v) const {
    if (v.divisor != 0) return double(v.divisor);
    double count = 1;
    for (const Extent& x : e) {
      const int32_t inside = x.end > x.begin ? x.end - x.begin : 0;
      count *= double(v.include_pad ? x.with_border : inside);
    }
    return count;
  }
  __device__ bool covers(const int32_t (&q)[FD_SPATIAL]) const {
    for (int d = 0; d < FD_SPATIAL; d++)
      if (q[d] < e[d].begin || q[d] >= e[d].end || (q[d] - e[d].begin) % e[d].step != 0) return false;
    return true;
  }
};

// visit(number of a window) for those that may cover place q, in order.
template <class Visit>
__device__ void for_each_window_over(const PoolPlan& p, const int32_t (&q)[FD_SPATIAL], Visit visit) {
  Windows w[FD_SPATIAL];
  for (int d = 0; d < FD_SPATIAL; d++) w[d] = windows_over(p.axis[d], p.v.adaptive, q[d]);
  for (int32_t i = w[0].first; i <= w[0].last; i++)
    for (int32_t j = w[1].first; j <= w[1].last; j++)
      for (int32_t k = w[2].first; k <= w[2].last; k++) visit((i * p.axis[1].out + j) * p.axis[2].out + k);
}

template <class T>
__global__ void __launch_bounds__(kThreads) max_kernel(const __grid_constant__ PoolPlan p) {
  const int64_t at = global_thread(), windows = p.out.count();
  if (at >= p.v.planes * windows) return;
  const int64_t plane = p.out.planes(at);
  const T* const x = static_cast<const T*>(p.v.x) + plane * p.in.count();
  T best = -T(INFINITY);
  int64_t where = -1;
  Window(p, int32_t(at - plane * windows)).for_each(p, [&](int32_t q) {
    const T value = x[q];
    if (where >= 0 && !(value > best) && value == value) return;
    best = value;
    where = q;
  });
  static_cast<T*>(p.v.y)[at] = best;
  if (p.v.indices) p.v.indices[at] = where < 0 ? 0 : where;
}

template <class T>
__global__ void __launch_bounds__(kThreads) max_backward_kernel(const __grid_constant__ PoolPlan p) {
  const int64_t at = global_thread(), places = p.in.count(), windows = p.out.count();
  if (at >= p.v.planes * places) return;
  const int64_t plane = p.in.planes(at), place = at - plane * places;
  const int64_t* const indices = p.v.indices + plane * windows;
  const T* const gy = static_cast<const T*>(p.v.gy) + plane * windows;
  T sum = 0;
  if (place == 0 && p.may_be_empty) {
    for (int64_t w = 0; w < windows; w++)
      if (indices[w] == 0) sum += gy[w];
  } else {
    int32_t q[FD_SPATIAL];
    p.in.locate(int32_t(place), q);
    for_each_window_over(p, q, [&](int32_t w) {
      if (indices[w] == place) sum += gy[w];
    });
  }
  static_cast<T*>(p.v.gx)[at] = sum;
}

template <class T>
__global__ void __launch_bounds__(kThreads) avg_kernel(const __grid_constant__ PoolPlan p) {
  const int64_t at = global_thread(), windows = p.out.count();
  if (at >= p.v.planes * windows) return;
  const int64_t plane = p.out.planes(at);
  const T* const x = static_cast<const T*>(p.v.x) + plane * p.in.count();
  const Window window(p, int32_t(at - plane * windows));
  double sum = 0;
  window.for_each(p, [&](int32_t q) { sum += double(x[q]); });
  static_cast<T*>(p.v.y)[at] = T(sum / window.divisor(p.v));
}

template <class T>
__global__ void __launch_bounds__(kThreads) avg_backward_kernel(const __grid_constant__ PoolPlan p) {
  const int64_t at = global_thread(), places = p.in.count(), windows = p.out.count();
  if (at >= p.v.planes * places) return;
  const int64_t plane = p.in.planes(at);
  const T* const gy = static_cast<const T*>(p.v.gy) + plane * windows;
  int32_t q[FD_SPATIAL];
  p.in.locate(int32_t(at - plane * places), q);
  double sum = 0;
  for_each_window_over(p, q, [&](int32_t w) {
    const Window window(p, w);
    if (window.covers(q)) sum += double(gy[w]) / window.divisor(p.v);
  });
  static_cast<T*>(p.v.gx)[at] = T(sum);
}

bool some_window_is_empty(const PoolPlan& p) {
  for (const Axis& a : p.axis)
    for (int32_t w = 0; w < a.out; w++) {
      const Extent e = extent(a, p.v.adaptive, w);
      if (e.begin >= e.end) return true;
    }
  return false;
}

// Whether everything that is computed in 32 bits fits.
bool fits(const fd_pool& v) {
  constexpr int64_t most = int64_t(1) << 30;
  bool small = volume(v.in) < most && volume(v.out) < most;
  for (int d = 0; d < FD_SPATIAL; d++)
    small &= v.adaptive ? v.in[d] * (v.out[d] + 1) < most
                        : (v.out[d] + 1) * v.stride[d] + v.in[d] + v.pad[d] + v.kernel[d] * v.dilation[d] < most;
  return small;
}

fd_status run(fd_context* context, const fd_pool& v, void (*kernel)(PoolPlan), bool backward) {
  if (!fits(v)) return FD_UNSUPPORTED;
  PoolPlan p = {v, {}, Grid3(v.in), Grid3(v.out), 0};
  for (int d = 0; d < FD_SPATIAL; d++)
    p.axis[d] = {int32_t(v.in[d]),     int32_t(v.out[d]), int32_t(v.kernel[d]),
                 int32_t(v.stride[d]), int32_t(v.pad[d]), int32_t(v.dilation[d])};
  p.may_be_empty = backward && some_window_is_empty(p);
  const int64_t written = v.planes * (backward ? volume(v.in) : volume(v.out));
  return start(context, kernel, blocks_for(written), dim3(kThreads), 0, p);
}

template <class T>
fd_status max(fd_context* context, const fd_pool* v) {
  return run(context, *v, max_kernel<T>, false);
}
template <class T>
fd_status max_backward(fd_context* context, const fd_pool* v) {
  return run(context, *v, max_backward_kernel<T>, true);
}
template <class T>
fd_status avg(fd_context* context, const fd_pool* v) {
  return run(context, *v, avg_kernel<T>, false);
}
template <class T>
fd_status avg_backward(fd_context* context, const fd_pool* v) {
  return run(context, *v, avg_backward_kernel<T>, true);
}

}  // namespace

void fill_pool(fd_kernels* table) {
  for_each_floating([table]<class T>(fd_dtype dtype) {
    table->pool.max[dtype] = max<T>;
    table->pool.max_backward[dtype] = max_backward<T>;
    table->pool.avg[dtype] = avg<T>;
    table->pool.avg_backward[dtype] = avg_backward<T>;
  });
}

}  // namespace fd::gpu
