// NumPy arrays as the kernels see them. Arrays are borrowed for the time of a call: no copy unless one is not
// contiguous where a kernel needs it.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <optional>

#include "ops/ops.h"

namespace py = pybind11;

namespace fd::bindings {

using MaybeArray = std::optional<py::array>;

// What an array is made of, for kernels that need no tensor around it.
struct ArrayView {
  char* data;
  DType dtype;
  Shape shape;
  Dims strides;  // in elements

  int dim() const { return shape.size(); }
  int64_t size(int i) const { return shape[i]; }
  int64_t stride(int i) const { return strides[i]; }
};

// DTypeError for element types without a dtype.
ArrayView view(const char* op, const char* name, const py::array& a);
// A tensor over an array's memory, valid while the array lives.
Tensor borrow(const char* op, const char* name, const py::array& a);
// The same, through a contiguous copy if need be; `keep` holds the copy.
Tensor borrow_contiguous(const char* op, const char* name, const py::array& a, py::array& keep);

// What a kernel writes to: `out` if given (checked: dtype, shape, contiguous, writable), else a new array.
py::array output(const char* op, const MaybeArray& out, const Shape& shape, DType dtype);
Tensor borrow_output(const char* op, py::array& out);

void check_floating(const char* op, const char* name, DType dtype);
inline void check_floating(const char* op, const char* name, const Tensor& t) { check_floating(op, name, t.dtype()); }
void check_like(const char* op, const char* name, DType is, const Shape& has, const Shape& shape, DType dtype);
inline void check_like(const char* op, const char* name, const Tensor& t, const Shape& shape, DType dtype) {
  check_like(op, name, t.dtype(), t.shape(), shape, dtype);
}

void bind_kernels_elementwise(py::module_& m);
void bind_kernels_reduce(py::module_& m);
void bind_kernels_gemm(py::module_& m);
void bind_kernels_softmax(py::module_& m);
void bind_kernels_nn(py::module_& m);
void bind_kernels_optim(py::module_& m);
void bind_kernels_conv(py::module_& m);

}  // namespace fd::bindings
