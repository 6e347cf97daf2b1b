// C++ exceptions to Python's, for both doors and for the type's own slots.
#pragma once

#include <Python.h>

namespace fd::bindings {

// Creates ShapeError, DTypeError, DeviceError and GradError and adds them to module.
void add_exceptions(PyObject* module);

// Inside a catch block: sets the Python error that stands for the exception in flight.
void set_python_error();

// Runs body; on a C++ exception sets the Python error and returns failure.
template <class R, class F>
R guarded(R failure, F&& body) noexcept {
  try {
    return body();
  } catch (...) {
    set_python_error();
    return failure;
  }
}

}  // namespace fd::bindings
