// Every unary, binary and comparison op in every layout, and the floating ones over their whole domain.
//
// Integers, comparisons and ops that only move, negate or round are exact. Arithmetic that IEEE 754 rounds correctly
// (+ - * / sqrt) is exact too. Everything else states how many units in the last place it may be off from a result
// computed in double (float32) or by the C library (float64), and, where the formula cancels, an absolute allowance in
// units of the dtype's epsilon.
#include "elementwise.h"

#include "families.h"

namespace fd::native {
namespace {

struct Rule {
  Tolerance::Kind kind = Tolerance::close;
  double ulps = 4, epsilons = 0;
  Specials specials = Specials::all;
};
constexpr Rule kExact{Tolerance::value, 0, 0, Specials::all};

Rule unary_rule(int op) {
  switch (op) {
    case FD_NEG:
    case FD_ABS:
      return {Tolerance::bits, 0, 0, Specials::all};
    case FD_SIGN:
    case FD_SQUARE:
    case FD_BITWISE_NOT:
    case FD_RECIPROCAL:
    case FD_SQRT:
    case FD_FLOOR:
    case FD_CEIL:
    case FD_ROUND:
    case FD_TRUNC:
    case FD_RELU:
    case FD_CLAMP:
      return kExact;
    case FD_LEAKY_RELU:
      return {Tolerance::close, 1};
    case FD_HARDSIGMOID:
    case FD_HARDSWISH:
      return {Tolerance::close, 2, 2};
    // x times a distribution function that tends to 0: what the limit at infinity is called is left open.
    case FD_GELU:
    case FD_GELU_TANH:
    case FD_SILU:
    case FD_MISH:
      return {Tolerance::close, 4, 4, Specials::finite};
    default:
      return {};
  }
}

Rule binary_rule(int op) {
  switch (op) {
    case FD_POW:
    case FD_ATAN2:
    case FD_HYPOT:
      return {};
    case FD_TANH_GRAD:
    case FD_SIGMOID_GRAD:
    case FD_LEAKY_RELU_GRAD:
    case FD_HARDSIGMOID_GRAD:
    case FD_HARDSWISH_GRAD:
      return {Tolerance::close, 2, 4, Specials::none};
    case FD_ELU_GRAD:
    case FD_SOFTPLUS_GRAD:
    case FD_LOGSIGMOID_GRAD:
    case FD_GELU_GRAD:
    case FD_GELU_TANH_GRAD:
    case FD_SILU_GRAD:
    case FD_MISH_GRAD:
      return {Tolerance::close, 8, 16, Specials::none};
    default:
      return kExact;
  }
}

struct Parameters {
  double value[3];
};

// The settings an op with parameters is tried with.
std::vector<Parameters> unary_parameters(int op) {
  switch (op) {
    case FD_SOFTPLUS:
      return {{{1, 20}}, {{2, 3}}};
    case FD_LEAKY_RELU:
      return {{{0.01}}};
    case FD_ELU:
      return {{{1, 1, 1}}, {{1.6732632423543772, 1.0507009873554805, 1}}};
    case FD_CLAMP:
      return {{{-1, 3}}, {{-HUGE_VAL, 2}}, {{0, HUGE_VAL}}};
    default:
      return {{{}}};
  }
}
std::vector<Parameters> binary_parameters(int op) {
  switch (op) {
    case FD_SOFTPLUS_GRAD:
      return unary_parameters(FD_SOFTPLUS);
    case FD_LEAKY_RELU_GRAD:
      return unary_parameters(FD_LEAKY_RELU);
    case FD_ELU_GRAD:
      return unary_parameters(FD_ELU);
    case FD_CLAMP_GRAD:
      return unary_parameters(FD_CLAMP);
    default:
      return {{{}}};
  }
}

template <class T>
Tolerance tolerance(const Rule& rule) {
  if (!is_floating<T>) return kBits;
  return {rule.kind, rule.ulps, rule.epsilons * epsilon<T>};
}

// Integers divide by positive numbers and raise to small powers: the rest is the caller's check.
template <class T>
Range second_range(int op) {
  if (!is_integer<T>) return {};
  switch (op) {
    case FD_FLOOR_DIV:
    case FD_REMAINDER:
    case FD_FMOD:
      return {1, 9, Specials::none};
    case FD_POW:
      return {0, 9, Specials::none};
    case FD_SHIFT_LEFT:
    case FD_SHIFT_RIGHT:
      return {0, 70, Specials::none};
    default:
      return {};
  }
}

// Bit patterns an odd stride apart: every exponent, both signs, NaNs and denormals.
template <class T>
void fill_whole_domain(T* p, int64_t n) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  const Bits step = std::numeric_limits<Bits>::max() / Bits(n) | 1;
  for (int64_t i = 0; i < n; i++) p[i] = std::bit_cast<T>(Bits(step * Bits(i)));
}

// The whole domain, and closely the part where results are neither trivial nor saturated.
template <class T>
void check_domain(const ElementwiseOp& op) {
  constexpr int64_t n = 10000;
  for (double width : {0.0, 1.0, 100.0}) {
    Case c(op.title, width ? text(n, " values within ", width) : text(n, " values of the whole domain"));
    fd_elementwise e = line_of(n);
    std::copy(op.param, op.param + 3, e.param);
    e.out = c.output<T>(n, op.tolerance);
    T* const in = c.input<T>(n);
    Random random(3);
    if (width)
      fill(in, n, random, {-width, width, Specials::none});
    else
      fill_whole_domain(in, n);
    for (int64_t i = 0; op.range[0].specials == Specials::finite && i < n; i++)
      if (std::isinf(in[i])) in[i] = 0;
    e.in[0] = in;
    c.check(op.reference, op.candidate, e);
  }
}

template <class T>
void test_unary(const Tables& t, const std::vector<Layout>& all, int op, const char* name, fd_dtype dtype) {
  fd_elementwise_fn* const candidate = t.candidate.elementwise.unary[op][dtype];
  ElementwiseOp run{text(t.isa, " elementwise ", name, " ", DType(dtype)),
                    t.reference.elementwise.unary[op][dtype],
                    candidate,
                    tolerance<T>(unary_rule(op)),
                    {}};
  if (!differs(t, candidate, t.below.elementwise.unary[op][dtype]) || !report().wanted(run.title)) return;
  run.range[0].specials = unary_rule(op).specials;
  for (const Parameters& p : unary_parameters(op)) {
    std::copy(p.value, p.value + 3, run.param);
    for (const Layout& layout : all) check_elementwise<T, T>(run, {dtype}, layout);
    if constexpr (is_floating<T>) check_domain<T>(run);
  }
}

template <class T>
void test_binary(const Tables& t, const std::vector<Layout>& all, int op, const char* name, fd_dtype dtype) {
  fd_elementwise_fn* const candidate = t.candidate.elementwise.binary[op][dtype];
  ElementwiseOp run{text(t.isa, " elementwise ", name, " ", DType(dtype)),
                    t.reference.elementwise.binary[op][dtype],
                    candidate,
                    tolerance<T>(binary_rule(op)),
                    {}};
  if (!differs(t, candidate, t.below.elementwise.binary[op][dtype]) || !report().wanted(run.title)) return;
  run.range[1] = second_range<T>(op);
  if (binary_rule(op).specials == Specials::none) run.range[0].specials = run.range[1].specials = Specials::none;
  for (const Parameters& p : binary_parameters(op)) {
    std::copy(p.value, p.value + 3, run.param);
    for (const Layout& layout : all) {
      // An operand written over must suit both places.
      const bool both = layout.in[0].same && layout.in[1].same;
      if (is_integer<T> && both && run.range[1].specials == Specials::none) continue;
      check_elementwise<T, T, T>(run, {dtype, dtype}, layout);
    }
  }
}

// Exponents that are taken as products and roots, over the whole domain.
template <class T>
void test_constant_powers(const Tables& t, fd_dtype dtype) {
  constexpr int64_t n = 10000;
  fd_elementwise_fn* const candidate = t.candidate.elementwise.binary[FD_POW][dtype];
  const std::string title = text(t.isa, " elementwise pow ", DType(dtype));
  if (!differs(t, candidate, t.below.elementwise.binary[FD_POW][dtype]) || !report().wanted(title)) return;
  for (double exponent : {2.0, 3.0, -1.0, 0.5, -0.5, 0.25}) {
    Case c(title, text("by ", exponent));
    fd_elementwise e = line_of(n);
    e.out = c.output<T>(n, tolerance<T>(binary_rule(FD_POW)));
    T* const in = c.input<T>(n);
    fill_whole_domain(in, n);
    const T special[] = {T(0), T(-0.0), T(HUGE_VAL), T(-HUGE_VAL), T(NAN), T(-1)};
    std::copy(std::begin(special), std::end(special), in);
    e.in[0] = in;
    e.scalar[1] = scalar_of(dtype, exponent);
    c.check(t.reference.elementwise.binary[FD_POW][dtype], candidate, e);
  }
}

template <class T>
void test_compare(const Tables& t, int op, const char* name, fd_dtype dtype) {
  fd_elementwise_fn* const candidate = t.candidate.elementwise.compare[op][dtype];
  const ElementwiseOp run{text(t.isa, " elementwise ", name, " ", DType(dtype)),
                          t.reference.elementwise.compare[op][dtype],
                          candidate,
                          kBits,
                          {{-3, 3}, {-3, 3}}};
  if (!differs(t, candidate, t.below.elementwise.compare[op][dtype]) || !report().wanted(run.title)) return;
  const int operands = op >= FD_LOGICAL_NOT ? 1 : 2;
  for (const Layout& layout : layouts(operands, is_bool<T>)) {
    if (operands == 1)
      check_elementwise<bool, T>(run, {dtype}, layout);
    else
      check_elementwise<bool, T, T>(run, {dtype, dtype}, layout);
  }
}

}  // namespace

void test_elementwise(const Tables& t) {
  const std::vector<Layout> one = layouts(1, true), two = layouts(2, true);
  for_each_dtype([&]<class T>(fd_dtype dtype) {
    if constexpr (!is_half<T>) {
#define FD_TEST(OP, name) test_unary<T>(t, one, FD_##OP, #name, dtype);
      FD_UNARY_OPS(FD_TEST)
#undef FD_TEST
#define FD_TEST(OP, name) test_binary<T>(t, two, FD_##OP, #name, dtype);
      FD_BINARY_OPS(FD_TEST)
#undef FD_TEST
      if constexpr (is_floating<T>) test_constant_powers<T>(t, dtype);
#define FD_TEST(OP, name) test_compare<T>(t, FD_##OP, #name, dtype);
      FD_COMPARE_OPS(FD_TEST)
#undef FD_TEST
    }
  });
}

}  // namespace fd::native
