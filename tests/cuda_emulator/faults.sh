#!/usr/bin/env bash
# Whether the emulator notices every planted fault and raises no alarm at correct code.
#   faults.sh PLAIN ADDRESS THREAD     folders built without sanitizers, with address,undefined and with thread
# Prints a line a fault; exit code 1 if one went unnoticed.
set -uo pipefail
plain=$1 address=$2 thread=$3
export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1 TSAN_OPTIONS=halt_on_error=1
failed=0

# Runs one fault in one way; true if something was noticed.
noticed() {
  case $1 in
    report) "$plain/faults" "$2" ;;
    reverse) FREEDIVE_EMULATOR_ORDER=reverse "$plain/faults" "$2" ;;
    random) FREEDIVE_EMULATOR_ORDER=random "$plain/faults" "$2" ;;
    address) "$address/faults" "$2" ;;
    thread) setarch -R "$thread/faults" "$2" ;;
  esac >/dev/null 2>&1
  [ $? -ne 0 ]
}

expect_noticed() {
  local fault=$1
  shift
  for how in "$@"; do
    if noticed "$how" "$fault"; then
      echo "noticed  $fault ($how)"
    else
      echo "MISSED   $fault ($how)"
      failed=1
    fi
  done
}

for how in report reverse random address thread; do
  for right in correct pipeline zeroed_tail matrices boxes; do
    if noticed "$how" $right; then
      echo "FALSE ALARM at correct code ($right, $how)"
      failed=1
    fi
  done
done
expect_noticed missing_barrier reverse thread
expect_noticed early_refill reverse random thread
expect_noticed shared_out_of_bounds address
expect_noticed global_out_of_bounds address
expect_noticed divergent_barrier report
expect_noticed ended_thread report
expect_noticed shuffle_in_branch report
expect_noticed missing_warp_barrier thread
expect_noticed plain_addition thread
expect_noticed unwritten_shared report
expect_noticed misaligned address
expect_noticed early_read report
expect_noticed missing_copy_wait report reverse thread
expect_noticed missing_copy_barrier reverse thread
expect_noticed early_copy reverse thread
expect_noticed misaligned_copy report
expect_noticed matrix_out_of_bounds address
expect_noticed misaligned_matrix report
expect_noticed matrices_in_branch report
expect_noticed missing_full_wait report reverse random
expect_noticed missing_empty_wait report reverse random
expect_noticed stage_left_early report reverse random
expect_noticed missing_group_wait report reverse random
expect_noticed wrong_byte_count report
expect_noticed barrier_without_init report
exit $failed
