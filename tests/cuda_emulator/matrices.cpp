// Where each element of a fragment belongs follows fd/mma.h. Built without sanitizers, as block.cpp.
#include "kernels/cuda/fd/mma.h"

namespace fd::emulator {

namespace {

template <class T>
T half_of(uint32_t word, int which) {
  return {uint16_t(which ? word >> 16 : word)};
}

// The elements of a word of k, one or two.
int unpack(Words words, uint32_t word, float (&out)[2]) {
  switch (words) {
    case Words::float32:
      out[0] = gpu::float_of(word & 0xffffe000u);
      return 1;
    case Words::float16:
      for (int i = 0; i < 2; i++) out[i] = gpu::to_float(half_of<gpu::Float16>(word, i));
      return 2;
    default:
      for (int i = 0; i < 2; i++) out[i] = gpu::to_float(half_of<gpu::BFloat16>(word, i));
      return 2;
  }
}

}  // namespace

void exchange_rows(void* const* lanes) {
  const auto at = [lanes](int lane) { return static_cast<MatrixRows*>(lanes[lane]); };
  for (int lane = 0; lane < 32; lane++) {
    const int g = lane / 4, t = lane % 4;
    for (int matrix = 0; matrix < 4; matrix++) {
      const auto element = [&](int row, int column) {
        return at(matrix * 8 + row)->row[column / 2] >> (column % 2 * 16) & 0xffff;
      };
      at(lane)->out[matrix] = at(lane)->transposed ? element(2 * t, g) | element(2 * t + 1, g) << 16
                                                   : element(g, 2 * t) | element(g, 2 * t + 1) << 16;
    }
  }
}

void multiply_lanes(void* const* lanes) {
  const auto at = [lanes](int lane) { return static_cast<Product*>(lanes[lane]); };
  const Words words = at(0)->words;
  float a[16][16], b[8][16];
  int depth = 0;
  for (int lane = 0; lane < 32; lane++) {
    const int g = lane / 4, t = lane % 4;
    for (int i = 0; i < 4; i++) {
      float x[2];
      const int each = unpack(words, at(lane)->a[i], x);
      depth = 8 * each;
      for (int e = 0; e < each; e++) a[g + i % 2 * 8][(t + i / 2 * 4) * each + e] = x[e];
    }
    for (int i = 0; i < 2; i++) {
      float x[2];
      const int each = unpack(words, at(lane)->b[i], x);
      for (int e = 0; e < each; e++) b[g][(t + i * 4) * each + e] = x[e];
    }
  }
  for (int lane = 0; lane < 32; lane++)
    for (int i = 0; i < 4; i++) {
      const int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
      float sum = at(lane)->d[i];
      for (int k = 0; k < depth; k++) sum += a[row][k] * b[column][k];
      at(lane)->d[i] = sum;
    }
}

}  // namespace fd::emulator
