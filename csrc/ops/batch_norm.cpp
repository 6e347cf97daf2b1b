// Batch normalisation per channel (Ioffe, Szegedy 2015; Dive into Deep Learning, 8.5). With u = (x - mean) invstd:
//   y = u weight + bias
//   gbias = sum gy,  gweight = sum gy u,  gx = weight invstd (gy - gbias / m - u gweight / m) over m values
#include "ops/checks.h"
#include "ops/fused.h"

namespace fd::ops {

namespace {

constexpr const char* kName = "batch_norm";

struct Arguments {
  const Tensor &x, &weight, &bias;
  const Tensor &running_mean, &running_var;
  bool training;
  double momentum, eps;
};

fd_batch_norm geometry(const Tensor& x) {
  fd_batch_norm args = {};
  args.n = x.size(0);
  args.c = x.size(1);
  args.s = 1;
  for (int i = 2; i < x.dim(); i++) args.s *= x.size(i);
  return args;
}

// A value per channel, broadcasting against x.
Tensor per_channel(const Tensor& values, const Tensor& x) {
  Shape shape = x.shape();
  for (int i = 0; i < x.dim(); i++)
    if (i != 1) shape[i] = 1;
  return reshape(values, shape);
}

Tensor composed(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean_of, const Tensor& var_of,
                double eps) {
  Tensor mean = mean_of, var = var_of;
  if (!mean.defined()) {
    Dims dims;
    for (int i = 0; i < x.dim(); i++)
      if (i != 1) dims.push_back(i);
    const MeanVar batch = var_mean(x, dims, 0, true);
    mean = batch.mean;
    var = batch.var;
  } else {
    mean = per_channel(mean, x);
    var = per_channel(var, x);
  }
  Tensor y = mul(sub(x, mean), unary(FD_RSQRT, add(var, eps)));
  if (weight.defined()) y = mul(y, per_channel(weight, x));
  return bias.defined() ? add(y, per_channel(bias, x)) : y;
}

class BatchNormBackward final : public Node {
 public:
  explicit BatchNormBackward(const Arguments& a)
      : Node(3), x_(a.x), weight_(a.weight), bias_(a.bias), training_(a.training), eps_(a.eps) {
    connect(this, 0, a.x);
    connect(this, 1, a.weight);
    connect(this, 2, a.bias);
  }
  const char* name() const override { return "NativeBatchNormBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor x = x_.get(this), weight = weight_.defined() ? weight_.get(this) : Tensor();
    if (grad_enabled()) {
      second(x, weight, grad_out[0], grad_in);
      return;
    }
    const bool reuse = is_ours(grad_out[0]);
    const Tensor in = contiguous(x), gy = contiguous(grad_out[0]);
    const Tensor scale = weight.defined() ? contiguous(weight) : weight;
    fd_batch_norm args = geometry(x);
    args.x = in.data();
    args.weight = scale.defined() ? scale.data() : nullptr;
    args.training = training_;
    args.eps = eps_;
    args.save_mean = mean.data();
    args.save_invstd = invstd.data();
    args.gy = gy.data();
    if (wants(0)) grad_in[0] = reuse ? gy : empty(x.shape(), x.dtype(), x.device());
    for (int i = 1; i < 3; i++)
      if (wants(i)) grad_in[i] = empty({args.c}, x.dtype(), x.device());
    args.gx = wants(0) ? grad_in[0].data() : nullptr;
    args.gweight = wants(1) ? grad_in[1].data() : nullptr;
    args.gbias = wants(2) ? grad_in[2].data() : nullptr;
    run(name(), find(kernels(x.device()).batch_norm.backward[index(x.dtype())], name(), x.dtype(), x.device()), args,
        x.device(), 5 * bytes_of(x));
  }
  void release() override {
    x_.release();
    weight_.release();
    bias_.release();
    mean = invstd = {};
  }
  Tensor mean, invstd;

 private:
  void second(const Tensor& x, const Tensor& weight, const Tensor& g, Tensor* grad_in) {
    const Tensor bias = bias_.defined() ? bias_.get(this) : Tensor();
    Tensor var;
    if (!training_) var = sub(unary(FD_SQUARE, unary(FD_RECIPROCAL, invstd)), eps_);
    const Tensor y = composed(x, weight, bias, training_ ? Tensor() : mean, var, eps_);
    const Tensor inputs[] = {x, weight, bias};
    composed_backward(*this, y, g, inputs, 3, grad_in);
  }
  Saved x_, weight_, bias_;
  bool training_;
  double eps_;
};

Tensor fused(const Arguments& a) {
  const Tensor& x = a.x;
  const bool record = needs_grad(x, a.weight, a.bias);
  const Tensor in = x.is_contiguous() ? x : clone(detach(x));
  const Tensor weight = a.weight.defined() ? contiguous(detach(a.weight)) : a.weight;
  const Tensor bias = a.bias.defined() ? contiguous(detach(a.bias)) : a.bias;
  Tensor y = empty(x.shape(), x.dtype(), x.device());
  fd_batch_norm args = geometry(x);
  const Tensor mean = empty({args.c}, x.dtype(), x.device()), invstd = empty({args.c}, x.dtype(), x.device());
  InPlace running_mean, running_var;
  if (a.running_mean.defined()) running_mean = InPlace(a.running_mean, x.dtype());
  if (a.running_var.defined()) running_var = InPlace(a.running_var, x.dtype());
  args.x = in.data();
  args.y = y.data();
  args.weight = weight.defined() ? weight.data() : nullptr;
  args.bias = bias.defined() ? bias.data() : nullptr;
  args.running_mean = a.running_mean.defined() ? running_mean.data() : nullptr;
  args.running_var = a.running_var.defined() ? running_var.data() : nullptr;
  args.momentum = a.momentum;
  args.eps = a.eps;
  args.training = a.training;
  args.save_mean = mean.data();
  args.save_invstd = invstd.data();
  run(kName, find(kernels(x.device()).batch_norm.forward[index(x.dtype())], kName, x.dtype(), x.device()), args,
      x.device(), 3 * bytes_of(x));
  if (a.training && a.running_mean.defined()) running_mean.write_back(kName);
  if (a.training && a.running_var.defined()) running_var.write_back(kName);
  if (record) {
    auto* node = new BatchNormBackward(a);
    Ref<Node> owned(node);
    node->mean = mean;
    node->invstd = invstd;
    set_history(y, std::move(owned));
  }
  return y;
}

void check_arguments(const Arguments& a) {
  const Given x = {"input", a.x.dtype(), a.x.shape()};
  check_batch_norm_input(x, a.training);
  check<ValueError>(a.training || (a.running_mean.defined() && a.running_var.defined()), kName,
                    ": running_mean and running_var are needed when training is False");
  const struct {
    const char* name;
    const Tensor& t;
  } vectors[] = {
      {"running_mean", a.running_mean}, {"running_var", a.running_var}, {"weight", a.weight}, {"bias", a.bias}};
  for (const auto& v : vectors) {
    if (!v.t.defined()) continue;
    const Given given = {v.name, v.t.dtype(), v.t.shape()};
    check_same_device(kName, a.x, v.t);
    if (!is_half(x.dtype)) check_same_dtype(kName, given, x);
    check_vector(kName, given, a.x.size(1), "channel");
  }
  for (const Tensor* t : {&a.running_mean, &a.running_var})
    if (a.training && t->defined()) {
      check<ValueError>((*t)->storage->writable, kName, ": the running statistics' memory is read-only");
      check<GradError>(!requires_grad(*t), kName, ": the running statistics require grad; expected plain buffers");
    }
}

Tensor in_float32(const Tensor& t) { return t.defined() ? to(t, DType::float32) : t; }

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight,
                  const Tensor& bias, bool training, double momentum, double eps) {
  const Arguments a = {x, weight, bias, running_mean, running_var, training, momentum, eps};
  check_arguments(a);
  if (x.numel() == 0) {  // no statistics to be had: what PyTorch does too
    Tensor y = clone(x);
    if (weight.defined() && x.size(1) > 0) y = mul(y, select(weight, 0, 0));
    return bias.defined() && x.size(1) > 0 ? add(y, select(bias, 0, 0)) : y;
  }
  if (is_half(x.dtype())) {
    const Tensor w = in_float32(weight), b = in_float32(bias), whole = to(x, DType::float32);
    return to(fused({whole, w, b, running_mean, running_var, training, momentum, eps}), x.dtype());
  }
  return fused(a);
}

}  // namespace fd::ops
