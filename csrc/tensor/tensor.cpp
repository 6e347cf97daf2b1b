#include "tensor/tensor.h"

#include <new>

#include "tensor/scalar.h"

namespace fd {

namespace {
DType default_floating = DType::float32;
}

DType default_dtype() { return default_floating; }
void set_default_dtype(DType dtype) {
  check<DTypeError>(is_floating(dtype), "set_default_dtype: ", dtype, " is not a floating type");
  default_floating = dtype;
}

Tensor TensorImpl::create(Ref<Storage> storage, char* data, DType dtype, const Shape& shape, const Dims& strides) {
  TensorImpl* t = new (fd::allocate(sizeof(TensorImpl))) TensorImpl();
  t->dtype = dtype;
  t->device = storage->device;
  t->storage = std::move(storage);
  t->data = data;
  t->shape = shape;
  t->strides = strides;
  t->numel = fd::numel(shape);
  t->contiguous = fd::is_contiguous(shape, strides);
  return Tensor(t);
}

Tensor TensorImpl::empty(const Shape& shape, DType dtype, Device device) {
  uint64_t bytes = item_size(dtype);
  for (int64_t d : shape) {
    check<ShapeError>(d >= 0, "empty: negative size in shape ", shape);
    const bool overflow =
        __builtin_mul_overflow(bytes, static_cast<uint64_t>(d), &bytes) || bytes > (uint64_t(1) << 62);
    check<MemoryError>(!overflow, "cannot allocate a tensor of shape ", shape, " and dtype ", dtype,
                       ": its size overflows 64 bits");
  }
  TensorImpl* t = new (fd::allocate(sizeof(TensorImpl))) TensorImpl();
  Tensor out(t);
  t->dtype = dtype;
  t->device = device;
  t->shape = shape;
  t->strides.resize(shape.size());
  int64_t step = 1;
  for (int i = shape.size() - 1; i >= 0; i--) {
    t->strides[i] = step;
    step *= std::max<int64_t>(shape[i], 1);
  }
  t->numel = fd::numel(shape);
  t->contiguous = true;
  t->storage = Storage::allocate(bytes, device);
  t->data = t->storage->data;
  return out;
}

TensorImpl::~TensorImpl() { delete autograd; }

void TensorImpl::destroy() {
  this->~TensorImpl();
  deallocate(this, sizeof(TensorImpl));
}

void TensorImpl::share_version_with(TensorImpl& other) {
  if (!other.shared_version_) {
    other.shared_version_ = Ref<Version>(new (fd::allocate(sizeof(Version))) Version(other.version_));
  }
  shared_version_ = other.shared_version_;
}

void TensorImpl::set_data(const TensorImpl& other) {
  dtype = other.dtype;
  device = other.device;
  contiguous = other.contiguous;
  shape = other.shape;
  strides = other.strides;
  numel = other.numel;
  data = other.data;
  storage = other.storage;
}

Tensor alias(const Tensor& t, const Shape& shape, const Dims& strides, int64_t storage_offset) {
  char* data = t->storage->data + storage_offset * static_cast<int64_t>(item_size(t.dtype()));
  Tensor out = TensorImpl::create(t->storage, data, t.dtype(), shape, strides);
  out->share_version_with(*t.get());
  return out;
}

bool overlaps_itself(const Tensor& t) {
  if (t.is_contiguous() || t.numel() <= 1) return false;
  // Sorted by stride, each dimension must step past everything the smaller ones reach.
  Dims size, stride;
  for (int i = 0; i < t.dim(); i++) {
    if (t.size(i) == 1) continue;
    const int64_t s = t.stride(i) < 0 ? -t.stride(i) : t.stride(i);
    int at = 0;
    while (at < stride.size() && stride[at] <= s) at++;
    size.insert(at, t.size(i));
    stride.insert(at, s);
  }
  int64_t reach = 0;
  for (int i = 0; i < size.size(); i++) {
    if (stride[i] <= reach) return true;
    reach += (size[i] - 1) * stride[i];
  }
  return false;
}

}  // namespace fd
