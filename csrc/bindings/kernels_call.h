// Functions of many keywords, called through CPython's fast convention: pybind11 makes a string per keyword and call,
// which costs more than a small product.
#pragma once

#include <Python.h>

#include <iterator>

#include "base/error.h"

namespace fd::bindings {

// The parameters of a function by name; the first `positional` may be given without their names.
template <int N>
class Parameters {
 public:
  Parameters(const char* function, int positional, const char* const (&names)[N])
      : function_(function), positional_(positional) {
    for (int i = 0; i < N; i++) names_[i] = PyUnicode_InternFromString(names[i]);
  }

  // Puts each argument in its place of values; those not given stay as they are. False: a Python error is set.
  bool place(PyObject* const* args, Py_ssize_t count, PyObject* keywords, PyObject* (&values)[N]) const {
    if (count > positional_) {
      PyErr_Format(PyExc_TypeError, "%s() takes %d positional arguments but %zd were given", function_, positional_,
                   count);
      return false;
    }
    for (Py_ssize_t i = 0; i < count; i++) values[i] = args[i];
    const Py_ssize_t named = keywords ? PyTuple_GET_SIZE(keywords) : 0;
    for (Py_ssize_t i = 0; i < named; i++) {
      PyObject* const name = PyTuple_GET_ITEM(keywords, i);
      const int at = find(name);
      if (at < 0) {
        PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", function_, name);
        return false;
      }
      if (at < count) {
        PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%U'", function_, name);
        return false;
      }
      values[at] = args[count + i];
    }
    return true;
  }

 private:
  int find(PyObject* name) const {
    for (int i = 0; i < N; i++)
      if (names_[i] == name) return i;
    for (int i = 0; i < N; i++)
      if (PyUnicode_Compare(names_[i], name) == 0) return i;
    return -1;
  }

  const char* function_;
  int positional_;
  PyObject* names_[N];
};

}  // namespace fd::bindings
