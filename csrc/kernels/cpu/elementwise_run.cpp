// Elementwise kernels are bound by memory as soon as their operands leave the caches, and by the cost of the call when
// they are tiny. So a small contiguous call goes straight to its row; the rest is planned as a grid of tiles over two
// dimensions: the one along which the output is closest in memory (columns) and the one along which a strided operand
// is (rows).
//   - Strided operands pass through a tile of 4 KiB filled in the order that is kind to them, so that a transposed
//     operand costs one read per cache line and not one per element.
//   - Rows too short for a vector loop are glued together where the output is contiguous over both dimensions.
// Results do not depend on how the space is cut: a row's tail runs the same vector code under a mask. Sums of 1000 x
// 1000 float32 on one core: with a row 304 us, with a matrix 464, with a transposed one 729 (AVX-512, Intel(R) Xeon(R)
// Processor @ 2.10GHz).
#include "kernels/cpu/elementwise_run.h"

#include "kernels/cpu/elementwise_tile.h"
#include "kernels/cpu/tasks.h"

namespace fd::FD_ISA {
namespace {

constexpr int64_t kTaskElements = 32768;  // of cost 1: about 8 us of L2 traffic, several times a fork and join
constexpr int64_t kTileBytes = 4096;
constexpr int64_t kShortRow = 48;  // rows below are glued
constexpr int kOperands = 4;       // 0 is out, k + 1 is in[k]
constexpr int kItemSize[FD_DTYPE_COUNT] = {1, 1, 4, 8, 2, 2, 4, 8};

FD_INLINE int64_t lesser(int64_t a, int64_t b) { return a < b ? a : b; }
FD_INLINE int64_t magnitude(int64_t a) { return a < 0 ? -a : a; }

// A constant operand, one vector wide.
struct alignas(64) Splat {
  char bytes[64];
};

FD_INLINE void splat_item(Splat& splat, const void* item, int bytes) {
  with_item(bytes, [&](auto unit) { fill_items<decltype(unit)>(splat.bytes, item, 64 / int64_t(sizeof(unit))); });
}

void splat_scalar(Splat& splat, fd_scalar scalar, fd_dtype dtype) {
  const Vec<double> wide = scalar.f;
  const uint8_t truth = scalar.i != 0;
  const float single = float(scalar.f);
  uint16_t half[Vec<float>::kLanes];
  const void* item = &scalar;  // little-endian: the low bytes of an integer come first
  if (dtype == FD_BOOL) item = &truth;
  if (dtype == FD_F32) item = &single;
  if (dtype == FD_F16) narrow_to_odd(wide, wide).store_f16(half), item = half;
  if (dtype == FD_BF16) narrow_to_odd(wide, wide).store_bf16(half), item = half;
  splat_item(splat, item, kItemSize[dtype]);
}

struct Operand {
  char* base;
  int item;
  int64_t row_stride, column_stride;
  int64_t outer_stride[FD_MAX_DIMS];
  bool copied;  // goes through a tile
};

struct Plan {
  const RowKernel* kernel;
  const double* param;
  int operands;
  Operand operand[kOperands];
  bool any_copied;
  bool glued;   // a tile is one row
  bool direct;  // a copy from strided to contiguous rows
  int64_t rows, columns, tile_rows, tile_columns, row_tiles, column_tiles, tiles;
  int outer_ndim;
  int64_t outer_size[FD_MAX_DIMS];
};

FD_INLINE int64_t stride_of(const fd_elementwise* e, int k, int d) {
  if (k == 0) return e->out_stride[d];
  return e->in[k - 1] ? e->in_stride[k - 1][d] : 0;
}

int column_dimension(const fd_elementwise* e) {
  int best = e->ndim - 1;
  for (int d = e->ndim - 2; d >= 0; d--)
    if (e->size[d] > 1 && magnitude(e->out_stride[d]) < magnitude(e->out_stride[best])) best = d;
  return best;
}

int row_dimension(const fd_elementwise* e, int operands, int column) {
  int best = column == e->ndim - 1 ? e->ndim - 2 : e->ndim - 1;
  for (int k = 0; k < operands && best >= 0; k++) {
    const int64_t step = stride_of(e, k, column);
    if (step == 0 || step == 1) continue;
    for (int d = e->ndim - 1; d >= 0; d--) {
      const int64_t here = magnitude(stride_of(e, k, d));
      if (d != column && here && here < magnitude(stride_of(e, k, best))) best = d;
    }
    break;
  }
  return best;
}

void choose_tiles(Plan& p) {
  const Operand& out = p.operand[0];
  int widest = 1;
  bool scattered = false;  // columns lie apart, so that a tile is better square
  for (int k = 0; k < p.operands; k++) {
    Operand& o = p.operand[k];
    if (o.item > widest) widest = o.item;
    o.copied = p.columns > 1 && o.column_stride != 1 && (k == 0 || o.column_stride != 0);
    p.any_copied |= o.copied;
    scattered |= o.copied && o.column_stride != -1 && p.rows > 1;
  }
  const int64_t tile = kTileBytes / widest;
  p.glued = p.columns < kShortRow && p.rows > 1 && out.row_stride == p.columns && !out.copied;
  if (p.glued) {
    p.tile_columns = p.columns;
    p.tile_rows = lesser(p.rows, tile / p.columns);
    for (int k = 1; k < p.operands; k++) {
      Operand& o = p.operand[k];
      const bool contiguous = o.column_stride == 1 && o.row_stride == p.columns;
      o.copied = !contiguous && (o.column_stride != 0 || o.row_stride != 0);
    }
  } else if (p.any_copied) {
    p.tile_columns = lesser(p.columns, scattered ? 64 : tile);
    p.tile_rows = lesser(p.rows, tile / p.tile_columns);
  } else {
    p.tile_columns = lesser(p.columns, kTaskElements / p.kernel->cost);
    p.tile_rows = lesser(p.rows, ceil_div(1024, p.tile_columns));
  }
  p.direct = p.kernel->copies && !p.glued && !out.copied && p.operand[1].copied;
  p.row_tiles = ceil_div(p.rows, p.tile_rows);
  p.column_tiles = ceil_div(p.columns, p.tile_columns);
}

void make_plan(Plan& p, const fd_elementwise* e, const RowKernel& kernel, const Splat* splats) {
  p.kernel = &kernel;
  p.param = e->param;
  p.operands = kernel.operands + 1;
  const int column = column_dimension(e), row = row_dimension(e, p.operands, column);
  p.columns = e->size[column];
  p.rows = row >= 0 ? e->size[row] : 1;
  for (int k = 0; k < p.operands; k++) {
    Operand& o = p.operand[k];
    const void* in = k ? e->in[k - 1] ? e->in[k - 1] : splats[k - 1].bytes : e->out;
    o.base = static_cast<char*>(const_cast<void*>(in));
    o.item = kItemSize[k ? kernel.in[k - 1] : kernel.out];
    o.column_stride = stride_of(e, k, column);
    o.row_stride = row >= 0 ? stride_of(e, k, row) : 0;
  }
  choose_tiles(p);
  p.tiles = p.row_tiles * p.column_tiles;
  p.outer_ndim = 0;
  for (int d = 0; d < e->ndim; d++) {
    if (d == column || d == row) continue;
    for (int k = 0; k < p.operands; k++) p.operand[k].outer_stride[p.outer_ndim] = stride_of(e, k, d);
    p.outer_size[p.outer_ndim++] = e->size[d];
    p.tiles *= e->size[d];
  }
}

struct Tile {
  char* at[kOperands];
  int64_t rows, columns;
};

// Tiles are numbered with rows running fastest: the direction in which strided operands are contiguous.
void locate(const Plan& p, int64_t index, Tile& t) {
  const int64_t r = index % p.row_tiles * p.tile_rows;
  index /= p.row_tiles;
  const int64_t c = index % p.column_tiles * p.tile_columns;
  index /= p.column_tiles;
  t.rows = lesser(p.tile_rows, p.rows - r);
  t.columns = lesser(p.tile_columns, p.columns - c);
  int64_t offset[kOperands];
  for (int k = 0; k < p.operands; k++) offset[k] = r * p.operand[k].row_stride + c * p.operand[k].column_stride;
  for (int d = p.outer_ndim - 1; d >= 0; d--) {
    const int64_t i = index % p.outer_size[d];
    index /= p.outer_size[d];
    for (int k = 0; k < p.operands; k++) offset[k] += i * p.operand[k].outer_stride[d];
  }
  for (int k = 0; k < p.operands; k++) t.at[k] = p.operand[k].base + offset[k] * p.operand[k].item;
}

struct Buffers {
  alignas(64) char tile[kOperands][kTileBytes];
  Splat constant[kOperands];
};

void read_operands(const Plan& p, const Tile& t, Buffers& buffers) {
  for (int k = 1; k < p.operands; k++) {
    const Operand& o = p.operand[k];
    if (!o.copied) continue;
    with_item(o.item, [&](auto unit) {
      using U = decltype(unit);
      read_items(reinterpret_cast<U*>(buffers.tile[k]), reinterpret_cast<const U*>(t.at[k]), t.rows, t.columns,
                 t.columns, o.row_stride, o.column_stride);
    });
  }
}

void write_output(const Plan& p, const Tile& t, Buffers& buffers) {
  const Operand& o = p.operand[0];
  with_item(o.item, [&](auto unit) {
    using U = decltype(unit);
    write_items(reinterpret_cast<U*>(t.at[0]), reinterpret_cast<const U*>(buffers.tile[0]), t.rows, t.columns,
                o.row_stride, o.column_stride);
  });
}

void copy_tile(const Plan& p, const Tile& t) {
  const Operand& in = p.operand[1];
  with_item(in.item, [&](auto unit) {
    using U = decltype(unit);
    read_items(reinterpret_cast<U*>(t.at[0]), reinterpret_cast<const U*>(t.at[1]), t.rows, t.columns,
               p.operand[0].row_stride, in.row_stride, in.column_stride);
  });
}

// Filling a tile and storing its result share the store buffer: a store that waits for its line holds up the loads
// that follow it, so the lines are asked for first (measured: 2.3 x on a transposed 1000 x 1000 operand).
void prefetch_output(const Plan& p, const Tile& t) {
  const Operand& out = p.operand[0];
  if (out.copied) return;
  for (int64_t r = 0; r < t.rows; r++)
    for (int64_t b = 0; b < t.columns * out.item; b += 64) prefetch(t.at[0] + r * out.row_stride * out.item + b);
}

void run_tile(const Plan& p, const Tile& t, Buffers& buffers) {
  if (p.direct) return copy_tile(p, t);
  if (p.any_copied) prefetch_output(p, t);
  read_operands(p, t, buffers);
  const int64_t rows = p.glued ? 1 : t.rows;
  Row row;
  row.n = p.glued ? t.rows * t.columns : t.columns;
  row.param = p.param;
  for (int64_t r = 0; r < rows; r++) {
    for (int k = 0; k < p.operands; k++) {
      const Operand& o = p.operand[k];
      char* here = o.copied ? buffers.tile[k] + r * t.columns * o.item : t.at[k] + r * o.row_stride * o.item;
      if (k == 0) {
        row.out = here;
        continue;
      }
      row.step[k - 1] = o.copied || o.column_stride != 0;
      row.in[k - 1] = row.step[k - 1] ? here : buffers.constant[k].bytes;
      if (!row.step[k - 1] && (r == 0 || o.row_stride != 0)) splat_item(buffers.constant[k], here, o.item);
    }
    p.kernel->row(row);
  }
  if (p.operand[0].copied) write_output(p, t, buffers);
}

void run_grid(fd_context* context, const Plan& p) {
  const int64_t elements = p.tile_rows * p.tile_columns * p.kernel->cost;
  const int64_t group = elements >= kTaskElements ? 1 : kTaskElements / elements;
  for_tasks(context, ceil_div(p.tiles, group), [&](int64_t task) {
    Buffers buffers;
    Tile tile;
    const int64_t end = lesser(p.tiles, (task + 1) * group);
    for (int64_t i = task * group; i < end; i++) {
      locate(p, i, tile);
      run_tile(p, tile, buffers);
    }
  });
}

void run_long_row(fd_context* context, const Row& whole, const RowKernel& kernel) {
  const int64_t grain = kTaskElements / kernel.cost;
  for_tasks(context, ceil_div(whole.n, grain), [&](int64_t task) {
    const int64_t begin = task * grain;
    Row row = whole;
    row.n = lesser(grain, whole.n - begin);
    row.out = static_cast<char*>(whole.out) + begin * kItemSize[kernel.out];
    for (int k = 0; k < kernel.operands; k++)
      row.in[k] = static_cast<const char*>(whole.in[k]) + whole.step[k] * begin * kItemSize[kernel.in[k]];
    kernel.row(row);
  });
}

}  // namespace

fd_status run_rows(fd_context* context, const fd_elementwise* e, const RowKernel& kernel) {
  Splat splats[3];
  Row row;
  row.n = e->ndim ? e->size[0] : 1;
  row.out = e->out;
  row.param = e->param;
  bool simple = e->ndim <= 1 && (row.n <= 1 || e->out_stride[0] == 1);
  for (int k = 0; k < kernel.operands; k++) {
    row.in[k] = e->in[k];
    row.step[k] = 1;
    if (!e->in[k]) {
      splat_scalar(splats[k], e->scalar[k], kernel.in[k]);
      row.in[k] = splats[k].bytes;
      row.step[k] = 0;
    } else if (simple && row.n > 1 && e->in_stride[k][0] != 1) {
      simple = e->in_stride[k][0] == 0;
      splat_item(splats[k], e->in[k], kItemSize[kernel.in[k]]);
      row.in[k] = splats[k].bytes;
      row.step[k] = 0;
    }
  }
  if (simple) {
    if (row.n * kernel.cost <= kTaskElements)
      kernel.row(row);
    else
      run_long_row(context, row, kernel);
    return FD_OK;
  }
  for (int d = 0; d < e->ndim; d++)
    if (e->size[d] == 0) return FD_OK;
  Plan plan = {};
  make_plan(plan, e, kernel, splats);
  run_grid(context, plan);
  return FD_OK;
}

}  // namespace fd::FD_ISA
