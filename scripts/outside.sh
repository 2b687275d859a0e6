#!/usr/bin/env bash
# Whether the profile lines of README.md are enough for a package of a user: trains a model of the paper's size on a few
# sentences, builds `tests/outside` as its own package, and extracts with it. A sentence may take 25 ms, or the first
# argument. Builds burn once more, in target/outside: ten minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_INCREMENTAL=0
limit=${1:-25}
target=$(cargo metadata --format-version 1 --no-deps |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')

profile() { sed -n '/^\[profile\.dev\.package\]/,/^```/p' "$1" | grep -v '^```' | grep .; }
diff <(profile README.md) <(profile tests/outside/Cargo.toml) ||
  { echo "error: README.md and tests/outside/Cargo.toml give other profile lines" >&2 && exit 1; }

cargo build --workspace --bin cman
model=$(mktemp -d)
trap 'rm -r "$model"' EXIT
sample=crates/cman-data/sample
"$target/debug/cman" train --train $sample/dev.json --types $sample/types.json --epochs 1 --out "$model/cman" >/dev/null

cp Cargo.lock tests/outside/Cargo.lock # the versions of the workspace
cargo run --manifest-path tests/outside/Cargo.toml --target-dir "$target/outside" -- "$model/cman" "$limit"
