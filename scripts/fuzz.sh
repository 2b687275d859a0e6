#!/usr/bin/env bash
# Runs every fuzz target for some seconds and prints a table: scripts/fuzz.sh [SECONDS] [TARGET..]
#
# Needs cargo-fuzz (`cargo install cargo-fuzz --locked`) and a C++ compiler. Without a sanitizer, which only the nightly
# compiler has; SECURITY.md names the one file with unsafe code. FUZZ_TARGET_DIR says where to build.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"
seconds=${1:-60}
shift || true
[ $# -gt 0 ] || set -- spert multihead types vectors vocabulary predict recognition annotation config model_directory
target_dir=${FUZZ_TARGET_DIR:-target}
export RUSTC_BOOTSTRAP=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "| target | executions | a second | memory, MB | result |"
echo "|---|---|---|---|---|"
status=0
for target in "$@"; do
  # New inputs go to the first folder; what is committed is only read.
  mkdir -p "$work/$target"
  result=ok
  case $target in config | model_directory) features=(--features model) ;; *) features=() ;; esac
  RAYON_NUM_THREADS=1 cargo fuzz run -s none "${features[@]}" --target-dir "$target_dir" "$target" "$work/$target" "corpus/$target" -- \
    -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 >"$work/log" 2>&1 ||
    { result=FAILED && status=1 && tail -n 40 "$work/log" >&2; }
  stat() { sed -n "s/^stat::$1: *//p" "$work/log"; }
  echo "| \`$target\` | $(stat number_of_executed_units) | $(stat average_exec_per_sec) | $(stat peak_rss_mb) | $result |"
done
exit $status
