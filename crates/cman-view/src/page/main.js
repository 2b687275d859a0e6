// Puts the page together.

const data = JSON.parse(document.getElementById("data").textContent);
const [RIGHT, MISSED, EXPECTED] = ["right", "missed", "gold"].map((name) => data.verdicts.indexOf(name));
const at = (id) => document.getElementById(id);
const number = (value) => value.toLocaleString("en");
const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many}`;

const sentences = data.sentences.map(makeSentence);
data.sentences = null;
const boxes = []; // { key, group, input, output, row }

function html(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

// A check box with the number of marks that it stands for.
function addBox(fieldset, group, key, name, colour) {
  const row = html("label", "box");
  const input = html("input");
  input.type = "checkbox";
  input.addEventListener("change", () => {
    if (input.checked) filters[group].add(key);
    else filters[group].delete(key);
    update();
  });
  const output = html("span", "number");
  row.append(input, html("span", colour === undefined ? "name" : `name type c${colour}`, name), output);
  fieldset.append(row);
  fieldset.hidden = false;
  boxes.push({ key, group, input, output, row });
}

function makeBoxes() {
  for (const task of ["entities", "relations"]) {
    const one = task === "entities" ? "entity" : "relation";
    at(`${one}-types`).hidden = true;
    data[task].forEach(([name, colour], kind) => addBox(at(`${one}-types`), "types", `${task} ${kind}`, name, colour));
    if (data.scores === null) continue;
    const own = task === "entities" ? ["right", "wrong type", "wrong boundary", "invented", "missed"] : ["right", "wrong", "missed"];
    for (const name of own) addBox(at(`${one}-verdicts`), "verdicts", `${task} ${data.verdicts.indexOf(name)}`, name);
  }
}

function makeArticle(sentence, room) {
  const article = html("article");
  const title = html("h2");
  title.append(html("span", "id", sentence.id));
  const wrong = (marks) => marks.filter((mark) => mark.verdict !== null && mark.verdict !== RIGHT && mark.verdict !== EXPECTED).length;
  const [entities, relations] = [wrong(sentence.entities), wrong(sentence.relations)];
  const errors = [entities && plural(entities, "entity error", "entity errors"), relations && plural(relations, "relation error", "relation errors")];
  if (entities + relations > 0) title.append(html("span", "errors", errors.filter(Boolean).join(", ")));
  article.append(title, drawIn(sentence, room - 34));
  return article;
}

const list = makeList(at("sentences"), makeArticle);

function update() {
  const { left, counts } = applyFilters(sentences);
  for (const { key, group, input, output, row } of boxes) {
    const count = counts[group].get(key) ?? 0;
    output.textContent = number(count);
    row.classList.toggle("none", count === 0 && !input.checked);
  }
  at("count").textContent = `${number(left.length)} of ${plural(sentences.length, "sentence", "sentences")} · ` +
    `${plural(counts.entities, "entity", "entities")} · ${plural(counts.relations, "relation", "relations")}`;
  list.show(left);
  if (left.length === 0) at("sentences").append(html("p", "empty", "No sentence passes all filters."));
}

function makeHeader() {
  const tokens = sentences.reduce((sum, sentence) => sum + sentence.tokens.length, 0);
  const compared = data.scores === null ? "" : ", compared with gold annotation";
  at("summary").textContent = `${plural(sentences.length, "sentence", "sentences")}, ${plural(tokens, "token", "tokens")}${compared}`;
  at("scores").hidden = data.scores === null;
  for (const [name, ...values] of data.scores ?? []) {
    const row = html("tr");
    const title = html("th", "", name);
    title.scope = "row";
    row.append(title, ...values.map((value) => html("td", "", (100 * value).toFixed(2))));
    at("scores").tBodies[0].append(row);
  }
  const drawn = ["Blocks below the words are entities. An arc leads from the first argument of a relation (dot) to the second (arrow)."];
  if (data.confident) drawn.push("Numbers are confidences.");
  if (data.scores !== null) drawn.push("Labels without a remark are right; dashed marks are gold annotation that was not predicted.");
  at("legend").textContent = drawn.join(" ");
}

function start() {
  makeHeader();
  makeBoxes();
  at("controls").open = matchMedia("(min-width: 861px)").matches;
  at("confidence-field").hidden = !data.confident;
  makeConfidences(at("confidences"));
  at("text").addEventListener("input", () => { filters.text = at("text").value; update(); });
  at("confidence").addEventListener("input", () => {
    filters.confidence = Number(at("confidence").value);
    at("confidence-value").textContent = filters.confidence.toFixed(2);
    update();
  });
  at("filters").addEventListener("submit", (event) => event.preventDefault());
  at("filters").addEventListener("reset", () => {
    Object.assign(filters, { text: "", confidence: 0, types: new Set(), verdicts: new Set() });
    at("confidence-value").textContent = "0.00";
    // The inputs have their first values after this event.
    setTimeout(update);
  });
  let width = at("sentences").clientWidth;
  addEventListener("resize", () => {
    if (at("sentences").clientWidth === width) return;
    width = at("sentences").clientWidth;
    if (width > 0) requestAnimationFrame(update);
  });
  update();
}

start();
