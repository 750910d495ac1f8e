# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced. `step NAME COMMAND…` announces a command, runs it and prints how long it took.

# Seconds since START, a value of $EPOCHREALTIME, with one decimal.
seconds_since() {
  # The decimal separator of EPOCHREALTIME follows the locale.
  local micros=$((${EPOCHREALTIME//[!0-9]/} - ${1//[!0-9]/}))
  printf '%d.%d' $((micros / 1000000)) $((micros / 100000 % 10))
}

# SECONDS and NAME of each step, in turn.
# shellcheck disable=SC2034 # read by who sources this
steps_done=()

step() {
  local name=$1 start=$EPOCHREALTIME status=0 seconds
  shift
  printf '==> %s\n' "$name"
  "$@" || status=$?
  seconds=$(seconds_since "$start")
  steps_done+=("$seconds" "$name")
  if ((status == 0)); then
    printf '<== %s: ok, %s s\n' "$name" "$seconds"
  else
    printf '<== %s: FAILED with status %d, %s s\n' "$name" "$status" "$seconds"
  fi
  return "$status"
}
