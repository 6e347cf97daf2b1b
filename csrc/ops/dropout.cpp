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

// y may be x.
void run_dropout(const Tensor& x, const Tensor& y, double p, const fd_rng& rng) {
  fd_dropout args = {x.numel(), x.data(), y.data(), nullptr, p, &rng};
  run("dropout", find(kernels(x.device()).dropout.dropout[index(x.dtype())], "dropout", x.dtype(), x.device()), args,
      x.device(), 2 * bytes_of(x));
}

Tensor drop(const Tensor& x, double p, const fd_rng& rng, bool in_place) {
  const bool record = needs_grad(x);
  Ref<Node> node;
  if (record) node = Ref<Node>(new DropoutBackward(x, p, rng));
  const Tensor in = x.is_contiguous() ? x : clone(detach(x));
  Tensor y = in_place ? in : empty(x.shape(), x.dtype(), x.device());
  run_dropout(in, y, p, rng);
  if (record) set_history(y, std::move(node));
  return y;
}

fd_rng next_draw(const Tensor& x, Generator* generator) {
  check_floating("dropout", {"input", x.dtype(), x.shape()});
  check<DeviceError>(!generator || generator == &default_generator() || !cuda::capturing(x.device()),
                     "dropout: a graph replays draws of the default generator only");
  return generator_or_default(generator).next();
}

}  // namespace

Tensor dropout(const Tensor& x, double p, bool training, Generator* generator) {
  check_probability("dropout", "p", p);
  if (!training || p == 0) return x;
  if (is_half(x.dtype())) return to(dropout(to(x, DType::float32), p, training, generator), x.dtype());
  return drop(x, p, next_draw(x, generator), false);
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
  if (is_half(self.dtype()) || !self.is_contiguous())
    return copy_(self, dropout(old_value(self), p, training, generator));
  const bool record = needs_grad(self);
  check_inplace("dropout_", self, record);
  const fd_rng rng = next_draw(self, generator);
  Ref<Node> node;
  if (record) node = Ref<Node>(new DropoutBackward(self, p, rng));
  run_dropout(self, self, p, rng);
  finish_inplace("dropout_", self, std::move(node));
  return self;
}

}  // namespace fd::ops
