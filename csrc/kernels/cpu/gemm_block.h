// One thread's piece of C, walked so that what is used again is in cache: blocks of k; in them blocks of columns, whose
// part of B stays in L2; in them rows of tiles, whose part of A stays in L1.
#pragma once

#include "kernels/cpu/gemm_finish.h"
#include "kernels/cpu/gemm_pack.h"

namespace fd::FD_ISA {

constexpr int64_t kMostRows = 1024;       // of a piece at a time: bounds the copy of A
constexpr int64_t kPackingRows = 4;       // rows of tiles from which a packed B pays for itself
constexpr int64_t kDefaultL2 = 1 << 20;   // if the machine does not say
constexpr int64_t kMostPacked = 1 << 19;  // bytes of B if A stays in L2 too: other data lives there as well
constexpr int64_t kCrowdedRows = 8;       // of a tile one vector wide, where rows compete for a few sets of L1

// The layout of one piece's walk and of its scratch memory.
template <class T>
struct BlockPlan {
  int64_t tile_rows;  // rows of tiles the rows are divided into, evenly
  int64_t cols;       // of a block
  int64_t k_blocks, most_k;
  bool pack_b, copy_a;
  int64_t copied_row;      // elements from one copied row of A to the next (A^T: per row of a panel)
  int64_t copied, packed;  // elements of scratch

  BlockPlan(const Gemm<T>& g, int64_t rows, int64_t all_cols, int64_t l2_bytes);
};

// Rows a multiple of half a page apart compete for the same few sets of L1.
template <class T>
bool apart_by(const Gemm<T>& g, int64_t bytes) {
  return g.lda * int64_t(sizeof(T)) % bytes == 0;
}

// Rows of the highest tile for that many columns.
template <class T>
int64_t tile_height(const Gemm<T>& g, int64_t all_cols) {
  if (all_cols > Vec<T>::kLanes) return kTileRows;
  return apart_by(g, 4096) && !g.trans_a ? kCrowdedRows : kTallRows;
}

// Whether A is worth a copy. Of A^T a tile reads a few elements per row and so two lines of each: more than L1 holds,
// which costs once L2 does not hold them either.
template <class T>
bool copies_a(const Gemm<T>& g, int64_t rows, int64_t all_cols, int64_t l2_bytes) {
  if (all_cols <= 4 * kTileCols<T>) return false;
  if (!g.trans_a) return apart_by(g, 2048);
  return apart_by(g, 4096) || rows * g.k * int64_t(sizeof(T)) > l2_bytes / 8;
}

template <class T>
BlockPlan<T>::BlockPlan(const Gemm<T>& g, int64_t rows, int64_t all_cols, int64_t l2_bytes) {
  constexpr int64_t kCols = kTileCols<T>;
  tile_rows = ceil_div(rows, tile_height(g, all_cols));
  k_blocks = most<int64_t>(1, ceil_div(g.k, kBlockK<T>));
  most_k = ceil_div(g.k, k_blocks);
  if (l2_bytes <= 0) l2_bytes = kDefaultL2;
  // An A larger than that passes by L2 once per block of columns: the wider they are, the fewer.
  const bool stays = rows * most_k * int64_t(sizeof(T)) <= l2_bytes / 2;
  const int64_t budget = (stays ? least(l2_bytes / 2, kMostPacked) : l2_bytes / 2) / int64_t(sizeof(T));
  const int64_t most_cols = most(kCols, budget / most<int64_t>(most_k, 1) / kCols * kCols);
  cols = round_up(ceil_div(all_cols, ceil_div(all_cols, most_cols)), kCols);
  pack_b = g.trans_b || (tile_rows >= kPackingRows && g.ldb > kCols);
  packed = pack_b ? most_k * cols : 0;
  copy_a = copies_a(g, rows, all_cols, l2_bytes);
  copied_row = padded_row<T>(most_k + Vec<T>::kLanes);  // A^T spills up to a vector
  copied = copy_a ? round_up(rows * copied_row, 16) : 0;
}

template <class T>
class BlockWalk {
 public:
  BlockWalk(const Gemm<T>& g, const Piece& piece, const BlockPlan<T>& plan, T* scratch)
      : g_(g), piece_(piece), plan_(plan), copy_(scratch), pack_(scratch + plan.copied) {}

  void run() {
    for (int64_t block = 0; block < plan_.k_blocks; block++) {
      k_begin_ = g_.k * block / plan_.k_blocks;
      k_ = g_.k * (block + 1) / plan_.k_blocks - k_begin_;
      last_ = block + 1 == plan_.k_blocks;
      flags_ = flags(block);
      if (plan_.copy_a) copy_a();
      for (int64_t j = piece_.col_begin; j < piece_.col_end; j += plan_.cols)
        column_block(j, least(piece_.col_end, j + plan_.cols));
    }
  }

 private:
  // First row and rows of a row of tiles, counted from the piece's first row.
  struct Panel {
    int64_t begin, rows;
  };
  Panel panel(int64_t index) const {
    const int64_t rows = piece_.row_end - piece_.row_begin, small = rows / plan_.tile_rows;
    const int64_t larger = rows % plan_.tile_rows;  // that many panels come first and have a row more
    return {index * small + least(index, larger), small + (index < larger)};
  }

  int flags(int64_t block) const {
    int f = block > 0 || g_.accumulate ? kTileAccumulate : 0;
    if (!last_) return f;
    if (g_.bias) f |= kTileBias;
    if (g_.activation == FD_ACT_RELU) f |= kTileRelu;
    if (g_.gate && g_.gate_activation == FD_ACT_RELU && in_tile(g_.activation)) f |= kTileReluGate;
    return f;
  }

  void copy_a() {
    if (g_.trans_a) return copy_a_transposed();
    const T* from = g_.a + piece_.row_begin * g_.lda + k_begin_;
    for (int64_t i = 0; i < piece_.row_end - piece_.row_begin; i++, from += g_.lda)
      copy_bytes(copy_ + i * plan_.copied_row, from, size_t(k_) * sizeof(T));
  }

  // Panels side by side: A(i, l) of a panel of r rows is at l * r + i. Whole vectors are stored; what they spill is
  // written over by the next row or lies in the padding.
  void copy_a_transposed() {
    constexpr int L = Vec<T>::kLanes;
    for (int64_t l = 0; l < k_; l++) {
      const T* const from = g_.a + (k_begin_ + l) * g_.lda + piece_.row_begin;
      for (int64_t t = 0; t < plan_.tile_rows; t++) {
        const Panel p = panel(t);
        T* const to = copy_ + p.begin * plan_.copied_row + l * p.rows;
        for (int64_t i = 0; i < p.rows; i += L)
          Vec<T>::load(from + p.begin + i, least<int64_t>(L, p.rows - i)).store(to + i);
      }
    }
  }

  void column_block(int64_t begin, int64_t end) {
    if (g_.trans_b)
      for (int64_t j = begin; j < end; j += kTileCols<T>) {
        const int64_t cols = least(kTileCols<T>, end - j);
        transpose_panel(g_.b + j * g_.ldb + k_begin_, g_.ldb, cols, k_, packed(begin, j),
                        round_up(cols, Vec<T>::kLanes));
      }
    for (int64_t t = 0; t < plan_.tile_rows; t++) {
      const Panel p = panel(t);
      const int64_t full = (end - begin) / kTileCols<T>, edge = begin + full * kTileCols<T>;
      if (full > 0) tiles(p, begin, begin, full, kTileVecs, Vec<T>::kLanes, t);
      if (edge < end) {
        const int64_t cols = end - edge, vecs = ceil_div(cols, Vec<T>::kLanes);
        tiles(p, begin, edge, 1, int(vecs), cols - (vecs - 1) * Vec<T>::kLanes, t);
      }
      if (last_) finish_rows(p, begin, end);
    }
  }

  T* packed(int64_t block_begin, int64_t col) const { return pack_ + (col - block_begin) * k_; }

  void tiles(const Panel& p, int64_t block_begin, int64_t col, int64_t count, int vecs, int64_t lanes, int64_t t) {
    const int64_t width = vecs * Vec<T>::kLanes, row = piece_.row_begin + p.begin;
    const bool from_pack = g_.trans_b || (plan_.pack_b && t > 0);
    TileRow<T> r;
    r.k = k_;
    if (plan_.copy_a) {
      r.a = copy_ + p.begin * plan_.copied_row;
      r.a_row = g_.trans_a ? 1 : plan_.copied_row;
      r.a_step = g_.trans_a ? p.rows : 1;
    } else {
      r.a = g_.trans_a ? g_.a + k_begin_ * g_.lda + row : g_.a + row * g_.lda + k_begin_;
      r.a_row = g_.trans_a ? 1 : g_.lda;
      r.a_step = g_.trans_a ? g_.lda : 1;
    }
    r.b = from_pack ? packed(block_begin, col) : g_.b + k_begin_ * g_.ldb + col;
    r.b_step = from_pack ? width : g_.ldb;
    r.b_tile = from_pack ? width * k_ : width;
    r.pack = packed(block_begin, col);
    r.c = g_.c + row * g_.ldc + col;
    r.ldc = g_.ldc;
    r.bias = g_.bias ? g_.bias + col : nullptr;
    r.gate = g_.gate ? g_.gate + row * g_.ldgate + col : nullptr;
    r.ldgate = g_.ldgate;
    r.tiles = count;
    r.lanes = lanes;
    r.flags = flags_;
    tile_kernel<T>(int(p.rows), vecs, lanes < Vec<T>::kLanes, plan_.pack_b && !from_pack)(r);
  }

  void finish_rows(const Panel& p, int64_t begin, int64_t end) {
    const int64_t row = piece_.row_begin + p.begin;
    Finish<T> f{};  // bias, relu and its gate are the tile's own work
    if (!in_tile(g_.activation)) f.activation = g_.activation;
    if (g_.gate && !(flags_ & kTileReluGate)) f.gate = g_.gate + row * g_.ldgate + begin;
    f.ldgate = g_.ldgate;
    f.gate_activation = g_.gate_activation;
    finish(f, g_.c + row * g_.ldc + begin, g_.ldc, p.rows, end - begin);
  }

  const Gemm<T>& g_;
  const Piece& piece_;
  const BlockPlan<T>& plan_;
  T* const copy_;
  T* const pack_;
  int64_t k_begin_ = 0, k_ = 0;
  bool last_ = false;
  int flags_ = 0;
};

// Any piece. False: no scratch memory.
template <class T>
bool multiply_piece(fd_context* context, const Gemm<T>& g, const Piece& piece) {
  const int64_t rows = piece.row_end - piece.row_begin, parts = ceil_div(rows, kMostRows);
  const BlockPlan<T> plan(g, ceil_div(rows, parts), piece.col_end - piece.col_begin, context->l2_bytes);
  T* scratch = nullptr;
  if (plan.copied + plan.packed > 0) {
    scratch = static_cast<T*>(context->workspace(context, 1, size_t(plan.copied + plan.packed) * sizeof(T)));
    if (!scratch) return false;
  }
  for (int64_t part = 0; part < parts; part++) {
    const Piece slice{piece.row_begin + rows * part / parts, piece.row_begin + rows * (part + 1) / parts,
                      piece.col_begin, piece.col_end};
    BlockPlan<T> own = plan;
    own.tile_rows = ceil_div(slice.row_end - slice.row_begin, tile_height(g, piece.col_end - piece.col_begin));
    BlockWalk<T>(g, slice, own, scratch).run();
  }
  return true;
}

}  // namespace fd::FD_ISA
