// What ops with a fused forward or backward kernel share.
#pragma once

#include "ops/ops.h"

namespace fd::ops {

// A gradient kept since the forward pass, times the gradient arriving at the op's 0-dim result; itself if that is 1.
Tensor scale_kept(const Tensor& kept, const Tensor& arriving);

// The 1 that backward() starts from, of root's shape.
Tensor starting_gradient(const Tensor& root);

// Nobody else can see this gradient, so its memory may take the result.
bool is_ours(const Tensor& grad);

// The gradient of composed (made of recorded ops from inputs) for the gradient g, itself recorded: what a fused
// backward answers when it is asked for a second derivative. Fills grad_in[i] for every input node wants.
void composed_backward(const Node& node, const Tensor& composed, const Tensor& g, const Tensor* inputs, int count,
                       Tensor* grad_in);

// The contiguous tensor a kernel writes in place of target, in the dtype it computes in; write_back() puts the result
// where it belongs if that was not target itself.
class InPlace {
 public:
  InPlace() = default;
  InPlace(const Tensor& target, DType dtype);
  void* data() const { return dense_.data(); }
  bool in_step() const { return dense_.get() == target_->get(); }
  void write_back(const char* op) const;  // bumps the version

 private:
  const Tensor* target_ = nullptr;
  Tensor dense_;
};

}  // namespace fd::ops
