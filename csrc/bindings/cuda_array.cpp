// The CUDA array interface, version 3, both ways: GPU arrays of CuPy, Numba and PyTorch share memory with tensors.
#include "bindings/caster.h"
#include "bindings/errors.h"
#include "bindings/interop.h"
#include "kernels/device.h"

namespace fd::bindings {

namespace {

constexpr const char* kName = "__cuda_array_interface__";
constexpr const char* kTypes[FD_DTYPE_COUNT] = {"|b1", "|u1", "<i4", "<i8", "<f2", nullptr, "<f4", "<f8"};

DType dtype_named(const std::string& type) {
  for (int i = 0; i < FD_DTYPE_COUNT; i++)
    if (kTypes[i] && type == kTypes[i]) return DType(i);
  fail<DTypeError>(kName, ": element type '", type, "' has no dtype here");
}

nb::tuple as_tuple(const Dims& dims, int64_t unit) {
  nb::list out;
  for (int64_t d : dims) out.append(d * unit);
  return nb::tuple(out);
}

// May run on any thread, whenever the last tensor over the memory goes.
void release_owner(void* owner) {
  const PyGILState_STATE state = PyGILState_Ensure();
  Py_DECREF(static_cast<PyObject*>(owner));
  PyGILState_Release(state);
}

nb::dict interface_of(const Tensor& t) {
  check<GradError>(!requires_grad(t), kName, ": this tensor requires grad; use detach()");
  check<DTypeError>(kTypes[index(t.dtype())] != nullptr, kName, ": ", t.dtype(), " has no type there; use DLPack");
  cuda::synchronize(t.device());  // so that no consumer need know of our stream
  nb::dict out;
  out["shape"] = as_tuple(t.shape(), 1);
  out["strides"] = as_tuple(t.strides(), static_cast<int64_t>(item_size(t.dtype())));
  out["typestr"] = kTypes[index(t.dtype())];
  out["data"] = nb::make_tuple(t.numel() ? reinterpret_cast<uintptr_t>(t.data()) : 0, !t->storage->writable);
  out["version"] = 3;
  out["stream"] = nb::none();
  return out;
}

Dims element_strides(nb::handle strides, const Shape& shape, int64_t item) {
  if (strides.is_none()) return contiguous_strides(shape);
  Dims out;
  for (nb::handle step : strides) {
    const auto bytes = nb::cast<int64_t>(step);
    check<ValueError>(bytes >= 0 && bytes % item == 0, kName, ": a stride of ", bytes,
                      " bytes cannot be shared; copy it first");
    out.push_back(bytes / item);
  }
  check<ShapeError>(out.size() == shape.size(), kName, ": ", out.size(), " strides for shape ", shape);
  return out;
}

}  // namespace

// Numbers, sequences and host arrays, which are what tensors are mostly made of, are told by their type.
bool has_cuda_array(PyObject* object) {
  const bool plain = PyList_Check(object) || PyTuple_Check(object) || PyFloat_Check(object) || PyLong_Check(object);
  return !plain && !PyObject_CheckBuffer(object) && PyObject_HasAttrString(object, kName);
}

PyObject* get_cuda_array_interface(PyObject* self, void*) {
  const Tensor t = tensor_of(self);
  if (t.device().kind != DeviceKind::cuda) {
    PyErr_SetString(PyExc_AttributeError, "only a tensor on a GPU has __cuda_array_interface__");
    return nullptr;
  }
  return guarded<PyObject*>(nullptr, [&] { return interface_of(t).release().ptr(); });
}

Tensor from_cuda_array(PyObject* object) {
  const nb::object found = nb::handle(object).attr(kName);
  const auto described = nb::cast<nb::dict>(found);
  check<ValueError>(!described.contains("mask") || described["mask"].is_none(), kName,
                    ": masked arrays have no place here");
  Shape shape;
  for (nb::handle size : described["shape"]) shape.push_back(nb::cast<int64_t>(size));
  const DType dtype = dtype_named(nb::cast<std::string>(described["typestr"]));
  const auto item = static_cast<int64_t>(item_size(dtype));
  const nb::object given = described.contains("strides") ? nb::object(described["strides"]) : nb::none();
  const Dims strides = element_strides(given, shape, item);
  const auto [address, read_only] = nb::cast<std::pair<uintptr_t, bool>>(described["data"]);
  if (numel(shape) == 0) return empty(shape, dtype, Device{DeviceKind::cuda, 0});
  auto* const data = reinterpret_cast<char*>(address);
  const int ordinal = cuda::ordinal_of(data);
  check<DeviceError>(ordinal >= 0, kName, ": the data is not in a GPU's memory");
  const Device device = {DeviceKind::cuda, static_cast<int8_t>(ordinal)};
  // What was asked of the producer's stream is computed before our work begins.
  if (described.contains("stream") && !described["stream"].is_none())
    cuda::synchronize_stream(device, reinterpret_cast<void*>(nb::cast<uintptr_t>(described["stream"])));
  int64_t span = 1;
  for (int i = 0; i < shape.size(); i++) span += (shape[i] - 1) * strides[i];
  Ref<Storage> storage =
      Storage::borrow(data, static_cast<size_t>(span * item), device, !read_only, release_owner, Py_NewRef(object));
  return TensorImpl::create(std::move(storage), data, dtype, shape, strides);
}

}  // namespace fd::bindings
