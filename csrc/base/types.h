// Element types, devices, and shapes held inline; the arithmetic of broadcasting and of type promotion.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <ostream>

#include "base/dtype.h"
#include "base/error.h"

namespace fd {

enum class DType : int8_t {
  boolean = FD_BOOL,
  uint8 = FD_U8,
  int32 = FD_I32,
  int64 = FD_I64,
  float16 = FD_F16,
  bfloat16 = FD_BF16,
  float32 = FD_F32,
  float64 = FD_F64,
};

constexpr int index(DType d) { return static_cast<int>(d); }

constexpr size_t item_size(DType d) {
  constexpr uint8_t bytes[FD_DTYPE_COUNT] = {1, 1, 4, 8, 2, 2, 4, 8};
  return bytes[index(d)];
}

constexpr bool is_floating(DType d) { return d >= DType::float16; }
constexpr bool is_half(DType d) { return d == DType::float16 || d == DType::bfloat16; }
constexpr bool is_integral(DType d) { return d <= DType::int64; }  // bool included

constexpr const char* name(DType d) {
  constexpr const char* names[FD_DTYPE_COUNT] = {"bool",    "uint8",    "int32",   "int64",
                                                 "float16", "bfloat16", "float32", "float64"};
  return names[index(d)];
}

inline std::ostream& operator<<(std::ostream& out, DType d) { return out << name(d); }

// The type of an expression of two tensors of one or more dimensions.
constexpr DType promote(DType a, DType b) {
  if ((a == DType::float16 && b == DType::bfloat16) || (a == DType::bfloat16 && b == DType::float16))
    return DType::float32;
  return a > b ? a : b;
}

enum class DeviceKind : int8_t { cpu = 0, cuda = 1 };

struct Device {
  DeviceKind kind = DeviceKind::cpu;
  int8_t ordinal = 0;
  friend constexpr bool operator==(Device a, Device b) { return a.kind == b.kind && a.ordinal == b.ordinal; }
};

inline std::ostream& operator<<(std::ostream& out, Device d) {
  if (d.kind == DeviceKind::cpu) return out << "cpu";
  return out << "cuda:" << int(d.ordinal);
}

// Up to FD_MAX_DIMS integers, inline: a shape, strides, or a list of axes.
class Dims {
 public:
  Dims() = default;
  Dims(std::initializer_list<int64_t> values) {
    for (int64_t v : values) push_back(v);
  }
  Dims(const int64_t* first, int64_t count) {
    for (int64_t i = 0; i < count; i++) push_back(first[i]);
  }
  // Copies only what is in use: shapes are copied on every op.
  Dims(const Dims& other) : count_(other.count_) {
    for (int i = 0; i < count_; i++) values_[i] = other.values_[i];
  }
  Dims& operator=(const Dims& other) {
    count_ = other.count_;
    for (int i = 0; i < count_; i++) values_[i] = other.values_[i];
    return *this;
  }

  int size() const { return count_; }
  bool empty() const { return count_ == 0; }
  int64_t& operator[](int i) { return values_[i]; }
  int64_t operator[](int i) const { return values_[i]; }
  int64_t* begin() { return values_; }
  int64_t* end() { return values_ + count_; }
  const int64_t* begin() const { return values_; }
  const int64_t* end() const { return values_ + count_; }
  int64_t back() const { return values_[count_ - 1]; }

  void push_back(int64_t v) {
    check<ShapeError>(count_ < FD_MAX_DIMS, "tensors have at most ", int(FD_MAX_DIMS), " dimensions");
    values_[count_++] = v;
  }
  void insert(int at, int64_t v) {
    push_back(v);
    for (int i = count_ - 1; i > at; i--) values_[i] = values_[i - 1];
    values_[at] = v;
  }
  void erase(int at) {
    for (int i = at; i + 1 < count_; i++) values_[i] = values_[i + 1];
    count_--;
  }
  void resize(int n, int64_t fill = 0) {
    while (count_ < n) push_back(fill);
    count_ = n;
  }

  friend bool operator==(const Dims& a, const Dims& b) {
    return a.count_ == b.count_ && std::equal(a.begin(), a.end(), b.begin());
  }

 private:
  int32_t count_ = 0;
  int64_t values_[FD_MAX_DIMS];
};

using Shape = Dims;

// Prints as Python prints a tuple: (), (3,), (2, 3).
inline std::ostream& operator<<(std::ostream& out, const Dims& d) {
  out << '(';
  for (int i = 0; i < d.size(); i++) out << (i ? ", " : "") << d[i];
  return out << (d.size() == 1 ? ",)" : ")");
}

inline int64_t numel(const Shape& s) {
  int64_t n = 1;
  for (int64_t d : s) n *= d;
  return n;
}

// Strides, in elements, of a C-contiguous tensor.
inline Dims contiguous_strides(const Shape& s) {
  Dims strides = s;
  int64_t step = 1;
  for (int i = s.size() - 1; i >= 0; i--) {
    strides[i] = step;
    step *= std::max<int64_t>(s[i], 1);
  }
  return strides;
}

inline bool is_contiguous(const Shape& s, const Dims& strides) {
  int64_t step = 1;
  for (int i = s.size() - 1; i >= 0; i--) {
    if (s[i] == 0) return true;
    if (s[i] == 1) continue;
    if (strides[i] != step) return false;
    step *= s[i];
  }
  return true;
}

// The shape two operands broadcast to; ShapeError names op and both shapes.
inline Shape broadcast(const char* op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape out = longer;
  const int shift = longer.size() - shorter.size();
  for (int i = 0; i < shorter.size(); i++) {
    const int64_t x = longer[i + shift], y = shorter[i];
    check<ShapeError>(x == y || x == 1 || y == 1, op, ": shapes ", a, " and ", b, " do not broadcast: dimension ",
                      i + shift, " is ", a.size() >= b.size() ? x : y, " against ", a.size() >= b.size() ? y : x);
    out[i + shift] = x == 1 ? y : x;
  }
  return out;
}

// dim in [-ndim, ndim) to [0, ndim); a 0-dim tensor accepts 0 and -1.
inline int normalize_dim(const char* op, int64_t dim, int ndim) {
  const int64_t n = std::max(ndim, 1);
  check<IndexError>(dim >= -n && dim < n, op, ": dim ", dim, " is out of range for a tensor of ", ndim,
                    " dimensions; expected ", -n, " to ", n - 1);
  return static_cast<int>(dim < 0 ? dim + n : dim);
}

}  // namespace fd
