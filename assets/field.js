// The particle field, part 5 of 5: the component. Its state lives on the element it is mounted in, so that a rerun of the page with the
// same data (equal `fingerprint`) changes nothing. It sends back: choice {view, colour, t}, selected {of, ids}, and the trigger clicked.

const PASS_S = 6; // seconds from t = 0 to t = 1 at speed 1
const FADE = 0.35; // a trail is gone after this much t
const REACH_PX = 14; // how near the pointer must come to a point
const OPENING = 2; // speed of the one pass with which a page opens
const NARROW_REM = 56; // below this width the charts stand below the transport
const SLOW_MS = 36, MANY = 8000; // where a frame takes longer, a draft of so many points is drawn while they move
const REST_MS = 180; // so long after the last turn of the wheel or press of a key, the movement is over

const MEMORY = new Map(); // key of a field -> what a person had set, for when the page mounts it again

class Field {
  constructor(parent) {
    this.host = parent.host ?? parent;
    this.root = make("div", { className: "field", innerHTML: TEMPLATE });
    parent.append(this.root);
    this.ui = Object.fromEntries([...this.root.querySelectorAll("[data-is]")].map((node) => [node.dataset.is, node]));
    Object.assign(this, { now: 0, tool: "pan", zoom: null, hidden: {}, selected: new Set(), marked: [], hovered: -1, isPlaying: false, frames: 0, losses: 0, pace: 0 });
    this.dirty = {};
    this.off = new AbortController();
    this.readings = new Readings(this.ui.readings);
    this.charts = new Charts(this.ui.charts, (t) => this.scrub(t), () => this.rest());
    this.makePainter();
    this.listen();
    this.resizing = new ResizeObserver(() => { this.arrange(); this.redraw("axes", "charts"); });
    [this.root, this.ui.plot, this.ui.charts].forEach((node) => this.resizing.observe(node));
  }

  destroy() {
    const { fingerprint, told, zoom, hidden, tool } = this;
    MEMORY.set(this.key, { fingerprint, told, choice: this.choice(), kept: { zoom, hidden, tool } });
    this.off.abort();
    this.resizing.disconnect();
    cancelAnimationFrame(this.request);
    [this.later, this.resting].forEach(clearTimeout);
    this.painter.destroy();
    this.root.remove();
  }

  /** WebGL where there is some; after it was taken away twice, the 2-D canvas. */
  makePainter() {
    let canvas = make("canvas", { className: "layer" });
    try {
      if (this.losses > 1) throw new Error("WebGL is taken away again and again");
      this.painter = new GlPainter(canvas);
      canvas.addEventListener("webglcontextlost", () => { this.losses++; this.makePainter(); this.paint(); }, { signal: this.off.signal });
    } catch {
      canvas = make("canvas", { className: "layer" });
      this.painter = new CanvasPainter(canvas);
    }
    this.canvas?.remove();
    this.ui.stage.prepend((this.canvas = canvas));
  }

  // ---- what the page sends -------------------------------------------------------------------------------------------

  update({ data, setStateValue, setTriggerValue }) {
    Object.assign(this, { key: data.key, send: { state: setStateValue, trigger: setTriggerValue }, canPlay: data.t.length > 1 });
    this.readTheme(data.look);
    const isFirst = !this.fingerprint;
    if (data.fingerprint !== this.fingerprint) this.load(data);
    if (data.told !== this.told) this.take(data.choices);
    if (isFirst && this.told === undefined && data.opens_playing && !Number.isFinite(data.choices.t)) this.open();
    this.told = data.told;
    this.marked = data.marked.map((id) => this.indexOf.get(id)).filter((i) => i !== undefined);
    this.root.style.setProperty("--height", data.height);
    this.ui.transport.hidden = this.t.length < 2;
    this.ui.tools.hidden = !data.can_select;
    this.arrange();
    this.paint();
  }

  /** Once, when a page opens: one quick pass to the end; for those who want no motion, the end. */
  open() {
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    Object.assign(this, isCalm || !this.canPlay ? { now: this.t.at(-1) } : { now: this.t[0], isPlaying: true, isOpening: true });
    if (!this.isOpening) this.reported = JSON.stringify(this.choice());
  }

  /** The charts stand beside the view or, without room, below everything. */
  arrange() {
    const { root, ui } = this, isNarrow = root.clientWidth < NARROW_REM * parseFloat(getComputedStyle(document.documentElement).fontSize);
    if (root.classList.contains("narrow") === isNarrow && ui.charts.isConnected) return;
    root.classList.toggle("narrow", isNarrow);
    if (isNarrow) ui.note.after(ui.charts);
    else ui.body.append(ui.charts);
  }

  readTheme(look) {
    const css = getComputedStyle(this.host), { fontFamily: font, fontSize } = getComputedStyle(this.root);
    const read = (name, otherwise) => css.getPropertyValue(name).trim() || otherwise;
    const ink = read("--st-text-color", "#222"), ground = read("--st-background-color", "#fff"), rgb = toRgb(ground);
    const heat = heatTable(look.heat, 0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2] < 128);
    this.theme = { ...look, ink, ground, rgb, heat, missing: toRgb(look.reference), font, type: parseFloat(fontSize) * 0.93, ratio: Math.min(2, devicePixelRatio || 1) };
    for (const name of ["time", "selected", "reference", "normal"]) this.root.style.setProperty(`--${name}`, look[name]);
  }

  load(data) {
    const { ui } = this, t = data.t;
    Object.assign(this, { fingerprint: data.fingerprint, t, ids: decode(data.ids), zoom: null, hovered: -1, groups: data.chart_groups });
    this.n = this.ids.length;
    this.indexOf = new Map(Array.from(this.ids, (id, i) => [id, i]));
    const arrays = data.arrays.map(decode), places = (parts) => placesOf(parts, arrays, this.n);
    this.views = data.views.map((view) => ({ ...view, points: places(view.points) }));
    for (const view of this.views) Object.assign(view, { leavers: leaversOf(view, this.n), moves: view.guides.some(({ values }) => values.length > 1) });
    this.lines = data.lines && { ...data.lines, points: Object.fromEntries(Object.entries(data.lines.points).map(([key, parts]) => [key, places(parts)])) };
    this.colours = data.colours.map((colour) => ({ ...colour, values: decode(colour.values), rgb: colour.colours?.map(toRgb) }));
    this.pictures = data.pictures && { ...data.pictures, of: decode(data.pictures.of), place: decode(data.pictures.place) };
    this.selected.clear();
    this.painter.clear();
    const memory = MEMORY.get(data.key), isAsLeft = !this.view && memory?.fingerprint === data.fingerprint && memory.told === data.told;
    if (isAsLeft) Object.assign(this, memory.kept, { told: data.told });
    const { isPlaying, isOpening } = this;
    this.take(isAsLeft ? memory.choice : { view: this.view?.key, colour: this.colour?.key, t: this.now });
    Object.assign(this, { isPlaying, isOpening });
    this.hidden = Object.fromEntries(this.colours.map(({ key }) => [key, this.hidden[key] ?? new Set()]));
    const families = this.views.filter((view, k, all) => all.findIndex((other) => familyOf(other) === familyOf(view)) === k);
    for (const [select, options] of [[ui.view, families], [ui.colour, this.colours]]) {
      select.replaceChildren(...options.map((option) => make("option", { value: familyOf(option), textContent: option.label })));
      select.closest("label").hidden = options.length < 2;
    }
    ui.stage.setAttribute("aria-label", data.alt || "Particles");
    Object.assign(ui.time, { min: t[0], max: t.at(-1) });
    const share = (time) => `${(100 * (time - t[0])) / (t.at(-1) - t[0] || 1)}%`;
    ui.marks.replaceChildren(...(t.length < 60 ? t.map((time) => make("i", { style: { left: share(time) } })) : []));
    this.portrait = data.portrait;
    this.readings.load(data.readings_title, data.readings, data.pictures?.images[data.portrait], ui.clock, ui.play);
    this.charts.load(data.charts, t, this.n);
    this.root.classList.toggle("no-charts", !data.charts.length);
  }

  /** Show the requested view, colour and time; what is not named or not there stays as it is. */
  take({ view, colour, t }) {
    const of = (options, wanted, present) => options.find(({ key }) => key === wanted) ?? options.find(({ key }) => key === present?.key) ?? options[0];
    this.view = of(this.views, view, this.view);
    this.colour = of(this.colours, colour, this.colour);
    if (Number.isFinite(t)) this.scrub(t);
    this.reported = JSON.stringify(this.choice()); // the page has it already
  }

  /** Draw everything again, controls included. */
  paint() {
    const { ui } = this;
    ui.view.value = familyOf(this.view);
    const variants = this.views.filter((view) => view.family && view.family === this.view.family);
    ui.radius.hidden = variants.length < 2;
    ui.variants.replaceChildren(...variants.map(({ key, variant }) => make("button", { className: "tool", textContent: variant, dataset: { key }, ariaPressed: key === this.view.key })));
    ui.colour.value = this.colour.key;
    ui.note.textContent = this.view.note;
    ui.trail.hidden = this.painter.name === "canvas" && this.n > MOST_DRAWN_TRAILS;
    this.showTools();
    this.showLegend();
    this.showLooks();
    this.markPortrait();
    this.redraw("axes", "charts");
  }

  // ---- what the person does -----------------------------------------------------------------------------------------

  listen() {
    const { ui } = this, { signal } = this.off;
    const on = (node, name, act, options = {}) => node.addEventListener(name, act, { signal, ...options });
    const group = (event) => event.target.closest("button")?.dataset.group;
    ui.tools.append(...Object.entries(TOOLS).map(([tool, title]) => make("button", { className: "tool", title, ariaLabel: title, innerHTML: ICONS[tool], dataset: { tool } })));
    on(ui.view, "change", () => this.chooseView(this.views.filter((view) => familyOf(view) === ui.view.value)));
    on(ui.variants, "click", ({ target }) => target.dataset.key && this.chooseView(this.views.filter(({ key }) => key === target.dataset.key)));
    on(ui.colour, "change", () => this.choose("colour", this.colours, ui.colour.value));
    on(ui.play, "click", () => this.toggle());
    on(ui.time, "input", () => this.scrub(Number(ui.time.value)));
    on(ui.time, "change", () => this.rest());
    on(ui.trails, "change", () => this.redraw());
    on(ui.tools, "click", ({ target }) => { this.tool = target.closest("button")?.dataset.tool ?? this.tool; this.showTools(); });
    on(ui.reset, "click", () => this.zoomTo(null));
    on(ui.selection, "click", () => this.select([]));
    on(ui.legend, "click", (event) => group(event) && this.toggleGroup(Number(group(event))));
    on(ui.legend, "dblclick", (event) => group(event) && this.isolateGroup(Number(group(event))));
    on(this.root, "keydown", (event) => this.press(event));
    on(ui.stage, "pointerdown", (event) => this.grab(event));
    on(ui.stage, "pointermove", (event) => this.move(event));
    on(ui.stage, "pointerup", (event) => this.drop(event));
    on(ui.stage, "pointercancel", () => { this.drag = null; this.redraw("front"); });
    on(ui.stage, "pointerleave", () => { this.isArmed = false; this.hover(-1); });
    on(ui.stage, "dblclick", () => this.tool === "pan" && this.zoomTo(null));
    on(ui.stage, "wheel", (event) => this.wheel(event), { passive: false });
  }

  choice() {
    return { view: this.view.key, colour: this.colour.key, t: Math.round(this.now * 1e4) / 1e4 };
  }

  /** Send the page what is chosen, unless it has that already. Never called while playing. */
  report() {
    clearTimeout(this.later);
    const choice = this.choice(), text = JSON.stringify(choice);
    if (text === this.reported) return;
    this.reported = text;
    this.send.state("choice", choice);
  }

  /** Report once no further change follows at once: an arrow key held down sends many changes. */
  rest() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.report(), REST_MS);
  }

  /** One of these views: the variant that was shown before, if it is among them. */
  chooseView(views) {
    this.zoom = null;
    this.choose("view", views, (views.find(({ variant }) => variant === this.view.variant) ?? views[0]).key);
  }

  choose(what, options, key) {
    this[what] = options.find((option) => option.key === key);
    this.paint();
    if (!this.isPlaying) this.report();
  }

  toggle() {
    if (!this.canPlay) return;
    if (this.now >= this.t.at(-1)) this.now = this.t[0];
    Object.assign(this, { isPlaying: !this.isPlaying, isOpening: false });
    this.redraw(); // the frame after the last movement reports
  }

  scrub(time) {
    Object.assign(this, { isPlaying: false, isOpening: false, wasMoving: false, now: clamp(time, this.t[0], this.t.at(-1)) });
    this.redraw();
  }

  press(event) {
    const { key, target } = event, { t, now } = this, isStage = target === this.ui.stage;
    if (target.type === "range" && key !== " ") event.stopPropagation(); // arrows move the slider, and nothing else on the page
    const go = (time) => (this.scrub(time), this.rest());
    const onStage = {
      ArrowLeft: () => go(t.findLast((time) => time < now - 1e-6) ?? t[0]), ArrowRight: () => go(t.find((time) => time > now + 1e-6) ?? t.at(-1)),
      Home: () => go(t[0]), End: () => go(t.at(-1)), "+": () => this.zoomBy(0.8), "-": () => this.zoomBy(1.25), 0: () => this.zoomTo(null),
    };
    const act = { " ": () => this.toggle(), Escape: () => this.select([]), ...(isStage && onStage) }[key];
    const isOwn = key === " " && (/^(BUTTON|SELECT)$/.test(target.tagName) || target.type === "checkbox");
    if (!act || isOwn || event.ctrlKey || event.metaKey || event.altKey) return;
    act();
    event.preventDefault();
    event.stopPropagation();
  }

  /** The groups that the legend lists: of the colour shown or, where that shows numbers, of the first group colour. */
  legendColour() {
    return this.colour.kind === "group" ? this.colour : this.colours.find(({ kind }) => kind === "group");
  }

  toggleGroup(group) {
    const hidden = this.hidden[this.legendColour().key];
    if (!hidden.delete(group)) hidden.add(group);
    this.paint();
  }

  isolateGroup(group) {
    const { key, names } = this.legendColour(), others = names.map((_, g) => g).filter((g) => g !== group), hidden = this.hidden[key];
    const isAlone = !hidden.has(group) && others.every((g) => hidden.has(g));
    this.hidden[key] = new Set(isAlone ? [] : others);
    this.paint();
  }

  // ---- pointer, zoom, selection -------------------------------------------------------------------------------------

  at(event) {
    const box = this.ui.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  grab(event) {
    if (event.button) return;
    this.ui.stage.setPointerCapture(event.pointerId);
    this.drag = { from: this.at(event), path: [this.at(event)], frame: this.frame(), hasMoved: false };
  }

  move(event) {
    const [x, y] = this.at(event), { drag } = this;
    if (event.movementX || event.movementY) this.isArmed = true; // the page moving below a resting pointer does not count
    if (!drag) return this.hover(this.nearest(x, y));
    const [x0, y0] = drag.from, { frame } = drag;
    drag.hasMoved ||= Math.hypot(x - x0, y - y0) > 4;
    if (!drag.hasMoved) return undefined;
    this.hover(-1);
    if (this.tool === "pan") {
      const dx = ((x0 - x) / this.width) * (frame.x1 - frame.x0), dy = ((y - y0) / this.height) * (frame.y1 - frame.y0);
      return this.zoomTo({ x0: frame.x0 + dx, x1: frame.x1 + dx, y0: frame.y0 + dy, y1: frame.y1 + dy });
    }
    drag.path = this.tool === "box" ? [[x0, y0], [x, y0], [x, y], [x0, y]] : [...drag.path, [x, y]];
    return this.redraw("front");
  }

  drop(event) {
    const { drag } = this;
    this.drag = null;
    if (!drag) return;
    this.redraw("front");
    if (drag.hasMoved) return void (this.tool === "pan" || this.selectWithin(drag.path, event.shiftKey));
    const found = this.nearest(...drag.from);
    if (found >= 0) this.send.trigger("clicked", this.ids[found]);
    else if (this.tool !== "pan") this.select([]);
  }

  wheel(event) {
    if (!this.isArmed || event.ctrlKey) return; // a page scrolled past the view goes on scrolling
    event.preventDefault();
    this.zoomBy(Math.exp(clamp(event.deltaY * (event.deltaMode ? 30 : 1), -120, 120) * 0.0022), ...this.at(event));
  }

  zoomBy(factor, x = this.width / 2, y = this.height / 2) {
    const frame = this.frame(), home = this.home();
    const cx = frame.x0 + (x / this.width) * (frame.x1 - frame.x0), cy = frame.y1 - (y / this.height) * (frame.y1 - frame.y0);
    const span = (factor * (frame.x1 - frame.x0)) / (home.x1 - home.x0);
    if (span > 6 || span < 1e-3) return;
    this.zoomTo({ x0: cx + (frame.x0 - cx) * factor, x1: cx + (frame.x1 - cx) * factor, y0: cy + (frame.y0 - cy) * factor, y1: cy + (frame.y1 - cy) * factor });
  }

  zoomTo(frame) {
    this.zoom = frame;
    this.ui.reset.disabled = !frame;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => { this.resting = null; this.redraw(); }, REST_MS);
    this.redraw("axes");
  }

  /** The fixed axes of the view; with equal axes, the shorter side shows more so that one unit is as long on both: upwards only where
      nothing lies below. */
  home() {
    const { x: [x0, x1], y: [y0, y1] } = this.view;
    return this.even({ x0, x1, y0, y1 });
  }

  even({ x0, x1, y0, y1 }) {
    if (!this.view.equal) return { x0, x1, y0, y1 };
    const unit = Math.max((x1 - x0) / this.width, (y1 - y0) / this.height), [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
    const [rx, ry] = [(unit * this.width) / 2, (unit * this.height) / 2], down = this.view.half ? cy - y0 : ry;
    return { x0: cx - rx, x1: cx + rx, y0: cy - down, y1: cy - down + 2 * ry };
  }

  frame() {
    return this.zoom ? this.even(this.zoom) : this.home();
  }

  /** Where particle i is now (or at another moment), in CSS pixels of the stage. */
  place(i, frame, { step, next, share } = moment(this.t, this.now)) {
    const { points } = this.view, a = 2 * (step * this.n + i), b = 2 * (next * this.n + i);
    const x = points[a] + (points[b] - points[a]) * share, y = points[a + 1] + (points[b + 1] - points[a + 1]) * share;
    return [((x - frame.x0) / (frame.x1 - frame.x0)) * this.width, ((frame.y1 - y) / (frame.y1 - frame.y0)) * this.height];
  }

  /** For tests: where a particle is in the browser's window. */
  pixelOf(id) {
    const box = this.ui.stage.getBoundingClientRect(), [x, y] = this.place(this.indexOf.get(id), this.frame());
    return [box.left + x, box.top + y];
  }

  /** Calls act(i, x, y) with the place of every particle shown. */
  forEachShown(act) {
    const frame = this.frame(), at = moment(this.t, this.now);
    for (let i = 0; i < this.n; i++) if (this.looks[4 * i + 3] !== HIDDEN) act(i, ...this.place(i, frame, at));
  }

  nearest(x, y) {
    let best = -1, least = REACH_PX ** 2;
    this.forEachShown((i, px, py) => {
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least) [best, least] = [i, distance];
    });
    return best;
  }

  selectWithin(path, adds) {
    const xs = Float64Array.from(path, ([x]) => x), ys = Float64Array.from(path, ([, y]) => y), last = path.length - 1, found = adds ? [...this.selected] : [];
    this.forEachShown((i, x, y) => {
      let isInside = false; // a ray to the right crosses the outline an odd number of times
      for (let k = 0, j = last; k <= last; j = k++) {
        if (ys[k] > y !== ys[j] > y && x < ((xs[j] - xs[k]) * (y - ys[k])) / (ys[j] - ys[k]) + xs[k]) isInside = !isInside;
      }
      if (isInside) found.push(i);
    });
    this.select(found);
  }

  select(members) {
    const hadSome = this.selected.size;
    this.selected = new Set(members);
    if (!hadSome && !this.selected.size) return;
    this.showTools();
    this.showLooks();
    this.redraw("front");
    this.send.state("selected", { of: this.fingerprint, ids: Array.from(this.selected, (i) => this.ids[i]) });
  }

  hover(i) {
    if (i === this.hovered) return;
    const { ui, colour, colours } = this;
    this.hovered = i;
    ui.stage.classList.toggle("on-point", i >= 0);
    ui.tip.hidden = i < 0;
    if (i >= 0) ui.tip.replaceChildren(...tipOf(i, this.ids[i], colours.length < 6 ? colours : [...new Set([this.legendColour() ?? colour, colour])], this.pictures));
    this.markPortrait();
    this.redraw("front", "charts");
  }

  markPortrait() {
    this.readings.mark(this.hovered >= 0 ? [this.hovered] : this.marked, this.pictures, this.portrait);
  }

  // ---- showing ------------------------------------------------------------------------------------------------------

  showTools() {
    const { ui, selected } = this;
    for (const button of ui.tools.children) button.setAttribute("aria-pressed", button.dataset.tool === this.tool);
    ui.stage.dataset.tool = this.tool;
    ui.reset.disabled = !this.zoom;
    ui.selection.hidden = !selected.size;
    ui.selection.innerHTML = `${selected.size.toLocaleString("en-US")} selected ${ICONS.clear}`;
  }

  showLegend() {
    const groups = this.legendColour(), { legend } = this.ui, { colour, theme } = this, name = [this.fingerprint, groups?.key, colour.key, theme.ground, this.lines && this.view.key].join(" ");
    if (legend.dataset.name !== name) legend.replaceChildren(...legendOf(groups, colour, theme.heat, this.lines?.points[this.view.key] && this.lines.label, theme.reference)); // a double click needs the same button twice
    legend.dataset.name = name;
    for (const chip of legend.querySelectorAll("button.chip")) chip.setAttribute("aria-pressed", !this.hidden[groups.key].has(Number(chip.dataset.group)));
  }

  showLooks() {
    const groups = this.legendColour(), { looks, order } = looksOf(this.n, this.colour, groups, this.hidden[groups?.key], this.selected, this.theme);
    this.looks = looks;
    this.painter.setLooks(looks, order);
    this.redraw();
  }

  /** Request a frame. Names list what must be drawn again: "axes" (and with them the points), "front", "charts"; without one, the points. */
  redraw(...names) {
    for (const name of names.length ? names : ["points"]) this.dirty[name] = true;
    this.request ??= requestAnimationFrame((stamp) => this.tick(stamp));
  }

  tick(stamp) {
    const { t } = this, end = t.at(-1), passed = this.wasMoving || this.wasBusy ? stamp - this.last : 0;
    Object.assign(this, { request: null, last: stamp });
    if (this.isPlaying) {
      const speed = this.isOpening ? OPENING : Number(this.ui.speed.value);
      this.now = Math.min(end, this.now + ((end - t[0]) * Math.min(250, passed) * speed) / (1000 * PASS_S));
      this.isPlaying = this.now < end;
    }
    const isMoving = this.isPlaying, isBusy = isMoving || Boolean(this.resting);
    if (isBusy && this.wasBusy && passed < 500) this.pace += 0.25 * (passed - this.pace);
    this.isSlow ||= this.pace > SLOW_MS;
    this.draw(isBusy && this.isSlow && this.n > MANY);
    if (isMoving) this.redraw();
    else if (this.wasMoving) this.endOfPlay();
    Object.assign(this, { wasMoving: isMoving, wasBusy: isBusy });
  }

  /** The page hears where playing ended, but not of the pass with which it opened itself: nobody chose that time. */
  endOfPlay() {
    if (this.isOpening) this.reported = JSON.stringify({ ...JSON.parse(this.reported), t: this.choice().t });
    this.isOpening = false;
    this.report();
  }

  draw(isDraft) {
    const { ui, theme, view, n, hovered } = this, { clientWidth: wide, clientHeight: high } = ui.plot, { type } = theme;
    if (!wide || !high) return;
    const [left, below] = view.titles[0] ? (view.ticks ? [type * 4.5, type * 3.3] : [type * 1.8, type * 2]) : [6, 6];
    const box = (this.box = { left: Math.round(left), top: 6, width: Math.round(wide - left - 6), height: Math.round(high - 6 - below) });
    Object.assign(this, { width: box.width, height: box.height });
    const frame = this.frame(), at = moment(this.t, this.now), isNew = this.dirty.points || this.dirty.axes, isFollowing = isNew && (view.moves || view.leavers.length);
    if (this.dirty.axes || (isNew && view.moves)) this.drawBack(frame, wide, high);
    const home = this.home(), closer = clamp((home.x1 - home.x0) / (frame.x1 - frame.x0), 0.5, 60) ** 0.22;
    const size = clamp(10.5 * (n / 100) ** -0.18, 2.6, 10.5) * closer, opacity = clamp(0.85 * (n / 100) ** -0.25, 0.25, 0.75);
    const trails = ui.trails.checked ? { fade: FADE, width: n > 800 ? 1.2 : 1.7, opacity } : null, lines = this.lines?.points[view.key];
    if (isNew) this.frames++, this.painter.draw({
      key: view.key, points: view.points, n, t: this.t, now: this.now, at, frame, width: box.width, height: box.height, ratio: theme.ratio,
      size: isDraft ? size * 1.35 : size, opacity: clamp((n / 100) ** -0.12, 0.5, 0.95), rim: n <= 3000 ? 0.9 : 0, ground: theme.rgb, isDraft, trails, grey: theme.missing,
      lines: lines ? { key: `lines ${view.key}`, points: lines, size: size * 0.8, opacity: 0.55, trails: { fade: Infinity, width: 1, opacity: opacity * 0.5 } } : null,
    });
    if (this.dirty.front || this.dirty.axes || hovered >= 0 || this.marked.length || isFollowing) this.drawFront(frame, size);
    if (this.dirty.charts) {
      const hidden = this.hidden[this.groups.of] ?? new Set(), css = hovered >= 0 && `rgb(${rgbOf(hovered, this.colour, theme)})`;
      this.charts.draw(this.groups.colours, hidden, css && { i: hovered, css }, theme);
    }
    this.dirty = {};
    this.showTime();
  }

  /** Below the points: axes and guides. */
  drawBack(frame, wide, high) {
    const { box, theme, view } = this, pen = penFor(this.ui.back, wide, high, theme);
    for (const side of ["left", "top", "width", "height"]) this.ui.stage.style[side] = `${box[side]}px`;
    if (view.titles[0]) drawAxes(pen, box, frame, view, theme);
    pen.save();
    pen.beginPath();
    pen.rect(box.left, box.top, box.width, box.height);
    pen.clip();
    pen.translate(box.left, box.top);
    drawGuides(pen, view.guides, frame, box.width, box.height, theme, false, moment(this.t, this.now));
    pen.restore();
  }

  /** Above the points: labels of guides, rings around marked particles, the hovered one's whole path, the lasso. */
  drawFront(frame, size) {
    const { theme, width, height, t, hovered, drag } = this, pen = penFor(this.ui.front, width, height, theme), at = moment(this.t, this.now);
    const trace = (stops, css, thickness) => {
      Object.assign(pen, { strokeStyle: css, lineWidth: thickness, lineJoin: "round", globalAlpha: 1 });
      pen.beginPath();
      stops.forEach((stop) => pen.lineTo(...stop));
    };
    const ring = (i, css, radius, thickness) => {
      trace([], css, thickness);
      pen.arc(...this.place(i, frame, at), radius, 0, 7);
      pen.stroke();
    };
    drawGuides(pen, this.view.guides, frame, width, height, theme, true, at);
    for (const i of this.zoom ? [] : this.view.leavers) {
      if (this.looks[4 * i + 3] !== HIDDEN) drawArrow(pen, ...this.place(i, frame, at), width, height, `rgb(${this.looks.subarray(4 * i, 4 * i + 3)})`, theme.ground);
    }
    for (const i of this.marked) if (this.looks[4 * i + 3] !== HIDDEN) ring(i, theme.selected, size / 2 + 2.5, 1.8);
    if (hovered >= 0) {
      const css = `rgb(${rgbOf(hovered, this.colour, theme)})`, stops = t.map((_, step) => this.place(hovered, frame, { step, next: step, share: 0 }));
      for (const [ink, thickness] of stops.length > 1 ? [[theme.ground, 6], [css, 2.4]] : []) trace(stops, ink, thickness), pen.stroke();
      ring(hovered, theme.ground, size / 2 + 4, 6);
      ring(hovered, theme.ink, size / 2 + 4, 2);
      ring(hovered, css, size / 4 + 1.2, size / 2 + 2.4);
    }
    if (drag?.hasMoved && this.tool !== "pan") {
      trace([...drag.path, drag.path[0]], theme.selected, 1.8);
      pen.stroke();
      Object.assign(pen, { fillStyle: theme.selected, globalAlpha: 0.12 });
      pen.fill();
    }
    if (hovered >= 0) this.placeTip(...this.place(hovered, frame, at));
  }

  /** On a map next to the particle, on the side that has room; where paths are drawn in a corner far from it, to leave its path in sight. */
  placeTip(x, y) {
    const { box, width, height, ui: { tip } } = this, { offsetWidth: wide, offsetHeight: high } = tip, isPath = this.ui.tools.hidden;
    const isRight = isPath ? x < width / 2 : x + 18 + wide < width;
    const across = isPath ? (isRight ? width - wide - 8 : 8) : isRight ? x + 18 : Math.max(4, x - 18 - wide);
    const down = isPath ? 8 : clamp(y - high / 2, 4, Math.max(4, height - high - 4));
    tip.style.transform = `translate(${box.left + across}px, ${box.top + down}px)`;
  }

  /** Everything that follows time apart from the picture, and what tests read. */
  showTime() {
    const { ui, t, now, isPlaying, hovered } = this;
    ui.clock.textContent = `t = ${now.toFixed(2)}`;
    if (Math.abs(ui.time.value - now) > 1e-3) ui.time.value = now;
    ui.scrub.style.setProperty("--share", (now - t[0]) / (t.at(-1) - t[0] || 1));
    this.readings.follow(moment(t, now));
    if (ui.play.dataset.playing !== String(isPlaying)) {
      Object.assign(ui.play, { innerHTML: isPlaying ? ICONS.pause : ICONS.play, ariaLabel: isPlaying ? "Pause" : "Play", title: isPlaying ? "Pause (space)" : "Play (space)" });
      ui.play.dataset.playing = isPlaying;
    }
    this.charts.follow(now, hovered);
    Object.assign(this.host.dataset, {
      time: now.toFixed(4), frames: this.frames, playing: isPlaying, view: this.view.key, colour: this.colour.key, selected: this.selected.size,
      hovered: hovered < 0 ? "" : this.ids[hovered], renderer: this.painter.name,
    });
  }
}

export default function (component) {
  const { parentElement } = component;
  const field = (parentElement.field ??= new Field(parentElement));
  field.update(component);
  return () => {
    field.destroy();
    delete parentElement.field;
  };
}
