// The compiled module freedive._core: the tensor door. The NumPy door, freedive._kernels, lives in the same file and is
// initialised on its own (kernels_module.cpp).
#include <chrono>
#include <limits>
#include <thread>

#include "base/host.h"
#include "bindings/bind.h"
#include "bindings/errors.h"
#include "bindings/tensor_type.h"
#include "ops/ops.h"

namespace nb = nanobind;

namespace {

// While the interpreter ends, Python up to 3.13 ends a thread that asks for its lock by unwinding its stack, which
// destructors on it turn into std::terminate. Such a thread waits here for the end of the process instead.
void lock_interpreter(void* state) {
  try {
    PyEval_RestoreThread(static_cast<PyThreadState*>(state));
  } catch (...) {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
}

void connect_host() {
  fd::host.incref = [](void* o) { Py_INCREF(static_cast<PyObject*>(o)); };
  fd::host.decref = [](void* o) { Py_DECREF(static_cast<PyObject*>(o)); };
  fd::host.refcount = [](void* o) { return static_cast<long>(Py_REFCNT(static_cast<PyObject*>(o))); };
  fd::host.unlock = []() -> void* { return PyGILState_Check() ? PyEval_SaveThread() : nullptr; };
  fd::host.lock = lock_interpreter;
}

}  // namespace

NB_MODULE(_core, m) {
  using namespace fd::bindings;
  connect_host();
  nb::register_exception_translator([](const std::exception_ptr& p, void*) {
    try {
      std::rethrow_exception(p);
    } catch (const fd::Error&) {
      set_python_error();
    }
  });
  add_exceptions(m.ptr());
  add_dtypes(m.ptr());
  add_size(m.ptr());
  add_tensor_type(m.ptr());
  bind_device(m);
  fd::ops::install_grad_arithmetic();
  bind_create(m);
  bind_elementwise(m);
  bind_reduce(m);
  bind_view(m);
  bind_gemm(m);
  bind_autograd(m);
  bind_interop(m);
  bind_dlpack(m);
  bind_runtime(m);
  bind_nn(m);
  bind_random(m);
  bind_index(m);
  bind_move(m);
  bind_sort(m);
  bind_conv(m);
  bind_pool(m);
  m.attr("inf") = std::numeric_limits<double>::infinity();
  m.attr("nan") = std::numeric_limits<double>::quiet_NaN();
  m.attr("pi") = 3.14159265358979323846;
  m.attr("e") = 2.71828182845904523536;
  m.attr("__version__") = FREEDIVE_VERSION;
}
