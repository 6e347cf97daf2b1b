// Copies between strided memory and a small contiguous tile [rows, columns], for items of 1, 2, 4 and 8 bytes.
#pragma once

#include <utility>

#include "kernels/cpu/simd.h"

namespace fd::FD_ISA {

template <class U>
FD_INLINE void fill_items(void* to, const void* item, int64_t n) {
  U value;
  copy_bytes(&value, item, sizeof(U));
  U* out = static_cast<U*>(to);
  for (int64_t i = 0; i < n; i++) out[i] = value;
}

// A square of 8 x 4 bytes or 4 x 8 bytes, transposed in registers.
template <class U>
struct Square;
template <>
struct Square<uint32_t> {
  static constexpr int kSide = 8;
  typedef uint32_t Lanes __attribute__((vector_size(32)));
  FD_INLINE static void transpose(Lanes (&a)[8]) {
    Lanes b[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i += 2) {
      b[i] = shuffled<0, 8, 1, 9, 4, 12, 5, 13>(a[i], a[i + 1]);
      b[i + 1] = shuffled<2, 10, 3, 11, 6, 14, 7, 15>(a[i], a[i + 1]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; i += 4)
#pragma GCC unroll 8
      for (int j = 0; j < 2; j++) {
        a[i + 2 * j] = shuffled<0, 1, 8, 9, 4, 5, 12, 13>(b[i + j], b[i + j + 2]);
        a[i + 2 * j + 1] = shuffled<2, 3, 10, 11, 6, 7, 14, 15>(b[i + j], b[i + j + 2]);
      }
#pragma GCC unroll 8
    for (int i = 0; i < 4; i++) {
      b[i] = shuffled<0, 1, 2, 3, 8, 9, 10, 11>(a[i], a[i + 4]);
      b[i + 4] = shuffled<4, 5, 6, 7, 12, 13, 14, 15>(a[i], a[i + 4]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) a[i] = b[i];
  }
};
template <>
struct Square<uint64_t> {
  static constexpr int kSide = 4;
  typedef uint64_t Lanes __attribute__((vector_size(32)));
  FD_INLINE static void transpose(Lanes (&a)[4]) {
    const Lanes b[4] = {shuffled<0, 4, 2, 6>(a[0], a[1]), shuffled<1, 5, 3, 7>(a[0], a[1]),
                        shuffled<0, 4, 2, 6>(a[2], a[3]), shuffled<1, 5, 3, 7>(a[2], a[3])};
#pragma GCC unroll 8
    for (int i = 0; i < 2; i++) {
      a[i] = shuffled<0, 1, 4, 5>(b[i], b[i + 2]);
      a[i + 2] = shuffled<2, 3, 6, 7>(b[i], b[i + 2]);
    }
  }
};

// to[r * to_stride + c] = from[c * from_stride + r]
template <class U>
inline void transpose_items(U* to, const U* from, int64_t rows, int64_t columns, int64_t to_stride,
                            int64_t from_stride) {
  int64_t r = 0;
  if constexpr (sizeof(U) >= 4) {
    constexpr int side = Square<U>::kSide;
    const int64_t whole = columns - columns % side;
    for (; r + side <= rows; r += side) {
      for (int64_t c = 0; c < whole; c += side) {
        typename Square<U>::Lanes a[side];
#pragma GCC unroll 8
        for (int i = 0; i < side; i++) copy_bytes(&a[i], from + (c + i) * from_stride + r, 32);
        Square<U>::transpose(a);
#pragma GCC unroll 8
        for (int i = 0; i < side; i++) copy_bytes(to + (r + i) * to_stride + c, &a[i], 32);
      }
      for (int64_t c = whole; c < columns; c++)
#pragma GCC unroll 8
        for (int i = 0; i < side; i++) to[(r + i) * to_stride + c] = from[c * from_stride + r + i];
    }
  }
  for (int64_t c = 0; c < columns; c++)
    for (int64_t i = r; i < rows; i++) to[i * to_stride + c] = from[c * from_stride + i];
}

template <class Lanes, int... I>
FD_INLINE Lanes reversed(Lanes a, std::integer_sequence<int, I...>) {
  return shuffled<(int(sizeof...(I)) - 1 - I)...>(a, a);
}
// to[c] = from[-c]
template <class U>
inline void reverse_items(U* to, const U* from, int64_t n) {
  typedef U Lanes __attribute__((vector_size(32)));
  constexpr int lanes = 32 / int(sizeof(U));
  int64_t c = 0;
  for (; c + lanes <= n; c += lanes) {
    Lanes a;
    copy_bytes(&a, from - c - (lanes - 1), 32);
    a = reversed(a, std::make_integer_sequence<int, lanes>());
    copy_bytes(to + c, &a, 32);
  }
  for (; c < n; c++) to[c] = from[-c];
}

// to[r * to_stride + c] = from[r * row_stride + c * column_stride], read along whichever dimension lies closer.
template <class U>
inline void read_items(U* to, const U* from, int64_t rows, int64_t columns, int64_t to_stride, int64_t row_stride,
                       int64_t column_stride) {
  const size_t row_bytes = size_t(columns) * sizeof(U);
  if (row_stride == 0 && rows > 1) {
    read_items(to, from, 1, columns, to_stride, column_stride, column_stride);
    for (int64_t r = 1; r < rows; r++) copy_bytes(to + r * to_stride, to, row_bytes);
  } else if (column_stride == 1) {
    for (int64_t r = 0; r < rows; r++) copy_bytes(to + r * to_stride, from + r * row_stride, row_bytes);
  } else if (column_stride == 0) {
    for (int64_t r = 0; r < rows; r++) fill_items<U>(to + r * to_stride, from + r * row_stride, columns);
  } else if (column_stride == -1) {
    for (int64_t r = 0; r < rows; r++) reverse_items(to + r * to_stride, from + r * row_stride, columns);
  } else if (row_stride == 1) {
    transpose_items(to, from, rows, columns, to_stride, column_stride);
  } else {
    for (int64_t r = 0; r < rows; r++)
      for (int64_t c = 0; c < columns; c++) to[r * to_stride + c] = from[r * row_stride + c * column_stride];
  }
}

template <class U>
inline void write_items(U* to, const U* from, int64_t rows, int64_t columns, int64_t row_stride,
                        int64_t column_stride) {
  if (row_stride == 1) {
    transpose_items(to, from, columns, rows, column_stride, columns);
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
