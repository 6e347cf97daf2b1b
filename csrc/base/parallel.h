// The thread pool. Work arrives as numbered tasks whose count depends on sizes only, so results never depend on it.
#pragma once

#include <cstdint>

#include "base/machine.h"

namespace fd {

// Calls task(closure, i) for every i in [0, tasks) on the pool and the calling thread; returns when all are done.
// From inside a task, or when the pool is busy with another caller, the caller runs all of its tasks itself. A task
// must not throw.
//
// A sleeping worker costs the caller some 7 us to wake and arrives 20 us later. Workers still awake from the call
// before always help; sleeping ones are woken for more than kFewTasks tasks, when calls follow each other closely, or
// once the caller's own first tasks have shown the work to be long. So few tasks means little work: cut long work
// finer than that.
void parallel(int64_t tasks, void (*task)(void* closure, int64_t index), void* closure);
constexpr int64_t kFewTasks = 4;

// usable_cpus() unless FREEDIVE_NUM_THREADS or set_num_threads() says otherwise.
int num_threads();
void set_num_threads(int threads);  // ValueError below 1

}  // namespace fd
