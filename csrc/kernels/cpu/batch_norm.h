// What both layouts of batch normalisation share: from a channel's sums to the coefficients of its elements.
#pragma once

#include <cmath>

#include "kernels/cpu/lanes.h"
#include "kernels/cpu/tasks.h"

namespace fd::FD_ISA {

// Planes of at least this many elements are summed as runs; shorter ones lie side by side as columns of a row.
constexpr int64_t kPlane = 64;

template <class T>
fd_status planes_forward(fd_context* context, const fd_batch_norm& a);
template <class T>
fd_status planes_backward(fd_context* context, const fd_batch_norm& a);

struct Moments {
  double mean, var;  // var biased
};

// y = (x - centre) slope + shift. centre is the mean rounded to T; shift makes up for the rounding.
template <class T>
struct Affine {
  T centre, slope, shift;
};

// gx = gy slope - through_mean - (x - centre) through_var
template <class T>
struct GradientAffine {
  T centre, slope, through_mean, through_var;
};

template <class T>
inline double channel_value(const void* values, int64_t c, double otherwise) {
  return values ? double(static_cast<const T*>(values)[c]) : otherwise;
}

template <class T>
inline void blend(void* running, int64_t c, double rate, double value) {
  if (!running) return;
  T& x = static_cast<T*>(running)[c];
  x = T((1 - rate) * double(x) + rate * value);
}

// Moments of the batch are used and blended into the running ones; in evaluation those take their place.
template <class T>
Affine<T> finish_channel(const fd_batch_norm& a, int64_t c, Moments at) {
  if (a.training) {
    const double m = double(a.n) * double(a.s);
    blend<T>(a.running_mean, c, a.momentum, at.mean);
    blend<T>(a.running_var, c, a.momentum, at.var * m / (m > 1 ? m - 1 : 1));
  } else {
    at = {channel_value<T>(a.running_mean, c, 0), channel_value<T>(a.running_var, c, 1)};
  }
  const double invstd = 1 / std::sqrt(at.var + a.eps);
  const T centre = T(at.mean);
  static_cast<T*>(a.save_mean)[c] = centre;
  static_cast<T*>(a.save_invstd)[c] = T(invstd);
  const double slope = invstd * channel_value<T>(a.weight, c, 1), rounding = double(centre) - at.mean;
  const double shift = channel_value<T>(a.bias, c, 0);
  return {centre, T(slope), T(rounding == 0 ? shift : shift + slope * rounding)};
}

// sum: of gy; product: of gy (x - mean).
template <class T>
GradientAffine<T> finish_gradient(const fd_batch_norm& a, int64_t c, double sum, double product) {
  const double invstd = double(static_cast<const T*>(a.save_invstd)[c]), gweight = product * invstd;
  if (a.gbias) static_cast<T*>(a.gbias)[c] = T(sum);
  if (a.gweight) static_cast<T*>(a.gweight)[c] = T(gweight);
  const double slope = invstd * channel_value<T>(a.weight, c, 1), each = 1 / (double(a.n) * double(a.s));
  const T centre = static_cast<const T*>(a.save_mean)[c];
  if (!a.training) return {centre, T(slope), 0, 0};
  return {centre, T(slope), T(slope * sum * each), T(slope * invstd * gweight * each)};
}

// Whether backward needs its sums at all.
inline bool wants_sums(const fd_batch_norm& a) { return a.gweight || a.gbias || (a.gx && a.training); }

template <class T>
inline bool output_past_cache(const fd_context* context, const fd_batch_norm& a, const void* in, const void* out) {
  return in != out && past_cache(context, a.n * a.c * a.s * int64_t(sizeof(T)));
}

}  // namespace fd::FD_ISA
