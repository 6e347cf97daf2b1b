// Automatic mixed precision: while it is on for a device, matrix products and convolutions take half operands, and what
// half precision would hurt (exponentials, softmax, losses, sums) gives float32 (Micikevicius and others, ICLR 2018;
// the lists are those of PyTorch's torch.autocast).
#pragma once

#include "ops/ops.h"

namespace fd::ops {

struct Autocast {
  bool on = false;
  DType dtype = DType::bfloat16;
};

// By kind of device, of this thread.
inline thread_local constinit Autocast autocast_of_kind[2] = {};

inline Autocast& autocast(DeviceKind kind) { return autocast_of_kind[kind == DeviceKind::cuda]; }

// An operand of a product: in the half type, where its gradient comes back in its own. float64 stays.
inline Tensor lowered(const Tensor& t) {
  if (!t.defined()) return t;
  const Autocast& a = autocast(t.device().kind);
  if (!a.on) [[likely]]
    return t;
  return is_floating(t.dtype()) && t.dtype() != DType::float64 ? to(t, a.dtype) : t;
}

// The dtype of a result that half precision would hurt.
inline DType widened(DType d, Device device) { return is_half(d) && autocast(device.kind).on ? DType::float32 : d; }
inline Tensor widened(const Tensor& t) { return to(t, widened(t.dtype(), t.device())); }

}  // namespace fd::ops
