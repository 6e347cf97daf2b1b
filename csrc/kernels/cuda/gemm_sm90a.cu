// C = act(op(A) op(B) (+ C) (+ bias)) (* act') of float16 and bfloat16 on Hopper's tensor cores, summed in float32.
//
// Bound by arithmetic: a multiprocessor does 2048 multiply-adds a clock, so a step of 64 along k of a tile of 128 x 256
// takes 1024 clocks, in which 48 KB must come. They are copied by the tensor memory accelerator, four steps ahead, at
// the word of one thread; two groups of four warps multiply 64 x 256 each, straight from shared memory, one product in
// flight while the next is asked for. A stage is full when its bytes are there, empty when each multiplying warp has
// arrived. Blocks stay and take tile after tile, so the next tile's first steps are on their way while this one's sums
// become C. Sums leave through a small patch of shared memory for each warp, along rows of C. Tiles of 128 x 128 where
// the larger would be few. Registers move from the copying group to the others.
//
// Needs operands whose rows begin at multiples of 16 bytes; others, and small products, are gemm_mma.cu's. The scheme
// (specialised warps, persistent blocks, tiles in groups of rows) is CUTLASS's and fast.cu's; descriptors as in the PTX
// ISA, "Matrix descriptor" and "Strides". Rates are yet to be measured.
#include "kernels/cuda/fd/hopper.h"
#include "kernels/cuda/gemm.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

constexpr int kTileM = 128, kDepth = 64, kStages = 4;
constexpr int kGroups = 2, kGroupThreads = 128, kAll = (1 + kGroups) * kGroupThreads;
constexpr int kBox = 64;  // 16-bit elements in a swizzled row
constexpr int kPatchCols = 32, kPatchStride = kPatchCols + 8;
constexpr int kRegistersCopying = 40, kRegistersMultiplying = 232;

// An operand's part of a stage, Width x kDepth: one box of rows along k, or for a turned operand (neighbours in memory
// lie along its width) Width / 64 boxes whose rows are k.
template <int Width, bool Turned>
struct Part {
  static constexpr int kBytes = Width * kDepth * 2;
  static constexpr int kAcross = kBox * kDepth * 2;  // between a turned operand's boxes

  __device__ static void load(char* to, const TensorMap* map, uint64_t* full, int w, int k, int problem) {
    if constexpr (Turned) {
#pragma unroll
      for (int i = 0; i < Width; i += kBox) box_load(to + i / kBox * kAcross, map, full, w + i, k, problem);
    } else {
      box_load(to, map, full, k, w, problem);
    }
  }
  // From row or column w (a multiple of 64) and k (of 16) on.
  __device__ static SharedMatrix at(const char* from, int w, int k) {
    return shared_matrix(from + (Turned ? w / kBox * kAcross + k * 128 : w * 128 + k * 2), kAcross);
  }
};

template <int TileN, bool TurnedA, bool TurnedB>
struct HopperShared {
  struct Stage {
    alignas(1024) char a[Part<kTileM, TurnedA>::kBytes];
    alignas(1024) char b[Part<TileN, TurnedB>::kBytes];
  };
  Stage stage[kStages];
  float patch[kGroups * 4][16][kPatchStride];
  uint64_t full[kStages], empty[kStages];
};

struct HopperPlan {
  GemmPlan p;
  int32_t tiles;  // of one problem
};

// Which tile and step of k a block is at; both sides of the pipeline count alike.
struct Position {
  int stage = 0, parity = 0;
  __device__ void advance() {
    if (++stage == kStages) stage = 0, parity ^= 1;
  }
};

// 16 rows of a warp's sums become C, kPatchCols columns at a time. d is read at fixed places only, so it stays in
// registers.
template <class T, int Values>
__device__ void finish_warp(const GemmPlan& p, int64_t problem, int64_t row0, int64_t col0, const float (&d)[Values],
                            float (&patch)[16][kPatchStride]) {
  constexpr int kEach = kPatchCols / 2;  // of a thread's values
  const int lane = int(threadIdx.x) % 32;
#pragma unroll 1
  for (int c = 0; c < Values * 2 / kPatchCols; c++) {
#pragma unroll
    for (int q = 0; q < Values / kEach; q++) {
      if (q != c) continue;
#pragma unroll
      for (int i = 0; i < kEach; i += 2) {
        float* const to = patch[lane / 4 + i / 2 % 2 * 8] + i / 4 * 8 + lane % 4 * 2;
        *reinterpret_cast<Pack<float, 2>*>(to) = {d[q * kEach + i], d[q * kEach + i + 1]};
      }
    }
    __syncwarp();
    constexpr int kRuns = kPatchCols / kRun<T>;
#pragma unroll 1
    for (int i = lane; i < 16 * kRuns; i += 32) {
      const int64_t row = row0 + i / kRuns, col = col0 + c * kPatchCols + i % kRuns * kRun<T>;
      float x[kRun<T>];
      read_run(x, patch[i / kRuns] + i % kRuns * kRun<T>, kRun<T>, true);
      if (row < p.g.m && col < p.g.n) finish_run<T>(p, problem, row, col, x);
    }
    __syncwarp();
  }
}

template <class T, int TileN, bool TurnedA, bool TurnedB>
__global__ void __launch_bounds__(kAll, 1)
    hopper_kernel(const __grid_constant__ HopperPlan h, const __grid_constant__ TensorMap map_a,
                  const __grid_constant__ TensorMap map_b) {
  using PartA = Part<kTileM, TurnedA>;
  using PartB = Part<TileN, TurnedB>;
  using Memory = HopperShared<TileN, TurnedA, TurnedB>;
  FD_DYNAMIC_SHARED(Memory, shared);
  const GemmPlan& p = h.p;
  const int group = int(threadIdx.x) / kGroupThreads, steps = int((p.g.k + kDepth - 1) / kDepth);
  const int64_t all_tiles = h.tiles * p.g.batch;
  if (threadIdx.x == 0) {
    for (int s = 0; s < kStages; s++) {
      barrier_init(&shared->full[s], 1);
      barrier_init(&shared->empty[s], kGroups * 4);
    }
    barrier_init_done();
  }
  __syncthreads();

  Position at;
  if (group == 0) {
    registers_less<kRegistersCopying>();
    if (threadIdx.x != 0) return;
    for (int64_t t = blockIdx.x; t < all_tiles; t += gridDim.x) {
      const TilePlace tile = tile_place(int32_t(t % h.tiles), p.tiles_m, p.tiles_n);
      const int problem = int(t / h.tiles), shared_a = p.g.batch_a == 0, shared_b = p.g.batch_b == 0;
      for (int step = 0; step < steps; step++, at.advance()) {
        auto& stage = shared->stage[at.stage];
        uint64_t* const full = &shared->full[at.stage];
        barrier_wait(&shared->empty[at.stage], at.parity ^ 1);
        barrier_arrive_expecting(full, PartA::kBytes + PartB::kBytes);
        PartA::load(stage.a, &map_a, full, tile.down * kTileM, step * kDepth, shared_a ? 0 : problem);
        PartB::load(stage.b, &map_b, full, tile.across * TileN, step * kDepth, shared_b ? 0 : problem);
      }
    }
    return;
  }

  registers_more<kRegistersMultiplying>();
  const int half = group - 1, warp = int(threadIdx.x) % kGroupThreads / 32, lane = int(threadIdx.x) % 32;
  float d[TileN / 2];
  for (int64_t t = blockIdx.x; t < all_tiles; t += gridDim.x) {
    int before = 0;
    for (int step = 0; step < steps; step++, at.advance()) {
      const auto& stage = shared->stage[at.stage];
      barrier_wait(&shared->full[at.stage], at.parity);
      group_fence();
#pragma unroll
      for (int k = 0; k < kDepth; k += 16)
        group_multiply<T, TurnedA, TurnedB>(d, PartA::at(stage.a, half * 64, k), PartB::at(stage.b, 0, k),
                                            step > 0 || k > 0);
      group_commit();
      group_wait<1>();
      if (step > 0 && lane == 0) barrier_arrive(&shared->empty[before]);
      before = at.stage;
    }
    group_finish(d);
    if (lane == 0) barrier_arrive(&shared->empty[before]);
    const TilePlace tile = tile_place(int32_t(t % h.tiles), p.tiles_m, p.tiles_n);
    finish_warp<T>(p, t / h.tiles, int64_t(tile.down) * kTileM + half * 64 + warp * 16, int64_t(tile.across) * TileN, d,
                   shared->patch[half * 4 + warp]);
  }
}

struct Gpu {
  int multiprocessors = 0;  // 0: not Hopper
};

Gpu this_gpu() {
  constexpr int kMost = 64;
  static Gpu known[kMost];
  static bool asked[kMost];
  int device = 0, major = 0, minor = 0;
  if (cudaGetDevice(&device) != cudaSuccess || device >= kMost) return {};
  if (!asked[device]) {
    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
    cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device);
    if (major == 9 && minor == 0)
      cudaDeviceGetAttribute(&known[device].multiprocessors, cudaDevAttrMultiProcessorCount, device);
    asked[device] = true;
  }
  return known[device];
}

bool describe_operand(TensorMap* map, const void* data, int64_t width, int64_t depth, int64_t ld, bool turned,
                      int64_t batch, int64_t step, int tile) {
  const int64_t matrices = step == 0 ? 1 : batch;
  return turned ? describe(map, data, depth, width, ld, matrices, step, kDepth)
                : describe(map, data, width, depth, ld, matrices, step, tile);
}

template <class T, int TileN, bool TurnedA, bool TurnedB>
fd_status run(fd_context* context, const fd_gemm& g, int multiprocessors, bool* done) {
  HopperPlan h = {plan_gemm<T>(g), 0};
  h.p.splits = 1;
  h.p.tiles_m = int32_t(ceil_div(g.m, kTileM));
  h.p.tiles_n = int32_t(ceil_div(g.n, TileN));
  h.tiles = h.p.tiles_m * h.p.tiles_n;
  TensorMap a, b;
  if (!describe_operand(&a, g.a, g.m, g.k, g.lda, TurnedA, g.batch, g.batch_a, kTileM) ||
      !describe_operand(&b, g.b, g.n, g.k, g.ldb, TurnedB, g.batch, g.batch_b, TileN))
    return FD_OK;
  *done = true;
  const auto kernel = hopper_kernel<T, TileN, TurnedA, TurnedB>;
  constexpr size_t kBytes = sizeof(HopperShared<TileN, TurnedA, TurnedB>);
  if (const fd_status bad = allow_shared(kernel, kBytes)) return bad;
  const dim3 grid(unsigned(std::min<int64_t>(h.tiles * g.batch, multiprocessors)));
  return start(context, kernel, grid, dim3(kAll), kBytes, h, a, b);
}

template <class T, int TileN>
fd_status run_layout(fd_context* context, const fd_gemm& g, int multiprocessors, bool* done) {
  if (g.trans_a)
    return g.trans_b ? run<T, TileN, true, false>(context, g, multiprocessors, done)
                     : run<T, TileN, true, true>(context, g, multiprocessors, done);
  return g.trans_b ? run<T, TileN, false, false>(context, g, multiprocessors, done)
                   : run<T, TileN, false, true>(context, g, multiprocessors, done);
}

template <class T>
fd_status gemm_hopper(fd_context* context, const fd_gemm& g, bool* done) {
  constexpr int64_t kLeastTiles = 48, kTilesWanted = 96, kLeastDepth = 32, kMost = int64_t(1) << 31;
  const int64_t multiprocessors = this_gpu().multiprocessors;
  const bool fits = wide<T>(g.a, g.lda, g.batch_a) && wide<T>(g.b, g.ldb, g.batch_b) && g.k >= kLeastDepth &&
                    std::max({g.m, g.n, g.k, g.lda, g.ldb, g.batch}) < kMost / 4 && tiles_of(g, kTileM, 128) < kMost &&
                    tiles_of(g, kTileM, 128) >= kLeastTiles;
  if (multiprocessors == 0 || !fits) return FD_OK;
  if (tiles_of(g, kTileM, 256) >= kTilesWanted) return run_layout<T, 256>(context, g, int(multiprocessors), done);
  return run_layout<T, 128>(context, g, int(multiprocessors), done);
}

}  // namespace

fd_status gemm_sm90a(fd_context* context, const fd_gemm* g, fd_dtype dtype, bool* done) {
  *done = false;
  return dtype == FD_BF16 ? gemm_hopper<BFloat16>(context, *g, done) : gemm_hopper<Float16>(context, *g, done);
}

}  // namespace fd::gpu
