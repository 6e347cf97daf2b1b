// History of a linear function of one tensor: its gradient is another function of the gradient.
#pragma once

#include "ops/ops.h"

namespace fd::ops {

template <class F>
class LinearBackward final : public Node {
 public:
  LinearBackward(const char* name, const Tensor& x, F f) : Node(1), name_(name), f_(std::move(f)) {
    connect(this, 0, x);
  }
  const char* name() const override { return name_; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override { grad_in[0] = f_(grad_out[0]); }

 private:
  const char* name_;
  F f_;
};

// out = compute(), not recorded step by step but as one step whose gradient is f(gradient), made of recorded ops.
template <class Compute, class F>
Tensor linear_step(const char* node, const Tensor& x, Compute compute, F f) {
  Ref<Node> history;
  if (needs_grad(x)) history = Ref<Node>(new LinearBackward<F>(node, x, std::move(f)));
  const GradMode off(false);
  Tensor out = compute(detach(x));
  if (history) set_history(out, std::move(history));
  return out;
}

}  // namespace fd::ops
