#!/usr/bin/env bash
# The paper's tables and figures: runs every experiment and writes its report. Give the same command again to go on.
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
