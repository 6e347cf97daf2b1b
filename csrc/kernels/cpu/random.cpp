// Normal and uniform numbers, bit by bit those of reference/random.cpp: the same sums, products, quotients and roots in
// the same order, none of them fused, so that a seed gives the same numbers on every ISA.
//
// Bound by arithmetic: a pair of normals takes a logarithm, a sine, a cosine, a division and a root in double. 1 M
// float32 on one core: normal 2.6 ms, uniform 0.64 ms (AVX-512, Intel(R) Xeon(R) Processor @ 2.10GHz).
#include <utility>

#include "kernels/cpu/lanes.h"
#include "kernels/cpu/philox_vec.h"
#include "kernels/cpu/table.h"
#include "kernels/cpu/tasks.h"
#include "kernels/taylor.h"

namespace fd::FD_ISA {
namespace {

// A power of two, so that every chunk starts a draw and keeps the high word of its counter blocks.
constexpr int64_t kRandomGrain = 1 << 13;
using NumberPhilox = PhiloxVec<FD_PHILOX_ROUNDS>;
constexpr int kWords = NumberPhilox::kWords;

struct Circle {
  Vec<double> cos, sin;
};

// ln((word + 1) / 2^32)
FD_INLINE Vec<double> log_of_fraction(Vec<int64_t> word) {
  const Vec<double> x = to_float<double>(word + Vec<int64_t>(1)) * 0x1p-32;
  const Vec<int64_t> e = shr<52>(bits(x) - bits(Vec<double>(0.70710678118654752440)));
  const Vec<double> f = from_bits<double>(bits(x) - shl<52>(e)), s = (f - 1.0) / (f + 1.0), z = s * s;
  Vec<double> series = 0.0;
#pragma GCC unroll 16
  for (int k = 21; k >= 1; k -= 2) series = series * z + 1.0 / k;
  return to_float<double>(e) * 0.69314718055994530942 + s * 2.0 * series;
}

// cos and sin of 2 pi word / 2^32
FD_INLINE Circle circle(Vec<int64_t> word) {
  const Vec<int64_t> quarter = shr<30>(word + Vec<int64_t>(1 << 29)), one = 1, two = 2;
  const Vec<double> x = to_float<double>(word - shl<30>(quarter)) * (6.28318530717958647693 * 0x1p-32), z = x * x;
  Vec<double> cos = 0.0, sin = 0.0;
#pragma GCC unroll 16
  for (int k = 8; k >= 0; k--) {
    cos = cos * z + kTaylorCos[k];
    sin = sin * z + kTaylorSin[k];
  }
  sin = sin * x;
  const Mask<double> swapped = (quarter & one) != Vec<int64_t>(0);
  const Vec<double> cos_sign = from_bits<double>(shl<62>((quarter + one) & two));
  return {select(swapped, sin, cos) ^ cos_sign, select(swapped, cos, sin) ^ from_bits<double>(shl<62>(quarter & two))};
}

// Lanes of a and b in turn, from the first half of both or the second.
template <int Half, int... I>
FD_INLINE Vec<double> interleave(Vec<double> a, Vec<double> b, std::integer_sequence<int, I...>) {
  constexpr int L = Vec<double>::kLanes;
  return Vec<double>::of(shuffled<(Half * L / 2 + I / 2 + I % 2 * L)...>(a.v, b.v));
}
template <int Half>
FD_INLINE Vec<double> interleave(Vec<double> a, Vec<double> b) {
  return interleave<Half>(a, b, std::make_integer_sequence<int, Vec<double>::kLanes>());
}

FD_INLINE void store_pair(float* p, Vec<double> lo, Vec<double> hi) { narrow(lo, hi).store(p); }
FD_INLINE void store_pair(double* p, Vec<double> lo, Vec<double> hi) {
  lo.store(p);
  hi.store(p + Vec<double>::kLanes);
}

struct Normal {
  // kWords numbers from as many words.
  template <class T>
  FD_INLINE static void make(const fd_random& r, const uint32_t* words, T* out) {
    constexpr int L = Vec<double>::kLanes;
    const Vec<double> a = r.a, b = r.b;
    for (int i = 0; i < kWords; i += 2 * L) {
      int64_t pairs[L];
      copy_bytes(pairs, words + i, sizeof pairs);
      const Vec<int64_t> pair = Vec<int64_t>::load(pairs), low = int64_t(UINT32_MAX);
      const Vec<double> radius = b * sqrt(log_of_fraction(pair & low) * -2.0);
      const Circle at = circle(shr<32>(pair) & low);
      const Vec<double> cos = a + radius * at.cos, sin = a + radius * at.sin;
      store_pair(out + i, interleave<0>(cos, sin), interleave<1>(cos, sin));
    }
  }
};

// float32 only.
struct Uniform {
  FD_INLINE static void make(const fd_random& r, const uint32_t* words, float* out) {
    constexpr int L = Vec<float>::kLanes;
    const Vec<double> a = r.a, range = r.b - r.a;
    const float end = float(r.b);
    const Vec<float> last = r.a < r.b ? __builtin_nextafterf(end, float(r.a)) : end;
    for (int i = 0; i < kWords; i += L) {
      const Vec<float> u = to_float<float>(as_signed(shr<8>(Vec<uint32_t>::load(words + i)))) * 0x1p-24f;
      const Vec<float> x = narrow(a + range * widen_lo(u), a + range * widen_hi(u));
      select(x == Vec<float>(end), last, x).store(out + i);
    }
  }
};

template <class Make, class T>
void random_chunk(const fd_random& r, int64_t begin, int64_t end) {
  const NumberPhilox philox(r.rng->seed, r.rng->offset, uint32_t(uint64_t(begin / 4) >> 32));
  T* const out = static_cast<T*>(r.out);
  for (int64_t i = begin; i < end; i += kWords) {
    Vec<uint32_t> vectors[NumberPhilox::kVectors];
    alignas(64) uint32_t words[kWords];
    philox.draw(uint32_t(uint64_t(i) / 4), vectors);
#pragma GCC unroll 8
    for (int k = 0; k < NumberPhilox::kVectors; k++) vectors[k].store(words + k * Vec<uint32_t>::kLanes);
    if (i + kWords <= end) {
      Make::make(r, words, out + i);
    } else {
      T rest[kWords];
      Make::make(r, words, rest);
      copy_bytes(out + i, rest, size_t(end - i) * sizeof(T));
    }
  }
}

template <class Make, class T>
fd_status random(fd_context* context, const fd_random* r) {
  for_chunks(context, r->n, kRandomGrain, [&](int64_t begin, int64_t end) { random_chunk<Make, T>(*r, begin, end); });
  return FD_OK;
}

}  // namespace

void fill_random(fd_kernels* table) {
  table->dropout.normal[FD_F32] = random<Normal, float>;
  table->dropout.normal[FD_F64] = random<Normal, double>;
  table->dropout.uniform[FD_F32] = random<Uniform, float>;
}

}  // namespace fd::FD_ISA
