// What is sorted is words: 32 bits of an element's key above its position in the row. No two are equal, so a sorted row
// is one row only, however it was sorted, and the order is the stable one.
#pragma once

#include <type_traits>

#include "kernels/cpu/simd.h"
#include "kernels/cpu/tasks.h"

namespace fd::FD_ISA {

template <class T>
using Key = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

// Unsigned and in the order of x, NaN last; floats by their bits, flipped where the sign makes them run backwards.
template <class T>
Key<T> key_of(T x) {
  using K = Key<T>;
  constexpr K sign = K(1) << (8 * sizeof(K) - 1);
  if constexpr (std::is_floating_point_v<T>) {
    const K bits = __builtin_bit_cast(K, x + T(0));  // -0 becomes 0
    return x != x ? ~K(0) : bits ^ (-(bits >> (8 * sizeof(K) - 1)) | sign);
  } else if constexpr (std::is_signed_v<T>) {
    return K(K(x) ^ sign);
  } else {
    return K(x);
  }
}

// The element of a 32-bit key, unless it is a NaN or a zero, which lose bits.
template <class T>
T element_of(uint32_t key) {
  constexpr uint32_t sign = uint32_t(1) << 31;
  if constexpr (std::is_floating_point_v<T>)
    return __builtin_bit_cast(T, key & sign ? key ^ sign : ~key);
  else
    return T(std::is_signed_v<T> ? key ^ sign : key);
}
template <class T>
bool loses_bits(uint32_t key) {
  return std::is_floating_point_v<T> && (key == ~uint32_t(0) || key == uint32_t(1) << 31);
}

inline uint32_t order_in(uint64_t word) { return uint32_t(word >> 32); }
inline uint32_t position_in(uint64_t word) { return uint32_t(word); }

// A row's elements as words. Keys count from the least of them, and the bits in front that are then 0 in all are left
// out: 32 bits say as much as they can.
template <class T>
struct Words {
  using K = Key<T>;
  static constexpr int kBits = 8 * sizeof(K);
  const T* row;
  K flip;                       // all ones for descending order
  K base = 0;                   // subtracted
  int shared = 0;               // bits left out in front
  bool whole = sizeof(T) <= 4;  // whether 32 bits hold all that is left

  struct Span {
    K least = K(~K(0)), most = 0;
    void include(const Span& other) {
      least = other.least < least ? other.least : least;
      most = most < other.most ? other.most : most;
    }
  };

  K key(int64_t i) const { return key_of(row[i]) ^ flip; }
  uint64_t word(int64_t i) const {
    const K bits = K((key(i) - base) << shared);
    return uint64_t(bits >> (kBits - 32)) << 32 | uint32_t(i);
  }
  // By the bits that word() leaves out.
  uint64_t rest(uint32_t position) const { return uint64_t(uint32_t(key(position) - base)) << 32 | position; }

  // At least as far as the keys go.
  Span span(int64_t begin, int64_t end) const {
    Span s;
    int64_t i = begin;
    if constexpr (sizeof(T) >= 4) {
      constexpr int64_t L = Vec<T>::kLanes;
      if (end - begin >= L) i += span_of_vectors(begin, (end - begin) / L, &s);
    }
    for (; i < end; i++) s.include({key(i), key(i)});
    return s;
  }
  // The order of keys is that of values, but for NaN.
  int64_t span_of_vectors(int64_t begin, int64_t vectors, Span* s) const {
    constexpr int64_t L = Vec<T>::kLanes;
    Vec<T> low = Vec<T>::load(row + begin), high = low;
    auto nan = low != low;
    for (int64_t v = 0; v < vectors; v++) {
      const Vec<T> x = Vec<T>::load(row + begin + v * L);
      low = select(x < low, x, low);
      high = select(x > high, x, high);
      nan = nan | (x != x);
    }
    T ends[2 * L];
    low.store(ends);
    high.store(ends + L);
    for (T x : ends) s->include({K(key_of(x) ^ flip), K(key_of(x) ^ flip)});
    if (any(nan)) *s = {0, K(~K(0))};
    return vectors * L;
  }
  void fit(const Span& s) {
    base = s.least;
    const uint64_t range = s.most - s.least;
    shared = range ? __builtin_clzll(range) - (64 - kBits) : 0;
    whole = range <= UINT32_MAX;
  }
  void load(int64_t begin, int64_t end, uint64_t* out) const {
    for (int64_t i = begin; i < end; i++) out[i] = word(i);
  }
};

// ------------------------------------------------------------------------------------------------------------ sorting

constexpr int64_t kRun = 8 * Vec<int64_t>::kLanes;  // sorted by comparing all with all
constexpr int64_t kMerged = 96;                     // up to here merging beats counting
constexpr int64_t kFine = 6144;                     // from here on fewer passes are worth larger tables
constexpr int kFineBits = 11, kCoarseBits = 8;

// A word's place is the number of words below it: as many comparisons as there are pairs, but in vectors, and no branch
// to guess.
inline void rank_sort(const uint64_t* w, int64_t n, uint64_t* out) {
  using V = Vec<int64_t>;
  constexpr int64_t L = V::kLanes;
  alignas(64) int64_t order[kRun], rank[kRun];
  for (int64_t i = 0; i < n; i++) order[i] = int64_t(w[i] ^ uint64_t(1) << 63);
  for (int64_t i = n; i < ceil_div(n, 2 * L) * 2 * L; i++) order[i] = 0;
  const V one = int64_t(1), none = int64_t(0);
  for (int64_t i = 0; i < n; i += 2 * L) {
    const V a = V::load(order + i), b = V::load(order + i + L);
    V below_a = none, below_b = none;
    for (int64_t j = 0; j < n; j++) {
      const V other = order[j];
      below_a = below_a + select(other < a, one, none);
      below_b = below_b + select(other < b, one, none);
    }
    below_a.store(rank + i);
    below_b.store(rank + i + L);
  }
  for (int64_t i = 0; i < n; i++) out[rank[i]] = w[i];
}

inline void merge(const uint64_t* a, const uint64_t* a_end, const uint64_t* b, const uint64_t* b_end, uint64_t* out) {
  while (a < a_end && b < b_end) {
    const bool second = *b < *a;
    *out++ = second ? *b : *a;
    b += second;
    a += !second;
  }
  while (a < a_end) *out++ = *a++;
  while (b < b_end) *out++ = *b++;
}

inline uint64_t* merge_sort(uint64_t* a, uint64_t* b, int64_t n) {
  for (int64_t i = 0; i < n; i += kRun) rank_sort(a + i, least(kRun, n - i), b + i);
  exchange(a, b);
  for (int64_t width = kRun; width < n; width *= 2) {
    for (int64_t i = 0; i < n; i += 2 * width) {
      const int64_t middle = least(i + width, n), end = least(i + 2 * width, n);
      merge(a + i, a + middle, a + middle, a + end, b + i);
    }
    exchange(a, b);
  }
  return a;
}

template <int kBits>
FD_INLINE unsigned digit_of(uint64_t word, int shift) {
  return unsigned(word >> shift) & ((1u << kBits) - 1);
}

// Counts become the places where each digit's words begin.
template <int kBits>
void begin_places(uint32_t* counts) {
  uint32_t sum = 0;
  for (int v = 0; v < 1 << kBits; v++) {
    const uint32_t count = counts[v];
    counts[v] = sum;
    sum += count;
  }
}

template <int kBits>
void scatter(const uint64_t* from, int64_t n, int shift, uint32_t* place, uint64_t* to) {
  for (int64_t i = 0; i < n; i++) to[place[digit_of<kBits>(from[i], shift)]++] = from[i];
}

// The least digit first; a digit that is equal everywhere costs nothing.
template <int kBits>
uint64_t* counting_sort(uint64_t* a, uint64_t* b, int64_t n) {
  constexpr int kDigits = (32 + kBits - 1) / kBits;
  uint32_t counts[kDigits][1 << kBits] = {};
  for (int64_t i = 0; i < n; i++)
#pragma GCC unroll 4
    for (int d = 0; d < kDigits; d++) counts[d][digit_of<kBits>(a[i], 32 + kBits * d)]++;
  for (int d = 0; d < kDigits; d++) {
    const int shift = 32 + kBits * d;
    if (counts[d][digit_of<kBits>(a[0], shift)] == uint32_t(n)) continue;
    begin_places<kBits>(counts[d]);
    scatter<kBits>(a, n, shift, counts[d], b);
    exchange(a, b);
  }
  return a;
}

// Sorts a, whose words came in the order of their positions, with b as room; returns where they are.
inline uint64_t* sort_words(uint64_t* a, uint64_t* b, int64_t n) {
  if (n <= kMerged) return merge_sort(a, b, n);
  return n < kFine ? counting_sort<kCoarseBits>(a, b, n) : counting_sort<kFineBits>(a, b, n);
}

// Words that are equal above their positions, sorted by the bits that were left out.
template <class T>
void sort_rest(const Words<T>& words, uint64_t* sorted, uint64_t* room, int64_t n) {
  for (int64_t i = 0; i < n;) {
    int64_t end = i + 1;
    while (end < n && order_in(sorted[end]) == order_in(sorted[i])) end++;
    const int64_t run = end - i;
    if (run > 1) {
      for (int64_t j = i; j < end; j++) sorted[j] = words.rest(position_in(sorted[j]));
      const uint64_t* const done = sort_words(sorted + i, room + i, run);
      if (done != sorted + i)
        for (int64_t j = 0; j < run; j++) sorted[i + j] = done[j];
    }
    i = end;
  }
}

}  // namespace fd::FD_ISA
