// t[...]: ints, slices, None and ... choose a window, which is a view; tensors choose elements of it, which is a copy.
#include "ops/index_axes.h"
#include "ops/remote.h"

namespace fd::ops {

IndexItem& IndexList::add(IndexKind kind) {
  check<IndexError>(count < kMost, "index: too many indices");
  item[count].kind = kind;
  return item[count++];
}

namespace {

// A rectangular window on a tensor, in terms that fit any memory layout.
struct Window {
  int dims = 0;  // of the window
  bool whole = true;
  int source[FD_MAX_DIMS];  // the tensor's dim behind each of the window's; -1: a new one of size 1
  int64_t size[FD_MAX_DIMS], step[FD_MAX_DIMS];
  int64_t start[FD_MAX_DIMS] = {};  // of each dim of the tensor

  void keep(int from, int64_t count, int64_t every = 1) {
    check<ShapeError>(dims < FD_MAX_DIMS, "index: the result has more than ", int(FD_MAX_DIMS), " dimensions");
    source[dims] = from;
    size[dims] = count;
    step[dims++] = every;
  }
};

class Parser {
 public:
  Window window;
  Axes axes;
  const char* node = "AliasBackward0";

  Parser(const Tensor& t, const IndexList& where) : t_(t) {
    const int rest = t.dim() - dims_named(where);
    check<IndexError>(rest >= 0, "too many indices for tensor of dimension ", t.dim());
    bool spread = false;
    for (int i = 0; i < where.count; i++) {
      const IndexItem& item = where.item[i];
      if (item.kind == IndexKind::ellipsis) {
        check<IndexError>(!spread, "an index can have only one ellipsis (...)");
        spread = true;
        keep_whole(rest);
      } else {
        add(item);
      }
    }
    keep_whole(t.dim() - dim_);
  }

 private:
  static bool is_mask(const Tensor& which) { return which.dtype() == DType::boolean || which.dtype() == DType::uint8; }

  static int dims_named(const IndexList& where) {
    int named = 0;
    for (int i = 0; i < where.count; i++) {
      const IndexItem& item = where.item[i];
      if (item.kind == IndexKind::integer || item.kind == IndexKind::slice) named++;
      if (item.kind == IndexKind::tensor) named += is_mask(item.tensor) ? item.tensor.dim() : 1;
    }
    return named;
  }

  void keep_whole(int count) {
    for (int i = 0; i < count; i++, dim_++) window.keep(dim_, t_.size(dim_));
  }

  void add(const IndexItem& item) {
    switch (item.kind) {
      case IndexKind::integer:
        return add_integer(item.start);
      case IndexKind::slice:
        return add_slice(item);
      case IndexKind::boolean:
        return add_boolean(item.start != 0);
      case IndexKind::tensor:
        return add_tensor(item.tensor);
      default:
        window.keep(-1, 1);
        window.whole = false;
        node = "UnsqueezeBackward0";
    }
  }

  void add_integer(int64_t i) {
    const int64_t n = t_.size(dim_);
    check<IndexError>(i >= -n && i < n, "index ", i, " is out of bounds for dimension ", dim_, " with size ", n);
    window.start[dim_++] = i < 0 ? i + n : i;
    window.whole = false;
    node = "SelectBackward0";
  }

  void add_slice(const IndexItem& item) {
    check<ValueError>(item.step > 0, "slice step must be positive, got ", item.step);
    const int64_t n = t_.size(dim_);
    auto clip = [n](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + n : i, 0, n); };
    const int64_t from = clip(item.start), to = std::max(from, clip(item.stop));
    const int64_t count = (to - from) / item.step + ((to - from) % item.step != 0);
    if (count != n) {
      window.whole = false;
      node = "SliceBackward0";
    }
    window.start[dim_] = from;
    window.keep(dim_++, count, item.step);
  }

  // True adds a dim of size 1, False one of size 0.
  void add_boolean(bool on) {
    window.whole = false;
    axes.add(window.dims, 1, dim_, zeros({on ? 1 : 0}, DType::int64, t_.device()));
    window.keep(-1, 1);
  }

  void add_tensor(const Tensor& which) {
    check<IndexError>(is_integral(which.dtype()), "tensors used as indices must be int64, int32 or bool, got ",
                      which.dtype());
    if (which.dim() == 0) {
      const Tensor value = to(detach(which), DType::int64);
      if (is_mask(which)) return add_boolean(first_element<int64_t>(value) != 0);
      return add_integer(first_element<int64_t>(value));
    }
    if (!is_mask(which)) {
      axes.add(window.dims, 1, dim_, which);
      return keep_whole(1);
    }
    for (int i = 0; i < which.dim(); i++)
      check<IndexError>(which.size(i) == t_.size(dim_ + i), "the mask has shape ", which.shape(),
                        " but indexes dimensions from ", dim_, " on of a tensor of shape ", t_.shape());
    axes.add(window.dims, which.dim(), dim_, to(detach(which), DType::boolean));
    keep_whole(which.dim());
  }

  const Tensor& t_;
  int dim_ = 0;  // of t_
};

Tensor window_view(const char* name, const Tensor& t, const Window& window);

class WindowBackward final : public Node {
 public:
  WindowBackward(const char* name, const Tensor& t, const Window& window)
      : Node(1), name_(name), window_(window), shape_(t.shape()) {
    connect(this, 0, t);
  }
  const char* name() const override { return name_; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor& g = grad_out[0];
    grad_in[0] = zeros(shape_, g.dtype(), g.device());
    copy_(window_view(name_, grad_in[0], window_), g);
  }

 private:
  const char* name_;
  Window window_;
  Shape shape_;
};

Tensor window_view(const char* name, const Tensor& t, const Window& w) {
  Shape shape;
  Dims strides;
  shape.resize(w.dims);
  strides.resize(w.dims);
  int64_t next = 1;  // the stride a new dim pretends to have
  for (int i = w.dims - 1; i >= 0; i--) {
    shape[i] = w.size[i];
    strides[i] = w.source[i] < 0 ? next : t.stride(w.source[i]) * w.step[i];
    next = strides[i] * shape[i];
  }
  int64_t offset = t->storage_offset();
  for (int d = 0; d < t.dim(); d++)
    if (t.size(d) > 0) offset += w.start[d] * t.stride(d);
  Tensor out = alias(t, shape, strides, offset);
  Ref<Node> history;
  if (needs_grad(t)) history = Ref<Node>(new WindowBackward(name, t, w));
  finish_view(out, t, std::move(history));
  return out;
}

// value without leading dims of size 1 that the target lacks.
Tensor trimmed(const Tensor& value, int dims) {
  Shape shape = value.shape();
  while (shape.size() > dims && shape[0] == 1) shape.erase(0);
  return shape.size() == value.dim() ? value : reshape(value, shape);
}

void write_all(const Tensor& self, const Operand& value) {
  if (value.is_tensor())
    copy_(self, trimmed(*value.tensor, self.dim()));
  else
    fill_(self, value);
}

// One value everywhere a single mask says: no positions needed.
bool fill_masked(const Tensor& v, const Axes& axes, const Operand& value) {
  if (axes.count != 1 || axes.at[0].which.dtype() != DType::boolean) return false;
  if (value.is_tensor() && (value.tensor->numel() != 1 || value.tensor->dtype() != v.dtype())) return false;
  const Axis& axis = axes.at[0];
  Shape shape = axis.which.shape();
  shape.resize(v.dim() - axis.dim, 1);
  const Tensor mask = view(contiguous(axis.which), shape);
  masked_fill_(v, mask,
               value.is_tensor() ? Operand(value.tensor->dim() ? reshape(*value.tensor, {}) : *value.tensor) : value);
  return true;
}

Tensor selected(const Parser& p, const Tensor& t) { return p.window.whole ? t : window_view(p.node, t, p.window); }

// An index list that leaves all but the defined dims whole.
IndexList list_of(const std::vector<Tensor>& indices) {
  IndexList list;
  for (const Tensor& which : indices) {
    if (!which.defined()) {
      list.add(IndexKind::slice).stop = INT64_MAX;
      continue;
    }
    list.add(IndexKind::tensor).tensor = which;
  }
  return list;
}

}  // namespace

Tensor getitem(const Tensor& t, const IndexList& where) {
  Parser p(t, where);
  if (p.axes.count == 0) return window_view(p.node, t, p.window);
  p.axes.follow(t.device());
  p.axes.resolve();
  return read_at("IndexBackward0", selected(p, t), p.axes);
}

void setitem(const Tensor& self, const IndexList& where, const Operand& value) {
  Parser p(self, where);
  const Tensor v = selected(p, self);
  if (p.axes.count == 0) return write_all(v, value);
  p.axes.follow(v.device());
  if (fill_masked(v, p.axes, value)) return;
  p.axes.resolve();
  write_at("setitem", v, p.axes, value, false);
}

Tensor index_by(const Tensor& t, const std::vector<Tensor>& indices) { return getitem(t, list_of(indices)); }

Tensor index_put_(const Tensor& self, const std::vector<Tensor>& indices, const Tensor& values, bool accumulate) {
  Parser p(self, list_of(indices));
  check<IndexError>(p.axes.count > 0, "index_put_: no index given");
  p.axes.follow(self.device());
  p.axes.resolve();
  write_at("index_put_", selected(p, self), p.axes, values, accumulate);
  return self;
}

namespace {

// One index vector along one dim. A 0-dim tensor counts as one of one element.
Axes along(const char* op, const Tensor& t, int64_t dim, const Tensor& which, bool negative_too = false) {
  const int d = normalize_dim(op, dim, t.dim());
  check_same_device(op, t, which);
  check<IndexError>(which.dim() <= 1, op, ": the index must have one dimension, got shape ", which.shape());
  const Tensor positions = reshape(as_positions(op, which), {which.numel()});
  if (!negative_too) check_positions(op, positions, d, t.dim() ? t.size(d) : 1);
  Axes axes;
  axes.add(d, 1, d, positions);
  axes.resolve();
  return axes;
}

Tensor at_least_1d(const Tensor& t) { return t.dim() ? t : reshape(t, {1}); }

void check_source(const char* op, const Tensor& self, int dim, const Tensor& which, const Tensor& source) {
  Shape wanted = self.shape();
  wanted[dim] = which.numel();
  check<ShapeError>(at_least_1d(source).shape() == wanted, op, ": source has shape ", source.shape(), "; expected ",
                    wanted, " for ", which.numel(), " indices along dim ", dim);
}

}  // namespace

Tensor index_select(const Tensor& t, int64_t dim, const Tensor& which) {
  const Axes axes = along("index_select", t, dim, which);
  if (t.dim() == 0) return reshape(read_at("IndexSelectBackward0", reshape(t, {1}), axes), {});
  return read_at("IndexSelectBackward0", t, axes);
}

Tensor index_add_(const Tensor& self, int64_t dim, const Tensor& which, const Tensor& source, Scalar alpha) {
  const Axes axes = along("index_add_", self, dim, which);
  const Tensor v = at_least_1d(self);
  check_source("index_add_", v, axes.at[0].dim, which, source);
  const bool plain = alpha.kind != ScalarKind::floating && alpha.i == 1;
  write_at("index_add_", v, axes, plain ? source : mul(source, alpha), true);
  return self;
}

Tensor index_copy_(const Tensor& self, int64_t dim, const Tensor& which, const Tensor& source) {
  const Axes axes = along("index_copy_", self, dim, which);
  const Tensor v = at_least_1d(self);
  check_source("index_copy_", v, axes.at[0].dim, which, source);
  write_at("index_copy_", v, axes, source, false);
  return self;
}

Tensor index_fill_(const Tensor& self, int64_t dim, const Tensor& which, const Operand& value) {
  if (value.is_tensor())
    check<ShapeError>(value.tensor->dim() == 0, "index_fill_: value must be a number or a 0-dim tensor, got shape ",
                      value.tensor->shape());
  const Axes axes = along("index_fill_", self, dim, which, true);
  write_at("index_fill_", at_least_1d(self), axes, value.is_tensor() ? Operand(to(*value.tensor, self.dtype())) : value,
           false);
  return self;
}

Tensor take(const Tensor& t, const Tensor& which) {
  check_same_device("take", t, which);
  Axes axes;
  axes.add(0, 1, 0, as_positions("take", which));
  axes.resolve();
  return read_at("TakeBackward0", reshape(t, {t.numel()}), axes);
}

Tensor embedding(const Tensor& weight, const Tensor& which, int64_t padding_idx) {
  check_same_device("embedding", weight, which);
  check<ShapeError>(weight.dim() == 2, "embedding: weight must have two dimensions, got shape ", weight.shape());
  const Tensor positions = as_positions("embedding", which);
  check_positions("embedding", positions, 0, weight.size(0));
  Axes axes;
  axes.add(0, 1, 0, positions);
  axes.resolve();
  Tensor out = read_at("EmbeddingBackward0", weight, axes);
  if (padding_idx < 0 || !needs_grad(weight)) return out;
  // The rows of padding_idx are taken without history.
  return where(unsqueeze(compare(FD_EQ, positions, Scalar(padding_idx)), -1), detach(out), out);
}

namespace {

// The coordinate along each dim of ascending linear positions, written every `every` elements from out[dim * apart] on.
void unravel(const Tensor& positions, const Shape& shape, int64_t* out, int64_t every, int64_t apart) {
  const auto* p = positions.data_as<int64_t>();
  const int last = shape.size() - 1;
  if (last < 0) return;
  Dims row;  // coordinates of the row that the last position lay in
  row.resize(last);
  int64_t row_end = 0;
  for (int64_t i = 0; i < positions.numel(); i++) {
    if (p[i] >= row_end) {
      int64_t rest = p[i] / shape[last];
      row_end = (rest + 1) * shape[last];
      for (int d = last - 1; d >= 0; d--) {
        row[d] = rest % shape[d];
        rest /= shape[d];
      }
    }
    for (int d = 0; d < last; d++) out[d * apart + i * every] = row[d];
    out[last * apart + i * every] = p[i] - (row_end - shape[last]);
  }
}

// The same on a GPU, which divides faster than positions travel: rows [dims, count].
Tensor unraveled(const Tensor& positions, const Shape& shape) {
  const Tensor rows = empty({shape.size(), positions.numel()}, DType::int64, positions.device());
  Tensor rest = positions;
  for (int d = shape.size() - 1; d >= 0; d--) {
    const Scalar size(std::max<int64_t>(shape[d], 1));
    copy_(select(rows, 0, d), d == 0 ? rest : binary(FD_REMAINDER, rest, size));
    rest = d == 0 ? rest : binary(FD_FLOOR_DIV, rest, size);
  }
  return rows;
}

}  // namespace

Tensor nonzero(const Tensor& t) {
  const GradMode off(false);
  const Tensor found = nonzero_positions(t);
  if (on_gpu(t)) return contiguous(transpose(unraveled(found, t.shape()), 0, 1));
  Tensor out = empty({found.numel(), t.dim()}, DType::int64);
  unravel(found, t.shape(), out.data_as<int64_t>(), t.dim(), 1);
  return out;
}

std::vector<Tensor> nonzero_tuple(const Tensor& t) {
  const Tensor in = at_least_1d(t), found = nonzero_positions(in);
  if (in.dim() == 1) return {found};
  Tensor rows;
  if (on_gpu(t)) {
    const GradMode off(false);
    rows = unraveled(found, in.shape());
  } else {
    rows = empty({in.dim(), found.numel()}, DType::int64);
    unravel(found, in.shape(), rows.data_as<int64_t>(), 1, found.numel());
  }
  std::vector<Tensor> out;
  for (int d = 0; d < in.dim(); d++) out.push_back(select(rows, 0, d));
  return out;
}

namespace {

struct Extent {
  int64_t least = 0, most = -1;
};

Extent extent_of(const Tensor& numbers) {
  Extent e;
  if (on_gpu(numbers) && numbers.numel() > 0) {  // two numbers travel instead of all
    const Tensor all = view(numbers, {numbers.numel()});
    const Tensor ends = on_host(cat({reduce(FD_REDUCE_MIN, all, {0}, true), reduce(FD_REDUCE_MAX, all, {0}, true)}, 0));
    return {ends.data_as<int64_t>()[0], ends.data_as<int64_t>()[1]};
  }
  const auto* p = numbers.data_as<int64_t>();
  for (int64_t i = 0; i < numbers.numel(); i++) {
    e.most = std::max(e.most, p[i]);
    e.least = std::min(e.least, p[i]);
  }
  return e;
}

}  // namespace

// With the number of classes given, a GPU is not waited for: a class out of range is reported at the next wait.
Tensor one_hot(const Tensor& classes, int64_t count) {
  const Tensor c = as_positions("one_hot", classes);
  const bool unseen = on_gpu(c) && count > 0;
  if (unseen) report_bad_index("one_hot", c, count);
  const auto [least, most] = unseen ? Extent{0, count - 1} : extent_of(c);
  check<ValueError>(count == -1 || count > 0, "one_hot: num_classes is ", count, "; expected at least 1, or -1");
  check<ValueError>(count != -1 || c.numel() > 0, "one_hot: no class numbers, and num_classes is not given");
  if (count == -1) count = most + 1;
  check<IndexError>(least >= 0, "one_hot: class number ", least, " is negative");
  check<IndexError>(most < count, "one_hot: class number ", most, " is out of range for ", count, " classes");
  Shape shape = c.shape();
  shape.push_back(count);
  const Tensor out = zeros(shape, DType::int64, c.device());
  return scatter_(out, -1, unsqueeze(c, -1), 1);
}

}  // namespace fd::ops
