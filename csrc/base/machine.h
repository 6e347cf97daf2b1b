// What this process may use of the machine: processors and caches.
#pragma once

#include <cstdint>

namespace fd {

// Processors this process may keep busy: those of its affinity mask, fewer under a cgroup CPU quota. At least 1.
int usable_cpus();

struct CacheSizes {
  int64_t l1, l2, l3;  // bytes of data cache: one core, one core, the package; 0 = unknown
};
CacheSizes cache_sizes();

}  // namespace fd
