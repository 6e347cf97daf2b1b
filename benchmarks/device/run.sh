#!/usr/bin/env bash
# Everything there is to do on a machine with an NVIDIA GPU and nvcc, in two parts of at most 8 minutes:
#   benchmarks/device/run.sh [--no-index] OUT 1    build, the device tests, compute-sanitizer over a few of them
#   benchmarks/device/run.sh [--no-index] OUT 2    the benchmark against PyTorch (builds first if part 1 did not run here)
# Without a number, both. A part that fails does not stop the next; exit code 1 if any did. What Python lacks is
# installed into build/device from benchmarks/device/wheels, if wheels lie there; else, unless --no-index is given, by
# pip as it is set up. A Python without its headers takes those in benchmarks/device/include. OUT gets log.txt and
# device.csv. PYTHON names the interpreter (default python3), COMMIT the commit where this is no checkout. Where
# FREEDIVE_CUDA_LIBRARY names a plug-in, such as the emulated one, that is used and none is built.
set -uo pipefail
index=yes
if [ "${1:-}" = --no-index ]; then
  index=no
  shift
fi
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$(mkdir -p "${1:?usage: run.sh [--no-index] OUT [1|2]}" && cd "$1" && pwd) || exit 1
part=${2:-both}
python=$(command -v "${PYTHON:-python3}") || { echo "there is no ${PYTHON:-python3}"; exit 1; }
build=$root/build/device
site=$build/site
wheels=$here/wheels
scripts=$("$python" -c "import sysconfig; print(sysconfig.get_path('scripts'))")
export PATH=$site/bin:$PATH:$scripts:/usr/local/cuda/bin PYTHONPATH=$site PYTHONUNBUFFERED=1
COMMIT=${COMMIT:-$(git -C "$root" -c safe.directory="$root" rev-parse HEAD 2>/dev/null || echo unknown)}
PART_LIMIT=470
part_start=0
failed=0

step() { # SECONDS NAME COMMAND...: no longer than that, nor than what is left of the part
  local limit=$1 name=$2 start=$SECONDS left=$((PART_LIMIT - SECONDS + part_start)) code=0
  shift 2
  if [ "$left" -lt "$limit" ]; then limit=$left; fi
  echo "=== $name"
  if [ "$limit" -le 0 ]; then
    echo "FAILED: $name (no time is left in this part)"
    failed=1
    return
  fi
  timeout --kill-after=5 "$limit" "$@" || code=$?
  if [ "$code" != 0 ]; then
    echo "FAILED: $name (exit code $code$([ "$code" = 124 ] && echo ", out of time"))"
    failed=1
  fi
  echo "--- $name: $((SECONDS - start)) s"
}

machine() {
  date -u
  nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv || echo "there is no nvidia-smi"
  nvcc --version | tail -2 || echo "there is no nvcc"
  nproc
  g++ --version | head -1
  "$python" --version
  "$python" -c "import torch; print('torch', torch.__version__, 'CUDA', torch.version.cuda)" || echo "there is no torch"
  echo "commit $COMMIT"
}

install_package() {
  local find=(--no-index --find-links "$wheels")
  if [ ! -d "$wheels" ] && [ "$index" = yes ]; then find=(); fi
  echo "installing $1"
  "$python" -m pip install -q --target "$site" "${find[@]}" "$1"
}

# What is neither installed nor built here.
missing_packages() {
  local bad=0
  mkdir -p "$site"
  for package in nanobind pybind11 numpy tqdm safetensors pytest; do
    "$python" -c "import $package" 2>"$build/why" || install_package $package || bad=1
  done
  for tool in cmake ninja; do
    command -v $tool >"$build/why" || install_package $tool || bad=1
  done
  return $bad
}

build_all() {
  local arch cuda=(-DFREEDIVE_CUDA=OFF) headers=() include
  rm -rf "$site/freedive"  # what an earlier run left is not to be tested for this one
  include=$("$python" -c "import sysconfig; print(sysconfig.get_path('include'))")
  if [ ! -e "$include/Python.h" ]; then
    echo "there is no $include/Python.h; taking $here/include"
    headers=("-DPython_INCLUDE_DIR=$here/include")
  fi
  if [ -z "${FREEDIVE_CUDA_LIBRARY:-}" ]; then
    arch=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)
    cuda=(-DFREEDIVE_CUDA=ON "-DCMAKE_CUDA_ARCHITECTURES=${arch:-90}-real")
  fi
  cmake -G Ninja -S "$root" -B "$build" "${cuda[@]}" "${headers[@]}" -DPython_EXECUTABLE="$python" -DSKBUILD_PROJECT_VERSION=0.1.0 \
    -Dnanobind_DIR="$("$python" -m nanobind --cmake_dir)" -Dpybind11_DIR="$("$python" -m pybind11 --cmakedir)" &&
    cmake --build "$build" && mkdir -p "$site" && cp -r "$root/python/freedive" "$site/" &&
    cp "$build"/_core*.so "$site/freedive/" || return
  if [ -z "${FREEDIVE_CUDA_LIBRARY:-}" ]; then cp "$build/libfreedive_cuda.so" "$site/freedive/" || return; fi
  cd "$out" && "$python" -c "import freedive; freedive.show_config()"
}

# The matrix products first, without Python: should one of their kernels spoil the device, the rest is not to suffer.
matrix_products() {
  local plugin=${FREEDIVE_CUDA_LIBRARY:-$site/freedive/libfreedive_cuda.so} parity=$build/gemm_parity
  cd "$root" && g++ -std=c++20 -O1 -Icsrc -Itests/cuda_emulator tests/cuda_emulator/gemm_parity.cpp -o "$parity" -ldl &&
    timeout --kill-after=5 60 "$parity" "$plugin" ${FREEDIVE_CUDA_LIBRARY:+bias}
}

# Every tensor a block of its own, so that its end is seen; over the smallest of everything.
sanitizer() { # TOOL
  command -v compute-sanitizer || { echo "skipped: there is no compute-sanitizer"; return 0; }
  cd "$root" && FREEDIVE_CUDA_CACHE=0 compute-sanitizer --tool "$1" --error-exitcode 9 --target-processes all \
    "$python" -m pytest -x -p no:cacheprovider -W default tests/device/test_cases.py::test_case \
    -k "relu or matmul or softmax or cross_entropy or sum or cumsum or sort or scatter or batch_norm or dropout or conv2d"
}

# A process for each file, so that a lost device or a kernel without end is one file's trouble. Warnings of another
# NumPy or pytest than ours are no errors.
device_tests() {
  local bad=0 file
  cd "$root" || return
  for file in tests/device/test_*.py; do
    echo "$file"
    timeout --kill-after=5 90 "$python" -m pytest -p no:cacheprovider -W default -o faulthandler_timeout=60 \
      --durations=3 "$file" || bad=1
  done
  return $bad
}

begin_part() {
  part_start=$SECONDS
  echo "##### part $1"
  step 30 "machine" bash -c machine
  mkdir -p "$build"
  if [ "$1" = 2 ] && compgen -G "$site/freedive/_core*.so" >"$build/why"; then return; fi
  step 60 "packages" bash -c missing_packages
  step 250 "build" bash -c build_all
}

all_parts() {
  if [ "$part" != 2 ]; then
    begin_part 1
    step 70 "matrix products" bash -c matrix_products
    step 200 "device tests" bash -c device_tests
    step 90 "compute-sanitizer memcheck" bash -c "sanitizer memcheck"
    step 90 "compute-sanitizer racecheck" bash -c "sanitizer racecheck"
  fi
  if [ "$part" != 1 ]; then
    begin_part 2
    local left=$((PART_LIMIT - SECONDS + part_start))
    step 440 "benchmark" "$python" "$here/bench.py" "$out/device.csv" $((left - 40))
  fi
  echo "##### $([ $failed = 0 ] && echo "all passed" || echo "something failed") after $SECONDS s"
  return $failed
}

export -f machine install_package missing_packages build_all matrix_products sanitizer device_tests
export here root out python build site wheels index COMMIT
all_parts 2>&1 | tee -a "$out/log.txt"
exit "${PIPESTATUS[0]}"
