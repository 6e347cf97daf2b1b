// What the parts of gemm share. gemm.cpp cuts a product into pieces of C for the threads; gemm_block.h walks a piece in
// blocks that fit the caches; gemm_kernel.h multiplies one row of register tiles; gemm_thin.h has the shapes that do
// not fill a tile.
#pragma once

#include "kernels/cpu/simd.h"
#include "kernels/cpu/tasks.h"
#include "kernels/kernels.h"

#define FD_UNROLL _Pragma("GCC unroll 32")

namespace fd::FD_ISA {

// A tile is kTileRows rows of C by kTileVecs vectors; where C is no wider than one vector, kTallRows by one. All its
// accumulators stay in registers beside the operands: every vector of B serves kTileRows multiplications, every
// broadcast of A kTileVecs. NEON's vectors are short, so that a broadcast must serve three of them.
#if defined(FD_ISA_AVX512)
constexpr int kTileRows = 14, kTallRows = 24, kTileVecs = 2;
#elif defined(FD_ISA_AVX2)
constexpr int kTileRows = 6, kTallRows = 12, kTileVecs = 2;
#else
constexpr int kTileRows = 8, kTallRows = 16, kTileVecs = 3;
#endif
template <class T>
constexpr int64_t kTileCols = kTileVecs * Vec<T>::kLanes;

// One problem of a batch, with types.
template <class T>
struct Gemm {
  int64_t m, n, k;
  const T* a;
  const T* b;
  T* c;
  int64_t lda, ldb, ldc;
  bool trans_a, trans_b, accumulate;
  int activation, gate_activation;
  const T* bias;
  int64_t bias_step;  // 1; 0: bias[0] for every column
  const T* gate;
  int64_t ldgate;
};

struct Piece {
  int64_t row_begin, row_end, col_begin, col_end;
};

constexpr int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

// k is walked in even blocks of at most this many bytes per row: few, as C is read and written once per block, and
// short enough that a tile's rows of A and columns of B pass through L2 easily. Fixed, so that every machine of an ISA
// rounds alike.
template <class T>
constexpr int64_t kBlockK = 5120 / int64_t(sizeof(T));

// What is done to a tile before it is stored, in this order.
enum TileFlags { kTileAccumulate = 1, kTileBias = 2, kTileRelu = 4, kTileReluGate = 8, kTileRowBias = 16 };

// Equal tiles side by side.
template <class T>
struct TileRow {
  int64_t k;
  const T* a;  // A(i, l) = a[i * a_row + l * a_step]
  int64_t a_row, a_step;
  const T* b;  // B(l, j) = b[l * b_step + j]; the next tile's columns are b_tile further
  int64_t b_step, b_tile;
  T* pack;  // where a packing kernel stores the rows of B it reads, tile after tile
  T* c;
  int64_t ldc;
  const T* bias;  // kTileBias: one per column; kTileRowBias: one per row
  const T* gate;
  int64_t ldgate;
  int64_t tiles;
  int64_t lanes;  // of the last vector
  int flags;
};

// The kernel for `rows` rows by `vecs` vectors. masked: the last vector is partial; packing: B is also packed.
template <class T>
using TileKernel = void (*)(const TileRow<T>&);
template <class T>
TileKernel<T> tile_kernel(int rows, int vecs, bool masked, bool packing);

}  // namespace fd::FD_ISA
