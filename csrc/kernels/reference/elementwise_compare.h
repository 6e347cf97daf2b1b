// Comparisons and tests: any operand but a half, bool out.
#pragma once

#include "kernels/reference/elementwise_ops.h"

namespace fd::reference::op {

struct Pair : NumericOrBool {
  static constexpr bool one_operand = false;
};
struct Single : NumericOrBool {
  static constexpr bool one_operand = true;
};
struct eq : Pair {
  template <class T>
  static bool of(T a, T b) {
    return a == b;
  }
};
struct ne : Pair {
  template <class T>
  static bool of(T a, T b) {
    return a != b;
  }
};
struct lt : Pair {
  template <class T>
  static bool of(T a, T b) {
    return a < b;
  }
};
struct le : Pair {
  template <class T>
  static bool of(T a, T b) {
    return a <= b;
  }
};
struct gt : Pair {
  template <class T>
  static bool of(T a, T b) {
    return a > b;
  }
};
struct ge : Pair {
  template <class T>
  static bool of(T a, T b) {
    return a >= b;
  }
};
struct logical_and : Pair {
  template <class T>
  static bool of(T a, T b) {
    return a != 0 && b != 0;
  }
};
struct logical_or : Pair {
  template <class T>
  static bool of(T a, T b) {
    return a != 0 || b != 0;
  }
};
struct logical_xor : Pair {
  template <class T>
  static bool of(T a, T b) {
    return (a != 0) != (b != 0);
  }
};
struct logical_not : Single {
  template <class T>
  static bool of(T a) {
    return a == 0;
  }
};
struct isnan : Single {
  template <class T>
  static bool of(T a) {
    return is_nan(a);
  }
};
struct isinf : Single {
  template <class T>
  static bool of(T a) {
    if constexpr (is_floating<T>)
      return std::fabs(a) == std::numeric_limits<T>::infinity();
    else
      return false;
  }
};
struct isfinite : Single {
  template <class T>
  static bool of(T a) {
    if constexpr (is_floating<T>)
      return std::fabs(a) < std::numeric_limits<T>::infinity();
    else
      return true;
  }
};

}  // namespace fd::reference::op
