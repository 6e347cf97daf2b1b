// Conversions between dtypes and layouts, and writing one tensor's contents into another. A copy is a strided cast.
#include "ops/ops.h"

namespace fd::ops {

namespace {

void cast_into(const char* op, const Tensor& out, const Tensor& from) {
  fd_elementwise args;
  const Tensor* operand = &from;
  lay_out(&args, out, &operand, 1);
  run(op,
      find(kernels(out.device()).elementwise.cast[index(from.dtype())][index(out.dtype())], op, from.dtype(),
           out.device()),
      args, out.device(), bytes_of(out) + bytes_of(from));
}

// y = x in another dtype.
class ToCopyBackward final : public Node {
 public:
  explicit ToCopyBackward(const Tensor& x) : Node(1), dtype_(x.dtype()) { connect(this, 0, x); }
  const char* name() const override { return "ToCopyBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override { grad_in[0] = to(grad_out[0], dtype_); }

 private:
  DType dtype_;
};

class CloneBackward final : public Node {
 public:
  explicit CloneBackward(const Tensor& x) : Node(1) { connect(this, 0, x); }
  const char* name() const override { return "CloneBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override { grad_in[0] = grad_out[0]; }
};

// self = from: what self was gets no gradient, from gets all of it.
class CopyBackward final : public Node {
 public:
  CopyBackward(const Tensor& self, const Tensor& from)
      : Node(2), device_(from.device()), shape_(from.shape()), dtype_(from.dtype()) {
    connect(this, 0, self);
    connect(this, 1, from);
  }
  const char* name() const override { return "CopyBackwards"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor& g = grad_out[0];
    if (wants(0)) grad_in[0] = zeros(g.shape(), g.dtype(), g.device());
    if (wants(1)) grad_in[1] = to_device(to(sum_to(g, shape_), dtype_), device_);
  }

 private:
  Device device_;
  Shape shape_;
  DType dtype_;
};

class FillBackward final : public Node {
 public:
  FillBackward(const Tensor& self, const Tensor* value) : Node(2) {
    connect(this, 0, self);
    if (value) {
      connect(this, 1, *value);
      dtype_ = value->dtype();
    }
  }
  const char* name() const override { return "FillBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor& g = grad_out[0];
    if (wants(0)) grad_in[0] = zeros(g.shape(), g.dtype(), g.device());
    if (wants(1)) grad_in[1] = to(sum(g), dtype_);
  }

 private:
  DType dtype_ = DType::float32;
};

bool share_memory(const Tensor& a, const Tensor& b) { return a->storage == b->storage; }

}  // namespace

Tensor to(const Tensor& t, DType dtype) {
  if (t.dtype() == dtype) return t;
  Tensor out = empty(t.shape(), dtype, t.device());
  cast_into("to", out, t);
  if (is_floating(dtype) && needs_grad(t)) set_history(out, Ref<Node>(new ToCopyBackward(t)));
  return out;
}

namespace {

class ToDeviceBackward final : public Node {
 public:
  explicit ToDeviceBackward(const Tensor& x) : Node(1), device_(x.device()) { connect(this, 0, x); }
  const char* name() const override { return "ToCopyBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override { grad_in[0] = to_device(grad_out[0], device_); }

 private:
  Device device_;
};

Tensor empty_pinned(const Shape& shape, DType dtype) {
  const size_t bytes = static_cast<size_t>(numel(shape)) * item_size(dtype);
  void* const data = cuda::allocate_pinned(bytes);
  Ref<Storage> storage = Storage::borrow(data, bytes, Device{}, true, cuda::free_pinned, data);
  return TensorImpl::create(std::move(storage), static_cast<char*>(data), dtype, shape, contiguous_strides(shape));
}

bool is_host(Device device) { return device.kind == DeviceKind::cpu; }

// Between devices, one layout and dtype: one transfer.
void transfer(const Tensor& to, const Tensor& from, bool wait) {
  cuda::copy(to.data(), to.device(), from.data(), from.device(), static_cast<size_t>(bytes_of(to)), wait);
}

}  // namespace

Tensor to_device(const Tensor& t, Device device, bool wait) {
  if (t.device() == device) return t;
  const Tensor from = contiguous(detach(t));
  Tensor out = !wait && is_host(device) ? empty_pinned(t.shape(), t.dtype()) : empty(t.shape(), t.dtype(), device);
  transfer(out, from, wait);
  if (needs_grad(t)) set_history(out, Ref<Node>(new ToDeviceBackward(t)));
  return out;
}

Tensor pin_memory(const Tensor& t) {
  check<DeviceError>(is_host(t.device()), "pin_memory: only host memory can be page-locked; this tensor is on ",
                     t.device());
  if (cuda::is_pinned(t.data())) return t;
  const Tensor out = empty_pinned(t.shape(), t.dtype());
  cast_into("pin_memory", out, detach(t));
  return out;
}

Tensor on_host(const Tensor& t) { return t.device().kind == DeviceKind::cpu ? t : to_device(detach(t), Device{}); }

Tensor clone(const Tensor& t) {
  Tensor out = empty(t.shape(), t.dtype(), t.device());
  cast_into("clone", out, t);
  if (needs_grad(t)) set_history(out, Ref<Node>(new CloneBackward(t)));
  return out;
}

Tensor contiguous(const Tensor& t) { return t.is_contiguous() ? t : clone(t); }

Tensor detach(const Tensor& t) { return alias(t); }

Tensor old_value(const Tensor& self) { return needs_grad(self) ? clone(self) : self; }

Tensor copy_(const Tensor& self, const Tensor& from, bool wait) {
  const Shape shape = broadcast("copy_", self.shape(), from.shape());
  check<ShapeError>(shape == self.shape(), "copy_: a tensor of shape ", from.shape(), " does not fit into shape ",
                    self.shape());
  const bool record = needs_grad(self, from) && is_floating(self.dtype());
  check_inplace("copy_", self, record);
  if (self.get() == from.get()) return self;
  Ref<Node> node;
  if (record) node = Ref<Node>(new CopyBackward(self, from));
  if (!(self.device() == from.device()) && self.dtype() == from.dtype() && self.shape() == from.shape() &&
      self.is_contiguous() && from.is_contiguous()) {
    transfer(self, from, wait);
    finish_inplace("copy_", self, node);
    return self;
  }
  const Tensor near = to_device(from->device == self->device ? from : detach(from), self.device());
  cast_into("copy_", self, share_memory(self, near) ? clone(detach(near)) : near);
  finish_inplace("copy_", self, node);
  return self;
}

Tensor fill_(const Tensor& self, const Operand& value) {
  static const Tensor undefined;
  if (value.is_tensor())
    check<ShapeError>(value.tensor->dim() == 0, "fill_: value must be a number or a 0-dim tensor, got shape ",
                      value.tensor->shape());
  const bool record = needs_grad(self, value.is_tensor() ? *value.tensor : undefined) && is_floating(self.dtype());
  check_inplace("fill_", self, record);
  Ref<Node> node;
  if (record) node = Ref<Node>(new FillBackward(self, value.tensor));
  if (value.is_tensor()) {
    cast_into("fill_", self, share_memory(self, *value.tensor) ? clone(detach(*value.tensor)) : *value.tensor);
  } else {
    const Operand operand[] = {value};
    run_elementwise("fill_", kernels(self.device()).elementwise.cast[index(self.dtype())], self, operand, 1);
  }
  finish_inplace("fill_", self, node);
  return self;
}

}  // namespace fd::ops
