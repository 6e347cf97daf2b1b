// gemm on NumPy arrays.
#include <pybind11/stl.h>

#include "bindings/kernels_array.h"

namespace fd::bindings {

namespace {

int32_t activation_of(const std::string& name) {
  if (name == "none") return FD_ACT_NONE;
  if (name == "relu") return FD_ACT_RELU;
  if (name == "sigmoid") return FD_ACT_SIGMOID;
  if (name == "tanh") return FD_ACT_TANH;
  fail<ValueError>("gemm: activation '", name, "' is unknown; expected 'none', 'relu', 'sigmoid' or 'tanh'");
}

// A matrix (or a batch) that the kernel can read in place: rows or columns contiguous.
struct Operand2 {
  Tensor t;
  int64_t rows, cols, ld, batch_step;
  int32_t trans;
};

Operand2 read(const char* name, const py::array& a, bool trans, py::array& keep) {
  Tensor t = borrow("gemm", name, a);
  check_floating("gemm", name, t);
  check<ShapeError>(t.dim() == 2 || t.dim() == 3, "gemm: ", name, " has shape ", t.shape(),
                    "; expected a matrix or a batch of them");
  const auto in_order = [](const Tensor& x, int r, int c) {
    return (x.stride(c) == 1 || x.size(c) <= 1) && (x.stride(r) >= x.size(c) || x.size(r) <= 1);
  };
  int r = t.dim() - 2, c = r + 1;
  if (!in_order(t, r, c) && !in_order(t, c, r)) {
    t = borrow_contiguous("gemm", name, a, keep);
  }
  const bool columns = !in_order(t, r, c);  // a transposed view
  if (columns) std::swap(r, c);
  Operand2 o{t,
             t.size(r),
             t.size(c),
             std::max<int64_t>(t.stride(r), std::max<int64_t>(t.size(c), 1)),
             t.dim() == 3 ? t.stride(0) : 0,
             columns != trans};
  if (columns != trans) std::swap(o.rows, o.cols);
  return o;
}

py::array gemm(const py::array& a, const py::array& b, bool trans_a, bool trans_b, const MaybeArray& bias,
               const std::string& activation, bool accumulate, const MaybeArray& out) {
  const char* op = "gemm";
  py::array keep_a, keep_b, keep_bias;
  const Operand2 x = read("a", a, trans_a, keep_a), y = read("b", b, trans_b, keep_b);
  check<DTypeError>(x.t.dtype() == y.t.dtype(), "gemm: a is ", x.t.dtype(), " but b is ", y.t.dtype());
  check<ShapeError>(x.cols == y.rows, "gemm: op(a) has ", x.cols, " columns but op(b) has ", y.rows, " rows (shapes ",
                    x.t.shape(), " and ", y.t.shape(), ")");
  const bool batched = x.t.dim() == 3 || y.t.dim() == 3;
  const int64_t batch = x.t.dim() == 3 ? x.t.size(0) : y.t.dim() == 3 ? y.t.size(0) : 1;
  check<ShapeError>(x.t.dim() != 3 || y.t.dim() != 3 || x.t.size(0) == y.t.size(0), "gemm: batches of ", x.t.size(0),
                    " and ", y.t.dim() == 3 ? y.t.size(0) : 1, " matrices");
  check<ValueError>(!accumulate || out, "gemm: accumulate=True adds to out, which is not given");
  const Shape shape = batched ? Shape{batch, x.rows, y.cols} : Shape{x.rows, y.cols};
  py::array result = output(op, out, shape, x.t.dtype());
  fd_gemm args = {};
  args.m = x.rows;
  args.n = y.cols;
  args.k = x.cols;
  args.batch = batch;
  args.a = x.t.data();
  args.b = y.t.data();
  args.c = result.mutable_data();
  args.lda = x.ld;
  args.ldb = y.ld;
  args.ldc = std::max<int64_t>(y.cols, 1);
  args.batch_a = x.batch_step;
  args.batch_b = y.batch_step;
  args.batch_c = x.rows * y.cols;
  args.trans_a = x.trans;
  args.trans_b = y.trans;
  args.accumulate = accumulate;
  args.activation = activation_of(activation);
  if (bias) {
    const Tensor t = borrow_contiguous(op, "bias", *bias, keep_bias);
    check_like(op, "bias", t, {y.cols}, x.t.dtype());
    args.bias = t.data();
  }
  ops::run(op, kernels(Device{}).gemm.gemm[index(x.t.dtype())], args, Device{},
           args.batch * args.m * args.n * args.k / 4);
  return result;
}

}  // namespace

void bind_kernels_gemm(py::module_& m) {
  m.def(
      "gemm", gemm, py::arg("a"), py::arg("b"), py::kw_only(), py::arg("trans_a") = false, py::arg("trans_b") = false,
      py::arg("bias") = py::none(), py::arg("activation") = "none", py::arg("accumulate") = false,
      py::arg("out") = py::none(),
      "activation(op(a) @ op(b) (+ out if accumulate) + bias), float32 or float64.\n\n"
      "a (m, k) or (batch, m, k), b (k, n) or (batch, k, n), transposed first where trans_a or trans_b says so; views\n"
      "with contiguous rows or columns are read in place. bias (n,). activation: 'none', 'relu', 'sigmoid', 'tanh'.\n"
      "Returns (m, n) or (batch, m, n), in out if given. Raises ShapeError and DTypeError.");
}

}  // namespace fd::bindings
