// Softmax, cross-entropy and elementwise losses on NumPy arrays.
#include <pybind11/stl.h>

#include "bindings/kernels_array.h"

namespace fd::bindings {

namespace {

int32_t reduction_of(const char* op, const std::string& name) {
  if (name == "none") return FD_REDUCTION_NONE;
  if (name == "mean") return FD_REDUCTION_MEAN;
  if (name == "sum") return FD_REDUCTION_SUM;
  fail<ValueError>(op, ": reduction '", name, "' is unknown; expected 'none', 'mean' or 'sum'");
}

// [outer, size, inner] around an axis.
fd_softmax around(const Tensor& x, int axis) {
  fd_softmax args = {1, 1, 1, nullptr, nullptr, nullptr, nullptr};
  for (int i = 0; i < x.dim(); i++) (i < axis ? args.outer : i == axis ? args.size : args.inner) *= x.size(i);
  return args;
}

py::array forward(const char* op, fd_softmax_fn* const* table, const py::array& x, int64_t axis,
                  const MaybeArray& out) {
  py::array keep;
  const Tensor in = borrow_contiguous(op, "x", x, keep);
  check_floating(op, "x", in);
  fd_softmax args = around(in, normalize_dim(op, axis, in.dim()));
  py::array result = output(op, out, in.shape(), in.dtype());
  args.x = in.data();
  args.y = result.mutable_data();
  ops::run(op, table[index(in.dtype())], args, Device{}, 2 * ops::bytes_of(in));
  return result;
}

py::array backward(const char* op, fd_softmax_fn* const* table, const py::array& grad, const py::array& y, int64_t axis,
                   const MaybeArray& out) {
  py::array keep_g, keep_y;
  const Tensor value = borrow_contiguous(op, "y", y, keep_y), g = borrow_contiguous(op, "grad", grad, keep_g);
  check_floating(op, "y", value);
  check_like(op, "grad", g, value.shape(), value.dtype());
  fd_softmax args = around(value, normalize_dim(op, axis, value.dim()));
  py::array result = output(op, out, value.shape(), value.dtype());
  args.y = value.data();
  args.gy = g.data();
  args.gx = result.mutable_data();
  ops::run(op, table[index(value.dtype())], args, Device{}, 3 * ops::bytes_of(value));
  return result;
}

py::array int64_labels(const py::array& labels) {
  check<DTypeError>(
      labels.dtype().kind() == 'i' || labels.dtype().kind() == 'u',
      "softmax_cross_entropy: labels must be integers (one per row) or floating (one row of probabilities "
      "per row)");
  return py::array_t<int64_t, py::array::c_style | py::array::forcecast>::ensure(labels);
}

py::tuple cross_entropy(const py::array& logits, const py::array& labels, const MaybeArray& weight, double smoothing,
                        int64_t ignore_index, const std::string& reduction, bool grad, const MaybeArray& out) {
  const char* op = "softmax_cross_entropy";
  py::array keep_x, keep_t, keep_w;
  const Tensor x = borrow_contiguous(op, "logits", logits, keep_x);
  check_floating(op, "logits", x);
  check<ShapeError>(x.dim() == 2, op, ": logits have shape ", x.shape(), "; expected (rows, classes)");
  check<ValueError>(smoothing >= 0 && smoothing <= 1, op, ": label_smoothing is ", smoothing, "; expected 0 to 1");
  fd_cross_entropy args = {};
  args.rows = x.size(0);
  args.classes = x.size(1);
  args.row_stride = x.size(1);
  args.logits = x.data();
  args.smoothing = smoothing;
  args.ignore_index = ignore_index;
  args.reduction = reduction_of(op, reduction);
  if (labels.dtype().kind() == 'f') {
    const Tensor t = borrow_contiguous(op, "labels", labels, keep_t);
    check<ShapeError>(t.shape() == x.shape(), op, ": floating labels have shape ", t.shape(), "; expected ", x.shape(),
                      ", a row of probabilities per row of logits; class numbers are integers");
    check_like(op, "labels", t, x.shape(), x.dtype());
    args.soft = t.data();
  } else {
    keep_t = int64_labels(labels);
    check<ShapeError>(keep_t.ndim() == 1 && keep_t.shape(0) == args.rows, op, ": ", args.rows, " rows of logits but ",
                      keep_t.size(), " labels; expected one label per row");
    args.labels = static_cast<const int64_t*>(keep_t.data());
  }
  if (weight) {
    const Tensor w = borrow_contiguous(op, "weight", *weight, keep_w);
    check_like(op, "weight", w, {args.classes}, x.dtype());
    args.weight = w.data();
  }
  py::array loss =
      output(op, std::nullopt, args.reduction == FD_REDUCTION_NONE ? Shape{args.rows} : Shape{}, x.dtype());
  args.loss = loss.mutable_data();
  check<ValueError>(grad || !out, op, ": out receives the gradient, but grad=False");
  py::object gradient = py::none();
  if (grad) {
    py::array g = output(op, out, x.shape(), x.dtype());
    args.grad = g.mutable_data();
    gradient = g;
  }
  ops::run(op, kernels(Device{}).softmax.cross_entropy[index(x.dtype())], args, Device{}, 2 * ops::bytes_of(x));
  return py::make_tuple(loss, gradient);
}

struct LossName {
  const char* name;
  fd_loss_op op;
  const char* param;  // nullptr: takes none
  double default_param;
};
constexpr LossName kLosses[] = {{"squared_loss", FD_LOSS_SQUARED, nullptr, 0},
                                {"l1_loss", FD_LOSS_L1, nullptr, 0},
                                {"huber_loss", FD_LOSS_HUBER, "delta", 1},
                                {"smooth_l1_loss", FD_LOSS_SMOOTH_L1, "beta", 1},
                                {"kl_loss", FD_LOSS_KL, nullptr, 0},
                                {"binary_cross_entropy", FD_LOSS_BCE, nullptr, 0},
                                {"binary_cross_entropy_with_logits", FD_LOSS_BCE_LOGITS, nullptr, 0}};

py::tuple loss(const LossName& row, const py::array& pred, const py::array& target, double param,
               const std::string& reduction, bool grad, const MaybeArray& out) {
  py::array keep_p, keep_t;
  const Tensor p = borrow_contiguous(row.name, "pred", pred, keep_p),
               t = borrow_contiguous(row.name, "target", target, keep_t);
  check_floating(row.name, "pred", p);
  check_like(row.name, "target", t, p.shape(), p.dtype());
  const int32_t kind = reduction_of(row.name, reduction);
  fd_loss args = {};
  args.n = p.numel();
  args.pred = p.data();
  args.target = t.data();
  args.param = param;
  args.scale = kind == FD_REDUCTION_MEAN ? 1.0 / static_cast<double>(p.numel()) : 1.0;
  py::array value = output(row.name, std::nullopt, kind == FD_REDUCTION_NONE ? p.shape() : Shape{}, p.dtype());
  (kind == FD_REDUCTION_NONE ? args.each : args.total) = value.mutable_data();
  py::object gradient = py::none();
  if (grad) {
    py::array g = output(row.name, out, p.shape(), p.dtype());
    args.grad = g.mutable_data();
    gradient = g;
  }
  ops::run(row.name, kernels(Device{}).softmax.loss[row.op][index(p.dtype())], args, Device{}, 3 * ops::bytes_of(p));
  return py::make_tuple(value, gradient);
}

void bind_losses(py::module_& m) {
  constexpr const char* doc =
      "(loss, gradient with respect to pred) in one pass; pred and target of one shape, float32 or float64.\n\n"
      "reduction: 'mean', 'sum' or 'none'. grad=False gives None for the gradient; out receives it (and may be pred).";
  for (const LossName& row : kLosses) {
    if (row.param)
      m.def(
          row.name,
          [row](const py::array& p, const py::array& t, double param, const std::string& r, bool g,
                const MaybeArray& out) { return loss(row, p, t, param, r, g, out); },
          py::arg("pred"), py::arg("target"), py::arg(row.param) = row.default_param, py::kw_only(),
          py::arg("reduction") = "mean", py::arg("grad") = true, py::arg("out") = py::none(), doc);
    else
      m.def(
          row.name,
          [row](const py::array& p, const py::array& t, const std::string& r, bool g, const MaybeArray& out) {
            return loss(row, p, t, 0, r, g, out);
          },
          py::arg("pred"), py::arg("target"), py::kw_only(), py::arg("reduction") = "mean", py::arg("grad") = true,
          py::arg("out") = py::none(), doc);
  }
}

}  // namespace

void bind_kernels_softmax(py::module_& m) {
  m.def(
      "softmax",
      [](const py::array& x, int64_t axis, const MaybeArray& out) {
        return forward("softmax", kernels(Device{}).softmax.softmax, x, axis, out);
      },
      py::arg("x"), py::arg("axis") = -1, py::kw_only(), py::arg("out") = py::none(),
      "exp(x) / sum(exp(x)) along axis, stable; float32 or float64.");
  m.def(
      "log_softmax",
      [](const py::array& x, int64_t axis, const MaybeArray& out) {
        return forward("log_softmax", kernels(Device{}).softmax.log_softmax, x, axis, out);
      },
      py::arg("x"), py::arg("axis") = -1, py::kw_only(), py::arg("out") = py::none(),
      "log(softmax(x)) along axis, stable.");
  m.def(
      "softmax_backward",
      [](const py::array& g, const py::array& y, int64_t axis, const MaybeArray& out) {
        return backward("softmax_backward", kernels(Device{}).softmax.softmax_backward, g, y, axis, out);
      },
      py::arg("grad"), py::arg("y"), py::arg("axis") = -1, py::kw_only(), py::arg("out") = py::none(),
      "The gradient of softmax's input from its output y and the gradient of y; out may be grad.");
  m.def(
      "log_softmax_backward",
      [](const py::array& g, const py::array& y, int64_t axis, const MaybeArray& out) {
        return backward("log_softmax_backward", kernels(Device{}).softmax.log_softmax_backward, g, y, axis, out);
      },
      py::arg("grad"), py::arg("y"), py::arg("axis") = -1, py::kw_only(), py::arg("out") = py::none(),
      "The gradient of log_softmax's input from its output y and the gradient of y; out may be grad.");
  m.def(
      "softmax_cross_entropy", cross_entropy, py::arg("logits"), py::arg("labels"), py::kw_only(),
      py::arg("weight") = py::none(), py::arg("label_smoothing") = 0.0, py::arg("ignore_index") = -100,
      py::arg("reduction") = "mean", py::arg("grad") = true, py::arg("out") = py::none(),
      "(loss, gradient of the logits) from one pass over the logits (rows, classes) (book section 4.5).\n\n"
      "labels: (rows,) integers, or (rows, classes) probabilities of the logits' dtype. weight (classes,). reduction:\n"
      "'mean', 'sum' or 'none'. grad=False gives None; out receives the gradient and may be logits. Raises IndexError\n"
      "for a label that is no class, ShapeError and DTypeError.");
  bind_losses(m);
}

}  // namespace fd::bindings
