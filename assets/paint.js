// Painting on a picture. Strokes are kept as data and sent to Python when the pointer is lifted; what is drawn here is a
// preview by the same rules as wtflow/studies/paint.py (but for the grain of the noise and the exact blur), and gives way to
// Python's own picture when that arrives.

const TOOLS = [
  ["dark", "Dark", "Darken, as a stain does"],
  ["bright", "Bright", "Brighten, as a glint or a hole does"],
  ["blur", "Blur", "Blur, as wear or a smear does"],
  ["noise", "Noise", "Add grain"],
  ["erase", "Erase", "Bring the unpainted picture back"],
  ["paste", "Paste", "Copy a patch from another image"],
];
const HARD_SHARE = 0.5, BLUR_SHARE = 0.5, NOISE_DEVIATION = 0.35, MAX_POINTS = 2000; // as in wtflow/studies/paint.py
const MAX_STROKES = 200, MAX_RADIUS = 512;

const painters = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".paint");
  let painter = painters.get(root);
  if (!painter) painters.set(root, (painter = new Painter(root)));
  painter.update(component.data, (picture) => component.setStateValue("picture", picture));
}

class Painter {
  constructor(root) {
    this.root = root;
    this.kind = "dark";
    this.strength = 0.6;
    this.done = [];
    this.undone = [];
    this.images = new Map(); // pixels of the images to paste from, by key
    this.build();
  }

  // -- what Python sends

  async update(data, send) {
    this.send = send;
    const isNew = this.width !== data.width || this.height !== data.height || this.address !== data.image;
    if (isNew) {
      const { width, height } = data, shorter = Math.min(width, height);
      Object.assign(this, { width, height, address: data.image });
      Object.assign(this.canvas, { width, height });
      this.root.style.setProperty("--ratio", width / height);
      this.radius.max = Math.min(MAX_RADIUS, Math.round(shorter / 4));
      if (!this.radius.dataset.touched) this.radius.value = Math.max(2, Math.round(shorter / 25));
      this.label();
      this.original = null;
      this.original = await pixels(data.image, width, height);
    }
    if (this.version !== data.version || isNew) {
      this.version = data.version;
      this.serial = data.serial;
      this.done = data.done;
      this.undone = data.undone;
      this.replay();
    }
    this.canvas.setAttribute("aria-label", data.name);
    if (data.source.key !== this.source?.key) {
      this.source = { key: data.source.key, label: data.source.label, at: null };
      this.mark.hidden = true;
      if (data.source.image) {
        const found = await pixels(data.source.image, this.width, this.height);
        this.images.set(data.source.key, found);
        show(this.sourceCanvas, found, this.width, this.height);
      }
    }
    if (data.painted && data.serial === this.serial && !this.stroke) {
      const exact = await pixels(data.painted, this.width, this.height);
      if (data.serial === this.serial && !this.stroke) {
        this.base = exact;
        this.draw();
      }
    }
    this.settle();
  }

  change(done, undone) {
    this.done = done;
    this.undone = undone;
    this.serial = (this.serial ?? 0) + 1;
    this.settle();
    this.send({ done, undone, serial: this.serial });
  }

  // -- what a person does

  begin(point, keepsSource) {
    const stroke = { kind: this.kind, points: [point], radius: Number(this.radius.value), strength: this.strength };
    if (this.kind === "paste") {
      if (!keepsSource) {
        const at = this.source.at ?? point;
        this.offset = [at[0] - point[0], at[1] - point[1]];
      }
      stroke.source = { key: this.source.key, dx: this.offset[0], dy: this.offset[1] };
    }
    this.stroke = stroke;
    this.brushwork = this.prepare(stroke);
    this.dab(point, point);
  }

  extend(point) {
    const points = this.stroke.points;
    const last = points[points.length - 1];
    // Points nearer than this change nothing that could be seen, and each one has to travel.
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) < Math.max(0.5, this.stroke.radius / 8)) return;
    points.push(point);
    this.dab(last, point);
    if (points.length >= MAX_POINTS) {
      this.finish();
      this.begin(point, true);
    }
  }

  finish() {
    const stroke = this.stroke;
    this.stroke = null;
    this.base = this.shown;
    this.change([...this.done, stroke], []);
  }

  undo() {
    if (!this.done.length || this.stroke) return;
    const last = this.done[this.done.length - 1];
    this.change(this.done.slice(0, -1), [...this.undone, last]);
    this.replay();
  }

  redo() {
    if (!this.undone.length || this.stroke) return;
    const next = this.undone[this.undone.length - 1];
    this.change([...this.done, next], this.undone.slice(0, -1));
    this.replay();
  }

  clear() {
    if (!this.strokes().length || this.stroke) return;
    this.change([...this.done, { kind: "clear" }], []);
    this.replay();
  }

  strokes() {
    return this.done.slice(this.done.map((stroke) => stroke.kind).lastIndexOf("clear") + 1);
  }

  // -- pixels

  replay() {
    if (!this.original) return;
    this.base = this.original.slice();
    for (const stroke of this.strokes()) {
      const work = this.prepare(stroke);
      stroke.points.forEach((point, i) => cover(work, stroke.points[Math.max(i - 1, 0)], point, this.width, this.height));
      this.base = work.out;
    }
    this.draw();
  }

  /** Everything that is the same for all pixels of one stroke. */
  prepare(stroke) {
    const n = this.width * this.height;
    const work = { stroke, base: this.base, out: this.base.slice(), cover: new Float32Array(n), original: this.original };
    if (stroke.kind === "blur") work.other = blurred(this.base, this.width, this.height, BLUR_SHARE * stroke.strength * stroke.radius);
    if (stroke.kind === "noise") work.grain = grain(n);
    if (stroke.kind === "paste") work.other = this.images.get(stroke.source.key);
    return work;
  }

  dab(from, to) {
    cover(this.brushwork, from, to, this.width, this.height);
    this.shown = this.brushwork.out;
    this.draw(this.shown);
  }

  draw(values = this.base) {
    this.canvas.getContext("2d").putImageData(new ImageData(values, this.width, this.height), 0, 0);
  }

  // -- controls

  build() {
    const tools = add(this.root, "div", { class: "row" });
    const group = add(tools, "div", { class: "group", role: "group", "aria-label": "Brush" });
    this.tools = TOOLS.map(([kind, text, title]) => {
      const button = add(group, "button", { type: "button", title }, text);
      button.onclick = () => this.choose(kind);
      return [kind, button];
    });
    const sliders = add(this.root, "div", { class: "row" });
    this.radius = this.slider(sliders, "Size", 1, 64, 10, "radius of the brush in pixels of the image");
    this.power = this.slider(sliders, "Strength", 5, 100, 100 * this.strength, "strength of the brush");
    this.stage = add(this.root, "div", { class: "stage" });
    this.canvas = add(this.stage, "canvas", { tabindex: "0", role: "img" });
    this.brush = add(this.stage, "div", { class: "brush", hidden: "" });
    const actions = add(this.root, "div", { class: "row", style: "margin: 0.5rem 0 0" });
    this.undoButton = add(actions, "button", { type: "button", title: "Ctrl+Z" }, "↶ Undo");
    this.redoButton = add(actions, "button", { type: "button", title: "Ctrl+Shift+Z" }, "↷ Redo");
    this.clearButton = add(actions, "button", { type: "button", title: "Back to the unpainted picture; can be undone" }, "Clear");
    this.undoButton.onclick = () => this.undo();
    this.redoButton.onclick = () => this.redo();
    this.clearButton.onclick = () => this.clear();
    this.sourceBox = add(this.root, "div", { class: "source", hidden: "" });
    const stage = add(this.sourceBox, "div", { class: "stage" });
    this.sourceCanvas = add(stage, "canvas", { role: "img", "aria-label": "Image to paste from" });
    this.mark = add(stage, "div", { class: "mark", hidden: "" });
    this.sourceText = add(this.sourceBox, "p", {});
    add(this.root, "p", { class: "note" }, "A preview while you paint; on letting go, the exact picture takes its place.");
    this.listen();
    this.choose("dark");
  }

  slider(parent, text, min, max, value, words) {
    const label = add(parent, "label", {}, text);
    const input = add(label, "input", { type: "range", min, max, value, "aria-label": words });
    input.out = add(label, "output", {});
    input.oninput = () => {
      input.dataset.touched = "yes";
      this.label();
    };
    return input;
  }

  label() {
    this.strength = Number(this.power.value) / 100;
    this.radius.out.textContent = `${2 * this.radius.value} px`;
    this.power.out.textContent = `${this.power.value} %`;
  }

  choose(kind) {
    this.kind = kind;
    for (const [own, button] of this.tools) button.setAttribute("aria-pressed", String(own === kind));
    this.power.disabled = kind === "erase";
    this.sourceBox.hidden = kind !== "paste";
  }

  settle() {
    this.undoButton.disabled = !this.done.length;
    this.redoButton.disabled = !this.undone.length;
    this.clearButton.disabled = !this.strokes().length;
    if (this.source) {
      const where = this.source.at ? "the marked place" : "the same place";
      this.sourceText.textContent = `Copies ${where} of ${this.source.label}. Click the small picture, or Alt+click the large one, to mark another place.`;
    }
  }

  listen() {
    const canvas = this.canvas;
    const at = (event, target = canvas) => {
      const box = target.getBoundingClientRect();
      const scale = this.width / box.width;
      return [event.clientX - box.left, event.clientY - box.top].map((value) => Math.round(value * scale * 100) / 100);
    };
    canvas.onpointerdown = (event) => {
      if (event.button !== 0 || !this.original || this.stroke) return;
      event.preventDefault();
      canvas.focus({ preventScroll: true });
      if (this.kind === "paste" && event.altKey) return this.markSource(at(event));
      if (this.kind === "paste" && !this.images.has(this.source?.key)) return;
      if (this.strokes().length >= MAX_STROKES || this.done.length >= 2 * MAX_STROKES) return;
      canvas.setPointerCapture(event.pointerId);
      this.pointer = event.pointerId;
      this.begin(at(event));
    };
    canvas.onpointermove = (event) => {
      this.follow(event);
      if (!this.stroke || event.pointerId !== this.pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      for (const one of events.length ? events : [event]) this.extend(at(one));
    };
    canvas.onpointerup = canvas.onpointercancel = (event) => {
      if (this.stroke && event.pointerId === this.pointer) this.finish();
    };
    canvas.onpointerleave = () => (this.brush.hidden = true);
    this.sourceCanvas.onpointerdown = (event) => this.markSource(at(event, this.sourceCanvas));
    this.root.addEventListener("keydown", (event) => {
      // The page has keys of its own (arrows go to the next image); they are not meant while a slider or the canvas is in use.
      event.stopPropagation();
      if (!(event.ctrlKey || event.metaKey)) return;
      const key = event.key.toLowerCase();
      if (key !== "z" && key !== "y") return;
      event.preventDefault();
      if (key === "y" || event.shiftKey) this.redo();
      else this.undo();
    });
  }

  markSource(point) {
    if (!this.source) return;
    this.source.at = point;
    this.mark.hidden = false;
    this.mark.style.left = `${(100 * point[0]) / this.width}%`;
    this.mark.style.top = `${(100 * point[1]) / this.height}%`;
    this.settle();
  }

  follow(event) {
    const box = this.canvas.getBoundingClientRect();
    const width = (2 * this.radius.value * box.width) / this.width;
    this.brush.hidden = event.pointerType === "touch";
    Object.assign(this.brush.style, {
      left: `${event.clientX - box.left}px`, top: `${event.clientY - box.top}px`, width: `${width}px`, height: `${width}px`,
    });
  }
}

/** Let the brush go from one point to another: raise the cover, and mix again the pixels where it rose. */
function cover(work, from, to, width, height) {
  const r = work.stroke.radius;
  const [ax, ay] = from, [bx, by] = to;
  const dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy;
  const x0 = Math.max(0, Math.floor(Math.min(ax, bx) - r)), x1 = Math.min(width, Math.ceil(Math.max(ax, bx) + r));
  const y0 = Math.max(0, Math.floor(Math.min(ay, by) - r)), y1 = Math.min(height, Math.ceil(Math.max(ay, by) + r));
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) {
      const px = x + 0.5 - ax, py = y + 0.5 - ay;
      const along = length ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0;
      const fall = Math.min(1, Math.max(0, (1 - Math.hypot(px - along * dx, py - along * dy) / r) / (1 - HARD_SHARE)));
      const share = fall * fall * (3 - 2 * fall);
      const i = y * width + x;
      if (share > work.cover[i]) {
        work.cover[i] = share;
        mix(work, x, y, i, width, height, share);
      }
    }
  }
}

function mix({ stroke, base, out, original, other, grain }, x, y, i, width, height, share) {
  const amount = share * stroke.strength;
  let from = 4 * i;
  if (stroke.kind === "paste") {
    const sx = x + Math.round(stroke.source.dx), sy = y + Math.round(stroke.source.dy);
    if (!other || sx < 0 || sy < 0 || sx >= width || sy >= height) return;
    from = 4 * (sy * width + sx);
  }
  for (let c = 0; c < 3; c++) {
    const own = base[4 * i + c];
    let value = own * (1 - amount);
    if (stroke.kind === "bright") value = own + amount * (255 - own);
    else if (stroke.kind === "noise") value = own + amount * NOISE_DEVIATION * 255 * grain[i];
    else if (stroke.kind === "erase") value = original[4 * i + c];
    else if (stroke.kind === "blur") value = own + share * (other[4 * i + c] - own);
    else if (stroke.kind === "paste") value = own + amount * (other[from + c] - own);
    out[4 * i + c] = value; // clamped and rounded by the array
  }
}

/** Three running means one after the other: close to a Gaussian of this deviation. */
function blurred(values, width, height, deviation) {
  const half = Math.max(0, Math.round((Math.sqrt(4 * deviation * deviation + 1) - 1) / 2));
  let now = Float32Array.from(values);
  for (let pass = 0; half && pass < 6; pass++) {
    const next = new Float32Array(now.length);
    const isAlongRow = pass % 2 === 1;
    const step = isAlongRow ? 4 : 4 * width, across = isAlongRow ? 4 * width : 4;
    const n = isAlongRow ? width : height, lines = isAlongRow ? height : width;
    for (let line = 0; line < lines; line++) {
      for (let c = 0; c < 3; c++) {
        const at = (k) => line * across + Math.min(n - 1, Math.max(0, k)) * step + c;
        let sum = 0;
        for (let k = -half; k <= half; k++) sum += now[at(k)];
        for (let k = 0; k < n; k++) {
          next[line * across + k * step + c] = sum / (2 * half + 1);
          sum += now[at(k + half + 1)] - now[at(k - half)];
        }
      }
    }
    now = next;
  }
  return now;
}

/** Nearly normal numbers; the same every time, so that a replay looks alike. */
function grain(n) {
  const out = new Float32Array(n);
  let state = 12345;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 4294967296;
  for (let i = 0; i < n; i++) out[i] = (next() + next() + next() + next() - 2) * Math.sqrt(3);
  return out;
}

function show(canvas, values, width, height) {
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").putImageData(new ImageData(values, width, height), 0, 0);
}
