// Convolution and pooling on NumPy arrays.
#include <pybind11/stl.h>

#include <variant>

#include "bindings/kernels_array.h"
#include "ops/windows.h"

namespace fd::bindings {

namespace {

using Sizes = std::variant<int64_t, std::vector<int64_t>>;

constexpr int kDims = 2;

Dims numbers(const char* op, const char* name, const Sizes& sizes) {
  if (const auto* one = std::get_if<int64_t>(&sizes)) return {*one};
  const auto& all = std::get<std::vector<int64_t>>(sizes);
  check<ValueError>(all.size() == kDims, op, ": ", name, " has ", all.size(), " numbers; expected 1 or 2");
  return Dims(all.data(), kDims);
}

ops::Given given(const char* name, const Tensor& t) { return {name, t.dtype(), t.shape()}; }

// ------------------------------------------------------------------------------------------------- convolution

ops::ConvOptions conv_options(const char* op, const Sizes& stride, const Sizes& padding, const Sizes& dilation,
                              int64_t groups) {
  ops::ConvOptions o;
  o.stride = numbers(op, "stride", stride);
  o.padding = numbers(op, "padding", padding);
  o.dilation = numbers(op, "dilation", dilation);
  o.groups = groups;
  return o;
}

void run_conv(const char* op, fd_conv_fn* const* table, const fd_conv& v, DType dtype) {
  int64_t work = v.n * v.out_channels * (v.in_channels / v.groups);
  for (int d = 0; d < FD_SPATIAL; d++) work *= v.out[d] * v.kernel[d];
  ops::run(op, ops::find(table[index(dtype)], op, dtype, Device{}), v, Device{}, work / 4);
}

py::array conv2d_forward(const py::array& x, const py::array& weight, const MaybeArray& bias, const Sizes& stride,
                         const Sizes& padding, const Sizes& dilation, int64_t groups, const MaybeArray& out) {
  const char* op = "conv2d_forward";
  py::array keep_x, keep_w, keep_b;
  const Tensor in = borrow_contiguous(op, "x", x, keep_x), w = borrow_contiguous(op, "weight", weight, keep_w);
  const Tensor b = bias ? borrow_contiguous(op, "bias", *bias, keep_b) : in;
  check_floating(op, "x", in);
  const ops::Given gx = given("x", in), gw = given("weight", w), gb = given("bias", b);
  fd_conv v = ops::check_conv(op, kDims, gx, gw, bias ? &gb : nullptr,
                              conv_options(op, stride, padding, dilation, groups), false);
  py::array y = output(op, out, ops::output_shape(v.n, v.out_channels, v.out, kDims), in.dtype());
  v.x = in.data();
  v.weight = w.data();
  v.bias = bias ? b.data() : nullptr;
  v.y = y.mutable_data();
  run_conv(op, kernels(Device{}).conv.forward, v, in.dtype());
  return y;
}

py::tuple conv2d_backward(const py::array& grad, const py::array& x, const py::array& weight, const Sizes& stride,
                          const Sizes& padding, const Sizes& dilation, int64_t groups) {
  const char* op = "conv2d_backward";
  py::array keep_g, keep_x, keep_w;
  const Tensor g = borrow_contiguous(op, "grad", grad, keep_g), in = borrow_contiguous(op, "x", x, keep_x);
  const Tensor w = borrow_contiguous(op, "weight", weight, keep_w);
  check_floating(op, "x", in);
  const ops::Given gx = given("x", in), gw = given("weight", w);
  fd_conv v = ops::check_conv(op, kDims, gx, gw, nullptr, conv_options(op, stride, padding, dilation, groups), false);
  check_like(op, "grad", g, ops::output_shape(v.n, v.out_channels, v.out, kDims), in.dtype());
  py::array to_x = output(op, std::nullopt, in.shape(), in.dtype());
  py::array to_w = output(op, std::nullopt, w.shape(), in.dtype());
  py::array to_b = output(op, std::nullopt, {v.out_channels}, in.dtype());
  v.x = in.data();
  v.weight = w.data();
  v.gy = g.data();
  v.gx = to_x.mutable_data();
  v.gweight = to_w.mutable_data();
  v.gbias = to_b.mutable_data();
  run_conv(op, kernels(Device{}).conv.grad_input, v, in.dtype());
  run_conv(op, kernels(Device{}).conv.grad_weight, v, in.dtype());
  return py::make_tuple(to_x, to_w, to_b);
}

// ------------------------------------------------------------------------------------------------- pooling

fd_pool pool_of(const char* op, const Tensor& x, const char* name, const Sizes& kernel_size,
                const std::optional<Sizes>& stride, const Sizes& padding) {
  check_floating(op, name, x);
  ops::PoolOptions o;
  o.kernel = numbers(op, "kernel_size", kernel_size);
  if (stride) o.stride = numbers(op, "stride", *stride);
  o.padding = numbers(op, "padding", padding);
  return ops::check_pool(op, kDims, given(name, x), o);
}

void run_pool(const char* op, fd_pool_fn* const* table, const fd_pool& v, DType dtype, int64_t bytes) {
  ops::run(op, ops::find(table[index(dtype)], op, dtype, Device{}), v, Device{}, bytes);
}

py::tuple max_pool2d_forward(const py::array& x, const Sizes& kernel_size, const std::optional<Sizes>& stride,
                             const Sizes& padding) {
  const char* op = "max_pool2d_forward";
  py::array keep;
  const Tensor in = borrow_contiguous(op, "x", x, keep);
  fd_pool v = pool_of(op, in, "x", kernel_size, stride, padding);
  const Shape shape = ops::output_shape(in.size(0), in.size(1), v.out, kDims);
  py::array y = output(op, std::nullopt, shape, in.dtype()), indices = output(op, std::nullopt, shape, DType::int64);
  v.x = in.data();
  v.y = y.mutable_data();
  v.indices = static_cast<int64_t*>(indices.mutable_data());
  run_pool(op, kernels(Device{}).pool.max, v, in.dtype(), ops::bytes_of(in));
  return py::make_tuple(y, indices);
}

py::array max_pool2d_backward(const py::array& grad, const py::array& indices, const Sizes& size) {
  const char* op = "max_pool2d_backward";
  py::array keep_g, keep_i;
  const Tensor g = borrow_contiguous(op, "grad", grad, keep_g), at = borrow_contiguous(op, "indices", indices, keep_i);
  check_floating(op, "grad", g);
  const ops::Given gg = given("grad", g);
  ops::check_batch(op, gg, kDims);
  check_like(op, "indices", at, g.shape(), DType::int64);
  const Dims sizes = numbers(op, "size", size);
  fd_pool v = ops::planes_of(gg, kDims);
  ops::copy(ops::spatial_sizes(g.shape(), kDims), v.out);
  ops::copy(ops::spatial(op, "size", sizes, kDims, 1, 0), v.in);
  const int64_t plane = v.in[1] * v.in[2];
  const int64_t* const positions = at.data_as<int64_t>();
  for (int64_t i = 0; i < at.numel(); i++)
    check<IndexError>(positions[i] >= 0 && positions[i] < plane, op, ": index ", positions[i],
                      " lies outside of a plane of ", plane, " elements");
  py::array gx = output(op, std::nullopt, ops::output_shape(g.size(0), g.size(1), v.in, kDims), g.dtype());
  v.gy = g.data();
  v.indices = const_cast<int64_t*>(positions);
  v.gx = gx.mutable_data();
  run_pool(op, kernels(Device{}).pool.max_backward, v, g.dtype(), ops::bytes_of(g));
  return gx;
}

py::array avg_pool2d_forward(const py::array& x, const Sizes& kernel_size, const std::optional<Sizes>& stride,
                             const Sizes& padding, const MaybeArray& out) {
  const char* op = "avg_pool2d_forward";
  py::array keep;
  const Tensor in = borrow_contiguous(op, "x", x, keep);
  fd_pool v = pool_of(op, in, "x", kernel_size, stride, padding);
  py::array y = output(op, out, ops::output_shape(in.size(0), in.size(1), v.out, kDims), in.dtype());
  v.x = in.data();
  v.y = y.mutable_data();
  run_pool(op, kernels(Device{}).pool.avg, v, in.dtype(), ops::bytes_of(in));
  return y;
}

py::array avg_pool2d_backward(const py::array& grad, const py::array& x, const Sizes& kernel_size,
                              const std::optional<Sizes>& stride, const Sizes& padding) {
  const char* op = "avg_pool2d_backward";
  py::array keep;
  const Tensor g = borrow_contiguous(op, "grad", grad, keep), in = borrow(op, "x", x);
  fd_pool v = pool_of(op, in, "x", kernel_size, stride, padding);
  check_like(op, "grad", g, ops::output_shape(in.size(0), in.size(1), v.out, kDims), in.dtype());
  py::array gx = output(op, std::nullopt, in.shape(), in.dtype());
  v.gy = g.data();
  v.gx = gx.mutable_data();
  run_pool(op, kernels(Device{}).pool.avg_backward, v, in.dtype(), ops::bytes_of(in));
  return gx;
}

}  // namespace

void bind_kernels_conv(py::module_& m) {
  m.def(
      "conv2d_forward", conv2d_forward, py::arg("x"), py::arg("weight"), py::arg("bias") = py::none(), py::kw_only(),
      py::arg("stride") = 1, py::arg("padding") = 0, py::arg("dilation") = 1, py::arg("groups") = 1,
      py::arg("out") = py::none(),
      "Cross-correlation of x (n, c, h, w) with weight (out, c / groups, kh, kw), plus bias (out,) (book sections 7.1\n"
      "to 7.4). stride, padding and dilation are a number or a pair.");
  m.def("conv2d_backward", conv2d_backward, py::arg("grad"), py::arg("x"), py::arg("weight"), py::kw_only(),
        py::arg("stride") = 1, py::arg("padding") = 0, py::arg("dilation") = 1, py::arg("groups") = 1,
        "(gradient of x, of weight, of bias) from the gradient of conv2d_forward's result.");
  m.def("max_pool2d_forward", max_pool2d_forward, py::arg("x"), py::arg("kernel_size"), py::arg("stride") = py::none(),
        py::arg("padding") = 0,
        "(the maximum of each window of x (n, c, h, w), its position in the plane) (book section 7.5). stride is\n"
        "kernel_size if not given.");
  m.def("max_pool2d_backward", max_pool2d_backward, py::arg("grad"), py::arg("indices"), py::arg("size"),
        "The gradient of x, whose planes have this size (h, w), from that of the maxima and their positions.");
  m.def("avg_pool2d_forward", avg_pool2d_forward, py::arg("x"), py::arg("kernel_size"), py::arg("stride") = py::none(),
        py::arg("padding") = 0, py::kw_only(), py::arg("out") = py::none(),
        "The average of each window of x (n, c, h, w), padding counted as zeros (book section 7.5).");
  m.def("avg_pool2d_backward", avg_pool2d_backward, py::arg("grad"), py::arg("x"), py::arg("kernel_size"),
        py::arg("stride") = py::none(), py::arg("padding") = 0,
        "The gradient of x, of which only shape and dtype matter, from that of the averages.");
}

}  // namespace fd::bindings
