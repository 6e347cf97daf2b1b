// t[...] and t[...] = value.
#pragma once

#include <Python.h>

namespace fd::bindings {

PyObject* tensor_getitem(PyObject* self, PyObject* key);
int tensor_setitem(PyObject* self, PyObject* key, PyObject* value);  // value nullptr: deletion, a TypeError

}  // namespace fd::bindings
