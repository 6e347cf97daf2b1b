// Steps of optimisers over all parameters of a group at once; kernels.h has the formulas (Dive into Deep Learning, 12.4
// to 12.10). One kernel call a dtype. Everything is checked before anything is written.
#include "ops/checks.h"
#include "ops/fused.h"

namespace fd::ops {

namespace {

constexpr int kStates = 3;
constexpr const char* kStateNames[2][kStates] = {{"momentum_buffers", "", ""},
                                                 {"exp_avgs", "exp_avg_sqs", "max_exp_avg_sqs"}};

struct Lists {
  const char* op;
  const char* const* state_names;
  const std::vector<Tensor>&params, &grads;
  const std::vector<Tensor>* states[kStates];  // nullptr: none
};

void check_writable(const char* op, const char* name, size_t i, const Tensor& t) {
  check<ValueError>(t->storage->writable, op, ": the memory of ", name, "[", i, "] is read-only");
  check<GradError>(!overlaps_itself(t), op, ": several elements of ", name, "[", i, "] share one place in memory");
}

void check_like(const char* op, const char* name, size_t i, const Tensor& t, const Tensor& param) {
  if (t.shape() == param.shape() && t.dtype() == param.dtype() && t.device() == param.device()) [[likely]]
    return;
  check<ShapeError>(t.shape() == param.shape(), op, ": ", name, "[", i, "] has shape ", t.shape(),
                    " but its parameter has ", param.shape());
  check<DTypeError>(t.dtype() == param.dtype(), op, ": ", name, "[", i, "] is ", t.dtype(), " but its parameter is ",
                    param.dtype());
  check_same_device(op, t, param);
}

void check_lists(const Lists& l) {
  check<ValueError>(l.grads.size() == l.params.size(), l.op, ": ", l.params.size(), " params but ", l.grads.size(),
                    " grads");
  for (int s = 0; s < kStates; s++)
    if (l.states[s])
      check<ValueError>(l.states[s]->size() == l.params.size(), l.op, ": ", l.params.size(), " params but ",
                        l.states[s]->size(), " ", l.state_names[s]);
  for (size_t i = 0; i < l.params.size(); i++) {
    const Tensor& param = l.params[i];
    check<DTypeError>(is_floating(param.dtype()), l.op, ": params[", i, "] is ", param.dtype(),
                      "; expected a floating dtype");
    check_writable(l.op, "params", i, param);
    check_like(l.op, "grads", i, l.grads[i], param);
    for (int s = 0; s < kStates; s++) {
      if (!l.states[s]) continue;
      const Tensor& state = (*l.states[s])[i];
      check_like(l.op, l.state_names[s], i, state, param);
      check_writable(l.op, l.state_names[s], i, state);
    }
  }
}

// Memory to hand to the kernel for tensors it cannot take as they are (odd layouts, halves).
class Rows {
 public:
  void add(const Lists& l, size_t i, DType compute) {
    const Tensor& param = l.params[i];
    fd_optim_tensor row = {in_place(param, compute), nullptr, {}, param.numel()};
    const Tensor& grad = l.grads[i];
    if (grad.dtype() == compute && grad.is_contiguous()) {
      row.grad = grad.data();
    } else {
      read_.push_back(contiguous(to(detach(grad), compute)));
      row.grad = read_.back().data();
    }
    for (int s = 0; s < kStates; s++)
      if (l.states[s]) row.state[s] = in_place((*l.states[s])[i], compute);
    rows_.push_back(row);
    elements_ += row.n;
  }
  void write_back(const char* op) const {
    for (const InPlace& t : written_) t.write_back(op);
  }
  const fd_optim_tensor* data() const { return rows_.data(); }
  int64_t count() const { return static_cast<int64_t>(rows_.size()); }
  int64_t elements() const { return elements_; }

 private:
  void* in_place(const Tensor& t, DType compute) {
    if (t.dtype() == compute && t.is_contiguous()) [[likely]]
      return t.data();
    written_.emplace_back(t, compute);
    return written_.back().data();
  }
  std::vector<fd_optim_tensor> rows_;
  std::vector<Tensor> read_;
  std::vector<InPlace> written_;
  int64_t elements_ = 0;
};

DType compute_type(const Tensor& t) { return is_half(t.dtype()) ? DType::float32 : t.dtype(); }

void run_dtype(const Lists& l, fd_optim args, fd_optim_fn* const* kernel, DType compute, Device device) {
  Rows rows;
  for (size_t i = 0; i < l.params.size(); i++)
    if (compute_type(l.params[i]) == compute) rows.add(l, i, compute);
  if (rows.count() == 0) return;
  args.count = rows.count();
  args.tensors = rows.data();
  run(l.op, find(kernel[index(compute)], l.op, compute, device), args, device,
      4 * rows.elements() * static_cast<int64_t>(item_size(compute)));
  rows.write_back(l.op);
}

// Where the device finds the values of this step, if they are there.
const fd_optim_live* live_values(const char* op, const std::optional<Tensor>& live, Device device) {
  constexpr int64_t kCount = sizeof(fd_optim_live) / sizeof(double);
  if (!live) {
    check<DeviceError>(!cuda::capturing(device), op,
                       ": its learning rate and count change, so a step is captured only with live=; the optimisers of "
                       "freedive.optim give it inside of freedive.cuda.graph");
    return nullptr;
  }
  const Tensor& t = *live;
  check<DeviceError>(device.kind == DeviceKind::cuda && t.device() == device, op, ": live is on ", t.device(),
                     " and params[0] on ", device, "; expected one GPU");
  check<DTypeError>(t.dtype() == DType::float64, op, ": live is ", t.dtype(), "; expected float64");
  check<ShapeError>(t.is_contiguous() && t.numel() == kCount, op, ": live has shape ", t.shape(), "; expected [",
                    kCount, "], contiguous");
  return t.data_as<fd_optim_live>();
}

void step_all(const Lists& l, const fd_optim& args, fd_optim_fn* const* kernel) {
  check<ValueError>(*args.lr == *args.lr, l.op, ": lr is nan; expected a number");
  const Device device = l.params[0].device();
  for (DType compute : {DType::float32, DType::float64}) run_dtype(l, args, kernel, compute, device);
  for (size_t i = 0; i < l.params.size(); i++) {
    l.params[i]->bump_version(l.op);
    for (int s = 0; s < kStates; s++)
      if (l.states[s]) (*l.states[s])[i]->bump_version(l.op);
  }
}

}  // namespace

void sgd_step(const std::vector<Tensor>& params, const std::vector<Tensor>& grads,
              const std::vector<Tensor>* momentum_buffers, const SgdOptions& options) {
  const Lists lists = {"sgd_step", kStateNames[0], params, grads, {momentum_buffers, nullptr, nullptr}};
  check<ValueError>(momentum_buffers || options.momentum == 0, "sgd_step: momentum is ", options.momentum,
                    " but momentum_buffers is None");
  check<ValueError>(options.step >= 1, "sgd_step: step is ", options.step, "; expected 1 for the first");
  check_lists(lists);
  if (params.empty()) return;
  fd_optim args = {};
  args.lr = &options.lr;
  args.step = &options.step;
  args.grad_scale = options.grad_scale ? &*options.grad_scale : nullptr;
  args.weight_decay = options.weight_decay;
  args.momentum = options.momentum;
  args.dampening = options.dampening;
  args.nesterov = options.nesterov;
  args.live = live_values("sgd_step", options.live, params[0].device());
  args.maximize = options.maximize;
  step_all(lists, args, kernels(params[0].device()).optim.sgd);
}

void adam_step(const std::vector<Tensor>& params, const std::vector<Tensor>& grads, const std::vector<Tensor>& exp_avgs,
               const std::vector<Tensor>& exp_avg_sqs, const std::vector<Tensor>* max_exp_avg_sqs,
               const AdamOptions& options) {
  const Lists lists = {"adam_step",
                       kStateNames[1],
                       params,
                       grads,
                       {&exp_avgs, &exp_avg_sqs, options.amsgrad ? max_exp_avg_sqs : nullptr}};
  check<ValueError>(!options.amsgrad || max_exp_avg_sqs, "adam_step: amsgrad is True but max_exp_avg_sqs is None");
  check<ValueError>(options.step >= 1, "adam_step: step is ", options.step, "; expected 1 for the first");
  check_lists(lists);
  if (params.empty()) return;
  fd_optim args = {};
  args.lr = &options.lr;
  args.step = &options.step;
  args.grad_scale = options.grad_scale ? &*options.grad_scale : nullptr;
  args.weight_decay = options.weight_decay;
  args.beta1 = options.beta1;
  args.beta2 = options.beta2;
  args.eps = options.eps;
  args.maximize = options.maximize;
  args.decoupled = options.decoupled;
  args.amsgrad = options.amsgrad;
  args.live = live_values("adam_step", options.live, params[0].device());
  step_all(lists, args, kernels(params[0].device()).optim.adam);
}

}  // namespace fd::ops
