// Cross-entropy of softmax(input) against class numbers or probabilities (Dive into Deep Learning, 4.1 and 4.5), and
// the negative log-likelihood of log-probabilities. kernels.h has the formula. One pass over the logits gives the loss
// and, if input needs one, the gradient, which backward hands over.
#include "ops/autocast.h"
#include "ops/checks.h"
#include "ops/fused.h"
#include "ops/remote.h"

namespace fd::ops {

namespace {

constexpr const char* kName = "cross_entropy";

[[noreturn]] void fail_label(const char* op, int64_t label, int64_t position, const Shape& target, int64_t classes) {
  if (target.size() <= 1)
    fail<IndexError>(op, ": label ", label, " in row ", position, " of target; expected 0 to ", classes - 1);
  Shape at = target;
  for (int i = target.size() - 1; i >= 0; i--) {
    at[i] = position % target[i];
    position /= target[i];
  }
  fail<IndexError>(op, ": label ", label, " at ", at, " of target; expected 0 to ", classes - 1);
}

// [n, c, d1, ...] as rows of classes, [n, d1, ..., c]: a view.
Tensor classes_last(const Tensor& t) {
  const int d = class_dim(t.shape());
  Shape shape;
  Dims strides;
  for (int i = 0; i < t.dim(); i++) {
    const int from = i < d ? i : i + 1 < t.dim() ? i + 1 : d;
    shape.push_back(t.size(from));
    strides.push_back(t.stride(from));
  }
  return alias(t, shape, strides, t->storage_offset());
}

// The inverse: rows of classes as [n, c, d1, ...].
Tensor classes_second(const Tensor& rows, const Shape& input) {
  const int d = class_dim(input);
  Shape order = input;
  order.erase(d);
  order.push_back(input[d]);
  Dims strides = contiguous_strides(order);
  const int64_t step = strides.back();
  strides.resize(input.size() - 1);
  strides.insert(d, step);
  return alias(rows, input, strides, 0);
}

bool rows_in_place(const Tensor& t) {
  return t.dim() == 2 && (t.stride(1) == 1 || t.size(1) == 1) && t.stride(0) >= t.size(1);
}

Tensor dense_rows(const Tensor& t) { return t.is_contiguous() && t.dim() <= 2 ? t : contiguous(classes_last(t)); }

// ------------------------------------------------------------------------------------------------ composed form

// What the mean of class-number targets divides by, and the weight of each label; ignored ones weigh 0.
struct LabelWeights {
  Tensor labels;   // int64, ignored ones replaced by 0
  Tensor ignored;  // bool
  Tensor weight;   // of each label
};

void check_label_values(const char* op, const Tensor& labels, int64_t classes) {
  if (on_gpu(labels)) return report_bad_index(op, labels, classes);
  const auto* const p = labels.data_as<int64_t>();
  for (int64_t i = 0; i < labels.numel(); i++)
    if (p[i] < 0 || p[i] >= classes) fail_label(op, p[i], i, labels.shape(), classes);
}

LabelWeights label_weights(const char* op, const Tensor& input, const Tensor& target, const Tensor& weight,
                           int64_t ignore_index) {
  const Tensor raw = to(detach(target), DType::int64);
  LabelWeights w;
  w.ignored = compare(FD_EQ, raw, Scalar(ignore_index));
  w.labels = where(w.ignored, Scalar(0), raw);
  const int64_t classes = input.size(class_dim(input.shape()));
  check_label_values(op, contiguous(w.labels), classes);
  const Tensor each = weight.defined()
                          ? reshape(gather(detach(weight), 0, reshape(w.labels, {w.labels.numel()})), raw.shape())
                          : full(raw.shape(), 1, input.dtype(), input.device());
  w.weight = where(w.ignored, 0.0, each);
  return w;
}

// log_p at the labels, in their shape.
Tensor pick(const Tensor& log_p, const Tensor& labels) {
  const int d = class_dim(log_p.shape());
  return squeeze(gather(log_p, d, unsqueeze(labels, d)), Dims{d});
}

Tensor reduced(const Tensor& each, fd_reduction reduction, const Operand& divisor) {
  if (reduction == FD_REDUCTION_NONE) return each;
  const Tensor total = sum(each);
  return reduction == FD_REDUCTION_SUM ? total : div(total, divisor);
}

Tensor weigh_classes(const Tensor& per_class, const Tensor& weight) {
  if (!weight.defined()) return per_class;
  Shape shape;
  for (int i = 0; i < per_class.dim(); i++) shape.push_back(i == class_dim(per_class.shape()) ? weight.size(0) : 1);
  return mul(per_class, reshape(weight, shape));
}

Tensor composed_labels(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t ignore_index,
                       fd_reduction reduction, double smoothing) {
  const int d = class_dim(input.shape());
  const LabelWeights w = label_weights(kName, input, target, weight, ignore_index);
  const Tensor log_p = log_softmax(input, d);
  Tensor each = mul(neg(pick(log_p, w.labels)), w.weight);
  if (smoothing > 0) {
    const Tensor uniform = where(w.ignored, 0.0, neg(sum(weigh_classes(log_p, weight), {d})));
    each = add(mul(each, 1 - smoothing), mul(uniform, smoothing / static_cast<double>(input.size(d))));
  }
  return reduced(where(w.ignored, 0.0, each), reduction, sum(w.weight));
}

Tensor composed_probabilities(const Tensor& input, const Tensor& target, const Tensor& weight, fd_reduction reduction,
                              double smoothing) {
  const int d = class_dim(input.shape());
  const double classes = static_cast<double>(input.size(d));
  const Tensor q = smoothing > 0 ? add(mul(target, 1 - smoothing), smoothing / classes) : target;
  const Tensor each = neg(sum(weigh_classes(mul(q, log_softmax(input, d)), weight), {d}));
  return reduced(each, reduction, static_cast<double>(each.numel()));
}

// ---------------------------------------------------------------------------------------------------- fused form

struct Options {
  int64_t ignore_index;
  fd_reduction reduction;
  double smoothing;
  bool soft;
};

class CrossEntropyBackward final : public Node {
 public:
  CrossEntropyBackward(const Tensor& input, const Tensor& target, const Tensor& weight, const Tensor& grad,
                       const Options& options)
      : Node(1), input_(input), target_(target), weight_(weight), grad_(grad), options_(options) {
    connect(this, 0, input);
  }
  const char* name() const override { return "NllLossBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor grad = grad_.get(this);
    if (grad_enabled()) {
      second(grad_out[0], grad_in);
    } else if (options_.reduction == FD_REDUCTION_NONE) {
      grad_in[0] = mul(grad, unsqueeze(grad_out[0], class_dim(grad.shape())));
    } else {
      grad_in[0] = scale_kept(grad, grad_out[0]);
    }
  }
  void release() override {
    for (Saved* s : {&input_, &target_, &weight_, &grad_}) s->release();
  }

 private:
  void second(const Tensor& g, Tensor* grad_in) {
    const Tensor input = input_.get(this), target = target_.get(this);
    const Tensor weight = weight_.defined() ? weight_.get(this) : Tensor();
    const Tensor loss =
        options_.soft
            ? composed_probabilities(input, target, weight, options_.reduction, options_.smoothing)
            : composed_labels(input, target, weight, options_.ignore_index, options_.reduction, options_.smoothing);
    composed_backward(*this, loss, g, &input, 1, grad_in);
  }
  Saved input_, target_, weight_, grad_;
  Options options_;
};

Tensor fused(const Tensor& input, const Tensor& target, const Tensor& weight, const Options& options) {
  const bool record = needs_grad(input);
  const int64_t classes = input.size(class_dim(input.shape()));
  const Tensor logits = rows_in_place(input) ? input : dense_rows(detach(input));
  Tensor labels = target;
  if (options.soft)
    labels = dense_rows(to(detach(target), input.dtype()));
  else if (target.dtype() != DType::int64 || !target.is_contiguous())
    labels = contiguous(to(target, DType::int64));
  const Tensor class_weight = weight.defined() ? contiguous(detach(weight)) : weight;
  const bool each = options.reduction == FD_REDUCTION_NONE;
  Tensor loss = empty(each ? without_classes(input.shape()) : Shape(), input.dtype(), input.device());
  fd_cross_entropy args = {};
  args.rows = numel(without_classes(input.shape()));
  args.classes = classes;
  args.row_stride = logits.dim() == 2 ? logits.stride(0) : classes;
  Tensor grad;
  if (record) grad = empty({args.rows, classes}, input.dtype(), input.device());
  args.logits = logits.data();
  if (options.soft)
    args.soft = labels.data();
  else
    args.labels = labels.data_as<int64_t>();
  args.weight = class_weight.defined() ? class_weight.data() : nullptr;
  args.smoothing = options.smoothing;
  args.ignore_index = options.ignore_index;
  args.reduction = options.reduction;
  args.loss = loss.data();
  args.grad = record ? grad.data() : nullptr;
  fd_cross_entropy_fn* kernel = kernels(input.device()).softmax.cross_entropy[index(input.dtype())];
  // One exponential an element: some three times the cost of its memory traffic.
  const fd_status status = run_for_status(kName, find(kernel, kName, input.dtype(), input.device()), args,
                                          input.device(), 3 * bytes_of(input));
  if (status != FD_OK) [[unlikely]] {
    if (status != FD_OUT_OF_RANGE) fail_status(kName, status, input.device());
    const fd_fault& fault = *context(input.device())->fault;
    fail_label(kName, fault.value, fault.position, target.shape(), classes);
  }
  if (record) {
    if (input.dim() != 2) grad = classes_second(grad, input.shape());
    set_history(loss, Ref<Node>(new CrossEntropyBackward(input, target, weight, grad, options)));
  }
  return loss;
}

}  // namespace

Tensor cross_entropy(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t ignore_index,
                     fd_reduction reduction, double label_smoothing) {
  const Given given = {"input", input.dtype(), input.shape()}, wanted = {"target", target.dtype(), target.shape()};
  check_same_device(kName, input, target);
  if (weight.defined()) check_same_device(kName, input, weight);
  const Given per_class = {"weight", weight.defined() ? weight.dtype() : DType::float32,
                           weight.defined() ? weight.shape() : input.shape()};
  const bool soft = check_cross_entropy(given, wanted, weight.defined() ? &per_class : nullptr, label_smoothing);
  if (is_half(input.dtype())) {
    const Tensor w = weight.defined() ? to(weight, DType::float32) : weight;
    const Tensor t = soft ? to(target, DType::float32) : target;
    return to(cross_entropy(to(input, DType::float32), t, w, ignore_index, reduction, label_smoothing),
              widened(input.dtype(), input.device()));
  }
  if (soft && needs_grad(target)) return composed_probabilities(input, target, weight, reduction, label_smoothing);
  return fused(input, target, weight, {ignore_index, reduction, label_smoothing, soft});
}

Tensor nll_loss(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t ignore_index,
                fd_reduction reduction) {
  const Given given = {"input", input.dtype(), input.shape()};
  check_same_device("nll_loss", input, target);
  check_labels("nll_loss", given, {"target", target.dtype(), target.shape()});
  if (weight.defined()) {
    const Given per_class = {"weight", weight.dtype(), weight.shape()};
    check_same_dtype("nll_loss", per_class, given);
    check_vector("nll_loss", per_class, input.size(class_dim(input.shape())), "class");
  }
  const LabelWeights w = label_weights("nll_loss", input, target, weight, ignore_index);
  const Tensor each = where(w.ignored, 0.0, mul(neg(pick(input, w.labels)), w.weight));
  return reduced(each, reduction, sum(w.weight));
}

}  // namespace fd::ops
