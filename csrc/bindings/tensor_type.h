// The Python type Tensor: a plain CPython object around a TensorImpl, so that an op costs no more than it must and the
// object keeps its identity, attributes and subclass for as long as C++ or Python holds the tensor.
#pragma once

#include <Python.h>

#include "tensor/tensor.h"

namespace fd::bindings {

struct PyTensor {
  PyObject_HEAD TensorImpl* impl;  // owned: dies with this object
  Tensor handle;                   // the same as a handle that is not counted, lent while the object lives
  PyObject* dict;
  PyObject* weakrefs;
};

extern PyTypeObject* tensor_type;

void add_tensor_type(PyObject* module);

inline bool is_tensor(PyObject* o) { return Py_TYPE(o) == tensor_type || PyType_IsSubtype(Py_TYPE(o), tensor_type); }
inline TensorImpl* impl_of(PyObject* o) { return reinterpret_cast<PyTensor*>(o)->impl; }
inline const Tensor& tensor_of(PyObject* o) { return reinterpret_cast<PyTensor*>(o)->handle; }

// A new reference to the tensor's one Python object; None for an undefined tensor. nullptr with a Python error set
// when memory is out.
PyObject* wrap(const Tensor& t);
// The same as an object of a subclass; t must not have a Python object yet.
PyObject* wrap_as(PyTypeObject* type, const Tensor& t);

}  // namespace fd::bindings
