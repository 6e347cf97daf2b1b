// take, put, offsets, gather, scatter, nonzero and minibatch: exact, also in what they refuse.
#include "families.h"
#include "values.h"

namespace fd::native {
namespace {

template <class Fn>
bool wanted(const Tables& t, const std::string& title, Fn* candidate, Fn* below) {
  return differs(t, candidate, below) && report().wanted(title);
}

struct Blocks {
  int64_t n, inner, rows;
};
constexpr Blocks kBlocks[] = {{0, 3, 4},     {1, 1, 1},         {5, 0, 4},     {7, 1, 20},      {33, 1, 9},
                              {100, 3, 50},  {20, 8, 6},        {20, 17, 30},  {9, 100, 12},    {64, 64, 7},
                              {5000, 1, 99}, {6000, 1, 100000}, {300, 30, 40}, {900, 90, 1000}, {3, 20000, 4}};

template <class T>
void test_take(const Tables& t, fd_dtype dtype) {
  const std::string title = text(t.isa, " index take ", DType(dtype));
  if (!wanted(t, title, t.candidate.index.take[dtype], t.below.index.take[dtype])) return;
  for (const Blocks& b : kBlocks) {
    Case c(title, text(b.n, " blocks of ", b.inner, " from ", b.rows));
    Random random(3);
    T* const in = c.input<T>(b.rows * b.inner);
    int64_t* const offsets = c.input<int64_t>(b.n);
    fill(in, b.rows * b.inner, random);
    for (int64_t i = 0; i < b.n; i++) offsets[i] = random.below(b.rows) * b.inner;
    const fd_take a{b.n, b.inner, offsets, in, c.output<T>(b.n * b.inner, kBits), {}, 0, 0};
    c.check(t.reference.index.take[dtype], t.candidate.index.take[dtype], a, b.n * b.inner > 2000);
  }
}

template <class T>
void test_put(const Tables& t, fd_dtype dtype) {
  const std::string title = text(t.isa, " index put ", DType(dtype));
  if (!wanted(t, title, t.candidate.index.put[dtype], t.below.index.put[dtype])) return;
  for (bool accumulate : {false, true}) {
    if (accumulate && (is_half<T> || is_bool<T>)) continue;
    for (bool scalar : {false, true})
      for (const Blocks& b : kBlocks) {
        Case c(title, text(b.n, " blocks of ", b.inner, " into ", b.rows, accumulate ? " accumulate" : "",
                           scalar ? " scalar" : ""));
        Random random(4);
        // Sums run in the order of i, in T: every bit is determined.
        T* const out = c.output<T>(b.rows * b.inner, kBits);
        fill(out, b.rows * b.inner, random, {-3, 3, Specials::none});
        int64_t* const offsets = c.input<int64_t>(b.n);
        for (int64_t i = 0; i < b.n; i++) offsets[i] = random.below(b.rows) * b.inner;
        fd_take a{b.n, b.inner, offsets, nullptr, out, scalar_of(dtype, 1), accumulate, 0};
        if (!scalar) {
          T* const in = c.input<T>(b.n * b.inner);
          fill(in, b.n * b.inner, random, {-3, 3, Specials::none});
          a.in = in;
        }
        c.check(t.reference.index.put[dtype], t.candidate.index.put[dtype], a, b.n * b.inner > 2000);
      }
  }
}

void test_offsets(const Tables& t) {
  const std::string title = text(t.isa, " index offsets");
  if (!wanted(t, title, t.candidate.index.offsets, t.below.index.offsets)) return;
  for (int64_t n : {0, 1, 7, 8, 9, 33, 1000, 20000})
    for (bool first : {false, true})
      for (int bad = 0; bad < 4; bad++) {
        Case c(title, text(n, first ? " first" : " added", ", ", bad, " bad"));
        Random random(5);
        int64_t* const index = c.input<int64_t>(n);
        for (int64_t i = 0; i < n; i++) index[i] = random.below(100) - 50;
        for (int64_t k = 0; k < bad && n; k++) index[n - 1 - k * n / 4] = k % 2 ? -51 : 50 + k * 1000000;
        const fd_offsets a{n, index, 50, 7, c.output<int64_t>(n, kBits), first, 0};
        c.check(t.reference.index.offsets, t.candidate.index.offsets, a, n > 500);
      }
}

struct Lines {
  int64_t outer, size, inner, extent;
};
constexpr Lines kLines[] = {{1, 0, 1, 5},     {1, 9, 1, 4},      {3, 5, 1, 7},    {2, 4, 3, 6},
                            {5, 1, 17, 9},    {0, 4, 3, 2},      {256, 1, 1, 10}, {64, 10, 1, 10},
                            {20, 30, 40, 10}, {1, 20000, 1, 33}, {3000, 2, 1, 5}};

template <class T>
void check_gather(const Tables& t, const std::string& title, fd_dtype dtype, const Lines& l, int bad) {
  const int64_t n = l.outer * l.size * l.inner, source = l.outer * l.extent * l.inner;
  Case c(title, text(l.outer, "x", l.size, "x", l.inner, " of ", l.extent, ", ", bad, " bad"));
  Random random(6);
  int64_t* const index = c.input<int64_t>(n);
  for (int64_t i = 0; i < n; i++) index[i] = random.below(l.extent);
  for (int k = 0; k < bad && n; k++) index[(k + 1) * n / 4] = k % 2 ? -1 : l.extent;
  T* const in = c.input<T>(source);
  fill(in, source, random);
  const fd_gather a{l.outer, l.size, l.inner, l.extent, index, in, c.output<T>(n, kBits), {}, 0, 0};
  c.check(t.reference.index.gather[dtype], t.candidate.index.gather[dtype], a, n > 500);
}

template <class T>
void check_scatter(const Tables& t, const std::string& title, fd_dtype dtype, const Lines& l, int mode, bool scalar,
                   int bad) {
  const int64_t n = l.outer * l.size * l.inner, target = l.outer * l.extent * l.inner;
  Case c(title, text(l.outer, "x", l.size, "x", l.inner, " into ", l.extent, " mode ", mode, scalar ? " scalar" : "",
                     ", ", bad, " bad"));
  Random random(7);
  T* const out = c.output<T>(target, mode == FD_SCATTER_SET ? kBits : kValue);
  fill(out, target, random, {-2, 2, Specials::none});
  int64_t* const index = c.input<int64_t>(n);
  for (int64_t i = 0; i < n; i++) index[i] = random.below(l.extent);
  for (int k = 0; k < bad && n; k++) index[(k + 1) * n / 4] = k % 2 ? -1 : l.extent;
  fd_gather a{l.outer, l.size, l.inner, l.extent, index, nullptr, out, scalar_of(dtype, 1), mode, 0};
  if (!scalar) {
    T* const in = c.input<T>(n);
    fill(in, n, random, {-2, 2, mode >= FD_SCATTER_MAX ? Specials::all : Specials::none});
    a.in = in;
  }
  c.check(t.reference.index.scatter[dtype], t.candidate.index.scatter[dtype], a, n > 500);
}

template <class T>
void test_lines(const Tables& t, fd_dtype dtype) {
  const std::string gather = text(t.isa, " index gather ", DType(dtype));
  if (wanted(t, gather, t.candidate.index.gather[dtype], t.below.index.gather[dtype]))
    for (const Lines& l : kLines)
      for (int bad = 0; bad < 4; bad++) check_gather<T>(t, gather, dtype, l, bad);
  const std::string scatter = text(t.isa, " index scatter ", DType(dtype));
  if (!wanted(t, scatter, t.candidate.index.scatter[dtype], t.below.index.scatter[dtype])) return;
  const int modes = is_half<T> || is_bool<T> ? FD_SCATTER_SET : FD_SCATTER_MIN;
  for (const Lines& l : kLines)
    for (int mode = 0; mode <= modes; mode++) {
      for (bool scalar : {false, true}) check_scatter<T>(t, scatter, dtype, l, mode, scalar, 0);
      check_scatter<T>(t, scatter, dtype, l, mode, false, 2);
    }
}

template <class T>
T nonzero_value(int64_t i) {
  if constexpr (is_floating<T>)
    return i % 7 ? std::numeric_limits<T>::denorm_min() : std::numeric_limits<T>::quiet_NaN();
  else
    return std::numeric_limits<T>::max();
}

template <class T>
void test_nonzero(const Tables& t, fd_dtype dtype) {
  const std::string title = text(t.isa, " index nonzero ", DType(dtype));
  if (!wanted(t, title, t.candidate.index.nonzero[dtype], t.below.index.nonzero[dtype])) return;
  for (int64_t n : {0, 1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 200, 5000, 70000})
    for (int of : {1, 2, 50, 0})
      for (bool only_count : {false, true}) {
        Case c(title, text(n, " elements, one nonzero in ", of, only_count ? ", count only" : ""));
        Random random(8);
        T* const in = c.input<T>(n);
        int64_t count = 0;
        for (int64_t i = 0; i < n; i++) {
          in[i] = of && random.below(of) == 0 ? nonzero_value<T>(i) : is_floating<T> && i % 3 ? T(-0.0) : T(0);
          count += in[i] != T(0);
        }
        const fd_nonzero a{n, in, only_count ? nullptr : c.output<int64_t>(count, kBits), c.output<int64_t>(1, kBits)};
        c.check(t.reference.index.nonzero[dtype], t.candidate.index.nonzero[dtype], a, n > 500);
      }
}

template <class T>
void test_minibatch(const Tables& t, fd_dtype dtype) {
  const std::string title = text(t.isa, " index minibatch ", DType(dtype));
  if (!wanted(t, title, t.candidate.index.minibatch[dtype], t.below.index.minibatch[dtype])) return;
  for (const Blocks& b :
       {Blocks{0, 5, 3}, {4, 0, 3}, {1, 1, 1}, {5, 7, 9}, {16, 64, 20}, {9, 65, 4}, {3, 31, 2}, {40, 784, 60}})
    for (int bad = 0; bad < 3; bad++) {
      Case c(title, text(b.n, " rows of ", b.inner, " from ", b.rows, ", ", bad, " bad"));
      Random random(9);
      int64_t* const rows = c.input<int64_t>(b.n);
      for (int64_t i = 0; i < b.n; i++) rows[i] = random.below(b.rows);
      for (int k = 0; k < bad && b.n; k++) rows[(k + 1) * b.n / 4] = k % 2 ? -1 : b.rows;
      uint8_t* const in = c.input<uint8_t>(b.rows * b.inner);
      fill(in, b.rows * b.inner, random, {0, 255, Specials::all});
      const fd_minibatch a{b.n,       b.inner, b.rows, rows, in, c.output<T>(b.n * b.inner, within(2, 2 * epsilon<T>)),
                           1.0 / 255, -0.5};
      c.check(t.reference.index.minibatch[dtype], t.candidate.index.minibatch[dtype], a, b.n * b.inner > 500);
    }
}

}  // namespace

void test_index(const Tables& t) {
  test_offsets(t);
  for_each_dtype([&]<class T>(fd_dtype dtype) {
    test_take<T>(t, dtype);
    test_put<T>(t, dtype);
    test_lines<T>(t, dtype);
    if constexpr (!is_half<T>) test_nonzero<T>(t, dtype);
    if constexpr (is_floating<T>) test_minibatch<T>(t, dtype);
  });
}

}  // namespace fd::native
