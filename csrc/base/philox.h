/* Philox4x32 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC'11), in valid C11.
 *
 * Random bits are a pure function of (seed, offset, element): element i is word i mod 4 of counter block i div 4.
 *   key     = seed (low word, high word)
 *   counter = block (low, high), offset (low, high)
 * seed is the generator's; offset counts the random operations drawn from it, one each.
 * Numbers take the ten rounds its authors advise. Dropout's masks, which a network only needs to be without pattern,
 * take seven, the fewest its authors saw pass BigCrush: ten would take longer than moving the data. */
#ifndef FREEDIVE_BASE_PHILOX_H
#define FREEDIVE_BASE_PHILOX_H

#include <stdint.h>

#define FD_PHILOX_M0 0xD2511F53u
#define FD_PHILOX_M1 0xCD9E8D57u
#define FD_PHILOX_W0 0x9E3779B9u
#define FD_PHILOX_W1 0xBB67AE85u
#define FD_PHILOX_ROUNDS 10
#define FD_MASK_ROUNDS 7

#ifdef __CUDACC__
#define FD_PHILOX_FN static __host__ __device__ inline
#else
#define FD_PHILOX_FN static inline
#endif

typedef struct fd_philox4 {
  uint32_t v[4];
} fd_philox4;

FD_PHILOX_FN fd_philox4 fd_philox_rounds(int rounds, uint64_t seed, uint64_t offset, uint64_t block) {
  uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32), c2 = (uint32_t)offset, c3 = (uint32_t)(offset >> 32);
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  for (int round = 0; round < rounds; round++) {
    const uint64_t p0 = (uint64_t)FD_PHILOX_M0 * c0, p1 = (uint64_t)FD_PHILOX_M1 * c2;
    const uint32_t h0 = (uint32_t)(p0 >> 32), h1 = (uint32_t)(p1 >> 32);
    c0 = h1 ^ c1 ^ k0;
    c1 = (uint32_t)p1;
    c2 = h0 ^ c3 ^ k1;
    c3 = (uint32_t)p0;
    k0 += FD_PHILOX_W0;
    k1 += FD_PHILOX_W1;
  }
  fd_philox4 out;
  out.v[0] = c0;
  out.v[1] = c1;
  out.v[2] = c2;
  out.v[3] = c3;
  return out;
}

FD_PHILOX_FN fd_philox4 fd_philox(uint64_t seed, uint64_t offset, uint64_t block) {
  return fd_philox_rounds(FD_PHILOX_ROUNDS, seed, offset, block);
}

FD_PHILOX_FN fd_philox4 fd_mask_philox(uint64_t seed, uint64_t offset, uint64_t block) {
  return fd_philox_rounds(FD_MASK_ROUNDS, seed, offset, block);
}

FD_PHILOX_FN uint32_t fd_mask_bits(uint64_t seed, uint64_t offset, uint64_t element) {
  return fd_mask_philox(seed, offset, element / 4).v[element % 4];
}

/* An element is dropped where its bits are below this: drop probability p, exact to 2^-32. p = 1 drops all but
 * needs the caller's care, as 2^32 does not fit: hence 64 bits. */
FD_PHILOX_FN uint64_t fd_drop_threshold(double p) { return (uint64_t)(p * 4294967296.0); }

#endif
