// Lesson 4, crossing paths average: pairs of Gaussian data and noise, the field that is their mean, and where it carries what.

{
  const N_DRAWN = 80, HIGH = 3.2; // lines drawn of those sent; the pictures show x from -HIGH to HIGH
  const STARTS = [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2]; // of the drawn paths, in thicknesses from the mean

  /** Data and noise of pair i: m + s g1, and rho g1 + sqrt(1 - rho^2) g2. */
  const pairOf = (g, i, { m, s, rho }) => [m + s * g[2 * i], rho * g[2 * i] + Math.sqrt(Math.max(0, 1 - rho * rho)) * g[2 * i + 1]];

  /**
   * How likely each slope u is among the lines through (t, x), summing to 1. Such a line comes from data x - t u and goes to noise x + (1-t) u, so
   * its weight is the joint density there. For rho = ±1 the noise follows from the data, and there is one line, if any.
   */
  function slopesThrough(x, t, { m, s, rho }, slopes) {
    const weights = new Float64Array(slopes.length), scale = -0.5 / (1 - rho * rho);
    let most = -Infinity, sum = 0;
    for (let k = 0; k < slopes.length; k++) {
      const a = (x - t * slopes[k] - m) / s, z = x + (1 - t) * slopes[k];
      weights[k] = scale * (a * a - 2 * rho * a * z + z * z);
      if (weights[k] > most) most = weights[k];
    }
    for (let k = 0; k < slopes.length; k++) sum += weights[k] = Math.exp(weights[k] - most);
    for (let k = 0; k < slopes.length; k++) weights[k] /= sum;
    return weights;
  }

  const FINE = Float64Array.from({ length: 6001 }, (_, k) => (k - 3000) / 50); // slopes from -60 to 60: wider and finer than any lines here spread

  /** Mean and spread of the slopes of the lines through (t, x), summed over them; for rho = ±1 of the one line, NaN where all lines meet. */
  function slopesAt(x, t, now) {
    const { m, s, rho } = now;
    if (Math.abs(rho) === 1) {
      const room = (1 - t) * s + rho * t; // x = (1-t) m + room g
      if (Math.abs(room) < 1e-9) return { mean: NaN, spread: 0 };
      const g = (x - (1 - t) * m) / room;
      return { mean: rho * g - (m + s * g), spread: 0 };
    }
    const weights = slopesThrough(x, t, now, FINE);
    let mean = 0, square = 0;
    for (let k = 0; k < FINE.length; k++) mean += FINE[k] * weights[k];
    for (let k = 0; k < FINE.length; k++) square += (FINE[k] - mean) ** 2 * weights[k];
    return { mean, spread: Math.sqrt(square) };
  }

  /** Times and places of Euler's method from x. For rho = -1 more than one step leads nowhere once all paths have met: it ends there. */
  function eulerPath(x, { m, s, rho, steps }) {
    const n = Math.round(steps), times = [0], places = [x], end = rho === -1 && n > 1 ? s / (1 + s) : 1;
    for (let k = 0; k < n && (k + 1) / n <= end + 1e-12; k++) {
      places.push(places[k] + gaussVelocity(places[k], k / n, m, s, rho) / n);
      times.push((k + 1) / n);
    }
    return { times, places, isWhole: times.length === n + 1 };
  }

  LESSON.average = {
    create(stage, scene, values, api) {
      const time = "t (0 = data, 1 = noise)", box = { x: [-0.03, 1.03], y: [-HIGH, HIGH] };
      const lines = stage.panel({ x: 0, y: 0, w: 1 / 3, h: 1 }, { ...box, titles: [time, "x"], heading: "Lines of the pairs" });
      const field = stage.panel({ x: 1 / 3, y: 0, w: 1 / 3, h: 1 }, { ...box, titles: [time, "x"], heading: "The field they teach" });
      const map = stage.panel({ x: 2 / 3, y: 0, w: 1 / 3, h: 1 }, { x: [-3, 3], y: [-4, 4], titles: ["start x at t = 0", "where it is"], heading: "Flow map" });

      const read = () => ({ m: values.m, s: values.s, rho: values.rho, steps: values.steps, x: values.x, t: values.t });
      const meeting = ({ s }) => s / (1 + s);
      const endOf = (now) => (now.rho === -1 ? meeting(now) : 1);
      const grid = (end, n = 120) => Array.from({ length: n + 1 }, (_, k) => (end * k) / n);

      function drawLines(now, { mean, spread }) {
        const { rho, m, t, x } = now, ends = [];
        for (let i = 0; i < N_DRAWN; i++) { const [a, z] = pairOf(scene.g, i, now); ends.push(0, a, 1, z); }
        lines.axes();
        lines.segments(ends, C.reference, 1, 0.4);
        lines.line("x", t, C.reference, { width: 1 });
        if (Math.abs(rho) < 1) drawFan(now, mean, spread);
        else if (Number.isFinite(mean)) lines.segments([0, x - t * mean, 1, x + (1 - t) * mean], C.time, 2, 0.9);
        if (Number.isFinite(mean)) drawArrow(lines, t, x, mean);
        if (rho === -1) {
          const at = meeting(now);
          lines.marker(at, (1 - at) * m, { colour: C.defect, radius: 6 });
          lines.label(`all meet: t* = ${at.toFixed(3)}`, at, (1 - at) * m, { dx: at > 0.5 ? -10 : 10, dy: -16, align: at > 0.5 ? "right" : "left" });
        }
        lines.marker(t, x, { colour: C.selected, radius: 5, shape: "dot" });
      }

      /** The lines through (t, x), the likelier the darker: 61 slopes around their mean, a few spreads wide. */
      function drawFan(now, mean, spread) {
        const { x, t } = now, slopes = Float64Array.from({ length: 61 }, (_, k) => mean + (spread * (k - 30)) / 12);
        const weights = slopesThrough(x, t, now, slopes), most = Math.max(...weights);
        lines.segments([...slopes].flatMap((u) => [0, x - t * u, 1, x + (1 - t) * u]), C.time, 1.2, [...weights].map((weight) => (0.6 * weight) / most));
      }

      /** An arrow of 70 px from (t, x) in the direction (1, v) as it looks on the paper. */
      function drawArrow(panel, t, x, v) {
        const long = 70 / Math.hypot(panel.width / 1.06, (v * panel.height) / (2 * HIGH));
        panel.arrows([t, x, long, long * v], C.selected, { width: 3.5, alpha: 1, head: 12 });
      }

      function drawField(now) {
        const { rho, s, m, x, t } = now, vectors = [], end = endOf(now), times = grid(end), unit = [field.width / 1.06, field.height / (2 * HIGH)];
        for (let i = 0; i < 13; i++) {
          for (let j = 0; j < 15; j++) {
            const at = (i + 0.25) / 13, place = -HIGH + ((j + 0.5) / 15) * 2 * HIGH, v = gaussVelocity(place, at, m, s, rho);
            if (!Number.isFinite(v)) continue;
            const long = 16 / Math.hypot(unit[0], v * unit[1]); // all arrows look equally long: the field's direction, not its speed
            vectors.push(at, place, long, long * v);
          }
        }
        field.axes();
        field.arrows(vectors, C.reference, { width: 1.1, alpha: 0.55, head: 4 });
        const starts = [...STARTS.map((k) => m + k * s), x];
        starts.forEach((start, k) => {
          const isOwn = k === STARTS.length, path = eulerPath(start, now);
          field.curve(times, times.map((at) => gaussFlow(start, at, m, s, rho)), C.normal, isOwn ? 3 : 1.6, [], isOwn ? 1 : 0.75);
          field.curve(path.times, path.places, C.selected, isOwn ? 3 : 1.3, [6, 4], isOwn ? 1 : 0.8);
          if (t <= end) field.marker(t, gaussFlow(start, t, m, s, rho), { colour: C.time, radius: isOwn ? 5 : 3, shape: "dot" });
          if (isOwn && path.isWhole) field.marker(1, path.places.at(-1), { radius: 6 });
        });
        if (rho === -1) {
          const at = meeting(now);
          field.marker(at, (1 - at) * m, { colour: C.defect, radius: 6 });
          field.label("the way on is lost", at, (1 - at) * m, { dx: at > 0.5 ? -10 : 10, dy: -16, align: at > 0.5 ? "right" : "left" });
        }
      }

      /** All these maps are straight lines: two points each. */
      function drawMap(now) {
        const { rho, s, m, x, t } = now, xs = [-3, 3], n = Math.round(now.steps), isLost = rho === -1;
        const rows = [["one step: ρ (x − m) / s", xs.map((start) => start + gaussVelocity(start, 0, m, s, rho)), C.selected, [6, 4]]];
        if (!isLost) rows.push(["many: (x − m) / s", xs.map((start) => (start - m) / s), C.normal, []]);
        if (n > 1 && !isLost) rows.push([`${n} Euler steps`, xs.map((start) => eulerPath(start, now).places.at(-1)), C.warn, [2, 4]]);
        if (t <= endOf(now)) rows.push([`flow at t = ${t.toFixed(2)}`, xs.map((start) => gaussFlow(start, t, m, s, rho)), C.time, []]);
        map.axes();
        map.line("x", x, C.reference, { width: 1 });
        rows.forEach(([text, ys, colour, dash], k) => {
          map.curve(xs, ys, colour, 2.4, dash);
          map.marker(x, valueAt(xs, ys, x), { colour, radius: 3.5, shape: "dot" });
          const y = 3.7 - (k * stage.type * 1.7 * 8) / map.height; // the legend: a row of type each, in the panel's units
          map.curve([-2.9, -2.5], [y, y], colour, 2.4, dash);
          map.label(text, -2.4, y);
        });
        if (isLost) map.label("many steps: no way past t*", -2.9, 3.7 - (rows.length * stage.type * 1.7 * 8) / map.height);
      }

      const valueAt = ([x0, x1], [y0, y1], x) => y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);

      function sayChecks(now, mean) {
        const { rho, s, m, x, t } = now, z = (x - m) / s, v = gaussVelocity(x, t, m, s, rho);
        if (Number.isFinite(mean) && Number.isFinite(v)) api.check("mean of the lines through (t, x), the field", mean, v);
        api.check("one Euler step from x, ρ (x − m) / s", eulerPath(x, { ...now, steps: 1 }).places[1], rho * z);
        const along = (at, y) => gaussVelocity(y, at, m, s, rho);
        if (rho > -1) {
          api.check("many steps from x, (x − m) / s", rungeKutta(along, x, 1), z);
        } else {
          const at = meeting(now), [a, z1] = pairOf(scene.g, 0, now), [b, z2] = pairOf(scene.g, farthest(now), now);
          api.check("two lines cross at, t* = s / (1 + s)", (a - b) / (a - b - (z1 - z2)), at);
          api.check("width of all lines at t*", widthAt(at, now), 0);
          api.check("many steps from x to 0.9 t*, flow map", rungeKutta(along, x, 0.9 * at), (1 - 0.9 * at) * m + 0.1 * s * z);
        }
      }

      function rungeKutta(along, x, end) {
        const n = 600, path = integrate((place, _, at) => [along(at, place), 0], x, 0, n, "rk4", 0, end);
        return path[2 * n];
      }

      /** The line whose data is farthest from that of line 0. */
      function farthest(now) {
        const [first] = pairOf(scene.g, 0, now), gaps = Array.from({ length: N_DRAWN }, (_, i) => Math.abs(pairOf(scene.g, i, now)[0] - first));
        return gaps.indexOf(Math.max(...gaps));
      }

      /** Greatest minus least place of the drawn lines at a time. */
      function widthAt(at, now) {
        const places = Array.from({ length: N_DRAWN }, (_, i) => { const [a, z] = pairOf(scene.g, i, now); return (1 - at) * a + at * z; });
        return Math.max(...places) - Math.min(...places);
      }

      let isHeld = false;
      return {
        draw() {
          const now = read(), slopes = slopesAt(now.x, now.t, now);
          drawLines(now, slopes);
          drawField(now);
          drawMap(now);
          sayChecks(now, slopes.mean);
        },
        pointer(kind, x, y, panelIndex) {
          if (kind === "down") isHeld = true;
          if (isHeld) {
            const round = (value, step) => Math.round(value / step) * step;
            if (panelIndex === map.index) api.set("x", clamp(round(x, 0.05), -3, 3));
            else {
              api.set("t", clamp(round(x, 0.01), 0, 1));
              api.set("x", clamp(round(y, 0.05), -3, 3));
            }
          }
          if (kind === "up") isHeld = false;
        },
        dispose() {},
      };
    },
  };
}
