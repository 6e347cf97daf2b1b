// Sorting, searching, and products over named dimensions.
#include <cmath>

#include "bindings/bind.h"
#include "bindings/results.h"
#include "ops/autocast.h"

namespace fd::bindings {

namespace {

using MaybeInt = std::optional<int64_t>;

void bind_order(nb::module_& m) {
  const char* sort = "Sorted along dim, with the positions: (values, indices). Equal elements keep their order.";
  const auto sorted = [](const Tensor& t, int64_t dim, bool descending, bool) {
    return named_pair("sort", ops::sort(t, dim, descending));
  };
  function_and_method(m, "sort", sorted, "dim"_a = -1, "descending"_a = false, "stable"_a = false, sort);
  const auto sorted_stable = [](const Tensor& t, bool, int64_t dim, bool descending) {
    return named_pair("sort", ops::sort(t, dim, descending));
  };
  function_and_method(m, "sort", sorted_stable, nb::kw_only(), "stable"_a, "dim"_a = -1, "descending"_a = false, sort);
  const auto argsort = [](const Tensor& t, int64_t dim, bool descending, bool) {
    return ops::sort(ops::detach(t), dim, descending).indices;
  };
  function_and_method(m, "argsort", argsort, "dim"_a = -1, "descending"_a = false, "stable"_a = false,
                      "The positions that sort along dim, int64.");
  function_and_method(m, "msort", [](const Tensor& t) { return ops::sort(t, 0, false).values; }, "Sorted along dim 0.");
  const auto topk = [](const Tensor& t, int64_t k, int64_t dim, bool largest, bool) {
    return named_pair("topk", ops::topk(t, k, dim, largest));
  };
  function_and_method(m, "topk", topk, "k"_a, "dim"_a = -1, "largest"_a = true, "sorted"_a = true,
                      "The k largest (or smallest) along dim in order: (values, indices).");
  const auto kthvalue = [](const Tensor& t, int64_t k, int64_t dim, bool keepdim) {
    return named_pair("kthvalue", ops::kthvalue(t, k, dim, keepdim));
  };
  function_and_method(m, "kthvalue", kthvalue, "k"_a, "dim"_a = -1, "keepdim"_a = false,
                      "The k-th smallest along dim, k from 1: (values, indices).");
}

void bind_middle(nb::module_& m) {
  const char* median = "The median, the lower of two middle elements; along dim (values, indices). NaN wins.";
  function_and_method(m, "median", [](const Tensor& t) { return ops::median(t); }, median);
  const auto along = [](const Tensor& t, int64_t dim, bool keepdim) {
    return named_pair("median", ops::median(t, dim, keepdim));
  };
  function_and_method(m, "median", along, "dim"_a, "keepdim"_a = false, median);
  function_and_method(m, "median", along, nb::kw_only(), "axis"_a, "keepdims"_a = false, median);
  const auto quantile = [](const Tensor& t, const OperandArg& q, MaybeInt dim, bool keepdim,
                           const std::string& interpolation) {
    const Tensor at = q.tensor.defined() ? q.tensor : ops::scalar_tensor(q.scalar, t.dtype(), t.device());
    return ops::quantile(t, at, dim, keepdim, interpolation);
  };
  function_and_method(m, "quantile", quantile, "q"_a, "dim"_a = nb::none(), "keepdim"_a = false, nb::kw_only(),
                      "interpolation"_a = "linear",
                      "The values below which a part q (in [0, 1], a number or a vector) lies. Between two elements: "
                      "interpolation is 'linear', 'lower', 'higher', 'midpoint' or 'nearest'.");
}

nb::object unique_result(const ops::Unique& u, bool inverse, bool counts) {
  if (inverse && counts) return tuple_of({u.values, u.inverse, u.counts});
  if (inverse) return tuple_of({u.values, u.inverse});
  if (counts) return tuple_of({u.values, u.counts});
  return nb::cast(u.values);
}

// A number becomes a tensor where the tensor beside it is.
Tensor as_tensor(const OperandArg& o, const Tensor& beside) {
  if (o.tensor.defined()) return o.tensor;
  return ops::scalar_tensor(o.scalar, dtype_of(o.scalar.kind), beside.defined() ? beside.device() : Device{});
}

void bind_search(nb::module_& m) {
  const auto unique = [](const Tensor& t, bool, bool inverse, bool counts, MaybeInt dim) {
    return unique_result(ops::unique(t, dim), inverse, counts);
  };
  function_and_method(
      m, "unique", unique, "sorted"_a = true, "return_inverse"_a = false, "return_counts"_a = false,
      "dim"_a = nb::none(),
      "The distinct elements in order, or the distinct slices along dim; with return_inverse where each "
      "went, with return_counts how often each came.");
  const auto consecutive = [](const Tensor& t, bool inverse, bool counts, MaybeInt dim) {
    return unique_result(ops::unique_consecutive(t, dim), inverse, counts);
  };
  function_and_method(m, "unique_consecutive", consecutive, "return_inverse"_a = false, "return_counts"_a = false,
                      "dim"_a = nb::none(),
                      "The elements, or the slices along dim, without repetitions of their predecessor.");
  const auto places = [](const Tensor& sorted, const OperandArg& values, bool right, bool int32) {
    return ops::searchsorted(sorted, as_tensor(values, sorted), right, int32 ? DType::int32 : DType::int64);
  };
  m.def(
      "searchsorted",
      [places](const Tensor& sorted, const OperandArg& values, bool int32, bool right,
               const std::optional<std::string>& side) {
        check<ValueError>(!side || *side == "left" || *side == "right",
                          "searchsorted: side must be 'left' or 'right', got '", side.value_or(""), "'");
        return places(sorted, values, right || side == "right", int32);
      },
      "sorted_sequence"_a, "input"_a, nb::kw_only(), "out_int32"_a = false, "right"_a = false, "side"_a = nb::none(),
      "Where in the sorted last dimension each value belongs: before equal ones, or after with right.");
  const auto bucketize = [places](const OperandArg& input, const Tensor& boundaries, bool int32, bool right) {
    check<ShapeError>(boundaries.dim() == 1, "bucketize: boundaries must have one dimension, got shape ",
                      boundaries.shape());
    return places(boundaries, input, right, int32);
  };
  m.def("bucketize", bucketize, "input"_a, "boundaries"_a, nb::kw_only(), "out_int32"_a = false, "right"_a = false,
        "The number of the bucket between sorted boundaries that each value falls into.");
  m.def(
      "isin",
      [](const OperandArg& elements, const OperandArg& test, bool, bool invert) {
        const Tensor found = ops::isin(as_tensor(elements, test.tensor), as_tensor(test, elements.tensor));
        return invert ? ops::predicate(FD_LOGICAL_NOT, found) : found;
      },
      "elements"_a, "test_elements"_a, nb::kw_only(), "assume_unique"_a = false, "invert"_a = false,
      "Whether each element occurs in test_elements.");
  const auto bincount = [](const Tensor& t, const std::optional<Tensor>& weights, int64_t minlength) {
    return ops::bincount(t, weights.value_or(Tensor()), minlength);
  };
  function_and_method(m, "bincount", bincount, "weights"_a = nb::none(), "minlength"_a = 0,
                      "How often each of 0, 1, 2, ... occurs in a vector of non-negative integers, or the sum of its "
                      "weights.");
}

Tensor tensordot_last(const Tensor& a, const Tensor& b, int64_t dims) {
  check<ValueError>(dims >= 0 && dims <= a.dim() && dims <= b.dim(), "tensordot: dims is ", dims, " for tensors of ",
                    a.dim(), " and ", b.dim(), " dimensions");
  Dims of_a, of_b;
  for (int64_t i = 0; i < dims; i++) {
    of_a.push_back(a.dim() - dims + i);
    of_b.push_back(i);
  }
  return ops::tensordot(a, b, of_a, of_b);
}

int64_t first_dim_of_three(const Tensor& t) {
  for (int i = 0; i < t.dim(); i++)
    if (t.size(i) == 3) return i;
  fail<ShapeError>("cross: no dimension of shape ", t.shape(), " has size 3");
}

void bind_products(nb::module_& m) {
  m.def(
      "einsum",
      [](const std::string& equation, const nb::args& operands) {
        std::vector<Tensor> tensors = tensors_of(operands, "einsum");
        for (Tensor& t : tensors) t = ops::lowered(t);
        return ops::einsum(equation, tensors);
      },
      "equation"_a, "operands"_a,
      "Sums of products of elements over named dimensions, as 'ij,jk->ik' or 'b...d,d->b...'.");
  const char* tensordot = "Sums of products over the last `dims` of a and the first of b, or over two lists of dims.";
  m.def("tensordot", tensordot_last, "a"_a, "b"_a, "dims"_a = 2, tensordot);
  m.def(
      "tensordot",
      [](const Tensor& a, const Tensor& b, const std::pair<Dims, Dims>& dims) {
        return ops::tensordot(a, b, dims.first, dims.second);
      },
      "a"_a, "b"_a, "dims"_a, tensordot);
  for (const char* name : {"outer", "ger"})
    function_and_method(m, name, ops::outer, "vec2"_a, "All products of elements of two vectors, [n, m].");
  const auto cross = [](const Tensor& a, const Tensor& b, MaybeInt dim) {
    return ops::cross(a, b, dim ? *dim : first_dim_of_three(a));
  };
  function_and_method(m, "cross", cross, "other"_a, "dim"_a = nb::none(),
                      "The cross product along dim, by default the first of size 3.");
  function_and_method(m, "kron", ops::kron, "other"_a, "The Kronecker product.");
  m.def(
      "cdist",
      [](const Tensor& a, const Tensor& b, double p, const std::optional<std::string>&) { return ops::cdist(a, b, p); },
      "x1"_a, "x2"_a, "p"_a = 2.0, "compute_mode"_a = nb::none(),
      "p-norm distances of the rows of x1 [..., m, d] and x2 [..., n, d]: [..., m, n].");
  const auto cov = [](const Tensor& t, int64_t correction) { return ops::cov(t, static_cast<double>(correction)); };
  function_and_method(m, "cov", cov, nb::kw_only(), "correction"_a = 1,
                      "The covariance matrix of variables in rows; divides by the count less correction.");
  function_and_method(m, "corrcoef", ops::corrcoef, "The correlation matrix of variables in rows.");
}

}  // namespace

void bind_sort(nb::module_& m) {
  bind_order(m);
  bind_middle(m);
  bind_search(m);
  bind_products(m);
}

}  // namespace fd::bindings
