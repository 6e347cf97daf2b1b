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

// A tensor over an array's memory, valid while the array lives. DTypeError for element types without a dtype.
Tensor borrow(const char* op, const char* name, const py::array& a);
// The same, through a contiguous copy if need be; `keep` holds the copy.
Tensor borrow_contiguous(const char* op, const char* name, const py::array& a, py::array& keep);

// What a kernel writes to: `out` if given (checked: dtype, shape, contiguous, writable), else a new array.
py::array output(const char* op, const MaybeArray& out, const Shape& shape, DType dtype);
Tensor borrow_output(const char* op, py::array& out);

void check_floating(const char* op, const char* name, const Tensor& t);
void check_like(const char* op, const char* name, const Tensor& t, const Shape& shape, DType dtype);

void bind_kernels_elementwise(py::module_& m);
void bind_kernels_reduce(py::module_& m);
void bind_kernels_gemm(py::module_& m);
void bind_kernels_softmax(py::module_& m);
void bind_kernels_nn(py::module_& m);
void bind_kernels_optim(py::module_& m);

}  // namespace fd::bindings
