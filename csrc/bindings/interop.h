// Sharing memory with others: the buffer protocol, NumPy and DLPack, without a copy.
#pragma once

#include <Python.h>

#include "tensor/tensor.h"

namespace fd::bindings {

int tensor_getbuffer(PyObject* self, Py_buffer* view, int flags);
void tensor_releasebuffer(PyObject* self, Py_buffer* view);

// A tensor over the memory of an object with the buffer protocol (a NumPy array); the object stays alive with it.
// writable: refuse read-only memory instead of making a read-only tensor.
Tensor from_buffer(PyObject* object);
bool has_buffer(PyObject* object);

}  // namespace fd::bindings
