// Elementwise losses of a prediction p and a target t: each element's, their sum, and the gradient with respect to p.
//
// Bound by memory: one read of both operands, one write of what is wanted. The blocks' sums are added in a fixed order
// by a second launch.
#include "kernels/cuda/fd/group.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

constexpr int kEach = 4;  // elements a thread, a block's width apart

template <class T>
struct LossAt {
  T value, slope;
};

template <class T>
__device__ T sign_of(T d) {
  return d > 0 ? T(1) : d < 0 ? T(-1) : d;
}
template <class T>
__device__ T at_least(T x, T least) {  // keeps NaN
  return x < least ? least : x;
}

#define FD_LOSS(NAME, ...)                                               \
  struct NAME {                                                          \
    template <class T>                                                   \
    __device__ static LossAt<T> at(T p, T t, [[maybe_unused]] T param) { \
      __VA_ARGS__                                                        \
    }                                                                    \
  };

FD_LOSS(squared, const T d = p - t; return {d * d, T(2) * d};)
FD_LOSS(l1, const T d = p - t; return {std::fabs(d), sign_of(d)};)
FD_LOSS(huber, const T d = p - t; if (std::fabs(d) <= param) return {T(0.5) * d * d, d};
        return {param * (std::fabs(d) - T(0.5) * param), param * sign_of(d)};)
FD_LOSS(smooth_l1, const T d = p - t; if (std::fabs(d) < param) return {T(0.5) * d * d / param, d / param};
        return {std::fabs(d) - T(0.5) * param, sign_of(d)};)
FD_LOSS(kl, if (t == 0) return {T(0), T(0)}; return {t * (std::log(t) - p), -t};)
FD_LOSS(bce, const T log_p = at_least(std::log(p), T(-100)), log_q = at_least(std::log1p(-p), T(-100));
        return {-t * log_p - (T(1) - t) * log_q, (p - t) / at_least(p * (T(1) - p), T(1e-12))};)
FD_LOSS(bce_logits, return {at_least(p, T(0)) - p * t + std::log1p(std::exp(-std::fabs(p))), logistic(p) - t};)
#undef FD_LOSS

template <class Loss, class T>
__global__ void __launch_bounds__(kThreads) loss_kernel(const __grid_constant__ fd_loss l, double* parts) {
  const int64_t first = int64_t(blockIdx.x) * (kThreads * kEach) + threadIdx.x;
  double sum = 0;
#pragma unroll
  for (int k = 0; k < kEach; k++) {
    const int64_t i = first + k * kThreads;
    if (i >= l.n) break;
    const LossAt<T> at = Loss::at(static_cast<const T*>(l.pred)[i], static_cast<const T*>(l.target)[i], T(l.param));
    sum += double(at.value);
    if (l.each) static_cast<T*>(l.each)[i] = at.value;
    if (l.grad) static_cast<T*>(l.grad)[i] = T(l.scale) * at.slope;
  }
  if (!parts) return;
  sum = Group<kThreads>::sum(sum);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

template <class T>
__global__ void __launch_bounds__(kThreads) total_kernel(const double* parts, int64_t n, double scale, T* total) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < n; i += kThreads) sum += parts[i];
  sum = Group<kThreads>::sum(sum);
  if (threadIdx.x == 0) *total = T(scale * sum);
}

template <class Loss, class T>
fd_status loss(fd_context* context, const fd_loss* l) {
  const dim3 blocks = blocks_for(l->n, kThreads * kEach);
  double* parts = nullptr;
  if (l->total && !(parts = workspace<double>(context, blocks.x + 1))) return FD_NO_MEMORY;
  const fd_status status = start(context, loss_kernel<Loss, T>, blocks, dim3(kThreads), 0, *l, parts);
  if (status != FD_OK || !l->total) return status;
  return start(context, total_kernel<T>, dim3(1), dim3(kThreads), 0, parts, int64_t(blocks.x), l->scale,
               static_cast<T*>(l->total));
}

}  // namespace

void fill_loss(fd_kernels* table) {
  auto& k = table->softmax.loss;
#define FD_FILL(OP, name)                      \
  k[FD_LOSS_##OP][FD_F32] = loss<name, float>; \
  k[FD_LOSS_##OP][FD_F64] = loss<name, double>;
  FD_LOSS_OPS(FD_FILL)
#undef FD_FILL
}

}  // namespace fd::gpu
