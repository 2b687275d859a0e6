// The list of sentences. Only the groups near the window are in the document; the others are empty boxes of their height.

const GROUP = 4; // sentences that are drawn at once

function makeList(root, makeArticle) {
  let groups = new Map();
  const observer = new IntersectionObserver((entries) => {
    // All reading before all writing, so that the browser computes its layout once.
    const width = root.clientWidth;
    const boxes = entries.map(({ target, isIntersecting }) => [target, isIntersecting, isIntersecting ? 0 : target.offsetHeight]);
    for (const [box, isNear, height] of boxes) {
      if (isNear) build(box, width);
      else empty(box, height);
    }
  }, { rootMargin: "800px 0px" });

  function build(box, width) {
    const group = groups.get(box);
    if (!group || group.built) return;
    group.built = true;
    box.style.height = "";
    box.replaceChildren(...group.sentences.map((sentence) => makeArticle(sentence, width)));
  }

  // A box with the focus keeps its content.
  function empty(box, height) {
    const group = groups.get(box);
    if (!group?.built || box.contains(document.activeElement)) return;
    box.style.height = `${height}px`;
    box.replaceChildren();
    group.built = false;
  }

  // The height of a sentence, without drawing it.
  function estimate({ text, entities, relations }, width) {
    const lines = Math.ceil((text.length * 7.6 + entities.length * 12) / Math.max(width - 34, 100));
    const arcs = Math.min(relations.length / lines, 4);
    return 52 + lines * (31 + (entities.length > 0 ? TAG : 0) + (arcs > 0 ? 13 + arcs * LANE : 0));
  }

  return {
    // Shows these sentences in place of the ones before.
    show(sentences) {
      observer.disconnect();
      groups = new Map();
      const width = root.clientWidth;
      for (let i = 0; i < sentences.length; i += GROUP) {
        const own = sentences.slice(i, i + GROUP);
        const box = document.createElement("div");
        box.style.height = `${own.reduce((sum, sentence) => sum + estimate(sentence, width), 0)}px`;
        groups.set(box, { sentences: own, built: false });
      }
      root.replaceChildren(...groups.keys());
      // The first ones are drawn at once, the others when they come near.
      for (const box of [...groups.keys()].slice(0, 3)) build(box, width);
      for (const box of groups.keys()) observer.observe(box);
    },
  };
}
