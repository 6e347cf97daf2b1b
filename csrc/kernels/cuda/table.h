// Each family fills its part of the table.
#pragma once

#include "kernels/kernels.h"

namespace fd::gpu {

void fill_unary(fd_kernels* table);
void fill_binary(fd_kernels* table);
void fill_compare(fd_kernels* table);
void fill_cast(fd_kernels* table);

}  // namespace fd::gpu
