#include "bindings/interop.h"

#include <cstring>
#include <string_view>

#include "bindings/caster.h"

namespace fd::bindings {

namespace {

// NumPy's own int64 is C's long where that has 64 bits; "q" would be another dtype to it, equal but printed.
constexpr const char* kInt64 = sizeof(long) == sizeof(int64_t) ? "l" : "q";
constexpr const char* kFormats[FD_DTYPE_COUNT] = {"?", "B", "i", kInt64, "e", nullptr, "f", "d"};

std::optional<DType> dtype_of_format(const char* format, Py_ssize_t itemsize) {
  if (!format) return itemsize == 1 ? std::optional(DType::uint8) : std::nullopt;
  if (*format == '=' || *format == '@' || *format == '<') format++;
  if (std::strlen(format) != 1) return std::nullopt;
  switch (*format) {
    case '?':
      return DType::boolean;
    case 'B':
      return DType::uint8;
    case 'e':
      return DType::float16;
    case 'f':
      return DType::float32;
    case 'd':
      return DType::float64;
    case 'i':
    case 'l':
    case 'q':
      return itemsize == 4 ? std::optional(DType::int32) : itemsize == 8 ? std::optional(DType::int64) : std::nullopt;
    default:
      return std::nullopt;
  }
}

// May run on any thread, whenever the last tensor over the memory goes.
void release_buffer(void* owner) {
  const PyGILState_STATE state = PyGILState_Ensure();
  auto* view = static_cast<Py_buffer*>(owner);
  PyBuffer_Release(view);
  delete view;
  PyGILState_Release(state);
}

struct BufferView {
  Py_buffer* view = new Py_buffer;
  bool held = false;
  ~BufferView() {
    if (held) PyBuffer_Release(view);
    delete view;
  }
  Py_buffer* release() {
    held = false;
    return std::exchange(view, nullptr);
  }
};

}  // namespace

bool has_buffer(PyObject* object) { return PyObject_CheckBuffer(object) && !PyBytes_Check(object); }

Tensor from_buffer(PyObject* object) {
  BufferView holder;
  Py_buffer* v = holder.view;
  if (PyObject_GetBuffer(object, v, PyBUF_STRIDES | PyBUF_FORMAT) != 0) throw nb::python_error();
  holder.held = true;
  const std::optional<DType> dtype = dtype_of_format(v->format, v->itemsize);
  check<DTypeError>(dtype.has_value(), "from_numpy: element type '", v->format ? v->format : "bytes",
                    "' has no dtype here; convert it with astype() to float32, float64, float16, int64, int32, uint8 "
                    "or bool");
  Shape shape;
  Dims strides;
  const auto item = static_cast<int64_t>(item_size(*dtype));
  for (int i = 0; i < v->ndim; i++) {
    const int64_t step = v->strides[i];
    check<ValueError>(step >= 0 || v->shape[i] <= 1,
                      "from_numpy: arrays with negative strides cannot be shared; copy() it first");
    check<ValueError>(step % item == 0 || v->shape[i] <= 1,
                      "from_numpy: strides are not a multiple of the element size; copy() it first");
    shape.push_back(v->shape[i]);
    strides.push_back(v->shape[i] <= 1 ? 0 : step / item);
  }
  // Steps along sizes of 1 mean nothing; give them those of a contiguous tensor.
  if (is_contiguous(shape, strides)) strides = contiguous_strides(shape);
  int64_t span = item;
  for (int i = 0; i < shape.size(); i++) span += std::max<int64_t>(shape[i] - 1, 0) * strides[i] * item;
  auto* data = static_cast<char*>(v->buf);
  const bool writable = !v->readonly;
  Ref<Storage> storage =
      Storage::borrow(data, static_cast<size_t>(span), {}, writable, release_buffer, holder.release());
  return TensorImpl::create(std::move(storage), data, *dtype, shape, strides);
}

int tensor_getbuffer(PyObject* self, Py_buffer* view, int flags) {
  const TensorImpl* t = impl_of(self);
  view->obj = nullptr;
  const char* format = kFormats[index(t->dtype)];
  const char* problem = nullptr;
  if (t->requires_grad)
    problem = "a tensor that requires grad does not share its memory; use detach().numpy()";
  else if (!format)
    problem = "bfloat16 has no NumPy type; convert it with float()";
  else if (t->device.kind != DeviceKind::cpu)
    problem = "the tensor is not on the CPU; use cpu() first";
  else if ((flags & PyBUF_WRITABLE) && !t->storage->writable)
    problem = "the tensor's memory is read-only";
  else if (!(flags & PyBUF_STRIDES) && !t->contiguous)
    problem = "the tensor is not contiguous";
  if (problem) {
    PyErr_SetString(PyExc_BufferError, problem);
    return -1;
  }
  const int n = t->shape.size();
  auto* layout = new Py_ssize_t[2 * n + 1];  // shape, then strides in bytes
  for (int i = 0; i < n; i++) {
    layout[i] = t->shape[i];
    layout[n + i] = t->strides[i] * static_cast<int64_t>(item_size(t->dtype));
  }
  view->buf = t->data;
  view->obj = Py_NewRef(self);
  view->itemsize = static_cast<Py_ssize_t>(item_size(t->dtype));
  view->len = t->numel * view->itemsize;
  view->readonly = !t->storage->writable;
  view->ndim = n;
  view->format = (flags & PyBUF_FORMAT) ? const_cast<char*>(format) : nullptr;
  view->shape = (flags & PyBUF_ND) ? layout : nullptr;
  view->strides = (flags & PyBUF_STRIDES) ? layout + n : nullptr;
  view->suboffsets = nullptr;
  view->internal = layout;
  return 0;
}

void tensor_releasebuffer(PyObject*, Py_buffer* view) { delete[] static_cast<Py_ssize_t*>(view->internal); }

namespace {

nb::object numpy_module() { return nb::module_::import_("numpy"); }

nb::object to_numpy(nb::handle self, bool force) {
  Tensor t = tensor_of(self.ptr());
  if (force) t = ops::on_host(ops::detach(t));
  check<DTypeError>(t.device().kind == DeviceKind::cpu, "numpy: this tensor is on ", t.device(),
                    "; use cpu() to copy it to host memory first");
  check<GradError>(!requires_grad(t), "numpy: this tensor requires grad; use detach().numpy()");
  check<DTypeError>(kFormats[index(t.dtype())] != nullptr,
                    "numpy: bfloat16 has no NumPy type; convert it with float()");
  const nb::object source = nb::steal(wrap(t));
  return numpy_module().attr("asarray")(nb::steal(PyMemoryView_FromObject(source.ptr())));
}

nb::object to_array(nb::handle self, nb::handle dtype, nb::handle copy) {
  nb::object array = to_numpy(self, false);
  if (!dtype.is_none() && !array.attr("dtype").equal(numpy_module().attr("dtype")(dtype)))
    return array.attr("astype")(dtype);
  return copy.is_none() || !nb::cast<bool>(copy) ? array : array.attr("copy")();
}

}  // namespace

void bind_interop(nb::module_& m) {
  m.def(
      "from_numpy", [](nb::handle array) { return from_buffer(array.ptr()); }, "ndarray"_a,
      "A tensor over the memory of a NumPy array (or any buffer), without a copy.\n\n"
      "Writing to either changes both. Raises DTypeError for element types without a dtype here and ValueError for\n"
      "negative strides.");
  m.def(
      "frombuffer",
      [](nb::handle buffer, DType dtype, int64_t count, int64_t offset) {
        const nb::object bytes = nb::steal(PyMemoryView_FromObject(buffer.ptr()));
        if (!bytes.is_valid()) throw nb::python_error();
        const Tensor raw = from_buffer(nb::object(bytes.attr("cast")("B")).ptr());
        const auto item = static_cast<int64_t>(item_size(dtype));
        check<ValueError>(offset >= 0 && offset <= raw.numel(), "frombuffer: offset ", offset,
                          " is outside a buffer of ", raw.numel(), " bytes");
        const int64_t room = (raw.numel() - offset) / item, n = count < 0 ? room : count;
        check<ValueError>(n <= room && (count >= 0 || (raw.numel() - offset) % item == 0), "frombuffer: ", n,
                          " elements of ", dtype, " do not fit a buffer of ", raw.numel(), " bytes from offset ",
                          offset);
        return TensorImpl::create(raw->storage, raw->data + offset, dtype, {n}, {1});
      },
      "buffer"_a, nb::kw_only(), "dtype"_a, "count"_a = -1, "offset"_a = 0,
      "A 1-d tensor over the bytes of a buffer, without a copy; count -1 takes all that follow offset (in bytes).");
  method(
      "numpy", [](nb::handle self, bool force) { return to_numpy(self, force); }, nb::kw_only(), "force"_a = false,
      "A NumPy array over this tensor's memory. Raises GradError if it requires grad or is on a GPU (force=True "
      "detaches\nand copies).");
  method(
      "__array__", [](nb::handle self, nb::handle dtype, nb::handle copy) { return to_array(self, dtype, copy); },
      "dtype"_a = nb::none(), "copy"_a = nb::none());
}

}  // namespace fd::bindings
