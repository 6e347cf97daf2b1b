#include "autograd/engine.h"

#include <algorithm>
#include <atomic>
#include <unordered_map>

namespace fd {

namespace {

// Gradients arriving at a node, one per output; most nodes have one.
class GradBuffer {
 public:
  explicit GradBuffer(int outputs) : many_(outputs > 1 ? outputs : 0) {}
  Tensor* data() { return many_.empty() ? &one_ : many_.data(); }
  void clear() {
    one_ = {};
    for (Tensor& t : many_) t = {};
  }

 private:
  Tensor one_;
  std::vector<Tensor> many_;
};

void accumulate(Tensor& into, Tensor&& grad) {
  if (!into.defined()) {
    into = std::move(grad);
  } else if (!grad_enabled() && into->use_count() == 1 && into->storage->use_count() == 1 && into.is_contiguous()) {
    grad_arithmetic.add_into(into, grad);  // nobody else sees this sum
  } else {
    into = grad_arithmetic.add(into, grad);
  }
}

Tensor run_hooks(std::vector<HookEntry>& hooks, uint32_t slot, Tensor grad) {
  for (size_t i = 0; i < hooks.size(); i++) {
    if (hooks[i].slot != slot) continue;
    Tensor replaced = hooks[i].hook->call(grad);
    if (replaced.defined()) grad = std::move(replaced);
  }
  return grad;
}

// Adds gradients into a leaf's .grad.
class AccumulateGrad final : public Node {
 public:
  explicit AccumulateGrad(const Tensor& leaf) : Node(0), leaf_(leaf) {
    run_first();
    ensure_meta(leaf).accumulator = this;
  }
  ~AccumulateGrad() override { meta(leaf_)->accumulator = nullptr; }
  const char* name() const override { return "AccumulateGrad"; }
  void backward(const Tensor* grad_out, Tensor*) override { store(Tensor(grad_out[0])); }

  // Takes the gradient over when nobody else holds it, so that a parameter's gradient is written once.
  void store(Tensor&& grad) {
    if (!grad.defined()) return;
    Meta& m = *meta(leaf_);
    if (!m.hooks.empty()) grad = run_hooks(m.hooks, 0, std::move(grad));
    if (m.grad.defined()) {
      if (grad_enabled())
        m.grad = grad_arithmetic.add(m.grad, grad);
      else {
        grad_arithmetic.add_into(m.grad, grad);
        m.grad->bump_version("backward");
      }
    } else if (grad_enabled() ||
               (grad->use_count() == 1 && grad->storage->use_count() == 1 && grad.is_contiguous() && !grad->python)) {
      m.grad = std::move(grad);
    } else {
      m.grad = grad_arithmetic.clone(grad);
    }
    if (!m.after_accumulate.empty()) run_hooks(m.after_accumulate, 0, leaf_);
  }
  const Tensor& leaf() const { return leaf_; }

 private:
  Tensor leaf_;
};

struct Task {
  Ref<Node> node;
  GradBuffer grads;
  int32_t pending = 0;    // edges into it that have not delivered yet
  bool needed = true;     // leads on to one of the requested inputs
  bool captured = false;  // is where one of them gets its gradient
  bool queued = false;
  explicit Task(Node* n) : node(n), grads(n->outputs()) {}
};

std::atomic<int> active_runs{0};
std::atomic<uint64_t> run_counter{0};

// Finds a node's task: through a mark on the node itself, or through a map while another run is under way.
class TaskTable {
 public:
  TaskTable() : by_mark_(active_runs.fetch_add(1) == 0), run_(run_counter.fetch_add(1) + 1) {}
  ~TaskTable() { active_runs.fetch_sub(1); }

  int32_t find(Node* n) const {
    if (by_mark_) return n->mark == run_ ? static_cast<int32_t>(n->place) : -1;
    const auto it = map_.find(n);
    return it == map_.end() ? -1 : it->second;
  }
  int32_t add(Node* n) {
    const auto place = static_cast<int32_t>(tasks.size());
    tasks.emplace_back(n);
    if (by_mark_) {
      n->mark = run_;
      n->place = static_cast<uint32_t>(place);
    } else {
      map_[n] = place;
    }
    return place;
  }

  std::vector<Task> tasks;

 private:
  bool by_mark_;
  uint64_t run_;
  std::unordered_map<Node*, int32_t> map_;
};

// What a node need not compute, for the length of its backward: another run may be inside of it.
class Skip {
 public:
  Skip(Node& node, uint32_t inputs) : node_(node), before_(node.skip(inputs)) {}
  ~Skip() { node_.skip(before_); }
  Skip(const Skip&) = delete;
  Skip& operator=(const Skip&) = delete;

 private:
  Node& node_;
  uint32_t before_;
};

struct Capture {
  Node* node;
  uint32_t slot;
  size_t input;
};

class Run {
 public:
  Run(BackwardOptions options, size_t inputs) : options_(options), results_(inputs) {}

  std::vector<Tensor> go(const std::vector<Tensor>& roots, const std::vector<Tensor>& grads,
                         const std::vector<Tensor>& inputs) {
    for (size_t i = 0; i < inputs.size(); i++) {
      const Edge e = gradient_edge(inputs[i]);
      captures_.push_back({e.node.get(), e.slot, i});
      keep_.push_back(e.node);
    }
    discover(roots);
    if (!inputs.empty()) mark_needed();
    for (size_t i = 0; i < roots.size(); i++) {
      const Edge e = gradient_edge(roots[i]);
      Task& task = table_.tasks[table_.find(e.node.get())];
      accumulate(task.grads.data()[e.slot], Tensor(grads[i]));
      if (task.pending == 0) make_ready(table_.find(e.node.get()));
    }
    while (!ready_.empty()) step();
    return std::move(results_);
  }

 private:
  // Counts, for every node reachable from the roots, the edges into it.
  void discover(const std::vector<Tensor>& roots) {
    std::vector<int32_t> stack;
    auto visit = [&](Node* n) {
      int32_t place = table_.find(n);
      if (place < 0) {
        place = table_.add(n);
        stack.push_back(place);
      }
      return place;
    };
    table_.tasks.reserve(16);
    for (const Tensor& root : roots) visit(gradient_edge(root).node.get());
    while (!stack.empty()) {
      Node* n = table_.tasks[stack.back()].node.get();
      stack.pop_back();
      for (int i = 0; i < n->inputs(); i++)
        if (n->has_edge(i)) table_.tasks[visit(n->edge(i).node.get())].pending++;
    }
  }

  // With inputs requested, only what leads to one of them runs. Nodes are ordered by age: a node's inputs are older
  // than itself, so one pass from old to new suffices.
  void mark_needed() {
    for (const Capture& c : captures_)
      if (const int32_t place = table_.find(c.node); place >= 0) table_.tasks[place].captured = true;
    std::vector<Task*> by_age;
    for (Task& t : table_.tasks) by_age.push_back(&t);
    auto age = [](const Task* t) { return t->node->inputs() == 0 ? 0 : t->node->sequence(); };
    std::sort(by_age.begin(), by_age.end(), [&](Task* a, Task* b) { return age(a) < age(b); });
    for (Task* t : by_age) {
      t->needed = false;
      for (int i = 0; i < t->node->inputs() && !t->needed; i++) t->needed = leads_on(*t->node, i);
    }
  }

  bool leads_on(const Node& n, int i) const {
    if (!n.has_edge(i)) return false;
    const Task& next = table_.tasks[table_.find(n.edge(i).node.get())];
    return next.needed || next.captured;
  }

  // The inputs, as bits, whose gradients nobody asked for.
  uint32_t not_asked(const Node& n) const {
    uint32_t bits = 0;
    for (int i = 0; i < std::min(n.inputs(), Node::kSkippable); i++) bits |= uint32_t{!leads_on(n, i)} << i;
    return bits;
  }

  bool older(int32_t a, int32_t b) const { return table_.tasks[a].node->sequence() < table_.tasks[b].node->sequence(); }
  void make_ready(int32_t place) {
    if (std::exchange(table_.tasks[place].queued, true)) return;
    ready_.push_back(place);
    std::push_heap(ready_.begin(), ready_.end(), [&](int32_t a, int32_t b) { return older(a, b); });
  }

  void step() {
    std::pop_heap(ready_.begin(), ready_.end(), [&](int32_t a, int32_t b) { return older(a, b); });
    Task& task = table_.tasks[ready_.back()];
    ready_.pop_back();
    Node* node = task.node.get();
    Tensor* grads = task.grads.data();
    if (node->hooks())
      for (int i = 0; i < node->outputs(); i++)
        if (grads[i].defined()) grads[i] = run_hooks(*node->hooks(), static_cast<uint32_t>(i), std::move(grads[i]));
    if (task.captured)
      for (const Capture& c : captures_)
        if (c.node == node) results_[c.input] = captured(node, grads[c.slot]);
    if (node->inputs() == 0) {
      run_leaf(task);
    } else if (task.needed) {
      run_node(task);
    } else {
      deliver_nothing(node);
    }
  }

  // A leaf's hooks see its gradient even when it is only returned.
  Tensor captured(Node* node, const Tensor& grad) {
    if (node->inputs() > 0 || options_.accumulate || !grad.defined()) return grad;
    Meta& m = *meta(static_cast<AccumulateGrad*>(node)->leaf());
    return run_hooks(m.hooks, 0, grad);
  }

  // AccumulateGrad is the only node without inputs.
  void run_leaf(Task& task) {
    const bool captured_only = !captures_.empty();
    if (captured_only && (!options_.accumulate || !task.captured)) return;
    if (captured_only)
      for (const Capture& c : captures_)
        if (c.node == task.node.get()) results_[c.input] = {};
    static_cast<AccumulateGrad*>(task.node.get())->store(std::move(task.grads.data()[0]));
  }

  void run_node(Task& task) {
    constexpr int kInline = 8;
    Node* node = task.node.get();
    const int n = node->inputs();
    Tensor few[kInline];
    std::vector<Tensor> many(n > kInline ? n : 0);
    Tensor* grads_in = n > kInline ? many.data() : few;
    bool any = false;
    for (int i = 0; i < node->outputs(); i++) any |= task.grads.data()[i].defined();
    if (any) {
      const Skip skip(*node, captures_.empty() ? 0 : not_asked(*node));
      node->backward(task.grads.data(), grads_in);
    }
    if (!options_.retain_graph) node->release();
    task.grads.clear();
    for (int i = 0; i < n; i++)
      if (node->has_edge(i)) deliver(node->edge(i), std::move(grads_in[i]));
  }

  void deliver_nothing(Node* node) {
    for (int i = 0; i < node->inputs(); i++)
      if (node->has_edge(i)) deliver(node->edge(i), {});
  }

  void deliver(const Edge& edge, Tensor&& grad) {
    const int32_t place = table_.find(edge.node.get());
    Task& task = table_.tasks[place];
    if (grad.defined()) accumulate(task.grads.data()[edge.slot], std::move(grad));
    if (--task.pending == 0) make_ready(place);
  }

  BackwardOptions options_;
  TaskTable table_;
  std::vector<int32_t> ready_;
  std::vector<Capture> captures_;
  std::vector<Ref<Node>> keep_;
  std::vector<Tensor> results_;
};

}  // namespace

Ref<Node> accumulator(const Tensor& leaf) {
  const Meta& m = ensure_meta(leaf);
  if (m.accumulator) return Ref<Node>(m.accumulator);
  return Ref<Node>(new AccumulateGrad(leaf));
}

std::vector<Tensor> backward(const std::vector<Tensor>& roots, const std::vector<Tensor>& grads,
                             const std::vector<Tensor>& inputs, BackwardOptions options) {
  for (const Tensor& root : roots)
    check<GradError>(requires_grad(root), "backward: this tensor does not require grad and has no grad_fn");
  for (const Tensor& input : inputs)
    check<GradError>(requires_grad(input), "grad: one of the inputs does not require grad");
  const GradMode mode(options.create_graph);
  return Run(options, inputs.size()).go(roots, grads, inputs);
}

}  // namespace fd
