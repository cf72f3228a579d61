// Lessons, kernel 2 of 5: words in the picture. None is written over another, none is cut: what has no room is broken into lines, written smaller or moved.
// Boxes are [left, top, right, bottom] in px of the stage. Also how numbers are written.

/** A number for people: four digits after the point, or a power of ten. */
function toWords(value) {
  if (typeof value === "string") return value;
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value), text = size >= 1e5 || (size && size < 1e-3) ? value.toExponential(2) : value.toFixed(size < 100 ? 4 : 1);
  return text.replace("-", "−");
}

/** Round numbers within [low, high], about `wanted` of them, and how to write them. */
function ticks(low, high, wanted) {
  const raw = (high - low) / Math.max(1, wanted), power = 10 ** Math.floor(Math.log10(raw));
  const step = power * (raw / power < 1.5 ? 1 : raw / power < 3.5 ? 2 : raw / power < 7.5 ? 5 : 10), values = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) values.push(k * step);
  const digits = clamp(-Math.floor(Math.log10(step) + 1e-9), 0, 6);
  return { values, write: (value) => (Math.abs(value) < step / 1e6 ? 0 : value).toFixed(digits).replace("-", "−") };
}

const BREAK = / (?![=−/])(?<![=−/—·-] )/; // a formula or a dash and its word stay in one line

class Words {
  constructor(pen) {
    Object.assign(this, { pen, taken: [], widths: new Map() });
  }

  /** A new picture: nothing is written yet. type: the usual size in px. */
  begin(type, font) {
    Object.assign(this, { type, font, taken: [], widths: new Map() });
  }

  widthOf(text, size, isBold = false) {
    const key = `${isBold} ${text}`;
    if (!this.widths.has(key)) {
      this.pen.font = this.#font(100, isBold);
      this.widths.set(key, this.pen.measureText(text).width / 100);
    }
    return this.widths.get(key) * size;
  }

  #font(size, isBold) {
    return `${isBold ? 600 : 400} ${size}px ${this.font}`;
  }

  /** Text as lines of at most `room` px: whole and up to `least` smaller, else in up to `most` lines, and as small as that takes. */
  fit(text, room, { size = this.type, isBold = false, most = 1, least = 0.85 } = {}) {
    const whole = this.widthOf(text, size, isBold), done = (lines, used) => ({ lines, size: used, isBold, width: Math.max(...lines.map((line) => this.widthOf(line, used, isBold))) });
    if (most === 1 || least * whole <= room) return done([text], size * Math.min(1, room / (whole || 1)));
    for (let used = size; ; used *= 0.94) {
      const lines = [];
      for (const word of text.split(BREAK)) {
        if (lines.length && this.widthOf(`${lines.at(-1)} ${word}`, used, isBold) <= room) lines.push(`${lines.pop()} ${word}`);
        else lines.push(word);
      }
      const found = done(lines, used);
      if ((lines.length <= most && found.width <= room) || used < 0.3 * size) return found;
    }
  }

  /** The box of lines around (x, y), their middle; align: where x is. */
  boxOf({ lines, size, width }, x, y, align) {
    const left = x - width * { left: 0, center: 0.5, right: 1 }[align], half = (0.55 + 0.6 * (lines.length - 1)) * size;
    return [left, y - half, left + width, y + half];
  }

  isFree([left, top, right, bottom]) {
    const gap = this.type / 4; // between words that stand side by side
    return this.taken.every((box) => left >= box[2] + gap || right <= box[0] - gap || top >= box[3] || bottom <= box[1]);
  }

  /** Write lines into their box, which is taken from then on. isUp: turned, to be read from below. */
  write({ lines, size, isBold }, box, align, { colour = C.text, alpha = 1, halo = false, isUp = false } = {}) {
    const { pen } = this, [left, top, right, bottom] = box, x = { left, center: (left + right) / 2, right }[align], y = (top + bottom) / 2;
    this.taken.push(box);
    pen.save();
    Object.assign(pen, { font: this.#font(size, isBold), textAlign: align, textBaseline: "middle", strokeStyle: C.ground, fillStyle: colour, lineWidth: 5, lineJoin: "round" });
    if (isUp) { pen.translate(x, y); pen.rotate(-Math.PI / 2); pen.translate(-x, -y); }
    lines.forEach((line, k) => {
      const at = y + (k - (lines.length - 1) / 2) * 1.2 * size;
      pen.globalAlpha = 0.85;
      if (halo) pen.strokeText(line, x, at);
      pen.globalAlpha = alpha;
      pen.fillText(line, x, at);
    });
    pen.restore();
  }

  /** A label at (x + dx, y + dy) within `room`; where something is written already, on another side of (x, y) or some lines away. Returns whether there was room. */
  label(text, x, y, room, { dx = 0, dy = 0, align = "left", size = 1, isBold = false, colour = C.text }) {
    const across = room[2] - room[0], other = { left: "right", right: "left", center: "center" }[align];
    for (const share of [1, 0.85, 0.7]) {
      const fitted = this.fit(text, across, { size: this.type * size * share, isBold, most: 3 }), line = 1.2 * fitted.size;
      const tries = [[dx, dy, align], [-dx, dy, other], [dx, -dy, align], [-dx, -dy, other]];
      for (let k = 1; k <= 5; k++) for (const way of [-1, 1]) tries.push([dx, dy + way * k * line, align], [-dx, dy + way * k * line, other]);
      for (const [right, down, side] of tries) {
        const box = this.boxOf(fitted, x + right, y + down, side), [moveX, moveY] = [0, 1].map((c) => Math.max(0, room[c] - box[c]) - Math.max(0, box[c + 2] - room[c + 2]));
        const moved = [box[0] + moveX, box[1] + moveY, box[2] + moveX, box[3] + moveY];
        if (moved[1] < room[1] - 0.5 || !this.isFree(moved)) continue;
        this.write(fitted, moved, side, { colour, halo: true });
        return true;
      }
    }
    return false;
  }
}
