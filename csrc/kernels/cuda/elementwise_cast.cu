// Conversion between element types (also copy and fill), and where: the elementwise kernels of every dtype.
#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/table.h"

namespace fd::gpu {
namespace {

template <class To>
struct Cast {
  template <class From>
  __device__ static To apply(From x, const double*) {
    return convert<To>(x);
  }
};

struct Where {
  template <class T>
  __device__ static T apply(bool condition, T yes, T no, const double*) {
    return condition ? yes : no;
  }
};

}  // namespace

void fill_cast(fd_kernels* table) {
  fd_elementwise_kernels& k = table->elementwise;
  for_each_dtype([&k]<class From>(fd_dtype from) {
    k.where[from] = map<Where, From, bool, From, From>;
    for_each_dtype([&k, from]<class To>(fd_dtype to) { k.cast[from][to] = map<Cast<To>, To, From>; });
  });
}

}  // namespace fd::gpu
