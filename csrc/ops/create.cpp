// New tensors.
#include <cmath>

#include "ops/ops.h"
#include "ops/remote.h"

namespace fd::ops {

namespace {

void fill_memory(const Tensor& t, Scalar value) {
  const Operand operand[] = {value};
  run_elementwise("fill", kernels(t.device()).elementwise.cast[index(t.dtype())], t, operand, 1);
}

int64_t steps_between(const char* op, double start, double end, double step) {
  check<ValueError>(step != 0 && std::isfinite(step), op, ": step must be finite and not zero, got ", step);
  check<ValueError>(std::isfinite(start) && std::isfinite(end), op, ": bounds must be finite");
  check<ValueError>((end - start) / step >= 0, op, ": a step of ", step, " does not lead from ", start, " to ", end);
  return static_cast<int64_t>(std::ceil((end - start) / step));
}

// start + (first + i) step for i < n: float64 or int64, as start and step are.
template <class V>
Tensor ramp(int64_t n, V start, V step, int64_t first, Device device) {
  constexpr DType dtype = std::is_same_v<V, double> ? DType::float64 : DType::int64;
  if (device.kind == DeviceKind::cuda) return ramp_there(n, start, step, first, dtype, device);
  Tensor out = empty({n}, dtype);
  for (int64_t i = 0; i < n; i++) out.data_as<V>()[i] = start + static_cast<V>(first + i) * step;
  return out;
}

}  // namespace

Tensor full(const Shape& shape, Scalar value, DType dtype, Device device) {
  Tensor out = empty(shape, dtype, device);
  fill_memory(out, value);
  return out;
}

Tensor scalar_tensor(Scalar value, DType dtype, Device device) { return full({}, value, dtype, device); }

Tensor arange(Scalar start, Scalar end, Scalar step, DType dtype, Device device) {
  const bool floating =
      start.kind == ScalarKind::floating || end.kind == ScalarKind::floating || step.kind == ScalarKind::floating;
  const int64_t n = steps_between("arange", start.to_double(), end.to_double(), step.to_double());
  if (floating || is_floating(dtype)) return to(ramp(n, start.to_double(), step.to_double(), 0, device), dtype);
  return to(ramp(n, start.to_int(), step.to_int(), 0, device), dtype);
}

Tensor linspace(double start, double end, int64_t steps, DType dtype, Device device) {
  check<ValueError>(steps >= 0, "linspace: steps must not be negative, got ", steps);
  const double step = steps > 1 ? (end - start) / static_cast<double>(steps - 1) : 0;
  // From both ends, so that the last value is exactly end.
  const int64_t half = steps == 1 ? 1 : steps / 2;
  const Tensor lower = ramp(half, start, step, 0, device),
               upper = ramp(steps - half, end, step, half + 1 - steps, device);
  return to(cat({lower, upper}, 0), dtype);
}

Tensor eye(int64_t rows, int64_t cols, DType dtype, Device device) {
  check<ValueError>(rows >= 0 && cols >= 0, "eye: negative size (", rows, ", ", cols, ")");
  Tensor out = zeros({rows, cols}, dtype, device);
  fill_memory(diagonal(out, 0, 0, 1), 1);
  return out;
}

Tensor empty_strided(const Shape& shape, const Dims& strides, DType dtype, Device device) {
  int64_t span = 1;
  for (int i = 0; i < shape.size(); i++) {
    check<ValueError>(strides[i] >= 0, "empty_strided: negative stride ", strides[i]);
    span += std::max<int64_t>(shape[i] - 1, 0) * strides[i];
  }
  Ref<Storage> storage = Storage::allocate(static_cast<size_t>(span) * item_size(dtype), device);
  char* data = storage->data;
  return TensorImpl::create(std::move(storage), data, dtype, shape, strides);
}

}  // namespace fd::ops
