#include "kernels/cpu/table.h"

namespace fd::FD_ISA {

void fill(fd_kernels* table) { (void)table; }

}  // namespace fd::FD_ISA
