// The thread pool. Work arrives as numbered tasks whose count depends on sizes only, so results never depend on it.
#pragma once

#include <cstdint>

namespace fd {

// Calls task(closure, i) for every i in [0, tasks) on the pool and the calling thread; returns when all are done.
// From inside a task, or when the pool is busy with another caller, the caller runs all of its tasks itself.
void parallel(int64_t tasks, void (*task)(void* closure, int64_t index), void* closure);

// All usable CPUs (affinity mask and cgroup quota) unless FREEDIVE_NUM_THREADS or set_num_threads() says otherwise.
int num_threads();
void set_num_threads(int threads);  // ValueError below 1

struct CacheSizes {
  int64_t l1, l2, l3;  // bytes of data cache; 0 = unknown
};
CacheSizes cache_sizes();

}  // namespace fd
