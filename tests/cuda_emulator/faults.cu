// Mistakes that the emulator must notice, one to a kernel, and a control without any. Each run answers whether its
// result was right and no error was reported; a sanitizer ends the process by itself. faults.sh says which must notice
// what.
#include <cstdio>
#include <cstring>
#include <vector>

#include "kernels/cuda/fd/cuda.h"

namespace {

constexpr int kThreads = 64;

// The control: a sum through shared memory, then a pipeline with two buffers, as they ought to be.
__global__ void correct(const float* in, float* out, int n) {
  FD_SHARED(float, part, [kThreads]);
  FD_SHARED(float, buffer, [2][kThreads]);
  const int me = int(threadIdx.x);
  part[me] = in[me];
  for (int half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (me < half) part[me] += part[me + half];
  }
  __syncthreads();
  float sum = part[0];
  for (int i = 0; i < n; i++) {
    buffer[i % 2][me] = in[me] + float(i);
    __syncthreads();
    sum += buffer[i % 2][(me + 1) % kThreads];
  }
  out[me] = sum;
}

__global__ void missing_barrier(const float* in, float* out, int) {
  FD_SHARED(float, part, [kThreads]);
  const int me = int(threadIdx.x);
  part[me] = in[me];
  out[me] = part[(me + 1) % kThreads];
}

// One buffer where the pipeline needs two: it is refilled while others still read.
__global__ void early_refill(const float* in, float* out, int n) {
  FD_SHARED(float, buffer, [kThreads]);
  const int me = int(threadIdx.x);
  float sum = 0;
  for (int i = 0; i < n; i++) {
    buffer[me] = in[me] + float(i);
    __syncthreads();
    sum += buffer[(me + 1) % kThreads];
  }
  out[me] = sum;
}

__global__ void shared_out_of_bounds(const float* in, float* out, int n) {
  FD_SHARED(float, part, [kThreads]);
  const int me = int(threadIdx.x);
  part[me] = in[me];
  __syncthreads();
  out[me] = part[me + n];
}

__global__ void global_out_of_bounds(const float* in, float* out, int n) {
  const int me = int(threadIdx.x);
  if (me <= n) out[me] = in[me % kThreads];
}

__global__ void divergent_barrier(const float* in, float* out, int n) {
  const int me = int(threadIdx.x);
  if (me < n)
    __syncthreads();
  else
    __syncthreads();
  out[me] = in[me];
}

__global__ void ended_thread(const float* in, float* out, int n) {
  const int me = int(threadIdx.x);
  if (me == n) return;
  __syncthreads();
  out[me] = in[me];
}

__global__ void shuffle_in_branch(const float* in, float* out, int n) {
  const int me = int(threadIdx.x);
  float x = in[me];
  if (me < n) x = __shfl_xor_sync(0xffffffffu, x, 1);
  out[me] = x;
}

__global__ void missing_warp_barrier(const float* in, float* out, int) {
  FD_SHARED(float, part, [kThreads]);
  const int me = int(threadIdx.x);
  part[me] = in[me];
  const float x = __shfl_xor_sync(0xffffffffu, 0.0f, 1);  // orders no memory
  out[me] = part[me ^ 1] + x;
}

__global__ void plain_addition(const float* in, float* out, int) {
  if (threadIdx.x == 0) out[0] += in[blockIdx.x];
}

__global__ void unwritten_shared(const float* in, float* out, int n) {
  FD_SHARED(float, part, [kThreads]);
  const int me = int(threadIdx.x);
  if (me < n) part[me] = in[me];
  __syncthreads();
  out[me] = part[me];
}

__global__ void misaligned(const float* in, float* out, int n) {
  const float4 four = *reinterpret_cast<const float4*>(in + n);
  out[threadIdx.x] = four.x;
}

struct Fault {
  const char* name;
  void (*kernel)(const float*, float*, int);
  int n;
  unsigned blocks;
  float (*expected)(int me, int n);
};

float value(int i) { return float(i % kThreads); }
float sum_of_all(int me, int n) {
  float sum = kThreads * (kThreads - 1) / 2;
  for (int i = 0; i < n; i++) sum += value(me + 1) + float(i);
  return sum;
}

const Fault kFaults[] = {
    {"correct", correct, 5, 1, sum_of_all},
    {"missing_barrier", missing_barrier, 0, 1, [](int me, int) { return value(me + 1); }},
    {"early_refill", early_refill, 5, 1, [](int me, int n) { return sum_of_all(me, n) - sum_of_all(me, 0); }},
    {"shared_out_of_bounds", shared_out_of_bounds, 1, 1, [](int me, int) { return value(me + 1); }},
    {"global_out_of_bounds", global_out_of_bounds, kThreads, 1, [](int me, int) { return value(me); }},
    {"divergent_barrier", divergent_barrier, 16, 1, [](int me, int) { return value(me); }},
    {"ended_thread", ended_thread, 3, 1, [](int me, int) { return value(me); }},
    {"shuffle_in_branch", shuffle_in_branch, 16, 1, [](int me, int) { return value(me); }},
    {"missing_warp_barrier", missing_warp_barrier, 0, 1, [](int me, int) { return value(me ^ 1); }},
    {"plain_addition", plain_addition, 0, 4, nullptr},
    {"unwritten_shared", unwritten_shared, kThreads / 2, 1, [](int me, int) { return value(me); }},
    {"misaligned", misaligned, 1, 1, [](int, int) { return value(1); }},
    {"early_read", correct, 5, 1, sum_of_all},
};

bool run(const Fault& f) {
  cudaStream_t stream = nullptr;
  float *in = nullptr, *out = nullptr;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  cudaMalloc(reinterpret_cast<void**>(&in), kThreads * sizeof(float));
  cudaMalloc(reinterpret_cast<void**>(&out), kThreads * sizeof(float));
  std::vector<float> host(kThreads), result(kThreads);
  for (int i = 0; i < kThreads; i++) host[size_t(i)] = value(i);
  cudaMemcpyAsync(in, host.data(), kThreads * sizeof(float), cudaMemcpyHostToDevice, stream);
  cudaMemsetAsync(out, 0, kThreads * sizeof(float), stream);
  const unsigned threads = unsigned(kThreads) + (f.kernel == global_out_of_bounds);
  fd::launch(f.kernel, dim3(f.blocks), dim3(threads), 0, stream, in, out, f.n);
  cudaMemcpyAsync(result.data(), out, kThreads * sizeof(float), cudaMemcpyDeviceToHost, stream);
  if (std::strcmp(f.name, "early_read") != 0 && cudaStreamSynchronize(stream) != cudaSuccess) return false;
  bool right = true;
  for (int i = 0; f.expected && i < kThreads; i++) right &= result[size_t(i)] == f.expected(i, f.n);
  cudaStreamSynchronize(stream);
  cudaFree(in);
  cudaFree(out);
  return right;
}

}  // namespace

int main(int count, char** arguments) {
  int devices = 0;
  cudaGetDeviceCount(&devices);
  for (const Fault& f : kFaults)
    if (count == 2 && std::strcmp(f.name, arguments[1]) == 0) return run(f) ? 0 : 1;
  std::fprintf(stderr, "usage: faults NAME\n");
  return 2;
}
