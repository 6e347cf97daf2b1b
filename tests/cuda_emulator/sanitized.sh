#!/usr/bin/env bash
# The device tests on an emulated plug-in built with a sanitizer, which Python must have loaded first.
#   sanitized.sh FOLDER address|thread [pytest arguments]
set -euo pipefail
folder=$1 kind=$2
shift 2
runtime=$(g++ -print-file-name="$([ "$kind" = thread ] && echo libtsan.so || echo libasan.so)")
# Every block of memory its own, so that its end is seen; Python itself is not ours to check.
export FREEDIVE_CUDA_CACHE=0 FREEDIVE_CUDA_LIBRARY="$folder/libfreedive_cuda_emulated.so" FREEDIVE_NUM_THREADS=1
export ASAN_OPTIONS=detect_leaks=0:handle_segv=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:ignore_noninstrumented_modules=1:report_signal_unsafe=0
# With the C++ library, so that the sanitizer finds the exceptions it watches.
export OPENBLAS_NUM_THREADS=1 LD_PRELOAD="$runtime $(g++ -print-file-name=libstdc++.so)"
exec setarch -R python -m pytest tests/device -p no:cacheprovider --deselect tests/device/test_runtime.py::test_a_forked_child_is_told \
  --deselect tests/device/test_runtime.py::test_synchronous_mode_raises_where_the_fault_began \
  --deselect tests/device/test_runtime.py::test_without_a_plug_in "$@"
