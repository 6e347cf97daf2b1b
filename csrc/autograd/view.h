// History of views and of writes through them. A view is a strided window on its base, so both directions are written
// once, for every kind of view: reading takes the window, writing copies the base's gradient and replaces the window.
#pragma once

#include "autograd/meta.h"

namespace fd {

// After an in-place write to the view self with history node: the base's history becomes "old base with this window
// written", and self's history becomes a window on that.
void rewrite_base(const Tensor& self, Ref<Node> node);

}  // namespace fd
