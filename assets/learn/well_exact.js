// Lesson 7, second act: the exact field of finite data. In one step it brings every place to 0; in many it throws out what lies off the data, the farther the
// more steps there are.

{
  const STEPS = [1, 2, 3, 5, 8, 12, 20, 30, 50, 75, 100], N_BESIDE = 12, GAP = 0.05; // places beside data: so many, so far from their data point
  const FAR = 5; // square root of a score that comes from the steep field next to a data point, not from the noise

  WELL.ExactAct = class {
    constructor(lesson) {
      const { stage, OFF, LOW, scene: { atoms } } = lesson;
      this.lesson = lesson;
      this.growth = stage.panel(OFF, { x: [1, 100], y: [LOW, 2e4], titles: ["number of Euler steps", "score"], heading: "Do more steps help?", log: "xy" });
      const n = atoms.length / 2, count = Math.min(n, N_BESIDE);
      this.beside = Array.from({ length: count }, (_, k) => { // all around their data points
        const i = Math.floor((k * n) / count), angle = 2.4 * k;
        return [atoms[2 * i] + GAP * Math.cos(angle), atoms[2 * i + 1] + GAP * Math.sin(angle)];
      });
    }

    #exactPath(x, y, steps) {
      return integrate((px, py, t) => finiteVelocity(px, py, t, this.lesson.scene.atoms), x, y, steps, "euler");
    }

    /** Scores against the number of steps, of A, B, C and the median of the places beside data, by both fields. Kept while network and places stay. */
    #scores(net, key) {
      const { lesson: { LETTERS, place } } = this, starts = LETTERS.map((_, i) => place(i)), whole = `${key} ${starts}`;
      const byExact = (x, y, steps) => WELL.scoreOf(this.#exactPath(x, y, steps)), byNet = (x, y, steps) => net.score(x, y, steps);
      const curve = (field, [x, y]) => STEPS.map((steps) => field(x, y, steps)), median = (field) => STEPS.map((steps) => quantile(this.beside.map(([x, y]) => field(x, y, steps)), 0.5));
      this.exactBeside ??= median(byExact);
      if (this.key !== key) Object.assign(this, { key, learnedBeside: median(byNet) });
      if (this.known?.whole !== whole) this.known = { whole, exact: starts.map((start) => curve(byExact, start)), learned: starts.map((start) => curve(byNet, start)) };
      return this.known;
    }

    draw(net, key) {
      const { lesson: { scene: { atoms }, values, plane, chart, LETTERS, place, arrange, drawPlane, drawMap }, growth } = this, { t } = values;
      const steps = values.map ? Math.round(values.steps) : 1, exact = (x, y, time) => finiteVelocity(x, y, time, atoms);
      arrange([plane, 0, 0, 0.36, 1], [chart, 0.36, 0, 0.32, 1], [growth, 0.68, 0, 0.32, 1]);
      const heading = steps === 1 ? "Exact field, one step: all end at 0" : `Exact field, ${steps} steps`;
      const data = { paths: this.beside.map(([x, y]) => this.#exactPath(x, y, steps)), isWhole: false };
      drawPlane(plane, exact, data, LETTERS.map((_, i) => this.#exactPath(...place(i), steps)), t, heading);
      drawMap(`error ${key} ${t}`, 3, (x, y) => {
        const [ex, ey] = exact(x, y, t), [vx, vy] = net.at(x, y, t);
        return Math.hypot(vx - ex, vy - ey);
      }, `Learned − exact field, t = ${t.toFixed(2)}`);
      const scores = this.#scores(net, key);
      this.#drawGrowth(scores, steps);
      this.#say(net, steps, scores);
    }

    #drawGrowth({ exact, learned }, steps) {
      const { growth, lesson: { LOW, stage: { type } } } = this, high = growth.range.y[1];
      const curve = (list, colour, dash) => growth.curve(STEPS, list.map((value) => clamp(value, LOW * 1.2, high / 1.2)), colour, 2, dash);
      growth.axes();
      exact.forEach((list) => curve(list, C.defect, [5, 4]));
      learned.forEach((list) => curve(list, C.defect, []));
      curve(this.exactBeside, C.normal, [5, 4]);
      curve(this.learnedBeside, C.normal, []);
      growth.line("x", steps, C.selected, { width: 1.4 });
      growth.label("- - exact, — learned", 1, high, { dx: 8, dy: type });
      growth.label("A, B, C", 1, 30, { dx: 8, colour: C.defect, isBold: true });
      growth.label("next to data", 100, LOW, { dx: -8, dy: -type, align: "right", colour: C.normal, isBold: true });
    }

    #say(net, steps, { exact, learned }) {
      const { lesson: { api, scene: { atoms }, LETTERS, place, words } } = this, [x, y] = place(0), [vx, vy] = net.at(x, y, 0), [ex, ey] = finiteVelocity(x, y, 0, atoms);
      api.check("Score of A by one step of the exact field", ((x + ex) ** 2 + (y + ey) ** 2) / 4, 0, 1e-9);
      api.check("Learned one-step score of A, against a quarter of |learned − exact|² there at t = 0", learned[0][0], ((vx - ex) ** 2 + (vy - ey) ** 2) / 4, 1e-6);
      const [half, all] = [50, 100].map((count) => Math.sqrt(exact[0][STEPS.indexOf(count)]));
      if (all > FAR) api.check("Exact distance of A with 100 steps over that with 50: slope 1/t doubles it", all / half, 2, 0.1);
      const scores = LETTERS.map((letter, i) => `${letter.toUpperCase()} ${words(WELL.scoreOf(this.#exactPath(...place(i), steps)))} and ${words(net.score(...place(i), steps))}`);
      api.note(`Scores by ${steps === 1 ? "one step" : `${steps} steps`} of the exact and of the learned field: ${scores.join(", ")}.`);
      api.note("The exact field is known for independent pairs, so this act shows the network of independent pairs.");
    }
  };
}
