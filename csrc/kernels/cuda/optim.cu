// One step of SGD (momentum, Nesterov) or of Adam and AdamW for all parameters of a group (kernels.h has the formulas).
//
// Bound by memory: 12 to 28 bytes a parameter. Up to kTensors tensors go in one launch; their pointers travel as kernel
// arguments, and each block takes one stretch of one tensor.
#include <cmath>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

constexpr int kTensors = 48;  // as many as fit into 4 KiB of arguments
constexpr int64_t kStretch = kThreads * 16;

struct Rule {
  double lr, grad_scale, weight_decay;
  double momentum, dampening;
  double beta1, beta2, eps, step_size, root_correction;
  int32_t first_step, nesterov, decoupled, amsgrad;
};

// What the update reads besides: values of a captured step, and whether anything went wrong before it.
struct Watch {
  const fd_optim_live* live;
  const fd_fault* fault;
};

struct Chunk {
  fd_optim_tensor tensor[kTensors];
  int32_t first_block[kTensors + 1];
  int32_t count;
};

// The values a replay finds. The host computed the powers, as it does for eager steps, so that both agree in every bit.
__device__ Rule with_live(Rule r, const fd_optim_live& now) {
  r.lr = now.lr;
  r.grad_scale *= now.grad_scale;
  r.first_step = now.step == 1;
  r.step_size = now.lr / now.correction1;
  r.root_correction = 1 / std::sqrt(now.correction2);
  return r;
}

Rule rule_of(const fd_optim& o) {
  Rule r = {};
  r.grad_scale = o.maximize ? -1 : 1;
  r.weight_decay = o.weight_decay;
  r.momentum = o.momentum;
  r.dampening = o.dampening;
  r.beta1 = o.beta1;
  r.beta2 = o.beta2;
  r.eps = o.eps;
  r.nesterov = o.nesterov;
  r.decoupled = o.decoupled;
  r.amsgrad = o.amsgrad;
  if (o.live) return r;
  const double step = double(*o.step);
  r.lr = *o.lr;
  if (o.grad_scale) r.grad_scale *= *o.grad_scale;
  r.step_size = *o.lr / (1 - std::pow(o.beta1, step));
  r.root_correction = 1 / std::sqrt(1 - std::pow(o.beta2, step));
  r.first_step = *o.step == 1;
  return r;
}

struct Sgd {
  template <class T>
  __device__ static void update(const Rule& r, const fd_optim_tensor& t, int64_t i) {
    T* const param = static_cast<T*>(t.param) + i;
    const T p = *param;
    T g = T(r.grad_scale) * static_cast<const T*>(t.grad)[i] + T(r.weight_decay) * p;
    if (t.state[0]) {
      T* const buffer = static_cast<T*>(t.state[0]) + i;
      const T b = r.first_step ? g : T(r.momentum) * *buffer + T(1 - r.dampening) * g;
      *buffer = b;
      g = r.nesterov ? g + T(r.momentum) * b : b;
    }
    *param = p - T(r.lr) * g;
  }
};

struct Adam {
  template <class T>
  __device__ static void update(const Rule& r, const fd_optim_tensor& t, int64_t i) {
    T* const param = static_cast<T*>(t.param) + i;
    T* const m = static_cast<T*>(t.state[0]) + i;
    T* const v = static_cast<T*>(t.state[1]) + i;
    T p = *param, g = T(r.grad_scale) * static_cast<const T*>(t.grad)[i];
    if (r.decoupled)
      p *= T(1 - r.lr * r.weight_decay);
    else
      g += T(r.weight_decay) * p;
    const T mean = T(r.beta1) * *m + T(1 - r.beta1) * g;
    const T square = T(r.beta2) * *v + T(1 - r.beta2) * g * g;
    T scale = square;
    if (r.amsgrad) {
      T* const most = static_cast<T*>(t.state[2]) + i;
      scale = *most > square ? *most : square;
      *most = scale;
    }
    *m = mean;
    *v = square;
    *param = p - T(r.step_size) * mean / (std::sqrt(scale) * T(r.root_correction) + T(r.eps));
  }
};

template <class Method, class T>
__global__ void __launch_bounds__(kThreads)
    step_kernel(const __grid_constant__ Chunk chunk, const __grid_constant__ Rule fixed, Watch watch) {
  if (watch.fault->code != FD_OK) return;
  const Rule rule = watch.live ? with_live(fixed, *watch.live) : fixed;
  int k = 0;
  while (k + 1 < chunk.count && int32_t(blockIdx.x) >= chunk.first_block[k + 1]) k++;
  const fd_optim_tensor& t = chunk.tensor[k];
  const int64_t begin = (int64_t(blockIdx.x) - chunk.first_block[k]) * kStretch;
  const int64_t end = begin + kStretch < t.n ? begin + kStretch : t.n;
#pragma unroll 4
  for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) Method::template update<T>(rule, t, i);
}

template <class Method, class T>
fd_status step(fd_context* context, const fd_optim* o) {
  const Rule rule = rule_of(*o);
  const Watch watch = {o->live, context->fault};
  for (int64_t first = 0; first < o->count; first += kTensors) {
    Chunk chunk = {};
    int32_t blocks = 0;
    for (int64_t i = first; i < o->count && i < first + kTensors; i++) {
      if (o->tensors[i].n == 0) continue;
      chunk.tensor[chunk.count] = o->tensors[i];
      chunk.first_block[chunk.count++] = blocks;
      blocks += int32_t(ceil_div(o->tensors[i].n, kStretch));
    }
    const dim3 grid{unsigned(blocks)};
    if (const fd_status bad = start(context, step_kernel<Method, T>, grid, dim3(kThreads), 0, chunk, rule, watch))
      return bad;
  }
  return FD_OK;
}

}  // namespace

void fill_optim(fd_kernels* table) {
  for_each_floating([table]<class T>(fd_dtype dtype) {
    table->optim.sgd[dtype] = step<Sgd, T>;
    table->optim.adam[dtype] = step<Adam, T>;
  });
}

}  // namespace fd::gpu
