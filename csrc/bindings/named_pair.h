// Results of two tensors with names, as freedive.return_types.sort(values=..., indices=...).
#pragma once

#include "bindings/caster.h"

namespace fd::bindings {

// A named tuple (values, indices) of the type freedive.return_types.<op>.
nb::object named_pair(const char* op, const ops::ValueIndex& r);

}  // namespace fd::bindings
