// The walk shared by every elementwise kernel. A kernel is a function over one row whose operands are contiguous or
// constant; everything else (strides, broadcasting, tiny and huge sizes, threads) happens here, once.
#pragma once

#include "kernels/cpu/simd.h"
#include "kernels/kernels.h"

namespace fd::FD_ISA {

// A step of 0 marks a constant operand: in[k] then points to a whole vector filled with it, so that a kernel loads
// in[k] + step[k] * i whatever the operand is.
struct Row {
  void* out;
  const void* in[3];
  int64_t step[3];
  int64_t n;
  const double* param;
};

using RowFn = void(const Row& row);

struct RowKernel {
  RowFn* row;
  int32_t cost;  // against a copy, 1 to 16: how few elements are worth a second thread
  int32_t operands;
  fd_dtype out;
  fd_dtype in[3];
  bool copies;  // out is in[0], bit by bit
};

fd_status run_rows(fd_context* context, const fd_elementwise* e, const RowKernel& kernel);

}  // namespace fd::FD_ISA
