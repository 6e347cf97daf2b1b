// Other shapes and windows on the same memory. The gradient of a view is the gradient of its base, zero outside it.
#include "ops/ops.h"

namespace fd::ops {

namespace {

template <class F>
class ViewBackward final : public Node {
 public:
  ViewBackward(const char* name, const Tensor& x, F f) : Node(1), name_(name), f_(std::move(f)) { connect(this, 0, x); }
  const char* name() const override { return name_; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override { grad_in[0] = f_(grad_out[0]); }

 private:
  const char* name_;
  F f_;
};

// An alias of t with another geometry, whose gradient is f(gradient).
template <class F>
Tensor make_view(const char* node, const Tensor& t, const Shape& shape, const Dims& strides, int64_t offset, F f,
                 ViewOrigin origin = ViewOrigin::plain) {
  Tensor out = alias(t, shape, strides, offset);
  Ref<Node> history;
  if (needs_grad(t)) history = Ref<Node>(new ViewBackward<F>(node, t, std::move(f)));
  finish_view(out, t, std::move(history), origin);
  return out;
}

// Gradient of a window: zeros of the whole shape with g put into window(zeros).
template <class Window>
auto into_zeros(const Shape& shape, Window window) {
  return [shape, window](const Tensor& g) {
    Tensor whole = zeros(shape, g.dtype(), g.device());
    copy_(window(whole), g);
    return whole;
  };
}

// Replaces a -1 in shape by what is left over.
Shape infer(const char* op, Shape shape, int64_t n) {
  int unknown = -1;
  int64_t known = 1;
  for (int i = 0; i < shape.size(); i++) {
    if (shape[i] == -1) {
      check<ShapeError>(unknown < 0, op, ": only one size can be -1 in ", shape);
      unknown = i;
    } else {
      check<ShapeError>(shape[i] >= 0, op, ": negative size in ", shape);
      known *= shape[i];
    }
  }
  if (unknown >= 0) {
    check<ShapeError>(known > 0 && n % known == 0, op, ": ", n, " elements do not divide into shape ", shape);
    shape[unknown] = n / known;
  }
  check<ShapeError>(numel(shape) == n, op, ": shape ", shape, " holds ", numel(shape), " elements, the tensor has ", n);
  return shape;
}

// Strides that walk t's memory in the new shape; false if no strides do.
bool view_strides(const Tensor& t, const Shape& shape, Dims& strides) {
  if (t.is_contiguous()) {
    strides = contiguous_strides(shape);
    return true;
  }
  strides = contiguous_strides(shape);
  if (t.numel() == 0) return true;
  int at = shape.size() - 1;
  int64_t chunk = 1, step = 0;
  for (int i = t.dim() - 1; i >= 0; i--) {
    if (chunk == 1) step = t.stride(i);
    chunk *= t.size(i);
    const bool ends = i == 0 || (t.size(i - 1) != 1 && t.stride(i - 1) != chunk * step);
    if (!ends) continue;
    int64_t covered = 1;
    while (at >= 0 && (covered < chunk || shape[at] == 1)) {
      strides[at] = covered * step;
      covered *= shape[at--];
    }
    if (covered != chunk) return false;
    chunk = 1;
  }
  return at < 0 || std::all_of(shape.begin(), shape.begin() + at + 1, [](int64_t s) { return s == 1; });
}

Tensor view_with(const char* node, const Tensor& t, const Shape& shape, const Dims& strides) {
  const Shape before = t.shape();
  return make_view(node, t, shape, strides, t->storage_offset(),
                   [before](const Tensor& g) { return reshape(g, before); });
}

}  // namespace

Tensor as_strided(const Tensor& t, const Shape& shape, const Dims& strides, int64_t offset) {
  check<ShapeError>(shape.size() == strides.size(), "as_strided: shape ", shape, " and strides ", strides,
                    " have different lengths");
  int64_t last = offset;
  for (int i = 0; i < shape.size(); i++) {
    check<ValueError>(shape[i] >= 0 && strides[i] >= 0, "as_strided: negative size or stride");
    last += std::max<int64_t>(shape[i] - 1, 0) * strides[i];
  }
  const auto items = static_cast<int64_t>(t->storage->bytes / item_size(t.dtype()));
  check<ValueError>(offset >= 0 && (numel(shape) == 0 || last < items), "as_strided: shape ", shape, ", strides ",
                    strides, " and offset ", offset, " reach outside a storage of ", items, " elements");
  const Shape whole_shape = t.shape();
  const Dims whole_strides = t.strides();
  const int64_t from = offset - t->storage_offset();
  return make_view("AsStridedBackward0", t, shape, strides, offset, [=](const Tensor& g) {
    Tensor whole = empty_strided(whole_shape, whole_strides, g.dtype(), g.device());
    fill_(whole, 0);
    grad_arithmetic.add_to_view(whole, shape, strides, from, g);
    return whole;
  });
}

Tensor view(const Tensor& t, Shape shape) {
  shape = infer("view", shape, t.numel());
  Dims strides;
  check<ShapeError>(view_strides(t, shape, strides), "view: a tensor of shape ", t.shape(), " and strides ",
                    t.strides(), " cannot be seen as ", shape, " without a copy; use reshape()");
  return view_with("ViewBackward0", t, shape, strides);
}

Tensor reshape(const Tensor& t, Shape shape) {
  shape = infer("reshape", shape, t.numel());
  Dims strides;
  if (view_strides(t, shape, strides)) return view_with("ViewBackward0", t, shape, strides);
  const Tensor copy = clone(t);
  return view_with("UnsafeViewBackward0", copy, shape, contiguous_strides(shape));
}

Tensor permute(const Tensor& t, const Dims& dims) {
  check<ShapeError>(dims.size() == t.dim(), "permute: ", dims.size(), " dims for a tensor of ", t.dim(), " dimensions");
  Shape shape;
  Dims strides, back;
  back.resize(dims.size(), -1);
  for (int i = 0; i < dims.size(); i++) {
    const int d = normalize_dim("permute", dims[i], t.dim());
    check<ShapeError>(back[d] < 0, "permute: dim ", d, " is repeated in ", dims);
    back[d] = i;
    shape.push_back(t.size(d));
    strides.push_back(t.stride(d));
  }
  return make_view("PermuteBackward0", t, shape, strides, t->storage_offset(),
                   [back](const Tensor& g) { return permute(g, back); });
}

Tensor transpose(const Tensor& t, int64_t a, int64_t b) {
  const int x = normalize_dim("transpose", a, t.dim()), y = normalize_dim("transpose", b, t.dim());
  Shape shape = t.shape();
  Dims strides = t.strides();
  if (t.dim() > 0) {
    std::swap(shape[x], shape[y]);
    std::swap(strides[x], strides[y]);
  }
  return make_view("TransposeBackward0", t, shape, strides, t->storage_offset(),
                   [x, y](const Tensor& g) { return transpose(g, x, y); });
}

Tensor expand(const Tensor& t, const Shape& wanted) {
  const int extra = wanted.size() - t.dim();
  check<ShapeError>(extra >= 0, "expand: shape ", wanted, " has fewer dimensions than the tensor's ", t.shape());
  Shape shape = wanted;
  Dims strides;
  for (int i = 0; i < shape.size(); i++) {
    const int64_t have = i < extra ? 1 : t.size(i - extra);
    if (shape[i] == -1 && i >= extra) shape[i] = have;
    check<ShapeError>(shape[i] >= 0 && (have == shape[i] || have == 1), "expand: a tensor of shape ", t.shape(),
                      " cannot be expanded to ", wanted);
    strides.push_back(have == 1 && shape[i] != 1 ? 0 : t.stride(i - extra));
  }
  const Shape before = t.shape();
  return make_view("ExpandBackward0", t, shape, strides, t->storage_offset(),
                   [before](const Tensor& g) { return sum_to(g, before); });
}

Tensor select(const Tensor& t, int64_t dim, int64_t index) {
  check<IndexError>(t.dim() > 0, "select: a 0-dim tensor cannot be indexed; use item() for its value");
  const int d = normalize_dim("select", dim, t.dim());
  const int64_t n = t.size(d), i = index < 0 ? index + n : index;
  check<IndexError>(i >= 0 && i < n, "index ", index, " is out of bounds for dimension ", d, " with size ", n);
  Shape shape = t.shape();
  Dims strides = t.strides();
  shape.erase(d);
  strides.erase(d);
  return make_view("SelectBackward0", t, shape, strides, t->storage_offset() + i * t.stride(d),
                   into_zeros(t.shape(), [d, i](const Tensor& z) { return select(z, d, i); }));
}

Tensor slice(const Tensor& t, int64_t dim, std::optional<int64_t> start, std::optional<int64_t> stop, int64_t step) {
  check<IndexError>(t.dim() > 0, "slice: a 0-dim tensor cannot be sliced");
  const int d = normalize_dim("slice", dim, t.dim());
  check<ValueError>(step > 0, "slice: step must be positive, got ", step);
  const int64_t n = t.size(d);
  auto clip = [n](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + n : i, 0, n); };
  const int64_t from = clip(start.value_or(0)), to = std::max(from, clip(stop.value_or(n)));
  Shape shape = t.shape();
  Dims strides = t.strides();
  shape[d] = (to - from + step - 1) / step;
  strides[d] *= step;
  return make_view("SliceBackward0", t, shape, strides, t->storage_offset() + from * t.stride(d),
                   into_zeros(t.shape(), [d, from, to, step](const Tensor& z) { return slice(z, d, from, to, step); }));
}

Tensor narrow(const Tensor& t, int64_t dim, int64_t start, int64_t length) {
  const int d = normalize_dim("narrow", dim, t.dim());
  const int64_t n = t.dim() ? t.size(d) : 0, from = start < 0 ? start + n : start;
  check<IndexError>(from >= 0 && length >= 0 && from + length <= n, "narrow: start ", start, " and length ", length,
                    " reach outside dimension ", d, " of size ", n);
  return slice(t, d, from, from + length, 1);
}

Tensor squeeze(const Tensor& t, const std::optional<Dims>& dims) {
  uint32_t chosen = 0;
  if (dims)
    for (int64_t d : *dims) chosen |= 1u << normalize_dim("squeeze", d, t.dim());
  else
    chosen = ~0u;
  Shape shape;
  Dims strides;
  for (int i = 0; i < t.dim(); i++) {
    if (t.size(i) == 1 && (chosen >> i & 1)) continue;
    shape.push_back(t.size(i));
    strides.push_back(t.stride(i));
  }
  return view_with("SqueezeBackward0", t, shape, strides);
}

Tensor unsqueeze(const Tensor& t, int64_t dim) {
  const int d = normalize_dim("unsqueeze", dim, t.dim() + 1);
  Shape shape = t.shape();
  Dims strides = t.strides();
  shape.insert(d, 1);
  strides.insert(d, d < t.dim() ? t.size(d) * t.stride(d) : 1);
  return view_with("UnsqueezeBackward0", t, shape, strides);
}

Tensor flatten(const Tensor& t, int64_t first, int64_t last) {
  if (t.dim() == 0) return reshape(t, {1});
  const int a = normalize_dim("flatten", first, t.dim()), b = normalize_dim("flatten", last, t.dim());
  check<ShapeError>(a <= b, "flatten: start_dim ", first, " comes after end_dim ", last);
  if (a == b) return t;
  Shape shape;
  int64_t merged = 1;
  for (int i = 0; i < t.dim(); i++) {
    if (i < a || i > b)
      shape.push_back(t.size(i));
    else
      merged *= t.size(i);
    if (i == b) shape.push_back(merged);
  }
  return reshape(t, shape);
}

Tensor diagonal(const Tensor& t, int64_t offset, int64_t a, int64_t b) {
  const int x = normalize_dim("diagonal", a, t.dim()), y = normalize_dim("diagonal", b, t.dim());
  check<ShapeError>(x != y && t.dim() >= 2, "diagonal: needs two different dims, got ", a, " and ", b, " of shape ",
                    t.shape());
  const int64_t rows = t.size(x) + std::min<int64_t>(offset, 0), cols = t.size(y) - std::max<int64_t>(offset, 0);
  Shape shape = t.shape();
  Dims strides = t.strides();
  const int64_t step = strides[x] + strides[y];
  const int64_t n = std::max<int64_t>(std::min(rows, cols), 0);
  const int64_t from = n == 0 ? 0 : offset >= 0 ? offset * strides[y] : -offset * strides[x];
  for (int d : {std::max(x, y), std::min(x, y)}) {
    shape.erase(d);
    strides.erase(d);
  }
  shape.push_back(n);
  strides.push_back(step);
  return make_view("DiagonalBackward0", t, shape, strides, t->storage_offset() + from,
                   into_zeros(t.shape(), [offset, x, y](const Tensor& z) { return diagonal(z, offset, x, y); }));
}

Tensor unfold(const Tensor& t, int64_t dim, int64_t size, int64_t step) {
  const int d = normalize_dim("unfold", dim, t.dim());
  check<ShapeError>(t.dim() > 0 && size >= 0 && size <= t.size(d) && step > 0, "unfold: windows of ", size, " every ",
                    step, " do not fit shape ", t.shape(), " in dim ", dim);
  Shape shape = t.shape();
  Dims strides = t.strides();
  shape[d] = (t.size(d) - size) / step + 1;
  shape.push_back(size);
  strides.push_back(strides[d]);
  strides[d] *= step;
  const Shape whole_shape = t.shape();
  return make_view("UnfoldBackward0", t, shape, strides, t->storage_offset(), [=](const Tensor& g) {
    Tensor whole = zeros(whole_shape, g.dtype(), g.device());
    if (grad_enabled()) {  // element k of every window at once, recorded
      const int64_t span = (shape[d] - 1) * step + 1;
      for (int64_t k = 0; k < size && shape[d] > 0; k++)
        binary_(FD_ADD, slice(whole, d, k, k + span, step), select(g, g.dim() - 1, k));
      return whole;
    }
    const Tensor windows = unfold(whole, d, size, step);
    grad_arithmetic.add_to_view(whole, windows.shape(), windows.strides(), 0, g);
    return whole;
  });
}

std::vector<Tensor> split(const Tensor& t, const std::vector<int64_t>& sizes, int64_t dim) {
  const int d = normalize_dim("split", dim, t.dim());
  int64_t total = 0;
  for (int64_t s : sizes) {
    check<ValueError>(s >= 0, "split: negative size ", s);
    total += s;
  }
  check<ShapeError>(t.dim() > 0 && total == t.size(d), "split: the sizes sum to ", total, " but shape ", t.shape(),
                    " has another size in dim ", dim);
  std::vector<Tensor> parts;
  int64_t start = 0;
  for (int64_t s : sizes) {
    Tensor part = slice(t, d, start, start + s, 1);
    if (part->view_origin == ViewOrigin::plain) part->view_origin = ViewOrigin::one_of_many;
    parts.push_back(std::move(part));
    start += s;
  }
  return parts;
}

std::vector<Tensor> unbind(const Tensor& t, int64_t dim) {
  const int d = normalize_dim("unbind", dim, t.dim());
  check<ShapeError>(t.dim() > 0, "unbind: a 0-dim tensor has no dimension to take apart");
  std::vector<Tensor> parts;
  for (int64_t i = 0; i < t.size(d); i++) {
    Tensor part = select(t, d, i);
    if (part->view_origin == ViewOrigin::plain) part->view_origin = ViewOrigin::one_of_many;
    parts.push_back(std::move(part));
  }
  return parts;
}

namespace {

// Every element of a strided window as its offset from the window's first.
Tensor window_offsets(const Shape& shape, const Dims& strides) {
  Tensor offsets = zeros(shape, DType::int64);
  for (int i = 0; i < shape.size(); i++) {
    Shape along = shape;
    for (int j = 0; j < shape.size(); j++) along[j] = j == i ? shape[i] : 1;
    const Tensor steps = reshape(mul(arange(0, shape[i], 1, DType::int64), Scalar(strides[i])), along);
    offsets = add(offsets, steps);
  }
  return offsets;
}

void scatter_add(const Tensor& whole, const Tensor& offsets, const Tensor& grad) {
  no_second_derivative("a view with overlapping elements");
  fd_take args = {};
  const Tensor g = contiguous(grad);
  args.n = offsets.numel();
  args.inner = 1;
  args.offsets = offsets.data_as<int64_t>();
  args.in = g.data();
  args.out = whole.data();
  args.accumulate = 1;
  run("put", find(kernels(whole.device()).index.put[index(g.dtype())], "put", g.dtype(), g.device()), args, g.device(),
      bytes_of(g));
}

void add_to_view(const Tensor& whole, const Shape& shape, const Dims& strides, int64_t offset, const Tensor& grad) {
  Tensor window = as_strided(whole, shape, strides, whole->storage_offset() + offset);
  if (!overlaps_itself(window)) {
    copy_(window, grad);
    return;
  }
  const Tensor offsets = contiguous(add(window_offsets(shape, strides), Scalar(offset)));
  scatter_add(whole, to_device(offsets, whole.device()), grad);
}

Tensor zeros_strided(const Shape& shape, const Dims& strides, DType dtype, Device device) {
  Tensor t = empty_strided(shape, strides, dtype, device);
  fill_(t, 0);
  return t;
}

// sum += b without recording; half types have no arithmetic of their own.
void add_into(const Tensor& sum, const Tensor& b) {
  if (is_half(sum.dtype())) {
    binary_(FD_ADD, sum, b);
    return;
  }
  const Tensor same = to(b, sum.dtype());
  const Operand operands[] = {sum, same};
  run_elementwise("add", kernels(sum.device()).elementwise.binary[FD_ADD], sum, operands, 2);
}

}  // namespace

void install_grad_arithmetic() {
  grad_arithmetic = {
      [](const Tensor& a, const Tensor& b) { return add(a, b); },      add_into,   clone, zeros_strided, as_strided,
      [](const Tensor& out, const Tensor& from) { copy_(out, from); }, add_to_view};
}

}  // namespace fd::ops
