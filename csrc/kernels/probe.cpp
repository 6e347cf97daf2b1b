#include "kernels/probe.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "kernels/dispatch.h"

namespace fd {

#ifdef FD_BUILD_AVX2
namespace avx2 {
extern const Probe probe;
}
#endif
#ifdef FD_BUILD_AVX512
namespace avx512 {
extern const Probe probe;
}
#endif
#ifdef FD_BUILD_NEON
namespace neon {
extern const Probe probe;
}
#endif

namespace {

float multiply_add(int64_t rounds) {
  float sum[8] = {};
  for (int64_t r = 0; r < rounds; r++)
    for (float& s : sum) s = s * 0.999f + 0.001f;
  return sum[0] + sum[7];
}

constexpr Probe kPlain = {multiply_add, 16, [](void* to, const void* from, size_t n) { std::memcpy(to, from, n); }};

const Probe& probe() {
  switch (current_isa()) {
#ifdef FD_BUILD_AVX2
    case Isa::avx2:
      return avx2::probe;
#endif
#ifdef FD_BUILD_AVX512
    case Isa::avx512:
      return avx512::probe;
#endif
#ifdef FD_BUILD_NEON
    case Isa::neon:
      return neon::probe;
#endif
    default:
      return kPlain;
  }
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The pool hands out tasks as it sees fit; a ceiling wants exactly one per thread.
template <class Task>
void on_threads(int threads, Task task) {
  std::vector<std::thread> others;
  for (int i = 1; i < threads; i++) others.emplace_back(task, i);
  task(0);
  for (std::thread& t : others) t.join();
}

}  // namespace

double fma_peak(double seconds, int threads) {
  const Probe& p = probe();
  constexpr int64_t rounds = 256;
  std::vector<double> rate(threads);
  on_threads(threads, [&](int i) {
    [[maybe_unused]] volatile float sink = p.multiply_add(rounds);
    const double start = now();
    double end = start;
    int64_t done = 0;
    for (; end - start < seconds; done += rounds, end = now()) sink = p.multiply_add(rounds);
    rate[i] = static_cast<double>(done * p.flops_per_round) / (end - start);
  });
  double sum = 0;
  for (double r : rate) sum += r;
  return sum;
}

double copy_bandwidth(size_t bytes, double seconds, int threads) {
  const Probe& p = probe();
  constexpr size_t line = 64;
  const size_t part = std::max(bytes / static_cast<size_t>(threads) / line, size_t(1)) * line;
  const size_t whole = part * static_cast<size_t>(threads);
  // Kept for the next call: fresh pages would be measured instead.
  static std::vector<char> memory;
  if (memory.size() < 2 * whole + 2 * line) memory.assign(2 * whole + 2 * line, 1);
  char* base = memory.data() + (line - reinterpret_cast<uintptr_t>(memory.data()) % line) % line;
  std::vector<double> rate(threads);
  on_threads(threads, [&](int i) {
    char* from = base + static_cast<size_t>(i) * part;
    const double start = now();
    double end = start, moved = 0;
    for (; end - start < seconds; end = now(), moved += 2.0 * static_cast<double>(part))
      p.copy(from + whole, from, part);
    rate[i] = moved / (end - start);
  });
  double sum = 0;
  for (double r : rate) sum += r;
  return sum;
}

}  // namespace fd
