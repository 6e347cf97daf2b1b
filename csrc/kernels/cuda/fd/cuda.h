// The one header kernels include for CUDA itself. nvcc sees CUDA; any other C++20 compiler sees the emulator of
// tests/cuda_emulator, for which every name here has a twin. Kernels use FD_SHARED for __shared__, fd::launch for
// <<<>>>; inline assembly is in fd/ only.
#pragma once

#if defined(__CUDACC__)
#include <cuda.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#define FD_SHARED(T, name, dims) __shared__ __align__(128) T name dims
#define FD_DYNAMIC_SHARED(T, name)                                     \
  extern __shared__ __align__(1024) unsigned char fd_dynamic_shared[]; \
  T* name = reinterpret_cast<T*>(fd_dynamic_shared)

namespace fd {

template <class... P, class... A>
cudaError_t launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, cudaStream_t stream, A&&... args) {
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, P(args)...);
}

}  // namespace fd
#else
#include "language.h"
#endif
