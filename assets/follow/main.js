// "Follow this defect", part 4 of 4: the component. One time drives all panels. It sends back choice {position, compare, t}.

const WAY_S = 7; // seconds from t = 0 to t = 1
const HOLD_MS = 900; // the start stands so long before the first play, so that it is seen
const SETTLE_MS = 250; // so long after the last key or drag, the page hears of it
const NEIGHBOURS = { ArrowUp: [-1, 0, "above", "up"], ArrowLeft: [0, -1, "to the left", "left"], ArrowRight: [0, 1, "to the right", "right"], ArrowDown: [1, 0, "below", "down"] };
const CHEVRONS = { up: "M6 15l6-6 6 6", down: "M6 9l6 6 6-6", left: "M15 6l-6 6 6 6", right: "M9 6l6 6-6 6" };

const PANELS = `
<figure class="image"><figcaption><b>1</b><span>The image</span></figcaption><div class="view" data-is="image" tabindex="0" role="application"><canvas></canvas></div></figure>
<figure class="patch"><figcaption><b>2</b><span data-is="patch_words">The patch, enlarged</span></figcaption><div class="view" data-is="patch" role="img"><canvas></canvas><div class="steps" data-is="arrows" role="group" aria-label="Follow a neighbouring patch"></div></div></figure>
<figure class="disc"><figcaption><b>3</b><span data-is="disc_words"></span><output data-is="radius"></output></figcaption><div class="view" data-is="disc" role="img"><canvas></canvas></div></figure>
<figure class="chart"><figcaption><b>4</b><span>Distance from the origin</span><output data-is="distance"></output></figcaption><div class="view" data-is="chart" role="img"><canvas></canvas></div></figure>
<figure class="map"><figcaption><b>5</b><span data-is="map_words">The map if the flow ended here</span></figcaption><div class="pair"><div class="view" data-is="map" role="img"><canvas></canvas></div>
  <dl class="end"><dt>Score here</dt><dd><i data-is="swatch"></i><output data-is="score"></output></dd><dd class="share" data-is="share"></dd>
  <dt data-is="auroc_words">The run's image AUROC</dt><dd><output data-is="auroc"></output></dd><dd class="view spark" data-is="spark" role="img"><canvas></canvas></dd><dd class="share" data-is="auroc_note"></dd></dl></div></figure>`;

const STRIP = `<div class="panels">${PANELS}</div><p class="said" data-is="said" aria-live="polite"></p>
<div class="foot"><div class="transport"><button class="play" data-is="play" aria-label="Play">${ICONS.play}</button><output class="clock" data-is="clock"></output>
<div class="scrub" data-is="scrub"><div class="marks" data-is="marks"></div><input type="range" data-is="time" min="0" max="1" step="0.001" aria-label="Time t, from 0 (data) to 1 (noise)"></div></div>
<div class="compare" role="radiogroup" aria-label="Compare with" data-is="compare"><span>Compare with</span></div></div>`;

class Strip {
  constructor(parent) {
    this.host = parent.host ?? parent;
    this.root = make("div", { className: "follow", innerHTML: STRIP });
    parent.append(this.root);
    this.ui = Object.fromEntries([...this.root.querySelectorAll("[data-is]")].map((node) => [node.dataset.is, node]));
    Object.assign(this, { now: 0, isPlaying: false, frames: 0, compare: "none", nearest: null });
    this.off = new AbortController();
    this.listen();
    this.resizing = new ResizeObserver(() => this.redraw());
    this.root.querySelectorAll(".view").forEach((node) => this.resizing.observe(node));
  }

  destroy() {
    this.off.abort();
    this.resizing.disconnect();
    cancelAnimationFrame(this.request);
    [this.later, this.beginning].forEach(clearTimeout);
    this.root.remove();
  }

  // ---- what the page sends ----------------------------------------------------------------------------------------------

  update({ data, setStateValue }) {
    this.send = setStateValue;
    const isFirst = !this.story, isTold = data.told !== this.told;
    this.readTheme(data.story.look);
    if (data.story.fingerprint !== this.story?.fingerprint) this.load(data.story);
    Object.assign(this, { told: data.told, threshold: data.threshold, nearest: data.nearest && { ...data.nearest, picture: this.pictureOf(data.nearest.picture) } });
    this.root.style.setProperty("--height", data.height);
    if (isTold) this.take(data.choice, isFirst);
    this.showCompare();
    this.sayVerdict();
    this.redraw();
  }

  readTheme(look) {
    const css = getComputedStyle(this.host), { fontFamily: font, fontSize } = getComputedStyle(this.root);
    const read = (name, otherwise) => css.getPropertyValue(name).trim() || otherwise;
    this.theme = { ...look, ink: read("--st-text-color", "#222"), ground: read("--st-background-color", "#fff"), font, type: parseFloat(fontSize) * 0.9, ratio: Math.min(2, devicePixelRatio || 1) };
    this.root.style.setProperty("--time", look.time);
    this.root.style.setProperty("--selected", look.selected);
  }

  load(story) {
    this.story = story;
    this.paths = new Paths(story);
    this.angles = decode(story.angles);
    this.inside = story.inside && decode(story.inside);
    this.alike = decode(story.alike);
    this.normals = new Paths({ norm: story.normal_norm, between: story.normal_between, t: story.t, channels: story.channels });
    this.normalAngles = decode(story.normal_angles);
    this.picture = this.pictureOf(story.picture);
    this.heat = null;
    this.ui.marks.replaceChildren(...(story.t.length < 30 ? story.t.map((t) => make("i", { style: { left: `${100 * t}%` } })) : []));
  }

  pictureOf(address) {
    const found = new Image();
    found.onload = () => this.redraw();
    found.src = address;
    return found;
  }

  /** Follow what the page wants. Opened without a time, the strip plays once; where motion is unwanted it shows the end. */
  take({ position, compare, t }, isFirst) {
    Object.assign(this, { cell: position, compare });
    if (t !== null) this.scrub(t);
    else if (isFirst && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.beginning = setTimeout(() => this.play(), HOLD_MS);
    else if (isFirst) this.scrub(1);
    this.reported = JSON.stringify(this.choice());
  }

  // ---- what the person does ---------------------------------------------------------------------------------------------

  listen() {
    const { ui } = this, { signal } = this.off, on = (node, name, act) => node.addEventListener(name, act, { signal });
    ui.arrows.append(...Object.entries(NEIGHBOURS).map(([key, [, , words, way]]) => make("button", { className: way, title: `The patch ${words}`, ariaLabel: `Follow the patch ${words}`, innerHTML: icon(CHEVRONS[way]), dataset: { key } })));
    on(ui.arrows, "click", ({ target }) => this.step(target.closest("button")?.dataset.key));
    on(ui.play, "click", () => this.toggle());
    on(ui.time, "input", () => this.scrub(Number(ui.time.value)));
    on(ui.time, "change", () => this.rest());
    on(ui.compare, "click", ({ target }) => this.choose(target.closest("button")?.dataset.what));
    for (const name of ["image", "map"]) on(ui[name], "click", (event) => this.point(event, ui[name]));
    on(this.root, "keydown", (event) => this.press(event));
  }

  choice() {
    return { position: this.cell, compare: this.compare, t: this.now >= 1 ? null : Math.round(this.now * 1e3) / 1e3 };
  }

  /** Send the page what is chosen, unless it has that already. Never while playing. */
  rest() {
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      const choice = this.choice(), text = JSON.stringify(choice);
      if (this.isPlaying || text === this.reported) return;
      this.reported = text;
      this.send("choice", choice);
    }, SETTLE_MS);
  }

  toggle() {
    clearTimeout(this.beginning);
    if (this.isPlaying) return this.pause();
    if (this.now >= 1) this.now = 0;
    return this.play();
  }

  play() {
    Object.assign(this, { isPlaying: true, last: null });
    this.redraw();
  }

  pause() {
    this.isPlaying = false;
    this.redraw();
    this.rest();
  }

  scrub(time) {
    clearTimeout(this.beginning);
    Object.assign(this, { isPlaying: false, now: clamp(time, 0, 1) });
    this.redraw();
  }

  press(event) {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.type === "range" && key !== " ") return void event.stopPropagation(); // arrows move the time, and nothing else on the page
    const isButton = target.closest("button"), isCell = NEIGHBOURS[key] && (target === this.ui.image || target.closest(".steps"));
    if (isCell) this.step(key);
    else if (key === " " && !isButton) this.toggle();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  step(key) {
    if (!NEIGHBOURS[key]) return;
    const [down, across] = NEIGHBOURS[key], [rows, columns] = this.story.grid;
    this.goTo([clamp(this.cell[0] + down, 0, rows - 1), clamp(this.cell[1] + across, 0, columns - 1)]);
  }

  point(event, view) {
    const box = view.getBoundingClientRect(), at = this.boxIn(view), [rows, columns] = this.story.grid;
    const x = (event.clientX - box.left - at.left) / at.width, y = (event.clientY - box.top - at.top) / at.height;
    if (x >= 0 && y >= 0 && x < 1 && y < 1) this.goTo([Math.floor(y * rows), Math.floor(x * columns)]);
  }

  goTo(cell) {
    if (cell[0] === this.cell[0] && cell[1] === this.cell[1]) return;
    Object.assign(this, { cell });
    if (this.now === 0) this.scrub(1);
    this.sayVerdict();
    this.redraw();
    this.rest();
  }

  choose(what) {
    if (!what || what === this.compare) return;
    this.compare = what;
    this.showCompare();
    this.sayVerdict();
    this.redraw();
    this.rest();
  }

  // ---- showing ----------------------------------------------------------------------------------------------------------

  showCompare() {
    const { ui, story } = this, options = { none: "nothing", normal: story.inside ? "a normal patch here" : "a patch like it here", nearest: "the nearest normal patch" };
    const name = JSON.stringify(options);
    if (ui.compare.dataset.name !== name) {
      ui.compare.querySelectorAll("button").forEach((button) => button.remove());
      ui.compare.append(...Object.entries(options).map(([what, text]) => make("button", { textContent: text, dataset: { what } })));
      ui.compare.querySelectorAll("button").forEach((button) => button.setAttribute("role", "radio"));
      ui.compare.dataset.name = name;
    }
    for (const button of ui.compare.querySelectorAll("button")) button.setAttribute("aria-checked", button.dataset.what === this.compare);
  }

  index([row, column]) {
    return row * this.story.grid[1] + column;
  }

  cssOf(cell) {
    const isIn = this.inside?.[this.index(cell)];
    return isIn || (this.story.is_defective && !this.inside) ? this.theme.defect : this.theme.normal;
  }

  /** The nearest normal patch, once the page has sent that of the position followed now. */
  near() {
    const { nearest, cell } = this;
    return this.compare === "nearest" && nearest?.of[0] === cell[0] && nearest?.of[1] === cell[1] ? nearest : null;
  }

  /** The patch of this image, outside its true defect, that is most like the one followed, where it is compared with that. */
  alikeCell() {
    const at = this.compare === "normal" ? this.alike[this.index(this.cell)] : -1, columns = this.story.grid[1];
    return at < 0 ? null : [Math.floor(at / columns), at % columns];
  }

  /** The paths to draw: what is compared first, so that the one followed lies on top. */
  ways() {
    const { cell, paths, story, theme } = this, own = (at, isMain, css) => ({ isMain, css, angle: this.angles[this.index(at)], distance: (t) => paths.distance(this.index(at), t) });
    const found = [], near = this.near(), alike = this.alikeCell();
    if (alike) found.push(own(alike, false, story.inside ? theme.normal : theme.reference));
    if (near) {
      near.paths ??= new Paths({ norm: near.path.norm, between: near.path.between, t: story.t, channels: story.channels });
      found.push({ isMain: false, css: theme.normal, angle: near.path.angle, distance: (t) => near.paths.distance(0, t) });
    }
    return [...found, own(cell, true, this.cssOf(cell))];
  }

  boxIn(view) {
    const { naturalWidth: w, naturalHeight: h } = this.picture;
    return fitted(w || 1, h || 1, view.clientWidth, view.clientHeight);
  }

  redraw() {
    this.request ??= requestAnimationFrame((stamp) => this.tick(stamp));
  }

  tick(stamp) {
    this.request = null;
    if (this.isPlaying) {
      this.now = Math.min(1, this.now + Math.min(250, stamp - (this.last ?? stamp)) / (1000 * WAY_S));
      this.last = stamp;
      if (this.now >= 1) this.pause();
      else this.redraw();
    }
    if (this.story && this.cell) this.draw();
  }

  pen(name) {
    const view = this.ui[name], { clientWidth: width, clientHeight: height } = view;
    return width && height ? [penFor(view.firstChild, width, height, this.theme), width, height] : null;
  }

  draw() {
    const { story, theme, cell, now, picture, paths } = this, main = this.cssOf(cell), ways = this.ways();
    const on = (name, act) => { const found = this.pen(name); if (found) act(...found); };
    this.frames++;
    if (picture.naturalWidth) {
      on("image", (pen) => {
        const box = this.boxIn(this.ui.image);
        pen.drawImage(picture, box.left, box.top, box.width, box.height);
        drawOutline(pen, story.outline, box, theme);
        const alike = this.alikeCell();
        if (alike) drawFrame(pen, frameOf(alike, story.grid, box), theme.normal, theme.halo, 2, [3, 2]);
        drawFrame(pen, frameOf(cell, story.grid, box), main, theme.halo, 2.5);
      });
      on("patch", (pen, width, height) => this.drawPatches(pen, width, height, main));
      on("map", (pen) => {
        const box = this.boxIn(this.ui.map);
        this.heat ??= new HeatMap(story.grid, picture.naturalWidth / picture.naturalHeight, heatColours(story.look.heat), story.color_range);
        pen.imageSmoothingQuality = "high";
        pen.drawImage(this.heat.paint(paths, now), box.left, box.top, box.width, box.height);
        drawOutline(pen, story.outline, box, theme, 1);
        drawFrame(pen, frameOf(cell, story.grid, box), "#fff", theme.halo, 2);
      });
    }
    on("disc", (pen, width, height) => drawDisc(pen, width, height, { ...story, normals: this.normals, angles: this.normalAngles, now }, ways, theme));
    on("chart", (pen, width, height) => drawDistance(pen, width, height, { ...story, steps: story.t, now }, ways, theme));
    if (story.over) on("spark", (pen, width, height) => drawAuroc(pen, width, height, { values: story.over.image_auroc, steps: story.t, now }, theme));
    this.showNumbers(ways.at(-1));
  }

  /** The patch, and next to it what it is compared with. */
  drawPatches(pen, width, height, main) {
    const { story, theme, cell } = this, near = this.near(), other = this.alikeCell();
    const isPair = other || near?.picture.naturalWidth, isWide = width > height, share = isPair ? 0.5 : 1;
    const box = isWide ? { left: 0, top: 0, width: width * share, height } : { left: 0, top: 0, width, height: height * share };
    const second = isWide ? { ...box, left: box.width + 4, width: box.width - 4 } : { ...box, top: box.height + 4, height: box.height - 4 };
    const at = drawPatch(pen, this.picture, cell, story.grid, box, theme, main, story.outline, []);
    for (const side of ["left", "top", "width", "height"]) this.ui.arrows.style[side] = `${at[side]}px`;
    this.ui.arrows.classList.toggle("small", Math.min(at.width, at.height) < 150);
    if (other) drawPatch(pen, this.picture, other, story.grid, second, theme, theme.normal, story.outline, [4, 3]);
    else if (near?.picture.naturalWidth) drawPatch(pen, near.picture, near.cell, story.grid, second, theme, theme.normal, [], [4, 3]);
  }

  // ---- in words -----------------------------------------------------------------------------------------------------------

  showNumbers(way) {
    const { ui, story, now, isPlaying, paths, theme } = this, i = this.index(this.cell), score = paths.score(i, now);
    const radius = way.distance(now) / between(story.times, story.well, now), isEnd = now >= 1, over = story.over;
    ui.clock.textContent = toTime(now);
    if (Math.abs(ui.time.value - now) > 1e-3) ui.time.value = now;
    ui.scrub.style.setProperty("--share", now);
    ui.disc_words.textContent = `Among ${this.normals.n} normal positions`;
    ui.radius.textContent = `${radius > 1 ? "outside" : "inside"}, ${radius < 10 ? radius.toFixed(2) : radius.toFixed(0)} radii`;
    ui.distance.textContent = toWords(way.distance(now));
    ui.score.textContent = toWords(score);
    ui.share.textContent = ofThreshold(score, this.threshold) ?? "";
    ui.swatch.style.background = this.heat ? `rgb(${this.heat.colourOf(score)})` : "";
    ui.map_words.textContent = isEnd ? "The map: each end a colour" : `The map if the flow ended at ${toTime(now)}`;
    ui.patch_words.textContent = `Row ${this.cell[0] + 1}, column ${this.cell[1] + 1} of ${story.grid[0]} × ${story.grid[1]}`;
    const step = story.t.findLastIndex((t) => t <= now + 1e-6), value = over?.image_auroc[step];
    ui.auroc_words.textContent = over ? `Image AUROC, all ${over.n_images.toLocaleString("en-US")} test images` : "The run's image AUROC";
    ui.auroc.textContent = !over ? "–" : value === null ? "–" : `${value.toFixed(3)} at ${toTime(story.t[step])}`;
    ui.auroc_note.textContent = !over ? "at every t: compute it below" : value === null ? "needs normal and defective images" : over.has_whole ? `highest pixels alone: ${over.places_auroc[step].toFixed(3)}` : "";
    ui.spark.hidden = !over || value === null;
    if (ui.play.dataset.playing !== String(isPlaying)) {
      Object.assign(ui.play, { innerHTML: isPlaying ? ICONS.pause : ICONS.play, ariaLabel: isPlaying ? "Pause" : "Play", title: isPlaying ? "Pause (space)" : "Play (space)" });
      ui.play.dataset.playing = isPlaying;
    }
    const here = `row ${this.cell[0] + 1}, column ${this.cell[1] + 1}`;
    ui.image.setAttribute("aria-label", `The image ${story.sample}; followed is ${here}. Arrow keys follow a neighbour.`);
    ui.patch.setAttribute("aria-label", `The patch at ${here}, enlarged`);
    ui.disc.setAttribute("aria-label", `Its path among ${this.normals.n} normal positions: at ${toTime(now)} it is ${radius > 1 ? "outside" : "inside"} the disc, ${times(radius)} its radius`);
    ui.chart.setAttribute("aria-label", `Distance from the origin ${toWords(way.distance(now))} at ${toTime(now)}; 99 % of normal positions are nearer than ${toWords(between(story.times, story.well, now))}`);
    ui.map.setAttribute("aria-label", `The anomaly map at ${toTime(now)}; the score there is ${toWords(score)}`);
    ui.spark.setAttribute("aria-label", "Image AUROC of the run after each step");
    Object.assign(this.host.dataset, { time: now.toFixed(4), playing: isPlaying, frames: this.frames, position: this.cell.join(","), score: score.toPrecision(6), radius: radius.toPrecision(6), compare: this.compare });
  }

  /** What is compared, and where it ends, in a sentence; empty where nothing is. */
  besideIt() {
    const ways = this.ways(), near = this.near(), alike = this.alikeCell();
    if (ways.length < 2) return this.compare === "normal" ? "No other patch of this image can be compared with it." : "";
    const radius = ways[0].distance(1) / this.story.well.at(-1), ends = `ends ${radius > 1 ? "outside" : "inside"}, at ${times(radius)} the radius.`;
    if (near) return `Dashed: the normal patch of all training images that was most like it at the start (${near.sample}, row ${near.cell[0] + 1}, column ${near.cell[1] + 1}) ${ends}`;
    return `Dashed: the patch of this image${this.inside && this.story.is_defective ? " outside the true defect" : ""} that was most like it at the start (row ${alike[0] + 1}, column ${alike[1] + 1}) ${ends}`;
  }

  /** What the picture claims about the patch at the end, and about the normals. */
  sayVerdict() {
    if (!this.cell) return;
    const { story, cell, paths } = this, i = this.index(cell), isIn = this.inside?.[i], way = this.ways().at(-1);
    const from = way.distance(0) / story.well[0], to = way.distance(1) / story.well.at(-1), score = paths.score(i, 1), share = ofThreshold(score, this.threshold);
    const where = !story.is_defective ? "This patch of a normal image" : !this.inside ? `This patch of an image with ${story.defect} (its true place is unknown)` : isIn ? `This patch of the true defect (${story.defect})` : "This patch outside the true defect";
    const isHighest = paths.scores(1, new Float32Array(paths.n)).every((other) => other <= score + 1e-6);
    const isOut = to > 1, ends = `ends ${isOut ? "outside" : "inside"} the disc that holds 99 % of normal positions, at ${times(to)} its radius`;
    const means = isOut
      ? from > 1 ? "it was outside from the start and stays out" : "it crosses the rim and escapes"
      : `${from > 1 ? "it starts outside and falls in" : isIn ? "it does not escape" : "it stays with the normals"}${isIn ? ", so its distance does not tell it from a normal one" : ""}`;
    const call = share && ` Its score ${toWords(score)} is ${share}${score < this.threshold && isIn ? ": alone it would not make the image defective" : ""}.`;
    const beside = this.besideIt();
    this.ui.said.textContent = `${where}${isHighest && !isIn ? ", the highest of its image," : ""} ${ends}: ${means}.${call ?? ""} ${beside || story.about_normals}${story.score_note ? ` ${story.score_note}` : ""}`;
  }
}

export default function (component) {
  const { parentElement } = component;
  const strip = (parentElement.strip ??= new Strip(parentElement));
  strip.update(component);
  return () => {
    strip.destroy();
    delete parentElement.strip;
  };
}
