// Order along a dim: sorting, the first few, the middle one.
#include <cmath>

#include "ops/ops.h"
#include "ops/remote.h"

namespace fd::ops {

namespace {

// values = t gathered at indices along dim.
class SortBackward final : public Node {
 public:
  SortBackward(const char* name, const Tensor& t, const Tensor& indices, int dim)
      : Node(1), name_(name), indices_(indices), shape_(t.shape()), dim_(dim) {
    connect(this, 0, t);
  }
  const char* name() const override { return name_; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor& g = grad_out[0];
    grad_in[0] = scatter_(zeros(shape_, g.dtype(), g.device()), dim_, indices_.get(this), g, FD_SCATTER_ADD);
  }
  void release() override { indices_.release(); }

 private:
  const char* name_;
  Saved indices_;
  Shape shape_;
  int dim_;
};

// The first `keep` of t sorted along dim, or only the last of those.
ValueIndex sort_first(const char* op, const char* node, const Tensor& t, int dim, bool descending, int64_t keep,
                      bool only_last = false) {
  if (t.dim() == 0) return {clone(t), zeros({}, DType::int64, t.device())};
  ValueIndex r;
  {
    const GradMode off(false);
    const Tensor plain = is_half(t.dtype()) ? to(t, DType::float32) : detach(t);
    const Tensor rows = contiguous(transpose(plain, dim, -1));
    Shape shape = rows.shape();
    const int64_t size = t.size(dim);
    shape[t.dim() - 1] = only_last ? 1 : keep;
    r = {empty(shape, rows.dtype(), t.device()), empty(shape, DType::int64, t.device())};
    const fd_sort args = {size ? rows.numel() / size : 0, size,       keep,     rows.data(), r.values.data(),
                          r.indices.data_as<int64_t>(),   descending, only_last};
    run(op, find(kernels(t.device()).sort.sort[index(rows.dtype())], op, rows.dtype(), t.device()), args, t.device(),
        8 * bytes_of(rows));
    r = {to(contiguous(transpose(r.values, dim, -1)), t.dtype()), contiguous(transpose(r.indices, dim, -1))};
  }
  if (needs_grad(t)) set_history(r.values, Ref<Node>(new SortBackward(node, t, r.indices, dim)));
  return r;
}

ValueIndex without_dim(const ValueIndex& r, int dim, bool keepdim) {
  if (keepdim || r.values.dim() == 0) return r;
  return {squeeze(r.values, Dims{dim}), squeeze(r.indices, Dims{dim})};
}

bool has_nan(const Tensor& t) {
  if (!is_floating(t.dtype())) return false;
  const GradMode off(false);
  const Tensor largest = reduce(FD_REDUCE_MAX, t, {}, false);  // a NaN if there is one
  return first_element<bool>(predicate(FD_ISNAN, largest));
}

}  // namespace

ValueIndex sort(const Tensor& t, int64_t dim, bool descending) {
  const int d = normalize_dim("sort", dim, t.dim());
  return sort_first("sort", "SortBackward0", t, d, descending, t.dim() ? t.size(d) : 1);
}

ValueIndex topk(const Tensor& t, int64_t k, int64_t dim, bool largest) {
  const int d = normalize_dim("topk", dim, t.dim());
  const int64_t n = t.dim() ? t.size(d) : 1;
  check<ValueError>(k >= 0 && k <= n, "topk: k is ", k, " but dim ", d, " has size ", n);
  return sort_first("topk", "TopkBackward0", t, d, largest, k);
}

ValueIndex kthvalue(const Tensor& t, int64_t k, int64_t dim, bool keepdim) {
  const int d = normalize_dim("kthvalue", dim, t.dim());
  const int64_t n = t.dim() ? t.size(d) : 1;
  check<ValueError>(k >= 1 && k <= n, "kthvalue: k is ", k, " but dim ", d, " has size ", n, "; k counts from 1");
  return without_dim(sort_first("kthvalue", "KthvalueBackward0", t, d, false, k, true), d, keepdim);
}

ValueIndex median(const Tensor& t, int64_t dim, bool keepdim) {
  const int d = normalize_dim("median", dim, t.dim());
  if (t.dim() == 0) return {clone(t), zeros({}, DType::int64, t.device())};
  const int64_t n = t.size(d);
  check<ShapeError>(n > 0, "median: dim ", d, " of shape ", t.shape(), " is empty");
  // A GPU sorts sooner than it could be asked for NaNs.
  if (!on_gpu(t) && t.numel() > 0 && !has_nan(t))
    return without_dim(sort_first("median", "MedianBackward1", t, d, false, (n + 1) / 2, true), d, keepdim);
  const ValueIndex sorted = sort(t, d, false);
  Shape shape = t.shape();
  shape[d] = 1;
  Tensor at = full(shape, (n - 1) / 2, DType::int64, t.device());
  if (is_floating(t.dtype())) {
    // A row with a NaN has it last in order; its first NaN is the median.
    const Tensor nans = reduce(FD_REDUCE_COUNT_NONZERO, predicate(FD_ISNAN, t), {d}, true);
    at = where(compare(FD_GT, nans, 0), sub(Scalar(n), nans), at);
  }
  return without_dim({gather(sorted.values, d, at), gather(sorted.indices, d, at)}, d, keepdim);
}

namespace {

// The gradient is shared by all elements that equal the median.
class MedianBackward final : public Node {
 public:
  MedianBackward(const Tensor& t, const Tensor& out) : Node(1), t_(t), out_(Saved::output(out)) { connect(this, 0, t); }
  const char* name() const override { return "MedianBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor t = t_.get(this), out = out_.get(this);
    const Tensor hit = to(hits(t, out), t.dtype());
    grad_in[0] = mul(hit, div(grad_out[0], sum(hit)));
  }
  void release() override {
    t_.release();
    out_.release();
  }

 private:
  static Tensor hits(const Tensor& t, const Tensor& out) {
    const Tensor nan = predicate(FD_ISNAN, out);
    if (on_gpu(t)) return where(nan, predicate(FD_ISNAN, t), compare(FD_EQ, t, out));
    return first_element<bool>(nan) ? predicate(FD_ISNAN, t) : compare(FD_EQ, t, out);
  }
  Saved t_, out_;
};

}  // namespace

Tensor median(const Tensor& t) {
  if (t.numel() == 0) {
    check<ShapeError>(is_floating(t.dtype()), "median: an empty tensor of ", t.dtype(), " has none");
    return full({}, NAN, t.dtype(), t.device());
  }
  Tensor out;
  {
    const GradMode off(false);
    out = clone(median(reshape(t, {t.numel()}), 0, false).values);
  }
  if (needs_grad(t)) set_history(out, Ref<Node>(new MedianBackward(t, out)));
  return out;
}

namespace {

// What is taken at a position in `sorted` [..., n] that may lie between two elements.
Tensor at_places(const Tensor& sorted, const Tensor& place, const std::string& interpolation) {
  const Tensor below = to(unary(FD_FLOOR, place), DType::int64), above = to(unary(FD_CEIL, place), DType::int64);
  if (interpolation == "lower") return index_select(sorted, -1, below);
  if (interpolation == "higher") return index_select(sorted, -1, above);
  if (interpolation == "nearest") return index_select(sorted, -1, to(unary(FD_ROUND, place), DType::int64));
  const Tensor a = index_select(sorted, -1, below), b = index_select(sorted, -1, above);
  if (interpolation == "midpoint") return mul(add(a, b), 0.5);
  check<ValueError>(interpolation == "linear",
                    "quantile: interpolation must be 'linear', 'lower', 'higher', 'midpoint' "
                    "or 'nearest', got '",
                    interpolation, "'");
  return add(a, mul(sub(b, a), to(sub(place, below), sorted.dtype())));
}

}  // namespace

namespace {

void check_fractions(const Tensor& q) {
  if (on_gpu(q)) return report_outside("quantile", q, 0, 1);
  const Tensor outside = compare(FD_LOGICAL_OR, compare(FD_LT, q, 0), compare(FD_GT, q, 1));
  check<ValueError>(!first_element<bool>(reduce(FD_REDUCE_ANY, outside, {}, false)),
                    "quantile: q must be between 0 and 1");
}

}  // namespace

Tensor quantile(const Tensor& t, const Tensor& q, std::optional<int64_t> dim, bool keepdim,
                const std::string& interpolation) {
  check<DTypeError>(t.dtype() == DType::float32 || t.dtype() == DType::float64,
                    "quantile: expected float32 or float64, got ", t.dtype());
  check<DTypeError>(q.dtype() == t.dtype(), "quantile: q is ", q.dtype(), " but the tensor is ", t.dtype());
  check<ShapeError>(q.dim() <= 1, "quantile: q must be a number or have one dimension, got shape ", q.shape());
  check<ShapeError>(t.numel() > 0, "quantile: the tensor is empty");
  check_fractions(q);
  const int d = dim ? normalize_dim("quantile", *dim, t.dim()) : 0;
  const Tensor in = dim && t.dim() ? t : reshape(t, {t.numel()});
  const Tensor sorted = transpose(sort(in, d, false).values, d, -1);  // [..., n]
  const int64_t n = sorted.size(sorted.dim() - 1);
  const Tensor place = mul(reshape(to(detach(q), DType::float64), {q.numel()}), static_cast<double>(n - 1));
  Tensor out = at_places(sorted, place, interpolation);  // [..., q], dims d and last swapped
  const Tensor nan = reduce(FD_REDUCE_ANY, predicate(FD_ISNAN, sorted), {-1}, true);
  out = masked_fill(out, nan, static_cast<double>(NAN));
  // q becomes the first dim; the reduced one is left with size 1 at d.
  out = unsqueeze(out, 0);                 // [1, ..., q]
  out = transpose(out, 0, out.dim() - 1);  // [q, ..., 1]
  out = transpose(out, d + 1, -1);         // [q, ... 1 at d ...]
  if (!keepdim) {
    out = squeeze(out, Dims{d + 1});
  } else if (!dim) {
    Shape ones;
    ones.resize(t.dim() + 1, 1);
    ones[0] = q.numel();
    out = reshape(out, ones);
  }
  return q.dim() == 0 ? squeeze(out, Dims{0}) : out;
}

}  // namespace fd::ops
