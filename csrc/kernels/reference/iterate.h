// Walking strided arrays together, and mapping a function over them.
#pragma once

#include <tuple>
#include <utility>

#include "kernels/reference/element.h"

namespace fd::reference {

// Calls visit(offset) for every index of the space size[0..ndim), in C order; offset[k] is where the k-th array stands.
template <size_t K, class Visit>
void for_each_offset(int ndim, const int64_t* size, const int64_t* const (&stride)[K], Visit visit) {
  for (int d = 0; d < ndim; d++)
    if (size[d] == 0) return;
  int64_t index[FD_MAX_DIMS] = {};
  int64_t offset[K] = {};
  for (;;) {
    visit(offset);
    int d = ndim - 1;
    for (; d >= 0; d--) {
      for (size_t k = 0; k < K; k++) offset[k] += stride[k][d];
      if (++index[d] < size[d]) break;
      for (size_t k = 0; k < K; k++) offset[k] -= stride[k][d] * size[d];
      index[d] = 0;
    }
    if (d < 0) return;
  }
}

template <class Out, class... In, class F, size_t... K>
void map_operands(const fd_elementwise& e, F f, std::index_sequence<K...>) {
  static constexpr int64_t broadcast[FD_MAX_DIMS] = {};
  const std::tuple<In...> scalar{from_scalar<In>(e.in[K] ? fd_scalar{} : e.scalar[K])...};
  const std::tuple<const In*...> in{e.in[K] ? static_cast<const In*>(e.in[K]) : &std::get<K>(scalar)...};
  const int64_t* const stride[] = {e.out_stride, (e.in[K] ? e.in_stride[K] : broadcast)...};

  const int inner = e.ndim - 1;
  const int64_t n = e.ndim ? e.size[inner] : 1;
  int64_t step[1 + sizeof...(In)] = {};
  for (size_t k = 0; e.ndim && k <= sizeof...(In); k++) step[k] = stride[k][inner];
  bool contiguous = true;
  for (int64_t s : step) contiguous &= s == 1;

  for_each_offset(inner, e.size, stride, [&](const int64_t (&offset)[1 + sizeof...(In)]) {
    Out* const out = static_cast<Out*>(e.out) + offset[0];
    const std::tuple<const In*...> row{std::get<K>(in) + offset[1 + K]...};
    if (contiguous)
      for (int64_t i = 0; i < n; i++) out[i] = f(std::get<K>(row)[i]...);
    else
      for (int64_t i = 0; i < n; i++) out[i * step[0]] = f(std::get<K>(row)[i * step[1 + K]]...);
  });
}

// out[i] = f(in[0][i], ...) over the index space of e, with operands of the element types In.
template <class Out, class... In, class F>
void map(const fd_elementwise& e, F f) {
  map_operands<Out, In...>(e, f, std::index_sequence_for<In...>{});
}

}  // namespace fd::reference
