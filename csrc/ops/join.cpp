// Putting tensors together along a dim, and taking one apart.
#include "ops/ops.h"

namespace fd::ops {

namespace {

// A run of contiguous elements in front of dim's inner ones: parts are copied row by row of the dims before.
struct Rows {
  int64_t outer = 1, inner = 1;
  Rows(const Shape& shape, int dim) {
    for (int i = 0; i < shape.size(); i++)
      if (i != dim) (i < dim ? outer : inner) *= shape[i];
  }
};

// Writes part to out's places [at, at + size) along dim.
void place(const char* op, const Tensor& out, const Tensor& part, int dim, int64_t at, int64_t size, const Rows& rows) {
  if (part.numel() == 0) return;
  const Tensor from = contiguous(detach(part));
  fd_elementwise args;
  args.ndim = 2;
  args.size[0] = rows.outer;
  args.size[1] = size * rows.inner;
  args.out_stride[0] = out.size(dim) * rows.inner;
  args.in_stride[0][0] = args.size[1];
  args.out_stride[1] = args.in_stride[0][1] = 1;
  if (rows.outer == 1) {
    args.ndim = 1;
    args.size[0] = args.size[1];
    args.out_stride[0] = args.in_stride[0][0] = 1;
  }
  args.out = static_cast<char*>(out.data()) + at * rows.inner * static_cast<int64_t>(item_size(out.dtype()));
  args.in[0] = from.data();
  args.in[1] = args.in[2] = nullptr;
  run(op, kernels(out.device()).elementwise.cast[index(from.dtype())][index(out.dtype())], args, out.device(),
      2 * bytes_of(part));
}

bool any_needs_grad(const std::vector<Tensor>& parts) {
  bool any = false;
  if (grad_enabled())
    for (const Tensor& t : parts) any |= requires_grad(t);
  return any;
}

DType common_dtype(const char* op, const std::vector<Tensor>& parts) {
  DType d = parts[0].dtype();
  for (const Tensor& t : parts) {
    check_same_device(op, parts[0], t);
    d = promote(d, t.dtype());
  }
  return d;
}

class CatBackward final : public Node {
 public:
  CatBackward(const std::vector<Tensor>& parts, int dim) : Node(static_cast<int>(parts.size())), dim_(dim) {
    for (int i = 0; i < inputs(); i++) {
      connect(this, i, parts[i]);
      parts_.push_back({parts[i].shape(), parts[i].dtype()});
    }
  }
  const char* name() const override { return "CatBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    int64_t at = 0;
    for (int i = 0; i < inputs(); i++) {
      const bool skipped = parts_[i].shape.size() != grad_out[0].dim();
      const int64_t size = skipped ? 0 : parts_[i].shape[dim_];
      if (wants(i))
        grad_in[i] = skipped ? zeros(parts_[i].shape, parts_[i].dtype, grad_out[0].device())
                             : to(narrow(grad_out[0], dim_, at, size), parts_[i].dtype);
      at += size;
    }
  }

 private:
  struct Part {
    Shape shape;
    DType dtype;
  };
  int dim_;
  std::vector<Part> parts_;
};

class StackBackward final : public Node {
 public:
  StackBackward(const std::vector<Tensor>& parts, int dim) : Node(static_cast<int>(parts.size())), dim_(dim) {
    for (int i = 0; i < inputs(); i++) {
      connect(this, i, parts[i]);
      dtypes_.push_back(parts[i].dtype());
    }
  }
  const char* name() const override { return "StackBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    for (int i = 0; i < inputs(); i++)
      if (wants(i)) grad_in[i] = to(select(grad_out[0], dim_, i), dtypes_[i]);
  }

 private:
  int dim_;
  std::vector<DType> dtypes_;
};

// A 1-dim tensor without elements joins with anything.
bool is_nothing(const Tensor& t) { return t.dim() == 1 && t.numel() == 0; }

}  // namespace

Tensor cat(const std::vector<Tensor>& parts, int64_t dim) {
  check<ValueError>(!parts.empty(), "cat: expected at least one tensor, got none");
  const Tensor* like = &parts[0];
  for (const Tensor& t : parts)
    if (is_nothing(*like)) like = &t;
  const DType d = common_dtype("cat", parts);
  check<ShapeError>(like->dim() > 0, "cat: 0-dim tensors cannot be joined; use stack()");
  const int at = normalize_dim("cat", dim, like->dim());
  Shape shape = like->shape();
  shape[at] = 0;
  for (const Tensor& t : parts) {
    if (is_nothing(t) && like->dim() != 1) continue;
    bool fits = t.dim() == like->dim();
    for (int i = 0; fits && i < t.dim(); i++) fits = i == at || t.size(i) == shape[i];
    check<ShapeError>(fits, "cat: shapes ", like->shape(), " and ", t.shape(), " may differ only in dimension ", at);
    shape[at] += t.size(at);
  }
  Tensor out = empty(shape, d, parts[0].device());
  const Rows rows(shape, at);
  int64_t begin = 0;
  for (const Tensor& t : parts) {
    if (t.dim() != out.dim()) continue;
    place("cat", out, t, at, begin, t.size(at), rows);
    begin += t.size(at);
  }
  if (is_floating(d) && any_needs_grad(parts)) set_history(out, Ref<Node>(new CatBackward(parts, at)));
  return out;
}

Tensor stack(const std::vector<Tensor>& parts, int64_t dim) {
  check<ValueError>(!parts.empty(), "stack: expected at least one tensor, got none");
  const DType d = common_dtype("stack", parts);
  Shape shape = parts[0].shape();
  for (const Tensor& t : parts)
    check<ShapeError>(t.shape() == shape, "stack: all tensors must have one shape, got ", shape, " and ", t.shape());
  const int at = normalize_dim("stack", dim, shape.size() + 1);
  shape.insert(at, static_cast<int64_t>(parts.size()));
  Tensor out = empty(shape, d, parts[0].device());
  const Rows rows(shape, at);
  for (size_t i = 0; i < parts.size(); i++) place("stack", out, parts[i], at, static_cast<int64_t>(i), 1, rows);
  if (is_floating(d) && any_needs_grad(parts)) set_history(out, Ref<Node>(new StackBackward(parts, at)));
  return out;
}

std::vector<Tensor> split(const Tensor& t, int64_t size, int64_t dim) {
  check<ShapeError>(t.dim() > 0, "split: a 0-dim tensor has no dimension to take apart");
  const int64_t n = t.size(normalize_dim("split", dim, t.dim()));
  check<ValueError>(size > 0 || (size == 0 && n == 0), "split: split_size must be positive, got ", size);
  std::vector<int64_t> sizes;
  for (int64_t at = 0; at < n; at += size) sizes.push_back(std::min(size, n - at));
  if (n == 0) sizes.push_back(0);
  return split(t, sizes, dim);
}

std::vector<Tensor> chunk(const Tensor& t, int64_t count, int64_t dim) {
  check<ShapeError>(t.dim() > 0, "chunk: a 0-dim tensor has no dimension to take apart");
  check<ValueError>(count > 0, "chunk: chunks must be positive, got ", count);
  const int64_t n = t.size(normalize_dim("chunk", dim, t.dim()));
  if (n == 0) return split(t, std::vector<int64_t>(static_cast<size_t>(count), 0), dim);
  return split(t, (n + count - 1) / count, dim);
}

std::vector<Tensor> tensor_split(const Tensor& t, int64_t count, int64_t dim) {
  check<ShapeError>(t.dim() > 0, "tensor_split: a 0-dim tensor has no dimension to take apart");
  check<ValueError>(count > 0, "tensor_split: the number of sections must be positive, got ", count);
  const int64_t n = t.size(normalize_dim("tensor_split", dim, t.dim()));
  std::vector<int64_t> sizes;
  for (int64_t i = 0; i < count; i++) sizes.push_back(n / count + (i < n % count));
  return split(t, sizes, dim);
}

std::vector<Tensor> tensor_split(const Tensor& t, const std::vector<int64_t>& at, int64_t dim) {
  check<ShapeError>(t.dim() > 0, "tensor_split: a 0-dim tensor has no dimension to take apart");
  const int d = normalize_dim("tensor_split", dim, t.dim());
  std::vector<Tensor> parts;
  std::optional<int64_t> begin = 0;
  for (size_t i = 0; i <= at.size(); i++) {
    const std::optional<int64_t> end = i < at.size() ? std::optional<int64_t>(at[i]) : std::nullopt;
    Tensor part = slice(t, d, begin, end, 1);
    if (part->view_origin == ViewOrigin::plain) part->view_origin = ViewOrigin::one_of_many;
    parts.push_back(std::move(part));
    begin = end;
  }
  return parts;
}

}  // namespace fd::ops
