// The register tile: C += A B for R rows by NV vectors, all accumulators in registers.
#pragma once

#include <utility>

#include "kernels/cpu/gemm.h"

namespace fd::FD_ISA {

constexpr int64_t kPrefetchRows = 8;  // of B ahead of the one in use

template <class T, int NV, bool kMask>
FD_INLINE Vec<T> load_lane_group(const T* p, int v, int64_t lanes) {
  return kMask && v == NV - 1 ? Vec<T>::load(p + v * Vec<T>::kLanes, lanes) : Vec<T>::load(p + v * Vec<T>::kLanes);
}

// Three rows of A share a pointer: x86 addresses p, p + stride and p + 2 stride without arithmetic.
template <class T, int R>
struct RowPointers {
  static constexpr int kCount = (R + 2) / 3;
  const T* p[kCount];
  int64_t stride;

  FD_INLINE RowPointers(const T* a, int64_t row_stride) : stride(row_stride) {
    FD_UNROLL for (int i = 0; i < kCount; i++) p[i] = a + 3 * i * row_stride;
  }
  FD_INLINE T at(int row) const { return p[row / 3][row % 3 * stride]; }
  FD_INLINE void advance(int64_t step) {
    FD_UNROLL for (int i = 0; i < kCount; i++) {
      p[i] += step;
      asm("" : "+r"(p[i]));  // or the optimiser keeps a pointer per row, more than there are registers
    }
  }
};

template <class T, int R, int NV, bool kMask, bool kPack>
void tile_row(const TileRow<T>& t) {
  using V = Vec<T>;
  constexpr int L = V::kLanes;
  const int64_t k = t.k, lanes = t.lanes, a_row = t.a_row, a_step = t.a_step, b_step = t.b_step, ldc = t.ldc;
  const int flags = t.flags;
  T* pack = t.pack;
  for (int64_t tile = 0; tile < t.tiles; tile++) {
    const T* b = t.b + tile * t.b_tile;
    T* const c = t.c + tile * (NV * L);
    V acc[R][NV];
    FD_UNROLL for (int i = 0; i < R; i++) { FD_UNROLL for (int v = 0; v < NV; v++) acc[i][v] = V(T(0)); }
    RowPointers<T, R> a(t.a, a_row);
    for (int64_t l = 0; l < k; l++) {
      V row[NV];
      FD_UNROLL for (int v = 0; v < NV; v++) {
        row[v] = load_lane_group<T, NV, kMask>(b, v, lanes);
        if (kPack) row[v].store(pack + v * L);
        prefetch(b + v * L + kPrefetchRows * b_step);
      }
      b += b_step;
      if (kPack) pack += NV * L;
      FD_UNROLL for (int i = 0; i < R; i++) {
        const V x = a.at(i);
        FD_UNROLL for (int v = 0; v < NV; v++) acc[i][v] = fma(x, row[v], acc[i][v]);
      }
      a.advance(a_step);
    }
    if (flags & kTileAccumulate) {
      FD_UNROLL for (int i = 0; i < R; i++) {
        FD_UNROLL for (int v = 0; v < NV; v++) {
          acc[i][v] = acc[i][v] + load_lane_group<T, NV, kMask>(c + i * ldc, v, lanes);
        }
      }
    }
    if (flags & kTileBias) {
      const T* const bias = t.bias + tile * (NV * L);
      FD_UNROLL for (int v = 0; v < NV; v++) {
        const V x = load_lane_group<T, NV, kMask>(bias, v, lanes);
        FD_UNROLL for (int i = 0; i < R; i++) acc[i][v] = acc[i][v] + x;
      }
    }
    if (flags & kTileRowBias) {
      FD_UNROLL for (int i = 0; i < R; i++) {
        const V x = t.bias[i];
        FD_UNROLL for (int v = 0; v < NV; v++) acc[i][v] = acc[i][v] + x;
      }
    }
    if (flags & kTileRelu) {
      FD_UNROLL for (int i = 0; i < R; i++) {
        FD_UNROLL for (int v = 0; v < NV; v++) acc[i][v] = max(V(T(0)), acc[i][v]);  // this order keeps NaN
      }
    }
    if (flags & kTileReluGate) {
      const T* const gate = t.gate + tile * (NV * L);
      FD_UNROLL for (int i = 0; i < R; i++) {
        FD_UNROLL for (int v = 0; v < NV; v++) {
          const V y = load_lane_group<T, NV, kMask>(gate + i * t.ldgate, v, lanes);
          acc[i][v] = acc[i][v] * select(y <= V(T(0)), V(T(0)), V(T(1)));
        }
      }
    }
    FD_UNROLL for (int i = 0; i < R; i++) {
      FD_UNROLL for (int v = 0; v < NV; v++) {
        T* const p = c + i * ldc + v * L;
        if (kMask && v == NV - 1)
          acc[i][v].store(p, lanes);
        else
          acc[i][v].store(p);
      }
    }
  }
}

// A masked vector costs AVX-512 nothing, so it needs no kernels without.
#if defined(FD_ISA_AVX512)
constexpr bool kFreeMasks = true;
#else
constexpr bool kFreeMasks = false;
#endif

template <class T, int NV, bool kMask, bool kPack, int... R>
TileKernel<T> pick_rows(int rows, std::integer_sequence<int, R...>) {
  static constexpr TileKernel<T> kernels[] = {tile_row<T, R + 1, NV, kMask, kPack>...};
  return kernels[rows - 1];
}

// Only whole tiles are many, so only they have kernels without a mask.
template <class T, int NV>
TileKernel<T> pick_kernel(int rows, bool masked, bool packing) {
  constexpr auto all = std::make_integer_sequence<int, NV == 1 ? kTallRows : kTileRows>();
  constexpr bool kAlways = kFreeMasks || NV < kTileVecs;
  if (masked || kAlways)
    return packing ? pick_rows<T, NV, true, true>(rows, all) : pick_rows<T, NV, true, false>(rows, all);
  return packing ? pick_rows<T, NV, kAlways, true>(rows, all) : pick_rows<T, NV, kAlways, false>(rows, all);
}

template <class T>
TileKernel<T> tile_kernel(int rows, int vecs, bool masked, bool packing) {
  if (vecs == kTileVecs) return pick_kernel<T, kTileVecs>(rows, masked, packing);
  if (vecs == 1) return pick_kernel<T, 1>(rows, masked, packing);
  return pick_kernel<T, 2>(rows, masked, packing);
}

}  // namespace fd::FD_ISA
