// The words of a random operation in order, four at a time.
#pragma once

#include "base/philox.h"
#include "kernels/kernels.h"

namespace fd::reference {

// Calls visit(i, word) for the words i of [0, n). The words of a mask take fewer rounds.
template <class Visit>
void for_each_word(const fd_rng& rng, int64_t n, Visit visit, int rounds = FD_PHILOX_ROUNDS) {
  for (int64_t i = 0; i < n; i += 4) {
    const fd_philox4 words = fd_philox_rounds(rounds, rng.seed, rng.offset, uint64_t(i / 4));
    for (int64_t k = 0; k < 4 && i + k < n; k++) visit(i + k, words.v[k]);
  }
}

// Calls visit(i, first, second) with the words 2i and 2i + 1 for i in [0, n).
template <class Visit>
void for_each_word_pair(const fd_rng& rng, int64_t n, Visit visit) {
  for (int64_t i = 0; i < n; i += 2) {
    const fd_philox4 words = fd_philox(rng.seed, rng.offset, uint64_t(i / 2));
    visit(i, words.v[0], words.v[1]);
    if (i + 1 < n) visit(i + 1, words.v[2], words.v[3]);
  }
}

}  // namespace fd::reference
