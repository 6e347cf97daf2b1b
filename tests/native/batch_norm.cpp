// Batch norm, both layouts, both modes. Outputs of order 1 may be off by a few epsilons; float32 statistics around a
// large mean may cost what rounding that mean costs.
#include "families.h"
#include "values.h"

namespace fd::native {
namespace {

struct Setting {
  int64_t n, c, s;
  bool training = true, affine = true, running = true, in_place = false, parts = true;
  double mean = 0;
};

std::string describe(const Setting& s) {
  return text(s.n, "x", s.c, "x", s.s, s.training ? " training" : " evaluation", s.affine ? " affine" : "",
              s.running ? " running" : "", s.in_place ? " in place" : "", s.parts ? "" : " gx only", " mean ", s.mean);
}

template <class T>
fd_batch_norm arguments(Case& c, const Setting& s, Random& random) {
  fd_batch_norm b = {};
  b.n = s.n, b.c = s.c, b.s = s.s;
  b.momentum = 0.1, b.eps = 1e-5, b.training = s.training;
  if (s.affine) {
    T* const weight = c.input<T>(s.c);
    fill(weight, s.c, random, {0.5, 2, Specials::none});
    b.weight = weight;
    T* const bias = c.input<T>(s.c);
    fill(bias, s.c, random, {-1, 1, Specials::none});
    b.bias = bias;
  }
  return b;
}

template <class T>
void check_forward(const Tables& t, const std::string& title, fd_dtype dtype, const Setting& s) {
  Case c(title, describe(s));
  Random random(uint64_t(s.n * 7 + s.c));
  fd_batch_norm b = arguments<T>(c, s, random);
  const int64_t size = s.n * s.c * s.s;
  const Range range{s.mean - 2, s.mean + 2, Specials::none};
  const double spread = 1 + std::fabs(s.mean);
  T* const y = c.output<T>(size, within(8, 16 * epsilon<T> * spread));
  b.x = y;
  b.y = y;
  if (s.in_place) {
    fill(y, size, random, range);
  } else {
    T* const x = c.input<T>(size);
    fill(x, size, random, range);
    b.x = x;
  }
  if (s.running) {
    T* const mean = c.output<T>(s.c, within(4, 4 * epsilon<T> * spread));
    T* const var = c.output<T>(s.c, within(8, 16 * epsilon<T>));
    fill(mean, s.c, random, range);
    fill(var, s.c, random, {0.5, 2, Specials::none});
    b.running_mean = mean;
    b.running_var = var;
  }
  b.save_mean = c.output<T>(s.c, within(2, 4 * epsilon<T> * spread));
  b.save_invstd = c.output<T>(s.c, within(16));
  c.check(t.reference.batch_norm.forward[dtype], t.candidate.batch_norm.forward[dtype], b, size > 2000);
}

template <class T>
void check_backward(const Tables& t, const std::string& title, fd_dtype dtype, const Setting& s) {
  Case c(title, describe(s));
  Random random(uint64_t(s.n * 5 + s.c));
  fd_batch_norm b = arguments<T>(c, s, random);
  const int64_t size = s.n * s.c * s.s;
  const double count = double(s.n * s.s);
  T* const x = c.input<T>(size);
  fill(x, size, random, {s.mean - 2, s.mean + 2, Specials::none});
  b.x = x;
  T* const mean = c.input<T>(s.c);
  T* const invstd = c.input<T>(s.c);
  for (int64_t k = 0; k < s.c; k++) mean[k] = T(s.mean), invstd[k] = T(random.uniform(0.8, 1));
  b.save_mean = mean;
  b.save_invstd = invstd;
  T* const gx = c.output<T>(size, within(8, 32 * epsilon<T>));
  b.gx = gx;
  b.gy = gx;
  if (s.in_place) {
    fill(gx, size, random, {-1, 1, Specials::none});
  } else {
    T* const gy = c.input<T>(size);
    fill(gy, size, random, {-1, 1, Specials::none});
    b.gy = gy;
  }
  if (s.parts) {
    b.gweight = c.output<T>(s.c, within(8, 4 * epsilon<T> * (1 + count)));
    b.gbias = c.output<T>(s.c, within(8, 2 * epsilon<T> * (1 + count)));
  }
  if (!s.affine && !s.in_place) b.gx = nullptr;
  c.check(t.reference.batch_norm.backward[dtype], t.candidate.batch_norm.backward[dtype], b, size > 2000);
}

std::vector<Setting> settings(bool backward) {
  std::vector<Setting> all;
  for (int64_t e : kSizes) {
    if (e == 0) continue;
    all.push_back({6, e, 1});
    all.push_back({e + 1, 5, 1});
    all.push_back({3, 4, e + 1});
    all.push_back({2, e, 9});
  }
  for (int bits = 0; bits < 16; bits++)
    for (Setting s : {Setting{33, 20, 1}, {5, 6, 49}, {256, 256, 1}, {16, 12, 196}, {1000, 3, 1}}) {
      s.training = bits & 1, s.affine = bits & 2;
      s.running = bits & 4 || !s.training;
      s.in_place = bits & 8 && (backward || !s.training);
      s.parts = backward && bits & 4;
      all.push_back(s);
    }
  all.push_back({4096, 33, 1});
  all.push_back({64, 16, 900});
  all.push_back({0, 4, 3, false});
  if (backward) return all;
  all.push_back({500, 17, 1, true, true, true, false, true, 1000});
  all.push_back({20, 5, 81, true, true, true, false, true, -300});
  return all;
}

}  // namespace

void test_batch_norm(const Tables& t) {
  for_each_floating([&]<class T>(fd_dtype dtype) {
    const std::string forward = text(t.isa, " batch_norm forward ", DType(dtype));
    const std::string backward = text(t.isa, " batch_norm backward ", DType(dtype));
    if (report().wanted(forward) &&
        differs(t, t.candidate.batch_norm.forward[dtype], t.below.batch_norm.forward[dtype]))
      for (const Setting& s : settings(false)) check_forward<T>(t, forward, dtype, s);
    if (report().wanted(backward) &&
        differs(t, t.candidate.batch_norm.backward[dtype], t.below.batch_norm.backward[dtype]))
      for (const Setting& s : settings(true)) check_backward<T>(t, backward, dtype, s);
  });
}

}  // namespace fd::native
