// What the host does for itself and a device cannot leave to it (kernels/remote.h).
//
// Checks and ramps are bound by memory. A search is bound by the latency of its log2(n) reads, of which all threads
// share the first few. The sums of a draw are bound by additions one after another, which give them the CPU's bits; the
// block brings the weights to shared memory and takes the sums away.
#include "kernels/remote.h"

#include "kernels/cuda/launch.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

constexpr int kCheckEach = 4;

template <class T>
__device__ bool fails(const fd_check& c, T x) {
  if (c.zero_fails && x == T(0)) return true;
  if constexpr (is_floating<T>)
    return double(x) < c.low.f || double(x) > c.high.f || (c.nan_fails && x != x);
  else
    return int64_t(x) < c.low.i || int64_t(x) > c.high.i;
}

template <class T>
__device__ int64_t reported(const fd_check& c, T x) {
  union {
    double number;
    int64_t bits;
  } v;
  if (c.fault != FD_BAD_VALUE) return int64_t(x);
  v.number = double(x);
  return v.bits;
}

template <class T>
__global__ void __launch_bounds__(kThreads) check_kernel(const __grid_constant__ fd_check c, FaultReport report) {
  const int64_t first = int64_t(blockIdx.x) * (kThreads * kCheckEach) + threadIdx.x;
#pragma unroll
  for (int k = 0; k < kCheckEach; k++) {
    const int64_t i = first + k * kThreads;
    if (i >= c.n) break;
    const T x = static_cast<const T*>(c.in)[i];
    if (fails(c, x)) report(i, reported(c, x));
  }
}

template <class T>
fd_status check(fd_context* context, const fd_check* c) {
  FaultReport report = fault_report(context);
  report.code = c->fault;
  return start(context, check_kernel<T>, blocks_for(c->n, kThreads * kCheckEach), dim3(kThreads), 0, *c, report);
}

template <class T>
__global__ void __launch_bounds__(kThreads) arange_kernel(const __grid_constant__ fd_arange a) {
  const int64_t i = global_thread();
  if (i >= a.n) return;
  const int64_t k = a.first + i;
  if constexpr (is_floating<T>)
    static_cast<T*>(a.out)[i] = __dadd_rn(a.start.f, __dmul_rn(double(k), a.step.f));  // never one fused operation
  else
    static_cast<T*>(a.out)[i] = plus(a.start.i, times(k, a.step.i));
}

template <class T>
fd_status arange(fd_context* context, const fd_arange* a) {
  return start(context, arange_kernel<T>, blocks_for(a->n), dim3(kThreads), 0, *a);
}

// Whether m stands before where x belongs.
template <class T>
__device__ bool stands_before(T m, T x, bool right) {
  if (is_nan(x)) return right || !is_nan(m);
  return right ? m <= x : m < x;
}

template <class T>
__global__ void __launch_bounds__(kThreads) search_kernel(const __grid_constant__ fd_search s) {
  const int64_t at = global_thread();
  if (at >= s.lines * s.each) return;
  const T x = static_cast<const T*>(s.values)[at];
  const T* const row = static_cast<const T*>(s.sorted) + at / s.each * s.n;
  int64_t low = 0, left = s.n;
  while (left > 0) {
    const int64_t half = left / 2;
    const bool before = stands_before(row[low + half], x, s.right);
    if (before) low += half + 1;
    left = before ? left - half - 1 : half;
  }
  s.out[at] = low;
}

template <class T>
fd_status search(fd_context* context, const fd_search* s) {
  return start(context, search_kernel<T>, blocks_for(s->lines * s->each), dim3(kThreads), 0, *s);
}

// ------------------------------------------------------------------------------------------------------- draw

struct DrawPlan {
  fd_draw d;
  double* running;  // [rows, n]
  int64_t* last;    // [rows], of positive weight
};

// One block a row.
__global__ void __launch_bounds__(kThreads) running_kernel(const __grid_constant__ DrawPlan p) {
  FD_SHARED(double, sums, [kThreads]);
  const int64_t row = int64_t(blockIdx.x) * p.d.n, n = p.d.n;
  double total = 0;
  int64_t last = 0;
  for (int64_t first = 0; first < n; first += kThreads) {
    const int64_t mine = first + threadIdx.x;
    if (mine < n) sums[threadIdx.x] = p.d.weights[row + mine];
    __syncthreads();
    if (threadIdx.x == 0) {
      for (int j = 0; j < kThreads && first + j < n; j++) {
        if (sums[j] > 0) last = first + j;
        sums[j] = total += sums[j];
      }
    }
    __syncthreads();
    if (mine < n) p.running[row + mine] = sums[threadIdx.x];
  }
  if (threadIdx.x == 0) p.last[blockIdx.x] = last;
}

__global__ void __launch_bounds__(kThreads) draw_kernel(const __grid_constant__ DrawPlan p) {
  const int64_t at = global_thread();
  if (at >= p.d.rows * p.d.samples) return;
  const int64_t row = at / p.d.samples;
  const double* const running = p.running + row * p.d.n;
  const double wanted = p.d.u[at] * running[p.d.n - 1];
  int64_t low = 0, left = p.d.n;
  while (left > 0) {
    const int64_t half = left / 2;
    const bool before = !(wanted < running[low + half]);
    if (before) low += half + 1;
    left = before ? left - half - 1 : half;
  }
  p.d.out[at] = low < p.last[row] ? low : p.last[row];
}

fd_status draw(fd_context* context, const fd_draw* d) {
  if (d->n == 0 || d->rows == 0) return FD_OK;
  double* const running = workspace<double>(context, d->rows * (d->n + 1));
  if (!running) return FD_NO_MEMORY;
  const DrawPlan p = {*d, running, reinterpret_cast<int64_t*>(running + d->rows * d->n)};
  const dim3 rows{unsigned(d->rows)};
  if (const fd_status bad = start(context, running_kernel, rows, dim3(kThreads), 0, p)) return bad;
  return start(context, draw_kernel, blocks_for(d->rows * d->samples), dim3(kThreads), 0, p);
}

}  // namespace

void fill_remote(fd_remote_kernels* table) {
  for_each_dtype([table]<class T>(fd_dtype dtype) {
    if constexpr (!is_half<T>) table->check[dtype] = check<T>;
    if constexpr (std::is_same_v<T, int64_t> || std::is_same_v<T, double>) {
      table->arange[dtype] = arange<T>;
      table->search[dtype] = search<T>;
    }
  });
  table->draw = draw;
}

}  // namespace fd::gpu
