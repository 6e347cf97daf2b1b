// Every operation, by family. All check their arguments, allocate their result and record their gradient; each family's
// file has the backward right under the forward. Names and semantics are PyTorch's; dims may be negative.
#pragma once

#include <optional>
#include <vector>

#include "ops/common.h"

namespace fd::ops {

void install_grad_arithmetic();  // once, before the first backward

// ---- create
Tensor full(const Shape& shape, Scalar value, DType dtype, Device device = {});
inline Tensor zeros(const Shape& shape, DType dtype, Device device = {}) { return full(shape, 0, dtype, device); }
Tensor scalar_tensor(Scalar value, DType dtype, Device device = {});
Tensor arange(Scalar start, Scalar end, Scalar step, DType dtype);
Tensor linspace(double start, double end, int64_t steps, DType dtype);
Tensor eye(int64_t rows, int64_t cols, DType dtype);
Tensor empty_strided(const Shape& shape, const Dims& strides, DType dtype, Device device = {});

// ---- copy: dtype, layout, contents
Tensor to(const Tensor& t, DType dtype);  // t itself if it has that dtype
Tensor clone(const Tensor& t);
Tensor contiguous(const Tensor& t);  // t itself if it is contiguous
Tensor detach(const Tensor& t);
Tensor copy_(const Tensor& self, const Tensor& from);
Tensor fill_(const Tensor& self, const Operand& value);

// ---- view: no copy unless said
Tensor as_strided(const Tensor& t, const Shape& shape, const Dims& strides, int64_t storage_offset);
Tensor view(const Tensor& t, Shape shape);     // ShapeError if it would need a copy
Tensor reshape(const Tensor& t, Shape shape);  // copies if it must
Tensor permute(const Tensor& t, const Dims& dims);
Tensor transpose(const Tensor& t, int64_t a, int64_t b);
Tensor expand(const Tensor& t, const Shape& shape);  // -1 keeps a size
Tensor select(const Tensor& t, int64_t dim, int64_t index);
Tensor slice(const Tensor& t, int64_t dim, std::optional<int64_t> start, std::optional<int64_t> stop, int64_t step);
Tensor narrow(const Tensor& t, int64_t dim, int64_t start, int64_t length);
Tensor squeeze(const Tensor& t, const std::optional<Dims>& dims);
Tensor unsqueeze(const Tensor& t, int64_t dim);
Tensor flatten(const Tensor& t, int64_t first, int64_t last);
Tensor diagonal(const Tensor& t, int64_t offset, int64_t a, int64_t b);
Tensor unfold(const Tensor& t, int64_t dim, int64_t size, int64_t step);
std::vector<Tensor> split(const Tensor& t, const std::vector<int64_t>& sizes, int64_t dim);
std::vector<Tensor> unbind(const Tensor& t, int64_t dim);

// ---- elementwise: one page of rows in unary.cpp and binary.cpp
Tensor unary(fd_unary_op op, const Tensor& x, const double* param = nullptr);
Tensor unary_(fd_unary_op op, const Tensor& self, const double* param = nullptr);
Tensor binary(fd_binary_op op, const Operand& a, const Operand& b);
Tensor binary_(fd_binary_op op, const Tensor& self, const Operand& b);
Tensor compare(fd_compare_op op, const Operand& a, const Operand& b);
Tensor predicate(fd_compare_op op, const Tensor& x);  // logical_not, isnan, isinf, isfinite
Tensor where(const Tensor& condition, const Operand& a, const Operand& b);

inline Tensor add(const Operand& a, const Operand& b) { return binary(FD_ADD, a, b); }
inline Tensor sub(const Operand& a, const Operand& b) { return binary(FD_SUB, a, b); }
inline Tensor mul(const Operand& a, const Operand& b) { return binary(FD_MUL, a, b); }
inline Tensor div(const Operand& a, const Operand& b) { return binary(FD_DIV, a, b); }
inline Tensor pow(const Operand& a, const Operand& b) { return binary(FD_POW, a, b); }
inline Tensor neg(const Tensor& x) { return unary(FD_NEG, x); }

// ---- reduce: empty dims mean all
Tensor reduce(fd_reduce_op op, const Tensor& x, const Dims& dims, bool keepdim, double param = 0);
inline Tensor sum(const Tensor& x, const Dims& dims = {}, bool keepdim = false) {
  return reduce(FD_REDUCE_SUM, x, dims, keepdim);
}
inline Tensor mean(const Tensor& x, const Dims& dims = {}, bool keepdim = false) {
  return reduce(FD_REDUCE_MEAN, x, dims, keepdim);
}
struct ValueIndex {
  Tensor values, indices;
};
ValueIndex extremum(fd_reduce_op arg_op, const Tensor& x, int64_t dim, bool keepdim);  // FD_REDUCE_ARGMAX or ARGMIN
Tensor arg_extremum(fd_reduce_op arg_op, const Tensor& x, std::optional<int64_t> dim, bool keepdim);
struct MeanVar {
  Tensor mean, var;
};
MeanVar var_mean(const Tensor& x, const Dims& dims, double correction, bool keepdim);
ValueIndex scan(fd_scan_op op, const Tensor& x, int64_t dim);  // indices only for cummax, cummin

// ---- gemm
Tensor matmul(const Tensor& a, const Tensor& b);
Tensor mm(const Tensor& a, const Tensor& b);
Tensor bmm(const Tensor& a, const Tensor& b);
Tensor mv(const Tensor& a, const Tensor& x);
Tensor dot(const Tensor& a, const Tensor& b);
// act(x W^T + b): x [..., in], weight [out, in], bias [out] or undefined
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, fd_activation activation = FD_ACT_NONE);

}  // namespace fd::ops
