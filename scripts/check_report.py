#!/usr/bin/env python3
"""Opens the report of an experiment in headless Chromium and checks the page.

usage: scripts/check_report.py DIR [--screenshots DIR] [--chromium chromium]

In every row of results.json, the mean strict F1 of entities and relations on test is above zero. At widths of 1280 and 400
pixels, every number in the page equals its value in results.json, the error browser shows sentences, the page is not wider
than the window, and no other resource is requested. Standard library only.
"""

import argparse
import html.parser
import json
import pathlib
import subprocess
import sys
import tempfile

WIDTHS = (1280, 400)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--hide-scrollbars", "--virtual-time-budget=10000", "--host-resolver-rules=MAP * ~NOTFOUND",
]
UNITS = {
    "percent": lambda value: f"{100 * value:.2f}",
    "points": lambda value: f"{value:.2f}",
    "count": lambda value: f"{value:.0f}",
    "tenths": lambda value: f"{value:.1f}",
    "probability": lambda value: f"{value:.4f}",
}
# The page writes its measurements to its DOM.
MEASURE = """<script>addEventListener("load", () => {
  const page = document.documentElement;
  const wide = [...document.querySelectorAll("main *")].filter((e) => !e.closest(".scroll, pre, svg"))
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1);
  const asked = performance.getEntriesByType("resource").map((entry) => entry.name);
  document.body.dataset.measured = JSON.stringify([innerWidth, page.scrollWidth, wide.length, asked]);
});</script>"""


class Page(html.parser.HTMLParser):
    """The numbers of a page with their JSON pointers, and the number of sentences shown."""

    def __init__(self):
        super().__init__()
        self.numbers, self.sentences, self.paths, self.measured, self.open = [], 0, 0, None, None

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.sentences += tag == "article"
        self.paths += tag == "path" and "mark" in attributes.get("class", "")
        self.measured = attributes.get("data-measured", self.measured)
        if "data-path" in attributes:
            self.open = (attributes["data-path"], attributes["data-unit"])

    def handle_data(self, text):
        if self.open:
            self.numbers.append((*self.open, text))
            self.open = None


def pointer(value, path):
    for key in path.split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def chromium(program, folder, *more):
    profile = tempfile.mkdtemp(prefix="profile-", dir=folder)
    command = [program, *FLAGS, f"--user-data-dir={profile}", *more]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if run.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{run.stderr}")
    return run.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("--chromium", default="chromium")
    args = parser.parse_args()
    results = json.loads((args.folder / "results.json").read_text())
    source = (args.folder / "report.html").resolve()
    work = pathlib.Path(tempfile.mkdtemp(prefix="check_report_"))
    (args.screenshots or work).mkdir(parents=True, exist_ok=True)
    measured_page = work / "report.html"
    measured_page.write_text(source.read_text().replace("</body>", MEASURE + "</body>"))
    faults = []
    for row in results["rows"]:
        for task in ("entities", "relations"):
            if not row["test"] or row["test"][task]["strict"]["micro"]["mean"] == 0:
                faults.append(f"{row['system']}, {row['corpus']}, {row['protocol']}: F1 of {task} is 0")
    for width in WIDTHS:
        # Chromium has a minimal window width, so the narrow page is in a frame.
        frame = work / f"frame-{width}.html"
        frame.write_text(
            f'<body style="margin:0"><iframe src="report.html" style="border:0;width:{width}px;height:6000px"></iframe>'
        )
        local = ["--allow-file-access-from-files", "--disable-web-security"]
        dom = chromium(
            args.chromium, work, f"--window-size={max(width, 600)},6000", *local,
            "--dump-dom", str(measured_page) if width > 600 else framed(work, width),
        )
        page = Page()
        page.feed(dom)
        for path, unit, text in page.numbers:
            expected = UNITS[unit](pointer(results, path))
            if text != expected:
                faults.append(f"{width}: {path} is {text}, expected {expected}")
        if len(page.numbers) < 50:
            faults.append(f"{width}: only {len(page.numbers)} numbers")
        if page.sentences == 0 or page.paths == 0:
            faults.append(f"{width}: the error browser shows no sentences")
        if page.measured is None:
            faults.append(f"{width}: the page was not measured")
        else:
            window, wide, outside, asked = json.loads(page.measured)
            faults += [f"{width}: requested {url}" for url in asked]
            if window != width or wide > window or outside:
                faults.append(f"{width}: {wide} pixels in a window of {window}, {outside} elements exceed it")
        shot = (args.screenshots or work).resolve() / f"report-{width}.png"
        chromium(args.chromium, work, f"--window-size={max(width, 500)},6000", f"--screenshot={shot}", str(frame))
        print(f"{width} pixels: {len(page.numbers)} numbers, {page.sentences} sentences shown, {shot}")
    print("\n".join(faults) or "no faults")
    sys.exit(bool(faults))


def framed(work, width):
    """A page that loads the report in a frame and then shows its content, so that the DOM can be dumped."""
    place = work / f"dump-{width}.html"
    place.write_text(
        f'<body><iframe id="f" src="report.html" style="border:0;width:{width}px;height:6000px"></iframe><script>'
        'onload = () => setTimeout(() => { document.body.outerHTML = f.contentDocument.body.outerHTML; }, 2000);'
        "</script>"
    )
    return str(place)


if __name__ == "__main__":
    main()
