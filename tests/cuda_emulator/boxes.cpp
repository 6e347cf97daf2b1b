// Built without sanitizers and without allocation amid a kernel, as block.cpp.
#include "kernels/cuda/fd/hopper.h"

#include "fiber.h"

namespace fd::emulator {

namespace {

// What a barrier's 64 bits hold. Fresh shared memory is all ones, which no barrier is.
struct Bits {
  uint32_t phase : 1, pending : 15, count : 16;
  int32_t bytes;  // that are still to come
};
static_assert(sizeof(Bits) == 8);

Bits& bits(uint64_t* barrier) { return *reinterpret_cast<Bits*>(barrier); }
const Bits& bits(const uint64_t* barrier) { return *reinterpret_cast<const Bits*>(barrier); }

// One address for each parity, for ThreadSanitizer.
void* phase_of(uint64_t* barrier, unsigned parity) { return reinterpret_cast<char*>(barrier) + parity; }

void end_phase_if_complete(uint64_t* barrier) {
  Bits& b = bits(barrier);
  if (b.pending || b.bytes) return;
  b.phase ^= 1;
  b.pending = b.count;
}

struct Box {
  char* to;
  TensorMap map;
  uint64_t* barrier;
  int64_t col, row, batch;
};

template <class T, unsigned Most>
struct Queue {
  T ring[Most];
  unsigned first = 0, count = 0;
  bool full() const { return count == Most; }
  void push(const T& x) { ring[(first + count++) % Most] = x; }
  T& front() { return ring[first]; }
  void pop() { first = (first + 1) % Most, count--; }
};

struct Pending {
  GroupProduct product;
  float* d[32];
  unsigned commit;  // which one it belongs to
};
struct Warp {
  Queue<Pending, 64> products;
  unsigned commits = 0;
};

Queue<Box, 256> boxes;
Warp warps[32];

// What a warp's lanes say together.
struct Word {
  enum { multiply, commit, wait } what;
  const GroupProduct* product;
  unsigned left, warp, lane;
};

float element(SharedMatrix m, bool turned, int w, int k, Words words) {
  const int64_t offset = turned ? w / 64 * int64_t(m.across) + k / 8 * 1024 + k % 8 * 128 + w % 64 * 2
                                : w / 8 * 1024 + w % 8 * 128 + k * 2;
  auto at = reinterpret_cast<uintptr_t>(m.at + offset);
  at ^= (at >> 7 & 7) << 4;
  const uint16_t half = *reinterpret_cast<const uint16_t*>(at);
  return words == Words::bfloat16 ? gpu::to_float(gpu::BFloat16{half}) : gpu::to_float(gpu::Float16{half});
}

// A warp has 16 of its group's 64 rows.
void execute(const Pending& p, unsigned warp) {
  static float a[16][16], b[256][16];
  const GroupProduct& g = p.product;
  const int columns = g.values * 2;
  for (int k = 0; k < 16; k++) {
    for (int r = 0; r < 16; r++) a[r][k] = element(g.a, g.turned_a, int(warp % 4) * 16 + r, k, g.words);
    for (int c = 0; c < columns; c++) b[c][k] = element(g.b, g.turned_b, c, k, g.words);
  }
  for (int lane = 0; lane < 32; lane++)
    for (int i = 0; i < g.values; i++) {
      const int row = lane / 4 + i / 2 % 2 * 8, column = i / 4 * 8 + lane % 4 * 2 + i % 2;
      float sum = g.add ? p.d[lane][i] : 0;
      for (int k = 0; k < 16; k++) sum += a[row][k] * b[column][k];
      p.d[lane][i] = sum;
    }
}

void say(void* const* lanes) {
  const Word& w = *static_cast<Word*>(lanes[0]);
  Warp& warp = warps[w.warp];
  if (w.what == Word::multiply) {
    Pending p = {*w.product, {}, warp.commits};
    for (int lane = 0; lane < 32; lane++) p.d[lane] = static_cast<Word*>(lanes[lane])->product->d;
    warp.products.push(p);
  } else if (w.what == Word::commit) {
    warp.commits++;
  } else {
    while (warp.products.count && warp.products.front().commit + w.left < warp.commits) {
      execute(warp.products.front(), w.warp);
      warp.products.pop();
    }
  }
}

}  // namespace

void barrier_init(uint64_t* barrier, int count, Place place) {
  if (count < 1 || count > 0x7fff) fault("a barrier of %d arrivals (%s:%d)", count, place.file, place.line);
  bits(barrier) = {0, unsigned(count), unsigned(count), 0};
}

void barrier_arrive(uint64_t* barrier, int bytes, Place place) {
  Bits& b = bits(barrier);
  if (b.count > 0x7fff || b.pending == 0)
    fault("an arrival at a barrier that is full or was not initialised (%s:%d)", place.file, place.line);
  tsan_release(phase_of(barrier, b.phase));
  b.bytes += bytes;
  b.pending--;
  end_phase_if_complete(barrier);
}

void barrier_wait(uint64_t* barrier, int parity, Place place) {
  if (bits(barrier).count > 0x7fff)
    fault("a wait at a barrier that was not initialised (%s:%d)", place.file, place.line);
  const auto ended = [](const void* b) { return bits(static_cast<const uint64_t*>(b)).phase != 0; };
  const auto ended_odd = [](const void* b) { return bits(static_cast<const uint64_t*>(b)).phase != 1; };
  wait_until(parity ? +ended_odd : +ended, barrier, place);
  tsan_acquire(phase_of(barrier, unsigned(parity)));
}

void box_load(void* to, const TensorMap& map, uint64_t* barrier, int64_t col, int64_t row, int64_t batch, Place place) {
  if (reinterpret_cast<uintptr_t>(to) % 1024) fault("a box's place is not aligned (%s:%d)", place.file, place.line);
  if (boxes.full()) fault("too many boxes on their way (%s:%d)", place.file, place.line);
  boxes.push({static_cast<char*>(to), map, barrier, col, row, batch});
  std::memset(to, 0xff, size_t(map.box_rows) * 128);
}

bool land_box() {
  if (boxes.count == 0) return false;
  const Box b = boxes.front();
  boxes.pop();
  for (int r = 0; r < b.map.box_rows; r++)
    for (int e = 0; e < 64; e++) {
      const int64_t row = b.row + r, col = b.col + e;
      const bool inside = row < b.map.rows && col < b.map.cols && b.batch < b.map.batch;
      const char* const from = b.map.data + (b.batch * b.map.batch_step + row * b.map.ld + col) * 2;
      char* const to = b.to + r * 128 + (e / 8 ^ r % 8) * 16 + e % 8 * 2;
      if (inside)
        std::memcpy(to, from, 2);
      else
        std::memset(to, 0, 2);
    }
  bits(b.barrier).bytes -= b.map.box_rows * 128;
  end_phase_if_complete(b.barrier);
  return true;
}

void group_multiply(const GroupProduct& product, Place place) {
  if (warps[current->warp].products.full())
    fault("too many products of a warp that nobody waits for (%s:%d)", place.file, place.line);
  Word w = {Word::multiply, &product, 0, current->warp, current->lane};
  combine(&w, say, place);
}

void group_commit(Place place) {
  Word w = {Word::commit, nullptr, 0, current->warp, current->lane};
  combine(&w, say, place);
}

void group_wait(unsigned left, Place place) {
  let_others_go(place);  // a product that is not waited for may still read
  Word w = {Word::wait, nullptr, left, current->warp, current->lane};
  combine(&w, say, place);
}

void boxes_reset() {
  boxes.count = 0;
  for (Warp& w : warps) w.products.count = w.commits = 0;
}

}  // namespace fd::emulator

namespace fd {

bool describe(TensorMap* map, const void* data, int64_t rows, int64_t cols, int64_t ld, int64_t batch,
              int64_t batch_step, int box_rows) {
  const bool aligned =
      reinterpret_cast<uintptr_t>(data) % 16 == 0 && ld % 8 == 0 && (batch == 1 || batch_step % 8 == 0);
  if (!aligned || box_rows < 1 || box_rows > 256) return false;
  *map = {static_cast<const char*>(data), rows, cols, ld, batch, batch_step, box_rows};
  return true;
}

}  // namespace fd
