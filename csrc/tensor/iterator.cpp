#include "tensor/iterator.h"

#include <cstdlib>

namespace fd {

namespace {

bool same_layout(const Tensor& out, const Tensor* const* operands, int count) {
  if (!out.is_contiguous()) return false;
  for (int k = 0; k < count; k++) {
    const Tensor* t = operands[k];
    if (t && !(t->is_contiguous() && t->shape() == out.shape())) return false;
  }
  return true;
}

constexpr int kLanes = 4;  // out and three operands

// One dimension of the index space: its size and the step of each lane.
struct Axis {
  int64_t size;
  int64_t step[kLanes];
};

bool merges(const Axis& outer, const Axis& inner, int lanes) {
  for (int k = 0; k < lanes; k++)
    if (outer.step[k] != inner.step[k] * inner.size) return false;
  return true;
}

// The innermost dimension should be the one out walks in the smallest steps (a transposed out is written in order).
void sort_by_out_step(Axis* axes, int n) {
  for (int i = 1; i < n; i++)
    for (int j = i; j > 0 && std::llabs(axes[j].step[0]) > std::llabs(axes[j - 1].step[0]); j--)
      std::swap(axes[j], axes[j - 1]);
}

int merge(Axis* axes, int n, int lanes) {
  int kept = 0;
  for (int i = 0; i < n; i++) {
    if (kept > 0 && merges(axes[kept - 1], axes[i], lanes)) {
      const int64_t size = axes[kept - 1].size * axes[i].size;
      axes[kept - 1] = axes[i];
      axes[kept - 1].size = size;
    } else {
      axes[kept++] = axes[i];
    }
  }
  return kept;
}

}  // namespace

void lay_out(fd_elementwise* args, const Tensor& out, const Tensor* const* operands, int count) {
  args->out = out.data();
  for (int k = 0; k < 3; k++) args->in[k] = k < count && operands[k] ? operands[k]->data() : nullptr;
  if (same_layout(out, operands, count)) {
    args->ndim = 1;
    args->size[0] = out.numel();
    args->out_stride[0] = 1;
    for (int k = 0; k < 3; k++) args->in_stride[k][0] = args->in[k] ? 1 : 0;
    return;
  }
  Axis axes[FD_MAX_DIMS];
  int n = 0;
  const int dims = out.dim();
  for (int i = 0; i < dims; i++) {
    if (out.size(i) == 1) continue;
    Axis& axis = axes[n++];
    axis = {out.size(i), {out.stride(i), 0, 0, 0}};
    for (int k = 0; k < count; k++) {
      const Tensor* t = operands[k];
      if (!t) continue;
      const int j = i - (dims - t->dim());
      axis.step[k + 1] = j < 0 || t->size(j) == 1 ? 0 : t->stride(j);
    }
  }
  sort_by_out_step(axes, n);
  n = merge(axes, n, count + 1);
  args->ndim = n;
  for (int i = 0; i < n; i++) {
    args->size[i] = axes[i].size;
    args->out_stride[i] = axes[i].step[0];
    for (int k = 0; k < 3; k++) args->in_stride[k][i] = axes[i].step[k + 1];
  }
}

void lay_out(fd_reduce* args, const Tensor& in, uint32_t reduced) {
  Axis kept[FD_MAX_DIMS], gone[FD_MAX_DIMS];
  int nk = 0, ng = 0;
  for (int i = 0; i < in.dim(); i++) {
    if (in.size(i) == 1) continue;
    const Axis axis = {in.size(i), {in.stride(i), 0, 0, 0}};
    if (reduced >> i & 1)
      gone[ng++] = axis;
    else
      kept[nk++] = axis;
  }
  nk = merge(kept, nk, 1);
  ng = merge(gone, ng, 1);
  args->in = in.data();
  args->kept_ndim = nk;
  args->reduced_ndim = ng;
  for (int i = 0; i < nk; i++) {
    args->kept_size[i] = kept[i].size;
    args->kept_stride[i] = kept[i].step[0];
  }
  for (int i = 0; i < ng; i++) {
    args->reduced_size[i] = gone[i].size;
    args->reduced_stride[i] = gone[i].step[0];
  }
}

}  // namespace fd
