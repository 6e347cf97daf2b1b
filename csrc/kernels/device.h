// GPUs: the plug-in that holds their kernels, opened on first use, and what the core needs of one: memory, copies,
// waiting. Every device has one stream, and kernels are launched under the interpreter lock, so all work of a device
// runs in the order it was asked for.
#pragma once

#include <memory>
#include <string>

#include "base/memory.h"
#include "base/types.h"
#include "kernels/kernels.h"

namespace fd::cuda {

// How many GPUs can be used; never throws. unavailable() says why there are none: no plug-in, no driver, no GPU.
int device_count();
const std::string& unavailable();
bool is_emulated();  // the plug-in runs on the host (tests)

const fd_kernels& kernels(Device device);  // DeviceError if there is no such GPU
fd_context* context(Device device);

// Waits for all work. Raises what a kernel found wrong since the last wait, naming its op: IndexError, or DeviceError
// if the device itself failed.
void synchronize(Device device);

// Contiguous bytes. The host's memory may be read or used again when it returns; to the host it waits as synchronize()
// does. With wait = false, page-locked host memory is neither: the caller keeps it until the device is done. Between
// devices: through the host.
void copy(void* to, Device to_device, const void* from, Device from_device, size_t bytes, bool wait = true);

// Page-locked host memory, whose copies run beside the host. What is freed is handed out again once the copies asked
// for before have run. MemoryError, or DeviceError where there is no GPU.
void* allocate_pinned(size_t bytes);
void free_pinned(void* data) noexcept;
bool is_pinned(const void* data);  // page-locked by whomever
int ordinal_of(const void* data);  // the GPU whose memory it is; negative for the host's

// Caching: a freed block is handed out again to later work, which the stream runs after whatever still uses it.
// MemoryError with the sizes when memory is out.
void* allocate(size_t bytes, Device device);
void deallocate(void* data, size_t bytes, Device device) noexcept;
MemoryStats memory_stats(Device device);
void empty_cache(Device device);

std::string device_name(Device device);
struct DeviceMemory {
  int64_t free, total;
};
DeviceMemory device_memory(Device device);

// Tells kernels launched from now on which op they belong to, for the report of a bad index found later.
void name_op(fd_context* context, const char* op);

// DeviceError for a kernel that could not be launched.
[[noreturn]] void fail_launch(const char* op, Device device);

// FREEDIVE_SYNC=1: every op waits for its kernels, so that a fault is raised where it began.
bool synchronous();

// Work of a device that is recorded once and then replayed as one launch, with the same memory. Nothing recorded may
// wait or touch the host. Random draws go on where the generator is: a replay shifts their offsets by *draws.
class Graph {
 public:
  explicit Graph(Device device);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  void begin();
  void end();
  void abandon() noexcept;             // ends a capture that failed
  void replay(const uint64_t* draws);  // nullptr: nothing captured draws

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};
bool capturing(Device device);

// The one stream of a device, and waiting for another's, such as a consumer's or producer's of shared memory.
void* stream(Device device);
void synchronize_stream(Device device, void* stream);

// A point in the device's work, to wait for or to measure time between.
class Event {
 public:
  explicit Event(Device device);
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void record();
  void wait() const;
  void wait_locked() const;  // keeping the interpreter's lock
  bool done() const;         // also if it was never recorded
  float milliseconds_since(const Event& start) const;
  Device device() const { return device_; }

 private:
  Device device_;
  void* event_ = nullptr;
};

}  // namespace fd::cuda
