#!/usr/bin/env bash
# Builds the extension with AddressSanitizer and UBSan into a folder and runs the op tests with it.
# libstdc++ is preloaded beside libasan: with libasan alone the first C++ exception aborts.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:?usage: asan_tests.sh <build folder>}
python=$(command -v python)
cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O1" -DFREEDIVE_SANITIZE=address,undefined \
  -DPython_EXECUTABLE="$python" -Dnanobind_DIR="$("$python" -m nanobind --cmake_dir)" \
  -Dpybind11_DIR="$("$python" -m pybind11 --cmakedir)" -DSKBUILD_PROJECT_VERSION=0.0.0 >"$build.log"
cmake --build "$build" >>"$build.log" 2>&1 || { tail -40 "$build.log"; exit 1; }
mkdir -p "$build/package"
cp -r python/freedive "$build/package/"
cp "$build"/_core*.so "$build/package/freedive/"
preload="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libstdc++.so)"
LD_PRELOAD="$preload" ASAN_OPTIONS=detect_leaks=0 PYTHONPATH="$build/package" FREEDIVE_SANITIZED=1 \
  "$python" -m pytest tests/ops tests/autograd tests/tensor -x -q -p no:cacheprovider
