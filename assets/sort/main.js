// A grid of pictures to sort: good, a defect, leave out, unsorted. Python sends a line for each image and the pictures of those in
// sight; it hears which images are in sight and what they were sorted as. What was pressed is shown at once and sent until Python has it.

const KINDS = { good: ["Good", "G"], defect: ["Defect", "D"], out: ["Leave out", "X"], unsorted: ["Unsorted", "U"] };
const WORDS = { good: "good", out: "left out", unsorted: "unsorted" };
const PER_PAGE = 96, NO_TYPE = "defect", WAIT_MS = 150;
const TALL = { small: 104, medium: 156, large: 240 };

const grids = new WeakMap();
/** Tells this visit of the page from earlier ones, whose numbers began at 1, too. */
const PEN = String(Math.random());

export default function (component) {
  const root = component.parentElement.querySelector(".sort");
  let grid = grids.get(root);
  if (!grid) grids.set(root, (grid = new Grid(root)));
  grid.tell = (name, value) => component.setStateValue(name, value);
  grid.update(component.data);
}

class Grid {
  constructor(root) {
    Object.assign(this, { root, items: [], by: new Map(), pictures: new Map(), selected: new Set(), waiting: [], undos: [], n: 0 });
    Object.assign(this, { filter: "all", order: "given", page: 0, tiles: new Map(), size: "medium" });
    this.build();
  }

  // -- what Python sends

  update(data) {
    this.waiting = this.waiting.filter((one) => data.pen !== PEN || one.n > data.applied);
    if (data.set !== this.set) Object.assign(this, { set: data.set, filter: data.filter || "all", page: 0, undos: [] });
    if (data.set !== this.ofSelection) this.selected.clear();
    this.ofSelection = data.set;
    this.items = data.items.map(([id, name, kind, type, score]) => ({ id, name, kind, type, score }));
    this.by = new Map(this.items.map((item) => [item.id, item]));
    for (const { changes } of this.waiting) this.sortLocally(changes);
    for (const id of this.selected) if (!this.by.has(id)) this.selected.delete(id);
    for (const [id, address] of Object.entries(data.pictures)) this.pictures.set(id, address);
    this.hasScores = this.items.some((item) => item.score !== null);
    this.orderBox.hidden = !this.hasScores;
    if (!this.hasScores) this.order = "given";
    this.offerTypes(data.types);
    if (data.large && data.large.id === this.large) this.showLarge(data.large.address);
    this.draw();
    if (this.waiting.length) this.send();
  }

  offerTypes(types) {
    const all = [...new Set([...types, ...this.items.filter((item) => item.kind === "defect").map((item) => item.type)])].sort();
    this.types.replaceChildren(...all.map((type) => Object.assign(document.createElement("option"), { value: type })));
    if (!this.type.value && !this.type.dataset.touched) this.type.value = all[0] ?? "";
  }

  // -- sorting

  sortLocally(changes) {
    for (const [id, kind, type] of changes) {
      const item = this.by.get(id);
      if (item) Object.assign(item, { kind, type });
    }
  }

  typed() {
    return this.type.value.trim() || NO_TYPE;
  }

  /** Sort what is selected; of a single image go on to the next, so that one hand sorts a whole folder. */
  sort(kind) {
    const type = kind === "defect" ? this.typed() : "";
    const chosen = [...this.selected].map((id) => this.by.get(id)).filter(Boolean);
    const changed = chosen.filter((item) => item.kind !== kind || item.type !== type);
    if (!chosen.length) return this.say("Select images first: click one, Shift+click a row of them, Ctrl+A all on this page.");
    const before = changed.map((item) => [item.id, item.kind, item.type]);
    const next = chosen.length === 1 ? this.neighbour(chosen[0].id, 1) : null;
    if (changed.length) {
      this.undos.push(before);
      this.change(changed.map((item) => [item.id, kind, type]));
    }
    const words = kind === "defect" ? type : WORDS[kind];
    if (next) this.choose(next, {});
    else if (this.filter !== "all") this.selected = new Set([...this.selected].filter((id) => this.passes(this.by.get(id))));
    this.draw();
    this.say(`${chosen.length.toLocaleString("en-US")} ${chosen.length === 1 ? "image is" : "images are"} ${words} now. Z takes it back.`);
    if (this.large && next) this.look(next);
  }

  change(changes) {
    this.sortLocally(changes);
    this.waiting.push({ n: ++this.n, changes });
    this.send();
  }

  undo() {
    const before = this.undos.pop();
    if (!before) return this.say("Nothing to take back.");
    this.change(before);
    this.selected = new Set(before.map(([id]) => id));
    this.draw();
    this.say(`Taken back: ${before.length.toLocaleString("en-US")} ${before.length === 1 ? "image is" : "images are"} as before.`);
  }

  send() {
    this.tell("log", { pen: PEN, entries: this.waiting });
  }

  // -- which images, in which order

  passes(item) {
    if (this.filter === "all") return true;
    return this.filter.startsWith("type:") ? item.kind === "defect" && item.type === this.filter.slice(5) : item.kind === this.filter;
  }

  listed() {
    const found = this.items.filter((item) => this.passes(item));
    if (this.order === "score") found.sort((a, b) => (b.score ?? -Infinity) - (a.score ?? -Infinity));
    return found;
  }

  neighbour(id, step) {
    const ids = this.shown.map((item) => item.id), at = ids.indexOf(id);
    return ids[at + step] ?? null;
  }

  turn(page) {
    this.page = page;
    this.draw();
    this.frame.scrollTop = 0;
    this.at = this.shown[0]?.id;
    this.mark();
    this.focus(); // a button that cannot be pressed any more would lose it
  }

  // -- selecting

  choose(id, { shiftKey, ctrlKey, metaKey }) {
    const ids = this.shown.map((item) => item.id);
    if (shiftKey && this.anchor) {
      const [a, b] = [ids.indexOf(this.anchor), ids.indexOf(id)].sort((x, y) => x - y);
      if (!(ctrlKey || metaKey)) this.selected.clear();
      for (const one of ids.slice(Math.max(a, 0), b + 1)) this.selected.add(one);
    } else if (ctrlKey || metaKey) {
      if (!this.selected.delete(id)) this.selected.add(id);
      this.anchor = id;
    } else {
      this.selected = new Set([id]);
      this.anchor = id;
    }
    this.at = id;
    this.mark();
  }

  chooseAll(items) {
    this.selected = new Set(items.map((item) => item.id));
    this.mark();
    this.say(`${items.length.toLocaleString("en-US")} selected.`);
  }

  // -- drawing

  draw() {
    const listed = this.listed(), nPages = Math.max(1, Math.ceil(listed.length / PER_PAGE));
    this.page = Math.min(this.page, nPages - 1);
    this.shown = listed.slice(this.page * PER_PAGE, (this.page + 1) * PER_PAGE);
    this.drawFilter();
    this.pages.hidden = nPages === 1;
    this.pageText.textContent = `${(this.page * PER_PAGE + 1).toLocaleString("en-US")} to ${(this.page * PER_PAGE + this.shown.length).toLocaleString("en-US")} of ${listed.length.toLocaleString("en-US")}`;
    [this.back.disabled, this.on.disabled] = [this.page === 0, this.page === nPages - 1];
    const wanted = this.shown.map((item) => this.tile(item));
    if (wanted.length !== this.list.children.length || wanted.some((tile, i) => this.list.children[i] !== tile)) this.list.replaceChildren(...wanted);
    this.empty.hidden = this.shown.length > 0;
    this.empty.textContent = this.items.length ? "No image is sorted so. Choose another word above." : "No images yet.";
    if (!this.shown.some((item) => item.id === this.at)) this.at = this.shown[0]?.id;
    this.mark();
    this.see();
  }

  drawFilter() {
    const count = (test) => this.items.filter(test).length;
    const types = [...new Set(this.items.filter((item) => item.kind === "defect").map((item) => item.type))].sort();
    const parts = [["all", "All", this.items.length], ["good", "Good", count((item) => item.kind === "good")], ["defect", "Defective", count((item) => item.kind === "defect")]];
    if (types.length > 1) parts.push(...types.map((type) => [`type:${type}`, type, count((item) => item.kind === "defect" && item.type === type)]));
    parts.push(["unsorted", "Unsorted", count((item) => item.kind === "unsorted")], ["out", "Left out", count((item) => item.kind === "out")]);
    const what = JSON.stringify([parts, this.filter]);
    if (what === this.filterDrawn) return;
    this.filterDrawn = what;
    const held = this.filters.contains(this.root.getRootNode().activeElement) && this.root.getRootNode().activeElement.dataset.filter;
    this.filters.replaceChildren();
    for (const [name, words, n] of parts) {
      const kind = name.startsWith("type:") ? "defect" : name;
      const button = add(this.filters, "button", { type: "button", "aria-pressed": String(this.filter === name), "data-filter": name, "data-kind": kind });
      add(button, "i", { "aria-hidden": "true" });
      add(button, "span", {}, words);
      add(button, "b", {}, n.toLocaleString("en-US"));
      button.onclick = () => {
        Object.assign(this, { filter: name, page: 0 });
        this.draw();
      };
      if (held === name) button.focus();
    }
  }

  tile(item) {
    let tile = this.tiles.get(item.id);
    if (!tile) {
      tile = document.createElement("div");
      Object.assign(tile.dataset, { id: item.id });
      for (const [name, value] of [["class", "tile"], ["role", "option"], ["tabindex", "-1"], ["id", `sort-${item.id}`]]) tile.setAttribute(name, value);
      const box = add(tile, "div", { class: "box" });
      tile.image = add(box, "img", { alt: "", loading: "lazy", draggable: "false" });
      tile.image.onerror = () => {
        this.pictures.delete(item.id); // the server keeps those of the last pages only
        tile.image.removeAttribute("src");
        this.see();
      };
      tile.word = add(tile, "span", { class: "word" });
      tile.name = add(tile, "span", { class: "name" }, item.name);
      this.tiles.set(item.id, tile);
    }
    const address = this.pictures.get(item.id);
    if (address && tile.image.getAttribute("src") !== address) tile.image.src = address;
    const word = item.kind === "defect" ? item.type : WORDS[item.kind];
    tile.dataset.kind = item.kind;
    tile.word.textContent = word;
    tile.name.textContent = item.score === null ? item.name : `${item.score} · ${item.name}`;
    tile.title = item.name;
    tile.setAttribute("aria-label", `${item.name}, ${word}`);
    return tile;
  }

  /** Show what is selected, without building anything anew. */
  mark() {
    for (const tile of this.list.children) {
      tile.setAttribute("aria-selected", String(this.selected.has(tile.dataset.id)));
      tile.tabIndex = tile.dataset.id === this.at ? 0 : -1;
    }
    const n = this.selected.size;
    this.chosen.textContent = n ? `${n.toLocaleString("en-US")} selected` : "None selected";
    for (const button of this.actions) button.disabled = !n;
    this.undoButton.disabled = !this.undos.length;
  }

  /** Tell Python which pictures are wanted, once the person has come to rest. */
  see() {
    clearTimeout(this.seeing);
    const isThere = this.shown.every((item) => this.pictures.has(item.id));
    this.root.dataset.complete = String(isThere);
    if (!isThere) this.seeing = setTimeout(() => this.tell("sight", this.shown.map((item) => item.id)), WAIT_MS);
  }

  say(words) {
    this.status.textContent = words;
  }

  // -- one image at a time, large

  look(id) {
    this.large = id;
    const item = this.by.get(id);
    this.largeBox.hidden = false;
    this.largeImage.src = this.pictures.get(id) ?? "";
    this.largeText.textContent = `${item.name}: ${item.kind === "defect" ? item.type : WORDS[item.kind]}`;
    this.largeBox.dataset.kind = item.kind;
    this.tell("large", id);
  }

  showLarge(address) {
    if (this.largeImage.getAttribute("src") !== address) this.largeImage.src = address;
  }

  leave() {
    this.large = null;
    this.largeBox.hidden = true;
    this.focus();
  }

  // -- controls

  button(parent, text, title, act, attributes = {}) {
    const button = add(parent, "button", { type: "button", title, ...attributes }, text);
    button.onclick = act;
    return button;
  }

  build() {
    const first = add(this.root, "div", { class: "row" });
    this.filters = add(first, "div", { class: "group filters", role: "group", "aria-label": "Show" });
    this.orderBox = add(first, "label", { class: "order" });
    const order = add(this.orderBox, "input", { type: "checkbox" });
    this.orderBox.append("Look at these first: highest score of your last run on top");
    order.onchange = () => {
      Object.assign(this, { order: order.checked ? "score" : "given", page: 0 });
      this.draw();
    };
    const bar = add(this.root, "div", { class: "row bar" });
    this.chosen = add(bar, "span", { class: "chosen", role: "status" });
    this.actions = [];
    for (const [kind, [words, key]] of Object.entries(KINDS)) {
      const button = this.button(bar, "", `Key ${key}`, () => this.sort(kind), { "data-kind": kind, "aria-keyshortcuts": key, class: "act" });
      add(button, "span", {}, words);
      add(button, "kbd", {}, key);
      this.actions.push(button);
      if (kind === "defect") {
        const label = add(bar, "label", { class: "type" }, "of type");
        this.type = add(label, "input", { type: "text", list: "types", maxlength: "60", placeholder: NO_TYPE, "aria-label": "Type of defect" });
        this.types = add(label, "datalist", { id: "types" });
        this.type.oninput = () => (this.type.dataset.touched = "yes");
      }
    }
    this.undoButton = this.button(bar, "", "Take the last change back, key Z", () => this.undo());
    add(this.undoButton, "span", {}, "Undo");
    add(this.undoButton, "kbd", {}, "Z");
    this.button(bar, "Select all", "All that are listed, on every page; Ctrl+A selects this page", () => this.chooseAll(this.listed()));
    const size = add(bar, "select", { "aria-label": "Size of the pictures" });
    for (const name of Object.keys(TALL)) add(size, "option", { value: name }, `${name} pictures`);
    size.value = this.size;
    size.onchange = () => this.root.style.setProperty("--tall", `${TALL[size.value]}px`);
    this.frame = add(this.root, "div", { class: "frame" });
    this.list = add(this.frame, "div", { class: "list", role: "listbox", "aria-multiselectable": "true", "aria-label": "Images to sort" });
    this.empty = add(this.frame, "p", { class: "empty" });
    this.buildLarge();
    const below = add(this.root, "div", { class: "row below" });
    this.pages = add(below, "div", { class: "pages" });
    this.back = this.button(this.pages, "←", "Page before (Page up)", () => this.turn(this.page - 1), { "aria-label": "Page before" });
    this.pageText = add(this.pages, "span");
    this.on = this.button(this.pages, "→", "Next page (Page down)", () => this.turn(this.page + 1), { "aria-label": "Next page" });
    this.status = add(below, "span", { class: "status", role: "status" }, "Click an image, then press G, D, X or U; the next one is selected by itself. Enter: look at it large.");
    this.listen();
  }

  buildLarge() {
    this.largeBox = add(this.root, "div", { class: "large", hidden: "", role: "dialog", "aria-label": "One image, large" });
    this.largeImage = add(this.largeBox, "img", { alt: "" });
    const bar = add(this.largeBox, "div", { class: "row" });
    this.largeText = add(bar, "span", { class: "what" });
    add(bar, "span", { class: "keys" }, "G, D, X, U sort it, arrows go on, Escape goes back");
    this.closeButton = this.button(bar, "Close", "Escape", () => this.leave());
  }

  focus() {
    this.list.querySelector(`[data-id="${this.at}"]`)?.focus({ preventScroll: false });
  }

  listen() {
    this.list.onclick = (event) => {
      const id = event.target.closest(".tile")?.dataset.id;
      if (!id) return;
      this.choose(id, event);
      this.focus();
    };
    this.list.ondblclick = (event) => event.target.closest(".tile") && this.look(event.target.closest(".tile").dataset.id);
    this.root.addEventListener("keydown", (event) => this.press(event));
  }

  press(event) {
    event.stopPropagation(); // the page has keys of its own
    const target = event.composedPath()[0];
    if (target === this.type || target.tagName === "SELECT") return;
    const key = event.key.toLowerCase(), isCtrl = event.ctrlKey || event.metaKey;
    if (isCtrl && key === "a") return this.take(event, () => this.chooseAll(this.shown));
    if (isCtrl && key === "z") return this.take(event, () => this.undo());
    const across = Math.max(1, Math.floor((this.list.clientWidth + 8) / (tileWidth(this.list) + 8)));
    const steps = { arrowleft: -1, arrowright: 1, arrowup: -across, arrowdown: across, home: -Infinity, end: Infinity };
    if (key in steps) return this.take(event, () => this.walk(steps[key], event));
    if (isCtrl) return;
    const kind = Object.entries(KINDS).find(([, [, own]]) => own.toLowerCase() === key)?.[0];
    const acts = {
      z: () => this.undo(), pagedown: () => !this.on.disabled && this.turn(this.page + 1), pageup: () => !this.back.disabled && this.turn(this.page - 1),
      ...(this.large ? { escape: () => this.leave() } : { escape: () => this.chooseAll([]) }),
      ...(target.classList?.contains("tile") ? { enter: () => this.look(this.at), " ": () => this.choose(this.at, { ctrlKey: true }) } : {}),
    };
    const act = kind ? () => this.sort(kind) : acts[key];
    if (act) this.take(event, act);
  }

  take(event, act) {
    event.preventDefault();
    act();
    if (!this.large && this.list.contains(this.root.getRootNode().activeElement)) this.focus();
  }

  walk(step, event) {
    const ids = this.shown.map((item) => item.id), from = Math.max(0, ids.indexOf(this.at));
    const id = ids[Math.min(ids.length - 1, Math.max(0, from + step))];
    if (!id) return;
    if (event.ctrlKey && !event.shiftKey) this.at = id;
    else this.choose(id, { shiftKey: event.shiftKey });
    this.mark();
    if (this.large) this.look(id);
    else this.focus();
  }
}

/** Width of a tile as it is drawn. */
const tileWidth = (list) => list.firstElementChild?.getBoundingClientRect().width ?? 1;
