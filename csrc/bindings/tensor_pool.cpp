// Pooling with PyTorch's signatures (torch.nn.functional.max_pool2d).
#include "bindings/bind.h"
#include "bindings/caster.h"
#include "bindings/results.h"
#include "ops/windows.h"

namespace fd::bindings {

namespace {

// None or an empty list: as wide as the window.
Dims stride_of(const std::optional<Dims>& stride) { return stride.value_or(Dims()); }

nb::object values_or_both(const ops::ValueIndex& made, bool both) {
  return both ? tuple_of({made.values, made.indices}) : nb::cast(made.values);
}

template <int dims>
nb::object max_pool(const Tensor& input, const Dims& kernel_size, const std::optional<Dims>& stride,
                    const Dims& padding, const Dims& dilation, bool ceil_mode, bool return_indices) {
  ops::PoolOptions o;
  o.kernel = kernel_size;
  o.stride = stride_of(stride);
  o.padding = padding;
  o.dilation = dilation;
  o.ceil_mode = ceil_mode;
  return values_or_both(ops::max_pool(dims, input, o, return_indices), return_indices);
}

template <int dims>
Tensor avg_pool(const Tensor& input, const Dims& kernel_size, const std::optional<Dims>& stride, const Dims& padding,
                bool ceil_mode, bool count_include_pad, std::optional<int64_t> divisor_override) {
  ops::PoolOptions o;
  o.kernel = kernel_size;
  o.stride = stride_of(stride);
  o.padding = padding;
  o.ceil_mode = ceil_mode;
  o.count_include_pad = count_include_pad;
  o.divisor = divisor_override;
  return ops::avg_pool(dims, input, o);
}

// An int, or a sequence whose None entries keep the input's size (-1).
Dims output_sizes(const char* op, nb::handle size) {
  Dims sizes;
  if (size.is_none()) return {-1};
  if (parse_dims(size.ptr(), &sizes)) {
    for (int64_t s : sizes) check<ValueError>(s >= 0, op, ": output_size is ", sizes, "; expected no negative number");
    return sizes;
  }
  check<DTypeError>(nb::isinstance<nb::sequence>(size), op, ": output_size must be an int or a sequence, not ",
                    nb::repr(size).c_str());
  for (nb::handle entry : nb::borrow<nb::sequence>(size)) {
    const int64_t s = entry.is_none() ? -1 : nb::cast<int64_t>(entry);
    check<ValueError>(entry.is_none() || s >= 0, op, ": output_size is ", nb::repr(size).c_str(),
                      "; expected no negative number");
    sizes.push_back(s);
  }
  return sizes;
}

template <int dims>
nb::object adaptive_max_pool(const Tensor& input, nb::handle output_size, bool return_indices) {
  const Dims sizes = output_sizes("adaptive_max_pool", output_size);
  return values_or_both(ops::adaptive_max_pool(dims, input, sizes, return_indices), return_indices);
}

template <int dims>
Tensor adaptive_avg_pool(const Tensor& input, nb::handle output_size) {
  return ops::adaptive_avg_pool(dims, input, output_sizes("adaptive_avg_pool", output_size));
}

struct Names {
  const char *max, *avg, *adaptive_max, *adaptive_avg;
};

template <int dims>
void bind_dims(nb::module_& m, const Names& names) {
  m.def(names.max, max_pool<dims>, "input"_a, "kernel_size"_a, "stride"_a = nb::none(), "padding"_a = 0,
        "dilation"_a = 1, "ceil_mode"_a = false, "return_indices"_a = false,
        "The maximum of each window of each channel (book section 7.5).\n\n"
        "input: (n, c, ...) or (c, ...), floating; stride is kernel_size if not given; padding (at most half of the\n"
        "kernel) counts as minus infinity. ceil_mode keeps a last window that reaches beyond the border. With\n"
        "return_indices (values, positions in the channel's plane, int64). The first of equals wins, NaN before all.\n"
        "ShapeError for a kernel larger than the padded input, ValueError for numbers out of range.");
  m.def(
      names.avg, avg_pool<dims>, "input"_a, "kernel_size"_a, "stride"_a = nb::none(), "padding"_a = 0,
      "ceil_mode"_a = false, "count_include_pad"_a = true, "divisor_override"_a = nb::none(),
      "The average of each window of each channel (book section 7.5).\n\n"
      "Padding counts as zeros, or not at all without count_include_pad; divisor_override divides the sum instead of\n"
      "the count. Other arguments and errors as max_pool2d's.");
  m.def(names.adaptive_max, adaptive_max_pool<dims>, "input"_a, "output_size"_a, "return_indices"_a = false,
        "Max pooling to a given size: window i covers floor(i in / out) to ceil((i + 1) in / out). An int for all\n"
        "dimensions or one for each; None keeps the input's.");
  m.def(names.adaptive_avg, adaptive_avg_pool<dims>, "input"_a, "output_size"_a,
        "Average pooling to a given size (Lin, Chen and Yan 2014 for size 1); windows as adaptive_max_pool2d's.");
}

}  // namespace

void bind_pool(nb::module_& m) {
  bind_dims<1>(m, {"max_pool1d", "avg_pool1d", "adaptive_max_pool1d", "adaptive_avg_pool1d"});
  bind_dims<2>(m, {"max_pool2d", "avg_pool2d", "adaptive_max_pool2d", "adaptive_avg_pool2d"});
  bind_dims<3>(m, {"max_pool3d", "avg_pool3d", "adaptive_max_pool3d", "adaptive_avg_pool3d"});
}

}  // namespace fd::bindings
