// Lesson 6: how steep the field is near the data, what few Euler steps make of it, and what does not return. Data are centred Gaussians of
// thickness s, so the field is slope(t) * x and Euler's method a product; or five atoms on a line. Dragging in the slope and the path moves t,
// in the lower right picture the number of steps.

{
  const RHO = [0, -0.9, -0.99, -0.999, -1, 0], FINITE = 5, WORST = 4;
  const STEPS = Array.from(new Set(Array.from({ length: 49 }, (_, i) => Math.round(4096 ** (i / 48)))));
  const FINITE_STEPS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128], N_TRIED = 26;
  const OFFSETS = [-1.9, -1.3, -0.7, -0.2, 0.2, 0.7, 1.3, 1.9]; // starts of the drawn paths, in thicknesses
  const TIMES = Float64Array.from({ length: 1500 }, (_, i) => 10 ** (-3 + (3 * i) / 1499));

  const slope = (t, s, rho) => gaussVelocity(1, t, 0, s, rho);
  /** Middle and width in time of the neck: slope(t) = (t - c) / ((t - c)^2 + w^2). See wtflow/lessons/singular.py. */
  const neck = (s, rho) => {
    const area = 1 + s * s - 2 * rho * s;
    return [(s * (s - rho)) / area, (s * Math.sqrt(1 - rho * rho)) / area];
  };
  const firstOrder = (s, rho) => {
    const [c, w] = neck(s, rho);
    return (1 - rho * s - rho / s + 1) / 4 + (Math.atan((1 - c) / w) + Math.atan(c / w)) / (4 * w);
  };
  const meets = (t, s, rho) => rho === -1 && Math.abs(t - s / (1 + s)) < 1e-9;

  /** Share of the exact end that n Euler steps reach, from t = 0 to 1 and from 1 to 0; NaN where a step meets the singular time. */
  const sharesOf = (n, s, rho) => {
    let there = s, back = 1 / s;
    for (let k = 0; k <= n; k++) {
      const t = k / n, factor = meets(t, s, rho) ? NaN : slope(t, s, rho) / n;
      if (k < n) there *= 1 + factor;
      if (k > 0) back *= 1 - factor;
    }
    return [there, back];
  };

  /** Velocity on a line for data that is one of the atoms, independent noise; at t = 0 the value there, -x. */
  const lineVelocity = (x, t, atoms) => {
    if (t === 0) return -x;
    const scale = 0.5 / (t * t), stay = 1 - t;
    let least = Infinity, sum = 0, mean = 0;
    for (let i = 0; i < atoms.length; i++) {
      const far = (x - stay * atoms[i]) ** 2;
      if (far < least) least = far;
    }
    for (let i = 0; i < atoms.length; i++) {
      const log = (least - (x - stay * atoms[i]) ** 2) * scale;
      if (log < -40) continue; // below rounding; evaluated half a million times, so it saves most of the work
      const weight = Math.exp(log);
      sum += weight;
      mean += weight * atoms[i];
    }
    return (x - mean / sum) / t;
  };

  /** Positions along n Euler steps to t = 1 and n back. velocity(x, t). */
  const roundTrip = (x, n, velocity) => {
    const path = new Float64Array(2 * n + 1);
    path[0] = x;
    for (let k = 0; k < 2 * n; k++) path[k + 1] = x += ((k < n ? 1 : -1) / n) * velocity(x, k < n ? k / n : (2 * n - k) / n);
    return path;
  };

  const percent = (share) => `${(100 * share).toFixed(Math.abs(share) < 0.1 ? 1 : 0).replace("-", "−")} %`;

  LESSON.singular = {
    create(stage, scene, values, api) {
      const steep = stage.panel({ x: 0, y: 0, w: 0.52, h: 0.5 },
        { x: [0.001, 1], y: [-2, 6], log: "x", titles: ["t (0 = data, 1 = noise)", "slope of v"], heading: "How steep is the field?" });
      const paths = stage.panel({ x: 0, y: 0.5, w: 0.52, h: 0.5 },
        { x: [0, 2], y: [-3, 3], titles: ["0 data → 1 noise → 2 back at the data", "x"], heading: "There and back" });
      const word = stage.panel({ x: 0.52, y: 0, w: 0.48, h: 0.5 },
        { x: [-2.5, 2.5], y: [-2.5, 2.5], titles: ["along the data", "across, in units of s"], heading: "What returns" });
      const errors = stage.panel({ x: 0.52, y: 0.5, w: 0.48, h: 0.5 },
        { x: [1, 4096], y: [0.0005, 40], log: "xy", titles: ["Euler steps each way", "share lost"], heading: "Do more steps help?" });
      const { letters, atoms } = scene, count = letters.length / 2;
      let known = { key: "" }, curves = { key: "" };

      /** Errors against steps, and what is slow to find: once per thickness and case. */
      const measure = (s, choice) => {
        const key = `${s}/${choice}`, rho = RHO[choice];
        if (curves.key === key) return curves;
        const list = (r) => STEPS.map((n) => sharesOf(n, s, r));
        curves = { key, independent: list(0), own: choice && choice < FINITE ? list(rho) : null };
        if (choice === FINITE) {
          curves.finite = FINITE_STEPS.map((n) => {
            let lost = 0, size = 0;
            for (let i = 0; i < N_TRIED; i++) {
              const x = s * letters[2 * Math.floor((i * count) / N_TRIED) + 1];
              lost += (roundTrip(x, n, (y, t) => lineVelocity(y, t, atoms)).at(-1) - x) ** 2;
              size += x * x;
            }
            return Math.sqrt(lost / size);
          });
        } else if (choice !== WORST) {
          const n = Math.ceil(200 * firstOrder(s, rho));
          curves.law = [n, n * (1 - sharesOf(n, s, rho)[0])];
        }
        return curves;
      };

      /** The word after the round trip, and the drawn paths: once per thickness, case and steps. */
      const travel = (s, choice, n) => {
        const key = `${s}/${choice}/${n}`, rho = RHO[choice];
        if (known.key === key) return known;
        const along = sharesOf(n, 1, rho), across = sharesOf(n, s, rho), back = new Float32Array(letters.length);
        const velocity = choice === FINITE ? (x, t) => lineVelocity(x, t, atoms) : (x, t) => (meets(t, s, rho) ? NaN : slope(t, s, rho) * x);
        let nearest = [];
        for (let i = 0; i < count; i++) {
          back[2 * i] = letters[2 * i] * (along[0] * along[1] || 0); // what met the meeting time lies at 0
          if (choice === FINITE) {
            const end = roundTrip(s * letters[2 * i + 1], n, velocity).at(-1);
            back[2 * i + 1] = end / s;
            nearest.push(atoms.reduce((least, a) => Math.min(least, Math.abs(end - a)), Infinity));
          } else back[2 * i + 1] = letters[2 * i + 1] * (across[0] * across[1] || 0);
        }
        known = { key, back, across, nearest, trips: OFFSETS.map((offset) => roundTrip(s * offset, n, velocity)) };
        return known;
      };

      const drawSlope = (t, s, choice) => {
        const rho = RHO[choice], [c, w] = neck(s, rho), top = (1 + s * s) / (2 * s), peak = choice === WORST ? Infinity : 1 / (2 * w);
        const high = Math.max(1.3 * Math.min(peak, 5 * top), choice === FINITE ? 55 : 1.3 * top), isDeep = rho < 0;
        steep.setRange({ y: [isDeep ? -high : -0.2 * high - 1, high] });
        steep.axes();
        steep.line("y", 0, C.reference, { width: 1, dash: [] });
        steep.curve(TIMES, TIMES.map((time) => 1 / time), C.reference, choice === FINITE ? 2.4 : 1.4, [5, 4]);
        steep.curve(TIMES, TIMES.map((time) => slope(time, s, 0)), C.normal, rho < 0 ? 1.4 : 2.4);
        if (rho < 0) steep.curve(TIMES, TIMES.map((time) => slope(time, s, rho)), C.defect, 2.4);
        const at = (s * (1 + s)) / (1 + s * s);
        steep.marker(at, top, { colour: C.normal, radius: 4, shape: "dot" });
        steep.label(`(1+s²)/2s = ${top.toPrecision(4)} at t = ${at.toFixed(4)}`, at, top, { dx: at > 0.1 ? -10 : 10, dy: -Math.min(stage.type, 0.1 * steep.height), align: at > 0.1 ? "right" : "left", colour: C.normal, isBold: true });
        if (high > 8) steep.label("finite data, next to an atom: 1/t", Math.min(0.5, 1 / (0.8 * high)), 0.8 * high, { dx: -12, align: "right" });
        const shown = Math.max(t, 0.001), here = choice === FINITE ? 1 / shown : slope(shown, s, rho);
        steep.line("x", shown, C.selected, { width: 1.4 });
        if (Number.isFinite(here)) steep.marker(shown, clamp(here, steep.range.y[0], high), { colour: C.selected, radius: 6 });
        steep.label(`t = ${t.toFixed(3)}: slope ${Number.isFinite(here) ? here.toPrecision(3).replace("-", "−") : "singular"}`, shown, steep.range.y[0],
          { dx: shown > 0.03 ? -8 : 8, dy: -stage.type * 0.9, align: shown > 0.03 ? "right" : "left", colour: C.selected, isBold: true });
        return { c, w, peak };
      };

      const drawPaths = (t, s, choice, n, trips) => {
        const rho = RHO[choice];
        paths.axes();
        paths.line("x", 1, C.reference, { width: 1, dash: [] });
        const times = Array.from({ length: 81 }, (_, i) => i / 80), there = Array.from({ length: n + 1 }, (_, k) => k / n), again = there.map((time) => 1 + time);
        if (choice !== FINITE) for (const offset of OFFSETS) paths.curve(times, times.map((time) => gaussFlow(s * offset, time, 0, s, rho)), C.reference, 1.3, [], 0.8);
        else for (const a of atoms) paths.segments([0, a, 0.02, a, 1.98, a, 2, a], C.reference, 3, 1);
        for (const path of trips) {
          paths.curve(there, path.subarray(0, n + 1), C.time, 1.6);
          paths.curve(again, path.subarray(n), C.defect, 1.6);
          if (n <= 40) paths.points(Float32Array.from({ length: 2 * path.length }, (_, i) => (i % 2 ? path[(i - 1) / 2] : i / 2 / n)), C.text, 1.6, 0.7);
        }
        paths.line("x", t, C.selected, { width: 1.4 });
        const y = 3, dy = stage.type * 0.9;
        if (choice !== FINITE) paths.label("exact", 0, y, { dx: 8, dy, colour: C.reference, isBold: true });
        paths.label("Euler, there", 0.6, y, { dy, align: "center", colour: C.time, isBold: true });
        paths.label("Euler, back", 1.5, y, { dy, align: "center", colour: C.defect, isBold: true });
      };

      const drawErrors = (s, choice, n, measured) => {
        const rho = RHO[choice];
        errors.axes();
        const put = (shares, r, colour) => {
          errors.curve(STEPS, shares.map(([there, back]) => Math.max(1e-6, Math.abs(1 - there * back))), colour, 2.4);
          errors.curve(STEPS, shares.map(([there]) => Math.max(1e-6, Math.abs(1 - there))), colour, 1.4, [5, 4]);
          if (r > -1) errors.curve(STEPS, STEPS.map((steps) => firstOrder(s, r) / steps), colour, 1, [1, 4]);
        };
        put(measured.independent, 0, C.normal);
        if (measured.own) put(measured.own, rho, C.defect);
        if (measured.finite) errors.curve(FINITE_STEPS, measured.finite, C.defect, 2.4);
        errors.line("x", n, C.selected, { width: 1.6 });
        const words = [["— not returned,  - - wrong at t = 1,  ··· C / n", C.text], ["smooth Gaussian, independent", C.normal]];
        if (choice) words.push([choice === FINITE ? "finite data: no number of steps helps" : choice === WORST ? "worst" : `ρ = ${String(rho).replace("-", "−")}`, C.defect]);
        const [x, y] = [errors.range.x[1], errors.range.y[1]];
        words.forEach(([text, colour], i) => errors.label(text, x, y, { dx: -6, dy: stage.type * (0.9 + 1.35 * i), align: "right", colour, isBold: i > 0 }));
      };

      const tell = (t, s, choice, n, { c, w, peak }, { across: [there, back], nearest }, measured) => {
        const rho = RHO[choice];
        if (choice === FINITE) {
          const at = clamp(t, 0.001, 0.1), h = 1e-5 * at, found = (lineVelocity(h, at, atoms) - lineVelocity(-h, at, atoms)) / (2 * h);
          api.check(`slope next to an atom at t = ${at.toFixed(3)}`, found, 1 / at, 1e-3 / at);
          api.check(`start s next to a lone atom, after ${n} steps`, roundTrip(s, n, (x, time) => lineVelocity(x, time, [0]))[n], (n - 1) * s, 1e-6 * n);
          if (n >= 32) api.check("median distance of a return from an atom", quantile(nearest, 0.5), 0, 1e-3);
          api.note("Next to an atom the slope has no bound. What lies there is pushed away, farther with more steps, and returns onto an atom.");
          return;
        }
        const found = gaussVelocity(0.5, t, 0, s, rho) - gaussVelocity(-0.5, t, 0, s, rho), wanted = (t - c) / ((t - c) ** 2 + w * w);
        if (Number.isFinite(found)) api.check(`slope at t = ${t.toFixed(3)}`, found, wanted, 1e-6 * (1 + Math.abs(wanted)));
        if (choice !== WORST) {
          let most = -Infinity, when = 0;
          for (let i = 0; i <= 4000; i++) { // around the neck, where it is narrow
            const time = clamp(c + w * (-4 + i / 500), 0, 1), value = slope(time, s, rho);
            if (value > most) [most, when] = [value, time];
          }
          api.check("largest slope", most, peak, 1e-4 * peak);
          api.check("its time", when, c + w, 2e-3);
          api.check(`error × steps, ${measured.law[0].toLocaleString("en-US")} steps`, measured.law[1], firstOrder(s, rho), 0.01 * firstOrder(s, rho));
        }
        if (n === 2 && !choice) api.check("share that returns after 2 steps", there * back, (s / (1 + s * s)) ** 2, 1e-9);
        else api.check("share that returns, and the square of the share at t = 1", there * back, there * there, 1e-6);
        if (choice === WORST) {
          const meeting = (s / (1 + s)).toFixed(3);
          api.note(Number.isFinite(there)
            ? `No exact way leads on from t* = ${meeting}, where all x are 0. The steps jump across: they end at ${there.toFixed(2).replace("-", "−")} x/s and come back on the same lines.`
            : `A step meets t* = ${meeting}: all x are 0 there, and nothing can return.`);
          if (n % 2 === 0 && s < 1) api.note("Along the data (thickness 1, t* = 0.5) an even number of steps meets it.");
        } else if (there < 0) api.note(`The steps jump through the neck to the wrong side: ${there.toFixed(2).replace("-", "−")} of the exact end. That ${percent(there * back)} returns proves nothing here.`);
        else api.note(`${percent(there * back)} of the thickness returns. The field is smooth: about ${Math.ceil(20 * firstOrder(s, rho)).toLocaleString("en-US")} steps bring 90 % back.`);
      };

      return {
        draw() {
          const { t, s } = values, choice = Math.round(values.case), n = Math.round(values.steps), gone = travel(s, choice, n), measured = measure(s, choice);
          const facts = drawSlope(t, s, choice);
          drawPaths(t, s, choice, n, gone.trips);
          word.axes();
          word.points(letters, C.reference, 2.4, 0.55);
          word.points(gone.back, C.defect, 2.4, 0.8);
          word.label("start", -2.5, 2.5, { dx: 8, dy: stage.type * 0.9, colour: C.reference, isBold: true });
          word.label(`after ${n} step${n === 1 ? "" : "s"} there and back`, 2.5, 2.5, { dx: -8, dy: stage.type * 0.9, align: "right", colour: C.defect, isBold: true });
          drawErrors(s, choice, n, measured);
          tell(t, s, choice, n, facts, gone, measured);
        },
        pointer(kind, x, y, index) {
          if (kind === "down") this.isHeld = true;
          if (this.isHeld && (kind === "down" || kind === "move")) {
            if (index === errors.index) api.set("steps", Math.round(Math.max(1, x)));
            else if (index !== word.index) api.set("t", Math.round(1000 * (x > 1 ? 2 - x : x)) / 1000);
          }
          if (kind === "up" || kind === "leave") this.isHeld = false;
        },
        key(name) {
          const move = { ArrowRight: 1, ArrowLeft: -1 }[name], more = { ArrowUp: 1, ArrowDown: -1 }[name];
          if (move) api.set("t", Math.round(1000 * (values.t + 0.005 * move)) / 1000);
          if (more) api.set("steps", Math.round(values.steps) + more);
          return Boolean(move || more);
        },
        dispose() {},
      };
    },
  };
}
