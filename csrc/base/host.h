// What the core asks of the interpreter that hosts it, as function pointers: only bindings/ knows Python.
#pragma once

namespace fd {

struct Host {
  void (*incref)(void* object) = nullptr;
  void (*decref)(void* object) = nullptr;
  long (*refcount)(void* object) = nullptr;
  void* (*unlock)() = nullptr;  // gives up the interpreter lock; nullptr if this thread does not hold it
  void (*lock)(void* state) = nullptr;
};

inline Host host;

// Gives up the interpreter lock while a long kernel runs, so that other Python threads go on.
class Unlocked {
 public:
  explicit Unlocked(bool worth_it) : state_(worth_it && host.unlock ? host.unlock() : nullptr) {}
  ~Unlocked() {
    if (state_) host.lock(state_);
  }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  void* state_;
};

}  // namespace fd
