// Where everything of a sentence lies. No drawing: lengths in pixels in, lengths in pixels out.
//
// A sentence is { tokens, entities, relations }, with entities { start, end, label, gold } and relations { head, tail,
// label }, where head and tail index the entities. The result has, per line of the wrapped sentence, its baseline; per
// token, its place; per entity and relation, its parts, one per line that it touches, each with its lane.

const GAP = 6;        // between tokens
const TAG = 18;       // height of a lane of entities, below the text
const LANE = 18;      // height of a lane of arcs, above the text
const ASCENT = 15;    // from the baseline to the top of a block
const DESCENT = 6;    // from the baseline to the first lane of entities
const RISE = 17;       // from the top of a block to the first lane of arcs
const PORT = 11;      // between two arcs at the same entity
const PLATE = 8;      // what the ground of an arc's label is wider than the label
const CLEAR = 6;      // between neighbours in the same lane
const TEXT = "15px";
const LABEL = "600 11px";

// `measure(text, font)` gives the width of a text, `room` is the width that lines wrap at.
function layOut(sentence, room, measure) {
  const entities = sentence.entities.map((e) => ({ ...e, width: measure(e.label, LABEL) + 9, parts: [] }));
  const relations = sentence.relations.map((r) => ({ ...r, width: measure(r.label, LABEL) }));
  const widths = sentence.tokens.map((token) => measure(token, TEXT));
  const places = wrap(...spread(widths, entities, relations, room), entities, room);
  const width = Math.max(room, ...places.map((place) => place.x + place.w));
  entities.forEach((entity) => { entity.parts = entityParts(entity, places, width); });
  assignLanes([...entities].sort((a, b) => (a.gold - b.gold) || (a.end - a.start) - (b.end - b.start) || a.start - b.start));
  connect(relations, entities);
  relations.forEach((relation) => { relation.parts = relationParts(relation, width); });
  assignLanes([...relations].sort((a, b) => a.span - b.span || a.index - b.index));
  const lines = baselines(places, entities, relations);
  const laid = partsByLine(relations);
  relations.forEach((relation) => placeLabels(relation, laid));
  return { places, entities, relations, lines, width, height: lines.at(-1)?.bottom ?? 0 };
}

// The width of every token, and the space before it. A label widens the last token of its entity. Between two entities there
// is room for the label of their relation, beside the arcs that end at them.
function spread(widths, entities, relations, room) {
  const [w, before] = [[...widths], widths.map((_, t) => (t > 0 ? GAP : 0))];
  const across = (start, end) => {
    let sum = 0;
    for (let t = start; t < end; t++) sum += w[t] + (t > start ? before[t] : 0);
    return sum;
  };
  for (const entity of [...entities].sort((a, b) => (a.end - a.start) - (b.end - b.start))) {
    w[entity.end - 1] += Math.max(0, entity.width - across(entity.start, entity.end));
  }
  const arcs = entities.map((_, e) => relations.filter((relation) => relation.head === e || relation.tail === e).length);
  for (const { head, tail, width } of relations) {
    const [left, right] = [entities[head], entities[tail]].sort((a, b) => a.start - b.start);
    if (left.end > right.start) continue;
    const halves = (across(left.start, left.end) + across(right.start, right.end)) / 2;
    const between = across(left.start, right.end) - 2 * halves;
    const missing = width + PLATE + PORT * Math.max(arcs[head], arcs[tail]) - (between + halves);
    if (missing > 0 && between < room / 3) before[right.start] += missing;
  }
  return [w, before];
}

// The line, x and width of every token. An entity stays on one line if it fits.
function wrap(w, before, entities, room) {
  // Where a line may not end: inside of an entity.
  const last = w.map((_, t) => t);
  for (const entity of entities) last[entity.start] = Math.max(last[entity.start], entity.end - 1);
  const places = [];
  let [line, x, t] = [0, 0, 0];
  while (t < w.length) {
    let end = last[t];
    for (let inner = t; inner <= end; inner++) end = Math.max(end, last[inner]);
    let whole = w[t];
    for (let inner = t + 1; inner <= end; inner++) whole += before[inner] + w[inner];
    for (const first = t; t <= end; t++) {
      const needed = t === first && whole <= room ? whole : w[t];
      if (x > 0 && x + before[t] + needed > room) [line, x] = [line + 1, 0];
      if (x > 0) x += before[t];
      places.push({ line, x, w: w[t] });
      x += w[t];
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

// Items in the order from short to long. On its line, each part lies beyond all earlier ones that it would touch, so longer
// ones lie higher.
function assignLanes(items) {
  const laid = new Map(); // the ends and the lane of the parts by line, in arrays of numbers because there may be many
  for (const part of items.flatMap((item) => item.parts)) {
    if (!laid.has(part.line)) laid.set(part.line, { lows: [], highs: [], lanes: [] });
    const { lows, highs, lanes } = laid.get(part.line);
    const [low, high] = [part.low - CLEAR, part.high + CLEAR];
    let lane = 0;
    for (let i = 0; i < lanes.length; i++) {
      if (lanes[i] >= lane && lows[i] < high && low < highs[i]) lane = lanes[i] + 1;
    }
    part.lane = lane;
    lows.push(part.low);
    highs.push(part.high);
    lanes.push(lane);
  }
}

// Gives each relation its end points { line, x } and its span in tokens. The arcs of an entity leave it side by side, in the
// order in which they do not cross: to the left from short to long, then to the right from long to short. Of arcs between the
// same entities, the later one is outside.
function connect(relations, entities) {
  const middle = (entity) => (entity.start + entity.end - 1) / 2;
  const ends = new Map();
  relations.forEach((relation, index) => { relation.index = index; });
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
    list.sort((a, b) => Math.sign(a.step) - Math.sign(b.step) || b.step - a.step ||
      Math.sign(a.step) * (b.relation.index - a.relation.index));
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

// One part per line between the end points. The longest part has a label, and so has every part with room for it; `low` and
// `high` include it.
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
  const wide = relation.width + PLATE;
  for (const part of parts) {
    part.labelled = part === longest || wide + 40 < part.to - part.from;
    if (!part.labelled) continue;
    const middle = Math.max(0, Math.min((part.from + part.to - wide) / 2, width - wide));
    part.labelX = middle;
    part.low = Math.min(part.from, middle);
    part.high = Math.max(part.to, middle + wide);
    // A label that is narrower than its arc stays on it; a wider one covers it. Both stay on the page.
    const ends = [part.from, part.to - wide].sort((a, b) => a - b);
    part.range = [Math.max(0, ends[0]), Math.max(0, Math.min(ends[1], width - wide))];
  }
  return parts;
}

// The parts of all relations on each line: those with legs, and those of each lane. A long sentence has many parts, but few
// of them are near a label.
function partsByLine(relations) {
  const laid = new Map();
  for (const part of relations.flatMap((relation) => relation.parts)) {
    if (!laid.has(part.line)) laid.set(part.line, { legged: [], lanes: new Map() });
    const { legged, lanes } = laid.get(part.line);
    if (part.legs.length > 0) legged.push(part);
    if (!lanes.has(part.lane)) lanes.set(part.lane, []);
    lanes.get(part.lane).push(part);
  }
  return laid;
}

// A label goes to the middle of its arc, or to the nearest place that no leg of a higher arc passes through. `laid` has the
// parts of all relations by line; a relation has at most one part on a line.
function placeLabels(relation, laid) {
  const wide = relation.width + PLATE;
  for (const part of relation.parts.filter((own) => own.labelled)) {
    const { legged, lanes } = laid.get(part.line);
    const legs = legged.filter(({ lane }) => lane > part.lane).flatMap((other) => other.legs);
    const beside = lanes.get(part.lane).filter((other) => other !== part);
    const free = (x) => legs.every((leg) => leg < x - 1 || leg > x + wide + 1) &&
      beside.every((other) => other.high < x - CLEAR || other.low > x + wide + CLEAR);
    const [low, high] = part.range;
    for (let i = 0; i <= Math.ceil((high - low) / 2); i++) {
      const place = part.labelX + (i % 2 ? -2 : 2) * i;
      if (place >= low && place <= high && free(place)) {
        part.labelX = place;
        break;
      }
    }
    part.low = Math.min(part.low, part.labelX);
    part.high = Math.max(part.high, part.labelX + wide);
  }
}

// Top, baseline and bottom of every line: only as high as its lanes need.
function baselines(places, entities, relations) {
  const count = places.length > 0 ? places.at(-1).line + 1 : 0;
  const lines = Array.from({ length: count }, () => ({ above: 0, below: 0 }));
  const raise = (items, side) => items.forEach(({ parts }) => parts.forEach(({ line, lane }) => {
    lines[line][side] = Math.max(lines[line][side], lane + 1);
  }));
  raise(relations, "above");
  raise(entities, "below");
  let y = 0;
  for (const line of lines) {
    line.top = y;
    line.baseline = y + (line.above > 0 ? line.above * LANE + RISE - 4 : 4) + ASCENT;
    line.bottom = line.baseline + DESCENT + line.below * TAG + 6;
    y = line.bottom;
  }
  return lines;
}
