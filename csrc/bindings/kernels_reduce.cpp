// Reductions on NumPy arrays, over any axes and strides.
#include <pybind11/stl.h>

#include <variant>

#include "bindings/kernels_array.h"

namespace fd::bindings {

namespace {

using Axis = std::variant<std::monostate, int64_t, std::vector<int64_t>>;

struct Name {
  const char* name;
  fd_reduce_op op;
};
constexpr Name kReductions[] = {{"sum", FD_REDUCE_SUM},
                                {"mean", FD_REDUCE_MEAN},
                                {"prod", FD_REDUCE_PROD},
                                {"max", FD_REDUCE_MAX},
                                {"min", FD_REDUCE_MIN},
                                {"argmax", FD_REDUCE_ARGMAX},
                                {"argmin", FD_REDUCE_ARGMIN},
                                {"any", FD_REDUCE_ANY},
                                {"all", FD_REDUCE_ALL},
                                {"norm", FD_REDUCE_NORM2},
                                {"norm1", FD_REDUCE_NORM1},
                                {"logsumexp", FD_REDUCE_LOGSUMEXP},
                                {"count_nonzero", FD_REDUCE_COUNT_NONZERO}};

DType result_dtype(fd_reduce_op op, DType d) {
  if (op == FD_REDUCE_ARGMAX || op == FD_REDUCE_ARGMIN || op == FD_REDUCE_COUNT_NONZERO) return DType::int64;
  if (op == FD_REDUCE_ANY || op == FD_REDUCE_ALL) return DType::boolean;
  return (op == FD_REDUCE_SUM || op == FD_REDUCE_PROD) && is_integral(d) ? DType::int64 : d;
}

uint32_t axes_of(const char* op, const Axis& axis, int ndim) {
  if (std::holds_alternative<std::monostate>(axis)) return ~0u;
  uint32_t bits = 0;
  if (const auto* one = std::get_if<int64_t>(&axis)) return 1u << normalize_dim(op, *one, ndim);
  for (int64_t a : std::get<std::vector<int64_t>>(axis)) bits |= 1u << normalize_dim(op, a, ndim);
  return bits;
}

py::array reduce(const char* name, fd_reduce_op op, const py::array& x, const Axis& axis, bool keepdims,
                 const MaybeArray& out, double param) {
  const Tensor in = borrow(name, "x", x);
  const uint32_t bits = axes_of(name, axis, in.dim());
  Shape shape;
  int64_t reduced = 1;
  for (int i = 0; i < in.dim(); i++) {
    if (!(bits >> i & 1))
      shape.push_back(in.size(i));
    else {
      reduced *= in.size(i);
      if (keepdims) shape.push_back(1);
    }
  }
  const bool needs_one = op == FD_REDUCE_MAX || op == FD_REDUCE_MIN || op == FD_REDUCE_ARGMAX || op == FD_REDUCE_ARGMIN;
  check<ShapeError>(!needs_one || reduced > 0, name, ": no elements to choose from in shape ", in.shape());
  py::array result = output(name, out, shape, result_dtype(op, in.dtype()));
  fd_reduce args;
  lay_out(&args, in, bits);
  args.out = result.mutable_data();
  args.second = nullptr;
  args.param = param;
  ops::run(name, ops::find(kernels(Device{}).reduce.reduce[op][index(in.dtype())], name, in.dtype(), Device{}), args,
           Device{}, ops::bytes_of(in));
  return result;
}

}  // namespace

void bind_kernels_reduce(py::module_& m) {
  for (const Name& row : kReductions)
    m.def(
        row.name,
        [row](const py::array& x, const Axis& axis, bool keepdims, const MaybeArray& out) {
          return reduce(row.name, row.op, x, axis, keepdims, out, 0);
        },
        py::arg("x"), py::arg("axis") = std::monostate(), py::arg("keepdims") = false, py::kw_only(),
        py::arg("out") = py::none(), "Over axis: an int, a sequence of ints, or None for all. Integer sums are int64.");
  m.def(
      "var",
      [](const py::array& x, const Axis& axis, double ddof, bool keepdims, const MaybeArray& out) {
        return reduce("var", FD_REDUCE_VAR, x, axis, keepdims, out, ddof);
      },
      py::arg("x"), py::arg("axis") = std::monostate(), py::arg("ddof") = 0.0, py::arg("keepdims") = false,
      py::kw_only(), py::arg("out") = py::none(), "The variance over axis, of n - ddof.");
}

}  // namespace fd::bindings
