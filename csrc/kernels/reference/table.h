// One fill function per family; table.cpp calls them all.
#pragma once

#include "kernels/kernels.h"

namespace fd::reference {

void fill(fd_kernels* table);

void fill_elementwise(fd_kernels* table);
void fill_elementwise_cast(fd_kernels* table);
void fill_reduce(fd_kernels* table);
void fill_gemm(fd_kernels* table);
void fill_softmax(fd_kernels* table);
void fill_loss(fd_kernels* table);
void fill_dropout(fd_kernels* table);
void fill_random(fd_kernels* table);
void fill_batch_norm(fd_kernels* table);
void fill_optim(fd_kernels* table);
void fill_index(fd_kernels* table);
void fill_sort(fd_kernels* table);
void fill_conv(fd_kernels* table);
void fill_pool(fd_kernels* table);

}  // namespace fd::reference
