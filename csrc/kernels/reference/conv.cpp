// Convolution as its definition has it: for every output position and tap the element of x under it, in double. The
// three entries walk the same pairs (output position p, tap t) -> input position, and differ in what they sum.
#include "kernels/reference/element.h"
#include "kernels/reference/table.h"

namespace fd::reference {
namespace {

int64_t volume(const int64_t (&size)[FD_SPATIAL]) { return size[0] * size[1] * size[2]; }

// Where in x dimension d window p has tap t; outside [0, in) it reads zeros.
int64_t source(const fd_conv& v, int d, int64_t p, int64_t t) { return p * v.stride[d] - v.pad[d] + t * v.dilation[d]; }

// visit(position in out, position in kernel, position in in) for every pair inside of x.
template <class Visit>
void for_each_pair(const fd_conv& v, Visit visit) {
  int64_t p[FD_SPATIAL], t[FD_SPATIAL], at[FD_SPATIAL];
  for (int64_t i = 0; i < volume(v.out); i++) {
    p[0] = i / (v.out[1] * v.out[2]), p[1] = i / v.out[2] % v.out[1], p[2] = i % v.out[2];
    for (int64_t k = 0; k < volume(v.kernel); k++) {
      t[0] = k / (v.kernel[1] * v.kernel[2]), t[1] = k / v.kernel[2] % v.kernel[1], t[2] = k % v.kernel[2];
      bool inside = true;
      for (int d = 0; d < FD_SPATIAL; d++) {
        at[d] = source(v, d, p[d], t[d]);
        inside &= at[d] >= 0 && at[d] < v.in[d];
      }
      if (inside) visit(i, k, (at[0] * v.in[1] + at[1]) * v.in[2] + at[2]);
    }
  }
}

// visit(o, c, c within its group) for every pair of channels that meet.
template <class Visit>
void for_each_channel_pair(const fd_conv& v, Visit visit) {
  const int64_t outputs = v.out_channels / v.groups, inputs = v.in_channels / v.groups;
  for (int64_t o = 0; o < v.out_channels; o++)
    for (int64_t c = 0; c < inputs; c++) visit(o, o / outputs * inputs + c, c);
}

double activate(int32_t activation, double x) {
  switch (activation) {
    case FD_ACT_RELU:
      return x < 0 ? 0 : x;
    case FD_ACT_SIGMOID:
      return logistic(x);
    case FD_ACT_TANH:
      return std::tanh(x);
    default:
      return x;
  }
}

double* doubles(fd_context* context, int64_t n) {
  return static_cast<double*>(context->workspace(context, 0, size_t(n) * sizeof(double)));
}

template <class T>
void start(double* sum, int64_t channels, int64_t positions, const void* bias) {
  for (int64_t c = 0; c < channels; c++)
    for (int64_t i = 0; i < positions; i++)
      sum[c * positions + i] = bias ? double(static_cast<const T*>(bias)[c]) : 0.0;
}

template <class T>
fd_status forward(fd_context* context, const fd_conv* args) {
  const fd_conv& v = *args;
  const int64_t inputs = v.in_channels / v.groups, taps = volume(v.kernel), in = volume(v.in), out = volume(v.out);
  const int64_t size = v.out_channels * out;
  double* const sum = doubles(context, size);
  if (!sum && size > 0) return FD_NO_MEMORY;
  const T* const weight = static_cast<const T*>(v.weight);
  for (int64_t n = 0; n < v.n; n++) {
    const T* const x = static_cast<const T*>(v.x) + n * v.in_channels * in;
    T* const y = static_cast<T*>(v.y) + n * size;
    start<T>(sum, v.out_channels, out, v.bias);
    for_each_channel_pair(v, [&](int64_t o, int64_t c, int64_t at) {
      for_each_pair(v, [&](int64_t p, int64_t t, int64_t q) {
        sum[o * out + p] += double(weight[(o * inputs + at) * taps + t]) * double(x[c * in + q]);
      });
    });
    for (int64_t i = 0; i < size; i++) y[i] = static_cast<T>(activate(v.activation, sum[i]));
  }
  return FD_OK;
}

template <class T>
fd_status grad_input(fd_context* context, const fd_conv* args) {
  const fd_conv& v = *args;
  const int64_t inputs = v.in_channels / v.groups, taps = volume(v.kernel), in = volume(v.in), out = volume(v.out);
  const int64_t size = v.in_channels * in;
  double* const sum = doubles(context, size);
  if (!sum && size > 0) return FD_NO_MEMORY;
  const T* const weight = static_cast<const T*>(v.weight);
  for (int64_t n = 0; n < v.n; n++) {
    const T* const gy = static_cast<const T*>(v.gy) + n * v.out_channels * out;
    T* const gx = static_cast<T*>(v.gx) + n * size;
    start<T>(sum, v.in_channels, in, v.bias);
    for_each_channel_pair(v, [&](int64_t o, int64_t c, int64_t at) {
      for_each_pair(v, [&](int64_t p, int64_t t, int64_t q) {
        sum[c * in + q] += double(weight[(o * inputs + at) * taps + t]) * double(gy[o * out + p]);
      });
    });
    for (int64_t i = 0; i < size; i++) gx[i] = static_cast<T>(sum[i]);
  }
  return FD_OK;
}

template <class T>
void grad_bias(const fd_conv& v) {
  const int64_t out = volume(v.out);
  const T* const gy = static_cast<const T*>(v.gy);
  for (int64_t o = 0; o < v.out_channels; o++) {
    double sum = 0;
    for (int64_t n = 0; n < v.n; n++)
      for (int64_t i = 0; i < out; i++) sum += double(gy[(n * v.out_channels + o) * out + i]);
    static_cast<T*>(v.gbias)[o] = static_cast<T>(sum);
  }
}

template <class T>
fd_status grad_weight(fd_context* context, const fd_conv* args) {
  const fd_conv& v = *args;
  if (v.gbias) grad_bias<T>(v);
  if (!v.gweight) return FD_OK;
  const int64_t inputs = v.in_channels / v.groups, taps = volume(v.kernel), in = volume(v.in), out = volume(v.out);
  const int64_t size = v.out_channels * inputs * taps;
  double* const sum = doubles(context, size);
  if (!sum && size > 0) return FD_NO_MEMORY;
  for (int64_t i = 0; i < size; i++) sum[i] = 0;
  for (int64_t n = 0; n < v.n; n++) {
    const T* const x = static_cast<const T*>(v.x) + n * v.in_channels * in;
    const T* const gy = static_cast<const T*>(v.gy) + n * v.out_channels * out;
    for_each_channel_pair(v, [&](int64_t o, int64_t c, int64_t at) {
      for_each_pair(v, [&](int64_t p, int64_t t, int64_t q) {
        sum[(o * inputs + at) * taps + t] += double(gy[o * out + p]) * double(x[c * in + q]);
      });
    });
  }
  for (int64_t i = 0; i < size; i++) static_cast<T*>(v.gweight)[i] = static_cast<T>(sum[i]);
  return FD_OK;
}

}  // namespace

void fill_conv(fd_kernels* table) {
  for_each_floating([&]<class T>(fd_dtype dtype) {
    table->conv.forward[dtype] = forward<T>;
    table->conv.grad_input[dtype] = grad_input<T>;
    table->conv.grad_weight[dtype] = grad_weight<T>;
  });
}

}  // namespace fd::reference
