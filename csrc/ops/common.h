// What every op family uses: finding a kernel, running it, and turning its status into an error.
#pragma once

#include "autograd/meta.h"
#include "kernels/device.h"
#include "kernels/dispatch.h"
#include "tensor/iterator.h"
#include "tensor/scalar.h"
#include "tensor/tensor.h"

namespace fd::ops {

// One argument of an elementwise op: a tensor or a Python number.
struct Operand {
  const Tensor* tensor = nullptr;
  Scalar scalar = Scalar(0);
  Operand(const Tensor& t) : tensor(&t) {}
  Operand(Scalar s) : scalar(s) {}
  Operand(double s) : scalar(s) {}
  Operand(int s) : scalar(s) {}
  bool is_tensor() const { return tensor != nullptr; }
};

// Bytes touched above which the interpreter lock is given up: about 50 us of memory traffic.
constexpr int64_t kUnlockBytes = 2 << 20;

// DTypeError, or DeviceError on a GPU.
[[noreturn]] void fail_missing(const char* op, DType dtype, Device device);

template <class Kernel>
Kernel* find(Kernel* kernel, const char* op, DType dtype, Device device) {
  if (!kernel) [[unlikely]]
    fail_missing(op, dtype, device);
  return kernel;
}

[[noreturn]] void fail_status(const char* op, fd_status status, Device device);

// A launch of kernels on a GPU returns before they have run: what they find wrong is raised at the next wait.
template <class Kernel, class Args>
fd_status launch(const char* op, Kernel* kernel, const Args& args, Device device) {
  fd_context* c = context(device);
  cuda::name_op(c, op);
  const fd_status status = kernel(c, &args);
  if (status == FD_OK && cuda::synchronous() && !cuda::capturing(device)) cuda::synchronize(device);
  return status;
}

// Runs kernel(context, args); bytes is how much memory it touches.
template <class Kernel, class Args>
fd_status run_for_status(const char* op, Kernel* kernel, const Args& args, Device device, int64_t bytes) {
  if (device.kind == DeviceKind::cuda) [[unlikely]]
    return launch(op, kernel, args, device);
  fd_context* c = context(device);
  const Unlocked unlocked(bytes > kUnlockBytes);
  return kernel(c, &args);
}
template <class Kernel, class Args>
void run(const char* op, Kernel* kernel, const Args& args, Device device, int64_t bytes) {
  const fd_status status = run_for_status(op, kernel, args, device, bytes);
  if (status != FD_OK) [[unlikely]]
    fail_status(op, status, device);
}

// t where the host can read it: itself, or a contiguous copy of what is on a GPU once that is computed.
Tensor on_host(const Tensor& t);
template <class T>
T first_element(const Tensor& t) {
  return *on_host(t).template data_as<T>();
}

inline int64_t bytes_of(const Tensor& t) { return t.numel() * static_cast<int64_t>(item_size(t.dtype())); }

inline void check_same_device(const char* op, const Tensor& a, const Tensor& b) {
  check<DeviceError>(a.device() == b.device(), op, ": tensors on different devices: ", a.device(), " and ", b.device());
}

// The common dtype of operands as PyTorch has it: tensors with dimensions decide within a kind (bool, integer,
// floating), then 0-dim tensors, then Python numbers.
DType result_type(const Operand& a, const Operand& b);

// The kernels behind elementwise ops, for families that compose their gradients from them: no recording, no promotion;
// operands have one dtype and broadcast to out. kernel tables are indexed by dtype.
void run_elementwise(const char* op, fd_elementwise_fn* const* table, const Tensor& out, const Operand* operands,
                     int count, const double* param = nullptr);

// g summed over the dimensions that broadcasting added or stretched, so that it has `shape` again.
Tensor sum_to(const Tensor& g, const Shape& shape);

// GradError for a fused op asked to record its own backward.
inline void no_second_derivative(const char* op) {
  check<GradError>(!grad_enabled(), op,
                   ": its fused backward has no second derivative; call backward without "
                   "create_graph, or compose the op from elementary ones");
}

}  // namespace fd::ops
