// Convolution and its gradients: shapes of every path, borders, strides, dilations and groups, alone and together.
// Sums of `terms` products of numbers up to 1 may be off by what rounding each of them costs.
#include "families.h"
#include "values.h"

namespace fd::native {
namespace {

struct Setting {
  int64_t n, groups, inputs, outputs;  // channels of a group
  int64_t in[3], kernel[3];
  int64_t stride[3] = {1, 1, 1}, pad[3] = {0, 0, 0}, dilation[3] = {1, 1, 1};
  int64_t extra[3] = {0, 0, 0};  // windows beyond what the borders give, or fewer
  bool bias = true;
  int32_t activation = FD_ACT_NONE;
};

int64_t volume(const int64_t (&size)[3]) { return size[0] * size[1] * size[2]; }

fd_conv geometry(const Setting& s) {
  fd_conv v = {};
  v.n = s.n, v.groups = s.groups, v.in_channels = s.groups * s.inputs, v.out_channels = s.groups * s.outputs;
  for (int d = 0; d < 3; d++) {
    v.in[d] = s.in[d], v.kernel[d] = s.kernel[d], v.stride[d] = s.stride[d], v.pad[d] = s.pad[d];
    v.dilation[d] = s.dilation[d];
    const int64_t room = s.in[d] + 2 * s.pad[d] - s.dilation[d] * (s.kernel[d] - 1) - 1;
    v.out[d] = std::max<int64_t>(0, (room < 0 ? -1 : room / s.stride[d]) + 1 + s.extra[d]);
  }
  v.activation = s.activation;
  return v;
}

std::string describe(const Setting& s) {
  const auto three = [](const int64_t (&x)[3]) { return text(x[0], "x", x[1], "x", x[2]); };
  return text(s.n, " images, ", s.groups, " groups of ", s.inputs, " to ", s.outputs, ", in ", three(s.in), " kernel ",
              three(s.kernel), " stride ", three(s.stride), " pad ", three(s.pad), " dilation ", three(s.dilation),
              " extra ", three(s.extra), s.bias ? " bias" : "", " activation ", s.activation);
}

template <class T>
Tolerance sum_of(int64_t terms) {
  return within(8, epsilon<T> * double(16 + terms));
}

template <class T>
T* random_input(Case& c, int64_t n, Random& random) {
  T* const p = c.input<T>(n);
  fill(p, n, random, {-1, 1, Specials::none});
  return p;
}

// A shape with the sizes of its arrays.
struct Sized : fd_conv {
  int64_t x_size, y_size, w_size, taps;
  bool threads;
  explicit Sized(const Setting& s) : fd_conv(geometry(s)) {
    taps = volume(kernel);
    x_size = n * in_channels * volume(in);
    y_size = n * out_channels * volume(out);
    w_size = out_channels * s.inputs * taps;
    threads = double(y_size) * double(s.inputs * taps) > 1e5;
  }
};

template <class T>
void check_forward(const Tables& t, const std::string& title, fd_dtype dtype, const Setting& s) {
  Case c(title, describe(s));
  Sized v(s);
  Random random(uint64_t(v.x_size + 3));
  v.x = random_input<T>(c, v.x_size, random);
  v.weight = random_input<T>(c, v.w_size, random);
  if (s.bias) v.bias = random_input<T>(c, v.out_channels, random);
  v.y = c.output<T>(v.y_size, sum_of<T>(s.inputs * v.taps));
  c.check<fd_conv>(t.reference.conv.forward[dtype], t.candidate.conv.forward[dtype], v, v.threads);
}

template <class T>
void check_grad_input(const Tables& t, const std::string& title, fd_dtype dtype, const Setting& s) {
  Case c(title, describe(s));
  Sized v(s);
  Random random(uint64_t(v.x_size + 5));
  v.gy = random_input<T>(c, v.y_size, random);
  v.weight = random_input<T>(c, v.w_size, random);
  if (s.bias) v.bias = random_input<T>(c, v.in_channels, random);
  v.gx = c.output<T>(v.x_size, sum_of<T>(s.outputs * v.taps));
  c.check<fd_conv>(t.reference.conv.grad_input[dtype], t.candidate.conv.grad_input[dtype], v, v.threads);
}

template <class T>
void check_grad_weight(const Tables& t, const std::string& title, fd_dtype dtype, const Setting& s) {
  Case c(title, describe(s));
  Sized v(s);
  Random random(uint64_t(v.x_size + 7));
  v.gy = random_input<T>(c, v.y_size, random);
  v.x = random_input<T>(c, v.x_size, random);
  const Tolerance tolerance = sum_of<T>(s.n * volume(v.out));
  v.gweight = c.output<T>(v.w_size, tolerance);
  if (s.bias) v.gbias = c.output<T>(v.out_channels, tolerance);
  c.check<fd_conv>(t.reference.conv.grad_weight[dtype], t.candidate.conv.grad_weight[dtype], v, v.threads);
}

std::vector<Setting> settings() {
  std::vector<Setting> all = {
      {2, 1, 1, 6, {1, 28, 28}, {1, 5, 5}, {1, 1, 1}, {0, 2, 2}},
      {5, 1, 6, 16, {1, 14, 14}, {1, 5, 5}},
      {2, 1, 16, 40, {1, 14, 14}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}, {1, 1, 1}, {0, 0, 0}, true, FD_ACT_RELU},
      {1, 1, 70, 33, {1, 9, 9}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
      {3, 1, 20, 24, {1, 15, 17}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}},
      {2, 1, 3, 16, {1, 33, 35}, {1, 7, 7}, {1, 2, 2}, {0, 3, 3}},
      {2, 1, 12, 20, {1, 8, 9}, {1, 1, 1}},
      {2, 1, 12, 20, {1, 8, 9}, {1, 1, 1}, {1, 2, 2}},
      {2, 1, 5, 3, {1, 40, 40}, {1, 1, 1}},
      {2, 12, 1, 1, {1, 18, 40}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
      {2, 7, 1, 2, {1, 11, 9}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}},
      {1, 3, 4, 9, {1, 10, 10}, {1, 3, 3}, {1, 1, 1}, {0, 2, 2}, {1, 2, 2}},
      {2, 1, 4, 10, {1, 20, 21}, {1, 3, 2}, {1, 3, 3}, {0, 2, 1}, {1, 2, 3}},
      {2, 1, 8, 8, {1, 1, 200}, {1, 1, 3}, {1, 1, 1}, {0, 0, 1}},
      {2, 1, 3, 17, {1, 200, 1}, {1, 4, 1}, {1, 2, 1}, {0, 1, 0}},
      {2, 1, 3, 17, {6, 7, 8}, {2, 3, 3}, {1, 1, 1}, {1, 1, 1}},
      {1, 2, 2, 4, {5, 9, 8}, {3, 2, 3}, {2, 1, 2}, {0, 1, 1}, {1, 2, 1}},
      {1, 1, 2, 8, {4, 6, 6}, {1, 1, 1}},
      {3, 1, 2, 130, {1, 5, 5}, {1, 5, 5}},
      {1, 1, 1, 1, {1, 1, 1}, {1, 1, 1}},
      {1, 1, 2, 3, {1, 30, 30}, {1, 25, 25}},
      {2, 1, 4, 8, {1, 10, 10}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}, {1, 1, 1}, {0, 1, 2}},
      {2, 1, 4, 8, {1, 10, 10}, {1, 3, 3}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}, {0, -2, -3}},
      {2, 1, 4, 8, {1, 10, 12}, {1, 3, 3}, {1, 1, 2}, {0, -1, -2}},
      {2, 1, 3, 8, {1, 9, 9}, {1, 2, 2}, {1, 3, 4}, {0, 0, 0}},
      {0, 1, 3, 8, {1, 9, 9}, {1, 2, 2}},
      {2, 1, 0, 8, {1, 9, 9}, {1, 2, 2}},
      {2, 1, 3, 8, {1, 9, 9}, {1, 2, 2}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}, {0, -20, 0}},
      {1, 1, 256, 20, {1, 4, 4}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
      {40, 1, 6, 16, {1, 14, 14}, {1, 5, 5}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}, {0, 0, 0}, false},
      {40, 1, 1, 6, {1, 28, 28}, {1, 5, 5}, {1, 1, 1}, {0, 2, 2}},
      {4, 1, 32, 48, {1, 28, 28}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
      {2, 20, 1, 1, {1, 27, 14}, {1, 3, 5}, {1, 2, 2}, {0, 1, 2}},
      {2, 3, 2, 2, {5, 9, 40}, {2, 3, 3}, {1, 1, 2}, {0, 1, 1}, {1, 2, 1}, {0, 1, 0}},
      {1, 3, 1, 2, {1, 40, 12}, {1, 3, 3}, {1, 2, 1}, {0, 3, 1}},
      // outputs fill vectors: more than a block of inputs, three dimensions, groups, strides with dilations
      {2, 1, 100, 32, {1, 7, 7}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
      {2, 1, 3, 16, {6, 7, 8}, {2, 3, 3}, {1, 2, 1}, {1, 1, 1}},
      {3, 2, 5, 32, {1, 1, 40}, {1, 1, 3}, {1, 1, 1}, {0, 0, 1}, {1, 1, 1}, {0, 0, 0}, true, FD_ACT_SIGMOID},
      {2, 3, 16, 16, {1, 9, 20}, {1, 3, 2}, {1, 1, 2}, {0, 2, 1}, {1, 2, 1}},
      {1, 1, 16, 64, {1, 19, 3}, {1, 3, 1}, {1, 2, 2}, {0, 2, 0}, {1, 2, 3}},
  };
  Setting activated = all[0];
  activated.activation = FD_ACT_SIGMOID;
  all.push_back(activated);
  activated = all[1];
  activated.activation = FD_ACT_TANH;
  all.push_back(activated);
  activated = all[9];
  activated.activation = FD_ACT_RELU;
  all.push_back(activated);
  // Any combination, drawn.
  Random random(11);
  for (int i = 0; i < 120; i++) {
    Setting s = {1 + random.below(3),  1 + random.below(3), 1 + random.below(5),
                 1 + random.below(18), {1, 1, 1},           {1, 1, 1}};
    for (int d = random.below(4) ? 1 : 0; d < 3; d++) {
      s.kernel[d] = 1 + random.below(4);
      s.stride[d] = 1 + random.below(3);
      s.dilation[d] = 1 + random.below(2);
      s.pad[d] = random.below(3);
      s.in[d] = s.dilation[d] * (s.kernel[d] - 1) + 1 + random.below(d == 2 ? 30 : 7);
    }
    s.bias = random.below(2);
    all.push_back(s);
  }
  return all;
}

}  // namespace

void test_conv(const Tables& t) {
  for_each_floating([&]<class T>(fd_dtype dtype) {
    if (!differs(t, t.candidate.conv.forward[dtype], t.below.conv.forward[dtype])) return;
    const auto each = [&](const char* entry, auto check) {
      const std::string title = text(t.isa, " conv ", entry, " ", DType(dtype));
      if (report().wanted(title))
        for (const Setting& s : settings()) check(t, title, dtype, s);
    };
    each("forward", check_forward<T>);
    each("grad_input", check_grad_input<T>);
    each("grad_weight", check_grad_weight<T>);
  });
}

}  // namespace fd::native
