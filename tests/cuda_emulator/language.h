// CUDA C++ as a plain C++20 compiler sees it: qualifiers, built-in variables, collectives, atomics and intrinsics, for
// kernels that include nothing but fd/cuda.h. Barriers and collectives know where in the source they stand, so threads
// that meet at different ones are reported instead of tolerated.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <tuple>
#include <type_traits>

#include "block.h"
#include "runtime.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define __restrict__ __restrict

#define threadIdx (fd::emulator::current->index)
#define blockIdx (fd::emulator::block_index)
#define blockDim (fd::emulator::block_size)
#define gridDim (fd::emulator::grid_size)

struct alignas(16) float4 {
  float x, y, z, w;
};
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

// Each use in the source is one array a block, found again by the address of its key.
#define FD_SHARED(T, name, dims)                                                       \
  auto& name = *[]() -> std::remove_reference_t<T dims>* {                             \
    using Array = T dims;                                                              \
    static const char key = 0;                                                         \
    return static_cast<Array*>(fd::emulator::shared_memory(&key, sizeof(Array), 128)); \
  }()
#define FD_DYNAMIC_SHARED(T, name) T* name = static_cast<T*>(fd::emulator::dynamic_shared_memory())

#define FD_HERE fd::emulator::Place place = {__builtin_FILE(), __builtin_LINE()}

inline void __syncthreads(FD_HERE) { fd::emulator::barrier(0, fd::emulator::Vote::none, place); }
inline int __syncthreads_or(int p, FD_HERE) { return fd::emulator::barrier(p != 0, fd::emulator::Vote::any, place); }
inline int __syncthreads_and(int p, FD_HERE) { return fd::emulator::barrier(p != 0, fd::emulator::Vote::all, place); }
inline int __syncthreads_count(int p, FD_HERE) {
  return fd::emulator::barrier(p != 0, fd::emulator::Vote::count, place);
}
inline void __syncwarp(unsigned mask = 0xffffffffu, FD_HERE) {
  fd::emulator::warp(fd::emulator::WarpOp::sync, mask, 0, 0, place);
}

namespace fd::emulator {
template <class T>
T shuffle(unsigned mask, T value, int source, Place place) {
  static_assert(sizeof(T) <= 8);
  uint64_t in = 0;
  std::memcpy(&in, &value, sizeof(T));
  const uint64_t out = warp(WarpOp::shuffle, mask, in, source, place);
  std::memcpy(&value, &out, sizeof(T));
  return value;
}
inline int lane() { return int(current->lane); }
}  // namespace fd::emulator

template <class T>
T __shfl_sync(unsigned mask, T v, int source, int width = 32, FD_HERE) {
  const int base = fd::emulator::lane() & ~(width - 1);
  return fd::emulator::shuffle(mask, v, base + (source & (width - 1)), place);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T v, int flip, int width = 32, FD_HERE) {
  const int lane = fd::emulator::lane(), end = (lane & ~(width - 1)) + width;
  return fd::emulator::shuffle(mask, v, (lane ^ flip) < end ? lane ^ flip : lane, place);
}
template <class T>
T __shfl_down_sync(unsigned mask, T v, int by, int width = 32, FD_HERE) {
  const int lane = fd::emulator::lane(), end = (lane & ~(width - 1)) + width;
  return fd::emulator::shuffle(mask, v, lane + by < end ? lane + by : lane, place);
}
template <class T>
T __shfl_up_sync(unsigned mask, T v, int by, int width = 32, FD_HERE) {
  const int lane = fd::emulator::lane(), base = lane & ~(width - 1);
  return fd::emulator::shuffle(mask, v, lane - by >= base ? lane - by : lane, place);
}
inline unsigned __ballot_sync(unsigned mask, int p, FD_HERE) {
  return unsigned(fd::emulator::warp(fd::emulator::WarpOp::ballot, mask, p != 0, 0, place));
}
inline int __any_sync(unsigned mask, int p, FD_HERE) { return __ballot_sync(mask, p, place) != 0; }
inline int __all_sync(unsigned mask, int p, FD_HERE) { return __ballot_sync(mask, p, place) == mask; }
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

// Relaxed, as on the device.
template <class T, class F>
T fd_read_modify_write(T* p, F change) {
  using Bits = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
  auto* const place = reinterpret_cast<Bits*>(p);
  Bits old = __atomic_load_n(place, __ATOMIC_RELAXED), next;
  T before;
  do {
    std::memcpy(&before, &old, sizeof(T));
    const T after = change(before);
    std::memcpy(&next, &after, sizeof(T));
  } while (!__atomic_compare_exchange_n(place, &old, next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return before;
}
template <class T>
T atomicAdd(T* p, std::type_identity_t<T> v) {
  return fd_read_modify_write(p, [=](T old) { return T(old + v); });
}
template <class T>
T atomicCAS(T* p, std::type_identity_t<T> expected, std::type_identity_t<T> v) {
  return fd_read_modify_write(p, [=](T old) { return old == expected ? v : old; });
}

inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned(uint64_t(a) * b >> 32); }
inline uint64_t __umul64hi(uint64_t a, uint64_t b) { return uint64_t(static_cast<unsigned __int128>(a) * b >> 64); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __clz(int x) { return x ? __builtin_clz(unsigned(x)) : 32; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }
inline float __expf(float x) { return std::exp(x); }
inline double normcdf(double x) { return 0.5 * std::erfc(-x * 0.70710678118654752440); }
inline float normcdff(float x) { return 0.5f * std::erfc(-x * 0.70710678118654752440f); }
template <class T>
T __ldg(const T* p) {
  return *p;
}

namespace fd {

template <class... P, class... A>
cudaError_t launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, cudaStream_t stream, A&&... args) {
  return emulator::enqueue(stream, [=, arguments = std::tuple<P...>(std::forward<A>(args)...)] {
    return emulator::run_grid(grid, block, shared, [&] { std::apply(kernel, arguments); });
  });
}

}  // namespace fd
