// Reductions over any set of dims, and running ones along a dim. An empty list of dims means all of them.
#include <cmath>

#include "ops/autocast.h"
#include "ops/ops.h"

namespace fd::ops {

namespace {

struct Axes {
  uint32_t bits = 0;
  int64_t count = 1;  // elements reduced into one
  Shape kept;         // sizes with reduced dims as 1
  Dims list;          // the reduced dims
};

Axes axes_of(const char* op, const Tensor& x, const Dims& dims) {
  Axes a;
  for (int64_t d : dims) {
    const int i = normalize_dim(op, d, x.dim());
    check<ValueError>(!(a.bits >> i & 1), op, ": dim ", d, " is named twice");
    a.bits |= 1u << i;
  }
  if (dims.empty()) a.bits = ~0u;
  a.kept = x.shape();
  for (int i = 0; i < x.dim(); i++) {
    if (!(a.bits >> i & 1)) continue;
    a.count *= x.size(i);
    a.kept[i] = 1;
    a.list.push_back(i);
  }
  return a;
}

Shape without(const Shape& kept, uint32_t bits) {
  Shape out;
  for (int i = 0; i < kept.size(); i++)
    if (!(bits >> i & 1)) out.push_back(kept[i]);
  return out;
}

constexpr const char* kNames[FD_REDUCE_COUNT] = {"sum", "mean", "prod",          "max", "min",  "argmax", "argmin",
                                                 "any", "all",  "count_nonzero", "var", "norm", "norm",   "logsumexp"};
constexpr const char* kNodes[FD_REDUCE_COUNT] = {"SumBackward1",
                                                 "MeanBackward1",
                                                 "ProdBackward1",
                                                 "AmaxBackward0",
                                                 "AminBackward0",
                                                 "",
                                                 "",
                                                 "",
                                                 "",
                                                 "",
                                                 "VarBackward0",
                                                 "LinalgVectorNormBackward0",
                                                 "LinalgVectorNormBackward0",
                                                 "LogsumexpBackward0"};

DType result_dtype(fd_reduce_op op, DType d) {
  switch (op) {
    case FD_REDUCE_ARGMAX:
    case FD_REDUCE_ARGMIN:
    case FD_REDUCE_COUNT_NONZERO:
      return DType::int64;
    case FD_REDUCE_ANY:
    case FD_REDUCE_ALL:
      return DType::boolean;
    case FD_REDUCE_SUM:
    case FD_REDUCE_PROD:
      return is_integral(d) ? DType::int64 : d;
    default:
      return d;
  }
}

// Runs the kernel; out has the kept dims as they are and the reduced ones as 1 (or gone).
Tensor reduce_raw(fd_reduce_op op, const Tensor& x, const Axes& axes, const Shape& shape, double param,
                  Tensor* second) {
  Tensor out = empty(shape, result_dtype(op, x.dtype()), x.device());
  fd_reduce args;
  lay_out(&args, x, axes.bits);
  args.out = out.data();
  args.second = second ? second->data() : nullptr;
  args.param = param;
  run(kNames[op], find(kernels(x.device()).reduce.reduce[op][index(x.dtype())], kNames[op], x.dtype(), x.device()),
      args, x.device(), bytes_of(x));
  return out;
}

// prod without x[i] for every i, without dividing: zeros must not poison their neighbours' gradients.
Tensor prod_of_others(const Tensor& x, int64_t dim);

// g and y in the kept shape; broadcasting spreads them over x.
Tensor gradient(fd_reduce_op op, const Tensor& g, const Tensor& x, const Tensor& y, const Axes& axes, double param) {
  switch (op) {
    case FD_REDUCE_MAX:
    case FD_REDUCE_MIN: {
      const Tensor hit = to(compare(FD_EQ, x, y), g.dtype());
      return mul(hit, div(g, sum(hit, axes.list, true)));  // equals share
    }
    case FD_REDUCE_VAR:
      return mul(mul(g, 2.0 / (static_cast<double>(axes.count) - param)), sub(x, mean(x, axes.list, true)));
    case FD_REDUCE_NORM2: {
      const Tensor zero = compare(FD_EQ, y, 0);
      return mul(x, where(zero, 0.0, div(g, y)));
    }
    case FD_REDUCE_NORM1:
      return mul(g, unary(FD_SIGN, x));
    case FD_REDUCE_LOGSUMEXP:
      return mul(g, unary(FD_EXP, sub(x, y)));
    default:
      fail<GradError>(kNames[op], ": has no gradient");
  }
}

class ReduceBackward final : public Node {
 public:
  ReduceBackward(fd_reduce_op op, const Tensor& x, const Axes& axes, double param)
      : Node(1), op_(op), axes_(axes), shape_(x.shape()), param_(param) {
    connect(this, 0, x);
    if (op != FD_REDUCE_SUM && op != FD_REDUCE_MEAN) x_ = Saved(x);
  }
  const char* name() const override {
    if (axes_.bits != ~0u) return kNodes[op_];
    switch (op_) {
      case FD_REDUCE_SUM:
        return "SumBackward0";
      case FD_REDUCE_MEAN:
        return "MeanBackward0";
      case FD_REDUCE_PROD:
        return "ProdBackward0";
      case FD_REDUCE_MAX:
        return "MaxBackward1";
      case FD_REDUCE_MIN:
        return "MinBackward1";
      default:
        return kNodes[op_];
    }
  }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    Tensor g = reshape(grad_out[0], axes_.kept);
    if (op_ == FD_REDUCE_SUM || op_ == FD_REDUCE_MEAN) {
      if (op_ == FD_REDUCE_MEAN) g = mul(g, 1.0 / static_cast<double>(axes_.count));
      grad_in[0] = expand(g, shape_);
      return;
    }
    const Tensor x = x_.get(this);
    if (op_ == FD_REDUCE_PROD) {
      grad_in[0] = prod_gradient(g, x);
      return;
    }
    Tensor y;
    if (output.defined()) y = reshape(output.get(this), axes_.kept);
    grad_in[0] = gradient(op_, g, x, y, axes_, param_);
  }
  void release() override {
    x_.release();
    output.release();
  }
  Saved output;

 private:
  Tensor prod_gradient(const Tensor& g, const Tensor& x) {
    if (axes_.bits != ~0u && x.dim() > 0) {
      int dim = 0;
      while (!(axes_.bits >> dim & 1)) dim++;
      return mul(g, prod_of_others(x, dim));
    }
    const Tensor flat = reshape(x, {x.numel()});
    return mul(g, reshape(prod_of_others(flat, 0), x.shape()));
  }
  fd_reduce_op op_;
  Axes axes_;
  Shape shape_;
  double param_;
  Saved x_;
};

// Made of recorded ops, so that it can be differentiated again.
Tensor prod_of_others(const Tensor& x, int64_t dim) {
  const int64_t n = x.size(static_cast<int>(dim));
  if (n == 0) return x;
  // shifted(x)[i] = x[0] … x[i-1]
  const auto shifted = [&](const Tensor& in) {
    const Tensor running = scan(FD_SCAN_CUMPROD, narrow(in, dim, 0, n - 1), dim).values;
    Shape first = in.shape();
    first[static_cast<int>(dim)] = 1;
    return cat({full(first, 1, in.dtype(), in.device()), running}, dim);
  };
  return mul(shifted(x), flip(shifted(flip(x, {dim})), {dim}));
}

bool needs_elements(fd_reduce_op op) {
  return op == FD_REDUCE_MAX || op == FD_REDUCE_MIN || op == FD_REDUCE_ARGMAX || op == FD_REDUCE_ARGMIN;
}

bool floating_only(fd_reduce_op op) {
  return op == FD_REDUCE_MEAN || op == FD_REDUCE_VAR || op == FD_REDUCE_NORM1 || op == FD_REDUCE_NORM2 ||
         op == FD_REDUCE_LOGSUMEXP;
}

}  // namespace

Tensor reduce(fd_reduce_op op, const Tensor& x, const Dims& dims, bool keepdim, double param) {
  const char* name = kNames[op];
  if (is_half(x.dtype())) {
    const Tensor out = reduce(op, to(x, DType::float32), dims, keepdim, param);
    const bool picks = op == FD_REDUCE_MAX || op == FD_REDUCE_MIN;
    return is_floating(out.dtype()) ? to(out, picks ? x.dtype() : widened(x.dtype(), x.device())) : out;
  }
  if (floating_only(op) && op != FD_REDUCE_LOGSUMEXP)
    check<DTypeError>(is_floating(x.dtype()), name, ": expected a floating tensor, got ", x.dtype(),
                      "; convert it with .float()");
  if (op == FD_REDUCE_LOGSUMEXP && is_integral(x.dtype()))
    return reduce(op, to(x, default_dtype()), dims, keepdim, param);
  const Axes axes = axes_of(name, x, dims);
  if (needs_elements(op)) check<ShapeError>(axes.count > 0, name, ": no elements to choose from in shape ", x.shape());
  const bool record = needs_grad(x) && is_floating(result_dtype(op, x.dtype())) && op != FD_REDUCE_ARGMAX;
  const Shape shape = keepdim ? axes.kept : without(axes.kept, axes.bits);
  Tensor out = reduce_raw(op, x, axes, shape, param, nullptr);
  if (record) {
    auto* node = new ReduceBackward(op, x, axes, param);
    Ref<Node> owned(node);
    if (op == FD_REDUCE_MAX || op == FD_REDUCE_MIN || op == FD_REDUCE_NORM2 || op == FD_REDUCE_LOGSUMEXP)
      node->output = Saved::output(out);
    set_history(out, std::move(owned));
  }
  return out;
}

namespace {

// values = x gathered at indices along dim: the gradient goes back to those places.
class ChooseBackward final : public Node {
 public:
  ChooseBackward(const char* name, const Tensor& x, const Tensor& indices, int dim, bool keepdim)
      : Node(1), name_(name), indices_(indices), shape_(x.shape()), dim_(dim), keepdim_(keepdim) {
    connect(this, 0, x);
  }
  const char* name() const override { return name_; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor i = indices_.get(this), g = grad_out[0];
    grad_in[0] = spread(keepdim_ ? g : unsqueeze(g, dim_), keepdim_ ? i : unsqueeze(i, dim_));
  }
  void release() override { indices_.release(); }

 private:
  // g at the chosen positions, 0 elsewhere; made of recorded ops.
  Tensor spread(const Tensor& g, const Tensor& chosen) const {
    Shape along;
    for (int i = 0; i < shape_.size(); i++) along.push_back(i == dim_ ? shape_[i] : 1);
    const Tensor positions = reshape(arange(0, shape_[dim_], 1, DType::int64, g.device()), along);
    return where(compare(FD_EQ, positions, chosen), g, 0.0);
  }
  const char* name_;
  Saved indices_;
  Shape shape_;
  int dim_;
  bool keepdim_;
};

}  // namespace

ValueIndex extremum(fd_reduce_op arg_op, const Tensor& x, int64_t dim, bool keepdim) {
  const char* name = arg_op == FD_REDUCE_ARGMAX ? "max" : "min";
  if (is_half(x.dtype())) {
    ValueIndex r = extremum(arg_op, to(x, DType::float32), dim, keepdim);
    return {to(r.values, x.dtype()), r.indices};
  }
  const int d = normalize_dim(name, dim, x.dim());
  if (x.dim() == 0) return {clone(x), zeros({}, DType::int64, x.device())};
  const Axes axes = axes_of(name, x, {d});
  check<ShapeError>(axes.count > 0, name, ": dim ", dim, " of shape ", x.shape(), " is empty");
  const bool record = needs_grad(x);
  const Shape shape = keepdim ? axes.kept : without(axes.kept, axes.bits);
  Tensor values = empty(shape, x.dtype(), x.device());
  Tensor indices = reduce_raw(arg_op, x, axes, shape, 0, &values);
  if (record)
    set_history(values, Ref<Node>(new ChooseBackward(arg_op == FD_REDUCE_ARGMAX ? "MaxBackward0" : "MinBackward0", x,
                                                     indices, d, keepdim)));
  return {values, indices};
}

Tensor arg_extremum(fd_reduce_op arg_op, const Tensor& x, std::optional<int64_t> dim, bool keepdim) {
  const Tensor plain = is_half(x.dtype()) ? to(detach(x), DType::float32) : detach(x);
  return reduce(arg_op, plain, dim && x.dim() > 0 ? Dims{*dim} : Dims{}, keepdim);
}

MeanVar var_mean(const Tensor& x, const Dims& dims, double correction, bool keepdim) {
  return {mean(x, dims, keepdim), reduce(FD_REDUCE_VAR, x, dims, keepdim, correction)};
}

namespace {

constexpr const char* kScanNames[FD_SCAN_COUNT] = {"cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"};
constexpr const char* kScanNodes[FD_SCAN_COUNT] = {"CumsumBackward0", "CumprodBackward0", "CummaxBackward0",
                                                   "CumminBackward0", "LogcumsumexpBackward0"};

Tensor reverse_cumsum(const Tensor& g, int64_t dim) {
  // total - cumsum + g, made of recorded ops
  const Tensor running = scan(FD_SCAN_CUMSUM, g, dim).values;
  return add(sub(sum(g, {dim}, true), running), g);
}

class ScanBackward final : public Node {
 public:
  ScanBackward(fd_scan_op op, const Tensor& x, const Tensor& y, const Tensor& indices, int dim)
      : Node(1), op_(op), dim_(dim) {
    connect(this, 0, x);
    if (op == FD_SCAN_CUMPROD || op == FD_SCAN_LOGCUMSUMEXP) {
      x_ = Saved(x);
      y_ = Saved::output(y);
    }
    if (indices.defined()) indices_ = Saved(indices);
  }
  const char* name() const override { return kScanNodes[op_]; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override { grad_in[0] = gradient(grad_out[0]); }
  void release() override {
    x_.release();
    y_.release();
    indices_.release();
  }

 private:
  Tensor gradient(const Tensor& g) {
    switch (op_) {
      case FD_SCAN_CUMSUM:
        return reverse_cumsum(g, dim_);
      case FD_SCAN_CUMPROD:
        return cumprod_gradient(g);
      case FD_SCAN_LOGCUMSUMEXP: {
        const Tensor x = x_.get(this), y = y_.get(this);
        return mul(unary(FD_EXP, x), reverse_cumsum(mul(g, unary(FD_EXP, neg(y))), dim_));
      }
      default:
        return chosen_gradient(g);
    }
  }
  // Element by element along the dim: correct at zeros, where y / x is not.
  Tensor cumprod_gradient(const Tensor& g) {
    const Tensor x = x_.get(this);
    const int64_t n = x.dim() ? x.size(dim_) : 1;
    if (x.dim() == 0 || n == 0) return g;
    std::vector<Tensor> slopes;
    for (int64_t i = 0; i < n; i++) {
      // d y[j] / d x[i] for j >= i: the product of x[0..j] without x[i]
      const Tensor before = prod_before(x, i), after = narrow(x, dim_, i + 1, n - i - 1);
      const Tensor products = scan(FD_SCAN_CUMPROD, cat({before, after}, dim_), dim_).values;
      slopes.push_back(sum(mul(products, narrow(g, dim_, i, n - i)), {dim_}, true));
    }
    return cat(slopes, dim_);
  }
  Tensor prod_before(const Tensor& x, int64_t i) const {
    return reduce(FD_REDUCE_PROD, narrow(x, dim_, 0, i), {dim_}, true);
  }
  Tensor chosen_gradient(const Tensor& g) {
    if (g.dim() == 0) return g;
    return scatter_(zeros(g.shape(), g.dtype(), g.device()), dim_, indices_.get(this), g, FD_SCATTER_ADD);
  }
  fd_scan_op op_;
  int dim_;
  Saved x_, y_, indices_;
};

}  // namespace

ValueIndex scan(fd_scan_op op, const Tensor& x, int64_t dim) {
  const char* name = kScanNames[op];
  if (is_half(x.dtype())) {
    ValueIndex r = scan(op, to(x, DType::float32), dim);
    const bool picks = op == FD_SCAN_CUMMAX || op == FD_SCAN_CUMMIN;
    return {to(r.values, picks ? x.dtype() : widened(x.dtype(), x.device())), r.indices};
  }
  const bool with_indices = op == FD_SCAN_CUMMAX || op == FD_SCAN_CUMMIN;
  if (!with_indices && is_integral(x.dtype()) && x.dtype() != DType::int64) return scan(op, to(x, DType::int64), dim);
  const int d = normalize_dim(name, dim, x.dim());
  const bool record = needs_grad(x);
  const Tensor in = contiguous(detach(x));
  Tensor out = empty(x.shape(), x.dtype(), x.device());
  Tensor indices = with_indices ? empty(x.shape(), DType::int64, x.device()) : Tensor();
  fd_scan args = {1, 1, 1, in.data(), out.data(), with_indices ? indices.data_as<int64_t>() : nullptr};
  for (int i = 0; i < x.dim(); i++) (i < d ? args.outer : i == d ? args.size : args.inner) *= x.size(i);
  run(name, find(kernels(x.device()).reduce.scan[op][index(x.dtype())], name, x.dtype(), x.device()), args, x.device(),
      2 * bytes_of(x));
  if (record) set_history(out, Ref<Node>(new ScanBackward(op, x, out, indices, d)));
  return {out, indices};
}

}  // namespace fd::ops
