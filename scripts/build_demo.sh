#!/usr/bin/env bash
# Writes crates/cman-demo/demo.cman: trains the demo model on the sample corpus, measures it on test and packs it.
# usage: scripts/build_demo.sh [CMAN]
set -euo pipefail
cd "$(dirname "$0")/.."
cman=${1:-cman}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$cman" train --sample --config configs/demo.toml --out "$work/model"
"$cman" calibrate --model "$work/model" --data crates/cman-data/sample/dev.json --save
"$cman" package "$work/model" crates/cman-demo/demo.cman --force --half --data crates/cman-data/sample/test.json \
  --name "cman demo" --licence "MIT OR Apache-2.0" \
  --description "People, places, organisations and five relations in English news sentences" \
  --trained-on "the sample corpus of cman: 855 sentences, without word vectors and encoder" \
  --limits "A demonstration. It knows few words, reads English alone, and was not measured on real news."
