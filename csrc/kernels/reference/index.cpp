// Reading and writing by index. Whatever an index could spoil is checked before anything is written.
#include "kernels/reference/element.h"
#include "kernels/reference/table.h"

namespace fd::reference {
namespace {

// FD_OUT_OF_RANGE, with the first offender in the context's fault, unless every index lies in [low, high).
fd_status check_range(fd_context* context, const int64_t* index, int64_t n, int64_t low, int64_t high) {
  for (int64_t i = 0; i < n; i++) {
    if (index[i] >= low && index[i] < high) continue;
    *context->fault = {FD_OUT_OF_RANGE, 0, i, index[i]};
    return FD_OUT_OF_RANGE;
  }
  return FD_OK;
}

template <class T>
fd_status take(fd_context*, const fd_take* t) {
  const T* const in = static_cast<const T*>(t->in);
  T* const out = static_cast<T*>(t->out);
  for (int64_t i = 0; i < t->n; i++)
    for (int64_t j = 0; j < t->inner; j++) out[i * t->inner + j] = in[t->offsets[i] + j];
  return FD_OK;
}

template <class T>
fd_status put(fd_context*, const fd_take* t) {
  const T scalar = from_scalar<T>(t->in ? fd_scalar{} : t->scalar);
  const T* const in = static_cast<const T*>(t->in);
  for (int64_t i = 0; i < t->n; i++) {
    T* const out = static_cast<T*>(t->out) + t->offsets[i];
    for (int64_t j = 0; j < t->inner; j++) {
      const T value = in ? in[i * t->inner + j] : scalar;
      if (!t->accumulate) {
        out[j] = value;
      } else {
        if constexpr (is_half<T> || is_bool<T>)
          return FD_UNSUPPORTED;
        else
          out[j] = wrapping_add(out[j], value);
      }
    }
  }
  return FD_OK;
}

fd_status offsets(fd_context* context, const fd_offsets* o) {
  if (const fd_status bad = check_range(context, o->index, o->n, -o->size, o->size)) return bad;
  for (int64_t i = 0; i < o->n; i++) {
    const int64_t index = o->index[i] < 0 ? o->index[i] + o->size : o->index[i];
    o->out[i] = (o->first ? 0 : o->out[i]) + index * o->stride;
  }
  return FD_OK;
}

// Calls visit(i, position) with the linear position of every index and where along `extent` it points.
template <class Visit>
void for_each_index(const fd_gather& g, Visit visit) {
  for (int64_t o = 0; o < g.outer; o++)
    for (int64_t i = 0; i < g.size; i++)
      for (int64_t r = 0; r < g.inner; r++) {
        const int64_t at = (o * g.size + i) * g.inner + r;
        visit(at, (o * g.extent + g.index[at]) * g.inner + r);
      }
}

template <class T>
fd_status gather(fd_context* context, const fd_gather* g) {
  if (const fd_status bad = check_range(context, g->index, g->outer * g->size * g->inner, 0, g->extent)) return bad;
  const T* const in = static_cast<const T*>(g->in);
  T* const out = static_cast<T*>(g->out);
  for_each_index(*g, [=](int64_t at, int64_t target) { out[at] = in[target]; });
  return FD_OK;
}

template <class T>
T combine(int32_t mode, T old, T value) {
  switch (mode) {
    case FD_SCATTER_ADD:
      return wrapping_add(old, value);
    case FD_SCATTER_MUL:
      return wrapping_mul(old, value);
    case FD_SCATTER_MAX:
      return old > value || is_nan(old) ? old : value;
    case FD_SCATTER_MIN:
      return old < value || is_nan(old) ? old : value;
    default:
      return value;
  }
}

template <class T>
fd_status scatter(fd_context* context, const fd_gather* g) {
  if (const fd_status bad = check_range(context, g->index, g->outer * g->size * g->inner, 0, g->extent)) return bad;
  const T scalar = from_scalar<T>(g->in ? fd_scalar{} : g->scalar);
  const T* const in = static_cast<const T*>(g->in);
  T* const out = static_cast<T*>(g->out);
  if constexpr (is_half<T> || is_bool<T>) {
    if (g->mode != FD_SCATTER_SET) return FD_UNSUPPORTED;
    for_each_index(*g, [=](int64_t at, int64_t target) { out[target] = in ? in[at] : scalar; });
  } else {
    for_each_index(
        *g, [=](int64_t at, int64_t target) { out[target] = combine(g->mode, out[target], in ? in[at] : scalar); });
  }
  return FD_OK;
}

template <class T>
fd_status nonzero(fd_context*, const fd_nonzero* z) {
  const T* const in = static_cast<const T*>(z->in);
  int64_t count = 0;
  for (int64_t i = 0; i < z->n; i++) {
    if (in[i] == 0) continue;
    if (z->out) z->out[count] = i;
    count++;
  }
  *z->count = count;
  return FD_OK;
}

template <class T>
fd_status minibatch(fd_context* context, const fd_minibatch* b) {
  if (const fd_status bad = check_range(context, b->rows, b->n, 0, b->examples)) return bad;
  for (int64_t i = 0; i < b->n; i++) {
    const uint8_t* const row = b->in + b->rows[i] * b->inner;
    T* const out = static_cast<T*>(b->out) + i * b->inner;
    for (int64_t j = 0; j < b->inner; j++) out[j] = static_cast<T>(row[j] * b->scale + b->shift);
  }
  return FD_OK;
}

}  // namespace

void fill_index(fd_kernels* table) {
  fd_index_kernels& k = table->index;
  k.offsets = offsets;
  for_each_dtype([&k]<class T>(fd_dtype dtype) {
    k.take[dtype] = take<T>;
    k.put[dtype] = put<T>;
    k.gather[dtype] = gather<T>;
    k.scatter[dtype] = scatter<T>;
    if constexpr (!is_half<T>) k.nonzero[dtype] = nonzero<T>;
    if constexpr (is_floating<T>) k.minibatch[dtype] = minibatch<T>;
  });
}

}  // namespace fd::reference
