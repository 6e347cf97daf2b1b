// One elementwise call in one layout.
#pragma once

#include "layout.h"

namespace fd::native {

struct ElementwiseOp {
  std::string title;
  fd_elementwise_fn* reference;
  fd_elementwise_fn* candidate;
  Tolerance tolerance;
  Range range[3];
  double param[3] = {};
};

// A contiguous line of n elements, one operand.
inline fd_elementwise line_of(int64_t n) {
  fd_elementwise e = {};
  e.ndim = 1;
  e.size[0] = n;
  e.out_stride[0] = e.in_stride[0][0] = 1;
  return e;
}

// Lays out, fills and checks; In are the operands' element types.
template <class Out, class... In>
void check_elementwise(const ElementwiseOp& op, const fd_dtype (&dtype)[sizeof...(In)], const Layout& layout) {
  Random random(layout.size.empty() ? 7 : uint64_t(layout.size[0]));
  Case c(op.title, layout.name);
  fd_elementwise e = {};
  e.ndim = int32_t(layout.size.size());
  std::copy(layout.size.begin(), layout.size.end(), e.size);
  std::copy(op.param, op.param + 3, e.param);

  const Extent out = extent(layout.size, layout.out.step);
  Out* const result = c.output<Out>(out.elements, op.tolerance);
  std::copy(layout.out.step.begin(), layout.out.step.end(), e.out_stride);
  e.out = result + out.origin;

  int k = 0;
  const auto operand = [&]<class T>() {
    const Strides& s = layout.in[k];
    std::copy(s.step.begin(), s.step.end(), e.in_stride[k]);
    if (s.scalar) {
      e.scalar[k] = scalar_of(dtype[k], double(std::max(1.0, std::floor(op.range[k].low)) + 1));
    } else if (s.same) {
      if constexpr (std::is_same_v<T, Out>) fill(result, out.elements, random, op.range[k]);
      e.in[k] = e.out;
    } else {
      const Extent in = extent(layout.size, s.step);
      T* const data = c.input<T>(in.elements);
      fill(data, in.elements, random, op.range[k]);
      e.in[k] = data + in.origin;
    }
    k++;
  };
  (operand.template operator()<In>(), ...);
  c.check(op.reference, op.candidate, e, layout.large);
}

}  // namespace fd::native
