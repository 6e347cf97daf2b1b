// New tensors.
#include <cmath>

#include "ops/ops.h"

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

// Builds a tensor of any dtype from a formula, through float64 or int64.
template <class F>
Tensor generate(int64_t n, DType dtype, Device device, F value) {
  using V = decltype(value(int64_t(0)));
  Tensor out = empty({n}, std::is_same_v<V, double> ? DType::float64 : DType::int64);
  for (int64_t i = 0; i < n; i++) out.data_as<V>()[i] = value(i);
  return to_device(to(out, dtype), device);
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
  if (floating || is_floating(dtype))
    return generate(n, dtype, device,
                    [&](int64_t i) { return start.to_double() + static_cast<double>(i) * step.to_double(); });
  return generate(n, dtype, device, [&](int64_t i) { return start.to_int() + i * step.to_int(); });
}

Tensor linspace(double start, double end, int64_t steps, DType dtype, Device device) {
  check<ValueError>(steps >= 0, "linspace: steps must not be negative, got ", steps);
  const double step = steps > 1 ? (end - start) / static_cast<double>(steps - 1) : 0;
  // From both ends, so that the last value is exactly end.
  return generate(steps, dtype, device, [&](int64_t i) {
    return i < steps / 2 || steps == 1 ? start + step * static_cast<double>(i)
                                       : end - step * static_cast<double>(steps - 1 - i);
  });
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
