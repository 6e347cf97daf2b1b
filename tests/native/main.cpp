// freedive_parity [-v] [--quick] [--no-fork] [filter]: only cases whose title ("avx2 gemm float32") contains the
// filter; -v adds the largest error seen per title; --quick runs a fifth of the large cases, for sanitizers and
// emulators; --no-fork leaves out the tests that fork, which qemu-user cannot do in a process with threads. Exit code 1
// if anything failed.
#include <cstdlib>

#include "families.h"

extern "C" {
// A child of a process with threads goes on under ThreadSanitizer; memory that cannot be had is an answer, not an end.
__attribute__((visibility("default"))) const char* __tsan_default_options() {
  return "die_after_fork=0:allocator_may_return_null=1";
}
__attribute__((visibility("default"))) const char* __asan_default_options() { return "allocator_may_return_null=1"; }
}

namespace fd::native {
namespace {

struct Family {
  const char* name;
  void (*test)(const Tables&);
};

constexpr Family kFamilies[] = {
    {"elementwise", test_elementwise},
    {"cast", test_cast},
    {"reduce", test_reduce},
    {"scan", test_scan},
    {"gemm", test_gemm},
    {"softmax", test_softmax},
    {"cross_entropy", test_cross_entropy},
    {"loss", test_loss},
    {"dropout", test_dropout},
    {"batch_norm", test_batch_norm},
    {"optim", test_optim},
    {"index", test_index},
    {"sort", test_sort},
    {"conv", test_conv},
    {"pooling", test_pooling},
};

void test_tables(const Tables& t) {
  select_cases(t.self ? Cases::without_threads : kThreadSanitizer ? Cases::with_threads : Cases::all);
  for (const Family& family : kFamilies) {
    report().begin(t.isa + " " + family.name);
    family.test(t);
    report().end();
  }
}

template <class Test>
void alone(const char* name, Test test) {
  report().begin(name);
  if (report().wanted(name)) test();
  report().end();
}

Isa below(Isa isa) { return isa == Isa::avx512 && isa_available(Isa::avx2) ? Isa::avx2 : Isa::reference; }

int run_all() {
  const fd_kernels& reference = kernels(Isa::reference);
  alone("philox", test_philox);
  alone("random", [&] { test_random(reference); });
  alone("pool", test_pool);
  alone("memory", test_memory);
  alone("completeness", [&] { test_completeness(reference); });
  for (int i = 0; i < kIsaCount; i++) {
    const Isa isa = Isa(i);
    if (isa_available(isa) && !(kThreadSanitizer && isa == Isa::reference))
      test_tables({name(isa), reference, kernels(below(isa)), kernels(isa), isa == Isa::reference});
  }
  std::printf("%lld passed, %lld failed\n", (long long)report().total_passed(), (long long)report().total_failed());
  return report().total_failed() > 0;
}

}  // namespace
}  // namespace fd::native

int main(int argc, char** argv) {
  for (int i = 1; i < argc; i++) {
    if (std::strcmp(argv[i], "-v") == 0)
      fd::native::report().verbose = true;
    else if (std::strcmp(argv[i], "--quick") == 0)
      fd::native::report().quick = true;
    else if (std::strcmp(argv[i], "--no-fork") == 0)
      fd::native::report().may_fork = false;
    else
      fd::native::report().filter = argv[i];
  }
  return fd::native::run_all();
}
