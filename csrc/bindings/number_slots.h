// Python's operators on tensors. The slots parse their operands by hand: they are what a training step calls most.
#pragma once

#include <Python.h>

namespace fd::bindings {

PyObject* number_add(PyObject*, PyObject*);
PyObject* number_subtract(PyObject*, PyObject*);
PyObject* number_multiply(PyObject*, PyObject*);
PyObject* number_divide(PyObject*, PyObject*);
PyObject* number_floor_divide(PyObject*, PyObject*);
PyObject* number_remainder(PyObject*, PyObject*);
PyObject* number_power(PyObject*, PyObject*, PyObject* modulus);
PyObject* number_matmul(PyObject*, PyObject*);
PyObject* number_and(PyObject*, PyObject*);
PyObject* number_or(PyObject*, PyObject*);
PyObject* number_xor(PyObject*, PyObject*);
PyObject* number_left(PyObject*, PyObject*);
PyObject* number_right(PyObject*, PyObject*);
PyObject* number_iadd(PyObject*, PyObject*);
PyObject* number_isubtract(PyObject*, PyObject*);
PyObject* number_imultiply(PyObject*, PyObject*);
PyObject* number_idivide(PyObject*, PyObject*);
PyObject* number_ifloor_divide(PyObject*, PyObject*);
PyObject* number_iremainder(PyObject*, PyObject*);
PyObject* number_ipower(PyObject*, PyObject*, PyObject* modulus);
PyObject* number_iand(PyObject*, PyObject*);
PyObject* number_ior(PyObject*, PyObject*);
PyObject* number_ixor(PyObject*, PyObject*);
PyObject* number_negative(PyObject*);
PyObject* number_positive(PyObject*);
PyObject* number_absolute(PyObject*);
PyObject* number_invert(PyObject*);
int number_bool(PyObject*);
PyObject* number_int(PyObject*);
PyObject* number_float(PyObject*);
PyObject* number_index(PyObject*);

Py_hash_t tensor_hash(PyObject*);
PyObject* tensor_compare(PyObject*, PyObject*, int op);
PyObject* tensor_iter(PyObject*);
Py_ssize_t tensor_length(PyObject*);

}  // namespace fd::bindings
