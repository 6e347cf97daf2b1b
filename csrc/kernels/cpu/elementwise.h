// Rows of an elementwise operation, and the table entry made of one.
#pragma once

#include "kernels/cpu/elementwise_ops.h"
#include "kernels/cpu/elementwise_run.h"
#include "kernels/cpu/table.h"

namespace fd::FD_ISA {

template <class T>
inline constexpr fd_dtype kDtype = FD_DTYPE_COUNT;
template <>
inline constexpr fd_dtype kDtype<uint8_t> = FD_U8;
template <>
inline constexpr fd_dtype kDtype<int32_t> = FD_I32;
template <>
inline constexpr fd_dtype kDtype<int64_t> = FD_I64;
template <>
inline constexpr fd_dtype kDtype<float> = FD_F32;
template <>
inline constexpr fd_dtype kDtype<double> = FD_F64;

// Calls body(i) for each whole vector, then tail(i, n) for the n elements left; four vectors a turn where the body is
// short.
template <int Lanes, bool Short, class Body, class Tail>
FD_INLINE void over_vectors(int64_t n, Body body, Tail tail) {
  int64_t i = 0;
  if constexpr (Short)
    for (; i + 4 * Lanes <= n; i += 4 * Lanes) {
      body(i);
      body(i + Lanes);
      body(i + 2 * Lanes);
      body(i + 3 * Lanes);
    }
  for (; i + Lanes <= n; i += Lanes) body(i);
  if (i < n) tail(i, n - i);
}

template <class Op, class T>
void unary_row(const Row& row) {
  const op::Params<T> params(row.param);
  const T* x = static_cast<const T*>(row.in[0]);
  T* y = static_cast<T*>(row.out);
  const int64_t step = row.step[0];
  over_vectors<Vec<T>::kLanes, Op::kCost == 1>(
      row.n, [&](int64_t i) { Op::of(Vec<T>::load(x + step * i), params).store(y + i); },
      [&](int64_t i, int64_t n) { Op::of(Vec<T>::load(x + step * i, n), params).store(y + i, n); });
}

template <class Op, class T>
void binary_row(const Row& row) {
  const op::Params<T> params(row.param);
  const T *a = static_cast<const T*>(row.in[0]), *b = static_cast<const T*>(row.in[1]);
  T* y = static_cast<T*>(row.out);
  const int64_t step_a = row.step[0], step_b = row.step[1];
  over_vectors<Vec<T>::kLanes, Op::kCost == 1>(
      row.n,
      [&](int64_t i) { Op::of(Vec<T>::load(a + step_a * i), Vec<T>::load(b + step_b * i), params).store(y + i); },
      [&](int64_t i, int64_t n) {
        Op::of(Vec<T>::load(a + step_a * i, n), Vec<T>::load(b + step_b * i, n), params).store(y + i, n);
      });
}

template <RowFn* Fn, int Cost, fd_dtype Out, fd_dtype... In>
fd_status elementwise_entry(fd_context* context, const fd_elementwise* e) {
  static constexpr RowKernel kernel = {Fn, Cost, int(sizeof...(In)), Out, {In...}, false};
  return run_rows(context, e, kernel);
}
template <RowFn* Fn, fd_dtype From, fd_dtype To>
fd_status copy_entry(fd_context* context, const fd_elementwise* e) {
  static constexpr RowKernel kernel = {Fn, 1, 1, To, {From}, true};
  return run_rows(context, e, kernel);
}

template <class Op, class... T>
void fill_unary(fd_elementwise_fn** slots) {
  ((slots[kDtype<T>] = elementwise_entry<unary_row<Op, T>, Op::kCost, kDtype<T>, kDtype<T>>), ...);
}
template <class Op, class... T>
void fill_binary(fd_elementwise_fn** slots) {
  ((slots[kDtype<T>] = elementwise_entry<binary_row<Op, T>, Op::kCost, kDtype<T>, kDtype<T>, kDtype<T>>), ...);
}
// bool holds 0 and 1 in bytes, so that operations on bytes which keep to those serve it.
template <class Op>
void fill_binary_bool(fd_elementwise_fn** slots) {
  slots[FD_BOOL] = elementwise_entry<binary_row<Op, uint8_t>, 1, FD_BOOL, FD_BOOL, FD_BOOL>;
}

}  // namespace fd::FD_ISA
