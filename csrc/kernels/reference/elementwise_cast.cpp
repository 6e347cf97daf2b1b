// Conversion between element types (also copy and fill), and where: the two elementwise kernels of every dtype.
#include "kernels/reference/iterate.h"
#include "kernels/reference/table.h"

namespace fd::reference {
namespace {

template <class From, class To>
fd_status cast(fd_context*, const fd_elementwise* e) {
  map<To, From>(*e, [](From x) { return convert<To>(x); });
  return FD_OK;
}

// out = condition ? yes : no
template <class T>
fd_status where(fd_context*, const fd_elementwise* e) {
  map<T, bool, T, T>(*e, [](bool condition, T yes, T no) { return condition ? yes : no; });
  return FD_OK;
}

}  // namespace

void fill_elementwise_cast(fd_kernels* table) {
  fd_elementwise_kernels& k = table->elementwise;
  for_each_dtype([&k]<class From>(fd_dtype from) {
    k.where[from] = where<From>;
    for_each_dtype([&k, from]<class To>(fd_dtype to) { k.cast[from][to] = cast<From, To>; });
  });
}

}  // namespace fd::reference
