// Built without sanitizers itself: it tells them of every switch.
#include "fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <ucontext.h>
#endif

extern "C" {  // present only where the library is linked with a sanitizer
void* __attribute__((weak)) __tsan_get_current_fiber();
void* __attribute__((weak)) __tsan_create_fiber(unsigned);
void __attribute__((weak)) __tsan_destroy_fiber(void*);
void __attribute__((weak)) __tsan_switch_to_fiber(void*, unsigned);
void __attribute__((weak)) __tsan_acquire(void*);
void __attribute__((weak)) __tsan_release(void*);
void __attribute__((weak)) __asan_poison_memory_region(const volatile void*, size_t);
void __attribute__((weak)) __asan_unpoison_memory_region(const volatile void*, size_t);
void __attribute__((weak)) __sanitizer_start_switch_fiber(void**, const void*, size_t);
void __attribute__((weak)) __sanitizer_finish_switch_fiber(void*, const void**, size_t*);
}

namespace fd::emulator {

namespace {

constexpr size_t kGuard = 4096;
constexpr unsigned kNoSync = 1;  // a switch orders nothing

// Saves what a call must preserve on the old stack and takes it from the new one.
#if defined(__x86_64__)
extern "C" void fd_emulator_switch(void** save, void* to);
asm(R"(
.text
.globl fd_emulator_switch
.hidden fd_emulator_switch
.type fd_emulator_switch,@function
fd_emulator_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size fd_emulator_switch,.-fd_emulator_switch
)");

void* fresh(char* top, char*, void (*entry)()) {
  auto** s = reinterpret_cast<void**>(top);
  *--s = nullptr;  // keeps the stack aligned as after a call
  *--s = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; i++) *--s = nullptr;
  return s;
}
#elif defined(__aarch64__)
extern "C" void fd_emulator_switch(void** save, void* to);
asm(R"(
.text
.globl fd_emulator_switch
.hidden fd_emulator_switch
.type fd_emulator_switch,%function
fd_emulator_switch:
  sub sp, sp, #160
  stp x19, x20, [sp]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size fd_emulator_switch,.-fd_emulator_switch
)");

void* fresh(char* top, char*, void (*entry)()) {
  auto** s = reinterpret_cast<void**>(top) - 20;
  for (int i = 0; i < 20; i++) s[i] = nullptr;
  s[11] = reinterpret_cast<void*>(entry);
  return s;
}
#else
void fd_emulator_switch(void** save, void* to) {
  ucontext_t here;
  *save = &here;
  swapcontext(&here, static_cast<ucontext_t*>(to));
}

void* fresh(char*, char* bottom, void (*entry)()) {
  auto* context = new ucontext_t;  // lives as long as the fiber, which lives as long as the process
  getcontext(context);
  context->uc_stack.ss_sp = bottom;
  context->uc_stack.ss_size = kStackBytes;
  context->uc_link = nullptr;
  makecontext(context, entry, 0);
  return context;
}
#endif

Fiber* running;
void* main_stack_pointer;
void* main_tsan;
void* main_fake_stack;
const void* main_bottom;
size_t main_bytes;

}  // namespace

Fiber::Fiber(void (*entry)()) : entry_(entry) {
  void* const p = mmap(nullptr, kGuard + kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  mprotect(p, kGuard, PROT_NONE);
  stack_ = static_cast<char*>(p) + kGuard;
  if (under_tsan()) tsan_ = __tsan_create_fiber(0);
  reset();
}

Fiber::~Fiber() {
  if (tsan_) __tsan_destroy_fiber(tsan_);
  munmap(stack_ - kGuard, kGuard + kStackBytes);
}

void Fiber::reset() {
  asan_unpoison(stack_, kStackBytes);
  stack_pointer_ = fresh(stack_ + kStackBytes, stack_, entry_);
}

void Fiber::resume() {
  running = this;
  if (tsan_) {
    main_tsan = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(tsan_, kNoSync);
  }
  if (__sanitizer_start_switch_fiber) __sanitizer_start_switch_fiber(&main_fake_stack, stack_, kStackBytes);
  fd_emulator_switch(&main_stack_pointer, stack_pointer_);
  if (__sanitizer_finish_switch_fiber) __sanitizer_finish_switch_fiber(main_fake_stack, nullptr, nullptr);
}

void Fiber::pause() {
  Fiber* const self = running;
  if (self->tsan_) __tsan_switch_to_fiber(main_tsan, kNoSync);
  if (__sanitizer_start_switch_fiber) __sanitizer_start_switch_fiber(&self->fake_stack_, main_bottom, main_bytes);
  fd_emulator_switch(&self->stack_pointer_, main_stack_pointer);
  if (__sanitizer_finish_switch_fiber) __sanitizer_finish_switch_fiber(self->fake_stack_, &main_bottom, &main_bytes);
}

void Fiber::started() {
  if (__sanitizer_finish_switch_fiber) __sanitizer_finish_switch_fiber(nullptr, &main_bottom, &main_bytes);
}

bool under_tsan() { return __tsan_create_fiber != nullptr; }
void tsan_release(void* at) {
  if (under_tsan()) __tsan_release(at);
}
void tsan_acquire(void* at) {
  if (under_tsan()) __tsan_acquire(at);
}
void asan_poison(void* at, size_t bytes) {
  if (__asan_poison_memory_region) __asan_poison_memory_region(at, bytes);
}
void asan_unpoison(void* at, size_t bytes) {
  if (__asan_unpoison_memory_region) __asan_unpoison_memory_region(at, bytes);
}

}  // namespace fd::emulator
