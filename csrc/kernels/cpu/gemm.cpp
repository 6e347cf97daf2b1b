// C = act(op(A) op(B) (+ C) (+ bias)) (* act'), see kernels.h.
//
// Which way a product is taken, and how it is shared. How k is divided and the order of additions depend on shapes
// alone, so the bits of C depend neither on the number of threads nor on how pieces are cut.
//
// Bound by arithmetic, thin shapes by reading the larger operand. Tiles and why: gemm.h, gemm_block.h. On one core of a
// busy machine 2000^3 with A^T 156 GFLOP/s, 1024 x 1024 x 10 with A^T 117 (AVX-512, Intel(R) Xeon(R) Processor @
// 2.10GHz; docs/kernels/gemm.md).
#include "kernels/cpu/gemm_block.h"
#include "kernels/cpu/gemm_thin.h"
#include "kernels/cpu/table.h"

namespace fd::FD_ISA {
namespace {

constexpr double kShareWork = 4e5;         // operations from which a second thread helps, if it is awake
constexpr double kPieceWork = 2e5;         // the least to give a thread
constexpr double kLongWork = 1.5e7;        // worth the time a sleeping thread takes to wake
constexpr double kHugeWork = 8e9;          // cut finer, to even out threads that are disturbed
constexpr int64_t kWakingTasks = 5;        // more than parallel() takes for little work (base/parallel.h)
constexpr int64_t kTurnedRows = 4;         // times the columns: fewer rows are left to the tiles
constexpr int64_t kTurnedDepth = 16;       // times the columns: a shorter k does not make up for writing C once more
constexpr int64_t kShortSumsVectors = 16;  // of a row of C: shorter rows cost more to begin and end than to write
constexpr int64_t kPartDepth = 512;        // of k, where few rows are summed in parts
constexpr int64_t kPartsSize = 1 << 17;    // elements of B from which parts are worth their final sum
constexpr int64_t kDotsLeastVectors = 4;   // along k: fewer do not make up for the sums over lanes
constexpr int64_t kDotsMostRows = 16;      // beyond, rearranging B for the tiles costs less than summing over lanes
constexpr int64_t kDotsMostCols = Vec<float>::kLanes * 3 / 4;  // beyond, a tile one vector wide has few idle lanes

enum class Way { tiles, few_terms, short_sums, few_rows, dots };

template <class T>
struct Job {
  fd_context* context;
  Gemm<T> g;  // the first of the batch
  int64_t batch, batch_a, batch_b, batch_c;
  Way way;
  int64_t rows, cols;  // pieces of C each way
  int64_t group;       // problems per task, where a task is several
  bool out_of_memory = false;

  void fail() { __atomic_store_n(&out_of_memory, true, __ATOMIC_RELAXED); }
  bool failed() const { return __atomic_load_n(&out_of_memory, __ATOMIC_RELAXED); }
};

// A vector is its own transpose: it is read the way whose vectors run along it.
template <class T>
void read_vectors_along(Gemm<T>& g) {
  if (g.m == 1 && g.lda == 1) g.trans_a = false;
  if (g.ldb != 1) return;
  if (g.k == 1) {
    g.trans_b = false;
    g.ldb = g.n;
  } else if (g.n == 1) {
    g.trans_b = true;
    g.ldb = g.k;
  }
}

// A column is computed as a row: the transposed product, with one bias for all of it.
template <class T>
bool column_as_row(Gemm<T>& g) {
  if (g.n != 1 || g.m == 1 || g.ldc != 1 || (g.gate && g.ldgate != 1)) return false;
  exchange(g.m, g.n);
  exchange(g.a, g.b);
  exchange(g.lda, g.ldb);
  exchange(g.trans_a, g.trans_b);
  g.trans_a = !g.trans_a;
  g.trans_b = !g.trans_b;
  g.ldc = g.ldgate = g.n;
  g.bias_step = 0;
  read_vectors_along(g);
  return true;
}

template <class T>
Way way_of(const Gemm<T>& g) {
  if (g.k > 0 && g.k <= kFewTerms && g.m * g.n <= kFewSums && !g.trans_b) return Way::few_terms;
  const bool wide = g.m == 1 || g.n >= kShortSumsVectors * Vec<T>::kLanes;
  if (g.k > 0 && g.k <= kShortTerms && wide && !g.trans_b) return Way::short_sums;
  if (g.m <= kFewRows && !g.trans_b) return Way::few_rows;
  const bool along_k = !g.trans_a && g.k >= kDotsLeastVectors * Vec<T>::kLanes;
  if (along_k && g.n <= kDotsMostCols && g.m > kFewRows) return Way::dots;
  if (along_k && g.trans_b && g.m <= kDotsMostRows) return Way::dots;
  return Way::tiles;
}

template <class T>
void run_piece(Job<T>& job, int64_t problem, const Piece& piece) {
  Gemm<T> g = job.g;
  g.a += problem * job.batch_a;
  g.b += problem * job.batch_b;
  g.c += problem * job.batch_c;
  if (g.gate) g.gate += problem * job.batch_c;
  if (job.way == Way::few_terms) return multiply_few_terms(g, piece);
  if (job.way == Way::short_sums) return multiply_short_sums(job.context, g, piece);
  if (job.way == Way::few_rows) return multiply_few_rows(g, piece.col_begin, piece.col_end);
  if (job.way == Way::tiles) {
    if (!multiply_piece(job.context, g, piece)) job.fail();
    return;
  }
  Dots<T> d{g.k, g.a, g.lda, g.b, g.ldb, g.c, g.ldc, g.accumulate};
  if (!g.trans_b) {
    // Few columns: B is turned so that they lie along k.
    const int64_t length = round_up(g.k, Vec<T>::kLanes);
    T* const turned = static_cast<T*>(job.context->workspace(job.context, 1, size_t(length * g.n) * sizeof(T)));
    if (!turned) return job.fail();
    turn_columns(g.b, g.ldb, g.k, g.n, turned, length);
    d.b = turned;
    d.b_col = length;
  }
  multiply_dots(d, piece);
  finish(finish_of(g, piece.row_begin, piece.col_begin), g.c + piece.row_begin * g.ldc + piece.col_begin, g.ldc,
         piece.row_end - piece.row_begin, piece.col_end - piece.col_begin);
}

// Columns are cut between tiles.
template <class T>
Piece piece_of(const Job<T>& job, int64_t index) {
  const int64_t r = index / job.cols, c = index % job.cols, tiles = ceil_div(job.g.n, kTileCols<T>);
  return {job.g.m * r / job.rows, job.g.m * (r + 1) / job.rows, tiles * c / job.cols * kTileCols<T>,
          least(job.g.n, tiles * (c + 1) / job.cols * kTileCols<T>)};
}

template <class T>
void task(void* closure, int64_t index) {
  Job<T>& job = *static_cast<Job<T>*>(closure);
  const int64_t pieces = job.rows * job.cols;
  if (pieces > 1) {
    const int64_t problem = index / pieces;
    if (problem < job.batch) run_piece(job, problem, piece_of(job, index % pieces));
    return;
  }
  const int64_t end = least(job.batch, (index + 1) * job.group);
  for (int64_t p = index * job.group; p < end; p++) run_piece(job, p, Piece{0, job.g.m, 0, job.g.n});
}

// Of all ways to cut C into `pieces`, the one whose pieces take least: each packs its part of B, which costs as much
// as some more rows would, and threads that share rows of C disturb each other's prefetching.
template <class T>
void cut(Job<T>& job, int64_t pieces) {
  const Gemm<T>& g = job.g;
  const double packing_rows = g.trans_b ? 24 : 2;
  double best = 0;
  job.rows = job.cols = 1;
  for (int64_t rows = 1; rows <= least(pieces, g.m); rows++) {
    const int64_t cols = least(pieces / rows, ceil_div(g.n, kTileCols<T>));
    const double height = double(ceil_div(g.m, rows)), width = double(ceil_div(ceil_div(g.n, kTileCols<T>), cols));
    const double cost = (most(height, 6.0) + packing_rows) * width * (cols > 1 ? 1.06 : 1.0);
    if (best != 0 && cost >= best) continue;
    best = cost;
    job.rows = rows;
    job.cols = cols;
  }
}

// Operations, with thin products counted as their operands' traffic has it, and C's as much as eight more terms.
template <class T>
double work_of(const Gemm<T>& g) {
  const double m = double(most<int64_t>(g.m, 8)), n = double(most<int64_t>(g.n, 8));
  return 2.0 * double(g.k) * m * n + 16.0 * double(g.m) * double(g.n);
}

template <class T>
fd_status run(Job<T>& job) {
  fd_context* const context = job.context;
  const double each = work_of(job.g), work = each * double(job.batch);
  job.rows = job.cols = 1;
  job.group = job.batch;
  int64_t tasks = 1;
  if (context->threads > 1 && work > kShareWork) {
    const double wanted = least(work / kPieceWork, double(context->threads) * (work > kHugeWork ? 2 : 1));
    if (job.batch >= int64_t(wanted)) {
      job.group = most<int64_t>(1, int64_t(double(job.batch) / (4 * wanted)));
      tasks = ceil_div(job.batch, job.group);
    } else {
      cut(job, ceil_div(int64_t(wanted), job.batch));
      job.group = 1;
      tasks = job.batch * job.rows * job.cols;
    }
  }
  if (tasks == 1) {
    for (int64_t p = 0; p < job.batch; p++) run_piece(job, p, Piece{0, job.g.m, 0, job.g.n});
  } else {
    context->parallel(context, work > kLongWork ? most(tasks, kWakingTasks) : tasks, task<T>, &job);
  }
  return job.failed() ? FD_NO_MEMORY : FD_OK;
}

// A batch of row blocks that lie one after the other and share B is one taller product.
template <class T>
void merge_batch(Job<T>& job) {
  Gemm<T>& g = job.g;
  if (job.batch == 1 || job.batch_b != 0 || g.trans_a) return;
  if (job.batch_a != g.m * g.lda || job.batch_c != g.m * g.ldc || (g.gate && g.ldgate != g.ldc)) return;
  g.m *= job.batch;
  job.batch = 1;
}

// Few columns of A^T B: as rows of B^T A, vectors run along A.
template <class T>
bool turns(const Job<T>& job) {
  const Gemm<T>& g = job.g;
  return g.trans_a && job.batch == 1 && g.n <= Vec<T>::kLanes && g.m >= kTurnedRows * g.n && g.k >= kTurnedDepth * g.n;
}

template <class T>
fd_status run_turned(const Job<T>& job) {
  const Gemm<T>& g = job.g;
  T* const turned = static_cast<T*>(job.context->workspace(job.context, 0, size_t(g.m * g.n) * sizeof(T)));
  if (!turned) return FD_NO_MEMORY;
  Job<T> other = job;
  other.g = Gemm<T>{};
  other.g.m = g.n;
  other.g.n = g.m;
  other.g.k = g.k;
  other.g.a = g.b;
  other.g.lda = g.ldb;
  other.g.trans_a = !g.trans_b;
  other.g.b = g.a;
  other.g.ldb = g.lda;
  other.g.c = turned;
  other.g.ldc = g.m;
  other.way = way_of(other.g);
  const fd_status status = run(other);
  if (status != FD_OK) return status;
  for (int64_t i = 0; i < g.m; i++) {
    T* const row = g.c + i * g.ldc;
    for (int64_t j = 0; j < g.n; j++) row[j] = g.accumulate ? row[j] + turned[j * g.m + i] : turned[j * g.m + i];
  }
  finish(finish_of(g, 0, 0), g.c, g.ldc, g.m, g.n);
  return FD_OK;
}

// Few rows over a long k: B's rows are shared between threads rather than its columns, so that each reads one run of
// memory. Every part of k has sums of its own, which are added in order.
template <class T>
bool sums_parts(const Job<T>& job) {
  const Gemm<T>& g = job.g;
  return job.way == Way::few_rows && job.batch == 1 && g.k >= 2 * kPartDepth && g.n <= kFewRowsCols &&
         g.k * g.n >= kPartsSize;
}

template <class T>
fd_status run_parts(const Job<T>& job) {
  const Gemm<T>& g = job.g;
  const int64_t parts = g.k / kPartDepth, depth = g.k / parts, a_step = g.trans_a ? g.lda : 1;
  T* const sums = static_cast<T*>(job.context->workspace(job.context, 0, size_t(parts * g.m * g.n) * sizeof(T)));
  if (!sums) return FD_NO_MEMORY;
  Job<T> other = job;
  other.g.k = depth;
  other.g.c = sums;
  other.g.ldc = g.n;
  other.g.accumulate = false;
  other.g.activation = FD_ACT_NONE;
  other.g.bias = other.g.gate = nullptr;
  other.batch = parts;
  other.batch_a = depth * a_step;
  other.batch_b = depth * g.ldb;
  other.batch_c = g.m * g.n;
  const fd_status status = run(other);
  if (status != FD_OK) return status;
  for (int64_t p = 0; p < parts; p++)
    for (int64_t i = 0; i < g.m; i++) {
      const T* const from = sums + (p * g.m + i) * g.n;
      T* const row = g.c + i * g.ldc;
      for_vectors<T>(0, g.n, [&](int64_t j, auto lanes) {
        const Vec<T> sum = load(from + j, lanes);
        store(p > 0 || g.accumulate ? load(row + j, lanes) + sum : sum, row + j, lanes);
      });
    }
  Gemm<T> rest = g;
  rest.k = g.k - parts * depth;
  rest.a += parts * other.batch_a;
  rest.b += parts * other.batch_b;
  rest.accumulate = true;
  multiply_few_rows(rest, 0, g.n);
  return FD_OK;
}

template <class T>
fd_status gemm(fd_context* context, const fd_gemm* args) {
  if (args->m == 0 || args->n == 0 || args->batch == 0) return FD_OK;
  Job<T> job;
  job.context = context;
  job.g = {.m = args->m,
           .n = args->n,
           .k = args->k,
           .a = static_cast<const T*>(args->a),
           .b = static_cast<const T*>(args->b),
           .c = static_cast<T*>(args->c),
           .lda = args->lda,
           .ldb = args->ldb,
           .ldc = args->ldc,
           .trans_a = args->trans_a != 0,
           .trans_b = args->trans_b != 0,
           .accumulate = args->accumulate != 0,
           .activation = args->activation,
           .gate_activation = args->gate_activation,
           .bias = static_cast<const T*>(args->bias),
           .bias_step = 1,
           .gate = static_cast<const T*>(args->gate),
           .ldgate = args->ldgate};
  job.batch = args->batch;
  job.batch_a = args->batch_a;
  job.batch_b = args->batch_b;
  job.batch_c = args->batch_c;
  merge_batch(job);
  read_vectors_along(job.g);
  // One bias for every column is known to the thin paths only; tiles read one per column.
  Gemm<T> turned = job.g;
  if (column_as_row(turned) && !(turned.bias && way_of(turned) == Way::tiles)) {
    job.g = turned;
    exchange(job.batch_a, job.batch_b);
  }
  if (turns(job)) return run_turned(job);
  job.way = way_of(job.g);
  return sums_parts(job) ? run_parts(job) : run(job);
}

}  // namespace

void fill_gemm(fd_kernels* table) {
  table->gemm.gemm[FD_F32] = gemm<float>;
  table->gemm.gemm[FD_F64] = gemm<double>;
}

}  // namespace fd::FD_ISA
