// A step of the recorded computation: knows the steps its inputs came from and how to turn the gradient of its outputs
// into gradients of its inputs. Operations derive from it; nothing here knows any of them.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "tensor/tensor.h"

namespace fd {

class Node;

// Where the gradient of an input goes: to the step that produced it, as that step's output number `slot`.
struct Edge {
  Ref<Node> node;
  uint32_t slot = 0;
  explicit operator bool() const { return static_cast<bool>(node); }
};

// Called with a gradient on its way; may replace it. Defined by the bindings (and by retain_grad).
class GradHook {
 public:
  virtual ~GradHook() = default;
  virtual Tensor call(const Tensor& grad) = 0;  // undefined result: keep the gradient
  virtual int traverse(int (*)(void* object, void* arg), void*) { return 0; }
};

struct HookEntry {
  int64_t id;
  uint32_t slot;
  std::unique_ptr<GradHook> hook;
};

class Node {
 public:
  explicit Node(int inputs, int outputs = 1);
  virtual ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  virtual const char* name() const = 0;
  // grad_out[outputs] -> grad_in[inputs]. An undefined grad_out means zero; grad_in of an input that is not wanted may
  // stay undefined. With gradients on (create_graph) the work itself must be recorded, or GradError raised.
  virtual void backward(const Tensor* grad_out, Tensor* grad_in) = 0;
  // Frees what was saved for backward, once it has run.
  virtual void release() {}
  virtual int traverse(int (*)(void* object, void* arg), void*) { return 0; }

  int inputs() const { return inputs_; }
  int outputs() const { return outputs_; }
  const Edge& edge(int i) const { return edges_[i]; }
  void set_edge(int i, Edge e) { edges_[i] = std::move(e); }
  bool has_edge(int i) const { return static_cast<bool>(edges_[i]); }
  // Whether the gradient of input i is to be computed: it leads somewhere, and the run under way asked for it.
  bool wants(int i) const { return has_edge(i) && !(i < kSkippable && (skipped_ >> i & 1)); }
  uint32_t skip(uint32_t inputs) { return std::exchange(skipped_, inputs); }  // bits; returns those before
  uint64_t sequence() const { return sequence_; }
  void run_last() { sequence_ = 0; }
  void run_first() { sequence_ = UINT64_MAX; }

  int64_t add_hook(uint32_t slot, std::unique_ptr<GradHook> hook);  // returns its id
  void remove_hook(int64_t id);
  std::vector<HookEntry>* hooks() { return hooks_.get(); }

  void ref() { refs_++; }
  void unref() {
    if (--refs_ == 0) bury(this);
  }
  long use_count() const { return refs_; }

  static void* operator new(size_t bytes) { return fd::allocate(bytes); }
  static void operator delete(void* p, size_t bytes) { deallocate(p, bytes); }

  // The engine's notes, valid while mark is the number of its run.
  uint64_t mark = 0;
  uint32_t place = 0;

  static constexpr int kSkippable = 32;  // inputs beyond are always computed

 private:
  static void bury(Node* node);  // deletes without recursing along the graph
  static constexpr int kInline = 3;
  long refs_ = 0;
  uint32_t skipped_ = 0;
  uint64_t sequence_;
  int32_t inputs_, outputs_;
  Edge* edges_;
  Edge inline_edges_[kInline];
  Node* next_buried_ = nullptr;
  std::unique_ptr<std::vector<HookEntry>> hooks_;
};

int64_t next_hook_id();

// A tensor a node keeps for its backward pass.
class Saved {
 public:
  Saved() = default;
  explicit Saved(const Tensor& input) : tensor_(input), version_(input.defined() ? input->version_value() : 0) {}
  // A node's own output is kept without its history, or the two would keep each other alive.
  static Saved output(const Tensor& t);

  bool defined() const { return tensor_.defined(); }
  // GradError if it was freed, or changed in place since.
  Tensor get(Node* owner) const;
  void release() { tensor_ = {}; }

 private:
  Tensor tensor_;
  uint32_t version_ = 0;
  bool is_output_ = false;
  uint32_t slot_ = 0;
};

}  // namespace fd
