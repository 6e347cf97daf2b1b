/* Kernels that only a device apart from the host needs, in valid C11: the other table of its plug-in (plugin.h). The
 * host does the same where it is asked for, in ops/; on a device it is done where the data are, so that nothing waits
 * and nothing travels. Conventions are those of kernels.h; all pointers are the device's, all arrays contiguous. */
#ifndef FREEDIVE_KERNELS_REMOTE_H
#define FREEDIVE_KERNELS_REMOTE_H

#include "kernels/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* fd_fault::code of a value that an operation does not take; fd_fault::value holds its bits as a double. */
enum { FD_BAD_VALUE = 5 };

/* Reports an element of in [n] outside of [low, high], a NaN or a zero where these fail too. fault says how: as
 * FD_OUT_OF_RANGE (an index) or FD_BAD_VALUE. */
typedef struct fd_check {
  int64_t n;
  const void* in;
  fd_scalar low, high; /* f for floating dtypes, else i */
  int32_t nan_fails, zero_fails;
  int32_t fault;
  int32_t reserved;
} fd_check;

/* out[i] = start + (first + i) step, the product and the sum each rounded: the host's bits. */
typedef struct fd_arange {
  int64_t n, first;
  void* out;
  fd_scalar start, step;
} fd_arange;

/* How many elements of its row each value is greater than (right: or equal to); NaN is greater than everything.
 * sorted [lines, n], values and out [lines, each]. */
typedef struct fd_search {
  int64_t lines, n, each;
  const void* sorted;
  const void* values;
  int64_t* out;
  int32_t right;
  int32_t reserved;
} fd_search;

/* Categories drawn by weight: out[r, i] = the first whose running sum of weights, added in order, exceeds u[r, i] times
 * the row's sum, and at most the last of positive weight. weights [rows, n], u and out [rows, samples]. */
typedef struct fd_draw {
  int64_t rows, n, samples;
  const double* weights;
  const double* u;
  int64_t* out;
} fd_draw;

typedef fd_status fd_check_fn(fd_context* context, const fd_check* args);
typedef fd_status fd_arange_fn(fd_context* context, const fd_arange* args);
typedef fd_status fd_search_fn(fd_context* context, const fd_search* args);
typedef fd_status fd_draw_fn(fd_context* context, const fd_draw* args);

typedef struct fd_remote_kernels {
  fd_check_fn* check[FD_DTYPE_COUNT];   /* any but half */
  fd_arange_fn* arange[FD_DTYPE_COUNT]; /* int64, float64 */
  fd_search_fn* search[FD_DTYPE_COUNT]; /* int64, float64 */
  fd_draw_fn* draw;
} fd_remote_kernels;

#ifdef __cplusplus
}
#endif

#endif
