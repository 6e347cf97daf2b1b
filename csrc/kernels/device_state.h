// What device.cpp and device_graph.cpp share: the plug-in and the GPUs in use.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "kernels/device.h"
#include "kernels/device_cache.h"
#include "kernels/plugin.h"

namespace fd::cuda {

// Scratch memory of kernels: one block, as they run one after another. An outgrown one goes back where it came from.
struct Scratch {
  void* data = nullptr;
  size_t bytes = 0;
  void* get(Cache& cache, size_t wanted) {
    if (bytes >= wanted) return data;
    cache.give(data, bytes);
    data = cache.take(wanted);
    bytes = data ? wanted : 0;
    return data;
  }
};

// Page-locked memory for what a wait brings home: the fault, and a small copy on the way. A copy to other memory would
// keep the interpreter's lock until the device is done.
struct Landing {
  fd_fault fault;
  char bytes[4096 - sizeof(fd_fault)];
};

// What is allocated while work is captured is the graph's for as long as it may be replayed.
struct Pool {
  Cache cache;
  Scratch scratch;
};

// Never destroyed: tensors may be freed while static objects are.
struct Gpu {
  Device device;
  void* stream = nullptr;
  fd_context context = {};
  uint64_t* draws = nullptr;  // on the device, for captured random draws
  Scratch scratch;
  Cache cache;
  Pool* capturing = nullptr;
  std::vector<Landing*> landings;           // idle
  std::unordered_map<void*, Pool*> owners;  // blocks that belong to a graph

  void* take(size_t bytes);
  void give(void* data, size_t bytes);
};

struct State {
  const fd_plugin* plugin = nullptr;
  std::string why_not;
  int count = 0;
  std::vector<Gpu*> gpus;
  std::vector<const char*> ops{"an earlier operation"};  // fd_context::op indexes this
  std::unordered_map<const char*, int32_t> op_numbers;
};

// From host memory that is not page-locked, which has been read when it returns: the driver itself does not promise
// that (CUDA driver API, "API synchronization behavior"). An error number of the device.
int32_t copy_staged(Gpu& gpu, void* to, const void* from, size_t bytes);

State& state();
Gpu& gpu_of(Device device);  // DeviceError if it cannot be used

[[noreturn]] void fail_device(const char* what, Device device, int32_t code);
inline void checked(const char* what, Device device, int32_t code) {
  if (code != 0) [[unlikely]]
    fail_device(what, device, code);
}

}  // namespace fd::cuda
