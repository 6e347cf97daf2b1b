#include "kernels/dispatch.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "base/memory.h"
#include "base/parallel.h"
#include "kernels/device.h"

namespace fd {

namespace reference {
void fill(fd_kernels* table);
}
#ifdef FD_BUILD_AVX2
namespace avx2 {
void fill(fd_kernels* table);
}
#endif
#ifdef FD_BUILD_AVX512
namespace avx512 {
void fill(fd_kernels* table);
}
#endif
#ifdef FD_BUILD_NEON
namespace neon {
void fill(fd_kernels* table);
}
#endif

namespace {

constexpr const char* kNames[kIsaCount] = {"reference", "avx2", "avx512", "neon"};

#if defined(__x86_64__)
// Clang's __builtin_cpu_supports does not know it: bit 29 of ECX of leaf 1 (Intel's manual, volume 2, CPUID).
bool has_f16c() {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c >> 29 & 1);
}
#endif

bool cpu_has(Isa isa) {
  switch (isa) {
    case Isa::reference:
      return true;
#if defined(__x86_64__)
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
    case Isa::avx512:
      return cpu_has(Isa::avx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
#if defined(__aarch64__)
    case Isa::neon:
      return true;
#endif
    default:
      return false;
  }
}

bool built(Isa isa) {
  switch (isa) {
    case Isa::reference:
      return true;
#ifdef FD_BUILD_AVX2
    case Isa::avx2:
      return true;
#endif
#ifdef FD_BUILD_AVX512
    case Isa::avx512:
      return true;
#endif
#ifdef FD_BUILD_NEON
    case Isa::neon:
      return true;
#endif
    default:
      return false;
  }
}

// Each wider table starts as a copy of the narrower one: a kernel an ISA does not supply stays the one below. Even the
// functions that fill a table are compiled for its ISA, so only what the CPU can run is called.
struct Tables {
  fd_kernels table[kIsaCount] = {};
  Tables() {
    fd_kernels& base = table[int(Isa::reference)];
    base.abi = FD_ABI;
    base.bytes = sizeof(fd_kernels);
    reference::fill(&base);
    for (int i = 1; i < kIsaCount; i++) table[i] = base;
#ifdef FD_BUILD_AVX2
    if (cpu_has(Isa::avx2)) avx2::fill(&table[int(Isa::avx2)]);
    table[int(Isa::avx512)] = table[int(Isa::avx2)];
#endif
#ifdef FD_BUILD_AVX512
    if (cpu_has(Isa::avx512)) avx512::fill(&table[int(Isa::avx512)]);
#endif
#ifdef FD_BUILD_NEON
    neon::fill(&table[int(Isa::neon)]);
#endif
  }
};

const Tables& tables() {
  static const Tables instance;
  return instance;
}

std::atomic<int> chosen{-1};
std::atomic<const fd_kernels*> cpu_table{nullptr};

Isa forced(const char* wanted) {
  for (int i = 0; i < kIsaCount; i++) {
    if (std::strcmp(wanted, kNames[i]) != 0) continue;
    check<DeviceError>(isa_available(Isa(i)), "FREEDIVE_ISA=", wanted, ": this ",
                       built(Isa(i)) ? "CPU cannot run it" : "build does not contain it");
    return Isa(i);
  }
  fail<DeviceError>("FREEDIVE_ISA=", wanted, " is unknown; expected reference, avx2, avx512 or neon");
}

Isa widest() {
  for (Isa isa : {Isa::avx512, Isa::avx2, Isa::neon})
    if (isa_available(isa)) return isa;
  return Isa::reference;
}

void select(Isa isa) {
  chosen.store(int(isa), std::memory_order_relaxed);
  cpu_table.store(&tables().table[int(isa)], std::memory_order_release);
}

void select_first() {
  const char* wanted = std::getenv("FREEDIVE_ISA");
  select(wanted && *wanted ? forced(wanted) : widest());
}

}  // namespace

const char* name(Isa isa) { return kNames[int(isa)]; }
bool isa_available(Isa isa) { return built(isa) && cpu_has(isa); }

const fd_kernels& kernels(Isa isa) {
  check<DeviceError>(isa_available(isa), "ISA ", name(isa), " is not available on this machine");
  return tables().table[int(isa)];
}

const fd_kernels& kernels(Device device) {
  if (device.kind == DeviceKind::cuda) [[unlikely]]
    return cuda::kernels(device);
  const fd_kernels* table = cpu_table.load(std::memory_order_acquire);
  if (!table) [[unlikely]] {
    select_first();
    table = cpu_table.load(std::memory_order_acquire);
  }
  return *table;
}

Isa current_isa() {
  kernels(Device{});
  return Isa(chosen.load(std::memory_order_relaxed));
}

void use_isa(Isa isa) {
  kernels(isa);
  select(isa);
}

std::string isa_reason() {
  const char* wanted = std::getenv("FREEDIVE_ISA");
  if (wanted && *wanted && name(current_isa()) == std::string(wanted)) return text("FREEDIVE_ISA=", wanted);
  switch (current_isa()) {
    case Isa::avx512:
      return "CPUID reports avx512f, avx512bw, avx512dq and avx512vl";
    case Isa::avx2:
      return "CPUID reports avx2 and fma";
    case Isa::neon:
      return "every aarch64 CPU has NEON";
    default:
      return "no wider instruction set was found";
  }
}

namespace {

void context_parallel(fd_context*, int64_t tasks, void (*task)(void*, int64_t), void* closure) {
  parallel(tasks, task, closure);
}
void* context_workspace(fd_context*, int32_t slot, size_t bytes) { return workspace(slot, bytes); }

}  // namespace

fd_context* context(Device device) {
  if (device.kind == DeviceKind::cuda) [[unlikely]]
    return cuda::context(device);
  struct Local {
    fd_fault fault = {};
    fd_context context = {};
    Local() {
      context.fault = &fault;
      context.parallel = context_parallel;
      context.workspace = context_workspace;
      const CacheSizes caches = cache_sizes();
      context.l1_bytes = caches.l1;
      context.l2_bytes = caches.l2;
      context.l3_bytes = caches.l3;
    }
  };
  static thread_local Local local;
  local.context.threads = num_threads();
  return &local.context;
}

}  // namespace fd
