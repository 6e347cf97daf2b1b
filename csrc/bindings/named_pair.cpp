#include "bindings/named_pair.h"

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

}  // namespace fd::bindings
