// The colours of types, as `cman_view::Palette` gives them: the same type has the same colour on every page.

const COLOURS = 12;

// The colour that a type has if no other type has it: FNV-1a of its name.
function preferredColour(name) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(name)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return Number((hash >> 32n) % BigInt(COLOURS));
}

// A map from each of these types to its colour. Their order does not matter.
function coloursOf(names) {
  const bytes = (name) => [...new TextEncoder().encode(name)].map((byte) => String.fromCharCode(byte)).join("");
  const sorted = [...new Set(names)].sort((a, b) => (bytes(a) < bytes(b) ? -1 : 1));
  const [colours, taken] = [new Map(), new Set()];
  for (const name of sorted) {
    let colour = preferredColour(name);
    for (let step = 0; step < COLOURS && taken.has(colour); step++) colour = (preferredColour(name) + step + 1) % COLOURS;
    taken.add(colour);
    colours.set(name, colour);
  }
  return colours;
}
