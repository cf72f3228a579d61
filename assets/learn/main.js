// Lessons, kernel 5 of 5: the component. It decodes what the page sends, gives it to the lesson, and draws at most once per frame.
//
// A lesson gets create(stage, scene, values, api) and returns { draw(), pointer(kind, x, y, panelIndex), dispose(), key(name)? }.
// scene: what its Python module sent, arrays as Float32Array (their shapes in scene.shapes.<name>). values: name -> number, always current.
// pointer kinds: down, move (also without a button held), up, leave. key: "ArrowLeft" and so on while the stage has the focus; return true if used.
// api: set(name, value) changes a control; check(label, computed, exact, tolerance = 0.001) shows a live check (numbers or texts; exact may be left out);
//   note(text) shows a sentence there; button(words, act) offers a button with the controls; commit() sends the state (done automatically when a button or slider is released); redraw() asks for a frame;
//   setPoints(array or null) keeps points that the person drew ([x, y, x, y, ...]) and sends them with the next commit;
//   hasOwnPoints: whether the scene shows such; playBackward(flag).

const MOST_POINTS = 400; // what the page takes
const GLIDE_MS = 1200; // to settings that a question shows

function decodeScene(data) {
  const shapes = {}, decode = (value, name) => {
    if (Array.isArray(value)) return value.map((item) => decode(item, name));
    if (!value?.f4 && value?.f4 !== "") return value;
    shapes[name] = value.shape;
    return new Float32Array(Uint8Array.from(atob(value.f4), (c) => c.charCodeAt(0)).buffer);
  };
  return Object.assign(Object.fromEntries(Object.entries(data).map(([name, value]) => [name, decode(value, name)])), { shapes });
}

class LessonView {
  constructor(parent) {
    this.host = parent.host ?? parent;
    this.root = make("div", { className: "lesson" });
    parent.append(this.root);
    this.off = new AbortController();
  }

  destroy() {
    this.off.abort();
    cancelAnimationFrame(this.request);
    this.halt();
    this.lesson?.dispose?.();
    this.controls?.dispose();
    this.stage?.dispose();
    this.root.remove();
  }

  update({ data, setStateValue }) {
    this.send = setStateValue;
    const isNew = data.fingerprint !== this.fingerprint || data.name !== this.name, isTold = data.told !== this.told;
    if (!this.stage) this.build(data);
    this.root.style.setProperty("--height", data.height);
    this.root.style.setProperty("--least", data.least);
    if (isTold) this.follow(data.settings, isNew);
    Object.assign(this, { fingerprint: data.fingerprint, name: data.name, told: data.told });
    if (isNew && this.held) this.waiting = data; // not while a person draws
    else if (isNew) this.begin(data);
    this.controls.show();
    this.redraw();
  }

  build({ controls, settings }) {
    this.values = { ...settings };
    this.specs = controls;
    this.stage = new Stage(this.root, "", () => this.redraw());
    this.controls = new Controls(this.root, controls, this.values, (name, value) => this.set(name, value), () => this.commit());
    this.checks = new Checks(this.root);
    const { canvas } = this.stage, on = (name, act) => canvas.addEventListener(name, act, { signal: this.off.signal });
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", (event) => this.release(event));
    on("pointerleave", () => { if (!this.held) this.tell("leave", NaN, NaN, this.over ?? 0); });
    on("keydown", (event) => {
      const isUsed = event.key === " " && this.controls.parts.t ? (this.controls.toggle(), true) : this.lesson.key?.(event.key);
      if (!isUsed) return;
      event.preventDefault();
      event.stopPropagation();
      this.redraw();
      if (event.key !== " ") this.rest();
    });
  }

  /** A new scene: the lesson starts again with the values as they are. */
  begin(data) {
    this.lesson?.dispose?.();
    this.stage.panels.length = 0;
    this.controls.isBackward = false;
    this.checks.begin();
    this.points = data.points || "";
    this.shown = [];
    this.buttons = [];
    const api = {
      set: (name, value) => this.set(name, value),
      check: (label, computed, exact, tolerance = 1e-3) => {
        const holds = typeof computed !== "number" || typeof exact !== "number" ? null : Math.abs(computed - exact) <= tolerance;
        this.shown.push({ label, computed, exact: exact ?? null, holds });
      },
      button: (words, act) => this.buttons.push([words, act]),
      note: (text) => this.shown.push({ label: text, computed: null, exact: null, holds: null }),
      commit: () => this.commit(),
      redraw: () => this.redraw(),
      hasOwnPoints: Boolean(this.points),
      playBackward: (flag) => { this.controls.isBackward = flag; },
      setPoints: (points) => {
        const pairs = Array.from({ length: Math.min(MOST_POINTS, (points?.length ?? 0) / 2) }, (_, i) => `${points[2 * i].toFixed(2)},${points[2 * i + 1].toFixed(2)}`);
        this.points = pairs.join(";");
      },
    };
    this.stage.begin();
    const found = LESSON[data.name] ?? { create: () => ({ draw: () => api.note("This lesson has no picture.") }) };
    this.lesson = found.create(this.stage, decodeScene(data.data), this.values, api);
    this.stage.canvas.setAttribute("aria-label", data.alt || data.name);
    this.reported ??= this.text();
    this.sentPoints = this.points;
  }

  /** Take on settings that this did not set. In a picture that is open sliders glide there, so that one sees what moves. */
  follow(settings, isNew = false) {
    this.halt();
    this.controls.stop();
    const from = { ...this.values }, sliders = this.specs.filter(({ name, kind }) => kind !== "choice" && name in settings && settings[name] !== from[name]);
    Object.assign(this.values, settings);
    this.reported = this.text();
    if (isNew || !sliders.length || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    let begun = null;
    const tick = (stamp) => {
      begun ??= stamp;
      const part = Math.min(1, (stamp - begun) / GLIDE_MS), eased = part * part * (3 - 2 * part);
      for (const { name, low, high, step } of sliders) {
        const value = from[name] + eased * (settings[name] - from[name]);
        this.values[name] = part === 1 ? settings[name] : clamp(low + step * Math.round((value - low) / step), low, high);
      }
      this.gliding = part < 1 ? requestAnimationFrame(tick) : null;
      this.redraw();
    };
    for (const { name } of sliders) this.values[name] = from[name];
    this.gliding = requestAnimationFrame(tick);
  }

  /** Stop gliding where it is. */
  halt() {
    cancelAnimationFrame(this.gliding);
    this.gliding = null;
  }

  text() {
    return settingsText(this.specs, this.values);
  }

  set(name, value) {
    this.halt();
    const { low, high } = this.specs.find((spec) => spec.name === name);
    this.values[name] = clamp(value, low, high);
    this.asked ??= performance.now();
    this.redraw();
  }

  /** Send the page the present state, unless it has that already. */
  commit() {
    clearTimeout(this.later);
    if (this.controls.isPlaying || this.gliding) return;
    const text = this.text();
    if (text === this.reported && this.points === this.sentPoints) return;
    Object.assign(this, { reported: text, sentPoints: this.points });
    this.send("state", { settings: { ...this.values }, points: this.points });
  }

  rest() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.commit(), REST_MS);
  }

  // ---- pointer ------------------------------------------------------------------------------------------------------

  tell(kind, x, y, index, event) {
    this.asked ??= event?.timeStamp ?? performance.now();
    this.lesson.pointer?.(kind, x, y, index);
    this.redraw();
  }

  press(event) {
    const panel = this.stage.panelAt(event.clientX, event.clientY);
    if (event.button || !panel) return;
    this.controls.stop();
    this.halt();
    this.held = panel;
    this.stage.canvas.setPointerCapture(event.pointerId);
    this.tell("down", ...panel.at(event.clientX, event.clientY), panel.index, event);
  }

  move(event) {
    const panel = this.held ?? this.stage.panelAt(event.clientX, event.clientY);
    if (!panel) {
      if (this.over !== undefined) this.tell("leave", NaN, NaN, this.over);
      this.over = undefined;
      return;
    }
    this.over = panel.index;
    this.tell("move", ...panel.at(event.clientX, event.clientY, true), panel.index, event);
  }

  release(event) {
    const panel = this.held;
    this.held = null;
    if (!panel) return;
    this.tell("up", ...panel.at(event.clientX, event.clientY, true), panel.index, event);
    const { waiting, points, sentPoints } = this;
    this.waiting = null;
    this.commit();
    if (waiting && points === sentPoints) this.begin(waiting); // else points were drawn since, and a newer scene is on its way
  }

  /** For tests: where a value of a panel is in the browser's window. */
  pixelOf(index, x, y) {
    const box = this.stage.canvas.getBoundingClientRect(), [px, py] = this.stage.panels[index].px(x, y);
    return [box.left + px, box.top + py];
  }

  // ---- drawing ------------------------------------------------------------------------------------------------------

  redraw() {
    this.request ??= requestAnimationFrame(() => {
      this.request = null;
      this.draw();
    });
  }

  draw() {
    if (!this.lesson || !this.stage.holder.clientWidth) return;
    const begun = performance.now();
    this.shown = [];
    this.buttons = [];
    this.stage.begin();
    this.lesson.draw();
    this.controls.show();
    this.controls.offer(this.buttons);
    this.checks.show(this.shown);
    const { dataset } = this.host, ended = performance.now();
    Object.assign(dataset, {
      lesson: this.name, settings: settingsText(this.specs, this.values), values: JSON.stringify(this.values), checks: JSON.stringify(this.shown),
      drawMs: (ended - begun).toFixed(2), frames: Number(dataset.frames ?? 0) + 1, playing: this.controls.isPlaying,
    });
    if (this.asked !== undefined && this.asked !== null) dataset.answerMs = (ended - this.asked).toFixed(2); // from the pointer's event to the drawn picture
    this.asked = null;
  }
}

/** Mount a lesson in `component.parentElement`, or follow what `component.data` says now. Returns what takes it away. */
function mountLesson(component) {
  const { parentElement } = component, view = (parentElement.lesson ??= new LessonView(parentElement));
  view.update(component);
  return () => {
    view.destroy();
    delete parentElement.lesson;
  };
}
