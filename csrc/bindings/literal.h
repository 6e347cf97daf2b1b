// Nested Python sequences to tensors and back.
#pragma once

#include <Python.h>

#include <optional>

#include "tensor/tensor.h"

namespace fd::bindings {

// A new tensor with the contents of a number, nested sequences, array or tensor. dtype nullopt: inferred as PyTorch
// does (floats take the default dtype).
Tensor tensor_from_literal(PyObject* data, std::optional<DType> dtype);

// A Python number (0-dim) or nested lists; new reference.
PyObject* literal_from_tensor(const Tensor& t);

}  // namespace fd::bindings
