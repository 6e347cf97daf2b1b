#include "base/parallel.h"

#include "base/error.h"

namespace fd {

void parallel(int64_t tasks, void (*task)(void*, int64_t), void* closure) {
  for (int64_t i = 0; i < tasks; i++) task(closure, i);
}

int num_threads() { return 1; }
void set_num_threads(int threads) { check<ValueError>(threads >= 1, "set_num_threads: ", threads, " threads"); }
CacheSizes cache_sizes() { return {32 << 10, 1 << 20, 32 << 20}; }

}  // namespace fd
