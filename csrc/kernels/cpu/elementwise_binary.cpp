// Binary operations: arithmetic, comparison of two values for the larger, bits, and the gradients of activations, which
// are bound by memory; division with rest, powers and angles, which are bound by arithmetic. x + x of
// 1 M float32 on one core: 0.30 ms (AVX-512, Intel(R) Xeon(R) Processor @ 2.10GHz).
#include "kernels/cpu/elementwise.h"

namespace fd::FD_ISA {
namespace {

// pow with a constant exponent that a product or a root expresses, within the error of pow itself.
template <class T>
void pow_row(const Row& row) {
  const T exponent = row.step[1] == 0 ? *static_cast<const T*>(row.in[1]) : T(0);
  if (exponent == T(2)) return unary_row<op::Square, T>(row);
  if (exponent == T(3)) return unary_row<op::Cube, T>(row);
  if (exponent == T(-1)) return unary_row<op::Reciprocal, T>(row);
  if (exponent == T(0.5)) return unary_row<op::Root, T>(row);
  if (exponent == T(-0.5)) return unary_row<op::InverseRoot, T>(row);
  binary_row<op::Pow, T>(row);
}

}  // namespace

void fill_elementwise_binary(fd_kernels* table) {
  auto& k = table->elementwise.binary;
  fill_binary<op::Add, float, double, int32_t, int64_t, uint8_t>(k[FD_ADD]);
  fill_binary<op::Sub, float, double, int32_t, int64_t, uint8_t>(k[FD_SUB]);
  fill_binary<op::Mul, float, double, int32_t, int64_t, uint8_t>(k[FD_MUL]);
  fill_binary<op::Maximum, float, double, int32_t, int64_t, uint8_t>(k[FD_MAXIMUM]);
  fill_binary<op::Minimum, float, double, int32_t, int64_t, uint8_t>(k[FD_MINIMUM]);
  fill_binary<op::Div, float, double>(k[FD_DIV]);
  fill_binary<op::FloorDiv, float, double>(k[FD_FLOOR_DIV]);
  fill_binary<op::Remainder, float, double>(k[FD_REMAINDER]);
  fill_binary<op::Fmod, float, double>(k[FD_FMOD]);
  k[FD_POW][FD_F32] = elementwise_entry<pow_row<float>, op::Pow::kCost, FD_F32, FD_F32, FD_F32>;
  k[FD_POW][FD_F64] = elementwise_entry<pow_row<double>, op::Pow::kCost, FD_F64, FD_F64, FD_F64>;
  fill_binary<op::Atan2, float, double>(k[FD_ATAN2]);
  fill_binary<op::Copysign, float, double>(k[FD_COPYSIGN]);
  fill_binary<op::Hypot, float, double>(k[FD_HYPOT]);
  fill_binary<op::TanhGrad, float, double>(k[FD_TANH_GRAD]);
  fill_binary<op::SigmoidGrad, float, double>(k[FD_SIGMOID_GRAD]);
  fill_binary<op::ReluGrad, float, double>(k[FD_RELU_GRAD]);
  fill_binary<op::LeakyReluGrad, float, double>(k[FD_LEAKY_RELU_GRAD]);
  fill_binary<op::EluGrad, float, double>(k[FD_ELU_GRAD]);
  fill_binary<op::SoftplusGrad, float, double>(k[FD_SOFTPLUS_GRAD]);
  fill_binary<op::LogsigmoidGrad, float, double>(k[FD_LOGSIGMOID_GRAD]);
  fill_binary<op::GeluGrad, float, double>(k[FD_GELU_GRAD]);
  fill_binary<op::GeluTanhGrad, float, double>(k[FD_GELU_TANH_GRAD]);
  fill_binary<op::SiluGrad, float, double>(k[FD_SILU_GRAD]);
  fill_binary<op::MishGrad, float, double>(k[FD_MISH_GRAD]);
  fill_binary<op::HardsigmoidGrad, float, double>(k[FD_HARDSIGMOID_GRAD]);
  fill_binary<op::HardswishGrad, float, double>(k[FD_HARDSWISH_GRAD]);
  fill_binary<op::ClampGrad, float, double>(k[FD_CLAMP_GRAD]);
  fill_binary<op::BitwiseAnd, int32_t, int64_t, uint8_t>(k[FD_BITWISE_AND]);
  fill_binary<op::BitwiseOr, int32_t, int64_t, uint8_t>(k[FD_BITWISE_OR]);
  fill_binary<op::BitwiseXor, int32_t, int64_t, uint8_t>(k[FD_BITWISE_XOR]);
  fill_binary_bool<op::BitwiseOr>(k[FD_ADD]);
  fill_binary_bool<op::BitwiseAnd>(k[FD_MUL]);
  fill_binary_bool<op::BitwiseOr>(k[FD_MAXIMUM]);
  fill_binary_bool<op::BitwiseAnd>(k[FD_MINIMUM]);
  fill_binary_bool<op::BitwiseAnd>(k[FD_BITWISE_AND]);
  fill_binary_bool<op::BitwiseOr>(k[FD_BITWISE_OR]);
  fill_binary_bool<op::BitwiseXor>(k[FD_BITWISE_XOR]);
}

}  // namespace fd::FD_ISA
