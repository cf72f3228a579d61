// The site's page of a lesson, 1 of 2: what an address says. wtflow/lessons/base.py reads the same in Python; a test compares the two.

const OWN_LIMIT = 5; // coordinates of points drawn by hand lie within +- this limit

/** A number as a person writes it in an address; NaN for anything else. */
const toNumber = (text) => (text.trim() ? Number(text) : NaN);

/** Values of all controls from "t:0.3,rho:-0.5". What is absent or no number keeps its start, the rest is moved into range. */
function readSettings(controls, text) {
  const given = {}, values = {};
  for (const part of (text ?? "").split(",")) {
    const [, name, value] = part.trim().match(/^([^:]*):(.*)$/s) ?? [];
    if (name !== undefined) given[name] = toNumber(value);
  }
  for (const { name, kind, low, high, start } of controls) {
    const value = given[name];
    values[name] = Number.isFinite(value) ? clamp(kind === "choice" ? Math.round(value) : value, low, high) : start;
  }
  return values;
}

/** Points drawn by hand, from "x,y;x,y", as [x, y, x, y, ...]; null where they cannot be read. */
function readPoints(text) {
  const pairs = text.split(";").filter((pair) => pair.trim()).map((pair) => pair.split(",").map(toNumber));
  const areRead = pairs.every((pair) => pair.length === 2 && pair.every((value) => Math.abs(value) <= OWN_LIMIT));
  return areRead && pairs.length >= 1 && pairs.length <= MOST_POINTS ? Float32Array.from(pairs.flat()) : null;
}
