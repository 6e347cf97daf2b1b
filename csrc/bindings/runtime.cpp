// Threads, instruction sets and memory, as `freedive info` and the tests need them.
#include "base/memory.h"
#include "base/parallel.h"
#include "bindings/bind.h"
#include "bindings/caster.h"
#include "kernels/probe.h"

namespace fd::bindings {

namespace {

Isa isa_named(const std::string& wanted) {
  for (int i = 0; i < kIsaCount; i++)
    if (wanted == name(Isa(i))) return Isa(i);
  fail<ValueError>("use_isa: '", wanted, "' is unknown; expected 'reference', 'avx2', 'avx512' or 'neon'");
}

}  // namespace

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
      "memory_stats",
      [] {
        const MemoryStats s = memory_stats();
        nb::dict out;
        out["used"] = s.used;
        out["cached"] = s.cached;
        out["peak"] = s.peak;
        return out;
      },
      "Host memory in bytes: used by tensors, cached for reuse, and the most ever used.");
  m.def("empty_cache", empty_cache, "Gives cached host memory back to the system.");
}

}  // namespace fd::bindings
