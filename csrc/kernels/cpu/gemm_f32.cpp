// The float32 tiles: see gemm_kernel.h.
#include "kernels/cpu/gemm_kernel.h"

template fd::FD_ISA::TileKernel<float> fd::FD_ISA::tile_kernel<float>(int, int, bool, bool);
