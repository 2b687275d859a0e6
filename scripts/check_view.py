#!/usr/bin/env python3
"""Opens a page of `cman view` in headless Chromium and checks it.

usage: scripts/check_view.py [--program "cman view"] [--screenshots DIR] [--chromium chromium]

A generated corpus of 10,000 sentences, with gold annotation, opens within three seconds and scrolls without a pause. At
widths of 1280 and 400 pixels, no label overlaps another label or a word, hardly an arc passes behind a label, the page is not wider than the window, and
nothing is requested. The filters change the counts, with the keyboard alone. Markup in a token stays text. The numbers
of right, wrong and missed annotations are those that the generator counted, and so is the calibration error. A page of one sentence of 3,000 tokens with 600
relations opens in the same time. Standard library only: the browser is driven
through the pipe of its debugging protocol.
"""

import argparse
import base64
import collections
import json
import os
import pathlib
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

from check_report import FLAGS, WIDTHS

SENTENCES = 10_000
LONG_TOKENS, LONG_RELATIONS = 3_000, 600  # of a document that is one sentence
OPEN_LIMIT = 3.0  # seconds from navigation to the first sentences drawn
PAUSE_LIMIT = 0.25  # seconds that one task may take while the page scrolls
# Share of the ends of arcs that may pass behind the label of another arc. The generated entities overlap at random.
CROSSED_LIMIT = {"sample": 0.02, "corpus": 0.06, "errors": 0.15}
SAMPLE = pathlib.Path(__file__).resolve().parent.parent / "crates/cman-data/sample/train.json"
TYPES = ["Peop", "Loc", "Org", "Other", "Date", "Disease", "Drug", "Gene"]
RELATIONS = ["Live_In", "Located_In", "Work_For", "OrgBased_In", "Kill", "Treats"]
WORDS = """the a of in and Ada Lovelace wrote to Charles Babbage about engines from London where she lived until November
after years at University College laboratory which treats patients with aspirin for headaches while others studied genes
near Kumamoto Prefecture Japan an unusually internationalization-heavy sentence , . ; reported yesterday""".split()
INJECTED = "</script><script>document.title='injected'</script><img src=x onerror=\"document.title='injected'\">"


class Browser:
    """A page in Chromium, driven through the pipe of the DevTools protocol."""

    def __init__(self, program, folder):
        to_browser, self.to = os.pipe()
        self.back, from_browser = os.pipe()
        flags = [flag for flag in FLAGS if not flag.startswith("--virtual-time")]
        command = [program, *flags, "--remote-debugging-pipe", f"--user-data-dir={folder}/profile", "about:blank"]

        def connect():
            # The protocol reads descriptor 3 and writes descriptor 4.
            read, write = os.dup(to_browser), os.dup(from_browser)
            os.dup2(read, 3)
            os.dup2(write, 4)

        self.process = subprocess.Popen(
            command, preexec_fn=connect, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(to_browser)
        os.close(from_browser)
        self.number, self.rest, self.events, self.session = 0, b"", [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def read(self):
        while b"\0" not in self.rest:
            chunk = os.read(self.back, 1 << 20)
            if not chunk:
                sys.exit("the browser ended")
            self.rest += chunk
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.to, json.dumps(request).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def run(self, script):
        """The value of an expression; a promise is awaited."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            sys.exit(f"{script}\n{json.dumps(answer['exceptionDetails'])}")
        return answer["result"].get("value")

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def scheme(self, name):
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def open(self, path):
        """Opens a file; the seconds until its first sentences are drawn."""
        self.events.clear()
        start = time.monotonic()
        self.call("Page.navigate", url=path.resolve().as_uri())
        while time.monotonic() - start < 60:
            # Two frames after the sentences are in the document, they are on the screen.
            if self.run("document.querySelector('article svg') !== null && document.readyState === 'complete'"):
                self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
                return time.monotonic() - start
            time.sleep(0.01)
        sys.exit(f"{path}: no sentence was drawn in a minute")

    def key(self, key, text=None, code=0):
        more = {"text": text} if text else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **more)
            more = {}

    def tab(self):
        self.key("Tab", code=9)

    def type(self, text):
        for char in text:
            self.key(char, char, ord(char.upper()))

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def requests(self):
        """What was requested besides the page itself and data in it."""
        sent = [event["params"] for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        urls = [one["request"]["url"] for one in sent if one.get("type") != "Document"]
        return [url for url in urls if not url.startswith("data:")]

    def complaints(self):
        """Exceptions and errors of the page."""
        kinds = ("Runtime.exceptionThrown", "Log.entryAdded")
        return [json.dumps(event["params"])[:300] for event in self.events if event.get("method") in kinds]

    def close(self):
        self.session = None
        self.call("Browser.close")
        self.process.wait(timeout=30)


def annotate(random_, n):
    """Entities, some of them nested or overlapping, and relations between them."""
    spans = set()
    for _ in range(random_.choice([0, 1, 2, 2, 3, 4, 6])):
        start = random_.randrange(n)
        spans.add((start, min(n, start + random_.choice([1, 1, 1, 2, 2, 3, 5]))))
    entities = [{"type": random_.choice(TYPES), "start": a, "end": b} for a, b in sorted(spans)]
    pairs = [(a, b) for a in range(len(entities)) for b in range(len(entities)) if a != b]
    chosen = random_.sample(pairs, min(len(pairs), random_.choice([0, 1, 1, 2, 3, 5])))
    return entities, [{"type": random_.choice(RELATIONS), "head": a, "tail": b} for a, b in chosen]


def generate(seed=7):
    """Gold sentences, and predictions with every kind of error."""
    random_ = random.Random(seed)
    gold, predicted = [], []
    for i in range(SENTENCES):
        n = 120 if i == 3 else random_.randint(4, 45)
        tokens = [random_.choice(WORDS) for _ in range(n)]
        if i == 0:
            tokens[1] = INJECTED
        if i == 5:
            tokens[0] = "long" * 60
        entities, relations = annotate(random_, n)
        gold.append({"tokens": tokens, "entities": entities, "relations": relations, "orig_id": f"s{i}"})
        found, places = {}, {}
        for k, entity in enumerate(entities):
            chance = random_.random()
            own = dict(entity)
            if chance < 0.08:
                continue
            if chance < 0.16:
                own["type"] = random_.choice(TYPES)
            elif chance < 0.24:
                own["end"] = min(n, own["end"] + 1)
            if (own["start"], own["end"]) not in found:
                places[k] = len(found)
                found[own["start"], own["end"]] = own
        if random_.random() < 0.1:
            start = random_.randrange(n)
            found.setdefault((start, start + 1), {"type": "Other", "start": start, "end": start + 1})
        own_relations = [
            {**r, "head": places[r["head"]], "tail": places[r["tail"]], "confidence": round(random_.uniform(0.3, 1), 3)}
            for r in relations
            if r["head"] in places and r["tail"] in places and random_.random() < 0.85
        ]
        sure = [{**entity, "confidence": round(random_.uniform(0.5, 1), 3)} for entity in found.values()]
        predicted.append({"id": f"s{i}", "tokens": tokens, "entities": sure, "relations": own_relations})
    return gold, predicted


def generate_long(seed=7):
    """One sentence of many tokens, with relations between entities up to 100 entities apart."""
    random_ = random.Random(seed)
    tokens = [random_.choice(WORDS) for _ in range(LONG_TOKENS)]
    starts = range(0, LONG_TOKENS - 2, 5)
    entities = [{"type": random_.choice(TYPES), "start": at, "end": at + random_.choice([1, 2])} for at in starts]
    pairs = set()
    while len(pairs) < LONG_RELATIONS:
        head = random_.randrange(len(entities))
        tail = min(len(entities) - 1, max(0, head + random_.randint(-100, 100)))
        if head != tail:
            pairs.add((head, tail))
    relations = [{"type": random_.choice(RELATIONS), "head": head, "tail": tail} for head, tail in sorted(pairs)]
    return [{"tokens": tokens, "entities": entities, "relations": relations, "orig_id": "long"}]


def keys(sentence):
    """The entities and relations of a sentence as sets."""
    entities = [(e["type"], e["start"], e["end"]) for e in sentence["entities"]]
    relations = {(r["type"], entities[r["head"]], entities[r["tail"]]) for r in sentence["relations"]}
    return set(entities), relations


def expected_counts(gold, predicted):
    """How many entities and relations are right, wrong and missed; missed entities include those with a wrong one in
    their place."""
    counts = collections.Counter()
    for pair in zip(gold, predicted):
        for task, (of_gold, of_prediction) in zip(("entity", "relation"), zip(*map(keys, pair))):
            counts[task, "right"] += len(of_gold & of_prediction)
            counts[task, "wrong"] += len(of_prediction - of_gold)
            counts[task, "missed"] += len(of_gold - of_prediction)
    return counts


# Overlaps between labels, and between labels and words, in the sentences that are drawn.
OVERLAPS = """(() => {
  const found = [];
  let [labels, legged, crossed] = [0, 0, 0];
  for (const svg of document.querySelectorAll("article svg")) {
    const boxes = [...svg.querySelectorAll("text")].map((node) => {
      const { left, right, top, bottom } = node.getBoundingClientRect();
      return { word: node.classList.contains("token"), text: node.textContent, left, right, top: top + 3, bottom: bottom - 3 };
    });
    labels += boxes.filter((box) => !box.word).length;
    boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => {
      if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom && b.top < a.bottom) found.push([a.text, b.text]);
    }));
    // The box of a label is inside of its drawing.
    const own = svg.getBoundingClientRect();
    for (const box of boxes) if (box.left < own.left - 1 || box.right > own.right + 1 || box.top < own.top - 3) found.push([box.text, "edge"]);
    // No leg of an arc passes through the label of another.
    const plates = [...svg.querySelectorAll(".plate")].map((node) => node.getBBox());
    for (const path of svg.querySelectorAll(".arc")) {
      const legs = [...path.getAttribute("d").matchAll(/([\\d.]+) ([\\d.]+)V([\\d.]+)/g)].map((m) => m.slice(1).map(Number));
      legged += legs.length;
      for (const [x, a, b] of legs) for (const p of plates) {
        if (x > p.x + 2 && x < p.x + p.width - 2 && Math.min(a, b) < p.y && Math.max(a, b) > p.y + p.height) crossed++;
      }
    }
  }
  return [labels, legged, crossed, found];
})()"""
# Scrolls down and up and down again, and reports how long the longest task took, and whether a frame showed no sentence.
SCROLL = """(async () => {
  let longest = 0;
  const watch = new PerformanceObserver((list) => { for (const task of list.getEntries()) longest = Math.max(longest, task.duration); });
  watch.observe({ entryTypes: ["longtask"] });
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const times = [];
  let bare = 0;
  let before = performance.now();
  for (let i = 0; i < 240; i++) {
    scrollBy(0, i < 160 ? 400 : -400);
    await frame();
    const now = performance.now();
    times.push(now - before);
    before = now;
    const seen = document.elementFromPoint(innerWidth - 60, innerHeight / 2);
    if (!seen || !seen.closest("article, main")) bare++;
  }
  for (const part of [0.5, 1, 0.2]) {
    scrollTo(0, part * document.documentElement.scrollHeight);
    for (let i = 0; i < 10; i++) await frame();
    if (![...document.querySelectorAll("article")].some((a) => { const b = a.getBoundingClientRect(); return b.bottom > 0 && b.top < innerHeight; })) bare++;
  }
  watch.disconnect();
  times.sort((a, b) => a - b);
  const drawn = document.querySelectorAll("article").length;
  scrollTo(0, 0);
  await frame();
  return [longest, times[Math.floor(0.99 * times.length)], bare, drawn];
})()"""
COUNT = "document.getElementById('count').textContent"


def look_through(browser):
    """Labels, ends of arcs, ends behind a label, and overlaps, at 30 places of the list."""
    totals, overlaps = [0, 0, 0], []
    for place in range(30):
        browser.run(f"scrollTo(0, {place} / 30 * document.documentElement.scrollHeight)")
        browser.run("new Promise((done) => setTimeout(done, 60))")
        *numbers, found = browser.run(OVERLAPS)
        totals = [a + b for a, b in zip(totals, numbers)]
        overlaps += found
    browser.run("scrollTo(0, 0)")
    browser.run("new Promise((done) => setTimeout(done, 100))")
    return *totals, overlaps


def leading(text):
    return int(text.split()[0].replace(",", ""))


def box_counts(browser, name):
    script = f"""[...document.querySelectorAll('#{name} .box')].map((box) =>
      [box.querySelector('.name').textContent, box.querySelector('.number').textContent])"""
    return {kind: int(number.replace(",", "")) for kind, number in browser.run(script)}


def check_counts(browser, counts, fault):
    for task in ("entity", "relation"):
        shown = box_counts(browser, f"{task}-verdicts")
        wrong = sum(shown.get(kind, 0) for kind in ("wrong", "wrong type", "wrong boundary", "invented"))
        if (shown["right"], wrong) != (counts[task, "right"], counts[task, "wrong"]):
            fault(f"{task}: {shown}, expected {counts}")
        if task == "relation" and shown["missed"] != counts[task, "missed"]:
            fault(f"{task}: {shown['missed']} missed, expected {counts[task, 'missed']}")
        if shown["missed"] == 0 or shown["missed"] > counts[task, "missed"]:
            fault(f"{task}: {shown['missed']} missed of {counts[task, 'missed']}")


def check_confidences(browser, gold, predicted, fault):
    """Numbers of predictions and the calibration error, computed again."""
    browser.run("document.getElementById('confidences').open = true")
    captions = browser.run("[...document.querySelectorAll('#confidences figcaption')].map((caption) => caption.textContent)")
    bars = browser.run("[...document.querySelectorAll('#confidences figure')].map((one) => one.querySelectorAll('.bar').length)")
    if len(captions) != 2 or not all(count > 5 for count in bars):
        fault(f"confidences: {captions}, {bars} bars")
        return
    for task, caption in zip(("entities", "relations"), captions):
        bins = [[0, 0.0] for _ in range(10)]
        total = 0
        for pair in zip(gold, predicted):
            of_gold, of_prediction = (keys(one)[task == "relations"] for one in pair)
            spans = [(e["type"], e["start"], e["end"]) for e in pair[1]["entities"]]
            for mark in pair[1][task]:
                key = (mark["type"], mark["start"], mark["end"]) if task == "entities" else (
                    mark["type"], spans[mark["head"]], spans[mark["tail"]])
                one = bins[min(9, int(mark["confidence"] * 10))]
                one[0] += key in of_gold
                one[1] += mark["confidence"]
                total += 1
        error = sum(abs(right - confidence) for right, confidence in bins) / total
        for expected in (f"{total:,} predictions", f"error {100 * error:.1f} %"):
            if expected not in caption:
                fault(f"confidences: expected {expected!r} in {caption!r}")


def check_keyboard(browser, fault):
    """Uses every kind of filter with the keyboard alone."""
    focus = "(() => { const e = document.activeElement; return e.id || e.type || e.tagName; })()"
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    seen = []
    browser.run("document.activeElement.blur()")
    whole = browser.run(COUNT)
    for _ in range(60):
        browser.tab()
        seen.append(browser.run(focus))
        if browser.run(outline) == "none":
            fault(f"no visible focus at {seen[-1]}")
        before = browser.run(COUNT)
        name = f"{seen[-1]}: "
        if seen[-1] == "text":
            browser.type("babbage")
            after = browser.run(COUNT)
            if not 0 < leading(after) < leading(before):
                fault(f"{name}{after} after {before}")
        elif seen[-1] == "confidence":
            browser.key("End", code=35)
            if leading(browser.run(COUNT)) >= leading(before):
                fault(f"{name}{browser.run(COUNT)} after {before}")
            browser.key("Home", code=36)
            for _ in range(3):
                browser.key("PageUp", code=33)
            if browser.run("document.getElementById('confidence-value').textContent") == "0.00":
                fault(f"{name}PageUp does not change it")
        elif seen[-1] == "checkbox":
            browser.key(" ", " ", 32)
            after = browser.run(COUNT)
            if after == before and "checkbox" not in seen[:-1]:
                fault(f"{name}{after} after {before}")
        elif seen[-1] == "reset":
            browser.key("Enter", "\r", 13)
            browser.run("new Promise((done) => setTimeout(done, 50))")
            if browser.run(COUNT) != whole:
                fault(f"{name}{browser.run(COUNT)}, expected {whole}")
            break
    missing = {"text", "confidence", "checkbox", "reset"} - set(seen)
    if missing:
        fault(f"the keyboard does not reach {', '.join(sorted(missing))}: {seen}")
    unnamed = browser.run(
        "[...document.querySelectorAll('input')].filter((i) => i.labels.length === 0 || !i.labels[0].textContent.trim()).length"
    )
    if unnamed:
        fault(f"{unnamed} inputs have no label")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="cman view", help="command that takes FILE --gold FILE --out FILE")
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("--chromium", default="chromium")
    args = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="check_view_"))
    shots = args.screenshots or work
    shots.mkdir(parents=True, exist_ok=True)
    faults = []
    fault = lambda text: faults.append(text)

    gold, predicted = generate()
    (work / "gold.json").write_text(json.dumps(gold))
    (work / "predicted.jsonl").write_text("".join(json.dumps(one) + "\n" for one in predicted))
    program = shlex.split(args.program)
    pages = {name: work / f"{name}.html" for name in ("sample", "corpus", "errors")}
    subprocess.run([*program, str(SAMPLE), "--out", str(pages["sample"])], check=True)
    subprocess.run([*program, str(work / "gold.json"), "--out", str(pages["corpus"])], check=True)
    compared = ["--gold", str(work / "gold.json"), "--out", str(pages["errors"])]
    subprocess.run([*program, str(work / "predicted.jsonl"), *compared], check=True)

    (work / "long.json").write_text(json.dumps(generate_long()))
    long_page = work / "long.html"
    subprocess.run([*program, str(work / "long.json"), "--out", str(long_page)], check=True)

    browser = Browser(args.chromium, work)
    for name, page in pages.items():
        for width in WIDTHS:
            browser.size(width, 900)
            where = f"{name}, {width} pixels"
            seconds = browser.open(page)
            if seconds > OPEN_LIMIT:
                fault(f"{where}: opens in {seconds:.2f} s")
            pause, late, bare, drawn = browser.run(SCROLL)
            if pause > 1000 * PAUSE_LIMIT or bare > 0:
                fault(f"{where}: a task of {pause:.0f} ms while scrolling, {bare} frames without a sentence")
            if drawn > 400:
                fault(f"{where}: {drawn} sentences are in the document")
            labels, legs, crossed, overlaps = look_through(browser)
            if overlaps or labels == 0:
                fault(f"{where}: {len(overlaps)} overlaps between {labels} labels, such as {overlaps[:5]}")
            if crossed > CROSSED_LIMIT[name] * legs:
                fault(f"{where}: {crossed} of {legs} ends of arcs pass behind the label of another arc")
            # A box for a long token scrolls on its own.
            wide = browser.run("document.documentElement.scrollWidth")
            if wide > width:
                fault(f"{where}: the page is {wide} pixels wide")
            if name != "sample" and leading(browser.run(COUNT)) != SENTENCES:
                fault(f"{where}: {browser.run(COUNT)}")
            title, text, images = browser.run(
                "[document.title, document.querySelectorAll('article')[0].textContent, document.images.length]"
            )
            if (name != "sample" and INJECTED not in text) or images or "injected" in title:
                fault(f"{where}: markup in a token is not text")
            for scheme in ("light", "dark"):
                browser.scheme(scheme)
                browser.screenshot(shots / f"view-{name}-{width}-{scheme}.png")
            browser.scheme("light")
            if width == WIDTHS[0] and name == "errors":
                check_counts(browser, expected_counts(gold, predicted), fault)
                check_confidences(browser, gold, predicted, fault)
                browser.screenshot(shots / "view-confidences.png")
                browser.run("document.getElementById('confidences').open = false")
                check_keyboard(browser, fault)
            faults.extend(f"{where}: requested {url}" for url in browser.requests())
            faults.extend(f"{where}: {complaint}" for complaint in browser.complaints())
            print(
                f"{where}: opens in {seconds:.2f} s; scrolling, longest task {pause:.0f} ms, frames {late:.0f} ms (99 %); "
                f"{labels} labels, {crossed} of {legs} ends of arcs behind one"
            )
    browser.size(WIDTHS[0], 900)
    seconds = browser.open(long_page)
    print(f"one sentence of {LONG_TOKENS} tokens: opens in {seconds:.2f} s")
    if seconds > OPEN_LIMIT:
        fault(f"one sentence of {LONG_TOKENS} tokens: opens in {seconds:.2f} s")
    browser.close()
    sizes = ", ".join(f"{name} {page.stat().st_size / 1e6:.1f} MB" for name, page in pages.items())
    print(f"{SENTENCES} sentences: {sizes}; screenshots in {shots}")
    if args.screenshots:
        shutil.rmtree(work, ignore_errors=True)
    print("\n".join(faults) or "no faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
