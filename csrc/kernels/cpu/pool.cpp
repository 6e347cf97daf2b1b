// Pooling, see kernels.h. Bound by memory where x is larger than the caches, else by loads: every element is loaded
// once per window it is in, and strides of 2 load two vectors to fill one.
//
// Vectors run along the outputs of a line, for strides of 1 and 2; windows that reach over the border, other strides
// and uneven adaptive windows go one by one. Planes are the tasks. Maximum 2 x 2 of 64 x 16 x 28 x 28 float32 on one
// core: 0.37 ms (AVX-512, Intel(R) Xeon(R) Processor @ 2.10GHz; docs/kernels/pool.md).
#include <utility>

#include "kernels/cpu/lanes.h"
#include "kernels/cpu/table.h"
#include "kernels/cpu/tasks.h"

namespace fd::FD_ISA {
namespace {

constexpr int64_t kGrain = 32768;  // elements per task

// The elements one dimension of a window covers: begin, begin + step, ... below end; `counted` is how many the average
// divides by.
struct Extent {
  int64_t begin, end, counted;
};

struct PoolShape {
  int64_t in[FD_SPATIAL], out[FD_SPATIAL], kernel[FD_SPATIAL], stride[FD_SPATIAL], pad[FD_SPATIAL];
  int64_t dilation[FD_SPATIAL];
  int64_t planes, in_size, out_size, divisor;
  bool adaptive, include_pad;

  explicit PoolShape(const fd_pool& v);
  Extent extent(int d, int64_t p) const;
  // The outputs of a line whose windows lie inside of it: [begin, end).
  Extent inner() const;
  bool tiles() const;  // every element of x is in one window
  bool pairs() const { return tiles() && kernel[0] == 1 && kernel[1] == 2 && kernel[2] == 2; }
};

PoolShape::PoolShape(const fd_pool& v) : planes(v.planes), divisor(v.divisor), adaptive(v.adaptive != 0) {
  include_pad = v.include_pad != 0 && !adaptive;
  bool even = true;
  for (int d = 0; d < FD_SPATIAL; d++) {
    in[d] = v.in[d], out[d] = v.out[d];
    even &= out[d] > 0 && in[d] % out[d] == 0;
    kernel[d] = v.kernel[d], stride[d] = v.stride[d], pad[d] = v.pad[d], dilation[d] = v.dilation[d];
  }
  if (adaptive && even) {  // an ordinary pooling in disguise
    adaptive = false;
    for (int d = 0; d < FD_SPATIAL; d++) kernel[d] = stride[d] = in[d] / out[d], pad[d] = 0, dilation[d] = 1;
  }
  if (adaptive)
    for (int d = 0; d < FD_SPATIAL; d++) kernel[d] = stride[d] = dilation[d] = 1, pad[d] = 0;
  in_size = in[0] * in[1] * in[2];
  out_size = out[0] * out[1] * out[2];
}

Extent PoolShape::extent(int d, int64_t p) const {
  if (adaptive) {
    const int64_t begin = p * in[d] / out[d], end = ((p + 1) * in[d] + out[d] - 1) / out[d];
    return {begin, end, end - begin};
  }
  const int64_t step = dilation[d], first = p * stride[d] - pad[d], last = first + kernel[d] * step;
  const int64_t begin = first < 0 ? first + (-first + step - 1) / step * step : first, end = least(last, in[d]);
  return {begin, end, include_pad ? least(last, in[d] + pad[d]) - first : most<int64_t>(end - begin, 0)};
}

Extent PoolShape::inner() const {
  if (adaptive || stride[2] > 2) return {0, 0, 0};
  const int64_t reach = (kernel[2] - 1) * dilation[2], room = in[2] - 1 - reach + pad[2];
  const int64_t begin = least(out[2], (pad[2] + stride[2] - 1) / stride[2]);
  const int64_t end = room < 0 ? begin : least(out[2], room / stride[2] + 1);
  return {begin, most(begin, end), 0};
}

bool PoolShape::tiles() const {
  bool whole = !adaptive;
  for (int d = 0; d < FD_SPATIAL; d++)
    whole &= kernel[d] == stride[d] && pad[d] == 0 && dilation[d] == 1 && out[d] * stride[d] == in[d];
  return whole;
}

// ------------------------------------------------------------------------------------------------- strided vectors

template <class T, int... I>
FD_INLINE Vec<T> pick_even(Vec<T> a, Vec<T> b, std::integer_sequence<int, I...>) {
  return Vec<T>::of(shuffled<(2 * I)...>(a.v, b.v));
}
template <class T, int... I>
FD_INLINE Vec<T> pick_odd(Vec<T> a, Vec<T> b, std::integer_sequence<int, I...>) {
  return Vec<T>::of(shuffled<(2 * I + 1)...>(a.v, b.v));
}
template <class T, int kFrom, int... I>
FD_INLINE Vec<T> twice(Vec<T> a, std::integer_sequence<int, I...>) {
  return Vec<T>::of(shuffled<(kFrom + I / 2)...>(a.v, a.v));
}
template <class T>
constexpr auto kEachLane = std::make_integer_sequence<int, Vec<T>::kLanes>();

// The vectors from p on that hold `count` elements; no more is read.
template <class T>
FD_INLINE void load_two(const T* p, int64_t count, Vec<T>& a, Vec<T>& b) {
  constexpr int L = Vec<T>::kLanes;
  a = Vec<T>::load(p, least<int64_t>(L, count));
  b = Vec<T>::load(p + least<int64_t>(L, count), most<int64_t>(0, count - L));
}
template <class T>
FD_INLINE void load_pairs(const T* p, Whole, Vec<T>& a, Vec<T>& b) {
  a = Vec<T>::load(p);
  b = Vec<T>::load(p + Vec<T>::kLanes);
}
template <class T>
FD_INLINE void load_pairs(const T* p, int64_t lanes, Vec<T>& a, Vec<T>& b) {
  load_two(p, 2 * lanes, a, b);
}
FD_INLINE int64_t lane_count(int64_t lanes, int) { return lanes; }
FD_INLINE int64_t lane_count(Whole, int all) { return all; }

// visit(elements, tap offset) for every tap of neighbouring windows on one line, in order.
template <class T, int S, class Lanes, class Visit>
FD_INLINE void for_taps(const PoolShape& s, const T* line, Lanes lanes, const Visit& visit) {
  const int64_t kernel = s.kernel[2], step = s.dilation[2];
  if constexpr (S == 1) {
    for (int64_t t = 0; t < kernel; t++) visit(load(line + t * step, lanes), t * step);
  } else {
    int64_t t = 0;
    Vec<T> a, b;
    for (; step == 1 && t + 2 <= kernel; t += 2) {
      load_pairs(line + t, lanes, a, b);
      visit(pick_even(a, b, kEachLane<T>), t);
      visit(pick_odd(a, b, kEachLane<T>), t + 1);
    }
    for (; t < kernel; t++) {
      load_two(line + t * step, 2 * lane_count(lanes, Vec<T>::kLanes) - 1, a, b);
      visit(pick_even(a, b, kEachLane<T>), t * step);
    }
  }
}

// The lines under a line of windows.
struct Lines {
  Extent d, h;
  int64_t step_d, step_h;
  bool empty() const { return d.begin >= d.end || h.begin >= h.end; }
  template <class Visit>
  FD_INLINE void for_each(const PoolShape& s, const Visit& visit) const {
    for (int64_t i = d.begin; i < d.end; i += step_d)
      for (int64_t j = h.begin; j < h.end; j += step_h) visit((i * s.in[1] + j) * s.in[2]);
  }
};

// body(lines, position of the first output) for every line of outputs of a plane.
template <class Body>
FD_INLINE void for_lines(const PoolShape& s, const Body& body) {
  int64_t position = 0;
  for (int64_t i = 0; i < s.out[0]; i++)
    for (int64_t j = 0; j < s.out[1]; j++, position += s.out[2])
      body(Lines{s.extent(0, i), s.extent(1, j), s.dilation[0], s.dilation[1]}, position);
}

template <class Body>
void for_planes(fd_context* context, const PoolShape& s, const Body& body) {
  const int64_t grain = most<int64_t>(1, kGrain / most<int64_t>(1, s.in_size));
  for_chunks(context, s.planes, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) body(i);
  });
}

// --------------------------------------------------------------------------------------------------------- max

template <class T>
struct Best {
  T value;
  int64_t at;
};

template <class T>
Best<T> best_of(const PoolShape& s, const T* x, const Lines& lines, int64_t p) {
  const Extent w = s.extent(2, p);
  Best<T> best{T(-__builtin_inf()), -1};
  lines.for_each(s, [&](int64_t line) {
    for (int64_t k = w.begin; k < w.end; k += s.dilation[2]) {
      const T value = x[line + k];
      if (best.at >= 0 && !(value > best.value) && value == value) continue;
      best = {value, line + k};
    }
  });
  best.at = most<int64_t>(best.at, 0);
  return best;
}

template <class T, int S, bool kIndices>
void max_line(const PoolShape& s, const T* x, const Lines& lines, int64_t begin, int64_t end, T* y, int64_t* indices) {
  using V = Vec<T>;
  using I = Vec<Int<T>>;
  const int64_t first = begin * S - s.pad[2];
  for_vectors<T>(0, end - begin, [&](int64_t p, auto lanes) {
    V best = T(-__builtin_inf());
    I at = 0, offset = I::iota() * I(S) + I(Int<T>(first + p * S));
    bool any = false;
    lines.for_each(s, [&](int64_t line) {
      for_taps<T, S>(s, x + line + first + p * S, lanes, [&](V value, int64_t tap) {
        const Mask<T> better = (value > best) | (value != value);
        best = any ? select(better, value, best) : value;
        if (kIndices) at = any ? select(better, offset + I(Int<T>(line + tap)), at) : offset + I(Int<T>(line + tap));
        any = true;
      });
    });
    store(best, y + begin + p, lanes);
    if (kIndices) {
      Int<T> each[V::kLanes];
      at.store(each);
      for (int64_t i = 0; i < lane_count(lanes, V::kLanes); i++) indices[begin + p + i] = each[i];
    }
  });
}

template <class T>
fd_status max(fd_context* context, const fd_pool* args) {
  const PoolShape s(*args);
  const Extent inner = s.in_size < INT32_MAX ? s.inner() : Extent{0, 0, 0};
  for_planes(context, s, [&](int64_t plane) {
    const T* const x = static_cast<const T*>(args->x) + plane * s.in_size;
    for_lines(s, [&](const Lines& lines, int64_t position) {
      T* const y = static_cast<T*>(args->y) + plane * s.out_size + position;
      int64_t* const indices = args->indices ? args->indices + plane * s.out_size + position : nullptr;
      const auto one_by_one = [&](int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; p++) {
          const Best<T> best = best_of(s, x, lines, p);
          y[p] = best.value;
          if (indices) indices[p] = best.at;
        }
      };
      if (lines.empty() || inner.begin >= inner.end) return one_by_one(0, s.out[2]);
      one_by_one(0, inner.begin);
      if (indices)
        (s.stride[2] == 1 ? max_line<T, 1, true> : max_line<T, 2, true>)(s, x, lines, inner.begin, inner.end, y,
                                                                         indices);
      else
        (s.stride[2] == 1 ? max_line<T, 1, false> : max_line<T, 2, false>)(s, x, lines, inner.begin, inner.end, y,
                                                                           nullptr);
      one_by_one(inner.end, s.out[2]);
    });
  });
  return FD_OK;
}

template <class T>
fd_status max_backward(fd_context* context, const fd_pool* args) {
  const PoolShape s(*args);
  for_planes(context, s, [&](int64_t plane) {
    T* const gx = static_cast<T*>(args->gx) + plane * s.in_size;
    const T* const gy = static_cast<const T*>(args->gy) + plane * s.out_size;
    const int64_t* const indices = args->indices + plane * s.out_size;
    for_vectors<T>(0, s.in_size, [&](int64_t i, auto lanes) { store(Vec<T>(T(0)), gx + i, lanes); });
    for (int64_t p = 0; p < s.out_size; p++) gx[indices[p]] += gy[p];
  });
  return FD_OK;
}

// --------------------------------------------------------------------------------------------------------- average

// By what the average of the windows on these lines divides, for windows with `counted` elements along the line.
template <class T>
T share(const PoolShape& s, const Lines& lines, int64_t counted) {
  return T(1) / T(s.divisor != 0 ? s.divisor : lines.d.counted * lines.h.counted * counted);
}

template <class T, int S>
void avg_line(const PoolShape& s, const T* x, const Lines& lines, int64_t begin, int64_t end, T* y) {
  const int64_t first = begin * S - s.pad[2];
  const Vec<T> scale = share<T>(s, lines, s.kernel[2]);
  for_vectors<T>(0, end - begin, [&](int64_t p, auto lanes) {
    Vec<T> sum = T(0);
    lines.for_each(s, [&](int64_t line) {
      for_taps<T, S>(s, x + line + first + p * S, lanes, [&](Vec<T> value, int64_t) { sum = sum + value; });
    });
    store(sum * scale, y + begin + p, lanes);
  });
}

// Windows of 2 x 2 that tile a plane of `rows` pairs of lines.
template <class T>
void avg_pairs(const T* x, int64_t rows, int64_t cols, T scale, T* y) {
  for (int64_t i = 0; i < rows; i++, x += 4 * cols, y += cols)
    for_vectors<T>(0, cols, [&](int64_t p, auto lanes) {
      Vec<T> a, b, c, d;
      load_pairs(x + 2 * p, lanes, a, b);
      load_pairs(x + 2 * cols + 2 * p, lanes, c, d);
      a = a + c;
      b = b + d;
      store((pick_even(a, b, kEachLane<T>) + pick_odd(a, b, kEachLane<T>)) * Vec<T>(scale), y + p, lanes);
    });
}

// One window, vectors along it.
template <class T>
T avg_of(const PoolShape& s, const T* x, const Lines& lines, int64_t p) {
  const Extent w = s.extent(2, p);
  Vec<T> sums = T(0);
  T sum = 0;
  const int64_t width = w.end - w.begin;
  lines.for_each(s, [&](int64_t line) {
    const T* const from = x + line + w.begin;
    if (width < Vec<T>::kLanes)
      for (int64_t k = 0; k < width; k++) sum += from[k];
    else
      for_vectors<T>(0, width, [&](int64_t k, auto lanes) { sums = sums + load(from + k, lanes); });
  });
  return (hsum(sums) + sum) * share<T>(s, lines, w.counted);
}

template <class T>
fd_status avg(fd_context* context, const fd_pool* args) {
  const PoolShape s(*args);
  const Extent inner = s.kernel[2] == s.in[2] ? Extent{0, 0, 0} : s.inner();
  const bool pairs = s.pairs();
  for_planes(context, s, [&](int64_t plane) {
    const T* const x = static_cast<const T*>(args->x) + plane * s.in_size;
    if (pairs) {
      T* const y = static_cast<T*>(args->y) + plane * s.out_size;
      return avg_pairs(x, s.out[0] * s.out[1], s.out[2], T(1) / T(s.divisor != 0 ? s.divisor : 4), y);
    }
    for_lines(s, [&](const Lines& lines, int64_t position) {
      T* const y = static_cast<T*>(args->y) + plane * s.out_size + position;
      for (int64_t p = 0; p < inner.begin; p++) y[p] = avg_of(s, x, lines, p);
      if (inner.begin < inner.end)
        (s.stride[2] == 1 ? avg_line<T, 1> : avg_line<T, 2>)(s, x, lines, inner.begin, inner.end, y);
      for (int64_t p = inner.end; p < s.out[2]; p++) y[p] = avg_of(s, x, lines, p);
    });
  });
  return FD_OK;
}

// Windows that tile x: every line of gx is written once.
template <class T>
void spread_line(const PoolShape& s, const T* gy, T scale, T* gx) {
  constexpr int L = Vec<T>::kLanes;
  const int64_t width = s.stride[2];
  if (width == 2) {
    for_vectors<T>(0, s.out[2], [&](int64_t p, auto lanes) {
      const Vec<T> g = load(gy + p, lanes) * Vec<T>(scale);
      const int64_t n = 2 * lane_count(lanes, L);
      twice<T, 0>(g, kEachLane<T>).store(gx + 2 * p, least<int64_t>(L, n));
      twice<T, L / 2>(g, kEachLane<T>).store(gx + 2 * p + least<int64_t>(L, n), most<int64_t>(0, n - L));
    });
    return;
  }
  for (int64_t p = 0; p < s.out[2]; p++) {
    const T g = gy[p] * scale;
    for (int64_t k = 0; k < width; k++) gx[p * width + k] = g;
  }
}

// The gradient of avg_pairs.
template <class T>
void spread_pairs(const T* gy, int64_t rows, int64_t cols, T scale, T* gx) {
  constexpr int L = Vec<T>::kLanes;
  for (int64_t i = 0; i < rows; i++, gx += 4 * cols, gy += cols)
    for_vectors<T>(0, cols, [&](int64_t p, auto lanes) {
      const Vec<T> g = load(gy + p, lanes) * Vec<T>(scale);
      const Vec<T> a = twice<T, 0>(g, kEachLane<T>), b = twice<T, L / 2>(g, kEachLane<T>);
      const int64_t n = 2 * lane_count(lanes, L), first = least<int64_t>(L, n), second = n - first;
      for (int line = 0; line < 2; line++) {
        T* const to = gx + 2 * line * cols + 2 * p;
        a.store(to, first);
        b.store(to + first, second);
      }
    });
}

template <class T>
void add_line(const PoolShape& s, const T* gy, const Lines& lines, int64_t begin, int64_t end, T* gx) {
  const Vec<T> scale = share<T>(s, lines, s.kernel[2]);
  lines.for_each(s, [&](int64_t line) {
    for (int64_t t = 0; t < s.kernel[2]; t++) {
      T* const to = gx + line - s.pad[2] + t;
      for_vectors<T>(begin, end, [&](int64_t p, auto lanes) {
        store(fma(load(gy + p, lanes), scale, load(to + p, lanes)), to + p, lanes);
      });
    }
  });
}

template <class T>
void add_window(const PoolShape& s, T g, const Lines& lines, int64_t p, T* gx) {
  const Extent w = s.extent(2, p);
  const T each = g * share<T>(s, lines, w.counted);
  lines.for_each(s, [&](int64_t line) {
    for (int64_t k = w.begin; k < w.end; k++) gx[line + k] += each;
  });
}

template <class T>
fd_status avg_backward(fd_context* context, const fd_pool* args) {
  const PoolShape s(*args);
  const bool tiles = s.tiles(), pairs = s.pairs();
  const Extent inner = s.stride[2] == 1 ? s.inner() : Extent{0, 0, 0};
  for_planes(context, s, [&](int64_t plane) {
    T* const gx = static_cast<T*>(args->gx) + plane * s.in_size;
    const T* const all = static_cast<const T*>(args->gy) + plane * s.out_size;
    if (pairs) return spread_pairs(all, s.out[0] * s.out[1], s.out[2], T(1) / T(s.divisor != 0 ? s.divisor : 4), gx);
    if (!tiles) for_vectors<T>(0, s.in_size, [&](int64_t i, auto lanes) { store(Vec<T>(T(0)), gx + i, lanes); });
    for_lines(s, [&](const Lines& lines, int64_t position) {
      const T* const gy = all + position;
      if (tiles) {
        const T scale = share<T>(s, lines, s.kernel[2]);
        return lines.for_each(s, [&](int64_t line) { spread_line(s, gy, scale, gx + line); });
      }
      for (int64_t p = 0; p < inner.begin; p++) add_window(s, gy[p], lines, p, gx);
      if (inner.begin < inner.end) add_line(s, gy, lines, inner.begin, inner.end, gx);
      for (int64_t p = inner.end; p < s.out[2]; p++) add_window(s, gy[p], lines, p, gx);
    });
  });
  return FD_OK;
}

}  // namespace

void fill_pool(fd_kernels* table) {
  table->pool.max[FD_F32] = max<float>;
  table->pool.max[FD_F64] = max<double>;
  table->pool.max_backward[FD_F32] = max_backward<float>;
  table->pool.max_backward[FD_F64] = max_backward<double>;
  table->pool.avg[FD_F32] = avg<float>;
  table->pool.avg[FD_F64] = avg<double>;
  table->pool.avg_backward[FD_F32] = avg_backward<float>;
  table->pool.avg_backward[FD_F64] = avg_backward<double>;
}

}  // namespace fd::FD_ISA
