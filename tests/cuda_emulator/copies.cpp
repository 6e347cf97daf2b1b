// Built without sanitizers and without allocation amid a kernel, as block.cpp.
#include "copies.h"

namespace fd::emulator {

namespace {

constexpr unsigned kMostThreads = 1024, kInFlight = 256;

struct Queue {
  Copy ring[kInFlight];
  unsigned group[kInFlight];
  unsigned first, count, open;  // open: the group that copies now join
};

Queue queues[kMostThreads];

}  // namespace

void copies_reset(unsigned threads) {
  for (unsigned i = 0; i < threads; i++) queues[i].first = queues[i].count = queues[i].open = 0;
}

void copy_begin(const Copy& copy, Place place) {
  const auto stray = [&copy](const void* p) { return reinterpret_cast<uintptr_t>(p) % copy.bytes != 0; };
  if (stray(copy.to) || stray(copy.from) || copy.valid > copy.bytes)
    fault("a copy of %u bytes, %u valid, from %p to %p (%s:%d)", copy.bytes, copy.valid, copy.from, copy.to, place.file,
          place.line);
  Queue& q = queues[current->number];
  if (q.count == kInFlight) fault("more than %u copies in flight (%s:%d)", kInFlight, place.file, place.line);
  const unsigned at = (q.first + q.count++) % kInFlight;
  q.ring[at] = copy;
  q.group[at] = q.open;
}

void copy_commit() { queues[current->number].open++; }

bool copy_next(unsigned left, Copy* out) {
  Queue& q = queues[current->number];
  if (q.count == 0 || q.group[q.first] + left >= q.open) return false;
  *out = q.ring[q.first];
  q.first = (q.first + 1) % kInFlight;
  q.count--;
  return true;
}

}  // namespace fd::emulator
