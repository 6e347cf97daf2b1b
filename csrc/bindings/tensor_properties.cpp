#include "bindings/tensor_properties.h"

#include "bindings/caster.h"
#include "bindings/interop.h"
#include "bindings/literal.h"
#include "bindings/node.h"

namespace fd::bindings {

namespace {

template <class F>
PyObject* get(PyObject* self, F f) noexcept {
  return guarded<PyObject*>(nullptr, [&] { return f(tensor_of(self)); });
}

template <class F>
int set(PyObject* self, PyObject* value, const char* name, F f) noexcept {
  return guarded(-1, [&] {
    check<DTypeError>(value != nullptr, name, ": cannot be deleted");
    f(tensor_of(self), value);
    return 0;
  });
}

PyObject* get_shape(PyObject* self, void*) { return wrap_size(impl_of(self)->shape); }
PyObject* get_dtype(PyObject* self, void*) { return wrap_dtype(impl_of(self)->dtype); }
PyObject* get_device(PyObject* self, void*) { return nb::cast(impl_of(self)->device).release().ptr(); }
PyObject* get_ndim(PyObject* self, void*) { return PyLong_FromLong(impl_of(self)->shape.size()); }
PyObject* get_itemsize(PyObject* self, void*) { return PyLong_FromSize_t(item_size(impl_of(self)->dtype)); }
PyObject* get_nbytes(PyObject* self, void*) {
  return PyLong_FromLongLong(impl_of(self)->numel * static_cast<int64_t>(item_size(impl_of(self)->dtype)));
}
PyObject* get_is_cuda(PyObject* self, void*) { return PyBool_FromLong(impl_of(self)->device.kind == DeviceKind::cuda); }
PyObject* get_version(PyObject* self, void*) { return PyLong_FromUnsignedLong(impl_of(self)->version_value()); }

// Only looks: a view whose history was lost must not raise here.
PyObject* get_requires_grad(PyObject* self, void*) {
  return get(self, [](const Tensor& t) {
    const bool stale = t->base.defined() && t->base->requires_grad && t->view_version != t->version_value();
    return PyBool_FromLong(t->requires_grad || (stale && t->view_origin != ViewOrigin::no_grad));
  });
}
int set_requires_grad_(PyObject* self, PyObject* value, void*) {
  return set(self, value, "requires_grad",
             [](const Tensor& t, PyObject* v) { set_requires_grad(t, PyObject_IsTrue(v)); });
}
PyObject* get_is_leaf(PyObject* self, void*) {
  return get(self, [](const Tensor& t) { return PyBool_FromLong(is_leaf(t)); });
}
PyObject* get_retains_grad(PyObject* self, void*) {
  return get(self, [](const Tensor& t) { return PyBool_FromLong(meta(t) && meta(t)->retain_hook >= 0); });
}
PyObject* get_grad(PyObject* self, void*) {
  const TensorImpl* t = impl_of(self);
  if (!t->autograd) Py_RETURN_NONE;
  return wrap(static_cast<Meta*>(t->autograd)->grad);
}
int set_grad_(PyObject* self, PyObject* value, void*) {
  return set(self, value ? value : Py_None, "grad", [](const Tensor& t, PyObject* v) {
    check<DTypeError>(v == Py_None || is_tensor(v), "grad: must be a tensor or None");
    set_grad(t, v == Py_None ? Tensor() : tensor_of(v));
  });
}
PyObject* get_grad_fn(PyObject* self, void*) {
  return get(self, [](const Tensor& t) { return wrap_node(grad_fn(t)); });
}
PyObject* get_base(PyObject* self, void*) { return wrap(impl_of(self)->base); }

// Another tensor over the same memory: no history, and writes to it go unnoticed by autograd.
PyObject* get_data(PyObject* self, void*) {
  return get(self, [](const Tensor& t) {
    Tensor out = ops::detach(t);
    out->fresh_version();
    return wrap(out);
  });
}
int set_data(PyObject* self, PyObject* value, void*) {
  return set(self, value, "data", [](const Tensor& t, PyObject* v) {
    check<DTypeError>(is_tensor(v), "data: must be a tensor");
    t->set_data(*tensor_of(v).get());
  });
}

PyObject* get_transposed(PyObject* self, void*) {
  return get(self, [](const Tensor& t) {
    Dims reversed;
    for (int i = t.dim() - 1; i >= 0; i--) reversed.push_back(i);
    return wrap(ops::permute(t, reversed));
  });
}
PyObject* get_matrix_transposed(PyObject* self, void*) {
  return get(self, [](const Tensor& t) {
    check<ShapeError>(t.dim() >= 2, "mT: needs at least two dimensions, got shape ", t.shape());
    return wrap(ops::transpose(t, -2, -1));
  });
}

}  // namespace

PyGetSetDef tensor_properties[] = {
    {"shape", get_shape, nullptr, "Size of each dimension, a freedive.Size.", nullptr},
    {"dtype", get_dtype, nullptr, "Type of the elements.", nullptr},
    {"device", get_device, nullptr, "Where the tensor lives.", nullptr},
    {"ndim", get_ndim, nullptr, "Number of dimensions.", nullptr},
    {"itemsize", get_itemsize, nullptr, "Bytes of one element.", nullptr},
    {"nbytes", get_nbytes, nullptr, "Bytes of all elements.", nullptr},
    {"is_cuda", get_is_cuda, nullptr, "Whether the tensor lives on a GPU.", nullptr},
    {"requires_grad", get_requires_grad, set_requires_grad_, "Whether gradients flow to this tensor.", nullptr},
    {"is_leaf", get_is_leaf, nullptr, "Whether it is no result of a recorded operation.", nullptr},
    {"retains_grad", get_retains_grad, nullptr, "Whether a non-leaf keeps its gradient.", nullptr},
    {"grad", get_grad, set_grad_, "The gradient that backward() accumulated, or None.", nullptr},
    {"grad_fn", get_grad_fn, nullptr, "The recorded step that made this tensor, or None.", nullptr},
    {"data", get_data, set_data, "The same memory without history; assigning replaces memory and shape.", nullptr},
    {"T", get_transposed, nullptr, "The tensor with its dimensions reversed (a view).", nullptr},
    {"mT", get_matrix_transposed, nullptr, "The tensor with its last two dimensions swapped (a view).", nullptr},
    {"H", get_matrix_transposed, nullptr, "As mT: all dtypes are real.", nullptr},
    {"__cuda_array_interface__", get_cuda_array_interface, nullptr,
     "Where a GPU tensor's elements are, for CuPy, Numba and PyTorch; everything asked for is computed first.",
     nullptr},
    {"_version", get_version, nullptr, "How often the memory was written in place.", nullptr},
    {"_base", get_base, nullptr, "The tensor this is a view of, or None.", nullptr},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

namespace {

Tensor legacy_construct(PyObject* args) {
  const Py_ssize_t n = PyTuple_GET_SIZE(args);
  if (n == 0) return empty({0}, default_dtype());
  PyObject* first = PyTuple_GET_ITEM(args, 0);
  if (n == 1 && is_tensor(first)) return ops::detach(tensor_of(first));
  if (PyLong_Check(first)) {
    Dims shape;
    check<DTypeError>(parse_dims(args, &shape), "Tensor: expected sizes as ints, or data as a sequence");
    return empty(shape, default_dtype());
  }
  check<DTypeError>(n == 1, "Tensor: expected sizes as ints, or data as a sequence");
  return tensor_from_literal(first, default_dtype());
}

}  // namespace

PyObject* tensor_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  return guarded<PyObject*>(nullptr, [&] {
    check<DTypeError>(!kwargs || PyDict_GET_SIZE(kwargs) == 0,
                      "Tensor: takes no keyword arguments; use freedive.tensor()");
    return wrap_as(type, legacy_construct(args));
  });
}

}  // namespace fd::bindings
