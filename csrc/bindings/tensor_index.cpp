// t[...]: from Python's brackets to index lists; and the functions that read and write by index.
#include "bindings/tensor_index.h"

#include "bindings/bind.h"
#include "bindings/caster.h"
#include "bindings/interop.h"
#include "bindings/literal.h"
#include "bindings/results.h"

namespace fd::bindings {

namespace {

using ops::IndexKind;
using ops::IndexList;

int64_t as_index(PyObject* o) {
  const Py_ssize_t i = PyNumber_AsSsize_t(o, PyExc_IndexError);
  if (i == -1 && PyErr_Occurred()) throw nb::python_error();
  return i;
}

// Lists and arrays of ints or bools. An empty list is taken for one of ints.
Tensor as_index_tensor(PyObject* o) {
  if (has_buffer(o)) return from_buffer(o);
  const Tensor t = tensor_from_literal(o, std::nullopt);
  return t.numel() == 0 ? ops::to(t, DType::int64) : t;
}

bool is_numpy_bool(PyObject* o) { return std::string_view(Py_TYPE(o)->tp_name).starts_with("numpy.bool"); }

void add_slice(IndexList& list, PyObject* o) {
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(o, &start, &stop, &step) < 0) throw nb::python_error();
  ops::IndexItem& item = list.add(IndexKind::slice);
  item.start = start;
  item.stop = stop;
  item.step = step;
}

void add_item(IndexList& list, PyObject* o) {
  if (PyLong_CheckExact(o)) {
    list.add(IndexKind::integer).start = as_index(o);
  } else if (PySlice_Check(o)) {
    add_slice(list, o);
  } else if (is_tensor(o)) {
    list.add(IndexKind::tensor).tensor = tensor_of(o);
  } else if (o == Py_None) {
    list.add(IndexKind::new_axis);
  } else if (o == Py_Ellipsis) {
    list.add(IndexKind::ellipsis);
  } else if (PyBool_Check(o) || is_numpy_bool(o)) {
    list.add(IndexKind::boolean).start = PyObject_IsTrue(o);
  } else if (PySequence_Check(o) && !PyUnicode_Check(o)) {
    list.add(IndexKind::tensor).tensor = as_index_tensor(o);
  } else if (PyIndex_Check(o)) {
    list.add(IndexKind::integer).start = as_index(o);
  } else {
    fail<IndexError>(
        "only integers, slices (:), ellipsis (...), None and tensors or lists of integers or bools are "
        "valid indices, got ",
        Py_TYPE(o)->tp_name);
  }
}

void parse(IndexList& list, PyObject* key) {
  if (!PyTuple_Check(key)) return add_item(list, key);
  const Py_ssize_t n = PyTuple_GET_SIZE(key);
  for (Py_ssize_t i = 0; i < n; i++) add_item(list, PyTuple_GET_ITEM(key, i));
}

Tensor get(const Tensor& t, PyObject* key) {
  if (PyLong_CheckExact(key)) return ops::select(t, 0, as_index(key));
  if (PySlice_Check(key)) {
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) throw nb::python_error();
    return ops::slice(t, 0, start, stop, step);
  }
  IndexList list;
  parse(list, key);
  return ops::getitem(t, list);
}

void set(const Tensor& self, PyObject* key, PyObject* value) {
  OperandArg v;
  bool v_is_tensor;
  check<DTypeError>(parse_operand(value, &v.tensor, &v.scalar, &v_is_tensor), "cannot assign a ",
                    Py_TYPE(value)->tp_name, " to elements of a tensor; make it a tensor first");
  IndexList list;
  parse(list, key);
  ops::setitem(self, list, v);
}

}  // namespace

PyObject* tensor_getitem(PyObject* self, PyObject* key) {
  return guarded<PyObject*>(nullptr, [&] { return wrap(get(tensor_of(self), key)); });
}

int tensor_setitem(PyObject* self, PyObject* key, PyObject* value) {
  return guarded(-1, [&] {
    check<DTypeError>(value != nullptr, "a tensor's elements cannot be deleted");
    set(tensor_of(self), key, value);
    return 0;
  });
}

namespace {

// name(t, ...) writes to a copy, name_(t, ...) in place; both as methods, the first as a function too.
template <class... A, class... Extra>
void bind_write(nb::module_& m, const char* name, Tensor (*write)(const Tensor&, A...), const char* doc,
                const Extra&... extra) {
  function_and_method(
      m, name, [write](const Tensor& input, A... a) { return write(ops::clone(input), a...); }, extra..., doc);
  const std::string in_place = std::string(name) + "_";
  method(in_place.c_str(), write, extra..., doc);
}

void bind_along_dim(nb::module_& m) {
  const auto index_select = [](const Tensor& t, int64_t dim, const Tensor& index) {
    return ops::index_select(t, dim, index);
  };
  function_and_method(m, "index_select", index_select, "dim"_a, "index"_a,
                      "The slices of input at index (integers, one dimension) along dim, copied. IndexError outside "
                      "[0, size).");
  bind_write(
      m, "index_add",
      +[](const Tensor& t, int64_t dim, const Tensor& index, const Tensor& source, Scalar alpha) {
        return ops::index_add_(t, dim, index, source, alpha);
      },
      "Adds alpha times the slices of source to those of input at index along dim; repeated indices add up.", "dim"_a,
      "index"_a, "source"_a, nb::kw_only(), "alpha"_a = 1);
  bind_write(
      m, "index_copy",
      +[](const Tensor& t, int64_t dim, const Tensor& index, const Tensor& source) {
        return ops::index_copy_(t, dim, index, source);
      },
      "Writes the slices of source to those of input at index along dim.", "dim"_a, "index"_a, "source"_a);
  bind_write(
      m, "index_fill",
      +[](const Tensor& t, int64_t dim, const Tensor& index, const OperandArg& value) {
        return ops::index_fill_(t, dim, index, value);
      },
      "Fills the slices of input at index along dim with a number or a 0-dim tensor.", "dim"_a, "index"_a, "value"_a);
  bind_write(
      m, "index_put",
      +[](const Tensor& t, const std::vector<std::optional<Tensor>>& indices, const Tensor& values, bool accumulate) {
        Tensors plain;
        for (const auto& i : indices) plain.push_back(i.value_or(Tensor()));
        return ops::index_put_(t, plain, values, accumulate);
      },
      "input[indices] = values, or += with accumulate, where repeated indices add up.", "indices"_a, "values"_a,
      "accumulate"_a = false);
}

fd_scatter_mode scatter_mode(const std::optional<std::string>& reduce) {
  if (!reduce) return FD_SCATTER_SET;
  check<ValueError>(*reduce == "add" || *reduce == "multiply", "scatter: reduce must be 'add' or 'multiply', got '",
                    *reduce, "'");
  return *reduce == "add" ? FD_SCATTER_ADD : FD_SCATTER_MUL;
}

ops::ScatterReduction scatter_reduction(const std::string& name) {
  constexpr const char* names[] = {"sum", "prod", "mean", "amax", "amin"};
  for (int i = 0; i < 5; i++)
    if (name == names[i]) return static_cast<ops::ScatterReduction>(i);
  fail<ValueError>("scatter_reduce: reduce must be 'sum', 'prod', 'mean', 'amax' or 'amin', got '", name, "'");
}

void bind_scatter(nb::module_& m) {
  using Mode = const std::optional<std::string>&;
  const auto gather = [](const Tensor& t, int64_t dim, const Tensor& index, bool) {
    return ops::gather(t, dim, index);
  };
  function_and_method(m, "gather", gather, "dim"_a, "index"_a, nb::kw_only(), "sparse_grad"_a = false,
                      "out[i][j] = input[index[i][j]][j] for dim 0, and so on. IndexError outside [0, size).");
  const char* doc =
      "input[index[i][j]][j] = src[i][j] for dim 0, and so on; src may be a number. reduce='add' or 'multiply' "
      "combines "
      "with what is there.";
  bind_write(
      m, "scatter",
      +[](const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, Mode reduce) {
        return ops::scatter_(t, dim, index, src, scatter_mode(reduce));
      },
      doc, "dim"_a, "index"_a, "src"_a, nb::kw_only(), "reduce"_a = nb::none());
  bind_write(
      m, "scatter",
      +[](const Tensor& t, int64_t dim, const Tensor& index, Scalar value, Mode reduce) {
        return ops::scatter_(t, dim, index, value, scatter_mode(reduce));
      },
      doc, "dim"_a, "index"_a, "value"_a, nb::kw_only(), "reduce"_a = nb::none());
  bind_write(
      m, "scatter_add",
      +[](const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src) {
        return ops::scatter_(t, dim, index, src, FD_SCATTER_ADD);
      },
      "input[index[i][j]][j] += src[i][j] for dim 0, and so on, in order of i.", "dim"_a, "index"_a, "src"_a);
  const auto reduced = [](const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src,
                          const std::string& reduce, bool include_self) {
    return ops::scatter_reduce(t, dim, index, src, scatter_reduction(reduce), include_self);
  };
  function_and_method(m, "scatter_reduce", reduced, "dim"_a, "index"_a, "src"_a, "reduce"_a, nb::kw_only(),
                      "include_self"_a = true,
                      "What src brings to each element of input: its 'sum', 'prod', 'mean', 'amax' or 'amin', with "
                      "the element itself or without.");
  method(
      "scatter_reduce_",
      [reduced](const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, const std::string& reduce,
                bool include_self) {
        return ops::copy_(t, reduced(ops::old_value(t), dim, index, src, reduce, include_self));
      },
      "dim"_a, "index"_a, "src"_a, "reduce"_a, nb::kw_only(), "include_self"_a = true, "scatter_reduce in place.");
  const auto take_along = [](const Tensor& t, const Tensor& indices, std::optional<int64_t> dim) {
    return ops::take_along_dim(t, indices, dim);
  };
  function_and_method(m, "take_along_dim", take_along, "indices"_a, "dim"_a = nb::none(),
                      "gather with broadcasting and negative indices; dim None: of the flattened tensors.");
  function_and_method(m, "take", ops::take, "index"_a, "Elements of the flattened input, in the shape of index.");
}

void bind_masks(nb::module_& m) {
  const auto fill = [](const Tensor& t, const Tensor& mask, const OperandArg& value) {
    return ops::masked_fill(t, mask, value);
  };
  function_and_method(m, "masked_fill", fill, "mask"_a, "value"_a,
                      "input with value (a number or a 0-dim tensor) where mask (bool, broadcast) holds.");
  method(
      "masked_fill_",
      [](const Tensor& t, const Tensor& mask, const OperandArg& value) { return ops::masked_fill_(t, mask, value); },
      "mask"_a, "value"_a, "masked_fill in place.");
  function_and_method(m, "masked_select", ops::masked_select, "mask"_a,
                      "The elements where mask (bool, broadcast) holds, in one dimension.");
  function_and_method(m, "masked_scatter", ops::masked_scatter, "mask"_a, "source"_a,
                      "input with the elements of source, in order, where mask (bool, broadcast) holds.");
  method(
      "masked_scatter_",
      [](const Tensor& t, const Tensor& mask, const Tensor& source) {
        return ops::copy_(t, ops::masked_scatter(ops::old_value(t), mask, source));
      },
      "mask"_a, "source"_a, "masked_scatter in place.");
  const auto nonzero = [](const Tensor& t, bool as_tuple) -> nb::object {
    if (as_tuple) return tuple_of(ops::nonzero_tuple(t));
    return nb::cast(ops::nonzero(t));
  };
  function_and_method(m, "nonzero", nonzero, nb::kw_only(), "as_tuple"_a = false,
                      "Positions of the nonzero elements: int64 [count, ndim], or one tensor per dimension.");
  function_and_method(m, "argwhere", ops::nonzero, "Positions of the nonzero elements: int64 [count, ndim].");
  m.def(
      "where", [](const Tensor& condition) { return tuple_of(ops::nonzero_tuple(condition)); }, "condition"_a,
      "Positions where condition holds, one tensor per dimension.");
}

}  // namespace

void bind_index(nb::module_& m) {
  bind_along_dim(m);
  bind_scatter(m);
  bind_masks(m);
  m.def("embedding", ops::embedding, "weight"_a, "indices"_a, "padding_idx"_a = -1,
        "Rows of weight [rows, width] at indices (any shape); row padding_idx gets no gradient (book 15.1).");
  m.def("one_hot", ops::one_hot, "tensor"_a, "num_classes"_a = -1,
        "Class numbers (any shape) to int64 [..., num_classes] with a 1 at each; -1: the largest plus one.");
}

}  // namespace fd::bindings
