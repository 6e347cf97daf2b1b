// Sharing memory with others: the buffer protocol, NumPy, DLPack and the CUDA array interface, without a copy.
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

// The same of a GPU array with __cuda_array_interface__, and a tensor's own (AttributeError on the CPU).
Tensor from_cuda_array(PyObject* object);
bool has_cuda_array(PyObject* object);
PyObject* get_cuda_array_interface(PyObject* self, void*);

}  // namespace fd::bindings
