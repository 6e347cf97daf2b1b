// backward(), grad(), hooks, and the graph as Python sees it.
#include "autograd/engine.h"
#include "bindings/bind.h"
#include "bindings/caster.h"
#include "bindings/node.h"
#include "ops/fused.h"

namespace fd::bindings {

namespace {

using Tensors = std::vector<Tensor>;

// A Python function called with a gradient; the tensor it hangs on reports it to the garbage collector.
class PythonHook final : public GradHook {
 public:
  explicit PythonHook(nb::object function) : function_(std::move(function)) {}
  Tensor call(const Tensor& grad) override {
    const nb::object result = function_(grad);
    if (result.is_none()) return {};
    check<DTypeError>(is_tensor(result.ptr()), "hook: must return a tensor or None");
    const Tensor replaced = tensor_of(result.ptr());
    check<ShapeError>(replaced.shape() == grad.shape(), "hook: returned a gradient of shape ", replaced.shape(),
                      " in place of one of shape ", grad.shape());
    ops::check_same_device("hook", grad, replaced);
    return replaced;
  }
  int traverse(int (*visit)(void*, void*), void* arg) override { return visit(function_.ptr(), arg); }

 private:
  nb::object function_;
};

// What register_hook returns. Holds its tensor weakly: a hook must not keep it alive.
struct HookHandle {
  nb::object tensor;  // a weak reference
  Ref<Node> node;
  int64_t id;
  void remove() {
    const nb::object target = tensor();
    remove_grad_hook(target.is_none() ? Tensor() : tensor_of(target.ptr()), node, id);
    node = {};
  }
};

HookHandle handle_for(nb::handle self, Ref<Node> node, int64_t id) {
  nb::object weak = nb::steal(PyWeakref_NewRef(self.ptr(), nullptr));
  if (!weak.is_valid()) throw nb::python_error();
  return {std::move(weak), std::move(node), id};
}

// The gradient to start from: given, or 1 for a single element.
Tensor start_gradient(const Tensor& root, const Tensor& given, const char* op) {
  if (given.defined()) {
    check<ShapeError>(given.shape() == root.shape(), op, ": gradient of shape ", given.shape(),
                      " for a tensor of shape ", root.shape());
    ops::check_same_device(op, root, given);
    return ops::to(given, root.dtype());
  }
  check<GradError>(root.numel() == 1, op, ": a gradient must be given for a tensor of shape ", root.shape(),
                   "; only single elements start from 1");
  return ops::starting_gradient(root);
}

Tensors tensors_in(const nb::object& o, const char* what) {
  Tensors out;
  if (o.is_none()) return out;
  if (is_tensor(o.ptr())) return {tensor_of(o.ptr())};
  for (nb::handle item : o) {
    check<DTypeError>(item.is_none() || is_tensor(item.ptr()), what, ": expected tensors");
    out.push_back(item.is_none() ? Tensor() : tensor_of(item.ptr()));
  }
  return out;
}

void run_backward(const Tensors& roots, const Tensors& given, std::optional<bool> retain, bool create,
                  const nb::object& inputs) {
  Tensors grads;
  for (size_t i = 0; i < roots.size(); i++) {
    check<GradError>(requires_grad(roots[i]), "backward: this tensor does not require grad and has no grad_fn");
    grads.push_back(start_gradient(roots[i], i < given.size() ? given[i] : Tensor(), "backward"));
  }
  const Tensors wanted = tensors_in(inputs, "backward: inputs");
  check<ValueError>(inputs.is_none() || !wanted.empty(), "backward: inputs is empty");
  backward(roots, grads, wanted, {retain.value_or(create), create, true});
}

nb::object run_grad(const nb::object& outputs, const nb::object& inputs, const nb::object& grad_outputs,
                    std::optional<bool> retain, bool create, std::optional<bool> allow_unused, bool materialize) {
  const Tensors roots = tensors_in(outputs, "grad: outputs"), wanted = tensors_in(inputs, "grad: inputs"),
                given = tensors_in(grad_outputs, "grad: grad_outputs");
  check<ValueError>(!wanted.empty(), "grad: inputs is empty");
  Tensors starts;
  for (size_t i = 0; i < roots.size(); i++) {
    check<GradError>(requires_grad(roots[i]), "grad: an output does not require grad and has no grad_fn");
    starts.push_back(start_gradient(roots[i], i < given.size() ? given[i] : Tensor(), "grad"));
  }
  Tensors grads = backward(roots, starts, wanted, {retain.value_or(create), create, false});
  nb::list out;
  for (size_t i = 0; i < grads.size(); i++) {
    if (!grads[i].defined() && materialize)
      grads[i] = ops::zeros(wanted[i].shape(), wanted[i].dtype(), wanted[i].device());
    check<GradError>(grads[i].defined() || allow_unused.value_or(false), "grad: input ", i,
                     " was not used in computing the outputs; pass allow_unused=True to get None for it");
    out.append(nb::steal(wrap(grads[i])));
  }
  return nb::tuple(out);
}

void bind_engine(nb::module_& m) {
  method(
      "backward",
      [](const Tensor& t, const std::optional<Tensor>& gradient, std::optional<bool> retain, bool create,
         const nb::object& inputs) { run_backward({t}, {gradient.value_or(Tensor())}, retain, create, inputs); },
      "gradient"_a = nb::none(), "retain_graph"_a = nb::none(), "create_graph"_a = false, "inputs"_a = nb::none(),
      "Adds the gradient of this tensor to .grad of the leaves it was computed from (book section 2.5).\n\n"
      "gradient: of the final value with respect to this tensor; needed unless it has one element. Raises GradError "
      "for\n"
      "a tensor without history, a graph that was freed (retain_graph), or saved values that were overwritten.");
  m.def(
      "_backward",
      [](const nb::object& tensors, const nb::object& grads, std::optional<bool> retain, bool create,
         const nb::object& inputs) {
        run_backward(tensors_in(tensors, "backward"), tensors_in(grads, "backward"), retain, create, inputs);
      },
      "tensors"_a, "grad_tensors"_a = nb::none(), "retain_graph"_a = nb::none(), "create_graph"_a = false,
      "inputs"_a = nb::none());
  m.def("_grad", run_grad, "outputs"_a, "inputs"_a, "grad_outputs"_a = nb::none(), "retain_graph"_a = nb::none(),
        "create_graph"_a = false, "allow_unused"_a = nb::none(), "materialize_grads"_a = false);
  m.def("is_grad_enabled", grad_enabled, "Whether operations record gradients on this thread.");
  m.def("_set_grad_enabled", set_grad_enabled, "mode"_a);
}

void bind_hooks(nb::module_& m) {
  nb::class_<HookHandle>(m, "HookHandle", "Takes a hook off again with remove().")
      .def("remove", &HookHandle::remove, "Takes the hook off.")
      .def("__enter__", [](nb::handle self) { return nb::borrow(self); })
      .def("__exit__", [](HookHandle& self, const nb::args&) { self.remove(); });
  method(
      "register_hook",
      [](nb::handle self, nb::object hook) {
        const Tensor t = tensor_of(self.ptr());
        const int64_t id = add_grad_hook(t, std::make_unique<PythonHook>(std::move(hook)));
        return handle_for(self, grad_fn(t), id);
      },
      "hook"_a, "Calls hook(grad) whenever this tensor's gradient is computed; its result, if any, replaces it.");
  method(
      "register_post_accumulate_grad_hook",
      [](nb::handle self, nb::object hook) {
        const Tensor t = tensor_of(self.ptr());
        check<GradError>(requires_grad(t) && is_leaf(t),
                         "register_post_accumulate_grad_hook: only for leaves that require grad");
        const int64_t id = next_hook_id();
        ensure_meta(t).after_accumulate.push_back({id, 0, std::make_unique<PythonHook>(std::move(hook))});
        return handle_for(self, {}, id);
      },
      "hook"_a, "Calls hook(param) after a gradient was added to this leaf's .grad.");
  method("retain_grad", retain_grad, "Keeps the gradient of this non-leaf in .grad.");
  method(
      "requires_grad_",
      [](nb::handle self, bool on) {
        set_requires_grad(tensor_of(self.ptr()), on);
        return nb::borrow(self);
      },
      "requires_grad"_a = true, "Sets requires_grad in place and returns the tensor.");
  method(
      "detach_",
      [](nb::handle self) {
        const Tensor t = tensor_of(self.ptr());
        check<GradError>(!t->base.defined(), "detach_: a view cannot be detached in place; use detach()");
        t->requires_grad = false;
        if (Meta* m = meta(t)) m->grad_fn = {};
        return nb::borrow(self);
      },
      "Cuts this tensor from its history in place.");
}

// ---------------------------------------------------------------------------------------------- the graph

struct NodeRef {
  Ref<Node> node;
};

std::string class_name(const Node& n) { return n.name(); }

void bind_nodes(nb::module_& m) {
  nb::class_<NodeRef>(m, "Node", "A recorded step (tensor.grad_fn).")
      .def(
          "name", [](const NodeRef& r) { return class_name(*r.node); },
          "What the step computes backwards, such as 'AddBackward0'.")
      .def_prop_ro(
          "next_functions",
          [](const NodeRef& r) {
            nb::list out;
            for (int i = 0; i < r.node->inputs(); i++)
              out.append(nb::make_tuple(nb::steal(wrap_node(r.node->edge(i).node)), r.node->edge(i).slot));
            return nb::tuple(out);
          },
          "The steps that made this step's inputs, with the output number of each.")
      .def(
          "__eq__", [](const NodeRef& a, const NodeRef& b) { return a.node == b.node; }, nb::is_operator())
      .def("__hash__", [](const NodeRef& r) { return reinterpret_cast<uintptr_t>(r.node.get()); })
      .def("__repr__",
           [](const NodeRef& r) { return text("<", class_name(*r.node), " object at ", r.node.get(), ">"); });
}

// ---------------------------------------------------------------------------------------------- Python functions

// A step whose backward is Python (autograd.Function). ctx._run_backward(grads) -> gradients of the inputs.
class FunctionBackward final : public Node {
 public:
  FunctionBackward(nb::object ctx, std::string name, int inputs, int outputs)
      : Node(inputs, outputs), ctx_(std::move(ctx)), name_(std::move(name)) {}
  const char* name() const override { return name_.c_str(); }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    nb::list grads;
    for (int i = 0; i < outputs(); i++) grads.append(nb::steal(wrap(grad_out[i])));
    const nb::tuple results = nb::cast<nb::tuple>(ctx_.attr("_run_backward")(grads));
    check<GradError>(static_cast<int>(results.size()) == inputs(), name_, ": backward returned ", results.size(),
                     " gradients for ", inputs(), " inputs");
    for (int i = 0; i < inputs(); i++) {
      const nb::object g = results[i];
      if (g.is_none()) continue;
      check<DTypeError>(is_tensor(g.ptr()), name_, ": backward must return tensors or None");
      grad_in[i] = tensor_of(g.ptr());
    }
  }
  void release() override { ctx_.attr("_release")(); }
  int traverse(int (*visit)(void*, void*), void* arg) override { return visit(ctx_.ptr(), arg); }

 private:
  nb::object ctx_;
  std::string name_;
};

void bind_functions(nb::module_& m) {
  m.def(
      "_record_function",
      [](nb::object ctx, std::string name, const nb::list& inputs, const nb::list& outputs) {
        auto* node = new FunctionBackward(std::move(ctx), std::move(name), static_cast<int>(inputs.size()),
                                          static_cast<int>(outputs.size()));
        const Ref<Node> owned(node);
        for (size_t i = 0; i < inputs.size(); i++) {
          const nb::object input = inputs[i];
          if (!is_tensor(input.ptr())) continue;
          const Tensor t = tensor_of(input.ptr());
          if (requires_grad(t)) connect(node, static_cast<int>(i), t);
        }
        for (size_t i = 0; i < outputs.size(); i++) {
          const nb::object output = outputs[i];
          if (is_tensor(output.ptr())) set_history(tensor_of(output.ptr()), owned, static_cast<uint32_t>(i));
        }
      },
      "ctx"_a, "name"_a, "inputs"_a, "outputs"_a);
}

}  // namespace

PyObject* wrap_node(const Ref<Node>& node) {
  if (!node) Py_RETURN_NONE;
  return nb::cast(NodeRef{node}).release().ptr();
}

void bind_autograd(nb::module_& m) {
  bind_engine(m);
  bind_hooks(m);
  bind_nodes(m);
  bind_functions(m);
}

}  // namespace fd::bindings
