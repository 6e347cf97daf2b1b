// What the ways of convolving share: the shape, how x is laid out for reading at every tap, and copies of runs of it.
//
// The taps of a window are offsets into x if x has no border to fill in and its windows are neighbours. Otherwise a
// band of it is copied: with zeros around, and with the columns of every stride_w-th position side by side ("phases"),
// so that the elements under one tap of neighbouring windows are always contiguous.
#pragma once

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/lanes.h"

namespace fd::FD_ISA {

// A range of output positions: whole along every dimension but the first that has several.
struct Band {
  int64_t begin[FD_SPATIAL], size[FD_SPATIAL];
  int64_t first, count;  // as positions of a channel's plane
};

template <class T>
struct ConvShape {
  int64_t n, groups, inputs, outputs;  // channels of one group
  int64_t in[FD_SPATIAL], out[FD_SPATIAL], kernel[FD_SPATIAL], stride[FD_SPATIAL], pad[FD_SPATIAL];
  int64_t dilation[FD_SPATIAL];
  int64_t in_size, out_size, taps;
  int64_t depth;  // rows of the im2col matrix: inputs * taps

  explicit ConvShape(const fd_conv& v);

  double work() const { return 2.0 * double(n * groups) * double(outputs) * double(depth) * double(out_size); }
  bool empty() const { return n == 0 || out_size == 0 || outputs * groups == 0; }

  // Dimension along which output is cut into bands, and how many positions one step along it has.
  int axis() const { return out[0] > 1 ? 0 : out[1] > 1 ? 1 : 2; }
  int64_t inner() const {
    int64_t count = 1;
    for (int d = axis() + 1; d < FD_SPATIAL; d++) count *= out[d];
    return count;
  }
  Band band(int64_t index, int64_t along) const;

 private:
  bool plain(int d) const { return kernel[d] == 1 && stride[d] == 1 && pad[d] == 0 && in[d] == out[d]; }
};

template <class T>
ConvShape<T>::ConvShape(const fd_conv& v)
    : n(v.n), groups(v.groups), inputs(v.in_channels / v.groups), outputs(v.out_channels / v.groups) {
  for (int d = 0; d < FD_SPATIAL; d++) {
    in[d] = v.in[d], out[d] = v.out[d], kernel[d] = v.kernel[d], stride[d] = v.stride[d], pad[d] = v.pad[d];
    dilation[d] = v.dilation[d];
  }
  in_size = in[0] * in[1] * in[2];
  out_size = out[0] * out[1] * out[2];
  taps = kernel[0] * kernel[1] * kernel[2];
  depth = inputs * taps;
  // Dimensions that windows do not mix are one longer dimension; one of a single position is none.
  for (int pass = 0; pass < 2; pass++) {
    for (int d = 1; d < FD_SPATIAL; d++) {
      const bool merge = plain(d) && plain(d - 1);
      if (!merge && !(plain(d) && in[d] == 1)) continue;
      if (merge) {
        in[d - 1] *= in[d];
        out[d - 1] *= out[d];
      }
      for (int e = d; e > 0; e--) {
        in[e] = in[e - 1], out[e] = out[e - 1], kernel[e] = kernel[e - 1], stride[e] = stride[e - 1];
        pad[e] = pad[e - 1], dilation[e] = dilation[e - 1];
      }
      in[0] = out[0] = kernel[0] = stride[0] = dilation[0] = 1;
      pad[0] = 0;
    }
  }
}

// The index-th of the bands `along` steps wide.
template <class T>
Band ConvShape<T>::band(int64_t index, int64_t along) const {
  Band b;
  for (int d = 0; d < FD_SPATIAL; d++) b.begin[d] = 0, b.size[d] = out[d];
  const int a = axis();
  b.begin[a] = index * along;
  b.size[a] = least(along, out[a] - b.begin[a]);
  b.first = b.begin[a] * inner();
  b.count = b.size[a] * inner();
  return b;
}

// How wide to make bands of about `positions` positions, so that they fill whole tiles as well as may be.
template <class T>
int64_t band_width(const ConvShape<T>& s, int64_t positions) {
  const int64_t inner = s.inner(), out = s.out[s.axis()];
  const int64_t widest = most<int64_t>(1, least(out, positions / inner));
  if (widest == out) return out;
  int64_t best = widest;
  double best_waste = 2;
  for (int64_t along = widest; along > widest / 2 && along > widest - 64; along--) {
    const double waste = double(round_up(along * inner, kTileCols<T>)) / double(along * inner);
    if (waste >= best_waste - 0.01) continue;
    best_waste = waste;
    best = along;
  }
  return best;
}

// ---------------------------------------------------------------------------------------------------- layout

// How x is read: neighbouring windows as vectors, or element by element; in order: also its taps are neighbours, but
// the windows then are a stride apart.
enum class Reading { vectors, elements, in_order };

// Element (channel c, output position p of a band, tap t) is at c * channel + d * step[0] + h * step[1] + w * step[2] +
// tap[t], p = (d, h, w); step[2] is 1 unless x is read in order.
template <class T>
struct Layout {
  bool copied;
  int64_t phases, pitch, row, plane, channel;  // elements: of a phase, row, plane, channel
  int64_t apart;                               // elements of x from one element of a phase to the next
  int64_t rows[FD_SPATIAL];                    // planes and rows of a channel
  int64_t step[FD_SPATIAL];
  const int64_t* tap;

  // For bands of at most `most` positions along the axis. `taps` has room for shape.taps offsets.
  Layout(const ConvShape<T>& s, int64_t most, int64_t* taps, Reading reading);

  // Where the band's first window begins in x itself.
  int64_t origin(const Band& b) const {
    return copied ? 0 : b.begin[0] * step[0] + b.begin[1] * step[1] + b.begin[2] * step[2];
  }
};

template <class T>
Layout<T>::Layout(const ConvShape<T>& s, int64_t most_along, int64_t* taps, Reading reading) : tap(taps) {
  // Copies have room to be read in whole vectors, which lines of odd lengths want.
  copied = reading == Reading::vectors && s.taps > 1 && s.out[2] % Vec<T>::kLanes != 0;
  copied |= reading != Reading::in_order && s.stride[2] > 1 && s.out[2] > 1;
  for (int d = 0; d < FD_SPATIAL; d++)
    copied |= s.pad[d] != 0 || (s.out[d] - 1) * s.stride[d] + (s.kernel[d] - 1) * s.dilation[d] >= s.in[d];
  const int64_t width = s.axis() == 2 ? most_along : s.out[2];
  for (int d = 0; d < FD_SPATIAL; d++)
    rows[d] = ((d == s.axis() ? most_along : s.out[d]) - 1) * s.stride[d] + (s.kernel[d] - 1) * s.dilation[d] + 1;
  apart = reading == Reading::in_order ? 1 : s.stride[2];
  step[2] = reading == Reading::in_order ? s.stride[2] : 1;
  if (copied) {
    phases = s.kernel[2] == 1 || s.dilation[2] % apart == 0 ? 1 : apart;
    pitch = (width - 1) * step[2] + 1 + (s.kernel[2] - 1) * s.dilation[2] / apart;
  } else {
    phases = 1;
    pitch = s.in[2];
    rows[1] = s.in[1];
    rows[0] = s.in[0];
  }
  row = phases * pitch;
  plane = rows[1] * row;
  channel = rows[0] * plane;
  step[0] = s.stride[0] * plane;
  step[1] = s.stride[1] * row;
  for (int64_t d = 0; d < s.kernel[0]; d++)
    for (int64_t h = 0; h < s.kernel[1]; h++)
      for (int64_t w = 0; w < s.kernel[2]; w++) {
        const int64_t u = w * s.dilation[2], phase = copied && phases > 1 ? u % apart : 0;
        const int64_t along = copied ? u / apart : u;
        *taps++ = d * s.dilation[0] * plane + h * s.dilation[1] * row + phase * pitch + along;
      }
}

template <class T>
FD_INLINE void copy_exactly(const T* from, T* to, int64_t n) {
  for_vectors<T>(0, n, [&](int64_t i, auto lanes) { store(load(from + i, lanes), to + i, lanes); });
}

// Keeps a loaded vector in its register: GCC would rather load it again for every product it is part of.
template <class T>
FD_INLINE void keep(Vec<T>& x) {
#if defined(FD_ISA_NEON)
  asm("" : "+w"(x.v));
#else
  asm("" : "+v"(x.v));
#endif
}

template <class T>
FD_INLINE void zero(T* to, int64_t n) {
  for_vectors<T>(0, n, [&](int64_t i, auto lanes) { store(Vec<T>(T(0)), to + i, lanes); });
}

// Element i of a phase is element i * stride + shift of a row of x: those in [begin, end) exist.
struct PhaseRange {
  int64_t begin, end, shift;
  PhaseRange(int64_t stride, int64_t shift, int64_t in, int64_t pitch) : shift(shift) {
    begin = shift >= 0 ? 0 : least((-shift + stride - 1) / stride, pitch);
    end = most(begin, in <= shift ? 0 : least(pitch, (in - shift + stride - 1) / stride));
  }
};

// The copy of `channels` channels of x that the windows of a band read. `borders`: also the zeros around, which are
// there already if that memory held the same band of another image.
template <class T>
void lay_out(const ConvShape<T>& s, const Layout<T>& layout, const Band& b, const T* x, int64_t channels, bool borders,
             T* to) {
  const int64_t stride = layout.apart, u0 = b.begin[2] * s.stride[2] - s.pad[2];
  int64_t from[2], begin[2], end[2], size[2];  // first position in x; those of the copy that exist; all of it
  for (int d = 0; d < 2; d++) {
    from[d] = b.begin[d] * s.stride[d] - s.pad[d];
    size[d] = (b.size[d] - 1) * s.stride[d] + (s.kernel[d] - 1) * s.dilation[d] + 1;
    begin[d] = least(size[d], most<int64_t>(0, -from[d]));
    end[d] = most(begin[d], least(size[d], s.in[d] - from[d]));
  }
  const PhaseRange first(stride, u0, s.in[2], layout.pitch);
  const bool whole = layout.phases == 1 && stride == 1 && first.shift == 0 && layout.pitch == s.in[2];
  for (int64_t c = 0; c < channels; c++, x += s.in_size, to += layout.channel) {
    if (borders && !whole) zero(to, layout.channel);
    for (int64_t d = begin[0]; d < end[0]; d++) {
      const T* const plane = x + ((from[0] + d) * s.in[1] + from[1]) * s.in[2];
      T* const to_plane = to + d * layout.plane;
      if (whole) {
        if (borders) zero(to_plane, begin[1] * layout.row);
        if (borders) zero(to_plane + end[1] * layout.row, (size[1] - end[1]) * layout.row);
        copy_exactly(plane + begin[1] * s.in[2], to_plane + begin[1] * layout.row, (end[1] - begin[1]) * layout.row);
        continue;
      }
      for (int64_t f = 0; f < layout.phases; f++) {
        const PhaseRange r = f == 0 ? first : PhaseRange(stride, u0 + f, s.in[2], layout.pitch);
        const T* line = plane + begin[1] * s.in[2] + r.shift;
        T* to_line = to_plane + begin[1] * layout.row + f * layout.pitch;
        for (int64_t h = begin[1]; h < end[1]; h++, line += s.in[2], to_line += layout.row) {
          if (stride == 1)
            copy_exactly(line + r.begin, to_line + r.begin, r.end - r.begin);
          else
            for (int64_t i = r.begin; i < r.end; i++) to_line[i] = line[i * stride];
        }
      }
    }
    for (int64_t d = 0; whole && borders && d < size[0]; d++)
      if (d < begin[0] || d >= end[0]) zero(to + d * layout.plane, size[1] * layout.row);
  }
}

// What of x exists if it is to be read with zeros between its elements.
struct Spread {
  int64_t in[FD_SPATIAL], apart[FD_SPATIAL];
  int64_t size() const { return in[0] * in[1] * in[2]; }
};

// The copy of such an x, for windows a stride of 1 apart.
template <class T>
void lay_out_spread(const ConvShape<T>& s, const Layout<T>& layout, const Band& b, const Spread& spread, const T* x,
                    int64_t channels, bool borders, T* to) {
  int64_t from[FD_SPATIAL], begin[FD_SPATIAL], end[FD_SPATIAL];  // of the copy in x; elements that it has
  for (int d = 0; d < FD_SPATIAL; d++) {
    const int64_t size = b.size[d] + (s.kernel[d] - 1) * s.dilation[d], apart = spread.apart[d];
    from[d] = b.begin[d] - s.pad[d];
    begin[d] = from[d] > 0 ? least(spread.in[d], ceil_div(from[d], apart)) : 0;
    end[d] = most(begin[d], from[d] + size <= 0 ? 0 : least(spread.in[d], ceil_div(from[d] + size, apart)));
  }
  if (borders) zero(to, channels * layout.channel);
  for (int64_t c = 0; c < channels; c++, x += spread.size(), to += layout.channel)
    for (int64_t d = begin[0]; d < end[0]; d++)
      for (int64_t h = begin[1]; h < end[1]; h++) {
        const T* const line = x + (d * spread.in[1] + h) * spread.in[2];
        T* const to_line = to + (d * spread.apart[0] - from[0]) * layout.plane +
                           (h * spread.apart[1] - from[1]) * layout.row - from[2];
        for (int64_t w = begin[2]; w < end[2]; w++) to_line[w * spread.apart[2]] = line[w];
      }
}

// Neighbours in the order of taps.
struct TapRange {
  int64_t begin, end;
  bool operator==(const TapRange& other) const { return begin == other.begin && end == other.end; }
};

// Those with which the lines of windows [begin, end) see more than the border, looked for in two dimensions only. back:
// taps are in reverse order.
template <class T>
TapRange taps_inside(const ConvShape<T>& s, bool back, int64_t begin, int64_t end) {
  if (s.kernel[0] > 1) return {0, s.taps};
  const int64_t lines = s.kernel[1], step = s.dilation[1], stride = s.stride[1], pad = s.pad[1];
  int64_t first = 0, last = lines;
  while (first < last && (end - 1) * stride - pad + first * step < 0) first++;
  while (last > first && begin * stride - pad + (last - 1) * step >= s.in[1]) last--;
  return {(back ? lines - last : first) * s.kernel[2], (back ? lines - first : last) * s.kernel[2]};
}

// The windows of a band as vectors of neighbours: which lines the elements under a tap come from. A vector is one load
// per line it spans, each shifted so that its elements fall on their lanes, and blended over the one before.
template <class T>
class WindowVectors {
 public:
  // For all bands, which begin alike; memory of bytes() bytes.
  WindowVectors(const Layout<T>& layout, const Band& widest, void* memory);
  static size_t bytes(const Band& widest) {
    const int64_t vectors = ceil_div(widest.count, Vec<T>::kLanes), lines = widest.size[0] * widest.size[1];
    return size_t((2 * vectors + lines + 2) * int64_t(sizeof(int64_t)) +
                  round_up(vectors + lines + 2, 64) * int64_t(sizeof(Mask<T>)));
  }
  // Column v of a block of the im2col matrix: to[l * step] = what the band's vector v has under tap l of `channels`
  // channels, x being where the first one's first window is; `lanes` of it are asked for.
  void column(const Layout<T>& layout, const T* x, int64_t channels, int64_t taps, int64_t v, int64_t lanes, T* to,
              int64_t step) const;

 private:
  template <int kPieces>
  void blend(const Layout<T>& layout, const T* x, int64_t channels, int64_t taps, int64_t first, int64_t pieces, T* to,
             int64_t step) const;

  int64_t* start_;  // of a vector's pieces
  int64_t* from_;
  Mask<T>* mask_;  // the piece's lanes and all after them
  bool room_;      // to read beyond a line's elements; without it no vector spans lines
};

// kPieces 0: any number.
template <class T>
template <int kPieces>
void WindowVectors<T>::blend(const Layout<T>& layout, const T* x, int64_t channels, int64_t taps, int64_t first,
                             int64_t pieces, T* to, int64_t step) const {
  constexpr int kKept = kPieces > 0 ? kPieces : 1;
  const int64_t* const tap = layout.tap;
  int64_t from[kKept];
  Mask<T> mask[kKept];
  FD_UNROLL for (int i = 0; i < kKept; i++) from[i] = from_[first + i], mask[i] = mask_[first + i];
  for (int64_t c = 0; c < channels; c++, x += layout.channel)
    for (int64_t t = 0; t < taps; t++, to += step) {
      const T* const at = x + tap[t];
      Vec<T> elements = Vec<T>::load(at + from[0]);
      if constexpr (kPieces > 0) {
        FD_UNROLL for (int i = 1; i < kPieces; i++) elements = select(mask[i], Vec<T>::load(at + from[i]), elements);
      } else {
        for (int64_t i = 1; i < pieces; i++)
          elements = select(mask_[first + i], Vec<T>::load(at + from_[first + i]), elements);
      }
      elements.store(to);
    }
}

template <class T>
void WindowVectors<T>::column(const Layout<T>& layout, const T* x, int64_t channels, int64_t taps, int64_t v,
                              int64_t lanes, T* to, int64_t step) const {
  const int64_t first = start_[v], pieces = start_[v + 1] - first;
  if (!room_ && lanes < Vec<T>::kLanes) {
    for (int64_t c = 0; c < channels; c++, x += layout.channel)
      for (int64_t t = 0; t < taps; t++, to += step) Vec<T>::load(x + layout.tap[t] + from_[first], lanes).store(to);
    return;
  }
  if (pieces == 1) return blend<1>(layout, x, channels, taps, first, pieces, to, step);
  if (pieces == 2) return blend<2>(layout, x, channels, taps, first, pieces, to, step);
  if (pieces == 3) return blend<3>(layout, x, channels, taps, first, pieces, to, step);
  blend<0>(layout, x, channels, taps, first, pieces, to, step);
}

template <class T>
WindowVectors<T>::WindowVectors(const Layout<T>& layout, const Band& widest, void* memory) : room_(layout.copied) {
  constexpr int64_t L = Vec<T>::kLanes;
  const int64_t vectors = ceil_div(widest.count, L), lines = widest.size[0] * widest.size[1], width = widest.size[2];
  mask_ = static_cast<Mask<T>*>(memory);
  from_ = reinterpret_cast<int64_t*>(mask_ + round_up(vectors + lines + 2, 64));
  start_ = from_ + vectors + lines + 1;
  int64_t count = 0;
  for (int64_t v = 0; v < vectors; v++) {
    start_[v] = count;
    for (int64_t lane = 0; lane < L && v * L + lane < widest.count; count++) {
      const int64_t line = (v * L + lane) / width, column = (v * L + lane) % width;
      const int64_t at = line / widest.size[1] * layout.step[0] + line % widest.size[1] * layout.step[1] + column;
      from_[count] = at - lane;
      mask_[count] = ~first_lanes<T>(lane);
      lane += width - column;
    }
  }
  start_[vectors] = count;
}

// What the gradient of x of strides 1 is: gy convolved with the weights turned round, channels exchanged. False: not
// the way for this shape.
template <class T>
bool convolve_back(fd_context* context, const fd_conv& args, fd_status* status);

constexpr double kTaskWork = 4e5;   // operations: less is not worth sharing
constexpr int64_t kLeastTasks = 8;  // work is cut so that there are so many, whatever the number of threads

// How many of `items` equal parts of the work to give a task.
inline int64_t grain_of(double work, int64_t items) {
  return work < kTaskWork ? items : most<int64_t>(1, int64_t(kTaskWork * double(items) / work));
}

inline int64_t l2_of(const fd_context* context) { return context->l2_bytes > 0 ? context->l2_bytes : 1 << 20; }

// ---------------------------------------------------------------------------------------------------- panels

// C (+)= A B, with B in panels of kTileCols columns one after the other, [k, width] each; the last one is as many
// vectors wide as it needs.
template <class T>
struct Panels {
  int64_t rows, cols, k;
  const T* a;  // A(i, l) = a[i * a_row + l * a_step]
  int64_t a_row, a_step;
  const T* packed;
  T* c;
  int64_t ldc;
  const T* row_bias;
  int flags;
};

template <class T>
constexpr int64_t panel_width(int64_t cols) {
  return cols >= kTileCols<T> ? kTileCols<T> : round_up(cols, Vec<T>::kLanes);
}

template <class T>
void multiply_panels(const Panels<T>& p) {
  constexpr int64_t L = Vec<T>::kLanes;
  const int64_t full = p.cols / kTileCols<T>, rest = p.cols - full * kTileCols<T>;
  const int64_t strips = ceil_div(p.rows, p.cols <= L ? kTallRows : kTileRows);
  TileRow<T> r;
  r.k = p.k;
  r.a_row = p.a_row;
  r.a_step = p.a_step;
  r.pack = nullptr;
  r.ldc = p.ldc;
  r.gate = nullptr;
  r.ldgate = 0;
  r.flags = p.flags;
  for (int64_t t = 0; t < strips; t++) {
    const int64_t row = p.rows * t / strips, height = p.rows * (t + 1) / strips - row;
    r.a = p.a + row * p.a_row;
    r.bias = p.row_bias ? p.row_bias + row : nullptr;
    const auto run = [&](int64_t panel, int64_t tiles, int64_t cols) {
      const int64_t vecs = panel_width<T>(cols) / L;
      r.b = p.packed + panel * kTileCols<T> * p.k;
      r.b_step = vecs * L;
      r.b_tile = vecs * L * p.k;
      r.c = p.c + row * p.ldc + panel * kTileCols<T>;
      r.tiles = tiles;
      r.lanes = cols - (vecs - 1) * L;
      tile_kernel<T>(int(height), int(vecs), r.lanes < L, false)(r);
    };
    if (full > 0) run(0, full, kTileCols<T>);
    if (rest > 0) run(full, 1, rest);
  }
}

}  // namespace fd::FD_ISA
