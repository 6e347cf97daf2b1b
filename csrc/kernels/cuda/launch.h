// What every launcher does: cut work into blocks, start a kernel on the context's stream, report a bad index.
#pragma once

#include "kernels/cuda/element.h"

namespace fd::gpu {

constexpr int kThreads = 256;

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Remembers the error for fd_plugin::last_error.
fd_status started(cudaError_t error);

// Starts kernel unless there is nothing to do.
template <class... P, class... A>
fd_status start(fd_context* context, void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, A&&... args) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return FD_OK;
  return started(launch(kernel, grid, block, shared, static_cast<cudaStream_t>(context->stream), args...));
}

// Lets a kernel have more dynamic shared memory than every device grants unasked (48 KB).
template <class... P>
fd_status allow_shared(void (*kernel)(P...), size_t bytes) {
  return started(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(bytes)));
}

// One thread for each of n elements, or for each group of them; empty for n = 0.
inline dim3 blocks_for(int64_t n, int64_t per_block = kThreads) { return dim3(unsigned(ceil_div(n, per_block))); }

__device__ inline int64_t global_thread() { return int64_t(blockIdx.x) * blockDim.x + threadIdx.x; }

// The first fault since the host last looked stays.
struct FaultReport {
  fd_fault* fault;
  int32_t op;
  int32_t code = FD_OUT_OF_RANGE;
  __device__ void operator()(int64_t position, int64_t value) const {
    if (atomicCAS(&fault->code, int32_t(FD_OK), code) != FD_OK) return;
    fault->op = op;
    fault->position = position;
    fault->value = value;
  }
};
inline FaultReport fault_report(const fd_context* context) { return {context->fault, context->op}; }

template <class T>
T* workspace(fd_context* context, int64_t count) {
  return static_cast<T*>(context->workspace(context, 0, size_t(count) * sizeof(T)));
}

}  // namespace fd::gpu
