// One grid after another, block by block, every CUDA thread of a block a fiber that is switched only at barriers and
// warp collectives. Order of blocks and threads: forward, reverse or random (FREEDIVE_EMULATOR_ORDER), so that a
// missing barrier shows as a wrong result; under ThreadSanitizer it is reported with both places.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

namespace fd::emulator {

struct Thread {
  uint3 index;
  unsigned number, lane, warp;
};
extern Thread* current;
extern uint3 block_index;
extern dim3 block_size, grid_size;

// Where in the source a barrier or collective stands.
struct Place {
  const char* file;
  int line;
};
enum class Vote { none, any, all, count };
enum class WarpOp { sync, shuffle, ballot, combine };

int barrier(int value, Vote vote, Place place);
uint64_t warp(WarpOp op, unsigned mask, uint64_t value, int source, Place place);
// A whole warp meets; how() then gets what each lane brought. Orders no memory.
void combine(void* mine, void (*how)(void* const* lanes), Place place);
// The calling thread goes on once ready(what) holds. Asked again only when no other thread can run; if none of those
// that wait is ready either, boxes on their way land (boxes.h).
void wait_until(bool (*ready)(const void* what), const void* what, Place place);
// Goes on when no other thread can without a box.
void let_others_go(Place place);
// The kernel goes no further: what is wrong, in printf's form.
[[gnu::format(printf, 1, 2)]] void fault(const char* format, ...);
void* shared_memory(const void* key, size_t bytes, size_t align);
void* dynamic_shared_memory();

// 0 or the CUDA error number; last_report() then says what went wrong and where.
int run_grid(dim3 grid, dim3 block, size_t dynamic_shared, const std::function<void()>& kernel);
const char* last_report();

enum class Order { forward, reverse, random };
void set_order(Order order, uint64_t seed);

}  // namespace fd::emulator
