#include "autograd/node.h"

#include <algorithm>

#include "autograd/meta.h"

namespace fd {

namespace {
uint64_t next_sequence = 1;
thread_local Node* buried = nullptr;  // a list of nodes waiting for their destructor
thread_local bool burying = false;
}  // namespace

Node::Node(int inputs, int outputs) : sequence_(next_sequence++), inputs_(inputs), outputs_(outputs) {
  edges_ = inputs <= kInline ? inline_edges_ : new Edge[inputs];
}

Node::~Node() {
  if (edges_ != inline_edges_) delete[] edges_;
}

void Node::bury(Node* node) {
  node->next_buried_ = buried;
  buried = node;
  if (burying) return;
  burying = true;
  while (buried) {
    Node* n = buried;
    buried = n->next_buried_;
    delete n;
  }
  burying = false;
}

int64_t next_hook_id() {
  static int64_t id = 0;
  return id++;
}

int64_t Node::add_hook(uint32_t slot, std::unique_ptr<GradHook> hook) {
  if (!hooks_) hooks_ = std::make_unique<std::vector<HookEntry>>();
  const int64_t id = next_hook_id();
  hooks_->push_back({id, slot, std::move(hook)});
  return id;
}

void Node::remove_hook(int64_t id) {
  if (hooks_) std::erase_if(*hooks_, [&](const HookEntry& h) { return h.id == id; });
}

Saved Saved::output(const Tensor& t) {
  Saved s;
  s.tensor_ = alias(t);
  s.version_ = t->version_value();
  s.is_output_ = true;
  return s;
}

Tensor Saved::get(Node* owner) const {
  check<GradError>(tensor_.defined(), owner->name(),
                   ": backward through a graph whose saved tensors were freed; pass retain_graph=True to the first "
                   "backward to go through it twice");
  const Version& now = tensor_->version();
  check<GradError>(now.value == version_, owner->name(), ": a ", tensor_.dtype(), " tensor of shape ", tensor_.shape(),
                   " that backward needs was changed in place by ", now.writer ? now.writer : "a write",
                   " (it is at version ", now.value, ", expected ", version_, ")");
  if (is_output_ && grad_enabled()) {
    Tensor linked = alias(tensor_);
    set_history(linked, Ref<Node>(owner), slot_);
    return linked;
  }
  return tensor_;
}

}  // namespace fd
