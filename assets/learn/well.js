// Lesson 7, the well and the escape: a small network that is evaluated, and on request trained, here; anomalies to drag; one step against many.
// The same network and training in NumPy: wtflow/lessons/small_net.py.

{
  const WIDTH = 64, OFFSETS = [0, 192, 256, 4352, 4416, 4544], N_WEIGHTS = 4546; // of W1 b1 W2 b2 W3 b3, matrices row by row
  const BATCH = 128, GROUP = 64, RATE = 4e-3, N_TRAIN = 1000, SLICE_MS = 30, SHOW_EVERY = 100;
  const REACH = 4.5, LETTERS = ["a", "b", "c"], SIDE = 45, AT_ONCE = 3000, FINE_MS = 12;
  const LOW = 1e-4, HIGH = 200; // scores outside are drawn at the edge
  const words = (value) => (value >= 1e4 ? value.toExponential(1) : value.toFixed(value < 10 ? 2 : 0));

  class SmallNet {
    constructor(weights) {
      Object.assign(this, { w: Float64Array.from(weights), h1: new Float64Array(WIDTH), h2: new Float64Array(WIDTH), version: 0 });
    }

    /** The learned velocity [vx, vy] at (x, y), t. */
    at(x, y, t) {
      const { w, h1, h2 } = this, [W1, B1, W2, B2, W3, B3] = OFFSETS, s = 2 * t - 1;
      for (let i = 0; i < WIDTH; i++) h1[i] = Math.tanh(w[W1 + 3 * i] * x + w[W1 + 3 * i + 1] * y + w[W1 + 3 * i + 2] * s + w[B1 + i]);
      let vx = w[B3], vy = w[B3 + 1];
      for (let i = 0, at = W2; i < WIDTH; i++) {
        let a = w[B2 + i], b = 0, c = 0, d = 0; // four sums at a time: one alone would wait for itself
        for (let j = 0; j < WIDTH; j += 4, at += 4) {
          a += w[at] * h1[j];
          b += w[at + 1] * h1[j + 1];
          c += w[at + 2] * h1[j + 2];
          d += w[at + 3] * h1[j + 3];
        }
        const sum = (h2[i] = Math.tanh(a + b + c + d));
        vx += w[W3 + i] * sum;
        vy += w[W3 + WIDTH + i] * sum;
      }
      return [vx, vy];
    }

    path(x, y, steps) {
      return integrate((px, py, t) => this.at(px, py, t), x, y, steps, "euler");
    }

    score(x, y, steps) {
      return scoreOf(this.path(x, y, steps));
    }
  }

  /** Half the mean square of a path's last point. */
  const scoreOf = (path) => (path.at(-2) ** 2 + path.at(-1) ** 2) / 4;

  /** Uniform numbers in [0, 1) from a seed (mulberry32), and normal ones (Box and Muller): the same seed trains the same network. */
  function makeRandom(seed) {
    let state = (seed + 0x9e3779b9) | 0;
    const next = () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
    return { next, normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()) };
  }

  /** Fits a network to the atoms under a coupling (0 independent, 1 optimal, 2 worst), some milliseconds at a time. Adam, cosine decay. */
  class Training {
    constructor(atoms, kind, seed) {
      Object.assign(this, { atoms, kind, random: makeRandom(seed * 3 + kind), step: 0, loss: NaN });
      const start = new Float64Array(N_WEIGHTS), sizes = [3, 0, WIDTH, 0, WIDTH, 0];
      sizes.forEach((inputs, k) => {
        if (!inputs && k !== 1) return; // offsets start at 0, but those of the first layer: its units shall bend in different places
        for (let i = OFFSETS[k]; i < (OFFSETS[k + 1] ?? N_WEIGHTS); i++) start[i] = this.random.normal() / Math.sqrt(inputs || 1);
      });
      this.net = new SmallNet(start);
      for (const name of ["slope", "first", "second"]) this[name] = new Float64Array(N_WEIGHTS);
      const pairs = this.draw();
      this.test = { index: OFFSETS[2] + 7 * WIDTH + 5, slope: 0, quotient: 0 }; // one weight's slope by two methods, for the student
      this.lossAndSlope(pairs);
      this.test.slope = this.slope[this.test.index];
      const w = this.net.w, kept = w[this.test.index], sides = [1e-4, -1e-4].map((move) => { w[this.test.index] = kept + move; return this.lossAndSlope(pairs); });
      w[this.test.index] = kept;
      this.test.quotient = (sides[0] - sides[1]) / 2e-4;
    }

    get isDone() {
      return this.step >= N_TRAIN;
    }

    /** A batch: rows of x_t, y_t, t and the target velocity. */
    draw() {
      const { atoms, random, kind } = this, n = atoms.length / 2, pairs = new Float64Array(5 * BATCH), cost = new Float64Array(GROUP * GROUP);
      for (let start = 0; start < BATCH; start += GROUP) {
        const x = new Float64Array(2 * GROUP), z = new Float64Array(2 * GROUP).map(() => random.normal());
        for (let i = 0; i < GROUP; i++) {
          const atom = Math.floor(random.next() * n);
          x.set([atoms[2 * atom], atoms[2 * atom + 1]], 2 * i);
        }
        let partner = null;
        if (kind) {
          for (let i = 0; i < GROUP; i++) for (let j = 0; j < GROUP; j++) cost[i * GROUP + j] = (x[2 * i] - z[2 * j]) ** 2 + (x[2 * i + 1] - z[2 * j + 1]) ** 2;
          partner = assign(cost, GROUP, kind === 2);
        }
        for (let i = 0; i < GROUP; i++) {
          const j = partner ? partner[i] : i, t = random.next(), [ax, ay, bx, by] = [x[2 * i], x[2 * i + 1], z[2 * j], z[2 * j + 1]];
          pairs.set([(1 - t) * ax + t * bx, (1 - t) * ay + t * by, t, bx - ax, by - ay], 5 * (start + i));
        }
      }
      return pairs;
    }

    /** Half the mean squared miss per pair; its slope along every weight is left in this.slope. */
    lossAndSlope(pairs) {
      const { net: { w, h1, h2 }, net, slope } = this, [W1, B1, W2, B2, W3, B3] = OFFSETS, back = new Float64Array(WIDTH);
      let loss = 0;
      slope.fill(0);
      for (let row = 0; row < pairs.length; row += 5) {
        const x = pairs[row], y = pairs[row + 1], t = pairs[row + 2], s = 2 * t - 1, [vx, vy] = net.at(x, y, t);
        const mx = (vx - pairs[row + 3]) / BATCH, my = (vy - pairs[row + 4]) / BATCH;
        loss += (BATCH * (mx * mx + my * my)) / 2;
        slope[B3] += mx;
        slope[B3 + 1] += my;
        back.fill(0);
        for (let i = 0, at = W2; i < WIDTH; i++) {
          slope[W3 + i] += mx * h2[i];
          slope[W3 + WIDTH + i] += my * h2[i];
          const to2 = (mx * w[W3 + i] + my * w[W3 + WIDTH + i]) * (1 - h2[i] * h2[i]);
          slope[B2 + i] += to2;
          for (let j = 0; j < WIDTH; j++, at++) {
            slope[at] += to2 * h1[j];
            back[j] += to2 * w[at];
          }
        }
        for (let j = 0; j < WIDTH; j++) {
          const to1 = back[j] * (1 - h1[j] * h1[j]);
          slope[W1 + 3 * j] += to1 * x;
          slope[W1 + 3 * j + 1] += to1 * y;
          slope[W1 + 3 * j + 2] += to1 * s;
          slope[B1 + j] += to1;
        }
      }
      return loss;
    }

    /** Train for some milliseconds, or to the end. */
    run(ms) {
      const until = performance.now() + ms, { net, slope, first, second } = this;
      while (!this.isDone && performance.now() < until) {
        const loss = this.lossAndSlope(this.draw()), step = ++this.step;
        this.loss = step === 1 ? loss : 0.98 * this.loss + 0.02 * loss;
        const rate = (RATE * 0.5 * (1 + Math.cos((Math.PI * step) / N_TRAIN))) / (1 - 0.9 ** step), fix = 1 / (1 - 0.999 ** step);
        for (let i = 0; i < N_WEIGHTS; i++) {
          first[i] += 0.1 * (slope[i] - first[i]);
          second[i] += 0.001 * (slope[i] * slope[i] - second[i]);
          net.w[i] -= (rate * first[i]) / (Math.sqrt(second[i] * fix) + 1e-8);
        }
        if (step % SHOW_EVERY === 0 || this.isDone) net.version++;
      }
    }
  }

  /** Values of a function of a place on a grid over [-REACH, REACH]^2: coarse at once, then finer from frame to frame. */
  class Map2d {
    show(key, evaluations, value) {
      if (key !== this.key) {
        const side = Math.max(12, Math.min(SIDE, Math.floor(Math.sqrt(AT_ONCE / evaluations))));
        Object.assign(this, { key, side, grid: new Float64Array(side * side), fine: side < SIDE ? new Float64Array(SIDE * SIDE) : null, next: 0 });
        for (let k = 0; k < side * side; k++) this.grid[k] = this.#at(k, side, value);
      } else if (this.fine) {
        const until = performance.now() + FINE_MS;
        while (this.next < SIDE * SIDE && performance.now() < until) this.fine[this.next] = this.#at(this.next++, SIDE, value);
        if (this.next >= SIDE * SIDE) Object.assign(this, { grid: this.fine, side: SIDE, fine: null });
      }
      return !this.fine;
    }

    #at(k, side, value) {
      const place = (i) => -REACH + (2 * REACH * (i + 0.5)) / side;
      return value(place(k % side), place(Math.floor(k / side)));
    }
  }

  LESSON.well = {
    create(stage, scene, values, api) {
      const box = { x: [-REACH, REACH], y: [-REACH, REACH] }, n = scene.atoms.length / 2, trainings = [], map = new Map2d();
      const plane = stage.panel({ x: 0, y: 0, w: 0.38, h: 1 }, { ...box, titles: ["x", "y"], heading: "The plane", equal: true });
      const chart = stage.panel({ x: 0.38, y: 0, w: 0.34, h: 1 }, { ...box, titles: ["x", ""], heading: "Map", equal: true });
      const scores = stage.panel({ x: 0.72, y: 0, w: 0.28, h: 1 }, { x: [LOW, HIGH], y: [LOW, HIGH], titles: ["score, one step", "many steps"], heading: "One step, many steps", log: "xy" });
      const stored = scene.is_stored ? [0, 1, 2].map((kind) => new SmallNet(scene.weights.subarray(kind * N_WEIGHTS, (kind + 1) * N_WEIGHTS))) : null;
      let held = -1, chosen = 0, memory = {}, timer = null;

      const place = (i) => [values[`${LETTERS[i]}x`], values[`${LETTERS[i]}y`]];
      const move = (i, x, y) => { api.set(`${LETTERS[i]}x`, Math.round(100 * x) / 100); api.set(`${LETTERS[i]}y`, Math.round(100 * y) / 100); };
      const isTrained = () => values.net === 1 || !stored;
      const training = () => (trainings[values.coupling] ??= new Training(scene.atoms, values.coupling, scene.seed));
      const between = (path, steps, t) => {
        const at = Math.min(t * steps, steps - 1e-9), k = Math.floor(at), part = at - k;
        return [0, 1].map((c) => (1 - part) * path[2 * k + c] + part * path[2 * k + 2 + c]);
      };

      /** On a narrow stage the third panel goes: its numbers stand below. */
      function arrange() {
        const shares = stage.width < 52 * stage.type ? [[0, 0.52], [0.52, 0.48], [2, 0.1]] : [[0, 0.38], [0.38, 0.34], [0.72, 0.28]];
        [plane, chart, scores].forEach((panel, k) => {
          Object.assign(panel.place, { x: shares[k][0], w: shares[k][1] });
          panel.layout();
        });
        return shares[2][0] < 1;
      }

      /** Train on between drawings; the picture is drawn again now and then, and whenever someone touches it. */
      function trainOn() {
        if (timer || training().isDone) return;
        timer = setTimeout(() => {
          const now = training(), before = now.net.version;
          timer = null;
          now.run(SLICE_MS);
          if (now.net.version !== before) api.redraw();
          if (isTrained()) trainOn();
        }, 0);
      }

      /** Paths and scores of all data, kept while network and steps stay. */
      function travelOfData(net, steps, key) {
        if (memory.key !== key) {
          const paths = Array.from({ length: n }, (_, i) => net.path(scene.atoms[2 * i], scene.atoms[2 * i + 1], steps));
          const one = paths.map((path, i) => net.score(scene.atoms[2 * i], scene.atoms[2 * i + 1], 1)), many = paths.map(scoreOf);
          memory = { key, paths, one, many, limits: [quantile(one, 0.99), quantile(many, 0.99)] };
        }
        return memory;
      }

      function drawPlane(net, data, paths, steps, t) {
        const now = new Float64Array(2 * n), arrows = [], side = 15;
        data.paths.forEach((path, i) => now.set(between(path, steps, t), 2 * i));
        for (let k = 0; k < side * side; k++) {
          const x = -REACH + (2 * REACH * ((k % side) + 0.5)) / side, y = -REACH + (2 * REACH * (Math.floor(k / side) + 0.5)) / side, [vx, vy] = net.at(x, y, t);
          arrows.push(x, y, vx, vy);
        }
        plane.heading = `The plane at t = ${t.toFixed(2)}`;
        plane.axes();
        plane.arrows(arrows, C.reference, { scale: 0.11, alpha: 0.55, head: 4 });
        if (t > 0) plane.points(scene.atoms, C.normal, 2, 0.2);
        plane.points(now, C.normal, 3, 0.8);
        const radius = quantile(Array.from({ length: n }, (_, i) => Math.hypot(now[2 * i], now[2 * i + 1])), 0.99);
        plane.circle(0, 0, radius, C.selected);
        plane.label("99 % of the data", 0, -radius, { dy: 10, align: "center", colour: C.selected });
        paths.forEach((path, i) => {
          const [x, y] = place(i), [vx, vy] = net.at(x, y, 0), [nx, ny] = between(path, steps, t), odd = path.filter((_, k) => k % 2);
          plane.segments([x, y, x + vx, y + vy], C.defect, 1.5, 0.6);
          plane.marker(x + vx, y + vy, { colour: C.defect, shape: "cross", radius: 5, width: 2 });
          plane.curve(path.filter((_, k) => k % 2 === 0), odd, C.time, 2.2);
          plane.marker(path.at(-2), path.at(-1), { colour: C.time, radius: 5, width: 2 });
          plane.marker(x, y, { colour: C.defect, radius: 9, width: i === chosen ? 3 : 1.8 });
          plane.marker(nx, ny, { colour: C.defect, shape: "dot", radius: 5 });
          plane.label(LETTERS[i].toUpperCase(), x, y, { dx: 13, dy: -11, isBold: true, colour: C.defect });
        });
        plane.label("× one step", plane.x0, plane.y0, { dx: 6, dy: -10, size: 0.9, colour: C.defect });
        plane.label(`○ ${steps} steps`, plane.x1, plane.y0, { dx: -6, dy: -10, size: 0.9, colour: C.time, align: "right" });
      }

      function drawMap(net, key, steps, t) {
        const which = values.map, value = (x, y) => {
          if (which < 2) return Math.log10(Math.max(LOW, net.score(x, y, which ? steps : 1)));
          const [ex, ey] = finiteVelocity(x, y, t, scene.atoms), [vx, vy] = net.at(x, y, t);
          return Math.log10(Math.max(LOW, Math.hypot(vx - ex, vy - ey)));
        };
        const isWhole = map.show(`${key} ${which} ${which === 1 ? steps : 0} ${which === 2 ? t : 0}`, which === 0 ? 1 : which === 1 ? steps : 2, value);
        if (!isWhole && !(isTrained() && !training().isDone)) api.redraw();
        chart.heading = ["Score of a start, one step", `Score of a start, ${steps} steps`, `Learned − exact${values.coupling ? " independent" : ""}, t = ${t.toFixed(2)}`][which];
        chart.axes();
        chart.heat(map.grid, map.side, map.side, HEAT, { range: [-2, 2], area: box });
        chart.points(scene.atoms, "#7FC4F5", 1.3, 0.8);
        LETTERS.forEach((letter, i) => {
          chart.marker(...place(i), { colour: C.defect, radius: 6 });
          chart.label(letter.toUpperCase(), ...place(i), { dx: 10, dy: -9, isBold: true, colour: C.defect });
        });
        chart.label("dark 0.01, bright 100", -REACH, -REACH, { dx: 5, dy: -9, size: 0.85 });
      }

      function drawScores(data, own, steps) {
        const shown = (value) => clamp(value, LOW * 1.15, HIGH / 1.15);
        scores.titles = ["score, one step", `score, ${steps} steps`];
        scores.axes();
        scores.curve([LOW, HIGH], [LOW, HIGH], C.reference, 1, [3, 4]);
        scores.points(data.one.flatMap((one, i) => [shown(one), shown(data.many[i])]), C.normal, 2.2, 0.5);
        scores.line("x", shown(data.limits[0]), C.selected);
        scores.line("y", shown(data.limits[1]), C.selected);
        const isRight = data.limits[0] > 0.15;
        scores.label("99 % of the data", shown(data.limits[0]), LOW, { dx: isRight ? -5 : 5, dy: -10, align: isRight ? "right" : "left", colour: C.selected, size: 0.9 });
        own.forEach(([one, many], i) => {
          scores.marker(shown(one), shown(many), { colour: C.defect, shape: "dot", radius: 4.5 });
          scores.label(LETTERS[i].toUpperCase(), shown(one), shown(many), { dx: 8, dy: -8, isBold: true, colour: C.defect });
        });
      }

      function sayNumbers(net, data, own, steps) {
        const [x, y] = place(0), [vx, vy] = net.at(x, y, 0), [ex, ey] = finiteVelocity(x, y, 0, scene.atoms);
        api.check("Score of A by one step of the exact field, independent pairs", ((x + ex) ** 2 + (y + ey) ** 2) / 4, 0, 1e-9);
        api.check("Learned one-step score of A, against a quarter of |learned − exact|² there at t = 0", own[0][0], ((vx - ex) ** 2 + (vy - ey) ** 2) / 4, 1e-6);
        if (isTrained()) {
          const { test, isDone, step, loss } = training();
          api.check("Slope of the loss along one weight: backpropagation, difference quotient", test.slope, test.quotient, 1e-6);
          const why = stored ? "" : "No network is stored for these points (stored ones belong to the first sample). ";
          api.note(why + (isDone ? `Trained here in ${N_TRAIN.toLocaleString("en")} steps; last loss ${loss.toFixed(3)}.` : `Training here: ${Math.round((100 * step) / N_TRAIN)} %, loss ${loss.toFixed(3)}.`));
        } else {
          const k = 1, kind = values.coupling, [px, py, pt] = scene.probes.subarray(3 * k, 3 * k + 3), far = scene.far;
          api.check("Network at (−1, 1.5), t = 0.3: v_x in this browser, and in Python", net.at(px, py, pt)[0], scene.probe_v[(kind * scene.probes.length) / 3 * 2 + 2 * k], 1e-4);
          api.check("Learned one-step score of (4, 4): in this browser, and in Python", net.score(far[0], far[1], 1), scene.far_score[kind], 1e-3);
        }
        if (values.coupling) api.note("There is no closed form of this coupling for finite data: an exact field named here is that of independent pairs.");
        own.forEach(([one, many], i) => {
          const isOut = [one > data.limits[0], many > data.limits[1]], exact = scoreOf(integrate((px, py, t) => finiteVelocity(px, py, t, scene.atoms), ...place(i), steps, "euler"));
          const where = isOut[0] === isOut[1] ? (isOut[0] ? "in both" : "in neither") : isOut[0] ? "by one step only" : "by many steps only";
          api.note(`${LETTERS[i].toUpperCase()}: one step ${words(one)}, ${steps} steps ${words(many)}; above 99 % of the data ${where}. Exact field, independent pairs: 0 and ${words(exact)}.`);
        });
      }

      return {
        draw() {
          const { t, coupling } = values, steps = Math.round(values.steps), isWide = arrange();
          if (isTrained()) trainOn();
          const net = isTrained() ? training().net : stored[coupling], key = `${isTrained()} ${coupling} ${net.version}`;
          const data = travelOfData(net, steps, `${key} ${steps}`), paths = LETTERS.map((_, i) => net.path(...place(i), steps));
          const own = paths.map((path, i) => [net.score(...place(i), 1), scoreOf(path)]);
          drawPlane(net, data, paths, steps, t);
          drawMap(net, key, steps, t);
          if (isWide) drawScores(data, own, steps);
          sayNumbers(net, data, own, steps);
        },

        /** The nearest anomaly is taken where it is, or put where nothing is near. */
        pointer(kind, x, y, index) {
          const panel = [plane, chart][index];
          if (kind === "up" || kind === "leave" || !panel) return void (held = -1);
          if (kind === "down") {
            const gaps = LETTERS.map((_, i) => Math.hypot(place(i)[0] - x, place(i)[1] - y)), near = gaps.indexOf(Math.min(...gaps));
            held = chosen = near;
          }
          if (held >= 0) move(held, x, y);
        },

        /** a, b, c choose an anomaly, arrows move it. */
        key(name) {
          const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[name], letter = LETTERS.indexOf(name);
          if (letter >= 0) chosen = letter;
          if (step) move(chosen, place(chosen)[0] + step[0], place(chosen)[1] + step[1]);
          return letter >= 0 || Boolean(step);
        },

        dispose() { clearTimeout(timer); },
      };
    },
  };
}
