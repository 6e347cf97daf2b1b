// Ceilings of this instruction set: as many independent chains of multiply-adds as hide their latency, and a copy that
// streams past the caches.
#include "kernels/probe.h"

#include "kernels/cpu/simd.h"

namespace fd::FD_ISA {

namespace {

constexpr int kChains = 12;  // latency 4 times 2 a cycle is 8; more does no harm
constexpr int kSteps = 16;

float multiply_add(int64_t rounds) {
  using V = Vec<float>;
  V sum[kChains];
#pragma GCC unroll 16  // or -O2 would keep the sums in memory
  for (int c = 0; c < kChains; c++) sum[c] = V(float(c));
  const V a = V(0.999f), b = V(0.001f);
  for (int64_t r = 0; r < rounds; r++)
    for (int s = 0; s < kSteps; s++)
#pragma GCC unroll 16
      for (int c = 0; c < kChains; c++) sum[c] = fma(sum[c], a, b);
  V total = sum[0];
#pragma GCC unroll 16
  for (int c = 1; c < kChains; c++) total = total + sum[c];
  return hsum(total);
}

void copy(void* to, const void* from, size_t bytes) {
  using V = Vec<float>;
  constexpr size_t lanes = sizeof(V) / sizeof(float);
  auto* out = static_cast<float*>(to);
  const auto* in = static_cast<const float*>(from);
  for (size_t i = 0; i < bytes / sizeof(float); i += lanes) V::load(in + i).stream(out + i);
  stream_fence();
}

}  // namespace

extern const Probe probe;
const Probe probe = {multiply_add, int64_t(2) * kChains * kSteps * int64_t(sizeof(Vec<float>) / sizeof(float)), copy};

}  // namespace fd::FD_ISA
