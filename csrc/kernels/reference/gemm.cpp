// C = act(op(A) op(B) (+ C) (+ bias)) (* act'), one row of C at a time, summed in double in the order of l.
#include "kernels/reference/element.h"
#include "kernels/reference/table.h"

namespace fd::reference {
namespace {

double activate(int32_t activation, double x) {
  switch (activation) {
    case FD_ACT_RELU:
      return x < 0 ? 0 : x;
    case FD_ACT_SIGMOID:
      return logistic(x);
    case FD_ACT_TANH:
      return std::tanh(x);
    default:
      return x;
  }
}

// An activation's derivative where it yielded y.
double activation_slope(int32_t activation, double y) {
  switch (activation) {
    case FD_ACT_RELU:
      return y <= 0 ? 0 : 1;
    case FD_ACT_SIGMOID:
      return y * (1 - y);
    case FD_ACT_TANH:
      return (1 - y) * (1 + y);
    default:
      return 1;
  }
}

// sum[j] = sum over l of a[l] op(B)(l, j)
template <class T>
void row_times_matrix(const fd_gemm& g, const double* a, const T* b, double* sum) {
  for (int64_t j = 0; j < g.n; j++) sum[j] = 0;
  if (g.trans_b) {
    for (int64_t j = 0; j < g.n; j++)
      for (int64_t l = 0; l < g.k; l++) sum[j] += a[l] * double(b[j * g.ldb + l]);
  } else {
    for (int64_t l = 0; l < g.k; l++)
      for (int64_t j = 0; j < g.n; j++) sum[j] += a[l] * double(b[l * g.ldb + j]);
  }
}

template <class T>
void store_row(const fd_gemm& g, const double* sum, const T* gate, T* c) {
  const T* bias = static_cast<const T*>(g.bias);
  for (int64_t j = 0; j < g.n; j++) {
    double x = sum[j];
    if (g.accumulate) x += c[j];
    if (bias) x += bias[j];
    x = activate(g.activation, x);
    if (gate) x *= activation_slope(g.gate_activation, gate[j]);
    c[j] = static_cast<T>(x);
  }
}

template <class T>
fd_status gemm(fd_context* context, const fd_gemm* g) {
  double* const row = static_cast<double*>(context->workspace(context, 0, (g->k + g->n) * sizeof(double)));
  if (!row) return FD_NO_MEMORY;
  double* const sum = row + g->k;
  for (int64_t p = 0; p < g->batch; p++) {
    const T* const a = static_cast<const T*>(g->a) + p * g->batch_a;
    const T* const b = static_cast<const T*>(g->b) + p * g->batch_b;
    const T* const gate = g->gate ? static_cast<const T*>(g->gate) + p * g->batch_c : nullptr;
    T* const c = static_cast<T*>(g->c) + p * g->batch_c;
    for (int64_t i = 0; i < g->m; i++) {
      for (int64_t l = 0; l < g->k; l++) row[l] = g->trans_a ? a[l * g->lda + i] : a[i * g->lda + l];
      row_times_matrix(*g, row, b, sum);
      store_row(*g, sum, gate ? gate + i * g->ldgate : nullptr, c + i * g->ldc);
    }
  }
  return FD_OK;
}

}  // namespace

void fill_gemm(fd_kernels* table) {
  table->gemm.gemm[FD_F32] = gemm<float>;
  table->gemm.gemm[FD_F64] = gemm<double>;
}

}  // namespace fd::reference
