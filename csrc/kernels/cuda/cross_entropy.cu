// Cross-entropy of softmax(logits) and its gradient. With v_j = weight_j q_j (q the smoothed target), p = softmax(x):
//   loss = -sum_j v_j log p_j      d loss / d x_k = p_k sum_j v_j - v_k
//
// Bound by memory: the logits are read once, the gradient is written once. Three launches: the labels are checked and
// what a mean divides by is summed, then the rows are taken, then their losses are added in a fixed order. A row of up
// to 1024 classes is a warp's work, which reads it again from cache. A longer one is a block's; up to 128 KB of it the
// block holds in registers while its next row is on the way to shared memory, so that memory is not idle meanwhile
// (rows at multiples of 16 bytes; for others and longer ones the second reading comes from wherever the row is by
// then).
#include "kernels/cuda/fd/async.h"
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

// ------------------------------------------------------------------------------------- rows held in registers
//
// For the case that training has: float32, one class a row, no smoothing.

constexpr int kMostPacks = 32;  // of four floats that a thread holds

// How many blocks of so many packs a thread share a multiprocessor, as their registers allow.
constexpr int blocks_sharing(int packs) { return packs <= 8 ? 3 : packs <= 16 ? 2 : 1; }

using Four = Pack<float, 4>;

// A thread's part of the rows its block takes one after another: packs kThreads apart.
template <int Packs>
struct HeldRow {
  Four x[Packs];
  int packs;  // of a row

  __device__ static int pack_at(int i) { return i * kThreads + int(threadIdx.x); }

  // Each thread fetches what it alone reads.
  __device__ void fetch(Four* shared, const float* row) const {
#pragma unroll
    for (int i = 0; i < Packs; i++)
      if (pack_at(i) < packs) copy_async<16>(shared + pack_at(i), row + pack_at(i) * 4);
    copy_commit();
  }
  __device__ void take(const Four* shared) {
#pragma unroll
    for (int i = 0; i < Packs; i++)
      if (pack_at(i) < packs) x[i] = shared[pack_at(i)];
  }
  __device__ void write(float* row) const {
#pragma unroll
    for (int i = 0; i < Packs; i++)
      if (pack_at(i) < packs) *reinterpret_cast<Four*>(row + pack_at(i) * 4) = x[i];
  }
  // visit(class, value that may be changed)
  template <class Visit>
  __device__ void for_each(Visit visit) {
#pragma unroll
    for (int i = 0; i < Packs; i++) {
      if (pack_at(i) >= packs) continue;
#pragma unroll
      for (int j = 0; j < 4; j++) visit(pack_at(i) * 4 + j, x[i].at[j]);
    }
  }
};

template <int Packs>
__global__ void __launch_bounds__(kThreads, blocks_sharing(Packs)) held_kernel(const __grid_constant__ Plan p) {
  FD_DYNAMIC_SHARED(Four, shared);
  const fd_cross_entropy& c = p.c;
  const float* const logits = static_cast<const float*>(c.logits);
  const float scale = float(*p.scale);
  HeldRow<Packs> held;
  held.packs = int(c.classes / 4);
  held.fetch(shared, logits + blockIdx.x * c.row_stride);
  for (int64_t row = blockIdx.x; row < c.rows; row += gridDim.x) {
    copy_wait<0>();
    held.take(shared);
    float largest = -INFINITY;
    held.for_each([&](int, float x) { largest = x > largest ? x : largest; });
    // A barrier stands in here: what was taken may be overwritten.
    largest = Group<kThreads>::all(largest, [](float a, float b) { return a > b ? a : b; });
    const int64_t next = row + gridDim.x;
    if (next < c.rows) held.fetch(shared, logits + next * c.row_stride);

    const bool real = counts(c, row);
    const int label = real ? int(c.labels[row]) : -1;
    RowSums<float> s = {0, 0};  // of e^(x - largest); and x - largest of the label, which one thread has
    held.for_each([&](int j, float& x) {
      const float d = x - largest;
      if (j == label) s.loss = d;
      s.weight += x = std::exp(d);
    });
    s = Group<kThreads>::all(s, RowSums<float>::join);
    const float weight = real ? float(class_weight<float>(c, label)) : 0;
    const float loss = weight == 0 ? 0 : weight * (std::log(s.weight) - s.loss), share = weight / s.weight;
    if (threadIdx.x == 0) {
      p.losses[row] = double(loss);
      if (c.reduction == FD_REDUCTION_NONE) static_cast<float*>(c.loss)[row] = loss;
    }
    if (!c.grad) continue;
    held.for_each([&](int j, float& x) { x = real ? scale * (x * share - (j == label ? weight : 0)) : 0; });
    held.write(static_cast<float*>(c.grad) + row * c.classes);
  }
}

struct Gpu {
  int multiprocessors, shared;  // that a block may have
};

Gpu this_gpu() {
  int device = 0;
  Gpu gpu = {};
  if (cudaGetDevice(&device) != cudaSuccess) return gpu;
  cudaDeviceGetAttribute(&gpu.multiprocessors, cudaDevAttrMultiProcessorCount, device);
  cudaDeviceGetAttribute(&gpu.shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  return gpu;
}

template <int Packs>
fd_status run_held(fd_context* context, const Plan& p, const Gpu& gpu) {
  constexpr size_t kBytes = size_t(Packs) * kThreads * sizeof(Four);
  if (const fd_status bad = allow_shared(held_kernel<Packs>, kBytes)) return bad;
  const int64_t most = int64_t(gpu.multiprocessors) * blocks_sharing(Packs);
  const dim3 blocks(unsigned(p.c.rows < most ? p.c.rows : most));
  return start(context, held_kernel<Packs>, blocks, dim3(kThreads), kBytes, p);
}

// Whether rows are held, by how many packs a thread; 0: not.
int packs_held(const fd_cross_entropy& c, const Gpu& gpu) {
  const bool simple = c.labels && c.smoothing == 0 && c.classes > 1024;
  const bool packed = aligned(c.logits, 16) && aligned(c.grad, 16) && c.classes % 4 == 0 && c.row_stride % 4 == 0;
  for (int packs = 8; simple && packed && packs <= kMostPacks; packs *= 2)
    if (c.classes <= int64_t(packs) * kThreads * 4)
      return packs * kThreads * int(sizeof(Four)) <= gpu.shared ? packs : 0;
  return 0;
}

template <class T>
fd_status take_rows(fd_context* context, const Plan& p) {
  if constexpr (std::is_same_v<T, float>) {
    const Gpu gpu = this_gpu();
    const int packs = packs_held(p.c, gpu);
    if (packs == 8) return run_held<8>(context, p, gpu);
    if (packs == 16) return run_held<16>(context, p, gpu);
    if (packs == 32) return run_held<32>(context, p, gpu);
  }
  return with_width(p.c.classes, true, [&]<int L>() {
    return start(context, row_kernel<T, L>, blocks_for(p.c.rows, Group<L>::kLines), dim3(kThreads), 0, p);
  });
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
  const fd_status rows = take_rows<T>(context, p);
  if (rows != FD_OK || c->reduction == FD_REDUCTION_NONE) return rows;
  return start(context, total_kernel<T>, dim3(1), dim3(kThreads), 0, p);
}

}  // namespace

void fill_cross_entropy(fd_kernels* table) {
  table->softmax.cross_entropy[FD_F32] = cross_entropy<float>;
  table->softmax.cross_entropy[FD_F64] = cross_entropy<double>;
}

}  // namespace fd::gpu
