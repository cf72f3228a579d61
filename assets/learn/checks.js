// Lessons, a part of the kernel: the numbers that are checked live, folded to one button that says how many agree, with the sentences beside it.

class Checks {
  static isOpen = false; // stays as it is from lesson to lesson

  constructor(host) {
    this.host = host;
    this.button = make("button", { type: "button", className: "tick", title: "Numbers of the picture and their closed forms", aria: { controls: "numbers" } });
    this.notes = make("ul", { className: "notes" });
    this.row = make("div", { className: "told" }, this.button, this.notes);
    this.body = make("tbody");
    const heads = ["", "number", "computed", "closed form"].map((textContent) => make("th", { scope: "col", textContent }));
    this.fold = make("div", { id: "numbers", className: "numbers" }, make("table", { aria: { label: "Numbers checked live" } }, make("thead", {}, make("tr", {}, ...heads)), this.body));
    this.button.addEventListener("click", () => {
      Checks.isOpen = !Checks.isOpen;
      this.show(this.shown);
      if (Checks.isOpen) this.fold.scrollIntoView({ block: "nearest" });
    });
    host.append(make("div", { className: "checks" }, this.row, this.fold));
  }

  /** Another lesson: its room is not that of the one before. */
  begin() {
    this.row.style.minHeight = "";
    this.more = 0;
  }

  /** shown: { label, computed, exact, holds } each; a sentence has no number, a number without a closed form neither agrees nor differs. */
  show(shown) {
    this.shown = shown;
    const numbers = shown.filter(({ computed }) => computed !== null), judged = numbers.filter(({ holds }) => holds !== null), n = judged.length, agree = judged.filter(({ holds }) => holds).length;
    const said = !n ? `· ${numbers.length} ${numbers.length === 1 ? "number" : "numbers"}` : agree === n ? `✓ ${n} of ${n} checked` : `✗ ${agree} of ${n} agree`;
    if (this.button.textContent !== said) this.button.textContent = said;
    this.button.hidden = !numbers.length;
    this.button.dataset.holds = n ? String(agree === n) : "";
    this.button.setAttribute("aria-expanded", String(Checks.isOpen));
    this.notes.replaceChildren(...shown.filter(({ computed }) => computed === null).map(({ label }) => make("li", { textContent: label })));
    const { row, fold } = this, isOpen = Checks.isOpen && numbers.length > 0;
    fold.hidden = !isOpen;
    if (isOpen) this.body.replaceChildren(...numbers.map((one) => this.#line(one)));
    this.more = isOpen ? Math.max(this.more, fold.offsetHeight) : 0;
    this.host.style.setProperty("--more", `${this.more}px`); // what the table takes is added below: the picture keeps its size
    if (!row.style.minHeight || row.scrollHeight > parseFloat(row.style.minHeight)) row.style.minHeight = `${row.scrollHeight}px`; // and stays while sentences come and go
  }

  #line({ label, computed, exact, holds }) {
    const mark = make("td", { textContent: holds === null ? "·" : holds ? "✓" : "✗", ariaLabel: holds === null ? "no closed form" : holds ? "agrees" : "differs" });
    return make("tr", { dataset: { holds: String(holds) } }, mark, make("th", { scope: "row", textContent: label }), ...[computed, exact].map((value) => make("td", { textContent: value === null ? "" : toWords(value) })));
  }
}
