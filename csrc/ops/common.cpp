#include "ops/common.h"

#include "ops/ops.h"

namespace fd::ops {

void fail_missing(const char* op, DType dtype, Device device) {
  if (device.kind == DeviceKind::cuda) fail<DeviceError>(op, ": there is no kernel for ", dtype, " on ", device);
  fail<DTypeError>(op, ": not implemented for ", dtype, " on ", device);
}

void fail_status(const char* op, fd_status status, Device device) {
  switch (status) {
    case FD_OUT_OF_RANGE: {
      const fd_fault& fault = *context(device)->fault;
      fail<IndexError>(op, ": index ", fault.value, " at position ", fault.position, " is out of range");
    }
    case FD_NO_MEMORY:
      fail<MemoryError>(op, ": out of memory for workspace on ", device);
    case FD_DEVICE_FAULT:
      cuda::fail_launch(op, device);
    default:
      fail<DTypeError>(op, ": the kernel does not support these arguments");
  }
}

namespace {

struct TypeVote {
  // The strongest dtype among tensors with dimensions, 0-dim tensors, and numbers.
  bool has_dims = false, has_zero = false, has_number = false;
  DType dims = DType::boolean, zero = DType::boolean, number = DType::boolean;

  static void raise(bool& seen, DType& have, DType d) {
    have = seen ? promote(have, d) : d;
    seen = true;
  }
  void add(const Operand& o) {
    if (!o.is_tensor())
      raise(has_number, number, dtype_of(o.scalar.kind));
    else if (o.tensor->dim() > 0)
      raise(has_dims, dims, o.tensor->dtype());
    else
      raise(has_zero, zero, o.tensor->dtype());
  }
  // A weaker vote counts only if it is of a higher kind.
  static DType combine(bool has_strong, DType strong, bool has_weak, DType weak) {
    if (!has_strong) return weak;
    if (has_weak && kind_of(weak) > kind_of(strong)) return promote(strong, weak);
    return strong;
  }
  DType verdict() const {
    const DType tensors = combine(has_dims, dims, has_zero, zero);
    return combine(has_dims || has_zero, tensors, has_number, number);
  }
};

}  // namespace

DType result_type(const Operand& a, const Operand& b) {
  if (a.is_tensor() && b.is_tensor() && a.tensor->dtype() == b.tensor->dtype()) return a.tensor->dtype();
  TypeVote vote;
  vote.add(a);
  vote.add(b);
  return vote.verdict();
}

void run_elementwise(const char* op, fd_elementwise_fn* const* table, const Tensor& out, const Operand* operands,
                     int count, const double* param) {
  fd_elementwise args;
  const Tensor* tensors[3];
  DType dtype = out.dtype();
  for (int k = 0; k < count; k++) {
    tensors[k] = operands[k].tensor;
    if (tensors[k]) dtype = tensors[k]->dtype();
  }
  for (int k = 0; k < count; k++)
    if (!tensors[k]) args.scalar[k] = operands[k].scalar.as(dtype);
  lay_out(&args, out, tensors, count);
  if (param)
    for (int k = 0; k < 3; k++) args.param[k] = param[k];
  run(op, find(table[index(dtype)], op, dtype, out.device()), args, out.device(), (count + 1) * bytes_of(out));
}

Tensor sum_to(const Tensor& g, const Shape& shape) {
  if (g.shape() == shape) return g;
  Dims axes;
  const int extra = g.dim() - shape.size();
  for (int i = 0; i < g.dim(); i++)
    if (i < extra || (shape[i - extra] == 1 && g.size(i) != 1)) axes.push_back(i);
  return reshape(sum(g, axes, true), shape);
}

}  // namespace fd::ops
