// Dropout: the mask is a pure function of (seed, offset, element), made in registers and never stored unless asked for.
//
// Bound by the random bits for data in cache and by memory beyond, where the output is written past the caches. 8.4 M
// float32 on one core: 2.5 ms with AVX-512, 1.07 times NumPy's copy (Intel(R) Xeon(R) Processor @ 2.10GHz;
// docs/kernels/dropout.md).
#include <type_traits>

#include "kernels/cpu/lanes.h"
#include "kernels/cpu/philox_vec.h"
#include "kernels/cpu/table.h"
#include "kernels/cpu/tasks.h"

namespace fd::FD_ISA {
namespace {

// A power of two, so that every chunk starts a draw and keeps the high word of its counter blocks.
constexpr int64_t kDropoutGrain = 1 << 14;

constexpr int kVectors = MaskPhilox::kVectors;

struct Draws {
  MaskPhilox philox;
  Vec<uint32_t> threshold;
  int64_t begin;

  Draws(const fd_dropout& a, int64_t from)
      : philox(a.rng->seed, a.rng->offset, uint32_t(uint64_t(from / 4) >> 32)),
        threshold(uint32_t(fd_drop_threshold(a.p))),
        begin(from) {}

  // keep(i, mask) for vectors from begin to end, rounded up to whole draws.
  template <class Keep>
  FD_INLINE void for_each(int64_t end, const Keep& keep) const {
    for (int64_t i = begin; i < end; i += MaskPhilox::kWords) {
      Vec<uint32_t> words[kVectors];
      philox.draw(uint32_t(uint64_t(i) / 4), words);
#pragma GCC unroll 8
      for (int k = 0; k < kVectors; k++) keep(i + k * Vec<uint32_t>::kLanes, words[k] >= threshold);
    }
  }
};

// begin is a multiple of a draw; bytes must have room for whole draws.
void keep_bytes(const fd_dropout& a, int64_t begin, int64_t end, uint8_t* bytes) {
  Draws(a, begin).for_each(end, [&](int64_t i, Mask<uint32_t> keep) { store_bool(bytes + (i - begin), keep); });
}

template <bool kPast>
void drop_whole(const fd_dropout& a, int64_t begin, int64_t end, float scale) {
  const float* x = static_cast<const float*>(a.x);
  float* y = static_cast<float*>(a.y);
  Draws(a, begin).for_each(end, [&](int64_t i, Mask<uint32_t> keep) {
    const Vec<float> kept = select(keep, Vec<float>::load(x + i) * Vec<float>(scale), Vec<float>(0.f));
    kPast ? kept.stream(y + i) : kept.store(y + i);
  });
}

// Through a mask of bytes in L1: what float64, a wanted mask and the last few elements take.
template <class T>
void drop_by_bytes(const fd_dropout& a, int64_t begin, int64_t end, T scale) {
  constexpr int64_t kBlock = 1024;
  alignas(64) uint8_t bytes[kBlock];
  for (int64_t from = begin; from < end; from += kBlock) {
    const int64_t count = least(end - from, kBlock);
    keep_bytes(a, from, from + count, bytes);
    if (a.mask) copy_bytes(a.mask + from, bytes, size_t(count));
    if (!a.x) continue;
    const T* x = static_cast<const T*>(a.x) + from;
    T* y = static_cast<T*>(a.y) + from;
    for_vectors<T>(0, count, [&](int64_t i, auto lanes) {
      store(select(load_bool<T>(bytes + i), load(x + i, lanes) * Vec<T>(scale), Vec<T>(T(0))), y + i, lanes);
    });
  }
}

template <class T>
void drop_chunk(const fd_dropout& a, int64_t begin, int64_t end, T scale, bool past) {
  if constexpr (std::is_same_v<T, float>) {
    if (a.x && !a.mask) {
      const int64_t whole = begin + (end - begin) / MaskPhilox::kWords * MaskPhilox::kWords;
      past ? drop_whole<true>(a, begin, whole, scale) : drop_whole<false>(a, begin, whole, scale);
      if (past) stream_fence();
      begin = whole;
    }
  }
  drop_by_bytes<T>(a, begin, end, scale);
}

template <class T>
void drop_all(const fd_dropout& a, int64_t begin, int64_t end) {
  if (a.x) fill(static_cast<T*>(a.y) + begin, end - begin, T(0));
  if (a.mask) fill(a.mask + begin, end - begin, uint8_t(0));
}

template <class T>
fd_status dropout(fd_context* context, const fd_dropout* a) {
  const bool none_kept = fd_drop_threshold(a->p) > UINT32_MAX;
  const bool aligned = to_aligned(static_cast<const T*>(a->y)) == 0;
  const bool past = aligned && a->x != a->y && past_cache(context, a->n * int64_t(sizeof(T)));
  const T scale = T(1 / (1 - a->p));
  for_chunks(context, a->n, kDropoutGrain, [&](int64_t begin, int64_t end) {
    none_kept ? drop_all<T>(*a, begin, end) : drop_chunk<T>(*a, begin, end, scale, past);
  });
  return FD_OK;
}

}  // namespace

void fill_dropout(fd_kernels* table) {
  table->dropout.dropout[FD_F32] = dropout<float>;
  table->dropout.dropout[FD_F64] = dropout<double>;
}

}  // namespace fd::FD_ISA
