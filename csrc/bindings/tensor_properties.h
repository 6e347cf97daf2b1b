// Attributes of Tensor (shape, dtype, grad, …) and its constructor.
#pragma once

#include <Python.h>

namespace fd::bindings {

extern PyGetSetDef tensor_properties[];
PyObject* tensor_new(PyTypeObject* type, PyObject* args, PyObject* kwargs);

}  // namespace fd::bindings
