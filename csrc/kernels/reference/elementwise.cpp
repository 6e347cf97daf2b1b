// out[i] = op(in[0][i], in[1][i]) over strided operands; elementwise_unary.h, _binary.h and _compare.h hold the
// formulas.
#include "kernels/reference/elementwise_binary.h"
#include "kernels/reference/elementwise_compare.h"
#include "kernels/reference/elementwise_unary.h"
#include "kernels/reference/iterate.h"
#include "kernels/reference/table.h"

namespace fd::reference {
namespace {

template <class Op, class T>
fd_status unary(fd_context*, const fd_elementwise* e) {
  map<T, T>(*e, [p = e->param](T x) { return static_cast<T>(Op::of(x, p)); });
  return FD_OK;
}

template <class Op, class T>
fd_status binary(fd_context*, const fd_elementwise* e) {
  map<T, T, T>(*e, [p = e->param](T a, T b) { return static_cast<T>(Op::of(a, b, p)); });
  return FD_OK;
}

template <class Op, class T>
fd_status compare(fd_context*, const fd_elementwise* e) {
  if constexpr (Op::one_operand)
    map<bool, T>(*e, [](T a) { return Op::of(a); });
  else
    map<bool, T, T>(*e, [](T a, T b) { return Op::of(a, b); });
  return FD_OK;
}

template <class Op>
void fill_unary(fd_elementwise_fn** slots) {
  for_each_dtype([=]<class T>(fd_dtype dtype) {
    if constexpr (Op::template accepts<T>) slots[dtype] = unary<Op, T>;
  });
}

template <class Op>
void fill_binary(fd_elementwise_fn** slots) {
  for_each_dtype([=]<class T>(fd_dtype dtype) {
    if constexpr (Op::template accepts<T>) slots[dtype] = binary<Op, T>;
  });
}

template <class Op>
void fill_compare(fd_elementwise_fn** slots) {
  for_each_dtype([=]<class T>(fd_dtype dtype) {
    if constexpr (Op::template accepts<T>) slots[dtype] = compare<Op, T>;
  });
}

}  // namespace

void fill_elementwise(fd_kernels* table) {
  fd_elementwise_kernels& k = table->elementwise;
#define FD_FILL(OP, name) fill_unary<op::name>(k.unary[FD_##OP]);
  FD_UNARY_OPS(FD_FILL)
#undef FD_FILL
#define FD_FILL(OP, name) fill_binary<op::name>(k.binary[FD_##OP]);
  FD_BINARY_OPS(FD_FILL)
#undef FD_FILL
#define FD_FILL(OP, name) fill_compare<op::name>(k.compare[FD_##OP]);
  FD_COMPARE_OPS(FD_FILL)
#undef FD_FILL
}

}  // namespace fd::reference
