#include "bindings/caster.h"

#include "bindings/interop.h"

namespace fd::bindings {

namespace {

// The error a parse function meets is "not this type": the overload is passed over.
bool no() {
  PyErr_Clear();
  return false;
}

bool parse_int(PyObject* o, int64_t* out) noexcept {
  if (PyLong_Check(o)) {
    *out = PyLong_AsLongLong(o);
  } else if (PyFloat_Check(o) || is_tensor(o)) {
    if (!is_tensor(o) || impl_of(o)->numel != 1 || is_floating(impl_of(o)->dtype)) return false;
    PyObject* number = PyNumber_Long(o);
    if (!number) return no();
    *out = PyLong_AsLongLong(number);
    Py_DECREF(number);
  } else if (PyIndex_Check(o)) {
    *out = PyNumber_AsSsize_t(o, PyExc_OverflowError);
  } else {
    return false;
  }
  return *out != -1 || !PyErr_Occurred() || no();
}

}  // namespace

bool parse_scalar(PyObject* o, Scalar* out) noexcept {
  if (PyFloat_Check(o)) {
    *out = Scalar(PyFloat_AS_DOUBLE(o));
  } else if (PyBool_Check(o)) {
    *out = Scalar(o == Py_True);
  } else if (PyLong_Check(o)) {
    int overflow;
    const long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
    *out = overflow ? Scalar(PyLong_AsDouble(o)) : Scalar(static_cast<int64_t>(v));
  } else if (is_tensor(o) || PyUnicode_Check(o) || PySequence_Check(o)) {
    return false;
  } else if (PyIndex_Check(o)) {  // NumPy integers
    PyObject* number = PyNumber_Index(o);
    if (!number) return no();
    const bool ok = parse_scalar(number, out);
    Py_DECREF(number);
    return ok;
  } else if (PyNumber_Check(o) && !PyObject_HasAttrString(o, "__len__")) {  // NumPy floats and bools
    const bool boolean = std::string_view(Py_TYPE(o)->tp_name).starts_with("numpy.bool");
    PyObject* number = PyNumber_Float(o);
    if (!number) return no();
    *out = boolean ? Scalar(PyFloat_AS_DOUBLE(number) != 0) : Scalar(PyFloat_AS_DOUBLE(number));
    Py_DECREF(number);
  } else {
    return false;
  }
  return !PyErr_Occurred() || no();
}

bool parse_dims(PyObject* o, Dims* out) noexcept {
  *out = Dims();
  int64_t value;
  if (PyTuple_Check(o) || PyList_Check(o)) {
    const Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
    if (n > FD_MAX_DIMS) return false;
    for (Py_ssize_t i = 0; i < n; i++) {
      if (!parse_int(PySequence_Fast_GET_ITEM(o, i), &value)) return false;
      out->push_back(value);
    }
    return true;
  }
  if (PyBool_Check(o) || !parse_int(o, &value)) return false;
  out->push_back(value);
  return true;
}

bool parse_operand(PyObject* o, Tensor* holder, Scalar* scalar, bool* is_tensor_out) noexcept {
  *is_tensor_out = true;
  if (is_tensor(o)) {
    *holder = tensor_of(o);
    return true;
  }
  if (parse_scalar(o, scalar)) {
    *is_tensor_out = false;
    return true;
  }
  if (!has_buffer(o)) return false;
  try {
    *holder = from_buffer(o);
    return true;
  } catch (...) {
    return no();
  }
}

// ------------------------------------------------------------------------------------------------- dtype

namespace {

struct PyDType {
  PyObject_HEAD DType dtype;
};

PyTypeObject* dtype_type;
PyObject* dtype_objects[FD_DTYPE_COUNT];

DType dtype_of_object(PyObject* o) { return reinterpret_cast<PyDType*>(o)->dtype; }

// Printed names begin with "torch", the name under which readers import this package: they can be typed back.
PyObject* dtype_repr(PyObject* o) { return PyUnicode_FromFormat("torch.%s", name(dtype_of_object(o))); }
PyObject* dtype_reduce(PyObject* o, PyObject*) { return PyUnicode_FromString(name(dtype_of_object(o))); }
PyObject* dtype_itemsize(PyObject* o, void*) { return PyLong_FromSize_t(item_size(dtype_of_object(o))); }
PyObject* dtype_floating(PyObject* o, void*) { return PyBool_FromLong(is_floating(dtype_of_object(o))); }
PyObject* dtype_complex(PyObject*, void*) { Py_RETURN_FALSE; }
PyObject* dtype_signed(PyObject* o, void*) { return PyBool_FromLong(dtype_of_object(o) > DType::uint8); }

PyGetSetDef dtype_getset[] = {
    {"itemsize", dtype_itemsize, nullptr, "Bytes of one element.", nullptr},
    {"is_floating_point", dtype_floating, nullptr, "Whether elements are floating-point numbers.", nullptr},
    {"is_complex", dtype_complex, nullptr, "Always False: there are no complex dtypes.", nullptr},
    {"is_signed", dtype_signed, nullptr, "Whether elements can be negative.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyMethodDef dtype_methods[] = {
    {"__reduce__", dtype_reduce, METH_NOARGS, nullptr},
    {"__deepcopy__", [](PyObject* self, PyObject*) { return Py_NewRef(self); }, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};
PyType_Slot dtype_slots[] = {
    {Py_tp_doc, const_cast<char*>(
                    "The element type of a tensor: float32, float64, int64, int32, uint8, bool, float16 or bfloat16.")},
    {Py_tp_repr, reinterpret_cast<void*>(dtype_repr)},
    {Py_tp_getset, dtype_getset},
    {Py_tp_methods, dtype_methods},
    {0, nullptr},
};
PyType_Spec dtype_spec = {"freedive.dtype", sizeof(PyDType), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                          dtype_slots};

}  // namespace

void add_dtypes(PyObject* module) {
  dtype_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&dtype_spec));
  PyModule_AddObjectRef(module, "dtype", reinterpret_cast<PyObject*>(dtype_type));
  for (int i = 0; i < FD_DTYPE_COUNT; i++) {
    PyDType* o = PyObject_New(PyDType, dtype_type);
    o->dtype = static_cast<DType>(i);
    dtype_objects[i] = reinterpret_cast<PyObject*>(o);
    PyModule_AddObjectRef(module, name(o->dtype), dtype_objects[i]);
  }
  constexpr std::pair<const char*, DType> aliases[] = {{"float", DType::float32},
                                                       {"double", DType::float64},
                                                       {"half", DType::float16},
                                                       {"long", DType::int64},
                                                       {"int", DType::int32}};
  for (const auto& [alias, d] : aliases) PyModule_AddObjectRef(module, alias, dtype_objects[index(d)]);
}

bool parse_dtype(PyObject* o, DType* out) noexcept {
  if (Py_TYPE(o) == dtype_type)
    *out = dtype_of_object(o);
  else if (o == reinterpret_cast<PyObject*>(&PyFloat_Type))
    *out = DType::float64;
  else if (o == reinterpret_cast<PyObject*>(&PyLong_Type))
    *out = DType::int64;
  else if (o == reinterpret_cast<PyObject*>(&PyBool_Type))
    *out = DType::boolean;
  else
    return false;
  return true;
}

PyObject* wrap_dtype(DType d) { return Py_NewRef(dtype_objects[index(d)]); }

// ------------------------------------------------------------------------------------------------- size

namespace {

PyTypeObject* size_type;

PyObject* size_repr(PyObject* self) {
  PyObject* list = PySequence_List(self);
  PyObject* text = list ? PyUnicode_FromFormat("torch.Size(%R)", list) : nullptr;
  Py_XDECREF(list);
  return text;
}

PyObject* size_numel(PyObject* self, PyObject*) {
  long long n = 1;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); i++) n *= PyLong_AsLongLong(PyTuple_GET_ITEM(self, i));
  return PyErr_Occurred() ? nullptr : PyLong_FromLongLong(n);
}

// Slices and sums of sizes are sizes.
PyObject* as_size(PyObject* tuple) {
  if (!tuple || !PyTuple_CheckExact(tuple)) return tuple;
  PyObject* args = PyTuple_Pack(1, tuple);
  Py_DECREF(tuple);
  PyObject* out = args ? PyTuple_Type.tp_new(size_type, args, nullptr) : nullptr;
  Py_XDECREF(args);
  return out;
}
PyObject* size_subscript(PyObject* self, PyObject* key) {
  return as_size(PyTuple_Type.tp_as_mapping->mp_subscript(self, key));
}
PyObject* size_concat(PyObject* a, PyObject* b) { return as_size(PyTuple_Type.tp_as_sequence->sq_concat(a, b)); }

PyMethodDef size_methods[] = {
    {"numel", size_numel, METH_NOARGS, "The number of elements of a tensor of this shape."},
    {nullptr, nullptr, 0, nullptr},
};
PyType_Slot size_slots[] = {
    {Py_tp_doc, const_cast<char*>("The shape of a tensor: a tuple of ints.")},
    {Py_tp_repr, reinterpret_cast<void*>(size_repr)},
    {Py_tp_methods, size_methods},
    {Py_mp_subscript, reinterpret_cast<void*>(size_subscript)},
    {Py_sq_concat, reinterpret_cast<void*>(size_concat)},
    {0, nullptr},
};
PyType_Spec size_spec = {"freedive.Size", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, size_slots};

}  // namespace

void add_size(PyObject* module) {
  PyObject* bases = PyTuple_Pack(1, &PyTuple_Type);
  size_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpecWithBases(&size_spec, bases));
  Py_XDECREF(bases);
  if (!size_type) throw nb::python_error();
  PyModule_AddObjectRef(module, "Size", reinterpret_cast<PyObject*>(size_type));
}

PyObject* wrap_size(const Shape& s) {
  PyObject* o = size_type->tp_alloc(size_type, s.size());
  if (!o) return nullptr;
  for (int i = 0; i < s.size(); i++) PyTuple_SET_ITEM(o, i, PyLong_FromLongLong(s[i]));
  return o;
}

// ------------------------------------------------------------------------------------------------- device

namespace {

Device device_from_text(const std::string& text) {
  if (text == "cpu" || text == "cpu:0") return {DeviceKind::cpu, 0};
  if (text == "cuda") return {DeviceKind::cuda, 0};
  if (text.starts_with("cuda:") && text.size() > 5 && text.find_first_not_of("0123456789", 5) == std::string::npos &&
      text.size() <= 7)
    return {DeviceKind::cuda, static_cast<int8_t>(std::stoi(text.substr(5)))};
  fail<DeviceError>("device: \"", text, "\" is not a device; expected \"cpu\", \"cuda\" or \"cuda:<number>\"");
}

const char* kind_name(Device d) { return d.kind == DeviceKind::cpu ? "cpu" : "cuda"; }

}  // namespace

void bind_device(nb::module_& m) {
  nb::class_<Device>(m, "device", "Where a tensor lives: device('cpu'), device('cuda') or device('cuda', 1).")
      .def(
          "__init__", [](Device* self, const Device& other) { new (self) Device(other); }, "device"_a)
      .def(
          "__init__", [](Device* self, const std::string& text) { new (self) Device(device_from_text(text)); },
          "device"_a)
      .def(
          "__init__",
          [](Device* self, const std::string& type, int index) {
            check<DeviceError>(index >= 0 && index < 100, "device: index ", index, " is out of range");
            new (self) Device(device_from_text(type + ":" + std::to_string(index)));
          },
          "type"_a, "index"_a)
      .def_prop_ro(
          "type", [](Device d) { return std::string(kind_name(d)); }, "'cpu' or 'cuda'.")
      .def_prop_ro(
          "index", [](Device d) { return d.kind == DeviceKind::cpu ? std::nullopt : std::optional<int>(d.ordinal); },
          "Which GPU; None for the CPU.")
      .def(
          "__eq__", [](Device a, Device b) { return a == b; }, nb::is_operator())
      .def("__hash__", [](Device d) { return int(d.kind) * 128 + d.ordinal; })
      .def("__str__", [](Device d) { return text(d); })
      .def("__repr__",
           [](Device d) {
             return d.kind == DeviceKind::cpu ? std::string("device(type='cpu')")
                                              : text("device(type='cuda', index=", int(d.ordinal), ")");
           })
      .def("__reduce__", [](nb::handle self) { return nb::make_tuple(self.type(), nb::make_tuple(nb::str(self))); });
}

bool parse_device(PyObject* o, Device* out) noexcept {
  if (PyUnicode_Check(o)) {
    try {
      *out = device_from_text(nb::cast<std::string>(nb::handle(o)));
      return true;
    } catch (...) {
      return no();
    }
  }
  return nb::try_cast<Device>(nb::handle(o), *out);
}

// ------------------------------------------------------------------------------------------------- arguments

Dims dims_of(const nb::args& args, const char* op) {
  Dims out;
  nb::handle source = args;
  if (args.size() == 1) source = args[0];
  check<DTypeError>(parse_dims(source.ptr(), &out), op, ": sizes must be ints, or one tuple or list of at most ",
                    int(FD_MAX_DIMS), " ints");
  return out;
}

fd_activation activation_of(const char* op, const std::string& name) {
  if (name == "none") return FD_ACT_NONE;
  if (name == "relu") return FD_ACT_RELU;
  if (name == "sigmoid") return FD_ACT_SIGMOID;
  if (name == "tanh") return FD_ACT_TANH;
  fail<ValueError>(op, ": activation '", name, "' is unknown; expected 'none', 'relu', 'sigmoid' or 'tanh'");
}

std::optional<Dims> either(const std::optional<Dims>& dim, const std::optional<Dims>& axis, const char* op) {
  check<DTypeError>(!dim || !axis, op, ": dim and axis are two names of one argument; give one");
  return dim ? dim : axis;
}

Tensor into(const char* op, const Tensor& out, const Tensor& result) {
  check<GradError>(!needs_grad(result) && !needs_grad(out), op,
                   ": out= does not record gradients; use it under no_grad(), or without out=");
  check<ShapeError>(out.shape() == result.shape(), op, ": out has shape ", out.shape(), " but the result has ",
                    result.shape());
  check<DTypeError>(kind_of(result.dtype()) <= kind_of(out.dtype()), op, ": out is ", out.dtype(),
                    " but the result is ", result.dtype());
  return ops::copy_(out, result);
}

}  // namespace fd::bindings
