// Functions of neural networks, with PyTorch's signatures (torch.nn.functional), and the optimisers' fused steps.
#include <string_view>

#include "bindings/bind.h"
#include "bindings/caster.h"
#include "ops/autocast.h"

namespace fd::bindings {

namespace {

using Maybe = std::optional<Tensor>;
using Flag = std::optional<bool>;

const Tensor& given(const Maybe& t) {
  static const Tensor undefined;
  return t ? *t : undefined;
}

// ------------------------------------------------------------------------------------------------------ softmax

// Where PyTorch looks for classes if dim is not given: dimension 0 of 0, 1 or 3 dimensions, else 1.
int64_t class_dim(const Tensor& x, std::optional<int64_t> dim) {
  return dim ? *dim : x.dim() == 0 || x.dim() == 1 || x.dim() == 3 ? 0 : 1;
}

Tensor softmax(const Tensor& x, std::optional<int64_t> dim, std::optional<DType> dtype) {
  return ops::softmax(dtype ? ops::to(x, *dtype) : x, class_dim(x, dim));
}
Tensor log_softmax(const Tensor& x, std::optional<int64_t> dim, std::optional<DType> dtype) {
  return ops::log_softmax(dtype ? ops::to(x, *dtype) : x, class_dim(x, dim));
}
Tensor softmin(const Tensor& x, std::optional<int64_t> dim, std::optional<DType> dtype) {
  return ops::softmax(ops::neg(dtype ? ops::to(x, *dtype) : x), class_dim(x, dim));
}

void bind_softmax(nb::module_& m) {
  function_and_method(
      m, "softmax", &softmax, "dim"_a = nb::none(), "dtype"_a = nb::none(),
      "exp(x) / sum(exp(x)) along dim, stable (book section 4.1).\n\n"
      "input: floating, any shape; the result has its shape. dtype converts it first. IndexError for a\n"
      "dim that does not exist, DTypeError for integers.");
  function_and_method(m, "log_softmax", &log_softmax, "dim"_a = nb::none(), "dtype"_a = nb::none(),
                      "log(softmax(x)) along dim, stable. Arguments and errors as softmax's.");
  function_and_method(m, "softmin", &softmin, "dim"_a = nb::none(), "dtype"_a = nb::none(), "softmax(-x).");
}

// ------------------------------------------------------------------------------------------------------- losses

// size_average and reduce are what reduction replaced; PyTorch still takes them, so positions count them.
std::string_view older(const Flag& size_average, const Flag& reduce, std::string_view reduction) {
  if (!size_average && !reduce) [[likely]]
    return reduction;
  return !reduce.value_or(true) ? "none" : size_average.value_or(true) ? "mean" : "sum";
}

fd_reduction reduction_of(const char* op, std::string_view name) {
  if (name == "mean") return FD_REDUCTION_MEAN;
  if (name == "sum") return FD_REDUCTION_SUM;
  if (name == "none") return FD_REDUCTION_NONE;
  fail<ValueError>(op, ": reduction is '", name, "'; expected 'none', 'mean' or 'sum'");
}

Tensor cross_entropy(const Tensor& input, const Tensor& target, const Maybe& weight, Flag size_average,
                     int64_t ignore_index, Flag reduce, const char* reduction, double label_smoothing) {
  return ops::cross_entropy(input, target, given(weight), ignore_index,
                            reduction_of("cross_entropy", older(size_average, reduce, reduction)), label_smoothing);
}

Tensor nll_loss(const Tensor& input, const Tensor& target, const Maybe& weight, Flag size_average, int64_t ignore_index,
                Flag reduce, const char* reduction) {
  return ops::nll_loss(ops::widened(input), target, given(weight), ignore_index,
                       reduction_of("nll_loss", older(size_average, reduce, reduction)));
}

void bind_classification(nb::module_& m) {
  m.def("cross_entropy", cross_entropy, "input"_a, "target"_a, "weight"_a = nb::none(), "size_average"_a = nb::none(),
        "ignore_index"_a = ops::kIgnoreIndex, "reduce"_a = nb::none(), "reduction"_a = "mean",
        "label_smoothing"_a = 0.0,
        "Cross-entropy of softmax(input) (book section 4.1).\n\n"
        "input: logits (n, c), (c,) or (n, c, d1, ...), floating. target: class numbers in input's shape without c\n"
        "(integers; those equal to ignore_index count nothing), or probabilities in input's shape. weight: (c,), of\n"
        "each class. 'mean' divides by the sum of the labels' weights; over no labels it is nan. label_smoothing in\n"
        "[0, 1] mixes targets with the uniform distribution (Szegedy et al., CVPR 2016).\n"
        "ShapeError if shapes disagree, IndexError for a label outside of 0 to c - 1, naming it and its row.");
  m.def("nll_loss", nll_loss, "input"_a, "target"_a, "weight"_a = nb::none(), "size_average"_a = nb::none(),
        "ignore_index"_a = ops::kIgnoreIndex, "reduce"_a = nb::none(), "reduction"_a = "mean",
        "-input[target]: cross-entropy of log-probabilities. Shapes and errors as cross_entropy's with class numbers.");
}

// Broadcasting a loss is rarely meant: (n,) against (n, 1) would give n x n differences.
void warn_if_broadcast(const char* op, const Tensor& input, const Tensor& target) {
  if (input.shape() == target.shape()) [[likely]]
    return;
  broadcast(op, input.shape(), target.shape());  // refuses what cannot be
  const std::string message = text(op, ": input has shape ", input.shape(), " and target ", target.shape(),
                                   "; they are broadcast, which is rarely meant");
  if (PyErr_WarnEx(PyExc_UserWarning, message.c_str(), 1) < 0) throw nb::python_error();
}

// A loss weighted element by element before it is reduced; what a mean divides by differs, in PyTorch too.
enum class Divisor { weights, elements };
template <class Loss>
Tensor weighted(const char* op, const Tensor& input, const Maybe& weight, fd_reduction reduction, Divisor divisor,
                Loss loss) {
  if (!weight) return loss(reduction);
  check<ShapeError>(weight->shape() == input.shape(), op, ": weight has shape ", weight->shape(), " but input has ",
                    input.shape(), "; expected the same");
  const Tensor each = ops::mul(loss(FD_REDUCTION_NONE), *weight);
  if (reduction == FD_REDUCTION_NONE) return each;
  if (reduction == FD_REDUCTION_SUM) return ops::sum(each);
  return divisor == Divisor::weights ? ops::div(ops::sum(each), ops::sum(*weight)) : ops::mean(each);
}

Tensor mse_loss(const Tensor& input, const Tensor& target, Flag size_average, Flag reduce, const char* reduction,
                const Maybe& weight) {
  warn_if_broadcast("mse_loss", input, target);
  return weighted("mse_loss", input, weight, reduction_of("mse_loss", older(size_average, reduce, reduction)),
                  Divisor::weights, [&](fd_reduction r) { return ops::mse_loss(input, target, r); });
}

Tensor l1_loss(const Tensor& input, const Tensor& target, Flag size_average, Flag reduce, const char* reduction,
               const Maybe& weight) {
  warn_if_broadcast("l1_loss", input, target);
  return weighted("l1_loss", input, weight, reduction_of("l1_loss", older(size_average, reduce, reduction)),
                  Divisor::weights, [&](fd_reduction r) { return ops::l1_loss(input, target, r); });
}

Tensor huber_loss(const Tensor& input, const Tensor& target, const char* reduction, double delta, const Maybe& weight) {
  warn_if_broadcast("huber_loss", input, target);
  return weighted("huber_loss", input, weight, reduction_of("huber_loss", reduction), Divisor::elements,
                  [&](fd_reduction r) { return ops::huber_loss(input, target, r, delta); });
}

Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, Flag size_average, Flag reduce, const char* reduction,
                      double beta) {
  warn_if_broadcast("smooth_l1_loss", input, target);
  return ops::smooth_l1_loss(input, target, reduction_of("smooth_l1_loss", older(size_average, reduce, reduction)),
                             beta);
}

Tensor kl_div(const Tensor& input, const Tensor& target, Flag size_average, Flag reduce, const char* reduction,
              bool log_target) {
  const std::string_view name = older(size_average, reduce, reduction);
  const auto how =
      name == "batchmean" ? ops::KlReduction::batchmean : static_cast<ops::KlReduction>(reduction_of("kl_div", name));
  return ops::kl_div(input, target, how, log_target);
}

Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const Maybe& weight, Flag size_average,
                            Flag reduce, const char* reduction) {
  return ops::binary_cross_entropy(ops::widened(input), target, given(weight),
                                   reduction_of("binary_cross_entropy", older(size_average, reduce, reduction)));
}

Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target, const Maybe& weight,
                                        Flag size_average, Flag reduce, const char* reduction,
                                        const Maybe& pos_weight) {
  constexpr const char* op = "binary_cross_entropy_with_logits";
  return ops::binary_cross_entropy_with_logits(ops::widened(input), target, given(weight), given(pos_weight),
                                               reduction_of(op, older(size_average, reduce, reduction)));
}

void bind_regression(nb::module_& m) {
  const auto none = [](const char* name) { return nb::arg(name) = nb::none(); };
  m.def("mse_loss", mse_loss, "input"_a, "target"_a, none("size_average"), none("reduce"), "reduction"_a = "mean",
        none("weight"),
        "(input - target)^2 (book section 3.1), reduced by 'mean', 'sum' or 'none'.\n\n"
        "Floating tensors of one shape; other shapes are broadcast with a warning. ShapeError if they cannot be.");
  m.def("l1_loss", l1_loss, "input"_a, "target"_a, none("size_average"), none("reduce"), "reduction"_a = "mean",
        none("weight"), "|input - target|. Shapes and errors as mse_loss's.");
  m.def("huber_loss", huber_loss, "input"_a, "target"_a, "reduction"_a = "mean", "delta"_a = 1.0, none("weight"),
        "d^2 / 2 where the difference |d| <= delta, else delta (|d| - delta / 2) (Huber 1964). ValueError for delta\n"
        "not above 0.");
  m.def("smooth_l1_loss", smooth_l1_loss, "input"_a, "target"_a, none("size_average"), none("reduce"),
        "reduction"_a = "mean", "beta"_a = 1.0,
        "d^2 / (2 beta) where the difference |d| < beta, else |d| - beta / 2 (Girshick, ICCV 2015).");
  m.def("kl_div", kl_div, "input"_a, "target"_a, none("size_average"), none("reduce"), "reduction"_a = "mean",
        "log_target"_a = false,
        "target (log(target) - input), where input holds log-probabilities (and target too if log_target).\n\n"
        "reduction 'batchmean' divides the sum by size(0), which is the divergence; 'mean' divides by elements.");
  m.def("binary_cross_entropy", binary_cross_entropy, "input"_a, "target"_a, none("weight"), none("size_average"),
        none("reduce"), "reduction"_a = "mean",
        "-(target log(input) + (1 - target) log(1 - input)), logarithms at least -100.\n\n"
        "Floating tensors of one shape; weight broadcasts. ValueError for input outside of 0 to 1, ShapeError if\n"
        "shapes differ.");
  m.def("binary_cross_entropy_with_logits", binary_cross_entropy_with_logits, "input"_a, "target"_a, none("weight"),
        none("size_average"), none("reduce"), "reduction"_a = "mean", none("pos_weight"),
        "binary_cross_entropy of sigmoid(input), stable. weight and pos_weight (of the positive part) broadcast.\n"
        "ShapeError if input and target differ in shape.");
}

// ----------------------------------------------------------------------------------------- dropout, normalisation

Tensor dropout(const Tensor& input, double p, bool training, bool inplace) {
  return inplace ? ops::dropout_(input, p, training) : ops::dropout(input, p, training);
}

template <int unbatched>
Tensor dropout_blocks(const Tensor& input, double p, bool training, bool inplace) {
  check<ShapeError>(input.dim() == unbatched || input.dim() == unbatched + 1, "dropout", unbatched - 1,
                    "d: input has shape ", input.shape(), "; expected ", unbatched, " or ", unbatched + 1,
                    " dimensions");
  const Tensor out = ops::dropout_channels(input, p, training, input.dim() - unbatched + 1);
  return inplace ? ops::copy_(input, out) : out;
}

Tensor batch_norm(const Tensor& input, const Maybe& running_mean, const Maybe& running_var, const Maybe& weight,
                  const Maybe& bias, bool training, double momentum, double eps) {
  return ops::batch_norm(input, given(running_mean), given(running_var), given(weight), given(bias), training, momentum,
                         eps);
}

Tensor layer_norm(const Tensor& input, const Dims& normalized_shape, const Maybe& weight, const Maybe& bias,
                  double eps) {
  return ops::layer_norm(ops::widened(input), normalized_shape, given(weight), given(bias), eps);
}

void bind_layers(nb::module_& m) {
  m.def("dropout", dropout, "input"_a, "p"_a = 0.5, "training"_a = true, "inplace"_a = false,
        "Zeroes each element with probability p and divides the others by 1 - p, in training; else input itself\n"
        "(Srivastava et al., JMLR 2014; book section 5.6).\n\n"
        "input: floating, any shape. The mask is drawn from the default generator and is not stored. ValueError for p\n"
        "outside of 0 to 1.");
  m.def("dropout1d", dropout_blocks<2>, "input"_a, "p"_a = 0.5, "training"_a = true, "inplace"_a = false,
        "Drops whole channels of (n, c, l) or (c, l).");
  m.def("dropout2d", dropout_blocks<3>, "input"_a, "p"_a = 0.5, "training"_a = true, "inplace"_a = false,
        "Drops whole channels of (n, c, h, w) or (c, h, w).");
  m.def("batch_norm", batch_norm, "input"_a, "running_mean"_a.none(), "running_var"_a.none(), "weight"_a = nb::none(),
        "bias"_a = nb::none(), "training"_a = false, "momentum"_a = 0.1, "eps"_a = 1e-5,
        "(x - mean) / sqrt(var + eps) * weight + bias per channel (Ioffe and Szegedy, ICML 2015; book section 8.5).\n\n"
        "input: (n, c) or (n, c, ...), floating; the other tensors (c,). In training mean and variance are the\n"
        "batch's, and the running ones move towards them by momentum, in place; else the running ones are used.\n"
        "ValueError for one value per channel in training, or without running statistics in evaluation.");
  m.def("layer_norm", layer_norm, "input"_a, "normalized_shape"_a, "weight"_a = nb::none(), "bias"_a = nb::none(),
        "eps"_a = 1e-5,
        "(x - mean) / sqrt(var + eps) * weight + bias over the last dimensions (Ba, Kiros and Hinton 2016).\n\n"
        "normalized_shape: sizes of those dimensions, which weight and bias have too; ShapeError otherwise.");
}

// ---------------------------------------------------------------------------------------------------- optimisers

using Tensors = std::vector<Tensor>;
using MaybeTensors = std::optional<Tensors>;

void sgd_step(const Tensors& params, const Tensors& grads, const MaybeTensors& momentum_buffers, double lr,
              double momentum, double dampening, double weight_decay, bool nesterov, bool maximize, int64_t step,
              std::optional<double> grad_scale, const std::optional<Tensor>& live) {
  ops::sgd_step(params, grads, momentum_buffers ? &*momentum_buffers : nullptr,
                {lr, momentum, dampening, weight_decay, nesterov, maximize, step, grad_scale, live});
}

void adam_step(const Tensors& params, const Tensors& grads, const Tensors& exp_avgs, const Tensors& exp_avg_sqs,
               const MaybeTensors& max_exp_avg_sqs, double lr, double beta1, double beta2, double eps,
               double weight_decay, bool decoupled, bool amsgrad, bool maximize, int64_t step,
               std::optional<double> grad_scale, const std::optional<Tensor>& live) {
  ops::adam_step(params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs ? &*max_exp_avg_sqs : nullptr,
                 {lr, beta1, beta2, eps, weight_decay, decoupled, amsgrad, maximize, step, grad_scale, live});
}

void bind_optim(nb::module_& m) {
  m.def(
      "sgd_step", sgd_step, "params"_a, "grads"_a, "momentum_buffers"_a.none(), "lr"_a, "momentum"_a, "dampening"_a,
      "weight_decay"_a, "nesterov"_a, "maximize"_a, "step"_a, "grad_scale"_a = nb::none(), "live"_a = nb::none(),
      "One step of stochastic gradient descent for all params, in place (book sections 12.4 to 12.6).\n\n"
      "Lists of floating tensors, alike in shape and dtype by position. g = grad_scale grad + weight_decay p;\n"
      "buf = g at step 1, else momentum buf + (1 - dampening) g; p -= lr (g + momentum buf if nesterov, else buf).\n"
      "live: float64 [5] on the GPU of params, read by the device instead of the arguments of these names: lr,\n"
      "grad_scale, step, 1 - beta1^step, 1 - beta2^step (the last two for adam_step); what freedive.cuda.graph needs.\n"
      "Not recorded by autograd. ValueError for lists of different lengths, ShapeError or DTypeError naming the\n"
      "position; then nothing has been written.");
  m.def(
      "adam_step", adam_step, "params"_a, "grads"_a, "exp_avgs"_a, "exp_avg_sqs"_a, "max_exp_avg_sqs"_a.none(), "lr"_a,
      "beta1"_a, "beta2"_a, "eps"_a, "weight_decay"_a, "decoupled"_a, "amsgrad"_a, "maximize"_a, "step"_a,
      "grad_scale"_a = nb::none(), "live"_a = nb::none(),
      "One step of Adam (Kingma and Ba, ICLR 2015; book section 12.10), or of AdamW if decoupled, for all params, in\n"
      "place. step counts from 1. Lists and errors as sgd_step's.");
}

}  // namespace

void bind_nn(nb::module_& m) {
  bind_softmax(m);
  bind_classification(m);
  bind_regression(m);
  bind_layers(m);
  bind_optim(m);
  m.def("minibatch", ops::minibatch, "images"_a, "rows"_a, "scale"_a, "shift"_a, "dtype"_a,
        "images[rows] * scale + shift in one pass: images (n, ...) uint8, rows (m,) integers; gives (m, ...) of the\n"
        "floating dtype. IndexError for a row outside of 0 to n - 1.");
}

}  // namespace fd::bindings
