// Indexing: take, put, offsets, gather, scatter, nonzero, and minibatches from bytes.
//
// Bound by memory: by latency where single elements are picked, by bandwidth where blocks are. Each kernel touches its
// data once. What may collide (put, scatter) is cut so that no two tasks write the same element and each element sees
// its updates in index order; what may not is cut by output size. One core: minibatch of 256 x 784 float32 41 us, take
// of 1 M at random 1.8 ms (AVX-512, Intel(R) Xeon(R) Processor @ 2.10GHz; docs/kernels/index.md).
#include <cstring>
#include <type_traits>

#include "kernels/cpu/simd.h"
#include "kernels/cpu/table.h"
#include "kernels/cpu/tasks.h"

namespace fd::FD_ISA {
namespace {

// A task of about 10 us: long against the pool's hand-over, short against the whole.
constexpr int64_t kGrain = 1 << 15;

template <class T>
void copy_block(T* out, const T* in, int64_t n) {
  if (n >= 16) {
    std::memcpy(out, in, size_t(n) * sizeof(T));
    return;
  }
  for (int64_t i = 0; i < n; i++) out[i] = in[i];
}

// ---------------------------------------------------------------------------------------------------- take, put

template <class T>
void take_range(const fd_take& a, int64_t begin, int64_t end) {
  const T* in = static_cast<const T*>(a.in);
  T* out = static_cast<T*>(a.out);
  if (a.inner == 1) {
    for (int64_t i = begin; i < end; i++) out[i] = in[a.offsets[i]];
    return;
  }
  for (int64_t at = begin; at < end;) {
    const int64_t block = at / a.inner, from = at % a.inner;
    const int64_t count = least(a.inner - from, end - at);
    copy_block(out + at, in + a.offsets[block] + from, count);
    at += count;
  }
}

template <class T>
fd_status take(fd_context* context, const fd_take* a) {
  for_chunks(context, a->n * a->inner, kGrain, [&](int64_t begin, int64_t end) { take_range<T>(*a, begin, end); });
  return FD_OK;
}

// Integers wrap, as they do everywhere else.
template <class T>
T wrapping_add(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    return T(U(a) + U(b));
  } else {
    return a + b;
  }
}

template <class T>
T wrapping_mul(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return T(uint64_t(a) * uint64_t(b));
  } else {
    return a * b;
  }
}

template <class T>
T scalar_of(const fd_scalar& s) {
  return std::is_floating_point_v<T> ? T(s.f) : T(s.i);
}

// Columns [begin, end) of every block, in order of the blocks: equal offsets meet in that order in every column.
template <class T, bool kAdd>
void put_columns(const fd_take& a, T scalar, int64_t begin, int64_t end) {
  const T* in = static_cast<const T*>(a.in);
  for (int64_t i = 0; i < a.n; i++) {
    T* out = static_cast<T*>(a.out) + a.offsets[i];
    const T* row = in + i * a.inner;
    if constexpr (kAdd) {
      if (in) {
        for (int64_t j = begin; j < end; j++) out[j] = wrapping_add(out[j], row[j]);
      } else {
        for (int64_t j = begin; j < end; j++) out[j] = wrapping_add(out[j], scalar);
      }
    } else if (in) {
      copy_block(out + begin, row + begin, end - begin);
    } else {
      for (int64_t j = begin; j < end; j++) out[j] = scalar;
    }
  }
}

// Columns per task: whole cache lines, and enough of them to fill a task.
int64_t column_grain(int64_t rows, int64_t item) { return most(64 / item, kGrain / most<int64_t>(rows, 1)); }

template <class T, bool kAdd>
fd_status put_as(fd_context* context, const fd_take* a, T scalar) {
  for_chunks(context, a->inner, column_grain(a->n, sizeof(T)),
             [&](int64_t begin, int64_t end) { put_columns<T, kAdd>(*a, scalar, begin, end); });
  return FD_OK;
}

template <class T>
fd_status put(fd_context* context, const fd_take* a) {
  const T scalar = scalar_of<T>(a->scalar);
  return a->accumulate ? put_as<T, true>(context, a, scalar) : put_as<T, false>(context, a, scalar);
}

// bool and the halves are stored, not added.
uint8_t stored_scalar(fd_dtype, uint8_t, const fd_scalar& s) { return uint8_t(s.i != 0); }
uint16_t stored_scalar(fd_dtype dtype, uint16_t, const fd_scalar& s) {
  uint16_t half[Vec<float>::kLanes];
  const Vec<float> x = narrow_to_odd(Vec<double>(s.f), Vec<double>(s.f));
  dtype == FD_F16 ? x.store_f16(half) : x.store_bf16(half);
  return half[0];
}

template <class T, fd_dtype kType>
fd_status put_stored(fd_context* context, const fd_take* a) {
  if (a->accumulate) return FD_UNSUPPORTED;
  return put_as<T, false>(context, a, stored_scalar(kType, T(), a->scalar));
}

// ---------------------------------------------------------------------------------------------------- offsets

template <bool kFirst>
void offsets_range(const fd_offsets& a, int64_t begin, int64_t end, FirstFault& fault) {
  bool bad = false;
  for (int64_t i = begin; i < end; i++) {
    const int64_t index = a.index[i];
    const int64_t wrapped = index + (index < 0 ? a.size : 0);
    bad |= uint64_t(wrapped) >= uint64_t(a.size);
    const int64_t offset = int64_t(uint64_t(wrapped) * uint64_t(a.stride));
    a.out[i] = kFirst ? offset : wrapping_add(a.out[i], offset);
  }
  if (!bad) return;
  for (int64_t i = begin; i < end; i++)
    if (a.index[i] < -a.size || a.index[i] >= a.size) return fault.report(i);
}

fd_status offsets(fd_context* context, const fd_offsets* a) {
  FirstFault fault;
  for_chunks(context, a->n, kGrain, [&](int64_t begin, int64_t end) {
    a->first ? offsets_range<true>(*a, begin, end, fault) : offsets_range<false>(*a, begin, end, fault);
  });
  return fault.status(context, a->index);
}

// --------------------------------------------------------------------------------------------- gather, scatter

template <class T>
void gather_range(const fd_gather& a, int64_t begin, int64_t end, FirstFault& fault) {
  const T* in = static_cast<const T*>(a.in);
  T* out = static_cast<T*>(a.out);
  const int64_t plane = a.size * a.inner;
  for (int64_t at = begin; at < end;) {
    const int64_t o = at / plane, r = at % a.inner;
    const T* source = in + o * a.extent * a.inner;
    // One index row [inner], or, where inner is 1, what is left of this o.
    const int64_t stop = least(end, a.inner == 1 ? (o + 1) * plane : at + a.inner - r);
    const int64_t step = a.inner == 1 ? 0 : 1;
    for (int64_t i = at; i < stop; i++) {
      const int64_t index = a.index[i];
      if (uint64_t(index) >= uint64_t(a.extent)) [[unlikely]]
        return fault.report(i);
      out[i] = source[index * a.inner + r + (i - at) * step];
    }
    at = stop;
  }
}

template <class T>
fd_status gather(fd_context* context, const fd_gather* a) {
  FirstFault fault;
  for_chunks(context, a->outer * a->size * a->inner, kGrain,
             [&](int64_t begin, int64_t end) { gather_range<T>(*a, begin, end, fault); });
  return fault.status(context, a->index);
}

template <int kMode, class T>
T combine(T old, T value) {
  if constexpr (kMode == FD_SCATTER_ADD) return wrapping_add(old, value);
  if constexpr (kMode == FD_SCATTER_MUL) return wrapping_mul(old, value);
  if constexpr (kMode == FD_SCATTER_MAX) return old > value || old != old ? old : value;
  if constexpr (kMode == FD_SCATTER_MIN) return old < value || old != old ? old : value;
  return value;
}

template <int kMode, class T>
void scatter_columns(const fd_gather& a, T scalar, int64_t o, int64_t begin, int64_t end) {
  const int64_t* index = a.index + o * a.size * a.inner;
  const T* in = a.in ? static_cast<const T*>(a.in) + o * a.size * a.inner : nullptr;
  T* out = static_cast<T*>(a.out) + o * a.extent * a.inner;
  for (int64_t i = 0; i < a.size; i++) {
    for (int64_t r = begin; r < end; r++) {
      const int64_t at = i * a.inner + r;
      T& target = out[index[at] * a.inner + r];
      target = combine<kMode>(target, in ? in[at] : scalar);
    }
  }
}

// The whole index is checked first: scatter writes into a tensor that must not be left half written.
fd_status check_indices(fd_context* context, const fd_gather* a) {
  FirstFault fault;
  for_chunks(context, a->outer * a->size * a->inner, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      if (uint64_t(a->index[i]) >= uint64_t(a->extent)) return fault.report(i);
  });
  return fault.status(context, a->index);
}

// Elements of different o or r never meet, so a task takes some o, or some columns of one o.
template <int kMode, class T>
fd_status scatter_as(fd_context* context, const fd_gather* a, T scalar) {
  if (const fd_status status = check_indices(context, a)) return status;
  const int64_t plane = most<int64_t>(a->size * a->inner, 1);
  if (plane <= kGrain) {
    for_chunks(context, a->outer, most<int64_t>(kGrain / plane, 1), [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; o++) scatter_columns<kMode>(*a, scalar, o, 0, a->inner);
    });
    return FD_OK;
  }
  const int64_t grain = column_grain(a->size, sizeof(T)), parts = ceil_div(a->inner, grain);
  for_tasks(context, a->outer * parts, [&](int64_t i) {
    const int64_t begin = i % parts * grain;
    scatter_columns<kMode>(*a, scalar, i / parts, begin, least(a->inner, begin + grain));
  });
  return FD_OK;
}

template <class T>
fd_status scatter(fd_context* context, const fd_gather* a) {
  const T scalar = scalar_of<T>(a->scalar);
  switch (a->mode) {
    case FD_SCATTER_SET:
      return scatter_as<FD_SCATTER_SET>(context, a, scalar);
    case FD_SCATTER_ADD:
      return scatter_as<FD_SCATTER_ADD>(context, a, scalar);
    case FD_SCATTER_MUL:
      return scatter_as<FD_SCATTER_MUL>(context, a, scalar);
    case FD_SCATTER_MAX:
      return scatter_as<FD_SCATTER_MAX>(context, a, scalar);
    case FD_SCATTER_MIN:
      return scatter_as<FD_SCATTER_MIN>(context, a, scalar);
    default:
      return FD_UNSUPPORTED;
  }
}

template <class T, fd_dtype kType>
fd_status scatter_stored(fd_context* context, const fd_gather* a) {
  if (a->mode != FD_SCATTER_SET) return FD_UNSUPPORTED;
  return scatter_as<FD_SCATTER_SET>(context, a, stored_scalar(kType, T(), a->scalar));
}

// ------------------------------------------------------------------------------------------------------- nonzero

constexpr int64_t kNonzeroGrain = 1 << 16;

// found(i, bits) for vectors from begin to end: bit k is set where element i + k is not 0.
template <class T, class Found>
FD_INLINE void for_nonzero(const T* in, int64_t begin, int64_t end, const Found& found) {
  constexpr int L = Vec<T>::kLanes;
  const Vec<T> zero(T(0));
  int64_t i = begin;
  for (; i + L <= end; i += L) found(i, mask_bits(Vec<T>::load(in + i) != zero));
  for (; i < end; i++) found(i, uint64_t(in[i] != T(0)));
}

template <class T>
int64_t count_range(const T* in, int64_t begin, int64_t end) {
  int64_t total = 0;
  for_nonzero(in, begin, end, [&](int64_t, uint64_t bits) { total += __builtin_popcountll(bits); });
  return total;
}

template <class T>
void list_range(const T* in, int64_t begin, int64_t end, int64_t* out) {
  for_nonzero(in, begin, end, [&](int64_t i, uint64_t bits) {
    for (; bits != 0; bits &= bits - 1) *out++ = i + __builtin_ctzll(bits);
  });
}

template <class T>
fd_status nonzero(fd_context* context, const fd_nonzero* a) {
  const T* in = static_cast<const T*>(a->in);
  const int64_t chunks = ceil_div(a->n, kNonzeroGrain);
  auto* counts = static_cast<int64_t*>(context->workspace(context, 0, size_t(chunks + 1) * sizeof(int64_t)));
  if (!counts) return FD_NO_MEMORY;
  for_chunks(context, a->n, kNonzeroGrain,
             [&](int64_t begin, int64_t end) { counts[begin / kNonzeroGrain] = count_range(in, begin, end); });
  int64_t total = 0;
  for (int64_t i = 0; i < chunks; i++) {
    const int64_t count = counts[i];
    counts[i] = total;
    total += count;
  }
  counts[chunks] = total;
  *a->count = total;
  if (!a->out) return FD_OK;
  for_chunks(context, a->n, kNonzeroGrain,
             [&](int64_t begin, int64_t end) { list_range(in, begin, end, a->out + counts[begin / kNonzeroGrain]); });
  return FD_OK;
}

// ----------------------------------------------------------------------------------------------------- minibatch

// Where the scale was rounded to T, `rest` gives back what it lost: 255 * (1 / 255.) is 1 in float32 too.
template <class T>
struct Rescale {
  Vec<T> scale, rest, shift;
  explicit Rescale(const fd_minibatch& a)
      : scale(T(a.scale)), rest(T(a.scale - double(T(a.scale)))), shift(T(a.shift)) {}
  FD_INLINE Vec<T> operator()(Vec<T> x) const { return fma(x, scale, fma(x, rest, shift)); }
};

template <class T>
void minibatch_row(const fd_minibatch& a, int64_t i, const Rescale<T>& rescale) {
  constexpr int L = Vec<T>::kLanes;
  const uint8_t* in = a.in + a.rows[i] * a.inner;
  T* out = static_cast<T*>(a.out) + i * a.inner;
  int64_t j = 0;
  for (; j + L <= a.inner; j += L) rescale(Vec<T>::load_u8(in + j)).store(out + j);
  if (j < a.inner) rescale(Vec<T>::load_u8(in + j, a.inner - j)).store(out + j, a.inner - j);
}

template <class T>
fd_status minibatch(fd_context* context, const fd_minibatch* a) {
  FirstFault fault;
  for (int64_t i = 0; i < a->n && !fault.found(); i++)
    if (uint64_t(a->rows[i]) >= uint64_t(a->examples)) fault.report(i);
  if (fault.found()) return fault.status(context, a->rows);
  const Rescale<T> rescale(*a);
  const int64_t rows = most<int64_t>(2 * kGrain / most<int64_t>(a->inner, 1), 1);
  for_chunks(context, a->n, rows, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) minibatch_row<T>(*a, i, rescale);
  });
  return FD_OK;
}

// Kernels that only move bits serve every type of a size.
template <class Move>
void fill_moves(fd_index_kernels& k, fd_dtype dtype) {
  k.take[dtype] = take<Move>;
  k.gather[dtype] = gather<Move>;
}

template <class T>
void fill_updates(fd_index_kernels& k, fd_dtype dtype) {
  k.put[dtype] = put<T>;
  k.scatter[dtype] = scatter<T>;
  k.nonzero[dtype] = nonzero<T>;
}

template <class T, fd_dtype kType>
void fill_stored(fd_index_kernels& k) {
  k.put[kType] = put_stored<T, kType>;
  k.scatter[kType] = scatter_stored<T, kType>;
}

}  // namespace

void fill_index(fd_kernels* table) {
  fd_index_kernels& k = table->index;
  fill_moves<uint8_t>(k, FD_BOOL);
  fill_moves<uint8_t>(k, FD_U8);
  fill_moves<uint16_t>(k, FD_F16);
  fill_moves<uint16_t>(k, FD_BF16);
  fill_moves<uint32_t>(k, FD_I32);
  fill_moves<uint32_t>(k, FD_F32);
  fill_moves<uint64_t>(k, FD_I64);
  fill_moves<uint64_t>(k, FD_F64);
  fill_updates<uint8_t>(k, FD_U8);
  fill_updates<int32_t>(k, FD_I32);
  fill_updates<int64_t>(k, FD_I64);
  fill_updates<float>(k, FD_F32);
  fill_updates<double>(k, FD_F64);
  fill_stored<uint8_t, FD_BOOL>(k);
  fill_stored<uint16_t, FD_F16>(k);
  fill_stored<uint16_t, FD_BF16>(k);
  k.nonzero[FD_BOOL] = nonzero<uint8_t>;
  k.offsets = offsets;
  k.minibatch[FD_F32] = minibatch<float>;
  k.minibatch[FD_F64] = minibatch<double>;
}

}  // namespace fd::FD_ISA
