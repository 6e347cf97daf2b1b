// gemm on NumPy arrays.
#include <string_view>

#include "bindings/errors.h"
#include "bindings/kernels_array.h"
#include "bindings/kernels_call.h"

namespace fd::bindings {

namespace {

int32_t activation_of(std::string_view name) {
  if (name == "none") return FD_ACT_NONE;
  if (name == "relu") return FD_ACT_RELU;
  if (name == "sigmoid") return FD_ACT_SIGMOID;
  if (name == "tanh") return FD_ACT_TANH;
  fail<ValueError>("gemm: activation '", name, "' is unknown; expected 'none', 'relu', 'sigmoid' or 'tanh'");
}

// A matrix (or a batch) that the kernel can read in place: rows or columns contiguous.
struct Operand2 {
  ArrayView v;
  int64_t rows, cols, ld, batch_step;
  int32_t trans;
};

Operand2 read(const char* name, const py::array& a, bool trans, py::array& keep) {
  ArrayView v = view("gemm", name, a);
  check_floating("gemm", name, v.dtype);
  check<ShapeError>(v.dim() == 2 || v.dim() == 3, "gemm: ", name, " has shape ", v.shape,
                    "; expected a matrix or a batch of them");
  const auto in_order = [](const ArrayView& x, int r, int c) {
    return (x.stride(c) == 1 || x.size(c) <= 1) && (x.stride(r) >= x.size(c) || x.size(r) <= 1);
  };
  int r = v.dim() - 2, c = r + 1;
  if (!in_order(v, r, c) && !in_order(v, c, r)) {
    keep = py::array::ensure(a, py::array::c_style);
    v = view("gemm", name, keep);
  }
  const bool columns = !in_order(v, r, c);  // a transposed view
  if (columns) std::swap(r, c);
  Operand2 o{v,
             v.size(r),
             v.size(c),
             std::max<int64_t>(v.stride(r), std::max<int64_t>(v.size(c), 1)),
             v.dim() == 3 ? v.stride(0) : 0,
             columns != trans};
  if (columns != trans) std::swap(o.rows, o.cols);
  return o;
}

py::array gemm(const py::array& a, const py::array& b, bool trans_a, bool trans_b, const MaybeArray& bias,
               std::string_view activation, bool accumulate, const MaybeArray& out) {
  const char* op = "gemm";
  py::array keep_a = a, keep_b = b, keep_bias = a;
  const Operand2 x = read("a", a, trans_a, keep_a), y = read("b", b, trans_b, keep_b);
  const DType dtype = x.v.dtype;
  check<DTypeError>(dtype == y.v.dtype, "gemm: a is ", dtype, " but b is ", y.v.dtype);
  check<ShapeError>(x.cols == y.rows, "gemm: op(a) has ", x.cols, " columns but op(b) has ", y.rows, " rows (shapes ",
                    x.v.shape, " and ", y.v.shape, ")");
  const bool batched = x.v.dim() == 3 || y.v.dim() == 3;
  const int64_t batch = x.v.dim() == 3 ? x.v.size(0) : y.v.dim() == 3 ? y.v.size(0) : 1;
  check<ShapeError>(x.v.dim() != 3 || y.v.dim() != 3 || x.v.size(0) == y.v.size(0), "gemm: batches of ", x.v.size(0),
                    " and ", y.v.dim() == 3 ? y.v.size(0) : 1, " matrices");
  check<ValueError>(!accumulate || out, "gemm: accumulate=True adds to out, which is not given");
  const Shape shape = batched ? Shape{batch, x.rows, y.cols} : Shape{x.rows, y.cols};
  py::array result = output(op, out, shape, dtype);
  fd_gemm args = {};
  args.m = x.rows;
  args.n = y.cols;
  args.k = x.cols;
  args.batch = batch;
  args.a = x.v.data;
  args.b = y.v.data;
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
    check_like(op, "bias", t, {y.cols}, dtype);
    args.bias = t.data();
  }
  ops::run(op, kernels(Device{}).gemm.gemm[index(dtype)], args, Device{}, args.batch * args.m * args.n * args.k / 4);
  return result;
}

// ------------------------------------------------------------------------------------------- from Python's arguments

MaybeArray maybe_array(const char* name, PyObject* value) {
  if (!value || value == Py_None) return std::nullopt;
  check<DTypeError>(py::isinstance<py::array>(value), "gemm: ", name, " is ", Py_TYPE(value)->tp_name,
                    "; expected a NumPy array");
  return py::reinterpret_borrow<py::array>(value);
}

py::array array_of(const char* name, PyObject* value) {
  MaybeArray a = maybe_array(name, value);
  check<DTypeError>(a.has_value(), "gemm: ", name, " is missing");
  return *std::move(a);
}

bool flag_of(const char* name, PyObject* value) {
  if (!value || value == Py_False) return false;
  check<DTypeError>(value == Py_True, "gemm: ", name, " is ", Py_TYPE(value)->tp_name, "; expected True or False");
  return true;
}

std::string_view text_of(PyObject* value) {
  if (!value) return "none";
  check<DTypeError>(PyUnicode_Check(value), "gemm: activation is ", Py_TYPE(value)->tp_name, "; expected a string");
  Py_ssize_t length = 0;
  const char* const text = PyUnicode_AsUTF8AndSize(value, &length);
  if (!text) throw py::error_already_set();
  return {text, size_t(length)};
}

PyObject* call_gemm(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  static const Parameters parameters("gemm", 2,
                                     {"a", "b", "trans_a", "trans_b", "bias", "activation", "accumulate", "out"});
  PyObject* v[8] = {};
  if (!parameters.place(args, count, keywords, v)) return nullptr;
  try {
    return gemm(array_of("a", v[0]), array_of("b", v[1]), flag_of("trans_a", v[2]), flag_of("trans_b", v[3]),
                maybe_array("bias", v[4]), text_of(v[5]), flag_of("accumulate", v[6]), maybe_array("out", v[7]))
        .release()
        .ptr();
  } catch (py::error_already_set& e) {
    e.restore();
  } catch (...) {
    set_python_error();
  }
  return nullptr;
}

constexpr char kDoc[] =
    "gemm(a, b, *, trans_a=False, trans_b=False, bias=None, activation='none', accumulate=False, out=None)\n--\n\n"
    "activation(op(a) @ op(b) (+ out if accumulate) + bias), float32 or float64.\n\n"
    "a (m, k) or (batch, m, k), b (k, n) or (batch, k, n), transposed first where trans_a or trans_b says so; views\n"
    "with contiguous rows or columns are read in place. bias (n,). activation: 'none', 'relu', 'sigmoid', 'tanh'.\n"
    "Returns (m, n) or (batch, m, n), in out if given. Raises ShapeError and DTypeError.";
PyMethodDef gemm_method = {"gemm", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call_gemm)),
                           METH_FASTCALL | METH_KEYWORDS, kDoc};

}  // namespace

void bind_kernels_gemm(py::module_& m) {
  m.add_object("gemm", py::reinterpret_steal<py::object>(
                           PyCFunction_NewEx(&gemm_method, nullptr, py::str("freedive._kernels").release().ptr())));
}

}  // namespace fd::bindings
