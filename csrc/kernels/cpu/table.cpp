#include "kernels/cpu/table.h"

namespace fd::FD_ISA {

void fill(fd_kernels* table) {
  fill_elementwise_unary(table);
  fill_elementwise_math(table);
  fill_elementwise_binary(table);
  fill_elementwise_compare(table);
  fill_elementwise_cast(table);
  fill_reduce_sum(table);
  fill_reduce_extreme(table);
  fill_reduce_moment(table);
  fill_reduce_scan(table);
  fill_gemm(table);
  fill_softmax(table);
  fill_cross_entropy(table);
  fill_loss(table);
  fill_dropout(table);
  fill_random(table);
  fill_batch_norm(table);
  fill_optim(table);
  fill_index(table);
  fill_sort(table);
  fill_conv(table);
  fill_conv_grad_input(table);
  fill_conv_grad_weight(table);
  fill_pool(table);
}

}  // namespace fd::FD_ISA
