// What sorting makes easy: finding places in sorted values, distinct values, membership; and counting by value.
#include "ops/index_axes.h"
#include "ops/remote.h"

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
  const Tensor s = contiguous(to(detach(sorted), d)), v = contiguous(to(detach(values), d));
  if (on_gpu(v)) return to(places_there(s, v, right), dtype);
  Tensor out = empty(values.shape(), DType::int64);
  if (d == DType::int64)
    find_places<int64_t>(s, v, right, out);
  else
    find_places<double>(s, v, right, out);
  return to(out, dtype);
}

namespace {

// Distinct neighbours among rows [n, each]; inverse and counts are those of the runs.
Unique runs_of(const Tensor& rows) {
  const int64_t n = rows.size(0);
  if (n == 0) return {rows, empty({0}, DType::int64, rows.device()), empty({0}, DType::int64, rows.device())};
  Tensor starts = full({n}, 1, DType::boolean, rows.device());
  const Tensor differs = compare(FD_NE, narrow(rows, 0, 1, n - 1), narrow(rows, 0, 0, n - 1));
  copy_(narrow(starts, 0, 1, n - 1), reduce(FD_REDUCE_ANY, differs, {1}, false));
  const Tensor first = nonzero_positions(starts);
  const Tensor last = cat({narrow(first, 0, 1, first.numel() - 1), full({1}, n, DType::int64, rows.device())}, 0);
  return {index_select(rows, 0, first), sub(scan(FD_SCAN_CUMSUM, starts, 0).values, 1), sub(last, first)};
}

// What is compared, as rows: each element, or each slice along dim.
Tensor rows_of(const char* op, const Tensor& t, std::optional<int64_t> dim) {
  if (!dim) return reshape(t, {t.numel(), 1});
  check<ShapeError>(t.dim() > 0, op, ": a 0-dim tensor has no dim ", *dim);
  const int64_t n = t.size(normalize_dim(op, *dim, t.dim()));
  check<ShapeError>(n == 0 || t.numel() > 0, op, ": slices along dim ", *dim, " of shape ", t.shape(),
                    " have no elements");
  return reshape(transpose(t, 0, *dim), {n, n ? t.numel() / n : 0});
}

// Rows back in the shape of t, with as many slices along dim as there are.
Unique shaped(Unique u, const Tensor& t, std::optional<int64_t> dim) {
  if (!dim) {
    u.values = view(u.values, {u.values.numel()});
    u.inverse = view(u.inverse, t.shape());
    return u;
  }
  Shape shape = transpose(t, 0, *dim).shape();
  shape[0] = u.values.size(0);
  u.values = contiguous(transpose(reshape(u.values, shape), 0, *dim));
  return u;
}

// The order that sorts rows by their first column, then by their second, and so on: the last column first, as sorting
// is stable.
Tensor order_of(const Tensor& rows) {
  Tensor order = arange(0, rows.size(0), 1, DType::int64, rows.device());
  for (int64_t column = rows.size(1) - 1; column >= 0; column--) {
    const Tensor keys = index_select(contiguous(select(rows, 1, column)), 0, order);
    order = index_select(order, 0, sort(keys, 0, false).indices);
  }
  return order;
}

}  // namespace

Unique unique(const Tensor& t, std::optional<int64_t> dim) {
  const GradMode off(false);
  const Tensor rows = rows_of("unique", t, dim), order = order_of(rows);
  Unique u = runs_of(index_select(rows, 0, order));
  const Tensor inverse = empty({rows.size(0)}, DType::int64, t.device());
  u.inverse = scatter_(inverse, 0, order, u.inverse);
  return shaped(u, t, dim);
}

Unique unique_consecutive(const Tensor& t, std::optional<int64_t> dim) {
  const GradMode off(false);
  return shaped(runs_of(rows_of("unique_consecutive", t, dim)), t, dim);
}

Tensor isin(const Tensor& elements, const Tensor& test) {
  const GradMode off(false);
  check_same_device("isin", elements, test);
  if (test.numel() == 0) return zeros(elements.shape(), DType::boolean, elements.device());
  const DType d = promote(elements.dtype(), test.dtype());
  const Tensor sorted = sort(reshape(to(test, d), {test.numel()}), 0, false).values;
  const Tensor places = searchsorted(sorted, to(elements, d), false, DType::int64);
  const Tensor nearest = take(sorted, binary(FD_MINIMUM, places, Scalar(test.numel() - 1)));
  return compare(FD_EQ, nearest, to(elements, d));
}

namespace {

// On a GPU, which is asked once: how large the result is depends on it. Counts are the lengths of runs in sorted
// numbers; weights are added one by one, in double.
Tensor bincount_there(const Tensor& which, const Tensor& weights, int64_t at_least) {
  if (which.numel() == 0) return zeros({at_least}, weights.defined() ? weights.dtype() : DType::int64, which.device());
  const auto extreme = [&](fd_reduce_op op) { return reduce(op, which, {0}, true); };
  const Tensor ends = on_host(cat({extreme(FD_REDUCE_MIN), extreme(FD_REDUCE_MAX)}, 0));
  const auto* const p = ends.data_as<int64_t>();
  check<ValueError>(p[0] >= 0, "bincount: expected non-negative integers, got ", p[0]);
  const int64_t bins = std::max(at_least, p[1] + 1);
  if (weights.defined()) {
    const Tensor sums = zeros({bins}, DType::float64, which.device());
    Axes axes;
    axes.add(0, 1, 0, which);
    axes.resolve();
    write_at("bincount", sums, axes, to(detach(weights), DType::float64), true);
    return sums;
  }
  const Tensor edges = ramp_there(bins + 1, 0, 1, 0, DType::int64, which.device());
  const Tensor places = places_there(sort(which, 0, false).values, edges, false);
  return sub(narrow(places, 0, 1, bins), narrow(places, 0, 0, bins));
}

}  // namespace

Tensor bincount(const Tensor& t, const Tensor& weights, int64_t at_least) {
  check<ShapeError>(t.dim() == 1, "bincount: expected one dimension, got shape ", t.shape());
  check<DTypeError>(is_integral(t.dtype()) && t.dtype() != DType::boolean, "bincount: expected integers, got ",
                    t.dtype());
  check<ValueError>(at_least >= 0, "bincount: minlength must not be negative, got ", at_least);
  if (weights.defined())
    check<ShapeError>(weights.shape() == t.shape(), "bincount: weights have shape ", weights.shape(),
                      " but the input has ", t.shape());
  const GradMode off(false);
  const Tensor which = contiguous(to(t, DType::int64));
  const DType sum_type = !weights.defined()                  ? DType::int64
                         : weights.dtype() == DType::float32 ? DType::float32
                                                             : DType::float64;
  if (weights.defined()) check_same_device("bincount", t, weights);
  if (on_gpu(t)) return to(bincount_there(which, weights, at_least), sum_type);
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
    return out;
  }
  // Summed in double, as many weights may meet in one place.
  const Tensor w = contiguous(to(detach(weights), DType::float64)), out = zeros({at_least}, DType::float64);
  const auto* weight = w.data_as<double>();
  auto* sums = out.data_as<double>();
  for (int64_t i = 0; i < n; i++) sums[p[i]] += weight[i];
  return to(out, sum_type);
}

}  // namespace fd::ops
