#!/usr/bin/env bash
# Runs the experiments of the paper's tables and figures and writes their reports. The same command resumes them.
#
# usage: scripts/paper.sh DATA OUT [arguments of `cman experiment`]
set -euo pipefail
data=$1 out=$2
shift 2
here=$(dirname "$0")/..
failed=0
for name in table1 table2 table3 table4 figures; do
  "${CMAN:-cman}" experiment "$here/experiments/$name.toml" --data "$data" --out "$out/$name" --runs "$out/runs" \
    --resume "$@" || failed=1
  "${CMAN:-cman}" report "$out/$name"
done
exit "$failed"
