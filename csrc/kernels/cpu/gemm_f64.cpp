// The float64 tiles: see gemm_kernel.h.
#include "kernels/cpu/gemm_kernel.h"

template fd::FD_ISA::TileKernel<double> fd::FD_ISA::tile_kernel<double>(int, int, bool, bool);
