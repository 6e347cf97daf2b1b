// Random tensors and the generators they come from.
#include <cstring>

#include "bindings/bind.h"
#include "bindings/caster.h"

namespace fd::bindings {

namespace {

Device device_of(const nb::object& device) {
  Device d;
  if (device.is_none()) return d;
  check<DTypeError>(parse_device(device.ptr(), &d), "device must be a freedive.device or a string such as 'cpu'");
  return d;
}

Tensor with_grad(Tensor t, bool requires_grad) {
  if (requires_grad) set_requires_grad(t, true);
  return t;
}

// ---------------------------------------------------------------------------------------------------- generators

uint64_t seed_of(const nb::int_& seed) {
  int overflow;
  const long long small = PyLong_AsLongLongAndOverflow(seed.ptr(), &overflow);
  if (!overflow) return static_cast<uint64_t>(small);  // negative ones count from 2^64 down
  const unsigned long long large = overflow > 0 ? PyLong_AsUnsignedLongLong(seed.ptr()) : 0;
  if (overflow < 0 || PyErr_Occurred()) {
    PyErr_Clear();
    fail<ValueError>("manual_seed: seed must be between -2**63 and 2**64 - 1");
  }
  return large;
}

// The state as a tensor: 16 bytes, the seed and the count of operations drawn.
Tensor state_of(const Generator& g) {
  const fd_rng state = g.state();
  Tensor out = empty({sizeof(state)}, DType::uint8);
  std::memcpy(out.data(), &state, sizeof(state));
  return out;
}

void set_state(Generator& g, const Tensor& state) {
  fd_rng rng;
  check<DTypeError>(state.dtype() == DType::uint8, "set_state: state is ", state.dtype(), "; expected uint8");
  check<ShapeError>(state.dim() == 1 && state.numel() == sizeof(rng), "set_state: state has shape ", state.shape(),
                    "; expected (", sizeof(rng), ",), as get_state gives it");
  std::memcpy(&rng, ops::on_host(ops::contiguous(state)).data(), sizeof(rng));
  g.set_state(rng);
}

void bind_generator(nb::module_& m) {
  nb::class_<Generator>(m, "Generator",
                        "Where random numbers come from: a seed and a count of the operations drawn (Philox4x32-10,\n"
                        "Salmon et al., SC'11). The same seed gives the same numbers with any number of threads.")
      .def(
          "__init__", [](Generator* self, const nb::object& device) { device_of(device), new (self) Generator(); },
          "device"_a = "cpu")
      .def(
          "manual_seed",
          [](Generator& g, const nb::int_& seed) -> Generator& { return g.manual_seed(seed_of(seed)), g; }, "seed"_a,
          nb::rv_policy::reference, "Starts the sequence named by seed; returns the generator.")
      .def("seed", &Generator::seed, "Starts an unpredictable sequence; returns its seed.")
      .def("initial_seed", &Generator::initial_seed, "The seed of the current sequence.")
      .def("get_state", state_of, "The state as 16 bytes in a uint8 tensor.")
      .def("set_state", set_state, "state"_a, "Takes up a state that get_state gave.")
      .def(
          "clone_state", [](const Generator& g) { return Generator(g); },
          "A generator that goes on from the same state.")
      .def_prop_ro(
          "device", [](const Generator&) { return Device(); }, "Always the CPU.")
      .def("__getstate__", [](const Generator& g) { return std::make_pair(g.state().seed, g.state().offset); })
      .def("__setstate__", [](Generator& g, std::pair<uint64_t, uint64_t> state) {
        (new (&g) Generator())->set_state({state.first, state.second});
      });
  m.attr("default_generator") = nb::cast(&default_generator(), nb::rv_policy::reference);
  m.def(
      "manual_seed",
      [](const nb::int_& seed) -> Generator& {
        default_generator().manual_seed(seed_of(seed));
        return default_generator();
      },
      "seed"_a, nb::rv_policy::reference,
      "Seeds the default generator, which every random operation without its own draws from; returns it.\n"
      "ValueError for a seed outside of -2**63 to 2**64 - 1.");
  m.def(
      "seed", [] { return default_generator().seed(); },
      "Seeds the default generator unpredictably; returns the seed.");
  m.def("initial_seed", [] { return default_generator().initial_seed(); }, "The default generator's seed.");
  m.def(
      "get_rng_state", [] { return state_of(default_generator()); }, "The default generator's state, a uint8 tensor.");
  m.def(
      "set_rng_state", [](const Tensor& new_state) { set_state(default_generator(), new_state); }, "new_state"_a,
      "Takes up a state that get_rng_state gave.");
}

// ------------------------------------------------------------------------------------------------------ creation

using Draw = Tensor (*)(const Shape&, DType, Device, Generator*);

Shape sizes(const nb::args& args, const std::optional<Dims>& size, const char* op) {
  return size ? *size : args.size() == 0 ? Shape() : dims_of(args, op);
}

void bind_draw(nb::module_& m, const char* name, Draw draw, const char* doc) {
  m.def(
      name,
      [name, draw](const nb::args& args, const std::optional<Dims>& size, Generator* generator,
                   std::optional<DType> dtype, const nb::object& device, bool requires_grad) {
        return with_grad(draw(sizes(args, size, name), dtype.value_or(default_dtype()), device_of(device), generator),
                         requires_grad);
      },
      "args"_a, "size"_a = nb::none(), "generator"_a.none() = nb::none(), "dtype"_a = nb::none(),
      "device"_a = nb::none(), "requires_grad"_a = false, doc);
  const std::string like = std::string(name) + "_like";
  m.def(
      like.c_str(),
      [draw](const Tensor& input, std::optional<DType> dtype, const nb::object& device, bool requires_grad,
             Generator* generator) {
        const Device where = device.is_none() ? input.device() : device_of(device);
        return with_grad(draw(input.shape(), dtype.value_or(input.dtype()), where, generator), requires_grad);
      },
      "input"_a, nb::kw_only(), "dtype"_a = nb::none(), "device"_a = nb::none(), "requires_grad"_a = false,
      "generator"_a.none() = nb::none(), (std::string(name) + " in the shape and dtype of input.").c_str());
}

Tensor normal(const OperandArg& mean, const OperandArg& std, const std::optional<Dims>& size, Generator* generator,
              std::optional<DType> dtype, const nb::object& device, bool requires_grad) {
  Tensor out;
  if (mean.tensor.defined() || std.tensor.defined()) {
    check<ValueError>(!size, "normal: size is only taken with a number for mean and for std");
    out = ops::normal(mean, std, generator);
    if (dtype) out = ops::to(out, *dtype);
  } else {
    check<ValueError>(size.has_value(), "normal: size is needed with a number for mean and for std");
    out = ops::normal(mean.scalar.to_double(), std.scalar.to_double(), *size, dtype.value_or(default_dtype()),
                      device_of(device), generator);
  }
  return with_grad(std::move(out), requires_grad);
}

Tensor randint(int64_t low, int64_t high, const Dims& size, Generator* generator, std::optional<DType> dtype,
               const nb::object& device, bool requires_grad) {
  return with_grad(ops::randint(low, high, size, dtype.value_or(DType::int64), device_of(device), generator),
                   requires_grad);
}

Tensor randint_like(const Tensor& input, int64_t low, int64_t high, std::optional<DType> dtype) {
  return ops::randint(low, high, input.shape(), dtype.value_or(input.dtype()), input.device());
}

void bind_creation(nb::module_& m) {
  bind_draw(m, "rand", ops::rand,
            "Uniform in [0, 1): rand(2, 3) or rand((2, 3)). DTypeError unless dtype is floating.");
  bind_draw(m, "randn", ops::randn,
            "Standard normal: randn(2, 3) or randn((2, 3)). DTypeError unless dtype is floating.");
  m.def("normal", normal, "mean"_a, "std"_a = 1.0, "size"_a = nb::none(), nb::kw_only(),
        "generator"_a.none() = nb::none(), "dtype"_a = nb::none(), "device"_a = nb::none(), "requires_grad"_a = false,
        "Normal with this mean and standard deviation: numbers with a size, or tensors that broadcast.\n"
        "ValueError for a negative std.");
  constexpr const char* randint_doc =
      "Integers uniform in [low, high), of shape size (int64 unless dtype says otherwise). ValueError unless low < "
      "high.";
  m.def("randint", randint, "low"_a, "high"_a, "size"_a, nb::kw_only(), "generator"_a.none() = nb::none(),
        "dtype"_a = nb::none(), "device"_a = nb::none(), "requires_grad"_a = false, randint_doc);
  m.def(
      "randint",
      [](int64_t high, const Dims& size, Generator* generator, std::optional<DType> dtype, const nb::object& device,
         bool requires_grad) { return randint(0, high, size, generator, dtype, device, requires_grad); },
      "high"_a, "size"_a, nb::kw_only(), "generator"_a.none() = nb::none(), "dtype"_a = nb::none(),
      "device"_a = nb::none(), "requires_grad"_a = false, randint_doc);
  m.def("randint_like", randint_like, "input"_a, "low"_a, "high"_a, nb::kw_only(), "dtype"_a = nb::none(), randint_doc);
  m.def(
      "randint_like",
      [](const Tensor& input, int64_t high, std::optional<DType> dtype) { return randint_like(input, 0, high, dtype); },
      "input"_a, "high"_a, nb::kw_only(), "dtype"_a = nb::none(), randint_doc);
  m.def(
      "randperm",
      [](int64_t n, Generator* generator, std::optional<DType> dtype, const nb::object& device) {
        return ops::randperm(n, dtype.value_or(DType::int64), device_of(device), generator);
      },
      "n"_a, nb::kw_only(), "generator"_a.none() = nb::none(), "dtype"_a = nb::none(), "device"_a = nb::none(),
      "0 to n - 1 in random order (Fisher and Yates), int64 unless dtype says otherwise.");
}

// ----------------------------------------------------------------------------------------- sampling and filling

int64_t most(DType d) {
  switch (d) {
    case DType::boolean:
      return 2;
    case DType::uint8:
      return 256;
    case DType::int32:
      return int64_t(1) << 31;
    case DType::float16:
      return (1 << 11) + 1;
    case DType::bfloat16:
      return (1 << 8) + 1;
    case DType::float32:
      return (1 << 24) + 1;
    case DType::float64:
      return (int64_t(1) << 53) + 1;
    default:
      return INT64_MAX;
  }
}

Tensor random_(const Tensor& self, int64_t from, std::optional<int64_t> to, Generator* generator) {
  const int64_t high = to.value_or(most(self.dtype()));
  return ops::copy_(self, ops::randint(from, high, self.shape(), DType::int64, self.device(), generator));
}

void bind_sampling(nb::module_& m) {
  function_and_method(m, "bernoulli", &ops::bernoulli, nb::kw_only(), "generator"_a.none() = nb::none(),
                      "1 with the probability that input holds at that place, else 0. ValueError outside of 0 to 1.");
  function_and_method(
      m, "multinomial", &ops::multinomial, "num_samples"_a, "replacement"_a = false, nb::kw_only(),
      "generator"_a.none() = nb::none(),
      "num_samples category numbers (int64) for each row of weights: input (c,) or (n, c), floating.\n\n"
      "ValueError for negative or NaN weights, a row that sums to 0, or more samples than positive\n"
      "weights without replacement.");
}

void bind_filling() {
  const auto generator = [] { return nb::arg("generator").none() = nb::none(); };
  method("uniform_", ops::uniform_, "from"_a = 0.0, "to"_a = 1.0, nb::kw_only(), generator(),
         "Fills with uniform values in [from, to).");
  method("normal_", ops::normal_, "mean"_a = 0.0, "std"_a = 1.0, nb::kw_only(), generator(),
         "Fills with normal values. ValueError for a negative std.");
  method(
      "bernoulli_", [](const Tensor& self, const OperandArg& p, Generator* g) { return ops::bernoulli_(self, p, g); },
      "p"_a = 0.5, nb::kw_only(), generator(),
      "Fills with 1 at probability p (a number, or a tensor that broadcasts), else 0.");
  method("exponential_", ops::exponential_, "lambd"_a = 1.0, nb::kw_only(), generator(),
         "Fills with exponential values of rate lambd.");
  method(
      "random_", [](const Tensor& self, int64_t to, Generator* g) { return random_(self, 0, to, g); }, "to"_a,
      nb::kw_only(), generator(), "Fills with integers uniform in [0, to).");
  method("random_", random_, "from"_a = 0, "to"_a = nb::none(), nb::kw_only(), generator(),
         "Fills with integers uniform in [from, to); without to, up to the largest that the dtype counts exactly.");
}

}  // namespace

void bind_random(nb::module_& m) {
  bind_generator(m);
  bind_creation(m);
  bind_sampling(m);
  bind_filling();
}

}  // namespace fd::bindings
