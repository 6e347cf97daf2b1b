// Pooling as its definition has it: for every window the elements of x inside of it, one by one.
#include <algorithm>

#include "kernels/reference/element.h"
#include "kernels/reference/table.h"

namespace fd::reference {
namespace {

int64_t volume(const int64_t (&size)[FD_SPATIAL]) { return size[0] * size[1] * size[2]; }

// What a window covers in one dimension: begin, begin + step, ... below end; `with_border` counts the border too.
struct Extent {
  int64_t begin, end, step, with_border;
};

Extent extent(const fd_pool& v, int d, int64_t p) {
  if (v.adaptive) {
    const int64_t begin = p * v.in[d] / v.out[d], end = ((p + 1) * v.in[d] + v.out[d] - 1) / v.out[d];
    return {begin, end, 1, end - begin};
  }
  const int64_t step = v.dilation[d], first = p * v.stride[d] - v.pad[d], last = first + v.kernel[d] * step;
  const int64_t begin = first < 0 ? first + (-first + step - 1) / step * step : first;
  return {begin, std::min(last, v.in[d]), step, std::min(last, v.in[d] + v.pad[d]) - first};
}

struct Window {
  Extent e[FD_SPATIAL];
  Window(const fd_pool& v, int64_t p) {
    e[0] = extent(v, 0, p / (v.out[1] * v.out[2]));
    e[1] = extent(v, 1, p / v.out[2] % v.out[1]);
    e[2] = extent(v, 2, p % v.out[2]);
  }
  // visit(position in the plane), in order.
  template <class Visit>
  void for_each(const fd_pool& v, Visit visit) const {
    for (int64_t i = e[0].begin; i < e[0].end; i += e[0].step)
      for (int64_t j = e[1].begin; j < e[1].end; j += e[1].step)
        for (int64_t k = e[2].begin; k < e[2].end; k += e[2].step) visit((i * v.in[1] + j) * v.in[2] + k);
  }
  double divisor(const fd_pool& v) const {
    if (v.divisor != 0) return double(v.divisor);
    double count = 1;
    for (const Extent& x : e) count *= double(v.include_pad ? x.with_border : std::max<int64_t>(x.end - x.begin, 0));
    return count;
  }
};

template <class T>
fd_status max(fd_context*, const fd_pool* args) {
  const fd_pool& v = *args;
  const int64_t in = volume(v.in), out = volume(v.out);
  for (int64_t n = 0; n < v.planes; n++) {
    const T* const x = static_cast<const T*>(v.x) + n * in;
    for (int64_t p = 0; p < out; p++) {
      T best = -std::numeric_limits<T>::infinity();
      int64_t at = -1;
      Window(v, p).for_each(v, [&](int64_t q) {
        if (at >= 0 && !(x[q] > best) && x[q] == x[q]) return;
        best = x[q];
        at = q;
      });
      static_cast<T*>(v.y)[n * out + p] = best;
      if (v.indices) v.indices[n * out + p] = std::max<int64_t>(at, 0);
    }
  }
  return FD_OK;
}

template <class T>
fd_status max_backward(fd_context*, const fd_pool* args) {
  const fd_pool& v = *args;
  const int64_t in = volume(v.in), out = volume(v.out);
  for (int64_t n = 0; n < v.planes; n++) {
    T* const gx = static_cast<T*>(v.gx) + n * in;
    for (int64_t q = 0; q < in; q++) gx[q] = 0;
    for (int64_t p = 0; p < out; p++) gx[v.indices[n * out + p]] += static_cast<const T*>(v.gy)[n * out + p];
  }
  return FD_OK;
}

template <class T>
fd_status avg(fd_context*, const fd_pool* args) {
  const fd_pool& v = *args;
  const int64_t in = volume(v.in), out = volume(v.out);
  for (int64_t n = 0; n < v.planes; n++) {
    const T* const x = static_cast<const T*>(v.x) + n * in;
    for (int64_t p = 0; p < out; p++) {
      const Window window(v, p);
      double sum = 0;
      window.for_each(v, [&](int64_t q) { sum += double(x[q]); });
      static_cast<T*>(v.y)[n * out + p] = static_cast<T>(sum / window.divisor(v));
    }
  }
  return FD_OK;
}

template <class T>
fd_status avg_backward(fd_context* context, const fd_pool* args) {
  const fd_pool& v = *args;
  const int64_t in = volume(v.in), out = volume(v.out);
  double* const sum = static_cast<double*>(context->workspace(context, 0, size_t(in) * sizeof(double)));
  if (!sum && in > 0) return FD_NO_MEMORY;
  for (int64_t n = 0; n < v.planes; n++) {
    for (int64_t q = 0; q < in; q++) sum[q] = 0;
    for (int64_t p = 0; p < out; p++) {
      const Window window(v, p);
      const double each = double(static_cast<const T*>(v.gy)[n * out + p]) / window.divisor(v);
      window.for_each(v, [&](int64_t q) { sum[q] += each; });
    }
    for (int64_t q = 0; q < in; q++) static_cast<T*>(v.gx)[n * in + q] = static_cast<T>(sum[q]);
  }
  return FD_OK;
}

}  // namespace

void fill_pool(fd_kernels* table) {
  for_each_floating([&]<class T>(fd_dtype dtype) {
    table->pool.max[dtype] = max<T>;
    table->pool.max_backward[dtype] = max_backward<T>;
    table->pool.avg[dtype] = avg<T>;
    table->pool.avg_backward[dtype] = avg_backward<T>;
  });
}

}  // namespace fd::reference
