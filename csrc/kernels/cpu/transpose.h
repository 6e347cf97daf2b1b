// Squares of as many vectors as a vector has lanes, transposed in registers or summed over lanes, and matrices turned
// square by square.
#pragma once

#include "kernels/cpu/simd.h"
#include "kernels/cpu/tasks.h"

namespace fd::FD_ISA {

// transpose(v): lane j of v[i] becomes lane i of v[j].
// hsums(v): lane i is hsum(v[i]), bit for bit, for less than half the work.
template <class T>
using VecSquare = Vec<T>[Vec<T>::kLanes];

#if defined(FD_ISA_AVX512)

FD_INLINE void transpose(VecSquare<float>& v) {
  __m512 a[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 4) {  // four rows: a[i + c] holds columns c, c + 4, c + 8, c + 12
    const __m512d lo0 = _mm512_castps_pd(_mm512_unpacklo_ps(v[i].v, v[i + 1].v));
    const __m512d lo1 = _mm512_castps_pd(_mm512_unpacklo_ps(v[i + 2].v, v[i + 3].v));
    const __m512d hi0 = _mm512_castps_pd(_mm512_unpackhi_ps(v[i].v, v[i + 1].v));
    const __m512d hi1 = _mm512_castps_pd(_mm512_unpackhi_ps(v[i + 2].v, v[i + 3].v));
    a[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(lo0, lo1));
    a[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(lo0, lo1));
    a[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(hi0, hi1));
    a[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(hi0, hi1));
  }
#pragma GCC unroll 16
  for (int c = 0; c < 4; c++) {
    const __m512 lo0 = _mm512_shuffle_f32x4(a[c], a[c + 4], 0x44),
                 lo1 = _mm512_shuffle_f32x4(a[c + 8], a[c + 12], 0x44);
    const __m512 hi0 = _mm512_shuffle_f32x4(a[c], a[c + 4], 0xee),
                 hi1 = _mm512_shuffle_f32x4(a[c + 8], a[c + 12], 0xee);
    v[c].v = _mm512_shuffle_f32x4(lo0, lo1, 0x88);
    v[c + 4].v = _mm512_shuffle_f32x4(lo0, lo1, 0xdd);
    v[c + 8].v = _mm512_shuffle_f32x4(hi0, hi1, 0x88);
    v[c + 12].v = _mm512_shuffle_f32x4(hi0, hi1, 0xdd);
  }
}

FD_INLINE void transpose(VecSquare<double>& v) {
  __m512d a[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i += 2) {  // two rows: a[i + c] holds columns c, c + 2, c + 4, c + 6
    a[i] = _mm512_unpacklo_pd(v[i].v, v[i + 1].v);
    a[i + 1] = _mm512_unpackhi_pd(v[i].v, v[i + 1].v);
  }
#pragma GCC unroll 8
  for (int c = 0; c < 2; c++) {
    const __m512d lo0 = _mm512_shuffle_f64x2(a[c], a[c + 2], 0x44),
                  lo1 = _mm512_shuffle_f64x2(a[c + 4], a[c + 6], 0x44);
    const __m512d hi0 = _mm512_shuffle_f64x2(a[c], a[c + 2], 0xee),
                  hi1 = _mm512_shuffle_f64x2(a[c + 4], a[c + 6], 0xee);
    v[c].v = _mm512_shuffle_f64x2(lo0, lo1, 0x88);
    v[c + 2].v = _mm512_shuffle_f64x2(lo0, lo1, 0xdd);
    v[c + 4].v = _mm512_shuffle_f64x2(hi0, hi1, 0x88);
    v[c + 6].v = _mm512_shuffle_f64x2(hi0, hi1, 0xdd);
  }
}

// Halves meet first, then quarters, as in hsum; vectors are paired so that the sums come out in order.
FD_INLINE Vec<float> hsums(const VecSquare<float>& v) {
  __m512 a[8];
#pragma GCC unroll 8
  for (int k = 0; k < 8; k++) {
    constexpr int kFirst[] = {0, 2, 1, 3, 8, 10, 9, 11};
    const __m512 x = v[kFirst[k]].v, y = v[kFirst[k] + 4].v;
    a[k] = _mm512_shuffle_f32x4(x, y, 0x44) + _mm512_shuffle_f32x4(x, y, 0xee);
  }
#pragma GCC unroll 8
  for (int k = 0; k < 4; k++)
    a[k] = _mm512_shuffle_f32x4(a[k], a[k + 4], 0x88) + _mm512_shuffle_f32x4(a[k], a[k + 4], 0xdd);
#pragma GCC unroll 8
  for (int k = 0; k < 2; k++) {
    const __m512d x = _mm512_castps_pd(a[k]), y = _mm512_castps_pd(a[k + 2]);
    a[k] = _mm512_castpd_ps(_mm512_unpacklo_pd(x, y)) + _mm512_castpd_ps(_mm512_unpackhi_pd(x, y));
  }
  return Vec<float>::of(_mm512_shuffle_ps(a[0], a[1], 0x88) + _mm512_shuffle_ps(a[0], a[1], 0xdd));
}

FD_INLINE Vec<double> hsums(const VecSquare<double>& v) {
  __m512d a[4];
#pragma GCC unroll 4
  for (int k = 0; k < 4; k++) {
    constexpr int kFirst[] = {0, 1, 4, 5};
    const __m512d x = v[kFirst[k]].v, y = v[kFirst[k] + 2].v;
    a[k] = _mm512_shuffle_f64x2(x, y, 0x44) + _mm512_shuffle_f64x2(x, y, 0xee);
  }
#pragma GCC unroll 4
  for (int k = 0; k < 2; k++)
    a[k] = _mm512_shuffle_f64x2(a[k], a[k + 2], 0x88) + _mm512_shuffle_f64x2(a[k], a[k + 2], 0xdd);
  return Vec<double>::of(_mm512_unpacklo_pd(a[0], a[1]) + _mm512_unpackhi_pd(a[0], a[1]));
}

#elif defined(FD_ISA_AVX2)

FD_INLINE void transpose(VecSquare<float>& v) {
  __m256 a[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i += 4) {  // four rows: a[i + c] holds columns c and c + 4
    const __m256d lo0 = _mm256_castps_pd(_mm256_unpacklo_ps(v[i].v, v[i + 1].v));
    const __m256d lo1 = _mm256_castps_pd(_mm256_unpacklo_ps(v[i + 2].v, v[i + 3].v));
    const __m256d hi0 = _mm256_castps_pd(_mm256_unpackhi_ps(v[i].v, v[i + 1].v));
    const __m256d hi1 = _mm256_castps_pd(_mm256_unpackhi_ps(v[i + 2].v, v[i + 3].v));
    a[i] = _mm256_castpd_ps(_mm256_unpacklo_pd(lo0, lo1));
    a[i + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(lo0, lo1));
    a[i + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(hi0, hi1));
    a[i + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(hi0, hi1));
  }
#pragma GCC unroll 8
  for (int c = 0; c < 4; c++) {
    v[c].v = _mm256_permute2f128_ps(a[c], a[c + 4], 0x20);
    v[c + 4].v = _mm256_permute2f128_ps(a[c], a[c + 4], 0x31);
  }
}

FD_INLINE void transpose(VecSquare<double>& v) {
  __m256d a[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i += 2) {
    a[i] = _mm256_unpacklo_pd(v[i].v, v[i + 1].v);
    a[i + 1] = _mm256_unpackhi_pd(v[i].v, v[i + 1].v);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 2; c++) {
    v[c].v = _mm256_permute2f128_pd(a[c], a[c + 2], 0x20);
    v[c + 2].v = _mm256_permute2f128_pd(a[c], a[c + 2], 0x31);
  }
}

FD_INLINE Vec<float> hsums(const VecSquare<float>& v) {
  __m256 a[4];
#pragma GCC unroll 4
  for (int k = 0; k < 4; k++) {
    constexpr int kFirst[] = {0, 2, 1, 3};
    const __m256 x = v[kFirst[k]].v, y = v[kFirst[k] + 4].v;
    a[k] = _mm256_permute2f128_ps(x, y, 0x20) + _mm256_permute2f128_ps(x, y, 0x31);
  }
#pragma GCC unroll 4
  for (int k = 0; k < 2; k++) {
    const __m256d x = _mm256_castps_pd(a[k]), y = _mm256_castps_pd(a[k + 2]);
    a[k] = _mm256_castpd_ps(_mm256_unpacklo_pd(x, y)) + _mm256_castpd_ps(_mm256_unpackhi_pd(x, y));
  }
  return Vec<float>::of(_mm256_shuffle_ps(a[0], a[1], 0x88) + _mm256_shuffle_ps(a[0], a[1], 0xdd));
}

FD_INLINE Vec<double> hsums(const VecSquare<double>& v) {
  __m256d a[2];
#pragma GCC unroll 2
  for (int k = 0; k < 2; k++)
    a[k] = _mm256_permute2f128_pd(v[k].v, v[k + 2].v, 0x20) + _mm256_permute2f128_pd(v[k].v, v[k + 2].v, 0x31);
  return Vec<double>::of(_mm256_unpacklo_pd(a[0], a[1]) + _mm256_unpackhi_pd(a[0], a[1]));
}

#else

FD_INLINE void transpose(VecSquare<float>& v) {
  float64x2_t a[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i += 2) {
    a[i] = vreinterpretq_f64_f32(vtrn1q_f32(v[i].v, v[i + 1].v));
    a[i + 1] = vreinterpretq_f64_f32(vtrn2q_f32(v[i].v, v[i + 1].v));
  }
#pragma GCC unroll 4
  for (int c = 0; c < 2; c++) {
    v[c].v = vreinterpretq_f32_f64(vtrn1q_f64(a[c], a[c + 2]));
    v[c + 2].v = vreinterpretq_f32_f64(vtrn2q_f64(a[c], a[c + 2]));
  }
}

FD_INLINE void transpose(VecSquare<double>& v) {
  const float64x2_t a = vtrn1q_f64(v[0].v, v[1].v);
  v[1].v = vtrn2q_f64(v[0].v, v[1].v);
  v[0].v = a;
}

FD_INLINE Vec<float> hsums(const VecSquare<float>& v) {
  float32x4_t a[2];
#pragma GCC unroll 2
  for (int k = 0; k < 2; k++) {
    const float64x2_t x = vreinterpretq_f64_f32(v[2 * k].v), y = vreinterpretq_f64_f32(v[2 * k + 1].v);
    a[k] = vaddq_f32(vreinterpretq_f32_f64(vtrn1q_f64(x, y)), vreinterpretq_f32_f64(vtrn2q_f64(x, y)));
  }
  return Vec<float>::of(vaddq_f32(vuzp1q_f32(a[0], a[1]), vuzp2q_f32(a[0], a[1])));
}

FD_INLINE Vec<double> hsums(const VecSquare<double>& v) {
  return Vec<double>::of(vaddq_f64(vtrn1q_f64(v[0].v, v[1].v), vtrn2q_f64(v[0].v, v[1].v)));
}

#endif

// to[l * to_step + j] = from[j][l] for every lane j and l < length, at most as many as there are lanes.
template <class T>
FD_INLINE void transpose_square(const T* const* from, int64_t length, T* to, int64_t to_step) {
  constexpr int L = Vec<T>::kLanes;
  VecSquare<T> v;
  if (length == L) {
#pragma GCC unroll 16
    for (int i = 0; i < L; i++) v[i] = Vec<T>::load(from[i]);
    transpose(v);
#pragma GCC unroll 16
    for (int i = 0; i < L; i++) v[i].store(to + i * to_step);
    return;
  }
#pragma GCC unroll 16
  for (int i = 0; i < L; i++) v[i] = Vec<T>::load(from[i], length);
  transpose(v);
#pragma GCC unroll 16
  for (int i = 0; i < L; i++) {
    if (i < length) v[i].store(to + i * to_step);
  }
}

constexpr int64_t kTurnedRun = 64;  // elements of a column at a time, for the prefetcher to follow

// to[l * width + j] = from[j * from_step + l] for j < columns, l < k; the columns up to width (a whole number of
// vectors) repeat the last one, so that unused lanes never hold stale memory.
template <class T>
void transpose_panel(const T* from, int64_t from_step, int64_t columns, int64_t k, T* to, int64_t width) {
  constexpr int L = Vec<T>::kLanes;
  for (int64_t begin = 0; begin < k; begin += kTurnedRun) {
    const int64_t end = least(k, begin + kTurnedRun);
    for (int64_t j = 0; j < width; j += L) {
      const T* column[L];
#pragma GCC unroll 16
      for (int i = 0; i < L; i++) column[i] = from + least(j + i, columns - 1) * from_step + begin;
      for (int64_t l = begin; l < end; l += L) {
        transpose_square(column, least<int64_t>(L, end - l), to + l * width + j, width);
#pragma GCC unroll 16
        for (int i = 0; i < L; i++) column[i] += L;
      }
    }
  }
}

}  // namespace fd::FD_ISA
