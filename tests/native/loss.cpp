// The elementwise losses: each element's value, the scaled sum, the gradient, with every output left out in turn.
#include "families.h"
#include "values.h"

namespace fd::native {
namespace {

struct Inputs {
  Range pred, target;
  std::vector<double> params;
};

Inputs inputs_of(int op) {
  constexpr Specials none = Specials::none;
  switch (op) {
    case FD_LOSS_HUBER:
      return {{-3, 3, none}, {-3, 3, none}, {1, 0.5}};
    case FD_LOSS_SMOOTH_L1:
      return {{-3, 3, none}, {-3, 3, none}, {1, 0.5, 0}};
    case FD_LOSS_KL:
      return {{-5, 0, none}, {0, 1, none}, {0}};
    case FD_LOSS_BCE:
      return {{0.001, 0.999, none}, {0, 1, none}, {0}};
    case FD_LOSS_BCE_LOGITS:
      return {{-60, 60, none}, {0, 1, none}, {0}};
    default:
      return {{-3, 3, none}, {-3, 3, none}, {0}};
  }
}

enum Wanted { each = 1, total = 2, grad = 4, in_place = 8 };

template <class T>
void check_loss(const Tables& t, int op, const std::string& title, fd_dtype dtype, int64_t n, double param,
                int wanted) {
  const Inputs in = inputs_of(op);
  Case c(title, text(n, " elements, parameter ", param, ", outputs ", wanted));
  Random random(uint64_t(n) + 3);
  fd_loss l = {};
  l.n = n;
  l.param = param;
  l.scale = n ? 1 / double(n) : 1;
  const Tolerance gradient = within(4, 8 * epsilon<T> * l.scale);
  T* const pred = wanted & in_place ? c.output<T>(n, gradient) : c.input<T>(n);
  T* const target = c.input<T>(n);
  fill(pred, n, random, in.pred);
  fill(target, n, random, in.target);
  for (int64_t i = 0; i < n; i += 5) target[i] = op >= FD_LOSS_KL ? T(i % 2) : pred[i];
  if (op == FD_LOSS_BCE && n > 3) pred[n - 1] = 0, pred[n - 2] = 1;  // clamped logarithms
  l.pred = pred;
  l.target = target;
  if (wanted & each) l.each = c.output<T>(n, within(8, 16 * epsilon<T>));
  if (wanted & total) l.total = c.output<T>(1, within(8, 16 * epsilon<T>));
  if (wanted & in_place)
    l.grad = pred;
  else if (wanted & grad)
    l.grad = c.output<T>(n, gradient);
  c.check(t.reference.softmax.loss[op][dtype], t.candidate.softmax.loss[op][dtype], l, n > 2000);
}

template <class T>
void test_op(const Tables& t, int op, const char* name, fd_dtype dtype) {
  const std::string title = text(t.isa, " loss ", name, " ", DType(dtype));
  if (!report().wanted(title)) return;
  if (!differs(t, t.candidate.softmax.loss[op][dtype], t.below.softmax.loss[op][dtype])) return;
  for (double param : inputs_of(op).params) {
    for (int64_t n : kSizes) check_loss<T>(t, op, title, dtype, n, param, each | total | grad);
    for (int wanted : {0, 1, 2, 3, 4, 5, 6, 7, 10, 11}) check_loss<T>(t, op, title, dtype, 53, param, wanted);
    check_loss<T>(t, op, title, dtype, 60001, param, each | total | grad);
    check_loss<T>(t, op, title, dtype, 60001, param, total | in_place);
  }
}

}  // namespace

void test_loss(const Tables& t) {
  for_each_floating([&]<class T>(fd_dtype dtype) {
#define FD_TEST(OP, name) test_op<T>(t, FD_LOSS_##OP, #name, dtype);
    FD_LOSS_OPS(FD_TEST)
#undef FD_TEST
  });
}

}  // namespace fd::native
