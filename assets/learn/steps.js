// Lesson 10, one step or many: Euler's steps along three fields from data to noise on a line, where they end, and how wrong they are. Its checked twin
// is wtflow/lessons/steps.py. Dragging in the left picture moves t and the start, in the upper right one the start, in the lower right one N.

{
  const MEANS = [[0.5], [-1.1, 1.1]], HIGH = 4, N_FINE = 120, N_STARTS = 16, EULER = 0, STRAIGHT = 1, AVERAGE = 2;
  const STEPS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512], PLACES = Float64Array.from({ length: 121 }, (_, k) => -3 + k / 20);
  const found = new Float64Array(3), fieldAt = (x, t, { means, s }) => mixtureAt(x, t, means, s, found)[2];
  const percent = (share) => `${(100 * share).toFixed(share < 0.095 ? 1 : 0)} %`;

  /** C of one Gaussian: n steps miss a share of about C / n. */
  const firstOrder = (s) => 0.5 + (Math.PI * (1 + s * s)) / (8 * s);

  /** Places of n Euler steps of the exact field from x at t = 0. */
  function euler(x, n, now) {
    const path = Float64Array.of(x, ...new Float64Array(n));
    for (let k = 0; k < n; k++) path[k + 1] = path[k] + fieldAt(path[k], k / n, now) / n;
    return path;
  }

  /** The exact path from x: places at N_FINE + 1 times, by Runge and Kutta's method. */
  function smooth(x, now, t0 = 0) {
    const path = integrate((y, _, t) => [fieldAt(y, t, now), 0], x, 0, N_FINE, "rk4", t0, 1);
    return Float64Array.from({ length: N_FINE + 1 }, (_, k) => path[2 * k]);
  }

  /** The place of such a path at t, linear between its times. */
  function placeAt(fine, t) {
    const k = Math.min(N_FINE - 1, Math.floor(t * N_FINE));
    return fine[k] + (t * N_FINE - k) * (fine[k + 1] - fine[k]);
  }

  /** The data's quantiles at the middles of equal parts, by bisection. */
  function quantiles({ means, s }) {
    return Array.from({ length: N_STARTS }, (_, i) => {
      const wanted = (i + 0.5) / N_STARTS;
      let low = Math.min(...means) - 6 * s, high = Math.max(...means) + 6 * s;
      for (let k = 0; k < 50; k++) {
        const middle = (low + high) / 2, below = means.reduce((sum, m) => sum + normalCdf((middle - m) / s), 0) / means.length;
        if (below < wanted) low = middle; else high = middle;
      }
      return (low + high) / 2;
    });
  }

  LESSON.steps = {
    create(stage, scene, values, api) {
      const paths = stage.panel({ x: 0, y: 0, w: 0.54, h: 1 }, { x: [-0.02, 1.02], y: [-HIGH, HIGH], titles: ["t (0 = data, 1 = noise)", "x"], heading: "Paths" });
      const ends = stage.panel({ x: 0.54, y: 0, w: 0.46, h: 0.52 }, { x: [-3, 3], y: [-4, 4], titles: ["start", "end"], heading: "Ends" });
      const errors = stage.panel({ x: 0.54, y: 0.52, w: 0.46, h: 0.48 }, { x: [1, 512], y: [0.0008, 2], log: "xy", titles: ["Euler steps N", "share lost"], heading: "Error" });
      const kept = new Map();
      let isHeld = false;

      const read = () => ({ t: values.t, n: Math.round(values.steps), s: values.s, means: MEANS[Math.round(values.data)], field: Math.round(values.field), x: values.x });

      /** A value that depends on `key` alone, computed once per key; only the newest of each name is kept. */
      function once(name, key, compute) {
        const text = JSON.stringify(key), had = kept.get(name);
        if (had?.text === text) return had.value;
        const value = compute();
        kept.set(name, { text, value });
        return value;
      }

      function startsOf({ means, s }) {
        return Array.from({ length: scene.g.length / 2 }, (_, i) => means[Math.min(means.length - 1, Math.floor(means.length * normalCdf(scene.g[2 * i + 1])))] + s * scene.g[2 * i]);
      }

      /** Root mean square of Euler's gap to the exact ends over the quantiles, as a share of theirs, for every number of STEPS. */
      function errorCurve(now) {
        const starts = quantiles(now), wanted = starts.map((x) => mixtureEnd(x, now.means, now.s)), size = wanted.reduce((sum, y) => sum + y * y, 0);
        return STEPS.map((n) => Math.sqrt(starts.reduce((sum, x, i) => sum + (euler(x, n, now).at(-1) - wanted[i]) ** 2, 0) / size));
      }

      /** Where the own start is at t, on the field's own path, and where one step from there to t = 1 ends. */
      function oneStep({ t, x, field, means, s }, fine) {
        const end = mixtureEnd(x, means, s);
        if (field === STRAIGHT) return { here: (1 - t) * x + t * end, aim: end, end };
        const here = placeAt(fine, t);
        return { here, aim: field === EULER ? here + (1 - t) * fieldAt(here, t, { means, s }) : end, end };
      }

      function drawPaths(now, own, step) {
        const { t, n, s, means, field, x } = now, times = Float64Array.from({ length: N_FINE + 1 }, (_, k) => k / N_FINE), coarse = Float64Array.from({ length: n + 1 }, (_, k) => k / n);
        const starts = [...startsOf(now), x], fine = [...once("paths", [s, means], () => startsOf(now).map((start) => smooth(start, now))), own];
        paths.axes();
        starts.forEach((start, i) => {
          const isOwn = i === starts.length - 1, end = mixtureEnd(start, means, s), look = [C.normal, isOwn ? 3.2 : 1.6, [], isOwn ? 1 : 0.7];
          if (field === STRAIGHT) paths.curve([0, 1], [start, end], ...look);
          else paths.curve(times, fine[i], ...look);
          const corners = field === EULER ? euler(start, n, now) : coarse.map((at) => (field === STRAIGHT ? start + at * (end - start) : placeAt(fine[i], at)));
          paths.curve(coarse, corners, C.selected, isOwn ? 2.6 : 1.2, [6, 4], isOwn ? 1 : 0.8);
          if (n <= 24) paths.points(Float32Array.from({ length: 2 * n + 2 }, (_, k) => (k % 2 ? corners[(k - 1) / 2] : k / 2 / n)), C.selected, isOwn ? 3 : 1.8, 0.9);
        });
        paths.line("x", t, C.reference, { width: 1 });
        if (t < 1) paths.segments([t, step.here, 1, step.aim], C.time, 3, 1);
        paths.marker(t, step.here, { colour: C.time, radius: 5, shape: "dot" });
        paths.marker(1, step.aim, { colour: C.time, radius: 7 });
        writeAside(paths, [["— exact", C.normal], [`- - ${n} step${n === 1 ? "" : "s"}`, C.selected], [t ? "— one step from t" : "— one step", C.time]]);
      }

      function drawEnds(now) {
        const { n, s, means, field, x } = now, exact = once("ends", [s, means], () => PLACES.map((start) => mixtureEnd(start, means, s)));
        const many = field === EULER ? once("many", [s, means, n], () => PLACES.map((start) => euler(start, n, now).at(-1))) : exact;
        ends.axes();
        ends.line("x", x, C.reference, { width: 1 });
        ends.curve(PLACES, exact, C.normal, 3);
        if (field === EULER) ends.curve(PLACES, PLACES.map((start) => start + fieldAt(start, 0, now)), C.defect, 2.4, [2, 4]);
        ends.curve(PLACES, many, C.selected, 2, [6, 4]);
        writeAside(ends, [["— exact", C.normal], [`- - N = ${n}`, C.selected], ...(field === EULER ? [["··· N = 1", C.defect]] : [])]);
      }

      function drawErrors(now, lost) {
        const { n, s, means, field } = now, last = means.length === 1 ? firstOrder(s) : lost.at(-1) * STEPS.at(-1);
        errors.axes();
        errors.curve(STEPS, STEPS.map((count) => last / count), C.reference, 1.6, [2, 4]);
        errors.curve(STEPS, lost.map((value) => Math.max(value, 1e-6)), C.defect, 2.6);
        errors.points(Float32Array.from({ length: 2 * STEPS.length }, (_, i) => (i % 2 ? lost[(i - 1) / 2] : STEPS[i / 2])), C.defect, 2.4, 1);
        errors.line("x", n, C.selected, { width: 1.6 });
        if (field !== EULER) errors.label("no error at any N", 1, 0.0008, { dx: 8, dy: -stage.type, colour: C.selected, isBold: true });
        writeAside(errors, [["— independent", C.defect], ["··· C / N", C.reference]]);
      }

      function tell(now, own, step, lost) {
        const { t, n, s, means, field, x } = now, score = (y) => 0.5 * y * y, first = x + fieldAt(x, 0, now);
        api.check("score after one Euler step", score(first), 0, 1e-9);
        api.check("exact end, by quantiles", own[N_FINE], step.end, 1e-3 * (1 + Math.abs(step.end)));
        if (field === EULER) {
          api.check("one step from t, −t · score function", step.aim, -t * mixtureAt(step.here, t, means, s, found)[1], 1e-6 * (1 + Math.abs(step.here)));
        } else if (field === AVERAGE && t < 1) {
          const rest = smooth(step.here, now, t), weight = (k) => (k === 0 || k === N_FINE ? 1 : k % 2 ? 4 : 2); // Simpson's rule along the path
          const mean = rest.reduce((sum, y, k) => sum + weight(k) * fieldAt(y, t + ((1 - t) * k) / N_FINE, now), 0) / (3 * N_FINE);
          api.check("x at t + (1 − t) · average of v", step.here + (1 - t) * mean, step.end, 2e-3 * (1 + Math.abs(step.end)));
        }
        if (means.length === 1) {
          const product = Array.from({ length: n }, (_, k) => 1 + gaussVelocity(1, k / n, 0, s, 0) / n).reduce((a, b) => a * b, 1);
          api.check(`end of ${n} Euler step${n === 1 ? "" : "s"}, by their product`, euler(x, n, now)[n], product * (x - means[0]), 1e-6);
          api.check("one step, straightened, (x − m)/s", x + gaussVelocity(x, 0, means[0], s, 1), (x - means[0]) / s, 1e-9);
          if (lost.at(-1) < 0.02) api.check("error × N at N = 512, C", lost.at(-1) * 512, firstOrder(s), 0.05 * firstOrder(s));
        } else api.check("error of 256 steps over that of 512", lost.at(-3) / lost.at(-1), 2, 0.1);
        const many = field === EULER ? score(euler(x, n, now)[n]) : score(step.end);
        api.note(`Score from x = ${x.toFixed(2).replace("-", "−")}: ${score(step.end).toFixed(2)} exactly, ${many.toFixed(2)} by ${n} step${n === 1 ? "" : "s"}, ${score(step.aim).toFixed(2)} by one step from t = ${t.toFixed(2)}. Of the end, lost at N = ${n}: ${field === EULER ? percent(Math.abs(1 - Math.sqrt(many / score(step.end)))) : "nothing"}.`);
      }

      return {
        draw() {
          const now = read(), own = once("own", [now.x, now.s, now.means], () => smooth(now.x, now)), step = oneStep(now, own), lost = once("lost", [now.s, now.means], () => errorCurve(now));
          drawPaths(now, own, step);
          drawEnds(now);
          drawErrors(now, lost);
          tell(now, own, step, lost);
        },
        pointer(kind, x, y, index) {
          if (kind === "down") isHeld = true;
          if (isHeld && (kind === "down" || kind === "move")) {
            if (index === errors.index) api.set("steps", Math.round(Math.max(1, x)));
            else {
              if (index === paths.index) api.set("t", Math.round(100 * x) / 100);
              api.set("x", Math.round((index === paths.index ? y : x) / 0.05) * 0.05);
            }
          }
          if (kind === "up" || kind === "leave") isHeld = false;
        },
        /** Up and down move the start, left and right the number of steps. */
        key(name) {
          const move = { ArrowUp: ["x", 0.1], ArrowDown: ["x", -0.1], ArrowRight: ["steps", 1], ArrowLeft: ["steps", -1] }[name];
          if (move) api.set(move[0], Math.round((values[move[0]] + move[1]) * 100) / 100);
          return Boolean(move);
        },
        dispose() {},
      };
    },
  };
}
