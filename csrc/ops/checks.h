// What arguments must look like, for the tensor door and the NumPy door alike: over dtypes and shapes, before anything
// is allocated. Messages name the op, what came, and what was expected, in the user's argument names.
#pragma once

#include <cmath>

#include "base/types.h"

namespace fd::ops {

// An argument as a check sees it.
struct Given {
  const char* name;
  DType dtype;
  const Shape& shape;
};

inline void check_floating(const char* op, const Given& x) {
  check<DTypeError>(is_floating(x.dtype), op, ": ", x.name, " is ", x.dtype, "; expected a floating dtype");
}

inline void check_same_dtype(const char* op, const Given& x, const Given& like) {
  check<DTypeError>(x.dtype == like.dtype, op, ": ", x.name, " is ", x.dtype, " but ", like.name, " is ", like.dtype);
}

inline void check_same_shape(const char* op, const Given& x, const Given& like) {
  check<ShapeError>(x.shape == like.shape, op, ": ", x.name, " has shape ", x.shape, " but ", like.name, " has shape ",
                    like.shape, "; expected the same");
}

// A value per channel or class.
inline void check_vector(const char* op, const Given& x, int64_t n, const char* of_what) {
  check<ShapeError>(x.shape.size() == 1 && x.shape[0] == n, op, ": ", x.name, " has shape ", x.shape, "; expected (", n,
                    ",), one value per ", of_what);
}

inline void check_probability(const char* op, const char* name, double p) {
  check<ValueError>(p >= 0 && p <= 1, op, ": ", name, " is ", p, "; expected a probability between 0 and 1");
}

inline void check_not_negative(const char* op, const char* name, double v) {
  check<ValueError>(v >= 0, op, ": ", name, " is ", v, "; expected at least 0");
}

// -------------------------------------------------------------------------------------------- cross-entropy
//
// input [c] or [n, c, d1, ...]; target is class numbers (input's shape without c) or probabilities (input's shape).

inline int class_dim(const Shape& input) { return input.size() == 1 ? 0 : 1; }

inline Shape without_classes(const Shape& input) {
  Shape out = input;
  out.erase(class_dim(input));
  return out;
}

inline void check_labels(const char* op, const Given& input, const Given& target) {
  check_floating(op, input);
  check<ShapeError>(input.shape.size() >= 1, op, ": input is 0-dimensional; expected (c,) or (n, c, ...)");
  check<DTypeError>(is_integral(target.dtype) && target.dtype != DType::boolean, op, ": target of shape ", target.shape,
                    " is ", target.dtype, "; expected class numbers (int64)");
  const Shape expected = without_classes(input.shape);
  if (input.shape.size() == 2 && target.shape.size() == 1)
    check<ShapeError>(target.shape == expected, op, ": ", input.shape[0], " rows of input but ", target.shape[0],
                      " labels in target; expected one label per row");
  check<ShapeError>(target.shape == expected, op, ": target has shape ", target.shape, " for input of shape ",
                    input.shape, "; expected ", expected);
}

// Whether target holds probabilities.
inline bool check_cross_entropy(const Given& input, const Given& target, const Given* weight, double smoothing) {
  const char* op = "cross_entropy";
  const bool soft = target.shape == input.shape && is_floating(target.dtype);
  check_floating(op, input);
  if (!soft) check_labels(op, input, target);
  check<ShapeError>(input.shape.size() >= 1, op, ": input is 0-dimensional; expected (c,) or (n, c, ...)");
  check<ValueError>(smoothing >= 0 && smoothing <= 1, op, ": label_smoothing is ", smoothing,
                    "; expected between 0 and 1");
  if (weight) {
    check_same_dtype(op, *weight, input);
    check_vector(op, *weight, input.shape[class_dim(input.shape)], "class");
  }
  return soft;
}

// --------------------------------------------------------------------------------------- batch and layer norm

inline void check_batch_norm_input(const Given& x, bool training) {
  check_floating("batch_norm", x);
  check<ShapeError>(x.shape.size() >= 2, "batch_norm: input has shape ", x.shape, "; expected (n, c) or (n, c, ...)");
  if (!training) return;
  int64_t per_channel = 1;
  for (int i = 0; i < x.shape.size(); i++) per_channel *= i == 1 ? 1 : x.shape[i];
  check<ValueError>(per_channel != 1, "batch_norm: one value per channel in input of shape ", x.shape,
                    "; expected more than 1 when training, as one has no variance");
}

inline void check_normalized_shape(const char* op, const Given& x, const Shape& normalized) {
  check_floating(op, x);
  const int lead = x.shape.size() - normalized.size();
  bool fits = normalized.size() > 0 && lead >= 0;
  for (int i = 0; fits && i < normalized.size(); i++) fits = x.shape[lead + i] == normalized[i];
  check<ShapeError>(fits, op, ": input has shape ", x.shape, "; expected its last dimensions to be normalized_shape ",
                    normalized);
}

}  // namespace fd::ops
