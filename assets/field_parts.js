// The particle field, part 3 of 4: its markup, the charts next to the view, and the box that hovering shows.

const icon = (path) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;
const ICONS = {
  play: icon("M8 5.5v13l10.5-6.5z"), pause: icon("M7.5 5.5h3v13h-3zM13.5 5.5h3v13h-3z"),
  pan: icon("M12 3v18M3 12h18M9.5 5.5 12 3l2.5 2.5M9.5 18.5 12 21l2.5-2.5M5.5 9.5 3 12l2.5 2.5M18.5 9.5 21 12l-2.5 2.5"),
  lasso: icon("M7.5 15.5C4.600 14.300 3 12.500 3 10.300 3 6.800 7 4.500 12 4.500s9 2.300 9 5.800-4 5.800-9 5.800c-1 0-2-.100-2.900-.300M7.300 20.500c1.600-1 2.200-2.600 1.700-4.300a1.700 1.700 0 1 0-2 1.300"),
  box: icon("M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M11 4h2M11 20h2M4 11v2M20 11v2"),
  reset: icon("M4.500 12a7.500 7.500 0 1 0 2.600-5.700M4.500 4.500v4h4"), clear: icon("M6.500 6.500l11 11M17.500 6.500l-11 11"),
};

const TOOLS = { pan: "Drag to move, wheel to zoom", lasso: "Draw around points to select them (Shift adds)", box: "Draw a box around points to select them (Shift adds)" };

const TEMPLATE = `
<div class="screen">
<div class="head">
  <label class="pick"><span>View</span><select data-is="view"></select></label>
  <div class="pick" data-is="radius"><span>Radius</span><div class="tools" role="group" aria-label="How the radius is drawn" data-is="variants"></div></div>
  <label class="pick"><span>Colour</span><select data-is="colour"></select></label>
  <span class="gap"></span>
  <button class="pill" data-is="selection" title="Clear the selection" hidden></button>
  <div class="tools" role="group" aria-label="What dragging does" data-is="tools"></div>
  <button class="tool" data-is="reset" title="Show everything again (double click)" aria-label="Reset zoom" disabled>${ICONS.reset}</button>
</div>
<div class="legend" data-is="legend"></div>
<div class="body" data-is="body">
  <div class="readings" data-is="readings"></div>
  <div class="plot" data-is="plot">
    <canvas class="layer" data-is="back"></canvas>
    <div class="stage" data-is="stage" tabindex="0" role="application"><canvas class="layer" data-is="front"></canvas></div>
    <div class="tip" data-is="tip" hidden></div>
  </div>
  <div class="charts" data-is="charts"></div>
</div>
<div class="transport" data-is="transport">
  <button class="play" data-is="play" aria-label="Play">${ICONS.play}</button>
  <output class="clock" data-is="clock"></output>
  <div class="scrub" data-is="scrub"><div class="marks" data-is="marks"></div><input type="range" data-is="time" step="0.001" aria-label="t, from 0 (data) to 1 (noise)"><div class="ends"><span>data</span><span>noise</span></div></div>
  <label class="pick" data-is="speeds"><span>Speed</span><select data-is="speed"><option value="0.25">¼×</option><option value="0.5">½×</option><option value="1" selected>1×</option><option value="2">2×</option><option value="4">4×</option></select></label>
  <label class="switch" data-is="trail"><input type="checkbox" data-is="trails" checked><i></i><span>Trails</span></label>
</div>
</div>
<p class="note" data-is="note"></p>`;

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** A new element with these properties, styles and children. Text that comes with the data is only ever set as text. */
function make(name, props = {}, ...children) {
  const { style, dataset, ...rest } = props;
  const node = Object.assign(document.createElement(name), rest);
  Object.assign(node.style, style);
  Object.assign(node.dataset, dataset);
  node.append(...children);
  return node;
}

const CHART_RIGHT = 9; // the same in all charts, like CHART_LEFT

/** The charts over t. Dragging in one calls `scrub(t)` and, at the end, `rest()`. */
class Charts {
  constructor(node, scrub, rest) {
    Object.assign(this, { node, scrub, rest, items: [] });
  }

  load(charts, t, n) {
    Object.assign(this, { t, n });
    this.items = charts.map((chart) => {
      const canvas = make("canvas", { className: "layer" }), marker = make("i", { className: "marker" }), value = make("output");
      const holder = make("div", { className: "holder" }, canvas, marker);
      const head = make("figcaption", {}, make("b", { textContent: chart.label }), make("span", { textContent: chart.y_title }), value);
      const move = (event) => {
        if (!holder.hasPointerCapture(event.pointerId)) return;
        const share = (event.clientX - holder.getBoundingClientRect().left - CHART_LEFT) / this.#room(holder);
        this.scrub(t[0] + share * (t.at(-1) - t[0]));
      };
      holder.addEventListener("pointerdown", (event) => { holder.setPointerCapture(event.pointerId); move(event); });
      holder.addEventListener("pointermove", move);
      holder.addEventListener("lostpointercapture", () => this.rest());
      return { ...chart, values: decode(chart.values), canvas, marker, value, holder, figure: make("figure", {}, head, holder) };
    });
    this.node.replaceChildren(...this.items.map(({ figure }) => figure));
  }

  /** colours: one per group; hidden: set of groups; particle: index and colour of one whose own lines are drawn, or null. */
  draw(colours, hidden, particle, theme) {
    const small = { ...theme, type: theme.type * 0.93 }, isGrid = getComputedStyle(this.node).display === "grid";
    this.items.forEach(({ holder, canvas, bands, values, ...chart }, k) => {
      const { clientWidth: width, clientHeight: height } = holder;
      if (!width) return;
      const groups = bands.map((band, group) => ({ band: hidden.has(group) ? null : band, css: colours[group] }));
      const own = particle && { css: particle.css, values: this.t.map((_, step) => values[step * this.n + particle.i]) };
      drawChart(penFor(canvas, width, height, small), chart, this.t, width, height, groups, own, isGrid || k === this.items.length - 1, small);
    });
  }

  /** Move the time markers to `now`, and write the hovered particle's values there (i < 0: none). */
  follow(now, i) {
    const { step, next, share } = moment(this.t, now), passed = (now - this.t[0]) / (this.t.at(-1) - this.t[0] || 1);
    for (const { marker, holder, value, values } of this.items) {
      marker.style.transform = `translateX(${CHART_LEFT + passed * this.#room(holder)}px)`;
      const [from, to] = [values[step * this.n + i], values[next * this.n + i]];
      value.textContent = i < 0 ? "" : toWords(from + (to - from) * share);
    }
  }

  #room(holder) {
    return holder.clientWidth - CHART_LEFT - CHART_RIGHT;
  }
}

const CROP_PX = 116, CROP_POSITIONS = 5; // a crop shows about so many grid positions side by side

/** A square of a picture around a place (shares of its sides) that frames one grid position of this size. */
function crop(address, [cx, cy], size) {
  const picture = make("img", { alt: "", draggable: false }), mark = make("i"), box = make("span", { className: "crop" }, picture, mark);
  picture.onload = () => {
    const width = CROP_PX / clamp(CROP_POSITIONS * size[0], 0.15, 1), height = (width * picture.naturalHeight) / picture.naturalWidth;
    const within = (middle, length) => (length < CROP_PX ? (CROP_PX - length) / 2 : clamp(CROP_PX / 2 - middle * length, CROP_PX - length, 0));
    const [left, top] = [within(cx, width), within(cy, height)];
    const put = (node, ...sides) => ["left", "top", "width", "height"].forEach((name, k) => (node.style[name] = `${sides[k]}px`));
    put(picture, left, top, width, height);
    put(mark, left + (cx - size[0] / 2) * width, top + (cy - size[1] / 2) * height, size[0] * width, size[1] * height);
  };
  picture.src = address;
  return box;
}

/** The content of the tip for particle i: its place in image and map, its image, and its colours' meanings. */
function tipOf(i, id, colours, pictures) {
  const facts = colours.flatMap(({ label: text, kind, values, names }) => [
    make("dt", { textContent: text }), make("dd", { textContent: kind === "group" ? names[values[i]] : toWords(values[i]) }),
  ]);
  const list = make("dl", {}, ...facts);
  if (pictures?.of[i] < 0) return [list];
  if (!pictures) return [make("b", { textContent: `particle ${id}` }), list];
  const of = pictures.of[i], place = pictures.place.subarray(2 * i, 2 * i + 2);
  const crops = [pictures.images[of], pictures.maps[of]].map((address) => crop(address, place, pictures.size));
  return [make("div", { className: "crops" }, ...crops), make("b", { textContent: pictures.names[of] }), list];
}

/** Buttons for the groups, what is grey below them, and, for a colour that shows numbers, its scale. */
function legendOf(groups, colour, heat, lines, grey) {
  const count = (group) => make("small", { textContent: groups.counts[group].toLocaleString("en-US") });
  const chips = (groups?.names ?? []).map((text, group) => {
    const corners = CORNERS[groups.shapes[group]]?.map(([across, up]) => `${50 + 50 * across}% ${50 - 50 * up}%`);
    const dot = make("i", { style: { background: groups.colours[group], ...(corners && { borderRadius: 0, clipPath: `polygon(${corners})` }) } });
    return make("button", { className: "chip", title: "Click to hide or show, double click to show alone", dataset: { group } }, dot, text, count(group));
  });
  if (lines) chips.push(make("span", { className: "chip" }, make("i", { style: { background: grey } }), make("small", { textContent: lines })));
  if (colour.kind === "group") return chips;
  const [low, high] = colour.range, stops = heat.filter((_, i) => i % 15 === 0).map((rgb) => `rgb(${rgb})`).join(",");
  const end = (text, isCut, sign) => make("small", { textContent: (isCut ? `${sign} ` : "") + toWords(text) });
  const bar = make("i", { style: { background: `linear-gradient(to right, ${stops})` } });
  return [...chips, make("span", { className: "scale" }, colour.label, end(low, colour.cut[0], "≤"), bar, end(high, colour.cut[1], "≥"))];
}
