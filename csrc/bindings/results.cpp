#include "bindings/results.h"

#include <map>
#include <string>

namespace fd::bindings {

namespace {

// Types live as long as the process, as the strings they point to must.
PyTypeObject* pair_type(const char* op) {
  static std::map<std::string, PyTypeObject*> types;
  const auto [it, fresh] = types.try_emplace(text("freedive.return_types.", op), nullptr);
  if (!fresh) return it->second;
  PyStructSequence_Field fields[] = {
      {"values", "The chosen elements."}, {"indices", "Their positions along the dim, int64."}, {nullptr, nullptr}};
  PyStructSequence_Desc description = {it->first.c_str(), "Elements and their positions.", fields, 2};
  it->second = PyStructSequence_NewType(&description);
  if (!it->second) throw nb::python_error();
  nb::cpp_function_def(
      [name = text("torch.return_types.", op)](nb::handle pair) {
        return name + "(\nvalues=" + nb::repr(pair[0]).c_str() + ",\nindices=" + nb::repr(pair[1]).c_str() + ")";
      },
      nb::scope(reinterpret_cast<PyObject*>(it->second)), nb::name("__repr__"), nb::is_method());
  return it->second;
}

}  // namespace

nb::object named_pair(const char* op, const ops::ValueIndex& r) {
  nb::object pair = nb::steal(PyStructSequence_New(pair_type(op)));
  if (!pair.is_valid()) throw nb::python_error();
  PyStructSequence_SetItem(pair.ptr(), 0, wrap(r.values));
  PyStructSequence_SetItem(pair.ptr(), 1, wrap(r.indices));
  return pair;
}

nb::object tuple_of(const Tensors& tensors) {
  nb::object out = nb::steal(PyTuple_New(static_cast<Py_ssize_t>(tensors.size())));
  if (!out.is_valid()) throw nb::python_error();
  for (size_t i = 0; i < tensors.size(); i++) PyTuple_SET_ITEM(out.ptr(), static_cast<Py_ssize_t>(i), wrap(tensors[i]));
  return out;
}

Tensors tensors_of(const nb::args& args, const char* op) {
  nb::object items = args;
  if (args.size() == 1 && !is_tensor(nb::handle(args[0]).ptr())) items = args[0];
  check<DTypeError>(PyTuple_Check(items.ptr()) || PyList_Check(items.ptr()), op,
                    ": expected tensors, or one tuple or list of tensors");
  Tensors out;
  for (nb::handle item : items) {
    check<DTypeError>(is_tensor(item.ptr()), op, ": expected tensors, got ", Py_TYPE(item.ptr())->tp_name);
    out.push_back(tensor_of(item.ptr()));
  }
  return out;
}

}  // namespace fd::bindings
