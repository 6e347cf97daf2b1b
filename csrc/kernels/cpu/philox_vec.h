// The seven rounds of Philox4x32 behind masks (base/philox.h) for as many counter blocks at once as a register has
// 64-bit lanes.
//
// Each lane carries one 32-bit word in its low half and whatever is left over in the high half: the widening multiply
// reads low halves only, and its product's low half is the next word as it stands, so a round costs two multiplies,
// two shifts and two exclusive ors. (Words packed into 32-bit lanes need four multiplies and eight shuffles a round.)
// Of the counter only the block's low word varies within a chunk; the first two rounds compute half of their words
// once, as scalars.
#pragma once

#include "base/philox.h"
#include "kernels/cpu/simd.h"

namespace fd::FD_ISA {

#if defined(FD_ISA_AVX512)

using WideWords = __m512i;
FD_INLINE WideWords wide(uint32_t x) { return _mm512_set1_epi64(x); }
FD_INLINE WideWords product(WideWords a, WideWords b) { return _mm512_mul_epu32(a, b); }
FD_INLINE WideWords high_word(WideWords p) { return _mm512_srli_epi64(p, 32); }
FD_INLINE WideWords xor2(WideWords a, WideWords b) { return _mm512_xor_si512(a, b); }
FD_INLINE WideWords xor3(WideWords a, WideWords b, WideWords c) { return _mm512_ternarylogic_epi64(a, b, c, 0x96); }
FD_INLINE WideWords first_blocks(uint32_t block) {
  return _mm512_add_epi64(wide(block), _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7));
}
FD_INLINE WideWords pair(WideWords a, WideWords b) { return _mm512_mask_shuffle_epi32(a, 0xAAAA, b, _MM_PERM_CCAA); }
FD_INLINE WideWords even_pairs(WideWords a, WideWords b) { return _mm512_unpacklo_epi64(a, b); }
FD_INLINE WideWords odd_pairs(WideWords a, WideWords b) { return _mm512_unpackhi_epi64(a, b); }

#elif defined(FD_ISA_AVX2)

using WideWords = __m256i;
FD_INLINE WideWords wide(uint32_t x) { return _mm256_set1_epi64x(x); }
FD_INLINE WideWords product(WideWords a, WideWords b) { return _mm256_mul_epu32(a, b); }
FD_INLINE WideWords high_word(WideWords p) { return _mm256_srli_epi64(p, 32); }
FD_INLINE WideWords xor2(WideWords a, WideWords b) { return _mm256_xor_si256(a, b); }
FD_INLINE WideWords xor3(WideWords a, WideWords b, WideWords c) { return xor2(xor2(a, b), c); }
FD_INLINE WideWords first_blocks(uint32_t block) {
  return _mm256_add_epi64(wide(block), _mm256_setr_epi64x(0, 2, 1, 3));
}
FD_INLINE WideWords pair(WideWords a, WideWords b) { return _mm256_blend_epi32(a, _mm256_slli_epi64(b, 32), 0xAA); }
FD_INLINE WideWords even_pairs(WideWords a, WideWords b) { return _mm256_unpacklo_epi64(a, b); }
FD_INLINE WideWords odd_pairs(WideWords a, WideWords b) { return _mm256_unpackhi_epi64(a, b); }

#elif defined(FD_ISA_NEON)

using WideWords = uint32x4_t;
FD_INLINE WideWords wide(uint32_t x) { return vdupq_n_u32(x); }
FD_INLINE WideWords product(WideWords a, WideWords b) {
  return vreinterpretq_u32_u64(vmull_u32(vmovn_u64(vreinterpretq_u64_u32(a)), vmovn_u64(vreinterpretq_u64_u32(b))));
}
FD_INLINE WideWords high_word(WideWords p) { return vreinterpretq_u32_u64(vshrq_n_u64(vreinterpretq_u64_u32(p), 32)); }
FD_INLINE WideWords xor2(WideWords a, WideWords b) { return veorq_u32(a, b); }
FD_INLINE WideWords xor3(WideWords a, WideWords b, WideWords c) { return xor2(xor2(a, b), c); }
FD_INLINE WideWords first_blocks(uint32_t block) {
  const uint32_t lanes[4] = {0, 0, 1, 0};
  return vaddq_u32(wide(block), vld1q_u32(lanes));
}
FD_INLINE WideWords pair(WideWords a, WideWords b) { return vtrn1q_u32(a, b); }
FD_INLINE WideWords even_pairs(WideWords a, WideWords b) {
  return vreinterpretq_u32_u64(vzip1q_u64(vreinterpretq_u64_u32(a), vreinterpretq_u64_u32(b)));
}
FD_INLINE WideWords odd_pairs(WideWords a, WideWords b) {
  return vreinterpretq_u32_u64(vzip2q_u64(vreinterpretq_u64_u32(a), vreinterpretq_u64_u32(b)));
}

#endif

// Random words of elements in one aligned run of 2^32 blocks. A draw makes several independent groups at once: one
// alone is a chain of 70 cycles, too long for the schedulers of current CPUs to overlap with the next.
template <int Rounds>
class PhiloxVec {
 public:
  static constexpr int kGroups = 4, kVectors = 2 * kGroups;
  static constexpr int kWords = kVectors * Vec<uint32_t>::kLanes;  // elements of one draw

  PhiloxVec(uint64_t seed, uint64_t offset, uint32_t block_high) {
    uint32_t k0 = uint32_t(seed), k1 = uint32_t(seed >> 32);
    for (int round = 0; round < Rounds; round++, k0 += FD_PHILOX_W0, k1 += FD_PHILOX_W1) {
      key0_[round] = k0;
      key1_[round] = k1;
    }
    const uint64_t first = uint64_t(FD_PHILOX_M1) * uint32_t(offset);
    const uint64_t second = uint64_t(FD_PHILOX_M0) * (uint32_t(first >> 32) ^ block_high ^ key0_[0]);
    mix2_ = uint32_t(offset >> 32) ^ key1_[0];
    mix0_ = uint32_t(first) ^ key0_[1];
    mix2_next_ = uint32_t(second >> 32) ^ key1_[1];
    mix2_last_ = uint32_t(second) ^ key1_[2];
  }

  // Words of elements 4 block ... 4 block + kWords - 1, in order. block is a multiple of kWords / 4.
  FD_INLINE void draw(uint32_t block, Vec<uint32_t> (&words)[kVectors]) const {
    const WideWords m0 = wide(FD_PHILOX_M0), m1 = wide(FD_PHILOX_M1);
    WideWords c0[kGroups], c1[kGroups], c2[kGroups], c3[kGroups];
    const auto each = [](auto step) {
#pragma GCC unroll 4
      for (int g = 0; g < kGroups; g++) step(g);
    };
    each([&](int g) {  // rounds 0 and 1
      const WideWords q = product(first_blocks(block + uint32_t(g * kWords / kGroups / 4)), m0);
      c1[g] = product(xor2(high_word(q), wide(mix2_)), m1);
      c0[g] = xor2(high_word(c1[g]), wide(mix0_));
      c2[g] = xor2(q, wide(mix2_next_));
    });
    each([&](int g) {  // round 2
      const WideWords p0 = product(c0[g], m0), p1 = product(c2[g], m1);
      c0[g] = xor3(high_word(p1), c1[g], wide(key0_[2]));
      c2[g] = xor2(high_word(p0), wide(mix2_last_));
      c1[g] = p1;
      c3[g] = p0;
    });
#pragma GCC unroll 8
    for (int round = 3; round < Rounds; round++) {
      each([&](int g) {
        const WideWords p0 = product(c0[g], m0), p1 = product(c2[g], m1);
        c0[g] = xor3(high_word(p1), c1[g], wide(key0_[round]));
        c2[g] = xor3(high_word(p0), c3[g], wide(key1_[round]));
        c1[g] = p1;
        c3[g] = p0;
      });
    }
    each([&](int g) {
      const WideWords a = pair(c0[g], c1[g]), b = pair(c2[g], c3[g]);
      words[2 * g] = Vec<uint32_t>::of(even_pairs(a, b));
      words[2 * g + 1] = Vec<uint32_t>::of(odd_pairs(a, b));
    });
  }

 private:
  uint32_t key0_[Rounds], key1_[Rounds];
  uint32_t mix0_, mix2_, mix2_next_, mix2_last_;
};
using MaskPhilox = PhiloxVec<FD_MASK_ROUNDS>;

}  // namespace fd::FD_ISA
