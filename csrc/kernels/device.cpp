#include "kernels/device.h"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/host.h"
#include "kernels/device_state.h"

namespace fd::cuda {

namespace {

constexpr const char* kLibrary = "libfreedive_cuda.so";

std::atomic<bool> forked{false};

// Beside the library this code is in, unless FREEDIVE_CUDA_LIBRARY names another.
std::string library_path() {
  if (const char* named = std::getenv("FREEDIVE_CUDA_LIBRARY"); named && *named) return named;
  Dl_info self;
  if (!dladdr(reinterpret_cast<void*>(&library_path), &self) || !self.dli_fname) return kLibrary;
  const std::string here = self.dli_fname;
  const size_t slash = here.rfind('/');
  return slash == std::string::npos ? kLibrary : here.substr(0, slash + 1) + kLibrary;
}

bool file_exists(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  if (file) std::fclose(file);
  return file != nullptr;
}

void load(State& s) {
  const std::string path = library_path();
  if (!file_exists(path)) {
    s.why_not = std::getenv("FREEDIVE_CUDA_LIBRARY") ? "there is no " + path : "this build has no CUDA plug-in";
    return;
  }
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    s.why_not = text("the CUDA plug-in cannot be opened: ", dlerror());
    return;
  }
  auto* const entry = reinterpret_cast<fd_plugin_entry*>(dlsym(library, "freedive_plugin"));
  const fd_plugin* const plugin = entry ? entry() : nullptr;
  const bool fits = plugin && plugin->abi == FD_PLUGIN_ABI && plugin->bytes == sizeof(fd_plugin) &&
                    plugin->kernels->abi == FD_ABI && plugin->kernels->bytes == sizeof(fd_kernels);
  if (!fits) {
    s.why_not = text(path, " belongs to another version of freedive");
    return;
  }
  s.plugin = plugin;
  s.count = plugin->device_count();
  if (s.count == 0) s.why_not = plugin->unavailable();
  s.gpus.resize(size_t(s.count));
}

void* gpu_workspace(fd_context* context, int32_t, size_t bytes);

void set_up(State& s, Gpu& gpu) {
  const fd_plugin& p = *s.plugin;
  checked("use", gpu.device, p.stream_create(&gpu.stream));
  void* fault;
  checked("use", gpu.device, p.allocate(sizeof(fd_fault), &fault));
  checked("use", gpu.device, p.clear(fault, sizeof(fd_fault), gpu.stream));
  gpu.context.stream = gpu.stream;
  gpu.context.fault = static_cast<fd_fault*>(fault);
  gpu.context.workspace = gpu_workspace;
  void* draws;
  checked("use", gpu.device, p.allocate(sizeof(uint64_t), &draws));
  gpu.draws = static_cast<uint64_t*>(draws);
  gpu.cache.open(p.allocate, p.release, false);
}

Gpu& gpu_of(const fd_context* context) {
  for (Gpu* gpu : state().gpus)
    if (gpu && &gpu->context == context) return *gpu;
  fail<DeviceError>("workspace: the context belongs to no GPU");
}

void* gpu_workspace(fd_context* context, int32_t, size_t bytes) {
  Gpu& gpu = gpu_of(context);
  if (gpu.capturing) return gpu.capturing->scratch.get(gpu.capturing->cache, bytes);
  return gpu.scratch.get(gpu.cache, bytes);
}

// What a kernel found wrong since the last wait.
void raise_fault(State& s, Gpu& gpu, const fd_fault& fault) {
  if (fault.code == FD_OK) return;
  s.plugin->clear(gpu.context.fault, sizeof(fd_fault), gpu.stream);
  const char* const op = s.ops[size_t(fault.op)];
  const std::string found = text(" (found on ", gpu.device, "; everything computed since is undefined)");
  if (fault.code == FD_BAD_VALUE)
    fail<ValueError>(op, ": ", std::bit_cast<double>(fault.value), " at position ", fault.position,
                     " is not a value it takes", found);
  fail<IndexError>(op, ": index ", fault.value, " at position ", fault.position, " is out of range", found);
}

void refuse_in_capture(const Gpu& gpu) {
  check<DeviceError>(!gpu.capturing, "graph: what is captured cannot wait for ", gpu.device,
                     " (item(), tolist(), cpu(), boolean indexing and the like)");
}

// A landing of the calling thread's own, as several may wait at once.
Landing* take_landing(State& s, Gpu& gpu) {
  if (!gpu.landings.empty()) {
    Landing* const idle = gpu.landings.back();
    gpu.landings.pop_back();
    return idle;
  }
  void* made;
  if (s.plugin->host_allocate(sizeof(Landing), &made) != 0)
    fail<MemoryError>("cannot allocate ", sizeof(Landing), " bytes of page-locked host memory");
  return static_cast<Landing*>(made);
}

// Waits for all work, and brings `bytes` more home on the way if they fit into a landing.
void wait(State& s, Gpu& gpu, void* to = nullptr, const void* from = nullptr, size_t bytes = 0) {
  refuse_in_capture(gpu);
  Landing* const here = take_landing(s, gpu);
  const auto bring = [&](void* into, const void* what, size_t size) {
    return s.plugin->copy(into, what, size, FD_DEVICE_TO_HOST, gpu.stream);
  };
  int32_t code = bytes ? bring(here->bytes, from, bytes) : 0;
  if (code == 0) code = bring(&here->fault, gpu.context.fault, sizeof(fd_fault));
  if (code == 0) {
    const Unlocked unlocked(true);
    code = s.plugin->synchronize(gpu.stream);
  }
  const fd_fault fault = here->fault;
  if (code == 0 && bytes) std::memcpy(to, here->bytes, bytes);
  gpu.landings.push_back(here);
  checked("synchronize", gpu.device, code);
  raise_fault(s, gpu, fault);
}

}  // namespace

State& state() {
  static State* const instance = [] {
    auto* s = new State;
    load(*s);
    if (s->count) pthread_atfork(nullptr, nullptr, [] { forked = true; });
    return s;
  }();
  return *instance;
}

void fail_device(const char* what, Device device, int32_t code) {
  fail<DeviceError>(what, ": ", device, " reports error ", code, " (", state().plugin->error_text(code), ")");
}

void* Gpu::take(size_t bytes) {
  if (!capturing) return cache.take(bytes);
  void* const data = capturing->cache.take(bytes);
  if (data) owners[data] = capturing;
  return data;
}

void Gpu::give(void* data, size_t bytes) {
  const auto owner = owners.empty() ? owners.end() : owners.find(data);
  (owner == owners.end() ? cache : owner->second->cache).give(data, bytes);
}

Gpu& gpu_of(Device device) {
  State& s = state();
  check<DeviceError>(device.kind == DeviceKind::cuda && device.ordinal < s.count, "device ", device,
                     " is not available: ", s.count ? text("there are ", s.count, " GPUs") : s.why_not);
  check<DeviceError>(!forked, "device ", device,
                     " cannot be used in a forked process; start processes with the spawn method");
  static thread_local int current = -1;
  if (current != device.ordinal) {
    checked("use", device, s.plugin->use(device.ordinal));
    current = device.ordinal;
  }
  Gpu*& gpu = s.gpus[size_t(device.ordinal)];
  if (!gpu) [[unlikely]] {
    auto* made = new Gpu;
    made->device = device;
    set_up(s, *made);
    gpu = made;
  }
  return *gpu;
}

int device_count() { return state().count; }
const std::string& unavailable() { return state().why_not; }
bool is_emulated() { return state().plugin && std::strstr(state().plugin->name, "emulated"); }

const fd_remote_kernels& remote(Device device) {
  gpu_of(device);
  return *state().plugin->remote;
}

const fd_kernels& kernels(Device device) {
  gpu_of(device);
  return *state().plugin->kernels;
}

fd_context* context(Device device) { return &gpu_of(device).context; }

void synchronize(Device device) {
  Gpu& gpu = gpu_of(device);
  wait(state(), gpu);
}

void copy(void* to, Device to_device, const void* from, Device from_device, size_t bytes, bool wait_for_it) {
  State& s = state();
  if (bytes == 0) return;
  if (from_device.kind == DeviceKind::cuda && to_device.kind == DeviceKind::cuda && !(from_device == to_device)) {
    std::vector<char> host(bytes);
    copy(host.data(), Device{}, from, from_device, bytes);
    return copy(to, to_device, host.data(), Device{}, bytes);
  }
  const bool to_host = to_device.kind == DeviceKind::cpu;
  Gpu& gpu = gpu_of(to_host ? from_device : to_device);
  const fd_copy_kind kind = to_host                               ? FD_DEVICE_TO_HOST
                            : from_device.kind == DeviceKind::cpu ? FD_HOST_TO_DEVICE
                                                                  : FD_DEVICE_TO_DEVICE;
  if (to_host) refuse_in_capture(gpu);
  check<DeviceError>(!gpu.capturing || kind == FD_DEVICE_TO_DEVICE, "graph: a copy between the host and ", gpu.device,
                     " cannot be captured; make the tensor before, or pass it as an input");
  if (to_host && bytes <= sizeof(Landing::bytes) && wait_for_it) return wait(s, gpu, to, from, bytes);
  const bool locked = kind != FD_DEVICE_TO_DEVICE && s.plugin->location(to_host ? to : from) == FD_PAGE_LOCKED;
  int32_t code;
  if (kind == FD_HOST_TO_DEVICE && !locked) {
    code = copy_staged(gpu, to, from, bytes);
  } else {
    // The driver itself waits before it copies to memory that is not page-locked.
    const Unlocked unlocked(to_host && !locked);
    code = s.plugin->copy(to, from, bytes, kind, gpu.stream);
  }
  checked("copy", gpu.device, code);
  if (to_host ? wait_for_it || !locked : wait_for_it && locked) wait(s, gpu);
}

int ordinal_of(const void* data) { return state().count > 0 ? state().plugin->location(data) : FD_PAGEABLE; }

void* stream(Device device) { return gpu_of(device).stream; }

void synchronize_stream(Device device, void* stream) {
  gpu_of(device);
  const Unlocked unlocked(true);
  checked("synchronize", device, state().plugin->synchronize(stream));
}

void* allocate(size_t bytes, Device device) {
  Gpu& gpu = gpu_of(device);
  if (void* p = gpu.take(bytes)) return p;
  const MemoryStats used = gpu.cache.stats();
  const DeviceMemory memory = device_memory(device);
  fail<MemoryError>("cannot allocate ", bytes, " bytes on ", device, ": ", used.used, " are in use by tensors, ",
                    memory.free, " of ", memory.total, " are free");
}

void deallocate(void* data, size_t bytes, Device device) noexcept {
  if (!forked) state().gpus[size_t(device.ordinal)]->give(data, bytes);
}

MemoryStats memory_stats(Device device) { return gpu_of(device).cache.stats(); }
void empty_cache(Device device) { gpu_of(device).cache.clear(); }

std::string device_name(Device device) {
  gpu_of(device);
  char name[256] = "";
  checked("device_name", device, state().plugin->device_name(device.ordinal, name, sizeof(name)));
  return name;
}

DeviceMemory device_memory(Device device) {
  gpu_of(device);
  DeviceMemory m = {};
  state().plugin->memory(device.ordinal, &m.free, &m.total);
  return m;
}

void name_op(fd_context* context, const char* op) {
  State& s = state();
  const auto [at, added] = s.op_numbers.try_emplace(op, static_cast<int32_t>(s.ops.size()));
  if (added) s.ops.push_back(op);
  context->op = at->second;
}

void fail_launch(const char* op, Device device) { fail_device(op, device, state().plugin->last_error()); }

bool synchronous() {
  static const bool wanted = [] {
    const char* v = std::getenv("FREEDIVE_SYNC");
    return v && *v && std::strcmp(v, "0") != 0;
  }();
  return wanted;
}

Event::Event(Device device) : device_(device) {
  gpu_of(device);
  checked("Event", device, state().plugin->event_create(&event_));
}
Event::~Event() {
  if (event_) state().plugin->event_destroy(event_);
}
void Event::record() { checked("Event.record", device_, state().plugin->event_record(event_, gpu_of(device_).stream)); }
void Event::wait() const {
  const Unlocked unlocked(true);
  wait_locked();
}
void Event::wait_locked() const { checked("Event.synchronize", device_, state().plugin->event_wait(event_)); }
bool Event::done() const {
  const int32_t code = state().plugin->event_done(event_);
  if (code < 0) fail_device("Event.query", device_, -code);
  return code == 1;
}
float Event::milliseconds_since(const Event& start) const {
  float ms = 0;
  checked("Event.elapsed_time", device_, state().plugin->event_elapsed(start.event_, event_, &ms));
  return ms;
}

}  // namespace fd::cuda
