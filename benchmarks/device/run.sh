#!/usr/bin/env bash
# Everything there is to do on a machine with an NVIDIA GPU and nvcc, in two parts of at most 8 minutes:
#   benchmarks/device/run.sh OUT 1    build, the device tests, compute-sanitizer over a few of them
#   benchmarks/device/run.sh OUT 2    the benchmark against PyTorch (build first if part 1 did not run here)
# Without a number, both. A part that fails does not stop the next; exit code 1 if any did. Needs no package registry:
# what Python lacks is installed from wheels in benchmarks/device/wheels, if they lie there. OUT gets log.txt and
# device.csv. PYTHON names the interpreter (default python3).
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$(mkdir -p "${1:?usage: run.sh OUT [1|2]}" && cd "$1" && pwd)
part=${2:-both}
python=${PYTHON:-python3}
build=$root/build/device
site=$build/site
wheels=$here/wheels
failed=0
exec > >(tee -a "$out/log.txt") 2>&1

step() { # SECONDS NAME COMMAND...
  local limit=$1 name=$2 start=$SECONDS
  shift 2
  echo "=== $name"
  timeout "$limit" "$@" || { echo "FAILED: $name (exit code $?)"; failed=1; }
  echo "--- $name: $((SECONDS - start)) s"
}

machine() {
  date -u
  nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv
  nvcc --version | tail -2
  "$python" --version
  "$python" -c "import torch; print('torch', torch.__version__, 'CUDA', torch.version.cuda)"
}

# Python packages that are neither installed nor built here, from the wheels beside this file.
missing_packages() {
  mkdir -p "$site"
  for package in nanobind pybind11 numpy tqdm safetensors pytest; do
    PYTHONPATH=$site "$python" -c "import $package" 2>/dev/null ||
      "$python" -m pip install -q --no-index --find-links "$wheels" --target "$site" "$package"
  done
  for tool in cmake ninja; do
    command -v $tool >/dev/null || "$python" -m pip install -q --no-index --find-links "$wheels" --target "$site" $tool
  done
}

build_all() {
  local arch
  arch=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)
  cmake -G Ninja -S "$root" -B "$build" -DFREEDIVE_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES="$arch-real" \
    -DPython_EXECUTABLE="$(command -v "$python")" -DSKBUILD_PROJECT_VERSION=0.1.0 \
    -Dnanobind_DIR="$("$python" -m nanobind --cmake_dir)" -Dpybind11_DIR="$("$python" -m pybind11 --cmakedir)" &&
    cmake --build "$build" && cp -r "$root/python/freedive" "$site/" &&
    cp "$build"/_core*.so "$build/libfreedive_cuda.so" "$site/freedive/" &&
    (cd "$out" && "$python" -c "import freedive; freedive.show_config()")
}

sanitizer() { # TOOL: over the smallest of everything
  compute-sanitizer --tool "$1" --error-exitcode 9 "$python" -m pytest -x "$root/tests/device/test_cases.py" \
    -k "test_case and (relu or matmul or softmax or cross_entropy or sum or cumsum or sort or scatter or batch_norm or dropout)"
}
export -f machine missing_packages build_all sanitizer
export here root out python build site wheels
export PATH=$site/bin:$PATH PYTHONPATH=$site

step 60 "machine" bash -c machine
if [ "$part" != 2 ] || [ ! -e "$site/freedive/libfreedive_cuda.so" ]; then
  step 60 "packages" bash -c missing_packages
  step 300 "build" bash -c build_all
fi
if [ "$part" != 2 ]; then
  step 120 "device tests" "$python" -m pytest "$root/tests/device"
  step 60 "compute-sanitizer memcheck" bash -c "sanitizer memcheck"
  step 60 "compute-sanitizer racecheck" bash -c "sanitizer racecheck"
fi
if [ "$part" != 1 ]; then
  step 420 "benchmark" "$python" "$here/bench.py" "$out/device.csv"
fi
exit $failed
