// One fill function per family; table.cpp calls them all. This folder is compiled once per instruction set, with
// FD_ISA naming its namespace, so nothing here may be visible outside fd::FD_ISA.
#pragma once

#include "kernels/kernels.h"

namespace fd::FD_ISA {

void fill(fd_kernels* table);

}  // namespace fd::FD_ISA
