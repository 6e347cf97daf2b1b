// A block of bytes on a device, shared by a tensor and its views.
#pragma once

#include "base/ref.h"
#include "base/types.h"

namespace fd {

struct Storage {
  char* data;
  size_t bytes;
  Device device;
  bool writable;
  // Foreign memory (NumPy, DLPack): called with owner when the last tensor is gone. nullptr: the block is ours.
  void (*free_owner)(void* owner);
  void* owner;

  void ref() { refs_++; }
  void unref() {
    if (--refs_ == 0) destroy();
  }

  int use_count() const { return refs_; }

  // Uninitialised memory; on the CPU header and data are one allocation.
  static Ref<Storage> allocate(size_t bytes, Device device);
  static Ref<Storage> borrow(void* data, size_t bytes, Device device, bool writable, void (*free_owner)(void*),
                             void* owner);

 private:
  Storage(char* d, size_t n, Device where, bool w, void (*f)(void*), void* o)
      : data(d), bytes(n), device(where), writable(w), free_owner(f), owner(o) {}
  void destroy();
  int32_t refs_ = 0;
};

}  // namespace fd
