// Max and average pooling and their gradients. Maxima and positions are exact, NaN and infinities among them; averages
// may be off by what rounding each addition costs.
#include "families.h"
#include "values.h"

namespace fd::native {
namespace {

struct Setting {
  int64_t planes, in[3], kernel[3], stride[3] = {1, 1, 1}, pad[3] = {0, 0, 0}, dilation[3] = {1, 1, 1};
  bool ceil = false, include_pad = false;
  int64_t divisor = 0;
  bool adaptive = false;  // kernel is the output size
};

int64_t volume(const int64_t (&size)[3]) { return size[0] * size[1] * size[2]; }

fd_pool geometry(const Setting& s) {
  fd_pool v = {};
  v.planes = s.planes, v.adaptive = s.adaptive, v.include_pad = s.include_pad, v.divisor = s.divisor;
  for (int d = 0; d < 3; d++) {
    v.in[d] = s.in[d], v.kernel[d] = s.kernel[d], v.stride[d] = s.stride[d], v.pad[d] = s.pad[d];
    v.dilation[d] = s.dilation[d];
    if (s.adaptive) {
      v.out[d] = s.kernel[d];
      continue;
    }
    const int64_t room = s.in[d] + 2 * s.pad[d] - s.dilation[d] * (s.kernel[d] - 1) - 1;
    v.out[d] = (room + (s.ceil ? s.stride[d] - 1 : 0)) / s.stride[d] + 1;
    if (s.ceil && (v.out[d] - 1) * s.stride[d] >= s.in[d] + s.pad[d]) v.out[d]--;
  }
  return v;
}

std::string describe(const Setting& s) {
  const auto three = [](const int64_t (&x)[3]) { return text(x[0], "x", x[1], "x", x[2]); };
  return text(s.planes, " planes ", three(s.in), s.adaptive ? " adaptive " : " kernel ", three(s.kernel), " stride ",
              three(s.stride), " pad ", three(s.pad), " dilation ", three(s.dilation), s.ceil ? " ceil" : "",
              s.include_pad ? " with pad" : "", " divisor ", s.divisor);
}

template <class T>
void check_max(const Tables& t, const std::string& title, fd_dtype dtype, const Setting& s, bool indices) {
  Case c(title, describe(s));
  Random random(uint64_t(s.planes * 7 + volume(s.in)));
  fd_pool v = geometry(s);
  const int64_t in = s.planes * volume(v.in), out = s.planes * volume(v.out);
  T* const x = c.input<T>(in);
  fill(x, in, random);
  for (int64_t i = 0; i < in; i += 3) x[i] = T(int64_t(random.below(4)));  // equals
  v.x = x;
  v.y = c.output<T>(out, kValue);
  if (indices) v.indices = c.output<int64_t>(out, kBits);
  c.check(t.reference.pool.max[dtype], t.candidate.pool.max[dtype], v, in > 40000);
}

template <class T>
void check_max_backward(const Tables& t, const std::string& title, fd_dtype dtype, const Setting& s) {
  Case c(title, describe(s));
  Random random(uint64_t(s.planes * 7 + volume(s.in)));
  fd_pool v = geometry(s);
  const int64_t in = volume(v.in), out = s.planes * volume(v.out);
  T* const gy = c.input<T>(out);
  fill(gy, out, random, {-1, 1, Specials::none});
  v.gy = gy;
  v.indices = c.input<int64_t>(out);
  for (int64_t i = 0; i < out; i++) v.indices[i] = random.below(in);
  v.gx = c.output<T>(s.planes * in, within(8, 64 * epsilon<T>));
  c.check(t.reference.pool.max_backward[dtype], t.candidate.pool.max_backward[dtype], v, out > 40000);
}

template <class T>
void check_avg(const Tables& t, const std::string& title, fd_dtype dtype, const Setting& s, bool backward) {
  Case c(title, describe(s));
  Random random(uint64_t(s.planes * 5 + volume(s.in)));
  fd_pool v = geometry(s);
  const int64_t in = s.planes * volume(v.in), out = s.planes * volume(v.out);
  T* const from = c.input<T>(backward ? out : in);
  fill(from, backward ? out : in, random, {-1, 1, Specials::none});
  T* const to = c.output<T>(backward ? in : out, within(8, 64 * epsilon<T>));
  if (backward) {
    v.gy = from, v.gx = to;
    c.check(t.reference.pool.avg_backward[dtype], t.candidate.pool.avg_backward[dtype], v, in > 40000);
  } else {
    v.x = from, v.y = to;
    c.check(t.reference.pool.avg[dtype], t.candidate.pool.avg[dtype], v, in > 40000);
  }
}

std::vector<Setting> settings() {
  std::vector<Setting> all = {
      {12, {1, 28, 28}, {1, 2, 2}, {1, 2, 2}},
      {70, {1, 28, 28}, {1, 2, 2}, {1, 2, 2}},
      {12, {1, 10, 10}, {1, 2, 2}, {1, 2, 2}},
      {5, {1, 33, 71}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}},
      {5, {1, 12, 70}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
      {3, {1, 9, 40}, {1, 3, 5}, {1, 3, 3}},
      {3, {1, 7, 7}, {1, 7, 7}, {1, 7, 7}},
      {3, {1, 20, 23}, {1, 3, 2}, {1, 2, 2}, {0, 1, 1}, {1, 1, 1}, true},
      {3, {1, 20, 23}, {1, 3, 2}, {1, 2, 3}, {0, 1, 1}, {1, 1, 1}, true, true},
      {3, {1, 6, 80}, {1, 2, 3}, {1, 1, 2}, {0, 0, 1}, {1, 1, 1}, false, true, 5},
      {4, {6, 8, 10}, {2, 2, 2}, {2, 2, 2}},
      {4, {5, 9, 40}, {3, 3, 3}, {2, 1, 2}, {1, 1, 1}},
      {4, {1, 1, 50}, {1, 1, 4}, {1, 1, 4}},
      {2, {1, 1, 1}, {1, 1, 1}},
      {0, {1, 8, 8}, {1, 2, 2}, {1, 2, 2}},
  };
  for (const auto& [rows, columns] : {std::pair{1, 1}, {2, 3}, {5, 7}, {10, 14}, {11, 15}})
    all.push_back({3, {1, 10, 14}, {1, rows, columns}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}, false, false, 0, true});
  Random random(5);
  for (int i = 0; i < 60; i++) {
    Setting s = {1 + random.below(4), {1, 1, 1}, {1, 1, 1}};
    for (int d = random.below(4) ? 1 : 0; d < 3; d++) {
      s.kernel[d] = 1 + random.below(4);
      s.stride[d] = 1 + random.below(3);
      s.pad[d] = random.below(s.kernel[d] / 2 + 1);
      s.in[d] = s.kernel[d] + random.below(d == 2 ? 40 : 8);
    }
    s.ceil = random.below(2), s.include_pad = random.below(2);
    all.push_back(s);
  }
  return all;
}

}  // namespace

void test_pooling(const Tables& t) {
  std::vector<Setting> dilated;
  for (Setting s : settings()) {
    if (s.adaptive || s.in[2] < 12) continue;
    s.dilation[2] = 2, s.kernel[2] = 3, s.pad[2] = 1, s.ceil = false;
    dilated.push_back(s);
  }
  for_each_floating([&]<class T>(fd_dtype dtype) {
    if (!differs(t, t.candidate.pool.max[dtype], t.below.pool.max[dtype])) return;
    const auto each = [&](const char* entry, const std::vector<Setting>& all, auto check) {
      const std::string title = text(t.isa, " pooling ", entry, " ", DType(dtype));
      if (report().wanted(title))
        for (const Setting& s : all) check(title, s);
    };
    const auto maximum = [&](const std::string& title, const Setting& s) {
      for (bool indices : {true, false}) check_max<T>(t, title, dtype, s, indices);
    };
    each("max", settings(), maximum);
    each("max", dilated, maximum);
    each("max_backward", settings(),
         [&](const std::string& title, const Setting& s) { check_max_backward<T>(t, title, dtype, s); });
    for (bool backward : {false, true})
      each(backward ? "avg_backward" : "avg", settings(),
           [&](const std::string& title, const Setting& s) { check_avg<T>(t, title, dtype, s, backward); });
  });
}

}  // namespace fd::native
