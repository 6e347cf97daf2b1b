// Which kernels run: one table per instruction set, filled reference first, then overridden by wider ones.
#pragma once

#include <string>

#include "base/types.h"
#include "kernels/kernels.h"

namespace fd {

enum class Isa : int { reference = 0, avx2 = 1, avx512 = 2, neon = 3 };
constexpr int kIsaCount = 4;

const char* name(Isa isa);

// Whether this build has the ISA and this CPU can run it.
bool isa_available(Isa isa);

// The table in use on a device. The first call on the CPU reads FREEDIVE_ISA and CPUID; DeviceError if FREEDIVE_ISA
// names an ISA that this CPU or build lacks, or if the device does not exist.
const fd_kernels& kernels(Device device);
const fd_kernels& kernels(Isa isa);

Isa current_isa();
void use_isa(Isa isa);     // DeviceError if unavailable
std::string isa_reason();  // "CPUID has avx512f, bw, dq, vl" or "FREEDIVE_ISA=avx2"

// The calling thread's context for kernels of a device.
fd_context* context(Device device);

}  // namespace fd
