// Softmax, log-softmax and the cross-entropy of a softmax. With m = max x and s = sum_j e^(x_j - m):
//   softmax      y_j = e^(x_j - m) / s          backward  gx_j = y_j (gy_j - sum_k gy_k y_k)
//   log-softmax  y_j = x_j - m - log s          backward  gx_j = gy_j - e^(y_j) sum_k gy_k
#include "kernels/reference/element.h"
#include "kernels/reference/sum.h"
#include "kernels/reference/table.h"

namespace fd::reference {
namespace {

struct Normaliser {
  double largest = -std::numeric_limits<double>::infinity();
  Sum sum;
  double log_softmax(double x) const { return x - largest - std::log(sum); }
  double softmax(double x) const { return std::exp(x - largest) / sum; }
};

template <class T>
Normaliser normaliser(const T* x, int64_t n, int64_t stride) {
  Normaliser z;
  for (int64_t j = 0; j < n; j++)
    if (x[j * stride] > z.largest) z.largest = x[j * stride];
  for (int64_t j = 0; j < n; j++) z.sum += std::exp(x[j * stride] - z.largest);
  return z;
}

// Calls row(offset) for every line along the middle of [outer, size, inner]; its elements are `inner` apart.
template <class Row>
void for_each_line(const fd_softmax& s, Row row) {
  for (int64_t o = 0; o < s.outer; o++)
    for (int64_t i = 0; i < s.inner; i++) row(o * s.size * s.inner + i);
}

template <class T, bool Log>
fd_status softmax(fd_context*, const fd_softmax* s) {
  for_each_line(*s, [s](int64_t offset) {
    const T* const x = static_cast<const T*>(s->x) + offset;
    T* const y = static_cast<T*>(s->y) + offset;
    const Normaliser z = normaliser(x, s->size, s->inner);
    for (int64_t at = 0; at < s->size * s->inner; at += s->inner)
      y[at] = static_cast<T>(Log ? z.log_softmax(x[at]) : z.softmax(x[at]));
  });
  return FD_OK;
}

template <class T, bool Log>
fd_status softmax_backward(fd_context*, const fd_softmax* s) {
  for_each_line(*s, [s](int64_t offset) {
    const T* const y = static_cast<const T*>(s->y) + offset;
    const T* const gy = static_cast<const T*>(s->gy) + offset;
    T* const gx = static_cast<T*>(s->gx) + offset;
    const int64_t end = s->size * s->inner;
    Sum sum;
    for (int64_t at = 0; at < end; at += s->inner) sum += Log ? double(gy[at]) : double(gy[at]) * double(y[at]);
    for (int64_t at = 0; at < end; at += s->inner)
      gx[at] = static_cast<T>(Log ? gy[at] - std::exp(double(y[at])) * sum : y[at] * (gy[at] - sum));
  });
  return FD_OK;
}

// --------------------------------------------------------------------------------------------------- cross-entropy
//
// With v_j = weight_j q_j (q the smoothed target) and p = softmax(x):
//   loss = -sum_j v_j log p_j      d loss / d x_k = p_k sum_j v_j - v_k

template <class T>
struct Targets {
  const fd_cross_entropy& c;
  double weight(int64_t j) const { return c.weight ? double(static_cast<const T*>(c.weight)[j]) : 1; }
  bool ignored(int64_t row) const { return c.labels && c.labels[row] == c.ignore_index; }
  double weighted(int64_t row, int64_t j) const {
    const double target = c.soft ? double(static_cast<const T*>(c.soft)[row * c.classes + j]) : c.labels[row] == j;
    return weight(j) * ((1 - c.smoothing) * target + c.smoothing / double(c.classes));
  }
  // What a mean divides by.
  double total() const {
    if (!c.labels) return double(c.rows);
    Sum sum;
    for (int64_t r = 0; r < c.rows; r++)
      if (!ignored(r)) sum += weight(c.labels[r]);
    return sum;
  }
};

bool labels_in_range(fd_context* context, const fd_cross_entropy& c) {
  for (int64_t r = 0; c.labels && r < c.rows; r++) {
    const int64_t label = c.labels[r];
    if ((label >= 0 && label < c.classes) || label == c.ignore_index) continue;
    *context->fault = {FD_OUT_OF_RANGE, 0, r, label};
    return false;
  }
  return true;
}

// Writes scale times the row's gradient and gives its loss, unscaled.
template <class T>
double cross_entropy_row(const Targets<T>& targets, int64_t row, double scale) {
  const fd_cross_entropy& c = targets.c;
  const T* const x = static_cast<const T*>(c.logits) + row * c.row_stride;
  T* const grad = c.grad ? static_cast<T*>(c.grad) + row * c.classes : nullptr;
  if (targets.ignored(row)) {
    for (int64_t j = 0; grad && j < c.classes; j++) grad[j] = 0;
    return 0;
  }
  const Normaliser z = normaliser(x, c.classes, 1);
  Sum loss, sum;
  for (int64_t j = 0; j < c.classes; j++) {
    const double v = targets.weighted(row, j);
    if (v != 0) loss += -v * z.log_softmax(x[j]);  // an impossible class of no weight costs nothing, not 0 * inf
    sum += v;
  }
  for (int64_t j = 0; grad && j < c.classes; j++)
    grad[j] = static_cast<T>(scale * (z.softmax(x[j]) * sum - targets.weighted(row, j)));
  return loss;
}

template <class T>
fd_status cross_entropy(fd_context* context, const fd_cross_entropy* c) {
  if (!labels_in_range(context, *c)) return FD_OUT_OF_RANGE;
  const Targets<T> targets{*c};
  const double scale = c->reduction == FD_REDUCTION_MEAN ? 1 / targets.total() : 1;
  T* const loss = static_cast<T*>(c->loss);
  Sum total;
  for (int64_t r = 0; r < c->rows; r++) {
    const double one = cross_entropy_row(targets, r, scale);
    if (c->reduction == FD_REDUCTION_NONE) loss[r] = static_cast<T>(one);
    total += one;
  }
  if (c->reduction != FD_REDUCTION_NONE) *loss = static_cast<T>(scale * total);
  return FD_OK;
}

}  // namespace

void fill_softmax(fd_kernels* table) {
  fd_softmax_kernels& k = table->softmax;
  for_each_floating([&k]<class T>(fd_dtype dtype) {
    k.softmax[dtype] = softmax<T, false>;
    k.softmax_backward[dtype] = softmax_backward<T, false>;
    k.log_softmax[dtype] = softmax<T, true>;
    k.log_softmax_backward[dtype] = softmax_backward<T, true>;
    k.cross_entropy[dtype] = cross_entropy<T>;
  });
}

}  // namespace fd::reference
