"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const [view, kind, task, type, words, list, more, count] =
    ["view", "kind", "task", "type", "words", "sentences", "more", "count"].map(at);
  const PAGE = 20;
  let shown = [];
  let drawn = 0;

  // Entities are equal if type and span are equal; relations if type and both typed arguments are equal.
  const entityKey = (e) => e.join("\t");
  const relationKey = (r, entities) => [r[0], entityKey(entities[r[1]]), entityKey(entities[r[2]])].join("\n");
  const keys = (marks) => ({
    entities: marks.entities.map(entityKey),
    relations: marks.relations.map((r) => relationKey(r, marks.entities)),
  });

  // Compares gold and predicted marks. A mark is right; or fn (missed) if gold, fp (wrong) if predicted.
  function judge(gold, predicted) {
    const [g, p] = [keys(gold), keys(predicted)];
    const judged = { id: gold.id, tokens: gold.tokens, gold: [], predicted: [], errors: [] };
    for (const [task, part] of [["entity", "entities"], ["relation", "relations"]]) {
      for (const [side, marks, own, other, wrong] of [
        ["gold", gold, g, p, "fn"],
        ["predicted", predicted, p, g, "fp"],
      ]) {
        const others = new Set(other[part]);
        marks[part].forEach((mark, i) => {
          const state = others.has(own[part][i]) ? "right" : wrong;
          const spans = task === "entity" ? [[mark[1], mark[2]]] : [mark[1], mark[2]].map((e) => marks.entities[e].slice(1));
          judged[side].push({ task, type: mark[0], spans, state });
          if (state !== "right") judged.errors.push({ task, type: mark[0], state });
        });
      }
    }
    return judged;
  }

  function matches(sentence) {
    const fits = (mark) =>
      (task.value === "both" || mark.task === task.value) && (type.value === "" || mark.type === type.value);
    const errors = sentence.errors.filter(fits);
    const marks = sentence.gold.concat(sentence.predicted).filter(fits);
    const text = sentence.tokens.join(" ").toLowerCase();
    if (!text.includes(words.value.trim().toLowerCase())) return false;
    switch (kind.value) {
      case "error": return errors.length > 0;
      case "fp": case "fn": return errors.some((error) => error.state === kind.value);
      case "right": return errors.length === 0 && (type.value === "" || marks.length > 0);
      default: return type.value === "" || marks.length > 0;
    }
  }

  const pen = document.createElement("canvas").getContext("2d");
  const family = getComputedStyle(document.body).fontFamily;
  function width(text, font) {
    pen.font = `${font} ${family}`;
    return pen.measureText(text).width;
  }
  const node = (name, attributes, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // Draws the words in lines of the page's width, with gold marks above and predicted marks below each line. Entities
  // are next to the words and relations farther away; overlapping marks are in different lanes. A relation between two
  // lines continues at the edge.
  function draw(sentence, room) {
    const GAP = 7, LANE = 19, TAG = 15;
    const needed = sentence.tokens.map((token) => width(token, "14px"));
    for (const mark of [...sentence.gold, ...sentence.predicted]) {
      if (mark.task !== "entity") continue;
      const [start, end] = mark.spans[0];
      const has = needed.slice(start, end).reduce((sum, w) => sum + w + GAP, -GAP);
      const lacks = width(mark.type, "600 10.5px") + 4 - has;
      if (lacks > 0) needed[end - 1] += lacks;
    }
    const places = [];
    let [line, x] = [0, 0];
    needed.forEach((w) => {
      if (x > 0 && x + w > room) [line, x] = [line + 1, 0];
      places.push({ line, x, w });
      x += w + GAP;
    });
    const lines = line + 1;

    // The horizontal extent of a mark on each of its lines.
    const stretches = (mark) => {
      const ends = mark.spans.map(([start, end]) => {
        const [first, last] = [places[start], places[end - 1]];
        return { line: first.line, x: first.line === last.line ? (first.x + last.x + last.w) / 2 : first.x + first.w / 2, start, end };
      });
      if (mark.task === "entity") {
        const all = [];
        for (let t = ends[0].start; t < ends[0].end; t++) {
          const place = places[t];
          const open = all.find((stretch) => stretch.line === place.line);
          if (open) open.to = place.x + place.w;
          else all.push({ line: place.line, from: place.x, to: place.x + place.w });
        }
        return all;
      }
      const [a, b] = ends;
      const [first, last] = a.line < b.line || (a.line === b.line && a.x <= b.x) ? [a, b] : [b, a];
      const all = [];
      for (let l = first.line; l <= last.line; l++) {
        all.push({
          line: l, from: l === first.line ? first.x : 0, to: l === last.line ? last.x : room,
          head: a.line === l ? a.x : undefined, tail: b.line === l ? b.x : undefined,
        });
      }
      return all;
    };
    const lay = (marks, task) => {
      const taken = [];
      const laid = marks.filter((mark) => mark.task === task).map((mark) => ({ mark, parts: stretches(mark) }));
      const size = (item) => item.parts.reduce((sum, part) => sum + part.to - part.from, 0);
      laid.sort((a, b) => size(a) - size(b));
      for (const item of laid) {
        const label = width(item.mark.type, "600 10.5px") + 8;
        const clear = (lane) => item.parts.every((part) => (taken[lane] || []).every((other) => {
          const grow = task === "relation" ? Math.max(0, label - (part.to - part.from)) / 2 + 3 : 0;
          return other.line !== part.line || other.to < part.from - grow || other.from > part.to + grow;
        }));
        item.lane = 0;
        while (!clear(item.lane)) item.lane++;
        (taken[item.lane] ||= []).push(...item.parts);
      }
      return laid;
    };
    const lanes = (laid, l) => laid.reduce((most, item) =>
      item.parts.some((part) => part.line === l) ? Math.max(most, item.lane + 1) : most, 0);

    const sides = [[sentence.gold, -1], [sentence.predicted, 1]].map(([marks, sign]) => ({
      sign, entities: lay(marks, "entity"), relations: lay(marks, "relation"),
    }));
    const extent = (side, l) => lanes(side.entities, l) * TAG + lanes(side.relations, l) * LANE + 12;
    const base = [];
    let y = 0;
    for (let l = 0; l < lines; l++) {
      y += extent(sides[0], l) + 14;
      base.push(y);
      y += extent(sides[1], l) + 12;
    }

    const svg = node("svg", { height: y, viewBox: `0 0 ${room} ${y}`, role: "img" });
    places.forEach((place, t) => svg.append(node("text", { x: place.x, y: base[place.line] }, sentence.tokens[t])));
    for (const { sign, entities, relations } of sides) {
      const edge = (l) => (sign < 0 ? base[l] - 15 : base[l] + 6);
      for (const { mark, parts, lane } of entities) {
        parts.forEach((part, i) => {
          const y = edge(part.line) + sign * lane * TAG;
          svg.append(node("path", { class: `mark bar ${mark.state}`, d: `M${part.from} ${y}H${part.to}` }));
          if (i === 0) svg.append(node("text", { class: `tag ${mark.state}`, x: part.from, y: sign < 0 ? y - 4 : y + 11 }, mark.type));
        });
      }
      for (const { mark, parts, lane } of relations) {
        const longest = parts.reduce((a, b) => (b.to - b.from > a.to - a.from ? b : a));
        for (const part of parts) {
          const near = edge(part.line) + sign * (lanes(entities, part.line) * TAG + 2);
          const y = near + sign * ((lane + 1) * LANE - 6);
          let path = `M${part.from} ${y}H${part.to}`;
          if (part.head !== undefined) path += `M${part.head} ${y}V${near}`;
          if (part.tail !== undefined) {
            path += `M${part.tail} ${y}V${near}m-3.5 ${sign * 5}l3.5 ${-sign * 5}l3.5 ${sign * 5}`;
          }
          svg.append(node("path", { class: `mark ${mark.state}`, d: path }));
          if (part === longest) {
            // The label is on the line, on the side away from the words.
            const w = width(mark.type, "600 10.5px");
            const x = Math.min(Math.max((part.from + part.to - w) / 2, 0), Math.max(room - w, 0));
            const top = sign < 0 ? y - 14 : y + 3;
            svg.append(node("rect", { class: "label", x: x - 2, y: top, width: w + 4, height: 10.5 }));
            svg.append(node("text", { class: `tag ${mark.state}`, x, y: top + 9 }, mark.type));
          }
        }
      }
    }
    return svg;
  }

  function append() {
    const room = Math.max(list.clientWidth, 240);
    for (const sentence of shown.slice(drawn, drawn + PAGE)) {
      const article = document.createElement("article");
      const title = document.createElement("h3");
      const say = (text, name) => {
        const part = document.createElement("b");
        part.textContent = text;
        if (name) part.className = name;
        title.append(part);
      };
      say(sentence.id);
      for (const [state, name] of [["fn", "missed"], ["fp", "wrong"]]) {
        const n = sentence.errors.filter((error) => error.state === state).length;
        if (n > 0) say(`${n} ${name}`, state);
      }
      article.append(title, draw(sentence, room));
      list.append(article);
    }
    drawn = Math.min(drawn + PAGE, shown.length);
    more.hidden = drawn >= shown.length;
  }

  let judged = [];
  function filter() {
    shown = judged.filter(matches);
    drawn = 0;
    list.replaceChildren();
    count.textContent = `${shown.length} of ${judged.length} sentences`;
    append();
  }
  function choose() {
    const chosen = data.views[view.value];
    const gold = data.gold[chosen.gold];
    judged = chosen.sentences.map((predicted, i) => judge(gold[i], predicted));
    const types = new Set(judged.flatMap((s) => s.gold.concat(s.predicted)).map((mark) => mark.type));
    const kept = type.value;
    type.replaceChildren(new Option("all", ""), ...[...types].sort().map((name) => new Option(name, name)));
    type.value = types.has(kept) ? kept : "";
    filter();
  }

  data.views.forEach((v, i) => view.append(new Option(v.name, i)));
  view.addEventListener("change", choose);
  [kind, task, type].forEach((select) => select.addEventListener("change", filter));
  words.addEventListener("input", filter);
  words.form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", append);
  let before = list.clientWidth;
  window.addEventListener("resize", () => {
    if (list.clientWidth !== before) filter();
    before = list.clientWidth;
  });
  choose();
})();
