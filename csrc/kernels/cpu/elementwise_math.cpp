// Unary functions of 10 to 60 instructions a vector: bound by arithmetic in cache, by memory beyond (math.h). A million
// float32 on one core: exp 270 us, log 279, tanh 327, sigmoid 331, sin 329, erf 356 (AVX-512, Intel(R) Xeon(R)
// Processor @ 2.10GHz).
#include "kernels/cpu/elementwise.h"

namespace fd::FD_ISA {

void fill_elementwise_math(fd_kernels* table) {
  auto& k = table->elementwise.unary;
  fill_unary<op::Exp, float, double>(k[FD_EXP]);
  fill_unary<op::Exp2, float, double>(k[FD_EXP2]);
  fill_unary<op::Expm1, float, double>(k[FD_EXPM1]);
  fill_unary<op::Log, float, double>(k[FD_LOG]);
  fill_unary<op::Log2, float, double>(k[FD_LOG2]);
  fill_unary<op::Log10, float, double>(k[FD_LOG10]);
  fill_unary<op::Log1p, float, double>(k[FD_LOG1P]);
  fill_unary<op::Sin, float, double>(k[FD_SIN]);
  fill_unary<op::Cos, float, double>(k[FD_COS]);
  fill_unary<op::Tan, float, double>(k[FD_TAN]);
  fill_unary<op::Asin, float, double>(k[FD_ASIN]);
  fill_unary<op::Acos, float, double>(k[FD_ACOS]);
  fill_unary<op::Atan, float, double>(k[FD_ATAN]);
  fill_unary<op::Sinh, float, double>(k[FD_SINH]);
  fill_unary<op::Cosh, float, double>(k[FD_COSH]);
  fill_unary<op::Tanh, float, double>(k[FD_TANH]);
  fill_unary<op::Asinh, float, double>(k[FD_ASINH]);
  fill_unary<op::Acosh, float, double>(k[FD_ACOSH]);
  fill_unary<op::Atanh, float, double>(k[FD_ATANH]);
  fill_unary<op::Erf, float, double>(k[FD_ERF]);
  fill_unary<op::Sigmoid, float, double>(k[FD_SIGMOID]);
  fill_unary<op::Logsigmoid, float, double>(k[FD_LOGSIGMOID]);
  fill_unary<op::Softplus, float, double>(k[FD_SOFTPLUS]);
  fill_unary<op::Elu, float, double>(k[FD_ELU]);
  fill_unary<op::Gelu, float, double>(k[FD_GELU]);
  fill_unary<op::GeluTanh, float, double>(k[FD_GELU_TANH]);
  fill_unary<op::Silu, float, double>(k[FD_SILU]);
  fill_unary<op::Mish, float, double>(k[FD_MISH]);
}

}  // namespace fd::FD_ISA
