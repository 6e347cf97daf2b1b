// Borders around the last dims.
#include "ops/linear_node.h"

namespace fd::ops {

namespace {

// The position in [0, size) that place i of the padded dim shows; i counts from the first inner element.
int64_t source_of(int64_t i, int64_t size, PadMode mode) {
  switch (mode) {
    case PadMode::reflect:
      return i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
    case PadMode::replicate:
      return std::clamp<int64_t>(i, 0, size - 1);
    default:
      return (i % size + size) % size;
  }
}

void check_border(const Tensor& t, int dim, int64_t before, int64_t after, PadMode mode) {
  const int64_t size = t.size(dim), most = std::max(before, after);
  if (mode == PadMode::reflect)
    check<ShapeError>(most < size, "pad: reflect width ", most, " must be less than size ", size, " of dimension ",
                      dim);
  if (mode == PadMode::circular)
    check<ShapeError>(most <= size, "pad: circular width ", most, " must be at most size ", size, " of dimension ",
                      dim);
  check<ShapeError>(size > 0, "pad: dimension ", dim, " is empty and has nothing to fill a border with");
}

Tensor extend(const Tensor& t, int dim, int64_t before, int64_t after, PadMode mode) {
  check_border(t, dim, before, after, mode);
  const int64_t size = t.size(dim), count = size + before + after;
  Tensor which = empty({count}, DType::int64);
  for (int64_t i = 0; i < count; i++) which.data_as<int64_t>()[i] = source_of(i - before, size, mode);
  return index_select(t, dim, to_device(which, t.device()));
}

// t without the borders that widths (times sign) put around it; crops the other way are left alone.
Tensor without_borders(Tensor t, const std::vector<int64_t>& widths, int64_t sign) {
  for (size_t i = 0; i < widths.size() / 2; i++) {
    const int dim = t.dim() - 1 - static_cast<int>(i);
    const int64_t before = std::max<int64_t>(sign * widths[2 * i], 0);
    const int64_t after = std::max<int64_t>(sign * widths[2 * i + 1], 0);
    if (before || after) t = narrow(t, dim, before, t.size(dim) - before - after);
  }
  return t;
}

Tensor pad_constant(const Tensor& t, const std::vector<int64_t>& widths, const Shape& shape, Scalar value) {
  std::vector<int64_t> back = widths;
  for (int64_t& w : back) w = -w;
  return linear_step(
      "ConstantPadNdBackward0", t,
      [&](const Tensor& x) {
        Tensor out = full(shape, value, x.dtype(), x.device());
        copy_(without_borders(out, widths, 1), without_borders(x, widths, -1));
        return out;
      },
      [back](const Tensor& g) { return pad(g, back, PadMode::constant, 0); });
}

}  // namespace

Tensor pad(const Tensor& t, const std::vector<int64_t>& widths, PadMode mode, Scalar value) {
  const int dims = static_cast<int>(widths.size() / 2);
  check<ValueError>(widths.size() % 2 == 0, "pad: ", widths.size(), " widths; expected two for each padded dimension");
  check<ShapeError>(dims <= t.dim(), "pad: ", widths.size(), " widths but ", t.dim(),
                    " dimensions; expected at most two per dimension");
  Shape shape = t.shape();
  for (int i = 0; i < dims; i++) {
    int64_t& size = shape[t.dim() - 1 - i];
    size += widths[2 * i] + widths[2 * i + 1];
    check<ShapeError>(size >= 0, "pad: widths ", widths[2 * i], " and ", widths[2 * i + 1],
                      " crop more than dimension ", t.dim() - 1 - i, " of shape ", t.shape(), " has");
  }
  if (mode == PadMode::constant) return pad_constant(t, widths, shape, value);
  check<ShapeError>(dims >= 1 && dims <= 3 && (t.dim() == dims + 1 || t.dim() == dims + 2),
                    "pad: only the last 1, 2 or 3 dimensions of a tensor with one or two more can be padded so, got ",
                    widths.size(), " widths for shape ", t.shape());
  for (int i = 0; i < dims; i++)
    check<ShapeError>(shape[t.dim() - 1 - i] > 0, "pad: the widths crop all of dimension ", t.dim() - 1 - i,
                      " of shape ", t.shape());
  Tensor out = mode == PadMode::circular ? without_borders(t, widths, -1) : t;
  for (int i = 0; i < dims; i++) {
    int64_t before = widths[2 * i], after = widths[2 * i + 1];
    if (mode == PadMode::circular) {  // what is cropped does not come round again
      before = std::max<int64_t>(before, 0);
      after = std::max<int64_t>(after, 0);
    }
    if (before != 0 || after != 0) out = extend(out, t.dim() - 1 - i, before, after, mode);
  }
  return out.get() == t.get() ? clone(t) : out;
}

}  // namespace fd::ops
