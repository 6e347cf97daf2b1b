// C = act(op(A) op(B) (+ C) (+ bias)) (* act'), exact in the operands' own type (no TF32).
//
// Bound by arithmetic. A block of 256 threads computes a tile of C, each thread a small square of it from registers.
// The tiles of A and B that it needs next are fetched while it multiplies those in shared memory, of which there are
// two sets, so one barrier a step is enough. Tile sizes: 128 x 128 (8 x 8 a thread: four multiply-adds for each value
// read from shared memory) for large C, 64 x 64 and 32 x 32 where the larger ones would leave multiprocessors idle. Few
// tiles and a long k: k is split over blocks by shape alone, and a second launch adds the parts in order. Tiling as in
// the CUDA C++ programming guide's matrix multiplication and in V. Volkov's "Better performance at lower occupancy"
// (GTC 2010). Rates on a GPU are yet to be measured.
#include <algorithm>

#include "kernels/cuda/activation.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

constexpr int kDepth = 16;             // of a tile along k
constexpr int64_t kTilesWanted = 128;  // about the multiprocessors of a large device
constexpr int64_t kLeastSplit = 8 * kDepth;
constexpr int64_t kMostBatch = 65535;  // of a grid's second dimension

struct GemmPlan {
  fd_gemm g;
  void* parts;          // [splits, batch, m, n] where k is split, else null
  int64_t split_depth;  // of k, for one block
  int32_t tiles_n, splits;
  int32_t wide_a, wide_b;  // four neighbours may be read as one
};

// One operand's tile: kDepth x Width, element (l, c) at shared[l][c]. KFast: neighbours in memory lie along k.
template <class T, int Width, bool KFast>
struct Tile {
  static constexpr int kPad = 4;  // keeps rows aligned and spreads columns over banks
  static constexpr int kMine = kDepth * Width / kThreads;
  static constexpr int kPack = kMine < 4 ? kMine : 4;
  static constexpr int kGroups = kMine / kPack;
  static constexpr int kFast = KFast ? kDepth : Width;
  using Shared = T[kDepth][Width + kPad];

  T mine[kGroups][kPack];

  __device__ static int fast_of(int group) { return (int(threadIdx.x) + group * kThreads) % (kFast / kPack) * kPack; }
  __device__ static int slow_of(int group) { return (int(threadIdx.x) + group * kThreads) / (kFast / kPack); }

  // What lies outside of k < depth and c < width is 0.
  __device__ void fetch(const T* in, int64_t ld, int64_t k0, int64_t depth, int64_t c0, int64_t width, bool wide) {
#pragma unroll
    for (int i = 0; i < kGroups; i++) {
      const int64_t fast = (KFast ? k0 : c0) + fast_of(i), slow = (KFast ? c0 : k0) + slow_of(i);
      const int64_t fast_end = KFast ? depth : width, slow_end = KFast ? width : depth;
      const T* const at = in + slow * ld + fast;
      if (wide && slow < slow_end && fast + kPack <= fast_end) {
        const auto pack = *reinterpret_cast<const Pack<T, kPack>*>(at);
#pragma unroll
        for (int j = 0; j < kPack; j++) mine[i][j] = pack.at[j];
      } else {
#pragma unroll
        for (int j = 0; j < kPack; j++) mine[i][j] = slow < slow_end && fast + j < fast_end ? at[j] : T(0);
      }
    }
  }

  __device__ void store(Shared& shared) const {
#pragma unroll
    for (int i = 0; i < kGroups; i++)
#pragma unroll
      for (int j = 0; j < kPack; j++) {
        const int fast = fast_of(i) + j, slow = slow_of(i);
        if constexpr (KFast)
          shared[fast][slow] = mine[i][j];
        else
          shared[slow][fast] = mine[i][j];
      }
  }
};

// A thread's Each values along one side of the tile lie in runs of up to four, a run of every thread before the next.
template <int Side, int Each>
struct Runs {
  static constexpr int kRun = Each < 4 ? Each : 4;
  __device__ static int place(int who, int i) { return i / kRun * (Side / (Each / kRun)) + who * kRun + i % kRun; }
};

template <class T, int Side, int Each>
__device__ void read_runs(T (&out)[Each], const T* row, int who) {
  using R = Runs<Side, Each>;
#pragma unroll
  for (int i = 0; i < Each; i += R::kRun) {
    const auto run = *reinterpret_cast<const Pack<T, R::kRun>*>(row + R::place(who, i));
#pragma unroll
    for (int j = 0; j < R::kRun; j++) out[i + j] = run.at[j];
  }
}

template <class T>
__device__ void finish(const fd_gemm& g, int64_t problem, int64_t i, int64_t j, T x) {
  T* const c = static_cast<T*>(g.c) + problem * g.batch_c + i * g.ldc + j;
  if (g.accumulate) x += *c;
  if (g.bias) x += static_cast<const T*>(g.bias)[j];
  x = activate(g.activation, x);
  if (g.gate) {
    const T y = static_cast<const T*>(g.gate)[problem * g.batch_c + i * g.ldgate + j];
    x *= activation_slope(g.gate_activation, y);
  }
  *c = x;
}

template <class T, int Side, int Each, bool TransA, bool TransB>
__global__ void __launch_bounds__(kThreads) gemm_kernel(const __grid_constant__ GemmPlan p, int64_t first_problem) {
  static_assert(Side / Each * (Side / Each) == kThreads);
  using TileA = Tile<T, Side, !TransA>;
  using TileB = Tile<T, Side, TransB>;
  FD_SHARED(typename TileA::Shared, shared_a, [2]);
  FD_SHARED(typename TileB::Shared, shared_b, [2]);
  const fd_gemm& g = p.g;
  const int64_t problem = first_problem + blockIdx.y;
  const int64_t row0 = int64_t(blockIdx.x / unsigned(p.tiles_n)) * Side;
  const int64_t col0 = int64_t(blockIdx.x % unsigned(p.tiles_n)) * Side;
  const int64_t begin = int64_t(blockIdx.z) * p.split_depth;
  const int64_t end = begin + p.split_depth < g.k ? begin + p.split_depth : g.k;
  const T* const a = static_cast<const T*>(g.a) + problem * g.batch_a;
  const T* const b = static_cast<const T*>(g.b) + problem * g.batch_b;
  const int down = int(threadIdx.x) / (Side / Each), across = int(threadIdx.x) % (Side / Each);

  TileA next_a;
  TileB next_b;
  T sum[Each][Each] = {};
  next_a.fetch(a, g.lda, begin, end, row0, g.m, p.wide_a);
  next_b.fetch(b, g.ldb, begin, end, col0, g.n, p.wide_b);
  int set = 0;
  for (int64_t k0 = begin; k0 < end; k0 += kDepth, set ^= 1) {
    next_a.store(shared_a[set]);
    next_b.store(shared_b[set]);
    // The set written next was last read before this barrier's predecessor, so one barrier a step is enough.
    __syncthreads();
    if (k0 + kDepth < end) {
      next_a.fetch(a, g.lda, k0 + kDepth, end, row0, g.m, p.wide_a);
      next_b.fetch(b, g.ldb, k0 + kDepth, end, col0, g.n, p.wide_b);
    }
#pragma unroll
    for (int l = 0; l < kDepth; l++) {
      T left[Each], right[Each];
      read_runs<T, Side>(left, shared_a[set][l], down);
      read_runs<T, Side>(right, shared_b[set][l], across);
#pragma unroll
      for (int i = 0; i < Each; i++)
#pragma unroll
        for (int j = 0; j < Each; j++) sum[i][j] += left[i] * right[j];
    }
  }
#pragma unroll
  for (int i = 0; i < Each; i++)
#pragma unroll
    for (int j = 0; j < Each; j++) {
      const int64_t row = row0 + Runs<Side, Each>::place(down, i), col = col0 + Runs<Side, Each>::place(across, j);
      if (row >= g.m || col >= g.n) continue;
      if (p.parts)
        static_cast<T*>(p.parts)[((blockIdx.z * g.batch + problem) * g.m + row) * g.n + col] = sum[i][j];
      else
        finish(g, problem, row, col, sum[i][j]);
    }
}

template <class T>
__global__ void __launch_bounds__(kThreads) add_parts_kernel(const __grid_constant__ GemmPlan p) {
  const fd_gemm& g = p.g;
  const int64_t at = global_thread(), size = g.batch * g.m * g.n;
  if (at >= size) return;
  T sum = 0;
  for (int s = 0; s < p.splits; s++) sum += static_cast<const T*>(p.parts)[s * size + at];
  finish(g, at / (g.m * g.n), at / g.n % g.m, at % g.n, sum);
}

template <class T, int Side, int Each, bool TransA, bool TransB>
fd_status run(fd_context* context, GemmPlan& p) {
  const fd_gemm& g = p.g;
  p.tiles_n = int32_t(ceil_div(g.n, Side));
  const int64_t tiles = ceil_div(g.m, Side) * p.tiles_n;
  const int64_t most = std::min<int64_t>(ceil_div(g.k, kLeastSplit), 32);
  const int64_t splits = std::max<int64_t>(1, std::min(most, kTilesWanted / std::max<int64_t>(tiles * g.batch, 1)));
  // Every split starts on a tile's boundary, so that packs stay aligned.
  p.split_depth = std::max<int64_t>(ceil_div(ceil_div(g.k, splits), kDepth) * kDepth, kDepth);
  p.splits = int32_t(std::max<int64_t>(1, ceil_div(g.k, p.split_depth)));
  if (p.splits > 1) {
    p.parts = workspace<T>(context, p.splits * g.batch * g.m * g.n);
    if (!p.parts) return FD_NO_MEMORY;
  }
  for (int64_t first = 0; first < g.batch; first += kMostBatch) {
    const dim3 grid(unsigned(tiles), unsigned(std::min(kMostBatch, g.batch - first)), unsigned(p.splits));
    const auto kernel = gemm_kernel<T, Side, Each, TransA, TransB>;
    if (const fd_status bad = start(context, kernel, grid, dim3(kThreads), 0, p, first)) return bad;
  }
  if (p.splits == 1) return FD_OK;
  return start(context, add_parts_kernel<T>, blocks_for(g.batch * g.m * g.n), dim3(kThreads), 0, p);
}

template <class T, int Side, int Each>
fd_status run_layout(fd_context* context, GemmPlan& p) {
  if (p.g.trans_a)
    return p.g.trans_b ? run<T, Side, Each, true, true>(context, p) : run<T, Side, Each, true, false>(context, p);
  return p.g.trans_b ? run<T, Side, Each, false, true>(context, p) : run<T, Side, Each, false, false>(context, p);
}

template <class T>
bool wide(const void* data, int64_t ld, int64_t batch_step) {
  return aligned(data, 4 * sizeof(T)) && ld % 4 == 0 && batch_step % 4 == 0;
}

template <class T>
fd_status gemm(fd_context* context, const fd_gemm* g) {
  if (g->m == 0 || g->n == 0 || g->batch == 0) return FD_OK;
  GemmPlan p = {};
  p.g = *g;
  p.wide_a = wide<T>(g->a, g->lda, g->batch_a);
  p.wide_b = wide<T>(g->b, g->ldb, g->batch_b);
  const auto tiles = [g](int64_t side) { return ceil_div(g->m, side) * ceil_div(g->n, side) * g->batch; };
  if constexpr (sizeof(T) == 4)
    if (g->m > 64 && g->n > 64 && tiles(128) >= kTilesWanted / 2) return run_layout<T, 128, 8>(context, p);
  if (g->m > 32 && g->n > 32 && tiles(64) >= kTilesWanted / 4) return run_layout<T, 64, 4>(context, p);
  return run_layout<T, 32, 2>(context, p);
}

}  // namespace

void fill_gemm(fd_kernels* table) {
  table->gemm.gemm[FD_F32] = gemm<float>;
  table->gemm.gemm[FD_F64] = gemm<double>;
}

}  // namespace fd::gpu
