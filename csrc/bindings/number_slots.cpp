#include "bindings/number_slots.h"

#include "bindings/caster.h"
#include "ops/autocast.h"

namespace fd::bindings {

namespace {

using ops::Operand;

// An operand of a slot, lent by its Python object.
class Side {
 public:
  bool parse(PyObject* o) noexcept {
    if (is_tensor(o)) {
      tensor_ = &tensor_of(o);
      return true;
    }
    bool converted;
    if (!parse_operand(o, &holder_, &scalar_, &converted)) return false;
    if (converted) tensor_ = &holder_;
    return true;
  }
  Operand operand() const { return tensor_ ? Operand(*tensor_) : Operand(scalar_); }

 private:
  const Tensor* tensor_ = nullptr;
  Tensor holder_;
  Scalar scalar_ = Scalar(0);
};

template <class F>
PyObject* two_sided(PyObject* a, PyObject* b, F op) noexcept {
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    Side left, right;
    if (!left.parse(a) || !right.parse(b)) Py_RETURN_NOTIMPLEMENTED;
    return wrap(op(left.operand(), right.operand()));
  });
}

template <fd_binary_op op>
PyObject* binary_slot(PyObject* a, PyObject* b) {
  return two_sided(a, b, [](const Operand& x, const Operand& y) { return ops::binary(op, x, y); });
}

template <class F>
PyObject* in_place(PyObject* self, PyObject* b, F op) noexcept {
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    Side right;
    if (!right.parse(b)) Py_RETURN_NOTIMPLEMENTED;
    op(tensor_of(self), right.operand());
    return Py_NewRef(self);
  });
}

template <fd_binary_op op>
PyObject* in_place_slot(PyObject* self, PyObject* b) {
  return in_place(self, b, [](const Tensor& t, const Operand& o) { ops::binary_(op, t, o); });
}

template <class F>
PyObject* one_sided(PyObject* self, F op) noexcept {
  return guarded<PyObject*>(nullptr, [&] { return wrap(op(tensor_of(self))); });
}

// The single element as a Python number.
Scalar element(const Tensor& tensor, const char* op) {
  check<ValueError>(tensor.numel() == 1, op,
                    ": only tensors with one element can become a Python number, this one has ", tensor.numel());
  const Tensor t = ops::on_host(tensor);
  switch (t.dtype()) {
    case DType::boolean:
      return Scalar(*t.data_as<uint8_t>() != 0);
    case DType::uint8:
      return Scalar(int64_t{*t.data_as<uint8_t>()});
    case DType::int32:
      return Scalar(int64_t{*t.data_as<int32_t>()});
    case DType::int64:
      return Scalar(*t.data_as<int64_t>());
    case DType::float32:
      return Scalar(double{*t.data_as<float>()});
    case DType::float64:
      return Scalar(*t.data_as<double>());
    default:
      return Scalar(*ops::to(ops::detach(t), DType::float64).data_as<double>());
  }
}

}  // namespace

PyObject* number_add(PyObject* a, PyObject* b) { return binary_slot<FD_ADD>(a, b); }
PyObject* number_subtract(PyObject* a, PyObject* b) { return binary_slot<FD_SUB>(a, b); }
PyObject* number_multiply(PyObject* a, PyObject* b) { return binary_slot<FD_MUL>(a, b); }
PyObject* number_divide(PyObject* a, PyObject* b) { return binary_slot<FD_DIV>(a, b); }
PyObject* number_floor_divide(PyObject* a, PyObject* b) { return binary_slot<FD_FLOOR_DIV>(a, b); }
PyObject* number_remainder(PyObject* a, PyObject* b) { return binary_slot<FD_REMAINDER>(a, b); }
PyObject* number_power(PyObject* a, PyObject* b, PyObject*) { return binary_slot<FD_POW>(a, b); }
PyObject* number_and(PyObject* a, PyObject* b) { return binary_slot<FD_BITWISE_AND>(a, b); }
PyObject* number_or(PyObject* a, PyObject* b) { return binary_slot<FD_BITWISE_OR>(a, b); }
PyObject* number_xor(PyObject* a, PyObject* b) { return binary_slot<FD_BITWISE_XOR>(a, b); }
PyObject* number_left(PyObject* a, PyObject* b) { return binary_slot<FD_SHIFT_LEFT>(a, b); }
PyObject* number_right(PyObject* a, PyObject* b) { return binary_slot<FD_SHIFT_RIGHT>(a, b); }

PyObject* number_matmul(PyObject* a, PyObject* b) {
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    Tensor left, right;
    Scalar scalar(0);
    bool left_tensor, right_tensor;
    if (!parse_operand(a, &left, &scalar, &left_tensor) || !left_tensor) Py_RETURN_NOTIMPLEMENTED;
    if (!parse_operand(b, &right, &scalar, &right_tensor) || !right_tensor) Py_RETURN_NOTIMPLEMENTED;
    return wrap(ops::matmul(ops::lowered(left), ops::lowered(right)));
  });
}

PyObject* number_iadd(PyObject* a, PyObject* b) { return in_place_slot<FD_ADD>(a, b); }
PyObject* number_isubtract(PyObject* a, PyObject* b) { return in_place_slot<FD_SUB>(a, b); }
PyObject* number_imultiply(PyObject* a, PyObject* b) { return in_place_slot<FD_MUL>(a, b); }
PyObject* number_idivide(PyObject* a, PyObject* b) { return in_place_slot<FD_DIV>(a, b); }
PyObject* number_ifloor_divide(PyObject* a, PyObject* b) { return in_place_slot<FD_FLOOR_DIV>(a, b); }
PyObject* number_iremainder(PyObject* a, PyObject* b) { return in_place_slot<FD_REMAINDER>(a, b); }
PyObject* number_ipower(PyObject* a, PyObject* b, PyObject*) { return in_place_slot<FD_POW>(a, b); }
PyObject* number_iand(PyObject* a, PyObject* b) { return in_place_slot<FD_BITWISE_AND>(a, b); }
PyObject* number_ior(PyObject* a, PyObject* b) { return in_place_slot<FD_BITWISE_OR>(a, b); }
PyObject* number_ixor(PyObject* a, PyObject* b) { return in_place_slot<FD_BITWISE_XOR>(a, b); }

PyObject* number_negative(PyObject* self) { return one_sided(self, ops::neg); }
PyObject* number_positive(PyObject* self) { return Py_NewRef(self); }
PyObject* number_absolute(PyObject* self) {
  return one_sided(self, [](const Tensor& t) { return ops::unary(FD_ABS, t); });
}
PyObject* number_invert(PyObject* self) {
  return one_sided(self, [](const Tensor& t) {
    check<DTypeError>(is_integral(t.dtype()), "bitwise_not: expected an integer or bool tensor, got ", t.dtype());
    return ops::unary(FD_BITWISE_NOT, t);
  });
}

int number_bool(PyObject* self) {
  return guarded(-1, [&] {
    const Tensor t = tensor_of(self);
    check<ValueError>(t.numel() == 1, "bool: the truth of a tensor with ", t.numel(),
                      " elements is ambiguous; use any() or all()");
    return element(t, "bool").to_bool() ? 1 : 0;
  });
}

PyObject* number_int(PyObject* self) {
  return guarded<PyObject*>(nullptr, [&] {
    const Scalar s = element(tensor_of(self), "int");
    return s.kind == ScalarKind::floating ? PyLong_FromDouble(s.f) : PyLong_FromLongLong(s.i);
  });
}

PyObject* number_float(PyObject* self) {
  return guarded<PyObject*>(nullptr, [&] { return PyFloat_FromDouble(element(tensor_of(self), "float").to_double()); });
}

PyObject* number_index(PyObject* self) {
  return guarded<PyObject*>(nullptr, [&] {
    const Tensor t = tensor_of(self);
    check<DTypeError>(is_integral(t.dtype()) && t.numel() == 1,
                      "only integer tensors with one element can be an index");
    return PyLong_FromLongLong(element(t, "index").to_int());
  });
}

// By identity: == is elementwise. Objects are aligned, so the low bits are rotated away.
Py_hash_t tensor_hash(PyObject* self) {
  const auto bits = reinterpret_cast<uintptr_t>(self);
  return static_cast<Py_hash_t>((bits >> 4) | (bits << (8 * sizeof(bits) - 4)));
}

PyObject* tensor_compare(PyObject* a, PyObject* b, int op) {
  constexpr fd_compare_op ops_of[] = {FD_LT, FD_LE, FD_EQ, FD_NE, FD_GT, FD_GE};  // Py_LT … Py_GE
  return two_sided(a, b, [&](const Operand& x, const Operand& y) { return ops::compare(ops_of[op], x, y); });
}

Py_ssize_t tensor_length(PyObject* self) {
  return guarded<Py_ssize_t>(-1, [&] {
    const TensorImpl* t = impl_of(self);
    check<DTypeError>(t->shape.size() > 0, "len() of a 0-dim tensor");
    return static_cast<Py_ssize_t>(t->shape[0]);
  });
}

PyObject* tensor_iter(PyObject* self) {
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    const Tensor t = tensor_of(self);
    check<DTypeError>(t.dim() > 0, "iteration over a 0-dim tensor");
    const std::vector<Tensor> parts = ops::unbind(t, 0);
    PyObject* tuple = PyTuple_New(static_cast<Py_ssize_t>(parts.size()));
    if (!tuple) return nullptr;
    for (size_t i = 0; i < parts.size(); i++) PyTuple_SET_ITEM(tuple, static_cast<Py_ssize_t>(i), wrap(parts[i]));
    PyObject* iterator = PyObject_GetIter(tuple);
    Py_DECREF(tuple);
    return iterator;
  });
}

}  // namespace fd::bindings
