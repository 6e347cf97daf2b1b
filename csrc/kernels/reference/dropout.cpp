// Dropout: y[i] = x[i] / (1 - p) where the random word i reaches the threshold p 2^32, else 0 (Srivastava and others,
// 2014; "inverted", so that evaluation needs no scaling).
#include "kernels/reference/element.h"
#include "kernels/reference/philox_words.h"
#include "kernels/reference/table.h"

namespace fd::reference {
namespace {

template <class T>
fd_status dropout(fd_context*, const fd_dropout* d) {
  const uint64_t threshold = fd_drop_threshold(d->p);
  const T* const x = static_cast<const T*>(d->x);
  T* const y = static_cast<T*>(d->y);
  const auto drop = [&](int64_t i, uint32_t word) {
    const bool keep = word >= threshold;
    if (d->mask) d->mask[i] = keep;
    if (x) y[i] = keep ? static_cast<T>(x[i] / (1 - d->p)) : T(0);
  };
  for_each_word(*d->rng, d->n, drop, FD_MASK_ROUNDS);
  return FD_OK;
}

}  // namespace

void fill_dropout(fd_kernels* table) {
  table->dropout.dropout[FD_F32] = dropout<float>;
  table->dropout.dropout[FD_F64] = dropout<double>;
}

}  // namespace fd::reference
