// Comparisons and tests: any element but a half, bool out.
#include "kernels/cuda/elementwise_ops.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

namespace test {

#define FD_TEST2(NAME, ...)                                 \
  struct NAME {                                             \
    static constexpr bool one_operand = false;              \
    template <class T>                                      \
    __device__ static bool apply(T a, T b, const double*) { \
      return __VA_ARGS__;                                   \
    }                                                       \
  };
#define FD_TEST1(NAME, ...)                                             \
  struct NAME {                                                         \
    static constexpr bool one_operand = true;                           \
    template <class T>                                                  \
    __device__ static bool apply([[maybe_unused]] T a, const double*) { \
      __VA_ARGS__                                                       \
    }                                                                   \
  };

FD_TEST2(eq, a == b)
FD_TEST2(ne, a != b)
FD_TEST2(lt, a < b)
FD_TEST2(le, a <= b)
FD_TEST2(gt, a > b)
FD_TEST2(ge, a >= b)
FD_TEST2(logical_and, a != T(0) && b != T(0))
FD_TEST2(logical_or, a != T(0) || b != T(0))
FD_TEST2(logical_xor, (a != T(0)) != (b != T(0)))
FD_TEST1(logical_not, return a == T(0);)
FD_TEST1(isnan, return is_nan(a);)
FD_TEST1(isinf, if constexpr (is_floating<T>) return std::fabs(a) == T(INFINITY); else return false;)
FD_TEST1(isfinite, if constexpr (is_floating<T>) return std::fabs(a) < T(INFINITY); else return true;)

#undef FD_TEST1
#undef FD_TEST2

}  // namespace test

template <class Op>
void fill(fd_elementwise_fn** slots) {
  for_each_dtype([=]<class T>(fd_dtype dtype) {
    if constexpr (!is_half<T>) {
      if constexpr (Op::one_operand)
        slots[dtype] = map<Op, bool, T>;
      else
        slots[dtype] = map<Op, bool, T, T>;
    }
  });
}

}  // namespace

void fill_compare(fd_kernels* table) {
  auto* const slots = table->elementwise.compare;
#define FD_FILL(OP, name) fill<test::name>(slots[FD_##OP]);
  FD_COMPARE_OPS(FD_FILL)
#undef FD_FILL
}

}  // namespace fd::gpu
