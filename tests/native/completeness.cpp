// The reference has every entry that kernels.h promises, and none that it rules out.
#include "families.h"

namespace fd::native {
namespace {

constexpr unsigned bit(fd_dtype d) { return 1u << d; }
constexpr unsigned kFloating = bit(FD_F32) | bit(FD_F64), kInteger = bit(FD_U8) | bit(FD_I32) | bit(FD_I64);
constexpr unsigned kNumeric = kFloating | kInteger, kAnyButHalf = kNumeric | bit(FD_BOOL);
constexpr unsigned kIntegral = kInteger | bit(FD_BOOL), kEvery = 0xff;

template <class Fn>
void expect_slots(const std::string& name, Fn* const (&slots)[FD_DTYPE_COUNT], unsigned promised) {
  for (int d = 0; d < FD_DTYPE_COUNT; d++) {
    const bool due = promised >> d & 1;
    expect((slots[d] != nullptr) == due, text("completeness ", name),
           text(due ? "an entry" : "no entry", " for ", DType(d)));
  }
}

unsigned unary_dtypes(int op) {
  switch (op) {
    case FD_NEG:
    case FD_ABS:
    case FD_SIGN:
    case FD_SQUARE:
    case FD_RELU:
    case FD_CLAMP:
      return kNumeric;
    case FD_BITWISE_NOT:
      return kIntegral;
    default:
      return kFloating;
  }
}

unsigned binary_dtypes(int op) {
  switch (op) {
    case FD_ADD:
    case FD_MUL:
    case FD_MAXIMUM:
    case FD_MINIMUM:
      return kAnyButHalf;
    case FD_SUB:
    case FD_FLOOR_DIV:
    case FD_REMAINDER:
    case FD_FMOD:
    case FD_POW:
      return kNumeric;
    case FD_BITWISE_AND:
    case FD_BITWISE_OR:
    case FD_BITWISE_XOR:
      return kIntegral;
    case FD_SHIFT_LEFT:
    case FD_SHIFT_RIGHT:
      return kInteger;
    default:
      return kFloating;
  }
}

unsigned reduce_dtypes(int op) {
  switch (op) {
    case FD_REDUCE_MEAN:
    case FD_REDUCE_VAR:
    case FD_REDUCE_NORM2:
    case FD_REDUCE_NORM1:
    case FD_REDUCE_LOGSUMEXP:
      return kFloating;
    default:
      return kAnyButHalf;
  }
}

unsigned scan_dtypes(int op) {
  switch (op) {
    case FD_SCAN_CUMMAX:
    case FD_SCAN_CUMMIN:
      return kAnyButHalf;
    case FD_SCAN_LOGCUMSUMEXP:
      return kFloating;
    default:
      return kFloating | bit(FD_I64);
  }
}

}  // namespace

void test_completeness(const fd_kernels& k) {
  expect(k.abi == FD_ABI && k.bytes == sizeof(fd_kernels), "completeness", "abi and size of the table");
#define FD_TEST(OP, name) expect_slots(#name, k.elementwise.unary[FD_##OP], unary_dtypes(FD_##OP));
  FD_UNARY_OPS(FD_TEST)
#undef FD_TEST
#define FD_TEST(OP, name) expect_slots(#name, k.elementwise.binary[FD_##OP], binary_dtypes(FD_##OP));
  FD_BINARY_OPS(FD_TEST)
#undef FD_TEST
#define FD_TEST(OP, name) expect_slots(#name, k.elementwise.compare[FD_##OP], kAnyButHalf);
  FD_COMPARE_OPS(FD_TEST)
#undef FD_TEST
  expect_slots("where", k.elementwise.where, kEvery);
  for (const auto& from : k.elementwise.cast) expect_slots("cast", from, kEvery);
#define FD_TEST(OP, name) expect_slots(#name, k.reduce.reduce[FD_REDUCE_##OP], reduce_dtypes(FD_REDUCE_##OP));
  FD_REDUCE_OPS(FD_TEST)
#undef FD_TEST
#define FD_TEST(OP, name) expect_slots(#name, k.reduce.scan[FD_SCAN_##OP], scan_dtypes(FD_SCAN_##OP));
  FD_SCAN_OPS(FD_TEST)
#undef FD_TEST
  expect_slots("gemm", k.gemm.gemm, kFloating);
  expect_slots("softmax", k.softmax.softmax, kFloating);
  expect_slots("softmax_backward", k.softmax.softmax_backward, kFloating);
  expect_slots("log_softmax", k.softmax.log_softmax, kFloating);
  expect_slots("log_softmax_backward", k.softmax.log_softmax_backward, kFloating);
  expect_slots("cross_entropy", k.softmax.cross_entropy, kFloating);
#define FD_TEST(OP, name) expect_slots(#name, k.softmax.loss[FD_LOSS_##OP], kFloating);
  FD_LOSS_OPS(FD_TEST)
#undef FD_TEST
  expect_slots("dropout", k.dropout.dropout, kFloating);
  expect_slots("uniform", k.dropout.uniform, kFloating);
  expect_slots("normal", k.dropout.normal, kFloating);
  expect_slots("randint", k.dropout.randint, kAnyButHalf);
  expect_slots("bernoulli", k.dropout.bernoulli, kAnyButHalf);
  expect_slots("batch_norm forward", k.batch_norm.forward, kFloating);
  expect_slots("batch_norm backward", k.batch_norm.backward, kFloating);
  expect_slots("sgd", k.optim.sgd, kFloating);
  expect_slots("adam", k.optim.adam, kFloating);
  expect_slots("take", k.index.take, kEvery);
  expect_slots("put", k.index.put, kEvery);
  expect(k.index.offsets != nullptr, "completeness offsets", "an entry");
  expect_slots("gather", k.index.gather, kEvery);
  expect_slots("scatter", k.index.scatter, kEvery);
  expect_slots("nonzero", k.index.nonzero, kAnyButHalf);
  expect_slots("minibatch", k.index.minibatch, kFloating);
  expect_slots("sort", k.sort.sort, kAnyButHalf);
  expect_slots("conv forward", k.conv.forward, kFloating);
  expect_slots("conv grad_input", k.conv.grad_input, kFloating);
  expect_slots("conv grad_weight", k.conv.grad_weight, kFloating);
  expect_slots("max pool", k.pool.max, kFloating);
  expect_slots("max pool backward", k.pool.max_backward, kFloating);
  expect_slots("average pool", k.pool.avg, kFloating);
  expect_slots("average pool backward", k.pool.avg_backward, kFloating);
}

}  // namespace fd::native
