// One function per tensor_*.cpp; module.cpp calls them all.
#pragma once

#include <nanobind/nanobind.h>

namespace fd::bindings {

void add_dtypes(PyObject* module);
void add_size(PyObject* module);
void bind_device(nanobind::module_& m);
void bind_create(nanobind::module_& m);
void bind_elementwise(nanobind::module_& m);
void bind_reduce(nanobind::module_& m);
void bind_view(nanobind::module_& m);
void bind_gemm(nanobind::module_& m);
void bind_autograd(nanobind::module_& m);
void bind_interop(nanobind::module_& m);
void bind_dlpack(nanobind::module_& m);
void bind_runtime(nanobind::module_& m);
void bind_nn(nanobind::module_& m);
void bind_random(nanobind::module_& m);
void bind_index(nanobind::module_& m);
void bind_move(nanobind::module_& m);
void bind_sort(nanobind::module_& m);
void bind_conv(nanobind::module_& m);
void bind_pool(nanobind::module_& m);

}  // namespace fd::bindings
