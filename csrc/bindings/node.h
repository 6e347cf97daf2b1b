// The recorded graph as Python sees it (tensor.grad_fn).
#pragma once

#include <Python.h>

#include "autograd/node.h"

namespace fd::bindings {

PyObject* wrap_node(const Ref<Node>& node);  // None for no node

}  // namespace fd::bindings
