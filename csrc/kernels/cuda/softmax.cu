// Softmax and log-softmax along the middle of [outer, size, inner], and their gradients (kernels/reference/softmax.cpp
// has the formulas).
//
// Bound by memory. A line of neighbours is a warp's work up to 1024 elements and a block's from there on; it is read
// twice, the second time from cache. Lines that lie side by side (inner > 1) get a thread each.
#include "kernels/cuda/softmax_line.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

__device__ inline int64_t line_offset(const fd_softmax& s, int64_t line) {
  return line / s.inner * s.size * s.inner + line % s.inner;
}

template <class T, bool Log, int L>
__global__ void __launch_bounds__(kThreads) forward_kernel(const __grid_constant__ fd_softmax s) {
  const int64_t line = Group<L>::line();
  const bool real = line < s.outer * s.inner;
  const int64_t offset = real ? line_offset(s, line) : 0;
  const T* const x = static_cast<const T*>(s.x) + offset;
  T* const y = static_cast<T*>(s.y) + offset;
  const Normaliser<T> z = normaliser<T, L>(x, s.size, s.inner, real);
  if (!real) return;
  const T log_sum = std::log(z.sum), scale = T(1) / z.sum;
  for (int64_t j = Group<L>::lane(); j < s.size; j += L) {
    const T d = x[j * s.inner] - z.largest;
    y[j * s.inner] = Log ? d - log_sum : std::exp(d) * scale;
  }
}

template <class T, bool Log, int L>
__global__ void __launch_bounds__(kThreads) backward_kernel(const __grid_constant__ fd_softmax s) {
  const int64_t line = Group<L>::line();
  const bool real = line < s.outer * s.inner;
  const int64_t offset = real ? line_offset(s, line) : 0;
  const T* const y = static_cast<const T*>(s.y) + offset;
  const T* const gy = static_cast<const T*>(s.gy) + offset;
  T* const gx = static_cast<T*>(s.gx) + offset;
  T sum = 0;
  if (real)
    for (int64_t j = Group<L>::lane() * s.inner; j < s.size * s.inner; j += L * s.inner)
      sum += Log ? gy[j] : gy[j] * y[j];
  sum = Group<L>::sum(sum);
  if (!real) return;
  for (int64_t j = Group<L>::lane() * s.inner; j < s.size * s.inner; j += L * s.inner)
    gx[j] = Log ? gy[j] - std::exp(y[j]) * sum : y[j] * (gy[j] - sum);
}

template <class T, bool Log>
fd_status forward(fd_context* context, const fd_softmax* s) {
  return with_width(s->size, s->inner == 1, [=]<int L>() {
    const dim3 blocks = blocks_for(s->outer * s->inner, Group<L>::kLines);
    return start(context, forward_kernel<T, Log, L>, blocks, dim3(kThreads), 0, *s);
  });
}

template <class T, bool Log>
fd_status backward(fd_context* context, const fd_softmax* s) {
  return with_width(s->size, s->inner == 1, [=]<int L>() {
    const dim3 blocks = blocks_for(s->outer * s->inner, Group<L>::kLines);
    return start(context, backward_kernel<T, Log, L>, blocks, dim3(kThreads), 0, *s);
  });
}

}  // namespace

void fill_softmax(fd_kernels* table) {
  fd_softmax_kernels& k = table->softmax;
  for_each_floating([&k]<class T>(fd_dtype dtype) {
    k.softmax[dtype] = forward<T, false>;
    k.softmax_backward[dtype] = backward<T, false>;
    k.log_softmax[dtype] = forward<T, true>;
    k.log_softmax_backward[dtype] = backward<T, true>;
  });
}

}  // namespace fd::gpu
