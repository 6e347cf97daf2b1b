// DLPack both ways: tensors to and from PyTorch, NumPy, JAX and CuPy without a copy. Structures as the DLPack
// specification (1.0) lays them out; both the versioned capsules and the older unversioned ones are spoken.
#include "bindings/bind.h"
#include "bindings/caster.h"
#include "kernels/device.h"

namespace fd::bindings {

namespace {

struct DLDevice {
  int32_t device_type;  // 1 CPU, 2 CUDA
  int32_t device_id;
};
struct DLDataType {
  uint8_t code;  // 0 int, 1 unsigned, 2 float, 4 bfloat, 6 bool
  uint8_t bits;
  uint16_t lanes;
};
struct DLTensor {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t* shape;
  int64_t* strides;  // in elements; null: C-contiguous
  uint64_t byte_offset;
};
struct DLManagedTensor {
  DLTensor tensor;
  void* context;
  void (*deleter)(DLManagedTensor*);
};
struct DLManagedTensorVersioned {
  uint32_t major, minor;
  void* context;
  void (*deleter)(DLManagedTensorVersioned*);
  uint64_t flags;  // bit 0: read-only; bit 1: is a copy
  DLTensor tensor;
};

constexpr uint64_t kReadOnly = 1, kCopied = 2;
constexpr int32_t kCpu = 1, kCuda = 2;
constexpr DLDataType kTypes[FD_DTYPE_COUNT] = {{6, 8, 1},  {1, 8, 1},  {0, 32, 1}, {0, 64, 1},
                                               {2, 16, 1}, {4, 16, 1}, {2, 32, 1}, {2, 64, 1}};

DType dtype_of(DLDataType t) {
  for (int i = 0; i < FD_DTYPE_COUNT; i++)
    if (kTypes[i].code == t.code && kTypes[i].bits == t.bits && t.lanes == 1) return DType(i);
  fail<DTypeError>("from_dlpack: element type (code ", int(t.code), ", ", int(t.bits), " bits, ", int(t.lanes),
                   " lanes) has no dtype here");
}

// ---------------------------------------------------------------------------------------------- export

DLDevice dl_device(const Tensor& t) { return {t.device().kind == DeviceKind::cpu ? kCpu : kCuda, t.device().ordinal}; }

// What an exported capsule keeps alive. Shape and strides live here: the tensor's own may change.
template <class Managed>
struct Export {
  Managed managed;
  Tensor tensor;
  Dims shape, strides;
};

template <class Managed>
void release_export(Managed* managed) {
  const PyGILState_STATE state = PyGILState_Ensure();
  delete static_cast<Export<Managed>*>(managed->context);
  PyGILState_Release(state);
}

template <class Managed>
Managed* export_tensor(const Tensor& t) {
  auto* e = new Export<Managed>{{}, t, t.shape(), t.strides()};
  e->managed.tensor = {t.data(),         dl_device(t),       t.dim(), kTypes[index(t.dtype())],
                       e->shape.begin(), e->strides.begin(), 0};
  e->managed.context = e;
  e->managed.deleter = release_export<Managed>;
  return &e->managed;
}

constexpr const char* kName = "dltensor";
constexpr const char* kNameVersioned = "dltensor_versioned";

// A capsule nobody consumed frees its tensor.
template <class Managed>
void destroy_capsule(PyObject* capsule) {
  constexpr const char* name = std::is_same_v<Managed, DLManagedTensor> ? kName : kNameVersioned;
  if (!PyCapsule_IsValid(capsule, name)) return;
  auto* m = static_cast<Managed*>(PyCapsule_GetPointer(capsule, name));
  m->deleter(m);
}

nb::object to_dlpack(const Tensor& self, const nb::object& stream, const nb::object& max_version,
                     const nb::object& device, const std::optional<bool>& copy) {
  check<GradError>(!requires_grad(self), "__dlpack__: this tensor requires grad; use detach()");
  const DLDevice here = dl_device(self);
  check<DeviceError>(stream.is_none() || here.device_type == kCuda, "__dlpack__: a CPU tensor has no stream");
  if (!device.is_none())
    check<DeviceError>(nb::cast<std::pair<int, int>>(device).first == here.device_type,
                       "__dlpack__: this tensor is on ", self.device(), "; copy it first");
  const Tensor t = copy.value_or(false) ? ops::clone(self) : ops::detach(self);
  // Whatever stream the consumer works on then finds the data computed.
  if (here.device_type == kCuda) cuda::synchronize(self.device());
  const bool versioned = !max_version.is_none() && nb::cast<std::pair<int, int>>(max_version).first >= 1;
  PyObject* capsule;
  if (versioned) {
    auto* m = export_tensor<DLManagedTensorVersioned>(t);
    m->major = 1;
    m->minor = 0;
    m->flags = (t->storage->writable ? 0 : kReadOnly) | (copy.value_or(false) ? kCopied : 0);
    capsule = PyCapsule_New(m, kNameVersioned, destroy_capsule<DLManagedTensorVersioned>);
  } else {
    check<DTypeError>(t->storage->writable, "__dlpack__: read-only memory needs a consumer of DLPack 1.0 or later");
    capsule = PyCapsule_New(export_tensor<DLManagedTensor>(t), kName, destroy_capsule<DLManagedTensor>);
  }
  if (!capsule) throw nb::python_error();
  return nb::steal(capsule);
}

// ---------------------------------------------------------------------------------------------- import

template <class Managed>
void release_import(void* owner) {
  const PyGILState_STATE state = PyGILState_Ensure();
  auto* m = static_cast<Managed*>(owner);
  if (m->deleter) m->deleter(m);
  PyGILState_Release(state);
}

template <class Managed>
Tensor import_tensor(Managed* m, bool writable) {
  const DLTensor& d = m->tensor;
  const bool on_gpu = d.device.device_type == kCuda;
  check<DeviceError>(on_gpu || d.device.device_type == kCpu, "from_dlpack: the data is on device type ",
                     d.device.device_type, "; expected 1 (CPU) or 2 (CUDA)");
  const Device where = on_gpu ? Device{DeviceKind::cuda, static_cast<int8_t>(d.device.device_id)} : Device{};
  kernels(where);  // DeviceError if there is no such device
  check<ShapeError>(d.ndim <= FD_MAX_DIMS, "from_dlpack: ", d.ndim, " dimensions; at most ", int(FD_MAX_DIMS),
                    " are supported");
  const DType dtype = dtype_of(d.dtype);
  const Shape shape(d.shape, d.ndim);
  const Dims strides = d.strides ? Dims(d.strides, d.ndim) : contiguous_strides(shape);
  int64_t span = 1;
  for (int i = 0; i < shape.size(); i++) {
    check<ValueError>(strides[i] >= 0 || shape[i] <= 1, "from_dlpack: negative strides cannot be shared");
    span += std::max<int64_t>(shape[i] - 1, 0) * strides[i];
  }
  char* data = static_cast<char*>(d.data) + d.byte_offset;
  Ref<Storage> storage =
      Storage::borrow(data, static_cast<size_t>(span) * item_size(dtype), where, writable, release_import<Managed>, m);
  return TensorImpl::create(std::move(storage), data, dtype, shape, strides);
}

Tensor from_capsule(nb::handle capsule) {
  PyObject* c = capsule.ptr();
  if (PyCapsule_IsValid(c, kNameVersioned)) {
    auto* m = static_cast<DLManagedTensorVersioned*>(PyCapsule_GetPointer(c, kNameVersioned));
    check<ValueError>(m->major == 1, "from_dlpack: DLPack version ", m->major, " is not supported");
    const Tensor t = import_tensor(m, !(m->flags & kReadOnly));
    PyCapsule_SetName(c, "used_dltensor_versioned");
    return t;
  }
  check<ValueError>(PyCapsule_IsValid(c, kName),
                    "from_dlpack: the capsule was already consumed or is no DLPack capsule");
  const Tensor t = import_tensor(static_cast<DLManagedTensor*>(PyCapsule_GetPointer(c, kName)), true);
  PyCapsule_SetName(c, "used_dltensor");
  return t;
}

Tensor from_dlpack(nb::handle source) {
  if (PyCapsule_CheckExact(source.ptr())) return from_capsule(source);
  check<DTypeError>(PyObject_HasAttrString(source.ptr(), "__dlpack__"), "from_dlpack: '",
                    Py_TYPE(source.ptr())->tp_name, "' has no __dlpack__");
  const nb::object method = source.attr("__dlpack__");
  nb::dict options;
  if (PyObject_HasAttrString(source.ptr(), "__dlpack_device__")) {
    const auto [type, ordinal] = nb::cast<std::pair<int, int>>(source.attr("__dlpack_device__")());
    if (type == kCuda) {  // the producer's work is to be done before ours
      const fd_context* c = context({DeviceKind::cuda, static_cast<int8_t>(ordinal)});
      options["stream"] = reinterpret_cast<intptr_t>(c->stream);
    }
  }
  nb::object capsule;
  try {
    capsule = method(**options, "max_version"_a = nb::make_tuple(1, 0));
  } catch (nb::python_error& e) {  // a producer older than DLPack 1.0
    if (!e.matches(PyExc_TypeError)) throw;
    capsule = method(**options);
  }
  return from_capsule(capsule);
}

}  // namespace

void bind_dlpack(nb::module_& m) {
  method("__dlpack__", to_dlpack, nb::kw_only(), "stream"_a = nb::none(), "max_version"_a = nb::none(),
         "dl_device"_a = nb::none(), "copy"_a = nb::none(), "This tensor as a DLPack capsule.");
  method(
      "__dlpack_device__",
      [](const Tensor& t) { return nb::make_tuple(dl_device(t).device_type, dl_device(t).device_id); },
      "The DLPack device: (1, 0) for the CPU, (2, i) for GPU i.");
  m.def("from_dlpack", from_dlpack, "ext_tensor"_a,
        "A tensor over the memory of another library's array (PyTorch, NumPy, JAX, CuPy), without a copy.");
}

}  // namespace fd::bindings
