// freedive._kernels, the NumPy door: the same kernels on NumPy arrays. Shares this file with freedive._core and is
// loaded from it by python/freedive/kernels.py; _core must be imported first, as it creates the exceptions.
#include "bindings/errors.h"
#include "bindings/kernels_array.h"

PYBIND11_MODULE(_kernels, m) {
  using namespace fd::bindings;
  py::register_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const fd::Error&) {
      set_python_error();
    }
  });
  bind_kernels_gemm(m);
  bind_kernels_elementwise(m);
  bind_kernels_reduce(m);
  bind_kernels_softmax(m);
  bind_kernels_nn(m);
  bind_kernels_optim(m);
  bind_kernels_conv(m);
}
