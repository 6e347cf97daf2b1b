// fd/mma.h for the host. A lane reads its row of a matrix itself, so that sanitizers see it.
#pragma once

#include <cstring>

#include "kernels/cuda/element.h"
#include "language.h"

namespace fd {

namespace emulator {

struct MatrixRows {
  uint32_t row[4], out[4];
  bool transposed;
};
// What the operands' words hold.
enum class Words { float16, bfloat16, float32 };
struct Product {
  float* d;
  const uint32_t* a;
  uint32_t b[2];
  Words words;
};
void exchange_rows(void* const* lanes);   // MatrixRows
void multiply_lanes(void* const* lanes);  // Product

inline void load_matrices(uint32_t (&r)[4], const void* row, bool transposed, Place place) {
  MatrixRows m = {};
  m.transposed = transposed;
  if (reinterpret_cast<uintptr_t>(row) % 16) fault("ldmatrix: a row is not aligned (%s:%d)", place.file, place.line);
  std::memcpy(m.row, row, 16);
  combine(&m, exchange_rows, place);
  std::memcpy(r, m.out, 16);
}

}  // namespace emulator

template <class T>
constexpr emulator::Words words_of = std::is_same_v<T, gpu::BFloat16>  ? emulator::Words::bfloat16
                                     : std::is_same_v<T, gpu::Float16> ? emulator::Words::float16
                                                                       : emulator::Words::float32;

inline void load_matrices(uint32_t (&r)[4], const void* row, FD_HERE) { emulator::load_matrices(r, row, false, place); }
inline void load_matrices_transposed(uint32_t (&r)[4], const void* row, FD_HERE) {
  emulator::load_matrices(r, row, true, place);
}

template <class T>
void multiply_add(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, FD_HERE) {
  emulator::Product p = {d, a, {b0, b1}, words_of<T>};
  emulator::combine(&p, emulator::multiply_lanes, place);
}

inline uint32_t round_tf32(uint32_t bits) { return (bits + 0x1000u) & 0xffffe000u; }

}  // namespace fd
