#!/usr/bin/env bash
# The kernels without Python, built into a folder: under AddressSanitizer with UBSan, under ThreadSanitizer and on aarch64
# (emulated) against the reference, and what the objects of each instruction set offer to the linker.
# "full" runs every large case instead of a fifth of them, and sanitizes every instruction set.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:?usage: native_tests.sh <build folder> [full]}
mkdir -p "$work"
isas="avx2;neon" cases=--quick
if [ "${2:-}" = full ]; then isas="" cases=-v; fi

build() {
  local name=$1 target=$2
  shift 2
  local start=$SECONDS
  cmake -G Ninja -S . -B "$work/$name" -DFREEDIVE_PYTHON=OFF -DFREEDIVE_NATIVE_TESTS=ON -DFREEDIVE_WERROR=ON -DFREEDIVE_CUDA=OFF "$@" \
    >"$work/$name.log" && cmake --build "$work/$name" --target $target >>"$work/$name.log" || { tail -40 "$work/$name.log"; return 1; }
  echo "built $name in $((SECONDS - start)) s"
}

run() {
  local name=$1 start=$SECONDS
  shift
  "$@" >"$work/$name.log" 2>&1 || { tail -40 "$work/$name.log"; return 1; }
  echo "$name: $(tail -1 "$work/$name.log") in $((SECONDS - start)) s"
}

build objects "freedive_avx2 freedive_avx512" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0
run "what objects define" ctest --test-dir "$work/objects" -R symbols --output-on-failure
build address freedive_parity -DFREEDIVE_SANITIZE=address,undefined -DFREEDIVE_ISAS="$isas"
build thread freedive_parity -DFREEDIVE_SANITIZE=thread -DFREEDIVE_ISAS="$isas"
build aarch64 all -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++

jobs=()
run "AddressSanitizer and UBSan" "$work/address/tests/native/freedive_parity" $cases & jobs+=($!)
run "ThreadSanitizer" "$work/thread/tests/native/freedive_parity" $cases & jobs+=($!)
run "aarch64" qemu-aarch64 -L /usr/aarch64-linux-gnu "$work/aarch64/tests/native/freedive_parity" $cases --no-fork & jobs+=($!)
for job in "${jobs[@]}"; do wait "$job"; done
