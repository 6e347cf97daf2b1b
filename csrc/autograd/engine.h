// Reverse mode: walks the recorded graph from outputs to leaves, newest step first.
#pragma once

#include <vector>

#include "autograd/meta.h"

namespace fd {

struct BackwardOptions {
  bool retain_graph = false;
  bool create_graph = false;
  bool accumulate = true;  // false: only return the gradients of `inputs`, leave .grad alone
};

// grads[i] is the gradient of roots[i]. With inputs given, returns their gradients (undefined where none arrived);
// with accumulate and inputs, only those leaves receive one.
std::vector<Tensor> backward(const std::vector<Tensor>& roots, const std::vector<Tensor>& grads,
                             const std::vector<Tensor>& inputs, BackwardOptions options);

// The node that adds gradients into a leaf's .grad.
Ref<Node> accumulator(const Tensor& leaf);

}  // namespace fd
