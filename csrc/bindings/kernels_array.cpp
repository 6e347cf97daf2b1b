#include "bindings/kernels_array.h"

#include "base/memory.h"

namespace fd::bindings {

namespace {

constexpr size_t kRecycled = size_t(64) << 10;  // bytes from which our own allocator serves an array

DType dtype_of(const char* op, const char* name, const py::array& a) {
  const char kind = a.dtype().kind();
  const auto size = a.itemsize();
  const bool native = a.dtype().byteorder() != '>';
  if (native && kind == 'f' && size == 4) return DType::float32;
  if (native && kind == 'f' && size == 8) return DType::float64;
  if (native && kind == 'f' && size == 2) return DType::float16;
  if (native && kind == 'i' && size == 8) return DType::int64;
  if (native && kind == 'i' && size == 4) return DType::int32;
  if (kind == 'u' && size == 1) return DType::uint8;
  if (kind == 'b') return DType::boolean;
  fail<DTypeError>(op, ": ", name, " has element type ", py::str(a.dtype()).cast<std::string>(),
                   "; expected float32, float64, float16, int64, int32, uint8 or bool");
}

py::dtype numpy_dtype(DType d) {
  switch (d) {
    case DType::boolean:
      return py::dtype::of<bool>();
    case DType::uint8:
      return py::dtype::of<uint8_t>();
    case DType::int32:
      return py::dtype::of<int32_t>();
    case DType::int64:
      return py::dtype::of<int64_t>();
    case DType::float32:
      return py::dtype::of<float>();
    case DType::float64:
      return py::dtype::of<double>();
    default:
      fail<DTypeError>("kernels: ", d, " has no NumPy type");
  }
}

// Large arrays are made of recycled memory: a program that calls a kernel in a loop does not fault in every page of
// every result anew.
struct Block {
  size_t bytes;
  void* data = allocate(bytes);
  explicit Block(size_t n) : bytes(n) {}
  Block(const Block&) = delete;
  ~Block() { deallocate(data, bytes); }
};

py::array new_array(const Shape& shape, DType dtype) {
  const std::vector<py::ssize_t> sizes(shape.begin(), shape.end());
  const size_t bytes = static_cast<size_t>(numel(shape)) * item_size(dtype);
  if (bytes < kRecycled) return py::array(numpy_dtype(dtype), sizes);
  auto block = std::make_unique<Block>(bytes);
  const py::capsule owner(block.get(), [](void* p) { delete static_cast<Block*>(p); });
  return py::array(numpy_dtype(dtype), sizes, block.release()->data, owner);
}

}  // namespace

ArrayView view(const char* op, const char* name, const py::array& a) {
  ArrayView v;
  v.data = static_cast<char*>(const_cast<void*>(a.data()));
  v.dtype = dtype_of(op, name, a);
  const auto item = static_cast<int64_t>(item_size(v.dtype));
  for (py::ssize_t i = 0; i < a.ndim(); i++) {
    check<ValueError>(a.strides(i) % item == 0 || a.shape(i) <= 1, op, ": ", name,
                      " has strides that are no multiple of its element size; copy() it first");
    v.shape.push_back(a.shape(i));
    v.strides.push_back(a.strides(i) / item);
  }
  return v;
}

Tensor borrow(const char* op, const char* name, const py::array& a) {
  ArrayView v = view(op, name, a);
  if (is_contiguous(v.shape, v.strides)) v.strides = contiguous_strides(v.shape);
  Ref<Storage> storage =
      Storage::borrow(v.data, static_cast<size_t>(a.nbytes()), {}, a.writeable(), [](void*) {}, nullptr);
  return TensorImpl::create(std::move(storage), v.data, v.dtype, v.shape, v.strides);
}

Tensor borrow_contiguous(const char* op, const char* name, const py::array& a, py::array& keep) {
  keep = a.flags() & py::array::c_style ? a : py::array::ensure(a, py::array::c_style);
  return borrow(op, name, keep);
}

py::array output(const char* op, const MaybeArray& out, const Shape& shape, DType dtype) {
  if (!out) return new_array(shape, dtype);
  check<ValueError>(out->writeable(), op, ": out is read-only");
  check<ValueError>(out->flags() & py::array::c_style, op, ": out must be C-contiguous");
  const ArrayView v = view(op, "out", *out);
  check_like(op, "out", v.dtype, v.shape, shape, dtype);
  return *out;
}

Tensor borrow_output(const char* op, py::array& out) { return borrow(op, "out", out); }

void check_floating(const char* op, const char* name, DType dtype) {
  check<DTypeError>(dtype == DType::float32 || dtype == DType::float64, op, ": ", name, " is ", dtype,
                    "; expected float32 or float64");
}

void check_like(const char* op, const char* name, DType is, const Shape& has, const Shape& shape, DType dtype) {
  check<DTypeError>(is == dtype, op, ": ", name, " is ", is, "; expected ", dtype);
  check<ShapeError>(has == shape, op, ": ", name, " has shape ", has, "; expected ", shape);
}

}  // namespace fd::bindings
