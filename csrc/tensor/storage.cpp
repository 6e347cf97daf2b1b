#include "tensor/storage.h"

#include <new>

#include "base/memory.h"
#include "kernels/device.h"

namespace fd {

namespace {
constexpr size_t kHeader = 64;  // keeps the data 64-byte aligned behind it
static_assert(sizeof(Storage) <= kHeader);
}  // namespace

Ref<Storage> Storage::allocate(size_t bytes, Device device) {
  if (device.kind == DeviceKind::cuda) [[unlikely]] {
    void* const data = cuda::allocate(bytes, device);
    return Ref<Storage>(new (fd::allocate(kHeader))
                            Storage(static_cast<char*>(data), bytes, device, true, nullptr, nullptr));
  }
  char* block = static_cast<char*>(fd::allocate(kHeader + bytes));
  return Ref<Storage>(new (block) Storage(block + kHeader, bytes, device, true, nullptr, nullptr));
}

Ref<Storage> Storage::borrow(void* data, size_t bytes, Device device, bool writable, void (*free_owner)(void*),
                             void* owner) {
  void* block = fd::allocate(kHeader);
  return Ref<Storage>(new (block) Storage(static_cast<char*>(data), bytes, device, writable, free_owner, owner));
}

void Storage::destroy() {
  if (free_owner) {
    free_owner(owner);
    deallocate(this, kHeader);
  } else if (device.kind == DeviceKind::cuda) {
    cuda::deallocate(data, bytes, device);
    deallocate(this, kHeader);
  } else {
    deallocate(this, kHeader + bytes);
  }
}

}  // namespace fd
