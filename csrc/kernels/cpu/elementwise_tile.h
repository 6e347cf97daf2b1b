// Copies between strided memory and a small contiguous tile [rows, columns], for items of 1, 2, 4 and 8 bytes.
#pragma once

#include "kernels/cpu/simd.h"

namespace fd::FD_ISA {

template <class U>
FD_INLINE void fill_items(void* to, const void* item, int64_t n) {
  U value;
  copy_bytes(&value, item, sizeof(U));
  U* out = static_cast<U*>(to);
  for (int64_t i = 0; i < n; i++) out[i] = value;
}

// Reads along whichever dimension lies closer in memory.
template <class U>
inline void read_items(U* to, const U* from, int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride) {
  if (row_stride == 0 && rows > 1) {
    read_items(to, from, 1, columns, column_stride, column_stride);
    for (int64_t r = 1; r < rows; r++) copy_bytes(to + r * columns, to, size_t(columns) * sizeof(U));
  } else if (column_stride == 1) {
    for (int64_t r = 0; r < rows; r++) copy_bytes(to + r * columns, from + r * row_stride, size_t(columns) * sizeof(U));
  } else if (column_stride == 0) {
    for (int64_t r = 0; r < rows; r++) fill_items<U>(to + r * columns, from + r * row_stride, columns);
  } else if (row_stride == 1) {
    for (int64_t c = 0; c < columns; c++)
      for (int64_t r = 0; r < rows; r++) to[r * columns + c] = from[c * column_stride + r];
  } else {
    for (int64_t r = 0; r < rows; r++)
      for (int64_t c = 0; c < columns; c++) to[r * columns + c] = from[r * row_stride + c * column_stride];
  }
}

template <class U>
inline void write_items(U* to, const U* from, int64_t rows, int64_t columns, int64_t row_stride,
                        int64_t column_stride) {
  if (row_stride == 1) {
    for (int64_t c = 0; c < columns; c++)
      for (int64_t r = 0; r < rows; r++) to[c * column_stride + r] = from[r * columns + c];
  } else {
    for (int64_t r = 0; r < rows; r++)
      for (int64_t c = 0; c < columns; c++) to[r * row_stride + c * column_stride] = from[r * columns + c];
  }
}

// Calls f(U{}) with the unsigned integer of `item` bytes.
template <class F>
FD_INLINE void with_item(int item, F f) {
  switch (item) {
    case 1:
      return f(uint8_t{});
    case 2:
      return f(uint16_t{});
    case 4:
      return f(uint32_t{});
    default:
      return f(uint64_t{});
  }
}

}  // namespace fd::FD_ISA
