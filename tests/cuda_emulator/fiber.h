// Stacks that take turns on one operating-system thread, known to AddressSanitizer and ThreadSanitizer.
#pragma once

#include <cstddef>

namespace fd::emulator {

constexpr size_t kStackBytes = size_t(128) << 10;

// Runs entry() on a stack of its own whenever it is resumed; entry never returns.
class Fiber {
 public:
  explicit Fiber(void (*entry)());
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  void resume();          // from the main stack, until the fiber pauses
  static void pause();    // from the fiber that runs, back to the main stack
  static void started();  // the first thing entry() calls

  // Abandons what the fiber was doing: it starts anew when it is next resumed.
  void reset();

 private:
  void* stack_pointer_ = nullptr;
  char* stack_;
  void (*entry_)();
  void* tsan_ = nullptr;
  void* fake_stack_ = nullptr;
};

// Happens-before edges for ThreadSanitizer, which sees nothing of our barriers; no-ops without it.
bool under_tsan();
void tsan_release(void* at);
void tsan_acquire(void* at);
void asan_poison(void* at, size_t bytes);
void asan_unpoison(void* at, size_t bytes);

}  // namespace fd::emulator
