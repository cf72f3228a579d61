// Image, anomaly map and both in one, linked: zoom, pan and hover in one are seen in all, a click chooses a position.
// Opacity, outline and colour scale change here; the address follows, so that a link keeps them. Python is not told.

const PANELS = [["image", "Image"], ["map", "Anomaly map"], ["overlay", "Overlay"]];
const SCALES = [["run", "One scale for the run"], ["image", "This image's own scale"]];
const RING_PX = 8, START = { opacity: 0.6, scale: "run", outline: "on" };
const SVG = "http://www.w3.org/2000/svg";

const views = new WeakMap();
/** What a person chose, for as long as the page lives; what Python last said of it. */
const look = { ...START };
let told = "";

export default function (component) {
  const root = component.parentElement.querySelector(".localization");
  let view = views.get(root);
  if (!view) views.set(root, (view = new View(root)));
  view.update(component.data, (position) => component.setStateValue("position", position));
}

class View {
  constructor(root) {
    this.root = root;
    this.zoom = new Zoom(() => this.layOut(), (x, y) => this.choose(x, y));
    this.panels = PANELS.map(([kind, title]) => this.panel(add(this.panelRow(), "figure", {}), kind, title));
    this.controls();
    new ResizeObserver(() => this.layOut()).observe(this.row);
  }

  // -- what Python sends

  update(data, send) {
    this.send = send;
    const said = JSON.stringify(data.look);
    if (said !== told) Object.assign(look, data.look);
    told = said;
    if (this.data?.key !== data.key) {
      this.map = scoresOf(data.map);
      this.heat = bytes(data.heat);
      this.scores = new Float32Array(bytes(data.grid.scores).buffer);
      this.row.style.setProperty("--ratio", data.width / data.height);
      for (const panel of this.panels) {
        if (panel.image) panel.image.src = data.image;
        panel.frame.setAttribute("aria-label", `${panel.title}: ${data.name}`);
        panel.svg.setAttribute("viewBox", `0 0 ${data.width} ${data.height}`);
        for (const line of panel.lines) line.setAttribute("d", data.truth);
        panel.left.setAttribute("d", data.left_out);
      }
      this.zoom.fit(data.width, data.height);
    }
    this.data = data;
    this.selected = data.selected;
    this.outlineLabel.hidden = !data.truth && !data.left_out;
    this.leftKey.hidden = !data.left_out;
    this.outlineWords.textContent = data.outline_words;
    this.draw();
    this.remember(); // Python has just written the address anew
    this.root.dataset.image = data.key;
  }

  // -- drawing

  draw() {
    const { data } = this, range = data.scales[look.scale];
    const levels = levelsOf(this.map, range);
    for (const panel of this.panels) {
      const cover = panel.kind === "map" ? new Uint8ClampedArray(LEVELS).fill(255) : coverOf(look.opacity);
      if (panel.canvas) paint(panel.canvas, this.map, levels, this.heat, cover);
      panel.truth.style.display = look.outline === "on" ? "" : "none";
    }
    this.opacity.value = 100 * look.opacity;
    this.opacity.out.textContent = `${Math.round(100 * look.opacity)}\u00a0%`;
    for (const [scale, button] of this.scaleButtons) button.setAttribute("aria-pressed", String(scale === look.scale));
    this.outline.checked = look.outline === "on";
    this.ownScale.hidden = look.scale !== "image";
    this.ownScale.textContent = data.own_scale_note;
    this.drawBar(range);
    this.layOut();
    Object.assign(this.root.dataset, look);
  }

  drawBar(range) {
    const stops = Array.from({ length: 17 }, (_, i) => {
      const at = Math.round((i / 16) * (LEVELS - 1));
      return `rgb(${this.heat.subarray(3 * at, 3 * at + 3).join(",")})`;
    });
    this.bar.style.background = `linear-gradient(to right, ${stops.join(",")})`;
    this.ticks.replaceChildren();
    for (const tick of ticksOf(range)) {
      const left = range[1] > range[0] ? (100 * (tick - range[0])) / (range[1] - range[0]) : 0;
      add(this.ticks, "span", { style: `left: ${left}%` }, score(tick));
    }
  }

  layOut() {
    if (!this.data) return;
    for (const { frame, plane, rings } of this.panels) {
      const place = this.zoom.place(frame);
      if (!(place.scale > 0)) continue; // without a size: the page is being left
      for (const name of ["left", "top", "width", "height"]) plane.style[name] = `${place[name]}px`;
      for (const ring of rings) {
        ring.setAttribute("r", RING_PX / place.scale);
        ring.style.display = this.selected ? "" : "none";
        if (this.selected) this.put(ring, this.selected);
      }
      frame.classList.toggle("zoomed", this.zoom.k > 1);
    }
    this.whole.disabled = this.zoom.k === 1;
    this.root.dataset.zoom = this.zoom.k.toFixed(2);
    this.root.dataset.selected = this.selected?.join(",") ?? "";
  }

  /** Move a circle to the middle of a position. */
  put(circle, [row, column]) {
    const { grid, width, height } = this.data;
    circle.setAttribute("cx", ((column + 0.5) * width) / grid.columns);
    circle.setAttribute("cy", ((row + 0.5) * height) / grid.rows);
  }

  // -- what a person does

  position(x, y) {
    const { grid, width, height } = this.data;
    return [Math.floor((y * grid.rows) / height), Math.floor((x * grid.columns) / width)];
  }

  choose(x, y) {
    this.selected = this.position(x, y);
    this.layOut();
    this.send(this.selected.join(","));
  }

  hover(panel, event) {
    const point = event && this.data ? this.zoom.at(panel.frame, event) : null;
    for (const { tip, dot } of this.panels) {
      tip.hidden = true;
      dot.style.display = "none";
    }
    this.root.dataset.hovered = "";
    if (!point) return;
    const [row, column] = this.position(...point), value = this.scores[row * this.data.grid.columns + column];
    const share = ofThreshold(value, this.data.threshold);
    panel.tip.textContent = `row ${row}, column ${column}\nscore ${score(value)}${share ? `\n${share}` : ""}`;
    panel.tip.hidden = false;
    const box = panel.frame.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    panel.tip.style.transform = `translate(${x > box.width / 2 ? "calc(-100% - 14px)" : "14px"}, ${y > box.height / 2 ? "-100%" : "0"})`;
    Object.assign(panel.tip.style, { left: `${x}px`, top: `${y}px` });
    for (const other of this.panels) {
      if (other === panel) continue;
      other.dot.style.display = "";
      other.dot.setAttribute("cx", point[0]);
      other.dot.setAttribute("cy", point[1]);
      const scale = this.zoom.scale(other.frame);
      if (scale > 0) other.dot.setAttribute("r", RING_PX / 2 / scale);
    }
    this.root.dataset.hovered = `${row},${column}`;
  }

  set(name, value) {
    look[name] = value;
    this.remember();
    this.draw();
  }

  /** Let the address hold the look, as Python reads it. */
  remember() {
    const address = new URL(location.href);
    for (const [name, value] of Object.entries(look)) {
      if (value === START[name]) address.searchParams.delete(name);
      else address.searchParams.set(name, String(value));
    }
    if (address.href !== location.href) history.replaceState(history.state, "", address);
  }

  // -- parts

  panelRow() {
    return (this.row ??= add(this.root, "div", { class: "panels" }));
  }

  panel(figure, kind, title) {
    add(figure, "figcaption", {}, title);
    const frame = add(figure, "div", { class: "frame", role: "img" }), plane = add(frame, "div", { class: "plane" });
    const panel = { kind, title, frame, plane };
    if (kind !== "map") panel.image = add(plane, "img", { alt: "", draggable: "false" });
    if (kind !== "image") panel.canvas = add(plane, "canvas", {});
    const svg = (panel.svg = add(plane, "svg", { preserveAspectRatio: "none" }, "", SVG));
    const pattern = add(svg, "pattern", {
      id: `stripes-${kind}`, width: 8, height: 8, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)",
    }, "", SVG);
    add(pattern, "rect", { width: 8, height: 8, fill: "#000000" }, "", SVG);
    add(pattern, "rect", { width: 4, height: 8, fill: "#FFFFFF" }, "", SVG);
    panel.truth = add(svg, "g", {}, "", SVG);
    panel.left = add(panel.truth, "path", { class: "left", style: `fill: url(#stripes-${kind})` }, "", SVG);
    panel.lines = ["halo", "truth"].map((name) => add(panel.truth, "path", { class: name }, "", SVG));
    panel.rings = ["ring-halo", "ring"].map((name) => add(svg, "circle", { class: name }, "", SVG));
    panel.dot = add(svg, "circle", { class: "dot" }, "", SVG);
    panel.tip = add(frame, "div", { class: "tip", hidden: "" });
    this.zoom.listen(frame);
    frame.addEventListener("pointermove", (event) => this.hover(panel, event));
    frame.addEventListener("pointerleave", () => this.hover(panel, null));
    return panel;
  }

  controls() {
    const row = add(this.root, "div", { class: "controls" });
    const legend = add(row, "div", { class: "legend" });
    add(legend, "span", {}, "anomaly score (higher is worse)");
    this.bar = add(legend, "div", { class: "bar" });
    this.ticks = add(legend, "div", { class: "ticks" });
    const label = add(row, "label", {}, "Opacity of the map");
    this.opacity = add(label, "input", { type: "range", min: 0, max: 100, step: 5 });
    this.opacity.out = add(label, "output", {});
    this.opacity.oninput = () => this.set("opacity", Number(this.opacity.value) / 100);
    const group = add(row, "div", { class: "group", role: "group", "aria-label": "Colours" });
    this.scaleButtons = SCALES.map(([scale, text]) => {
      const button = add(group, "button", { type: "button" }, text);
      button.onclick = () => this.set("scale", scale);
      return [scale, button];
    });
    this.outlineLabel = add(row, "label", { class: "check" });
    this.outline = add(this.outlineLabel, "input", { type: "checkbox" });
    this.outlineWords = add(this.outlineLabel, "span", {});
    this.leftKey = add(this.outlineLabel, "span", { class: "key" }, "striped: left out");
    this.outline.onchange = () => this.set("outline", this.outline.checked ? "on" : "off");
    const zoom = add(row, "div", { class: "group", role: "group", "aria-label": "Zoom of all pictures" });
    for (const [text, title, act] of [["+", "Zoom in", () => this.zoom.by(1.5)], ["−", "Zoom out", () => this.zoom.by(1 / 1.5)]]) {
      add(zoom, "button", { type: "button", title, "aria-label": title }, text).onclick = act;
    }
    this.whole = add(zoom, "button", { type: "button", title: "Also a double click in a picture" }, "Whole image");
    this.whole.onclick = () => this.zoom.reset();
    this.ownScale = add(this.root, "p", { class: "note", hidden: "" });
  }
}

function add(parent, tag, attributes, text = "", space = null) {
  const element = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.append(text);
  parent.append(element);
  return element;
}
