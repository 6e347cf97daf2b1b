// What autograd knows of a tensor, and how history is attached to results, to views and to in-place writes.
#pragma once

#include "autograd/node.h"

namespace fd {

struct Meta final : AutogradSlot {
  explicit Meta(TensorImpl* tensor) : owner(tensor) {}
  ~Meta() override;

  TensorImpl* owner;
  Tensor grad;
  Ref<Node> grad_fn;                        // undefined for a leaf
  uint32_t slot = 0;                        // which output of grad_fn
  Node* accumulator = nullptr;              // not owned: the graph owns it, and it owns the leaf
  int64_t retain_hook = -1;                 // id of the hook that fills grad of a non-leaf
  std::vector<HookEntry> hooks;             // of a leaf
  std::vector<HookEntry> after_accumulate;  // post-accumulate-grad hooks of a leaf
};

inline Meta* meta(const Tensor& t) { return static_cast<Meta*>(t->autograd); }
Meta& ensure_meta(const Tensor& t);

bool grad_enabled();
void set_grad_enabled(bool on);
// For the time of a scope.
class GradMode {
 public:
  explicit GradMode(bool on) : before_(grad_enabled()) { set_grad_enabled(on); }
  ~GradMode() { set_grad_enabled(before_); }
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool before_;
};

void refresh_view(const Tensor& t);  // a view whose base was written to takes its history from the base

// Whether gradients flow to t. Cheap for everything that is not a view.
inline bool requires_grad(const Tensor& t) {
  if (t->base.defined() && t->base->requires_grad && t->view_version != t->version_value()) [[unlikely]]
    refresh_view(t);
  return t->requires_grad;
}
// Asks every tensor, so that stale views are refreshed before the node that will read them is made.
template <class... T>
bool needs_grad(const T&... t) {
  return grad_enabled() && (int(t.defined() && requires_grad(t)) | ...) != 0;
}

bool is_leaf(const Tensor& t);
Ref<Node> grad_fn(const Tensor& t);
void set_requires_grad(const Tensor& t, bool on);  // GradError on a non-leaf, DTypeError on integers
void set_grad(const Tensor& t, const Tensor& grad);
void retain_grad(const Tensor& t);
int64_t add_grad_hook(const Tensor& t, std::unique_ptr<GradHook> hook);
void remove_grad_hook(const Tensor& t, const Ref<Node>& node, int64_t id);

// Where the gradient of t goes; no node if it wants none.
Edge gradient_edge(const Tensor& t);
// Connects input i of node to t.
inline void connect(Node* node, int i, const Tensor& t) {
  if (t.defined() && requires_grad(t)) node->set_edge(i, gradient_edge(t));
}

// t is output `slot` of node.
void set_history(const Tensor& t, Ref<Node> node, uint32_t slot = 0);

// Before an in-place write: refuses what has no defined gradient. recorded: whether the write will have a grad_fn.
void check_inplace(const char* op, const Tensor& self, bool recorded);
// After it: bumps the version and, if node is given, makes it the history of self (input 0 of node is the old self).
void finish_inplace(const char* op, const Tensor& self, Ref<Node> node = {});

// Marks out (an alias of self) as a differentiable view of it; node, if any, is its history.
void finish_view(const Tensor& out, const Tensor& self, Ref<Node> node, ViewOrigin origin = ViewOrigin::plain);

// Leaves gradient accumulation and view gradients to the operations, which come after this folder.
struct GradArithmetic {
  Tensor (*add)(const Tensor& a, const Tensor& b);
  void (*add_into)(const Tensor& sum, const Tensor& b);  // in place, not recorded
  Tensor (*clone)(const Tensor& t);
  Tensor (*zeros)(const Shape& shape, const Dims& strides, DType dtype, Device device);  // with these strides
  Tensor (*as_strided)(const Tensor& t, const Shape& shape, const Dims& strides, int64_t storage_offset);
  void (*copy_into)(const Tensor& to, const Tensor& from);
  // Adds grad to the elements of base_grad that a view (shape, strides, offset from base_grad's first) covers.
  void (*add_to_view)(const Tensor& base_grad, const Shape& shape, const Dims& strides, int64_t offset,
                      const Tensor& grad);
};
extern GradArithmetic grad_arithmetic;

}  // namespace fd
