// fd/async.h for the host. A copy's destination is NaN from the moment it is asked for until the wait that it must have
// landed by. The bytes move here, in the kernels' own code, so that sanitizers see who reads and writes them.
#pragma once

#include <cstring>

#include "language.h"

namespace fd {

namespace emulator {

struct Copy {
  void* to;
  const void* from;
  unsigned bytes, valid;
};

void copy_begin(const Copy& copy, Place place);
void copy_commit();
// The calling thread's oldest copy that is not among its last `left` groups; false if there is none.
bool copy_next(unsigned left, Copy* out);
void copies_reset(unsigned threads);

}  // namespace emulator

template <int Bytes>
void copy_async(void* to, const void* from, int valid, FD_HERE) {
  static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16);
  emulator::copy_begin({to, from, unsigned(Bytes), unsigned(valid)}, place);
  std::memset(to, 0xff, Bytes);
}
template <int Bytes>
void copy_async(void* to, const void* from, FD_HERE) {
  copy_async<Bytes>(to, from, Bytes, place);
}
inline void copy_commit() { emulator::copy_commit(); }
template <int Left>
void copy_wait() {
  emulator::Copy c;
  while (emulator::copy_next(Left, &c)) {
    std::memcpy(c.to, c.from, c.valid);
    std::memset(static_cast<char*>(c.to) + c.valid, 0, c.bytes - c.valid);
  }
}

}  // namespace fd
