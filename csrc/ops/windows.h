// The arguments of operations whose windows slide over up to three spatial dimensions, checked for both doors.
#pragma once

#include <optional>

#include "kernels/kernels.h"
#include "ops/checks.h"

namespace fd::ops {

// One value per spatial dimension, as a kernel takes them: `dims` given ones last, what is missing before.
struct Spatial {
  int64_t value[FD_SPATIAL];
  int64_t operator[](int d) const { return value[d]; }
  int64_t& operator[](int d) { return value[d]; }
};

// given holds one number for all dimensions or one for each; ValueError otherwise, or for one below `least`.
inline Spatial spatial(const char* op, const char* name, const Dims& given, int dims, int64_t missing, int64_t least) {
  check<ValueError>(given.size() == 1 || given.size() == dims, op, ": ", name, " has ", given.size(),
                    " numbers; expected 1 or ", dims);
  Spatial s;
  for (int d = 0; d < FD_SPATIAL; d++) {
    const int i = d - (FD_SPATIAL - dims);
    s[d] = i < 0 ? missing : given[given.size() == 1 ? 0 : i];
    check<ValueError>(i < 0 || s[d] >= least, op, ": ", name, " is ", given, "; expected ",
                      least == 0 ? "no negative number" : "positive numbers");
  }
  return s;
}

// The spatial sizes of a shape, last dimensions last.
inline Spatial spatial_sizes(const Shape& shape, int dims) {
  Spatial s;
  for (int d = 0; d < FD_SPATIAL; d++) {
    const int i = d - (FD_SPATIAL - dims);
    s[d] = i < 0 ? 1 : shape[shape.size() - dims + i];
  }
  return s;
}

inline void copy(const Spatial& from, int64_t (&to)[FD_SPATIAL]) {
  for (int d = 0; d < FD_SPATIAL; d++) to[d] = from[d];
}

// A batch (n, c, ...) with so many spatial dimensions.
inline void check_batch(const char* op, const Given& x, int dims) {
  static constexpr const char* expected[] = {"(c, l) or (n, c, l)", "(c, h, w) or (n, c, h, w)",
                                             "(c, d, h, w) or (n, c, d, h, w)"};
  check<ShapeError>(x.shape.size() == dims + 2, op, ": ", x.name, " has shape ", x.shape, "; expected ",
                    expected[dims - 1]);
}

// ------------------------------------------------------------------------------------------------ convolution

struct ConvOptions {
  Dims stride = {1}, padding = {0}, dilation = {1};
  int64_t groups = 1;
  Dims output_padding = {0};               // transposed only
  bool same = false;                       // padding so that output has input's size, the odd one after
  fd_activation activation = FD_ACT_NONE;  // of the output; conv only
};

// The shape of a convolution of input (n, c, ...) with weight, whose bias may be missing. x and y of a transposed one
// are its output and input.
inline fd_conv check_conv(const char* op, int dims, const Given& input, const Given& weight, const Given* bias,
                          const ConvOptions& o, bool transposed) {
  check_floating(op, input);
  check_same_dtype(op, weight, input);
  check_batch(op, input, dims);
  check<ShapeError>(weight.shape.size() == dims + 2, op, ": weight has shape ", weight.shape, "; expected ", dims + 2,
                    " dimensions, ", transposed ? "(in, out / groups, kernel)" : "(out, in / groups, kernel)");
  check<ValueError>(o.groups > 0, op, ": groups is ", o.groups, "; expected at least 1");
  const int64_t channels = input.shape[1], given = weight.shape[0];
  check<ShapeError>(given % o.groups == 0, op, ": weight has ", given, transposed ? " input" : " output",
                    " channels; expected a multiple of groups = ", o.groups);
  fd_conv v = {};
  v.n = input.shape[0];
  v.groups = o.groups;
  const int64_t expected = transposed ? given : weight.shape[1] * o.groups;
  check<ShapeError>(channels == expected, op, ": input of shape ", input.shape, " has ", channels,
                    " channels; weight of shape ", weight.shape, o.groups == 1 ? "" : " in groups", " expects ",
                    expected);
  const int64_t outputs = transposed ? weight.shape[1] * o.groups : given;
  v.in_channels = transposed ? outputs : channels;
  v.out_channels = transposed ? channels : outputs;
  if (bias) {
    check_same_dtype(op, *bias, input);
    check_vector(op, *bias, outputs, "output channel");
  }
  const Spatial kernel = spatial_sizes(weight.shape, dims), size = spatial_sizes(input.shape, dims);
  const Spatial stride = spatial(op, "stride", o.stride, dims, 1, 1);
  const Spatial dilation = spatial(op, "dilation", o.dilation, dims, 1, 1);
  const Spatial padding = spatial(op, "padding", o.padding, dims, 0, 0);
  const Spatial more = spatial(op, "output_padding", o.output_padding, dims, 0, 0);
  copy(kernel, v.kernel);
  copy(stride, v.stride);
  copy(dilation, v.dilation);
  copy(padding, v.pad);
  for (int d = 0; d < FD_SPATIAL; d++) {
    const int64_t reach = dilation[d] * (kernel[d] - 1);
    check<ShapeError>(kernel[d] > 0, op, ": weight of shape ", weight.shape, " has an empty kernel");
    if (o.same) {
      check<ValueError>(stride[d] == 1, op, ": padding 'same' needs a stride of 1, got ", o.stride);
      v.pad[d] = reach / 2;
      v.in[d] = v.out[d] = size[d];
    } else if (!transposed) {
      const int64_t padded = size[d] + 2 * padding[d];
      check<ShapeError>(padded > reach, op, ": the kernel covers ", reach + 1, " elements but the padded input has ",
                        padded, " along a dimension: input ", input.shape, ", weight ", weight.shape, ", padding ",
                        o.padding, ", dilation ", o.dilation);
      v.in[d] = size[d];
      v.out[d] = (padded - reach - 1) / stride[d] + 1;
    } else {
      check<ValueError>(more[d] == 0 || more[d] < std::max(stride[d], dilation[d]), op, ": output_padding ",
                        o.output_padding, " must be smaller than stride ", o.stride, " or dilation ", o.dilation);
      v.out[d] = size[d];
      v.in[d] = (size[d] - 1) * stride[d] - 2 * padding[d] + reach + more[d] + 1;
      check<ShapeError>(v.in[d] > 0, op, ": the output would have size ", v.in[d], " along a dimension: input ",
                        input.shape, ", weight ", weight.shape, ", padding ", o.padding);
    }
  }
  return v;
}

// ------------------------------------------------------------------------------------------------ pooling

struct PoolOptions {
  Dims kernel, stride, padding = {0}, dilation = {1};  // no stride: kernel
  bool ceil_mode = false;
  bool count_include_pad = true;
  std::optional<int64_t> divisor;
};

inline fd_pool planes_of(const Given& input, int dims) {
  fd_pool v = {};
  v.planes = input.shape[0] * input.shape[1];
  copy(spatial_sizes(input.shape, dims), v.in);
  for (int d = 0; d < FD_SPATIAL; d++) v.kernel[d] = v.stride[d] = v.dilation[d] = v.out[d] = 1;
  return v;
}

// The windows of input (n, c, ...). With ceil_mode a last window may reach beyond the border, but must begin before it.
inline fd_pool check_pool(const char* op, int dims, const Given& input, const PoolOptions& o) {
  check_floating(op, input);
  check_batch(op, input, dims);
  fd_pool v = planes_of(input, dims);
  const Spatial kernel = spatial(op, "kernel_size", o.kernel, dims, 1, 1);
  const Spatial stride = spatial(op, "stride", o.stride.empty() ? o.kernel : o.stride, dims, 1, 1);
  const Spatial padding = spatial(op, "padding", o.padding, dims, 0, 0);
  const Spatial dilation = spatial(op, "dilation", o.dilation, dims, 1, 1);
  copy(kernel, v.kernel);
  copy(stride, v.stride);
  copy(padding, v.pad);
  copy(dilation, v.dilation);
  for (int d = 0; d < FD_SPATIAL; d++) {
    check<ValueError>(2 * padding[d] <= kernel[d], op, ": padding ", o.padding, " is more than half of kernel_size ",
                      o.kernel);
    const int64_t room = v.in[d] + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1;
    check<ShapeError>(room >= 0, op, ": the kernel covers ", dilation[d] * (kernel[d] - 1) + 1,
                      " elements but the padded input has ", v.in[d] + 2 * padding[d], " along a dimension: input ",
                      input.shape, ", kernel_size ", o.kernel, ", padding ", o.padding);
    v.out[d] = (room + (o.ceil_mode ? stride[d] - 1 : 0)) / stride[d] + 1;
    if (o.ceil_mode && (v.out[d] - 1) * stride[d] >= v.in[d] + padding[d]) v.out[d]--;
  }
  v.include_pad = o.count_include_pad;
  if (o.divisor) {
    check<ValueError>(*o.divisor != 0, op, ": divisor_override is 0");
    v.divisor = *o.divisor;
  }
  return v;
}

// sizes: of the output, -1 keeping the input's.
inline fd_pool check_adaptive_pool(const char* op, int dims, const Given& input, const Dims& sizes) {
  check_floating(op, input);
  check_batch(op, input, dims);
  fd_pool v = planes_of(input, dims);
  v.adaptive = 1;
  const Spatial out = spatial(op, "output_size", sizes, dims, 1, -1);
  for (int d = 0; d < FD_SPATIAL; d++) {
    v.out[d] = out[d] < 0 ? v.in[d] : out[d];
    check<ShapeError>(v.in[d] > 0 || v.out[d] == 0, op, ": input of shape ", input.shape, " has nothing to pool");
  }
  return v;
}

// (n, c, out...)
template <class Windows>
Shape output_shape(int64_t n, int64_t c, const Windows& sizes, int dims) {
  Shape shape = {n, c};
  for (int d = FD_SPATIAL - dims; d < FD_SPATIAL; d++) shape.push_back(sizes[d]);
  return shape;
}

}  // namespace fd::ops
