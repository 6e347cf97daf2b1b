// SGD and Adam over groups of tensors of many sizes, for one step from a given state.
#include "families.h"
#include "values.h"

namespace fd::native {
namespace {

struct Setting {
  bool adam;
  bool momentum = true, nesterov = false, maximize = false, scaled = false, decoupled = false, amsgrad = false;
  double weight_decay = 0, dampening = 0;
  int64_t step = 3;
};

std::string describe(const Setting& s, const std::vector<int64_t>& sizes) {
  std::string shape;
  for (int64_t n : sizes) shape += text(" ", n);
  return text("step ", s.step, " sizes", shape, s.momentum ? " momentum" : "", s.nesterov ? " nesterov" : "",
              s.maximize ? " maximize" : "", s.scaled ? " scaled" : "", s.decoupled ? " decoupled" : "",
              s.amsgrad ? " amsgrad" : "", " decay ", s.weight_decay, " dampening ", s.dampening);
}

template <class T>
void check_step(const Tables& t, const std::string& title, fd_dtype dtype, const Setting& s,
                const std::vector<int64_t>& sizes) {
  Case c(title, describe(s, sizes));
  Random random(17);
  const double lr = 0.05, scale = 0.7;
  std::vector<fd_optim_tensor> tensors;
  const Range around{-1, 1, Specials::none}, positive{0.01, 1, Specials::none};
  for (int64_t n : sizes) {
    fd_optim_tensor x = {};
    x.n = n;
    T* const param = c.output<T>(n, within(2, 4 * epsilon<T>));
    T* const grad = c.input<T>(n);
    fill(param, n, random, around);
    fill(grad, n, random, around);
    x.param = param;
    x.grad = grad;
    const int states = s.adam ? 2 + s.amsgrad : s.momentum;
    for (int k = 0; k < states; k++) {
      T* const state = c.output<T>(n, within(4, 2 * epsilon<T>));
      fill(state, n, random, s.adam && k > 0 ? positive : around);
      x.state[k] = state;
    }
    tensors.push_back(x);
  }
  fd_optim o = {};
  o.count = int64_t(tensors.size());
  o.tensors = tensors.data();
  o.lr = &lr;
  o.step = &s.step;
  o.grad_scale = s.scaled ? &scale : nullptr;
  o.weight_decay = s.weight_decay;
  o.momentum = s.momentum && !s.adam ? 0.9 : 0;
  o.dampening = s.dampening;
  o.beta1 = 0.9, o.beta2 = 0.999, o.eps = 1e-8;
  o.nesterov = s.nesterov, o.maximize = s.maximize, o.decoupled = s.decoupled, o.amsgrad = s.amsgrad;
  const auto& r = t.reference.optim;
  const auto& k = t.candidate.optim;
  c.check(s.adam ? r.adam[dtype] : r.sgd[dtype], s.adam ? k.adam[dtype] : k.sgd[dtype], o, sizes.back() > 2000);
}

std::vector<Setting> settings(bool adam) {
  std::vector<Setting> all;
  for (int bits = 0; bits < 32; bits++) {
    Setting s{adam};
    s.maximize = bits & 1, s.scaled = bits & 2;
    s.weight_decay = bits & 4 ? 0.01 : 0;
    if (adam)
      s.decoupled = bits & 8, s.amsgrad = bits & 16;
    else
      s.momentum = bits & 8, s.nesterov = s.momentum && bits & 16;
    all.push_back(s);
    s.step = 1;
    all.push_back(s);
    s.step = 100000;
    if (!adam) s.dampening = 0.2;
    all.push_back(s);
  }
  return all;
}

}  // namespace

void test_optim(const Tables& t) {
  for_each_floating([&]<class T>(fd_dtype dtype) {
    for (bool adam : {false, true}) {
      const std::string title = text(t.isa, " optim ", adam ? "adam " : "sgd ", DType(dtype));
      if (!report().wanted(title)) continue;
      if (adam ? !differs(t, t.candidate.optim.adam[dtype], t.below.optim.adam[dtype])
               : !differs(t, t.candidate.optim.sgd[dtype], t.below.optim.sgd[dtype]))
        continue;
      for (const Setting& s : settings(adam)) {
        check_step<T>(t, title, dtype, s, {33});
        check_step<T>(t, title, dtype, s, {0, 1, 7, 16, 100});
        check_step<T>(t, title, dtype, s, {5, 10, 9001});
      }
      for (int64_t n : kSizes) check_step<T>(t, title, dtype, {adam}, {n});
      check_step<T>(t, title, dtype, {adam}, {10, 256, 200704});
      check_step<T>(t, title, dtype, {adam, false}, {50000, 3, 70000});
    }
  });
}

}  // namespace fd::native
