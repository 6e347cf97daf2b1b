// gemm: shapes around tile edges, all transposes, strides wider than the rows, batches, epilogues.
//
// A sum of k products of numbers in [-1, 1] may be off by epsilon (2 + sqrt(k)) sum |a| |b|, here with k/4 for that sum
// of magnitudes: errors of k roundings add up like a random walk. Activations and gates only shrink them.
#include "families.h"
#include "values.h"

namespace fd::native {
namespace {

struct Problem {
  int64_t m, n, k, batch = 1;
  bool trans_a = false, trans_b = false, accumulate = false, bias = false;
  int activation = FD_ACT_NONE, gate = -1;  // gate: an activation, or none
  int64_t pad = 0;                          // columns between rows
  bool shared_a = false, shared_b = false, same = false;
  bool nan = false;
};

std::string describe(const Problem& p) {
  return text(p.m, "x", p.n, "x", p.k, " batch ", p.batch, p.trans_a ? " A^T" : "", p.trans_b ? " B^T" : "",
              p.accumulate ? " accumulate" : "", p.bias ? " bias" : "", " act ", p.activation, " gate ", p.gate,
              " pad ", p.pad, p.shared_a ? " shared A" : "", p.shared_b ? " shared B" : "", p.same ? " A is B" : "",
              p.nan ? " NaN and inf" : "");
}

template <class T>
void check_gemm(const Tables& t, const std::string& title, fd_dtype dtype, const Problem& p) {
  Case c(title, describe(p));
  Random random(uint64_t(p.m * 1000003 + p.n * 1009 + p.k));
  const Range range{-1, 1, Specials::none};
  fd_gemm g = {};
  g.m = p.m, g.n = p.n, g.k = p.k, g.batch = p.batch;
  g.trans_a = p.trans_a, g.trans_b = p.trans_b, g.accumulate = p.accumulate, g.activation = p.activation;
  g.lda = (p.trans_a ? p.m : p.k) + p.pad;
  g.ldb = (p.trans_b ? p.k : p.n) + p.pad;
  g.ldc = p.n + p.pad;
  // The last row ends where the operand ends: nothing may be read or written behind it.
  const auto span = [](int64_t rows, int64_t columns, int64_t stride) {
    return rows && columns ? (rows - 1) * stride + columns : 0;
  };
  const int64_t a_span = p.trans_a ? span(p.k, p.m, g.lda) : span(p.m, p.k, g.lda);
  const int64_t b_span = p.trans_b ? span(p.n, p.k, g.ldb) : span(p.k, p.n, g.ldb);
  const int64_t c_span = span(p.m, p.n, g.ldc);
  g.batch_a = p.shared_a ? 0 : a_span + p.pad;
  g.batch_b = p.shared_b ? 0 : b_span + p.pad;
  g.batch_c = c_span + p.pad;

  T* const a = c.input<T>(a_span + (p.batch - 1) * g.batch_a);
  fill(a, a_span + (p.batch - 1) * g.batch_a, random, range);
  if (p.nan && a_span > 2) a[a_span / 2] = std::numeric_limits<T>::quiet_NaN(), a[a_span - 1] = HUGE_VAL;
  g.a = g.b = a;
  if (!p.same) {
    T* const b = c.input<T>(b_span + (p.batch - 1) * g.batch_b);
    fill(b, b_span + (p.batch - 1) * g.batch_b, random, range);
    g.b = b;
  }
  const double sum = 0.25 * double(p.k) + 2;
  const double eps = epsilon<T>;
  const int64_t c_elements = c_span ? c_span + (p.batch - 1) * g.batch_c : 0;
  T* const out = c.output<T>(c_elements, within(4, eps * (2 + std::sqrt(double(p.k))) * sum));
  fill(out, c_elements, random, range);
  g.c = out;
  if (p.bias) {
    T* const bias = c.input<T>(p.n);
    fill(bias, p.n, random, range);
    g.bias = bias;
  }
  if (p.gate >= 0) {
    g.ldgate = g.ldc;
    g.gate_activation = p.gate;
    T* const y = c.input<T>(c_elements);
    fill(y, c_elements, random, range);
    g.gate = y;
  }
  c.check(t.reference.gemm.gemm[dtype], t.candidate.gemm.gemm[dtype], g,
          double(p.m) * double(p.n) * double(p.k) * double(p.batch) > 30000);
}

// Every edge case of m, n and k alone, with a few of the others beside it.
std::vector<Problem> problems() {
  std::vector<Problem> all;
  const auto transposes = [&all](Problem p) {
    for (int bits = 0; bits < 4; bits++) {
      p.trans_a = bits & 1;
      p.trans_b = bits & 2;
      all.push_back(p);
    }
  };
  const int64_t edges[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 24, 25, 31, 32, 33, 47, 48, 49, 64, 65};
  for (int64_t e : edges) {
    transposes({e, 37, 19});
    transposes({11, e, 23});
    transposes({13, 29, e});
    transposes({e, e, e});
    transposes({1, e, 70});  // vector times matrix
    transposes({e, 1, 70});  // matrix times vector
    transposes({70, 33, e, 1, false, false, false, false, 0, -1, 3});
  }
  for (int64_t m : {0, 5})
    for (int64_t n : {0, 6})
      for (int64_t k : {0, 7}) transposes({m, n, k, 2, false, false, true, true});
  transposes({4, 5, 0});
  transposes({4, 5, 6, 0});
  for (int activation : {FD_ACT_NONE, FD_ACT_RELU, FD_ACT_SIGMOID, FD_ACT_TANH}) {
    for (int bits = 0; bits < 8; bits++) {
      Problem p{35, 50, 21};
      p.accumulate = bits & 1;
      p.bias = bits & 2;
      p.gate = bits & 4 ? activation : -1;
      p.activation = bits & 4 ? FD_ACT_NONE : activation;
      transposes(p);
      p.pad = 5;
      transposes(p);
      p.m = 1, p.pad = 0;
      transposes(p);
      p.m = 40, p.n = 10, p.k = 300;
      transposes(p);
      p.n = 1;
      transposes(p);
      p = {130, 150, 300, 1, false, false, p.accumulate, p.bias, p.activation, p.gate};
      all.push_back(p);
    }
  }
  for (bool shared_a : {false, true})
    for (bool shared_b : {false, true}) {
      Problem p{9, 20, 14, 5, false, false, false, true, FD_ACT_RELU};
      p.shared_a = shared_a, p.shared_b = shared_b, p.pad = 2;
      transposes(p);
      p.m = p.n = p.k = 40;
      transposes(p);
    }
  Problem same{24, 24, 24};
  same.same = true;
  transposes(same);
  Problem nan{33, 40, 50};
  nan.nan = true;
  transposes(nan);
  transposes({200, 210, 190});
  transposes({256, 10, 256});
  transposes({10, 256, 256});
  transposes({97, 3, 1031});
  transposes({16, 16, 5000});  // long sums: split over tasks
  transposes({1, 3000, 300});
  transposes({3000, 1, 300});
  transposes({1, 1, 20000});
  transposes({150, 200, 1100});  // several blocks of k; so large an A^T is copied
  transposes({40, 14, 1024});    // rows of A that compete for sets of the cache
  for (int64_t few : {1, 2, 3, 4, 5, 8, 9}) {
    transposes({17, few, 203});     // a short row of B, turned
    transposes({23, 270, few});     // a few terms of many sums
    transposes({1, 250, 3 * few});  // a row that stays in registers
    for (int bits = 0; bits < 8; bits++) {
      Problem p{7, 259, few, 1, false, false, (bits & 1) != 0, (bits & 2) != 0, FD_ACT_RELU};
      p.gate = bits & 4 ? FD_ACT_RELU : -1;
      p.pad = 2;
      all.push_back(p);
      p.m = 1;
      transposes(p);
      p.m = 131, p.n = 1, p.pad = 0;  // a column is a row
      transposes(p);
    }
  }
  for (int bits = 0; bits < 8; bits++) {  // few rows over a long k: in parts
    Problem p{1 + bits % 3, 131, 1031, 1, false, false, (bits & 1) != 0, (bits & 2) != 0, FD_ACT_TANH};
    p.gate = bits & 4 ? FD_ACT_RELU : -1;
    p.pad = bits % 2 * 3;
    transposes(p);
  }
  transposes({2, 64, 2048});
  all.push_back({1100, 2100, 2});  // written past the caches
  all.push_back({300, 310, 1040});
  all.push_back({256, 256, 784, 1, false, true, false, true, FD_ACT_RELU});
  return all;
}

}  // namespace

void test_gemm(const Tables& t) {
  const std::vector<Problem> all = problems();
  for_each_floating([&]<class T>(fd_dtype dtype) {
    const std::string title = text(t.isa, " gemm ", DType(dtype));
    if (!differs(t, t.candidate.gemm.gemm[dtype], t.below.gemm.gemm[dtype]) || !report().wanted(title)) return;
    for (const Problem& p : all) check_gemm<T>(t, title, dtype, p);
  });
}

}  // namespace fd::native
