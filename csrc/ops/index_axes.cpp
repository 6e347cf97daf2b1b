// Reading and writing at advanced indices: indices become offsets of contiguous blocks, which one kernel call moves.
#include "ops/index_axes.h"

#include "ops/remote.h"

namespace fd::ops {

void Axes::add(int dim, int span, int shown, const Tensor& which) {
  if (count > 0) adjacent &= at[count - 1].dim + at[count - 1].span == dim;
  at[count++] = {dim, span, shown, which};
}

void Axes::follow(Device device) {
  for (int i = 0; i < count; i++) {
    Tensor& which = at[i].which;
    if (which.device() == device) continue;
    check<DeviceError>(which.device().kind == DeviceKind::cpu, "index: an index on ", which.device(),
                       " for a tensor on ", device);
    which = to_device(detach(which), device);
  }
}

void Axes::resolve() {
  for (int i = 0; i < count; i++) {
    Tensor& which = at[i].which;
    which = which.dtype() == DType::boolean ? nonzero_positions(which) : to(detach(which), DType::int64);
    try {
      shape = i == 0 ? which.shape() : broadcast("index", shape, which.shape());
    } catch (const ShapeError&) {
      fail<IndexError>("index: the indices of shapes ", shape, " and ", which.shape(), " do not broadcast");
    }
  }
}

namespace {

// How the result's elements lie in the indexed tensor.
struct Layout {
  Shape result;
  Dims before_size, before_stride;  // dims kept in front of the indices'
  Dims after_size, after_stride;    // and behind, but for those that form one contiguous block
  int64_t inner = 1;                // elements of that block
};

Layout layout_of(const Tensor& t, const Axes& axes) {
  uint32_t covered = 0;
  for (int i = 0; i < axes.count; i++)
    for (int d = 0; d < axes.at[i].span; d++) covered |= 1u << (axes.at[i].dim + d);
  Layout l;
  Shape after;
  for (int d = 0; d < t.dim(); d++) {
    if (covered >> d & 1) continue;
    const bool before = axes.adjacent && d < axes.at[0].dim;
    (before ? l.before_size : l.after_size).push_back(t.size(d));
    (before ? l.before_stride : l.after_stride).push_back(t.stride(d));
  }
  l.result = l.before_size;
  for (int64_t s : axes.shape) l.result.push_back(s);
  for (int64_t s : l.after_size) l.result.push_back(s);
  for (int n = l.after_size.size(); n > 0 && (l.after_size[n - 1] == 1 || l.after_stride[n - 1] == l.inner); n--) {
    l.inner *= l.after_size[n - 1];
    l.after_size.erase(n - 1);
    l.after_stride.erase(n - 1);
  }
  return l;
}

void add_offsets(const Axis& axis, int dim, const Tensor& positions, int64_t size, int64_t stride, const Tensor& out,
                 bool first) {
  const fd_offsets args = {
      positions.numel(), positions.data_as<int64_t>(), size, stride, out.data_as<int64_t>(), first, 0};
  const Device device = out.device();
  fd_offsets_fn* const kernel = find(kernels(device).index.offsets, "index", DType::int64, device);
  const fd_status status = run_for_status("index", kernel, args, device, 0);
  if (status == FD_OK) return;
  if (status != FD_OUT_OF_RANGE) fail_status("index", status, device);
  fail<IndexError>("index ", context(device)->fault->value, " is out of bounds for dimension ", axis.shown + dim,
                   " with size ", size);
}

// Whether the axis' dims are walked by one stride.
bool merges(const Tensor& t, const Axis& axis) {
  for (int d = axis.dim; d < axis.dim + axis.span - 1; d++)
    if (t.stride(d) != t.stride(d + 1) * t.size(d + 1)) return false;
  return true;
}

// Offsets of what the indices point at, [numel(axes.shape)].
Tensor index_offsets(const Tensor& t, const Axes& axes) {
  Tensor out = empty({numel(axes.shape)}, DType::int64, t.device());
  for (int i = 0; i < axes.count; i++) {
    const Axis& axis = axes.at[i];
    Tensor positions = contiguous(expand(axis.which, axes.shape));
    const int last = axis.dim + axis.span - 1;
    if (merges(t, axis)) {
      int64_t size = 1;
      for (int d = axis.dim; d <= last; d++) size *= t.size(d);
      add_offsets(axis, 0, positions, size, t.stride(last), out, i == 0);
      continue;
    }
    for (int d = last; d >= axis.dim && positions.numel() > 0; d--) {
      const Scalar size(t.size(d));
      add_offsets(axis, d - axis.dim, binary(FD_REMAINDER, positions, size), t.size(d), t.stride(d), out,
                  i == 0 && d == last);
      positions = binary(FD_FLOOR_DIV, positions, size);
    }
  }
  return out;
}

// The offset of every element of a strided grid, in C order.
Tensor grid_offsets(const Dims& size, const Dims& stride, Device device) {
  if (device.kind == DeviceKind::cuda) {
    const auto ramp = [&](int i) { return ramp_there(size[i], 0, Scalar(stride[i]), 0, DType::int64, device); };
    Tensor out = ramp(size.size() - 1);
    for (int i = size.size() - 2; i >= 0; i--) out = view(add(unsqueeze(ramp(i), 1), out), {size[i] * out.numel()});
    return out;
  }
  Tensor out = empty({numel(size)}, DType::int64);
  if (out.numel() == 0) return out;
  auto* offsets = out.data_as<int64_t>();
  offsets[0] = 0;
  int64_t done = 1;
  for (int i = size.size() - 1; i >= 0; i--) {
    for (int64_t k = 1; k < size[i]; k++)
      for (int64_t j = 0; j < done; j++) offsets[k * done + j] = offsets[j] + k * stride[i];
    done *= size[i];
  }
  return out;
}

Tensor block_offsets(const Tensor& t, const Axes& axes, const Layout& l) {
  Tensor offsets = index_offsets(t, axes);
  if (!l.before_size.empty()) {
    const Tensor before = grid_offsets(l.before_size, l.before_stride, t.device());
    offsets = view(add(unsqueeze(before, 1), offsets), {before.numel() * offsets.numel()});
  }
  if (!l.after_size.empty()) {
    const Tensor after = grid_offsets(l.after_size, l.after_stride, t.device());
    offsets = view(add(unsqueeze(offsets, 1), after), {offsets.numel() * after.numel()});
  }
  return offsets;
}

// axes with their indices guarded against changes until backward.
class KeptAxes {
 public:
  explicit KeptAxes(const Axes& axes) : axes_(axes) {
    for (int i = 0; i < axes.count; i++) which_[i] = Saved(std::exchange(axes_.at[i].which, {}));
  }
  Axes get(Node* node) const {
    Axes axes = axes_;
    for (int i = 0; i < axes.count; i++) axes.at[i].which = which_[i].get(node);
    return axes;
  }
  void release() {
    for (int i = 0; i < axes_.count; i++) which_[i].release();
  }

 private:
  Axes axes_;
  Saved which_[FD_MAX_DIMS];
};

class IndexBackward final : public Node {
 public:
  IndexBackward(const char* name, const Tensor& t, const Axes& axes)
      : Node(1), name_(name), axes_(axes), shape_(t.shape()) {
    connect(this, 0, t);
  }
  const char* name() const override { return name_; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor& g = grad_out[0];
    grad_in[0] = zeros(shape_, g.dtype(), g.device());
    write_at("index backward", grad_in[0], axes_.get(this), g, true);
  }
  void release() override { axes_.release(); }

 private:
  const char* name_;
  KeptAxes axes_;
  Shape shape_;
};

class IndexPutBackward final : public Node {
 public:
  IndexPutBackward(const Tensor& self, const Axes& axes, const Tensor* values, bool accumulate)
      : Node(2), axes_(axes), accumulate_(accumulate) {
    connect(this, 0, self);
    if (!values) return;
    connect(this, 1, *values);
    shape_ = values->shape();
  }
  const char* name() const override { return "IndexPutBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    const Tensor& g = grad_out[0];
    const Axes axes = axes_.get(this);
    if (wants(0)) {
      grad_in[0] = accumulate_ ? g : clone(g);
      if (!accumulate_) write_at("index_put backward", grad_in[0], axes, 0, false);
    }
    if (wants(1)) grad_in[1] = trimmed_back(read_at("IndexBackward0", g, axes));
  }
  void release() override { axes_.release(); }

 private:
  // The values' shape may have had leading dims of size 1 that the result lacks.
  Tensor trimmed_back(const Tensor& g) const {
    Shape shape = shape_;
    while (shape.size() > g.dim()) shape.erase(0);
    return reshape(sum_to(g, shape), shape_);
  }
  KeptAxes axes_;
  bool accumulate_;
  Shape shape_;
};

void put(const Tensor& self, const Tensor& offsets, int64_t inner, const Tensor& values, Scalar scalar,
         bool accumulate) {
  const fd_take args = {offsets.numel(),
                        inner,
                        offsets.data_as<int64_t>(),
                        values.defined() ? values.data() : nullptr,
                        self.data(),
                        scalar.as(self.dtype()),
                        accumulate,
                        0};
  run("index_put",
      find(kernels(self.device()).index.put[index(self.dtype())], "index_put", self.dtype(), self.device()), args,
      self.device(), 2 * offsets.numel() * inner * static_cast<int64_t>(item_size(self.dtype())));
}

// Values in the shape of the result, contiguous, in no memory that is about to be written.
Tensor values_for(const char* op, const Tensor& self, const Tensor& values, const Shape& result) {
  check_same_device(op, self, values);
  check<DTypeError>(values.dtype() == self.dtype(), op, ": the values are ", values.dtype(), " but the tensor is ",
                    self.dtype(), "; convert them with .to()");
  Shape shape = values.shape();
  while (shape.size() > result.size() && shape[0] == 1) shape.erase(0);
  bool fits = shape.size() <= result.size();
  for (int i = 1; fits && i <= shape.size(); i++)
    fits = shape[shape.size() - i] == 1 || shape[shape.size() - i] == result[result.size() - i];
  check<ShapeError>(fits, op, ": values of shape ", values.shape(), " do not broadcast to the indexed shape ", result);
  const Tensor spread = expand(reshape(detach(values), shape), result);
  return spread.is_contiguous() && values->storage != self->storage ? spread : clone(spread);
}

// bool and half have no addition of their own.
bool adds_elsewhere(DType d) { return is_half(d) || d == DType::boolean; }

}  // namespace

Tensor read_at(const char* node, const Tensor& t, const Axes& axes) {
  Ref<Node> history;
  if (needs_grad(t)) history = Ref<Node>(new IndexBackward(node, t, axes));
  const GradMode off(false);
  const Layout l = layout_of(t, axes);
  const Tensor offsets = block_offsets(t, axes, l);
  Tensor out = empty(l.result, t.dtype(), t.device());
  const fd_take args = {offsets.numel(), l.inner, offsets.data_as<int64_t>(), t.data(), out.data(), {}, 0, 0};
  run("index", find(kernels(t.device()).index.take[index(t.dtype())], "index", t.dtype(), t.device()), args, t.device(),
      2 * bytes_of(out));
  if (history) set_history(out, std::move(history));
  return out;
}

void write_at(const char* op, const Tensor& self, const Axes& axes, const Operand& value, bool accumulate) {
  static const Tensor undefined;
  const bool record = is_floating(self.dtype()) && needs_grad(self, value.is_tensor() ? *value.tensor : undefined);
  check_inplace(op, self, record);
  Ref<Node> node;
  if (record) node = Ref<Node>(new IndexPutBackward(self, axes, value.tensor, accumulate));
  {
    const GradMode off(false);
    const bool elsewhere = accumulate && adds_elsewhere(self.dtype());
    const Tensor target =
        elsewhere ? contiguous(to(detach(self), is_half(self.dtype()) ? DType::float32 : DType::int32)) : self;
    const Layout l = layout_of(target, axes);
    Tensor values;
    if (value.is_tensor()) values = to(values_for(op, self, *value.tensor, l.result), target.dtype());
    put(target, block_offsets(target, axes, l), l.inner, values, value.scalar, accumulate);
    if (elsewhere) copy_(detach(self), to(target, self.dtype()));
  }
  finish_inplace(op, self, std::move(node));
}

Tensor nonzero_positions(const Tensor& t) {
  const Tensor in = contiguous(is_half(t.dtype()) ? compare(FD_NE, detach(t), 0) : detach(t));
  const Tensor found = empty({}, DType::int64, in.device());
  fd_nonzero args = {in.numel(), in.data(), nullptr, found.data_as<int64_t>()};
  auto* kernel = find(kernels(in.device()).index.nonzero[index(in.dtype())], "nonzero", in.dtype(), in.device());
  run("nonzero", kernel, args, in.device(), bytes_of(in));
  const auto count = first_element<int64_t>(found);
  Tensor out = empty({count}, DType::int64, in.device());
  args.out = out.data_as<int64_t>();
  if (count > 0) run("nonzero", kernel, args, in.device(), bytes_of(in) + bytes_of(out));
  return out;
}

Tensor as_positions(const char* op, const Tensor& which) {
  check<DTypeError>(which.dtype() == DType::int64 || which.dtype() == DType::int32, op,
                    ": the index must be int64 or int32, got ", which.dtype());
  return contiguous(to(detach(which), DType::int64));
}

void check_positions(const char* op, const Tensor& positions, int dim, int64_t size) {
  if (on_gpu(positions)) return report_bad_index(op, positions, size);
  const auto* p = positions.data_as<int64_t>();
  for (int64_t i = 0; i < positions.numel(); i++)
    check<IndexError>(p[i] >= 0 && p[i] < size, op, ": index ", p[i], " is out of bounds for dimension ", dim,
                      " with size ", size);
}

}  // namespace fd::ops
