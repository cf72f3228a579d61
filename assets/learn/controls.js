// Lessons, kernel 4 of 5: the controls below the stage. Sliders, choices, a play button where a slider is called t, and a reset button.

const PLAY_S = 6; // seconds from one end of t to the other
const REST_MS = 350; // so long after the last press of an arrow key, a slider counts as let go
const PLAY = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M8 5.500v13l10.500-6.500z"/></svg>';
const PAUSE = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M7.500 5.500h3v13h-3zM13.500 5.500h3v13h-3z"/></svg>';

/** A setting as an address writes it: at most four digits after the point. wtflow/lessons/base.py reads and writes the same. */
const plain = (value) => String(Number(value.toFixed(4)));

/** Settings as an address writes them: "t:0.3,rho:-0.5", only those away from their start. */
function settingsText(controls, values) {
  return controls.filter(({ name, start }) => plain(values[name]) !== plain(start)).map(({ name }) => `${name}:${plain(values[name])}`).join(",");
}

class Controls {
  /** controls: as wtflow.lessons.base.Control; values: name -> number, read only here. onInput(name, value) on every change, onCommit() when it rests. */
  constructor(host, controls, values, onInput, onCommit) {
    Object.assign(this, { controls, values, onInput, onCommit, isPlaying: false, isBackward: false, parts: {} });
    this.root = make("div", { className: "controls" });
    const order = [...controls].sort((a, b) => (b.name === "t") - (a.name === "t"));
    for (const control of order) {
      if (control.kind === "hidden") continue;
      const root = this.#build(control);
      this.parts[control.name].root = root;
      this.root.append(root);
    }
    this.resetButton = make("button", { type: "button", className: "quiet", textContent: "Reset", title: "Everything as it was at the beginning" });
    this.resetButton.addEventListener("click", () => this.reset());
    this.offered = [];
    this.root.append(this.resetButton);
    host.append(this.root);
    this.show();
  }

  dispose() {
    this.stop();
    clearTimeout(this.later);
    this.root.remove();
  }

  #build(control) {
    if (control.kind === "choice") return control.options.length > 4 ? this.#buildSelect(control) : this.#buildChoice(control);
    const { name, label, low, high, step } = control, isTime = name === "t";
    const input = make("input", { type: "range", min: low, max: high, step, name, aria: { label } }), output = make("output", { dataset: { of: name } });
    input.addEventListener("input", () => { this.stop(); this.onInput(name, Number(input.value)); this.#rest(); });
    input.addEventListener("change", () => this.#rest());
    input.addEventListener("pointerdown", () => { this.isHeld = true; });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) input.addEventListener(end, () => { this.isHeld = false; this.#rest(); });
    input.addEventListener("keydown", (event) => { // arrows move the slider and nothing else on the page
      if (event.key === " " && this.parts.t?.play) { this.toggle(); event.preventDefault(); }
      event.stopPropagation();
    });
    this.parts[name] = { input, output, digits: clamp(-Math.floor(Math.log10(step) + 1e-9), 0, 4) };
    if (!isTime) return make("label", { className: "control" }, make("span", { textContent: label }), input, output);
    const play = make("button", { type: "button", className: "play", innerHTML: PLAY, ariaLabel: "Play", title: "Play (space)" });
    play.addEventListener("click", () => this.toggle());
    this.parts.t.play = play;
    const ends = make("div", { className: "ends" }, make("span", { textContent: "data" }), make("span", { textContent: "noise" }));
    const isWhole = low === 0 && high === 1;
    return make("div", { className: "control transport" }, play, output, make("div", { className: "scrub" }, input, ...(isWhole ? [ends] : [])));
  }

  #buildChoice({ name, label, options }) {
    const buttons = options.map((text, index) => {
      const button = make("button", { type: "button", textContent: text, aria: { role: "radio" }, dataset: { name, index } });
      button.addEventListener("click", () => this.#choose(name, index));
      button.addEventListener("keydown", (event) => {
        const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        event.stopPropagation();
        if (!move) return;
        const next = (index + move + options.length) % options.length;
        event.preventDefault();
        this.#choose(name, next);
        buttons[next].focus();
      });
      return button;
    });
    this.parts[name] = { buttons };
    return make("div", { className: "control" }, make("span", { textContent: label }), make("div", { className: "choice", aria: { role: "radiogroup", label } }, ...buttons));
  }

  #buildSelect({ name, label, options }) {
    const select = make("select", { name, aria: { label } }, ...options.map((text, index) => make("option", { value: index, textContent: text })));
    select.addEventListener("change", () => this.#choose(name, Number(select.value)));
    this.parts[name] = { select };
    return make("label", { className: "control" }, make("span", { textContent: label }), select);
  }

  #choose(name, index) {
    this.stop();
    this.onInput(name, index);
    this.onCommit();
  }

  #rest() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.isHeld || this.onCommit(), REST_MS);
  }

  /** Buttons that the lesson offers at this moment: [words, act]. Each keeps its element, so that it can be pressed and keeps the focus while the picture moves. */
  offer(buttons) {
    while (this.offered.length < buttons.length) {
      const place = this.offered.length, button = make("button", { type: "button", className: "act" });
      button.addEventListener("click", () => this.acts[place]());
      this.resetButton.before(button);
      this.offered.push(button);
    }
    this.acts = buttons.map(([, act]) => act);
    this.offered.forEach((button, k) => {
      button.hidden = k >= buttons.length;
      if (!button.hidden && button.textContent !== buttons[k][0]) button.textContent = buttons[k][0];
    });
  }

  /** Let the controls show the values. Called after every change, whoever made it. */
  show() {
    for (const { name, low, high, when } of this.controls) {
      const part = this.parts[name], value = this.values[name];
      if (!part) continue;
      if (when) part.root.hidden = this.values[when[0]] !== when[1];
      if (part.select) part.select.value = value;
      else if (part.buttons) part.buttons.forEach((button, index) => Object.assign(button, { ariaChecked: String(index === value), tabIndex: index === value ? 0 : -1 }));
      else {
        const words = value.toFixed(part.digits).replace("-", "−");
        if (Math.abs(part.input.value - value) > 1e-9) part.input.value = value;
        part.input.style.setProperty("--share", (value - low) / (high - low || 1));
        part.output.textContent = name === "t" ? `t = ${words}` : words;
        part.input.setAttribute("aria-valuetext", words);
      }
    }
    this.resetButton.disabled = !settingsText(this.controls, this.values);
  }

  reset() {
    this.stop();
    for (const { name, start } of this.controls) this.onInput(name, start);
    this.onCommit();
  }

  /** Play t to its end (to its beginning where `isBackward`), or pause. */
  toggle() {
    const { low, high } = this.controls.find(({ name }) => name === "t"), [from, to] = this.isBackward ? [high, low] : [low, high];
    if (this.isPlaying) return void (this.stop(), this.onCommit());
    if (Math.abs(this.values.t - to) < 1e-6) this.onInput("t", from);
    this.#showPlaying(true);
    let last = null;
    const tick = (stamp) => {
      const passed = last === null ? 0 : Math.min(250, stamp - last), move = ((to - from) * passed) / (1000 * PLAY_S);
      last = stamp;
      this.onInput("t", clamp(this.values.t + move, low, high));
      if (Math.abs(this.values.t - to) > 1e-6) this.request = requestAnimationFrame(tick);
      else { this.stop(); this.onCommit(); }
    };
    this.request = requestAnimationFrame(tick);
  }

  stop() {
    cancelAnimationFrame(this.request);
    if (this.isPlaying) this.#showPlaying(false);
  }

  #showPlaying(isPlaying) {
    this.isPlaying = isPlaying;
    const words = isPlaying ? "Pause" : "Play";
    Object.assign(this.parts.t.play, { innerHTML: isPlaying ? PAUSE : PLAY, ariaLabel: words, title: `${words} (space)` });
  }
}
