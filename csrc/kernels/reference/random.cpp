// Random numbers from Philox words (base/philox.h). No function of the C library whose last bits may differ is
// called, and contraction is off, so a seed gives the same bits with every compiler; cpu/random.cpp repeats the same
// operations on vectors, and every other device copies.
//
//   uniform    float32: the upper 24 bits of word i; float64: the upper 53 of (word 2i + 1, word 2i). a + (b - a) u in
//              double, rounded once; where that yields b, the number before b.
//   normal     a + b z. Box and Muller (1958) on words 2j and 2j + 1, in double for both dtypes, rounded once:
//              r = sqrt(-2 ln((word + 1) / 2^32)), so |z| < 6.67;  z = r cos(2 pi u), r sin(2 pi u)
//   randint    low + floor(bits (high - low) / 2^64) with the 64 bits of words 2i (lower) and 2i + 1: no value's
//              probability is off by more than 2^-64, where a remainder would favour the low ones.
//   bernoulli  1 where word i is below a 2^32.
#include "kernels/reference/element.h"
#include "kernels/reference/philox_words.h"
#include "kernels/reference/table.h"
#include "kernels/taylor.h"

namespace fd::reference {
namespace {

uint64_t join(uint32_t low, uint32_t high) { return uint64_t(high) << 32 | low; }

template <class T>
T between(double a, double b, double u) {
  const T x = static_cast<T>(a + (b - a) * u), end = static_cast<T>(b);
  return x == end && a < b ? std::nextafter(end, static_cast<T>(a)) : x;
}

template <class T>
fd_status uniform(fd_context*, const fd_random* r) {
  T* const out = static_cast<T*>(r->out);
  if constexpr (std::is_same_v<T, float>)
    for_each_word(*r->rng, r->n,
                  [=](int64_t i, uint32_t word) { out[i] = between<T>(r->a, r->b, (word >> 8) * 0x1p-24); });
  else
    for_each_word_pair(*r->rng, r->n, [=](int64_t i, uint32_t low, uint32_t high) {
      out[i] = between<T>(r->a, r->b, double(join(low, high) >> 11) * 0x1p-53);
    });
  return FD_OK;
}

// ln((word + 1) / 2^32) = e ln 2 + ln f with f in [1/sqrt 2, sqrt 2); with s = (f - 1) / (f + 1),
// ln f = 2 (s + s^3/3 + s^5/5 + ...), whose terms after s^21 are below 2^-56.
double log_of_fraction(uint32_t word) {
  const double x = double(uint64_t(word) + 1) * 0x1p-32;
  uint64_t bits = std::bit_cast<uint64_t>(x);
  const uint64_t half = std::bit_cast<uint64_t>(0.70710678118654752440);
  const int64_t e = int64_t(bits - half) >> 52;
  bits -= uint64_t(e) << 52;
  const double f = std::bit_cast<double>(bits);
  const double s = (f - 1) / (f + 1), z = s * s;
  double series = 0;
  for (int k = 21; k >= 1; k -= 2) series = series * z + 1.0 / k;
  return double(e) * 0.69314718055994530942 + 2 * s * series;
}

struct Circle {
  double cos, sin;
};

// cos and sin of 2 pi word / 2^32: Taylor series of the angle's rest in [-pi/4, pi/4), turned by its quarters.
Circle circle(uint32_t word) {
  const uint32_t quarter = (word + (1u << 29)) >> 30;
  const double x = int32_t(word - (quarter << 30)) * (6.28318530717958647693 * 0x1p-32), z = x * x;
  double cos = 0, sin = 0;
  for (int k = 8; k >= 0; k--) {
    cos = cos * z + kTaylorCos[k];
    sin = sin * z + kTaylorSin[k];
  }
  sin = sin * x;
  switch (quarter) {
    case 1:
      return {-sin, cos};
    case 2:
      return {-cos, -sin};
    case 3:
      return {sin, -cos};
    default:
      return {cos, sin};
  }
}

template <class T>
fd_status normal(fd_context*, const fd_random* r) {
  T* const out = static_cast<T*>(r->out);
  for_each_word_pair(*r->rng, (r->n + 1) / 2, [=](int64_t j, uint32_t first, uint32_t second) {
    const double radius = r->b * std::sqrt(-2 * log_of_fraction(first));
    const Circle at = circle(second);
    out[2 * j] = static_cast<T>(r->a + radius * at.cos);
    if (2 * j + 1 < r->n) out[2 * j + 1] = static_cast<T>(r->a + radius * at.sin);
  });
  return FD_OK;
}

uint64_t multiply_high(uint64_t a, uint64_t b) {
  const uint64_t a0 = uint32_t(a), a1 = a >> 32, b0 = uint32_t(b), b1 = b >> 32;
  const uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
  return a1 * b1 + (middle >> 32) + ((a0 * b1 + uint32_t(middle)) >> 32);
}

template <class T>
fd_status randint(fd_context*, const fd_random* r) {
  const uint64_t range = uint64_t(r->high) - uint64_t(r->low);
  for_each_word_pair(*r->rng, r->n, [=](int64_t i, uint32_t low, uint32_t high) {
    const uint64_t value = uint64_t(r->low) + multiply_high(join(low, high), range);
    static_cast<T*>(r->out)[i] = static_cast<T>(int64_t(value));
  });
  return FD_OK;
}

template <class T>
fd_status bernoulli(fd_context*, const fd_random* r) {
  const uint64_t threshold = fd_drop_threshold(r->a);
  for_each_word(*r->rng, r->n,
                [=](int64_t i, uint32_t word) { static_cast<T*>(r->out)[i] = static_cast<T>(word < threshold); });
  return FD_OK;
}

}  // namespace

void fill_random(fd_kernels* table) {
  fd_dropout_kernels& k = table->dropout;
  for_each_floating([&k]<class T>(fd_dtype dtype) {
    k.uniform[dtype] = uniform<T>;
    k.normal[dtype] = normal<T>;
  });
  for_each_dtype([&k]<class T>(fd_dtype dtype) {
    if constexpr (!is_half<T>) {
      k.randint[dtype] = randint<T>;
      k.bernoulli[dtype] = bernoulli<T>;
    }
  });
}

}  // namespace fd::reference
