// Reductions and running reductions.
#include <cmath>

#include "bindings/bind.h"
#include "bindings/caster.h"
#include "bindings/results.h"

namespace fd::bindings {

namespace {

using MaybeDims = std::optional<Dims>;

// The forms PyTorch and NumPy users write: f(), f(dim), f(dim, keepdim), f(axis=…, keepdims=…), dtype=.
template <class F>
void bind_dims(nb::module_& m, const char* name, F f, const char* doc) {
  const auto plain = [f](const Tensor& x, const MaybeDims& dim, bool keepdim, std::optional<DType> dtype) {
    return f(dtype ? ops::to(x, *dtype) : x, dim.value_or(Dims()), keepdim);
  };
  const auto numpy_style = [f](const Tensor& x, const MaybeDims& axis, bool keepdims, std::optional<DType> dtype) {
    return f(dtype ? ops::to(x, *dtype) : x, axis.value_or(Dims()), keepdims);
  };
  function_and_method(m, name, plain, "dim"_a = nb::none(), "keepdim"_a = false, nb::kw_only(), "dtype"_a = nb::none(),
                      doc);
  function_and_method(m, name, numpy_style, nb::kw_only(), "axis"_a = nb::none(), "keepdims"_a = false,
                      "dtype"_a = nb::none(), doc);
  const auto mixed = [f](const Tensor& x, const MaybeDims& dim, bool keepdims) {
    return f(x, dim.value_or(Dims()), keepdims);
  };
  function_and_method(m, name, mixed, "dim"_a = nb::none(), nb::kw_only(), "keepdims"_a, doc);
  const auto mixed_axis = [f](const Tensor& x, const MaybeDims& axis, bool keepdim) {
    return f(x, axis.value_or(Dims()), keepdim);
  };
  function_and_method(m, name, mixed_axis, nb::kw_only(), "axis"_a, "keepdim"_a, doc);
}

template <fd_reduce_op op>
Tensor reduced(const Tensor& x, const Dims& dims, bool keepdim) {
  return ops::reduce(op, x, dims, keepdim);
}

void bind_plain(nb::module_& m) {
  bind_dims(m, "sum", reduced<FD_REDUCE_SUM>,
            "The sum over dim (an int, a tuple, or None for all). Integers give int64.");
  bind_dims(m, "mean", reduced<FD_REDUCE_MEAN>,
            "The mean over dim (an int, a tuple, or None for all) of floating elements.");
  bind_dims(m, "prod", reduced<FD_REDUCE_PROD>, "The product over dim, or of all elements.");
  bind_dims(m, "amax", reduced<FD_REDUCE_MAX>, "The largest element over dim; equal ones share the gradient.");
  bind_dims(m, "amin", reduced<FD_REDUCE_MIN>, "The smallest element over dim; equal ones share the gradient.");
  bind_dims(m, "any", reduced<FD_REDUCE_ANY>, "Whether any element over dim is nonzero.");
  bind_dims(m, "all", reduced<FD_REDUCE_ALL>, "Whether all elements over dim are nonzero.");
  bind_dims(m, "logsumexp", reduced<FD_REDUCE_LOGSUMEXP>, "log(sum(exp(x))) over dim, stable.");
  bind_dims(
      m, "nansum",
      [](const Tensor& x, const Dims& d, bool k) {
        return ops::sum(ops::where(ops::predicate(FD_ISNAN, x), 0, x), d, k);
      },
      "The sum over dim, NaN counting as 0.");
  const auto count = [](const Tensor& x, const MaybeDims& d) {
    return ops::reduce(FD_REDUCE_COUNT_NONZERO, x, d.value_or(Dims()), false);
  };
  const char* count_doc = "How many elements over dim are nonzero, int64.";
  function_and_method(m, "count_nonzero", count, "dim"_a = nb::none(), count_doc);
  function_and_method(m, "count_nonzero", count, nb::kw_only(), "axis"_a, count_doc);
}

// ---- max, min and their positions

template <fd_reduce_op all_op, fd_reduce_op arg_op, fd_binary_op pair_op>
void bind_extremum(nb::module_& m, const char* name, const char* arg_name, const char* doc) {
  function_and_method(m, name, [](const Tensor& x) { return ops::reduce(all_op, x, {}, false); }, doc);
  const auto along = [name](const Tensor& x, int64_t dim, bool keepdim) {
    return named_pair(name, ops::extremum(arg_op, x, dim, keepdim));
  };
  function_and_method(m, name, along, "dim"_a, "keepdim"_a = false, doc);
  function_and_method(m, name, along, nb::kw_only(), "axis"_a, "keepdims"_a = false, doc);
  function_and_method(
      m, name, [](const Tensor& x, const Tensor& other) { return ops::binary(pair_op, x, other); }, "other"_a, doc);
  const auto arg = [](const Tensor& x, std::optional<int64_t> dim, bool keepdim) {
    return ops::arg_extremum(arg_op, x, dim, keepdim);
  };
  constexpr const char* arg_doc = "The position (int64) of the extreme element along dim, or in the flattened tensor.";
  function_and_method(m, arg_name, arg, "dim"_a = nb::none(), "keepdim"_a = false, arg_doc);
  function_and_method(m, arg_name, arg, nb::kw_only(), "axis"_a = nb::none(), "keepdims"_a = false, arg_doc);
}

// ---- variance, standard deviation, norm

double correction_of(std::optional<bool> unbiased, std::optional<Scalar> correction, const char* op) {
  check<ValueError>(!unbiased || !correction, op, ": give unbiased or correction, not both");
  if (unbiased) return *unbiased ? 1 : 0;
  return correction ? correction->to_double() : 1;
}

Tensor standard_deviation(const Tensor& x, const Dims& d, double correction, bool keepdim) {
  return ops::unary(FD_SQRT, ops::reduce(FD_REDUCE_VAR, x, d, keepdim, correction));
}

template <class F>
void bind_spread(nb::module_& m, const char* name, F f, const char* doc) {
  const auto full = [f, name](const Tensor& x, const MaybeDims& dim, std::optional<bool> unbiased, bool keepdim,
                              std::optional<Scalar> correction) {
    return f(x, dim.value_or(Dims()), correction_of(unbiased, correction, name), keepdim);
  };
  function_and_method(
      m, name, [f](const Tensor& x, bool unbiased) { return f(x, Dims(), unbiased ? 1.0 : 0.0, false); }, "unbiased"_a,
      doc);
  function_and_method(m, name, full, "dim"_a = nb::none(), "unbiased"_a = nb::none(), "keepdim"_a = false,
                      nb::kw_only(), "correction"_a = nb::none(), doc);
  function_and_method(m, name, full, nb::kw_only(), "axis"_a, "unbiased"_a = nb::none(), "keepdims"_a = false,
                      "correction"_a = nb::none(), doc);
}

Tensor norm(const Tensor& x, const nb::object& p, const Dims& dims, bool keepdim) {
  double order = 2;
  Scalar s(2);
  if (nb::isinstance<nb::str>(p)) {
    const std::string name = nb::cast<std::string>(p);
    check<ValueError>(name == "fro", "norm: p '", name, "' is not supported; expected a number or 'fro'");
  } else if (!p.is_none()) {
    check<DTypeError>(parse_scalar(p.ptr(), &s), "norm: p must be a number or 'fro'");
    order = s.to_double();
  }
  if (order == 2) return ops::reduce(FD_REDUCE_NORM2, x, dims, keepdim);
  if (order == 1) return ops::reduce(FD_REDUCE_NORM1, x, dims, keepdim);
  const Tensor a = ops::unary(FD_ABS, x);
  if (std::isinf(order)) return ops::reduce(order > 0 ? FD_REDUCE_MAX : FD_REDUCE_MIN, a, dims, keepdim);
  if (order == 0) return ops::sum(ops::to(ops::compare(FD_NE, x, 0), x.dtype()), dims, keepdim);
  return ops::pow(ops::sum(ops::pow(a, order), dims, keepdim), 1.0 / order);
}

void bind_statistics(nb::module_& m) {
  bind_spread(
      m, "var", [](const Tensor& x, const Dims& d, double c, bool k) { return ops::reduce(FD_REDUCE_VAR, x, d, k, c); },
      "The variance over dim, divided by n - correction (1: unbiased).");
  bind_spread(m, "std", standard_deviation, "The standard deviation over dim, of n - correction (1: unbiased).");
  bind_spread(
      m, "var_mean",
      [](const Tensor& x, const Dims& d, double c, bool k) {
        const ops::MeanVar r = ops::var_mean(x, d, c, k);
        return std::make_pair(r.var, r.mean);
      },
      "The variance and the mean over dim.");
  bind_spread(
      m, "std_mean",
      [](const Tensor& x, const Dims& d, double c, bool k) {
        return std::make_pair(standard_deviation(x, d, c, k), ops::mean(x, d, k));
      },
      "The standard deviation and the mean over dim.");
  function_and_method(
      m, "norm",
      [](const Tensor& x, const nb::object& p, const MaybeDims& dim, bool keepdim) {
        return norm(x, p, dim.value_or(Dims()), keepdim);
      },
      "p"_a = "fro", "dim"_a = nb::none(), "keepdim"_a = false,
      "The p-norm over dim, or of all elements (book section 2.3).");
}

// ---- running reductions

template <fd_scan_op op>
void bind_running(nb::module_& m, const char* name, const char* doc) {
  const auto f = [](const Tensor& x, int64_t dim, std::optional<DType> dtype) {
    return ops::scan(op, dtype ? ops::to(x, *dtype) : x, dim).values;
  };
  function_and_method(m, name, f, "dim"_a, nb::kw_only(), "dtype"_a = nb::none(), doc);
  function_and_method(m, name, f, nb::kw_only(), "axis"_a, "dtype"_a = nb::none(), doc);
}

template <fd_scan_op op>
void bind_running_extremum(nb::module_& m, const char* name, const char* doc) {
  function_and_method(
      m, name, [name](const Tensor& x, int64_t dim) { return named_pair(name, ops::scan(op, x, dim)); }, "dim"_a, doc);
}

}  // namespace

void bind_reduce(nb::module_& m) {
  bind_plain(m);
  bind_extremum<FD_REDUCE_MAX, FD_REDUCE_ARGMAX, FD_MAXIMUM>(
      m, "max", "argmax",
      "The largest element; with dim (values, indices) along it; with another tensor the larger of both.");
  bind_extremum<FD_REDUCE_MIN, FD_REDUCE_ARGMIN, FD_MINIMUM>(
      m, "min", "argmin",
      "The smallest element; with dim (values, indices) along it; with another tensor the smaller of both.");
  bind_statistics(m);
  bind_running<FD_SCAN_CUMSUM>(m, "cumsum", "The running sum along dim.");
  bind_running<FD_SCAN_CUMPROD>(m, "cumprod", "The running product along dim.");
  bind_running<FD_SCAN_LOGCUMSUMEXP>(m, "logcumsumexp", "The logarithm of the running sum of exponentials along dim.");
  bind_running_extremum<FD_SCAN_CUMMAX>(m, "cummax", "The running maximum along dim and its positions.");
  bind_running_extremum<FD_SCAN_CUMMIN>(m, "cummin", "The running minimum along dim and its positions.");
}

}  // namespace fd::bindings
