// Matrix products.
#include "bindings/bind.h"
#include "bindings/caster.h"
#include "ops/autocast.h"

namespace fd::bindings {

namespace {

// A product of operands as autocast has them.
template <Tensor (*op)(const Tensor&, const Tensor&)>
Tensor product(const Tensor& a, const Tensor& b) {
  return op(ops::lowered(a), ops::lowered(b));
}

// beta c + alpha a b, in the forms of addmm and its relatives.
template <Tensor (*op)(const Tensor&, const Tensor&)>
Tensor add_product(const Tensor& input, const Tensor& a, const Tensor& b, Scalar beta, Scalar alpha) {
  const Tensor c = ops::lowered(input);
  Tensor p = product<op>(a, b);
  if (alpha.to_double() != 1) p = ops::mul(p, alpha);
  if (beta.to_double() == 0) return p;
  return ops::add(beta.to_double() == 1 ? c : ops::mul(c, beta), p);
}

template <Tensor (*op)(const Tensor&, const Tensor&)>
void bind_product(nb::module_& m, const char* name, const char* other, const char* doc) {
  function_and_method(m, name, product<op>, nb::arg(other), doc);
  m.def(
      name, [name](const Tensor& a, const Tensor& b, const Tensor& out) { return into(name, out, product<op>(a, b)); },
      "input"_a, nb::arg(other), nb::kw_only(), "out"_a, doc);
}

Tensor inner(const Tensor& a, const Tensor& b) {
  return a.dim() == 0 || b.dim() == 0 ? ops::mul(a, b) : ops::tensordot(a, b, {-1}, {-1});
}

void set_float32_matmul_precision(const std::string& precision) {
  const bool lower = precision == "high" || precision == "medium";
  check<ValueError>(lower || precision == "highest", "set_float32_matmul_precision: precision is '", precision,
                    "'; expected 'highest', 'high' or 'medium'");
  ops::set_allow_tf32(lower);
}

}  // namespace

void bind_gemm(nb::module_& m) {
  m.def("set_float32_matmul_precision", set_float32_matmul_precision, "precision"_a,
        "How a GPU multiplies float32 matrices: 'highest' (from the start) exactly; 'high' and 'medium' on tensor "
        "cores,\nwith operands rounded to TF32 (ten bits of fraction) and sums in float32. The CPU is always exact.\n"
        "Raises ValueError for another precision.");
  m.def(
      "get_float32_matmul_precision", [] { return ops::allow_tf32() ? "high" : "highest"; },
      "'highest' or 'high', as set_float32_matmul_precision left it ('medium' is the same as 'high' here).");
  bind_product<ops::matmul>(
      m, "matmul", "other",
      "The matrix product of the last two dimensions, others broadcasting; 1-d operands are "
      "vectors\n(book section 2.3). Raises ShapeError if the inner sizes differ, DTypeError if the "
      "dtypes do.");
  bind_product<ops::mm>(m, "mm", "mat2", "The product of two matrices, (n, k) by (k, m).");
  bind_product<ops::bmm>(m, "bmm", "mat2", "Products of two batches of matrices, (b, n, k) by (b, k, m).");
  bind_product<ops::mv>(m, "mv", "vec", "The product of a matrix (n, k) and a vector (k,).");
  function_and_method(m, "dot", ops::dot, "tensor"_a, "The sum of products of two vectors of one length.");
  function_and_method(m, "vdot", ops::dot, "other"_a, "The sum of products of two vectors of one length.");
  function_and_method(m, "inner", inner, "other"_a, "Sums of products over the last dimension of both.");
  function_and_method(m, "addmm", add_product<ops::mm>, "mat1"_a, "mat2"_a, nb::kw_only(), "beta"_a = 1, "alpha"_a = 1,
                      "beta * input + alpha * (mat1 @ mat2).");
  function_and_method(m, "addmv", add_product<ops::mv>, "mat"_a, "vec"_a, nb::kw_only(), "beta"_a = 1, "alpha"_a = 1,
                      "beta * input + alpha * (mat @ vec).");
  function_and_method(m, "baddbmm", add_product<ops::bmm>, "batch1"_a, "batch2"_a, nb::kw_only(), "beta"_a = 1,
                      "alpha"_a = 1, "beta * input + alpha * (batch1 @ batch2).");
  m.def(
      "linear",
      [](const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias, const std::string& activation) {
        return ops::linear(ops::lowered(x), ops::lowered(weight), ops::lowered(bias.value_or(Tensor())),
                           activation_of("linear", activation));
      },
      "input"_a, "weight"_a, "bias"_a = nb::none(), "activation"_a = "none",
      "activation(input @ weight.T + bias) in one kernel (book section 4.4).\n\n"
      "input (..., in), weight (out, in), bias (out,) or None give (..., out). activation: 'none', 'relu', 'sigmoid' "
      "or\n"
      "'tanh'. Raises ShapeError or DTypeError where they do not fit.");
}

}  // namespace fd::bindings
