#include "tensor/generator.h"

#include <random>

namespace fd {

namespace {

uint64_t unpredictable() {
  std::random_device device;
  return uint64_t(device()) << 32 | device();
}

}  // namespace

uint64_t Generator::seed() {
  manual_seed(unpredictable());
  return initial_seed();
}

Generator& default_generator() {
  static Generator generator(unpredictable());
  return generator;
}

}  // namespace fd
