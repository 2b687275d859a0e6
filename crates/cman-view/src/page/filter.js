// Which marks and sentences the filters leave, and how many of each kind.

// The state of the filters: text, confidence, and the checked values of each group.
const filters = { text: "", confidence: 0, types: new Set(), verdicts: new Set() };

// A type and a verdict are named by task and index, because entities and relations have both.
const typeKey = (mark) => `${mark.task} ${mark.kind}`;
const verdictKey = (mark) => `${mark.task} ${mark.verdict}`;

// How a mark with this verdict is drawn.
function look(verdict) {
  if (verdict === null || verdict === RIGHT) return { remark: null, manner: "" };
  return { remark: data.verdicts[verdict], manner: verdict === MISSED || verdict === EXPECTED ? "gold" : "error" };
}

function makeMarks(sentence, task, rows) {
  const types = data[task];
  return rows.map(([kind, a, b, verdict, confidence]) => {
    const place = task === "entities" ? { start: a, end: b } : { head: a, tail: b };
    return { task, kind, type: types[kind][0], colour: types[kind][1], ...place, verdict, confidence, ...look(verdict), shown: true };
  });
}

function makeSentence([id, tokens, entities, relations]) {
  const sentence = { id, tokens, text: tokens.join(" ").toLowerCase() };
  sentence.entities = makeMarks(sentence, "entities", entities);
  sentence.relations = makeMarks(sentence, "relations", relations);
  return sentence;
}

// The marks of one task that pass each of the two groups of that task.
function passing(marks) {
  const [types, verdicts] = [filters.types, filters.verdicts].map((keys) => [...keys].filter((key) => key.startsWith(marks[0]?.task)));
  // The gold entity in whose place there is a wrong one is part of that error, and is not counted twice.
  const shown = marks.filter((mark) => mark.shown && mark.verdict !== EXPECTED);
  const ofType = (mark) => types.length === 0 || types.includes(typeKey(mark));
  const ofVerdict = (mark) => verdicts.length === 0 || verdicts.includes(verdictKey(mark));
  return { any: shown.length > 0, byType: shown.filter(ofVerdict), byVerdict: shown.filter(ofType), both: shown.filter((mark) => ofType(mark) && ofVerdict(mark)) };
}

// Applies the filters to all sentences. Returns the sentences that are left, the numbers of their marks that pass, and for
// every check box the number of marks as if no box of its own group were checked.
function applyFilters(sentences) {
  const { confidence, types, verdicts } = filters;
  const text = filters.text.trim().toLowerCase();
  const tasks = ["entities", "relations"];
  const asked = Object.fromEntries(tasks.map((task) => [task, [...types, ...verdicts].some((key) => key.startsWith(task))]));
  const counts = { types: new Map(), verdicts: new Map(), entities: 0, relations: 0 };
  const add = (group, key) => counts[group].set(key, (counts[group].get(key) ?? 0) + 1);
  const left = [];
  for (const sentence of sentences) {
    for (const entity of sentence.entities) entity.shown = entity.confidence === null || entity.confidence >= confidence;
    for (const relation of sentence.relations) {
      relation.shown = (relation.confidence === null || relation.confidence >= confidence) &&
        sentence.entities[relation.head].shown && sentence.entities[relation.tail].shown;
    }
    if (!sentence.text.includes(text)) continue;
    const found = Object.fromEntries(tasks.map((task) => [task, passing(sentence[task])]));
    if (confidence > 0 && !tasks.some((task) => found[task].any)) continue;
    const fits = (task) => !asked[task] || found[task].both.length > 0;
    tasks.forEach((task, i) => {
      if (!fits(tasks[1 - i])) return;
      for (const mark of found[task].byType) add("types", typeKey(mark));
      for (const mark of found[task].byVerdict) add("verdicts", verdictKey(mark));
    });
    if (!tasks.every(fits)) continue;
    for (const task of tasks) counts[task] += found[task].both.length;
    left.push(sentence);
  }
  return { left, counts };
}
