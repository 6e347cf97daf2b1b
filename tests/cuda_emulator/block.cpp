// Built without sanitizers: it tells ThreadSanitizer which barriers order what, and AddressSanitizer which shared
// memory may be touched.
#include "block.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "boxes.h"
#include "copies.h"
#include "fiber.h"
#include "runtime.h"

namespace fd::emulator {

Thread* current;
uint3 block_index;
dim3 block_size, grid_size;

namespace {

constexpr size_t kSharedLimit = size_t(227) << 10;  // a block's on sm_90
constexpr size_t kArena = size_t(320) << 10;        // with room for red zones
constexpr size_t kRedZone = 128;
constexpr unsigned kMasks = 8;  // different masks in flight in one warp

enum class State { fresh, ready, at_barrier, in_warp, waiting, done };

struct Worker : Thread {
  State state = State::fresh;
  Fiber* fiber = nullptr;
  Place place = {};
  uint64_t in = 0, out = 0;
  int source = 0;
  bool (*condition)(const void* what) = nullptr;
  const void* what = nullptr;
};

// Successive phases of a barrier use different addresses for ThreadSanitizer, so that a thread that has already come
// to the next phase is not taken to be ordered before one that is still leaving this one.
struct Phases {
  unsigned generation = 0;
  char at[4] = {};
  void* now() { return &at[generation % 4]; }
};

struct Barrier : Phases {
  unsigned arrived = 0;
  int votes = 0;
  Place place = {};
};

struct Meeting : Phases {
  unsigned mask = 0, present = 0;
  WarpOp op = WarpOp::sync;
  Place place = {};
  void (*how)(void* const* lanes) = nullptr;
};

// Threads that may go on. A fixed ring, each thread in it at most once: fibers must not allocate, because sanitizers
// would see one fiber's memory in another's hands.
class Ready {
 public:
  bool empty() const { return count_ == 0; }
  unsigned size() const { return count_; }
  unsigned& operator[](unsigned i) { return ring_[(first_ + i) % kMost]; }
  void clear() { count_ = 0; }
  void push(unsigned number) { (*this)[count_++] = number; }
  unsigned pop_front() {
    const unsigned number = (*this)[0];
    first_ = (first_ + 1) % kMost;
    count_--;
    return number;
  }
  unsigned pop_back() { return (*this)[--count_]; }

 private:
  static constexpr unsigned kMost = 1024;
  std::array<unsigned, kMost> ring_ = {};
  unsigned first_ = 0, count_ = 0;
};

struct Block {
  std::vector<Worker> workers;
  std::vector<unsigned> order;
  size_t next_fresh = 0;
  unsigned alive = 0;
  Ready ready;
  Barrier barrier;
  std::vector<std::array<Meeting, kMasks>> warps;
  std::vector<std::pair<const void*, char*>> shared;
  char* shared_top = nullptr;
  size_t dynamic_bytes = 0;
};

Block block;
std::vector<std::unique_ptr<Fiber>> fibers;
std::vector<Fiber*> idle;
char* arena;
const std::function<void()>* body;
bool failed = false;
std::string report;
Order order = Order::forward;
uint64_t seed = 1, random_state = 1;
char launched, finished;  // what ThreadSanitizer sees a launch and its end as

uint64_t random_bits() {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

bool same(Place a, Place b) { return a.line == b.line && std::strcmp(a.file, b.file) == 0; }

Worker& self() { return *static_cast<Worker*>(current); }

}  // namespace

// The kernel goes no further; its fibers are dropped, not unwound.
void fault(const char* format, ...) {
  char what[400];
  va_list args;
  va_start(args, format);
  std::vsnprintf(what, sizeof(what), format, args);
  va_end(args);
  if (!failed) {
    report = what;
    if (current) {
      char where[120];
      std::snprintf(where, sizeof(where), " [block %u,%u,%u thread %u]", block_index.x, block_index.y, block_index.z,
                    current->number);
      report += where;
    }
  }
  failed = true;
  if (current) Fiber::pause();
}

namespace {

void wake(Worker& w) {
  w.state = State::ready;
  block.ready.push(w.number);
}

void wait_as(State state) {
  Worker* const me = &self();
  me->state = state;
  Fiber::pause();
  current = me;
}

bool complete(Meeting& m, unsigned warp);

void finish_thread() {
  Worker& me = self();
  me.state = State::done;
  block.alive--;
  tsan_release(&finished);
  for (Meeting& m : block.warps[me.warp])
    if (m.mask) complete(m, me.warp);
  if (block.barrier.arrived)
    fault("a thread ended while others wait at __syncthreads() (%s:%d)", block.barrier.place.file,
          block.barrier.place.line);
}

// A kernel without barriers never leaves this loop: the next thread runs on the same stack.
void fiber_main() {
  Fiber::started();
  for (;;) {
    tsan_acquire(&launched);
    (*body)();
    Fiber* const mine = self().fiber;
    finish_thread();
    if (!under_tsan() && !failed && block.ready.empty() && block.next_fresh < block.order.size()) {
      Worker& next = block.workers[block.order[block.next_fresh++]];
      next.fiber = mine;
      next.state = State::ready;
      current = &next;
      continue;
    }
    idle.push_back(mine);
    Fiber::pause();
  }
}

// Under ThreadSanitizer a random one, so that a stack serves different threads in successive blocks.
Fiber* take_fiber() {
  const size_t i = under_tsan() ? random_bits() % idle.size() : idle.size() - 1;
  std::swap(idle[i], idle.back());
  Fiber* const f = idle.back();
  idle.pop_back();
  return f;
}

void run(Worker& w) {
  if (w.state == State::fresh) {
    w.fiber = take_fiber();
    w.state = State::ready;
  }
  current = &w;
  w.fiber->resume();
  current = nullptr;
}

// A fresh mapping under ThreadSanitizer: reuse of shared memory by the next block is no race. The raw call keeps it
// from recording a write of ours.
void fresh_arena() {
  if (arena && !under_tsan()) return;
  if (arena) munmap(arena, kArena);
  const int fixed = arena ? MAP_FIXED : 0;
  arena = reinterpret_cast<char*>(
      syscall(SYS_mmap, arena, kArena, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0));
}

void start_block(dim3 index, unsigned threads) {
  block_index = {index.x, index.y, index.z};
  fresh_arena();
  asan_poison(arena, kArena);
  block.workers.assign(threads, {});
  block.order.resize(threads);
  block.next_fresh = 0;
  block.alive = threads;
  block.ready.clear();
  block.barrier = {};
  block.warps.assign((threads + 31) / 32, {});
  block.shared.clear();
  block.shared.reserve(kArena / kRedZone);
  block.shared_top = arena;
  copies_reset(threads);
  boxes_reset();
  for (unsigned i = 0; i < threads; i++) {
    Worker& w = block.workers[i];
    w.index = {i % block_size.x, i / block_size.x % block_size.y, i / (block_size.x * block_size.y)};
    w.number = i;
    w.lane = i % 32;
    w.warp = i / 32;
    block.order[i] = order == Order::reverse ? threads - 1 - i : i;
  }
  if (order == Order::random)
    for (unsigned i = threads - 1; i > 0; i--) std::swap(block.order[i], block.order[random_bits() % (i + 1)]);
}

Worker* next_ready() {
  if (block.ready.empty()) return nullptr;
  if (order == Order::random) std::swap(block.ready[0], block.ready[unsigned(random_bits() % block.ready.size())]);
  const unsigned number = order == Order::reverse ? block.ready.pop_back() : block.ready.pop_front();
  return &block.workers[number];
}

Worker* next_fresh() {
  return block.next_fresh < block.order.size() ? &block.workers[block.order[block.next_fresh++]] : nullptr;
}

bool wake_if(bool (*due)(const Worker& w)) {
  for (Worker& w : block.workers)
    if (w.state == State::waiting && due(w)) wake(w);
  return !block.ready.empty();
}

// When nobody else can run: those whose condition has come true, else those that let others go first, else boxes land.
bool wake_waiting() {
  do {
    if (wake_if([](const Worker& w) { return w.condition && w.condition(w.what); })) return true;
    if (wake_if([](const Worker& w) { return !w.condition; })) return true;
  } while (land_box());
  return false;
}

void run_block() {
  while (block.alive && !failed) {
    const bool fresh_first = order == Order::random && random_bits() % 2;
    Worker* w = fresh_first ? next_fresh() : next_ready();
    if (!w) w = fresh_first ? next_ready() : next_fresh();
    if (w) {
      run(*w);
      continue;
    }
    if (wake_waiting()) continue;
    for (const Worker& waiting : block.workers)
      if (waiting.state != State::done) {
        fault("deadlock: thread %u waits at %s:%d", waiting.number, waiting.place.file, waiting.place.line);
        break;
      }
  }
}

void prepare_fibers(unsigned threads) {
  // More than are needed, so that ThreadSanitizer sees different ones.
  const size_t wanted = under_tsan() && threads < 64 ? 64 : threads;
  while (fibers.size() < wanted) fibers.push_back(std::make_unique<Fiber>(fiber_main));
  idle.clear();
  for (auto& f : fibers) idle.push_back(f.get());
}

// Whether all lanes of the mask are there; then they are answered and woken.
bool complete(Meeting& m, unsigned warp) {
  Worker* lanes[32] = {};
  unsigned needed = 0, votes = 0;
  for (unsigned l = 0; l < 32 && warp * 32 + l < block.workers.size(); l++) {
    if (!(m.mask >> l & 1)) continue;
    Worker& w = block.workers[warp * 32 + l];
    if (w.state == State::done) {
      fault("lane %u of warp %u, named in the mask of the collective at %s:%d, has ended", l, warp, m.place.file,
            m.place.line);
      return false;
    }
    needed |= 1u << l;
    lanes[l] = &w;
    if (w.in) votes |= 1u << l;
  }
  if ((m.present & needed) != needed) return false;
  for (unsigned l = 0; l < 32; l++) {
    if (!lanes[l]) continue;
    const Worker* const from = lanes[unsigned(lanes[l]->source) % 32];
    if (m.op == WarpOp::shuffle) lanes[l]->out = from ? from->in : 0xdeadbeefdeadbeefu;
    if (m.op == WarpOp::ballot) lanes[l]->out = votes;
  }
  if (m.op == WarpOp::combine) {
    void* brought[32];
    for (unsigned l = 0; l < 32; l++) brought[l] = lanes[l] ? reinterpret_cast<void*>(lanes[l]->in) : nullptr;
    m.how(brought);
  }
  for (Worker* w : lanes)
    if (w && w != current) wake(*w);
  m.mask = 0;
  m.generation++;
  return true;
}

Meeting& meeting_for(unsigned mask, Worker& me) {
  for (Meeting& m : block.warps[me.warp])
    if (m.mask == mask) return m;
  for (Meeting& m : block.warps[me.warp])
    if (m.mask & mask)
      fault("lanes of warp %u wait with different masks, %08x at %s:%d and %08x at %s:%d", me.warp, m.mask,
            m.place.file, m.place.line, mask, me.place.file, me.place.line);
  for (Meeting& m : block.warps[me.warp])
    if (!m.mask) return m;
  fault("more than %u masks in flight in one warp", kMasks);
  std::abort();  // not reached: fault() does not come back to a kernel
}

uint64_t meet(WarpOp op, unsigned mask, uint64_t value, int source, Place place, void (*how)(void* const* lanes)) {
  Worker& me = self();
  me.in = value;
  me.source = source;
  me.place = place;
  if (!(mask >> me.lane & 1))
    fault("lane %u calls the collective at %s:%d with mask %08x, which lacks it", me.lane, place.file, place.line,
          mask);
  Meeting& m = meeting_for(mask, me);
  if (!m.mask) {
    m.mask = mask;
    m.present = 0;
    m.op = op;
    m.place = place;
    m.how = how;
  } else if (m.op != op || !same(m.place, place)) {
    fault("lanes of warp %u are at different collectives, %s:%d and %s:%d", me.warp, m.place.file, m.place.line,
          place.file, place.line);
  }
  m.present |= 1u << me.lane;
  void* const phase = m.now();
  // Shuffles and votes order no memory, as on the device.
  if (op == WarpOp::sync) tsan_release(phase);
  if (!complete(m, me.warp)) wait_as(State::in_warp);
  if (op == WarpOp::sync) tsan_acquire(phase);
  return self().out;
}

}  // namespace

uint64_t warp(WarpOp op, unsigned mask, uint64_t value, int source, Place place) {
  return meet(op, mask, value, source, place, nullptr);
}

void combine(void* mine, void (*how)(void* const* lanes), Place place) {
  if (block.workers.size() % 32)
    fault("a matrix instruction in a warp that is not whole (%s:%d)", place.file, place.line);
  meet(WarpOp::combine, 0xffffffffu, reinterpret_cast<uint64_t>(mine), 0, place, how);
}

void wait_until(bool (*ready)(const void* what), const void* what, Place place) {
  Worker& me = self();
  me.place = place;
  me.condition = ready;
  me.what = what;
  if (!ready(what)) wait_as(State::waiting);
}

void let_others_go(Place place) {
  self().place = place;
  self().condition = nullptr;
  wait_as(State::waiting);
}

int barrier(int value, Vote vote, Place place) {
  Worker& me = self();
  Barrier& b = block.barrier;
  me.place = place;
  if (b.arrived == 0) {
    b.votes = vote == Vote::all;
    b.place = place;
  } else if (!same(b.place, place)) {
    fault("threads of one block are at different barriers, %s:%d and %s:%d", b.place.file, b.place.line, place.file,
          place.line);
  }
  if (block.alive != block.workers.size())
    fault("a thread ended before __syncthreads() (%s:%d)", place.file, place.line);
  b.votes = vote == Vote::all ? b.votes & value : vote == Vote::any ? b.votes | value : b.votes + value;
  void* const phase = b.now();
  tsan_release(phase);
  if (++b.arrived < block.alive) {
    wait_as(State::at_barrier);
  } else {
    b.arrived = 0;
    b.generation++;
    for (Worker& w : block.workers) {
      w.out = uint64_t(b.votes);
      if (w.state == State::at_barrier) wake(w);
    }
  }
  tsan_acquire(phase);
  return int(self().out);
}

void* shared_memory(const void* key, size_t bytes, size_t align) {
  for (const auto& [known, at] : block.shared)
    if (known == key) return at;
  const auto top = reinterpret_cast<uintptr_t>(block.shared_top) + kRedZone;
  char* const at = reinterpret_cast<char*>((top + align - 1) / align * align);
  if (at + bytes + kRedZone > arena + kArena) fault("a block's shared memory is more than it may have");
  block.shared_top = at + bytes;
  block.shared.emplace_back(key, at);
  asan_unpoison(at, bytes);
  if (!under_tsan()) std::memset(at, 0xff, bytes);  // what nobody has written reads as NaN
  return at;
}

void* dynamic_shared_memory() {
  static const char key = 0;
  return shared_memory(&key, block.dynamic_bytes ? block.dynamic_bytes : 16, 1024);
}

int run_grid(dim3 grid, dim3 size, size_t dynamic_shared, const std::function<void()>& kernel) {
  const unsigned threads = size.x * size.y * size.z;
  const bool fits = threads > 0 && threads <= 1024 && dynamic_shared <= kSharedLimit && grid.x > 0 && grid.y > 0 &&
                    grid.z > 0 && grid.x <= 0x7fffffffu && grid.y <= 65535 && grid.z <= 65535;
  if (!fits) {
    report = "the launch configuration is not valid";
    return cudaErrorInvalidConfiguration;
  }
  failed = false;
  body = &kernel;
  block_size = size;
  grid_size = grid;
  block.dynamic_bytes = dynamic_shared;
  random_state = seed * 0x9e3779b97f4a7c15u | 1;
  block.workers.resize(threads);  // before the release: instrumented code reads them
  prepare_fibers(threads);
  tsan_release(&launched);
  const size_t blocks = size_t(grid.x) * grid.y * grid.z, start = order == Order::random ? random_bits() % blocks : 0;
  for (size_t b = 0; b < blocks && !failed; b++) {
    const size_t i = order == Order::reverse ? blocks - 1 - b : (start + b) % blocks;
    start_block({unsigned(i % grid.x), unsigned(i / grid.x % grid.y), unsigned(i / grid.x / grid.y)}, threads);
    run_block();
  }
  tsan_acquire(&finished);
  asan_unpoison(arena, kArena);
  current = nullptr;
  if (!failed) return cudaSuccess;
  std::fprintf(stderr, "CUDA emulator: %s\n", report.c_str());
  for (auto& f : fibers) f->reset();
  return cudaErrorLaunchFailure;
}

const char* last_report() { return report.c_str(); }

void set_order(Order wanted, uint64_t wanted_seed) {
  order = wanted;
  seed = wanted_seed ? wanted_seed : 1;
}

}  // namespace fd::emulator
