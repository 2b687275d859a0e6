// Where everything of a sentence lies. No drawing: lengths in pixels in, lengths in pixels out.
//
// A sentence is { tokens, entities, relations }, with entities { start, end, label, gold } and relations { head, tail,
// label }, where head and tail index the entities. The result has, per line of the wrapped sentence, its baseline; per
// token, its place; per entity and relation, its lane and its parts, one per line that it touches.

const GAP = 6;        // between tokens
const TAG = 18;       // height of a lane of entities, below the text
const LANE = 18;      // height of a lane of arcs, above the text
const ASCENT = 15;    // from the baseline to the top of a block
const DESCENT = 6;    // from the baseline to the first lane of entities
const PORT = 11;      // between two arcs at the same entity
const CLEAR = 6;      // between neighbours in the same lane
const TEXT = "15px";
const LABEL = "600 11px";

// `measure(text, font)` gives the width of a text, `room` is the width that lines wrap at.
function layOut(sentence, room, measure) {
  const entities = sentence.entities.map((e) => ({ ...e, width: measure(e.label, LABEL) + 10, parts: [] }));
  const widths = sentence.tokens.map((token) => measure(token, TEXT));
  const places = wrap(widths, entities, room);
  const width = Math.max(room, ...places.map((place) => place.x + place.w));
  entities.forEach((entity) => { entity.parts = entityParts(entity, places, width); });
  assignLanes([...entities].sort((a, b) => (a.gold - b.gold) || (a.end - a.start) - (b.end - b.start) || a.start - b.start));
  const relations = sentence.relations.map((r) => ({ ...r, width: measure(r.label, LABEL) }));
  connect(relations, entities);
  relations.forEach((relation) => { relation.parts = relationParts(relation, width); });
  assignLanes([...relations].sort((a, b) => a.span - b.span || a.from.x - b.from.x));
  const lines = baselines(places, entities, relations);
  relations.forEach((relation) => placeLabel(relation, relations));
  return { places, entities, relations, lines, width, height: lines.at(-1)?.bottom ?? 0 };
}

// The line, x and width of every token. A label widens the last token of its entity; entities stay on one line if they fit.
function wrap(widths, entities, room) {
  const w = [...widths];
  const across = (start, end) => w.slice(start, end).reduce((sum, own) => sum + own, 0) + (end - start - 1) * GAP;
  for (const entity of [...entities].sort((a, b) => (a.end - a.start) - (b.end - b.start))) {
    w[entity.end - 1] += Math.max(0, entity.width - across(entity.start, entity.end));
  }
  // Where a line may not end: inside of an entity.
  const last = w.map((_, t) => t);
  for (const entity of entities) last[entity.start] = Math.max(last[entity.start], entity.end - 1);
  const places = [];
  let [line, x, t] = [0, 0, 0];
  while (t < w.length) {
    let end = last[t];
    for (let inner = t; inner <= end; inner++) end = Math.max(end, last[inner]);
    const whole = across(t, end + 1);
    if (x > 0 && x + whole > room) [line, x] = [line + 1, 0];
    for (; t <= end; t++) {
      if (x > 0 && x + w[t] > room && whole > room) [line, x] = [line + 1, 0];
      places.push({ line, x, w: w[t], text: widths[t] });
      x += w[t] + GAP;
    }
  }
  return places;
}

// One part per line: { line, from, to }. `low` and `high` include the label, which the first part has.
function entityParts(entity, places, width) {
  const parts = [];
  for (let t = entity.start; t < entity.end; t++) {
    const place = places[t];
    const open = parts.at(-1);
    if (open?.line === place.line) open.to = place.x + place.w;
    else parts.push({ line: place.line, from: place.x, to: place.x + place.w });
  }
  parts.forEach((part, i) => {
    const label = i === 0 ? entity.width : 0;
    part.label = Math.max(0, Math.min(part.from, width - label));
    part.low = Math.min(part.from, part.label);
    part.high = Math.max(part.to, part.label + label);
  });
  return parts;
}

// Items in the order from short to long. Each lies beyond all earlier ones that it would touch, so longer ones lie higher.
function assignLanes(items) {
  const laid = new Map(); // parts by line
  for (const item of items) {
    item.lane = 0;
    for (const part of item.parts) {
      for (const [lane, other] of laid.get(part.line) ?? []) {
        if (other.low < part.high + CLEAR && part.low < other.high + CLEAR) item.lane = Math.max(item.lane, lane + 1);
      }
    }
    for (const part of item.parts) {
      if (!laid.has(part.line)) laid.set(part.line, []);
      laid.get(part.line).push([item.lane, part]);
    }
  }
}

// Gives each relation its end points { line, x } and its span in tokens. The arcs of an entity leave it side by side, in the
// order in which they do not cross: to the left from short to long, then to the right from long to short.
function connect(relations, entities) {
  const middle = (entity) => (entity.start + entity.end - 1) / 2;
  const ends = new Map();
  for (const relation of relations) {
    const pair = [entities[relation.head], entities[relation.tail]];
    relation.span = Math.abs(middle(pair[0]) - middle(pair[1]));
    pair.forEach((own, side) => {
      // Entities with the same place share it.
      const key = `${own.parts[0].line} ${own.parts[0].from} ${own.parts[0].to}`;
      const other = pair[1 - side];
      if (!ends.has(key)) ends.set(key, []);
      ends.get(key).push({ relation, side, part: own.parts[0], step: middle(other) - middle(own) || (side ? -1e-3 : 1e-3) });
    });
  }
  for (const list of ends.values()) {
    list.sort((a, b) => Math.sign(a.step) - Math.sign(b.step) || b.step - a.step);
    const { from, to } = list[0].part;
    const step = list.length > 1 ? Math.min(PORT, (to - from - 6) / (list.length - 1)) : 0;
    list.forEach((end, i) => {
      const x = (from + to) / 2 + (i - (list.length - 1) / 2) * step;
      end.relation[end.side === 0 ? "headEnd" : "tailEnd"] = { line: end.part.line, x };
    });
  }
  for (const relation of relations) {
    const { headEnd: a, tailEnd: b } = relation;
    [relation.from, relation.to] = a.line < b.line || (a.line === b.line && a.x <= b.x) ? [a, b] : [b, a];
  }
}

// One part per line between the end points. `low` and `high` include the label on the longest part.
function relationParts(relation, width) {
  const { from, to, headEnd, tailEnd } = relation;
  const parts = [];
  for (let line = from.line; line <= to.line; line++) {
    const part = { line, from: line === from.line ? from.x : 0, to: line === to.line ? to.x : width };
    part.legs = [headEnd, tailEnd].filter((end) => end.line === line).map((end) => end.x);
    [part.low, part.high] = [part.from, part.to];
    parts.push(part);
  }
  const longest = parts.reduce((a, b) => (b.to - b.from > a.to - a.from ? b : a));
  const wide = relation.width + 8;
  const x = Math.max(0, Math.min((longest.from + longest.to - wide) / 2, width - wide));
  // A label that is narrower than its arc moves along it.
  longest.range = wide <= longest.to - longest.from ? [longest.from, longest.to - wide] : [x, x];
  longest.low = Math.min(longest.from, longest.range[0]);
  longest.high = Math.max(longest.to, longest.range[1] + wide);
  relation.labelled = longest;
  return parts;
}

// The label goes to the middle of its arc, or to the nearest place that no leg of a higher arc passes through.
function placeLabel(relation, relations) {
  const { labelled: part, lane, width } = relation;
  const wide = width + 8;
  const legs = relations.filter((other) => other.lane > lane).flatMap((other) => other.parts)
    .filter((other) => other.line === part.line).flatMap((other) => other.legs);
  const free = (x) => legs.every((leg) => leg < x - 1 || leg > x + wide + 1);
  const [low, high] = part.range;
  const middle = (low + high) / 2;
  const steps = Array.from({ length: Math.ceil((high - low) / 4) + 1 }, (_, i) => middle + (i % 2 ? -2 : 2) * i);
  relation.labelX = steps.find((x) => x >= low && x <= high && free(x)) ?? middle;
}

// Top, baseline and bottom of every line: only as high as its lanes need.
function baselines(places, entities, relations) {
  const count = places.length > 0 ? places.at(-1).line + 1 : 0;
  const lines = Array.from({ length: count }, () => ({ above: 0, below: 0 }));
  const raise = (items, side) => items.forEach(({ lane, parts }) => parts.forEach(({ line }) => {
    lines[line][side] = Math.max(lines[line][side], lane + 1);
  }));
  raise(relations, "above");
  raise(entities, "below");
  let y = 0;
  for (const line of lines) {
    line.top = y;
    line.baseline = y + (line.above > 0 ? line.above * LANE + 12 : 4) + ASCENT;
    line.bottom = line.baseline + DESCENT + line.below * TAG + 6;
    y = line.bottom;
  }
  return lines;
}
