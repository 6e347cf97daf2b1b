// Pooling (Dive into Deep Learning, 7.5). The gradient of a maximum goes to where it was found, that of an average to
// all elements of its window alike; both are linear, and so are their own derivatives.
#include "ops/linear_node.h"
#include "ops/windows.h"

namespace fd::ops {

namespace {

constexpr const char* kMax[2][3] = {{"max_pool1d", "max_pool2d", "max_pool3d"},
                                    {"adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"}};
constexpr const char* kAvg[2][3] = {{"avg_pool1d", "avg_pool2d", "avg_pool3d"},
                                    {"adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"}};
constexpr const char* kMaxNode[3] = {"MaxPool1DBackward0", "MaxPool2DWithIndicesBackward0",
                                     "MaxPool3DWithIndicesBackward0"};
constexpr const char* kAvgNode[3] = {"AvgPool1DBackward0", "AvgPool2DBackward0", "AvgPool3DBackward0"};

Given given(const Tensor& t) { return {"input", t.dtype(), t.shape()}; }

// Runs one entry from `from` to `to`, with the other members of v as they are.
void run_pool(const char* op, fd_pool_fn* const* table, const fd_pool& v, const Tensor& from, const Tensor& to) {
  run(op, find(table[index(to.dtype())], op, to.dtype(), to.device()), v, to.device(), bytes_of(from) + bytes_of(to));
}

// --------------------------------------------------------------------------------------------------------- max

// Gathers what each maximum was found at: the derivative of scatter() below, and so on.
Tensor at_maxima(const Tensor& t, const Tensor& indices) {
  const int64_t planes = indices.size(0) * indices.size(1);
  const Tensor flat = reshape(t, {planes, t.numel() / std::max<int64_t>(planes, 1)});
  return reshape(gather(flat, 1, view(indices, {planes, indices.numel() / std::max<int64_t>(planes, 1)})),
                 indices.shape());
}

Tensor max_gradient(const char* node, const fd_pool& v, const Shape& shape, const Tensor& gy, const Tensor& indices) {
  const auto scatter = [&](const Tensor& g) {
    const Tensor in = contiguous(g);
    Tensor gx = empty(shape, g.dtype(), g.device());
    fd_pool args = v;
    args.gy = in.data();
    args.indices = const_cast<int64_t*>(indices.data_as<int64_t>());
    args.gx = gx.data();
    run_pool(node, kernels(g.device()).pool.max_backward, args, in, gx);
    return gx;
  };
  return linear_step(node, gy, scatter, [indices](const Tensor& g) { return at_maxima(g, indices); });
}

class MaxPoolBackward final : public Node {
 public:
  MaxPoolBackward(const char* name, const fd_pool& v, const Tensor& x, const Tensor& indices)
      : Node(1), name_(name), v_(v), shape_(x.shape()), indices_(indices) {
    connect(this, 0, x);
  }
  const char* name() const override { return name_; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    grad_in[0] = max_gradient(name_, v_, shape_, grad_out[0], indices_.get(this));
  }
  void release() override { indices_.release(); }

 private:
  const char* name_;
  fd_pool v_;
  Shape shape_;
  Saved indices_;
};

ValueIndex run_max(const char* op, int dims, const fd_pool& v, const Tensor& input, bool want_indices) {
  const bool record = needs_grad(input);
  const Tensor in = contiguous(detach(input));
  const Shape shape = output_shape(input.size(0), input.size(1), v.out, dims);
  ValueIndex made = {empty(shape, input.dtype(), input.device()), {}};
  if (record || want_indices) made.indices = empty(shape, DType::int64, input.device());
  fd_pool args = v;
  args.x = in.data();
  args.y = made.values.data();
  args.indices = made.indices.defined() ? made.indices.data_as<int64_t>() : nullptr;
  run_pool(op, kernels(input.device()).pool.max, args, in, made.values);
  if (record) set_history(made.values, Ref<Node>(new MaxPoolBackward(kMaxNode[dims - 1], v, input, made.indices)));
  return made;
}

// The pooling of a batch, for an input that may lack the first dimension or be of a half or an integer type.
template <class Pool>
ValueIndex of_any(int dims, const Tensor& input, const Pool& pool) {
  if (input.dim() == dims + 1) {
    const ValueIndex made = of_any(dims, unsqueeze(input, 0), pool);
    return {squeeze(made.values, Dims{0}), made.indices.defined() ? squeeze(made.indices, Dims{0}) : Tensor()};
  }
  const bool whole = is_integral(input.dtype()) && input.dtype() != DType::boolean;
  if (!is_half(input.dtype()) && !whole) return pool(input);
  const ValueIndex made = pool(to(input, whole ? DType::float64 : DType::float32));
  return {to(made.values, input.dtype()), made.indices};
}

// --------------------------------------------------------------------------------------------------------- average

Tensor average(const char* op, int dims, const fd_pool& v, const Tensor& input);

Tensor average_gradient(int dims, const fd_pool& v, const Tensor& gy) {
  const char* node = kAvgNode[dims - 1];
  const auto spread = [&](const Tensor& g) {
    const Tensor in = contiguous(g);
    Tensor gx = empty(output_shape(g.size(0), g.size(1), v.in, dims), g.dtype(), g.device());
    fd_pool args = v;
    args.gy = in.data();
    args.gx = gx.data();
    run_pool(node, kernels(g.device()).pool.avg_backward, args, in, gx);
    return gx;
  };
  return linear_step(node, gy, spread, [dims, v](const Tensor& g) { return average(kAvg[0][dims - 1], dims, v, g); });
}

Tensor average(const char* op, int dims, const fd_pool& v, const Tensor& input) {
  const auto pool = [&](const Tensor& x) {
    const Tensor in = contiguous(x);
    Tensor y = empty(output_shape(x.size(0), x.size(1), v.out, dims), x.dtype(), x.device());
    fd_pool args = v;
    args.x = in.data();
    args.y = y.data();
    run_pool(op, kernels(x.device()).pool.avg, args, in, y);
    return y;
  };
  return linear_step(kAvgNode[dims - 1], input, pool,
                     [dims, v](const Tensor& g) { return average_gradient(dims, v, g); });
}

}  // namespace

ValueIndex max_pool(int dims, const Tensor& input, const PoolOptions& options, bool want_indices) {
  return of_any(dims, input, [&](const Tensor& x) {
    const char* op = kMax[0][dims - 1];
    return run_max(op, dims, check_pool(op, dims, given(x), options), x, want_indices);
  });
}

ValueIndex adaptive_max_pool(int dims, const Tensor& input, const Dims& sizes, bool want_indices) {
  return of_any(dims, input, [&](const Tensor& x) {
    const char* op = kMax[1][dims - 1];
    return run_max(op, dims, check_adaptive_pool(op, dims, given(x), sizes), x, want_indices);
  });
}

Tensor avg_pool(int dims, const Tensor& input, const PoolOptions& options) {
  const auto pool = [&](const Tensor& x) -> ValueIndex {
    const char* op = kAvg[0][dims - 1];
    return {average(op, dims, check_pool(op, dims, given(x), options), x), {}};
  };
  return of_any(dims, input, pool).values;
}

Tensor adaptive_avg_pool(int dims, const Tensor& input, const Dims& sizes) {
  const auto pool = [&](const Tensor& x) -> ValueIndex {
    const char* op = kAvg[1][dims - 1];
    return {average(op, dims, check_adaptive_pool(op, dims, given(x), sizes), x), {}};
  };
  return of_any(dims, input, pool).values;
}

}  // namespace fd::ops
