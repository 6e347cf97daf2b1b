// Functions of one element.
#include "kernels/cuda/elementwise_ops.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

template <class Op>
void fill(fd_elementwise_fn** slots) {
  for_each_dtype([=]<class T>(fd_dtype dtype) {
    if constexpr (Op::template accepts<T>) slots[dtype] = map<Op, T, T>;
  });
}

}  // namespace

void fill_unary(fd_kernels* table) {
  auto* const slots = table->elementwise.unary;
#define FD_FILL(OP, name) fill<op::name>(slots[FD_##OP]);
  FD_UNARY_OPS(FD_FILL)
#undef FD_FILL
}

}  // namespace fd::gpu
