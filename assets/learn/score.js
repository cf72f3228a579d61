// Lesson 8, the score over time: endpoint, deviation and mismatch of Gaussian normals and shifted defects on one time axis. Its checked twin is
// wtflow/lessons/score.py. Dragging in the plane moves the defects, in the other pictures the time.

{
  const DRAWS = [1, 4, 16], SCORES = ["endpoint", "deviation", "mismatch"], N_ANGLES = 128, N_SHOWN = 250, REACH = 3;
  const TIMES = Float64Array.from({ length: 100 }, (_, k) => (k + 1) / 100), COUNTED = [0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
  const ANGLES = Array.from({ length: N_ANGLES }, (_, k) => [Math.cos((Math.PI * (k + 0.5)) / N_ANGLES), Math.sin((Math.PI * (k + 0.5)) / N_ANGLES)]);
  const ROOT = Math.sqrt(2 * Math.PI), DASH = { endpoint: [], deviation: [7, 4], mismatch: [2, 4] };

  const varianceAt = (t, s) => ((1 - t) * s) ** 2 + t * t;
  const endpointOf = (x, y, t, s) => 0.25 * (varianceAt(t, s[0]) * (x / s[0]) ** 2 + varianceAt(t, s[1]) * (y / s[1]) ** 2);
  const deviationOf = (x, y, t, s) => 0.5 * (((t * x) / varianceAt(t, s[0])) ** 2 + ((t * y) / varianceAt(t, s[1])) ** 2);
  const missOf = (x, z, t, s) => (t * x - (1 - t) * s * s * z) / varianceAt(t, s);
  const mismatchOf = (x, y, zx, zy, t, s) => 0.5 * (missOf(x, zx, t, s[0]) ** 2 + missOf(y, zy, t, s[1]) ** 2);
  const varianceOfMismatch = (t, s) => 0.5 * s.reduce((sum, one) => sum + (((1 - t) * one * one) / varianceAt(t, one)) ** 2, 0);
  const normalMismatch = (t, s) => 0.5 * s.reduce((sum, one) => sum + (one * one) / varianceAt(t, one), 0);

  /** How often a defect scores higher than a normal, t above 0: a sum over angles, packed where the integrand is steep. As auroc() in the twin, over half a turn. */
  function auroc(name, t, { s, shift, n }) {
    const v = s.map((one) => varianceAt(t, one)), mean = shift.map((value, c) => value / s[c] / Math.SQRT2);
    const weight = name === "endpoint" ? v : s.map((one, c) => (one / v[c]) ** 2);
    const blur = s.map((one) => (name === "mismatch" ? 1 + (2 * ((1 - t) * one) ** 2) / (t * t * n) : 1));
    const q = Math.sqrt((weight[1] * Math.sqrt(blur[1])) / (weight[0] * Math.sqrt(blur[0]))), still = Math.exp(-0.5 * (mean[0] ** 2 + mean[1] ** 2));
    let sum = 0, whole = 0;
    for (const [cos, sin] of ANGLES) {
      const ux = q * cos, square = ux * ux + sin * sin, length = Math.sqrt(square), along = (ux * mean[0] + sin * mean[1]) / length, across = (ux * mean[1] - sin * mean[0]) / length;
      const a = ux * weight[0], b = sin * weight[1], rise = normalCdf((a * mean[0] + b * mean[1]) / Math.sqrt(a * a * blur[0] + b * b * blur[1]));
      const bend = ROOT * along * Math.exp(-0.5 * across * across), ahead = normalCdf(along), measure = q / square;
      const there = measure * (still + bend * ahead), opposite = measure * (still - bend * (1 - ahead)); // the density of an angle, and of the one half a turn on
      sum += there * rise + opposite * (1 - rise);
      whole += there + opposite;
    }
    return sum / whole;
  }

  /** Share of pairs in which the defect scores higher. Pair i meets the noises i, i + 37, i + 74, ... of the sample. */
  function count(name, t, g, { s, shift, n }) {
    const [s1, s2] = s, [dx, dy] = shift, size = g.length / 6;
    let higher = 0;
    for (let i = 0; i < size; i++) {
      const x1 = s1 * g[6 * i], x2 = s2 * g[6 * i + 1], y1 = s1 * g[6 * i + 2] + dx, y2 = s2 * g[6 * i + 3] + dy;
      let gap = 0;
      if (name === "endpoint") gap = endpointOf(y1, y2, t, s) - endpointOf(x1, x2, t, s);
      else if (name === "deviation") gap = deviationOf(y1, y2, t, s) - deviationOf(x1, x2, t, s);
      else {
        for (let k = 0; k < n; k++) {
          const at = 6 * ((i + 37 * k) % size) + 4;
          gap += mismatchOf(y1, y2, g[at], g[at + 1], t, s) - mismatchOf(x1, x2, g[at], g[at + 1], t, s);
        }
      }
      higher += gap > 0;
    }
    return higher / size;
  }

  LESSON.score = {
    create(stage, scene, values, api) {
      const time = "t (0 = data, 1 = noise)";
      const plane = stage.panel({ x: 0, y: 0, w: 0.46, h: 1 }, { x: [-REACH, REACH], y: [-REACH, REACH], equal: true, titles: ["x", "y"], heading: "Drag the defects" });
      const rates = stage.panel({ x: 0.46, y: 0, w: 0.54, h: 0.56 }, { x: [0, 1.02], y: [0.45, 1.02], titles: ["", "AUROC"], heading: "Seen when?" });
      const parts = stage.panel({ x: 0.46, y: 0.56, w: 0.54, h: 0.44 }, { x: [0, 1.02], y: [0, 4], titles: [time, "mean"], heading: "Mean mismatch" });
      const colours = { endpoint: C.time, deviation: C.selected, mismatch: C.warn };
      const rows = Float32Array.from({ length: 2 * N_SHOWN }), size = scene.g.length / 6;
      let known = { key: "" }, isHeld = false;

      const read = () => ({ t: Math.max(values.t, TIMES[0]), s: [values.s1, values.s2], shift: [values.dx, values.dy], n: DRAWS[Math.round(values.draws)] });

      /** Curves over t, their best times, and what was counted: once per thickness, shift and number of noises. */
      function measure(now) {
        const key = JSON.stringify([now.s, now.shift, now.n]);
        if (known.key === key) return known;
        known = { key };
        for (const name of SCORES) {
          const curve = TIMES.map((t) => auroc(name, t, now)), best = curve.indexOf(curve.reduce((a, b) => Math.max(a, b)));
          known[name] = { curve, best: [TIMES[best], curve[best]], dots: COUNTED.flatMap((t) => [t, count(name, t, scene.g, now)]) };
        }
        return known;
      }

      function drawPlane({ t, s, shift }) {
        plane.axes();
        for (const [from, colour, dx, dy] of [[0, C.normal, 0, 0], [2, C.defect, ...shift]]) {
          for (let i = 0; i < N_SHOWN; i++) rows.set([s[0] * scene.g[6 * i + from] + dx, s[1] * scene.g[6 * i + from + 1] + dy], 2 * i);
          plane.points(rows, colour, 2, 0.5);
        }
        const angles = Array.from({ length: 121 }, (_, k) => (k * Math.PI) / 60);
        for (const name of ["endpoint", "deviation"]) { // the line on which x scores as the defects' mean does
          const axis = s.map((one) => (name === "endpoint" ? one / Math.sqrt(varianceAt(t, one)) : varianceAt(t, one))), far = Math.hypot(shift[0] / axis[0], shift[1] / axis[1]);
          plane.curve(angles.map((a) => far * axis[0] * Math.cos(a)), angles.map((a) => far * axis[1] * Math.sin(a)), colours[name], 2.2, DASH[name]);
        }
        plane.arrows([0, 0, ...shift], C.text, { width: 2.4, alpha: 1, head: 10 });
        plane.marker(...shift, { colour: C.defect, radius: 7 });
        const row = (k) => ({ dx: 8, dy: stage.type * (0.9 + 1.35 * k) }), left = plane.x0, top = plane.y1;
        plane.label(`scored alike at t = ${t.toFixed(2)} by`, left, top, row(0));
        plane.label("— endpoint", left, top, { ...row(1), colour: colours.endpoint, isBold: true });
        plane.label("- - deviation, mean mismatch", left, top, { ...row(2), colour: colours.deviation, isBold: true });
      }

      function drawRates({ t }, found) {
        rates.axes();
        rates.line("y", 0.5, C.reference, { width: 1 });
        rates.line("x", t, C.reference, { width: 1.2, dash: [] });
        for (const name of SCORES) {
          rates.curve(TIMES, found[name].curve, colours[name], 2.6, DASH[name]);
          rates.points(found[name].dots, colours[name], 2.6, 0.9);
        }
        for (const name of SCORES) rates.marker(...found[name].best, { colour: colours[name], radius: 6 });
        writeAside(rates, SCORES.map((name) => [`${{ endpoint: "—", deviation: "- -", mismatch: "···" }[name]} ${name}`, colours[name]]));
      }

      function drawParts({ t, s, shift }) {
        const spread = TIMES.map((at) => varianceOfMismatch(at, s)), normal = TIMES.map((at) => normalMismatch(at, s));
        const defect = TIMES.map((at, k) => spread[k] + deviationOf(...shift, at, s)), zeros = TIMES.map(() => 0), top = 1.1 * Math.max(...defect, ...normal);
        parts.setRange({ y: [0, top] });
        parts.axes();
        parts.area(TIMES, zeros, spread, C.reference, 0.3);
        parts.area(TIMES, spread, defect, C.defect, 0.16);
        parts.curve(TIMES, normal, C.normal, 2.4);
        parts.curve(TIMES, defect, C.defect, 2.4);
        parts.line("x", t, C.reference, { width: 1.2, dash: [] });
        writeAside(parts, [["■ variance", C.reference], ["▬ normals", C.normal], ["▬ defects' mean", C.defect]]);
      }

      function tell(now, found) {
        const { t, s, shift } = now, sure = (p) => 5 * Math.sqrt((p * (1 - p)) / size) + 2 / size;
        for (const name of SCORES) {
          const exact = auroc(name, t, now);
          api.check(`AUROC, ${name}`, count(name, t, scene.g, now), exact, sure(exact));
        }
        let sum = 0, square = 0;
        for (let i = 0; i < size; i++) {
          const value = mismatchOf(...shift, scene.g[6 * i + 4], scene.g[6 * i + 5], t, s);
          sum += value / size;
          square += value * value / size;
        }
        api.check("bias² + variance", sum, deviationOf(...shift, t, s) + varianceOfMismatch(t, s), 5 * Math.sqrt(Math.max(0, square - sum * sum) / size) + 1e-6);
        const root = Math.sqrt(s[0] * s[1]), alike = root / (1 + root);
        api.check(`deviation at t = ${alike.toFixed(2)}, endpoint at 1`, auroc("deviation", alike, now), auroc("endpoint", 1, now), 1e-4);
        const best = SCORES.map((name) => `${name} ${found[name].best[1].toFixed(3)} ${found[name].best[0] <= TIMES[0] ? "toward t = 0" : `at t = ${found[name].best[0].toFixed(2)}`}`);
        api.note(`Best, at the rings: ${best.join(", ")}.`);
        if (values.t < TIMES[0]) api.note("At t = 0 deviation is 0 for every x, and mismatch is noise alone: shown is t = 0.01.");
      }

      return {
        draw() {
          const now = read(), found = measure(now);
          drawPlane(now);
          drawRates(now, found);
          drawParts(now);
          tell(now, found);
        },
        pointer(kind, x, y, index) {
          if (kind === "down") isHeld = true;
          if (isHeld && (kind === "down" || kind === "move")) {
            if (index === plane.index) {
              api.set("dx", Math.round(x / 0.05) * 0.05);
              api.set("dy", Math.round(y / 0.05) * 0.05);
            } else api.set("t", Math.round(100 * x) / 100);
          }
          if (kind === "up" || kind === "leave") isHeld = false;
        },
        /** Arrows move the defects. */
        key(name) {
          const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[name];
          if (step) ["dx", "dy"].forEach((axis, c) => api.set(axis, Math.round((values[axis] + step[c]) / 0.05) * 0.05));
          return Boolean(step);
        },
        dispose() {},
      };
    },
  };
}
