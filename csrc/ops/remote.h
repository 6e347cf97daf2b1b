// Doing on a GPU what the host does for itself (kernels/remote.h), so that nothing waits for the device.
#pragma once

#include "kernels/remote.h"
#include "ops/common.h"

namespace fd::cuda {
const fd_remote_kernels& remote(Device device);  // DeviceError if there is no such GPU
}

namespace fd::ops {

inline bool on_gpu(const Tensor& t) { return t.device().kind == DeviceKind::cuda; }

// Checks of a tensor on a GPU, reported at the next wait. Any dtype but half.
void report_outside(const char* op, const Tensor& t, Scalar low, Scalar high);  // ValueError; NaN passes
void report_unless_weights(const char* op, const Tensor& t);                    // not negative, infinite or NaN
void report_zeros(const char* op, const Tensor& t);
void report_bad_index(const char* op, const Tensor& positions, int64_t size);  // IndexError unless in [0, size)

// start + (first + i) step for i < n, of int64 or float64.
Tensor ramp_there(int64_t n, Scalar start, Scalar step, int64_t first, DType dtype, Device device);

// ops::searchsorted of one dtype, int64 or float64; one line of sorted values, or as many as values has.
Tensor places_there(const Tensor& sorted, const Tensor& values, bool right);

}  // namespace fd::ops
