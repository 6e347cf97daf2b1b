// Losses element by element of input p and target t, with d = p - t (Dive into Deep Learning, 3.1, 3.4; Huber 1964):
//   mse d^2    l1 |d|    huber, smooth_l1: quadratic near 0, linear beyond    kl t (log t - p)
//   bce -t log p - (1 - t) log(1 - p)    bce_with_logits: the same of sigmoid(p)
// One pass gives the reduced loss and its gradient, which backward hands over. Where the target needs a gradient too
// and the loss is no function of d, or a second derivative is asked for, the loss is made of elementary ops instead.
#include "ops/autocast.h"
#include "ops/checks.h"
#include "ops/fused.h"
#include "ops/remote.h"

namespace fd::ops {

namespace {

using T = const Tensor&;

Tensor square(T x) { return unary(FD_SQUARE, x); }
Tensor absolute(T x) { return unary(FD_ABS, x); }

Tensor each_squared(T p, T t, double) { return square(sub(p, t)); }
Tensor each_l1(T p, T t, double) { return absolute(sub(p, t)); }
Tensor each_huber(T p, T t, double delta) {
  const Tensor d = sub(p, t), size = absolute(d);
  return where(compare(FD_LE, size, delta), mul(square(d), 0.5), mul(sub(size, 0.5 * delta), delta));
}
Tensor each_smooth_l1(T p, T t, double beta) {
  const Tensor d = sub(p, t), size = absolute(d);
  if (beta == 0) return size;
  return where(compare(FD_LT, size, beta), mul(square(d), 0.5 / beta), sub(size, 0.5 * beta));
}
Tensor each_kl(T p, T t, double) {
  const Tensor none = compare(FD_EQ, t, 0);
  return where(none, 0.0, mul(t, sub(unary(FD_LOG, where(none, 1.0, t)), p)));
}
Tensor each_bce(T p, T t, double) {
  constexpr double least[3] = {-100, HUGE_VAL, 0};
  const Tensor log_p = unary(FD_CLAMP, unary(FD_LOG, p), least);
  const Tensor log_q = unary(FD_CLAMP, unary(FD_LOG1P, neg(p)), least);
  return neg(add(mul(t, log_p), mul(sub(1, t), log_q)));
}
Tensor each_bce_logits(T x, T t, double) { return sub(mul(sub(1, t), x), unary(FD_LOGSIGMOID, x)); }

struct Form {
  const char* name;
  const char* node;
  fd_loss_op op;
  bool of_difference;  // the target's gradient is minus the input's
  Tensor (*each)(T p, T t, double param);
};
constexpr Form kSquared = {"mse_loss", "MseLossBackward0", FD_LOSS_SQUARED, true, each_squared};
constexpr Form kL1 = {"l1_loss", "L1LossBackward0", FD_LOSS_L1, true, each_l1};
constexpr Form kHuber = {"huber_loss", "HuberLossBackward0", FD_LOSS_HUBER, true, each_huber};
constexpr Form kSmoothL1 = {"smooth_l1_loss", "SmoothL1LossBackward0", FD_LOSS_SMOOTH_L1, true, each_smooth_l1};
constexpr Form kKl = {"kl_div", "KlDivBackward0", FD_LOSS_KL, false, each_kl};
constexpr Form kBce = {"binary_cross_entropy", "BinaryCrossEntropyBackward0", FD_LOSS_BCE, false, each_bce};
constexpr Form kBceLogits = {"binary_cross_entropy_with_logits", "BinaryCrossEntropyWithLogitsBackward0",
                             FD_LOSS_BCE_LOGITS, false, each_bce_logits};

Tensor reduced(T each, fd_reduction reduction) {
  return reduction == FD_REDUCTION_NONE ? each : reduction == FD_REDUCTION_SUM ? sum(each) : mean(each);
}

class LossBackward final : public Node {
 public:
  LossBackward(const Form& form, T p, T t, T grad, fd_reduction reduction, double param)
      : Node(2), form_(form), p_(p), t_(t), grad_(grad), reduction_(reduction), param_(param) {
    connect(this, 0, p);
    connect(this, 1, t);
  }
  const char* name() const override { return form_.node; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor kept = grad_.get(this), &g = grad_out[0];
    if (grad_enabled()) {
      const Tensor inputs[] = {p_.get(this), t_.get(this)};
      const Tensor loss = reduced(form_.each(inputs[0], inputs[1], param_), reduction_);
      composed_backward(*this, loss, g, inputs, 2, grad_in);
      return;
    }
    const Tensor gp = reduction_ == FD_REDUCTION_NONE ? mul(kept, g) : scale_kept(kept, g);
    if (wants(0)) grad_in[0] = gp;
    if (wants(1)) grad_in[1] = neg(gp);
  }
  void release() override {
    p_.release();
    t_.release();
    grad_.release();
  }

 private:
  const Form& form_;
  Saved p_, t_, grad_;
  fd_reduction reduction_;
  double param_;
};

// p and t of one shape and dtype.
Tensor fused(const Form& form, T p, T t, fd_reduction reduction, double param) {
  const bool record = needs_grad(p, t);
  const Tensor pred = contiguous(detach(p)), target = contiguous(detach(t));
  const bool each = reduction == FD_REDUCTION_NONE;
  Tensor loss = empty(each ? p.shape() : Shape(), p.dtype(), p.device());
  Tensor grad;
  if (record) grad = empty(p.shape(), p.dtype(), p.device());
  fd_loss args = {};
  args.n = p.numel();
  args.pred = pred.data();
  args.target = target.data();
  args.param = param;
  args.scale = reduction == FD_REDUCTION_MEAN ? 1.0 / static_cast<double>(args.n) : 1.0;
  (each ? args.each : args.total) = loss.data();
  args.grad = record ? grad.data() : nullptr;
  fd_loss_fn* kernel = kernels(p.device()).softmax.loss[form.op][index(p.dtype())];
  run(form.name, find(kernel, form.name, p.dtype(), p.device()), args, p.device(), 3 * bytes_of(p));
  if (record) set_history(loss, Ref<Node>(new LossBackward(form, p, t, grad, reduction, param)));
  return loss;
}

struct Pair {
  Tensor p, t;
  DType dtype;  // of the result
};

// Both in the dtype to compute in; a target of integers or bools takes the input's.
Pair promoted(const Form& form, T input, T target) {
  check_same_device(form.name, input, target);
  const DType d = result_type(input, target);
  check<DTypeError>(is_floating(d), form.name, ": input and target are ", input.dtype(), " and ", target.dtype(),
                    "; expected a floating dtype");
  const DType compute = is_half(d) ? DType::float32 : d;
  return {to(input, compute), to(target, compute), widened(d, input.device())};
}

Tensor apply(const Form& form, T input, T target, fd_reduction reduction, double param) {
  const Pair in = promoted(form, input, target);
  const bool alike = in.p.shape() == in.t.shape() && (form.of_difference || !needs_grad(in.t));
  const Tensor loss =
      alike ? fused(form, in.p, in.t, reduction, param) : reduced(form.each(in.p, in.t, param), reduction);
  return to(loss, in.dtype);
}

}  // namespace

Tensor mse_loss(T input, T target, fd_reduction reduction) { return apply(kSquared, input, target, reduction, 0); }

Tensor l1_loss(T input, T target, fd_reduction reduction) { return apply(kL1, input, target, reduction, 0); }

Tensor huber_loss(T input, T target, fd_reduction reduction, double delta) {
  check<ValueError>(delta > 0, "huber_loss: delta is ", delta, "; expected above 0");
  return apply(kHuber, input, target, reduction, delta);
}

Tensor smooth_l1_loss(T input, T target, fd_reduction reduction, double beta) {
  check_not_negative("smooth_l1_loss", "beta", beta);
  return apply(kSmoothL1, input, target, reduction, beta);
}

Tensor kl_div(T input, T target, KlReduction reduction, bool log_target) {
  const bool per_row = reduction == KlReduction::batchmean;
  const fd_reduction plain = per_row ? FD_REDUCTION_SUM : static_cast<fd_reduction>(reduction);
  Tensor loss;
  if (log_target) {
    const Pair in = promoted(kKl, input, target);
    loss = to(reduced(mul(unary(FD_EXP, in.t), sub(in.t, in.p)), plain), in.dtype);
  } else {
    loss = apply(kKl, input, target, plain, 0);
  }
  return per_row && input.dim() > 0 ? div(loss, static_cast<double>(input.size(0))) : loss;
}

namespace {

void check_binary(const Form& form, T input, T target) {
  const Given given = {"input", input.dtype(), input.shape()};
  check_floating(form.name, given);
  check_same_shape(form.name, {"target", target.dtype(), target.shape()}, given);
}

void check_unit_range(const char* op, const char* name, T t) {
  // Written so that NaN passes, as in PyTorch: it will show in the loss.
  if (on_gpu(t)) return report_outside(op, t, 0, 1);
  const Tensor wrong = compare(FD_LOGICAL_OR, compare(FD_LT, t, 0), compare(FD_GT, t, 1));
  if (first_element<bool>(reduce(FD_REDUCE_ANY, wrong, {}, false)))
    fail<ValueError>(op, ": ", name, " has values outside of 0 to 1; expected probabilities");
}

}  // namespace

Tensor binary_cross_entropy(T input, T target, T weight, fd_reduction reduction) {
  check_binary(kBce, input, target);
  check_unit_range(kBce.name, "input", detach(input));
  if (!weight.defined()) return apply(kBce, input, target, reduction, 0);
  return reduced(mul(apply(kBce, input, target, FD_REDUCTION_NONE, 0), weight), reduction);
}

Tensor binary_cross_entropy_with_logits(T input, T target, T weight, T pos_weight, fd_reduction reduction) {
  check_binary(kBceLogits, input, target);
  if (!weight.defined() && !pos_weight.defined()) return apply(kBceLogits, input, target, reduction, 0);
  Tensor each;
  if (pos_weight.defined()) {
    // (1 - t) x - (1 + (w - 1) t) log sigmoid(x)
    const Tensor positive = add(mul(sub(pos_weight, 1), target), 1);
    each = sub(mul(sub(1, target), input), mul(positive, unary(FD_LOGSIGMOID, input)));
  } else {
    each = apply(kBceLogits, input, target, FD_REDUCTION_NONE, 0);
  }
  return reduced(weight.defined() ? mul(each, weight) : each, reduction);
}

}  // namespace fd::ops
