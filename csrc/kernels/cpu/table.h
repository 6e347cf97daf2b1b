// One fill function per family; table.cpp calls them all. This folder is compiled once per instruction set, with
// FD_ISA naming its namespace, so nothing here may be visible outside fd::FD_ISA.
#pragma once

#include "kernels/kernels.h"

namespace fd::FD_ISA {

void fill(fd_kernels* table);

void fill_elementwise_unary(fd_kernels* table);
void fill_elementwise_math(fd_kernels* table);
void fill_elementwise_binary(fd_kernels* table);
void fill_elementwise_compare(fd_kernels* table);
void fill_elementwise_cast(fd_kernels* table);
void fill_reduce_sum(fd_kernels* table);
void fill_reduce_extreme(fd_kernels* table);
void fill_reduce_moment(fd_kernels* table);
void fill_reduce_scan(fd_kernels* table);
void fill_gemm(fd_kernels* table);
void fill_softmax(fd_kernels* table);
void fill_cross_entropy(fd_kernels* table);
void fill_loss(fd_kernels* table);
void fill_dropout(fd_kernels* table);
void fill_random(fd_kernels* table);
void fill_batch_norm(fd_kernels* table);
void fill_optim(fd_kernels* table);
void fill_index(fd_kernels* table);
void fill_sort(fd_kernels* table);
void fill_conv(fd_kernels* table);
void fill_conv_grad_input(fd_kernels* table);
void fill_conv_grad_weight(fd_kernels* table);
void fill_pool(fd_kernels* table);

}  // namespace fd::FD_ISA
