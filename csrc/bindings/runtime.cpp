// Threads, instruction sets and memory, as `freedive info` and the tests need them.
#include "autograd/meta.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "bindings/bind.h"
#include "bindings/caster.h"
#include "kernels/device.h"
#include "kernels/probe.h"
#include "ops/autocast.h"
#include "tensor/generator.h"

namespace fd::bindings {

namespace {

Isa isa_named(const std::string& wanted) {
  for (int i = 0; i < kIsaCount; i++)
    if (wanted == name(Isa(i))) return Isa(i);
  fail<ValueError>("use_isa: '", wanted, "' is unknown; expected 'reference', 'avx2', 'avx512' or 'neon'");
}

nb::dict as_dict(const MemoryStats& s) {
  nb::dict out;
  out["used"] = s.used;
  out["cached"] = s.cached;
  out["peak"] = s.peak;
  return out;
}

Device gpu(int ordinal) {
  check<DeviceError>(ordinal >= 0 && ordinal < 100, "device index ", ordinal, " is out of range");
  return {DeviceKind::cuda, static_cast<int8_t>(ordinal)};
}

// A graph and the draws of the default generator in it: nothing is drawn by a capture, and each replay draws as running
// the captured code would.
class CapturedWork {
 public:
  explicit CapturedWork(Device device) : graph_(device) {}
  void begin() {
    first_ = default_generator().state();
    graph_.begin();
  }
  void end() {
    graph_.end();
    rewind();
  }
  void abandon() {
    graph_.abandon();
    rewind();
  }
  // False if the generator was seeded anew, so that the captured draws are not its. written: what the work writes into
  // besides memory of its own; their versions count the write.
  bool replay(const std::vector<Tensor>& written) {
    fd_rng now = default_generator().state();
    if (draws_ > 0 && now.seed != first_.seed) return false;
    const uint64_t moved = now.offset - first_.offset;
    graph_.replay(draws_ > 0 ? &moved : nullptr);
    now.offset += draws_;
    default_generator().set_state(now);
    for (const Tensor& t : written) t->bump_version("a captured step");
    return true;
  }

 private:
  void rewind() {
    draws_ = default_generator().state().offset - first_.offset;
    default_generator().set_state(first_);
  }
  cuda::Graph graph_;
  fd_rng first_ = {};
  uint64_t draws_ = 0;
};

bool has_hooks(const Tensor& t) {
  const Meta* const m = meta(t);
  return m && !(m->hooks.empty() && m->after_accumulate.empty());
}

// What captured work takes for granted of the tensors it reads: where they are, and what backward does with them.
nb::bytes capture_key(const std::vector<Tensor>& tensors) {
  std::vector<uintptr_t> key;
  for (const Tensor& t : tensors) {
    key.push_back(reinterpret_cast<uintptr_t>(t->storage ? t.data() : nullptr));
    key.push_back(uintptr_t(requires_grad(t)) | uintptr_t(has_hooks(t)) << 1);
  }
  return nb::bytes(key.data(), key.size() * sizeof(uintptr_t));
}

// What python/freedive/cuda.py is made of.
void bind_cuda(nb::module_& m) {
  m.def("_cuda_count", cuda::device_count);
  m.def("_cuda_unavailable", [] { return cuda::unavailable(); });
  m.def("_cuda_emulated", cuda::is_emulated);
  m.def("_cuda_stream", [](int device) { return reinterpret_cast<intptr_t>(cuda::stream(gpu(device))); }, "device"_a);
  m.def("_cuda_synchronize", [](int device) { cuda::synchronize(gpu(device)); }, "device"_a);
  m.def("_cuda_memory_stats", [](int device) { return as_dict(cuda::memory_stats(gpu(device))); }, "device"_a);
  m.def("_cuda_empty_cache", [](int device) { cuda::empty_cache(gpu(device)); }, "device"_a);
  m.def("_cuda_name", [](int device) { return cuda::device_name(gpu(device)); }, "device"_a);
  m.def(
      "_cuda_memory",
      [](int device) {
        const cuda::DeviceMemory memory = cuda::device_memory(gpu(device));
        return std::pair(memory.free, memory.total);
      },
      "device"_a);
  nb::class_<CapturedWork>(m, "_CudaGraph")
      .def(
          "__init__", [](CapturedWork* self, int device) { new (self) CapturedWork(gpu(device)); }, "device"_a)
      .def("begin", &CapturedWork::begin)
      .def("end", &CapturedWork::end)
      .def("abandon", &CapturedWork::abandon)
      .def("replay", &CapturedWork::replay, "written"_a);
  m.def("_capture_key", capture_key, "tensors"_a);
  m.def("_has_hooks", has_hooks, "tensor"_a);
  nb::class_<cuda::Event>(m, "_CudaEvent")
      .def(
          "__init__", [](cuda::Event* self, int device) { new (self) cuda::Event(gpu(device)); }, "device"_a)
      .def("record", &cuda::Event::record)
      .def("synchronize", &cuda::Event::wait)
      .def("query", &cuda::Event::done)
      .def("milliseconds_since", &cuda::Event::milliseconds_since, "start"_a);
}

}  // namespace

// What python/freedive/amp is made of.
void bind_autocast(nb::module_& m) {
  const auto kind = [](bool cuda) { return cuda ? DeviceKind::cuda : DeviceKind::cpu; };
  m.def(
      "_get_autocast",
      [kind](bool cuda) {
        const ops::Autocast& a = ops::autocast(kind(cuda));
        return std::pair(a.on, a.dtype);
      },
      "cuda"_a);
  m.def(
      "_set_autocast", [kind](bool cuda, bool on, DType dtype) { ops::autocast(kind(cuda)) = {on, dtype}; }, "cuda"_a,
      "on"_a, "dtype"_a);
}

void bind_runtime(nb::module_& m) {
  m.def("set_num_threads", set_num_threads, "num"_a, "How many threads kernels use; results do not depend on it.");
  m.def("get_num_threads", num_threads, "How many threads kernels use.");
  m.def("_isa", [] { return std::string(name(current_isa())); });
  m.def("_isa_reason", isa_reason);
  m.def("_isas", [] {
    std::vector<std::string> out;
    for (int i = 0; i < kIsaCount; i++)
      if (isa_available(Isa(i))) out.emplace_back(name(Isa(i)));
    return out;
  });
  m.def("_use_isa", [](const std::string& wanted) { use_isa(isa_named(wanted)); }, "name"_a);
  m.def("_fma_peak", fma_peak, "seconds"_a, "threads"_a, nb::call_guard<nb::gil_scoped_release>(),
        "Operations per second of float32 multiply-adds.");
  m.def("_copy_bandwidth", copy_bandwidth, "bytes"_a, "seconds"_a, "threads"_a,
        nb::call_guard<nb::gil_scoped_release>(), "Bytes per second, read plus written, of non-temporal copies.");
  m.def(
      "memory_stats", [] { return as_dict(memory_stats()); },
      "Host memory in bytes: used by tensors, cached for reuse, and the most ever used.");
  m.def("empty_cache", empty_cache, "Gives cached host memory back to the system.");
  bind_cuda(m);
  bind_autocast(m);
}

}  // namespace fd::bindings
