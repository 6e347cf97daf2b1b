// Where the operands of an elementwise call lie: strides, broadcasts, scalars, aliases.
#pragma once

#include "values.h"

namespace fd::native {

// One operand's strides; a scalar operand is not in memory; `same` makes it the output's own memory.
struct Strides {
  std::vector<int64_t> step;
  bool scalar = false, same = false;
};

struct Layout {
  std::string name;
  std::vector<int64_t> size;
  Strides out;
  Strides in[3];
  bool large = false;
};

// Every layout for a number of operands; in-place ones only where an operand and the output may share memory.
std::vector<Layout> layouts(int operands, bool in_place);

// The memory a strided operand spans, and where its first element is in it.
struct Extent {
  int64_t elements, origin;
};
Extent extent(const std::vector<int64_t>& size, const std::vector<int64_t>& step);

}  // namespace fd::native
