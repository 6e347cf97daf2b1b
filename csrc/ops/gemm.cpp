// Matrix products. C = A B: dA = dC B^T, dB = A^T dC. Transposed operands are read in place, never copied.
#include "ops/ops.h"

#include <atomic>

namespace fd::ops {

namespace {

std::atomic<bool> tf32_allowed{false};

// Whether the device multiplies this dtype itself; else halves are multiplied as float32.
bool multiplies(DType dtype, Device device) {
  return !is_half(dtype) || kernels(device).gemm.gemm[index(dtype)] != nullptr;
}

// How the gemm kernel reads a matrix: in place if rows or columns are contiguous, else from a copy.
struct Matrix {
  Tensor keep;
  const void* data;
  int64_t ld;
  int32_t trans;

  Matrix(const Tensor& t, int row_dim) {
    const int r = row_dim, c = row_dim + 1;
    if (!set(t, t.size(r), t.size(c), t.stride(r), t.stride(c))) {
      keep = clone(detach(t));
      set(keep, t.size(r), t.size(c), keep.stride(r), keep.stride(c));
    } else {
      keep = t;
    }
    data = keep.data();
  }

 private:
  bool set(const Tensor&, int64_t rows, int64_t cols, int64_t row_step, int64_t col_step) {
    const bool cols_in_order = col_step == 1 || cols <= 1, rows_in_order = row_step == 1 || rows <= 1;
    if (cols_in_order && (row_step >= cols || rows <= 1)) {
      ld = std::max(row_step, std::max<int64_t>(cols, 1));
      trans = 0;
      return true;
    }
    if (rows_in_order && (col_step >= rows || cols <= 1)) {
      ld = std::max(col_step, std::max<int64_t>(rows, 1));
      trans = 1;
      return true;
    }
    return false;
  }
};

void check_gemm_types(const char* op, const Tensor& a, const Tensor& b) {
  check_same_device(op, a, b);
  check<DTypeError>(a.dtype() == b.dtype(), op, ": dtypes differ: ", a.dtype(), " and ", b.dtype(),
                    "; convert one of them with .to()");
}

// C [m, n] = A B (+ bias), act applied; all 2-d, floating.
void gemm_into(const char* op, const Tensor& c, const Tensor& a, const Tensor& b, const Tensor& bias,
               fd_activation activation) {
  const Matrix ma(a, 0), mb(b, 0);
  fd_gemm args = {};
  args.m = a.size(0);
  args.n = b.size(1);
  args.k = a.size(1);
  args.batch = 1;
  args.a = ma.data;
  args.b = mb.data;
  args.c = c.data();
  args.lda = ma.ld;
  args.ldb = mb.ld;
  args.ldc = args.n;
  args.trans_a = ma.trans;
  args.trans_b = mb.trans;
  args.activation = activation;
  args.bias = bias.defined() ? bias.data() : nullptr;
  args.tf32 = allow_tf32();
  // 2 m n k operations at some 10^11 a second, as bytes at some 10^10.
  run(op, find(kernels(c.device()).gemm.gemm[index(c.dtype())], op, c.dtype(), c.device()), args, c.device(),
      args.m * args.n * args.k / 4);
}

Tensor product(const char* op, const Tensor& a, const Tensor& b) {
  Tensor c = empty({a.size(0), b.size(1)}, a.dtype(), a.device());
  gemm_into(op, c, a, b, {}, FD_ACT_NONE);
  return c;
}

// Integers have no gemm kernel: products by broadcasting, summed.
Tensor integer_matmul(const Tensor& a, const Tensor& b) {
  const Tensor products = mul(unsqueeze(a, -1), unsqueeze(b, -3));
  return to(sum(products, {-2}), a.dtype());
}

Tensor transposed(const Tensor& t) { return transpose(t, -2, -1); }

class MmBackward final : public Node {
 public:
  MmBackward(const Tensor& a, const Tensor& b) : Node(2) {
    connect(this, 0, a);
    connect(this, 1, b);
    if (wants(0)) b_ = Saved(b);
    if (wants(1)) a_ = Saved(a);
  }
  const char* name() const override { return "MmBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    if (wants(0)) grad_in[0] = mm(grad_out[0], transposed(b_.get(this)));
    if (wants(1)) grad_in[1] = mm(transposed(a_.get(this)), grad_out[0]);
  }
  void release() override {
    a_.release();
    b_.release();
  }

 private:
  Saved a_, b_;
};

class BmmBackward final : public Node {
 public:
  BmmBackward(const Tensor& a, const Tensor& b) : Node(2) {
    connect(this, 0, a);
    connect(this, 1, b);
    if (wants(0)) b_ = Saved(b);
    if (wants(1)) a_ = Saved(a);
  }
  const char* name() const override { return "BmmBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    if (wants(0)) grad_in[0] = bmm(grad_out[0], transposed(b_.get(this)));
    if (wants(1)) grad_in[1] = bmm(transposed(a_.get(this)), grad_out[0]);
  }
  void release() override {
    a_.release();
    b_.release();
  }

 private:
  Saved a_, b_;
};

class DotBackward final : public Node {
 public:
  DotBackward(const Tensor& a, const Tensor& b) : Node(2) {
    connect(this, 0, a);
    connect(this, 1, b);
    if (wants(0)) b_ = Saved(b);
    if (wants(1)) a_ = Saved(a);
  }
  const char* name() const override { return "DotBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    if (wants(0)) grad_in[0] = mul(grad_out[0], b_.get(this));
    if (wants(1)) grad_in[1] = mul(grad_out[0], a_.get(this));
  }
  void release() override {
    a_.release();
    b_.release();
  }

 private:
  Saved a_, b_;
};

class MvBackward final : public Node {
 public:
  MvBackward(const Tensor& a, const Tensor& x) : Node(2) {
    connect(this, 0, a);
    connect(this, 1, x);
    if (wants(0)) x_ = Saved(x);
    if (wants(1)) a_ = Saved(a);
  }
  const char* name() const override { return "MvBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    if (wants(0)) grad_in[0] = mul(unsqueeze(grad_out[0], 1), x_.get(this));
    if (wants(1)) grad_in[1] = mv(transposed(a_.get(this)), grad_out[0]);
  }
  void release() override {
    a_.release();
    x_.release();
  }

 private:
  Saved a_, x_;
};

}  // namespace

bool allow_tf32() { return tf32_allowed.load(std::memory_order_relaxed); }
void set_allow_tf32(bool allowed) { tf32_allowed.store(allowed, std::memory_order_relaxed); }

Tensor mm(const Tensor& a, const Tensor& b) {
  check_gemm_types("mm", a, b);
  check<ShapeError>(a.dim() == 2 && b.dim() == 2, "mm: expected two matrices, got shapes ", a.shape(), " and ",
                    b.shape());
  check<ShapeError>(a.size(1) == b.size(0), "mm: shapes ", a.shape(), " and ", b.shape(),
                    " do not multiply: ", a.size(1), " columns against ", b.size(0), " rows");
  if (!multiplies(a.dtype(), a.device())) return to(mm(to(a, DType::float32), to(b, DType::float32)), a.dtype());
  if (is_integral(a.dtype())) return integer_matmul(a, b);
  const bool record = needs_grad(a, b);
  Tensor c = product("mm", a, b);
  if (record) set_history(c, Ref<Node>(new MmBackward(a, b)));
  return c;
}

Tensor bmm(const Tensor& a, const Tensor& b) {
  check_gemm_types("bmm", a, b);
  check<ShapeError>(a.dim() == 3 && b.dim() == 3 && a.size(0) == b.size(0) && a.size(2) == b.size(1), "bmm: shapes ",
                    a.shape(), " and ", b.shape(), " do not multiply; expected (b, n, m) and (b, m, p)");
  if (!multiplies(a.dtype(), a.device())) return to(bmm(to(a, DType::float32), to(b, DType::float32)), a.dtype());
  if (is_integral(a.dtype())) return integer_matmul(a, b);
  const bool record = needs_grad(a, b);
  Tensor c = empty({a.size(0), a.size(1), b.size(2)}, a.dtype(), a.device());
  const Matrix ma(a, 1), mb(b, 1);
  fd_gemm args = {};
  args.m = a.size(1);
  args.n = b.size(2);
  args.k = a.size(2);
  args.batch = a.size(0);
  args.a = ma.data;
  args.b = mb.data;
  args.c = c.data();
  args.lda = ma.ld;
  args.ldb = mb.ld;
  args.ldc = args.n;
  args.batch_a = ma.keep.stride(0);
  args.batch_b = mb.keep.stride(0);
  args.batch_c = args.m * args.n;
  args.trans_a = ma.trans;
  args.trans_b = mb.trans;
  args.tf32 = allow_tf32();
  run("bmm", find(kernels(c.device()).gemm.gemm[index(c.dtype())], "bmm", c.dtype(), c.device()), args, c.device(),
      args.batch * args.m * args.n * args.k / 4);
  if (record) set_history(c, Ref<Node>(new BmmBackward(a, b)));
  return c;
}

Tensor mv(const Tensor& a, const Tensor& x) {
  check_gemm_types("mv", a, x);
  check<ShapeError>(a.dim() == 2 && x.dim() == 1 && a.size(1) == x.size(0), "mv: shapes ", a.shape(), " and ",
                    x.shape(), " do not multiply; expected (n, m) and (m,)");
  if (!multiplies(a.dtype(), a.device())) return to(mv(to(a, DType::float32), to(x, DType::float32)), a.dtype());
  if (is_integral(a.dtype())) return to(sum(mul(a, x), {1}), a.dtype());
  const bool record = needs_grad(a, x);
  Tensor y = empty({a.size(0)}, a.dtype(), a.device());
  gemm_into("mv", alias(y, {a.size(0), 1}, {1, 1}, 0), detach(a),
            alias(x, {x.size(0), 1}, {x.stride(0), 1}, x->storage_offset()), {}, FD_ACT_NONE);
  if (record) set_history(y, Ref<Node>(new MvBackward(a, x)));
  return y;
}

Tensor dot(const Tensor& a, const Tensor& b) {
  check_gemm_types("dot", a, b);
  check<ShapeError>(a.dim() == 1 && b.dim() == 1 && a.size(0) == b.size(0),
                    "dot: expected two vectors of one length, got shapes ", a.shape(), " and ", b.shape());
  if (!multiplies(a.dtype(), a.device())) return to(dot(to(a, DType::float32), to(b, DType::float32)), a.dtype());
  if (is_integral(a.dtype())) return to(sum(mul(a, b)), a.dtype());
  const bool record = needs_grad(a, b);
  Tensor y = empty({}, a.dtype(), a.device());
  const Tensor row = contiguous(detach(a)), column = contiguous(detach(b));
  gemm_into("dot", y, alias(row, {1, a.size(0)}, {a.size(0), 1}, row->storage_offset()),
            alias(column, {b.size(0), 1}, {1, 1}, column->storage_offset()), {}, FD_ACT_NONE);
  if (record) set_history(y, Ref<Node>(new DotBackward(a, b)));
  return y;
}

namespace {

Shape batch_of(const Tensor& t) { return Shape(t.shape().begin(), t.dim() - 2); }

Tensor with_batch(const Tensor& t, const Shape& batch) {
  Shape whole = batch;
  whole.push_back(t.size(-2 + t.dim()));
  whole.push_back(t.size(-1 + t.dim()));
  const Tensor e = batch_of(t) == batch ? t : expand(t, whole);
  return reshape(e, {numel(batch), t.size(t.dim() - 2), t.size(t.dim() - 1)});
}

Tensor batched_matmul(const Tensor& a, const Tensor& b) {
  const Shape batch = broadcast("matmul", batch_of(a), batch_of(b));
  Shape out = batch;
  out.push_back(a.size(a.dim() - 2));
  out.push_back(b.size(b.dim() - 1));
  return reshape(bmm(with_batch(a, batch), with_batch(b, batch)), out);
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  check<ShapeError>(a.dim() > 0 && b.dim() > 0, "matmul: both tensors need at least one dimension, got shapes ",
                    a.shape(), " and ", b.shape());
  check_gemm_types("matmul", a, b);
  const int64_t inner_a = a.shape().back(), inner_b = b.size(std::max(b.dim() - 2, 0));
  check<ShapeError>(inner_a == inner_b, "matmul: shapes ", a.shape(), " and ", b.shape(),
                    " do not multiply: inner sizes ", inner_a, " and ", inner_b);
  if (a.dim() == 1 && b.dim() == 1) return dot(a, b);
  if (a.dim() == 2 && b.dim() == 2) return mm(a, b);
  if (a.dim() == 2 && b.dim() == 1) return mv(a, b);
  if (a.dim() == 1) return squeeze(matmul(unsqueeze(a, 0), b), Dims{-2});
  if (b.dim() == 1) return squeeze(matmul(a, unsqueeze(b, 1)), Dims{-1});
  if (b.dim() == 2) {  // one product of all rows
    Shape out = a.shape();
    out[a.dim() - 1] = b.size(1);
    return reshape(mm(reshape(a, {a.numel() / std::max<int64_t>(inner_a, 1), inner_a}), b), out);
  }
  return batched_matmul(a, b);
}

// ---------------------------------------------------------------------------------------------- linear

namespace {

fd_binary_op activation_grad(fd_activation a) {
  return a == FD_ACT_RELU ? FD_RELU_GRAD : a == FD_ACT_SIGMOID ? FD_SIGMOID_GRAD : FD_TANH_GRAD;
}

// Recorded form of the activation's derivative at its output.
Tensor through_activation(fd_activation a, const Tensor& g, const Tensor& y) {
  switch (a) {
    case FD_ACT_RELU:
      return where(compare(FD_LE, y, 0), 0.0, g);
    case FD_ACT_SIGMOID:
      return mul(g, mul(y, sub(1, y)));
    case FD_ACT_TANH:
      return mul(g, sub(1, unary(FD_SQUARE, y)));
    default:
      return g;
  }
}

// y = act(x W^T + b), all 2-d: with g' = g act'(y), dx = g' W, dW = g'^T x, db = sum of g' over rows.
class LinearBackward final : public Node {
 public:
  LinearBackward(const Tensor& x, const Tensor& weight, const Tensor& bias, fd_activation activation)
      : Node(3), activation_(activation), has_bias_(bias.defined()), shape_(x.shape()) {
    connect(this, 0, x);
    connect(this, 1, weight);
    connect(this, 2, bias);
    if (wants(0)) weight_ = Saved(weight);
    if (wants(1)) x_ = Saved(x);
  }
  const char* name() const override {  // of the last of the steps it stands for
    constexpr const char* activated[] = {"", "ReluBackward0", "SigmoidBackward0", "TanhBackward0"};
    return activation_ != FD_ACT_NONE ? activated[activation_] : has_bias_ ? "AddmmBackward0" : "MmBackward0";
  }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor g = rows(activated(grad_out[0]));
    if (wants(0)) grad_in[0] = reshape(mm(g, weight_.get(this)), shape_);
    if (wants(1)) grad_in[1] = mm(transposed(g), rows(x_.get(this)));
    if (wants(2)) grad_in[2] = sum(g, {0});
  }
  void release() override {
    x_.release();
    weight_.release();
    output.release();
  }
  Saved output;

 private:
  Tensor activated(const Tensor& g) {
    if (activation_ == FD_ACT_NONE) return g;
    const Tensor y = output.get(this);
    if (grad_enabled() || is_half(y.dtype())) return through_activation(activation_, g, y);
    Tensor out = empty(y.shape(), y.dtype(), y.device());
    const Operand operands[] = {g, y};
    run_elementwise(name(), kernels(y.device()).elementwise.binary[activation_grad(activation_)], out, operands, 2);
    return out;
  }
  static Tensor rows(const Tensor& t) {
    if (t.dim() == 2) return t;
    const int64_t width = t.shape().back();
    return reshape(t, {t.numel() / std::max<int64_t>(width, 1), width});
  }
  fd_activation activation_;
  bool has_bias_;
  Shape shape_;
  Saved x_, weight_;
};

void check_linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_gemm_types("linear", x, weight);
  check<ShapeError>(weight.dim() == 2, "linear: weight must have shape (out_features, in_features), got ",
                    weight.shape());
  check<ShapeError>(x.dim() >= 1 && x.shape().back() == weight.size(1), "linear: input of shape ", x.shape(),
                    " against weight of shape ", weight.shape(), ": expected ", weight.size(1), " input features");
  if (!bias.defined()) return;
  check_gemm_types("linear", x, bias);
  check<ShapeError>(bias.dim() == 1 && bias.size(0) == weight.size(0), "linear: bias of shape ", bias.shape(), " for ",
                    weight.size(0), " output features");
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, fd_activation activation) {
  check_linear(x, weight, bias);
  if (!multiplies(x.dtype(), x.device())) {
    const Tensor b = bias.defined() ? to(bias, DType::float32) : bias;
    return to(linear(to(x, DType::float32), to(weight, DType::float32), b, activation), x.dtype());
  }
  check<DTypeError>(is_floating(x.dtype()), "linear: expected floating tensors, got ", x.dtype());
  const bool record = needs_grad(x, weight, bias);
  const int64_t width = weight.size(1), outputs = weight.size(0);
  Shape shape = x.shape();
  shape[x.dim() - 1] = outputs;
  const Tensor in = x.dim() == 2 ? x : reshape(detach(x), {x.numel() / std::max<int64_t>(width, 1), width});
  const Tensor b = bias.defined() ? contiguous(detach(bias)) : bias;
  Tensor y = empty(shape, x.dtype(), x.device());
  gemm_into("linear", alias(y, {in.size(0), outputs}, {outputs, 1}, 0), in,
            alias(weight, {width, outputs}, {weight.stride(1), weight.stride(0)}, weight->storage_offset()), b,
            activation);
  if (record) {
    auto* node = new LinearBackward(x, weight, bias, activation);
    Ref<Node> owned(node);
    if (activation != FD_ACT_NONE) node->output = Saved::output(y);
    set_history(y, std::move(owned));
  }
  return y;
}

}  // namespace fd::ops
