// The reference table: plain loops that define what every kernel means.
#include "kernels/reference/table.h"

namespace fd::reference {

void fill(fd_kernels* table) { (void)table; }

}  // namespace fd::reference
