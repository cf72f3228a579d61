// Predict, then look: questions of a lesson, each answered before its answer can be read. The page and the static site mount the same class.
//
//   new Predictions(host, (look) => ...).update({ lesson, items, code, total })
//
// items: [{ id, key, question, options, right, look, answer }], texts as HTML of ours (wtflow/lessons/predictions.py). code: of a class, "" for none; then answers
// are final, counted, and saved as a file. total: questions of all lessons. Answers stay in this browser. `look` is told the settings that show the answer.
// Needs make() of ../stage.js.

/** What this browser answered: by class, then by question. Without storage (a private window) it lasts as long as the page. */
const Answers = {
  STORE: "wtflow-answers",
  memory: null,

  read() {
    try {
      this.memory = JSON.parse(localStorage.getItem(this.STORE)) ?? this.memory;
    } catch { /* no storage, or not ours: what this page knows counts */ }
    if (!this.memory?.student || typeof this.memory.classes !== "object") this.memory = { student: this.draw(), classes: {} };
    return this.memory;
  },

  /** A random name for a student's file: nobody has to give theirs. */
  draw() {
    return Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  },

  of(code) {
    return this.read().classes[code] ?? {};
  },

  put(code, id, answer) {
    const all = this.read(), mine = (all.classes[code] ??= {});
    if (answer) mine[id] = answer;
    else delete mine[id];
    try {
      localStorage.setItem(this.STORE, JSON.stringify(all));
    } catch { /* lasts as long as the page */ }
  },

  /** The file that a student hands in; `wtflow lesson --answers` reads it. */
  file(code) {
    const { student } = this.read(), answers = Object.entries(this.of(code)).map(([id, { key, choice }]) => ({ id, key, choice }));
    return { name: `answers-${code}-${student}.json`, text: JSON.stringify({ format: "wtflow-answers", version: 1, class: code, student, answers }, null, 1) };
  },
};

class Predictions {
  constructor(host, look) {
    this.look = look;
    this.chosen = {}; // not committed yet
    this.root = make("section", { className: "predictions", aria: { label: "Predict, then look" } });
    host.append(this.root);
  }

  destroy() {
    this.root.remove();
  }

  update(data) {
    const text = JSON.stringify(data);
    if (text === this.text) return;
    Object.assign(this, { text }, data);
    this.show();
  }

  show() {
    const mine = Answers.of(this.code), known = this.items.map((item) => (mine[item.id]?.key === item.key ? mine[item.id].choice : null));
    this.root.replaceChildren(...this.items.map((item, k) => this.#question(item, k, known[k])), ...(this.code ? [this.#hand(mine)] : []));
    Object.assign(this.root.dataset, { lesson: this.lesson, answered: known.filter((one) => one !== null).length });
  }

  #question(item, k, committed) {
    const isOver = committed !== null, name = `${this.lesson}-${k}`;
    const commit = make("button", { type: "button", className: "commit", textContent: "That is my answer", disabled: !(item.id in this.chosen) });
    const options = item.options.map((html, i) => {
      const input = make("input", { type: "radio", name, value: i, disabled: isOver, checked: i === (committed ?? this.chosen[item.id]) });
      input.addEventListener("change", () => {
        this.chosen[item.id] = i;
        commit.disabled = false;
      });
      const isRight = isOver && i === item.right, isMiss = isOver && i === committed && !isRight;
      const mark = make("em", { textContent: isRight ? (i === committed ? "✓ right" : "✓ this is right") : isMiss ? "✗ your answer" : "" });
      return make("label", { className: isRight ? "right" : isMiss ? "miss" : "" }, input, make("span", { innerHTML: html }), mark);
    });
    commit.addEventListener("click", () => this.#commit(item));
    const head = make("legend", { innerHTML: `<b>Predict.</b> ${item.question}` });
    const after = isOver ? this.#after(item, committed) : [commit];
    return make("fieldset", { dataset: { id: item.id } }, head, ...options, ...after);
  }

  #after(item, committed) {
    const words = committed === item.right ? "You predicted it." : "Not so.";
    const buttons = [];
    if (item.look) {
      const show = make("button", { type: "button", className: "quiet", textContent: "Show it in the picture" });
      show.addEventListener("click", () => this.look(item.look));
      buttons.push(show);
    }
    if (!this.code) {
      const again = make("button", { type: "button", className: "quiet", textContent: "Predict again" });
      again.addEventListener("click", () => this.#forget(item));
      buttons.push(again);
    }
    return [make("div", { className: "answer", aria: { live: "polite" }, innerHTML: `<p><b>${words}</b></p>${item.answer}` }), make("div", { className: "ways" }, ...buttons)];
  }

  /** Once the answer is given, it is shown, and the picture moves to it. */
  #commit(item) {
    if (!(item.id in this.chosen)) return;
    Answers.put(this.code, item.id, { choice: this.chosen[item.id], key: item.key });
    delete this.chosen[item.id];
    this.show();
    this.root.querySelector(`[data-id="${item.id}"] button`)?.focus();
    if (item.look) this.look(item.look);
  }

  #forget(item) {
    Answers.put(this.code, item.id, null);
    this.show();
    this.root.querySelector(`[data-id="${item.id}"] input`)?.focus();
  }

  /** In a class: how far one is, and the file to hand in. */
  #hand(mine) {
    const n = Object.keys(mine).length, save = make("button", { type: "button", className: "quiet", textContent: "Save my answers", disabled: !n });
    save.addEventListener("click", () => {
      const { name, text } = Answers.file(this.code), address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
      make("a", { href: address, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    });
    return make("div", { className: "class" }, make("span", { textContent: `Class ${this.code}: ${n} of ${this.total} answered` }), save);
  }
}

/** As a component of a page: the questions follow its data, and its trigger "look" is told the settings that show an answer. */
function mountPredictions({ parentElement, data, setTriggerValue }) {
  const view = (parentElement.predictions ??= new Predictions(parentElement, () => {}));
  view.look = (look) => setTriggerValue("look", look);
  view.update(data);
  return () => {
    view.destroy();
    delete parentElement.predictions;
  };
}
