#include "ops/remote.h"

#include <limits>

#include "ops/ops.h"

namespace fd::ops {

namespace {

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min(), kMost = std::numeric_limits<int64_t>::max();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Tensor readable(const Tensor& t) { return contiguous(is_half(t.dtype()) ? to(detach(t), DType::float32) : detach(t)); }

fd_check anything(const Tensor& t) {
  fd_check c = {};
  c.n = t.numel();
  c.in = t.data();
  if (is_floating(t.dtype()))
    c.low.f = -kInfinity, c.high.f = kInfinity;
  else
    c.low.i = kLeast, c.high.i = kMost;
  c.fault = FD_BAD_VALUE;
  return c;
}

void run_check(const char* op, const Tensor& t, const fd_check& c) {
  run(op, find(cuda::remote(t.device()).check[index(t.dtype())], op, t.dtype(), t.device()), c, t.device(), 0);
}

}  // namespace

void report_outside(const char* op, const Tensor& t, Scalar low, Scalar high) {
  const Tensor in = readable(t);
  fd_check c = anything(in);
  c.low = low.as(in.dtype());
  c.high = high.as(in.dtype());
  run_check(op, in, c);
}

void report_unless_weights(const char* op, const Tensor& t) {
  const Tensor in = readable(t);
  fd_check c = anything(in);
  c.low.f = 0;
  c.high.f = std::numeric_limits<double>::max();
  c.nan_fails = 1;
  run_check(op, in, c);
}

void report_zeros(const char* op, const Tensor& t) {
  const Tensor in = readable(t);
  fd_check c = anything(in);
  c.zero_fails = 1;
  run_check(op, in, c);
}

void report_bad_index(const char* op, const Tensor& positions, int64_t size) {
  fd_check c = anything(positions);
  c.low.i = 0;
  c.high.i = size - 1;
  c.fault = FD_OUT_OF_RANGE;
  run_check(op, positions, c);
}

Tensor ramp_there(int64_t n, Scalar start, Scalar step, int64_t first, DType dtype, Device device) {
  const Tensor out = empty({n}, dtype, device);
  const fd_arange args = {n, first, out.data(), start.as(dtype), step.as(dtype)};
  run("arange", find(cuda::remote(device).arange[index(dtype)], "arange", dtype, device), args, device, 0);
  return out;
}

Tensor places_there(const Tensor& sorted, const Tensor& values, bool right) {
  const Device device = values.device();
  const DType d = values.dtype();
  const Tensor out = empty(values.shape(), DType::int64, device);
  const int64_t n = sorted.size(sorted.dim() - 1);
  const int64_t each = sorted.dim() == 1 ? values.numel() : values.size(values.dim() - 1);
  const int64_t lines = sorted.dim() == 1 ? 1 : each ? values.numel() / each : 0;
  const fd_search args = {lines, n, each, sorted.data(), values.data(), out.data_as<int64_t>(), right, 0};
  run("searchsorted", find(cuda::remote(device).search[index(d)], "searchsorted", d, device), args, device, 0);
  return out;
}

}  // namespace fd::ops
