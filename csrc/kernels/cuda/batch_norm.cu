// Batch normalisation of x [n, c, s] per channel (kernels/reference/batch_norm.cpp has the formulas).
//
// Bound by memory: forward reads x twice (the second time from cache if it fits) and writes y once; backward likewise
// with x and gy. Statistics: several blocks share a channel where channels are few; each leaves its sums, and one
// launch combines them in a fixed order. Sums run over deviations from an element of the channel, in double, so a large
// mean costs no digits.
#include "kernels/cuda/fd/group.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

constexpr int64_t kBlocksWanted = 512;
constexpr int64_t kLeastEach = kThreads * 8;  // elements of a channel that a block of its own is worth
constexpr int kApplyEach = 4;

struct Sums {
  double a, b;
  __device__ static Sums join(const Sums& x, const Sums& y) { return {x.a + y.a, x.b + y.b}; }
};

struct Plan {
  fd_batch_norm b;
  Sums* parts;    // [c, splits]
  Sums* totals;   // [c]: of backward, gbias and gweight
  int64_t count;  // elements of a channel
  int64_t chunk;
  int32_t splits;
};

__device__ inline int64_t place(const fd_batch_norm& b, int64_t channel, int64_t i) {
  return b.s == 1 ? i * b.c + channel : (i / b.s * b.c + channel) * b.s + i % b.s;
}

template <class T>
__device__ double value_of(const void* values, int64_t channel, double otherwise) {
  return values ? double(static_cast<const T*>(values)[channel]) : otherwise;
}

// Of forward: deviations and their squares. Of backward: gy and gy (x - mean) invstd.
template <class T, bool Backward>
__global__ void __launch_bounds__(kThreads) parts_kernel(const __grid_constant__ Plan p) {
  const fd_batch_norm& b = p.b;
  const int64_t channel = blockIdx.x;
  const int64_t begin = int64_t(blockIdx.y) * p.chunk, end = begin + p.chunk < p.count ? begin + p.chunk : p.count;
  const T* const x = static_cast<const T*>(b.x);
  const T* const gy = static_cast<const T*>(b.gy);
  const double pivot = Backward ? value_of<T>(b.save_mean, channel, 0) : double(x[place(b, channel, 0)]);
  const double scale = Backward ? value_of<T>(b.save_invstd, channel, 1) : 1;
  Sums s = {0, 0};
#pragma unroll 4
  for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) {
    const int64_t at = place(b, channel, i);
    const double d = (double(x[at]) - pivot) * scale, g = Backward ? double(gy[at]) : d;
    s.a += g;
    s.b += g * d;
  }
  s = Group<kThreads>::all(s, Sums::join);
  if (threadIdx.x == 0) p.parts[channel * p.splits + blockIdx.y] = s;
}

__device__ inline Sums combined(const Plan& p, int64_t channel) {
  Sums s = {0, 0};
  for (int k = 0; k < p.splits; k++) s = Sums::join(s, p.parts[channel * p.splits + k]);
  return s;
}

template <class T>
__device__ void blend(void* running, int64_t channel, double rate, double value) {
  if (!running) return;
  T& x = static_cast<T*>(running)[channel];
  x = T((1 - rate) * double(x) + rate * value);
}

template <class T>
__global__ void __launch_bounds__(kThreads) statistics_kernel(const __grid_constant__ Plan p) {
  const fd_batch_norm& b = p.b;
  const int64_t channel = global_thread();
  if (channel >= b.c) return;
  double mean = value_of<T>(b.running_mean, channel, 0), var = value_of<T>(b.running_var, channel, 1);
  if (b.training) {
    const Sums s = combined(p, channel);
    const double m = double(p.count), shift = s.a / m;
    mean = double(static_cast<const T*>(b.x)[place(b, channel, 0)]) + shift;
    var = s.b / m - shift * shift;
    var = var < 0 ? 0 : var;
    blend<T>(b.running_mean, channel, b.momentum, mean);
    blend<T>(b.running_var, channel, b.momentum, var * m / (m > 1 ? m - 1 : 1));
  }
  static_cast<T*>(b.save_mean)[channel] = T(mean);
  static_cast<T*>(b.save_invstd)[channel] = T(1 / std::sqrt(var + b.eps));
}

template <class T>
__global__ void __launch_bounds__(kThreads) totals_kernel(const __grid_constant__ Plan p) {
  const int64_t channel = global_thread();
  if (channel >= p.b.c) return;
  const Sums s = combined(p, channel);
  p.totals[channel] = s;
  if (p.b.gbias) static_cast<T*>(p.b.gbias)[channel] = T(s.a);
  if (p.b.gweight) static_cast<T*>(p.b.gweight)[channel] = T(s.b);
}

template <class T, bool Backward>
__global__ void __launch_bounds__(kThreads) apply_kernel(const __grid_constant__ Plan p) {
  const fd_batch_norm& b = p.b;
  const int64_t all = b.n * b.c * b.s, first = int64_t(blockIdx.x) * (kThreads * kApplyEach) + threadIdx.x;
#pragma unroll
  for (int k = 0; k < kApplyEach; k++) {
    const int64_t i = first + k * kThreads;
    if (i >= all) break;
    const int64_t channel = i / b.s % b.c;
    const T mean = static_cast<const T*>(b.save_mean)[channel], invstd = static_cast<const T*>(b.save_invstd)[channel];
    const T weight = T(value_of<T>(b.weight, channel, 1));
    const T u = (static_cast<const T*>(b.x)[i] - mean) * invstd;
    if constexpr (Backward) {
      T g = static_cast<const T*>(b.gy)[i];
      if (b.training) g -= T(p.totals[channel].a / double(p.count)) + u * T(p.totals[channel].b / double(p.count));
      static_cast<T*>(b.gx)[i] = weight * invstd * g;
    } else {
      static_cast<T*>(b.y)[i] = u * weight + T(value_of<T>(b.bias, channel, 0));
    }
  }
}

fd_status plan_for(fd_context* context, const fd_batch_norm& b, Plan* p) {
  *p = {};
  p->b = b;
  p->count = b.n * b.s;
  const int64_t most = ceil_div(p->count, kLeastEach), wanted = ceil_div(kBlocksWanted, b.c > 0 ? b.c : 1);
  const int64_t splits = most < wanted ? most : wanted;
  p->splits = splits > 1 ? int32_t(splits) : 1;
  p->chunk = ceil_div(p->count, p->splits);
  p->parts = workspace<Sums>(context, b.c * (p->splits + 1));
  p->totals = p->parts + b.c * p->splits;
  return p->parts ? FD_OK : FD_NO_MEMORY;
}

template <class T, bool Backward>
fd_status apply(fd_context* context, const Plan& p) {
  const dim3 blocks = blocks_for(p.b.n * p.b.c * p.b.s, kThreads * kApplyEach);
  return start(context, apply_kernel<T, Backward>, blocks, dim3(kThreads), 0, p);
}

template <class T>
fd_status forward(fd_context* context, const fd_batch_norm* b) {
  Plan p;
  if (const fd_status bad = plan_for(context, *b, &p)) return bad;
  const dim3 parts(unsigned(b->c), unsigned(p.splits));
  if (b->training && p.count > 0)
    if (const fd_status bad = start(context, parts_kernel<T, false>, parts, dim3(kThreads), 0, p)) return bad;
  if (p.count > 0 || !b->training)
    if (const fd_status bad = start(context, statistics_kernel<T>, blocks_for(b->c), dim3(kThreads), 0, p)) return bad;
  return apply<T, false>(context, p);
}

template <class T>
fd_status backward(fd_context* context, const fd_batch_norm* b) {
  Plan p;
  if (const fd_status bad = plan_for(context, *b, &p)) return bad;
  const dim3 parts(unsigned(b->c), unsigned(p.splits));
  if (const fd_status bad = start(context, parts_kernel<T, true>, parts, dim3(kThreads), 0, p)) return bad;
  if (const fd_status bad = start(context, totals_kernel<T>, blocks_for(b->c), dim3(kThreads), 0, p)) return bad;
  return b->gx ? apply<T, true>(context, p) : FD_OK;
}

}  // namespace

void fill_batch_norm(fd_kernels* table) {
  for_each_floating([table]<class T>(fd_dtype dtype) {
    table->batch_norm.forward[dtype] = forward<T>;
    table->batch_norm.backward[dtype] = backward<T>;
  });
}

}  // namespace fd::gpu
