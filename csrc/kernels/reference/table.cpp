// The reference table: plain loops that define what every kernel means.
//
// float32 is computed in double and rounded once at the end wherever more than one rounding would happen, so that these
// kernels are an oracle for the fast ones. Everything runs on the calling thread, compiled for the baseline ISA.
#include "kernels/reference/table.h"

namespace fd::reference {

void fill(fd_kernels* table) {
  fill_elementwise(table);
  fill_elementwise_cast(table);
  fill_reduce(table);
  fill_gemm(table);
  fill_softmax(table);
  fill_loss(table);
  fill_dropout(table);
  fill_random(table);
  fill_batch_norm(table);
  fill_optim(table);
  fill_index(table);
  fill_sort(table);
  fill_conv(table);
  fill_pool(table);
}

}  // namespace fd::reference
