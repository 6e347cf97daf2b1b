// Copies of A and B in the order the tiles read them, for operands whose own layout is too slow to read in place.
#pragma once

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/transpose.h"

namespace fd::FD_ISA {

// How many elements beyond k a copied row of A is given: whole lines, and an odd number of them, so that the rows of a
// tile do not share a cache set.
template <class T>
constexpr int64_t padded_row(int64_t k) {
  constexpr int64_t kLine = 64 / int64_t(sizeof(T));
  return (ceil_div(k, kLine) | 1) * kLine;
}

}  // namespace fd::FD_ISA
