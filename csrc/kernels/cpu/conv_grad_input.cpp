// The gradient of a convolution with respect to its input, see kernels.h. Bound by arithmetic.
//
// For strides of 1 it is itself a convolution (conv.cpp). Otherwise the product of the transposed weights and gy is
// what every tap adds to x: its parts [inputs x taps, windows] are made for a few channels and a band of windows at a
// time, in cache. Every element of gx then gathers its parts in the order of taps: nothing is added up in memory, as
// stores that the next loads overlap would wait for each other.
#include "kernels/cpu/conv.h"
#include "kernels/cpu/gemm_block.h"
#include "kernels/cpu/table.h"

namespace fd::FD_ISA {
namespace {

constexpr int64_t kPartRows = 192;  // at a time: enough that packing gy and finding the parts are a small part

constexpr int kChannels = 3;  // summed at once: their additions wait for each other less

// What adds to one line of gx, for one phase (every stride-th element): element u takes part u - shift of each tap, if
// the band has such a window.
template <class T>
struct LineParts {
  static constexpr int kMost = 64;
  const T* part[kMost];
  int64_t shift[kMost];
  int count = 0;
  int64_t width;  // windows of a line

  // Elements u to u + kLanes: the parts they take and the lanes that do.
  struct Chunk {
    const T* part[kMost];
    Mask<T> lanes[kMost];
    int count = 0;

    // Adds the parts of C channels, each `step` after the one before, to their sums; reads up to a vector beside them.
    template <int C>
    FD_INLINE void add(int64_t offset, int64_t step, Vec<T> (&sum)[C]) const {
      for (int i = 0; i < count; i++) {
        const T* const from = part[i] + offset;
        FD_UNROLL for (int c = 0; c < C; c++) sum[c] = select(lanes[i], sum[c] + Vec<T>::load(from + c * step), sum[c]);
      }
    }
  };
  void find(int64_t u, Chunk* chunk) const {
    constexpr int L = Vec<T>::kLanes;
    chunk->count = 0;
    for (int i = 0; i < count; i++) {
      const int64_t first = u - shift[i];
      if (first <= -L || first >= width) continue;
      chunk->part[chunk->count] = part[i] + first;
      const int64_t begin = most<int64_t>(0, -first), end = least<int64_t>(L, width - first);
      chunk->lanes[chunk->count++] = first_lanes<T>(end) & ~first_lanes<T>(begin);
    }
  }
};

template <class T>
struct GradInput {
  fd_context* context;
  ConvShape<T> s;
  const T* weight;
  const T* bias;
  const T* gy;
  T* gx;
  int64_t channels, blocks, along, bands;
  bool in_place = false;  // the product is the gradient
  bool failed = false;

  GradInput(fd_context* c, const fd_conv& v)
      : context(c),
        s(v),
        weight(static_cast<const T*>(v.weight)),
        bias(static_cast<const T*>(v.bias)),
        gy(static_cast<const T*>(v.gy)),
        gx(static_cast<T*>(v.gx)) {}
  fd_status run();

 private:
  // Parts of some channels, [count, taps, row].
  struct Parts {
    const T* data;
    int64_t row, count;
  };
  bool block(int64_t image, int64_t group, int64_t begin, int64_t count) const;
  void collect(const Band& b, const Parts& parts, T* out) const;
  void collect_line(const Band& b, const Parts& parts, int64_t d, int64_t h, int64_t phase, T* out) const;
  void add_line(const LineParts<T>& line, const Parts& parts, int64_t phase, T* out) const;
  template <int C>
  void add_chunk(const typename LineParts<T>::Chunk& chunk, int64_t part_row, int64_t channel, int64_t lanes,
                 T* to) const;
  // Whether a window of the band has its tap at position u of the padded input along dimension d; which one.
  bool window_at(const Band& b, int d, int64_t u, int64_t tap, int64_t* window) const {
    const int64_t first = u - tap * s.dilation[d], stride = s.stride[d];
    if (first < 0) return false;
    const int64_t index = stride == 1 ? first : first / stride;  // divisions are slow
    *window = index - b.begin[d];
    return index * stride == first && *window >= 0 && *window < b.size[d];
  }
};

// Adds what the line has of this phase; out is the line in the first channel.
template <class T>
void GradInput<T>::add_line(const LineParts<T>& line, const Parts& parts, int64_t phase, T* out) const {
  constexpr int L = Vec<T>::kLanes;
  const int64_t stride = s.stride[2], ahead = s.pad[2] - phase;  // element u is out[u * stride - ahead]
  int64_t least_shift = line.shift[0], most_shift = line.shift[0];
  for (int i = 1; i < line.count; i++) {
    least_shift = least(least_shift, line.shift[i]);
    most_shift = most(most_shift, line.shift[i]);
  }
  const int64_t begin = most(ahead <= 0 ? 0 : stride == 1 ? ahead : ceil_div(ahead, stride), least_shift);
  const int64_t room = s.in[2] - 1 + ahead;
  const int64_t end = least(room < 0 ? 0 : (stride == 1 ? room : room / stride) + 1, most_shift + line.width);
  typename LineParts<T>::Chunk chunk;
  for (int64_t u = begin; u < end; u += L) {
    line.find(u, &chunk);
    T* const to = out + u * stride - ahead;
    int64_t c = 0;
    for (; c + kChannels <= parts.count; c += kChannels)
      add_chunk<kChannels>(chunk, parts.row, c, least<int64_t>(L, end - u), to + c * s.in_size);
    for (; c < parts.count; c++) add_chunk<1>(chunk, parts.row, c, least<int64_t>(L, end - u), to + c * s.in_size);
  }
}

// Adds a chunk's parts to C channels from `channel` on; elements are stride apart.
template <class T>
template <int C>
void GradInput<T>::add_chunk(const typename LineParts<T>::Chunk& chunk, int64_t part_row, int64_t channel,
                             int64_t lanes, T* to) const {
  const int64_t step = s.taps * part_row, stride = s.stride[2];
  Vec<T> sum[C];
  if (stride == 1) {
    FD_UNROLL for (int c = 0; c < C; c++) sum[c] = Vec<T>::load(to + c * s.in_size, lanes);
    chunk.template add<C>(channel * step, step, sum);
    FD_UNROLL for (int c = 0; c < C; c++) sum[c].store(to + c * s.in_size, lanes);
    return;
  }
  FD_UNROLL for (int c = 0; c < C; c++) sum[c] = T(0);
  chunk.template add<C>(channel * step, step, sum);
  for (int c = 0; c < C; c++) {
    T each[Vec<T>::kLanes];
    sum[c].store(each);
    for (int64_t i = 0; i < lanes; i++) to[c * s.in_size + i * stride] += each[i];
  }
}

template <class T>
void GradInput<T>::collect_line(const Band& b, const Parts& parts, int64_t d, int64_t h, int64_t phase, T* out) const {
  LineParts<T> line;
  line.width = b.size[2];
  for (int64_t kd = 0; kd < s.kernel[0]; kd++)
    for (int64_t kh = 0; kh < s.kernel[1]; kh++) {
      int64_t plane, row;
      if (!window_at(b, 0, d, kd, &plane) || !window_at(b, 1, h, kh, &row)) continue;
      const T* const windows = parts.data + (plane * b.size[1] + row) * b.size[2];
      for (int64_t kw = 0; kw < s.kernel[2]; kw++) {
        const int64_t u = kw * s.dilation[2], shift = s.stride[2] == 1 ? u : u / s.stride[2];
        if (shift * s.stride[2] + phase != u) continue;
        if (line.count == LineParts<T>::kMost) {
          add_line(line, parts, phase, out);
          line.count = 0;
        }
        line.part[line.count] = windows + ((kd * s.kernel[1] + kh) * s.kernel[2] + kw) * parts.row;
        line.shift[line.count++] = shift + b.begin[2];
      }
    }
  if (line.count > 0) add_line(line, parts, phase, out);
}

// Adds a band's parts to the channels of gx that begin at out.
template <class T>
void GradInput<T>::collect(const Band& b, const Parts& parts, T* out) const {
  int64_t begin[2], end[2];  // lines that the band reaches
  for (int d = 0; d < 2; d++) {
    const int64_t first = b.begin[d] * s.stride[d] - s.pad[d];
    begin[d] = most<int64_t>(0, first);
    end[d] = least(s.in[d], first + (b.size[d] - 1) * s.stride[d] + (s.kernel[d] - 1) * s.dilation[d] + 1);
  }
  const int64_t phases = least(s.stride[2], s.kernel[2] == 1 ? 1 : s.stride[2]);
  for (int64_t d = begin[0]; d < end[0]; d++)
    for (int64_t h = begin[1]; h < end[1]; h++)
      for (int64_t phase = 0; phase < phases; phase++)
        collect_line(b, parts, d + s.pad[0], h + s.pad[1], phase, out + (d * s.in[1] + h) * s.in[2]);
}

template <class T>
bool GradInput<T>::block(int64_t image, int64_t group, int64_t begin, int64_t count) const {
  constexpr int64_t L = Vec<T>::kLanes;
  const int64_t rows = count * s.taps, first = (image * s.groups + group) * s.inputs + begin;
  const T* const offset = bias ? bias + group * s.inputs + begin : nullptr;
  const int64_t widest = least(s.out_size, along * s.inner());
  T* const out = gx + first * s.in_size;
  Gemm<T> g{};
  g.m = rows;
  g.n = widest;
  g.k = s.outputs;
  g.a = weight + group * s.outputs * s.depth + begin * s.taps;
  g.lda = s.depth;
  g.trans_a = true;
  g.ldb = s.out_size;
  g.bias_step = 1;
  const BlockPlan<T> plan(g, rows, widest, context->l2_bytes);
  const int64_t row = in_place ? 0 : padded_row<T>(widest), size = rows * row + 2 * L;
  T* const memory =
      static_cast<T*>(context->workspace(context, 1, size_t(size + plan.copied + plan.packed) * sizeof(T)));
  if (!memory) return false;
  for (int64_t c = 0; c < count && (!in_place || offset); c++) {
    const Vec<T> start = offset ? offset[c] : T(0);
    for_vectors<T>(0, s.in_size, [&](int64_t i, auto lanes) { store(start, out + c * s.in_size + i, lanes); });
  }
  for (int64_t i = 0; i < bands; i++) {
    const Band b = s.band(i, along);
    g.n = b.count;
    g.b = gy + (image * s.groups + group) * s.outputs * s.out_size + b.first;
    g.c = in_place ? out + b.first : memory + L;
    g.ldc = in_place ? s.in_size : row;
    g.accumulate = in_place && offset;
    const Piece piece{0, rows, 0, b.count};
    BlockPlan<T> own = plan;
    own.tile_rows = ceil_div(rows, b.count <= L ? kTallRows : kTileRows);
    BlockWalk<T>(g, piece, own, memory + size).run();
    if (!in_place) collect(b, {memory + L, row, count}, out);
  }
  return true;
}

template <class T>
fd_status GradInput<T>::run() {
  in_place = s.taps == 1 && s.in_size == s.out_size;
  for (int d = 0; d < FD_SPATIAL; d++) in_place &= s.stride[d] == 1 && s.pad[d] == 0;
  channels = least(s.inputs, ceil_div(in_place ? kMostRows : kPartRows, s.taps));
  channels = ceil_div(s.inputs, ceil_div(s.inputs, channels));
  blocks = ceil_div(s.inputs, channels);
  const int64_t budget = l2_of(context) / 4 / int64_t(sizeof(T));
  along = band_width(s, most(kTileCols<T>, budget / (channels * s.taps)));
  bands = ceil_div(s.out[s.axis()], along);
  const int64_t items = s.n * s.groups * blocks;
  for_chunks(context, items, grain_of(s.work(), items), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t c = i % blocks * channels;
      if (!block(i / (blocks * s.groups), i / blocks % s.groups, c, least(channels, s.inputs - c)))
        return __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
    }
  });
  return failed ? FD_NO_MEMORY : FD_OK;
}

template <class T>
fd_status grad_input(fd_context* context, const fd_conv* args) {
  GradInput<T> g(context, *args);
  if (g.s.n == 0 || g.s.inputs == 0 || g.s.in_size == 0) return FD_OK;
  if (g.s.out_size > 0 && g.s.outputs > 0) {
    fd_status status;
    return convolve_back<T>(context, *args, &status) ? status : g.run();
  }
  const int64_t channels = g.s.groups * g.s.inputs;
  for (int64_t i = 0; i < g.s.n * channels; i++)
    fill(g.gx + i * g.s.in_size, g.s.in_size, g.bias ? g.bias[i % channels] : T(0));
  return FD_OK;
}

}  // namespace

void fill_conv_grad_input(fd_kernels* table) {
  table->conv.grad_input[FD_F32] = grad_input<float>;
  table->conv.grad_input[FD_F64] = grad_input<double>;
}

}  // namespace fd::FD_ISA
