/* The element types of freedive, in valid C11: the kernel contract is built on it. */
#ifndef FREEDIVE_BASE_DTYPE_H
#define FREEDIVE_BASE_DTYPE_H

#include <stdint.h>

/* Ordered so that type promotion is mostly the larger of two (see promote() in types.h). */
typedef enum fd_dtype {
  FD_BOOL = 0, /* one byte, 0 or 1 */
  FD_U8 = 1,
  FD_I32 = 2,
  FD_I64 = 3,
  FD_F16 = 4,  /* IEEE binary16, storage only */
  FD_BF16 = 5, /* upper half of a float, storage only */
  FD_F32 = 6,
  FD_F64 = 7,
  FD_DTYPE_COUNT = 8
} fd_dtype;

enum { FD_MAX_DIMS = 8 };

#endif
