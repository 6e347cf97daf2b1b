// The two ceilings a kernel is measured against: what the arithmetic units and what the memory of this machine can do.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fd {

// Loops that do nothing but reach a ceiling, one pair per instruction set.
struct Probe {
  // rounds * flops_per_round operations of independent float32 multiply-adds; the result keeps them from being dropped.
  float (*multiply_add)(int64_t rounds);
  int64_t flops_per_round;
  // Non-temporal copy; both aligned to 64 bytes, bytes a multiple of 64.
  void (*copy)(void* to, const void* from, size_t bytes);
};

// Operations per second of float32 multiply-adds on so many threads, for about so many seconds.
double fma_peak(double seconds, int threads);

// Bytes per second, read plus written, of non-temporal copies of this many bytes for about so many seconds.
double copy_bandwidth(size_t bytes, double seconds, int threads);

}  // namespace fd
