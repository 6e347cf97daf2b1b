// Strided index spaces: where the i-th element of each operand lies.
#pragma once

#include "kernels/cuda/launch.h"

namespace fd::gpu {

// Division by a number known before launch: a multiplication and a shift (Granlund, Montgomery: "Division by invariant
// integers using multiplication", PLDI 1994). For dividends below 2^31, or 2^63.
struct Divider {
  uint64_t wide_multiplier;
  uint32_t multiplier, shift;

  Divider() = default;
  explicit Divider(uint64_t d) : wide_multiplier(0), multiplier(0), shift(0) {
    while ((uint64_t(1) << shift) < d) shift++;
    const uint64_t rest = (uint64_t(1) << shift) - d;
    wide_multiplier = uint64_t((static_cast<unsigned __int128>(rest) << 64) / d + 1);
    if (shift < 32) multiplier = uint32_t((rest << 32) / d + 1);
  }
  __device__ uint32_t narrow(uint32_t n) const { return (__umulhi(n, multiplier) + n) >> shift; }
  __device__ uint64_t wide(uint64_t n) const { return (__umul64hi(n, wide_multiplier) + n) >> shift; }
};

// K operands over one space of up to FD_MAX_DIMS dimensions.
template <int K>
struct Space {
  int32_t ndim;
  int32_t wide;  // positions need 64 bits
  int64_t count;
  int64_t size[FD_MAX_DIMS];
  Divider divide[FD_MAX_DIMS];
  int64_t stride[K][FD_MAX_DIMS];

  void set(int32_t dims, const int64_t* sizes, const int64_t* const (&strides)[K]) {
    ndim = dims;
    count = 1;
    for (int d = 0; d < dims; d++) {
      size[d] = sizes[d];
      count *= sizes[d];
      for (int k = 0; k < K; k++) stride[k][d] = strides[k] ? strides[k][d] : 0;
    }
    wide = count >= int64_t(1) << 31;
    if (count > 0)
      for (int d = 0; d < dims; d++) divide[d] = Divider(uint64_t(sizes[d]));
  }

  __device__ void locate(int64_t position, int64_t (&offset)[K]) const {
    for (int k = 0; k < K; k++) offset[k] = 0;
    if (ndim == 0) return;
    for (int d = ndim - 1; d > 0; d--) {
      const int64_t q = wide ? int64_t(divide[d].wide(uint64_t(position))) : divide[d].narrow(uint32_t(position));
      const int64_t rest = position - q * size[d];
      for (int k = 0; k < K; k++) offset[k] += rest * stride[k][d];
      position = q;
    }
    for (int k = 0; k < K; k++) offset[k] += position * stride[k][0];
  }

  __device__ int64_t locate(int64_t position) const {
    static_assert(K == 1);
    int64_t offset[1];
    locate(position, offset);
    return offset[0];
  }
};

}  // namespace fd::gpu
