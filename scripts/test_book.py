#!/usr/bin/env python3
"""Runs the shell commands of the README and the book, and checks what the pages name.

usage: scripts/test_book.py [--cman PATH] [PAGE..]

- Every fenced `sh` block of the pages runs in order, page by page, in a scratch folder that looks like a checkout. A block
  that cannot run there has the comment `<!-- not run: REASON -->` on the line before it.
- Links between files lead somewhere, and so do links to headings.
- Source files named in docs/ARCHITECTURE.md exist and hold the functions named after them.

Rust blocks are compiled by `cargo test --doc -p cman-nlp` (src/lib.rs). Needs bash and nothing outside of Python's
standard library; no network.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["README.md", "docs/TUTORIAL.md", "docs/RECIPES.md", "docs/SERVICE.md", "docs/SCALING.md", "docs/EXPERIMENTS.md"]
# What a command may read; what it writes lands in the scratch folder.
SHOWN = ["configs", "crates", "datasets", "experiments"]
LIMIT = 900  # seconds per block

FENCE = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```\s*$", re.M | re.S)
NOT_RUN = re.compile(r"<!-- not run: \S[^>]* -->\s*\Z")


def blocks(text):
    """(line, code, whether it runs) of every shell block."""
    for fence in FENCE.finditer(text):
        if fence[1] == "sh":
            yield text.count("\n", 0, fence.start()) + 2, fence[2], not NOT_RUN.search(text[: fence.start()])


def run_page(page, cman):
    """Runs the blocks of a page in one scratch folder; the number of failures."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in SHOWN:
            os.symlink(ROOT / name, Path(scratch) / name)
        environment = {**os.environ, "PATH": f"{cman.parent}{os.pathsep}{os.environ['PATH']}", "HF_HUB_OFFLINE": "1"}
        for line, code, runs in blocks((ROOT / page).read_text()):
            if not runs:
                continue
            start = time.monotonic()
            command = ["bash", "-euo", "pipefail", "-c", code]
            try:
                done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, timeout=LIMIT)
                status, output = done.returncode, done.stdout + done.stderr
            except subprocess.TimeoutExpired as late:
                status, output = f"more than {LIMIT} s", (late.stdout or b"") + (late.stderr or b"")
            seconds = time.monotonic() - start
            print(f"{page}:{line}: {'ok' if status == 0 else 'FAILED'} ({seconds:.0f} s)", flush=True)
            if status != 0:
                print(f"{code}\nstatus {status}\n{output.decode(errors='replace')[-4000:]}", file=sys.stderr)
                return 1  # later blocks build on this one
    return 0


def anchor(heading):
    """The name that a heading has in a link."""
    plain = re.sub(r"[`*]", "", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def wrong_links(path):
    """Links of a page that lead nowhere."""
    text = FENCE.sub("", path.read_text())
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, heading = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        other = (path.parent / file).resolve() if file else path
        if not other.exists():
            yield f"{path.relative_to(ROOT)}: no file {target}"
        elif heading and heading not in map(anchor, re.findall(r"^#+ (.*)$", other.read_text(), re.M)):
            yield f"{path.relative_to(ROOT)}: no heading {target}"


def wrong_names(path):
    """Source files of a page that are not there, and functions that are not in them."""
    source = None
    for name in re.findall(r"`([^`\n]+)`", FENCE.sub("", path.read_text())):
        if name.endswith(".rs"):
            folders = [ROOT, ROOT / "crates", ROOT / "crates/cman-core/src"]
            source = next((folder / name for folder in folders if (folder / name).exists()), None)
            if source is None and "/" in name:
                yield f"{path.relative_to(ROOT)}: no file {name}"
        elif source and re.fullmatch(r"(\w+::)?[a-z_]+", name):
            is_method, name = "::" in name, name.split("::")[-1]
            if not re.search(rf"\b{'fn ' if is_method else ''}{name}\b", source.read_text()):
                yield f"{path.relative_to(ROOT)}: no {name} in {source.relative_to(ROOT)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cman", help="the program; default: the one on PATH, or in the target folder")
    parser.add_argument("--no-run", action="store_true", help="check links and names alone")
    parser.add_argument("pages", nargs="*", default=PAGES)
    arguments = parser.parse_args()

    pages = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "datasets/README.md")]
    pages += sorted((ROOT / "docs").glob("*.md")) + sorted((ROOT / "crates").glob("*/README.md"))
    wrong = [problem for page in pages for problem in wrong_links(page)]
    wrong += wrong_names(ROOT / "docs/ARCHITECTURE.md")
    for problem in wrong:
        print(problem, file=sys.stderr)
    failed = len(wrong)

    if not arguments.no_run:
        built = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug/cman"
        found = arguments.cman or shutil.which("cman") or built
        cman = Path(found).resolve()
        if not cman.exists():
            sys.exit(f"no program {cman}: build it with `cargo build`, or give --cman PATH")
        failed += sum(run_page(page, cman) for page in arguments.pages)
    sys.exit(min(failed, 1))


if __name__ == "__main__":
    main()
