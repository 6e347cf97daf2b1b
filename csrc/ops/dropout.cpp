// Dropout: y = x mask / (1 - p), mask 0 with probability p (Srivastava and others, JMLR 2014; Dive into Deep Learning,
// 5.6). The mask is not stored: backward is the same function of the gradient, drawing the same random bits.
#include "ops/checks.h"
#include "ops/fused.h"

namespace fd::ops {

namespace {

Tensor drop(const Tensor& x, double p, const fd_rng& rng, bool in_place);

class DropoutBackward final : public Node {
 public:
  DropoutBackward(const Tensor& x, double p, const fd_rng& rng) : Node(1), p_(p), rng_(rng) { connect(this, 0, x); }
  const char* name() const override { return "DropoutBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const bool reuse = !grad_enabled() && is_ours(grad_out[0]);
    grad_in[0] = drop(grad_out[0], p_, rng_, reuse);
  }

 private:
  double p_;
  fd_rng rng_;
};

Tensor drop(const Tensor& x, double p, const fd_rng& rng, bool in_place) {
  const bool record = needs_grad(x);
  Ref<Node> node;
  if (record) node = Ref<Node>(new DropoutBackward(x, p, rng));
  const Tensor in = x.is_contiguous() ? x : clone(detach(x));
  Tensor y = in_place ? in : empty(x.shape(), x.dtype(), x.device());
  fd_dropout args = {x.numel(), in.data(), y.data(), nullptr, p, &rng};
  run("dropout", find(kernels(x.device()).dropout.dropout[index(x.dtype())], "dropout", x.dtype(), x.device()), args,
      x.device(), 2 * bytes_of(x));
  if (record) set_history(y, std::move(node));
  return y;
}

}  // namespace

Tensor dropout(const Tensor& x, double p, bool training, Generator* generator) {
  check_probability("dropout", "p", p);
  if (!training || p == 0) return x;
  check_floating("dropout", {"input", x.dtype(), x.shape()});
  check<DeviceError>(!generator || generator == &default_generator() || !cuda::capturing(x.device()),
                     "dropout: a graph replays draws of the default generator only");
  if (is_half(x.dtype())) return to(dropout(to(x, DType::float32), p, training, generator), x.dtype());
  return drop(x, p, generator_or_default(generator).next(), false);
}

Tensor dropout_channels(const Tensor& x, double p, bool training, int leading, Generator* generator) {
  check_probability("dropout", "p", p);
  if (!training || p == 0) return x;
  check<ShapeError>(x.dim() >= leading, "dropout: input has shape ", x.shape(), "; expected at least ", leading,
                    " dimensions");
  Shape shape = x.shape();
  for (int i = leading; i < x.dim(); i++) shape[i] = 1;
  return mul(x, dropout(full(shape, 1, x.dtype(), x.device()), p, training, generator));
}

Tensor dropout_(const Tensor& self, double p, bool training, Generator* generator) {
  if (!training || p == 0) return check_probability("dropout_", "p", p), self;
  return binary_(FD_MUL, self, dropout(full(self.shape(), 1, self.dtype(), self.device()), p, training, generator));
}

}  // namespace fd::ops
