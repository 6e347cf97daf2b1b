#include "autograd/meta.h"

#include <algorithm>

#include "autograd/engine.h"
#include "autograd/view.h"

namespace fd {

GradArithmetic grad_arithmetic;

namespace {

thread_local bool enabled = true;

// Fills .grad of a tensor that is not a leaf. Removed by ~Meta, so owner outlives it.
class RetainGrad final : public GradHook {
 public:
  explicit RetainGrad(Meta* meta) : meta_(meta) {}
  Tensor call(const Tensor& grad) override {
    meta_->grad = meta_->grad.defined() ? grad_arithmetic.add(meta_->grad, grad) : grad;
    return {};
  }

 private:
  Meta* meta_;
};

void move_retained(Meta& m, const Ref<Node>& node, uint32_t slot) {
  if (m.retain_hook < 0) return;
  if (m.grad_fn) m.grad_fn->remove_hook(m.retain_hook);
  m.retain_hook = node->add_hook(slot, std::make_unique<RetainGrad>(&m));
}

}  // namespace

Meta::~Meta() {
  if (retain_hook >= 0 && grad_fn) grad_fn->remove_hook(retain_hook);
}

Meta& ensure_meta(const Tensor& t) {
  if (!t->autograd) t->autograd = new Meta(t.get());
  return *static_cast<Meta*>(t->autograd);
}

bool grad_enabled() { return enabled; }
void set_grad_enabled(bool on) { enabled = on; }

bool is_leaf(const Tensor& t) { return !grad_fn(t); }

Ref<Node> grad_fn(const Tensor& t) {
  if (!requires_grad(t)) return {};
  const Meta* m = meta(t);
  return m ? m->grad_fn : Ref<Node>();
}

void set_requires_grad(const Tensor& t, bool on) {
  if (on)
    check<DTypeError>(is_floating(t.dtype()), "requires_grad: only floating tensors have gradients, this one is ",
                      t.dtype());
  check<GradError>(on || is_leaf(t),
                   "requires_grad: cannot be turned off on a tensor with a history; use detach() for one without");
  if (!is_leaf(t)) return;
  t->requires_grad = on;
}

void set_grad(const Tensor& t, const Tensor& grad) {
  if (grad.defined()) {
    check<ShapeError>(grad.shape() == t.shape(), "grad: shape ", grad.shape(), " for a tensor of shape ", t.shape());
    check<DTypeError>(grad.dtype() == t.dtype(), "grad: dtype ", grad.dtype(), " for a tensor of dtype ", t.dtype());
  } else if (!t->autograd) {
    return;
  }
  ensure_meta(t).grad = grad;
}

void retain_grad(const Tensor& t) {
  check<GradError>(requires_grad(t), "retain_grad: this tensor does not require grad");
  Meta& m = ensure_meta(t);
  if (!m.grad_fn || m.retain_hook >= 0) return;
  m.retain_hook = m.grad_fn->add_hook(m.slot, std::make_unique<RetainGrad>(&m));
}

int64_t add_grad_hook(const Tensor& t, std::unique_ptr<GradHook> hook) {
  check<GradError>(requires_grad(t), "register_hook: this tensor does not require grad");
  Meta& m = ensure_meta(t);
  if (m.grad_fn) return m.grad_fn->add_hook(m.slot, std::move(hook));
  const int64_t id = next_hook_id();
  m.hooks.push_back({id, 0, std::move(hook)});
  return id;
}

void remove_grad_hook(const Tensor& t, const Ref<Node>& node, int64_t id) {
  if (node) node->remove_hook(id);
  if (!t.defined() || !t->autograd) return;
  auto is_it = [&](const HookEntry& h) { return h.id == id; };
  std::erase_if(meta(t)->hooks, is_it);
  std::erase_if(meta(t)->after_accumulate, is_it);
}

Edge gradient_edge(const Tensor& t) {
  if (!requires_grad(t)) return {};
  const Meta* m = meta(t);
  if (m && m->grad_fn) return {m->grad_fn, m->slot};
  return {accumulator(t), 0};
}

void set_history(const Tensor& t, Ref<Node> node, uint32_t slot) {
  Meta& m = ensure_meta(t);
  move_retained(m, node, slot);
  m.grad_fn = std::move(node);
  m.slot = slot;
  t->requires_grad = true;
}

namespace {

void check_view_write(const char* op, const Tensor& self, bool base_requires_grad) {
  check<GradError>(!(base_requires_grad && is_leaf(self->base)), op,
                   ": in-place write to a view of a leaf that requires grad; write under no_grad() or to a clone()");
  check<GradError>(self->view_origin != ViewOrigin::no_grad, op,
                   ": in-place write to a view made under no_grad(); make the view with gradients on, or write under "
                   "no_grad() too");
  check<GradError>(self->view_origin != ViewOrigin::one_of_many, op,
                   ": in-place write to one of several views returned by one call (split, chunk, unbind); index the "
                   "tensor instead");
}

}  // namespace

void check_inplace(const char* op, const Tensor& self, bool recorded) {
  check<ValueError>(self->storage->writable, op, ": this tensor's memory is read-only");
  check<GradError>(!overlaps_itself(self), op, ": several elements of this expanded tensor of shape ", self.shape(),
                   " share one place in memory; clone() it before writing in place");
  if (!grad_enabled()) return;
  const bool viewed = self->base.defined() && requires_grad(self->base);
  if (!viewed && !recorded && !self->requires_grad) return;
  if (self->base.defined()) check_view_write(op, self, viewed);
  const bool own = requires_grad(self);
  check<GradError>(!(own && is_leaf(self)), op,
                   ": in-place write to a leaf that requires grad; write under no_grad() or to a clone()");
}

void finish_inplace(const char* op, const Tensor& self, Ref<Node> node) {
  self->bump_version(op);
  if (!node) return;
  if (self->base.defined())
    rewrite_base(self, std::move(node));
  else
    set_history(self, std::move(node));
}

void finish_view(const Tensor& out, const Tensor& self, Ref<Node> node, ViewOrigin origin) {
  out->base = self->base.defined() ? self->base : self;
  out->view_version = out->version_value();
  out->view_origin = !grad_enabled() || self->view_origin == ViewOrigin::no_grad ? ViewOrigin::no_grad
                     : self->view_origin == ViewOrigin::one_of_many              ? ViewOrigin::one_of_many
                                                                                 : origin;
  if (node) set_history(out, std::move(node));
}

}  // namespace fd
