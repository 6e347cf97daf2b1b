#include "autograd/view.h"

namespace fd {

namespace {

// Where a tensor lies in memory: enough to build another of the same layout.
struct Geometry {
  Shape shape;
  Dims strides;
  int64_t offset;
  DType dtype;
  Device device;
  explicit Geometry(const Tensor& t)
      : shape(t.shape()), strides(t.strides()), offset(t->storage_offset()), dtype(t.dtype()), device(t.device()) {}
  Tensor zeros() const { return grad_arithmetic.zeros(shape, strides, dtype, device); }
};

// Gradient of reading a window: the base's gradient is zero but for the window.
class WindowBackward final : public Node {
 public:
  WindowBackward(const Tensor& base, const Tensor& view) : Node(1), base_(base), view_(view) {}
  const char* name() const override { return "AsStridedBackward0"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    Tensor whole = base_.zeros();
    grad_arithmetic.add_to_view(whole, view_.shape, view_.strides, view_.offset - base_.offset, grad_out[0]);
    grad_in[0] = whole;
  }

 private:
  Geometry base_, view_;
};

// Gradient of writing a window with an operation `write` whose input 0 is the old window: outside it the gradient
// passes, inside it goes through write. Input 0 is the base, the rest are write's other inputs.
class CopySlices final : public Node {
 public:
  CopySlices(const Tensor& base, const Tensor& view, Ref<Node> write)
      : Node(write->inputs()), base_(base), view_(view), write_(std::move(write)) {
    for (int i = 1; i < inputs(); i++) set_edge(i, write_->edge(i));
  }
  const char* name() const override { return "CopySlices"; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    check<GradError>(static_cast<bool>(write_), name(),
                     ": backward through a graph that was freed; pass retain_graph=True");
    Tensor whole = base_.zeros();
    grad_arithmetic.copy_into(whole, grad_out[0]);
    Tensor window = grad_arithmetic.as_strided(whole, view_.shape, view_.strides,
                                               whole->storage_offset() + view_.offset - base_.offset);
    const Tensor grad_window = grad_arithmetic.clone(window);
    write_->backward(&grad_window, grad_in);
    if (!wants(0)) return;
    if (grad_in[0].defined())
      grad_arithmetic.copy_into(window, grad_in[0]);
    else
      grad_arithmetic.copy_into(
          window, grad_arithmetic.zeros(view_.shape, contiguous_strides(view_.shape), view_.dtype, view_.device));
    grad_in[0] = whole;
  }
  void release() override {
    if (write_) write_->release();
  }

 private:
  Geometry base_, view_;
  Ref<Node> write_;
};

void take_history_from_base(const Tensor& view) {
  auto* node = new WindowBackward(view->base, view);
  Ref<Node> owned(node);
  node->set_edge(0, gradient_edge(view->base));
  set_history(view, std::move(owned));
  view->view_version = view->version_value();
}

}  // namespace

void refresh_view(const Tensor& t) {
  check<GradError>(t->view_origin != ViewOrigin::no_grad,
                   "this view was made under no_grad() and the tensor it views was changed since; make it with "
                   "gradients on, or clone() it");
  check<GradError>(t->view_origin != ViewOrigin::one_of_many,
                   "this is one of several views returned by one call (split, chunk, unbind) and the tensor they view "
                   "was changed since; index the tensor instead, or clone() the view");
  take_history_from_base(t);
}

void rewrite_base(const Tensor& self, Ref<Node> node) {
  const Tensor base = self->base;
  auto* slices = new CopySlices(base, self, std::move(node));
  Ref<Node> owned(slices);
  if (requires_grad(base)) slices->set_edge(0, gradient_edge(base));
  set_history(base, std::move(owned));
  take_history_from_base(self);
}

}  // namespace fd
