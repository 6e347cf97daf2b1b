// Every operation, by family. All check their arguments, allocate their result and record their gradient; each family's
// file has the backward right under the forward. Names and semantics are PyTorch's; dims may be negative.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ops/common.h"
#include "tensor/generator.h"

namespace fd::ops {

void install_grad_arithmetic();  // once, before the first backward

// ---- create
Tensor full(const Shape& shape, Scalar value, DType dtype, Device device = {});
inline Tensor zeros(const Shape& shape, DType dtype, Device device = {}) { return full(shape, 0, dtype, device); }
Tensor scalar_tensor(Scalar value, DType dtype, Device device = {});
Tensor arange(Scalar start, Scalar end, Scalar step, DType dtype, Device device = {});
Tensor linspace(double start, double end, int64_t steps, DType dtype, Device device = {});
Tensor eye(int64_t rows, int64_t cols, DType dtype, Device device = {});
Tensor empty_strided(const Shape& shape, const Dims& strides, DType dtype, Device device = {});

// ---- copy: dtype, layout, contents
Tensor to(const Tensor& t, DType dtype);  // t itself if it has that dtype
// t itself if it is there. wait = false: page-locked host memory is read later; a copy to the host is in such memory.
Tensor to_device(const Tensor& t, Device device, bool wait = true);
Tensor pin_memory(const Tensor& t);  // a copy in page-locked host memory; t itself if it is there
Tensor clone(const Tensor& t);
Tensor contiguous(const Tensor& t);  // t itself if it is contiguous
Tensor detach(const Tensor& t);
Tensor copy_(const Tensor& self, const Tensor& from, bool wait = true);
// For in-place ops written as copy_(self, f(old_value(self))): what backward keeps of self must survive the write.
Tensor old_value(const Tensor& self);
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
void record_unary(fd_unary_op op, const Tensor& y);  // y holds op(what its history says): adds the step that is missing
Tensor hardtanh(const Tensor& x, double lo, double hi);  // clamp, but its slope is 0 at the bounds too
Tensor hardtanh_(const Tensor& self, double lo, double hi);
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
// Whether GPUs may round the operands of float32 products to TF32.
bool allow_tf32();
void set_allow_tf32(bool allowed);
Tensor mm(const Tensor& a, const Tensor& b);
Tensor bmm(const Tensor& a, const Tensor& b);
Tensor mv(const Tensor& a, const Tensor& x);
Tensor dot(const Tensor& a, const Tensor& b);
// act(x W^T + b): x [..., in], weight [out, in], bias [out] or undefined
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, fd_activation activation = FD_ACT_NONE);

// ---- index: t[...]
enum class IndexKind : int8_t { integer, slice, new_axis, ellipsis, boolean, tensor };
// One entry of the brackets.
struct IndexItem {
  IndexKind kind = IndexKind::new_axis;
  int64_t start = 0;  // an integer, a bool, or where a slice begins
  int64_t stop = 0, step = 1;
  Tensor tensor;  // integers of any shape, or a bool mask of any rank
};
struct IndexList {
  static constexpr int kMost = 2 * FD_MAX_DIMS + 1;
  IndexItem item[kMost];
  int count = 0;
  IndexItem& add(IndexKind kind);  // IndexError when full
};
Tensor getitem(const Tensor& t, const IndexList& where);  // a view, or a copy if a tensor indexes
void setitem(const Tensor& self, const IndexList& where, const Operand& value);
// indices[i] indexes dim i; undefined ones keep theirs whole.
Tensor index_by(const Tensor& t, const std::vector<Tensor>& indices);
Tensor index_put_(const Tensor& self, const std::vector<Tensor>& indices, const Tensor& values, bool accumulate);
Tensor index_select(const Tensor& t, int64_t dim, const Tensor& which);
Tensor index_add_(const Tensor& self, int64_t dim, const Tensor& which, const Tensor& source, Scalar alpha);
Tensor index_copy_(const Tensor& self, int64_t dim, const Tensor& which, const Tensor& source);
Tensor index_fill_(const Tensor& self, int64_t dim, const Tensor& which, const Operand& value);
Tensor take(const Tensor& t, const Tensor& which);                                 // of t as if it had one dim
Tensor embedding(const Tensor& weight, const Tensor& which, int64_t padding_idx);  // padding_idx -1: none
Tensor nonzero(const Tensor& t);                                                   // [count, dim]
std::vector<Tensor> nonzero_tuple(const Tensor& t);                                // dim times [count]
Tensor one_hot(const Tensor& classes, int64_t count);                              // count -1: the largest plus one

// ---- gather
Tensor gather(const Tensor& t, int64_t dim, const Tensor& which);
Tensor scatter_(const Tensor& self, int64_t dim, const Tensor& which, const Operand& source,
                fd_scatter_mode mode = FD_SCATTER_SET);
enum class ScatterReduction : int8_t { sum, prod, mean, amax, amin };
Tensor scatter_reduce(const Tensor& t, int64_t dim, const Tensor& which, const Tensor& source, ScatterReduction how,
                      bool include_self);
Tensor take_along_dim(const Tensor& t, const Tensor& which, std::optional<int64_t> dim);
Tensor masked_select(const Tensor& t, const Tensor& mask);
Tensor masked_fill(const Tensor& t, const Tensor& mask, const Operand& value);
Tensor masked_fill_(const Tensor& self, const Tensor& mask, const Operand& value);
Tensor masked_scatter(const Tensor& t, const Tensor& mask, const Tensor& source);

// ---- join
Tensor cat(const std::vector<Tensor>& parts, int64_t dim);
Tensor stack(const std::vector<Tensor>& parts, int64_t dim);
std::vector<Tensor> split(const Tensor& t, int64_t size, int64_t dim);  // parts of size, the last may be smaller
std::vector<Tensor> chunk(const Tensor& t, int64_t count, int64_t dim);
std::vector<Tensor> tensor_split(const Tensor& t, int64_t count, int64_t dim);
std::vector<Tensor> tensor_split(const Tensor& t, const std::vector<int64_t>& at, int64_t dim);

// ---- move
Tensor flip(const Tensor& t, const Dims& dims);
Tensor roll(const Tensor& t, const Dims& shifts, const Dims& dims);  // no dims: of the flattened tensor
Tensor rot90(const Tensor& t, int64_t times, const Dims& dims);
Tensor repeat(const Tensor& t, const Dims& times);
Tensor tile(const Tensor& t, const Dims& times);
Tensor repeat_interleave(const Tensor& t, int64_t times, std::optional<int64_t> dim);
Tensor repeat_interleave(const Tensor& t, const Tensor& times, std::optional<int64_t> dim);
Tensor repeated_indices(const Tensor& times);  // 0 times[0] times, 1 times[1] times, ...
Tensor movedim(const Tensor& t, const Dims& from, const Dims& to);
Tensor unflatten(const Tensor& t, int64_t dim, const Shape& sizes);
Tensor triangle(const Tensor& t, int64_t diagonal, bool lower);  // tril, triu
Tensor diag(const Tensor& t, int64_t offset);
Tensor diag_embed(const Tensor& t, int64_t offset, int64_t a, int64_t b);
Tensor trace(const Tensor& t);
std::vector<Tensor> meshgrid(const std::vector<Tensor>& axes, bool xy);
std::vector<Tensor> broadcast_tensors(const std::vector<Tensor>& tensors);

// ---- pad: widths in pairs (before, after), from the last dim on; negative ones crop
enum class PadMode : int8_t { constant, reflect, replicate, circular };
Tensor pad(const Tensor& t, const std::vector<int64_t>& widths, PadMode mode, Scalar value);

// ---- sort
ValueIndex sort(const Tensor& t, int64_t dim, bool descending);
ValueIndex topk(const Tensor& t, int64_t k, int64_t dim, bool largest);
ValueIndex kthvalue(const Tensor& t, int64_t k, int64_t dim, bool keepdim);
ValueIndex median(const Tensor& t, int64_t dim, bool keepdim);  // the lower of two middle values
Tensor median(const Tensor& t);
Tensor quantile(const Tensor& t, const Tensor& q, std::optional<int64_t> dim, bool keepdim,
                const std::string& interpolation);

// ---- search: in sorted values, and what sorting makes easy
Tensor searchsorted(const Tensor& sorted, const Tensor& values, bool right, DType out);
struct Unique {
  Tensor values, inverse, counts;
};
Unique unique(const Tensor& t, std::optional<int64_t> dim = {});  // of the elements, or of the slices along dim
Unique unique_consecutive(const Tensor& t, std::optional<int64_t> dim = {});
Tensor isin(const Tensor& elements, const Tensor& test);
Tensor bincount(const Tensor& t, const Tensor& weights, int64_t at_least);  // weights may be undefined

// ---- einsum: products over named dims
Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands);
Tensor tensordot(const Tensor& a, const Tensor& b, const Dims& dims_a, const Dims& dims_b);
Tensor outer(const Tensor& a, const Tensor& b);
Tensor cross(const Tensor& a, const Tensor& b, int64_t dim);
Tensor kron(const Tensor& a, const Tensor& b);
Tensor cdist(const Tensor& a, const Tensor& b, double p);
Tensor cov(const Tensor& t, double correction);  // rows are variables
Tensor corrcoef(const Tensor& t);

// ---- softmax, along a dim
Tensor softmax(const Tensor& x, int64_t dim);
Tensor log_softmax(const Tensor& x, int64_t dim);

// ---- cross_entropy: input [c] or [n, c, ...]; target class numbers (without c) or probabilities (with c); weight [c]
// or undefined
constexpr int64_t kIgnoreIndex = -100;
Tensor cross_entropy(const Tensor& input, const Tensor& target, const Tensor& weight = {},
                     int64_t ignore_index = kIgnoreIndex, fd_reduction reduction = FD_REDUCTION_MEAN,
                     double label_smoothing = 0);
Tensor nll_loss(const Tensor& input, const Tensor& target, const Tensor& weight = {},
                int64_t ignore_index = kIgnoreIndex, fd_reduction reduction = FD_REDUCTION_MEAN);

// ---- loss: elementwise, reduced; weights may be undefined
Tensor mse_loss(const Tensor& input, const Tensor& target, fd_reduction reduction = FD_REDUCTION_MEAN);
Tensor l1_loss(const Tensor& input, const Tensor& target, fd_reduction reduction = FD_REDUCTION_MEAN);
Tensor huber_loss(const Tensor& input, const Tensor& target, fd_reduction reduction, double delta);
Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, fd_reduction reduction, double beta);
enum class KlReduction : int8_t {
  none = FD_REDUCTION_NONE,
  mean = FD_REDUCTION_MEAN,
  sum = FD_REDUCTION_SUM,
  batchmean  // the sum divided by size(0)
};
Tensor kl_div(const Tensor& input, const Tensor& target, KlReduction reduction, bool log_target);
Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const Tensor& weight, fd_reduction reduction);
Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target, const Tensor& weight,
                                        const Tensor& pos_weight, fd_reduction reduction);

// ---- dropout: x itself if not training or p = 0
Tensor dropout(const Tensor& x, double p, bool training, Generator* generator = nullptr);
Tensor dropout_(const Tensor& self, double p, bool training, Generator* generator = nullptr);
// Drops whole blocks: one decision for each index of the leading dims.
Tensor dropout_channels(const Tensor& x, double p, bool training, int leading, Generator* generator = nullptr);

// ---- conv: input (n, c, ...) or (c, ...) with `dims` spatial dimensions, weight (out, in / groups, kernel), bias
// (out,) or undefined; the transposed one takes weight (in, out / groups, kernel)
struct ConvOptions;  // ops/windows.h
Tensor conv(int dims, const Tensor& input, const Tensor& weight, const Tensor& bias, const ConvOptions& options);
Tensor conv_transpose(int dims, const Tensor& input, const Tensor& weight, const Tensor& bias,
                      const ConvOptions& options);

// ---- pool: input as conv's; indices, if wanted, are positions in a channel's plane; sizes -1 keep the input's
struct PoolOptions;
ValueIndex max_pool(int dims, const Tensor& input, const PoolOptions& options, bool want_indices);
Tensor avg_pool(int dims, const Tensor& input, const PoolOptions& options);
ValueIndex adaptive_max_pool(int dims, const Tensor& input, const Dims& sizes, bool want_indices);
Tensor adaptive_avg_pool(int dims, const Tensor& input, const Dims& sizes);

// ---- batch_norm, layer_norm: everything but x may be undefined; running statistics are updated in place in training
Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight,
                  const Tensor& bias, bool training, double momentum, double eps);
Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, const Tensor& bias, double eps);

// ---- optim: one step of all params, in place; not recorded. live: an fd_optim_live as float64 [5] on the GPU, which
// the device reads instead of lr, step and grad_scale.
struct SgdOptions {
  double lr = 0, momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false, maximize = false;
  int64_t step = 1;
  std::optional<double> grad_scale;
  std::optional<Tensor> live;
};
void sgd_step(const std::vector<Tensor>& params, const std::vector<Tensor>& grads,
              const std::vector<Tensor>* momentum_buffers, const SgdOptions& options);
struct AdamOptions {
  double lr = 0, beta1 = 0, beta2 = 0, eps = 0, weight_decay = 0;
  bool decoupled = false, amsgrad = false, maximize = false;
  int64_t step = 1;
  std::optional<double> grad_scale;
  std::optional<Tensor> live;
};
void adam_step(const std::vector<Tensor>& params, const std::vector<Tensor>& grads, const std::vector<Tensor>& exp_avgs,
               const std::vector<Tensor>& exp_avg_sqs, const std::vector<Tensor>* max_exp_avg_sqs,
               const AdamOptions& options);

// ---- random: generator nullptr is the default one; each call takes one offset of it
Tensor rand(const Shape& shape, DType dtype, Device device = {}, Generator* generator = nullptr);
Tensor randn(const Shape& shape, DType dtype, Device device = {}, Generator* generator = nullptr);
Tensor normal(double mean, double std, const Shape& shape, DType dtype, Device device = {},
              Generator* generator = nullptr);
Tensor normal(const Operand& mean, const Operand& std, Generator* generator = nullptr);  // at least one is a tensor
Tensor randint(int64_t low, int64_t high, const Shape& shape, DType dtype, Device device = {},
               Generator* generator = nullptr);
Tensor randperm(int64_t n, DType dtype, Device device = {}, Generator* generator = nullptr);
Tensor bernoulli(const Tensor& p, Generator* generator = nullptr);
Tensor multinomial(const Tensor& probs, int64_t samples, bool replacement, Generator* generator = nullptr);
Tensor uniform_(const Tensor& self, double from, double to, Generator* generator = nullptr);
Tensor normal_(const Tensor& self, double mean, double std, Generator* generator = nullptr);
Tensor bernoulli_(const Tensor& self, const Operand& p, Generator* generator = nullptr);
Tensor exponential_(const Tensor& self, double rate, Generator* generator = nullptr);

// ---- minibatch: images[rows] * scale + shift, of uint8 images [n, ...]
Tensor minibatch(const Tensor& images, const Tensor& rows, double scale, double shift, DType dtype);

}  // namespace fd::ops
