// The gradients of a convolution, see kernels.h. Bound by arithmetic, taken by the register tiles of gemm.
//
// Of x: the product of the transposed weights and gy is what every tap adds to x; it is made for a few channels and a
// band of windows at a time, in cache, and added up there, in the order of taps.
// Of the weights: for blocks of windows the im2col matrix [inputs x taps, windows] times gy transposed. Examples are
// summed in a few chunks whose number depends on the shape alone, and the chunks in their order.
#include "kernels/cpu/conv_direct.h"
#include "kernels/cpu/conv_dots.h"
#include "kernels/cpu/gemm_block.h"
#include "kernels/cpu/table.h"

namespace fd::FD_ISA {
namespace {

constexpr int64_t kGradRows = 96;     // of the product at a time: enough that packing gy is a small part
constexpr int64_t kSumWindows = 512;  // summed at a time: a row of that many is a block of k
constexpr int64_t kMostPartials = int64_t(32) << 20;  // bytes

template <class T>
T* task_memory(fd_context* context, int64_t elements) {
  return static_cast<T*>(context->workspace(context, 1, size_t(elements + 2 * Vec<T>::kLanes) * sizeof(T)));
}

template <class T>
void fill_value(T* to, int64_t n, T value) {
  for_vectors<T>(0, n, [&](int64_t i, auto lanes) { store(Vec<T>(value), to + i, lanes); });
}

template <class T>
FD_INLINE void add_run(const T* from, T* to, int64_t n) {
  for_vectors<T>(0, n,
                 [&](int64_t i, auto lanes) { store(load(to + i, lanes) + load(from + i, lanes), to + i, lanes); });
}

// ------------------------------------------------------------------------------------------------ gradient of x

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
  bool block(const Layout<T>& layout, int64_t image, int64_t group, int64_t begin, int64_t count) const;
  void collect(const Layout<T>& layout, const T* from, T* gx, const T* bias, int64_t count) const;
};

// The taps' parts of a band added to where their windows lie.
template <class T>
void add_taps(const ConvShape<T>& s, const Layout<T>& layout, const Band& b, const T* parts, int64_t part_row,
              int64_t channels, T* to) {
  to += start_of(layout, b);
  for (int64_t c = 0; c < channels; c++, to += layout.channel)
    for (int64_t t = 0; t < s.taps; t++, parts += part_row)
      for_each_line(layout, b, [&](int64_t line, int64_t position) {
        add_run(parts + position, to + layout.tap[t] + line, b.size[2]);
      });
}

// gx from its layout with borders and phases; what no window covers is the bias alone.
template <class T>
void GradInput<T>::collect(const Layout<T>& layout, const T* from, T* out, const T* offset, int64_t count) const {
  const int64_t stride = s.stride[2];
  for (int64_t c = 0; c < count; c++, from += layout.channel)
    for (int64_t d = 0; d < s.in[0]; d++)
      for (int64_t h = 0; h < s.in[1]; h++, out += s.in[2]) {
        const T start = offset ? offset[c] : T(0);
        const int64_t u = d + s.pad[0], v = h + s.pad[1];
        fill_value(out, s.in[2], start);
        if (u < 0 || u >= layout.rows[0] || v < 0 || v >= layout.rows[1]) continue;
        const T* line = from + u * layout.plane + v * layout.row;
        for (int64_t f = 0; f < layout.phases; f++, line += layout.pitch) {
          const PhaseRange r(stride, f - s.pad[2], s.in[2], layout.pitch);
          if (stride == 1)
            add_run(line + r.begin, out + r.begin + r.shift, r.end - r.begin);
          else
            for (int64_t i = r.begin; i < r.end; i++) out[i * stride + r.shift] += line[i];
        }
      }
}

template <class T>
bool GradInput<T>::block(const Layout<T>& layout, int64_t image, int64_t group, int64_t begin, int64_t count) const {
  const int64_t rows = count * s.taps, first = (image * s.groups + group) * s.inputs + begin;
  const T* const offset = bias ? bias + group * s.inputs + begin : nullptr;
  T* const out = gx + first * s.in_size;
  Gemm<T> g{};
  g.m = rows;
  g.k = s.outputs;
  g.a = weight + group * s.outputs * s.depth + begin * s.taps;
  g.lda = s.depth;
  g.trans_a = true;
  g.ldb = s.out_size;
  g.bias_step = 1;
  const int64_t widest = least(s.out_size, along * s.inner());
  g.n = widest;
  const BlockPlan<T> plan(g, rows, widest, context->l2_bytes);
  const int64_t laid_out = layout.copied ? round_up(count * layout.channel, 16) : 0;
  const int64_t part_row = in_place ? 0 : padded_row<T>(widest), parts = rows * part_row;
  T* const memory = task_memory<T>(context, laid_out + parts + plan.copied + plan.packed);
  if (!memory) return false;
  if (layout.copied)
    zero(memory, laid_out);
  else if (!in_place || offset)
    for (int64_t c = 0; c < count; c++) fill_value(out + c * s.in_size, s.in_size, offset ? offset[c] : T(0));
  for (int64_t i = 0; i < bands; i++) {
    const Band b = s.band(i, along);
    g.n = b.count;
    g.b = gy + (image * s.groups + group) * s.outputs * s.out_size + b.first;
    g.c = in_place ? out + b.first : memory + laid_out;
    g.ldc = in_place ? s.in_size : part_row;
    g.accumulate = in_place && offset;
    const Piece piece{0, rows, 0, b.count};
    BlockPlan<T> own = plan;
    own.tile_rows = div_up(rows, b.count <= Vec<T>::kLanes ? kTallRows : kTileRows);
    BlockWalk<T>(g, piece, own, memory + laid_out + parts).run();
    if (!in_place) add_taps(s, layout, b, memory + laid_out, part_row, count, layout.copied ? memory : out);
  }
  if (layout.copied) collect(layout, memory, out, offset, count);
  return true;
}

template <class T>
fd_status GradInput<T>::run() {
  int64_t* const taps = static_cast<int64_t*>(context->workspace(context, 0, size_t(s.taps + 1) * sizeof(int64_t)));
  if (!taps) return FD_NO_MEMORY;
  const Layout<T> layout(s, s.out[s.axis()], taps);
  in_place = s.taps == 1 && !layout.copied && s.in_size == s.out_size;
  channels = least(s.inputs, div_up(in_place ? kMostRows : kGradRows, s.taps));
  channels = div_up(s.inputs, div_up(s.inputs, channels));
  blocks = div_up(s.inputs, channels);
  const int64_t budget = l2_of(context) / 4 / int64_t(sizeof(T));
  along = band_width(s, most(kTileCols<T>, budget / (channels * s.taps)));
  bands = div_up(s.out[s.axis()], along);
  const int64_t items = s.n * s.groups * blocks;
  const double each = s.work() / double(items);
  const int64_t grain = s.work() < kTaskWork ? items : most<int64_t>(1, int64_t(kTaskWork / most(each, 1.0)));
  for_chunks(context, items, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t c = i % blocks * channels;
      if (!block(layout, i / (blocks * s.groups), i / blocks % s.groups, c, least(channels, s.inputs - c)))
        return __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
    }
  });
  return failed ? FD_NO_MEMORY : FD_OK;
}

template <class T>
fd_status grad_input(fd_context* context, const fd_conv* args) {
  GradInput<T> g(context, *args);
  if (g.s.n == 0 || g.s.inputs == 0 || g.s.in_size == 0) return FD_OK;
  if (g.s.out_size > 0 && g.s.outputs > 0) return g.run();
  const int64_t channels = g.s.groups * g.s.inputs;
  for (int64_t i = 0; i < g.s.n * channels; i++)
    fill_value(g.gx + i * g.s.in_size, g.s.in_size, g.bias ? g.bias[i % channels] : T(0));
  return FD_OK;
}

// ------------------------------------------------------------------------------------------ gradient of weights

template <class T>
struct GradWeight {
  fd_context* context;
  ConvShape<T> s;
  const T* x;
  const T* gy;
  T* gweight;
  bool direct;
  int64_t channels, blocks, chunks;  // input channels of a task, tasks of a group, parts of the batch
  int64_t along, bands, images;      // windows summed at a time: a band of one image, or several whole images
  T* partial;                        // [chunks, groups, depth, outputs]; direct: [chunks, groups, outputs, depth]
  bool failed = false;

  GradWeight(fd_context* c, const fd_conv& v)
      : context(c),
        s(v),
        x(static_cast<const T*>(v.x)),
        gy(static_cast<const T*>(v.gy)),
        gweight(static_cast<T*>(v.gweight)),
        direct(s.outputs <= kDirectRows) {}
  fd_status run();

 private:
  void plan();
  int64_t size() const { return s.groups * s.outputs * s.depth; }
  int64_t window_row() const { return padded_row<T>(images * along * s.inner() + Vec<T>::kLanes); }
  bool task(const Layout<T>& layout, int64_t index) const;
  bool add_tiles(const Layout<T>& layout, int64_t group, int64_t begin, int64_t count, int64_t chunk, T* to) const;
  bool add_sums(const Layout<T>& layout, int64_t group, int64_t begin, int64_t count, int64_t chunk, T* to) const;
  void reduce(int64_t group, int64_t begin, int64_t end) const;
};

template <class T>
void GradWeight<T>::plan() {
  along = band_width(s, direct ? s.out_size : kSumWindows);
  bands = div_up(s.out[s.axis()], along);
  images = direct || bands > 1 ? 1 : most<int64_t>(1, least(s.n, kSumWindows / s.out_size));
  const int64_t windows = images * along * s.inner();
  const int64_t budget = l2_of(context) / 4 * 3 / int64_t(sizeof(T));
  const int64_t rows = direct ? kGradRows : most<int64_t>(64, least(kSumWindows, budget / windows - s.outputs));
  channels = least(s.inputs, most<int64_t>(1, rows / s.taps));
  blocks = div_up(s.inputs, channels);
  const double tasks = least(double(kLeastTasks), s.work() / kTaskWork);
  const int64_t wanted = most<int64_t>(1, int64_t(tasks / double(blocks * s.groups) + 0.999));
  const int64_t fitting = kMostPartials / (size() * int64_t(sizeof(T)));
  chunks = most<int64_t>(1, least(wanted, least(div_up(s.n, images), fitting)));
  const int64_t short_of = int64_t(tasks) / (s.groups * chunks);
  if (blocks < short_of) {
    blocks = least(s.inputs, short_of);
    channels = div_up(s.inputs, blocks);
  }
  blocks = div_up(s.inputs, channels);
}

template <class T>
bool GradWeight<T>::add_tiles(const Layout<T>& layout, int64_t group, int64_t begin, int64_t count, int64_t chunk,
                              T* to) const {
  const int64_t rows = count * s.taps, row = window_row(), windows = images * along * s.inner();
  const int64_t laid_out = layout.copied ? round_up(layout.channel, 16) : 0;
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
          if (layout.copied) lay_out(s, layout, b, plane, 1, memory);
          for (int64_t t = 0; t < s.taps; t++) {
            T* const line_to = matrix + (c * s.taps + t) * row + m * b.count;
            for_each_line(layout, b, [&](int64_t line, int64_t position) {
              copy_run(from + layout.tap[t] + line, line_to + position, b.size[2]);
            });
          }
        }
        for (int64_t o = 0; o < s.outputs; o += kTileCols<T>) {
          const int64_t cols = least(kTileCols<T>, s.outputs - o), width = panel_width<T>(cols);
          transpose_panel(gy + (at * s.outputs + o) * s.out_size + b.first, s.out_size, cols, b.count,
                          turned + o * k + m * b.count * width, width);
        }
      }
      multiply_panels<T>({rows, s.outputs, k, matrix, row, 1, turned, to, s.outputs, nullptr, flags});
      flags = kTileAccumulate;
    }
  return true;
}

template <class T>
bool GradWeight<T>::add_sums(const Layout<T>& layout, int64_t group, int64_t begin, int64_t count, int64_t chunk,
                             T* to) const {
  constexpr int L = Vec<T>::kLanes;
  const int64_t laid_out = layout.copied ? round_up(layout.channel, 16) : 0, sums = s.outputs * s.taps;
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
        lay_out(s, layout, w.band, w.x, 1, memory);
        w.x = memory;
      }
      w.gy = gy + at * s.outputs * s.out_size;
      add_windows(w, s.outputs);
    }
    for (int64_t o = 0; o < s.outputs; o++)
      for (int64_t t = 0; t < s.taps; t++)
        to[o * s.depth + (c - begin) * s.taps + t] = hsum(Vec<T>::load(w.sums + (o * s.taps + t) * L));
  }
  return true;
}

template <class T>
bool GradWeight<T>::task(const Layout<T>& layout, int64_t index) const {
  const int64_t block = index % blocks, group = index / blocks % s.groups, chunk = index / (blocks * s.groups);
  const int64_t begin = block * channels, count = least(channels, s.inputs - begin);
  T* const own = partial + chunk * size() + group * s.outputs * s.depth;
  if (direct) return add_sums(layout, group, begin, count, chunk, own + begin * s.taps);
  return add_tiles(layout, group, begin, count, chunk, own + begin * s.taps * s.outputs);
}

// Sums the chunks' rows [begin, end) of one group, and turns them: gweight[o, k] = partial[k, o].
template <class T>
void GradWeight<T>::reduce(int64_t group, int64_t begin, int64_t end) const {
  constexpr int S = Square<T>::kSide;
  T* const own = partial + (group * s.depth + begin) * s.outputs;
  const int64_t rows = end - begin;
  for (int64_t chunk = 1; chunk < chunks; chunk++) add_run(own + chunk * size(), own, rows * s.outputs);
  T* const to = gweight + group * s.outputs * s.depth + begin;
  for (int64_t k = 0; k < rows; k += S)
    for (int64_t o = 0; o < s.outputs; o += S) {
      if (k + S <= rows && o + S <= s.outputs) {
        const T* from[S];
        for (int i = 0; i < S; i++) from[i] = own + (k + i) * s.outputs + o;
        transpose_square(from, to + o * s.depth + k, s.depth);
        continue;
      }
      for (int64_t j = o; j < least(o + S, s.outputs); j++)
        for (int64_t i = k; i < least(k + S, rows); i++) to[j * s.depth + i] = own[i * s.outputs + j];
    }
}

template <class T>
fd_status GradWeight<T>::run() {
  plan();
  const bool apart = !direct || chunks > 1;
  const size_t table = size_t(round_up(s.taps, 8)) * sizeof(int64_t);
  char* const own =
      static_cast<char*>(context->workspace(context, 0, table + (apart ? size_t(chunks * size()) * sizeof(T) : 0)));
  if (!own) return FD_NO_MEMORY;
  partial = apart ? reinterpret_cast<T*>(own + table) : gweight;
  const Layout<T> layout(s, along, reinterpret_cast<int64_t*>(own));
  const int64_t items = chunks * s.groups * blocks;
  const double each = s.work() / double(items);
  const int64_t grain = s.work() < kTaskWork ? items : most<int64_t>(1, int64_t(kTaskWork / most(each, 1.0)));
  for_chunks(context, items, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      if (!task(layout, i)) return __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
  });
  if (failed) return FD_NO_MEMORY;
  if (direct) {
    for (int64_t chunk = 0; apart && chunk < chunks; chunk++) {
      if (chunk == 0)
        copy_exactly(partial, gweight, size());
      else
        add_run(partial + chunk * size(), gweight, size());
    }
    return FD_OK;
  }
  const int64_t rows = round_up(most<int64_t>(16, 32768 / s.outputs), 16), parts = div_up(s.depth, rows);
  for_tasks(context, s.groups * parts, [&](int64_t i) {
    const int64_t begin = i % parts * rows;
    reduce(i / parts, begin, least(s.depth, begin + rows));
  });
  return FD_OK;
}

// A plane at a time, planes in double.
template <class T>
void grad_bias(fd_context* context, const ConvShape<T>& s, const T* gy, T* gbias) {
  constexpr int L = Vec<T>::kLanes;
  const int64_t channels = s.groups * s.outputs, size = s.out_size;
  for_chunks(context, channels, most<int64_t>(1, 32768 / most<int64_t>(1, s.n * size)),
             [&](int64_t begin, int64_t end) {
               for (int64_t o = begin; o < end; o++) {
                 double total = 0;
                 for (int64_t n = 0; n < s.n; n++) {
                   const T* const plane = gy + (n * channels + o) * size;
                   Vec<T> sum[4];
                   FD_UNROLL for (int i = 0; i < 4; i++) sum[i] = T(0);
                   int64_t p = 0;
                   for (; p + 4 * L <= size; p += 4 * L) {
                     FD_UNROLL for (int i = 0; i < 4; i++) sum[i] = sum[i] + Vec<T>::load(plane + p + i * L);
                   }
                   for_vectors<T>(p, size, [&](int64_t q, auto lanes) { sum[0] = sum[0] + load(plane + q, lanes); });
                   total += double(hsum((sum[0] + sum[1]) + (sum[2] + sum[3])));
                 }
                 gbias[o] = T(total);
               }
             });
}

template <class T>
fd_status grad_weight(fd_context* context, const fd_conv* args) {
  GradWeight<T> g(context, *args);
  if (args->gbias) grad_bias(context, g.s, g.gy, static_cast<T*>(args->gbias));
  if (!args->gweight || g.s.outputs * g.s.depth * g.s.groups == 0) return FD_OK;
  if (g.s.n > 0 && g.s.out_size > 0) return g.run();
  zero(g.gweight, g.s.groups * g.s.outputs * g.s.depth);
  return FD_OK;
}

}  // namespace

void fill_conv_grad(fd_kernels* table) {
  table->conv.grad_input[FD_F32] = grad_input<float>;
  table->conv.grad_input[FD_F64] = grad_input<double>;
  table->conv.grad_weight[FD_F32] = grad_weight<float>;
  table->conv.grad_weight[FD_F64] = grad_weight<double>;
}

}  // namespace fd::FD_ISA
