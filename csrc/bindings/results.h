// Several tensors in and out: named pairs, tuples, and tensors given one by one or as one sequence.
#pragma once

#include "bindings/caster.h"

namespace fd::bindings {

using Tensors = std::vector<Tensor>;

// A named tuple (values, indices) of the type freedive.return_types.<op>.
nb::object named_pair(const char* op, const ops::ValueIndex& r);

nb::object tuple_of(const Tensors& tensors);

// f(a, b) and f((a, b)); DTypeError where one is no tensor.
Tensors tensors_of(const nb::args& args, const char* op);

}  // namespace fd::bindings
