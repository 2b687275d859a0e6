// Asks the service and draws its answer.

const at = (id) => document.getElementById(id);
const plural = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
let models = [];
let shown = null; // { text, found, model }
let asked = 0;    // the number of the last question; answers to earlier ones are not shown

// Asks a route. Fails with a message for people.
async function ask(route, body) {
  const headers = {};
  if (at("key").value) headers.Authorization = `Bearer ${at("key").value}`;
  if (body) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(route, body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers });
  } catch {
    throw new Error("The service does not answer.");
  }
  if (answer.status === 401) at("key-field").hidden = false;
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(content.detail ?? `The service answers with status ${answer.status}.`);
  return content;
}

async function learn() {
  ({ models } = await ask("info"));
  at("model").replaceChildren(...models.map(({ name }) => new Option(name, name)));
  at("model-field").hidden = models.length < 2;
}

// The sentences of a document as the drawing takes them: words are cut at spaces and where entities start and end.
function sentencesOf(text, { sentences, entities, relations }, { entities: entityTypes, relations: relationTypes }) {
  const colours = [coloursOf(entityTypes), coloursOf(relationTypes)];
  const mark = ({ type, confidence }, task) => ({ type, colour: colours[task].get(type) ?? 0, confidence, remark: null, manner: "", shown: true });
  return sentences.map(({ utf16, windows, tokens: count }, index) => {
    const own = entities.map((entity, place) => ({ ...entity, place })).filter(({ sentence }) => sentence === index);
    const edges = new Set(own.flatMap(({ utf16: { start, end } }) => [start, end]));
    const [tokens, starts] = [[], []];
    let open = false;
    for (let i = utf16.start; i < utf16.end; i++) {
      const isSpace = /\s/.test(text[i]);
      if (!isSpace && (!open || edges.has(i))) [tokens.push(""), starts.push(i)];
      if (!isSpace) tokens[tokens.length - 1] += text[i];
      open = !isSpace;
    }
    const places = new Map(own.map(({ place }, i) => [place, i]));
    return {
      tokens, windows, count,
      entities: own.map((entity) => ({
        ...mark(entity, 0),
        start: starts.indexOf(entity.utf16.start),
        end: starts.filter((start) => start < entity.utf16.end).length,
      })),
      relations: relations.filter(({ head }) => places.has(head))
        .map((relation) => ({ ...mark(relation, 1), head: places.get(relation.head), tail: places.get(relation.tail) })),
    };
  });
}

function drawFound() {
  const { text, found, model } = shown;
  const width = at("found").clientWidth;
  at("found").replaceChildren(...sentencesOf(text, found, model).map((sentence) => {
    const article = document.createElement("article");
    if (sentence.windows > 1) {
      const note = document.createElement("p");
      note.className = "help";
      note.textContent = `This sentence of ${sentence.count} tokens was read in ${sentence.windows} windows: relations across them are not found.`;
      article.append(note);
    }
    article.append(drawIn(sentence, width - 34));
    return article;
  }));
}

function clear() {
  shown = null;
  at("found").replaceChildren();
  at("legend").hidden = at("answer").hidden = true;
}

function fail(error) {
  clear();
  at("status").textContent = "";
  at("error").textContent = error.message;
  at("error").hidden = false;
}

function optionsOf() {
  const options = { entity_threshold: Number(at("entity-threshold").value) };
  if (at("relation-threshold").value !== "") options.relation_threshold = Number(at("relation-threshold").value);
  if (at("signatures").checked) options.signatures = "trained";
  return options;
}

async function extract() {
  const [own, text] = [++asked, at("text").value];
  at("error").hidden = true;
  at("status").textContent = "Reading …";
  at("extract").setAttribute("aria-disabled", "true");
  try {
    if (models.length === 0) await learn();
    const name = at("model").value;
    const answer = await ask("extract", { text, model: name, options: optionsOf() });
    if (own !== asked) return;
    const [found] = answer.documents;
    shown = { text, found, model: models.find((model) => model.name === name) };
    drawFound();
    at("status").textContent = `${plural(found.sentences.length, "sentence", "sentences")}, ` +
      `${plural(found.entities.length, "entity", "entities")}, ${plural(found.relations.length, "relation", "relations")}`;
    at("json").textContent = JSON.stringify(answer, null, 2);
    at("legend").hidden = at("answer").hidden = false;
  } catch (error) {
    if (own === asked) fail(error);
  } finally {
    if (own === asked) at("extract").removeAttribute("aria-disabled");
  }
}

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  extract();
});
at("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("form").requestSubmit();
});
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  if (shown) requestAnimationFrame(() => shown && drawFound());
});
learn().catch(fail);
