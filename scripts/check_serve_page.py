#!/usr/bin/env python3
"""Opens the page of a service in headless Chromium and checks it.

usage: scripts/check_serve_page.py --model DIR [--program cman] [--screenshots DIR] [--chromium chromium]

At widths of 1280 and 400 pixels, in both colour schemes: a typed text gives the spans and arcs of the answer, a second text
replaces the first, an error is shown as such and its successor is not, thresholds are sent, and the keyboard alone
is enough. Colours of types are those of `cman view`. Texts are readable (WCAG 2, contrast 4.5), no label overlaps another
or a word, the page is not wider than the window, and only this service is asked. With a key, the page asks for it. Standard
library only.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import check_view
from check_report import FLAGS, WIDTHS
from check_view import OVERLAPS, SAMPLE, Browser
from serving import Service

# No other host has an address.
check_view.FLAGS = [flag + ", EXCLUDE 127.0.0.1" if flag.startswith("--host-resolver") else flag for flag in FLAGS]
FIRST = "Mrs. Tsuruyama is from Kumamoto Prefecture in Japan."
SECOND = "Köln 🇩🇪: Ada Lovelace of Hamburg works for Acme Corp in Paris, France. <b>Bold</b> & Ann Lee lives in Rome."
KEY = "s3cret-key"
# Contrast of every text with the ground behind it: the nearest ancestor with a colour, or the drawn block below it.
CONTRAST = """(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => channels(colour).slice(0, 3).map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((channels(colour)[3] ?? 1) > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const low = [];
  for (const node of document.querySelectorAll("h1, p, label, textarea, input, select, button, summary, pre, #error, svg text")) {
    if (!node.getClientRects().length) continue;
    const style = getComputedStyle(node);
    const isDrawn = node.tagName === "text";
    let behind = [ground(node.closest("svg") ?? node)];
    if (isDrawn) {
      const box = node.getBoundingClientRect();
      const middle = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
      const rects = [...node.closest("svg").querySelectorAll("rect")].filter((rect) => {
        const { left, right, top, bottom } = rect.getBoundingClientRect();
        return left <= middle[0] && middle[0] <= right && top <= middle[1] && middle[1] <= bottom;
      });
      behind = rects.length ? rects.map((rect) => getComputedStyle(rect).fill) : behind;
    }
    const ink = isDrawn ? style.fill : style.color;
    const least = Math.min(...behind.map((colour) => ratio(ink, colour)));
    if (least < 4.5) low.push([node.tagName, (node.textContent || node.id).slice(0, 30), Math.round(least * 100) / 100]);
  }
  return low;
})()"""
LABELS = "[...document.querySelectorAll('#found .tag')].map((node) => node.textContent)"
FOCUS = "document.activeElement.id || document.activeElement.tagName"


class Check:
    def __init__(self, browser, service, shots):
        self.browser, self.service, self.shots = browser, service, shots
        self.faults = []

    def fault(self, where, text):
        self.faults.append(f"{where}: {text}")

    def open(self):
        self.browser.events.clear()
        self.browser.call("Page.navigate", url=self.service.url + "/")
        self.wait("document.readyState === 'complete' && document.getElementById('form') !== null")

    def wait(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.browser.run(condition):
                return True
            time.sleep(0.02)
        return False

    def press(self, key, code, modifiers=0, text=None):
        more = {"text": text} if text else {}
        for kind in ("keyDown", "keyUp"):
            self.browser.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, modifiers=modifiers, **more)
            more = {}

    def write(self, text):
        """Replaces the text with the keyboard."""
        self.focus("text")
        self.browser.call("Input.dispatchKeyEvent", type="keyDown", key="a", code="KeyA", windowsVirtualKeyCode=65, modifiers=2, commands=["selectAll"])
        self.browser.call("Input.dispatchKeyEvent", type="keyUp", key="a", code="KeyA", windowsVirtualKeyCode=65, modifiers=2)
        self.browser.call("Input.insertText", text=text)

    def focus(self, wanted):
        for _ in range(30):
            if self.browser.run(FOCUS) == wanted:
                return
            self.browser.tab()
        sys.exit(f"the keyboard does not reach {wanted}")

    def submit(self):
        """Ctrl+Enter in the text; waits for the result."""
        self.browser.run("document.getElementById('status').textContent = ''")
        self.press("Enter", 13, modifiers=2)
        done = "/\\d/.test(document.getElementById('status').textContent) || !document.getElementById('error').hidden"
        if not self.wait(done):
            self.fault("page", f"no result: {self.browser.run('document.body.innerText')[:300]}")

    def drawn(self, where, text, **options):
        """Compares what is drawn with the answer of the service."""
        document = self.service.extract(text=text, options=options)["documents"][0]
        expected = [f"{found['type']} {found['confidence']:.2f}" for found in document["entities"]]
        arcs = [f"{found['type']} {found['confidence']:.2f}" for found in document["relations"]]
        labels = self.browser.run(LABELS)
        # An arc over several lines has its label on one or more of them.
        if sorted(set(labels)) != sorted(set(expected + arcs)) or len(labels) < len(expected) + len(arcs):
            self.fault(where, f"drawn {sorted(labels)}, answered {sorted(expected + arcs)}")
        words = self.browser.run("[...document.querySelectorAll('#found .token')].map((node) => node.textContent).join('')")
        if words != re.sub(r"\s", "", text):
            self.fault(where, f"the words are {words}")
        return document

    def looks(self, where, name):
        browser = self.browser
        wide, width = browser.run("[document.documentElement.scrollWidth, innerWidth]")
        if wide > width:
            self.fault(where, f"the page is {wide} pixels wide")
        overlaps = browser.run(OVERLAPS)[3]
        if overlaps:
            self.fault(where, f"overlaps: {overlaps[:3]}")
        for scheme in ("light", "dark"):
            browser.scheme(scheme)
            low = browser.run(CONTRAST)
            if low:
                self.fault(where, f"{scheme}: low contrast {low[:4]}")
            browser.screenshot(self.shots / f"serve-{name}-{scheme}.png")
        browser.scheme("light")

    def outside(self, where):
        sent = [event["params"]["request"]["url"] for event in self.browser.events if event.get("method") == "Network.requestWillBeSent"]
        for url in sent:
            if not url.startswith((self.service.url + "/", "data:")):
                self.fault(where, f"requested {url}")
        for complaint in self.browser.complaints():
            # A refused request is an entry of the log, too.
            if "status of 4" not in complaint:
                self.fault(where, complaint)


def check_page(check, width):
    browser, where = check.browser, f"{width} pixels"
    browser.size(width, 900)
    check.open()
    check.write(FIRST)
    check.submit()
    first = check.drawn(where, FIRST)
    if not first["entities"]:
        sys.exit("the model finds nothing in the first text; train it for longer")
    check.looks(where, f"{width}-first")
    check.write(SECOND)
    check.submit()
    check.drawn(f"{where}, second text", SECOND)
    if browser.run("document.querySelectorAll('#found b').length"):
        check.fault(where, "markup of the text is markup of the page")
    check.looks(f"{where}, second text", f"{width}-second")
    # Thresholds, by keyboard.
    check.focus("entity-threshold")
    browser.call("Input.dispatchKeyEvent", type="keyDown", key="a", code="KeyA", windowsVirtualKeyCode=65, modifiers=2, commands=["selectAll"])
    browser.call("Input.insertText", text="0.9")
    check.focus("relation-threshold")
    browser.call("Input.insertText", text="0.8")
    check.focus("extract")
    browser.run("document.getElementById('status').textContent = ''")
    check.press("Enter", 13, text="\r")
    check.wait("/\\d/.test(document.getElementById('status').textContent)")
    check.drawn(f"{where}, thresholds", SECOND, entity_threshold=0.9, relation_threshold=0.8)
    # An error takes the place of the result.
    check.write("a" * 30_000)
    check.submit()
    error, left = browser.run("[document.getElementById('error').innerText, document.querySelectorAll('#found article').length]")
    if "at most 20000 characters" not in error or left:
        check.fault(where, f"the error is `{error}`, and {left} sentences are left")
    check.looks(f"{where}, error", f"{width}-error")
    check.write(FIRST)
    check.submit()
    if not browser.run("document.getElementById('error').hidden && document.querySelectorAll('#found article').length === 1"):
        check.fault(where, "the error stays")
    unnamed = browser.run("[...document.querySelectorAll('input, select, textarea')].filter((i) => i.labels.length === 0).map((i) => i.id)")
    if unnamed:
        check.fault(where, f"without a label: {unnamed}")
    check.outside(where)


def check_colours(check, program, work):
    """The colours of types are those of `cman view`."""
    subprocess.run([*program.split(), "view", str(SAMPLE), "--out", str(work / "view.html")], check=True)
    data = re.search(r'type="application/json">(.*?)</script>', (work / "view.html").read_text(), re.S)[1]
    expected = {kind: colour for kind, colour in json.loads(data)["entities"]}
    classes = check.browser.run(
        "[...document.querySelectorAll('#found text.tag:not(.arc-label)')].map((node) => [node.textContent.split(' ')[0], node.classList[0]])"
    )
    for kind, colour in classes:
        if kind in expected and colour != f"c{expected[kind]}":
            check.fault("colours", f"{kind} is {colour}, in cman view c{expected[kind]}")
    if not classes:
        check.fault("colours", "no label")


def check_key(check):
    """A service with a key: the page asks for it."""
    check.browser.size(1280, 900)
    check.open()
    check.wait("!document.getElementById('key-field').hidden")
    if check.browser.run("document.getElementById('key-field').hidden || document.getElementById('error').hidden"):
        check.fault("key", "the page does not ask for it")
        return
    check.focus("key")
    check.browser.call("Input.insertText", text=KEY)
    check.write(FIRST)
    check.submit()
    if not check.browser.run("document.querySelectorAll('#found article').length"):
        check.fault("key", check.browser.run("document.getElementById('error').innerText"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--program", default="cman")
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("--chromium", default="chromium")
    args = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="check_serve_"))
    shots = args.screenshots or work
    shots.mkdir(parents=True, exist_ok=True)
    browser = Browser(args.chromium, work)
    with Service(args.program, args.model, "--max-text-chars", "20000") as service:
        check = Check(browser, service, shots)
        for width in WIDTHS:
            check_page(check, width)
        check_colours(check, args.program, work)
    (work / "key").write_text(KEY)
    with Service(args.program, args.model, "--api-key-file", str(work / "key")) as service:
        own = Check(browser, service, shots)
        check_key(own)
    browser.close()
    faults = check.faults + own.faults
    print(f"screenshots in {shots}")
    if args.screenshots:
        shutil.rmtree(work, ignore_errors=True)
    print("\n".join(faults) or "no faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
