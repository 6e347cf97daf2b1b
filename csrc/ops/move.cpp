// The same elements in other places: flipped, rolled, repeated, on diagonals and in triangles.
#include "ops/linear_node.h"
#include "ops/remote.h"

namespace fd::ops {

namespace {

uint32_t dim_set(const char* op, const Tensor& t, const Dims& dims) {
  uint32_t set = 0;
  for (int64_t dim : dims) {
    const int d = normalize_dim(op, dim, t.dim());
    check<ShapeError>(!(set >> d & 1), op, ": dim ", d, " is given twice in ", dims);
    set |= 1u << d;
  }
  return set;
}

}  // namespace

Tensor flip(const Tensor& t, const Dims& dims) {
  const uint32_t set = dim_set("flip", t, dims);
  return linear_step(
      "FlipBackward0", t,
      [set](const Tensor& x) {
        if (x.numel() == 0) return clone(x);
        Dims strides = x.strides();
        int64_t offset = x->storage_offset();
        for (int i = 0; i < x.dim(); i++) {
          if (!(set >> i & 1)) continue;
          offset += (x.size(i) - 1) * strides[i];
          strides[i] = -strides[i];
        }
        return clone(alias(x, x.shape(), strides, offset));
      },
      [dims](const Tensor& g) { return flip(g, dims); });
}

namespace {

Tensor roll_one(const Tensor& x, int dim, int64_t shift) {
  const int64_t n = x.size(dim);
  if (n == 0) return x;
  shift = (shift % n + n) % n;
  if (shift == 0) return x;
  Tensor out = empty(x.shape(), x.dtype(), x.device());
  copy_(narrow(out, dim, 0, shift), narrow(x, dim, n - shift, shift));
  copy_(narrow(out, dim, shift, n - shift), narrow(x, dim, 0, n - shift));
  return out;
}

}  // namespace

Tensor roll(const Tensor& t, const Dims& shifts, const Dims& dims) {
  if (dims.empty()) {
    check<ShapeError>(shifts.size() == 1, "roll: ", shifts.size(), " shifts but no dims; expected one of each");
    return reshape(roll(reshape(t, {t.numel()}), shifts, {0}), t.shape());
  }
  check<ShapeError>(shifts.size() == dims.size(), "roll: ", shifts.size(), " shifts but ", dims.size(), " dims");
  Dims back = shifts;
  for (int64_t& s : back) s = -s;
  return linear_step(
      "RollBackward0", t,
      [&](const Tensor& x) {
        Tensor out = x;
        for (int i = 0; i < dims.size(); i++)
          if (x.dim() > 0) out = roll_one(out, normalize_dim("roll", dims[i], x.dim()), shifts[i]);
        return out.get() == x.get() ? clone(x) : out;
      },
      [back, dims](const Tensor& g) { return roll(g, back, dims); });
}

Tensor rot90(const Tensor& t, int64_t times, const Dims& dims) {
  check<ShapeError>(dims.size() == 2 && t.dim() >= 2, "rot90: expected two dims of a tensor of at least two, got ",
                    dims, " of shape ", t.shape());
  dim_set("rot90", t, dims);
  const int64_t a = dims[0], b = dims[1];
  switch ((times % 4 + 4) % 4) {
    case 1:
      return transpose(flip(t, {b}), a, b);
    case 2:
      return flip(t, {a, b});
    case 3:
      return flip(transpose(t, a, b), {b});
    default:
      return clone(t);
  }
}

namespace {

// x with dim repeated: the dims from it on as one block after another, or (interleave) each of its rows by itself.
Tensor repeat_dim(const Tensor& x, int dim, int64_t times, bool interleave) {
  int64_t outer = 1, inner = 1;
  for (int i = 0; i < x.dim(); i++) (i < dim ? outer : inner) *= x.size(i);
  Shape shape = x.shape();
  const int64_t size = shape[dim];
  shape[dim] *= times;
  if (!interleave) return reshape(expand(reshape(x, {outer, 1, inner}), {outer, times, inner}), shape);
  inner = size ? inner / size : 1;
  return reshape(expand(reshape(x, {outer * size, 1, inner}), {outer * size, times, inner}), shape);
}

}  // namespace

Tensor repeat(const Tensor& t, const Dims& times) {
  check<ShapeError>(times.size() >= t.dim(), "repeat: ", times.size(), " repeats for a tensor of ", t.dim(),
                    " dimensions; expected at least one per dimension");
  for (int64_t n : times) check<ValueError>(n >= 0, "repeat: negative repeats in ", times);
  Shape shape = t.shape();
  while (shape.size() < times.size()) shape.insert(0, 1);
  Tensor out = reshape(t, shape);
  for (int i = times.size() - 1; i >= 0; i--)
    if (times[i] != 1) out = repeat_dim(out, i, times[i], false);
  return out->storage == t->storage ? clone(out) : out;
}

Tensor tile(const Tensor& t, const Dims& times) {
  Dims all = times;
  while (all.size() < t.dim()) all.insert(0, 1);
  return repeat(t, all);
}

Tensor repeat_interleave(const Tensor& t, int64_t times, std::optional<int64_t> dim) {
  check<ValueError>(times >= 0, "repeat_interleave: repeats must not be negative, got ", times);
  if (!dim) return repeat_dim(reshape(t, {t.numel()}), 0, times, true);
  const int d = normalize_dim("repeat_interleave", *dim, t.dim());
  return t.dim() == 0 ? repeat_interleave(t, times, std::nullopt) : repeat_dim(t, d, times, true);
}

namespace {

// On a GPU, which is asked once: how large the result is depends on it. Element j of it is how many runs end at j or
// before.
Tensor repeated_there(const Tensor& counts) {
  const GradMode off(false);
  if (counts.numel() == 0) return counts;
  const Tensor ends = scan(FD_SCAN_CUMSUM, counts, 0).values, least = reduce(FD_REDUCE_MIN, counts, {0}, true);
  const Tensor known = on_host(cat({least, narrow(ends, 0, counts.numel() - 1, 1)}, 0));
  const auto* const p = known.data_as<int64_t>();
  check<ValueError>(p[0] >= 0, "repeat_interleave: repeats must not be negative, got ", p[0]);
  return places_there(ends, ramp_there(p[1], 0, 1, 0, DType::int64, counts.device()), true);
}

}  // namespace

Tensor repeated_indices(const Tensor& times) {
  check<DTypeError>(times.dtype() == DType::int64 || times.dtype() == DType::int32,
                    "repeat_interleave: repeats must be int64 or int32, got ", times.dtype());
  check<ShapeError>(times.dim() == 1, "repeat_interleave: repeats must have one dimension, got shape ", times.shape());
  const Tensor counts = contiguous(to(times, DType::int64));
  if (on_gpu(counts)) return repeated_there(counts);
  const auto* n = counts.data_as<int64_t>();
  int64_t total = 0;
  for (int64_t i = 0; i < counts.numel(); i++) {
    check<ValueError>(n[i] >= 0, "repeat_interleave: repeats must not be negative, got ", n[i]);
    total += n[i];
  }
  Tensor out = empty({total}, DType::int64);
  auto* at = out.data_as<int64_t>();
  for (int64_t i = 0; i < counts.numel(); i++) at = std::fill_n(at, n[i], i);
  return out;
}

Tensor repeat_interleave(const Tensor& t, const Tensor& times, std::optional<int64_t> dim) {
  if (!dim || t.dim() == 0) return repeat_interleave(reshape(t, {t.numel()}), times, 0);
  const int d = normalize_dim("repeat_interleave", *dim, t.dim());
  const Tensor each = times.dim() == 0     ? expand(times, {t.size(d)})
                      : times.numel() == 1 ? expand(times, {t.size(d)})
                                           : times;
  check<ShapeError>(each.dim() == 1 && each.numel() == t.size(d), "repeat_interleave: ", each.numel(),
                    " repeats for size ", t.size(d), " of dim ", d);
  return index_select(t, d, repeated_indices(each));
}

Tensor movedim(const Tensor& t, const Dims& from, const Dims& to) {
  check<ShapeError>(from.size() == to.size(), "movedim: source ", from, " and destination ", to,
                    " have different lengths");
  dim_set("movedim", t, from);
  dim_set("movedim", t, to);
  Dims order;
  order.resize(t.dim(), -1);
  uint32_t taken = 0;
  for (int i = 0; i < from.size() && t.dim() > 0; i++) {
    const int source = normalize_dim("movedim", from[i], t.dim());
    order[normalize_dim("movedim", to[i], t.dim())] = source;
    taken |= 1u << source;
  }
  int next = 0;
  for (int64_t& place : order) {
    if (place >= 0) continue;
    while (taken >> next & 1) next++;
    place = next++;
  }
  return permute(t, order);
}

Tensor unflatten(const Tensor& t, int64_t dim, const Shape& sizes) {
  check<ShapeError>(!sizes.empty(), "unflatten: sizes must not be empty");
  check<ShapeError>(t.dim() > 0, "unflatten: a 0-dim tensor has no dimension to take apart");
  const int d = normalize_dim("unflatten", dim, t.dim());
  int64_t known = 1, unknown = 0;
  for (int64_t s : sizes) s == -1 ? unknown++ : known *= s;
  const bool fits = unknown == 0 ? known == t.size(d) : unknown == 1 && known > 0 && t.size(d) % known == 0;
  check<ShapeError>(fits, "unflatten: sizes ", sizes, " do not multiply to size ", t.size(d), " of dim ", d);
  Shape shape;
  for (int i = 0; i < t.dim(); i++) {
    if (i != d) {
      shape.push_back(t.size(i));
      continue;
    }
    for (int64_t s : sizes) shape.push_back(s == -1 ? t.size(d) / known : s);
  }
  return view(t, shape);
}

Tensor triangle(const Tensor& t, int64_t diagonal, bool lower) {
  const char* op = lower ? "tril" : "triu";
  check<ShapeError>(t.dim() >= 2, op, ": expected at least two dimensions, got shape ", t.shape());
  return linear_step(
      lower ? "TrilBackward0" : "TriuBackward0", t,
      [&](const Tensor& x) {
        const int64_t rows = x.size(x.dim() - 2), cols = x.size(x.dim() - 1);
        const Tensor row = arange(0, rows, 1, DType::int32, x.device()),
                     col = arange(0, cols, 1, DType::int32, x.device());
        const Tensor edge = unsqueeze(add(row, Scalar(std::clamp(diagonal, -rows, cols))), 1);
        return masked_fill(x, compare(lower ? FD_GT : FD_LT, col, edge), 0);
      },
      [=](const Tensor& g) { return triangle(g, diagonal, lower); });
}

Tensor diag(const Tensor& t, int64_t offset) {
  check<ShapeError>(t.dim() == 1 || t.dim() == 2, "diag: expected a vector or a matrix, got shape ", t.shape());
  return t.dim() == 1 ? diag_embed(t, offset, 0, 1) : clone(diagonal(t, offset, 0, 1));
}

Tensor diag_embed(const Tensor& t, int64_t offset, int64_t a, int64_t b) {
  check<ShapeError>(t.dim() >= 1, "diag_embed: expected at least one dimension");
  const int rank = t.dim() + 1;
  const int x = normalize_dim("diag_embed", a, rank), y = normalize_dim("diag_embed", b, rank);
  check<ShapeError>(x != y, "diag_embed: dim1 and dim2 are both ", x);
  const int64_t n = t.size(t.dim() - 1) + std::abs(offset);
  Shape shape = t.shape();
  shape.erase(t.dim() - 1);
  shape.insert(std::min(x, y), n);
  shape.insert(std::max(x, y), n);
  return linear_step(
      "DiagEmbedBackward0", t,
      [&](const Tensor& from) {
        Tensor out = zeros(shape, from.dtype(), from.device());
        copy_(diagonal(out, offset, x, y), from);
        return out;
      },
      [=](const Tensor& g) { return diagonal(g, offset, x, y); });
}

Tensor trace(const Tensor& t) {
  check<ShapeError>(t.dim() == 2, "trace: expected a matrix, got shape ", t.shape());
  return sum(diagonal(t, 0, 0, 1));
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& axes, bool xy) {
  check<ValueError>(!axes.empty(), "meshgrid: expected at least one tensor, got none");
  Shape shape;
  for (const Tensor& t : axes) {
    check<ShapeError>(t.dim() <= 1, "meshgrid: expected tensors of at most one dimension, got shape ", t.shape());
    check<DTypeError>(t.dtype() == axes[0].dtype(), "meshgrid: tensors of dtypes ", axes[0].dtype(), " and ", t.dtype(),
                      "; expected one dtype");
    shape.push_back(t.numel());
  }
  std::vector<Tensor> grids;
  for (size_t i = 0; i < axes.size(); i++) {
    Shape along;
    along.resize(shape.size(), 1);
    along[static_cast<int>(i)] = shape[static_cast<int>(i)];
    const Tensor grid = expand(reshape(axes[i], along), shape);
    grids.push_back(xy && axes.size() > 1 ? transpose(grid, 0, 1) : grid);
  }
  return grids;
}

std::vector<Tensor> broadcast_tensors(const std::vector<Tensor>& tensors) {
  if (tensors.empty()) return {};
  Shape shape = tensors[0].shape();
  for (const Tensor& t : tensors) shape = broadcast("broadcast_tensors", shape, t.shape());
  std::vector<Tensor> out;
  for (const Tensor& t : tensors) out.push_back(expand(t, shape));
  return out;
}

}  // namespace fd::ops
