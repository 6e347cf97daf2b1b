// The plug-in's one exported function, and the device's runtime behind it (plugin.h).
#include "kernels/plugin.h"

#include <cstdio>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {

namespace {

thread_local cudaError_t launch_error = cudaSuccess;

cudaError_t no_device_reason = cudaSuccess;

cudaStream_t stream_of(void* stream) { return static_cast<cudaStream_t>(stream); }
cudaEvent_t event_of(void* event) { return static_cast<cudaEvent_t>(event); }

int32_t device_count() {
  int count = 0;
  no_device_reason = cudaGetDeviceCount(&count);
  if (no_device_reason == cudaSuccess) return count;
  cudaGetLastError();
  return 0;
}

const char* unavailable() {
  return no_device_reason == cudaSuccess ? "there is no GPU" : cudaGetErrorString(no_device_reason);
}

int32_t last_error() {
  const cudaError_t error = launch_error;
  launch_error = cudaSuccess;
  return error;
}

const char* error_text(int32_t code) { return cudaGetErrorString(static_cast<cudaError_t>(code)); }

int32_t device_name(int32_t device, char* text, size_t room) {
  cudaDeviceProp properties;
  const cudaError_t error = cudaGetDeviceProperties(&properties, device);
  if (error == cudaSuccess) std::snprintf(text, room, "%s", properties.name);
  return error;
}

int32_t memory(int32_t device, int64_t* free, int64_t* total) {
  size_t f = 0, t = 0;
  cudaError_t error = cudaSetDevice(device);
  if (error == cudaSuccess) error = cudaMemGetInfo(&f, &t);
  *free = int64_t(f);
  *total = int64_t(t);
  return error;
}

int32_t use(int32_t device) { return cudaSetDevice(device); }

int32_t stream_create(void** stream) {
  cudaStream_t made = nullptr;
  const cudaError_t error = cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking);
  *stream = made;
  return error;
}
int32_t synchronize(void* stream) { return cudaStreamSynchronize(stream_of(stream)); }

int32_t allocate(size_t bytes, void** out) {
  const cudaError_t error = cudaMalloc(out, bytes);
  if (error != cudaSuccess) cudaGetLastError();  // out of memory is no lasting fault
  return error;
}
int32_t release(void* data) { return cudaFree(data); }

int32_t copy(void* to, const void* from, size_t bytes, int32_t kind, void* stream) {
  const cudaMemcpyKind kinds[] = {cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice};
  return cudaMemcpyAsync(to, from, bytes, kinds[kind - 1], stream_of(stream));
}
int32_t host_allocate(size_t bytes, void** out) {
  const cudaError_t error = cudaMallocHost(out, bytes);
  if (error != cudaSuccess) cudaGetLastError();
  return error;
}
int32_t host_release(void* data) { return cudaFreeHost(data); }
int32_t location(const void* data) {
  cudaPointerAttributes attributes;
  if (cudaPointerGetAttributes(&attributes, data) != cudaSuccess) {
    cudaGetLastError();
    return FD_PAGEABLE;
  }
  if (attributes.type == cudaMemoryTypeUnregistered) return FD_PAGEABLE;
  return attributes.type == cudaMemoryTypeHost ? int32_t(FD_PAGE_LOCKED) : attributes.device;
}
int32_t clear(void* data, size_t bytes, void* stream) { return cudaMemsetAsync(data, 0, bytes, stream_of(stream)); }

int32_t capture_begin(void* stream) { return cudaStreamBeginCapture(stream_of(stream), cudaStreamCaptureModeRelaxed); }
int32_t capture_end(void* stream, void** graph) {
  cudaGraph_t recorded = nullptr;
  cudaGraphExec_t ready = nullptr;
  cudaError_t error = cudaStreamEndCapture(stream_of(stream), &recorded);
  if (error == cudaSuccess) error = cudaGraphInstantiate(&ready, recorded, 0);
  if (recorded) cudaGraphDestroy(recorded);
  if (error != cudaSuccess) cudaGetLastError();  // a capture that failed is no lasting fault
  *graph = ready;
  return error;
}
int32_t graph_launch(void* graph, void* stream) {
  return cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), stream_of(stream));
}
int32_t graph_destroy(void* graph) { return cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)); }

int32_t event_create(void** event) {
  cudaEvent_t made = nullptr;
  const cudaError_t error = cudaEventCreate(&made);
  *event = made;
  return error;
}
int32_t event_record(void* event, void* stream) { return cudaEventRecord(event_of(event), stream_of(stream)); }
int32_t event_wait(void* event) { return cudaEventSynchronize(event_of(event)); }
int32_t event_done(void* event) {
  const cudaError_t error = cudaEventQuery(event_of(event));
  if (error == cudaErrorNotReady) cudaGetLastError();
  return error == cudaSuccess ? 1 : error == cudaErrorNotReady ? 0 : -int32_t(error);
}
int32_t event_elapsed(void* from, void* to, float* milliseconds) {
  return cudaEventElapsedTime(milliseconds, event_of(from), event_of(to));
}
int32_t event_destroy(void* event) { return cudaEventDestroy(event_of(event)); }

const fd_kernels* table() {
  static const fd_kernels* const filled = [] {
    static fd_kernels t = {};
    t.abi = FD_ABI;
    t.bytes = sizeof(fd_kernels);
    fill_unary(&t);
    fill_binary(&t);
    fill_compare(&t);
    fill_cast(&t);
    fill_reduce(&t);
    fill_scan(&t);
    fill_gemm(&t);
    fill_gemm_mma(&t);
    fill_softmax(&t);
    fill_cross_entropy(&t);
    fill_loss(&t);
    fill_dropout(&t);
    fill_batch_norm(&t);
    fill_optim(&t);
    fill_index(&t);
    fill_index_write(&t);
    fill_sort(&t);
    fill_conv(&t);
    fill_pool(&t);
    return &t;
  }();
  return filled;
}

const fd_remote_kernels* remote() {
  static const fd_remote_kernels filled = [] {
    fd_remote_kernels t = {};
    fill_remote(&t);
    return t;
  }();
  return &filled;
}

#if defined(__CUDACC__)
constexpr const char* kName = "cuda";
#else
constexpr const char* kName = "cuda (emulated)";
#endif

}  // namespace

fd_status started(cudaError_t error) {
  if (error == cudaSuccess) return FD_OK;
  launch_error = error;
  cudaGetLastError();
  return FD_DEVICE_FAULT;
}

}  // namespace fd::gpu

extern "C" __attribute__((visibility("default"))) const fd_plugin* freedive_plugin() {
  using namespace fd::gpu;
  static const fd_plugin plugin = {
      FD_PLUGIN_ABI, sizeof(fd_plugin), kName,        table(),       remote(),     device_count,  unavailable,
      last_error,    error_text,        device_name,  memory,        use,          stream_create, synchronize,
      allocate,      release,           copy,         host_allocate, host_release, location,      clear,
      capture_begin, capture_end,       graph_launch, graph_destroy, event_create, event_record,  event_wait,
      event_done,    event_elapsed,     event_destroy};
  return &plugin;
}
