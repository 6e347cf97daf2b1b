// How function arguments cross between Python and C++: tensors, dtypes, devices, numbers, shapes. Include this (not
// nanobind's headers alone) in every tensor_*.cpp.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "bindings/errors.h"
#include "bindings/tensor_type.h"
#include "ops/ops.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace fd::bindings {

// Python number (also NumPy's) to Scalar; false if it is none.
bool parse_scalar(PyObject* o, Scalar* out) noexcept;
// int, or sequence of ints (tuple, list, Size) to Dims; false if it is neither.
bool parse_dims(PyObject* o, Dims* out) noexcept;
bool parse_dtype(PyObject* o, DType* out) noexcept;    // a freedive dtype, or Python's float, int, bool
bool parse_device(PyObject* o, Device* out) noexcept;  // a freedive device, or "cpu", "cuda", "cuda:1"
// tensor, number, or NumPy array; `holder` keeps a converted array alive.
bool parse_operand(PyObject* o, Tensor* holder, Scalar* scalar, bool* is_tensor) noexcept;

PyObject* wrap_dtype(DType d);        // new reference to the one object of this dtype
PyObject* wrap_size(const Shape& s);  // freedive.Size, a tuple

// A tensor or a number, as an elementwise op takes it.
struct OperandArg {
  Tensor tensor;
  Scalar scalar = Scalar(0);
  operator ops::Operand() const { return tensor.defined() ? ops::Operand(tensor) : ops::Operand(scalar); }
};

// sizes given one by one or as one sequence: f(2, 3) and f((2, 3)).
Dims dims_of(const nb::args& args, const char* op);

// "none", "relu", "sigmoid" or "tanh".
fd_activation activation_of(const char* op, const std::string& name);

// A keyword that PyTorch's users write in two ways: dim/axis, keepdim/keepdims.
std::optional<Dims> either(const std::optional<Dims>& dim, const std::optional<Dims>& axis, const char* op);

// Adds a method to Tensor.
template <class F, class... Extra>
void method(const char* name, F&& f, const Extra&... extra) {
  nb::cpp_function_def(std::forward<F>(f), nb::scope(reinterpret_cast<PyObject*>(tensor_type)), nb::name(name),
                       nb::is_method(), extra...);
}

// Copies a result into the tensor the caller gave as out=, and returns that.
Tensor into(const char* op, const Tensor& out, const Tensor& result);

// Adds a module function whose first argument is `input`, and the method of the same name.
template <class F, class... Extra>
void function_and_method(nb::module_& m, const char* name, F f, const Extra&... extra) {
  m.def(name, F(f), nb::arg("input"), extra...);
  method(name, F(f), extra...);
}

}  // namespace fd::bindings

namespace nanobind::detail {

template <>
struct type_caster<fd::Tensor> {
  NB_TYPE_CASTER(fd::Tensor, const_name("freedive.Tensor"))
  bool from_python(handle src, uint32_t, cleanup_list*) noexcept {
    if (!fd::bindings::is_tensor(src.ptr())) return false;
    value = fd::bindings::tensor_of(src.ptr());
    return true;
  }
  static handle from_cpp(const fd::Tensor& t, rv_policy, cleanup_list*) noexcept { return fd::bindings::wrap(t); }
};

template <>
struct type_caster<fd::DType> {
  NB_TYPE_CASTER(fd::DType, const_name("freedive.dtype"))
  bool from_python(handle src, uint32_t, cleanup_list*) noexcept {
    return fd::bindings::parse_dtype(src.ptr(), &value);
  }
  static handle from_cpp(fd::DType d, rv_policy, cleanup_list*) noexcept { return fd::bindings::wrap_dtype(d); }
};

// A tuple or list of sizes; a single int counts as one.
template <>
struct type_caster<fd::Dims> {
  NB_TYPE_CASTER(fd::Dims, const_name("int | collections.abc.Sequence[int]"))
  bool from_python(handle src, uint32_t, cleanup_list*) noexcept { return fd::bindings::parse_dims(src.ptr(), &value); }
  static handle from_cpp(const fd::Dims& d, rv_policy, cleanup_list*) noexcept { return fd::bindings::wrap_size(d); }
};

template <>
struct type_caster<fd::Scalar> {
  static constexpr auto Name = const_name("float | int | bool");
  using Value = fd::Scalar;
  template <typename T>
  using Cast = movable_cast_t<T>;
  template <typename T>
  static constexpr bool can_cast() {
    return true;
  }
  explicit operator fd::Scalar*() { return &value; }
  explicit operator fd::Scalar&() { return value; }
  explicit operator fd::Scalar&&() { return static_cast<fd::Scalar&&>(value); }
  fd::Scalar value = fd::Scalar(0);
  bool from_python(handle src, uint32_t, cleanup_list*) noexcept {
    return fd::bindings::parse_scalar(src.ptr(), &value);
  }
  static handle from_cpp(fd::Scalar s, rv_policy, cleanup_list*) noexcept {
    if (s.kind == fd::ScalarKind::floating) return PyFloat_FromDouble(s.f);
    if (s.kind == fd::ScalarKind::boolean) return PyBool_FromLong(s.i != 0);
    return PyLong_FromLongLong(s.i);
  }
};

template <>
struct type_caster<fd::bindings::OperandArg> {
  NB_TYPE_CASTER(fd::bindings::OperandArg, const_name("freedive.Tensor | float | int | bool"))
  bool from_python(handle src, uint32_t, cleanup_list*) noexcept {
    bool is_tensor;
    return fd::bindings::parse_operand(src.ptr(), &value.tensor, &value.scalar, &is_tensor);
  }
  static handle from_cpp(const fd::bindings::OperandArg& o, rv_policy, cleanup_list*) noexcept {
    return fd::bindings::wrap(o.tensor);
  }
};

}  // namespace nanobind::detail
