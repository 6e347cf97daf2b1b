#include "bindings/literal.h"

#include "bindings/caster.h"
#include "bindings/interop.h"

namespace fd::bindings {

namespace {

bool is_sequence(PyObject* o) {
  if (PyList_Check(o) || PyTuple_Check(o)) return true;
  if (is_tensor(o)) return impl_of(o)->shape.size() > 0;
  return PySequence_Check(o) && !PyUnicode_Check(o) && !PyBytes_Check(o) && PyObject_HasAttrString(o, "__len__");
}

nb::object items_of(PyObject* o) {
  nb::object items = nb::steal(PySequence_Fast(o, "tensor: cannot read a sequence"));
  if (!items.is_valid()) throw nb::python_error();
  return items;
}

// Reads nested sequences once, collecting numbers as they come.
class Reader {
 public:
  void read(PyObject* o, int depth) {
    if (!is_sequence(o)) {
      leaf(o, depth);
      return;
    }
    const nb::object items = items_of(o);
    const auto n = static_cast<int64_t>(PySequence_Fast_GET_SIZE(items.ptr()));
    if (depth == shape.size() && !complete_) shape.push_back(n);
    check<ShapeError>(depth < shape.size() && shape[depth] == n,
                      "tensor: nested sequences of uneven length at dimension ", depth, ": ", n, " against ",
                      depth < shape.size() ? shape[depth] : 0);
    for (int64_t i = 0; i < n; i++) read(PySequence_Fast_GET_ITEM(items.ptr(), i), depth + 1);
    if (n == 0) complete_ = true;
  }

  Tensor tensor(std::optional<DType> wanted) const {
    const DType dtype = wanted.value_or(any_ ? inferred_ : default_dtype());
    Tensor out = empty(shape, kind_ == ScalarKind::floating ? DType::float64 : DType::int64);
    if (kind_ == ScalarKind::floating)
      std::copy(reals_.begin(), reals_.end(), out.data_as<double>());
    else
      std::copy(integers_.begin(), integers_.end(), out.data_as<int64_t>());
    return ops::to(out, dtype);
  }

  Shape shape;

 private:
  void leaf(PyObject* o, int depth) {
    complete_ = true;
    check<ShapeError>(depth == shape.size(), "tensor: a number where a sequence of ",
                      depth < shape.size() ? shape[depth] : 0, " was expected, at dimension ", depth);
    Scalar s(0);
    DType dtype;
    if (is_tensor(o)) {
      dtype = impl_of(o)->dtype;
      nb::object number = nb::steal(literal_from_tensor(tensor_of(o)));
      parse_scalar(number.ptr(), &s);
    } else {
      check<DTypeError>(parse_scalar(o, &s), "tensor: cannot make a number of '", Py_TYPE(o)->tp_name, "'");
      dtype = PyFloat_Check(o) && !PyFloat_CheckExact(o) ? DType::float64 : dtype_of(s.kind);
    }
    add(s, dtype);
  }

  void add(Scalar s, DType dtype) {
    inferred_ = any_ ? promote(inferred_, dtype) : dtype;
    any_ = true;
    if (s.kind == ScalarKind::floating && kind_ != ScalarKind::floating) {
      kind_ = ScalarKind::floating;
      reals_.assign(integers_.begin(), integers_.end());
    }
    if (kind_ == ScalarKind::floating)
      reals_.push_back(s.to_double());
    else
      integers_.push_back(s.to_int());
  }

  bool complete_ = false;  // the depth of the numbers is known
  bool any_ = false;
  ScalarKind kind_ = ScalarKind::integer;
  DType inferred_ = DType::float32;
  std::vector<int64_t> integers_;
  std::vector<double> reals_;
};

}  // namespace

Tensor tensor_from_literal(PyObject* data, std::optional<DType> dtype) {
  if (is_tensor(data)) {
    const Tensor t = ops::detach(tensor_of(data));
    return dtype && *dtype != t.dtype() ? ops::to(t, *dtype) : ops::clone(t);
  }
  if (has_buffer(data)) {
    const Tensor t = from_buffer(data);
    return dtype && *dtype != t.dtype() ? ops::to(t, *dtype) : ops::clone(t);
  }
  Reader reader;
  reader.read(data, 0);
  return reader.tensor(dtype);
}

namespace {

PyObject* number_at(const char* p, DType dtype) {
  switch (dtype) {
    case DType::boolean:
      return PyBool_FromLong(*reinterpret_cast<const uint8_t*>(p));
    case DType::uint8:
      return PyLong_FromLong(*reinterpret_cast<const uint8_t*>(p));
    case DType::int32:
      return PyLong_FromLong(*reinterpret_cast<const int32_t*>(p));
    case DType::int64:
      return PyLong_FromLongLong(*reinterpret_cast<const int64_t*>(p));
    case DType::float32:
      return PyFloat_FromDouble(*reinterpret_cast<const float*>(p));
    default:
      return PyFloat_FromDouble(*reinterpret_cast<const double*>(p));
  }
}

PyObject* nested(const Tensor& t, const char* p, int dim) {
  if (dim == t.dim()) return number_at(p, t.dtype());
  PyObject* list = PyList_New(t.size(dim));
  const int64_t step = t.stride(dim) * static_cast<int64_t>(item_size(t.dtype()));
  for (int64_t i = 0; list && i < t.size(dim); i++) PyList_SET_ITEM(list, i, nested(t, p + i * step, dim + 1));
  return list;
}

}  // namespace

PyObject* literal_from_tensor(const Tensor& t) {
  const Tensor near = ops::on_host(t);
  const Tensor plain = is_half(t.dtype()) ? ops::to(ops::detach(near), DType::float32) : near;
  return nested(plain, plain->data, 0);
}

}  // namespace fd::bindings
