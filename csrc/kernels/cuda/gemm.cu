// C = act(op(A) op(B) (+ C) (+ bias)) (* act'), exact in the operands' own type, without tensor cores.
//
// Bound by arithmetic. A block of 256 threads computes a tile of C. A warp computes 32 rows by 32 or 64 columns of it,
// each thread 8 by 4 or 8 by 8 from registers: four multiply-adds for each value read from shared memory. Where a tile
// has fewer such pieces than there are warps, slices of warps take different k of each step and their sums are added in
// order at the end: small tiles keep the ratio, and small matrices occupy many multiprocessors.
//
// Operands come to shared memory by asynchronous copies, `Stages` steps deep, and lie there with columns in order: an
// operand whose neighbours in memory lie along k is transposed by copying element by element, 8 along k by 4, which
// reads whole sectors and writes to 32 banks. The copies hold no registers, so two blocks share a multiprocessor.
// 128 x 128 where there are tiles enough, else 64 x 64 and 32 x 32; doubles have half of that in each direction.
//
// Lanes lie interleaved by two rows over the warp's piece, as in CUTLASS, so that each quarter of a warp reads few
// different packs. Rates on a GPU are yet to be measured.
#include "kernels/cuda/fd/async.h"
#include "kernels/cuda/gemm.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

constexpr int64_t kTilesWanted = 96;  // for which a larger tile is preferred

// One step's part of an operand: element (k, w) at shared[k][w]. KFast: neighbours in memory lie along k.
template <class T, int Width, int Depth, bool KFast>
struct Operand {
  static constexpr int kStride = Width + kRun<T>;  // keeps packs aligned and spreads k over banks
  static constexpr int kChunks = Width / kRun<T>, kRows = kThreads / kChunks;
  static constexpr int kAlong = 8, kBeside = kThreads / kAlong;
  static_assert(KFast ? Depth % kAlong == 0 && Width % kBeside == 0 : Depth % kRows == 0);
  using Shared = T[Depth][kStride];

  const T* at;  // of the first element that this thread copies in the next step
  int64_t ld, width;
  int k, w;  // that element's place
  bool wide;

  __device__ Operand(const T* in, int64_t step, int64_t k0, int64_t w0, int64_t w_end, bool packs)
      : ld(step), width(w_end - w0), wide(packs) {
    const int me = int(threadIdx.x);
    k = KFast ? me % kAlong : me / kChunks;
    w = KFast ? me / kAlong : me % kChunks * kRun<T>;
    at = in + (KFast ? (w0 + w) * ld + k0 + k : (k0 + k) * ld + w0 + w);
  }

  // Begins the next step's copies; what lies outside of `depth` and of the operand becomes 0.
  __device__ void fetch(Shared& to, int64_t depth) {
    const bool whole = depth >= Depth && width >= Width;
    if constexpr (KFast)
      whole ? along_k<true>(to, depth) : along_k<false>(to, depth);
    else
      whole&& wide ? packs<true>(to, depth) : wide ? packs<false>(to, depth) : singles(to, depth);
    at += KFast ? Depth : Depth * ld;
  }

 private:
  template <bool Whole>
  __device__ void along_k(Shared& to, int64_t depth) const {
#pragma unroll
    for (int j = 0; j < Width; j += kBeside)
#pragma unroll
      for (int i = 0; i < Depth; i += kAlong) {
        const T* const from = at + j * ld + i;
        if constexpr (Whole)
          copy_async<sizeof(T)>(&to[k + i][w + j], from);
        else
          copy_async<sizeof(T)>(&to[k + i][w + j], from, k + i < depth && w + j < width ? int(sizeof(T)) : 0);
      }
  }
  template <bool Whole>
  __device__ void packs(Shared& to, int64_t depth) const {
    const int64_t left = width - w;
    const int valid = int(left < 0 ? 0 : left < kRun<T> ? left : kRun<T>) * int(sizeof(T));
#pragma unroll
    for (int i = 0; i < Depth; i += kRows)
      if constexpr (Whole)
        copy_async<16>(&to[k + i][w], at + i * ld);
      else
        copy_async<16>(&to[k + i][w], at + i * ld, k + i < depth ? valid : 0);
  }
  __device__ void singles(Shared& to, int64_t depth) const {
#pragma unroll 1
    for (int i = 0; i < Depth; i += kRows)
#pragma unroll
      for (int j = 0; j < kRun<T>; j++)
        copy_async<sizeof(T)>(&to[k + i][w + j], at + i * ld + j, k + i < depth && w + j < width ? int(sizeof(T)) : 0);
  }
};

// A tile's shape and how its block divides it.
template <class Type, int TileRows, int TileCols, int EachCols, int StepDepth, int StepsAhead>
struct Tiling {
  using T = Type;
  static constexpr int kTileM = TileRows, kTileN = TileCols, kDepth = StepDepth, kStages = StepsAhead;
  static constexpr int kEachM = 8, kEachN = EachCols;
  static constexpr int kWarpM = 4 * kEachM, kWarpN = 8 * kEachN;
  static constexpr int kWarpsM = kTileM / kWarpM, kWarpsN = kTileN / kWarpN;
  static constexpr int kSlices = kThreads / 32 / (kWarpsM * kWarpsN);
  static constexpr int kStride = kTileN + kRun<T>, kHalf = kTileM / 2;  // of the sums in shared memory
};

// A thread's place in its warp's piece. Of its values along either side, runs of 16 bytes are neighbours.
struct Lane {
  int down, across;
  __device__ Lane() {
    const int lane = int(threadIdx.x) % 32;
    down = lane / 16 * 2 + lane % 2;
    across = lane / 2 % 8;
  }
};
template <class T, int Lanes>
__device__ int place(int who, int i) {
  return i / kRun<T> * (Lanes * kRun<T>)+who * kRun<T> + i % kRun<T>;
}
template <class T, int Lanes, int Each>
__device__ void read_side(T (&out)[Each], const T* row, int who) {
#pragma unroll
  for (int i = 0; i < Each; i += kRun<T>) {
    const auto run = *reinterpret_cast<const Pack<T, kRun<T>>*>(row + place<T, Lanes>(who, i));
#pragma unroll
    for (int j = 0; j < kRun<T>; j++) out[i + j] = run.at[j];
  }
}

template <class S, bool TransA, bool TransB>
__global__ void __launch_bounds__(kThreads, sizeof(typename S::T) == 4 ? 2 : 1)
    gemm_kernel(const __grid_constant__ GemmPlan p, int64_t first_problem) {
  using T = typename S::T;
  using OperandA = Operand<T, S::kTileM, S::kDepth, !TransA>;
  using OperandB = Operand<T, S::kTileN, S::kDepth, TransB>;
  struct Stage {
    alignas(16) typename OperandA::Shared a;
    alignas(16) typename OperandB::Shared b;
  };
  union Shared {
    Stage stage[S::kStages];
    T sums[S::kSlices][S::kHalf][S::kStride];
  };
  FD_SHARED(Shared, shared, );

  const fd_gemm& g = p.g;
  const int64_t problem = first_problem + blockIdx.y;
  const TilePlace tile = tile_place(int32_t(blockIdx.x), p.tiles_m, p.tiles_n);
  const int64_t row0 = int64_t(tile.down) * S::kTileM, col0 = int64_t(tile.across) * S::kTileN;
  const int64_t begin = int64_t(blockIdx.z) * p.split_depth;
  const int64_t end = begin + p.split_depth < g.k ? begin + p.split_depth : g.k;
  const int steps = int((end - begin + S::kDepth - 1) / S::kDepth);
  const int warp = int(threadIdx.x) / 32, slice = warp / (S::kWarpsM * S::kWarpsN);
  const int warp_down = warp / S::kWarpsN % S::kWarpsM, warp_across = warp % S::kWarpsN;
  const Lane lane;

  OperandA a(static_cast<const T*>(g.a) + problem * g.batch_a, g.lda, begin, row0, g.m, p.wide_a);
  OperandB b(static_cast<const T*>(g.b) + problem * g.batch_b, g.ldb, begin, col0, g.n, p.wide_b);
  int64_t left = end - begin;
  const auto fetch = [&](int stage) {
    if (left > 0) {
      a.fetch(shared.stage[stage].a, left);
      b.fetch(shared.stage[stage].b, left);
    }
    left -= S::kDepth;
    copy_commit();
  };

  T sum[S::kEachM][S::kEachN] = {};
#pragma unroll
  for (int s = 0; s < S::kStages - 1; s++) fetch(s);
  int now = 0, next = S::kStages - 1;
#pragma unroll 1
  for (int step = 0; step < steps; step++) {
    copy_wait<S::kStages - 2>();
    // Also: what is fetched now overwrites what was last read before this barrier.
    __syncthreads();
    fetch(next);
    const Stage& stage = shared.stage[now];
#pragma unroll
    for (int i = 0; i < S::kDepth / S::kSlices; i++) {
      const int k = slice * (S::kDepth / S::kSlices) + i;
      T down[S::kEachM], across[S::kEachN];
      read_side<T, 4>(down, stage.a[k] + warp_down * S::kWarpM, lane.down);
      read_side<T, 8>(across, stage.b[k] + warp_across * S::kWarpN, lane.across);
#pragma unroll
      for (int x = 0; x < S::kEachM; x++)
#pragma unroll
        for (int y = 0; y < S::kEachN; y++) sum[x][y] += down[x] * across[y];
    }
    now = now + 1 == S::kStages ? 0 : now + 1;
    next = next + 1 == S::kStages ? 0 : next + 1;
  }

  // The upper halves of all warps' pieces, then the lower ones.
  copy_wait<0>();
#pragma unroll
  for (int half = 0; half < 2; half++) {
    __syncthreads();
#pragma unroll
    for (int x = 0; x < S::kEachM / 2; x++)
#pragma unroll
      for (int y = 0; y < S::kEachN; y += kRun<T>) {
        Pack<T, kRun<T>> run;
#pragma unroll
        for (int j = 0; j < kRun<T>; j++) run.at[j] = sum[half * S::kEachM / 2 + x][y + j];
        T* const row = shared.sums[slice][warp_down * S::kWarpM / 2 + place<T, 4>(lane.down, x)];
        *reinterpret_cast<Pack<T, kRun<T>>*>(row + warp_across * S::kWarpN + place<T, 8>(lane.across, y)) = run;
      }
    __syncthreads();
    constexpr int kPiece = S::kWarpM / 2;
    finish_rows<T, kThreads, S::kHalf, S::kTileN, S::kStride, S::kSlices>(
        p, problem, col0, &shared.sums[0][0][0],
        [&](int r) { return row0 + r / kPiece * S::kWarpM + half * kPiece + r % kPiece; });
  }
}

template <class S>
fd_status run(fd_context* context, GemmPlan& p) {
  if (!split_gemm<typename S::T>(context, p, S::kTileM, S::kTileN, S::kDepth, 128)) return FD_NO_MEMORY;
  const auto kernel = p.g.trans_a   ? p.g.trans_b ? gemm_kernel<S, true, true> : gemm_kernel<S, true, false>
                      : p.g.trans_b ? gemm_kernel<S, false, true>
                                    : gemm_kernel<S, false, false>;
  return start_gemm<typename S::T>(context, kernel, p, kThreads, 0);
}

template <class T>
fd_status gemm(fd_context* context, const fd_gemm* g) {
  if (g->m == 0 || g->n == 0 || g->batch == 0) return FD_OK;
  if (std::is_same_v<T, float> && g->tf32) return gemm_tf32(context, g);
  GemmPlan p = plan_gemm<T>(*g);
  if constexpr (sizeof(T) == 4) {
    if (tiles_of(*g, 128, 128) >= kTilesWanted) return run<Tiling<T, 128, 128, 8, 16, 2>>(context, p);
    if (tiles_of(*g, 64, 64) >= kTilesWanted) return run<Tiling<T, 64, 64, 8, 32, 2>>(context, p);
    return run<Tiling<T, 32, 32, 4, 32, 4>>(context, p);
  } else {
    if (tiles_of(*g, 64, 64) >= kTilesWanted) return run<Tiling<T, 64, 64, 4, 16, 2>>(context, p);
    return run<Tiling<T, 32, 32, 4, 32, 2>>(context, p);
  }
}

}  // namespace

void fill_gemm(fd_kernels* table) {
  table->gemm.gemm[FD_F32] = gemm<float>;
  table->gemm.gemm[FD_F64] = gemm<double>;
}

}  // namespace fd::gpu
