// Conversion between element types, copy, fill, and where. Bound by memory: what has a vector conversion goes through
// Vec<float>, copies are memcpy, floats become integers by vectors whose elements all fit, the rest is converted one by
// one. Pairs that are not here (integer to half, half to integer) stay with the reference kernels. 1 M float32 to int32
// on one core: 0.28 ms (AVX-512, Intel(R) Xeon(R) Processor @ 2.10GHz).
#include "kernels/cpu/elementwise.h"

namespace fd::FD_ISA {
namespace {

// ----------------------------------------------------------------------------------------------------- copy and fill

template <int Item>
void copy_row(const Row& row) {
  const int64_t bytes = row.n * Item;
  const uint8_t* x = static_cast<const uint8_t*>(row.in[0]);
  uint8_t* y = static_cast<uint8_t*>(row.out);
  if (row.step[0]) {
    if (x != y) copy_bytes(y, x, size_t(bytes));
    return;
  }
  const Vec<uint8_t> value = Vec<uint8_t>::load(x);
  over_vectors<Vec<uint8_t>::kLanes, true>(
      bytes, [&](int64_t i) { value.store(y + i); }, [&](int64_t i, int64_t n) { value.store(y + i, n); });
}

// ------------------------------------------------------------------------------------------------ by way of a float

constexpr int kLanes = Vec<float>::kLanes, kWide = Vec<double>::kLanes;

struct Float32 {
  using type = float;
  static constexpr fd_dtype dtype = FD_F32;
  template <class... N>
  FD_INLINE static Vec<float> load(const type* p, N... n) {
    return Vec<float>::load(p, n...);
  }
  template <class... N>
  FD_INLINE static void store(Vec<float> v, type* p, N... n) {
    v.store(p, n...);
  }
};

struct Float16 {
  using type = uint16_t;
  static constexpr fd_dtype dtype = FD_F16;
  template <class... N>
  FD_INLINE static Vec<float> load(const type* p, N... n) {
    return Vec<float>::load_f16(p, n...);
  }
  template <class... N>
  FD_INLINE static void store(Vec<float> v, type* p, N... n) {
    v.store_f16(p, n...);
  }
};

struct BFloat16 {
  using type = uint16_t;
  static constexpr fd_dtype dtype = FD_BF16;
  template <class... N>
  FD_INLINE static Vec<float> load(const type* p, N... n) {
    return Vec<float>::load_bf16(p, n...);
  }
  template <class... N>
  FD_INLINE static void store(Vec<float> v, type* p, N... n) {
    v.store_bf16(p, n...);
  }
};

struct Byte {  // uint8, bool
  using type = uint8_t;
  template <class... N>
  FD_INLINE static Vec<float> load(const type* p, N... n) {
    return Vec<float>::load_u8(p, n...);
  }
};

struct Int32 {  // more digits than a float: only to float itself
  using type = int32_t;
  template <class... N>
  FD_INLINE static Vec<float> load(const type* p, N... n) {
    return Vec<float>::load_i32(p, n...);
  }
};

template <class From, class To>
void float_row(const Row& row) {
  const auto* x = static_cast<const typename From::type*>(row.in[0]);
  auto* y = static_cast<typename To::type*>(row.out);
  const int64_t step = row.step[0];
  over_vectors<kLanes, true>(
      row.n, [&](int64_t i) { To::store(From::load(x + step * i), y + i); },
      [&](int64_t i, int64_t n) { To::store(From::load(x + step * i, n), y + i, n); });
}

// The first and second half of n elements of a vector of float.
FD_INLINE int64_t first_half(int64_t n) { return n < kWide ? n : kWide; }
FD_INLINE int64_t second_half(int64_t n) { return n - first_half(n); }

template <class From>
void to_double_row(const Row& row) {
  const auto* x = static_cast<const typename From::type*>(row.in[0]);
  double* y = static_cast<double*>(row.out);
  const int64_t step = row.step[0];
  over_vectors<kLanes, true>(
      row.n,
      [&](int64_t i) {
        const Vec<float> v = From::load(x + step * i);
        widen_lo(v).store(y + i);
        widen_hi(v).store(y + i + kWide);
      },
      [&](int64_t i, int64_t n) {
        const Vec<float> v = From::load(x + step * i, n);
        widen_lo(v).store(y + i, first_half(n));
        widen_hi(v).store(y + i + kWide, second_half(n));
      });
}

template <class To>
void from_double_row(const Row& row) {
  const double* x = static_cast<const double*>(row.in[0]);
  auto* y = static_cast<typename To::type*>(row.out);
  const int64_t step = row.step[0];
  const auto join = [](Vec<double> lo, Vec<double> hi) {
    if constexpr (To::dtype == FD_F32)
      return narrow(lo, hi);
    else
      return narrow_to_odd(lo, hi);
  };
  over_vectors<kLanes, true>(
      row.n,
      [&](int64_t i) {
        To::store(join(Vec<double>::load(x + step * i), Vec<double>::load(x + step * (i + kWide))), y + i);
      },
      [&](int64_t i, int64_t n) {
        const Vec<double> lo = Vec<double>::load(x + step * i, first_half(n));
        To::store(join(lo, Vec<double>::load(x + step * (i + first_half(n)), second_half(n))), y + i, n);
      });
}

void int32_to_double_row(const Row& row) {
  const int32_t* x = static_cast<const int32_t*>(row.in[0]);
  double* y = static_cast<double*>(row.out);
  const int64_t step = row.step[0];
  over_vectors<kWide, true>(
      row.n, [&](int64_t i) { Vec<double>::load_i32(x + step * i).store(y + i); },
      [&](int64_t i, int64_t n) { Vec<double>::load_i32(x + step * i, n).store(y + i, n); });
}

// ------------------------------------------------------------------------------------------------ bool and integers

template <class T>
void to_bool_row(const Row& row) {
  const T* x = static_cast<const T*>(row.in[0]);
  uint8_t* y = static_cast<uint8_t*>(row.out);
  const int64_t step = row.step[0];
  const Vec<T> zero = T(0);
  over_vectors<Vec<T>::kLanes, true>(
      row.n, [&](int64_t i) { store_bool(y + i, Vec<T>::load(x + step * i) != zero); },
      [&](int64_t i, int64_t n) { store_bool(y + i, Vec<T>::load(x + step * i, n) != zero, n); });
}

// What does not fit int64 becomes its smallest value; a narrower integer keeps the low bits.
template <class To, class From>
FD_INLINE To convert_one(From x) {
  if constexpr (From(0.5) != From(0) && To(0.5) == To(0)) {
    const bool fits = x >= From(-0x1p63) && x < From(0x1p63);
    return To(fits ? int64_t(x) : INT64_MIN);
  } else {
    return To(x);
  }
}

template <class From, class To>
void plain_row(const Row& row) {
  const From* x = static_cast<const From*>(row.in[0]);
  To* y = static_cast<To*>(row.out);
  const int64_t step = row.step[0];
  for (int64_t i = 0; i < row.n; i++) y[i] = convert_one<To>(x[step * i]);
}

FD_INLINE void store_truncated(Vec<float> x, int32_t* y) { to_int(trunc(x)).store(y); }
FD_INLINE void store_truncated(Vec<double> x, int64_t* y) { to_int(trunc(x)).store(y); }
FD_INLINE void store_truncated(Vec<float> x, int64_t* y) {
  store_truncated(widen_lo(x), y);
  store_truncated(widen_hi(x), y + kWide);
}

// Where all of a vector fit what to_int takes; else one by one.
template <class From, class To>
void truncated_row(const Row& row) {
  constexpr int L = Vec<From>::kLanes;
  constexpr From kFits = sizeof(To) == 4 ? From(0x1p31) : From(0x1p51);
  const From* x = static_cast<const From*>(row.in[0]);
  To* y = static_cast<To*>(row.out);
  if (row.step[0] == 0) return plain_row<From, To>(row);
  int64_t i = 0;
  for (; i + L <= row.n; i += L) {
    const Vec<From> v = Vec<From>::load(x + i);
    if (all(abs(v) < Vec<From>(kFits))) {
      store_truncated(v, y + i);
    } else {
      for (int64_t l = i; l < i + L; l++) y[l] = convert_one<To>(x[l]);
    }
  }
  for (; i < row.n; i++) y[i] = convert_one<To>(x[i]);
}

// ------------------------------------------------------------------------------------------------------------ where

// Only bits move, so a type is known by its size.
template <class T>
void where_row(const Row& row) {
  const uint8_t* c = static_cast<const uint8_t*>(row.in[0]);
  const T *a = static_cast<const T*>(row.in[1]), *b = static_cast<const T*>(row.in[2]);
  T* y = static_cast<T*>(row.out);
  const int64_t step_c = row.step[0], step_a = row.step[1], step_b = row.step[2];
  if constexpr (sizeof(T) == 2) {
    for (int64_t i = 0; i < row.n; i++) y[i] = c[step_c * i] ? a[step_a * i] : b[step_b * i];
  } else {
    over_vectors<Vec<T>::kLanes, true>(
        row.n,
        [&](int64_t i) {
          const Mask<T> m = load_bool<T>(c + step_c * i);
          select(m, Vec<T>::load(a + step_a * i), Vec<T>::load(b + step_b * i)).store(y + i);
        },
        [&](int64_t i, int64_t n) {
          const Mask<T> m = load_bool<T>(c + step_c * i, n);
          select(m, Vec<T>::load(a + step_a * i, n), Vec<T>::load(b + step_b * i, n)).store(y + i, n);
        });
  }
}

// ------------------------------------------------------------------------------------------------------------- fill

template <RowFn* Fn, fd_dtype From, fd_dtype To>
void fill_cast(fd_elementwise_kernels& k) {
  k.cast[From][To] = elementwise_entry<Fn, 1, To, From>;
}

template <class T, fd_dtype D>
void fill_where(fd_elementwise_kernels& k) {
  k.where[D] = elementwise_entry<where_row<T>, 1, D, FD_BOOL, D, D>;
}

template <class From, fd_dtype Dtype>
void fill_from_small(fd_elementwise_kernels& k) {  // to every floating type
  fill_cast<float_row<From, Float32>, Dtype, FD_F32>(k);
  fill_cast<to_double_row<From>, Dtype, FD_F64>(k);
}

template <class From>
void fill_from_real(fd_elementwise_kernels& k) {
  constexpr fd_dtype d = kDtype<From>;
  fill_cast<to_bool_row<From>, d, FD_BOOL>(k);
  fill_cast<plain_row<From, uint8_t>, d, FD_U8>(k);
  fill_cast<plain_row<From, int32_t>, d, FD_I32>(k);
  fill_cast<plain_row<From, int64_t>, d, FD_I64>(k);
}

void fill_copies(fd_elementwise_kernels& k) {
  k.cast[FD_BOOL][FD_BOOL] = copy_entry<copy_row<1>, FD_BOOL, FD_BOOL>;
  k.cast[FD_BOOL][FD_U8] = copy_entry<copy_row<1>, FD_BOOL, FD_U8>;
  k.cast[FD_U8][FD_U8] = copy_entry<copy_row<1>, FD_U8, FD_U8>;
  k.cast[FD_F16][FD_F16] = copy_entry<copy_row<2>, FD_F16, FD_F16>;
  k.cast[FD_BF16][FD_BF16] = copy_entry<copy_row<2>, FD_BF16, FD_BF16>;
  k.cast[FD_I32][FD_I32] = copy_entry<copy_row<4>, FD_I32, FD_I32>;
  k.cast[FD_F32][FD_F32] = copy_entry<copy_row<4>, FD_F32, FD_F32>;
  k.cast[FD_I64][FD_I64] = copy_entry<copy_row<8>, FD_I64, FD_I64>;
  k.cast[FD_F64][FD_F64] = copy_entry<copy_row<8>, FD_F64, FD_F64>;
}

void fill_floats(fd_elementwise_kernels& k) {
  fill_from_small<Float16, FD_F16>(k);
  fill_from_small<BFloat16, FD_BF16>(k);
  fill_from_small<Byte, FD_U8>(k);
  fill_from_small<Byte, FD_BOOL>(k);
  fill_cast<float_row<Float16, BFloat16>, FD_F16, FD_BF16>(k);
  fill_cast<float_row<BFloat16, Float16>, FD_BF16, FD_F16>(k);
  fill_cast<float_row<Float32, Float16>, FD_F32, FD_F16>(k);
  fill_cast<float_row<Float32, BFloat16>, FD_F32, FD_BF16>(k);
  fill_cast<to_double_row<Float32>, FD_F32, FD_F64>(k);
  fill_cast<from_double_row<Float32>, FD_F64, FD_F32>(k);
  fill_cast<from_double_row<Float16>, FD_F64, FD_F16>(k);
  fill_cast<from_double_row<BFloat16>, FD_F64, FD_BF16>(k);
}

}  // namespace

void fill_elementwise_cast(fd_kernels* table) {
  fd_elementwise_kernels& k = table->elementwise;
  fill_from_real<uint8_t>(k);
  fill_from_real<int32_t>(k);
  fill_from_real<int64_t>(k);
  fill_from_real<float>(k);
  fill_from_real<double>(k);
  fill_cast<truncated_row<float, int32_t>, FD_F32, FD_I32>(k);
  fill_cast<truncated_row<float, int64_t>, FD_F32, FD_I64>(k);
  fill_cast<truncated_row<double, int64_t>, FD_F64, FD_I64>(k);
  fill_cast<plain_row<uint8_t, int32_t>, FD_BOOL, FD_I32>(k);
  fill_cast<plain_row<uint8_t, int64_t>, FD_BOOL, FD_I64>(k);
  fill_cast<float_row<Int32, Float32>, FD_I32, FD_F32>(k);
  fill_cast<int32_to_double_row, FD_I32, FD_F64>(k);
  fill_cast<plain_row<int64_t, float>, FD_I64, FD_F32>(k);
  fill_cast<plain_row<int64_t, double>, FD_I64, FD_F64>(k);
  fill_floats(k);
  fill_copies(k);
  fill_where<uint8_t, FD_BOOL>(k);
  fill_where<uint8_t, FD_U8>(k);
  fill_where<uint16_t, FD_F16>(k);
  fill_where<uint16_t, FD_BF16>(k);
  fill_where<int32_t, FD_I32>(k);
  fill_where<int32_t, FD_F32>(k);
  fill_where<int64_t, FD_I64>(k);
  fill_where<int64_t, FD_F64>(k);
}

}  // namespace fd::FD_ISA
