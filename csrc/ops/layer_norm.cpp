// Layer normalisation over the last dimensions (Ba, Kiros, Hinton 2016): y = (x - mean) / sqrt(var + eps) weight +
// bias. Each row is a channel of a batch normalisation with one example, so its kernels serve both.
#include "ops/checks.h"
#include "ops/ops.h"

namespace fd::ops {

Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, const Tensor& bias,
                  double eps) {
  const Given given = {"input", x.dtype(), x.shape()};
  check_normalized_shape("layer_norm", given, normalized_shape);
  for (const auto& [name, t] : {std::pair<const char*, const Tensor&>{"weight", weight}, {"bias", bias}}) {
    if (!t.defined()) continue;
    const Given affine = {name, t.dtype(), t.shape()};
    check_same_dtype("layer_norm", affine, given);
    check<ShapeError>(t.shape() == normalized_shape, "layer_norm: ", name, " has shape ", t.shape(),
                      "; expected normalized_shape ", normalized_shape);
  }
  const int64_t width = numel(normalized_shape);
  Tensor y;
  if (width > 1 && x.numel() > 0)
    y = reshape(batch_norm(reshape(x, {1, x.numel() / width, width}), {}, {}, {}, {}, true, 0, eps), x.shape());
  else
    y = sub(x, x);  // one value is its own mean
  if (weight.defined()) y = mul(y, weight);
  return bias.defined() ? add(y, bias) : y;
}

}  // namespace fd::ops
