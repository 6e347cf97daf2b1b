// Elementwise functions of one tensor: y = f(x), gradient g f'(x). One row an op; formulas are textbook calculus.
#include <cmath>

#include "ops/autocast.h"
#include "ops/ops.h"

namespace fd::ops {

namespace {

enum class Keeps { nothing, input, output };

struct Row {
  const char* name;
  const char* node;
  bool integers;  // integer tensors stay integers; otherwise they become the default floating type
  Keeps keeps;
  // s is what the row keeps. Composed of ops, so that it can be differentiated again; undefined for integer-only ops.
  Tensor (*grad)(const Tensor& g, const Tensor& s, const double* param);
};

using T = const Tensor&;
using P = const double*;

Tensor u(fd_unary_op op, T x) { return unary(op, x); }

// The fused (g, saved) kernel while nothing records; its composed form otherwise.
template <class Composed>
Tensor fused(fd_binary_op op, T g, T s, P param, Composed composed) {
  if (grad_enabled()) return composed();
  Tensor out = empty(s.shape(), s.dtype(), s.device());
  const Operand operands[] = {g, s};
  run_elementwise("backward", kernels(s.device()).elementwise.binary[op], out, operands, 2, param);
  return out;
}

Tensor mask(fd_compare_op op, T x, double than) { return to(compare(op, x, than), x.dtype()); }
Tensor sigmoid(T x) { return u(FD_SIGMOID, x); }
Tensor tanh(T x) { return u(FD_TANH, x); }
Tensor square(T x) { return u(FD_SQUARE, x); }
Tensor one_minus(T x) { return sub(1, x); }

Tensor none(T g, T, P) { return zeros(g.shape(), g.dtype(), g.device()); }
Tensor neg_grad(T g, T, P) { return neg(g); }
Tensor abs_grad(T g, T x, P) { return mul(g, u(FD_SIGN, x)); }
Tensor square_grad(T g, T x, P) { return mul(g, mul(x, 2)); }
Tensor reciprocal_grad(T g, T y, P) { return neg(mul(g, square(y))); }
Tensor sqrt_grad(T g, T y, P) { return div(g, mul(y, 2)); }
Tensor rsqrt_grad(T g, T y, P) { return mul(mul(g, -0.5), mul(y, square(y))); }
Tensor exp_grad(T g, T y, P) { return mul(g, y); }
Tensor exp2_grad(T g, T y, P) { return mul(g, mul(y, M_LN2)); }
Tensor expm1_grad(T g, T y, P) { return mul(g, add(y, 1)); }
Tensor log_grad(T g, T x, P) { return div(g, x); }
Tensor log2_grad(T g, T x, P) { return div(g, mul(x, M_LN2)); }
Tensor log10_grad(T g, T x, P) { return div(g, mul(x, M_LN10)); }
Tensor log1p_grad(T g, T x, P) { return div(g, add(x, 1)); }
Tensor sin_grad(T g, T x, P) { return mul(g, u(FD_COS, x)); }
Tensor cos_grad(T g, T x, P) { return neg(mul(g, u(FD_SIN, x))); }
Tensor tan_grad(T g, T y, P) { return mul(g, add(square(y), 1)); }
Tensor asin_grad(T g, T x, P) { return mul(g, u(FD_RSQRT, one_minus(square(x)))); }
Tensor acos_grad(T g, T x, P) { return neg(asin_grad(g, x, nullptr)); }
Tensor atan_grad(T g, T x, P) { return div(g, add(square(x), 1)); }
Tensor sinh_grad(T g, T x, P) { return mul(g, u(FD_COSH, x)); }
Tensor cosh_grad(T g, T x, P) { return mul(g, u(FD_SINH, x)); }
Tensor asinh_grad(T g, T x, P) { return mul(g, u(FD_RSQRT, add(square(x), 1))); }
Tensor acosh_grad(T g, T x, P) { return mul(g, u(FD_RSQRT, sub(square(x), 1))); }
Tensor atanh_grad(T g, T x, P) { return div(g, one_minus(square(x))); }
Tensor erf_grad(T g, T x, P) { return mul(g, mul(u(FD_EXP, neg(square(x))), M_2_SQRTPI)); }

Tensor tanh_grad(T g, T y, P) {
  return fused(FD_TANH_GRAD, g, y, nullptr, [&] { return mul(g, one_minus(square(y))); });
}
Tensor sigmoid_grad(T g, T y, P) {
  return fused(FD_SIGMOID_GRAD, g, y, nullptr, [&] { return mul(g, mul(y, one_minus(y))); });
}
Tensor logsigmoid_grad(T g, T x, P) {
  return fused(FD_LOGSIGMOID_GRAD, g, x, nullptr, [&] { return mul(g, sigmoid(neg(x))); });
}
Tensor softplus_grad(T g, T x, P p) {
  const double beta = p[0], threshold = p[1];
  return fused(FD_SOFTPLUS_GRAD, g, x, p,
               [&] { return where(compare(FD_GT, mul(x, beta), threshold), g, mul(g, sigmoid(mul(x, beta)))); });
}
Tensor relu_grad(T g, T y, P) {
  return fused(FD_RELU_GRAD, g, y, nullptr, [&] { return where(compare(FD_LE, y, 0), 0.0, g); });
}
Tensor leaky_relu_grad(T g, T x, P p) {
  return fused(FD_LEAKY_RELU_GRAD, g, x, p, [&] { return where(compare(FD_GT, x, 0), g, mul(g, p[0])); });
}
Tensor elu_grad(T g, T x, P p) {
  return fused(FD_ELU_GRAD, g, x, p, [&] {
    const Tensor below = mul(u(FD_EXP, mul(x, p[2])), p[0] * p[1] * p[2]);
    return mul(g, where(compare(FD_LE, x, 0), below, p[1]));
  });
}
Tensor gelu_grad(T g, T x, P) {
  return fused(FD_GELU_GRAD, g, x, nullptr, [&] {
    const Tensor cdf = mul(add(u(FD_ERF, mul(x, M_SQRT1_2)), 1), 0.5);
    const Tensor pdf = mul(u(FD_EXP, mul(square(x), -0.5)), M_2_SQRTPI * M_SQRT1_2 * 0.5);
    return mul(g, add(cdf, mul(x, pdf)));
  });
}
Tensor gelu_tanh_grad(T g, T x, P) {
  return fused(FD_GELU_TANH_GRAD, g, x, nullptr, [&] {
    constexpr double k = M_2_SQRTPI * M_SQRT1_2;  // sqrt(2 / pi)
    const Tensor x2 = square(x);
    const Tensor t = tanh(mul(mul(x, add(mul(x2, 0.044715), 1)), k));
    const Tensor inner = mul(add(mul(x2, 3 * 0.044715), 1), k);
    return mul(mul(g, 0.5), add(add(t, 1), mul(mul(x, one_minus(square(t))), inner)));
  });
}
Tensor silu_grad(T g, T x, P) {
  return fused(FD_SILU_GRAD, g, x, nullptr, [&] {
    const Tensor s = sigmoid(x);
    return mul(g, mul(s, add(mul(x, one_minus(s)), 1)));
  });
}
Tensor mish_grad(T g, T x, P) {
  return fused(FD_MISH_GRAD, g, x, nullptr, [&] {
    constexpr double plain[3] = {1, 20, 0};
    const Tensor t = tanh(unary(FD_SOFTPLUS, x, plain));
    return mul(g, add(t, mul(mul(x, sigmoid(x)), one_minus(square(t)))));
  });
}
Tensor hardsigmoid_grad(T g, T x, P) {
  return fused(FD_HARDSIGMOID_GRAD, g, x, nullptr, [&] { return mul(mul(g, 1.0 / 6), mask(FD_LT, u(FD_ABS, x), 3)); });
}
Tensor hardswish_grad(T g, T x, P) {
  return fused(FD_HARDSWISH_GRAD, g, x, nullptr, [&] {
    const Tensor inner = mul(mask(FD_GT, x, -3), add(mul(x, 1.0 / 3), 0.5));
    return mul(g, where(compare(FD_GE, x, 3), 1.0, inner));
  });
}
Tensor clamp_grad(T g, T x, P p) {
  return fused(FD_CLAMP_GRAD, g, x, p, [&] { return mul(g, mul(mask(FD_GE, x, p[0]), mask(FD_LE, x, p[1]))); });
}

// In the order of FD_UNARY_OPS.
constexpr Row kRows[FD_UNARY_COUNT] = {
    {"neg", "NegBackward0", true, Keeps::nothing, neg_grad},
    {"abs", "AbsBackward0", true, Keeps::input, abs_grad},
    {"sign", "SignBackward0", true, Keeps::nothing, none},
    {"square", "PowBackward0", true, Keeps::input, square_grad},
    {"bitwise_not", "", true, Keeps::nothing, none},
    {"reciprocal", "ReciprocalBackward0", false, Keeps::output, reciprocal_grad},
    {"sqrt", "SqrtBackward0", false, Keeps::output, sqrt_grad},
    {"rsqrt", "RsqrtBackward0", false, Keeps::output, rsqrt_grad},
    {"exp", "ExpBackward0", false, Keeps::output, exp_grad},
    {"exp2", "Exp2Backward0", false, Keeps::output, exp2_grad},
    {"expm1", "Expm1Backward0", false, Keeps::output, expm1_grad},
    {"log", "LogBackward0", false, Keeps::input, log_grad},
    {"log2", "Log2Backward0", false, Keeps::input, log2_grad},
    {"log10", "Log10Backward0", false, Keeps::input, log10_grad},
    {"log1p", "Log1PBackward0", false, Keeps::input, log1p_grad},
    {"sin", "SinBackward0", false, Keeps::input, sin_grad},
    {"cos", "CosBackward0", false, Keeps::input, cos_grad},
    {"tan", "TanBackward0", false, Keeps::output, tan_grad},
    {"asin", "AsinBackward0", false, Keeps::input, asin_grad},
    {"acos", "AcosBackward0", false, Keeps::input, acos_grad},
    {"atan", "AtanBackward0", false, Keeps::input, atan_grad},
    {"sinh", "SinhBackward0", false, Keeps::input, sinh_grad},
    {"cosh", "CoshBackward0", false, Keeps::input, cosh_grad},
    {"tanh", "TanhBackward0", false, Keeps::output, tanh_grad},
    {"asinh", "AsinhBackward0", false, Keeps::input, asinh_grad},
    {"acosh", "AcoshBackward0", false, Keeps::input, acosh_grad},
    {"atanh", "AtanhBackward0", false, Keeps::input, atanh_grad},
    {"erf", "ErfBackward0", false, Keeps::input, erf_grad},
    {"floor", "FloorBackward0", true, Keeps::nothing, none},
    {"ceil", "CeilBackward0", true, Keeps::nothing, none},
    {"round", "RoundBackward0", true, Keeps::nothing, none},
    {"trunc", "TruncBackward0", true, Keeps::nothing, none},
    {"sigmoid", "SigmoidBackward0", false, Keeps::output, sigmoid_grad},
    {"logsigmoid", "LogSigmoidBackward0", false, Keeps::input, logsigmoid_grad},
    {"softplus", "SoftplusBackward0", false, Keeps::input, softplus_grad},
    {"relu", "ReluBackward0", true, Keeps::output, relu_grad},
    {"leaky_relu", "LeakyReluBackward0", false, Keeps::input, leaky_relu_grad},
    {"elu", "EluBackward0", false, Keeps::input, elu_grad},
    {"gelu", "GeluBackward0", false, Keeps::input, gelu_grad},
    {"gelu_tanh", "GeluBackward0", false, Keeps::input, gelu_tanh_grad},
    {"silu", "SiluBackward0", false, Keeps::input, silu_grad},
    {"mish", "MishBackward0", false, Keeps::input, mish_grad},
    {"hardsigmoid", "HardsigmoidBackward0", false, Keeps::input, hardsigmoid_grad},
    {"hardswish", "HardswishBackward0", false, Keeps::input, hardswish_grad},
    {"clamp", "ClampBackward1", true, Keeps::input, clamp_grad},
};

// The number next to x towards `end`, in this dtype.
double next_to(double x, double end, DType dtype) {
  return dtype == DType::float32 ? std::nextafter(static_cast<float>(x), static_cast<float>(end))
                                 : std::nextafter(x, end);
}

// clamp, but for the slope: 0 at the bounds too. An open interval is a closed one of the neighbouring numbers.
Tensor hardtanh_grad(T g, T x, P p) {
  const double inner[3] = {next_to(p[0], HUGE_VAL, x.dtype()), next_to(p[1], -HUGE_VAL, x.dtype()), 0};
  return clamp_grad(g, x, inner);
}

constexpr Row kHardtanh = {"hardtanh", "HardtanhBackward0", true, Keeps::input, hardtanh_grad};

class UnaryBackward final : public Node {
 public:
  UnaryBackward(const Row& row, const double* param) : Node(1), row_(row) {
    if (param)
      for (int i = 0; i < 3; i++) param_[i] = param[i];
  }
  const char* name() const override { return row_.node; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor s = row_.keeps == Keeps::nothing ? Tensor() : saved.get(this);
    grad_in[0] = row_.grad(grad_out[0], s, param_);
  }
  void release() override { saved.release(); }
  Saved saved;

 private:
  const Row& row_;
  double param_[3] = {};
};

bool rounds(fd_unary_op op) { return op == FD_FLOOR || op == FD_CEIL || op == FD_ROUND || op == FD_TRUNC; }

Tensor apply(fd_unary_op op, const Row& row, const Tensor& x, const double* param, bool in_place) {
  const bool record = needs_grad(x);
  if (in_place) check_inplace(row.name, x, record);
  Ref<Node> node;
  UnaryBackward* backward = nullptr;
  if (record) {
    node = Ref<Node>(backward = new UnaryBackward(row, param));
    connect(backward, 0, x);
    if (row.keeps == Keeps::input) backward->saved = Saved(in_place ? clone(x) : x);
  }
  Tensor out = in_place ? x : empty(x.shape(), x.dtype(), x.device());
  const Operand operand[] = {x};
  run_elementwise(row.name, kernels(x.device()).elementwise.unary[op], out, operand, 1, param);
  if (in_place) finish_inplace(row.name, x, node);
  if (record) {
    if (row.keeps == Keeps::output) backward->saved = Saved::output(out);
    if (!in_place) set_history(out, std::move(node));
  }
  return out;
}

// What loses too much, or overflows, in half precision.
bool wants_width(fd_unary_op op) {
  switch (op) {
    case FD_RECIPROCAL:
    case FD_RSQRT:
    case FD_EXP:
    case FD_EXP2:
    case FD_EXPM1:
    case FD_LOG:
    case FD_LOG2:
    case FD_LOG10:
    case FD_LOG1P:
    case FD_TAN:
    case FD_ASIN:
    case FD_ACOS:
    case FD_SINH:
    case FD_COSH:
    case FD_SQUARE:
    case FD_SOFTPLUS:
      return true;
    default:
      return false;
  }
}

}  // namespace

Tensor unary(fd_unary_op op, const Tensor& x, const double* param) {
  const Row& row = kRows[op];
  if (is_half(x.dtype())) {
    const DType result = wants_width(op) ? widened(x.dtype(), x.device()) : x.dtype();
    return to(unary(op, to(x, DType::float32), param), result);
  }
  if (is_integral(x.dtype())) {
    if (rounds(op) || (op == FD_SIGN && x.dtype() == DType::boolean)) return clone(x);
    if (op == FD_SQUARE && x.dtype() == DType::boolean) return unary(op, to(x, DType::int64));
    if (!row.integers) return unary(op, to(x, default_dtype()), param);
  }
  return apply(op, row, x, param, false);
}

Tensor unary_(fd_unary_op op, const Tensor& self, const double* param) {
  const Row& row = kRows[op];
  if (is_half(self.dtype())) return copy_(self, unary(op, old_value(self), param));
  if (is_integral(self.dtype())) {
    check<DTypeError>(row.integers, row.name, "_: the result is floating but the tensor is ", self.dtype());
    if (rounds(op)) return self;
  }
  return apply(op, row, self, param, true);
}

void record_unary(fd_unary_op op, const Tensor& y) {
  auto* node = new UnaryBackward(kRows[op], nullptr);
  Ref<Node> owned(node);
  connect(node, 0, y);
  node->saved = Saved::output(y);
  set_history(y, std::move(owned));
}

Tensor hardtanh(const Tensor& x, double lo, double hi) {
  const double bounds[3] = {lo, hi, 0};
  if (is_half(x.dtype())) return to(hardtanh(to(x, DType::float32), lo, hi), x.dtype());
  return apply(FD_CLAMP, kHardtanh, x, bounds, false);
}

Tensor hardtanh_(const Tensor& self, double lo, double hi) {
  const double bounds[3] = {lo, hi, 0};
  if (is_half(self.dtype())) return copy_(self, hardtanh(old_value(self), lo, hi));
  return apply(FD_CLAMP, kHardtanh, self, bounds, true);
}

}  // namespace fd::ops
