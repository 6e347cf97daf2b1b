// Where random bits come from: a seed and a count of the operations drawn (base/philox.h). No array of state, so a
// generator is copied, saved and restored as two integers, and every device draws the same numbers.
#pragma once

#include "kernels/kernels.h"

namespace fd {

class Generator {
 public:
  static constexpr uint64_t kDefaultSeed = 0;

  explicit Generator(uint64_t seed = kDefaultSeed) : rng_{seed, 0} {}

  void manual_seed(uint64_t seed) { rng_ = {seed, 0}; }
  uint64_t initial_seed() const { return rng_.seed; }
  uint64_t seed();  // a fresh, unpredictable one

  // The bits of one random operation.
  fd_rng next() { return {rng_.seed, rng_.offset++}; }

  fd_rng state() const { return rng_; }
  void set_state(fd_rng state) { rng_ = state; }

 private:
  fd_rng rng_;
};

// What operations draw from when they are given no generator; seeded unpredictably when first used.
Generator& default_generator();
inline Generator& generator_or_default(Generator* g) { return g ? *g : default_generator(); }

}  // namespace fd
