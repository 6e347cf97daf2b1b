// Softmax and its logarithm along one dim. With s = sum_k e^(x_k):
//   softmax      y_j = e^(x_j) / s        gx = y (gy - sum(gy y))
//   log_softmax  y_j = x_j - log s        gx = gy - e^y sum(gy)
// (Dive into Deep Learning, 4.1; Bridle 1990.)
#include "ops/autocast.h"
#include "ops/checks.h"
#include "ops/fused.h"

namespace fd::ops {

namespace {

struct Form {
  const char* name;
  const char* node;
  bool log;
};
constexpr Form kSoftmax = {"softmax", "SoftmaxBackward0", false};
constexpr Form kLogSoftmax = {"log_softmax", "LogSoftmaxBackward0", true};

fd_softmax lines(const Tensor& x, int dim) {
  fd_softmax args = {};
  args.outer = args.size = args.inner = 1;
  for (int i = 0; i < x.dim(); i++) (i < dim ? args.outer : i == dim ? args.size : args.inner) *= x.size(i);
  return args;
}

Tensor composed_gradient(const Form& form, const Tensor& g, const Tensor& y, int dim) {
  if (form.log) return sub(g, mul(unary(FD_EXP, y), sum(g, {dim}, true)));
  return mul(y, sub(g, sum(mul(g, y), {dim}, true)));
}

Tensor fused_gradient(const Form& form, const Tensor& g, const Tensor& y, int dim) {
  const bool reuse = is_ours(g);
  const Tensor gy = contiguous(g);
  Tensor gx = reuse ? gy : empty(y.shape(), y.dtype(), y.device());
  fd_softmax args = lines(y, dim);
  args.y = y.data();
  args.gy = gy.data();
  args.gx = gx.data();
  const fd_softmax_kernels& k = kernels(y.device()).softmax;
  fd_softmax_fn* kernel = (form.log ? k.log_softmax_backward : k.softmax_backward)[index(y.dtype())];
  run(form.node, find(kernel, form.node, y.dtype(), y.device()), args, y.device(), 3 * bytes_of(y));
  return gx;
}

class SoftmaxBackward final : public Node {
 public:
  SoftmaxBackward(const Form& form, const Tensor& x, int dim) : Node(1), form_(form), dim_(dim) { connect(this, 0, x); }
  const char* name() const override { return form_.node; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor y = output.get(this);
    grad_in[0] = (grad_enabled() ? composed_gradient : fused_gradient)(form_, grad_out[0], y, dim_);
  }
  void release() override { output.release(); }
  Saved output;

 private:
  const Form& form_;
  int dim_;
};

Tensor apply(const Form& form, const Tensor& x, int64_t dim) {
  check_floating(form.name, {"input", x.dtype(), x.shape()});
  if (is_half(x.dtype())) return to(apply(form, to(x, DType::float32), dim), widened(x.dtype(), x.device()));
  const int d = normalize_dim(form.name, dim, x.dim());
  const bool record = needs_grad(x);
  const Tensor in = x.is_contiguous() ? x : clone(detach(x));
  Tensor y = empty(x.shape(), x.dtype(), x.device());
  fd_softmax args = lines(x, d);
  args.x = in.data();
  args.y = y.data();
  const fd_softmax_kernels& k = kernels(x.device()).softmax;
  fd_softmax_fn* kernel = (form.log ? k.log_softmax : k.softmax)[index(x.dtype())];
  run(form.name, find(kernel, form.name, x.dtype(), x.device()), args, x.device(), 2 * bytes_of(x));
  if (record) {
    auto* node = new SoftmaxBackward(form, x, d);
    Ref<Node> owned(node);
    node->output = Saved::output(y);
    set_history(y, std::move(owned));
  }
  return y;
}

}  // namespace

Tensor softmax(const Tensor& x, int64_t dim) { return apply(kSoftmax, x, dim); }
Tensor log_softmax(const Tensor& x, int64_t dim) { return apply(kLogSoftmax, x, dim); }

}  // namespace fd::ops
