// Lays tensors of broadcastable shapes out as one index space for the elementwise and reduction kernels: dimensions of
// size 1 dropped, neighbours that step alike merged, so that most calls arrive as one contiguous dimension.
#pragma once

#include "kernels/kernels.h"
#include "tensor/tensor.h"

namespace fd {

// Fills size, strides and pointers of args for out and up to three operands (nullptr ones are left to scalar[k]).
// Every operand's shape broadcasts to out's.
void lay_out(fd_elementwise* args, const Tensor& out, const Tensor* const* operands, int count);

// Fills the index space of a reduction of `in` over the dims marked in `reduced` (bit i = dim i).
void lay_out(fd_reduce* args, const Tensor& in, uint32_t reduced);

}  // namespace fd
