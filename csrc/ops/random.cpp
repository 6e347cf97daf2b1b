// Random tensors. Every operation takes one offset from its generator (base/philox.h), so what it draws depends on the
// seed, on how many operations came before, and on the position in the result, never on threads or ISA.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/philox.h"
#include "ops/checks.h"
#include "ops/fused.h"
#include "ops/remote.h"

namespace fd::ops {

namespace {

using Table = fd_random_fn* const*;

// Numbers are drawn on the host and copied, so that every device starts from the same ones.
const fd_dropout_kernels& tables() { return kernels(Device{}).dropout; }

void draw(const char* op, Table table, const Tensor& out, fd_random args, Generator* generator) {
  const fd_rng rng = generator_or_default(generator).next();
  args.n = out.numel();
  args.out = out.data();
  args.rng = &rng;
  // Some 5 ns an element: as long as 50 bytes of memory traffic.
  run(op, find(table[index(out.dtype())], op, out.dtype(), out.device()), args, out.device(), 50 * out.numel());
}

Tensor drawn(const char* op, Table table, const Shape& shape, DType dtype, Device device, const fd_random& args,
             Generator* generator) {
  const DType compute = is_half(dtype) && table[index(dtype)] == nullptr ? DType::float32 : dtype;
  Tensor out = empty(shape, compute);
  draw(op, table, out, args, generator);
  return to_device(to(out, dtype), device);
}

// The history of a tensor whose values no longer depend on what it held.
class OverwriteBackward final : public Node {
 public:
  OverwriteBackward(const char* name, const Tensor& self) : Node(1), name_(name) { connect(this, 0, self); }
  const char* name() const override { return name_; }
  void backward(const Tensor* grad_out, Tensor* grad_in) override {
    grad_in[0] = zeros(grad_out[0].shape(), grad_out[0].dtype(), grad_out[0].device());
  }

 private:
  const char* name_;
};

template <class Fill>
Tensor overwrite(const char* op, const char* node_name, const Tensor& self, Fill fill) {
  const bool record = needs_grad(self);
  check_inplace(op, self, record);
  Ref<Node> node;
  if (record) node = Ref<Node>(new OverwriteBackward(node_name, self));
  fill();
  finish_inplace(op, self, std::move(node));
  return self;
}

Tensor draw_into(const char* op, const char* node, Table table, const Tensor& self, const fd_random& args,
                 Generator* generator) {
  return overwrite(op, node, self, [&] {
    if (self.is_contiguous() && table[index(self.dtype())]) {
      draw(op, table, self, args, generator);
      return;
    }
    const GradMode off(false);
    copy_(detach(self), drawn(op, table, self.shape(), self.dtype(), self.device(), args, generator));
  });
}

fd_random range(double a, double b) {
  fd_random args = {};
  args.a = a;
  args.b = b;
  return args;
}

void check_floating_result(const char* op, DType dtype) {
  check<DTypeError>(is_floating(dtype), op, ": dtype is ", dtype, "; expected a floating dtype");
}

void check_std(const char* op, double std) { check_not_negative(op, "std", std); }

bool any(const Tensor& t) { return first_element<bool>(reduce(FD_REDUCE_ANY, t, {}, false)); }

void check_std(const char* op, const Tensor& std) {
  if (on_gpu(std)) return report_outside(op, std, 0, std::numeric_limits<double>::infinity());
  check<ValueError>(!any(compare(FD_LT, detach(std), 0)), op, ": std has negative elements; expected at least 0");
}

void check_probabilities(const char* op, const Tensor& p) {
  if (on_gpu(p)) return report_outside(op, p, 0, 1);
  check<ValueError>(!any(compare(FD_LOGICAL_OR, compare(FD_LT, p, 0), compare(FD_GT, p, 1))), op,
                    ": input has values outside of 0 to 1; expected probabilities");
}

}  // namespace

Tensor rand(const Shape& shape, DType dtype, Device device, Generator* generator) {
  check_floating_result("rand", dtype);
  return drawn("rand", tables().uniform, shape, dtype, device, range(0, 1), generator);
}

Tensor randn(const Shape& shape, DType dtype, Device device, Generator* generator) {
  check_floating_result("randn", dtype);
  return drawn("randn", tables().normal, shape, dtype, device, range(0, 1), generator);
}

Tensor normal(double mean, double std, const Shape& shape, DType dtype, Device device, Generator* generator) {
  check_floating_result("normal", dtype);
  check_std("normal", std);
  return drawn("normal", tables().normal, shape, dtype, device, range(mean, std), generator);
}

Tensor normal(const Operand& mean, const Operand& std, Generator* generator) {
  const DType dtype = result_type(mean, std);
  check_floating_result("normal", dtype);
  if (std.is_tensor()) {
    check_std("normal", *std.tensor);
  } else {
    check_std("normal", std.scalar.to_double());
  }
  const Tensor& like = mean.is_tensor() ? *mean.tensor : *std.tensor;
  const Shape shape = mean.is_tensor() && std.is_tensor()
                          ? broadcast("normal", mean.tensor->shape(), std.tensor->shape())
                          : like.shape();
  const GradMode off(false);
  return add(mul(randn(shape, dtype, like.device(), generator), std), mean);
}

Tensor randint(int64_t low, int64_t high, const Shape& shape, DType dtype, Device device, Generator* generator) {
  check<ValueError>(low < high, "randint: low is ", low, " and high is ", high, "; expected low < high");
  fd_random args = {};
  args.low = low;
  args.high = high;
  return drawn("randint", tables().randint, shape, dtype, device, args, generator);
}

// Fisher and Yates: for i = 0, 1, ... swaps element i with element i + floor(bits (n - i) / 2^64), where bits are the
// words 2i (lower) and 2i + 1 of the stream.
Tensor randperm(int64_t n, DType dtype, Device device, Generator* generator) {
  check_not_negative("randperm", "n", static_cast<double>(n));
  const fd_rng rng = generator_or_default(generator).next();
  const Tensor out = empty({n}, DType::int64);
  int64_t* const p = out.data_as<int64_t>();
  for (int64_t i = 0; i < n; i++) p[i] = i;
  fd_philox4 block = {};
  for (int64_t i = 0; i < n; i++) {
    if (i % 2 == 0) block = fd_philox(rng.seed, rng.offset, static_cast<uint64_t>(i / 2));
    const uint32_t* word = block.v + 2 * (i % 2);
    const uint64_t bits = uint64_t(word[1]) << 32 | word[0];
    const auto step = static_cast<int64_t>(static_cast<unsigned __int128>(bits) * static_cast<uint64_t>(n - i) >> 64);
    std::swap(p[i], p[i + step]);
  }
  return to_device(to(out, dtype), device);
}

Tensor bernoulli(const Tensor& p, Generator* generator) {
  check_floating("bernoulli", {"input", p.dtype(), p.shape()});
  const GradMode off(false);
  check_probabilities("bernoulli", p);
  const DType compute = is_half(p.dtype()) ? DType::float32 : p.dtype();
  return to(compare(FD_LT, rand(p.shape(), compute, p.device(), generator), p), p.dtype());
}

Tensor uniform_(const Tensor& self, double from, double to, Generator* generator) {
  check_floating("uniform_", {"self", self.dtype(), self.shape()});
  check<ValueError>(from <= to, "uniform_: from is ", from, " and to is ", to, "; expected from <= to");
  return draw_into("uniform_", "UniformBackward0", tables().uniform, self, range(from, to), generator);
}

Tensor normal_(const Tensor& self, double mean, double std, Generator* generator) {
  check_floating("normal_", {"self", self.dtype(), self.shape()});
  check_std("normal_", std);
  return draw_into("normal_", "NormalBackward0", tables().normal, self, range(mean, std), generator);
}

Tensor bernoulli_(const Tensor& self, const Operand& p, Generator* generator) {
  if (p.is_tensor()) {
    const Tensor wide = expand(detach(*p.tensor), self.shape());
    return overwrite("bernoulli_", "BernoulliBackward0", self, [&] {
      const GradMode off(false);
      copy_(detach(self), bernoulli(wide, generator));
    });
  }
  const double probability = p.scalar.to_double();
  check_probability("bernoulli_", "p", probability);
  return draw_into("bernoulli_", "BernoulliBackward0", tables().bernoulli, self, range(probability, 0), generator);
}

// -log(1 - u) / rate, with u uniform in [0, 1)
Tensor exponential_(const Tensor& self, double rate, Generator* generator) {
  check_floating("exponential_", {"self", self.dtype(), self.shape()});
  check<ValueError>(rate > 0, "exponential_: lambd is ", rate, "; expected above 0");
  return overwrite("exponential_", "ExponentialBackward0", self, [&] {
    const GradMode off(false);
    const DType compute = is_half(self.dtype()) ? DType::float32 : self.dtype();
    const Tensor u = rand(self.shape(), compute, self.device(), generator);
    copy_(detach(self), div(unary(FD_LOG1P, neg(u)), -rate));
  });
}

namespace {

void check_weights(const double* w, int64_t n, int64_t row, int64_t needed) {
  double total = 0;
  int64_t positive = 0;
  for (int64_t j = 0; j < n; j++) {
    check<ValueError>(w[j] >= 0 && std::isfinite(w[j]), "multinomial: input holds ", w[j], " in row ", row, ", column ",
                      j, "; expected weights of at least 0");
    total += w[j];
    positive += w[j] > 0;
  }
  check<ValueError>(total > 0, "multinomial: the weights of row ", row, " of input sum to 0");
  check<ValueError>(positive >= needed, "multinomial: row ", row, " of input has ", positive,
                    " positive weights but num_samples is ", needed, " without replacement");
}

// The first category whose running sum exceeds u times the total.
void sample_with_replacement(const double* w, int64_t n, const double* u, int64_t samples, double* running,
                             int64_t* out) {
  double total = 0;
  int64_t last = 0;
  for (int64_t j = 0; j < n; j++) {
    running[j] = total += w[j];
    if (w[j] > 0) last = j;
  }
  for (int64_t i = 0; i < samples; i++)
    out[i] = std::min<int64_t>(std::upper_bound(running, running + n, u[i] * total) - running, last);
}

// The smallest of waiting times e / w, in their order (Efraimidis, Spirakis 2006).
void sample_without_replacement(const double* w, int64_t n, const double* e, int64_t samples, double* key,
                                int64_t* order, int64_t* out) {
  for (int64_t j = 0; j < n; j++) {
    order[j] = j;
    key[j] = w[j] > 0 ? e[j] / w[j] : HUGE_VAL;
  }
  std::partial_sort(order, order + samples, order + n, [&](int64_t a, int64_t b) {
    return key[a] != key[b] ? key[a] < key[b] : std::make_pair(w[a] == 0, a) < std::make_pair(w[b] == 0, b);
  });
  std::copy_n(order, samples, out);
}

// Uniform numbers with replacement, exponential ones without; on the host, whose logarithm gives their bits.
Tensor draws_for(int64_t rows, int64_t n, int64_t samples, bool replacement, Generator* generator) {
  const Tensor u = rand({rows, replacement ? samples : n}, DType::float64, Device{}, generator);
  auto* const p = u.data_as<double>();
  for (int64_t i = 0; i < u.numel() && !replacement; i++) p[i] = -std::log1p(-p[i]);
  return u;
}

// The same on a GPU, which nobody waits for: a wrong weight, or a row with too few, is reported at the next wait.
Tensor multinomial_there(const Tensor& weights, int64_t samples, bool replacement, const Tensor& draws) {
  const Device device = weights.device();
  const int64_t rows = weights.size(0), n = weights.size(1), least = replacement ? 1 : samples;
  report_unless_weights("multinomial", weights);
  const Tensor positive = compare(FD_GT, weights, 0);
  report_outside("multinomial: positive weights in a row", reduce(FD_REDUCE_COUNT_NONZERO, positive, {1}, false), least,
                 n);
  const Tensor there = to_device(draws, device);
  if (!replacement) {
    // NaN sorts last: weights of 0 after all others.
    const Tensor keys = where(positive, div(there, weights), std::numeric_limits<double>::quiet_NaN());
    return contiguous(narrow(sort(keys, 1, false).indices, 1, 0, samples));
  }
  const Tensor out = empty({rows, samples}, DType::int64, device);
  const fd_draw args = {rows, n, samples, weights.data_as<double>(), there.data_as<double>(), out.data_as<int64_t>()};
  run("multinomial", find(cuda::remote(device).draw, "multinomial", DType::float64, device), args, device, 0);
  return out;
}

}  // namespace

Tensor multinomial(const Tensor& probs, int64_t samples, bool replacement, Generator* generator) {
  check_floating("multinomial", {"input", probs.dtype(), probs.shape()});
  check<ShapeError>(probs.dim() == 1 || probs.dim() == 2, "multinomial: input has shape ", probs.shape(),
                    "; expected (categories,) or (rows, categories)");
  check<ValueError>(samples > 0, "multinomial: num_samples is ", samples, "; expected at least 1");
  const int64_t n = probs.shape().back(), rows = probs.dim() == 2 ? probs.size(0) : 1;
  check<ValueError>(replacement || samples <= n, "multinomial: num_samples is ", samples, " of ", n,
                    " categories without replacement");
  const GradMode off(false);
  const Tensor weights = contiguous(to(detach(probs), DType::float64));
  if (on_gpu(probs)) {
    const Tensor draws = draws_for(rows, n, samples, replacement, generator);
    const Tensor out = multinomial_there(view(weights, {rows, n}), samples, replacement, draws);
    return probs.dim() == 2 ? out : view(out, {samples});
  }
  for (int64_t r = 0; r < rows; r++) check_weights(weights.data_as<double>() + r * n, n, r, replacement ? 1 : samples);
  const Tensor u = draws_for(rows, n, samples, replacement, generator);
  const int64_t draws = u.size(1);
  const Tensor key = empty({n}, DType::float64), order = empty({n}, DType::int64);
  const Tensor out = empty(probs.dim() == 2 ? Shape{rows, samples} : Shape{samples}, DType::int64);
  for (int64_t r = 0; r < rows; r++) {
    const double* const w = weights.data_as<double>() + r * n;
    const double* const ur = u.data_as<double>() + r * draws;
    int64_t* const chosen = out.data_as<int64_t>() + r * samples;
    if (replacement)
      sample_with_replacement(w, n, ur, samples, key.data_as<double>(), chosen);
    else
      sample_without_replacement(w, n, ur, samples, key.data_as<double>(), order.data_as<int64_t>(), chosen);
  }
  return out;
}

}  // namespace fd::ops
