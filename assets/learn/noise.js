// Lesson 9, noise on the way: a crowd moved by the flow and by a stochastic equation with the same densities, on a line. Its checked twin is
// wtflow/lessons/noise.py. Dragging in the left picture moves t and the start of the shown paths, in the lower right one the start.

{
  const MEANS = [[0.5], [-1.1, 1.1]], HIGH = 3.2, N_PATHS = 12, MOST_STEPS = 200, COLUMNS = 72, ROWS = 64, N_BARS = 32;
  const FINE = Float64Array.from({ length: 161 }, (_, k) => -HIGH + (k * HIGH) / 80), EDGES = Array.from({ length: N_BARS + 1 }, (_, k) => -HIGH + (2 * HIGH * k) / N_BARS);

  /** Independent standard normal values from a seed: mulberry32, then Box and Muller's pairs. */
  function normals(seed, count) {
    const out = new Float32Array(count);
    let state = (seed * 2654435761 + 1) >>> 0;
    const uniform = () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let z = Math.imul(state ^ (state >>> 15), state | 1);
      z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
      return (((z ^ (z >>> 14)) >>> 0) + 0.5) / 4294967296;
    };
    for (let i = 0; i + 1 < count; i += 2) {
      const radius = Math.sqrt(-2 * Math.log(uniform())), angle = 2 * Math.PI * uniform();
      out[i] = radius * Math.cos(angle);
      out[i + 1] = radius * Math.sin(angle);
    }
    return out;
  }

  /** Correlation of x_t with x_0 for one Gaussian. */
  const memory = (g, s) => Math.exp((-Math.PI * g * g) / (4 * s));

  /** Variances of one centred Gaussian's crowd after each step, and its correlations with the start: as recursion() in the twin. */
  function recursion(n, { g, s, isBack }) {
    const h = 1 / n, variance = new Float64Array(n + 1), memory = new Float64Array(n + 1);
    let spread = (variance[0] = isBack ? 1 : s * s), shared = spread;
    memory[0] = 1;
    for (let k = 0; k < n; k++) {
      const t = isBack ? 1 - k * h : k * h, factor = 1 + h * ((isBack ? -1 : 1) * gaussVelocity(1, t, 0, s, 0) - (0.5 * g * g) / gaussVariance(t, s, 0));
      spread = variance[k + 1] = factor * factor * spread + g * g * h;
      shared *= factor;
      memory[k + 1] = shared / Math.sqrt(variance[0] * spread);
    }
    return { variance, memory };
  }

  const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
  function correlation(xs, ys) {
    const mx = mean(xs), my = mean(ys);
    let xx = 0, yy = 0, xy = 0;
    for (let i = 0; i < xs.length; i++) { xx += (xs[i] - mx) ** 2; yy += (ys[i] - my) ** 2; xy += (xs[i] - mx) * (ys[i] - my); }
    return xy / Math.sqrt(xx * yy);
  }

  LESSON.noise = {
    create(stage, scene, values, api) {
      const ways = stage.panel({ x: 0, y: 0, w: 0.54, h: 1 }, { x: [-0.02, 1.02], y: [-HIGH, HIGH], titles: ["t (0 = data, 1 = noise)", "x"], heading: "From one start" });
      const law = stage.panel({ x: 0.54, y: 0, w: 0.46, h: 0.5 }, { x: [-HIGH, HIGH], y: [-0.2, 1], titles: ["", "density"], heading: "Crowd" });
      const ends = stage.panel({ x: 0.54, y: 0.5, w: 0.46, h: 0.5 }, { x: [-HIGH, HIGH], y: [-HIGH, HIGH], titles: ["start", "end"], heading: "Correlation" });
      const size = scene.g.length / 2, drawn = normals(scene.seed, size * MOST_STEPS), own = normals(scene.seed + 7919, N_PATHS * MOST_STEPS), found = new Float64Array(3);
      const kept = new Map();
      let isHeld = false;

      const read = () => ({ t: values.t, g: values.g, s: values.s, n: Math.round(values.steps), means: MEANS[Math.round(values.data)], isBack: values.way > 0.5, x: values.x });

      /** A value that depends on `key` alone, computed once per key; only the newest of each name is kept. */
      function once(name, key, compute) {
        const text = JSON.stringify(key), had = kept.get(name);
        if (had?.text === text) return had.value;
        const value = compute();
        kept.set(name, { text, value });
        return value;
      }

      /** Paths of many starts by Euler and Maruyama's method: one Float64Array per step. noise: a value per start and step. */
      function travel(start, g, noise, { s, n, means, isBack }) {
        const path = [start], h = 1 / n, jump = g * Math.sqrt(h), sign = isBack ? -1 : 1;
        for (let k = 0; k < n; k++) {
          const t = isBack ? 1 - k * h : k * h, from = path[k], to = new Float64Array(from.length);
          for (let i = 0; i < from.length; i++) {
            mixtureAt(from[i], t, means, s, found);
            to[i] = from[i] + h * (sign * found[2] + 0.5 * g * g * found[1]) + (jump ? jump * noise[i * MOST_STEPS + k] : 0);
          }
          path.push(to);
        }
        return path;
      }

      function starts({ s, means, isBack }) {
        return Float64Array.from({ length: size }, (_, i) => (isBack ? scene.g[2 * i] : means[Math.min(means.length - 1, Math.floor(means.length * normalCdf(scene.g[2 * i + 1])))] + s * scene.g[2 * i]));
      }

      function move(now) {
        const { g, s, n, means, isBack, x } = now, world = [s, n, means, isBack];
        return {
          smooth: once("smooth", world, () => travel(starts(now), 0, drawn, now)),
          noisy: once("noisy", [g, ...world], () => travel(starts(now), g, drawn, now)),
          path: once("path", [x, ...world], () => travel(Float64Array.of(x), 0, own, now)),
          paths: once("paths", [x, g, ...world], () => travel(new Float64Array(N_PATHS).fill(x), g, own, now)),
          told: once("told", [g, s, n, isBack], () => recursion(n, now)),
        };
      }

      function drawWays({ t, s, n, means, isBack }, { path, paths }) {
        const cloud = once("cloud", [s, means], () => {
          const grid = new Float32Array(COLUMNS * ROWS);
          for (let i = 0; i < COLUMNS; i++) {
            for (let j = 0; j < ROWS; j++) grid[j * COLUMNS + i] = mixtureAt(-HIGH + ((j + 0.5) * 2 * HIGH) / ROWS, (i + 0.5) / COLUMNS, means, s, found)[0];
          }
          return grid;
        });
        const rgb = toRgb(C.reference), times = Array.from({ length: n + 1 }, (_, k) => (isBack ? 1 - k / n : k / n));
        ways.axes();
        ways.heat(cloud, COLUMNS, ROWS, (value) => [...rgb, 190 * Math.min(1, Math.sqrt(value))], { area: { x: [0, 1], y: [-HIGH, HIGH] } });
        for (let i = 0; i < N_PATHS; i++) ways.curve(times, paths.map((at) => at[i]), C.selected, 1.2, [], 0.75);
        ways.curve(times, path.map((at) => at[0]), C.normal, 3.2);
        ways.line("x", t, C.time, { width: 1.4, dash: [] });
        const begin = isBack ? 1 : 0, k = Math.round((isBack ? 1 - t : t) * n);
        ways.marker(begin, path[0][0], { colour: C.text, radius: 7 });
        ways.marker(t, path[k][0], { colour: C.normal, radius: 5, shape: "dot" });
        for (let i = 0; i < N_PATHS; i++) ways.marker(t, paths[k][i], { colour: C.selected, radius: 3, shape: "dot", width: 1 });
        writeAside(ways, [["flow (ODE)", C.normal], ["with noise (SDE)", C.selected]]);
        ways.label(isBack ? "← both ways run from noise to data" : "both ways run from data to noise →", 1, -HIGH, { dx: -8, dy: -stage.type * 0.9, align: "right", size: 0.9 });
      }

      function drawLaw({ t, s, n, means, isBack }, { smooth, noisy }) {
        const k = Math.round((isBack ? 1 - t : t) * n), exact = FINE.map((x) => mixtureAt(x, t, means, s, found)[0]), width = EDGES[1] - EDGES[0];
        const heights = (list) => {
          const counts = new Float64Array(N_BARS);
          for (const x of list) { const bar = Math.floor((x + HIGH) / width); if (bar >= 0 && bar < N_BARS) counts[bar] += 1 / (list.length * width); }
          return counts;
        };
        const steps = heights(smooth[k]), bars = heights(noisy[k]), corners = [[], []], top = 1.1 * Math.max(...exact, ...steps, ...bars);
        law.setRange({ y: [-0.25 * top, top] });
        law.heading = `Crowd, t = ${t.toFixed(2)}`;
        law.axes();
        writeAside(law, [["— exact", C.text], ["➔ score function", C.time]]);
        for (let i = 0; i < N_BARS; i++) {
          law.area([EDGES[i], EDGES[i + 1]], [0, 0], [bars[i], bars[i]], C.selected, 0.45);
          corners[0].push(EDGES[i], EDGES[i + 1]);
          corners[1].push(steps[i], steps[i]);
        }
        law.curve(...corners, C.normal, 1.6);
        law.curve(FINE, exact, C.text, 2.2);
        law.line("y", 0, C.reference, { width: 1, dash: [] });
        const arrows = [], far = Math.max(...FINE.map((x) => Math.abs(mixtureAt(x, t, means, s, found)[1]))), y = -0.12 * top;
        for (let i = 0; i <= 16; i++) { // uphill
          const x = -HIGH * 0.96 + (i * 1.92 * HIGH) / 16, pull = mixtureAt(x, t, means, s, found)[1];
          arrows.push(x, y, Math.sign(pull) * 0.42 * Math.sqrt(Math.abs(pull) / far), 0);
        }
        law.arrows(arrows, C.time, { width: 2, alpha: 1, head: 6 });
      }

      function drawEnds({ isBack }, { smooth, noisy }) {
        const from = isBack ? "start at t = 1" : "start at t = 0", to = isBack ? "end at t = 0" : "end at t = 1", pairs = (path) => Float32Array.from({ length: 2 * size }, (_, i) => (i % 2 ? path.at(-1)[(i - 1) / 2] : path[0][i / 2]));
        ends.titles = [from, to];
        ends.axes();
        ends.points(pairs(noisy), C.selected, 1.8, 0.55);
        ends.points(pairs(smooth), C.normal, 1.8, 0.9);
        ends.line("x", values.x, C.reference, { width: 1 });
        const [a, b] = [smooth, noisy].map((path) => correlation(path[0], path.at(-1)));
        writeAside(ends, [[`ODE ${a.toFixed(2)}`, C.normal], [`SDE ${b.toFixed(2).replace("-", "−")}`, C.selected]]);
        return b;
      }

      function tell(now, { noisy, path, told }, remembered) {
        const { t, g, s, n, means, isBack, x } = now, k = Math.round((isBack ? 1 - t : t) * n), h = 1e-4 * s, place = path[k][0];
        const log = (at) => Math.log(mixtureAt(at, t, means, s, found)[0]), slope = mixtureAt(place, t, means, s, found)[1];
        if (mixtureAt(place, t, means, s, found)[0] > 1e-9) api.check("score function at the blue dot", slope, (log(place + h) - log(place - h)) / (2 * h), 1e-4 * (1 + Math.abs(slope)));
        if (t < 1) api.check("v there, −(x + t · score function)/(1 − t)", mixtureAt(place, t, means, s, found)[2], -(place + t * slope) / (1 - t), 1e-6 * (1 + Math.abs(slope)) / (1 - t));
        const squares = noisy[k].map((value) => value * value), found2 = mean(squares), at = isBack ? 1 - k / n : k / n;
        const wanted = (1 - at) ** 2 * mean(means.map((m) => m * m)) + gaussVariance(at, s, 0), off = told.variance[k] - gaussVariance(at, s, 0);
        const error = 5 * Math.sqrt(Math.max(0, mean(squares.map((value) => value * value)) - found2 * found2) / size) + 2 * Math.abs(off) + 0.01;
        api.check("mean square of the SDE's crowd", found2, wanted, error);
        if (means.length === 1) {
          const exact = memory(g, s);
          api.check("SDE's correlation of start and end, e^(−πg²/4s)", remembered, exact, (5 * (1 - exact * exact)) / Math.sqrt(size) + Math.abs(told.memory[n] - exact) + 1e-3);
        }
        if (isBack) api.check("share below the start, below the flow's end", normalCdf(x), mean(means.map((m) => normalCdf((path.at(-1)[0] - m) / s))), 0.5 / n + 0.005);
        else if (Math.abs(mixtureEnd(x, means, s)) < 8) {
          const end = integrate((y, _, time) => [mixtureAt(y, time, means, s, found)[2], 0], x, 0, 200, "rk4");
          api.check("the flow's end, by quantiles", end[400], mixtureEnd(x, means, s), 1e-3);
        }
        if (Math.abs(off) > 0.1 * gaussVariance(at, s, 0)) api.note(`${n} steps are too few for this noise: a group's variance is ${told.variance[k].toFixed(2)} instead of ${gaussVariance(at, s, 0).toFixed(2)}.`);
      }

      return {
        draw() {
          const now = read(), moved = move(now);
          api.playBackward(now.isBack);
          drawWays(now, moved);
          drawLaw(now, moved);
          tell(now, moved, drawEnds(now, moved));
        },
        pointer(kind, x, y, index) {
          if (kind === "down") isHeld = true;
          if (isHeld && (kind === "down" || kind === "move")) {
            if (index === ways.index) api.set("t", Math.round(100 * x) / 100);
            if (index !== law.index) api.set("x", Math.round((index === ways.index ? y : x) / 0.05) * 0.05);
          }
          if (kind === "up" || kind === "leave") isHeld = false;
        },
        /** Up and down move the start, left and right the time. */
        key(name) {
          const move = { ArrowUp: ["x", 0.1], ArrowDown: ["x", -0.1], ArrowRight: ["t", 0.01], ArrowLeft: ["t", -0.01] }[name];
          if (move) api.set(move[0], Math.round((values[move[0]] + move[1]) * 100) / 100);
          return Boolean(move);
        },
        dispose() {},
      };
    },
  };
}
