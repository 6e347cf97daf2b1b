// Elementwise losses of a prediction p and a target t: each element's loss, their sum, and the gradient with respect
// to p. kernels.h states the formulas; `slope` below is each one's derivative.
#include "kernels/reference/element.h"
#include "kernels/reference/sum.h"
#include "kernels/reference/table.h"

namespace fd::reference {
namespace {

struct LossAt {
  double value, slope;
};

double sign(double d) { return d > 0 ? 1 : d < 0 ? -1 : d; }

LossAt squared(double p, double t, double) {
  const double d = p - t;
  return {d * d, 2 * d};
}

LossAt l1(double p, double t, double) {
  const double d = p - t;
  return {std::fabs(d), sign(d)};
}

LossAt huber(double p, double t, double delta) {
  const double d = p - t;
  if (std::fabs(d) <= delta) return {0.5 * d * d, d};
  return {delta * (std::fabs(d) - 0.5 * delta), delta * sign(d)};
}

LossAt smooth_l1(double p, double t, double beta) {
  const double d = p - t;
  if (std::fabs(d) < beta) return {0.5 * d * d / beta, d / beta};
  return {std::fabs(d) - 0.5 * beta, sign(d)};
}

LossAt kl(double p, double t, double) {
  if (t == 0) return {0, 0};
  return {t * (std::log(t) - p), -t};
}

double at_least(double x, double least) { return x < least ? least : x; }  // keeps NaN

// The slope's denominator p (1 - p) is kept from 0, where the clamped logarithms have no derivative.
LossAt bce(double p, double t, double) {
  const double log_p = at_least(std::log(p), -100), log_q = at_least(std::log1p(-p), -100);
  return {-t * log_p - (1 - t) * log_q, (p - t) / at_least(p * (1 - p), 1e-12)};
}

LossAt bce_logits(double x, double t, double) {
  return {(x > 0 ? x : 0) - x * t + std::log1p(std::exp(-std::fabs(x))), logistic(x) - t};
}

template <class T, auto Loss>
fd_status loss(fd_context*, const fd_loss* l) {
  const T* const pred = static_cast<const T*>(l->pred);
  const T* const target = static_cast<const T*>(l->target);
  Sum total;
  for (int64_t i = 0; i < l->n; i++) {
    const LossAt at = Loss(pred[i], target[i], l->param);
    total += at.value;
    if (l->each) static_cast<T*>(l->each)[i] = static_cast<T>(at.value);
    if (l->grad) static_cast<T*>(l->grad)[i] = static_cast<T>(l->scale * at.slope);
  }
  if (l->total) *static_cast<T*>(l->total) = static_cast<T>(l->scale * total);
  return FD_OK;
}

}  // namespace

void fill_loss(fd_kernels* table) {
  auto& k = table->softmax.loss;
#define FD_FILL(OP, name)                      \
  k[FD_LOSS_##OP][FD_F32] = loss<float, name>; \
  k[FD_LOSS_##OP][FD_F64] = loss<double, name>;
  FD_LOSS_OPS(FD_FILL)
#undef FD_FILL
}

}  // namespace fd::reference
