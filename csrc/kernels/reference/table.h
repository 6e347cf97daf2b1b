// One fill function per family; table.cpp calls them all.
#pragma once

#include "kernels/kernels.h"

namespace fd::reference {

void fill(fd_kernels* table);

}  // namespace fd::reference
