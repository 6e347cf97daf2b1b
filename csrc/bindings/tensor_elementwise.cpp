// Elementwise functions and methods: tables of names over the ops' rows.
#include <limits>

#include "bindings/bind.h"
#include "bindings/caster.h"

namespace fd::bindings {

namespace {

using ops::Operand;

struct UnaryName {
  const char* name;
  fd_unary_op op;
  const char* doc;
};

constexpr UnaryName kUnary[] = {
    {"neg", FD_NEG, "-x."},
    {"negative", FD_NEG, "-x."},
    {"abs", FD_ABS, "|x|."},
    {"absolute", FD_ABS, "|x|."},
    {"sign", FD_SIGN, "-1, 0 or 1 by the sign of x; NaN stays."},
    {"sgn", FD_SIGN, "-1, 0 or 1 by the sign of x; NaN stays."},
    {"square", FD_SQUARE, "x * x."},
    {"bitwise_not", FD_BITWISE_NOT, "~x of integers and bool."},
    {"reciprocal", FD_RECIPROCAL, "1 / x."},
    {"sqrt", FD_SQRT, "The square root; NaN below 0."},
    {"rsqrt", FD_RSQRT, "1 / sqrt(x)."},
    {"exp", FD_EXP, "e to the power x."},
    {"exp2", FD_EXP2, "2 to the power x."},
    {"expm1", FD_EXPM1, "exp(x) - 1, exact near 0."},
    {"log", FD_LOG, "The natural logarithm; -inf at 0, NaN below."},
    {"log2", FD_LOG2, "The logarithm to base 2."},
    {"log10", FD_LOG10, "The logarithm to base 10."},
    {"log1p", FD_LOG1P, "log(1 + x), exact near 0."},
    {"sin", FD_SIN, "The sine of x in radians."},
    {"cos", FD_COS, "The cosine of x in radians."},
    {"tan", FD_TAN, "The tangent of x in radians."},
    {"asin", FD_ASIN, "The inverse sine in radians."},
    {"arcsin", FD_ASIN, "The inverse sine in radians."},
    {"acos", FD_ACOS, "The inverse cosine in radians."},
    {"arccos", FD_ACOS, "The inverse cosine in radians."},
    {"atan", FD_ATAN, "The inverse tangent in radians."},
    {"arctan", FD_ATAN, "The inverse tangent in radians."},
    {"sinh", FD_SINH, "The hyperbolic sine."},
    {"cosh", FD_COSH, "The hyperbolic cosine."},
    {"tanh", FD_TANH, "The hyperbolic tangent."},
    {"asinh", FD_ASINH, "The inverse hyperbolic sine."},
    {"arcsinh", FD_ASINH, "The inverse hyperbolic sine."},
    {"acosh", FD_ACOSH, "The inverse hyperbolic cosine."},
    {"arccosh", FD_ACOSH, "The inverse hyperbolic cosine."},
    {"atanh", FD_ATANH, "The inverse hyperbolic tangent."},
    {"arctanh", FD_ATANH, "The inverse hyperbolic tangent."},
    {"erf", FD_ERF, "The error function."},
    {"floor", FD_FLOOR, "The largest integer not above x."},
    {"ceil", FD_CEIL, "The smallest integer not below x."},
    {"trunc", FD_TRUNC, "x without its fraction."},
    {"fix", FD_TRUNC, "x without its fraction."},
    {"sigmoid", FD_SIGMOID, "1 / (1 + exp(-x)) (book section 5.1)."},
};

void bind_unary(nb::module_& m) {
  for (const UnaryName& row : kUnary) {
    const fd_unary_op op = row.op;
    function_and_method(m, row.name, [op](const Tensor& x) { return ops::unary(op, x); }, row.doc);
    m.def(
        row.name,
        [op, name = row.name](const Tensor& x, const Tensor& out) { return into(name, out, ops::unary(op, x)); },
        "input"_a, nb::kw_only(), "out"_a, row.doc);
    const std::string in_place = std::string(row.name) + "_";
    method(in_place.c_str(), [op](const Tensor& x) { return ops::unary_(op, x); }, "In place.");
  }
  const auto round_to = [](const Tensor& x, int decimals) {
    if (decimals == 0) return ops::unary(FD_ROUND, x);
    const double scale = std::pow(10.0, decimals);
    return ops::div(ops::unary(FD_ROUND, ops::mul(x, scale)), scale);
  };
  function_and_method(m, "round", round_to, nb::kw_only(), "decimals"_a = 0, "To the nearest integer, halves to even.");
  method(
      "round_",
      [round_to](const Tensor& x, int decimals) {
        return decimals == 0 ? ops::unary_(FD_ROUND, x) : ops::copy_(x, round_to(ops::old_value(x), decimals));
      },
      nb::kw_only(), "decimals"_a = 0, "In place.");
}

// ---------------------------------------------------------------------------------------------- activations

// f(x) with inplace=, as torch.nn.functional has it.
template <class... P>
Tensor activate(fd_unary_op op, const Tensor& x, bool inplace, P... param) {
  const double p[3] = {param...};
  return inplace ? ops::unary_(op, x, p) : ops::unary(op, x, p);
}

void bind_activations(nb::module_& m) {
  function_and_method(
      m, "relu", [](const Tensor& x, bool inplace) { return activate(FD_RELU, x, inplace); }, "inplace"_a = false,
      "max(x, 0) (book section 5.1).");
  method("relu_", [](const Tensor& x) { return ops::unary_(FD_RELU, x); }, "In place.");
  m.def(
      "leaky_relu",
      [](const Tensor& x, double slope, bool inplace) { return activate(FD_LEAKY_RELU, x, inplace, slope); }, "input"_a,
      "negative_slope"_a = 0.01, "inplace"_a = false, "x where x > 0, else negative_slope * x.");
  m.def(
      "elu", [](const Tensor& x, double alpha, bool inplace) { return activate(FD_ELU, x, inplace, alpha, 1.0, 1.0); },
      "input"_a, "alpha"_a = 1.0, "inplace"_a = false,
      "x where x > 0, else alpha * (exp(x) - 1) (Clevert et al. 2016).");
  m.def(
      "selu",
      [](const Tensor& x, bool inplace) {
        return activate(FD_ELU, x, inplace, 1.6732632423543772848, 1.0507009873554804934, 1.0);
      },
      "input"_a, "inplace"_a = false, "Scaled ELU with the constants of Klambauer et al. 2017.");
  m.def(
      "celu",
      [](const Tensor& x, double alpha, bool inplace) {
        check<ValueError>(alpha != 0, "celu: alpha must not be 0");
        return activate(FD_ELU, x, inplace, alpha, 1.0, 1.0 / alpha);
      },
      "input"_a, "alpha"_a = 1.0, "inplace"_a = false,
      "x where x > 0, else alpha * (exp(x / alpha) - 1) (Barron 2017).");
  m.def(
      "gelu",
      [](const Tensor& x, const std::string& approximate) {
        check<ValueError>(approximate == "none" || approximate == "tanh",
                          "gelu: approximate must be 'none' or 'tanh', got '", approximate, "'");
        return ops::unary(approximate == "tanh" ? FD_GELU_TANH : FD_GELU, x);
      },
      "input"_a, nb::kw_only(), "approximate"_a = "none",
      "x * Phi(x), Phi the normal distribution function; approximate='tanh' for its tanh form (Hendrycks, Gimpel "
      "2016).");
  m.def(
      "silu", [](const Tensor& x, bool inplace) { return activate(FD_SILU, x, inplace); }, "input"_a,
      "inplace"_a = false, "x * sigmoid(x).");
  m.def(
      "mish", [](const Tensor& x, bool inplace) { return activate(FD_MISH, x, inplace); }, "input"_a,
      "inplace"_a = false, "x * tanh(softplus(x)) (Misra 2019).");
  m.def(
      "hardsigmoid", [](const Tensor& x, bool inplace) { return activate(FD_HARDSIGMOID, x, inplace); }, "input"_a,
      "inplace"_a = false, "relu6(x + 3) / 6.");
  m.def(
      "hardswish", [](const Tensor& x, bool inplace) { return activate(FD_HARDSWISH, x, inplace); }, "input"_a,
      "inplace"_a = false, "x * relu6(x + 3) / 6 (Howard et al., ICCV 2019).");
  m.def(
      "softplus",
      [](const Tensor& x, double beta, double threshold) { return activate(FD_SOFTPLUS, x, false, beta, threshold); },
      "input"_a, "beta"_a = 1.0, "threshold"_a = 20.0,
      "log(1 + exp(beta x)) / beta; x itself where beta x > threshold.");
  m.def(
      "logsigmoid", [](const Tensor& x) { return ops::unary(FD_LOGSIGMOID, x); }, "input"_a,
      "log(sigmoid(x)), stable.");
  m.def(
      "hardtanh",
      [](const Tensor& x, double lo, double hi, bool inplace) {
        check<ValueError>(lo <= hi, "hardtanh: min_val ", lo, " is larger than max_val ", hi);
        return inplace ? ops::hardtanh_(x, lo, hi) : ops::hardtanh(x, lo, hi);
      },
      "input"_a, "min_val"_a = -1.0, "max_val"_a = 1.0, "inplace"_a = false, "x clipped to [min_val, max_val].");
}

// ---------------------------------------------------------------------------------------------- two operands

struct BinaryName {
  const char* name;
  fd_binary_op op;
  const char* doc;
};

constexpr BinaryName kBinary[] = {
    {"mul", FD_MUL, "input * other."},
    {"multiply", FD_MUL, "input * other."},
    {"floor_divide", FD_FLOOR_DIV, "input / other rounded to minus infinity. Integers: ValueError on division by 0."},
    {"remainder", FD_REMAINDER, "input % other, with the sign of other."},
    {"fmod", FD_FMOD, "The remainder with the sign of input."},
    {"pow", FD_POW, "input to the power exponent."},
    {"maximum", FD_MAXIMUM, "The larger of both; NaN wins."},
    {"minimum", FD_MINIMUM, "The smaller of both; NaN wins."},
    {"atan2", FD_ATAN2, "The angle of the point (other, input) in radians."},
    {"arctan2", FD_ATAN2, "The angle of the point (other, input) in radians."},
    {"copysign", FD_COPYSIGN, "The magnitude of input with the sign of other."},
    {"hypot", FD_HYPOT, "sqrt(input^2 + other^2) without overflow."},
    {"bitwise_and", FD_BITWISE_AND, "input & other."},
    {"bitwise_or", FD_BITWISE_OR, "input | other."},
    {"bitwise_xor", FD_BITWISE_XOR, "input ^ other."},
    {"bitwise_left_shift", FD_SHIFT_LEFT, "input << other."},
    {"bitwise_right_shift", FD_SHIFT_RIGHT, "input >> other."},
};

Operand scaled(const char* op, const Operand& a, const Operand& o, Scalar alpha, Tensor& holder) {
  if (alpha.to_double() == 1) return o;
  check<DTypeError>(alpha.kind != ScalarKind::floating || is_floating(ops::result_type(a, o)), op,
                    ": alpha is a floating number but the operands are integers");
  if (!o.is_tensor()) {
    const bool floating = alpha.kind == ScalarKind::floating || o.scalar.kind == ScalarKind::floating;
    return floating ? Operand(Scalar(o.scalar.to_double() * alpha.to_double()))
                    : Operand(Scalar(o.scalar.to_int() * alpha.to_int()));
  }
  holder = ops::mul(o, alpha);
  return Operand(holder);
}

template <fd_binary_op op>
void bind_sum(nb::module_& m, std::initializer_list<const char*> names, const char* doc) {
  for (const char* name : names) {
    m.def(
        name,
        [name](const OperandArg& a, const OperandArg& b, Scalar alpha) {
          Tensor holder;
          return ops::binary(op, a, scaled(name, a, b, alpha, holder));
        },
        "input"_a, "other"_a, nb::kw_only(), "alpha"_a = 1, doc);
    method(
        name,
        [name](const Tensor& a, const OperandArg& b, Scalar alpha) {
          Tensor holder;
          return ops::binary(op, a, scaled(name, a, b, alpha, holder));
        },
        "other"_a, nb::kw_only(), "alpha"_a = 1, doc);
    m.def(
        name,
        [name](const OperandArg& a, const OperandArg& b, Scalar alpha, const Tensor& out) {
          Tensor holder;
          return into(name, out, ops::binary(op, a, scaled(name, a, b, alpha, holder)));
        },
        "input"_a, "other"_a, nb::kw_only(), "alpha"_a = 1, "out"_a, doc);
    method((std::string(name) + "_").c_str(),
           [name](const Tensor& a, const OperandArg& b, Scalar alpha) {
             Tensor holder;
             return ops::binary_(op, a, scaled(name, a, b, alpha, holder));
           },
           "other"_a, nb::kw_only(), "alpha"_a = 1, "In place.");
  }
}

Tensor divide(const Operand& a, const Operand& b, const std::optional<std::string>& rounding) {
  if (!rounding) return ops::div(a, b);
  check<ValueError>(*rounding == "floor" || *rounding == "trunc",
                    "div: rounding_mode must be None, 'floor' or 'trunc', got '", *rounding, "'");
  if (*rounding == "floor") return ops::binary(FD_FLOOR_DIV, a, b);
  const DType d = ops::result_type(a, b);
  const Tensor out = ops::unary(FD_TRUNC, ops::div(a, b));
  return is_integral(d) ? ops::to(out, d) : out;
}

void bind_binary(nb::module_& m) {
  bind_sum<FD_ADD>(m, {"add"}, "input + alpha * other.");
  bind_sum<FD_SUB>(m, {"sub", "subtract"}, "input - alpha * other.");
  for (const BinaryName& row : kBinary) {
    const fd_binary_op op = row.op;
    const char* other = op == FD_POW ? "exponent" : "other";
    m.def(
        row.name, [op](const OperandArg& a, const OperandArg& b) { return ops::binary(op, a, b); }, "input"_a,
        nb::arg(other), row.doc);
    m.def(
        row.name,
        [op, name = row.name](const OperandArg& a, const OperandArg& b, const Tensor& out) {
          return into(name, out, ops::binary(op, a, b));
        },
        "input"_a, nb::arg(other), nb::kw_only(), "out"_a, row.doc);
    method(
        row.name, [op](const Tensor& a, const OperandArg& b) { return ops::binary(op, a, b); }, nb::arg(other),
        row.doc);
    method((std::string(row.name) + "_").c_str(),
           [op](const Tensor& a, const OperandArg& b) { return ops::binary_(op, a, b); }, nb::arg(other), "In place.");
  }
  for (const char* name : {"div", "divide", "true_divide"}) {
    m.def(
        name,
        [](const OperandArg& a, const OperandArg& b, const std::optional<std::string>& r) { return divide(a, b, r); },
        "input"_a, "other"_a, nb::kw_only(), "rounding_mode"_a = nb::none(),
        "input / other, floating for integers; rounding_mode 'floor' or 'trunc' keeps integers.");
    m.def(
        name,
        [name](const OperandArg& a, const OperandArg& b, const std::optional<std::string>& r, const Tensor& out) {
          return into(name, out, divide(a, b, r));
        },
        "input"_a, "other"_a, nb::kw_only(), "rounding_mode"_a = nb::none(), "out"_a, "input / other.");
    method(
        name, [](const Tensor& a, const OperandArg& b, const std::optional<std::string>& r) { return divide(a, b, r); },
        "other"_a, nb::kw_only(), "rounding_mode"_a = nb::none(), "input / other.");
    method((std::string(name) + "_").c_str(),
           [](const Tensor& a, const OperandArg& b, const std::optional<std::string>& r) {
             if (!r) return ops::binary_(FD_DIV, a, b);
             return ops::copy_(a, divide(ops::old_value(a), b, r));
           },
           "other"_a, nb::kw_only(), "rounding_mode"_a = nb::none(), "In place.");
  }
  m.def(
      "rsub",
      [](const Tensor& a, const OperandArg& b, Scalar alpha) {
        Tensor holder;
        return ops::binary(FD_SUB, b, scaled("rsub", b, a, alpha, holder));
      },
      "input"_a, "other"_a, nb::kw_only(), "alpha"_a = 1, "other - alpha * input.");
}

// ---------------------------------------------------------------------------------------------- comparison

struct CompareName {
  const char* name;
  fd_compare_op op;
  const char* doc;
};

constexpr CompareName kCompare[] = {
    {"eq", FD_EQ, "input == other, elementwise, bool."},
    {"ne", FD_NE, "input != other, elementwise, bool."},
    {"not_equal", FD_NE, "input != other, elementwise, bool."},
    {"lt", FD_LT, "input < other, elementwise, bool."},
    {"less", FD_LT, "input < other, elementwise, bool."},
    {"le", FD_LE, "input <= other, elementwise, bool."},
    {"less_equal", FD_LE, "input <= other, elementwise, bool."},
    {"gt", FD_GT, "input > other, elementwise, bool."},
    {"greater", FD_GT, "input > other, elementwise, bool."},
    {"ge", FD_GE, "input >= other, elementwise, bool."},
    {"greater_equal", FD_GE, "input >= other, elementwise, bool."},
    {"logical_and", FD_LOGICAL_AND, "Both nonzero, bool."},
    {"logical_or", FD_LOGICAL_OR, "Either nonzero, bool."},
    {"logical_xor", FD_LOGICAL_XOR, "Exactly one nonzero, bool."},
};

constexpr CompareName kPredicates[] = {
    {"logical_not", FD_LOGICAL_NOT, "Whether an element is zero."},
    {"isnan", FD_ISNAN, "Whether an element is NaN."},
    {"isinf", FD_ISINF, "Whether an element is infinite."},
    {"isfinite", FD_ISFINITE, "Whether an element is neither NaN nor infinite."},
};

Tensor isclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
  check<ValueError>(rtol >= 0 && atol >= 0, "isclose: rtol and atol must not be negative");
  const GradMode off(false);
  if (a.dtype() == DType::boolean && b.dtype() == DType::boolean) return ops::compare(FD_EQ, a, b);
  const Tensor bound = ops::add(ops::mul(ops::unary(FD_ABS, b), rtol), atol);
  const Tensor near = ops::compare(FD_LE, ops::unary(FD_ABS, ops::sub(a, b)), bound);
  Tensor close = ops::compare(FD_LOGICAL_OR, ops::compare(FD_EQ, a, b),
                              ops::compare(FD_LOGICAL_AND, near, ops::predicate(FD_ISFINITE, b)));
  if (!equal_nan) return close;
  return ops::compare(FD_LOGICAL_OR, close,
                      ops::compare(FD_LOGICAL_AND, ops::predicate(FD_ISNAN, a), ops::predicate(FD_ISNAN, b)));
}

bool all(const Tensor& t) { return ops::first_element<uint8_t>(ops::reduce(FD_REDUCE_ALL, t, {}, false)) != 0; }

void bind_compare(nb::module_& m) {
  for (const CompareName& row : kCompare) {
    const fd_compare_op op = row.op;
    m.def(
        row.name, [op](const OperandArg& a, const OperandArg& b) { return ops::compare(op, a, b); }, "input"_a,
        "other"_a, row.doc);
    method(row.name, [op](const Tensor& a, const OperandArg& b) { return ops::compare(op, a, b); }, "other"_a, row.doc);
    const std::string in_place = std::string(row.name) + "_";
    method(
        in_place.c_str(),
        [op](const Tensor& self, const OperandArg& b) { return ops::copy_(self, ops::compare(op, self, b)); },
        "other"_a, "In place: 1 or 0 in this tensor's dtype.");
  }
  for (const CompareName& row : kPredicates) {
    const fd_compare_op op = row.op;
    function_and_method(m, row.name, [op](const Tensor& x) { return ops::predicate(op, x); }, row.doc);
  }
  method(
      "logical_not_", [](const Tensor& self) { return ops::copy_(self, ops::predicate(FD_LOGICAL_NOT, self)); },
      "In place: 1 or 0 in this tensor's dtype.");
  function_and_method(m, "isclose", isclose, "other"_a, "rtol"_a = 1e-5, "atol"_a = 1e-8, "equal_nan"_a = false,
                      "|input - other| <= atol + rtol * |other|, elementwise.");
  function_and_method(
      m, "allclose",
      [](const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
        return all(isclose(a, b, rtol, atol, equal_nan));
      },
      "other"_a, "rtol"_a = 1e-5, "atol"_a = 1e-8, "equal_nan"_a = false, "Whether all elements are close.");
  function_and_method(
      m, "equal",
      [](const Tensor& a, const Tensor& b) { return a.shape() == b.shape() && all(ops::compare(FD_EQ, a, b)); },
      "other"_a, "Whether both have the same shape and elements.");
}

// ---------------------------------------------------------------------------------------------- the rest

Tensor clamp(const Tensor& x, const std::optional<OperandArg>& lo, const std::optional<OperandArg>& hi) {
  check<ValueError>(lo || hi, "clamp: give min, max or both");
  const bool numbers = (!lo || !lo->tensor.defined()) && (!hi || !hi->tensor.defined());
  constexpr double inf = std::numeric_limits<double>::infinity();
  const bool keeps_type = is_floating(x.dtype()) || ((!lo || lo->scalar.kind != ScalarKind::floating) &&
                                                     (!hi || hi->scalar.kind != ScalarKind::floating));
  if (numbers && keeps_type) {
    const double p[3] = {lo ? lo->scalar.to_double() : -inf, hi ? hi->scalar.to_double() : inf, 0};
    return ops::unary(FD_CLAMP, x, p);
  }
  Tensor out = x;
  if (lo) out = ops::binary(FD_MAXIMUM, out, *lo);
  if (hi) out = ops::binary(FD_MINIMUM, out, *hi);
  return out;
}

void bind_composed(nb::module_& m) {
  for (const char* name : {"clamp", "clip"}) {
    function_and_method(m, name, clamp, "min"_a = nb::none(), "max"_a = nb::none(),
                        "input limited to [min, max]; either may be None, a number or a tensor.");
    method((std::string(name) + "_").c_str(),
           [](const Tensor& x, const std::optional<OperandArg>& lo, const std::optional<OperandArg>& hi) {
             return ops::copy_(x, clamp(ops::old_value(x), lo, hi));
           },
           "min"_a = nb::none(), "max"_a = nb::none(), "In place.");
  }
  m.def(
      "where", [](const Tensor& c, const OperandArg& a, const OperandArg& b) { return ops::where(c, a, b); },
      "condition"_a, "input"_a, "other"_a, "input where condition (bool) holds, else other; all broadcast.");
  method(
      "where", [](const Tensor& a, const Tensor& c, const OperandArg& b) { return ops::where(c, a, b); }, "condition"_a,
      "other"_a, "self where condition (bool) holds, else other.");
  const auto lerp = [](const Tensor& a, const Tensor& b, const OperandArg& w) {
    return ops::add(a, ops::mul(ops::sub(b, a), w));
  };
  function_and_method(m, "lerp", lerp, "end"_a, "weight"_a, "input + weight * (end - input).");
  method(
      "lerp_",
      [lerp](const Tensor& a, const Tensor& b, const OperandArg& w) {
        return ops::copy_(a, lerp(ops::old_value(a), b, w));
      },
      "end"_a, "weight"_a, "In place.");
  const auto addcmul = [](const Tensor& t, const Tensor& a, const Tensor& b, Scalar value) {
    return ops::add(t, ops::mul(ops::mul(a, b), value));
  };
  const auto addcdiv = [](const Tensor& t, const Tensor& a, const Tensor& b, Scalar value) {
    return ops::add(t, ops::mul(ops::div(a, b), value));
  };
  function_and_method(m, "addcmul", addcmul, "tensor1"_a, "tensor2"_a, nb::kw_only(), "value"_a = 1,
                      "input + value * tensor1 * tensor2.");
  function_and_method(m, "addcdiv", addcdiv, "tensor1"_a, "tensor2"_a, nb::kw_only(), "value"_a = 1,
                      "input + value * tensor1 / tensor2.");
  method(
      "addcmul_",
      [](const Tensor& t, const Tensor& a, const Tensor& b, Scalar value) {
        return ops::binary_(FD_ADD, t, ops::mul(ops::mul(a, b), value));
      },
      "tensor1"_a, "tensor2"_a, nb::kw_only(), "value"_a = 1, "In place.");
  method(
      "addcdiv_",
      [](const Tensor& t, const Tensor& a, const Tensor& b, Scalar value) {
        return ops::binary_(FD_ADD, t, ops::mul(ops::div(a, b), value));
      },
      "tensor1"_a, "tensor2"_a, nb::kw_only(), "value"_a = 1, "In place.");
  m.def(
      "result_type", [](const OperandArg& a, const OperandArg& b) { return ops::result_type(a, b); }, "tensor1"_a,
      "tensor2"_a, "The dtype of an operation on both.");
  m.def(
      "promote_types", [](DType a, DType b) { return promote(a, b); }, "type1"_a, "type2"_a,
      "The dtype of an operation on tensors of both dtypes.");
}

}  // namespace

void bind_elementwise(nb::module_& m) {
  bind_unary(m);
  bind_activations(m);
  bind_binary(m);
  bind_compare(m);
  bind_composed(m);
}

}  // namespace fd::bindings
