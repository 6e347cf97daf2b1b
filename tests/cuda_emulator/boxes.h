// fd/hopper.h for the host. A box is NaN from the moment it is asked for and lands when nobody can go on without it; a
// product reads its operands when a warp waits for it, so that a stage refilled or left too early shows. Sanitizers do
// not see these reads and writes. Barriers order memory, and a thread that waits for what never comes is a deadlock.
#pragma once

#include "matrices.h"

namespace fd {

struct TensorMap {
  const char* data;
  int64_t rows, cols, ld, batch, batch_step;
  int box_rows;
};
bool describe(TensorMap* map, const void* data, int64_t rows, int64_t cols, int64_t ld, int64_t batch,
              int64_t batch_step, int box_rows);

struct SharedMatrix {
  const char* at;
  int across;
};
inline SharedMatrix shared_matrix(const void* p, int across) { return {static_cast<const char*>(p), across}; }

namespace emulator {

struct GroupProduct {
  float* d;
  int values;
  SharedMatrix a, b;
  bool add, turned_a, turned_b;
  Words words;
};

void barrier_init(uint64_t* barrier, int count, Place place);
void barrier_arrive(uint64_t* barrier, int bytes, Place place);
void barrier_wait(uint64_t* barrier, int parity, Place place);
void box_load(void* to, const TensorMap& map, uint64_t* barrier, int64_t col, int64_t row, int64_t batch, Place place);
void group_multiply(const GroupProduct& product, Place place);
void group_commit(Place place);
void group_wait(unsigned left, Place place);
void boxes_reset();
bool land_box();  // the oldest on its way; false if there is none

}  // namespace emulator

inline void barrier_init(uint64_t* barrier, int count, FD_HERE) { emulator::barrier_init(barrier, count, place); }
inline void barrier_init_done() {}
inline void barrier_arrive(uint64_t* barrier, FD_HERE) { emulator::barrier_arrive(barrier, 0, place); }
inline void barrier_arrive_expecting(uint64_t* barrier, int bytes, FD_HERE) {
  emulator::barrier_arrive(barrier, bytes, place);
}
inline void barrier_wait(uint64_t* barrier, int parity, FD_HERE) { emulator::barrier_wait(barrier, parity, place); }
inline void box_load(void* to, const TensorMap* map, uint64_t* barrier, int col, int row, int batch, FD_HERE) {
  emulator::box_load(to, *map, barrier, col, row, batch, place);
}

inline void group_fence() {}
inline void group_commit(FD_HERE) { emulator::group_commit(place); }
template <int Left>
void group_wait(FD_HERE) {
  emulator::group_wait(Left, place);
}
template <int Values>
void group_finish(float (&)[Values], FD_HERE) {
  emulator::group_wait(0, place);
}
template <int Count>
void registers_more() {}
template <int Count>
void registers_less() {}

template <class T, bool TurnedA, bool TurnedB, int Values>
void group_multiply(float (&d)[Values], SharedMatrix a, SharedMatrix b, bool add, FD_HERE) {
  static_assert(gpu::is_half<T>);
  emulator::group_multiply({d, Values, a, b, add, TurnedA, TurnedB, words_of<T>}, place);
}

}  // namespace fd
