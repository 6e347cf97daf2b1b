// y = act(weight * x + bias), see kernels.h. Bound by arithmetic.
//
// Where outputs fill vectors they are the lanes of tiles 14 windows wide (conv_lanes.h): one step of all their sums is
// a tap of an input channel, 256 of which at a time keep their weights in L1. Few outputs go by vectors of windows
// (conv_direct.h). Otherwise the convolution is the product of the weights [outputs, inputs x taps] and the im2col
// matrix [inputs x taps, out] by the register tiles of gemm. That matrix never exists whole: for a band of output
// positions and a block of input channels its columns are copied straight from x into the panels the tiles read, sized
// to half of the second-level cache. Tasks are bands of images.
//
// 8 x 256 x 14 x 14 to 256, 3 x 3, float32, one thread: 189 GFLOP/s (AVX-512, Intel(R) Xeon(R) Processor @ 2.10GHz;
// docs/kernels/conv.md).
#include "kernels/cpu/conv_direct.h"
#include "kernels/cpu/conv_lanes.h"
#include "kernels/cpu/gemm_finish.h"
#include "kernels/cpu/gemm_pack.h"
#include "kernels/cpu/table.h"

namespace fd::FD_ISA {
namespace {

constexpr int64_t kStripBytes = 24 << 10;  // of panels that one strip of tiles uses once: they stay in L1
constexpr int64_t kTurnedInputs = 16;      // input channels whose weights a task turns

// The steps of lines of windows that see the same taps, their counts those of one channel.
struct LineSteps {
  TapRange taps;
  LaneSteps steps;
};
constexpr int kMostLineSteps = 8;  // all taps, and those of lines at the border

// Few outputs: conv_direct.h; enough to fill vectors: conv_lanes.h; others by way of panels.
enum class Way { direct, lanes, panels };

template <class T>
Way way_of(const ConvShape<T>& s) {
  const int64_t width = s.out[2];
  if (s.outputs <= 2) return Way::direct;
  if (s.outputs <= kDirectRows && 4 * width >= 3 * round_up(width, Vec<T>::kLanes)) return Way::direct;
  return fills_lanes<T>(s.outputs) && s.depth > 0 && s.taps > 1 ? Way::lanes : Way::panels;
}

// The gradient of x as a convolution: of gy with as many zeros between its elements as strides leave out.
fd_conv turned_round(const fd_conv& v) {
  fd_conv r{};
  r.n = v.n, r.groups = v.groups, r.in_channels = v.out_channels, r.out_channels = v.in_channels;
  for (int d = 0; d < FD_SPATIAL; d++) {
    r.in[d] = (v.out[d] - 1) * v.stride[d] + 1, r.out[d] = v.in[d], r.kernel[d] = v.kernel[d], r.stride[d] = 1,
    r.dilation[d] = v.dilation[d];
    r.pad[d] = (v.kernel[d] - 1) * v.dilation[d] - v.pad[d];
  }
  r.x = v.gy, r.weight = v.weight, r.bias = v.bias, r.y = v.gx;
  return r;
}

template <class T>
struct Forward {
  fd_context* context;
  ConvShape<T> s;
  bool back;  // weights lie as those of the convolution whose gradient this is
  Spread spread;
  const T* x;
  const T* weight;  // [outputs, inputs, taps]; for lanes [inputs, taps, width] of every kLaneVecs vectors of outputs
  int64_t weight_row;
  const T* bias;
  T* y;
  int activation;
  Way way;
  int64_t channels, along, bands;  // input channels of a block; width and number of bands
  int64_t laid_out, cols;          // scratch: elements of laid out x, packed columns at a time
  LineSteps line_steps[kMostLineSteps];
  int line_kinds = 0;
  bool failed = false;

  Forward(fd_context* c, const fd_conv& v);
  Forward(fd_context* c, const fd_conv& v, const Spread& spread);  // for the gradient
  fd_status run();

 private:
  void plan();
  struct Work {
    T* memory;
    bool fresh;  // it does not hold the same band of another image
  };
  int64_t scratch() const;
  int64_t weights() const;
  int64_t biases() const { return way == Way::lanes && bias ? s.groups * lane_width<T>(s.outputs) : 0; }
  void copy_weights(T* to, T* bias_to);
  void turn_weights(int64_t group, int64_t output, int64_t begin, int64_t end, T* to) const;
  void exchange_weights(T* to) const;
  void band(const Layout<T>& layout, const WindowVectors<T>& windows, Work& work, int64_t item) const;
  void multiply_band(const Layout<T>& layout, const WindowVectors<T>& windows, Work& work, const T* x, const T* w,
                     const T* bias, T* y, const Band& b) const;
  int64_t steps() const { return way == Way::lanes ? kMostLineSteps * channels * s.taps : 0; }
  void find_steps(const Layout<T>& layout, LaneStep* memory);
  int line_kind(int64_t line) const;
  void sum_band(const Layout<T>& layout, Work& work, const T* x, const T* w, const T* bias, T* y, const Band& b) const;
};

template <class T>
Forward<T>::Forward(fd_context* c, const fd_conv& v) : Forward(c, v, Spread{}) {
  back = false;
  for (int d = 0; d < FD_SPATIAL; d++) spread.in[d] = s.in[d], spread.apart[d] = 1;
}

template <class T>
Forward<T>::Forward(fd_context* c, const fd_conv& v, const Spread& apart)
    : context(c),
      s(v),
      back(true),
      spread(apart),
      x(static_cast<const T*>(v.x)),
      weight(static_cast<const T*>(v.weight)),
      weight_row(s.depth),
      bias(static_cast<const T*>(v.bias)),
      y(static_cast<T*>(v.y)),
      activation(v.activation),
      way(way_of(s)) {}

template <class T>
void Forward<T>::plan() {
  const int64_t budget = l2_of(context) / 2 / int64_t(sizeof(T));
  const int64_t most_depth = way == Way::lanes ? kLaneDepth<T> : kBlockK<T> / 2;
  const int64_t per_block = way == Way::direct ? s.inputs : most<int64_t>(1, most_depth / s.taps);
  const int64_t inputs = most<int64_t>(1, s.inputs);
  channels = ceil_div(inputs, ceil_div(inputs, most<int64_t>(1, per_block)));
  const int64_t strides = s.stride[0] * s.stride[1] * s.stride[2];
  const int64_t per_position = way == Way::panels  ? channels * s.taps
                               : way == Way::lanes ? channels * strides + lane_width<T>(s.outputs)
                                                   : channels * strides;
  int64_t positions = most(kTileCols<T>, budget / per_position);
  const double tasks = least(double(kLeastTasks), s.work() / kTaskWork) / double(s.n * s.groups);
  if (tasks > 1) positions = least(positions, most(kTileCols<T>, int64_t(double(s.out_size) / tasks)));
  along = band_width(s, positions);
  bands = ceil_div(s.out[s.axis()], along);
  cols = round_up(along * s.inner(), kTileCols<T>);
  if (s.outputs <= kTileRows) {
    const int64_t strip = kStripBytes / int64_t(sizeof(T)) / (channels * s.taps) / kTileCols<T> * kTileCols<T>;
    cols = least(cols, most(kTileCols<T>, strip));
  }
}

template <class T>
int64_t Forward<T>::scratch() const {
  if (way == Way::direct) return laid_out;
  if (way == Way::lanes) return laid_out + along * s.inner() * lane_width<T>(s.outputs);
  return laid_out + cols * channels * s.taps + 2 * Vec<T>::kLanes;
}

// How many elements of own weights are wanted: turned for lanes; for panels because rows a multiple of half a page
// apart compete for the same few sets of L1; of a gradient to exchange the channels.
template <class T>
int64_t Forward<T>::weights() const {
  if (way == Way::lanes) return s.groups * lane_width<T>(s.outputs) * s.depth;
  if (way == Way::direct) return back ? s.groups * s.outputs * s.depth : 0;
  const bool compete = s.outputs > 1 && s.depth * int64_t(sizeof(T)) % 2048 == 0 && s.depth > 0;
  return compete ? s.groups * s.outputs * padded_row<T>(s.depth) : 0;
}

// The weights of the input channels [begin, end) for the outputs from `output` on, as many as a tile has.
template <class T>
void Forward<T>::turn_weights(int64_t group, int64_t output, int64_t begin, int64_t end, T* to) const {
  const int64_t taps = s.taps, width = lane_vecs<T>(s.outputs - output) * Vec<T>::kLanes;
  const int64_t lanes = least(width, s.outputs - output);
  const T* const from = weight + group * s.outputs * s.depth;
  to += (group * lane_width<T>(s.outputs) + output) * s.depth + begin * taps * width;
  if (!back)
    return transpose_panel(from + output * s.depth + begin * taps, s.depth, lanes, (end - begin) * taps, to, width);
  for (int64_t c = begin; c < end; c++, to += taps * width)
    transpose_panel(from + (c * s.outputs + output) * taps, taps, lanes, taps, to, width);
}

template <class T>
void Forward<T>::exchange_weights(T* to) const {
  for (int64_t g = 0; g < s.groups; g++)
    for (int64_t o = 0; o < s.outputs; o++)
      for (int64_t c = 0; c < s.inputs; c++, to += s.taps)
        copy_exactly(weight + ((g * s.inputs + c) * s.outputs + o) * s.taps, to, s.taps);
}

template <class T>
void Forward<T>::copy_weights(T* to, T* bias_to) {
  if (way == Way::direct) {
    exchange_weights(to);
  } else if (way == Way::lanes) {
    const int64_t tile = kLaneVecs * Vec<T>::kLanes, tiles = ceil_div(s.outputs, tile);
    const int64_t parts = ceil_div(s.inputs, kTurnedInputs), items = s.groups * tiles * parts;
    for_chunks(context, items, ceil_div(int64_t(65536), kTurnedInputs * s.taps * tile),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; i++) {
                   const int64_t c = i % parts * kTurnedInputs, o = i / parts % tiles * tile;
                   turn_weights(i / (parts * tiles), o, c, least(s.inputs, c + kTurnedInputs), to);
                 }
               });
    const int64_t row = lane_width<T>(s.outputs);
    for (int64_t i = 0; i < biases(); i++) bias_to[i] = bias[i / row * s.outputs + least(i % row, s.outputs - 1)];
    if (bias) bias = bias_to;
  } else {
    const int64_t rows = s.groups * s.outputs;
    weight_row = padded_row<T>(s.depth);
    for_chunks(context, rows, most<int64_t>(1, 100000 / s.depth), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) copy_exactly(weight + i * s.depth, to + i * weight_row, s.depth);
    });
  }
  weight = to;
}

// to[l, j] = the element under tap l of the band's window first + j.
template <class T>
void pack_panel(const ConvShape<T>& s, const Layout<T>& layout, const WindowVectors<T>& windows, const T* x,
                int64_t channels, int64_t first, int64_t cols, T* to) {
  constexpr int64_t L = Vec<T>::kLanes;
  const int64_t width = panel_width<T>(cols);
  for (int64_t j = 0; j < cols; j += L)
    windows.column(layout, x, channels, s.taps, (first + j) / L, least(L, cols - j), to + j, width);
}

template <class T>
void Forward<T>::multiply_band(const Layout<T>& layout, const WindowVectors<T>& windows, Work& work, const T* x,
                               const T* w, const T* bias, T* y, const Band& b) const {
  T* const packed = work.memory + laid_out;
  const int64_t blocks = ceil_div(s.inputs, channels);
  for (int64_t block = 0; block < most<int64_t>(blocks, 1); block++) {
    const int64_t begin = block * channels, count = least(channels, s.inputs - begin), k = count * s.taps;
    const bool last = block + 1 >= blocks;
    const T* from = x + begin * s.in_size + layout.origin(b);
    if (layout.copied) {
      lay_out(s, layout, b, x + begin * s.in_size, count, work.fresh && block == 0, work.memory);
      from = work.memory;
    }
    int flags = block > 0 ? kTileAccumulate : 0;
    if (last && bias) flags |= kTileRowBias;
    if (last && activation == FD_ACT_RELU) flags |= kTileRelu;
    for (int64_t first = 0; first < b.count; first += cols) {
      const int64_t here = least(cols, b.count - first);
      for (int64_t j = 0; j < here; j += kTileCols<T>) {
        pack_panel(s, layout, windows, from, count, first + j, least(kTileCols<T>, here - j), packed + j * k);
      }
      multiply_panels<T>(
          {s.outputs, here, k, w + begin * s.taps, weight_row, 1, packed, y + first, s.out_size, bias, flags});
    }
  }
}

// Taps that lie outside at an end of the line come apart.
template <class T>
void Forward<T>::find_steps(const Layout<T>& layout, LaneStep* memory) {
  const int64_t kernel = s.kernel[2], width = (s.out[2] - 1) * s.stride[2];
  const bool whole = s.axis() != 2;  // lines
  for (int64_t line = -1; line < s.out[1] && line_kinds < kMostLineSteps; line++) {
    const TapRange taps = line < 0 ? TapRange{0, s.taps} : taps_inside(s, back, line, line + 1);
    if (line >= 0 && line_steps[line_kind(line)].taps == taps) continue;
    LaneSteps all = sorted_steps(memory, [&](const auto& visit) {
      for (int64_t c = 0; c < channels; c++)
        for (int64_t t = taps.begin; t < taps.end; t++) {
          const int64_t column = t % kernel, at = (back ? kernel - 1 - column : column) * s.dilation[2] - s.pad[2];
          visit(!whole                  ? 1
                : at < 0                ? 0
                : at + width >= s.in[2] ? 2
                                        : 1,
                LaneStep{c * layout.channel + layout.tap[t], c * s.taps + t});
        }
    });
    for (int e = 0; e < 3; e++) all.count[e] /= channels;
    line_steps[line_kinds++] = {taps, all};
    memory += channels * s.taps;
  }
}

// Which of line_steps is that of a line: 0, all taps, if none is its own.
template <class T>
int Forward<T>::line_kind(int64_t line) const {
  if (line_kinds == 1) return 0;
  const TapRange taps = taps_inside(s, back, line, line + 1);
  int kind = line_kinds - 1;
  while (kind > 0 && !(line_steps[kind].taps == taps)) kind--;
  return kind;
}

// The tiles of sums for a block of inputs after the other; the last one's outputs are turned into place.
template <class T>
void Forward<T>::sum_band(const Layout<T>& layout, Work& work, const T* x, const T* w, const T* bias, T* y,
                          const Band& b) const {
  constexpr int64_t kTile = kLaneVecs * Vec<T>::kLanes;
  T* const sums = work.memory + laid_out;
  for (int64_t begin = 0; begin < s.inputs; begin += channels) {
    const int64_t count = least(channels, s.inputs - begin);
    const T* from = x + begin * s.in_size + layout.origin(b);
    if (layout.copied) {
      lay_out(s, layout, b, x + begin * s.in_size, count, work.fresh && begin == 0, work.memory);
      from = work.memory;
    }
    for (int64_t o = 0; o < s.outputs; o += kTile) {
      const int64_t vecs = lane_vecs<T>(s.outputs - o), width = vecs * Vec<T>::kLanes;
      LaneSums<T> tile{};
      tile.outer = 1;
      tile.x_line = layout.step[1];
      tile.b = w + o * s.depth + begin * s.taps * width;
      tile.c_step = width;
      tile.c_line = b.size[2] * width;
      tile.accumulate = begin > 0;
      tile.start = bias ? bias + o : nullptr;
      const int64_t next_width = lane_vecs<T>(s.outputs - o - kTile) * Vec<T>::kLanes;
      tile.ahead = o + kTile < s.outputs ? w + (o + kTile) * s.depth + begin * s.taps * next_width : tile.b;
      tile.end_ahead = tile.ahead + count * s.taps * next_width;
      for (int64_t h = 0, next; h < b.size[1]; h = next) {
        const int kind = line_kind(b.begin[1] + h);
        next = line_kinds == 1 ? b.size[1] : h + 1;
        while (next < b.size[1] && line_kind(b.begin[1] + next) == kind) next++;
        tile.steps = line_steps[kind].steps;
        for (int e = 0; e < 3; e++) tile.steps.count[e] *= count;
        for (int64_t plane = 0; plane < b.size[0]; plane++) {
          tile.x = from + plane * layout.step[0] + h * layout.step[1];
          tile.c = sums + o * b.count + (plane * b.size[1] + h) * tile.c_line;
          tile.ahead = walk_lanes(tile, next - h, b.size[2], vecs);
        }
      }
    }
  }
  const Finish<T> last{nullptr, 1, activation, nullptr, 0, FD_ACT_NONE};
  for (int64_t o = 0; o < s.outputs; o += kTile) {
    const int64_t width = lane_vecs<T>(s.outputs - o) * Vec<T>::kLanes;
    T* const from = sums + o * b.count;
    finish(last, from, 0, 1, b.count * width);
    turn(from, width, b.count, least(width, s.outputs - o), y + o * s.out_size, s.out_size);
  }
}

template <class T>
void Forward<T>::band(const Layout<T>& layout, const WindowVectors<T>& windows, Work& work, int64_t item) const {
  const int64_t image = item / (bands * s.groups), group = item / bands % s.groups;
  const Band b = s.band(item % bands, along);
  const T* const in = x + (image * s.groups + group) * s.inputs * spread.size();
  T* const out = y + (image * s.groups + group) * s.outputs * s.out_size + b.first;
  if (way == Way::lanes) {
    const int64_t width = lane_width<T>(s.outputs);
    return sum_band(layout, work, in, weight + group * width * s.depth, bias ? bias + group * width : nullptr, out, b);
  }
  const T* const w = weight + group * s.outputs * weight_row;
  const T* const offset = bias ? bias + group * s.outputs : nullptr;
  if (way == Way::direct) {
    const T* from = in + layout.origin(b);
    if (layout.copied) {
      if (spread.size() < s.in_size)
        lay_out_spread(s, layout, b, spread, in, s.inputs, work.fresh, work.memory);
      else
        lay_out(s, layout, b, in, s.inputs, work.fresh, work.memory);
      from = work.memory;
    }
    direct_band<T>(
        s, layout, b, back,
        {s.inputs, s.taps, {0, s.taps}, layout.tap, from, layout.channel, 0, w, offset, out, s.out_size, 0, 0});
  } else {
    multiply_band(layout, windows, work, in, w, offset, out, b);
  }
  const bool done = activation == FD_ACT_NONE || (activation == FD_ACT_RELU && way == Way::panels);
  if (!done) finish(Finish<T>{nullptr, 1, activation, nullptr, 0, FD_ACT_NONE}, out, s.out_size, s.outputs, b.count);
}

template <class T>
fd_status Forward<T>::run() {
  plan();
  const int64_t own_weights = weights();
  Band widest = s.band(0, along);
  if (way != Way::panels) widest.count = 0;  // no vectors of windows
  const size_t table = size_t(round_up(s.taps, 8)) * sizeof(int64_t) + size_t(steps()) * sizeof(LaneStep);
  const size_t vectors = WindowVectors<T>::bytes(widest);
  const size_t copied = size_t(round_up(own_weights + biases(), 16)) * sizeof(T);
  char* const own = static_cast<char*>(context->workspace(context, 0, copied + table + vectors));
  if (!own) return FD_NO_MEMORY;
  if (own_weights > 0) copy_weights(reinterpret_cast<T*>(own), reinterpret_cast<T*>(own) + own_weights);
  int64_t* const taps = reinterpret_cast<int64_t*>(own + copied);
  const Layout<T> layout(s, along, taps, way == Way::lanes ? Reading::elements : Reading::vectors);
  if (back)
    for (int64_t i = 0, j = s.taps - 1; i < j; i++, j--) exchange(taps[i], taps[j]);
  if (way == Way::lanes) find_steps(layout, reinterpret_cast<LaneStep*>(taps + round_up(s.taps, 8)));
  const WindowVectors<T> windows(layout, widest, own + copied + table);
  laid_out = layout.copied ? round_up(channels * layout.channel + Vec<T>::kLanes, 16) : 0;
  const int64_t items = s.n * s.groups * bands;
  for_chunks(context, items, grain_of(s.work(), items), [&](int64_t begin, int64_t end) {
    Work work{};
    work.memory = static_cast<T*>(context->workspace(context, 1, size_t(scratch()) * sizeof(T) + 64));
    if (!work.memory) return __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
    for (int64_t i = begin; i < end; i++) {
      work.fresh = i == begin || bands > 1;
      band(layout, windows, work, i);
    }
  });
  return failed ? FD_NO_MEMORY : FD_OK;
}

template <class T>
fd_status forward(fd_context* context, const fd_conv* args) {
  Forward<T> f(context, *args);
  return f.s.empty() ? FD_OK : f.run();
}

}  // namespace

template <class T>
bool convolve_back(fd_context* context, const fd_conv& v, fd_status* status) {
  Spread spread;
  for (int d = 0; d < FD_SPATIAL; d++) spread.in[d] = v.out[d], spread.apart[d] = v.stride[d];
  const fd_conv turned = turned_round(v);
  Forward<T> f(context, turned, spread);
  if (f.way == Way::panels || f.s.taps == 1) return false;
  if (spread.size() < f.s.in_size) {  // worth it only for a channel or two, in a copy
    bool copied = false;
    for (int d = 0; d < FD_SPATIAL; d++) {
      if (f.s.in[d] != turned.in[d]) return false;
      copied |= f.s.pad[d] != 0;
    }
    if (!copied || f.s.inputs * f.s.outputs > 4 || f.s.in_size > 4 * spread.size()) return false;
  }
  if (f.way == Way::lanes && 2 * f.s.out_size > 3 * f.s.in_size) return false;  // most of it would be border
  *status = f.run();
  return true;
}
template bool convolve_back<float>(fd_context*, const fd_conv&, fd_status*);
template bool convolve_back<double>(fd_context*, const fd_conv&, fd_status*);

void fill_conv(fd_kernels* table) {
  table->conv.forward[FD_F32] = forward<float>;
  table->conv.forward[FD_F64] = forward<double>;
}

}  // namespace fd::FD_ISA
