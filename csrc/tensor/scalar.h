// A Python number: what it is decides promotion, so its kind is kept beside its value.
#pragma once

#include "base/types.h"
#include "kernels/kernels.h"

namespace fd {

enum class ScalarKind : int8_t { boolean, integer, floating };

struct Scalar {
  ScalarKind kind;
  union {
    int64_t i;
    double f;
  };

  Scalar(bool v) : kind(ScalarKind::boolean), i(v) {}
  Scalar(int v) : kind(ScalarKind::integer), i(v) {}
  Scalar(int64_t v) : kind(ScalarKind::integer), i(v) {}
  Scalar(double v) : kind(ScalarKind::floating), f(v) {}

  double to_double() const { return kind == ScalarKind::floating ? f : static_cast<double>(i); }
  int64_t to_int() const { return kind == ScalarKind::floating ? static_cast<int64_t>(f) : i; }
  bool to_bool() const { return kind == ScalarKind::floating ? f != 0 : i != 0; }

  // In the form a kernel of this dtype reads.
  fd_scalar as(DType dtype) const {
    fd_scalar out;
    if (is_floating(dtype))
      out.f = to_double();
    else
      out.i = dtype == DType::boolean ? to_bool() : to_int();
    return out;
  }
};

inline ScalarKind kind_of(DType d) {
  return d == DType::boolean ? ScalarKind::boolean : is_integral(d) ? ScalarKind::integer : ScalarKind::floating;
}

// The dtype of a tensor made from a Python number; floats take the default dtype (set_default_dtype).
DType default_dtype();
void set_default_dtype(DType dtype);  // DTypeError unless floating
inline DType dtype_of(ScalarKind k) {
  return k == ScalarKind::boolean ? DType::boolean : k == ScalarKind::integer ? DType::int64 : default_dtype();
}

}  // namespace fd
