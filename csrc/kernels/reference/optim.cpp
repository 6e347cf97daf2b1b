// One step of stochastic gradient descent (with momentum and Nesterov's) or of Adam and AdamW for many tensors.
//   sgd   g += wd p;  b = step == 1 ? g : momentum b + (1 - dampening) g;  p -= lr (nesterov ? g + momentum b : b)
//   adam  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;
//         p -= lr / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + eps)      (Kingma, Ba 2015, algorithm 1; AMSGrad: max of v)
#include "kernels/reference/element.h"
#include "kernels/reference/table.h"

namespace fd::reference {
namespace {

double scaled_gradient(const fd_optim& o, double g) {
  const double scale = o.grad_scale ? *o.grad_scale : 1;
  return o.maximize ? -scale * g : scale * g;
}

template <class T>
void sgd_tensor(const fd_optim& o, const fd_optim_tensor& t) {
  T* const param = static_cast<T*>(t.param);
  const T* const grad = static_cast<const T*>(t.grad);
  T* const buffer = static_cast<T*>(t.state[0]);
  for (int64_t i = 0; i < t.n; i++) {
    const double p = param[i];
    const double g = scaled_gradient(o, grad[i]) + o.weight_decay * p;
    double direction = g;
    if (buffer) {
      const double b = *o.step == 1 ? g : o.momentum * buffer[i] + (1 - o.dampening) * g;
      buffer[i] = static_cast<T>(b);
      direction = o.nesterov ? g + o.momentum * b : b;
    }
    param[i] = static_cast<T>(p - *o.lr * direction);
  }
}

template <class T>
void adam_tensor(const fd_optim& o, const fd_optim_tensor& t) {
  T* const param = static_cast<T*>(t.param);
  const T* const grad = static_cast<const T*>(t.grad);
  T* const m = static_cast<T*>(t.state[0]);
  T* const v = static_cast<T*>(t.state[1]);
  T* const largest = static_cast<T*>(t.state[2]);
  const double lr = *o.lr, step = double(*o.step);
  const double correction1 = 1 - std::pow(o.beta1, step), correction2 = 1 - std::pow(o.beta2, step);
  for (int64_t i = 0; i < t.n; i++) {
    double p = param[i], g = scaled_gradient(o, grad[i]);
    if (o.decoupled)
      p *= 1 - lr * o.weight_decay;
    else
      g += o.weight_decay * p;
    const double mean = o.beta1 * m[i] + (1 - o.beta1) * g;
    const double square = o.beta2 * v[i] + (1 - o.beta2) * g * g;
    double scale = square;
    if (o.amsgrad) {
      if (largest[i] > scale) scale = largest[i];
      largest[i] = static_cast<T>(scale);
    }
    m[i] = static_cast<T>(mean);
    v[i] = static_cast<T>(square);
    param[i] = static_cast<T>(p - lr / correction1 * mean / (std::sqrt(scale / correction2) + o.eps));
  }
}

template <class T, void (*Update)(const fd_optim&, const fd_optim_tensor&)>
fd_status optimise(fd_context*, const fd_optim* o) {
  for (int64_t i = 0; i < o->count; i++) Update(*o, o->tensors[i]);
  return FD_OK;
}

}  // namespace

void fill_optim(fd_kernels* table) {
  for_each_floating([table]<class T>(fd_dtype dtype) {
    table->optim.sgd[dtype] = optimise<T, sgd_tensor<T>>;
    table->optim.adam[dtype] = optimise<T, adam_tensor<T>>;
  });
}

}  // namespace fd::reference
