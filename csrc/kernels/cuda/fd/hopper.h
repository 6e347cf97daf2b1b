// What Hopper's tensor cores need (sm_90a only): copies of boxes of a matrix by the tensor memory accelerator, barriers
// in shared memory that count their bytes, and products by groups of four warps that read shared memory themselves
// (PTX ISA, "Asynchronous copy", "mbarrier" and "Asynchronous warpgroup level matrix instructions").
//
// Boxes are 64 16-bit elements (128 bytes) along memory by some rows; chunks of 16 bytes are permuted within a row by
// the row's number modulo 8 (the 128-byte swizzle), so a box begins at a multiple of 1024 bytes.
#pragma once

#include "kernels/cuda/fd/mma.h"

#if defined(__CUDACC__)

namespace fd {

using TensorMap = CUtensorMap;

// Describes `batch` matrices of rows x cols 16-bit elements, of which boxes of box_rows x 64 will be copied; what lies
// outside reads as 0. Addresses and steps (in elements) are multiples of 16 bytes. False if the driver will not have
// it.
inline bool describe(TensorMap* map, const void* data, int64_t rows, int64_t cols, int64_t ld, int64_t batch,
                     int64_t batch_step, int box_rows) {
  // libcuda is not linked: the runtime knows where it is.
  static const auto encode = [] {
    void* found = nullptr;
    [[maybe_unused]] cudaDriverEntryPointQueryResult how;
#if CUDART_VERSION >= 12050
    const cudaError_t error =
        cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &found, 12000, cudaEnableDefault, &how);
#else
    const cudaError_t error = cudaGetDriverEntryPoint("cuTensorMapEncodeTiled", &found, cudaEnableDefault, &how);
#endif
    return error == cudaSuccess ? reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(found) : nullptr;
  }();
  if (!encode) return false;
  const cuuint64_t sizes[] = {cuuint64_t(cols), cuuint64_t(rows), cuuint64_t(batch)};
  const cuuint64_t steps[] = {cuuint64_t(ld) * 2, cuuint64_t(batch > 1 ? batch_step : ld * rows) * 2};
  const cuuint32_t box[] = {64, cuuint32_t(box_rows), 1}, every[] = {1, 1, 1};
  // Bits are copied as they are, so one 16-bit type stands for both.
  return encode(map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 3, const_cast<void*>(data), sizes, steps, box, every,
                CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS;
}

// A phase of a barrier ends when `count` arrivals and all expected bytes have come.
__device__ __forceinline__ void barrier_init(uint64_t* barrier, int count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;\n" ::"r"(shared_address(barrier)), "r"(count) : "memory");
}
// After the last init, before the block's next barrier.
__device__ __forceinline__ void barrier_init_done() {
  asm volatile("fence.mbarrier_init.release.cluster;\nfence.proxy.async.shared::cta;\n" ::: "memory");
}
__device__ __forceinline__ void barrier_arrive(uint64_t* barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];\n" ::"r"(shared_address(barrier)) : "memory");
}
__device__ __forceinline__ void barrier_arrive_expecting(uint64_t* barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;\n" ::"r"(shared_address(barrier)), "r"(bytes)
               : "memory");
}
// Waits for the end of the phase of this parity: 0, 1, 0, ... from the first on; at once for parity 1 before any.
__device__ __forceinline__ void barrier_wait(uint64_t* barrier, int parity) {
  asm volatile(
      "{\n.reg .pred done;\nwait:\nmbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n@!done bra wait;\n}\n" ::
          "r"(shared_address(barrier)),
      "r"(parity)
      : "memory");
}

// Begins to copy the box at (row, col) of matrix `batch`; its bytes count at the barrier.
__device__ __forceinline__ void box_load(void* to, const TensorMap* map, uint64_t* barrier, int col, int row,
                                         int batch) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], "
      "[%2];\n" ::"r"(shared_address(to)),
      "l"(map), "r"(shared_address(barrier)), "r"(col), "r"(row), "r"(batch)
      : "memory");
}

// An operand in shared memory as the tensor cores are told of it (PTX ISA, "Matrix Descriptor Format"): swizzled rows
// of 128 bytes, groups of eight rows 1024 bytes apart (the stride dimension byte offset of either major), blocks of 64
// elements across those rows `across` bytes apart (the leading one, used where the rows are k). It may begin amid the
// swizzle's pattern, whose offset is 0 as long as the pattern itself begins at a multiple of 1024 bytes.
struct SharedMatrix {
  uint64_t bits;
};
__device__ __forceinline__ SharedMatrix shared_matrix(const void* p, int across) {
  return {uint64_t(shared_address(p) >> 4 & 0x3fff) | uint64_t(across >> 4 & 0x3fff) << 16 | uint64_t(1024 >> 4) << 32 |
          uint64_t(1) << 62};
}

__device__ __forceinline__ void group_fence() { asm volatile("wgmma.fence.sync.aligned;\n" ::: "memory"); }
__device__ __forceinline__ void group_commit() { asm volatile("wgmma.commit_group.sync.aligned;\n" ::: "memory"); }
// Waits until all but the last Left commits are done.
template <int Left>
__device__ __forceinline__ void group_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;\n" ::"n"(Left) : "memory");
}

// The registers a thread may have from here on.
template <int Count>
__device__ __forceinline__ void registers_more() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;\n" ::"n"(Count));
}
template <int Count>
__device__ __forceinline__ void registers_less() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;\n" ::"n"(Count));
}

// d = a b (+ d if add) for 64 rows of a, 16 of k and 2 |d| columns of b; rows of A and B lie along k unless turned. Of
// warp w of the group, d[4 i] ... d[4 i + 3] are as fd/mma.h has them for rows 16 w and columns 8 i.
#define FD_D8(i)                                                                                              \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), \
      "+f"(d[i + 7])
#define FD_GROUP_64(TYPE)                                                                    \
  asm volatile(                                                                              \
      "{\n.reg .pred add;\nsetp.ne.b32 add, %66, 0;\n"                                       \
      "wgmma.mma_async.sync.aligned.m64n128k16.f32." TYPE "." TYPE                           \
      " {"                                                                                   \
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "               \
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "     \
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "     \
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"       \
      "}, %64, %65, add, 1, 1, %67, %68;\n}\n"                                               \
      : FD_D8(0), FD_D8(8), FD_D8(16), FD_D8(24), FD_D8(32), FD_D8(40), FD_D8(48), FD_D8(56) \
      : "l"(a.bits), "l"(b.bits), "r"(int(add)), "n"(int(TurnedA)), "n"(int(TurnedB)))
#define FD_GROUP_128(TYPE)                                                                                          \
  asm volatile(                                                                                                     \
      "{\n.reg .pred add;\nsetp.ne.b32 add, %130, 0;\n"                                                             \
      "wgmma.mma_async.sync.aligned.m64n256k16.f32." TYPE "." TYPE                                                  \
      " {"                                                                                                          \
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "                                      \
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "                            \
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "                            \
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "                            \
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "                            \
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "                            \
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "                \
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"              \
      "}, %128, %129, add, 1, 1, %131, %132;\n}\n"                                                                  \
      : FD_D8(0), FD_D8(8), FD_D8(16), FD_D8(24), FD_D8(32), FD_D8(40), FD_D8(48), FD_D8(56), FD_D8(64), FD_D8(72), \
        FD_D8(80), FD_D8(88), FD_D8(96), FD_D8(104), FD_D8(112), FD_D8(120)                                         \
      : "l"(a.bits), "l"(b.bits), "r"(int(add)), "n"(int(TurnedA)), "n"(int(TurnedB)))
template <class T, bool TurnedA, bool TurnedB, int Values>
__device__ __forceinline__ void group_multiply(float (&d)[Values], SharedMatrix a, SharedMatrix b, bool add) {
  static_assert(Values == 64 || Values == 128);
  constexpr bool kBrain = std::is_same_v<T, gpu::BFloat16>;
  if constexpr (Values == 64 && kBrain)
    FD_GROUP_64("bf16");
  else if constexpr (Values == 64)
    FD_GROUP_64("f16");
  else if constexpr (kBrain)
    FD_GROUP_128("bf16");
  else
    FD_GROUP_128("f16");
}
#undef FD_GROUP_64
#undef FD_GROUP_128

// Waits until all products are done. Only here does the compiler learn that d has changed since it was last written.
template <int Values>
__device__ __forceinline__ void group_finish(float (&d)[Values]) {
  asm volatile("wgmma.wait_group.sync.aligned 0;\n"
               : FD_D8(0), FD_D8(8), FD_D8(16), FD_D8(24), FD_D8(32), FD_D8(40), FD_D8(48), FD_D8(56)
               :
               : "memory");
  if constexpr (Values == 128)
    asm volatile(""
                 : FD_D8(64), FD_D8(72), FD_D8(80), FD_D8(88), FD_D8(96), FD_D8(104), FD_D8(112), FD_D8(120)
                 :
                 : "memory");
}
#undef FD_D8

}  // namespace fd
#else
#include "boxes.h"
#endif
