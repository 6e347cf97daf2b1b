#include "runtime.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace fd::emulator {

struct Recording {
  std::vector<std::function<int()>> work;
};

struct Stream {
  std::deque<std::function<int()>> work;
  Recording* recording = nullptr;
};

struct Event {
  std::shared_ptr<double> time = std::make_shared<double>(-1);  // milliseconds; negative: not reached
  Stream* stream = nullptr;
};

namespace {

constexpr size_t kTotal = size_t(2) << 30;
constexpr size_t kAlign = 512;

using Blocks = std::map<const char*, size_t>;  // sizes by first byte

bool holds(const Blocks& blocks, const void* data) {
  const auto* const at = static_cast<const char*>(data);
  const auto next = blocks.upper_bound(at);
  return next != blocks.begin() && at < std::prev(next)->first + std::prev(next)->second;
}

// Never destroyed: tensors may be freed while static objects are.
struct Device {
  std::recursive_mutex mutex;
  Blocks blocks, locked;  // the device's memory and page-locked host memory
  size_t used = 0;
  Stream* last = nullptr;  // the plug-in has one stream
  cudaError_t sticky = cudaSuccess;
};

Device& device() {
  static Device* const instance = new Device;
  return *instance;
}

void read_order() {
  const char* wanted = std::getenv("FREEDIVE_EMULATOR_ORDER");
  if (!wanted) return;
  if (std::strncmp(wanted, "reverse", 7) == 0) set_order(Order::reverse, 1);
  if (std::strncmp(wanted, "random", 6) == 0)
    set_order(Order::random, wanted[6] == ':' ? std::strtoull(wanted + 7, nullptr, 10) : 1);
}

// An error that happens while work runs stays, as on a device.
cudaError_t drain(Stream& s) {
  while (!s.work.empty()) {
    const std::function<int()> work = std::move(s.work.front());
    s.work.pop_front();
    if (device().sticky != cudaSuccess) continue;
    if (const int code = work()) device().sticky = cudaError_t(code);
  }
  return device().sticky;
}

void add(Stream* s, std::function<int()> work) {
  const std::lock_guard lock(device().mutex);
  if (s->recording)
    s->recording->work.push_back(std::move(work));
  else
    s->work.push_back(std::move(work));
}

double now() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

cudaError_t enqueue(Stream* stream, std::function<int()> work) {
  add(stream, std::move(work));
  return cudaSuccess;
}

}  // namespace fd::emulator

using namespace fd::emulator;

cudaError_t cudaGetDeviceCount(int* count) {
  read_order();
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  std::snprintf(properties->name, sizeof(properties->name), "host (emulated)");
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int) { return cudaSuccess; }

cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}

// A Hopper GPU with few multiprocessors, so that blocks that stay have several tiles each.
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
      *value = 7;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = 9;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = 227 << 10;
      break;
    default:
      *value = 0;
  }
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  const std::lock_guard lock(device().mutex);
  *total = kTotal;
  *free = kTotal - device().used;
  return cudaSuccess;
}

cudaError_t cudaGetLastError() { return cudaSuccess; }

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaSuccess:
      return "no error";
    default:
      return last_report();
  }
}

cudaError_t cudaMalloc(void** out, size_t bytes) {
  Device& d = device();
  const std::lock_guard lock(d.mutex);
  if (bytes > kTotal - d.used) return cudaErrorMemoryAllocation;
  // Exactly as long as asked for, so that AddressSanitizer sees the first byte beyond.
  if (posix_memalign(out, kAlign, bytes) != 0) return cudaErrorMemoryAllocation;
  std::memset(*out, 0xff, bytes);  // what nobody has written reads as NaN
  d.blocks[static_cast<char*>(*out)] = bytes;
  d.used += bytes;
  return cudaSuccess;
}

cudaError_t cudaFree(void* data) {
  Device& d = device();
  const std::lock_guard lock(d.mutex);
  const auto block = d.blocks.find(static_cast<char*>(data));
  if (block == d.blocks.end()) return data ? cudaErrorInvalidValue : cudaSuccess;
  d.used -= block->second;
  d.blocks.erase(block);
  // After what was asked for before, also amid a recording, which a free is no part of.
  if (d.last && !d.last->work.empty())
    d.last->work.push_back([data] {
      std::free(data);
      return 0;
    });
  else
    std::free(data);
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** out, size_t bytes) {
  const std::lock_guard lock(device().mutex);
  if (posix_memalign(out, kAlign, bytes) != 0) return cudaErrorMemoryAllocation;
  std::memset(*out, 0xff, bytes);
  device().locked[static_cast<char*>(*out)] = bytes;
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* data) {
  const std::lock_guard lock(device().mutex);
  device().locked.erase(static_cast<char*>(data));
  std::free(data);
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* data) {
  const std::lock_guard lock(device().mutex);
  attributes->device = 0;
  attributes->type = holds(device().locked, data)   ? cudaMemoryTypeHost
                     : holds(device().blocks, data) ? cudaMemoryTypeDevice
                                                    : cudaMemoryTypeUnregistered;
  return cudaSuccess;
}

// All host memory is read and written as late as may be: a driver promises more of none.
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  return enqueue(stream, [=] {
    std::memcpy(to, from, bytes);
    return 0;
  });
}

cudaError_t cudaMemsetAsync(void* data, int value, size_t bytes, cudaStream_t stream) {
  return enqueue(stream, [=] {
    std::memset(data, value, bytes);
    return 0;
  });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = device().last = new Stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const std::lock_guard lock(device().mutex);
  if (stream->recording) return cudaErrorStreamCaptureUnsupported;
  return drain(*stream);
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (stream->recording) return cudaErrorStreamCaptureUnsupported;
  stream->recording = new Recording;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (!stream->recording) return cudaErrorInvalidValue;
  *graph = stream->recording;
  stream->recording = nullptr;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* ready, cudaGraph_t graph, unsigned long long) {
  *ready = new Recording(*graph);
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  for (const auto& work : graph->work) add(stream, work);
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  *event = new Event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  event->stream = stream;
  *event->time = -1;
  return enqueue(stream, [time = event->time] {
    *time = now();
    return 0;
  });
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  return !event->stream || *event->time >= 0 ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return event->stream ? cudaStreamSynchronize(event->stream) : cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  if (*from->time < 0 || *to->time < 0) return cudaErrorInvalidValue;
  *milliseconds = float(*to->time - *from->time);
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
