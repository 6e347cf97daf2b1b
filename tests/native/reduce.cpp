// Reductions over contiguous, inner, outer, middle and strided dimensions; scans.
//
// What is exact for a dtype must be exact (integers, extremes, counts). A floating sum may be off by `kSumEpsilons`
// epsilons of the sum of magnitudes: blocked sums in the dtype itself keep below that.
#include "families.h"
#include "layout.h"

namespace fd::native {
namespace {

constexpr double kSumEpsilons = 4;

struct Space {
  std::string name;
  std::vector<int64_t> kept, kept_step, reduced, reduced_step;
  bool large = false;
};

std::vector<Space> spaces() {
  std::vector<Space> all;
  for (int64_t n : kSizes) {
    if (n == 0) continue;
    all.push_back({text("all of ", n), {}, {}, {n}, {1}});
    all.push_back({text("rows of ", n), {5}, {n}, {n}, {1}});
    all.push_back({text("columns, ", n, " of them"), {n}, {1}, {7}, {n}});
    all.push_back({text("columns of ", n), {7}, {1}, {n}, {7}});
  }
  all.push_back({"all of 200003", {}, {}, {200003}, {1}, true});
  all.push_back({"rows 300x700", {300}, {700}, {700}, {1}, true});
  all.push_back({"rows 3x70000", {3}, {70000}, {70000}, {1}, true});
  for (int64_t rows : {15, 16, 64, 65, 200})
    for (int64_t n : {2, 3, 10, 16, 17, 32, 33})
      all.push_back({text(rows, " short rows of ", n), {rows}, {n + 1}, {n}, {1}});
  all.push_back({"short rows reversed", {70}, {-9}, {9}, {1}});
  all.push_back({"rows 30000x7", {30000}, {7}, {7}, {1}, true});
  all.push_back({"columns 700x300", {300}, {1}, {700}, {300}, true});
  all.push_back({"columns 7x30000", {30000}, {1}, {7}, {30000}, true});
  all.push_back({"columns 70000x3", {3}, {1}, {70000}, {3}, true});
  all.push_back({"middle of 9x33x17", {9, 17}, {561, 1}, {33}, {17}});
  all.push_back({"middle of 40x50x60", {40, 60}, {3000, 1}, {50}, {60}, true});
  all.push_back({"ends of 9x33x17", {33}, {17}, {9, 17}, {561, 1}});
  all.push_back({"ends of 50x40x60", {40}, {60}, {50, 60}, {2400, 1}, true});
  all.push_back({"stride 3", {}, {}, {101}, {3}});
  all.push_back({"stride -1", {4}, {50}, {50}, {-1}});
  all.push_back({"stride -2, kept reversed", {5}, {-120}, {50}, {-2}});
  all.push_back({"broadcast reduced", {6}, {1}, {20}, {0}});
  all.push_back({"broadcast kept", {6}, {0}, {20}, {1}});
  all.push_back({"everything kept", {23}, {1}, {}, {}});
  all.push_back({"a single element", {}, {}, {}, {}});
  all.push_back({"nothing kept", {0}, {1}, {5}, {0}});
  all.push_back({"4-d both", {3, 4}, {700, 25}, {5, 6, 2}, {5, 101, -1}});
  all.push_back({"nothing reduced", {4}, {1}, {0}, {1}});
  return all;
}

bool empty(const Space& s) { return std::count(s.reduced.begin(), s.reduced.end(), 0) > 0; }

bool of_extremes(int op) {
  return op == FD_REDUCE_MAX || op == FD_REDUCE_MIN || op == FD_REDUCE_ARGMAX || op == FD_REDUCE_ARGMIN;
}

template <class T>
Tolerance tolerance_of(int op, double count, double magnitude) {
  const double per_sum = kSumEpsilons * epsilon<T> * magnitude;
  switch (op) {
    case FD_REDUCE_SUM:
    case FD_REDUCE_NORM1:
      return within(1, per_sum * count);
    case FD_REDUCE_MEAN:
      return within(2, per_sum);
    case FD_REDUCE_PROD:
      return within(2 + 1.5 * count);
    case FD_REDUCE_VAR:
      return within(4, 4 * per_sum * magnitude);
    case FD_REDUCE_NORM2:
      return within(4 + 0.05 * std::sqrt(count));
    case FD_REDUCE_LOGSUMEXP:
      return within(4, 8 * epsilon<T>);
    default:
      return kValue;
  }
}

struct Reduction {
  const Tables& t;
  int op;
  const char* name;
  fd_dtype dtype;
};

template <class T, class Result>
void check_reduce(const Reduction& r, const Space& s, const Range& range) {
  const std::string title = text(r.t.isa, " reduce ", r.name, " ", DType(r.dtype));
  double count = 1;
  for (int64_t n : s.reduced) count *= double(n);
  const double magnitude = std::max(std::fabs(range.low), std::fabs(range.high));
  const Tolerance tolerance = is_floating<Result> ? tolerance_of<Result>(r.op, count, magnitude) : kBits;

  Case c(title, text(s.name, range.specials == Specials::none ? "" : " with specials",
                     range.low > 100 ? " around a large mean" : ""));
  fd_reduce a = {};
  a.kept_ndim = int32_t(s.kept.size());
  a.reduced_ndim = int32_t(s.reduced.size());
  std::copy(s.kept.begin(), s.kept.end(), a.kept_size);
  std::copy(s.kept_step.begin(), s.kept_step.end(), a.kept_stride);
  std::copy(s.reduced.begin(), s.reduced.end(), a.reduced_size);
  std::copy(s.reduced_step.begin(), s.reduced_step.end(), a.reduced_stride);
  std::vector<int64_t> size = s.kept, step = s.kept_step;
  size.insert(size.end(), s.reduced.begin(), s.reduced.end());
  step.insert(step.end(), s.reduced_step.begin(), s.reduced_step.end());
  const Extent in = extent(size, step);
  T* const data = c.input<T>(in.elements);
  Random random(uint64_t(count) + 11);
  fill(data, in.elements, random, range);
  a.in = data + in.origin;
  int64_t kept = 1;
  for (int64_t n : s.kept) kept *= n;
  a.out = c.output<Result>(kept, tolerance);
  a.param = r.op == FD_REDUCE_VAR && count > 1 ? 1 : 0;
  if (r.op == FD_REDUCE_VAR)
    a.second = c.output<T>(kept, is_floating<T> ? within(2, kSumEpsilons * epsilon<T> * magnitude) : kBits);
  if (r.op == FD_REDUCE_ARGMAX || r.op == FD_REDUCE_ARGMIN) a.second = c.output<T>(kept, kValue);
  c.check(r.t.reference.reduce.reduce[r.op][r.dtype], r.t.candidate.reduce.reduce[r.op][r.dtype], a, s.large);
}

// What to fill with, so that the tolerances above mean something: products stay near 1, extremes meet ties and NaN.
template <class T>
std::vector<Range> ranges(int op) {
  if (is_bool<T>) return {{0, 1, Specials::none}};
  if (is_integer<T>) return {{-9, 9, Specials::all}};
  switch (op) {
    case FD_REDUCE_PROD:
      return {{0.9, 1.1, Specials::none}};
    case FD_REDUCE_VAR:
      return {{-3, 3, Specials::none}, {1000, 1003, Specials::none}};
    case FD_REDUCE_SUM:
    case FD_REDUCE_MEAN:
    case FD_REDUCE_NORM1:
    case FD_REDUCE_NORM2:
      return {{-2, 3, Specials::none}};
    case FD_REDUCE_LOGSUMEXP:
      return {{-30, 30, Specials::none}, {500, 600, Specials::none}};
    default:
      return {{-3, 3, Specials::none}, {-3, 3, Specials::all}};
  }
}

// A lone NaN or infinity anywhere must show in the result.
template <class T, class Result>
void check_one_special(const Reduction& r, T special) {
  for (int64_t n : {1, 5, 16, 40, 100}) {
    for (int64_t at = 0; at < n; at += n > 20 ? 7 : 1) {
      Case c(text(r.t.isa, " reduce ", r.name, " ", DType(r.dtype)), text(double(special), " at ", at, " of ", n));
      fd_reduce a = {};
      a.reduced_ndim = 1;
      a.reduced_size[0] = n;
      a.reduced_stride[0] = 1;
      T* const data = c.input<T>(n);
      for (int64_t i = 0; i < n; i++) data[i] = i == at ? special : T(1);
      a.in = data;
      a.out = c.output<Result>(1, is_floating<Result> ? within(4) : kBits);
      c.check(r.t.reference.reduce.reduce[r.op][r.dtype], r.t.candidate.reduce.reduce[r.op][r.dtype], a);
    }
  }
}

template <class T, class Result>
void test_op(const Tables& t, int op, const char* name, fd_dtype dtype) {
  const Reduction r{t, op, name, dtype};
  if (!report().wanted(text(t.isa, " reduce ", name, " ", DType(dtype)))) return;
  if (!differs(t, t.candidate.reduce.reduce[op][dtype], t.below.reduce.reduce[op][dtype])) return;
  static const std::vector<Space> all = spaces();
  for (const Range& range : ranges<T>(op))
    for (const Space& s : all)
      if (!(empty(s) && of_extremes(op))) check_reduce<T, Result>(r, s, range);
  if constexpr (is_floating<T>)
    for (double special : {double(NAN), HUGE_VAL, -HUGE_VAL, -0.0}) check_one_special<T, Result>(r, T(special));
}

template <class T>
void test_dtype(const Tables& t, int op, const char* name, fd_dtype dtype) {
  switch (op) {
    case FD_REDUCE_SUM:
    case FD_REDUCE_PROD:
      return test_op<T, std::conditional_t<is_floating<T>, T, int64_t>>(t, op, name, dtype);
    case FD_REDUCE_ARGMAX:
    case FD_REDUCE_ARGMIN:
    case FD_REDUCE_COUNT_NONZERO:
      return test_op<T, int64_t>(t, op, name, dtype);
    case FD_REDUCE_ANY:
    case FD_REDUCE_ALL:
      return test_op<T, bool>(t, op, name, dtype);
    default:
      return test_op<T, T>(t, op, name, dtype);
  }
}

template <class T>
void check_scan(const Tables& t, int op, const std::string& title, fd_dtype dtype, fd_scan shape, bool in_place) {
  const bool extremes = op == FD_SCAN_CUMMAX || op == FD_SCAN_CUMMIN;
  const int64_t n = shape.outer * shape.size * shape.inner;
  Tolerance tolerance = kBits;
  Range range{-2, 3, extremes ? Specials::all : Specials::none};
  if (is_floating<T> && extremes) tolerance = kValue;
  if (is_floating<T> && op == FD_SCAN_CUMSUM) tolerance = within(2, kSumEpsilons * epsilon<T> * 3 * shape.size);
  if (is_floating<T> && op == FD_SCAN_CUMPROD) tolerance = within(2 + 1.5 * double(shape.size)), range = {0.9, 1.1};
  if (is_floating<T> && op == FD_SCAN_CUMPROD) range.specials = Specials::none;
  if (is_floating<T> && op == FD_SCAN_LOGCUMSUMEXP) tolerance = within(8, (8 + double(shape.size)) * epsilon<T>);
  Case c(title, text(shape.outer, "x", shape.size, "x", shape.inner, in_place ? " in place" : ""));
  Random random(5);
  T* const out = c.output<T>(n, tolerance);
  shape.out = out;
  shape.in = out;
  if (in_place) {
    fill(out, n, random, range);
  } else {
    T* const in = c.input<T>(n);
    fill(in, n, random, range);
    shape.in = in;
  }
  if (extremes) shape.indices = c.output<int64_t>(n, kBits);
  c.check(t.reference.reduce.scan[op][dtype], t.candidate.reduce.scan[op][dtype], shape, n > 2000);
}

template <class T>
void test_scan_op(const Tables& t, int op, const char* name, fd_dtype dtype) {
  const std::string title = text(t.isa, " scan ", name, " ", DType(dtype));
  if (!differs(t, t.candidate.reduce.scan[op][dtype], t.below.reduce.scan[op][dtype])) return;
  if (!report().wanted(title)) return;
  for (bool in_place : {false, true}) {
    for (int64_t n : kSizes) {
      check_scan<T>(t, op, title, dtype, {1, n, 1, nullptr, nullptr, nullptr}, in_place);
      check_scan<T>(t, op, title, dtype, {3, 5, n, nullptr, nullptr, nullptr}, in_place);
      check_scan<T>(t, op, title, dtype, {3, n, 2, nullptr, nullptr, nullptr}, in_place);
    }
    check_scan<T>(t, op, title, dtype, {300, 120, 1, nullptr, nullptr, nullptr}, in_place);
    check_scan<T>(t, op, title, dtype, {2, 100, 200, nullptr, nullptr, nullptr}, in_place);
    check_scan<T>(t, op, title, dtype, {1, 70000, 1, nullptr, nullptr, nullptr}, in_place);
  }
}

}  // namespace

void test_reduce(const Tables& t) {
  for_each_dtype([&]<class T>(fd_dtype dtype) {
    if constexpr (!is_half<T>) {
#define FD_TEST(OP, name) test_dtype<T>(t, FD_REDUCE_##OP, #name, dtype);
      FD_REDUCE_OPS(FD_TEST)
#undef FD_TEST
    }
  });
}

void test_scan(const Tables& t) {
  for_each_dtype([&]<class T>(fd_dtype dtype) {
    if constexpr (!is_half<T>) {
#define FD_TEST(OP, name) test_scan_op<T>(t, FD_SCAN_##OP, #name, dtype);
      FD_SCAN_OPS(FD_TEST)
#undef FD_TEST
    }
  });
}

}  // namespace fd::native
