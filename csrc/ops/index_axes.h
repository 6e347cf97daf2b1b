// Advanced indices of a tensor, resolved to memory offsets. Shared by index.cpp and gather.cpp.
#pragma once

#include "ops/ops.h"

namespace fd::ops {

// One advanced index: `which` holds positions in `span` neighbouring dims from `dim` on, taken together in C order.
struct Axis {
  int dim, span;
  int shown;     // the dim an error names
  Tensor which;  // a bool mask until resolve(), then int64
};

struct Axes {
  Axis at[FD_MAX_DIMS];
  int count = 0;
  Shape shape;           // of all indices, broadcast
  bool adjacent = true;  // the result has the indices' dims where the first of them was, else in front

  void add(int dim, int span, int shown, const Tensor& which);
  void follow(Device device);  // indices on the host go there; DeviceError for any elsewhere
  void resolve();              // masks to positions, other integers to int64
};

// t read at axes: a copy.
Tensor read_at(const char* node, const Tensor& t, const Axes& axes);
// self written at axes, with history.
void write_at(const char* op, const Tensor& self, const Axes& axes, const Operand& value, bool accumulate);

// Linear positions of the nonzero elements, [count].
Tensor nonzero_positions(const Tensor& t);

// As int64 and contiguous, without history; DTypeError unless integers.
Tensor as_positions(const char* op, const Tensor& which);
// IndexError unless every position is in [0, size); of a GPU at the next wait.
void check_positions(const char* op, const Tensor& positions, int dim, int64_t size);

}  // namespace fd::ops
