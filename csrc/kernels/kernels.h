/* The contract between the kernels and everything above them, in valid C11: it is also the ABI of the CUDA plug-in.
 *
 * A device is one filled fd_kernels table. Every entry
 *   - takes a context first, then one struct of pointers and sizes that the caller keeps alive until it returns;
 *   - returns FD_OK or why not, and checks nothing that ops/checks.h can check without reading the data;
 *   - knows no tensor: shapes are explicit, "contiguous" means C order without gaps, sizes and strides count elements;
 *   - gives the same bits for every thread count (work is cut by size, partial results combine in a fixed order).
 * A NULL entry means: this device has no such kernel for this dtype. Outputs never overlap inputs unless a field says
 * so. Any size may be 0. The dtype index of a table is that of the element type named in the comment.
 */
#ifndef FREEDIVE_KERNELS_KERNELS_H
#define FREEDIVE_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FD_ABI = 3 };

typedef enum fd_status {
  FD_OK = 0,
  FD_OUT_OF_RANGE = 1, /* an index or label read from data; *context->fault says which */
  FD_NO_MEMORY = 2,    /* workspace could not be had */
  FD_DEVICE_FAULT = 3, /* the device reports an error; fault->code is its number */
  FD_UNSUPPORTED = 4
} fd_status;

typedef struct fd_fault {
  int32_t code;     /* an fd_status; on CUDA only the first fault since the last wait is kept */
  int32_t op;       /* fd_context::op of the launch that found it; 0 on the CPU */
  int64_t position; /* linear position of the offending element in its tensor */
  int64_t value;    /* what it held */
} fd_fault;

typedef struct fd_context fd_context;
struct fd_context {
  void* stream;    /* CUDA stream; NULL on the CPU */
  fd_fault* fault; /* written by a kernel that finds a bad index; device memory on CUDA */
  /* Calls task(closure, i) for i in [0, tasks) on any threads, in any order, and returns when all are done.
     NULL on CUDA. Kernels call task directly for work too small to share. */
  void (*parallel)(fd_context* context, int64_t tasks, void (*task)(void* closure, int64_t index), void* closure);
  /* Scratch memory of the calling thread, 64-byte aligned; NULL if there is none to be had. Slot 0 belongs to the
     entry itself, slot 1 to its tasks; asking again for a slot may move it and loses what it held. Kept between
     calls, so that a steady state costs no system call. */
  void* (*workspace)(fd_context* context, int32_t slot, size_t bytes);
  int32_t threads;       /* how many threads parallel() uses at most; a hint, never a result */
  int32_t op;            /* CUDA: a number for the op that launches, which a kernel writes beside a bad index */
  const uint64_t* draws; /* CUDA, while work is captured: on the device, what a replay adds to every fd_rng's offset */
  int64_t l1_bytes, l2_bytes, l3_bytes; /* data caches of one core, one core, the package; 0 = unknown */
};

/* ------------------------------------------------------------------------------------------------ elementwise */

typedef union fd_scalar {
  double f;  /* for floating dtypes */
  int64_t i; /* for bool and integer dtypes */
} fd_scalar;

/* out[i] = op(in[0][i], in[1][i], in[2][i]) over one N-dimensional index space.
 * Dimensions are outermost first, already coalesced: contiguous operands arrive as one dimension of stride 1.
 * A stride of 0 broadcasts; strides may be negative. in[k] == NULL: the operand is scalar[k] (of in[k]'s dtype).
 * out may be the very same memory (pointer and strides) as one or more inputs. */
typedef struct fd_elementwise {
  int32_t ndim; /* 0: a single element */
  int32_t reserved;
  int64_t size[FD_MAX_DIMS];
  int64_t out_stride[FD_MAX_DIMS];
  int64_t in_stride[3][FD_MAX_DIMS];
  void* out;
  const void* in[3];
  fd_scalar scalar[3];
  double param[3]; /* constants of an op, named beside it below */
} fd_elementwise;

/* op, name, meaning. T -> T; T floating, except where "any" (all but half) or "signed" is said. */
#define FD_UNARY_OPS(X)                                                                  \
  X(NEG, neg)                 /* any but bool */                                         \
  X(ABS, abs)                 /* any but bool */                                         \
  X(SIGN, sign)               /* any but bool; 0 for NaN */                              \
  X(SQUARE, square)           /* any but bool */                                         \
  X(BITWISE_NOT, bitwise_not) /* bool (logical not) and integers */                      \
  X(RECIPROCAL, reciprocal)                                                              \
  X(SQRT, sqrt)                                                                          \
  X(RSQRT, rsqrt)                                                                        \
  X(EXP, exp)                                                                            \
  X(EXP2, exp2)                                                                          \
  X(EXPM1, expm1)                                                                        \
  X(LOG, log)                                                                            \
  X(LOG2, log2)                                                                          \
  X(LOG10, log10)                                                                        \
  X(LOG1P, log1p)                                                                        \
  X(SIN, sin)                                                                            \
  X(COS, cos)                                                                            \
  X(TAN, tan)                                                                            \
  X(ASIN, asin)                                                                          \
  X(ACOS, acos)                                                                          \
  X(ATAN, atan)                                                                          \
  X(SINH, sinh)                                                                          \
  X(COSH, cosh)                                                                          \
  X(TANH, tanh)                                                                          \
  X(ASINH, asinh)                                                                        \
  X(ACOSH, acosh)                                                                        \
  X(ATANH, atanh)                                                                        \
  X(ERF, erf)                                                                            \
  X(FLOOR, floor)                                                                        \
  X(CEIL, ceil)                                                                          \
  X(ROUND, round) /* half to even */                                                     \
  X(TRUNC, trunc)                                                                        \
  X(SIGMOID, sigmoid)         /* 1 / (1 + e^-x) */                                       \
  X(LOGSIGMOID, logsigmoid)   /* -log(1 + e^-x), stable */                               \
  X(SOFTPLUS, softplus)       /* log(1 + e^(bx)) / b; x where bx > t; param b, t */      \
  X(RELU, relu)               /* any but bool; keeps NaN */                              \
  X(LEAKY_RELU, leaky_relu)   /* x > 0 ? x : slope x; param slope */                     \
  X(ELU, elu)                 /* x > 0 ? scale x : scale alpha (e^(x input_scale) - 1);  \
                                 param alpha, scale, input_scale */                      \
  X(GELU, gelu)               /* x Phi(x), by erf */                                     \
  X(GELU_TANH, gelu_tanh)     /* 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */      \
  X(SILU, silu)               /* x sigmoid(x) */                                         \
  X(MISH, mish)               /* x tanh(softplus(x)) */                                  \
  X(HARDSIGMOID, hardsigmoid) /* min(max(x + 3, 0), 6) / 6 */                            \
  X(HARDSWISH, hardswish)     /* x min(max(x + 3, 0), 6) / 6 */                          \
  X(CLAMP, clamp)             /* any but bool; min(max(x, lo), hi); param lo, hi (may be \
                                 infinite); keeps NaN */

/* (T, T) -> T; T any but half and bool unless said. Integer division by zero is the caller's check. */
#define FD_BINARY_OPS(X)                                                                        \
  X(ADD, add) /* bool: or */                                                                    \
  X(SUB, sub)                                                                                   \
  X(MUL, mul)             /* bool: and */                                                       \
  X(DIV, div)             /* floating only */                                                   \
  X(FLOOR_DIV, floor_div) /* rounds to minus infinity */                                        \
  X(REMAINDER, remainder) /* sign of the divisor, as Python's % */                              \
  X(FMOD, fmod)           /* sign of the dividend, as C's */                                    \
  X(POW, pow)             /* integers: exponent >= 0 is the caller's check */                   \
  X(MAXIMUM, maximum)     /* bool too; NaN wins */                                              \
  X(MINIMUM, minimum)     /* bool too; NaN wins */                                              \
  X(ATAN2, atan2)         /* floating only, as are the following up to BITWISE_AND */           \
  X(COPYSIGN, copysign)                                                                         \
  X(HYPOT, hypot)                                                                               \
  X(TANH_GRAD, tanh_grad)               /* (g, y): g (1 - y^2) */                               \
  X(SIGMOID_GRAD, sigmoid_grad)         /* (g, y): g y (1 - y) */                               \
  X(RELU_GRAD, relu_grad)               /* (g, y): y <= 0 ? 0 : g */                            \
  X(LEAKY_RELU_GRAD, leaky_relu_grad)   /* (g, x); param as LEAKY_RELU */                       \
  X(ELU_GRAD, elu_grad)                 /* (g, x); param as ELU */                              \
  X(SOFTPLUS_GRAD, softplus_grad)       /* (g, x); param as SOFTPLUS */                         \
  X(LOGSIGMOID_GRAD, logsigmoid_grad)   /* (g, x): g sigmoid(-x) */                             \
  X(GELU_GRAD, gelu_grad)               /* (g, x) */                                            \
  X(GELU_TANH_GRAD, gelu_tanh_grad)     /* (g, x) */                                            \
  X(SILU_GRAD, silu_grad)               /* (g, x) */                                            \
  X(MISH_GRAD, mish_grad)               /* (g, x) */                                            \
  X(HARDSIGMOID_GRAD, hardsigmoid_grad) /* (g, x): -3 < x < 3 ? g / 6 : 0 */                    \
  X(HARDSWISH_GRAD, hardswish_grad)     /* (g, x): x <= -3 ? 0 : x < 3 ? g (x / 3 + 1/2) : g */ \
  X(CLAMP_GRAD, clamp_grad)             /* (g, x): lo <= x <= hi ? g : 0; param as CLAMP */     \
  X(BITWISE_AND, bitwise_and)           /* bool and integers, as are the following */           \
  X(BITWISE_OR, bitwise_or)                                                                     \
  X(BITWISE_XOR, bitwise_xor)                                                                   \
  X(SHIFT_LEFT, shift_left)   /* integers */                                                    \
  X(SHIFT_RIGHT, shift_right) /* integers; arithmetic */

/* T -> bool or (T, T) -> bool; T any but half. */
#define FD_COMPARE_OPS(X)                                             \
  X(EQ, eq)                                                           \
  X(NE, ne)                                                           \
  X(LT, lt)                                                           \
  X(LE, le)                                                           \
  X(GT, gt)                                                           \
  X(GE, ge)                                                           \
  X(LOGICAL_AND, logical_and)                                         \
  X(LOGICAL_OR, logical_or)                                           \
  X(LOGICAL_XOR, logical_xor)                                         \
  X(LOGICAL_NOT, logical_not) /* one operand, as are the following */ \
  X(ISNAN, isnan)                                                     \
  X(ISINF, isinf)                                                     \
  X(ISFINITE, isfinite)

#define FD_ENUM_ENTRY(OP, name) FD_##OP,
enum fd_unary_op { FD_UNARY_OPS(FD_ENUM_ENTRY) FD_UNARY_COUNT };
enum fd_binary_op { FD_BINARY_OPS(FD_ENUM_ENTRY) FD_BINARY_COUNT };
enum fd_compare_op { FD_COMPARE_OPS(FD_ENUM_ENTRY) FD_COMPARE_COUNT };
#undef FD_ENUM_ENTRY

typedef fd_status fd_elementwise_fn(fd_context* context, const fd_elementwise* args);

typedef struct fd_elementwise_kernels {
  fd_elementwise_fn* unary[FD_UNARY_COUNT][FD_DTYPE_COUNT];
  fd_elementwise_fn* binary[FD_BINARY_COUNT][FD_DTYPE_COUNT];
  fd_elementwise_fn* compare[FD_COMPARE_COUNT][FD_DTYPE_COUNT];
  fd_elementwise_fn* where[FD_DTYPE_COUNT];                /* in[0] bool ? in[1] : in[2]; every dtype */
  fd_elementwise_fn* cast[FD_DTYPE_COUNT][FD_DTYPE_COUNT]; /* [from][to]; every pair; [t][t] is a strided copy; with
                                                              in[0] NULL it fills with scalar[0] of dtype `from`.
                                                              float -> integer truncates; -> bool is x != 0;
                                                              -> half rounds to nearest even */
} fd_elementwise_kernels;

/* ------------------------------------------------------------------------------------------------ reduce, scan */

/* in is read over kept x reduced dimensions (outermost first, coalesced within each group, strides in elements);
 * outputs are contiguous over the kept dimensions. An empty reduced space gives the op's identity; max, min and the
 * arg forms of an empty space are the caller's error. */
typedef struct fd_reduce {
  int32_t kept_ndim, reduced_ndim;
  int64_t kept_size[FD_MAX_DIMS], kept_stride[FD_MAX_DIMS];
  int64_t reduced_size[FD_MAX_DIMS], reduced_stride[FD_MAX_DIMS];
  const void* in;
  void* out;
  void* second; /* VAR: the mean, T; ARGMAX, ARGMIN: the value, T; NULL if not wanted */
  double param; /* VAR: what is subtracted from the count (1 = unbiased) */
} fd_reduce;

#define FD_REDUCE_OPS(X)                                                                                 \
  X(SUM, sum)   /* T -> T floating; bool, integers -> int64 */                                           \
  X(MEAN, mean) /* floating */                                                                           \
  X(PROD, prod) /* as SUM */                                                                             \
  X(MAX, max)   /* T -> T, any but half; NaN wins */                                                     \
  X(MIN, min)                                                                                            \
  X(ARGMAX, argmax) /* -> int64: position in the reduced space in C order, the first                     \
                       of equals, a NaN before all */                                                    \
  X(ARGMIN, argmin)                                                                                      \
  X(ANY, any) /* any but half -> bool */                                                                 \
  X(ALL, all)                                                                                            \
  X(COUNT_NONZERO, count_nonzero) /* any but half -> int64 */                                            \
  X(VAR, var)                     /* floating; two passes or Welford: a large mean must not hurt */      \
  X(NORM2, norm2)                 /* floating: sqrt of the sum of squares, computed in double for f32 */ \
  X(NORM1, norm1)                 /* floating: sum of absolute values */                                 \
  X(LOGSUMEXP, logsumexp)         /* floating, stable; all -inf -> -inf */

#define FD_SCAN_OPS(X)                                                  \
  X(CUMSUM, cumsum)   /* floating T -> T, int64 -> int64 */             \
  X(CUMPROD, cumprod) /* as CUMSUM */                                   \
  X(CUMMAX, cummax)   /* any but half; indices of the last of equals */ \
  X(CUMMIN, cummin)                                                     \
  X(LOGCUMSUMEXP, logcumsumexp) /* floating */

#define FD_ENUM_ENTRY(OP, name) FD_REDUCE_##OP,
enum fd_reduce_op { FD_REDUCE_OPS(FD_ENUM_ENTRY) FD_REDUCE_COUNT };
#undef FD_ENUM_ENTRY
#define FD_ENUM_ENTRY(OP, name) FD_SCAN_##OP,
enum fd_scan_op { FD_SCAN_OPS(FD_ENUM_ENTRY) FD_SCAN_COUNT };
#undef FD_ENUM_ENTRY

typedef fd_status fd_reduce_fn(fd_context* context, const fd_reduce* args);

/* Along the middle of contiguous [outer, size, inner]; out may be in. */
typedef struct fd_scan {
  int64_t outer, size, inner;
  const void* in;
  void* out;
  int64_t* indices; /* CUMMAX, CUMMIN; NULL if not wanted */
} fd_scan;

typedef fd_status fd_scan_fn(fd_context* context, const fd_scan* args);

typedef struct fd_reduce_kernels {
  fd_reduce_fn* reduce[FD_REDUCE_COUNT][FD_DTYPE_COUNT];
  fd_scan_fn* scan[FD_SCAN_COUNT][FD_DTYPE_COUNT];
} fd_reduce_kernels;

/* ---------------------------------------------------------------------------------------------------- gemm */

enum fd_activation { FD_ACT_NONE = 0, FD_ACT_RELU = 1, FD_ACT_SIGMOID = 2, FD_ACT_TANH = 3 };

/* C[m,n] = act(op(A)[m,k] op(B)[k,n] (+ C) (+ bias)) (* act'), row-major, for each of `batch` problems.
 * op(A)(i,l) = trans_a ? A[l*lda + i] : A[i*lda + l]; op(B)(l,j) = trans_b ? B[j*ldb + l] : B[l*ldb + j].
 * k = 0 gives zeros (plus C, bias). A and B may be the same memory. A batch stride of 0 shares an operand; C's is
 * never 0. dtypes: float32, float64; on CUDA also half, where all operands are of it and sums are float32. */
typedef struct fd_gemm {
  int64_t m, n, k, batch;
  const void* a;
  const void* b;
  void* c;
  int64_t lda, ldb, ldc;
  int64_t batch_a, batch_b, batch_c;
  int32_t trans_a, trans_b;
  int32_t accumulate; /* 1: add to what C holds */
  int32_t activation; /* fd_activation, after bias */
  const void* bias;   /* [n], added to every row; NULL: none */
  const void* gate;   /* [m, ldgate]: y of an activation; C is multiplied by that activation's derivative at y,
                         last of all; NULL: none. Batch stride is batch_c. */
  int64_t ldgate;
  int32_t gate_activation;
  int32_t tf32; /* 1: float32 operands may be rounded to ten bits of fraction where that is faster */
} fd_gemm;

typedef fd_status fd_gemm_fn(fd_context* context, const fd_gemm* args);

typedef struct fd_gemm_kernels {
  fd_gemm_fn* gemm[FD_DTYPE_COUNT];
} fd_gemm_kernels;

/* ------------------------------------------------------------------------------- softmax, cross-entropy, losses */

/* Along the middle of contiguous [outer, size, inner]. forward: y from x. backward: gx from y (the forward's output)
 * and gy; gx may be gy. */
typedef struct fd_softmax {
  int64_t outer, size, inner;
  const void* x;
  void* y;
  const void* gy;
  void* gx;
} fd_softmax;

/* Cross-entropy of softmax(logits) and its gradient, from one pass over the logits [rows, classes], rows row_stride
 * apart. Either labels [rows] (int64) or soft [rows, classes] (T, contiguous) is given.
 *   smoothed target q = (1 - smoothing) target + smoothing / classes
 *   loss[r] = -sum_j weight[j] q[j] log_softmax(x[r])[j]       rows with label == ignore_index count nothing
 *   mean divides by the sum of weight[label] over the rows that count (soft targets: by rows)
 * A label outside [0, classes) that is not ignore_index: FD_OUT_OF_RANGE with its row and value; then no output is
 * valid. */
enum fd_reduction { FD_REDUCTION_NONE = 0, FD_REDUCTION_MEAN = 1, FD_REDUCTION_SUM = 2 };

typedef struct fd_cross_entropy {
  int64_t rows, classes, row_stride;
  const void* logits;
  const int64_t* labels;
  const void* soft;
  const void* weight; /* [classes], T; NULL: ones */
  double smoothing;
  int64_t ignore_index;
  int32_t reduction;
  int32_t reserved;
  void* loss; /* [rows] for NONE, else one element; T */
  void* grad; /* [rows, classes] contiguous, T: d(reduced loss)/d(logits), for NONE d loss[r]/d logits[r]; NULL: not
                 wanted. May be the logits themselves when row_stride == classes. */
} fd_cross_entropy;

/* Elementwise losses of contiguous pred and target [n], their sum and their gradient from one pass. */
typedef struct fd_loss {
  int64_t n;
  const void* pred;
  const void* target;
  double param;
  double scale; /* multiplies total and grad: 1/n for a mean */
  void* each;   /* [n], T, not scaled; NULL: not wanted */
  void* total;  /* one T; NULL: not wanted */
  void* grad;   /* [n], T: d total / d pred; NULL: not wanted; may be pred */
} fd_loss;

#define FD_LOSS_OPS(X)                                                                           \
  X(SQUARED, squared)       /* (p - t)^2 */                                                      \
  X(L1, l1)                 /* |p - t|, derivative 0 at 0 */                                     \
  X(HUBER, huber)           /* |d| <= delta ? d^2/2 : delta (|d| - delta/2); param delta */      \
  X(SMOOTH_L1, smooth_l1)   /* |d| < beta ? d^2 / (2 beta) : |d| - beta/2; param beta (0: L1) */ \
  X(KL, kl)                 /* t (log t - p), 0 where t = 0; p is a log-probability */           \
  X(BCE, bce)               /* -t log p - (1 - t) log(1 - p), logs clamped at -100 */            \
  X(BCE_LOGITS, bce_logits) /* the same of sigmoid(p), stable */

#define FD_ENUM_ENTRY(OP, name) FD_LOSS_##OP,
enum fd_loss_op { FD_LOSS_OPS(FD_ENUM_ENTRY) FD_LOSS_COUNT };
#undef FD_ENUM_ENTRY

typedef fd_status fd_softmax_fn(fd_context* context, const fd_softmax* args);
typedef fd_status fd_cross_entropy_fn(fd_context* context, const fd_cross_entropy* args);
typedef fd_status fd_loss_fn(fd_context* context, const fd_loss* args);

typedef struct fd_softmax_kernels { /* float32, float64 */
  fd_softmax_fn* softmax[FD_DTYPE_COUNT];
  fd_softmax_fn* softmax_backward[FD_DTYPE_COUNT];
  fd_softmax_fn* log_softmax[FD_DTYPE_COUNT];
  fd_softmax_fn* log_softmax_backward[FD_DTYPE_COUNT];
  fd_cross_entropy_fn* cross_entropy[FD_DTYPE_COUNT];
  fd_loss_fn* loss[FD_LOSS_COUNT][FD_DTYPE_COUNT];
} fd_softmax_kernels;

/* ------------------------------------------------------------------------------------------- dropout, random */

/* Where a kernel's random bits come from; readable by the device, so that a captured step draws new ones. */
typedef struct fd_rng {
  uint64_t seed, offset; /* see base/philox.h */
} fd_rng;

/* y[i] = x[i] / (1 - p) where fd_mask_bits(seed, offset, i) >= fd_drop_threshold(p), else 0 (p = 1: all 0).
 * Contiguous; y may be x. The backward pass is the same call on the gradient with the same rng. */
typedef struct fd_dropout {
  int64_t n;
  const void* x; /* NULL: only the mask is wanted */
  void* y;
  uint8_t* mask; /* bool [n], 1 = kept; NULL: not wanted */
  double p;
  const fd_rng* rng;
} fd_dropout;

/* Fills contiguous out [n]. Libm-free and the same bits on every ISA and with every compiler, so these exist on the CPU
 * only: other devices copy. */
typedef struct fd_random {
  int64_t n;
  void* out;
  double a, b;       /* uniform: [a, b); normal: mean, standard deviation; bernoulli: probability a */
  int64_t low, high; /* randint: [low, high), high > low */
  const fd_rng* rng;
} fd_random;

typedef fd_status fd_dropout_fn(fd_context* context, const fd_dropout* args);
typedef fd_status fd_random_fn(fd_context* context, const fd_random* args);

typedef struct fd_dropout_kernels {
  fd_dropout_fn* dropout[FD_DTYPE_COUNT];  /* float32, float64 */
  fd_random_fn* uniform[FD_DTYPE_COUNT];   /* float32: 24 bits of word i; float64: 53 bits of words 2i, 2i+1 */
  fd_random_fn* normal[FD_DTYPE_COUNT];    /* Box-Muller on words 2j, 2j+1 for elements 2j (cos), 2j+1 (sin) */
  fd_random_fn* randint[FD_DTYPE_COUNT];   /* every integer dtype and float32, float64 */
  fd_random_fn* bernoulli[FD_DTYPE_COUNT]; /* 0 or 1 of every dtype but half */
} fd_dropout_kernels;

/* --------------------------------------------------------------------------------------------- batch norm */

/* x, y [n, c, s] contiguous (s = 1 for the 1d layout); statistics per channel c over n*s elements.
 *   training:  mean, biased variance of the batch (a large mean must not hurt), y = (x - mean) invstd weight + bias,
 *              running = (1 - momentum) running + momentum (mean, unbiased variance)
 *   else:      the running statistics take the batch's place and are left alone.
 * float32, float64. */
typedef struct fd_batch_norm {
  int64_t n, c, s;
  const void* x;
  void* y;            /* forward; may be x when not training */
  const void* weight; /* [c]; NULL: 1 */
  const void* bias;   /* [c]; NULL: 0 */
  void* running_mean; /* [c]; NULL: none kept */
  void* running_var;
  double momentum, eps;
  int32_t training;
  int32_t reserved;
  void* save_mean;   /* [c]: written by forward (either mode), read by backward */
  void* save_invstd; /* [c]: 1 / sqrt(var + eps) */
  const void* gy;    /* backward */
  void* gx;          /* NULL: not wanted; may be gy */
  void* gweight;     /* [c]; NULL: not wanted */
  void* gbias;       /* [c]; NULL: not wanted */
} fd_batch_norm;

typedef fd_status fd_batch_norm_fn(fd_context* context, const fd_batch_norm* args);

typedef struct fd_batch_norm_kernels {
  fd_batch_norm_fn* forward[FD_DTYPE_COUNT];
  fd_batch_norm_fn* backward[FD_DTYPE_COUNT];
} fd_batch_norm_kernels;

/* ------------------------------------------------------------------------------------------------- optim */

typedef struct fd_optim_tensor {
  void* param;      /* contiguous [n] */
  const void* grad; /* contiguous [n] */
  void* state[3];   /* contiguous [n]; sgd: momentum buffer (NULL if momentum is 0); adam: m, v, max v (amsgrad) */
  int64_t n;
} fd_optim_tensor;

/* What varies between steps, in the device's memory while work is captured: each replay finds it set anew. */
typedef struct fd_optim_live {
  double lr, grad_scale, step;
  double correction1, correction2; /* adam: 1 - beta1^step, 1 - beta2^step */
} fd_optim_live;

/* One call updates every tensor of a parameter group. float32, float64.
 * CUDA: does nothing while *context->fault holds a fault, so that what follows a bad label is not learnt from. */
typedef struct fd_optim {
  int64_t count;
  const fd_optim_tensor* tensors; /* host memory */
  const double* lr;
  const int64_t* step;      /* 1 at the first step */
  const double* grad_scale; /* every gradient is multiplied by it first (clipping, loss scaling); NULL: 1 */
  double weight_decay;
  double momentum, dampening; /* sgd */
  double beta1, beta2, eps;   /* adam */
  int32_t nesterov;
  int32_t maximize;
  int32_t decoupled; /* adam: 1 = AdamW (param *= 1 - lr wd), 0 = decay added to the gradient */
  int32_t amsgrad;
  const fd_optim_live* live; /* CUDA: read by the device instead of lr, step and grad_scale; NULL: not captured */
} fd_optim;

typedef fd_status fd_optim_fn(fd_context* context, const fd_optim* args);

typedef struct fd_optim_kernels {
  /* g += wd p; buf = step == 1 ? g : momentum buf + (1 - dampening) g; p -= lr (nesterov ? g + momentum buf : buf) */
  fd_optim_fn* sgd[FD_DTYPE_COUNT];
  /* m, v moving means of g, g^2; p -= lr / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + eps)  (Kingma, Ba 2015) */
  fd_optim_fn* adam[FD_DTYPE_COUNT];
} fd_optim_kernels;

/* ------------------------------------------------------------------------------------------------- index */

/* Blocks of `inner` contiguous elements. take: out[i, :] = in[offsets[i] ...]; put: out[offsets[i] ...] = in[i, :]
 * (accumulate: +=, in order of i, so the result does not depend on threads; without it the last of equal offsets
 * wins). offsets count elements and were checked by whoever computed them. put with in == NULL writes scalar. */
typedef struct fd_take {
  int64_t n, inner;
  const int64_t* offsets;
  const void* in;
  void* out;
  fd_scalar scalar;
  int32_t accumulate;
  int32_t reserved;
} fd_take;

/* Turns integer indices into element offsets: out[i] += wrap(index[i]) * stride, where wrap adds size to negatives.
 * An index outside [-size, size): FD_OUT_OF_RANGE. The first operand of a sum sets first = 1 (out[i] = ...). */
typedef struct fd_offsets {
  int64_t n;
  const int64_t* index; /* contiguous [n] */
  int64_t size, stride;
  int64_t* out;
  int32_t first;
  int32_t reserved;
} fd_offsets;

/* gather:  out[o, i, r] = in[o, index[o, i, r], r]                 over index's [outer, size, inner]
 * scatter: out[o, index[o, i, r], r] (mode)= in[o, i, r]           in order of i
 * All contiguous; in (gather) and out (scatter) have `extent` where index has `size`. Indices in [0, extent), else
 * FD_OUT_OF_RANGE. scatter with in == NULL uses scalar. */
enum fd_scatter_mode { FD_SCATTER_SET, FD_SCATTER_ADD, FD_SCATTER_MUL, FD_SCATTER_MAX, FD_SCATTER_MIN };

typedef struct fd_gather {
  int64_t outer, size, inner, extent;
  const int64_t* index;
  const void* in;
  void* out;
  fd_scalar scalar;
  int32_t mode;
  int32_t reserved;
} fd_gather;

/* Positions of the nonzero elements of contiguous in [n], in order. out NULL: only count. */
typedef struct fd_nonzero {
  int64_t n;
  const void* in;
  int64_t* out; /* linear positions */
  int64_t* count;
} fd_nonzero;

/* A minibatch from bytes: out[i, j] = in[rows[i], j] * scale + shift, in [examples, inner] uint8.
 * A row outside [0, examples): FD_OUT_OF_RANGE. */
typedef struct fd_minibatch {
  int64_t n, inner, examples;
  const int64_t* rows;
  const uint8_t* in;
  void* out; /* float32 or float64 */
  double scale, shift;
} fd_minibatch;

typedef fd_status fd_take_fn(fd_context* context, const fd_take* args);
typedef fd_status fd_offsets_fn(fd_context* context, const fd_offsets* args);
typedef fd_status fd_gather_fn(fd_context* context, const fd_gather* args);
typedef fd_status fd_nonzero_fn(fd_context* context, const fd_nonzero* args);
typedef fd_status fd_minibatch_fn(fd_context* context, const fd_minibatch* args);

typedef struct fd_index_kernels {
  fd_take_fn* take[FD_DTYPE_COUNT]; /* every dtype */
  fd_take_fn* put[FD_DTYPE_COUNT];  /* every dtype; accumulate not for bool and half */
  fd_offsets_fn* offsets;
  fd_gather_fn* gather[FD_DTYPE_COUNT];       /* every dtype */
  fd_gather_fn* scatter[FD_DTYPE_COUNT];      /* every dtype; modes but SET not for bool and half */
  fd_nonzero_fn* nonzero[FD_DTYPE_COUNT];     /* any but half */
  fd_minibatch_fn* minibatch[FD_DTYPE_COUNT]; /* dtype of out */
} fd_index_kernels;

/* -------------------------------------------------------------------------------------------------- sort */

/* The rows of contiguous in [rows, size], each in ascending or descending order; equal elements stay in the order they
 * came, and NaN counts as greater than everything. Only the first `keep` of each sorted row are written, with their
 * positions in it: values and indices are contiguous [rows, keep], either may be NULL. With only_last, only the last of
 * those is: [rows, 1]. */
typedef struct fd_sort {
  int64_t rows, size, keep;
  const void* in;
  void* values;
  int64_t* indices;
  int32_t descending;
  int32_t only_last;
} fd_sort;

typedef fd_status fd_sort_fn(fd_context* context, const fd_sort* args);

typedef struct fd_sort_kernels {
  fd_sort_fn* sort[FD_DTYPE_COUNT]; /* any but half */
} fd_sort_kernels;

/* -------------------------------------------------------------------------------------------------- conv */

enum { FD_SPATIAL = 3 };

/* Cross-correlation over three spatial dimensions, outermost first; a missing one has in, out, kernel, stride and
 * dilation 1 and pad 0. With channels c and o of the same group, and x's position q = p stride - pad + t dilation for
 * window p and tap t:
 *
 *   forward      y[n, o, p] = act(bias[o] + sum over c, t of weight[o, c, t] x[n, c, q])
 *
 *   grad_input   gx[n, c, q] = bias[c] + sum over o, t, p of weight[o, c, t] gy[n, o, p]
 *
 *   grad_weight  gweight[o, c, t] = sum over n, p of gy[n, o, p] x[n, c, q]
 *                gbias[o] = sum over n, p of gy[n, o, p]
 *
 * x, gx [n, in_channels, in...]; y, gy [n, out_channels, out...]; weight, gweight [out_channels, in_channels / groups,
 * kernel...]; all contiguous. Positions outside of x are zeros, however far: pad is the border before the first
 * element, `out` says how far the windows go; pad may be negative. grad_input with a bias is the transposed
 * convolution. float32, float64. */
typedef struct fd_conv {
  int64_t n, groups, in_channels, out_channels;
  int64_t in[FD_SPATIAL], out[FD_SPATIAL];
  int64_t kernel[FD_SPATIAL], stride[FD_SPATIAL], pad[FD_SPATIAL], dilation[FD_SPATIAL];
  const void* x;      /* forward, grad_weight */
  const void* weight; /* forward, grad_input */
  const void* bias;   /* forward [out_channels], grad_input [in_channels]; NULL: none */
  const void* gy;     /* grad_input, grad_weight */
  void* y;            /* forward */
  void* gx;           /* grad_input */
  void* gweight;      /* grad_weight; NULL: not wanted */
  void* gbias;        /* grad_weight, [out_channels]; NULL: not wanted */
  int32_t activation; /* forward: fd_activation, after bias */
  int32_t reserved;
} fd_conv;

typedef fd_status fd_conv_fn(fd_context* context, const fd_conv* args);

typedef struct fd_conv_kernels {
  fd_conv_fn* forward[FD_DTYPE_COUNT];
  fd_conv_fn* grad_input[FD_DTYPE_COUNT];
  fd_conv_fn* grad_weight[FD_DTYPE_COUNT];
} fd_conv_kernels;

/* -------------------------------------------------------------------------------------------------- pool */

/* Windows over three spatial dimensions of each plane (example and channel), unused ones as in fd_conv. Window p covers
 * p stride - pad + t dilation for t < kernel; adaptive: [floor(p in / out), ceil((p + 1) in / out)). Positions outside
 * of x do not count; every window has one inside, or the max is -infinity at position 0.
 *   max   y = the largest, indices = its position in the plane: the first of equals, but the last NaN before all
 *   avg   y = the sum / divisor; divisor 0: by how many positions count, with include_pad also those of the borders
 *         (up to in + pad)
 * float32, float64; x, gx [planes, in...], y, gy, indices [planes, out...] contiguous. */
typedef struct fd_pool {
  int64_t planes;
  int64_t in[FD_SPATIAL], out[FD_SPATIAL];
  int64_t kernel[FD_SPATIAL], stride[FD_SPATIAL], pad[FD_SPATIAL], dilation[FD_SPATIAL]; /* avg: dilation 1 */
  int32_t adaptive;    /* kernel, stride, pad and dilation are not read */
  int32_t include_pad; /* avg */
  int64_t divisor;     /* avg */
  const void* x;
  void* y;
  int64_t* indices; /* max: NULL: not wanted; max_backward: read, each inside of its plane */
  const void* gy;
  void* gx; /* written whole */
} fd_pool;

typedef fd_status fd_pool_fn(fd_context* context, const fd_pool* args);

typedef struct fd_pool_kernels {
  fd_pool_fn* max[FD_DTYPE_COUNT];
  fd_pool_fn* max_backward[FD_DTYPE_COUNT];
  fd_pool_fn* avg[FD_DTYPE_COUNT];
  fd_pool_fn* avg_backward[FD_DTYPE_COUNT];
} fd_pool_kernels;

/* ------------------------------------------------------------------------------------------------- the table */

typedef struct fd_kernels {
  uint32_t abi;   /* FD_ABI */
  uint32_t bytes; /* sizeof(fd_kernels) */
  fd_elementwise_kernels elementwise;
  fd_reduce_kernels reduce;
  fd_gemm_kernels gemm;
  fd_softmax_kernels softmax;
  fd_dropout_kernels dropout;
  fd_batch_norm_kernels batch_norm;
  fd_optim_kernels optim;
  fd_index_kernels index;
  fd_sort_kernels sort;
  fd_conv_kernels conv;
  fd_pool_kernels pool;
} fd_kernels;

#ifdef __cplusplus
}
#endif

#endif
