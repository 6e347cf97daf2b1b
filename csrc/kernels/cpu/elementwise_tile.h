// Copies between strided memory and a small contiguous tile [rows, columns], for items of 1, 2, 4 and 8 bytes.
#pragma once

#include <utility>

#include "kernels/cpu/simd.h"
#include "kernels/cpu/transpose.h"

namespace fd::FD_ISA {

template <class U>
FD_INLINE void fill_items(void* to, const void* item, int64_t n) {
  U value;
  copy_bytes(&value, item, sizeof(U));
  U* out = static_cast<U*>(to);
  for (int64_t i = 0; i < n; i++) out[i] = value;
}

// to[r * to_stride + c] = from[c * from_stride + r]
template <class U>
inline void transpose_items(U* to, const U* from, int64_t rows, int64_t columns, int64_t to_stride,
                            int64_t from_stride) {
  for (int64_t c = 0; c < columns; c++)
    for (int64_t r = 0; r < rows; r++) to[r * to_stride + c] = from[c * from_stride + r];
}

// Items as wide as a lane go square by square. To everyone else they are of another type than F: the compiler must not
// move their accesses across these.
template <class F>
inline void transpose_lanes(F* to, const F* from, int64_t rows, int64_t columns, int64_t to_stride,
                            int64_t from_stride) {
  constexpr int L = Vec<F>::kLanes;
  asm volatile("" ::: "memory");
  for (int64_t r = 0; r < rows; r += L) {
    const int64_t high = least<int64_t>(L, rows - r);
    for (int64_t c = 0; c < columns; c += L) {
      const int64_t wide = least<int64_t>(L, columns - c);
      VecSquare<F> v;
#pragma GCC unroll 16
      for (int i = 0; i < L; i++) v[i] = i < wide ? Vec<F>::load(from + (c + i) * from_stride + r, high) : Vec<F>(F(0));
      transpose(v);
#pragma GCC unroll 16
      for (int i = 0; i < L; i++)
        if (i < high) v[i].store(to + (r + i) * to_stride + c, wide);
    }
  }
  asm volatile("" ::: "memory");
}
inline void transpose_items(uint32_t* to, const uint32_t* from, int64_t rows, int64_t columns, int64_t to_stride,
                            int64_t from_stride) {
  transpose_lanes(reinterpret_cast<float*>(to), reinterpret_cast<const float*>(from), rows, columns, to_stride,
                  from_stride);
}
inline void transpose_items(uint64_t* to, const uint64_t* from, int64_t rows, int64_t columns, int64_t to_stride,
                            int64_t from_stride) {
  transpose_lanes(reinterpret_cast<double*>(to), reinterpret_cast<const double*>(from), rows, columns, to_stride,
                  from_stride);
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
