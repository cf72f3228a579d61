// Draw on a picture which part of it is defective. The mask is kept at the full size of the image, however small the picture on the
// screen is, and goes to Python as a PNG a moment after each change; nothing else is told.

const TOOLS = [
  ["brush", "Brush", "B", "Mark what the pointer passes over"],
  ["erase", "Erase", "E", "Take marks away"],
  ["polygon", "Polygon", "P", "Click from corner to corner; Enter or a click on the first corner closes it"],
  ["fill", "Fill", "F", "Mark all within an outline that you drew"],
];
const WAIT_MS = 700; // after the last change, before it is saved
const MOST_UNDO = 200, CLOSE_PX = 12, LARGE_SHARE = 0.5, MARK = "#19D3C5"; // truth, as in wtflow/plots/theme.py

const editors = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".mask");
  let editor = editors.get(root);
  if (!editor) editors.set(root, (editor = new Editor(root)));
  editor.update(component.data, (saved) => component.setStateValue("saved", saved));
}

class Editor {
  constructor(root) {
    this.root = root;
    this.tool = "brush";
    this.serial = 0;
    this.zoom = new Zoom(() => this.draw(), () => {});
    this.fingers = new Map();
    this.build();
    new ResizeObserver(() => this.draw()).observe(this.frame);
  }

  // -- what Python sends

  async update(data, send) {
    this.send = send;
    this.next.textContent = data.next;
    this.next.hidden = !data.next;
    if (data.key === this.key) return;
    if (this.mask) this.save(false); // of the picture before
    const { key, width, height } = data;
    this.key = key;
    this.mask = this.picture = null;
    const [picture, mask] = await Promise.all([load(data.image), decoded(data.mask, width, height)]);
    if (this.key !== key) return; // another one was asked for meanwhile
    Object.assign(this, { picture, mask, done: [], undone: [], corners: [], isSaved: true });
    this.count();
    this.layer = Object.assign(document.createElement("canvas"), { width, height });
    this.root.style.setProperty("--ratio", width / height);
    this.canvas.setAttribute("aria-label", `${data.name}: draw the defect`);
    this.size.max = Math.max(20, Math.round(Math.min(width, height) / 5));
    if (!this.size.dataset.touched) this.size.value = Math.max(2, Math.round(Math.min(width, height) / 30));
    this.zoom.fit(width, height);
    this.zoom.reset();
    this.repaint([0, 0, width, height]);
    this.root.dataset.picture = key;
    this.label();
    this.say("");
  }

  /** Hand over the mask, at once. wantsNext: the person is done with this picture. */
  save(wantsNext) {
    clearTimeout(this.waiting);
    if (!this.mask || (this.isSaved && !wantsNext)) return;
    this.isSaved = true;
    const isEmpty = !this.n;
    this.send({ key: this.key, serial: ++this.serial, png: isEmpty ? "" : encoded(this.mask), next: wantsNext, pen: PEN });
    this.label();
  }

  // -- changes, each of which can be taken back

  begin() {
    this.before = this.mask.bytes.slice();
    this.box = null;
  }

  touch(box) {
    if (!box) return;
    this.box = joined(this.box, box);
    this.repaint(box);
  }

  end() {
    const { box, before } = this, { bytes, width } = this.mask;
    this.before = null;
    if (!box) return;
    this.done.push({ box, before: cut(before, width, box), after: cut(bytes, width, box) });
    if (this.done.length > MOST_UNDO) this.done.shift();
    this.undone = [];
    this.changed();
  }

  count() {
    this.n = 0;
    for (const value of this.mask.bytes) this.n += value ? 1 : 0;
  }

  changed() {
    this.isSaved = false;
    this.count();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.save(false), WAIT_MS);
    this.label();
  }

  step(from, to, which) {
    const one = from.pop();
    if (!one || this.before) return;
    put(this.mask.bytes, this.mask.width, one.box, one[which]);
    to.push(one);
    this.repaint(one.box);
    this.changed();
  }

  undo() {
    if (this.corners.length) return this.corner(null);
    this.step(this.done, this.undone, "before");
  }

  redo() {
    this.step(this.undone, this.done, "after");
  }

  clear() {
    const { bytes, width, height } = this.mask;
    this.begin();
    bytes.fill(0);
    this.touch([0, 0, width, height]);
    this.end();
  }

  fill([x, y]) {
    const found = region(this.mask, Math.floor(x), Math.floor(y)), { bytes, width, height } = this.mask;
    if (bytes[found[0]]) return this.say("This is marked already.");
    if (found.length > LARGE_SHARE * bytes.length) return this.say("Draw an outline first, without a gap: this fill would mark more than half of the picture.");
    this.begin();
    let box = null;
    for (const i of found) {
      bytes[i] = ON;
      box = joined(box, [i % width, Math.floor(i / width), (i % width) + 1, Math.floor(i / width) + 1]);
    }
    this.touch(box);
    this.end();
  }

  /** Add a corner of the polygon; null takes the last one back. */
  corner(point) {
    if (point === null) this.corners.pop();
    else {
      const first = this.corners[0], scale = this.zoom.scale(this.frame);
      const isFirst = first && this.corners.length > 2 && Math.hypot(point[0] - first[0], point[1] - first[1]) * scale < CLOSE_PX;
      if (isFirst) return this.close();
      this.corners.push(point);
    }
    this.draw();
    this.label();
  }

  close() {
    const corners = this.corners;
    this.corners = [];
    if (corners.length > 2) {
      this.begin();
      this.touch(filled(this.mask, corners, ON));
      this.end();
    }
    this.draw();
    this.label();
  }

  // -- drawing

  repaint([x0, y0, x1, y1]) {
    const { bytes, width } = this.mask, values = new ImageData(x1 - x0, y1 - y0), words = new Uint32Array(values.data.buffer);
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(MARK.slice(at, at + 2), 16)), mark = (255 << 24) | (b << 16) | (g << 8) | r;
    for (let y = y0, k = 0; y < y1; y++) for (let x = x0; x < x1; x++, k++) words[k] = bytes[y * width + x] ? mark : 0;
    this.layer.getContext("2d").putImageData(values, x0, y0);
    this.draw();
  }

  draw() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = null;
      this.drawNow();
    });
  }

  drawNow() {
    const { clientWidth, clientHeight } = this.frame, dots = window.devicePixelRatio || 1;
    if (!this.mask || !clientWidth) return;
    const width = Math.round(clientWidth * dots), height = Math.round(clientHeight * dots);
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d"), { left, top, scale } = this.zoom.place(this.frame);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setTransform(scale * dots, 0, 0, scale * dots, left * dots, top * dots);
    context.imageSmoothingEnabled = scale * dots < 3;
    context.drawImage(this.picture, 0, 0, this.mask.width, this.mask.height);
    context.globalAlpha = this.opacity.value / 100;
    context.drawImage(this.layer, 0, 0);
    context.globalAlpha = 1;
    this.drawCorners(context, scale);
  }

  drawCorners(context, scale) {
    if (!this.corners.length) return;
    const path = new Path2D();
    this.corners.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
    for (const [x, y] of this.corners) path.rect(x - 2.5 / scale, y - 2.5 / scale, 5 / scale, 5 / scale);
    if (this.pointer) path.moveTo(...this.corners.at(-1)), path.lineTo(...this.pointer);
    for (const [style, thick] of [["#000000", 4], ["#FFFFFF", 1.6]]) {
      Object.assign(context, { strokeStyle: style, lineWidth: thick / scale });
      context.stroke(path);
    }
  }

  // -- controls

  build() {
    const bar = add(this.root, "div", { class: "row" });
    const group = add(bar, "div", { class: "group", role: "group", "aria-label": "Tool" });
    this.tools = TOOLS.map(([kind, text, key, title]) => {
      const button = add(group, "button", { type: "button", title: `${title} (key ${key})`, "aria-keyshortcuts": key }, text);
      button.onclick = () => this.choose(kind);
      return [kind, button];
    });
    const press = (parent, text, title, act) => {
      const button = add(parent, "button", { type: "button", title }, text);
      button.onclick = act;
      return button;
    };
    this.undoButton = press(bar, "↶ Undo", "Ctrl+Z", () => this.undo());
    this.redoButton = press(bar, "↷ Redo", "Ctrl+Shift+Z", () => this.redo());
    this.clearButton = press(bar, "Clear", "Take all marks away; can be undone", () => this.clear());
    const sliders = add(this.root, "div", { class: "row" });
    this.size = this.slider(sliders, "Size", 1, 100, 12, "width of the brush in pixels of the image, keys [ and ]");
    this.opacity = this.slider(sliders, "Opacity", 10, 100, 50, "opacity of the marks");
    const zooms = add(sliders, "div", { class: "group", role: "group", "aria-label": "Zoom" });
    press(zooms, "−", "Zoom out (key −)", () => this.zoom.by(1 / 1.5)).setAttribute("aria-label", "Zoom out");
    press(zooms, "Whole", "Show the whole picture (key 0)", () => this.zoom.reset());
    press(zooms, "+", "Zoom in (key +)", () => this.zoom.by(1.5)).setAttribute("aria-label", "Zoom in");
    this.frame = add(this.root, "div", { class: "frame" });
    this.canvas = add(this.frame, "canvas", { tabindex: "0", role: "img" });
    this.brush = add(this.frame, "div", { class: "brush", hidden: "" });
    const below = add(this.root, "div", { class: "row below" });
    this.next = press(below, "", "Save this mask and go on (Ctrl+Enter)", () => this.save(true));
    this.next.className = "main";
    this.status = add(below, "span", { class: "status", role: "status" });
    add(this.root, "p", { class: "note" }, "Wheel: zoom. Space or the middle button: move. Two fingers do both. Keys: B, E, P, F, [ ], Ctrl+Z, 0.");
    this.choose("brush");
    this.listen();
  }

  slider(parent, text, min, max, value, words) {
    const label = add(parent, "label", {}, text), input = add(label, "input", { type: "range", min, max, value, "aria-label": words });
    input.out = add(label, "output");
    input.oninput = () => {
      input.dataset.touched = "yes";
      this.label();
      this.draw();
    };
    return input;
  }

  choose(tool) {
    this.tool = tool;
    for (const [own, button] of this.tools) button.setAttribute("aria-pressed", String(own === tool));
    this.size.disabled = tool === "polygon" || tool === "fill";
    this.frame.dataset.tool = tool;
    if (this.corners?.length && tool !== "polygon") this.close();
    this.brush.hidden = true;
  }

  say(words) {
    this.spoken = words;
    this.label();
  }

  label() {
    this.size.out.textContent = `${this.size.value} px`;
    this.opacity.out.textContent = toPercent(this.opacity.value / 100);
    if (!this.mask) return;
    this.undoButton.disabled = !this.done.length && !this.corners.length;
    this.redoButton.disabled = !this.undone.length;
    const n = this.n;
    this.clearButton.disabled = !n;
    const marked = n ? `${toPercent(n / this.mask.bytes.length)} of the picture is marked` : "Nothing is marked yet";
    this.root.dataset.saved = String(this.isSaved);
    this.status.textContent = this.spoken || `${marked}${this.done.length ? (this.isSaved ? ", saved" : ", saving…") : ""}.`;
  }

  // -- pointer and keys

  at(event) {
    const box = this.frame.getBoundingClientRect(), place = this.zoom.place(this.frame);
    return [(event.clientX - box.left - place.left) / place.scale, (event.clientY - box.top - place.top) / place.scale];
  }

  listen() {
    const { canvas, frame, root } = this;
    frame.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom.by(WHEEL_STEP ** -event.deltaY, this.zoom.at(frame, event) ?? undefined);
    }, { passive: false });
    canvas.onpointerdown = (event) => this.press(event);
    canvas.onpointermove = (event) => this.move(event);
    canvas.onpointerup = canvas.onpointercancel = (event) => this.lift(event);
    canvas.onpointerleave = () => (this.brush.hidden = true);
    canvas.onauxclick = (event) => event.preventDefault();
    root.addEventListener("keydown", (event) => this.type(event));
    root.addEventListener("keyup", (event) => {
      if (event.key === " ") this.isSpace = false;
      frame.classList.toggle("moves", !!this.isSpace);
    });
  }

  press(event) {
    if (!this.mask || (event.button !== 0 && event.button !== 1)) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
    this.say("");
    if (this.fingers.size > 1) return this.drop();
    const point = this.at(event);
    if (event.button === 1 || this.isSpace) this.panning = [event.clientX, event.clientY];
    else if (this.tool === "polygon") this.corner(point);
    else if (this.tool === "fill") this.zoom.at(this.frame, event) && this.fill(point);
    else {
      this.begin();
      this.last = point;
      this.stroke(point);
    }
  }

  /** A second finger: what the first one has begun was no stroke. */
  drop() {
    if (!this.before) return;
    if (this.box) put(this.mask.bytes, this.mask.width, this.box, cut(this.before, this.mask.width, this.box));
    if (this.box) this.repaint(this.box);
    this.before = this.last = null;
  }

  move(event) {
    const now = [event.clientX, event.clientY];
    if (this.fingers.has(event.pointerId)) {
      const before = this.fingers.get(event.pointerId), other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
      this.fingers.set(event.pointerId, now);
      if (other) {
        const apart = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
        this.zoom.by(apart(now) / Math.max(1, apart(before)));
        return this.zoom.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2, this.frame);
      }
    }
    if (this.panning) {
      this.zoom.pan(now[0] - this.panning[0], now[1] - this.panning[1], this.frame);
      this.panning = now;
    } else if (this.last) {
      const events = event.getCoalescedEvents?.() ?? [];
      for (const one of events.length ? events : [event]) this.stroke(this.at(one));
    }
    this.pointer = this.at(event);
    if (this.corners?.length) this.draw();
    this.follow(event);
  }

  stroke(point) {
    this.touch(brushed(this.mask, this.last, point, this.size.value / 2, this.tool === "erase" ? 0 : ON));
    this.last = point;
  }

  lift(event) {
    this.fingers.delete(event.pointerId);
    this.panning = null;
    if (!this.last) return;
    this.last = null;
    this.end();
  }

  follow(event) {
    const isBrush = this.tool === "brush" || this.tool === "erase", box = this.frame.getBoundingClientRect();
    this.brush.hidden = !isBrush || this.isSpace || event.pointerType === "touch";
    const width = `${this.size.value * this.zoom.scale(this.frame)}px`;
    Object.assign(this.brush.style, { left: `${event.clientX - box.left}px`, top: `${event.clientY - box.top}px`, width, height: width });
  }

  type(event) {
    event.stopPropagation(); // the page has keys of its own
    const key = event.key.toLowerCase(), isSlider = event.composedPath()[0].type === "range";
    const tool = TOOLS.find(([, , own]) => own.toLowerCase() === key)?.[0];
    const acts = event.ctrlKey || event.metaKey
      ? { z: () => (event.shiftKey ? this.redo() : this.undo()), y: () => this.redo(), enter: () => this.save(true) }
      : {
          "[": () => this.resize(1 / 1.25), "]": () => this.resize(1.25), "0": () => this.zoom.reset(),
          "+": () => this.zoom.by(1.5), "=": () => this.zoom.by(1.5), "-": () => this.zoom.by(1 / 1.5),
          ...(this.corners?.length ? { enter: () => this.close(), backspace: () => this.corner(null), escape: () => this.drops() } : {}),
          ...(event.composedPath()[0] === this.canvas ? { " ": () => this.hold() } : {}),
        };
    const act = acts[key] ?? (tool && !event.ctrlKey && !event.metaKey && (() => this.choose(tool)));
    if (!act || !this.mask || (isSlider && !event.ctrlKey && !tool)) return;
    event.preventDefault();
    act();
  }

  drops() {
    this.corners = [];
    this.draw();
    this.label();
  }

  hold() {
    this.isSpace = true;
    this.brush.hidden = true;
    this.frame.classList.add("moves");
  }

  resize(factor) {
    if (this.size.disabled) return;
    const value = Number(this.size.value), next = Math.round(value * factor);
    this.size.value = next === value ? value + Math.sign(factor - 1) : next;
    this.size.oninput();
  }
}

/** Tells this visit of the page from earlier ones, whose numbers began at 1, too. */
const PEN = String(Math.random());
