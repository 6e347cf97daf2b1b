// Convolution, its gradient of the input (which is the transposed convolution) and of the weight, as products of
// matrices that are never built: each element of a tile is fetched from where it lies.
//
//                rows            columns                depth                  left            right
//   forward      out channels    windows of all n       in channels x taps     weight          x
//   grad_input   in channels     places of x, all n     out channels x taps    weight          gy
//   grad_weight  out channels    in channels x taps     windows of all n       gy              x
//
// Bound by arithmetic. 64 x 64 tiles by 256 threads, 4 x 4 sums a thread, two sets of tiles in shared memory so that
// one barrier a step is enough; neighbouring threads fetch neighbours in memory. Where tiles are few (grad_weight),
// depth is split over blocks by shape alone and a second launch adds the parts in order. Rates on a GPU are yet to be
// measured.
#include "kernels/cuda/conv.h"

#include <algorithm>

#include "kernels/cuda/activation.h"
#include "kernels/cuda/fd/group.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

constexpr int kSide = 64, kEach = 4, kDepth = 16;
constexpr int kFetch = kSide * kDepth / kThreads;
constexpr int kPad = 4;
constexpr int64_t kTilesWanted = 128;
constexpr int64_t kLeastSplit = 8 * kDepth;
constexpr int64_t kMostNumber = (int64_t(1) << 31) - 2 * kSide;  // so that the end of the last tile is a number too

// Each problem says how its two factors are read, which way neighbours lie, and where a sum goes.
struct Forward {
  static constexpr bool kLeftAlongDepth = true, kRightAlongDepth = false;
  template <class T>
  __device__ static T left(const ConvPlan& p, int32_t group, int32_t row, int32_t k) {
    return static_cast<const T*>(p.v.weight)[(int64_t(group) * p.outputs + row) * p.depth + k];
  }
  template <class T>
  __device__ static T right(const ConvPlan& p, int32_t group, int32_t k, int32_t col) {
    const int32_t n = p.out.split(col), channel = p.kernel.split(k), at = p.under(col, k);
    const int64_t plane = int64_t(n) * p.v.in_channels + group * p.inputs + channel;
    return at < 0 ? T(0) : static_cast<const T*>(p.v.x)[plane * p.in.count() + at];
  }
  template <class T>
  __device__ static void store(const ConvPlan& p, int32_t group, int32_t row, int32_t col, T sum) {
    const int32_t n = p.out.split(col), channel = group * p.outputs + row;
    if (p.v.bias) sum += static_cast<const T*>(p.v.bias)[channel];
    const int64_t plane = int64_t(n) * p.v.out_channels + channel;
    static_cast<T*>(p.v.y)[plane * p.out.count() + col] = activate(p.v.activation, sum);
  }
};

struct GradInput {
  static constexpr bool kLeftAlongDepth = true, kRightAlongDepth = false;
  template <class T>
  __device__ static T left(const ConvPlan& p, int32_t group, int32_t row, int32_t k) {
    const int32_t channel = group * p.outputs + p.kernel.split(k);
    return static_cast<const T*>(p.v.weight)[(int64_t(channel) * p.inputs + row) * p.kernel.count() + k];
  }
  template <class T>
  __device__ static T right(const ConvPlan& p, int32_t group, int32_t k, int32_t col) {
    const int32_t n = p.in.split(col), channel = p.kernel.split(k), window = p.over(col, k);
    const int64_t plane = int64_t(n) * p.v.out_channels + group * p.outputs + channel;
    return window < 0 ? T(0) : static_cast<const T*>(p.v.gy)[plane * p.out.count() + window];
  }
  template <class T>
  __device__ static void store(const ConvPlan& p, int32_t group, int32_t row, int32_t col, T sum) {
    const int32_t n = p.in.split(col), channel = group * p.inputs + row;
    if (p.v.bias) sum += static_cast<const T*>(p.v.bias)[channel];
    static_cast<T*>(p.v.gx)[(int64_t(n) * p.v.in_channels + channel) * p.in.count() + col] = sum;
  }
};

struct GradWeight {
  static constexpr bool kLeftAlongDepth = true, kRightAlongDepth = true;
  template <class T>
  __device__ static T left(const ConvPlan& p, int32_t group, int32_t row, int32_t k) {
    const int64_t plane = int64_t(p.out.split(k)) * p.v.out_channels + group * p.outputs + row;
    return static_cast<const T*>(p.v.gy)[plane * p.out.count() + k];
  }
  template <class T>
  __device__ static T right(const ConvPlan& p, int32_t group, int32_t k, int32_t col) {
    const int32_t n = p.out.split(k), channel = p.kernel.split(col), at = p.under(k, col);
    const int64_t plane = int64_t(n) * p.v.in_channels + group * p.inputs + channel;
    return at < 0 ? T(0) : static_cast<const T*>(p.v.x)[plane * p.in.count() + at];
  }
  template <class T>
  __device__ static void store(const ConvPlan& p, int32_t group, int32_t row, int32_t col, T sum) {
    static_cast<T*>(p.v.gweight)[(int64_t(group) * p.outputs + row) * p.cols + col] = sum;
  }
};

// Which element of a tile a thread's i-th fetch is: neighbouring threads take neighbours in memory.
template <bool AlongDepth>
struct Share {
  __device__ static int depth(int i) {
    const int at = int(threadIdx.x) + i * kThreads;
    return AlongDepth ? at % kDepth : at / kSide;
  }
  __device__ static int side(int i) {
    const int at = int(threadIdx.x) + i * kThreads;
    return AlongDepth ? at / kDepth : at % kSide;
  }
};

template <class Problem, class T>
struct Fetched {
  using Left = Share<Problem::kLeftAlongDepth>;
  using Right = Share<Problem::kRightAlongDepth>;
  T left[kFetch], right[kFetch];

  __device__ void fetch(const ConvPlan& p, int32_t group, int32_t row0, int32_t col0, int32_t k0, int32_t end) {
#pragma unroll
    for (int i = 0; i < kFetch; i++) {
      const int32_t row = row0 + Left::side(i), k = k0 + Left::depth(i);
      left[i] = row < p.rows && k < end ? Problem::template left<T>(p, group, row, k) : T(0);
    }
#pragma unroll
    for (int i = 0; i < kFetch; i++) {
      const int32_t col = col0 + Right::side(i), k = k0 + Right::depth(i);
      right[i] = col < p.cols && k < end ? Problem::template right<T>(p, group, k, col) : T(0);
    }
  }
  __device__ void store(T (&to_left)[kDepth][kSide + kPad], T (&to_right)[kDepth][kSide + kPad]) const {
#pragma unroll
    for (int i = 0; i < kFetch; i++) {
      to_left[Left::depth(i)][Left::side(i)] = left[i];
      to_right[Right::depth(i)][Right::side(i)] = right[i];
    }
  }
};

template <class Problem, class T>
__global__ void __launch_bounds__(kThreads) conv_kernel(const __grid_constant__ ConvPlan p) {
  FD_SHARED(T, left, [2][kDepth][kSide + kPad]);
  FD_SHARED(T, right, [2][kDepth][kSide + kPad]);
  const int32_t row0 = int32_t(blockIdx.x / unsigned(p.tiles_across)) * kSide;
  const int32_t col0 = int32_t(blockIdx.x % unsigned(p.tiles_across)) * kSide;
  const int32_t group = int32_t(blockIdx.y);
  const int32_t begin = int32_t(blockIdx.z) * p.split_depth;
  const int32_t end = p.depth - begin < p.split_depth ? p.depth : begin + p.split_depth;
  const int down = int(threadIdx.x) / (kSide / kEach) * kEach, across = int(threadIdx.x) % (kSide / kEach) * kEach;
  Fetched<Problem, T> next;
  T sum[kEach][kEach] = {};
  next.fetch(p, group, row0, col0, begin, end);
  int set = 0;
  for (int32_t k0 = begin; k0 < end; k0 += kDepth, set ^= 1) {
    next.store(left[set], right[set]);
    __syncthreads();
    if (end - k0 > kDepth) next.fetch(p, group, row0, col0, k0 + kDepth, end);
#pragma unroll
    for (int l = 0; l < kDepth; l++) {
      const auto a = *reinterpret_cast<const Pack<T, kEach>*>(&left[set][l][down]);
      const auto b = *reinterpret_cast<const Pack<T, kEach>*>(&right[set][l][across]);
#pragma unroll
      for (int i = 0; i < kEach; i++)
#pragma unroll
        for (int j = 0; j < kEach; j++) sum[i][j] += a.at[i] * b.at[j];
    }
  }
#pragma unroll
  for (int i = 0; i < kEach; i++)
#pragma unroll
    for (int j = 0; j < kEach; j++) {
      const int32_t row = row0 + down + i, col = col0 + across + j;
      if (row >= p.rows || col >= p.cols) continue;
      if (p.parts) {
        const int64_t part = int64_t(blockIdx.z) * gridDim.y + group;
        static_cast<T*>(p.parts)[(part * p.rows + row) * p.cols + col] = sum[i][j];
      } else {
        Problem::store(p, group, row, col, sum[i][j]);
      }
    }
}

template <class Problem, class T>
__global__ void __launch_bounds__(kThreads) add_parts_kernel(const __grid_constant__ ConvPlan p) {
  const int64_t each = int64_t(p.rows) * p.cols, size = p.v.groups * each, at = global_thread();
  if (at >= size) return;
  T sum = 0;
  for (int s = 0; s < p.splits; s++) sum += static_cast<const T*>(p.parts)[s * size + at];
  Problem::store(p, int32_t(at / each), int32_t(at % each / p.cols), int32_t(at % p.cols), sum);
}

// The sum of gy over examples and windows: one block a channel.
template <class T>
__global__ void __launch_bounds__(kThreads) bias_kernel(const __grid_constant__ ConvPlan p) {
  const int64_t windows = p.out.count(), all = p.v.n * windows;
  double sum = 0;
  for (int64_t i = threadIdx.x; i < all; i += kThreads) {
    const int64_t n = p.out.planes(i);
    sum += double(static_cast<const T*>(p.v.gy)[(n * p.v.out_channels + blockIdx.x) * windows + i - n * windows]);
  }
  sum = Group<kThreads>::sum(sum);
  if (threadIdx.x == 0) static_cast<T*>(p.v.gbias)[blockIdx.x] = T(sum);
}

// rows, cols and depth as the table above has them; false if a number of them does not fit 31 bits.
bool plan_for(const fd_conv& v, int64_t rows, int64_t cols, int64_t depth, ConvPlan* p) {
  for (int64_t n : {rows, cols, depth, volume(v.in), volume(v.out), volume(v.kernel)})
    if (n > kMostNumber) return false;
  *p = {};
  p->v = v;
  p->in = Grid3(v.in);
  p->out = Grid3(v.out);
  p->kernel = Grid3(v.kernel);
  p->inputs = int32_t(v.in_channels / v.groups);
  p->outputs = int32_t(v.out_channels / v.groups);
  p->rows = int32_t(rows);
  p->cols = int32_t(cols);
  p->depth = int32_t(depth);
  return true;
}

template <class Problem, class T>
fd_status run(fd_context* context, ConvPlan& p) {
  if (p.rows == 0 || p.cols == 0 || p.v.groups == 0) return FD_OK;
  p.tiles_across = int32_t(ceil_div(p.cols, kSide));
  const int64_t tiles = ceil_div(p.rows, kSide) * p.tiles_across;
  const int64_t most = ceil_div(p.depth, kLeastSplit), wanted = 2 * kTilesWanted / (tiles * p.v.groups);
  const int64_t splits = std::max<int64_t>(1, std::min<int64_t>({most, wanted, 64}));
  p.split_depth = int32_t(std::max<int64_t>(ceil_div(ceil_div(p.depth, splits), kDepth) * kDepth, kDepth));
  p.splits = int32_t(std::max<int64_t>(1, ceil_div(p.depth, p.split_depth)));
  const int64_t size = p.v.groups * p.rows * p.cols;
  if (p.splits > 1) {
    p.parts = workspace<T>(context, p.splits * size);
    if (!p.parts) return FD_NO_MEMORY;
  }
  const dim3 grid(unsigned(tiles), unsigned(p.v.groups), unsigned(p.splits));
  if (const fd_status bad = start(context, conv_kernel<Problem, T>, grid, dim3(kThreads), 0, p)) return bad;
  if (p.splits == 1) return FD_OK;
  return start(context, add_parts_kernel<Problem, T>, blocks_for(size), dim3(kThreads), 0, p);
}

template <class T>
fd_status forward(fd_context* context, const fd_conv* v) {
  ConvPlan p;
  const int64_t depth = v->in_channels / v->groups * volume(v->kernel);
  if (!plan_for(*v, v->out_channels / v->groups, v->n * volume(v->out), depth, &p)) return FD_UNSUPPORTED;
  return run<Forward, T>(context, p);
}

template <class T>
fd_status grad_input(fd_context* context, const fd_conv* v) {
  ConvPlan p;
  const int64_t depth = v->out_channels / v->groups * volume(v->kernel);
  if (!plan_for(*v, v->in_channels / v->groups, v->n * volume(v->in), depth, &p)) return FD_UNSUPPORTED;
  return run<GradInput, T>(context, p);
}

template <class T>
fd_status grad_weight(fd_context* context, const fd_conv* v) {
  ConvPlan p;
  const int64_t cols = v->in_channels / v->groups * volume(v->kernel);
  if (!plan_for(*v, v->out_channels / v->groups, cols, v->n * volume(v->out), &p)) return FD_UNSUPPORTED;
  if (v->gbias) {
    const dim3 blocks{unsigned(v->out_channels)};
    if (const fd_status bad = start(context, bias_kernel<T>, blocks, dim3(kThreads), 0, p)) return bad;
  }
  return v->gweight ? run<GradWeight, T>(context, p) : FD_OK;
}

}  // namespace

void fill_conv(fd_kernels* table) {
  for_each_floating([table]<class T>(fd_dtype dtype) {
    table->conv.forward[dtype] = forward<T>;
    table->conv.grad_input[dtype] = grad_input<T>;
    table->conv.grad_weight[dtype] = grad_weight<T>;
  });
}

}  // namespace fd::gpu
