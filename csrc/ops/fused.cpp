#include "ops/fused.h"

#include "autograd/engine.h"

namespace fd::ops {

namespace {

// The ones that backward() starts from on GPUs, kept so that they are known by sight: reading a value means waiting.
struct StartingOnes {
  std::vector<Tensor> known;
  Tensor of(DType dtype, Device device) {
    std::erase_if(known, [](const Tensor& t) { return t->version_value() != 0; });  // somebody wrote into it
    for (const Tensor& t : known)
      if (t.dtype() == dtype && t.device() == device) return t;
    const Tensor made = full({}, 1, dtype, device);
    // What is made in a capture holds nothing before the first replay.
    if (!cuda::capturing(device)) known.push_back(made);
    return made;
  }
};
StartingOnes& starting_ones() {
  static auto* const ones = new StartingOnes;  // never destroyed: its memory is a device's
  return *ones;
}

bool is_one(const Tensor& g) {
  if (g.numel() != 1) return false;
  if (g.device().kind != DeviceKind::cpu) {
    for (const Tensor& t : starting_ones().known)
      if (t->data == g->data && t.dtype() == g.dtype() && t->version_value() == 0) return true;
    return false;
  }
  return g.dtype() == DType::float32   ? *g.data_as<float>() == 1.0f
         : g.dtype() == DType::float64 ? *g.data_as<double>() == 1.0
                                       : false;
}

}  // namespace

Tensor starting_gradient(const Tensor& root) {
  const Device device = root.device();
  if (device.kind == DeviceKind::cpu || root.dim() > 0) return full(root.shape(), 1, root.dtype(), device);
  return starting_ones().of(root.dtype(), device);
}

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
