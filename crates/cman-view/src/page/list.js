// The list of sentences. Only the groups near the window are in the document; the others are empty boxes of their height.

const GROUP = 8; // sentences that are drawn at once

function makeList(root, makeArticle) {
  let groups = new Map();
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) build(target);
      else empty(target);
    }
  }, { rootMargin: "1200px 0px" });

  function build(box) {
    const group = groups.get(box);
    if (!group || group.built) return;
    group.built = true;
    box.style.height = "";
    box.replaceChildren(...group.sentences.map((sentence) => makeArticle(sentence, root.clientWidth)));
  }

  // A box with the focus keeps its content.
  function empty(box) {
    const group = groups.get(box);
    if (!group?.built || box.contains(document.activeElement)) return;
    box.style.height = `${box.offsetHeight}px`;
    box.replaceChildren();
    group.built = false;
  }

  // The height of a sentence, without drawing it.
  function estimate({ text, entities, relations }) {
    const lines = Math.ceil((text.length * 7.6 + entities.length * 12) / Math.max(root.clientWidth - 34, 100));
    const arcs = Math.min(relations.length / lines, 4);
    return 52 + lines * (31 + (entities.length > 0 ? TAG : 0) + (arcs > 0 ? 13 + arcs * LANE : 0));
  }

  return {
    // Shows these sentences in place of the ones before.
    show(sentences) {
      observer.disconnect();
      groups = new Map();
      for (let i = 0; i < sentences.length; i += GROUP) {
        const own = sentences.slice(i, i + GROUP);
        const box = document.createElement("div");
        box.style.height = `${own.reduce((sum, sentence) => sum + estimate(sentence), 0)}px`;
        groups.set(box, { sentences: own, built: false });
      }
      root.replaceChildren(...groups.keys());
      // The first ones are drawn at once, the others when they come near.
      for (const box of [...groups.keys()].slice(0, 2)) build(box);
      for (const box of groups.keys()) observer.observe(box);
    },
  };
}
