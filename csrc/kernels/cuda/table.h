// Each family fills its part of the table.
#pragma once

#include "kernels/remote.h"

namespace fd::gpu {

void fill_unary(fd_kernels* table);
void fill_binary(fd_kernels* table);
void fill_compare(fd_kernels* table);
void fill_cast(fd_kernels* table);
void fill_reduce(fd_kernels* table);
void fill_scan(fd_kernels* table);
void fill_gemm(fd_kernels* table);
void fill_gemm_mma(fd_kernels* table);
// Half products that Hopper's own tensor core instructions are for, on such a GPU; else nothing happens and *done is
// false. m, n and batch not 0.
fd_status gemm_sm90a(fd_context* context, const fd_gemm* g, fd_dtype dtype, bool* done);
fd_status gemm_tf32(fd_context* context, const fd_gemm* g);  // float32, m, n and batch not 0
void fill_softmax(fd_kernels* table);
void fill_cross_entropy(fd_kernels* table);
void fill_loss(fd_kernels* table);
void fill_dropout(fd_kernels* table);
void fill_batch_norm(fd_kernels* table);
void fill_optim(fd_kernels* table);
void fill_index(fd_kernels* table);
void fill_index_write(fd_kernels* table);
void fill_sort(fd_kernels* table);
void fill_conv(fd_kernels* table);
void fill_pool(fd_kernels* table);
void fill_remote(fd_remote_kernels* table);

}  // namespace fd::gpu
