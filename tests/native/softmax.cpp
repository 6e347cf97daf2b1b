// Softmax, log-softmax, cross-entropy and the elementwise losses.
//
// Probabilities may be off by kProbability ulp, and by what rounding the exponent x - max to T makes of them: half an
// epsilon of its size in each of the two, which matters up to where they vanish (e^-104 in float32, e^-745 in float64).
// Logarithms, losses and gradients by a few epsilons of what they are made from: the largest |x|, the sum of the terms.
#include "families.h"
#include "values.h"

namespace fd::native {
namespace {

constexpr double kProbability = 12;

struct Shape {
  int64_t outer, size, inner;
};

std::vector<Shape> softmax_shapes() {
  std::vector<Shape> all;
  for (int64_t n : kSizes) {
    all.push_back({7, n, 1});
    all.push_back({3, 5, n});
    all.push_back({2, n, 3});
  }
  for (Shape s : {Shape{3000, 10, 1}, {300, 1000, 1}, {2, 40000, 1}, {20, 30, 70}, {1, 300, 400}, {0, 5, 2}})
    all.push_back(s);
  return all;
}

template <class T>
void check_softmax(const Tables& t, const std::string& title, fd_dtype dtype, Shape shape, bool log,
                   const Range& range) {
  const int64_t n = shape.outer * shape.size * shape.inner;
  const double magnitude = std::max(std::fabs(range.low), std::fabs(range.high));
  const double lowest = sizeof(T) == 4 ? 104 : 745;
  const double exponent = range.specials == Specials::none ? std::min(lowest, 2 * magnitude) : lowest;
  Case c(title, text(shape.outer, "x", shape.size, "x", shape.inner, " within ", magnitude,
                     range.specials == Specials::none ? "" : " with specials"));
  fd_softmax s = {shape.outer, shape.size, shape.inner, nullptr, nullptr, nullptr, nullptr};
  T* const x = c.input<T>(n);
  Random random(9);
  fill(x, n, random, range);
  s.x = x;
  s.y = c.output<T>(n, log ? within(4, 4 * epsilon<T> * (magnitude + std::log1p(double(shape.size))))
                           : within(kProbability + 2 * exponent, 4 * std::numeric_limits<T>::denorm_min()));
  const auto& k = t.candidate.softmax;
  const auto& r = t.reference.softmax;
  c.check(log ? r.log_softmax[dtype] : r.softmax[dtype], log ? k.log_softmax[dtype] : k.softmax[dtype], s, n > 2000);
}

template <class T>
void check_softmax_backward(const Tables& t, const std::string& title, fd_dtype dtype, Shape shape, bool log,
                            bool in_place) {
  const int64_t n = shape.outer * shape.size * shape.inner;
  Case c(title, text(shape.outer, "x", shape.size, "x", shape.inner, in_place ? " in place" : ""));
  fd_softmax s = {shape.outer, shape.size, shape.inner, nullptr, nullptr, nullptr, nullptr};
  T* const x = c.input<T>(n);
  T* const y = c.input<T>(n);
  Random random(9);
  fill(x, n, random, {-5, 5, Specials::none});
  s.x = x;
  s.y = y;
  (log ? t.reference.softmax.log_softmax : t.reference.softmax.softmax)[dtype](context(Device{}), &s);
  const double size = double(shape.size);
  T* const gx = c.output<T>(n, within(4, 8 * epsilon<T> * (log ? std::sqrt(size) + 1 : 1.0)));
  s.gx = gx;
  s.gy = gx;
  if (in_place) {
    fill(gx, n, random, {-1, 1, Specials::none});
  } else {
    T* const gy = c.input<T>(n);
    fill(gy, n, random, {-1, 1, Specials::none});
    s.gy = gy;
  }
  const auto& k = t.candidate.softmax;
  const auto& r = t.reference.softmax;
  c.check(log ? r.log_softmax_backward[dtype] : r.softmax_backward[dtype],
          log ? k.log_softmax_backward[dtype] : k.softmax_backward[dtype], s, n > 2000);
}

template <class T>
void test_softmax_dtype(const Tables& t, fd_dtype dtype, bool log) {
  const auto& k = t.candidate.softmax;
  const auto& b = t.below.softmax;
  const std::string title = text(t.isa, " softmax ", log ? "log_softmax " : "softmax ", DType(dtype));
  if (report().wanted(title) &&
      (log ? differs(t, k.log_softmax[dtype], b.log_softmax[dtype]) : differs(t, k.softmax[dtype], b.softmax[dtype])))
    for (const Shape& s : softmax_shapes())
      for (const Range& r :
           {Range{-4, 4, Specials::none}, Range{-300, 300, Specials::none}, Range{-9, 9, Specials::all}})
        check_softmax<T>(t, title, dtype, s, log, r);
  const std::string backward = text(t.isa, " softmax ", log ? "log_softmax" : "softmax", "_backward ", DType(dtype));
  if (report().wanted(backward) && (log ? differs(t, k.log_softmax_backward[dtype], b.log_softmax_backward[dtype])
                                        : differs(t, k.softmax_backward[dtype], b.softmax_backward[dtype])))
    for (const Shape& s : softmax_shapes())
      for (bool in_place : {false, true}) check_softmax_backward<T>(t, backward, dtype, s, log, in_place);
}

// --------------------------------------------------------------------------------------------------- cross-entropy

struct Entropy {
  int64_t rows, classes;
  bool soft = false, weight = false, grad = true, in_place = false;
  double smoothing = 0;
  int reduction = FD_REDUCTION_MEAN;
  int64_t pad = 0;
  int ignored = 0;  // every how many-th row carries the ignored label; 0: none
  int bad = 0;      // how many labels lie outside
  double width = 5;
};

std::string describe(const Entropy& e) {
  return text(e.rows, "x", e.classes, e.soft ? " soft" : " labels", e.weight ? " weight" : "",
              e.grad ? "" : " loss only", e.in_place ? " in place" : "", " smoothing ", e.smoothing, " reduction ",
              e.reduction, " pad ", e.pad, " ignored ", e.ignored, " bad ", e.bad, " within ", e.width);
}

template <class T>
void check_cross_entropy(const Tables& t, const std::string& title, fd_dtype dtype, const Entropy& e) {
  Case c(title, describe(e));
  Random random(uint64_t(e.rows * 31 + e.classes));
  fd_cross_entropy x = {};
  x.rows = e.rows, x.classes = e.classes, x.row_stride = e.classes + e.pad;
  x.smoothing = e.smoothing, x.reduction = e.reduction, x.ignore_index = -100;
  const double per_row = 8 * epsilon<T> * (e.width + std::log1p(double(e.classes))) * (e.weight ? 2 : 1);
  const double all_rows = e.reduction == FD_REDUCTION_SUM ? double(e.rows) : 1;

  const int64_t span = e.rows ? (e.rows - 1) * x.row_stride + e.classes : 0;
  const Tolerance gradient = within(kProbability, 8 * epsilon<T>);
  T* const logits = e.in_place ? c.output<T>(span, gradient) : c.input<T>(span);
  fill(logits, span, random, {-e.width, e.width, Specials::none});
  if (e.ignored && e.rows) logits[0] = std::numeric_limits<T>::quiet_NaN();  // of a row that is left out
  x.logits = logits;
  if (e.soft) {
    T* const soft = c.input<T>(e.rows * e.classes);
    fill(soft, e.rows * e.classes, random, {0, 2 / double(std::max<int64_t>(e.classes, 1)), Specials::none});
    x.soft = soft;
  } else {
    int64_t* const labels = c.input<int64_t>(e.rows);
    for (int64_t r = 0; r < e.rows; r++)
      labels[r] = e.ignored && r % e.ignored == 0 ? x.ignore_index : random.below(std::max<int64_t>(e.classes, 1));
    for (int k = 0; k < e.bad && e.rows; k++) labels[(k + 1) * e.rows / (e.bad + 1)] = k % 2 ? -1 : e.classes;
    x.labels = labels;
  }
  if (e.weight) {
    T* const weight = c.input<T>(e.classes);
    fill(weight, e.classes, random, {0.1, 2, Specials::none});
    x.weight = weight;
  }
  x.loss = c.output<T>(e.reduction == FD_REDUCTION_NONE ? e.rows : 1, within(8, per_row * all_rows));
  if (e.in_place)
    x.grad = logits;
  else if (e.grad)
    x.grad = c.output<T>(e.rows * e.classes, gradient);
  c.check(t.reference.softmax.cross_entropy[dtype], t.candidate.softmax.cross_entropy[dtype], x,
          e.rows * e.classes > 2000);
}

std::vector<Entropy> entropies() {
  std::vector<Entropy> all;
  for (int64_t n : kSizes) {
    if (n) all.push_back({6, n});
    all.push_back({n, 10});
    if (n) all.push_back({5, n, true, true, true, false, 0.1});
  }
  // As many rows at once as a vector has lanes: few classes, and rows that do not fill the last vector.
  for (int64_t classes : {1, 2, 3, 4, 5, 8, 9, 16, 17})
    for (int64_t rows : {8, 9, 37})
      for (int bits = 0; bits < 8; bits++) {
        Entropy e{rows, classes};
        e.weight = bits & 1, e.pad = bits & 2 ? 3 : 0, e.ignored = bits & 4 ? 4 : 0;
        e.reduction = bits & 1 ? FD_REDUCTION_NONE : FD_REDUCTION_MEAN;
        all.push_back(e);
      }
  for (int bits = 0; bits < 64; bits++)
    for (int reduction : {FD_REDUCTION_NONE, FD_REDUCTION_MEAN, FD_REDUCTION_SUM}) {
      Entropy e{23, 37};
      e.soft = bits & 1, e.weight = bits & 2, e.grad = bits & 4, e.smoothing = bits & 8 ? 0.2 : 0;
      e.pad = bits & 16 ? 3 : 0;
      e.ignored = bits & 32 && !e.soft ? 4 : 0;
      e.reduction = reduction;
      all.push_back(e);
      e.pad = 0, e.in_place = e.grad;
      all.push_back(e);
      e.rows = 9, e.classes = 10;
      all.push_back(e);
    }
  for (int bad : {1, 2, 3}) {
    Entropy e{50, 10};
    e.bad = bad;
    all.push_back(e);
    e.rows = 5000;
    all.push_back(e);
  }
  Entropy ignored{8, 5};
  ignored.ignored = 1;
  all.push_back(ignored);
  for (double width : {1.0, 80.0, 1000.0}) {
    Entropy e{256, 10};
    e.width = width;
    all.push_back(e);
    e.rows = 40, e.classes = 1000;
    all.push_back(e);
  }
  all.push_back({3000, 10});
  all.push_back({100, 1000});
  all.push_back({3, 50000});
  return all;
}

}  // namespace

void test_softmax(const Tables& t) {
  for_each_floating([&]<class T>(fd_dtype dtype) {
    test_softmax_dtype<T>(t, dtype, false);
    test_softmax_dtype<T>(t, dtype, true);
  });
}

void test_cross_entropy(const Tables& t) {
  for_each_floating([&]<class T>(fd_dtype dtype) {
    const std::string title = text(t.isa, " cross_entropy ", DType(dtype));
    if (!report().wanted(title)) return;
    if (!differs(t, t.candidate.softmax.cross_entropy[dtype], t.below.softmax.cross_entropy[dtype])) return;
    for (const Entropy& e : entropies()) check_cross_entropy<T>(t, title, dtype, e);
  });
}

}  // namespace fd::native
