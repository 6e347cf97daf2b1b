#include "ops/fused.h"

#include "autograd/engine.h"

namespace fd::ops {

namespace {

bool is_one(const Tensor& g) {
  if (g.device().kind != DeviceKind::cpu || g.numel() != 1) return false;
  return g.dtype() == DType::float32   ? *g.data_as<float>() == 1.0f
         : g.dtype() == DType::float64 ? *g.data_as<double>() == 1.0
                                       : false;
}

}  // namespace

Tensor scale_kept(const Tensor& kept, const Tensor& arriving) { return is_one(arriving) ? kept : mul(kept, arriving); }

bool is_ours(const Tensor& grad) {
  return grad->use_count() == 1 && grad->storage->use_count() == 1 && !grad->python && grad.is_contiguous();
}

void composed_backward(const Node& node, const Tensor& composed, const Tensor& g, const Tensor* inputs, int count,
                       Tensor* grad_in) {
  std::vector<Tensor> wanted;
  for (int i = 0; i < count; i++)
    if (node.wants(i)) wanted.push_back(inputs[i]);
  const BackwardOptions options = {.retain_graph = true, .create_graph = true, .accumulate = false};
  const std::vector<Tensor> grads = backward({composed}, {g}, wanted, options);
  size_t next = 0;
  for (int i = 0; i < count; i++)
    if (node.wants(i)) grad_in[i] = grads[next++];
}

InPlace::InPlace(const Tensor& target, DType dtype)
    : target_(&target),
      dense_(target.dtype() == dtype && target.is_contiguous() ? target : contiguous(to(detach(target), dtype))) {}

void InPlace::write_back(const char* op) const {
  const GradMode off(false);
  if (!in_step()) copy_(*target_, dense_);
  (*target_)->bump_version(op);
}

}  // namespace fd::ops
