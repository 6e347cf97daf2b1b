// Optimiser steps on lists of NumPy arrays, all updated in place by one kernel call.
#include <pybind11/stl.h>

#include <cmath>

#include "bindings/kernels_array.h"

namespace fd::bindings {

namespace {

using Arrays = std::vector<py::array>;

// Memory of arrays[i] after checking that it can stand beside params[i].
void* member(const char* op, const char* list, const Arrays& arrays, size_t i, const ArrayView& like, bool written) {
  const ArrayView a = view(op, list, arrays[i]);
  check_like(op, list, a.dtype, a.shape, like.shape, like.dtype);
  check<ValueError>(is_contiguous(a.shape, a.strides) && (!written || arrays[i].writeable()), op, ": ", list, "[", i,
                    "] must be contiguous", written ? " and writable" : "");
  return a.data;
}

struct Group {
  std::vector<fd_optim_tensor> tensors;
  DType dtype = DType::float32;
  int64_t bytes = 0;

  Group(const char* op, const Arrays& params, const Arrays& grads,
        const std::vector<std::pair<const char*, const Arrays*>>& states) {
    check<ShapeError>(params.size() == grads.size(), op, ": ", params.size(), " params but ", grads.size(), " grads");
    for (const auto& [name, list] : states)
      check<ShapeError>(list->size() == params.size(), op, ": ", params.size(), " params but ", list->size(), " ",
                        name);
    for (size_t i = 0; i < params.size(); i++) {
      const ArrayView p = view(op, "params", params[i]);
      check_floating(op, "params", p.dtype);
      if (i == 0) dtype = p.dtype;
      check<DTypeError>(p.dtype == dtype, op, ": params are ", dtype, " and ", p.dtype, "; expected one dtype");
      const int64_t n = numel(p.shape);
      fd_optim_tensor t = {member(op, "params", params, i, p, true), member(op, "grads", grads, i, p, false), {}, n};
      for (size_t k = 0; k < states.size(); k++)
        t.state[k] = member(op, states[k].first, *states[k].second, i, p, true);
      bytes += 4 * n * static_cast<int64_t>(item_size(dtype));
      tensors.push_back(t);
    }
  }
};

void check_rate(const char* op, double lr, int64_t step) {
  check<ValueError>(lr >= 0 && std::isfinite(lr), op, ": lr is ", lr, "; expected a finite number, at least 0");
  check<ValueError>(step >= 1, op, ": step is ", step, "; the first step is 1");
}

void sgd_step(const Arrays& params, const Arrays& grads, const std::optional<Arrays>& buffers, double lr,
              double momentum, double dampening, double weight_decay, bool nesterov, bool maximize, int64_t step) {
  check_rate("sgd_step", lr, step);
  check<ValueError>(momentum == 0 || buffers, "sgd_step: momentum needs momentum_buffers, one array per parameter");
  std::vector<std::pair<const char*, const Arrays*>> states;
  if (buffers) states.emplace_back("momentum_buffers", &*buffers);
  const Group group("sgd_step", params, grads, states);
  fd_optim args = {};
  args.count = static_cast<int64_t>(group.tensors.size());
  args.tensors = group.tensors.data();
  args.lr = &lr;
  args.step = &step;
  args.weight_decay = weight_decay;
  args.momentum = momentum;
  args.dampening = dampening;
  args.nesterov = nesterov;
  args.maximize = maximize;
  ops::run("sgd_step", kernels(Device{}).optim.sgd[index(group.dtype)], args, Device{}, group.bytes);
}

void adam_step(const Arrays& params, const Arrays& grads, const Arrays& exp_avgs, const Arrays& exp_avg_sqs, double lr,
               std::pair<double, double> betas, double eps, double weight_decay, bool decoupled, bool maximize,
               int64_t step) {
  check_rate("adam_step", lr, step);
  check<ValueError>(betas.first >= 0 && betas.first < 1 && betas.second >= 0 && betas.second < 1,
                    "adam_step: betas are (", betas.first, ", ", betas.second, "); expected numbers in [0, 1)");
  const Group group("adam_step", params, grads, {{"exp_avgs", &exp_avgs}, {"exp_avg_sqs", &exp_avg_sqs}});
  fd_optim args = {};
  args.count = static_cast<int64_t>(group.tensors.size());
  args.tensors = group.tensors.data();
  args.lr = &lr;
  args.step = &step;
  args.weight_decay = weight_decay;
  args.beta1 = betas.first;
  args.beta2 = betas.second;
  args.eps = eps;
  args.decoupled = decoupled;
  args.maximize = maximize;
  ops::run("adam_step", kernels(Device{}).optim.adam[index(group.dtype)], args, Device{}, group.bytes);
}

}  // namespace

void bind_kernels_optim(py::module_& m) {
  m.def("sgd_step", sgd_step, py::arg("params"), py::arg("grads"), py::arg("momentum_buffers") = py::none(),
        py::kw_only(), py::arg("lr"), py::arg("momentum") = 0.0, py::arg("dampening") = 0.0,
        py::arg("weight_decay") = 0.0, py::arg("nesterov") = false, py::arg("maximize") = false, py::arg("step") = 1,
        "One step of stochastic gradient descent on all params in place (book section 12.4).\n\n"
        "Lists of contiguous arrays of one dtype, float32 or float64; step counts from 1.");
  m.def("adam_step", adam_step, py::arg("params"), py::arg("grads"), py::arg("exp_avgs"), py::arg("exp_avg_sqs"),
        py::kw_only(), py::arg("lr") = 1e-3, py::arg("betas") = std::make_pair(0.9, 0.999), py::arg("eps") = 1e-8,
        py::arg("weight_decay") = 0.0, py::arg("decoupled") = false, py::arg("maximize") = false, py::arg("step") = 1,
        "One Adam step on all params, exp_avgs and exp_avg_sqs in place (Kingma, Ba 2015; book section 12.10).\n\n"
        "decoupled=True is AdamW (Loshchilov, Hutter 2019). Lists of contiguous arrays of one dtype; step counts from "
        "1.");
}

}  // namespace fd::bindings
