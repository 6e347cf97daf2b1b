// Convolutions with PyTorch's signatures (torch.conv2d, torch.nn.functional.conv2d).
#include <string_view>

#include "bindings/bind.h"
#include "bindings/caster.h"
#include "ops/autocast.h"
#include "ops/windows.h"

namespace fd::bindings {

namespace {

using Maybe = std::optional<Tensor>;

const Tensor& given(const Maybe& t) {
  static const Tensor undefined;
  return t ? *t : undefined;
}

constexpr const char* kNames[] = {"conv1d", "conv2d", "conv3d"};

// Numbers, or "same" or "valid".
void set_padding(const char* op, nb::handle padding, ops::ConvOptions& o) {
  if (parse_dims(padding.ptr(), &o.padding)) return;
  o.padding = {0};
  const std::string_view word = nb::isinstance<nb::str>(padding) ? nb::cast<const char*>(padding) : "";
  o.same = word == "same";
  if (o.same || word == "valid") return;
  fail<ValueError>(op, ": padding is ", nb::repr(padding).c_str(), "; expected numbers, 'same' or 'valid'");
}

template <int dims>
Tensor conv(const Tensor& input, const Tensor& weight, const Maybe& bias, const Dims& stride, nb::handle padding,
            const Dims& dilation, int64_t groups, const std::string& activation) {
  ops::ConvOptions o;
  o.activation = activation_of(kNames[dims - 1], activation);
  o.stride = stride;
  o.dilation = dilation;
  o.groups = groups;
  set_padding(kNames[dims - 1], padding, o);
  return ops::conv(dims, ops::lowered(input), ops::lowered(weight), ops::lowered(given(bias)), o);
}

template <int dims>
Tensor conv_transpose(const Tensor& input, const Tensor& weight, const Maybe& bias, const Dims& stride,
                      const Dims& padding, const Dims& output_padding, int64_t groups, const Dims& dilation) {
  ops::ConvOptions o;
  o.stride = stride;
  o.padding = padding;
  o.output_padding = output_padding;
  o.groups = groups;
  o.dilation = dilation;
  return ops::conv_transpose(dims, ops::lowered(input), ops::lowered(weight), ops::lowered(given(bias)), o);
}

template <int dims>
void bind_dims(nb::module_& m, const char* name, const char* name_transpose, const char* doc,
               const char* doc_transpose) {
  m.def(name, conv<dims>, "input"_a, "weight"_a, "bias"_a = nb::none(), "stride"_a = 1, "padding"_a = 0,
        "dilation"_a = 1, "groups"_a = 1, "activation"_a = "none", doc);
  m.def(name_transpose, conv_transpose<dims>, "input"_a, "weight"_a, "bias"_a = nb::none(), "stride"_a = 1,
        "padding"_a = 0, "output_padding"_a = 0, "groups"_a = 1, "dilation"_a = 1, doc_transpose);
}

}  // namespace

void bind_conv(nb::module_& m) {
  bind_dims<2>(
      m, "conv2d", "conv_transpose2d",
      "Cross-correlation of input with weight, plus bias (book sections 7.1 to 7.4).\n\n"
      "input: (n, c, h, w) or (c, h, w), float32 or float64 (halves are computed in float32); weight: (out, c / "
      "groups,\n"
      "kh, kw); bias: (out,). stride, padding, dilation: a number or a pair; padding may be 'same' (output as large "
      "as\n"
      "input, stride 1) or 'valid'. Each of `groups` groups of channels meets only its own outputs. The result is\n"
      "(n, out, h', w') with h' = (h + 2 padding - dilation (kh - 1) - 1) // stride + 1.\n"
      "activation ('none', 'relu', 'sigmoid' or 'tanh'; not in PyTorch) is applied by the same kernel.\n"
      "ShapeError if channels do not fit or the kernel is larger than the padded input, ValueError for numbers out of\n"
      "range, DTypeError if dtypes differ.",
      "Transposed cross-correlation (book section 14.10): the gradient of conv2d with respect to its input.\n\n"
      "input: (n, c, h, w) or (c, h, w); weight: (c, out / groups, kh, kw); bias: (out,). The result has height\n"
      "(h - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1. Errors as conv2d's.");
  bind_dims<1>(
      m, "conv1d", "conv_transpose1d",
      "Cross-correlation along one dimension: input (n, c, l) or (c, l), weight (out, c / groups, k). Arguments "
      "and errors as conv2d's.",
      "Transposed conv1d; arguments and errors as conv_transpose2d's.");
  bind_dims<3>(
      m, "conv3d", "conv_transpose3d",
      "Cross-correlation over volumes: input (n, c, d, h, w) or (c, d, h, w), weight (out, c / groups, kd, kh, "
      "kw). Arguments and errors as conv2d's.",
      "Transposed conv3d; arguments and errors as conv_transpose2d's.");
}

}  // namespace fd::bindings
