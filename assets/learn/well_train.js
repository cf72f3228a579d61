// Lesson 7: a network that is trained here, in slices between two frames, with its loss, its field while it learns, and how far it is from the stored one.

{
  const SLICE_MS = 8, PICTURE_MS = 120, MEASURE_EVERY = 10;
  const KEPT = 3; // earlier trainings whose curves stay
  const percent = (share) => `${Math.round(100 * share)} %`;

  WELL.Here = class {
    constructor(lesson) {
      const { stage, OFF, scene: { atoms } } = lesson, { N_STEPS } = WELL, steps = [0, N_STEPS];
      Object.assign(this, { lesson, found: [], kind: null, shownAt: 0, here: new WELL.Travel(atoms), there: new WELL.Travel(atoms) });
      this.loss = stage.panel(OFF, { x: steps, y: [0, 2], titles: ["steps of training", "loss"], heading: "Loss" });
      this.apart = stage.panel(OFF, { x: steps, y: [0, 1], titles: ["steps of training", "distance"], heading: "Distance" });
    }

    get now() {
      return this.found[this.kind];
    }

    get net() {
      return this.now.training.net;
    }

    get isRunning() {
      return this.now.isRunning;
    }

    /** Changes whenever the network does. */
    get key() {
      return `here ${this.kind} ${this.now.past.length} ${this.now.training.step}`;
    }

    /** Which coupling is on the screen, or null: only what is seen is trained. Where no network is stored, training starts by itself. */
    watch(kind) {
      const { stored, scene: { atoms } } = this.lesson;
      this.kind = kind;
      if (kind === null) return void clearTimeout(this.timer);
      if (!this.now) {
        this.found[kind] = { past: [], measure: new WELL.Measure(atoms, kind, stored?.[kind]) };
        this.#begin(!stored);
      }
      this.#go();
    }

    /** Start, pause, go on; after the end, train another network from another start. */
    press() {
      const { now } = this;
      if (now.training.isDone) {
        now.past = [...now.past, now.history].slice(-KEPT);
        this.#begin(true);
      } else now.isRunning = !now.isRunning;
      this.#go();
      this.lesson.api.redraw();
    }

    #begin(isRunning) {
      const { now, kind, lesson: { scene } } = this;
      now.round = (now.round ?? -1) + 1;
      Object.assign(now, { training: new WELL.Training(scene.atoms, kind, scene.seed + 1000 * now.round), history: [], isRunning });
      this.#measure();
    }

    #measure() {
      const { training, measure, history } = this.now, { loss, apart } = measure.of(training.net);
      history.push([training.step, loss, apart]);
    }

    #go() {
      clearTimeout(this.timer);
      if (this.kind !== null && this.now.isRunning) this.timer = setTimeout(() => this.#slice(), 0);
    }

    #slice() {
      const { now } = this, { training } = now, until = performance.now() + SLICE_MS;
      while (!training.isDone && performance.now() < until) {
        training.advance();
        if (training.step % MEASURE_EVERY === 0 || training.isDone) this.#measure();
      }
      if (training.isDone) now.isRunning = false;
      if (training.isDone || performance.now() - this.shownAt > PICTURE_MS) this.lesson.api.redraw();
      this.#go();
    }

    /** Both fields at time t, the loss, and the distance between the fields. */
    draw() {
      const { lesson: { values, api, stored, plane, beside, LETTERS, place, arrange, drawPlane }, net, key, kind, now, loss, apart } = this, { N_STEPS } = WELL;
      const steps = values.map ? Math.round(values.steps) : 1, { step } = now.training, { t } = values, count = (value) => value.toLocaleString("en");
      this.shownAt = performance.now();
      if (!stored) arrange([plane, 0, 0, 0.5, 1], [loss, 0.5, 0, 0.5, 1]);
      else arrange([plane, 0, 0, 0.36, 1], [beside, 0.36, 0, 0.36, 1], [loss, 0.72, 0, 0.28, 0.5], [apart, 0.72, 0.5, 0.28, 0.5]);
      const show = (panel, of, data, heading) => drawPlane(panel, (x, y, time) => of.at(x, y, time), data, LETTERS.map((_, i) => of.path(...place(i), steps)), t, heading);
      const own = this.here.show(`${key} ${steps}`, net, steps), other = stored && this.there.show(`${kind} ${steps}`, stored[kind], steps);
      show(plane, net, own, `Trained here: step ${count(step)} of ${count(N_STEPS)}`);
      if (stored) show(beside, stored[kind], other, `Stored network, t = ${t.toFixed(2)}`);
      this.#drawLoss();
      if (stored) this.#drawApart();
      if (!this.isRunning && !(own.isWhole && (other?.isWhole ?? true))) api.redraw();
    }

    #drawLoss() {
      const { loss, now: { history, past, measure } } = this, all = [...past, history].flat().map((row) => row[1]);
      loss.heading = `Loss ${history.at(-1)[1].toFixed(2)}`;
      loss.setRange({ y: [0, 1.15 * Math.max(...all)] });
      loss.axes();
      if (measure.stored) loss.line("y", measure.storedLoss, C.time, { text: `stored ${measure.storedLoss.toFixed(2)}` });
      else if (measure.exactLoss) loss.line("y", measure.exactLoss, C.reference, { text: `exact field ${measure.exactLoss.toFixed(2)}` });
      this.#curves(loss, 1);
    }

    #drawApart() {
      const { apart, now: { history, past } } = this, all = [...past, history].flat().map((row) => row[2]);
      apart.heading = `${percent(history.at(-1)[2])} off the stored field`;
      apart.setRange({ y: [0, 1.15 * Math.max(...all)] });
      apart.axes();
      this.#curves(apart, 2);
    }

    /** A column of the history over the steps; those of earlier trainings are faint. */
    #curves(panel, column) {
      const { now: { history, past } } = this;
      for (const rows of past) panel.curve(rows.map((row) => row[0]), rows.map((row) => row[column]), C.reference, 1.2, [], 0.6);
      panel.curve(history.map((row) => row[0]), history.map((row) => row[column]), C.selected, 2.4);
      panel.marker(history.at(-1)[0], history.at(-1)[column], { colour: C.selected, radius: 4, shape: "dot" });
    }

    /** The button, the checks and the sentences of a training. */
    say() {
      const { lesson: { api, values, stored, LETTERS, place, words }, now: { training, measure, history, isRunning }, net, kind } = this, { N_STEPS } = WELL;
      const { test, step, isDone } = training, [, loss, apart] = history.at(-1), many = Math.round(values.steps);
      api.button(isDone ? "Train again" : isRunning ? "Pause" : step ? "Go on" : "Start training", () => this.press());
      api.check("Slope of the loss along one weight: backpropagation, difference quotient", test.slope, test.quotient, 1e-6);
      const state = isDone ? `Trained here in ${N_STEPS.toLocaleString("en")} steps` : `Training here: step ${step.toLocaleString("en")} of ${N_STEPS.toLocaleString("en")}`;
      if (!stored) return api.note(`No network is stored for these points (stored ones belong to the first sample). ${state}; loss ${loss.toFixed(3)}.`);
      api.check("Distance of the fields, as a share of the stored field's size", apart);
      const scores = LETTERS.map((letter, i) => `${letter.toUpperCase()} ${words(net.score(...place(i), values.map ? many : 1))} and ${words(stored[kind].score(...place(i), values.map ? many : 1))}`);
      api.note(`${state}; loss ${loss.toFixed(3)}, stored ${measure.storedLoss.toFixed(3)}, on the same 256 pairs. Where these pairs pass, the two fields differ by ${percent(apart)} of the stored field's size.`);
      return api.note(`Scores here and stored: ${scores.join(", ")}.`);
    }
  };
}
