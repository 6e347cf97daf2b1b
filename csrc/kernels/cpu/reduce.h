// The walk shared by every reduction. An operation supplies
//   Element                      the type it reads
//   Partial                      what is known of some elements: start(), merge(a, later), store(r, at, partial, count)
//                                and, if vectors can merge n at a time, merge_rows(a, later, n)
//   absorb(p, x, n, position)    takes n contiguous elements, the first being number `position` of its reduction
//   Columns                      the same for up to kStrip neighbouring reductions at once, row by row:
//                                start(width rounded up to kRound), absorb(x, rows, row_stride, width, position), at(i)
//                                -> Partial
//   kStrip                       kWide, or kNarrow if it keeps much for each column or reads blocks twice
// Reductions are bound by memory. Elements are read in the order they lie in:
//   rows     the innermost reduced dimension is contiguous (or nothing is): one reduction after the other;
//   columns  the innermost kept dimension is: a strip of reductions advances together, a few rows per pass, so that
//            partial results stay in L1 and reading goes along the rows. Narrow matrices are folded first: F rows side
//            by side make one wide row, and F partial results are merged in the end.
// Long reductions are cut in chunks by size alone and their partials merged pairwise in order, so neither the result
// nor its error depends on threads.
#pragma once

#include "kernels/cpu/simd.h"
#include "kernels/cpu/table.h"
#include "kernels/cpu/tasks.h"
#include "kernels/cpu/transpose.h"
#include "kernels/kernels.h"

namespace fd::FD_ISA {

constexpr int64_t kNarrow = 256;
constexpr int64_t kWide = 1024;            // floats in a page, beyond which no prefetcher looks
constexpr int64_t kWideRows = 256;         // in a chunk of a wide strip
constexpr int64_t kRound = 16;             // a multiple of every vector's lanes
constexpr int64_t kChunkElements = 32768;  // about 8 us of reading from L2, several times a fork and join
constexpr int64_t kGather = 256;           // strided elements copied together at a time

template <class T>
FD_INLINE T larger_of(T a, T b) {
  return a < b ? b : a;
}
template <class T>
FD_INLINE T smaller_of(T a, T b) {
  return a < b ? a : b;
}

constexpr int64_t kPass = 4;  // rows read side by side, as that many streams

// Calls pass(x, n) for every kPass rows, then for what is left.
template <class T, class Pass>
FD_INLINE void few_rows(const T* x, int64_t rows, int64_t stride, Pass pass) {
  for (int64_t r = 0; r < rows; r += kPass) pass(x + r * stride, smaller_of(kPass, rows - r));
}

// The offsets of an N-dimensional space in C order.
struct Odometer {
  int ndim;
  const int64_t *size, *stride;
  int64_t index[FD_MAX_DIMS], offset = 0;

  Odometer(int n, const int64_t* sizes, const int64_t* strides, int64_t linear)
      : ndim(n), size(sizes), stride(strides) {
    for (int d = n - 1; d >= 0; d--) {
      index[d] = linear % size[d];
      linear /= size[d];
      offset += index[d] * stride[d];
    }
  }
  FD_INLINE void next() {
    for (int d = ndim - 1; d >= 0; d--) {
      offset += stride[d];
      if (++index[d] < size[d]) return;
      offset -= stride[d] * size[d];
      index[d] = 0;
    }
  }
};

FD_INLINE int64_t product(int n, const int64_t* size) {
  int64_t p = 1;
  for (int d = 0; d < n; d++) p *= size[d];
  return p;
}

// a[i] becomes the merge of a[i] and b[i]; an operation may supply this in vectors.
template <class Op>
void merge_rows(typename Op::Partial* a, const typename Op::Partial* b, int64_t n) {
  if constexpr (requires { Op::merge_rows(a, b, n); })
    Op::merge_rows(a, b, n);
  else
    for (int64_t i = 0; i < n; i++) Op::merge(a[i], b[i]);
}

// parts[i] becomes the merge of all n of parts[i], parts[i + stride], ... as a balanced tree, for i in [0, width).
template <class Op>
void merge_parts(typename Op::Partial* parts, int64_t n, int64_t stride, int64_t width) {
  if (n < 2) return;
  const int64_t half = n / 2;
  merge_parts<Op>(parts, half, stride, width);
  merge_parts<Op>(parts + half * stride, n - half, stride, width);
  merge_rows<Op>(parts, parts + half * stride, width);
}

// ------------------------------------------------------------------------------------------------------------- rows

template <class Op>
FD_INLINE void absorb_strided(typename Op::Partial& p, const typename Op::Element* x, int64_t n, int64_t stride,
                              int64_t position) {
  if (stride == 1) return Op::absorb(p, x, n, position);
  typename Op::Element buffer[kGather];
  for (int64_t begin = 0; begin < n; begin += kGather) {
    const int64_t m = smaller_of(kGather, n - begin);
    for (int64_t i = 0; i < m; i++) buffer[i] = x[(begin + i) * stride];
    Op::absorb(p, buffer, m, position + begin);
  }
}

// One reduction per kept position, each cut in `chunks` of `pieces` pieces of `piece` elements of a row.
template <class Op>
struct RowReduce {
  using T = typename Op::Element;
  using Partial = typename Op::Partial;
  const fd_reduce* r;
  int64_t kept, count, row, stride, piece, per_row, pieces, chunk_pieces, chunks;

  explicit RowReduce(const fd_reduce* args) : r(args) {
    const int inner = r->reduced_ndim - 1;
    kept = product(r->kept_ndim, r->kept_size);
    count = product(r->reduced_ndim, r->reduced_size);
    row = inner >= 0 ? r->reduced_size[inner] : 1;
    stride = inner >= 0 ? r->reduced_stride[inner] : 1;
    piece = smaller_of(row, kChunkElements);
    per_row = piece ? ceil_div(row, piece) : 0;
    pieces = row ? count / row * per_row : 0;
    chunk_pieces = piece ? ceil_div(kChunkElements, piece) : 1;
    chunks = count > 2 * kChunkElements ? ceil_div(pieces, chunk_pieces) : 1;
    if (chunks == 1) chunk_pieces = pieces;
  }

  Partial chunk(const T* base, int64_t index) const {
    Partial p = Op::start();
    const int64_t first = index * chunk_pieces, end = smaller_of(pieces, first + chunk_pieces);
    if (first >= end) return p;
    Odometer at(r->reduced_ndim ? r->reduced_ndim - 1 : 0, r->reduced_size, r->reduced_stride, first / per_row);
    int64_t begin = first % per_row * piece, position = first / per_row * row + begin;
    for (int64_t i = first; i < end; i++) {
      const int64_t n = smaller_of(piece, row - begin);
      absorb_strided<Op>(p, base + at.offset + begin * stride, n, stride, position);
      position += n;
      begin += n;
      if (begin == row) begin = 0, at.next();
    }
    return p;
  }

  const T* base(int64_t kept_index) const {
    return static_cast<const T*>(r->in) + Odometer(r->kept_ndim, r->kept_size, r->kept_stride, kept_index).offset;
  }

  fd_status run(fd_context* context) const {
    if (chunks > 1) return run_long(context);
    const int64_t group = count ? ceil_div(kChunkElements, count) : kept;
    for_tasks(context, group ? ceil_div(kept, group) : 0, [&](int64_t task) {
      const int64_t begin = task * group, end = smaller_of(kept, begin + group);
      Odometer at(r->kept_ndim, r->kept_size, r->kept_stride, begin);
      for (int64_t i = begin; i < end; i++) {
        Op::store(r, i, chunk(static_cast<const T*>(r->in) + at.offset, 0), count);
        at.next();
      }
    });
    return FD_OK;
  }

  fd_status run_long(fd_context* context) const {
    auto* parts = static_cast<Partial*>(context->workspace(context, 0, size_t(kept * chunks) * sizeof(Partial)));
    if (!parts) return FD_NO_MEMORY;
    for_tasks(context, kept * chunks, [&](int64_t task) { parts[task] = chunk(base(task / chunks), task % chunks); });
    for (int64_t i = 0; i < kept; i++) {
      merge_parts<Op>(parts + i * chunks, chunks, 1, 1);
      Op::store(r, i, parts[i * chunks], count);
    }
    return FD_OK;
  }
};

// ---------------------------------------------------------------------------------------------------------- columns

template <class Op>
struct ColumnReduce {
  using T = typename Op::Element;
  using Partial = typename Op::Partial;
  using Columns = typename Op::Columns;
  const fd_reduce* r;
  int64_t width, outer, count;  // neighbouring reductions, groups of them, elements of each
  int64_t fold = 1, folded;     // rows side by side, width of what is walked
  int64_t rows, row_stride;     // of what is walked: the innermost reduced dimension
  int64_t strip, strips, steps, chunk_steps, chunks;

  explicit ColumnReduce(const fd_reduce* args) : r(args) {
    const int inner = r->reduced_ndim - 1;
    width = r->kept_size[r->kept_ndim - 1];
    outer = product(r->kept_ndim - 1, r->kept_size);
    count = product(r->reduced_ndim, r->reduced_size);
    rows = r->reduced_size[inner];
    row_stride = r->reduced_stride[inner];
    if (Op::kFolds && r->reduced_ndim == 1 && row_stride == width) {
      // Every folded column is merged at the end: few rows are not folded far.
      fold = larger_of<int64_t>(1, smaller_of(rows, smaller_of(kNarrow, count * width / 16) / width));
    }
    folded = fold * width;
    rows /= fold;
    row_stride *= fold;
    strip = smaller_of(folded, Op::kStrip);
    strips = ceil_div(folded, strip);
    // A step is one row of the innermost reduced dimension. Enough strips share the work; else the steps are cut.
    // Beside kWideRows rows of a wide strip, merging its partial results is little.
    steps = rows * product(inner, r->reduced_size);
    const int64_t chunk_elements = (outer * strips >= 4 ? 8 : 1) * kChunkElements;
    chunk_steps = strip > kNarrow ? kWideRows : ceil_div(chunk_elements, strip);
    chunks = ceil_div(steps, chunk_steps);
  }

  // Steps [first, end) of columns [begin, begin + w) of group g.
  void absorb(Columns& state, int64_t g, int64_t begin, int64_t w, int64_t first, int64_t end) const {
    const T* base =
        static_cast<const T*>(r->in) + begin + Odometer(r->kept_ndim - 1, r->kept_size, r->kept_stride, g).offset;
    Odometer at(r->reduced_ndim - 1, r->reduced_size, r->reduced_stride, first / rows);
    int64_t row = first % rows;
    while (first < end) {
      const int64_t n = smaller_of(rows - row, end - first);
      state.absorb(base + at.offset + row * row_stride, n, row_stride, w, first);
      first += n;
      row = 0;
      at.next();
    }
    const int64_t left = fold > 1 ? r->reduced_size[0] % fold : 0;  // rows too few for one more folded row
    if (left && end == steps && begin == 0) state.absorb(base + rows * row_stride, 1, row_stride, left * width, steps);
  }

  fd_status run(fd_context* context) const {
    const int64_t tasks = outer * strips * chunks;
    const bool direct = chunks == 1 && fold == 1;
    Partial* parts = nullptr;
    if (!direct) {
      parts = static_cast<Partial*>(context->workspace(context, 0, size_t(tasks * strip) * sizeof(Partial)));
      if (!parts) return FD_NO_MEMORY;
    }
    const int64_t group = chunks == 1 ? ceil_div(kChunkElements, steps * strip) : 1;
    for_chunks(context, tasks, group, [&](int64_t from, int64_t to) {
      Columns state;
      for (int64_t task = from; task < to; task++) {
        const int64_t chunk = task % chunks, s = task / chunks % strips, g = task / chunks / strips;
        const int64_t begin = s * strip, w = smaller_of(strip, folded - begin);
        state.start(ceil_div(w, kRound) * kRound);
        absorb(state, g, begin, w, chunk * chunk_steps, smaller_of(steps, (chunk + 1) * chunk_steps));
        if (direct)
          for (int64_t i = 0; i < w; i++) Op::store(r, g * width + begin + i, state.at(i), count);
        else
          for (int64_t i = 0; i < w; i++) parts[task * strip + i] = state.at(i);
      }
    });
    if (!direct) merge(context, parts);
    return FD_OK;
  }

  // Every strip's chunks, then the rows that were folded into one, which are never more than one strip.
  void merge(fd_context* context, Partial* parts) const {
    const int64_t group = ceil_div(kChunkElements, chunks * strip * 8);
    for_chunks(context, outer * strips, group, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; i++) {
        Partial* const row = parts + i * chunks * strip;
        const int64_t begin = i % strips * strip;
        merge_parts<Op>(row, chunks, strip, smaller_of(strip, folded - begin));
        merge_parts<Op>(row, fold, width, width);
        for (int64_t c = 0; c < smaller_of(strip, width - begin); c++)
          Op::store(r, i / strips * width + begin + c, row[c], count);
      }
    });
  }
};

// ------------------------------------------------------------------------------------------------------- short rows

constexpr int64_t kTurnedRow = 32;
constexpr int64_t kTurnedStrip = 64;  // rows at a time: turned, they fill a third of L1 at most

template <class T>
bool are_short_rows(const fd_reduce* r) {
  if (sizeof(T) < 4 || r->reduced_ndim != 1 || r->kept_ndim != 1 || r->reduced_stride[0] != 1) return false;
  return r->reduced_size[0] > 1 && r->reduced_size[0] <= kTurnedRow && r->kept_size[0] >= kRound;
}

// turned[l * kTurnedStrip + i] = from[i * stride + l]: bits are moved, so integers pass as floats of their size.
template <class T>
void turn_rows(const T* from, int64_t stride, int64_t rows, int64_t count, T* turned) {
  if constexpr (sizeof(T) == 8)
    transpose_panel(reinterpret_cast<const double*>(from), stride, rows, count, reinterpret_cast<double*>(turned),
                    kTurnedStrip);
  else if constexpr (sizeof(T) == 4)
    transpose_panel(reinterpret_cast<const float*>(from), stride, rows, count, reinterpret_cast<float*>(turned),
                    kTurnedStrip);
}

template <class Op>
fd_status reduce_short_rows(fd_context* context, const fd_reduce* r) {
  using T = typename Op::Element;
  const int64_t count = r->reduced_size[0], stride = r->kept_stride[0];
  const int64_t group = ceil_div(ceil_div(kChunkElements, count), kTurnedStrip) * kTurnedStrip;
  for_chunks(context, r->kept_size[0], group, [&](int64_t begin, int64_t end) {
    typename Op::Columns state;
    alignas(64) T turned[kTurnedRow * kTurnedStrip];
    for (int64_t s = begin; s < end; s += kTurnedStrip) {
      const int64_t rows = smaller_of(kTurnedStrip, end - s);
      turn_rows(static_cast<const T*>(r->in) + s * stride, stride, rows, count, turned);
      state.start(ceil_div(rows, kRound) * kRound);
      state.absorb(turned, count, kTurnedStrip, rows, 0);
      for (int64_t i = 0; i < rows; i++) Op::store(r, s + i, state.at(i), count);
    }
  });
  return FD_OK;
}

template <class Op>
fd_status reduce(fd_context* context, const fd_reduce* r) {
  using T = typename Op::Element;
  if (r->kept_ndim == 0 && r->reduced_ndim == 1 && r->reduced_stride[0] == 1 && r->reduced_size[0] <= kChunkElements) {
    typename Op::Partial p = Op::start();
    Op::absorb(p, static_cast<const T*>(r->in), r->reduced_size[0], 0);
    Op::store(r, 0, p, r->reduced_size[0]);
    return FD_OK;
  }
  const int kept = r->kept_ndim - 1, inner = r->reduced_ndim - 1;
  const bool columns = kept >= 0 && inner >= 0 && r->kept_stride[kept] == 1 && r->reduced_stride[inner] != 1 &&
                       product(r->kept_ndim, r->kept_size) && product(r->reduced_ndim, r->reduced_size);
  if (columns) return ColumnReduce<Op>(r).run(context);
  if (are_short_rows<T>(r)) return reduce_short_rows<Op>(context, r);
  return RowReduce<Op>(r).run(context);
}

}  // namespace fd::FD_ISA
