// Cross-entropy of softmax(logits) with its gradient, from one reading of the logits.
//
// With v_j = weight_j q_j, q the smoothed target, m = max x and s = sum_j e^(x_j - m):
//   loss = S (m + log s) - sum_j v_j x_j = S log s + sum_j v_j (m - x_j)        d loss / d x_k = S e^(x_k - m) / s -
//   v_k
// where S = sum_j v_j. For labels v is `rest` = weight_j smoothing / classes, and `hit` more at the label.
//
// Bound by memory for many classes (logits read once, gradient written once, past the caches where it is large) and by
// exponentials for few: up to 16 classes, rows lie side by side in vectors; up to four vectors, a row stays in
// registers and the logarithms of 64 rows are taken together. float32 on one core: 256 x 10 1.9 us; 8192 x 1000 2.7 ms
// and 2048 x 32000 39 ms, 1.4 and 1.3 times a non-temporal copy of as many bytes (AVX-512, Intel(R) Xeon(R) Processor
// @ 2.10GHz; docs/kernels/softmax.md).
#include "kernels/cpu/lanes.h"
#include "kernels/cpu/math.h"
#include "kernels/cpu/softmax_row.h"
#include "kernels/cpu/table.h"
#include "kernels/cpu/tasks.h"
#include "kernels/cpu/transpose.h"

namespace fd::FD_ISA {
namespace {

template <class T>
struct Problem {
  const fd_cross_entropy& a;
  const T* weight;
  const T* soft;
  double scale = 1;       // of the gradient, and of the total
  double rest_total = 0;  // labels: the sum of weight smoothing / classes over all classes
  double keep, spread;    // q = keep target + spread
  bool past;

  Problem(const fd_context* context, const fd_cross_entropy& args)
      : a(args), weight(static_cast<const T*>(args.weight)), soft(static_cast<const T*>(args.soft)) {
    keep = 1 - a.smoothing;
    spread = a.classes ? a.smoothing / double(a.classes) : 0;
    past = a.grad && a.grad != a.logits && past_cache(context, a.rows * a.classes * int64_t(sizeof(T)));
    if (spread == 0) return;
    rest_total = a.smoothing;
    if (weight) {
      rest_total = 0;
      for (int64_t j = 0; j < a.classes; j++) rest_total += spread * double(weight[j]);
    }
  }

  const T* logits(int64_t r) const { return static_cast<const T*>(a.logits) + r * a.row_stride; }
  T* grad(int64_t r) const { return a.grad ? static_cast<T*>(a.grad) + r * a.classes : nullptr; }
  bool ignored(int64_t r) const { return a.labels && a.labels[r] == a.ignore_index; }
  double weight_of(int64_t j) const { return weight ? double(weight[j]) : 1; }
  double hit(int64_t r) const { return keep * weight_of(a.labels[r]); }

  template <class Lanes>
  FD_INLINE Vec<T> weights(int64_t j, Lanes lanes) const {
    return weight ? load(weight + j, lanes) : Vec<T>(T(1));
  }
};

// What a mean divides by, once every label is known to be good.
template <class T>
fd_status check_labels(fd_context* context, const Problem<T>& p, double* divisor) {
  const fd_cross_entropy& a = p.a;
  *divisor = double(a.rows);
  if (!a.labels) return FD_OK;
  double total = 0;
  FirstFault fault;
  for (int64_t r = 0; r < a.rows; r++) {
    const int64_t label = a.labels[r];
    if (label == a.ignore_index) continue;
    if (uint64_t(label) >= uint64_t(a.classes)) [[unlikely]] {
      fault.report(r);
      return fault.status(context, a.labels);
    }
    total += p.weight_of(label);
  }
  *divisor = total;
  return FD_OK;
}

// ------------------------------------------------------------------------------------------------------ few classes

constexpr int kMostNarrow = 16;  // classes

// Classes [from, from + lanes) that there are: none, where C is several vectors more than they need.
template <class T>
FD_INLINE int64_t classes_from(const Problem<T>& p, int64_t from) {
  return most<int64_t>(0, least<int64_t>(Vec<T>::kLanes, p.a.classes - from));
}

// x[c], lane i: class c of row begin + i, for `count` rows; lanes beyond repeat the last row.
template <class T, int C>
FD_INLINE void load_classes(const Problem<T>& p, int64_t begin, int64_t count, Vec<T> (&x)[C]) {
  constexpr int L = Vec<T>::kLanes;
#pragma GCC unroll 16
  for (int from = 0; from < C; from += L) {
    VecSquare<T> rows;
#pragma GCC unroll 16
    for (int i = 0; i < L; i++)
      rows[i] = load(p.logits(begin + least<int64_t>(i, count - 1)) + from, classes_from(p, from));
    transpose(rows);
#pragma GCC unroll 16
    for (int c = 0; c < L; c++)
      if (from + c < C) x[from + c] = rows[c];
  }
}

template <class T, int C>
FD_INLINE void store_classes(const Problem<T>& p, int64_t begin, int64_t count, const Vec<T> (&x)[C]) {
  constexpr int L = Vec<T>::kLanes;
#pragma GCC unroll 16
  for (int from = 0; from < C; from += L) {
    VecSquare<T> rows;
#pragma GCC unroll 16
    for (int c = 0; c < L; c++) rows[c] = from + c < C ? x[least(C - 1, from + c)] : Vec<T>(T(0));
    transpose(rows);
#pragma GCC unroll 16
    for (int i = 0; i < L; i++)
      if (i < count) rows[i].store(p.grad(begin + i) + from, classes_from(p, from));
  }
}

FD_INLINE Vec<double> in_double(Vec<float> x) { return widen_lo(x) + widen_hi(x); }
FD_INLINE Vec<double> in_double(Vec<double> x) { return x; }

// Up to C classes, with labels and no smoothing, as many rows at once as a vector has lanes: lane i belongs to row i,
// so that nothing is summed over lanes and exponentials fill their vectors.
template <class T, int C>
FD_INLINE Vec<T> narrow_rows(const Problem<T>& p, int64_t begin, int64_t count) {
  constexpr int L = Vec<T>::kLanes;
  using I = Vec<Int<T>>;
  constexpr Int<T> kIgnored = -1;
  Int<T> label[L];
  T weight[L];
  for (int64_t i = 0; i < L; i++) {
    const int64_t row = begin + least(i, count - 1);
    const bool ignored = p.ignored(row);
    label[i] = ignored ? kIgnored : Int<T>(p.a.labels[row]);
    weight[i] = ignored ? T(0) : T(p.weight_of(p.a.labels[row]));
  }
  const I at = I::load(label);
  const Vec<T> w = Vec<T>::load(weight), zero(T(0));
  Vec<T> x[C];
  load_classes(p, begin, count, x);
  const int classes = int(p.a.classes);
  Vec<T> largest(-kLargest<T>), chosen(T(0)), sum(T(0));
#pragma GCC unroll 16
  for (int c = 0; c < C; c++) {
    if (c >= classes) break;
    largest = max(x[c], largest);
    chosen = select(at == I(c), x[c], chosen);
  }
#pragma GCC unroll 16
  for (int c = 0; c < C; c++) {
    if (c >= classes) break;
    x[c] = exp_below(x[c] - largest);
    sum = sum + x[c];
  }
  if (p.a.grad) {
    const Vec<T> v = w * Vec<T>(T(p.scale)), factor = v / sum;
    const Mask<T> ignored = at == I(kIgnored);
#pragma GCC unroll 16
    for (int c = 0; c < C; c++) {
      if (c >= classes) break;
      x[c] = select(ignored, zero, fms(x[c], factor, select(at == I(c), v, zero)));
    }
    store_classes(p, begin, count, x);
  }
  const Vec<T> cost = w * (largest - chosen + vlog(sum));
  return select(w == zero, zero, cost);
}

template <class T, int C>
double all_narrow_rows(const Problem<T>& p, int64_t begin, int64_t end, T* loss) {
  Vec<double> total(0.0);
  for_vectors<T>(begin, end, [&](int64_t r, auto lanes) {
    int64_t count = Vec<T>::kLanes;
    if constexpr (!std::is_same_v<decltype(lanes), Whole>) count = lanes;
    const Vec<T> cost = only(narrow_rows<T, C>(p, r, count), lanes);
    if (loss) store(cost, loss + (r - begin), lanes);
    total = total + in_double(cost);
  });
  return hsum(total);
}

template <class T>
double narrow_loss(const Problem<T>& p, int64_t begin, int64_t end, T* loss) {
  if (p.a.classes <= 2) return all_narrow_rows<T, 2>(p, begin, end, loss);
  if (p.a.classes <= 4) return all_narrow_rows<T, 4>(p, begin, end, loss);
  if (p.a.classes <= 8) return all_narrow_rows<T, 8>(p, begin, end, loss);
  return all_narrow_rows<T, kMostNarrow>(p, begin, end, loss);
}

// ------------------------------------------------------------------------------------------------------ short rows

constexpr int64_t kLogRows = 64;

// Losses of rows that wait for their logarithm: v (lead + log sum).
template <class T>
struct Pending {
  T v[kLogRows], lead[kLogRows], sum[kLogRows];
  double finish(T* loss, int64_t n) const {
    double total = 0;
    T value[kLogRows];
    for_vectors<T>(0, n, [&](int64_t i, auto lanes) {
      const Vec<T> weight = load(v + i, lanes);
      const Vec<T> cost = weight * (load(lead + i, lanes) + vlog(load(sum + i, lanes)));
      store(select(weight == Vec<T>(T(0)), weight, cost), value + i, lanes);
    });
    for (int64_t i = 0; i < n; i++) total += double(value[i]);
    for (int64_t i = 0; loss && i < n; i++) loss[i] = value[i];
    return total;
  }
};

template <class T, int V, class Lanes>
FD_INLINE void short_gradient(const ShortRow<T, V>& row, int k, T* grad, int64_t label, T v, T scale, Lanes lanes) {
  constexpr int L = Vec<T>::kLanes;
  const Vec<Int<T>> at = Vec<Int<T>>::iota() + Vec<Int<T>>(Int<T>(k * L));
  const Vec<T> target = select(at == Vec<Int<T>>(Int<T>(label)), Vec<T>(v), Vec<T>(T(0)));
  store(fms(row.e[k], Vec<T>(scale), target), grad + k * L, lanes);
}

// Rows [begin, end), with labels and no smoothing.
template <class T, int V>
double short_rows(const Problem<T>& p, int64_t begin, int64_t end, T* loss) {
  constexpr int L = Vec<T>::kLanes;
  const int64_t tail = p.a.classes - (V - 1) * L;
  Pending<T> pending;
  for (int64_t r = begin; r < end; r++) {
    const int64_t i = r - begin;
    T* grad = p.grad(r);
    if (p.ignored(r)) {
      pending.v[i] = pending.lead[i] = 0;
      pending.sum[i] = 1;
      if (grad) fill(grad, p.a.classes, T(0));
      continue;
    }
    const T* x = p.logits(r);
    const int64_t label = p.a.labels[r];
    const ShortRow<T, V> row(x, tail);
    pending.v[i] = T(p.weight_of(label));
    pending.lead[i] = row.largest - x[label];
    pending.sum[i] = row.sum;
    if (!grad) continue;
    const T v = T(p.scale * p.weight_of(label)), scale = v / row.sum;
#pragma GCC unroll 4
    for (int k = 0; k < V - 1; k++) short_gradient(row, k, grad, label, v, scale, Whole{});
    short_gradient(row, V - 1, grad, label, v, scale, tail);
  }
  return pending.finish(loss, end - begin);
}

// ------------------------------------------------------------------------------------------------------- long rows

// The part of v that every class may have: all of it for soft targets, what smoothing spreads for labels.
template <class T, class Lanes>
FD_INLINE Vec<T> spread_target(const Problem<T>& p, int64_t r, int64_t j, Lanes lanes) {
  Vec<T> q{T(p.spread)};
  if (p.soft) q = fma(load(p.soft + r * p.a.classes + j, lanes), Vec<T>(T(p.keep)), q);
  return p.weights(j, lanes) * q;
}

// S and sum_j v_j (m - x_j) of spread_target: vectors within a block, double across.
struct SpreadSums {
  double v = 0, lead = 0;
};
template <class T>
SpreadSums spread_sums(const Problem<T>& p, int64_t r, T largest) {
  const T* x = p.logits(r);
  SpreadSums sums;
  for (int64_t from = 0; from < p.a.classes; from += kRowBlock) {
    Vec<T> v_sum(T(0)), lead_sum(T(0));
    for_vectors<T>(from, least(p.a.classes, from + kRowBlock), [&](int64_t j, auto lanes) {
      const Vec<T> v = only(spread_target(p, r, j, lanes), lanes);
      const Vec<T> lead = v * (Vec<T>(largest) - load(x + j, lanes));
      v_sum = v_sum + v;  // an impossible class of no weight costs nothing, not 0 * inf
      lead_sum = lead_sum + select(v == Vec<T>(T(0)), v, lead);
    });
    sums.v += hsum(v_sum);
    sums.lead += hsum(lead_sum);
  }
  return sums;
}

// The gradient of a row from its exponentials: e factor - scale spread_target.
template <class T, bool kSpread>
struct Gradient {
  const Problem<T>* p = nullptr;
  int64_t row = 0;
  template <class Lanes>
  FD_INLINE Vec<T> operator()(Vec<T> e, Vec<T> factor, int64_t j, Lanes lanes) const {
    if constexpr (kSpread) return fms(e, factor, Vec<T>(T(p->scale)) * spread_target(*p, row, j, lanes));
    return e * factor;
  }
};

// One task's rows. A row's gradient is written while the next row's exponentials are made.
template <class T, bool kSpread>
class LongRows {
 public:
  explicit LongRows(const Problem<T>& problem) : p(problem), writer(problem.a.classes, problem.past) {}

  bool run(fd_context* context, int64_t begin, int64_t end, T* each, double* total) {
    if (!RowScratch<T>::pair(context, p.a.classes, scratch)) return false;
    for (int64_t r = begin; r < end; r++) {
      const double one = p.ignored(r) ? ignore(r) : loss(r);
      if (each) each[r] = T(one);
      *total += one;
    }
    writer.finish();
    write_label();
    return true;
  }

 private:
  double ignore(int64_t r) {
    if (T* grad = p.grad(r)) fill(grad, p.a.classes, T(0));
    return 0;
  }

  double loss(int64_t r) {
    const T* x = p.logits(r);
    T* grad = p.grad(r);
    const RowScratch<T>& s = scratch[turn ^= 1];
    const int64_t n = p.a.classes;
    const RowSum<T> row = grad ? exp_row<true>(x, n, s, writer) : exp_row<false>(x, n, s, NoWriter());
    write_label();
    SpreadSums sums;
    if constexpr (kSpread) sums = spread_sums(p, r, row.largest);
    double hit = 0;
    if (p.a.labels) {
      hit = p.hit(r);
      sums.v += hit;
      if (hit != 0) sums.lead += hit * (double(row.largest) - double(x[p.a.labels[r]]));
    }
    if (grad) {
      const double k = p.scale * sums.v / row.sum;
      writer.set(grad, s.e, s.base, k, {&p, r});
      if (p.a.labels) set_label(grad, s, p.a.labels[r], k, p.scale * hit);
    }
    return sums.v == 0 ? sums.lead : sums.v * std::log(row.sum) + sums.lead;
  }

  // The label's exponential is changed so that the writer's formula gives its gradient. Where its block's factor is too
  // small for that, the element is stored apart, which costs a line's trip to memory.
  void set_label(T* grad, const RowScratch<T>& s, int64_t label, double k, double hit) {
    const double base = double(s.base[label / kRowBlock]), factor = double(T(k * base));
    const double wanted = k * base * double(s.e[label]) - hit;
    const T e = T(wanted / factor);
    if (factor != 0 && e >= -kLargest<T> && e <= kLargest<T>) {
      s.e[label] = e;
    } else {
      at_label = grad + label;
      label_gradient = T(wanted - p.scale * p.weight_of(label) * p.spread);
    }
  }
  void write_label() {
    if (at_label) *at_label = label_gradient;
    at_label = nullptr;
  }

  const Problem<T>& p;
  RowWriter<T, Gradient<T, kSpread>> writer;
  RowScratch<T> scratch[2];
  int turn = 0;
  T* at_label = nullptr;
  T label_gradient = 0;
};

// --------------------------------------------------------------------------------------------------------- the whole

// The loss of rows [begin, end); false if there was no scratch.
template <class T>
bool rows_loss(fd_context* context, const Problem<T>& p, int64_t begin, int64_t end, double* total) {
  T* each = p.a.reduction == FD_REDUCTION_NONE ? static_cast<T*>(p.a.loss) : nullptr;
  *total = 0;
  const bool plain = p.a.labels && p.a.smoothing == 0;
  if (plain && p.a.classes > 0 && p.a.classes <= kMostNarrow && p.a.rows > Vec<T>::kLanes / 2) {
    *total = narrow_loss(p, begin, end, each ? each + begin : nullptr);
    return true;
  }
  if (plain && if_short_row<T>(p.a.classes, [&]<int V>() {
        for (int64_t r = begin; r < end; r += kLogRows)
          *total += short_rows<T, V>(p, r, least(end, r + kLogRows), each ? each + r : nullptr);
      }))
    return true;
  const bool done = p.soft || p.spread != 0 ? LongRows<T, true>(p).run(context, begin, end, each, total)
                                            : LongRows<T, false>(p).run(context, begin, end, each, total);
  if (p.past) stream_fence();
  return done;
}

template <class T>
fd_status cross_entropy(fd_context* context, const fd_cross_entropy* a) {
  Problem<T> p(context, *a);
  double divisor;
  if (const fd_status status = check_labels(context, p, &divisor)) return status;
  if (a->reduction == FD_REDUCTION_MEAN) p.scale = 1 / divisor;
  const int64_t grain = most<int64_t>(kRowGrain / most<int64_t>(a->classes, 1), 1);
  const int64_t tasks = ceil_div(a->rows, grain);
  double one = 0, *totals = &one;
  if (tasks > 1) totals = static_cast<double*>(context->workspace(context, 0, size_t(tasks) * sizeof(double)));
  if (!totals) return FD_NO_MEMORY;
  FirstFault no_memory;
  for_chunks(context, a->rows, grain, [&](int64_t begin, int64_t end) {
    if (!rows_loss(context, p, begin, end, &totals[begin / grain])) no_memory.report(begin);
  });
  if (no_memory.found()) return FD_NO_MEMORY;
  double total = 0;
  for (int64_t i = 0; i < tasks; i++) total += totals[i];
  if (a->reduction != FD_REDUCTION_NONE) *static_cast<T*>(a->loss) = T(p.scale * total);
  return FD_OK;
}

}  // namespace

void fill_cross_entropy(fd_kernels* table) {
  table->softmax.cross_entropy[FD_F32] = cross_entropy<float>;
  table->softmax.cross_entropy[FD_F64] = cross_entropy<double>;
}

}  // namespace fd::FD_ISA
