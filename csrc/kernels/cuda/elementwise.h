// out[i] = Op(in[0][i], ...) over strided operands.
//
// Bound by memory. Every thread computes one pack of up to 16 bytes, without a loop: of contiguous operands neighbours
// that move as one; of any others as many elements a block's width apart, so that neighbouring threads read neighbours
// and several loads are in flight.
#pragma once

#include <utility>

#include "kernels/cuda/space.h"

namespace fd::gpu {

template <int K>
struct MapPlan {
  void* out;
  const void* in[K];
  fd_scalar scalar[K];
  double param[3];
  Space<K + 1> space;  // out first
  int64_t count;
  int32_t packed;
};

constexpr int pack_size(std::initializer_list<size_t> sizes) {
  size_t largest = 2;
  for (size_t s : sizes) largest = s > largest ? s : largest;
  return int(16 / largest);
}

// What one thread works on: N neighbours, or N elements a block's width apart.
template <int N>
struct Share {
  int64_t first;
  int32_t step, valid;
  template <int K>
  __device__ static Share of(const MapPlan<K>& plan) {
    Share s;
    s.step = plan.packed ? 1 : kThreads;
    s.first = plan.packed ? global_thread() * N : int64_t(blockIdx.x) * (kThreads * N) + threadIdx.x;
    const int64_t left = (plan.count - s.first + s.step - 1) / s.step;
    s.valid = left < 0 ? 0 : left > N ? N : int32_t(left);
    return s;
  }
};

template <class T, int N, int K>
__device__ Pack<T, N> load_operand(const MapPlan<K>& plan, int k, const Share<N>& share,
                                   const int64_t (&offset)[N][K + 1]) {
  Pack<T, N> p;
  const T* const in = static_cast<const T*>(plan.in[k]);
  if (!in) {
    const T value = from_scalar<T>(plan.scalar[k]);
#pragma unroll
    for (int j = 0; j < N; j++) p.at[j] = value;
  } else if (plan.packed && share.valid == N) {
    p = *reinterpret_cast<const Pack<T, N>*>(in + share.first);
  } else {
#pragma unroll
    for (int j = 0; j < N; j++) p.at[j] = j < share.valid ? in[offset[j][k + 1]] : T{};
  }
  return p;
}

template <class Op, class Out, class... In, size_t... K>
__device__ void map_share(const MapPlan<sizeof...(In)>& plan, std::index_sequence<K...>) {
  constexpr int N = pack_size({sizeof(Out), sizeof(In)...});
  const auto share = Share<N>::of(plan);
  int64_t offset[N][sizeof...(In) + 1];
#pragma unroll
  for (int j = 0; j < N; j++) {
    if (plan.packed) {
      for (int64_t& o : offset[j]) o = share.first + j;
    } else if (j < share.valid) {
      plan.space.locate(share.first + j * share.step, offset[j]);
    }
  }
  const auto apply = [&](const Pack<In, N>&... in) {
    Pack<Out, N> result;
#pragma unroll
    for (int j = 0; j < N; j++) result.at[j] = Op::apply(in.at[j]..., plan.param);
    Out* const out = static_cast<Out*>(plan.out);
    if (plan.packed && share.valid == N) {
      *reinterpret_cast<Pack<Out, N>*>(out + share.first) = result;
    } else {
#pragma unroll
      for (int j = 0; j < N; j++)
        if (j < share.valid) out[offset[j][0]] = result.at[j];
    }
  };
  apply(load_operand<In>(plan, int(K), share, offset)...);
}

template <class Op, class Out, class... In>
__global__ void __launch_bounds__(kThreads) map_kernel(const __grid_constant__ MapPlan<sizeof...(In)> plan) {
  map_share<Op, Out, In...>(plan, std::index_sequence_for<In...>{});
}

// Whether all operands are dense and stand where packs may.
template <class Out, class... In, size_t... K>
bool can_pack(const fd_elementwise& e, std::index_sequence<K...>) {
  constexpr size_t n = size_t(pack_size({sizeof(Out), sizeof(In)...}));
  if (e.ndim > 1) return false;
  bool dense = e.ndim == 0 || e.out_stride[0] == 1;
  if (e.ndim == 1) ((dense &= !e.in[K] || e.in_stride[K][0] == 1), ...);
  dense &= aligned(e.out, n * sizeof(Out));
  ((dense &= aligned(e.in[K], n * sizeof(In))), ...);
  return dense;
}

// A launcher for one row of a table. Op::apply(In..., const double* param) -> Out.
template <class Op, class Out, class... In>
fd_status map(fd_context* context, const fd_elementwise* e) {
  constexpr int K = sizeof...(In);
  MapPlan<K> plan = {};
  plan.out = e->out;
  const int64_t* strides[K + 1] = {e->out_stride};
  for (int k = 0; k < K; k++) {
    plan.in[k] = e->in[k];
    if (!e->in[k]) plan.scalar[k] = e->scalar[k];
    strides[k + 1] = e->in[k] ? e->in_stride[k] : nullptr;
  }
  for (int k = 0; k < 3; k++) plan.param[k] = e->param[k];
  plan.space.set(e->ndim, e->size, strides);
  plan.count = plan.space.count;
  plan.packed = can_pack<Out, In...>(*e, std::index_sequence_for<In...>{});
  constexpr int64_t each = pack_size({sizeof(Out), sizeof(In)...});
  return start(context, map_kernel<Op, Out, In...>, blocks_for(plan.count, kThreads * each), dim3(kThreads), 0, plan);
}

}  // namespace fd::gpu
