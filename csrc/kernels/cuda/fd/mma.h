// Matrix products of a warp on tensor cores (mma.sync, ldmatrix; sm_80 and later; PTX ISA, "Warp-level matrix
// instructions"). With g = lane / 4 and t = lane % 4, and words of two 16-bit or one 32-bit element:
//   A, 16 rows by 8 words of k:  a[0] is (g, t), a[1] (g + 8, t), a[2] (g, t + 4), a[3] (g + 8, t + 4)
//   B, 8 words of k by 8:        b0 is (t, g), b1 (t + 4, g)
//   D, 16 by 8:                  d[0], d[1] are (g, 2 t), (g, 2 t + 1), d[2], d[3] the same of row g + 8
#pragma once

#include "kernels/cuda/element.h"
#include "kernels/cuda/fd/async.h"

namespace fd {

// float operands of a tensor core: ten bits of fraction.
struct TFloat32 {};

}  // namespace fd

#if defined(__CUDACC__)

namespace fd {

// Four 8 x 8 matrices of 16-bit elements; lane l gives the address of row l % 8 of matrix l / 8 (16 bytes, aligned) and
// gets of each matrix the elements (g, 2 t), (g, 2 t + 1), transposed (2 t, g), (2 t + 1, g).
__device__ __forceinline__ void load_matrices(uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}
__device__ __forceinline__ void load_matrices_transposed(uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}

// d += a b for a warp; T says what the words hold.
template <class T>
__device__ __forceinline__ void multiply_add(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
#define FD_MMA(SHAPE)                                                                                \
  asm("mma.sync.aligned." SHAPE " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n" \
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                               \
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1))
  if constexpr (std::is_same_v<T, gpu::BFloat16>)
    FD_MMA("m16n8k16.row.col.f32.bf16.bf16.f32");
  else if constexpr (std::is_same_v<T, gpu::Float16>)
    FD_MMA("m16n8k16.row.col.f32.f16.f16.f32");
  else
    FD_MMA("m16n8k8.row.col.f32.tf32.tf32.f32");
#undef FD_MMA
}

// The nearest number a tensor core takes (cutting off, which it would do itself, is twice as far off).
__device__ __forceinline__ uint32_t round_tf32(uint32_t bits) {
  uint32_t out;
  asm("cvt.rna.tf32.f32 %0, %1;\n" : "=r"(out) : "r"(bits));
  return out;
}

}  // namespace fd
#else
#include "matrices.h"
#endif
