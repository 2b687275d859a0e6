// Which marks and sentences the filters leave, and how many of each kind.

// The state of the filters: text, confidence, and the checked values of each group.
const filters = { text: "", confidence: 0, types: new Set(), verdicts: new Set() };

// A type and a verdict are named by task and index, because entities and relations have both.
const typeKey = (mark) => `${mark.task} ${mark.kind}`;
const verdictKey = (mark) => `${mark.task} ${mark.verdict}`;

function makeMarks(sentence, task, rows) {
  const types = data[task];
  return rows.map(([kind, a, b, verdict, confidence]) => {
    const place = task === "entities" ? { start: a, end: b } : { head: a, tail: b };
    return { task, kind, type: types[kind][0], colour: types[kind][1], ...place, verdict, confidence, shown: true };
  });
}

function makeSentence([id, tokens, entities, relations]) {
  const sentence = { id, tokens, text: tokens.join(" ").toLowerCase() };
  sentence.entities = makeMarks(sentence, "entities", entities);
  sentence.relations = makeMarks(sentence, "relations", relations);
  return sentence;
}

// Applies the filters to all sentences. Returns the sentences that are left and the counts of types and verdicts, each of
// them as if no box of its own group were checked.
function applyFilters(sentences) {
  const { confidence, types, verdicts } = filters;
  const text = filters.text.trim().toLowerCase();
  const selective = types.size > 0 || verdicts.size > 0 || confidence > 0;
  const counts = { types: new Map(), verdicts: new Map(), entities: 0, relations: 0 };
  const left = [];
  for (const sentence of sentences) {
    for (const entity of sentence.entities) entity.shown = entity.confidence === null || entity.confidence >= confidence;
    for (const relation of sentence.relations) {
      relation.shown = (relation.confidence === null || relation.confidence >= confidence) &&
        sentence.entities[relation.head].shown && sentence.entities[relation.tail].shown;
    }
    if (!sentence.text.includes(text)) continue;
    let fits = !selective;
    for (const marks of [sentence.entities, sentence.relations]) {
      for (const mark of marks) {
        // The gold entity in whose place there is a wrong one is part of that error, and is not counted twice.
        if (!mark.shown || mark.verdict === EXPECTED) continue;
        const [type, verdict] = [typeKey(mark), verdictKey(mark)];
        const [typeFits, verdictFits] = [types.size === 0 || types.has(type), verdicts.size === 0 || verdicts.has(verdict)];
        if (verdictFits) counts.types.set(type, (counts.types.get(type) ?? 0) + 1);
        if (typeFits) counts.verdicts.set(verdict, (counts.verdicts.get(verdict) ?? 0) + 1);
        if (!typeFits || !verdictFits) continue;
        counts[mark.task]++;
        fits = true;
      }
    }
    if (fits) left.push(sentence);
  }
  return { left, counts };
}
