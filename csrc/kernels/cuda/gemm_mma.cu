// C = act(op(A) op(B) (+ C) (+ bias)) (* act') on tensor cores, summed in float32: float16 and bfloat16, and float32
// rounded to TF32 for those who ask for it.
//
// Bound by arithmetic where m, n and k are large, by what shared memory yields before that: a warp's piece of 64 x 64
// reads 4 KB for 64 x 64 x 16 multiply-adds, 64 bytes a clock on a multiprocessor that does 1024 of them. So a block is
// four such warps (128 x 128) and two blocks share a multiprocessor, one of which multiplies while the other starts or
// ends a tile; 64 x 64 with warps of 32 x 32 where larger tiles would be few, and k is then split by shape. A step is
// 64 bytes of k. Asynchronous copies run three steps ahead; chunks of 16 bytes are permuted within a row of shared
// memory so that neither they nor ldmatrix, which reads eight rows at once, meet in a bank. Operands that lie the other
// way round are transposed by ldmatrix, 32-bit ones read word by word. An operand whose rows are not aligned to 16
// bytes comes element by element. Fragments' layout: PTX ISA, "Matrix fragments for mma". Rates are yet to be measured.
#include "kernels/cuda/fd/mma.h"
#include "kernels/cuda/gemm.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

constexpr int kStages = 4;
constexpr int kStepBytes = 64, kChunkBytes = 16, kChunks = kStepBytes / kChunkBytes;  // of k in a step
constexpr int kSteps = 2;                                                             // of an mma in it
constexpr int kMmaThreads = 128;
constexpr int64_t kTilesWanted = 96;  // for which the larger tile is preferred
constexpr int64_t kLeastBytes = 512;  // of k in a part

// How an operand is stored: TFloat32 is a float that is rounded when it is used.
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, TFloat32>, float, T>;

// A step's part of an operand, Width rows or columns of the product. KFast: neighbours in memory lie along k.
template <class T, int Width, bool KFast>
struct Panel {
  using In = Stored<T>;
  static constexpr bool kWords = sizeof(In) == 4;
  static constexpr int kPer = kChunkBytes / int(sizeof(In));  // elements of a chunk
  static constexpr int kDepth = kStepBytes / int(sizeof(In));
  static constexpr int kRow = KFast ? kChunks : Width / kPer;  // chunks in a row of shared memory
  static constexpr int kRows = KFast ? Width : kDepth;
  static constexpr int kEvery = kMmaThreads / kRow;  // rows between a thread's chunks
  static_assert(kRows % kEvery == 0);
  using Shared = In[kRows * kRow * kPer];

  const In* at;  // the first chunk that this thread copies in the next step
  int64_t ld, width;
  int row, chunk;  // its place
  bool wide;

  __device__ Panel(const In* in, int64_t step, int64_t k0, int64_t w0, int64_t w_end, bool packs)
      : ld(step), width(w_end - w0), row(int(threadIdx.x) / kRow), chunk(int(threadIdx.x) % kRow), wide(packs) {
    at = in + (KFast ? (w0 + row) * ld + k0 : (k0 + row) * ld + w0) + chunk * kPer;
  }

  __device__ static int place(int r, int c) {
    if constexpr (KFast)
      return (r * kRow + (c ^ (r / 2 % 4))) * kPer;
    else
      return (r * kRow + (c ^ (kWords ? r % 4 * 2 : r % 8))) * kPer;
  }

  // Begins the next step's copies; what lies outside of `depth` and of the operand becomes 0.
  __device__ void fetch(Shared& to, int64_t depth) {
    if (wide && depth >= kDepth && width >= Width)
      copy<true>(to, depth);
    else
      copy<false>(to, depth);
    at += KFast ? kDepth : kDepth * ld;
  }

  // Of 16 of the operand's rows or columns from w and the step's mma-th part of k, what fd/mma.h has for A. For B, the
  // even registers are the first eight, the odd ones the others.
  __device__ static void fragments(uint32_t (&r)[4], const Shared& from, int w, int mma) {
    const int lane = int(threadIdx.x) % 32;
    if constexpr (KFast) {
      load_matrices(r, from + place(w + lane % 16, mma * 2 + lane / 16));
    } else if constexpr (!kWords) {
      load_matrices_transposed(r, from + place(mma * 16 + lane / 16 * 8 + lane % 8, w / kPer + lane / 8 % 2));
    } else {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const int k = mma * 8 + i / 2 * 4 + lane % 4, c = w + i % 2 * 8 + lane / 4;
        r[i] = bits_of(from[place(k, c / kPer) + c % kPer]);
      }
    }
    if constexpr (kWords) {
#pragma unroll
      for (uint32_t& word : r) word = round_tf32(word);
    }
  }

 private:
  template <bool Whole>
  __device__ void copy(Shared& to, int64_t depth) const {
#pragma unroll
    for (int i = 0; i < kRows; i += kEvery) {
      const In* const from = at + i * ld;
      In* const place_of = to + place(row + i, chunk);
      if constexpr (Whole) {
        copy_async<kChunkBytes>(place_of, from);
      } else {
        const int64_t slow_left = (KFast ? width : depth) - row - i, left = (KFast ? depth : width) - chunk * kPer;
        const int valid = slow_left <= 0 || left <= 0 ? 0 : left < kPer ? int(left) : kPer;
        if (wide) {
          copy_async<kChunkBytes>(place_of, from, valid * int(sizeof(In)));
        } else {
          Pack<In, kPer> pack;
#pragma unroll
          for (int j = 0; j < kPer; j++) pack.at[j] = j < valid ? from[j] : In{};
          *reinterpret_cast<Pack<In, kPer>*>(place_of) = pack;
        }
      }
    }
  }
};

template <class T, int Side, bool TransA, bool TransB>
struct MmaShared {
  struct Stage {
    alignas(128) typename Panel<T, Side, !TransA>::Shared a;
    alignas(128) typename Panel<T, Side, TransB>::Shared b;
  };
  union All {
    Stage stage[kStages];
    float sums[Side / 2][Side + 8];  // 8: two rows of a warp's fragments meet in no bank
  };
};

// Side x Side of C by 2 x 2 warps.
template <class T, int Side, bool TransA, bool TransB>
__global__ void __launch_bounds__(kMmaThreads, 2)
    mma_kernel(const __grid_constant__ GemmPlan p, int64_t first_problem) {
  using In = Stored<T>;
  using PanelA = Panel<T, Side, !TransA>;
  using PanelB = Panel<T, Side, TransB>;
  using Memory = MmaShared<T, Side, TransA, TransB>;
  constexpr int kDepth = PanelA::kDepth, kPiece = Side / 2, kDown = kPiece / 16, kAcross = kPiece / 8;
  FD_DYNAMIC_SHARED(typename Memory::All, shared);

  const fd_gemm& g = p.g;
  const int64_t problem = first_problem + blockIdx.y;
  const TilePlace tile = tile_place(int32_t(blockIdx.x), p.tiles_m, p.tiles_n);
  const int64_t row0 = int64_t(tile.down) * Side, col0 = int64_t(tile.across) * Side;
  const int64_t begin = int64_t(blockIdx.z) * p.split_depth;
  const int64_t end = begin + p.split_depth < g.k ? begin + p.split_depth : g.k;
  const int steps = int((end - begin + kDepth - 1) / kDepth);
  const int lane = int(threadIdx.x) % 32, warp_down = int(threadIdx.x) / 64, warp_across = int(threadIdx.x) / 32 % 2;

  PanelA a(static_cast<const In*>(g.a) + problem * g.batch_a, g.lda, begin, row0, g.m, p.wide_a);
  PanelB b(static_cast<const In*>(g.b) + problem * g.batch_b, g.ldb, begin, col0, g.n, p.wide_b);
  int64_t left = end - begin;
  const auto fetch = [&](int stage) {
    if (left > 0) {
      a.fetch(shared->stage[stage].a, left);
      b.fetch(shared->stage[stage].b, left);
    }
    left -= kDepth;
    copy_commit();
  };

  float sum[kDown][kAcross][4] = {};
#pragma unroll
  for (int s = 0; s < kStages - 1; s++) fetch(s);
#pragma unroll 1
  for (int step = 0; step < steps; step++) {
    copy_wait<kStages - 2>();
    // Also: what is fetched now overwrites what was last read before this barrier.
    __syncthreads();
    fetch((step + kStages - 1) % kStages);
    const auto& stage = shared->stage[step % kStages];
#pragma unroll
    for (int mma = 0; mma < kSteps; mma++) {
      uint32_t left_words[kDown][4], right_words[kAcross / 2][4];
#pragma unroll
      for (int i = 0; i < kDown; i++) PanelA::fragments(left_words[i], stage.a, warp_down * kPiece + i * 16, mma);
#pragma unroll
      for (int j = 0; j < kAcross / 2; j++)
        PanelB::fragments(right_words[j], stage.b, warp_across * kPiece + j * 16, mma);
#pragma unroll
      for (int i = 0; i < kDown; i++)
#pragma unroll
        for (int j = 0; j < kAcross; j++)
          multiply_add<T>(sum[i][j], left_words[i], right_words[j / 2][j % 2], right_words[j / 2][j % 2 + 2]);
    }
  }

  // The upper warps' rows, then the lower ones'.
  copy_wait<0>();
#pragma unroll 1
  for (int half = 0; half < 2; half++) {
    __syncthreads();
    if (warp_down == half) {
#pragma unroll
      for (int i = 0; i < kDown; i++)
#pragma unroll
        for (int j = 0; j < kAcross; j++)
#pragma unroll
          for (int h = 0; h < 2; h++) {
            float* const to = shared->sums[i * 16 + h * 8 + lane / 4] + warp_across * kPiece + j * 8 + lane % 4 * 2;
            *reinterpret_cast<Pack<float, 2>*>(to) = {sum[i][j][h * 2], sum[i][j][h * 2 + 1]};
          }
    }
    __syncthreads();
    finish_rows<In, kMmaThreads, kPiece, Side, Side + 8, 1>(p, problem, col0, &shared->sums[0][0],
                                                            [&](int r) { return row0 + half * kPiece + r; });
  }
}

template <class T, int Side, bool TransA, bool TransB>
fd_status run(fd_context* context, const GemmPlan& p) {
  const auto kernel = mma_kernel<T, Side, TransA, TransB>;
  constexpr size_t kBytes = sizeof(typename MmaShared<T, Side, TransA, TransB>::All);
  if (const fd_status bad = allow_shared(kernel, kBytes)) return bad;
  return start_gemm<Stored<T>>(context, kernel, p, kMmaThreads, kBytes);
}

template <class T, int Side>
fd_status run_layout(fd_context* context, GemmPlan& p) {
  constexpr int64_t kDepth = kStepBytes / int64_t(sizeof(Stored<T>));
  const int64_t least = kLeastBytes / int64_t(sizeof(Stored<T>));
  if (!split_gemm<float>(context, p, Side, Side, kDepth, least)) return FD_NO_MEMORY;
  if (p.g.trans_a) return p.g.trans_b ? run<T, Side, true, true>(context, p) : run<T, Side, true, false>(context, p);
  return p.g.trans_b ? run<T, Side, false, true>(context, p) : run<T, Side, false, false>(context, p);
}

template <class T>
fd_status gemm_mma(fd_context* context, const fd_gemm* g) {
  if (g->m == 0 || g->n == 0 || g->batch == 0) return FD_OK;
  if constexpr (is_half<T>) {
    bool done;
    const fd_status status = gemm_sm90a(context, g, std::is_same_v<T, BFloat16> ? FD_BF16 : FD_F16, &done);
    if (done || status != FD_OK) return status;
  }
  GemmPlan p = plan_gemm<Stored<T>>(*g);
  if (tiles_of(*g, 128, 128) >= kTilesWanted) return run_layout<T, 128>(context, p);
  return run_layout<T, 64>(context, p);
}

}  // namespace

fd_status gemm_tf32(fd_context* context, const fd_gemm* g) { return gemm_mma<TFloat32>(context, g); }

void fill_gemm_mma(fd_kernels* table) {
  table->gemm.gemm[FD_F16] = gemm_mma<Float16>;
  table->gemm.gemm[FD_BF16] = gemm_mma<BFloat16>;
}

}  // namespace fd::gpu
