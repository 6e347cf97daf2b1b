// Convolution (LeCun et al. 1989; Dive into Deep Learning, 7.1 to 7.4) and the transposed one (14.10).
//
// The sum of gy y over a convolution y = x * w is linear in each of gy, x and w, so its derivatives are three products:
//   y of (x, w),  gx of (gy, w),  gw of (gy, x)
// and the derivative of each of them is again two of them. One node serves all, to any order.
#include "ops/ops.h"
#include "ops/windows.h"

namespace fd::ops {

namespace {

enum class Part : int8_t { output, input, weight };  // which of y, gx, gw
constexpr const char* kNode = "ConvolutionBackward0";

Shape shape_of(Part part, const fd_conv& v, int dims) {
  switch (part) {
    case Part::output:
      return output_shape(v.n, v.out_channels, v.out, dims);
    case Part::input:
      return output_shape(v.n, v.in_channels, v.in, dims);
    default:
      return output_shape(v.out_channels, v.in_channels / v.groups, v.kernel, dims);
  }
}

// About how many bytes take as long to move as the products take: 2 operations each at some 10^11 a second.
int64_t effort(const fd_conv& v) {
  double products = double(v.n) * double(v.out_channels) * double(v.in_channels / v.groups);
  for (int d = 0; d < FD_SPATIAL; d++) products *= double(v.out[d]) * double(v.kernel[d]);
  return int64_t(products / 4);
}

fd_unary_op unary_of(fd_activation a) {
  return a == FD_ACT_RELU ? FD_RELU : a == FD_ACT_SIGMOID ? FD_SIGMOID : FD_TANH;
}

struct Computed {
  Tensor out, gbias;
};

// The part from its two factors; bias is added to y or gx, gbias (the sum of gy per channel) comes with gw.
Computed compute(const char* op, Part part, int dims, fd_conv v, const Tensor& a, const Tensor& b, const Tensor& bias,
                 bool want_out, bool want_bias) {
  const Tensor first = contiguous(detach(a)), second = contiguous(detach(b));
  const Tensor offset = bias.defined() ? contiguous(detach(bias)) : bias;
  const DType dtype = a.dtype();
  const Device device = a.device();
  Computed made;
  if (want_out) made.out = empty(shape_of(part, v, dims), dtype, device);
  if (want_bias) made.gbias = empty({v.out_channels}, dtype, device);
  v.bias = offset.defined() ? offset.data() : nullptr;
  const fd_conv_kernels& k = kernels(device).conv;
  fd_conv_fn* const* table = part == Part::output ? k.forward : part == Part::input ? k.grad_input : k.grad_weight;
  if (part == Part::output) {
    v.x = first.data(), v.weight = second.data(), v.y = made.out.data();
  } else if (part == Part::input) {
    v.gy = first.data(), v.weight = second.data(), v.gx = made.out.data();
  } else {
    v.gy = first.data(), v.x = second.data();
    v.gweight = want_out ? made.out.data() : nullptr;
    v.gbias = want_bias ? made.gbias.data() : nullptr;
  }
  run(op, find(table[index(dtype)], op, dtype, device), v, device, effort(v));
  return made;
}

Tensor recorded(const char* op, Part part, int dims, const fd_conv& v, const Tensor& a, const Tensor& b,
                const Tensor& bias = {});

class ConvolutionBackward final : public Node {
 public:
  ConvolutionBackward(Part part, int dims, const fd_conv& v, const Tensor& a, const Tensor& b, const Tensor& bias)
      : Node(3), part_(part), dims_(dims), v_(v) {
    connect(this, 0, a);
    connect(this, 1, b);
    connect(this, 2, bias);
    if (wants(0)) b_ = Saved(b);
    if (wants(1)) a_ = Saved(a);
  }
  const char* name() const override { return kNode; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor& g = grad_out[0];
    switch (part_) {
      case Part::output:
        if (wants(0)) grad_in[0] = recorded(kNode, Part::input, dims_, v_, g, b_.get(this));
        weight_and_bias(g, grad_in);
        break;
      case Part::input:
        if (wants(0)) grad_in[0] = recorded(kNode, Part::output, dims_, v_, g, b_.get(this));
        if (wants(1)) grad_in[1] = recorded(kNode, Part::weight, dims_, v_, a_.get(this), g);
        if (wants(2)) grad_in[2] = channel_sum(g);
        break;
      case Part::weight:
        if (wants(0)) grad_in[0] = recorded(kNode, Part::output, dims_, v_, b_.get(this), g);
        if (wants(1)) grad_in[1] = recorded(kNode, Part::input, dims_, v_, a_.get(this), g);
        break;
    }
  }
  void release() override {
    a_.release();
    b_.release();
  }

 private:
  static Tensor channel_sum(const Tensor& g) {
    Dims dims;
    for (int i = 0; i < g.dim(); i++)
      if (i != 1) dims.push_back(i);
    return sum(g, dims);
  }
  // Both from one pass over g if they need no history.
  void weight_and_bias(const Tensor& g, Tensor* grad_in) {
    if (!wants(1) && !wants(2)) return;
    if (!grad_enabled() && wants(1)) {
      Computed made = compute(kNode, Part::weight, dims_, v_, g, a_.get(this), {}, true, wants(2));
      grad_in[1] = made.out;
      grad_in[2] = made.gbias;
      return;
    }
    if (wants(1)) grad_in[1] = recorded(kNode, Part::weight, dims_, v_, g, a_.get(this));
    if (wants(2)) grad_in[2] = channel_sum(g);
  }

  Part part_;
  int dims_;
  fd_conv v_;
  Saved a_, b_;
};

Tensor recorded(const char* op, Part part, int dims, const fd_conv& v, const Tensor& a, const Tensor& b,
                const Tensor& bias) {
  const bool record = needs_grad(a, b, bias);
  Tensor out = compute(op, part, dims, v, a, b, bias, true, false).out;
  if (record) set_history(out, Ref<Node>(new ConvolutionBackward(part, dims, v, a, b, bias)));
  return out;
}

// y and its activation from one kernel; the history has a step for each, as if they were two.
Tensor activated(const char* op, int dims, const fd_conv& v, const Tensor& input, const Tensor& weight,
                 const Tensor& bias, fd_activation activation) {
  const bool record = needs_grad(input, weight, bias);
  fd_conv both = v;
  both.activation = activation;
  Tensor out = compute(op, Part::output, dims, both, input, weight, bias, true, false).out;
  if (record) {
    set_history(out, Ref<Node>(new ConvolutionBackward(Part::output, dims, v, input, weight, bias)));
    record_unary(unary_of(activation), out);
  }
  return out;
}

constexpr const char* kNames[2][3] = {{"conv1d", "conv2d", "conv3d"},
                                      {"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}};

Tensor convolve(int dims, bool transposed, const Tensor& input, const Tensor& weight, const Tensor& bias,
                const ConvOptions& options) {
  const char* op = kNames[transposed][dims - 1];
  check_same_device(op, input, weight);
  if (bias.defined()) check_same_device(op, input, bias);
  if (options.activation != FD_ACT_NONE && (input.dim() == dims + 1 || is_half(input.dtype()))) {
    ConvOptions plain = options;  // the activation is the last step, after the squeeze or the rounding
    plain.activation = FD_ACT_NONE;
    return unary(unary_of(options.activation), convolve(dims, transposed, input, weight, bias, plain));
  }
  if (input.dim() == dims + 1)
    return squeeze(convolve(dims, transposed, unsqueeze(input, 0), weight, bias, options), Dims{0});
  const Given x = {"input", input.dtype(), input.shape()}, w = {"weight", weight.dtype(), weight.shape()};
  const bool integers = is_integral(input.dtype()) && input.dtype() != DType::boolean;
  if ((is_half(input.dtype()) || integers) && weight.dtype() == input.dtype()) {
    const DType wide = integers ? DType::float64 : DType::float32;
    const Tensor b = bias.defined() ? to(bias, wide) : bias;
    return to(convolve(dims, transposed, to(input, wide), to(weight, wide), b, options), input.dtype());
  }
  const Given b = {"bias", bias.defined() ? bias.dtype() : input.dtype(),
                   bias.defined() ? bias.shape() : input.shape()};
  const fd_conv v = check_conv(op, dims, x, w, bias.defined() ? &b : nullptr, options, transposed);
  if (options.activation != FD_ACT_NONE) return activated(op, dims, v, input, weight, bias, options.activation);
  return recorded(op, transposed ? Part::input : Part::output, dims, v, input, weight, bias);
}

}  // namespace

Tensor conv(int dims, const Tensor& input, const Tensor& weight, const Tensor& bias, const ConvOptions& options) {
  return convolve(dims, false, input, weight, bias, options);
}

Tensor conv_transpose(int dims, const Tensor& input, const Tensor& weight, const Tensor& bias,
                      const ConvOptions& options) {
  return convolve(dims, true, input, weight, bias, options);
}

}  // namespace fd::ops
