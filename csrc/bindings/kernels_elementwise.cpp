// Elementwise kernels on NumPy arrays: any strides, broadcasting, out= (which may be an input).
#include <pybind11/stl.h>

#include "bindings/kernels_array.h"

namespace fd::bindings {

namespace {

struct Name {
  const char* name;
  int op;
};
#define FD_NAME(OP, name) {#name, FD_##OP},
constexpr Name kUnary[] = {FD_UNARY_OPS(FD_NAME)};
constexpr Name kBinary[] = {FD_BINARY_OPS(FD_NAME)};
constexpr Name kCompare[] = {FD_COMPARE_OPS(FD_NAME)};
#undef FD_NAME

py::array unary(const char* name, fd_unary_op op, const py::array& x, const MaybeArray& out, const double* param) {
  const Tensor in = borrow(name, "x", x);
  py::array result = output(name, out, in.shape(), in.dtype());
  const ops::Operand operand[] = {in};
  ops::run_elementwise(name, kernels(Device{}).elementwise.unary[op], borrow_output(name, result), operand, 1, param);
  return result;
}

py::array binary(const char* name, fd_elementwise_fn* const* table, const py::array& a, const py::array& b,
                 const MaybeArray& out, bool to_bool) {
  const Tensor x = borrow(name, "a", a), y = borrow(name, "b", b);
  check<DTypeError>(x.dtype() == y.dtype(), name, ": a is ", x.dtype(), " but b is ", y.dtype(), "; expected the same");
  py::array result = output(name, out, broadcast(name, x.shape(), y.shape()), to_bool ? DType::boolean : x.dtype());
  const ops::Operand operands[] = {x, y};
  ops::run_elementwise(name, table, borrow_output(name, result), operands, 2);
  return result;
}

bool takes_parameters(int op) { return op == FD_SOFTPLUS || op == FD_LEAKY_RELU || op == FD_ELU || op == FD_CLAMP; }
bool one_operand(int op) { return op >= FD_LOGICAL_NOT; }
bool is_gradient_with_parameters(int op) {
  return op == FD_LEAKY_RELU_GRAD || op == FD_ELU_GRAD || op == FD_SOFTPLUS_GRAD || op == FD_CLAMP_GRAD;
}

void bind_plain(py::module_& m) {
  for (const Name& row : kUnary) {
    if (takes_parameters(row.op)) continue;
    m.def(
        row.name,
        [row](const py::array& x, const MaybeArray& out) {
          return unary(row.name, fd_unary_op(row.op), x, out, nullptr);
        },
        py::arg("x"), py::kw_only(), py::arg("out") = py::none(), "Elementwise; the dtype stays. out may be x.");
  }
  for (const Name& row : kBinary) {
    if (is_gradient_with_parameters(row.op)) continue;
    m.def(
        row.name,
        [row](const py::array& a, const py::array& b, const MaybeArray& out) {
          return binary(row.name, kernels(Device{}).elementwise.binary[row.op], a, b, out, false);
        },
        py::arg("a"), py::arg("b"), py::kw_only(), py::arg("out") = py::none(),
        "Elementwise with broadcasting; both of one dtype, which stays. out may be an operand.");
  }
  for (const Name& row : kCompare) {
    if (one_operand(row.op)) continue;
    m.def(
        row.name,
        [row](const py::array& a, const py::array& b, const MaybeArray& out) {
          return binary(row.name, kernels(Device{}).elementwise.compare[row.op], a, b, out, true);
        },
        py::arg("a"), py::arg("b"), py::kw_only(), py::arg("out") = py::none(),
        "Elementwise with broadcasting, to bool.");
  }
}

void bind_parameterised(py::module_& m) {
  m.def(
      "softplus",
      [](const py::array& x, double beta, double threshold, const MaybeArray& out) {
        const double p[3] = {beta, threshold, 0};
        return unary("softplus", FD_SOFTPLUS, x, out, p);
      },
      py::arg("x"), py::arg("beta") = 1.0, py::arg("threshold") = 20.0, py::kw_only(), py::arg("out") = py::none(),
      "log(1 + exp(beta x)) / beta; x where beta x > threshold.");
  m.def(
      "leaky_relu",
      [](const py::array& x, double slope, const MaybeArray& out) {
        const double p[3] = {slope, 0, 0};
        return unary("leaky_relu", FD_LEAKY_RELU, x, out, p);
      },
      py::arg("x"), py::arg("slope") = 0.01, py::kw_only(), py::arg("out") = py::none(),
      "x where x > 0, else slope x.");
  m.def(
      "elu",
      [](const py::array& x, double alpha, const MaybeArray& out) {
        const double p[3] = {alpha, 1, 1};
        return unary("elu", FD_ELU, x, out, p);
      },
      py::arg("x"), py::arg("alpha") = 1.0, py::kw_only(), py::arg("out") = py::none(),
      "x where x > 0, else alpha (exp(x) - 1).");
  m.def(
      "clamp",
      [](const py::array& x, double lo, double hi, const MaybeArray& out) {
        const double p[3] = {lo, hi, 0};
        return unary("clamp", FD_CLAMP, x, out, p);
      },
      py::arg("x"), py::arg("lo"), py::arg("hi"), py::kw_only(), py::arg("out") = py::none(), "x limited to [lo, hi].");
}

}  // namespace

void bind_kernels_elementwise(py::module_& m) {
  bind_plain(m);
  bind_parameterised(m);
}

}  // namespace fd::bindings
