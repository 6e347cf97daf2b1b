// What sorting makes easy: finding places in sorted values, distinct values, membership; and counting by value.
#include "ops/index_axes.h"

namespace fd::ops {

namespace {

// The number of elements of row [n] that are less than x (right: at most x); NaN is greater than everything.
template <class T>
int64_t place_of(const T* row, int64_t n, T x, bool right) {
  int64_t low = 0;
  while (n > 0) {
    const int64_t half = n / 2;
    const T m = row[low + half];
    const bool before = right ? m <= x || (x != x) : m < x || (x != x && m == m);
    if (before) low += half + 1;
    n = before ? n - half - 1 : half;
  }
  return low;
}

template <class T>
void find_places(const Tensor& sorted, const Tensor& values, bool right, const Tensor& out) {
  const int64_t n = sorted.size(sorted.dim() - 1);
  const int64_t each = sorted.dim() == 1 ? values.numel() : values.size(values.dim() - 1);
  const T *row = sorted.data_as<T>(), *x = values.data_as<T>();
  auto* places = out.data_as<int64_t>();
  for (int64_t i = 0; i < values.numel(); i++)
    places[i] = place_of(sorted.dim() == 1 ? row : row + i / each * n, n, x[i], right);
}

}  // namespace

Tensor searchsorted(const Tensor& sorted, const Tensor& values, bool right, DType dtype) {
  check<ShapeError>(sorted.dim() > 0, "searchsorted: the sorted sequence must have at least one dimension");
  if (sorted.dim() > 1) {
    bool fits = sorted.dim() == values.dim();
    for (int i = 0; fits && i < sorted.dim() - 1; i++) fits = sorted.size(i) == values.size(i);
    check<ShapeError>(fits, "searchsorted: sequences of shape ", sorted.shape(), " and values of shape ",
                      values.shape(), " must agree in all dimensions but the last");
  }
  const DType d = is_floating(promote(sorted.dtype(), values.dtype())) ? DType::float64 : DType::int64;
  check_same_device("searchsorted", sorted, values);
  const Tensor s = on_host(contiguous(to(detach(sorted), d))), v = on_host(contiguous(to(detach(values), d)));
  Tensor out = empty(values.shape(), DType::int64);
  if (d == DType::int64)
    find_places<int64_t>(s, v, right, out);
  else
    find_places<double>(s, v, right, out);
  return to_device(to(out, dtype), values.device());
}

namespace {

// Distinct neighbours of flat values; inverse and counts are those of the runs.
Unique runs_of(const Tensor& flat) {
  const int64_t n = flat.numel();
  if (n == 0) return {flat, empty({0}, DType::int64, flat.device()), empty({0}, DType::int64, flat.device())};
  Tensor starts = full({n}, 1, DType::boolean, flat.device());
  copy_(narrow(starts, 0, 1, n - 1), compare(FD_NE, narrow(flat, 0, 1, n - 1), narrow(flat, 0, 0, n - 1)));
  const Tensor first = nonzero_positions(starts);
  const Tensor last = cat({narrow(first, 0, 1, first.numel() - 1), full({1}, n, DType::int64, flat.device())}, 0);
  return {index_select(flat, 0, first), sub(scan(FD_SCAN_CUMSUM, starts, 0).values, 1), sub(last, first)};
}

}  // namespace

Unique unique(const Tensor& t) {
  const GradMode off(false);
  const ValueIndex sorted = sort(reshape(t, {t.numel()}), 0, false);
  Unique u = runs_of(sorted.values);
  const Tensor inverse = empty({t.numel()}, DType::int64, t.device());
  scatter_(inverse, 0, sorted.indices, u.inverse);
  u.inverse = view(inverse, t.shape());
  return u;
}

Unique unique_consecutive(const Tensor& t) {
  const GradMode off(false);
  Unique u = runs_of(reshape(t, {t.numel()}));
  u.inverse = view(u.inverse, t.shape());
  return u;
}

Tensor isin(const Tensor& elements, const Tensor& test) {
  const GradMode off(false);
  if (test.numel() == 0) return zeros(elements.shape(), DType::boolean, elements.device());
  const DType d = promote(elements.dtype(), test.dtype());
  const Tensor sorted = sort(reshape(to(test, d), {test.numel()}), 0, false).values;
  const Tensor places = searchsorted(sorted, to(elements, d), false, DType::int64);
  const Tensor nearest = take(sorted, binary(FD_MINIMUM, places, Scalar(test.numel() - 1)));
  return compare(FD_EQ, nearest, to(elements, d));
}

Tensor bincount(const Tensor& t, const Tensor& weights, int64_t at_least) {
  check<ShapeError>(t.dim() == 1, "bincount: expected one dimension, got shape ", t.shape());
  check<DTypeError>(is_integral(t.dtype()) && t.dtype() != DType::boolean, "bincount: expected integers, got ",
                    t.dtype());
  check<ValueError>(at_least >= 0, "bincount: minlength must not be negative, got ", at_least);
  if (weights.defined())
    check<ShapeError>(weights.shape() == t.shape(), "bincount: weights have shape ", weights.shape(),
                      " but the input has ", t.shape());
  const Tensor which = on_host(contiguous(to(t, DType::int64)));
  const int64_t n = which.numel();
  const auto* p = which.data_as<int64_t>();
  for (int64_t i = 0; i < n; i++) {
    check<ValueError>(p[i] >= 0, "bincount: expected non-negative integers, got ", p[i]);
    at_least = std::max(at_least, p[i] + 1);
  }
  if (!weights.defined()) {
    const Tensor out = zeros({at_least}, DType::int64);
    auto* counts = out.data_as<int64_t>();
    for (int64_t i = 0; i < n; i++) counts[p[i]]++;
    return to_device(out, t.device());
  }
  // Summed in double, as many weights may meet in one place.
  const Tensor w = on_host(contiguous(to(detach(weights), DType::float64))), out = zeros({at_least}, DType::float64);
  const auto* weight = w.data_as<double>();
  auto* sums = out.data_as<double>();
  for (int64_t i = 0; i < n; i++) sums[p[i]] += weight[i];
  return to_device(to(out, weights.dtype() == DType::float32 ? DType::float32 : DType::float64), t.device());
}

}  // namespace fd::ops
