// The positions of a convolution: windows, taps and what lies under them, for kernels that work on one element each.
#pragma once

#include "kernels/cuda/space.h"

namespace fd::gpu {

constexpr int64_t volume(const int64_t (&size)[FD_SPATIAL]) { return size[0] * size[1] * size[2]; }

// A position in three dimensions from its number, and back.
struct Grid3 {
  int32_t size[FD_SPATIAL];
  Divider by_plane, by_row, by_all;

  Grid3() = default;
  explicit Grid3(const int64_t (&s)[FD_SPATIAL]) {
    for (int d = 0; d < FD_SPATIAL; d++) size[d] = int32_t(s[d]);
    const auto divider = [](int64_t n) { return Divider(uint64_t(n > 0 ? n : 1)); };
    by_row = divider(s[2]);
    by_plane = divider(s[1] * s[2]);
    by_all = divider(s[0] * s[1] * s[2]);
  }
  __device__ int32_t count() const { return size[0] * size[1] * size[2]; }
  // Which whole grid a number lies in, and where; the number becomes that within the grid.
  __device__ int32_t split(int32_t& number) const {
    const int32_t whole = int32_t(by_all.narrow(uint32_t(number)));
    number -= whole * count();
    return whole;
  }
  // The same of numbers beyond 31 bits.
  __device__ int64_t planes(int64_t number) const { return int64_t(by_all.wide(uint64_t(number))); }
  __device__ void locate(int32_t number, int32_t (&at)[FD_SPATIAL]) const {
    at[0] = int32_t(by_plane.narrow(uint32_t(number)));
    number -= at[0] * size[1] * size[2];
    at[1] = int32_t(by_row.narrow(uint32_t(number)));
    at[2] = number - at[1] * size[2];
  }
};

struct ConvPlan {
  fd_conv v;
  Grid3 in, out, kernel;
  int32_t inputs, outputs;  // channels of a group
  void* parts;              // sums [splits, groups, rows, cols] where k is split, else null
  int32_t rows, cols, depth, split_depth, splits, tiles_across;

  // The place of x under tap t of window p, or -1 outside.
  __device__ int32_t under(int32_t window, int32_t tap) const {
    int32_t p[FD_SPATIAL], t[FD_SPATIAL], place = 0;
    out.locate(window, p);
    kernel.locate(tap, t);
    for (int d = 0; d < FD_SPATIAL; d++) {
      const int64_t at = p[d] * v.stride[d] - v.pad[d] + t[d] * v.dilation[d];
      if (at < 0 || at >= v.in[d]) return -1;
      place = place * in.size[d] + int32_t(at);
    }
    return place;
  }
  // The window whose tap t lies over place q of x, or -1 if there is none.
  __device__ int32_t over(int32_t q, int32_t tap) const {
    int32_t at[FD_SPATIAL], t[FD_SPATIAL], window = 0;
    in.locate(q, at);
    kernel.locate(tap, t);
    for (int d = 0; d < FD_SPATIAL; d++) {
      const int32_t reach = at[d] + int32_t(v.pad[d] - t[d] * v.dilation[d]), stride = int32_t(v.stride[d]);
      const int32_t p = reach / stride;
      if (reach < 0 || p * stride != reach || p >= out.size[d]) return -1;
      window = window * out.size[d] + p;
    }
    return window;
  }
};

}  // namespace fd::gpu
