// One index per element along a dim (gather, scatter) and one bool per element (masked_*).
#include <cmath>
#include <cstdint>

#include "ops/index_axes.h"

namespace fd::ops {

namespace {

int scattered_dim(const char* op, const Tensor& t, int64_t dim, const Tensor& which) {
  check_same_device(op, t, which);
  const int d = normalize_dim(op, dim, t.dim());
  check<ShapeError>(which.dim() == t.dim() || (which.dim() <= 1 && t.dim() <= 1), op, ": the index has ", which.dim(),
                    " dimensions but the tensor has ", t.dim());
  return d;
}

// t cut to the index's sizes, but whole along dim (dim -1: cut there too).
Tensor cut(const char* op, const char* role, const Tensor& t, const Shape& sizes, int dim) {
  Tensor out = t;
  for (int i = 0; i < t.dim(); i++) {
    if (i == dim || t.size(i) == sizes[i]) continue;
    check<ShapeError>(sizes[i] <= t.size(i), op, ": the index of shape ", sizes, " reaches beyond ", role, " of shape ",
                      t.shape(), " in dimension ", i);
    out = narrow(out, i, 0, sizes[i]);
  }
  return out;
}

Tensor at_least_1d(const Tensor& t) { return t.dim() ? t : view(t, {1}); }

fd_gather arguments(const Tensor& positions, int dim, int64_t extent) {
  fd_gather args = {};
  args.outer = args.inner = 1;
  for (int i = 0; i < positions.dim(); i++)
    (i < dim ? args.outer : i == dim ? args.size : args.inner) *= i == dim ? 1 : positions.size(i);
  args.size = positions.size(dim);
  args.extent = extent;
  args.index = positions.data_as<int64_t>();
  return args;
}

// run() with an error that says where.
void run_checked(const char* op, fd_gather_fn* const* table, const fd_gather& args, const Tensor& t, int dim) {
  const fd_status status =
      run_for_status(op, find(table[index(t.dtype())], op, t.dtype(), t.device()), args, t.device(), 0);
  if (status == FD_OK) [[likely]]
    return;
  if (status != FD_OUT_OF_RANGE) fail_status(op, status, t.device());
  fail<IndexError>(op, ": index ", context(t.device())->fault->value, " is out of bounds for dimension ", dim,
                   " with size ", args.extent);
}

class GatherBackward final : public Node {
 public:
  GatherBackward(const Tensor& t, int dim, const Tensor& which) : Node(1), dim_(dim), which_(which), shape_(t.shape()) {
    connect(this, 0, t);
  }
  const char* name() const override { return "GatherBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor& g = grad_out[0];
    grad_in[0] = scatter_(zeros(shape_, g.dtype(), g.device()), dim_, which_.get(this), g, FD_SCATTER_ADD);
  }
  void release() override { which_.release(); }

 private:
  int dim_;
  Saved which_;
  Shape shape_;
};

}  // namespace

Tensor gather(const Tensor& t, int64_t dim, const Tensor& which) {
  const int d = scattered_dim("gather", t, dim, which);
  const Tensor positions = as_positions("gather", which);
  Ref<Node> node;
  if (needs_grad(t)) node = Ref<Node>(new GatherBackward(t, d, positions));
  const Tensor in = at_least_1d(detach(t)), at = at_least_1d(positions);
  Tensor out = empty(which.shape(), t.dtype(), t.device());
  if (out.numel() > 0) {
    const Tensor region = contiguous(cut("gather", "the tensor", in, at.shape(), d));
    fd_gather args = arguments(at, d, region.size(d));
    args.in = region.data();
    args.out = out.data();
    run_checked("gather", kernels(t.device()).index.gather, args, t, d);
  }
  if (node) set_history(out, std::move(node));
  return out;
}

namespace {

class ScatterBackward final : public Node {
 public:
  ScatterBackward(const Tensor& self, int dim, const Tensor& which, const Tensor* source, fd_scatter_mode mode)
      : Node(2), dim_(dim), which_(which), mode_(mode) {
    connect(this, 0, self);
    if (!source) return;
    connect(this, 1, *source);
    shape_ = source->shape();
  }
  const char* name() const override { return mode_ == FD_SCATTER_ADD ? "ScatterAddBackward0" : "ScatterBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor &g = grad_out[0], which = which_.get(this);
    if (wants(0)) grad_in[0] = mode_ == FD_SCATTER_ADD ? g : scatter_(clone(g), dim_, which, 0);
    if (wants(1)) grad_in[1] = padded(gather(g, dim_, which));
  }
  void release() override { which_.release(); }

 private:
  // source may be larger than the index; what was not read has no gradient.
  Tensor padded(const Tensor& g) const {
    if (g.shape() == shape_) return g;
    Tensor whole = zeros(shape_, g.dtype(), g.device());
    copy_(cut("scatter", "source", whole, g.shape(), -1), g);
    return whole;
  }
  int dim_;
  Saved which_;
  fd_scatter_mode mode_;
  Shape shape_;
};

constexpr const char* kScatterNames[] = {"scatter_", "scatter_add_", "scatter_ (multiply)", "scatter_ (amax)",
                                         "scatter_ (amin)"};

void scatter_raw(const char* op, const Tensor& self, int dim, const Tensor& at, const Tensor& source, Scalar scalar,
                 fd_scatter_mode mode) {
  if (at.numel() == 0) return;
  const bool elsewhere = mode != FD_SCATTER_SET && (is_half(self.dtype()) || self.dtype() == DType::boolean);
  const DType d = !elsewhere ? self.dtype() : is_half(self.dtype()) ? DType::float32 : DType::int32;
  const Tensor region = cut(op, "the tensor", self, at.shape(), dim);
  const bool direct = region.is_contiguous() && !elsewhere;
  const Tensor target = direct ? region : elsewhere ? contiguous(to(region, d)) : clone(region);
  Tensor values;
  if (source.defined()) {
    values = contiguous(to(cut(op, "source", source, at.shape(), -1), d));
    if (values->storage == target->storage) values = clone(values);
  }
  fd_gather args = arguments(at, dim, region.size(dim));
  args.in = source.defined() ? values.data() : nullptr;
  args.out = target.data();
  args.scalar = scalar.as(d);
  args.mode = mode;
  run_checked(op, kernels(self.device()).index.scatter, args, target, dim);
  if (!direct) copy_(region, target);
}

}  // namespace

Tensor scatter_(const Tensor& self, int64_t dim, const Tensor& which, const Operand& source, fd_scatter_mode mode) {
  static const Tensor undefined;
  const char* op = kScatterNames[mode];
  const int d = scattered_dim(op, self, dim, which);
  const Tensor& src = source.is_tensor() ? *source.tensor : undefined;
  if (src.defined()) {
    check_same_device(op, self, src);
    check<DTypeError>(src.dtype() == self.dtype(), op, ": source is ", src.dtype(), " but the tensor is ", self.dtype(),
                      "; convert it with .to()");
    check<ShapeError>(src.dim() == self.dim() || (src.dim() <= 1 && self.dim() <= 1), op, ": source has ", src.dim(),
                      " dimensions but the tensor has ", self.dim());
  }
  const Tensor positions = as_positions(op, which);
  const bool record = is_floating(self.dtype()) && needs_grad(self, src);
  check_inplace(op, self, record);
  check<GradError>(!record || mode == FD_SCATTER_SET || mode == FD_SCATTER_ADD, op,
                   ": has no gradient; use scatter_reduce()");
  Ref<Node> node;
  if (record) node = Ref<Node>(new ScatterBackward(self, d, positions, source.tensor, mode));
  {
    const GradMode off(false);
    const Tensor from = src.defined() ? at_least_1d(detach(src)) : undefined;
    scatter_raw(op, at_least_1d(detach(self)), d, at_least_1d(positions), from, source.scalar, mode);
  }
  finish_inplace(op, self, std::move(node));
  return self;
}

namespace {

// What leaves another value as it is under a reduction.
Scalar identity(ScatterReduction how, DType d) {
  const bool least = how == ScatterReduction::amax;
  if (how == ScatterReduction::prod) return 1;
  if (how == ScatterReduction::sum || how == ScatterReduction::mean) return 0;
  if (is_floating(d)) return least ? -INFINITY : INFINITY;
  if (d == DType::boolean || d == DType::uint8) return least ? 0 : d == DType::boolean ? 1 : 255;
  if (d == DType::int32) return int64_t(least ? INT32_MIN : INT32_MAX);
  return least ? INT64_MIN : INT64_MAX;
}

constexpr fd_scatter_mode mode_of(ScatterReduction how) {
  switch (how) {
    case ScatterReduction::prod:
      return FD_SCATTER_MUL;
    case ScatterReduction::amax:
      return FD_SCATTER_MAX;
    case ScatterReduction::amin:
      return FD_SCATTER_MIN;
    default:
      return FD_SCATTER_ADD;
  }
}

struct Reduction {
  ScatterReduction how;
  bool include_self;
  int dim;

  // How many values met in each element.
  Tensor counts(const Tensor& t, const Tensor& which) const {
    const Tensor start = full(t.shape(), include_self ? 1 : 0, t.dtype(), t.device());
    scatter_(start, dim, which, full(which.shape(), 1, t.dtype(), t.device()), FD_SCATTER_ADD);
    return binary(FD_MAXIMUM, start, 1);
  }

  Tensor forward(const Tensor& t, const Tensor& which, const Tensor& source) const {
    Tensor out = clone(t);
    if (!include_self) scatter_(out, dim, which, identity(how, t.dtype()));
    scatter_(out, dim, which, source, mode_of(how));
    if (how != ScatterReduction::mean) return out;
    return is_floating(t.dtype()) ? div(out, counts(t, which)) : binary(FD_FLOOR_DIV, out, counts(t, which));
  }
};

class ScatterReduceBackward final : public Node {
 public:
  ScatterReduceBackward(Reduction r, const Tensor& t, const Tensor& which, const Tensor& source, const Tensor& out)
      : Node(2), r_(r), t_(t), which_(which), source_(source), out_(Saved::output(out)) {
    connect(this, 0, t);
    connect(this, 1, source);
  }
  const char* name() const override { return "ScatterReduceBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    no_second_derivative("scatter_reduce");
    const Tensor t = t_.get(this), which = which_.get(this), whole = source_.get(this);
    const Tensor source = cut("scatter_reduce", "source", whole, which.shape(), -1);
    Tensor g_self, g_source;
    switch (r_.how) {
      case ScatterReduction::sum:
        g_self = grad_out[0];
        g_source = gather(grad_out[0], r_.dim, which);
        break;
      case ScatterReduction::mean:
        g_self = div(grad_out[0], r_.counts(t, which));
        g_source = gather(g_self, r_.dim, which);
        break;
      case ScatterReduction::prod:
        products(grad_out[0], t, which, source, g_self, g_source);
        break;
      default:
        winners(grad_out[0], t, which, source, g_self, g_source);
    }
    if (wants(0)) grad_in[0] = r_.include_self ? g_self : scatter_(clone(g_self), r_.dim, which, 0);
    if (!wants(1)) return;
    grad_in[1] = g_source;
    if (whole.shape() == source.shape()) return;
    grad_in[1] = zeros(whole.shape(), g_source.dtype(), g_source.device());
    copy_(cut("scatter_reduce", "source", grad_in[1], which.shape(), -1), g_source);
  }
  void release() override {
    t_.release();
    which_.release();
    source_.release();
    out_.release();
  }

 private:
  // The product of the others: by division, and where one factor is 0 as the product of the factors that are not.
  void products(const Tensor& g, const Tensor& t, const Tensor& which, const Tensor& source, Tensor& g_self,
                Tensor& g_source) {
    const Tensor zero_t = compare(FD_EQ, t, 0), zero_s = compare(FD_EQ, source, 0);
    const Tensor others = r_.forward(masked_fill(t, zero_t, 1), which, masked_fill(source, zero_s, 1));
    Tensor zero_count = to(zero_t, t.dtype());
    if (!r_.include_self) scatter_(zero_count, r_.dim, which, 0);
    scatter_(zero_count, r_.dim, which, to(zero_s, t.dtype()), FD_SCATTER_ADD);
    const Tensor one_zero = mul(mul(g, others), to(compare(FD_EQ, zero_count, 1), g.dtype()));
    const Tensor no_zero = mul(mul(g, others), to(compare(FD_EQ, zero_count, 0), g.dtype()));
    g_self = where(zero_t, one_zero, div(no_zero, t));
    g_source = where(zero_s, gather(one_zero, r_.dim, which), div(gather(no_zero, r_.dim, which), source));
  }
  // The gradient is shared by all who equal the extremum.
  void winners(const Tensor& g, const Tensor& t, const Tensor& which, const Tensor& source, Tensor& g_self,
               Tensor& g_source) {
    const Tensor out = out_.get(this);
    const Tensor self_wins = to(compare(FD_EQ, t, out), g.dtype());
    const Tensor source_wins = to(compare(FD_EQ, source, gather(out, r_.dim, which)), g.dtype());
    Tensor count = clone(self_wins);
    if (!r_.include_self) scatter_(count, r_.dim, which, 0);
    scatter_(count, r_.dim, which, source_wins, FD_SCATTER_ADD);
    const Tensor each = div(g, count);
    g_self = mul(self_wins, each);
    g_source = mul(source_wins, gather(each, r_.dim, which));
  }
  Reduction r_;
  Saved t_, which_, source_, out_;
};

}  // namespace

Tensor scatter_reduce(const Tensor& t, int64_t dim, const Tensor& which, const Tensor& source, ScatterReduction how,
                      bool include_self) {
  const Reduction r = {how, include_self, scattered_dim("scatter_reduce", t, dim, which)};
  if (is_half(t.dtype()))
    return to(scatter_reduce(to(t, DType::float32), dim, which, to(source, DType::float32), how, include_self),
              t.dtype());
  const Tensor positions = as_positions("scatter_reduce", which);
  const bool record = is_floating(t.dtype()) && needs_grad(t, source);
  Tensor out;
  {
    const GradMode off(false);
    out = r.forward(t, positions, source);
  }
  if (record) set_history(out, Ref<Node>(new ScatterReduceBackward(r, t, positions, source, out)));
  return out;
}

Tensor take_along_dim(const Tensor& t, const Tensor& which, std::optional<int64_t> dim) {
  if (!dim) return take_along_dim(reshape(t, {t.numel()}), reshape(which, {which.numel()}), 0);
  check<ShapeError>(t.dim() == which.dim(), "take_along_dim: indices have ", which.dim(),
                    " dimensions but the tensor has ", t.dim());
  const int d = normalize_dim("take_along_dim", *dim, t.dim());
  Shape a = t.shape(), b = which.shape();
  if (t.dim() > 0) a[d] = b[d] = 1;
  Shape shape = broadcast("take_along_dim", a, b);
  if (t.dim() > 0) shape[d] = t.size(d);
  const Tensor from = expand(t, shape);
  if (t.dim() > 0) shape[d] = which.size(d);
  const Tensor positions = as_positions("take_along_dim", which);
  const Scalar n(t.dim() > 0 ? t.size(d) : int64_t(1));
  return gather(from, d, expand(where(compare(FD_LT, positions, 0), add(positions, n), positions), shape));
}

namespace {

void check_mask(const char* op, const Tensor& mask) {
  check<DTypeError>(mask.dtype() == DType::boolean, op, ": the mask must be bool, got ", mask.dtype());
}

class MaskedFillBackward final : public Node {
 public:
  MaskedFillBackward(const Tensor& t, const Tensor& mask, const Tensor* value)
      : Node(2), mask_(mask), shape_(t.shape()), dtype_(t.dtype()) {
    connect(this, 0, t);
    if (!value) return;
    connect(this, 1, *value);
    dtype_ = value->dtype();
  }
  const char* name() const override { return "MaskedFillBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor mask = mask_.get(this);
    if (wants(0)) grad_in[0] = sum_to(where(mask, 0.0, grad_out[0]), shape_);
    if (wants(1)) grad_in[1] = to(sum(where(mask, grad_out[0], 0.0)), dtype_);
  }
  void release() override { mask_.release(); }

 private:
  Saved mask_;
  Shape shape_;
  DType dtype_;
};

// out = mask ? value : t
void fill_where(const Tensor& out, const Tensor& t, const Tensor& mask, const Operand& value) {
  const DType d = out.dtype();
  const Tensor filler = value.is_tensor() ? to_device(to(*value.tensor, d), out.device()) : Tensor();
  const Tensor* operands[3] = {&mask, value.is_tensor() ? &filler : nullptr, &t};
  fd_elementwise args;
  args.scalar[1] = value.scalar.as(d);
  lay_out(&args, out, operands, 3);
  run("masked_fill", find(kernels(out.device()).elementwise.where[index(d)], "masked_fill", d, out.device()), args,
      out.device(), 3 * bytes_of(out));
}

Tensor fill_masked(const char* op, const Tensor& t, const Tensor& mask, const Operand& value, bool in_place) {
  static const Tensor undefined;
  check_mask(op, mask);
  check_same_device(op, t, mask);
  if (value.is_tensor())
    check<ShapeError>(value.tensor->dim() == 0, op, ": value must be a number or a 0-dim tensor, got shape ",
                      value.tensor->shape());
  const Shape shape = broadcast(op, t.shape(), mask.shape());
  check<ShapeError>(!in_place || shape == t.shape(), op, ": a mask of shape ", mask.shape(),
                    " does not broadcast to the tensor's shape ", t.shape());
  const bool record = is_floating(t.dtype()) && needs_grad(t, value.is_tensor() ? *value.tensor : undefined);
  if (in_place) check_inplace(op, t, record);
  Ref<Node> node;
  if (record) node = Ref<Node>(new MaskedFillBackward(t, mask, value.tensor));
  const Tensor out = in_place ? t : empty(shape, t.dtype(), t.device());
  fill_where(out, t, in_place && mask->storage == t->storage ? clone(mask) : mask, value);
  if (in_place)
    finish_inplace(op, t, std::move(node));
  else if (node)
    set_history(out, std::move(node));
  return out;
}

}  // namespace

Tensor masked_fill(const Tensor& t, const Tensor& mask, const Operand& value) {
  return fill_masked("masked_fill", t, mask, value, false);
}

Tensor masked_fill_(const Tensor& self, const Tensor& mask, const Operand& value) {
  return fill_masked("masked_fill_", self, mask, value, true);
}

Tensor masked_select(const Tensor& t, const Tensor& mask) {
  check_mask("masked_select", mask);
  check_same_device("masked_select", t, mask);
  const Shape shape = broadcast("masked_select", t.shape(), mask.shape());
  return index_by(reshape(expand(t, shape), {numel(shape)}), {reshape(expand(mask, shape), {numel(shape)})});
}

Tensor masked_scatter(const Tensor& t, const Tensor& mask, const Tensor& source) {
  check_mask("masked_scatter", mask);
  check_same_device("masked_scatter", t, mask);
  const Shape shape = broadcast("masked_scatter", t.shape(), mask.shape());
  const Tensor positions = nonzero_positions(expand(mask, shape));
  check<ShapeError>(source.numel() >= positions.numel(), "masked_scatter: source has ", source.numel(),
                    " elements but the mask chooses ", positions.numel());
  const Tensor flat = clone(reshape(expand(t, shape), {numel(shape)}));
  const Tensor values = narrow(reshape(source, {source.numel()}), 0, 0, positions.numel());
  return reshape(index_put_(flat, {positions}, values, false), shape);
}

}  // namespace fd::ops
