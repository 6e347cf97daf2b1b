// Mistakes that the emulator must notice, one to a kernel, and a control without any. Each run answers whether its
// result was right and no error was reported; a sanitizer ends the process by itself. faults.sh says which must notice
// what.
#include <cstdio>
#include <cstring>
#include <vector>

#include "kernels/cuda/fd/hopper.h"

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

// ------------------------------------------------------------------------------------ asynchronous copies
//
// A pipeline of kStages steps, each a row of kThreads numbers, of which every thread reads its neighbour's.

constexpr int kStages = 3;

template <bool Wait, bool Barrier, int Ahead>
__global__ void pipeline(const float* in, float* out, int n) {
  FD_SHARED(float, stage, [kStages][kThreads]);
  const int me = int(threadIdx.x);
  const auto fetch = [&](int step) {
    if (step < n) fd::copy_async<4>(&stage[step % kStages][me], in + (me + step) % kThreads);
    fd::copy_commit();
  };
  for (int step = 0; step < Ahead; step++) fetch(step);
  float sum = 0;
  for (int step = 0; step < n; step++) {
    if (Wait) fd::copy_wait<Ahead - 1>();
    if (Barrier) __syncthreads();
    fetch(step + Ahead);
    sum += stage[step % kStages][(me + 1) % kThreads];
  }
  out[me] = sum;
}
float sum_of_steps(int me, int n);

// The second half of a copy is zeros; one that begins in the middle of a pack is not aligned.
__global__ void zeroed_tail(const float* in, float* out, int n) {
  FD_SHARED(float, all, [kThreads]);
  const int me = int(threadIdx.x);
  if (me % 4 == 0) fd::copy_async<16>(&all[me], in + me + n, 8);
  fd::copy_commit();
  fd::copy_wait<0>();
  __syncthreads();
  out[me] = all[me];
}

// ------------------------------------------------------------------------------------ matrices of a warp
//
// The product of a 16 x 16 matrix of small whole numbers, rows 32 bytes apart, with the identity.

__device__ uint32_t identity_word(int k, int column) {  // elements (k, column), (k + 1, column)
  return k == column ? 0x3f80u : k + 1 == column ? 0x3f80u << 16 : 0u;
}

template <int RowBytes, int FirstRow>
__global__ void matrices(const float* in, float* out, int) {
  FD_SHARED(fd::gpu::BFloat16, all, [16 * 16]);
  const int me = int(threadIdx.x), lane = me % 32, g = lane / 4, t = lane % 4;
  for (int i = me; i < 256; i += kThreads) all[i] = fd::gpu::to_bfloat16(in[(i / 16 + i % 16) % kThreads]);
  __syncthreads();
  uint32_t a[4];
  const char* const row = reinterpret_cast<const char*>(&all[0]) + (lane % 16 + FirstRow) * RowBytes + lane / 16 * 16;
  fd::load_matrices(a, row);
  float d[4] = {};
  fd::multiply_add<fd::gpu::BFloat16>(d, a, identity_word(2 * t, g), identity_word(2 * t + 8, g));
  if (me < 32) {
    out[2 * lane] = d[0];
    out[2 * lane + 1] = d[1];
  }
}
float matrix_element(int me, int) { return float(me / 8 + me % 8); }

__global__ void matrices_in_branch(const float* in, float* out, int n) {
  FD_SHARED(fd::gpu::BFloat16, all, [16 * 16]);
  const int me = int(threadIdx.x);
  for (int i = me; i < 256; i += kThreads) all[i] = fd::gpu::to_bfloat16(in[i % kThreads]);
  __syncthreads();
  uint32_t a[4] = {};
  if (me < n) fd::load_matrices(a, &all[me % 16 * 16]);
  out[me] = float(a[0]);
}

// ------------------------------------------------------------------------------------ boxes, barriers, groups
//
// A group of four warps multiplies boxes of 64 x 64 ones by each other, n steps of them, as another thread copies them.

enum Slip { kNone, kNoFullWait, kNoEmptyWait, kEarlyLeave, kNoGroupWait, kWrongBytes, kNoInit };

template <Slip S>
__global__ void boxes(const float*, float* out, int n, const fd::TensorMap map) {
  struct Stage {
    alignas(1024) char a[64 * 128];
    alignas(1024) char b[128 * 128];
  };
  FD_DYNAMIC_SHARED(Stage, stage);
  FD_SHARED(uint64_t, full, [2]);
  FD_SHARED(uint64_t, empty, [2]);
  const int me = int(threadIdx.x), lane = me % 32;
  if (me == 0 && S != kNoInit) {
    for (int s = 0; s < 2; s++) {
      fd::barrier_init(&full[s], 1);
      fd::barrier_init(&empty[s], 4);
    }
    fd::barrier_init_done();
  }
  __syncthreads();
  if (me >= 128) {
    if (me != 128) return;
    for (int i = 0; i < n; i++) {
      const int s = i % 2, parity = i / 2 % 2;
      if (S != kNoEmptyWait) fd::barrier_wait(&empty[s], parity ^ 1);
      fd::barrier_arrive_expecting(&full[s], (64 + (S == kWrongBytes ? 0 : 128)) * 128);
      fd::box_load(stage[s].a, &map, &full[s], 0, 0, 0);
      fd::box_load(stage[s].b, &map, &full[s], 0, 64, 0);
      fd::box_load(stage[s].b + 64 * 128, &map, &full[s], 0, 128, 0);
    }
    return;
  }
  float d[64];
  for (int i = 0; i < n; i++) {
    const int s = i % 2, parity = i / 2 % 2;
    if (S != kNoFullWait) fd::barrier_wait(&full[s], parity);
    fd::group_fence();
    for (int k = 0; k < 64; k += 16)
      fd::group_multiply<fd::gpu::BFloat16, false, false>(d, fd::shared_matrix(stage[s].a + k * 2, 0),
                                                          fd::shared_matrix(stage[s].b + k * 2, 0), i > 0 || k > 0);
    fd::group_commit();
    if (S == kEarlyLeave && lane == 0) fd::barrier_arrive(&empty[s]);
    if (S != kNoGroupWait) fd::group_wait<0>();
    if (S != kEarlyLeave && lane == 0) fd::barrier_arrive(&empty[s]);
  }
  if (me < kThreads) out[me] = d[me % 64];
}

bool run_boxes(void (*kernel)(const float*, float*, int, fd::TensorMap)) {
  constexpr int kSteps = 5, kRows = 192;
  cudaStream_t stream = nullptr;
  void *in = nullptr, *out = nullptr;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  cudaMalloc(&in, kRows * 128);
  cudaMalloc(&out, kThreads * sizeof(float));
  const std::vector<uint16_t> ones(kRows * 64, 0x3f80);
  std::vector<float> result(kThreads);
  fd::TensorMap map;
  if (!fd::describe(&map, in, kRows, 64, 64, 1, 0, 64)) return false;
  cudaMemcpyAsync(in, ones.data(), kRows * 128, cudaMemcpyHostToDevice, stream);
  fd::launch(kernel, dim3(1), dim3(160), 2 * (64 + 128) * 128, stream, nullptr, static_cast<float*>(out), kSteps, map);
  cudaMemcpyAsync(result.data(), out, kThreads * sizeof(float), cudaMemcpyDeviceToHost, stream);
  bool right = cudaStreamSynchronize(stream) == cudaSuccess;
  for (float x : result) right &= x == kSteps * 64.0f;
  return right;
}

struct BoxFault {
  const char* name;
  void (*kernel)(const float*, float*, int, fd::TensorMap);
};
const BoxFault kBoxFaults[] = {
    {"boxes", boxes<kNone>},
    {"missing_full_wait", boxes<kNoFullWait>},
    {"missing_empty_wait", boxes<kNoEmptyWait>},
    {"stage_left_early", boxes<kEarlyLeave>},
    {"missing_group_wait", boxes<kNoGroupWait>},
    {"wrong_byte_count", boxes<kWrongBytes>},
    {"barrier_without_init", boxes<kNoInit>},
};

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

float sum_of_steps(int me, int n) {
  float sum = 0;
  for (int i = 0; i < n; i++) sum += value(me + 1 + i);
  return sum;
}

const Fault kFaults[] = {
    {"correct", correct, 5, 1, sum_of_all},
    {"pipeline", pipeline<true, true, 2>, 9, 1, sum_of_steps},
    {"missing_copy_wait", pipeline<false, true, 2>, 9, 1, sum_of_steps},
    {"missing_copy_barrier", pipeline<true, false, 2>, 9, 1, sum_of_steps},
    {"early_copy", pipeline<true, true, 3>, 9, 1, sum_of_steps},
    {"zeroed_tail", zeroed_tail, 0, 1, [](int me, int) { return me % 4 < 2 ? value(me) : 0; }},
    {"misaligned_copy", zeroed_tail, 2, 1, [](int me, int) { return me % 4 < 2 ? value(me + 2) : 0; }},
    {"matrices", matrices<32, 0>, 0, 1, matrix_element},
    {"matrix_out_of_bounds", matrices<32, 1>, 0, 1, matrix_element},
    {"misaligned_matrix", matrices<40, 0>, 0, 1, matrix_element},
    {"matrices_in_branch", matrices_in_branch, 16, 1, [](int, int) { return 0.0f; }},
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
  for (const BoxFault& f : kBoxFaults)
    if (count == 2 && std::strcmp(f.name, arguments[1]) == 0) return run_boxes(f.kernel) ? 0 : 1;
  std::fprintf(stderr, "usage: faults NAME\n");
  return 2;
}
