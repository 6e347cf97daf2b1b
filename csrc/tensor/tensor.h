// A tensor: shape and strides over shared storage. Knows no operation and no gradient, only that one may be attached.
#pragma once

#include "base/host.h"
#include "base/memory.h"
#include "base/ref.h"
#include "base/types.h"
#include "tensor/storage.h"

namespace fd {

// Counts in-place writes, shared by a tensor and its views, so that backward can tell that what it saved has changed.
struct Version {
  uint32_t value = 0;
  const char* writer = nullptr;  // the last op that wrote
  void ref() { refs_++; }
  void unref() {
    if (--refs_ == 0) {
      this->~Version();
      deallocate(this, sizeof(Version));
    }
  }

 private:
  uint32_t refs_ = 0;
};

// What autograd hangs on a tensor; defined in autograd/meta.h.
struct AutogradSlot {
  virtual ~AutogradSlot() = default;
};

// How a view came to be; writing into the last two while gradients are on is refused, as PyTorch does.
enum class ViewOrigin : int8_t { plain, no_grad, one_of_many };

class TensorImpl;

// A handle; copying it shares the tensor.
class Tensor : public Ref<TensorImpl> {
 public:
  using Ref<TensorImpl>::Ref;
  Tensor() = default;
  Tensor(Ref<TensorImpl> r) : Ref<TensorImpl>(std::move(r)) {}
  bool defined() const { return get() != nullptr; }

  inline const Shape& shape() const;
  inline const Dims& strides() const;
  inline int dim() const;
  inline int64_t size(int i) const;
  inline int64_t stride(int i) const;
  inline int64_t numel() const;
  inline DType dtype() const;
  inline Device device() const;
  inline bool is_contiguous() const;
  inline void* data() const;
  template <class T>
  T* data_as() const {
    return static_cast<T*>(data());
  }
};

class TensorImpl {
 public:
  DType dtype;
  Device device;
  bool contiguous;
  bool requires_grad = false;  // a leaf that wants a gradient, or a result with a grad_fn
  ViewOrigin view_origin = ViewOrigin::plain;
  uint32_t view_version = 0;  // of a view: the version its grad_fn belongs to
  Shape shape;
  Dims strides;  // in elements
  int64_t numel;
  char* data;  // of the first element
  Ref<Storage> storage;
  Tensor base;  // the tensor this is a differentiable view of (never itself a view)
  AutogradSlot* autograd = nullptr;
  void* python = nullptr;  // the Python object, which then carries the reference count

  static Tensor create(Ref<Storage> storage, char* data, DType dtype, const Shape& shape, const Dims& strides);
  static Tensor empty(const Shape& shape, DType dtype, Device device = {});

  void ref() {
    if (python) [[unlikely]]
      host.incref(python);
    else
      refs_++;
  }
  void unref() {
    if (python) [[unlikely]]
      host.decref(python);
    else if (--refs_ == 0)
      destroy();
  }
  long use_count() const { return python ? host.refcount(python) : refs_; }
  // The Python object takes over the count; it calls destroy() when it dies.
  long hand_over(void* object) {
    python = object;
    return std::exchange(refs_, 0);
  }
  void destroy();

  Version& version() { return shared_version_ ? *shared_version_ : version_; }
  uint32_t version_value() { return version().value; }
  void bump_version(const char* writer) {
    Version& v = version();
    v.value++;
    v.writer = writer;
  }
  void share_version_with(TensorImpl& other);  // from now on both count together
  void fresh_version() {
    shared_version_ = nullptr;
    version_ = {};
  }

  int64_t storage_offset() const { return (data - storage->data) / static_cast<int64_t>(item_size(dtype)); }
  // Takes over another tensor's memory and shape but keeps its own identity (param.data = …).
  void set_data(const TensorImpl& other);

 private:
  TensorImpl() = default;
  ~TensorImpl();
  long refs_ = 0;
  Version version_;
  Ref<Version> shared_version_;
};

inline const Shape& Tensor::shape() const { return get()->shape; }
inline const Dims& Tensor::strides() const { return get()->strides; }
inline int Tensor::dim() const { return get()->shape.size(); }
inline int64_t Tensor::size(int i) const { return get()->shape[i]; }
inline int64_t Tensor::stride(int i) const { return get()->strides[i]; }
inline int64_t Tensor::numel() const { return get()->numel; }
inline DType Tensor::dtype() const { return get()->dtype; }
inline Device Tensor::device() const { return get()->device; }
inline bool Tensor::is_contiguous() const { return get()->contiguous; }
inline void* Tensor::data() const { return get()->data; }

inline Tensor empty(const Shape& shape, DType dtype, Device device = {}) {
  return TensorImpl::empty(shape, dtype, device);
}

// Another tensor over the same memory, sharing the version counter; no gradient history.
Tensor alias(const Tensor& t, const Shape& shape, const Dims& strides, int64_t storage_offset);
inline Tensor alias(const Tensor& t) { return alias(t, t.shape(), t.strides(), t->storage_offset()); }

// Several elements may share one place in memory (an expanded dimension), so writing in place is refused.
bool overlaps_itself(const Tensor& t);

}  // namespace fd
