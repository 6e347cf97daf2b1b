// The gradient of a convolution with respect to its weights and bias, see kernels.h. Bound by arithmetic.
//
// For blocks of windows the im2col matrix [inputs x taps, windows] times gy transposed: where outputs fill vectors the
// matrix is not made (conv_lanes.h), else by the register tiles of gemm; few outputs are sums along the windows
// (conv_dots.h). Examples are summed in a few chunks whose number depends on the shape
// alone, and the chunks in their order.
#include "kernels/cpu/conv.h"
#include "kernels/cpu/conv_dots.h"
#include "kernels/cpu/conv_lanes.h"
#include "kernels/cpu/gemm_pack.h"
#include "kernels/cpu/table.h"

namespace fd::FD_ISA {
namespace {

constexpr int64_t kSumWindows = 512;  // summed at a time: a row of that many is a block of k
constexpr int64_t kSumOutputs = 6;    // outputs up to which sums along the windows are better than tiles
constexpr int64_t kSumDepth = 96;     // rows of the matrix per task of such
constexpr int64_t kMostPartials = int64_t(32) << 20;  // bytes

template <class T>
T* task_memory(fd_context* context, int64_t elements) {
  return static_cast<T*>(context->workspace(context, 1, size_t(elements + 2 * Vec<T>::kLanes) * sizeof(T)));
}

template <class T>
FD_INLINE void add_run(const T* from, T* to, int64_t n) {
  for_vectors<T>(0, n,
                 [&](int64_t i, auto lanes) { store(load(to + i, lanes) + load(from + i, lanes), to + i, lanes); });
}

template <class T>
double sum_of(const T* p, int64_t n) {
  constexpr int L = Vec<T>::kLanes;
  Vec<T> sum[4];
  FD_UNROLL for (int i = 0; i < 4; i++) sum[i] = T(0);
  int64_t i = 0;
  for (; i + 4 * L <= n; i += 4 * L) {
    FD_UNROLL for (int k = 0; k < 4; k++) sum[k] = sum[k] + Vec<T>::load(p + i + k * L);
  }
  for_vectors<T>(i, n, [&](int64_t j, auto lanes) { sum[0] = sum[0] + load(p + j, lanes); });
  return double(hsum((sum[0] + sum[1]) + (sum[2] + sum[3])));
}

// The gradient of the bias alone.
template <class T>
void grad_bias(fd_context* context, const ConvShape<T>& s, const T* gy, T* gbias) {
  const int64_t channels = s.groups * s.outputs, size = s.out_size;
  for_chunks(context, channels, most<int64_t>(1, 32768 / most<int64_t>(1, s.n * size)),
             [&](int64_t begin, int64_t end) {
               for (int64_t o = begin; o < end; o++) {
                 double total = 0;
                 for (int64_t n = 0; n < s.n; n++) total += sum_of(gy + (n * channels + o) * size, size);
                 gbias[o] = T(total);
               }
             });
}

template <class T>
struct GradWeight {
  fd_context* context;
  ConvShape<T> s;
  const T* x;
  const T* gy;
  T* gweight;
  T* gbias;
  bool direct, lanes;
  int64_t row;                       // of partial: outputs, for lanes whole vectors of them
  int64_t channels, blocks, chunks;  // input channels of a task, tasks of a group, parts of the batch
  int64_t along, bands, images;      // windows summed at a time: a band of one image, or several whole images
  T* partial;                        // [chunks, groups, depth, row]; direct: [chunks, groups, outputs, depth]
  double* bias_partial = nullptr;    // [chunks, groups, outputs]
  bool failed = false;

  GradWeight(fd_context* c, const fd_conv& v)
      : context(c),
        s(v),
        x(static_cast<const T*>(v.x)),
        gy(static_cast<const T*>(v.gy)),
        gweight(static_cast<T*>(v.gweight)),
        gbias(static_cast<T*>(v.gbias)),
        direct(s.outputs <= kSumOutputs),
        lanes(!direct && fills_lanes<T>(s.outputs) && (s.dilation[2] == 1 || s.kernel[2] == 1)),
        row(lanes ? lane_width<T>(s.outputs) : s.outputs) {}
  fd_status run();

 private:
  void plan();
  int64_t size() const { return s.groups * s.depth * row; }
  int64_t window_row() const { return padded_row<T>(images * along * s.inner() + Vec<T>::kLanes); }
  bool task(const Layout<T>& layout, const WindowVectors<T>& vectors, int64_t index) const;
  bool add_tiles(const Layout<T>& layout, const WindowVectors<T>& vectors, int64_t group, int64_t begin, int64_t count,
                 int64_t chunk, T* to) const;
  bool add_lanes(const Layout<T>& layout, int64_t group, int64_t begin, int64_t count, int64_t chunk, T* to) const;
  LaneSteps steps_of(const Layout<T>& layout, const Band& b, LaneStep* memory) const;
  void sum_taps(const Layout<T>& layout, LaneSums<T> sums, int64_t count, int64_t vecs) const;
  bool add_sums(const Layout<T>& layout, int64_t group, int64_t begin, int64_t count, int64_t chunk, T* to) const;
  void reduce(int64_t group, int64_t begin, int64_t end) const;
  void reduce_bias() const;
  // Adds sums of gy to a chunk's part of the bias's gradient, while the products have it in cache.
  void add_bias(int64_t group, int64_t chunk, const T* from, int64_t count) const {
    double* const to = bias_partial + (chunk * s.groups + group) * s.outputs;
    for (int64_t o = 0; o < s.outputs; o++) to[o] += sum_of(from + o * s.out_size, count);
  }
};

template <class T>
void GradWeight<T>::plan() {
  along = band_width(s, direct ? s.out_size : kSumWindows);
  bands = ceil_div(s.out[s.axis()], along);
  images = direct || bands > 1 ? 1 : most<int64_t>(1, least(s.n, kSumWindows / s.out_size));
  const int64_t windows = images * along * s.inner();
  const int64_t budget = l2_of(context) / 4 * 3 / int64_t(sizeof(T));
  const int64_t rows = direct ? kSumDepth : most<int64_t>(64, least(kSumWindows, budget / windows - s.outputs));
  channels = least(s.inputs, most<int64_t>(1, rows / s.taps));
  blocks = ceil_div(s.inputs, channels);
  const double tasks = least(double(kLeastTasks), s.work() / kTaskWork);
  const int64_t wanted = most<int64_t>(1, int64_t(tasks / double(blocks * s.groups) + 0.999));
  const int64_t fitting = kMostPartials / (size() * int64_t(sizeof(T)));
  chunks = most<int64_t>(1, least(wanted, least(ceil_div(s.n, images), fitting)));
  const int64_t short_of = int64_t(tasks) / (s.groups * chunks);
  if (blocks < short_of) {
    blocks = least(s.inputs, short_of);
    channels = ceil_div(s.inputs, blocks);
  }
  blocks = ceil_div(s.inputs, channels);
}

template <class T>
bool GradWeight<T>::add_tiles(const Layout<T>& layout, const WindowVectors<T>& vectors, int64_t group, int64_t begin,
                              int64_t count, int64_t chunk, T* to) const {
  constexpr int64_t L = Vec<T>::kLanes;
  const int64_t rows = count * s.taps, row = window_row(), windows = images * along * s.inner();
  const int64_t laid_out = layout.copied ? round_up(layout.channel + Vec<T>::kLanes, 16) : 0;
  const int64_t packed = windows * round_up(s.outputs, Vec<T>::kLanes);
  T* const memory = task_memory<T>(context, laid_out + rows * row + packed);
  if (!memory) return false;
  T* const matrix = memory + laid_out;
  T* const turned = matrix + rows * row;
  const int64_t last = s.n * (chunk + 1) / chunks;
  int flags = 0;
  for (int64_t n = s.n * chunk / chunks; n < last; n += images)
    for (int64_t i = 0; i < bands; i++) {
      const Band b = s.band(i, along);
      const int64_t here = least(images, last - n), k = here * b.count;
      for (int64_t m = 0; m < here; m++) {
        const int64_t at = (n + m) * s.groups + group;
        for (int64_t c = 0; c < count; c++) {
          const T* const plane = x + (at * s.inputs + begin + c) * s.in_size;
          const T* const from = layout.copied ? memory : plane + layout.origin(b);
          if (layout.copied) lay_out(s, layout, b, plane, 1, true, memory);
          T* const to_rows = matrix + c * s.taps * row + m * b.count;
          for (int64_t w = 0; w < b.count; w += L)  // whole vectors: what they spill is written over
            vectors.column(layout, from, 1, s.taps, w / L, least(L, b.count - w), to_rows + w, row);
        }
        const T* const upstream = gy + at * s.outputs * s.out_size + b.first;
        if (bias_partial && begin == 0) add_bias(group, chunk, upstream, b.count);
        for (int64_t o = 0; o < s.outputs; o += kTileCols<T>) {
          const int64_t cols = least(kTileCols<T>, s.outputs - o), width = panel_width<T>(cols);
          transpose_panel(upstream + o * s.out_size, s.out_size, cols, b.count, turned + o * k + m * b.count * width,
                          width);
        }
      }
      multiply_panels<T>({rows, s.outputs, k, matrix, row, 1, turned, to, s.outputs, nullptr, flags});
      flags = kTileAccumulate;
    }
  return true;
}

// A band's windows as steps. At the ends of its lines the outermost taps see the border.
template <class T>
LaneSteps GradWeight<T>::steps_of(const Layout<T>& layout, const Band& b, LaneStep* memory) const {
  const int64_t reach = (s.kernel[2] - 1) * s.dilation[2] - s.pad[2];
  return sorted_steps(memory, [&](const auto& visit) {
    int64_t row = 0;
    for (int64_t d = 0; d < b.size[0]; d++)
      for (int64_t h = 0; h < b.size[1]; h++)
        for (int64_t w = 0; w < b.size[2]; w++) {
          const int64_t at = (b.begin[2] + w) * s.stride[2];
          visit(at < s.pad[2]           ? 0
                : at + reach >= s.in[2] ? 2
                                        : 1,
                LaneStep{d * layout.step[0] + h * layout.step[1] + w * layout.step[2], row++});
        }
  });
}

// The sums of all taps of `count` channels.
template <class T>
void GradWeight<T>::sum_taps(const Layout<T>& layout, LaneSums<T> sums, int64_t count, int64_t vecs) const {
  const int64_t across = s.kernel[2], plane = s.kernel[1] * across, channel = s.taps * row;
  const T* const x = sums.x;
  T* const c = sums.c;
  const bool flat = s.kernel[1] == 1;  // a tile's lines are channels
  sums.c_step = row;
  sums.c_line = flat ? channel : across * row;
  sums.x_line = flat ? layout.channel : s.dilation[1] * layout.row;
  for (int64_t i = 0; i < (flat ? 1 : count); i++)
    for (int64_t d = 0; d < s.kernel[0]; d++) {
      sums.x = x + i * layout.channel + layout.tap[d * plane];
      sums.c = c + i * channel + d * plane * row;
      walk_lanes(sums, flat ? count : s.kernel[1], across, vecs);
    }
}

template <class T>
bool GradWeight<T>::add_lanes(const Layout<T>& layout, int64_t group, int64_t begin, int64_t count, int64_t chunk,
                              T* to) const {
  constexpr int64_t kTile = kLaneVecs * Vec<T>::kLanes;
  const int64_t image = layout.copied ? count * layout.channel : s.groups * s.inputs * s.in_size;
  const int64_t laid_out = layout.copied ? round_up(images * image, 16) : 0;
  const int64_t windows = along * s.inner(), table = windows * int64_t(sizeof(LaneStep) / sizeof(T));
  T* const memory = task_memory<T>(context, laid_out + images * windows * row + table);
  if (!memory) return false;
  LaneStep* const steps = reinterpret_cast<LaneStep*>(memory);
  T* const copied = memory + table;
  T* const turned = copied + laid_out;
  LaneSteps of_band;
  const int64_t last = s.n * (chunk + 1) / chunks;
  bool started = false;
  for (int64_t n = s.n * chunk / chunks; n < last; n += images)
    for (int64_t i = 0; i < bands; i++) {
      const Band b = s.band(i, along);
      const int64_t here = least(images, last - n), k = here * b.count;
      const T* const from = x + ((n * s.groups + group) * s.inputs + begin) * s.in_size;
      for (int64_t m = 0; m < here; m++) {
        const T* const upstream = gy + ((n + m) * s.groups + group) * s.outputs * s.out_size + b.first;
        if (bias_partial && begin == 0) add_bias(group, chunk, upstream, b.count);
        for (int64_t o = 0; o < s.outputs; o += kTile) {
          const int64_t width = lane_vecs<T>(s.outputs - o) * Vec<T>::kLanes;
          transpose_panel(upstream + o * s.out_size, s.out_size, least(width, s.outputs - o), b.count,
                          turned + o * k + m * b.count * width, width);
        }
        if (layout.copied)
          lay_out(s, layout, b, from + m * s.groups * s.inputs * s.in_size, count, !started || bands > 1,
                  copied + m * image);
      }
      if (!started || bands > 1) of_band = steps_of(layout, b, steps);
      for (int64_t o = 0; o < s.outputs; o += kTile) {
        const int64_t vecs = lane_vecs<T>(s.outputs - o), width = vecs * Vec<T>::kLanes;
        LaneSums<T> sums{};
        sums.outer = here;
        sums.steps = of_band;
        sums.x = layout.copied ? copied : from + layout.origin(b);
        sums.x_outer = image;
        sums.b = turned + o * k;
        sums.b_outer = b.count * width;
        sums.c = to + o;
        sums.ahead = sums.end_ahead = sums.b;
        sums.accumulate = started;
        sum_taps(layout, sums, count, vecs);
      }
      started = true;
    }
  return true;
}

template <class T>
bool GradWeight<T>::add_sums(const Layout<T>& layout, int64_t group, int64_t begin, int64_t count, int64_t chunk,
                             T* to) const {
  constexpr int L = Vec<T>::kLanes;
  const int64_t laid_out = layout.copied ? round_up(layout.channel + Vec<T>::kLanes, 16) : 0, sums = s.outputs * s.taps;
  T* const memory = task_memory<T>(context, laid_out + sums * L);
  if (!memory) return false;
  WindowSums<T> w;
  w.tap = layout.tap;
  w.x_step[0] = layout.step[0];
  w.x_step[1] = layout.step[1];
  w.gy_channel = s.out_size;
  w.band = s.band(0, along);
  w.sums = memory + laid_out;
  w.taps = s.taps;
  for (int64_t c = begin; c < begin + count; c++) {
    zero(w.sums, sums * L);
    for (int64_t n = s.n * chunk / chunks; n < s.n * (chunk + 1) / chunks; n++) {
      const int64_t at = n * s.groups + group;
      w.x = x + (at * s.inputs + c) * s.in_size;
      if (layout.copied) {
        lay_out(s, layout, w.band, w.x, 1, n == s.n * chunk / chunks, memory);
        w.x = memory;
      }
      w.gy = gy + at * s.outputs * s.out_size;
      if (bias_partial && c == 0) add_bias(group, chunk, w.gy, s.out_size);
      add_windows(w, s.outputs);
    }
    for (int64_t o = 0; o < s.outputs; o++)
      for (int64_t t = 0; t < s.taps; t++)
        to[o * s.depth + (c - begin) * s.taps + t] = hsum(Vec<T>::load(w.sums + (o * s.taps + t) * L));
  }
  return true;
}

template <class T>
bool GradWeight<T>::task(const Layout<T>& layout, const WindowVectors<T>& vectors, int64_t index) const {
  const int64_t block = index % blocks, group = index / blocks % s.groups, chunk = index / (blocks * s.groups);
  const int64_t begin = block * channels, count = least(channels, s.inputs - begin);
  T* const own = partial + chunk * size() + group * row * s.depth;
  if (lanes) return add_lanes(layout, group, begin, count, chunk, own + begin * s.taps * row);
  if (direct) return add_sums(layout, group, begin, count, chunk, own + begin * s.taps);
  return add_tiles(layout, vectors, group, begin, count, chunk, own + begin * s.taps * s.outputs);
}

// Sums the chunks' rows [begin, end) of one group, and turns them: gweight[o, k] = partial[k, o].
template <class T>
void GradWeight<T>::reduce(int64_t group, int64_t begin, int64_t end) const {
  constexpr int S = Vec<T>::kLanes;
  T* const own = partial + (group * s.depth + begin) * row;
  const int64_t rows = end - begin;
  for (int64_t chunk = 1; chunk < chunks; chunk++) add_run(own + chunk * size(), own, rows * row);
  T* const to = gweight + group * s.outputs * s.depth + begin;
  for (int64_t k = 0; k < rows; k += S)
    for (int64_t o = 0; o < s.outputs; o += S) {
      if (k + S <= rows && o + S <= s.outputs) {
        const T* from[S];
        for (int i = 0; i < S; i++) from[i] = own + (k + i) * row + o;
        transpose_square(from, S, to + o * s.depth + k, s.depth);
        continue;
      }
      for (int64_t j = o; j < least(o + S, s.outputs); j++)
        for (int64_t i = k; i < least(k + S, rows); i++) to[j * s.depth + i] = own[i * row + j];
    }
}

template <class T>
void GradWeight<T>::reduce_bias() const {
  const int64_t channels = s.groups * s.outputs;
  for (int64_t o = 0; o < channels; o++) {
    double total = 0;
    for (int64_t chunk = 0; chunk < chunks; chunk++) total += bias_partial[chunk * channels + o];
    gbias[o] = T(total);
  }
}

template <class T>
fd_status GradWeight<T>::run() {
  plan();
  const bool apart = !direct || chunks > 1;
  Band widest = s.band(0, along);
  if (lanes) widest.count = 0;  // no vectors of windows
  const size_t table = size_t(round_up(s.taps, 8)) * sizeof(int64_t), pieces = WindowVectors<T>::bytes(widest);
  const size_t partials = apart ? size_t(chunks * size()) * sizeof(T) : 0;
  const int64_t biases = gbias ? chunks * s.groups * s.outputs : 0;
  const size_t sums = size_t(round_up(biases, 8)) * sizeof(double);
  char* const own = static_cast<char*>(context->workspace(context, 0, pieces + table + sums + partials));
  if (!own) return FD_NO_MEMORY;
  partial = apart ? reinterpret_cast<T*>(own + pieces + table + sums) : gweight;
  if (gbias) {
    bias_partial = reinterpret_cast<double*>(own + pieces + table);
    fill(bias_partial, biases, 0.0);
  }
  const Layout<T> layout(s, along, reinterpret_cast<int64_t*>(own + pieces),
                         lanes ? Reading::in_order : Reading::vectors);
  const WindowVectors<T> vectors(layout, widest, own);
  const int64_t items = chunks * s.groups * blocks;
  for_chunks(context, items, grain_of(s.work(), items), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      if (!task(layout, vectors, i)) return __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
  });
  if (failed) return FD_NO_MEMORY;
  if (gbias) reduce_bias();
  if (direct) {
    for (int64_t chunk = 0; apart && chunk < chunks; chunk++) {
      if (chunk == 0)
        copy_exactly(partial, gweight, size());
      else
        add_run(partial + chunk * size(), gweight, size());
    }
    return FD_OK;
  }
  const int64_t rows = round_up(most<int64_t>(16, 32768 / s.outputs), 16), parts = ceil_div(s.depth, rows);
  for_tasks(context, s.groups * parts, [&](int64_t i) {
    const int64_t begin = i % parts * rows;
    reduce(i / parts, begin, least(s.depth, begin + rows));
  });
  return FD_OK;
}

template <class T>
fd_status grad_weight(fd_context* context, const fd_conv* args) {
  GradWeight<T> g(context, *args);
  const int64_t size = g.s.groups * g.s.outputs * g.s.depth;
  if (g.gweight && size > 0 && g.s.n > 0 && g.s.out_size > 0) return g.run();
  if (g.gbias) grad_bias(context, g.s, g.gy, g.gbias);
  if (g.gweight) zero(g.gweight, size);
  return FD_OK;
}

}  // namespace

void fill_conv_grad_weight(fd_kernels* table) {
  table->conv.grad_weight[FD_F32] = grad_weight<float>;
  table->conv.grad_weight[FD_F64] = grad_weight<double>;
}

}  // namespace fd::FD_ISA
