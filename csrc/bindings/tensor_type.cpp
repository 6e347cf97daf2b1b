#include "bindings/tensor_type.h"

#include <structmember.h>

#include "autograd/meta.h"
#include "bindings/errors.h"
#include "bindings/interop.h"
#include "bindings/number_slots.h"
#include "bindings/tensor_index.h"
#include "bindings/tensor_properties.h"

namespace fd::bindings {

PyTypeObject* tensor_type;

namespace {

// Dead objects of the exact type, kept for reuse: every op makes one.
constexpr int kSpares = 64;
PyTensor* spares[kSpares];
int spare_count = 0;

PyTensor* allocate(PyTypeObject* type) {
  if (type == tensor_type && spare_count > 0) {
    PyTensor* o = spares[--spare_count];
    PyObject_INIT(o, type);
    return o;
  }
  PyTensor* o =
      type == tensor_type ? PyObject_GC_New(PyTensor, type) : reinterpret_cast<PyTensor*>(type->tp_alloc(type, 0));
  if (!o) return nullptr;
  if (type != tensor_type) PyObject_GC_UnTrack(o);  // tracked when complete
  o->dict = o->weakrefs = nullptr;
  return o;
}

void deallocate_object(PyObject* self) {
  auto* o = reinterpret_cast<PyTensor*>(self);
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (o->weakrefs) PyObject_ClearWeakRefs(self);
  Py_CLEAR(o->dict);
  o->handle.release();
  if (TensorImpl* impl = std::exchange(o->impl, nullptr)) impl->destroy();
  if (type == tensor_type && spare_count < kSpares)
    spares[spare_count++] = o;
  else
    type->tp_free(self);
  Py_DECREF(type);
}

struct Visitor {
  visitproc visit;
  void* arg;
};

int visit_hooks(std::vector<HookEntry>* hooks, visitproc visit, void* arg) {
  if (!hooks) return 0;
  for (HookEntry& h : *hooks)
    if (const int stop = h.hook->traverse(reinterpret_cast<int (*)(void*, void*)>(visit), arg)) return stop;
  return 0;
}

// Python objects held through hooks and Python-defined functions along the chain of steps that only this tensor keeps
// alive; steps that others hold too stay, so they are not reported.
int visit_history(Node* node, visitproc visit, void* arg) {
  while (node && node->use_count() == 1) {
    if (const int stop = visit_hooks(node->hooks(), visit, arg)) return stop;
    if (const int stop = node->traverse(reinterpret_cast<int (*)(void*, void*)>(visit), arg)) return stop;
    Node* next = nullptr;
    for (int i = 0; i < node->inputs(); i++)
      if (node->wants(i)) next = node->edge(i).node.get();
    node = next;
  }
  return 0;
}

int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  auto* o = reinterpret_cast<PyTensor*>(self);
  Py_VISIT(o->dict);
  if (!o->impl || !o->impl->autograd) return 0;
  auto* m = static_cast<Meta*>(o->impl->autograd);
  if (m->grad.defined() && m->grad->python) Py_VISIT(static_cast<PyObject*>(m->grad->python));
  if (const int stop = visit_hooks(&m->hooks, visit, arg)) return stop;
  if (const int stop = visit_hooks(&m->after_accumulate, visit, arg)) return stop;
  return visit_history(m->grad_fn.get(), visit, arg);
}

int clear(PyObject* self) {
  auto* o = reinterpret_cast<PyTensor*>(self);
  Py_CLEAR(o->dict);
  if (!o->impl || !o->impl->autograd) return 0;
  auto* m = static_cast<Meta*>(o->impl->autograd);
  // Taken out first: destroying them may come back here.
  auto hooks = std::move(m->hooks);
  auto after = std::move(m->after_accumulate);
  const Tensor grad = std::move(m->grad);
  const Ref<Node> history = std::move(m->grad_fn);
  return 0;
}

PyMemberDef members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(PyTensor, dict), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(PyTensor, weakrefs), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyDoc_STRVAR(doc,
             "Tensor(data=None)\n\n"
             "An n-dimensional array of one dtype that can record how it was computed.\n\n"
             "Made by freedive.tensor(), zeros(), randn() and the like. Names and behaviour follow PyTorch's Tensor.");

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(doc)},
    {Py_tp_new, reinterpret_cast<void*>(tensor_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(deallocate_object)},
    {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(clear)},
    {Py_tp_members, members},
    {Py_tp_getset, tensor_properties},
    {Py_tp_hash, reinterpret_cast<void*>(tensor_hash)},
    {Py_tp_richcompare, reinterpret_cast<void*>(tensor_compare)},
    {Py_tp_iter, reinterpret_cast<void*>(tensor_iter)},
    {Py_mp_length, reinterpret_cast<void*>(tensor_length)},
    {Py_mp_subscript, reinterpret_cast<void*>(tensor_getitem)},
    {Py_mp_ass_subscript, reinterpret_cast<void*>(tensor_setitem)},
    {Py_bf_getbuffer, reinterpret_cast<void*>(tensor_getbuffer)},
    {Py_bf_releasebuffer, reinterpret_cast<void*>(tensor_releasebuffer)},
    {Py_nb_add, reinterpret_cast<void*>(number_add)},
    {Py_nb_subtract, reinterpret_cast<void*>(number_subtract)},
    {Py_nb_multiply, reinterpret_cast<void*>(number_multiply)},
    {Py_nb_true_divide, reinterpret_cast<void*>(number_divide)},
    {Py_nb_floor_divide, reinterpret_cast<void*>(number_floor_divide)},
    {Py_nb_remainder, reinterpret_cast<void*>(number_remainder)},
    {Py_nb_power, reinterpret_cast<void*>(number_power)},
    {Py_nb_matrix_multiply, reinterpret_cast<void*>(number_matmul)},
    {Py_nb_and, reinterpret_cast<void*>(number_and)},
    {Py_nb_or, reinterpret_cast<void*>(number_or)},
    {Py_nb_xor, reinterpret_cast<void*>(number_xor)},
    {Py_nb_lshift, reinterpret_cast<void*>(number_left)},
    {Py_nb_rshift, reinterpret_cast<void*>(number_right)},
    {Py_nb_inplace_add, reinterpret_cast<void*>(number_iadd)},
    {Py_nb_inplace_subtract, reinterpret_cast<void*>(number_isubtract)},
    {Py_nb_inplace_multiply, reinterpret_cast<void*>(number_imultiply)},
    {Py_nb_inplace_true_divide, reinterpret_cast<void*>(number_idivide)},
    {Py_nb_inplace_floor_divide, reinterpret_cast<void*>(number_ifloor_divide)},
    {Py_nb_inplace_remainder, reinterpret_cast<void*>(number_iremainder)},
    {Py_nb_inplace_power, reinterpret_cast<void*>(number_ipower)},
    {Py_nb_inplace_and, reinterpret_cast<void*>(number_iand)},
    {Py_nb_inplace_or, reinterpret_cast<void*>(number_ior)},
    {Py_nb_inplace_xor, reinterpret_cast<void*>(number_ixor)},
    {Py_nb_negative, reinterpret_cast<void*>(number_negative)},
    {Py_nb_positive, reinterpret_cast<void*>(number_positive)},
    {Py_nb_absolute, reinterpret_cast<void*>(number_absolute)},
    {Py_nb_invert, reinterpret_cast<void*>(number_invert)},
    {Py_nb_bool, reinterpret_cast<void*>(number_bool)},
    {Py_nb_int, reinterpret_cast<void*>(number_int)},
    {Py_nb_float, reinterpret_cast<void*>(number_float)},
    {Py_nb_index, reinterpret_cast<void*>(number_index)},
    {0, nullptr},
};

PyType_Spec spec = {"freedive.Tensor", sizeof(PyTensor), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};

}  // namespace

PyObject* wrap_as(PyTypeObject* type, const Tensor& t) {
  PyTensor* o = allocate(type);
  if (!o) return nullptr;
  o->impl = t.get();
  new (&o->handle) Tensor(Ref<TensorImpl>::adopt(o->impl));
  const long held = t->hand_over(o);  // references C++ holds become references to the object
  Py_SET_REFCNT(o, Py_REFCNT(o) + held);
  PyObject_GC_Track(o);
  return reinterpret_cast<PyObject*>(o);
}

PyObject* wrap(const Tensor& t) {
  if (!t.defined()) Py_RETURN_NONE;
  if (t->python) return Py_NewRef(static_cast<PyObject*>(t->python));
  return wrap_as(tensor_type, t);
}

void add_tensor_type(PyObject* module) {
  tensor_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (!tensor_type) throw std::runtime_error("freedive: could not make the Tensor type");
  PyModule_AddObjectRef(module, "Tensor", reinterpret_cast<PyObject*>(tensor_type));
}

}  // namespace fd::bindings
