// Batch normalisation (Ioffe, Szegedy 2015) of x [n, c, s] per channel, over m = n s elements; in double, two passes
// for the variance. With u = (x - mean) invstd:
//   forward    y = u weight + bias
//   backward   gbias = sum gy,  gweight = sum gy u
//              gx = weight invstd (gy - gbias / m - u gweight / m)    training: mean and variance depend on x
//              gx = weight invstd gy                                  evaluation
#include "kernels/reference/element.h"
#include "kernels/reference/sum.h"
#include "kernels/reference/table.h"

namespace fd::reference {
namespace {

// Calls visit(offset) for every element of channel c.
template <class Visit>
void for_each_in_channel(const fd_batch_norm& b, int64_t c, Visit visit) {
  for (int64_t i = 0; i < b.n; i++)
    for (int64_t j = 0; j < b.s; j++) visit((i * b.c + c) * b.s + j);
}

template <class T>
double channel_value(const void* values, int64_t c, double otherwise) {
  return values ? double(static_cast<const T*>(values)[c]) : otherwise;
}

// x += rate (value - x), as (1 - rate) x + rate value
template <class T>
void blend(void* running, int64_t c, double rate, double value) {
  if (!running) return;
  T& x = static_cast<T*>(running)[c];
  x = static_cast<T>((1 - rate) * x + rate * value);
}

struct Moments {
  double mean, var;
};

template <class T>
Moments batch_moments(const fd_batch_norm& b, int64_t c) {
  const T* const x = static_cast<const T*>(b.x);
  const double m = double(b.n * b.s);
  Sum sum, squares;
  for_each_in_channel(b, c, [&](int64_t i) { sum += x[i]; });
  const double mean = sum / m;
  for_each_in_channel(b, c, [&](int64_t i) { squares += (x[i] - mean) * (x[i] - mean); });
  return {mean, squares / m};
}

template <class T>
fd_status forward(fd_context*, const fd_batch_norm* b) {
  const T* const x = static_cast<const T*>(b->x);
  T* const y = static_cast<T*>(b->y);
  const double m = double(b->n * b->s);
  for (int64_t c = 0; c < b->c; c++) {
    Moments at;
    if (b->training) {
      at = batch_moments<T>(*b, c);
      blend<T>(b->running_mean, c, b->momentum, at.mean);
      blend<T>(b->running_var, c, b->momentum, at.var * m / (m > 1 ? m - 1 : 1));
    } else {
      at = {channel_value<T>(b->running_mean, c, 0), channel_value<T>(b->running_var, c, 1)};
    }
    const double invstd = 1 / std::sqrt(at.var + b->eps);
    const double weight = channel_value<T>(b->weight, c, 1), bias = channel_value<T>(b->bias, c, 0);
    static_cast<T*>(b->save_mean)[c] = static_cast<T>(at.mean);
    static_cast<T*>(b->save_invstd)[c] = static_cast<T>(invstd);
    for_each_in_channel(*b, c, [&](int64_t i) { y[i] = static_cast<T>((x[i] - at.mean) * invstd * weight + bias); });
  }
  return FD_OK;
}

template <class T>
fd_status backward(fd_context*, const fd_batch_norm* b) {
  const T* const x = static_cast<const T*>(b->x);
  const T* const gy = static_cast<const T*>(b->gy);
  T* const gx = static_cast<T*>(b->gx);
  const double m = double(b->n * b->s);
  for (int64_t c = 0; c < b->c; c++) {
    const double mean = static_cast<const T*>(b->save_mean)[c], invstd = static_cast<const T*>(b->save_invstd)[c];
    const double weight = channel_value<T>(b->weight, c, 1);
    Sum gbias, gweight;
    for_each_in_channel(*b, c, [&](int64_t i) {
      gbias += gy[i];
      gweight += gy[i] * ((x[i] - mean) * invstd);
    });
    const double through_mean = b->training ? gbias / m : 0, through_var = b->training ? gweight / m : 0;
    if (gx)
      for_each_in_channel(*b, c, [&](int64_t i) {
        const double u = (x[i] - mean) * invstd;
        gx[i] = static_cast<T>(weight * invstd * (gy[i] - through_mean - u * through_var));
      });
    if (b->gbias) static_cast<T*>(b->gbias)[c] = static_cast<T>(gbias);
    if (b->gweight) static_cast<T*>(b->gweight)[c] = static_cast<T>(gweight);
  }
  return FD_OK;
}

}  // namespace

void fill_batch_norm(fd_kernels* table) {
  for_each_floating([table]<class T>(fd_dtype dtype) {
    table->batch_norm.forward[dtype] = forward<T>;
    table->batch_norm.backward[dtype] = backward<T>;
  });
}

}  // namespace fd::reference
