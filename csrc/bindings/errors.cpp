#include "bindings/errors.h"

#include <nanobind/nanobind.h>

#include <new>

#include "base/error.h"

namespace fd::bindings {

namespace {

PyObject *shape_error, *dtype_error, *device_error, *grad_error;

// PyTorch raises RuntimeError for all of these: what catches that goes on working, beside the more telling base.
PyObject* add(PyObject* module, const char* name, PyObject* base, const char* doc) {
  const std::string full = std::string("freedive.") + name;
  PyObject* bases = base == PyExc_RuntimeError ? Py_NewRef(base) : PyTuple_Pack(2, base, PyExc_RuntimeError);
  PyObject* type = PyErr_NewExceptionWithDoc(full.c_str(), doc, bases, nullptr);
  Py_DECREF(bases);
  PyModule_AddObjectRef(module, name, type);
  return type;
}

}  // namespace

void add_exceptions(PyObject* module) {
  shape_error = add(module, "ShapeError", PyExc_ValueError, "Shapes that do not fit together or do not exist.");
  dtype_error = add(module, "DTypeError", PyExc_TypeError, "A dtype that an operation does not take.");
  device_error = add(module, "DeviceError", PyExc_RuntimeError, "A device that is absent, mixed up or failing.");
  grad_error = add(module, "GradError", PyExc_RuntimeError, "A gradient that is not defined or was destroyed.");
}

void set_python_error() {
  try {
    throw;
  } catch (nanobind::python_error& e) {
    e.restore();
  } catch (const ShapeError& e) {
    PyErr_SetString(shape_error, e.what());
  } catch (const DTypeError& e) {
    PyErr_SetString(dtype_error, e.what());
  } catch (const DeviceError& e) {
    PyErr_SetString(device_error, e.what());
  } catch (const GradError& e) {
    PyErr_SetString(grad_error, e.what());
  } catch (const ValueError& e) {
    PyErr_SetString(PyExc_ValueError, e.what());
  } catch (const IndexError& e) {
    PyErr_SetString(PyExc_IndexError, e.what());
  } catch (const MemoryError& e) {
    PyErr_SetString(PyExc_MemoryError, e.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_RuntimeError, e.what());
  }
}

}  // namespace fd::bindings
