// Elementwise functions of two operands with broadcasting and type promotion: y = f(a, b). One row an op.
#include <cmath>
#include <limits>

#include "ops/ops.h"
#include "ops/remote.h"

namespace fd::ops {

namespace {

using T = const Tensor&;
using O = const Operand&;

// Gradient with respect to one operand, in the broadcast shape; y is defined if the row keeps it.
using GradFn = Tensor (*)(T g, O a, O b, T y);

// What a gradient reads; only that is kept.
enum : uint8_t { kNothing = 0, kA = 1, kB = 2, kY = 4 };

struct Row {
  const char* name;
  const char* node;
  uint8_t reads_a, reads_b;  // what grad_a and grad_b read
  GradFn grad_a, grad_b;     // nullptr: this operand has no gradient (zero almost everywhere, or integers only)
  // the node's name where the first operand is a number, and where both are tensors, if it is another
  const char* after_number = nullptr;
  const char* of_tensors = nullptr;
};

Tensor share(const Operand& o, fd_compare_op op, const Operand& other, T g) {
  // 1 where o wins, 1/2 where both are equal.
  const Tensor wins = to(compare(op, o, other), g.dtype()), ties = to(compare(FD_EQ, o, other), g.dtype());
  return mul(g, add(wins, mul(ties, 0.5)));
}

Tensor pass(T g, O, O, T) { return g; }
Tensor negative(T g, O, O, T) { return neg(g); }
Tensor mul_a(T g, O, O b, T) { return mul(g, b); }
Tensor mul_b(T g, O a, O, T) { return mul(g, a); }
Tensor div_a(T g, O, O b, T) { return div(g, b); }
Tensor div_b(T g, O a, O b, T) { return neg(mul(g, div(div(a, b), b))); }
Tensor remainder_b(T g, O a, O b, T) { return neg(mul(g, binary(FD_FLOOR_DIV, a, b))); }
Tensor fmod_b(T g, O a, O b, T) { return neg(mul(g, unary(FD_TRUNC, div(a, b)))); }
// d a^b = b a^(b-1); 0 where b = 0, also at a = 0.
Tensor pow_a(T g, O a, O b, T) {
  if (!b.is_tensor()) {
    const double n = b.scalar.to_double();
    if (n == 0) return zeros(g.shape(), g.dtype(), g.device());
    if (n == 1) return g;
    return mul(g, n == 2 ? mul(a, 2) : mul(pow(a, n - 1), n));
  }
  const Tensor slope = mul(b, pow(a, sub(b, 1)));
  return mul(g, where(compare(FD_EQ, b, 0), 0.0, slope));
}
// d a^b = a^b log a; 0 where a = 0 and b >= 0.
Tensor pow_b(T g, O a, O b, T y) {
  if (!a.is_tensor()) {
    const double base = a.scalar.to_double();
    if (base == 0) return mul(g, where(compare(FD_GE, b, 0), 0.0, mul(y, std::log(base))));
    return mul(g, mul(y, std::log(base)));
  }
  const Tensor log_a = unary(FD_LOG, *a.tensor);
  const Tensor zero_base = compare(FD_LOGICAL_AND, compare(FD_EQ, a, 0), compare(FD_GE, b, 0));
  return mul(g, where(zero_base, 0.0, mul(y, log_a)));
}
Tensor maximum_a(T g, O a, O b, T) { return share(a, FD_GT, b, g); }
Tensor maximum_b(T g, O a, O b, T) { return share(b, FD_GT, a, g); }
Tensor minimum_a(T g, O a, O b, T) { return share(a, FD_LT, b, g); }
Tensor minimum_b(T g, O a, O b, T) { return share(b, FD_LT, a, g); }
// |(a, b)|^2, infinite at the origin: the angle has no slope there, and 0 stands for it.
Tensor norm2(O a, O b) {
  const Tensor n = add(mul(a, a), mul(b, b));
  return where(compare(FD_EQ, n, 0), std::numeric_limits<double>::infinity(), n);
}
Tensor atan2_a(T g, O a, O b, T) { return mul(g, div(b, norm2(a, b))); }
Tensor atan2_b(T g, O a, O b, T) { return neg(mul(g, div(a, norm2(a, b)))); }
Tensor copysign_a(T g, O a, O, T y) {
  const Tensor ratio = div(y, a);  // +-1, NaN at 0
  return mul(g, where(compare(FD_EQ, a, 0), 0.0, ratio));
}
Tensor hypot_a(T g, O a, O, T y) { return mul(g, div(a, y)); }
Tensor hypot_b(T g, O, O b, T y) { return mul(g, div(b, y)); }

// Only public ops have rows; the *_GRAD kernels are used by unary.cpp directly.
const Row* row_of(fd_binary_op op) {
  static constexpr Row add_row = {"add", "AddBackward0", kNothing, kNothing, pass, pass};
  static constexpr Row sub_row = {"sub", "SubBackward0", kNothing, kNothing, pass, negative, "RsubBackward1"};
  static constexpr Row mul_row = {"mul", "MulBackward0", kB, kA, mul_a, mul_b};
  static constexpr Row div_row = {"div", "DivBackward0", kB, kA | kB, div_a, div_b, "MulBackward0"};
  static constexpr Row floor_div = {"floor_divide", "FloorDivideBackward0", kNothing, kNothing, nullptr, nullptr};
  static constexpr Row remainder = {"remainder", "RemainderBackward0", kNothing, kA | kB, pass, remainder_b};
  static constexpr Row fmod = {"fmod", "FmodBackward0", kNothing, kA | kB, pass, fmod_b};
  static constexpr Row pow_row = {"pow", "PowBackward0", kA | kB,        kA | kB | kY,
                                  pow_a, pow_b,          "PowBackward2", "PowBackward1"};
  static constexpr Row maximum = {"maximum", "MaximumBackward0", kA | kB, kA | kB, maximum_a, maximum_b};
  static constexpr Row minimum = {"minimum", "MinimumBackward0", kA | kB, kA | kB, minimum_a, minimum_b};
  static constexpr Row atan2 = {"atan2", "Atan2Backward0", kA | kB, kA | kB, atan2_a, atan2_b};
  static constexpr Row copysign = {"copysign", "CopysignBackward0", kA | kY, kNothing, copysign_a, nullptr};
  static constexpr Row hypot = {"hypot", "HypotBackward0", kA | kY, kB | kY, hypot_a, hypot_b};
  static constexpr Row bit_and = {"bitwise_and", "", kNothing, kNothing, nullptr, nullptr};
  static constexpr Row bit_or = {"bitwise_or", "", kNothing, kNothing, nullptr, nullptr};
  static constexpr Row bit_xor = {"bitwise_xor", "", kNothing, kNothing, nullptr, nullptr};
  static constexpr Row left = {"bitwise_left_shift", "", kNothing, kNothing, nullptr, nullptr};
  static constexpr Row right = {"bitwise_right_shift", "", kNothing, kNothing, nullptr, nullptr};
  switch (op) {
    case FD_ADD:
      return &add_row;
    case FD_SUB:
      return &sub_row;
    case FD_MUL:
      return &mul_row;
    case FD_DIV:
      return &div_row;
    case FD_FLOOR_DIV:
      return &floor_div;
    case FD_REMAINDER:
      return &remainder;
    case FD_FMOD:
      return &fmod;
    case FD_POW:
      return &pow_row;
    case FD_MAXIMUM:
      return &maximum;
    case FD_MINIMUM:
      return &minimum;
    case FD_ATAN2:
      return &atan2;
    case FD_COPYSIGN:
      return &copysign;
    case FD_HYPOT:
      return &hypot;
    case FD_BITWISE_AND:
      return &bit_and;
    case FD_BITWISE_OR:
      return &bit_or;
    case FD_BITWISE_XOR:
      return &bit_xor;
    case FD_SHIFT_LEFT:
      return &left;
    case FD_SHIFT_RIGHT:
      return &right;
    default:
      fail<DTypeError>("binary: not a public op");
  }
}

class BinaryBackward final : public Node {
 public:
  BinaryBackward(const Row& row, const Operand& a, const Operand& b, bool in_place) : Node(2), row_(row), a_(a), b_(b) {
    a_.link(this, 0, a);
    b_.link(this, 1, b);
    reads_ = (wants(0) ? row.reads_a : 0) | (wants(1) ? row.reads_b : 0);
    if (a.is_tensor() && (reads_ & kA)) a_.saved = Saved(in_place ? clone(*a.tensor) : *a.tensor);
    if (b.is_tensor() && (reads_ & kB)) b_.saved = Saved(*b.tensor);
  }
  const char* name() const override {
    const char* special = !a_.is_tensor ? row_.after_number : b_.is_tensor ? row_.of_tensors : nullptr;
    return special ? special : row_.node;
  }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    check<GradError>(!freed_, name(), ": backward through a graph that was freed; pass retain_graph=True");
    Tensor a, b, y;
    const Operand left = a_.get(this, reads_ & kA, a), right = b_.get(this, reads_ & kB, b);
    if (reads_ & kY) y = output_.get(this);
    if (wants(0)) grad_in[0] = gradient(row_.grad_a, grad_out[0], left, right, y, a_.shape);
    if (wants(1)) grad_in[1] = gradient(row_.grad_b, grad_out[0], left, right, y, b_.shape);
  }
  void release() override {
    a_.saved.release();
    b_.saved.release();
    output_.release();
    freed_ = reads_ != 0;
  }
  void keep_output(const Tensor& y) {
    if (reads_ & kY) output_ = Saved::output(y);
  }

 private:
  struct Side {
    Scalar scalar;
    Saved saved;
    Shape shape;
    bool is_tensor;
    explicit Side(const Operand& o) : scalar(o.scalar), is_tensor(o.is_tensor()) {}
    void link(Node* node, int i, const Operand& o) {
      if (!is_tensor) return;
      shape = o.tensor->shape();
      connect(node, i, *o.tensor);
    }
    Operand get(Node* node, bool wanted, Tensor& holder) const {
      if (!is_tensor || !wanted) return Operand(scalar);
      holder = saved.get(node);
      return Operand(holder);
    }
  };
  static Tensor gradient(GradFn f, T g, O a, O b, T y, const Shape& shape) {
    return f ? sum_to(f(g, a, b, y), shape) : zeros(shape, g.dtype(), g.device());
  }
  const Row& row_;
  Side a_, b_;
  Saved output_;
  uint8_t reads_ = 0;
  bool freed_ = false;  // even if all it read were numbers: going twice through a freed graph is a mistake
};

Shape shape_of(const char* op, const Operand& a, const Operand& b) {
  if (!a.is_tensor()) return b.tensor->shape();
  if (!b.is_tensor()) return a.tensor->shape();
  return broadcast(op, a.tensor->shape(), b.tensor->shape());
}

bool is_bool(const Operand& o) {
  return o.is_tensor() ? o.tensor->dtype() == DType::boolean : o.scalar.kind == ScalarKind::boolean;
}

// The dtype to compute in; division of integers is floating.
DType compute_type(fd_binary_op op, const Row& row, const Operand& a, const Operand& b) {
  DType d = result_type(a, b);
  const bool floating_only = op == FD_DIV || op == FD_ATAN2 || op == FD_COPYSIGN || op == FD_HYPOT;
  if (floating_only && is_integral(d)) d = default_dtype();
  if (op >= FD_BITWISE_AND) check<DTypeError>(is_integral(d), row.name, ": expected integer or bool tensors, got ", d);
  check<DTypeError>(op != FD_SUB || (!is_bool(a) && !is_bool(b)),
                    "sub: bool cannot be subtracted; use ^ or ~ for masks, or convert it with .int() or .float()");
  if (d == DType::boolean && (op == FD_FLOOR_DIV || op == FD_REMAINDER || op == FD_FMOD)) d = DType::int64;
  check<DTypeError>(op != FD_POW || d != DType::boolean || !b.is_tensor(),
                    "pow: bool has no power of bool; convert one with .int() or .float()");
  return d;
}

// Integer division by zero and negative integer powers have no value; the kernels leave them to us.
void check_integers(fd_binary_op op, const Row& row, const Operand& a, const Operand& b, DType d) {
  if (!is_integral(d) || (a.is_tensor() && a.tensor->numel() == 0)) return;
  const bool there = b.is_tensor() && on_gpu(*b.tensor);
  if (op == FD_FLOOR_DIV || op == FD_REMAINDER || op == FD_FMOD) {
    if (there) return report_zeros(row.name, *b.tensor);
    const bool zero = b.is_tensor() ? first_element<int64_t>(reduce(FD_REDUCE_COUNT_NONZERO, *b.tensor, {}, false)) !=
                                          b.tensor->numel()
                                    : b.scalar.to_int() == 0;
    check<ValueError>(!zero, row.name, ": integer division by zero");
  }
  if (op == FD_POW) {
    if (there) return report_outside(row.name, *b.tensor, 0, std::numeric_limits<int64_t>::max());
    const bool negative = b.is_tensor() ? first_element<bool>(reduce(FD_REDUCE_ANY, compare(FD_LT, b, 0), {}, false))
                                        : b.scalar.to_int() < 0;
    check<ValueError>(!negative, "pow: integers to negative integer powers are not allowed; use floating tensors");
  }
}

// Converts operands to dtype d; holders keep what was made alive.
Operand converted(const Operand& o, DType d, Tensor& holder) {
  if (!o.is_tensor() || o.tensor->dtype() == d) return o;
  holder = to(*o.tensor, d);
  return Operand(holder);
}

Tensor apply(fd_binary_op op, const Row& row, const Operand& a, const Operand& b, const Tensor* self) {
  static const Tensor undefined;
  const bool record = needs_grad(a.is_tensor() ? *a.tensor : undefined, b.is_tensor() ? *b.tensor : undefined);
  if (self) check_inplace(row.name, *self, record);
  Ref<Node> node;
  BinaryBackward* backward = nullptr;
  if (record) node = Ref<Node>(backward = new BinaryBackward(row, a, b, self != nullptr));
  const Tensor& like = a.is_tensor() ? *a.tensor : *b.tensor;
  Tensor out = self ? *self : empty(shape_of(row.name, a, b), like.dtype(), like.device());
  const Operand operands[] = {a, b};
  run_elementwise(row.name, kernels(out.device()).elementwise.binary[op], out, operands, 2);
  if (self) finish_inplace(row.name, *self, node);
  if (record) {
    backward->keep_output(out);
    if (!self) set_history(out, std::move(node));
  }
  return out;
}

}  // namespace

// x ** 2 has a kernel of its own.
static bool is_square(const Operand& exponent, DType d) {
  return !exponent.is_tensor() && exponent.scalar.to_double() == 2 &&
         (is_floating(d) || exponent.scalar.kind == ScalarKind::integer);
}

// A 0-dim operand on the CPU follows the other to its GPU.
static Tensor beside(const Operand& o, const Operand& other) {
  const bool moves = o.is_tensor() && other.is_tensor() && o.tensor->dim() == 0 &&
                     o.tensor->device().kind == DeviceKind::cpu && other.tensor->device().kind != DeviceKind::cpu;
  return moves ? to_device(*o.tensor, other.tensor->device()) : Tensor();
}

Tensor binary(fd_binary_op op, const Operand& a, const Operand& b) {
  const Row& row = *row_of(op);
  if (a.is_tensor() && b.is_tensor() && !(a.tensor->device() == b.tensor->device())) [[unlikely]] {
    if (const Tensor moved = beside(a, b); moved.defined()) return binary(op, moved, b);
    if (const Tensor moved = beside(b, a); moved.defined()) return binary(op, a, moved);
    check_same_device(row.name, *a.tensor, *b.tensor);
  }
  check<DTypeError>(a.is_tensor() || b.is_tensor(), row.name, ": expected at least one tensor, got two numbers");
  const DType d = compute_type(op, row, a, b);
  if (op == FD_POW && is_square(b, d) && a.is_tensor()) return unary(FD_SQUARE, *a.tensor);
  if (op == FD_POW && d == DType::boolean) return b.scalar.to_int() ? clone(*a.tensor) : full(a.tensor->shape(), 1, d);
  check_integers(op, row, a, b, d);
  if (is_half(d)) {
    Tensor ha, hb;
    return to(binary(op, converted(a, DType::float32, ha), converted(b, DType::float32, hb)), d);
  }
  Tensor ha, hb;
  return apply(op, row, converted(a, d, ha), converted(b, d, hb), nullptr);
}

Tensor binary_(fd_binary_op op, const Tensor& self, const Operand& b) {
  const Row& row = *row_of(op);
  if (b.is_tensor()) check_same_device(row.name, self, *b.tensor);
  const DType d = compute_type(op, row, self, b);
  check<DTypeError>(kind_of(d) <= kind_of(self.dtype()), row.name, "_: the result is ", d, " but the tensor is ",
                    self.dtype());
  if (b.is_tensor()) {
    const Shape shape = broadcast(row.name, self.shape(), b.tensor->shape());
    check<ShapeError>(shape == self.shape(), row.name, "_: the result has shape ", shape, " but the tensor has ",
                      self.shape());
  }
  const bool composed = is_half(d) || d == DType::boolean || d != self.dtype();
  if (composed) return copy_(self, binary(op, old_value(self), b));
  check_integers(op, row, self, b, d);
  Tensor hb;
  // Reading through another view of the memory being written would see half-written values.
  Operand right = converted(b, d, hb);
  if (right.is_tensor() && right.tensor->get() != self.get() && (*right.tensor)->storage == self->storage) {
    hb = clone(*right.tensor);
    right = Operand(hb);
  }
  return apply(op, row, self, right, &self);
}

namespace {

constexpr const char* kCompareNames[FD_COMPARE_COUNT] = {
    "eq",         "ne",          "lt",          "le",    "gt",    "ge",      "logical_and",
    "logical_or", "logical_xor", "logical_not", "isnan", "isinf", "isfinite"};

}  // namespace

Tensor compare(fd_compare_op op, const Operand& a, const Operand& b) {
  const char* name = kCompareNames[op];
  check<DTypeError>(a.is_tensor() || b.is_tensor(), name, ": expected at least one tensor, got two numbers");
  if (a.is_tensor() && b.is_tensor()) check_same_device(name, *a.tensor, *b.tensor);
  DType d = result_type(a, b);
  if (is_half(d)) d = DType::float32;
  Tensor ha, hb;
  const Operand operands[] = {converted(a, d, ha), converted(b, d, hb)};
  const Tensor& like = operands[0].is_tensor() ? *operands[0].tensor : *operands[1].tensor;
  Tensor out = empty(shape_of(name, operands[0], operands[1]), DType::boolean, like.device());
  run_elementwise(name, kernels(out.device()).elementwise.compare[op], out, operands, 2);
  return out;
}

Tensor predicate(fd_compare_op op, const Tensor& x) {
  const Tensor in = is_half(x.dtype()) ? to(detach(x), DType::float32) : x;
  Tensor out = empty(in.shape(), DType::boolean, in.device());
  const Operand operand[] = {in};
  run_elementwise(kCompareNames[op], kernels(in.device()).elementwise.compare[op], out, operand, 1);
  return out;
}

namespace {

class WhereBackward final : public Node {
 public:
  WhereBackward(const Tensor& condition, const Operand& a, const Operand& b) : Node(2), condition_(condition) {
    if (a.is_tensor()) {
      shape_a_ = a.tensor->shape();
      connect(this, 0, *a.tensor);
    }
    if (b.is_tensor()) {
      shape_b_ = b.tensor->shape();
      connect(this, 1, *b.tensor);
    }
  }
  const char* name() const override { return "WhereBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor c = condition_.get(this);
    if (wants(0)) grad_in[0] = sum_to(where(c, grad_out[0], 0.0), shape_a_);
    if (wants(1)) grad_in[1] = sum_to(where(c, 0.0, grad_out[0]), shape_b_);
  }
  void release() override { condition_.release(); }

 private:
  Saved condition_;
  Shape shape_a_, shape_b_;
};

}  // namespace

Tensor where(const Tensor& condition, const Operand& a, const Operand& b) {
  check<DTypeError>(condition.dtype() == DType::boolean, "where: condition must be bool, got ", condition.dtype());
  for (const Operand* o : {&a, &b}) {
    if (!o->is_tensor() || o->tensor->device() == condition.device()) continue;
    const Tensor moved = beside(*o, condition);
    if (moved.defined()) return o == &a ? where(condition, moved, b) : where(condition, a, moved);
    check_same_device("where", condition, *o->tensor);
  }
  const DType d = result_type(a, b);
  Tensor ha, hb;
  const Operand left = converted(a, d, ha), right = converted(b, d, hb);
  Shape shape = condition.shape();
  if (left.is_tensor()) shape = broadcast("where", shape, left.tensor->shape());
  if (right.is_tensor()) shape = broadcast("where", shape, right.tensor->shape());
  static const Tensor undefined;
  const bool record =
      needs_grad(left.is_tensor() ? *left.tensor : undefined, right.is_tensor() ? *right.tensor : undefined);
  Tensor out = empty(shape, d, condition.device());
  fd_elementwise args;
  const Tensor* tensors[3] = {&condition, left.tensor, right.tensor};
  args.scalar[1] = left.scalar.as(d);
  args.scalar[2] = right.scalar.as(d);
  lay_out(&args, out, tensors, 3);
  run("where", find(kernels(out.device()).elementwise.where[index(d)], "where", d, out.device()), args, out.device(),
      3 * bytes_of(out));
  if (record) set_history(out, Ref<Node>(new WhereBackward(condition, left, right)));
  return out;
}

}  // namespace fd::ops
