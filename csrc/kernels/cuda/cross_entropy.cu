// Cross-entropy of softmax(logits) and its gradient. With v_j = weight_j q_j (q the smoothed target), p = softmax(x):
//   loss = -sum_j v_j log p_j      d loss / d x_k = p_k sum_j v_j - v_k
//
// Bound by memory: the logits are read from memory once and again from cache, the gradient is written once. Three
// launches: the labels are checked and what a mean divides by is summed, then a warp (up to 1024 classes) or a block
// takes each row, then the rows' losses are added in a fixed order.
#include "kernels/cuda/softmax_line.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

struct Plan {
  fd_cross_entropy c;
  double* scale;   // one number: what every gradient is multiplied by
  double* losses;  // [rows]
  FaultReport report;
};

__device__ inline bool counts(const fd_cross_entropy& c, int64_t row) {
  if (!c.labels) return true;
  const int64_t label = c.labels[row];
  return label != c.ignore_index && label >= 0 && label < c.classes;
}

template <class T>
__device__ double class_weight(const fd_cross_entropy& c, int64_t j) {
  return c.weight ? double(static_cast<const T*>(c.weight)[j]) : 1;
}

template <class T>
__global__ void __launch_bounds__(kThreads) scale_kernel(const __grid_constant__ Plan p) {
  const fd_cross_entropy& c = p.c;
  double total = 0;
  for (int64_t r = threadIdx.x; r < c.rows; r += kThreads) {
    if (!c.labels) {
      total += 1;
    } else if (counts(c, r)) {
      total += class_weight<T>(c, c.labels[r]);
    } else if (c.labels[r] != c.ignore_index) {
      p.report(r, c.labels[r]);
    }
  }
  total = Group<kThreads>::sum(total);
  if (threadIdx.x == 0) *p.scale = c.reduction == FD_REDUCTION_MEAN ? 1 / total : 1;
}

// weight_j q_j of a row.
template <class T>
__device__ T weighted(const fd_cross_entropy& c, int64_t row, int64_t j) {
  const T uniform = T(c.smoothing / double(c.classes));
  const T target = c.soft ? static_cast<const T*>(c.soft)[row * c.classes + j] : T(j == c.labels[row]);
  return T(class_weight<T>(c, j)) * (T(1 - c.smoothing) * target + uniform);
}

template <class T>
struct RowSums {
  T weight, loss;
  __device__ static RowSums join(const RowSums& a, const RowSums& b) { return {a.weight + b.weight, a.loss + b.loss}; }
};

// In an order that keeps the digits of a loss near 0.
template <class T>
__device__ T minus_log_p(const Normaliser<T>& z, T x) {
  return std::log(z.sum) - (x - z.largest);
}

// A label without smoothing: one class carries all the weight.
template <class T>
__device__ RowSums<T> label_sums(const fd_cross_entropy& c, int64_t row, const T* x, const Normaliser<T>& z) {
  const int64_t label = c.labels[row];
  const T weight = T(class_weight<T>(c, label));
  return {weight, weight == T(0) ? T(0) : weight * minus_log_p(z, x[label])};
}

template <class T, int L>
__device__ RowSums<T> target_sums(const fd_cross_entropy& c, int64_t row, const T* x, const Normaliser<T>& z) {
  RowSums<T> s = {T(0), T(0)};
  for (int64_t j = Group<L>::lane(); j < c.classes; j += L) {
    const T v = weighted<T>(c, row, j);
    s.weight += v;
    if (v != T(0)) s.loss += v * minus_log_p(z, x[j]);  // an impossible class of no weight costs nothing, not 0 * inf
  }
  return s;
}

template <class T, int L>
__global__ void __launch_bounds__(kThreads) row_kernel(const __grid_constant__ Plan p) {
  const fd_cross_entropy& c = p.c;
  const int64_t row = Group<L>::line();
  const bool exists = row < c.rows, real = exists && counts(c, row);
  const T* const x = static_cast<const T*>(c.logits) + (exists ? row * c.row_stride : 0);
  const Normaliser<T> z = normaliser<T, L>(x, c.classes, 1, real);
  const bool one_class = !c.soft && c.smoothing == 0;
  RowSums<T> s = {T(0), T(0)};
  if (real && !one_class) s = target_sums<T, L>(c, row, x, z);
  if (real && one_class && Group<L>::lane() == 0) s = label_sums<T>(c, row, x, z);
  // After this nobody reads the row for sums, so the gradient may take its place.
  s = Group<L>::all(s, RowSums<T>::join);
  if (!exists) return;
  if (Group<L>::lane() == 0) {
    p.losses[row] = double(s.loss);
    if (c.reduction == FD_REDUCTION_NONE) static_cast<T*>(c.loss)[row] = s.loss;
  }
  if (!c.grad) return;
  T* const grad = static_cast<T*>(c.grad) + row * c.classes;
  const T scale = T(*p.scale), share = s.weight / z.sum;
  for (int64_t j = Group<L>::lane(); j < c.classes; j += L) {
    T g = 0;
    if (real) {
      const T v = one_class ? (j == c.labels[row] ? s.weight : T(0)) : weighted<T>(c, row, j);
      g = scale * (std::exp(x[j] - z.largest) * share - v);
    }
    grad[j] = g;
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads) total_kernel(const __grid_constant__ Plan p) {
  double total = 0;
  for (int64_t r = threadIdx.x; r < p.c.rows; r += kThreads) total += p.losses[r];
  total = Group<kThreads>::sum(total);
  if (threadIdx.x == 0) *static_cast<T*>(p.c.loss) = T(total * *p.scale);
}

template <class T>
fd_status cross_entropy(fd_context* context, const fd_cross_entropy* c) {
  Plan p = {*c, workspace<double>(context, c->rows + 1), nullptr, fault_report(context)};
  if (!p.scale) return FD_NO_MEMORY;
  p.losses = p.scale + 1;
  if (const fd_status bad = start(context, scale_kernel<T>, dim3(1), dim3(kThreads), 0, p)) return bad;
  const fd_status rows = with_width(c->classes, true, [&]<int L>() {
    return start(context, row_kernel<T, L>, blocks_for(c->rows, Group<L>::kLines), dim3(kThreads), 0, p);
  });
  if (rows != FD_OK || c->reduction == FD_REDUCTION_NONE) return rows;
  return start(context, total_kernel<T>, dim3(1), dim3(kThreads), 0, p);
}

}  // namespace

void fill_cross_entropy(fd_kernels* table) {
  table->softmax.cross_entropy[FD_F32] = cross_entropy<float>;
  table->softmax.cross_entropy[FD_F64] = cross_entropy<double>;
}

}  // namespace fd::gpu
