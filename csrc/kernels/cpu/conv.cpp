// y = act(weight * x + bias), see kernels.h. Bound by arithmetic.
//
// The convolution is the product of the weights [outputs, inputs x taps] and the im2col matrix [inputs x taps, out],
// taken by the register tiles of gemm. That matrix never exists whole: for a band of output positions and a block of
// input channels its columns are copied straight from x into the panels the tiles read, sized to half of the second-
// level cache. Tasks are bands of images. Few output channels go without the copy (conv_direct.h).
#include "kernels/cpu/conv_direct.h"
#include "kernels/cpu/gemm_finish.h"
#include "kernels/cpu/gemm_pack.h"
#include "kernels/cpu/table.h"

namespace fd::FD_ISA {
namespace {

constexpr int64_t kStripBytes = 24 << 10;  // of panels that one strip of tiles uses once: they stay in L1

template <class T>
bool is_direct(const ConvShape<T>& s) {
  if (s.outputs > kDirectRows) return false;
  const int64_t width = s.out[2];
  return s.outputs <= 2 || 4 * width >= 3 * round_up(width, Vec<T>::kLanes);
}

template <class T>
struct Forward {
  fd_context* context;
  ConvShape<T> s;
  const T* x;
  const T* weight;
  int64_t weight_row;
  const T* bias;
  T* y;
  int activation;
  bool direct;
  int64_t channels, along, bands;  // input channels of a block; width and number of bands
  int64_t laid_out, cols;          // scratch: elements of laid out x, packed columns at a time
  bool failed = false;

  explicit Forward(fd_context* c, const fd_conv& v);
  void plan();
  fd_status run();

 private:
  int64_t scratch() const { return laid_out + (direct ? 0 : cols * channels * s.taps + 2 * Vec<T>::kLanes); }
  void band(const Layout<T>& layout, const WindowVectors<T>& windows, T* scratch, int64_t image, int64_t group,
            const Band& b) const;
  void multiply_band(const Layout<T>& layout, const WindowVectors<T>& windows, T* scratch, const T* x, const T* w,
                     const T* bias, T* y, const Band& b) const;
};

template <class T>
Forward<T>::Forward(fd_context* c, const fd_conv& v)
    : context(c),
      s(v),
      x(static_cast<const T*>(v.x)),
      weight(static_cast<const T*>(v.weight)),
      weight_row(s.depth),
      bias(static_cast<const T*>(v.bias)),
      y(static_cast<T*>(v.y)),
      activation(v.activation),
      direct(is_direct(s)) {}

template <class T>
void Forward<T>::plan() {
  const int64_t budget = l2_of(context) / 2 / int64_t(sizeof(T));
  const int64_t per_block = direct ? s.inputs : most<int64_t>(1, kBlockK<T> / s.taps);
  const int64_t inputs = most<int64_t>(1, s.inputs);
  channels = ceil_div(inputs, ceil_div(inputs, most<int64_t>(1, per_block)));
  const int64_t strides = direct ? s.stride[0] * s.stride[1] * s.stride[2] : s.taps;
  int64_t positions = most(kTileCols<T>, budget / (channels * strides));
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
void Forward<T>::multiply_band(const Layout<T>& layout, const WindowVectors<T>& windows, T* scratch, const T* x,
                               const T* w, const T* bias, T* y, const Band& b) const {
  T* const packed = scratch + laid_out;
  const int64_t blocks = ceil_div(s.inputs, channels);
  for (int64_t block = 0; block < most<int64_t>(blocks, 1); block++) {
    const int64_t begin = block * channels, count = least(channels, s.inputs - begin), k = count * s.taps;
    const bool last = block + 1 >= blocks;
    const T* from = x + begin * s.in_size + layout.origin(b);
    if (layout.copied) {
      lay_out(s, layout, b, x + begin * s.in_size, count, scratch);
      from = scratch;
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

template <class T>
void Forward<T>::band(const Layout<T>& layout, const WindowVectors<T>& windows, T* scratch, int64_t image,
                      int64_t group, const Band& b) const {
  const T* const in = x + (image * s.groups + group) * s.inputs * s.in_size;
  T* const out = y + (image * s.groups + group) * s.outputs * s.out_size + b.first;
  const T* const w = weight + group * s.outputs * weight_row;
  const T* const offset = bias ? bias + group * s.outputs : nullptr;
  if (direct) {
    const T* from = in + layout.origin(b);
    if (layout.copied) {
      lay_out(s, layout, b, in, s.inputs, scratch);
      from = scratch;
    }
    direct_band<T>(layout, b, int(s.outputs),
                   {s.inputs, s.taps, layout.tap, from, layout.channel, 0, w, offset, out, s.out_size, 0, 0});
  } else {
    multiply_band(layout, windows, scratch, in, w, offset, out, b);
  }
  const bool done = activation == FD_ACT_NONE || (activation == FD_ACT_RELU && !direct);
  if (!done) finish(Finish<T>{nullptr, 1, activation, nullptr, 0, FD_ACT_NONE}, out, s.out_size, s.outputs, b.count);
}

template <class T>
fd_status Forward<T>::run() {
  plan();
  // Rows of weights a multiple of half a page apart compete for the same few sets of L1.
  const bool copy = !direct && s.outputs > 1 && s.depth * int64_t(sizeof(T)) % 2048 == 0 && s.depth > 0;
  const int64_t rows = s.groups * s.outputs, row = padded_row<T>(s.depth);
  const Band widest = s.band(0, along);
  const size_t table = size_t(round_up(s.taps, 8)) * sizeof(int64_t), vectors = WindowVectors<T>::bytes(widest);
  const size_t copied = copy ? size_t(rows * row) * sizeof(T) : 0;
  char* const own = static_cast<char*>(context->workspace(context, 0, copied + table + vectors));
  if (!own) return FD_NO_MEMORY;
  if (copy) {
    T* const to = reinterpret_cast<T*>(own);
    for_chunks(context, rows, most<int64_t>(1, 100000 / s.depth), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) copy_exactly(weight + i * s.depth, to + i * row, s.depth);
    });
    weight = to;
    weight_row = row;
  }
  const Layout<T> layout(s, along, reinterpret_cast<int64_t*>(own + copied));
  const WindowVectors<T> windows(layout, widest, own + copied + table);
  laid_out = layout.copied ? round_up(channels * layout.channel + Vec<T>::kLanes, 16) : 0;
  const int64_t items = s.n * s.groups * bands;
  for_chunks(context, items, grain_of(s.work(), items), [&](int64_t begin, int64_t end) {
    T* const memory = static_cast<T*>(context->workspace(context, 1, size_t(scratch()) * sizeof(T) + 64));
    if (!memory) return __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
    for (int64_t i = begin; i < end; i++)
      band(layout, windows, memory, i / (bands * s.groups), i / bands % s.groups, s.band(i % bands, along));
  });
  return failed ? FD_NO_MEMORY : FD_OK;
}

template <class T>
fd_status forward(fd_context* context, const fd_conv* args) {
  Forward<T> f(context, *args);
  return f.s.empty() ? FD_OK : f.run();
}

}  // namespace

void fill_conv(fd_kernels* table) {
  table->conv.forward[FD_F32] = forward<float>;
  table->conv.forward[FD_F64] = forward<double>;
}

}  // namespace fd::FD_ISA
