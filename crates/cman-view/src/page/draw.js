// A sentence as SVG. Text is only ever the content of a text node or the value of an attribute.
//
// A sentence is { tokens, entities, relations }. A mark, which is an entity { start, end, .. } by tokens or a relation
// { head, tail, .. } by entities, has a type, a colour from 0 to 11, a confidence or null, a remark or null, a manner (""
// plain, "error", "gold" dashed) and `shown`.

function element(name, attributes = {}, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

const EDGE = 4; // what a drawing is wider than its words, on each side
const pen = document.createElement("canvas").getContext("2d");
const family = getComputedStyle(document.body).fontFamily;
const known = new Map();
function measure(text, font) {
  const key = `${font} ${text}`;
  let width = known.get(key);
  if (width === undefined) {
    pen.font = `${font} ${family}`;
    width = pen.measureText(text).width;
    known.set(key, width);
  }
  return width;
}

// The name of a mark: its type, its confidence, and what is wrong with it.
function labelOf({ type, confidence, remark }) {
  const parts = [type];
  if (confidence !== null) parts.push(confidence.toFixed(2));
  if (remark !== null) parts.push(`· ${remark}`);
  return parts.join(" ");
}

// The sentence with the marks that are shown.
function visible(sentence) {
  const places = new Map();
  const entities = [];
  sentence.entities.forEach((entity, i) => {
    if (!entity.shown) return;
    places.set(i, entities.length);
    entities.push({ ...entity, label: labelOf(entity), gold: Number(entity.manner === "gold") });
  });
  const relations = sentence.relations.filter((relation) => relation.shown)
    .map((relation) => ({ ...relation, head: places.get(relation.head), tail: places.get(relation.tail), label: labelOf(relation) }));
  return { tokens: sentence.tokens, entities, relations };
}

function describe({ tokens, entities, relations }) {
  const text = (entity) => tokens.slice(entity.start, entity.end).join(" ");
  const named = entities.map((entity) => `${text(entity)}: ${entity.label}`);
  const related = relations.map((r) => `${text(entities[r.head])} to ${text(entities[r.tail])}: ${r.label}`);
  return [tokens.join(" "), named.length ? `Entities: ${named.join("; ")}.` : "", related.length ? `Relations: ${related.join("; ")}.` : ""]
    .filter(Boolean).join(" ");
}

function draw(sentence, room) {
  const shown = visible(sentence);
  const { places, entities, relations, lines, width, height } = layOut(shown, room, measure);
  const size = [Math.ceil(width) + 2 * EDGE, Math.ceil(height)];
  const svg = element("svg", { width: size[0], height: size[1], viewBox: `${-EDGE} 0 ${size[0]} ${size[1]}`, role: "img", "aria-label": describe(shown) });
  for (const entity of entities) {
    entity.parts.forEach((part, i) => {
      const { baseline } = lines[part.line];
      const top = baseline + DESCENT + part.lane * TAG;
      const end = i === 0 ? Math.max(part.to, part.label + entity.width) : part.to;
      const rect = (name, from, y, to, height) =>
        element("rect", { class: `c${entity.colour} ${name}`, x: from - 2, y, width: to - from + 4, height, rx: 4 });
      // The words of the innermost entity have its ground too.
      if (part.lane === 0 && !entity.gold) svg.append(rect("block", part.from, baseline - ASCENT - 1, part.to, ASCENT + DESCENT + TAG - 1));
      svg.append(rect(`chip ${entity.manner}`, Math.min(part.from, part.label), top, end, TAG - 2));
      if (i === 0) svg.append(element("text", { class: `c${entity.colour} tag`, x: part.label + 3, y: top + 12 }, entity.label));
    });
  }
  places.forEach((place, t) => svg.append(element("text", { class: "token", x: place.x, y: lines[place.line].baseline }, shown.tokens[t])));
  for (const relation of relations) drawArc(svg, relation, lines);
  for (const relation of relations) {
    for (const part of relation.parts.filter(({ labelled }) => labelled)) {
      const y = level(lines[part.line], part);
      svg.append(element("rect", { class: "plate", x: part.labelX, y: y - 7, width: relation.width + PLATE, height: 14 }));
      svg.append(element("text", { class: `c${relation.colour} tag arc-label`, x: part.labelX + PLATE / 2, y: y + 4 }, relation.label));
    }
  }
  return svg;
}

// The height of an arc on a line.
const level = (line, part) => line.baseline - ASCENT - RISE - part.lane * LANE;

function drawArc(svg, relation, lines) {
  const { headEnd, tailEnd } = relation;
  for (const part of relation.parts) {
    const line = lines[part.line];
    const y = level(line, part);
    const foot = line.baseline - ASCENT - 3;
    const bend = Math.min(6, (part.to - part.from) / 2);
    const [rises, falls] = [part.line === relation.from.line, part.line === relation.to.line];
    let path = rises ? `M${part.from} ${foot}V${y + bend}Q${part.from} ${y} ${part.from + bend} ${y}` : `M${part.from} ${y}`;
    path += falls ? `H${part.to - bend}Q${part.to} ${y} ${part.to} ${y + bend}V${foot}` : `H${part.to}`;
    svg.append(element("path", { class: `c${relation.colour} arc ${relation.manner}`, d: path }));
    if (part.line === tailEnd.line) {
      svg.append(element("path", { class: `c${relation.colour} head`, d: `M${tailEnd.x} ${foot + 2}l-4 -7h8z` }));
    }
    if (part.line === headEnd.line) {
      svg.append(element("circle", { class: `c${relation.colour} head`, cx: headEnd.x, cy: foot, r: 2 }));
    }
  }
}

// The drawing of a sentence in a box of this width. A drawing that is wider than the box scrolls, also with the keyboard.
function drawIn(sentence, width) {
  const drawing = document.createElement("div");
  drawing.className = "drawing";
  const svg = draw(sentence, Math.max(width - 2 * EDGE, 160));
  drawing.append(svg);
  if (Number(svg.getAttribute("width")) > width + 1) {
    drawing.tabIndex = 0;
    drawing.setAttribute("role", "group");
    drawing.setAttribute("aria-label", "sentence, scrolls sideways");
  }
  return drawing;
}
