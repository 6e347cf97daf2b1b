// Dropout, batch normalisation, random numbers and minibatches on NumPy arrays.
#include <pybind11/stl.h>

#include <variant>
#include "bindings/kernels_array.h"

#include "ops/checks.h"

namespace fd::bindings {

namespace {

using Sizes = std::variant<int64_t, std::vector<int64_t>>;

Shape shape_of(const Sizes& sizes) {
  if (const auto* one = std::get_if<int64_t>(&sizes)) return {*one};
  const auto& all = std::get<std::vector<int64_t>>(sizes);
  return Shape(all.data(), static_cast<int64_t>(all.size()));
}

py::array dropout(const py::array& x, double p, uint64_t seed, uint64_t offset, const MaybeArray& out) {
  py::array keep;
  const Tensor in = borrow_contiguous("dropout", "x", x, keep);
  check_floating("dropout", "x", in);
  ops::check_probability("dropout", "p", p);
  py::array result = output("dropout", out, in.shape(), in.dtype());
  const fd_rng rng = {seed, offset};
  const fd_dropout args = {in.numel(), in.data(), result.mutable_data(), nullptr, p, &rng};
  ops::run("dropout", kernels(Device{}).dropout.dropout[index(in.dtype())], args, Device{}, 2 * ops::bytes_of(in));
  return result;
}

py::array dropout_mask(const Sizes& shape, double p, uint64_t seed, uint64_t offset, const MaybeArray& out) {
  ops::check_probability("dropout_mask", "p", p);
  const Shape s = shape_of(shape);
  py::array result = output("dropout_mask", out, s, DType::boolean);
  const fd_rng rng = {seed, offset};
  const fd_dropout args = {numel(s), nullptr, nullptr, static_cast<uint8_t*>(result.mutable_data()), p, &rng};
  ops::run("dropout_mask", kernels(Device{}).dropout.dropout[FD_F32], args, Device{}, numel(s));
  return result;
}

py::array random(const char* op, fd_random_fn* const* table, const Sizes& shape, double a, double b, uint64_t seed,
                 uint64_t offset, const MaybeArray& out) {
  const Shape s = shape_of(shape);
  const DType dtype = out ? borrow(op, "out", *out).dtype() : DType::float32;
  check<DTypeError>(dtype == DType::float32 || dtype == DType::float64, op, ": out is ", dtype,
                    "; expected float32 or float64");
  py::array result = output(op, out, s, dtype);
  const fd_rng rng = {seed, offset};
  const fd_random args = {numel(s), result.mutable_data(), a, b, 0, 0, &rng};
  ops::run(op, table[index(dtype)], args, Device{}, numel(s) * static_cast<int64_t>(item_size(dtype)));
  return result;
}

// x [n, c] or [n, c, …]; everything per channel has shape (c,).
struct Channels {
  Shape shape;
  DType dtype;
  int64_t n, c, s;
  Channels(const char* op, const Tensor& x) : shape(x.shape()), dtype(x.dtype()) {
    check_floating(op, "x", x);
    check<ShapeError>(x.dim() >= 2, op, ": x has shape ", x.shape(), "; expected (n, c) or (n, c, ...)");
    n = x.size(0);
    c = x.size(1);
    s = 1;
    for (int i = 2; i < x.dim(); i++) s *= x.size(i);
  }
  // Memory of an optional array per channel.
  void* vector(const char* op, const char* name, const MaybeArray& a, bool written) const {
    if (!a) return nullptr;
    const Tensor t = borrow(op, name, *a);
    check_like(op, name, t, {c}, dtype);
    check<ValueError>(t.is_contiguous() && (!written || t->storage->writable), op, ": ", name, " must be contiguous",
                      written ? " and writable" : "");
    return t.data();
  }
};

py::tuple batch_norm_forward(const py::array& x, const MaybeArray& weight, const MaybeArray& bias,
                             const MaybeArray& running_mean, const MaybeArray& running_var, bool training,
                             double momentum, double eps, const MaybeArray& out) {
  const char* op = "batch_norm_forward";
  py::array keep;
  const Tensor in = borrow_contiguous(op, "x", x, keep);
  const Channels ch(op, in);
  check<ValueError>(training || (running_mean && running_var), op,
                    ": running_mean and running_var are needed unless training");
  check<ValueError>(!training || ch.n * ch.s > 1, op,
                    ": expected more than one value per channel when training, got shape ", in.shape());
  py::array y = output(op, out, in.shape(), in.dtype());
  py::array mean = output(op, std::nullopt, {ch.c}, in.dtype()), invstd = output(op, std::nullopt, {ch.c}, in.dtype());
  fd_batch_norm args = {};
  args.n = ch.n;
  args.c = ch.c;
  args.s = ch.s;
  args.x = in.data();
  args.y = y.mutable_data();
  args.weight = ch.vector(op, "weight", weight, false);
  args.bias = ch.vector(op, "bias", bias, false);
  args.running_mean = ch.vector(op, "running_mean", running_mean, training);
  args.running_var = ch.vector(op, "running_var", running_var, training);
  args.momentum = momentum;
  args.eps = eps;
  args.training = training;
  args.save_mean = mean.mutable_data();
  args.save_invstd = invstd.mutable_data();
  ops::run(op, kernels(Device{}).batch_norm.forward[index(in.dtype())], args, Device{}, 3 * ops::bytes_of(in));
  return py::make_tuple(y, mean, invstd);
}

py::tuple batch_norm_backward(const py::array& grad, const py::array& x, const py::array& mean, const py::array& invstd,
                              const MaybeArray& weight, bool training, const MaybeArray& out) {
  const char* op = "batch_norm_backward";
  py::array keep_x, keep_g;
  const Tensor in = borrow_contiguous(op, "x", x, keep_x), g = borrow_contiguous(op, "grad", grad, keep_g);
  const Channels ch(op, in);
  check_like(op, "grad", g, in.shape(), in.dtype());
  py::array gx = output(op, out, in.shape(), in.dtype());
  py::array gweight = output(op, std::nullopt, {ch.c}, in.dtype()),
            gbias = output(op, std::nullopt, {ch.c}, in.dtype());
  fd_batch_norm args = {};
  args.n = ch.n;
  args.c = ch.c;
  args.s = ch.s;
  args.x = in.data();
  args.weight = ch.vector(op, "weight", weight, false);
  args.training = training;
  args.save_mean = ch.vector(op, "mean", mean, false);
  args.save_invstd = ch.vector(op, "invstd", invstd, false);
  args.gy = g.data();
  args.gx = gx.mutable_data();
  args.gweight = gweight.mutable_data();
  args.gbias = gbias.mutable_data();
  ops::run(op, kernels(Device{}).batch_norm.backward[index(in.dtype())], args, Device{}, 4 * ops::bytes_of(in));
  return py::make_tuple(gx, gweight, gbias);
}

py::array minibatch(const py::array& images, const py::array& rows, double scale, double shift, const MaybeArray& out) {
  const char* op = "minibatch";
  py::array keep, keep_rows = py::array_t<int64_t, py::array::c_style | py::array::forcecast>::ensure(rows);
  const Tensor in = borrow_contiguous(op, "images", images, keep), which = borrow(op, "rows", keep_rows);
  check<DTypeError>(in.dtype() == DType::uint8, op, ": images are ", in.dtype(), "; expected uint8");
  check<ShapeError>(in.dim() >= 1 && which.dim() == 1, op, ": expected images (n, ...) and rows (k,), got shapes ",
                    in.shape(), " and ", which.shape());
  Shape shape = in.shape();
  shape[0] = which.size(0);
  const DType dtype = out ? borrow(op, "out", *out).dtype() : DType::float32;
  py::array result = output(op, out, shape, dtype);
  const fd_minibatch args = {which.numel(),
                             in.numel() / std::max<int64_t>(in.size(0), 1),
                             in.size(0),
                             which.data_as<int64_t>(),
                             in.data_as<uint8_t>(),
                             result.mutable_data(),
                             scale,
                             shift};
  ops::run(op, ops::find(kernels(Device{}).index.minibatch[index(dtype)], op, dtype, Device{}), args, Device{},
           5 * numel(shape));
  return result;
}

void bind_random(py::module_& m) {
  const auto add = [&m](const char* name, const char* a, double a0, const char* b, double b0,
                        fd_random_fn* const* (*table)(), const char* doc) {
    m.def(
        name,
        [=](const Sizes& shape, double x, double y, uint64_t seed, uint64_t offset, const MaybeArray& out) {
          return random(name, table(), shape, x, y, seed, offset, out);
        },
        py::arg("shape"), py::arg(a) = a0, py::arg(b) = b0, py::kw_only(), py::arg("seed"), py::arg("offset") = 0,
        py::arg("out") = py::none(), doc);
  };
  add(
      "uniform", "low", 0, "high", 1, [] { return +kernels(Device{}).dropout.uniform; },
      "Uniform numbers in [low, high), float32 (or out's dtype): a pure function of seed, offset and position.");
  add(
      "normal", "mean", 0, "std", 1, [] { return +kernels(Device{}).dropout.normal; },
      "Normal numbers, float32 (or out's dtype): a pure function of seed, offset and position.");
}

}  // namespace

void bind_kernels_nn(py::module_& m) {
  m.def("dropout", dropout, py::arg("x"), py::arg("p") = 0.5, py::kw_only(), py::arg("seed"), py::arg("offset") = 0,
        py::arg("out") = py::none(),
        "x / (1 - p) where kept, else 0 (book section 5.6). The mask is a pure function of (seed, offset), so calling "
        "this\n"
        "on the gradient with the same two is the backward pass. out may be x.");
  m.def("dropout_mask", dropout_mask, py::arg("shape"), py::arg("p") = 0.5, py::kw_only(), py::arg("seed"),
        py::arg("offset") = 0, py::arg("out") = py::none(), "The mask dropout() applies: bool, True where kept.");
  m.def("batch_norm_forward", batch_norm_forward, py::arg("x"), py::arg("weight") = py::none(),
        py::arg("bias") = py::none(), py::arg("running_mean") = py::none(), py::arg("running_var") = py::none(),
        py::kw_only(), py::arg("training") = true, py::arg("momentum") = 0.1, py::arg("eps") = 1e-5,
        py::arg("out") = py::none(),
        "(y, mean, invstd) of x (n, c) or (n, c, ...), per channel c (book section 8.5).\n\n"
        "Training updates running_mean and running_var in place; otherwise they take the batch's place.");
  m.def("batch_norm_backward", batch_norm_backward, py::arg("grad"), py::arg("x"), py::arg("mean"), py::arg("invstd"),
        py::arg("weight") = py::none(), py::kw_only(), py::arg("training") = true, py::arg("out") = py::none(),
        "(gradient of x, of weight, of bias) from the gradient of y and what the forward returned; out may be grad.");
  m.def("minibatch", minibatch, py::arg("images"), py::arg("rows"), py::kw_only(), py::arg("scale") = 1.0 / 255,
        py::arg("shift") = 0.0, py::arg("out") = py::none(),
        "images[rows] * scale + shift as float32 (or out's dtype) in one pass over uint8 images (n, ...).");
  bind_random(m);
}

}  // namespace fd::bindings
