// The table of runs. Python sends rows of plain values: all of them where they are few, which are then sorted and filtered here,
// else one page, sorted and filtered there. It hears of a run that is opened, edited or starred, of the selected ones, and of what
// the table is sorted and filtered by.

const SPOKEN = { star: "Star", edit: "Name, tags and star" };
const PENCIL = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 20h4L19 9l-4-4L4 16z" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round"/></svg>';
const STAR = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 3.5l2.6 5.6 6.1.7-4.5 4.1 1.2 6L12 16.9 6.6 19.9l1.2-6L3.3 9.8l6.1-.7z" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round"/></svg>';
const WAIT_MS = 400; // after the last letter of a filter, before the address takes it over

const tables = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".runs");
  let table = tables.get(root);
  if (!table) tables.set(root, (table = new Table(root, component.data.view)));
  table.tell = (name, value) => component.setStateValue(name, value);
  table.trigger = (name, value) => component.setTriggerValue(name, value);
  table.update(component.data);
}

function make(tag, properties = {}, ...children) {
  const { dataset, role, ...rest } = properties;
  const found = Object.assign(document.createElement(tag), rest);
  Object.assign(found.dataset, dataset);
  if (role) found.setAttribute("role", role);
  found.append(...children);
  return found;
}

class Table {
  constructor(root, view) {
    this.root = root;
    this.find = view.find;
    this.by = view.by;
    this.archived = view.archived;
    this.page = view.page;
    this.selected = new Set();
    this.rows = [];
    this.shown = [];
    this.build();
  }

  build() {
    this.search = make("input", { type: "search", placeholder: "Filter by category, name, tag, setting or state", value: this.find });
    this.search.setAttribute("aria-label", "Filter the runs");
    this.order = make("select", { className: "order" });
    this.order.setAttribute("aria-label", "Sort by");
    this.count = make("p", { className: "count", role: "status" });
    this.head = make("tr", { role: "row" });
    this.body = make("tbody", { role: "rowgroup" });
    const table = make("table", { role: "table" }, make("thead", { role: "rowgroup" }, this.head), this.body);
    table.setAttribute("aria-label", "Runs");
    this.frame = make("div", { className: "frame" }, table);
    this.which = make("select", { className: "which" });
    this.which.setAttribute("aria-label", "Archived runs");
    for (const [value, words] of [["no", "Archived: hidden"], ["also", "Archived: shown too"], ["only", "Archived: only these"]])
      this.which.append(make("option", { value, textContent: words }));
    this.which.onchange = () => this.turn({ archived: this.which.value, page: 1 });
    this.pager = make("nav", { className: "pager" });
    this.pager.setAttribute("aria-label", "Pages of runs");
    this.root.append(make("div", { className: "bar" }, this.search, this.order, this.which, this.count), this.frame, this.pager);
    this.search.oninput = () => {
      this.find = this.search.value;
      this.page = 1;
      if (this.isWhole) this.draw();
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.tellView(), WAIT_MS);
    };
    this.order.onchange = () => this.sort(this.order.value);
    this.body.onclick = (event) => this.press(event);
    this.body.onkeydown = (event) => this.walk(event);
    this.body.onfocusin = (event) => this.stand(event.target.closest("tr"));
  }

  update(data) {
    const what = JSON.stringify(data);
    if (what === this.what) return; // a rerun that changed nothing here
    this.what = what;
    Object.assign(this, { rows: data.rows, columns: data.columns, isWhole: data.is_whole, counts: data.counts, perPage: data.per_page, problem: data.problem, onlyLook: data.only_look });
    this.fits = { of: data.view.find, ids: new Set(data.fits) };
    if (!this.isWhole && this.waiting === undefined) this.page = data.view.page;
    const there = new Set([...data.there, ...this.rows.map((row) => row.id)]);
    for (const id of this.selected) if (!there.has(id)) this.selected.delete(id);
    this.which.value = this.archived;
    this.which.hidden = !this.counts.archived && this.archived === "no";
    this.drawHead();
    this.draw();
  }

  // -- order and filter

  sort(by) {
    this.by = by;
    this.page = 1;
    this.drawHead();
    if (this.isWhole) this.draw();
    this.tellView();
  }

  turn(changes) {
    Object.assign(this, changes);
    this.tellView();
  }

  tellView() {
    clearTimeout(this.waiting);
    this.waiting = undefined;
    this.tell("view", { find: this.find, by: this.by, archived: this.archived, page: this.page });
  }

  column() {
    const key = this.by.replace(/^-/, "");
    return this.columns.find((one) => one.key === key) ?? this.columns.at(-1);
  }

  pick() {
    if (!this.isWhole) return this.rows;
    // What the server found counts; until it has answered, words that are seen here do.
    const words = this.find.toLowerCase().split(/\s+/).filter((word) => word && !/[<>="]/.test(word));
    const fits = (row) => this.fits.of === this.find ? this.fits.ids.has(row.id) : words.every((word) => row.find.includes(word));
    const key = this.column().key, sign = this.by.startsWith("-") ? -1 : 1;
    const value = (row) => row.values[key] ?? "";
    const compare = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === "" || y === "") return (x === "") - (y === ""); // what is not known comes last in both directions
      return sign * (typeof x === "string" ? x.localeCompare(y, undefined, { numeric: true, sensitivity: "base" }) : x - y);
    };
    return this.rows.filter(fits).sort(compare);
  }

  // -- drawing

  drawHead() {
    const all = make("input", { type: "checkbox", className: "all" });
    all.setAttribute("aria-label", "Select all that are shown");
    all.onchange = () => this.selectAll(all.checked);
    this.all = all;
    const key = this.column().key, isDown = this.by.startsWith("-");
    this.head.replaceChildren(make("th", { className: "check", role: "columnheader", scope: "col" }, all));
    this.order.replaceChildren();
    for (const column of this.columns) {
      const isOn = column.key === key, begins = column.is_number || column.key === "star" ? `-${column.key}` : column.key;
      const turned = this.by.startsWith("-") ? column.key : `-${column.key}`;
      const mark = make("span", { className: "mark", textContent: isOn ? (isDown ? "↓" : "↑") : "" });
      const label = column.key === "star" ? make("span", { className: "icon", innerHTML: STAR }) : column.label;
      const button = make("button", { type: "button", title: column.help ?? "", onclick: () => this.sort(isOn ? turned : begins) }, ...(column.is_number ? [mark, label] : [label, mark]));
      if (column.key === "star") button.setAttribute("aria-label", "Star");
      const cell = make("th", { className: `${column.key}${column.is_number ? " number" : ""}`, role: "columnheader", scope: "col" }, button);
      cell.setAttribute("aria-sort", isOn ? (isDown ? "descending" : "ascending") : "none");
      this.head.append(cell);
      const [first, second] = column.is_number ? ["highest first", "lowest first"] : ["A to Z", "Z to A"];
      const ways = column.key === "created" ? [["-created", "newest first"], ["created", "oldest first"]]
        : column.key === "star" ? [["-star", "first"]] : [[begins, first], [begins.startsWith("-") ? column.key : `-${column.key}`, second]];
      for (const [by, words] of ways) this.order.append(make("option", { value: by, textContent: `${column.label}: ${words}` }));
    }
    this.head.append(make("th", { className: "pencil", role: "columnheader", scope: "col" }));
    this.order.value = this.by;
  }

  draw() {
    const { activeElement: focused } = this.root.getRootNode();
    const held = this.body.contains(focused) && { id: focused.closest("tr").dataset.id, kind: focused.dataset.kind };
    this.shown = this.pick();
    this.body.replaceChildren(...this.shown.map((row) => this.rowOf(row)));
    if (!this.shown.length) {
      const words = this.problem || (this.find ? "No run fits the filter." : "No run here.");
      this.body.append(make("tr", {}, make("td", { className: "none", colSpan: this.columns.length + 2, textContent: words })));
    }
    this.stand(this.body.querySelector(`tr[data-id="${held.id ?? this.at}"]`) ?? this.body.querySelector("tr[data-id]"));
    if (held) this.body.querySelector(`tr[data-id="${held.id}"] [data-kind="${held.kind}"]`)?.focus();
    this.say();
  }

  rowOf(row) {
    const { texts, values } = row;
    const check = make("input", { type: "checkbox", checked: this.selected.has(row.id), dataset: { kind: "check" } });
    const known = values.name || values.category;
    check.setAttribute("aria-label", `Select ${known}, ${texts.created}`);
    const star = make("button", { type: "button", className: "icon", innerHTML: STAR, title: SPOKEN.star, dataset: { kind: "star" } });
    if (this.onlyLook) Object.assign(star, { disabled: true, title: this.onlyLook });
    star.setAttribute("aria-pressed", values.star);
    star.setAttribute("aria-label", `Star ${known}, ${texts.created}`);
    const link = make("a", { href: address(row), dataset: { kind: "open" } }, make("bdi", { textContent: values.category }));
    const badges = row.badges.map((one) => make("span", { className: `badge ${one.kind}`, title: one.help ?? "", textContent: one.text }));
    const edit = make("button", { type: "button", className: "icon", innerHTML: PENCIL, title: SPOKEN.edit, dataset: { kind: "edit" } });
    if (this.onlyLook) Object.assign(edit, { disabled: true, title: this.onlyLook });
    edit.setAttribute("aria-label", `${SPOKEN.edit} of ${known}, ${texts.created}`);
    const tags = row.tags.map((tag) => make("bdi", { className: "tag", textContent: tag }));
    const category = cell("category", link, ...badges);
    category.append(make("small", { className: row.problem ? "trouble" : "", textContent: row.problem || row.detail, title: row.problem || row.detail }));
    const cells = [
      cell("check", check),
      cell("star", star),
      category,
      cell("name", ...(values.name ? [make("bdi", { className: "given", textContent: values.name })] : []), ...tags),
      cell("auroc number", texts.auroc),
      cell("aupro number", texts.aupro, make("small", { textContent: row.of, title: row.of_words })),
      ...["seed", "steps", "seconds", "created"].map((key) => cell(`${key} number`, texts[key])),
      cell("pencil", edit),
    ];
    for (const one of cells) one.dataset.label = this.columns.find((column) => one.classList.contains(column.key))?.label ?? "";
    const found = make("tr", { role: "row", dataset: { id: row.id } }, ...cells);
    found.setAttribute("aria-selected", check.checked);
    return found;
  }

  say() {
    const { found, all, archived } = this.counts, chosen = this.selected.size;
    const n = { no: all - archived, only: archived, also: all }[this.archived], k = this.isWhole ? this.shown.length : found;
    const runs = n === 1 ? "1 run" : `${n.toLocaleString("en")} runs`;
    this.count.textContent = (k === n ? runs : `${k.toLocaleString("en")} of ${runs}`) + (chosen ? `, ${chosen} selected` : "");
    const on = this.shown.filter((row) => this.selected.has(row.id)).length;
    Object.assign(this.all, { checked: this.shown.length > 0 && on === this.shown.length, indeterminate: on > 0 && on < this.shown.length });
    this.drawPager();
  }

  drawPager() {
    const { found } = this.counts, last = Math.ceil(found / this.perPage);
    this.pager.hidden = this.isWhole || last < 2;
    if (this.pager.hidden) return;
    const held = this.pager.contains(this.root.getRootNode().activeElement) && this.root.getRootNode().activeElement.textContent;
    const button = (label, to) => make("button", { type: "button", textContent: label, disabled: to < 1 || to > last || to === this.page, onclick: () => this.turn({ page: to }) });
    const first = (this.page - 1) * this.perPage + 1;
    const words = `${first.toLocaleString("en")} to ${Math.min(found, first + this.perPage - 1).toLocaleString("en")} of ${found.toLocaleString("en")}`;
    this.pager.replaceChildren(button("First", 1), button("Previous", this.page - 1), make("span", { textContent: words }), button("Next", this.page + 1), button("Last", last));
    if (held) [...this.pager.querySelectorAll("button")].find((one) => one.textContent === held && !one.disabled)?.focus();
  }

  // -- what a person does

  press(event) {
    const row = event.target.closest("tr[data-id]");
    if (!row || event.target.closest(":disabled")) return;
    const { id } = row.dataset, kind = event.target.closest("[data-kind]")?.dataset.kind;
    if (kind === "check") return this.check(row, event.target.checked, event.shiftKey);
    if (event.target.closest("td.check")) return row.querySelector("[data-kind=check]").click();
    if (kind === "star") return this.star(event.target.closest("button"), id);
    if (kind === "edit") return this.trigger("edited", id);
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return; // a new tab or window, as any link
    if (!kind && String(this.root.getRootNode().getSelection?.() ?? getSelection())) return; // words that are marked to be copied
    event.preventDefault();
    this.trigger("opened", id);
  }

  check(row, isOn, isRange) {
    const rows = [...this.body.children], at = rows.indexOf(row), last = rows.findIndex((one) => one.dataset.id === this.last);
    const [from, to] = isRange && last >= 0 ? [Math.min(at, last), Math.max(at, last)] : [at, at];
    for (const one of rows.slice(from, to + 1)) this.mark(one, isOn);
    this.last = row.dataset.id;
    this.tellSelected();
  }

  mark(row, isOn) {
    this.selected[isOn ? "add" : "delete"](row.dataset.id);
    row.querySelector("[data-kind=check]").checked = isOn;
    row.setAttribute("aria-selected", isOn);
  }

  selectAll(isOn) {
    for (const row of this.body.querySelectorAll("tr[data-id]")) this.mark(row, isOn);
    this.tellSelected();
  }

  tellSelected() {
    this.say();
    this.tell("selected", [...this.selected]);
  }

  star(button, id) {
    const isOn = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", isOn);
    this.trigger("star", { id, star: isOn });
  }

  /** One row is in the order of the tabulator; arrow keys go to the others. */
  stand(row) {
    if (!row) return;
    for (const one of this.body.querySelectorAll("[data-kind]")) one.tabIndex = row.contains(one) ? 0 : -1;
    this.at = row.dataset.id;
  }

  walk(event) {
    const row = event.target.closest("tr[data-id]"), { kind } = event.target.dataset;
    const to = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling, Home: this.body.firstElementChild, End: this.body.lastElementChild }[event.key];
    if (!row || !kind || to === undefined) return;
    event.preventDefault();
    to?.querySelector(`[data-kind=${kind}]`)?.focus();
  }
}

function cell(className, ...children) {
  return make("td", { className, role: "cell" }, ...children);
}

/** Where the row leads in a new tab; the folder that the app lies in is kept. */
function address({ id, page }) {
  return `./${page}?${page === "results" ? "run" : "watch"}=${encodeURIComponent(id)}`;
}
