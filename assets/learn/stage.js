// Lessons, kernel 3 of 5: the stage, one canvas with panels. What its methods draw is in data units.
//
// All scripts of this folder are joined to one: math.js, words.js, stage.js, controls.js, the lessons by name, main.js. So a lesson's file keeps its own names within
// a block and registers itself:
//
//   {
//     LESSON.example = {
//       create(stage, scene, values, api) {
//         const plane = stage.panel({ x: 0, y: 0, w: 1, h: 1 }, { x: [-3, 3], y: [-3, 3], titles: ["x", "y"], equal: true });
//         return { draw() { plane.axes(); plane.points(scene.atoms, C.normal); }, pointer(kind, x, y, panelIndex) {}, dispose() {} };
//       },
//     };
//   }

const LESSON = {}; // name -> { create }

/** Colours by meaning, those of wtflow/plots/theme.py (a test compares). The last three follow the page's theme. */
const C = {
  normal: "#1F7FC0", defect: "#D55E00", time: "#0B9470", selected: "#7463E0", reference: "#7B8494", warn: "#A08E50", rose: "#CC79A7",
  text: "#1B2130", ground: "#FFFFFF", isDark: false,
};
const HEAT = ["#000004", "#1b0c41", "#4a0c6b", "#781c6d", "#a52c60", "#cf4446", "#ed6925", "#fb9b06", "#f7d13d", "#fcffa4"];

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const toRgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** A new element with these properties, styles, data and children. Text is only ever set as text. */
function make(name, props = {}, ...children) {
  const { style, dataset, aria, ...rest } = props, node = Object.assign(document.createElement(name), rest);
  Object.assign(node.style, style);
  Object.assign(node.dataset, dataset);
  for (const [key, value] of Object.entries(aria ?? {})) node.setAttribute(key === "role" ? key : `aria-${key}`, value);
  node.append(...children);
  return node;
}

/** One canvas in `host`. `height` is a CSS length, a number of px, or "" for what the style sheet gives it. `onLayout` is called when its size changed. */
class Stage {
  constructor(host, height, onLayout = () => {}) {
    this.canvas = make("canvas", { tabIndex: 0, aria: { role: "application", label: "Picture of the lesson" } });
    this.holder = make("div", { className: "stage", style: { height: typeof height === "number" ? `${height}px` : height } }, this.canvas);
    host.append(this.holder);
    this.pen = this.canvas.getContext("2d");
    this.words = new Words(this.pen);
    this.panels = [];
    this.onLayout = onLayout;
    this.resizing = new ResizeObserver(() => onLayout());
    this.resizing.observe(this.holder);
  }

  dispose() {
    this.resizing.disconnect();
    this.holder.remove();
  }

  /** A panel in a share of the stage (x, y from the top left, w, h in 0..1). options: x, y (ranges), titles [x, y], heading, equal (one unit is as long on
      both axes; the range then grows), bare (no numbers and titles), log ("x", "y" or "xy": ranges and values stay plain, above 0). */
  panel(place, options) {
    const panel = new Panel(this, place, options);
    panel.index = this.panels.push(panel) - 1;
    return panel;
  }

  /** Take on size and theme, and clear. Called before every draw. */
  begin() {
    const { canvas, holder, pen } = this, css = getComputedStyle(holder), ratio = Math.min(2, devicePixelRatio || 1);
    const read = (name, otherwise) => css.getPropertyValue(name).trim() || otherwise;
    Object.assign(C, { text: read("--st-text-color", "#1B2130"), ground: read("--st-background-color", "#FFFFFF") });
    C.isDark = C.ground.startsWith("#") && C.ground.length === 7 && toRgb(C.ground)[1] < 128;
    Object.assign(this, { width: holder.clientWidth, height: holder.clientHeight, type: parseFloat(css.fontSize) * 0.9, font: css.fontFamily });
    if (canvas.width !== Math.round(this.width * ratio) || canvas.height !== Math.round(this.height * ratio)) {
      Object.assign(canvas, { width: Math.round(this.width * ratio), height: Math.round(this.height * ratio) });
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    this.words.begin(this.type, this.font);
    for (const panel of this.panels) panel.layout();
  }

  /** The panel under a pointer, or null. */
  panelAt(clientX, clientY) {
    return this.panels.find((panel) => panel.at(clientX, clientY)) ?? null;
  }
}

/** A plot area with its own axes. Values are in data units, widths, radii and offsets in px; everything but labels is cut at its edges. */
class Panel {
  constructor(stage, place, { x, y, titles = ["", ""], heading = "", equal = false, bare = false, log = "" }) {
    Object.assign(this, { stage, place, range: { x, y }, titles, heading, equal, bare, log });
  }

  layout() {
    const { place, stage: { width, height, type, words }, titles, heading, bare } = this, right = place.x + place.w < 0.999 ? type * 1.1 : type * 0.7;
    const left = bare ? 4 : type * (titles[1] ? 4.4 : 3.2);
    this.room = [place.x * width, place.y * height, (place.x + place.w) * width, (place.y + place.h) * height]; // for everything of this panel
    this.heads = heading ? words.fit(heading, place.w * width - left - 3, { size: type * 1.1, isBold: true, most: 2 }) : null;
    this.foot = titles[0] && !bare ? words.fit(titles[0], place.w * width - 6, { most: 2 }) : null;
    const bottom = bare ? 4 : this.foot ? type * 2.65 + this.foot.size * (1.2 * this.foot.lines.length - 0.65) : type * 1.9;
    const top = this.heads ? type * 0.7 + 1.2 * this.heads.size * this.heads.lines.length : bare ? 4 : type * 0.8;
    this.left = this.room[0] + left;
    this.top = this.room[1] + top;
    this.width = Math.max(20, place.w * width - left - right);
    this.height = Math.max(20, place.h * height - top - bottom);
    const scale = (axis, [low, high]) => (this.log.includes(axis) ? [Math.log10(low), Math.log10(high)] : [low, high]);
    let [x0, x1] = scale("x", this.range.x), [y0, y1] = scale("y", this.range.y);
    if (this.equal) {
      const unit = Math.max((x1 - x0) / this.width, (y1 - y0) / this.height), cx = (x0 + x1) / 2, cy = (y0 + y1) / 2;
      [x0, x1, y0, y1] = [cx - (unit * this.width) / 2, cx + (unit * this.width) / 2, cy - (unit * this.height) / 2, cy + (unit * this.height) / 2];
    }
    Object.assign(this, { x0, x1, y0, y1 });
  }

  /** Other ranges, e.g. setRange({ y: [0, 5] }). Holds from the next draw on. */
  setRange({ x = this.range.x, y = this.range.y }) {
    this.range = { x, y };
    if (this.width) this.layout();
  }

  /** Data -> px of the stage. */
  px(x, y) {
    const u = this.log.includes("x") ? Math.log10(x) : x, v = this.log.includes("y") ? Math.log10(y) : y;
    return [this.left + ((u - this.x0) / (this.x1 - this.x0)) * this.width, this.top + ((this.y1 - v) / (this.y1 - this.y0)) * this.height];
  }

  /** Place in the browser's window -> [x, y] in data units, or null outside (unless `always`). */
  at(clientX, clientY, always = false) {
    const box = this.stage.canvas.getBoundingClientRect(), u = (clientX - box.left - this.left) / this.width, v = (clientY - box.top - this.top) / this.height;
    if (!always && (u < 0 || u > 1 || v < 0 || v > 1)) return null;
    const x = this.x0 + u * (this.x1 - this.x0), y = this.y1 - v * (this.y1 - this.y0);
    return [this.log.includes("x") ? 10 ** x : x, this.log.includes("y") ? 10 ** y : y];
  }

  /** Data units per px along x: to judge what is near the pointer. */
  get unit() {
    return (this.x1 - this.x0) / this.width;
  }

  /** Draw with the pen cut to the panel; for what the methods below do not offer. act(pen). */
  within(act) {
    const { pen } = this.stage;
    pen.save();
    pen.beginPath();
    pen.rect(this.left, this.top, this.width, this.height);
    pen.clip();
    act(pen);
    pen.restore();
  }

  #ticksOf(axis, room) {
    const [low, high] = axis === "x" ? [this.x0, this.x1] : [this.y0, this.y1];
    if (!this.log.includes(axis)) return ticks(low, high, room);
    const values = [], step = Math.max(1, Math.ceil((high - low) / Math.max(2, room)));
    for (let k = Math.ceil(low - 1e-9); k <= high + 1e-9; k += step) values.push(10 ** k);
    const raised = (k) => String(k).replace(/[-\d]/g, (sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign]));
    return { values, write: (value) => { const k = Math.round(Math.log10(value)); return k >= -3 && k <= 4 ? String(Number(value.toPrecision(1))) : `10${raised(k)}`; } };
  }

  /** Grid, numbers, titles and heading. */
  axes() {
    const before = [this.left, this.top, this.width, this.height].join();
    this.layout(); // the heading may be new
    if (before !== [this.left, this.top, this.width, this.height].join()) this.stage.onLayout(); // what was measured before is drawn again
    const { stage: { pen }, left, top, width, height, bare } = this, right = left + width, bottom = top + height, crisp = (value) => Math.round(value) + 0.5;
    const rule = (alpha, ...ends) => {
      Object.assign(pen, { strokeStyle: C.text, lineWidth: 1, globalAlpha: alpha });
      pen.beginPath();
      pen.moveTo(crisp(ends[0]), crisp(ends[1]));
      pen.lineTo(crisp(ends[2]), crisp(ends[3]));
      pen.stroke();
      pen.globalAlpha = 1;
    };
    const { type } = this.stage, across = this.#ticksOf("x", width / (type * 6)), up = this.#ticksOf("y", height / (type * 4.5));
    this.#writeAround();
    for (const value of across.values) {
      const [x] = this.px(value, this.range.y[0]);
      rule(0.09, x, top, x, bottom);
      if (!bare) this.#number(across.write(value), x, bottom + type * 0.95, "center");
    }
    for (const value of up.values) {
      const [, y] = this.px(this.range.x[0], value);
      rule(0.09, left, y, right, y);
      if (!bare) this.#number(up.write(value), left - 7, y, "right");
    }
    rule(0.28, left, top, left, bottom);
    rule(0.28, left, bottom, right, bottom);
  }

  /** Heading and titles, each within the panel's room. */
  #writeAround() {
    const { stage: { words, type }, left, top, width, height, titles, bare, heads, foot, room } = this;
    if (heads) words.write(heads, words.boxOf(heads, left, top - type * 0.3 - 0.6 * heads.size * heads.lines.length, "left"), "left");
    if (foot) {
      const middle = clamp(left + width / 2, room[0] + 3 + foot.width / 2, room[2] - 3 - foot.width / 2);
      words.write(foot, words.boxOf(foot, middle, room[3] - type * 0.35 - 0.6 * foot.size * foot.lines.length, "center"), "center");
    }
    if (!titles[1] || bare) return;
    const side = words.fit(titles[1], room[3] - room[1] - 6), x = left - type * 3.7, half = 0.55 * side.size;
    const y = clamp(top + height / 2, room[1] + 3 + side.width / 2, room[3] - 3 - side.width / 2);
    words.write(side, [x - half, y - side.width / 2, x + half, y + side.width / 2], "center", { isUp: true });
  }

  /** A number of an axis: smaller or moved a little where it would be cut, left out where it would meet another text. */
  #number(text, x, y, align) {
    const { stage: { words, type }, room, titles } = this, edge = room[0] + (align === "right" && titles[1] ? 1.3 * type : 2);
    const fitted = words.fit(text, align === "right" ? x - edge : room[2] - room[0]), box = words.boxOf(fitted, x, y, align);
    const moveX = Math.max(0, room[0] + 2 - box[0]) - Math.max(0, box[2] - room[2] + 2), moveY = Math.max(0, room[1] + 1 - box[1]) - Math.max(0, box[3] - room[3] + 1);
    const moved = [box[0] + moveX, box[1] + moveY, box[2] + moveX, box[3] + moveY];
    if (words.isFree(moved)) words.write(fitted, moved, align, { alpha: 0.75 });
  }

  /** Discs at xy = [x0, y0, x1, y1, ...]. colour: one, or one per point. */
  points(xy, colour, radius = 3.5, alpha = 0.85) {
    const isOne = typeof colour === "string";
    this.within((pen) => {
      pen.globalAlpha = alpha;
      pen.fillStyle = isOne ? colour : "";
      pen.beginPath();
      for (let i = 0; i + 1 < xy.length; i += 2) {
        const [x, y] = this.px(xy[i], xy[i + 1]);
        if (!isOne) { pen.beginPath(); pen.fillStyle = colour[i / 2]; }
        pen.moveTo(x + radius, y);
        pen.arc(x, y, radius, 0, 2 * Math.PI);
        if (!isOne) pen.fill();
      }
      if (isOne) pen.fill();
    });
  }

  /** Lines from [x0, y0, x1, y1] each, in one flat array. alpha: one, or one per line. */
  segments(ends, colour, width = 1, alpha = 0.5) {
    const isOne = typeof alpha === "number";
    this.within((pen) => {
      Object.assign(pen, { strokeStyle: colour, lineWidth: width, lineCap: "round", globalAlpha: isOne ? alpha : 1 });
      pen.beginPath();
      for (let i = 0; i + 3 < ends.length; i += 4) {
        if (!isOne && alpha[i / 4] < 0.004) continue;
        if (!isOne) { pen.beginPath(); pen.globalAlpha = alpha[i / 4]; }
        pen.moveTo(...this.px(ends[i], ends[i + 1]));
        pen.lineTo(...this.px(ends[i + 2], ends[i + 3]));
        if (!isOne) pen.stroke();
      }
      if (isOne) pen.stroke();
    });
  }

  /** Arrows [x, y, vx, vy] each, in one flat array; an arrow is `scale` times its vector long, from (x, y). */
  arrows(vectors, colour, { scale = 1, width = 1.3, alpha = 0.7, head = 5 } = {}) {
    this.within((pen) => {
      Object.assign(pen, { strokeStyle: colour, fillStyle: colour, lineWidth: width, lineCap: "round", globalAlpha: alpha });
      for (let i = 0; i + 3 < vectors.length; i += 4) {
        const [x, y] = this.px(vectors[i], vectors[i + 1]), [ex, ey] = this.px(vectors[i] + scale * vectors[i + 2], vectors[i + 1] + scale * vectors[i + 3]);
        const length = Math.hypot(ex - x, ey - y);
        if (!(length > 0.7)) continue;
        const tip = Math.min(head, 0.6 * length), ux = (ex - x) / length, uy = (ey - y) / length, bx = ex - tip * ux, by = ey - tip * uy;
        pen.beginPath();
        pen.moveTo(x, y);
        pen.lineTo(bx, by);
        pen.stroke();
        pen.beginPath();
        pen.moveTo(ex, ey);
        pen.lineTo(bx - 0.55 * tip * uy, by + 0.55 * tip * ux);
        pen.lineTo(bx + 0.55 * tip * uy, by - 0.55 * tip * ux);
        pen.fill();
      }
    });
  }

  /** A line through (xs[k], ys[k]); a value that is not finite interrupts it. */
  curve(xs, ys, colour, width = 2, dash = [], alpha = 1) {
    this.within((pen) => {
      Object.assign(pen, { strokeStyle: colour, lineWidth: width, lineJoin: "round", globalAlpha: alpha });
      pen.setLineDash(dash);
      pen.beginPath();
      let isDown = false;
      for (let k = 0; k < xs.length; k++) {
        const [x, y] = this.px(xs[k], ys[k]);
        if (!Number.isFinite(x + y)) { isDown = false; continue; }
        if (isDown) pen.lineTo(x, y); else pen.moveTo(x, y);
        isDown = true;
      }
      pen.stroke();
    });
  }

  /** The area between two curves. */
  area(xs, lows, highs, colour, alpha = 0.15) {
    this.within((pen) => {
      Object.assign(pen, { fillStyle: colour, globalAlpha: alpha });
      pen.beginPath();
      for (let k = 0; k < xs.length; k++) pen.lineTo(...this.px(xs[k], highs[k]));
      for (let k = xs.length - 1; k >= 0; k--) pen.lineTo(...this.px(xs[k], lows[k]));
      pen.fill();
    });
  }

  /** Columns between edges (one more than heights), standing on the axis. */
  bars(edges, heights, colour, alpha = 0.5) {
    this.within((pen) => {
      Object.assign(pen, { fillStyle: colour, globalAlpha: alpha });
      const floor = this.top + this.height;
      heights.forEach((value, k) => {
        const [x0, y] = this.px(edges[k], value), [x1] = this.px(edges[k + 1], value);
        if (Number.isFinite(y)) pen.fillRect(x0, y, Math.max(1, x1 - x0 - 1), floor - y);
      });
    });
  }

  /** A picture of nx * ny values over the panel's range (or `area` {x, y}), rows from low y to high y. colours: hex stops, or value -> [r, g, b, a 0..255]. */
  heat(grid, nx, ny, colours = HEAT, { range = null, alpha = 1, area = { x: [this.x0, this.x1], y: [this.y0, this.y1] } } = {}) {
    let [low, high] = range ?? [Infinity, -Infinity];
    if (!range) for (const value of grid) { if (value < low) low = value; if (value > high) high = value; }
    const stops = Array.isArray(colours) && colours.map(toRgb), paint = stops ? (value) => {
      const place = clamp((value - low) / (high - low || 1), 0, 1) * (stops.length - 1), k = Math.min(stops.length - 2, Math.floor(place));
      return [0, 1, 2].map((c) => stops[k][c] + (place - k) * (stops[k + 1][c] - stops[k][c])).concat(255);
    } : colours;
    const small = (this.small ??= document.createElement("canvas"));
    Object.assign(small, { width: nx, height: ny });
    const pen = small.getContext("2d"), image = pen.createImageData(nx, ny);
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++) if (Number.isFinite(grid[j * nx + i])) image.data.set(paint(grid[j * nx + i]), 4 * ((ny - 1 - j) * nx + i));
    }
    pen.putImageData(image, 0, 0);
    this.within((big) => {
      const [x0, y1] = this.px(area.x[0], area.y[0]), [x1, y0] = this.px(area.x[1], area.y[1]);
      big.globalAlpha = alpha;
      big.drawImage(small, x0, y0, x1 - x0, y1 - y0);
    });
  }

  /** Words near (x, y), on a soft copy of themselves in the ground's colour: dx, dy px away (align left, center, right), or where else there is room. */
  label(text, x, y, options = {}) {
    return this.stage.words.label(text, ...this.px(x, y), this.inner, options);
  }

  /** Where labels may stand: the plot, and what is free at its right. */
  get inner() {
    return [this.left + 2, this.top + 1, this.room[2] - 2, this.top + this.height - 2];
  }

  /** A mark at (x, y): shape ring, dot or cross. */
  marker(x, y, { colour = C.selected, radius = 7, shape = "ring", width = 2.4 } = {}) {
    this.within((pen) => {
      const [px, py] = this.px(x, y);
      for (const [ink, thick] of [[C.ground, width + 3], [colour, width]]) {
        Object.assign(pen, { strokeStyle: ink, fillStyle: ink, lineWidth: thick, lineCap: "round" });
        pen.beginPath();
        if (shape === "cross") for (const s of [-1, 1]) { pen.moveTo(px - radius, py - s * radius); pen.lineTo(px + radius, py + s * radius); }
        else pen.arc(px, py, shape === "dot" && ink === C.ground ? radius + 1.5 : radius, 0, 2 * Math.PI);
        if (shape === "dot") pen.fill(); else pen.stroke();
      }
    });
  }

  /** Whether a place is in the panel, and not so near its edge that a mark there would be cut. */
  shows(x, y) {
    const [px, py] = this.px(x, y);
    return Math.abs(px - this.left - this.width / 2) <= this.width / 2 - 5 && Math.abs(py - this.top - this.height / 2) <= this.height / 2 - 5;
  }

  /** A place outside the panel or at its edge: an arrow there, on the way there from the origin, with words beside it. Returns whether the place is outside. */
  beyond(x, y, text, colour = C.selected) {
    const { left, top, width, height, stage: { type } } = this, [px, py] = this.px(x, y), [ox, oy] = this.px(0, 0), dx = px - ox, dy = py - oy;
    if (this.shows(x, y)) return false;
    const edge = (from, move, low, high) => (move > 0 ? (high - from) / move : move < 0 ? (low - from) / move : Infinity), far = Math.hypot(dx, dy);
    const share = Math.min(edge(ox, dx, left, left + width), edge(oy, dy, top, top + height)), [ux, uy] = [dx / far, dy / far], size = type * 0.75;
    this.within((pen) => {
      const [tipX, tipY] = [ox + share * dx - 2 * ux, oy + share * dy - 2 * uy];
      Object.assign(pen, { fillStyle: colour, strokeStyle: C.ground, lineWidth: 2 });
      pen.beginPath();
      pen.moveTo(tipX, tipY);
      for (const side of [-1, 1]) pen.lineTo(tipX - size * (ux + side * 0.6 * uy), tipY - size * (uy - side * 0.6 * ux));
      pen.closePath();
      pen.stroke();
      pen.fill();
    });
    const [mx, my] = [ox + share * dx - 0.5 * size * ux, oy + share * dy - 0.5 * size * uy], isFlat = Math.abs(ux) > Math.abs(uy); // above or below a flat arrow, beside an upright one
    const beside = isFlat ? { dy: -type * 1.1, align: ux > 0 ? "right" : "left" } : { dx: size };
    this.stage.words.taken.push([mx - 0.6 * size, my - 0.6 * size, mx + 0.6 * size, my + 0.6 * size]);
    this.stage.words.label(text, mx, my, this.inner, { ...beside, colour, isBold: true });
    return true;
  }

  /** A circle of radius r in data units (equal axes). */
  circle(x, y, r, colour = C.reference, width = 1.5, dash = [5, 4]) {
    const angles = Array.from({ length: 73 }, (_, k) => (k * Math.PI) / 36);
    this.curve(angles.map((a) => x + r * Math.cos(a)), angles.map((a) => y + r * Math.sin(a)), colour, width, dash);
  }

  /** A line across the panel at x = value (axis "x") or y = value, with words at its end. */
  line(axis, value, colour = C.reference, { text = "", width = 1.5, dash = [5, 4] } = {}) {
    const un = (end, name) => (this.log.includes(name) ? 10 ** end : end), x = [un(this.x0, "x"), un(this.x1, "x")], y = [un(this.y0, "y"), un(this.y1, "y")];
    if (axis === "x") this.curve([value, value], y, colour, width, dash);
    else this.curve(x, [value, value], colour, width, dash);
    if (!text) return;
    const [px, py] = axis === "x" ? this.px(value, y[1]) : this.px(x[1], value), { type } = this.stage;
    if (px < this.left - 1 || px > this.left + this.width + 1 || py < this.top - 1 || py > this.top + this.height + 1) return;
    if (axis === "x") this.label(text, value, y[1], { dx: px > this.left + this.width * 0.65 ? -6 : 6, dy: type * 0.8, align: px > this.left + this.width * 0.65 ? "right" : "left" });
    else this.label(text, x[1], value, { dx: -6, dy: py < this.top + type * 1.6 ? type * 0.8 : -type * 0.8, align: "right" });
  }
}
